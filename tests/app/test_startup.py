"""What `tagtrail verify` and a release load: by name, because a clock would only say that something is slow, on some
machines."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.app.desk import lay, lay_root
from tests.verify.workshop import Workshop

SHOP = Workshop()
ROOT = Path(__file__).parents[2]

FOREIGN = {"_cffi_backend", "_openssl", "cryptography"}
"""What verify may load that is neither ours nor Python's (cryptography's parts of C included)."""

HEAVY = {
    "asyncio", "bz2", "calendar", "concurrent", "ctypes", "dataclasses", "datetime", "difflib", "email", "http",
    "importlib.metadata", "inspect", "logging", "lzma", "multiprocessing", "packaging", "pickle", "platform", "random",
    "shutil", "socket", "sqlite3", "ssl", "statistics", "subprocess", "tarfile", "tempfile", "tomllib", "traceback",
    "urllib.request", "uuid", "xml", "zipfile", "_strptime",
}  # fmt: skip
"""Modules of Python's library that take longer to load than a small file to prove."""

ROOMS = ("adapters", "io", "pages", "ports", "rules", "testing", "trail", "workflows")
"""Rooms that verify has nothing to do with."""

PROBE = """
import sys
before = set(sys.modules)
{run}
print(" ".join(sorted(set(sys.modules) - before)), file=sys.stderr)
"""
COMMAND = "from tagtrail.app.main import main; assert main() == 0"
OPENPGP = """
from tagtrail.verify.tags import judge_tag
from tests.verify.vectors import keys, tag
judge_tag(tag("good"), name="good", keys=keys("jo.asc"), at=None)
"""


def loaded(*words: object, run: str = COMMAND, **environ: str) -> set[str]:
    """The modules that a command loads, in a process of its own; it must end well."""
    argv = [sys.executable, "-c", PROBE.format(run=run), *map(str, words)]
    done = subprocess.run(
        argv, capture_output=True, text=True, check=False, env=os.environ | environ, timeout=60, cwd=ROOT
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return set(done.stderr.splitlines()[-1].split())


def foreign(modules: set[str]) -> set[str]:
    """Top-level packages that are neither ours nor Python's."""
    return {name.partition(".")[0] for name in modules} - sys.stdlib_module_names - {"tagtrail", "tests"}


def packages(modules: set[str]) -> set[str]:
    """The modules' packages, and each module's own name."""
    return {".".join(name.split(".")[: n + 1]) for name in modules for n in range(name.count(".") + 1)}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return lay(tmp_path / "d")


@pytest.fixture(params=["root", "root, json", "policy", "pinned"])
def words(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[object, ...]:
    """Each way to say what is trusted, and the two ways to be told."""
    trust, _, told = request.param.partition(", ")
    (tmp_path / "policy").write_bytes(SHOP.policy.encode())
    pin = tmp_path / "config" / "tagtrail" / "trust" / "releases.example.org%2Ftrail.root.json"
    option = {
        "root": ("--root", lay_root(tmp_path / "root.json")),
        "policy": ("--policy", tmp_path / "policy"),
        "pinned": (),
    }[trust]
    if trust == "pinned":
        lay_root(pin)
    return (*option, *(["--json"] if told else []))


def test_verify_loads_what_it_needs(file: Path, words: tuple[object, ...], tmp_path: Path) -> None:
    modules = loaded("verify", file, *words, XDG_CONFIG_HOME=str(tmp_path / "config"), TAGTRAIL_HOME="")
    names = packages(modules)
    assert names & HEAVY == set()
    assert foreign(modules) <= FOREIGN
    assert {f"tagtrail.{room}" for room in ROOMS} & names == set()
    assert {n for n in names if n.startswith("tagtrail.app.commands.")} == {"tagtrail.app.commands.verify"}
    assert "tagtrail.model.facts" not in names
    assert ("pathlib" in names) is ("--root" not in words and "--policy" not in words)  # pins are looked for with it


STANDS = """
from importlib import import_module
for name in ("terminal.console", "commands.release", "instance.workshop", "instance.builders"):
    import_module(f"tagtrail.app.{name}")
"""
ROAD = """
from importlib import import_module
for name in ("commands.release", "instance.workshop", "instance.wiring", "instance.builders", "terminal.outcomes"):
    import_module(f"tagtrail.app.{name}")
for name in ("workflows.ahead", "workflows.release", "adapters.builder.pep517"):
    import_module(f"tagtrail.{name}")
"""
LATER = {
    "asyncio", "concurrent", "configparser", "cyclonedx", "dataclasses", "difflib", "email", "http", "httpx", "inspect",
    "jinja2", "logging", "packaging.tags", "pickle", "ssl", "tarfile", "tempfile", "uuid", "xml", "zipfile",
}  # fmt: skip
"""What a release needs while its backend is at work, or never."""


def test_a_process_stands_ready_before_a_tag_can_be_read() -> None:
    modules = packages(loaded(run=STANDS))
    assert "tagtrail.adapters.builder.pep517" in modules
    ours = {f"tagtrail.{name}" for name in ("adapters.git", "app.terminal.phrases", "formats.policy", "rules", "trail")}
    assert modules & {*LATER, *ours, "packaging", "shutil", "sqlite3", "traceback"} == set()


def test_a_release_begins_with_little() -> None:
    modules = loaded(run=ROAD)
    assert "tagtrail.workflows.release" in modules
    assert packages(modules) & {*LATER, "tagtrail.pages"} == set()


def test_an_openpgp_signature_asks_for_pysequoia_alone() -> None:
    modules = loaded(run=OPENPGP)
    assert "pysequoia" in modules
    assert foreign(modules) <= {*FOREIGN, "pysequoia"}


def test_the_probe_sees_what_is_loaded(tmp_path: Path) -> None:
    names = packages(loaded("init", tmp_path / "home", "--origin", "example.org/trail"))
    assert {"tempfile", "pysequoia", "tagtrail.adapters"} <= names


@pytest.mark.client
def test_the_module_runs_as_the_script_does(file: Path, tmp_path: Path) -> None:
    words = ["verify", str(file), "--root", str(lay_root(tmp_path / "root.json")), "--json"]
    as_module = subprocess.run([sys.executable, "-I", "-m", "tagtrail", *words], capture_output=True, check=True)
    script = Path(sys.executable).with_name("tagtrail")
    as_script = subprocess.run([script, *words], capture_output=True, check=True)
    assert as_module.stdout == as_script.stdout
    assert json.loads(as_module.stdout.splitlines()[0])["ok"] is True
