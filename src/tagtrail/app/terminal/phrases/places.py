"""Events of places beside the site: what each of them shows, a table of one project, and history that is imported.

nova  42 files                                            site    pypi  github
  nova-33.0.0.tar.gz                                      same   OTHER    same
  nova-33.0.1.tar.gz                                         -   extra       -
"""

from collections.abc import Iterator

from tagtrail.app.terminal.phrases.words import Fields, Line, Phrases, count, line

__all__ = ["PHRASES"]

_WIDE = 80
"""Columns of a narrow terminal: names are cut so that the table fits."""
_GOOD = frozenset({"same", "-", "there", "signed", "gone", "yanked", "dropped"})
_WAITS = frozenset({"unsent", "waiting", "unasked", "silent"})


def _place(fields: Fields) -> Iterator[Line]:
    if fields["silent"]:
        yield Line((("strong", f"{fields['place']}  "), ("warn", f"says nothing: {fields['silent']}")))
        return
    how = "signed" if fields["noun"] == "tag" else "with digest"
    told = f"{count(fields['files'], fields['noun'])}, {fields['digests']} {how}"
    note = f"  ({fields['note']})" if fields["note"] else ""
    yield Line((("strong", f"{fields['place']}  "), ("", told), ("quiet", note)))


def _imported(fields: Fields) -> Iterator[Line]:
    commit = fields["commit"][:8] or "no tag"
    yield line("", f"  import   {fields['version']:<20} {commit:<9} {count(len(fields['files']), 'file')}")


def _compared(fields: Fields) -> Iterator[Line]:
    """A project: one line where all agrees, else a table of what does not."""
    columns = fields["columns"]
    widths = [max(7, len(column)) for column in columns]
    room = _WIDE - 2 - sum(width + 1 for width in widths)
    title = f"{fields['project']}  {count(fields['total'], fields['noun'])}"
    heads = "".join(f" {column:>{width}}" for column, width in zip(columns, widths, strict=True))
    yield Line((("strong", f"{title:<{room + 2}}"), ("quiet", heads)))
    if not fields["rows"]:
        said = "".join(f" {cell:>{width}}" for cell, width in zip(fields["summary"], widths, strict=True))
        yield Line((("", f"  {_agreement(fields):<{room}}"), ("", said)))
    for row in fields["rows"]:
        cells = ((_tone(cell), f" {cell:>{width}}") for cell, width in zip(row["cells"], widths, strict=True))
        yield Line((("", f"  {_cut(row['name'], room)}"), *cells))
        yield from (line("quiet", f"    {text}") for text in row["notes"])


def _agreement(fields: Fields) -> str:
    """What it means that no row is told."""
    if "silent" in fields["summary"]:
        return "not all of them answered"
    if not fields["total"]:
        return "nothing is there"
    parts = ((fields["by_name"], "by name alone"), (fields["unasked"], "not looked at"))
    open_ = ", ".join(f"{number:,} {words}" for number, words in parts if number)
    return f"no difference seen: {open_}" if open_ else "all agree"


def _tone(cell: str) -> str:
    return "" if cell in _GOOD or cell[:1].isdigit() else "warn" if cell in _WAITS else "bad"


def _cut(name: str, room: int) -> str:
    """The beginning and the end, which say the project and the kind."""
    if len(name) <= room:
        return f"{name:<{room}}"
    head = (room - 3) * 2 // 3
    return f"{name[:head]}...{name[len(name) - (room - 3 - head) :]}"


PHRASES: Phrases = {
    "place": _place,
    "imported": _imported,
    "compared": _compared,
}
