"""What the suites are written with: promises, refusals with their reason code, races of threads and of processes."""

import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier
from typing import TypeVar

from tagtrail.model.errors import Error

__all__ = ["Broken", "equal", "holds", "race", "race_processes", "refusal"]

T = TypeVar("T")

PATIENCE = 60
"""Seconds after which a race counts as hung."""


class Broken(AssertionError):  # noqa: N818  (reads as a sentence where it is raised)
    """An adapter does not keep a promise of its port."""


def holds(condition: object, promise: str) -> None:
    """Raises Broken with `promise` unless the condition is true."""
    if not condition:
        raise Broken(promise)


def equal(found: object, wanted: object, promise: str) -> None:
    """Raises Broken with `promise` and both values unless they are equal."""
    if found != wanted:
        raise Broken(f"{promise}\n  found  {found!r}\n  wanted {wanted!r}")


@contextmanager
def refusal(kind: type[Error], code: str) -> Iterator[None]:
    """Raises Broken unless the body raises exactly this error with this reason code."""
    try:
        yield
    except Error as error:
        equal((type(error).__name__, error.code), (kind.__name__, code), "the refusal has another class or reason")
        return
    raise Broken(f"not refused: {kind.__name__} {code}")


def race(*works: Callable[[], T]) -> tuple[T, ...]:
    """The results of works that start at the same moment, each in a thread of its own."""
    start = Barrier(len(works))

    def run(work: Callable[[], T]) -> T:
        start.wait(PATIENCE)
        return work()

    with ThreadPoolExecutor(len(works)) as pool:
        return tuple(future.result(PATIENCE) for future in [pool.submit(run, work) for work in works])


def race_processes(*works: Callable[[], T]) -> tuple[T, ...]:
    """The same with a process for each; works and results must be picklable."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(len(works), mp_context=context) as pool:
        return tuple(future.result(PATIENCE) for future in [pool.submit(work) for work in works])
