"""A real witness on loopback: the command itself, in a process of its own."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, Self

from tagtrail.formats.note import Signer, Verifier, parse_vkey

TAGTRAIL = str(Path(sys.executable).with_name("tagtrail"))
PATIENCE = 60


def tagtrail(*words: object) -> tuple[int, list[dict[str, Any]]]:
    """A command's exit code and events."""
    command = [TAGTRAIL, "--json", *map(str, words)]
    ended = subprocess.run(command, capture_output=True, check=False, timeout=PATIENCE)
    return ended.returncode, [json.loads(line) for line in ended.stdout.splitlines()]


class Server:
    """`tagtrail witness serve` in a new directory, knowing some logs."""

    def __init__(self, directory: Path, *logs: Signer) -> None:
        self.directory = directory
        _, events = tagtrail("witness", "init", directory, "--name", "witness.example.org/w1")
        self.vkey = str(events[0]["vkey"])
        for log in logs:
            tagtrail("witness", "add", directory, log.verifier.vkey())
        self.url = ""
        self.process: subprocess.Popen[bytes] | None = None

    @classmethod
    def again(cls, directory: Path) -> "Server":
        """One more for a directory that is there."""
        server = cls.__new__(cls)
        server.directory, server.url, server.process = directory, "", None
        return server

    @property
    def verifier(self) -> Verifier:
        return parse_vkey(self.vkey)

    def start(self) -> Self:
        command = [TAGTRAIL, "--json", "witness", "serve", str(self.directory)]
        self.process = subprocess.Popen([*command, "--listen", "127.0.0.1:0"], stdout=subprocess.PIPE)
        assert self.process.stdout
        ready = json.loads(self.process.stdout.readline())
        assert ready["event"] == "serving"
        self.url = ready["url"]
        return self

    def stop(self, number: int = signal.SIGTERM) -> tuple[int, list[dict[str, Any]]]:
        """The exit code and the events since it was ready."""
        assert self.process
        os.kill(self.process.pid, number)
        out, _ = self.process.communicate(timeout=PATIENCE)
        code, self.process = self.process.returncode, None
        return code, [json.loads(line) for line in out.splitlines()]

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        if self.process:
            self.stop()
