"""A word to the release team about a tag: a notice like those of releases, before there is one."""

from html import escape
from shlex import quote
from textwrap import TextWrapper

from tagtrail.formats.site import Site
from tagtrail.model.notice import SHORT, Notice
from tagtrail.model.sighting import Sighting
from tagtrail.pages.text import clean

__all__ = ["commands", "headline", "sighting_notice"]

WIDTH = 72


def headline(seen: Sighting) -> str:
    """One line that says what happened."""
    name = f"{seen.project} {seen.tag}"
    if seen.what == "new":
        errors = sum(f.level == "error" for f in seen.findings)
        judged = "could not be examined" if seen.unread else f"{errors or 'no'} error{'' if errors == 1 else 's'}"
        return f"{name}: a tag appeared, {judged}"
    now = f"is {seen.object[:12]} now" if seen.object else "is gone"
    released = f", and was released (entry {seen.entry})" if seen.entry is not None else ""
    return f"{name}: ALARM: the tag was {seen.before[:12]}{released}; it {now}"


def commands(seen: Sighting) -> tuple[str, ...]:
    """What the team can do now; each line can be pasted."""
    hold = f"tagtrail hold {seen.project} {quote(seen.tag)} --because TEXT"
    if seen.entry is not None:
        return (f"tagtrail check {seen.project} {quote(seen.tag)}", f"tagtrail status {seen.project} {quote(seen.tag)}")
    if not seen.object:
        return (hold,)
    errors = [finding for finding in seen.findings if finding.level == "error"]
    if seen.is_alarm or seen.unread or errors:
        planned = any(finding.rule == finding.code for finding in errors)  # no rule says it, so `check` may not
        return (f"tagtrail {'plan' if planned else 'check'} {seen.project} {quote(seen.tag)}", hold)
    release = f"tagtrail release {seen.project} {quote(seen.tag)}"
    approve = (f"tagtrail approve {seen.project} {quote(seen.tag)}",) if seen.approvals else ()
    return (hold, *approve, release)


def sighting_notice(seen: Sighting, site: Site, time: int) -> Notice:
    """The notice; `time` is when it was seen, in Unix seconds."""
    subject = _line(headline(seen))
    text = "\n".join((*_filled(subject), "", *_facts(seen), *_findings(seen), *_doing(seen))).rstrip("\n") + "\n"
    return Notice(
        key=seen.key,
        event="alarm" if seen.is_alarm else "tag",
        subject=subject,
        text=text,
        html=f"<pre>{escape(text)}</pre>\n",
        short=subject[:SHORT],
        entries=(),
        time=time,
        org=site.name,
        origin=site.origin,
        thread=f"watch/{seen.project}",
        project=seen.project,
        version=seen.version,
        channel=seen.channel,
        visible=seen.visible,
    )


def _facts(seen: Sighting) -> list[str]:
    rows = [
        ("object", seen.object or "none"),
        ("before", seen.before),
        ("commit", seen.commit),
        ("signed by", seen.signer or ("" if seen.is_alarm or seen.unread else "nobody whose signature counts")),
        ("channel", "; ".join(filter(None, (seen.channel, seen.follows and f"follows {seen.follows}")))),
        ("seen by", seen.visible),
        ("goes to", ", ".join(seen.targets)),
        ("told are", ", ".join(seen.announce)),
        ("held", seen.held),
        ("unread", seen.unread),
    ]
    return [line for name, value in rows if value for line in _filled(_line(value), f"{name:<9}  ")]


def _findings(seen: Sighting) -> list[str]:
    lines = [""] if seen.findings else []
    for finding in seen.findings:
        lines += _filled(_line(finding.text), f"{finding.rule} {finding.level}: ")
        lines += _filled(_line(finding.fix), "  to mend it: ") if finding.fix else []
    return lines


def _doing(seen: Sighting) -> list[str]:
    """Commands are not wrapped: they are to be pasted."""
    return ["", *(f"  {_line(line)}" for line in commands(seen))]


def _filled(text: str, name: str = "") -> list[str]:
    """Lines of at most `WIDTH`; names, keys and addresses are not taken apart."""
    indent = " " * (len(name) if name.endswith("  ") else 2)
    wrapper = TextWrapper(WIDTH, name, indent, break_on_hyphens=False, break_long_words=False)
    return wrapper.wrap(text) or [name]


def _line(text: str) -> str:
    """Foreign text in one line."""
    return " ".join(clean(text).split())
