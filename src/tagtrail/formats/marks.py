"""The marks by which an entry is found without reading the trail: an index of what entries say, made from them alone.

    release nova 1         a release of project nova (PEP 503), version 1.0.0 (PEP 440 without trailing zeros)
    withdraw nova 1        its withdrawal
    draft 5f0c...          the entry that the draft of this digest became, whatever the event
    key root.json          a `key` entry that names a root; what numbers a file is no part of its mark (`12.root.json`)

Under one mark the newest entry is found.
"""

import re

from tagtrail.formats.drafts import draft_digest
from tagtrail.model.entry import Entry
from tagtrail.model.names import project_key, version_key

__all__ = ["draft_mark", "key_mark", "marks_of", "release_mark", "withdraw_mark"]


def marks_of(entry: Entry) -> tuple[str, ...]:
    """Every mark of an entry."""
    marks = [draft_mark(draft_digest(entry.raw))]
    if entry.event == "release":
        marks.append(release_mark(entry.project, entry.version))
    if entry.event == "withdraw":
        marks.append(withdraw_mark(entry.project, entry.version))
    if entry.event == "key":
        marks += [key_mark(file.name) for file in entry.files]
    return tuple(dict.fromkeys(marks))


def release_mark(project: str, version: str) -> str:
    """The mark of a version of a project, in any spelling of both."""
    return f"release {project_key(project)} {version_key(version)}"


def withdraw_mark(project: str, version: str) -> str:
    """The mark of the withdrawal of a version of a project, in any spelling of both."""
    return f"withdraw {project_key(project)} {version_key(version)}"


def draft_mark(digest: str) -> str:
    """The mark of a draft by its digest."""
    return f"draft {digest}"


def key_mark(name: str) -> str:
    """The mark of a file that `key` entries name, such as `site.json`, or `root.json` of any version."""
    return f"key {re.sub('^[0-9]+[.]', '', name)}"
