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

The *Draft* is the statement without `time`, `approvals` and `sidecars`; its SHA-256 is what approvals sign.
Names of files are ASCII, of `[A-Za-z0-9._+!~-]`, and begin with a letter or digit.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import TYPE_CHECKING, Any, TypeGuard, get_args

from tagtrail.formats import canonical
from tagtrail.formats.encoding import hex_digest
from tagtrail.formats.forms import project_fault
from tagtrail.formats.times import format_time, parse_time
from tagtrail.model.entry import Approval, Draft, Entry, File, Origin, Override, TagRef
from tagtrail.model.errors import ProjectError, TamperError
from tagtrail.model.frozen import replace
from tagtrail.model.names import name_key

if TYPE_CHECKING:
    from tagtrail.model.facts import Artifact, Sidecar, Signed, Tag

__all__ = [
    "COMMIT", "EVENT_TYPE", "MAX_ENTRY", "RELEASE_TYPE", "STATEMENT_TYPE", "draft", "draft_digest", "event_draft",
    "import_draft", "later_draft", "named_files", "parse", "reason_fault", "reproduced_draft", "seal", "withdraw_draft",
]  # fmt: skip

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
RELEASE_TYPE = "https://in-toto.io/attestation/release/v0.1"
EVENT_TYPE = "https://tagtrail.dev/attestation/event/v0.1"
MAX_ENTRY = 65535
MAX_REASON = 500

COMMIT = "git-commit"
"""What the commit is called among the subjects of an `import`."""
EVENTS = frozenset({"release", "withdraw", "key", "reproduced", "attach", "import"})
_RELEASE_FIELDS = frozenset(
    "event project kind version channel series time tag tree files added sidecars approvals policy overrides".split()
)
_EVENT_FIELDS = _RELEASE_FIELDS | {"reason"}
_FILE_FIELDS = frozenset({"size", "origin", "requires-python", "metadata", "tar", "generated"})
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+!~-]{0,254}")
_GIT_ID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


# --- making ---------------------------------------------------------------------------------------------------------


def draft(signed: "Signed") -> Draft:
    """The draft of a release. Raises ProjectError `entry-too-large`, `file-name`."""
    built = signed.approved.built
    plan = built.plan
    for artifact in built.artifacts:
        _refuse_name(artifact.name)
    _refuse_twins(plan.tag.project, [a.name for a in built.artifacts])
    ours: dict[str, Any] = {
        "event": "release",
        "project": plan.tag.project,
        "kind": plan.kind,
        "version": plan.tag.version,
        "channel": plan.channel,
        "series": plan.series,
        "tag": _tag_json(plan.tag),
        "tree": built.tree,
        "files": {a.name: _file_json(a) for a in built.artifacts},
        "added": [],
        "policy": plan.policy,
        "overrides": [{"rule": o.rule, "because": o.because} for o in plan.overrides],
    }
    extra = {
        "sidecars": {s.name: s.blob.sha256 for s in signed.sidecars},
        "approvals": [{"key": a.key, "digest": a.digest} for a in signed.approved.approvals],
    }
    subject = [(a.name, a.blob.sha256) for a in sorted(built.artifacts, key=lambda a: a.name)]
    return _draft(plan.tag.project, plan.tag.version, RELEASE_TYPE, subject, {"purl": plan.purl}, ours, extra)


def later_draft(
    standing: Entry,
    added: "Sequence[Artifact]",
    *,
    policy: str,
    sidecars: "Sequence[Sidecar]" = (),
    approvals: Sequence[Approval] = (),
) -> Draft:
    """The draft of a later entry of the same version: all that `standing` says of its files, and those that are new.

    Raises ProjectError `entry-too-large`, `file-name`, `file-names-alike`.
    """
    statement: Any = canonical.loads(standing.raw, MAX_ENTRY)
    ours = statement["predicate"]["tagtrail"]
    for artifact in added:
        _refuse_name(artifact.name)
    _refuse_twins(standing.project, [*ours["files"], *(a.name for a in added)])
    for field in ("time", "sidecars", "approvals"):
        del ours[field]
    ours |= {
        "files": ours["files"] | {a.name: _file_json(a) for a in added},
        "added": sorted(a.name for a in added),
        "policy": policy,
        "overrides": [],
    }
    extra = {
        "sidecars": {s.name: s.blob.sha256 for s in sidecars},
        "approvals": [{"key": a.key, "digest": a.digest} for a in approvals],
    }
    subject = sorted([(f.name, f.sha256) for f in standing.files] + [(a.name, a.blob.sha256) for a in added])
    purl = {"purl": standing.purl}
    return _draft(standing.project, standing.version, RELEASE_TYPE, subject, purl, ours, extra)


def event_draft(event: str, project: str, subject: Iterable[tuple[str, str]]) -> Draft:
    """The draft of an event whose subject are the files (name, sha256) that it concerns."""
    ours = {"event": event} | ({"project": project} if project else {})
    return _draft(project, "", EVENT_TYPE, sorted(subject), {}, ours, {})


def reproduced_draft(
    project: str, version: str, files: Iterable[tuple[str, str]], statement: tuple[str, str], key: str
) -> Draft:
    """The draft of a `reproduced` event: the files that came out the same, and the statement (name, sha256 each).

    `key` is the fingerprint of who signed it. Each statement is an event of its own.
    """
    ours = {"event": "reproduced", "project": project, "version": version}
    extra = {"approvals": [{"key": key, "digest": statement[1]}]}
    whole = _draft(project, version, EVENT_TYPE, sorted([*files, statement]), {}, ours, extra)
    return replace(whole, version="")


def import_draft(project: str, version: str, channel: str, files: Iterable[tuple[str, str]], commit: str) -> Draft:
    """The draft of an `import` event: files (name, sha256) as they were found, and the tag's commit (empty: no tag).

    Raises ProjectError `file-name`, `file-names-alike`, `entry-too-large`.
    """
    found = sorted(files)
    for name, _ in found:
        _refuse_name(name)
    _refuse_twins(project, [name for name, _ in found])
    ours = {"event": "import", "project": project, "version": version, "channel": channel}
    subject = [
        *((name, {"sha256": digest}) for name, digest in found),
        *([(COMMIT, {"gitCommit": commit})] * bool(commit)),
    ]
    return _draft(project, version, EVENT_TYPE, sorted(subject, key=lambda pair: pair[0]), {}, ours, {})


def withdraw_draft(standing: Entry, reason: str, *, policy: str, approvals: Sequence[Approval] = ()) -> Draft:
    """The draft of the event that takes back the version whose newest entry is `standing`.

    Its statement leaves the version of the draft empty, as it names no file for the first time.
    """
    ours: dict[str, Any] = {
        "event": "withdraw",
        "project": standing.project,
        "version": standing.version,
        "channel": standing.channel,
        "policy": policy,
        "reason": reason,
    }
    if standing.tag is not None:
        ours["tag"] = _tag_json(standing.tag)
    extra = {"approvals": [{"key": a.key, "digest": a.digest} for a in approvals]}
    subject = [(file.name, file.sha256) for file in standing.files]
    whole = _draft(standing.project, standing.version, EVENT_TYPE, subject, {}, ours, extra)
    return replace(whole, version="")


def reason_fault(reason: str) -> str:
    """Why a text cannot be the reason of a withdrawal; empty: it can."""
    if not reason or reason != reason.strip():
        return "is empty, or begins or ends with a space"
    return "" if reason.isprintable() and len(reason) <= MAX_REASON else f"is not one line of at most {MAX_REASON}"


def seal(draft: Draft, time: int) -> bytes:
    """The entry: the draft with the time that the sequencer gives it (Unix seconds)."""
    statement: Any = canonical.loads(draft.statement, MAX_ENTRY)
    statement["predicate"]["tagtrail"]["time"] = format_time(time)
    return canonical.dumps(statement)


def draft_digest(raw: bytes) -> str:
    """The digest of the draft that an entry was: without time, approvals and sidecars."""
    statement: Any = canonical.loads(raw, MAX_ENTRY)
    for field in ("time", "approvals", "sidecars"):
        statement["predicate"]["tagtrail"].pop(field, None)
    return sha256(canonical.dumps(statement)).hexdigest()


def _draft(
    project: str,
    version: str,
    kind: str,
    subject: Iterable[tuple[str, str | Mapping[str, str]]],
    predicate: Mapping[str, Any],
    ours: Mapping[str, Any],
    extra: Mapping[str, Any],
) -> Draft:
    def statement(fields: Mapping[str, Any]) -> bytes:
        return canonical.dumps(
            {
                "_type": STATEMENT_TYPE,
                "subject": [
                    {"name": name, "digest": {"sha256": said} if isinstance(said, str) else dict(said)}
                    for name, said in subject
                ],
                "predicateType": kind,
                "predicate": dict(predicate) | {"tagtrail": dict(fields)},
            }
        )

    whole = statement({**ours, **extra})
    if len(whole) > MAX_ENTRY - 40:  # room for `time`
        raise ProjectError(
            f"the entry of {project} {version} would have {len(whole)} bytes, a leaf holds {MAX_ENTRY}",
            code="entry-too-large",
            why="an entry names every file of the version and every generated member",
            hint="release fewer files at once, and the others with `tagtrail add`",
        )
    return Draft(project=project, version=version, digest=sha256(statement(ours)).hexdigest(), statement=whole)


def _tag_json(tag: "Tag | TagRef") -> dict[str, str]:
    return {
        "repo": tag.repo,
        "name": tag.name,
        "object": tag.object,
        "sha256": tag.sha256,
        "commit": tag.commit,
        "signer": tag.signer,
    }


def _file_json(artifact: "Artifact") -> dict[str, Any]:
    origin = {"how": artifact.origin.how} | ({"by": artifact.origin.by} if artifact.origin.by else {})
    optional = {
        "requires-python": artifact.requires_python,
        "metadata": artifact.metadata.sha256 if artifact.metadata else "",
        "tar": artifact.tar,
        "generated": list(artifact.generated),
    }
    return {"size": artifact.blob.size, "origin": origin} | {k: v for k, v in optional.items() if v}


def _refuse_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise ProjectError(
            f"{name!r} cannot be the name of a release file",
            code="file-name",
            why="names in the trail are ASCII letters, digits and ._+!~- and begin with a letter or digit",
        )


def _refuse_twins(project: str, names: Iterable[str]) -> None:
    """Two names of one `name_key` would be one name with two digests."""
    first: dict[str, str] = {}
    for name in names:
        other = first.get(name_key(project, name))
        first[name_key(project, name)] = name
        if other:
            raise ProjectError(
                f"{other} and {name} are one name, spelled twice",
                code="file-name",
                why="a name has one digest for ever, in whatever case, suffix or form of its version",
                hint="build only one of them",
            )


def named_files(entry: Entry) -> tuple[File, ...]:
    """The files of an entry that have a SHA-256: an import may name a commit beside them, and that is no file."""
    if entry.event != "import":
        return entry.files
    return tuple(file for file in entry.files if b'"sha256":"%s"' % file.sha256.encode() in entry.raw)


# --- reading --------------------------------------------------------------------------------------------------------


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
    _need(bool(_NAME.fullmatch(version)) if version or release else True, "entry-version")
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
        _need(bool(_NAME.fullmatch(name)), "entry-file-name")
        _need(kind in kinds, "entry-subject")
        _need(bool(_GIT_ID.fullmatch(_text(digest))), "entry-digest")
        _need(kind != "sha256" or len(digest) == 64, "entry-digest")
        pairs.append((name, digest))
    _need(bool(pairs), "entry-subject")
    _need([n for n, _ in pairs] == sorted({n for n, _ in pairs}), "entry-subject-order")
    return tuple(pairs)


def _sidecars(value: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    for name in value:
        _need(bool(_NAME.fullmatch(name)), "entry-file-name")
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
