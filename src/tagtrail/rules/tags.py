"""Rules about the tag itself: who signed it, what it is called, whether its version is free, where its commit is."""

from collections.abc import Iterator
from fnmatch import fnmatchcase
from shlex import quote
from typing import Literal

from packaging.version import Version

from tagtrail.rules.book import Rule, Said, rule
from tagtrail.rules.facts import Before
from tagtrail.rules.grammar import alike, classify, grammar_of
from tagtrail.rules.versions import read

__all__ = ["OPEN", "TAGS"]

OPEN = ("final", "rc", "beta", "alpha", "post")
"""The channels that may be released where the settings say nothing."""


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
    return f"git tag -f -s {quote(facts.tag)} {facts.commit[:12]}  # where nobody has it yet; else tag the next version"


@rule("TAG002", "tag-pattern", firm=True)
def tag_pattern(facts: Before) -> Iterator[Said]:
    """The tag's name fits the project's pattern.

    The pattern is `tag = "{version}"` unless the project sets another prefix or suffix. Tags that close a series
    (`-eol`, `-em`, `-eom`, `-last`, and what the settings call `lifecycle`) are no versions and never released, nor
    are those that the settings `ignore`.

        bad   1.2.0           (where the project says tag = "v{version}")
        bad   stein-eol
        good  v1.2.0
    """
    meaning = facts.meaning
    if meaning.kind == "lifecycle":
        text = f"{facts.tag} closes a series and is no version: there is nothing to release"
        yield Said(text=text, fix="nothing: such tags are left alone", code="tag-lifecycle")
    elif meaning.kind == "ignored":
        text = f"the settings of {facts.project.name} ignore tags such as {facts.tag}: there is nothing to release"
        yield Said(
            text=text, fix=f"nothing; or take the pattern out of ignore for {facts.project.name}", code="tag-ignored"
        )
    elif not meaning.version:
        text = f"{facts.tag} does not fit this project's tags, which look like {facts.project.tag!r}"
        yield Said(text=text, fix=f'tag it so, or set tag = "..." for {facts.project.name}')


@rule("TAG006", "one-tag-per-version", needs=("version",))
def one_tag_per_version(facts: Before) -> Iterator[Said]:
    """No other tag of the repository says the same version.

    `1.0` and `1.0.0` are one version, and so are `2.0` and `v2.0` under the pattern `{version}`: installers see no
    difference, and only one can be released. Where the other tag does not fit the project's pattern (`2.0` under
    `v{version}`) it can never be released, but people may take it for the release: that is a warning.

        bad   1.0.0           (the tag 1.0 is there)
        asked v2.0            (the tag 2.0 is there, and the project says tag = "v{version}")
        good  1.0.1
    """
    grammar = grammar_of(facts.project)
    own = alike(grammar, facts.tag)
    others = [tag for tag in facts.tags if tag != facts.tag and alike(grammar, tag) == own]
    if others:
        rivals = [tag for tag in others if classify(grammar, tag).kind == "release"]
        level: Literal["warning"] | None = None if rivals else "warning"
        text = f"{facts.tag} and {', '.join(others[:3])} say the same version"
        fix = f"release one of them: delete {others[0]} if it was never released, or tag the next version"
        yield Said(text=text, fix=fix, level=level)


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
        if classify(grammar_of(other), facts.tag).kind == "release":
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
        merge = f"merge it, and tag what {wanted[0]} has then"
        unpushed = not facts.branches and not set("*?[") & set(wanted[0])
        push = f"git push origin {quote(wanted[0])}  # where it has that commit already; else "
        yield Said(text=text, fix=f"{push if unpushed else ''}{merge}")


@rule("TAG016", "final-is-rc", needs=("order",))
def final_is_rc(facts: Before) -> Iterator[Said]:
    """A final release is the very commit of its last release candidate, where the settings say so.

    `final-is-rc = true`: what was tested is what is released. A version that had no release candidate is not asked.

        bad   1.2.0 on a49c1e07      (1.2.0rc2 is on 77ab0311)
        good  1.2.0 on 77ab0311
    """
    if not facts.project.final_is_rc or facts.channel != "final" or not facts.candidates:
        return
    grammar = grammar_of(facts.project)
    tag, commit = max(
        facts.candidates, key=lambda c: read(grammar.scheme, classify(grammar, c[0]).version) or Version("0")
    )
    if commit != facts.commit:
        text = f"{facts.version} would be {facts.commit[:12]}, its last candidate {tag} is {commit[:12]}"
        yield Said(text=text, fix=f"git tag -s {quote(facts.tag)} {commit[:12]}; or tag another candidate first")


@rule("TAG019", "channel-open", needs=("version",))
def channel_open(facts: Before) -> Iterator[Said]:
    """The project releases versions of this channel.

    Nothing said, that is all but `dev`: development versions are for those who build them, and a version that was
    published once is taken for ever. `channels = ["final", "rc"]` says it otherwise, for a kind or a project.

        bad   1.2.0.dev3
        bad   1.2.0rc1        (where the settings say channels = ["final"])
        good  1.2.0
    """
    channels = facts.project.channels or OPEN
    if facts.channel not in channels:
        text = f"{facts.version} is a {facts.channel} version; {facts.project.name} releases {', '.join(channels)}"
        wanted = ", ".join(f'"{channel}"' for channel in (*channels, facts.channel))
        fix = f"tag one of those; or, under [project.{facts.project.name}]: channels = [{wanted}]"
        yield Said(text=text, fix=fix, code="channel-closed")


TAGS: tuple[Rule[Before], ...] = (
    signed_by_allowed, tag_pattern, one_tag_per_version, version_free, tag_of_one_project, on_a_branch, final_is_rc,
    channel_open,
)  # fmt: skip
