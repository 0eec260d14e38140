"""Places for the tests of commands: a repository, a person who signs with SSH, an instance, and commands run there."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TAGTRAIL = Path(sys.executable).with_name("tagtrail")
PYPROJECT = '[project]\nname = "mylib"\ndynamic = ["version"]\n[build-system]\nrequires = ["hatchling"]\n'
PYPROJECT += 'build-backend = "hatchling.build"\n'


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def refusal(self) -> str:
        """The reason code of the refusal that ended it."""
        (event,) = [e for e in self.events if e["event"] == "refused"]
        assert event["exit"] == self.code
        assert event["next"]
        return str(event["code"])

    @property
    def findings(self) -> list[str]:
        return [e["code"] for e in self.events if e["event"] == "finding"]

    @property
    def outcome(self) -> dict[str, Any]:
        return self.events[-1]


class Place:
    """A directory with a person's HOME, a repository `mylib` and room for an instance `rel`."""

    def __init__(self, root: Path) -> None:
        self.root, self.user, self.repo, self.home = root, root / "user", root / "mylib", root / "rel"
        self.key = self.user / "jo"
        self.env = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.user),
            "LC_ALL": "C.UTF-8",
            "GNUPGHOME": str(self.user),
        }

    def make(self) -> "Place":
        """The person and the repository."""
        self.user.mkdir()
        self.new_key("jo")
        self.config("user.name", "Jo Doe")
        self.config("user.email", "jo@example.org")
        self.config("gpg.format", "ssh")
        self.config("user.signingkey", f"{self.key}.pub")
        self.repository(self.repo)
        return self

    def copy(self, root: Path) -> "Place":
        """The same somewhere else."""
        shutil.copytree(self.root, root, symlinks=True, dirs_exist_ok=True)
        for file in (root / "user" / ".gitconfig", root / "rel" / "tagtrail.toml"):
            if file.exists():
                file.write_text(file.read_text().replace(str(self.root), str(root)))
        return Place(root)

    def new_key(self, name: str) -> Path:
        key = self.user / name
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", key], check=True)
        return key

    def config(self, key: str, value: str | None) -> None:
        words = ["--unset", key] if value is None else [key, value]
        subprocess.run(["git", "config", "--global", *words], check=True, env=self.env)

    def repository(self, path: Path, files: dict[str, str] | None = None) -> None:
        path.mkdir()
        self.git("init", "-q", "-b", "main", cwd=path)
        self.commit(files or {"pyproject.toml": PYPROJECT}, cwd=path)

    def commit(self, files: dict[str, str], cwd: Path | None = None) -> str:
        for name, text in files.items():
            ((cwd or self.repo) / name).write_text(text)
        self.git("add", "-A", cwd=cwd)
        self.git("commit", "-q", "-m", "x", cwd=cwd)
        return self.git("rev-parse", "HEAD", cwd=cwd)

    def git(self, *words: str, cwd: Path | None = None) -> str:
        argv = ["git", *words]
        done = subprocess.run(argv, cwd=cwd or self.repo, env=self.env, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def run(self, *words: str, cwd: Path | None = None, **environ: str) -> Ended:
        """The command, with --json."""
        argv = [str(TAGTRAIL), "--json", *words]
        done = subprocess.run(
            argv, cwd=cwd or self.root, env=self.env | environ, check=False, capture_output=True, text=True, timeout=60
        )
        assert "Traceback" not in done.stderr
        return Ended(done.returncode, done.stdout, done.stderr)

    def instance(self) -> None:
        assert self.run("init", str(self.home), "--origin", "example.org/trail").code == 0

    def add(self, *words: str) -> Ended:
        return self.run("-C", str(self.home), "add-project", *words)

    def files(self) -> dict[str, bytes]:
        """All that lies in HOME, in the repository and beside them, but for locks."""
        passing = (".lock", "-shm", "-wal", ".kbx")
        every = (p for p in self.root.rglob("*") if p.is_file() and not p.name.endswith(passing))
        return {str(p.relative_to(self.root)): p.read_bytes() for p in every}
