"""An auditor over sites that are right, and over sites in which exactly one thing is wrong."""

import gzip
import json
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest

from tagtrail.formats import dsse, merkle, note, proof
from tagtrail.formats.note import Signer
from tagtrail.formats.policy import Log, Policy
from tagtrail.formats.root import PAYLOAD_TYPE, Root, format_root
from tagtrail.formats.times import format_time
from tagtrail.pages import page
from tagtrail.workflows.audit import FRESH, audit
from tagtrail.workflows.release import release
from tagtrail.workflows.render import LedgerView
from tests.workflows.auditing import APPROVED, LATER, Liar, Site, event, found, look, made, root_of, signed
from tests.workflows.world import ORIGIN, World

SDIST = "nova/nova-1.0.0.tar.gz"
PAGES = (".html", ".json", ".atom", ".rss")


@pytest.fixture(scope="module")
def world() -> World:
    return made("1.0.0", "2.0.0")


@pytest.fixture
def site(world: World) -> Site:
    return Site(dict(world.store.files))


@pytest.fixture(scope="module")
def root(world: World) -> Root:
    return root_of(world)


def test_a_site_that_is_right(world: World, site: Site, root: Root) -> None:
    seen = look(world, site, root)
    assert (seen.findings, seen.exit_code) == ((), 0)
    # 2 releases of 2 files, each with signature and metadata; SHA256SUMS, its signature, tag, notes, SBOM, runbook,
    # provenance
    assert (seen.origin, seen.size, seen.files) == (ORIGIN, 3, 2 * (2 * 3 + 7))
    assert seen.pages == len([p for p in site.files if p.endswith(PAGES) and not p.endswith(".cdx.json")]) + 4
    assert set(dict(seen.left_out)) == {"times"}


@pytest.mark.parametrize("version", [1, 2])
def test_the_first_root_or_the_newest_may_be_trusted(version: int) -> None:
    world = signed(World(names=("nova",)))
    release(world.road(), world.project("nova"), "1.0.0")
    first = root_of(world)
    world.names = ("nova", "late")
    world.repositories["late"] = World(names=("late",)).repositories["late"]
    world.source.repositories["late"] = world.repositories["late"]
    release(world.road(), world.project("late"), "1.0.0")
    second = root_of(world)
    assert (first.version, second.version) == (1, 2)
    assert look(world, Site(world.store.files), (first, second)[version - 1]).findings == ()


def test_with_a_policy_nobody_is_judged_and_that_is_said(world: World, site: Site, root: Root) -> None:
    key = Signer(name=ORIGIN, seed=sha256(b"log").digest()).verifier
    seen = look(world, site, Policy(logs=(Log(verifier=key),)))
    assert seen.findings == ()
    assert "signers of tags, signatures of files" in dict(seen.left_out)


# --- one thing wrong at a time --------------------------------------------------------------------------------------


def flip(data: bytes) -> bytes:
    return data[:-2] + bytes([data[-2] ^ 1]) + data[-1:]


Change = Callable[[dict[str, bytes]], object]
WHEEL = SDIST.replace(".tar.gz", "-py3-none-any.whl")
NEXT = SDIST.replace("1.0.0", "2.0.0")
ENTRY, HASHES = "trail/tile/entries/000.p/3", "trail/tile/0/000.p/3"
OLD_ENTRY, OLD_HASHES = "trail/tile/entries/000.p/2", "trail/tile/0/000.p/2"


def put(path: str, data: bytes = b"x") -> Change:
    return lambda files: files.update({path: data})


def gone(path: str) -> Change:
    return lambda files: files.pop(path)


def bent(path: str) -> Change:
    return lambda files: files.update({path: flip(files[path])})


def swapped(one: str, other: str) -> Change:
    return lambda files: files.update({one: files[other], other: files[one]})


CASES: list[tuple[str, Change, set[tuple[str, str]]]] = [
    ("a byte of an artifact", bent(SDIST), {("file-differs", SDIST)}),
    ("an artifact cut", put(SDIST, b""), {("file-differs", SDIST)}),
    ("bytes after its end", lambda f: f.update({SDIST: f[SDIST] + gzip.compress(b"")}), {("file-differs", SDIST)}),
    ("an artifact gone", gone(SDIST), {("file-missing", SDIST)}),
    ("two artifacts swapped", swapped(SDIST, NEXT), {("file-differs", SDIST), ("file-differs", NEXT)}),
    ("a signature gone", gone(f"{SDIST}.asc"), {("file-missing", f"{SDIST}.asc")}),
    ("a signature changed", put(f"{SDIST}.asc"), {("file-differs", f"{SDIST}.asc")}),
    ("metadata changed", put(f"{SDIST}.metadata"), {("file-differs", f"{SDIST}.metadata")}),
    ("a proof gone", gone(f"{SDIST}.tlog-proof"), {("file-missing", f"{SDIST}.tlog-proof")}),
    ("a proof cut", put(f"{SDIST}.tlog-proof", b""), {("proof-version", SDIST)}),
    (
        "another entry's proof",
        swapped(f"{SDIST}.tlog-proof", f"{NEXT}.tlog-proof"),
        {("name-not-in-entry", SDIST), ("name-not-in-entry", NEXT)},
    ),
    (
        "the tag gone",
        gone("nova/nova-1.0.0.tag"),
        {("file-missing", "nova/nova-1.0.0.tag"), ("tag-missing", SDIST), ("tag-missing", WHEEL)},
    ),
    ("a file without entry", put("nova/nova-3.0.0.tar.gz"), {("file-unknown", "nova/nova-3.0.0.tar.gz")}),
    ("a page without release", put("nova/3.0.0/index.html"), {("file-unknown", "nova/3.0.0/index.html")}),
    ("robots.txt is the operator's", put("robots.txt"), set()),
    ("a page changed", put("nova/index.html"), {("page-differs", "nova/index.html")}),
    ("a page gone", gone("simple/nova/index.html"), {("page-missing", "simple/nova/index.html")}),
    ("other keys", put("trail/keys/release-key.asc"), {("page-differs", "trail/keys/release-key.asc")}),
    ("no keys", gone("trail/keys/release-key.asc"), {("page-missing", "trail/keys/release-key.asc")}),
    ("another policy", put("trail/policy"), {("page-differs", "trail/policy")}),
    ("other settings", put("trail/site.json"), {("page-differs", "trail/site.json")}),
    ("no checkpoint", gone("trail/checkpoint"), {("checkpoint-missing", "trail/checkpoint")}),
    (
        "a changed checkpoint",
        lambda f: f.update({"trail/checkpoint": f["trail/checkpoint"].replace(b"\n3\n", b"\n2\n")}),
        {("note-bad-signature", "trail/checkpoint")},
    ),
    ("no hash tile", gone(HASHES), {("tile-missing", "trail/checkpoint")}),
    ("a changed hash tile", bent(HASHES), {("tile-root", "trail/checkpoint")}),
    ("a changed entry", bent(ENTRY), {("bundle-mismatch", "trail/checkpoint")}),
    ("an older tile changed", bent(OLD_HASHES), {("tile-differs", OLD_HASHES)}),
    ("an older bundle changed", put(OLD_ENTRY), {("tile-differs", OLD_ENTRY)}),
    ("no tile at all", put("trail/tile/0/../x"), {("tile-path", "trail/tile/0/../x")}),
    ("a tile of a larger tree", put("trail/tile/0/000.p/9"), set()),
]


@pytest.mark.parametrize(("change", "wanted"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_one_thing_wrong(world: World, site: Site, root: Root, change: Change, wanted: set[tuple[str, str]]) -> None:
    change(site.files)
    seen = look(world, site, root)
    assert found(seen) == wanted
    assert seen.exit_code == (7 if wanted else 0)


def test_both_values_are_named(world: World, site: Site, root: Root) -> None:
    site.files[SDIST] = b"other"
    (finding,) = look(world, site, root).findings
    assert sha256(b"other").hexdigest() in finding.text
    assert sha256(world.store.files[SDIST]).hexdigest() in finding.text


def test_notes_that_are_missing_leave_pages_uncompared_and_that_is_said(world: World, site: Site, root: Root) -> None:
    del site.files["nova/nova-1.0.0.notes.md"]
    seen = look(world, site, root)
    assert found(seen) == {("file-missing", "nova/nova-1.0.0.notes.md")}
    assert {"nova/index.html", "nova/1.0.0/index.html", "nova/feed.atom"} <= set(dict(seen.left_out))


def test_an_index_that_offers_what_the_trail_does_not_know(world: World, site: Site, root: Root) -> None:
    path = "simple/nova/index.html"
    site.files[path] = site.files[path].replace(b"nova-1.0.0.tar.gz", b"nova-1.0.1.tar.gz")
    seen = look(world, site, root)
    assert found(seen) == {("page-differs", path), ("index-differs", path)}
    assert [m.there.split()[0] for m in seen.findings if m.code == "index-differs"] == [
        "nova-1.0.0.tar.gz",
        "nova-1.0.1.tar.gz",
    ]


def test_a_provenance_by_no_builder_of_the_root(world: World, site: Site, root: Root) -> None:
    del site.files["trail/1.root.json"]
    assert found(look(world, site, replace(root, builders=()))) == {
        ("provenance-signature", "nova/nova-1.0.0.intoto.jsonl"),
        ("provenance-signature", "nova/nova-2.0.0.intoto.jsonl"),
        ("page-missing", "trail/1.root.json"),
    }


# --- whom to believe ------------------------------------------------------------------------------------------------


def test_a_root_that_does_not_allow_the_signers(world: World, site: Site, root: Root) -> None:
    del site.files["trail/1.root.json"]
    rules = {rule for rule, _ in found(look(world, site, replace(root, signers=())))}
    assert rules == {"signer-not-allowed", "page-missing"}


def test_another_logs_root(world: World, site: Site, root: Root) -> None:
    del site.files["trail/1.root.json"]
    seen = look(world, site, replace(root, origin="other.example/trail"))
    assert found(seen) == {("root-policy", "trail/checkpoint")}


def test_a_root_shown_to_one_victim(world: World, site: Site, root: Root) -> None:
    seen = look(world, site, replace(root, expires=root.expires + 1))
    assert found(seen) == {("root-differs", "trail/1.root.json")}


def test_a_next_root_signed_by_nobody(world: World, site: Site, root: Root) -> None:
    signer = Signer(name=ORIGIN, seed=b"\7" * 32)
    other = replace(root, version=2, keys=(signer.verifier.vkey(),))
    site.files["trail/2.root.json"] = dsse.sign(PAYLOAD_TYPE, format_root(other), [signer]).encode()
    seen = look(world, site, root)
    assert found(seen) == {("root-old-signatures", "trail/2.root.json"), ("file-unknown", "trail/2.root.json")}


def test_an_expired_root_is_said(world: World, site: Site, root: Root) -> None:
    seen = look(world, site, root, after=root.expires)
    assert dict(seen.left_out)["newer roots"].startswith("root 1 expired at ")


# --- an operator who lies -------------------------------------------------------------------------------------------


def test_an_honest_liar_is_not_suspected() -> None:
    liar = Liar()
    liar.enter(event("reproduced", liar.world.now + 1, version="1.0.0"))
    assert liar.seen().findings == ()


@pytest.fixture(scope="module")
def large() -> Liar:
    """A trail of 300 entries: a full tile, and one of level 1."""
    liar = Liar()
    liar.enter(*(event("reproduced", liar.world.now, version="1.0.0") for _ in range(298)))
    return liar


FULL = "trail/tile/0/000"


def cut_to_partial(files: dict[str, bytes]) -> None:
    files[f"{FULL}.p/255"] = files.pop(FULL)[: 255 * 32]


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        (put("robots.txt"), set()),
        (gone(FULL), {("tile-missing", "trail/checkpoint")}),
        (bent(FULL), {("tile-mismatch", "trail/checkpoint")}),
        (bent("trail/tile/1/000.p/1"), {("tile-root", "trail/checkpoint")}),
        (bent("trail/tile/entries/000"), {("bundle-mismatch", "trail/checkpoint")}),
        (put(f"{FULL}.p/255"), {("tile-differs", f"{FULL}.p/255")}),
        (cut_to_partial, {("tile-missing", "trail/checkpoint")}),
        (put(FULL, b"x" * 100), {("tile-size", "trail/checkpoint")}),
        (put("trail/tile/entries/000", b"x" * 100), {("bundle-size", "trail/checkpoint")}),
        (put("trail/tile/0/001.p/44", b""), {("tile-size", "trail/checkpoint")}),
    ],
    ids=[
        "nothing wrong",
        "no full tile",
        "a full tile",
        "level 1",
        "a full bundle",
        "a partial tile beside the full one",
        "a partial tile instead of the full one",
        "a garbled tile",
        "a garbled bundle",
        "an empty tile",
    ],
)
def test_full_tiles(large: Liar, change: Change, wanted: set[tuple[str, str]]) -> None:
    site = Site(dict(large.world.store.files))
    change(site.files)
    assert found(look(large.world, site, root_of(large.world))) == wanted


def test_time_that_runs_backwards() -> None:
    liar = Liar()
    liar.enter(event("reproduced", liar.world.now - 1, version="1.0.0"))
    assert found(liar.seen()) == {("time-decreased", "entry 2")}


def test_time_from_the_future() -> None:
    liar = Liar()
    liar.enter(event("reproduced", liar.world.now + LATER + 601, version="1.0.0"))
    assert found(liar.seen()) == {("time-impossible", "entry 2")}


def test_a_second_digest_under_one_name() -> None:
    liar = Liar()
    statement = liar.entry(1)
    ours = statement["predicate"]["tagtrail"]
    other = liar.keep(b"other bytes")
    victim = statement["subject"][1]
    victim["digest"]["sha256"] = other
    ours["files"][victim["name"]]["size"] = len(b"other bytes")
    ours["added"] = [victim["name"]]
    ours["time"] = format_time(liar.world.now)
    liar.enter(statement)
    assert {("name-twice", "entry 2"), ("path-taken", f"nova/{victim['name']}")} <= found(liar.seen())


def test_a_second_release_of_a_version() -> None:
    liar = Liar()
    statement = liar.entry(1)
    statement["predicate"]["tagtrail"] |= {"time": format_time(liar.world.now), "series": "again"}
    liar.enter(statement)
    assert found(liar.seen()) == {("version-twice", "entry 2")}


def test_a_file_that_a_later_entry_drops() -> None:
    liar = Liar()
    statement = liar.entry(1)
    gone = statement["subject"].pop(0)["name"]
    ours = statement["predicate"]["tagtrail"]
    del ours["files"][gone]
    ours |= {"time": format_time(liar.world.now), "added": [statement["subject"][0]["name"]], "approvals": APPROVED}
    del ours["sidecars"]["nova-1.0.0.SHA256SUMS"]
    liar.enter(statement)
    assert found(liar.seen()) == {("files-dropped", "entry 2")}


def test_a_withdrawn_version_released_again() -> None:
    liar = Liar()
    liar.enter(event("withdraw", liar.world.now, version="1.0.0"))
    assert liar.seen().findings == ()
    statement = liar.entry(1)
    added = [statement["subject"][0]["name"]]
    statement["predicate"]["tagtrail"] |= {
        "time": format_time(liar.world.now),
        "added": added,
        "approvals": APPROVED,
    }
    del statement["predicate"]["tagtrail"]["sidecars"]["nova-1.0.0.SHA256SUMS"]
    liar.enter(statement)
    assert found(liar.seen()) == {("withdrawn-used", "entry 3")}


def test_a_file_that_is_called_like_a_page() -> None:
    liar = Liar()
    statement = liar.entry(1)
    statement = json.loads(json.dumps(statement).replace("nova-1.0.0.tar.gz", "releases.json"))
    ours = statement["predicate"]["tagtrail"]
    ours |= {"time": format_time(liar.world.now), "added": ["releases.json"]}
    statement["subject"].sort(key=lambda subject: subject["name"])
    liar.enter(statement)
    assert ("path-taken", "nova/releases.json") in found(liar.seen())


def test_sums_that_do_not_list_the_files() -> None:
    liar = Liar()
    statement = liar.entry(1)
    statement = json.loads(json.dumps(statement).replace("1.0.0", "1.5.0"))
    ours = statement["predicate"]["tagtrail"]
    ours["time"] = format_time(liar.world.now)
    liar.enter(statement)
    rules = {rule for rule, _ in found(liar.seen())}
    assert "sums-differ" in rules
    assert "tag-name" in rules, "and the tag is another version's"


def test_a_proof_of_a_tree_that_was_never_the_logs(world: World, site: Site, root: Root) -> None:
    """A checkpoint under the right key over a fork: shown to one victim only."""
    entry = world.ledger.entries(1, 2)[0]
    leaves = [merkle.leaf_hash(b"fork"), merkle.leaf_hash(entry.raw)]
    text = note.Checkpoint(origin=ORIGIN, size=2, root=merkle.root_of(leaves)).text()
    signed = note.sign(text, [Signer(name=ORIGIN, seed=sha256(b"log").digest())]).encode()
    forked = proof.Proof(index=1, hashes=(leaves[0],), checkpoint=signed, extra=entry.raw)
    path = f"nova/{entry.files[0].name}"
    site.files[f"{path}.tlog-proof"] = forked.encode()
    assert found(look(world, site, root)) == {("split-view", path)}


def test_a_proof_that_carries_another_entry(world: World, site: Site, root: Root) -> None:
    entry = world.ledger.entries(1, 2)[0]
    path = f"nova/{entry.files[0].name}.tlog-proof"
    parsed = proof.parse(site.files[path])
    site.files[path] = replace(parsed, index=2).encode()
    assert found(look(world, site, root)) == {("proof-other-entry", path.removesuffix(".tlog-proof"))}


# --- a site on its way ----------------------------------------------------------------------------------------------


def newest(world: World) -> str:
    entry = world.ledger.entries()[-1]
    return f"{entry.project}/{entry.files[0].name}"


@pytest.mark.parametrize(("after", "code"), [(FRESH - 1, 5), (FRESH, 7)])
def test_missing_files_of_the_newest_entry_are_on_their_way_for_an_hour(
    world: World, site: Site, root: Root, after: int, code: int
) -> None:
    path = newest(world)
    for name in (path, f"{path}.tlog-proof"):
        del site.files[name]
    seen = look(world, site, root, after=after)
    rule = {5: "unfinished", 7: "file-missing"}[code]
    assert (found(seen), seen.exit_code) == ({(rule, path), (rule, f"{path}.tlog-proof")}, code)


def test_an_older_entrys_file_is_not_on_its_way(world: World, site: Site, root: Root) -> None:
    del site.files[SDIST]
    assert found(look(world, site, root, after=0)) == {("file-missing", SDIST)}


def test_a_changed_file_is_never_on_its_way(world: World, site: Site, root: Root) -> None:
    site.files[newest(world)] = b"x"
    assert found(look(world, site, root, after=0)) == {("file-differs", newest(world))}


def test_pages_that_do_not_show_the_newest_entry_yet(world: World, site: Site, root: Root) -> None:
    view = LedgerView(world.ledger, world.kept, 2)
    entry = world.ledger.entries()[-1]
    project = f"{entry.project}/index.html"
    site.files["index.html"] = page("index.html", view)
    site.files[project] = page(project, view)
    del site.files[f"{entry.project}/{entry.version}/index.html"]
    seen = look(world, site, root, after=0)
    assert seen.exit_code == 5
    assert {rule for rule, _ in found(seen)} == {"unfinished"}
    assert look(world, site, root).exit_code == 7, "an hour later it is an alarm"


def test_who_finds_something_looks_again(world: World, site: Site, root: Root) -> None:
    whole = dict(site.files)
    del site.files[SDIST]
    paused: list[float] = []

    def arrives(seconds: float) -> None:
        paused.append(seconds)
        site.files = whole

    seen = audit(site, root, tell=lambda *_: None, clock=lambda: world.now, pause=arrives)
    assert (seen.findings, paused) == ((), [2.0])


def test_what_is_wrong_only_the_second_time_is_not_said(world: World, site: Site, root: Root) -> None:
    del site.files[SDIST]

    def changes(_: float) -> None:
        site.files["nova/x"] = b""

    seen = audit(site, root, tell=lambda *_: None, clock=lambda: world.now, pause=changes)
    assert found(seen) == {("file-missing", SDIST)}


def test_long_work_says_how_far_it_is(world: World, site: Site, root: Root) -> None:
    told: list[tuple[str, Any]] = []
    ticks = iter(range(world.now, world.now + 10_000))
    audit(site, root, tell=lambda name, fields: told.append((name, fields)), clock=lambda: next(ticks), pause=print)
    assert {name for name, _ in told} == {"bytes"}
    assert {(fields["what"], fields.get("unit")) for _, fields in told} == {
        ("trail", "tiles"),
        ("files", None),
        ("pages", "pages"),
    }


# --- another renderer -----------------------------------------------------------------------------------------------


@pytest.fixture
def older() -> World:
    """A site whose pages somebody else's renderer made."""
    world = signed(World())
    world.site = replace(world.site, renderer="0")
    release(world.road(), world.project(), "1.0.0")
    for path, data in list(world.store.files.items()):
        if path.endswith(".html") and "simple" not in path:
            world.store.files[path] = b"<!-- another renderer -->" + data
    world.store.files["nova/badge.html"] = b""
    return world


def test_another_renderers_pages_are_not_compared_but_its_index_is(older: World) -> None:
    seen = look(older, Site(older.store.files), root_of(older))
    assert seen.findings == ()
    assert "renderer 0" in dict(seen.left_out)["pages"]
    assert "nova/badge.html" in dict(seen.left_out)


@pytest.mark.parametrize(
    ("form", "old", "new"),
    [
        ("html", b"nova-1.0.0.tar.gz", b"nova-1.0.1.tar.gz"),
        ("html", b"&gt;=3.11", b"&gt;=3.12"),
        ("html", b'data-gpg-sig="true"', b"data-yanked"),
        ("html", b"sha256=", b"md5="),
        ("json", b"nova-1.0.0.tar.gz", b"nova-1.0.1.tar.gz"),
        ("json", b">=3.11", b">=3.12"),
        ("json", b'"gpg-sig":true', b'"yanked":"x"'),
        ("json", b'"sha256":"', b'"sha256":"0'),
    ],
)
def test_a_field_of_the_index_that_is_wrong(older: World, form: str, old: bytes, new: bytes) -> None:
    path = f"simple/nova/index.{form}"
    assert old in older.store.files[path]
    older.store.files[path] = older.store.files[path].replace(old, new)
    assert found(look(older, Site(older.store.files), root_of(older))) == {("index-differs", path)}


@pytest.mark.parametrize(
    ("form", "data", "code"),
    [
        ("html", None, "index-missing"),
        ("json", None, "index-missing"),
        ("json", b"[]", "json-type"),
        ("json", b"{", "json-syntax"),
    ],
)
def test_an_index_that_is_none(older: World, form: str, data: bytes | None, code: str) -> None:
    path = f"simple/nova/index.{form}"
    older.store.files.pop(path)
    if data is not None:
        older.store.files[path] = data
    assert found(look(older, Site(older.store.files), root_of(older))) == {(code, path)}
