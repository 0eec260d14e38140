"""Between plan and trail: Built -> Signed. What is made of a plan, each once; what was made is remembered."""

from collections.abc import Callable, Iterator

from tagtrail.formats.drafts import draft
from tagtrail.formats.facts import digest
from tagtrail.formats.site import sums_name, tag_name
from tagtrail.formats.sums import format_sums
from tagtrail.model.facts import Approved, Artifact, Built, Sidecar, Signed
from tagtrail.model.frozen import replace
from tagtrail.workflows.ahead import built_key
from tagtrail.workflows.attest import attest
from tagtrail.workflows.bill import bill
from tagtrail.workflows.case import tools
from tagtrail.workflows.inspect import inspect
from tagtrail.workflows.notes import sized_notes
from tagtrail.workflows.prepare import Prepared
from tagtrail.workflows.refs import check_refs, first_seen
from tagtrail.workflows.remembered import remembered
from tagtrail.workflows.road import Road
from tagtrail.workflows.sidecars import sidecars

__all__ = ["build", "built_before", "sign"]

_FIRST = "the first build of this tag read them, and its release goes on as it began"
_LOST = "git push them again from a clone that has them; or tag the commit as the next version"


def build(road: Road, prepared: Prepared) -> Built:
    """Build once; a build that is remembered is not done again. Raises what `Builder.build`, `check_refs`
    and `draft` raise."""
    order = prepared.order
    beside = _Beside(road, prepared)
    made = road.journal.once(built_key(order), Artifact, _build, beside)
    tree = road.journal.once(f"tree:{digest(order)}", str, beside.tree)
    artifacts = made if isinstance(made, tuple) else (made,)
    for artifact in artifacts:
        road.tell("built", _built_event(artifact))
    aside = prepared.examined.case.overrides
    overrides = inspect(road, prepared.examined.project, order.version, artifacts, aside)
    plan = replace(prepared.plan, overrides=(*prepared.plan.overrides, *overrides))
    built = Built(plan=plan, artifacts=artifacts, tree=str(tree))
    draft(Signed(approved=Approved(built=built), sidecars=()))  # what no entry can hold ends here
    if (refs := first_seen(road.journal, order.project, prepared.raw, order.refs)) != order.refs:
        # somebody else built it meanwhile, and was shown other tags: what both go on with is theirs
        objects = replace(prepared.objects, refs=refs)
        return build(road, replace(prepared, order=replace(order, refs=refs), objects=objects))
    return replace(built, provenance=attest(road, plan, order, artifacts, str(tree)))


def built_before(road: Road, prepared: Prepared) -> Built | None:
    """What `build` gives where it built already; None: nothing is built."""
    known = remembered(road.journal, built_key(prepared.order), Artifact)
    return build(road, prepared) if known else None


class _Beside:
    """What can be done while foreign code is at work, step by step: the tree is read, what writes is made ready."""

    def __init__(self, road: Road, prepared: Prepared) -> None:
        self.road, self.order, self.objects = road, prepared.order, prepared.objects
        self.tagged, self.repo = prepared.examined.tagged, prepared.examined.project.repo
        self.changed = prepared.changed
        self._tree = ""

    def __iter__(self) -> Iterator[Callable[[], object]]:
        said = f"{self.tagged.pyproject} {self.tagged.setup_cfg}".lower()
        yield self.tree
        yield tools
        yield from self.road.ready("text/markdown" if ".md" in said or "markdown" in said else "text/x-rst")

    def tree(self) -> str:
        """The digest of the tag's tree."""
        self._tree = self._tree or self.road.builder.tree(self.order, self.objects)
        return self._tree


def _build(beside: _Beside) -> tuple[Artifact, ...]:
    road, order = beside.road, beside.order
    if beside.changed:
        check_refs(order.refs, beside.repo, road.source, why=_FIRST, hint=_LOST)
    road.tell(
        "bytes",
        {"what": f"building {', '.join((*order.builds, *order.files))} of {order.project}", "done": 0, "total": 0},
    )
    began, steps = road.clock(), iter(beside)
    made = road.builder.build(order, beside.objects, road.kept, steps)
    ended = road.clock()
    for step in steps:  # what there was no time for
        step()
    return tuple(replace(artifact, began=began, ended=ended) for artifact in made)


def sign(road: Road, approved: Approved, raw: bytes) -> Signed:
    """Make and keep everything that lies beside the artifacts; once for these bytes and this key."""
    key = f"signed:{digest(approved)}:{road.signer.fingerprint}"
    made = road.journal.once(key, Sidecar, _sidecars, road, approved, raw)
    signed = Signed(approved=approved, sidecars=made if isinstance(made, tuple) else (made,))
    road.tell("signed", {"files": len(approved.built.artifacts)})
    return signed


def _sidecars(road: Road, approved: Approved, raw: bytes) -> tuple[Sidecar, ...]:
    from tagtrail.workflows.runbook import said_beside  # with pages: they are loaded beside the build

    built, tag = approved.built, approved.built.plan.tag
    sums = sums_name(tag.project, tag.version)
    listing = format_sums((a.name, a.blob.sha256) for a in built.artifacts)
    signatures = [(f"{a.name}.asc", road.signer.sign(road.kept.read(a.blob.sha256))) for a in built.artifacts]
    files = [
        *signatures,
        (sums, listing),
        (f"{sums}.asc", road.signer.sign(listing)),
        (tag_name(tag.project, tag.version), raw),
        (f"{tag.project}-{tag.version}.notes.md", sized_notes(road, built.plan, built.artifacts).encode()),
        *bill(road, built),
        *said_beside(road, tag.project, tag.version),
    ]
    return (*sidecars(road, files), *built.provenance)


def _built_event(artifact: Artifact) -> dict[str, object]:
    return {
        "file": artifact.name,
        "size": artifact.blob.size,
        "sha256": artifact.blob.sha256,
        "as_built": artifact.as_built,
        "members": artifact.members,
        "generated": len(artifact.generated),
    }
