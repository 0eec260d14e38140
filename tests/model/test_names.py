import re
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from packaging.utils import canonicalize_version
from packaging.version import Version

from tagtrail.formats.contacts import contacts_name
from tagtrail.formats.provenance import provenance_name
from tagtrail.formats.reproduction import statement_name
from tagtrail.formats.sbom import sbom_name
from tagtrail.formats.site import runbook_name, sums_name, tag_name
from tagtrail.model.names import (
    RESERVED,
    SUFFIXES,
    fold,
    is_own,
    name_key,
    project_key,
    says_version,
    sdist_stem,
    version_key,
)

VERSIONS = st.from_regex(
    r"[0-9]{1,3}(\.[0-9]{1,3}){0,3}(a[0-9]|b[0-9]|rc[0-9])?(\.post[0-9])?(\.dev[0-9])?", fullmatch=True
)
PROJECTS = st.from_regex(r"[A-Za-z][A-Za-z0-9]{0,5}([._-]{1,2}[A-Za-z][A-Za-z0-9]{0,5}){0,2}", fullmatch=True)
LONG = (".tar.gz", ".tar.bz2", ".tar.xz", ".tar.lzma", ".tar.zst", ".tar", ".zip")

# --- one name in many spellings -------------------------------------------------------------------------------------

SAME = [
    ("nova", ["nova-33.0.0.tar.gz", "Nova-33.0.0.tar.gz", "nova_33.tar.gz", "NOVA-33.0.TGZ", "nova-33.0.0.taz"]),
    ("nova", ["nova-1.0.tar.gz", "nova-1.0.0.tar.gz", "nova-1.tar.gz", "nova-v1.0.tar.gz", "nova-0!1.0.tar.gz"]),
    (
        "nova",
        ["nova-1.0rc1.tar.xz", "nova-1.0.0rc1.txz", "nova-1.0-rc.1.tar.xz", "nova-1.0c1.tar.xz", "nova-1.0RC01.txz"],
    ),
    ("nova", ["nova-1.0.post1.zip", "nova-1.0-1.zip", "nova-1.0-r1.zip", "Nova-1.0.0.POST1.ZIP"]),
    ("nova", ["nova-1.0+Local.1.zip", "nova-1.0+local-1.zip", "nova-1.0.0+local_1.zip"]),
    (
        "oslo.config",
        ["oslo.config-9.7.0.tar.gz", "oslo_config-9.7.tar.gz", "oslo-config-9.7.0.tgz", "Oslo.Config_9.7.0.tar.gz"],
    ),
    ("Nova_x", ["nova-x-1.0.tar.gz", "Nova_X-1.0.tar.gz", "nova.x-1.0.0.tgz", "nova__x-1.0.tar.gz"]),
    ("nova", ["\uff4e\uff4f\uff56\uff41-1.0.tar.gz", "nova-\uff11.\uff10.tar.gz", "nova-1.0.tar.gz"]),
    ("nova", ["nova-1.0.tbz2", "nova-1.0.tbz", "nova-1.0.tar.bz2"]),
    ("nova", ["nova-1.0.tlz", "nova-1.0.tar.lzma"]),
    ("nova", ["nova-1.0.tzst", "nova-1.0.0.tar.zst"]),
    (
        "oslo.config",
        [
            "oslo_config-9.7.0-py3-none-any.whl",
            "oslo.config-9.7-py3-none-any.whl",
            "OSLO_CONFIG-9.7.0-py3-none-any.whl",
            "oslo_config-9.7.0.0-PY3-none-any.WHL",
        ],
    ),
    ("nova", ["nova-1.0-py2.py3-none-any.whl", "nova-1.0-py3.py2-none-any.whl"]),
    ("nova", ["nova-1.0-1-py3-none-any.whl", "nova-1.0-01-py3-none-any.whl"]),
    ("nova", ["release_notes.pdf", "release-notes.pdf", "Release.Notes.PDF", "release--notes.pdf"]),
]


@pytest.mark.parametrize(("project", "names"), SAME, ids=[names[0] for _, names in SAME])
def test_one_name_in_many_spellings(project: str, names: list[str]) -> None:
    assert len({name_key(project, name) for name in names}) == 1


OTHER = [
    ("nova", ["nova-1.0.tar.gz", "nova-1.0.tar.xz", "nova-1.0.zip", "nova-1.0.tar", "nova-1.0.tar.bz2"]),
    (
        "nova",
        ["nova-1.0.tar.gz", "nova-1.1.tar.gz", "nova-1.0rc1.tar.gz", "nova-1.0.post1.tar.gz", "nova-1!1.0.tar.gz"],
    ),
    (
        "nova",
        ["nova-1.0.tar.gz", "nova-1.0+local.tar.gz", "nova-1.0.dev0.tar.gz", "nova-10.tar.gz", "nova-1.0.1.tar.gz"],
    ),
    ("nova", ["nova-1.0.tar.gz", "glance-1.0.tar.gz", "nova-x-1.0.tar.gz", "novax-1.0.tar.gz"]),
    ("nova", ["nova-1.0-py3-none-any.whl", "nova-1.0-py2.py3-none-any.whl", "nova-1.0-1-py3-none-any.whl"]),
    (
        "nova",
        ["nova-1.0-cp311-abi3-win_amd64.whl", "nova-1.0-cp311-abi3-win32.whl", "nova-1.0-cp312-abi3-win_amd64.whl"],
    ),
    (
        "nova",
        ["nova-1.0.tar.gz", "nova-1.0.tar.gz.asc", "nova-1.0.SHA256SUMS", "nova-1.0.SHA256SUMS.asc", "nova-1.0.tag"],
    ),
    ("nova", ["nova-linux-amd64.tar.gz", "nova-linux-arm64.tar.gz", "nova.tar.gz"]),
]


@pytest.mark.parametrize(("project", "names"), OTHER, ids=[names[-1] for _, names in OTHER])
def test_other_names(project: str, names: list[str]) -> None:
    assert len({name_key(project, name) for name in names}) == len(names)


@given(PROJECTS, VERSIONS, st.sampled_from(LONG))
def test_spelling_does_not_matter(project: str, version: str, suffix: str) -> None:
    wanted = name_key(project, f"{project}-{version}{suffix}")
    assert wanted == f"{project_key(project)}-{version_key(version)}{suffix}"
    stems = (project, project.upper(), project_key(project), re.sub(r"[-_.]+", "_", project), project.replace("_", "."))
    for stem in stems:
        for number in (version, f"{version}".upper(), f"v{version}"):
            assert name_key(project, f"{stem}-{number}{suffix}") == wanted
            assert name_key(project.swapcase(), f"{stem}_{number}{suffix}") == wanted


@given(PROJECTS, VERSIONS, VERSIONS, st.sampled_from(LONG), st.sampled_from(LONG))
def test_keys_are_equal_where_version_and_suffix_are(project: str, one: str, two: str, first: str, second: str) -> None:
    keys = name_key(project, f"{project}-{one}{first}"), name_key(project, f"{project}-{two}{second}")
    assert (keys[0] == keys[1]) == (Version(one) == Version(two) and first == second)


@given(PROJECTS, VERSIONS, VERSIONS)
def test_wheels_likewise(project: str, one: str, two: str) -> None:
    stem = project_key(project).replace("-", "_")
    keys = [name_key(project, f"{stem}-{version}-py3-none-any.whl") for version in (one, two)]
    assert (keys[0] == keys[1]) == (Version(one) == Version(two))


@given(st.text(max_size=40))
def test_any_name_has_a_key(name: str) -> None:
    assert name_key("nova", name) == name_key("nova", name.swapcase().swapcase()) or fold(name) != fold(
        name.swapcase().swapcase()
    )
    assert name_key("nova", fold(name)) == name_key("nova", name)


@pytest.mark.parametrize(
    "name", ["", ".whl", "-.whl", ".tar.gz", "-", "nova-.tar.gz", "-1.0.tar.gz", "a-b-c-d-e-f.whl", "..", "x" * 9999]
)
def test_odd_names_have_a_key_too(name: str) -> None:
    assert isinstance(name_key("nova", name), str)


@pytest.mark.parametrize(("alias", "suffix"), SUFFIXES.items())
def test_suffix_aliases(alias: str, suffix: str) -> None:
    assert name_key("nova", f"nova-1.0{alias}") == name_key("nova", f"nova-1.0{suffix}")
    assert name_key("nova", f"notes{alias}") == name_key("nova", f"notes{suffix}")


# --- versions and projects ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spellings", "key"),
    [
        (["1.0", "1", "1.0.0", "v1.0", "0!1.0.0", " 1.0 "], "1"),
        (["1.0rc1", "1.0.0-RC.1", "1.0c1"], "1rc1"),
        (["2026.1.0", "2026.1"], "2026.1"),
        (["1!2.0"], "1!2"),
        (["2026.1 Gazpacho", "2026.1 GAZPACHO"], "2026.1 gazpacho"),
        (["\uff2bilo", "KILO"], "kilo"),
    ],
)
def test_version_keys(spellings: list[str], key: str) -> None:
    assert {version_key(spelling) for spelling in spellings} == {key}


@given(VERSIONS, VERSIONS)
def test_version_keys_are_pep_440_equality(one: str, two: str) -> None:
    assert (version_key(one) == version_key(two)) == (Version(one) == Version(two))


@given(VERSIONS)
@example("0.0")
@example("1!2.0.0rc1.post0.dev0+a.0")
def test_version_keys_are_those_of_packaging(version: str) -> None:
    assert version_key(version) == canonicalize_version(version)


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("Nova", "nova"),
        ("oslo.config", "oslo-config"),
        ("a__b--c..d", "a-b-c-d"),
        ("\uff2e\uff2f\uff36\uff21", "nova"),
        ("ﬁle", "file"),
        ("Straße", "strasse"),
    ],
)
def test_project_keys(name: str, key: str) -> None:
    assert project_key(name) == key


@given(st.text(max_size=20))
def test_folding_twice_is_folding_once(text: str) -> None:
    assert fold(fold(text)) == fold(text)
    assert unicodedata.is_normalized("NFKC", fold(text))
    assert project_key(project_key(text)) == project_key(text)


@pytest.mark.parametrize(
    ("project", "version", "stem"),
    [("oslo.config", "9.7.0", "oslo_config-9.7.0"), ("Nova", "1", "nova-1"), ("a--b.c", "1.0rc1", "a_b_c-1.0rc1")],
)
def test_sdist_stems(project: str, version: str, stem: str) -> None:
    assert sdist_stem(project, version) == stem


def test_reserved_names_are_in_their_folded_form() -> None:
    assert {fold(name) for name in RESERVED} == RESERVED
    assert {"simple", "trail", "verify"} <= RESERVED


@pytest.mark.parametrize("version", ["1" * 5000, f"1!{'2' * 5000}", f"1.0rc{'3' * 5000}"])
def test_numbers_that_python_does_not_read_are_text(version: str) -> None:
    assert version_key(version) == version
    assert name_key("nova", f"nova-{version}.tar.gz") == f"nova-{version.replace('.', '-')}.tar.gz".replace(
        "-tar-gz", ""
    )
    assert name_key("nova", f"nova-{version}-py3-none-any.whl")


@pytest.mark.parametrize(
    ("tag", "version"),
    [
        ("1.0.0", "1.0.0"), ("v1.0.0", "1.0.0"), ("1.0.0", "1.0"), ("v1.0-rc1", "1.0rc1"),
        ("setuptools-scm-v10.2.1", "10.2.1"),
        ("31.0.0.0rc1", "31.0.0.0rc1"), ("py3-lib-2.0", "2.0"), ("2026.1-x", "2026.1"), ("release/1.0", "1.0"),
        ("1.0.0-docs", "1.0.0"), ("v2026.6.3", "2026.6.3"), ("1!2.0", "1!2.0"), ("1.0+local.1", "1.0+local.1"),
        ("cvs-2-final", "cvs-2-final"), ("1.0.0-beta.2.x", "1.0.0-beta.2.x"),
    ],
)  # fmt: skip
def test_tags_that_say_a_version(tag: str, version: str) -> None:
    assert says_version(tag, version)


@pytest.mark.parametrize(
    ("tag", "version"),
    [
        ("1.0.0", "9.9.9"), ("1.0.0rc1", "1.0.0"), ("1.0.0-rc1", "1.0.0"), ("11.0.0", "1.0.0"), ("1.0.01", "1.0.0.1"),
        ("1.0-1", "1"), ("1.0-1", "1.0"), ("1.0.dev3", "3"), ("v1.10", "1.1"), ("1.0.0", "0.0"), ("essex", "1.0"),
        ("", "1.0"), ("1.0.post1", "1.0"),
        ("1.0+local.1", "1.0"), ("1.0+local.1", "1"), ("1!2.0", "2.0"),
    ],
)  # fmt: skip
def test_tags_that_say_another(tag: str, version: str) -> None:
    assert not says_version(tag, version)


@pytest.mark.parametrize(
    "name",
    [
        *(f"nova-1.0.0.tar.gz{end}" for end in (".asc", ".metadata", ".tlog-proof")),
        sums_name("nova", "1.0.0"), sums_name("nova", "1.0.0", 7), tag_name("nova", "1.0.0"),
        runbook_name("nova", "1.0.0"), contacts_name("nova", "1.0.0"), provenance_name("nova", "1.0.0"),
        sbom_name("nova", "1.0.0"), statement_name("nova", "1.0.0", b"signed"), "nova-1.0.0.notes.md",
    ],
)  # fmt: skip
def test_names_of_our_own(name: str) -> None:
    """Whatever is written here, and whatever an auditor would take for the same name."""
    assert is_own(name)
    assert is_own(name.upper())
    assert is_own(name.replace(".", "_"))
    assert name_key("nova", name.replace(".", "_").upper()) == name_key("nova", name)


@pytest.mark.parametrize(
    "name", ["nova-1.0.0.tar.gz", "nova-1.0.0.vex.json", "nova-1.0.0.md", "nova-1.0.0.reproduced-1.jsonl", "tag", ""]
)
def test_names_of_others(name: str) -> None:
    assert not is_own(name)
