"""PROJECT-VERSION.intoto.jsonl: how the files of a version were built here, by the key of the builder.

One line of canonical JSON, a DSSE envelope (formats/dsse.py) of payloadType `application/vnd.in-toto+json`, and a
newline. The payload is an in-toto Statement v1 in canonical JSON with the predicate SLSA provenance v1:

    {"_type": "https://in-toto.io/Statement/v1",
     "subject": [{"name": "nova-33.0.0.tar.gz", "digest": {"sha256": "..."}}],     what was built here, and nothing else
     "predicateType": "https://slsa.dev/provenance/v1",
     "predicate": {
       "buildDefinition": {
         "buildType": "https://tagtrail.dev/build/v1",
         "externalParameters": {                                   what the tag and the settings ask for
           "project": "nova", "version": "33.0.0", "repository": "https://git.example.org/nova",
           "tag": {"name": "33.0.0", "object": "<git id>"}, "commit": "<git id>",
           "builds": ["sdist", "wheel"], "subdirectory": "",
           "refs": [{"name": "refs/tags/33.0.0", "object": "<git id>"}]},          what git shows to the build
         "internalParameters": {"isolation": "none", "epoch": 1775055600,          epoch: SOURCE_DATE_EPOCH
                                "resolvedOn": "2026-04-01T09:30:00Z"},             see below
         "resolvedDependencies": [
           {"uri": "git+https://git.example.org/nova@refs/tags/33.0.0", "digest": {"gitCommit": "<git id>"},
            "annotations": {"tree": "<sha256 of the tree's tar in normal form>"}},
           {"uri": "pkg:generic/cpython@3.11.2"},
           {"uri": "pkg:pypi/pbr@7.0.1", "annotations": {"record": "<sha256 of its RECORD as installed>"}}]},
       "runDetails": {
         "builder": {"id": "https://releases.example.org/trail/builder"},
         "metadata": {"invocationId": "...", "startedOn": "2026-04-01T15:00:00Z", "finishedOn": "2026-04-01T15:01:00Z"},
         "byproducts": [{"name": "nova-33.0.0.tar.gz.metadata", "digest": {"sha256": "..."}}]}}}

A build by the project's own commands has in its external parameters, beside these and only where they say something,
`"prepare"` and `"run"` (lists of command lines, each a list of words) and `"files"` (patterns of what they make): all
as the settings write them. `resolvedOn` tells when the versions of the Python build requirements were chosen, those of
the oldest environment that took part; it is only there if one did, and not in files of before it was recorded.

All fields are there, and no others; subjects, dependencies behind the commit, and byproducts are sorted. A repository
that is no public URL is written as the entry does (`local:nova`), then without `git+`. The builder's key is an Ed25519
key of the note family, named ORIGIN/builder; `builder.id` is `https://` and that name, from which nothing is fetched.
What it claims, and what not: docs/provenance.md.

Sources: SLSA provenance v1 (slsa.dev/spec/v1.0/provenance, v1.1), in-toto attestation spec/v1 (Statement,
ResourceDescriptor, DigestSet), DSSE 1.0.2, JSON Lines.
Reason codes: provenance-line, provenance-payload-type, provenance-form, dsse-*, json-*, time-form.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar
from urllib.parse import quote

from tagtrail.formats import canonical, dsse
from tagtrail.formats.encoding import hex_digest, shown
from tagtrail.formats.entry import STATEMENT_TYPE
from tagtrail.formats.note import AnySigner
from tagtrail.formats.times import format_time, parse_time
from tagtrail.model.errors import TamperError
from tagtrail.model.facts import Material
from tagtrail.model.frozen import frozen

__all__ = [
    "BUILD_TYPE", "MAX_PROVENANCE", "PREDICATE_TYPE", "Provenance", "builder_id", "builder_name", "format_provenance",
    "parse", "parse_provenance", "provenance_name", "sign",
]  # fmt: skip

BUILD_TYPE = "https://tagtrail.dev/build/v1"
PREDICATE_TYPE = "https://slsa.dev/provenance/v1"
MAX_PROVENANCE = 4 * 2**20
"""Bytes of a payload: a repository with ten thousand tags has one of 1.5 MB."""

T = TypeVar("T")
_GIT_ID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_FORM = "provenance-form"


@frozen
class Provenance:
    """What a builder says of one build.

    `object`, `commit` and those of `refs` (name, id) are git ids; `files` and `byproducts` are (name, SHA-256);
    `epoch`, `resolved` (0: not said), `started` and `finished` are Unix seconds;
    `patterns` are the `files` of the settings.
    """

    project: str
    version: str
    repo: str
    tag: str
    object: str
    commit: str
    builds: tuple[str, ...]
    refs: tuple[tuple[str, str], ...]
    epoch: int
    tree: str
    builder: str
    invocation: str
    started: int
    finished: int
    files: tuple[tuple[str, str], ...]
    subdirectory: str = ""
    isolation: str = "none"
    materials: tuple[Material, ...] = ()
    byproducts: tuple[tuple[str, str], ...] = ()
    prepare: tuple[tuple[str, ...], ...] = ()
    run: tuple[tuple[str, ...], ...] = ()
    patterns: tuple[str, ...] = ()
    resolved: int = 0


def provenance_name(project: str, version: str) -> str:
    """`PROJECT-VERSION.intoto.jsonl`."""
    return f"{project}-{version}.intoto.jsonl"


def builder_name(origin: str) -> str:
    """What the key of an instance's builder is called."""
    return f"{origin}/builder"


def builder_id(name: str) -> str:
    """The `builder.id` that a builder's key of this name vouches for."""
    return f"https://{name}"


def sign(provenance: Provenance, signer: AnySigner) -> bytes:
    """The file."""
    return dsse.sign(dsse.IN_TOTO, format_provenance(provenance), [signer]).encode() + b"\n"


def parse(data: bytes) -> tuple[dsse.Envelope, Provenance]:
    """What a file says, nothing verified (tagtrail.verify.provenance judges it).

    Raises TamperError provenance-line, provenance-payload-type, provenance-form, dsse-*, json-*, time-form.
    """
    if not data.endswith(b"\n") or data.count(b"\n") != 1:
        what = f"a provenance of {data.count(10)} line ends, it is one line"
        raise TamperError(what, code="provenance-line")
    envelope = dsse.parse(data[:-1])
    if envelope.encode() != data[:-1]:
        what = f"a provenance of {len(data)} bytes, written canonically it has {len(envelope.encode()) + 1}"
        raise TamperError(what, code="provenance-line")
    if envelope.payload_type != dsse.IN_TOTO:
        what = f"an envelope of type {shown(envelope.payload_type)} instead of {dsse.IN_TOTO}"
        raise TamperError(what, code="provenance-payload-type")
    return envelope, parse_provenance(envelope.payload)


# --- writing --------------------------------------------------------------------------------------------------------


def format_provenance(provenance: Provenance) -> bytes:
    """The payload's bytes."""
    return canonical.dumps(
        {
            "_type": STATEMENT_TYPE,
            "subject": _descriptors(provenance.files),
            "predicateType": PREDICATE_TYPE,
            "predicate": {"buildDefinition": _definition(provenance), "runDetails": _details(provenance)},
        }
    )


def _definition(provenance: Provenance) -> dict[str, Any]:
    external = {
        "project": provenance.project,
        "version": provenance.version,
        "repository": provenance.repo,
        "tag": {"name": provenance.tag, "object": provenance.object},
        "commit": provenance.commit,
        "builds": list(provenance.builds),
        "subdirectory": provenance.subdirectory,
        "refs": [{"name": name, "object": id_} for name, id_ in provenance.refs],
        **_commands_json(provenance),
    }
    source = {
        "uri": _source_uri(provenance),
        "digest": {"gitCommit": provenance.commit},
        "annotations": {"tree": provenance.tree},
    }
    age = {"resolvedOn": format_time(provenance.resolved)} if provenance.resolved else {}
    return {
        "buildType": BUILD_TYPE,
        "externalParameters": external,
        "internalParameters": {"isolation": provenance.isolation, "epoch": provenance.epoch, **age},
        "resolvedDependencies": [source, *map(_material_json, _sorted(provenance.materials))],
    }


def _commands_json(provenance: Provenance) -> dict[str, Any]:
    lines = {"prepare": provenance.prepare, "run": provenance.run}
    said = {key: [list(line) for line in value] for key, value in lines.items()} | {"files": list(provenance.patterns)}
    return {key: value for key, value in said.items() if value}


def _details(provenance: Provenance) -> dict[str, Any]:
    times = {"startedOn": format_time(provenance.started), "finishedOn": format_time(provenance.finished)}
    return {
        "builder": {"id": provenance.builder},
        "metadata": {"invocationId": provenance.invocation, **times},
        "byproducts": _descriptors(provenance.byproducts),
    }


def _source_uri(provenance: Provenance) -> str:
    """SPDX download location, as SLSA writes it."""
    scheme = "git+" if "://" in provenance.repo else ""
    return f"{scheme}{provenance.repo}@refs/tags/{quote(provenance.tag, safe='/+~!')}"


def _descriptors(files: Iterable[tuple[str, str]]) -> list[dict[str, Any]]:
    return [{"name": name, "digest": {"sha256": digest}} for name, digest in sorted(files)]


def _sorted(materials: Iterable[Material]) -> list[Material]:
    return sorted(materials, key=lambda m: (m.uri, m.record))


def _material_json(material: Material) -> dict[str, Any]:
    return {"uri": material.uri} | ({"annotations": {"record": material.record}} if material.record else {})


# --- reading --------------------------------------------------------------------------------------------------------


def parse_provenance(payload: bytes) -> Provenance:
    """What a payload says; anything but what `format_provenance` writes is a TamperError (`provenance-form`, `json-*`,
    `time-form`)."""
    value: Any = canonical.loads(payload, MAX_PROVENANCE)
    try:
        provenance = _provenance(value)
    except (KeyError, TypeError, AttributeError, ValueError, IndexError) as error:
        why = f"{type(error).__name__}: {error}"
        raise TamperError("not a provenance of tagtrail's", code=_FORM, why=why) from error
    if format_provenance(provenance) != payload:
        raise TamperError("not a provenance of tagtrail's (another type, other fields or order)", code=_FORM)
    names = [name for name, _ in provenance.files]
    if not names or len(set(names)) < len(names):
        raise TamperError(f"a provenance of {len(names)} files, {len(set(names))} names", code=_FORM)
    return provenance


def _provenance(value: Mapping[str, Any]) -> Provenance:
    definition, details = (value["predicate"][part] for part in ("buildDefinition", "runDetails"))
    external, internal = definition["externalParameters"], definition["internalParameters"]
    source, *materials = definition["resolvedDependencies"]
    metadata = details["metadata"]
    return Provenance(
        project=_of(str, external["project"]),
        version=_of(str, external["version"]),
        repo=_of(str, external["repository"]),
        tag=_of(str, external["tag"]["name"]),
        object=_git_id(external["tag"]["object"]),
        commit=_git_id(external["commit"]),
        builds=tuple(_of(str, kind) for kind in external["builds"]),
        refs=tuple((_of(str, ref["name"]), _git_id(ref["object"])) for ref in external["refs"]),
        epoch=_of(int, internal["epoch"]),
        tree=hex_digest(_of(str, source["annotations"]["tree"]), _FORM),
        builder=_of(str, details["builder"]["id"]),
        invocation=_of(str, metadata["invocationId"]),
        started=parse_time(_of(str, metadata["startedOn"])),
        finished=parse_time(_of(str, metadata["finishedOn"])),
        files=_files(value["subject"]),
        subdirectory=_of(str, external["subdirectory"]),
        isolation=_of(str, internal["isolation"]),
        materials=tuple(map(_material, materials)),
        byproducts=_files(details["byproducts"]),
        prepare=_lines(external.get("prepare", [])),
        run=_lines(external.get("run", [])),
        patterns=tuple(_of(str, pattern) for pattern in external.get("files", [])),
        resolved=parse_time(_of(str, internal["resolvedOn"])) if "resolvedOn" in internal else 0,
    )


def _lines(value: Iterable[Iterable[object]]) -> tuple[tuple[str, ...], ...]:
    lines = tuple(tuple(_of(str, word) for word in _of(list, line)) for line in _of(list, value))
    if not all(lines):
        message = "a command of no words"
        raise ValueError(message)
    return lines


def _files(value: Iterable[Mapping[str, Any]]) -> tuple[tuple[str, str], ...]:
    return tuple((_of(str, file["name"]), hex_digest(_of(str, file["digest"]["sha256"]), _FORM)) for file in value)


def _material(value: Mapping[str, Any]) -> Material:
    record = hex_digest(_of(str, value["annotations"]["record"]), _FORM) if "annotations" in value else ""
    return Material(uri=_of(str, value["uri"]), record=record)


def _git_id(value: object) -> str:
    text = _of(str, value)
    if not _GIT_ID.fullmatch(text):
        raise TamperError(f"{shown(text)} is no git id", code=_FORM)
    return text


def _of(kind: type[T], value: object) -> T:
    if type(value) is not kind:
        message = f"{kind.__name__} expected, {value!r:.40} found"
        raise TypeError(message)
    return value
