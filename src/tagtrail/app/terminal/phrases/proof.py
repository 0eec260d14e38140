"""Events of a consumer: what was proven of files and trees, and what was not."""

from collections.abc import Iterator

from tagtrail.app.terminal.phrases.words import Fields, Line, Phrases, count, line, short, step

__all__ = ["PHRASES"]

_BY_NONE = "no tools: none was recorded, none was used"


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
        yield line("quiet", f"  fetched {' and '.join(names)} from {folder}")


def _claims(fields: Fields) -> Iterator[Line]:
    for text in fields.get("proven") or ():
        yield line("", f"  {text}")
    names = [*(fields.get("doubts") or ()), *("" for _ in fields.get("not_proven") or ())]
    for name, text in zip(names, fields.get("not_proven") or (), strict=False):
        if name == "withdrawn":
            yield line("bad", f"  {text.partition(': ')[2]}")
        else:
            yield line("quiet", f"  not proven: {text}")


def _reproduced(fields: Fields) -> Iterator[Line]:
    about = f"  entry {fields['index']} of {fields['origin']}"
    yield Line((("strong", f"{fields['project']} {fields['version']}"), ("", about)))
    how = "not isolated" if fields["isolation"] == "none" else f"in {fields['isolation']}"
    yield step("again", f"tag {fields['tag']} on {fields['commit'][:8]} of {fields['repo']}, {how}")
    for file in fields["files"]:
        tone, word = ("good", "the same") if file["same"] else ("bad", "DIFFERS")
        other = "" if file["same"] or not file["rebuilt"] else f"  rebuilt {short(file['rebuilt'])}"
        both = short(file["sha256"]) + other
        yield Line((("", f"  {'':8} {file['name']:<44} {both:<11}  "), (tone, word)), step=True)
        for one in file["differences"]:
            yield line("", f"  {'':10} {one['member'] or 'the file'}: {one['what']}")
            yield from (line("quiet", f"  {'':10}   {text}") for text in one["lines"])
        if file["more"]:
            yield line("quiet", f"  {'':10} and {count(file['more'], 'more difference')}")
    if not fields["tree"]:
        yield step("tree", "the tag's tree is not the one that the entry names", "bad")
    for name in fields["others"]:
        yield step("made too", f"{name}, which the release does not have", "warn")
    same = fields["materials"] - sum(bool(one["here"]) for one in fields["unlike"])
    made = f"{same} of {count(fields['materials'], 'tool')} as recorded" if fields["materials"] else _BY_NONE
    yield step("built by", made)
    for one in fields["unlike"]:
        said = f"{one['recorded'] or 'nothing'} was recorded, here was {one['here'] or 'nothing'}"
        yield line("warn", f"  {'':8} {said}")


def _checkpoint(fields: Fields) -> Iterator[Line]:
    own = [w["name"] for w in fields["witnesses"] if w["own"]]
    names = ", ".join(w["name"] for w in fields["witnesses"])
    who = f"cosigned by {names}" + (f"; {', '.join(own)} is the operator's own" if own else "")
    when = f", the newest as of {fields['fresh']}" if fields["fresh"] else ""
    told = f"  tree {fields['size']}, {short(fields['tree'])}{when}"
    yield Line((("strong", fields["origin"]), ("good", "  ok"), ("", told)))
    if names:
        yield line("", f"  {who}")
    seen = [size for size in fields["contains"] if size != fields["size"]]
    if seen:
        yield line("", f"  contains the tree of {', '.join(map(str, seen))} entries seen here before")
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
    yield line("quiet", f"# {fields['project']} {fields['version']}, from {fields['from']}")
    for text in fields["proven"]:
        yield line("quiet", f"#   {text}")
    for text in fields["not_proven"]:
        yield line("quiet", f"#   not proven: {text}")
    yield from (line("", text) for text in fields["lines"])


def _entry(fields: Fields) -> Iterator[Line]:
    what = " ".join(filter(None, (fields["entry"], fields["project"], fields["version"])))
    by = f"  by {fields['signer']}" if fields["signer"] else ""
    because = f"  ({fields['because']})" if fields["because"] else ""
    names = f"  {', '.join(fields['files'][:4])}" if fields["entry"] in ("key", "import") else ""
    more = f" and {len(fields['files']) - 4} more" if names and len(fields["files"]) > 4 else ""
    yield line("", f"  {fields['index']:<8} {fields['time']}  {what}{by}{names}{more}{because}")


PHRASES: Phrases = {
    "verified": _verified,
    "reproduced": _reproduced,
    "checkpoint": _checkpoint,
    "pin": _pin,
    "locked": _locked,
    "entry": _entry,
}
