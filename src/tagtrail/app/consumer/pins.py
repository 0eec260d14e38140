"""`verify --requirements`: every hash that a requirements file pins is a file of a proven entry, with no file at hand.

A project is *known* if a trusted root names signers for it; that decides, nothing that a site says. Of a known project
each hash must be proven: one that is not is what an attacker adds. Of others nothing can be said; `--all` refuses them.
A log policy alone knows no projects: then all must be proven.
"""

import argparse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tagtrail.app.consumer.beside import PROOF, files_in, read_small, tag_of
from tagtrail.app.consumer.requirements import Pin, read_pins
from tagtrail.app.consumer.sources import Source, sources
from tagtrail.formats import proof as proof_format
from tagtrail.formats.root import Root
from tagtrail.model.errors import RemoteError, SetupError, TamperError
from tagtrail.model.facts import Entry, File
from tagtrail.model.names import project_key, version_key
from tagtrail.ports import Tell
from tagtrail.verify.claims import Claim
from tagtrail.verify.proofs import entry_of
from tagtrail.verify.release import Measured, Verdict, verify_file

__all__ = ["Candidate", "judge_pins", "named", "together"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A proof that may be of a pinned hash, what its entry says, and the file beside which a tag would lie."""

    proof: bytes
    entry: Entry
    source: Source | None = None
    path: Path | None = None

    def tag(self, origin_source: Source) -> bytes | None:
        """The tag object of the entry: beside the proof, or on the site."""
        if self.path is not None:
            return tag_of(self.path, self.entry)
        found = origin_source.tag(self.entry)
        return found[0] if found else None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """What was asked for, and where evidence may be: proofs on this disk by digest, and sites if these may be read."""

    sources: tuple[Source, ...]
    local: dict[str, list[Candidate]]
    fetch: bool
    now: int
    options: dict[str, Any]


def judge_pins(args: argparse.Namespace, now: int, options: dict[str, Any], tell: Tell) -> int:
    """Judge every pin and tell; 0 if all that could be known is proven.

    With no paths, proofs are fetched: there is nothing else to look at. Raises TamperError as `read_pins`, and
    `nothing-to-verify` where no pin at all is proven.
    """
    pins = read_pins(Path(args.requirements))
    local = _local(args.paths)
    asked = _Asked(sources=sources(args), local=local, fetch=args.fetch or not args.paths, now=now, options=options)
    counts = {"": 0, "unknown": 0, "refused": 0, "late": 0}
    for number, pin in enumerate(pins):
        tell("bytes", {"what": "pins", "done": number, "total": len(pins), "unit": "requirements"})
        fields = _judged(pin, asked)
        tell("pin", fields)
        counts[_count(fields["code"])] += 1
    return _outcome(counts, len(pins), args, tell)


def _count(code: str) -> str:
    return code if code in ("", "unknown") else "late" if code.startswith("url-") else "refused"


def _outcome(counts: dict[str, int], total: int, args: argparse.Namespace, tell: Tell) -> int:
    refused = counts["refused"] or (args.all and counts["unknown"])
    code = 7 if refused or not (counts[""] or counts["late"]) else 5 if counts["late"] else 0
    text = f"{total} requirement{'' if total == 1 else 's'}: {counts['']} proven"
    for key, words in (("refused", "refused"), ("unknown", "known to no pinned trail"), ("late", "not answered")):
        text += f", {counts[key]} {words}" if counts[key] else ""
    if not counts[""] and not counts["refused"] and not counts["late"]:
        text += ": nothing was verified"
    state = {0: "verified", 5: "unfinished", 7: "refused"}[code]
    tell("outcome", {"exit": code, "state": state, "text": text, "next": ""})
    return code


def _judged(pin: Pin, asked: _Asked) -> dict[str, Any]:
    """The fields of a `pin` event."""
    about: dict[str, Any] = {"requirement": pin.text, "where": pin.where, "why": "", "next": "", "what": ""}
    known = [s for s in asked.sources if s.project(pin.name)]
    if not known:
        about |= {"what": "no pinned trail names it", "next": "" if asked.sources else "tagtrail trust URL"}
        return about | {"ok": False, "code": "unknown", "hashes": [], "proven": [], "not_proven": []}
    hashes: list[dict[str, Any]] = []
    verdicts: list[Verdict] = []
    first: TamperError | RemoteError | None = None
    for digest in pin.digests:
        try:
            verdict = _proven(pin, digest, known, asked)
        except (TamperError, RemoteError) as error:
            first = first or error
            hashes.append({"sha256": digest, "ok": False, "code": error.code, "file": "", "what": error.what})
        else:
            verdicts.append(verdict)
            name = verdict.file.name
            hashes.append({"sha256": digest, "ok": True, "code": "", "file": name, "index": verdict.entry.index})
    said = {"what": first.what, "why": first.why, "next": first.hint} if first else {}
    return about | said | {
        "ok": first is None,
        "code": first.code if first else "",
        "hashes": hashes,
    } | together(verdicts)  # fmt: skip


def together(verdicts: Sequence[Verdict]) -> dict[str, list[str]]:
    """What is proven of several files, and what not; what is not said of all of them comes last and names its file."""

    def said(claims: Callable[[Verdict], tuple[Claim, ...]]) -> list[str]:
        alike = set.intersection(*({claim.text for claim in claims(v)} for v in verdicts)) if verdicts else set()
        texts = [(v.file.name, claim.text) for v in verdicts for claim in claims(v) if claim.name != "same-tar"]
        ordered = sorted(texts, key=lambda one: one[1] not in alike)
        return list(dict.fromkeys(text if text in alike else f"{name}: {text}" for name, text in ordered))

    alike = set.intersection(*({claim.text for claim in v.not_proven} for v in verdicts)) if verdicts else set()
    unproven = (claim for v in verdicts for claim in v.not_proven)
    doubts = dict.fromkeys(claim.name for claim in sorted(unproven, key=lambda one: one.text not in alike))
    return {"proven": said(lambda v: v.proven), "not_proven": said(lambda v: v.not_proven), "doubts": list(doubts)}


def _proven(pin: Pin, digest: str, known: list[Source], asked: _Asked) -> Verdict:
    """The verdict on a pinned hash. Raises TamperError hash-unproven, requirement-mismatch, and as `verify_file`."""
    for source, candidate in _candidates(pin, digest, known, asked):
        file = named(candidate.entry, digest)
        if file is None:
            continue
        measured = Measured(name=file.name, sha256=digest, size=file.size)
        tag = candidate.tag(source) if isinstance(source.trust, Root) else None
        verdict = verify_file(measured, candidate.proof, source.trust, tag, asked.now, **asked.options)
        _check_same(pin, verdict)
        return verdict
    where = ", ".join(s.site().where for s in known) if asked.fetch else "what was given"
    what = f"sha256:{digest} is no file of {pin.name} that {where} has a proof of"
    hint = "" if asked.fetch else "--fetch asks the site"
    raise TamperError(what, code="hash-unproven", why="pip would install it; nobody vouches for it", hint=hint)


def _candidates(pin: Pin, digest: str, known: list[Source], asked: _Asked) -> Iterator[tuple[Source, Candidate]]:
    for candidate in asked.local.get(digest, ()):
        origin = _origin(candidate.proof)
        yield from ((source, candidate) for source in known if source.origin == origin)
    for source in known if asked.fetch else ():
        for row in source.index(pin.name):
            found = source.proof_at(row.path) if row.sha256 == digest else None
            if found is not None:
                yield source, Candidate(proof=found[0], entry=entry_of(found[0]))


def _check_same(pin: Pin, verdict: Verdict) -> None:
    entry = verdict.entry
    if (project_key(entry.project), version_key(entry.version)) != (pin.name, version_key(pin.version)):
        what = f"sha256:{verdict.file.sha256} is {verdict.file.name} of {entry.project} {entry.version}"
        why = f"{pin.where} pins {pin.text}: a good file of another release"
        raise TamperError(what, code="requirement-mismatch", why=why)


def named(entry: Entry, digest: str) -> File | None:
    """The file of an entry with this SHA-256."""
    return next((file for file in entry.files if file.sha256 == digest), None)


def _origin(proof: bytes) -> str:
    from tagtrail.formats import note

    return note.parse_checkpoint(note.parse(proof_format.parse(proof).checkpoint).text).origin


def _local(words: list[str]) -> dict[str, list[Candidate]]:
    """The proofs in these files and directories, by the digests that their entries name: claims, until proven."""
    found: dict[str, list[Candidate]] = {}
    for word in words:
        at = Path(word)
        if "://" in word:
            what = f"{word}: with --requirements, proofs are files here or are fetched"
            raise SetupError(what, code="usage", hint="--fetch, or the directory where the proofs are")
        for path in files_in(at) if at.is_dir() else (at,):
            if path.name.endswith(PROOF):
                data = read_small(path, proof_format.MAX_SIZE) or b""
                candidate = Candidate(proof=data, entry=entry_of(data), path=path)
                for file in candidate.entry.files:
                    found.setdefault(file.sha256, []).append(candidate)
    return found
