"""A filter of system calls for foreign code, as the kernel takes it (classic BPF, seccomp(2)).

It refuses what would take memory that nobody counts and nothing limits, or reach what no namespace keeps apart:

    call                                       answered   why
    unshare, clone: namespaces but a user's    EPERM      a file system of one's own has its own size
    clone3                                     ENOSYS     its flags cannot be read; every caller falls back to clone
    memfd_create, memfd_secret                 ENOSYS     memory that is in no process
    shmget, also by `ipc`                      ENOSYS     the same (System V)
    add_key, request_key, keyctl               ENOSYS     the kernel's keyrings are everybody's

Each architecture that the machine runs has its own numbers: asm/unistd.h, linux/audit.h and elf-em.h of Linux. Calls by
numbers of another are refused, those of x32 too.
"""

import errno
import os
import struct
import sys
from collections.abc import Iterator
from functools import cache

from tagtrail.model.frozen import frozen

__all__ = ["program"]

_LOAD, _EQUAL, _AT_LEAST, _ANY_OF, _AND, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x54, 0x06
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16
"""Offsets in the kernel's `struct seccomp_data`; arguments have eight bytes."""
_ALLOWED, _REFUSED = 0x7FFF0000, 0x00050000
_USER, _TIME = 0x10000000, 0x80
_OTHERS = 0x00020000 | 0x02000000 | 0x04000000 | 0x08000000 | 0x20000000 | 0x40000000
"""Flags of namespaces: mounts, cgroups, host name, IPC, processes, network."""
_SHMGET = 23
"""What `ipc` does when it is told so."""
_X32 = 0x40000000
_EVERYWHERE = (435, 447)
"""clone3, memfd_secret."""


@frozen
class _Calls:
    """Numbers of calls: of those that are refused whatever they ask for, of `clone` (and which of its arguments are the
    flags), `unshare` and, where it is there, `ipc`."""

    refused: tuple[int, ...]
    clone: int
    unshare: int
    ipc: int | None = None
    flags: int = 0


# refused: memfd_create, shmget, add_key, request_key, keyctl
_GENERIC = _Calls(refused=(279, 194, 217, 218, 219), clone=220, unshare=97)
_X86_64 = _Calls(refused=(319, 29, 248, 249, 250), clone=56, unshare=272)
_I386 = _Calls(refused=(356, 395, 286, 287, 288), clone=120, unshare=310, ipc=117)
_ARM = _Calls(refused=(385, 307, 309, 310, 311), clone=120, unshare=337, ipc=117)
_PPC64 = _Calls(refused=(360, 395, 269, 270, 271), clone=120, unshare=282, ipc=117)
_S390 = _Calls(refused=(350, 395, 278, 279, 280), clone=120, unshare=303, ipc=117, flags=1)

_RUNS = {
    "x86_64": {0xC000003E: _X86_64, 0x40000003: _I386},
    "aarch64": {0xC00000B7: _GENERIC, 0x40000028: _ARM},
    "riscv64": {0xC00000F3: _GENERIC},
    "loongarch64": {0xC0000102: _GENERIC},
    "ppc64le": {0xC0000015: _PPC64},
    "s390x": {0x80000016: _S390, 0x00000016: _S390},
}
"""By machine: the calls of each architecture that it runs, the machine's own first."""


@cache
def program(machine: str = "") -> bytes:
    """The filter for this machine, or the one of that name (as `uname -m` says it); empty: none is known."""
    runs = _RUNS.get(machine or os.uname().machine, {})
    steps = [_step(_LOAD, _ARCHITECTURE)]
    for architecture, calls in runs.items():
        block = [*_judged(calls)]
        steps += [_step(_EQUAL, architecture, no=len(block)), *block]
    return b"".join([*steps, _refuse(errno.ENOSYS)]) if runs else b""


def _judged(calls: _Calls) -> Iterator[bytes]:
    yield _step(_LOAD, _NUMBER)
    if calls is _X86_64:
        yield from _where(_AT_LEAST, _X32, _refuse(errno.ENOSYS))
    for number in (*_EVERYWHERE, *calls.refused):
        yield from _where(_EQUAL, number, _refuse(errno.ENOSYS))
    flags = _argument(calls.flags)
    yield from _where(_EQUAL, calls.clone, flags, *_where(_ANY_OF, _USER | _OTHERS, _refuse(errno.EPERM)), _ALLOW)
    flags = _argument(0)
    yield from _where(_EQUAL, calls.unshare, flags, *_where(_ANY_OF, _TIME | _OTHERS, _refuse(errno.EPERM)), _ALLOW)
    if calls.ipc is not None:
        asked = (_argument(0), _step(_AND, 0xFFFF))  # above it stands a version
        yield from _where(_EQUAL, calls.ipc, *asked, *_where(_EQUAL, _SHMGET, _refuse(errno.ENOSYS)), _ALLOW)
    yield _ALLOW


def _where(how: int, value: int, *steps: bytes) -> Iterator[bytes]:
    """Steps that are taken where what was loaded is such, and else left out."""
    yield _step(how, value, no=len(steps))
    yield from steps


def _argument(number: int) -> bytes:
    """Load the lower half of one."""
    return _step(_LOAD, _ARGUMENTS + 8 * number + (4 if sys.byteorder == "big" else 0))


def _refuse(error: int) -> bytes:
    return _step(_RETURN, _REFUSED | error)


def _step(code: int, value: int, no: int = 0) -> bytes:
    """One instruction; `no` is how many are left out where it does not hold."""
    return struct.pack("=HBBI", code, 0, no, value)


_ALLOW = _step(_RETURN, _ALLOWED)
