"""The suite of the port Builder: kept artifacts of the order's name and version, and the tree's digest."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from tagtrail.model.errors import ProjectError
from tagtrail.model.names import name_key, project_key
from tagtrail.ports import Builder, BuildOrder, Kept, Objects
from tagtrail.testing.suites.promise import equal, holds, refusal

__all__ = ["CHECKS", "Case"]

_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A builder, an order that it can build, and one whose build fails (None: cannot be arranged).

    `reproduces` says whether two builds of the order are expected to give the same bytes.
    """

    builder: Builder
    kept: Kept
    order: BuildOrder
    objects: Objects
    failing: tuple[BuildOrder, Objects] | None = None
    reproduces: bool = True


def artifacts_are_kept(case: Case) -> None:
    """One for each kind in the order, each under a name of its own, its bytes and its metadata kept."""
    artifacts = case.builder.build(case.order, case.objects, case.kept)
    equal(len(artifacts), len(case.order.builds), "one artifact for each kind that was ordered")
    names = {name_key(case.order.project, a.name) for a in artifacts}
    equal(len(names), len(artifacts), "no two artifacts share a name")
    for artifact in artifacts:
        blobs = [artifact.blob, *([artifact.metadata] if artifact.metadata else [])]
        for blob in blobs:
            equal(len(case.kept.read(blob.sha256)), blob.size, "a blob's size is that of the kept bytes")
        equal(artifact.origin.how, "built", "what is built here says so")


def names_carry_project_and_version(case: Case) -> None:
    """Of the order, not what the project believes of itself."""
    for artifact in case.builder.build(case.order, case.objects, case.kept):
        stem = project_key(case.order.project).replace("-", "_")
        holds(artifact.name.startswith(f"{stem}-{case.order.version}"), f"{artifact.name} is of another release")


def the_same_order_gives_the_same_bytes(case: Case) -> None:
    """Where the project's build is reproducible at all, and the tree always."""
    first, second = (case.builder.build(case.order, case.objects, case.kept) for _ in range(2))
    if case.reproduces:
        equal(second, first, "two builds of one order are alike")
    trees = [case.builder.tree(case.order, case.objects) for _ in range(2)]
    equal(trees[1], trees[0], "two looks at a tree are alike")
    holds(_DIGEST.fullmatch(trees[0]), "the tree is a SHA-256 in hex")


def the_tree_has_a_prefix(case: Case) -> None:
    """PROJECT-VERSION/: another version of one commit is another tree."""
    other = replace(case.order, version=f"{case.order.version}.1")
    found = case.builder.tree(other, case.objects)
    holds(found != case.builder.tree(case.order, case.objects), "the version is part of the tree's names")


def a_build_that_fails(case: Case) -> None:
    """`build-failed`."""
    if case.failing is None:
        return
    with refusal(ProjectError, "build-failed"):
        case.builder.build(*case.failing, case.kept)


CHECKS: tuple[Callable[[Case], None], ...] = (
    artifacts_are_kept,
    names_carry_project_and_version,
    the_same_order_gives_the_same_bytes,
    the_tree_has_a_prefix,
    a_build_that_fails,
)
