"""`tagtrail check PROJECT TAG [--at COMMIT]`: what is wrong with a tag, before it exists too; nothing is written.

`check . TAG` works on any checkout, with no instance; then it cannot say who may sign, nor where it would go.
"""

import argparse
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from shlex import quote
from typing import Any

from tagtrail.app.overriding import add_overrides, overrides_of
from tagtrail.app.terminal.console import Console
from tagtrail.model.errors import SetupError, TamperError
from tagtrail.rules.registry import RULES, explain
from tagtrail.workflows.case import Recorded, read_case, tools, write_case
from tagtrail.workflows.examine import Examined, examined, tell_examined

__all__ = ["arguments", "run"]

FORMS = {"github": "", "gitlab": "gl-code-quality-report.json", "sarif": "tagtrail.sarif", "none": ""}
"""Forms of annotations, and the files that they go to; GitHub reads what the command prints."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """PROJECT TAG [--at COMMIT] | --facts FILE | --explain RULE | --pre-push | --declared."""
    parser.add_argument("project", metavar="PROJECT", nargs="?", help="a project's name, or a checkout: .")
    parser.add_argument("tag", metavar="TAG", nargs="?", help="the tag or the version; it need not exist yet")
    parser.add_argument("--at", metavar="COMMIT", help="as if the tag stood there (else where it is, else HEAD)")
    parser.add_argument("--explain", metavar="RULE", help="the documentation of a rule, such as TAG007")
    add_overrides(parser)
    parser.add_argument("--save", metavar="FILE", type=Path, help="write down all that was judged, and the verdict")
    parser.add_argument("--facts", metavar="FILE", type=Path, help="judge again what --save wrote: no git, no instance")
    parser.add_argument("--recorded", action="store_true", help="judge again what a released version was judged by")
    parser.add_argument(
        "--annotate",
        metavar="FORM[=FILE]",
        action="append",
        default=[],
        help=f"also say it as CI shows it: {', '.join(FORMS)}; in GitHub Actions github, unless another is named",
    )
    parser.add_argument("--pre-push", action="store_true", help="judge what git is about to push (a pre-push hook)")
    parser.add_argument("--declared", action="store_true", help="judge the version that the checkout's files say")


def run(args: argparse.Namespace, console: Console) -> int:
    """0 where nothing stands against the tag, 3 where a rule refuses it. Raises what `gather` raises."""
    if args.explain:
        console.line(explain(args.explain))
        return 0
    forms = _forms(args.annotate)
    _alone(args)
    if args.pre_push:
        from tagtrail.app.pushing import judge_push

        return judge_push(args.home, sys.stdin.buffer, console)
    if args.declared:
        from tagtrail.app.pushing import judge_declared

        return judge_declared(args.home, args.project or ".", console)
    recorded = _recorded(args)
    found = examined(recorded.case, overrides_of(args)) if recorded else _found(args, console)
    tell_check(found, console, at=args.at or "", recorded=recorded)
    if args.save:
        _write(args.save, write_case(found.case))
    _annotate(found, forms)
    return 3 if found.errors else 0


def _alone(args: argparse.Namespace) -> None:
    """Nothing that was said is passed over in silence. Raises SetupError `usage`."""
    way = next((way for way in _PASSED_OVER if getattr(args, way)), None)
    over = [word for word in _PASSED_OVER[way] if getattr(args, word)] if way else []
    if way and over:
        named, other = (f"--{word.replace('_', '-')}" for word in (way, over[0]))
        other = other if over[0] not in ("project", "tag") else over[0].upper()
        raise SetupError(f"{named} knows no {other}", code="usage", why=_WHY[way], hint="tagtrail check --help")


_PASSED_OVER = {
    "facts": ("project", "tag", "at", "recorded", "pre_push", "declared"),
    "recorded": ("at", "pre_push", "declared"),
    "pre_push": ("project", "at", "override", "save", "annotate", "declared"),
    "declared": ("tag", "at", "override", "save", "annotate"),
}
_WHY = {
    "facts": "the file says which tag is judged, and of what",
    "recorded": "what was judged then is judged again",
    "pre_push": "git says which tags are judged",
    "declared": "the files say which version is judged",
}


def _found(args: argparse.Namespace, console: Console) -> Examined:
    from tagtrail.app.checkout import meant

    if not args.tag:
        raise SetupError("check needs PROJECT and TAG", code="usage", hint="tagtrail check . 1.2.0")
    project = meant(args.home, args.project)
    if project.project is None and (project.directory / ".git" / "shallow").is_file():
        what = "tags that are not in this clone were not asked about"
        console.tell("skip", {"target": "", "what": what, "because": "it is shallow: git fetch --unshallow --tags"})
    return project.judged(project.case(args.tag, args.at), overrides_of(args))


# --- judged again ---------------------------------------------------------------------------------------------------


def _recorded(args: argparse.Namespace) -> Recorded | None:
    """What was judged before, where that is asked for. Raises SetupError with the code of what is wrong with it."""
    if not args.facts and not args.recorded:
        return None
    name = str(args.facts) if args.facts else f"{args.project} {args.tag}"
    try:
        return read_case(args.facts.read_bytes() if args.facts else _kept(args))
    except OSError as error:
        raise SetupError(f"{name} cannot be read: {error.strerror}", code="not-readable", hint=_SAVE) from None
    except TamperError as error:
        raise SetupError(f"{name}: {error.what}", code=error.code, why=error.why, hint=error.hint or _SAVE) from None


_SAVE = "tagtrail check PROJECT TAG --save FILE writes one"


def _kept(args: argparse.Namespace) -> bytes:
    from tagtrail.app.instance.home import find_home
    from tagtrail.app.instance.wiring import open_road
    from tagtrail.formats.settings import project_of
    from tagtrail.model.names import version_key
    from tagtrail.workflows.overrides import kept_case

    if not args.tag:
        raise SetupError(
            "--recorded needs PROJECT and VERSION", code="usage", hint="tagtrail check nova 33.0.0 --recorded"
        )
    road = open_road(find_home(args.home), tell=lambda *_: None)
    project = project_of(road.settings, args.project)
    released = (e for e in road.ledger.entries(project=project.name) if e.event == "release" and e.tag)
    wanted = (args.tag, version_key(args.tag))
    entry = next((e for e in released if e.tag and {e.tag.name, version_key(e.version)} & set(wanted)), None)
    found = kept_case(road, entry.raw) if entry else None
    if found is None:
        what = f"nobody here remembers what {project.name} {args.tag} was judged by"
        why = "" if entry else "the trail does not have it"
        raise SetupError(what, code="case-missing", why=why, hint=f"tagtrail check {project.name} {quote(args.tag)}")
    return found


def _compared(recorded: Recorded, found: Examined) -> str:
    """Whether the rules say today what they said then."""
    by = ", ".join(f"{name} {version}" for name, version in recorded.tools)
    then, now = ({(f.rule, f.code, f.text) for f in v.findings} for v in (recorded.verdict, found.verdict))
    if then == now:
        return f"judged by {by}: the same verdict"
    new, gone = (sorted({rule for rule, _, _ in one - other}) for one, other in ((now, then), (then, now)))
    words = [f"{', '.join(rules)} {what}" for rules, what in ((gone, "spoke then"), (new, "speaks now")) if rules]
    here = ", ".join(f"{name} {version}" for name, version in sorted(tools()))
    return f"judged by {by}, here by {'the same' if here == by else here}: NOT the same verdict, {' and '.join(words)}"


# --- told -----------------------------------------------------------------------------------------------------------


def tell_check(found: Examined, console: Console, *, at: str = "", recorded: Recorded | None = None) -> None:
    """Everything that was found, and one closing line."""

    def tell(name: str, fields: Mapping[str, Any]) -> None:
        if console.json or name != "checked":  # the closing line has the counts
            console.tell(name, fields)

    tell_examined(found, tell)
    if found.tagged.raw is not None:
        console.line(f"the release shows the tag as git wrote it: {_tagger(found.tagged.raw)}")
    if recorded:
        console.line(_compared(recorded, found))
    code = 3 if found.errors else 0
    fields = {"exit": code, "state": "", "project": found.project.name, "version": found.version}
    console.tell("outcome", fields | {"text": _words(found, at), "next": _next(found)})


def _tagger(raw: bytes) -> str:
    """Who made the tag, as everybody will read it in PROJECT-VERSION.tag."""
    line = next((ln for ln in raw.partition(b"\n\n")[0].split(b"\n") if ln.startswith(b"tagger ")), b"tagger nobody")
    return line.decode("utf-8", "replace").rpartition(">")[0] + ">" if b">" in line else line.decode("utf-8", "replace")


def _words(found: Examined, at: str) -> str:
    tagged, taken = found.tagged, found.taken
    if taken and taken.event == "import":
        return f"{taken.project} {taken.version} was released before the trail (imported as entry {taken.index})"
    if taken and not found.errors:
        return f"{taken.project} {taken.version} is released from this very tag (entry {taken.index})"
    where = "at HEAD" if tagged.kind == "absent" and not at else f"at {at}" if at else "tagged"
    follows = f"follows {found.follows}" if found.follows else "the first release"
    told = found.version and not found.errors
    about = "; ".join(filter(None, (follows, found.visible))) if told else ""
    return f"{tagged.name} {where} ({tagged.commit[:8]}): {_against(found)}.{' ' * bool(about)} {about}".rstrip(". ")


def _against(found: Examined) -> str:
    errors, warnings = len(found.errors), len(found.findings) - len(found.errors)
    counts = [f"{n} {noun}{'s' * (n > 1)}" for n, noun in ((errors, "error"), (warnings, "warning")) if n]
    said = ", ".join(counts)
    return f"{said} of {len(found.verdict.ran)} rules" if counts else "nothing against it"


def _next(found: Examined) -> str:
    if found.errors:
        first = found.errors[0].rule
        return f"tagtrail check --explain {first}" if first in found.verdict.ran else ""
    tagged = found.tagged
    if tagged.kind == "absent":
        name = quote(tagged.name)
        return f"git tag -s {name} && git push origin {name}"
    if found.tag and not found.taken:
        return f"tagtrail release {found.project.name} {quote(tagged.name)}"
    return ""


# --- written --------------------------------------------------------------------------------------------------------


def _forms(asked: list[str]) -> dict[str, str]:
    """Forms of annotations with their files. Raises SetupError `usage`."""
    if not asked:
        return {"github": ""} if os.environ.get("GITHUB_ACTIONS") == "true" else {}
    forms = {name: file or FORMS.get(name, "") for name, _, file in (word.partition("=") for word in asked)}
    if odd := sorted(set(forms) - set(FORMS)):
        raise SetupError(f"no CI is known as {odd[0]!r}", code="usage", hint=f"--annotate {'|'.join(FORMS)}")
    return forms


def _annotate(found: Examined, forms: dict[str, str]) -> None:
    from tagtrail import __version__
    from tagtrail.formats import annotations

    if "github" in forms:
        sys.stderr.write(annotations.github(found.findings))
    about = {"tag": found.tagged.name, "path": "pyproject.toml" if found.case.before.declared.python else "README.md"}
    if "gitlab" in forms:
        _write(Path(forms["gitlab"]), annotations.gitlab(found.findings, **about))
    if "sarif" in forms:
        titles = tuple((rule.id, rule.name, rule.about.partition("\n")[0]) for rule in RULES)
        _write(Path(forms["sarif"]), annotations.sarif(found.findings, titles, **about, version=__version__))


def _write(path: Path, data: bytes) -> None:
    try:
        path.write_bytes(data)
    except OSError as error:
        raise SetupError(
            f"{path} cannot be written: {error.strerror}", code="not-writable", hint="another FILE"
        ) from error
