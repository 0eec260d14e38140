"""The census: what the rules say of 33,646 releases that were really made, each judged when it came, by what was there.

A row of tests/data is a tag as `check` would see it before it is built: the project with nothing set but its name, the
tags and releases of its repository so far, in the order in which they were listed. What the data do not have (the
signature, the files at the commit, its time) the rules are not asked about, and that is said. `final-is-rc` is asked of
all, to know how often it would hold.
"""

import csv
import io
import lzma
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from itertools import groupby
from pathlib import Path

from tagtrail.model.facts import Entry, Finding, TagRef
from tagtrail.model.names import version_key
from tagtrail.model.settings import Project
from tagtrail.rules.book import judge
from tagtrail.rules.facts import Before
from tagtrail.rules.grammar import Grammar, classify, grammar_of
from tagtrail.rules.registry import BEFORE
from tagtrail.rules.versions import parse, pattern_of

DATA = Path(__file__).parents[1] / "tests" / "data"
BEGAN, MANY = "2016", 3
UNSIGNED = "the data have no signatures"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A row with what it is in the grammar, and what the rules found.

    `imported`: it was listed with two more of its repository in one minute, or before 2016, when the listing began; so
    nobody knows what came first. `candidates` is whether a final had release candidates.
    """

    project: str
    version: str
    meaning: str
    merged: str
    imported: bool
    candidates: bool
    findings: tuple[Finding, ...]


def rows(name: str) -> list[dict[str, str]]:
    """The rows of a file of tests/data."""
    text = lzma.decompress((DATA / f"{name}.csv.xz").read_bytes()).decode()
    return list(csv.DictReader(io.StringIO(text)))


def judged() -> Iterator[Judged]:
    """Every row, judged; repository by repository, in the order of time, of one minute in the order of versions."""
    found = rows("openstack_releases")
    for (deliverable, repo), group in groupby(found, key=lambda row: (row["deliverable"], row["repo"])):
        ordered = sorted(group, key=lambda row: (row["merged"], _rank(row["version"])))
        yield from _repository(deliverable, repo, ordered)


def _rank(text: str) -> tuple[bool, object]:
    version = parse(text)
    return (version is None, version or text)


def _repository(deliverable: str, repo: str, found: list[dict[str, str]]) -> Iterator[Judged]:
    project = Project(name=deliverable, kind="", repo=repo, signers=(), final_is_rc=True)
    grammar = grammar_of(project)
    tags: dict[str, None] = {}
    history: list[Entry] = []
    candidates: dict[str, list[tuple[str, str]]] = defaultdict(list)
    listed = Counter(row["merged"] for row in found if classify(grammar, row["version"]).kind == "release")
    for row in found:
        tag, commit, merged = row["version"], row["commit"], row["merged"]
        meaning, version = classify(grammar, tag), parse(tag)
        base = version_key(version.base_version) if version else ""
        sha = sha256(f"{repo} {tag} {commit}".encode()).hexdigest()
        facts = Before(
            project=project, tag=tag, kind="annotated", commit=commit, sha256=sha, unjudged=UNSIGNED, tags=tuple(tags),
            history=tuple(history), candidates=tuple(candidates[base]) if version and not version.pre else (),
            unsurveyed="the data have no places",
        )  # fmt: skip
        verdict = judge(BEFORE, facts)
        name = deliverable if repo == deliverable else f"{deliverable} ({repo})"
        yield Judged(
            project=name, version=tag, meaning=meaning.kind, merged=merged, candidates=bool(facts.candidates),
            imported=merged < BEGAN or listed[merged] >= MANY, findings=verdict.findings,
        )  # fmt: skip
        if tag in tags:
            continue
        tags[tag] = None
        if meaning.kind == "release" and not any(f.rule == "TAG008" for f in verdict.findings):
            ref = TagRef(repo=repo, name=tag, object=commit, sha256=sha, commit=commit, signer="")
            history.append(_entry(len(history), deliverable, tag, ref))
        if version and version.pre and version.pre[0] == "rc":
            candidates[base].append((tag, commit))


def _entry(index: int, project: str, version: str, tag: TagRef) -> Entry:
    return Entry(index=index, raw=b"", event="release", project=project, time=0, files=(), version=version, tag=tag)


IGNORED = {"bats-core": ("junit_output*", "v0.13.37")}
"""What a maintainer would write: no grammar can know that a well-formed version was a joke."""


def repositories() -> Iterator[tuple[str, Grammar, tuple[str, ...]]]:
    """Each repository of tags.csv with the grammar that is guessed for it, and its tags."""
    for repo, group in groupby(rows("tags"), key=lambda row: row["repo"]):
        tags = tuple(row["tag"] for row in group)
        yield repo, Grammar(pattern=pattern_of(tags, repo), ignore=IGNORED.get(repo, ())), tags
