"""What people and programs see of events: JSON lines, plain lines, or plain lines above a block that updates in place.

One event is one line of JSON (docs/events.schema.json). For people each event is a line or none; the states of effects
are gathered and said once for each target. Foreign text is never trusted: control characters are shown, not sent.
"""

import contextlib
import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from io import TextIOWrapper
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TextIO

if TYPE_CHECKING:
    from rich.live import Live

    from tagtrail.app.terminal.phrases import Line

__all__ = ["Console"]

LONG = 1.0
"""Seconds from which on a step's duration is worth a word."""

_ENDS = ("tag", "already", "status", "outcome", "refused")
"""Events before which the states of effects are said: they begin or end something."""

_COLOURS = {"bad": "31", "warn": "33", "good": "32", "strong": "1", "quiet": "2"}


class Console:
    """Where a command tells what happens. Telling never fails: a reader that went away is no reason to stop. Its words
    are loaded with the first event: a release has something to begin before.

    `json` is whether events are shown as they are, and not put into words. Where both streams are read `together`, a
    refusal does not say again what findings said above it.
    """

    def __init__(
        self,
        out: TextIO,
        err: TextIO,
        *,
        as_json: bool = False,
        live: bool = False,
        colour: bool = False,
        together: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._out = out
        self._err = err
        self.json = as_json
        self._colour = colour
        self._findings: list[Mapping[str, Any]] | None = [] if together else None
        self._clock = clock
        self._block = _Block(out) if live else None
        self._rows: dict[str, dict[str, str]] = {}
        self._took: dict[str, float] = {}
        self._since = clock()
        self.timed = True
        """Whether a step's seconds are shown; where requests come and go, they would be somebody else's."""
        self._gone: list[TextIO] = []

    @classmethod
    def standard(cls, *, json: bool) -> Self:
        """On this process's streams: a live block on a terminal, unless CI is set; colour, unless NO_COLOR is."""
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")
        terminal = sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb"
        live = terminal and not json and not os.environ.get("CI")
        colour = terminal and not os.environ.get("NO_COLOR")
        return cls(sys.stdout, sys.stderr, as_json=json, live=live, colour=colour, together=_one_place())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def tell(self, name: str, fields: Mapping[str, Any]) -> None:
        """Render an event (ports.Tell)."""
        if self.json:
            self._write(self._out, json.dumps({"event": name, **fields}, default=str) + "\n")
        elif name == "bytes":
            self._progress(fields)
        elif name == "row":
            self._row(fields)
        else:
            self._say(name, fields)

    def line(self, text: str) -> None:
        """A line for people; with `--json`, a `note`."""
        self.tell("note", {"text": text})

    def answer(self, fields: Mapping[str, Any]) -> None:
        """With `--json`, the answer of a command that is asked one thing: a line by itself, no event."""
        if self.json:
            self._write(self._out, json.dumps(fields) + "\n")

    def close(self) -> None:
        """Say what was gathered, and take the block away."""
        self._gathered()
        if self._block:
            self._block.stop()

    def _say(self, name: str, fields: Mapping[str, Any]) -> None:
        from tagtrail.app.terminal import phrases

        if name in _ENDS:
            self._gathered()
        if name == "finding" and self._findings is not None:
            self._findings.append(fields)
        if name == "refused" and self._findings:
            fields, self._findings = phrases.unsaid(fields, self._findings), []
        stream = self._err if name == "refused" else self._out
        for line in phrases.lines(name, fields):
            self._print(line, stream)

    def _row(self, fields: Mapping[str, Any]) -> None:
        from tagtrail.app.terminal import phrases

        about = [str(fields.get(key, "")) for key in ("target", "path", "state")]
        self._rows.setdefault(about[0], {})[about[1]] = about[2]
        self._took[about[0]] = self._took.get(about[0], 0.0) + self._lap()
        for line in phrases.lines("row", fields):
            self._print(line, self._out)
        if self._block:
            self._block.show([line.plain() for line in phrases.gathered(self._rows)])

    def _gathered(self) -> None:
        if not self._rows:
            return
        from tagtrail.app.terminal import phrases

        (rows, self._rows), (took, self._took) = (self._rows, {}), (self._took, {})
        self._lap()  # since the last answer: nobody's time
        for target, line in zip(rows, phrases.gathered(rows), strict=True):
            self._print(line, self._out, took[target])

    def _progress(self, fields: Mapping[str, Any]) -> None:
        if self._block:
            from tagtrail.app.terminal import phrases

            self._block.show([phrases.progress(fields).plain()])

    def _lap(self) -> float:
        """Seconds since the last line, or the last answer of a place."""
        took, self._since = self._clock() - self._since, self._clock()
        return took

    def _print(self, line: "Line", stream: TextIO, before: float = 0.0) -> None:
        took = before + self._lap()
        late = f"   {took:.1f} s" if self.timed and line.step and took >= LONG else ""
        if self._block:
            self._block.stop()
        coloured = self._colour and (stream is self._out or stream.isatty())
        self._write(stream, (_painted(line) if coloured else line.plain()) + late + "\n")

    def _write(self, stream: TextIO, text: str) -> None:
        if stream in self._gone:
            return
        try:
            stream.write(text)
            stream.flush()
        except OSError:
            self._gone.append(stream)


def _one_place() -> bool:
    """Whether output and errors go to one terminal, pipe or file."""
    try:
        return os.path.sameopenfile(sys.stdout.fileno(), sys.stderr.fileno())
    except (OSError, ValueError):  # closed, or no file at all
        return False


def _painted(line: "Line") -> str:
    from tagtrail.app.terminal.phrases import shown

    paint = {tone: f"\x1b[{code}m" for tone, code in _COLOURS.items()}
    return "".join(f"{paint[tone]}{shown(text)}\x1b[0m" if tone else shown(text) for tone, text in line.parts)


class _Block:
    """The lines at the bottom of a terminal that are drawn anew; rich draws them, and is loaded with the first."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._live: Live | None = None

    def show(self, lines: list[str]) -> None:
        from rich.text import Text

        if self._live is None:
            from rich.console import Console as Terminal
            from rich.live import Live

            terminal = Terminal(file=self._out, highlight=False, markup=False)
            self._live = Live(console=terminal, transient=True, auto_refresh=False, redirect_stdout=False)
            with contextlib.suppress(OSError):
                self._live.start()
        with contextlib.suppress(OSError):
            self._live.update(Text("\n".join(lines), no_wrap=True, overflow="ellipsis"), refresh=True)

    def stop(self) -> None:
        if self._live is not None:
            with contextlib.suppress(OSError):
                self._live.stop()
            self._live = None
