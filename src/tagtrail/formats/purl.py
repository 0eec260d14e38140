"""Package URLs: how the release predicate names a release (package-url specification, types `pypi` and `generic`).

pkg:pypi/oslo-config@9.7.0?repository_url=https://releases.example.org/simple/
pkg:generic/puppet-nova@25.0.0
"""

from urllib.parse import quote

from tagtrail.model.names import project_key

__all__ = ["purl", "purl_type"]


def purl(project: str, version: str, *, python: bool, index: str = "") -> str:
    """The purl of a release; `index` is the public URL of the index that serves it (Python projects only)."""
    if not python:
        return f"pkg:generic/{quote(project, safe='')}@{quote(version, safe='')}"
    where = f"?repository_url={quote(index, safe=':/')}" if index else ""
    return f"pkg:pypi/{quote(project_key(project), safe='')}@{quote(version, safe='')}{where}"


def purl_type(text: str) -> str:
    """`pypi` of `pkg:pypi/nova@33.0.0`; empty for what is no purl."""
    scheme, _, rest = text.partition(":")
    return rest.partition("/")[0] if scheme == "pkg" else ""
