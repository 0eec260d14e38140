from pathlib import Path

import pytest

from tagtrail.io.foreign import take
from tagtrail.model.errors import ProjectError


def test_a_file_is_taken_over(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x" * 5)
    assert take(tmp_path, "file", tmp_path / "to", 5).read_bytes() == b"x" * 5


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../file", "/etc/passwd", "a/b", "a\\b", "a\nb", "nothing", "link", "to"]
)
def test_what_is_not_taken(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_bytes(b"x")
    (tmp_path / "link").symlink_to("file")
    with pytest.raises(ProjectError) as caught:
        take(tmp_path, name, tmp_path / "to", 5)
    assert caught.value.code == "output-invalid"
    assert caught.value.what.isprintable()


def test_what_is_too_big_is_not_taken(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x" * 6)
    with pytest.raises(ProjectError) as caught:
        take(tmp_path, "file", tmp_path / "to", 5)
    assert caught.value.code == "output-invalid"
