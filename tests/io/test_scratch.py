import os
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tagtrail.io.scratch import locked, remove, scratch, sweep
from tagtrail.model.errors import SetupError


def left(root: Path) -> list[str]:
    return sorted(path.name for path in root.iterdir())


def test_it_is_there_for_the_block_and_gone_after(tmp_path: Path) -> None:
    with scratch(tmp_path / "root", "build") as room:
        assert stat.S_IMODE(room.stat().st_mode) == 0o700
        (room / "file").write_bytes(b"x")
    assert left(tmp_path / "root") == []


def test_it_is_gone_when_the_block_fails(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), scratch(tmp_path):
        raise RuntimeError
    assert left(tmp_path) == []


def test_two_do_not_meet(tmp_path: Path) -> None:
    with scratch(tmp_path, "a") as one, scratch(tmp_path, "a") as other:
        assert one != other


def test_what_the_killed_left_is_swept_and_the_living_keep_theirs(tmp_path: Path) -> None:
    script = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from tagtrail.io.scratch import scratch\n"
        "with scratch(Path(sys.argv[1])) as room:\n"
        "    (room / 'below').mkdir()\n"
        "    (room / 'below' / 'file').write_bytes(b'x')\n"
        "    (room / 'below').chmod(0o500)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, tmp_path], check=False)
    assert done.returncode == -signal.SIGKILL
    assert len(left(tmp_path)) == 2
    with scratch(tmp_path) as room:
        sweep(tmp_path)
        assert room.is_dir()
        assert len(left(tmp_path)) == 2
    assert left(tmp_path) == []


def test_a_lock_whose_directory_was_never_made_is_swept(tmp_path: Path) -> None:
    (tmp_path / ".tmp-build-0123.lock").write_bytes(b"")
    sweep(tmp_path)
    assert left(tmp_path) == []


def test_sweeping_touches_nobody_elses(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "tmp-file").write_bytes(b"")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "tmp-link").symlink_to("elsewhere")
    sweep(tmp_path)
    sweep(tmp_path / "nowhere")
    assert left(tmp_path) == ["elsewhere", "mine", "tmp-file", "tmp-link"]


def test_links_are_removed_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "file").write_bytes(b"x")
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "link").symlink_to(tmp_path / "kept")
    (tmp_path / "link").symlink_to(tmp_path / "kept")
    remove(tmp_path / "tree")
    remove(tmp_path / "link")
    remove(tmp_path / "nowhere")
    assert left(tmp_path) == ["kept"]
    assert left(tmp_path / "kept") == ["file"]


@pytest.mark.skipif(os.geteuid() != 0, reason="needs another user to run as")
def test_a_tree_that_forbids_everything_is_removed() -> None:
    # root may do anything, so somebody else tries, in a place that somebody else can reach
    script = (
        "import os, tempfile\n"
        "from pathlib import Path\n"
        "from tagtrail.io.scratch import remove\n"
        "os.seteuid(65534)\n"
        "with tempfile.TemporaryDirectory(dir='/tmp') as room:\n"
        "    tree = Path(room, 'tree')\n"
        "    (tree / 'a' / 'b').mkdir(parents=True)\n"
        "    (tree / 'a' / 'b' / 'file').write_bytes(b'x')\n"
        "    for path in (tree / 'a' / 'b' / 'file', tree / 'a' / 'b', tree / 'a', tree): path.chmod(0)\n"
        "    remove(tree)\n"
        "    print(os.path.lexists(tree))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_a_root_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(SetupError) as caught, scratch(tmp_path / "file" / "root"):
        pass
    assert caught.value.code == "not-writable"


def test_one_block_at_a_time(tmp_path: Path) -> None:
    inside = [0]
    most = [0]

    def enter() -> None:
        for _ in range(20):
            with locked(tmp_path / "lock"):
                inside[0] += 1
                most[0] = max(most[0], inside[0])
                inside[0] -= 1

    threads = [threading.Thread(target=enter) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1]
    assert left(tmp_path) == ["lock"]


@pytest.mark.slow  # thousands of directories on a disk
@pytest.mark.parametrize("depth", [1500, 3000])
def test_what_lies_deeper_than_a_path_can_say(tmp_path: Path, depth: int) -> None:
    """Foreign code left it, and every later command sweeps it."""
    room, here = tmp_path / "tmp-deep", Path.cwd()
    (tmp_path / "kept").write_text("x")
    room.mkdir()
    os.chdir(room)
    try:
        for _ in range(depth):
            Path("link").symlink_to(tmp_path / "kept")
            Path("file").write_text("x")
            Path("d").mkdir()
            os.chdir("d")
        Path("closed").mkdir(mode=0)
    finally:
        os.chdir(here)
    sweep(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]
