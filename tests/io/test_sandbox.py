import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tagtrail.io import sandbox
from tagtrail.io.sandbox import Cell, Limits, hidden, isolation
from tagtrail.model.errors import SetupError
from tests.adapters import attempts
from tests.adapters.planted import planted

pytestmark = pytest.mark.client

SOURCE = Path(sandbox.__file__).parents[2]
ATTEMPTS = Path(attempts.__file__)
SYSTEM_PYTHON = Path("/usr/bin/python3")
PYTHON = str(SYSTEM_PYTHON if SYSTEM_PYTHON.exists() else sys.executable)
RUN = """
import json, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from tagtrail.io.sandbox import Cell, Limits
told = json.loads(sys.argv[2])
cell = Cell(
    kind=told["kind"], room=Path(told["room"]), network=told["network"], limits=Limits(**told["most"]),
    read=tuple((Path(a), Path(b)) for a, b in told["read"]), write=tuple((Path(a), Path(b)) for a, b in told["write"]),
)
done = cell.run(told["argv"], told["env"], limit=told["limit"])
out, err = (text.decode("utf-8", "replace") for text in (done.out, done.err))
print(json.dumps([done.code, out, err, done.late, done.beyond]))
"""
LOOK = """
with cell.session(told["argv"], told["env"]) as session:
    session.order("", 30.0)
    session.frame(1)
    print(cell.full(session.root))
sys.exit()
"""


@dataclass(frozen=True, slots=True)
class Done:
    code: int
    out: str
    err: str
    late: bool
    beyond: bool


@dataclass(frozen=True, slots=True)
class Inmate:
    """Runs commands in cells of one kind, started by one user."""

    kind: str
    user: str
    place: Path

    def told(self, *argv: str, env: dict[str, str] | None = None, limit: float = 30.0, **more: Any) -> list[str]:
        told = {
            "kind": self.kind, "argv": argv, "env": env or {}, "limit": limit, "room": str(self.place),
            "network": False, "most": {}, "read": [], "write": [],
        } | more  # fmt: skip
        nobody = ["/usr/bin/setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
        start = [sys.executable] if self.user == "me" else [*nobody, str(SYSTEM_PYTHON)]
        return [*start, "-c", RUN, str(SOURCE), json.dumps(told)]

    def run(self, *argv: str, env: dict[str, str] | None = None, limit: float = 30.0, **more: Any) -> Done:
        done = subprocess.run(
            self.told(*argv, env=env, limit=limit, **more), capture_output=True, text=True, check=False, cwd="/"
        )
        assert done.returncode == 0, done.stderr
        return Done(*json.loads(done.stdout))

    def shell(self, script: str, **more: Any) -> Done:
        return self.run("/bin/sh", "-c", script, env={"PATH": "/usr/bin:/bin"}, **more)

    def python(self, script: str, **more: Any) -> Done:
        return self.run(PYTHON, "-c", script, **more)


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory that everybody may pass: no mode keeps anybody out."""
    path = Path(tempfile.mkdtemp(prefix="cell-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


def inmate(kind: str, user: str, place: Path) -> Inmate:
    found = Inmate(kind, user, place)
    if user == "nobody" and (os.geteuid() != 0 or not SYSTEM_PYTHON.exists()):
        pytest.skip("NOT TESTED: only root can become another user, and there must be a /usr/bin/python3")
    if found.run("/bin/true").code:
        pytest.skip(f"NOT TESTED: {kind} does not run here for {user}: {found.run('/bin/true').err.strip()}")
    return found


WHO = [(kind, user) for kind in ("bubblewrap", "namespaces") for user in ("me", "nobody")]


@pytest.fixture(params=WHO, ids=["-".join(who) for who in WHO])
def within(request: pytest.FixtureRequest, place: Path) -> Inmate:
    kind, user = request.param
    return inmate(kind, user, place)


# What it sees


def test_what_there_is(within: Inmate) -> None:
    there = set(within.shell("ls /").out.split())
    python = {Path(sys.base_prefix).parts[1]} if within.user == "me" else set()
    assert {"build", "dev", "etc", "proc", "tmp", "usr"} <= there
    assert (
        there
        <= {"build", "dev", "etc", "proc", "tmp", "usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32"} | python
    )
    assert within.shell("ls -A /build /tmp /dev/shm").out == "/build:\n\n/dev/shm:\n\n/tmp:\n"
    assert set(within.shell("ls /etc").out.split()) <= {
        "alternatives", "group", "hosts", "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "passwd",
    }  # fmt: skip


def test_who_it_is_and_where(within: Inmate) -> None:
    said = within.shell(
        "id -un; id -u; id -G; hostname; pwd; umask; echo ~build; ulimit -c; cat /proc/self/oom_score_adj"
    )
    assert said.out.split() == ["build", "65534", "65534", "build", "/build", "0022", "/build/home", "0", "1000"]


def test_it_has_exactly_the_environment_that_it_is_given(within: Inmate) -> None:
    given = {"A": "b", "EMPTY": "", "NAME": "\u00fc x\ny"}
    found = json.loads(within.python("import json, os; print(json.dumps(dict(os.environ)))", env=given).out)
    for name in ("PWD", "LC_CTYPE"):
        found.pop(name, None)
    assert found == given
    assert within.shell("cat /proc/1/environ").out == ""


def test_nobody_else_reads_what_it_is_told(within: Inmate) -> None:
    """Credentials of an index are in the installer's environment; a command line is for everybody to read."""
    told = within.told("/bin/sleep", "60", env={"TOKEN": "canary-on-a-line"})
    script = told[-1]
    told[-1] = "-"
    code = told[told.index("-c") + 1].replace("sys.argv[2]", "sys.stdin.read()")
    told[told.index("-c") + 1] = code
    with subprocess.Popen(told, stdin=subprocess.PIPE, cwd="/") as running:
        assert running.stdin
        running.stdin.write(script.encode())
        running.stdin.close()
        try:
            lines: list[str] = []
            for _ in range(2000):
                lines = [line for path in Path("/proc").glob("[0-9]*/cmdline") for line in content(path)]
                if any(line.endswith("/bin/sleep\x0060\x00") for line in lines):
                    break
                time.sleep(0.02)
            assert [line for line in lines if line.endswith("/bin/sleep\x0060\x00")]
            assert not [line for line in lines if "canary-on-a-line" in line]
        finally:
            running.kill()


def content(path: Path) -> Iterator[str]:
    try:
        yield path.read_text(errors="replace")
    except OSError:
        return


def test_what_is_shown_may_be_read_and_what_is_lent_be_written(within: Inmate, place: Path) -> None:
    for name in ("shown", "lent"):
        (place / name).mkdir()
        (place / name / "file").write_text("x")
        (place / name).chmod(0o777)
        (place / name / "file").chmod(0o666)
    bound = {"read": [("/in/deep/shown", str(place / "shown")), ("/tmp/one", str(place / "shown" / "file"))]}  # noqa: S108
    tried = "/in/deep/shown/new /in/new /new /tmp/one /lent/new /build/new /tmp/new"
    script = f"cat /in/deep/shown/file /tmp/one; for p in {tried}; do echo y >$p && echo $p; done 2>/dev/null"
    said = within.shell(script, **bound, write=[("/lent", str(place / "lent"))])
    assert said.out.split() == ["xx/lent/new", "/build/new", "/tmp/new"]  # noqa: S108  (the cell's)
    assert (place / "lent" / "new").read_text() == "y\n"
    assert not (place / "shown" / "new").exists()


def test_what_lies_in_something_else_that_is_shown(within: Inmate, place: Path) -> None:
    """As the certificates that SSL_CERT_FILE names do."""
    (place / "in" / "below").mkdir(parents=True)
    (place / "in" / "below" / "file").write_text("x")
    (place / "other").write_text("y")
    bound = [("/in", str(place / "in")), ("/in/below/file", str(place / "other"))]
    assert within.shell("cat /in/below/file", read=bound).out == "y"


MOUNTED = """
mkdir "$0/shown/sub" && mount -t tmpfs none "$0/shown/sub" && echo x >"$0/shown/sub/file" &&
mkdir "$0/shown/sub/deep er" && mount -t tmpfs none "$0/shown/sub/deep er" && chmod -R a+rwX "$0/shown" || exit 77
exec "$@"
"""


def mounted(place: Path, *argv: str) -> subprocess.CompletedProcess[str]:
    """Run a command where other file systems are mounted below `place/shown`."""
    (place / "shown").mkdir()
    own = ["unshare", *([] if os.geteuid() == 0 else ["--map-root-user"]), "--mount", "sh", "-c", MOUNTED, str(place)]
    done = subprocess.run([*own, *argv], capture_output=True, text=True, check=False, cwd="/")
    if done.returncode == 77 or "unshare: " in done.stderr:
        pytest.skip(f"NOT TESTED: nothing can be mounted here: {done.stderr}")
    assert done.returncode == 0, done.stderr
    return done


def test_what_is_mounted_below_what_is_shown_is_read_and_not_written(within: Inmate, place: Path) -> None:
    tried = 'cat /in/sub/file; for p in /in /in/sub "/in/sub/deep er"; do echo y >"$p/new" && echo "$p"; done'
    told = within.told("/bin/sh", "-c", tried, env={"PATH": "/usr/bin:/bin"}, read=[("/in", str(place / "shown"))])
    code, out, err, *_ = json.loads(mounted(place, *told).stdout)
    assert (code != 0, out, err.count("Read-only file system")) == (True, "x\n", 3)


def test_what_is_mounted_is_held_one_by_one_too(place: Path) -> None:
    """As it is done where the kernel cannot hold all of it at once."""
    script = (
        "import runpy, sys; from pathlib import Path; shown = Path(sys.argv[2])\n"
        "cell = runpy.run_path(sys.argv[1]); cell['mount'](str(shown), str(shown), None, cell['BIND'] | cell['REC'])\n"
        "cell['hold_each'](str(shown), cell['NOSUID'] | cell['RDONLY'])\n"
        "for path in (shown, shown / 'sub', shown / 'sub' / 'deep er'):\n"
        "    try: (path / 'new').touch()\n"
        "    except OSError as error: print(error.strerror)\n"
    )
    cell = str(Path(sandbox.__file__).with_name("cell.py"))
    done = mounted(place, sys.executable, "-c", script, cell, str(place / "shown"))
    assert done.stdout.splitlines() == ["Read-only file system"] * 3


def test_localhost_is_its_own(within: Inmate) -> None:
    script = (
        "import socket; s = socket.create_server(('localhost', 0)); socket.create_connection(s.getsockname()); print(1)"
    )
    assert within.python(script).out == "1\n"


# What it may use up


def test_memory(within: Inmate) -> None:
    script = "print(len(bytearray(600 << 20)))"
    assert within.python(script, most={"memory": 1 << 30}).out.strip() == str(600 << 20)
    done = within.python(script, most={"memory": 300 << 20})
    assert (done.code, "MemoryError" in done.err) == (1, True)


WAIT = "time.sleep(20)"
HOLD = {
    "shared": f"m = mmap.mmap(-1, 300 << 20)\nfor at in range(0, len(m), 4096): m[at] = 1\n{WAIT}",
    "sum": f"for _ in range(6):\n  if os.fork() == 0: kept = b'x' * (50 << 20); {WAIT}; os._exit(0)\n{WAIT}",
    "tables": f"m = mmap.mmap(-1, 1 << 37, flags=0x4002, prot=1)\nfor at in range(0, len(m), 2 << 20): m[at]\n{WAIT}",
    "daemon": "if os.fork() == 0:\n  os.setsid()\n  if os.fork() == 0:\n"
    f"    kept = [mmap.mmap(-1, 1 << 20) for _ in range(300)]\n    for m in kept: m.write(bytes(len(m)))\n    {WAIT}\n"
    f"  os._exit(0)\n{WAIT}",
}
ENOUGH = {
    "inherited": "kept = b'x' * (90 << 20)\nfor _ in range(6):\n  if os.fork() == 0: time.sleep(0.5); os._exit(0)\n"
    "for _ in range(6): os.wait()",
    "lent": "kept = b'x' * (120 << 20)\nfor _ in range(40): subprocess.run(['/bin/sleep', '0.01'], close_fds=False)",
    "reserved": "m = mmap.mmap(-1, 1 << 40, flags=0x4002, prot=0)\ntime.sleep(0.5)",
}
USE = "import mmap, os, subprocess, time\n"


@pytest.mark.parametrize("how", HOLD)
def test_memory_of_all_together(within: Inmate, how: str) -> None:
    """Whatever one process may have for itself."""
    done = within.python(f"{USE}{HOLD[how]}", most={"memory": 200 << 20})
    assert (done.beyond, done.late, done.code != 0) == (True, False, True), done.err


@pytest.mark.parametrize("how", ENOUGH)
def test_memory_that_is_not_used_or_is_used_once(within: Inmate, how: str) -> None:
    done = within.python(f"{USE}{ENOUGH[how]}", most={"memory": 200 << 20})
    assert (done.code, done.beyond) == (0, False), done.err


@pytest.mark.parametrize(("where", "size"), [("/build", 8), ("/tmp", 8), ("/dev/shm", 64)])  # noqa: S108
def test_disk(within: Inmate, where: str, size: int) -> None:
    fill = f"for i in 1 2 3 4 5 6 7 8 9 10; do head -c {size // 8}M /dev/zero >{where}/$i || exit 7; done"
    done = within.shell(fill, most={"disk": size << 20})
    assert (done.code, "No space left" in done.err) == (7, True)
    one = within.shell(f"head -c {2 * size}M /dev/zero >{where}/file; wc -c <{where}/file", most={"disk": size << 20})
    assert int(one.out) <= size << 20


def test_how_many_files(within: Inmate) -> None:
    if within.kind == "bubblewrap":
        pytest.skip("NOT LIMITED: bubblewrap mounts with a size, and with nothing else")
    done = within.shell("for i in $(seq 3000); do : >/tmp/$i; done", most={"disk": 8 << 20})
    assert (done.code, "No space left" in done.err) == (2, True)


FILL = """
import os, subprocess, sys, time
subprocess.run(["head", "-c", "8M", "/dev/zero"], stdout=open(sys.argv[1] + "/x", "wb"))
os.write(int(sys.argv[2]), (1).to_bytes(8, "big") + b"y")
time.sleep(60)
"""


@pytest.mark.parametrize(("where", "full"), [("/build", True), ("/tmp", True), ("/dev/shm", False)])  # noqa: S108
def test_whether_its_places_are_full_is_known(within: Inmate, where: str, full: bool) -> None:
    """Of what runs, by whoever started it."""
    told = within.told(PYTHON, "-c", FILL, where, env={"PATH": "/usr/bin:/bin"}, most={"disk": 8 << 20})
    told[told.index("-c") + 1] = RUN.replace("done = cell.run", f"{LOOK}done = cell.run")
    done = subprocess.run(told, capture_output=True, text=True, check=False, cwd="/")
    assert (done.returncode, done.stdout) == (0, f"{full}\n"), done.stderr


def test_processes(within: Inmate) -> None:
    script = "import os\nfor n in range(200):\n  if os.fork() == 0: __import__('signal').pause()\n"
    done = within.python(script, most={"processes": 100})
    assert (done.code, "Resource temporarily unavailable" in done.err) == (1, True)


def test_what_others_use_up_is_not_counted(within: Inmate, place: Path) -> None:
    """A cell full of processes is no reason for the next one, of the same user, to start none."""
    (place / "lent").mkdir()
    (place / "lent").chmod(0o777)
    most: dict[str, Any] = {"most": {"processes": 100}, "env": {"PATH": "/usr/bin:/bin"}}
    fill = "for n in $(seq 80); do sleep 60 & done; touch /lent/full; wait"
    full = within.told("/bin/sh", "-c", fill, write=[("/lent", str(place / "lent"))], **most)
    with subprocess.Popen(full, stdout=subprocess.DEVNULL, cwd="/") as first:
        try:
            until = time.monotonic() + 50
            while not (place / "lent" / "full").exists() and time.monotonic() < until:
                time.sleep(0.02)
            assert (place / "lent" / "full").exists()
            done = within.run("/bin/sh", "-c", "for n in $(seq 80); do sleep 0.2 & done; wait; echo all", **most)
            assert (done.code, done.out) == (0, "all\n")
        finally:
            first.kill()


def test_time_is_up_for_a_fork_bomb_too(within: Inmate) -> None:
    begun = time.monotonic()
    # the first shell starts a single process: one that it could not start would be its end
    done = within.shell("b() { b | b & }; b & while :; do :; done", most={"processes": 100}, limit=1.0)
    assert done.late
    assert time.monotonic() - begun < 60


def test_all_of_it_is_dead_when_it_ends(within: Inmate) -> None:
    mark = f"600.{uuid4().int % 10**9}"
    assert within.shell(f"setsid sleep {mark} & (setsid setsid sleep {mark} &) ; sleep 0.2").code == 0
    until = time.monotonic() + 20  # what was killed has a line until the kernel gives it the processor again
    while (left := with_line(mark)) and time.monotonic() < until:
        time.sleep(0.02)
    assert not left


def test_it_dies_with_whoever_started_it(within: Inmate) -> None:
    """Also where that is killed, and cannot end anything itself."""
    mark = f"600.{uuid4().int % 10**9}"
    script = f"(setsid setsid sleep {mark} &); sleep {mark}"
    told = within.told("/bin/sh", "-c", script, env={"PATH": "/usr/bin:/bin"}, limit=300.0)
    with subprocess.Popen(told, cwd="/", stdout=subprocess.DEVNULL) as starter:
        until = time.monotonic() + 20
        while sum(line.startswith("sleep\0") for line in with_line(mark)) < 2 and time.monotonic() < until:
            time.sleep(0.02)
        starter.kill()
    until = time.monotonic() + 20
    while (left := with_line(mark)) and time.monotonic() < until:
        time.sleep(0.02)
    assert not left


def test_what_root_said_of_memory_that_is_short_cannot_be_taken_back(within: Inmate) -> None:
    if within.user != "me" or not may_lower():
        pytest.skip("NOT TESTED: whoever has no CAP_SYS_RESOURCE cannot fix it")
    said = within.shell("echo 0 >/proc/self/oom_score_adj; cat /proc/self/oom_score_adj")
    assert said.out == "1000\n"


def may_lower() -> bool:
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("CapEff"))
    return bool(int(line.split()[1], 16) >> 24 & 1)


def with_line(mark: str) -> list[str]:
    """The command lines, of all that run, with this in them."""
    return [line for path in Path("/proc").glob("[0-9]*/cmdline") for line in content(path) if mark in line]


def test_how_it_ends_is_how_the_command_ends(within: Inmate) -> None:
    assert within.shell("exit 3").code == 3
    assert within.shell("kill -9 $$").code == 137
    assert within.run("/usr/bin/no-such-program").code != 0


# What the hostile try


OPEN = {"speak_tcp", "speak_udp", "route_anywhere", "speak_abstract"}
"""What a cell with network does not keep from anybody: whatever this machine's network is."""


@pytest.mark.parametrize("network", [False, True])
def test_the_hostile_in_a_cell(within: Inmate, place: Path, network: bool) -> None:
    with planted(place / "planted") as found:
        shown = [("/in/attempts.py", str(ATTEMPTS)), ("/in/facts", str(place / "planted" / "facts.json"))]
        argv = (PYTHON, "/in/attempts.py", "/in/facts")
        done = within.run(*argv, read=shown, network=network, env={"PATH": "/usr/bin:/bin"})
        assert done.err == ""
        got = set(json.loads(done.out))
        assert got <= OPEN if network else got == set()
        assert found.unharmed()


@pytest.mark.skipif(os.geteuid() != 0, reason="NOT TESTED: only root gets everything that there is to get")
def test_the_hostile_without_a_cell_get_it_all(place: Path) -> None:
    """The attempts are worth something: each succeeds where nothing is in its way."""
    spared = {"look_for_secrets", "write_what_is_shown", "write_environment", "write_after_remounting", "take_terminal"}
    elsewhere = spared | {"route_anywhere"}
    with planted(place / "planted") as found, (place / "planted" / "open").open("w") as left:
        facts = place / "facts"
        facts.write_text(json.dumps({**found.facts, "spared": sorted(elsewhere)}))
        argv = [PYTHON, str(ATTEMPTS), str(facts)]
        done = subprocess.run(argv, capture_output=True, text=True, check=True, cwd=place, pass_fds=[left.fileno()])
        assert not found.unharmed()
    assert {attempt.__name__ for attempt in attempts.ATTEMPTS} - set(json.loads(done.stdout)) == elsewhere


# Which one is used


def test_isolation_is_what_is_asked_for(place: Path) -> None:
    assert isolation("none", place) == "none"
    for kind in ("bubblewrap", "namespaces"):
        if not inmate(kind, "me", place).run("/bin/true").code:
            assert isolation(kind, place) == kind


CHOOSE = """
import sys
from pathlib import Path
from tagtrail.io.sandbox import isolation
from tagtrail.model.errors import SetupError
try:
    print(isolation(sys.argv[1], Path("/home")))
except SetupError as error:
    print(error.code, error.what, error.why, error.hint, sep="|")
"""


@pytest.mark.parametrize(
    ("asked", "without", "found"),
    [
        ("auto", (), "bubblewrap"),
        ("auto", ("bwrap",), "namespaces"),
        ("namespaces", (), "namespaces"),
        ("bubblewrap", ("bwrap",), "isolation-unavailable|foreign code cannot be run apart here (bubblewrap)|"),
        ("auto", ("bwrap", "unshare"), "isolation-unavailable|foreign code cannot be run apart here (auto)|"),
        ("none", ("bwrap", "unshare"), "none"),
    ],
)
def test_auto_is_the_best_that_runs(asked: str, without: tuple[str, ...], found: str) -> None:
    hide = "".join(f"mount --bind /dev/null $(command -v {name}) && " for name in without)
    argv = ["unshare", "--map-root-user", "--mount", "sh", "-c", f'{hide} exec "$@"', "sh"]
    done = subprocess.run([*argv, sys.executable, "-c", CHOOSE, asked], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"NOT TESTED: no namespaces here: {done.stderr}")
    assert done.stdout.startswith(found)
    if "|" in found:
        _, _, why, hint = done.stdout.strip().split("|")
        assert "bubblewrap: bwrap is not there; apt-get install bubblewrap" in why
        assert ("namespaces: unshare is not there; apt-get install util-linux" in why) == ("unshare" in without)
        assert hint.endswith('[build] isolation = "none"')


@pytest.mark.parametrize("home", [Path("/usr/local/releases"), Path(sys.base_prefix, "releases")])
def test_an_instance_that_a_cell_would_show(home: Path) -> None:
    with pytest.raises(SetupError) as caught:
        isolation("auto", home)
    assert caught.value.code == "home-seen"
    assert isolation("none", home) == "none"


def test_a_user_whose_home_a_cell_would_show(tmp_path: Path) -> None:
    for home, said in (("/usr/share", "home-seen|/usr/share lies in /usr, "), (str(tmp_path), ""), ("/nowhere", "")):
        done = subprocess.run(
            [sys.executable, "-c", CHOOSE, "auto"], capture_output=True, text=True, check=True,
            env={**os.environ, "HOME": home},
        )  # fmt: skip
        assert done.stdout.startswith(said or ("bubblewrap", "namespaces"))


def test_where_no_cell_sees_an_instance(tmp_path: Path) -> None:
    (tmp_path / "releases").mkdir()
    (tmp_path / "moved").symlink_to("/usr/share")
    (tmp_path / "releases" / "state").symlink_to("/usr/share")
    below = Path("state", "scratch", "tmp-1")
    assert hidden(tmp_path / "elsewhere" / below)
    for home in (Path("/usr/local/releases"), Path(sys.base_prefix, "x"), tmp_path / "moved", tmp_path / "releases"):
        assert not hidden(home / below)


def test_paths_in_the_words_of_a_cell(tmp_path: Path) -> None:
    cell = Cell(kind="bubblewrap", read=((Path("/in"), tmp_path / "a"),), write=((Path("/out"), tmp_path / "b"),))
    assert [cell.within(tmp_path / "a" / "x"), cell.within(tmp_path / "b")] == ["/in/x", "/out"]
    with pytest.raises(KeyError):
        cell.within(tmp_path)
    open_one = Cell(kind="none", room=tmp_path, limits=Limits(memory=1 << 30))
    assert [open_one.within(tmp_path), open_one.build] == [str(tmp_path)] * 2
