"""Ahead of the road: the build backend begins while all else that a release needs is loaded and the tag is judged.

A backend takes as long to import itself as we do. So this room loads little, and is asked first: it reads the tag,
orders the build of it, and lets the builder begin what it may before anybody judged that tag (`Builder.expecting`:
nothing is installed, nothing of the project runs). Whatever is wrong here is said on the road, or is no fault at all.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from threading import Thread

from tagtrail.formats.facts import digest
from tagtrail.formats.marks import release_mark
from tagtrail.model.errors import Error
from tagtrail.model.facts import Artifact, Tagged
from tagtrail.model.frozen import frozen
from tagtrail.model.settings import Project, Settings
from tagtrail.ports import Builder, BuildOrder, Journal, Ledger, Objects, Source
from tagtrail.rules.grammar import classify, grammar_of
from tagtrail.rules.versions import tag_for
from tagtrail.workflows.remembered import remembered

__all__ = ["Workshop", "begun", "built_key", "order_of"]


@frozen
class Workshop:
    """What of a road (`tagtrail.workflows.road`) a build needs."""

    settings: Settings
    source: Source
    builder: Builder
    isolation: Callable[[], str]
    ledger: Ledger
    journal: Journal


@contextmanager
def begun(shop: Workshop, project: Project, tag: str) -> Iterator[Tagged | None]:
    """In the block, what can be begun for `tag` (a tag or a version) is under way, if it has still to be built; gives
    what was found under that name (None: not even that could be read)."""
    tagged = None
    with ExitStack() as running:
        isolation = _asked(shop.isolation, running)
        with suppress(Error):
            tagged = shop.source.read(project.repo, tag_for(project.tag, tag, project.versions))
            _begin(shop, project, tagged, isolation, running)
        yield tagged


def order_of(project: Project, tagged: Tagged, version: str, objects: Objects, isolation: str) -> BuildOrder:
    """The order of a version's build, as the project's settings say it."""
    return BuildOrder(
        project=project.name,
        version=version,
        tag=tagged.name,
        commit=tagged.commit,
        epoch=tagged.time,
        builds=project.build,
        refs=objects.refs,
        subdirectory=project.subdirectory,
        isolation=isolation,
        prepare=project.prepare,
        run=project.run,
        files=project.files,
    )


def built_key(order: BuildOrder) -> str:
    """Under which the journal remembers what was built."""
    return f"built:{digest(order)}"


def _asked(isolation: Callable[[], str], running: ExitStack) -> Callable[[], str]:
    """How foreign code is run apart is found out by running some, while git reads the tag; `isolation` remembers it."""

    def ask() -> None:
        with suppress(Error):
            isolation()

    def answer() -> str:
        asked.join()
        return isolation()

    asked = Thread(target=ask)
    asked.start()
    running.callback(asked.join)
    return answer


def _begin(shop: Workshop, project: Project, tagged: Tagged, isolation: Callable[[], str], running: ExitStack) -> None:
    said = classify(grammar_of(project), tagged.name)
    if tagged.kind != "annotated" or said.kind != "release":
        return
    if shop.ledger.marked(release_mark(project.name, said.version)):
        return
    objects = shop.source.objects(project.repo, tagged.name, tagged.commit)
    order = order_of(project, tagged, said.version, objects, isolation())
    if remembered(shop.journal, built_key(order), Artifact) is None:
        running.enter_context(shop.builder.expecting(order, objects))
