import gzip
import hashlib
import io
import json
import lzma
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from uuid import uuid4

import pytest

from tagtrail.adapters.builder.environments import Environment, Environments
from tagtrail.adapters.builder.pep517 import Pep517
from tagtrail.adapters.git import GitSource
from tagtrail.formats.archive import Limits
from tagtrail.io import process, sandbox
from tagtrail.io.scratch import sweep
from tagtrail.model.errors import Error, ProjectError, RemoteError, SetupError
from tagtrail.model.facts import Artifact
from tagtrail.ports import BuildOrder, Objects
from tagtrail.testing.memory import Kept
from tagtrail.testing.suites import builder as suite
from tests.adapters.projects import BACKEND, PYPROJECT, TIME, Repo, repository, tiny

pytestmark = pytest.mark.client
HOOKS = Path(process.__file__).with_name("hooks.py")


class Workshop:
    """A builder with what it needs, and what it is told to build."""

    def __init__(self, root: Path, environments: Path, isolation: str = "bubblewrap") -> None:
        self.isolation = isolation
        self.root = root
        self.kept = Kept()
        self.environments = Environments(
            environments, root / "scratch", {"PATH": os.environ["PATH"], "HOME": str(root)}, clock=lambda: TIME
        )
        self.builder = self.make()

    def make(self, limit: float = 60.0, limits: Limits | None = None, disk: int = 1 << 28) -> Pep517:
        most = sandbox.Limits(disk=disk)
        return Pep517(self.root / "state", self.root / "scratch", self.environments, limit, limits, most)

    def order(self, repo: Repo, tag: str = "1.0", *builds: str) -> tuple[BuildOrder, Objects]:
        source = GitSource(self.root / "mirrors")
        found = source.read(str(repo.path), tag)
        objects = source.objects(str(repo.path), tag, found.commit)
        order = BuildOrder(
            project="tiny", version=tag, tag=tag, commit=found.commit, epoch=found.time,
            builds=builds or ("sdist", "wheel"), refs=objects.refs, isolation=self.isolation,
        )  # fmt: skip
        return order, objects

    def build(self, repo: Repo, *builds: str) -> dict[str, Artifact]:
        made = self.builder.build(*self.order(repo, "1.0", *builds), self.kept)
        return {artifact.name: artifact for artifact in made}

    def bytes_of(self, artifact: Artifact) -> bytes:
        return self.kept.read(artifact.blob.sha256)

    def left(self) -> list[str]:
        return [path.name for path in (self.root / "scratch").iterdir()]


@pytest.fixture(scope="module")
def environments(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("environments")


@pytest.fixture
def shop(tmp_path: Path, environments: Path) -> Workshop:
    return Workshop(tmp_path / "shop", environments)


@pytest.fixture(params=["bubblewrap", "namespaces", "none"])
def anywhere(tmp_path: Path, environments: Path, request: pytest.FixtureRequest) -> Workshop:
    """With each kind of isolation."""
    return Workshop(tmp_path / "shop", environments, request.param)


def refused(kind: type[Error], call: Callable[..., object], *args: object) -> Error:
    with pytest.raises(kind) as caught:
        call(*args)
    assert caught.value.what.isprintable()
    assert caught.value.why.replace("\n", "").isprintable()
    return caught.value


SDIST, XZ, WHEEL = "tiny-1.0.tar.gz", "tiny-1.0.tar.xz", "tiny-1.0-py3-none-any.whl"


# What is built


@pytest.mark.parametrize("form", ["sha1", "sha256"])
def test_sdist_and_wheel(anywhere: Workshop, tmp_path: Path, form: str) -> None:
    shop = anywhere
    made = shop.build(tiny(tmp_path / "tiny", form))
    assert list(made) == [SDIST, WHEEL]
    sdist, wheel = made.values()
    with tarfile.open(fileobj=io.BytesIO(shop.bytes_of(sdist))) as packed:
        infos = packed.getmembers()
    assert [i.name for i in infos] == [f"tiny-1.0/{n}" for n in ("PKG-INFO", "backend.py", "pyproject.toml", "tiny.py")]
    assert {(i.mtime, i.uid, i.gid, i.uname, i.gname, i.mode) for i in infos} == {(TIME, 0, 0, "", "", 0o644)}
    with zipfile.ZipFile(io.BytesIO(shop.bytes_of(wheel))) as unpacked:
        assert unpacked.read("tiny.py") == b"a = 1\n"
        assert shop.kept.read(wheel.metadata.sha256 if wheel.metadata else "") == unpacked.read(
            "tiny-1.0.dist-info/METADATA"
        )
    assert shop.left() == []


def test_a_wheel_in_normal_form_stays_as_it_is(shop: Workshop, tmp_path: Path) -> None:
    assert shop.build(tiny(tmp_path / "tiny", behaviour="tidy"))[WHEEL].as_built


def test_what_is_said_of_each_file(shop: Workshop, tmp_path: Path) -> None:
    sdist, wheel = shop.build(tiny(tmp_path / "tiny")).values()
    raw = shop.bytes_of(sdist)
    assert sdist.blob.size == len(raw)
    assert sdist.tar == hashlib.sha256(gzip.decompress(raw)).hexdigest()
    assert (sdist.generated, sdist.members, sdist.as_built) == (("PKG-INFO",), 4, False)
    info = "tiny-1.0.dist-info"
    assert wheel.generated == (f"{info}/METADATA", f"{info}/RECORD", f"{info}/WHEEL")
    assert (wheel.tar, wheel.members, wheel.as_built) == ("", 4, False)
    assert (sdist.requires_python, wheel.requires_python) == (">=3.11", ">=3.11")
    assert (sdist.blob.media, wheel.blob.media) == ("application/gzip", "application/zip")


@pytest.mark.parametrize("builds", [("sdist",), ("wheel",), ("wheel", "sdist"), ("wheel", "sdist.xz")])
def test_what_is_ordered_is_what_is_delivered(shop: Workshop, tmp_path: Path, builds: tuple[str, ...]) -> None:
    made = shop.build(tiny(tmp_path / "tiny"), *builds)
    assert list(made) == [{"sdist": SDIST, "sdist.xz": XZ, "wheel": WHEEL}[kind] for kind in builds]


@pytest.mark.parametrize("as_built", [False, True])
def test_an_sdist_as_xz_has_the_same_tar(shop: Workshop, tmp_path: Path, as_built: bool) -> None:
    repo = tiny(tmp_path / "tiny", **({"behaviour": "normal"} if as_built else {}))
    made = shop.build(repo, "sdist", "sdist.xz")
    gz, xz = made[SDIST], made[XZ]
    assert (gz.as_built, xz.as_built) == (as_built, as_built)
    inner = lzma.decompress(shop.bytes_of(xz))
    assert inner == gzip.decompress(shop.bytes_of(gz))
    assert shop.bytes_of(xz) == lzma.compress(inner, preset=6)
    assert gz.tar == xz.tar == hashlib.sha256(inner).hexdigest()
    assert (xz.generated, xz.members, xz.blob.media) == (gz.generated, gz.members, "application/x-xz")
    assert (xz.metadata, xz.requires_python) == (None, "")


def test_the_wheel_is_built_from_the_sdist_and_not_from_the_checkout(shop: Workshop, tmp_path: Path) -> None:
    script = BACKEND.replace('"tiny.py")', '"tiny.py", str(Path(".git").exists()))')
    repo = tiny(tmp_path / "tiny", **{"backend.py": script})
    wheel = shop.build(repo)[WHEEL]
    with zipfile.ZipFile(io.BytesIO(shop.bytes_of(wheel))) as packed:
        assert "False" in packed.namelist()


@pytest.mark.parametrize("check", suite.CHECKS)
def test_suite(check: Callable[[suite.Case], None], shop: Workshop, tmp_path: Path) -> None:
    order, objects = shop.order(tiny(tmp_path / "tiny"))
    failing = shop.order(tiny(tmp_path / "broken", behaviour="fail"))
    case = suite.Case(builder=shop.builder, kept=shop.kept, order=order, objects=objects, failing=failing)
    check(case)


def test_the_same_bytes_in_another_place_at_another_time(tmp_path: Path, environments: Path) -> None:
    repo = tiny(tmp_path / "tiny")
    one = Workshop(tmp_path / "one", environments).build(repo)
    before = os.umask(0o077)
    try:
        other = Workshop(tmp_path / "other" / "much" / "deeper", environments).build(repo)
    finally:
        os.umask(before)
    assert one == other


def test_files_are_the_blobs_whatever_attributes_and_settings_say(shop: Workshop, tmp_path: Path) -> None:
    attributes = (
        "*.txt text eol=crlf\n*.id ident\n*.up filter=up\n*.l1 working-tree-encoding=ISO-8859-1\n* export-ignore\n"
    )
    texts = {"a.txt": "a\nb\n", "a.id": "$Id$\n", "a.up": "up\n", "a.l1": "\u00fc\n", ".gitattributes": attributes}
    repo = tiny(tmp_path / "tiny", **texts)
    for key, value in (("core.autocrlf", "true"), ("filter.up.smudge", "tr a-z A-Z"), ("filter.up.required", "true")):
        repo.git("config", key, value)
    sdist = shop.build(repo)[SDIST]
    assert sdist.generated == ("PKG-INFO",)


def test_a_file_that_is_not_from_the_tag_is_named(shop: Workshop, tmp_path: Path) -> None:
    made = shop.build(tiny(tmp_path / "tiny", behaviour="slip"))
    assert made[SDIST].generated == ("PKG-INFO", "backdoor.py")


def test_a_file_under_the_name_of_another_is_named(shop: Workshop, tmp_path: Path) -> None:
    made = shop.build(tiny(tmp_path / "tiny", behaviour="swap", **{"tests/test_tiny.py": "evil = 1\n"}))
    assert made[SDIST].generated == ("PKG-INFO", "tiny.py")
    assert "tiny.py" in made[WHEEL].generated


def test_links_modes_and_names_survive(shop: Workshop, tmp_path: Path) -> None:
    repo = tiny(tmp_path / "tiny", run="#!/bin/sh\n", näme="x")
    (repo.path / "run").chmod(0o755)
    (repo.path / "link").symlink_to("tiny.py")
    repo.commit({})
    repo.git("tag", "--force", "--annotate", "--message", "x", "1.0")
    sdist = shop.build(repo)[SDIST]
    with tarfile.open(fileobj=io.BytesIO(shop.bytes_of(sdist))) as packed:
        assert packed.getmember("tiny-1.0/run").mode == 0o755
        assert packed.getmember("tiny-1.0/link").linkname == "tiny.py"
        assert "tiny-1.0/n\u00e4me" in packed.getnames()
    assert sdist.generated == ("PKG-INFO",)


def test_a_subdirectory(shop: Workshop, tmp_path: Path) -> None:
    repo = repository(tmp_path / "mono")
    repo.commit(
        {
            f"packages/tiny/{n}": t
            for n, t in {"pyproject.toml": PYPROJECT, "backend.py": BACKEND, "tiny.py": ""}.items()
        }
    )
    repo.tag("1.0")
    order, objects = shop.order(repo)
    made = shop.builder.build(replace(order, subdirectory="packages/tiny"), objects, shop.kept)
    assert [artifact.name for artifact in made] == [SDIST, WHEEL]
    for wrong in (
        "packages",
        "..",
        "/etc",
        "nowhere",
        "packages/tiny/tiny.py",
        "packages/../packages",
        "packages/",
        "packages\n",
    ):
        error = refused(Error, shop.builder.build, replace(order, subdirectory=wrong), objects, shop.kept)
        assert error.code == ("build-system-missing" if wrong == "packages" else "subdirectory")


def test_what_a_build_sees(anywhere: Workshop, tmp_path: Path) -> None:
    shop = anywhere
    repo = tiny(tmp_path / "tiny", behaviour="see")
    repo.git("tag", "--annotate", "--message", "later", "1.0-eol")
    repo.git("branch", "other")
    os.environ["TAGTRAIL_TEST_SECRET"] = "s3cret"
    try:
        made = shop.build(repo)
    finally:
        del os.environ["TAGTRAIL_TEST_SECRET"]
    with tarfile.open(fileobj=io.BytesIO(shop.bytes_of(made[SDIST]))) as packed:
        seen = json.loads((packed.extractfile("tiny-1.0/seen.json") or io.BytesIO()).read())
    assert seen["refs"].split() == ["refs/tags/1.0"]
    assert seen["status"] == ""
    assert seen["describe"] == "1.0"
    assert seen["umask"] == "0o22"
    assert seen["stdin"] == ""
    environ = seen["environ"]
    room = seen["home"].rpartition("/")[0]
    assert room.startswith(str(shop.root / "scratch") if shop.isolation == "none" else "/build")
    assert environ.pop("PATH").endswith("/bin:/usr/bin:/bin")
    for name in ("HOME", "TMPDIR", "GIT_CEILING_DIRECTORIES"):
        assert environ.pop(name).startswith(room)
    environ.pop("VIRTUAL_ENV")
    environ.pop("LC_CTYPE", None)
    mapped = [environ.pop(name, "") for name in ("CPPFLAGS", "FFLAGS", "CMAKE_ARGS")]
    assert {f"-ffile-prefix-map={room}=/build" in flags for flags in mapped} == {shop.isolation == "none"}
    versions = [name for name in environ if environ[name] == "1.0"]
    assert versions == sorted(versions)
    assert {"PBR_VERSION", "SETUPTOOLS_SCM_PRETEND_VERSION_FOR_TINY", "PDM_BUILD_SCM_VERSION"} <= set(versions)
    assert {name: value for name, value in environ.items() if name not in versions} == {
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "SOURCE_DATE_EPOCH": str(TIME),
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
    }


def test_a_repository_that_borrows_from_one_that_borrows(shop: Workshop, tmp_path: Path) -> None:
    repo = tiny(tmp_path / "tiny")
    repo.git("clone", "--quiet", "--shared", str(repo.path), str(tmp_path / "a"))
    repo.git("clone", "--quiet", "--shared", str(tmp_path / "a"), str(tmp_path / "b"))
    for name in ("a", "b"):
        path = tmp_path / name / ".git" / "objects" / "info" / "alternates"
        path.write_text(os.path.relpath(path.read_text().strip(), path.parent.parent) + "\n")
    made = shop.build(Repo(tmp_path / "b"))
    assert made == shop.build(repo)


@pytest.mark.parametrize("what", ["private", "private/log.key", "kept"])
def test_a_repository_that_borrows_what_is_no_repositorys(shop: Workshop, tmp_path: Path, what: str) -> None:
    """Whoever may write in a repository on this disk would have a build show what its operator may read."""
    repo = tiny(tmp_path / "tiny")
    for path in ("private/log.key", "kept/0f/0f"):
        (tmp_path / path).parent.mkdir(parents=True)
        (tmp_path / path).write_text("secret")
    order = shop.order(repo)
    (repo.path / ".git" / "objects" / "info" / "alternates").write_text(f"{tmp_path / what}\n")
    error = refused(SetupError, shop.builder.build, *order, shop.kept)
    assert (error.code, str(tmp_path / what) in error.what) == ("objects-odd", True)


# The tree


def test_the_trees_digest_is_that_of_a_tar_that_others_make(shop: Workshop, tmp_path: Path) -> None:
    repo = tiny(tmp_path / "tiny", **{"a/b/c": "x", "a-b": "y", "run": "z", ".gitattributes": "* export-ignore\n"})
    (repo.path / "run").chmod(0o755)
    (repo.path / "link").symlink_to("../outside")
    repo.commit({})
    repo.git("update-index", "--add", "--cacheinfo", f"160000,{repo.git('rev-parse', 'HEAD')},vendor/module")
    repo.git("commit", "--quiet", "--message", "a submodule")
    repo.git("tag", "--force", "--annotate", "--message", "x", "1.0")
    order, objects = shop.order(repo)
    work = tmp_path / "work" / "tiny-1.0"
    repo.git("clone", "--quiet", str(repo.path), str(work))
    (work / "vendor" / "module").mkdir(parents=True, exist_ok=True)
    subprocess.run(["rm", "-rf", work / ".git"], check=True)
    subprocess.run(["chmod", "-R", "u=rwX,go=rX", work], check=True)
    names = sorted([work, *work.rglob("*")], key=lambda path: os.fsencode(path.relative_to(work.parent)))
    theirs = subprocess.run(
        [
            "tar", "--create", "--format=ustar", "--no-recursion", "--owner=0", "--group=0", "--numeric-owner",
            f"--mtime=@{TIME}", "--blocking-factor=1", *(path.relative_to(work.parent) for path in names),
        ],
        cwd=work.parent, capture_output=True, check=True,
    ).stdout  # fmt: skip
    assert shop.builder.tree(order, objects) == hashlib.sha256(theirs).hexdigest()


@pytest.mark.parametrize("name", ["1.0:tiny.py", "1.0:below", "1.0^{tree}"])
def test_a_tree_with_an_altered_object(shop: Workshop, tmp_path: Path, name: str) -> None:
    import zlib

    repo = tiny(tmp_path / "tiny", **{"below/file": "x"})
    order, objects = shop.order(repo)
    oid = repo.git("rev-parse", name)
    path = repo.path / ".git" / "objects" / oid[:2] / oid[2:]
    content = zlib.decompress(path.read_bytes())
    path.chmod(0o644)
    path.write_bytes(zlib.compress(content[:-1] + bytes([content[-1] ^ 1])))
    error = refused(Error, shop.builder.tree, order, objects)
    assert error.code in {"object-altered", "objects-missing"}
    path.unlink()
    assert refused(ProjectError, shop.builder.tree, order, objects).code == "objects-missing"
    assert refused(ProjectError, shop.builder.build, order, objects, shop.kept).code == "objects-missing"
    assert shop.left() == []


# What goes wrong


@pytest.mark.parametrize(
    ("behaviour", "kind", "code"),
    [
        ("fail", ProjectError, "build-failed"),
        ("leave", ProjectError, "build-failed"),
        ("vanish", ProjectError, "build-failed"),
        ("unsupported", ProjectError, "build-failed"),
        ("fail-wheel", ProjectError, "build-failed"),
        ("other-name", ProjectError, "name-mismatch"),
        ("other-version", ProjectError, "version-mismatch"),
        ("other-metadata-name", ProjectError, "name-mismatch"),
        ("other-metadata-version", ProjectError, "version-mismatch"),
        ("other-wheel-name", ProjectError, "name-mismatch"),
        ("other-wheel-version", ProjectError, "version-mismatch"),
        ("no-metadata", ProjectError, "metadata-invalid"),
        ("no-wheel-metadata", ProjectError, "metadata-invalid"),
        ("empty-metadata", ProjectError, "metadata-invalid"),
        ("no-file", ProjectError, "output-invalid"),
        ("no-sdist-name", ProjectError, "output-invalid"),
        ("swell", ProjectError, "output-invalid"),
        ("a-path", ProjectError, "output-invalid"),
        ("a-link", ProjectError, "output-invalid"),
        ("a-directory", ProjectError, "output-invalid"),
        ("a-pipe", ProjectError, "output-invalid"),
        ("outside", ProjectError, "archive-outside"),
        ("not-gzip", ProjectError, "archive-damaged"),
        ("two-tales", ProjectError, "archive-damaged"),
    ],
)
def test_a_project_that_misbehaves(
    shop: Workshop, tmp_path: Path, behaviour: str, kind: type[Error], code: str
) -> None:
    repo = tiny(tmp_path / "tiny", behaviour=behaviour)
    assert refused(kind, shop.build, repo).code == code
    assert shop.left() == []
    assert shop.kept.blobs == {}


def test_a_project_that_is_mended_builds(shop: Workshop, tmp_path: Path) -> None:
    repo = tiny(tmp_path / "tiny", behaviour="fail")
    refused(ProjectError, shop.build, repo)
    repo.commit({"behaviour": "nothing"})
    repo.git("tag", "--force", "--annotate", "--message", "mended", "1.0")
    assert list(shop.build(repo)) == [SDIST, WHEEL]


@pytest.mark.parametrize("behaviour", ["unsupported", "shut nap unsupported"])
def test_how_a_backend_ends_is_seen_whatever_it_closed_before(shop: Workshop, tmp_path: Path, behaviour: str) -> None:
    error = refused(ProjectError, shop.build, tiny(tmp_path / "tiny", behaviour=behaviour))
    assert error.what == "building tiny 1.0 failed: its build backend cannot do it"
    assert error.why.endswith("not in this tree")


@pytest.mark.parametrize(
    ("behaviour", "how"),
    [
        ("leave-7", "ended with 7"),
        ("vanish", "ended with 0"),
        ("crash", "was ended by SIGSEGV"),
        ("killed", "was ended by SIGKILL"),
        ("caller-killed", "was ended by SIGKILL"),
        ("import-leaves", "ended with 7"),
        ("import-crashes", "was ended by SIGSEGV"),
    ],
)
def test_how_a_backend_dies_is_said(anywhere: Workshop, tmp_path: Path, behaviour: str, how: str) -> None:
    error = refused(ProjectError, anywhere.build, tiny(tmp_path / "tiny", behaviour=behaviour))
    assert error.what == f"building tiny 1.0 failed: its build backend {how} before it answered"
    assert ("ran out of memory" in error.hint, "`memory` in [build]" in error.hint) == ("KILL" in how,) * 2


def test_how_it_ended_is_a_number_whoever_says_it(shop: Workshop, tmp_path: Path) -> None:
    error = refused(ProjectError, shop.build, tiny(tmp_path / "tiny", behaviour="import-lies"))
    assert error.what == "building tiny 1.0 failed: its build backend says no"


def test_the_end_of_the_log_says_why(shop: Workshop, tmp_path: Path) -> None:
    error = refused(ProjectError, shop.build, tiny(tmp_path / "tiny", behaviour="shout fail"))
    assert error.what == "building tiny 1.0 failed: its build backend says no"
    assert error.why.splitlines()[-1] == "ValueError: this project cannot be built"
    assert len(error.why.splitlines()) == 20
    assert "\x1b" not in error.why
    log = Path(error.hint.removeprefix("the whole log: "))
    assert log.name == "tiny-1.0.log"
    assert log.read_bytes().startswith(b"\x1b[31mline 0")


def test_a_build_that_never_ends(anywhere: Workshop, tmp_path: Path) -> None:
    shop = anywhere
    shop.builder = shop.make(limit=1.0)
    begun = time.monotonic()
    error = refused(ProjectError, shop.build, tiny(tmp_path / "tiny", behaviour="sleep"))
    assert (error.code, error.what) == ("build-failed", "building tiny 1.0 failed: no end within 1 s")
    assert time.monotonic() - begun < 10
    assert shop.left() == []


def test_a_build_that_makes_too_much(shop: Workshop, tmp_path: Path) -> None:
    repo = tiny(tmp_path / "tiny", zeros="0" * 300_000)
    shop.builder = shop.make(limits=Limits(unpacked=200_000))
    assert refused(ProjectError, shop.build, repo).code == "archive-size"


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A file system of two megabytes."""
    path = tmp_path / "small"
    path.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", path], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip(f"cannot mount: {mounted.stderr.decode().strip()}")
    try:
        yield path
    finally:
        subprocess.run(["umount", "--lazy", path], check=True)


@pytest.mark.parametrize("files", [{"behaviour": "fill"}, {"zeros": "0" * 4_000_000}])
def test_no_space_to_build(tmp_path: Path, environments: Path, small: Path, files: dict[str, str]) -> None:
    Workshop(tmp_path / "roomy", environments).environments((), "bubblewrap")
    shop = Workshop(small / "shop", environments)
    shop.builder = shop.make(disk=1 << 23)
    assert refused(SetupError, shop.build, tiny(tmp_path / "tiny", **files)).code == "disk-full"
    assert shop.left() == []


def lingering(mark: str) -> list[int]:
    """The processes of this machine that a project left behind under that mark."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            if mark.encode() in path.read_bytes() and ") Z " not in path.with_name("stat").read_text():
                found.append(int(path.parent.name))
    return found


def gone(mark: str) -> bool:
    for _ in range(200):
        if not lingering(mark):
            return True
        time.sleep(0.02)
    return False


def test_processes_that_a_build_leaves_behind_are_ended(anywhere: Workshop, tmp_path: Path) -> None:
    mark = f"600.{uuid4().int % 10**9}"
    anywhere.build(tiny(tmp_path / "tiny", behaviour="linger", linger=mark))
    assert not lingering(mark) if anywhere.isolation != "none" else gone(mark)


@pytest.mark.parametrize("isolation", ["bubblewrap", "namespaces"])
def test_a_daemon_is_ended_before_the_step_ends(environments: Path, tmp_path: Path, isolation: str) -> None:
    mark = f"600.{uuid4().int % 10**9}"
    shop = Workshop(tmp_path / "shop", environments, isolation)
    shop.build(tiny(tmp_path / "tiny", behaviour="daemon", linger=mark))
    assert lingering(mark) == []


@pytest.mark.parametrize("isolation", ["bubblewrap", "namespaces", "none"])
def test_a_builder_that_is_killed_leaves_no_process_and_nothing_beyond_the_next_start(
    tmp_path: Path, isolation: str
) -> None:
    mark = f"600.{uuid4().int % 10**9}"
    tiny(tmp_path / "tiny", behaviour="linger sleep", linger=mark)
    script = (
        "import sys\nfrom pathlib import Path\nfrom tests.adapters.test_pep517 import Repo, Workshop\n"
        "root = Path(sys.argv[1])\n"
        "Workshop(root / 'shop', root / 'environments', sys.argv[2]).build(Repo(root / 'tiny'))\n"
    )
    argv = [sys.executable, "-c", script, str(tmp_path), isolation]
    building = subprocess.Popen(argv, cwd=Path(__file__).parents[2])
    for _ in range(1000):
        if lingering(mark):
            break
        time.sleep(0.02)
    building.kill()
    building.wait()
    assert gone(mark), "the build goes on without its builder"
    scratch = tmp_path / "shop" / "scratch"
    assert list(scratch.iterdir())
    sweep(scratch)
    assert list(scratch.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("[build-system", "pyproject-invalid"),
        ("build-system = 1\n", "pyproject-invalid"),
        ("[build-system]\nbuild-backend = 'backend'\n", "pyproject-invalid"),
        ("[build-system]\nrequires = 'x'\n", "pyproject-invalid"),
        ("[build-system]\nrequires = [1]\n", "pyproject-invalid"),
        ("[build-system]\nrequires = []\nbuild-backend = 'os; evil'\n", "pyproject-invalid"),
        (PYPROJECT.replace('["."]', '["../x"]'), "pyproject-invalid"),
        (PYPROJECT.replace('["."]', '["/etc"]'), "pyproject-invalid"),
        (PYPROJECT.replace("[]", '["not a requirement"]'), "requirements-invalid"),
        (PYPROJECT.replace("[]", '["-r /etc/passwd"]'), "requirements-invalid"),
        (PYPROJECT.replace('"backend"', '"nowhere"'), "build-failed"),
        (PYPROJECT.replace('"backend"', '"backend:nothing"'), "build-failed"),
    ],
)
def test_a_pyproject_that_does_not_say_how(shop: Workshop, tmp_path: Path, text: str, code: str) -> None:
    assert refused(ProjectError, shop.build, tiny(tmp_path / "tiny", **{"pyproject.toml": text})).code == code


def test_nothing_says_how_to_build(shop: Workshop, tmp_path: Path) -> None:
    repo = repository(tmp_path / "empty")
    repo.commit({"README": "x"})
    repo.tag("1.0")
    assert refused(ProjectError, shop.build, repo).code == "build-system-missing"


@pytest.mark.parametrize("kind", ["tar.gz", "tar.xz", "deb"])
def test_kinds_that_no_backend_makes(shop: Workshop, tmp_path: Path, kind: str) -> None:
    error = refused(SetupError, shop.build, tiny(tmp_path / "tiny"), "sdist", kind)
    assert error.code == "build-kind"
    assert kind in error.what


def test_an_index_that_does_not_answer(tmp_path: Path) -> None:
    shop = Workshop(tmp_path, tmp_path / "environments")
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "UV_DEFAULT_INDEX": "http://127.0.0.1:9/simple/"}
    shop.environments = Environments(
        tmp_path / "environments", tmp_path / "scratch", {**env, "UV_HTTP_RETRIES": "0"}, clock=lambda: TIME
    )
    shop.builder = shop.make()
    repo = tiny(tmp_path / "tiny", **{"pyproject.toml": PYPROJECT.replace("[]", '["hatchling"]')})
    error = refused(RemoteError, shop.build, repo)
    assert error.code == "requirements-unreachable"
    assert "hatchling" in error.what
    (log,) = (shop.root / "state" / "logs").iterdir()
    assert "Connection refused" in log.read_text()
    assert shop.left() == []
    assert not list((tmp_path / "environments").glob("*"))


def test_requirements_that_cannot_be_met(tmp_path: Path) -> None:
    settings = tmp_path / ".config" / "uv" / "uv.toml"
    settings.parent.mkdir(parents=True)
    settings.write_text(f'no-index = true\nfind-links = ["{tmp_path}"]\n')
    shop = Workshop(tmp_path, tmp_path / "environments")
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    shop.environments = Environments(tmp_path / "environments", tmp_path / "scratch", env, clock=lambda: TIME)
    shop.builder = shop.make()
    repo = tiny(tmp_path / "tiny", **{"pyproject.toml": PYPROJECT.replace("[]", '["nothing-of-that-name"]')})
    assert refused(ProjectError, shop.build, repo).code == "requirements-unsatisfiable"


class Gone:
    """Environments where nothing can be installed."""

    def __init__(self, environments: Environments) -> None:
        self.environments = environments

    def __call__(self, requirements: Sequence[str], kind: str) -> Environment:
        if requirements:
            raise ProjectError("it is gone", code="requirements-unsatisfiable")
        return self.environments((), kind)

    def known(self, requirements: Sequence[str], kind: str) -> Environment | None:
        return self.environments.known(requirements, kind)

    def said(self) -> bytes:
        return self.environments.said()


def test_what_the_hooks_ask_for_is_installed(tmp_path: Path) -> None:
    asked: list[Sequence[str]] = []
    shop = Workshop(tmp_path, tmp_path / "environments")

    class Asked(Gone):
        def __call__(self, requirements: Sequence[str], kind: str) -> Environment:
            asked.append(tuple(requirements))
            return self.environments((), kind)

    shop.builder = Pep517(tmp_path / "state", tmp_path / "scratch", Asked(shop.environments))
    script = BACKEND + "\n\ndef get_requires_for_build_sdist(config_settings=None):\n    return ['pbr>=2']\n"
    script += "\n\ndef get_requires_for_build_wheel(config_settings=None):\n    return ['pbr>=2']\n"
    repo = tiny(tmp_path / "tiny", **{"backend.py": script})
    clean, at_once = [(), ("pbr>=2",)], [("pbr>=2",)]
    # at once where no file has changed that may say what is needed; else it is asked where nothing is installed for it
    changes: tuple[dict[str, str], ...] = (
        {},
        {},
        {"tiny.txt": "a"},
        {"tiny.txt": "b"},
        {"deep/tiny.cfg": "c"},
        {"README": "d"},
        {"setup.cfg": ""},
    )
    for change, order in zip(changes, (clean, at_once, clean, clean, at_once, at_once, clean), strict=True):
        if change:
            repo.commit(change)
            repo.git("tag", "--force", "--annotate", "--message", "x", "1.0")
        asked.clear()
        shop.build(repo)
        assert list(dict.fromkeys(asked)) == order, change


def learned(root: Path) -> dict[str, list[str]]:
    found: dict[str, list[str]] = json.loads((root / "state" / "learned" / "tiny.json").read_text())
    return found


def learn(root: Path, **said: list[str] | str) -> None:
    (root / "state" / "learned").mkdir(parents=True, exist_ok=True)
    text = json.dumps({"requires": [], "modules": []} | said)
    (root / "state" / "learned" / "tiny.json").write_text(text)


def test_what_a_project_once_asked_for_may_be_gone(tmp_path: Path) -> None:
    shop = Workshop(tmp_path, tmp_path / "environments")
    shop.builder = Pep517(tmp_path / "state", tmp_path / "scratch", Gone(shop.environments))
    repo = tiny(tmp_path / "tiny")
    shop.build(repo)
    memory = tmp_path / "state" / "learned" / "tiny.json"
    memory.write_text(json.dumps(learned(tmp_path) | {"requires": ["gone==1.0"], "extras": ["gone==1.0"]}))
    shop.builder = Pep517(tmp_path / "state", tmp_path / "scratch", Gone(shop.environments))
    assert list(shop.build(repo)) == [SDIST, WHEEL]
    assert (learned(tmp_path)["requires"], learned(tmp_path)["extras"]) == ([], [])


def test_what_cannot_be_imported_any_more_is_let_be(shop: Workshop, tmp_path: Path) -> None:
    learn(shop.root, modules=["no_such_module", "gzip", "import os; os.abort()", "..", "x" * 3000])
    assert list(shop.build(tiny(tmp_path / "tiny"))) == [SDIST, WHEEL]


@pytest.mark.parametrize("text", ["", "{}", "[[]]", "nonsense", "[1]"])
def test_what_was_learned_can_be_thrown_away_or_spoilt(shop: Workshop, tmp_path: Path, text: str) -> None:
    (shop.root / "state" / "learned").mkdir(parents=True)
    (shop.root / "state" / "learned" / "tiny.json").write_text(text)
    assert list(shop.build(tiny(tmp_path / "tiny"), "sdist")) == [SDIST]


class Watched:
    """Environments with a backend of their own; says what was asked of them."""

    def __init__(self, shop: Workshop) -> None:
        self.environments = shop.environments
        self.asked: list[str] = []
        (site,) = self.environments((), shop.isolation).path.glob("lib/python*/site-packages")
        site.chmod(0o755)
        self.backend = site / "plain_backend.py"
        self.put(BACKEND)

    def put(self, backend: str) -> None:
        """Another backend than what was installed."""
        self.backend.write_text(backend)

    def __call__(self, requirements: Sequence[str], kind: str) -> Environment:
        self.asked.append("made")
        return self.environments(requirements, kind)

    def known(self, requirements: Sequence[str], kind: str) -> Environment | None:
        self.asked.append("looked for")
        return self.environments.known(requirements, kind)

    def said(self) -> bytes:
        return self.environments.said()


@pytest.fixture
def watched(tmp_path: Path) -> tuple[Workshop, Watched]:
    shop = Workshop(tmp_path / "shop", tmp_path / "environments")
    environments = Watched(shop)
    shop.builder = Pep517(tmp_path / "shop" / "state", tmp_path / "shop" / "scratch", environments)
    return shop, environments


PLAIN = '[build-system]\nrequires = []\nbuild-backend = "plain_backend"\n'


def test_a_backend_begins_while_a_tag_is_judged(watched: tuple[Workshop, Watched], tmp_path: Path) -> None:
    shop, environments = watched
    repo = tiny(tmp_path / "tiny", **{"pyproject.toml": PLAIN})
    without, order = shop.build(repo), shop.order(repo, "1.0")
    environments.asked.clear()
    with shop.builder.expecting("tiny") as begin:
        assert environments.asked == ["looked for"]
        begin(*order)
        assert environments.asked == ["looked for", "looked for", "made"]
        assert shop.build(repo) == without
        assert environments.asked == ["looked for", "looked for", "made"]  # by the process that was begun
    assert shop.left() == []


def test_what_a_backend_imported_is_remembered(watched: tuple[Workshop, Watched], tmp_path: Path) -> None:
    shop, _ = watched
    repo = tiny(tmp_path / "tiny", **{"pyproject.toml": PLAIN})
    first = shop.build(repo)
    assert {"gzip", "plain_backend"} <= {*learned(shop.root)["modules"]}
    assert shop.build(repo) == first


def test_of_a_backend_in_the_tree_no_module_is_remembered(shop: Workshop, tmp_path: Path) -> None:
    learn(shop.root, modules=["gzip"])
    assert shop.build(tiny(tmp_path / "tiny"))
    assert learned(shop.root)["modules"] == []


ASKS = """
def get_requires_for_build_sdist(config_settings=None):
    print("asked in", os.getpid(), flush=True)
    return ['helper>=2', 'other; python_version < "3"']


def get_requires_for_build_wheel(config_settings=None):
    return get_requires_for_build_sdist()
"""


@pytest.mark.parametrize(
    ("version", "lines", "more"),
    [
        ("2.1", "", False),
        ("1.9", "", True),
        ("3.0rc1", "", False),
        ("2.1", "['helper[extra]>=2']", True),
        ("2.1", "['helper @ https://example.org/helper.tar.gz']", True),
        ("2.1", "['helper', 'gone']", True),
        ("2.1", "['helper>=2', 'gone; python_version < \"3\"']", False),
        ("2.1", "['no requirement!']", True),
    ],
)
def test_what_the_tags_own_requirements_brought_is_not_installed_again(
    watched: tuple[Workshop, Watched], tmp_path: Path, version: str, lines: str, more: bool
) -> None:
    shop, environments = watched
    about = environments.backend.with_name(f"Helper-{version}.dist-info")
    about.mkdir()
    (about / "RECORD").write_text("")
    asks = f"\n\ndef get_requires_for_build_sdist(config_settings=None):\n    return {lines}\n" if lines else ASKS
    environments.put(BACKEND + asks)
    repo, asked = tiny(tmp_path / "tiny", **{"pyproject.toml": PLAIN}), list[Sequence[str]]()

    class Asked(Gone):
        def __call__(self, requirements: Sequence[str], kind: str) -> Environment:
            asked.append(tuple(requirements))
            return self.environments((), kind)

    shop.builder = Pep517(shop.root / "state", shop.root / "scratch", Asked(shop.environments))
    for _ in range(2):
        asked.clear()
        shop.build(repo)
        assert (len({*asked}) > 1 or asked[0] != ()) == more


def test_what_an_old_tag_asked_for_is_not_there_when_a_new_one_is_asked(
    watched: tuple[Workshop, Watched], tmp_path: Path
) -> None:
    """It could answer in the place of the new one, and go on for ever."""
    shop, environments = watched
    repo = tiny(tmp_path / "tiny", **{"pyproject.toml": PLAIN})
    learn(shop.root, requires=["evil"], extras=["evil"], said="0" * 64)
    environments.environments(("wheel==0.45.1",), shop.isolation)
    kinds: list[Sequence[str]] = []

    class Asked(Gone):
        def __call__(self, requirements: Sequence[str], kind: str) -> Environment:
            kinds.append(tuple(requirements))
            return super().__call__(requirements, kind)

    shop.builder = Pep517(shop.root / "state", shop.root / "scratch", Asked(shop.environments))
    shop.build(repo)
    assert {*kinds} == {()}
    assert learned(shop.root)["requires"] == []


UNLESS = """
_make_wheel = build_wheel


def build_wheel(*args, **more):
    import sys
    if "colorsys" in sys.modules:
        sys.exit("too much")
    return _make_wheel(*args, **more)
"""


def test_what_was_learned_is_forgotten_where_a_build_fails(watched: tuple[Workshop, Watched], tmp_path: Path) -> None:
    shop, environments = watched
    environments.put(BACKEND + UNLESS)
    repo = tiny(tmp_path / "tiny", **{"pyproject.toml": PLAIN})
    learn(shop.root, modules=["colorsys"])
    assert refused(ProjectError, shop.build, repo).code == "build-failed"
    assert list(shop.build(repo)) == [SDIST, WHEEL]


def test_a_program_among_the_modules_ends_nothing(watched: tuple[Workshop, Watched], tmp_path: Path) -> None:
    shop, environments = watched
    environments.backend.with_name("ending.py").write_text("raise SystemExit(3)")
    environments.backend.with_name("stopping.py").write_text("raise KeyboardInterrupt")
    repo = tiny(tmp_path / "tiny", **{"pyproject.toml": PLAIN})
    learn(shop.root, modules=["unittest.__main__", "ending", "stopping"])
    assert list(shop.build(repo)) == [SDIST, WHEEL]
    assert not {name for name in learned(shop.root)["modules"] if name.endswith("__main__")}


def test_nobody_waits_for_what_stands_ready(watched: tuple[Workshop, Watched], tmp_path: Path) -> None:
    """Its names fit into a pipe that nobody reads."""
    shop, environments = watched
    repo = tiny(tmp_path / "tiny", **{"pyproject.toml": PLAIN})
    shop.build(repo)
    many = [f"email.{'x' * 60}{number}" for number in range(2900)]
    (shop.root / "state" / "learned" / "tiny.json").write_text(json.dumps(learned(shop.root) | {"modules": many}))
    environments.backend.with_name("slow.pth").write_text("import time; time.sleep(60)\n")
    shop.builder = Pep517(shop.root / "state", shop.root / "scratch", environments)
    began = time.monotonic()
    with shop.builder.expecting("tiny") as begin:
        begin(*shop.order(repo, "1.0"))
    assert time.monotonic() - began < 20


SAYS_WHAT = """
import sys
print("there:", *sorted({"colorsys", "distutils", "email", "helper"} & {*sys.modules}), "and others", flush=True)
"""


@pytest.mark.parametrize(
    ("modules", "there"),
    [([], ""), (["colorsys", "no_such_module", "distutils", "distutils.core", "email", "helper"], "colorsys email ")],
)
def test_what_stands_ready_has_imported_of_the_standard_library(
    watched: tuple[Workshop, Watched], tmp_path: Path, modules: list[str], there: str
) -> None:
    shop, environments = watched
    environments.put(SAYS_WHAT + BACKEND)
    environments.backend.with_name("helper.py").write_text("print('helped', flush=True)\n")
    repo, state = tiny(tmp_path / "tiny", **{"pyproject.toml": PLAIN}), shop.root / "state"
    shop.build(repo)
    (state / "learned" / "tiny.json").write_text(json.dumps(learned(shop.root) | {"modules": modules}))
    shop.builder = Pep517(state, shop.root / "scratch", environments)
    with shop.builder.expecting("tiny") as begin:
        begin(*shop.order(repo, "1.0"))
        shop.build(repo)
    said = (state / "logs" / "tiny-1.0.log").read_text()
    assert f"there: {there}and others" in said
    assert ("helped" in said) == bool(modules)  # but after the backend


SAYS_WHEN = """
_stat = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
print(f"process of {_stat[19]}", flush=True)
"""


def began(shop: Workshop) -> float:
    """When the process began that built the sdist, in seconds since the machine did."""
    log = (shop.root / "state" / "logs" / "tiny-1.0.log").read_text()
    ticks = int(log.partition("process of ")[2].split()[0])
    return ticks / os.sysconf("SC_CLK_TCK")


def machine_time() -> float:
    return float(Path("/proc/uptime").read_text().split()[0])


def test_a_process_stands_ready_before_the_order_is_known(watched: tuple[Workshop, Watched], tmp_path: Path) -> None:
    shop, environments = watched
    environments.put(BACKEND + SAYS_WHEN)
    repo = tiny(tmp_path / "tiny", **{"pyproject.toml": PLAIN})
    without = shop.build(repo)
    with shop.builder.expecting("tiny") as begin:
        time.sleep(0.5)
        later = machine_time()
        begin(*shop.order(repo, "1.0"))
        assert shop.build(repo) == without
    assert began(shop) < later
    assert shop.build(repo) == without
    assert began(shop) > later


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("installed", ["no-such-thing"]),
        ("isolation", "namespaces"),
        ("isolation", "none"),
        ("isolation", ""),
        ("lent", [["/objects/0", "/etc"]]),
        ("lent", [["/objects/0", "/nonexistent"]]),
        ("lent", []),
    ],
)
def test_what_stands_ready_for_something_else_is_not_built_with(
    watched: tuple[Workshop, Watched], tmp_path: Path, field: str, value: object
) -> None:
    shop, environments = watched
    environments.put(BACKEND + SAYS_WHEN)
    environments.environments((), "namespaces")
    repo = tiny(tmp_path / "tiny", **{"pyproject.toml": PLAIN})
    without = shop.build(repo)
    memory = shop.root / "state" / "learned" / "tiny.json"
    memory.write_text(json.dumps(json.loads(memory.read_text()) | {field: value}))
    shop.builder = Pep517(shop.root / "state", shop.root / "scratch", environments)  # one that remembers nothing else
    with shop.builder.expecting("tiny") as begin:
        time.sleep(0.2)
        later = machine_time()
        begin(*shop.order(repo, "1.0"))
        assert shop.build(repo) == without
    assert began(shop) > later - 0.02  # a tick is ten milliseconds
    assert shop.left() == []


def put_aside(directory: Path) -> None:
    """As an operator does who removes a mirror: it is fetched again."""
    directory.rename(directory.with_name("aside"))


def put_back(directory: Path) -> None:
    directory.with_name("aside").rename(directory)


def cloned_anew(directory: Path) -> None:
    shutil.copytree(directory, directory.with_name("aside"))
    shutil.rmtree(directory)
    put_back(directory)


@pytest.mark.parametrize(("before", "after"), [(put_aside, put_back), (None, cloned_anew)])
def test_what_stands_ready_is_not_built_with_when_what_it_saw_is_gone(
    watched: tuple[Workshop, Watched],
    tmp_path: Path,
    before: Callable[[Path], None] | None,
    after: Callable[[Path], None],
) -> None:
    shop, _ = watched
    repo = tiny(tmp_path / "tiny", **{"pyproject.toml": PLAIN})
    without, order = shop.build(repo), shop.order(repo, "1.0")
    directory = order[1].directory
    if before:
        before(directory)
    with shop.builder.expecting("tiny") as begin:
        time.sleep(0.5)
        after(directory)
        begin(*order)
        assert shop.build(repo) == without


def test_what_died_while_it_stood_ready_is_not_built_with(watched: tuple[Workshop, Watched], tmp_path: Path) -> None:
    shop, environments = watched
    repo = tiny(tmp_path / "tiny", **{"pyproject.toml": PLAIN})
    without, order = shop.build(repo), shop.order(repo, "1.0")
    ends = environments.backend.with_name("ends.pth")
    ends.write_text("import os; os._exit(1)\n")
    with shop.builder.expecting("tiny") as begin:
        time.sleep(0.5)
        ends.unlink()
        begin(*order)
        assert shop.build(repo) == without


def test_nothing_stands_ready_where_nothing_keeps_it_apart(tmp_path: Path) -> None:
    shop = Workshop(tmp_path / "shop", tmp_path / "environments", "none")
    shop.build(tiny(tmp_path / "tiny"))
    with shop.builder.expecting("tiny"):
        assert not list((shop.root / "scratch").glob("*/cell-*"))


def test_nothing_stands_ready_where_it_would_see_the_users_home(
    watched: tuple[Workshop, Watched], tmp_path: Path
) -> None:
    """The order is judged later (`home-seen`); by then a process would have looked."""
    shop, _ = watched
    shop.build(tiny(tmp_path / "tiny", **{"pyproject.toml": PLAIN}))
    before = os.environ["HOME"]
    os.environ["HOME"] = "/usr/share"
    try:
        with shop.builder.expecting("tiny"):
            assert not list((shop.root / "scratch").glob("*/cell-*"))
    finally:
        os.environ["HOME"] = before
    with shop.builder.expecting("tiny"):
        assert list((shop.root / "scratch").glob("*/cell-*"))


def test_nothing_stands_ready_where_it_would_see_what_lies_among_objects_now(
    watched: tuple[Workshop, Watched], tmp_path: Path
) -> None:
    shop, _ = watched
    repo = tiny(tmp_path / "tiny", **{"pyproject.toml": PLAIN})
    shop.build(repo)
    (repo.path / ".git" / "objects" / "id_ed25519").write_text("secret")
    with shop.builder.expecting("tiny"):
        assert not list((shop.root / "scratch").glob("*/cell-*"))


def test_what_is_not_asked_for_after_all_leaves_nothing(watched: tuple[Workshop, Watched], tmp_path: Path) -> None:
    shop, _ = watched
    repo = tiny(tmp_path / "tiny", **{"pyproject.toml": PLAIN})
    shop.build(repo)
    with shop.builder.expecting("tiny") as begin:
        assert shop.left()
        begin(*shop.order(repo, "1.0"))
    assert shop.left() == []


def test_another_order_than_the_expected_one_is_built_anew(watched: tuple[Workshop, Watched], tmp_path: Path) -> None:
    shop, _ = watched
    repo = tiny(tmp_path / "tiny", **{"pyproject.toml": PLAIN})
    order, objects = shop.order(repo, "1.0")
    with shop.builder.expecting("tiny") as begin:
        begin(replace(order, epoch=order.epoch - 2), objects)
        assert shop.build(repo) == shop.build(repo)


def test_nothing_is_installed_for_a_tag_that_is_not_judged(watched: tuple[Workshop, Watched], tmp_path: Path) -> None:
    shop, environments = watched
    repo = tiny(tmp_path / "tiny", **{"pyproject.toml": PLAIN.replace("[]", '["no-such-thing"]')})
    environments.asked.clear()
    with shop.builder.expecting("tiny") as begin:
        begin(*shop.order(repo, "1.0"))
        assert environments.asked == ["looked for"]


def test_nothing_of_a_project_runs_before_its_tag_is_judged(shop: Workshop, tmp_path: Path) -> None:
    shop.environments((), shop.isolation)
    repo = tiny(tmp_path / "tiny")  # its backend is its own
    with shop.builder.expecting("tiny") as begin:
        begin(*shop.order(repo, "1.0"))
        assert not list((shop.root / "scratch").glob("*/cell-*"))


def test_what_cannot_begin_is_said_by_the_build(watched: tuple[Workshop, Watched], tmp_path: Path) -> None:
    shop, _ = watched
    repo = tiny(tmp_path / "tiny", **{"pyproject.toml": "["})
    order = shop.order(repo, "1.0")
    with shop.builder.expecting("tiny") as begin:
        begin(*order)
        assert refused(ProjectError, shop.builder.build, *order, shop.kept).code == "pyproject-invalid"


def test_who_would_wait_for_a_backend_works_until_it_is_done(shop: Workshop, tmp_path: Path) -> None:
    done: list[int] = []

    def step(number: int) -> None:
        time.sleep(0.02)
        done.append(number)

    order, objects = shop.order(tiny(tmp_path / "tiny"), "1.0")
    shop.builder.build(order, objects, shop.kept, (partial(step, number) for number in range(5000)))
    assert done == list(range(len(done)))
    assert 0 < len(done) < 5000


def test_an_environment_is_made_once_and_is_whole(tmp_path: Path) -> None:
    shop = Workshop(tmp_path, tmp_path / "environments")
    path = shop.environments((), "bubblewrap").path
    made = path.stat().st_mtime_ns
    assert shop.environments([], "bubblewrap").path == path
    assert path.stat().st_mtime_ns == made
    assert [p.name for p in (tmp_path / "environments").iterdir() if p.is_dir()] == [path.name]
    assert shop.left() == []
    done = subprocess.run(
        [path / "bin" / "python", "-c", "import sys; print(sys.prefix)"], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == str(path)


def test_hooks_end_when_their_caller_dies(tmp_path: Path) -> None:
    tiny(tmp_path / "tiny", behaviour="sleep")
    tree = str(tmp_path / "tiny")
    calls = [{"hook": "build_sdist", "directory": str(tmp_path)}]
    orders = [{"backend": "backend", "path": ["."], "tree": tree}, {"tree": tree, "calls": calls}]
    env = {"PBR_VERSION": "1.0", "HOME": f"{tmp_path}/home", "TMPDIR": f"{tmp_path}/scratch"}
    with subprocess.Popen(
        [sys.executable, "-P", HOOKS, "2"], cwd=tmp_path / "tiny", stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, start_new_session=True, env=env,
    ) as running:  # fmt: skip
        assert running.stdout
        assert running.stdin
        running.stdin.write("".join(f"{json.dumps(order)}\n" for order in orders).encode())
        running.stdin.flush()
        child = int(running.stdout.readline())
        running.stdin.close()
        assert running.wait(20) == -signal.SIGKILL
    with pytest.raises(ProcessLookupError):
        for _ in range(200):
            os.kill(child, 0)
            time.sleep(0.02)


# A real one


@pytest.mark.index
def test_a_real_project_by_name(tmp_path: Path) -> None:
    recipe = Path(__file__).parents[2] / "scripts" / "real_project.py"
    argv: list[str | Path] = [
        sys.executable,
        recipe,
        "oslo.config",
        "9.7.0",
        tmp_path / "oslo",
        "--key",
        "ssh",
        "--keys",
        tmp_path / "keys",
    ]
    subprocess.run(argv, check=True, capture_output=True)
    shop = Workshop(tmp_path / "shop", tmp_path / "environments")
    shop.environments = Environments(tmp_path / "environments", tmp_path / "shop" / "scratch", clock=lambda: TIME)
    shop.builder = shop.make(limit=300)
    order, objects = shop.order(Repo(tmp_path / "oslo"), "9.7.0")
    order = replace(order, project="oslo.config")
    first = shop.builder.build(order, objects, shop.kept)
    assert [a.name for a in first] == ["oslo_config-9.7.0.tar.gz", "oslo_config-9.7.0-py3-none-any.whl"]
    assert all("egg-info" in n or n in {"AUTHORS", "ChangeLog", "PKG-INFO"} for n in first[0].generated)
    assert all(".dist-info/" in n for n in first[1].generated)
    assert shop.builder.build(order, objects, shop.kept) == first
    with pytest.raises(ProjectError) as caught:
        shop.builder.build(replace(order, project="oslo.other"), objects, shop.kept)
    assert caught.value.code == "name-mismatch"
