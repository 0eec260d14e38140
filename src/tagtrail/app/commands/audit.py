"""`tagtrail audit URL|DIR`: a whole site against its trail, both ways, from a root that you chose."""

import argparse
import time
from pathlib import Path

from tagtrail.app.consumer.auditor import Memory
from tagtrail.app.consumer.beside import read_small
from tagtrail.app.consumer.readers import LocalSite, WebSite
from tagtrail.app.consumer.trusted import chosen_trust
from tagtrail.app.terminal.console import Console
from tagtrail.formats import note, policy
from tagtrail.formats.policy import NONE, Policy
from tagtrail.formats.root import Root
from tagtrail.formats.site import CHECKPOINT
from tagtrail.formats.times import format_time
from tagtrail.model.errors import SetupError, TamperError
from tagtrail.model.facts import Entry
from tagtrail.model.frozen import replace
from tagtrail.verify.roots import policy_of
from tagtrail.workflows.audit import Asked, Audited, Mismatch, Remembered, SiteReader, audit
from tagtrail.workflows.audit.site import read

__all__ = ["arguments", "run"]

_FORKS = frozenset({"rolled-back", "split-view"})
"""Findings at the checkpoint that say: the log contradicts what was remembered."""

_MOST_JOBS = 64


def arguments(parser: argparse.ArgumentParser) -> None:
    """[URL|DIR], what to trust, what to look at; or places."""
    _of_a_site(parser)
    _of_places(parser)


def _of_a_site(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "site", metavar="URL|DIR", nargs="?", help="the site's address, or a copy of it (else the instance's own)"
    )
    trust = parser.add_mutually_exclusive_group()
    trust.add_argument("--root", metavar="FILE", type=Path, help="trust this root.json, which you got from elsewhere")
    trust.add_argument("--policy", metavar="FILE", type=Path, help="trust these logs and witnesses, check no signer")
    parser.add_argument(
        "--since",
        metavar="last|FILE|SIZE",
        help="measure only what came since the last audit without findings, a checkpoint in a file, or a tree's size",
    )
    parser.add_argument("--project", metavar="NAME", help="judge and tell of this project alone")
    parser.add_argument(
        "--expect-signer",
        metavar="FINGERPRINT",
        action="append",
        default=[],
        help="with --project: whoever else signed its tags is an alarm (may be given again)",
    )
    parser.add_argument(
        "--jobs", metavar="N", type=int, help="how many files or connections at once (4, or 8 of a URL)"
    )


def _of_places(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--places", action="store_true", help="the instance's places instead: every name there against the trail"
    )
    parser.add_argument(
        "--existing",
        metavar="PROJECT",
        nargs="+",
        help="what an index, tarballs and tags have of projects, and how they differ; needs no instance",
    )
    parser.add_argument(
        "--index", metavar="URL|NAME", help="with --existing: an index's /simple/, or its name as for twine"
    )
    parser.add_argument(
        "--tarballs", metavar="URL|DIR", help="with --existing: a directory of files; {project} stands for the name"
    )
    parser.add_argument("--repo", metavar="URL|DIR", help="with --existing: a git repository, for its tags; {project}")
    parser.add_argument(
        "--deep",
        action="store_true",
        help="hash what no place tells the digest of; with --places every file, as it is fetched there",
    )


def run(args: argparse.Namespace, console: Console) -> int:
    """0 if site and trail agree; 5 if the newest entry is on its way, or something does not answer; else 7."""
    _check(args)
    if args.existing:
        from tagtrail.app.before import audit_existing

        return audit_existing(args, console)
    if args.places:
        from tagtrail.app.everywhere import audit_places

        return audit_places(args, console)
    where, site = _site(args)
    origin = _origin(site, where)
    trust = chosen_trust(args)(origin)
    memory = Memory.standard(origin, project=args.project or "", judged=isinstance(trust, Root))
    asked = Asked(
        project=args.project or "",
        signers=tuple(map(_fingerprint, args.expect_signer)),
        since=_since(args.since, memory, trust),
        jobs=args.jobs or (4 if isinstance(site, LocalSite) else 8),
    )
    found = audit(site, trust, asked, tell=console.tell, clock=_now, pause=time.sleep)
    _tell(found, asked, console)
    kept = _evidence(found, asked, memory)
    if args.since == "last" and found.exit_code == 0:
        memory.remember(found.note)
    console.tell("outcome", _outcome(found, asked, where, kept))
    return found.exit_code


def _now() -> int:
    return int(time.time())  # noqa: TID251  (a command is where the clock is read)


# --- what is asked --------------------------------------------------------------------------------------------------


def _check(args: argparse.Namespace) -> None:
    of_existing = [word for word in ("index", "tarballs", "repo") if getattr(args, word)]
    if of_existing and not args.existing:
        hint = "tagtrail audit --existing PROJECT --index URL --tarballs URL"
        raise SetupError(f"--{of_existing[0]} is for --existing PROJECT", code="usage", hint=hint)
    if args.existing and not of_existing:
        hint = "tagtrail audit --existing PROJECT --index URL --tarballs URL --repo URL"
        raise SetupError("--existing compares places: which?", code="usage", hint=hint)
    if args.existing and len(of_existing) == 1:
        other = "--repo URL" if of_existing[0] != "repo" else "--tarballs URL"
        what = f"--existing compares places, and --{of_existing[0]} has nothing beside it: name another one"
        raise SetupError(what, code="usage", hint=f"tagtrail audit --existing PROJECT --{of_existing[0]} URL {other}")
    if (args.existing or args.places) and (args.site or args.root or args.policy or args.since):
        what = "places are asked, no site is audited: no URL, --root, --policy or --since"
        raise SetupError(what, code="usage", hint="tagtrail -C HOME audit --places")
    if args.existing and (args.places or args.project):
        what = f"--existing names projects of anybody: no --{'places' if args.places else 'project'}"
        raise SetupError(what, code="usage", hint="tagtrail audit --existing PROJECT --index URL --tarballs URL")
    if args.deep and not (args.places or args.existing):
        what = "--deep is for --places and --existing: the audit of a site hashes every file"
        raise SetupError(what, code="usage", hint="tagtrail audit --places --deep")
    if (args.existing or args.places) and (args.expect_signer or args.jobs is not None):
        what = f"places are asked, no site is audited: no --{'jobs' if args.jobs is not None else 'expect-signer'}"
        raise SetupError(what, code="usage", hint="tagtrail -C HOME audit --places")
    if args.expect_signer and not args.project:
        hint = "tagtrail audit URL --project NAME --expect-signer FINGERPRINT"
        raise SetupError("--expect-signer says who signs one project: which?", code="usage", hint=hint)
    if args.jobs is not None and not 1 <= args.jobs <= _MOST_JOBS:
        raise SetupError(f"--jobs {args.jobs} is not between 1 and {_MOST_JOBS}", code="usage", hint="--jobs 8")


def _site(args: argparse.Namespace) -> tuple[str, SiteReader]:
    """The site that is meant, as people write it, and as it is read."""
    if args.site:
        return args.site, WebSite(args.site) if "://" in args.site else LocalSite(_directory(args.site))
    from tagtrail.app.instance.home import Home, find_home
    from tagtrail.app.instance.reading import open_instance
    from tagtrail.app.instance.storage import in_bucket, open_bucket, site_directory

    instance = open_instance(find_home(args.home))
    if in_bucket(instance.settings.site):
        bucket = open_bucket(Home(path=instance.home), instance.settings.site)
        return bucket.bucket.shown, bucket
    where = str(site_directory(instance.home, instance.settings.site))
    return where, LocalSite(_directory(where))


def _directory(name: str) -> Path:
    path = Path(name)
    if not path.is_dir():
        raise SetupError(f"there is no directory {path}", code="file-missing", hint="tagtrail audit https://HOST/")
    return path


def _origin(site: SiteReader, where: str) -> str:
    """Of which log the site says that it shows it: that decides which root is trusted."""
    data = read(site, CHECKPOINT, note.MAX_SIZE)
    if data is None:
        what = f"{where} has no {CHECKPOINT}"
        why = "nothing was released there, it is no site with a trail, or not a whole copy"
        raise TamperError(what, code="checkpoint-missing", why=why, hint="tagtrail audit DIR|URL, where releases are")
    return note.parse_checkpoint(note.parse(data).text).origin


def _fingerprint(given: str) -> str:
    """As entries write it: an SSH key's is taken as it is, an OpenPGP key's in capitals without spaces."""
    text = given.replace(" ", "")
    if text.startswith("SHA256:"):
        return text.rstrip("=")
    bare = text.upper().removeprefix("0X")
    if len(bare) not in (40, 64) or set(bare) - set("0123456789ABCDEF"):
        what = f"{given!r} is no fingerprint: SHA256:... of an SSH key, or all 40 digits of an OpenPGP key"
        raise SetupError(what, code="usage", hint="ssh-keygen -l -f KEY.pub, or gpg --fingerprint KEY")
    return bare


def _since(given: str | None, memory: Memory, trust: Root | Policy) -> Remembered | None:
    if given is None:
        return None
    if given.isascii() and given.isdecimal():
        return Remembered(size=int(given))
    data = memory.last() if given == "last" else read_small(Path(given), note.MAX_SIZE)
    if data is None:
        what = f"--since {given}: there is no such file, and it is neither a size nor `last`"
        raise SetupError(what, code="file-missing", hint="--since last")
    if not data:
        return None
    if given != "last":
        believed = policy_of(trust) if isinstance(trust, Root) else trust
        policy.check(replace(believed, quorum=NONE), data)
    return Remembered(size=note.parse_checkpoint(note.parse(data).text).size, note=data)


# --- what is told ---------------------------------------------------------------------------------------------------


def _tell(found: Audited, asked: Asked, console: Console) -> None:
    for entry in found.listed:
        console.tell("entry", _entry(entry))
    if not (asked.project and asked.since and not found.new and not found.findings):
        for what, because in found.left_out:
            console.tell("skip", {"target": "", "what": f"not compared: {what}", "because": because})
    for finding in found.findings:
        console.tell("finding", _fields(finding))


def _fields(finding: Mismatch) -> dict[str, object]:
    return {
        "rule": finding.code,
        "name": finding.path,
        "level": finding.level,
        "text": finding.text,
        "fix": "",
        "code": finding.code,
        "there": finding.there,
        "expected": finding.expected,
    }


def _entry(entry: Entry) -> dict[str, object]:
    because = entry.reason or "; ".join(f"{o.rule}: {o.because}" for o in entry.overrides)
    return {
        "index": entry.index,
        "entry": entry.event,
        "project": entry.project,
        "version": entry.version,
        "time": format_time(entry.time),
        "signer": entry.tag.signer if entry.tag and entry.event != "withdraw" else "",
        "files": [file.name for file in entry.files],
        "because": because,
    }


def _evidence(found: Audited, asked: Asked, memory: Memory) -> tuple[Path, ...]:
    forked = any(finding.code in _FORKS and finding.path == CHECKPOINT for finding in found.findings)
    if not (forked and asked.since and asked.since.note):
        return ()
    return memory.keep_evidence(asked.since.note, found.note)


def _outcome(found: Audited, asked: Asked, site: str, kept: tuple[Path, ...]) -> dict[str, object]:
    code = found.exit_code
    text = _about(found, asked)
    if code:
        text = f"{_count(len(found.findings), 'finding')} in {text}"
    if kept:
        text += f"\nboth checkpoints are kept as evidence: {', '.join(map(str, kept))}"
    state = {0: "agrees", 5: "unfinished", 7: "disagrees"}[code]
    again = f"tagtrail audit {site}    in a while: it may be on its way" if code == 5 else ""
    return {"exit": code, "state": state, "text": text, "next": again}


def _about(found: Audited, asked: Asked) -> str:
    if not found.whole:
        return f"the trail of {found.origin or 'this site'}"
    since = asked.since.size if asked.since else 0
    measured = f"{_count(found.files, 'file')}, {_count(found.pages, 'page')}"
    if asked.project:
        new = f"{_count(found.new, 'entry')} of {asked.project}" + (f" since tree {since}" if since else "")
        if since and not found.new:
            return f"nothing new of {asked.project} in {_count(found.size, 'entry')} of {found.origin}"
        return f"{new}, {measured} at {found.origin}"
    new = f", {found.new:,} of them new" if since else ""
    return f"{_count(found.size, 'entry')} of {found.origin}{new}, {measured}"


def _count(number: int, noun: str) -> str:
    several = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{number:,} {noun if number == 1 else several}"
