"""Events in words: each becomes lines of toned parts, with no terminal in sight.

Columns on the road are step, what, size, short digest, remark:

      build    mylib-1.2.0.tar.gz                       41 kB  e1c0 77aa   as built (already in normal form)
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from tagtrail.formats.times import format_time

__all__ = ["Line", "duration", "gathered", "lines", "progress", "short", "shown", "size"]

Fields = Mapping[str, Any]


class Line(NamedTuple):
    """A line of (tone, text) parts; `step` says that it ends a step of the road, which may have taken time."""

    parts: tuple[tuple[str, str], ...]
    step: bool = False

    def plain(self) -> str:
        """The text alone, harmless."""
        return "".join(shown(text) for _, text in self.parts)


def shown(text: str) -> str:
    """Foreign text with everything that a terminal would obey, or a reader would not see, written out."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode("ascii") for c in text)


def size(count: int) -> str:
    """Bytes in the unit that people read: `812 B`, `41 kB`, `9.6 MB`."""
    value, unit = float(count), "B"
    for larger in ("kB", "MB", "GB"):
        if value < 999.5:
            break
        value, unit = value / 1000, larger
    return f"{value:.1f} {unit}" if unit != "B" and value < 9.95 else f"{value:.0f} {unit}"


def short(digest: str) -> str:
    """The first eight digits of a digest, in fours."""
    return f"{digest[:4]} {digest[4:8]}"


def duration(seconds: int) -> str:
    """A wait in the largest unit that fits: `40 s`, `12 min`, `3 h`, `2 d`."""
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds // length} {unit}"
    return f"{max(seconds, 0)} s"


def signer(scheme: str, fingerprint: str, person: str = "") -> str:
    """Who signed: `jo (ssh SHA256:qh/c...M1Sg)`."""
    head = 11 if fingerprint.startswith("SHA256:") else 4
    key = f"{scheme} {fingerprint[:head]}...{fingerprint[-4:]}"
    return f"{person} ({key})" if person else key


def lines(name: str, fields: Fields) -> Iterator[Line]:
    """The lines of an event; one that nobody wrote words for, or that lacks what they tell, is shown as it is."""
    try:
        told = tuple(_PHRASES[name](fields))
    except (KeyError, TypeError, ValueError, AttributeError):
        told = (_line("quiet", f"{name}  " + "  ".join(f"{key} {value}" for key, value in fields.items() if value)),)
    yield from told


def gathered(rows: Mapping[str, Mapping[str, str]]) -> Iterator[Line]:
    """One line for each target: how many of its effects came to which state."""
    words = {"seen": "seen", "sent": "sent, not visible yet", "none": "to do", "asked": "asked, no answer yet"}
    for target, states in rows.items():
        counts = Counter(states.values())
        told = [
            f"{counts[state]} {words.get(state, state)}" for state in (*words, *(s for s in counts if s not in words))
        ]
        yield _step(target, ", ".join(text for text in told if not text.startswith("0 ")))


def progress(fields: Fields) -> Line:
    """A bar of 30 places, where the total is known; before the first byte, only what is being done."""
    done, total = int(fields.get("done") or 0), int(fields.get("total") or 0)
    full = min(30, 30 * done // total) if total else 0
    bar = f"[{'=' * full}{' ' * (30 - full)}] {100 * done // total:3d} %" if total else ""
    unit = fields.get("unit")
    said = f"{bar} {f'{done:,} of {total:,} {unit}' if unit else size(done)}" if done or total else "..."
    return Line((("", f"  {fields.get('what', '')!s:<8} {said}"),))


def _line(tone: str, text: str) -> Line:
    return Line(((tone, text),))


def _step(step: str, text: str, tone: str = "") -> Line:
    return Line((("", f"  {step:<8} "), (tone, text)), step=True)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


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


def _override(fields: Fields) -> Iterator[Line]:
    yield Line((("", f"{fields['rule']:<7} "), ("quiet", "aside   "), ("", fields["because"])))


def _mismatch(fields: Fields) -> Iterator[Line]:
    """What an audit found: where, and both values below each other."""
    yield Line(
        (("bad" if fields["level"] == "error" else "warn", f"{fields['code']:<20} "), ("strong", fields["name"]))
    )
    yield Line((("quiet", f"  {'there':<18} "), ("", fields["there"])))
    if fields["expected"]:
        yield Line((("quiet", f"  {'expected':<18} "), ("", fields["expected"])))


def _entry(fields: Fields) -> Iterator[Line]:
    what = " ".join(filter(None, (fields["entry"], fields["project"], fields["version"])))
    by = f"  by {fields['signer']}" if fields["signer"] else ""
    because = f"  ({fields['because']})" if fields["because"] else ""
    names = f"  {', '.join(fields['files'][:4])}" if fields["entry"] in ("key", "import") else ""
    more = f" and {len(fields['files']) - 4} more" if names and len(fields["files"]) > 4 else ""
    yield _line("", f"  {fields['index']:<8} {fields['time']}  {what}{by}{names}{more}{because}")


def _checked(fields: Fields) -> Iterator[Line]:
    found = [_count(fields[key], key[:-1]) for key in ("errors", "warnings") if fields[key]]
    tone = "bad" if fields["errors"] else "warn" if found else "good"
    yield _step("check", f"{_count(fields['rules'], 'rule'):<46}   {', '.join(found) or 'fine'}", tone if found else "")


def _built(fields: Fields) -> Iterator[Line]:
    what = f"{fields['file']:<38} {size(fields['size']):>7}  {short(fields['sha256'])}"
    yield _step("build", f"{what}   {_contents(fields)}")


def _contents(fields: Fields) -> str:
    told = ["as built (already in normal form)"] if fields.get("as_built") else []
    members, made = fields.get("members") or 0, fields.get("generated") or 0
    generated = made if isinstance(made, int) else len(made)
    if members:
        told.append(f"{members} members, {members - generated} from the tag, {generated} generated")
    return "; ".join(told)


def _signed(fields: Fields) -> Iterator[Line]:
    files = fields["files"]
    yield _step("sign", f"{_count(files if isinstance(files, int) else len(files), 'file')}, SHA256SUMS")


def _logged(fields: Fields) -> Iterator[Line]:
    seen = f"witnessed {fields['witnessed']}" if fields["witnessed"] else "unwitnessed (no witness configured)"
    event = fields["entry"]
    what = "" if event == "release" else f" ({event})"
    yield _step("log", f"entry {fields['index']}{what}, tree {fields['size']}, {seen}")


def _waiting(fields: Fields) -> Iterator[Line]:
    if fields["for"] == "approval":
        return  # `approval` told it, with the text
    yield _step("wait", f"for {fields['for']}: {fields['what']}")
    yield from (_line("quiet", f"  {'':10} {why}") for why in str(fields["why"]).split("; ") if why)


def _approval(fields: Fields) -> Iterator[Line]:
    """What waits for approval; the text is what a person signs, so it is shown as it is."""
    have = f"{fields['have']} of {fields['need']}" if fields["need"] else "asked of a signer"
    until = f", until {format_time(fields['expires'])}" if fields["expires"] else ""
    yield _step("approve", f"digest {short(fields['digest'])}, {have}{until}")
    yield from (_line("quiet", f"  {'by':>8}   {key}") for key in fields["keys"])
    yield from (_line("quiet", f"  | {text}") for text in str(fields["text"]).rstrip().split("\n") if text)
    if fields["missing"]:
        yield _line("quiet", f"  {'':10} missing: {fields['missing']}")


def _approved(fields: Fields) -> Iterator[Line]:
    yield _step("approved", f"digest {short(fields['digest'])} by {fields['key']}", "good")


def _staged(fields: Fields) -> Iterator[Line]:
    new = f"brought by {fields['by']}" if fields["new"] else "was there already"
    yield _step("add", f"{fields['file']:<38} {size(fields['size']):>7}  {short(fields['sha256'])}   {new}")


def _recosigned(fields: Fields) -> Iterator[Line]:
    yield _step(
        "witness", f"tree {fields['size']} cosigned again, witnessed {fields['witnessed']}, at {fields['fresh']}"
    )


def _already(fields: Fields) -> Iterator[Line]:
    yield _step("already", f"{fields['project']} {fields['version']}: {fields['what']} (entry {fields['index']})")


def _row(fields: Fields) -> Iterator[Line]:
    if fields["state"] in ("conflict", "refused", "held"):
        tone = "bad" if fields["state"] == "conflict" else "warn"
        word = fields["state"].upper() if tone == "bad" else fields["state"]
        yield _step(fields["target"], f"{fields['path']:<38} {word}: {fields.get('why', '')}", tone)


def _skip(fields: Fields) -> Iterator[Line]:
    place = f"{fields['target']}: " if fields["target"] else ""
    yield _step("skip", f"{place}{fields['what']}: {fields['because']}", "quiet")


def _rendered(fields: Fields) -> Iterator[Line]:
    yield _step("render", f"{_count(fields['pages'], 'page')}, tree {fields['size']}")


def _note(fields: Fields) -> Iterator[Line]:
    for text in str(fields["text"]).split("\n"):
        yield _line("", text)


def _refused(fields: Fields) -> Iterator[Line]:
    yield Line((("bad", "error  "), ("", fields["what"]), ("quiet", f"   (exit {fields['exit']})")))
    for number, text in enumerate(str(fields["why"]).split("\n") if fields["why"] else ()):
        yield Line((("quiet", "       " if number else "why    "), ("", text)))
    yield from _following(fields)


def _verified(fields: Fields) -> Iterator[Line]:
    ok = fields["ok"]
    about = "" if ok else f": {fields['what']}"
    yield Line(
        (("strong", fields["file"]), ("good" if ok else "bad", "  ok" if ok else f"  {fields['code']}"), ("", about))
    )
    if fields.get("why"):
        yield Line((("quiet", "  why    "), ("", fields["why"])))
    if fields.get("next"):
        yield Line((("quiet", "  next   "), ("strong", fields["next"])))
    yield from _claims(fields)
    folders: dict[str, list[str]] = {}
    for address in fields.get("fetched") or ():
        folder, slash, name = str(address).rpartition("/")
        folders.setdefault(folder + slash, []).append(name)
    for folder, names in folders.items():
        yield _line("quiet", f"  fetched {' and '.join(names)} from {folder}")


def _claims(fields: Fields) -> Iterator[Line]:
    for text in fields.get("proven") or ():
        yield _line("", f"  {text}")
    for text in fields.get("not_proven") or ():
        yield _line("quiet", f"  not proven: {text}")


def _reproduced(fields: Fields) -> Iterator[Line]:
    about = f"  entry {fields['index']} of {fields['origin']}"
    yield Line((("strong", f"{fields['project']} {fields['version']}"), ("", about)))
    how = "not isolated" if fields["isolation"] == "none" else f"in {fields['isolation']}"
    yield _step("again", f"tag {fields['tag']} on {fields['commit'][:8]} of {fields['repo']}, {how}")
    for file in fields["files"]:
        tone, word = ("good", "the same") if file["same"] else ("bad", "DIFFERS")
        other = "" if file["same"] or not file["rebuilt"] else f"  rebuilt {short(file['rebuilt'])}"
        both = short(file["sha256"]) + other
        yield Line((("", f"  {'':8} {file['name']:<44} {both:<11}  "), (tone, word)), step=True)
        for one in file["differences"]:
            yield _line("", f"  {'':10} {one['member'] or 'the file'}: {one['what']}")
            yield from (_line("quiet", f"  {'':10}   {text}") for text in one["lines"])
        if file["more"]:
            yield _line("quiet", f"  {'':10} and {_count(file['more'], 'more difference')}")
    if not fields["tree"]:
        yield _step("tree", "the tag's tree is not the one that the entry names", "bad")
    for name in fields["others"]:
        yield _step("made too", f"{name}, which the release does not have", "warn")
    same = fields["materials"] - sum(bool(one["here"]) for one in fields["unlike"])
    yield _step("built by", f"{same} of {_count(fields['materials'], 'tool')} as recorded")
    for one in fields["unlike"]:
        said = f"{one['recorded'] or 'nothing'} was recorded, here was {one['here'] or 'nothing'}"
        yield _line("warn", f"  {'':8} {said}")


def _checkpoint(fields: Fields) -> Iterator[Line]:
    own = [w["name"] for w in fields["witnesses"] if w["own"]]
    names = ", ".join(w["name"] for w in fields["witnesses"])
    who = f"cosigned by {names}" + (f"; {', '.join(own)} is the operator's own" if own else "")
    when = f", the newest as of {fields['fresh']}" if fields["fresh"] else ""
    told = f"  tree {fields['size']}, {short(fields['tree'])}{when}"
    yield Line((("strong", fields["origin"]), ("good", "  ok"), ("", told)))
    if names:
        yield _line("", f"  {who}")
    seen = [size for size in fields["contains"] if size != fields["size"]]
    if seen:
        yield _line("", f"  contains the tree of {', '.join(map(str, seen))} entries seen here before")
    yield from _claims(fields)


def _pin(fields: Fields) -> Iterator[Line]:
    state = ("good", "  ok") if fields["ok"] else ("bad" if fields["hashes"] else "warn", f"  {fields['code']}")
    about = "" if fields["ok"] or fields["hashes"] else f": {fields['what']}"
    yield Line((("strong", fields["requirement"]), state, ("", about)))
    for one in fields["hashes"]:
        told = one["file"] if one["ok"] else f"{one['code']}: {one['what']}"
        yield Line((("", f"  {short(one['sha256'])}   "), ("" if one["ok"] else "bad", told)))
    if fields["hashes"] and fields.get("why"):
        yield Line((("quiet", "  why    "), ("", fields["why"])))
    if fields.get("next"):
        yield Line((("quiet", "  next   "), ("strong", fields["next"])))
    yield from _claims(fields)


def _locked(fields: Fields) -> Iterator[Line]:
    """A piece of a requirements file: what is not the requirement is a comment."""
    yield _line("quiet", f"# {fields['project']} {fields['version']}, from {fields['from']}")
    for text in fields["proven"]:
        yield _line("quiet", f"#   {text}")
    for text in fields["not_proven"]:
        yield _line("quiet", f"#   not proven: {text}")
    yield from (_line("", text) for text in fields["lines"])


def _root(fields: Fields) -> Iterator[Line]:
    yield Line((("strong", fields["origin"]), ("", f"  root {fields['version']}, expires {fields['expires']}")))
    witnesses = f"{len(fields['witnesses'])} known, quorum {fields['quorum']}" if fields["witnesses"] else "none"
    own = [vkey.partition("+")[0] for vkey in fields.get("own_witnesses") or ()]
    witnesses += f"; {', '.join(own)} {'is' if len(own) == 1 else 'are'} the operator's own" if own else ""
    keys = [key["fingerprint"] for key in fields["keys"]]
    rows = [("fingerprint", fields["fingerprint"]), ("signed by", f"{fields['threshold']} of {', '.join(keys)}")]
    rows += [("log", ", ".join(fields["logs"])), ("witnesses", witnesses)]
    rows += [("release key", ", ".join(fields["release"]) or "none")]
    for name, text in (*rows, *_signers(fields["signers"])):
        yield Line((("quiet", f"  {name:<12} "), ("", text)))


def _keyring(fields: Fields) -> Iterator[Line]:
    signed = f"{fields['threshold']} of {_count(fields['of'], 'key')}"
    yield Line((("strong", fields["origin"]), ("", f"  root {fields['version']}, {signed}, until {fields['expires']}")))
    yield Line((("quiet", f"  {'':8} "), ("", fields["fingerprint"])))


def _key(fields: Fields) -> Iterator[Line]:
    about = "; ".join(filter(None, (fields["here"], fields["note"])))
    yield Line((("quiet", f"  {fields['role']:<8} "), ("", fields["key"]), ("quiet", f"   {about}" if about else "")))


def _draft(fields: Fields) -> Iterator[Line]:
    yield Line((("strong", f"root {fields['version']}"), ("", f" of {fields['origin']}, a draft in {fields['path']}")))
    yield Line((("quiet", "  compare  "), ("", fields["fingerprint"])))
    for one in fields["signatures"]:
        tone = "good" if one["have"] >= one["need"] else "warn"
        whose = f"by the keys of root {one['root']}"
        yield Line((("quiet", "  signed   "), (tone, f"{one['have']} of {one['need']}"), ("", f" {whose}")))


def _signers(signers: Mapping[str, list[str]]) -> Iterator[tuple[str, str]]:
    """Projects with the same signers share a line: a federation has hundreds."""
    together: dict[str, list[str]] = {}
    for project, keys in signers.items():
        together.setdefault(", ".join(keys) or "nobody", []).append(project)
    for keys_, projects in together.items():
        more = f" and {len(projects) - 6} more" if len(projects) > 6 else ""
        yield "may sign", f"{', '.join(projects[:6])}{more}: {keys_}"


def _pinned(fields: Fields) -> Iterator[Line]:
    before = fields["before"]
    how = (
        ""
        if before is None
        else " (as before)"
        if before == fields["version"]
        else f" (signed by root {before}'s keys)"
    )
    yield Line(
        (("good", "pinned  "), ("", f"root {fields['version']} of {fields['origin']}{how}, in {fields['path']}"))
    )


def _outcome(fields: Fields) -> Iterator[Line]:
    code = fields["exit"]
    tone = "good" if code == 0 else "warn" if code in (4, 5) else "bad"
    state = ((tone, f"{fields['state']}  "),) if fields.get("state") else ()
    ending = (("quiet", f"   (exit {code})"),) if code else ()
    first, *others = str(fields["text"]).split("\n")
    yield Line((*state, ("", first), *ending))
    yield from (_line("", text) for text in others)
    yield from _following(fields)


def _following(fields: Fields) -> Iterator[Line]:
    for number, text in enumerate(str(fields["next"]).split("\n") if fields.get("next") else ()):
        yield Line((("quiet", "       " if number else "next   "), ("strong", text)))


def _status(fields: Fields) -> Iterator[Line]:
    yield Line((("strong", f"{fields['project']} {fields['version']}"), ("", f"   {fields['text']}")))
    if fields.get("why"):
        yield Line((("", f"  {'':10} {fields['why']}"),))
    for target in fields["targets"]:
        about = f"  {target['path']}  {target['why']}" if target["state"] != "seen" else ""
        tries = f" ({target['tries']} tries)" if target.get("tries", 0) > 1 else ""
        yield Line(
            (("", f"  {target['target']:<10} {target['seen']} of {target['of']}   {target['state']}{about}{tries}"),)
        )


def _log(fields: Fields) -> Iterator[Line]:
    yield _line("quiet", f"  {'log':10} {fields['file']}  ({size(fields['size'])})")
    yield from (_line("quiet", f"  {'':10} {text}") for text in fields["lines"])


def _picks(fields: Fields) -> Iterator[Line]:
    tools = {name: f"{name} {version}" for name, version in fields["tools"].items()}
    if fields["pip"] == fields["uv"]:
        yield _picked(f"{tools['pip']} and {tools['uv']} pick", fields["pip"], fields["because"]["pip"])
        return
    for name, tool in tools.items():
        yield _picked(f"{tool} picks", fields[name], fields["because"][name])


def _picked(who: str, version: str | None, why: str) -> Line:
    return Line((("", f"{who} "), ("strong", version or "nothing"), ("quiet", f": {why}" if why else "")))


def _plan(fields: Fields) -> Iterator[Line]:
    after = f"   follows {fields['follows']}" if fields["follows"] else "   the first release"
    yield _step("plan", f"{fields['project']} {fields['version']}  {fields['channel']}{after}")
    if fields["visible"]:
        yield _step("seen by", fields["visible"])
    how = fields["isolation"]
    unfenced = "; not apart: it runs as you do" if how == "none" else f"; apart by {how}"
    yield _step(
        "build", f"{', '.join(fields['build'])} of {fields['commit'][:12]}, {_count(fields['refs'], 'ref')}{unfenced}"
    )
    yield _step("log", f"entry {fields['index']} of {fields['origin']}")
    yield _step("publish", f"{', '.join(fields['targets'])}; {fields['page']}")
    if fields["announce"]:
        yield _step("announce", ", ".join(fields["announce"]))
    yield _step("policy", short(fields["policy"]))
    for text in str(fields["notes"]).rstrip().split("\n"):
        yield _line("quiet", f"  | {text}")


def _made(fields: Fields) -> Iterator[Line]:
    yield Line((("strong", fields["home"]), ("", f"  a new instance; release key {fields['release_key']}")))


def _added(fields: Fields) -> Iterator[Line]:
    about = "  ".join(filter(None, (fields["kind"], fields["backend"] or "no build backend")))
    lines = f"{_count(fields['lines'], 'line')} added to {fields['file']}"
    yield Line((("strong", fields["project"]), ("", f"  {about}  signer: {fields['signers']}     {lines}")))


def _witness(fields: Fields) -> Iterator[Line]:
    yield Line((("strong", fields["name"]), ("", f"  a witness, in {fields['directory']}")))
    for name, key in (("key", "vkey"), ("policy line", "policy")):
        yield Line((("quiet", f"  {name:<12} "), ("", fields[key])))


def _serving(fields: Fields) -> Iterator[Line]:
    logs = _count(fields["logs"], "log") if fields["logs"] else "no log yet"
    if "projects" in fields:
        logs = _count(fields["projects"], "project")
    yield Line((("good", "serving  "), ("", f"{fields['name']} at {fields['url']}, {logs}")))


def _cosigned(fields: Fields) -> Iterator[Line]:
    yield _step("cosigned", f"{fields['origin']}   {fields['before']} -> {_entries(fields['size'])}")


def _watched(fields: Fields) -> Iterator[Line]:
    size = fields["size"]
    seen = "nothing cosigned yet" if size is None else f"{_entries(size)}, cosigned {format_time(fields['time'])}"
    keys = _count(len(fields["keys"]), "key") if fields["keys"] else "no key: not cosigned any more"
    yield Line((("", f"  {fields['origin']:<30}   {seen}   "), ("" if fields["keys"] else "warn", keys)))


def _evidence(fields: Fields) -> Iterator[Line]:
    fork = fields["standing"] == "fork"
    word, tone = ("FORK", "bad") if fork else (fields["standing"], "warn")
    what = "another tree of this size is cosigned" if fork else "the proof that came with it does not hold"
    about = f"size {fields['size']}, root {fields['root'][:16]}..., sent {format_time(fields['time'])}: {what}"
    yield Line((("", f"  {fields['origin']:<30}   "), (tone, f"{word}  "), ("", about)))
    for text in fields["note"].rstrip().split("\n") if fork else ():
        yield _line("quiet", f"  | {text}")


def _entries(count: int) -> str:
    return "1 entry" if count == 1 else f"{count} entries"


_PHRASES: dict[str, Callable[[Fields], Iterator[Line]]] = {
    "tag": _tag,
    "finding": _finding,
    "override": _override,
    "checked": _checked,
    "built": _built,
    "signed": _signed,
    "logged": _logged,
    "waiting": _waiting,
    "approval": _approval,
    "approved": _approved,
    "staged": _staged,
    "recosigned": _recosigned,
    "already": _already,
    "row": _row,
    "skip": _skip,
    "rendered": _rendered,
    "note": _note,
    "refused": _refused,
    "verified": _verified,
    "reproduced": _reproduced,
    "checkpoint": _checkpoint,
    "pin": _pin,
    "locked": _locked,
    "entry": _entry,
    "root": _root,
    "keyring": _keyring,
    "key": _key,
    "draft": _draft,
    "pinned": _pinned,
    "outcome": _outcome,
    "status": _status,
    "log": _log,
    "picks": _picks,
    "plan": _plan,
    "made": _made,
    "witness": _witness,
    "serving": _serving,
    "cosigned": _cosigned,
    "watched": _watched,
    "evidence": _evidence,
    "added": _added,
}
