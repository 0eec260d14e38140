"""The command line's frame: which commands there are, the options that all of them take, and how every error ends.

`tagtrail [-C HOME|URL] [--json] COMMAND`; both options may stand before or after COMMAND. This module is all that
`tagtrail --help` loads: argparse, the terminal's and a command's own modules are imported when a command is run.
"""

import gc
import os
import sys

from tagtrail.model.errors import Error, SetupError, TamperError

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing itself is not loaded for --help
    import argparse
    from collections.abc import Callable
    from types import ModuleType
    from typing import NoReturn

    from tagtrail.app.terminal.console import Console

__all__ = ["COMMANDS", "main", "run"]

COMMANDS = {
    "release": (
        ("init", "a new instance: settings, keys, an empty trail and site"),
        ("add-project", "read a project's name, backend, remote and signing key; write its lines"),
        ("check", "what is wrong with a tag, also before it exists; on any checkout: check . TAG"),
        ("plan", "all that would happen, and who would see it"),
        ("release", "the road from a signed tag to the site; run it again to resume"),
        ("add", "files built elsewhere: looked at, never re-packed, released when a signer approved"),
        ("adopt", "mark what was released before the trail as known; nothing is announced"),
        ("approve", "sign the digests of a release that waits for it"),
        ("hold", "keep a tag out of the trail, for a time or until it is lifted"),
        ("settle", "say of an effect that waits for a person: done, again, or dropped"),
        ("withdraw", "take a release back: logged, shown, marked where a place can"),
        ("resume", "go on with everything unfinished"),
        ("status", "everything unfinished, and whether a version is burned"),
    ),
    "verify": (
        ("verify", "prove files offline"),
        ("trust", "show a site's root of trust and pin it"),
        ("lock", "requirement lines with hashes for pip and uv, from verified entries"),
        ("picks", "what pip and uv would pick for a requirement among versions"),
        ("audit", "a whole site against its trail, both ways"),
        ("reproduce", "build a release again from its tag, compare, and sign that it is the same"),
    ),
    "operate": (
        ("render", "make the site's pages, or compare them with --check"),
        ("keys", "the root of trust and its keys: show, add, rotate, retire, freeze, reprove, renew, export"),
        ("watch", "tell the team of new tags before anything is built; a moved one is an alarm"),
        ("runbook", "the project's own release process as a checklist, from its settings"),
        ("serve", "take uploads of files built elsewhere; show drafts as an index to try them"),
        ("witness", "cosign other people's logs: init, add, serve, status"),
    ),
}
"""Every command with what it does, grouped as the help shows them."""

_NAMES = tuple(name for group in COMMANDS.values() for name, _ in group)
_RARELY = 200_000
"""Objects after which Python looks for garbage: little of what a command makes is, before it ends."""
_TERM = 15
"""SIGTERM; the module of that name is loaded where it is needed."""
_JUDGES = ("verify", "trust", "lock", "audit", "reproduce")

_ABOVE = """\
tagtrail [-C HOME|URL] [--json] COMMAND
From a signed tag to a download anyone can verify.
"""
_BELOW = """
  -C HOME|URL   the instance (else $TAGTRAIL_HOME, else the nearest parent directory with a tagtrail.toml)
  --json        one event per line on standard output
  --version     the version of tagtrail
  --help        this; `tagtrail COMMAND --help` for what a command takes

Exit codes: 0 done, 1 a bug, 2 usage or settings, 3 refused, 4 waiting, 5 partial, 6 conflict, 7 verification failed
"""


class _Line:
    """A command line taken apart: what stands before the command, its name (empty: none), and what follows it."""

    def __init__(self, words: list[str]) -> None:
        self.home: str | None = None
        self.json = False
        self.name = ""
        self.asked = ""
        self.rest = list(words)

    def read(self) -> None:
        """Take the words up to the command. Raises SetupError `usage`."""
        while self.rest and not self.name:
            word = self.rest.pop(0)
            if word == "--json":
                self.json = True
            elif word in ("-h", "--help", "--version"):
                self.asked, self.rest = word, []
            elif word.startswith("-C"):
                self.home = word[2:] or _next(self.rest)
            elif word.startswith("-"):
                raise SetupError(f"unknown option {word!r}", code="usage", hint="tagtrail --help")
            else:
                self.name = _known(word)


def _roomy(function: "Callable[..., int]") -> "Callable[..., int]":
    """The same, in a frame that claims room for all that it calls. CPython (pystate.c, since 3.11) maps memory for
    frames by 16 KiB and gives it back at once: where calls go to and fro over such an edge, each is two system calls.
    """
    function.__code__ = function.__code__.replace(co_stacksize=1 << 14)
    return function


@_roomy
def main(argv: list[str] | None = None) -> int:
    """Run a command line (this process's by default) and return its exit code (docs/exit-codes.md)."""
    words = sys.argv[1:] if argv is None else argv
    line = _Line(words)
    json = "--json" in (words[: words.index("--")] if "--" in words else words)
    try:
        line.read()
        if argv is None and (line.name not in _JUDGES or line.name == "reproduce"):
            _heed_the_end()
        return _run(line, json=json) if line.name else _answer(line)
    except Error as error:
        return _refused(error, _exit_code(error, line), json=json)
    except KeyboardInterrupt as end:
        sys.stderr.write("\ninterrupted: what was done is remembered; run it again to go on\n")
        if isinstance(end, _Terminated):
            _hang_up()
            os.kill(os.getpid(), _TERM)  # whoever sent it sees that it did
        return 130
    except Exception as error:  # noqa: BLE001  (the last place where something can be said)
        return _bug(error, json=json)
    finally:
        _hang_up()


def run() -> "NoReturn":
    """This process's command line, and the process's end.

    Python does not take itself apart before: that is a tenth of what it does to prove a file, and nothing waits for it,
    for what commands hold they have let go.
    """
    _open_streams()
    code = main()
    os._exit(code)


class _Terminated(KeyboardInterrupt):
    """SIGTERM came."""


def _heed_the_end() -> None:
    """Let SIGTERM, by which a service is stopped and a time limit said, end a command as Ctrl-C does: what it runs is
    dead then, and its scratch is gone. The second one ends it at once."""
    from signal import SIG_DFL, signal

    def end(*_: object) -> None:
        signal(_TERM, SIG_DFL)
        raise _Terminated

    signal(_TERM, end)


def _next(words: list[str]) -> str:
    if not words:
        raise SetupError("-C needs a directory", code="usage", hint="tagtrail --help")
    return words.pop(0)


def _known(word: str) -> str:
    if word in _NAMES:
        return word
    from difflib import get_close_matches

    near = [name for name in _NAMES if name.startswith(word)] or get_close_matches(word, _NAMES, n=1)
    why = f"did you mean {near[0]}?" if near else f"there are {', '.join(_NAMES)}"
    raise SetupError(
        f"unknown command {word!r}", code="usage", why=why, hint=" ".join(("tagtrail", *near[:1], "--help"))
    )


def _answer(line: _Line) -> int:
    if line.asked == "--version":
        from tagtrail import __version__

        sys.stdout.write(f"tagtrail {__version__}\n")
        return 0
    groups = (f"\n{title}\n" + "".join(f"  {n:<14}{does}\n" for n, does in rows) for title, rows in COMMANDS.items())
    (sys.stdout if line.asked else sys.stderr).write("".join((_ABOVE, *groups, _BELOW)))
    return 0 if line.asked else 2


def _run(line: _Line, *, json: bool) -> int:
    from importlib import import_module

    from tagtrail.app.terminal.console import Console

    gc.set_threshold(_RARELY)
    command = import_module(f"tagtrail.app.commands.{line.name.replace('-', '_')}")
    args = _parsed(line, command)
    with Console.standard(json=json) as console:
        try:
            code: int = command.run(args, console)
        except Error as error:
            code = _told(error, _exit_code(error, line), console)
    return code


def _parsed(line: _Line, command: "ModuleType") -> "argparse.Namespace":
    from argparse import ArgumentParser, HelpFormatter
    from functools import partial
    from typing import NoReturn

    class Parser(ArgumentParser):
        """argparse, whose errors end like all others."""

        def error(self, message: str) -> NoReturn:
            raise SetupError(message, code="usage", hint=f"{self.prog} --help")

    # the usage is laid out even where nobody sees it; for its width argparse loads shutil, and so all kinds of archives
    seen = {"-h", "--help"} & set(line.rest)
    does = next(does for rows in COMMANDS.values() for name, does in rows if name == line.name)
    parser = Parser(
        prog=f"tagtrail {line.name}",
        description=does,
        allow_abbrev=False,
        formatter_class=HelpFormatter if seen else partial(HelpFormatter, width=80),
        usage=None if seen else "",
    )
    parser.add_argument("-C", dest="home", metavar="HOME|URL", default=line.home, help="the instance")
    parser.add_argument("--json", action="store_true", default=line.json, help="one event per line on standard output")
    command.arguments(parser)
    return parser.parse_intermixed_args(line.rest)


def _exit_code(error: Error, line: _Line) -> int:
    judged = line.name in _JUDGES or (line.name == "render" and "--check" in line.rest)
    return 7 if judged and isinstance(error, TamperError) else error.exit_code


def _refused(error: Error, code: int, *, json: bool) -> int:
    from tagtrail.app.terminal.console import Console

    with Console.standard(json=json) as console:
        return _told(error, code, console)


def _told(error: Error, code: int, console: "Console") -> int:
    fields = {"code": error.code, "what": error.what, "why": error.why, "next": error.hint, "exit": code}
    console.tell("refused", fields)
    return code


def _bug(error: Exception, *, json: bool) -> int:
    """Exit 1: our own mistake. The traceback is shown where it was asked for."""
    if os.environ.get("TAGTRAIL_TRACEBACK"):
        from traceback import print_exception

        print_exception(error)
    last = error.__traceback__
    while last and last.tb_next:
        last = last.tb_next
    where = f" ({last.tb_frame.f_code.co_filename.rpartition(os.sep)[2]}:{last.tb_lineno})" if last else ""
    hint = "run it again with TAGTRAIL_TRACEBACK=1 in the environment, and report what it prints"
    bug = Error(f"a bug in tagtrail: {type(error).__name__}: {error}{where}", code="bug", hint=hint)
    return _refused(bug, 1, json=json)


def _open_streams() -> None:
    """Whoever closed a standard stream (`>&-`) hears nothing there, and no file that is opened later takes its number:
    programs that run for us would write into it."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115  (pathlib is slow to load)


def _hang_up() -> None:
    """What was said goes out. A reader that went away (`| head`) is no error, and Python shall not complain about it at
    exit."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
