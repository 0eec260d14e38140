"""What a project's files say: each backend's way of saying it."""

import pytest

from tagtrail.rules.declared import Declared, declared

PBR = """\
[metadata]
name = nova
version = 30.0
classifier =
    Environment :: OpenStack
    Natural Language :: English
"""
SYSTEM = '[build-system]\nrequires = ["{0}>=1"]\nbuild-backend = "{1}"\n'


@pytest.mark.parametrize(
    ("pyproject", "setup_cfg", "says"),
    [
        (None, None, Declared()),
        ("", "", Declared()),
        (
            '[project]\nname = "a"\nversion = "1.0"\n' + SYSTEM.format("hatchling", "hatchling.build"),
            None,
            Declared(python=True, name="a", version="1.0", backend="hatchling"),
        ),
        (
            '[project]\nname = "a"\ndynamic = ["version"]\nclassifiers = ["X :: Y"]\n',
            None,
            Declared(python=True, name="a", classifiers=("X :: Y",)),
        ),
        (
            '[tool.poetry]\nname = "a"\nversion = "2"\n' + SYSTEM.format("poetry-core", "poetry.core.masonry.api"),
            None,
            Declared(python=True, name="a", version="2", backend="poetry"),
        ),
        (
            '[build-system]\nrequires = ["setuptools"]\n',
            "[metadata]\nname = a\nversion = attr: a.__version__\n",
            Declared(python=True, name="a", backend="setuptools"),
        ),
        (None, "[metadata]\nname = a\nversion = 1.0\n", Declared(python=True, name="a", version="1.0")),
        (
            SYSTEM.format("pbr", "pbr.build"),
            PBR,
            Declared(
                python=True,
                name="nova",
                backend="pbr",
                classifiers=("Environment :: OpenStack", "Natural Language :: English"),
            ),
        ),
        (None, "[pbr]\n[metadata]\nname = a\nversion = 1\n", Declared(python=True, name="a", backend="pbr")),
        (None, "[flake8]\nmax-line-length = 100\n", Declared()),
        (None, "no section\n", Declared()),
        ('[project]\nname = 3\n[tool.tagtrail]\npublish = ["x"]\n', None, Declared(python=True, own=("publish",))),
        ('project = "x"\n', None, Declared()),
    ],
)
def test_declared(pyproject: str | None, setup_cfg: str | None, says: Declared) -> None:
    assert declared(pyproject, setup_cfg) == says


@pytest.mark.parametrize("text", ["[project", "a = 1\na = 2\n", "x = " + "[" * 10_000])
def test_broken(text: str) -> None:
    assert declared(text, None).broken.startswith("pyproject.toml is not TOML")


@pytest.mark.parametrize("text", ["x = " + "1" * 5000, "[" + "a." * 2000 + "a]", "#" * 1_000_001, "a = " + "[" * 5000])
def test_a_pyproject_that_nobody_wrote_is_broken_and_quickly_so(text: str) -> None:
    assert declared(text, None).broken
