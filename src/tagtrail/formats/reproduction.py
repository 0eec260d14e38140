"""PROJECT-VERSION.reproduced-XXXXXXXX.jsonl: somebody built a release again and got the same bytes, and signs that.

One line of canonical JSON, a DSSE envelope (formats/dsse.py) of payloadType `application/vnd.in-toto+json`, and a
newline. XXXXXXXX are the first digits of the file's SHA-256. The payload is an in-toto Statement v1 in canonical JSON:

    {"_type": "https://in-toto.io/Statement/v1",
     "subject": [{"name": "nova-33.0.0.tar.gz", "digest": {"sha256": "..."}}],     what was built here in its turn
     "predicateType": "https://tagtrail.dev/attestation/reproduced/v0.1",
     "predicate": {"origin": "releases.example.org/trail", "project": "nova", "version": "33.0.0",
                   "entry": {"index": 7, "sha256": "<sha256 of the entry>"}, "commit": "<git id>",
                   "provenance": "<sha256 of PROJECT-VERSION.intoto.jsonl>",
                   "materials": [{"uri": "pkg:pypi/pbr@7.0.1", "annotations": {"record": "<sha256>"}}],
                   "isolation": "bubblewrap", "time": "2026-04-01T15:00:00Z", "key": "ssh-ed25519 AAAA..."}}

The key is the reproducer's SSH key of type ssh-ed25519. Its signature is plain Ed25519 over DSSE's encoding, under the
note name `reproducer`: no SSHSIG, so `ssh-keygen -Y` does not make it; no SSH protocol signs bytes of this form. Whose
key it is, the statement does not prove: the settings' `reproducers` say whom the operator knows.
What it says of the release is compared with the release's entry in tagtrail.verify.reproductions. `isolation` is one of
ISOLATIONS; `materials` are all that was installed for the build, as a provenance has them (formats/provenance.py).
Reason codes: reproduction-line, reproduction-form, reproduction-isolation, reproduction-key, dsse-*, json-*, ssh-key-*,
time-form.
"""

import re
from hashlib import sha256
from typing import Any

from tagtrail.formats import canonical, dsse
from tagtrail.formats.encoding import hex_digest, shown
from tagtrail.formats.entry import STATEMENT_TYPE
from tagtrail.formats.note import ED25519, AnySigner, Signer, Verifier
from tagtrail.formats.sshsig import SshKey, parse_key_line
from tagtrail.formats.times import format_time, parse_time
from tagtrail.model.errors import TamperError
from tagtrail.model.facts import Material
from tagtrail.model.frozen import frozen
from tagtrail.model.names import STATEMENT

__all__ = [
    "ISOLATIONS", "MAX_STATEMENT", "NAMESPACE", "PREDICATE_TYPE", "Reproduction", "is_statement", "open_reproduction",
    "reproducer", "sign", "statement_name",
]  # fmt: skip

PREDICATE_TYPE = "https://tagtrail.dev/attestation/reproduced/v0.1"
NAMESPACE = "tagtrail-reproduced"
"""What an allowed_signers line that restricts its key must allow."""
MAX_STATEMENT = 1 << 20
ISOLATIONS = ("bubblewrap", "namespaces", "none")
"""How a build can have been kept apart."""
_GIT_ID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_NAME = re.compile(f".+-.+{STATEMENT}")
_KEY_NAME = "reproducer"


@frozen
class Reproduction:
    """What a reproducer says: `files` are (name, SHA-256); `entry` is the SHA-256 of the release's entry at `index`;
    `time` is in Unix seconds; `key` is the line of the SSH key that signed."""

    origin: str
    project: str
    version: str
    index: int
    entry: str
    commit: str
    provenance: str
    files: tuple[tuple[str, str], ...]
    materials: tuple[Material, ...]
    isolation: str
    time: int
    key: str

    @property
    def fingerprint(self) -> str:
        """The key's, as SSH tools print it."""
        return parse_key_line(self.key).fingerprint


def statement_name(project: str, version: str, data: bytes) -> str:
    """The name of a signed statement's file."""
    return f"{project}-{version}.reproduced-{sha256(data).hexdigest()[:8]}.jsonl"


def is_statement(name: str) -> bool:
    """Whether a file is called like a statement."""
    return bool(_NAME.fullmatch(name))


def reproducer(seed: bytes) -> AnySigner:
    """Who signs statements with the Ed25519 key of this seed."""
    return Signer(name=_KEY_NAME, seed=seed)


def sign(said: Reproduction, signer: AnySigner) -> bytes:
    """The file."""
    return dsse.sign(dsse.IN_TOTO, _payload(said), [signer]).encode() + b"\n"


def open_reproduction(data: bytes) -> Reproduction:
    """What a file says, signed by the key that it names; whose key that is, nobody says.

    Raises TamperError reproduction-*, dsse-*, json-*, ssh-key-*, time-form.
    """
    if len(data) > MAX_STATEMENT or not data.endswith(b"\n") or data.count(b"\n") != 1:
        raise TamperError(f"a statement of {len(data)} bytes, {data.count(10)} line ends", code="reproduction-line")
    envelope = dsse.parse(data[:-1])
    if envelope.encode() != data[:-1] or envelope.payload_type != dsse.IN_TOTO:
        raise TamperError("not a statement in its one form", code="reproduction-line")
    said = _parsed(envelope.payload)
    dsse.verify(envelope, [_verifier(parse_key_line(said.key))])
    return said


def _verifier(key: SshKey) -> Verifier:
    if key.type != "ssh-ed25519":
        what = f"a statement under a key of type {shown(key.type)}"
        raise TamperError(what, code="reproduction-key", why="ssh-ed25519 is what signs statements")
    return Verifier(name=_KEY_NAME, kind=ED25519, key=key.fields[0])


def _payload(said: Reproduction) -> bytes:
    predicate = {
        "origin": said.origin,
        "project": said.project,
        "version": said.version,
        "entry": {"index": said.index, "sha256": said.entry},
        "commit": said.commit,
        "provenance": said.provenance,
        "materials": [_material_json(m) for m in said.materials],
        "isolation": said.isolation,
        "time": format_time(said.time),
        "key": said.key,
    }
    subject = [{"name": name, "digest": {"sha256": digest}} for name, digest in sorted(said.files)]
    return canonical.dumps(
        {"_type": STATEMENT_TYPE, "subject": subject, "predicateType": PREDICATE_TYPE, "predicate": predicate}
    )


def _material_json(material: Material) -> dict[str, Any]:
    return {"uri": material.uri} | ({"annotations": {"record": material.record}} if material.record else {})


def _parsed(payload: bytes) -> Reproduction:
    value: Any = canonical.loads(payload, MAX_STATEMENT)
    form = "reproduction-form"
    try:
        said = value["predicate"]
        found = Reproduction(
            origin=said["origin"], project=said["project"], version=said["version"], index=said["entry"]["index"],
            entry=hex_digest(said["entry"]["sha256"], form), commit=said["commit"],
            provenance=hex_digest(said["provenance"], form),
            files=tuple((f["name"], hex_digest(f["digest"]["sha256"], form)) for f in value["subject"]),
            materials=tuple(map(_material, said["materials"])),
            isolation=said["isolation"], time=parse_time(said["time"]), key=said["key"],
        )  # fmt: skip
        texts = (found.origin, found.project, found.version, found.commit, found.isolation, found.key)
        plain = all(type(text) is str for text in (*texts, *(m.uri for m in found.materials)))
        same = plain and type(found.index) is int and _payload(found) == payload
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        why = f"{type(error).__name__}: {error}"
        raise TamperError("not a statement of a reproducer", code=form, why=why) from error
    if not same or not found.files or len(dict(found.files)) < len(found.files):
        raise TamperError("not a statement of a reproducer (another type, other fields or order)", code=form)
    if not _GIT_ID.fullmatch(found.commit):
        raise TamperError(f"a statement of commit {shown(found.commit)}, which is no git id", code=form)
    if found.isolation not in ISOLATIONS:
        what = f"a statement of a build with isolation {shown(found.isolation)}"
        raise TamperError(what, code="reproduction-isolation", why=f"there are {', '.join(ISOLATIONS)}")
    return found


def _material(value: dict[str, Any]) -> Material:
    record = hex_digest(value["annotations"]["record"], "reproduction-form") if "annotations" in value else ""
    return Material(uri=value["uri"], record=record)
