"""Writes docs/census.md: what the rules say of releases that were really made (`make census`; a few seconds)."""

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from bench.census import Judged, judged, repositories  # noqa: E402  (found by the line above)
from tagtrail.rules.grammar import classify, collisions  # noqa: E402
from tagtrail.rules.registry import BEFORE  # noqa: E402
from tagtrail.rules.versions import parse, spelled  # noqa: E402

PAGE = ROOT / "docs" / "census.md"
SHOWN = 2

FOLLOWS = {
    "TAG002": "firm: what closes a series is no version",
    "TAG003": "firm: there is none",
    "TAG004": "firm: the seven there are were listed in 2015",
    "TAG005": "error: fifteen in ten years, slips and old series that were listed late",
    "TAG006": "error: there is none",
    "TAG007": "error for the jump (the four are old series that were listed late), a first release is asked about",
    "TAG008": "firm: there is none",
    "TAG011": "warning: often meant, and everybody gets it",
    "TAG016": "off unless a project says so",
    "TAG018": "error: there is none",
    "TAG019": "error for dev: there is none. Other channels are open: post is, because of the tags above",
}
"""What follows for a rule's level."""

OPENING = """\
# The census: what the rules say of real releases

A rule earns its severity here. {rows:,} facts of {projects} projects, 2011 to 2026, are judged by the rules as they
stand, each by what was there when it came; and the tags of {repos} public repositories are read by the grammar that is
guessed for them. The page is made from tests/data (`make census`); a test holds it to that.

## Tags

No lifecycle, branch-like or joke tag becomes a release. Where a tag is well-formed and yet no release, a person must
say so: bats-core's row has `ignore = ["junit_output*", "v0.13.37"]`. The guess is `pattern_of`, with the project's
name.

| repository | pattern | releases | of these written otherwise | lifecycle | ignored | unfit |
|---|---|---|---|---|---|---|
"""
COLLISIONS = """
Of setuptools-scm, the unfit tags are from before its repository held two projects, or the other project's.
Collisions, tags that people would take for one version:

"""
RELEASES = """
## Releases

{lifecycle:,} of the {rows:,} rows ({share:.0%}) close a series and are no versions. Of the {releases:,} that are left,
{imported:,} were listed before 2016 or with two more of their repository in one minute: imports of older history, of
which nobody knows the order. *As they came* leaves these out: that is what the rules would have told people.

| rule | level | of all | as they came | what follows for the rule |
|---|---|---|---|---|
"""
NOT_ASKED = """
Not asked, because the data do not have it: {rules}. `final-is-rc` was asked of the {candidates:,} finals that had
release candidates. The rules had nothing against {fine:,} of {releases:,} ({fine_share:.1%}).

## Examples

"""
REFINED = """
## What the census changed

- **TAG005** lets a final be the highest of a released series, below other series: patches of stable branches are so.
- **TAG005** held plain versions against years wherever the newest release started with a year. nova 13.0.0.0b1 came
  after 12.0.0 and after a patch of 2015.1: years no longer count once a plain release came after one.
- **TAG011** stays a warning: one release in thirty is a pre-release of something that has no final yet.
- **TAG019** leaves all channels open but `dev`.
- **TAG016** is asked only where a project says so: a fix after the last candidate is no error in itself.
"""


def page() -> str:
    """docs/census.md."""
    found = tuple(judged())
    tags = "".join(f"| {' | '.join(row)} |\n" for row in _repositories())
    releases = [j for j in found if j.meaning == "release"]
    came, fine = [j for j in releases if not j.imported], sum(not j.findings for j in releases)
    lifecycle = sum(j.meaning == "lifecycle" for j in found)
    projects, repos = {j.project.partition(" (")[0] for j in found}, tags.count("\n")
    left = ", ".join(rule.id for rule in BEFORE if rule.id.startswith("TAG") and rule.id not in FOLLOWS)
    return "".join(
        (
            OPENING.format(rows=len(found), projects=len(projects), repos=repos),
            tags,
            COLLISIONS,
            *(f"- {line}\n" for line in _collisions()),
            RELEASES.format(
                lifecycle=lifecycle, rows=len(found), share=lifecycle / len(found), releases=len(releases),
                imported=len(releases) - len(came),
            ),
            *_rules(found, came),
            NOT_ASKED.format(
                rules=left, candidates=sum(j.candidates for j in releases), fine=fine, releases=len(releases),
                fine_share=fine / len(releases),
            ),
            *_examples(releases),
            REFINED,
        )
    )  # fmt: skip


def _repositories() -> Iterator[tuple[str, ...]]:
    for repo, grammar, tags in repositories():
        meanings = {tag: classify(grammar, tag) for tag in tags}
        kinds = Counter(meaning.kind for meaning in meanings.values())
        versions = [(m.version, parse(m.version)) for m in meanings.values() if m.kind == "release"]
        other = sum(version is not None and spelled("pep440", version) != text for text, version in versions)
        unfit = [tag for tag, meaning in meanings.items() if meaning.kind == "unfit"]
        shown = ", ".join(f"`{tag}`" for tag in unfit[:4]) + (f" and {len(unfit) - 4} more" if unfit[4:] else "")
        counts = (kinds["release"], other, kinds["lifecycle"], kinds["ignored"])
        yield repo, f"`{grammar.pattern}`", *(str(n or "") for n in counts), shown


def _collisions() -> Iterator[str]:
    for repo, grammar, tags in repositories():
        yield from (f"{repo}: {', '.join(f'`{tag}`' for tag in group)}" for group in collisions(grammar, tags))


def _rules(found: Sequence[Judged], came: Sequence[Judged]) -> Iterator[str]:
    every = Counter((f.rule, f.level) for j in found for f in j.findings)
    own = Counter((f.rule, f.level) for j in came for f in j.findings)
    for rule in BEFORE:
        levels = sorted({level for name, level in every if name == rule.id}) or [rule.level]
        for level in levels if rule.id in FOLLOWS else ():
            counts = f"{every[rule.id, level]:,} | {own[rule.id, level]:,}"
            yield f"| {rule.id} {rule.name} | {level} | {counts} | {FOLLOWS[rule.id]} |\n"


def _examples(releases: Sequence[Judged]) -> Iterator[str]:
    said = [((f.rule, f.code), j, f) for j in sorted(releases, key=lambda j: j.imported) for f in j.findings]
    for (rule, code), group in groupby(sorted(said, key=lambda one: one[0]), key=lambda one: one[0]):
        for _, release, finding in list(group)[:SHOWN]:
            where = f"{release.project} {release.version}, listed {release.merged[:10]}"
            yield f"- {rule} `{code}`: {where}: {finding.text}\n"


if __name__ == "__main__":
    PAGE.write_text(page())
    print(PAGE.relative_to(ROOT))
