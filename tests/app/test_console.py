"""Events in words and in JSON: columns, calm, and nothing that a terminal would obey."""

import io
import json
import os
import pty
import re
import select
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagtrail.app.terminal.console import Console
from tagtrail.app.terminal.phrases import duration, lines, progress, short, shown, signer, size

BUILT = {"file": "mylib-1.2.0.tar.gz", "size": 41_000, "sha256": "e1c077aa" + "0" * 56}
WHEEL = {"file": "mylib-1.2.0-py3-none-any.whl", "size": 29_000, "sha256": "09bd5f12" + "0" * 56}
ROAD: list[tuple[str, dict[str, Any]]] = [
    ("tag", {"project": "mylib", "version": "1.2.0", "channel": "final", "tag": "1.2.0", "commit": "a49c1e07" * 5,
             "signer": "SHA256:qh/c5678901234567890123456789012345678M1Sg", "scheme": "ssh", "person": "jo"}),
    ("finding", {"rule": "TAG011", "name": "first-prerelease", "level": "warning", "text": "all",
                 "fix": "wait", "code": "first-prerelease"}),
    ("checked", {"rules": 14, "errors": 0, "warnings": 1}),
    ("bytes", {"what": "fetch", "done": 1, "total": 2}),
    ("built", BUILT | {"as_built": True, "members": 0, "generated": 0}),
    ("built", WHEEL | {"as_built": False, "members": 44, "generated": 1}),
    ("signed", {"files": 2}),
    ("logged", {"entry": "release", "project": "mylib", "version": "1.2.0", "index": 7, "size": 8, "witnessed": ""}),
    ("rendered", {"pages": 5, "size": 8}),
    *(("row", {"target": "site", "path": f"mylib/{n}", "state": state, "why": "", "due": 0, "where": ""})
      for state in ("asked", "seen") for n in range(9)),
    ("row", {"target": "pypi", "path": "mylib-1.2.0.tar.gz", "state": "refused", "why": "429", "due": 0, "where": ""}),
    ("skip", {"target": "pypi", "what": "x.deb", "because": "no index takes it"}),
    ("outcome", {"exit": 4, "state": "waiting", "text": "1 place", "next": "tagtrail resume"}),
]  # fmt: skip


def told(*events: tuple[str, dict[str, Any]], clock: Any = lambda: 0.0, **options: bool) -> tuple[str, str]:
    out, err = io.StringIO(), io.StringIO()
    with Console(out, err, clock=clock, **options) as console:
        for name, fields in events:
            console.tell(name, fields)
    return out.getvalue(), err.getvalue()


def test_the_road_in_words(golden: Any) -> None:
    out, err = told(*ROAD)
    assert err == ""
    golden(Path(__file__).parent / "golden" / "road.txt", out.encode())


def test_the_road_in_json_is_one_event_per_line() -> None:
    out, err = told(*ROAD, as_json=True)
    assert err == ""
    events = [json.loads(line) for line in out.splitlines()]
    assert [event["event"] for event in events] == [name for name, _ in ROAD]
    assert [set(event.values()) for event in events] == [{name, *fields.values()} for name, fields in ROAD]


def test_columns_stand_below_each_other() -> None:
    out, _ = told(*ROAD)
    built = [line for line in out.splitlines() if line.startswith("  build")]
    assert len({re.search(r"(?:e1c0|09bd)", line).start() for line in built}) == 1  # type: ignore[union-attr]


def test_rows_are_said_once_for_each_target() -> None:
    out, _ = told(*ROAD)
    assert out.count("\n  site ") == 1
    assert "  site     9 seen\n" in out


def test_refusals_go_to_errors_for_people_and_to_output_for_programs() -> None:
    fields = {"code": "x", "what": "no project 'x'", "why": "there are\na and b", "next": "tagtrail\nagain", "exit": 2}
    expected = "error  no project 'x'   (exit 2)\nwhy    there are\n       a and b\nnext   tagtrail\n       again\n"
    assert told(("refused", fields)) == ("", expected)
    out, err = told(("refused", fields), as_json=True)
    assert (json.loads(out), err) == ({"event": "refused", **fields}, "")


FINDING = {"rule": "TAG005", "name": "order", "level": "error", "text": "0.9 is; below", "fix": "tag 1.1", "code": "x"}
REFUSED = {"code": "x", "what": "1 rule refuses it", "why": "TAG005 0.9 is; below", "next": "tag 1.1", "exit": 3}


@pytest.mark.parametrize(
    ("refused", "err"),
    [
        (REFUSED, "error  1 rule refuses it   (exit 3)\n"),
        (
            REFUSED | {"what": "0.9 is; below", "why": "and 1 more, above"},
            "error  TAG005 refuses it   (exit 3)\nwhy    and 1 more, above\n",
        ),
        (
            REFUSED | {"why": "TAG005 0.9 is; below; TAG006 more", "next": "tag 2"},
            "error  1 rule refuses it   (exit 3)\nwhy    TAG005 0.9 is; below; TAG006 more\nnext   tag 2\n",
        ),
    ],
)
def test_a_refusal_does_not_say_again_what_findings_said(refused: dict[str, Any], err: str) -> None:
    assert told(("finding", FINDING), ("refused", refused), together=True)[1] == err


def test_who_reads_errors_alone_is_told_why() -> None:
    assert told(("finding", FINDING), ("refused", REFUSED))[1].endswith("why    TAG005 0.9 is; below\nnext   tag 1.1\n")
    assert told(("refused", REFUSED), together=True)[1].endswith("\nwhy    TAG005 0.9 is; below\nnext   tag 1.1\n")
    events = told(("finding", FINDING), ("refused", REFUSED), as_json=True, together=True)[0].splitlines()
    assert json.loads(events[1]) == {"event": "refused"} | REFUSED


def test_what_was_said_of_one_release_is_not_held_back_of_the_next() -> None:
    twice = (("finding", FINDING), ("refused", REFUSED), ("refused", REFUSED))
    assert told(*twice, together=True)[1].count("why    ") == 1


def test_a_step_that_took_over_a_second_says_so() -> None:
    ticks = iter([0.0, 0.4, 0.4, 2.9, 2.9])
    out, _ = told(("signed", {"files": 1}), ("signed", {"files": 2}), clock=lambda: next(ticks))
    assert out == "  sign     1 file, SHA256SUMS\n  sign     2 files, SHA256SUMS   2.5 s\n"


def test_what_a_place_took_stands_beside_that_place() -> None:
    """Each answer is told when it comes; the lines that sum them up come together, at the end."""
    now, out = [0.0], io.StringIO()
    console = Console(out, io.StringIO(), clock=lambda: now[0])
    for took, name in ((0.2, "site"), (3.0, "mail"), (2.5, "web")):
        now[0] += took
        console.tell("row", {"target": name, "path": "toy", "state": "seen", "why": ""})
    now[0] += 1.5
    console.tell("outcome", {"exit": 0, "state": "complete", "text": "all of it", "next": ""})
    said = ["  site     1 seen", "  mail     1 seen   3.0 s", "  web      1 seen   2.5 s"]
    assert out.getvalue().splitlines() == [*said, "complete  all of it"]


def test_colour_is_asked_for() -> None:
    plain, _ = told(*ROAD)
    coloured, _ = told(*ROAD, colour=True)
    assert "\x1b" not in plain
    assert re.sub(r"\x1b\[[0-9]+m", "", coloured) == plain
    assert "\x1b[33mwarning" in coloured


@given(st.text())
def test_nothing_that_a_terminal_obeys_is_sent(text: str) -> None:
    fields = {
        "what": text,
        "why": text,
        "next": text,
        "code": text,
        "exit": 2,
        "text": text,
        "target": text,
        "path": text,
    }
    events = [
        (name, fields | {"state": state})
        for name, state in [("refused", ""), ("note", ""), ("row", "held"), (text, "")]
    ]
    for stream in told(*events):
        assert all(line.isprintable() for line in stream.split("\n"))


@given(st.text())
def test_json_is_ascii(text: str) -> None:
    out, _ = told(("note", {"text": text}), as_json=True)
    assert out.isascii()
    assert json.loads(out)["text"] == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain é", "plain é"),
        ("\x1b[2J", "\\x1b[2J"),
        ("a\rb\tc\n", "a\\rb\\tc\\n"),
        ("\x9b31m", "\\x9b31m"),
        ("\u202egnp", "\\u202egnp"),
        ("\udc80", "\\udc80"),
    ],
)
def test_shown(text: str, expected: str) -> None:
    assert shown(text) == expected


@pytest.mark.parametrize("name", ["tag", "finding", "row", "outcome", "verified", "built", "plan", "status", "unheard"])
def test_an_event_that_lacks_fields_is_shown_as_it_is(name: str) -> None:
    assert [line.plain() for line in lines(name, {"odd": 1})] == [f"{name}  odd 1"]


def test_telling_never_fails() -> None:
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    console = Console(Gone(), Gone())
    console.tell("note", {"text": "x"})
    console.tell("refused", {"odd": object()})
    console.close()


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (812, "812 B"), (1000, "1.0 kB"), (41_000, "41 kB"), (999_600, "1.0 MB"), (9_621_260, "9.6 MB")],
)
def test_size(count: int, text: str) -> None:
    assert size(count) == text


@pytest.mark.parametrize(("seconds", "text"), [(-1, "0 s"), (40, "40 s"), (60, "1 min"), (7300, "2 h"), (2e5, "2 d")])
def test_duration(seconds: int, text: str) -> None:
    assert duration(int(seconds)) == text


def test_keys_are_short() -> None:
    assert signer("openpgp", "F803" + "0" * 32 + "D9A2") == "openpgp F803...D9A2"
    assert signer("ssh", "SHA256:qh/cxyzM1Sg", "jo") == "jo (ssh SHA256:qh/c...M1Sg)"
    assert short("e1c077aa" + "0" * 56) == "e1c0 77aa"


def test_progress() -> None:
    assert (
        progress({"what": "fetch", "done": 50, "total": 100}).plain() == f"  fetch    [{'=' * 15}{' ' * 15}]  50 % 50 B"
    )
    assert progress({"what": "fetch", "done": 50}).plain() == "  fetch     50 B"
    assert progress({"what": "building"}).plain() == "  building ..."


SHOW = """\
import json, sys
from tagtrail.app.terminal.console import Console
with Console.standard(json="--json" in sys.argv) as console:
    for name, fields in json.load(open(sys.argv[1])):
        console.tell(name, fields)
"""


def on_a_terminal(tmp_path: Path, *words: str, **environ: str) -> str:
    """What a real terminal is sent."""
    events = tmp_path / "events.json"
    events.write_text(json.dumps(ROAD))
    ours, theirs = pty.openpty()
    kept = {key: value for key, value in os.environ.items() if key not in ("CI", "NO_COLOR", "TERM")}
    argv = [sys.executable, "-c", SHOW, str(events), *words]
    child = subprocess.Popen(argv, stdout=theirs, env=kept | {"TERM": "xterm"} | environ)
    os.close(theirs)
    sent = b""
    while select.select([ours], [], [], 30)[0]:
        try:
            sent += os.read(ours, 65536)
        except OSError:
            break
    os.close(ours)
    assert child.wait(timeout=30) == 0
    return sent.decode().replace("\r\n", "\n")


@pytest.mark.client
def test_a_terminal_gets_a_block_that_goes_away(tmp_path: Path) -> None:
    sent = on_a_terminal(tmp_path)
    assert "\x1b[?25l" in sent  # the cursor is hidden while the block stands
    assert sent.rfind("\x1b[?25h") > sent.rfind("\x1b[?25l")
    assert "asked, no answer yet" in sent
    assert "50 %" in sent


@pytest.mark.client
@pytest.mark.parametrize(
    ("words", "environ"), [((), {"CI": "1", "NO_COLOR": "1"}), ((), {"TERM": "dumb"}), (("--json",), {})]
)
def test_no_block_in_ci_on_a_dumb_terminal_and_in_json(
    tmp_path: Path, words: tuple[str, ...], environ: dict[str, str]
) -> None:
    assert "\x1b" not in on_a_terminal(tmp_path, *words, **environ)


@pytest.mark.client
def test_no_color(tmp_path: Path) -> None:
    sent = on_a_terminal(tmp_path, NO_COLOR="1")
    assert not re.search(r"\x1b\[[0-9;]*[1-9]m", sent)
    assert re.search(r"\x1b\[[0-9;]*[1-9]m", on_a_terminal(tmp_path))


@pytest.mark.parametrize(
    ("materials", "said"), [(0, "no tools: none was recorded, none was used"), (14, "14 of 14 tools as recorded")]
)
def test_what_a_release_was_built_again_with(materials: int, said: str) -> None:
    fields = {
        "project": "tool", "version": "1.0", "index": 7, "origin": "example.org/trail", "repo": "local:tool",
        "tag": "1.0", "commit": "a49c1e07" * 5, "isolation": "bubblewrap", "same": True, "tree": True, "files": [],
        "others": [], "materials": materials, "unlike": [],
    }  # fmt: skip
    out, _ = told(("reproduced", fields))
    assert f"built by {said}\n" in out
