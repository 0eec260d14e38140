import pytest

from tagtrail.formats.buildsystem import BuildSystem, parse_build_system
from tagtrail.model.errors import ProjectError

LEGACY = BuildSystem(requires=("setuptools >= 40.8.0",), backend="setuptools.build_meta:__legacy__")


@pytest.mark.parametrize(
    ("text", "has_setup", "wanted"),
    [
        (None, True, LEGACY),
        ("", False, LEGACY),
        ("[project]\nname = 'a'\n", False, LEGACY),
        ("[build-system]\nrequires = ['pbr']\n", False, BuildSystem(requires=("pbr",))),
        (
            "[build-system]\nrequires = ['hatchling']\nbuild-backend = 'hatchling.build'\n",
            False,
            BuildSystem(requires=("hatchling",), backend="hatchling.build"),
        ),
        (
            "[build-system]\nrequires = []\nbuild-backend = 'a.b:c.d'\nbackend-path = ['.', 'tools/build']\n",
            True,
            BuildSystem(requires=(), backend="a.b:c.d", path=(".", "tools/build")),
        ),
    ],
)
def test_what_builds_a_project(text: str | None, has_setup: bool, wanted: BuildSystem) -> None:
    assert parse_build_system(text, has_setup=has_setup) == wanted


@pytest.mark.parametrize(
    ("text", "has_setup", "code"),
    [
        (None, False, "build-system-missing"),
        ("[build-system", False, "pyproject-invalid"),
        ("build-system = 'x'", False, "pyproject-invalid"),
        ("[build-system]\n", False, "pyproject-invalid"),
        ("[build-system]\nrequires = 'a'\n", False, "pyproject-invalid"),
        ("[build-system]\nrequires = [1]\n", False, "pyproject-invalid"),
        ("[build-system]\nrequires = []\nbuild-backend = 1\n", False, "pyproject-invalid"),
        ("[build-system]\nrequires = []\nbuild-backend = 'a b'\n", False, "pyproject-invalid"),
        ("[build-system]\nrequires = []\nbuild-backend = ''\n", False, "pyproject-invalid"),
        ("[build-system]\nrequires = []\nbackend-path = 'x'\n", False, "pyproject-invalid"),
        ("[build-system]\nrequires = []\nbackend-path = ['/x']\n", False, "pyproject-invalid"),
        ("[build-system]\nrequires = []\nbackend-path = ['a/../../x']\n", False, "pyproject-invalid"),
    ],
)
def test_what_does_not_say_how(text: str | None, has_setup: bool, code: str) -> None:
    with pytest.raises(ProjectError) as caught:
        parse_build_system(text, has_setup=has_setup)
    assert caught.value.code == code
