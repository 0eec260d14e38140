"""Cases in files: what comes back gets the same verdict, and what nobody wrote is refused with its reason."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagtrail.formats import canonical
from tagtrail.formats.casefile import CASE_TYPE, MAX_SIZE, SCHEMA
from tagtrail.model.errors import TamperError
from tagtrail.model.facts import Entry, File, Override, Remark, Survey, Tagged, TagRef
from tagtrail.model.metadata import IndexView, Metadata
from tagtrail.model.settings import Project, RuleSwitch
from tagtrail.rules.declared import Declared
from tagtrail.rules.facts import After, Before, Described
from tagtrail.rules.registry import FIRM
from tagtrail.workflows.case import Case, read_case, tools, verdict, write_case

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
VERSIONS = st.sampled_from(["1.0", "1.0.0", "1.1rc1", "2026.1", "1!2.0", "2.0+x", "x", "", "stein-eol", "v1.0"])
HEX = st.sampled_from(["a" * 64, "b" * 64, ""])
NAMES = st.sampled_from(["mylib-1.0.tar.gz", "mylib-1.0-py3-none-any.whl", "MyLib-1.1rc1.zip", "index.html"])
FILES = st.builds(File, name=NAMES, sha256=HEX, size=st.integers(0, 9**9))
TAGS = st.builds(TagRef, repo=TEXTS, name=VERSIONS, object=HEX, sha256=HEX, commit=HEX, signer=TEXTS)
ENTRIES = st.builds(
    Entry,
    index=st.integers(0, 99),
    raw=st.binary(max_size=9),
    event=st.sampled_from(["release", "withdraw", "import", "key"]),
    project=st.just("mylib"),
    time=st.integers(0, 2**40),
    files=st.lists(FILES, max_size=2).map(tuple),
    version=VERSIONS,
    tag=st.none() | TAGS,
)
SURVEYS = st.builds(
    Survey,
    target=TEXTS,
    files=st.lists(st.tuples(NAMES, HEX), max_size=3).map(tuple),
    name=st.sampled_from(["", "free", "ours", "taken"]),
    may_upload=st.none() | st.booleans(),
    quota=st.none() | st.integers(-1, 9**9),
    limit=st.none() | st.integers(0, 9**9),
    silent=TEXTS,
)
PROJECTS = st.builds(
    Project,
    name=st.just("mylib"),
    kind=TEXTS,
    repo=TEXTS,
    signers=st.just(("jo",)),
    tag=st.sampled_from(["{version}", "v{version}"]),
    versions=st.sampled_from(["pep440", "semver", "calver", "any"]),
    build=st.sampled_from([(), ("sdist",), ("tar.gz",)]),
)
SWITCHES = st.builds(
    RuleSwitch, rule=st.sampled_from(sorted(FIRM)), level=st.sampled_from(["off", "warning", "error"]), because=TEXTS
)
REFUSALS = st.builds(TamperError, TEXTS, code=TEXTS, why=TEXTS, hint=TEXTS)
BEFORES = st.builds(
    Before,
    project=PROJECTS,
    tag=VERSIONS,
    kind=st.sampled_from(["annotated", "light", "absent"]),
    commit=HEX,
    sha256=HEX,
    judged=st.booleans(),
    refusal=st.none() | REFUSALS,
    tags=st.lists(VERSIONS, max_size=3).map(tuple),
    history=st.lists(ENTRIES, max_size=3).map(tuple),
    declared=st.builds(Declared, python=st.booleans(), name=TEXTS, version=VERSIONS),
    written=st.none() | st.binary(max_size=8),
    surveys=st.lists(SURVEYS, max_size=2).map(tuple),
    unsurveyed=st.sampled_from(["", "no instance"]),
)
FIELDS = st.sampled_from(["requires-dist", "license-expression", "summary", "x"])
CLASSIFIERS = st.sampled_from(["Private :: x", "License :: OSI Approved :: MIT License", "Topic :: x", ""]) | TEXTS


def few(texts: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(texts, max_size=2).map(tuple)


SAID = st.builds(
    Metadata,
    name=st.sampled_from(["mylib", "My.Lib", ""]),
    version=VERSIONS,
    requires_python=st.sampled_from(["", ">=3.9", ">=3.9,<4", "three"]) | TEXTS,
    form=st.sampled_from(["", "2.1", "2.4"]),
    summary=TEXTS,
    description=TEXTS,
    content_type=TEXTS,
    license_expression=TEXTS,
    license_files=few(TEXTS),
    classifiers=few(CLASSIFIERS),
    requires=few(st.sampled_from(["b>=1", "b>=2", "b @ https://example.org/b", "b; python_version>'3'", ">="]) | TEXTS),
    urls=few(st.tuples(TEXTS, st.sampled_from(["https://example.org", "javascript:x", ""]) | TEXTS)),
    dynamic=few(FIELDS),
    faults=few(st.tuples(FIELDS, TEXTS)),
)
VIEWS = st.builds(
    IndexView,
    refusal=TEXTS,
    unknown=few(CLASSIFIERS),
    deprecated=few(st.tuples(CLASSIFIERS, TEXTS)),
    by=few(TEXTS),
    unasked=st.sampled_from(["", "nobody here knows"]),
)
REMARKS = st.builds(Remark, kind=st.sampled_from(["secret", "litter", "license"]), member=TEXTS, what=TEXTS)
DESCRIBED = st.builds(Described, files=st.lists(NAMES, min_size=1, max_size=2).map(tuple), says=SAID, view=VIEWS)
AFTERS = st.builds(
    After,
    project=st.just("mylib"),
    version=VERSIONS,
    files=st.lists(NAMES, max_size=3).map(tuple),
    generated=few(st.tuples(NAMES, few(TEXTS))),
    reasons=few(st.tuples(TEXTS, TEXTS)),
    python=st.booleans(),
    settings=st.none() | PROJECTS,
    indexed=st.booleans(),
    described=few(
        st.builds(Described, files=st.lists(NAMES, min_size=1, max_size=2).map(tuple), says=SAID, view=VIEWS)
    ),
    remarks=few(st.tuples(NAMES, REMARKS)),
    follows=VERSIONS,
    previous=st.none() | SAID,
)
CASES = st.builds(
    Case,
    tagged=st.builds(
        Tagged,
        repo=TEXTS,
        name=VERSIONS,
        kind=st.just("annotated"),
        raw=st.none() | st.binary(max_size=9),
        object=HEX,
        commit=HEX,
        time=st.integers(0, 2**40),
        pyproject=TEXTS,
        setup_cfg=st.none(),
    ),
    judged=st.none(),
    before=BEFORES,
    after=st.none() | AFTERS,
    switches=st.lists(SWITCHES, max_size=3).map(tuple),
    overrides=st.lists(st.builds(Override, rule=st.sampled_from(sorted(FIRM)), because=TEXTS), max_size=2).map(tuple),
)


@given(CASES)
def test_judged_again_it_gets_the_same_verdict(case: Case) -> None:
    said = verdict(case)
    recorded = read_case(write_case(case))
    assert verdict(recorded.case) == said == recorded.verdict
    assert write_case(recorded.case) == write_case(case)
    assert recorded.tools == tuple(sorted(tools()))


PLAIN = Case(
    tagged=Tagged(repo="local:mylib", name="1.0", kind="absent", raw=None, object=None, commit="a" * 40, time=0),
    judged=None,
    before=Before(
        project=Project(name="mylib", kind="library", repo="/src/mylib", signers=("jo",)),
        tag="1.0",
        kind="absent",
        commit="a" * 40,
    ),
)


def changed(**fields: Any) -> bytes:
    """A file with other fields at its top."""
    return canonical.dumps(json.loads(write_case(PLAIN)) | fields)


def inside(**fields: Any) -> bytes:
    """A file with other fields in its case."""
    value = json.loads(write_case(PLAIN))
    return canonical.dumps(value | {"case": value["case"] | fields})


def without(name: str) -> bytes:
    value = json.loads(write_case(PLAIN))
    del value[name]
    return canonical.dumps(value)


BEFORE = json.loads(write_case(PLAIN))["case"]["before"]
HOSTILE = {
    "empty": (b"", "json-syntax"),
    "not JSON": (b"facts", "json-syntax"),
    "spaces": (b" " + write_case(PLAIN), "json-not-canonical"),
    "a key twice": (b'{"_type":"x",' + write_case(PLAIN)[1:], "json-duplicate-key"),
    "NaN": (b'{"_type":NaN}', "json-nan"),
    "deep": (b"[" * 10_000 + b"]" * 10_000, "json-depth"),
    "a large integer": (b'{"schema":%d}' % 2**53, "json-integer"),
    "a lone surrogate": (b'{"_type":"\\ud800"}', "json-surrogate"),
    "not UTF-8": (b'{"_type":"\xff"}', "json-utf8"),
    "too large": (b"1" * (MAX_SIZE + 1), "json-size"),
    "a list": (b"[]", "case-type"),
    "another type": (changed(_type="tagtrail"), "case-type"),
    "newer": (changed(schema=SCHEMA + 1), "case-schema"),
    "older than any": (changed(schema=0), "case-schema"),
    "true is no number": (changed(schema=True), "case-schema"),
    "no schema": (without("schema"), "case-schema"),
    "no tools": (without("tools"), "case-form"),
    "odd tools": (changed(tools={"tagtrail": 1}), "case-form"),
    "no case": (without("case"), "case-form"),
    "no verdict": (without("verdict"), "case-form"),
    "another field": (changed(more=1), "case-form"),
    "a case of text": (changed(case="x"), "case-form"),
    "a verdict of text": (changed(verdict=[]), "case-form"),
    "a field nobody knows": (inside(odd=1), "case-form"),
    "a field of another type": (inside(switches="x"), "case-form"),
    "facts of text": (inside(before=1), "case-form"),
    "no tag": (inside(before={k: v for k, v in BEFORE.items() if k != "tag"}), "case-form"),
    "bytes that are none": (inside(before=BEFORE | {"written": "*"}), "case-form"),
    "bytes in another spelling": (inside(before=BEFORE | {"written": "AB=="}), "case-form"),
    "an error nobody raises": (
        inside(before=BEFORE | {"refusal": {"error": "OSError", "what": "", "code": "", "why": "", "hint": ""}}),
        "case-form",
    ),
    "an error without words": (inside(before=BEFORE | {"refusal": {}}), "case-form"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_nobody_wrote(name: str) -> None:
    data, code = HOSTILE[name]
    with pytest.raises(TamperError) as caught:
        read_case(data)
    assert caught.value.code == code


def test_a_newer_file_says_who_wrote_it() -> None:
    with pytest.raises(TamperError) as caught:
        read_case(changed(schema=SCHEMA + 1, tools={"tagtrail": "9.0"}))
    assert "9.0" in caught.value.why
    assert caught.value.hint


def test_what_it_says_it_is() -> None:
    assert json.loads(write_case(PLAIN))["_type"] == CASE_TYPE


def test_a_field_that_an_older_file_lacks_has_its_default() -> None:
    older = inside(before={k: v for k, v in BEFORE.items() if k != "surveys"})
    assert read_case(older).case.before == PLAIN.before


def test_a_verdict_that_its_facts_do_not_give_is_seen() -> None:
    lied = changed(verdict=json.loads(write_case(replace(PLAIN, before=replace(PLAIN.before, tag="x"))))["verdict"])
    recorded = read_case(lied)
    assert recorded.verdict != verdict(recorded.case)
