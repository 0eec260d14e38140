"""An operator who lies, and sites that name what they should not: each lie alone, with the code that tells it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256

import pytest

from tagtrail.formats import merkle, note, proof
from tagtrail.formats.note import Signer
from tagtrail.formats.times import format_time
from tagtrail.model.errors import RemoteError, SetupError
from tagtrail.workflows.audit import Asked, Audited, Remembered, audit
from tagtrail.workflows.audit.laws import backdated, broken_laws, unexpected_signers, without_right
from tagtrail.workflows.audit.report import SILENT
from tests.pages.trails import PGP, SSH, Trail, begun
from tests.workflows.auditing import Liar, Site, event, found, look, made, root_of
from tests.workflows.world import ADA, ORIGIN, World

SDIST = "nova/nova-1.0.0.tar.gz"


def laws(trail: Trail) -> list[tuple[str, str]]:
    return [(mismatch.code, mismatch.path) for mismatch in broken_laws(trail.entries)]


# --- lies in the trail ----------------------------------------------------------------------------------------------


def test_a_file_that_was_imported_is_later_said_to_be_built_here() -> None:
    trail = begun()
    digest = trail.keep(b"from before")
    trail.event("import", "nova", {"nova-1.0.tar.gz": digest}, version="1.0")
    trail.release("nova", "1.0", files={"nova-1.0.tar.gz": {}}, digests={"nova-1.0.tar.gz": digest})
    assert laws(trail) == [("origin-changed", "entry 2")]


def test_a_release_with_other_bytes_than_were_imported() -> None:
    trail = begun()
    trail.event("import", "nova", {"nova-1.0.tar.gz": trail.keep(b"from before")}, version="1.0")
    imported = {"origin": {"how": "imported"}}
    trail.release("nova", "1.0", files={"nova-1.0.tar.gz": imported}, digests={"nova-1.0.tar.gz": "0" * 64})
    assert laws(trail) == [("name-twice", "entry 2")]


def test_imported_history_is_never_passed_off_as_witnessed() -> None:
    liar = Liar()
    liar.enter(event("import", liar.world.now, version="0.9"))
    seen = liar.seen()
    assert seen.findings == ()
    assert "nobody saw their release" in dict(seen.left_out)["imported files"]
    assert [entry.event for entry in seen.listed] == ["key", "import"]


def test_a_file_name_of_a_withdrawn_version_under_another() -> None:
    trail = begun()
    digest = trail.keep(b"one")
    trail.release("nova", "1.0", files={"nova-1.0.tar.gz": {}}, digests={"nova-1.0.tar.gz": digest})
    trail.withdraw("nova", "1.0", "x")
    trail.release("nova", "1.1", files={"nova-1.0.tar.gz": {}}, digests={"nova-1.0.tar.gz": digest})
    assert laws(trail) == [("withdrawn-used", "entry 3"), ("file-version-agrees", "entry 3")]


def test_a_file_added_years_later_with_a_stolen_upload_token() -> None:
    liar = Liar()
    statement = liar.entry(1)
    statement = json.loads(json.dumps(statement).replace("nova-1.0.0.tar.gz", "nova-1.0.0.zip"))
    ours, bytes_ = statement["predicate"]["tagtrail"], b"a trojan horse"
    added = next(subject for subject in statement["subject"] if subject["name"].endswith(".zip"))
    added["digest"]["sha256"] = liar.keep(bytes_)
    ours["files"]["nova-1.0.0.zip"]["size"] = len(bytes_)
    original = liar.entry(1)
    (sdist,) = [s for s in original["subject"] if s["name"].endswith(".tar.gz")]
    statement["subject"] = sorted([*statement["subject"], sdist], key=lambda subject: str(subject["name"]))
    ours["files"][sdist["name"]] = original["predicate"]["tagtrail"]["files"][sdist["name"]]
    ours["sidecars"] = {n: d for n, d in original["predicate"]["tagtrail"]["sidecars"].items() if n.endswith(".tag")}
    ours |= {"added": ["nova-1.0.0.zip"], "time": format_time(liar.world.now)}
    liar.enter(statement)
    assert found(liar.seen()) == {("added-unapproved", "entry 2")}
    ours["approvals"] = [{"key": "SHA256:mallory", "digest": "0" * 64}]
    assert ("added-unapproved", "entry 2") in found(liar.seen())


def test_a_file_put_there_with_a_stolen_upload_token() -> None:
    world = made("1.0.0")
    world.store.files["nova/nova-1.0.0.post1.tar.gz"] = b"a trojan horse"
    assert found(look(world, Site(world.store.files), root_of(world))) == {
        ("file-unknown", "nova/nova-1.0.0.post1.tar.gz")
    }


def test_a_hidden_release() -> None:
    """Logged, and shown to nobody but the victim."""
    world, before = made("1.0.0", "2.0.0"), made("1.0.0")
    hidden = {path for path in world.store.files if "2.0.0" in path}
    site = Site({path: data for path, data in world.store.files.items() if path not in hidden})
    site.files["nova/index.html"] = before.store.files["nova/index.html"]
    codes = {code for code, path in found(look(world, site, root_of(world))) if path in {*hidden, "nova/index.html"}}
    assert codes == {"file-missing", "page-missing"}
    site.files |= {path: data for path, data in world.store.files.items() if path.endswith(".notes.md")}
    assert ("page-differs", "nova/index.html") in found(look(world, site, root_of(world)))


@pytest.mark.parametrize(("lag", "wanted"), [(3600, []), (3601, [("time-backdated", "entry 1")])])
def test_an_entry_that_says_it_is_older_than_a_tree_without_it(lag: int, wanted: list[tuple[str, str]]) -> None:
    trail = begun()
    entry = trail.release("nova", "1.0")
    seen = [(1, entry.time + lag), (1, 0), (2, entry.time + 10 * lag)]
    assert [(m.code, m.path) for m in backdated(trail.entries, seen)] == wanted


@pytest.mark.parametrize("signer", [PGP.fingerprint, ADA.key.fingerprint])
def test_a_release_by_somebody_whom_the_root_does_not_allow(signer: str) -> None:
    world = made("1.0.0")
    trail = begun()
    trail.release("nova", "1.0", signer=signer)
    wrong = [(m.code, m.path) for m in without_right(trail.entries, root_of(world))]
    assert wrong == ([] if signer == ADA.key.fingerprint else [("signer-not-allowed", "entry 1")])


def test_a_release_by_somebody_whom_its_maintainer_does_not_expect() -> None:
    trail = begun()
    trail.release("nova", "1.0")
    trail.release("nova", "1.1", signer=SSH.fingerprint)
    (wrong,) = unexpected_signers(trail.entries, [PGP.fingerprint])
    assert (wrong.code, wrong.path) == ("unexpected-signer", "entry 2")
    assert SSH.fingerprint in wrong.there
    assert PGP.fingerprint in wrong.expected
    assert [*unexpected_signers(trail.entries, [PGP.fingerprint, SSH.fingerprint])] == []


def test_a_site_rolled_back_beside_a_proof_of_a_larger_tree() -> None:
    old = made("1.0.0")
    site = Site(dict(old.store.files))
    leaves = [merkle.leaf_hash(e.raw) for e in old.ledger.entries()] + [merkle.leaf_hash(b"hidden")]
    entry = old.ledger.entries(1, 2)[0]
    text = note.Checkpoint(origin=ORIGIN, size=3, root=merkle.root_of(leaves)).text()
    signed = note.sign(text, [Signer(name=ORIGIN, seed=sha256(b"log").digest())]).encode()
    for file in entry.files:
        seen = proof.Proof(index=1, hashes=(leaves[0], leaves[2]), checkpoint=signed, extra=entry.raw)
        site.files[f"nova/{file.name}.tlog-proof"] = seen.encode()
    assert found(look(old, site, root_of(old))) == {("rolled-back", f"nova/{file.name}") for file in entry.files}


# --- what was remembered --------------------------------------------------------------------------------------------


def remembered(world: World, size: int | None = None) -> Remembered:
    head = world.ledger.committed(size)
    assert head
    return Remembered(size=head.size, note=head.note.encode())


def forged(size: int, root: bytes, origin: str = ORIGIN) -> Remembered:
    text = note.Checkpoint(origin=origin, size=size, root=root).text()
    signed = note.sign(text, [Signer(name=origin, seed=sha256(b"log").digest())])
    return Remembered(size=size, note=signed.encode())


@pytest.fixture(scope="module")
def world() -> World:
    return made("1.0.0", "2.0.0")


def since(world: World, before: Remembered, **asked: str) -> Audited:
    return look(world, Site(world.store.files), root_of(world), asked=Asked(since=before, **asked))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("before", "code"),
    [
        (forged(3, b"\0" * 32), "split-view"),
        (forged(2, b"\0" * 32), "split-view"),
        (forged(4, b"\0" * 32), "rolled-back"),
        (Remembered(size=4), "rolled-back"),
        (forged(0, merkle.EMPTY_ROOT), None),
        (forged(2, b"\0" * 32, "other.example/trail"), "other-log"),
    ],
    ids="split fork rollback size-rollback nothing other".split(),
)
def test_a_log_that_is_not_what_it_was(world: World, before: Remembered, code: str | None) -> None:
    seen = since(world, before)
    assert found(seen) == ({(code, "trail/checkpoint")} if code else set())
    assert seen.whole == (code is None)


class Counting(Site):
    """Remembers what was read."""

    def __init__(self, files: dict[str, bytes]) -> None:
        super().__init__(files)
        self.opened_paths: list[str] = []

    @contextmanager
    def opened(self, path: str) -> Iterator[Iterator[bytes] | None]:
        self.opened_paths.append(path)
        with super().opened(path) as pieces:
            yield pieces


def test_only_what_is_new_is_measured(world: World) -> None:
    site = Counting(dict(world.store.files))
    site.files[SDIST] = b"changed"
    seen = look(world, site, root_of(world), asked=Asked(since=remembered(world, 2)))
    assert (seen.findings, seen.new, seen.files) == ((), 1, 13)
    assert SDIST not in site.opened_paths
    assert "nova/nova-2.0.0.tar.gz" in site.opened_paths
    assert "simple/nova/index.html" in site.opened_paths
    assert "nova/1.0.0/index.html" not in site.opened_paths
    none = look(world, site, root_of(world), asked=Asked(since=remembered(world)))
    assert (none.new, none.files, none.pages, none.listed) == (0, 0, 0, ())


def test_every_entry_is_replayed_whatever_is_remembered() -> None:
    liar = Liar()
    before = remembered(liar.world)
    statement = liar.entry(1)
    statement["predicate"]["tagtrail"] |= {"time": format_time(liar.world.now), "series": "again"}
    liar.enter(statement)
    assert found(since(liar.world, before)) == {("version-twice", "entry 2")}


def test_a_size_names_no_tree_and_that_is_said(world: World) -> None:
    assert "whether the log grew out of what it was" in dict(since(world, Remembered(size=2)).left_out)


# --- one project ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def two() -> World:
    from tagtrail.workflows.release import release
    from tests.workflows.auditing import signed

    world = signed(World(names=("nova", "glance"), versions=("1.0.0", "2.0.0")))
    for version in world.versions:
        for name in world.names:
            world.now += 60
            release(world.road(), world.project(name), version)
    return world


def test_one_project_alone(two: World) -> None:
    site = Counting(dict(two.store.files))
    site.files["glance/glance-1.0.0.tar.gz"] = b"x"
    site.files["glance/index.html"] = b"x"
    seen = look(two, site, root_of(two), asked=Asked(project="Nova", signers=(ADA.key.fingerprint,)))
    assert (seen.findings, seen.new, seen.files) == ((), 2, 26)
    assert not [path for path in site.opened_paths if path.startswith(("glance/", "simple/glance/"))]
    assert [(e.event, e.project) for e in seen.listed] == [("key", ""), ("release", "nova"), ("release", "nova")]
    site.files["nova/nova-1.0.0.zip"] = b""
    site.files["simple/nova/index.json"] = b"{}"
    seen = look(two, site, root_of(two), asked=Asked(project="nova", signers=("SHA256:jo",)))
    assert found(seen) == {
        ("unexpected-signer", "entry 1"),
        ("unexpected-signer", "entry 3"),
        ("file-unknown", "nova/nova-1.0.0.zip"),
        ("page-differs", "simple/nova/index.json"),
        ("json-type", "simple/nova/index.json"),
    }


def test_signers_of_old_entries_were_judged_before(two: World) -> None:
    asked = Asked(project="nova", signers=("SHA256:jo",), since=remembered(two, 3))
    assert found(look(two, Site(two.store.files), root_of(two), asked=asked)) == {("unexpected-signer", "entry 3")}


def test_a_project_that_nobody_knows(two: World) -> None:
    with pytest.raises(SetupError) as caught:
        look(two, Site(two.store.files), root_of(two), asked=Asked(project="novaa"))
    assert (caught.value.code, caught.value.hint) == ("project-unknown", "--project nova")


# --- sites that do not answer, and sites that nobody can list -------------------------------------------------------


class Flaky:
    """Does not answer for some paths; cannot be listed."""

    def __init__(self, files: dict[str, bytes], *silent: str) -> None:
        self.site = Site(files)
        self.silent = silent
        self.asked = 0

    def paths(self) -> None:
        return None

    @contextmanager
    def opened(self, path: str) -> Iterator[Iterator[bytes] | None]:
        if path.startswith(self.silent or "\0"):
            self.asked += 1
            raise RemoteError(f"{path} answers 503", code="url-status")
        with self.site.opened(path) as pieces:
            yield pieces


def test_what_cannot_be_listed_is_said(world: World) -> None:
    seen = look(world, Flaky({**world.store.files, "nova/unknown.tar.gz": b""}), root_of(world))
    assert seen.findings == ()
    assert "files that nothing names" in dict(seen.left_out)


def test_what_does_not_answer_is_asked_again_another_time(world: World) -> None:
    seen = look(world, Flaky(world.store.files, SDIST), root_of(world))
    assert {code for code, _ in found(seen)} == {"url-status"}
    assert SDIST in {path for _, path in found(seen)}
    assert seen.exit_code == 5


def test_an_alarm_is_not_drowned_by_a_place_that_does_not_answer(world: World) -> None:
    site = Flaky({**world.store.files, "nova/nova-2.0.0.tar.gz": b"x"}, SDIST)
    assert look(world, site, root_of(world)).exit_code == 7


def test_a_place_that_never_answers_is_left_alone() -> None:
    world = made(*(f"{n}.0.0" for n in range(1, 9)))
    site = Flaky(world.store.files, "nova/")
    seen = look(world, site, root_of(world), asked=Asked(jobs=1))
    assert seen.exit_code == 5
    assert SILENT <= site.asked < 3 * SILENT
    assert {"the other files", "the other pages"} & set(dict(seen.left_out))


def test_a_trail_that_does_not_answer_ends_the_audit(world: World) -> None:
    with pytest.raises(RemoteError):
        look(world, Flaky(world.store.files, "trail/tile"), root_of(world))


@pytest.mark.parametrize("jobs", [1, 8])
def test_findings_come_in_order_however_many_look(two: World, jobs: int) -> None:
    files = {path: data if "tile" in path or "trail/" in path else b"x" for path, data in two.store.files.items()}
    seen = look(two, Site(files), root_of(two), asked=Asked(jobs=jobs))
    again = look(two, Site(files), root_of(two), asked=Asked(jobs=jobs))
    assert [(m.code, m.path) for m in seen.findings] == [(m.code, m.path) for m in again.findings]
    assert len(seen.findings) > 30


# --- looking again --------------------------------------------------------------------------------------------------


def looked(world: World, files: dict[str, bytes], *then: dict[str, bytes]) -> Audited:
    site, rest = Site(files), iter(then)

    def moves(_: float) -> None:
        site.files = next(rest)

    return audit(site, root_of(world), tell=lambda *_: None, clock=lambda: world.now + 7200, pause=moves)


def test_a_trail_that_was_moving_does_not_hide_what_is_wrong_in_the_files(world: World) -> None:
    whole = dict(world.store.files)
    moving = {path: data for path, data in whole.items() if not path.startswith("trail/tile/0")}
    wrong = whole | {SDIST: b"x"}
    assert found(looked(world, moving, wrong, wrong)) == {("file-differs", SDIST)}
    assert looked(world, moving, whole).findings == ()


def test_a_trail_that_breaks_while_it_is_read_is_an_alarm(world: World) -> None:
    whole = dict(world.store.files)
    broken = {path: data for path, data in whole.items() if not path.startswith("trail/tile/0")}
    assert found(looked(world, whole | {SDIST: b"x"}, broken, broken)) == {("tile-missing", "trail/checkpoint")}


def test_the_second_look_measures_only_what_was_in_doubt(world: World) -> None:
    site = Counting(world.store.files | {SDIST: b"x"})
    seen = audit(
        site,
        root_of(world),
        tell=lambda *_: None,
        clock=lambda: world.now + 7200,
        pause=lambda _: site.opened_paths.clear(),
    )
    assert found(seen) == {("file-differs", SDIST)}
    assert SDIST in site.opened_paths
    assert "nova/nova-2.0.0.tar.gz" not in site.opened_paths
    assert seen.files == 26


def test_what_mended_itself_is_said(world: World) -> None:
    whole = dict(world.store.files)
    both = whole | {SDIST: b"x", "nova/nova-2.0.0.tar.gz": b"x"}
    seen = looked(world, both, whole | {SDIST: b"x"})
    assert found(seen) == {("file-differs", SDIST)}
    assert "1 findings" in dict(seen.left_out)
