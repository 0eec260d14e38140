"""The line of a release page that says who saw it: beside what was there at its release, withdrawn versions too."""

import pytest

from tagtrail.pages import page
from tests.pages.trails import begun


def line(version: str, *history: tuple[str, str], later: tuple[str, str] | None = None) -> str:
    """What the page of `version` says, with (what happened, version) before it and after."""
    trail = begun()
    steps = [*history, ("release", version), *([later] if later else [])]
    for what, of in steps:
        trail.release("nova", of) if what == "release" else trail.withdraw("nova", of, "broken")
    html = page(f"nova/{version}/index.html", trail.view).decode()
    return html.partition("<dt>Who sees it</dt><dd>at its release, plain <code>pip install nova</code> ")[2].partition(
        "</dd>"
    )[0]


ASKED = "<code>--pre</code> or <code>&gt;=2.0rc1</code> gets this one"


@pytest.mark.parametrize(
    ("history", "words"),
    [
        ((), "will pick it: no final is there yet, so everybody gets a pre-release"),
        ((("release", "1.0"),), f"keeps 1.0; {ASKED}"),
        ((("release", "1.0"), ("release", "1.1"), ("withdraw", "1.1")), f"keeps 1.0; {ASKED}"),
        (
            (("release", "1.0"), ("withdraw", "1.0")),
            f"finds nothing, for yanked finals hide pre-releases, uv will pick it; {ASKED}",
        ),
    ],
)
def test_a_pre_release(history: tuple[tuple[str, str], ...], words: str) -> None:
    assert line("2.0rc1", *history) == words


def test_what_happens_later_changes_nothing() -> None:
    assert line("2.0rc1", ("release", "1.0"), later=("withdraw", "1.0")) == f"keeps 1.0; {ASKED}"
    assert line("2.0rc1", ("release", "1.0"), later=("release", "2.0")) == f"keeps 1.0; {ASKED}"


@pytest.mark.parametrize(
    ("name", "generated", "words"),
    [
        ("nova-1.0.tar.gz", [], "Every member is the tag's."),
        ("nova-1.0-py3-none-any.whl", [], "Every member is the tag's."),
        ("nova-1.0.zip", ["x"], "Made by the build, not in the tag: x; every other member is the tag's."),
        ("nova-1.0-linux-amd64", [], "Made by the build; the trail says nothing of what is in it."),
        ("nova-1.0.7z", [], "Made by the build; the trail says nothing of what is in it."),
        ("nova-1.0.jar", ["x"], "Made by the build, not in the tag: x; every other member is the tag's."),
        ("nova-1.0.sh", [], "Made by the build; the trail says nothing of what is in it."),
    ],
)
def test_what_is_no_archive_has_no_members(name: str, generated: list[str], words: str) -> None:
    """Nobody compared it with anything: a page must not say that it is the tag's."""
    trail = begun()
    trail.release("nova", "1.0", files={name: {"generated": generated} if generated else {}})
    html = page("nova/1.0/index.html", trail.view).decode().replace("&#39;", "'")
    assert f"<p><small>{words}</small></p>" in html
