"""A project's tag grammar: what each tag of its repository is, a release, the end of a series, or nothing to us.

`*-eol`, `*-em`, `*-eom` and `*-last` close a series everywhere (end of life, extended and end of maintenance, last), in
any case; a project may add its own. What it ignores is nothing. What is left is a release where it fits the project's
pattern and what stands at `{version}` is a version of the project's scheme, in any spelling: that it is the right
spelling is for the rules to say.
"""

from collections.abc import Iterable
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Literal

from tagtrail.model.frozen import frozen
from tagtrail.model.names import version_key
from tagtrail.model.settings import Project
from tagtrail.rules.versions import PATTERNS, is_version, version_in

__all__ = ["LIFECYCLE", "Grammar", "Meaning", "alike", "classify", "collisions", "grammar_of"]

LIFECYCLE = ("*-eol", "*-em", "*-eom", "*-last")


@frozen
class Grammar:
    """`pattern` has one {version}; `scheme` is pep440, semver, calver or any; the others are patterns of tags."""

    pattern: str = "{version}"
    scheme: str = "pep440"
    lifecycle: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()


@frozen
class Meaning:
    """What a tag is. `version` is the text at {version}: of a release, and of an unfit tag that fits the pattern."""

    kind: Literal["release", "lifecycle", "ignored", "unfit"]
    version: str = ""


def grammar_of(project: Project) -> Grammar:
    """What the settings say of a project's tags."""
    return _grammar(project.tag, project.versions, project.lifecycle, project.ignore)


@lru_cache(maxsize=1024)  # asked of every tag of a history, and compared as often
def _grammar(pattern: str, scheme: str, lifecycle: tuple[str, ...], ignore: tuple[str, ...]) -> Grammar:
    return Grammar(pattern=pattern, scheme=scheme, lifecycle=lifecycle, ignore=ignore)


@lru_cache(maxsize=1 << 16)
def classify(grammar: Grammar, tag: str) -> Meaning:
    """What `tag` is."""
    folded = tag.casefold()
    if any(fnmatchcase(folded, p) for p in LIFECYCLE) or any(fnmatchcase(tag, p) for p in grammar.lifecycle):
        return Meaning(kind="lifecycle")
    if any(fnmatchcase(tag, pattern) for pattern in grammar.ignore):
        return Meaning(kind="ignored")
    text = version_in(grammar.pattern, tag) or ""
    return Meaning(kind="release" if is_version(grammar.scheme, text) else "unfit", version=text)


@lru_cache(maxsize=1 << 16)
def alike(grammar: Grammar, tag: str) -> str:
    """What people take a tag's version for, in one form; empty where it says none.

    Under `v{version}` that is also what the tag `1.2.0` says, and the other way round: a person who is asked for
    1.2.0 would take either. Names in front are not taken away: `lib-1.2.0` and `1.2.0` are of two projects.
    """
    patterns = PATTERNS if grammar.pattern in PATTERNS else (grammar.pattern,)
    usual = (Grammar(pattern=p, scheme=grammar.scheme, lifecycle=grammar.lifecycle, ignore=grammar.ignore)
             for p in (grammar.pattern, *patterns))  # fmt: skip
    said = (classify(each, tag) for each in usual)
    return next((version_key(meaning.version) for meaning in said if meaning.kind == "release"), "")


def collisions(grammar: Grammar, tags: Iterable[str]) -> tuple[tuple[str, ...], ...]:
    """The tags that say one version, together, in order of their names."""
    groups: dict[str, list[str]] = {}
    for tag in sorted(tags):
        groups.setdefault(alike(grammar, tag), []).append(tag)
    return tuple(tuple(group) for key, group in groups.items() if key and len(group) > 1)
