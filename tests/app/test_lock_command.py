"""`tagtrail lock`: requirement lines from proven entries, and nothing that only a site says."""

import os
import re
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest

from tagtrail.app.commands import lock
from tagtrail.model.errors import Error
from tests.app.desk import lay_root, said
from tests.app.shelf import DIGEST, alone, lay_index, lay_site, pin, row, served
from tests.app.world import World
from tests.verify.workshop import NAME, ORIGIN, Person, Workshop

EVIL = sha256(b"evil").hexdigest()


@pytest.fixture(autouse=True)
def desk(tmp_path):
    with alone(tmp_path):
        yield


@pytest.fixture
def site(tmp_path) -> Path:
    site = lay_site(tmp_path / "site")
    pin(tmp_path / "config", site)
    return site


def refused(*words: object) -> str:
    with pytest.raises(Error) as caught:
        said(lock, *words)
    assert caught.value.what.isprintable()
    return caught.value.code


@pytest.mark.parametrize("words", [["nova"], ["Nova"], ["nova==1.0.0"], ["nova==1.0"], ["nova", "--version", "1"]])
def test_a_requirement_is_made_of_a_proven_entry(site, words):
    (event,) = said(lock, *words).events
    assert event["lines"] == ["nova==1.0.0 \\", f"    --hash=sha256:{DIGEST}"]
    assert event["files"] == [{"name": NAME, "sha256": DIGEST, "index": 7}]
    assert (event["project"], event["version"], event["index"], event["origin"]) == ("nova", "1.0.0", 7, ORIGIN)
    assert event["proven"][0].startswith("tag 1.0.0 on cccccccc, signed by ")
    assert event["doubts"][-1] == "newest-unchecked"


def test_the_newest_final_is_taken_and_files_that_no_entry_names_change_nothing(site):
    lay_index(
        site, row("nova-2.0.0rc1.tar.gz", EVIL), row(), row("nova-2.0.0.tar.gz", EVIL, yanked="bad"), row("x.txt", EVIL)
    )
    (event,) = said(lock, "nova").events
    assert event["version"] == "1.0.0"
    assert refused("nova", "--pre") == "proof-missing"
    lay_index(site, row("nova-2.0.0.tar.gz", EVIL), row())
    assert refused("nova") == "proof-missing"


def test_each_listed_file_of_the_version_is_proven(site):
    lay_index(site, row(), row("nova-1.0.0-py3-none-any.whl", EVIL))
    assert refused("nova") == "proof-missing"
    name = "nova-1.0.0-py3-none-any.whl"
    (site / "nova" / f"{name}.tlog-proof").write_bytes(Workshop().case.proof)
    assert refused("nova") == "name-not-in-entry"


def test_an_index_cannot_change_a_digest(site):
    lay_index(site, row(sha256=EVIL))
    assert refused("nova") == "digest-mismatch"


def test_an_index_cannot_call_a_file_another_version(site):
    raw = Person("jo").tag("1.0.1")
    sidecars = {"nova-1.0.1.tag": sha256(raw).hexdigest()}
    shop = Workshop(raw=raw, reference={"name": "1.0.1"}, ours={"version": "1.0.1", "sidecars": sidecars})
    lay_site(site, shop)
    (site / "nova" / "nova-1.0.0.tag").rename(site / "nova" / "nova-1.0.1.tag")
    assert refused("nova") == "requirement-mismatch"


def test_withdrawn_ones_are_refused(site):
    lay_index(site, row(yanked="bad"))
    assert refused("nova") == "withdrawn"
    assert refused("nova==1.0.0") == "withdrawn"


def test_beside_withdrawn_finals_a_pre_release_must_be_asked_for(site):
    lay_index(site, row(yanked="bad"), row("nova-2.0.0rc1.tar.gz", EVIL))
    with pytest.raises(Error) as caught:
        said(lock, "nova")
    assert (caught.value.what, caught.value.hint) == (
        "every final version of nova is withdrawn",
        "tagtrail lock --pre nova",
    )
    assert refused("nova", "--pre") == "proof-missing"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["evil"], "unknown"),
        (["nova", "evil"], "unknown"),
        (["nova==1.0.1"], "not-listed"),
        (["nova==\x1b[2J"], "not-listed"),
        (["nova", "--require-witnessed"], "not-witnessed"),
        (["nova", "nova", "--version", "1"], "usage"),
        (["nova==1", "--version", "1"], "usage"),
        (["nova", "--from", "missing"], "file-missing"),
    ],
)
def test_what_cannot_be_locked_is_refused(site, words, code):
    assert refused(*words) == code


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda s: (s / "nova" / f"{NAME}.tlog-proof").unlink(), "proof-missing"),
        (lambda s: (s / "nova" / f"{NAME}.tlog-proof").write_bytes(b""), "proof-version"),
        (lambda s: (s / "nova" / "nova-1.0.0.tag").unlink(), "tag-missing"),
        (lambda s: (s / "simple" / "nova" / "index.json").unlink(), "not-listed"),
        (lambda s: (s / "simple" / "nova" / "index.json").write_bytes(b"{}"), "index-form"),
    ],
)
def test_a_site_that_lacks_something_is_refused(site, spoil, code):
    spoil(site)
    assert refused("nova") == code


def test_each_file_of_an_entry_needs_to_be_allowed(site):
    other = {"name": "nova-1.0.0.zip", "digest": {"sha256": EVIL}}
    about = {"size": 1, "origin": {"how": "imported"}}
    shop = Workshop(more=(other, about))
    lay_site(site, shop)
    assert refused("nova") == "imported"
    (event,) = said(lock, "nova", "--allow-imported").events
    assert [file["name"] for file in event["files"]] == [NAME, "nova-1.0.0.zip"]
    assert "nova-1.0.0.zip: that it is the original (imported: the operator's word)" in event["not_proven"]


def test_imported_ones_need_to_be_allowed(site):
    lay_site(site, Workshop(of_file={"origin": {"how": "imported"}}))
    assert refused("nova") == "imported"
    assert said(lock, "nova", "--allow-imported").code == 0


@pytest.mark.client
def test_no_file_is_downloaded(tmp_path, site):
    with served(site) as (url, asked):
        pin(tmp_path / "config", url)
        assert said(lock, "nova").code == 0
        assert said(lock, "nova", "--root", lay_root(tmp_path / "r.json"), "--from", url).code == 0
    one = ["/simple/nova/index.json", f"/nova/{NAME}.tlog-proof", "/trail/site.json", "/nova/nova-1.0.0.tag"]
    assert asked == [*one, *one]


# Real ones


def client(root: Path, *argv: str) -> subprocess.CompletedProcess[str]:
    env = os.environ | {"HOME": str(root)}
    return subprocess.run(argv, env=env, cwd=root, capture_output=True, text=True, check=False)


def pip(root: Path, url: str, into: str) -> subprocess.CompletedProcess[str]:
    options = ["-q", "--no-cache-dir", "--disable-pip-version-check", "--no-deps", "--require-hashes", "-d", into]
    words = ["-m", "pip", "--isolated", "download", *options, "--index-url", f"{url}simple/", "-r", "requirements.txt"]
    return client(root, sys.executable, *words)


def uv(root: Path, url: str, into: str) -> subprocess.CompletedProcess[str]:
    options = ["--no-cache", "--no-deps", "--require-hashes", "--python", sys.executable, "--target", into]
    words = ["pip", "install", *options, "--index-url", f"{url}simple/", "-r", "requirements.txt"]
    return client(root, str(Path(sys.executable).with_name("uv")), *words)


@pytest.mark.client
def test_real_pip_and_uv_install_what_was_locked(tmp_path):
    world = World(tmp_path).make()
    consumer = {"XDG_CONFIG_HOME": str(tmp_path / "consumer")}
    for version in ("1.0.0", "1.1.0", "1.2.0rc1"):
        world.commit(version)
        world.tag(version)
        assert world.tell("release", "toy", version).code == 0
    requirements = tmp_path / "requirements.txt"
    with served(world.site) as (url, _):
        assert world.run("trust", url, "--yes", env=consumer).code == 0
        locked = world.run("lock", "toy", env=consumer)
        assert (locked.code, locked.err) == (0, "")
        requirements.write_text(locked.out)
        done = pip(tmp_path, url, "w")
        assert done.returncode == 0, done.stderr
        assert [path.name for path in (tmp_path / "w").iterdir()] == ["toy-1.1.0-py3-none-any.whl"]
        done = uv(tmp_path, url, "t")
        assert done.returncode == 0, done.stderr
        assert (tmp_path / "t" / "toy.py").is_file()
        assert world.run("verify", "w", "--fetch", env=consumer).code == 0
        assert world.run("verify", "--requirements", "requirements.txt", "--all", env=consumer).code == 0

        digests = re.findall(r"sha256:([0-9a-f]{64})", locked.out)
        assert len(digests) == 2
        requirements.write_text(re.sub(r"sha256:[0-9a-f]{64}", f"sha256:{EVIL}", locked.out))
        assert pip(tmp_path, url, "n").returncode != 0
        assert uv(tmp_path, url, "n").returncode != 0
        assert world.run("verify", "--requirements", "requirements.txt", env=consumer).code == 7
