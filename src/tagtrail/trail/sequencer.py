"""The sequencer: gives drafts their place and time in the trail, and never signs two roots of one size.

The order of things, each of which can be the last before a crash:

1. what the public shows must be a prefix of ours, or we stop (a restored back-up, a copied HOME);
2. one transaction reads the largest checkpoint, inserts the leaves, signs, inserts the checkpoint (its size is unique)
   and commits; whoever lost the race starts again;
3. only committed checkpoints are shown (`tagtrail.trail.show`).

Append is idempotent: a draft that stands in the trail already gives the entry that stands there.
"""

from collections.abc import Callable, Iterable, Sequence

from tagtrail.formats import entry, merkle, note
from tagtrail.formats.drafts import draft_digest, seal
from tagtrail.formats.marks import draft_mark, key_mark, release_mark, withdraw_mark
from tagtrail.model.errors import ProjectError, RemoteError, TamperError
from tagtrail.model.facts import Draft, Entry
from tagtrail.model.names import name_key
from tagtrail.ports import Clock, Committed, Ledger, Reading, Writing

__all__ = ["append", "draft_digest", "find_release", "find_withdrawal", "guard", "refuse_withdrawn"]


_CLAIMS = ("release", "import")
"""Events whose files have their digests for ever."""


def append(
    drafts: Sequence[Draft],
    *,
    after: Committed | None,
    ledger: Ledger,
    log: note.AnySigner,
    clock: Clock,
    last: Callable[[], object] = tuple,
) -> tuple[Entry, ...]:
    """Put drafts into the trail, in this order and under one new checkpoint; returns their entries.

    `after` is the largest checkpoint that the drafts were made for. `last` is called in the transaction, before
    anything is signed: what it raises undoes it. Raises RemoteError `trail-moved` if there is a
    larger
    one by now; TamperError `version-taken` (the version is there with another draft), `name-taken` (a file name is
    there with other bytes); ProjectError `version-withdrawn`.
    """
    with ledger.writing() as trail:
        before = trail.committed()
        if before != after:
            raise RemoteError("somebody else appended to the trail first", code="trail-moved", hint="run it again")
        size = before.size if before else 0
        entries = []
        for draft in drafts:
            standing = _standing(trail, draft)
            entries.append(standing or _insert(trail, draft, size, clock))
            size += standing is None
        if size > (before.size if before else 0):
            last()
            trail.commit(before, _checkpoint(trail, size, log))
    return tuple(entries)


def guard(ledger: Reading, log: note.Verifier, shown: Iterable[bytes]) -> None:
    """Stop where somebody shows a checkpoint under our key that is no prefix of our trail.

    Raises TamperError `trail-ahead` (they show more than we have), `trail-forked` (another root), `note-*`,
    `checkpoint-*`.
    """
    ours = ledger.committed()
    for data in shown:
        public = note.parse_checkpoint(note.open_note(data, [log]).note.text)
        if ours is None or public.size > ours.size:
            raise TamperError(
                f"the public checkpoint has {public.size} entries, this instance has {ours.size if ours else 0}",
                code="trail-ahead",
                why="this is an old copy of the instance; signing now would make a second tree under one name",
                hint="restore the newest copy of the instance's directory; sign nothing with this one",
            )
        if merkle.root(public.size, ledger.node) != public.root:
            raise TamperError(
                f"the public checkpoint of {public.size} entries has another root than ours",
                code="trail-forked",
                why="two instances have signed with one log key",
                hint="stop both, keep both, and compare their entries: `tagtrail audit`",
            )


def find_release(ledger: Reading, project: str, version: str) -> Entry | None:
    """The newest entry of this version, however it is written (PEP 440), or None."""
    return ledger.marked(release_mark(project, version))


def find_withdrawal(ledger: Reading, project: str, version: str) -> Entry | None:
    """The newest entry that takes back this version, however it is written, or None."""
    return ledger.marked(withdraw_mark(project, version))


def refuse_withdrawn(ledger: Reading, project: str, version: str) -> None:
    """Raises ProjectError `version-withdrawn` where this version was taken back."""
    if gone := find_withdrawal(ledger, project, version):
        raise ProjectError(
            f"{gone.project} {gone.version} is withdrawn since entry {gone.index}: {gone.reason or 'no reason given'}",
            code="version-withdrawn",
            why="what was withdrawn never comes back, and its names never mean other bytes",
            hint="release under a new version",
        )


def _standing(trail: Reading, draft: Draft) -> Entry | None:
    same = trail.marked(draft_mark(draft.digest))
    if not draft.version:
        return None if same and same.event == "key" and _superseded(trail, same) else same
    if same is None:
        refuse_withdrawn(trail, draft.project, draft.version)
    found = find_release(trail, draft.project, draft.version)
    if same is not None or found is None or _extends(draft, found):
        return same
    raise TamperError(
        f"{draft.project} {draft.version} is entry {found.index} of the trail already, with other content",
        code="version-taken",
        why="a version is released once",
        hint=f"look: tagtrail status {draft.project} {draft.version}; then release under a new version",
    )


def _extends(draft: Draft, before: Entry) -> bool:
    """Whether a draft says of the same tag all files of the version's newest entry, and adds exactly what it says."""
    after = entry.parse(before.index + 1, seal(draft, before.time))
    named, known = ({(f.name, f.sha256) for f in e.files} for e in (after, before))
    new = {name for name, _ in named - known}
    return bool(new) and known < named and {*after.added} == new and after.tag == before.tag


def _superseded(trail: Reading, key: Entry) -> bool:
    """Whether a later `key` entry gave one of its names another digest: naming the old one again says something new."""
    newest = {f.name: f.sha256 for file in key.files if (e := trail.marked(key_mark(file.name))) for f in e.files}
    return any(newest.get(file.name, file.sha256) != file.sha256 for file in key.files)


def _insert(trail: Writing, draft: Draft, index: int, clock: Clock) -> Entry:
    last = trail.entries(index - 1, index)
    time = max(clock(), last[0].time if last else 0)
    new = entry.parse(index, seal(draft, time))
    claimed = entry.named_files(new) if new.event in _CLAIMS else ()
    names = {name_key(new.project, f.name): f.sha256 for f in claimed}
    trail.insert(new, merkle.complete(index, merkle.leaf_hash(new.raw), trail.node), names)
    return new


def _checkpoint(trail: Reading, size: int, log: note.AnySigner) -> Committed:
    root = merkle.root(size, trail.node)
    text = note.Checkpoint(origin=log.name, size=size, root=root).text()
    return Committed(size=size, root=root, note=note.sign(text, [log]).encode().decode())
