"""A witness over HTTP: one attempt at c2sp.org/tlog-witness `add-checkpoint` for each call."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from tagtrail.formats.encoding import shown
from tagtrail.formats.witness import (
    ADD_CHECKPOINT,
    MAX_ANSWER,
    Request,
    encode_cosignatures,
    parse_cosignatures,
    parse_size,
)
from tagtrail.io.http import Reply, post
from tagtrail.model.errors import Error, RemoteError, SetupError, TamperError
from tagtrail.ports import Behind

__all__ = ["HttpWitness"]

T = TypeVar("T")


class HttpWitness:
    """The port `Witness`. `url` is the witness's submission prefix, as the policy's line names it.

    Cosignatures of whatever keys are handed on: the policy decides whose count.
    """

    def __init__(self, url: str) -> None:
        self._url = f"{url.rstrip('/')}/{ADD_CHECKPOINT}"

    def add_checkpoint(self, old: int, proof: Sequence[bytes], note: bytes) -> bytes:
        """See `tagtrail.ports.Witness`."""
        request = Request(old=old, proof=tuple(proof), note=note)
        try:
            reply = post(self._url, request.encode(), MAX_ANSWER)
        except RemoteError as error:
            raise RemoteError(error.what, code="witness-unreachable", why=error.why) from error
        if reply.status == 200:
            return encode_cosignatures(self._read(parse_cosignatures, reply))
        if reply.status == 409:
            raise Behind(self._read(parse_size, reply))
        raise self._refusal(reply)

    def _read(self, parse: Callable[[bytes], T], reply: Reply) -> T:
        try:
            return parse(reply.body)
        except TamperError as error:
            what = f"{self._url} answers {reply.status} with what is no such answer"
            raise RemoteError(what, code="witness-reply", why=error.what) from error

    def _refusal(self, reply: Reply) -> Error:
        what, why = f"{self._url} answers {reply.status}", f"it says {shown(reply.body.rstrip())}" if reply.body else ""
        if reply.status == 422:
            return TamperError(f"{what}: this tree does not contain what it cosigned", code="witness-refused", why=why)
        if reply.status in (403, 404):
            thing = "the log's key" if reply.status == 403 else "the log"
            hint = "give the log's key to who runs the witness, or take the witness out of the policy"
            return SetupError(f"{what}: it does not know {thing}", code="witness-unknown-log", why=why, hint=hint)
        return RemoteError(what, code="witness-reply", why=why)
