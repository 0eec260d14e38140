"""The inside of a cell where bubblewrap is not there: `unshare ... python -I -S cell.py SPEC COMMAND...`.

It is never imported, and needs nothing but the standard library. It is the first process of its namespaces: it builds
an empty root with what is read from the descriptor SPEC (JSON), moves there for good, gives up every privilege, and
runs COMMAND. When it ends, so does everything else within.

    {"system": [["/usr", "/usr"]],            read-only, [path within, path outside]
     "read": [["/env", "/srv/envs/1f"]], "write": [], "links": [["usr/bin", "/bin"]],
     "files": {"/etc/passwd": "..."},         files of its own
     "rooms": [["/build", 1073741824]],       empty places to write, with their size in bytes
     "at": "/build", "user": 65534,           where and as whom COMMAND begins (null: as whoever we are)
     "counted": true,                         whether in a user namespace of its own, for what it uses up to be counted
     "filter": "200000000400...",             of system calls, as the kernel takes it (`seccomp.py`); empty: none
     "env": {"LC_ALL": "C.UTF-8"}}
"""

import ctypes
import errno
import fcntl
import json
import os
import re
import socket
import struct
import sys
from typing import Any

RDONLY, NOSUID, NODEV, NOEXEC, NOATIME, REMOUNT, BIND, REC, PRIVATE = 1, 2, 4, 8, 1024, 32, 4096, 16384, 1 << 18
DETACH = 2
DUMPABLE, NO_NEW_PRIVS, CAPBSET_DROP, AMBIENT, CLEAR_ALL, DEATH, KILL = 4, 38, 24, 47, 4, 1, 9
SECCOMP, FILTER, STEP = 22, 2, 8
NEW_USER = 0x10000000
DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
PAGE = 4096
"""Bytes of a place for which it has one file: as many as there could be that are not empty."""
KEPT = RDONLY | NOSUID | NODEV | NOEXEC | NOATIME
"""Flags of a mount that may not be taken off when it is mounted again."""
CAPABILITIES = 0x20080522
"""The version of what capset(2) is told."""
SETATTR, RECURSIVE, AT_CWD = 442, 0x8000, -100
"""mount_setattr(2), on every machine; the flags that it adds have the numbers of mount(2)."""
UP, GET_FLAGS, SET_FLAGS = 1, 0x8913, 0x8914

LIBC = ctypes.CDLL(None, use_errno=True)


def called(name: str, *args: Any) -> None:
    """A call of the C library; raises OSError."""
    words = [a.encode() if isinstance(a, str) else a for a in args]
    if getattr(LIBC, name)(*words) != 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{name} {args}: {os.strerror(error)}")


def mount(source: str, target: str, kind: str | None, flags: int, options: str | None = None) -> None:
    """One step of making the root: the call of that name, with `flags` as a C long."""
    called("mount", source, target, kind, ctypes.c_ulong(flags), options)


def bind(root: str, within: str, ours: str, *, writable: bool) -> None:
    """Show a directory or file of ours."""
    target = root + within
    if os.path.isdir(ours):  # noqa: PTH112
        os.makedirs(target, exist_ok=True)  # noqa: PTH103
    elif not os.path.exists(target):  # noqa: PTH110  (it may lie in what is shown already)
        os.makedirs(os.path.dirname(target), exist_ok=True)  # noqa: PTH103, PTH120
        os.close(os.open(target, os.O_CREAT | os.O_WRONLY, 0o644))
    mount(ours, target, None, BIND | REC)
    hold(target, NOSUID | (0 if within.startswith("/dev/") else NODEV) | (0 if writable else RDONLY))


def hold(target: str, flags: int) -> None:
    """Add these to the flags of the mount at `target`, and of every mount below it."""
    try:
        called("syscall", ctypes.c_long(SETATTR), AT_CWD, target, RECURSIVE, struct.pack("4Q", flags, 0, 0, 0), 32)
    except OSError as error:
        if error.errno not in (errno.ENOSYS, errno.EPERM):
            raise
        hold_each(target, flags)


def hold_each(target: str, flags: int) -> None:
    """The same one by one, where the kernel (before 5.12) or a filter of calls does not have it at once."""
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as file:  # noqa: PTH123
        points = [re.sub(r"\\([0-7]{3})", lambda code: chr(int(code[1], 8)), line.split()[4]) for line in file]
    for point in points:
        if f"{point}/".startswith(f"{target}/"):
            mount("none", point, None, BIND | REMOUNT | flags | (os.statvfs(point).f_flag & KEPT))


def furnish(root: str, spec: dict[str, Any]) -> None:
    """Everything that is to be seen, below `root`."""
    mount("none", "/", None, REC | PRIVATE)
    mount("tmpfs", root, "tmpfs", NOSUID | NODEV, "mode=755,size=1m")
    for within, ours in spec["system"]:
        bind(root, within, ours, writable=False)
    for to, path in spec["links"]:
        os.symlink(to, root + path)  # noqa: PTH211
    for path, text in spec["files"].items():
        os.makedirs(os.path.dirname(root + path), exist_ok=True)  # noqa: PTH103, PTH120
        with open(root + path, "x", encoding="utf-8") as file:  # noqa: PTH123
            file.write(text)
    processes(root)
    devices(root)
    for path, size in spec["rooms"]:
        os.makedirs(root + path, exist_ok=True)  # noqa: PTH103
        mount("tmpfs", root + path, "tmpfs", NOSUID | NODEV, f"mode=1777,size={size},nr_inodes={size // PAGE}")
    for access in ("read", "write"):
        for within, ours in spec[access]:
            bind(root, within, ours, writable=access == "write")


def processes(root: str) -> None:
    """/proc of the new namespace; what changes the kernel is read-only, for whoever is root outside."""
    os.makedirs(root + "/proc")  # noqa: PTH103
    mount("proc", root + "/proc", "proc", NOSUID | NODEV | NOEXEC)
    for name in ("sys", "sysrq-trigger", "irq", "bus", "fs"):
        path = f"{root}/proc/{name}"
        if os.path.exists(path):  # noqa: PTH110
            mount(path, path, None, BIND | REC)
            mount("none", path, None, BIND | REMOUNT | RDONLY | NOSUID | NODEV | NOEXEC)


def devices(root: str) -> None:
    """A few, and links to what a process has open."""
    os.makedirs(root + "/dev")  # noqa: PTH103
    for name in DEVICES:
        bind(root, f"/dev/{name}", f"/dev/{name}", writable=True)
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        os.symlink(f"/proc/self/fd/{number}", f"{root}/dev/{name}")  # noqa: PTH211
    os.symlink("/proc/self/fd", f"{root}/dev/fd")  # noqa: PTH211


def move(root: str) -> None:
    """Make `root` the root; the old one is out of reach, and the new one may not be written."""
    os.makedirs(root + "/.old")  # noqa: PTH103
    os.chdir(root)
    syscall = {"x86_64": 155, "aarch64": 41, "ppc64le": 203, "s390x": 217, "riscv64": 41}[os.uname().machine]
    called("syscall", ctypes.c_long(syscall), ".", ".old")
    os.chdir("/")
    called("umount2", "/.old", DETACH)
    os.rmdir("/.old")  # noqa: PTH106
    mount("none", "/", None, BIND | REMOUNT | RDONLY | NOSUID | NODEV)


def loopback() -> None:
    """Let processes within speak to each other at localhost; where the network is not ours, nothing happens."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as some:
        about = struct.pack("16sh22x", b"lo", 0)
        flags = struct.unpack("16sh22x", fcntl.ioctl(some, GET_FLAGS, about))[1]
        if not flags & UP:
            fcntl.ioctl(some, SET_FLAGS, struct.pack("16sh22x", b"lo", flags | UP))


def give_up(user: int | None) -> None:
    """No privilege from here on; with `user`, as that user."""
    number = 0
    while LIBC.prctl(CAPBSET_DROP, number, 0, 0, 0) == 0:
        number += 1
    if user is not None:
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
    called("prctl", AMBIENT, CLEAR_ALL, 0, 0, 0)
    called("prctl", NO_NEW_PRIVS, 1, 0, 0, 0)
    # of this process too, and what it would pass on
    called("capset", struct.pack("Ii", CAPABILITIES, 0), bytes(24))


def refuse(steps: bytes) -> None:
    """From here on the kernel answers some calls with an error."""
    held = ctypes.create_string_buffer(steps, len(steps))
    called("prctl", SECCOMP, FILTER, struct.pack("@HP", len(steps) // STEP, ctypes.addressof(held)), 0, 0)


def counted(user: int) -> None:
    """Into a user namespace where this is the same user: limits count what is in there, not all that the user runs."""
    called("prctl", DUMPABLE, 1, 0, 0, 0)  # or the kernel lets root alone write these; the next program changes nothing
    called("unshare", NEW_USER)
    for name, said in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{user} {user} 1")):
        with open(f"/proc/self/{name}", "w", encoding="ascii") as file:  # noqa: PTH123
            file.write(said)
    give_up(None)


def main() -> None:
    """Furnish, move in, give up, run the command."""
    with open(int(sys.argv[1]), "rb") as told:  # noqa: PTH123  (a descriptor)
        spec = json.loads(told.read())
    os.umask(0o022)
    furnish("/mnt", spec)
    move("/mnt")
    socket.sethostname("build")
    loopback()
    give_up(spec["user"])
    # whoever becomes another user is not told any more that whoever started it died
    called("prctl", DEATH, KILL, 0, 0, 0)
    if spec["filter"]:
        refuse(bytes.fromhex(spec["filter"]))
    os.chdir(spec["at"])
    child = os.fork()
    if child == 0:
        os.setsid()
        if spec["counted"]:
            counted(spec["user"])
        os.execve(sys.argv[2], sys.argv[2:], spec["env"])  # noqa: S606
    os._exit(reaped(child))


def reaped(child: int) -> int:
    """The child's exit status, as a shell says it; whoever else ends here meanwhile is buried."""
    while True:
        ended, status = os.wait()
        if ended == child:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code


if __name__ == "__main__":
    main()
