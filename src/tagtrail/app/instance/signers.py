"""Whose key signs tags: read from git's configuration, a key file or a group of the settings, as a public key file.

git's rules (git-config(1)): `gpg.format` is `openpgp` unless set; `user.signingkey` is an OpenPGP key id, or with
`ssh` a
public key, the file of one, or the file of its secret half; without it gpg looks for the committer's address.
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path

from tagtrail.formats.allowed_signers import AllowedSigner, format_allowed_signers
from tagtrail.formats.approval import NAMESPACE
from tagtrail.formats.sshsig import parse_key_line
from tagtrail.io import process
from tagtrail.model.errors import SetupError
from tagtrail.model.facts import Key
from tagtrail.model.frozen import frozen
from tagtrail.model.names import fold
from tagtrail.verify.keys import read_keys

__all__ = ["Person", "git_config", "person_of_file", "person_of_git"]

_ENVIRONMENT = ("GIT_CONFIG_GLOBAL", "GNUPGHOME", "HOME", "PATH", "USER", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR")
"""What git and gpg need of the caller's environment to find the caller's own keys."""

_CHOOSE = "tagtrail add-project ... --signer FILE (gpg --armor --export KEY > FILE, or a .pub file of ssh-keygen)"


@frozen
class Person:
    """Somebody who signs tags: a name, the public keys, where they were found, and the file to be kept of them."""

    name: str
    keys: tuple[Key, ...]
    source: str
    file: bytes

    @property
    def suffix(self) -> str:
        """How the key file's name ends."""
        return ".asc" if self.keys[0].scheme == "openpgp" else ".allowed_signers"


def person_of_file(path: Path, name: str = "") -> Person:
    """The person whose public keys are in a file. Raises SetupError `signer-file`, and what `read_keys` raises."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SetupError(f"{path} cannot be read: {error.strerror}", code="signer-file", hint=_CHOOSE) from error
    try:
        return _person(name or _slug(path.name.split(".")[0]), data, f"from {path.name}")
    except SetupError as error:
        raise SetupError(f"{path}: {error.what}", code=error.code, why=error.why, hint=error.hint or _CHOOSE) from error


def person_of_git(repository: Path, environ: Mapping[str, str] = os.environ) -> Person:
    """Who signs tags in this repository, by git's configuration.

    Raises SetupError `no-signer`, `signer-x509`, `signer-many`, and what `read_keys` raises.
    """
    form = git_config(repository, "gpg.format", environ) or "openpgp"
    key = git_config(repository, "user.signingkey", environ)
    name = _slug(git_config(repository, "user.name", environ)) or "me"
    if form == "ssh":
        return _person(name, _ssh_key(key, repository, environ), "from git config")
    if form != "openpgp":
        why = "X.509 signatures (gitsign, smime) are not supported"
        raise SetupError(f"git signs with {form} here", code="signer-x509", why=why, hint="git config gpg.format ssh")
    wanted = key or git_config(repository, "user.email", environ)
    return _person(name, _certificate(wanted, environ), "from git config")


def git_config(repository: Path, key: str, environ: Mapping[str, str] = os.environ) -> str:
    """What git's configuration says in this directory; empty where it says nothing."""
    argv = ["git", "-C", str(repository), "config", "--null", "--get", key]
    done = process.run(argv, env=_caller(environ), limit=30)
    return done.out.decode("utf-8", "replace").rstrip("\0") if done.ok else ""


def _person(name: str, data: bytes, source: str) -> Person:
    keys = read_keys(data, name)
    if keys[0].scheme == "openpgp":
        file = "".join(key.material.rstrip("\n") + "\n" for key in keys).encode("ascii")
    else:
        both = ("git", NAMESPACE)
        lines = (AllowedSigner(principals=name, key=parse_key_line(k.material), namespaces=both) for k in keys)
        file = format_allowed_signers(tuple(lines))
    return Person(name=name, keys=keys, source=source, file=file)


def _caller(environ: Mapping[str, str]) -> dict[str, str]:
    return {key: environ[key] for key in _ENVIRONMENT if key in environ}


def _ssh_key(key: str, repository: Path, environ: Mapping[str, str]) -> bytes:
    literal = key.removeprefix("key::")
    if not key:
        raise _no_signer("user.signingkey is not set")
    if literal != key or re.match(r"(ssh|ecdsa|sk)-\S+ ", key):
        return f"{literal}\n".encode()
    path = repository / (key.replace("~", environ.get("HOME", "~"), 1) if key.startswith("~/") else key)
    for file in (path.with_name(f"{path.name}.pub"), path):
        if file.is_file():
            return file.read_bytes()
    raise _no_signer(f"user.signingkey is {key}, and there is no such file")


def _certificate(wanted: str, environ: Mapping[str, str]) -> bytes:
    if not wanted:
        raise _no_signer("neither user.signingkey nor user.email is set")
    argv = ["gpg", "--batch", "--no-tty", "--armor", "--export-options", "export-minimal", "--export", "--", wanted]
    done = process.run(argv, env=_caller(environ), limit=60)
    if not done.ok or b"BEGIN PGP" not in done.out:
        raise _no_signer(f"gpg has no public key for {wanted}")
    if len(read_keys(done.out, "")) > 1:
        what = f"gpg has several keys for {wanted}"
        raise SetupError(what, code="signer-many", hint="git config user.signingkey FINGERPRINT")
    return done.out


def _no_signer(why: str) -> SetupError:
    return SetupError("it is not known who signs the tags of this repository", code="no-signer", why=why, hint=_CHOOSE)


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", fold(text)).strip("-")[:40]
