"""The suite of the port Source: what is at a tag, and what a build at it may see."""

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha1, sha256

from tagtrail.model.errors import SetupError
from tagtrail.ports import Source
from tagtrail.testing.suites.promise import equal, holds, refusal

__all__ = ["CHECKS", "Case"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """`repo` is a path (or names one) of a repository with a history of three commits, oldest first.

    Tags: annotated `1.0` on the first, annotated `1.1` and `1.1-rc` and lightweight `light` on the second, annotated
    `2.0` on the third, which is HEAD. `raw` are the annotated tags' objects by name, as git stores their content;
    `times` the commits' committer times; `pyprojects` their pyproject.toml (None: no such file).
    """

    open: Callable[[], Source]
    repo: str
    commits: tuple[str, str, str]
    times: tuple[int, int, int]
    pyprojects: tuple[str | None, str | None, str | None]
    raw: dict[str, bytes]


def _id(raw: bytes, like: str) -> str:
    content = b"tag %d\0%s" % (len(raw), raw)
    return sha256(content).hexdigest() if len(like) == 64 else sha1(content, usedforsecurity=False).hexdigest()


def an_annotated_tag(case: Case) -> None:
    """Its object as stored, that object's id, and the commit it points at, with its time and texts."""
    for name, place in (("1.0", 0), ("1.1", 1), ("1.1-rc", 1), ("2.0", 2)):
        found = case.open().read(case.repo, name)
        equal((found.kind, found.name), ("annotated", name), "an annotated tag")
        equal(found.raw, case.raw[name], "the raw object is what git stores")
        equal(found.object, _id(case.raw[name], case.commits[0]), "the id is that of the raw object")
        facts = (found.commit, found.time, found.pyproject)
        wanted = (case.commits[place], case.times[place], case.pyprojects[place])
        equal(facts, wanted, "commit, time and pyproject.toml are those of the tagged commit")


def a_light_tag(case: Case) -> None:
    """A commit, and no object to judge."""
    found = case.open().read(case.repo, "light")
    equal((found.kind, found.raw, found.object), ("light", None, None), "a lightweight tag has no object")
    equal((found.commit, found.time), (case.commits[1], case.times[1]), "its commit is the one that it names")


def an_absent_tag(case: Case) -> None:
    """What is at HEAD, or at `at`; the start of a tag's name, another case or a branch is no tag."""
    for name in ("3.0", "1", "v1.0", "Light", "tags/1.0"):
        found = case.open().read(case.repo, name)
        equal((found.kind, found.raw, found.object), ("absent", None, None), f"there is no tag {name}")
        equal((found.commit, found.time), (case.commits[2], case.times[2]), "HEAD is what would be tagged")
        equal(case.open().read(case.repo, name, case.commits[0]).commit, case.commits[0], "or the commit asked for")


def a_commit_that_is_asked_for(case: Case) -> None:
    """Counts even where the tag exists."""
    found = case.open().read(case.repo, "1.0", case.commits[1])
    equal((found.kind, found.raw), ("annotated", case.raw["1.0"]), "the tag is still what it is")
    equal((found.commit, found.time), (case.commits[1], case.times[1]), "the commit is the one asked for")
    equal(found.pyproject, case.pyprojects[1], "and so are its texts")


def no_repository(case: Case) -> None:
    """`repo-missing`."""
    with refusal(SetupError, "repo-missing"):
        case.open().read(f"{case.repo}-that-is-not-there", "1.0")


def all_tags_unpeeled(case: Case) -> None:
    """Sorted by name; of annotated tags the object's id, of others the commit's."""
    ids = {name: _id(raw, case.commits[0]) for name, raw in case.raw.items()} | {"light": case.commits[1]}
    equal(case.open().tags(case.repo), tuple(sorted(ids.items())), "all tags, unpeeled, sorted")


def all_tags_peeled(case: Case) -> None:
    """Sorted by name; of annotated tags and others the commit's id."""
    places = {"1.0": 0, "1.1": 1, "1.1-rc": 1, "light": 1}
    wanted = tuple(sorted((name, case.commits[place]) for name, place in places.items()))
    found = tuple(pair for pair in case.open().peeled(case.repo) if pair[0] in places)
    equal(found, wanted, "all tags, peeled, sorted")


def what_a_build_may_see(case: Case) -> None:
    """The released tag, earlier ones, and of those on the same commit no other: a later tag must not change a build."""
    ids = {name: _id(raw, case.commits[0]) for name, raw in case.raw.items()} | {"light": case.commits[1]}
    for name, place, seen in (("1.0", 0, ["1.0"]), ("1.1", 1, ["1.0", "1.1"]), ("1.1-rc", 1, ["1.0", "1.1-rc"])):
        objects = case.open().objects(case.repo, name, case.commits[place])
        wanted = [(f"refs/tags/{n}", ids[n]) for n in seen]
        equal(sorted(objects.refs), wanted, f"a build at {name} sees these tags")
        form = "sha256" if len(case.commits[0]) == 64 else "sha1"
        equal(objects.object_format, form, "the object format is the repository's")


def no_local_path_gets_out(case: Case) -> None:
    """The address of a path on this disk is `local:NAME`: it goes into the trail."""
    found = case.open().read(case.repo, "1.0").repo
    holds(found.startswith("local:") and "/" not in found, f"{found} is no public address")


def a_file_at_a_commit(case: Case) -> None:
    """Its bytes there; None where there is no such file."""
    for commit, text in zip(case.commits, case.pyprojects, strict=True):
        wanted = text.encode() if text else None
        equal(case.open().file(case.repo, commit, "pyproject.toml"), wanted, "the file is the one at that commit")
    for path in ("nowhere", "pyproject", "pyproject.toml/x"):
        equal(case.open().file(case.repo, case.commits[0], path), None, f"there is no {path}")


def a_directory_at_a_commit(case: Case) -> None:
    """A file is none."""
    for path in ("nowhere", "pyproject.toml", "pyproject.toml/x"):
        holds(not case.open().has_directory(case.repo, case.commits[0], path), f"there is no directory {path}")


def branches_that_have_a_commit(case: Case) -> None:
    """By their short names; HEAD is on `main`."""
    for commit in case.commits:
        holds("main" in case.open().branches(case.repo, commit), "main has every commit")


def objects_that_are_not_there(case: Case) -> None:
    """Commits and tags are there; what nobody made is lacking."""
    there = (*case.commits, *(_id(raw, case.commits[0]) for raw in case.raw.values()))
    lost = ("0" * len(case.commits[0]), "1" * len(case.commits[0]))
    equal(case.open().lacking(case.repo, there), (), "every commit and tag is there")
    equal(case.open().lacking(case.repo, (lost[1], *there, lost[0])), lost[::-1], "those that nobody made, in order")
    equal(case.open().lacking(case.repo, ()), (), "of nothing, nothing is lacking")


CHECKS: tuple[Callable[[Case], None], ...] = (
    an_annotated_tag,
    a_light_tag,
    an_absent_tag,
    a_commit_that_is_asked_for,
    no_repository,
    all_tags_unpeeled,
    all_tags_peeled,
    what_a_build_may_see,
    no_local_path_gets_out,
    a_file_at_a_commit,
    a_directory_at_a_commit,
    branches_that_have_a_commit,
    objects_that_are_not_there,
)
