"""What a hostile project tries: a program of the standard library alone, which says what it got.

It is copied into projects and requirements that tests build, and run by itself in cells: `python attempts.py FACTS`.
FACTS is a file (JSON) that says where the test planted what nobody may reach. The answer is a list of the names of what
succeeded.
"""

import contextlib
import ctypes
import json
import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

Facts = dict[str, Any]


def read_secrets(facts: Facts) -> bool:
    """Keys, tokens, the journal, other checkouts and environments, by their absolute paths."""
    return any(facts["canary"] in text for path in facts["secrets"] for text in content(Path(path)))


def look_for_secrets(facts: Facts) -> bool:
    """The same, not knowing where they are."""
    known = {"/usr", "/proc", "/sys", sys.base_prefix}
    for path, directories, names in os.walk("/"):
        directories[:] = [name for name in directories if os.path.join(path, name) not in known]  # noqa: PTH118
        if facts["name"] in names:
            return True
    return False


def read_environments(facts: Facts) -> bool:
    """The environment of every process that can be seen, and their command lines."""
    paths = [*Path("/proc").glob("[0-9]*/environ"), *Path("/proc").glob("[0-9]*/cmdline")]
    mine = json.dumps(dict(os.environ))
    return facts["canary"] in mine or any(facts["canary"] in text for path in paths for text in content(path))


def read_descriptors(facts: Facts) -> bool:
    """Files that whoever started this has left open."""
    return any(facts["root"] in str(fd.readlink()) for fd in Path("/proc/self/fd").iterdir() if fd.is_symlink())


def see_processes(facts: Facts) -> bool:
    """A process of the machine."""
    return any(facts["mark"] in text for path in Path("/proc").glob("[0-9]*/cmdline") for text in content(path))


def kill_process(facts: Facts) -> bool:
    """End it."""
    os.kill(facts["victim"], signal.SIGTERM)
    return True


def trace_process(facts: Facts) -> bool:
    """Look into its memory; from a process of its own, whose end lets it go."""
    libc, child = ctypes.CDLL(None), os.fork()
    if not child:
        os._exit(int(libc.ptrace(0x4206, facts["victim"], 0, 0) != 0))
    return os.waitpid(child, 0)[1] == 0


def write_outside(facts: Facts) -> bool:
    """Leave a file where the machine has others."""
    Path(facts["outside"], f"written-{os.getpid()}").write_text("x")
    return True


def write_environment(_: Facts) -> bool:
    """Poison the environment that the next build uses."""
    package = next(path for path in map(Path, sys.path) if path.name == "site-packages")
    for path in (package / "evil.pth", package / "__pycache__" / "evil.pyc", Path(sys.prefix, "bin", "evil")):
        with contextlib.suppress(OSError):
            path.parent.mkdir(exist_ok=True)
            path.write_text("")
            return True
    return False


def write_what_is_shown(_: Facts) -> bool:
    """Change the program that runs us, the tag's objects, the machine's own programs."""
    for path in ("/in", "/objects/0", "/usr", "/usr/bin", "/etc", "/", "/dev", "/proc/sys/kernel/core_pattern"):
        with contextlib.suppress(OSError):
            os.chmod(path, 0o755)  # noqa: PTH101, S103
            return True
        with contextlib.suppress(OSError):
            Path(path, "evil").write_text("x")
            return True
    with contextlib.suppress(OSError):
        os.close(os.open("/proc/sys/kernel/core_pattern", os.O_WRONLY))
        return True
    return False


def write_after_remounting(_: Facts) -> bool:
    """The same, as root of a namespace of our own."""
    script = "for d in /env /in /objects/0; do mount -o remount,bind,rw $d && touch $d/evil && exit 0; done; exit 1"
    argv = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script]
    return subprocess.run(argv, capture_output=True, check=False).returncode == 0


def hold_memory_that_nobody_counts(_: Facts) -> bool:
    """In no process: files without a name, segments of System V, a file system of one's own."""
    with contextlib.suppress(OSError):
        os.memfd_create("x")
        return True
    libc = ctypes.CDLL(None)
    if (segment := libc.shmget(0, 4096, 0o1600)) != -1:
        libc.shmctl(segment, 0, None)
        return True
    argv = ["unshare", "--user", "--map-root-user", "--mount", "mount", "-t", "tmpfs", "none", "/tmp"]  # noqa: S108
    return subprocess.run(argv, capture_output=True, check=False).returncode == 0


def use_keyring(_: Facts) -> bool:
    """The kernel's keys of this session, which every namespace has in common."""
    keyctl = {"x86_64": 250, "aarch64": 219}[os.uname().machine]
    return bool(ctypes.CDLL(None).syscall(keyctl, 0, -3, 0) != -1)


def become_root(_: Facts) -> bool:
    """Take back what was given up."""
    os.setresuid(0, 0, 0)
    return os.geteuid() == 0


def have_capabilities(_: Facts) -> bool:
    """Any at all."""
    sets = [line.split()[1] for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("Cap")]
    return any(int(word, 16) for word in sets)


def make_device(_: Facts) -> bool:
    """A device of the machine, under another name."""
    path = Path(f"device-{os.getpid()}")
    os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, 5))
    return path.open("rb").read(1) == b"\0"


def speak_tcp(facts: Facts) -> bool:
    """With a server of the machine."""
    with socket.create_connection(("127.0.0.1", facts["tcp"]), timeout=2):
        return True


def speak_udp(facts: Facts) -> bool:
    """With another."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.settimeout(2)
        udp.connect(("127.0.0.1", facts["udp"]))
        udp.send(b"x")
        return udp.recv(1) == b"x"


def route_anywhere(_: Facts) -> bool:
    """Name servers and the rest of the world: a way there is enough."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.connect(("192.0.2.1", 53))
        return True


def speak_unix(facts: Facts) -> bool:
    """With what listens at a path, as agents and buses do."""
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(facts["unix"])
        return True


def speak_abstract(facts: Facts) -> bool:
    """With what listens at a name that is no path."""
    with socket.socket(socket.AF_UNIX) as client:
        client.connect("\0" + facts["abstract"])
        return True


def take_terminal(_: Facts) -> bool:
    """Type into the operator's terminal."""
    with open("/dev/tty", "wb"):  # noqa: PTH123
        return True


ATTEMPTS: tuple[Callable[[Facts], bool], ...] = (
    read_secrets, look_for_secrets, read_environments, read_descriptors, see_processes, trace_process, kill_process,
    write_outside, write_environment, write_what_is_shown, write_after_remounting,
    hold_memory_that_nobody_counts, use_keyring, become_root, have_capabilities,
    make_device, speak_tcp, speak_udp, route_anywhere, speak_unix, speak_abstract, take_terminal,
)  # fmt: skip


def content(path: Path) -> Iterator[str]:
    """A file's text, if it can be read."""
    with contextlib.suppress(OSError):
        yield path.read_bytes()[: 1 << 20].decode("utf-8", "replace")


def succeeded(facts: Facts) -> list[str]:
    """The names of all attempts that succeeded; those in `spared` are not made."""
    return [
        attempt.__name__ for attempt in ATTEMPTS if attempt.__name__ not in facts["spared"] and works(attempt, facts)
    ]


def works(attempt: Callable[[Facts], bool], facts: Facts) -> bool:
    """Whether it does."""
    try:
        return attempt(facts)
    except Exception:  # noqa: BLE001  (however it fails)
        return False


if __name__ == "__main__":
    print(json.dumps(succeeded(json.loads(Path(sys.argv[1]).read_text()))))
