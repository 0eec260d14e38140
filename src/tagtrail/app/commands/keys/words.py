"""What all verbs share: the instance opened, words counted, the end said."""

import argparse
from collections.abc import Sequence

from tagtrail.app.instance.home import Home, find_home
from tagtrail.app.instance.wiring import open_road
from tagtrail.app.terminal.console import Console
from tagtrail.model.errors import SetupError
from tagtrail.workflows.road import Road

__all__ = ["end", "opened", "reading", "take_words", "usage"]


def opened(args: argparse.Namespace, console: Console) -> tuple[Home, Road]:
    """The instance and its road, with its secrets."""
    home = find_home(args.home)
    return Home(path=home), open_road(home, tell=console.tell)


def reading(args: argparse.Namespace):  # type: ignore[no-untyped-def]
    """The instance without its secrets: they may be lost."""
    from tagtrail.adapters.directory import DirectoryKept
    from tagtrail.adapters.sqlite import SqliteLedger

    at = Home(path=find_home(args.home))
    return at, SqliteLedger(at.database), DirectoryKept(at.kept)


def take_words(args: argparse.Namespace, count: int | Sequence[int], form: str) -> None:
    """Raises SetupError `usage` where a verb got another number of words."""
    if len(args.words) not in ((count,) if isinstance(count, int) else count):
        raise usage(f"keys {form}")


def usage(what: str) -> SetupError:
    """The error of words that make no sense."""
    return SetupError(what, code="usage", hint="tagtrail keys --help")


def end(console: Console, code: int, state: str, text: str, following: str) -> int:
    """Say how it ended; the exit code."""
    console.tell("outcome", {"exit": code, "state": state, "text": text, "next": following})
    return code
