"""How files are served: the table of the specification, and nothing of a release is ever taken for a page."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagtrail.formats import served
from tagtrail.formats.served import BRIEFLY, FOREVER, headers, is_page
from tagtrail.model.names import PAGES

ROWS = re.findall(r"^    (\S+/\S+)  +(\S+(?: \S+)?)  +(FOREVER|BRIEFLY)( +yes)?$", served.__doc__ or "", re.MULTILINE)


def test_the_specification_has_a_table() -> None:
    assert len(ROWS) == 9


@pytest.mark.parametrize(("path", "media", "kept", "saved"), ROWS, ids=[row[0] for row in ROWS])
def test_the_table_of_the_specification(path: str, media: str, kept: str, saved: str) -> None:
    wanted = {"Content-Type": media, "Cache-Control": {"FOREVER": FOREVER, "BRIEFLY": BRIEFLY}[kept]}
    assert headers(path) == wanted | ({"Content-Disposition": "attachment"} if saved else {})


@pytest.mark.parametrize("name", ["x.html", "x.svg", "x.xhtml", "x.pdf", "x.js", "x", "x.xml", "x.htm"])
def test_what_a_browser_could_run_is_saved(name: str) -> None:
    assert headers(f"nova/{name}")["Content-Disposition"] == "attachment"


@pytest.mark.parametrize(
    "path", ["trail/tile/0/00", "trail/tile/0/x001", "trail/tile/64/000", "trail/tile/0/000.p/1", "trail/root.json"]
)
def test_what_may_change_is_not_kept(path: str) -> None:
    assert headers(path)["Cache-Control"] == BRIEFLY


@given(st.from_regex(r"[A-Za-z0-9._+!-]{1,40}", fullmatch=True).filter(lambda name: name not in PAGES))
def test_a_file_of_a_release_is_no_page(name: str) -> None:
    assert not is_page(f"nova/{name}")
