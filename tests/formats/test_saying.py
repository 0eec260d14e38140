"""What the settings say of announcements: addresses, support, templates, and who is told of a day at once."""

import pytest

from tagtrail.formats.settings import parse_settings, settings_digest
from tagtrail.model.errors import SetupError
from tagtrail.model.settings import Settings
from tagtrail.model.texts import Text

GOOD = """
[org]
name = "Example Cloud"
origin = "releases.example.org/trail"
[people.team]
keys = ["keys/team.asc"]
[targets.site]
type = "site"
[targets.list]
type = "command"
apply = ["tell", "{url}"]
files = false
together = "day"
[texts]
notice = "texts/notice.txt"
[kind.library]
build = ["sdist"]
publish = ["site"]
announce = ["list"]
bugs = "https://bugs.example.org/{project}"
security = "mailto:security@example.org"
support-until = "2031-12"
[project.nova]
kind = "library"
repo = "https://git.example.org/nova"
signers = ["team"]
support-until = "2032"
"""


def parsed(text: str) -> Settings:
    return parse_settings({"tagtrail.toml": text.encode()})


def test_a_project_has_what_its_kind_says_and_may_repeat_it() -> None:
    settings = parsed(GOOD)
    (nova,) = settings.projects
    said = (nova.bugs, nova.security, nova.support_until)
    assert said == ("https://bugs.example.org/{project}", "mailto:security@example.org", "2032")
    assert settings.texts == (("notice", "texts/notice.txt"),)
    assert settings.target("list").together == "day"


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('"https://bugs', '"javascript://bugs', "kind.library.bugs: is an address"),
        ('"mailto:security@', '"security@', "kind.library.security: is an address"),
        ('"2031-12"', '"2031-13"', "kind.library.support-until: is a year"),
        ('"2032"', '"soon"', "project.nova.support-until: is a year"),
        ('together = "day"', 'together = "week"', 'targets.list.together: is "day"'),
        ('type = "site"', 'type = "site"\ntogether = "day"', 'targets.site.together: is "day"'),
        ("notice =", "notices =", "texts.notices: unknown key, did you mean 'notice'?"),
        ('"texts/notice.txt"', '"../notice.txt"', "texts.notice: "),
    ],
)
def test_one_thing_wrong(old: str, new: str, problem: str) -> None:
    with pytest.raises(SetupError) as caught:
        parsed(GOOD.replace(old, new, 1))
    assert caught.value.code == "settings"
    assert caught.value.why.startswith(f"tagtrail.toml: {problem}")
    assert "\n" not in caught.value.why


def test_the_templates_bytes_are_part_of_the_digest_where_people_are_told() -> None:
    settings = parsed(GOOD)
    (nova,) = settings.projects
    quiet = parsed(GOOD.replace('announce = ["list"]', "announce = []")).projects[0]
    one, two = ((Text(name="notice", file="texts/notice.txt", source=source),) for source in "ab")
    assert settings_digest(settings, nova, (), one) != settings_digest(settings, nova, (), two)
    assert settings_digest(settings, quiet, (), one) == settings_digest(settings, quiet, (), two)
