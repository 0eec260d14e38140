"""History from before the trail: what becomes an import, what is left out and why, and that nobody is told of it."""

import time
from hashlib import sha256

import pytest

from tagtrail.formats.drafts import import_draft
from tagtrail.formats.entry import COMMIT, named_files
from tagtrail.model.errors import ProjectError, TamperError
from tagtrail.model.facts import Entry, Survey
from tagtrail.model.frozen import replace
from tagtrail.pages import page
from tagtrail.testing import samples
from tagtrail.testing.fuse import Blown, Fuse
from tagtrail.trail import sequencer
from tagtrail.workflows.adopt import Adoption, adopt, adoption
from tagtrail.workflows.release import look, release
from tagtrail.workflows.render import LedgerView, check
from tagtrail.workflows.resume import unfinished
from tagtrail.workflows.withdraw import withdraw
from tests.workflows.world import World

COMMITS = ("a" * 40, "b" * 40)
A, B = (sha256(name).hexdigest() for name in (b"a", b"b"))


def place(name: str = "pypi", **files: str) -> Survey:
    """A place with files; `__` stands for a dash, `_` for a point."""
    return Survey(target=name, files=tuple((n.replace("__", "-").replace("_", "."), d) for n, d in files.items()))


def found(world: World, *places: Survey, tags: tuple[tuple[str, str], ...] = (), alone: bool = False) -> Adoption:
    project = world.project()
    return adoption(project, world.ledger.entries(project="nova"), tags, places, tags_alone=alone)


def brief(found: Adoption) -> tuple[list[tuple[str, int, str]], list[str]]:
    return [(o.version, len(o.files), o.commit[:1]) for o in found.new], [t.code for t in found.troubles]


OLD = place(nova__0_9_tar_gz=A, nova__0_10_tar_gz=B)


# --- what is there --------------------------------------------------------------------------------------------------


def test_files_and_tags_become_versions_in_their_order() -> None:
    other = place("tarballs", nova__0_9_tar_xz=B, nova__0_9_tar_gz=A, nova__0_9_tar_gz_asc=B, README=A)
    tags = (("0.9", COMMITS[0]), ("0.11", COMMITS[1]), ("0.9-eol", COMMITS[1]), ("x", COMMITS[1]))
    assert brief(found(World(), OLD, other, tags=tags)) == (
        [("0.9", 2, "a"), ("0.10", 1, "")],
        ["tag-alone", "no-version"],
    )


def test_a_tag_alone_is_history_only_where_that_is_said() -> None:
    tags = (("0.9", COMMITS[0]),)
    assert brief(found(World(), tags=tags)) == ([], ["tag-alone"])
    assert brief(found(World(), tags=tags, alone=True)) == ([("0.9", 0, "a")], [])


def test_two_tags_of_one_version_give_it_no_commit() -> None:
    tags = (("0.9", COMMITS[0]), ("0.9.0", COMMITS[1]))
    assert brief(found(World(), OLD, tags=tags)) == ([("0.9", 1, ""), ("0.10", 1, "")], ["tag-twice"])


@pytest.mark.parametrize("name", ["nova-0.8\n.tar.gz", "nova-0.8 .tar.gz", "nova-0.8.tär.gz"])
def test_a_name_that_the_trail_cannot_hold_leaves_one_file_out_and_no_other(name: str) -> None:
    world = World()
    got = found(world, OLD, Survey(target="tarballs", files=((name, A),)))
    assert brief(got) == ([("0.9", 1, ""), ("0.10", 1, "")], ["file-name"])
    assert (repr(name) in got.troubles[0].text, got.troubles[0].alarm) == (True, False)
    assert len(adopt(world.road(), world.project(), got)) == 2


@pytest.mark.parametrize("name", ["nova__0_9_tar_gz", "Nova__0_9_0_tgz"])
def test_two_digests_under_one_name_leave_the_version_out(name: str) -> None:
    got = found(World(), OLD, place("tarballs", **{name: B}))
    assert brief(got) == ([("0.10", 1, "")], ["two-digests"])
    assert got.troubles[0].alarm
    assert brief(found(World(), OLD, place("tarballs", **{name: A})))[1] == []


def test_a_file_whose_digest_nobody_tells_is_left_out() -> None:
    got = found(World(), place(nova__0_9_tar_gz="", nova__0_9_zip=A))
    assert brief(got) == ([("0.9", 1, "")], ["digest-untold"])
    assert brief(found(World(), place(nova__0_9_tar_gz=""), place("b", nova__0_9_tar_gz=A))) == ([("0.9", 1, "")], [])


# --- into the trail -------------------------------------------------------------------------------------------------


def adopted(world: World, *places: Survey, tags: tuple[tuple[str, str], ...] = ()) -> tuple[Entry, ...]:
    return adopt(world.road(), world.project(), found(world, *places, tags=tags))


def test_it_is_entered_once_and_nobody_is_told() -> None:
    world = World(places=("keyed", "blind"))
    first, second = adopted(world, OLD, tags=(("0.9", COMMITS[0]),))
    assert (first.event, first.version, first.channel) == ("import", "0.9", "final")
    assert {f.name: f.sha256 for f in first.files} == {COMMIT: COMMITS[0], "nova-0.9.tar.gz": A}
    assert [f.name for f in named_files(first)] == ["nova-0.9.tar.gz"]
    assert second.version == "0.10"
    assert adopted(world, OLD, tags=(("0.9", COMMITS[0]),)) == ()
    assert world.journal.rows() == ()
    assert [t._there for t in world.targets.values()] == [{}, {}]
    assert unfinished(world.ledger, world.journal).entries == ()


def test_what_is_found_later_is_one_more_entry() -> None:
    world = World()
    adopted(world, OLD)
    (new,) = adopted(world, OLD, place("b", nova__0_9_zip=B))
    assert [f.name for f in new.files] == ["nova-0.9.zip"]


def test_the_next_release_follows_it_and_the_page_says_what_it_is() -> None:
    world = World()
    adopted(world, OLD)
    assert look(world.road(), world.project(), "1.0.0").follows == "0.10"
    assert release(world.road(), world.project(), "1.0.0").exit == 0
    view = LedgerView(world.ledger, world.kept, world.ledger.committed().size)  # type: ignore[union-attr]
    shown = page("nova/index.html", view)
    assert shown.count(b"imported history, not witnessed when it happened") == 2
    assert b"imported" not in page("index.html", view) + page("feed.atom", view) + page("nova/feed.atom", view)
    assert check(world.ledger, world.store, world.kept, tell=lambda *_: None, clock=world.clock) == ()


def test_an_imported_version_is_not_released_again() -> None:
    world = World()
    adopted(world, place(nova__1_0_tar_gz=A))
    with pytest.raises(ProjectError) as caught:
        release(world.road(), world.project(), "1.0.0")
    assert caught.value.code == "version-imported"
    with pytest.raises(ProjectError) as caught:
        withdraw(world.road(), world.project(), "1.0.0", "a reason")
    assert caught.value.code == "version-imported"
    with pytest.raises(ProjectError) as caught:
        withdraw(world.road(), world.project(), "1.0.1", "a reason")
    assert caught.value.code == "version-unknown"


def test_an_imported_name_keeps_its_digest_for_ever() -> None:
    world = World()
    adopted(world, OLD)
    draft = import_draft("nova", "0.9", "final", [("Nova_0.9.0.tgz", B)], "")
    with pytest.raises(TamperError) as caught:
        sequencer.append(
            [draft], after=world.ledger.committed(), ledger=world.ledger, log=world.road().log, clock=world.clock
        )
    assert caught.value.code == "name-taken"
    got = found(world, place(nova__0_9_tar_gz=B))
    assert (brief(got)[1], got.troubles[0].alarm) == (["two-digests"], True)


def test_a_commit_is_no_file_whose_name_is_taken() -> None:
    world = World()
    adopted(world, OLD, tags=(("0.9", COMMITS[0]), ("0.10", COMMITS[1])))
    assert len(world.ledger.entries(project="nova")) == 2


def test_a_released_version_is_not_imported() -> None:
    world = World()
    assert release(world.road(), world.project(), "1.0.0").exit == 0
    got = found(world, place(nova__1_0_zip=A), tags=(("1.0.0", COMMITS[0]),))
    assert (got.new, got.known) == ((), 1)


@pytest.mark.parametrize("spark", range(1, 12))
def test_killed_anywhere_it_is_all_there_or_nothing_and_goes_on(spark: int) -> None:
    world = World()
    try:
        adopt(world.road(Fuse(spark)), world.project(), found(world, OLD))
    except Blown:
        assert len(world.ledger.entries(project="nova")) in (0, 2)
    adopted(world, OLD)
    assert [e.version for e in world.ledger.entries(project="nova")] == ["0.9", "0.10"]
    assert check(world.ledger, world.store, world.kept, tell=lambda *_: None, clock=world.clock) == ()


@pytest.mark.slow
def test_five_hundred_releases_are_one_checkpoint(tmp_path) -> None:
    world = World(database=tmp_path / "db")
    many = Survey(target="a", files=tuple((f"nova-0.{n}.{end}", A) for n in range(500) for end in ("tar.gz", "zip")))
    before = time.process_time()
    assert len(adopted(world, many)) == 500
    assert time.process_time() - before < 5
    head = world.ledger.committed()
    assert head is not None
    assert head.size == 501
    assert world.ledger.committed(500) is None


def test_a_version_with_more_files_than_a_leaf_holds_is_several_entries() -> None:
    names = [(f"nova-1.0-{'x' * 180}{n}.exe", A) for n in range(450)]
    assert [len(e.files) for e in adopted(World(), Survey(target="a", files=tuple(names)))] == [200, 200, 50]


def test_an_import_reads_back_as_it_was_written() -> None:
    draft = import_draft("nova", "0.9", "final", [("b.zip", B), ("a.zip", A)], COMMITS[0])
    entry = samples.entry(3, draft)
    assert [f.name for f in entry.files] == ["a.zip", "b.zip", COMMIT]
    assert entry == replace(entry, event="import", version="0.9")
