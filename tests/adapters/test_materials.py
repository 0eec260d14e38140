"""What a build says that it used: the interpreter, and what its environment holds."""

import platform
from hashlib import sha256
from pathlib import Path

import pytest

from tagtrail.adapters.builder.backends import _materials
from tagtrail.adapters.builder.environments import Environments
from tagtrail.adapters.builder.pep517 import Pep517
from tagtrail.adapters.git import GitSource
from tagtrail.model.facts import Material
from tagtrail.ports import BuildOrder
from tagtrail.testing.memory import Kept
from tests.adapters.projects import tiny

PYTHON = Material(uri=f"pkg:generic/{platform.python_implementation().lower()}@{platform.python_version()}")


def test_an_environment_is_its_packages_by_their_records(tmp_path: Path) -> None:
    packages = tmp_path / "lib" / "python3.11" / "site-packages"
    for name, record in (("My_Lib-1.0+local.1", b"a"), ("pbr-7.0.1", b"b")):
        (packages / f"{name}.dist-info").mkdir(parents=True)
        (packages / f"{name}.dist-info" / "RECORD").write_bytes(record)
    (packages / "pbr").mkdir()
    (packages / "half-1.0.dist-info").mkdir()
    assert {*_materials(tmp_path)} == {
        PYTHON,
        Material(uri="pkg:pypi/my-lib@1.0%2Blocal.1", record=sha256(b"a").hexdigest()),
        Material(uri="pkg:pypi/pbr@7.0.1", record=sha256(b"b").hexdigest()),
    }


@pytest.mark.client
def test_a_build_names_what_it_used(tmp_path: Path) -> None:
    repo = tiny(tmp_path / "repo")
    source, scratch = GitSource(tmp_path / "mirrors"), tmp_path / "scratch"
    found = source.read(str(repo.path), "1.0")
    objects = source.objects(str(repo.path), "1.0", found.commit)
    order = BuildOrder(
        project="tiny", version="1.0", tag="1.0", commit=found.commit, epoch=found.time, builds=("sdist", "wheel"),
        refs=objects.refs,
    )  # fmt: skip
    builder = Pep517(tmp_path / "state", scratch, Environments(tmp_path / "envs", scratch, clock=lambda: 1))
    made = builder.build(order, objects, Kept())
    assert [artifact.materials for artifact in made] == [(PYTHON,)] * 2
