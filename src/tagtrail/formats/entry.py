"""An entry of the trail: one in-toto Statement v1 in canonical JSON, at most 65,535 bytes.

A release (https://in-toto.io/attestation/release/v0.1, its fields first, ours under `tagtrail`):

    {"_type": "https://in-toto.io/Statement/v1",
     "subject": [{"name": "nova-33.0.0.tar.gz", "digest": {"sha256": "..."}}],     every file of the version, by name
     "predicateType": "https://in-toto.io/attestation/release/v0.1",
     "predicate": {
       "purl": "pkg:pypi/nova@33.0.0",
       "tagtrail": {
         "event": "release", "project": "nova", "kind": "server", "version": "33.0.0", "channel": "final",
         "series": "2026.1 Gazpacho", "time": "2026-04-01T15:02:00Z",
         "tag": {"repo": "https://...", "name": "33.0.0", "object": "<git id>", "sha256": "...", "commit": "<git id>",
                 "signer": "<fingerprint>"},
         "tree": "<sha256 of the tree's tar in normal form>",
         "files": {"nova-33.0.0.tar.gz": {"size": 1, "origin": {"how": "built"}, "requires-python": ">=3.11",
                   "metadata": "<sha256>", "tar": "<sha256>", "generated": ["PKG-INFO"]}},
         "added": [], "sidecars": {"nova-33.0.0.tar.gz.asc": "<sha256>"},
         "approvals": [{"key": "...", "digest": "..."}],
         "policy": "<sha256 of the project's settings>", "overrides": [{"rule": "...", "because": "..."}]}}}

Every field of a release is there, an empty list or string where there is nothing; of a file, `size` and `origin` are
there and the others only where they say something. Other events (`key`, `withdraw`, `import`, ...) have the type
https://tagtrail.dev/attestation/event/v0.1 (a name; nothing is fetched from it), their subject is the object concerned,
and under `tagtrail` stand `event`, `time` and those fields above that apply.

`import` marks a version that was released before the trail as known: project, version and channel, the subject are the
files that were found (name and SHA-256 as some place tells it) and, under the name `git-commit`, the commit of its tag.
What it says was not witnessed, built or signed here: it is what the operator found, and his word alone.

`reproduced` has project and version, the subject are the files that came out the same and the reproducer's statement
(formats/reproduction.py), of which `approvals` has the signer's key and the digest.

`withdraw` takes back a version that the trail has, for ever: `project` and `version` as its first entry writes them,
`channel` and `tag` as it says them, `policy` and `approvals` as at that time, and `reason`, one line of printable
characters, at most 500. The subject are all files of the version. One that says no `reason` or version is readable.

Files added to a version later are one more `release` entry of it: every file of the version, those of before with what
was said of them, `added` with the new names, and `sidecars` for the new files and the tag.

The *Draft* (`tagtrail.formats.drafts`) is the statement without `time`, `approvals` and `sidecars`; its SHA-256 is what
approvals sign.
Names of files are ASCII, of `[A-Za-z0-9._+!~-]`, and begin with a letter or digit.
"""

import re
from collections.abc import Mapping
from typing import Any, TypeGuard, get_args

from tagtrail.formats import canonical
from tagtrail.formats.encoding import hex_digest
from tagtrail.formats.forms import project_fault
from tagtrail.formats.times import parse_time
from tagtrail.model.entry import Approval, Entry, File, Origin, Override, TagRef
from tagtrail.model.errors import TamperError
from tagtrail.model.names import FORM

__all__ = [
    "COMMIT", "EVENT_TYPE", "MAX_ENTRY", "NAME", "RELEASE_TYPE", "STATEMENT_TYPE", "named_files", "parse",
    "reason_fault",
]  # fmt: skip

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
RELEASE_TYPE = "https://in-toto.io/attestation/release/v0.1"
EVENT_TYPE = "https://tagtrail.dev/attestation/event/v0.1"
MAX_ENTRY = 65535
MAX_REASON = 500

COMMIT = "git-commit"
"""What the commit is called among the subjects of an `import`."""
EVENTS = frozenset({"release", "withdraw", "key", "reproduced", "attach", "import"})
NAME = FORM
"""The names of files, and versions."""
_RELEASE_FIELDS = frozenset(
    "event project kind version channel series time tag tree files added sidecars approvals policy overrides".split()
)
_EVENT_FIELDS = _RELEASE_FIELDS | {"reason"}
_FILE_FIELDS = frozenset({"size", "origin", "requires-python", "metadata", "tar", "generated"})
_GIT_ID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


def parse(index: int, raw: bytes) -> Entry:
    """The entry at `index`, read as strictly as an enemy deserves. Raises TamperError `entry-*`, `json-*`,
    `time-form`."""
    statement = canonical.loads(raw, MAX_ENTRY)
    _need(_is_dict(statement) and set(statement) == {"_type", "subject", "predicateType", "predicate"}, "entry-shape")
    _need(statement["_type"] == STATEMENT_TYPE, "entry-type")
    predicate = statement["predicate"]
    _need(_is_dict(predicate) and _is_dict(predicate.get("tagtrail")), "entry-shape")
    ours = predicate["tagtrail"]
    _need(_text(ours.get("event")) in EVENTS, "entry-event")
    release = ours["event"] == "release"
    _need(statement["predicateType"] == (RELEASE_TYPE if release else EVENT_TYPE), "entry-predicate")
    _need(set(predicate) == ({"purl", "tagtrail"} if release else {"tagtrail"}), "entry-fields")
    _need(set(ours) == _RELEASE_FIELDS if release else _EVENT_FIELDS > set(ours) > {"event"}, "entry-fields")
    _check_reason(ours)
    subject = _subject(statement["subject"], kinds={"sha256"} if release else {"sha256", "gitCommit"})
    _check_names(ours, [name for name, _ in subject], release=release)
    return Entry(
        index=index,
        raw=raw,
        time=parse_time(_text(ours.get("time"))),
        files=_files(subject, ours.get("files", {}), strict=release),
        purl=_text(predicate.get("purl", "")),
        tag=_tag(ours["tag"]) if "tag" in ours else None,
        added=_texts(ours.get("added", [])),
        sidecars=_sidecars(ours.get("sidecars", {})),
        approvals=tuple(Approval(**_fields(a, "key", "digest")) for a in _list(ours.get("approvals", []))),
        overrides=tuple(Override(**_fields(o, "rule", "because")) for o in _list(ours.get("overrides", []))),
        **{
            k: _text(ours.get(k, ""))
            for k in ("event", "project", "kind", "version", "channel", "series", "tree", "policy", "reason")
        },
    )


def named_files(entry: Entry) -> tuple[File, ...]:
    """The files of an entry that have a SHA-256: an import may name a commit beside them, and that is no file."""
    if entry.event != "import":
        return entry.files
    return tuple(file for file in entry.files if b'"sha256":"%s"' % file.sha256.encode() in entry.raw)


def reason_fault(reason: str) -> str:
    """Why a text cannot be the reason of a withdrawal; empty: it can."""
    if not reason or reason != reason.strip():
        return "is empty, or begins or ends with a space"
    return "" if reason.isprintable() and len(reason) <= MAX_REASON else f"is not one line of at most {MAX_REASON}"


def _need(condition: bool, code: str) -> None:  # noqa: FBT001  (reads as an assertion)
    if not condition:
        raise TamperError(f"not an entry of a trail ({code.removeprefix('entry-')})", code=code)


def _is_dict(value: object) -> TypeGuard[dict[str, Any]]:
    return isinstance(value, dict)


def _text(value: object) -> str:
    _need(isinstance(value, str), "entry-value")
    return str(value)


def _list(value: object) -> list[Any]:
    if not isinstance(value, list):
        raise TamperError("not an entry of a trail (a list was expected)", code="entry-value")
    return value


def _texts(value: object) -> tuple[str, ...]:
    return tuple(_text(v) for v in _list(value))


def _fields(value: object, *names: str) -> dict[str, str]:
    if not (_is_dict(value) and set(value) == set(names)):
        raise TamperError(f"not an entry of a trail (fields {', '.join(names)} expected)", code="entry-fields")
    return {name: _text(value[name]) for name in names}


def _tag(value: object) -> TagRef:
    tag = TagRef(**_fields(value, "repo", "name", "object", "sha256", "commit", "signer"))
    _need(bool(_GIT_ID.fullmatch(tag.object) and _GIT_ID.fullmatch(tag.commit)), "entry-git-id")
    hex_digest(tag.sha256, "entry-digest")
    return tag


def _check_names(ours: Mapping[str, Any], files: list[str], *, release: bool) -> None:
    """Project and version become paths; what a digest is called by may be only one thing."""
    project, version = _text(ours.get("project", "")), _text(ours.get("version", ""))
    _need(not project_fault(project) if project or release else True, "entry-project")
    _need(bool(NAME.fullmatch(version)) if version or release else True, "entry-version")
    for digest in filter(None, [_text(ours.get(key, "")) for key in ("tree", "policy")]):
        hex_digest(digest, "entry-digest")
    sidecars = ours.get("sidecars", {})
    _need(_is_dict(sidecars), "entry-value")
    _need(not set(files) & set(sidecars), "entry-name-twice")


def _check_reason(ours: Mapping[str, Any]) -> None:
    """Only what is taken back has a reason."""
    if "reason" in ours:
        _need(ours["event"] == "withdraw", "entry-fields")
        _need(not reason_fault(_text(ours["reason"])), "entry-reason")


def _subject(value: object, kinds: set[str]) -> tuple[tuple[str, str], ...]:
    pairs = []
    for item in _list(value):
        _need(_is_dict(item) and set(item) == {"name", "digest"} and _is_dict(item["digest"]), "entry-subject")
        _need(len(item["digest"]) == 1, "entry-subject")
        kind, digest = next(iter(item["digest"].items()))
        name = _text(item["name"])
        _need(bool(NAME.fullmatch(name)), "entry-file-name")
        _need(kind in kinds, "entry-subject")
        _need(bool(_GIT_ID.fullmatch(_text(digest))), "entry-digest")
        _need(kind != "sha256" or len(digest) == 64, "entry-digest")
        pairs.append((name, digest))
    _need(bool(pairs), "entry-subject")
    _need([n for n, _ in pairs] == sorted({n for n, _ in pairs}), "entry-subject-order")
    return tuple(pairs)


def _sidecars(value: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    for name in value:
        _need(bool(NAME.fullmatch(name)), "entry-file-name")
    return tuple((name, hex_digest(_text(digest), "entry-digest")) for name, digest in value.items())


def _files(subject: tuple[tuple[str, str], ...], value: object, *, strict: bool) -> tuple[File, ...]:
    _need(_is_dict(value), "entry-value")
    assert _is_dict(value)  # noqa: S101
    _need(set(value) == {n for n, _ in subject} if strict else not value, "entry-files")
    return tuple(_file(name, digest, value.get(name)) for name, digest in subject)


def _file(name: str, digest: str, value: object) -> File:
    if value is None:
        return File(name=name, sha256=digest)
    _need(_is_dict(value) and {"size", "origin"} <= set(value) <= _FILE_FIELDS, "entry-fields")
    assert _is_dict(value)  # noqa: S101
    _need(all(v or v == 0 for v in value.values()), "entry-empty")
    size, origin = value["size"], value["origin"]
    _need(type(size) is int and size >= 0, "entry-value")
    _need(_is_dict(origin) and {"how"} <= set(origin) <= {"how", "by"}, "entry-fields")
    _need(all(origin.values()), "entry-empty")
    _need(origin["how"] in get_args(Origin.__annotations__["how"]), "entry-value")
    for key in ("metadata", "tar"):
        if key in value:
            hex_digest(_text(value[key]), "entry-digest")
    return File(
        name=name,
        sha256=digest,
        size=size,
        requires_python=_text(value.get("requires-python", "")),
        metadata=_text(value.get("metadata", "")),
        tar=_text(value.get("tar", "")),
        origin=Origin(how=origin["how"], by=_text(origin.get("by", ""))),
        generated=_texts(value.get("generated", [])),
    )
