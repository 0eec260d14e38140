"""`tagtrail verify`: prove files offline, against a root or a log policy that a person chose.

What needs more than that (addresses, `--fetch`, `--requirements`, `--checkpoint`) is in modules of its own, which are
loaded where they are asked for.
"""

import argparse
import os
import time
from typing import TYPE_CHECKING, Any

from tagtrail.app.consumer.beside import PROOF, OnDisk, files_in, measure, statements_beside
from tagtrail.app.consumer.trusted import Trust, chosen_trust
from tagtrail.app.terminal.console import Console
from tagtrail.formats import note
from tagtrail.formats import proof as proof_format
from tagtrail.formats.root import Root
from tagtrail.formats.times import format_time
from tagtrail.model.errors import RemoteError, SetupError, TamperError
from tagtrail.model.names import PAGES, SIDECARS, is_archived_feed
from tagtrail.verify.proofs import entry_of
from tagtrail.verify.release import Verdict, verify_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tagtrail.app.consumer.lying import Lying
    from tagtrail.app.consumer.newest import Newest
    from tagtrail.ports import Tell

__all__ = ["arguments", "fields_of", "run"]


def arguments(parser: argparse.ArgumentParser) -> None:
    """PATH..., what to trust, and what else to look at."""
    parser.add_argument(
        "paths", metavar="FILE|DIR|URL", nargs="*", help="files, or directories with nothing else in them"
    )
    trust = parser.add_mutually_exclusive_group()
    trust.add_argument("--root", metavar="FILE", help="trust this root.json, which you got from elsewhere")
    trust.add_argument("--policy", metavar="FILE", help="trust these logs and witnesses, check no signer")
    parser.add_argument("--as", dest="name", metavar="NAME", help="the name under which the file was released")
    parser.add_argument(
        "--require-witnessed", action="store_true", help="refuse what only the log's operator vouches for"
    )
    parser.add_argument("--allow-imported", action="store_true", help="accept files that were imported from elsewhere")
    parser.add_argument("--fetch", action="store_true", help="get missing proofs from the sites of trusted logs")
    parser.add_argument(
        "--requirements", metavar="FILE", help="prove each --hash of a pip requirements file, without files"
    )
    parser.add_argument("--all", action="store_true", help="refuse requirements of projects that no pinned trail knows")
    parser.add_argument("--checkpoint", metavar="FILE|URL", help="compare with this newest checkpoint of the log")
    parser.add_argument("--max-age", metavar="T", help="refuse a checkpoint not cosigned within T (30m, 24h, 7d)")


def run(args: argparse.Namespace, console: Console) -> int:
    """Verify each file; 0 if all are what was released, else 7 (or 5, where a site that did not answer may know)."""
    _check_usage(args)
    now = int(time.time())  # noqa: TID251  (wiring, which has the clock, would load every adapter)
    options = {"require_witnessed": args.require_witnessed, "allow_imported": args.allow_imported}
    judge = _Judge(trust=chosen_trust(args), now=now, tell=console.tell, options=options)
    if args.checkpoint:
        from tagtrail.app.consumer.newest import newest

        judge.newest = newest(args, judge.trust, now, console.tell)
    if args.requirements:
        from tagtrail.app.consumer.pins import judge_pins

        return judge_pins(args, now, options, console.tell)
    judge.asked = _asked(args) if args.fetch else _as_it_lies
    for word in args.paths:
        if "://" in word:
            judge.lying(_at_address(word), args.name)
        elif os.path.isdir(word):
            judge.directory(word, fetch=args.fetch)
        else:
            judge.lying(OnDisk(word), args.name or os.path.basename(word))
    return judge.outcome() if args.paths else 0


def _check_usage(args: argparse.Namespace) -> None:
    """Raises SetupError `usage`, `file-missing`."""
    if not (args.paths or args.requirements or args.checkpoint):
        raise SetupError("nothing to verify was named", code="usage", hint="tagtrail verify FILE")
    if args.name is not None and (len(args.paths) != 1 or os.path.isdir(args.paths[0]) or args.requirements):
        raise SetupError("--as names one file", code="usage", hint=f"tagtrail verify FILE --as {args.name}")
    for word, needs, there in (("--max-age", "--checkpoint", args.max_age), ("--all", "--requirements", args.all)):
        if there and not getattr(args, needs.strip("-")):
            raise SetupError(f"{word} says something about {needs}", code="usage", hint=f"{needs} FILE {word}")
    for word in args.paths:
        if "://" not in word and not os.path.lexists(word):
            raise SetupError(
                f"there is no {word}", code="file-missing", hint="a file, a directory, or its address: https://..."
            )


def _as_it_lies(lying: "Lying") -> "Lying":
    return lying


def _asked(args: argparse.Namespace) -> "Callable[[Lying], Lying]":
    from tagtrail.app.consumer.online import Asked
    from tagtrail.app.consumer.sources import sources

    known = sources(args)
    return lambda lying: Asked(lying, known)


def _at_address(url: str) -> "Lying":
    from tagtrail.app.consumer.online import AtAddress

    return AtAddress(url)


# Files and directories


class _Judge:
    """Verifies one file after the other and counts."""

    def __init__(self, *, trust: Trust, now: int, tell: "Tell", options: dict[str, Any]) -> None:
        self.trust = trust
        self.now = now
        self.tell = tell
        self.options = options
        self.asked: Callable[[Lying], Lying] = _as_it_lies
        self.newest: Newest | None = None
        self.trees: dict[tuple[str, int], tuple[bytes, str]] = {}
        self.good = self.bad = self.late = 0

    def lying(self, at: "Lying", name: str | None = None) -> Verdict | None:
        """Verify and tell; None if it was refused."""
        lying = self.asked(at)
        try:
            verdict, more = self._verdict(lying, name or _last(at))
        except (TamperError, RemoteError) as error:
            self._refused(lying.shown, error)
            return None
        self.good += 1
        fields = fields_of(verdict)
        fields["not_proven"] += more.values()
        fields["doubts"] += more
        if isinstance(at, OnDisk):
            self._reproduced(at.path, verdict, fields)
        fetched = {"fetched": list(lying.fetched)} if lying.fetched else {}
        self.tell("verified", {"file": lying.shown, "ok": True, "code": ""} | fields | fetched)
        return verdict

    def directory(self, directory: str, *, fetch: bool) -> None:
        """Verify every file that has a proof, or may have one elsewhere; the others must be sidecars of theirs."""
        from pathlib import Path

        from tagtrail.formats.reproduction import is_statement

        files = files_in(Path(directory))
        proofs = {path for path in files if path.name.endswith(PROOF)}
        proven = [path for path in files if path.with_name(path.name + PROOF) in proofs and path not in proofs]
        if fetch:
            proven += [path for path in files if path not in {*proofs, *proven} and _may_be_artifact(path)]
        expected: dict[Path, str] = {}
        for path in proven:
            if is_statement(path.name):
                self._statement(path)
                continue
            verdict = self._found(path)
            expected |= _sidecars(path, verdict) if verdict else {}
        for path in sorted(proofs - {path.with_name(path.name + PROOF) for path in files}):
            self._refused(str(path), TamperError("it proves a file that is not here", code="unknown"))
        for path in files:
            if path in proofs or path in proven:
                continue
            if _is_page(path) and path not in expected:
                because = "a page of the site; `tagtrail audit` compares pages"
                self.tell("skip", {"target": "", "what": str(path), "because": because})
            else:
                self._beside(path, expected.get(path))
        if not self.good and not self.bad and not self.late:
            what = f"no file with a proof in {directory}"
            raise TamperError(what, code="nothing-to-verify", hint="the proof of FILE is FILE.tlog-proof beside it")

    def _found(self, path: "Path") -> Verdict | None:
        """As `lying`; what cannot be read refuses itself and no other."""
        try:
            return self.lying(OnDisk(path))
        except SetupError as error:
            self._refused(str(path), TamperError(error.what, code=error.code, why=error.why, hint=error.hint))
            return None

    def outcome(self) -> int:
        """The exit code; told where there was more than one file."""
        code = 7 if self.bad else 5 if self.late else 0
        count = self.good + self.bad + self.late
        if count != 1:
            state = {0: "verified", 5: "unfinished", 7: "refused"}[code]
            text = f"{self.good} of {count} files are what was released"
            self.tell("outcome", {"exit": code, "state": state, "text": text, "next": ""})
        return code

    def _reproduced(self, path: str, verdict: Verdict, fields: dict[str, Any]) -> None:
        """Who built it again, by the statements beside it; with a policy alone, nothing but the proof is opened."""
        trust = self.trust(verdict.origin)
        statements = statements_beside(path, verdict.entry.project, verdict.entry.version)
        if not isinstance(trust, Root) or not statements:
            return
        from pathlib import Path

        from tagtrail.app.consumer.again import claims

        for holds, text in claims(map(Path, statements), verdict, trust, self.now):
            fields["proven" if holds else "not_proven"].append(text)
            fields["claims" if holds else "doubts"].append("reproduced" if holds else "reproduced-unproven")

    def _statement(self, path: "Path") -> None:
        from tagtrail.app.consumer.again import fields_of_statement, statement_at
        from tagtrail.app.consumer.beside import proof_of

        try:
            head = proof_format.parse(proof_of(path, path.name)).checkpoint
            trust = self.trust(note.parse_checkpoint(note.parse(head).text).origin)
            said, found, compared = statement_at(path, trust, self.now)
        except TamperError as error:
            self._refused(str(path), error)
            return
        self.good += 1
        fields = fields_of_statement(said, found, compared=compared)
        self.tell("verified", {"file": str(path), "ok": True, "code": ""} | fields)

    def _verdict(self, lying: "Lying", name: str) -> tuple[Verdict, dict[str, str]]:
        """What holds of a file, and what else is not proven, by its stable name."""
        proof = lying.proof(name)
        head = proof_format.parse(proof).checkpoint
        origin = note.parse_checkpoint(note.parse(head).text).origin
        trust = self.trust(origin)
        entry = entry_of(proof)
        tag = lying.tag(entry, origin) if isinstance(trust, Root) else None
        later = self.newest.size(origin) if self.newest else None
        read, gone = self.newest.withdrawal(origin, entry) if self.newest else (None, None)
        if read == later or gone:
            later = None if read is None else entry.index + 1  # nothing is left unread, or nothing more is asked
        measured = lying.measure(name, entry, self.tell)
        verdict = verify_file(measured, proof, trust, tag, self.now, **self.options, head=later)
        self._compare(verdict, lying.shown)
        more = self.newest.compare(origin, head) if self.newest else {}
        if gone:
            more["withdrawn"] = f"that it is fit for use: withdrawn in entry {gone.index}: {gone.reason or _NO_REASON}"
        return verdict, more

    def _compare(self, verdict: Verdict, shown: str) -> None:
        """Two proofs of one run may not contradict each other."""
        tree, other = self.trees.setdefault((verdict.origin, verdict.size), (verdict.tree, shown))
        if tree != verdict.tree:
            what = f"the proofs of {other} and {shown} hold two trees of {verdict.origin} of {verdict.size} entries"
            why = "the log showed different trees to different people: neither file is proven by it"
            hint = "keep both proofs, for the log's people and its witnesses"
            raise TamperError(what, code="split-view", why=why, hint=hint)

    def _beside(self, path: "Path", digest: str | None) -> None:
        if digest is None:
            error = TamperError("no proof lies beside it and no proven entry names it", code="unknown")
            self._refused(str(path), error)
        elif (found := measure(path, path.name, self.tell)).sha256 != digest:
            what = f"it has SHA-256 {found.sha256}, its release's entry says {digest}"
            self._refused(str(path), TamperError(what, code="sidecar-mismatch"))

    def _refused(self, shown: str, error: TamperError | RemoteError) -> None:
        self.bad += isinstance(error, TamperError)
        self.late += isinstance(error, RemoteError)
        said = {"what": error.what, "why": error.why, "next": error.hint}
        self.tell("verified", {"file": shown, "ok": False, "code": error.code} | said | _NOTHING)


_NOTHING: dict[str, Any] = {"project": "", "version": "", "index": None, "size": None, "proven": [], "not_proven": []}
_NO_REASON = "no reason given"


def _last(lying: "Lying") -> str:
    """The name of a file by where it lies."""
    return getattr(lying, "name", "") or os.path.basename(lying.shown)


def _may_be_artifact(path: "Path") -> bool:
    return not _is_page(path) and not path.name.endswith(SIDECARS)


def _is_page(path: "Path") -> bool:
    return path.name in PAGES or is_archived_feed(path.as_posix())


def _sidecars(path: "Path", verdict: Verdict) -> "dict[Path, str]":
    """What else of a proven release may lie beside its file, with its SHA-256."""
    known = {path.with_name(name): digest for name, digest in verdict.entry.sidecars}
    if verdict.file.metadata:
        known[path.with_name(f"{path.name}.metadata")] = verdict.file.metadata
    return known


def fields_of(verdict: Verdict) -> dict[str, Any]:
    """A verdict as the fields of an event."""
    entry = verdict.entry
    return {
        "project": entry.project,
        "version": entry.version,
        "index": entry.index,
        "size": verdict.size,
        "origin": verdict.origin,
        "time": format_time(entry.time),
        "witnessed": None if verdict.witnessed is None else format_time(verdict.witnessed),
        "witnesses": [{"name": s.name, "time": format_time(s.time), "own": s.own} for s in verdict.seen],
        "signer": verdict.signer,
        "sha256": verdict.file.sha256,
        "proven": [claim.text for claim in verdict.proven],
        "not_proven": [claim.text for claim in verdict.not_proven],
        "claims": [claim.name for claim in verdict.proven],
        "doubts": [claim.name for claim in verdict.not_proven],
    }
