"""The port `Notes` from git alone: the list of commits since the previous release, as plain CommonMark."""

import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path

from tagtrail.io import process
from tagtrail.io.git import Git, lay_out, objects_missing
from tagtrail.io.scratch import scratch
from tagtrail.ports import Objects

__all__ = ["GitNotes"]

MOST = 200
"""Lines shown; of more it is said how many there are."""
_LONGEST = 200
_ID = 10


class GitNotes:
    """See `tagtrail.ports.Notes`. One line per commit that is no merge: a shortened id and the subject.

    Subjects are foreign text: every character that means something to CommonMark is escaped, what cannot be seen is
    left out, and addresses of people are too. How many people wrote is counted; who they are is not said.
    """

    def __init__(self, scratch_root: Path) -> None:
        self._scratch = scratch_root

    def read(self, objects: Objects, commit: str, since: str | None) -> str:
        """See `tagtrail.ports.Notes`. Raises ProjectError `objects-missing`."""
        with scratch(self._scratch, "notes") as room:
            git = lay_out(objects, room, head=commit, bare=True)
            commits = _commits(git, commit, f"{since}..{commit}" if since else commit)
        people = len({who for _, who, _ in commits})
        count = (
            f"{_counted(len(commits), 'commit')} by {_counted(people, 'person', 'people')}" if commits else "No commits"
        )
        title = f"{count} since the previous release." if since else f"The first release: {count}."
        lines = [f"- `{oid[:_ID]}` {_escaped(subject)}" for oid, _, subject in commits[:MOST]]
        rest = [f"- and {len(commits) - MOST} earlier ones"] if len(commits) > MOST else []
        return "\n".join([title, "", *lines, *rest]).rstrip("\n") + "\n"


def _commits(git: Git, commit: str, which: str) -> Sequence[tuple[str, str, str]]:
    """(id, who, subject), newest first."""
    done = git.run(
        "rev-list", "--no-merges", "--topo-order", "--no-commit-header", "--encoding=UTF-8", "--format=%H%x00%ae%x00%s",
        which, "--",
    )  # fmt: skip
    if not done.ok:
        raise objects_missing(commit, process.said(done.err, 3))
    lines = [line.split("\0", 2) for line in done.out.decode("utf-8", "replace").split("\n") if line]
    return [(line[0], line[1].casefold(), line[2]) for line in lines if len(line) == 3]


def _counted(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"


def _escaped(subject: str) -> str:
    """Text that CommonMark (and what finds links in it) shows as it is, within one line after a code span."""
    seen = "".join(c if unicodedata.category(c)[0] not in "CZ" else " " for c in subject)
    text = " ".join(re.sub(r"\S+@\S+\.\S+", "...", seen).split())
    text = text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."
    return re.sub(r"([\\`*_\[\]<>&|~#!@$]|:(?=//)|(?<=[Ww]{3})\.)", r"\\\1", text)
