"""Names that mean the same: project names, versions and file names in one form each (FORMAT.md, "name_key").

`packaging` is imported where a version is read: who only compares projects starts without it.
"""

import re
import unicodedata

__all__ = [
    "FORM", "LOOPBACK", "PAGES", "RESERVED", "SIDECARS", "STATEMENT", "SUFFIXES", "fold", "is_archived_feed", "is_own",
    "name_key", "project_key", "says_version", "sdist_stem", "version_key",
]  # fmt: skip

FORM = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+!~-]{0,254}")
"""Names of files, and versions, that the trail can hold."""

LOOPBACK = ("localhost", "127.0.0.1", "::1")
"""Hosts that are this machine: nobody else hears what is said to them."""

RESERVED = frozenset(
    {
        "simple",
        "trail",
        "verify",
        "index.html",
        "feed.atom",
        "feed.rss",
        "feed",
        "static",
        "staging",
        "api",
        "robots.txt",
    }
)
"""Names that the site needs for itself: no project may be called so (folded)."""

PAGES = frozenset({"index.html", "index.json", "feed.atom", "feed.rss", "releases.json", "watch"})
"""Names of pages: no artifact may be called so (folded)."""

SIDECARS = (
    ".asc", ".SHA256SUMS", ".tag", ".notes.md", ".metadata", ".tlog-proof", ".intoto.jsonl", ".cdx.json",
    ".runbook.md", ".contacts.json",
)  # fmt: skip
"""Ends of the names of all that is made here to lie beside a release's files."""
STATEMENT = r"\.reproduced-[0-9a-f]{8}\.jsonl"
"""How the name of what a reproducer signed ends, as a regular expression."""

SUFFIXES = {
    ".tgz": ".tar.gz",
    ".taz": ".tar.gz",
    ".tbz": ".tar.bz2",
    ".tbz2": ".tar.bz2",
    ".txz": ".tar.xz",
    ".tlz": ".tar.lzma",
    ".tzst": ".tar.zst",
}
"""Suffixes that mean another one."""

_LONG = (".tar.gz", ".tar.bz2", ".tar.xz", ".tar.lzma", ".tar.zst", ".tar", ".zip", ".whl")


def is_archived_feed(path: str) -> bool:
    """Whether what lies at a path of a site is an archive of a feed: `nova/feed/3.atom`."""
    return re.fullmatch(r"(.*/)?feed/[1-9][0-9]*\.(atom|rss)", path) is not None


def is_own(name: str) -> bool:
    """Whether a sidecar or a statement could be called so, or could have this `name_key`: no artifact may."""
    return _OWN.fullmatch(_dashed(fold(name))) is not None


def fold(text: str) -> str:
    """Case and Unicode form folded: NFKC, then casefold, then NFKC again (Unicode 3.13, D146)."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def project_key(name: str) -> str:
    """PEP 503 normal form of the folded name."""
    return re.sub(r"[-_.]+", "-", fold(name)).lower()


def version_key(version: str) -> str:
    """PEP 440 canonical form without trailing zeros (`1.0` is `1.0.0`); what is no PEP 440 version is folded."""
    try:
        return _canonical(version)
    except ValueError:  # also for numbers that Python does not read
        return fold(version)


def _canonical(version: str) -> str:
    """What `packaging.utils.canonicalize_version` says of it, without loading what platforms are. Raises ValueError."""
    from packaging.version import Version

    found = Version(version)
    last = max((at for at, number in enumerate(found.release, 1) if number), default=1)
    return str(found.__replace__(release=found.release[:last]))


def says_version(tag: str, version: str) -> bool:
    """Whether a tag's name says this version alone: `v1.0.0`, `scm-v1.0` say 1.0.0; `1.0.0-rc1`, `11.0.0` do not.

    Read from the left, the longest version at each number counts, and what it is made of counts for no other.
    """
    head = tag.removesuffix(version)
    if tag.endswith(version) and not any(char.isdigit() for char in head):
        return True
    wanted, start = version_key(version), 0
    numbered = re.compile(r"[0-9]+(?:[-_.+!]?[0-9A-Za-z]+)*")
    while found := numbered.search(tag, start):
        words = [found[0][: cut.start()] for cut in re.finditer(r"[-_.+]", found[0])]
        longest = next((word for word in (found[0], *reversed(words)) if _is_version(word)), found[0])
        if version_key(longest) == wanted:
            return True
        start = found.start() + len(longest)
    return False


def _is_version(text: str) -> bool:
    from packaging.version import Version

    try:
        Version(text)
    except ValueError:
        return False
    return True


def sdist_stem(project: str, version: str) -> str:
    """`oslo.config`, `9.7.0` -> `oslo_config-9.7.0` (PEP 625; binary distribution specification, "escaping")."""
    return f"{project_key(project).replace('-', '_')}-{version}"


def name_key(project: str, name: str) -> str:
    """The one form of a file name within a project: two files with one key may not have two digests, ever.

    PEP 503 project, PEP 440 version, suffix aliases (`.tgz`), case and Unicode form, `-_.` alike elsewhere.
    """
    text = fold(name)
    for alias, suffix in SUFFIXES.items():
        if text.endswith(alias):
            text = text.removesuffix(alias) + suffix
    suffix = next((s for s in _LONG if text.endswith(s)), "")
    stem = text.removesuffix(suffix) if suffix else text
    if suffix == ".whl":
        return _wheel_key(text)
    return _versioned(project, stem) + suffix


def _wheel_key(text: str) -> str:
    from packaging.utils import canonicalize_version, parse_wheel_filename

    try:
        name, version, build, tags = parse_wheel_filename(text)
    except ValueError:
        return _dashed(text)
    number = f"-{build[0]}{build[1]}" if build else ""
    return f"{name}-{canonicalize_version(version)}{number}-{'.'.join(sorted(map(str, tags)))}.whl"


def _versioned(project: str, stem: str) -> str:
    wanted = project_key(project)
    for cut in re.finditer(r"[-_]", stem):
        head, tail = stem[: cut.start()], stem[cut.end() :]
        if head and project_key(head) == wanted:
            try:
                return f"{wanted}-{_canonical(tail)}"
            except ValueError:
                continue
    return _dashed(stem)


def _dashed(text: str) -> str:
    return re.sub(r"[-_.]+", "-", text)


_ENDS = (*(_dashed(fold(end)) for end in SIDECARS), STATEMENT.replace(r"\.", "-"))
_OWN = re.compile(f".*(?:{'|'.join(_ENDS)})", re.DOTALL)
