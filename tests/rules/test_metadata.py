"""The rules on what files say of themselves, on wheels, sdists and members: one thing wrong at a time."""

import dataclasses

import pytest

from tagtrail.formats.facts import dump, load
from tagtrail.model.facts import Override, Remark
from tagtrail.model.frozen import replace
from tagtrail.model.metadata import IndexView, Metadata
from tagtrail.model.settings import Project
from tagtrail.rules.archives import excused
from tagtrail.rules.book import Verdict, judge
from tagtrail.rules.facts import After, Described
from tagtrail.rules.registry import AFTER

SDIST, WHEEL = "my_lib-1.2.1.tar.gz", "my_lib-1.2.1-py3-none-any.whl"
GOOD = Metadata(
    name="my-lib",
    version="1.2.1",
    requires_python=">=3.10",
    form="2.4",
    summary="a library",
    description="# A library\n",
    content_type="text/markdown",
    license_expression="MIT",
    license_files=("LICENSE",),
    classifiers=("Programming Language :: Python",),
    requires=("b>=1", 'c>=2; extra == "x"'),
    urls=(("Source", "https://git.example.org/my-lib"),),
)
SEEN = IndexView(by=("trove-classifiers 2026.9.21.13",))
LIBRARY = Project(name="my-lib", kind="library", repo="", signers=(), build=("sdist", "wheel"))
SERVER = replace(
    LIBRARY,
    kind="server",
    classifiers=("Environment :: No Input/Output (Daemon)",),
    without_classifiers=("Topic :: Software Development :: Libraries",),
    tells=("does not give you a running service",),
)


def after(says: Metadata = GOOD, view: IndexView = SEEN, *, settings: Project = LIBRARY, indexed: bool = True) -> After:
    described = (Described(files=(SDIST, WHEEL), says=says, view=view),)
    return After(
        project="my-lib", version="1.2.1", files=(SDIST, WHEEL), settings=settings, indexed=indexed, described=described
    )


def said(facts: After) -> list[tuple[str, str, str]]:
    return [(f.rule, f.code, f.level) for f in judge(AFTER, facts).findings]


def test_nothing_is_said_of_what_is_right() -> None:
    verdict = judge(AFTER, after())
    assert verdict.findings == ()
    assert [rule for rule, _ in verdict.skipped] == ["META012"]


INDEX = [
    # what a public index refuses: an error for those who publish there, a warning for others
    ("META001", "metadata-valid", replace(GOOD, faults=(("requires-dist", "'b >=' is invalid"),)), SEEN),
    ("META001", "metadata-valid", replace(GOOD, requires=("b @ https://example.org/b.zip",)), SEEN),
    ("META001", "metadata-valid", replace(GOOD, requires=("b@ https://example.org/b.zip",)), SEEN),
    ("META001", "metadata-valid", replace(GOOD, requires=("b @ git+ssh://example.org/b",)), SEEN),
    ("META002", "classifiers-known", GOOD, replace(SEEN, unknown=("Programming Language :: Phyton",))),
    ("META002", "classifier-deprecated", GOOD, replace(SEEN, deprecated=(("A :: B", "A :: C"),))),
    ("META006", "description-renders", GOOD, replace(SEEN, refusal='line 4: "include" directive disabled.')),
    ("META007", "license-agrees", replace(GOOD, faults=(("license-expression", "'MITT' is invalid"),)), SEEN),
    ("META008", "python-said", replace(GOOD, requires_python="3.10 or later"), SEEN),
    ("META009", "links", replace(GOOD, urls=(("Source", "git@example.org:my-lib"),)), SEEN),
    ("META009", "links", replace(GOOD, urls=(("Source", "javascript:alert(1)"),)), SEEN),
    ("META009", "links", replace(GOOD, urls=(("S" * 33, "https://example.org"),)), SEEN),
    ("META009", "links", replace(GOOD, summary="a\nb"), SEEN),
    ("META009", "links", replace(GOOD, summary="a" * 513), SEEN),
]


@pytest.mark.parametrize(("rule", "code", "says", "view"), INDEX)
def test_what_an_index_refuses(rule: str, code: str, says: Metadata, view: IndexView) -> None:
    assert said(after(says, view)) == [(rule, code, "error")]
    assert said(after(says, view, indexed=False)) == [(rule, code, "warning")]


WARNED = [
    ("META007", "license-twice", replace(GOOD, classifiers=("License :: OSI Approved :: MIT License",))),
    ("META008", "python-capped", replace(GOOD, requires_python=">=3.10,<4")),
    ("META010", "metadata-complete", replace(GOOD, summary="")),
    ("META010", "metadata-complete", replace(GOOD, description="", content_type="")),
    ("META010", "metadata-complete", replace(GOOD, content_type="")),
    ("META010", "metadata-complete", replace(GOOD, license_expression="")),
    ("META010", "metadata-complete", replace(GOOD, requires_python="")),
    ("META010", "metadata-complete", replace(GOOD, urls=())),
]


@pytest.mark.parametrize(("rule", "code", "says"), WARNED)
def test_what_is_a_warning_everywhere(rule: str, code: str, says: Metadata) -> None:
    assert said(after(says)) == [(rule, code, "warning")]


COMPLETE = [
    replace(GOOD, license_expression="", license="MIT"),
    replace(GOOD, license_expression="", classifiers=("License :: OSI Approved :: MIT License",)),
    replace(GOOD, summary="a" * 512),
    replace(GOOD, urls=(("S" * 32, "http://example.org"),)),
]


@pytest.mark.parametrize("says", COMPLETE)
def test_what_is_said_in_another_way_is_said(says: Metadata) -> None:
    assert said(after(says)) == []


def test_where_a_fault_is_and_what_mends_it() -> None:
    odd = replace(GOOD, requires_python="3.10 or later")
    both = (Described(files=(SDIST,), says=GOOD, view=SEEN), Described(files=(WHEEL,), says=odd, view=SEEN))
    facts = After(project="my-lib", version="1.2.1", files=(SDIST, WHEEL), settings=LIBRARY, described=both)
    first = next(f.text for f in judge(AFTER, facts).findings if f.rule == "META008")
    assert first == f"Requires-Python in the metadata of {WHEEL} cannot be read: '3.10 or later'"
    gone = replace(SEEN, deprecated=(("A :: B", ""), ("C :: D", "E :: F")))
    fixes = [f.fix for f in judge(AFTER, after(view=gone)).findings]
    assert fixes == ["take it out: nothing has come in its place", 'write "E :: F" instead']


def test_gaps_are_one_finding() -> None:
    (finding,) = judge(AFTER, after(Metadata(name="my-lib", version="1.2.1"))).findings
    gaps = "no summary, description, licence, Requires-Python and no link to its source"
    assert finding.text == f"the metadata has {gaps}"


def test_a_private_classifier_is_for_no_index() -> None:
    private = replace(GOOD, classifiers=("Private :: Do Not Upload",))
    seen = replace(SEEN, unknown=("Private :: Do Not Upload",))
    assert said(after(private, seen)) == [("META003", "not-private", "error")]
    assert said(after(private, seen, indexed=False)) == []


def test_a_server_says_so() -> None:
    right = replace(
        GOOD,
        classifiers=("Environment :: No Input/Output (Daemon)",),
        description="Installing it does not\ngive you a RUNNING service.",
    )
    assert said(after(right, settings=SERVER)) == []
    without = replace(right, classifiers=())
    assert said(after(without, settings=SERVER)) == [("META004", "classifier-missing", "warning")]
    library = replace(right, classifiers=(*right.classifiers, "Topic :: Software Development :: Libraries"))
    assert said(after(library, settings=SERVER)) == [("META004", "classifier-unwanted", "warning")]
    silent = after(replace(right, description="A fabric controller."), settings=SERVER)
    assert said(silent) == [("META005", "description-tells", "warning")]
    (finding,) = judge(AFTER, silent).findings
    paragraph = finding.fix.partition(": ")[2]
    assert paragraph == "Installing my-lib from a package index does not give you a running service."
    assert said(after(replace(right, description=paragraph), settings=SERVER)) == []


DIFFERENT = [
    (replace(GOOD, version="1.2.2"), "error"),
    (replace(GOOD, name="my-lib2"), "error"),
    (replace(GOOD, requires_python=">=3.11"), "error"),
    (replace(GOOD, requires=("b>=2",)), "error"),
    (replace(GOOD, requires=("b>=2",), form="2.1"), "warning"),
]


@pytest.mark.parametrize(("sdist", "level"), DIFFERENT)
def test_sdist_and_wheel_are_one_release(sdist: Metadata, level: str) -> None:
    both = (Described(files=(SDIST,), says=sdist, view=SEEN), Described(files=(WHEEL,), says=GOOD, view=SEEN))
    facts = After(project="my-lib", version="1.2.1", files=(SDIST, WHEEL), settings=LIBRARY, described=both)
    assert said(facts) == [("META011", "files-agree", level)]


MAC = "my_lib-1.2.1-cp311-cp311-macosx_11_0_arm64.whl"
WHEELS = [
    (replace(GOOD, requires=("b>=2",)), "warning"),
    (replace(GOOD, requires=("b>=2",), dynamic=("requires-dist",)), "warning"),
    (replace(GOOD, requires_python=">=3.11"), "error"),
]


@pytest.mark.parametrize(("says", "level"), WHEELS)
def test_wheels_may_need_different_things_and_it_is_said(says: Metadata, level: str) -> None:
    both = (Described(files=(WHEEL,), says=GOOD, view=SEEN), Described(files=(MAC,), says=says, view=SEEN))
    facts = After(project="my-lib", version="1.2.1", files=(SDIST, WHEEL, MAC), settings=LIBRARY, described=both)
    assert said(facts) == [("META011", "files-agree", level)]


def test_an_old_wheel_excuses_no_sdist() -> None:
    old = replace(GOOD, requires=("b>=2",), form="2.1", dynamic=("requires-dist",))
    both = (Described(files=(SDIST,), says=GOOD, view=SEEN), Described(files=(WHEEL,), says=old, view=SEEN))
    facts = After(project="my-lib", version="1.2.1", files=(SDIST, WHEEL), settings=LIBRARY, described=both)
    assert said(facts) == [("META011", "files-agree", "error")]


ALIKE = [
    replace(GOOD, requires=("b>=2",), dynamic=("requires-dist",)),
    replace(GOOD, requires_python="", dynamic=("requires-python",)),
    replace(GOOD, requires=("c >= 2 ; extra == 'x'", "b>=1"), name="My_Lib", version="1.2.1.0"),
    replace(GOOD, requires_python=">= 3.10"),
]


@pytest.mark.parametrize("sdist", ALIKE)
def test_what_may_differ(sdist: Metadata) -> None:
    both = (Described(files=(SDIST,), says=sdist, view=SEEN), Described(files=(WHEEL,), says=GOOD, view=SEEN))
    facts = After(project="my-lib", version="1.2.1", files=(SDIST, WHEEL), settings=LIBRARY, described=both)
    assert [s for s in said(facts) if s[0] != "META010"] == []


def test_a_patch_is_held_against_the_release_before() -> None:
    def patch(previous: Metadata) -> After:
        return dataclasses.replace(after(), follows="1.2.0", previous=previous)

    assert said(patch(GOOD)) == []
    assert said(patch(replace(GOOD, requires_python=">=3.9"))) == [("META012", "python-dropped", "error")]
    assert said(patch(replace(GOOD, requires=("b>=0.9",)))) == [("META012", "minimum-raised", "warning")]


FILES = [
    ((WHEEL,), (), ("FILE007", "sdist-there", "warning")),
    (("my-lib-1.2.1.tar.gz", WHEEL), ("sdist",), ("FILE008", "sdist-name", "error")),
    (("my_lib-1.2.1.zip", WHEEL), ("sdist",), ("FILE008", "sdist-name", "error")),
    ((SDIST, "my_lib-1.2.1.zip"), ("sdist",), ("FILE008", "sdists-many", "error")),
    (
        (SDIST, "my_lib-1.2.1-cp311-cp311-linux_x86_64.whl"),
        ("sdist",),
        ("FILE009", "wheel-installs-elsewhere", "error"),
    ),
    ((SDIST, "my_lib-1.2.1-cp311-cp311-any.whl"), ("sdist",), ("FILE009", "wheel-tags-odd", "warning")),
]


@pytest.mark.parametrize(("files", "build", "wanted"), FILES)
def test_names_of_wheels_and_sdists(files: tuple[str, ...], build: tuple[str, ...], wanted: tuple[str, ...]) -> None:
    settings = replace(LIBRARY, build=(*build, "wheel"))
    facts = After(project="my-lib", version="1.2.1", files=files, settings=settings, indexed=True)
    assert said(facts) == [wanted]


ENOUGH = [
    ((SDIST, WHEEL), replace(LIBRARY, build=("wheel",))),
    ((WHEEL,), LIBRARY),
    ((WHEEL,), replace(LIBRARY, build=(), expect=("*.tar.gz",))),
    ((WHEEL,), replace(LIBRARY, build=(), expect=("my_lib-*",))),
    (("my_lib-1.2.1.pdf",), replace(LIBRARY, build=())),
]


@pytest.mark.parametrize(("files", "settings"), ENOUGH)
def test_an_sdist_that_is_there_awaited_or_not_needed(files: tuple[str, ...], settings: Project) -> None:
    assert said(After(project="my-lib", version="1.2.1", files=files, settings=settings, indexed=True)) == []


def test_two_sdists_are_one_finding_whatever_their_order() -> None:
    files = ("my_lib-1.2.1.zip", SDIST)
    assert said(After(project="my-lib", version="1.2.1", files=files, settings=LIBRARY, indexed=True)) == [
        ("FILE008", "sdists-many", "error")
    ]


@pytest.mark.parametrize("names", [row[0] for row in FILES if row[2][2] == "error"])
def test_what_an_index_alone_refuses_is_a_warning_elsewhere(names: tuple[str, ...]) -> None:
    settings = replace(LIBRARY, build=("sdist", "wheel"))
    facts = After(project="my-lib", version="1.2.1", files=names, settings=settings, indexed=False)
    assert [level for _, _, level in said(facts)] == ["warning"]


ANYWHERE = [
    "py3-none-any", "py2.py3-none-any", "cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64",
    "cp311-abi3-musllinux_1_2_aarch64", "cp313-cp313t-macosx_11_0_arm64", "cp311-cp311-macosx_10_9_universal2",
    "cp311-cp311-win_amd64", "cp311-cp311-win32", "cp313-cp313-ios_13_0_arm64_iphoneos",
    "cp313-cp313-android_21_arm64_v8a", "cp312-cp312-pyodide_2024_0_wasm32", "py3-none-win_arm64",
]  # fmt: skip


@pytest.mark.parametrize("tags", ANYWHERE)
def test_wheels_that_install_elsewhere(tags: str) -> None:
    files = (SDIST, f"my_lib-1.2.1-{tags}.whl")
    assert said(After(project="my-lib", version="1.2.1", files=files, settings=LIBRARY, indexed=True)) == []


def noticed(*remarks: Remark, allowed: tuple[tuple[str, str], ...] = ()) -> After:
    settings = replace(LIBRARY, not_secret=allowed)
    found = tuple((file, remark) for remark in remarks for file in (SDIST, WHEEL))
    return After(
        project="my-lib", version="1.2.1", files=(SDIST, WHEEL), settings=settings, indexed=True, remarks=found
    )


def secret(member: str) -> Remark:
    return Remark(kind="secret", member=member, what="a private key")


@pytest.mark.parametrize("member", ["my_lib/deploy.py", "id_rsa", "contest/key.pem", "my_lib/latest.py"])
def test_a_secret_ends_a_release(member: str) -> None:
    (finding,) = judge(AFTER, noticed(secret(member))).findings
    assert (finding.rule, finding.code, finding.level) == ("FILE005", "no-secrets", "error")
    assert finding.text == f"{SDIST} and {WHEEL} have a private key in {member}"
    assert finding.fix.endswith(f'under [project.my-lib]: not-secret = {{ "{member}" = "WHY" }}')


@pytest.mark.parametrize(
    "member", ["tests/a.pem", "my_lib/tests/unit/a.pem", "docs/a.rst", "my_lib/test_x.py", "a_test/x"]
)
def test_where_keys_are_made_up_it_is_a_warning(member: str) -> None:
    assert said(noticed(secret(member))) == [("FILE005", "no-secrets", "warning")]


def test_what_the_settings_call_no_secret_goes_into_the_entry() -> None:
    facts = noticed(secret("my_lib/a.pem"), allowed=(("my_lib/*.pem", "for the demonstration"), ("x", "unused")))
    assert said(facts) == []
    assert excused(facts) == (Override(rule="FILE005", because="my_lib/*.pem: for the demonstration"),)
    litter = Remark(kind="litter", member="my_lib/a.pem", what="an editor's or a merge's copy")
    assert excused(noticed(litter, allowed=(("my_lib/*.pem", "for the demonstration"),))) == ()


def test_litter_is_one_warning() -> None:
    litter = (Remark(kind="litter", member=f"a{n}.orig", what="an editor's or a merge's copy") for n in range(7))
    (finding,) = judge(AFTER, noticed(*litter)).findings
    assert (finding.rule, finding.level) == ("FILE006", "warning")
    assert finding.text.endswith("a4.orig and 2 more: an editor's or a merge's copy")


def test_a_licence_file_that_is_not_there() -> None:
    absent = Remark(kind="license", member="COPYING", what="named in the metadata as License-File")
    facts = dataclasses.replace(after(), remarks=((WHEEL, absent),))
    assert said(facts) == [("META007", "license-missing", "error")]
    elsewhere = dataclasses.replace(after(indexed=False), remarks=((WHEEL, absent),))
    assert said(elsewhere) == [("META007", "license-missing", "warning")]
    other = Remark(kind="litter", member="a.orig", what="an editor's or a merge's copy")
    (finding,) = judge(AFTER, dataclasses.replace(after(), remarks=((WHEEL, other),))).findings
    assert (finding.rule, finding.text) == ("FILE006", f"{WHEEL} has a.orig: an editor's or a merge's copy")


def test_what_is_not_known_is_not_asked() -> None:
    """An audit has names only, and old releases are nobody's to refuse."""
    verdict = judge(
        AFTER, After(project="my-lib", version="1.2.1", files=("my_lib-1.2.1-cp311-cp311-linux_x86_64.whl",))
    )
    assert verdict.findings == ()
    assert {rule for rule, _ in verdict.skipped} >= {"FILE007", "FILE008", "FILE009", "META001", "META011"}


def test_facts_are_judged_again_from_a_file() -> None:
    facts = after(replace(GOOD, summary="a\nb"), replace(SEEN, unknown=("A",)), settings=SERVER)
    again: Verdict = judge(AFTER, load(After, dump(facts)))
    assert again == judge(AFTER, facts)
