"""Releases with real core metadata, and an index target over them."""

from dataclasses import replace
from hashlib import sha256

from tagtrail.adapters.index.shelf import Shelf
from tagtrail.adapters.index.target import IndexTarget
from tagtrail.formats import drafts
from tagtrail.model.facts import Logged, Sidecar
from tagtrail.testing import samples
from tagtrail.testing.memory import Kept
from tests.adapters.strict_index import Index

NOW = 1_775_055_720
"""2026-04-01T15:02:00Z."""


def metadata(version: str) -> bytes:
    """Core metadata with something of every form."""
    return f"""Metadata-Version: 2.4
Name: nova
Version: {version}
Summary: Cloud computing fabric controller
Keywords: cloud,compute
Author-email: Team <team@example.org>
License-Expression: Apache-2.0
License-File: LICENSE
Project-URL: Home, https://nova.example.org/
Project-URL: Source, https://git.example.org/nova
Classifier: Programming Language :: Python :: 3
Classifier: Topic :: System
Requires-Dist: iso8601>=2
Requires-Python: >=3.11
Description-Content-Type: text/x-rst

nova: café
""".encode()


def logged(kept: Kept, index: int = 3, version: str = "1.0.0", more: dict[str, bytes] | None = None) -> Logged:
    """A logged sdist and wheel whose bytes are kept; `more` are further sidecars."""
    chain = samples.signed("nova", version)
    built = chain.approved.built
    core = metadata(version)
    artifacts = tuple(replace(one, metadata=samples.blob(core)) for one in built.artifacts)
    chain = replace(chain, approved=replace(chain.approved, built=replace(built, artifacts=artifacts)))
    contents = {a.name: a.name.encode() for a in artifacts}
    contents |= {f"{a.name}.metadata": core for a in artifacts}
    contents |= {f"{a.name}.asc": b"signature of " + a.name.encode() for a in artifacts}
    contents |= more or {}
    blobs = tuple(Sidecar(name=name, blob=kept.put([data], "text/plain")) for name, data in contents.items())
    proof = kept.put([f"proof of entry {index}\n".encode()], "text/plain")
    return Logged(entry=samples.entry(index, drafts.draft(chain)), proof=proof, blobs=blobs)


def target(index: Index, kept: Kept, *, wait: float = 5.0, now: int = NOW) -> IndexTarget:
    """The index's target, by the login that it knows."""
    shelf = Shelf(index.simple, login=lambda: index.login, login_at=index.upload)
    clock = lambda: now  # noqa: E731
    return IndexTarget(
        "pypi", upload=index.upload, shelf=shelf, kept=kept, login=lambda: index.login, clock=clock, wait=wait
    )


def digest(name: str) -> str:
    """SHA-256 of a sample file."""
    return sha256(name.encode()).hexdigest()
