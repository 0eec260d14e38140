"""What rules are told of files: what was brought is looked into too; a patch is held against the trail's release."""

import gzip
from dataclasses import replace

import pytest

from tagtrail.adapters.index_view import view
from tagtrail.model.errors import ProjectError
from tagtrail.model.metadata import IndexView, Metadata
from tagtrail.workflows.contents import after, described
from tagtrail.workflows.release import release
from tests.formats.test_magic import ZIP, tar, zipped
from tests.workflows.intake import MAC, Desk, taken, wheel
from tests.workflows.world import World

KEY = b"-----BEGIN " + b"PRIVATE KEY-----\n" + b"MC4CAQAwBQYDK2VwBCIEIK" * 3 + b"\n"


def test_a_key_in_a_wheel_that_was_brought_is_refused_and_nothing_is_staged() -> None:
    desk = Desk()
    with pytest.raises(ProjectError) as caught:
        desk.add(data=wheel(more={"nova/deploy.py": b"KEY = '''" + KEY + b"'''"}))
    assert caught.value.code == "no-secrets"
    assert caught.value.what == f"{MAC} has a private key in nova/deploy.py"
    desk.add()  # the name is still free
    assert taken(desk, MAC, wheel(more={"nova/tests/a.py": KEY})).remarks[0].member == "nova/tests/a.py"


BROUGHT = [
    ("nova-1.0.0.jar", zipped(("deploy.py", KEY)), [("secret", "deploy.py", "a private key")]),
    ("nova-1.0.0.crate", gzip.compress(tar(("x~", b""))), [("litter", "x~", "an editor's or a merge's copy")]),
    ("nova-1.0.0.deb", b"!<arch>\n", [("archive", "", "an ar archive")]),
    ("nova-1.0.0.rpm", b"\xed\xab\xee\xdb", [("archive", "", "an rpm package")]),
    ("nova-1.0.0.exe", b"MZ" + ZIP, [("archive", "", "a zip archive (the zip has bytes before 'a' that belong to")]),
    ("nova-1.0.0.msi", b"\xd0\xcf\x11\xe0", []),
]


@pytest.mark.parametrize(("name", "data", "noticed"), BROUGHT, ids=[row[0] for row in BROUGHT])
def test_what_was_brought_is_an_archive_by_its_bytes(
    name: str, data: bytes, noticed: list[tuple[str, str, str]]
) -> None:
    found = taken(Desk(), name, data)
    shown = [(r.kind, r.member, r.what[: len(what)]) for r, (_, _, what) in zip(found.remarks, noticed, strict=True)]
    assert shown == noticed
    assert bool(found.tar) == name.endswith(".crate")


def test_what_looks_alike_is_asked_once() -> None:
    asked: list[str] = []

    def looked(says: Metadata) -> IndexView:
        asked.append(says.requires_python)
        return IndexView(by=("me",))

    text = b"Metadata-Version: 2.1\nName: nova\nVersion: 1.0.0\nRequires-Python: >=%s\n"
    files = [("a.whl", text % b"3.11"), ("b.whl", text % b"3.12"), ("c.whl", text % b"3.11")]
    found = described(files, looked)
    assert [d.files for d in found] == [("a.whl", "c.whl"), ("b.whl",)]
    assert asked == [">=3.11"]


def test_a_patch_is_told_what_it_follows() -> None:
    world = World(versions=("1.0.0", "1.0.1", "1.1.0"))
    road, project = replace(world.road(), view=view), world.project()
    assert release(road, project, "1.0.0").exit == 0
    patch = after(road, project, "1.0.1", ())
    assert (patch.follows, patch.previous and patch.previous.version) == ("1.0.0", "1.0.0")
    assert (after(road, project, "1.1.0", ()).follows, after(road, project, "1.1.0", ()).previous) == ("", None)
