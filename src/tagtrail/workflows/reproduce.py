"""A release built again from its tag, by anybody: what its provenance recorded is ordered anew, the bytes compared.

    entry, provenance (both proven) -> order, pins -> build -> the same bytes? -> a signed statement -> the trail

Whoever builds again need not be the operator: a statement under a reproducer's own key is entered by the operator, if
the settings know that key.
"""

from collections.abc import Iterable
from functools import partial
from hashlib import sha256
from urllib.parse import unquote

from tagtrail.formats import drafts
from tagtrail.formats.note import AnySigner
from tagtrail.formats.provenance import Provenance, provenance_name
from tagtrail.formats.reproduction import (
    NAMESPACE,
    Reproduction,
    open_reproduction,
    sign,
    statement_name,
)
from tagtrail.formats.site import media
from tagtrail.formats.sshsig import SshKey
from tagtrail.model.errors import SetupError, TamperError
from tagtrail.model.facts import Artifact, Entry, Material
from tagtrail.model.frozen import frozen, replace
from tagtrail.ports import Builder, BuildOrder, Kept, Source
from tagtrail.verify.reproductions import check_about
from tagtrail.workflows.enter import enter as entered
from tagtrail.workflows.refs import check_refs
from tagtrail.workflows.road import Road

__all__ = [
    "Again", "Rebuilt", "already", "check_reproducer", "enter", "order_of", "pins_of", "rebuild", "statement",
]  # fmt: skip

_PYPI = "pkg:pypi/"


@frozen
class Again:
    """One file of the release and the rebuilt one of that name (None: it was not made)."""

    name: str
    released: str
    rebuilt: Artifact | None

    @property
    def same(self) -> bool:
        """The same bytes."""
        return self.rebuilt is not None and self.rebuilt.blob.sha256 == self.released


@frozen
class Rebuilt:
    """A release built again. `tree` is whether the tag's tree is the one that the entry names; `others` are files that
    only the rebuild made; `unlike` are (recorded, here) for materials that differ: a version, or the files installed.
    `isolation` is the kind that was used."""

    files: tuple[Again, ...]
    tree: bool
    others: tuple[str, ...]
    materials: tuple[Material, ...]
    unlike: tuple[tuple[str, str], ...]
    isolation: str = "none"

    @property
    def same(self) -> bool:
        """Every file of the release that was built came out the same."""
        return self.tree and all(file.same for file in self.files)


def order_of(said: Provenance, isolation: str) -> BuildOrder:
    """What the builder was asked, to be done with this kind of isolation: no kind shows in the bytes."""
    return BuildOrder(
        project=said.project,
        version=said.version,
        tag=said.tag,
        commit=said.commit,
        epoch=said.epoch,
        builds=said.builds,
        refs=said.refs,
        subdirectory=said.subdirectory,
        isolation=isolation,
        prepare=said.prepare,
        run=said.run,
        files=said.patterns,
    )


def pins_of(materials: Iterable[Material]) -> tuple[str, ...]:
    """The recorded build requirements as pins. What was there in two versions is pinned to nothing."""
    versions: dict[str, set[str]] = {}
    for material in materials:
        name, _, version = unquote(material.uri.removeprefix(_PYPI)).rpartition("@")
        if material.uri.startswith(_PYPI):
            versions.setdefault(name, set()).add(version)
    return tuple(f"{name}=={min(found)}" for name, found in sorted(versions.items()) if len(found) == 1)


def rebuild(
    entry: Entry, said: Provenance, repo: str, source: Source, builder: Builder, kept: Kept, *, isolation: str
) -> Rebuilt:
    """Build `entry` again from the tag in `repo`, which must be the very tag that was released.

    `builder` is pinned to `pins_of`. Raises TamperError `tag-gone`, `tag-moved`; SetupError `refs-missing`; what
    `Builder.build` raises.
    """
    _check_tag(entry, source.read(repo, said.tag).raw, repo)
    why = "backends read versions and change logs from tags, so this says nothing of the release"
    hint = "git fetch --tags ADDRESS in a clone, from where they still are; then --repo CLONE"
    check_refs(said.refs, repo, source, why=why, hint=hint)
    objects = source.objects(repo, said.tag, said.commit)
    order = order_of(said, isolation)
    made = {artifact.name: artifact for artifact in builder.build(order, replace(objects, refs=said.refs), kept)}
    files = tuple(Again(name=name, released=digest, rebuilt=made.get(name)) for name, digest in said.files)
    materials = {m for artifact in made.values() for m in artifact.materials}
    return Rebuilt(
        files=files,
        tree=builder.tree(order, objects) == entry.tree,
        others=tuple(sorted(set(made) - {file.name for file in files})),
        materials=tuple(sorted(materials, key=lambda m: (m.uri, m.record))),
        unlike=tuple(_unlike(said.materials, materials)),
        isolation=isolation,
    )


def _check_tag(entry: Entry, raw: bytes | None, repo: str) -> None:
    name = entry.tag.name if entry.tag else ""
    hint = "--repo ADDRESS, if the repository is elsewhere; else ask the project's people"
    if raw is None:
        raise TamperError(f"{repo} has no signed tag {name} any more", code="tag-gone", hint=hint)
    found = sha256(raw).hexdigest()
    if entry.tag is None or found != entry.tag.sha256:
        what = f"tag {name} in {repo} has SHA-256 {found}, entry {entry.index} says {entry.tag and entry.tag.sha256}"
        raise TamperError(what, code="tag-moved", why="it is not the tag that was released", hint=hint)


def _unlike(recorded: Iterable[Material], here: Iterable[Material]) -> Iterable[tuple[str, str]]:
    """By package: another version, or other files under the same version."""
    before, after = ({m.uri.rpartition("@")[0]: m for m in side} for side in (recorded, here))
    for name in sorted({*before, *after}):
        one, other = before.get(name), after.get(name)
        if one != other:
            texts = [_said(one, other), _said(other, one)]
            yield texts[0], texts[1]


def _said(one: Material | None, other: Material | None) -> str:
    if one is None:
        return ""
    files = f" (RECORD {one.record[:8]})" if other and other.uri == one.uri else ""
    return one.uri.removeprefix("pkg:").removeprefix("pypi/").removeprefix("generic/") + files


# --- said, and entered ----------------------------------------------------------------------------------------------


def statement(
    entry: Entry, said: Provenance, rebuilt: Rebuilt, *, origin: str, time: int, signer: AnySigner
) -> tuple[str, bytes]:
    """The name and bytes of a signed statement that every file came out the same.

    `signer` is a `reproducer`; `time` is in Unix seconds.
    """
    data = sign(
        Reproduction(
            origin=origin,
            project=entry.project,
            version=entry.version,
            index=entry.index,
            entry=sha256(entry.raw).hexdigest(),
            commit=said.commit,
            provenance=dict(entry.sidecars)[provenance_name(entry.project, entry.version)],
            files=tuple((file.name, file.released) for file in rebuilt.files),
            materials=rebuilt.materials,
            isolation=rebuilt.isolation,
            time=time,
            key=_key_of(signer).line,
        ),
        signer,
    )
    return statement_name(entry.project, entry.version, data), data


def check_reproducer(road: Road, signer: AnySigner) -> None:
    """What `signer` signs could be entered here, now. Raises SetupError `reproducer-unknown`."""
    _check_known(road, _key_of(signer).fingerprint)


def already(road: Road, entry: Entry, made: Provenance, signer: AnySigner) -> Entry | None:
    """The entry of what `signer` said of `entry` before, if there is one; it is told."""
    return _told(road, _standing(road, entry, made, _key_of(signer).fingerprint))


def enter(road: Road, data: bytes, entry: Entry, made: Provenance) -> Entry:
    """Put a reproducer's statement about `entry`, which is in this trail, into the trail; returns its entry, or that of
    what the same key said of `entry` before: to say it again says nothing new.

    `made` is the provenance of `entry`. Raises TamperError: what `check_about`, `open_reproduction` and the trail's
    `enter` raise; SetupError `reproducer-unknown`.
    """
    said = open_reproduction(data)
    check_about(said, entry, road.site.origin, made, road.clock())
    _check_known(road, said.fingerprint)
    if found := _told(road, _standing(road, entry, made, said.fingerprint)):
        return found
    name = statement_name(entry.project, entry.version, data)
    road.kept.put([data], media(name))
    draft = drafts.reproduced_draft(
        entry.project, entry.version, said.files, (name, sha256(data).hexdigest()), said.fingerprint
    )
    standing = partial(_standing, road, entry, made, said.fingerprint)
    return entered(road, lambda _: draft, standing=standing, root=False)


def _key_of(signer: AnySigner) -> SshKey:
    return SshKey(type="ssh-ed25519", fields=(signer.verifier.key,))


def _standing(road: Road, entry: Entry, made: Provenance, fingerprint: str) -> Entry | None:
    """The first entry of a statement by that key that is right about `entry`."""
    for told in road.ledger.entries(project=entry.project):
        if told.event != "reproduced" or told.version != entry.version:
            continue
        for approval in told.approvals:
            if approval.key == fingerprint and _right(road, road.kept.read(approval.digest), entry, made, told.time):
                return told
    return None


def _right(road: Road, data: bytes, entry: Entry, made: Provenance, until: int) -> bool:
    try:
        check_about(open_reproduction(data), entry, road.site.origin, made, until)
    except TamperError:
        return False
    return True


def _told(road: Road, found: Entry | None) -> Entry | None:
    if found is not None:
        what = f"built again by {found.approvals[0].key}, as was said before"
        about = {"project": found.project, "version": found.version, "index": found.index}
        road.tell("already", about | {"what": what})
    return found


def _check_known(road: Road, fingerprint: str) -> None:
    """One of the settings' reproducers, whose key may say this, now."""
    known, now = road.people.get(road.settings.org.reproducers, ()), road.clock()
    key = next((k for k in known if k.fingerprint == fingerprint), None)
    why = "no [org] reproducers, or its group does not have the key" if key is None else ""
    if key is not None and key.namespaces and NAMESPACE not in key.namespaces:
        why = f"its line in allowed_signers is for {', '.join(key.namespaces)}"
    if key is not None and not (key.valid_after or 0) <= now <= (key.valid_before or now):
        why = "its line in allowed_signers is not valid now"
    if why:
        what = f"{fingerprint}, whose statement it is, is no reproducer of this instance"
        hint = 'reproducers = "GROUP" in [org], and [people.GROUP] with the key'
        raise SetupError(what, code="reproducer-unknown", why=why, hint=hint)
