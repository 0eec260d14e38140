"""Foreign code run apart: it sees what it is given and the operating system's own files, and nothing of it is left.

    isolation     how it is done
    bubblewrap    `bwrap`: namespaces of its own for processes, files, network, IPC and host name
    namespaces    the same by util-linux' `unshare` and our `cell.py`, where bubblewrap is not there
    none          a process group in the caller's world: only where the settings ask for it

In the first two, foreign code runs without capabilities (started by root, as user 65534), the root directory is empty
but for /usr, a handful of files of /etc, /proc of its own, a few devices, a size-limited /tmp and /build, and what the
cell binds; there is no network unless the cell has one. What starts it gets an empty environment, so that
`/proc/1/environ` shows nothing there; what it is told goes through a descriptor, so that `ps` shows nothing here. When
the first process ends or is killed, the kernel kills all others; it is also killed when the thread that started it
ends. A machine that runs out of memory ends what runs in a cell first.
"""

import json
import os
import sys
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from types import MappingProxyType

from tagtrail.io import process, seccomp
from tagtrail.io.child import Apart
from tagtrail.io.session import Session, session
from tagtrail.model.errors import SetupError
from tagtrail.model.frozen import frozen

__all__ = ["BUILD", "KINDS", "Cell", "Limits", "hidden", "isolation", "lent", "other_user"]

KINDS = ("bubblewrap", "namespaces", "none")
BUILD = "/build"
"""Where foreign code may write, seen from within; empty at first, and gone with the cell."""

_NOBODY = 65534
_TMP, _SHARED = "/tmp", "/dev/shm"  # noqa: S108  (the cell's own)
_SHARED_SIZE = 64 << 20
_CELL = Path(__file__).with_name("cell.py")
_SYSTEM = ("/etc/alternatives", "/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d")
_NETWORK = (
    "/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf", "/etc/gai.conf",
    "/etc/ssl/certs", "/etc/ssl/cert.pem", "/etc/ssl/openssl.cnf", "/etc/ca-certificates/extracted",
    "/etc/pki/tls/certs", "/etc/pki/tls/cert.pem", "/etc/pki/tls/openssl.cnf", "/etc/pki/ca-trust/extracted",
)  # fmt: skip
"""Names are looked up and certificates checked with these; not the directories in which secret keys lie beside them."""
_OWN = {
    "/etc/passwd": f"root:x:0:0::/:/bin/sh\nbuild:x:{_NOBODY}:{_NOBODY}::{BUILD}/home:/bin/sh\n",
    "/etc/group": f"root:x:0:\nbuild:x:{_NOBODY}:\n",
    "/etc/hosts": "127.0.0.1 localhost build\n::1 localhost\n",
}
"""Files that the cell has of its own, where it is not shown this machine's."""
_LINKS = ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
_FIRST = ("/usr/bin/choom", "--adjust=1000", "--")
"""What starts a cell, not what runs in it: said by root, it cannot be taken back there."""


@frozen
class Limits:
    """What a cell may use up: bytes of memory, for each process and for all together; bytes in /build, and as many in
    /tmp and every other room; processes.

    Without isolation only memory of each process holds, and `disk` as the size of a single file.
    """

    memory: int = 4 << 30
    disk: int = 4 << 30
    processes: int = 1024


@frozen
class Cell:
    """What foreign code may see. `read` and `write` are (path within, directory or file of ours); `room` is a directory
    of ours that is written in the place of /build where there is no isolation. `rooms` are more places like /build.
    """

    kind: str
    room: Path = Path("/")
    read: tuple[tuple[Path, Path], ...] = ()
    write: tuple[tuple[Path, Path], ...] = ()
    network: bool = False
    limits: Limits = Limits()
    rooms: tuple[Path, ...] = ()

    @property
    def build(self) -> str:
        """Where foreign code may write, in its words."""
        return str(self.room) if self.kind == "none" else BUILD

    def within(self, ours: Path) -> str:
        """A path of ours in the words of the cell. KeyError: it is not to be seen there."""
        if self.kind == "none":
            return str(ours)
        for within, bound in (*self.read, *self.write):
            if ours.is_relative_to(bound):
                return str(within / ours.relative_to(bound))
        raise KeyError(ours)

    def full(self, root: Path) -> bool:
        """Whether a place of its own is used up, in bytes or in files; `root` is the cell's `/` while it runs."""
        return any(_used_up(f"{root}{path}") for path, _ in self._rooms() if path != _SHARED)

    def run(
        self,
        argv: Sequence[str],
        env: Mapping[str, str],
        *,
        limit: float = 600.0,
        cap: int = 1 << 26,
        merge: bool = False,
    ) -> process.Finished:
        """Run `argv` with exactly `env` in the cell, beginning in /build: `process.run`."""
        with self._start(argv, env) as start:
            return process.run(
                start.argv, env=start.env, cwd=start.cwd, apart=start.apart, limit=limit, cap=cap, merge=merge
            )

    @contextmanager
    def session(
        self, argv: Sequence[str], env: Mapping[str, str], *, cap: int = 1 << 20
    ) -> Generator[Session, None, None]:
        """A command that takes orders in the cell: `tagtrail.io.session`."""
        with self._start(argv, env) as start:
            running = session(start.argv, env=start.env, cwd=start.cwd, apart=start.apart, cap=cap)
            with running as found:
                yield found

    @contextmanager
    def _start(self, argv: Sequence[str], env: Mapping[str, str]) -> Generator["_Start", None, None]:
        limited = [*self._limits(), *argv]
        if self.kind == "none":
            yield _Start(argv=[*_FIRST, *limited], env=env, cwd=self.room)
            return
        with ExitStack() as stack:
            if self.kind == "bubblewrap":
                own = [(path, _told(stack, text.encode())) for path, text in self._own().items()]
                refused = [_told(stack, seccomp.program())] if seccomp.program() else []
                words = [*self._bubblewrap(env, own), *(word for fd in refused for word in ("--seccomp", str(fd)))]
                told = _told(stack, b"".join(os.fsencode(f"{word}\0") for word in words))
                line = [_program("bwrap"), "--args", str(told), "--", *_unprivileged(), *limited]
                yield _Start(argv=[*_FIRST, *line], apart=self._apart(told, *refused, *(fd for _, fd in own)))
            else:
                told = _told(stack, json.dumps(self._spec(env)).encode())
                python = [sys.executable, "-I", "-S", str(_CELL), str(told)]
                yield _Start(argv=[*_FIRST, *self._unshare(), "--", *python, *limited], apart=self._apart(told))

    def _apart(self, *told: int) -> Apart:
        return Apart(told=told, memory=self.limits.memory)

    def _limits(self) -> list[str]:
        most = self.limits
        count = [] if self.kind == "none" else [f"--nproc={most.processes}"]
        return ["/usr/bin/prlimit", f"--data={most.memory}", f"--fsize={most.disk}", "--core=0", *count, "--"]

    def _bubblewrap(self, env: Mapping[str, str], own: Sequence[tuple[str, int]]) -> list[str]:
        apart = ["--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"]
        if not self.network:
            apart.append("--unshare-net")
        if other_user() is not None:
            apart += ["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID", "--cap-add", "CAP_SETPCAP"]
        else:
            apart += ["--unshare-user", "--uid", str(_NOBODY), "--gid", str(_NOBODY)]
        mode = ("--perms", "1777")
        return [
            *apart, "--die-with-parent", "--new-session", "--hostname", "build",
            *_above([*self._seen(), *(path for path, _ in own)]),
            *(word for path in self._seen() for word in ("--ro-bind", path, path)),
            *(word for link in _links() for word in ("--symlink", *link)),
            *(word for path, fd in own for word in ("--perms", "0444", "--file", str(fd), path)),
            "--proc", "/proc", "--dev", "/dev",
            *(word for path, size in self._rooms() for word in (*mode, "--size", str(size), "--tmpfs", path)),
            *_above([str(within) for within, _ in (*self.read, *self.write)]),
            *(word for within, ours in self.read for word in ("--ro-bind", str(ours), str(within))),
            *(word for within, ours in self.write for word in ("--bind", str(ours), str(within))),
            "--remount-ro", "/dev", "--remount-ro", "/", "--chdir", BUILD, "--clearenv",
            *(word for name, value in env.items() for word in ("--setenv", name, value)),
        ]  # fmt: skip

    def _unshare(self) -> list[str]:
        apart = ["--mount", "--pid", "--fork", "--kill-child", "--ipc", "--uts", *([] if self.network else ["--net"])]
        if other_user() is None:
            apart += ["--user", f"--map-user={_NOBODY}", f"--map-group={_NOBODY}", "--keep-caps"]
        return ["/usr/bin/setpriv", "--pdeathsig=KILL", "--", _program("unshare"), *apart]

    def _spec(self, env: Mapping[str, str]) -> dict[str, object]:
        """What `cell.py` is told."""
        return {
            "system": [(path, path) for path in self._seen()],
            "read": [(str(within), str(ours)) for within, ours in self.read],
            "write": [(str(within), str(ours)) for within, ours in self.write],
            "links": _links(),
            "files": self._own(),
            "rooms": self._rooms(),
            "at": BUILD,
            "user": other_user(),
            "counted": other_user() is not None and _counted(),
            "filter": seccomp.program().hex(),
            "env": dict(env),
        }

    def _rooms(self) -> list[tuple[str, int]]:
        disk = self.limits.disk
        return [(_TMP, disk), (_SHARED, _SHARED_SIZE), (BUILD, disk), *((str(room), disk) for room in self.rooms)]

    def _seen(self) -> list[str]:
        """Of this machine: the operating system, and the Python that build environments refer to."""
        plain = [path for path in _LINKS if Path(path).is_dir() and not Path(path).is_symlink()]
        files = [*_SYSTEM, *(_NETWORK if self.network else ())]
        return ["/usr", *plain, *_python(), *(path for path in files if os.path.exists(path))]  # noqa: PTH110

    def _own(self) -> dict[str, str]:
        return {path: text for path, text in _OWN.items() if path not in self._seen()}


@frozen
class _Start:
    """How a command in a cell is started: its line, environment and directory, and what goes for a cell."""

    argv: Sequence[str]
    env: Mapping[str, str] = MappingProxyType({})
    cwd: Path = Path("/")
    apart: Apart | None = None


@cache
def other_user() -> int | None:
    """As whom foreign code runs where we are root. None: as we do, without privileges; so does a root who is none
    outside of a container, where there is no other user."""
    try:
        lines = [list(map(int, line.split())) for line in Path("/proc/self/uid_map").read_text().splitlines()]
    except OSError:
        return None
    return _NOBODY if os.geteuid() == 0 and any(at <= _NOBODY < at + count for at, _, count in lines) else None


@contextmanager
def lent(directory: Path, cell: Cell) -> Generator[None, None, None]:
    """A directory of ours that foreign code may write in the block; then it is ours again, with all that is in it.

    No link is followed. Only root has to lend: other users' cells write as that user.
    """
    if other_user() is None or cell.kind == "none":
        yield
        return
    os.chown(directory, _NOBODY, _NOBODY)
    try:
        yield
    finally:
        for path, directories, names in os.walk(directory):
            for name in (".", *directories, *names):
                os.chown(os.path.join(path, name), 0, 0, follow_symlinks=False)  # noqa: PTH118


def isolation(asked: str, home: Path) -> str:
    """The kind of isolation to use: what was asked for, or with `auto` the best that runs here; `home` is what foreign
    code must never see, and the user's HOME is another.

    Raises SetupError `isolation-unavailable`; `home-seen`: a cell would show one of them.
    """
    wanted = KINDS[:2] if asked == "auto" else (asked,)
    kind = next((kind for kind in wanted if kind == "none" or not _fault(kind)), None)
    if kind is None:
        raise SetupError(
            f"foreign code cannot be run apart here ({asked})",
            code="isolation-unavailable",
            why="\n".join(f"{kind}: {_fault(kind)}" for kind in wanted),
            hint='apt-get install bubblewrap; or, knowing that builds then see all of it, [build] isolation = "none"',
        )
    if kind != "none":
        for place in (home, *_user_home()):
            if over := _shown(place):
                what = f"{place} lies in {over}, which what is built may read"
                raise SetupError(what, code="home-seen", hint="move it to another place, and let HOME be elsewhere")
    return kind


def _shown(place: Path) -> str:
    """The part of this machine that every cell shows and in which `place` lies; empty: none."""
    real = f"{os.path.realpath(place)}/"
    return next((part for part, there in _parts() if real.startswith(f"{there}/")), "")


@cache
def _parts() -> tuple[tuple[str, str], ...]:
    """What is shown of directories, and where that really is."""
    return tuple((part, os.path.realpath(part)) for part in ("/usr", *_python()))


def hidden(room: Path) -> bool:
    """Whether no cell shows what lies around `room`, a directory deep in an instance, nor the user's HOME."""
    return not any(map(_shown, (room, *room.parents[:-1], *_user_home())))


def _user_home() -> tuple[Path, ...]:
    """Where the caller's own files lie, if it is said where."""
    said = os.environ.get("HOME", "")
    return (Path(said),) if said.startswith("/") and Path(said).is_dir() else ()


@cache
def _fault(kind: str) -> str:
    """Why this kind does not run here; tried once for each process."""
    try:
        done = Cell(kind=kind).run(["/usr/bin/env"], {"CELL": kind}, limit=10.0)
    except SetupError as error:
        return f"{error.what}; {error.hint}"
    if done.ok and f"CELL={kind}".encode() in done.out:
        return ""
    return process.said(done.err, 3) or f"it ends with {done.code}"


def _used_up(path: str) -> bool:
    """Whether less than a hundredth of a file system is left."""
    try:
        found = os.statvfs(path)
    except OSError:
        return False
    return found.f_bavail * 100 < found.f_blocks or found.f_ffree * 100 < found.f_files


def _told(stack: ExitStack, data: bytes) -> int:
    """A descriptor from which this can be read; it is closed with `stack`."""
    fd = os.memfd_create("told")
    stack.callback(os.close, fd)
    os.write(fd, data)
    os.lseek(fd, 0, os.SEEK_SET)
    return fd


def _python() -> list[str]:
    """Where the Python is that build environments refer to, if that is not below /usr."""
    return [] if Path(sys.base_prefix).is_relative_to("/usr") else [sys.base_prefix]


def _unprivileged() -> list[str]:
    """What bwrap starts where we are root: the command as another user, counted apart, without any privilege."""
    if other_user() is None:
        return []
    user = [f"--reuid={_NOBODY}", f"--regid={_NOBODY}", "--clear-groups"]
    nothing = ["--no-new-privs", "--inh-caps=-all", "--bounding-set=-all"]
    line = ["/usr/bin/setpriv", *user, *nothing]
    if _counted():
        line += ["/usr/bin/unshare", "--user", f"--map-user={_NOBODY}", f"--map-group={_NOBODY}", "--keep-caps", "--"]
        line += ["/usr/bin/setpriv", *nothing, "--ambient-caps=-all"]
    return line


@cache
def _counted() -> bool:
    """Whether the other user may have a user namespace, in which the kernel counts what a cell uses up apart from what
    all other cells do; where not, a cell full of processes keeps others of that user from starting any.

    What kernels (5.14 and later), Debian and Ubuntu say of it: user_namespaces(7), getrlimit(2).
    """
    said = {
        "user/max_user_namespaces": "0",
        "kernel/unprivileged_userns_clone": "0",
        "kernel/apparmor_restrict_unprivileged_userns": "1",
    }
    return not any(_read(Path("/proc/sys", name)).strip() == no for name, no in said.items())


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""


def _above(bound: Sequence[str]) -> list[str]:
    """For bwrap: the directories above what is bound, so that everybody may pass."""
    above = {str(parent) for path in bound for parent in Path(path).parents}
    own = {"/", BUILD, _TMP, "/usr", *bound}
    return [word for path in sorted(above - own) for word in ("--perms", "0755", "--dir", path)]


def _links() -> list[tuple[str, str]]:
    """/bin and the like where they are links into /usr."""
    return [(os.readlink(path), path) for path in _LINKS if os.path.islink(path)]  # noqa: PTH114, PTH115


def _program(name: str) -> str:
    places = (f"{where}/{name}" for where in ("/usr/bin", "/bin", "/usr/local/bin"))
    found = next((path for path in places if os.access(path, os.X_OK)), None)  # shutil loads all kinds of archives
    if found is None:
        package = {"bwrap": "bubblewrap", "unshare": "util-linux"}[name]
        raise SetupError(f"{name} is not there", code="command-missing", hint=f"apt-get install {package}")
    return found
