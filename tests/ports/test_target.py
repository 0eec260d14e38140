"""The suite of the port Target, for every adapter there is, and the faults that the in-memory one can have."""

from collections.abc import Callable
from hashlib import sha256
from typing import Literal

import pytest

from tagtrail.adapters.site import SiteTarget
from tagtrail.formats.notice import MEDIA, notice_bytes
from tagtrail.formats.site import Site
from tagtrail.model.errors import RemoteError
from tagtrail.model.facts import Effect
from tagtrail.ports import Conflict, Refused, Unknown
from tagtrail.testing import samples
from tagtrail.testing.memory import Fault, Kept, Store, Target, Web
from tagtrail.testing.suites import target as suite
from tagtrail.testing.suites.promise import refusal

Retry = Literal["keyed", "searchable", "blind"]
NOTICE = samples.notice(samples.logged(Kept(), 3).entry)
URL = "https://releases.example.org/"


def carried(kept: Kept, target: Target | SiteTarget, **more: object) -> suite.Case:
    def alter(digest: str) -> None:
        kept.blobs[digest] = b"altered"

    logged, later = samples.logged(kept, 3), samples.logged(kept, 7, version="1.1.0")
    return suite.Case(target=target, logged=logged, later=later, notice=samples.notice, **({"alter": alter} | more))  # type: ignore[arg-type]


def memory(retry: Retry, carries: Literal["files", "notice"]) -> suite.Case:
    kept = Kept()
    target = Target(retry=retry, carries=carries, kept=kept)
    for index, version in ((3, "1.0.0"), (7, "1.1.0")):
        kept.put([notice_bytes(samples.notice(samples.logged(Kept(), index, version=version).entry))], MEDIA)
    more = {} if retry != "blind" else {"alter": None}
    intrude = None if retry == "blind" else lambda effect: target.place(effect.path, suite.OTHER)
    return carried(kept, target, intrude=intrude, **more)


def site(url: str) -> suite.Case:
    kept, store = Kept(), Store()
    web = Web(store)

    def fetch(address: str, limit: int) -> bytes | None:
        body = web.get(address.removeprefix(url))
        return None if body is None else body[:limit]

    def digest(address: str, limit: int) -> str | None:
        body = fetch(address, limit + 1)
        return None if body is None else sha256(body).hexdigest()

    public = Site(name="Example", origin="releases.example.org/trail", url=url)
    target = SiteTarget("site", public, store, kept, digest=digest, fetch=fetch)
    shows = lambda effect: not effect.path.endswith("/index.html")  # noqa: E731
    return carried(kept, target, shows=shows, intrude=lambda effect: store.write(effect.path, [b"other bytes"]))


CASES: dict[str, Callable[[], suite.Case]] = {
    "keyed files": lambda: memory("keyed", "files"),
    "searchable files": lambda: memory("searchable", "files"),
    "keyed notice": lambda: memory("keyed", "notice"),
    "blind notice": lambda: memory("blind", "notice"),
    "site local": lambda: site(""),
    "site with url": lambda: site(URL),
}


@pytest.mark.parametrize("check", suite.CHECKS)
@pytest.mark.parametrize("name", CASES)
def test_target(check: Callable[[suite.Case], None], name: str) -> None:
    check(CASES[name]())


# --- faults ---------------------------------------------------------------------------------------------------------


def one(target: Target) -> Effect:
    (effect,) = target.plan(samples.logged(Kept()), NOTICE)
    assert isinstance(effect, Effect)
    return effect


def broken(retry: Retry, *faults: Fault, late: int = 0) -> tuple[Target, Effect]:
    target = Target(retry=retry, carries="notice", faults=faults, late=late)
    return target, one(target)


@pytest.mark.parametrize(
    ("what", "raises", "arrives"),
    [
        ("fine", None, 1),
        ("lost-reply", Unknown, 1),
        ("unknown", Unknown, 0),
        ("refused", Refused, 0),
        ("conflict", Conflict, 0),
    ],
)
def test_a_fault_of_an_attempt(what: Literal["fine"], raises: type[Exception] | None, arrives: int) -> None:
    target, effect = broken("keyed", Fault(what=what, after=30))
    if raises is None:
        assert target.apply(effect).sha256 == effect.blob.sha256
    else:
        with pytest.raises(raises) as caught:
            target.apply(effect)
        assert getattr(caught.value, "after", 30) == 30
    assert len(target.arrived) == arrives
    assert (target.find(effect) is not None) == bool(arrives)


@pytest.mark.parametrize(("retry", "copies"), [("keyed", 1), ("searchable", 2), ("blind", 2)])
def test_a_second_attempt_by_temperament(retry: Retry, copies: int) -> None:
    target, effect = broken(retry)
    target.apply(effect)
    target.apply(effect)
    assert len(target.arrived) == copies


def test_a_copy_shows_late_and_looks_may_fail_or_lie() -> None:
    target, effect = broken("searchable", late=2)
    target.apply(effect)
    assert [target.find(effect) is not None for _ in range(4)] == [False, False, True, True]
    target.down = 1
    with refusal(RemoteError, "target-unreachable"):
        target.find(effect)
    target.lies = True
    found = target.find(effect)
    assert found is not None
    assert found.sha256 != effect.blob.sha256
