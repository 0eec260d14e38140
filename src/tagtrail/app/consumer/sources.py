"""The sites of trusted logs, and where on them the proof of a file lies of which only the name or digest is known.

A site comes from a pin, from the policy's log line, or from the instance. Nothing that it says grants trust: a wrong
place only means that nothing is found there. A root names the projects that it knows, so nothing else is asked for.
"""

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tagtrail.app.consumer.beside import PROOF
from tagtrail.app.consumer.places import Place, is_address, place
from tagtrail.app.consumer.trust_store import TrustStore
from tagtrail.formats import policy, proof
from tagtrail.formats.encoding import shown
from tagtrail.formats.policy import Policy
from tagtrail.formats.root import MAX_ROOT, Root
from tagtrail.formats.site import Site, parse_site, tag_name
from tagtrail.model.errors import RemoteError, SetupError, TamperError
from tagtrail.model.facts import Entry
from tagtrail.model.names import project_key
from tagtrail.model.settings import TargetSettings
from tagtrail.verify.roots import open_root, policy_of
from tagtrail.verify.tags import MAX_TAG

if TYPE_CHECKING:
    import argparse

__all__ = ["Listed", "Source", "sources"]

MAX_INDEX = 64 * 1024 * 1024
"""Bytes of a project's page in the package index."""
_MAX_SITE = 65_535
_SUFFIX = re.compile(r"\.(tar\.[a-z0-9]+|tgz|txz|tbz2?|zip|whl)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A file as an index lists it: nobody's word but the site's."""

    name: str
    path: str
    sha256: str
    yanked: bool


@dataclass(slots=True)
class Source:
    """A trusted log and its site, which is read once. `place` is None where nobody says where the site is."""

    origin: str
    trust: Root | Policy
    place: Place | None
    _layout: Site | None = None
    _down: RemoteError | None = None
    _indexes: dict[str, tuple[Listed, ...]] = field(default_factory=dict)

    def project(self, name: str) -> str | None:
        """The project as the root writes it, for any spelling of it; None: the root does not know it."""
        if isinstance(self.trust, Policy):
            return name
        known = {project_key(written): written for written, _ in self.trust.signers}
        return known.get(project_key(name))

    def site(self) -> Place:
        """Where the site is. Raises SetupError `no-site`."""
        if self.place is None:
            what = f"nobody says where the site of {shown(self.origin)} is"
            raise SetupError(what, code="no-site", hint="tagtrail trust URL remembers it; or a log line with its URL")
        return self.place

    def read(self, path: str, limit: int) -> bytes | None:
        """What lies there. A site that did not answer once is not waited for again. Raises as `Place.read`."""
        if self._down is not None:
            raise self._down
        try:
            return self.site().read(path, limit)
        except RemoteError as error:
            self._down = error if error.code in ("url-unreachable", "url-slow") else None
            raise

    def layout(self) -> Site:
        """How the site places files: its site.json, else the usual way."""
        if self._layout is None:
            data = self.read("trail/site.json", _MAX_SITE)
            try:
                self._layout = parse_site(data or b"")
            except TamperError:
                self._layout = Site(name="", origin=self.origin)
        return self._layout

    def index(self, project: str) -> tuple[Listed, ...]:
        """What the site's package index lists of a project (any spelling). Raises TamperError `index-form`."""
        key = project_key(project)
        if key not in self._indexes:
            page = f"simple/{key}/index.json"
            data = self.read(page, MAX_INDEX)
            self._indexes[key] = () if data is None else tuple(_listed(data, self.site(), page))
        return self._indexes[key]

    def proof(self, name: str) -> tuple[bytes, str] | None:
        """The proof of the file so called, and where it was; None: not on this site, as far as can be guessed."""
        for path in self._places(name):
            found = self.proof_at(path)
            if found is not None:
                return found
        return None

    def proof_at(self, path: str) -> tuple[bytes, str] | None:
        """The proof of the file at `path`, and where it was."""
        data = self.read(f"{path}{PROOF}", proof.MAX_SIZE)
        return None if data is None else (data, self.site().shown(f"{path}{PROOF}"))

    def tag(self, entry: Entry) -> tuple[bytes, str] | None:
        """The tag object of an entry, and where it was."""
        name = tag_name(entry.project, entry.version)
        if name not in dict(entry.sidecars):
            return None
        path = self.layout().file(entry.project, name)
        data = self.read(path, MAX_TAG)
        return None if data is None else (data, self.site().shown(path))

    def knows(self, name: str) -> bool:
        """Whether a file so called may be of a project that the root knows; a policy does not say."""
        return any(self.project(guess) for guess in _projects(name))

    def _places(self, name: str) -> Iterator[str]:
        """Where a file so called may lie: as the site places files, then as its index says."""
        projects = [known for guess in _projects(name) if (known := self.project(guess))]
        for project in projects:
            yield self.layout().file(project, name)
        for project in projects:
            yield from (row.path for row in self.index(project) if row.name == name)


def sources(args: "argparse.Namespace", where: str | None = None) -> tuple[Source, ...]:
    """The logs that `--root`, `--policy`, `-C` or the pins trust, with their sites; `where` replaces these.

    Raises what `chosen_trust` raises, and SetupError `url`, `file-missing` for a site that is not there.
    """
    found = tuple(_sources(args))
    return tuple(Source(s.origin, s.trust, place(where)) for s in found) if where else found


def _sources(args: "argparse.Namespace") -> Iterator[Source]:
    from tagtrail.app.consumer.trusted import own_root, read_trust

    store = TrustStore.standard()
    if args.root is not None:
        root = read_trust(args.root, 2 * MAX_ROOT, open_root)
        yield Source(
            root.origin, root, _logged_place(policy_of(root), root.origin) or _pinned_place(store, root.origin)
        )
        return
    if args.policy is not None:
        believed = read_trust(args.policy, policy.MAX_SIZE, policy.parse)
        for origin in dict.fromkeys(log.verifier.name for log in believed.logs):
            yield Source(origin, believed, _logged_place(believed, origin) or _pinned_place(store, origin))
        return
    own = own_root(args.home) if args.home or os.environ.get("TAGTRAIL_HOME") else None
    if own is not None:
        yield Source(own.origin, own, _own_place(args.home))
    for origin in () if args.home else store.origins():
        pinned = store.root(origin)
        if pinned is not None and (own is None or origin != own.origin):
            yield Source(origin, pinned, _pinned_place(store, origin))


def _pinned_place(store: TrustStore, origin: str) -> Place | None:
    url = store.url(origin)
    if is_address(url):
        return place(url)
    # a copy that is gone by now has no files: what other sites have is found nonetheless
    return Place(url) if Path(url).is_absolute() else None


def _logged_place(believed: Policy, origin: str) -> Place | None:
    """The site of a log line's URL, which may be that of the log, below the site."""
    url = next((log.url for log in believed.logs if log.verifier.name == origin and log.url), "")
    return place(url.rstrip("/").removesuffix("/trail")) if is_address(url) else None


def _own_place(given: str | None) -> Place:
    from tagtrail.app.instance.home import find_home
    from tagtrail.app.instance.reading import read_settings

    home = find_home(given)
    site = read_settings(home).site
    root = str(site.option("root", "site"))
    return _bucket_place(home, site) if is_address(root) else place(str(home / root))


def _bucket_place(home: Path, site: TargetSettings) -> Place:
    from tagtrail.app.instance.home import Home
    from tagtrail.app.instance.storage import open_bucket
    from tagtrail.workflows.audit.site import read

    bucket = open_bucket(Home(path=home), site)
    return Place(f"{bucket.bucket.shown}/", partial(read, bucket))


def _projects(name: str) -> tuple[str, ...]:
    """What may be the project in a file's name: before the last `-`, and before the first digit after one."""
    if name.endswith(".whl"):
        return (name.partition("-")[0],)
    stem = _SUFFIX.sub("", name)
    first = re.match(r"(.+?)[-_]v?\d", stem)
    guesses = [stem.rpartition("-")[0], first[1] if first else ""]
    return tuple(dict.fromkeys(filter(None, guesses)))


def _listed(data: bytes, site: Place, page: str) -> Iterator[Listed]:
    try:
        rows: list[dict[str, Any]] = json.loads(data)["files"]
        for row in rows:
            path = site.path(str(row["url"]), page)
            digest = row["hashes"].get("sha256", "")
            if path is not None and path.isascii() and path.isprintable() and isinstance(digest, str):
                yield Listed(name=str(row["filename"]), path=path, sha256=digest, yanked=bool(row.get("yanked")))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        what = f"{site.shown(page)} is not an index page"
        raise TamperError(what, code="index-form", why=f"{type(error).__name__}: {error}") from None
