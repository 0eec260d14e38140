"""Reno's release notes: files of YAML, each with an id in its name; read by reno's rules, without reno.

    releasenotes/notes/road-can-be-resumed-3b1f0c9d2e4a5f67.yaml
        ---
        prelude: >
            The road can be resumed.
        features:
          - |
            A release that was broken off goes on where it was.

A note belongs to the first release that has it: by its id, whatever its slug became. Its text is the one at the tag.
What was removed before the tag is not shown. `releasenotes/config.yaml` or `reno.yaml` may name other directories and
sections. A note is a mapping of sections to a text or a list of texts, in reStructuredText; one that is anything else
is not read. No YAML tag, anchor or alias is followed, so that no note can be more than its own length.
After reno's user guide (Apache-2.0). Notes within a section stand in the order of their file names.
"""

import re
from collections.abc import Iterable, Mapping, Sequence

from tagtrail.formats import commonmark, restructured
from tagtrail.model.frozen import frozen
from tagtrail.model.notes import Section

__all__ = ["CONFIGS", "Config", "Note", "identity", "parse_config", "parse_note", "sections_of"]

CONFIGS = ("releasenotes/config.yaml", "reno.yaml")
"""Where reno's settings may be."""

_SECTIONS = (
    ("features", "New Features"), ("issues", "Known Issues"), ("upgrade", "Upgrade Notes"),
    ("deprecations", "Deprecation Notes"), ("critical", "Critical Issues"), ("security", "Security Issues"),
    ("fixes", "Bug Fixes"), ("other", "Other Notes"),
)  # fmt: skip
_MOST = 256 * 1024
_EVENTS = 10_000

Note = Mapping[str, tuple[str, ...]]
"""The texts of each section, reStructuredText."""

_Value = str | tuple[str, ...] | tuple[tuple[str, ...], ...]


@frozen
class Config:
    """What reno is told: `notes` is the directory of notes; `sections` are (key, title) in the order shown."""

    notes: str = "releasenotes/notes"
    prelude: str = "prelude"
    sections: tuple[tuple[str, str], ...] = _SECTIONS


def identity(name: str) -> str:
    """The id in a file's name: its last sixteen characters, in old ones the first; empty where it is no note's."""
    stem, dot, suffix = name.rpartition("/")[2].rpartition(".")
    if not dot or suffix != "yaml":
        return ""
    return stem[:16] if "-" in stem[-16:] else stem[-16:]


def parse_config(text: str) -> Config:
    """The settings, as far as they can be read. Never raises."""
    said = _mapping(text) or {}
    rows = tuple((row[0], row[1]) for row in said.get("sections", ()) if isinstance(row, tuple) and len(row) > 1)
    notes = said.get("notesdir", "notes")
    prelude = said.get("prelude_section_name", "prelude")
    safe = isinstance(notes, str) and re.fullmatch(r"[A-Za-z0-9._/-]+", notes) and ".." not in notes
    return Config(
        notes=f"releasenotes/{str(notes).strip('/')}" if safe else Config().notes,
        prelude=prelude if isinstance(prelude, str) else "prelude",
        sections=rows or _SECTIONS,
    )


def parse_note(text: str) -> Note | None:
    """A note's sections; None where it is no note. Never raises."""
    said = _mapping(text)
    if said is None:
        return None
    texts = {key: (value,) if isinstance(value, str) else value for key, value in said.items()}
    return {key: tuple(t for t in value if isinstance(t, str)) for key, value in texts.items()}


def sections_of(config: Config, notes: Sequence[Note]) -> tuple[Section, ...]:
    """The sections in the order of the settings, tame; the prelude without a title."""
    preludes = [text for note in notes for text in note.get(config.prelude, ())]
    first = "\n\n".join(filter(None, map(_tame, preludes)))
    rows = [(title, [t for note in notes for t in note.get(key, ())]) for key, title in config.sections]
    found = [(commonmark.plain(title), _listed(texts)) for title, texts in rows]
    return tuple(Section(title=title, body=body) for title, body in (("", first), *found) if body)


def _listed(texts: Iterable[str]) -> str:
    items = [text.replace("\n", "\n  ") for text in map(_tame, texts) if text]
    return "\n".join(f"- {item}" for item in items).replace("\n  \n", "\n\n")


def _tame(text: str) -> str:
    return commonmark.tame(restructured.commonmark(text))


# --- YAML, as events ------------------------------------------------------------------------------------------------


def _mapping(text: str) -> dict[str, _Value] | None:
    """A mapping of texts, lists of texts, and lists of lists of texts; None where the YAML is anything else."""
    import yaml

    if len(text) > _MOST or re.search(r"[\[{]{8}|(?:- ){8}|(?:\? ){8}", text):
        return None
    try:
        return _built(yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))  # in C, where that is
    except (yaml.YAMLError, ValueError, RecursionError):
        return None


def _built(events: Iterable[object]) -> dict[str, _Value]:
    """Raises ValueError for what is no such mapping. It stops at the first event that does not fit."""
    stack: list[list[object]] = []
    done: list[list[object]] = []
    for count, event in enumerate(events):
        kind = type(event).__name__
        anchored = getattr(event, "anchor", None) or getattr(event, "tag", None)
        if kind == "AliasEvent" or anchored or count > _EVENTS or len(stack) > 3:
            raise ValueError(kind)
        if kind in {"MappingStartEvent", "SequenceStartEvent"}:
            if (kind == "MappingStartEvent") == bool(stack):
                raise ValueError(kind)
            stack.append([])
        elif kind in {"MappingEndEvent", "SequenceEndEvent"}:
            whole = stack.pop()
            if stack:
                stack[-1].append(tuple(whole))
            else:
                done.append(whole)
        elif kind == "ScalarEvent":
            if not stack:
                raise ValueError(kind)
            stack[-1].append(event.value)  # type: ignore[attr-defined]  # of PyYAML, without types
    if len(done) != 1:
        raise ValueError("no mapping")
    keys, values = done[0][::2], done[0][1::2]
    return {key: value for key, value in zip(keys, values, strict=True) if isinstance(key, str)}  # type: ignore[misc]
