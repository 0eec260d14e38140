"""Files from elsewhere in a Draft: part of the release, awaited, or a later entry that lists the full set."""

import json
from collections.abc import Callable
from dataclasses import replace
from shlex import quote

import pytest

from tagtrail.app.commands.add import draft_says
from tagtrail.app.serve.staging import find
from tagtrail.formats.entry import MAX_ENTRY
from tagtrail.formats.site import sums_name
from tagtrail.formats.sums import parse_sums
from tagtrail.model.errors import Error, ProjectError, RemoteError, TamperError
from tagtrail.model.facts import Draft, Entry
from tagtrail.model.names import is_own
from tagtrail.testing.fuse import Blown, Fuse
from tagtrail.testing.memory.target import Fault
from tagtrail.trail import sequencer
from tagtrail.workflows.add import gathered, judged, stage
from tagtrail.workflows.bill import bill
from tagtrail.workflows.inventory import files_of
from tagtrail.workflows.overrides import override
from tagtrail.workflows.release import build, look, prepare, release
from tagtrail.workflows.resume import resume, unfinished
from tagtrail.workflows.staged import awaited, drop, remember_brought, staged
from tests.workflows.intake import BOB, MAC, WIN, Desk, taken, wheel
from tests.workflows.world import ADA


def names(desk: Desk) -> list[str]:
    return [a.name for a in staged(desk.road(), "nova", desk.tag)]


def refused(call: Callable[..., object], *args: object, **named: object) -> str:
    with pytest.raises(Error) as caught:
        call(*args, **named)
    return caught.value.code


def released(desk: Desk) -> Entry:
    outcome = desk.go()
    assert outcome.exit == 0, outcome
    assert outcome.entry is not None
    return outcome.entry


def shown(desk: Desk, name: str) -> bytes:
    return desk.store.files[f"nova/{name}"]


# --- the Draft ------------------------------------------------------------------------------------------------------


def test_staging_is_private_and_idempotent() -> None:
    desk = Desk(need=0)
    artifact = desk.add(MAC)
    assert not stage(desk.road(), desk.project(), "1.0.0", desk.tag, artifact)
    desk.add(WIN)
    assert names(desk) == [MAC, WIN]
    assert (desk.ledger.committed(), desk.store.files) == (None, {})


def test_one_name_has_one_digest_in_a_draft_until_it_is_dropped() -> None:
    desk = Desk(need=0)
    desk.add(MAC)
    other = wheel(MAC, more={"nova/x.py": b"x"})
    assert refused(desk.add, MAC, other) == "add-other-bytes"
    drop(desk.road(), desk.project(), "1.0.0", desk.tag, MAC)
    assert names(desk) == []
    assert refused(drop, desk.road(), desk.project(), "1.0.0", desk.tag, MAC) == "add-not-staged"
    assert desk.add(MAC, other).blob.sha256 == staged(desk.road(), "nova", desk.tag)[0].blob.sha256


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("cinder-1.0.0-setup.exe", "file-name-agrees"),
        ("nova-1.0.1-setup.exe", "file-version-agrees"),
        ("nova-1.0.0.html", "file-name-free"),
        ("nova-1.0.0.tar.gz.asc", "file-name-free"),
        ("nova-1.0.0.SHA256SUMS", "file-name-free"),
        ("nova-1.0.0.reproduced-1832b1dd.jsonl", "file-name-free"),
        ("nova-1.0.0 (1).exe", "file-name"),
        ("nova-1.0.0-fran\u00e7ais.exe", "file-name"),
    ],
)
@pytest.mark.parametrize("behind", [False, True])
def test_names_are_judged_when_they_come(name: str, code: str, *, behind: bool) -> None:
    desk = Desk(need=0)
    if behind:
        released(desk)
    with pytest.raises(ProjectError) as caught:
        desk.add(name, b"bytes")
    assert caught.value.code == code
    assert names(desk) == []


UNFIT = ["nova-1.0.0 (1).exe", "nova-1.0.0.reproduced-1832b1dd.jsonl", MAC.replace("nova", "\uff4eova")]


@pytest.mark.parametrize("name", UNFIT)
@pytest.mark.parametrize("behind", [False, True])
def test_a_name_that_was_staged_before_it_was_judged_keeps_nothing_back(name: str, *, behind: bool) -> None:
    desk = Desk(need=0)
    first = released(desk) if behind else None
    remember_brought(desk.road(), "nova", "1.0.0", desk.tag, replace(taken(desk, MAC, wheel()), name=name))
    desk.add(MAC)
    assert names(desk) == [MAC]
    assert find(desk.road(), "nova", "1.0.0", f"nova/{MAC}")
    assert desk.go().exit == 4
    desk.approve(ADA)
    desk.told.clear()
    entry = released(desk)
    assert {f.name for f in entry.files} == {MAC, "nova-1.0.0.tar.gz", "nova-1.0.0-py3-none-any.whl"}
    assert (entry != first, name in {f.name for f in entry.files}) == (True, False)
    (said,) = [fields for event, fields in desk.told if event == "finding" and fields["code"] == "file-name-free"]
    assert said["fix"] == f"tagtrail add nova 1.0.0 --drop {quote(name)}"
    drop(desk.road(), desk.project(), "1.0.0", desk.tag, name)
    desk.told.clear()
    released(desk)
    assert "finding" not in [event for event, _ in desk.told]


def test_what_is_staged_belongs_to_one_tag_object() -> None:
    desk = Desk(need=0)
    desk.add(MAC)
    repository = desk.repositories["nova"]
    repository.tag("1.0.0", repository.commit(desk.now - 10).id, ADA.sign)
    assert names(desk) == []


def test_what_was_brought_before_a_tag_moved_is_not_forgotten() -> None:
    desk = Desk(need=0)
    desk.add(MAC)
    desk.add(WIN)
    assert desk.go().exit == 4
    desk.approve(ADA)
    repository = desk.repositories["nova"]
    repository.tag("1.0.0", repository.commit(desk.now - 10).id, ADA.sign)
    built = len(desk.builder.built)
    assert refused(desk.go) == "tag-moved"
    assert refused(desk.asked) == "tag-moved"
    assert refused(release, desk.road(), desk.project(), "1.0.0", until="plan") == "tag-moved"
    assert (len(desk.builder.built), desk.ledger.committed()) == (built, None)
    desk.add(MAC)
    assert refused(desk.go) == "tag-moved", "one of the two"
    drop(desk.road(), desk.project(), "1.0.0", desk.tag, WIN)
    assert names(desk) == [MAC]
    assert desk.go().exit == 4
    desk.approve(ADA)
    assert MAC in {file.name for file in released(desk).files}


def test_two_who_stage_at_one_moment() -> None:
    """Whoever comes second with other bytes is refused, also where neither saw the other."""
    desk = Desk(need=0)
    ours = taken(desk, MAC, wheel(MAC))
    desk.add(MAC, wheel(MAC, more={"nova/x.py": b"x"}))
    desk.journal.cursor(f"draft:nova:{desk.tag}", 1, 0)  # we read before the other's line was counted
    assert refused(stage, desk.road(), desk.project(), "1.0.0", desk.tag, ours) == "add-other-bytes"


def fill(desk: Desk) -> int:
    """As many files with long names as find room; how many came."""
    first = taken(desk, MAC, wheel(MAC))
    road, project, tag = replace(desk.road(), tell=lambda *_: None), desk.project(), desk.tag
    came = 0
    with pytest.raises(ProjectError, match="no room") as caught:
        for n in range(200):
            long = f"nova-1.0.0-1{n:0>160}-{MAC.removeprefix('nova-1.0.0-')}"
            came += stage(road, project, "1.0.0", tag, replace(first, name=long))
    assert caught.value.code == "add-too-many"
    return came


def test_what_finds_room_in_a_draft_is_released() -> None:
    """And what would not is refused when it comes, not after the build."""
    desk = Desk(need=0)
    assert 40 < fill(desk) < 70
    assert desk.go().exit == 4
    desk.approve(ADA)
    entry = released(desk)
    assert len(entry.raw) > MAX_ENTRY * 2 // 3
    assert 0 < fill(desk) < 30, "a later entry lists all of them again"
    assert desk.go().exit == 4
    desk.approve(ADA)
    assert len(released(desk).files) > len(entry.files)


# --- part of the release --------------------------------------------------------------------------------------------


def test_files_whose_release_nobody_began_are_shown() -> None:
    """And nobody but a person begins it."""
    desk = Desk(need=0, expect=("*win*",))

    def waits() -> list[str]:
        return [row.why for row in unfinished(desk.ledger, desk.journal).drafts]

    desk.add(MAC)
    assert waits() == [f"{MAC} was brought, and no release of it is under way"]
    desk.add(WIN)
    assert waits() == ["2 files were brought, and no release of it is under way"]
    drop(desk.road(), desk.project(), "1.0.0", desk.tag, WIN)
    assert waits() == [f"{MAC} was brought, and no release of it is under way"]
    assert resume(desk.road()) == ()
    assert desk.builder.built == []
    assert desk.go().exit == 4
    assert waits() == [], "now its release says so"
    desk.add(WIN)
    assert waits() == []
    assert release(desk.road(), desk.project(), "1.0.0", until="built").exit == 0
    assert len(waits()) == 1, "it was stopped as asked"
    desk.go()
    desk.approve(ADA)
    released(desk)
    assert waits() == []
    assert desk.journal.rows() == ()


def test_a_draft_that_is_emptied_is_not_shown() -> None:
    desk = Desk(need=0)
    desk.add(MAC)
    drop(desk.road(), desk.project(), "1.0.0", desk.tag, MAC)
    assert unfinished(desk.ledger, desk.journal).drafts == ()


def test_what_was_brought_joins_the_release() -> None:
    desk = Desk(need=0)
    desk.add(MAC)
    assert desk.go().exit == 4
    desk.approve(ADA)
    entry = released(desk)
    files = {f.name: f for f in entry.files}
    assert {name: f.origin.how for name, f in files.items()} == {
        MAC: "added",
        "nova-1.0.0-py3-none-any.whl": "built",
        "nova-1.0.0.tar.gz": "built",
    }
    assert (files[MAC].origin.by, entry.added) == ("SHA256:ci", ())
    assert shown(desk, MAC) == wheel(MAC)
    assert {name for name, _ in parse_sums(shown(desk, "nova-1.0.0.SHA256SUMS"))} == set(files)
    assert f"{MAC}.asc" in dict(entry.sidecars)


def test_what_was_brought_does_not_speak_for_the_release() -> None:
    """In the SBOM; also where its name comes first, as a platform's does."""
    desk = Desk(need=0)
    said = "Metadata-Version: 2.1\nName: nova\nVersion: 1.0.0\nRequires-Python: >=3.11\nRequires-Dist: elsewhere\n"
    desk.add(MAC, wheel(metadata=said))
    assert desk.go().exit == 4
    desk.approve(ADA)
    entry = released(desk)
    found = json.loads(desk.kept.read(dict(entry.sidecars)["nova-1.0.0.cdx.json"]))
    assert found.get("components", []) == []
    assert {r["url"] for r in found["metadata"]["component"]["externalReferences"]} == {f.name for f in entry.files}


def test_without_metadata_from_here_there_is_no_sbom() -> None:
    desk = Desk(need=0)
    desk.add(MAC)
    built = gathered(desk.road(), build(desk.road(), prepare(desk.road(), look(desk.road(), desk.project(), "1.0.0"))))
    assert [name for name, _ in bill(desk.road(), built)] == ["nova-1.0.0.cdx.json"]
    bare = tuple(a if a.name == MAC else replace(a, metadata=None) for a in built.artifacts)
    assert bill(desk.road(), replace(built, artifacts=bare)) == ()


def test_what_is_built_here_is_not_brought() -> None:
    desk = Desk(need=0)
    desk.add("nova-1.0.0-py3-none-any.whl")
    assert refused(desk.go) == "add-built"
    assert desk.ledger.committed() is None


def test_names_that_mean_one_are_refused() -> None:
    desk = Desk(need=0)
    name = "nova-1.0-py3-none-any.whl"
    desk.add(name)
    assert refused(desk.go) == "add-built"
    desk.add(MAC)
    twin = MAC.replace("nova-", "Nova-")
    assert refused(desk.add, twin) == "file-names-alike"
    ours = taken(desk, WIN, wheel(WIN))
    beside = [taken(desk, WIN.replace("1.0.0", "1.0"), wheel(WIN))]
    with pytest.raises(ProjectError) as caught:
        judged(desk.road(), desk.project(), "1.0.0", desk.tag, ours, beside=beside)
    assert caught.value.code == "file-names-alike"
    assert names(desk) == sorted([MAC, name])


@pytest.mark.parametrize("name", ["nova-1.0.0-py3-none-any.whl", "Nova-1.0-py3-none-any.whl"])
def test_what_is_built_already_is_refused_when_it_comes(name: str) -> None:
    """It would stand in for what is built, for whoever tries the draft; a release would then refuse it."""
    desk = Desk()
    assert desk.go().exit == 4
    assert refused(desk.add, name) == "add-built"
    assert names(desk) == []


def test_two_who_spell_a_name_in_two_ways_at_one_moment() -> None:
    desk = Desk(need=0)
    twin = MAC.replace("nova-", "Nova-")
    ours = taken(desk, twin, wheel(twin))
    desk.add(MAC)
    desk.journal.cursor(f"draft:nova:{desk.tag}", 1, 0)  # we read before the other's line was counted
    assert refused(stage, desk.road(), desk.project(), "1.0.0", desk.tag, ours) == "file-names-alike"
    assert names(desk) == [MAC], "a draft never holds both"


def test_nothing_is_logged_before_all_expected_files_are_there() -> None:
    desk = Desk(need=0, expect=("*macosx*arm64.whl", "*win_amd64.whl", "*.tar.gz"))
    outcome = desk.go()
    assert (outcome.exit, outcome.waits) == (4, "nova 1.0.0 waits for *macosx*arm64.whl, *win_amd64.whl")
    said = draft_says(desk.road(), desk.project(), "1.0.0", desk.tag)[0]
    assert said == "nova 1.0.0: 1 of 3 expected files here; waiting for *macosx*arm64.whl, *win_amd64.whl"
    desk.add(MAC)
    outcome = desk.go()
    assert (outcome.exit, outcome.waits) == (4, "nova 1.0.0 waits for *win_amd64.whl")
    assert desk.signer.signed == []
    (row,) = unfinished(desk.ledger, desk.journal).begun
    assert (row.state, row.why) == ("held", outcome.waits)
    desk.add(WIN)
    assert desk.go().waits.startswith("nova 1.0.0 waits for the approval of a signer")
    desk.approve(ADA)
    assert len(released(desk).files) == 4
    assert len(desk.builder.built) == 1
    assert draft_says(desk.road(), desk.project(), "1.0.0", desk.tag)[1] == ()


def test_what_is_awaited() -> None:
    project = replace(Desk().project(), expect=("*.tar.gz", "*macosx*", "*[x]"))
    assert awaited(project, ["nova-1.0.0.tar.gz", "nova-1.0.0-x.MACOSX"]) == ("*macosx*", "*[x]")


# --- later ----------------------------------------------------------------------------------------------------------


def later() -> tuple[Desk, Entry]:
    """A version that is logged, and a file that came later and is approved."""
    desk = Desk(need=0)
    first = released(desk)
    desk.add(MAC)
    assert desk.go().waits.startswith("nova 1.0.0 waits for the approval of a signer (team)")
    desk.approve(ADA)
    return desk, first


def test_files_added_later_are_an_entry_with_the_full_set() -> None:
    desk, first = later()
    proofs = {path: data for path, data in desk.store.files.items() if path.endswith(".tlog-proof")}
    sums = shown(desk, "nova-1.0.0.SHA256SUMS")
    second = released(desk)
    assert (second.index, second.added) == (first.index + 1, (MAC,))
    assert {f.name for f in second.files} == {f.name for f in first.files} | {MAC}
    assert set(first.files) < set(second.files)
    assert second.tag == first.tag
    assert [a.key for a in second.approvals] == [ADA.key.fingerprint]
    listing = sums_name("nova", "1.0.0", second.index)
    assert {name for name, _ in second.sidecars} == {
        f"{MAC}.asc", listing, f"{listing}.asc", "nova-1.0.0.tag",
    }  # fmt: skip
    assert parse_sums(shown(desk, listing)) == ((MAC, {f.name: f.sha256 for f in second.files}[MAC]),)
    assert shown(desk, "nova-1.0.0.SHA256SUMS") == sums
    assert {path: desk.store.files[path] for path in proofs} == proofs, "proofs of files named again stay"
    assert f"nova/{MAC}.tlog-proof" in desk.store.files
    assert f'content="{second.index} '.encode() in shown(desk, "1.0.0/index.html")
    ours = {path for entry in (first, second) for path, _ in files_of(entry, desk.site)}
    assert {is_own(path) for path in ours - {f"nova/{f.name}" for f in second.files}} == {True}
    assert released(desk) == second
    assert resume(desk.road()) == ()


def test_a_second_time_later() -> None:
    desk, _ = later()
    second = released(desk)
    for name in (MAC, "nova-1.0.0.tar.gz"):
        assert refused(drop, desk.road(), desk.project(), "1.0.0", desk.tag, name) == "add-released"
    assert MAC in names(desk)
    desk.add(WIN)
    assert desk.go().exit == 4
    desk.approve(ADA)
    third = released(desk)
    assert (third.index, third.added) == (second.index + 1, (WIN,))
    assert {f.name for f in third.files} == {f.name for f in second.files} | {WIN}


def test_waiting_later_is_shown_and_resumed() -> None:
    desk = Desk()
    desk.go()
    desk.approve(BOB)
    released(desk)
    desk.add(MAC)
    assert desk.go().exit == 4
    (row,) = unfinished(desk.ledger, desk.journal).begun
    assert row.state == "held"
    assert [o.exit for o in resume(desk.road())] == [4]
    desk.approve(ADA, BOB)
    assert [o.exit for o in resume(desk.road())] == [0]
    assert unfinished(desk.ledger, desk.journal).begun == ()


def test_what_came_behind_a_release_is_shown_and_resumed_before_anybody_asks() -> None:
    desk = Desk(need=0)
    released(desk)
    desk.add(MAC)
    (row,) = unfinished(desk.ledger, desk.journal).begun
    assert (row.state, row.why.partition(" ")[0]) == ("held", MAC)
    assert [(o.exit, o.waits[:27]) for o in resume(desk.road())] == [(4, "nova 1.0.0 waits for the ap")]
    desk.approve(ADA)
    desk.add(WIN)
    (row,) = unfinished(desk.ledger, desk.journal).begun
    assert row.why.startswith(WIN), "nobody was asked for both"
    assert [o.exit for o in resume(desk.road())] == [4]
    desk.approve(ADA)
    assert [o.exit for o in resume(desk.road())] == [0]
    assert unfinished(desk.ledger, desk.journal).begun == ()
    desk.add(WIN.replace("win_amd64", "win_arm64"))
    assert [o.exit for o in resume(desk.road())] == [4], "and again"
    drop(desk.road(), desk.project(), "1.0.0", desk.tag, WIN.replace("win_amd64", "win_arm64"))
    assert [o.exit for o in resume(desk.road())] == [0]
    assert unfinished(desk.ledger, desk.journal).begun == ()


def test_what_waits_keeps_nothing_from_what_is_logged() -> None:
    """A place refused; a file that came since waits for a signer, and the first entry is brought there all the same."""
    desk = Desk(need=0, places=("keyed",))
    place = desk.targets["keyed"]
    for at in range(2):
        place.faults = [Fault(what="refused")] * 9
        desk.now += 86400
        outcome = desk.go()
        assert (outcome.exit, outcome.waits) == (5, ""), "the worse of both"
        if not at:
            desk.add(MAC)
    place.faults = []
    desk.now += 86400
    assert desk.go().waits.startswith("nova 1.0.0 waits for the approval of a signer")
    assert [path.rpartition("/")[2] for path in place.arrived] == ["nova-1.0.0-py3-none-any.whl", "nova-1.0.0.tar.gz"]
    desk.approve(ADA)
    assert released(desk).added == (MAC,)


def test_a_logged_name_is_never_added_with_other_bytes() -> None:
    desk, _ = later()
    released(desk)
    assert refused(desk.add, MAC, wheel(MAC, more={"nova/x.py": b"x"})) == "name-taken"
    assert refused(desk.add, "nova-1.0.0.tar.gz", _sdist()) == "name-taken"
    desk.add(MAC)  # the same again is nothing
    assert released(desk).added == (MAC,)


def _sdist() -> bytes:
    from tests.workflows.test_intake import PKG_INFO, tarball

    return tarball(("nova-1.0.0/PKG-INFO", PKG_INFO))


def test_behind_a_release_one_name_is_spelled_in_one_way() -> None:
    desk = Desk(need=0)
    first = released(desk)
    desk.add(MAC)
    twin = MAC.replace("nova-", "Nova-")
    assert refused(desk.add, twin) == "file-names-alike"
    built = "nova-1.0-py3-none-any.whl"
    assert refused(desk.add, built) == "name-taken"
    logged = next(file.sha256 for file in first.files if file.name.endswith(".whl"))
    same = taken(desk, built, wheel(built))
    same = replace(same, blob=replace(same.blob, sha256=logged))
    assert refused(judged, desk.road(), desk.project(), "1.0.0", desk.tag, same) == "file-names-alike"
    assert desk.go().exit == 4
    desk.approve(ADA)
    assert released(desk).added == (MAC,)


def test_whoever_enters_first_takes_the_index() -> None:
    """The list of digests is called after the index that the entry really got."""
    desk, _ = later()
    road = desk.road()
    appended: list[bool] = []

    class Busy:
        """A ledger into which somebody else enters once, just before us."""

        def __getattr__(self, name: str) -> object:
            return getattr(road.ledger, name)

        def writing(self) -> object:
            if not appended:
                appended.append(True)
                raise RemoteError("somebody else", code="trail-moved")
            return road.ledger.writing()

    outcome = release(replace(road, ledger=Busy()), desk.project(), "1.0.0")  # type: ignore[arg-type]
    assert outcome.exit == 0
    assert outcome.entry is not None
    assert sums_name("nova", "1.0.0", outcome.entry.index) in dict(outcome.entry.sidecars)


@pytest.mark.slow
@pytest.mark.parametrize("step", [7, 1])
def test_it_can_die_anywhere_and_is_resumed(step: int) -> None:
    before, first = later()
    whole, fuse = before.twin(), Fuse()
    release(whole.road(fuse), whole.project(), "1.0.0")
    for number in range(0, len(fuse.points), step):
        desk = before.twin()
        with pytest.raises(Blown):
            release(desk.road(Fuse(number)), desk.project(), "1.0.0")
        second = released(desk)
        assert (second.index, second.added) == (first.index + 1, (MAC,))
        assert resume(desk.road()) == ()


# --- what the sequencer lets extend a version -----------------------------------------------------------------------


def test_only_an_extension_of_the_newest_entry_enters() -> None:
    from tagtrail.formats import drafts
    from tagtrail.testing import samples

    desk, first = later()
    second = released(desk)
    road = desk.road()
    new = samples.artifact("nova-1.0.0-more.zip")

    def append(draft: Draft) -> Entry:
        head = road.ledger.committed()
        return sequencer.append((draft,), after=head, ledger=road.ledger, log=road.log, clock=road.clock)[0]

    def code(draft: Draft) -> str:
        with pytest.raises(TamperError) as caught:
            append(draft)
        return caught.value.code

    stale = drafts.later_draft(first, [new], policy=first.policy)
    assert code(stale) == "version-taken", "it would drop what the second entry added"
    fine = drafts.later_draft(second, [new], policy=first.policy)
    lies = replace(fine, statement=fine.statement.replace(b'"added":["nova-1.0.0-more.zip"]', b'"added":[]'))
    assert code(replace(lies, digest="0" * 64)) == "version-taken", "it does not say what it adds"
    moved = replace(fine, statement=fine.statement.replace(first.tag.sha256.encode(), b"0" * 64))  # type: ignore[union-attr]
    assert code(replace(moved, digest="0" * 64)) == "version-taken", "another tag"
    assert append(fine) == append(fine)
    with pytest.raises(ProjectError):
        drafts.later_draft(second, [samples.artifact("nova-1.0.0.tgz")], policy=first.policy)


def test_what_was_found_in_what_was_built_is_told_once() -> None:
    """A file that was brought is looked at beside them: what it changes is told, and nothing again."""
    alone, both, odd = Desk(need=0), Desk(need=0), Desk(need=0)
    both.add(MAC)
    odd.add(MAC, wheel(MAC, metadata="Metadata-Version: 2.1\nName: nova\nVersion: 1.0.0\n"))
    both.told.clear()
    odd.told.clear()
    assert (alone.go().exit, both.go().exit, refused(odd.go)) == (0, 4, "files-agree")
    found = [[fields["code"] for name, fields in desk.told if name == "finding"] for desk in (alone, both, odd)]
    assert found[0]
    assert (found[1], found[2][-1]) == (found[0], "files-agree")


# --- beside what is there -------------------------------------------------------------------------------------------

ODD = "Metadata-Version: 2.1\nName: nova\nVersion: 1.0.0\nRequires-Python: >=3.12\n"


def hint_of(call: Callable[..., object], *args: object) -> str:
    with pytest.raises(ProjectError) as caught:
        call(*args)
    assert caught.value.code == "files-agree"
    return caught.value.hint


def bring(desk: Desk, name: str) -> None:
    """A file that nobody judged, as it could come before there was a rule."""
    remember_brought(desk.road(), "nova", "1.0.0", desk.tag, taken(desk, name, wheel(name, metadata=ODD)))


@pytest.mark.parametrize("until", ["nothing", "built", "released"])
def test_what_comes_says_what_the_others_say(until: str) -> None:
    """Before the release and behind it; what is refused is not in the draft, and keeps nothing back."""
    desk = Desk(need=0, expect={"nothing": ("*win*",), "built": ("*macosx*",), "released": ()}[until])
    if until == "nothing":
        desk.add(WIN)
    else:
        assert desk.go().exit == (4 if until == "built" else 0)
    hint = hint_of(desk.add, MAC, wheel(metadata=ODD))
    assert ("--drop" in hint) == (until == "nothing")
    assert hint.endswith(f"tagtrail add nova 1.0.0 --drop {WIN}") == (until == "nothing")
    assert MAC not in names(desk)
    desk.add(MAC)
    assert desk.go().exit == 4
    desk.approve(ADA)
    assert MAC in {f.name for f in released(desk).files}


@pytest.mark.parametrize("behind", [False, True])
def test_what_is_refused_because_of_a_staged_file_says_how_to_drop_it(*, behind: bool) -> None:
    desk = Desk(need=0)
    if behind:
        released(desk)
    bring(desk, MAC)
    assert hint_of(desk.go).endswith(f"or take out what is in the draft:\ntagtrail add nova 1.0.0 --drop {MAC}")
    desk.add(WIN)  # what is wrong with the other stops nothing that comes
    drop(desk.road(), desk.project(), "1.0.0", desk.tag, MAC)
    assert desk.go().exit == 4
    desk.approve(ADA)
    assert {f.name for f in released(desk).files} & {MAC, WIN} == {WIN}


def test_what_was_released_all_the_same_stops_nothing_that_comes() -> None:
    desk = Desk(need=0)
    bring(desk, MAC)
    aside = [override("META011", "an old compiler on that platform")]
    assert release(desk.road(), desk.project(), "1.0.0", overrides=aside).exit == 4
    desk.approve(ADA)
    released(desk)
    desk.add(WIN)
    assert names(desk) == [MAC, WIN]
    third = WIN.replace("cp311-cp311", "cp312-cp312")
    assert hint_of(desk.add, third, wheel(third, metadata=ODD.replace("12", "13")))


def test_whose_metadata_is_not_there_any_more_is_said() -> None:
    desk = Desk(need=0)
    entry = released(desk)
    for digest in {f.metadata for f in entry.files}:
        del desk.kept.blobs[digest]
    desk.told.clear()
    desk.add(MAC, wheel(metadata=ODD))
    said = [fields for name, fields in desk.told if name == "finding" and fields["code"] == "metadata-unread"]
    assert [(f["rule"], f["level"]) for f in said] == [("META011", "warning")] * 2
    assert "nova-1.0.0.tar.gz of entry 1: its metadata are not kept any more" in str(said[1]["text"])
