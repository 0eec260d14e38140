"""What can be known of a tag before it is built: read it, judge its signature, ask the places; then the rules.

Facts first: `gather` looks at the world and makes a case, `examined` judges a case and looks at nothing. `check` shows
what comes out of it; `release` goes on only where there is a `tag` and no error. Nothing is written.
"""

from collections.abc import Callable, Sequence
from hashlib import sha256

from packaging.version import Version

from tagtrail.formats.facts import dump
from tagtrail.model.errors import ProjectError, SetupError, TamperError
from tagtrail.model.facts import Entry, Finding, Key, Override, Survey, Tag, Tagged
from tagtrail.model.frozen import frozen, replace
from tagtrail.model.settings import Project, Settings
from tagtrail.ports import Source, Tell
from tagtrail.rules.book import Verdict
from tagtrail.rules.declared import declared
from tagtrail.rules.facts import Before
from tagtrail.rules.versions import comparable, predecessor, read, tag_for
from tagtrail.verify.tags import JudgedTag, judge_tag
from tagtrail.workflows.case import Case
from tagtrail.workflows.case import verdict as said_of
from tagtrail.workflows.past import with_past

__all__ = ["Ask", "Examined", "Known", "examined", "gather", "refuse", "tell_examined"]

UNKNOWN = "who may sign is known to an instance only"
SILENT = "it does not say"
UNASKED = "where it goes is known to an instance only"

Ask = Callable[[Project, str], tuple[Survey, ...]]
"""What the places say that take a project's releases of a channel."""


@frozen
class Examined:
    """A case with its verdict.

    `tag` is there only where the tag exists, is what would be built, and its signature counts; `judged` is whose.
    `version` and `channel` are empty where the tag says no version. `taken` is the trail's entry of this version, if
    there is one. `follows` is the release before it (empty: none).
    """

    case: Case
    tag: Tag | None
    version: str
    channel: str
    verdict: Verdict
    taken: Entry | None = None
    follows: str = ""

    @property
    def visible(self) -> str:
        """Who will see it, in words; empty where installers do not."""
        facts = self.case.before
        return _visible(facts, facts.parsed, facts.released)

    @property
    def project(self) -> Project:
        """Whose release it would be."""
        return self.case.before.project

    @property
    def tagged(self) -> Tagged:
        """What was found."""
        return self.case.tagged

    @property
    def judged(self) -> JudgedTag | None:
        """Whose signature counts."""
        return self.case.judged

    @property
    def scheme(self) -> str:
        """The kind of the tag's signature, where it counts: `openpgp` or `ssh`."""
        return self.judged.scheme if self.judged else ""

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All that the rules said."""
        return self.verdict.findings

    @property
    def errors(self) -> tuple[Finding, ...]:
        """What stops a release."""
        return self.verdict.errors


@frozen
class Known:
    """What an instance knows of a project; the defaults are a checkout without one.

    `history` are the project's entries in the trail, oldest first; `keys` those of the people who may sign its tags
    (None: not known; then no signature is judged); `now` is Unix seconds; `ask` asks the places (None: not known).
    """

    history: tuple[Entry, ...] = ()
    keys: tuple[Key, ...] | None = None
    now: int = 0
    ask: Ask | None = None


def gather(
    source: Source,
    settings: Settings,
    project: Project,
    tag: str,
    known: Known,
    *,
    at: str | None = None,
    tagged: Tagged | None = None,
) -> Case:
    """The case of `tag` (a tag's name or a version) of `project`; with `at`, as if it stood on that commit.

    `tagged` is what was found under its name (None: it is read).
    Places are asked of a version that is not released yet. Raises what `Source.read` and `Source.tags` raise, and
    SetupError `subdirectory`, as a build would; whatever is wrong with the tag itself is a finding.
    """
    name = tag_for(project.tag, tag, project.versions)
    tagged = tagged or source.read(project.repo, name, at)
    judged, refusal = _judge(tagged, name, known.keys, known.now)
    facts = Before(
        project=project,
        tag=name,
        kind=tagged.kind,
        commit=tagged.commit,
        sha256=_digest(tagged),
        judged=judged is not None or refusal is not None,
        refusal=refusal,
        unjudged=UNKNOWN if known.keys is None and tagged.kind != "absent" else "",
        tags=tuple(short for short, _ in source.tags(project.repo)),
        history=known.history,
        declared=declared(tagged.pyproject, tagged.setup_cfg),
        written=_written(source, project, tagged),
        branches=source.branches(project.repo, tagged.commit) if project.branches else (),
        beside=tuple(p for p in settings.projects if p.repo == project.repo and p.name != project.name),
    )
    if facts.says_version and facts.taken is None:
        _check_subdirectory(source, project, tagged)
    facts = _surveyed(with_past(source, facts, tagged), known.ask)
    return Case(tagged=tagged, judged=judged, before=facts, switches=(*settings.rules, *project.rules))


def _surveyed(facts: Before, ask: Ask | None) -> Before:
    """With what the places say; a version that is released is carried, and looked at there."""
    if ask is None:
        return replace(facts, unsurveyed=UNASKED)
    asked = facts.says_version and facts.taken is None
    return replace(facts, surveys=ask(facts.project, facts.channel) if asked else ())


def _judge(
    tagged: Tagged, name: str, keys: tuple[Key, ...] | None, now: int
) -> tuple[JudgedTag | None, TamperError | None]:
    if tagged.kind == "absent":
        return None, None
    if tagged.raw is None:
        return None, TamperError(f"{name} is a lightweight tag", code="tag-light", why="it carries no signature")
    try:
        return judge_tag(tagged.raw, name=name, keys=keys or (), at=now), None
    except TamperError as refusal:
        unknowable = keys is None and refusal.code == "tag-signer-unknown"
        return None, None if unknowable else refusal


def _written(source: Source, project: Project, tagged: Tagged) -> bytes | None:
    """The file that is to say the version."""
    if not project.declares:
        return None
    path = project.declares.partition(":")[0]
    return source.file(project.repo, tagged.commit, "/".join(filter(None, (project.subdirectory, path))))


def _check_subdirectory(source: Source, project: Project, tagged: Tagged) -> None:
    name = project.subdirectory
    if name and not source.has_directory(project.repo, tagged.commit, name):
        what = f"{name!r} is no directory of {project.name} {tagged.name}"
        raise SetupError(what, code="subdirectory", hint="correct subdirectory in tagtrail.toml, or tag what has it")


def _digest(tagged: Tagged) -> str:
    return sha256(tagged.raw).hexdigest() if tagged.raw is not None else ""


def examined(case: Case, overrides: Sequence[Override] = ()) -> Examined:
    """The case judged, with these rules set aside for this release; a pure function."""
    case = replace(case, overrides=(*case.overrides, *overrides))
    facts, judged = case.before, case.judged
    version, released, found = facts.parsed, facts.released, facts.says_version
    follows = predecessor(version, comparable(version, released)) if version else None
    return Examined(
        case=case,
        tag=_tag(facts, case.tagged, judged) if judged and found else None,
        version=facts.version if found else "",
        channel=facts.channel,
        verdict=said_of(case),
        taken=facts.taken if found else None,
        follows=facts.spelling(follows) if version else facts.last,
    )


def _visible(facts: Before, version: Version | None, released: tuple[Version, ...]) -> str:
    if not (version and facts.declared.python and facts.project.is_python):
        return ""
    from tagtrail.model.visibility import seen_by  # slow to load, and not asked for by `release`

    end = facts.taken
    gone = (e.version for e in facts.history if e.event == "withdraw" and (end is None or e.index < end.index))
    yanked = (v for v in (read(facts.project.versions, text) for text in gone) if v)
    return seen_by(facts.project.name, version, released, yanked=yanked)


def _tag(facts: Before, tagged: Tagged, judged: JudgedTag) -> Tag | None:
    if tagged.object is None or judged.object != tagged.commit:  # asked about another commit
        return None
    return Tag(
        project=facts.project.name,
        name=facts.tag,
        version=facts.version,
        repo=facts.project.public or tagged.repo,
        object=tagged.object,
        sha256=facts.sha256,
        commit=tagged.commit,
        time=tagged.time,
        signer=judged.signer,
    )


def refuse(examined: Examined) -> None:
    """Stop where a rule found an error.

    Raises ProjectError with the first error's code, and all of them in `why`.
    """
    errors, asked = examined.errors, len(examined.verdict.ran)
    if errors:
        what = f"{examined.project.name} {examined.tagged.name}: {len(errors)} of {asked} rules refuse it"
        why = "; ".join(f"{f.rule} {f.text}" for f in errors)
        raise ProjectError(what, code=errors[0].code, why=why, hint=errors[0].fix)


def _unknown(place: Survey) -> str:
    """What a place did not say; nothing else is held against it, nor taken for granted."""
    if place.silent:
        return "the place was not asked"
    words = (place.name, "whose the name is"), (place.may_upload is not None, "whether we may upload")
    missing = [text for known, text in words if not known]
    return f"not known: {', '.join(missing)}" if missing else ""


def tell_examined(examined: Examined, tell: Tell) -> None:
    """Say what was found: the tag and who signed it, each finding, what was not asked, and how many rules were."""
    tag, verdict = examined.tag, examined.verdict
    if tag and examined.judged:
        about = {"project": tag.project, "version": tag.version, "channel": examined.channel, "tag": tag.name}
        signer = {"signer": tag.signer, "scheme": examined.scheme, "person": examined.judged.person}
        tell("tag", about | {"commit": tag.commit} | signer)
    for finding in examined.findings:
        tell("finding", dump(finding))
    for aside in verdict.overrides:
        tell("override", dump(aside))
    for why in dict.fromkeys(why for _, why in verdict.skipped):
        rules = [rule for rule, reason in verdict.skipped if reason == why]
        were = "were" if len(rules) > 1 else "was"
        tell("skip", {"target": "", "what": f"{', '.join(rules)} {were} not asked", "because": why})
    for place in examined.case.before.surveys:
        if unknown := _unknown(place):
            tell("skip", {"target": place.target, "what": unknown, "because": place.silent or place.note or SILENT})
    errors = len(examined.errors)
    tell("checked", {"rules": len(verdict.ran), "errors": errors, "warnings": len(examined.findings) - errors})
