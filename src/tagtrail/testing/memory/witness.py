"""A witness in memory: cosigns what extends what it cosigned before; it can be down, and it can lose a reply."""

from collections.abc import Sequence
from threading import Lock

from tagtrail.formats import merkle, note
from tagtrail.model.errors import RemoteError, SetupError, TamperError
from tagtrail.ports import Behind, Clock
from tagtrail.testing.fuse import Fuse

__all__ = ["Witness"]


class Witness:
    """The port `Witness`. `signer` is a key of type 0x04, `logs` are the keys that it knows, by the origin they name.

    While `down` is true nothing arrives; while `lost` is, all is done and no reply arrives. Both are a RemoteError
    `witness-unreachable`. `seen` holds the last cosigned checkpoint and its time by origin.
    """

    def __init__(
        self, signer: note.Signer, logs: tuple[note.Verifier, ...], clock: Clock, fuse: Fuse | None = None
    ) -> None:
        self.signer = signer
        self.logs = logs
        self.clock = clock
        self.fuse = fuse or Fuse()
        self.down = False
        self.lost = False
        self.seen: dict[str, tuple[note.Checkpoint, int]] = {}
        self._one = Lock()

    def add_checkpoint(self, old: int, proof: Sequence[bytes], note: bytes) -> bytes:
        """See `tagtrail.ports.Witness`."""
        if self.down:
            raise self._unreachable()
        with self._one, self.fuse.around("witness.cosign"):
            line = self._cosign(old, proof, note)
        if self.lost:
            raise self._unreachable()
        return line

    def _cosign(self, old: int, proof: Sequence[bytes], data: bytes) -> bytes:
        checkpoint = note.parse_checkpoint(note.parse(data).text)
        self._check_known(checkpoint.origin, data)
        before, time = self.seen.get(checkpoint.origin, (None, 1))
        if old > checkpoint.size:
            what = f"witness {self.signer.name} cannot read a growth from {old} to {checkpoint.size}"
            raise RemoteError(what, code="witness-reply")
        size = before.size if before else 0
        if old != size:
            raise Behind(size)
        root = before.root if before else merkle.EMPTY_ROOT
        try:
            merkle.verify_consistency(old, checkpoint.size, root, checkpoint.root, proof)
        except TamperError as error:
            what = f"witness {self.signer.name} does not cosign size {checkpoint.size}: {error.what}"
            raise TamperError(what, code="witness-refused", why=error.why) from error
        time = max(time, self.clock())
        self.seen[checkpoint.origin] = checkpoint, time
        signed = note.sign(checkpoint.text(), [self.signer], time=time)
        return signed.signatures[0].line().encode()

    def _check_known(self, origin: str, data: bytes) -> None:
        try:
            note.open_note(data, [log for log in self.logs if log.name == origin])
        except TamperError as error:
            what = f"witness {self.signer.name} does not know {origin} or its key"
            raise SetupError(what, code="witness-unknown-log", why=error.what) from error

    def _unreachable(self) -> RemoteError:
        return RemoteError(f"witness {self.signer.name} does not answer", code="witness-unreachable")
