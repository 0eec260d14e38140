"""What the staging index of a draft shows."""

import pytest

from tagtrail.app.serve.staging import find
from tagtrail.model.errors import ProjectError
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
