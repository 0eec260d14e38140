"""Pages as they are, byte for byte: who changes one sees it here, and raises `renderer`."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tagtrail.formats.site import RENDERER
from tagtrail.model.texts import Sayings
from tagtrail.pages import page
from tagtrail.pages.feeds import NEWEST
from tests.pages.trails import SSH, Trail, begun

GOLDEN = Path(__file__).parent / "golden"
NOTES = "Faster.\n\n- one\n- `two`, see [the guide](https://docs.example.org/)\n"


CONTACTS = Sayings(
    bugs="https://bugs.example.org/nova", security="mailto:security@example.org", support_until="2031-12"
)
RUNBOOK = """# How nova is released

Made of the settings of Example Cloud.

## 1. Tag

- [ ] `git tag -s VERSION` in https://git.example.org/nova, signed by one of:
- [ ] team: `SHA256:qhVc`

## When it stops

- with 3: the policy refuses the tag; `tagtrail check nova TAG`
"""


def federation() -> Trail:
    """One of everything."""
    trail = begun()
    trail.release("nova", "32.0.0", notes=NOTES, series="2025.2 Flamingo")
    trail.release("nova", "33.0.0rc1", channel="rc", signer=SSH.fingerprint)
    metadata = trail.keep(b"Metadata-Version: 2.4\nName: nova\nVersion: 33.0.0\nSummary: Servers for all\n")
    generated = {"generated": ["PKG-INFO"], "requires-python": ">=3.11", "metadata": metadata}
    names = ("nova-33.0.0.tar.gz", "nova-33.0.0-py3-none-any.whl", "nova-33.0.0.zip")
    trail.release(
        "nova", "33.0.0", notes=NOTES, files={names[0]: generated, names[1]: {}}, runbook=RUNBOOK, contacts=CONTACTS
    )
    trail.withdraw("nova", "32.0.0", "eats instances; take 33.0.0")
    added = {names[0]: generated, names[1]: {}, names[2]: {"origin": {"how": "added", "by": SSH.fingerprint}}}
    trail.release("nova", "33.0.0", files=added, added=(names[2],))
    trail.event("reproduced", "nova", {names[0]: "0" * 64}, version="33.0.0")
    trail.event("import", "nova", {"nova": "0" * 64}, version="1.0")
    trail.release("firmware", "2026-03", files={"firmware-2026-03.tar.xz": {}}, purl="pkg:generic/firmware@2026-03")
    return trail


def busy() -> Trail:
    """A first release, and more than one archive's worth of entries that nobody is told of."""
    trail = begun()
    trail.release("nova", "32.0.0", notes=NOTES, series="2025.2 Flamingo", contacts=CONTACTS)
    for _ in range(NEWEST + 5):
        trail.event("reproduced", "nova", {"nova-32.0.0.tar.gz": "0" * 64}, version="32.0.0")
    return trail


@pytest.mark.parametrize("path", ["feed/1.atom", "feed/1.rss"])
def test_golden_archives(path: str, golden: Callable[[Path, bytes], None]) -> None:
    golden(GOLDEN / RENDERER / path, page(path, busy().view))


@pytest.mark.parametrize(
    "path",
    [
        "index.html", "feed.atom", "feed.rss", "verify/index.html", "simple/index.html", "simple/index.json",
        "simple/nova/index.html", "simple/nova/index.json", "nova/index.html", "nova/feed.atom", "nova/feed.rss",
        "nova/releases.json", "nova/runbook/index.html", "nova/watch",
        "nova/33.0.0/index.html", "nova/32.0.0/index.html", "nova/33.0.0rc1/index.html", "firmware/2026-03/index.html",
        "trail/policy", "trail/keys/nova.asc", "trail/keys/nova.allowed_signers",
    ],
)  # fmt: skip
def test_golden(path: str, golden: Callable[[Path, bytes], None]) -> None:
    golden(GOLDEN / RENDERER / path, page(path, federation().view))
