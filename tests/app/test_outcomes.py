"""The version that is proposed in the place of one that is burned or withdrawn."""

import pytest

from tagtrail.app.terminal.outcomes import following


@pytest.mark.parametrize(
    ("version", "taken", "proposed"),
    [
        ("33.0.0", (), "33.0.1"),
        ("1.0", (), "1.0.1"),
        ("1", (), "1.0.1"),
        ("2!1.0", (), "2!1.0.1"),
        ("1.0.0.post1", (), "1.0.1"),
        ("1.0.0", ("1.0.0", "1.0.1", "1.1.0"), "1.0.2"),
        ("1.0.0", ("1.0.0", "1.0.1", "1.0.3"), "1.0.2"),
        ("1.0.0", ("v1.0.1.0",), "1.0.2"),
        ("1.0.0", ("1.0.1rc1",), "1.0.1"),
        ("33.0.0.0rc1", ("33.0.0.0rc1", "33.0.0.0rc2"), "33.0.0.0rc3"),
        ("1.0a1.dev3", (), "1.0a2"),
        ("not a version", ("1.0",), "a new version"),
    ],
)
def test_the_version_to_take_instead_is_free(version: str, taken: tuple[str, ...], proposed: str) -> None:
    assert following(version, taken) == proposed
