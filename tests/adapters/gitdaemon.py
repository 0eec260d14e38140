"""git's own server on a free port of the loopback."""

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PATIENCE = 60.0
"""Seconds until it must answer."""


@contextmanager
def git_daemon(base: Path) -> Iterator[str]:
    """The address under which it serves the repositories in `base`, as long as the block lasts.

    A port that somebody else took meanwhile is its end: then it is started on another.
    """
    daemon, port = _started(base)
    try:
        yield f"git://127.0.0.1:{port}"
    finally:
        os.killpg(daemon.pid, 15)
        daemon.wait()


def _started(base: Path) -> tuple["subprocess.Popen[bytes]", int]:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        where = ("--listen=127.0.0.1", f"--port={port}", f"--base-path={base}")
        daemon = subprocess.Popen(
            ["git", "daemon", "--export-all", "--reuseaddr", *where],
            stderr=subprocess.DEVNULL, start_new_session=True, env={"PATH": os.environ["PATH"], "HOME": str(base)},
        )  # fmt: skip
        while daemon.poll() is None and time.monotonic() < until:
            with socket.socket() as knock:
                if knock.connect_ex(("127.0.0.1", port)) == 0 and daemon.poll() is None:
                    return daemon, port
            time.sleep(0.02)
        daemon.kill()
        daemon.wait()
    raise TimeoutError(f"git daemon does not answer within {PATIENCE:.0f} s")
