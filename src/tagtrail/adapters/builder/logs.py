"""Where the log of a build lies: `logs/PROJECT-VERSION.log` in the state's directory, of its output the last MiB."""

import re
from pathlib import Path

from tagtrail.io import durable
from tagtrail.model.names import says_version
from tagtrail.ports import BuildOrder

__all__ = ["keep_log", "log_of", "logs_of", "plain_name"]

_MOST = 1 << 20


def log_of(state: Path, order: BuildOrder, what: str = "") -> Path:
    """The log's path; `what` tells two parts of one build apart."""
    part = f".{what}" if what else ""
    return state / "logs" / f"{plain_name(order.project)}-{plain_name(order.version)}{part}.log"


def keep_log(path: Path, said: bytes) -> None:
    """Write what a build said; it takes the place of the last one's. Raises SetupError `disk-full`, `not-writable`."""
    durable.write(path, said[-_MOST:], sync=False)


def logs_of(state: Path, project: str, version: str) -> tuple[Path, ...]:
    """The logs that there are of a release; `version` may be its tag."""
    start = f"{plain_name(project)}-"
    found = sorted((state / "logs").glob(f"{start}*.log"))
    return tuple(path for path in found if _is_of(path.name.removeprefix(start).removesuffix(".log"), version))


def _is_of(name: str, version: str) -> bool:
    stems = (name, name.rpartition(".")[0])
    return any(stem and (plain_name(version) == stem or says_version(version, stem)) for stem in stems)


def plain_name(text: str) -> str:
    """A name that is safe in a path."""
    return re.sub(r"[^A-Za-z0-9._+-]", "_", text)
