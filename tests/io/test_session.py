import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tagtrail.io.session import Over, Session, session

ENV = {"PATH": "/usr/bin:/bin", "ONLY": "this"}

ECHO = """
import os, sys
done = int(sys.argv[1])
orders = sys.stdin.buffer
while line := orders.readline():
    for word in line.decode().split():
        if word == "leave": sys.exit(3)
        if word == "sleep": os.close(1) or os.close(2) or __import__("time").sleep(60)
        if word == "half": os.write(done, (9).to_bytes(8, "big") + b"half") and sys.exit(0)
        if word == "huge": os.write(done, (1 << 40).to_bytes(8, "big"))
        print(word, flush=True)
    os.write(done, len(line).to_bytes(8, "big") + line)
"""


def asked(running: Session, line: str, limit: float = 20) -> bytes:
    running.order(line, limit)
    return running.frame(1 << 20)


def over(running: Session, line: str, limit: float = 20) -> bool:
    with pytest.raises(Over) as caught:
        asked(running, line, limit)
    return caught.value.late


def test_a_session_takes_orders_one_after_the_other(tmp_path: Path) -> None:
    with session([sys.executable, "-c", ECHO], env=ENV, cwd=tmp_path, cap=20) as running:
        assert asked(running, "one two") == b"one two\n"
        assert running.said == b"one\ntwo\n"
        assert asked(running, "three " * 100) == b"three " * 100 + b"\n"
        assert running.said == (b"three\n" * 4)[-20:]
        running.order("four", 20)
        running.order("five", 20)
        assert [running.frame(10), running.frame(10)] == [b"four\n", b"five\n"]
        assert not over(running, "leave")
        assert not over(running, "anybody there")


@pytest.mark.parametrize("word", ["half", "huge", "leave"])
def test_a_session_that_answers_with_no_frame(tmp_path: Path, word: str) -> None:
    with session([sys.executable, "-c", ECHO], env=ENV, cwd=tmp_path) as running:
        assert not over(running, word)


def test_a_session_whose_time_is_up_is_ended(tmp_path: Path) -> None:
    begun = time.monotonic()
    with session([sys.executable, "-c", ECHO], env=ENV, cwd=tmp_path) as running:
        assert over(running, "sleep", 0.5)
    assert time.monotonic() - begun < 40, "nobody waited for its sixty seconds"


def test_a_session_sees_the_end_of_its_parent(tmp_path: Path) -> None:
    marks = tmp_path / "marks"
    script = (
        "import os, signal\nfrom pathlib import Path\nfrom tagtrail.io.session import session\n"
        f"shell = ['/bin/sh', '-c', 'cat; echo ended > {marks}']\n"
        f"with session(shell, env={ENV}, cwd=Path('/')) as running: os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == -signal.SIGKILL
    wait_for(marks, "ended\n")


def wait_for(path: Path, text: str) -> None:
    for _ in range(3000):
        if path.exists() and path.read_text() == text:
            return
        time.sleep(0.02)
    pytest.fail(f"{path} never said {text!r}")


def test_an_order_that_is_not_taken_has_its_limit_too() -> None:
    """More than a pipe takes, to a command that reads nothing: its end is not waited for."""
    begun = time.monotonic()
    with session(["/bin/sh", "-c", "sleep 60"], env=ENV, cwd=Path("/")) as running:
        running.order("x" * (1 << 20), 0.2)
        with pytest.raises(Over) as over:
            running.frame(1)
        assert over.value.late
    assert time.monotonic() - begun < 40
