"""What tagtrail itself writes into settings: the first `tagtrail.toml`, and the lines of a new project.

The text is made for people: aligned, commented, with nothing that says the default.
"""

from tagtrail.formats.toml import quoted, quoted_key

__all__ = ["initial", "people_lines", "project_lines"]

_INITIAL = """\
# The settings of this instance: docs/settings.md tells every key, `tagtrail add-project` adds projects.

[org]
name   = {name}
origin = {origin}  # the trail's name, part of every signature: permanent

[targets.site]
type = "site"
root = "site"
{url}
[kind.library]
build   = ["sdist", "wheel"]
publish = ["site"]

[kind.server]
build       = ["sdist", "sdist.xz", "wheel"]
publish     = ["site"]
classifiers = ["Environment :: No Input/Output (Daemon)"]
tells       = ["does not give you a running service"]  # what the description says of installing it

[kind.generic]
build   = ["tar.gz", "tar.xz"]
publish = ["site"]
"""


def initial(name: str, origin: str, url: str = "") -> str:
    """The first `tagtrail.toml`: one target `site`, three kinds, no approvals; no `url` means local only."""
    address = (
        f"url  = {quoted(url)}\n"
        if url
        else '# url = "https://..."  # where people see it; without it the site is local\n'
    )
    return _INITIAL.format(name=quoted(name), origin=quoted(origin), url=address)


def project_lines(
    name: str,
    *,
    kind: str,
    repo: str,
    signers: tuple[str, ...],
    public: str = "",
    tag: str = "",
    versions: str = "",
) -> str:
    """The table of a project: three lines, and one more for each that is not as usual."""
    lines = {"kind": quoted(kind), "repo": quoted(repo)}
    lines |= {"public": quoted(public)} if public else {}
    lines |= {"signers": f"[{', '.join(map(quoted, signers))}]"}
    lines |= {"tag": quoted(tag)} if tag else {}
    lines |= {"versions": quoted(versions)} if versions else {}
    return _table(f"project.{quoted_key(name)}", lines)


def people_lines(name: str, keys: tuple[str, ...]) -> str:
    """The table of a group of people."""
    return _table(f"people.{quoted_key(name)}", {"keys": f"[{', '.join(map(quoted, keys))}]"})


def _table(name: str, lines: dict[str, str]) -> str:
    width = max(map(len, lines))
    return f"\n[{name}]\n" + "".join(f"{key:<{width}} = {value}\n" for key, value in lines.items())
