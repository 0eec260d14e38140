"""Approving and adding as people do it: real keys, ssh-keygen and gpg, an agent, another machine."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.app.test_serve import METADATA
from tests.app.world import World
from tests.workflows.intake import wheel

pytestmark = pytest.mark.client
MAC = "toy-1.0.0-cp311-cp311-macosx_11_0_arm64.whl"


@pytest.fixture(autouse=True)
def agents(tmp_path: Path) -> Iterator[None]:
    """gpg leaves an agent behind for each keyring."""
    yield
    subprocess.run(["gpgconf", "--homedir", tmp_path / "person", "--kill", "all"], check=False, capture_output=True)


class Team(World):
    """A world with a release team: bob, by SSH and by OpenPGP, and cat by SSH."""

    def begin(self, need: int = 1) -> "Team":
        self.make()
        self.bob, self.cat = self.root / "bob", self.root / "cat"
        for key in (self.bob, self.cat):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", key], check=True)
        self.gpg("--quick-gen-key", "Bob <bob@example.org>", "ed25519", "sign", "never")
        (self.home / "keys" / "bob.asc").write_bytes(self.gpg("--armor", "--export", "bob@example.org"))
        lines = [
            f'{name}@example.org namespaces="tagtrail-approval" {key.with_suffix(".pub").read_text()}'
            for name, key in (("bob", self.bob), ("cat", self.cat))
        ]
        (self.home / "keys" / "team.allowed_signers").write_text("".join(lines))
        settings = self.home / "tagtrail.toml"
        approve = f'approve = {{ need = {need}, from = "team" }}\n'
        people = '[people.team]\nkeys = ["keys/bob.asc", "keys/team.allowed_signers"]\n'
        settings.write_text(settings.read_text().replace("\n[targets.site]", f"{approve}\n{people}\n[targets.site]", 1))
        self.tag("1.0.0")
        return self

    def gpg(self, *args: str) -> bytes:
        argv = ["gpg", "--batch", "--quiet", "--passphrase", "", *args]
        (self.root / "person").chmod(0o700)
        return subprocess.run(argv, env=self.env, check=True, capture_output=True).stdout

    def wheel(self) -> Path:
        (self.root / MAC).write_bytes(wheel(MAC, info="toy-1.0.0.dist-info", metadata=METADATA))
        return self.root / MAC


def test_two_people_approve_and_it_is_released(tmp_path: Path) -> None:  # noqa: PLR0915  (one story)
    team = Team(tmp_path).begin(need=2)
    first = team.tell("plan", "toy", "1.0.0")
    assert "`tagtrail release` builds" in first.event("note")["text"]
    ended = first.event("outcome")
    assert (ended["state"], ended["next"]) == ("planned", "tagtrail release toy 1.0.0")
    assert team.tell("approve", "toy", "1.0.0", "--key", str(team.bob)).event("refused")["code"] == "approval-not-asked"
    waiting = team.tell("release", "toy", "1.0.0")
    assert (waiting.code, waiting.event("outcome")["state"]) == (4, "waiting")
    digest = waiting.event("approval")["digest"]
    assert team.tell("plan", "toy", "1.0.0").event("approval")["digest"] == digest
    status = team.tell("status")
    assert (status.code, status.event("status")["why"]) == (4, "toy 1.0.0 waits for 2 of 2 approvals by team")

    author = team.tell("approve", "toy", "1.0.0", "--key", str(team.key))
    assert (author.code, author.event("refused")["code"]) == (3, "approval-signer-unknown")
    bob = team.tell("approve", "toy", "1.0.0", "--key", str(team.bob))
    assert (bob.code, bob.event("approved")["digest"]) == (0, digest)
    assert "1 of 2 approvals" in bob.event("outcome")["text"]
    again = team.tell("approve", "toy", "1.0.0", "--key", "bob@example.org")
    assert (again.code, again.event("refused")["code"]) == (3, "approval-person-twice")
    assert team.tell("resume").code == 4

    # cat signs on another machine
    text = team.run("-C", str(team.home), "approve", "toy", "1.0.0", "--text").out
    assert text.startswith("tagtrail approval v1\n")
    (team.root / "text").write_text(text)
    sign = ["ssh-keygen", "-q", "-Y", "sign", "-f", str(team.cat), "-n"]
    subprocess.run([*sign, "git", str(team.root / "text")], check=True, capture_output=True)
    signature = team.root / "text.sig"
    wrong = team.tell("approve", "toy", "1.0.0", "--signature", str(signature))
    assert (wrong.code, wrong.event("refused")["code"]) == (3, "approval-namespace")
    signature.unlink()
    subprocess.run([*sign, "tagtrail-approval", str(team.root / "text")], check=True, capture_output=True)
    assert team.tell("approve", "toy", "1.0.0", "--signature", str(signature)).code == 0
    assert team.tell("resume").code == 0
    entry = team.leaves()[-1]["predicate"]["tagtrail"]
    assert {a["digest"] for a in entry["approvals"]} == {digest}
    assert len(entry["approvals"]) == 2
    assert team.tell("audit").code == 0
    assert team.tell("status").code == 0


def test_gpg_approves_and_git_says_with_which_key(tmp_path: Path) -> None:
    team = Team(tmp_path).begin()
    team.tell("release", "toy", "1.0.0")
    team.git("config", "gpg.format", "openpgp")
    team.git("config", "user.signingkey", "bob@example.org")
    done = team.run("-C", str(team.home), "--json", "approve", "toy", "1.0.0", cwd=team.repo)
    assert done.code == 0, done.out + done.err
    assert done.event("outcome")["text"] == "toy 1.0.0: approved"
    assert team.tell("release", "toy", "1.0.0").code == 0


def test_an_agent_holds_the_key(tmp_path: Path) -> None:
    team = Team(tmp_path).begin()
    team.tell("release", "toy", "1.0.0")
    socket = team.root / "agent"
    with subprocess.Popen(["ssh-agent", "-D", "-a", str(socket)], stdout=subprocess.DEVNULL) as agent:
        try:
            while not socket.exists():
                assert agent.poll() is None
            env = {"SSH_AUTH_SOCK": str(socket)}
            subprocess.run(["ssh-add", "-q", str(team.cat)], env=team.env | env, check=True, capture_output=True)
            team.cat.unlink()
            public = team.cat.with_suffix(".pub").read_text().strip()
            done = team.run("-C", str(team.home), "approve", "toy", "1.0.0", "--key", f"key::{public}", env=env)
            assert done.code == 0, done.out + done.err
        finally:
            agent.terminate()
    gone = team.tell("approve", "toy", "1.0.0", "--key", f"key::{public}")
    assert (gone.code, gone.event("refused")["code"]) == (2, "sign-failed")
    assert team.tell("release", "toy", "1.0.0").code == 0


def test_add_takes_all_or_nothing(tmp_path: Path) -> None:
    team = Team(tmp_path).begin()
    by = ("--by", str(team.key.with_suffix(".pub")))
    bad = team.root / "toy-1.0.1-py3-none-any.whl"
    bad.write_bytes(team.wheel().read_bytes())
    link = team.root / "toy-1.0.0-py2-none-any.whl"
    link.symlink_to(team.wheel())
    done = team.tell("add", "toy", "1.0.0", str(team.wheel()), str(bad), str(link), *by)
    assert (done.code, done.event("refused")["code"]) == (3, "version-mismatch")
    assert "2 of 3 files are refused" in done.event("refused")["what"]
    assert not [e for e in done.events if e["event"] == "staged"]
    nobody = team.tell("add", "toy", "1.0.0", str(team.wheel())).event("refused")
    assert (nobody["code"], nobody["next"]) == ("no-signer", "tagtrail add ... --by KEY")
    stranger = team.tell("add", "toy", "1.0.0", str(team.wheel()), "--by", str(team.stranger.with_suffix(".pub")))
    assert (stranger.code, stranger.event("refused")["code"]) == (2, "add-stranger")
    for missing in (("add", "toy", "1.0.0"), ("add", "toy", "1.0.0", "nowhere.whl", *by)):
        assert team.tell(*missing).code == 2
    assert team.tell("add", "toy", "2.0.0", str(team.wheel()), *by).event("refused")["code"] == "tag-missing"
    fine = team.tell("add", "toy", "1.0.0", str(team.wheel()), *by)
    assert (fine.code, fine.event("staged")["new"]) == (0, True)
    assert team.tell("add", "toy", "1.0.0", str(team.wheel()), *by).event("staged")["new"] is False
    assert team.tell("add", "toy", "1.0.0", "--drop", MAC).code == 0
    assert team.tell("release", "toy", "1.0.0").event("approval")["missing"] == "1 of 1 approvals by team"
    assert not list((team.home / "state" / "scratch").glob("*add*"))


def test_files_whose_release_nobody_began_are_unfinished(tmp_path: Path) -> None:
    team = Team(tmp_path).begin()
    by = ("--by", str(team.key.with_suffix(".pub")))
    assert team.tell("add", "toy", "1.0.0", str(team.wheel()), *by).code == 0
    for about in ((), ("toy",), ("toy", "1.0.0")):
        status = team.tell("status", *about)
        assert (status.code, status.event("outcome")["state"]) == (4, "unfinished"), about
        assert status.event("status")["why"] == f"{MAC} was brought, and no release of it is under way"
        assert status.event("outcome")["next"] == f"tagtrail -C {team.home} release toy 1.0.0"
    resumed = team.tell("resume")
    assert (resumed.code, resumed.event("outcome")["next"]) == (0, f"tagtrail -C {team.home} status")
    assert team.tell("add", "toy", "1.0.0", "--drop", MAC).code == 0
    assert team.tell("status").code == 0


def test_no_approval_reaches_an_unsigned_tag(tmp_path: Path) -> None:
    team = Team(tmp_path).begin()
    team.tag("1.1.0", options=("-a",))
    for command in (("add", "toy", "1.1.0", str(team.wheel())), ("approve", "toy", "1.1.0")):
        refused = team.tell(*command, "--by" if command[0] == "add" else "--key", str(team.key))
        assert (refused.code, refused.event("refused")["code"]) == (3, "tag-unsigned")
