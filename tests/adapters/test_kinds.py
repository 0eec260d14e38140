"""What is not Python: the tag's tree as archives, and files that the project's own commands make, apart and twice."""

import base64
import gzip
import hashlib
import io
import json
import lzma
import os
import shutil
import subprocess
import tarfile
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tagtrail.adapters.builder.commands import Commands
from tagtrail.adapters.builder.tree import Tree
from tagtrail.adapters.git import GitSource
from tagtrail.formats.archive import Limits
from tagtrail.formats.tarball import read_tarball
from tagtrail.io import sandbox
from tagtrail.model.errors import Error, ProjectError, SetupError
from tagtrail.model.facts import Artifact
from tagtrail.ports import Builder, BuildOrder, Objects
from tagtrail.testing.memory import Kept
from tagtrail.testing.suites import builder as suite
from tests.adapters.projects import TIME, Repo, repository
from tests.workflows.intake import wheel

pytestmark = pytest.mark.client

NEW, INFO = "tool-1.0.0-cp39-abi3-linux_x86_64.whl", "tool-1.0.0.dist-info"
META = "Metadata-Version: 2.1\nName: tool\nVersion: 1.0.0\nRequires-Python: >=3.11\n"
MODULE = {
    "metadata.json": '{"name": "example-nova", "version": "1.0.0"}',
    "manifests/init.pp": "class nova {}\n",
    "files/run": "#!/bin/sh\n",
}


class Yard:
    """Where things are built, and what they are built from."""

    def __init__(self, root: Path, isolation: str = "bubblewrap") -> None:
        self.root, self.isolation, self.kept = root, isolation, Kept()
        self.trees = Tree(root / "scratch")
        self.commands = self.make()

    def make(self, limit: float = 120.0, limits: Limits | None = None, most: sandbox.Limits | None = None) -> Commands:
        return Commands(self.root / "state", self.root / "scratch", limit, limits, most, {})

    def order(self, repo: Repo, tag: str = "1.0.0", **fields: object) -> tuple[BuildOrder, Objects]:
        source = GitSource(self.root / "mirrors")
        found = source.read(str(repo.path), tag)
        objects = source.objects(str(repo.path), tag, found.commit)
        order = BuildOrder(
            project="tool", version="1.0.0", tag=tag, commit=found.commit, epoch=found.time, builds=(),
            refs=objects.refs, isolation=self.isolation,
        )  # fmt: skip
        return replace(order, **fields), objects  # type: ignore[arg-type]  # named by each test

    def build(self, builder: Builder, repo: Repo, **fields: object) -> dict[str, Artifact]:
        made = builder.build(*self.order(repo, **fields), self.kept)  # type: ignore[arg-type]
        assert [path.name for path in (self.root / "scratch").iterdir()] == []
        return {artifact.name: artifact for artifact in made}

    def run(self, repo: Repo, script: str, files: tuple[str, ...], prepare: str = "") -> dict[str, Artifact]:
        """What a shell script makes."""
        first = (("sh", "-ec", prepare),) if prepare else ()
        return self.build(self.commands, repo, prepare=first, run=(("sh", "-ec", script),), files=files)

    def data(self, artifact: Artifact) -> bytes:
        return self.kept.read(artifact.blob.sha256)


def project(path: Path, files: dict[str, str], form: str = "sha1") -> Repo:
    repo = repository(path, form)
    for name, text in files.items():
        (repo.path / name).parent.mkdir(parents=True, exist_ok=True)
        (repo.path / name).write_text(text)
        (repo.path / name).chmod(0o755 if text.startswith("#!") else 0o644)
    repo.commit({})
    repo.tag("1.0.0")
    return repo


def refused(kind: type[Error], call: Callable[..., object], *args: object) -> Error:
    with pytest.raises(kind) as caught:
        call(*args)
    assert caught.value.what.isprintable()
    assert caught.value.why.replace("\n", "").isprintable()
    return caught.value


@pytest.fixture
def yard(tmp_path: Path) -> Yard:
    return Yard(tmp_path / "yard")


@pytest.fixture(params=sandbox.KINDS)
def anywhere(tmp_path: Path, request: pytest.FixtureRequest) -> Yard:
    return Yard(tmp_path / "yard", request.param)


# The tag's tree: a puppet module


@pytest.mark.parametrize("form", ["sha1", "sha256"])
def test_a_puppet_module_is_the_tree_that_the_entry_names(yard: Yard, tmp_path: Path, form: str) -> None:
    repo = project(tmp_path / "module", MODULE, form)
    made = yard.build(yard.trees, repo, builds=("tar.gz", "tar.xz"))
    assert list(made) == ["tool-1.0.0.tar.gz", "tool-1.0.0.tar.xz"]
    gz, xz = made.values()
    tar = gzip.decompress(yard.data(gz))
    assert lzma.decompress(yard.data(xz)) == tar
    assert yard.data(xz) == lzma.compress(tar, preset=6)
    assert gz.tar == xz.tar == hashlib.sha256(tar).hexdigest() == yard.trees.tree(*yard.order(repo))
    with tarfile.open(fileobj=io.BytesIO(tar)) as packed:
        infos = {i.name: i for i in packed.getmembers()}
    assert set(infos) == {
        "tool-1.0.0", "tool-1.0.0/files", "tool-1.0.0/files/run", "tool-1.0.0/manifests",
        "tool-1.0.0/manifests/init.pp", "tool-1.0.0/metadata.json",
    }  # fmt: skip
    assert infos["tool-1.0.0/files/run"].mode == 0o755
    assert {(i.mtime, i.uid, i.gid, i.uname, i.gname) for i in infos.values()} == {(TIME, 0, 0, "", "")}
    assert (gz.generated, gz.members, gz.metadata, gz.origin.how) == ((), 3, None, "built")
    assert (gz.blob.media, xz.blob.media) == ("application/gzip", "application/x-xz")


def test_secrets_and_litter_of_the_tree_are_noticed(yard: Yard, tmp_path: Path) -> None:
    key = "-----BEGIN PRIVATE KEY-----\n" + "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC" * 2 + "\n"
    repo = project(tmp_path / "module", MODULE | {"deploy/key.pem": key, "manifests/init.pp.orig": "x", ".pypirc": "y"})
    noticed = {
        "secret": [(".pypirc", "credentials, by its name"), ("deploy/key.pem", "a private key")],
        "litter": [("manifests/init.pp.orig", "an editor's or a merge's copy")],
    }
    for artifact in yard.build(yard.trees, repo, builds=("tar.gz", "tar.xz")).values():
        for kind, wanted in noticed.items():
            assert sorted((r.member, r.what) for r in artifact.remarks if r.kind == kind) == wanted
    below = yard.build(yard.trees, repo, builds=("tar.gz",), subdirectory="deploy")
    assert [r.member for r in below["tool-1.0.0.tar.gz"].remarks] == ["key.pem"]


@pytest.mark.parametrize(
    ("links", "files", "code"),
    [
        ({"out": "/etc/passwd"}, (), "archive-outside"),
        ({"below/out": "../../x"}, (), "archive-outside"),
        ({"out": "../tool-1.0.0/metadata.json"}, (), "archive-outside"),
        ({}, ("a", "A"), "archive-case"),
        ({}, ("caf\u00e9", "cafe\u0301"), "archive-case"),
        ({}, ("a\nb",), "archive-name"),
        ({}, ("a\\..\\b",), "archive-outside"),
        ({"in": "metadata.json", "below/in": "../files/run", "nowhere": "none"}, ("a b",), ""),
    ],
)
def test_an_archive_of_the_tree_is_one_that_we_would_take(
    yard: Yard, tmp_path: Path, links: dict[str, str], files: tuple[str, ...], code: str
) -> None:
    repo = project(tmp_path / "module", MODULE | dict.fromkeys(files, "text"))
    for name, target in links.items():
        (repo.path / name).parent.mkdir(exist_ok=True)
        (repo.path / name).symlink_to(target)
    repo.commit({})
    repo.tag("1.1.0")
    build = partial(yard.build, tag="1.1.0", builds=("tar.gz",))
    if code:
        assert refused(ProjectError, build, yard.trees, repo).code == code
        assert len(yard.trees.tree(*yard.order(repo, "1.1.0"))) == 64, "for an entry, the tree is what it is"
    else:
        (made,) = build(yard.trees, repo).values()
        spool = io.BytesIO()
        assert read_tarball(io.BytesIO(yard.data(made)), spool, form="tar.gz").members


def test_the_same_tree_in_another_place(yard: Yard, tmp_path: Path) -> None:
    repo = project(tmp_path / "module", MODULE)
    before = os.umask(0o077)
    try:
        other = Yard(tmp_path / "other" / "much" / "deeper")
        theirs = other.build(other.trees, repo, builds=("tar.xz", "tar.gz"))
    finally:
        os.umask(before)
    assert dict(theirs) == yard.build(yard.trees, repo, builds=("tar.xz", "tar.gz"))


def test_a_subdirectory_of_a_repository_of_many(yard: Yard, tmp_path: Path) -> None:
    repo = project(tmp_path / "mono", {"a/x": "1", "a/below/y": "2", "a-b/z": "3", "ab": "4", "a.txt": "5"})
    (made,) = yard.build(yard.trees, repo, builds=("tar.gz",), subdirectory="a").values()
    with tarfile.open(fileobj=io.BytesIO(yard.data(made))) as packed:
        assert packed.getnames() == ["tool-1.0.0", "tool-1.0.0/below", "tool-1.0.0/below/y", "tool-1.0.0/x"]
    assert made.members == 2
    for wrong in ("a\n", "b", "..", "a/x", "/a", "a/", "a/../a"):
        for builder in (yard.trees, yard.commands):
            order = yard.order(repo, builds=("tar.gz",), subdirectory=wrong, run=(("true",),), files=("x",))
            assert refused(SetupError, builder.build, *order, yard.kept).code == "subdirectory"


@pytest.mark.parametrize("check", suite.CHECKS)
def test_suite(check: Callable[[suite.Case], None], yard: Yard, tmp_path: Path) -> None:
    order, objects = yard.order(project(tmp_path / "module", MODULE), builds=("tar.gz", "tar.xz"))
    check(suite.Case(builder=yard.trees, kept=yard.kept, order=order, objects=objects))


# The project's own commands


def test_what_commands_see(anywhere: Yard, tmp_path: Path) -> None:
    repo = project(tmp_path / "tool", {"below/file": "a\n"})
    script = (
        "git describe --dirty --tags > seen; cat file >> seen; git status --porcelain >> seen; echo {version} {tag} "
        "{commit} {epoch} {project} ${HOME##*/} >> seen; env | cut -d= -f1 | sort | tr '\\n' ' ' >> seen; cat >> seen"
    )
    fields = {"run": (("sh", "-ec", script),), "files": ("se?n",), "subdirectory": "below"}
    (made,) = anywhere.build(anywhere.commands, repo, **fields).values()
    commit = repo.git("rev-parse", "HEAD")
    lines = anywhere.data(made).decode().splitlines()
    assert lines[:2] == ["1.0.0", "a"]
    assert lines[-2] == f"1.0.0 1.0.0 {commit} {TIME} tool home"
    assert set(lines[-1].split()) - {"OLDPWD", "_", "LC_CTYPE"} == {
        "GIT_CEILING_DIRECTORIES", "GIT_CONFIG_NOSYSTEM", "GIT_TERMINAL_PROMPT", "HOME", "LC_ALL", "PATH", "PWD",
        "PYTHONHASHSEED", "SOURCE_DATE_EPOCH", "TMPDIR", "TZ",
    }  # fmt: skip
    assert made.materials[0].uri.startswith("pkg:generic/")


def test_what_is_prepared_is_there_when_it_runs(anywhere: Yard, tmp_path: Path) -> None:
    repo = project(tmp_path / "tool", {"file": "a\n"})
    prepare = (
        "echo b > cache; mkdir -p $HOME/.cache/ro; echo c > $HOME/.cache/ro/x; chmod 555 $HOME/.cache/ro; pwd > at"
    )
    script = "cat file cache $HOME/.cache/ro/x > out-1.0.0; test $(cat at) = $PWD"
    (made,) = anywhere.run(repo, script, ("out-{version}",), prepare).values()
    assert anywhere.data(made) == b"a\nb\nc\n"


def test_only_what_prepares_has_the_network(tmp_path: Path) -> None:
    repo = project(tmp_path / "tool", {"file": "a\n"})
    look = "wc -l < /proc/net/dev > {}; true"
    for kind in ("bubblewrap", "namespaces"):
        yard = Yard(tmp_path / kind, kind)
        made = yard.run(repo, look.format("run"), ("prepare", "run"), look.format("prepare"))
        lines = {name: int(yard.data(artifact)) for name, artifact in made.items()}
        here = len(Path("/proc/net/dev").read_text().splitlines())
        assert (lines["prepare"], lines["run"]) == (here, 3), "two lines of heading, and the loopback"


def test_each_file_once_sorted_by_path(yard: Yard, tmp_path: Path) -> None:
    repo = project(tmp_path / "tool", {"file": "a\n"})
    made = yard.run(repo, "mkdir -p z a; echo 1 > z/one; echo 2 > a/two", ("z/*", "*/one", "a/*"))
    assert list(made) == ["two", "one"]


def test_a_log_is_kept(yard: Yard, tmp_path: Path) -> None:
    yard.run(project(tmp_path / "tool", {"file": "a\n"}), "echo loud; echo 1 > x", ("x",), "echo first")
    log = (yard.root / "state" / "logs" / "tool-1.0.0.log").read_text()
    assert [line for line in log.splitlines() if not line.startswith("$ ")] == ["first", "loud"]
    assert "$ sh -ec 'echo first'" in log


@pytest.mark.parametrize("step", ["prepare", "run"])
def test_nobody_writes_any_more_what_is_carried_on_or_taken(anywhere: Yard, tmp_path: Path, step: str) -> None:
    """A daemon that a step left behind would go on with the file between one copy and the next."""
    left = "setsid --fork timeout 20 sh -c 'while :; do echo a >> x; done'; while [ ! -s x ]; do :; done"
    copy, link = (f"for i in $(seq 200); do {how} x y$i; done" for how in ("cp", "ln"))
    prepare, run = {"prepare": (left, copy), "run": ("", f"{left}; {link}")}[step]
    made = anywhere.run(project(tmp_path / "tool", {"file": "a\n"}), run, ("y*",), prepare)
    assert (len(made), len({artifact.blob for artifact in made.values()})) == (200, 1)


EMPTY_ZIP = "{ printf 'PK\\005\\006'; head -c 18 /dev/zero; } > x.zip"
FAILS = [
    ("false", ("x",), ProjectError, "build-failed", "ended with 1"),
    ("kill -9 $$", ("x",), ProjectError, "build-failed", "was ended by SIGKILL"),
    ("kill -9 -1", ("x",), ProjectError, "build-failed", "was ended by SIGKILL"),
    ("sleep 60", ("x",), ProjectError, "build-failed", "did not end within 5 s"),
    ("true", ("x",), ProjectError, "files-missing", "made no file x"),
    ("echo 1 > x", ("x", "y-{version}"), ProjectError, "files-missing", "made no file y-1.0.0"),
    ("ln -s /etc/passwd x", ("x",), ProjectError, "output-invalid", "'x'"),
    ("ln -s . d; echo 1 > x", ("d/x",), None, "", ""),
    ("touch x", ("x",), ProjectError, "output-invalid", "'x'"),
    ("mkdir x", ("x",), ProjectError, "output-invalid", "'x'"),
    ("mkfifo x", ("x",), ProjectError, "output-invalid", "'x'"),
    ("touch \"$(printf 'a\\nb')\"", ("a*",), ProjectError, "output-invalid", "'a\\nb'"),
    ("for i in $(seq 1001); do touch x$i; done", ("x*",), ProjectError, "files-many", "1001 files fit x*"),
    ("head -c 2000000 /dev/zero > x", ("x",), ProjectError, "output-invalid", "'x'"),
    ("head -c 2000000 /dev/zero > y; tar -czf x.tgz y", ("x.tgz",), ProjectError, "archive-size", "unpacks to more"),
    ("head -c 2000000 /dev/zero > y; tar -cJf x.tar.xz y", ("x.tar.xz",), ProjectError, "archive-size", "unpacks to"),
    ("ln -s ../../etc y; tar -czf x.tar.gz y", ("x.tar.gz",), ProjectError, "archive-outside", "'y'"),
    ("touch y; tar -czPf x.tgz --transform s,y,/etc/y, y", ("x.tgz",), ProjectError, "archive-outside", "'/etc/y'"),
    ("mkfifo y; tar -cf x.tar y", ("x.tar",), ProjectError, "archive-type", "'y'"),
    ("touch y; chmod 4755 y; tar -czf x.tgz y", ("x.tgz",), ProjectError, "archive-setuid", "'y'"),
    ("touch y Y; tar -czf x.tgz y Y", ("x.tgz",), ProjectError, "archive-case", "one place where case is not kept"),
    ("echo no > x.zip", ("x.zip",), ProjectError, "archive-damaged", "no zip file"),
    (EMPTY_ZIP, ("x.zip",), None, "", ""),
    (f"{EMPTY_ZIP}; echo >> x.zip", ("x.zip",), ProjectError, "archive-trailing", "behind the end"),
    ("echo this is no archive > x.tar.xz", ("x.tar.xz",), ProjectError, "archive-damaged", "no xz file"),
    ("touch y; tar -cJf x.txz y; echo >> x.txz", ("x.txz",), ProjectError, "archive-trailing", "after its xz end"),
    ("touch y; tar -cJf y.txz y; head -c 60 y.txz > x.txz", ("x.txz",), ProjectError, "archive-damaged", "cut off"),
]


@pytest.mark.parametrize(("script", "files", "kind", "code", "words"), FAILS, ids=[row[0][:40] for row in FAILS])
def test_what_goes_wrong(
    yard: Yard, tmp_path: Path, script: str, files: tuple[str, ...], kind: type[Error] | None, code: str, words: str
) -> None:
    repo = project(tmp_path / "tool", {"file": "a\n"})
    yard.commands = yard.make(limit=5.0, limits=Limits(unpacked=1_000_000))
    if kind is None:
        assert yard.run(repo, script, files)
        return
    error = refused(kind, yard.run, repo, script, files)
    assert (error.code, words in error.what) == (code, True), error.what
    assert list((yard.root / "scratch").iterdir()) == []


def test_a_command_that_is_not_there(yard: Yard, tmp_path: Path) -> None:
    order = yard.order(project(tmp_path / "tool", {"file": "a\n"}), run=(("no-such-tool", "x"),), files=("x",))
    error = refused(SetupError, yard.commands.build, *order, yard.kept)
    assert (error.code, "'no-such-tool'" in error.what) == ("command-missing", True)


def test_a_full_disk_is_the_operators_matter(yard: Yard, tmp_path: Path) -> None:
    yard.commands = yard.make(most=sandbox.Limits(disk=4 << 20))
    repo = project(tmp_path / "tool", {"file": "a\n"})
    script = "for i in 1 2 3 4 5; do head -c 1000000 /dev/zero > x$i; done"
    assert refused(SetupError, yard.run, repo, script, ("x1",)).code == "disk-full"


def test_too_little_memory_is_the_operators_matter(yard: Yard, tmp_path: Path) -> None:
    yard.commands = yard.make(most=sandbox.Limits(memory=200 << 20))
    repo = project(tmp_path / "tool", {"file": "a\n"})
    hold = "kept = b'x' * (90 << 20); time.sleep(20)"
    script = f'for i in 1 2 3; do python3 -c "import time; {hold}" & done; wait; echo 1 > x1'
    error = refused(SetupError, yard.run, repo, script, ("x1",))
    assert (error.code, "200 MiB" in error.what, "`memory` in [build]" in error.hint) == ("memory-full", True, True)


def test_files_with_holes_and_second_names_are_not_more_than_a_cell_has(yard: Yard, tmp_path: Path) -> None:
    """A thousand names of one file that is a hole fill no disk of ours."""
    yard.commands = yard.make(most=sandbox.Limits(disk=4 << 20))
    repo = project(tmp_path / "tool", {"file": "a\n"})
    script = "truncate --size 3M x1; for i in 2 3 4; do ln x1 x$i; done"
    assert yard.run(repo, script, ("x1",))
    assert refused(ProjectError, yard.run, repo, script, ("x*",)).code == "output-invalid"


def test_what_prepares_fails_too(yard: Yard, tmp_path: Path) -> None:
    repo = project(tmp_path / "tool", {"file": "a\n"})
    error = refused(ProjectError, yard.run, repo, "true", ("file",), "echo no such thing >&2; exit 3")
    assert (error.code, "ended with 3" in error.what, "no such thing" in error.why) == ("build-failed", True, True)


@pytest.mark.parametrize(
    "pack", ["tar -czf out.tar.gz tool-x", "tar -cJf out.tar.xz tool-x", "tar -C tool-x -cf out.tar ."]
)
def test_an_archive_is_compared_with_the_tag_and_left_as_it_is(yard: Yard, tmp_path: Path, pack: str) -> None:
    repo = project(tmp_path / "tool", {"file": "a\n", "below/other": "b\n"})
    script = f"mkdir tool-x; cp -r file below tool-x; ln -s ../file tool-x/below/link; echo new > tool-x/new; {pack}"
    (made,) = yard.run(repo, script, ("out.*",)).values()
    assert (made.generated, made.members, made.as_built) == (("below/link", "new"), 4, False)
    data = yard.data(made)
    plain = {"z": gzip.decompress, "J": lzma.decompress}.get(pack[6], bytes)(data)
    assert made.tar == hashlib.sha256(plain).hexdigest()


LIKE_BROUGHT = [
    ("a name of another project", "nowa-1.0.0-py3-none-any.whl", {}, "name-mismatch"),
    ("a name of another version", "tool-9-py3-none-any.whl", {}, "version-mismatch"),
    ("no name of a wheel", "tool-1.0.0.whl", {"tags": ("py3-none-any",)}, "output-invalid"),
    ("metadata of another", NEW, {"metadata": META.replace("tool", "evil")}, "name-mismatch"),
    ("metadata of another version", NEW, {"metadata": META.replace("1.0.0", "9")}, "version-mismatch"),
    ("metadata that nobody can read", NEW, {"metadata": "Name: tool\n"}, "metadata-invalid"),
    ("tags of another interpreter", NEW, {"tags": ("cp27-cp27m-linux_x86_64",)}, "wheel-tags"),
    ("another build number", NEW, {"build": "1"}, "wheel-tags"),
    ("a form of the future", NEW, {"version": "1.zzz"}, "wheel-version"),
    ("no member in RECORD", NEW, {"record": ""}, "wheel-record"),
    ("other bytes than RECORD says", NEW, {"changed": {"nova/_fast.so": b"evil"}}, "wheel-record"),
    ("bytes of no member", NEW, {}, "archive-trailing"),
]


def carried(data: bytes, name: str) -> str:
    """A script that makes the file."""
    return f"base64 -d > {name} <<END\n{base64.encodebytes(data).decode()}END\n"


@pytest.mark.parametrize(("what", "name", "changes", "code"), LIKE_BROUGHT, ids=[row[0] for row in LIKE_BROUGHT])
def test_a_wheel_by_commands_is_what_its_name_says(
    yard: Yard, tmp_path: Path, what: str, name: str, changes: dict[str, Any], code: str
) -> None:
    repo = project(tmp_path / "tool", {"file": "a\n"})
    data = wheel(name, **{"info": INFO, "metadata": META} | changes) + (b"x" if code == "archive-trailing" else b"")
    run = (("sh", "-ec", carried(data, name)),)
    error = refused(
        ProjectError, partial(yard.build, builds=("sdist",), run=run, files=("*.whl",)), yard.commands, repo
    )
    assert error.code == code, (what, error.what)


def test_a_wheel_by_commands_is_described_as_others_are(yard: Yard, tmp_path: Path) -> None:
    repo = project(tmp_path / "tool", {"file": "a\n"})
    data = wheel(NEW, info=INFO, metadata=META, more={"file": b"a\n"})
    run = (("sh", "-ec", carried(data, NEW)),)
    (made,) = yard.build(yard.commands, repo, builds=("sdist",), run=run, files=("*.whl",)).values()
    assert made.metadata
    assert (yard.kept.read(made.metadata.sha256).decode(), made.requires_python) == (META, ">=3.11")
    assert (yard.data(made), made.as_built, made.members) == (data, False, 5)
    assert made.generated == ("nova/_fast.so", *(f"{INFO}/{n}" for n in ("METADATA", "RECORD", "WHEEL")))
    (other,) = yard.build(yard.commands, repo, builds=(), run=run, files=("*.whl",)).values()
    assert (other.metadata, other.members) == (None, 5), "where nothing is Python, an archive as any"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (META, ""),
        (META.replace("tool", "evil"), "name-mismatch"),
        (META.replace("1.0.0", "9"), "version-mismatch"),
        ("Name: tool\n", "metadata-invalid"),
    ],
)
def test_an_sdist_by_commands_is_what_its_name_says(yard: Yard, tmp_path: Path, text: str, code: str) -> None:
    repo = project(tmp_path / "tool", {"PKG-INFO": text, "file": "a\n"})
    pack = "mkdir tool-1.0.0; cp PKG-INFO file tool-1.0.0; tar -czf tool-1.0.0.tar.gz tool-1.0.0"
    make = partial(yard.build, run=(("sh", "-ec", pack),), files=("*.tar.gz",))
    if code:
        assert refused(ProjectError, partial(make, builds=("wheel",)), yard.commands, repo).code == code
    else:
        (made,) = make(yard.commands, repo, builds=("wheel",)).values()
        assert (made.requires_python, made.generated, made.members) == (">=3.11", (), 2)
        assert made.tar == hashlib.sha256(gzip.decompress(yard.data(made))).hexdigest()
    (plain,) = make(yard.commands, repo, builds=()).values()
    assert (plain.metadata, plain.members) == (None, 2)


# Real projects

GO = {
    "go.mod": "module example.org/tool\n\ngo 1.19\n",
    "main.go": 'package main\n\nimport "fmt"\n\nvar version = "none"\n\nfunc main() { fmt.Println("tool", version) }\n',
}
GO_RUN = (
    "env", "CGO_ENABLED=0", "GOFLAGS=-mod=mod", "GOPROXY=off", "go", "build", "-trimpath", "-buildvcs=false",
    "-ldflags=-X main.version={version} -buildid=", "-o", "dist/tool-{version}-linux", ".",
)  # fmt: skip


@pytest.mark.skipif(not shutil.which("go"), reason="no go")
def test_a_go_tool_twice(tmp_path: Path) -> None:
    repo = project(tmp_path / "tool", GO)
    fields = {"prepare": (("go", "mod", "download"),), "run": (GO_RUN,), "files": ("dist/tool-{version}-*",)}
    one, two = (Yard(tmp_path / kind, kind) for kind in ("bubblewrap", "namespaces"))
    (made,) = one.build(one.commands, repo, **fields).values()
    assert two.build(two.commands, repo, **fields) == {"tool-1.0.0-linux": made}
    program = tmp_path / "program"
    program.write_bytes(one.data(made))
    program.chmod(0o755)
    assert subprocess.run([program], capture_output=True, check=True).stdout == b"tool 1.0.0\n"


@pytest.mark.skipif(not shutil.which("npm"), reason="no npm")
def test_an_npm_package_twice(tmp_path: Path) -> None:
    package = {"name": "tool", "version": "1.0.0", "main": "index.js", "files": ["index.js"], "license": "MIT"}
    files = {"package.json": json.dumps(package), "index.js": "module.exports = 1\n", "secret.txt": "not packed\n"}
    repo = project(tmp_path / "tool", files)
    fields = {"run": (("npm", "pack", "--pack-destination", "."),), "files": ("tool-{version}.tgz",)}
    one, two = (Yard(tmp_path / kind, kind) for kind in ("bubblewrap", "namespaces"))
    (made,) = one.build(one.commands, repo, **fields).values()
    assert two.build(two.commands, repo, **fields) == {"tool-1.0.0.tgz": made}
    assert (made.generated, made.members, made.blob.media) == ((), 2, "application/gzip")
    with tarfile.open(fileobj=io.BytesIO(one.data(made))) as packed:
        assert sorted(packed.getnames()) == ["package/index.js", "package/package.json"]
