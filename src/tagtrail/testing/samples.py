"""Ready-made facts for tests: a release as any project would have it, with every field filled in."""

from hashlib import sha256

from tagtrail.formats import drafts
from tagtrail.formats import entry as entry_format
from tagtrail.formats.purl import purl
from tagtrail.formats.sums import format_sums
from tagtrail.model.facts import (
    Approval,
    Approved,
    Artifact,
    Blob,
    Built,
    Draft,
    Entry,
    Logged,
    Override,
    Plan,
    Sidecar,
    Signed,
    Tag,
)
from tagtrail.model.names import sdist_stem
from tagtrail.model.notice import Notice
from tagtrail.ports import Kept

__all__ = ["TIME", "artifact", "blob", "entry", "event", "logged", "notice", "plan", "release", "signed", "tag"]

TIME = 1775055720
"""2026-04-01T15:02:00Z, when sample releases are logged."""


def blob(data: bytes, media: str = "application/octet-stream") -> Blob:
    """The blob of these bytes, kept nowhere."""
    return Blob(sha256=sha256(data).hexdigest(), size=len(data), media=media)


def tag(project: str = "nova", version: str = "1.0.0") -> Tag:
    """A judged tag; ids are made of the names."""
    identity = sha256(f"{project} {version}".encode()).hexdigest()
    return Tag(
        project=project,
        name=version,
        version=version,
        repo=f"https://git.example.org/{project}",
        object=identity[:40],
        sha256=sha256(identity.encode()).hexdigest(),
        commit=identity[24:],
        time=TIME - 3600,
        signer="SHA256:" + "A" * 43,
    )


def plan(project: str = "nova", version: str = "1.0.0", *, python: bool = True) -> Plan:
    """A plan of kind library, or of kind generic."""
    return Plan(
        tag=tag(project, version),
        kind="library" if python else "generic",
        channel="final",
        series="2026.1 Gazpacho",
        builds=("sdist", "wheel"),
        subdirectory="",
        targets=("site",),
        announce=(),
        policy=sha256(b"settings").hexdigest(),
        purl=purl(project, version, python=python),
        notes="Changes.\n",
        overrides=(Override(rule="TAG001", because="a test"),),
    )


def artifact(name: str, data: bytes = b"") -> Artifact:
    """A file whose bytes are `data`, or its own name."""
    content = data or name.encode()
    return Artifact(
        name=name,
        blob=blob(content),
        tar=sha256(b"tar " + content).hexdigest(),
        metadata=blob(b"metadata of " + content),
        requires_python=">=3.11",
        generated=("PKG-INFO",),
    )


def signed(project: str = "nova", version: str = "1.0.0", data: bytes = b"", *, python: bool = True) -> Signed:
    """An approved and signed sdist and wheel; other `data`, other bytes under the same names."""
    stem = sdist_stem(project, version)
    artifacts = tuple(artifact(stem + s, data and data + s.encode()) for s in (".tar.gz", "-py3-none-any.whl"))
    built = Built(plan=plan(project, version, python=python), artifacts=artifacts, tree=sha256(b"tree").hexdigest())
    sums = format_sums((a.name, a.blob.sha256) for a in artifacts)
    sidecars = (
        *(Sidecar(name=f"{a.name}.asc", blob=blob(b"signature of " + a.name.encode())) for a in artifacts),
        Sidecar(name=f"{project}-{version}.SHA256SUMS", blob=blob(sums, "text/plain; charset=utf-8")),
    )
    approvals = (Approval(key="SHA256:" + "B" * 43, digest=sha256(b"draft").hexdigest()),)
    return Signed(approved=Approved(built=built, approvals=approvals), sidecars=sidecars)


def release(project: str = "nova", version: str = "1.0.0", data: bytes = b"", *, python: bool = True) -> Draft:
    """The draft of `signed`."""
    return drafts.draft(signed(project, version, data, python=python))


def event(name: str = "key", project: str = "") -> Draft:
    """The draft of an event that concerns one file."""
    return drafts.event_draft(name, project, [("1.root.json", sha256(b"root").hexdigest())])


def entry(index: int, draft: Draft, time: int = TIME) -> Entry:
    """The entry that a draft becomes."""
    return entry_format.parse(index, drafts.seal(draft, time))


def logged(kept: Kept, index: int = 0, project: str = "nova", version: str = "1.0.0") -> Logged:
    """A logged release whose bytes are kept; its proof is only a text."""
    chain = signed(project, version)
    artifacts = chain.approved.built.artifacts
    listing = format_sums((a.name, a.blob.sha256) for a in artifacts)
    contents = {a.name: a.name.encode() for a in artifacts}
    contents |= {f"{a.name}.asc": b"signature of " + a.name.encode() for a in artifacts}
    contents |= {f"{a.name}.metadata": b"metadata of " + a.name.encode() for a in artifacts}
    contents |= {f"{project}-{version}.SHA256SUMS": listing}
    blobs = tuple(Sidecar(name=name, blob=kept.put([data], "text/plain")) for name, data in contents.items())
    proof = kept.put([f"proof of entry {index}\n".encode()], "text/plain")
    return Logged(entry=entry(index, drafts.draft(chain)), proof=proof, blobs=blobs)


def notice(about: Entry) -> Notice:
    """What is said of a release, in few words."""
    name = f"{about.project} {about.version}"
    return Notice(
        key=str(about.index),
        event="release",
        subject=f"{name} is out",
        text=f"{name} is out.\n",
        html=f"<p>{name} is out.</p>\n",
        short=f"{name} is out: https://releases.example.org/{about.project}/{about.version}/",
        entries=(about.index,),
        time=about.time,
        org="Example Cloud",
        origin="releases.example.org/trail",
        thread=f"{about.project} {about.series}",
        url=f"https://releases.example.org/{about.project}/{about.version}/",
        project=about.project,
        version=about.version,
        channel=about.channel,
        series=about.series,
    )
