"""What an archive may hold: the rules that every member's name, kind and size must keep before it is unpacked.

Archives are written by foreign code, so they are read as an enemy's. Each refusal is a ProjectError with its own code:

    archive-damaged     not an archive of its kind, cut off, wrong checksum
    archive-trailing    bytes after the end (a second stream, an appended archive), or of no member of a zip
    archive-size        more than `Limits` allow, unpacked
    archive-name        empty parts, `.`, control characters, not UTF-8, longer or deeper than a system opens
    archive-outside     absolute, a drive letter, or `..`: also as a link's target
    archive-link        a link where there may be none, to what is not there, or that nobody can follow
    archive-ambiguous   a header in which one reader finds other names, links or bytes than another
    archive-type        a device, a pipe, a sparse file, encryption: anything but file, directory, link
    archive-setuid      a file with the set-user-id or set-group-id bit
    archive-duplicate   one name twice, or a member below one that is no directory
    archive-case        names, or directories in them, that differ only by case or Unicode form
    archive-top         an sdist whose members do not lie in one top directory

Source distributions: https://packaging.python.org/en/latest/specifications/source-distribution-format/ ("Source
distribution archive features"). The normal forms are in `tagtrail.formats.tarball` and `tagtrail.formats.zipball`.
"""

import re
from collections.abc import Iterable
from itertools import pairwise
from typing import Literal

from tagtrail.model.errors import ProjectError
from tagtrail.model.frozen import frozen
from tagtrail.model.names import fold

__all__ = ["Limits", "Member", "check_members", "check_name", "refusal"]

Kind = Literal["file", "directory", "link"]

_LONGEST, _DEEPEST = 4096, 100
"""Bytes of a path, as far as Linux opens them, and its parts: also of a link's target."""

_CHAIN = 40
"""Links that Linux follows for one path."""


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
        size = len(name.encode("utf-8"))
    except UnicodeEncodeError:
        raise refusal("name", f"the archive has a member whose name is not UTF-8: {name[:_LONGEST]!a}") from None
    if size > _LONGEST or name.count("/") >= _DEEPEST:
        what = f"the archive has a member whose name has {size} bytes in {name.count('/') + 1} parts: {name[:60]!a}..."
        raise refusal("name", what, f"at most {_LONGEST} bytes in {_DEEPEST} parts can be unpacked everywhere")
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
    found: list[tuple[str, Member]] = []
    for member in members:
        check_name(member.name)
        found.append((_key(member.name), member))
    found.sort(key=lambda pair: pair[0])
    for (key, one), (other_key, other) in pairwise(found):
        if key == other_key or not _are_beside(one.name, other.name):
            _check_pair(one, other)
    links = {key: member for key, member in found if member.kind == "link"}
    ends: dict[str, _End | None] = {}
    for key, link in links.items():
        _check_target(link, depth)
        _followed(key, links, ends, depth)


def _key(name: str) -> str:
    """What is equal for two names of one place somewhere, and sorts a directory right before what lies in it."""
    folded = name.lower() if name.isascii() else "/".join(fold(part).replace("/", "") for part in name.split("/"))
    return folded.replace("\\", "\0").replace("/", "\0")


def _are_beside(one: str, other: str) -> bool:
    """Whether two names stand in one directory, spelled alike: that is so for most, and soon said."""
    return one.rpartition("/")[0] == other.rpartition("/")[0] and "\\" not in one + other


def _check_pair(one: Member, other: Member) -> None:
    """Two neighbours in the order of their keys: no two directories, seen or implied, differ by case alone, and only
    a directory has something below."""
    if one.name == other.name:
        raise refusal("duplicate", f"the archive has {one.name!r} twice")
    mine, theirs = (re.split(r"[/\\]", member.name) for member in (one, other))
    for here, there in zip(mine, theirs, strict=False):
        if here != there:
            if _key(here) == _key(there):
                raise _case(one, other)
            return
    if len(mine) == len(theirs):
        raise _case(one, other)
    if one.kind != "directory":
        raise refusal("duplicate", f"the archive has {other.name!r} below the {one.kind} {one.name!r}")


def _case(one: Member, other: Member) -> ProjectError:
    return refusal("case", f"the archive has {one.name!r} and {other.name!r}: one place where case is not kept")


def _check_target(member: Member, least: int) -> None:
    """A link is followed by its letters: it must stay so many directories deep at every step."""
    target = member.target
    parts = target.split("/")
    if len(target.encode("utf-8", "surrogateescape")) > _LONGEST or len(parts) > _DEEPEST:
        raise refusal("link", f"the link {member.name!r} has a target of {len(target)} characters: {target[:60]!a}...")
    if not target or re.match(r"[/\\]|[A-Za-z]:", target) or "\0" in target:
        raise _outside(member)
    depth = member.name.count("/")
    for part in re.split(r"[/\\]", target):
        depth += {"": 0, ".": 0, "..": -1}.get(part, 1)
        if depth < least:
            raise _outside(member)
    if "\\" in target or "\\" in member.name:
        raise refusal("link", f"the link {member.name!r} to {target!r} leads elsewhere where a backslash is a slash")


def _outside(member: Member) -> ProjectError:
    return refusal("outside", f"the link {member.name!r} leads outside: {member.target!r}")


_End = tuple[str, int]
"""Where a link leads, as a key, and how many links were followed one after the other."""


def _followed(
    key: str, links: dict[str, Member], ends: dict[str, _End | None], least: int, before: int = 1
) -> _End | None:
    """A link is followed as a system does, through the archive's other links; None for a ring, which ends nowhere.

    From there some go on by the letters, so nothing may lead up behind a ring.
    """
    if key in ends:
        return ends[key]
    link, here, chain = links[key], key.rpartition("\0")[0], 1
    ends[key] = None
    parts = link.target.split("/")
    for number, part in enumerate(parts, 1):
        if part in {"", "."}:
            continue
        if part == "..":
            if here.count("\0") + bool(here) <= least:
                raise _outside(link)
            here = here.rpartition("\0")[0]
            continue
        here = f"{here}\0{_key(part)}" if here else _key(part)
        if here in links:
            end = _followed(here, links, ends, least, before + 1) if before < _CHAIN else ("", _CHAIN)
            if end is None and ".." in parts[number:]:
                raise _outside(link)
            if end is None:
                return None
            here, chain = end[0], max(chain, end[1] + 1)
        if chain > _CHAIN or len(here) > _LONGEST or here.count("\0") >= _DEEPEST:
            raise refusal(
                "link", f"the link {link.name!r} leads through more links or directories than a system follows"
            )
    ends[key] = here, chain
    return ends[key]
