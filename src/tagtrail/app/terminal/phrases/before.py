"""Events of what is found before anything is made: a tag, what the rules say, the plan; and new instances."""

from collections.abc import Iterator

from tagtrail.app.terminal.phrases.words import Fields, Line, Phrases, count, line, short, signer, step

__all__ = ["PHRASES"]


def _tag(fields: Fields) -> Iterator[Line]:
    who = signer(fields["scheme"], fields["signer"], fields.get("person", ""))
    about = f"  {fields['channel']}  {fields['commit'][:8]}  tag {fields['tag']} signed by {who}"
    yield Line((("strong", f"{fields['project']} {fields['version']}"), ("", about)))


def _finding(fields: Fields) -> Iterator[Line]:
    if "there" in fields:
        yield from _mismatch(fields)
        return
    tone = "bad" if fields["level"] == "error" else "warn"
    yield Line((("", f"{fields['rule']:<7} "), (tone, f"{fields['level']:<7} "), ("", fields["text"])))
    if fields.get("fix"):
        yield Line((("", " " * 8), ("quiet", "fix     "), ("", fields["fix"])))


def _mismatch(fields: Fields) -> Iterator[Line]:
    """What an audit found: where, and both values below each other."""
    yield Line(
        (("bad" if fields["level"] == "error" else "warn", f"{fields['code']:<20} "), ("strong", fields["name"]))
    )
    yield Line((("quiet", f"  {'there':<18} "), ("", fields["there"])))
    if fields["expected"]:
        yield Line((("quiet", f"  {'expected':<18} "), ("", fields["expected"])))


def _sighted(fields: Fields) -> Iterator[Line]:
    """A tag that somebody must know of: all that `check` says, and what to do."""
    name, _, text = str(fields["text"]).partition(": ")
    alarm = fields["what"] != "new"
    yield Line((("strong", name), ("bad" if alarm else "", f"  {text}")))
    follows = f"; follows {fields['follows']}" if fields["follows"] else ""
    rows = [("object", fields["object"] if alarm else ""), ("before", fields["before"]), ("signer", fields["signer"])]
    rows += [("channel", f"{fields['channel']}{follows}"), ("seen by", fields["visible"])]
    rows += [("goes to", ", ".join(fields["targets"])), ("told are", ", ".join(fields["announce"]))]
    rows += [("held", fields["held"]), ("unread", fields["unread"])]
    yield from (step(word, said) for word, said in rows if said)
    for finding in fields["findings"]:
        yield from _finding(finding)
    for number, command in enumerate(fields["next"]):
        yield Line((("quiet", "         " if number else "  next   "), ("strong", command)))


def _runbook(fields: Fields) -> Iterator[Line]:
    """As it is: it is put into a file, a wiki, a page."""
    for text in str(fields["text"]).rstrip("\n").split("\n"):
        yield line("strong" if text.startswith("#") else "", text)


def _override(fields: Fields) -> Iterator[Line]:
    yield Line((("", f"{fields['rule']:<7} "), ("quiet", "aside   "), ("", fields["because"])))


def _checked(fields: Fields) -> Iterator[Line]:
    found = [count(fields[key], key[:-1]) for key in ("errors", "warnings") if fields[key]]
    tone = "bad" if fields["errors"] else "warn" if found else "good"
    yield step("check", f"{count(fields['rules'], 'rule'):<46}   {', '.join(found) or 'fine'}", tone if found else "")


def _plan(fields: Fields) -> Iterator[Line]:
    after = f"   follows {fields['follows']}" if fields["follows"] else "   the first release"
    yield step("plan", f"{fields['project']} {fields['version']}  {fields['channel']}{after}")
    if fields["visible"]:
        yield step("seen by", fields["visible"])
    how = fields["isolation"]
    unfenced = "; not apart: it runs as you do" if how == "none" else f"; apart by {how}"
    refs = count(fields["refs"], "ref")
    yield step("build", f"{', '.join(fields['build'])} of {fields['commit'][:12]}, {refs}{unfenced}")
    if changed := fields["changed"]:
        names = ", ".join(changed[:3]) + (f" and {len(changed) - 3} more" if len(changed) > 3 else "")
        yield step("as built", f"{refs} as its first build saw them; what became of {names} since changes nothing")
    yield step("log", f"entry {fields['index']} of {fields['origin']}")
    yield step("publish", f"{', '.join(fields['targets'])}; {fields['page']}")
    if fields["announce"]:
        yield step("announce", f"{', '.join(fields['announce'])}: {fields['subject']}")
    yield step("policy", short(fields["policy"]))
    if fields["text"]:
        yield step(
            "preview", "what people will read; files, digests and how to get them are known after the build", "quiet"
        )
    for text in str(fields["text"] or fields["notes"]).rstrip().split("\n"):
        yield line("quiet", f"  | {text}")


def _picks(fields: Fields) -> Iterator[Line]:
    tools = {name: f"{name} {version}" for name, version in fields["tools"].items()}
    if fields["pip"] == fields["uv"]:
        yield _picked(f"{tools['pip']} and {tools['uv']} pick", fields["pip"], fields["because"]["pip"])
        return
    for name, tool in tools.items():
        yield _picked(f"{tool} picks", fields[name], fields["because"][name])


def _picked(who: str, version: str | None, why: str) -> Line:
    return Line((("", f"{who} "), ("strong", version or "nothing"), ("quiet", f": {why}" if why else "")))


def _made(fields: Fields) -> Iterator[Line]:
    yield Line((("strong", fields["home"]), ("", f"  a new instance; release key {fields['release_key']}")))


def _added(fields: Fields) -> Iterator[Line]:
    about = "  ".join(filter(None, (fields["kind"], fields["backend"] or "no build backend")))
    lines = f"{count(fields['lines'], 'line')} added to {fields['file']}"
    yield Line((("strong", fields["project"]), ("", f"  {about}  signer: {fields['signers']}     {lines}")))


PHRASES: Phrases = {
    "tag": _tag,
    "finding": _finding,
    "sighted": _sighted,
    "runbook": _runbook,
    "override": _override,
    "checked": _checked,
    "plan": _plan,
    "picks": _picks,
    "made": _made,
    "added": _added,
}
