"""Events of roots of trust and their keys."""

from collections.abc import Iterator, Mapping

from tagtrail.app.terminal.phrases.words import Fields, Line, Phrases, count

__all__ = ["PHRASES"]


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


def _signers(signers: Mapping[str, list[str]]) -> Iterator[tuple[str, str]]:
    """Projects with the same signers share a line: a federation has hundreds."""
    together: dict[str, list[str]] = {}
    for project, keys in signers.items():
        together.setdefault(", ".join(keys) or "nobody", []).append(project)
    for keys_, projects in together.items():
        more = f" and {len(projects) - 6} more" if len(projects) > 6 else ""
        yield "may sign", f"{', '.join(projects[:6])}{more}: {keys_}"


def _keyring(fields: Fields) -> Iterator[Line]:
    signed = f"{fields['threshold']} of {count(fields['of'], 'key')}"
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


PHRASES: Phrases = {
    "root": _root,
    "keyring": _keyring,
    "key": _key,
    "draft": _draft,
    "pinned": _pinned,
}
