"""What an audit found: mismatches with a code, a path and both values, what was not compared, and over how much."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from tagtrail.model.errors import Error, RemoteError
from tagtrail.model.facts import Entry
from tagtrail.model.frozen import frozen

__all__ = ["SILENT", "Audited", "Mismatch", "Report", "unreachable"]

SILENT = 16
"""Paths that a site may fail to answer for before it is left alone."""


@frozen
class Mismatch:
    """One thing that is not as the trail says.

    `path` is a path of the site, or `entry N`. `there` is what was found, `expected` what the trail, or the auditor,
    says; where somebody refused to read on, `there` is his sentence. A warning is what may mend itself.
    """

    code: str
    path: str
    there: str
    expected: str = ""
    level: Literal["error", "warning"] = "error"

    @property
    def text(self) -> str:
        """All of it in a line."""
        return f"{self.path}: {self.there}" + (f"; expected: {self.expected}" if self.expected else "")


@frozen
class Audited:
    """What an audit found, over how much, and what it did not compare (what, why).

    `whole` says that it came to the end. `listed` are entries that people want to know of; `new` is how many entries
    the auditor had not seen before. `note` is the checkpoint that was judged.
    """

    origin: str = ""
    size: int = 0
    new: int = 0
    files: int = 0
    pages: int = 0
    findings: tuple[Mismatch, ...] = ()
    left_out: tuple[tuple[str, str], ...] = ()
    listed: tuple[Entry, ...] = ()
    note: bytes = b""
    whole: bool = True

    @property
    def exit_code(self) -> int:
        """0; 5 where only the newest entry is on its way or the site did not answer; 7."""
        if any(found.level == "error" for found in self.findings):
            return 7
        return 5 if self.findings else 0


@dataclass(slots=True)
class Report:
    """What one task of an audit found. Each has its own, and they are put together in order."""

    findings: list[Mismatch] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)
    seen: list[tuple[int, int]] = field(default_factory=list)
    files: int = 0
    pages: int = 0
    unsigned: int = 0

    @property
    def silences(self) -> int:
        """How often the site did not answer."""
        return sum(found.level == "warning" and found.code != "unfinished" for found in self.findings)

    def found(self, code: str, path: str, there: str, expected: str = "") -> None:
        """An alarm."""
        self.findings.append(Mismatch(code=code, path=path, there=there, expected=expected))

    def unfinished(self, path: str, there: str, expected: str) -> None:
        """What the newest entry wants and is still on its way."""
        self.findings.append(Mismatch(code="unfinished", path=path, there=there, expected=expected, level="warning"))

    def refused(self, path: str, error: Error) -> None:
        """What a reader of strict formats said, or the judge; or that the site did not answer."""
        if isinstance(error, RemoteError):
            self.findings.append(unreachable(path, error))
        else:
            self.found(error.code, path, error.what)

    def extend(self, found: Iterable[Mismatch]) -> None:
        """More of them."""
        self.findings.extend(found)

    def add(self, other: "Report") -> None:
        """What another task found."""
        self.findings += other.findings
        self.left_out |= other.left_out
        self.seen += other.seen
        self.files += other.files
        self.pages += other.pages
        self.unsigned += other.unsigned


def unreachable(path: str, error: RemoteError) -> Mismatch:
    """A path that did not answer: nobody knows what is there."""
    there = f"{error.what}: {error.why}" if error.why else error.what
    return Mismatch(code=error.code, path=path, there=there, level="warning")
