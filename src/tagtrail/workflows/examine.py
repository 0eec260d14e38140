"""What can be known of a tag before it is built: read it, judge its signature, ask the rules; nothing is written.

`check` shows what comes out of it; `release` goes on only where there is a `tag` and no error.
"""

from hashlib import sha256

from packaging.version import Version

from tagtrail.formats.facts import dump
from tagtrail.model.errors import ProjectError, TamperError
from tagtrail.model.facts import Entry, Finding, Key, Tag, Tagged
from tagtrail.model.frozen import frozen
from tagtrail.model.settings import Project, Settings
from tagtrail.model.visibility import seen_by
from tagtrail.ports import Source, Tell
from tagtrail.rules.book import Verdict, judge
from tagtrail.rules.declared import declared
from tagtrail.rules.facts import Before
from tagtrail.rules.registry import BEFORE
from tagtrail.rules.versions import channel_of, comparable, predecessor, tag_for
from tagtrail.verify.tags import JudgedTag, judge_tag

__all__ = ["Examined", "examine", "refuse", "tell_examined"]

UNKNOWN = "who may sign is known to an instance only"


@frozen
class Examined:
    """A tag as the rules see it.

    `tag` is there only where the tag exists, is what would be built, and its signature counts; `judged` is whose.
    `version` and `channel` are empty where the tag says no version. `taken` is the trail's entry of this version, if
    there is one. `follows` is the release before it (empty: none); `visible` says in words who will see it.
    """

    project: Project
    tagged: Tagged
    tag: Tag | None
    judged: JudgedTag | None
    version: str
    channel: str
    verdict: Verdict
    taken: Entry | None = None
    follows: str = ""
    visible: str = ""

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


def examine(
    source: Source,
    settings: Settings,
    project: Project,
    tag: str,
    *,
    history: tuple[Entry, ...] = (),
    keys: tuple[Key, ...] | None = None,
    now: int = 0,
    at: str | None = None,
) -> Examined:
    """Examine `tag` (a tag's name or a version) of `project`; with `at`, as if it stood on that commit.

    `history` are the project's entries in the trail, oldest first; `keys` those of the people who may sign its tags
    (None: not known here, as in a checkout without an instance; then no signature is judged); `now` is Unix seconds.
    Raises what `Source.read` and `Source.tags` raise; whatever is wrong with the tag itself is a finding.
    """
    name = tag_for(project.tag, tag)
    tagged = source.read(project.repo, name, at)
    judged, refusal = _judge(tagged, name, keys, now)
    facts = Before(
        project=project,
        tag=name,
        kind=tagged.kind,
        commit=tagged.commit,
        sha256=_digest(tagged),
        judged=judged is not None or refusal is not None,
        refusal=refusal,
        unjudged=UNKNOWN if keys is None and tagged.kind != "absent" else "",
        tags=tuple(short for short, _ in source.tags(project.repo)),
        history=history,
        declared=declared(tagged.pyproject, tagged.setup_cfg),
        written=_written(source, project, tagged),
        branches=source.branches(project.repo, tagged.commit) if project.branches else (),
        beside=tuple(p for p in settings.projects if p.repo == project.repo and p.name != project.name),
    )
    verdict = judge(BEFORE, facts, (*settings.rules, *project.rules))
    return _examined(facts, tagged, judged, verdict)


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


def _digest(tagged: Tagged) -> str:
    return sha256(tagged.raw).hexdigest() if tagged.raw is not None else ""


def _examined(facts: Before, tagged: Tagged, judged: JudgedTag | None, verdict: Verdict) -> Examined:
    version, released = facts.parsed, facts.released
    follows = predecessor(version, comparable(version, released)) if version else None
    return Examined(
        project=facts.project,
        tagged=tagged,
        tag=_tag(facts, tagged, judged) if judged and version else None,
        judged=judged,
        version=facts.version if version else "",
        channel=channel_of(version) if version else "",
        verdict=verdict,
        taken=facts.taken if version else None,
        follows=str(follows or ""),
        visible=_visible(facts, version, released),
    )


def _visible(facts: Before, version: Version | None, released: tuple[Version, ...]) -> str:
    python = facts.declared.python and facts.project.is_python
    return seen_by(facts.project.name, version, released) if version and python else ""


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


def tell_examined(examined: Examined, tell: Tell) -> None:
    """Say what was found: the tag and who signed it, each finding, what was not asked, and how many rules were."""
    tag, verdict = examined.tag, examined.verdict
    if tag and examined.judged:
        about = {"project": tag.project, "version": tag.version, "channel": examined.channel, "tag": tag.name}
        signer = {"signer": tag.signer, "scheme": examined.scheme, "person": examined.judged.person}
        tell("tag", about | {"commit": tag.commit} | signer)
    for finding in examined.findings:
        tell("finding", dump(finding))
    for why in dict.fromkeys(why for _, why in verdict.skipped):
        rules = [rule for rule, reason in verdict.skipped if reason == why]
        were = "were" if len(rules) > 1 else "was"
        tell("skip", {"target": "", "what": f"{', '.join(rules)} {were} not asked", "because": why})
    errors = len(examined.errors)
    tell("checked", {"rules": len(verdict.ran), "errors": errors, "warnings": len(examined.findings) - errors})
