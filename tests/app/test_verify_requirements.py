"""`tagtrail verify --requirements`: pinned hashes proven with no file at hand, and everything else refused by name."""

from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagtrail.app.commands import verify
from tagtrail.app.consumer.requirements import read_pins
from tagtrail.model.errors import Error
from tests.app.desk import Said, lay, lay_root, said
from tests.app.shelf import DIGEST, alone, lay_index, lay_site, pin, row, served
from tests.verify.workshop import NAME, ORIGIN, Workshop

GOOD = f"nova==1.0.0 --hash=sha256:{DIGEST}\n"
EVIL = sha256(b"evil").hexdigest()


@pytest.fixture(autouse=True)
def desk(tmp_path):
    with alone(tmp_path):
        yield


@pytest.fixture
def site(tmp_path) -> Path:
    site = lay_site(tmp_path / "site")
    pin(tmp_path / "config", site)
    return site


def judged(tmp_path: Path, text: str, *words: object) -> Said:
    (tmp_path / "r.txt").write_text(text)
    return said(verify, "--requirements", tmp_path / "r.txt", *words)


def codes(result: Said) -> list[tuple[str, str]]:
    return [(event["requirement"], event["code"] or "ok") for event in result.of("pin")]


def test_a_pinned_hash_is_proven_with_no_file_at_hand(tmp_path, site):
    result = judged(tmp_path, GOOD)
    (event,) = result.of("pin")
    assert (result.code, event["ok"], event["where"]) == (0, True, f"{tmp_path}/r.txt:1")
    assert event["hashes"] == [{"sha256": DIGEST, "ok": True, "code": "", "file": NAME, "index": 7}]
    assert event["proven"][0].startswith("tag 1.0.0 on cccccccc, signed by ")
    assert event["doubts"] == ["unwitnessed", "built-claimed", "withdrawals-unchecked"]
    assert result.events[-1]["text"] == "1 requirement: 1 proven"


@pytest.mark.client
def test_only_known_projects_are_asked_for(tmp_path, site):
    with served(site) as (url, asked):
        pin(tmp_path / "config", url)
        result = judged(tmp_path, f"{GOOD}evil==1.0 --hash=sha256:{EVIL}\n")
    assert (result.code, codes(result)) == (0, [("nova==1.0.0", "ok"), ("evil==1.0", "unknown")])
    assert [path for path in asked if "evil" in path] == []
    assert asked == ["/simple/nova/index.json", f"/nova/{NAME}.tlog-proof", "/trail/site.json", "/nova/nova-1.0.0.tag"]
    assert result.events[-1]["text"] == "2 requirements: 1 proven, 1 known to no pinned trail"


def test_unknown_ones_are_refused_where_all_are_asked_for(tmp_path, site):
    text = f"{GOOD}evil==1.0 --hash=sha256:{EVIL}\n"
    assert judged(tmp_path, text).code == 0
    assert judged(tmp_path, text, "--all").code == 7


@pytest.mark.parametrize("text", ["", "# nothing\n", f"evil==1.0 --hash=sha256:{EVIL}\n"])
def test_a_file_of_which_nothing_is_proven_is_not_verified(tmp_path, site, text):
    result = judged(tmp_path, text)
    assert (result.code, result.events[-1]["state"]) == (7, "refused")
    assert result.events[-1]["text"].endswith(": nothing was verified")


@pytest.mark.parametrize("first", [True, False])
def test_one_unproven_hash_is_what_an_attacker_adds(tmp_path, site, first):
    hashes = [f"--hash=sha256:{DIGEST}", f"--hash=sha256:{EVIL}"][:: 1 if first else -1]
    result = judged(tmp_path, f"nova==1.0.0 {' '.join(hashes)}")
    assert (result.code, codes(result)) == (7, [("nova==1.0.0", "hash-unproven")])
    (event,) = result.of("pin")
    assert not event["ok"]
    assert {h["sha256"]: h["code"] for h in event["hashes"]} == {DIGEST: "", EVIL: "hash-unproven"}


def test_an_index_cannot_make_a_hash_good(tmp_path, site):
    lay_index(site, row(), row(sha256=EVIL))
    assert codes(judged(tmp_path, f"nova==1.0.0 --hash=sha256:{EVIL}")) == [("nova==1.0.0", "hash-unproven")]


def test_a_site_that_hides_a_known_project_is_refused(tmp_path, site):
    (site / "simple" / "nova" / "index.json").unlink()
    assert codes(judged(tmp_path, GOOD)) == [("nova==1.0.0", "hash-unproven")]


@pytest.mark.parametrize("pinned", ["nova==1.0.1", "nova==1.0.0rc1"])
def test_a_good_file_of_another_release_is_refused(tmp_path, site, pinned):
    text = f"{pinned} --hash=sha256:{DIGEST}"
    assert codes(judged(tmp_path, text)) == [(pinned, "requirement-mismatch")]


def test_a_good_file_of_another_project_is_refused(tmp_path, site):
    jo = dict(Workshop().root.signers)["nova"]
    pin(tmp_path / "config", site, Workshop(allowed=(("glance", jo), ("nova", jo))))
    (site / "simple" / "glance").mkdir()
    (site / "simple" / "glance" / "index.json").write_bytes((site / "simple/nova/index.json").read_bytes())
    text = f"glance==1.0.0 --hash=sha256:{DIGEST}"
    assert codes(judged(tmp_path, text)) == [("glance==1.0.0", "requirement-mismatch")]


@pytest.mark.parametrize(
    ("shop", "code"),
    [
        (Workshop(allowed=(("nova", ()),)), "signer-not-allowed"),
        (Workshop(believed=replace(Workshop().log, seed=b"x" * 32)), "note-no-known-key"),
    ],
)
def test_what_the_root_does_not_allow_is_refused(tmp_path, site, shop, code):
    pin(tmp_path / "config", site, shop)
    assert codes(judged(tmp_path, GOOD)) == [("nova==1.0.0", code)]


def test_options_hold_for_pins_too(tmp_path, site):
    assert codes(judged(tmp_path, GOOD, "--require-witnessed")) == [("nova==1.0.0", "not-witnessed")]
    imported = Workshop(of_file={"origin": {"how": "imported"}})
    lay_site(site, imported)
    assert codes(judged(tmp_path, GOOD)) == [("nova==1.0.0", "imported")]
    assert codes(judged(tmp_path, GOOD, "--allow-imported")) == [("nova==1.0.0", "ok")]


def test_a_missing_tag_is_said(tmp_path, site):
    (site / "nova" / "nova-1.0.0.tag").unlink()
    assert codes(judged(tmp_path, GOOD)) == [("nova==1.0.0", "tag-missing")]


def test_a_policy_knows_no_projects_so_all_must_be_proven(tmp_path, site):
    (tmp_path / "policy").write_bytes(Workshop().policy.encode())
    assert judged(tmp_path, GOOD, "--policy", tmp_path / "policy").code == 0
    result = judged(tmp_path, f"{GOOD}evil==1.0 --hash=sha256:{EVIL}\n", "--policy", tmp_path / "policy")
    assert (result.code, codes(result)[1]) == (7, ("evil==1.0", "hash-unproven"))


def test_a_site_that_is_down_is_five(tmp_path):
    pin(tmp_path / "config", "http://127.0.0.1:1/")
    result = judged(tmp_path, GOOD)
    assert (result.code, codes(result)) == (5, [("nova==1.0.0", "url-unreachable")])


def test_proofs_may_lie_here(tmp_path):
    root, file = lay_root(tmp_path / "root.json"), lay(tmp_path / "d")
    file.unlink()
    for at in (tmp_path / "d", tmp_path / "d" / f"{NAME}.tlog-proof"):
        result = judged(tmp_path, GOOD, at, "--root", root)
        assert (result.code, codes(result)) == (0, [("nova==1.0.0", "ok")])
    result = judged(tmp_path, f"nova==1.0.0 --hash=sha256:{EVIL}", tmp_path / "d", "--root", root)
    assert (codes(result), result.of("pin")[0]["next"]) == ([("nova==1.0.0", "hash-unproven")], "--fetch asks the site")


# The file


def pins(tmp_path: Path, text: str | bytes) -> list[tuple[str, str, list[str]]]:
    at = tmp_path / "r.txt"
    at.write_bytes(text if isinstance(text, bytes) else text.encode())
    return [(p.where.rpartition(":")[2], p.text, [d[:2] for d in p.digests]) for p in read_pins(at)]


A, B = "a" * 64, "b" * 64


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"x==1 --hash=sha256:{A}", [("1", "x==1", ["aa"])]),
        (f"\ufeffx==1 --hash=sha256:{A}\r\n", [("1", "x==1", ["aa"])]),
        (
            f"# c\n\nX.y[z] == 1.0 \\\n  --hash=sha256:{A} \\\n --hash sha256:{B} # d\n",
            [("3", "x-y==1.0", ["aa", "bb"])],
        ),
        (f"x===1 ; python_version < '3' --hash=sha256:{A} --hash=sha256:{A}", [("1", "x==1", ["aa"])]),
        (
            f"--require-hashes\n-i https://${{U}}:${{P}}@i.example/\n--only-binary=:all:\nx==1 --hash=sha256:{A}",
            [("4", "x==1", ["aa"])],
        ),
        (f"x==1 --hash=sha256:{A} \\\n# c\ny==2 --hash=sha256:{B}", [("1", "x==1", ["aa"]), ("3", "y==2", ["bb"])]),
        (f"x==1 \\\n\\\n--hash=sha256:{A} \\", [("1", "x==1", ["aa"])]),
        ("\n \n#\n", []),
    ],
)
def test_a_file_is_read_as_pip_reads_it(tmp_path, text, expected):
    assert pins(tmp_path, text) == expected


def test_included_files_are_read_from_where_they_are_named(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "b.txt").write_text(f"y==2 --hash=sha256:{B}\n-r ../c.txt")
    (tmp_path / "c.txt").write_text(f"z==3 --hash=sha256:{B}")
    found = pins(tmp_path, f"-r sub/b.txt\n--requirement=c.txt\nx==1 --hash=sha256:{A}")
    assert [text for _, text, _ in found] == ["y==2", "z==3", "z==3", "x==1"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("x==1", "requirement-no-hash"),
        (f"x --hash=sha256:{A}", "requirement-not-pinned"),
        (f"x>=1 --hash=sha256:{A}", "requirement-not-pinned"),
        (f"x==1.* --hash=sha256:{A}", "requirement-not-pinned"),
        (f"x==1,<2 --hash=sha256:{A}", "requirement-not-pinned"),
        (f"x @ https://x.example/x.whl --hash=sha256:{A}", "requirement-not-pinned"),
        (f"https://x.example/x.whl --hash=sha256:{A}", "requirement-form"),
        (f"./x.whl --hash=sha256:{A}", "requirement-form"),
        ("x==1 --hash=sha512:" + "a" * 128, "requirement-hash"),
        ("x==1 --hash=md5:" + "a" * 32, "requirement-hash"),
        (f"x==1 --hash=sha256:{A[:-1]}", "requirement-hash"),
        (f"x==1 --hash=sha256:{A.upper()}", "requirement-hash"),
        ("x==1 --hash=", "requirement-hash"),
        ("x==1 --hash", "requirement-option"),
        (f"x==1 --hash=sha256:{A} --config-settings=x", "requirement-option"),
        (f"x==1 --hash=sha256:{A} 'y", "requirement-form"),
        (f"x==1 \\\n# c\n --hash=sha256:{A}", "requirement-no-hash"),
        (f"x==1 # c \\\n --hash=sha256:{A}", "requirement-no-hash"),
        ("${X}", "requirement-form"),
        ("x==1 --hash=${H}", "requirement-hash"),
        (f"x==${{V}} --hash=sha256:{A}", "requirement-form"),
        ("--require-hashes -r other.txt", "requirement-option"),
        ("-r other.txt -e .", "requirement-option"),
        ("--requirem other.txt", "requirement-option"),
        (f"x==1 --hash=sha256:{A} -r other.txt", "requirement-option"),
        ("-e .", "requirement-option"),
        ("-c constraints.txt", "requirement-option"),
        ("--editable=.", "requirement-option"),
        ("--nonsense", "requirement-option"),
        ("-r r.txt", "requirement-form"),
        ("-r https://x.example/r.txt", "requirement-form"),
        ("-r missing.txt", "file-missing"),
        (b"x==1 \xff", "requirement-form"),
    ],
)
def test_what_pins_nothing_is_refused_by_name(tmp_path, text, code):
    with pytest.raises(Error) as caught:
        pins(tmp_path, text)
    assert caught.value.code == code
    assert caught.value.what.isprintable()


@given(st.text(max_size=80))
def test_any_text_is_read_or_refused_with_a_code(tmp_path_factory, text):
    code = ""
    try:
        pins(tmp_path_factory.getbasetemp(), text)
    except Error as error:
        code = error.code
    assert not code or code.startswith(("requirement-", "file-", "not-a-file"))


def test_a_root_from_elsewhere_without_a_site_is_said(tmp_path):
    root = lay_root(tmp_path / "root.json")
    with pytest.raises(Error) as caught:
        judged(tmp_path, GOOD, "--root", root)
    assert (caught.value.code, ORIGIN in caught.value.what) == ("no-site", True)
