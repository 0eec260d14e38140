"""Nine real projects, each built twice in surroundings that have nothing in common: the same bytes.

Once apart from the machine, as user 65534, in /build; once as ourselves without isolation, in another directory, with
another umask, time zone, locale and HOME, from a clone to which tags were added since. The second build is pinned to
what the first one recorded.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tagtrail.adapters.index_view import view
from tagtrail.model.facts import Material, Remark
from tagtrail.model.settings import Project
from tagtrail.rules.book import judge
from tagtrail.rules.facts import After
from tagtrail.rules.registry import AFTER
from tagtrail.workflows.contents import described
from tagtrail.workflows.reproduce import pins_of
from tests.adapters.projects import repository

pytestmark = [pytest.mark.client, pytest.mark.index, pytest.mark.slow]
HERE = Path(__file__).parent
ROOT = HERE.parents[1]

PROJECTS = [
    ("iniconfig", "2.0.0"),  # hatch-vcs
    ("oslo.config", "9.7.0"),  # pbr
    ("python-novaclient", "18.8.0"),  # pbr
    ("reno", "4.1.0"),  # pbr, setup.py only
    ("packaging", "24.2"),  # flit
    ("structlog", "25.1.0"),  # hatch-vcs
    ("findpython", "0.6.2"),  # PDM
    ("radon", "6.0.1"),  # poetry
    ("MarkupSafe", "3.0.2"),  # a C extension
]

SAID: dict[str, set[tuple[str, str]]] = {
    "iniconfig": {("META007", "warning")},  # the licence twice
    "oslo.config": {("META010", "warning")},  # no Description-Content-Type
    "python-novaclient": {("META010", "warning"), ("FILE005", "warning")},  # a key that its tests made
    "reno": {("META010", "warning")},
    "packaging": {("FILE006", "warning")},  # its sdist has a .pytest_cache
    "structlog": {("META007", "warning")},
    "radon": {("META008", "warning"), ("META010", "warning")},  # <4.0
    "MarkupSafe": {("FILE009", "error")},  # linux_x86_64, as built on any machine: no index takes it
}
"""The rules that say something of one that goes to an index."""


def project(name: str, version: str, at: Path) -> Path:
    script = [sys.executable, ROOT / "scripts" / "real_project.py", name, version, at / "repo", "--keys", at / "keys"]
    done = subprocess.run([*map(str, script), "--key", "ssh"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return at / "repo"


def built(order: dict[str, Any], umask: int = 0o022, **environ: str) -> dict[str, Any]:
    env = {k: v for k, v in os.environ.items() if not k.startswith(("LC_", "LANG", "XDG_"))} | environ
    done = subprocess.run(
        [sys.executable, HERE / "elsewhere.py"], input=json.dumps(order), env=env, umask=umask, text=True,
        capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def git(repo: Path, *words: str) -> None:
    named = ("-c", "user.name=Somebody", "-c", "user.email=somebody@example.org", "-c", "tag.gpgSign=false")
    subprocess.run(["git", "-C", repo, *named, *words], check=True, capture_output=True)


@pytest.mark.parametrize(("name", "version"), PROJECTS, ids=[name for name, _ in PROJECTS])
def test_the_same_bytes_anywhere(name: str, version: str, tmp_path: Path) -> None:
    repo = project(name, version, tmp_path)
    order = {"name": name, "tag": version}
    here = order | {"root": str(tmp_path / "a"), "repo": str(repo), "isolation": "bubblewrap", "pins": []}
    first = built(here)
    assert built(here) == first, "with the environment kept, and what hooks imported the last time"

    other = tmp_path / "b" / "quite-another-place"
    clone = other / "clone"
    subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", repo, clone], check=True)
    # a tag of an end of life and a later final on the same commit, a later release: pbr would read the first two
    git(clone, "tag", "-a", "-m", "eol", f"{version}-eol", version)
    git(clone, "tag", "-a", "-m", "again", f"{version}.1", version)
    git(clone, "commit", "--quiet", "--allow-empty", "-m", "later")
    git(clone, "tag", "-a", "-m", "later", "999.0.0")
    home = other / "home"
    home.mkdir(mode=0o700)
    second = built(
        order
        | {
            "root": str(other / "state"),
            "repo": str(clone),
            "isolation": "none",
            "pins": pins_of(Material(uri=uri, record=record) for uri, record in first["materials"]),
        },
        0o077, TZ="Asia/Kolkata", LC_ALL="POSIX", LANG="de_DE.ISO-8859-1", HOME=str(home), USER="jo", LOGNAME="jo",
    )  # fmt: skip
    assert second["refs"] == first["refs"], "a build sees the tag and those below it, whatever came later"
    assert second == first

    verdict = judge(AFTER, after(name, version, first))
    assert {(f.rule, f.level) for f in verdict.findings} == SAID.get(name, set())
    assert [rule for rule, _ in verdict.skipped] == ["META012"], "it is no patch of a release whose metadata are here"


NATIVE = {
    "setuptools": {
        "pyproject.toml": '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n',
        "setup.py": """
from setuptools import Extension, setup
setup(py_modules=[], ext_modules=[Extension("one", ["one.c"]), Extension("two", ["two.cpp"])])
""",
    },
    "meson": {
        "pyproject.toml": '[build-system]\nrequires = ["meson-python"]\nbuild-backend = "mesonpy"\n',
        "meson.build": """
project('native', 'c', 'cpp', version: '1.0', default_options: ['debug=true'])
py = import('python').find_installation(pure: false)
py.extension_module('one', 'one.c', install: true)
py.extension_module('two', 'two.cpp', install: true)
""",
    },
}
MODULE = """
#include <Python.h>
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, __FILE__, "", -1, 0};
PyMODINIT_FUNC PyInit_NAME(void) { return PyModule_Create(&module); }
"""


@pytest.mark.parametrize("backend", NATIVE)
def test_c_and_cpp_are_the_same_in_a_cell_and_in_none(backend: str, tmp_path: Path) -> None:
    """Debuggers are told where sources were: the interpreter's own flags have `-g`."""
    repo = repository(tmp_path / "repo")
    vector = "#include <vector>\nstd::vector<int> numbers(9);\n"
    files = {"one.c": MODULE.replace("NAME", "one"), "two.cpp": vector + MODULE.replace("NAME", "two")}
    said = '[project]\nname = "native"\nversion = "1.0"\n'
    repo.commit(files | NATIVE[backend] | {"pyproject.toml": NATIVE[backend]["pyproject.toml"] + said})
    repo.tag("1.0")
    order = {"name": "native", "tag": "1.0", "repo": str(repo.path), "pins": []}
    made = [
        built(order | {"root": str(tmp_path / place), "isolation": kind})["files"]
        for kind, place in (("bubblewrap", "a"), ("namespaces", "b"), ("none", "c/further/down"))
    ]
    assert made[0] == made[1] == made[2]


def after(name: str, version: str, made: dict[str, Any]) -> After:
    """What rules are told, of a project that goes to an index."""
    generated = tuple((file[0], tuple(file[3])) for file in made["files"])
    return After(
        project=name,
        version=version,
        files=tuple(file for file, _ in generated),
        generated=generated,
        settings=Project(name=name, kind="library", repo="", signers=(), build=("sdist", "wheel")),
        indexed=True,
        described=described(((file, text.encode()) for file, text in made["said"]), view),
        remarks=tuple((file, Remark(kind=k, member=m, what=what)) for file, k, m, what in made["remarks"]),
    )
