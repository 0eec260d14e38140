"""What an archive may hold: the rules that every member's name, kind and size must keep before it is unpacked.

Archives are written by foreign code, so they are read as an enemy's. Each refusal is a ProjectError with its own code:

    archive-damaged     not an archive of its kind, cut off, wrong checksum
    archive-trailing    bytes after the end (a second stream, an appended archive), or of no member of a zip
    archive-size        more than `Limits` allow, unpacked
    archive-name        empty parts, `.`, control characters, not UTF-8
    archive-outside     absolute, a drive letter, or `..`: also as a link's target
    archive-link        a link where there may be none, or to what is not there
    archive-type        a device, a pipe, a sparse file, encryption: anything but file, directory, link
    archive-setuid      a file with the set-user-id or set-group-id bit
    archive-duplicate   one name twice, or a member below one that is no directory
    archive-case        names that differ only by case or Unicode form
    archive-top         an sdist whose members do not lie in one top directory

Source distributions: https://packaging.python.org/en/latest/specifications/source-distribution-format/ ("Source
distribution archive features"). The normal forms are in `tagtrail.formats.tarball` and `tagtrail.formats.zipball`.
"""

import re
from collections.abc import Iterable
from typing import Literal

from tagtrail.model.errors import ProjectError
from tagtrail.model.frozen import frozen
from tagtrail.model.names import fold

__all__ = ["Limits", "Member", "check_members", "check_name", "refusal"]

Kind = Literal["file", "directory", "link"]


@frozen
class Limits:
    """How much an archive may hold: bytes when unpacked, and members."""

    unpacked: int = 2 << 30
    members: int = 200_000


@frozen
class Member:
    """One member. `name` has no trailing slash; `target` is a link's; `offset` is where a file's bytes lie in a tar."""

    name: str
    kind: Kind = "file"
    executable: bool = False
    size: int = 0
    target: str = ""
    offset: int = 0


def refusal(code: str, what: str, why: str = "") -> ProjectError:
    """A refusal of an archive."""
    return ProjectError(what, code=f"archive-{code}", why=why, hint="build it again from the tag; look at the backend")


def check_name(name: str) -> None:
    """A member's name (without trailing slash). Raises ProjectError `archive-name` or `archive-outside`."""
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        raise refusal("name", f"the archive has a member whose name is not UTF-8: {name!a}") from None
    if re.search(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]", name):
        raise refusal("name", f"the archive has a member with a control character in its name: {name!a}")
    _check_inside(name, name)
    if any(part in {"", "."} for part in name.split("/")):
        raise refusal("name", f"the archive has a member with an empty part in its name: {name!r}")


def _check_inside(path: str, name: str) -> None:
    if re.match(r"[/\\]|[A-Za-z]:", path) or ".." in re.split(r"[/\\]", path):
        raise refusal("outside", f"the archive has a member that leads outside: {name!r}")


def check_members(members: Iterable[Member], depth: int = 1) -> None:
    """All names together, and where the links lead: inside the archive, `depth` directories below its top or deeper."""
    known: dict[str, Member] = {}
    folded: dict[str, str] = {}
    for member in members:
        check_name(member.name)
        if member.name in known:
            raise refusal("duplicate", f"the archive has {member.name!r} twice")
        twin = folded.setdefault(fold(member.name), member.name)
        if twin != member.name:
            raise refusal("case", f"the archive has {twin!r} and {member.name!r}: one file where case is not kept")
        known[member.name] = member
    for member in known.values():
        _check_place(member, known)
        if member.kind == "link":
            _check_target(member, depth)


def _check_place(member: Member, known: dict[str, Member]) -> None:
    parent = member.name.rpartition("/")[0]
    while parent:
        above = known.get(parent)
        if above is not None and above.kind != "directory":
            raise refusal("duplicate", f"the archive has {member.name!r} below the {above.kind} {parent!r}")
        parent = parent.rpartition("/")[0]


def _check_target(member: Member, least: int) -> None:
    """A link is followed by its letters: it must stay so many directories deep at every step."""
    if not member.target or re.match(r"[/\\]|[A-Za-z]:", member.target) or "\0" in member.target:
        raise refusal("outside", f"the link {member.name!r} leads outside: {member.target!r}")
    depth = member.name.count("/")
    for part in re.split(r"[/\\]", member.target):
        depth += {"": 0, ".": 0, "..": -1}.get(part, 1)
        if depth < least:
            raise refusal("outside", f"the link {member.name!r} leads outside: {member.target!r}")
