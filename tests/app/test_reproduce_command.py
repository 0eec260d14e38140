"""`tagtrail reproduce`, as a stranger and as the operator run it, with a real project, site, sandbox and keys."""

import json
import shutil
import subprocess
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_ssh_private_key

from tagtrail.app.instance.wiring import open_road
from tagtrail.formats.drafts import reproduced_draft
from tagtrail.formats.reproduction import Reproduction, open_reproduction, reproducer, sign, statement_name
from tagtrail.formats.site import media
from tagtrail.workflows.enter import enter as entered
from tagtrail.workflows.outcome import carried
from tests.app.test_events import SCHEMA, fits
from tests.app.world import Ended, World

pytestmark = pytest.mark.client
REBUILDERS = '\n[people.rebuilders]\nkeys = ["keys/rebuilder.pub"]\n'
WHEEL, SDIST = "toy-1.0.0-py3-none-any.whl", "toy-1.0.0.tar.gz"


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> World:
    """One release; tests do not change it."""
    return made(World(tmp_path_factory.mktemp("reproduce")))


def made(world: World, change: str = "", earlier: str = "") -> World:
    """A world with toy 1.0.0 released; `change` is put at the end of its backend, `earlier` is a tag before."""
    world.make()
    if earlier:
        world.tag(earlier)
    with (world.repo / "backend.py").open("a") as backend:
        backend.write(change)
    world.commit("more")
    world.tag("1.0.0")
    key = world.root / "rebuilder"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", key], check=True)
    shutil.copy(key.with_suffix(".pub"), world.home / "keys")
    settings = world.home / "tagtrail.toml"
    text = settings.read_text().replace("[org]\n", '[org]\nreproducers = "rebuilders"\n')
    settings.write_text(text + REBUILDERS)
    ended = world.tell("release", "toy", "1.0.0")
    assert ended.code == 0, ended.out
    return world


@pytest.fixture
def world(tmp_path: Path) -> World:
    return made(World(tmp_path))


def stranger(world: World, *options: str, cwd: Path | None = None) -> Ended:
    """Somebody who has a copy of the site, the root from elsewhere, and a clone."""
    where = ("--from", str(world.site), "--root", str(world.site / "trail" / "root.json"), "--repo", str(world.repo))
    return world.run("--json", "reproduce", "toy", "1.0.0", *where, *options, cwd=cwd)


def test_a_stranger_builds_it_again(released: World) -> None:
    ended = stranger(released)
    assert ended.code == 0, ended.out
    event = ended.event("reproduced")
    assert fits(SCHEMA["$defs"]["reproduced"], event)
    assert (event["same"], event["tree"], event["unlike"], event["others"]) == (True, True, [], [])
    assert {f["name"]: (f["same"], f["rebuilt"] == f["sha256"]) for f in event["files"]} == {
        SDIST: (True, True),
        WHEEL: (True, True),
    }
    assert ended.event("outcome")["state"] == "reproduced"


def test_the_operator_looks_at_his_own(released: World) -> None:
    assert released.tell("reproduce", "toy", "1.0.0").code == 0


def test_the_operator_looks_at_his_own_without_naming_it(released: World) -> None:
    ended = released.run("reproduce", "toy", "1.0.0", env={"TAGTRAIL_HOME": str(released.home)})
    assert ended.code == 0
    assert "reproduced  toy 1.0.0" in ended.out


def test_for_people(released: World) -> None:
    ended = released.run("-C", str(released.home), "reproduce", "toy", "1.0.0")
    assert "toy-1.0.0.tar.gz" in ended.out
    assert "the same" in ended.out
    assert "reproduced  toy 1.0.0: 2 of 2 files came out the same, byte for byte" in ended.out


def test_nothing_of_the_instance_is_written(released: World) -> None:
    before = {name: data for name, data in released.snapshot().items() if "tagtrail.db" not in name}
    assert stranger(released).code == 0
    assert {n: d for n, d in released.snapshot().items() if "tagtrail.db" not in n} == before


def test_rebuilt_files_are_left_where_asked(released: World, tmp_path: Path) -> None:
    assert stranger(released, "--keep", str(tmp_path / "mine")).code == 0
    for name in (SDIST, WHEEL):
        assert (tmp_path / "mine" / name).read_bytes() == (released.site / "toy" / name).read_bytes()


DRIFT = """
import random
_wheel = build_wheel
def build_wheel(directory, config_settings=None, metadata_directory=None):
    global META
    pathlib.Path("toy.py").write_text("X = 1\\nsaid = " + repr(random.SystemRandom().random()) + "\\n")
    return _wheel(directory, config_settings, metadata_directory)
"""


def test_what_differs_is_told(tmp_path: Path) -> None:
    world = World(tmp_path).make()
    with (world.home / "tagtrail.toml").open("a") as settings:
        settings.write('generated = { "toy.py" = "it says when it was built" }\n')
    with (world.repo / "backend.py").open("a") as backend:
        backend.write(DRIFT)
    world.commit("drift")
    world.tag("1.0.0")
    assert world.tell("release", "toy", "1.0.0").code == 0
    ended = stranger(world, "--key", str(world.key), cwd=tmp_path)
    assert (ended.code, ended.event("refused")["code"]) == (7, "not-reproduced")
    assert ended.event("refused")["what"] == "1 of 2 files of toy 1.0.0 came out otherwise"
    files = {f["name"]: f for f in ended.event("reproduced")["files"]}
    assert files[SDIST]["same"]
    (difference,) = [d for d in files[WHEEL]["differences"] if d["member"] == "toy.py"]
    assert difference["what"] == "other content"
    assert any(line.startswith("-said = ") for line in difference["lines"])
    assert any(line.startswith("+said = ") for line in difference["lines"])
    assert not list(tmp_path.glob("*.jsonl")), "nobody signs that it came out the same"


def test_a_file_that_only_the_rebuild_makes_is_told_in_the_outcome(tmp_path: Path) -> None:
    world = World(tmp_path).make()
    made_too = "if [ -e {root}/more ]; then echo 2 > dist/toy-1.0.0-more; fi".replace("{root}", str(tmp_path))
    run = ["sh", "-ec", f"mkdir dist; echo 1 > dist/toy-1.0.0-linux; {made_too}"]
    settings = world.home / "tagtrail.toml"
    text = settings.read_text().replace('kind = "library"', 'kind = "generic"')
    text += f'build = []\nrun = {json.dumps([run])}\nfiles = ["dist/toy-*"]\n'
    settings.write_text(f'[build]\nisolation = "none"\n\n{text}')
    world.tag("1.0.0")
    assert world.tell("release", "toy", "1.0.0").code == 0
    (tmp_path / "more").touch()
    ended = stranger(world, "--isolation", "none")
    assert (ended.code, ended.event("reproduced")["others"]) == (0, ["toy-1.0.0-more"])
    text = "toy 1.0.0: 1 of 1 files came out the same, byte for byte; made too, and never released: toy-1.0.0-more"
    assert ended.event("outcome")["text"] == text


# What is refused before anything is built


def test_a_tag_that_moved(world: World) -> None:
    world.git("tag", "-d", "1.0.0")
    world.commit("other")
    world.tag("1.0.0")
    ended = stranger(world)
    assert (ended.code, ended.event("refused")["code"]) == (7, "tag-moved")


def test_a_tag_that_is_gone(world: World) -> None:
    world.git("tag", "-d", "1.0.0")
    ended = stranger(world)
    assert (ended.code, ended.event("refused")["code"]) == (7, "tag-gone")


def test_another_tag_that_the_build_read_is_gone(tmp_path: Path) -> None:
    """As long as its object is there it does not matter that the tag was deleted."""
    world = made(World(tmp_path), earlier="0.9.0")
    lost = world.git("rev-parse", "refs/tags/0.9.0")
    world.git("tag", "-d", "0.9.0")
    assert stranger(world).code == 0
    world.git("gc", "--quiet", "--prune=now")
    ended = stranger(world)
    refused = ended.event("refused")
    assert (ended.code, refused["code"]) == (2, "refs-missing")
    assert refused["what"] == f"{world.repo} lacks 1 of 2 tags that the build read: 0.9.0 ({lost[:12]})"
    assert "git fetch --tags" in refused["next"]
    assert not [e for e in ended.events if e["event"] == "reproduced"]


def test_a_provenance_with_one_byte_changed(world: World) -> None:
    path = world.site / "toy" / "toy-1.0.0.intoto.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"keyid"', b'"keyiD"', 1))
    ended = stranger(world)
    assert (ended.code, ended.event("refused")["code"]) == (7, "provenance-digest")


def test_without_a_provenance(world: World) -> None:
    (world.site / "toy" / "toy-1.0.0.intoto.jsonl").unlink()
    ended = stranger(world)
    assert (ended.code, ended.event("refused")["code"]) == (7, "provenance-missing")


@pytest.mark.parametrize(
    ("words", "code", "reason"),
    [
        (("toy", "9.9"), 7, "not-listed"),
        (("other", "1.0.0"), 7, "unknown"),
        (("toy", "1.0.0", "--enter"), 2, "usage"),
        (("toy", "1.0.0", "--statement", "x", "--key", "y"), 2, "usage"),
        (("toy", "1.0.0", "--key", "nothing"), 2, "file-missing"),
        (("toy", "1.0.0", "--key", "toy/toy.py"), 2, "reproducer-key"),
    ],
)
def test_refused(released: World, words: tuple[str, ...], code: int, reason: str) -> None:
    ended = released.tell("reproduce", *words)
    assert (ended.code, ended.event("refused")["code"]) == (code, reason)


def test_a_local_repository_that_nobody_names(released: World) -> None:
    where = ("--from", str(released.site), "--root", str(released.site / "trail" / "root.json"))
    ended = released.run("--json", "reproduce", "toy", "1.0.0", *where)
    assert (ended.code, ended.event("refused")["code"]) == (2, "repo-unknown")


# A reproducer's statement


def signed(world: World, key: str = "rebuilder") -> Path:
    at = world.root / "elsewhere"
    shutil.rmtree(at, ignore_errors=True)
    at.mkdir()
    assert stranger(world, "--key", str(world.root / key), cwd=at).code == 0
    (path,) = at.iterdir()
    return path


def test_a_strangers_statement_is_entered_shown_audited_and_verified(world: World) -> None:
    statement = signed(world)
    ended = world.tell("reproduce", "toy", "1.0.0", "--statement", str(statement))
    assert ended.code == 0, ended.out
    assert ended.event("logged")["entry"] == "reproduced"
    leaf = world.leaves()[-1]
    ours = leaf["predicate"]["tagtrail"]
    who = subprocess.run(
        ["ssh-keygen", "-l", "-f", world.root / "rebuilder.pub"], capture_output=True, text=True, check=True
    ).stdout.split()[1]
    assert (ours["event"], ours["project"], ours["version"]) == ("reproduced", "toy", "1.0.0")
    assert ours["approvals"][0]["key"] == who
    assert {s["name"] for s in leaf["subject"]} == {SDIST, WHEEL, statement.name}
    assert (world.site / "toy" / statement.name).read_bytes() == statement.read_bytes()
    page = (world.site / "toy" / "1.0.0" / "index.html").read_text()
    assert who.replace("+", "&#43;") in page or who in page
    root = ("--root", str(world.site / "trail" / "root.json"))
    assert world.run("--json", "audit", str(world.site), *root).code == 0
    verified = world.run("--json", "verify", str(world.site / "toy" / SDIST), *root).event("verified")
    assert f"built again to the same bytes by {who} (entry 2)" in verified["proven"]
    whole = world.run("--json", "verify", str(world.site / "toy"), *root)
    assert (whole.code, whole.event("outcome")["text"]) == (0, "3 of 3 files are what was released")
    policy = world.run(
        "--json", "verify", str(world.site / "toy" / SDIST), "--policy", str(world.site / "trail/policy")
    )
    assert "reproduced" not in policy.event("verified")["claims"], "with a policy the proof is all that is opened"


def test_both_at_once_sends_nobody_anywhere(world: World) -> None:
    key = str(world.root / "rebuilder")
    ended = world.run("-C", str(world.home), "reproduce", "toy", "1.0.0", "--key", key, "--enter")
    assert (ended.code, len(world.leaves())) == (0, 3)
    assert "signed: toy-1.0.0.reproduced-" in ended.out
    assert "send it" not in ended.out


def test_entered_twice_is_entered_once(world: World) -> None:
    statement = signed(world)
    for _ in range(2):
        assert world.tell("reproduce", "toy", "1.0.0", "--statement", str(statement)).code == 0
    assert len(world.leaves()) == 3


def test_who_says_it_again_says_nothing_new(world: World) -> None:
    """Another statement, a second later, by the same key about the same entry."""
    first = signed(world)
    assert world.tell("reproduce", "toy", "1.0.0", "--statement", str(first)).code == 0
    said = open_reproduction(first.read_bytes())
    again = resigned(world, replace(said, time=said.time + 1))
    ended = world.tell("reproduce", "toy", "1.0.0", "--statement", str(again))
    assert (ended.code, ended.event("already")["index"]) == (0, 2)
    at = world.root / "both"
    at.mkdir()
    key = str(world.root / "rebuilder")
    ended = world.run("--json", "-C", str(world.home), "reproduce", "toy", "1.0.0", "--key", key, "--enter", cwd=at)
    assert (ended.code, ended.event("already")["what"]) == (0, f"built again by {said.fingerprint}, as was said before")
    assert list(at.iterdir()) == []
    assert len(world.leaves()) == 3


def test_verify_counts_a_reproducer_once(world: World) -> None:
    """Two entries of one key, as an older tagtrail made them."""
    first = signed(world)
    said = open_reproduction(first.read_bytes())
    entered_unlooked(world, first.read_bytes())
    entered_unlooked(world, resigned(world, replace(said, time=said.time + 1)).read_bytes())
    assert len(world.leaves()) == 4
    root = ("--root", str(world.site / "trail" / "root.json"))
    verified = world.run("--json", "verify", str(world.site / "toy" / SDIST), *root).event("verified")
    told = [text for text in verified["proven"] if text.startswith("built again")]
    assert told == [f"built again to the same bytes by {said.fingerprint} (entry 2)"]
    assert verified["claims"].count("reproduced") == 1


def test_a_wrong_statement_of_before_does_not_stand_in_the_way(world: World) -> None:
    statement = signed(world)
    said = open_reproduction(statement.read_bytes())
    entered_unlooked(world, resigned(world, replace(said, commit="0" * 40)).read_bytes())
    assert world.tell("reproduce", "toy", "1.0.0", "--statement", str(statement)).code == 0
    assert len(world.leaves()) == 4


def test_two_reproducers_are_two_entries(world: World) -> None:
    (world.home / "keys" / "rebuilder.pub").write_text(
        (world.root / "rebuilder.pub").read_text() + (world.root / "stranger.pub").read_text()
    )
    for key in ("rebuilder", "stranger"):
        at = world.root / f"of-{key}"
        at.mkdir()
        assert stranger(world, "--key", str(world.root / key), cwd=at).code == 0
        (path,) = at.iterdir()
        assert world.tell("reproduce", "toy", "1.0.0", "--statement", str(path)).code == 0
    assert len(world.leaves()) == 4


def test_somebody_whom_nobody_knows(world: World) -> None:
    at = world.root / "of-stranger"
    at.mkdir()
    assert stranger(world, "--key", str(world.root / "stranger"), cwd=at).code == 0
    (path,) = at.iterdir()
    ended = world.tell("reproduce", "toy", "1.0.0", "--statement", str(path))
    assert (ended.code, ended.event("refused")["code"]) == (2, "reproducer-unknown")
    assert len(world.leaves()) == 2


def test_a_key_that_is_for_something_else(world: World) -> None:
    """It is refused before anything is built, and nothing that is signed is left."""
    line = (world.root / "rebuilder.pub").read_text()
    (world.home / "keys" / "rebuilder.pub").write_text(f'jo namespaces="git" {line}')
    at = world.root / "here"
    at.mkdir()
    key = str(world.root / "rebuilder")
    ended = world.run("--json", "-C", str(world.home), "reproduce", "toy", "1.0.0", "--key", key, "--enter", cwd=at)
    assert (ended.code, ended.event("refused")["code"]) == (2, "reproducer-unknown")
    assert not [e for e in ended.events if e["event"] == "reproduced"]
    assert list(at.iterdir()) == []
    assert len(world.leaves()) == 2


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (b'"version":"1.0.0"', b'"version":"1.0.1"', "dsse-bad-signature"),
        (b"reproduced/v0.1", b"reproduced/v0.2", "reproduction-form"),
    ],
)
def test_a_changed_statement(world: World, old: bytes, new: bytes, reason: str) -> None:
    import base64

    statement = signed(world)
    envelope = json.loads(statement.read_bytes())
    payload = base64.b64decode(envelope["payload"])
    assert old in payload
    envelope["payload"] = base64.b64encode(payload.replace(old, new)).decode()
    statement.write_bytes(json.dumps(envelope, sort_keys=True, separators=(",", ":")).encode() + b"\n")
    ended = world.tell("reproduce", "toy", "1.0.0", "--statement", str(statement))
    assert (ended.code, ended.event("refused")["code"]) == (7, reason)
    assert len(world.leaves()) == 2


# What a listed reproducer signs, with one thing wrong


@pytest.fixture(scope="module")
def said(released: World) -> Reproduction:
    """What the listed reproducer says when all is right."""
    return open_reproduction(signed(released).read_bytes())


def resigned(world: World, said: Reproduction) -> Path:
    key = load_ssh_private_key((world.root / "rebuilder").read_bytes(), password=None)
    assert isinstance(key, Ed25519PrivateKey)
    path = world.root / "resigned.jsonl"
    path.write_bytes(sign(said, reproducer(key.private_bytes_raw())))
    return path


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "of another log": ({"origin": "evil.example/log"}, "reproduction-entry"),
    "of another project": ({"project": "other"}, "reproduction-entry"),
    "of another version": ({"version": "1.0.1"}, "reproduction-entry"),
    "of another entry": ({"entry": "0" * 64}, "reproduction-entry"),
    "of another index": ({"index": 0}, "reproduction-entry"),
    "of another commit": ({"commit": "0" * 40}, "reproduction-commit"),
    "of no commit": ({"commit": "hello world"}, "reproduction-form"),
    "of another provenance": ({"provenance": "0" * 64}, "reproduction-provenance"),
    "of the future": ({"time": 4_070_908_800}, "reproduction-time"),
    "of 1970": ({"time": 0}, "reproduction-time"),
    "apart by magic": ({"isolation": "magic"}, "reproduction-isolation"),
    "made of nothing": ({"materials": ()}, "reproduction-materials"),
    "of one of two files": ({"files": slice(1)}, "reproduction-files"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_listed_reproducer_says_one_thing_wrong(released: World, said: Reproduction, name: str) -> None:
    changes, reason = WRONG[name]
    fields: dict[str, Any] = {k: said.files[v] if isinstance(v, slice) else v for k, v in changes.items()}
    before = len(released.leaves())
    statement = resigned(released, replace(said, **fields))
    ended = released.tell("reproduce", "toy", "1.0.0", "--statement", str(statement))
    assert (ended.code, ended.event("refused")["code"]) == (7, reason)
    assert len(released.leaves()) == before


def test_what_was_entered_before_it_was_compared_is_not_proven(world: World) -> None:
    """A statement with another commit that an older tagtrail, or an operator who lies, has put into the trail."""
    path = resigned(world, replace(open_reproduction(signed(world).read_bytes()), commit="0" * 40))
    name, statement = entered_unlooked(world, path.read_bytes())
    root = ("--root", str(world.site / "trail" / "root.json"))
    verified = world.run("--json", "verify", str(world.site / "toy" / SDIST), *root).event("verified")
    assert f"that it was built again, as {name} says (reproduction-commit)" in verified["not_proven"]
    assert "reproduced-unproven" in verified["doubts"]
    assert "reproduced" not in verified["claims"]
    whole = world.run("--json", "verify", str(world.site / "toy"), *root)
    refused = [e for e in whole.events if e["event"] == "verified" and not e["ok"]]
    assert (whole.code, [e["code"] for e in refused]) == (7, ["reproduction-commit"])
    alone = world.root / "alone"
    alone.mkdir()
    for file in (statement, statement.with_name(f"{name}.tlog-proof")):
        shutil.copy(file, alone)
    (event,) = [e for e in world.run("--json", "verify", str(alone), *root).events if e["event"] == "verified"]
    assert event["doubts"] == ["reproducer-claimed", "reproduced-uncompared"]


def entered_unlooked(world: World, data: bytes) -> tuple[str, Path]:
    """The statement in the trail and on the site, compared with nothing."""
    said = open_reproduction(data)
    road = open_road(world.home, tell=lambda *_: None)
    name = statement_name(said.project, said.version, data)
    road.kept.put([data], media(name))
    about = (name, sha256(data).hexdigest())
    draft = reproduced_draft(said.project, said.version, said.files, about, said.fingerprint)
    carried(road, entered(road, lambda _: draft, root=False))
    return name, world.site / "toy" / name


# What an archive holds


HOSTILE = """
_sdist = build_sdist
def build_sdist(directory, config_settings=None):
    pathlib.Path("m4").mkdir()
    pathlib.Path("m4/build-to-host.m4").write_text("gl_am_configmake=`grep -aErls pattern $srcdir/`")
    pathlib.Path("tests").mkdir()
    pathlib.Path("tests/good-large_compressed.lzma").write_bytes(bytes(range(256)))
    return _sdist(directory, config_settings)
"""


def test_what_a_hostile_backend_adds_to_an_archive_is_found(tmp_path: Path) -> None:
    world = World(tmp_path).make()
    with (world.repo / "backend.py").open("a") as backend:
        backend.write(HOSTILE)
    world.commit("hostile")
    world.tag("1.0.0")
    ended = world.tell("release", "toy", "1.0.0")
    assert (ended.code, ended.event("refused")["code"]) == (3, "member-unexpected")
    (finding,) = [e for e in ended.events if e["event"] == "finding" and e["rule"] == "FILE004"]
    assert finding["text"] == (
        f"{SDIST} has m4/build-to-host.m4, tests/good-large_compressed.lzma, which the tag does not have there"
    )
    assert world.leaves() == []
    assert not list(world.site.rglob("toy-*"))


def test_what_the_settings_explain_is_in_the_entry_and_on_the_page(tmp_path: Path) -> None:
    world = World(tmp_path).make()
    with (world.repo / "backend.py").open("a") as backend:
        backend.write(HOSTILE)
    world.commit("honest")
    world.tag("1.0.0")
    with (world.home / "tagtrail.toml").open("a") as settings:
        settings.write('generated = { "m4/*" = "made by autotools", "tests/*.lzma" = "made by the tests" }\n')
    assert world.tell("release", "toy", "1.0.0").code == 0
    ours = world.leaves()[-1]["predicate"]["tagtrail"]
    assert {"rule": "FILE004", "because": "m4/*: made by autotools"} in ours["overrides"]
    assert "m4/build-to-host.m4" in ours["files"][SDIST]["generated"]
    assert "m4/build-to-host.m4" in (world.site / "toy" / "1.0.0" / "index.html").read_text()


# SBOM


def test_an_sbom_lies_beside_every_release(released: World) -> None:
    data = (released.site / "toy" / "toy-1.0.0.cdx.json").read_bytes()
    assert json.loads(data)["metadata"]["component"]["name"] == "toy"
    assert "toy-1.0.0.cdx.json" in released.leaves()[-1]["predicate"]["tagtrail"]["sidecars"]
    assert "toy-1.0.0.cdx.json" in (released.site / "toy" / "1.0.0" / "index.html").read_text()


OWN = '{"bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1}\n'


@pytest.mark.parametrize(("text", "code", "reason"), [(OWN, 0, ""), ("{}", 3, "sbom-form"), (None, 3, "sbom-missing")])
def test_a_project_brings_its_own(tmp_path: Path, text: str | None, code: int, reason: str) -> None:
    world = World(tmp_path).make()
    if text is not None:
        (world.repo / "sbom.json").write_text(text)
    world.commit("sbom")
    world.tag("1.0.0")
    with (world.home / "tagtrail.toml").open("a") as settings:
        settings.write('sbom = "sbom.json"\n')
    ended = world.tell("release", "toy", "1.0.0")
    assert ended.code == code
    if reason:
        assert ended.event("refused")["code"] == reason
        assert world.leaves() == []
    else:
        assert (world.site / "toy" / "toy-1.0.0.cdx.json").read_text() == OWN
