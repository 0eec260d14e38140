"""Every name at every place against the trail: what each state means, and the exit code for cron."""

from typing import Literal

import pytest

from tagtrail.formats.drafts import import_draft, withdraw_draft
from tagtrail.model.errors import RemoteError
from tagtrail.model.facts import Entry, Row, Survey
from tagtrail.ports import Target
from tagtrail.testing import memory, samples
from tagtrail.workflows.audit.places import Line, belongings, by_name, compared, exit_code, unasked
from tagtrail.workflows.surveys import PATIENCE, everywhere

RELEASE = samples.entry(0, samples.release())
SDIST, WHEEL = RELEASE.files[1], RELEASE.files[0]
GONE = samples.entry(1, withdraw_draft(RELEASE, "a mistake", policy="a" * 64))
BOTH = ((SDIST.name, SDIST.sha256), (WHEEL.name, WHEEL.sha256))
OTHER = "0" * 64
State = Literal["none", "asked", "sent", "seen", "refused", "conflict", "held", "dropped"]


def shows(*files: tuple[str, str], yanked: tuple[str, ...] | None = None, name: str = "pypi") -> Survey:
    return Survey(target=name, files=files, yanked=yanked)


def lines(*places: Survey, state: State | None = "seen", entries: tuple[Entry, ...] = (RELEASE,)) -> tuple[Line, ...]:
    """The lines where the sdist and the wheel belong at every place, with rows in that state."""
    targets: dict[str, Target] = {place.target: memory.Target(place.target) for place in places}
    belong = belongings(RELEASE, targets, ())
    assert {one.state for one in belong} == {""}
    rows = [Row(effect=one.effect, state=state) for one in belong] if state else []
    return compared(entries, belongings(RELEASE, targets, rows), places, own=["site"])


def states(found: tuple[Line, ...]) -> dict[str, list[str]]:
    return {line.name: [cell.state for cell in line.cells] for line in found}


def of_sdist(*places: Survey, state: State | None = "seen", entries: tuple[Entry, ...] = (RELEASE,)) -> tuple[str, int]:
    """What became of the sdist at the first place, where the wheel is fine; and the exit code."""
    found = lines(*places, state=state, entries=entries)
    return states(found)[SDIST.name][0], exit_code(found)


WHEEL_FINE = (WHEEL.name, WHEEL.sha256)


def test_all_agree() -> None:
    found = lines(shows(*BOTH), shows(*BOTH, name="b"))
    assert states(found) == {SDIST.name: ["same"] * 2, WHEEL.name: ["same"] * 2}
    assert exit_code(found) == 0


@pytest.mark.parametrize(
    ("there", "state", "word", "code"),
    [
        ([(SDIST.name, "")], "seen", "there", 0),
        ([(SDIST.name, OTHER)], "seen", "other", 7),
        ([("Nova_1.0.tgz", SDIST.sha256)], "seen", "same", 0),
        ([("Nova_1.0.tgz", OTHER)], "seen", "other", 7),
        ([], "seen", "missing", 7),
        ([], "sent", "waiting", 4),
        ([], "none", "waiting", 4),
        ([], "dropped", "dropped", 0),
        ([], None, "unsent", 4),
    ],
)
def test_one_thing_at_a_time(there: list[tuple[str, str]], state: State | None, word: str, code: int) -> None:
    assert of_sdist(shows(WHEEL_FINE, *there), state=state) == (word, code)


def test_a_place_that_does_not_answer_is_never_passed_over() -> None:
    assert of_sdist(Survey(target="pypi", silent="down")) == ("silent", 5)
    found = lines(Survey(target="pypi", silent="down"), shows((SDIST.name, OTHER), name="b"))
    assert exit_code(found) == 7


@pytest.mark.parametrize(
    ("state", "word", "code"),
    [
        (None, "unasked", 0),
        ("seen", "unasked", 0),
        ("sent", "waiting", 4),
        ("refused", "waiting", 4),
        ("held", "waiting", 4),
        ("dropped", "dropped", 0),
        ("conflict", "other", 7),
    ],
)
def test_of_a_place_that_tells_no_names_the_journal_is_believed(state: State | None, word: str, code: int) -> None:
    silent = Survey(target="pypi", unlisted=True)
    assert of_sdist(silent, state=state) == (word, code)
    found = lines(silent, state=state, entries=(RELEASE, GONE))
    assert states(found)[SDIST.name] == ["unasked"], "withdrawn: whether it is still there is to be asked"
    assert (by_name(found), unasked(found)) == (0, 2)


@pytest.mark.parametrize("name", ["nova-9.tar.gz", "nova-1.0.0.tar.gz.exe", "evil.whl", "nova-1.0.0.tar.xz"])
def test_what_the_trail_does_not_know_is_an_extra(name: str) -> None:
    found = lines(shows(*BOTH, (name, OTHER)))
    assert states(found)[name] == ["extra"]
    assert exit_code(found) == 7
    assert exit_code(compared((RELEASE,), (), [shows(*BOTH, (name, OTHER))], known=[name])) == 0


def test_another_spelling_with_other_bytes_beside_the_known_one_is_found() -> None:
    assert states(lines(shows(*BOTH, ("Nova_1.0.tgz", OTHER))))["Nova_1.0.tgz"] == ["extra"]
    assert "Nova_1.0.tgz" not in states(lines(shows(*BOTH, ("Nova_1.0.tgz", SDIST.sha256))))


def test_sidecars_are_known_and_their_bytes_count() -> None:
    asc = f"{SDIST.name}.asc"
    digest = dict(RELEASE.sidecars)[asc]
    assert asc not in states(lines(shows(*BOTH, (asc, digest), (f"{SDIST.name}.tlog-proof", OTHER))))
    assert states(lines(shows(*BOTH, (asc, OTHER))))[asc] == ["other"]


def test_what_else_lies_on_the_site_is_for_another_audit() -> None:
    assert exit_code(lines(shows(*BOTH, ("index.html", ""), name="site"))) == 0


@pytest.mark.parametrize(
    ("yanked", "entries", "word", "code"),
    [
        ((SDIST.name, WHEEL.name), (RELEASE, GONE), "yanked", 0),
        ((WHEEL.name,), (RELEASE, GONE), "shown", 7),
        ((SDIST.name,), (RELEASE,), "unsaid", 7),
        (None, (RELEASE, GONE), "same", 0),
    ],
)
def test_withdrawn_and_yanked(yanked: tuple[str, ...] | None, entries: tuple[Entry, ...], word: str, code: int) -> None:
    assert of_sdist(shows(*BOTH, yanked=yanked), entries=entries) == (word, code)


@pytest.mark.parametrize(
    ("there", "yanked", "entries", "copies"),
    [
        (BOTH, None, (RELEASE,), 0),
        ((BOTH[0], (WHEEL.name, "")), None, (RELEASE,), 1),
        (BOTH, (SDIST.name, WHEEL.name), (RELEASE, GONE), 0),
        (((SDIST.name, ""), (WHEEL.name, "")), (SDIST.name, WHEEL.name), (RELEASE, GONE), 2),
        (((SDIST.name, ""), BOTH[1]), (), (RELEASE, GONE), 1),
        (((SDIST.name, ""), BOTH[1]), (SDIST.name,), (RELEASE,), 1),
    ],
)
def test_copies_whose_bytes_nobody_compared_are_counted(
    there: tuple[tuple[str, str], ...], yanked: tuple[str, ...] | None, entries: tuple[Entry, ...], copies: int
) -> None:
    assert by_name(lines(shows(*there, yanked=yanked), entries=entries)) == copies


def test_withdrawn_and_not_there_is_fine() -> None:
    assert of_sdist(shows((WHEEL.name, WHEEL.sha256)), entries=(RELEASE, GONE)) == ("gone", 0)


def test_imported_files_belong_nowhere_and_have_their_digest() -> None:
    old = samples.entry(0, import_draft("nova", "0.9", "final", [("nova-0.9.tar.gz", OTHER)], "a" * 40))
    assert states(compared((old,), (), [shows(("nova-0.9.tar.gz", OTHER))])) == {"nova-0.9.tar.gz": ["same"]}
    assert states(compared((old,), (), [shows(("nova-0.9.tar.gz", "1" * 64))])) == {"nova-0.9.tar.gz": ["other"]}
    assert compared((old,), (), [shows()]) == ()


def test_thousands_of_files_take_no_time() -> None:
    old = [(f"nova-0.{n}.tar.gz", OTHER) for n in range(1500)]
    entries = tuple(samples.entry(n, import_draft("nova", f"0.{n}", "final", [pair], "")) for n, pair in enumerate(old))
    assert exit_code(compared(entries, (), [shows(*old)])) == 0


# --- asking ---------------------------------------------------------------------------------------------------------


class Counting(memory.Target):
    """A place that does not answer, and counts who asks."""

    asked = 0

    def survey(self, project: str) -> Survey:
        self.asked += 1
        raise RemoteError("down", code="x")


def test_each_place_is_asked_for_each_of_its_projects() -> None:
    targets: dict[str, Target] = {name: memory.Target(name) for name in "ab"}
    found = everywhere(targets, {"a": ["x", "y"], "b": ["y"]}, 5)
    assert {both: s.silent for both, s in found.items()} == {("a", "x"): "", ("a", "y"): "", ("b", "y"): ""}


def test_a_place_that_is_down_is_left_alone_and_each_project_is_told() -> None:
    down = Counting("a")
    found = everywhere({"a": down}, {"a": [str(n) for n in range(20)]}, 5)
    assert down.asked == PATIENCE
    assert all(survey.silent for survey in found.values())
    assert found["a", "19"].silent == "left alone after 3 that were not answered: down"
