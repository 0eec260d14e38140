"""Runs a build backend's hooks (PEP 517) as a program of the build environment: `python -P hooks.py BACKEND PATH DONE`.

It is never imported, and needs nothing but the standard library. BACKEND is what `build-backend` names, PATH a JSON
list of directories (`backend-path`) relative to the working directory. The backend is imported at once. Each line on
standard input is then the name of a JSON file:

    {"tree": "/scratch/tree", "answers": "/scratch/answers.json",
     "calls": [{"hook": "get_requires_for_build_sdist", "if_only": ["pbr>=2.0.0"]},
               {"hook": "build_sdist", "directory": "/scratch/out"}]}

Each call runs in the tree, in a fork of its own, as if it were alone. With `if_only`, the calls after it are made only
if its answer is exactly that list. The file `answers` becomes `{"values": [...], "fault": ""}` with one value per call
made; where one failed, the fault is `backend` (cannot be imported), `unsupported`, or `hook`. Then one byte goes to the
descriptor DONE. When standard input ends, whoever started this is done or dead, and the whole process group ends too.
"""

import json
import os
import select
import signal
import sys
import traceback
from importlib import import_module
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from typing import Any

OPTIONAL = ("get_requires_for_build_sdist", "get_requires_for_build_wheel")
HOOK, UNSUPPORTED = 4, 5


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
        traceback.print_exc()
        return None
    return found


def answer(backend: Any, call: dict[str, Any]) -> Any:
    """What one hook returns."""
    name = call["hook"]
    if name in OPTIONAL:
        hook = getattr(backend, name, None)
        return [str(line) for line in hook({})] if hook else []
    return str(getattr(backend, name)(call["directory"], {}))


def run(backend: Any, call: dict[str, Any], order: dict[str, Any], done: int) -> int:
    """One call, in a fork; the status it ended with, its value in `answers`."""
    answers = Path(order["answers"])
    answers.unlink(missing_ok=True)
    child = os.fork()
    if child:
        return watch(child) or (0 if answers.exists() else HOOK)
    status = HOOK
    try:
        os.close(done)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.chdir(order["tree"])
        answers.write_text(json.dumps(answer(backend, call)))
        status = 0
    except BaseException as error:  # noqa: BLE001  (its words are in the log)
        traceback.print_exc()
        unsupported = getattr(backend, "UnsupportedOperation", None)
        if isinstance(unsupported, type) and isinstance(error, unsupported):
            status = UNSUPPORTED
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def watch(child: int) -> int:
    """Wait for the child; if standard input ends first, end everything."""
    if hasattr(os, "pidfd_open"):
        end = os.pidfd_open(child)
        ready, _, _ = select.select([end, 0], [], [])
        if end not in ready:
            os.killpg(0, signal.SIGKILL)
        os.close(end)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def work(backend: Any, order: dict[str, Any], done: int) -> None:
    """All calls, one after the other, until one fails or `if_only` is not met."""
    answers = Path(order["answers"])
    values: list[Any] = []
    fault = "" if backend is not None else "backend"
    for call in order["calls"] if backend is not None else ():
        status = run(backend, call, order, done)
        if status:
            fault = "unsupported" if status == UNSUPPORTED else "hook"
            break
        values.append(json.loads(answers.read_text()))
        if call.get("if_only", values[-1]) != values[-1]:
            break
    answers.write_text(json.dumps({"values": values, "fault": fault}))


def main() -> None:
    """Import, then work as orders come."""
    done = int(sys.argv[3])
    os.set_inheritable(done, False)  # noqa: FBT003  (its name)
    backend = load(sys.argv[1], json.loads(sys.argv[2]))
    while line := os.read(0, 4096):
        work(backend, json.loads(Path(os.fsdecode(line.rstrip(b"\n"))).read_text()), done)
        sys.stdout.flush()
        sys.stderr.flush()
        os.write(done, b"\n")


if __name__ == "__main__":
    main()
