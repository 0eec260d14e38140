"""What a test plants for the hostile: secrets, a process, servers; and what the hostile need to know to look for it."""

import contextlib
import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

SECRETS = (
    "home/private/log.key", "home/private/release-key.pgp", "home/state/tagtrail.db", "home/kept/0f/0f",
    "home/state/scratch/tmp-build-1/tree/other.py", "home/state/envs/other/lib/secret.py", "user/.ssh/id_ed25519",
    "user/.netrc", "user/.config/gh/hosts.yml", "other-checkout/settings.py",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Planted:
    """`facts` is what the hostile are told; the victim is a process of ours that they should not harm."""

    facts: dict[str, Any]
    victim: subprocess.Popen[bytes]

    def unharmed(self) -> bool:
        """Nothing was written outside, and nobody was killed."""
        return self.victim.poll() is None and not list(Path(self.facts["outside"]).iterdir())


@contextlib.contextmanager
def planted(root: Path) -> Iterator[Planted]:
    """Everything below `root`, for everybody to read: what keeps the hostile away must not be a mode."""
    canary, name, mark = (f"{word}-{uuid4().hex}" for word in ("canary", "name", "mark"))
    root.mkdir(parents=True)
    secrets = [root / path for path in SECRETS] + [root / "user" / name]
    for path in secrets:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{canary}\n")
        path.chmod(0o666)
    outside = root / "outside"
    outside.mkdir()
    outside.chmod(0o777)
    with contextlib.ExitStack() as stack:
        tcp = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        udp = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        udp.bind(("127.0.0.1", 0))
        threading.Thread(target=_echo, args=(udp,), daemon=True).start()
        unix, abstract = (stack.enter_context(socket.socket(socket.AF_UNIX)) for _ in range(2))
        unix.bind(str(root / "agent"))
        (root / "agent").chmod(0o777)
        abstract.bind(f"\0{mark}")
        for server in (unix, abstract):
            server.listen()
        argv = [sys.executable, "-c", "import time; time.sleep(600)", mark]
        victim = stack.enter_context(subprocess.Popen(argv, env={"TOKEN": canary}))
        stack.callback(victim.kill)
        facts = {
            "canary": canary, "name": name, "mark": mark, "root": str(root), "outside": str(outside),
            "secrets": [str(path) for path in secrets], "victim": victim.pid, "spared": [],
            "tcp": tcp.getsockname()[1], "udp": udp.getsockname()[1], "unix": str(root / "agent"), "abstract": mark,
        }  # fmt: skip
        (root / "facts.json").write_text(json.dumps(facts))
        yield Planted(facts, victim)


def _echo(udp: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while True:
            data, who = udp.recvfrom(1)
            udp.sendto(data, who)
