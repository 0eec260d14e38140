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
            Declared(python=True, name="a", version="1.0", backend="hatchling", asks=()),
        ),
        (
            '[project]\nname = "a"\ndynamic = ["version"]\nclassifiers = ["X :: Y"]\n',
            None,
            Declared(python=True, name="a", classifiers=("X :: Y",), asks=()),
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
        (
            '[project]\nname = 3\n[tool.tagtrail]\npublish = ["x"]\n',
            None,
            Declared(python=True, own=("publish",), asks=()),
        ),
        ('project = "x"\n', None, Declared()),
    ],
)
def test_declared(pyproject: str | None, setup_cfg: str | None, says: Declared) -> None:
    assert declared(pyproject, setup_cfg) == says


POETRY = """\
[tool.poetry.dependencies]
python = "^3.8"
requests = "~2.31"
rich = { version = ">=13", optional = true }
click = "*"
attrs = "~=23.1"
lxml = "5.1"
"""
PBR_ASKS = "# comment\npbr>=2.0 # Apache-2.0\n\n-r other.txt\nxattr>=0.9;sys_platform!='win32' # MIT\n"


@pytest.mark.parametrize(
    ("files", "asks", "pythons"),
    [
        (('[project]\ndependencies = ["a>=1", "b"]\nrequires-python = ">=3.9"', None, None), ("a>=1", "b"), ">=3.9"),
        (('[project]\nname = "a"', None, "pbr>=2"), (), ""),
        (('[project]\ndynamic = ["dependencies"]', None, None), None, ""),
        (
            ('[project]\ndynamic = ["dependencies"]', "[options]\ninstall_requires =\n  a>=1\n  b", None),
            ("a>=1", "b"),
            "",
        ),
        ((None, "[options]\npython_requires = >=3.6\ninstall_requires = file: r.txt", None), None, ">=3.6"),
        ((POETRY, None, None), ("requests>=2.31", "rich>=13", "click", "attrs~=23.1", "lxml>=5.1"), ">=3.8"),
        (
            (SYSTEM.format("pbr", "pbr.build"), "[metadata]\npython-requires = >=3.10", PBR_ASKS),
            ("pbr>=2.0", "xattr>=0.9;sys_platform!='win32'"),
            ">=3.10",
        ),
        ((None, "[metadata]\nname = a", "pbr>=2"), None, ""),
    ],
)
def test_requirements(
    files: tuple[str | None, str | None, str | None], asks: tuple[str, ...] | None, pythons: str
) -> None:
    says = declared(*files)
    assert (says.asks, says.pythons) == (asks, pythons)


@pytest.mark.parametrize("text", ["[project", "a = 1\na = 2\n", "x = " + "[" * 10_000])
def test_broken(text: str) -> None:
    assert declared(text, None).broken.startswith("pyproject.toml is not TOML")


@pytest.mark.parametrize(
    "text", ["x = " + "1" * 5000, "[" + "a." * 2000 + "a]", "#" * (2**20 + 1), "a = " + "[" * 5000]
)
def test_a_pyproject_that_nobody_wrote_is_broken_and_quickly_so(text: str) -> None:
    assert declared(text, None).broken
