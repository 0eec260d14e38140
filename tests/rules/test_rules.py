"""The rules: for each, facts with exactly one thing wrong, and what the rule book does with what they say."""

import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tagtrail.model.errors import SetupError, TamperError
from tagtrail.model.facts import Entry, Finding, TagRef
from tagtrail.model.settings import Project, RuleSwitch
from tagtrail.rules.book import Verdict, judge
from tagtrail.rules.declared import Declared
from tagtrail.rules.facts import After, Before, Patch
from tagtrail.rules.order import ORDER
from tagtrail.rules.own_files import OWN_FILES
from tagtrail.rules.registry import AFTER, BEFORE, FIRM, RULES, explain, page
from tagtrail.rules.tags import TAGS

COMMIT = "a49c1e07" + "0" * 32
OTHER = "77ab0311" + "0" * 32
TAG_SHA = "5" * 64
NOW = 1_775_055_720
"""In 2026."""
YEAR = 366 * 86_400
OLD = Declared(python=True, pythons=">=3.8", asks=("oslo.utils>=3.33",))
NEW = Declared(python=True, pythons=">=3.10", asks=("oslo.utils>=4.0", "fixtures>=1.0"))


def project(**fields: Any) -> Project:
    return Project(**{"name": "mylib", "kind": "library", "repo": "/src/mylib", "signers": ("jo",)} | fields)


def entry(index: int, version: str, event: str = "release", sha256: str = "6" * 64) -> Entry:
    tag = TagRef(repo="local:mylib", name=version, object="1" * 40, sha256=sha256, commit=COMMIT, signer="SHA256:x")
    about: dict[str, Any] = {
        "index": index,
        "raw": b"",
        "event": event,
        "project": "mylib",
        "time": 0,
        "files": (),
        "version": version,
    }
    return Entry(**about, tag=tag if event == "release" else None)


def history(*versions: str) -> tuple[Entry, ...]:
    return tuple(entry(index, version) for index, version in enumerate(versions))


def facts(tag: str = "1.2.0", **fields: Any) -> Before:
    usual: dict[str, Any] = {
        "project": project(),
        "kind": "annotated",
        "commit": COMMIT,
        "sha256": TAG_SHA,
        "judged": True,
    }
    return Before(tag=tag, **usual | {"history": history("1.0.0", "1.1.0")} | fields)


def found(before: Before, *switches: RuleSwitch) -> list[tuple[str, str, str]]:
    return [(f.rule, f.code, f.level) for f in judge(BEFORE, before, switches).findings]


def test_nothing_against_a_good_tag() -> None:
    verdict = judge(BEFORE, facts())
    assert verdict == Verdict(ran=tuple(rule.id for rule in BEFORE))


# One row is one thing wrong: what it is, and all that the rules say.
WRONG = {
    "signature": (
        facts(refusal=TamperError("tag 1.2.0 is not signed", code="tag-unsigned")),
        ("TAG001", "tag-unsigned", "error"),
    ),
    "pattern": (facts("1.2.0", project=project(tag="v{version}")), ("TAG002", "tag-pattern", "error")),
    "lifecycle": (facts("stein-eol"), ("TAG002", "tag-lifecycle", "error")),
    "no version": (facts("1.2.0-final2x"), ("TAG003", "pep440", "error")),
    "spelling": (facts("v1.2.0"), ("TAG004", "canonical-version", "error")),
    "dashes": (facts("1.2.0-rc1"), ("TAG004", "canonical-version", "error")),
    "local": (facts("1.2.0+ours"), ("TAG004", "version-local", "error")),
    "lower": (facts("1.0.5", history=history("1.0.0", "1.0.6")), ("TAG005", "version-lower", "error")),
    "beta below a final": (
        facts("31.0.0.0b2", history=history("30.0.0", "31.0.0")),
        ("TAG005", "version-lower", "error"),
    ),
    "lower than a tag, before it is there": (
        facts("1.0.5", kind="absent", history=(), tags=("1.0.0", "1.0.6")),
        ("TAG005", "version-lower", "error"),
    ),
    "lower than a tag": (facts("1.0.5", history=(), tags=("1.0.0", "1.0.6")), ("TAG005", "version-lower", "warning")),
    "two tags": (facts(tags=("1.2", "1.2.0")), ("TAG006", "one-tag-per-version", "error")),
    "a tag with v": (facts(tags=("v1.2.0", "1.2.0")), ("TAG006", "one-tag-per-version", "error")),
    "year": (facts("2026.1.0"), ("TAG007", "year-jump", "error")),
    "year after tags": (facts("2026.1.0", kind="absent", history=(), tags=("1.0",)), ("TAG007", "year-jump", "error")),
    "first year": (facts("2026.1.0", history=()), ("TAG007", "year-first", "warning")),
    "taken": (facts("1.1.0"), ("TAG008", "version-taken", "error")),
    "taken in another spelling": (facts("1.1"), ("TAG008", "version-taken", "error")),
    "taken and withdrawn": (
        facts("1.1.0", history=(*history("1.0.0", "1.1.0"), entry(2, "1.1.0", "withdraw"))),
        ("TAG008", "version-taken", "error"),
    ),
    "taken, before it is tagged again": (
        facts("1.1.0", kind="absent", sha256=""),
        ("TAG008", "version-taken", "error"),
    ),
    "name": (facts(declared=Declared(python=True, name="other")), ("TAG009", "name-declared", "error")),
    "broken": (facts(declared=Declared(python=True, broken="not TOML")), ("TAG009", "pyproject-broken", "error")),
    "version": (facts(declared=Declared(python=True, version="1.1.0")), ("TAG010", "version-declared", "error")),
    "first pre-release": (facts("1.2.0rc1", history=()), ("TAG011", "first-prerelease", "warning")),
    "still no final": (facts("1.2.0rc2", history=history("1.2.0rc1")), ("TAG011", "first-prerelease", "warning")),
    "no file with the version": (
        facts(project=project(declares="a.json:version")),
        ("TAG013", "declares-missing", "error"),
    ),
    "no version in the file": (
        facts(project=project(declares="a.json:version"), written=b"{}"),
        ("TAG013", "declares-unreadable", "error"),
    ),
    "another version in the file": (
        facts(project=project(declares="a.json:version"), written=b'{"version": "1.1.0"}'),
        ("TAG013", "version-in-file", "error"),
    ),
    "two projects, one tag": (
        facts(beside=(project(name="other"),)),
        ("TAG014", "tag-of-one-project", "error"),
    ),
    "two directories, one tag": (
        facts(beside=(project(name="other", subdirectory="other"),)),
        ("TAG014", "tag-of-one-project", "warning"),
    ),
    "no branch": (facts(project=project(branches=("main",))), ("TAG015", "on-a-branch", "error")),
    "another branch": (
        facts(project=project(branches=("main", "stable/*")), branches=("mainline", "feature/stable/1")),
        ("TAG015", "on-a-branch", "error"),
    ),
    "ignored": (
        facts("nightly-3", project=project(ignore=("nightly*",))),
        ("TAG002", "tag-ignored", "error"),
    ),
    "lifecycle of its own": (
        facts("1.2.0-closed", project=project(lifecycle=("*-closed",))),
        ("TAG002", "tag-lifecycle", "error"),
    ),
    "no SemVer": (
        facts("1.2.0-nightly.3", project=project(versions="semver", build=("tar.gz",))),
        ("TAG003", "pep440", "error"),
    ),
    "SemVer without its dots": (
        facts("1.2.0-rc1", project=project(versions="semver", build=("tar.gz",))),
        ("TAG004", "canonical-version", "error"),
    ),
    "SemVer of two numbers": (
        facts("1.2", project=project(versions="semver", build=("tar.gz",))),
        ("TAG004", "canonical-version", "error"),
    ),
    "build metadata": (
        facts("1.2.0+20260401", project=project(versions="semver", build=("tar.gz",))),
        ("TAG004", "version-local", "error"),
    ),
    "SemVer for Python": (
        facts("1.2.0-rc.1", project=project(versions="semver")),
        ("TAG004", "canonical-version", "error"),
    ),
    "years of two numbers": (
        facts("2026.1", project=project(versions="calver"), history=history("2025.2.0")),
        ("TAG004", "canonical-version", "error"),
    ),
    "no word": (
        facts("releases/3", project=project(versions="any", build=("tar.gz",))),
        ("TAG003", "pep440", "error"),
    ),
    "the other usual tag": (
        facts("v1.2.0", project=project(tag="v{version}"), tags=("v1.2.0", "1.2.0")),
        ("TAG006", "one-tag-per-version", "warning"),
    ),
    "beta after rc": (
        facts("1.2.0b1", history=history("1.1.0", "1.2.0rc1")),
        ("TAG005", "version-lower", "error"),
    ),
    "another commit than the last candidate's": (
        facts(project=project(final_is_rc=True), candidates=(("1.2.0rc1", COMMIT), ("1.2.0rc2", OTHER))),
        ("TAG016", "final-is-rc", "error"),
    ),
    "a patch drops a Python": (
        facts("1.1.1", patch=Patch(follows="1.1.0", before=OLD, now=replace(OLD, pythons=">=3.10"))),
        ("TAG017", "python-dropped", "error"),
    ),
    "a patch needs more": (
        facts("1.1.1", patch=Patch(follows="1.1.0", before=OLD, now=replace(OLD, asks=NEW.asks))),
        ("TAG017", "minimum-raised", "warning"),
    ),
    "an epoch, by tags of which nobody knows the order": (
        facts("1!1.2.0", history=(), tags=("1.0.0",)),
        ("TAG018", "epoch-begun", "warning"),
    ),
    "behind an epoch, by tags": (
        facts("3.0", history=(), tags=("2.0", "1!1.0")),
        ("TAG018", "epoch-dropped", "warning"),
    ),
    "a year, about to be pushed": (
        facts("2026.1", history=(), tags=("33.0.2", "2026.1"), unseen=("2026.1",)),
        ("TAG007", "year-jump", "error"),
    ),
    "lower than a tag, about to be pushed": (
        facts("1.0.5", history=(), tags=("1.0.0", "1.0.6"), unseen=("1.0.5", "1.0.0")),
        ("TAG005", "version-lower", "error"),
    ),
    "pushed together with a higher one": (
        facts("1.0.5", history=(), tags=("1.0.0", "1.0.6"), unseen=("1.0.5", "1.0.0", "1.0.6")),
        ("TAG005", "version-lower", "warning"),
    ),
    "a year, by tags": (facts("2026.1", history=(), tags=("33.0.2",)), ("TAG007", "year-jump", "warning")),
    "a year in a new epoch": (facts("1!2026.1"), ("TAG018", "epoch-begun", "error")),
    "brought in from history": (
        facts("1.1.0", history=(replace(entry(0, "1.1.0", "import"), tag=None),)),
        ("TAG008", "version-taken", "error"),
    ),
    "an epoch": (facts("1!1.2.0"), ("TAG018", "epoch-begun", "error")),
    "a first release with an epoch": (facts("1!1.2.0", history=()), ("TAG018", "epoch-begun", "error")),
    "behind an epoch": (facts("3.0", history=history("2.0", "1!1.0")), ("TAG018", "epoch-dropped", "error")),
    "dev": (facts("1.2.0.dev1"), ("TAG019", "channel-closed", "error")),
    "a closed channel": (
        facts("1.2.0rc1", project=project(channels=("final",))),
        ("TAG019", "channel-closed", "error"),
    ),
    "any word is final": (
        facts("r2", project=project(versions="any", build=("tar.gz",), channels=("rc",)), history=()),
        ("TAG019", "channel-closed", "error"),
    ),
    "a year to come": (
        facts("2062.1.0", project=project(versions="calver"), history=history("2025.2.0"), time=NOW),
        ("TAG020", "year-future", "error"),
    ),
    "a year gone by": (
        facts("2026.2.1", project=project(versions="calver"), history=history("2025.2.0"), time=NOW + 3 * YEAR),
        ("TAG020", "year-past", "warning"),
    ),
    "own settings": (facts(declared=Declared(own=("publish",))), ("TAG012", "own-settings", "error")),
}


@pytest.mark.parametrize("name", WRONG)
def test_one_thing_wrong(name: str) -> None:
    before, said = WRONG[name]
    assert found(before) == [said]


def test_every_rule_has_a_row() -> None:
    assert {said[0] for _, said in WRONG.values()} == {rule.id for rule in (*TAGS, *ORDER, *OWN_FILES)}


@pytest.mark.parametrize("name", WRONG)
def test_without_its_rule_nothing_is_said(name: str) -> None:
    before, (rule, _, _) = WRONG[name]
    assert judge([r for r in BEFORE if r.id != rule], before).findings == ()


@pytest.mark.parametrize("name", WRONG)
def test_every_finding_says_what_to_do(name: str) -> None:
    before, _ = WRONG[name]
    (finding,) = judge(BEFORE, before).findings
    assert finding.text
    assert finding.fix


RIGHT = {
    "the version in the file, as others write it": facts(
        "1.2.0rc1", project=project(declares="a.json:version"), written=b'{"version": "1.2.0-rc.1"}'
    ),
    "a file that is there and that nobody asked for": facts(written=b'{"version": "9"}'),
    "a project beside with tags of its own": facts(beside=(project(name="other", tag="other-{version}"),)),
    "on one of the branches": facts(project=project(branches=("main", "stable/*")), branches=("stable/1.x", "x")),
    "branches that nobody asked for": facts(branches=("feature",)),
    "a first pre-release of what is not Python": facts(
        "1.2.0rc1", project=project(build=("tar.gz",)), history=history()
    ),
    "a patch of an old series": facts("1.0.1", history=history("1.0.0", "1.1.0")),
    "another spelling of the name": facts(project=project(name="my-lib"), declared=Declared(name="My_Lib")),
    "another spelling of the version": facts(declared=Declared(version="1.2")),
    "a subdirectory's files are elsewhere": facts(
        project=project(subdirectory="lib"), declared=Declared(name="other", version="9")
    ),
    "four numbers": facts("33.0.0.0rc1", history=history("32.0.0")),
    "a project that counts years": facts("2026.1.0", history=history("2025.2.0")),
    "years in an epoch that is there": facts("1!2026.1.0", history=history("33.0.0", "1!2025.1.0")),
    "a patch below an epoch": facts("2.0.1", history=history("2.0.0", "1!1.0")),
    "a year left behind": facts("13.0.0", history=history("2015.1.0", "12.0.0")),
    "a withdrawn version does not count": facts(
        "1.2.0", history=(*history("1.0.0", "99.0"), entry(2, "99.0", "withdraw"))
    ),
    "the same tag again": facts("1.1.0", history=(entry(0, "1.0.0"), entry(1, "1.1.0", sha256=TAG_SHA))),
    "the same tag again, later ones released": facts(
        "1.0.0", history=(entry(0, "1.0.0", sha256=TAG_SHA), entry(1, "1.1.0"), entry(2, "2026.1"))
    ),
    "the tags say nothing where the trail does": facts("1.2.0", tags=("99.0",)),
    "other tags": facts(tags=("1.2.0", "stein-eol", "junk", "1.2.1")),
    "a prefix": facts("v1.2.0", project=project(tag="v{version}"), tags=("v1.2.0", "1.2.1", "lib-1.2.0")),
    "SemVer": facts("1.2.0-rc.1", project=project(versions="semver", build=("tar.gz",))),
    "SemVer for Python, as PEP 440 writes it": facts(project=project(versions="semver")),
    "years with a reason": facts("2026.1.0", project=project(versions="calver"), history=history("2025.2.0"), time=NOW),
    "a commit of which nobody knows the time": facts(
        "2026.1.0", project=project(versions="calver"), history=history("2025.2.0"), time=0
    ),
    "next year": facts("2027.1.0", project=project(versions="calver"), history=history("2026.2.0"), time=NOW),
    "a patch of an old year": facts(
        "2020.1.1", project=project(versions="calver"), history=history("2020.1.0", "2026.1.0"), time=NOW
    ),
    "any word": facts("20260401-r2", project=project(versions="any", build=("tar.gz",)), history=history("x", "y")),
    "the last candidate's commit": facts(
        project=project(final_is_rc=True), candidates=(("1.2.0rc1", OTHER), ("1.2.0rc2", COMMIT))
    ),
    "no candidate": facts(project=project(final_is_rc=True)),
    "a candidate's own commit": facts("1.2.0rc2", project=project(final_is_rc=True), candidates=(("1.2.0rc1", OTHER),)),
    "a candidate that nobody asked about": facts(candidates=(("1.2.0rc1", OTHER),)),
    "dev where it is open": facts("1.2.0.dev1", project=project(channels=("dev",))),
    "a patch that asks no more": facts("1.1.1", patch=Patch(follows="1.1.0", before=OLD, now=OLD)),
    "a patch that asks less": facts("1.1.1", patch=Patch(follows="1.1.0", before=NEW, now=OLD)),
}


@pytest.mark.parametrize("name", RIGHT)
def test_nothing_to_say(name: str) -> None:
    assert found(RIGHT[name]) == []


def test_a_rule_that_cannot_be_asked_says_why() -> None:
    verdict = judge(BEFORE, facts("stein-eol", kind="absent", judged=False))
    skipped = dict(verdict.skipped)
    assert skipped["TAG001"] == "there is no tag stein-eol yet"
    assert skipped["TAG005"] == "no version in 'stein-eol'"
    assert {*skipped, *verdict.ran} == {rule.id for rule in BEFORE}


def switch(rule: str, level: str) -> RuleSwitch:
    return RuleSwitch(rule=rule, level=level, because="it has always been so")


def test_a_rule_that_is_off_leaves_its_reason() -> None:
    verdict = judge(BEFORE, facts("2026.1.0"), [switch("TAG007", "off")])
    assert verdict.findings == ()
    assert [(o.rule, o.because) for o in verdict.overrides] == [("TAG007", "it has always been so")]


def test_a_switch_without_a_finding_leaves_nothing() -> None:
    assert judge(BEFORE, facts(), [switch("TAG007", "off")]).overrides == ()


def test_an_error_becomes_a_warning_and_leaves_its_reason() -> None:
    verdict = judge(BEFORE, facts("2026.1.0"), [switch("TAG007", "warning")])
    assert [f.level for f in verdict.findings] == ["warning"]
    assert len(verdict.overrides) == 1


def test_a_warning_becomes_an_error() -> None:
    verdict = judge(BEFORE, facts("1.2.0rc1", history=()), [switch("TAG011", "error")])
    assert [f.level for f in verdict.errors] == ["error"]
    assert verdict.overrides == ()


def test_the_projects_switch_wins() -> None:
    assert found(facts("2026.1.0"), switch("TAG007", "off"), switch("TAG007", "error")) == [
        ("TAG007", "year-jump", "error")
    ]


def test_a_firm_rule_cannot_be_switched() -> None:
    wrong, said = WRONG["taken"]
    assert FIRM["TAG008"]
    assert found(wrong, switch("TAG008", "off")) == [said]


# --- after the build ---

OTHERS = [
    ("1.2.0", "mylib-1.2.0-linux-64.tar.gz", ""),
    ("1.2.0", "mylib-1.2.0-windows-386.zip", ""),
    ("1.2.0", "mylib-linux-amd64-v1.2.0", ""),
    ("1.2.0rc1", "mylib-1.2.0-rc.1.tgz", ""),
    ("1.2.0", "mylib-1.2.0-rc.1.tgz", "file-version-agrees"),
    ("1.2.0", "mylib-1.2.0.1-linux-64.tar.gz", "file-version-agrees"),
    ("20260401-r2", "mylib-20260401-r2.tar.gz", ""),
    ("spring", "mylib-spring-linux-64.tar.gz", ""),
    ("spring", "mylib-offspring-linux-64.tar.gz", "file-version-agrees"),
    ("r2", "mylib-r2.1.tar.gz", "file-version-agrees"),
    ("r2", "mylib-r21.tar.gz", "file-version-agrees"),
    ("1.2.0", "mylib-linux-64.tar.gz", "file-version-agrees"),
    ("1.2.0", "mylib2-1.2.0.tar.gz", "file-name-agrees"),
    ("1.2.0", "tool-mylib-1.2.0.tar.gz", "file-name-agrees"),
]


@pytest.mark.parametrize(("version", "file", "code"), OTHERS)
def test_names_of_what_is_not_python(version: str, file: str, code: str) -> None:
    verdict = judge(AFTER, After(project="mylib", version=version, files=(file,), python=False))
    assert [f.code for f in verdict.findings] == ([code] if code else [])


FILES = {
    "another project": ("mylib2-1.2.0.tar.gz", "file-name-agrees"),
    "another project's wheel": ("mylib2-1.2.0-py3-none-any.whl", "file-name-agrees"),
    "a longer name": ("mylibs-1.2.0.zip", "file-name-agrees"),
    "another version": ("mylib-1.2.1.dev3.tar.gz", "file-version-agrees"),
    "another wheel's version": ("mylib-1.3-py3-none-any.whl", "file-version-agrees"),
    "another version of something else": ("mylib-1.3.0.deb", "file-version-agrees"),
    "a longer version": ("mylib-11.2.0.deb", "file-version-agrees"),
    "a longer version behind": ("mylib-1.2.0.1.deb", "file-version-agrees"),
    "a local version of it": ("mylib-1.2.0+x.exe", "file-version-agrees"),
    "a local version in the middle": ("mylib-1.2.0+x-setup.exe", "file-version-agrees"),
    "a pre-release of it": ("mylib-1.2.0rc1.deb", "file-version-agrees"),
    "a sidecar": ("mylib-1.2.0.tar.gz.asc", "file-name-free"),
    "sums": ("mylib-1.2.0.SHA256SUMS", "file-name-free"),
    "sums in another spelling": ("mylib-1.2.0_sha256sums", "file-name-free"),
    "a reproducer's statement": ("mylib-1.2.0.reproduced-1832b1dd.jsonl", "file-name-free"),
    "a space": ("mylib-1.2.0 setup.exe", "file-name"),
    "parentheses": ("mylib-1.2.0(1).exe", "file-name"),
    "no ASCII": ("mylib-1.2.0-fran\u00e7ais.exe", "file-name"),
    "a page": ("mylib-1.2.0.html", "file-name-free"),
    "a picture that runs": ("mylib-1.2.0.SVG", "file-name-free"),
}


@pytest.mark.parametrize("name", FILES)
def test_one_file_wrong(name: str) -> None:
    file, code = FILES[name]
    verdict = judge(AFTER, After(project="mylib", version="1.2.0", files=("mylib-1.2.0.tar.gz", file)))
    assert [f.code for f in verdict.errors] == [code]


@pytest.mark.parametrize("name", ["index.html", "releases.json", "watch", "1.2.0", "Feed.Atom"])
def test_names_of_the_site(name: str) -> None:
    verdict = judge(AFTER, After(project="mylib", version="1.2.0", files=(name,)))
    assert "file-name-free" in [f.code for f in verdict.errors]


@pytest.mark.parametrize(("size", "refused"), [(240, False), (241, True)])
def test_a_name_leaves_room_for_the_names_of_its_sidecars(size: int, refused: bool) -> None:
    name = "mylib-1.2.0-".ljust(size - 4, "x") + ".exe"
    verdict = judge(AFTER, After(project="mylib", version="1.2.0", files=(name,)))
    assert ("file-name-long" in [f.code for f in verdict.errors]) == refused


@pytest.mark.parametrize(
    ("version", "name"),
    [("1.2.0+lts", "fuel-1.2.0+lts.2.exe"), ("1.2.0-rc.1", "fuel-1.2.0-rc.1+x.exe"), ("cvs-2", "fuel-cvs-2+x.exe")],
)
def test_a_local_version_is_another(version: str, name: str) -> None:
    verdict = judge(AFTER, After(project="fuel", version=version, files=(name,)))
    assert [f.code for f in verdict.errors] == ["file-version-agrees"]


def test_two_names_that_mean_one() -> None:
    files = ("mylib-1.2.0.tar.gz", "MyLib-1.2.tgz")
    verdict = judge(AFTER, After(project="mylib", version="1.2.0", files=files))
    assert "file-names-alike" in [f.code for f in verdict.errors]


@pytest.mark.parametrize(
    ("project", "version", "files"),
    [
        ("mylib", "1.2.0", ("mylib-1.2.0.tar.gz", "mylib-1.2.0-py3-none-any.whl")),
        ("oslo.config", "9.7.0", ("oslo_config-9.7.0.tar.gz", "oslo_config-9.7.0-py3-none-any.whl")),
        ("my-lib", "1.0", ("My_Lib-1.0-py3-none-any.whl", "my.lib-1.0.0.zip")),
        ("nova", "33.0.0.0rc1", ("nova-33.0.0.0rc1.tar.gz", "nova-33.0.0.0rc1.tar.xz")),
        ("fuel", "1.2.0+lts.1", ("fuel-1.2.0+lts.1.exe", "fuel-1.2.0+lts_1-setup.exe", "fuel-1.2.0+LTS.1.deb")),
        ("fuel", "1.2.0-rc.1+lts", ("fuel-1.2.0-rc.1+lts.exe", "fuel-1.2.0-rc.1+lts-setup.exe")),
        ("fuel", "1.2.0", ("fuel-1.2.0.tar.xz", "fuel-tools-1.2.0.deb", "fuel_1.2.0-1_amd64.deb", "fuel-v1.2.0.iso")),
    ],
)
def test_good_files(project: str, version: str, files: tuple[str, ...]) -> None:
    assert judge(AFTER, After(project=project, version=version, files=files)).findings == ()


# --- documentation ---


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_every_rule_tells_what_is_bad_and_what_is_good(rule: Any) -> None:
    title, _, rest = rule.about.partition("\n")
    assert title.endswith(".")
    assert "    bad   " in rest or "    asked " in rest
    assert "    good  " in rest or rule.id == "TAG012"


def test_ids_and_names_are_unique() -> None:
    assert len({r.id for r in RULES} | {r.name for r in RULES}) == 2 * len(RULES)


@pytest.mark.parametrize("text", ["TAG007", "tag007", "year-jump"])
def test_explain(text: str) -> None:
    assert explain(text).startswith("TAG007 year-jump\n")


def test_explain_an_unknown_rule() -> None:
    with pytest.raises(SetupError) as caught:
        explain("TAG0077")
    assert caught.value.code == "rule-unknown"
    assert "TAG007" in caught.value.why


def test_page(golden: Any) -> None:
    golden(Path(__file__).parents[2] / "docs" / "rules.md", page().encode())


def test_findings_are_facts() -> None:
    (finding,) = judge(BEFORE, facts("2026.1.0")).findings
    assert isinstance(finding, Finding)
    assert finding.text == (
        "2026.1.0 starts with a year, 1.1.0 did not: it sorts above every later plain version, for ever; "
        "next must be >= 2026.2, 3000.x, or an epoch"
    )
    assert finding.fix == (
        'keep 2.0.0 and set series = "2026.1 NAME" (shown on pages and in mail); '
        'or versions = "calver" with calver-because = "WHY", then 2026.1.0'
    )


FIXES = [
    (facts("1!1.2.0"), "tag a version above 1.1.0; or, under [project.mylib.rules]: "),
    (facts("1!1.2.0", history=()), "tag 1.2.0; or, under [project.mylib.rules]: "),
    (facts("2026.1", history=()), "start with 1.0.0; or, if years are what you want, tag 2026.1.0"),
    (
        facts(refusal=TamperError("tag 1.2.0 is not signed", code="tag-unsigned")),
        "git tag -f -s 1.2.0 a49c1e070000  # where nobody has it yet; else tag the next version",
    ),
]

HOSTILE = "1.0$(touch${IFS}x)"
UNSIGNED = TamperError("it is not signed", code="tag-unsigned")
QUOTED = [
    (facts(HOSTILE, refusal=UNSIGNED), f"git tag -f -s '{HOSTILE}' "),
    (facts("1!1.2.0-rc1", history=history("1!1.0.0")), "git tag -s '1!1.2.0rc1'"),
    (
        facts(
            "1!1.2.0", history=history("1!1.0"), project=project(final_is_rc=True), candidates=(("1!1.2.0rc1", OTHER),)
        ),
        "git tag -s '1!1.2.0' ",
    ),
]


@pytest.mark.parametrize(("before", "fix"), QUOTED)
def test_what_is_pasted_runs_nothing_else(before: Before, fix: str) -> None:
    assert judge(BEFORE, before).findings[0].fix.startswith(fix)


@pytest.mark.parametrize(("before", "fix"), FIXES)
def test_a_fix_leads_somewhere_good(before: Before, fix: str) -> None:
    (finding,) = judge(BEFORE, before).findings
    assert finding.fix.startswith(fix)


def test_the_switch_of_a_fix_can_be_pasted() -> None:
    (finding,) = judge(BEFORE, facts("1!1.2.0")).findings
    (switch,) = tomllib.loads(finding.fix.partition(": ")[2]).items()
    assert switch == ("TAG018", {"level": "off", "because": "WHY"})


def test_a_patch_whose_requirements_nobody_can_know() -> None:
    for patch in (
        Patch(follows="1.1.0", before=OLD, now=Declared()),
        Patch(follows="1.1.0", before=Declared(), now=OLD),
        Patch(follows="1.1.0", unread="there is no tag 1.1.0"),
    ):
        skipped = dict(judge(BEFORE, facts("1.1.1", patch=patch)).skipped)
        assert set(skipped) == {"TAG017"}
        assert skipped["TAG017"]


def test_of_any_word_no_order_is_asked() -> None:
    verdict = judge(BEFORE, facts("r2", project=project(versions="any", build=("tar.gz",))))
    assert verdict.findings == ()
    assert {id_ for id_, why in verdict.skipped if "nobody knows" in why} == {
        rule.id for rule in BEFORE if "order" in rule.needs
    }


@pytest.mark.parametrize(
    ("branches", "there", "fix"),
    [
        (("main",), (), "git push origin main  # where it has that commit already; else merge it, and"),
        (("it's",), (), "git push origin 'it'\"'\"'s'  # where"),
        (("main",), ("side",), "merge it, and tag what main has then"),
        (("stable/*",), (), "merge it, and tag what stable/* has then"),
    ],
)
def test_a_branch_that_was_not_pushed_yet_is_thought_of(
    branches: tuple[str, ...], there: tuple[str, ...], fix: str
) -> None:
    (finding,) = judge(BEFORE, facts(project=project(branches=branches), branches=there)).findings
    assert (finding.rule, finding.fix.startswith(fix)) == ("TAG015", True), finding.fix
