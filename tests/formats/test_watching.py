"""The table [watch]: one thing wrong at a time, named by the path to its field."""

import pytest

from tagtrail.formats.settings import parse_settings, settings_digest
from tagtrail.model.errors import SetupError
from tagtrail.model.settings import Project, Settings, Watch

GROUND = """
[org]
name = "Example"
origin = "example.org/trail"
[targets.site]
type = "site"
[targets.team]
type = "command"
apply = ["tell", "{subject}"]
[watch]
"""


def parsed(text: str) -> Settings:
    return parse_settings({"tagtrail.toml": (GROUND + text).encode()})


def test_good() -> None:
    said = 'tell = ["team"]\nafter = "30m"\nsecret = ["env:HOOK", "file:hook-before"]'
    assert parsed(said).watch == Watch(tell=("team",), after=1800, secrets=("env:HOOK", "file:hook-before"))
    assert parsed("").watch == Watch(after=3600)


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        ('tell = ["teem"]', "watch.tell: there is no target 'teem'; did you mean team?"),
        ('tell = ["site"]', "watch.tell: site is of type 'site', which tells not only the team"),
        ('after = "soon"', "watch.after: is a number and a unit"),
        ('secret = ["env:A", "env:B", "env:C"]', "watch.secret: names 3 secrets: at most two are live"),
        ('secret = ["in-clear"]', "watch.secret: is a secret in clear"),
        ("every = 5", "watch.every: "),
    ],
)
def test_one_thing_wrong(said: str, fault: str) -> None:
    with pytest.raises(SetupError) as refused:
        parsed(said)
    assert fault.partition(";")[0] in refused.value.why


def test_who_is_told_is_in_no_projects_digest() -> None:
    project = Project(name="nova", kind="", repo="nova", signers=())
    assert settings_digest(parsed('tell = ["team"]'), project, ()) == settings_digest(parsed(""), project, ())
