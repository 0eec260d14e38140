"""Events against their published schema: every event that is told has one, and what is told fits it."""

import ast
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tagtrail.app.terminal.phrases import PHRASES
from tests.app.places import Place
from tests.app.test_console import ROAD

ROOT = Path(__file__).parents[2]
SCHEMA = json.loads((ROOT / "docs" / "events.schema.json").read_text())
KINDS = {"string": str, "integer": int, "boolean": bool, "array": list, "object": dict, "null": type(None)}


def fits(schema: dict[str, Any], value: Any) -> bool:
    """JSON Schema, as far as ours uses it."""
    kinds = schema.get("type", [])
    named = [kinds] if isinstance(kinds, str) else kinds
    if named and type(value) not in [KINDS[kind] for kind in named]:
        return False
    if "enum" in schema and value not in schema["enum"]:
        return False
    if "const" in schema and value != schema["const"]:
        return False
    if isinstance(value, list):
        return all(fits(schema.get("items", {}), item) for item in value)
    if isinstance(value, dict):
        there = all(key in value for key in schema.get("required", []))
        return there and all(fits(schema.get("properties", {}).get(key, {}), item) for key, item in value.items())
    return True


def told() -> Iterator[str]:
    """The names of all events that the source tells."""
    for path in (ROOT / "src" / "tagtrail").rglob("*.py"):
        text = path.read_text()
        for node in ast.walk(ast.parse(text)) if "tell(" in text else ():
            if isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) == "tell":
                name = node.args[0] if node.args else None
                if isinstance(name, ast.Constant):
                    yield str(name.value)


def test_every_event_that_is_told_is_described_and_the_other_way_round() -> None:
    assert sorted(set(told())) == sorted(SCHEMA["$defs"])


def test_the_page_names_every_event() -> None:
    page = (ROOT / "docs" / "events.md").read_text()
    assert [name for name in SCHEMA["$defs"] if f"`{name}`" not in page] == []


def test_every_event_has_words_but_progress_which_is_a_bar() -> None:
    assert sorted({*PHRASES, "bytes"}) == sorted(SCHEMA["$defs"])


@pytest.mark.parametrize(("name", "fields"), ROAD)
def test_the_samples_fit(name: str, fields: dict[str, Any]) -> None:
    said = {"entry" if key == "event" else key: value for key, value in fields.items()}
    assert fits(SCHEMA["$defs"][name], {"event": name} | said)


@pytest.mark.parametrize("name", SCHEMA["$defs"])
def test_what_lacks_a_field_does_not_fit(name: str) -> None:
    assert not fits(SCHEMA["$defs"][name], {"event": name})


@pytest.mark.client
def test_real_commands_fit(tmp_path: Path) -> None:
    place = Place(tmp_path).make()
    place.git("tag", "1.0.0")
    ended = [
        place.run("init", "rel", "--origin", "example.org/trail"),
        place.add("mylib"),
        place.run("-C", "rel", "check", "mylib", "1.0.0"),
        place.run("-C", "rel", "check", "mylib", "2026.1"),
        place.run("check", "--explain", "TAG001"),
        place.run("nonsense"),
    ]
    events = [event for one in ended for event in one.events]
    assert {e["event"] for e in events} >= {"made", "added", "finding", "checked", "outcome", "note", "refused", "skip"}
    assert [e for e in events if not fits(SCHEMA["$defs"][e["event"]], e)] == []
    assert all(one.events[-1]["event"] in ("outcome", "refused", "note") for one in ended)
