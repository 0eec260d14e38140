"""Attacks on trust and names (lines 30 to 33): trust smuggled in, borrowed tags, lying operators, hostile bytes."""

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tagtrail.app.commands import verify
from tagtrail.formats import canonical, dsse, policy
from tagtrail.formats.forms import project_fault
from tagtrail.formats.root import PAYLOAD_TYPE, format_root
from tagtrail.model.errors import Error, ProjectError, TamperError
from tagtrail.testing.people import Person
from tagtrail.verify.roots import open_root
from tagtrail.workflows.audit.laws import broken_laws
from tagtrail.workflows.release import release
from tests.app.desk import lay, lay_root, said
from tests.attacks.ground import SDIST, TAG, Ground, audited, consumer, ground, root, verified
from tests.pages.trails import begun
from tests.verify.workshop import NAME, ORIGIN, Workshop, envelope, root_key
from tests.workflows.world import ADA, START

SHOP = Workshop()
EVE = Person(name="eve")
NULL = "AQEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
"""A public key of order 1, behind its type."""


@pytest.fixture
def nobodys(tmp_path: Path) -> Iterator[Path]:
    """A directory to work in, with no pin and no instance anywhere."""
    before, at = dict(os.environ), Path.cwd()
    os.environ["XDG_CONFIG_HOME"] = str(tmp_path / "config")
    os.environ.pop("TAGTRAIL_HOME", None)
    yield tmp_path
    os.chdir(at)
    os.environ.clear()
    os.environ.update(before)


# --- 30: trust smuggled in ------------------------------------------------------------------------------------------

SETTINGS = f'[org]\nname = "x"\norigin = "{ORIGIN}"\n[targets.site]\ntype = "site"\ntoken = "cmd:touch ran"\n'
PLANTED = {
    "a root beside the file": ("root.json",),
    "a root by number": ("1.root.json",),
    "a root under /trail/": ("trail", "root.json"),
    "a policy beside the file": ("policy",),
    "a policy under /trail/": ("trail", "policy"),
    "allowed_signers": ("allowed_signers",),
    "allowed_signers under /trail/keys/": ("trail", "keys", "nova.allowed_signers"),
    "a pin store beside the file": ("tagtrail", "trust", "releases.example.org%2Ftrail.root.json"),
    "a config directory beside the file": (".config", "tagtrail", "trust", "releases.example.org%2Ftrail.root.json"),
    "settings beside the file": ("tagtrail.toml",),
}


@pytest.mark.parametrize("parts", PLANTED.values(), ids=PLANTED)
@pytest.mark.parametrize("above", [0, 1])
def test_what_lies_there_grants_no_trust(parts: tuple[str, ...], above: int, nobodys: Path) -> None:
    """Beside the file, or in the directory above; whatever is right about it, nobody chose it."""
    file = lay(nobodys / "d")
    at = file.parents[above].joinpath(*parts)
    at.parent.mkdir(parents=True, exist_ok=True)
    text = {"policy": SHOP.policy.encode(), "tagtrail.toml": SETTINGS.encode()}
    people = f"jo {SHOP.jo.key.material}\n".encode()
    at.write_bytes(people if "allowed" in parts[-1] else text.get(parts[-1], envelope(SHOP.root)))
    os.chdir(file.parent)
    assert said(verify, NAME).verdicts == [(NAME, "unpinned")]
    assert not list(nobodys.rglob("ran")), "and no command of planted settings ran"


def test_a_root_that_a_key_entry_names_is_not_trusted_for_that() -> None:
    """An operator's thief enters a root of his own: nobody follows it whose pinned root did not sign it."""
    files = dict(ground().store.files)
    trust = root(files)
    thief = root_key("thief")
    own = replace(trust, version=2, keys=(thief.verifier.vkey(),))
    files["trail/2.root.json"] = dsse.sign(PAYLOAD_TYPE, format_root(own), [thief]).encode()
    files["trail/root.json"] = files["trail/2.root.json"]
    assert ("root-old-signatures", "trail/2.root.json") in audited(files, trust)


def test_a_root_pinned_for_another_origin_is_no_trust(nobodys: Path) -> None:
    file = lay(nobodys / "d")
    trust = nobodys / "config" / "tagtrail" / "trust"
    lay_root(trust / "other.example.root.json")
    assert said(verify, file).verdicts == [(NAME, "unpinned")]


# --- 31: borrowed tags ----------------------------------------------------------------------------------------------


def road_refuses(world: Ground, version: str = "1.0.0") -> str:
    """The code with which a release ends; nothing of it is logged or shown."""
    with pytest.raises(Error) as caught:
        release(world.road(), world.project(), version)
    assert (world.ledger.entries(), world.store.files) == ((), {})
    return caught.value.code


def test_anothers_tag_object_that_carries_the_right_name() -> None:
    """Pushed into our repository: it is well signed, by somebody who may not sign for us."""
    world = Ground(names=("nova", "glance"))
    commit = world.repositories["nova"].commits[-1].id
    glance = world.repositories["glance"]
    raw = glance.tag("1.0.0", commit, EVE.sign)
    world.repositories["nova"].store("1.0.0", raw)
    assert road_refuses(world) == "tag-signer-unknown"


def test_anothers_tag_object_of_a_signer_of_ours() -> None:
    """Its commit is not in our repository."""
    world = Ground(names=("nova", "glance"))
    glance = world.repositories["glance"]
    raw = glance.tags[glance.refs["1.0.0"]]
    world.repositories["nova"].store("1.0.0", raw)
    assert road_refuses(world) == "objects-missing"


def test_anothers_tag_object_with_its_commit() -> None:
    """Both were pushed: the project's own files say who they are."""
    world = Ground(names=("nova", "glance"))
    nova, glance = world.repositories["nova"], world.repositories["glance"]
    nova.commits += glance.commits
    nova.store("1.0.0", glance.tags[glance.refs["1.0.0"]])
    assert road_refuses(world) == "name-declared"


def test_another_repositorys_tag_on_a_mirror(tmp_path: Path) -> None:
    """The right name, well signed by the right person, on another commit."""
    files = dict(ground().store.files)
    nova = Ground().repositories["nova"]
    other = nova.tag("1.0.0", nova.commit(START).id, ADA.sign)
    files[f"nova/{TAG}"] = other
    at = consumer(tmp_path, files, SDIST, f"{SDIST}.tlog-proof", TAG)
    assert verified(at / SDIST) == [(SDIST, "tag-digest-mismatch")]


def test_a_signer_of_one_project_signs_anothers_tag() -> None:
    world = Ground()
    world.repositories["nova"].tag("1.0.0", world.repositories["nova"].commits[-1].id, EVE.sign)
    assert road_refuses(world) == "tag-signer-unknown"


# --- 32: an operator who lies ---------------------------------------------------------------------------------------


def test_a_file_added_years_later_with_a_stolen_token() -> None:
    files = dict(ground().store.files)
    files["nova/nova-1.0.0.post1.tar.gz"] = b"evil"
    years = 5 * 365 * 86400
    assert audited(files, after=years) == {("file-unknown", "nova/nova-1.0.0.post1.tar.gz")}


def test_a_hidden_release() -> None:
    """In the trail, and nowhere else: whoever hides it must hide it from everybody."""
    files = {path: data for path, data in ground().store.files.items() if "2.0.0" not in path}
    found = audited(files)
    assert {("file-missing", "nova/nova-2.0.0.tar.gz"), ("page-missing", "nova/2.0.0/index.html")} <= found


def test_a_second_digest_for_one_victim(tmp_path: Path) -> None:
    """Shown to one consumer with a proof: of another tree, which the log's own key signed."""
    trail = begun()
    trail.release("nova", "1.0.0")
    names = {"nova-1.0.0.tar.gz": "0" * 64}
    trail.release("nova", "1.0.0", files={name: {} for name in names}, digests=names, added=tuple(names))
    assert ("name-twice", "entry 2") in {(found.code, found.path) for found in broken_laws(trail.entries)}


def test_imported_history_passed_off_as_released(tmp_path: Path) -> None:
    shop = Workshop(of_file={"origin": {"how": "imported"}})
    with pytest.raises(TamperError) as caught:
        shop.case.verify()
    assert caught.value.code == "imported"
    verdict = shop.case.verify(allow_imported=True)
    assert {"imported", "unwitnessed"} <= {claim.name for claim in verdict.not_proven}


def test_a_file_that_was_brought_is_never_called_built() -> None:
    shop = Workshop(of_file={"origin": {"how": "added", "by": "SHA256:x"}})
    names = {claim.name for claim in shop.case.verify().not_proven}
    assert "brought" in names
    assert "built-claimed" not in names


# --- 33: names and bytes --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["simple", "trail", "verify", "Simple", "TRAIL", "sImPlE", "index.html", "feed.atom"])
def test_a_projects_name_that_the_site_needs(name: str) -> None:
    assert project_fault(name)
    bent = replace(SHOP, ours={"project": name})
    with pytest.raises(TamperError) as caught:
        bent.case.verify()
    assert caught.value.code == "entry-project"


Spoil = Callable[[bytes], bytes]
BYTES: dict[str, tuple[Spoil, str]] = {
    "a duplicate key": (lambda d: d.replace(b'"series":""', b'"series":"","series":""'), "json-duplicate-key"),
    "NaN": (lambda d: d.replace(b'"size":12', b'"size":NaN'), "json-nan"),
    "Infinity": (lambda d: d.replace(b'"size":12', b'"size":-Infinity'), "json-nan"),
    "1e999": (lambda d: d.replace(b'"size":12', b'"size":1e999'), "json-nan"),
    "a fraction": (lambda d: d.replace(b'"size":12', b'"size":12.0'), "json-float"),
    "2**53": (lambda d: d.replace(b'"size":12', b'"size":9007199254740992'), "json-integer"),
    "ten thousand digits": (lambda d: d.replace(b'"size":12', b'"size":' + b"9" * 10_000), "json-integer"),
    "minus zero": (lambda d: d.replace(b'"size":12', b'"size":-0'), "json-not-canonical"),
    "a lone surrogate": (lambda d: d.replace(b'"series":""', b'"series":"\\ud800"'), "json-surrogate"),
    "a surrogate in UTF-8": (lambda d: d.replace(b'"series":""', b'"series":"\xed\xa0\x80"'), "json-utf8"),
    "10,000 levels": (lambda d: d.replace(b'"series":""', b'"series":' + b"[" * 10_000 + b"]" * 10_000), "json-depth"),
    "10,000 levels without end": (lambda _: b"[" * 10_000, "json-depth"),
    "a byte order mark": (lambda d: b"\xef\xbb\xbf" + d, "json-syntax"),
    "white space": (lambda d: d.replace(b'"series":', b'"series": '), "json-not-canonical"),
    "an escape that need not be": (lambda d: d.replace(b'"nova"', b'"\\u006eova"'), "json-not-canonical"),
    "a key beyond ASCII": (lambda d: d.replace(b'"series":', '"séries":'.encode()), "json-key"),
}


@pytest.mark.parametrize(("spoil", "code"), BYTES.values(), ids=BYTES)
def test_json_that_is_read_in_two_ways(spoil: Spoil, code: str) -> None:
    """In an entry, which whoever holds a log's key can enter."""
    bent = spoil(SHOP.entry)
    assert bent != SHOP.entry
    proof = replace(SHOP.proof(), extra=bent)
    with pytest.raises(TamperError) as caught:
        SHOP.but(proof=proof.encode()).verify()
    assert caught.value.code == code


@pytest.mark.parametrize(("spoil", "code"), BYTES.values(), ids=BYTES)
def test_json_that_is_read_in_two_ways_in_a_root(spoil: Spoil, code: str) -> None:
    payload = format_root(SHOP.root)
    sample = canonical.dumps(json.loads(payload) | {"nova": "nova", "series": "", "size": 12})
    bent = spoil(sample)
    assert bent != sample
    with pytest.raises(TamperError) as caught:
        open_root(dsse.sign(PAYLOAD_TYPE, bent, [root_key("r1")]).encode())
    assert caught.value.code == code


def small(name: str) -> str:
    from hashlib import sha256

    key_id = sha256(name.encode() + b"\n\x01\x01" + bytes(31)).hexdigest()[:8]
    return f"{name}+{key_id}+{NULL}"


def test_a_small_order_key_in_a_root_or_a_policy() -> None:
    with pytest.raises(TamperError) as caught:
        open_root(envelope(replace(SHOP.root, keys=(small(ORIGIN),))))
    assert caught.value.code == "key-small-order"
    with pytest.raises(TamperError) as caught:
        open_root(envelope(replace(SHOP.root, policy=f"log {small(ORIGIN)}\nquorum none\n")))
    assert caught.value.code == "root-policy"
    with pytest.raises(TamperError) as caught:
        policy.parse(f"log {small(ORIGIN)}\nquorum none\n".encode())
    assert caught.value.code == "key-small-order"


def test_an_artifact_that_is_called_like_a_sidecar_is_not_released() -> None:
    """The rule file-name-free has a table of its own; here it stops the road."""
    world = Ground()

    class Sly(type(world.builder)):  # type: ignore[misc]
        def build(self, *args: object) -> object:
            first, *rest = super().build(*args)
            return (replace(first, name="nova-1.0.0.SHA256SUMS"), *rest)

    world.builder = Sly()
    with pytest.raises(ProjectError) as caught:
        release(world.road(), world.project(), "1.0.0")
    assert caught.value.code == "file-name-free"
    assert (world.ledger.entries(), world.store.files) == ((), {})
