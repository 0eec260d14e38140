"""How a command ends, and lines that are words already."""

from collections.abc import Iterator, Sequence

from tagtrail.app.terminal.phrases.words import Fields, Line, Phrases, line

__all__ = ["PHRASES", "unsaid"]


def _note(fields: Fields) -> Iterator[Line]:
    for text in str(fields["text"]).split("\n"):
        yield line("", text)


def _outcome(fields: Fields) -> Iterator[Line]:
    code = fields["exit"]
    tone = "good" if code == 0 else "warn" if code in (4, 5) else "bad"
    state = ((tone, f"{fields['state']}  "),) if fields.get("state") else ()
    ending = (("quiet", f"   (exit {code})"),) if code else ()
    first, *others = str(fields["text"]).split("\n")
    yield Line((*state, ("", first), *ending))
    yield from (line("", text) for text in others)
    yield from _following(fields)


def _refused(fields: Fields) -> Iterator[Line]:
    yield Line((("bad", "error  "), ("", fields["what"]), ("quiet", f"   (exit {fields['exit']})")))
    for number, text in enumerate(str(fields["why"]).split("\n") if fields["why"] else ()):
        yield Line((("quiet", "       " if number else "why    "), ("", text)))
    yield from _following(fields)


def unsaid(refused: Fields, findings: Sequence[Fields]) -> Fields:
    """A refusal without what the findings above it say already: its reasons, and what helps."""
    what, why = refused["what"], str(refused["why"])
    helps = {one.get("fix") for one in findings}
    for one in findings:
        rule, text = one.get("rule"), one.get("text")
        why = why.replace(f"{rule} {text}", "")
        what = f"{rule} refuses it" if what == text else what
    return {
        **refused,
        "what": what,
        "why": refused["why"] if why.strip("; ") else "",
        "next": "" if refused["next"] in helps else refused["next"],
    }


def _following(fields: Fields) -> Iterator[Line]:
    for number, text in enumerate(str(fields["next"]).split("\n") if fields.get("next") else ()):
        yield Line((("quiet", "       " if number else "next   "), ("strong", text)))


PHRASES: Phrases = {
    "note": _note,
    "outcome": _outcome,
    "refused": _refused,
}
