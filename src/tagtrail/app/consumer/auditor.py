"""What an auditor remembers: the last checkpoint that he found no fault with, one for each origin and question.

    $XDG_STATE_HOME/tagtrail/audit/ORIGIN[;project=NAME][;policy].checkpoint     the signed note, as the site showed it
    $XDG_STATE_HOME/tagtrail/audit/ORIGIN.evidence/SIZE-ROOT.checkpoint          two of a log that cannot both be true

ORIGIN is percent-encoded. A checkpoint is replaced by one of a larger tree only, and only after an audit without
findings. An audit of one project, or without a root of trust, looks at less: it has a memory of its own.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from tagtrail.formats import note
from tagtrail.formats.note import Checkpoint
from tagtrail.model.errors import TamperError

__all__ = ["Memory"]

_SUFFIX = ".checkpoint"


class Memory:
    """The remembered checkpoints in one directory. `about` tells audits of different extent apart."""

    def __init__(self, directory: Path, origin: str, about: str = "") -> None:
        self.path = directory / f"{_safe(origin)}{about}{_SUFFIX}"
        self._evidence = directory / f"{_safe(origin)}.evidence"

    @classmethod
    def standard(
        cls, origin: str, *, project: str = "", judged: bool = True, env: Mapping[str, str] | None = None
    ) -> "Memory":
        """This user's; `judged` says that signers are judged. An XDG_STATE_HOME that is not absolute is ignored."""
        named = Path((os.environ if env is None else env).get("XDG_STATE_HOME") or "")
        state = named if named.is_absolute() else Path.home() / ".local" / "state"
        about = (f";project={_safe(project)}" if project else "") + ("" if judged else ";policy")
        return cls(state / "tagtrail" / "audit", origin, about)

    def last(self) -> bytes:
        """The remembered note; empty where there is none."""
        return self.path.read_bytes() if self.path.is_file() else b""

    def remember(self, seen: bytes) -> None:
        """Move on to a larger tree, whole or not at all. Raises SetupError `disk-full`, `not-writable`."""
        from tagtrail.io import durable

        before = self.last()
        if not before or _checkpoint(before).size < _checkpoint(seen).size:
            durable.write(self.path, seen, mode=0o600)

    def keep_evidence(self, *notes: bytes) -> tuple[Path, ...]:
        """Notes that contradict each other, kept for whoever must be shown. Raises as `remember`."""
        from tagtrail.io import durable

        kept = []
        for data in filter(None, notes):
            head = _checkpoint(data)
            kept.append(self._evidence / f"{head.size}-{head.root.hex()[:16]}{_SUFFIX}")
            durable.write(kept[-1], data)
        return tuple(kept)


def _checkpoint(data: bytes) -> Checkpoint:
    try:
        return note.parse_checkpoint(note.parse(data).text)
    except TamperError as error:
        what = f"a remembered checkpoint cannot be read: {error.what}"
        raise TamperError(what, code=error.code, why=error.why) from None


def _safe(name: str) -> str:
    return quote(name, safe="").replace("~", "%7E").replace(".", "%2E") if name in (".", "..") else quote(name, safe="")
