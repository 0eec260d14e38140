"""Real git, gpg and ssh-keygen: what they sign we judge good, what the workshop signs they do."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tagtrail.formats.allowed_signers import AllowedSigner, format_allowed_signers
from tagtrail.formats.gitobject import object_id
from tagtrail.model.errors import TamperError
from tagtrail.verify.keys import read_keys
from tagtrail.verify.tags import judge_tag
from tests.verify.make_vectors import Keyring
from tests.verify.workshop import Person

pytestmark = pytest.mark.client


class Repository:
    """A git repository with one commit, whose configuration nobody else writes."""

    def __init__(self, path: Path, object_format: str = "sha1") -> None:
        self.path = path
        path.mkdir()
        self.git("init", "-q", f"--object-format={object_format}")
        self.git("commit", "-q", "--allow-empty", "-m", "first")

    def git(self, *args: str, stdin: bytes = b"", **env: str) -> bytes:
        clean = {"PATH": os.environ["PATH"], "HOME": str(self.path), "GIT_CONFIG_NOSYSTEM": "1", **env}
        who = ["-c", "user.name=Jo", "-c", "user.email=jo@example.org"]
        command = ["git", *who, *args]
        return subprocess.run(
            command, cwd=self.path, input=stdin, env=clean, capture_output=True, check=True, timeout=60
        ).stdout

    def raw(self, tag: str) -> bytes:
        return self.git("cat-file", "tag", tag)

    @property
    def head(self) -> str:
        return self.git("rev-parse", "HEAD").decode().strip()


@pytest.fixture
def ssh_key(tmp_path: Path) -> Path:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "id"], check=True)
    return tmp_path / "id"


@pytest.fixture
def keyring() -> Iterator[Keyring]:
    with tempfile.TemporaryDirectory(prefix="tagtrail-") as directory:  # short enough for gpg's sockets
        ring = Keyring(Path(directory) / "g")
        yield ring
        ring.stop()


@pytest.mark.parametrize("object_format", ["sha1", "sha256"])
def test_git_signs_with_ssh(tmp_path, ssh_key, object_format):
    repository = Repository(tmp_path / "r", object_format)
    signing = ["-c", "gpg.format=ssh", "-c", f"user.signingkey={ssh_key}.pub"]
    repository.git(*signing, "tag", "-s", "-m", "release", "1.0.0")
    keys = read_keys(Path(f"{ssh_key}.pub").read_bytes(), "jo")
    raw = repository.raw("1.0.0")
    judged = judge_tag(raw, name="1.0.0", keys=keys, at=None)
    assert (judged.object, judged.signer) == (repository.head, keys[0].fingerprint)
    listed = subprocess.run(["ssh-keygen", "-l", "-f", ssh_key], capture_output=True, check=True).stdout.decode()
    assert judged.signer in listed
    assert object_id("tag", raw, len(judged.object)) == repository.git("rev-parse", "1.0.0").decode().strip()


def test_git_signs_with_openpgp(tmp_path, keyring):
    fingerprint = keyring.make("jo", "ed25519", "cert", "never", "ed25519")
    repository = Repository(tmp_path / "r")
    repository.git("tag", "-s", "-u", fingerprint, "-m", "release", "1.0.0", GNUPGHOME=str(keyring.home))
    keys = read_keys(keyring.gpg("--export", fingerprint), "jo")
    judged = judge_tag(repository.raw("1.0.0"), name="1.0.0", keys=keys, at=None)
    assert (judged.object, judged.signer, judged.scheme) == (repository.head, fingerprint, "openpgp")


def test_git_calls_a_tag_under_another_name_good_and_we_do_not(tmp_path, ssh_key):
    repository = Repository(tmp_path / "r")
    signing = ["-c", "gpg.format=ssh", "-c", f"user.signingkey={ssh_key}.pub"]
    repository.git(*signing, "tag", "-s", "-m", "release", "1.0.0")
    repository.git("update-ref", "refs/tags/2.0.0", "refs/tags/1.0.0")
    keys = read_keys(Path(f"{ssh_key}.pub").read_bytes(), "jo")
    with pytest.raises(TamperError) as caught:
        judge_tag(repository.raw("2.0.0"), name="2.0.0", keys=keys, at=None)
    assert caught.value.code == "tag-name"


def test_git_judges_the_workshops_tags_as_we_do(tmp_path):
    repository, jo, eve = Repository(tmp_path / "r"), Person("jo"), Person("eve")
    allowed = tmp_path / "allowed"
    allowed.write_bytes(format_allowed_signers((AllowedSigner(principals="jo", key=jo.public, namespaces=("git",)),)))
    for person, good in ((jo, True), (eve, False)):
        raw = person.tag(commit=repository.head)
        written = repository.git("hash-object", "-t", "tag", "-w", "--stdin", stdin=raw).decode().strip()
        assert written == object_id("tag", raw)
        checking = ["-c", f"gpg.ssh.allowedSignersFile={allowed}", "verify-tag", written]
        if good:
            repository.git(*checking)
        else:
            with pytest.raises(subprocess.CalledProcessError):
                repository.git(*checking)
