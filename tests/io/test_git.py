import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tagtrail.io.git import Git, Item, items, lay_out
from tagtrail.model.errors import ProjectError, SetupError
from tagtrail.ports import Objects
from tests.adapters.projects import repository

BLOB = "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"


def test_the_answers_of_cat_file() -> None:
    stream = io.BytesIO(f"{BLOB} blob 3\na\nb\nHEAD:nothing missing\n{BLOB} tree 0\n\n".encode())
    assert list(items(stream)) == [
        Item(id=BLOB, kind="blob", content=b"a\nb"),
        Item(id="HEAD:nothing", kind=""),
        Item(id=BLOB, kind="tree"),
    ]


@pytest.mark.parametrize(
    "answer",
    [
        f"{BLOB} blob 3\nab",
        f"{BLOB} blob 3\nabc",
        f"{BLOB} blob",
        f"{BLOB} odd 0\n\n",
        "x blob 0\n\n",
        f"{BLOB} ambiguous\n",
    ],
)
def test_answers_that_break_off(answer: str) -> None:
    with pytest.raises(ProjectError) as caught:
        list(items(io.BytesIO(answer.encode())))
    assert caught.value.code == "objects-missing"


@pytest.mark.client
def test_a_name_that_git_will_not_hear(tmp_path: Path) -> None:
    repo = repository(tmp_path / "repo")
    repo.commit({"a": "x"})
    with pytest.raises(ProjectError) as caught:
        Git(directory=repo.path).items(["HEAD:a", "HEAD:../a"])
    assert caught.value.code == "objects-missing"


def test_there_is_no_git() -> None:
    script = (
        "from pathlib import Path\nfrom tagtrail.io.git import Git\nfrom tagtrail.model.errors import SetupError\n"
        "try: Git(directory=Path('/')).run('version')\n"
        "except SetupError as error: print(error.code, error.hint)\n"
    )
    env = {**os.environ, "PATH": "/nonexistent"}
    done = subprocess.run([sys.executable, "-c", script], env=env, capture_output=True, text=True, check=True)
    assert done.stdout == "command-missing install git\n"


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(SetupError) as caught:
        lay_out(Objects(directory=tmp_path, refs=()), tmp_path / "file", head="0" * 40)
    assert caught.value.code == "not-writable"
