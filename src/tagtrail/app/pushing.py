"""Hooks: the tags that git is about to push, and the version that a checkout's files say, judged before others see it.

git gives a pre-push hook one line for each ref, `LOCAL-REF LOCAL-ID REMOTE-REF REMOTE-ID`; an id of zeros is nothing
(githooks(5)). The pre-commit framework keeps these lines to itself and says of one of them what it is in the
environment: `PRE_COMMIT_REMOTE_BRANCH` and `PRE_COMMIT_TO_REF`.
"""

import os
from dataclasses import dataclass, replace
from pathlib import Path
from shlex import quote
from typing import IO

from tagtrail.app.checkout import Meant, checkout, meant
from tagtrail.app.commands.check import tell_check
from tagtrail.app.terminal.console import Console
from tagtrail.model.errors import SetupError
from tagtrail.model.facts import Tagged
from tagtrail.rules.declared import Declared, declared
from tagtrail.rules.grammar import classify, grammar_of
from tagtrail.workflows.examine import examined

__all__ = ["Push", "judge_declared", "judge_push", "pushes"]

TAGS = "refs/tags/"
ANY = "any"
"""The id that pre-commit does not tell."""
MOST = 16 * 1024 * 1024
"""Bytes that are read of git: a hundred thousand refs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Push:
    """One ref that is about to be pushed: full names, and object ids, empty where there is nothing."""

    local: str
    new: str
    remote: str
    old: str = ""


def pushes(data: bytes) -> tuple[Push, ...]:
    """What git says. Raises SetupError `usage`."""
    return tuple(_push(line) for line in data.decode("utf-8", "surrogateescape").split("\n") if line)


def _push(line: str) -> Push:
    words = line.rsplit(" ", 3)
    if len(words) != 4 or not all(_is_id(words[n]) for n in (1, 3)):
        what = f"not what git says to a pre-push hook: {line[:80]!a}"
        raise SetupError(what, code="usage", hint="in .git/hooks/pre-push: exec tagtrail check --pre-push")
    return Push(
        local=words[0], new=words[1].strip("0") and words[1], remote=words[2], old=words[3].strip("0") and words[3]
    )


def _is_id(text: str) -> bool:
    return len(text) in (40, 64) and not set(text) - set("0123456789abcdef")


def judge_push(home: str | None, stdin: IO[bytes], console: Console) -> int:
    """0 where nothing stands against any tag that is pushed, else 3: git pushes nothing then."""
    project, code = meant(home, "."), 0
    every = _framework() or pushes(stdin.read(MOST))
    unseen = tuple(push.remote.removeprefix(TAGS) for push in every if not _passed(push) and not push.old)
    for push in every:
        code = max(code, _judged(project, push, unseen, console))
    return code


def _framework() -> tuple[Push, ...]:
    """What pre-commit says that it is run for."""
    local, remote = (os.environ.get(f"PRE_COMMIT_{name}_BRANCH", "") for name in ("LOCAL", "REMOTE"))
    return (Push(local=local, new=os.environ.get("PRE_COMMIT_TO_REF") or ANY, remote=remote),) if remote else ()


def _judged(project: Meant, push: Push, unseen: tuple[str, ...], console: Console) -> int:
    tag = push.remote.removeprefix(TAGS)
    if why := _passed(push):
        console.tell(
            "skip", {"target": "", "what": f"{tag.removeprefix('refs/heads/')} was not judged", "because": why}
        )
        return 0
    case = project.case(tag)
    meaning = classify(grammar_of(case.before.project), tag)
    if meaning.kind != "release":
        why = f"it is no release: {meaning.kind} by the pattern {case.before.project.tag}"
        console.tell("skip", {"target": "", "what": f"{tag} was not judged", "because": why})
        return 0
    if wrong := _not_this(case.tagged, push, tag):
        text, hint = wrong
        fields = {"exit": 3, "state": "", "project": case.before.project.name, "version": meaning.version}
        console.tell("outcome", fields | {"text": text, "next": hint})
        return 3
    found = project.judged(replace(case, before=replace(case.before, unseen=unseen)))
    tell_check(found, console)
    return 3 if found.errors else 0


def _passed(push: Push) -> str:
    if not push.remote.startswith(TAGS):
        return "it is a branch" if push.remote.startswith("refs/heads/") else "it is no tag"
    return "" if push.new else "it is removed there"


def _not_this(tagged: Tagged, push: Push, tag: str) -> tuple[str, str] | None:
    """Why what is pushed is not the tag that would be judged; and what helps."""
    here = "" if tagged.kind == "absent" else tagged.object or tagged.commit
    if push.new not in (here, ANY):
        what = f"{push.local} is pushed as {tag}, which is {here[:12] or 'no tag'} here"
        return what, f"git tag -s {quote(tag)}, then push that"
    if push.old:
        text = f"{tag} is {push.old[:12]} there and would become {push.new[:12]}: a tag that others saw does not move"
        return text, "tag the next version; or, if nobody saw it, git push --force --no-verify"
    return None


# --- versions that are written in files -----------------------------------------------------------------------------


def judge_declared(home: str | None, where: str, console: Console) -> int:
    """0 where the version that the checkout's files say could be tagged, or is; 3 where a rule refuses it."""
    directory = checkout(Path(where))
    says = declared(*(_text(directory / name) for name in ("pyproject.toml", "setup.cfg")))
    case = None if _unasked(says) else meant(home, where).case(says.version)
    if case is None or case.tagged.kind != "absent":
        why = f"{says.version} is tagged already" if case else _unasked(says)
        console.tell("skip", {"target": "", "what": "the version in the files was not judged", "because": why})
        return 0
    found = examined(replace(case, before=replace(case.before, declared=says)))
    tell_check(found, console)
    return 3 if found.errors else 0


def _unasked(says: Declared) -> str:
    if not says.version:
        return "none is written there"
    return f"{says.version} is a development version" if ".dev" in says.version else ""


def _text(path: Path) -> str | None:
    return path.read_text("utf-8", "replace") if path.is_file() else None
