"""Makes the vectors of this directory with gpg and ssh-keygen: run by hand, once; the files are kept.

    python tests/verify/make_vectors.py

Every tag points at commit 1111... and is called as its file; times are faked, so that keys are as old as a test needs.
"""

import os
import re
import subprocess
import tempfile
from pathlib import Path

VECTORS = Path(__file__).parent / "vectors"
SECRETS = {"GNUPGHOME"}


def payload(name: str) -> bytes:
    headers = f"object {'1' * 40}\ntype commit\ntag {name}\ntagger Jo <jo@example.org> 1590969600 +0000\n"
    return f"{headers}\nrelease {name}\n".encode()


class Keyring:
    """A GnuPG home whose clock can be set."""

    def __init__(self, home: Path) -> None:
        self.home = home
        home.mkdir(mode=0o700)

    def gpg(self, *args: str, at: str = "2020-01-01", stdin: bytes = b"") -> bytes:
        clock = at.replace("-", "") + "T000000"
        base = ["gpg", "--batch", "--yes", "--no-tty", "--quiet", "--pinentry-mode", "loopback", "--passphrase", ""]
        base += ["--ignore-time-conflict", "--faked-system-time", clock, "--homedir", str(self.home)]
        return subprocess.run([*base, *args], input=stdin, check=True, capture_output=True).stdout

    def make(self, name: str, algorithm: str, usage: str, expire: str, *subkeys: str) -> str:
        self.gpg("--quick-gen-key", f"{name} <{name}@example.org>", algorithm, usage, expire)
        fingerprint = self.fingerprints(name)[0]
        for subkey in subkeys:
            self.gpg("--quick-add-key", fingerprint, subkey, "sign", expire)
        return fingerprint

    def fingerprints(self, name: str) -> list[str]:
        listing = self.gpg("--list-keys", "--with-colons", f"{name}@example.org").decode()
        return re.findall(r"^fpr:::::::::(\w+):", listing, re.MULTILINE)

    def export(self, name: str, to: str, at: str = "2020-01-01") -> None:
        write(to, self.gpg("--armor", "--export", f"{name}@example.org", at=at))

    def tag(self, key: str, name: str, *options: str, at: str = "2020-06-01") -> None:
        users = [part for user in key.split() for part in ("--local-user", user)]
        signature = self.gpg(*users, "--armor", "--detach-sign", *options, at=at, stdin=payload(name))
        write(f"{name}.tag", payload(name) + signature)

    def revoke(self, fingerprint: str, reason: int, at: str) -> None:
        answers = f"y\n{reason}\n\ny\n".encode()
        self.gpg("--import", stdin=self._ask(answers, at, "--gen-revoke", fingerprint), at=at)

    def revoke_subkey(self, fingerprint: str, reason: int, at: str) -> None:
        self._ask(f"key 1\nrevkey\ny\n{reason}\n\ny\nsave\n".encode(), at, "--edit-key", fingerprint)

    def _ask(self, answers: bytes, at: str, *args: str) -> bytes:
        clock = at.replace("-", "") + "T000000"
        base = ["gpg", "--no-tty", "--command-fd", "0", "--pinentry-mode", "loopback", "--passphrase", ""]
        base += ["--faked-system-time", clock, "--homedir", str(self.home)]
        return subprocess.run([*base, *args], input=answers, check=True, capture_output=True).stdout

    def copy(self, to: Path) -> "Keyring":
        other = Keyring(to)
        secret = self.gpg("--export-secret-keys")
        other.gpg("--import", stdin=secret)
        return other

    def stop(self) -> None:
        subprocess.run(["gpgconf", "--homedir", str(self.home), "--kill", "all"], check=True)


def write(name: str, data: bytes) -> None:
    (VECTORS / name).write_bytes(data)


def openpgp(scratch: Path) -> None:
    ring = Keyring(scratch / "a")
    jo = ring.make("jo", "ed25519", "cert", "never", "ed25519")
    ring.export("jo", "jo.asc")
    ring.tag(jo, "good")
    ring.tag(jo, "sha1", "--digest-algo", "SHA1")
    ring.tag(jo, "text", "--textmode")
    eve = ring.make("eve", "rsa2048", "cert,sign", "never")
    ring.export("eve", "eve.asc")
    ring.tag(eve, "rsa")
    ring.tag(f"{jo} {eve}", "two-packets")
    rings = [ring]
    for name, reason in (("stolen", 1), ("retired", 3)):
        rings.append(ring.copy(scratch / name))
        rings[-1].revoke(jo, reason, "2022-01-01")
        rings[-1].export("jo", f"jo-{name}.asc", at="2022-01-01")
    rings.append(ring.copy(scratch / "subkey"))
    rings[-1].revoke_subkey(jo, 3, "2022-01-01")
    rings[-1].export("jo", "jo-subkey-retired.asc", at="2022-01-01")
    _expiring(rings, scratch)
    for one in rings:
        one.stop()


def _expiring(rings: list[Keyring], scratch: Path) -> None:
    ring = Keyring(scratch / "b")
    al = ring.make("al", "ed25519", "cert", "1y", "ed25519")
    ring.export("al", "al-2020.asc")
    ring.tag(al, "expiring")
    for key in ring.fingerprints("al"):
        subkey = [] if key == al else [key]
        ring.gpg("--quick-set-expire", al, "20y", *subkey, at="2022-06-01")
    ring.export("al", "al-2022.asc", at="2022-06-01")
    ring.tag(al, "extended", at="2023-06-01")
    rings.append(ring)


def ssh(scratch: Path) -> None:
    for kind, options in {"ed25519": [], "rsa": ["-b", "2048"], "ecdsa": ["-b", "384"]}.items():
        key = scratch / kind
        subprocess.run(["ssh-keygen", "-q", "-t", kind, *options, "-N", "", "-C", "", "-f", str(key)], check=True)
        write(f"ssh-{kind}.pub", key.with_suffix(".pub").read_bytes())
        _ssh_tag(key, f"ssh-{kind}", "git")
    _ssh_tag(scratch / "ed25519", "ssh-namespace", "file")


def _ssh_tag(key: Path, name: str, namespace: str) -> None:
    command = ["ssh-keygen", "-q", "-Y", "sign", "-n", namespace, "-f", str(key)]
    made = subprocess.run(command, input=payload(name), check=True, capture_output=True).stdout
    write(f"{name}.tag", payload(name) + made)


if __name__ == "__main__":
    os.umask(0o077)
    VECTORS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as directory:
        openpgp(Path(directory))
        ssh(Path(directory))
