"""`tagtrail verify` from afar: a file at an address, and evidence from the site of a pinned log."""

import json
from hashlib import sha256
from pathlib import Path

import pytest

from tagtrail.app.commands import verify
from tagtrail.app.consumer.online import AtAddress
from tagtrail.app.consumer.places import Place
from tagtrail.app.consumer.sources import Source
from tagtrail.model.errors import Error, RemoteError
from tagtrail.verify.proofs import entry_of
from tagtrail.verify.release import Measured
from tests.app.desk import lay, lay_root, said
from tests.app.shelf import alone, lay_index, lay_site, pin, row, served
from tests.verify.workshop import CONTENT, NAME, ORIGIN, Workshop

PROOF, TAG = f"{NAME}.tlog-proof", "nova-1.0.0.tag"


@pytest.fixture(autouse=True)
def desk(tmp_path):
    with alone(tmp_path):
        yield


@pytest.fixture
def site(tmp_path) -> Path:
    return lay_site(tmp_path / "site")


@pytest.fixture
def root(tmp_path) -> Path:
    return lay_root(tmp_path / "root.json")


@pytest.fixture
def file(tmp_path) -> Path:
    """A file as it comes from a mirror: alone."""
    (tmp_path / "w").mkdir()
    at: Path = tmp_path / "w" / NAME
    at.write_bytes(CONTENT)
    return at


def verdicts(*words: object) -> list[tuple[str, str]]:
    return said(verify, *words).verdicts


def refused(*words: object) -> str:
    with pytest.raises(Error) as caught:
        said(verify, *words)
    assert caught.value.what.isprintable()
    return caught.value.code


# A file at an address


@pytest.mark.client
def test_a_file_at_an_address_is_proven_by_what_lies_beside_it(site, root):
    with served(site) as (url, asked):
        result = said(verify, f"{url}nova/{NAME}", "--root", root)
    (event,) = result.events
    assert (result.code, event["ok"], event["file"]) == (0, True, f"{url}nova/{NAME}")
    assert event["fetched"] == [f"{url}nova/{PROOF}", f"{url}nova/{TAG}"]
    assert asked == [f"/nova/{PROOF}", f"/nova/{TAG}", f"/nova/{NAME}"]


@pytest.mark.client
def test_with_a_policy_no_tag_is_fetched(site, tmp_path):
    (tmp_path / "policy").write_bytes(Workshop().policy.encode())
    with served(site) as (url, asked):
        assert verdicts(f"{url}nova/{NAME}", "--policy", tmp_path / "policy") == [(NAME, "ok")]
    assert asked == [f"/nova/{PROOF}", f"/nova/{NAME}"]


@pytest.mark.client
def test_a_renamed_file_at_an_address_needs_its_name(site, root):
    (site / "nova" / NAME).rename(site / "nova" / "nova_1.0.0.orig.tar.gz")
    with served(site) as (url, _):
        assert verdicts(f"{url}nova/nova_1.0.0.orig.tar.gz", "--as", NAME, "--root", root)[0][1] == "ok"
        assert verdicts(f"{url}nova/nova_1.0.0.orig.tar.gz", "--root", root)[0][1] == "proof-missing"


@pytest.mark.client
@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda nova: (nova / NAME).write_bytes(CONTENT.upper()), "digest-mismatch"),
        (lambda nova: (nova / NAME).write_bytes(CONTENT[:-1]), "digest-mismatch"),
        (lambda nova: (nova / NAME).write_bytes(CONTENT + b"\0"), "size-mismatch"),
        (lambda nova: (nova / NAME).write_bytes(CONTENT * 1_000_000), "size-mismatch"),
        (lambda nova: (nova / PROOF).unlink(), "proof-missing"),
        (lambda nova: (nova / PROOF).write_bytes(b"<html>"), "proof-version"),
        (lambda nova: (nova / PROOF).write_bytes(b"A" * 1_300_000), "url-too-large"),
        (lambda nova: (nova / TAG).unlink(), "tag-missing"),
        (lambda nova: (nova / TAG).write_bytes(b"x"), "tag-digest-mismatch"),
    ],
)
def test_what_was_changed_there_is_refused(site, root, spoil, code):
    spoil(site / "nova")
    with served(site) as (url, _):
        result = said(verify, f"{url}nova/{NAME}", "--root", root)
    assert result.verdicts == [(NAME, code)]
    assert result.code == (5 if code.startswith("url-") else 7)


@pytest.mark.client
def test_nothing_on_the_site_grants_trust(site):
    (site / "trail" / "root.json").write_bytes(lay_root(site / "nova" / "root.json").read_bytes())
    with served(site) as (url, _):
        assert verdicts(f"{url}nova/{NAME}") == [(NAME, "unpinned")]


@pytest.mark.client
def test_an_alarm_is_graver_than_a_site_that_does_not_answer(site, root, file):
    with served(site) as (url, _):
        assert said(verify, f"{url}broken", f"{url}nova/{NAME}", "--root", root).code == 5
        result = said(verify, f"{url}broken", file, f"{url}nova/{NAME}", "--root", root)
    assert (result.code, [code for _, code in result.verdicts]) == (7, ["url-status", "proof-missing", "ok"])
    assert result.events[-1]["text"] == "1 of 3 files are what was released"


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://127.0.0.1:1/nova/", "not-a-file-address"),
        ("http://127.0.0.1:1", "not-a-file-address"),
        ("http://127.0.0.1:1/nova/..%2Fx", "not-a-file-address"),
        ("ftp://127.0.0.1:1/nova/x", "url"),
        ("http://jo:secret@127.0.0.1:1/x", "url"),
        ("http:///x", "url"),
    ],
)
def test_an_address_of_no_file_is_said(root, url, code):
    with pytest.raises(Error) as caught:
        said(verify, url, "--root", root)
    assert (caught.value.code, caught.value.exit_code) == (code, 2)
    assert "secret" not in str(caught.value)


def test_a_site_that_is_not_there_is_five(root):
    result = said(verify, f"http://127.0.0.1:1/nova/{NAME}", "--root", root)
    assert (result.code, result.verdicts) == (5, [(NAME, "url-unreachable")])


# --fetch


@pytest.mark.parametrize("path", ["{project}/{file}", "pool/{project}/{file}"])
def test_missing_evidence_comes_from_the_pinned_site(tmp_path, file, path):
    site = lay_site(tmp_path / "site", path=path)
    pin(tmp_path / "config", site)
    assert verdicts(file) == [(NAME, "proof-missing")]
    (event,) = said(verify, file, "--fetch").events
    at = path.replace("{project}", "nova").replace("{file}", "")
    assert (event["ok"], event["fetched"]) == (True, [str(site / at / PROOF), str(site / at / TAG)])
    assert [*file.parent.iterdir()] == [file]


def test_a_packagers_renamed_file_is_found_by_its_released_name(tmp_path, file, site):
    pin(tmp_path / "config", site)
    renamed = file.rename(file.with_name("nova_1.0.0.orig.tar.gz"))
    assert verdicts(renamed, "--as", NAME, "--fetch") == [(renamed.name, "ok")]
    assert verdicts(renamed, "--fetch") == [(renamed.name, "proof-missing")]


def test_what_lies_beside_the_file_is_not_fetched(tmp_path, site):
    pin(tmp_path / "config", site)
    here = lay(tmp_path / "d")
    assert "fetched" not in said(verify, here, "--fetch").events[0]
    here.with_name(TAG).unlink()
    assert said(verify, here, "--fetch").events[0]["fetched"] == [str(site / "nova" / TAG)]
    here.with_name(PROOF).write_bytes(b"garbage")
    assert verdicts(here, "--fetch") == [(NAME, "proof-version")]


def test_a_file_elsewhere_on_the_site_is_found_by_its_index(tmp_path, file, site):
    (site / "nova").rename(site / "old")
    lay_index(site, row("other.whl"), row(url=f"../../old/{NAME}"))
    (site / "nova").mkdir()
    (site / "old" / TAG).rename(site / "nova" / TAG)
    pin(tmp_path / "config", site)
    assert verdicts(file, "--fetch") == [(NAME, "ok")]


@pytest.mark.parametrize(
    "url",
    ["../../../secret", "../../nova/../../secret", "http://127.0.0.1:1/x", "/etc/passwd", "\u0000", "../../\ud800"],
)
def test_an_index_leads_nowhere_but_on_its_site(tmp_path, file, site, url):
    (site / "nova" / PROOF).rename(tmp_path / "secret.tlog-proof")
    lay_index(site, row(url=url))
    pin(tmp_path / "config", site)
    assert verdicts(file, "--fetch") == [(NAME, "proof-missing")]


@pytest.mark.client
def test_an_index_with_names_that_no_address_can_hold_only_means_not_found(tmp_path, file, site):
    (site / "nova" / PROOF).unlink()
    lay_index(site, row(url="../../\ud800"), row(url="../../a\nb"), row(url="../../a\x00b"))
    with served(site) as (url, _):
        pin(tmp_path / "config", url)
        assert verdicts(file, "--fetch") == [(NAME, "proof-missing")]


@pytest.mark.parametrize("page", [b"", b"[]", b'{"files": 3}', b'{"files": [3]}', b'{"files": [{}]}', b"[" * 99_999])
def test_an_index_that_is_none_is_refused(tmp_path, file, site, page):
    (site / "nova" / PROOF).unlink()
    (site / "simple" / "nova" / "index.json").write_bytes(page)
    pin(tmp_path / "config", site)
    assert verdicts(file, "--fetch") == [(NAME, "index-form")]


def test_a_wrong_site_json_only_means_not_found(tmp_path, file, site):
    (site / "trail" / "site.json").write_text(json.dumps({"path": "../{project}/{file}"}))
    pin(tmp_path / "config", site)
    assert verdicts(file, "--fetch") == [(NAME, "ok")]


def test_a_fetched_proof_of_other_bytes_is_a_mismatch(tmp_path, file, site):
    file.write_bytes(b"evil")
    pin(tmp_path / "config", site)
    assert verdicts(file, "--fetch") == [(NAME, "digest-mismatch")]


def test_what_no_root_names_is_unknown_and_nothing_is_asked(tmp_path, site):
    evil = tmp_path / "evil-1.0-py3-none-any.whl"
    evil.write_bytes(b"evil")
    pin(tmp_path / "config", "http://127.0.0.1:1/")  # whoever asked would be told
    assert verdicts(evil, "--fetch") == [(evil.name, "unknown")]
    (event,) = said(verify, evil, "--fetch").events
    assert (event["what"], ORIGIN in event["why"]) == ("no pinned trail names it", True)


def test_without_pins_everything_is_unknown(file):
    (event,) = said(verify, file, "--fetch").events
    assert (event["code"], event["next"]) == ("unknown", "tagtrail trust URL")


def test_a_site_that_is_down_may_know(tmp_path, file):
    pin(tmp_path / "config", "http://127.0.0.1:1/")
    result = said(verify, file, "--fetch")
    assert (result.code, result.verdicts) == (5, [(NAME, "url-unreachable")])


def test_a_site_that_does_not_answer_is_asked_once():
    source = Source(ORIGIN, Workshop().root, Place("http://127.0.0.1:1/"))
    errors = []
    for _ in range(2):
        with pytest.raises(RemoteError) as caught:
            source.proof(NAME)
        errors.append(caught.value)
    assert errors[0] is errors[1]


@pytest.mark.client
def test_a_file_goes_through_the_hash_piece_by_piece(tmp_path, site):
    large = b"x" * 10_000_000
    (site / "large").write_bytes(large)
    told = []
    with served(site) as (url, _):
        entry = entry_of(Workshop().case.proof)
        measured = AtAddress(f"{url}large").measure("large", entry, lambda name, fields: told.append((name, fields)))
    assert measured == Measured(name="large", sha256=sha256(large).hexdigest(), size=len(large))
    assert [name for name, _ in told] == ["bytes", "bytes"]
    assert all(fields["total"] == len(large) for _, fields in told)


def test_a_pinned_copy_that_is_gone_has_no_files(tmp_path, file):
    pin(tmp_path / "config", tmp_path / "gone")
    assert verdicts(file, "--fetch") == [(NAME, "proof-missing")]


def test_a_pin_without_a_place_is_said(tmp_path, file):
    pin(tmp_path / "config", "")
    assert refused(file, "--fetch") == "no-site"


def test_a_directory_of_a_mirror_is_proven_with_what_the_site_has(tmp_path, file, site):
    pin(tmp_path / "config", site)
    (file.parent / "evil-1.0-py3-none-any.whl").write_bytes(b"evil")
    (file.parent / TAG).write_bytes((site / "nova" / TAG).read_bytes())
    (file.parent / f"{NAME}.asc").write_bytes(b"nobody's")
    (file.parent / "index.html").write_bytes(b"a page")
    result = said(verify, file.parent, "--fetch")
    assert result.verdicts == [
        ("evil-1.0-py3-none-any.whl", "unknown"), (NAME, "ok"), (f"{NAME}.asc", "unknown"),
    ]  # fmt: skip
    assert result.of("skip")[0]["what"] == str(file.parent / "index.html")


@pytest.mark.client
@pytest.mark.parametrize("how", ["pin", "root", "policy"])
def test_the_site_is_known_by_pin_or_by_the_policys_url(tmp_path, file, site, how):
    with served(site) as (url, asked):
        base = Workshop().policy.encode().decode()
        lines = base.replace("\n", f" {url}trail/\n", 1)
        if how == "pin":
            pin(tmp_path / "config", url)
            words: tuple[object, ...] = ()
        elif how == "root":
            shop = Workshop(root_fields={"policy": lines})
            words = ("--root", lay_root(tmp_path / "r.json", shop))
        else:
            (tmp_path / "policy").write_text(lines)
            words = ("--policy", tmp_path / "policy")
        assert verdicts(file, "--fetch", *words) == [(NAME, "ok")]
    assert "/trail/root.json" not in asked
