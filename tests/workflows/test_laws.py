"""What two entries may not both say: each law broken alone, and everything that only looks like it."""

from collections.abc import Callable
from hashlib import sha256

import pytest

from tagtrail.workflows.audit.laws import broken_laws, in_order
from tests.pages.trails import HOUR, START, Trail, begun


def found(trail: Trail, now: int = START + 1000 * HOUR) -> list[tuple[str, str]]:
    broken = (*in_order(trail.entries, now), *broken_laws(trail.entries))
    return [(found.code, found.path) for found in broken]


def again(trail: Trail, *names: str, digests: dict[str, str] | None = None, added: tuple[str, ...] = ()) -> None:
    trail.release("nova", "1.0", files={name: {} for name in names}, digests=digests, added=added)


SDIST, WHEEL, ZIP = "nova-1.0.tar.gz", "nova-1.0-py3-none-any.whl", "nova-1.0.zip"
OTHER = {SDIST: "0" * 64}
SAME = sha256(b"nova-1.0").hexdigest()
"""The tag object of nova 1.0."""
ALL_NAMES = [(f"file-{what}", "entry 2") for what in ("name-agrees", "version-agrees", "name-free")]


def tars(gz: str, xz: str) -> dict[str, dict[str, str]]:
    return {"nova-2.0.tar.gz": {"tar": gz}, "nova-2.0.tar.xz": {"tar": xz}}


@pytest.mark.parametrize(
    ("step", "wanted"),
    [
        (lambda t: again(t, SDIST, WHEEL, ZIP, added=(ZIP,)), []),
        (lambda t: t.withdraw("nova", "1.0", "x"), []),
        (lambda t: t.release("nova", "2.0"), []),
        (lambda t: t.release("glance", "1.0", files={"glance-1.0.tar.gz": {}}), []),
        (lambda t: t.release("glance", "1.0", files={SDIST: {}}, digests=OTHER), [("file-name-agrees", "entry 2")]),
        (lambda t: t.release("nova", "2.0", files={"nova-2.1.zip": {}}), [("file-version-agrees", "entry 2")]),
        (lambda t: t.release("nova", "2.0", files={"index.html": {}}), ALL_NAMES),
        (lambda t: t.release("nova", "2.0", files=tars("1" * 64, "1" * 64)), []),
        (lambda t: t.release("nova", "2.0", files=tars("1" * 64, "2" * 64)), [("tar-differs", "entry 2")]),
        (lambda t: t.release("nova", "2.0", tag={"sha256": SAME}), [("tag-twice", "entry 2")]),
        (lambda t: t.release("glance", "1.0", tag={"sha256": SAME, "repo": "https://git.example.org/nova"}), []),
        (
            lambda t: t.release("glance", "1.0", tag={"sha256": SAME, "repo": "https://git.example.org/other"}),
            [("tag-twice", "entry 2")],
        ),
        (lambda t: t.release("nova", "2.0", tag={"name": "1.0"}), [("tag-version", "entry 2")]),
        (lambda t: t.release("nova", "2.0", tag={"name": "nova-v2.0"}), []),
        (lambda t: t.key(signers={}), []),
        (lambda t: again(t, SDIST, WHEEL), [("version-twice", "entry 2")]),
        (lambda t: again(t, SDIST, ZIP, added=(ZIP,)), [("files-dropped", "entry 2")]),
        (
            lambda t: t.release("nova", "2.0", files={SDIST: {}}, digests=OTHER),
            [("name-twice", "entry 2"), ("file-version-agrees", "entry 2")],
        ),
        (
            lambda t: t.release("Nova", "2.0", files={"Nova-1.0.0.tgz": {}}, digests={"Nova-1.0.0.tgz": "0" * 64}),
            [("name-twice", "entry 2"), ("file-version-agrees", "entry 2")],
        ),
        (lambda t: t.event("key", "", {"3.root.json": "0" * 64}), [("root-skipped", "entry 2")]),
        (lambda t: t.event("key", "", {"1.root.json": "0" * 64}), [("root-skipped", "entry 2")]),
    ],
)
def test_law(step: Callable[[Trail], object], wanted: list[tuple[str, str]]) -> None:
    trail = begun()
    trail.release("nova", "1.0")
    step(trail)
    assert found(trail) == wanted


def test_a_withdrawn_version_is_never_released_again() -> None:
    trail = begun()
    trail.withdraw("nova", "1.0.0", "before it ever was")
    trail.release("nova", "1.0")
    assert found(trail) == [("withdrawn-used", "entry 2")]


@pytest.mark.parametrize(("ahead", "wanted"), [(600, []), (601, [("time-impossible", "entry 1")])])
def test_honest_clocks_differ_by_ten_minutes(ahead: int, wanted: list[tuple[str, str]]) -> None:
    trail = begun()
    trail.release("nova", "1.0")
    assert found(trail, now=START + HOUR - ahead) == wanted
