import os
from pathlib import Path

import pytest

from tagtrail.io.memory import used

STATUS = (
    "Name:\tx\nState:\t{state} (x)\nPid:\t{pid}\nPPid:\t{parent}\nVmRSS:\t99999 kB\nRssAnon:\t {anon} kB\n"
    "RssFile:\t 7777 kB\nRssShmem:\t {shared} kB\nVmPTE:\t {tables} kB\nVmSwap:\t {swap} kB\n"
    "HugetlbPages:\t {huge} kB\n"
)
ROLLUP = (
    "00400000-7ffe ---p 00000000 00:00 0 [rollup]\nRss: 9999 kB\nPss: 9999 kB\nPss_Anon: {anon} kB\nPss_File: 5555 kB\n"
    "Pss_Shmem: {shared} kB\nSwap: 3333 kB\nSwapPss: {swap} kB\n"
)


def process(root: Path, pid: int, kib: dict[str, int], *, parent: int = 1, state: str = "S", share: int = 1) -> None:
    """A process in a cell of `root`; `share` is among how many its pages are shared; 0: the kernel does not tell."""
    held = {"anon": 0, "shared": 0, "tables": 0, "swap": 0, "huge": 0} | kib
    directory = root / "proc" / str(pid)
    directory.mkdir(parents=True)
    (directory / "status").write_text(STATUS.format(pid=pid, parent=parent, state=state, **held))
    if share:
        (directory / "smaps_rollup").write_text(ROLLUP.format(**{name: n // share for name, n in held.items()}))


@pytest.mark.parametrize("what", ["anon", "shared", "tables", "swap", "huge"])
def test_each_kind_of_memory_counts(tmp_path: Path, what: str) -> None:
    process(tmp_path, 1, {what: 100})
    assert [used(tmp_path, most) for most in (0, 1 << 30)] == [100 << 10] * 2


def test_what_processes_share_counts_once_where_that_matters(tmp_path: Path) -> None:
    for pid in range(1, 5):
        process(tmp_path, pid, {"anon": 40, "shared": 400, "tables": 3}, share=4)
    assert used(tmp_path, 4 * 443 << 10) == 4 * 443 << 10, "no more than that: it is not asked closer"
    assert used(tmp_path, (4 * 443 << 10) - 1) == (40 + 400 + 4 * 3) << 10


def test_where_the_kernel_does_not_tell_parts_all_counts(tmp_path: Path) -> None:
    process(tmp_path, 1, {"anon": 100}, share=0)
    process(tmp_path, 2, {"anon": 100}, share=2)
    (tmp_path / "proc" / "1" / "smaps_rollup").write_text("Rss: 1 kB\nPss: 1 kB\n")
    assert used(tmp_path, 0) == 150 << 10


@pytest.mark.parametrize(
    ("state", "child", "counted"),
    [("D", 100, 110), ("S", 100, 210), ("R", 100, 210), ("D", 99, 209), ("D", 101, 211)],
)
def test_memory_that_is_lent_to_a_child_counts_once(tmp_path: Path, state: str, child: int, counted: int) -> None:
    process(tmp_path, 2, {"anon": 100}, state=state)
    process(tmp_path, 3, {"anon": child}, parent=2)
    process(tmp_path, 4, {"anon": 10}, parent=3)
    assert used(tmp_path, 0) == counted << 10


def test_who_waits_for_nobody_counts(tmp_path: Path) -> None:
    """However alike others are: only one whose own child has all of its memory is left out."""
    for pid in (2, 3, 4):
        process(tmp_path, pid, {"anon": 100}, state="D")
    assert used(tmp_path, 0) == 300 << 10


def test_what_is_no_process_or_none_any_more(tmp_path: Path) -> None:
    process(tmp_path, 1, {"anon": 5})
    (tmp_path / "proc" / "2").mkdir()
    (tmp_path / "proc" / "self").symlink_to("1")
    (tmp_path / "proc" / "meminfo").write_text("RssAnon: 9 kB\n")
    process(tmp_path, 3, {})
    (tmp_path / "proc" / "3" / "status").write_text("Name:\tgone\nState:\tZ (zombie)\nPPid:\t1\n")
    assert used(tmp_path, 0) == 5 << 10


def test_who_still_sees_the_machine_uses_nothing() -> None:
    """A cell that is being made."""
    assert [used(Path("/"), 0), used(Path(f"/proc/{os.getpid()}/root"), 0), used(None, 0)] == [0, 0, 0]


def test_a_cell_that_has_ended(tmp_path: Path) -> None:
    assert used(tmp_path / "root", 0) == 0
