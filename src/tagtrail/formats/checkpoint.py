r"""A checkpoint: the head of a log, which its log and its witnesses sign as a note.

    example.com/behind-the-sofa                          origin: the log's name
    20852163                                             tree size
    CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=         root hash (RFC 6962) of that many entries

These three lines are the note's text, each with its newline; behind them may stand extension lines, none empty.
Source: c2sp.org/tlog-checkpoint; stricter than it, an origin is a key name (no space, no `+`), and no line holds
U+0085, U+2028 or U+2029, which many tools take for the end of a line.
Reason codes: checkpoint-*.
"""

from tagtrail.formats.encoding import HASH_SIZE, base64_decode, base64_encode, decimal, key_name, shown
from tagtrail.model.errors import TamperError
from tagtrail.model.frozen import frozen

__all__ = ["Checkpoint", "parse_checkpoint"]


@frozen
class Checkpoint:
    """The head of a log: what its log signs. `root` is 32 bytes."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def text(self) -> str:
        """The note's text; `parse_checkpoint` gives this checkpoint back."""
        lines = (self.origin, str(self.size), base64_encode(self.root), *self.extensions)
        return "".join(f"{line}\n" for line in lines)


def parse_checkpoint(text: str) -> Checkpoint:
    """The checkpoint that a note's text is.

    Raises TamperError checkpoint-lines, checkpoint-separator, checkpoint-origin, checkpoint-size, checkpoint-root,
    checkpoint-root-size, checkpoint-extension.
    """
    lines = text.split("\n")
    if len(lines) < 4 or lines.pop():
        what = f"{shown(text)} is not a checkpoint"
        raise TamperError(what, code="checkpoint-lines", why="origin, size and root, each with its newline")
    for separator in "\x85\u2028\u2029":
        if separator in text:
            raise TamperError(f"the checkpoint holds {shown(separator)}", code="checkpoint-separator")
    if "" in lines[3:]:
        raise TamperError("the checkpoint has an empty extension line", code="checkpoint-extension")
    root = base64_decode(lines[2], "checkpoint-root")
    if len(root) != HASH_SIZE:
        what = f"the root has {len(root)} bytes instead of {HASH_SIZE}"
        raise TamperError(what, code="checkpoint-root-size")
    return Checkpoint(
        origin=key_name(lines[0], "checkpoint-origin"),
        size=decimal(lines[1], "checkpoint-size"),
        root=root,
        extensions=tuple(lines[3:]),
    )
