"""An organisation that does not use tagtrail: its index, its tarballs and its tags side by side."""

import pytest

from tagtrail.model.facts import Survey
from tagtrail.workflows.audit.existing import Tag, Told, differences

A, B = "a" * 64, "b" * 64
ON_INDEX = (("nova-1.0.tar.gz", A), ("nova-1.0-py3-none-any.whl", B))
TARBALLS = (("nova-1.0.tar.gz", A), ("nova-1.0.tar.gz.asc", ""))
TAGS = (Tag(name="1.0", signed=True), Tag(name="1.0-eol", signed=False), Tag(name="start", signed=True))


def told(
    index: tuple[tuple[str, str], ...] = ON_INDEX,
    tarballs: tuple[tuple[str, str], ...] = TARBALLS,
    tags: tuple[Tag, ...] | None = TAGS,
) -> Told:
    return Told(
        project="nova",
        index=Survey(target="index", files=index),
        tarballs=Survey(target="tarballs", files=tarballs),
        tags=tags,
    )


def test_what_agrees_is_no_difference() -> None:
    assert differences(told()) == (1, (), 0)


NEW = ("nova-2.0.tar.gz", A)
NEW_SIGNED = (NEW, ("nova-2.0.tar.gz.asc", ""))
SECOND = (*TAGS, Tag(name="v2.0", signed=True))


@pytest.mark.parametrize(
    ("places", "codes", "cells"),
    [
        (told(index=(*ON_INDEX, NEW), tags=SECOND), ("no-tarball",), ("1", "none", "signed")),
        (told(tarballs=(*TARBALLS, *NEW_SIGNED), tags=SECOND), ("not-on-index",), ("none", "1", "signed")),
        (told(tags=SECOND), ("no-release",), ("none", "none", "signed")),
        (told(index=(*ON_INDEX, NEW), tarballs=(*TARBALLS, *NEW_SIGNED)), ("no-tag",), ("1", "1", "none")),
        (
            told((*ON_INDEX, NEW), (*TARBALLS, *NEW_SIGNED), (*TAGS, Tag(name="2.0", signed=False))),
            ("tag-unsigned",),
            ("1", "1", "unsigned"),
        ),
        (told((*ON_INDEX, NEW), (*TARBALLS, NEW), SECOND), ("signature-missing",), ("1", "1", "signed")),
        (told(tarballs=(("nova-1.0.tar.gz", B), TARBALLS[1])), ("two-digests",), ("2", "1", "signed")),
        (told(index=(("Nova_1.0.0.tgz", A),)), ("spelling",), ("1", "1", "signed")),
    ],
)
def test_one_difference_at_a_time(places: Told, codes: tuple[str, ...], cells: tuple[str, ...]) -> None:
    _, (found,), untold = differences(places)
    assert (found.codes, found.cells, untold) == (codes, cells, 0)


def test_what_nobody_tells_is_counted() -> None:
    assert differences(told(tarballs=(("nova-1.0.tar.gz", ""), TARBALLS[1]))) == (1, (), 1)


def test_what_is_so_everywhere_is_said_once() -> None:
    files = tuple((f"nova-{n}.0.tar.gz", A) for n in range(1, 5))
    _, found, _ = differences(told(files, files, tuple(Tag(name=f"{n}.0", signed=False) for n in range(1, 5))))
    assert [(one.name, one.codes) for one in found] == [
        ("every version", ("signature-missing",)),
        ("every version", ("tag-unsigned",)),
    ]


def test_a_place_that_does_not_answer_lacks_nothing() -> None:
    silent = Told(project="nova", index=Survey(target="index", silent="down"), tarballs=told().tarballs, tags=TAGS)
    assert differences(silent) == (1, (), 0)
    alone = Told(project="nova", index=Survey(target="index", silent="down"), tags=TAGS)
    assert differences(alone)[1] == ()
