"""Tiny git projects for tests of sources and builders: made in milliseconds, built with nothing from an index."""

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

TIME = 1_700_000_000

PYPROJECT = """\
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
"""

# a backend in sixty lines: what it makes is never in normal form, so that it must be packed anew
BACKEND = '''\
"""Builds this project, and does what BEHAVIOUR says."""

import io
import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

NAME, VERSION = "tiny", os.environ["PBR_VERSION"]
METADATA = f"Metadata-Version: 2.1\\nName: {NAME}\\nVersion: {VERSION}\\nRequires-Python: >=3.11\\n"
BEHAVIOUR = Path("behaviour").read_text().split() if Path("behaviour").exists() else []


class UnsupportedOperation(Exception):
    pass


def build_sdist(directory, config_settings=None):
    top, out = f"{NAME}-{VERSION}", Path(directory, f"{NAME}-{VERSION}.tar.gz")
    with tarfile.open(out, "w:gz") as packed:
        for path in sorted(p for p in Path(".").rglob("*") if p.is_file() and ".git" not in p.parts):
            packed.add(path, f"{top}/{path}")
        info = tarfile.TarInfo(f"{top}/PKG-INFO")
        info.size = len(METADATA)
        packed.addfile(info, io.BytesIO(METADATA.encode()))
    return behave("sdist", out, out.name)


def build_wheel(directory, config_settings=None, metadata_directory=None):
    dist, out = f"{NAME}-{VERSION}.dist-info", Path(directory, f"{NAME}-{VERSION}-py3-none-any.whl")
    with zipfile.ZipFile(out, "w") as packed:
        packed.write("tiny.py")
        packed.writestr(f"{dist}/METADATA", METADATA)
        packed.writestr(f"{dist}/WHEEL", "Wheel-Version: 1.0\\n")
        packed.writestr(f"{dist}/RECORD", "")
    return behave("wheel", out, out.name)


def behave(kind, out, name):
    for what in BEHAVIOUR:
        name = {**globals(), "nothing": lambda *_: name}[what.replace("-", "_")](kind, out, name)
    return name
'''


@dataclass(frozen=True, slots=True)
class Repo:
    """A repository on this disk; every commit and tag is made at its own time, by nobody in particular."""

    path: Path

    def git(self, *words: str, time: int = TIME, stdin: bytes = b"", env: Mapping[str, str] | None = None) -> str:
        """What `git WORDS` says there."""
        people = {
            f"GIT_{who}_{what}": "ada@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
        }
        dates = {f"GIT_{who}_DATE": f"{time} +0100" for who in ("AUTHOR", "COMMITTER")}
        fixed = {"PATH": os.environ["PATH"], "HOME": str(self.path), "GIT_CONFIG_NOSYSTEM": "1", **people, **dates}
        argv = ["git", "-c", "init.defaultBranch=main", "-c", "protocol.file.allow=always", *words]
        done = subprocess.run(
            argv, cwd=self.path, env=fixed | dict(env or {}), input=stdin, capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode("utf-8", "surrogateescape").strip()

    def commit(self, files: Mapping[str, str | None], message: str = "work", time: int = TIME) -> str:
        """Write these files (None: remove it) and commit all; the commit's id."""
        for name, text in files.items():
            path = self.path / name
            if text is None:
                path.unlink()
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message, time=time)
        return self.git("rev-parse", "HEAD")

    def tag(self, name: str, commit: str = "HEAD") -> str:
        """An annotated tag; its object's id."""
        self.git("tag", "--annotate", "--message", f"tiny {name}", name, commit)
        return self.git("rev-parse", f"refs/tags/{name}")


def repository(path: Path, form: str = "sha1") -> Repo:
    """A new empty one."""
    path.mkdir(parents=True)
    repo = Repo(path)
    repo.git("init", "--quiet", "--template=", f"--object-format={form}")
    return repo


def tiny(path: Path, form: str = "sha1", **files: str) -> Repo:
    """A project that builds, tagged 1.0; `files` are further ones."""
    repo = repository(path, form)
    repo.commit({"pyproject.toml": PYPROJECT, "backend.py": BACKEND, "tiny.py": "a = 1\n", **files})
    repo.tag("1.0")
    return repo
