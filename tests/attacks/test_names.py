"""Attacks by names and replays (lines 15 and 16): one (project, file name) has one digest for ever."""

import pytest

from tagtrail.adapters.sqlite import SqliteLedger
from tagtrail.formats.drafts import event_draft
from tagtrail.model.errors import TamperError
from tagtrail.workflows.audit.laws import broken_laws
from tagtrail.workflows.release import release
from tests.attacks.ground import Ground
from tests.pages.trails import begun
from tests.trail.test_sequencer import drafted, enter

OTHER = "cd" * 32
SAME = "ab" * 32


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> SqliteLedger:
    """nova-x 1.0rc1 and 1.0, both withdrawn; nothing more enters."""
    made = SqliteLedger(tmp_path_factory.mktemp("ledger") / "trail.db")
    for version in ("1.0rc1", "1.0"):
        enter(made, drafted("nova-x", version, name=f"nova_x-{version}.tar.gz"))
        enter(made, event_draft("withdraw", "nova-x", [(f"nova_x-{version}.tar.gz", SAME)]))
    return made


# --- 15: replays ----------------------------------------------------------------------------------------------------


def test_the_same_release_twice_is_one_entry() -> None:
    world = Ground()
    first = release(world.road(), world.project(), "1.0.0")
    files = dict(world.store.files)
    world.now += 600
    second = release(world.road(), world.project(), "1.0.0")
    assert (second.exit, second.entry) == (0, first.entry)
    assert world.store.files == files
    assert [e.event for e in world.ledger.entries()] == ["key", "release"]


def test_the_same_request_twice_is_one_entry(ledger: SqliteLedger) -> None:
    """A draft that was entered already, also after later ones."""
    before = ledger.entries()
    (again,) = enter(ledger, drafted("nova-x", "1.0rc1", name="nova_x-1.0rc1.tar.gz"), at=9000)
    assert (again, ledger.entries()) == (before[0], before)


# --- 16: the same name again ----------------------------------------------------------------------------------------

VERSIONS = ["1.0", "1.0.0", "1.0.0.0", "1", "01.0", "1.00", "0!1.0", "v1.0", "V1", "1.0rc1", "1.0c1", "1.0.rc.1",
            "1.0-rc1", "1.0RC1", "1.0pre1", "1.0preview1", "1.0.0rc01"]  # fmt: skip


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("project", ["nova-x", "Nova_x", "NOVA.X", "nova--x", "nova_-.x"])
def test_a_version_that_was_withdrawn_is_never_released_again(project: str, version: str, ledger: SqliteLedger) -> None:
    before = ledger.committed()
    with pytest.raises(TamperError) as caught:
        enter(ledger, drafted(project, version, name="other-9.tar.gz", sha256=OTHER))
    assert (caught.value.code, ledger.committed()) == ("version-taken", before)


NAMES = [
    "nova_x-1.0.tar.gz", "Nova_x-1.0.tar.gz", "nova-x-1.0.tar.gz", "nova.x-1.0.tar.gz", "NOVA__X-1.0.tar.gz",
    "nova_x-1.0.0.tar.gz", "nova_x-1.tar.gz", "nova_x-01.0.tar.gz", "nova_x-v1.0.tar.gz", "nova_x-0!1.0.tar.gz",
    "nova_x-1.0.tgz", "nova_x-1.0.TGZ", "nova_x-1.0.taz", "Nova-X-1.0.0.Tar.Gz", "nova_x_1.0.tar.gz",
    "nova_x-1.0rc1.tgz", "nova_x-1.0c1.tar.gz", "nova_x-1.0-rc.1.tar.gz", "nova_x-1.0pre1.tar.gz",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_was_withdrawn_never_means_other_bytes(name: str, ledger: SqliteLedger) -> None:
    """Under any version, for the release that carries it may call itself otherwise."""
    before = ledger.committed()
    with pytest.raises(TamperError) as caught:
        enter(ledger, drafted("Nova.X", "2.0", name=name, sha256=OTHER))
    assert (caught.value.code, ledger.committed()) == ("name-taken", before)


@pytest.mark.parametrize("name", [n for n in NAMES if "rc" not in n and "c1" not in n and "pre" not in n])
def test_an_auditor_sees_an_operator_who_does_it_all_the_same(name: str) -> None:
    trail = begun()
    trail.release("nova-x", "1.0", files={"nova_x-1.0.tar.gz": {}})
    trail.withdraw("nova-x", "1.0", "bad")
    trail.release("Nova_X", "2.0", files={name: {}}, digests={name: OTHER})
    assert {(found.code, found.path) for found in broken_laws(trail.entries)} == {
        ("name-twice", "entry 3"),
        ("withdrawn-used", "entry 3"),
        ("file-version-agrees", "entry 3"),
    }


@pytest.mark.parametrize("version", ["1.0", "1.0.0", "1", "v1.0"])
def test_an_auditor_sees_a_withdrawn_version_released_again(version: str) -> None:
    trail = begun()
    trail.release("nova-x", "1.0", files={"nova_x-1.0.tar.gz": {}})
    trail.withdraw("nova-x", "1.0", "bad")
    trail.release("Nova_X", version, files={"nova_x-9.zip": {}}, added=("nova_x-9.zip",))
    assert ("withdrawn-used", "entry 3") in {(found.code, found.path) for found in broken_laws(trail.entries)}
