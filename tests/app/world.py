"""A small world for whole commands: a git project whose backend needs nothing, a signer, an instance."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

TAGTRAIL = Path(sys.executable).with_name("tagtrail")

BACKEND = """
import gzip, io, os, pathlib, tarfile, zipfile
VERSION = os.environ.get("PBR_VERSION", "0")
META = f"Metadata-Version: 2.1\\nName: toy\\nVersion: {VERSION}\\nRequires-Python: >=3.9\\n"

def build_sdist(directory, config_settings=None):
    name = f"toy-{VERSION}"
    with tarfile.open(os.path.join(directory, f"{name}.tar.gz"), "w:gz") as tar:
        for path in sorted(pathlib.Path(".").rglob("*")):
            if path.is_file() and ".git" not in path.parts and path.name != "PKG-INFO":
                tar.add(path, f"{name}/{path}")
        info = tarfile.TarInfo(f"{name}/PKG-INFO")
        info.size = len(META)
        tar.addfile(info, io.BytesIO(META.encode()))
    return f"{name}.tar.gz"

def build_wheel(directory, config_settings=None, metadata_directory=None):
    name, info = f"toy-{VERSION}-py3-none-any.whl", f"toy-{VERSION}.dist-info"
    files = {"toy.py": pathlib.Path("toy.py").read_text(), f"{info}/METADATA": META,
             f"{info}/WHEEL": "Wheel-Version: 1.0\\nGenerator: toy\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"}
    files[f"{info}/RECORD"] = "".join(f"{n},,\\n" for n in [*files, f"{info}/RECORD"])
    with zipfile.ZipFile(os.path.join(directory, name), "w") as wheel:
        for member, text in files.items():
            wheel.writestr(member, text)
    return name
"""
PYPROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]

[project]
name = "toy"
dynamic = ["version"]
"""


@dataclass(frozen=True)
class Ended:
    """How a command ended. `events` are those of --json."""

    code: int
    out: str
    err: str

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]

    def event(self, name: str) -> dict[str, Any]:
        """The last event of that name."""
        return next(e for e in reversed(self.events) if e["event"] == name)


@dataclass
class World:
    """Everything below `root`. Tags are signed with an SSH key; `stranger` is one that nobody listed."""

    root: Path
    env: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.repo, self.home, self.site = self.root / "toy", self.root / "home", self.root / "home" / "site"
        self.key, self.stranger = self.root / "signer", self.root / "stranger"
        (self.root / "person").mkdir()
        names = {
            f"GIT_{who}_{what}": f"{who}@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
        }
        self.env = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.root / "person"),
            "GNUPGHOME": str(self.root / "person"),
            "LC_ALL": "C.UTF-8",
            "PYTHONDONTWRITEBYTECODE": "1",
            **names,
        }

    def make(self, *options: str, targets: str = "") -> "World":
        """The project with one commit, the signer, an instance that knows both. `targets` is put into the settings."""
        self.repo.mkdir()
        for name, text in {"backend.py": BACKEND, "pyproject.toml": PYPROJECT, "toy.py": "X = 1\n"}.items():
            (self.repo / name).write_text(text)
        self.git("init", "-q", "-b", "main")
        self.git("config", "gpg.format", "ssh")
        self.commit()
        for key in (self.key, self.stranger):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", key], check=True)
        self.git("config", "user.signingkey", str(self.key))
        assert self.run("init", str(self.home), *(options or ("--origin", "example.org/trail"))).code == 0
        (self.home / "keys" / "jo.pub").write_bytes(self.key.with_suffix(".pub").read_bytes())
        settings = self.home / "tagtrail.toml"
        people = '[people.jo]\nkeys = ["keys/jo.pub"]\n\n'
        project = f'[project.toy]\nkind = "library"\nrepo = "{self.repo}"\nsigners = ["jo"]\n'
        settings.write_text(f"{settings.read_text()}\n{targets}{people}{project}")
        return self

    def git(self, *args: str) -> str:
        done = subprocess.run(["git", *args], cwd=self.repo, env=self.env, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def commit(self, text: str = "first") -> None:
        (self.repo / "change").write_text(text)
        self.git("add", "-A")
        when = {"GIT_AUTHOR_DATE": "2026-01-02T03:04:05Z", "GIT_COMMITTER_DATE": "2026-01-02T03:04:05Z"}
        subprocess.run(["git", "commit", "-qm", text], cwd=self.repo, env=self.env | when, check=True)

    def tag(self, name: str, *, key: Path | None = None, options: tuple[str, ...] = ("-s",)) -> None:
        self.git("-c", f"user.signingkey={key or self.key}", "tag", *options, "-m", name, name)

    def argv(self, *args: str) -> list[str]:
        return [str(TAGTRAIL), *args]

    def run(self, *args: str, env: dict[str, str] | None = None, cwd: Path | None = None) -> Ended:
        """The command as a user runs it."""
        done = subprocess.run(
            self.argv(*args),
            env=self.env | (env or {}),
            cwd=cwd or self.root,
            capture_output=True,
            text=True,
            check=False,
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    def tell(self, *args: str) -> Ended:
        """The command in the instance, with its events."""
        return self.run("-C", str(self.home), "--json", *args)

    def lose_journal(self) -> None:
        """What "journal lost" means: its tables are empty; leaves, checkpoints and names stay."""
        import sqlite3

        with sqlite3.connect(self.home / "state" / "tagtrail.db") as db:
            for table in ("steps", "effects", "cursors"):
                db.execute(f"DELETE FROM {table}")  # noqa: S608  (the table names are on the line above)

    def leaves(self) -> list[dict[str, Any]]:
        """The trail's entries."""
        import sqlite3

        with sqlite3.connect(self.home / "state" / "tagtrail.db") as db:
            return [json.loads(raw) for (raw,) in db.execute("SELECT entry FROM leaves ORDER BY idx")]

    def snapshot(self, *parts: str) -> dict[str, bytes]:
        """Every file below HOME/parts with its bytes."""
        top = self.home.joinpath(*parts)
        return {str(p.relative_to(top)): p.read_bytes() for p in sorted(top.rglob("*")) if p.is_file()}

    def remove(self) -> None:
        shutil.rmtree(self.root, ignore_errors=True)
