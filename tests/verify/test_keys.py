"""Key files: what people hand in is read, or refused with the line and the reason."""

import pytest
from pysequoia import Profile, Tsk

from tagtrail.model.errors import SetupError
from tagtrail.verify.keys import merge, read_keys
from tests.verify.vectors import VECTORS, keys

LINE = keys("ssh-ed25519.pub")[0].material
EC = keys("ssh-ecdsa.pub")[0].material


def refused(data: bytes) -> str:
    with pytest.raises(SetupError) as caught:
        read_keys(data, "jo")
    assert caught.value.what.isprintable()
    return caught.value.code


def test_a_file_may_hold_several_certificates():
    both = (VECTORS / "jo.asc").read_bytes() + (VECTORS / "eve.asc").read_bytes()
    assert read_keys(both, "team") == tuple(
        key for name in ("jo.asc", "eve.asc") for key in read_keys((VECTORS / name).read_bytes(), "team")
    )


def test_a_certificate_is_read_armoured_or_binary_and_written_without_a_comment():
    from pysequoia import Cert

    (armoured,) = keys("jo.asc")
    (binary,) = read_keys(bytes(Cert.from_bytes(armoured.material.encode())), "jo.asc")
    assert armoured == binary
    assert "Comment" not in armoured.material
    assert armoured.fingerprint.isupper()
    assert len(armoured.fingerprint) == 40


def test_two_versions_of_a_certificate_in_one_file_are_merged():
    data = (VECTORS / "al-2020.asc").read_bytes() + (VECTORS / "al-2022.asc").read_bytes()
    (key,) = read_keys(data, "al")
    older, newer = keys("al-2020.asc", "al-2022.asc")
    assert key.material == merge(older, newer).material


def test_merging_is_for_one_key():
    (jo,), (eve,), (ssh,) = keys("jo.asc"), keys("eve.asc"), keys("ssh-rsa.pub")
    assert merge(jo, jo) == jo
    assert merge(ssh, ssh) == ssh
    for other in (eve, ssh):
        with pytest.raises(SetupError) as caught:
            merge(jo, other)
        assert caught.value.code == "key-mismatch"


def test_ssh_keys_are_read_bare_or_as_allowed_signers():
    bare = read_keys(f"# people\n{LINE} jo@example.org\n\n{EC}\n".encode(), "jo")
    assert [key.material for key in bare] == [LINE, EC]
    (key,) = read_keys(f'jo@example.org namespaces="git",valid-after="20240101Z" {LINE} jo\n'.encode(), "jo")
    assert (key.material, key.namespaces, key.valid_after, key.valid_before) == (LINE, ("git",), 1704067200, None)
    assert key.fingerprint == bare[0].fingerprint
    assert read_keys(f"{LINE}\n{LINE} again\n".encode(), "jo") == bare[:1]


SECRET = Tsk.generate("jo", profile=Profile.RFC4880)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "key-file-empty"),
        (b"# nobody\n", "key-file-empty"),
        (b"-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaA==\n-----END OPENSSH PRIVATE KEY-----\n", "secret-key"),
        (b"-----BEGIN RSA PRIVATE KEY-----\n", "secret-key"),
        (str(SECRET).encode(), "secret-key"),
        (bytes(SECRET), "secret-key"),
        (b"PRIVATE+KEY+a+b+c\n", "secret-key"),
        (b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nnonsense\n-----END PGP PUBLIC KEY BLOCK-----\n", "key-file-form"),
        (b"\x99\x01\x00", "key-file-form"),
        (b"\xff" * 40, "key-file-form"),
        ((VECTORS / "good.tag").read_bytes()[147:], "allowed-signers-line"),
        (b"hello world\n", "allowed-signers-line"),
        (b"jo ssh-ed25519\n", "ssh-key-line"),
        (b"ssh-dss AAAAB3NzaC1kc3MAAACBAP x\n", "allowed-signers-line"),
        (f"* cert-authority {LINE}\n".encode(), "allowed-signers-authority"),
        (f'* valid-after="20240101" {LINE}\n'.encode(), "allowed-signers-zone"),
        (f'a namespaces="git" {LINE}\nb {LINE}\n'.encode(), "key-twice"),
        (LINE.replace("ssh-ed25519", "ssh-rsa").encode(), "ssh-key-type"),
        (b"ssh-ed25519 " + b"A" * 68 + b"\n", "ssh-key-string"),
        (b"x" * (16 * 2**20 + 1), "key-file-size"),
    ],
)
def test_what_is_no_public_key_is_refused(data, code):
    assert refused(data) == code


def test_merging_again_changes_nothing():
    older, newer = keys("al-2020.asc", "al-2022.asc")
    merged = merge(older, newer)
    assert merge(merged, newer).material == merge(merged, older).material == merged.material
