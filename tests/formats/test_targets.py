"""What types of targets may say: one thing wrong at a time."""

import pytest

from tagtrail.formats import toml
from tagtrail.formats.targets import read_target
from tagtrail.model.settings import TargetSettings


def read(text: str) -> tuple[TargetSettings, list[str]]:
    problems: list[str] = []
    table = toml.read("t", text.encode(), problems)
    return read_target("pypi", table, lambda kind: kind == "plugged"), problems


GOOD = 'type = "index"\nrepository = "pypi"\ntoken = "env:T"\n'


def test_only_what_was_said_is_kept() -> None:
    target, problems = read(GOOD)
    assert (target.options, problems) == ((("repository", "pypi"), ("token", "env:T")), [])
    assert read('type = "index"\nsimple = "https://a.example.org/simple"\nby = "ci"\n')[1] == []
    assert read('type = "index"\nupload = "http://[::1]:8080/up"\nusername = "jo"\npassword = "file:pw"\n')[1] == []


def test_other_packages_types_are_taken_as_they_are() -> None:
    target, problems = read('type = "plugged"\nwhatever = [1]\n')
    assert (target.options, problems) == ((("whatever", (1,)),), [])


ADDRESS = "t: upload: is an address, http or https, with no user, no query and no fragment"
LINE = "t: repository: is one line of at most 200 characters, with no space around it"
NO_ADDRESSES = ("ftp://a.example.org/", "https://a.example.org/?x", "https://a.example.org/#x", "//a", "https:///x")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (GOOD.replace('"index"', '"indx"'), "t: type: there is no type of target 'indx', did you mean 'index'?"),
        (GOOD + "tokn = 1\n", "t: tokn: unknown key, did you mean 'token'?"),
        (GOOD + 'on = ["finel"]\n', "t: on: there is no channel 'finel', did you mean 'final'?"),
        (GOOD + 'by = "me"\n', "t: by: there is no other who uploads 'me' (there are ci)"),
        ('type = "site"\nby = "ci"\n', "t: by: is for places that others upload to"),
        (GOOD + 'upload = "https://a.example.org/"\n',
         "t: upload: is the address itself: say it or repository, not both"),
        ('type = "index"\n', 't: has a repository, such as "pypi", or upload = URL'),
        ('type = "index"\nsimple = "https://a.example.org/"\n', 't: has a repository, such as "pypi", or upload = URL'),
        (GOOD + 'username = "jo"\npassword = "env:P"\n',
         "t: token: stands alone: it takes the place of username and password"),
        ('type = "index"\nrepository = "pypi"\nusername = "jo"\n', "t: password: and username come together"),
        (GOOD.replace('"pypi"', "1"), "t: repository: must be a string, not a number"),
        (GOOD.replace("pypi", "py\\npi"), LINE),
        *((f'type = "index"\nupload = "{url}"\n', ADDRESS) for url in NO_ADDRESSES),
    ],
)  # fmt: skip
def test_one_thing_wrong(text: str, problem: str) -> None:
    found = read(text)[1]
    assert problem in found
    assert len(found) == 1 or "stands alone" in problem
