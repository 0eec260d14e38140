"""A provenance that holds, and every way in which one says something else than its entry or its root."""

from dataclasses import replace
from hashlib import sha256

import pytest

from tagtrail.formats import canonical, dsse, entry
from tagtrail.formats.gitobject import object_id
from tagtrail.formats.note import Signer
from tagtrail.formats.provenance import Provenance, builder_id, builder_name, format_provenance, provenance_name, sign
from tagtrail.formats.root import Root
from tagtrail.model.errors import TamperError
from tagtrail.model.facts import Entry
from tagtrail.verify.proofs import TOLERANCE
from tagtrail.verify.provenance import judge_provenance
from tests.verify.workshop import COMMIT, CONTENT, NAME, ORIGIN, TIME, Workshop, seed

SHOP = Workshop()
BUILDER = Signer(name=builder_name(ORIGIN), seed=seed("builder"))
OTHER = Signer(name=builder_name(ORIGIN), seed=seed("other builder"))
ROOT = replace(SHOP.root, builders=(BUILDER.verifier.vkey(),))
BESIDE = provenance_name("nova", "1.0.0")
METADATA = "9" * 64
SAID = Provenance(
    project="nova",
    version="1.0.0",
    repo="https://git.example.org/nova",
    tag="1.0.0",
    object=object_id("tag", SHOP.tag),
    commit=COMMIT,
    builds=("sdist",),
    refs=(("refs/tags/1.0.0", object_id("tag", SHOP.tag)),),
    epoch=TIME - 60,
    tree="7" * 64,
    builder=builder_id(BUILDER.name),
    invocation="8" * 64,
    started=TIME - 30,
    finished=TIME - 10,
    files=((NAME, sha256(CONTENT).hexdigest()),),
    byproducts=((f"{NAME}.metadata", METADATA),),
)


def entry_of(data: bytes, shop: Workshop = SHOP, how: str = "built", **ours: object) -> Entry:
    """The entry that names this provenance."""
    sidecars = {"nova-1.0.0.tag": sha256(shop.tag).hexdigest(), BESIDE: sha256(data).hexdigest()}
    of_file = {"metadata": METADATA, "origin": {"how": how} | ({"by": "x"} if how != "built" else {})}
    made = replace(shop, of_file=of_file, ours={"sidecars": sidecars, **ours})
    return entry.parse(7, made.entry)


def refused(data: bytes, root: Root = ROOT, named: Entry | None = None) -> str:
    with pytest.raises(TamperError) as caught:
        judge_provenance(data, named or entry_of(data), root)
    assert caught.value.what.isprintable()
    return caught.value.code


def test_one_that_holds() -> None:
    data = sign(SAID, BUILDER)
    assert judge_provenance(data, entry_of(data), ROOT) == SAID


def test_a_builder_that_was_replaced_still_counts_while_the_root_names_it() -> None:
    data = sign(SAID, BUILDER)
    both = replace(ROOT, builders=(BUILDER.verifier.vkey(), OTHER.verifier.vkey()))
    assert judge_provenance(data, entry_of(data), both) == SAID
    assert refused(data, replace(ROOT, builders=both.builders[1:])) == "provenance-signature"


@pytest.mark.parametrize("signer", [
    OTHER, SHOP.log, Signer(name=ORIGIN, seed=seed("r1")), Signer(name=BUILDER.name, seed=seed("jo")),
])  # fmt: skip
def test_nobody_else_signs_for_the_builder(signer: Signer) -> None:
    """Not another builder, the log, the root, or a person."""
    assert refused(sign(SAID, signer)) == "provenance-signature"


def test_a_root_without_builders_believes_none() -> None:
    assert refused(sign(SAID, BUILDER), replace(ROOT, builders=())) == "provenance-signature"


def test_a_root_whose_builder_key_proves_nothing() -> None:
    null = "AQEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    key_id = sha256(BUILDER.name.encode() + b"\n\x01\x01" + bytes(31)).hexdigest()[:8]
    root = replace(ROOT, builders=(f"{BUILDER.name}+{key_id}+{null}",))
    assert refused(sign(SAID, BUILDER), root) == "key-small-order"


def test_the_signature_is_over_these_bytes() -> None:
    envelope = dsse.parse(sign(SAID, BUILDER)[:-1])
    bent = replace(envelope, payload=format_provenance(replace(SAID, isolation="strict")))
    assert refused(bent.encode() + b"\n") == "provenance-signature"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"builder": "https://releases.example.org/other/builder"}, "provenance-builder"),
        ({"builder": f"http://{BUILDER.name}"}, "provenance-builder"),
        ({"project": "glance"}, "provenance-release"),
        ({"version": "1.0.1"}, "provenance-release"),
        ({"repo": "https://git.example.org/fork"}, "provenance-repository"),
        ({"tag": "v1.0.0"}, "provenance-tag"),
        ({"object": "d" * 40}, "provenance-tag"),
        ({"commit": "d" * 40}, "provenance-commit"),
        ({"tree": "6" * 64}, "provenance-tree"),
        ({"files": ((NAME, "1" * 64),)}, "provenance-files"),
        ({"files": (("nova-1.0.0.zip", SAID.files[0][1]),)}, "provenance-files"),
        ({"files": (("nova-1.0.0.abc", "1" * 64), *SAID.files)}, "provenance-files"),
        ({"byproducts": ((f"{NAME}.metadata", "8" * 64),)}, "provenance-files"),
        ({"byproducts": ((f"{NAME}.other", METADATA),)}, "provenance-files"),
        ({"finished": TIME + TOLERANCE + 1}, "provenance-time"),
        ({"started": TIME - 9}, "provenance-time"),
    ],
)
def test_it_says_what_the_entry_says(change: dict[str, object], code: str) -> None:
    assert refused(sign(replace(SAID, **change), BUILDER)) == code  # type: ignore[arg-type]


@pytest.mark.parametrize("how", ["added", "imported"])
def test_what_was_not_built_here_has_no_provenance(how: str) -> None:
    data = sign(SAID, BUILDER)
    assert refused(data, named=entry_of(data, how=how)) == "provenance-files"


def test_the_entry_names_these_very_bytes() -> None:
    data, other = sign(SAID, BUILDER), sign(replace(SAID, invocation="x"), BUILDER)
    assert refused(data, named=entry_of(other)) == "provenance-digest"
    assert refused(data, named=entry.parse(7, SHOP.entry)) == "provenance-digest"


def test_signed_by_a_stranger_too() -> None:
    """A line more by somebody unknown changes nothing; it cannot replace the builder's."""
    ours = dsse.sign(dsse.IN_TOTO, format_provenance(SAID), [BUILDER])
    data = dsse.sign(dsse.IN_TOTO, format_provenance(SAID), [OTHER], others=ours.signatures).encode() + b"\n"
    assert judge_provenance(data, entry_of(data), ROOT) == SAID


def test_what_is_read_is_one_strict_line() -> None:
    two = sign(SAID, BUILDER) * 2
    assert refused(two) == "provenance-line"
    loose = dsse.sign(dsse.IN_TOTO, format_provenance(SAID) + b"\n", [BUILDER]).encode() + b"\n"
    assert refused(loose) == "json-not-canonical"
    less = canonical.loads(format_provenance(SAID))
    del less["predicate"]["runDetails"]["builder"]
    data = dsse.sign(dsse.IN_TOTO, canonical.dumps(less), [BUILDER]).encode() + b"\n"
    assert refused(data) == "provenance-form"


def test_an_event_without_a_tag_has_no_provenance() -> None:
    data = sign(SAID, BUILDER)
    ours = {"project": "nova", "version": "1.0.0", "sidecars": {BESIDE: sha256(data).hexdigest()}}
    named = entry.parse(7, replace(SHOP, event="import", ours=ours).entry)
    assert refused(data, named=named) == "provenance-tag"
