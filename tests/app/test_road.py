"""The road as a user walks it: real commands, real git, ssh-keygen and a real build, one directory."""

import contextlib
import functools
import http.server
import json
import random
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.app.world import World

pytestmark = pytest.mark.client


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path).make()


@contextlib.contextmanager
def served(directory: Path) -> Iterator[str]:
    """The directory over HTTP on a free loopback port."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args: object) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Quiet, directory=str(directory))
    ) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def sound(world: World, entries: int = 2) -> None:
    """One release entry after one key entry, complete; the site agrees with the trail both ways."""
    assert [leaf["predicate"]["tagtrail"]["event"] for leaf in world.leaves()] == ["key", "release"][:entries]
    assert world.tell("render", "--check").code == 0
    audited = world.tell("audit", str(world.site))
    assert audited.code == 0, audited.out
    assert not list((world.home / "state" / "scratch").glob("tmp-*"))
    assert world.tell("status").code == 0


def test_a_signed_tag_becomes_a_release_that_verifies(world: World) -> None:
    world.tag("1.0.0")
    done = world.tell("release", "toy", "1.0.0")
    assert done.code == 0, done.out + done.err
    assert done.event("outcome")["state"] == "complete"
    sound(world)
    for name in ("toy-1.0.0.tar.gz", "toy-1.0.0-py3-none-any.whl"):
        assert world.tell("verify", str(world.site / "toy" / name)).code == 0
    assert world.tell("audit").code == 0, "without a directory it is the instance's own site"
    again = world.tell("release", "toy", "1.0.0")
    assert again.code == 0
    assert again.event("already")["what"] == "logged"
    assert not [e for e in again.events if e["event"] in ("built", "logged")]


def test_dry_run_plan_and_check_write_nothing(world: World) -> None:
    world.tag("1.0.0")
    before = world.snapshot()
    for command in (("release", "toy", "1.0.0", "--dry-run"), ("plan", "toy", "1.0.0"), ("check", "toy", "1.0.0")):
        done = world.tell(*command)
        assert done.code == 0, done.out
        after = {k: v for k, v in world.snapshot().items() if not k.startswith("state/tagtrail.db")}
        assert after == {k: v for k, v in before.items() if not k.startswith("state/tagtrail.db")}, command
    assert world.leaves() == []
    assert world.tell("plan", "toy", "1.0.0").event("plan")["isolation"] in {"bubblewrap", "namespaces"}


@pytest.mark.parametrize("step", ["plan", "built", "signed", "logged"])
def test_until_stops_there_and_the_next_run_goes_on(world: World, step: str) -> None:
    world.tag("1.0.0")
    done = world.tell("release", "toy", "1.0.0", "--until", step)
    assert (done.code, done.event("outcome")["state"]) == (0, step)
    assert step == "logged" or world.tell("resume").event("outcome")["text"] == "nothing is unfinished"
    assert len(world.leaves()) == (2 if step == "logged" else 0)
    assert not (world.site / "toy").exists()
    assert world.tell("release", "toy", "1.0.0").code == 0
    sound(world)


def test_what_was_stopped_and_then_killed_is_unfinished(world: World) -> None:
    world.tag("1.0.0")
    assert world.tell("release", "toy", "1.0.0", "--until", "built").code == 0
    key = world.home / "private" / "release-key.pgp"
    away = key.rename(world.home / "private" / "away")
    assert world.tell("release", "toy", "1.0.0").code == 2
    away.rename(key)
    for path in (world.home / "kept").rglob("*"):
        if path.is_file():
            path.chmod(0o644)
            path.write_bytes(path.read_bytes() + b"\0")
    assert world.tell("release", "toy", "1.0.0").code == 6
    status = world.tell("status")
    assert (status.code, status.event("status")["version"]) == (5, "1.0.0")


def test_resume_finishes_what_was_begun(world: World) -> None:
    world.tag("1.0.0")
    world.tell("release", "toy", "1.0.0", "--until", "logged")
    status = world.tell("status")
    assert status.code != 0
    assert status.event("status")["burned"] is False
    assert world.tell("resume").code == 0
    sound(world)
    nothing = world.tell("resume")
    assert (nothing.code, nothing.event("outcome")["text"]) == (0, "nothing is unfinished")


@pytest.mark.parametrize("step", ["plan", "built", "signed", "logged", "published"])
def test_a_lost_journal_doubles_nothing(world: World, step: str) -> None:
    world.tag("1.0.0")
    world.tell("release", "toy", "1.0.0", "--until", step)
    site = world.snapshot("site")
    world.lose_journal()
    assert world.tell("release", "toy", "1.0.0").code == 0
    sound(world)
    assert {k: world.snapshot("site")[k] for k in site} == site


def test_notes_begin_at_the_tag_before_where_the_trail_begins_later(world: World) -> None:
    world.tag("0.9.0")
    world.commit("second")
    world.tag("1.0.0")
    done = world.tell("release", "toy", "1.0.0")
    assert done.code == 0, done.out
    notes = (world.site / "toy" / "toy-1.0.0.notes.md").read_text()
    assert "## Since 0.9.0\n\n- 1 commit by 1 person\n" in notes


def test_a_second_release_and_an_older_series(world: World) -> None:
    for version in ("1.0.0", "2.0.0", "1.0.1"):
        world.commit(version)
        world.tag(version)
        done = world.tell("release", "toy", version)
        assert done.code == 0, done.out
    page = (world.site / "toy" / "index.html").read_text()
    assert all(version in page for version in ("1.0.0", "2.0.0", "1.0.1"))
    assert world.tell("audit", str(world.site)).code == 0
    assert len(world.leaves()) == 4, "one key entry serves all three"


def test_two_releases_of_one_project_at_the_same_time_are_both_on_the_page(world: World) -> None:
    for version in ("1.0.0", "1.1.0", "1.2.0"):
        world.commit(version)
        world.tag(version)
    argv = [world.argv("-C", str(world.home), "--json", "release", "toy", v) for v in ("1.1.0", "1.2.0")]
    running = [subprocess.Popen(a, env=world.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for a in argv]
    for process in running:
        process.communicate()
    done = {v: world.tell("release", "toy", v).code for v in ("1.2.0",)}
    assert done == {"1.2.0": 0}
    events = [leaf["predicate"]["tagtrail"] for leaf in world.leaves()]
    versions = [e["version"] for e in events if e["event"] == "release"]
    assert "1.2.0" in versions
    assert len(versions) == len(set(versions))
    page = (world.site / "toy" / "index.html").read_text()
    assert all(version in page for version in versions)
    assert world.tell("render", "--check").code == 0
    assert world.tell("audit", str(world.site)).code == 0


def test_the_same_release_by_two_processes_is_one_entry(world: World) -> None:
    world.tag("1.0.0")
    argv = world.argv("-C", str(world.home), "--json", "release", "toy", "1.0.0")
    running = [subprocess.Popen(argv, env=world.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(3)]
    ended = [(p.communicate(), p.returncode) for p in running]
    assert {code for _, code in ended} <= {0, 4}, ended
    assert world.tell("release", "toy", "1.0.0").code == 0
    sound(world)


# --- a url: seen means what a GET shows ------------------------------------------------------------------------------


def test_with_a_url_the_release_waits_until_the_public_sees_it(tmp_path: Path) -> None:
    public = tmp_path / "public"
    public.mkdir()
    with served(public) as url:
        world = World(tmp_path).make("--url", url)
        world.tag("1.0.0")
        waiting = world.tell("release", "toy", "1.0.0")
        assert waiting.code == 4
        assert {e["state"] for e in waiting.events if e["event"] == "row"} == {"asked", "sent"}
        assert world.tell("status").code == 4
        assert world.tell("resume").code == 4
        subprocess.run(["cp", "-r", f"{world.site}/.", str(public)], check=True)
        assert world.tell("resume").code == 0
        sound(world)


def test_the_upload_command_runs_once_per_phase_in_order(tmp_path: Path) -> None:
    public, phases = tmp_path / "public", tmp_path / "phases"
    public.mkdir()
    script = tmp_path / "upload.sh"
    script.write_text(
        f'#!/bin/sh\ntest -e {tmp_path}/down && exit 1\nhead -1 "$2" >> {phases}\ncp -r "$1/." {public}\n'
    )
    script.chmod(0o755)
    with served(public) as url:
        world = World(tmp_path).make("--url", url)
        settings = world.home / "tagtrail.toml"
        upload = f'upload = ["{script}", "{{root}}", "{{list}}"]\n'
        settings.write_text(settings.read_text().replace('root = "site"\n', f'root = "site"\n{upload}'))
        world.tag("1.0.0")
        (tmp_path / "down").touch()
        failed = world.tell("release", "toy", "1.0.0")
        assert (failed.code, failed.event("refused")["code"]) == (5, "upload-failed")
        (tmp_path / "down").unlink()
        done = world.tell("resume")
        assert done.code == 0, done.out
        firsts = phases.read_text().split()
        assert [f.split("/")[0] for f in firsts[:2]] == ["trail", "trail"]
        assert firsts[1] == "trail/checkpoint"
        assert len(firsts) == 4, firsts
        assert world.tell("release", "toy", "1.0.0").code == 0
        assert phases.read_text().split() == firsts, "nothing was uploaded again"


# --- killed ----------------------------------------------------------------------------------------------------------


def _killed(world: World, after: float) -> int:
    argv = world.argv("-C", str(world.home), "--json", "release", "toy", "1.0.0")
    process = subprocess.Popen(argv, env=world.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(after)
    process.send_signal(signal.SIGKILL)
    return process.wait()


@pytest.mark.slow
def test_killed_at_thirty_random_moments_it_is_one_release(tmp_path: Path) -> None:
    """Three kills in each of ten instances; the moments spread over the time that an undisturbed release takes."""
    chance = random.Random(20260401)
    kills = 0
    (tmp_path / "calm").mkdir()
    calm = World(tmp_path / "calm").make()
    calm.tag("1.0.0")
    begun = time.monotonic()
    assert calm.tell("release", "toy", "1.0.0").code == 0
    takes = time.monotonic() - begun
    for number in range(10):
        directory = tmp_path / str(number)
        directory.mkdir()
        world = World(directory).make()
        world.tag("1.0.0")
        for _ in range(3):
            kills += _killed(world, chance.uniform(0.05, 0.9) * takes) == -signal.SIGKILL
        done = world.tell("release", "toy", "1.0.0")
        assert done.code == 0, done.out
        sound(world)
        world.remove()
    assert kills >= 15, "too few of the thirty came before the end to mean anything"


# --- what is refused, and leaves nothing behind ----------------------------------------------------------------------


def _light(world: World) -> None:
    world.git("tag", "1.0.0")


def _unsigned(world: World) -> None:
    world.tag("1.0.0", options=("-a",))


def _stranger(world: World) -> None:
    world.tag("1.0.0", key=world.stranger)


def _other_name(world: World) -> None:
    world.tag("0.9.0")
    world.git("update-ref", "refs/tags/1.0.0", world.git("rev-parse", "refs/tags/0.9.0"))


def _tag_of_tag(world: World) -> None:
    world.tag("inner")
    world.git("tag", "-s", "-m", "outer", "1.0.0", "inner")


def _build_fails(world: World) -> None:
    (world.repo / "backend.py").write_text("def build_sdist(d, c=None): raise SystemExit('no disk of mine')\n")
    world.commit("broken")
    world.tag("1.0.0")


def _wrong_version(world: World) -> None:
    text = (world.repo / "backend.py").read_text()
    (world.repo / "backend.py").write_text(text.replace('os.environ.get("PBR_VERSION", "0")', '"7.7"'))
    world.commit("stubborn")
    world.tag("1.0.0")


def _no_repo(world: World) -> None:
    world.repo.rename(world.root / "gone")


def _no_tag(world: World) -> None:
    """Nobody made it."""


def _objects_gone(world: World) -> None:
    world.tag("1.0.0")
    blob = world.git("rev-parse", "HEAD:toy.py")
    (world.repo / ".git" / "objects" / blob[:2] / blob[2:]).unlink()


def _unknown_key(world: World) -> None:
    world.tag("1.0.0")
    settings = world.home / "tagtrail.toml"
    settings.write_text(settings.read_text().replace("signers =", "singers ="))


def _reserved(world: World) -> None:
    world.tag("1.0.0")
    settings = world.home / "tagtrail.toml"
    settings.write_text(settings.read_text().replace("[project.toy]", "[project.Simple]"))


def _key_others_read(world: World) -> None:
    world.tag("1.0.0")
    (world.home / "private" / "log.key").chmod(0o644)


Table = tuple[Callable[[World], None], int, str]
REFUSALS: list[Table] = [
    (_light, 3, "tag-light"),
    (_unsigned, 3, "tag-unsigned"),
    (_stranger, 3, "tag-signer-unknown"),
    (_other_name, 3, "tag-name"),
    (_tag_of_tag, 3, "tag-of-tag"),
    (_build_fails, 3, "build-failed"),
    (_wrong_version, 3, "version-mismatch"),
    (_no_repo, 2, "repo-missing"),
    (_no_tag, 2, "tag-missing"),
    (_objects_gone, 3, "objects-missing"),
    (_unknown_key, 2, "settings"),
    (_reserved, 2, "settings"),
    (_key_others_read, 2, "key-mode"),
]


@pytest.mark.parametrize(("wrong", "exit_code", "code"), REFUSALS, ids=[wrong.__name__[1:] for wrong, _, _ in REFUSALS])
def test_one_wrong_thing_is_refused_and_leaves_nothing(
    world: World, wrong: Callable[[World], None], exit_code: int, code: str
) -> None:
    wrong(world)
    before = world.snapshot("site"), world.snapshot("kept")
    done = world.tell("release", "toy", "1.0.0")
    refused = done.event("refused")
    assert (done.code, refused["code"]) == (exit_code, code), done.out
    assert refused["what"]
    assert refused["next"], "the next command is named"
    assert (world.snapshot("site"), world.snapshot("kept")) == before
    assert not list((world.home / "state" / "scratch").glob("tmp-*"))
    assert code in ("settings", "key-mode") or world.leaves() == []


@pytest.mark.parametrize(("tag", "code"), [("hello", "pep440"), ("1.0.0-eol", "tag-lifecycle")])
def test_what_is_no_version_is_refused(world: World, tag: str, code: str) -> None:
    world.tag(tag)
    done = world.tell("release", "toy", tag)
    assert (done.code, done.event("refused")["code"]) == (3, code)
    assert world.leaves() == []


DISK = """
mount -t tmpfs -o size={size}k none {disk} && cp -a {world.home} {disk}/home || exit 99
{command} --json release toy 1.0.0 | tail -1
find {disk}/home/state/scratch {disk}/home/kept/incoming {disk}/home/state/incoming -type f -not -name '*lock'
mount -o remount,size=50m {disk}
{command} --json release toy 1.0.0 | tail -1
{command} --json audit {disk}/home/site | tail -1
{command} --json render --check | tail -1
exit 0
"""
NO_ROOM = 99
"""Not even the instance as it is found room."""


@pytest.mark.slow
def test_a_full_disk_is_said_and_leaves_nothing_half_done(world: World) -> None:
    """Disks of many sizes, so that many different writes are the one that fails; then there is room again."""
    unshare = ["unshare", "--map-root-user", "--mount", "bash", "-c"]
    if subprocess.run([*unshare, "mount -t tmpfs none /mnt"], check=False, capture_output=True).returncode:
        pytest.skip("no small disk can be mounted here: unshare --map-root-user --mount is refused")
    world.tag("1.0.0")
    assert world.tell("release", "toy", "1.0.0", "--until", "built").code == 0
    files = [p for p in world.home.rglob("*") if p.is_file() and not p.is_symlink()]
    used = sum(-(-p.stat().st_size // 4096) * 4 for p in files)
    disk, ends = world.root / "disk", []
    disk.mkdir()
    command = world.argv("-C", str(disk / "home"))
    for spare in range(0, 1800, 90):
        script = DISK.format(size=used + spare, disk=disk, world=world, command=" ".join(command))
        done = subprocess.run([*unshare, script], env=world.env, check=False, capture_output=True, text=True)
        if done.returncode == NO_ROOM:
            continue
        first, *left, again, audited, checked = [json.loads(line) for line in done.stdout.splitlines()]
        assert left == []
        assert first["exit"] == 0 or (first["exit"], first["code"]) == (2, "disk-full"), first
        assert [end["exit"] for end in (again, audited, checked)] == [0, 0, 0], spare
        ends.append(first["exit"])
    assert ends.count(2) >= 3, "too few of the disks were full to mean anything"
    assert ends[-1] == 0


def test_a_lower_version_is_refused(world: World) -> None:
    world.tag("2.0.0")
    assert world.tell("release", "toy", "2.0.0").code == 0
    world.commit("late")
    world.tag("1.9.0")
    done = world.tell("release", "toy", "1.9.0")
    assert done.code == 3, done.out
    assert len(world.leaves()) == 2


def test_a_moved_tag_is_an_alarm(world: World) -> None:
    world.tag("1.0.0")
    assert world.tell("release", "toy", "1.0.0").code == 0
    world.commit("other")
    world.tag("1.0.0", options=("-f", "-s"))
    done = world.tell("release", "toy", "1.0.0")
    assert (done.code, done.event("refused")["code"]) == (6, "tag-moved")
    sound(world)


def test_a_taken_name_with_other_bytes_is_a_conflict_and_stays(world: World) -> None:
    world.tag("1.0.0")
    taken = world.site / "toy" / "toy-1.0.0.tar.gz"
    taken.parent.mkdir()
    taken.write_bytes(b"somebody else's")
    early = world.tell("release", "toy", "1.0.0")
    assert (early.code, early.event("refused")["code"], world.leaves()) == (3, "place-version-taken", [])
    done = world.tell("release", "toy", "1.0.0", "--override", "PLACE004", "--because", "it is the same")
    assert done.code == 6, done.out
    assert taken.read_bytes() == b"somebody else's"
    status = world.tell("status").event("status")
    assert status["burned"] is True


def test_a_site_that_lost_files_gets_the_same_bytes_again(world: World) -> None:
    world.tag("1.0.0")
    assert world.tell("release", "toy", "1.0.0").code == 0
    whole = world.snapshot("site")
    for lost in ("toy/toy-1.0.0.tar.gz", "toy/toy-1.0.0.SHA256SUMS.asc", "toy/1.0.0/index.html"):
        (world.site / lost).unlink()
    assert world.tell("release", "toy", "1.0.0").code == 0
    assert world.snapshot("site") == whole
    sound(world)


def test_kept_bytes_altered_on_disk_are_never_published(world: World) -> None:
    world.tag("1.0.0")
    assert world.tell("release", "toy", "1.0.0", "--until", "logged").code == 0
    sdist = next(f for f in world.leaves()[1]["subject"] if f["name"].endswith(".gz"))["digest"]["sha256"]
    path = world.home / "kept" / sdist[:2] / sdist
    data = bytearray(path.read_bytes())
    data[100] ^= 1
    path.chmod(0o644)
    path.write_bytes(data)
    done = world.tell("release", "toy", "1.0.0")
    assert (done.code, done.event("refused")["code"]) == (6, "kept-altered"), done.out
    assert not (world.site / "toy" / "toy-1.0.0.tar.gz").exists()


def test_kept_bytes_altered_before_the_log_are_never_signed(world: World) -> None:
    world.tag("1.0.0")
    assert world.tell("release", "toy", "1.0.0", "--until", "built").code == 0
    for path in (world.home / "kept").rglob("*"):
        if path.is_file():
            path.chmod(0o644)
            path.write_bytes(path.read_bytes() + b"\0")
    done = world.tell("release", "toy", "1.0.0")
    assert (done.code, done.event("refused")["code"]) == (6, "kept-altered")
    assert world.leaves() == []


def test_a_planted_instance_is_not_used(world: World) -> None:
    world.tag("1.0.0")
    inside = world.home / "deep" / "down"
    inside.mkdir(parents=True)
    assert world.run("release", "toy", "1.0.0", "--dry-run", cwd=inside).code == 0
    (world.home / "tagtrail.toml").chmod(0o666)
    done = world.run("--json", "release", "toy", "1.0.0", cwd=inside)
    assert (done.code, done.event("refused")["code"]) == (2, "home-not-ours")
    assert world.leaves() == []


def test_a_restored_back_up_signs_nothing(tmp_path: Path) -> None:
    world = World(tmp_path).make()
    world.tag("1.0.0")
    assert world.tell("release", "toy", "1.0.0").code == 0
    subprocess.run(["cp", "-a", str(world.home / "state"), str(tmp_path / "old")], check=True)
    for version in ("1.1.0", "1.2.0"):
        world.commit(version)
        world.tag(version)
    assert world.tell("release", "toy", "1.1.0").code == 0
    subprocess.run(["rm", "-rf", str(world.home / "state")], check=True)
    (tmp_path / "old").rename(world.home / "state")
    done = world.tell("release", "toy", "1.2.0")
    assert (done.code, done.event("refused")["code"]) == (6, "trail-ahead")


def test_an_unwritable_site_says_so(world: World) -> None:
    world.tag("1.0.0")
    assert world.tell("release", "toy", "1.0.0", "--until", "logged").code == 0
    world.site.rmdir()
    world.site.write_text("a file where the site should be")
    done = world.tell("release", "toy", "1.0.0")
    assert (done.code, done.event("refused")["code"]) == (2, "not-writable"), done.out


def test_status_shows_what_a_failed_build_said(world: World) -> None:
    backend = world.repo / "backend.py"
    good = backend.read_text()
    bad = "def build_sdist(*_):\n    raise ValueError('no such gear')\n\ndef _was"
    backend.write_text(good.replace("def build_sdist", bad))
    world.git("commit", "-qam", "broken")
    world.tag("1.0.0")
    assert world.tell("release", "toy", "1.0.0").code == 3
    told = world.tell("status")
    assert told.code == 5
    assert "no such gear" in "\n".join(told.event("log")["lines"])
    assert len(told.event("log")["lines"]) <= 5
    assert world.tell("status", "toy", "1.0.0").event("log")["file"].endswith("state/logs/toy-1.0.0.log")
    assert "log" not in {e["event"] for e in world.tell("status", "toy", "2.0.0").events}
    assert "no such gear" in world.run("-C", str(world.home), "status", "toy", "1.0.0").out


def test_status_of_a_release_that_is_there(world: World) -> None:
    world.tag("1.0.0")
    assert world.tell("release", "toy", "1.0.0").code == 0
    told = world.tell("status", "toy", "1.0")
    assert (told.code, told.event("status")["text"]) == (0, "released (entry 1)")
    assert {t["state"] for t in told.event("status")["targets"]} == {"seen"}
