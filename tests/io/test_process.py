import os
import signal
import time
from pathlib import Path

import pytest

from tagtrail.io import process
from tagtrail.io.process import Finished
from tagtrail.model.errors import SetupError
from tests.io.processes import alive

ENV = {"PATH": "/usr/bin:/bin", "ONLY": "this"}


def shell(script: str, *, stdin: bytes = b"", limit: float = 20.0, cap: int = 1 << 20, merge: bool = False) -> Finished:
    return process.run(["/bin/sh", "-c", script], env=ENV, stdin=stdin, limit=limit, cap=cap, merge=merge)


@pytest.mark.parametrize(
    ("script", "code", "out", "err"),
    [
        ("true", 0, b"", b""),
        ("echo a; echo b >&2; exit 3", 3, b"a\n", b"b\n"),
        ("kill -9 $$", -9, b"", b""),
        ("cat", 0, b"", b""),
        ("env | grep -v ^PWD= | grep -v ^_= | grep -v ^SHLVL= | sort", 0, b"ONLY=this\nPATH=/usr/bin:/bin\n", b""),
        ("umask", 0, b"0022\n", b""),
        ("test -t 0 || echo no terminal", 0, b"no terminal\n", b""),
    ],
)
def test_how_a_command_ends(script: str, code: int, out: bytes, err: bytes) -> None:
    assert shell(script) == Finished(code=code, out=out, err=err)


def test_input_of_any_size_is_given_and_output_of_any_size_is_taken() -> None:
    data = bytes(range(256)) * 20_000
    done = process.run(["/bin/cat"], env=ENV, stdin=data)
    assert done.out == data
    assert done.ok


def test_errors_go_into_the_output_where_asked() -> None:
    assert shell("echo a; echo b >&2", merge=True) == Finished(code=0, out=b"a\nb\n")


def test_the_last_bytes_are_kept_of_an_endless_output() -> None:
    done = shell("yes x | head -c 500000; echo end", cap=1000)
    assert (len(done.out), done.out[-5:], done.cut, done.ok) == (1000, b"\nend\n"[-5:], True, False)


@pytest.mark.parametrize("script", ["sleep 60", "exec >&- 2>&-; sleep 60", "trap '' TERM INT HUP; sleep 60; sleep 60"])
def test_time_is_up(script: str) -> None:
    begun = time.monotonic()
    done = shell(script, limit=0.2)
    assert (done.code, done.late, done.ok) == (-signal.SIGKILL, True, False)
    assert time.monotonic() - begun < 40, "nobody waited for its sixty seconds"


def test_what_runs_in_the_background_ends_with_the_command() -> None:
    done = shell("sleep 60 & echo $!")
    assert done.ok
    assert not alive(int(done.out))


def test_what_left_the_group_cannot_hold_the_command() -> None:
    done = shell("setsid sleep 600 & echo $!")
    assert done.ok
    os.kill(int(done.out), signal.SIGKILL)  # it was there still


def test_a_command_works_while_its_caller_does(tmp_path: Path) -> None:
    sign = tmp_path / "sign"
    with process.begun(["/bin/sh", "-c", f"echo a; touch {sign}; exit 3"], env=ENV, limit=20.0) as ended:
        until = time.monotonic() + 20
        while not sign.exists() and time.monotonic() < until:
            time.sleep(0.001)
        assert sign.exists(), "it began before it was asked for"
        assert ended() == Finished(code=3, out=b"a\n")


def test_a_command_that_nobody_waits_for_ends_with_the_block(tmp_path: Path) -> None:
    number = tmp_path / "number"
    script = f"echo $$ > {number}.new; mv {number}.new {number}; sleep 60"
    with process.begun(["/bin/sh", "-c", script], env=ENV):
        until = time.monotonic() + 20
        while not number.exists() and time.monotonic() < until:
            time.sleep(0.001)
    assert not alive(int(number.read_text()))


def test_no_such_command() -> None:
    with pytest.raises(SetupError) as caught:
        process.run(["/nonexistent/git"], env=ENV)
    assert caught.value.code == "command-missing"
    assert caught.value.hint == "install git"


def test_a_stream_is_read_to_its_end_and_left_early() -> None:
    with process.reading(["/bin/cat"], env=ENV, stdin=b"x" * 3_000_000) as stream:
        assert len(stream.read()) == 3_000_000
    with process.reading(["/usr/bin/yes"], env=ENV) as stream:
        assert stream.readline() == b"y\n"


def test_a_stream_that_stops_is_not_waited_for() -> None:
    with pytest.raises(TimeoutError), process.reading(["/bin/sleep", "60"], env=ENV, limit=0.1) as stream:
        stream.read()


@pytest.mark.parametrize(
    ("output", "text"),
    [
        (b"plain\n", "plain"),
        (b"one\n\n\ntwo\n", "one\ntwo"),
        (b"\x1b[31mred\x1b[0m \x1b]0;title\x07after", "red after"),
        (b"\x1b]8;;http://evil.example\x1b\\link\x1b]8;;\x1b\\", "link"),
        (b"10%\r20%\r100%\r\ndone", "100%\ndone"),
        (b"a\x08\x07\x00b\tc", "ab   c"),
        ("right\u202eto left \u200b\u2028".encode(), "rightto left"),
        (b"not \xff utf-8", "not \ufffd utf-8"),
        (b"\x9b31m csi in one byte", "\ufffd31m csi in one byte"),
        ("\u009b31m c1".encode(), "31m c1"),
        (b"".join(b"%d\n" % n for n in range(30)), "\n".join(map(str, range(10, 30)))),
    ],
)
def test_what_a_command_said_is_safe_to_print(output: bytes, text: str) -> None:
    assert process.said(output) == text
