"""Drafts: what an entry will say, before it has its time; approvals sign a draft's digest, and the sequencer seals it.

The *Draft* is the statement of `tagtrail.formats.entry` without `time`, `approvals` and `sidecars`; its digest is the
SHA-256 of that in canonical JSON. `Draft.statement` has approvals and sidecars already, so that only the time is new
when it is sealed. What cannot be an entry is refused here, before anything is signed.
"""

from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any

from tagtrail.formats import canonical
from tagtrail.formats.entry import COMMIT, EVENT_TYPE, MAX_ENTRY, NAME, RELEASE_TYPE, STATEMENT_TYPE
from tagtrail.formats.folding import folded
from tagtrail.formats.times import format_time
from tagtrail.model.entry import Approval, Draft, Entry, TagRef
from tagtrail.model.errors import ProjectError
from tagtrail.model.facts import Artifact, Sidecar, Signed, Tag
from tagtrail.model.frozen import replace
from tagtrail.model.names import name_key

__all__ = [
    "draft", "draft_digest", "event_draft", "import_draft", "later_draft", "reproduced_draft", "seal", "weight",
    "withdraw_draft",
]  # fmt: skip

_GENERATED_MOST = MAX_ENTRY // 2


def draft(signed: Signed) -> Draft:
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
        "files": {a.name: _file_json(a) for a in _listed(built.artifacts)},
        "added": [],
        "policy": plan.policy,
        "overrides": [{"rule": o.rule, "because": o.because} for o in plan.overrides],
    }
    extra = _sidecars_json(signed.sidecars) | _approvals_json(signed.approved.approvals)
    subject = [(a.name, a.blob.sha256) for a in sorted(built.artifacts, key=lambda a: a.name)]
    return _draft(plan.tag.project, plan.tag.version, RELEASE_TYPE, subject, {"purl": plan.purl}, ours, extra)


def later_draft(
    standing: Entry,
    added: Sequence[Artifact],
    *,
    policy: str,
    sidecars: Sequence[Sidecar] = (),
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
    extra = _sidecars_json(sidecars) | _approvals_json(approvals)
    subject = sorted([(f.name, f.sha256) for f in standing.files] + [(a.name, a.blob.sha256) for a in added])
    purl = {"purl": standing.purl}
    return _draft(standing.project, standing.version, RELEASE_TYPE, subject, purl, ours, extra)


def weight(files: Iterable[Artifact]) -> int:
    """The bytes of an entry that name these files, each with its signature, as `added` ones: so many at most."""
    return sum(
        len(
            canonical.dumps(
                {
                    "subject": [{"name": a.name, "digest": {"sha256": a.blob.sha256}}],
                    "files": {a.name: _file_json(a)},
                    "added": [a.name],
                    "sidecars": {f"{a.name}.asc": a.blob.sha256},
                }
            )
        )
        - len(b'{"added":[],"files":{},"sidecars":{},"subject":[]}')
        + 4  # commas
        for a in files
    )


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
    subject = [(file.name, file.sha256) for file in standing.files]
    whole = _draft(standing.project, standing.version, EVENT_TYPE, subject, {}, ours, _approvals_json(approvals))
    return replace(whole, version="")


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
        what = f"the entry of {project} {version} would have {len(whole)} bytes, a leaf holds {MAX_ENTRY}"
        raise _too_large(what, ours.get("files", {}))
    return Draft(project=project, version=version, digest=sha256(statement(ours)).hexdigest(), statement=whole)


def _too_large(what: str, files: Mapping[str, Any]) -> ProjectError:
    count = f" ({len(files)})" if files else ""
    why = f"an entry names every file of the version{count}, and what in it is generated"
    hint = "release fewer files: fewer `build` kinds or `files` of the project"
    if any(file["origin"]["how"] == "added" for file in files.values()):
        hint += "; `tagtrail add PROJECT TAG --drop NAME` takes out one that was brought"
    return ProjectError(what, code="entry-too-large", why=why, hint=hint)


def _listed(artifacts: Sequence[Artifact]) -> list[Artifact]:
    """The same, their generated members folded where all of them take more than half of an entry."""
    size = sum(len(canonical.dumps(list(a.generated))) for a in artifacts)
    share = _GENERATED_MOST // max(1, sum(bool(a.generated) for a in artifacts))
    fits = size <= _GENERATED_MOST
    return [a if fits else replace(a, generated=folded(a.generated, share)) for a in artifacts]


def _sidecars_json(sidecars: Iterable[Sidecar]) -> dict[str, Any]:
    return {"sidecars": {sidecar.name: sidecar.blob.sha256 for sidecar in sidecars}}


def _approvals_json(approvals: Iterable[Approval]) -> dict[str, Any]:
    return {"approvals": [{"key": approval.key, "digest": approval.digest} for approval in approvals]}


def _tag_json(tag: Tag | TagRef) -> dict[str, str]:
    return {
        "repo": tag.repo,
        "name": tag.name,
        "object": tag.object,
        "sha256": tag.sha256,
        "commit": tag.commit,
        "signer": tag.signer,
    }


def _file_json(artifact: Artifact) -> dict[str, Any]:
    origin = {"how": artifact.origin.how} | ({"by": artifact.origin.by} if artifact.origin.by else {})
    optional = {
        "requires-python": artifact.requires_python,
        "metadata": artifact.metadata.sha256 if artifact.metadata else "",
        "tar": artifact.tar,
        "generated": list(artifact.generated),
    }
    return {"size": artifact.blob.size, "origin": origin} | {k: v for k, v in optional.items() if v}


def _refuse_name(name: str) -> None:
    if not NAME.fullmatch(name):
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
