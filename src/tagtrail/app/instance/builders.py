"""Which builder makes what of an order: the build backend, the tag's tree, the project's own commands."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tagtrail.adapters.builder.environments import Environments
from tagtrail.adapters.builder.pep517 import Pep517
from tagtrail.io.sandbox import Limits
from tagtrail.model.errors import SetupError
from tagtrail.model.facts import Artifact
from tagtrail.model.frozen import frozen, replace
from tagtrail.model.settings import PYTHON, TREES
from tagtrail.ports import Builder, BuildOrder, Kept, Objects

__all__ = ["Builders", "builders"]


@frozen
class Builders:
    """The port `Builder` by three: `python` makes sdists and wheels, `trees` archives of the tag's tree, `commands` the
    files that an order names; these two are opened when they are needed. Raises SetupError `build-kind` for a kind that
    nobody makes, else what they raise."""

    python: Builder
    trees: Callable[[], Builder]
    commands: Callable[[], Builder]

    def build(
        self, order: BuildOrder, objects: Objects, kept: Kept, meanwhile: Iterable[Callable[[], object]] = ()
    ) -> tuple[Artifact, ...]:
        """See `tagtrail.ports.Builder`: one artifact for each kind in the order's sequence, then the named files."""
        made: dict[str, Artifact] = {}
        python, trees = _part(order, PYTHON), _part(order, TREES)
        if python.builds:
            made |= zip(python.builds, self.python.build(python, objects, kept, meanwhile), strict=True)
        if trees.builds:
            made |= zip(trees.builds, self.trees().build(trees, objects, kept), strict=True)
        for kind in order.builds:
            if kind not in made:
                raise SetupError(f"nobody makes {kind!r}", code="build-kind", hint="correct build in tagtrail.toml")
        files = self.commands().build(order, objects, kept) if order.files else ()
        return (*(made[kind] for kind in order.builds), *files)

    @contextmanager
    def expecting(self, project: str) -> Iterator[Callable[[BuildOrder, Objects], None]]:
        """See `tagtrail.ports.Builder`: a build backend may begin early."""
        with self.python.expecting(project) as python:

            def begin(order: BuildOrder, objects: Objects) -> None:
                if (part := _part(order, PYTHON)).builds:
                    python(part, objects)

            yield begin

    def tree(self, order: BuildOrder, objects: Objects) -> str:
        """See `tagtrail.ports.Builder`."""
        return self.trees().tree(order, objects)


def _part(order: BuildOrder, kinds: frozenset[str]) -> BuildOrder:
    """What of an order is one builder's."""
    wanted = tuple(kind for kind in order.builds if kind in kinds)
    return replace(order, builds=wanted, prepare=(), run=(), files=())


def builders(
    state: Path, rooms: Path, environments: Environments, *, limit: float = 3600.0, most: Limits | None = None
) -> Builders:
    """All there are: `state` is where logs lie, `rooms` where builds run; `limit` is the time for one step in seconds,
    `most` what one may use up."""

    def trees() -> Builder:
        from tagtrail.adapters.builder.tree import Tree

        return Tree(rooms)

    def commands() -> Builder:
        from tagtrail.adapters.builder.commands import Commands

        return Commands(state, rooms, limit, most=most)

    return Builders(python=Pep517(state, rooms, environments, limit, most=most), trees=trees, commands=commands)
