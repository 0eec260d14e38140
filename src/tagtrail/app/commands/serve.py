"""`tagtrail serve [--listen HOST:PORT]`: uploads of files built elsewhere, and the staging index."""

import argparse
import time
from threading import Lock
from typing import Any

from tagtrail.app.terminal.console import Console

__all__ = ["arguments", "run"]

LISTEN = "127.0.0.1:8081"
LARGEST = 512
"""Megabytes of the largest upload."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """[--listen HOST:PORT] [--largest MB] [--open-staging]."""
    parser.add_argument("--listen", metavar="HOST:PORT", default=LISTEN, help=f"{LISTEN} by default; port 0: any")
    parser.add_argument(
        "--largest", metavar="MB", type=int, default=LARGEST, help=f"of one upload; {LARGEST} by default"
    )
    parser.add_argument(
        "--open-staging", action="store_true", help="show drafts to whoever asks (else to the project's builders)"
    )


def run(args: argparse.Namespace, console: Console) -> int:
    """0 when it was stopped. Raises SetupError."""
    from tagtrail.app.instance.home import find_home
    from tagtrail.app.instance.reading import open_instance
    from tagtrail.app.serve.identity import desk
    from tagtrail.app.serve.web import Gatehouse, application
    from tagtrail.app.serve.witness import address, serve

    home, one = find_home(args.home), Lock()
    settings = open_instance(home).settings
    host, port = address(args.listen, LISTEN)
    console.timed = False

    def tell(name: str, fields: Any) -> None:
        with one:  # requests are answered in several threads
            console.tell(name, fields)

    house = Gatehouse(home=home, desk=desk(home, _now), tell=tell, open_staging=args.open_staging, one=Lock())

    def ready(url: str) -> None:
        console.tell(
            "serving", {"name": settings.org.origin, "url": url, "logs": 0, "projects": len(settings.projects)}
        )

    serve(application(house), host, port, ready, largest=args.largest << 20)
    text = "everything that was answered is staged"
    console.tell("outcome", {"exit": 0, "state": "stopped", "text": text, "next": f"tagtrail -C {home} status"})
    return 0


def _now() -> int:
    return int(time.time())  # noqa: TID251  (a command is where the clock is read)
