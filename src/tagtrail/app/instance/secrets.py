"""Secrets by reference, looked up when they are first used: `env:NAME`, `file:PATH`, `cmd:COMMAND`.

A file's path is relative to the instance's directory, and nobody else may read it; a command is its words, without a
shell, in the caller's environment, and its first line of output counts. What is found is in no log, event or error.
"""

import os
import shlex
from collections.abc import Callable, Mapping
from pathlib import Path

from tagtrail.model.errors import SetupError

__all__ = ["Secrets"]

LIMIT = 60.0
"""Seconds that a command may take: somebody may have to touch a token."""


class Secrets:
    """The secrets of an instance. What a command says is remembered as long as this object lives."""

    def __init__(self, *, home: Path, environ: Mapping[str, str] = os.environ) -> None:
        self.home = home
        self.environ = environ
        self._known: dict[str, str] = {}

    def later(self, reference: str) -> Callable[[], str]:
        """A function that looks it up when it is called."""
        return lambda: self.value(reference)

    def value(self, reference: str) -> str:
        """The secret, without white space around it.

        Raises SetupError `secret-missing`, `secret-mode` (others can read the file), `secret-reference`.
        """
        kind, _, rest = reference.partition(":")
        looked = {"env": self._of_environment, "file": self._of_file, "cmd": self._of_command}
        if kind not in looked or not rest:
            what = "a secret is a reference"
            raise SetupError(what, code="secret-reference", hint="env:NAME, file:PATH or cmd:COMMAND")
        if secret := looked[kind](rest).strip():
            return secret
        raise _missing(f"{reference} is empty", f"set it where tagtrail runs: {reference}")

    def _of_environment(self, name: str) -> str:
        if name not in self.environ:
            raise _missing(f"the environment has no {name}", f"export {name}=...")
        return self.environ[name]

    def _of_file(self, name: str) -> str:
        path = self.home / Path(name).expanduser()
        try:
            mode, text = path.stat().st_mode, path.read_text(encoding="utf-8")
        except OSError as error:
            raise _missing(
                f"{path} cannot be read: {error.strerror}", f"put the secret into {path}, mode 600"
            ) from error
        except UnicodeDecodeError:
            raise _missing(f"{path} is not UTF-8", f"put the secret into {path}, mode 600") from None
        if mode & 0o077:
            raise SetupError(
                f"{path} can be read by others", code="secret-mode", hint=f"chmod 600 {shlex.quote(str(path))}"
            )
        return text

    def _of_command(self, line: str) -> str:
        if line not in self._known:
            self._known[line] = self._said(line)
        return self._known[line]

    def _said(self, line: str) -> str:
        from tagtrail.io import process

        try:
            words = shlex.split(line)
        except ValueError:
            what = f"cmd:{line} is no command line"
            raise SetupError(what, code="secret-reference", hint="close its quotes") from None
        done = process.run(words, env=self.environ, cwd=self.home, limit=LIMIT, cap=1 << 16)
        if not done.ok:
            end = "takes too long" if done.late else f"ends with {done.code}"
            raise _missing(f"cmd:{line} {end}", f"run it by hand: {line}")
        return done.out.decode("utf-8", "replace").partition("\n")[0]


def _missing(what: str, hint: str) -> SetupError:
    return SetupError(what, code="secret-missing", hint=hint)
