"""The builder's word: how the files of a release were built here, signed and kept, to lie beside them."""

from collections.abc import Sequence

from tagtrail.formats.facts import digest
from tagtrail.formats.provenance import MAX_PROVENANCE, Provenance, builder_id, provenance_name, sign
from tagtrail.model.errors import ProjectError
from tagtrail.model.facts import Artifact, Plan, Sidecar
from tagtrail.ports import BuildOrder
from tagtrail.workflows.road import Road
from tagtrail.workflows.sidecars import sidecars

__all__ = ["attest"]

_MOST = MAX_PROVENANCE * 4 // 3
"""Bytes of the file: the payload stands in it in base64."""


def attest(road: Road, plan: Plan, order: BuildOrder, artifacts: Sequence[Artifact], tree: str) -> tuple[Sidecar, ...]:
    """The provenance of what was built here, kept; nothing where nothing was.

    It is a function of remembered facts and an Ed25519 key: made again, it is the same bytes. Raises ProjectError
    `provenance-size` for one that nobody would read.
    """
    built = tuple(a for a in artifacts if a.origin.how == "built" and a.began)
    if not built:
        return ()
    name = provenance_name(order.project, order.version)
    said = _provenance(road, plan, order, built, tree)
    data = sign(said, road.builder_key)
    if len(data) > _MOST:
        what = f"the provenance has {len(data)} bytes, at most {_MOST} are read"
        why = f"it names {len(said.refs)} tags and {len(said.materials)} build requirements"
        raise ProjectError(what, code="provenance-size", why=why, hint="release from a repository with fewer tags")
    return sidecars(road, [(name, data)])


def _provenance(road: Road, plan: Plan, order: BuildOrder, built: Sequence[Artifact], tree: str) -> Provenance:
    began, tag = min(a.began for a in built), plan.tag
    return Provenance(
        project=order.project,
        version=order.version,
        repo=tag.repo,
        tag=tag.name,
        object=tag.object,
        commit=order.commit,
        builds=order.builds,
        prepare=order.prepare,
        run=order.run,
        patterns=order.files,
        subdirectory=order.subdirectory,
        refs=order.refs,
        isolation=order.isolation,
        epoch=order.epoch,
        tree=tree,
        materials=tuple(sorted({m for a in built for m in a.materials}, key=lambda m: (m.uri, m.record))),
        resolved=min((a.resolved for a in built if a.resolved), default=0),
        builder=builder_id(road.builder_key.name),
        invocation=f"{digest(order)}-{began}",
        started=began,
        finished=max(a.ended for a in built),
        files=tuple(sorted((a.name, a.blob.sha256) for a in built)),
        byproducts=tuple(sorted((f"{a.name}.metadata", a.metadata.sha256) for a in built if a.metadata)),
    )
