"""Where the log of a build lies: `logs/PROJECT-VERSION.log` in the state's directory, of its output the last MiB."""

import re
from pathlib import Path

from tagtrail.io import durable
from tagtrail.ports import BuildOrder

__all__ = ["keep_log", "log_of", "plain_name"]

_MOST = 1 << 20


def log_of(state: Path, order: BuildOrder, what: str = "") -> Path:
    """The log's path; `what` tells two parts of one build apart."""
    part = f".{what}" if what else ""
    return state / "logs" / f"{plain_name(order.project)}-{plain_name(order.version)}{part}.log"


def keep_log(path: Path, said: bytes) -> None:
    """Write what a build said; it takes the place of the last one's. Raises SetupError `disk-full`, `not-writable`."""
    durable.write(path, said[-_MOST:], sync=False)


def plain_name(text: str) -> str:
    """A name that is safe in a path."""
    return re.sub(r"[^A-Za-z0-9._+-]", "_", text)
