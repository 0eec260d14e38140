"""Events of a release on its road: what was made, what waits, where it went."""

from collections.abc import Iterator

from tagtrail.app.terminal.phrases.words import Fields, Line, Phrases, count, line, moment, short, size, step
from tagtrail.formats.times import format_time

__all__ = ["PHRASES"]


def _built(fields: Fields) -> Iterator[Line]:
    what = f"{fields['file']:<38} {size(fields['size']):>7}  {short(fields['sha256'])}"
    yield step("build", f"{what}   {_contents(fields)}")


def _contents(fields: Fields) -> str:
    told = ["as built (already in normal form)"] if fields.get("as_built") else []
    members, made = fields.get("members") or 0, fields.get("generated") or 0
    generated = made if isinstance(made, int) else len(made)
    if members:
        told.append(f"{members} members, {members - generated} from the tag, {generated} generated")
    return "; ".join(told)


def _signed(fields: Fields) -> Iterator[Line]:
    files = fields["files"]
    yield step("sign", f"{count(files if isinstance(files, int) else len(files), 'file')}, SHA256SUMS")


def _logged(fields: Fields) -> Iterator[Line]:
    seen = f"witnessed {fields['witnessed']}" if fields["witnessed"] else "unwitnessed (no witness configured)"
    event = fields["entry"]
    if event == "import":  # `imported` has told the version: there may be hundreds
        return
    what = "" if event == "release" else f" ({event})"
    yield step("log", f"entry {fields['index']}{what}, tree {fields['size']}, {seen}")


def _waiting(fields: Fields) -> Iterator[Line]:
    if fields["for"] == "approval":
        return  # `approval` told it, with the text
    yield step("wait", fields["what"] if fields["for"] == "hold" else f"for {fields['for']}: {fields['what']}")
    yield from (line("quiet", f"  {'':10} {why}") for why in str(fields["why"]).split("; ") if why)


def _approval(fields: Fields) -> Iterator[Line]:
    """What waits for approval; the text is what a person signs, so it is shown as it is."""
    have = f"{fields['have']} of {fields['need']}" if fields["need"] else "asked of a signer"
    until = f", until {format_time(fields['expires'])}" if fields["expires"] else ""
    yield step("approve", f"digest {short(fields['digest'])}, {have}{until}")
    yield from (line("quiet", f"  {'by':>8}   {key}") for key in fields["keys"])
    yield from (line("quiet", f"  | {text}") for text in str(fields["text"]).rstrip().split("\n") if text)
    if fields["missing"]:
        yield line("quiet", f"  {'':10} missing: {fields['missing']}")


def _approved(fields: Fields) -> Iterator[Line]:
    yield step("approved", f"digest {short(fields['digest'])} by {fields['key']}", "good")


def _staged(fields: Fields) -> Iterator[Line]:
    new = f"brought by {fields['by']}" if fields["new"] else "was there already"
    yield step("add", f"{fields['file']:<38} {size(fields['size']):>7}  {short(fields['sha256'])}   {new}")


def _recosigned(fields: Fields) -> Iterator[Line]:
    yield step(
        "witness", f"tree {fields['size']} cosigned again, witnessed {fields['witnessed']}, at {fields['fresh']}"
    )


def _held(fields: Fields) -> Iterator[Line]:
    until = f"until {format_time(fields['until'])}" if fields["until"] else "until it is lifted"
    about = f"   held {until}{': ' if fields['because'] else ''}{fields['because']}"
    yield Line((("strong", f"{fields['project']} {fields['tag']}"), ("warn", about)))


def _already(fields: Fields) -> Iterator[Line]:
    yield step("already", f"{fields['project']} {fields['version']}: {fields['what']} (entry {fields['index']})")


def _row(fields: Fields) -> Iterator[Line]:
    if fields["state"] == "seen" and fields.get("why"):
        yield step(fields["target"], f"{fields['path']:<38} {fields['why']}", "quiet")
    if fields["state"] in ("conflict", "refused", "held"):
        tone = "bad" if fields["state"] == "conflict" else "warn"
        word = fields["state"].upper() if tone == "bad" else fields["state"]
        yield step(fields["target"], f"{fields['path']:<38} {word}: {fields.get('why', '')}", tone)


def _skip(fields: Fields) -> Iterator[Line]:
    place = f"{fields['target']}: " if fields["target"] else ""
    yield step("skip", f"{place}{fields['what']}: {fields['because']}", "quiet")


def _rendered(fields: Fields) -> Iterator[Line]:
    yield step("render", f"{count(fields['pages'], 'page')}, tree {fields['size']}")


def _status(fields: Fields) -> Iterator[Line]:
    yield Line((("strong", f"{fields['project']} {fields['version']}"), ("", f"   {fields['text']}")))
    if fields.get("why"):
        yield Line((("", f"  {'':10} {fields['why']}"),))
    for target in fields["targets"]:
        yield from _place(target, fields.get("now") or 0)


_WAITS = {
    "none": "to do", "asked": "no answer", "sent": "sent, not visible yet", "refused": "", "held": "held",
    "conflict": "CONFLICT",
}  # fmt: skip


def _place(target: Fields, now: int) -> Iterator[Line]:
    """A place: how much of it is seen; then what the worst of the rest waits for, on a line of its own."""
    tone = {"conflict": "bad", "seen": "good"}.get(target["state"], "warn")
    dropped = f", {target['dropped']} dropped" if target.get("dropped") else ""
    seen = f"{target['seen']} of {target['of']}"
    if target["state"] == "seen":
        parts = [("", f"  {target['target']:<10} {seen:<9} "), (tone, "seen"), ("", dropped)]
        yield Line((*parts, ("quiet", f"   {target['why']}" if dropped else "")))
        return
    yield Line((("", f"  {target['target']:<10} {seen:<9} seen{dropped}   {target['path']}"),))
    why = ": ".join(filter(None, (_WAITS[target["state"]], target["why"])))
    since = f"  since {moment(target['since'], now)}" if target["since"] else ""
    tries = f", {target['tries']} tries" if target.get("tries", 0) > 1 else ""
    due = f"; again at {moment(target['due'], now)}" if target["due"] > now else ""
    yield Line((("", f"  {'':10} "), (tone, why), ("quiet", f"{since}{tries}{due}")))


def _settled(fields: Fields) -> Iterator[Line]:
    yield step(fields["target"], f"{fields['path']:<38} {fields['how']}, says {fields['by']}: {fields['because']}")


def _log(fields: Fields) -> Iterator[Line]:
    yield line("quiet", f"  {'log':10} {fields['file']}  ({size(fields['size'])})")
    yield from (line("quiet", f"  {'':10} {text}") for text in fields["lines"])


PHRASES: Phrases = {
    "built": _built,
    "signed": _signed,
    "logged": _logged,
    "waiting": _waiting,
    "approval": _approval,
    "approved": _approved,
    "staged": _staged,
    "recosigned": _recosigned,
    "held": _held,
    "already": _already,
    "row": _row,
    "skip": _skip,
    "rendered": _rendered,
    "settled": _settled,
    "status": _status,
    "log": _log,
}
