"""What there is of keys, told: who signs the root, the trail, the files; who may sign tags; which secrets lie here."""

from collections.abc import Iterator
from pathlib import Path

from tagtrail.app.instance.home import Home
from tagtrail.app.instance.private import FILES, laid_aside, public_half, signer_of
from tagtrail.app.instance.reading import read_settings
from tagtrail.app.terminal.console import Console
from tagtrail.formats.root import Root
from tagtrail.formats.times import format_time
from tagtrail.model.errors import SetupError
from tagtrail.verify.roots import policy_of, root_digest

__all__ = ["export", "tell_here", "tell_keys", "tell_root", "warnings"]

SOON = 90 * 86400
"""Seconds before a root's end from which on it is spoken of."""


def tell_keys(at: Home, root: Root, envelope: bytes, console: Console) -> None:
    """Every key that the root names, and the secret ones here that it does not."""
    head = {"origin": root.origin, "version": root.version, "expires": format_time(root.expires)}
    count = {"threshold": root.threshold, "of": len(root.keys), "fingerprint": root_digest(envelope)}
    console.tell("keyring", head | count)
    here = _here(at)
    tell_root(root, console, here)
    for (role, key), held in here.items():
        console.tell("key", {"role": role, "key": key, "here": held, "note": f"not in root {root.version}"})


def tell_here(at: Home, console: Console) -> None:
    """The secret keys here, before there is a root that names them: witnesses want the log's."""
    for (role, key), held in _here(at).items():
        console.tell("key", {"role": role, "key": key, "here": held, "note": "no root yet"})


def tell_root(root: Root, console: Console, here: dict[tuple[str, str], str]) -> None:
    """Every key that a root names; those in `here`, which lie here, are taken out of it."""
    for role, key, note in _named(root):
        console.tell("key", {"role": role, "key": key, "here": here.pop((role, key), ""), "note": note})


def warnings(at: Home, root: Root, now: int) -> Iterator[tuple[str, str]]:
    """(what is about to go wrong, the command against it)."""
    if root.expires <= now:
        yield (
            f"root {root.version} expired at {format_time(root.expires)}: nothing new is logged",
            "tagtrail keys renew",
        )
    elif root.expires - now < SOON:
        days = (root.expires - now) // 86400
        yield f"root {root.version} expires in {days} days, then nothing new is logged", "tagtrail keys renew"
    named = {(role, key) for role, key, _ in _named(root)}
    for (role, key), held in _here(at).items():
        if (role, key) not in named and held in ("here", "with the SSH agent"):
            yield f"the {role} key here, {key}, is not in root {root.version}", f"tagtrail keys rotate {role}"


def export(files: dict[str, bytes], names: list[str], to: Path | None) -> tuple[str, bytes]:
    """Write the public files to a directory, or give back the bytes of those named.

    Returns where they went, and what is for standard output. Raises SetupError `usage`, `not-writable`.
    """
    unknown = [name for name in names if name not in files]
    if unknown:
        what = f"there is no public file {unknown[0]!r}"
        raise SetupError(what, code="usage", why=f"there are {', '.join(files)}", hint="tagtrail keys export --to DIR")
    chosen = {name: files[name] for name in names or files}
    if to is None:
        return "", b"".join(files[name].rstrip(b"\n") + b"\n" for name in names or ["root.json"])
    from tagtrail.io import durable

    for name, data in chosen.items():
        durable.write(to / name, data)
    return str(to), b""


def _here(at: Home) -> dict[tuple[str, str], str]:
    """(role, public half) of every secret key here, to how it lies here."""
    settings = read_settings(at.path)
    elsewhere = {role for role, _ in settings.keys}
    found = {(role, signer_of(at, settings, role).verifier.vkey()): "with the SSH agent" for role in elsewhere}
    for role, file in FILES.items():
        if role in elsewhere:
            continue
        for name, state in ((file, "here"), (laid_aside(at, role), "here, for the next root")):
            if name and at.holds(name):
                found[role, public_half(at, role, name)] = state
    return found


def _named(root: Root) -> Iterator[tuple[str, str, str]]:
    """Role, key and what is to be said of it."""
    for key in root.keys:
        yield "root", key, ""
    believed = policy_of(root)
    *others, newest = believed.logs
    for log in (*others, newest):
        yield "log", log.verifier.vkey(), "" if log is newest else "for what it signed"
    for witness in believed.witnesses:
        yield "witness", witness.verifier.vkey(), f"{witness.name}, quorum {believed.quorum}"
    until = dict(root.until)
    for release in root.release:
        yield "release", release.fingerprint, _ended(release.fingerprint, root.release[0].fingerprint, until)
    for builder in root.builders:
        yield "builder", builder, _ended(builder, root.builders[-1], until)
    yield from _people(root)
    for freeze in root.freezes:
        yield "freeze", freeze.root.hex(), f"the tree of {freeze.size} entries"


def _ended(key: str, newest: str, until: dict[str, int]) -> str:
    if key in until:
        return f"stolen: for entries before {until[key]} only"
    return "" if key == newest else "for what it signed"


def _people(root: Root) -> Iterator[tuple[str, str, str]]:
    """Projects with the same validity of one key share a line: a federation has hundreds."""
    together: dict[tuple[str, str], list[str]] = {}
    for project, allowed in root.signers:
        for one in allowed:
            until = "" if one.until is None else f" until before entry {one.until}"
            together.setdefault((one.key, f"from entry {one.start}{until}"), []).append(project)
    for (key, span), projects in together.items():
        more = f" and {len(projects) - 6} more" if len(projects) > 6 else ""
        yield "person", key, f"{', '.join(projects[:6])}{more} {span}"
