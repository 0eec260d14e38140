"""File names that other hands chose: which version each says, and what only says something about another file."""

import pytest

from tagtrail.rules.filenames import beside, version_of


@pytest.mark.parametrize(
    ("project", "name", "version"),
    [
        ("nova", "nova-33.0.0.tar.gz", "33.0.0"),
        ("nova", "Nova_33.0.0.tgz", "33.0.0"),
        ("nova", "nova-33.0.0rc1.tar.xz", "33.0.0rc1"),
        ("nova", "nova-v33.0.0.zip", "33.0.0"),
        ("nova", "nova-33.0.0-setup.exe", "33.0.0"),
        ("oslo.config", "oslo.config-9.7.0.tar.gz", "9.7.0"),
        ("oslo.config", "oslo_config-9.7.0-py3-none-any.whl", "9.7.0"),
        ("python-nova", "python-nova-1.0.tar.gz", "1.0"),
        ("nova", "novaclient-1.0.tar.gz", ""),
        ("nova", "python-nova-1.0.tar.gz", ""),
        ("nova", "cinder-1.0-py3-none-any.whl", ""),
        ("nova", "nova.tar.gz", ""),
        ("nova", "README", ""),
        ("nova", f"nova-1.0{'0' * 300}.tar.gz", ""),
    ],
)
def test_a_name_says_one_version_or_none(project: str, name: str, version: str) -> None:
    assert version_of(project, name) == version


def test_other_schemes_are_read_to_the_suffix() -> None:
    assert version_of("nova", "nova-1.0.0-rc.1.tar.gz", "semver") == "1.0.0-rc.1"
    assert version_of("nova", "nova-1.0.0-rc.1-setup.exe", "semver") == ""


@pytest.mark.parametrize("name", ["a.tar.gz.asc", "a.whl.sigstore.json", "a.tar.gz.SHA256", "a.tar.gz.tlog-proof"])
def test_what_is_beside_a_file_is_no_file(name: str) -> None:
    assert beside(name)
    assert not beside(name.partition(".")[0] + ".tar.gz")
