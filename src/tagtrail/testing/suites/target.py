"""The suite of the port Target: plans are pure, what was applied is found, and what is really there is told."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import get_args, get_type_hints

from tagtrail.model.errors import TamperError
from tagtrail.model.facts import Effect, Entry, Logged, Skip
from tagtrail.model.notice import Notice
from tagtrail.ports import Conflict, Target
from tagtrail.testing.suites.promise import Broken, equal, holds, refusal

__all__ = ["CHECKS", "Case"]

_DIGEST = re.compile(r"[0-9a-f]{64}")
OTHER = sha256(b"tagtrail.testing other bytes").hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A target with nothing at its place, and what it is to carry: files, or what `notice` says of an entry, all kept.

    `logged` and `later` are two releases of one project, their bytes kept. `shows` says of which effects a consumer
    sees something once they were applied (a page needs a renderer). `intrude(effect)` puts other bytes there behind the
    target's back; `alter(sha256)` changes kept bytes (None: the target does not read them).
    """

    target: Target
    logged: Logged
    later: Logged
    notice: Callable[[Entry], Notice | None] = lambda _: None
    shows: Callable[[Effect], bool] = lambda _: True
    intrude: Callable[[Effect], None] | None = None
    alter: Callable[[str], None] | None = None


def _plan(case: Case, logged: Logged) -> tuple[Effect | Skip, ...]:
    return case.target.plan(logged, case.notice(logged.entry))


def _effects(case: Case, logged: Logged | None = None) -> list[Effect]:
    items = _plan(case, logged or case.logged)
    return [item for item in items if isinstance(item, Effect) if case.shows(item)]


def a_target_says_what_it_is(case: Case) -> None:
    """A name, one of the three temperaments, seconds of lag."""
    retries = get_args(get_type_hints(Target)["retry"])
    holds(case.target.name, "a target has a name")
    holds(case.target.retry in retries, f"{case.target.retry} is none of {retries}")
    holds(case.target.lag >= 0, "lag is in seconds")


def a_plan_is_pure(case: Case) -> None:
    """The same every time; nothing is there afterwards that was not there before."""
    before = case.target.survey(case.logged.entry.project)
    first = _plan(case, case.logged)
    equal(_plan(case, case.logged), first, "a plan is a function of its arguments")
    equal(case.target.survey(case.logged.entry.project), before, "planning changes nothing")
    for item in first:
        equal(item.target, case.target.name, "an item names its target")
        holds(isinstance(item, Effect) or (item.what and item.because), "a skip says what and why")
    equal(before.target, case.target.name, "a survey names its target")


def effects_name_bytes(case: Case) -> None:
    """By digest and size; the entry they belong to; a key that is unique for ever."""
    effects = [e for logged in (case.logged, case.later) for e in _plan(case, logged)]
    effects = [e for e in effects if not isinstance(e, Skip)]
    keys = [e.key for e in effects if isinstance(e, Effect)]
    equal(len(set(keys)), len(keys), "no key stands for two effects, of this or of another entry")
    indexes = {e.entry for e in effects if isinstance(e, Effect)}
    holds(indexes <= {case.logged.entry.index, case.later.entry.index}, "an effect names its entry")
    for effect in effects:
        holds(isinstance(effect, Effect) and _DIGEST.fullmatch(effect.blob.sha256), "an effect names a digest")


def nothing_is_found_before(case: Case) -> None:
    """`find` is None where nothing was applied."""
    equal([case.target.find(e) for e in _effects(case)], [None] * len(_effects(case)), "nothing is there at first")


def what_was_applied_is_found(case: Case) -> None:
    """With the digest of the bytes, by a consumer's address; a blind target is not asked."""
    for effect in _effects(case):
        receipt = case.target.apply(effect)
        equal(receipt.sha256, effect.blob.sha256, "a receipt names what was sent")
        holds(receipt.where, "and where it is")
        if case.target.retry != "blind":
            found = case.target.find(effect)
            equal(found and found.sha256, effect.blob.sha256, f"{effect.path} is found as it was sent")
    for effect in _effects(case, case.later) if case.target.retry != "blind" else ():
        equal(case.target.find(effect), None, "another release is not there yet")


def applying_again_changes_nothing(case: Case) -> None:
    """Unless the target is blind: the same receipt, the same bytes."""
    if case.target.retry == "blind":
        return
    for effect in _effects(case):
        first = case.target.apply(effect)
        equal(case.target.apply(effect).sha256, first.sha256, "applying again gives the same digest")
        found = case.target.find(effect)
        equal(found and found.sha256, effect.blob.sha256, "and leaves what is there")


def other_bytes_are_told(case: Case) -> None:
    """`find` tells the digest that is really there, `apply` raises Conflict and overwrites nothing."""
    if case.intrude is None:
        return
    for effect in _effects(case):
        case.intrude(effect)
        found = case.target.find(effect)
        holds(found and found.sha256 != effect.blob.sha256, "the digest is that of what is there")
        try:
            case.target.apply(effect)
        except Conflict:
            equal(case.target.find(effect), found, "nothing is overwritten")
            continue
        raise Broken("other bytes are there: Conflict was promised")


def altered_bytes_are_not_sent(case: Case) -> None:
    """Kept bytes that were changed: `kept-altered`, and nothing of them is seen."""
    if case.alter is None:
        return
    for effect in _effects(case):
        case.alter(effect.blob.sha256)
        with refusal(TamperError, "kept-altered"):
            case.target.apply(effect)
        equal(case.target.find(effect), None, "nothing of altered bytes is seen")


CHECKS: tuple[Callable[[Case], None], ...] = (
    a_target_says_what_it_is,
    a_plan_is_pure,
    effects_name_bytes,
    nothing_is_found_before,
    what_was_applied_is_found,
    applying_again_changes_nothing,
    other_bytes_are_told,
    altered_bytes_are_not_sent,
)
