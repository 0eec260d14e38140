"""What trackers carry of an entry: its own files, their signatures, and the address of its release page.

An effect of a tracker is one step for one name: its key is `INDEX/STEP:NAME`, such as `12/file:nova-33.0.0.tar.gz`.
An address is bytes too: `https://releases.example.org/nova/33.0.0/` in ASCII, with no line's end, is what an effect
names whose whole content is that a place shows this address.
"""

import re
from hashlib import sha256

from tagtrail.formats.site import Site, release_page
from tagtrail.model.entry import Entry
from tagtrail.model.facts import Blob, Effect, Logged, Receipt, Sidecar

__all__ = [
    "address",
    "link",
    "own_files",
    "own_names",
    "said",
    "shown",
    "signature",
    "step_effect",
    "step_of",
    "verifying",
    "withdrawal",
    "withdrawn",
]


def address(site: Site, entry: Entry) -> str:
    """Where people see the release page."""
    return site.url + release_page(entry.project, entry.version).removesuffix("index.html")


def link(text: str) -> Blob:
    """The address as what an effect names."""
    data = text.encode()
    return Blob(sha256=sha256(data).hexdigest(), size=len(data), media="text/uri-list")


def said(text: str) -> Blob:
    """One line as what an effect names."""
    data = text.encode()
    return Blob(sha256=sha256(data).hexdigest(), size=len(data), media="text/plain; charset=utf-8")


def step_effect(target: str, entry: Entry, step: str, name: str, path: str, blob: Blob) -> Effect:
    """One step of an entry at a tracker, for a file or whatever else `name` is (empty: for the release)."""
    return Effect(target=target, key=f"{entry.index}/{step}:{name}", entry=entry.index, path=path, blob=blob)


def step_of(effect: Effect) -> tuple[str, str]:
    """(step, name) of an effect that `step_effect` made."""
    step, _, name = effect.key.partition("/")[2].partition(":")
    return step, name


def verifying(page: str) -> str:
    """What a tracker says beside a release: where everything else is."""
    return f"Files, signatures, proofs, and how to verify them: {page}"


def withdrawal(site: Site, entry: Entry) -> str:
    """What a tracker says of a version that an entry took back: one line."""
    why = entry.reason or "no reason given"
    return f"{entry.project} {entry.version} is withdrawn: {why}. Do not install it. {address(site, entry)}"


def withdrawn(site: Site, project: str, text: str) -> bool:
    """Whether a text that names its release page has a line of its own that takes this very release back.

    The text of a later release may quote the line: then the page that it names besides is another one.
    """
    lines = [line.strip().strip("*") for line in text.splitlines()]
    for line in lines:
        named = re.match(rf"{re.escape(project)} (\S+) is withdrawn: ", line)
        page = site.url + release_page(project, named[1]).removesuffix("index.html") if named else ""
        if page and line.endswith(f" Do not install it. {page}"):
            return any(other.endswith(page) for other in lines if other != line)
    return False


def shown(where: str, text: str, wanted: str) -> Receipt:
    """What is found where `text` should name the address `wanted`."""
    if wanted in text:
        return Receipt(where=where, sha256=link(wanted).sha256)
    other = sha256(text.encode()).hexdigest()
    return Receipt(where=where, sha256=other, note=f"what is at {where} does not name {wanted}")


def own_names(entry: Entry) -> tuple[str, ...]:
    """The files that are new in this entry: a later one of the same version names the earlier ones again."""
    return entry.added or tuple(file.name for file in entry.files)


def own_files(logged: Logged) -> tuple[Sidecar, ...]:
    """The files that are new in this entry, as they are kept."""
    blobs = {sidecar.name: sidecar for sidecar in logged.blobs}
    return tuple(blobs[name] for name in own_names(logged.entry))


def signature(logged: Logged, name: str) -> Sidecar | None:
    """The OpenPGP signature of a file, where there is one."""
    return next((sidecar for sidecar in logged.blobs if sidecar.name == f"{name}.asc"), None)
