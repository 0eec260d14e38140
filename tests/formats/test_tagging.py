"""The settings of tags and versions: of a kind or a project, and what does not go together."""

import pytest

from tagtrail.formats.settings import parse_settings, project_of, settings_digest
from tagtrail.model.errors import SetupError
from tagtrail.model.settings import FILE, Project, RuleSwitch

TEXT = """\
[org]
name = "Example"
origin = "example.org/trail"
[people.team]
keys = ["keys/team.asc"]
[targets.site]
type = "site"
[kind.generic]
build = ["{build}"]
publish = ["site"]
{kind}
[project.tool]
kind = "generic"
repo = "/src/tool"
signers = ["team"]
{project}
"""


def tool(project: str = "", kind: str = "", build: str = "tar.gz") -> Project:
    text = TEXT.format(project=project, kind=kind, build=build)
    return project_of(parse_settings({FILE: text.encode()}), "tool")


def digest(project: str, kind: str = "") -> str:
    text = TEXT.format(project=project, kind=kind, build="tar.gz")
    settings = parse_settings({FILE: text.encode()})
    return settings_digest(settings, project_of(settings, "tool"), ())


def test_nothing_said() -> None:
    found = tool()
    assert (found.versions, found.lifecycle, found.ignore, found.channels) == ("pep440", (), (), ())
    assert not found.final_is_rc


def test_a_project_repeats_what_its_kind_says() -> None:
    kind = 'versions = "semver"\nlifecycle = ["*-x"]\nignore = ["n*"]\nchannels = ["final"]\nfinal-is-rc = true'
    found = tool(kind=kind)
    assert (found.versions, found.lifecycle, found.ignore, found.channels) == ("semver", ("*-x",), ("n*",), ("final",))
    assert found.final_is_rc
    other = tool('versions = "any"\nlifecycle = []\nchannels = ["final", "dev"]\nfinal-is-rc = false', kind=kind)
    assert (other.versions, other.lifecycle, other.ignore, other.channels) == ("any", (), ("n*",), ("final", "dev"))
    assert not other.final_is_rc


def test_years_with_a_reason_set_the_rule_against_them_aside() -> None:
    found = tool('versions = "calver"\ncalver-because = "we always did"')
    assert found.rules == (RuleSwitch(rule="TAG007", level="off", because="we always did"),)
    own = 'versions = "calver"\ncalver-because = "we did"\nrules.TAG007 = { level = "error", because = "no more" }'
    assert tool(own).rules[-1].level == "error"
    switched = 'versions = "calver"\nrules.TAG007 = { level = "warning", because = "we always did" }'
    assert [switch.level for switch in tool(switched).rules] == ["warning"]


WRONG = [
    ('versions = "semmver"', "versions: there is no scheme of versions 'semmver', did you mean 'semver'?"),
    ('versions = "calver"', 'versions: years are for ever: say why they are wanted, calver-because = "..."'),
    ('calver-because = "x"', "calver-because: is for versions = \"calver\", not for 'pep440'"),
    ('versions = "calver"\ncalver-because = " x"', "calver-because: is one line of at most 200 characters"),
    ('versions = "calver"\ncalver-because = "jo@example.org"', "calver-because: names no address"),
    ('versions = "any"\nfinal-is-rc = true', "final-is-rc: 'any' version is final: there is no rc"),
    ('channels = ["finals"]', "channels: there is no channel 'finals', did you mean 'final'?"),
    ('lifecycle = ["* eol"]', "lifecycle: '* eol' is not a pattern of tags"),
    ('ignore = [""]', "ignore: '' is not a pattern of tags"),
    ('final-is-rc = "yes"', "final-is-rc: must be true or false, not a string"),
    ("final_is_rc = true", "final_is_rc: unknown key, did you mean 'final-is-rc'?"),
]  # fmt: skip


@pytest.mark.parametrize(("said", "problem"), WRONG)
def test_one_thing_wrong(said: str, problem: str) -> None:
    with pytest.raises(SetupError) as caught:
        tool(said)
    (found,) = caught.value.why.splitlines()
    assert f"project.tool.{problem}" in found


def test_installers_understand_pep440_alone() -> None:
    with pytest.raises(SetupError) as caught:
        tool('versions = "any"', build="sdist")
    assert "'any' is for what is no Python package" in caught.value.why


def test_the_digest_has_what_is_said_and_only_that() -> None:
    said = (
        'versions = "semver"',
        'ignore = ["n*"]',
        'lifecycle = ["x*"]',
        'channels = ["final"]',
        "final-is-rc = true",
    )
    digests = {digest(project) for project in ("", *said)}
    assert len(digests) == 1 + len(said)
    assert digest("final-is-rc = false\nignore = []") == digest("")
    assert digest("", kind='ignore = ["n*"]') == digest('ignore = ["n*"]')
