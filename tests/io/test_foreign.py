from pathlib import Path

import pytest

from tagtrail.io.foreign import check_name, plain, take
from tagtrail.model.errors import ProjectError


def test_a_file_is_taken_over(tmp_path: Path) -> None:
    assert take("file", [b"xx", b"xxx"], tmp_path / "to", 5).read_bytes() == b"x" * 5


@pytest.mark.parametrize("name", ["", ".", "..", "../file", "/etc/passwd", "a/b", "a\\b", "a\nb"])
def test_names_that_are_none(name: str) -> None:
    with pytest.raises(ProjectError) as caught:
        check_name(name)
    assert caught.value.code == "output-invalid"
    assert caught.value.what.isprintable()


@pytest.mark.parametrize(
    ("pieces", "why"), [([b"xxx", b"xxx"], "it is bigger than 5 bytes"), ([], "it is empty"), ([b""], "it is empty")]
)
def test_what_is_too_big_or_nothing_is_not_taken(tmp_path: Path, pieces: list[bytes], why: str) -> None:
    with pytest.raises(ProjectError) as caught:
        take("file", pieces, tmp_path / "to", 5)
    assert (caught.value.code, caught.value.why) == ("output-invalid", why)


def test_a_link_is_called_one(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/etc/passwd")
    with pytest.raises(ProjectError) as caught, plain(tmp_path / "link"):
        pass
    assert (caught.value.code, caught.value.why) == ("output-invalid", "it is a link")
    assert caught.value.hint
