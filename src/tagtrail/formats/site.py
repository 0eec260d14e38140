"""What lies where on the site, and `/trail/site.json`: all that pages need to know of the settings.

    {"_type": "https://tagtrail.dev/site/v1", "name": "Example Cloud", "origin": "releases.example.org/trail",
     "path": "{project}/{file}", "renderer": "5", "url": "https://releases.example.org/"}

`url` is empty for an instance that is local only, else it ends with `/`. `path` places artifacts and their sidecars;
pages have fixed places. `renderer` is the version of the code that makes the pages.
"""

from hashlib import sha256
from typing import Any

from tagtrail.formats import canonical
from tagtrail.formats.encoding import shown
from tagtrail.formats.forms import path_fault, url_fault
from tagtrail.model.entry import Entry
from tagtrail.model.errors import SetupError, TamperError
from tagtrail.model.frozen import frozen
from tagtrail.model.names import project_key

__all__ = [
    "CHECKPOINT", "RENDERER", "Site", "format_site", "marker", "media", "parse_site", "project_page", "release_page",
    "runbook_name", "runbook_page", "simple_page", "sums_name", "tag_name",
]  # fmt: skip

SITE_TYPE = "https://tagtrail.dev/site/v1"
RENDERER = "5"
CHECKPOINT = "trail/checkpoint"
DEFAULT_PATH = "{project}/{file}"

_MEDIA = {
    ".html": "text/html; charset=utf-8",
    ".json": "application/json",
    ".jsonl": "application/jsonl",
    ".cdx.json": "application/vnd.cyclonedx+json",
    ".atom": "application/atom+xml",
    ".rss": "application/rss+xml",
    ".asc": "application/pgp-signature",
    ".md": "text/markdown; charset=utf-8",
    ".tag": "text/plain; charset=utf-8",
    ".metadata": "text/plain; charset=utf-8",
    ".tlog-proof": "text/plain; charset=utf-8",
    "SHA256SUMS": "text/plain; charset=utf-8",
    "checkpoint": "text/plain; charset=utf-8",
    "policy": "text/plain; charset=utf-8",
    ".tar.gz": "application/gzip",
    ".tgz": "application/gzip",
    ".tar.xz": "application/x-xz",
    ".whl": "application/zip",
    ".zip": "application/zip",
}


@frozen
class Site:
    """The public face of an instance."""

    name: str
    origin: str
    url: str = ""
    path: str = DEFAULT_PATH
    renderer: str = RENDERER

    def __post_init__(self) -> None:
        fault = path_fault(self.path)
        if fault:
            raise SetupError(f"path = {self.path!r} {fault}", code="site-path", hint='path = "site"')

    def file(self, project: str, name: str) -> str:
        """Where an artifact or a sidecar of `project` lies, relative to the site's root."""
        return self.path.replace("{project}", project).replace("{file}", name)


def format_site(site: Site) -> bytes:
    """The bytes of `/trail/site.json`."""
    fields = {"name": site.name, "origin": site.origin, "path": site.path, "renderer": site.renderer, "url": site.url}
    return canonical.dumps({"_type": SITE_TYPE, **fields})


def parse_site(data: bytes) -> Site:
    """The site of `/trail/site.json`. Raises TamperError `site-form`."""
    value: Any = canonical.loads(data, 65535)
    try:
        value.pop("_type")
        site = Site(**value)
    except (AttributeError, KeyError, TypeError, SetupError) as error:
        raise TamperError("not a site.json", code="site-form", why=str(error)) from error
    if not all(isinstance(v, str) for v in value.values()) or format_site(site) != data:
        raise TamperError("not a site.json", code="site-form")
    fault = url_fault(site.url) if site.url else ""
    if fault:
        raise TamperError(f"url = {shown(site.url)} {fault}", code="site-form", why="pages link to it")
    return site


def project_page(project: str) -> str:
    """`/PROJECT/` as a file."""
    return f"{project}/index.html"


def release_page(project: str, version: str) -> str:
    """`/PROJECT/VERSION/` as a file."""
    return f"{project}/{version}/index.html"


def runbook_page(project: str) -> str:
    """`/PROJECT/runbook/` as a file."""
    return f"{project}/runbook/index.html"


def simple_page(project: str) -> str:
    """`/simple/NAME/` as a file (PEP 503)."""
    return f"simple/{project_key(project)}/index.html"


def sums_name(project: str, version: str, index: int | None = None) -> str:
    """`PROJECT-VERSION.SHA256SUMS`; of files added later at trail index N, `PROJECT-VERSION.N.SHA256SUMS`."""
    return f"{project}-{version}{'' if index is None else f'.{index}'}.SHA256SUMS"


def tag_name(project: str, version: str) -> str:
    """`PROJECT-VERSION.tag`."""
    return f"{project}-{version}.tag"


def runbook_name(project: str, version: str) -> str:
    """`PROJECT-VERSION.runbook.md`."""
    return f"{project}-{version}.runbook.md"


def marker(entry: Entry) -> str:
    """What a release page carries in its head, so that whoever looks knows which entry it shows."""
    return f'<meta name="tagtrail-entry" content="{entry.index} {sha256(entry.raw).hexdigest()}">'


def media(name: str) -> str:
    """The media type by the longest known suffix; bytes that nobody should interpret otherwise."""
    known = [s for s in _MEDIA if name.endswith(s)]
    return _MEDIA[max(known, key=len)] if known else "application/octet-stream"
