"""The builder's word: how the files of a release were built here, signed and kept, to lie beside them."""

from collections.abc import Sequence

from tagtrail.formats.facts import digest
from tagtrail.formats.provenance import Provenance, builder_id, provenance_name, sign
from tagtrail.formats.site import media
from tagtrail.model.facts import Artifact, Plan, Sidecar
from tagtrail.ports import BuildOrder
from tagtrail.workflows.road import Road

__all__ = ["attest"]


def attest(road: Road, plan: Plan, order: BuildOrder, artifacts: Sequence[Artifact], tree: str) -> tuple[Sidecar, ...]:
    """The provenance of what was built here, kept; nothing where nothing was.

    It is a function of remembered facts and an Ed25519 key: made again, it is the same bytes.
    """
    built = tuple(a for a in artifacts if a.origin.how == "built" and a.began)
    if not built:
        return ()
    name = provenance_name(order.project, order.version)
    data = sign(_provenance(road, plan, order, built, tree), road.builder_key)
    return (Sidecar(name=name, blob=road.kept.put([data], media(name))),)


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
