"""The files that a trail's entries name: there, with these bytes, proven as a consumer would, signed by a release key.

Reason codes beside those of `verify` (chain, asc-*) and of formats: file-missing, file-differs, path-taken,
proof-other-entry, split-view, sums-differ, unfinished.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from tagtrail.formats import merkle, note, sums
from tagtrail.formats import proof as proof_format
from tagtrail.formats.policy import Policy
from tagtrail.formats.root import Root
from tagtrail.formats.site import Site, tag_name
from tagtrail.model.errors import RemoteError, TamperError
from tagtrail.model.facts import Entry, File, Key
from tagtrail.verify.asc import MAX_ASC, judge_asc
from tagtrail.verify.release import Measured, verify_file
from tagtrail.verify.tags import MAX_TAG
from tagtrail.workflows.audit.report import Report
from tagtrail.workflows.audit.site import LARGEST, SiteReader, Stored, measure
from tagtrail.workflows.audit.trail import Trail
from tagtrail.workflows.inventory import files_of

__all__ = ["SIGNED", "FileJudge", "placed"]

SIGNED = 64 * 1024 * 1024
"""Bytes of the largest artifact whose OpenPGP signature is judged: it must be held in memory for that."""

_READ = {".tlog-proof": proof_format.MAX_SIZE, ".asc": MAX_ASC, ".tag": MAX_TAG, ".SHA256SUMS": LARGEST}
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
        report, sidecars = Report(), dict[str, Stored | None]()
        artifacts = {self.layout.file(entry.project, file.name): file for file in entry.files}
        own = [path for path, _ in files_of(entry, self.layout) if self.places[path][1] == entry.index]
        for path in sorted(own, key=artifacts.__contains__):
            try:
                if path in artifacts:
                    self._artifact(entry, path, artifacts[path], sidecars, report)
                else:
                    sidecars[path] = self._stored(path, _limit(path), report, keep=path.endswith((*_READ,)))
                    self._sums(entry, path, sidecars[path], report)
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

    def _artifact(
        self, entry: Entry, path: str, file: File, sidecars: dict[str, Stored | None], report: Report
    ) -> None:
        asc = f"{path}.asc"
        signed = bool(self.keys) and f"{file.name}.asc" in dict(entry.sidecars)
        found = self._stored(path, file.size, report, keep=signed and file.size <= SIGNED)
        if found is None:
            return
        proof = self._beside(f"{path}.tlog-proof", sidecars)
        if proof is not None:
            report.seen += self._proven(entry, path, replace(found, data=None), file, proof, sidecars)
        if signed and found.data is None:
            report.unsigned += 1
        elif signed and found.data is not None and (block := self._beside(asc, sidecars)) is not None:
            try:
                judge_asc(block, found.data, self._release(entry), entry.time)
            except TamperError as error:
                report.refused(asc, error)

    def _beside(self, path: str, sidecars: dict[str, Stored | None]) -> bytes | None:
        """A sidecar that was measured already, or one that an older entry named; None: what is wrong was said."""
        if path not in sidecars:
            sidecars[path] = measure(self.site, path, _limit(path), keep=True)
        found = sidecars[path]
        return found.data if found else None

    def _proven(
        self, entry: Entry, path: str, found: Stored, file: File, proof: bytes, sidecars: dict[str, Stored | None]
    ) -> Iterator[tuple[int, int]]:
        """The chain that a consumer would walk, and that its proof is of this very tree: what was witnessed when."""
        tag = None
        if isinstance(self.trust, Root):
            tag = self._beside(self.layout.file(entry.project, tag_name(entry.project, entry.version)), sidecars)
        self._check_proof(proof_format.parse(proof))
        measured = Measured(name=file.name, sha256=found.sha256, size=found.size)
        verdict = verify_file(measured, proof, self.trust, tag, self.now, allow_imported=True)
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

    def _sums(self, entry: Entry, path: str, found: Stored | None, report: Report) -> None:
        if found is None or found.data is None or not path.endswith(".SHA256SUMS"):
            return
        wanted = {(f.name, f.sha256) for f in entry.files if f.name in entry.added or not entry.added}
        listed = {*sums.parse_sums(found.data)}
        for name in sorted({name for name, _ in wanted ^ listed}):
            there, expected = dict(listed).get(name, "not listed"), dict(wanted).get(name, "not named")
            report.found("sums-differ", path, f"{name} {there}", f"{expected} by entry {entry.index}")


def _limit(path: str) -> int:
    return next((limit for suffix, limit in _READ.items() if path.endswith(suffix)), LARGEST)
