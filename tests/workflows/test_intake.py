"""Files that others built, looked at before they are taken: one thing wrong at a time, each with its own code."""

import gzip
import io
import tarfile
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest

from tagtrail.model.errors import ProjectError
from tagtrail.model.facts import Artifact
from tagtrail.workflows.intake import take_in
from tests.workflows.intake import MAC, Desk, taken, wheel

PKG_INFO = b"Metadata-Version: 2.1\nName: nova\nVersion: 1.0.0\nRequires-Python: >=3.11\n"


def refused(name: str, data: bytes) -> str:
    desk = Desk()
    with pytest.raises(ProjectError) as caught:
        taken(desk, name, data)
    assert caught.value.what.isprintable()
    assert desk.kept.blob(sha256(data).hexdigest(), "") is None
    return caught.value.code


def tarball(*members: tuple[str, bytes], end: bytes = b"", **changes: Any) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as packed:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(data), 0o644
            for key, value in changes.items():
                setattr(info, key, value)
            packed.addfile(info, io.BytesIO(data))
    return gzip.compress(out.getvalue(), mtime=0) + end


def zipped(*members: tuple[zipfile.ZipInfo | str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        for name, data in members:
            packed.writestr(name, data)
    return out.getvalue()


def test_a_wheel_is_kept_as_it_is() -> None:
    desk, data = Desk(), wheel()
    found = taken(desk, MAC, data)
    assert desk.kept.read(found.blob.sha256) == data
    assert (found.origin.how, found.origin.by, found.requires_python) == ("added", "SHA256:ci", ">=3.11")
    assert found.metadata is not None
    assert b"Name: nova" in desk.kept.read(found.metadata.sha256)


@pytest.mark.parametrize(
    ("name", "tags"),
    [
        ("nova-1.0.0-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl", ()),
        (
            "nova-1.0.0-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
            ("cp311-cp311-manylinux_2_17_x86_64", "cp311-cp311-manylinux2014_x86_64"),
        ),
        ("Nova-1.0-py2.py3-none-any.whl", ("py3-none-any", "py2-none-any")),
        ("nova-1.0.0-1build-py3-none-any.whl", ("py3-none-any",)),
    ],
)
def test_tags_are_compared_as_sets(name: str, tags: tuple[str, ...]) -> None:
    taken(Desk(), name, wheel(name, tags=tags, build="1build" if "1build" in name else ""))


@pytest.mark.parametrize(("number", "said"), [("-1build", ""), ("-1build", "1"), ("-1", "1build"), ("", "1")])
def test_a_build_number_is_that_of_the_name(number: str, said: str) -> None:
    name = f"nova-1.0.0{number}-py3-none-any.whl"
    assert refused(name, wheel(name, tags=("py3-none-any",), build=said)) == "wheel-tags"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"tags": ("cp311-cp311-win_amd64",)}, "wheel-tags"),
        ({"tags": ("cp311-cp311-macosx_11_0_arm64", "cp312-cp312-macosx_11_0_arm64")}, "wheel-tags"),
        ({"tags": ("nonsense",)}, "wheel-tags"),
        ({"version": "2.0"}, "wheel-version"),
        ({"version": "1.zzz"}, "wheel-version"),
        ({"version": "1.0\nWheel-Version: 1.0"}, "wheel-version"),
        ({"info": "nova-1.0.1.dist-info"}, "wheel-form"),
        ({"info": "cinder-1.0.0.dist-info"}, "wheel-form"),
        ({"more": {"x-1.dist-info/METADATA": b""}}, "wheel-form"),
        ({"metadata": "Metadata-Version: 2.1\nName: cinder\nVersion: 1.0.0\n"}, "name-mismatch"),
        ({"metadata": "Metadata-Version: 2.1\nName: nova\nVersion: 1.0.1\n"}, "version-mismatch"),
        ({"metadata": "Metadata-Version: 2.1\nVersion: 1.0.0\n"}, "metadata-invalid"),
        ({"metadata": None}, "metadata-invalid"),
        ({"metadata": "Metadata-Version: 2.1\nName: nova\nVersion: 1.0.0\n\n" + "x" * (1 << 24)}, "metadata-invalid"),
        ({"record": ""}, "wheel-record"),
        ({"record": "nova/_fast.so\n"}, "wheel-record"),
        ({"record": "\xff"}, "wheel-record"),
        ({"changed": {"nova/_fast.so": b"\x7fEVL"}}, "wheel-record"),
        ({"changed": {"nova/more.pth": b"import os"}}, "wheel-record"),
        ({"more": {"../evil": b""}}, "archive-outside"),
        ({"more": {"/etc/evil": b""}}, "archive-outside"),
        ({"more": {"Nova/_fast.so": b""}}, "archive-case"),
        ({"more": {"nova/a\x07": b""}}, "archive-name"),
    ],
)
def test_a_wheel_is_what_its_name_says(changes: dict[str, Any], code: str) -> None:
    assert refused(MAC, wheel(**changes)) == code


def test_a_weak_digest_in_record_is_none() -> None:
    weak = wheel(record="nova/_fast.so,md5=AAAA,4\n")
    assert refused(MAC, weak) == "wheel-record"


def link(mode: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo("nova/x")
    info.create_system, info.external_attr = 3, mode << 16
    return info


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        (MAC, b"", "add-empty"),
        (MAC, b"PK\x03\x04 no zip", "archive-damaged"),
        (MAC, wheel()[:-30], "archive-damaged"),
        (MAC, zipped((link(0o120777), b"/etc/passwd")), "archive-link"),
        (MAC, zipped((link(0o104755), b"")), "archive-setuid"),
        (MAC, zipped((link(0o020644), b"")), "archive-type"),
        ("nova-1.0.0-cp311-cp311.whl", wheel(), "output-invalid"),
        ("nova-1.0.1-cp311-cp311-win_amd64.whl", wheel(), "version-mismatch"),
        ("cinder-1.0.0-cp311-cp311-win_amd64.whl", wheel(), "name-mismatch"),
        ("nova-1.0.0.tar.xz", b"x", "add-kind"),
        ("nova-1.0.0.tgz", b"x", "add-kind"),
        ("nova-1.0.0.7z", b"x", "add-kind"),
        (MAC.replace(".whl", ".WHL"), wheel(), "add-kind"),
        ("nova-1.0.0.TAR.GZ", tarball(("nova/x", b"")), "add-kind"),
        ("nova-1.0.0.zip.", zipped(("nova/x", b"")), "add-kind"),
        ("nova-1.0.0.TAR.XZ. ", b"x", "add-kind"),
        (MAC, b"#!/bin/sh\n" + wheel(), "archive-trailing"),
        ("nova-1.0.0-docs.zip", zipped(("nova/x", b"")) + b"x", "archive-trailing"),
        ("nova-1.0.0.tar.gz", b"x", "archive-damaged"),
        ("nova-1.0.0.tar.gz", tarball(("nova/x", b"")) + b"more", "archive-trailing"),
        ("nova-1.0.0.tar.gz", tarball(("nova/x", b"")) + gzip.compress(b"second"), "archive-trailing"),
        ("nova-1.0.0.tar.gz", tarball(("nova/x", b""), ("../y", b"")), "archive-outside"),
        ("nova-1.0.0.tar.gz", tarball(("nova/x", b""), mode=0o4755), "archive-setuid"),
        ("nova-1.0.0.tar.gz", tarball(("nova/x", b""), type=tarfile.CHRTYPE), "archive-type"),
        ("nova-1.0.0.tar.gz", tarball(("nova/x", b""), type=tarfile.SYMTYPE, linkname="../../x"), "archive-outside"),
        ("nova-1.0.0.tar.gz", tarball(("nova/x", b""), ("nova/X", b"")), "archive-case"),
        ("nova-1.0.0.tar.gz", tarball(("nova/\N{ANGSTROM SIGN}", b""), ("nova/\xc5", b"")), "archive-case"),
        ("nova-1.0.0-docs.zip", zipped(("../x", b"")), "archive-outside"),
    ],
)
def test_archives_are_read_as_an_enemys(name: str, data: bytes, code: str) -> None:
    assert refused(name, data) == code


@pytest.mark.parametrize(
    ("name", "top", "info", "code"),
    [
        ("nova-1.0.0.tar.gz", "nova-1.0.0", None, "metadata-invalid"),
        ("nova-1.0.0.tar.gz", "nova-1.0.0", b"Name: nova\n", "metadata-invalid"),
        ("nova-1.0.0.tar.gz", "nova-1.0.0", PKG_INFO.replace(b"nova", b"evil"), "name-mismatch"),
        ("nova-1.0.0.tar.gz", "nova-1.0.0", PKG_INFO.replace(b"1.0.0", b"9.9"), "version-mismatch"),
        ("nova-1.0.0.tar.gz", "evil-9", PKG_INFO, "name-mismatch"),
        ("nova-1.0.0.tar.gz", "nova", PKG_INFO, "name-mismatch"),
        ("nova-1.0.0.tar.gz", "nova-1.0.1", PKG_INFO, "name-mismatch"),
        ("nova-1.0.1.tar.gz", "nova-1.0.1", PKG_INFO, "version-mismatch"),
        ("evil-1.0.0.tar.gz", "evil-1.0.0", PKG_INFO, "name-mismatch"),
        ("nova-1.0.0-final-0.tar.gz", "nova-1.0.0", PKG_INFO, "name-mismatch"),
        ("nova-1.0.0-c.tar.gz", "nova", None, ""),
    ],
)
def test_an_sdist_is_what_its_name_says(name: str, top: str, info: bytes | None, code: str) -> None:
    packed = tarball((f"{top}/x", b""), *([(f"{top}/PKG-INFO", info)] if info else []))
    assert (refused(name, packed) if code else taken(Desk(), name, packed).tar and "") == code


@pytest.mark.parametrize("name", ["nova-1.0.0.zip", "Nova-1.0.zip", "nova-1.0.0-1.zip", "evil-9.9.zip"])
def test_a_zip_is_no_sdist(name: str) -> None:
    """Installers would build it, whatever is in it."""
    assert refused(name, zipped(("nova-1.0.0/PKG-INFO", PKG_INFO))) == "add-kind"


def test_what_pip_alone_takes_for_an_sdist() -> None:
    desk = Desk()
    for name in ("nova-1.0.0-rc1.tar.gz", "nova-1.0.0-rc1.zip"):
        data = zipped(("x", b"")) if name.endswith(".zip") else tarball(("x/y", b""))
        with pytest.raises(ProjectError) as caught:
            take_in(
                io.BytesIO(data), name, project=desk.project(), version="1.0.0rc1", by="x", kept=desk.kept,
                spool=io.BytesIO(),
            )  # fmt: skip
        assert caught.value.code == ("add-kind" if name.endswith(".zip") else "output-invalid")


def test_what_is_refused_is_not_kept() -> None:
    """What is kept stays for good, and whoever has a token could fill the disk with what is refused."""
    desk, data, said = Desk(), wheel(), dict[str, bytes]()

    def refuse(artifact: Artifact, unkept: Mapping[str, bytes]) -> None:
        said.update(unkept)
        assert (artifact.name, artifact.blob.sha256, artifact.blob.size) == (MAC, sha256(data).hexdigest(), len(data))
        raise ProjectError("no", code="add-other-bytes")

    with pytest.raises(ProjectError):
        take_in(
            io.BytesIO(data), MAC, project=desk.project(), version="1.0.0", by="x", kept=desk.kept,
            spool=io.BytesIO(), judge=refuse,
        )  # fmt: skip
    assert b"Name: nova" in b"".join(said.values())
    assert [desk.kept.blob(digest, "x") for digest in (sha256(data).hexdigest(), *said)] == [None, None]


def taken_for_a_tool(desk: Desk, name: str, data: bytes) -> Artifact:
    """As `taken`, of what is no Python project."""
    tool = replace(desk.project(), build=("tar.gz",))
    return take_in(
        io.BytesIO(data), name, project=tool, version="1.0.0", by="x", kept=desk.kept, spool=io.BytesIO()
    )  # fmt: skip


def test_a_wheel_for_what_is_no_python_project() -> None:
    with pytest.raises(ProjectError) as caught:
        taken_for_a_tool(Desk(), MAC, wheel())
    assert caught.value.code == "add-kind"


def test_a_tool_is_packed_as_it_likes() -> None:
    packed = tarball(("nova", b"\x7fELF"), ("LICENSE", b""), ("PKG-INFO", b"of nobody"))
    found = taken_for_a_tool(Desk(), "nova-1.0.0-linux-amd64.tar.gz", packed)
    assert (found.tar, found.metadata) == (sha256(gzip.decompress(packed)).hexdigest(), None)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"x", "archive-damaged"),
        (tarball(("nova", b"")) + b"more", "archive-trailing"),
        (tarball(("nova", b""), ("../y", b"")), "archive-outside"),
        (tarball(("nova", b""), mode=0o4755), "archive-setuid"),
        (tarball(("nova", b""), type=tarfile.CHRTYPE), "archive-type"),
        (tarball(("nova", b""), type=tarfile.SYMTYPE, linkname="../x"), "archive-outside"),
        (tarball(("nova", b""), ("NOVA", b"")), "archive-case"),
    ],
)
def test_a_tool_is_read_as_an_enemys_too(data: bytes, code: str) -> None:
    desk = Desk()
    with pytest.raises(ProjectError) as caught:
        taken_for_a_tool(desk, "nova-1.0.0-linux-amd64.tar.gz", data)
    assert caught.value.code == code


def test_other_files_are_bytes() -> None:
    desk = Desk()
    assert taken(desk, "nova-1.0.0-setup.exe", b"MZ").metadata is None
    found = taken(desk, "nova-1.0.0-docs.zip", zipped(("nova/x", b"")))
    assert (found.tar, found.metadata) == ("", None)
    packed = tarball(("Nova-1.0/PKG-INFO", PKG_INFO))
    found = taken(desk, "nova-1.0.0.tar.gz", packed)
    assert found.tar == sha256(gzip.decompress(packed)).hexdigest()
    assert found.requires_python == ">=3.11"


@pytest.mark.slow
def test_gigabytes_of_zeros() -> None:
    """What unpacks to too much is refused while it is read, in bounded memory."""
    import zlib

    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    pieces = [packer.compress(bytes(1 << 20)) for _ in range(2100)]
    bomb = b"".join([*pieces, packer.flush()])

    class Sink(io.BytesIO):
        """Holds nothing: only that it is read matters here."""

        def write(self, data: object) -> int:
            return len(data)  # type: ignore[arg-type]

    desk = Desk()
    with pytest.raises(ProjectError) as caught:
        take_in(
            io.BytesIO(bomb),
            "nova-1.0.0.tar.gz",
            project=desk.project(),
            version="1.0.0",
            by="x",
            kept=desk.kept,
            spool=Sink(),
        )
    assert caught.value.code == "archive-size"
