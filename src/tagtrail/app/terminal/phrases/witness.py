"""Events of a witness, and of whatever answers on a port."""

from collections.abc import Iterator

from tagtrail.app.terminal.phrases.words import Fields, Line, Phrases, count, line, step
from tagtrail.formats.times import format_time

__all__ = ["PHRASES"]


def _witness(fields: Fields) -> Iterator[Line]:
    yield Line((("strong", fields["name"]), ("", f"  a witness, in {fields['directory']}")))
    for name, key in (("key", "vkey"), ("policy line", "policy")):
        yield Line((("quiet", f"  {name:<12} "), ("", fields[key])))


def _serving(fields: Fields) -> Iterator[Line]:
    logs = count(fields["logs"], "log") if fields["logs"] else "no log yet"
    if "projects" in fields:
        logs = count(fields["projects"], "project")
    yield Line((("good", "serving  "), ("", f"{fields['name']} at {fields['url']}, {logs}")))


def _cosigned(fields: Fields) -> Iterator[Line]:
    yield step("cosigned", f"{fields['origin']}   {fields['before']} -> {_entries(fields['size'])}")


def _watched(fields: Fields) -> Iterator[Line]:
    size = fields["size"]
    seen = "nothing cosigned yet" if size is None else f"{_entries(size)}, cosigned {format_time(fields['time'])}"
    keys = count(len(fields["keys"]), "key") if fields["keys"] else "no key: not cosigned any more"
    yield Line((("", f"  {fields['origin']:<30}   {seen}   "), ("" if fields["keys"] else "warn", keys)))


def _evidence(fields: Fields) -> Iterator[Line]:
    fork = fields["standing"] == "fork"
    word, tone = ("FORK", "bad") if fork else (fields["standing"], "warn")
    what = "another tree of this size is cosigned" if fork else "the proof that came with it does not hold"
    about = f"size {fields['size']}, root {fields['root'][:16]}..., sent {format_time(fields['time'])}: {what}"
    yield Line((("", f"  {fields['origin']:<30}   "), (tone, f"{word}  "), ("", about)))
    for text in fields["note"].rstrip().split("\n") if fork else ():
        yield line("quiet", f"  | {text}")


def _entries(count: int) -> str:
    return "1 entry" if count == 1 else f"{count} entries"


PHRASES: Phrases = {
    "witness": _witness,
    "serving": _serving,
    "cosigned": _cosigned,
    "watched": _watched,
    "evidence": _evidence,
}
