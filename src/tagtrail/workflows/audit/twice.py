"""Who finds something looks again before he speaks: a live site moves while it is read."""

from collections.abc import Callable

from tagtrail.formats.policy import Policy
from tagtrail.formats.root import Root
from tagtrail.model.frozen import replace
from tagtrail.ports import Clock, Tell
from tagtrail.workflows.audit.look import Asked, look
from tagtrail.workflows.audit.report import Audited
from tagtrail.workflows.audit.site import SiteReader

__all__ = ["AGAIN", "audit"]

AGAIN = 2.0
"""Seconds after which an auditor looks again."""

LOOKS = 3


def audit(
    site: SiteReader,
    trust: Root | Policy,
    asked: Asked | None = None,
    *,
    tell: Tell,
    clock: Clock,
    pause: Callable[[float], object],
) -> Audited:
    """Look, and where something is wrong look again after `pause(2.0)`: what is wrong both times is returned.

    `trust` is what the auditor believes; next roots on the site are followed from it. With a policy nobody's signature
    on a tag is judged. The second look measures only what was in doubt, unless the first did not come to the end.
    Raises as `look`.
    """
    asked = asked or Asked()
    seen = look(site, trust, asked, tell=tell, clock=clock)
    for _ in range(1, LOOKS):
        if all(found.path.startswith("entry ") for found in seen.findings):
            break  # nothing was found, or what the log has signed for ever
        pause(AGAIN)
        doubted = frozenset(found.path for found in seen.findings) if seen.whole else None
        again = look(site, trust, asked, tell=tell, clock=clock, doubted=doubted)
        if seen.whole and again.whole:
            return _confirmed(seen, again)
        seen = again
        if not seen.whole:
            break
    return seen


def _confirmed(first: Audited, again: Audited) -> Audited:
    known = {(found.code, found.path) for found in first.findings}
    findings = tuple(found for found in again.findings if (found.code, found.path) in known)
    left_out = dict(first.left_out) | dict(again.left_out)
    mended = len(known - {(found.code, found.path) for found in findings})
    if mended:
        left_out[f"{mended} findings"] = "they were gone when looked at again two seconds later"
    return replace(again, files=first.files, pages=first.pages, findings=findings, left_out=tuple(left_out.items()))
