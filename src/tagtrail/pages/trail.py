"""Pages below `/trail/`: roots of trust, policy, the site's settings and keys, as the key entries name them."""

import re
from functools import lru_cache
from hashlib import sha256

from tagtrail.formats import dsse
from tagtrail.formats.allowed_signers import AllowedSigner, format_allowed_signers
from tagtrail.formats.root import PAYLOAD_TYPE, Allowed, Root, parse_root
from tagtrail.formats.sshsig import parse_key_line
from tagtrail.model.errors import TamperError
from tagtrail.model.facts import Entry, Key
from tagtrail.model.names import project_key
from tagtrail.pages.view import View, latest

__all__ = ["FILES", "allowed_signers", "asc", "changed_signers", "fingerprint", "keys_page", "root", "roots", "stored"]

FILES = {"trail/site.json": "site.json", "trail/keys/release-key.asc": "release-key.asc"}
"""Pages that are the bytes of a file in the last key entry that names it."""

_ROOT = re.compile(r"([1-9][0-9]{0,8})\.root\.json")


def roots(keys: tuple[Entry, ...]) -> dict[int, str]:
    """Version to SHA-256 of every root, in order."""
    named = ((_ROOT.fullmatch(file.name), file.sha256) for entry in keys for file in entry.files)
    found = {int(match[1]): digest for match, digest in named if match}
    return dict(sorted(found.items()))


def root(view: View) -> tuple[Root, str]:
    """The current root and the SHA-256 of its file. KeyError before the first."""
    found = roots(view.keys())
    if not found:
        raise KeyError("trail/root.json")
    digest = found[max(found)]
    return _parsed(view.kept(digest)), digest


def fingerprint(view: View) -> str:
    """What `tagtrail trust` shows of the current root: its payload's SHA-256, which no signature changes."""
    return f"sha256:{sha256(dsse.parse(view.kept(root(view)[1])).payload).hexdigest()}"


@lru_cache(maxsize=4)
def _parsed(envelope: bytes) -> Root:
    found = dsse.parse(envelope)
    if found.payload_type != PAYLOAD_TYPE:
        raise TamperError(f"a root of type {found.payload_type[:60]!r}", code="root-form")
    return parse_root(found.payload)


def stored(view: View, name: str) -> bytes:
    """The bytes of a file that key entries name. KeyError if none does."""
    digest = latest(view.keys(), name)
    if digest is None:
        raise KeyError(name)
    return view.kept(digest)


# --- the keys of a project's people ---------------------------------------------------------------------------------


def keys_page(entry: Entry) -> str:
    """Where the keys are that check the tag of a release; empty for other events."""
    if entry.event != "release" or entry.tag is None:
        return ""
    return f"trail/keys/{entry.project}.{'allowed_signers' if entry.tag.signer.startswith('SHA256:') else 'asc'}"


def changed_signers(view: View, entry: Entry) -> set[str]:
    """The projects (PEP 503 names) whose keys or their validity the roots of a key entry change."""
    keys = view.keys()
    known = roots(tuple(e for e in keys if e.index <= entry.index))
    new = roots((entry,))
    signers = [_signers(_parsed(view.kept(d))) for v, d in known.items() if new and v >= min(new) - 1]
    projects = {project for found in signers for project in found}
    return {p for p in projects if any(found.get(p) != signers[0].get(p) for found in signers)}


def _signers(root: Root) -> dict[str, list[tuple[Allowed, Key]]]:
    """PEP 503 name of a project to the keys that count for it."""
    people = {key.fingerprint: key for key in root.people}
    found: dict[str, list[tuple[Allowed, Key]]] = {}
    for project, allowed in root.signers:
        found.setdefault(project_key(project), []).extend((a, people[a.key]) for a in allowed if a.key in people)
    return found


def allowed_signers(view: View, project: str) -> bytes:
    """SSH keys that ever counted for a project, for `git -c gpg.ssh.allowedSignersFile=... verify-tag`."""
    lines = [f"# SSH keys whose signatures on tags of {project} count\n"]
    for allowed, key in _of(view, project, "ssh"):
        signer = AllowedSigner(
            principals=project,
            key=parse_key_line(key.material),
            namespaces=("git",),
            valid_after=key.valid_after,
            valid_before=key.valid_before,
        )
        lines.append(f"# {_span(allowed)}\n{format_allowed_signers((signer,)).decode()}")
    return "".join(lines).encode()


def asc(view: View, project: str) -> bytes:
    """OpenPGP certificates that ever counted for a project, for `gpg --import`."""
    parts = [f"{k.fingerprint}, {_span(a)}\n{k.material.strip()}\n" for a, k in _of(view, project, "openpgp")]
    return "\n".join([f"OpenPGP keys whose signatures on tags of {project} count\n", *parts]).encode()


def _of(view: View, project: str, scheme: str) -> list[tuple[Allowed, Key]]:
    return [(a, k) for a, k in _signers(root(view)[0]).get(project_key(project), ()) if k.scheme == scheme]


def _span(allowed: Allowed) -> str:
    return f"from entry {allowed.start}" + ("" if allowed.until is None else f" until before entry {allowed.until}")
