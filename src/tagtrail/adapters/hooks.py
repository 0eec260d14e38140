"""Runs a build backend's hooks (PEP 517), as a program of the build environment's Python: `python -P hooks.py ORDER`.

It is never imported, and needs nothing but the standard library. ORDER is a JSON file:

    {"backend": "setuptools.build_meta:__legacy__", "backend_path": [], "answers": "ANSWERS",
     "calls": [{"hook": "get_requires_for_build_sdist", "if_only": ["pbr>=2.0.0"]},
               {"hook": "build_sdist", "directory": "OUT"}]}

The working directory is the source tree. The backend is imported once, and each call runs in a fork of its own, as if
it were alone. With `if_only`, the calls after it are made only if its answer is exactly that list. ANSWERS becomes
`{"values": [...]}` with one value per call made, and `"fault": "backend" | "hook" | "unsupported"` where one failed.
Standard input is a pipe that nobody writes to: when it ends, whoever started this is dead, and the whole process group
with it.
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
BACKEND, HOOK, UNSUPPORTED = 3, 4, 5
FAULTS = {BACKEND: "backend", UNSUPPORTED: "unsupported"}


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
    """The object that `build-backend` names."""
    module, _, rest = backend.partition(":")
    if backend_path:
        directories = [str(Path(part).resolve()) for part in backend_path]
        # the specification asks for both: found first, and the finder sees that it is found there
        sys.path[:0] = directories
        sys.meta_path.insert(0, InTree(directories, module.partition(".")[0]))
    found: Any = import_module(module)
    for name in filter(None, rest.split(".")):
        found = getattr(found, name)
    return found


def answer(backend: Any, call: dict[str, Any]) -> Any:
    """What one hook returns."""
    name = call["hook"]
    if name in OPTIONAL:
        hook = getattr(backend, name, None)
        return [str(line) for line in hook({})] if hook else []
    return str(getattr(backend, name)(call["directory"], {}))


def run(backend: Any, call: dict[str, Any], answers: Path) -> int:
    """One call, in a fork; the status it ended with, its value in `answers`."""
    answers.unlink(missing_ok=True)
    child = os.fork()
    if child:
        return watch(child) or (0 if answers.exists() else HOOK)
    status = HOOK
    try:
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        answers.write_text(json.dumps(answer(backend, call)))
        status = 0
    except BaseException as error:  # noqa: BLE001  (a backend may raise what it likes; its words are in the log)
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
    end = os.pidfd_open(child) if hasattr(os, "pidfd_open") else None
    if end is not None:
        ready, _, _ = select.select([end, 0], [], [])
        if 0 in ready and end not in ready:
            os.killpg(0, signal.SIGKILL)
        os.close(end)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def main(order: dict[str, Any]) -> None:
    """All calls, one after the other, until one fails or `if_only` is not met."""
    answers = Path(order["answers"])
    values: list[Any] = []
    status = 0
    try:
        backend = load(order["backend"], order["backend_path"])
    except Exception:  # noqa: BLE001
        traceback.print_exc()
        backend, status = None, BACKEND
    for call in order["calls"] if backend is not None else ():
        status = run(backend, call, answers)
        if status:
            break
        values.append(json.loads(answers.read_text()))
        if call.get("if_only", values[-1]) != values[-1]:
            break
    fault = {"fault": FAULTS.get(status, "hook")} if status else {}
    answers.write_text(json.dumps({"values": values, **fault}))


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text()))
