"""Every parser of tagtrail.formats in one table: what it reads, what it writes again, and bytes that it takes.

Whoever reads an enemy's bytes raises tagtrail's own errors and nothing else, in bounded time. The laws over this table
are in test_parsers.py, the fuzzer that looks for what they miss in tests/fuzz.
"""

import gzip
import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from tagtrail.formats import (
    allowed_signers,
    approval,
    archive,
    buildsystem,
    canonical,
    dsse,
    encoding,
    entry,
    facts,
    forms,
    gitobject,
    marks,
    metadata,
    note,
    policy,
    proof,
    provenance,
    root,
    settings,
    site,
    sshsig,
    sums,
    tarball,
    tiles,
    times,
    witness,
    zipball,
)  # fmt: skip
from tagtrail.formats.note import COSIGNATURE, SUBTREE, Signer
from tagtrail.formats.settings_text import initial
from tagtrail.model.errors import Error
from tagtrail.model.facts import Plan, Tag
from tagtrail.model.names import name_key, project_key, version_key
from tagtrail.testing import samples
from tests.formats.test_approval import BYTES as APPROVAL
from tests.formats.test_archive import EPOCH, FILES, GOOD, RAW, wheel
from tests.formats.test_provenance import FULL as BUILT
from tests.formats.test_root import BARE, FULL
from tests.formats.test_site import HERE
from tests.formats.test_sshsig import ED25519

VECTORS = Path(__file__).parent / "vectors"
TAGS = Path(__file__).parents[1] / "verify" / "vectors"
LOG = Signer(name="releases.example.org/trail", seed=bytes([9]) * 32)
WITNESSES = [Signer(name="w.example", kind=kind, seed=bytes([kind]) * 32) for kind in (COSIGNATURE, SUBTREE)]
KEYS = [signer.verifier for signer in (LOG, *WITNESSES)]
HEAD = note.Checkpoint(origin=LOG.name, size=1, root=bytes(32))
SIGNED = note.sign(HEAD.text(), [LOG, *WITNESSES], time=1_700_000_000)
POLICY = policy.Policy(
    logs=(policy.Log(verifier=KEYS[0], url="https://log.example/"),),
    witnesses=tuple(policy.Witness(name=f"w{n}", verifier=key) for n, key in enumerate(KEYS[1:])),
    groups=(policy.Group(name="both", threshold=2, members=("w0", "w1")),),
    quorum="both",
)
ENTRY = samples.entry(0, samples.release("nova", "1.0.0")).raw
PROOF = proof.Proof(index=7, hashes=(bytes(32), bytes(range(32))), checkpoint=SIGNED.encode(), extra=ENTRY)
ENVELOPE = dsse.sign(dsse.IN_TOTO, b"{}", [LOG])
LIMITS = archive.Limits(unpacked=1 << 20, members=1000)
KEY_LINES = tuple((TAGS / f"ssh-{kind}.pub").read_bytes().strip() for kind in ("ed25519", "rsa", "ecdsa"))
EVENTS = tuple(
    samples.entry(0, samples.event(kind, project)).raw for kind, project in (("key", ""), ("withdraw", "nova"))
)
REQUEST = witness.Request(old=1, proof=(bytes(32),), note=SIGNED.encode())
PROVENANCE = provenance.sign(BUILT, LOG)
SETTINGS = initial("Example", "releases.example.org/trail", "https://releases.example.org/").encode()


@dataclass(frozen=True, kw_only=True)
class Parser:
    """`write(read(data))` is `data` where `law` is bytes; what it reads again is equal where it is value."""

    read: Callable[[bytes], Any]
    seeds: tuple[bytes, ...]
    write: Callable[[Any], bytes] | None = None
    law: Literal["bytes", "value"] = "bytes"
    raises: tuple[type[Exception], ...] = ()


def judged(parser: Parser, data: bytes) -> object:
    """What the parser reads in `data`, or the code of its refusal. AssertionError where it breaks a law.

    Other exceptions than tagtrail's own, and those that the parser's contract names, are let through.
    """
    try:
        found = parser.read(data)
    except parser.raises:
        return None
    except Error as error:
        refusal = error
    else:
        _check_law(parser, data, found)
        return found
    assert refusal.code
    assert refusal.what.isprintable()
    return refusal.code


def _check_law(parser: Parser, data: bytes, found: object) -> None:
    if parser.write and parser.law == "bytes":
        assert parser.write(found) == data
    elif parser.write:
        assert parser.read(parser.write(found)) == found


def text(data: bytes) -> str:
    """Any bytes as text that may hold lone surrogates, as JSON and file names can."""
    return data.decode("utf-8", "surrogateescape")


def coded(value: str) -> bytes:
    return value.encode("utf-8", "surrogateescape")


def _tile(data: bytes) -> tuple[bytes, ...]:
    return tiles.parse_tile(data[1:], (data[0] if data else 0) + 1)


def _bundle(data: bytes) -> tuple[bytes, ...]:
    return tiles.parse_bundle(data[1:], (data[0] if data else 0) + 1)


def _wide(data: bytes, parts: tuple[bytes, ...]) -> bytes:
    return bytes([len(parts) - 1]) + data


def _sdist(data: bytes) -> object:
    made = io.BytesIO()
    spool = io.BytesIO()
    found = tarball.normal_sdist(io.BytesIO(data), spool, made.write, EPOCH, name="p-1.tar.gz", limits=LIMITS)
    return [b"".join(tarball.content(spool, member)) for member in found.members]


def _wheel(data: bytes) -> object:
    opened = zipball.Wheel(io.BytesIO(data), LIMITS)
    return [b"".join(opened.content(member)) for member in opened.members], opened.is_normal(EPOCH)


def _faults(data: bytes) -> object:
    kinds = "group origin path pattern plain project relative repo url"
    return [getattr(forms, f"{kind}_fault")(text(data)) for kind in kinds.split()]


def _fact(data: bytes) -> object:
    value = canonical.loads_strict(data, 65_535)
    return facts.load(Plan if isinstance(value, dict) and "tag" in value else Tag, value)


def _identity(data: bytes) -> object:
    found = metadata.parse_metadata(data, "PKG-INFO")
    metadata.check_identity(found, project="nova", version="1.0.0", where="PKG-INFO")
    return found


def _names(data: bytes) -> object:
    found = text(data[:255])  # as long as the name of a file or a tag may be
    keys = (name_key("nova", found), project_key(found), version_key(found))
    return keys, gitobject.tag_name_fault(found), site.media(found)


def _key_blob(line: bytes) -> bytes:
    return encoding.base64_decode(text(line).split(" ")[1], "x-y")


def _marks(data: bytes) -> object:
    return marks.marks_of(entry.parse(0, data))


PARSERS: dict[str, Parser] = {
    "decimal": Parser(read=lambda d: encoding.decimal(text(d), "x-y"), write=lambda v: b"%d" % v, seeds=(b"0", b"73")),
    "base64": Parser(
        read=lambda d: encoding.base64_decode(text(d), "x-y"),
        write=lambda v: coded(encoding.base64_encode(v)),
        seeds=(b"", b"AA==", b"+/+/"),
    ),
    "digest": Parser(read=lambda d: encoding.hex_digest(text(d), "x-y"), write=coded, seeds=(b"0a" * 32,)),
    "key name": Parser(read=lambda d: encoding.key_name(text(d), "x-y"), write=coded, seeds=(b"a/b", "é".encode())),
    "time": Parser(
        read=lambda d: times.parse_time(text(d)),
        write=lambda v: coded(times.format_time(v)),
        seeds=(b"2026-04-01T15:02:00Z", b"1970-01-01T00:00:00Z"),
    ),
    "vkey": Parser(
        read=lambda d: note.parse_vkey(text(d)),
        write=lambda v: coded(v.vkey()),
        seeds=tuple(coded(key.vkey()) for key in KEYS),
    ),
    "skey": Parser(
        read=lambda d: note.parse_skey(text(d)),
        write=lambda v: coded(v.skey()),
        seeds=tuple(coded(signer.skey()) for signer in (LOG, *WITNESSES)),
    ),
    "note": Parser(
        read=note.parse,
        write=lambda v: v.encode(),
        seeds=(SIGNED.encode(), *(path.read_bytes() for path in sorted(VECTORS.glob("*.note")))),
    ),
    "opened note": Parser(read=lambda d: note.open_note(d, KEYS), seeds=(SIGNED.encode(),)),
    "checkpoint": Parser(
        read=lambda d: note.parse_checkpoint(text(d)),
        write=lambda v: coded(v.text()),
        seeds=(coded(HEAD.text()), coded(HEAD.text() + "an extension\n")),
    ),
    "policy": Parser(read=policy.parse, write=lambda v: v.encode(), law="value", seeds=(POLICY.encode(),)),
    "checked": Parser(read=lambda d: policy.check(POLICY, d, 2**40), seeds=(SIGNED.encode(),)),
    "proof": Parser(read=proof.parse, write=lambda v: v.encode(), seeds=(PROOF.encode(),)),
    "tile path": Parser(
        read=lambda d: tiles.parse_tile_path(text(d)),
        write=lambda v: coded(v.path),
        seeds=(b"tile/0/x001/x234/067", b"tile/entries/000.p/17"),
    ),
    "tile": Parser(read=_tile, write=lambda v: _wide(b"".join(v), v), seeds=(b"\0" + bytes(32), b"\1" + bytes(64))),
    "bundle": Parser(
        read=_bundle,
        write=lambda v: _wide(tiles.bundle_bytes(v), v),
        seeds=(b"\1" + tiles.bundle_bytes([b"a", b"bc" * 200]),),
    ),
    "canonical": Parser(
        read=canonical.loads, write=canonical.dumps, seeds=(ENTRY, b'{"a":[1,-2,true,null,"\\u0000\xc3\xa9"]}')
    ),
    "JSON": Parser(read=lambda d: canonical.loads_strict(d, 65_535), seeds=(b' {"a": [1.5e3, "\\ud83d\\ude00"]} ',)),
    "envelope": Parser(read=dsse.parse, write=lambda v: v.encode(), law="value", seeds=(ENVELOPE.encode(),)),
    "verified envelope": Parser(read=lambda d: dsse.verify(dsse.parse(d), KEYS), seeds=(ENVELOPE.encode(),)),
    "entry": Parser(read=lambda d: entry.parse(0, d), write=lambda v: v.raw, seeds=(ENTRY, *EVENTS)),
    "marks": Parser(read=_marks, seeds=(ENTRY, *EVENTS)),
    "approval": Parser(read=approval.parse_approval, write=approval.format_approval, seeds=(APPROVAL,)),
    "root": Parser(
        read=root.parse_root, write=root.format_root, seeds=(root.format_root(FULL), root.format_root(BARE))
    ),
    "site": Parser(read=site.parse_site, write=site.format_site, seeds=(site.format_site(HERE),)),
    "sums": Parser(
        read=sums.parse_sums, write=sums.format_sums, seeds=(sums.format_sums([("a.zip", "0a" * 32), ("b", "b" * 64)]),)
    ),
    "SSH signature": Parser(read=lambda d: sshsig.parse_sshsig(text(d)), seeds=(coded(ED25519),)),
    "SSH key line": Parser(
        read=lambda d: sshsig.parse_key_line(text(d)), write=lambda v: coded(v.line), law="value", seeds=KEY_LINES
    ),
    "SSH key": Parser(read=sshsig.parse_key, write=lambda v: v.blob, seeds=tuple(map(_key_blob, KEY_LINES))),
    "SSH strings": Parser(
        read=lambda d: sshsig.strings(d, "x-y"), write=lambda v: sshsig.join(*v), seeds=(sshsig.join(b"a", b"", b"bc"),)
    ),
    "allowed signers": Parser(
        read=allowed_signers.parse_allowed_signers,
        write=allowed_signers.format_allowed_signers,
        law="value",
        seeds=(
            b'jo@example.org namespaces="git",valid-after="20240101Z" ' + KEY_LINES[0],
            b"# none\n* " + KEY_LINES[1],
        ),
    ),
    "provenance": Parser(read=provenance.parse, write=lambda v: v[0].encode() + b"\n", seeds=(PROVENANCE,)),
    "witness request": Parser(read=witness.parse_request, write=lambda v: v.encode(), seeds=(REQUEST.encode(),)),
    "cosignatures": Parser(
        read=witness.parse_cosignatures,
        write=witness.encode_cosignatures,
        seeds=(witness.encode_cosignatures(SIGNED.signatures[1:]),),
    ),
    "witness size": Parser(read=witness.parse_size, write=witness.encode_size, seeds=(b"0\n", b"20852014\n")),
    "metadata": Parser(read=_identity, seeds=(b"Metadata-Version: 2.4\nName: nova\nVersion: 1.0.0\n",)),
    "build system": Parser(
        read=lambda d: buildsystem.parse_build_system(text(d), has_setup=True),
        seeds=(b'[build-system]\nrequires = ["a"]\nbuild-backend = "a.b:c"\nbackend-path = ["."]\n',),
    ),
    "settings": Parser(read=lambda d: settings.parse_settings({"tagtrail.toml": d}), seeds=(SETTINGS,)),
    "fact": Parser(read=_fact, seeds=tuple(canonical.dumps(facts.dump(f)) for f in (samples.tag(), samples.plan()))),
    "names": Parser(read=_names, seeds=(b"nova-1.0.tgz", b"Nova-1.0-py2.py3-none-any.whl", b"v1.0")),
    "forms": Parser(read=_faults, seeds=(b"releases.example.org/trail", b"{project}/{file}", b"git@host:nova")),
    "tree": Parser(
        read=gitobject.parse_tree, seeds=(b"100644 a\0" + bytes(20) + b"40000 b\0" + bytes(20),), raises=(ValueError,)
    ),
    "listing": Parser(
        read=gitobject.parse_listing, seeds=(b"100644 blob " + b"a" * 40 + b"\ta\0",), raises=(ValueError,)
    ),
    "git headers": Parser(
        read=lambda d: (gitobject.header(d, "tag"), gitobject.time_of(d)),
        seeds=((TAGS / "good.tag").read_bytes(), b"tree 0\ncommitter Jo <jo@example.org> 1700000000 +0000\n\nx\n"),
    ),
    "sdist": Parser(read=_sdist, seeds=(GOOD,)),
    "tar": Parser(read=lambda d: _sdist(gzip.compress(d, mtime=0)), seeds=(RAW,)),
    "wheel": Parser(read=_wheel, seeds=(wheel(*FILES),)),
}
"""Every parser by name."""
