"""Watching: every repository's tags are looked at, and the release team is told before anything is built.

What a repository's tags were is remembered in the journal, as a list of changes: at first contact all that stand there
are known, and nobody is told. From then on a new release tag is told once, with what `check` says of it; one that moved
or vanished is an alarm. What was released is compared with the trail as well, so that a journal that is lost, or a
first contact, hides nothing. Each word goes to each target once, by the driver, and is remembered as told afterwards.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from hashlib import sha256

from tagtrail.formats.facts import dump
from tagtrail.formats.notice import MEDIA, notice_blob, notice_bytes
from tagtrail.model.errors import Error, RemoteError
from tagtrail.model.facts import Effect, Entry, Finding, Row
from tagtrail.model.frozen import frozen, replace
from tagtrail.model.settings import Project
from tagtrail.model.sighting import Sighting
from tagtrail.pages.sighting import commands, headline, sighting_notice
from tagtrail.ports import Journal
from tagtrail.rules.grammar import classify, grammar_of
from tagtrail.workflows.carry import exit_code
from tagtrail.workflows.examine import Examined
from tagtrail.workflows.hold import standing
from tagtrail.workflows.outcome import Outcome
from tagtrail.workflows.prepare import look, prepare
from tagtrail.workflows.release import release
from tagtrail.workflows.remembered import remembered
from tagtrail.workflows.road import Road
from tagtrail.workflows.words import WORD, bring_word, tell_words

__all__ = ["Listing", "Look", "Round", "Sight", "compared", "due", "go_on", "known", "listed", "watch"]

AT_ONCE = 4
"""Repositories that are looked at together."""

Listing = Mapping[str, tuple[tuple[str, str], ...] | Error]
"""The tags of each repository as (short name, object id), unpeeled; or why it did not answer."""
Look = Callable[[str], tuple[tuple[str, str], ...]]


@frozen
class Sight:
    """A tag as it was seen at `time` (Unix seconds; 0: it was there at first contact, or has moved): its `object`,
    empty where it is gone."""

    tag: str
    object: str
    time: int = 0


@frozen
class _Sights:
    """What changed in one repository between two looks."""

    sights: tuple[Sight, ...] = ()


@frozen
class Round:
    """What one look at everything found. `rows` are all words that are on their way; `silent` who did not answer."""

    sightings: tuple[Sighting, ...]
    rows: tuple[Row, ...]
    silent: tuple[Error, ...]

    @property
    def exit(self) -> int:
        """6 an alarm, else what the rows say, 5 where a repository did not answer."""
        alarm = 6 if any(seen.is_alarm for seen in self.sightings) else 0
        return max(alarm, exit_code(self.rows), *(error.exit_code for error in self.silent), 0)


def listed(repos: Sequence[str], look: Look, wait: Callable[[float], object], spread: float = 0.0) -> Listing:
    """Look at every repository once, a few at a time; their beginnings are spread over so many seconds."""
    from concurrent.futures import ThreadPoolExecutor

    def one(repo: str) -> tuple[tuple[str, str], ...] | Error:
        try:
            return look(repo)
        except Error as error:
            return error

    with ThreadPoolExecutor(AT_ONCE) as pool:
        asked = []
        for number, repo in enumerate(repos):
            if number and spread:
                wait(spread / len(repos))
            asked.append(pool.submit(one, repo))
        return dict(zip(repos, (answer.result() for answer in asked), strict=True))


def watch(road: Road, projects: Sequence[Project], listing: Listing) -> Round:
    """Compare what was listed with what is known, tell what is new, and remember it."""
    sightings: list[Sighting] = []
    silent: list[Error] = []
    for repo, found in listing.items():
        if isinstance(found, Error):
            silent.append(_silent(road, found))
            continue
        here = [project for project in projects if project.repo == repo]
        told, late = _repository(road, repo, here, dict(found))
        sightings += told
        silent += late
    return Round(sightings=tuple(sightings), rows=tell_words(road), silent=tuple(silent))


def _silent(road: Road, error: Error) -> Error:
    fields = {"code": error.code, "what": error.what, "why": error.why, "next": error.hint, "exit": error.exit_code}
    road.tell("refused", fields)
    return error


def _repository(
    road: Road, repo: str, projects: Sequence[Project], now: Mapping[str, str]
) -> tuple[list[Sighting], list[Error]]:
    """What was told, and what stopped it: a tag that could not be read now is not remembered, and new next time."""
    before = known(road.journal, repo)
    told: list[Sighting] = []
    late: list[Error] = []
    unread: set[str] = set()
    for project in projects:
        for seen in compared(project, before, now, road.ledger.entries(project=project.name)):
            try:
                told.append(_say(road, project, seen))
            except RemoteError as error:
                late.append(_silent(road, error))
                unread.add(seen.tag)
    _remember(road, repo, before, {tag: oid for tag, oid in now.items() if tag not in unread})
    return told, late


# --- what is new ----------------------------------------------------------------------------------------------------


def compared(
    project: Project, before: Mapping[str, Sight] | None, now: Mapping[str, str], history: Iterable[Entry]
) -> Iterator[Sighting]:
    """What happened to a project's tags since they were seen as `before` (None: never) or released; a pure function."""
    released = {
        entry.tag.name: (entry, entry.tag.object) for entry in history if entry.event == "release" and entry.tag
    }
    grammar = grammar_of(project)
    for name in sorted({*now, *(before or ()), *released}):
        entry, was = released.get(name, (None, before[name].object if before and name in before else ""))
        is_known, oid, meaning = entry or before is not None, now.get(name, ""), classify(grammar, name)
        if is_known and was != oid and (entry or meaning.kind in ("release", "lifecycle")):
            what = "gone" if not oid else "moved" if was else "new"
            if what != "new" or meaning.kind == "release":
                about = {"what": what, "project": project.name, "tag": name, "version": meaning.version}
                yield Sighting(**about, object=oid, before=was, entry=entry.index if entry else None)


def known(journal: Journal, repo: str) -> dict[str, Sight] | None:
    """The tags of a repository as they were seen last, those that are gone too; None: never looked at."""
    place = _place(repo)
    changes = (remembered(journal, f"{place}:{n}", _Sights) for n in range(journal.cursor(place)))
    found = [change.sights for change in changes if change]
    return {sight.tag: sight for sights in found for sight in sights} if found else None


def _remember(road: Road, repo: str, before: Mapping[str, Sight] | None, now: Mapping[str, str]) -> None:
    """Write down what is other than before; whoever else did it at the same time is not undone."""
    place, time = _place(repo), 0 if before is None else road.clock()
    was = {name: sight.object for name, sight in (before or {}).items()}
    names = sorted(name for name in {*now, *was} if now.get(name, "") != was.get(name, ""))
    sights = tuple(Sight(tag=n, object=now.get(n, ""), time=0 if was.get(n) else time) for n in names)
    if not sights and before is not None:
        return
    new = _Sights(sights=sights)
    while True:
        number = road.journal.cursor(place)
        stands = road.journal.once(f"{place}:{number}", _Sights, lambda: new)
        road.journal.cursor(place, number, number + 1)
        if stands == new:
            return


def _place(repo: str) -> str:
    return f"watched:{sha256(repo.encode()).hexdigest()[:32]}"


# --- telling --------------------------------------------------------------------------------------------------------


def _say(road: Road, project: Project, seen: Sighting) -> Sighting:
    """Tell the team: here, and by each target that the settings name. Raises RemoteError where nothing can be read."""
    seen = seen if seen.is_alarm else _examined(road, project, seen)
    road.tell("sighted", dump(seen) | {"text": headline(seen), "next": list(commands(seen))})
    notice = sighting_notice(seen, road.site, road.clock())
    for name in road.settings.watch.tell:
        effect = Effect(
            target=name, key=f"notice:{seen.key}", entry=WORD, path=notice.subject, blob=notice_blob(notice)
        )
        if not any((r.effect.target, r.effect.key) == (name, effect.key) for r in road.journal.rows(WORD)):
            road.kept.put([notice_bytes(notice)], MEDIA)
            bring_word(road, effect)
    return seen


def _examined(road: Road, project: Project, seen: Sighting) -> Sighting:
    """With everything that `check` says, and where it would go."""
    held = standing(road.journal, project.name, seen.tag, road.clock())
    seen = replace(seen, held=held.text if held else "")
    try:
        found = look(road, project, seen.tag)
        stops = _stops(road, found)
    except RemoteError:
        raise
    except Error as error:
        return replace(seen, unread=error.what)
    takes = [name for name in project.publish if found.channel in road.settings.target(name).on]
    told = [name for name in project.announce if found.channel in road.settings.target(name).on]
    return replace(
        seen,
        commit=found.tagged.commit,
        signer=found.judged.signer if found.judged else "",
        channel=found.channel,
        follows=found.follows,
        visible=found.visible,
        targets=tuple(takes),
        announce=tuple(told),
        findings=(*found.findings, *stops),
        approvals=road.settings.org.approve.need,
    )


def _stops(road: Road, found: Examined) -> tuple[Finding, ...]:
    """What no rule asks and the plan finds all the same, before a build: notes that are missing, say."""
    if any(finding.level == "error" for finding in found.findings):
        return ()
    try:
        prepare(road, found)
    except RemoteError:
        raise
    except Error as error:
        said = {"rule": error.code, "name": error.code, "code": error.code, "text": error.what, "fix": error.hint}
        return (Finding(**said, level="error"),)
    return ()


# --- going on by itself ---------------------------------------------------------------------------------------------


def due(road: Road, projects: Iterable[Project]) -> tuple[tuple[Project, str], ...]:
    """The tags that appeared while we watched, have rested as long as the settings say, are not held, and were not
    begun: a tag that moved is never among them."""
    found = []
    for project in projects:
        grammar = grammar_of(project)
        rested = road.clock() - road.settings.watch.after
        logged = {e.tag.name for e in road.ledger.entries(project=project.name) if e.tag}
        for sight in (known(road.journal, project.repo) or {}).values():
            fresh = sight.object and sight.time and sight.time <= rested and sight.tag not in logged
            if fresh and classify(grammar, sight.tag).kind == "release" and not _begun(road, project, sight.tag):
                found.append((project, sight.tag))
    return tuple(found)


def go_on(road: Road, projects: Iterable[Project]) -> tuple[Outcome, ...]:
    """Run the road for what is due, once for each tag; what is begun then is for `resume`."""
    outcomes = []
    for project, tag in due(road, projects):
        try:
            outcomes.append(release(road, project, tag))
        except RemoteError as error:  # it is due in the next round too
            _silent(road, error)
            outcomes.append(Outcome(exit=5, project=project.name, version=tag, reached="plan"))
            continue
        except Error as error:
            _silent(road, error)
            outcomes.append(Outcome(exit=error.exit_code, project=project.name, version=tag, reached="plan"))
        road.journal.cursor(_started(project, tag), 0, 1)
    return tuple(outcomes)


def _begun(road: Road, project: Project, tag: str) -> bool:
    held = standing(road.journal, project.name, tag, road.clock())
    return held is not None or bool(road.journal.cursor(_started(project, tag)))


def _started(project: Project, tag: str) -> str:
    return f"watch-released:{project.name}/{tag}"
