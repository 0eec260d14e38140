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

# a backend on one page: what it makes is never in normal form, so that it must be packed anew
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


if "import-lies" in BEHAVIOUR:  # two answers: to the tree that was laid out, and to the import
    for lie in (b'{"values": [], "fault": ""}', b'{"values": [], "fault": "hook", "ended": "\\u001b[2J"}'):
        os.write(int(sys.argv[1]), len(lie).to_bytes(8, "big") + lie)

for early in {"import-leaves", "import-crashes"}.intersection(BEHAVIOUR):
    os._exit(7) if early == "import-leaves" else os.kill(os.getpid(), 11)


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
        packed.writestr(f"{dist}/WHEEL", "Wheel-Version: 1.0\\nTag: py3-none-any\\n")
        packed.writestr(f"{dist}/RECORD", "")
    return behave("wheel", out, out.name)


def behave(kind, out, name):
    for what in BEHAVIOUR:
        name = globals()[what.replace("-", "_")](kind, out, name) or name
    return name


def nothing(kind, out, name):
    pass


def shout(kind, out, name):
    for number in range(100):
        print(f"\\x1b[31mline {number}\\x1b[0m", flush=True)


def fail(kind, out, name):
    raise ValueError("this project cannot be built")


def fail_wheel(kind, out, name):
    if kind == "wheel":
        fail(kind, out, name)


def leave(kind, out, name):
    sys.exit(0)


def vanish(kind, out, name):
    os._exit(0)


def leave_7(kind, out, name):
    os._exit(7)


def crash(kind, out, name):
    os.kill(os.getpid(), 11)


def killed(kind, out, name):
    os.kill(os.getpid(), 9)


def caller_killed(kind, out, name):
    os.kill(os.getppid(), 9)


def unsupported(kind, out, name):
    raise UnsupportedOperation("not in this tree")


def shut(kind, out, name):
    os.closerange(3, 4096)


def nap(kind, out, name):
    import time

    time.sleep(0.3)


def sleep(kind, out, name):
    import time

    print(os.getpid(), flush=True)
    time.sleep(600)


def fill(kind, out, name):
    with open("everything", "wb") as file:
        while True:
            file.write(bytes(100_000))


def linger(kind, out, name):
    subprocess.Popen(["sleep", Path("linger").read_text()])


def daemon(kind, out, name):
    subprocess.Popen(["setsid", "--fork", "sleep", Path("linger").read_text()])


def again(out, change):
    """Write the sdist again with every name and text changed."""
    with tarfile.open(out) as packed:
        held = [(m, packed.extractfile(m).read()) for m in packed]
    with tarfile.open(out, "w:gz") as packed:
        for info, data in held:
            info.name, data = change(info.name, data)
            info.size = len(data)
            packed.addfile(info, io.BytesIO(data))


def normal(kind, out, name):
    """The sdist in normal form, so that it stays as it is."""
    if kind == "sdist":
        import gzip

        epoch = int(os.environ["SOURCE_DATE_EPOCH"])
        with tarfile.open(out) as packed:
            held = [(m, packed.extractfile(m).read()) for m in packed]
        with open(out, "wb") as raw, gzip.GzipFile("", "wb", fileobj=raw, mtime=0) as file:
            with tarfile.open(fileobj=file, mode="w") as packed:
                for info, data in held:
                    info.pax_headers = {}
                    info.mtime, info.uid, info.gid, info.uname, info.gname, info.mode = epoch, 0, 0, "", "", 0o644
                    packed.addfile(info, io.BytesIO(data))


def normal_wheel(out):
    """The wheel as it would be left."""
    import time

    epoch = time.gmtime(int(os.environ["SOURCE_DATE_EPOCH"]) & ~1)[:6]
    with zipfile.ZipFile(out) as packed:
        held = [(i.filename, packed.read(i)) for i in packed.infolist()]
    with zipfile.ZipFile(out, "w") as packed:
        for held_name, data in held:
            info = zipfile.ZipInfo(held_name, epoch)
            info.external_attr = 0o100644 << 16
            packed.writestr(info, data)
    return bytearray(out.read_bytes())


def tidy(kind, out, name):
    if kind == "wheel":
        out.write_bytes(normal_wheel(out))


def two_tales(kind, out, name):
    """What stands before a member says that it has fewer bytes than the directory says."""
    if kind == "wheel":
        data = normal_wheel(out)
        data[18:26] = (1).to_bytes(4, "little") * 2
        out.write_bytes(data)


def changed_metadata(old, new):
    def change(name, data):
        return name, data.replace(old, new) if name.endswith("PKG-INFO") else data

    return lambda kind, out, name: again(out, change) if kind == "sdist" else None


other_metadata_name = changed_metadata(b"Name: tiny", b"Name: huge")
other_metadata_version = changed_metadata(VERSION.encode(), b"9.9")
empty_metadata = changed_metadata(METADATA.encode(), b"")


def swell(kind, out, name):
    swollen = lambda name, data: (name, data + b"#" * (2 << 20) if name.endswith("pyproject.toml") else data)
    again(out, swollen) if kind == "sdist" else None


def no_metadata(kind, out, name):
    again(out, lambda name, data: (name.replace("PKG-INFO", "INFO"), data)) if kind == "sdist" else None


def no_wheel_metadata(kind, out, name):
    if kind == "wheel":
        with zipfile.ZipFile(out, "w") as packed:
            packed.write("tiny.py")


def outside(kind, out, name):
    again(out, lambda name, data: (name.replace("tiny.py", "../../tiny.py"), data)) if kind == "sdist" else None


def not_gzip(kind, out, name):
    out.write_bytes(b"not gzip at all")


def renamed(old, new, which="sdist"):
    def rename(kind, out, name):
        if kind == which:
            return out.rename(out.with_name(name.replace(old, new))).name

    return rename


other_name = renamed("tiny", "huge")
other_version = renamed(VERSION, "9.9")
other_wheel_name = renamed("tiny", "huge", "wheel")
other_wheel_version = renamed(VERSION, "9.9", "wheel")
no_sdist_name = renamed(".tar.gz", ".tar")


def no_file(kind, out, name):
    out.unlink()


def a_path(kind, out, name):
    return f"../{out.parent.name}/{name}"


def a_link(kind, out, name):
    out.rename(out.with_name("other"))
    out.symlink_to("other")


def a_directory(kind, out, name):
    out.unlink()
    out.mkdir()


def a_pipe(kind, out, name):
    out.unlink()
    os.mkfifo(out)


def slip(kind, out, name):
    if kind == "sdist":
        Path("backdoor.py").write_text("evil = 1\\n")
        BEHAVIOUR.clear()
        return build_sdist(out.parent)


def swap(kind, out, name):
    """The file of the tag, with the bytes of another."""
    if kind == "sdist":
        other = Path("tests/test_tiny.py").read_bytes()
        again(out, lambda name, data: (name, other if name.endswith("/tiny.py") else data))


def see(kind, out, name):
    if kind == "sdist":
        import json

        git = lambda *words: subprocess.run(["git", *words], capture_output=True, text=True, check=True).stdout.strip()
        seen = {
            "refs": git("for-each-ref", "--format=%(refname)"),
            "status": git("status", "--porcelain"),
            "describe": git("describe", "--dirty", "--tags"),
            "environ": dict(os.environ),
            "home": os.environ["HOME"],
            "stdin": sys.stdin.read(),
            "umask": oct(os.umask(0o22)),
        }
        Path("seen.json").write_text(json.dumps(seen))
        BEHAVIOUR.clear()
        return build_sdist(out.parent)
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
