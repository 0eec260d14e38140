"""Runs a build backend's hooks (PEP 517) as a program of the build environment: `python -P hooks.py ANSWERS`.

It is never imported, and needs nothing but the standard library. Each line on standard input is an order in JSON, of
one of these forms; paths are those of the cell in which this runs:

    {"git": "/in/layout/.git", "tree": "/build/tree"}        check a commit out: HEAD of that repository
    {"sdist": "/in/sdist", "tree": "/build/unpacked"}        lay out what is in the one directory of such a tar
    {"standard": ["email", "zipfile"]}                       import what can be of these; not answered
    {"backend": "hatchling.build", "path": [], "tree": "",   import what `build-backend` names; with `backend-path`,
     "with": ["hatchling.plugin"],                           from these directories of the tree; and what its hooks
     "env": {"PBR_VERSION": "1.0"}}                          imported the last time, so that no fork has to; before
                                                             that, the environment of this build is added
    {"calls": [{"hook": "get_requires_for_build_sdist", "if_only": ["pbr>=2.0.0"]},
               {"hook": "build_sdist", "directory": "/build/out"}], "tree": "/build/tree"}
    {"take": "/build/out/nova-1.0.tar.gz"}                   the bytes of a regular file
    {"run": ["go", "build"], "tree": "/build/tree"}          a command, with no input; where it fails, the value is the
                                                             status it ended with
    {"end": "all"}                                           whatever commands left running is killed, and dead
    {"find": ["dist/*.tgz"], "tree": "/build/tree"}          for each pattern the paths below the tree that fit it
    {"pack": "/build"}                                       the bytes of a tar of all that is there
    {"unpack": "/in/prepared", "tree": "/build"}             lay such a tar out

Each call runs in the tree, in a fork of its own, as if it were alone. With `if_only`, the calls after it are made only
if its answer is exactly that list. Answers go to the descriptor ANSWERS as frames: eight bytes of length, and so many
bytes. An order is answered with one frame of JSON, `{"values": [...], "fault": ""}` with one value per call made, and
after calls `"loaded"`, the modules of the environment that backend and forks imported; where something failed, the
fault is `checkout`, `backend` (cannot be imported), `unsupported`, `hook`, `command`, `absent` (no such command) or
`file`; where a call's fork ended without an answer, `"ended"` is its status, or minus the number of a signal.
After that of a `take` or `pack` come frames with the bytes, an empty one at their end.
When standard input ends, whoever started this is done or dead, and the whole process group ends too.
"""

import gc
import json
import os
import select
import signal
import stat
import sys
from importlib import import_module
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from typing import Any, NoReturn

OPTIONAL = ("get_requires_for_build_sdist", "get_requires_for_build_wheel")
HOOK, UNSUPPORTED = 4, 5
ABSENT = 127
"""What a shell says of a command that is not there."""
FAULTS = {HOOK: "hook", UNSUPPORTED: "unsupported"}
PIECE = 1 << 20
SUBREAPER = 36
"""prctl(2): orphans below this process become its children."""
GIT = ("git", "-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false")
LOCAL = {
    "PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "LC_ALL": "C", "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_ATTR_NOSYSTEM": "1", "GIT_NO_REPLACE_OBJECTS": "1", "GIT_NO_LAZY_FETCH": "1",
    "GIT_ALLOW_PROTOCOL": "", "GIT_TERMINAL_PROMPT": "0",
}  # fmt: skip


class InTree:
    """Finds the backend in the directories that the project names, and nowhere else."""

    def __init__(self, directories: list[str], package: str) -> None:
        self.directories = directories
        self.package = package

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        """The backend's top module; what lies within it is found as ever."""
        if "." in name:
            return None
        spec = PathFinder.find_spec(name, self.directories)
        if spec is None and name == self.package:
            raise ImportError(f"{name} is not in backend-path {self.directories}")
        return spec


def load(backend: str, backend_path: list[str]) -> Any:
    """The object that `build-backend` names; None, and the reason in the log, if there is none."""
    module, _, rest = backend.partition(":")
    try:
        if backend_path:
            directories = [str(Path(part).resolve()) for part in backend_path]
            # the specification asks for the first; the finder makes sure that the backend itself comes from there
            sys.path[:0] = directories
            sys.meta_path.insert(0, InTree(directories, module.partition(".")[0]))
        found: Any = import_module(module)
        for name in filter(None, rest.split(".")):
            found = getattr(found, name)
    except Exception:  # noqa: BLE001  (a backend may raise what it likes)
        show()
        return None
    return found


def show() -> None:
    """The exception at hand, into the log."""
    from traceback import print_exc  # like others below: most builds are done without it

    print_exc()


def lay_out(order: dict[str, Any]) -> int:
    """Begin to make a tree; the process that does it."""
    unpack = ("tar", "-C", order["tree"], "--no-same-owner", "-xpf")
    if "unpack" in order:
        return begin(*unpack, order["unpack"])
    os.mkdir(order["tree"])  # noqa: PTH102
    if "sdist" in order:
        return begin(*unpack, order["sdist"], "--strip-components=1")
    copy(order["git"], f"{order['tree']}/.git")
    return begin(*GIT, "-C", order["tree"], "read-tree", "--reset", "-u", "--no-recurse-submodules", "HEAD")


def begin(*argv: str) -> int:
    """A program of the system, started."""
    return os.posix_spawn(f"/usr/bin/{argv[0]}", argv, LOCAL)


def copy(source: str, target: str) -> None:
    """A directory of few small files, without its modes."""
    for path, _, names in os.walk(source):
        there = target + path[len(source) :]
        os.mkdir(there)  # noqa: PTH102
        for name in names:
            Path(there, name).write_bytes(Path(path, name).read_bytes())


def answer(backend: Any, call: dict[str, Any]) -> Any:
    """What one hook returns."""
    name = call["hook"]
    if name in OPTIONAL:
        hook = getattr(backend, name, None)
        return [str(line) for line in hook({})] if hook else []
    os.makedirs(call["directory"], exist_ok=True)  # noqa: PTH103
    return str(getattr(backend, name)(call["directory"], {}))


def bring_along(names: list[str]) -> None:
    """Import what can be imported of these; what cannot is the hooks' matter."""
    for name in names:
        if name not in sys.modules:
            try:
                import_module(name)
            except BaseException:  # noqa: BLE001, S112  (a module may raise what it likes; programs end)
                continue


def brought(before: set[str]) -> list[str]:
    """The modules of the environment and its Python, not of a tree, that were imported since, in that order."""
    ours = (sys.prefix + os.sep, sys.base_prefix + os.sep)
    new = [(name, getattr(module, "__file__", None)) for name, module in sys.modules.items() if name not in before]
    return [name for name, file in new if isinstance(file, str) and file.startswith(ours)]


def run(backend: Any, call: dict[str, Any], tree: str, answers: int) -> tuple[int, Any]:
    """One call, in a fork: the status it ended with, and its value with what it imported (None: it has said nothing).
    Once that is said, nobody waits for the fork's end: its memory takes a while to go."""
    said, (heard, done) = nameless(), os.pipe()
    gc.freeze()
    child = os.fork()
    if not child:
        work(backend, call, tree, (answers, heard), (said, done))
    os.close(done)
    status = watch(child, heard)
    value = os.pread(said, PIECE, 0)
    os.close(said)
    os.close(heard)
    return status, None if status else read(value)


def nameless() -> int:
    """A file that ends with its descriptor."""
    path = Path(os.environ["TMPDIR"], f"value-{os.getpid()}")
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    path.unlink()
    return fd


def work(backend: Any, call: dict[str, Any], tree: str, others: tuple[int, ...], own: tuple[int, int]) -> NoReturn:
    """The call itself: `own` are the file for its value, and the pipe for a word that it is there; `others` is what the
    project has no need to see."""
    status, (said, done) = HOOK, own
    try:
        gc.enable()
        for fd in others:
            os.close(fd)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.chdir(tree)
        before = set(sys.modules)
        value = answer(backend, call)
        os.write(said, json.dumps([value, brought(before)]).encode())
        sys.stdout.flush()
        sys.stderr.flush()
        os.write(done, b".")
        status = 0
    except BaseException as error:  # noqa: BLE001  (its words are in the log)
        show()
        unsupported = getattr(backend, "UnsupportedOperation", None)
        if isinstance(unsupported, type) and isinstance(error, unsupported):
            status = UNSUPPORTED
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def command(order: dict[str, Any]) -> dict[str, Any]:
    """Run a command in the tree; how it ended."""
    from shlex import join

    print("$", join(order["run"]), flush=True)  # noqa: T201  (into the log)
    child = os.fork()
    if not child:
        try:
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            os.chdir(order["tree"])
            os.execvp(order["run"][0], order["run"])  # noqa: S606  (the point)
        except OSError as error:
            print(f"{order['run'][0]}: {error.strerror}", file=sys.stderr, flush=True)  # noqa: T201  (into the log)
        finally:
            os._exit(ABSENT)
    status = watch(child)
    return {"values": [status] * bool(status), "fault": {0: "", ABSENT: "absent"}.get(status, "command")}


def adopt() -> None:
    """Whatever commands leave behind, daemons too, becomes a child of this process when its parent ends."""
    from ctypes import CDLL

    CDLL(None).prctl(SUBREAPER, 1, 0, 0, 0)


def end_all() -> None:
    """Kill what commands left running, and wait until nothing is: whose parent dies becomes our child, to be killed in
    the next round."""
    from contextlib import suppress

    while True:
        for child in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split():
            with suppress(ProcessLookupError, PermissionError):
                os.kill(int(child), signal.SIGKILL)
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def find(order: dict[str, Any]) -> dict[str, Any]:
    """What fits each pattern, sorted."""
    from glob import glob

    return {"values": [sorted(glob(each, root_dir=order["tree"])) for each in order["find"]], "fault": ""}  # noqa: PTH207


def read(value: bytes) -> Any:
    """What a call wrote before it ended."""
    try:
        return json.loads(value)
    except ValueError:
        return None


def watch(child: int, *heard: int) -> int:
    """Wait for the child, or for its word on `heard`; if standard input ends first, end everything."""
    if hasattr(os, "pidfd_open"):
        end = os.pidfd_open(child)
        ready, _, _ = select.select([end, 0, *heard], [], [])
        if any(os.read(fd, 1) for fd in heard if fd in ready):
            os.close(end)
            return 0
        if ready == [*heard]:  # it said nothing, and closed all that it had
            ready, _, _ = select.select([end, 0], [], [])
        if end not in ready:
            os.killpg(0, signal.SIGKILL)
        os.close(end)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def call_all(backend: Any, order: dict[str, Any], answers: int, brought: list[str]) -> dict[str, Any]:
    """All calls, one after the other, until one fails or `if_only` is not met."""
    values: list[Any] = []
    loaded = dict.fromkeys(brought)
    for call in order["calls"]:
        status, said = run(backend, call, order["tree"], answers)
        if said is None:
            fault = {"values": values, "fault": FAULTS.get(status, "hook")}
            return fault if status in FAULTS else {**fault, "ended": status}
        value, names = said
        values.append(value)
        loaded |= dict.fromkeys(names)
        if call.get("if_only", value) != value:
            break
    return {"values": values, "fault": "", "loaded": list(loaded)}


class Worker:
    """Takes orders, and has at most one backend."""

    def __init__(self, answers: int) -> None:
        self.answers = answers
        self.backend: Any = None
        self.brought: list[str] = []
        self.tree = 0

    def do(self, order: dict[str, Any]) -> None:
        """Carry an order out and answer it. A tree is made while the backend is imported; whoever gives an order for
        either will give another one before waiting for an answer."""
        if "standard" in order:
            bring_along(order["standard"])
            return
        fault = self.bring(order) if "backend" in order and not order["path"] else None
        self.settle()
        if fault is not None:
            self.tell({"values": [], "fault": fault})
        elif "take" in order:
            self.give(order["take"])
        elif "run" in order:
            adopt()
            self.tell(command(order))
        elif "end" in order:
            end_all()
            self.tell({"values": [], "fault": ""})
        elif "find" in order:
            self.tell(find(order))
        elif "pack" in order:
            self.pack(order["pack"])
        elif "calls" in order and self.backend is not None:
            self.tell(call_all(self.backend, order, self.answers, self.brought))
        elif "backend" in order or "calls" in order:
            self.tell({"values": [], "fault": self.bring(order)})
        else:
            self.begin(order)

    def begin(self, order: dict[str, Any]) -> None:
        """Begin to make a tree."""
        try:
            self.tree = lay_out(order)
        except OSError:
            show()
            self.tell({"values": [], "fault": "checkout"})

    def settle(self) -> None:
        """The tree that was begun is there, or is not."""
        if self.tree:
            done = os.waitstatus_to_exitcode(os.waitpid(self.tree, 0)[1]) == 0
            self.tree = 0
            self.tell({"values": [], "fault": "" if done else "checkout"})

    def bring(self, order: dict[str, Any]) -> str:
        """Import the backend; the fault."""
        if "backend" in order:
            os.environ.update(order.get("env", {}))
            if order["path"]:
                os.chdir(order["tree"])
            before = set(sys.modules)
            self.backend = load(order["backend"], order["path"])
            self.brought = brought(before)
            bring_along(order.get("with", []))
        return "backend" if self.backend is None else ""

    def give(self, path: str) -> None:
        """The bytes of a file that the project made: opened once, no link, nothing but a regular file."""
        try:
            fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError:
            self.tell({"values": ["it is not there, or a link"], "fault": "file"})
            return
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            self.tell({"values": ["it is no regular file"], "fault": "file"})
            return
        self.tell({"values": [], "fault": ""})
        with os.fdopen(fd, "rb") as file:
            while piece := file.read(PIECE):
                self.frame(piece)
        self.frame(b"")

    def pack(self, directory: str) -> None:
        """All that is in a directory, as a tar; where that fails, there is no end."""
        read, write = os.pipe()
        names = sorted(os.listdir(directory))  # noqa: PTH208  (without `.`, which is not ours to change elsewhere)
        argv = ["tar", "-C", directory, "--format=posix", "-cf", "-", "--", *names]
        child = os.posix_spawn("/usr/bin/tar", argv, LOCAL, file_actions=[(os.POSIX_SPAWN_DUP2, write, 1)])
        os.close(write)
        self.tell({"values": [], "fault": ""})
        with os.fdopen(read, "rb") as file:
            while piece := file.read(PIECE):
                self.frame(piece)
        if os.waitpid(child, 0)[1] == 0:
            self.frame(b"")
        else:
            sys.exit("what was prepared cannot be packed")

    def tell(self, said: dict[str, Any]) -> None:
        """One answer."""
        sys.stdout.flush()
        sys.stderr.flush()
        self.frame(json.dumps(said).encode())

    def frame(self, data: bytes) -> None:
        """Eight bytes of length, and so many bytes."""
        left = memoryview(len(data).to_bytes(8, "big") + data)
        while left:
            left = left[os.write(self.answers, left) :]


def furnish() -> None:
    """A home that is empty but for the word that trees of another owner may be read; and no word of where we began."""
    os.environ.pop("PWD", None)
    for name in ("HOME", "TMPDIR"):
        os.makedirs(os.environ[name], exist_ok=True)  # noqa: PTH103
    Path(os.environ["HOME"], ".gitconfig").write_text("[safe]\n\tdirectory = *\n")


def main() -> None:
    """Work as orders come."""
    gc.disable()  # but in hooks: what is imported stays
    answers = int(sys.argv[1])
    os.set_inheritable(answers, False)  # noqa: FBT003  (its name)
    furnish()
    worker = Worker(answers)
    orders = b""
    while piece := os.read(0, 1 << 16):
        orders += piece
        while b"\n" in orders:
            line, _, orders = orders.partition(b"\n")
            worker.do(json.loads(line))


# frames of what is called get their memory once: where it is mapped by 16 KiB (CPython 3.11 and later), and calls go to
# and fro over such an edge, each costs two system calls
main.__code__ = main.__code__.replace(co_stacksize=1 << 14)

if __name__ == "__main__":
    main()
