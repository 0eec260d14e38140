"""Makes a real git project with a signed tag out of a source distribution that the package index has under a name.

    python scripts/real_project.py oslo.config 9.7.0 DEST --keys DIR [--key openpgp|ssh] [--cache DIR]

The sdist is looked up and fetched by the installer's own settings (uv, else pip), unpacked, stripped of what its build
generated, and committed with fixed names and dates, so that the same sdist gives the same commit. The key is made in
DIR if it is not there: throw-away, no passphrase. Run it again with another version and the same DEST: one more commit,
one more tag. The last line on stdout is JSON: repo, tag, commit, fingerprint, public (the file to give to tagtrail).
"""

import argparse
import contextlib
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path

NAME, ADDRESS = "Example Maintainer", "maintainer@example.org"
WHEN = 1_735_689_600
"""2025-01-01; each further commit is a day later."""
GENERATED = ("PKG-INFO", "AUTHORS", "ChangeLog")


def main() -> None:
    """Parse, fetch, commit, sign, say."""
    asked = arguments()
    dest, keys = asked.dest.resolve(), asked.keys.resolve()
    cache = asked.cache.resolve() if asked.cache else None
    with gnupg(keys) as home, tempfile.TemporaryDirectory() as room:
        signer = openpgp_key(home, keys) if asked.key == "openpgp" else ssh_key(keys)
        if not run(["git", "-C", dest, "tag", "--list", asked.version], missing="").strip():
            sdist = fetched(asked.name, asked.version, cache or Path(room))
            commit(sdist, f"{asked.name} {asked.version}", dest, signer)
            sign(asked.version, f"{asked.name} {asked.version}", dest, home)
    facts = {"repo": str(dest), "tag": asked.version, "commit": git(dest, "rev-parse", f"{asked.version}^{{commit}}")}
    print(json.dumps(facts | {key: signer[key] for key in ("fingerprint", "public")}))


def arguments() -> argparse.Namespace:
    """What was asked on the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("name", help="the project's name on the index")
    parser.add_argument("version")
    parser.add_argument("dest", type=Path, help="where the git project is to be")
    parser.add_argument("--keys", "--gnupghome", type=Path, required=True, help="where the signing key is, or is made")
    parser.add_argument("--key", choices=("openpgp", "ssh"), default="openpgp")
    parser.add_argument("--cache", type=Path, help="where fetched sdists are kept")
    return parser.parse_args()


def run(argv: list[str | Path], *, env: dict[str, str] | None = None, missing: str | None = None) -> str:
    """A command's output. If it fails: `missing` where that is given, else its words and the end."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("GIT_") or key == "GIT_SSL_CAINFO"}
    done = subprocess.run(
        argv, env=kept | {"LC_ALL": "C.UTF-8"} | (env or {}), stdin=subprocess.DEVNULL, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    if done.returncode == 0:
        return done.stdout
    if missing is not None:
        return missing
    sys.exit(f"{' '.join(map(str, argv[:3]))} ... failed with {done.returncode}:\n{done.stderr}")


# fetching


def fetched(name: str, version: str, cache: Path) -> Path:
    """The sdist, from the cache or the index."""
    cache.mkdir(parents=True, exist_ok=True)
    wanted = re.compile(rf"{re.sub(r'[-_.]+', '[-_.]', re.escape(name))}-{re.escape(version)}\.tar\.gz", re.IGNORECASE)
    found = [path for path in cache.iterdir() if wanted.fullmatch(path.name)]
    return found[0] if found else by_uv(name, version, cache) or by_pip(name, version, cache)


def by_uv(name: str, version: str, cache: Path) -> Path | None:
    """Fast: uv says where the sdist is and what its digest is, without building it for its metadata."""
    with tempfile.TemporaryDirectory() as room:
        listing, lock = Path(room, "requirements.in"), Path(room, "pylock.toml")
        listing.write_text(f"{name}=={version}\n")
        run([uv(), "pip", "compile", "--quiet", "--no-deps", "--no-binary", ":all:", "-o", lock, listing], missing="")
        if not lock.exists():
            return None
        sdist = tomllib.loads(lock.read_text())["packages"][0]["sdist"]
    return download(sdist["url"], sdist["hashes"]["sha256"], cache)


def uv() -> str:
    """The installer beside this Python, else the one on PATH."""
    try:
        from uv import find_uv_bin

        return str(find_uv_bin())
    except (ImportError, FileNotFoundError):
        return shutil.which("uv") or "uv"


def download(url: str, sha256: str, cache: Path) -> Path | None:
    """The file at `url` under its own name, if its digest is right."""
    import httpx

    try:
        answer = httpx.get(url, follow_redirects=True, timeout=60).raise_for_status()
    except httpx.HTTPError as error:
        print(f"cannot fetch {url.rpartition('/')[2]}: {error}", file=sys.stderr)
        return None
    if hashlib.sha256(answer.content).hexdigest() != sha256:
        sys.exit(f"{url.rpartition('/')[2]} has another digest than the index says")
    part = cache / f"{os.getpid()}.part"
    part.write_bytes(answer.content)
    return part.rename(cache / url.rpartition("/")[2])


def by_pip(name: str, version: str, cache: Path) -> Path:
    """Slow, but knows every setting that pip knows."""
    with tempfile.TemporaryDirectory() as room:
        pip: list[str | Path] = [
            sys.executable,
            "-m",
            "pip",
            "download",
            "--quiet",
            "--no-deps",
            "--no-binary",
            ":all:",
        ]
        run([*pip, "-d", room, f"{name}=={version}"])
        return Path(shutil.copy(next(Path(room).iterdir()), cache))


# committing


def commit(sdist: Path, message: str, dest: Path, signer: dict[str, str]) -> None:
    """The tree of DEST becomes what the sdist's build was given."""
    dest.mkdir(parents=True, exist_ok=True)
    if not (dest / ".git").exists():
        git(dest, "init", "--quiet", "--initial-branch=main", "--template=")
        settings = {"user.name": NAME, "user.email": ADDRESS, "user.signingkey": signer["signingkey"]}
        for key, value in (settings | {"gpg.format": signer["format"], "core.autocrlf": "false"}).items():
            git(dest, "config", key, value)
    for path in dest.iterdir():
        if path.name != ".git":
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    run(["tar", "-xzf", sdist, "-C", dest, "--strip-components=1", "--no-same-owner"])
    for path in [*(dest / name for name in GENERATED), *dest.rglob("*.egg-info")]:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    git(dest, "add", "--all", "--force", ".")
    git(dest, "commit", "--quiet", "--allow-empty", "--no-verify", "--no-gpg-sign", "-m", message)


def sign(version: str, message: str, dest: Path, home: Path) -> None:
    """The signed tag."""
    git(dest, "tag", "--sign", "-m", message, version, env={"GNUPGHOME": str(home)})


def git(dest: Path, *args: str, env: dict[str, str] | None = None) -> str:
    """Git in DEST, with no settings but DEST's own; each commit and tag is a day after the one before."""
    count = (
        run(["git", "-C", dest, "rev-list", "--count", "HEAD"], missing="0") if args[0] in {"commit", "tag"} else "0"
    )
    when = f"{WHEN + 86_400 * int(count)} +0000"
    fixed = {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_COMMITTER_DATE": when}
    return run(["git", "-C", dest, *args], env=fixed | {"GIT_AUTHOR_DATE": when} | (env or {})).strip()


# keys


@contextlib.contextmanager
def gnupg(keys: Path) -> Iterator[Path]:
    """A GNUPGHOME whose name is short enough for the agent's socket; no agent is left behind."""
    keys.mkdir(parents=True, exist_ok=True, mode=0o700)
    keys.chmod(0o700)
    with tempfile.TemporaryDirectory(prefix="g", dir="/tmp") as room:
        home = Path(room, "h")
        home.symlink_to(keys)
        try:
            yield home
        finally:
            if shutil.which("gpgconf"):
                run(["gpgconf", "--homedir", home, "--kill", "all"], missing="")


def openpgp_key(home: Path, keys: Path) -> dict[str, str]:
    """A primary key that certifies, a subkey that signs."""
    gpg: list[str | Path] = ["gpg", "--homedir", home, "--batch", "--no-tty", "--quiet"]
    listed = run([*gpg, "--with-colons", "--list-secret-keys"], missing="")
    if "fpr:" not in listed:
        made: list[str | Path] = [*gpg, "--pinentry-mode", "loopback", "--passphrase", ""]
        run([*made, "--quick-generate-key", f"{NAME} <{ADDRESS}>", "ed25519", "cert", "never"])
        listed = run([*gpg, "--with-colons", "--list-secret-keys"])
        run([*made, "--quick-add-key", fingerprint(listed), "ed25519", "sign", "never"])
    public = keys / "maintainer.asc"
    public.write_text(run([*gpg, "--armor", "--export", fingerprint(listed)]))
    found = fingerprint(listed)
    return {"format": "openpgp", "signingkey": found, "fingerprint": found, "public": str(public)}


def fingerprint(listed: str) -> str:
    """The first, which is the primary's."""
    return next(line for line in listed.splitlines() if line.startswith("fpr:")).split(":")[9]


def ssh_key(keys: Path) -> dict[str, str]:
    """An Ed25519 key, and the allowed_signers line that names it."""
    secret = keys / "id_ed25519"
    if not secret.exists():
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", ADDRESS, "-f", secret])
    words = secret.with_suffix(".pub").read_text().split()
    public = keys / "maintainer.allowed_signers"
    public.write_text(f'{ADDRESS} namespaces="git,tagtrail-approval" {words[0]} {words[1]}\n')
    found = run(["ssh-keygen", "-l", "-f", secret]).split()[1]
    return {"format": "ssh", "signingkey": str(secret), "fingerprint": found, "public": str(public)}


if __name__ == "__main__":
    main()
