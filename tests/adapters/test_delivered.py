"""Archives that a project's commands made, whatever they are called: members that are not the tag's are listed, and of
what nobody looked into it is said."""

import bz2
import gzip
import hashlib
import io
import lzma
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tagtrail.adapters.builder.blobs import Blobs
from tagtrail.adapters.builder.delivered import delivered
from tagtrail.adapters.builder.outputs import Made
from tagtrail.formats.archive import Limits
from tagtrail.formats.gitobject import Listed, blob_id
from tagtrail.model.errors import ProjectError
from tagtrail.ports import BuildOrder
from tests.formats.test_magic import CPIO, ELF, KNOWN, NOISE, TAR, ZIP, tar, zipped

TAG = {"lib/a.rb": b"a = 1\n", "README": b"hello\n", "data/inner.zip": ZIP}
OURS, HIDDEN = tuple(TAG.items()), ("lib/evil.rb", b"evil\n")
ORDER = BuildOrder(project="tool", version="1.0.0", tag="1.0.0", commit="0" * 40, epoch=0, builds=(), refs=())


def blobs() -> Blobs:
    found = Blobs(digits=40)
    found.tell([Listed(path=path, mode=0o100644, id=blob_id((data,), len(data))) for path, data in TAG.items()], {})
    return found


def judged(room: Path, name: str, data: bytes, limits: Limits | None = None) -> Made:
    (room / name).write_bytes(data)
    return delivered(room / name, ORDER, blobs(), limits or Limits())


def unread(made: Made) -> list[tuple[str, str]]:
    return [(r.member, r.what) for r in made.remarks if r.kind == "archive"]


PACKED: dict[str, tuple[str, Callable[..., bytes]]] = {
    "jar": ("tool-1.0.0.jar", zipped),
    "nupkg": ("tool.1.0.0.nupkg", zipped),
    "a wheel of what is not Python": ("tool-1.0.0-py3-none-any.whl", zipped),
    "zip": ("tool-1.0.0.ZIP", zipped),
    "no suffix": ("tool-1.0.0", zipped),
    "tar": ("tool-1.0.0.bin", tar),
    "crate": ("tool-1.0.0.crate", lambda *m: gzip.compress(tar(*m))),
    "npm": ("tool-1.0.0.tgz", lambda *m: gzip.compress(tar(*m))),
    "capitals": ("tool-1.0.0.TAR.GZ", lambda *m: gzip.compress(tar(*m))),
    "xz": ("tool-1.0.0.pkg.xz", lambda *m: lzma.compress(tar(*m))),
    "bzip2": ("tool-1.0.0.tar.bz2", lambda *m: bz2.compress(tar(*m))),
    "tbz": ("tool-1.0.0.tbz", lambda *m: bz2.compress(tar(*m))),
}


@pytest.mark.parametrize("kind", PACKED)
def test_a_hidden_member_is_listed_whatever_the_archive_is_called(tmp_path: Path, kind: str) -> None:
    name, pack = PACKED[kind]
    made = judged(tmp_path, name, pack(*OURS, HIDDEN))
    assert (made.generated, made.members, unread(made)) == (("lib/evil.rb",), 4, [])
    plain = judged(tmp_path, name, pack(*OURS))
    assert (plain.generated, plain.members, plain.remarks) == ((), 3, ())
    below = judged(tmp_path, name, pack(*((f"tool-1.0.0/{n}", d) for n, d in (*OURS, HIDDEN))))
    assert (below.generated, below.members) == (("lib/evil.rb",), 4)


NAMES = ["tool-1.0.0", "tool-1.0.0.jar", "tool-1.0.0.crate", "a.ZIP", "a.bin", "a.tar.zst", "a.7z", "a.exe", "a.gem"]


@given(
    pack=st.sampled_from(list(PACKED.values())),
    hidden=st.dictionaries(
        st.from_regex(r"[a-z]{1,3}(/[a-z]{1,3})?", fullmatch=True), st.binary(max_size=9), max_size=3
    ),
    names=st.lists(st.sampled_from(NAMES), min_size=2, max_size=2),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_name_changes_nothing_of_what_is_said_of_members(
    tmp_path: Path, pack: tuple[str, Callable[..., bytes]], hidden: dict[str, bytes], names: list[str]
) -> None:
    data = pack[1](*OURS, *hidden.items())
    one, other = (judged(tmp_path, name, data) for name in names)
    assert (one.generated, one.members, one.remarks, one.tar) == (
        other.generated, other.members, other.remarks, other.tar,
    )  # fmt: skip


@pytest.mark.parametrize("what", sorted(KNOWN.keys() - {"zip", "tar", "tar.gz", "tar.xz", "tar.bz2"}))
def test_of_an_archive_that_is_not_read_it_is_said(tmp_path: Path, what: str) -> None:
    for data in KNOWN[what]:
        made = judged(tmp_path, "tool-1.0.0.bin", data)
        assert unread(made) == [("", what)]
        assert (made.generated, made.members, made.tar) == ((), 0, "")


def double(data: bytes) -> bytes:
    return data + data


LOOSE = [
    ("a program with a zip behind it", ELF + ZIP, "zip", "that belong to no member"),
    ("a zipapp", b"#!/usr/bin/env python3\n" + ZIP, "zip", "before"),
    ("a zip with bytes behind it", ZIP + b"x", "zip", "behind the end"),
    ("names that differ by case", zipped(("LICENSE", b"x"), ("license/a", b"x")), "zip", "one place where case"),
    ("two gzip members", double(gzip.compress(TAR)), "tar.gz", "after its gzip end"),
    ("two bzip2 streams", double(bz2.compress(TAR)), "tar.bz2", "after its bzip2 end"),
    ("a tar behind a tar", double(TAR), "tar", "after its end"),
    ("a tar without an end", TAR[:1024], "tar", "cut off"),
    ("a path out of it", tar(("../a", b"x")), "tar", "leads outside"),
    ("too much", gzip.compress(tar(("a", bytes(1 << 20)))), "tar.gz", "unpacks to more than"),
]


@pytest.mark.parametrize(("what", "data", "form", "why"), LOOSE, ids=[row[0] for row in LOOSE])
def test_what_readers_may_read_in_two_ways_is_said_or_refused(
    tmp_path: Path, what: str, data: bytes, form: str, why: str
) -> None:
    limits = Limits(unpacked=1 << 16) if what == "too much" else Limits()
    made = judged(tmp_path, "tool-1.0.0.bin", data, limits)
    ((member, said),) = unread(made)
    assert (member, said.startswith(f"a {form} archive ("), why in said, said.isprintable()) == ("", True, True, True)
    assert (made.generated, made.members, made.tar) == ((), 0, "")
    if form != "tar.bz2":  # such names are read strictly, or refused
        with pytest.raises(ProjectError) as caught:
            judged(tmp_path, f"tool-1.0.0.{form}", data, limits)
        assert caught.value.code.startswith("archive-")


@pytest.mark.parametrize("name", ["tool.zip", "tool.whl", "tool.tar", "tool.tar.gz", "tool.tgz", "tool.txz"])
def test_a_name_of_an_archive_is_kept(tmp_path: Path, name: str) -> None:
    for data in (b"no archive", CPIO, ELF):
        with pytest.raises(ProjectError) as caught:
            judged(tmp_path, name, data)
        assert caught.value.code == "archive-damaged"


PLAIN = [ELF, gzip.compress(b"a text\n"), bz2.compress(NOISE), b"#!/bin/sh\nexit 0\n", b"", TAR[:500]]


@pytest.mark.parametrize("data", PLAIN, ids=range(len(PLAIN)))
def test_of_a_file_nothing_is_said(tmp_path: Path, data: bytes) -> None:
    made = judged(tmp_path, "tool-1.0.0-linux-amd64", data)
    assert (made.generated, made.remarks, made.members, made.tar) == ((), (), 0, "")


@pytest.mark.parametrize("size", [0, 2 << 20])
def test_an_archive_in_an_archive_is_the_tags_or_remarked_on(tmp_path: Path, size: int) -> None:
    big = io.BytesIO()
    with zipfile.ZipFile(big, "w") as packed:
        packed.writestr("noise", NOISE[:size])
    inner = (
        ("lib/inner.jar", big.getvalue()),
        ("lib/self-extracting", b"#!" + NOISE[:size] + ZIP),
        ("notes.gz", b"no gzip"),
    )
    for name, pack in (("tool.zip", zipped), ("tool.tar", tar)):
        made = judged(tmp_path, name, pack(*OURS, *inner))
        assert sorted(unread(made)) == [("lib/inner.jar", "a zip archive"), ("lib/self-extracting", "a zip archive")]
        assert sorted(made.generated) == ["lib/inner.jar", "lib/self-extracting", "notes.gz"]


def gem(data: bytes, *more: tuple[str, bytes]) -> bytes:
    return tar(("metadata.gz", gzip.compress(b"name: tool\n")), ("data.tar.gz", data), *more)


def test_the_files_of_a_gem_are_compared(tmp_path: Path) -> None:
    wrapping, sums = ("data.tar.gz", "metadata.gz"), ("checksums.yaml.gz", gzip.compress(b"--- {}\n"))
    good = judged(tmp_path, "tool-1.0.0.gem", gem(gzip.compress(tar(*OURS)), sums))
    assert (good.generated, good.members, good.remarks) == (("checksums.yaml.gz", *wrapping), 6, ())
    key = ("lib/id_rsa", b"x")
    bad = judged(tmp_path, "tool-1.0.0.gem", gem(gzip.compress(tar(*OURS, HIDDEN, key, ("x.jar", ZIP + b"\0")))))
    within = ("lib/evil.rb", "lib/id_rsa", "x.jar")
    assert bad.generated == (*wrapping, *(f"data.tar.gz/{name}" for name in within))
    assert (bad.members, unread(bad)) == (8, [("data.tar.gz/x.jar", "a zip archive")])
    assert [r.member for r in bad.remarks if r.kind == "secret"] == ["data.tar.gz/lib/id_rsa"]
    assert bad.tar == hashlib.sha256((tmp_path / "tool-1.0.0.gem").read_bytes()).hexdigest()


UNREAD = {"two streams": double(gzip.compress(tar(*OURS))), "a path out of it": gzip.compress(tar(("../a", b"x")))}


@pytest.mark.parametrize("data", UNREAD.values(), ids=UNREAD)
def test_of_a_gem_whose_files_cannot_be_read_it_is_said(tmp_path: Path, data: bytes) -> None:
    made = judged(tmp_path, "tool-1.0.0.gem", gem(data))
    assert (made.generated, made.members) == (("data.tar.gz", "metadata.gz"), 2)
    assert unread(made) == [("data.tar.gz", "a tar.gz archive")]
