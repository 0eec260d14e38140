"""Foreign code run apart: it sees what it is given and the operating system's own files, and nothing of it is left.

    isolation     how it is done
    bubblewrap    `bwrap`: namespaces of its own for processes, files, network, IPC and host name
    namespaces    the same by util-linux' `unshare` and our `cell.py`, where bubblewrap is not there
    none          a process group in the caller's world: only where the settings ask for it

In the first two, foreign code runs without capabilities (started by root, as user 65534), the root directory is empty
but for /usr, a handful of files of /etc, /proc of its own, a few devices, a size-limited /tmp and /build, and what the
cell binds; there is no network unless the cell has one. The command that starts it gets an empty environment: what
`/proc/1/environ` shows there is nothing. When the first process ends or is killed, the kernel kills all others.
"""

import json
import os
import shutil
import sys
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tagtrail.io import process
from tagtrail.model.errors import SetupError

__all__ = ["BUILD", "KINDS", "Cell", "Limits", "isolation", "lent"]

KINDS = ("bubblewrap", "namespaces", "none")
BUILD = "/build"
"""Where foreign code may write, seen from within; empty at first, and gone with the cell."""

_NOBODY = 65534
_TMP = "/tmp"  # noqa: S108  (the cell's own)
_CELL = Path(__file__).with_name("cell.py")
_SYSTEM = ("/etc/alternatives", "/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d")
_NETWORK = (
    "/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf", "/etc/ssl", "/etc/ca-certificates", "/etc/pki",
    "/etc/gai.conf", "/usr/local/share/ca-certificates",
)  # fmt: skip
_LINKS = ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a cell may use up: bytes of memory for each process, bytes in /build and in /tmp, processes.

    Without isolation only memory holds, and the size of a single file.
    """

    memory: int = 8 << 30
    disk: int = 8 << 30
    processes: int = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """What foreign code may see. `read` and `write` are (path within, directory or file of ours); `room` is a directory
    of ours that is written in the place of /build where there is no isolation.
    """

    kind: str
    room: Path = Path("/")
    read: tuple[tuple[Path, Path], ...] = ()
    write: tuple[tuple[Path, Path], ...] = ()
    network: bool = False
    limits: Limits = Limits()

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

    def command(self, argv: Sequence[str], env: Mapping[str, str]) -> tuple[list[str], dict[str, str]]:
        """The command line that runs `argv` with exactly `env` in the cell, and the environment to start that with."""
        limited = [*self._limits(), *argv]
        if self.kind == "none":
            return limited, dict(env)
        if self.kind == "bubblewrap":
            return [*self._bubblewrap(env), "--", *_unprivileged(), *limited], {}
        return self._namespaces(limited, env), {}

    def _limits(self) -> list[str]:
        most = self.limits
        count = [] if self.kind == "none" else [f"--nproc={most.processes}"]
        return ["/usr/bin/prlimit", f"--data={most.memory}", f"--fsize={most.disk}", "--core=0", *count, "--"]

    def _bubblewrap(self, env: Mapping[str, str]) -> list[str]:
        apart = ["--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"]
        if not self.network:
            apart.append("--unshare-net")
        if os.geteuid() == 0:
            apart += ["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID", "--cap-add", "CAP_SETPCAP"]
        else:
            apart += ["--unshare-user", "--uid", str(_NOBODY), "--gid", str(_NOBODY)]
        size = ["--size", str(self.limits.disk), "--perms", "1777", "--tmpfs"]
        return [
            _program("bwrap"), *apart, "--die-with-parent", "--new-session", "--hostname", "build",
            *_above(self._seen()),
            *(word for path in self._seen() for word in ("--ro-bind", path, path)),
            *(word for link in _links() for word in ("--symlink", *link)),
            "--proc", "/proc", "--dev", "/dev", *size, _TMP, *size, BUILD,
            *_above([str(within) for within, _ in (*self.read, *self.write)]),
            *(word for within, ours in self.read for word in ("--ro-bind", str(ours), str(within))),
            *(word for within, ours in self.write for word in ("--bind", str(ours), str(within))),
            "--remount-ro", "/", "--chdir", BUILD, "--clearenv",
            *(word for name, value in env.items() for word in ("--setenv", name, value)),
        ]  # fmt: skip

    def _namespaces(self, argv: Sequence[str], env: Mapping[str, str]) -> list[str]:
        apart = ["--mount", "--pid", "--fork", "--kill-child", "--ipc", "--uts", *([] if self.network else ["--net"])]
        if os.geteuid() != 0:
            apart += ["--user", "--map-current-user", "--keep-caps"]
        spec = {
            "system": [(path, path) for path in self._seen()],
            "read": [(str(within), str(ours)) for within, ours in self.read],
            "write": [(str(within), str(ours)) for within, ours in self.write],
            "links": _links(),
            "room": BUILD,
            "size": self.limits.disk,
            "user": _NOBODY if os.geteuid() == 0 else None,
            "env": dict(env),
        }
        return [
            _program("unshare"), *apart, "--", sys.executable, "-I", "-S", str(_CELL), json.dumps(spec), *argv,
        ]  # fmt: skip

    def _seen(self) -> list[str]:
        """Of this machine: the operating system, and the Python that build environments refer to."""
        python = [] if sys.base_prefix.startswith("/usr") else [sys.base_prefix]
        files = [*_SYSTEM, *(_NETWORK if self.network else ())]
        plain = [path for path in _LINKS if Path(path).is_dir() and not Path(path).is_symlink()]
        return ["/usr", *plain, *python, *(path for path in files if os.path.exists(path))]  # noqa: PTH110


@contextmanager
def lent(directory: Path, cell: Cell) -> Generator[None, None, None]:
    """A directory of ours that foreign code may write in the block; then it is ours again, with all that is in it.

    No link is followed. Only root has to lend: other users' cells write as that user.
    """
    if os.geteuid() != 0 or cell.kind == "none":
        yield
        return
    os.chown(directory, _NOBODY, _NOBODY)
    try:
        yield
    finally:
        for path, directories, names in os.walk(directory):
            for name in (".", *directories, *names):
                os.chown(os.path.join(path, name), 0, 0, follow_symlinks=False)  # noqa: PTH118


def isolation(asked: str) -> str:
    """The kind of isolation to use: what was asked for, or with `auto` the best that runs here.

    Raises SetupError `isolation-unavailable`.
    """
    wanted = KINDS[:2] if asked == "auto" else (asked,)
    for kind in wanted:
        if kind == "none" or not _fault(kind):
            return kind
    raise SetupError(
        f"foreign code cannot be run apart here ({asked})",
        code="isolation-unavailable",
        why="\n".join(f"{kind}: {_fault(kind)}" for kind in wanted),
        hint='apt-get install bubblewrap; or, knowing that builds then see this machine, [build] isolation = "none"',
    )


@cache
def _fault(kind: str) -> str:
    """Why this kind does not run here; tried once for each process."""
    try:
        argv, env = Cell(kind=kind).command(["/usr/bin/env"], {"CELL": kind})
        done = process.run(argv, env=env, limit=10.0)
    except SetupError as error:
        return error.what
    if done.ok and f"CELL={kind}".encode() in done.out:
        return ""
    return process.said(done.err, 3) or f"it ends with {done.code}"


def _unprivileged() -> list[str]:
    if os.geteuid() != 0:
        return []
    user = [f"--reuid={_NOBODY}", f"--regid={_NOBODY}", "--clear-groups"]
    return ["/usr/bin/setpriv", *user, "--no-new-privs", "--inh-caps=-all", "--bounding-set=-all"]


def _above(bound: Sequence[str]) -> list[str]:
    """For bwrap: the directories above what is bound, so that everybody may pass."""
    above = {str(parent) for path in bound for parent in Path(path).parents}
    own = {"/", BUILD, _TMP, "/usr", *bound}
    return [word for path in sorted(above - own) for word in ("--perms", "0755", "--dir", path)]


def _links() -> list[tuple[str, str]]:
    """/bin and the like where they are links into /usr."""
    return [(os.readlink(path), path) for path in _LINKS if os.path.islink(path)]  # noqa: PTH114, PTH115


def _program(name: str) -> str:
    found = shutil.which(name, path="/usr/bin:/bin:/usr/local/bin")
    if found is None:
        package = {"bwrap": "bubblewrap", "unshare": "util-linux"}[name]
        raise SetupError(f"{name} is not there", code="command-missing", hint=f"apt-get install {package}")
    return found
