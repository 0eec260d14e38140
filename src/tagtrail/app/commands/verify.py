"""`tagtrail verify`: prove files offline, against a root or a log policy that a person chose."""

import argparse
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tagtrail.app.beside import PROOF, files_in, measure, proof_of, tag_of
from tagtrail.app.console import Console
from tagtrail.app.trusted import Trust, chosen_trust
from tagtrail.formats import note
from tagtrail.formats import proof as proof_format
from tagtrail.formats.root import Root
from tagtrail.formats.times import format_time
from tagtrail.model.errors import SetupError, TamperError
from tagtrail.model.names import PAGES
from tagtrail.verify.proofs import entry_of
from tagtrail.verify.release import Verdict, verify_file

if TYPE_CHECKING:
    from tagtrail.ports import Tell

__all__ = ["arguments", "run"]


def arguments(parser: argparse.ArgumentParser) -> None:
    """PATH... and what to trust."""
    parser.add_argument("paths", metavar="FILE|DIR", nargs="+", help="files, or directories with nothing else in them")
    trust = parser.add_mutually_exclusive_group()
    trust.add_argument("--root", metavar="FILE", type=Path, help="trust this root.json, which you got from elsewhere")
    trust.add_argument("--policy", metavar="FILE", type=Path, help="trust these logs and witnesses, check no signer")
    parser.add_argument("--as", dest="name", metavar="NAME", help="the name under which the file was released")
    parser.add_argument(
        "--require-witnessed", action="store_true", help="refuse what only the log's operator vouches for"
    )
    parser.add_argument("--allow-imported", action="store_true", help="accept files that were imported from elsewhere")


def run(args: argparse.Namespace, console: Console) -> int:
    """Verify each file; 0 if all are what was released, else 7."""
    paths = [Path(path) for path in args.paths]
    if args.name is not None and (len(paths) != 1 or paths[0].is_dir()):
        raise SetupError("--as names one file", code="usage", hint=f"tagtrail verify FILE --as {args.name}")
    for path in paths:
        if not os.path.lexists(path):
            raise SetupError(f"there is no {path}", code="file-missing")
    judge = _Judge(
        trust=chosen_trust(args),
        now=int(time.time()),  # noqa: TID251  (wiring, which has the clock, would load every adapter)
        tell=console.tell,
        options={"require_witnessed": args.require_witnessed, "allow_imported": args.allow_imported},
    )
    for path in paths:
        if path.is_dir():
            judge.directory(path)
        else:
            judge.file(path, args.name or path.name)
    return judge.outcome()


# Files and directories


@dataclass(kw_only=True)
class _Judge:
    """Verifies one file after the other and counts."""

    trust: Trust
    now: int
    tell: "Tell"
    options: dict[str, bool]
    good: int = 0
    bad: int = 0

    def file(self, path: Path, name: str) -> Verdict | None:
        """Verify and tell; None if it was refused."""
        try:
            verdict = self._verdict(path, name)
        except TamperError as error:
            self._refused(path, error)
            return None
        self.good += 1
        self.tell("verified", {"file": str(path), "ok": True, "code": ""} | _fields(verdict))
        return verdict

    def directory(self, directory: Path) -> None:
        """Verify every file that has a proof; the others must be sidecars of theirs."""
        files = files_in(directory)
        proofs = {path for path in files if path.name.endswith(PROOF)}
        proven = [path for path in files if path.with_name(path.name + PROOF) in proofs and path not in proofs]
        expected: dict[Path, str] = {}
        for path in proven:
            verdict = self.file(path, path.name)
            expected |= _sidecars(path, verdict) if verdict else {}
        for path in files:
            if path in proofs or path in proven:
                continue
            if path.name in PAGES and path not in expected:
                because = "a page of the site; `tagtrail audit` compares pages"
                self.tell("skip", {"target": "", "what": str(path), "because": because})
            else:
                self._beside(path, expected.get(path))
        if not self.good and not self.bad:
            what = f"no file with a proof in {directory}"
            raise TamperError(what, code="nothing-to-verify", hint="the proof of FILE is FILE.tlog-proof beside it")

    def outcome(self) -> int:
        """The exit code; told where there was more than one file."""
        code = 7 if self.bad else 0
        if self.good + self.bad != 1:
            state = "refused" if self.bad else "verified"
            text = f"{self.good} of {self.good + self.bad} files are what was released"
            self.tell("outcome", {"exit": code, "state": state, "text": text, "next": ""})
        return code

    def _verdict(self, path: Path, name: str) -> Verdict:
        proof = proof_of(path, name)
        checkpoint = note.parse_checkpoint(note.parse(proof_format.parse(proof).checkpoint).text)
        trust = self.trust(checkpoint.origin)
        tag = tag_of(path, entry_of(proof)) if isinstance(trust, Root) else None
        return verify_file(measure(path, name, self.tell), proof, trust, tag, self.now, **self.options)

    def _beside(self, path: Path, digest: str | None) -> None:
        if digest is None:
            error = TamperError("no proof lies beside it and no proven entry names it", code="unknown")
            self._refused(path, error)
        elif (found := measure(path, path.name, self.tell)).sha256 != digest:
            what = f"it has SHA-256 {found.sha256}, its release's entry says {digest}"
            self._refused(path, TamperError(what, code="sidecar-mismatch"))

    def _refused(self, path: Path, error: TamperError) -> None:
        self.bad += 1
        said = {"what": error.what, "why": error.why, "next": error.hint}
        self.tell("verified", {"file": str(path), "ok": False, "code": error.code} | said | _NOTHING)


_NOTHING: dict[str, Any] = {"project": "", "version": "", "index": None, "size": None, "proven": [], "not_proven": []}


def _sidecars(path: Path, verdict: Verdict) -> dict[Path, str]:
    """What else of a proven release may lie beside its file, with its SHA-256."""
    known = {path.with_name(name): digest for name, digest in verdict.entry.sidecars}
    if verdict.file.metadata:
        known[path.with_name(f"{path.name}.metadata")] = verdict.file.metadata
    return known


def _fields(verdict: Verdict) -> dict[str, Any]:
    entry = verdict.entry
    return {
        "project": entry.project,
        "version": entry.version,
        "index": entry.index,
        "size": verdict.size,
        "origin": verdict.origin,
        "time": format_time(entry.time),
        "witnessed": None if verdict.witnessed is None else format_time(verdict.witnessed),
        "signer": verdict.signer,
        "sha256": verdict.file.sha256,
        "proven": [claim.text for claim in verdict.proven],
        "not_proven": [claim.text for claim in verdict.not_proven],
        "claims": [claim.name for claim in verdict.proven],
        "doubts": [claim.name for claim in verdict.not_proven],
    }
