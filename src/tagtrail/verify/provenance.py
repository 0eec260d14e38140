"""A provenance judged: signed by a builder whom the root names, over the very files, tag and commit of its entry."""

from hashlib import sha256

from tagtrail.formats import dsse
from tagtrail.formats.encoding import shown
from tagtrail.formats.note import ED25519, Verifier, parse_vkey
from tagtrail.formats.provenance import Provenance, builder_id, parse, provenance_name
from tagtrail.formats.root import Root
from tagtrail.formats.times import format_time
from tagtrail.model.entry import Entry
from tagtrail.model.errors import TamperError
from tagtrail.verify.proofs import TOLERANCE

__all__ = ["judge_provenance"]


def judge_provenance(data: bytes, entry: Entry, root: Root) -> Provenance:
    """What a builder whom `root` names says of the files that `entry` calls built.

    `data` is PROJECT-VERSION.intoto.jsonl. Raises TamperError provenance-*, dsse-*, json-*, time-form, and vkey-* for a
    root whose builders cannot be read.
    """
    recorded = dict(entry.sidecars).get(provenance_name(entry.project, entry.version))
    found = sha256(data).hexdigest()
    if recorded != found:
        what = f"the provenance has SHA-256 {found}, entry {entry.index} says {recorded or 'nothing of it'}"
        raise TamperError(what, code="provenance-digest")
    envelope, said = parse(data)
    _check_signed(envelope, said, root, entry)
    _check_release(said, entry)
    _check_files(said, entry)
    _check_times(said, entry)
    return said


def _check_signed(envelope: dsse.Envelope, said: Provenance, root: Root, entry: Entry) -> None:
    builders = [parse_vkey(vkey) for vkey in root.builders_at(entry.index)]
    try:
        signed = dsse.verify(envelope, [key for key in builders if key.kind == ED25519])
    except TamperError as error:
        if error.code not in {"dsse-threshold", "dsse-bad-signature"}:
            raise
        what = f"no builder whom root {root.version} names signed the provenance"
        raise TamperError(what, code="provenance-signature", why=error.what) from error
    if said.builder not in {builder_id(name) for key in signed for name in _names(key, builders)}:
        what = f"the provenance speaks for {shown(said.builder)}, it is signed by {signed[0].name}"
        raise TamperError(what, code="provenance-builder")


def _names(key: Verifier, builders: list[Verifier]) -> list[str]:
    """A key value may stand in the root under more than one name."""
    return [known.name for known in builders if known.key == key.key]


def _check_release(said: Provenance, entry: Entry) -> None:
    """Project, version, repository, tag, commit and tree are those of the entry."""
    tag = entry.tag
    if tag is None:
        raise TamperError(f"entry {entry.index} names no tag", code="provenance-tag")
    pairs = (
        ("provenance-release", "project", said.project, entry.project),
        ("provenance-release", "version", said.version, entry.version),
        ("provenance-repository", "repository", said.repo, tag.repo),
        ("provenance-tag", "tag", said.tag, tag.name),
        ("provenance-tag", "tag object", said.object, tag.object),
        ("provenance-commit", "commit", said.commit, tag.commit),
        ("provenance-tree", "tree", said.tree, entry.tree),
    )
    for code, name, ours, theirs in pairs:
        if ours != theirs:
            what = f"the provenance is of {name} {shown(ours)}, entry {entry.index} of {shown(theirs)}"
            raise TamperError(what, code=code)


def _check_files(said: Provenance, entry: Entry) -> None:
    """Exactly what the entry calls built: of what was brought or imported a builder here knows nothing."""
    built = {(file.name, file.sha256) for file in entry.files if file.origin.how == "built"}
    if set(said.files) != built:
        name = min(set(said.files) ^ built)[0]
        what = f"the provenance and the files that entry {entry.index} calls built do not agree on {shown(name)}"
        raise TamperError(what, code="provenance-files")
    metadata = {(f"{file.name}.metadata", file.metadata) for file in entry.files if file.metadata}
    beyond = set(said.byproducts) - metadata
    if beyond:
        what = f"the provenance names {shown(min(beyond)[0])}, entry {entry.index} does not with that digest"
        raise TamperError(what, code="provenance-files")


def _check_times(said: Provenance, entry: Entry) -> None:
    """Built before it was logged, as far as honest clocks agree."""
    if not said.started <= said.finished <= entry.time + TOLERANCE:
        times = f"from {format_time(said.started)} to {format_time(said.finished)}"
        what = f"the provenance is of a build {times}, entry {entry.index} of {format_time(entry.time)}"
        raise TamperError(what, code="provenance-time")
