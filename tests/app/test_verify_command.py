"""`tagtrail verify` on a desk: what is proven, what is refused with which code, and that nothing there grants trust."""

import os
import subprocess
import sys
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from tagtrail.app.commands import init, verify
from tagtrail.model.errors import SetupError, TamperError
from tests.app.desk import Said, lay, lay_root, said
from tests.verify.workshop import NAME, Workshop, envelope, log_key, policy, witness_key

PROOF = f"{NAME}.tlog-proof"
TAG = "nova-1.0.0.tag"
SHOP = Workshop()


@pytest.fixture(autouse=True)
def desk(tmp_path, request):
    """No pins and no instance but those that a test lays there."""
    before = dict(os.environ)
    os.environ["XDG_CONFIG_HOME"] = str(tmp_path / "config")
    os.environ.pop("TAGTRAIL_HOME", None)
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture
def file(tmp_path) -> Path:
    return lay(tmp_path / "d")


@pytest.fixture
def root(tmp_path) -> Path:
    return lay_root(tmp_path / "root.json")


def verdicts(*words: object) -> list[tuple[str, str]]:
    result: Said = said(verify, *words)
    assert result.code == (0 if all(code == "ok" for _, code in result.verdicts) else 7)
    return result.verdicts


# Good


def test_a_file_is_proven_by_what_lies_beside_it(file, root):
    result = said(verify, file, "--root", root)
    (event,) = result.events
    assert (result.code, event["ok"], event["code"]) == (0, True, "")
    assert (event["project"], event["version"], event["index"], event["size"]) == ("nova", "1.0.0", 7, 13)
    assert (event["signer"], event["witnessed"]) == (SHOP.jo.key.fingerprint, None)
    assert event["claims"] == ["tag", "entry"]
    assert event["doubts"] == ["unwitnessed", "built-claimed", "withdrawals-unchecked"]
    assert len(event["proven"]) == 2


def test_with_a_policy_nothing_but_the_file_and_its_proof_is_opened(file, tmp_path):
    (tmp_path / "policy").write_bytes(SHOP.policy.encode())
    (file.parent / TAG).unlink()
    (file.parent / TAG).mkdir()  # whoever opened it would be told
    event = said(verify, file, "--policy", tmp_path / "policy").events[0]
    assert event["ok"]
    assert event["signer"] == ""
    assert "signer-claimed" in event["doubts"]


def test_a_renamed_file_is_proven_under_its_released_name(file, root):
    renamed = file.rename(file.with_name("nova_1.0.0.orig.tar.gz"))
    assert verdicts(renamed, "--root", root, "--as", NAME) == [(renamed.name, "ok")]
    (file.parent / PROOF).rename(file.with_name("nova_1.0.0.orig.tar.gz.tlog-proof"))
    assert verdicts(renamed, "--root", root, "--as", NAME) == [(renamed.name, "ok")]
    assert verdicts(renamed, "--root", root) == [(renamed.name, "name-not-in-entry")]


def test_a_directory_is_its_artifacts_and_their_sidecars(file, root):
    result = said(verify, file.parent, "--root", root)
    assert (result.code, result.verdicts) == (0, [(NAME, "ok")])


def test_several_files_end_with_a_count(file, root, tmp_path):
    other = lay(tmp_path / "e")
    other.write_bytes(b"changed")
    result = said(verify, file, other, "--root", root)
    assert result.verdicts == [(NAME, "ok"), (NAME, "digest-mismatch")]
    assert result.of("outcome")[0] == {
        "event": "outcome", "exit": 7, "state": "refused", "text": "1 of 2 files are what was released", "next": "",
    }  # fmt: skip


# Refusals


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda f: f.write_bytes(b"x"), "digest-mismatch"),
        (lambda f: f.write_bytes(b""), "digest-mismatch"),
        (lambda f: f.write_bytes(f.read_bytes() + b"\0"), "digest-mismatch"),
        (lambda f: f.write_bytes(f.read_bytes()[:-1]), "digest-mismatch"),
        (lambda f: f.with_name(PROOF).unlink(), "proof-missing"),
        (lambda f: f.with_name(PROOF).write_bytes(b""), "proof-version"),
        (lambda f: f.with_name(PROOF).write_bytes(b"c2sp.org/tlog-proof@v1\n" + b"A" * 2_000_000), "proof-too-large"),
        (lambda f: f.with_name(TAG).unlink(), "tag-missing"),
        (lambda f: f.with_name(TAG).write_bytes(b""), "tag-digest-mismatch"),
        (lambda f: f.with_name(TAG).write_bytes(b"A" * 2_000_000), "tag-digest-mismatch"),
    ],
)
def test_what_was_changed_or_taken_away_is_refused(file, root, spoil, code):
    spoil(file)
    assert verdicts(file, "--root", root) == [(NAME, code)]


def test_a_refusal_says_what_why_and_what_next(file, root):
    file.with_name(TAG).unlink()
    event = said(verify, file, "--root", root).events[0]
    assert (event["ok"], event["code"], event["what"]) == (False, "tag-missing", f"{TAG} is missing")
    assert event["next"]
    assert (event["proven"], event["index"]) == ([], None)


def test_witnesses_and_imports_are_asked_for(file, root, tmp_path):
    assert verdicts(file, "--root", root, "--require-witnessed") == [(NAME, "not-witnessed")]
    imported = Workshop(of_file={"origin": {"how": "imported"}})
    other = lay(tmp_path / "i", imported)
    assert verdicts(other, "--root", root) == [(NAME, "imported")]
    assert verdicts(other, "--root", root, "--allow-imported") == [(NAME, "ok")]
    witnessed = Workshop(witnesses=(witness_key("w1"),), needed=1)
    seen = lay(tmp_path / "w", witnessed)
    trusted = lay_root(tmp_path / "witnessed.json", witnessed)
    assert verdicts(seen, "--root", trusted, "--require-witnessed") == [(NAME, "ok")]


def test_a_directory_with_something_unknown_is_refused(file, root):
    (file.parent / "evil-1.0-py3-none-any.whl").write_bytes(b"evil")
    (file.parent / "sub").mkdir()
    (file.parent / "sub" / NAME).write_bytes(file.read_bytes())
    assert verdicts(file.parent, "--root", root) == [
        (NAME, "ok"), ("evil-1.0-py3-none-any.whl", "unknown"), (NAME, "unknown"),
    ]  # fmt: skip


def test_pages_beside_artifacts_are_named_and_not_judged(file, root):
    (file.parent / "index.html").write_bytes(b"a page")
    (file.parent / "index.htm").write_bytes(b"no page of ours")
    assert verdicts(file.parent, "--root", root) == [(NAME, "ok"), ("index.htm", "unknown")]
    (file.parent / "index.htm").unlink()
    (file.parent / "feed").mkdir()
    (file.parent / "feed" / "1.atom").write_bytes(b"an archive of a feed")
    assert verdicts(file.parent, "--root", root) == [(NAME, "ok")]
    (file.parent / "feed" / "0.atom").write_bytes(b"no archive of ours")
    assert verdicts(file.parent, "--root", root) == [(NAME, "ok"), ("0.atom", "unknown")]


def test_a_sidecar_that_the_entry_does_not_mean_is_refused(tmp_path, root):
    digest = sha256(b"sums").hexdigest()
    sidecars = {TAG: sha256(SHOP.tag).hexdigest(), "nova-1.0.0.SHA256SUMS": digest}
    shop = Workshop(ours={"sidecars": sidecars}, of_file={"metadata": sha256(b"meta").hexdigest()})
    file = lay(tmp_path / "d", shop)
    for name, content in (("nova-1.0.0.SHA256SUMS", b"sums"), (f"{NAME}.metadata", b"meta")):
        file.with_name(name).write_bytes(content)
    assert verdicts(file.parent, "--root", root) == [(NAME, "ok")]
    for name in ("nova-1.0.0.SHA256SUMS", f"{NAME}.metadata"):
        good = file.with_name(name).read_bytes()
        file.with_name(name).write_bytes(good + b".")
        assert (name, "sidecar-mismatch") in verdicts(file.parent, "--root", root)
        file.with_name(name).write_bytes(good)


def test_an_empty_directory_proves_nothing(tmp_path, root):
    (tmp_path / "empty").mkdir()
    with pytest.raises(TamperError) as caught:
        said(verify, tmp_path / "empty", "--root", root)
    assert caught.value.code == "nothing-to-verify"


def test_a_link_to_a_directory_is_a_file_that_nobody_knows(file, root):
    (file.parent / "loop").symlink_to(file.parent)
    assert verdicts(file.parent, "--root", root) == [(NAME, "ok"), ("loop", "unknown")]


# Usage


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["missing"], "file-missing"),
        (["d", "d", "--as", "x"], "usage"),
        (["d", "--as", "x"], "usage"),
        ([f"d/{NAME}", "--root", "missing"], "file-missing"),
        ([f"d/{NAME}", "--root", "d"], "not-a-file"),
        (["fifo"], "not-a-file"),
        ([f"d/{NAME}", "-C", "d"], "not-an-instance"),
    ],
)
def test_what_cannot_be_read_is_said(tmp_path, file, root, words, code):
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "fifo.tlog-proof").write_bytes(SHOP.case.proof)
    options = [] if "--root" in words or "-C" in words else ["--root", root]
    paths = [tmp_path / w if w in ("missing", "d", "fifo", f"d/{NAME}") else w for w in words]
    with pytest.raises(SetupError) as caught:
        said(verify, *paths, *options)
    assert caught.value.code == code


@pytest.mark.parametrize(("option", "code"), [("--root", "json-syntax"), ("--policy", "policy-line")])
def test_a_trust_that_cannot_be_read_is_refused_by_name(tmp_path, file, option, code):
    (tmp_path / "garbage").write_bytes(b"garbage\n")
    with pytest.raises(TamperError, match="garbage: ") as caught:
        said(verify, file, option, tmp_path / "garbage")
    assert caught.value.code == code


# Trust


def test_without_trust_everything_is_unpinned(file):
    assert verdicts(file) == [(NAME, "unpinned")]
    assert verdicts(file.parent)[0] == (NAME, "unpinned")


def test_nothing_beside_the_file_grants_trust(file, tmp_path, root):
    for at in (file.parent, file.parent / "trail", tmp_path, tmp_path / "trail"):
        at.mkdir(exist_ok=True)
        for name in ("root.json", "1.root.json", "policy", "allowed_signers"):
            (at / name).write_bytes(SHOP.policy.encode() if name == "policy" else root.read_bytes())
        (at / "tagtrail.toml").write_text(f'[org]\nname = "x"\norigin = "{SHOP.root.origin}"\n')
    before = Path.cwd()
    os.chdir(file.parent)
    try:
        assert verdicts(NAME) == [(NAME, "unpinned")]
    finally:
        os.chdir(before)


def test_a_pin_is_trust_for_its_origin(file, tmp_path):
    trust = tmp_path / "config" / "tagtrail" / "trust"
    pin = lay_root(trust / "releases.example.org%2Ftrail.root.json")
    assert verdicts(file) == [(NAME, "ok")]
    pin.rename(trust / "other.example.root.json")
    assert verdicts(file) == [(NAME, "unpinned")]


def test_a_pin_under_anothers_name_is_refused(file, tmp_path):
    log = log_key(origin="other.example")
    fields = {"origin": "other.example", "keys": (log.verifier.vkey(),), "policy": policy(log).encode().decode()}
    root = Workshop(root_fields=fields).root
    path = tmp_path / "config" / "tagtrail" / "trust" / "releases.example.org%2Ftrail.root.json"
    path.parent.mkdir(parents=True)
    path.write_bytes(envelope(root, log))
    assert verdicts(file) == [(NAME, "pin-origin")]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_pin_that_somebody_else_owns_is_no_trust(file, tmp_path):
    pin = lay_root(tmp_path / "config" / "tagtrail" / "trust" / "releases.example.org%2Ftrail.root.json")
    os.chown(pin, 12345, -1)
    with pytest.raises(SetupError) as caught:
        said(verify, file)
    assert caught.value.code == "pin-not-ours"


def test_an_instance_without_a_release_is_no_trust(file, tmp_path):
    said(init, tmp_path / "rel", "--origin", SHOP.root.origin)
    for words in (("-C", tmp_path / "rel"), ()):
        os.environ["TAGTRAIL_HOME"] = str(tmp_path / "rel")
        with pytest.raises(TamperError, match="no root of trust yet") as caught:
            said(verify, file, *words)
        assert caught.value.code == "unpinned"


@pytest.mark.parametrize("spoiled", ["directory", "file"])
def test_a_pin_that_others_can_write_is_no_trust(file, tmp_path, spoiled):
    trust = tmp_path / "config" / "tagtrail" / "trust"
    pin = lay_root(trust / "releases.example.org%2Ftrail.root.json")
    (trust if spoiled == "directory" else pin).chmod(0o777)
    with pytest.raises(SetupError) as caught:
        said(verify, file)
    assert caught.value.code == "pin-not-ours"


def test_an_explicit_root_replaces_a_pin(file, tmp_path):
    lay_root(tmp_path / "config" / "tagtrail" / "trust" / "releases.example.org%2Ftrail.root.json")
    nobody = replace(SHOP, allowed=())
    assert verdicts(file, "--root", lay_root(tmp_path / "strict.json", nobody)) == [(NAME, "signer-not-allowed")]


# The whole program


@pytest.mark.client
def test_the_program_ends_with_seven_and_without_a_traceback(file, root):
    program = [sys.executable, "-c", "from tagtrail.app.main import main; raise SystemExit(main())", "verify"]
    good = subprocess.run([*program, file, "--root", root], capture_output=True, text=True, check=False)
    assert (good.returncode, good.stderr) == (0, "")
    assert good.stdout.splitlines()[0].endswith(f"{NAME}  ok")
    file.write_bytes(b"x")
    bad = subprocess.run([*program, file, "--root", root], capture_output=True, text=True, check=False)
    assert (bad.returncode, bad.stderr) == (7, "")
    assert "digest-mismatch" in bad.stdout


def test_a_proof_without_its_file(tmp_path, root):
    file = lay(tmp_path / "d")
    file.with_name("other.zip.tlog-proof").write_bytes(file.with_name(PROOF).read_bytes())
    assert verdicts(file.parent, "--root", root) == [(NAME, "ok"), ("other.zip.tlog-proof", "unknown")]


def test_what_cannot_be_read_refuses_itself_and_no_other(tmp_path, root):
    file = lay(tmp_path / "d")
    os.mkfifo(file.with_name("pipe.zip"))
    for name in ("pipe.zip", "pipe2.zip"):
        os.mkfifo(file.with_name(f"{name}.tlog-proof"))
    file.with_name("pipe2.zip").write_bytes(b"x")
    found = [(NAME, "ok"), ("pipe.zip", "evidence-unreadable"), ("pipe2.zip", "evidence-unreadable")]
    assert verdicts(file.parent, "--root", root) == found
