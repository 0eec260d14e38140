"""An index as a target: the suite, and every fault with and without a journal: one copy with our digest, or a conflict
that is stated."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from tagtrail.adapters.index.shelf import Shelf
from tagtrail.adapters.index.target import IndexTarget
from tagtrail.formats.drafts import withdraw_draft
from tagtrail.model.errors import RemoteError
from tagtrail.model.facts import Effect, Row, Skip
from tagtrail.ports import Conflict, Refused, Unknown
from tagtrail.testing import samples
from tagtrail.testing.memory import Journal, Kept
from tagtrail.testing.suites import target as suite
from tagtrail.testing.suites.promise import refusal
from tagtrail.workflows.carry import drive, exit_code
from tests.adapters.shelved import NOW, digest, logged, target
from tests.adapters.strict_index import LIE, Fault, Index, served

pytestmark = pytest.mark.client  # real requests to a real server on loopback
SDIST, WHEEL = "nova-1.0.0.tar.gz", "nova-1.0.0-py3-none-any.whl"


@pytest.fixture
def index() -> Iterator[Index]:
    with served(Index()) as running:
        yield running


def effect(place: Any, kept: Kept, name: str = SDIST) -> Effect:
    return next(e for e in place.plan(logged(kept), None) if isinstance(e, Effect) and e.path == name)


# --- the suite ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("check", suite.CHECKS)
@pytest.mark.parametrize(
    ("form", "friendly"), [("json", True), ("json", False), ("html", True), ("html", False), ("bare", False)]
)
def test_suite(check: Callable[[suite.Case], None], form: Any, friendly: bool, index: Index) -> None:
    index.form, index.friendly = form, friendly
    kept = Kept()

    def alter(sha256: str) -> None:
        kept.blobs[sha256] = b"altered"

    def intrude(one: Effect) -> None:
        index.lay("nova", one.path, b"other bytes")

    first, later = logged(kept), logged(kept, 7, "1.1.0")
    case = suite.Case(
        target=target(index, kept), logged=first, later=later, intrude=intrude, alter=alter
    )  # fmt: skip
    check(case)


# --- the form -------------------------------------------------------------------------------------------------------


def test_what_is_sent(index: Index) -> None:
    kept = Kept()
    attested = {f"{WHEEL}.publish.attestation": b'{"version": 1}'}
    place = target(index, kept)
    for one in place.plan(logged(kept, more=attested), None):
        assert isinstance(one, Effect)
        place.apply(one)
    assert index.stored == [WHEEL, SDIST]
    wheel, sdist = index.fields
    assert (sdist["filetype"], sdist["pyversion"], "attestations" in sdist) == (["sdist"], ["source"], False)
    assert (wheel["filetype"], wheel["pyversion"], wheel["attestations"]) == (
        ["bdist_wheel"], ["py3"], ['[{"version": 1}]'],
    )  # fmt: skip
    assert {key: wheel[key] for key in ("name", "version", "metadata_version", "keywords", "license_file")} == {
        "name": ["nova"],
        "version": ["1.0.0"],
        "metadata_version": ["2.4"],
        "keywords": ["cloud, compute"],
        "license_file": ["LICENSE"],
    }
    assert wheel["classifiers"] == ["Programming Language :: Python :: 3", "Topic :: System"]
    assert wheel["project_urls"] == ["Home, https://nova.example.org/", "Source, https://git.example.org/nova"]
    assert wheel["description"] == ["nova: café\n"]


def test_what_an_index_does_not_take_is_skipped_and_said(index: Index) -> None:
    kept = Kept()
    place, fact = target(index, kept), logged(kept)
    without = tuple(one for one in fact.blobs if one.name != f"{SDIST}.metadata")
    other, skip = place.plan(replace(fact, blobs=without), None)
    assert isinstance(skip, Skip)
    assert isinstance(other, Effect)
    assert (skip.what, other.path) == (SDIST, WHEEL)


def test_survey(index: Index) -> None:
    index.lay("nova", "nova-0.9.tar.gz", b"old")
    found = target(index, Kept()).survey("Nova")
    assert [name for name, _ in found.files] == ["nova-0.9.tar.gz"]
    assert target(index, Kept()).survey("unheard-of").files == ()


# --- the table of faults --------------------------------------------------------------------------------------------

FAULTS: tuple[Fault, ...] = (
    "fine", "lost", "lost-before", "500-before", "500-after", "502-after", "403", "429", "429-date", "503", "slow",
    "hang", "garbled",
)  # fmt: skip


def carried(index: Index, *, lost: bool, wait: float = 5.0) -> tuple[tuple[Row, ...], list[int]]:
    """Run it again until it is done; with `lost`, the journal of the first run is gone. The codes of all runs."""
    kept, now, codes = Kept(), [NOW], []
    fact, journal = logged(kept), Journal()
    rows: tuple[Row, ...] = ()
    for turn in range(12):
        place = target(index, kept, wait=wait, now=now[0])
        if lost and turn == 1:
            journal = Journal()
        for _ in range(2):
            rows = drive(
                fact, place, journal, notice=None, ours=not (lost and turn), clock=lambda: now[0], tell=lambda *_: None
            )
        codes.append(exit_code(rows))
        if codes[-1] in (0, 6):
            break
        now[0] += 600
    return rows, codes


@pytest.mark.parametrize("lost", [False, True], ids=["kept", "lost"])
@pytest.mark.parametrize("friendly", [False, True], ids=["strict", "friendly"])
@pytest.mark.parametrize("stale", [0, 3])
@pytest.mark.parametrize("fault", FAULTS)
def test_one_copy_with_our_digest(fault: Fault, stale: int, friendly: bool, lost: bool) -> None:
    with served(Index(script=[fault], stale=stale, friendly=friendly)) as index:
        rows, codes = carried(index, lost=lost, wait=0.15 if fault == "hang" else 5.0)
    assert [row.state for row in rows] == ["seen", "seen"], [row.why for row in rows]
    assert {row.receipt.sha256 for row in rows if row.receipt} == {digest(SDIST), digest(WHEEL)}
    assert sorted(index.stored) == sorted([SDIST, WHEEL])
    assert codes[-1] == 0
    assert set(codes[:-1]) <= {4, 5}


@pytest.mark.parametrize("lost", [False, True], ids=["kept", "lost"])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_lying_page_is_a_conflict(fault: Fault, lost: bool) -> None:
    with served(Index(script=[fault], lies=True)) as index:
        rows, codes = carried(index, lost=lost, wait=0.15 if fault == "hang" else 5.0)
    assert codes[-1] == 6
    assert any(row.state == "conflict" and LIE[:16] in row.why for row in rows)
    assert len(set(index.stored)) == len(index.stored)


@pytest.mark.parametrize("lost", [False, True], ids=["kept", "lost"])
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("stale", [0, 2])
def test_other_bytes_are_a_conflict_and_stay(fault: Fault, stale: int, lost: bool) -> None:
    with served(Index(script=[fault], friendly=True)) as index:
        index.lay("nova", SDIST, b"other bytes")
        index.hidden[SDIST] = stale
        rows, codes = carried(index, lost=lost, wait=0.15 if fault == "hang" else 5.0)
        assert codes[-1] == 6, codes
        assert [row.state for row in rows if row.effect.path == SDIST] == ["conflict"]
        assert index.files[SDIST][1] == b"other bytes"
        assert SDIST not in index.stored


# --- what is said meanwhile -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "raises", "after", "words"),
    [
        ("500-before", Unknown, 0, "500: not now"),
        ("500-after", Unknown, 0, "500: oh no"),
        ("lost", Unknown, 0, "did not answer to the end"),
        ("403", Refused, 300, "403: not now; is the token right"),
        ("429", Refused, 30, "429: not now"),
        ("429-date", Refused, 60, "429: not now"),
        ("503", Refused, 7, "503: not now"),
        ("redirect", Refused, 3600, "it redirects to"),
    ],
)
def test_an_answer_is_told_for_what_it_is(
    fault: Fault, raises: Any, after: int, words: str, index: Index
) -> None:  # fmt: skip
    kept = Kept()
    index.script = [fault]
    place = target(index, kept)
    with pytest.raises(raises) as caught:
        place.apply(effect(place, kept))
    assert words in str(caught.value)
    assert getattr(caught.value, "after", 0) == after


def test_a_redirect_gets_no_credentials(index: Index) -> None:
    kept = Kept()
    with served(Index()) as other:
        index.script, index.elsewhere = ["redirect"], other.url
        place = target(index, kept)
        with pytest.raises(Refused):
            place.apply(effect(place, kept))
        assert other.asked == []


def test_a_name_that_is_taken_and_not_shown_is_asked_again_later(index: Index) -> None:
    kept = Kept()
    index.friendly = False
    index.lay("nova", SDIST, SDIST.encode())
    index.hidden[SDIST] = 5
    place = target(index, kept)
    with pytest.raises(Refused, match="shows no file") as caught:
        place.apply(effect(place, kept))
    assert caught.value.after == 300


def test_a_refusal_is_looked_up(index: Index) -> None:
    kept = Kept()
    index.friendly = False
    place = target(index, kept)
    index.lay("nova", SDIST, SDIST.encode())
    assert place.apply(effect(place, kept)).sha256 == digest(SDIST)
    index.lay("nova", SDIST, b"other bytes")
    with pytest.raises(Conflict, match="File already exists"):
        place.apply(effect(place, kept))


def test_nobody_answers() -> None:
    kept = Kept()
    with served(Index()) as index:
        place = target(index, kept)
        one = effect(place, kept)
    with pytest.raises(Refused, match="does not answer"):
        place.apply(one)
    with refusal(RemoteError, "url-unreachable"):
        place.find(one)


def test_a_secret_that_comes_back_is_not_shown(index: Index) -> None:
    kept = Kept()
    index.script, index.elsewhere = ["redirect"], "http://127.0.0.1:9/secret-token"
    place = target(index, kept)
    with pytest.raises(Refused) as caught:
        place.apply(effect(place, kept))
    assert "secret-token" not in str(caught.value)
    assert "***" in str(caught.value)


# --- reading --------------------------------------------------------------------------------------------------------


def test_nobody_is_named_to_a_page_that_does_not_ask(index: Index) -> None:
    kept = Kept()
    place = target(index, kept)
    place.find(effect(place, kept))
    index.private = True
    place.find(effect(place, kept))
    assert [bool(who) for method, _, who in index.asked if method == "GET"] == [False, False, True]


def test_nobody_is_named_to_a_page_elsewhere(index: Index) -> None:
    index.private = True
    with served(Index()) as other:
        shelf = Shelf(index.simple, login=lambda: index.login, login_at=other.upload)
        with refusal(RemoteError, "index-status"):
            shelf.files("nova")
    assert [who for _, _, who in index.asked] == [""]


def test_a_page_that_redirects_elsewhere_is_not_followed(index: Index) -> None:
    with served(Index(login=index.login)) as other:
        index.private, index.moved, index.elsewhere = True, True, other.url
        with refusal(RemoteError, "index-redirect"):
            target(index, Kept()).survey("nova")
        assert other.asked == []
    assert [bool(who) for _, _, who in index.asked] == [False, True]


def test_a_page_that_did_not_change_is_not_sent_again(index: Index) -> None:
    kept = Kept()
    index.lay("nova", SDIST, SDIST.encode())
    place = target(index, kept)
    one = effect(place, kept)
    first, second = place.find(one), place.find(one)
    assert first == second
    index.lay("nova", SDIST, b"other bytes")
    assert place.find(one) != first


# --- others upload --------------------------------------------------------------------------------------------------


def test_by_ci_we_only_look(index: Index) -> None:
    kept, journal = Kept(), Journal()
    place, fact = target(index, kept), logged(kept)

    def turn() -> tuple[Row, ...]:
        return drive(
            fact, place, journal, notice=None, ours=True, clock=lambda: NOW, tell=lambda *_: None, awaited=True
        )  # fmt: skip

    assert [(row.state, row.why) for row in turn()] == [("none", "a workflow uploads it")] * 2
    index.lay("nova", SDIST, SDIST.encode())
    assert [row.state for row in turn()] == ["none", "seen"]
    assert exit_code(turn()) == 4
    index.lay("nova", WHEEL, WHEEL.encode())
    assert exit_code(turn()) == 0
    assert not any(method == "POST" for method, _, _ in index.asked)
    index.lay("nova", WHEEL, b"other bytes")
    assert exit_code(turn()) == 6


# --- taken back -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("upload", "page"),
    [
        ("https://upload.index.example.org/legacy/", "https://index.example.org/manage/project/nova/release/1.0.0/"),
        ("https://test.index.example.org/legacy/", "https://test.index.example.org/manage/project/nova/release/1.0.0/"),
        ("https://index.example.org/", "https://index.example.org/simple/nova/"),
    ],
)
def test_a_person_is_told_where_to_yank(upload: str, page: str) -> None:
    kept = Kept()
    released = logged(kept)
    entry = samples.entry(2, withdraw_draft(released.entry, "broken", policy="0" * 64))
    shelf = Shelf("https://index.example.org/simple/", login=lambda: None, login_at=upload)
    place = IndexTarget("pypi", upload=upload, shelf=shelf, kept=kept, login=lambda: None, clock=lambda: NOW)
    (item,) = place.plan(replace(released, entry=entry, blobs=()), None)
    assert isinstance(item, Skip)
    assert (item.what, page in item.because) == ("nova 1.0.0", True)
