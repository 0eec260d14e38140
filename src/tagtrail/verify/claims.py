"""What verification says to people: what is proven of a file, and what somebody only says.

Each claim has a stable name. Proven: `tag`, `entry`, `same-tar`. Not proven: `unwitnessed`, `signer-claimed`,
`signer-expired`, `built-claimed`, `brought`, `imported`, `generated`, `approvals-claimed`, `root-expired`,
`withdrawals-unchecked`. Whatever an entry says is shown without control characters.
"""

from collections.abc import Iterator, Sized

from tagtrail.formats.encoding import shown
from tagtrail.formats.policy import Policy
from tagtrail.formats.root import Root
from tagtrail.formats.times import format_time
from tagtrail.model.entry import Entry, File
from tagtrail.model.frozen import frozen
from tagtrail.verify.proofs import Proven
from tagtrail.verify.tags import JudgedTag

__all__ = ["Claim", "is_imported", "not_proven", "proven", "seen"]


@frozen
class Claim:
    """One thing that is proven, or that is not: its stable name, and a sentence."""

    name: str
    text: str


def proven(found: Proven, file: File, trust: Root | Policy, judged: JudgedTag | None) -> Iterator[Claim]:
    """What holds, whoever lies; `judged` is None where the signer was not checked."""
    entry, checked = found.entry, found.checked
    if judged is not None and isinstance(trust, Root):
        allowed = dict(trust.signers)[entry.project]
        since = max(a.start for a in allowed if a.key == judged.signer and a.start <= entry.index)
        tag = f"tag {_plain(judged.name)} on {judged.object[:8]}, signed by {judged.signer}"
        yield Claim(name="tag", text=f"{tag} (allowed for {_plain(entry.project)} since entry {since})")
    yield Claim(name="entry", text=f"entry {entry.index} of {_plain(checked.checkpoint.origin)}, {seen(found)}")
    same = [other.name for other in entry.files if other.tar and other.tar == file.tar and other.name != file.name]
    if same:
        yield Claim(name="same-tar", text=f"same tar as {', '.join(same)}")


def seen(found: Proven) -> str:
    """Who saw the entry: `witnessed 2 of 3 at TIME: a, b; b is the operator's own`."""
    own = ", ".join(_plain(one.name) for one in found.seen if one.own)
    if found.witnessed is None:
        return f"unwitnessed (only by the operator's own {own})" if own else "unwitnessed"
    names = ", ".join(_plain(one.name) for one in found.seen)
    who = f"{names}; {own} {'are' if ', ' in own else 'is'} the operator's own" if own else names
    return f"witnessed {found.checked.cosigned} of {found.checked.countable} at {format_time(found.witnessed)}: {who}"


def not_proven(
    found: Proven, file: File, trust: Root | Policy, judged: JudgedTag | None, now: int, *, head: int | None = None
) -> Iterator[Claim]:
    """What rests on somebody's word, or was not looked at; `head` is the size of a newer tree that is known."""
    entry = found.entry
    if found.witnessed is None:
        word = "the operator's word, and that of a witness of his own" if found.seen else "the operator's word"
        yield Claim(name="unwitnessed", text=f"its time, {format_time(entry.time)} ({word})")
    if judged is not None and judged.expired(now) and (found.witnessed is None or found.frozen):
        text = "that the tag was signed before its signer's key expired (the operator's word)"
        yield Claim(name="signer-expired", text=text)
    if judged is None and entry.tag is not None:
        yield Claim(name="signer-claimed", text=f"signer: claimed, not checked ({_plain(entry.tag.signer)})")
    yield _origin(entry, file)
    if file.generated:
        more = ", ..." if len(file.generated) > 4 else ""
        names = ", ".join(_plain(name) for name in file.generated[:4])
        folded = any("*" in name for name in file.generated)
        what = "generated members" if folded else _count(file.generated, "generated member")
        yield Claim(name="generated", text=f"{what}: {names}{more}")
    if entry.approvals:
        yield Claim(name="approvals-claimed", text=f"{_count(entry.approvals, 'approval')} (the operator's word)")
    if isinstance(trust, Root) and trust.expires <= now:
        text = f"that root {trust.version} is the newest: it expired at {format_time(trust.expires)}"
        yield Claim(name="root-expired", text=text)
    if head is None or head > entry.index + 1:
        yield Claim(name="withdrawals-unchecked", text=f"that it was not withdrawn {_later(entry.index, head)}")


def is_imported(entry: Entry, file: File) -> bool:
    """Whether nobody here saw the file being released."""
    return entry.event == "import" or file.origin.how == "imported"


def _origin(entry: Entry, file: File) -> Claim:
    if is_imported(entry, file):
        return Claim(name="imported", text="that it is the original (imported: the operator's word)")
    if file.origin.how == "built":
        return Claim(name="built-claimed", text="the build (the operator says that it was made from the tag)")
    return Claim(name="brought", text=f"the build (brought by {_plain(file.origin.by)}, not built here)")


def _later(index: int, head: int | None) -> str:
    if head is None:
        return "since (`tagtrail audit` of its site tells)"
    entries = f"entry {head - 1}" if head == index + 2 else f"entries {index + 1} to {head - 1}"
    return f"in {entries} (`tagtrail audit` reads {'it' if head == index + 2 else 'them'})"


def _count(things: Sized, noun: str) -> str:
    return f"{len(things)} {noun}{'' if len(things) == 1 else 's'}"


def _plain(text: str) -> str:
    return shown(text, 120)[1:-1]
