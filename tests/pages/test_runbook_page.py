"""The page that says how a project is released: of its newest release that says so, and of nobody else's words."""

import pytest

from tagtrail.formats.site import runbook_page
from tagtrail.model.errors import TamperError
from tagtrail.pages import all_paths, page, touched
from tests.pages.test_hostile import EVIL, Page
from tests.pages.trails import begun

TEXT = "# How nova is released\n\n## 1. Tag\n\n- [ ] `git tag -s VERSION`\n"
PATH = runbook_page("nova")


def test_it_is_the_newest_releases() -> None:
    trail = begun()
    trail.release("nova", "1.0", runbook=TEXT)
    trail.release("nova", "2.0", runbook=TEXT.replace("-s", "-u KEY"))
    trail.withdraw("nova", "2.0", "broken")
    text = page(PATH, trail.view).decode()
    assert '<a href="../../nova/2.0/index.html">2.0</a>' in text
    assert "<h2>1. Tag</h2>\n<ul>\n<li><code>git tag -u KEY VERSION</code></li>" in text
    assert '<a href="../../nova/nova-2.0.runbook.md">' in text
    assert text.count("<h1>") == 1
    assert "[ ]" not in text


def test_a_release_that_does_not_say_leaves_what_was_said() -> None:
    trail = begun()
    trail.release("nova", "1.0")
    assert PATH not in all_paths(trail.view)
    assert b"runbook" not in page("nova/index.html", trail.view)
    entry = trail.release("Nova", "2.0", runbook=TEXT)
    assert {PATH, runbook_page("Nova"), "nova/index.html"} <= {*touched(entry, trail.view)}
    trail.release("nova", "3.0")
    assert b">2.0</a>" in page(PATH, trail.view)
    assert b'<a href="../nova/runbook/index.html">How nova is released</a>' in page("nova/index.html", trail.view)


@pytest.mark.parametrize("path", [PATH, "glance/runbook/index.html", "NOVA/runbook/index.html"])
def test_where_nobody_says_it_there_is_no_page(path: str) -> None:
    trail = begun()
    trail.release("nova", "1.0", runbook="" if path == PATH else TEXT)
    trail.release("glance", "1.0")
    assert path not in all_paths(trail.view)
    with pytest.raises(KeyError):
        page(path, trail.view)


@pytest.mark.parametrize("version", ["runbook", "feed"])
def test_no_version_takes_its_place(version: str) -> None:
    trail = begun()
    entry = trail.release("nova", version, files={"nova-1.0.tar.gz": {}})
    with pytest.raises(TamperError) as refused:
        touched(entry, trail.view)
    assert refused.value.code == "page-name"


@pytest.mark.parametrize("evil", EVIL, ids=ascii)
def test_its_words_stay_words(evil: str) -> None:
    trail = begun()
    trail.release("nova", "1.0", runbook=f"{TEXT}- [ ] {evil}\n\n## {evil}\n\n`{evil}` <h4>{evil}</h4>\n")
    found = Page(page(PATH, trail.view))
    assert not {tag for tag, _ in found.tags} & {"script", "img", "svg", "x", "b"}
    assert not [name for _, attributes in found.tags for name in attributes if name.startswith("on")]
    assert "<h4>" in found.text
