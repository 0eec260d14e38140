"""Channels as the settings make them: what holds where nothing is said; no secret before its use."""

from pathlib import Path
from typing import Any

import pytest

from tagtrail.adapters.mail import Mail
from tagtrail.app.instance.secrets import Secrets
from tagtrail.app.instance.targets import Context, Targets
from tagtrail.formats.settings import parse_settings
from tagtrail.formats.site import Site
from tagtrail.ports import Target
from tagtrail.testing import samples
from tagtrail.testing.memory import Kept
from tests.formats.test_target_settings import GOOD, GROUND, HOOK, MAIL, X


def made(table: str) -> Target:
    settings = parse_settings({"tagtrail.toml": f"{GROUND}{table}\n".encode()})
    nowhere = Path("nowhere")
    context = Context(
        home=nowhere,
        site=Site(name="Example", origin="example.org/trail", url=""),
        kept=Kept(),
        secrets=Secrets(home=nowhere, environ={}),
        clock=lambda: 0,
        entry=lambda _: samples.logged(Kept(), 3).entry,
    )
    return Targets(settings=settings, context=context, made={})["x"]


def mail(server: str, more: str = "") -> Any:
    target = made(MAIL.replace("smtp://mx.example.org", server) + more)
    assert isinstance(target, Mail)
    return target


TYPES = ("mail", "webhook", "mastodon", "x", "apprise")


@pytest.mark.parametrize("table", [one for one in GOOD if one.startswith(tuple(f'type = "{t}"' for t in TYPES))])
def test_each_is_made_without_its_secrets(table: str) -> None:
    target = made(table)
    assert target.name == "x"
    assert target.survey("nova").target == "x"


@pytest.mark.parametrize(
    ("server", "more", "tls", "port"),
    [
        ("smtp://mx.example.org", "", "starttls", 587),
        ("smtp://mx.example.org:25", "", "starttls", 25),
        ("smtp://mx.example.org", 'tls = "none"', "none", 25),
        ("smtps://mx.example.org", "", "first", 465),
        ("smtp://localhost", "", "none", 25),
        ("smtp://localhost.example.org", "", "starttls", 587),
        ("smtp://[::1]:2525", "", "none", 2525),
        ("smtp://127.0.0.1", 'tls = "required"', "starttls", 587),
    ],
)
def test_tls_unless_it_is_this_machine(server: str, more: str, tls: str, port: int) -> None:
    smtp = mail(server, more).smtp
    assert (smtp.tls, smtp.port) == (tls, port)


def test_temperaments() -> None:
    archive = 'archive = "https://lists.example.org/{hash}/"\nlag = 5'
    searched = mail("smtp://localhost", archive)
    assert (searched.retry, searched.lag) == ("searchable", 1800)
    assert [made(table).retry for table in (MAIL, HOOK, X, X + "search = false")] == [
        "blind", "keyed", "searchable", "blind",
    ]  # fmt: skip
