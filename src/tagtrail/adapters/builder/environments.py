"""Build environments, kept by the digest of what is in them: made once by uv, under another name until complete."""

import hashlib
import json
import os
import platform
import sys
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

from tagtrail.io import process
from tagtrail.io.durable import setup_error
from tagtrail.io.scratch import scratch
from tagtrail.model.errors import ProjectError, RemoteError, SetupError

__all__ = ["Environments"]

_KEPT = (
    "HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_DIRS", "PATH", "NETRC", "SSL_CERT_FILE", "SSL_CERT_DIR",
    "http_proxy", "https_proxy", "no_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY",
)  # fmt: skip
"""What the installer keeps of the caller's environment, beside UV_*: where the index is, and the way to it."""


class Environments:
    """Directories under `root`, one per set of requirements, Python and uv. Called with requirements, it returns the
    directory of an environment that holds them; `environ` is the caller's environment, `limit` in seconds.

    `scratch` is where one is made (swept by the wiring), on the same file system.
    Raises ProjectError `requirements-invalid`, `requirements-unsatisfiable`, RemoteError `requirements-unreachable`,
    SetupError `disk-full`, `not-writable`, `command-missing`.
    """

    def __init__(
        self, root: Path, scratch: Path, environ: Mapping[str, str] = os.environ, limit: float = 900.0
    ) -> None:
        self._root = root
        self._scratch = scratch
        self._environ = environ
        self._limit = limit

    def __call__(self, requirements: Sequence[str]) -> Path:
        """The environment with these requirements, made now if it is not there."""
        wanted = tuple(sorted({_requirement(line) for line in requirements}))
        path = self._root / self._digest(wanted)
        if not path.is_dir():
            with scratch(self._scratch, "environment") as room:
                self._make(room / "env", wanted)
                _move(room / "env", path)
        return path

    def _digest(self, requirements: tuple[str, ...]) -> str:
        python = (sys.implementation.cache_tag, platform.python_version(), platform.machine(), sys.base_prefix)
        facts = [requirements, python, self._installer]
        return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:32]

    @cached_property
    def _uv(self) -> str:
        try:
            from uv import find_uv_bin

            return str(find_uv_bin())
        except (ImportError, FileNotFoundError) as error:
            raise SetupError(
                "uv, the installer of build environments, is not there", code="command-missing", hint="pip install uv"
            ) from error

    @cached_property
    def _installer(self) -> str:
        return self._run("--version").out.decode("utf-8", "replace")

    def _make(self, path: Path, requirements: tuple[str, ...]) -> None:
        made = self._run("venv", "--quiet", "--relocatable", "--no-project", "--python", sys.executable, str(path))
        if not made.ok:
            raise SetupError(
                f"cannot make a build environment in {path}", code="not-writable", why=process.said(made.err)
            )
        if requirements:
            self._install(path, requirements)
        _close(path)

    def _install(self, path: Path, requirements: tuple[str, ...]) -> None:
        listing = path.with_name("requirements.txt")
        listing.write_text("".join(f"{line}\n" for line in requirements), encoding="utf-8")
        python = str(path / "bin" / "python")
        done = self._run(
            "pip", "install", "--python", python, "--link-mode=copy", "--compile-bytecode", "-r", str(listing)
        )
        if done.ok:
            return
        why, names = process.said(done.err), ", ".join(requirements)
        if os.statvfs(path).f_bavail == 0:
            raise SetupError(f"no space to install {names}", code="disk-full", why=why, hint=f"df -h {self._root}")
        if done.code == 1 and b"network was disabled" not in done.err:
            raise ProjectError(
                f"the build requirements {names} cannot be met", code="requirements-unsatisfiable", why=why,
                hint="correct build-system.requires in pyproject.toml",
            )  # fmt: skip
        raise RemoteError(
            f"cannot install the build requirements {names}", code="requirements-unreachable", why=why,
            hint="run it again when the package index answers",
        )  # fmt: skip

    def _run(self, *args: str) -> process.Finished:
        kept = {k: v for k, v in self._environ.items() if k in _KEPT or k.startswith("UV_")}
        # the authorities that this machine trusts, as pip and git do, unless the caller says otherwise
        env = {
            "PATH": "/usr/bin:/bin",
            "UV_SYSTEM_CERTS": "1",
            **kept,
            "NO_COLOR": "1",
            "UV_NO_PROGRESS": "1",
            "LC_ALL": "C.UTF-8",
        }
        return process.run([self._uv, *args], env=env, limit=self._limit)


def _requirement(line: str) -> str:
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        return str(Requirement(line))
    except InvalidRequirement as error:
        raise ProjectError(
            f"{line!r} is no build requirement", code="requirements-invalid", why=str(error).splitlines()[0],
            hint="correct build-system.requires in pyproject.toml",
        ) from error  # fmt: skip


def _move(made: Path, path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        made.rename(path)
    except OSError as error:
        # another process made the same one meanwhile: theirs is as good
        if not path.is_dir():
            raise setup_error(path, error) from error


def _close(path: Path) -> None:
    """Nothing in it is writable: a build that tries is found out."""
    for directory, _, names in os.walk(path):
        for name in names:
            file = Path(directory, name)
            if not file.is_symlink():
                file.chmod(file.stat().st_mode & ~0o222)
