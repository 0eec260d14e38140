"""What rules are told of the releases before this one: the candidates of a final, and what a patch follows.

Asked of the repository only where a rule will ask for it.
"""

from packaging.version import Version

from tagtrail.model.errors import ProjectError
from tagtrail.model.facts import Tagged
from tagtrail.model.frozen import replace
from tagtrail.model.settings import Project
from tagtrail.ports import Source
from tagtrail.rules.declared import Declared, declared
from tagtrail.rules.facts import Before, Patch
from tagtrail.rules.grammar import classify, grammar_of
from tagtrail.rules.versions import is_patch, read

__all__ = ["declared_at", "with_past"]


def with_past(source: Source, facts: Before, tagged: Tagged) -> Before:
    """The facts with the commit's time, the candidates, and the release that a patch follows.

    Raises what `Source.peeled` and `Source.file` raise.
    """
    new = facts.parsed
    follows = max((r for r in facts.released if new and is_patch(new, r)), default=None)
    patch = follows is not None and facts.declared.python and facts.project.is_python
    asked = new is not None and facts.project.final_is_rc and facts.channel == "final"
    peeled = source.peeled(facts.project.repo) if patch or asked else ()
    candidates = tuple(found for found in peeled if new and asked and _is_candidate(facts, found[0], new))
    found = _patch(source, facts, tagged, follows, peeled) if patch and follows else None
    return replace(facts, time=tagged.time, candidates=candidates, patch=found)


def _version(facts: Before, tag: str) -> Version | None:
    meaning = classify(grammar_of(facts.project), tag)
    return read(facts.project.versions, meaning.version) if meaning.kind == "release" else None


def _is_candidate(facts: Before, tag: str, new: Version) -> bool:
    version = _version(facts, tag)
    plain = version and version.pre and version.pre[0] == "rc" and not (version.is_devrelease or version.is_postrelease)
    return bool(plain and version and Version(version.base_version) == new)


def _patch(
    source: Source, facts: Before, tagged: Tagged, follows: Version, peeled: tuple[tuple[str, str], ...]
) -> Patch:
    """The trail's commit counts, else the tag's."""
    logged = (e.tag.commit for e in facts.history if e.tag and read(facts.project.versions, e.version) == follows)
    commit = next(iter((*logged, *(commit for tag, commit in peeled if _version(facts, tag) == follows))), "")
    if not commit:
        return Patch(follows=str(follows), unread=f"there is no tag of {follows}")
    try:
        before, now = (declared_at(source, facts.project, at) for at in (commit, tagged.commit))
    except ProjectError as error:
        return Patch(follows=str(follows), unread=error.what)
    return Patch(follows=str(follows), before=before, now=now)


def declared_at(source: Source, project: Project, commit: str) -> Declared:
    """What a project's files say of it at a commit. Raises what `Source.file` raises."""
    pyproject, setup_cfg = (_text(source, project, commit, name) for name in ("pyproject.toml", "setup.cfg"))
    found = declared(pyproject, setup_cfg)
    if found.backend != "pbr":
        return found
    return declared(pyproject, setup_cfg, _text(source, project, commit, "requirements.txt"))


def _text(source: Source, project: Project, commit: str, name: str) -> str | None:
    data = source.file(project.repo, commit, "/".join(filter(None, (project.subdirectory, name))))
    return None if data is None else data.decode("utf-8", "replace")
