import errno
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tagtrail.io import durable
from tagtrail.model.errors import SetupError


def left(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.rglob("*") if path.is_file())


@pytest.mark.parametrize("sync", [True, False])
@pytest.mark.parametrize("data", [b"bytes", [b"by", b"", b"tes"]])
def test_a_file_is_written_whole(tmp_path: Path, sync: bool, data: bytes | list[bytes]) -> None:
    path = tmp_path / "new" / "directory" / "file"
    durable.write(path, data, sync=sync)
    assert path.read_bytes() == b"bytes"
    assert left(tmp_path) == ["file"]


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o444])
def test_mode_is_exact_whatever_the_umask(tmp_path: Path, mode: int) -> None:
    before = os.umask(0o077)
    try:
        durable.write(tmp_path / "file", b"", mode=mode)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == mode


def test_a_failing_writer_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "file"
    durable.write(path, b"old")

    def pieces() -> Iterator[bytes]:
        yield b"new"
        raise RuntimeError("the source broke off")

    with pytest.raises(RuntimeError):
        durable.write(path, pieces())
    assert path.read_bytes() == b"old"
    assert left(tmp_path) == ["file"]


def test_a_reader_sees_the_old_or_the_new_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    durable.write(path, b"old")
    with durable.replacing(path) as file:
        file.write(b"new")
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"


def test_a_link_is_replaced_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "other").write_bytes(b"untouched")
    (tmp_path / "file").symlink_to("other")
    durable.write(tmp_path / "file", b"new")
    assert (tmp_path / "other").read_bytes() == b"untouched"
    assert not (tmp_path / "file").is_symlink()


def test_the_temporary_file_may_lie_elsewhere(tmp_path: Path) -> None:
    via = tmp_path / "incoming"
    with durable.replacing(tmp_path / "site" / "file", via=via) as file:
        file.write(b"x")
        assert left(tmp_path / "site") == []
        assert len(left(via)) == 1
    assert left(tmp_path) == ["file"]


def test_a_directory_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "no-directory").write_bytes(b"")
    path = tmp_path / "no-directory" / "file"
    with pytest.raises(SetupError) as caught:
        durable.write(path, b"x")
    assert caught.value.code == "not-writable"
    assert str(path.parent) in caught.value.what
    assert caught.value.hint


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (errno.ENOSPC, "disk-full"),
        (errno.EDQUOT, "disk-full"),
        (errno.EACCES, "not-writable"),
        (errno.EROFS, "not-writable"),
    ],
)
def test_what_the_operator_is_told(number: int, code: str) -> None:
    error = durable.setup_error(Path("/srv/rel/kept/ab"), OSError(number, os.strerror(number)))
    assert error.code == code
    assert "/srv/rel/kept" in error.what
    assert "/srv/rel/kept" in error.hint


def test_no_room_left(tmp_path: Path) -> None:
    # a limit on file size stands for the full disk: the kernel refuses the write just so, and no root is needed
    script = (
        "import resource, sys\n"
        "from pathlib import Path\n"
        "from tagtrail.io import durable\n"
        "from tagtrail.model.errors import SetupError\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        "try: durable.write(Path(sys.argv[1]), b'x' * 100_000)\n"
        "except SetupError as error: print(error.code)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, tmp_path / "file"], capture_output=True, text=True, check=True)
    assert done.stdout == "disk-full\n"
    assert left(tmp_path) == []


def test_what_a_killed_writer_left_is_swept_and_a_living_one_is_left_alone(tmp_path: Path) -> None:
    script = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from tagtrail.io import durable\n"
        "with durable.replacing(Path(sys.argv[1])) as file: os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, tmp_path / "dead"], check=False)
    assert done.returncode == -signal.SIGKILL
    assert len(left(tmp_path)) == 1
    with durable.replacing(tmp_path / "living") as file:
        durable.sweep(tmp_path)
        assert len(left(tmp_path)) == 1
        file.write(b"x")
    assert left(tmp_path) == ["living"]


def test_sweeping_touches_nobody_elses_files(tmp_path: Path) -> None:
    for name in ("file", ".hidden", "file.tmp"):
        (tmp_path / name).write_bytes(b"")
    durable.sweep(tmp_path)
    durable.sweep(tmp_path / "nowhere")
    assert left(tmp_path) == [".hidden", "file", "file.tmp"]
