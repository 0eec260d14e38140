"""A consumer's desk: a release's files in a directory, and commands run in this process."""

import argparse
import io
import json
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from tagtrail.app.terminal.console import Console
from tests.verify.workshop import CONTENT, NAME, Workshop, envelope


@dataclass(frozen=True)
class Said:
    """What a command said: its exit code and its events."""

    code: int
    events: tuple[dict[str, Any], ...]

    def of(self, name: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event["event"] == name]

    @property
    def verdicts(self) -> list[tuple[str, str]]:
        return [(Path(event["file"]).name, event["code"] or "ok") for event in self.of("verified")]


def said(command: ModuleType, *words: object) -> Said:
    """Run `command` with these words; errors that it does not tell itself are raised."""
    parser = argparse.ArgumentParser()
    parser.add_argument("-C", dest="home")
    command.arguments(parser)
    out = io.StringIO()
    with Console(out, out, as_json=True) as console:
        code = command.run(parser.parse_args([str(word) for word in words]), console)
    return Said(code=code, events=tuple(json.loads(line) for line in out.getvalue().splitlines()))


def lay(directory: Path, shop: Workshop | None = None) -> Path:
    """The release of a workshop in a directory; the artifact's path."""
    shop = shop or Workshop()
    directory.mkdir(parents=True, exist_ok=True)
    (directory / NAME).write_bytes(CONTENT)
    (directory / f"{NAME}.tlog-proof").write_bytes(shop.case.proof)
    (directory / "nova-1.0.0.tag").write_bytes(shop.tag)
    return directory / NAME


def lay_root(path: Path, shop: Workshop | None = None) -> Path:
    """The signed root of a workshop as a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(envelope((shop or Workshop()).root))
    return path
