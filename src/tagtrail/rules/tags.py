"""Rules about the tag itself: who signed it, what it is called, whether its version is free, where its commit is."""

from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Literal

from tagtrail.model.names import version_key
from tagtrail.rules.book import Rule, Said, rule
from tagtrail.rules.facts import Before
from tagtrail.rules.versions import LIFECYCLE, parse, version_in

__all__ = ["TAGS"]


@rule("TAG001", "signed-by-allowed", needs=("signature",), firm=True)
def signed_by_allowed(facts: Before) -> Iterator[Said]:
    """The tag is signed by a person whom the settings allow for this project.

    What counts is the signature over the tag object itself: OpenPGP or SSH, by a key of `signers`, over the name that
    was asked for, on a commit. A lightweight tag carries no signature. A good tag under another name, a tag of a tag,
    an unknown, revoked or expired key, a SHA-1 signature: each is refused with a reason of its own.

        bad   git tag 1.2.0
        good  git tag -s 1.2.0
    """
    if facts.refusal is not None:
        text = f"{facts.refusal.what}{': ' + facts.refusal.why if facts.refusal.why else ''}"
        yield Said(text=text, fix=facts.refusal.hint or _sign_again(facts), code=facts.refusal.code)


def _sign_again(facts: Before) -> str:
    return f"git tag -f -s {facts.tag} {facts.commit[:12]} && git push -f origin {facts.tag}"


@rule("TAG002", "tag-pattern", firm=True)
def tag_pattern(facts: Before) -> Iterator[Said]:
    """The tag's name fits the project's pattern.

    The pattern is `tag = "{version}"` unless the project sets another prefix or suffix. Tags that close a series
    (`-eol`, `-em`, `-eom`, `-last`) are no versions and never released.

        bad   1.2.0           (where the project says tag = "v{version}")
        bad   stein-eol
        good  v1.2.0
    """
    if LIFECYCLE.fullmatch(facts.tag):
        text = f"{facts.tag} closes a series and is no version: there is nothing to release"
        yield Said(text=text, fix="nothing: such tags are left alone", code="tag-lifecycle")
    elif not facts.version:
        text = f"{facts.tag} does not fit this project's tags, which look like {facts.project.tag!r}"
        yield Said(text=text, fix=f'tag it so, or set tag = "..." for {facts.project.name}')


@rule("TAG006", "one-tag-per-version", needs=("version",))
def one_tag_per_version(facts: Before) -> Iterator[Said]:
    """No other tag of the repository says the same version.

    `1.0` and `1.0.0` are one version, and so are `2.0` and `v2.0` under the pattern `{version}`: installers see no
    difference, and only one can be released.

        bad   1.0.0           (the tag 1.0 is there)
        good  1.0.1
    """
    own = version_key(facts.version)
    others = [tag for tag in facts.tags if tag != facts.tag and _says(facts.project.tag, tag) == own]
    if others:
        text = f"{facts.tag} and {', '.join(others[:3])} say the same version"
        yield Said(
            text=text, fix=f"release one of them: delete {others[0]} if it was never released, or tag the next version"
        )


def _says(pattern: str, tag: str) -> str | None:
    text = version_in(pattern, tag)
    return version_key(text) if text and parse(text) else None


@rule("TAG008", "version-free", needs=("version",), firm=True)
def version_free(facts: Before) -> Iterator[Said]:
    """The version is not in the trail with another tag.

    A released version means its bytes for ever, in any spelling (1.0 is 1.0.0), also after it was withdrawn.

        bad   1.2.0           (1.2.0 is released from another tag object)
        good  1.2.1
    """
    taken = facts.taken
    if taken is None:
        return
    if facts.kind == "absent":
        text = f"{taken.project} {taken.version} is released (entry {taken.index})"
    elif taken.tag is None or taken.tag.sha256 != facts.sha256:
        text = (
            f"{taken.project} {taken.version} is released (entry {taken.index}) from another tag object than this one"
        )
    else:
        return
    yield Said(text=text, fix="tag the next version: released bytes never change", code="version-taken")


@rule("TAG014", "tag-of-one-project", needs=("version",))
def tag_of_one_project(facts: Before) -> Iterator[Said]:
    """No other project reads a version out of the same tag.

    Where one repository holds several projects, each has tags of its own: `tag = "client-{version}"`. Two projects of
    one directory and one tag would be the same release under two names. Projects of two directories may be tagged
    together, and that is only asked about.

        bad   1.2.0         (of two projects of one repository and one subdirectory)
        asked 1.2.0         (both with tag = "{version}", in two subdirectories)
        good  client-1.2.0  (one with tag = "client-{version}", one with tag = "server-{version}")
    """
    for other in facts.beside:
        if parse(version_in(other.tag, facts.tag) or ""):
            level: Literal["warning"] | None = "warning" if other.subdirectory != facts.project.subdirectory else None
            text = f"{facts.tag} is a tag of {other.name} too, which has the same repository"
            fix = f'tell their tags apart: tag = "{facts.project.name}-{{version}}" for {facts.project.name}'
            yield Said(text=text, fix=fix, level=level)


@rule("TAG015", "on-a-branch")
def on_a_branch(facts: Before) -> Iterator[Said]:
    """The tag's commit is on a branch that releases are made from, where the settings name such branches.

    `branches = ["main", "stable/*"]`: who may sign tags cannot thereby release what nobody merged.

        bad   a commit on feature/x alone
        good  a commit that main has
    """
    wanted = facts.project.branches
    if wanted and not any(fnmatchcase(branch, pattern) for branch in facts.branches for pattern in wanted):
        on = f"on {', '.join(facts.branches[:3])}" if facts.branches else "on no branch"
        text = f"{facts.commit[:12]} is {on}, and not on {' or '.join(wanted)}"
        yield Said(text=text, fix=f"merge it, and tag what {wanted[0]} has then")


TAGS: tuple[Rule[Before], ...] = (
    signed_by_allowed, tag_pattern, one_tag_per_version, version_free, tag_of_one_project, on_a_branch,
)  # fmt: skip
