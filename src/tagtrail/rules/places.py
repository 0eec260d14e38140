"""Rules about the places that a release would go to: whose the name is there, may we, is there room, what is there."""

import re
from collections.abc import Iterator, Mapping

from tagtrail.model.facts import Survey
from tagtrail.model.names import name_key, project_key, version_key
from tagtrail.rules.book import Rule, Said, rule
from tagtrail.rules.facts import Before
from tagtrail.rules.versions import parse

__all__ = ["PLACES"]


@rule("PLACE001", "place-name", needs=("places",))
def place_name(facts: Before) -> Iterator[Said]:
    """At every place the project's name is ours, or free.

    Where somebody else has it, nothing of ours would ever be taken there, and whoever installs by that name gets
    theirs. Found out after the release was logged, half of it would be published.

        bad   mylib           (a project of other people at the index)
        good  mylib           (nobody's there yet; or a project that our account maintains)
    """
    for place in facts.surveys:
        if place.name == "taken":
            yield Said(
                text=f"{place.target}: the name {facts.project.name} belongs to somebody else{_noted(place)}",
                fix=f"have the owners add the account of {place.target}, or take another name; "
                f"without it: take {place.target!r} out of publish for {facts.project.name}",
            )


@rule("PLACE002", "place-upload", needs=("places",))
def place_upload(facts: Before) -> Iterator[Said]:
    """The account that the settings name may upload, at every place.

    A token that expired, or that is for another project, is found out before anything is built.

        bad   a token of the project otherlib
        good  a token of the project mylib, or of an account that maintains it
    """
    for place in facts.surveys:
        if place.may_upload is False:
            yield Said(
                text=f"{place.target}: the account may not upload files of {facts.project.name}{_noted(place)}",
                fix=f"put a token that may where [targets.{place.target}] looks for it",
            )


@rule("PLACE003", "place-room", needs=("places", "version"))
def place_room(facts: Before) -> Iterator[Said]:
    """There is room for the release, at every place.

    How large it will be nobody knows before the build: the last release stands in, and is only warned about. A place
    with nothing left is an error.

        bad   a quota of 10 GB, used up
        asked 3 MB left       (the last release has 5 MB)
        good  8 GB left
    """
    sizes = _last_sizes(facts)
    for place in facts.surveys:
        left, most = place.quota, place.limit
        if left is not None and left <= 0:
            text = f"{place.target}: no room is left for {facts.project.name}{_noted(place)}"
            yield Said(text=text, fix=_MORE.format(place.target), code="place-full")
        elif left is not None and left < sum(sizes):
            text = f"{place.target}: {left:,} bytes are left, the last release has {sum(sizes):,}"
            yield Said(text=text, fix=_MORE.format(place.target), level="warning")
        if most is not None and most < max(sizes, default=0):
            text = f"{place.target}: a file may have {most:,} bytes, the last release has one of {max(sizes):,}"
            yield Said(text=text, fix=_MORE.format(place.target), code="place-file-limit", level="warning")


_MORE = "have the limit of {0} raised, or remove what nobody needs there"


def _last_sizes(facts: Before) -> tuple[int, ...]:
    last = next((e for e in reversed(facts.history) if e.event == "release" and e.files), None)
    return tuple(file.size for file in last.files) if last else ()


@rule("PLACE004", "place-files", needs=("places", "version"))
def place_files(facts: Before) -> Iterator[Said]:
    """No place has files of this version that the trail does not have, or others than the trail's under one name.

    One name has one digest for ever. A place that keeps its bytes would take ours never, one that forgets would show
    two files under one name to two people. Names are compared as installers do (My_Lib-1.0 is my-lib-1.0).

        bad   mylib-1.2.0.tar.gz    (at the index, uploaded by hand; 1.2.0 is not released here)
        bad   mylib-1.1.0.tar.gz    (at the index with another digest than the trail's)
        good  mylib-1.1.0.tar.gz    (at the index as in the trail)
    """
    trail = {name_key(e.project, f.name): f.sha256 for e in facts.history for f in e.files if e.event in _NAMES}
    for place in facts.surveys:
        yield from _other_bytes(place, trail, facts)
        strays = sorted(name for name, _ in _named(place, facts) if _stray(facts, name, trail))
        if strays:
            text = f"{place.target} has {_listed(strays)} already, and the trail does not have {facts.version}"
            fix = "tag the next version; or remove them there, if nobody can have fetched them"
            yield Said(text=text, fix=fix, code="place-version-taken")


_NAMES = ("release", "import")


def _other_bytes(place: Survey, trail: Mapping[str, str], facts: Before) -> Iterator[Said]:
    named = ((name, digest, trail.get(name_key(facts.project.name, name), "")) for name, digest in _named(place, facts))
    other = sorted((name, digest, ours) for name, digest, ours in named if digest and ours and digest != ours)
    if other:
        name, digest, ours = other[0]
        more = f" (and {len(other) - 1} more)" if other[1:] else ""
        yield Said(
            text=f"{place.target} shows {name} as {digest[:16]}..., the trail has {ours[:16]}...{more}",
            fix=f"find out who put it there before anything else is released: sha256sum of {name} from both",
        )


def _named(place: Survey, facts: Before) -> Iterator[tuple[str, str]]:
    """(file name, digest) of what bears the project's name."""
    own = project_key(facts.project.name)
    return ((name, digest) for name, digest in place.files if project_key(name).startswith(f"{own}-"))


def _stray(facts: Before, name: str, trail: Mapping[str, str]) -> bool:
    """Whether a file is of this version, which the trail does not have."""
    return (
        facts.taken is None
        and name_key(facts.project.name, name) not in trail
        and _says(facts.project.name, name, facts.version)
    )


def _says(project: str, name: str, version: str) -> bool:
    """Whether a file is of this version: what follows the project's name, as far as it reads as a version."""
    from packaging.utils import InvalidWheelFilename, parse_wheel_filename

    try:
        return version_key(str(parse_wheel_filename(name)[1])) == version_key(version)
    except InvalidWheelFilename:
        rest = name[len(project) + 1 :][:_LONG].removeprefix("v")
    heads = (rest[: cut.start()] for cut in re.finditer(r"[-_.+]|$", rest))
    return version_key(max(filter(parse, heads), key=len, default="")) == version_key(version)


_LONG = 200
"""Characters of a name that are read."""


def _listed(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if names[3:] else "")


def _noted(place: Survey) -> str:
    return f" ({place.note})" if place.note else ""


PLACES: tuple[Rule[Before], ...] = (place_name, place_upload, place_room, place_files)
