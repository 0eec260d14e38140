"""Ahead of the road: the build backend begins while all else that a release needs is loaded and the tag is judged.

A backend takes as long to import itself as we do. So this room loads little, and is asked first: it lets the builder
begin what it may before anybody judged a tag (`Builder.expecting`: nothing is installed, nothing of the project runs),
reads that tag, and orders the build of it. Whatever is wrong here is said on the road, or is no fault at all.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from threading import Thread
from typing import TypeVar

from tagtrail.formats.facts import digest
from tagtrail.model.errors import Error
from tagtrail.model.facts import Artifact, Tagged
from tagtrail.model.frozen import frozen
from tagtrail.model.settings import Project, Settings
from tagtrail.ports import Builder, BuildOrder, Journal, Ledger, Objects, Source
from tagtrail.workflows.refs import shown
from tagtrail.workflows.remembered import remembered

__all__ = ["Workshop", "begun", "built_key", "order_of"]

T = TypeVar("T")


@frozen
class Workshop:
    """What of a road (`tagtrail.workflows.road`) a build needs; each port is loaded when it is asked for."""

    settings: Settings
    builder: Callable[[], Builder]
    isolation: Callable[[], str]
    source: Callable[[], Source]
    ledger: Callable[[], Ledger]
    journal: Callable[[], Journal]


@contextmanager
def begun(shop: Workshop, project: Project, tag: str) -> Iterator[Tagged | None]:
    """In the block, what can be begun for `tag` (a tag or a version) is under way, if it has still to be built; gives
    what was found under that name (None: not even that could be read)."""
    with ExitStack() as running:
        early = running.enter_context(ExitStack())
        begin = early.enter_context(shop.builder().expecting(project.name))
        isolation = _aside(shop.isolation, running)
        found = _aside(partial(_read, shop.source(), project, tag), running)
        _load(shop)
        tagged, objects = found() or (None, None)
        if tagged and objects and (awaited := _awaited(shop, project, tagged, objects, isolation)):
            begin(*awaited)
        else:
            early.close()  # what carries for an hour needs no process that stands ready
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


def _aside(ask: Callable[[], T], running: ExitStack) -> Callable[[], T | None]:
    """An answer for which other programs run, looked for in a thread; None: there is none."""
    answers: list[T] = []

    def look() -> None:
        with suppress(Error):
            answers.append(ask())

    def answer() -> T | None:
        asked.join()
        return answers[0] if answers else None

    asked = Thread(target=look)
    asked.start()
    running.callback(asked.join)
    return answer


def _load(shop: Workshop) -> None:
    """What will be asked for once the tag is read."""
    from tagtrail.rules import grammar  # noqa: F401

    shop.ledger()
    shop.journal()


def _read(source: Source, project: Project, tag: str) -> tuple[Tagged, Objects | None]:
    """The tag, and what its build would read of the repository, if it can be read."""
    from tagtrail.rules.versions import tag_for

    tagged, objects = source.read(project.repo, tag_for(project.tag, tag, project.versions)), None
    with suppress(Error):
        objects = source.objects(project.repo, tagged.name, tagged.commit)
    return tagged, objects


def _awaited(
    shop: Workshop, project: Project, tagged: Tagged, objects: Objects, isolation: Callable[[], str | None]
) -> tuple[BuildOrder, Objects] | None:
    """The order of a build that has still to be done, and what it reads; None: there is none."""
    from tagtrail.formats.marks import release_mark
    from tagtrail.rules.grammar import classify, grammar_of

    said, apart = classify(grammar_of(project), tagged.name), isolation()
    if tagged.kind != "annotated" or said.kind != "release" or apart is None:
        return None
    if shop.ledger().marked(release_mark(project.name, said.version)):
        return None
    objects = shown(shop.journal(), project.name, tagged.raw or b"", objects)
    order = order_of(project, tagged, said.version, objects, apart)
    return (order, objects) if remembered(shop.journal(), built_key(order), Artifact) is None else None
