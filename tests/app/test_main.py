"""The frame of the command line: what stands where, how errors end, what --help costs."""

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from tagtrail import __version__
from tagtrail.app.main import COMMANDS, main

NAMES = [name for rows in COMMANDS.values() for name, _ in rows]
TAGTRAIL = Path(sys.executable).with_name("tagtrail")


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    """Exit code, reason code and next command of a refusal, as --json tells them."""
    code = main([*words, "--json"])
    (event,) = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert event["event"] == "refused"
    assert event["exit"] == code
    return code, event["code"], event["next"]


@pytest.mark.parametrize("option", ["--help", "-h"])
def test_help_names_every_command(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([option]) == 0
    out = capsys.readouterr().out
    assert [name for name in NAMES if f"\n  {name} " not in out] == []
    assert max(map(len, out.splitlines())) <= 120


def test_no_command_is_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "release" in said.err


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"tagtrail {__version__}\n"


@pytest.mark.parametrize(
    ("words", "following"),
    [
        (("relase",), "tagtrail release --help"),
        (("add-p",), "tagtrail add-project --help"),
        (("xyzzy",), "tagtrail --help"),
        (("--loud", "check"), "tagtrail --help"),
        (("check", "--loud"), "tagtrail check --help"),
        (("check", "a", "b", "c"), "tagtrail check --help"),
        (("init", "--ori", "x"), "tagtrail init --help"),
    ],
)
def test_usage(words: tuple[str, ...], following: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert refused(capsys, *words) == (2, "usage", following)


def test_a_directory_must_follow(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["-C"]) == 2
    assert "-C needs a directory" in capsys.readouterr().err


def test_the_suggestion(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["relase"]) == 2
    assert capsys.readouterr().err == (
        "error  unknown command 'relase'   (exit 2)\nwhy    did you mean release?\nnext   tagtrail release --help\n"
    )


@pytest.mark.parametrize(
    "words",
    [
        ("-C", "{}", "--json", "check", "x", "1.0"),
        ("-C{}", "--json", "check", "x", "1.0"),
        ("--json", "check", "-C", "{}", "x", "1.0"),
        ("check", "x", "1.0", "--json", "-C", "{}"),
        ("-C", "/elsewhere", "check", "x", "--json", "1.0", "-C{}"),
    ],
)
def test_both_options_before_and_after(
    words: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([word.format(tmp_path) for word in words]) == 2
    event = json.loads(capsys.readouterr().out)
    assert event["code"] == "not-an-instance"
    assert str(tmp_path) in event["what"]


def test_after_two_dashes_nothing_is_an_option(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["-C", str(tmp_path), "check", "--", "--json", "1.0"]) == 2
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("name", NAMES)
def test_every_command_has_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([name, "--help"])
    assert ended.value.code == 0
    out = capsys.readouterr().out
    assert out.startswith(f"usage: tagtrail {name} ")
    assert "-C HOME|URL" in out
    assert "--json" in out


# What a command may do wrong, as a module of its own: the frame only needs its name.
ENDINGS = {
    "raise KeyboardInterrupt": 130,
    "raise ValueError('x\\ny')": 1,
    "raise TamperError('t', code='t')": 6,
    "raise ProjectError('p', code='p')": 3,
    "raise RemoteError('r', code='r')": 5,
    "return 4": 4,
}
STAGE = """\
import sys, types
from tagtrail.model.errors import *
import tagtrail.app.main as frame
module = types.ModuleType("tagtrail.app.commands.status")
def arguments(parser): pass
def run(args, console):
    console.line("begun")
    {body}
module.arguments, module.run = arguments, run
sys.modules[module.__name__] = module
sys.argv[1:] = {words!r}
frame.run()
"""


def staged(body: str, *words: str, **environ: str) -> "subprocess.CompletedProcess[str]":
    argv = [sys.executable, "-c", STAGE.format(body=body, words=["status", *words])]
    return subprocess.run(argv, capture_output=True, text=True, check=False, env=os.environ | environ, timeout=60)


@pytest.mark.parametrize("body", ENDINGS)
def test_how_a_command_ends(body: str) -> None:
    done = staged(body)
    assert done.returncode == ENDINGS[body]
    assert done.stdout == "begun\n"
    assert "Traceback" not in done.stderr


def test_the_process_ends_with_its_command() -> None:
    asks = "import threading\n    threading.Thread(target=threading.Event().wait).start()"
    done = staged(f"{asks}\n    console.line('told')\n    return 4")
    assert (done.returncode, done.stdout) == (4, "begun\ntold\n")


@pytest.mark.parametrize(("closed", "out"), [(">&-", ""), ("2>&-", "begun\n"), ("<&- >&- 2>&-", "")])
def test_a_stream_that_is_closed_hears_nothing(closed: str, out: str) -> None:
    body = "raise SetupError('s', code='s')"
    argv = ["/bin/sh", "-c", f'exec "$0" -c "$1" {closed}', sys.executable, STAGE.format(body=body, words=["status"])]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout) == (2, out)
    assert "Traceback" not in done.stderr


def test_a_bug_names_its_place_and_shows_its_traceback_where_asked() -> None:
    quiet, loud = staged("raise ValueError('x\\ny')"), staged("raise ValueError('x\\ny')", TAGTRAIL_TRACEBACK="1")
    assert quiet.stderr.startswith("error  a bug in tagtrail: ValueError: x\\ny (<string>:8)   (exit 1)\nnext   ")
    assert "Traceback (most recent call last)" in loud.stderr
    event = json.loads(staged("raise ValueError('x\\ny')", "--json").stdout.splitlines()[-1])
    assert (event["event"], event["code"], event["exit"]) == ("refused", "bug", 1)


def test_a_reader_that_goes_away_does_not_stop_the_work(tmp_path: Path) -> None:
    mark = tmp_path / "done"
    body = f"for n in range(20_000): console.line('x' * 80)\n    open({str(mark)!r}, 'w').close()\n    return 0"
    argv = [sys.executable, "-c", STAGE.format(body=body, words=["status"])]
    child = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stderr is not None
    child.stdout.readline()
    child.stdout.close()
    with child.stderr:
        assert child.stderr.read() == ""
    assert child.wait(timeout=60) == 0
    assert mark.exists()


@pytest.mark.client
def test_help_costs_little_over_bare_python() -> None:
    def best(argv: list[str]) -> float:
        times = []
        for _ in range(7):
            start = spent()
            subprocess.run(argv, stdout=subprocess.DEVNULL, check=True)
            times.append(spent() - start)
        return min(times)

    def spent() -> float:
        """Of the processor, by our children: a clock would count what others do meanwhile."""
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return used.ru_utime + used.ru_stime

    assert best([str(TAGTRAIL), "--help"]) - best([sys.executable, "-c", ""]) < 0.040
