"""What the filter answers, by a reading of it that is not ours: an interpreter of classic BPF after its definition."""

import errno
import os
import struct
import sys
from pathlib import Path

import pytest

from tagtrail.io.seccomp import program

ARCHITECTURES = {
    "x86_64": 0xC000003E, "i386": 0x40000003, "aarch64": 0xC00000B7, "arm": 0x40000028, "riscv64": 0xC00000F3,
    "loongarch64": 0xC0000102, "ppc64le": 0xC0000015, "s390x": 0x80000016, "s390": 0x00000016,
}  # fmt: skip
"""linux/audit.h."""
RUNS = [
    ("x86_64", "x86_64"), ("x86_64", "i386"), ("aarch64", "aarch64"), ("aarch64", "arm"), ("riscv64", "riscv64"),
    ("loongarch64", "loongarch64"), ("ppc64le", "ppc64le"), ("s390x", "s390x"), ("s390x", "s390"),
]  # fmt: skip
NAMES = (
    "clone",
    "clone3",
    "unshare",
    "memfd_create",
    "memfd_secret",
    "shmget",
    "add_key",
    "request_key",
    "keyctl",
    "ipc",
    "getpid",
)
NUMBERS = {
    "x86_64": (56, 435, 272, 319, 447, 29, 248, 249, 250, None, 39),
    "i386": (120, 435, 310, 356, 447, 395, 286, 287, 288, 117, 20),
    "aarch64": (220, 435, 97, 279, 447, 194, 217, 218, 219, None, 172),
    "arm": (120, 435, 337, 385, None, 307, 309, 310, 311, None, 20),
    "riscv64": (220, 435, 97, 279, 447, 194, 217, 218, 219, None, 172),
    "loongarch64": (220, 435, 97, 279, 447, 194, 217, 218, 219, None, 172),
    "ppc64le": (120, 435, 282, 360, None, 395, 269, 270, 271, 117, 20),
    "s390x": (120, 435, 303, 350, 447, 395, 278, 279, 280, 117, 20),
    "s390": (120, 435, 303, 350, 447, 395, 278, 279, 280, 117, 20),
}
"""libseccomp's table of calls (src/syscalls.csv, Linux 6.16)."""
USER, MOUNTS, NETWORK, TIME, CHILD = 0x10000000, 0x00020000, 0x40000000, 0x80, 17
THREAD = 0x003D0F00
ALLOWED = 0


def answered(machine: str, architecture: int, number: int, *arguments: int) -> int:
    """What the kernel does with a call: an error number; 0: it is allowed. linux/filter.h, linux/seccomp.h."""
    steps = list(struct.iter_unpack("=HBBI", program(machine)))
    data = struct.pack("=iIQ6Q", number, architecture, 0, *arguments, *[0] * (6 - len(arguments)))
    at, held = 0, 0
    while True:
        code, yes, no, value = steps[at]
        at += 1
        match code:
            case 0x20:
                (held,) = struct.unpack_from("=I", data, value)
            case 0x54:
                held &= value
            case 0x15 | 0x35 | 0x45:
                holds = {0x15: held == value, 0x35: held >= value, 0x45: bool(held & value)}[code]
                at += yes if holds else no
            case 0x06:
                assert value == 0x7FFF0000 or value >> 16 == 5
                return 0 if value == 0x7FFF0000 else value & 0xFFFF
            case _:
                raise AssertionError(hex(code))


@pytest.mark.parametrize(("machine", "architecture"), RUNS)
def test_what_is_refused(machine: str, architecture: str) -> None:
    calls = dict(zip(NAMES, NUMBERS[architecture], strict=True))

    def answer(name: str, *arguments: int) -> int | None:
        number = calls[name]
        return None if number is None else answered(machine, ARCHITECTURES[architecture], number, *arguments)

    for name in ("clone3", "memfd_create", "memfd_secret", "shmget", "add_key", "request_key", "keyctl"):
        assert answer(name) in {errno.ENOSYS, None}, name
    assert answer("getpid") == ALLOWED
    assert [answer("unshare", flags) for flags in (0, USER, MOUNTS, USER | MOUNTS, NETWORK, TIME)] == [
        ALLOWED, ALLOWED, errno.EPERM, errno.EPERM, errno.EPERM, errno.EPERM,
    ]  # fmt: skip
    before = (0,) if architecture.startswith("s390") else ()
    begun = [answer("clone", *before, flags) for flags in (CHILD, THREAD, CHILD | USER, CHILD | MOUNTS, NETWORK)]
    assert begun == [ALLOWED, ALLOWED, errno.EPERM, errno.EPERM, errno.EPERM]
    assert answer("clone", *before, CHILD | 0x0100_0000_0000) == ALLOWED, "the upper half has no flags"
    if calls["ipc"]:
        assert [answer("ipc", what) for what in (23, 23 | 1 << 16, 21, 2)] == [
            errno.ENOSYS, errno.ENOSYS, ALLOWED, ALLOWED,
        ]  # fmt: skip


def test_the_numbers_of_others() -> None:
    assert answered("x86_64", ARCHITECTURES["x86_64"], 0x40000000 | 39) == errno.ENOSYS
    assert answered("x86_64", ARCHITECTURES["aarch64"], 172) == errno.ENOSYS
    assert answered("riscv64", ARCHITECTURES["x86_64"], 39) == errno.ENOSYS


def test_a_machine_that_is_not_known_has_no_filter() -> None:
    assert program("pdp11") == b""


def test_this_machine_has_one() -> None:
    machine = os.uname().machine
    assert bool(program()) == any(machine == known for known, _ in RUNS)
    assert program() == program(machine)


@pytest.mark.parametrize(("header", "architecture"), [("unistd_64.h", "x86_64"), ("unistd_32.h", "i386")])
def test_the_headers_of_this_machine_say_the_same(header: str, architecture: str) -> None:
    path = Path(f"/usr/include/{os.uname().machine}-linux-gnu/asm/{header}")
    if os.uname().machine != "x86_64" or not path.exists():
        pytest.skip("NOT TESTED: the kernel's headers for x86 are not installed")
    said = dict(line.split()[1:3] for line in path.read_text().splitlines() if line.startswith("#define __NR_"))
    for name, number in zip(NAMES, NUMBERS[architecture], strict=True):
        if f"__NR_{name}" in said or number is not None:
            assert said.get(f"__NR_{name}", str(number)) == str(number), name
    assert sys.byteorder == "little"
