"""Files of a commit, walked by ids: what is found, what is left out, and that no object may be another than its id."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import pytest

from tagtrail.formats.gitfiles import Files
from tagtrail.formats.gitobject import object_id
from tagtrail.model.errors import TamperError


@dataclass(frozen=True)
class Found:
    id: str
    kind: str = ""
    content: bytes = b""


class Shelf:
    """Objects in memory."""

    def __init__(self) -> None:
        self.held: dict[str, Found] = {}
        self.asked: list[str] = []

    def put(self, kind: str, content: bytes) -> str:
        oid = object_id(kind, content)
        self.held[oid] = Found(oid, kind, content)
        return oid

    def tree(self, *members: tuple[bytes, bytes, str]) -> str:
        return self.put("tree", b"".join(b"%s %s\0" % (mode, name) + bytes.fromhex(o) for mode, name, o in members))

    def items(self, names: Iterable[str], fits: Callable[[int], bool] = lambda _: True) -> tuple[Found, ...]:
        self.asked += (names := list(names))
        found = [self.held.get(name, Found(name)) for name in names]
        return tuple(one if one.kind and fits(len(one.content)) else Found(one.id) for one in found)


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


def commit(shelf: Shelf) -> tuple[str, dict[str, str]]:
    blob, link, inner = shelf.put("blob", b"text"), shelf.put("blob", b"/etc/passwd"), shelf.put("blob", b"inner")
    below = shelf.tree((b"100755", b"run", inner))
    top = shelf.tree(
        (b"120000", b"CHANGES.md", link), (b"100644", b"README", blob), (b"40000", b"docs", below),
        (b"160000", b"module", "1" * 40), (b"100644", b"\xff", blob), (b"100644", b"a\nb", blob),
    )  # fmt: skip
    oid = shelf.put("commit", f"tree {top}\nauthor x\n\nwork\n".encode())
    return oid, {"blob": blob, "tree": top, "commit": oid, "below": below, "inner": inner}


def test_what_a_commit_holds(shelf: Shelf) -> None:
    oid, ids = commit(shelf)
    files = Files(shelf, oid)
    assert files.names() == {"README": ids["blob"], "docs": ""}
    assert files.names("docs") == {"docs/run": ids["inner"]}
    assert Files(shelf, oid, "docs").names() == {"run": ids["inner"]}
    assert (files.id("docs/run"), files.id("CHANGES.md"), files.id("docs"), files.id("no/where")) == (
        ids["inner"], "", "", "",
    )  # fmt: skip
    assert files.contents([ids["blob"], "2" * 40, ids["inner"]], lambda size: size < 5) == (b"text", None, None)
    assert len(shelf.asked) == len(set(shelf.asked)) + 3, "each of two asks for each tree once"


@pytest.mark.parametrize("odd", ["../docs", "docs/", "./docs", "docs/../docs", "CHANGES.md", "module", "README"])
def test_a_path_is_walked_and_nothing_else(shelf: Shelf, odd: str) -> None:
    oid, _ = commit(shelf)
    assert not any(path.endswith("run") for path in Files(shelf, oid).names(odd))


@pytest.mark.parametrize("which", ["blob", "tree", "commit", "below"])
def test_an_object_that_is_another_than_its_id_says(shelf: Shelf, which: str) -> None:
    oid, ids = commit(shelf)
    held = shelf.held[ids[which]]
    shelf.held[ids[which]] = Found(held.id, held.kind, held.content + b"\n")
    files = Files(shelf, oid)
    with pytest.raises(TamperError) as caught:
        files.contents([files.id("README"), files.id("docs/run")], lambda _: True)
    assert caught.value.code == "object-altered"


def test_a_tree_that_another_object_answers_for(shelf: Shelf) -> None:
    oid, ids = commit(shelf)
    shelf.held[ids["below"]] = shelf.held[ids["tree"]]
    with pytest.raises(TamperError):
        Files(shelf, oid).names("docs")


def test_what_is_not_there(shelf: Shelf) -> None:
    oid, ids = commit(shelf)
    del shelf.held[ids["tree"]]
    assert Files(shelf, oid).names() == {}
    assert Files(shelf, "3" * 40).names("docs") == {}
    assert Files(shelf, shelf.put("commit", b"author x\n\nno tree\n")).names() == {}
    assert Files(shelf, shelf.put("commit", b"tree " + shelf.put("tree", b"what").encode())).names() == {}
