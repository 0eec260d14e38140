"""Which members of archives are files of a tag."""

import pytest

from tagtrail.adapters.builder.blobs import Blobs
from tagtrail.formats.gitobject import LINK, Listed


def blobs(tag: dict[str, str], below: str = "") -> Blobs:
    """A tag with these files: path and content; what begins with `->` leads there."""
    found = Blobs(digits=40, below=below)
    listed = [Listed(path=p, mode=LINK if i.startswith("->") else 0o100644, id=i) for p, i in tag.items()]
    found.tell(listed, {path: there[2:] for path, there in tag.items() if there.startswith("->")})
    return found


TAG = {
    "nova/a.py": "1", "nova/x/a.py": "2", "nova/tests/a.py": "3", "nova/tests/bad.data": "4",
    "nova/README": "->../README", "nova/docs": "->../docs/nova",
    "nova/loop": "->loop", "nova/out": "->/etc/passwd", "nova/far": "->../../..",
    "README": "5", "LICENSE": "6", "docs/nova/index.rst": "7", "other/b.py": "8",
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "content", "link", "held"),
    [
        ("a.py", "1", False, True),
        ("a.py", "2", False, False),
        ("a.py", "9", False, False),
        ("a.py", "1", True, False),  # a link that leads where a file says
        ("x/a.py", "2", False, True),
        ("y/a.py", "2", False, False),
        ("configure", "4", False, False),  # what was a broken archive for a test
        ("b.py", "8", False, False),
        ("other/b.py", "8", False, True),  # from the top of the tag
        ("nova/a.py", "1", False, True),
        ("LICENSE", "6", False, True),
        ("LICENSE", "5", False, False),
        ("README", "->../README", True, True),
        ("README", "5", False, True),  # a build put the file for the link
        ("README", "6", False, False),  # and that one only
        ("docs/index.rst", "7", False, True),
        ("docs/index.rst", "6", False, False),
        ("loop", "5", False, False),
        ("out", "5", False, False),
        ("far", "5", False, False),
    ],
)
def test_of_a_source_archive(name: str, content: str, link: bool, held: bool) -> None:
    assert blobs(TAG, "nova").of_source()(name, content, link) == held


SOURCES = {
    "src/pkg/__init__.py": "0", "src/pkg/core.py": "1", "src/pkg/data/x.json": "->../../../data/x.json",
    "tests/pkg/core.py": "2", "tests/fixtures/sitecustomize.py": "3", "tests/fixtures/start.pth": "4",
    "tests/bad.data": "5", "data/x.json": "6", "tools/run.sh": "7", "LICENSE": "8", "legal/NOTICE": "9",
    "etc/pkg/pkg.conf": "a", "doc/pkg.1": "b", "six.py": "c", "include/pkg.h": "d",
}  # fmt: skip
WHEEL = ("pkg/__init__.py", "pkg/core.py", "pkg/data/x.json", "pkg-1.dist-info/METADATA", "pkg-1.data/scripts/run.sh")


@pytest.mark.parametrize(
    ("name", "content", "held"),
    [
        ("pkg/core.py", "1", True),
        ("pkg/core.py", "2", False),  # of the tests
        ("pkg/core.py", "0", False),
        ("pkg/data/x.json", "6", True),
        ("pkg/data/x.json", "5", False),
        ("pkg/new.py", "1", False),
        ("src/pkg/core.py", "1", True),
        ("tests/pkg/core.py", "2", True),
        ("six.py", "c", True),
        ("sitecustomize.py", "3", False),
        ("start.pth", "4", False),
        ("pkg-1.data/purelib/pkg/core.py", "1", True),
        ("pkg-1.data/purelib/pkg/core.py", "2", False),
        ("pkg-1.data/platlib/sitecustomize.py", "3", False),
        ("pkg-1.data/scripts/run.sh", "7", True),
        ("pkg-1.data/scripts/sh", "7", False),
        ("pkg-1.data/headers/pkg.h", "d", True),
        ("pkg-1.data/data/etc/pkg/pkg.conf", "a", True),
        ("pkg-1.data/data/share/man/man1/pkg.1", "b", True),
        ("pkg-1.data/data/lib/python3/site-packages/sitecustomize.py", "3", False),
        ("pkg-1.data/data/lib/python3/site-packages/start.pth", "4", False),
        ("pkg-1.dist-info/licenses/legal/NOTICE", "9", True),
        ("pkg-1.dist-info/licenses/LICENSE", "8", True),
        ("pkg-1.dist-info/licenses/LICENSE", "9", False),
        ("pkg-1.dist-info/METADATA", "8", False),
    ],
)
def test_of_a_wheel(name: str, content: str, held: bool) -> None:
    assert blobs(SOURCES).of_others((*WHEEL, name))(name, content, False) == held


@pytest.mark.parametrize(
    ("tag", "names", "lost"),
    [
        (["pkg/a.py", "tests/pkg/a.py"], ["pkg/a.py"], ""),
        (["src/pkg/a.py", "tests/pkg/a.py", "tests/pkg/b.py"], ["pkg/a.py", "pkg/b.py"], "src/"),
        (["lib2/pkg/a.py", "lib2/pkg/b.py", "tests/pkg/a.py"], ["pkg/a.py", "pkg/b.py"], "lib2/"),
        (["src/main/res/x/a.js", "src/test/res/x/b.js"], ["x/a.js"], "src/main/res/"),
        (["one/pkg/a.py", "two/pkg/a.py"], ["pkg/a.py"], "one/"),
        (["src/pkg/a.py"], ["other/a.py", "b.py"], ""),
        (["a/b/c/d.py"], ["d.py"], "a/b/c/"),
    ],
)
def test_which_directory_was_taken_off(tag: list[str], names: list[str], lost: str) -> None:
    of = blobs({path: path for path in tag}).of_others(names)
    assert all(of(name, f"{lost}{name}", False) == (f"{lost}{name}" in tag) for name in names)
    for path in set(tag) - {f"{lost}{name}" for name in names}:
        assert not any(of(name, path, False) for name in names)


def test_of_a_project_in_a_directory_that_comes_first() -> None:
    of = blobs({"src/pkg/a.py": "1", "nova/lib2/pkg/a.py": "2"}, "nova").of_others(["pkg/a.py"])
    assert [of("pkg/a.py", content, False) for content in "12"] == [False, True]
