"""Which refs a build is shown: those that there were when what a tag's release is made of was built first.

A backend reads versions and change logs from tags, so another ref means other bytes. Once a build passed the rules,
its refs belong to the tag object until the release is logged, whatever is tagged meanwhile; a tag that moved begins
anew, and a build that failed has settled nothing.
"""

from collections.abc import Iterable
from hashlib import sha256

from tagtrail.model.errors import SetupError
from tagtrail.model.frozen import frozen, replace
from tagtrail.model.names import project_key
from tagtrail.ports import Journal, Objects, Source
from tagtrail.workflows.remembered import remembered

__all__ = ["check_refs", "first_seen", "shown"]

_NAMED = 5
"""Tags that a refusal names."""


@frozen
class _Seen:
    """What git showed to a build: (full ref name, object id)."""

    refs: tuple[tuple[str, str], ...]


def shown(journal: Journal, project: str, raw: bytes, objects: Objects) -> Objects:
    """The objects with the refs that a build of the tag object `raw` sees: the first build's, else those of now."""
    seen = remembered(journal, _key(project, raw), _Seen)
    return replace(objects, refs=seen.refs) if seen else objects


def first_seen(
    journal: Journal, project: str, raw: bytes, refs: tuple[tuple[str, str], ...]
) -> tuple[tuple[str, str], ...]:
    """Remember what a build that counts saw; what the first such build of the tag object saw stands."""
    seen = journal.once(_key(project, raw), _Seen, lambda: _Seen(refs=refs))
    return seen.refs if isinstance(seen, _Seen) else refs


def check_refs(refs: Iterable[tuple[str, str]], repo: str, source: Source, *, why: str, hint: str) -> None:
    """What git shows to a build is all there: without it, what is built would come out otherwise, and nothing would
    say so. Raises SetupError `refs-missing`."""
    refs = tuple(refs)
    lost = set(source.lacking(repo, (oid for _, oid in refs)))
    names = [f"{name.removeprefix('refs/tags/')} ({oid[:12]})" for name, oid in refs if oid in lost]
    if names:
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        what = f"{repo} lacks {len(names)} of {len(refs)} tags that the build read: {', '.join(names[:_NAMED])}{more}"
        raise SetupError(what, code="refs-missing", why=why, hint=hint)


def _key(project: str, raw: bytes) -> str:
    return f"refs:{project_key(project)}:{sha256(raw).hexdigest()}"
