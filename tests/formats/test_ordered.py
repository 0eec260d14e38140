"""Which orders of an archive are those of a tool that sorts, whatever the file system."""

from collections.abc import Callable, Sequence
from itertools import permutations

import pytest

from tagtrail.formats.ordered import is_sorted_sdist, is_sorted_wheel

SDIST = {
    "by the whole name": ("p/", "p/PKG-INFO", "p/a-b/", "p/a-b/x", "p/a/", "p/a/x", "p/b"),
    "and a directory without its slash": ("p/", "p/a/", "p/a-b/", "p/a-b/x", "p/a/x", "p/b"),
    "by its parts": ("p/a/x", "p/a/y/x", "p/a/z", "p/a-b/x", "p/b"),
    "files first": ("p/b", "p/a/x", "p/a/z", "p/a/y/x", "p/a-b/x"),
    "directories first": ("p/a/y/x", "p/a/x", "p/a/z", "p/a-b/x", "p/b"),
    "hatchling": ("p/b", "p/tox.ini", "p/a/x", "p/.gitignore", "p/LICENSE-MIT", "p/pyproject.toml", "p/PKG-INFO"),
    "flit": ("p/a/x", "p/pyproject.toml", "p/setup.cfg", "p/PKG-INFO"),
    "nothing": (),
}
WHEEL = {
    "wheel": ("p.py", "p/x", "p/y/z", "p-1.dist-info/METADATA", "p-1.dist-info/top_level.txt", "p-1.dist-info/RECORD"),
    "dist-info within": ("p-1.dist-info/METADATA", "p-1.dist-info/RECORD", "p/x", "p/y"),
    "flit": ("p/x", "p-1.dist-info/licenses/LICENSE", "p-1.dist-info/WHEEL", "p-1.dist-info/METADATA"),
    "data behind": ("p/x", "p/y", "p-1.data/scripts/a", "p-1.data/scripts/b", "p-1.dist-info/RECORD"),
}
UNSORTED: dict[str, tuple[Callable[[Sequence[str]], bool], tuple[str, ...]]] = {
    "two files": (is_sorted_sdist, ("p/b.py", "p/a.py")),
    "two files in a directory": (is_sorted_sdist, ("p/a/", "p/a/y", "p/a/x", "p/b")),
    "a directory's file behind others": (is_sorted_sdist, ("p/b/y", "p/c", "p/b/x")),
    "files before, and behind": (is_sorted_sdist, ("p/b", "p/a/x", "p/c", "p/d/x", "p/a-b/x")),
    "at the end, but nothing about the project": (is_sorted_sdist, ("p/b", "p/a/x", "p/a.py", "p/PKG-INFO")),
    "at the end, unsorted": (is_sorted_sdist, ("p/b", "p/a/x", "p/pyproject.toml", "p/LICENSE", "p/PKG-INFO")),
    "behind PKG-INFO": (is_sorted_sdist, ("p/b", "p/a/x", "p/PKG-INFO", "p/LICENSE")),
    "modules": (is_sorted_wheel, ("p/b.py", "p/a.py", "p-1.dist-info/RECORD")),
    "scripts": (is_sorted_wheel, ("p/x", "p-1.data/scripts/b", "p-1.data/scripts/a", "p-1.dist-info/RECORD")),
}


@pytest.mark.parametrize("names", SDIST.values(), ids=SDIST)
def test_an_sdist_of_those_who_sort(names: tuple[str, ...]) -> None:
    assert is_sorted_sdist(names)


@pytest.mark.parametrize("names", WHEEL.values(), ids=WHEEL)
def test_a_wheel_of_those_who_sort(names: tuple[str, ...]) -> None:
    assert is_sorted_wheel(names)


@pytest.mark.parametrize(("judge", "names"), UNSORTED.values(), ids=UNSORTED)
def test_what_a_file_system_may_have_said(judge: Callable[[Sequence[str]], bool], names: tuple[str, ...]) -> None:
    assert not judge(names)


def test_of_all_orders_few_are_sorted() -> None:
    """Two files and two directories of two files: by whole names, by their parts, files first."""
    names = ("p/a/x", "p/a/y", "p/a-b/x", "p/a-b/y", "p/b", "p/c")
    assert sum(map(is_sorted_wheel, permutations(names))) == 3
