"""`tagtrail keys`: its grammar, what it warns of, and files that are no drafts."""

from dataclasses import replace
from pathlib import Path

import pytest

from tagtrail.app.commands import keys
from tagtrail.app.instance.home import Home
from tagtrail.app.instance.keyring import warnings
from tagtrail.formats.note import Signer
from tagtrail.formats.root import Root
from tagtrail.formats.settings_text import initial
from tagtrail.model.errors import SetupError
from tests.app.desk import said
from tests.verify.workshop import NOW, ORIGIN, Workshop, envelope, root_key

ROOT = Workshop().root
DAY = 86400


@pytest.mark.parametrize(
    "words",
    [
        ["frob"], ["rotate"], ["rotate", "witness"], ["rotate", "log", "x"], ["add", "root"], ["add", "log", "x"],
        ["add"], ["retire", "log"], ["make"], ["make", "f"], ["make", "f", "--origin", "no origin"], ["sign", "f"],
        ["sign"], ["submit"], ["renew", "x"], ["show", "x"],
    ],
)  # fmt: skip
def test_what_it_does_not_understand(words: list[str]) -> None:
    with pytest.raises(SetupError) as caught:
        said(keys, *words)
    assert (caught.value.code, caught.value.hint) == ("usage", "tagtrail keys --help")


def refused(*words: object) -> str:
    with pytest.raises(SetupError) as caught:
        said(keys, *words)
    assert "PRIVATE" not in f"{caught.value.what} {caught.value.why}"
    return caught.value.code


def test_a_root_key_is_made_once(tmp_path: Path) -> None:
    result = said(keys, "make", tmp_path / "k", "--origin", ORIGIN)
    assert result.of("key")[0]["key"] in result.of("outcome")[0]["next"]
    assert refused("make", tmp_path / "k", "--origin", ORIGIN) == "key-exists"


def test_a_draft_is_signed_where_there_is_no_instance(tmp_path: Path) -> None:
    draft, key = tmp_path / "draft", tmp_path / "key"
    draft.write_bytes(envelope(ROOT) + b"\n")
    key.write_text(f"{root_key('another').skey()}\n")
    key.chmod(0o600)
    before = draft.read_bytes()
    result = said(keys, "sign", draft, "--key", key)
    assert result.of("draft")[0]["path"] == str(draft)
    assert {row["role"] for row in result.of("key")} >= {"root", "log", "person"}
    assert draft.read_bytes() != before
    said(keys, "sign", draft, "--key", key)
    assert draft.read_bytes().count(b'"keyid"') == len({*envelope_ids(draft.read_bytes())})


def envelope_ids(data: bytes) -> list[str]:
    from tagtrail.formats import dsse

    return [signature.keyid for signature in dsse.parse(data.strip()).signatures]


def test_what_cannot_be_signed(tmp_path: Path) -> None:
    draft, key = tmp_path / "draft", tmp_path / "key"
    draft.write_bytes(envelope(ROOT))
    key.write_text(f"{Signer(name='other.example', seed=bytes(32)).skey()}\n")
    key.chmod(0o600)
    assert refused("sign", draft, "--key", tmp_path / "absent") == "file-missing"
    assert refused("sign", tmp_path / "absent", "--key", key) == "file-missing"
    assert refused("sign", draft, "--key", key) == "root-key"
    assert refused("sign", draft, "--key", draft) in ("key-mode", "key-form")
    key.chmod(0o640)
    assert refused("sign", draft, "--key", key) == "key-mode"
    key.chmod(0o600)
    assert refused("sign", key, "--key", key) == "json-syntax"
    draft.write_bytes(b"{}")
    assert refused("sign", draft, "--key", key) == "dsse-members"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """An instance with settings and no secret key."""
    (tmp_path / "tagtrail.toml").write_text(initial("Example", ORIGIN, ""))
    return Home(path=tmp_path)


@pytest.mark.parametrize(
    ("left", "words"), [(91 * DAY, ""), (89 * DAY, "expires in 89 days"), (DAY, "in 1 days"), (0, "expired at")]
)
def test_it_warns_ninety_days_before_a_root_ends(home: Home, left: int, words: str) -> None:
    told = list(warnings(home, replace(ROOT, expires=NOW + left), NOW))
    assert [command for _, command in told] == (["tagtrail keys renew"] if words else [])
    assert all(words in what for what, _ in told)


def test_it_warns_of_a_key_here_that_no_root_names(home: Home) -> None:
    (home.path / "private").mkdir()
    file = home.path / "private" / "log.key"
    file.write_text(f"{Signer(name=ORIGIN, seed=bytes(32)).skey()}\n")
    file.chmod(0o600)
    root: Root = replace(ROOT, expires=NOW + 365 * DAY)
    assert [command for _, command in warnings(home, root, NOW)] == ["tagtrail keys rotate log"]
