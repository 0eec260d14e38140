"""Approvals: what a Draft asks for, who has approved it, and who is missing; counted anew whenever it is asked.

An approval is remembered as it came, with its text, under the Draft's digest and the text's expiry: another byte in any
file, another target, changed settings, a text that has expired, and the approvals of before are nobody's.
"""

from collections.abc import Sequence
from hashlib import sha256
from shlex import quote

from tagtrail.formats import drafts
from tagtrail.formats.approval import ApprovalText, format_approval
from tagtrail.formats.times import format_time
from tagtrail.model.errors import ProjectError, TamperError
from tagtrail.model.facts import Approval, Approved, Artifact, Built, Draft, Key, Signed, Tag, TagRef
from tagtrail.model.frozen import frozen, replace
from tagtrail.model.settings import Project
from tagtrail.verify.approvals import judge_approval, parted
from tagtrail.verify.persons import persons
from tagtrail.workflows.begun import Waiting
from tagtrail.workflows.remembered import remembered
from tagtrail.workflows.road import Road

__all__ = [
    "VALID", "Asked", "Count", "approvals", "approve", "ask", "asked_of", "count", "opened", "record", "tell_asked",
]  # fmt: skip

VALID = 7 * 86400
"""Seconds after which an approval text expires."""


@frozen
class Asked:
    """A Draft that asks for approvals: `need` of `group`, and of a signer of the project where files were `brought`.

    `digest` is the Draft's, `text` what is to be signed; its expiry is 0 where `release` has not asked yet. `author` is
    the tag's signer.
    """

    project: Project
    digest: str
    text: ApprovalText
    author: str
    brought: tuple[str, ...] = ()
    need: int = 0
    group: str = ""

    @property
    def nothing(self) -> bool:
        """Whether nobody is asked."""
        return not self.need and not self.brought


@frozen
class Count:
    """Who has approved a Draft, and in words who is missing (empty: nobody). `have` counts persons of the group."""

    keys: tuple[Key, ...]
    have: int
    missing: str = ""


@frozen
class _Given:
    """An approval as it came."""

    text: str
    signature: str


# --- what is asked for ----------------------------------------------------------------------------------------------


def asked_of(road: Road, built: Built) -> Asked:
    """What the Draft of a first release asks for."""
    plan = built.plan
    draft = drafts.draft(Signed(approved=Approved(built=built), sidecars=()))
    project = road.project(plan.tag.project)
    files = tuple((a.name, a.blob.sha256) for a in built.artifacts)
    return ask(
        road, project, draft, plan.tag, plan.policy, (*plan.targets, *plan.announce), files, brought(built.artifacts)
    )


def ask(
    road: Road,
    project: Project,
    draft: Draft,
    tag: Tag | TagRef,
    policy: str,
    targets: Sequence[str],
    files: Sequence[tuple[str, str]],
    brought: tuple[str, ...],
) -> Asked:
    """What a Draft asks for; nothing is written."""
    asks = road.settings.org.approve
    text = ApprovalText(
        origin=road.site.origin,
        project=draft.project,
        version=draft.version,
        repo=tag.repo,
        tag=tag.sha256,
        settings=policy,
        expires=road.journal.cursor(_expiry(draft.digest)),
        targets=tuple(sorted({*targets})),
        files=tuple(sorted(files)),
    )
    return Asked(
        project=project,
        digest=draft.digest,
        text=text,
        author=tag.signer,
        brought=brought,
        need=asks.need,
        group=asks.group,
    )


def brought(artifacts: Sequence[Artifact]) -> tuple[str, ...]:
    """The names of those that were not built here."""
    return tuple(sorted(a.name for a in artifacts if a.origin.how != "built"))


def opened(road: Road, asked: Asked) -> Asked:
    """The same with a text that can be signed: a new expiry where there was none, or the old one has passed."""
    now, stands = road.clock(), asked.text.expires
    if stands <= now:
        stands = road.journal.cursor(_expiry(asked.digest), stands, now + VALID)
    return replace(asked, text=replace(asked.text, expires=stands))


def _expiry(digest: str) -> str:
    return f"approval:{digest}"


# --- who approved ---------------------------------------------------------------------------------------------------


def approve(road: Road, built: Built) -> Approved:
    """What the settings' people approved of these bytes. Raises Waiting `approval-missing`."""
    return Approved(built=built, approvals=approvals(road, asked_of(road, built)))


def approvals(road: Road, asked: Asked) -> tuple[Approval, ...]:
    """The approvals of a Draft, for its entry; none where nobody is asked. Raises Waiting `approval-missing`."""
    if asked.nothing:
        return ()
    asked = opened(road, asked)
    found = count(road, asked)
    if found.missing:
        tell_asked(road, asked, found)
        raise Waiting(
            f"{asked.text.project} {asked.text.version} waits for {found.missing}",
            code="approval-missing",
            why=f"{len(found.keys)} approved digest {asked.digest[:16]}... until {format_time(asked.text.expires)}",
            hint=f"tagtrail approve {asked.text.project} {quote(asked.text.version)}",
        )
    return tuple(Approval(key=key.fingerprint, digest=asked.digest) for key in found.keys)


def count(road: Road, asked: Asked) -> Count:
    """The approvals that count now: each is judged again, against the keys and the clock of today."""
    may = {key.fingerprint: key for key in _who(road, asked)}
    keys = tuple(key for key in may.values() if _stands(road, asked, key))
    known = persons({fingerprint: frozenset() for fingerprint in may} | {**road.names()})
    group = {key.fingerprint for key in road.people.get(asked.group, ())}
    author = known.get(asked.author, asked.author)
    counts = {known[key.fingerprint] for key in keys if key.fingerprint in group}
    if not road.settings.org.approve.author_counts:
        counts.discard(author)
    return Count(keys=keys, have=len(counts), missing=_missing(road, asked, keys, len(counts)))


def _who(road: Road, asked: Asked) -> tuple[Key, ...]:
    return (*road.people.get(asked.group, ()), *(_signers(road, asked) if asked.brought else ()))


def _signers(road: Road, asked: Asked) -> tuple[Key, ...]:
    """Those whom the root lets sign the project's tags."""
    return tuple(key for key in road.signers(asked.project) if not key.namespaces or "git" in key.namespaces)


def _stands(road: Road, asked: Asked, key: Key) -> bool:
    given = remembered(road.journal, _key(asked, key), _Given)
    if given is None:
        return False
    try:
        judge_approval(given.text.encode(), given.signature.encode(), draft=asked.text, keys=[key], at=road.clock())
    except TamperError:
        return False
    return True


def _missing(road: Road, asked: Asked, keys: Sequence[Key], have: int) -> str:
    words = []
    if have < asked.need:
        words.append(f"{asked.need - have} of {asked.need} approvals by {asked.group}")
    if asked.brought and not {k.fingerprint for k in keys} & {k.fingerprint for k in _signers(road, asked)}:
        words.append(f"the approval of a signer ({', '.join(asked.project.signers)}) for {_listed(asked.brought)}")
    return " and ".join(words)


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f"{', '.join(names[:3])}{more}, which {'was' if len(names) == 1 else 'were'} brought"


def _key(asked: Asked, key: Key) -> str:
    return f"approval:{asked.digest}:{asked.text.expires}:{key.fingerprint}"


# --- approving ------------------------------------------------------------------------------------------------------


def record(road: Road, asked: Asked, data: bytes) -> Key:
    """Remember an approval that somebody gave: a signature over the text, or the text with the signature behind it.

    Raises ProjectError with the judge's code (docs/approvals.md), and `approval-not-asked`, `approval-by-author`,
    `approval-person-twice`.
    """
    about = f"{asked.text.project} {asked.text.version}"
    if asked.nothing or not asked.text.expires:
        why = "the settings ask for none, and nothing was brought" if asked.nothing else "nothing was built yet"
        hint = f"tagtrail release {about}"
        raise ProjectError(f"{about} does not wait for an approval", code="approval-not-asked", why=why, hint=hint)
    try:
        text, signature = parted(data, format_approval(asked.text))
        key = judge_approval(text, signature, draft=asked.text, keys=_who(road, asked), at=road.clock())
    except TamperError as error:
        raise ProjectError(error.what, code=error.code, why=error.why, hint=error.hint) from None
    _refuse_useless(road, asked, key)
    given = _Given(text=text.decode(), signature=signature.decode())
    road.journal.once(_key(asked, key), _Given, lambda: given)
    return key


def _refuse_useless(road: Road, asked: Asked, key: Key) -> None:
    """An approval that would count for nothing is refused, so that nobody takes it for one."""
    if asked.brought and key.fingerprint in {signer.fingerprint for signer in _signers(road, asked)}:
        return  # it is wanted as a signer's, whoever else approved
    known = persons({key.fingerprint: frozenset(), asked.author: frozenset()} | {**road.names()})
    person = known[key.fingerprint]
    if person == known[asked.author] and not road.settings.org.approve.author_counts:
        why = "the author signed the tag; org.approve.author is not set, so somebody else must look"
        raise ProjectError(f"{key.fingerprint} is the author's key", code="approval-by-author", why=why)
    others = [k for k in count(road, asked).keys if k.fingerprint != key.fingerprint]
    twin = next((k for k in others if known.get(k.fingerprint) == person), None)
    if twin is not None:
        what = f"{key.fingerprint} is a key of somebody who approved with {twin.fingerprint} already"
        raise ProjectError(what, code="approval-person-twice", why="one person counts once")


def tell_asked(road: Road, asked: Asked, found: Count) -> None:
    """Say what waits, what is to be signed, and who has."""
    text = format_approval(asked.text)
    road.tell(
        "approval",
        {
            "project": asked.text.project,
            "version": asked.text.version,
            "digest": asked.digest,
            "text": text.decode() if asked.text.expires else "",
            "sha256": sha256(text).hexdigest() if asked.text.expires else "",
            "expires": asked.text.expires,
            "have": found.have,
            "need": asked.need,
            "keys": [key.fingerprint for key in found.keys],
            "missing": found.missing,
        },
    )
