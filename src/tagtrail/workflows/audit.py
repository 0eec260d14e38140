"""A whole site against its trail, both ways: the log proven, its entries lawful, their files there, and nothing else.

The site's paths are listed first and the checkpoint is read after: what the list has, the trail has, unless something
is wrong. A live site moves, so whoever finds something looks again before he speaks.
Reason codes beside those of the formats, of `verify` and of `laws`: checkpoint-missing, root-differs, file-missing,
file-differs, file-unknown, path-taken, proof-other-entry, split-view, sums-differ, tile-differs, page-missing,
page-differs, index-missing, index-differs, unfinished.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Protocol

from tagtrail import pages
from tagtrail.formats import entry as entry_format
from tagtrail.formats import merkle, note, policy, sums, tiles
from tagtrail.formats import proof as proof_format
from tagtrail.formats.policy import Checked, Policy
from tagtrail.formats.root import Root
from tagtrail.formats.site import CHECKPOINT, RENDERER, tag_name
from tagtrail.formats.times import format_time
from tagtrail.model.errors import TamperError
from tagtrail.model.facts import Entry, File, Finding
from tagtrail.ports import Clock, Tell
from tagtrail.verify.proofs import TOLERANCE
from tagtrail.verify.release import Measured, verify_file
from tagtrail.verify.roots import next_root, open_root, policy_of
from tagtrail.workflows.index import compare_index
from tagtrail.workflows.inventory import TILES, files_of, is_ours
from tagtrail.workflows.laws import broken_laws, finding

__all__ = ["AGAIN", "Audited", "SiteReader", "audit"]

AGAIN = 2.0
"""Seconds after which an auditor looks again."""

FRESH = 3600
"""Seconds for which the newest entry may still be on its way to the site."""

TRAIL = CHECKPOINT.removesuffix("checkpoint")
_PAGES = (".html", ".json", ".atom", ".rss", "/watch")


class SiteReader(Protocol):
    """A site as it lies there. Paths are relative, with `/`."""

    def paths(self) -> Iterator[str]:
        """Every path, sorted."""
        ...

    def read(self, path: str) -> bytes | None:
        """The bytes at `path`, or None where there is no file."""
        ...

    def measure(self, path: str) -> Measured | None:
        """Digest and size of the file at `path`, by its last component; None where there is none."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Audited:
    """What an audit found, over how much, and what it did not compare (what, why)."""

    origin: str = ""
    size: int = 0
    files: int = 0
    pages: int = 0
    findings: tuple[Finding, ...] = ()
    left_out: tuple[tuple[str, str], ...] = ()

    @property
    def exit_code(self) -> int:
        """0; 5 where only the newest entry is still on its way; 7."""
        rules = {f.rule for f in self.findings}
        return 7 if rules - {"unfinished"} else 5 if rules else 0


def audit(
    site: SiteReader, trust: Root | Policy, *, tell: Tell, clock: Clock, pause: Callable[[float], object]
) -> Audited:
    """Look, and where something is wrong look again after `pause(2.0)`: what is wrong both times is returned.

    `trust` is what the auditor believes; next roots on the site are followed from it. With a policy nobody's signature
    on a tag is judged.
    """
    first = _Look(site, trust, tell, clock).run()
    if not first.findings:
        return first
    pause(AGAIN)
    again = _Look(site, trust, tell, clock).run()
    known = {(f.rule, f.name) for f in first.findings}
    return replace(again, findings=tuple(f for f in again.findings if (f.rule, f.name) in known))


class _Look:
    """One look at a site; everything found wrong is gathered."""

    def __init__(self, site: SiteReader, trust: Root | Policy, tell: Tell, clock: Clock) -> None:
        self.site = site
        self.trust = trust
        self.tell = tell
        self.clock = clock
        self.now = clock()
        self.said = self.now
        self.findings: list[Finding] = []
        self.left_out: dict[str, str] = {}
        self.places: dict[str, str] = {}
        self.expected: dict[str, str] = {}
        self.measured = 0
        self.pages = 0

    def run(self) -> Audited:
        """Trail, entries, files, pages, and what is there beside them."""
        listed = tuple(self.site.paths())
        self._follow_roots()
        try:
            self.tree, checked = self._tree()
            self.raws = tuple(raw for n in range(-(-self.tree.size // tiles.WIDTH)) for raw in self.tree.entries(n))
        except TamperError as error:
            self._refused(CHECKPOINT, error)
            self.left_out["everything else"] = "the trail itself does not hold"
            return self._result("", 0)
        self.entries = tuple(self._parsed())
        self.findings += broken_laws(self.entries, self.now)
        self._tiles(path for path in listed if path.startswith(TILES))
        if self._site_is_known():
            self._files()
            self._pages()
            self._unknown(listed)
        self._say_what_rests(checked)
        return self._result(checked.checkpoint.origin, self.tree.size)

    # --- the trail ---

    def _follow_roots(self) -> None:
        """Roots on the site count where the one before them, and at first the auditor's own, has signed them."""
        while isinstance(self.trust, Root):
            ours, path = self.trust, f"{TRAIL}{self.trust.version}.root.json"
            try:
                shown = self.site.read(path)
                if shown is not None and open_root(shown) != ours:
                    raise TamperError(f"it is not the root {ours.version} that you trust", code="root-differs")
                path = f"{TRAIL}{ours.version + 1}.root.json"
                data = self.site.read(path)
                if data is None:
                    return
                self.trust = next_root(ours, data, None)
            except TamperError as error:
                self._refused(path, error)
                return

    def _tree(self) -> tuple[tiles.TileReader, Checked]:
        data = self.site.read(CHECKPOINT)
        if data is None:
            raise TamperError(
                f"{CHECKPOINT} is missing", code="checkpoint-missing", why="nothing says what the log holds"
            )
        believed = policy_of(self.trust) if isinstance(self.trust, Root) else self.trust
        checked = policy.check(believed, data, self.now + TOLERANCE)
        head = checked.checkpoint
        return tiles.TileReader(head.size, head.root, lambda path: self.site.read(TRAIL + path)), checked

    def _parsed(self) -> Iterator[Entry]:
        for index, raw in enumerate(self.raws):
            try:
                yield entry_format.parse(index, raw)
            except TamperError as error:
                self._refused(f"entry {index}", error)

    def _tiles(self, paths: Iterable[str]) -> None:
        """Every tile that lies there: those of this tree are proven by now, older partial ones must be beginnings."""
        for path in paths:
            try:
                tile = tiles.parse_tile_path(path.removeprefix(TRAIL))
                wanted = self._tile(tile)
            except TamperError as error:
                self._refused(path, error)
                continue
            if wanted is None:
                self.left_out[path] = f"it is of a larger tree than the checkpoint's, of {self.tree.size}"
            elif (there := self.site.read(path)) != wanted:
                self._differs("tile-differs", path, there or b"", wanted)

    def _tile(self, tile: tiles.Tile) -> bytes | None:
        start = tile.index * tiles.WIDTH
        if start + tile.width > self.tree.size >> tiles.HEIGHT * (tile.level or 0):
            return None
        if tile.level is None:
            return tiles.bundle_bytes(self.raws[start : start + tile.width])
        return tiles.tile_bytes(tile, self.tree.read)

    def _site_is_known(self) -> bool:
        """Whether the logged settings of the site lie there: without them nobody knows where files belong."""
        for entry in self.entries:
            if entry.event == "key":
                self.places |= {file.sha256: _key_path(file.name) for file in entry.files}
        self.logged = frozenset(self.places.values())
        self.view = pages.ListView(self.entries, self._kept)
        try:
            self.layout = self.view.site
        except (TamperError, LookupError) as error:
            self._found("page-differs", f"{TRAIL}site.json", str(error))
            self.left_out["files and pages"] = "without the site's logged settings nobody knows where they belong"
            return False
        return True

    def _kept(self, digest: str) -> bytes:
        path = self.places.get(digest, digest)
        data = self.site.read(path)
        if data is None:
            raise TamperError(f"{path} is missing", code="kept-missing")
        if sha256(data).hexdigest() != digest:
            raise TamperError(f"{path} is {sha256(data).hexdigest()}, the trail says {digest}", code="kept-altered")
        return data

    # --- files ---

    def _files(self) -> None:
        releases = [e for e in self.entries if e.event == "release"]
        total = sum(f.size for e in releases for f in e.files)
        for entry in releases:
            artifacts = {self.layout.file(entry.project, f.name): f for f in entry.files}
            for path, digest in files_of(entry, self.layout):
                if self._is_new(path, digest, entry):
                    self._stored(entry, path, digest, artifacts.get(path))
                self._progress("files", self.measured, total)
            self._sums(entry)

    def _is_new(self, path: str, digest: str, entry: Entry) -> bool:
        """Whether nobody named this path yet; two digests for one path are somebody's mistake."""
        self.places.setdefault(digest, path)
        if path not in self.expected:
            self.expected[path] = digest
            return True
        if self.expected[path] != digest:
            self._found("path-taken", path, f"entry {entry.index} says {digest}, an earlier one {self.expected[path]}")
        return False

    def _stored(self, entry: Entry, path: str, digest: str, artifact: File | None) -> None:
        found = self.site.measure(path)
        if found is None:
            late = entry.index >= self._fresh()
            self._found("unfinished" if late else "file-missing", path, f"not there, entry {entry.index} names it")
        elif digest and found.sha256 != digest:
            self._found("file-differs", path, f"there {found.sha256}, entry {entry.index} says {digest}")
        elif artifact:
            self.measured += found.size
            self._proven(entry, path, replace(found, name=artifact.name))

    def _proven(self, entry: Entry, path: str, found: Measured) -> None:
        """The chain that a consumer would walk, and that its proof is of this very tree."""
        proof = self.site.read(f"{path}.tlog-proof")
        if proof is None:
            return  # found to be missing by its own name
        tag = self.site.read(self.layout.file(entry.project, tag_name(entry.project, entry.version)))
        try:
            parsed = proof_format.parse(proof)
            self._check_proof(parsed)
            verify_file(found, proof, self.trust, tag, self.now, allow_imported=True)
        except TamperError as error:
            self._refused(path, error)

    def _check_proof(self, parsed: proof_format.Proof) -> None:
        if parsed.index >= len(self.raws) or parsed.extra != self.raws[parsed.index]:
            raise TamperError(
                f"its proof is of another entry {parsed.index} than the trail's", code="proof-other-entry"
            )
        head = note.parse_checkpoint(note.parse(parsed.checkpoint).text)
        if head.size > self.tree.size:
            self.left_out[f"proofs under size {head.size}"] = f"the checkpoint here is of {self.tree.size}"
        elif (root := merkle.root(head.size, self.tree.read)) != head.root:
            what = f"its proof's tree of {head.size} has root {head.root.hex()}, the log's has {root.hex()}"
            raise TamperError(what, code="split-view", why="the log showed different trees to different people")

    def _sums(self, entry: Entry) -> None:
        for name in (n for n, _ in entry.sidecars if n.endswith(".SHA256SUMS")):
            path = self.layout.file(entry.project, name)
            data = self.site.read(path)
            wanted = {(f.name, f.sha256) for f in entry.files if f.name in entry.added or not entry.added}
            try:
                wrong = wanted ^ set(sums.parse_sums(data)) if data is not None else None
            except TamperError as error:
                self._refused(path, error)
            else:
                if wrong:
                    self._found("sums-differ", path, f"it and entry {entry.index} do not agree on {min(wrong)[0]}")

    def _fresh(self) -> int:
        """From which index on things may still be on their way: the newest entry, and key entries right before it."""
        if not self.entries or self.now - self.entries[-1].time >= FRESH:
            return len(self.raws)
        index = len(self.entries) - 1
        while index and self.entries[index - 1].event == "key":
            index -= 1
        return self.entries[index].index

    # --- pages ---

    def _pages(self) -> None:
        try:
            paths = pages.all_paths(self.view)
            fresh = [e for e in self.entries if e.index >= self._fresh()]
            late = {path for entry in fresh for path in pages.touched(entry, self.view)}
        except TamperError as error:
            self._refused("pages", error)
            self.left_out["pages"] = error.what
            return
        for path in {*paths} & {*self.expected}:
            self._found("path-taken", path, "it is a page's, and a file of an entry")
        self.expected |= dict.fromkeys(paths, "")
        before = pages.ListView(self.entries[: len(self.entries) - len(fresh)], self._kept)
        if self.layout.renderer != RENDERER:
            made = f"they were made by renderer {self.layout.renderer}, this is {RENDERER}"
            self.left_out["pages"] = f"{made}; of the index, the fields were compared"
            self.findings += compare_index(self.view, self.site)
            return
        for number, path in enumerate(paths):
            self._progress("pages", number, len(paths))
            self._page(path, before if path in late else None)

    def _page(self, path: str, before: pages.ListView | None) -> None:
        self.pages += 1
        there = self.site.read(path)
        try:
            wanted = pages.page(path, self.view)
        except TamperError as error:
            if path in self.logged:
                self._found("page-differs" if there is not None else "page-missing", path, error.what)
            else:
                self.left_out[path] = f"it cannot be made here: {error.what}"
            return
        if there == wanted:
            return
        if before is not None and (there is None or there == _before(path, before)):
            self._found("unfinished", path, "not yet as the newest entry wants it")
        elif there is None:
            self._found("page-missing", path, f"not there, ours is {_digest(wanted)}")
        else:
            self._differs("page-differs", path, there, wanted)

    def _unknown(self, listed: Iterable[str]) -> None:
        for path in listed:
            if path not in self.expected and not is_ours(path):
                if "pages" in self.left_out and path.endswith(_PAGES):
                    self.left_out[path] = "it looks like a page of that renderer"
                else:
                    self._found("file-unknown", path, "no entry names it and no page is called so")

    # --- words ---

    def _say_what_rests(self, checked: Checked) -> None:
        """What is not proven although nothing was found."""
        if isinstance(self.trust, Policy):
            self.left_out["signers of tags"] = "a log policy names nobody who may sign"
        elif self.trust.expires <= self.now:
            expired = format_time(self.trust.expires)
            self.left_out["newer roots"] = f"root {self.trust.version} expired at {expired} and no newer one lies here"
        if checked.witnessed_time is None:
            self.left_out["times"] = "no witness saw the checkpoint: they are the operator's word"
        if any(e.event == "release" for e in self.entries):
            self.left_out["OpenPGP signatures (.asc)"] = "entries name their digests; gpgv says whether they are good"
        if any(e.approvals for e in self.entries):
            self.left_out["approvals"] = "their signatures were not looked at"
        if any(f.origin.how == "imported" for e in self.entries for f in e.files):
            self.left_out["imported files"] = "that they are the originals is the operator's word"

    def _progress(self, what: str, done: int, total: int) -> None:
        if self.clock() != self.said:
            self.said = self.clock()
            self.tell("bytes", {"what": what, "done": done, "total": total})

    def _found(self, code: str, name: str, text: str) -> None:
        self.findings.append(finding(code, name, text))

    def _refused(self, name: str, error: TamperError) -> None:
        self._found(error.code, name, error.what)

    def _differs(self, code: str, path: str, there: bytes, wanted: bytes) -> None:
        self._found(code, path, f"there {_digest(there)}, ours {_digest(wanted)}")

    def _result(self, origin: str, size: int) -> Audited:
        return Audited(
            origin=origin,
            size=size,
            files=sum(1 for digest in self.expected.values() if digest),
            pages=self.pages,
            findings=tuple(self.findings),
            left_out=tuple(self.left_out.items()),
        )


def _key_path(name: str) -> str:
    """Where a file that a key entry names is shown."""
    return f"{TRAIL}keys/{name}" if name == "release-key.asc" else f"{TRAIL}{name}"


def _before(path: str, view: pages.ListView) -> bytes | None:
    try:
        return pages.page(path, view)
    except (LookupError, TamperError):
        return None


def _digest(data: bytes) -> str:
    return f"{sha256(data).hexdigest()} ({len(data):,} bytes)"
