import pytest

from tagtrail.formats.metadata import Metadata, check_file_name, check_identity, parse_metadata
from tagtrail.model.errors import ProjectError

FULL = b"Metadata-Version: 2.4\nName: oslo.config\nVersion: 9.7.0\nRequires-Python: >=3.9\nX-Odd: 1\n\n# Description\n"


def code(call: object, *args: object, **options: object) -> str:
    assert callable(call)
    with pytest.raises(ProjectError) as caught:
        call(*args, **options)
    return caught.value.code


@pytest.mark.parametrize(
    ("data", "wanted"),
    [
        (FULL, Metadata(name="oslo.config", version="9.7.0", requires_python=">=3.9")),
        (b"Name: a\nVersion: 1\n", Metadata(name="a", version="1")),
        (b"Metadata-Version: 99.9\r\nName: a\r\nVersion: 1\r\n", Metadata(name="a", version="1")),
        ("Name: a\nVersion: 1\nSummary: caf\u00e9\n".encode(), Metadata(name="a", version="1")),
    ],
)
def test_what_a_release_needs_is_read(data: bytes, wanted: Metadata) -> None:
    found = parse_metadata(data, "PKG-INFO")
    assert (found.name, found.version, found.requires_python) == (wanted.name, wanted.version, wanted.requires_python)


def test_everything_that_rules_ask_about_is_read() -> None:
    data = b"""Metadata-Version: 2.4
Name: a
Version: 1
Summary: short
Home-page: https://a.example
Project-URL: Source, https://a.example/git
License-Expression: MIT
License-File: LICENSE
Classifier: Programming Language :: Python
Requires-Dist: b>=1
Dynamic: Version
Description-Content-Type: text/markdown

# A
"""
    assert parse_metadata(data, "PKG-INFO") == Metadata(
        name="a",
        version="1",
        form="2.4",
        summary="short",
        description="# A\n",
        content_type="text/markdown",
        license_expression="MIT",
        license_files=("LICENSE",),
        classifiers=("Programming Language :: Python",),
        requires=("b>=1",),
        urls=(("Source", "https://a.example/git"), ("Home-page", "https://a.example")),
        dynamic=("version",),
        faults=(("dynamic", "'version' is not allowed as a dynamic field"),),
    )


FAULTS = [
    (b"Metadata-Version: 9.9\n", "metadata-version"),
    (b"Metadata-Version: 2.4\nLicense-Expression: MITT\n", "license-expression"),
    (b"Metadata-Version: 2.4\nRequires-Python: 3 and more\n", "requires-python"),
    (b"Metadata-Version: 2.4\nRequires-Dist: b >=\n", "requires-dist"),
    (b"Metadata-Version: 2.4\nDescription-Content-Type: text/html\n", "description-content-type"),
    (b"Metadata-Version: 2.4\nSummary: a\nSummary: b\n", "summary"),
    (b"Metadata-Version: 2.4\nX-Odd: 1\n", "x-odd"),
]


@pytest.mark.parametrize(("head", "field"), FAULTS)
def test_a_fault_is_told_with_its_field(head: bytes, field: str) -> None:
    assert [f for f, _ in parse_metadata(head + b"Name: a\nVersion: 1\n", "PKG-INFO").faults] == [field]


def test_a_field_older_than_its_place_is_no_fault() -> None:
    old = parse_metadata(b"Metadata-Version: 2.1\nName: a\nVersion: 1\nLicense-File: COPYING\n", "PKG-INFO")
    assert (old.faults, old.license_files) == ((), ())


@pytest.mark.parametrize(
    "data",
    [
        b"", b"Version: 1\n", b"Name: a\n", b"Name: a\nName: b\nVersion: 1\n", b"Name: a\nVersion: \n",
        b"Name: \xff\nVersion: 1\n", b"\n\nName: a\nVersion: 1\n",
    ],
)  # fmt: skip
def test_metadata_that_cannot_be_read(data: bytes) -> None:
    assert code(parse_metadata, data, "PKG-INFO") == "metadata-invalid"


@pytest.mark.parametrize(
    ("name", "version", "project", "tag"),
    [
        ("oslo.config", "9.7.0", "oslo.config", "9.7.0"),
        ("Oslo_Config", "9.7", "oslo-config", "9.7.0"),
        ("a", "1.0rc1", "a", "1.0.0.0rc1"),
        ("a", "1.0+local", "a", "1.0+local"),
        ("a", "odd", "a", "odd"),
    ],
)
def test_names_and_versions_that_mean_the_same(name: str, version: str, project: str, tag: str) -> None:
    check_identity(Metadata(name=name, version=version), project=project, version=tag, where="x")


@pytest.mark.parametrize(
    ("name", "version", "reason"),
    [
        ("oslo.cfg", "9.7.0", "name-mismatch"),
        ("oslo.config", "9.7.1", "version-mismatch"),
        ("oslo.config", "9.7.0rc1", "version-mismatch"),
        ("oslo.config", "9.7.0+dirty", "version-mismatch"),
        ("oslo.config", "1!9.7.0", "version-mismatch"),
        ("oslo.config", "unknown", "version-mismatch"),
    ],
)
def test_names_and_versions_that_differ(name: str, version: str, reason: str) -> None:
    found = Metadata(name=name, version=version)
    assert code(check_identity, found, project="oslo.config", version="9.7.0", where="PKG-INFO") == reason


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("oslo_config-9.7.0.tar.gz", "sdist"),
        ("oslo.config-9.7.0.tar.gz", "sdist"),
        ("oslo.config-9.7.tar.gz", "sdist"),
        ("oslo_config-9.7.0-py3-none-any.whl", "wheel"),
        ("oslo_config-9.7.0-1-cp311-cp311-manylinux_2_17_x86_64.whl", "wheel"),
    ],
)
def test_file_names_of_the_release(name: str, kind: str) -> None:
    check_file_name(name, kind, project="oslo.config", version="9.7.0")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "kind", "reason"),
    [
        ("other-9.7.0.tar.gz", "sdist", "name-mismatch"),
        ("oslo_config-9.7.1.tar.gz", "sdist", "version-mismatch"),
        ("oslo_config-9.7.0.tar.xz", "sdist", "output-invalid"),
        ("oslo_config.tar.gz", "sdist", "output-invalid"),
        ("oslo_config-9.7.0-py3-none-any.whl", "sdist", "output-invalid"),
        ("oslo_config-9.7.0.tar.gz", "wheel", "output-invalid"),
        ("oslo_config-9.7.0-py3-none.whl", "wheel", "output-invalid"),
        ("other-9.7.0-py3-none-any.whl", "wheel", "name-mismatch"),
        ("oslo_config-9.7.1-py3-none-any.whl", "wheel", "version-mismatch"),
    ],
)
def test_file_names_of_another_release(name: str, kind: str, reason: str) -> None:
    assert code(check_file_name, name, kind, project="oslo.config", version="9.7.0") == reason
