"""What the staging index of a draft shows."""

from contextlib import suppress
from dataclasses import replace

import pytest

from tagtrail.app.serve.staging import find, parted
from tagtrail.model.errors import Error, ProjectError, RemoteError, SetupError
from tagtrail.model.steps import Step
from tagtrail.workflows.begun import Waiting
from tagtrail.workflows.release import release
from tagtrail.workflows.staged import drafted
from tests.workflows.intake import MAC, Desk, wheel

WHEEL = "nova-1.0.0-py3-none-any.whl"


def shown(desk: Desk, path: str) -> bytes:
    found = find(desk.road(), "nova", "1.0.0", path)
    return b"".join(found.pieces) if found else b""


@pytest.mark.parametrize("name", [WHEEL, "Nova-1.0-py3-none-any.whl"])
def test_what_was_brought_never_stands_in_for_what_is_built(name: str) -> None:
    """It came before the build, and the release refuses it: nobody tries what will not be published."""
    desk = Desk(need=0)
    desk.add(name, wheel(name, more={"nova/other.py": b"x"}))
    desk.add(MAC)
    with pytest.raises(ProjectError) as caught:
        desk.go()
    assert caught.value.code == "add-built"
    page = shown(desk, "simple/nova/").decode()
    assert page.count("-none-any.whl#") == 1
    assert f"{WHEEL}#" in page
    assert MAC in page
    assert b"nova/other.py" not in shown(desk, f"nova/{WHEEL}")


@pytest.mark.parametrize("until", ["built", "signed"])
def test_a_draft_that_is_built_can_be_tried_though_nothing_waits(until: Step) -> None:
    desk = Desk(need=0)
    assert release(desk.road(), desk.project(), "1.0.0", until=until).exit == 0
    assert f"{WHEEL}#" in shown(desk, "simple/nova/").decode()
    assert shown(desk, f"nova/{WHEEL}").startswith(b"wheel of nova 1.0.0")


def test_a_draft_whose_release_waits_or_fails_behind_the_build_can_be_tried() -> None:
    for code, fault in (("held", Waiting), ("signer", SetupError), ("store", RemoteError)):
        desk = Desk(need=0)
        with suppress(Error):
            release(replace(desk.road(), signer=_Failing(fault("not now", code=code))), desk.project(), "1.0.0")
        assert f"{WHEEL}#" in shown(desk, "simple/nova/").decode(), code


def test_a_release_that_goes_through_writes_no_line_for_its_draft() -> None:
    desk = Desk(need=0)
    tag = desk.tag
    assert desk.go().exit == 0
    assert drafted(desk.road(), "nova", tag) == ()


@pytest.mark.parametrize(
    ("address", "tag", "path"),
    [
        ("1.0.0/simple/", "1.0.0", "simple/"),
        ("1.0.0/simple/index.html", "1.0.0", "simple/index.html"),
        ("1.0.0/simple/client/", "1.0.0", "simple/client/"),
        ("1.0.0/simple/client/index.json", "1.0.0", "simple/client/index.json"),
        ("1.0.0/client/client-1.0.0.tar.gz", "1.0.0", "client/client-1.0.0.tar.gz"),
        ("1.0.0/Client/client-1.0.0.tar.gz", "1.0.0", "Client/client-1.0.0.tar.gz"),
        ("releases/client/1.0.0/simple/", "releases/client/1.0.0", "simple/"),
        ("releases/client/1.0.0/simple/client/", "releases/client/1.0.0", "simple/client/"),
        ("releases/client/1.0.0/client/client-1.0.0.tar.gz", "releases/client/1.0.0", "client/client-1.0.0.tar.gz"),
        ("client/1.0.0/client/client-1.0.0.tar.gz", "client/1.0.0", "client/client-1.0.0.tar.gz"),
        ("simple/1.0.0/simple/client/", "simple/1.0.0", "simple/client/"),
        ("1.0.0/simple/simple/", "1.0.0/simple", "simple/"),
    ],
)
def test_a_tag_may_have_any_word_between_slashes(address: str, tag: str, path: str) -> None:
    assert parted("client", address.split("/")) == (tag, path)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "simple/",
        "client/x.tar.gz",
        "1.0.0",
        "1.0.0/simple",
        "1.0.0/other/x.tar.gz",
        "1.0.0/client/",
        "1.0.0/simple/x/",
    ],
)
def test_what_is_no_address_of_a_draft(address: str) -> None:
    assert parted("client", address.split("/")) is None


class _Failing:
    """A release key that is not there."""

    fingerprint = "0" * 40
    certificate = ""

    def __init__(self, error: Error) -> None:
        self._error = error

    def sign(self, data: bytes) -> bytes:
        """Nothing."""
        raise self._error
