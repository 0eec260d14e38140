"""The files that a trail's entries name: there, with these bytes, proven as a consumer would, signed by a release key.

Reason codes beside those of `verify` (chain, asc-*, provenance-*) and of formats: file-missing, file-differs,
path-taken, proof-other-entry, split-view, sums-differ, unfinished.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from tagtrail.formats import merkle, note, sums
from tagtrail.formats import proof as proof_format
from tagtrail.formats.policy import Policy
from tagtrail.formats.root import Root
from tagtrail.formats.site import Site, tag_name
from tagtrail.model.errors import RemoteError, TamperError
from tagtrail.model.facts import Entry, File, Key
from tagtrail.model.frozen import frozen
from tagtrail.verify.asc import MAX_ASC, judge_asc
from tagtrail.verify.provenance import judge_provenance
from tagtrail.verify.release import Measured, verify_file
from tagtrail.verify.tags import MAX_TAG
from tagtrail.workflows.audit.report import Report
from tagtrail.workflows.audit.site import LARGEST, SiteReader, Stored, measure
from tagtrail.workflows.audit.trail import Trail
from tagtrail.workflows.inventory import files_of

__all__ = ["SIGNED", "FileJudge", "placed"]

SIGNED = 64 * 1024 * 1024
"""Bytes of the largest artifact whose OpenPGP signature is judged: it must be held in memory for that."""

_READ = {
    ".tlog-proof": proof_format.MAX_SIZE,
    ".asc": MAX_ASC,
    ".tag": MAX_TAG,
    ".SHA256SUMS": LARGEST,
    ".intoto.jsonl": LARGEST,
}
"""Files that are not only measured: the suffix, and the size up to which they are kept."""

Places = dict[str, tuple[str, int]]
"""Path to SHA-256 (empty for proofs) and the index of the entry that named it first."""


def placed(entries: Iterable[Entry], layout: Site, report: Report) -> Places:
    """Where everything is that entries name; two digests for one path are somebody's mistake."""
    places: Places = {}
    for entry in entries:
        for path, digest in files_of(entry, layout):
            first, index = places.setdefault(path, (digest, entry.index))
            if first != digest:
                report.found("path-taken", path, f"{digest} by entry {entry.index}", f"{first} by entry {index}")
    return places


@dataclass(frozen=True, slots=True, kw_only=True)
class _Own:
    """An entry whose files are judged: what lies beside them, and the proofs that were found to be of this entry.

    Such a proof is good for each of its files: that these are the entry's is seen when they are measured.
    """

    entry: Entry
    sidecars: dict[str, Stored | None] = field(default_factory=dict)
    proven: set[bytes] = field(default_factory=set)


@frozen
class FileJudge:
    """Judges the files of one entry after the other; it remembers nothing, so many threads may ask it.

    `late` is the index from which on things may still be on their way, `keys` are the release keys, `now` in Unix
    seconds.
    """

    site: SiteReader
    trail: Trail
    layout: Site
    places: Places
    trust: Root | Policy
    keys: tuple[Key, ...]
    late: int
    now: int

    def judge(self, entry: Entry) -> Report:
        """All files that `entry` was the first to name. A site that does not answer is a finding of its own."""
        report, mine = Report(), _Own(entry=entry)
        artifacts = {self.layout.file(entry.project, file.name): file for file in entry.files}
        own = [path for path, _ in files_of(entry, self.layout) if self.places[path][1] == entry.index]
        for path in sorted(own, key=artifacts.__contains__):
            try:
                if path in artifacts:
                    self._artifact(path, artifacts[path], mine, report)
                else:
                    found = self._stored(path, _limit(path), report, keep=path.endswith((*_READ,)))
                    mine.sidecars[path] = found
                    self._contents(entry, path, found, report)
            except (TamperError, RemoteError) as error:
                report.refused(path, error)
            report.files += bool(self.places[path][0])
        return report

    def _stored(self, path: str, limit: int, report: Report, *, keep: bool) -> Stored | None:
        """What is there, if it is what the trail says."""
        digest, index = self.places[path]
        found = measure(self.site, path, limit, keep=keep)
        if found is None:
            expected = f"entry {index} names it"
            if index >= self.late:
                report.unfinished(path, "not there", expected)
            else:
                report.found("file-missing", path, "not there", expected)
        elif digest and found.sha256 != digest:
            there = found.sha256 if found.size <= limit else f"more than {limit:,} bytes"
            report.found("file-differs", path, there, f"{digest} by entry {index}")
            return None
        return found

    def _release(self, entry: Entry) -> tuple[Key, ...]:
        """The release keys whose signature counts for an entry: one that was stolen counts for older ones only."""
        return self.trust.release_at(entry.index) if isinstance(self.trust, Root) else ()

    def _artifact(self, path: str, file: File, own: "_Own", report: Report) -> None:
        signed = bool(self.keys) and f"{file.name}.asc" in dict(own.entry.sidecars)
        found = self._stored(path, file.size, report, keep=signed and file.size <= SIGNED)
        if found is None:
            return
        proof = self._beside(f"{path}.tlog-proof", own)
        if proof is not None and proof not in own.proven:
            report.seen += self._proven(own, found, file, proof)
        if signed and found.data is None:
            report.unsigned += 1
        elif signed and found.data is not None and (block := self._beside(f"{path}.asc", own)) is not None:
            try:
                judge_asc(block, found.data, self._release(own.entry), own.entry.time)
            except TamperError as error:
                report.refused(f"{path}.asc", error)

    def _beside(self, path: str, own: "_Own") -> bytes | None:
        """A sidecar that was measured already, or one that an older entry named; None: what is wrong was said."""
        if path not in own.sidecars:
            own.sidecars[path] = measure(self.site, path, _limit(path), keep=True)
        found = own.sidecars[path]
        return found.data if found else None

    def _proven(self, own: "_Own", found: Stored, file: File, proof: bytes) -> Iterator[tuple[int, int]]:
        """The chain that a consumer would walk, and that its proof is of this very tree: what was witnessed when."""
        entry, tag = own.entry, None
        if isinstance(self.trust, Root):
            tag = self._beside(self.layout.file(entry.project, tag_name(entry.project, entry.version)), own)
        self._check_proof(proof_format.parse(proof))
        measured = Measured(name=file.name, sha256=found.sha256, size=found.size)
        verdict = verify_file(measured, proof, self.trust, tag, self.now, allow_imported=True)
        if verdict.size > self.trail.size:
            what = f"the site's checkpoint is of {self.trail.size} entries, this file's proof of {verdict.size}"
            raise TamperError(what, code="rolled-back", why="the log has shown more to somebody")
        if verdict.entry == entry:
            own.proven.add(proof)
        if verdict.witnessed is not None:
            yield verdict.size, verdict.witnessed

    def _check_proof(self, parsed: proof_format.Proof) -> None:
        raws = self.trail.raws
        if parsed.index >= len(raws) or parsed.extra != raws[parsed.index]:
            what = f"its proof is of another entry {parsed.index} than the trail's"
            raise TamperError(what, code="proof-other-entry")
        head = note.parse_checkpoint(note.parse(parsed.checkpoint).text)
        if head.size <= self.trail.size and (root := merkle.root(head.size, self.trail.node)) != head.root:
            what = f"its proof's tree of {head.size} has root {head.root.hex()}, the log's has {root.hex()}"
            raise TamperError(what, code="split-view", why="the log showed different trees to different people")

    def _contents(self, entry: Entry, path: str, found: Stored | None, report: Report) -> None:
        """Sidecars that say something of files: the digests, how they were built."""
        if found is None or found.data is None:
            return
        if path.endswith(".SHA256SUMS"):
            _compare_sums(entry, path, found.data, report)
        elif path.endswith(".intoto.jsonl") and isinstance(self.trust, Root):
            judge_provenance(found.data, entry, self.trust)


def _compare_sums(entry: Entry, path: str, data: bytes, report: Report) -> None:
    wanted = {(f.name, f.sha256) for f in entry.files if f.name in entry.added or not entry.added}
    listed = {*sums.parse_sums(data)}
    for name in sorted({name for name, _ in wanted ^ listed}):
        there, expected = dict(listed).get(name, "not listed"), dict(wanted).get(name, "not named")
        report.found("sums-differ", path, f"{name} {there}", f"{expected} by entry {entry.index}")


def _limit(path: str) -> int:
    return next((limit for suffix, limit in _READ.items() if path.endswith(suffix)), LARGEST)
