"""A hostile project, and a hostile requirement of it, built for real: whatever they try, they get nothing."""

import hashlib
import io
import json
import os
import shutil
import stat
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tagtrail.adapters.builder.environments import Environments, installed
from tagtrail.adapters.builder.pep517 import Pep517
from tagtrail.adapters.git import GitSource
from tagtrail.io import sandbox
from tagtrail.io.sandbox import isolation
from tagtrail.model.errors import ProjectError, SetupError
from tagtrail.ports import BuildOrder
from tagtrail.testing.memory import Kept
from tests.adapters import attempts
from tests.adapters.planted import Planted, planted
from tests.adapters.projects import BACKEND, PYPROJECT, Repo, tiny
from tests.adapters.test_pep517 import SDIST, Workshop, gone, refused

pytestmark = pytest.mark.client

ATTEMPTS = Path(attempts.__file__).read_text()
REPORT = """
def report(name):
    import attempts
    facts = json.loads(Path("facts.json").read_text())
    Path(f"report-{name}.json").write_text(json.dumps(attempts.succeeded(facts)))
"""

# the build backend and its requirement hooks
HOSTILE = (
    BACKEND.replace("import io\n", "import io\nimport json\n", 1)
    + REPORT
    + """

def get_requires_for_build_sdist(config_settings=None):
    report("hook")
    return []


def get_requires_for_build_wheel(config_settings=None):
    print("WHEEL-HOOK", end="")
    report("wheel")
    print(Path("report-wheel.json").read_text(), flush=True)
    return []


def attack(kind, out, name):
    if kind == "sdist":
        report("build")
        BEHAVIOUR.remove("attack")
        return build_sdist(out.parent)


def hard_link(kind, out, name):
    out.unlink()
    os.link("/in/hooks.py", out)


def device(kind, out, name):
    import stat
    out.unlink()
    os.mknod(out, stat.S_IFCHR | 0o666, os.makedev(1, 5))


def change_afterwards(kind, out, name):
    script = "while :; do echo x >>$0; done"
    subprocess.Popen(["setsid", "--fork", "sh", "-c", script, str(out)])


def speak_for_the_hooks(kind, out, name):
    # the descriptor on which answers go to the host is the parent's: try them all
    for number in range(3, 64):
        try:
            os.write(number, (1 << 40).to_bytes(8, "big"))
        except OSError:
            pass


def fill_all(kind, out, name):
    for place in ("/build/all", "/tmp/all", "/dev/shm/all"):
        try:
            with open(place, "wb") as file:
                while True:
                    file.write(bytes(1 << 20))
        except OSError:
            pass
    raise OSError(28, os.strerror(28))


def speak_of_space(kind, out, name):
    raise OSError(28, os.strerror(28))


def devour(kind, out, name):
    kept = []
    while True:
        kept.append(bytearray(b"x" * (16 << 20)))


def share(kind, out, name):
    import mmap
    kept = mmap.mmap(-1, 1 << 29)
    for at in range(0, len(kept), 4096):
        kept[at] = 1


def bomb(kind, out, name):
    while True:
        os.fork()
"""
)

# a requirement that comes as source: it is built while the environment is made, by a backend of its own
REQUIREMENT = """
import base64, hashlib, json, os, sys, zipfile
from pathlib import Path
import attempts

def build_wheel(directory, config_settings=None, metadata_directory=None):
    got = attempts.succeeded(json.loads(Path("facts.json").read_text()))
    name = "evil-1.0-py3-none-any.whl"
    files = {
        "evil_report.json": json.dumps(got),
        "evil-1.0.dist-info/METADATA": "Metadata-Version: 2.1\\nName: evil\\nVersion: 1.0\\n",
        "evil-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
    }
    lines = []
    for path, text in files.items():
        said = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        lines.append(f"{path},sha256={said},{len(text)}")
    files["evil-1.0.dist-info/RECORD"] = "\\n".join([*lines, "evil-1.0.dist-info/RECORD,,", ""])
    with zipfile.ZipFile(Path(directory, name), "w") as wheel:
        for path, text in files.items():
            wheel.writestr(path, text)
    return name
"""


SECRET = ("UV_PUBLISH_TOKEN", "UV_PUBLISH_PASSWORD", "UV_GITHUB_TOKEN", "UV_INDEX_X_SECRET")


@dataclass(frozen=True, slots=True)
class Den:
    """Where a hostile project is built, with one kind of isolation."""

    kind: str
    root: Path
    envs: Path
    found: Planted

    def build(self, requires: str = "[]", *, limit: float = 60.0, **most: int) -> dict[str, bytes]:
        """The files of the project's build, by name; its behaviour stands in the file `behaviour`."""
        environ = {"PATH": os.environ["PATH"], "HOME": str(self.root), "UV_OFFLINE": "1", "TOKEN": self.canary}
        environ |= {"UV_FIND_LINKS": str(self.root / "links"), "UV_INDEX_URL": "http://127.0.0.1:9/simple"}
        environ |= dict.fromkeys(SECRET, self.canary)
        most_of = sandbox.Limits(**{"memory": 1 << 30, "disk": 1 << 26, "processes": 256, **most})
        rooms = self.root / "rooms"
        environments = Environments(self.envs, rooms, environ, limit, most_of, clock=lambda: 1)
        builder = Pep517(self.root / "state", rooms, environments, limit, most=most_of)
        repo = Repo(self.root / "tiny")
        repo.commit({"pyproject.toml": PYPROJECT.replace("requires = []", f"requires = {requires}")})
        repo.git("tag", "--force", "--annotate", "--message", "x", "1.0")
        source = GitSource(self.root / "mirrors")
        told = source.read(str(repo.path), "1.0")
        objects = source.objects(str(repo.path), "1.0", told.commit)
        order = BuildOrder(
            project="tiny", version="1.0", tag="1.0", commit=told.commit, epoch=told.time, builds=("sdist", "wheel"),
            refs=objects.refs, isolation=self.kind,
        )  # fmt: skip
        kept = Kept()
        made = builder.build(order, objects, kept)
        assert all(hashlib.sha256(kept.read(a.blob.sha256)).hexdigest() == a.blob.sha256 for a in made)
        return {artifact.name: kept.read(artifact.blob.sha256) for artifact in made}

    def behave(self, behaviour: str) -> None:
        Repo(self.root / "tiny").commit({"behaviour": behaviour})

    @property
    def canary(self) -> str:
        return str(self.found.facts["canary"])


def reports(sdist: bytes) -> dict[str, list[str]]:
    with tarfile.open(fileobj=io.BytesIO(sdist)) as packed:
        names = [name for name in packed.getnames() if "/report-" in name]
        return {
            name.rpartition("-")[2]: json.loads((packed.extractfile(name) or io.BytesIO()).read()) for name in names
        }


def requirement(root: Path, facts: dict[str, Any]) -> None:
    """evil-1.0.tar.gz, where the installer finds it."""
    info = "Metadata-Version: 2.1\nName: evil\nVersion: 1.0\n"
    files = {
        "pyproject.toml": PYPROJECT, "backend.py": REQUIREMENT, "attempts.py": ATTEMPTS,
        "facts.json": json.dumps(facts), "PKG-INFO": info,
    }  # fmt: skip
    (root / "links").mkdir()
    pack(root / "links" / "evil-1.0.tar.gz", "evil-1.0", files)


def pack(path: Path, top: str, files: dict[str, str]) -> None:
    """A tar of these files, as an sdist is."""
    with tarfile.open(path, "w:gz") as packed:
        for name, text in files.items():
            about = tarfile.TarInfo(f"{top}/{name}")
            about.size = len(text.encode())
            packed.addfile(about, io.BytesIO(text.encode()))


def make(kind: str, envs: Path, spared: list[str]) -> Iterator[Den]:
    root = Path(tempfile.mkdtemp(prefix="den-"))
    root.chmod(0o755)
    try:
        with planted(root / "planted") as found:
            facts = {**found.facts, "spared": spared}
            requirement(root, facts)
            files = {"backend.py": HOSTILE, "attempts.py": ATTEMPTS, "facts.json": json.dumps(facts)}
            tiny(root / "tiny", behaviour="nothing", **files)
            yield Den(kind, root, envs, found)
    finally:
        shutil.rmtree(root)


@pytest.fixture(scope="module")
def envs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("envs")


@pytest.fixture(params=["bubblewrap", "namespaces"])
def den(request: pytest.FixtureRequest, envs: Path) -> Iterator[Den]:
    try:
        isolation(request.param, Path("/nowhere"))
    except SetupError as error:
        pytest.skip(f"NOT TESTED: {request.param} does not run here: {error.why}")
    yield from make(request.param, envs, [])


def test_what_the_hostile_get_in_a_build_and_in_its_hooks(den: Den) -> None:
    den.behave("attack")
    made = den.build()
    assert reports(made[SDIST]) == {"hook.json": [], "build.json": []}
    log = next((den.root / "state" / "logs").iterdir()).read_text()
    assert "WHEEL-HOOK[]" in log
    assert den.found.unharmed()
    assert not [path for path in den.envs.rglob("*evil*") if path.name in {"evil.pth", "evil.pyc", "evil"}]


OPEN = {"speak_tcp", "speak_udp", "route_anywhere", "speak_abstract"}


def test_what_a_hostile_requirement_gets_while_it_is_installed(den: Den) -> None:
    """The network, and the environment that is being made: no other set of requirements will ever meet that."""
    den.build('["evil==1.0"]')
    report = max(den.envs.rglob("evil_report.json"), key=lambda path: path.stat().st_mtime)
    assert set(json.loads(report.read_text())) <= OPEN | {"write_environment"}
    assert den.found.unharmed()


def test_without_isolation_they_get_what_there_is(tmp_path: Path) -> None:
    """What the table above says is worth something: here it says otherwise."""
    spared = ["look_for_secrets", "write_what_is_shown", "write_after_remounting", "take_terminal", "kill_process"]
    for den in make("none", tmp_path / "envs", spared):
        den.behave("attack")
        for got in reports(den.build()[SDIST]).values():
            assert {
                "read_secrets",
                "see_processes",
                "write_outside",
                "speak_tcp",
                "speak_unix",
                "speak_abstract",
            } <= set(got)


@pytest.mark.parametrize(
    ("behaviour", "code"),
    [
        ("hard-link", "build-failed"),
        ("device", "build-failed"),
        ("devour", "build-failed"),
        ("bomb", "build-failed"),
        ("share", "memory-full"),
        ("fill-all", "disk-full"),
        ("speak-of-space", "build-failed"),
    ],
)
def test_what_they_do_to_the_build_itself(den: Den, behaviour: str, code: str) -> None:
    den.behave(behaviour)
    with pytest.raises((ProjectError, SetupError)) as caught:
        den.build(
            limit=20.0, memory=1 << (30 if behaviour == "bomb" else 28), processes=100
        )  # a hundred have some MB each
    assert caught.value.code == code
    assert caught.value.why.replace("\n", "").isprintable()
    assert ("`disk` in [build]" in caught.value.hint) == ("space" in behaviour or code == "disk-full")
    assert ("`memory` in [build]" in caught.value.hint) == (behaviour in {"devour", "share"})
    assert den.found.unharmed()
    assert list((den.root / "rooms").iterdir()) == []


def test_outputs_that_change_afterwards_are_what_was_taken(den: Den) -> None:
    """Damaged or whole, what is kept is what was looked at; whoever changes it dies with the cell."""
    den.behave("change-afterwards")
    try:
        den.build()
    except ProjectError as error:
        assert error.code.startswith(("archive-", "output-", "build-"))  # noqa: PT017
    assert gone("while :; do echo x")


def test_who_speaks_in_the_place_of_the_hooks_ends_the_build_and_nothing_else(den: Den) -> None:
    den.behave("speak-for-the-hooks")
    try:
        den.build(limit=20.0)
    except ProjectError as error:
        assert error.code == "build-failed"  # noqa: PT017
    assert den.found.unharmed()


VOICE = """
import json, os, sys, time
for said in {frames!r}:
    data = said if isinstance(said, bytes) else json.dumps(said).encode()
    os.write(int(sys.argv[1]), len(data).to_bytes(8, "big") + data)
time.sleep(600)
"""
DONE = {"values": [], "fault": ""}
NAMED = {"values": [[], "tiny-1.0.tar.gz"], "fault": ""}


@pytest.mark.parametrize(
    ("frames", "code"),
    [
        ([{"values": [5], "fault": ""}], "requirements-"),
        ([{"values": [["\ud800"]], "fault": ""}], "requirements-invalid"),
        ([{"values": [["x" * 200_000]], "fault": ""}], "requirements-invalid"),
        ([DONE], "build-failed"),
        ([{"values": [], "fault": "of another planet"}], "build-failed"),
        ([{"values": [], "fault": "file"}], "build-failed"),
        ([{"values": [], "fault": ["hook"]}], "build-failed"),
        ([["values", "fault"]], "build-failed"),
        ([b"[" * 100_000], "build-failed"),
        ([{**NAMED, "loaded": 5}], "build-failed"),
        ([{"values": [[], "../tiny-1.0.tar.gz"], "fault": ""}], "output-invalid"),
        ([NAMED, {"values": ["\x1b[2J\u202eall is well"], "fault": "file"}], "output-invalid"),
        ([NAMED, {"values": ["a", 5], "fault": "file"}], "output-invalid"),
        ([NAMED, DONE, b"x", b""], "archive-damaged"),
    ],
)
def test_who_answers_for_the_hooks_is_not_believed(tmp_path: Path, envs: Path, frames: list[object], code: str) -> None:
    """The backend of a project runs where its answers are written: it can say anything, in the right form too."""
    shop = Workshop(tmp_path / "shop", envs)
    shop.builder = shop.make(limit=3.0)
    repo = tiny(tmp_path / "tiny", **{"backend.py": VOICE.format(frames=[DONE, *frames])})
    assert refused(ProjectError, shop.build, repo).code.startswith(code)
    assert shop.left() == []


WHEEL = """
import os, zipfile
from pathlib import Path

def packed(directory, version):
    info = f"evil-{version}.dist-info"
    with zipfile.ZipFile(Path(directory, f"evil-{version}-py3-none-any.whl"), "w") as wheel:
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\\nName: evil\\nVersion: {version}\\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr(f"{info}/RECORD", "")
    return f"evil-{version}-py3-none-any.whl"
"""
LITTER = """
def build_wheel(directory, config_settings=None, metadata_directory=None):
    site = next(Path("/env/lib").glob("python3*/site-packages"))
    for name in ("pipe-1", "link-1", "lost-1", "vast-1"):
        (site / f"{name}.dist-info").mkdir()
    os.mkfifo(site / "pipe-1.dist-info" / "RECORD")
    os.symlink("/etc/passwd", site / "link-1.dist-info" / "RECORD")
    os.symlink("nowhere", site / "lost-1.dist-info" / "RECORD")
    os.symlink("/env", site / "round-1.dist-info")
    Path(site, "vast-1.dist-info", "RECORD").touch()
    os.truncate(site / "vast-1.dist-info" / "RECORD", 1 << 25)
    Path("/env/RECORD").write_text("")
    for path, mode in (("deep", 0), ("open", 0o7777)):
        Path("/env", path).mkdir()
        Path("/env", path, "program").write_text("")
        Path("/env", path, "program").chmod(0o6777)
        Path("/env", path).chmod(mode)
    return packed(directory, "2.0")
"""


def test_what_a_hostile_requirement_leaves_is_not_followed_and_nobody_gains_by_it(den: Den) -> None:
    """A pipe that is never written, a link to a file of ours, a program that makes whoever runs it become us."""
    files = {
        "pyproject.toml": PYPROJECT,
        "backend.py": WHEEL + LITTER,
        "PKG-INFO": "Metadata-Version: 2.1\nName: evil\nVersion: 2.0\n",
    }
    pack(den.root / "links" / "evil-2.0.tar.gz", "evil-2.0", files)
    den.build('["evil==2.0"]')
    env = max(den.envs.glob("*/deep/program"), key=lambda path: path.stat().st_mtime_ns).parent.parent
    assert [path.parent.name for path in installed(env)] == ["evil-2.0.dist-info"]
    modes = {stat.S_IMODE(path.stat().st_mode) for name in ("deep", "open") for path in (env / name).iterdir()}
    assert modes == {0o555}
    assert {stat.S_IMODE((env / name).stat().st_mode) for name in ("deep", "open")} == {0o755}


DEEP = """
def build_wheel(directory, config_settings=None, metadata_directory=None):
    os.chdir("/env")
    for _ in range(int({depth})):
        os.mkdir("{name}")
        os.chdir("{name}")
    open("file", "w").close()
    return packed(directory, "3.0")
"""


@pytest.mark.parametrize(("name", "depth"), [("d", 2000), ("long" * 60, 30)])
def test_a_hostile_requirement_digs_deep(den: Den, name: str, depth: int) -> None:
    info = "Metadata-Version: 2.1\nName: evil\nVersion: 3.0\n"
    files = {"pyproject.toml": PYPROJECT, "backend.py": WHEEL + DEEP.format(name=name, depth=depth), "PKG-INFO": info}
    pack(den.root / "links" / "evil-3.0.tar.gz", "evil-3.0", files)
    with pytest.raises(ProjectError) as caught:
        den.build('["evil==3.0"]')
    assert (caught.value.code, "too deep" in caught.value.why) == ("requirements-unsatisfiable", True)
    assert list((den.root / "rooms").iterdir()) == []
