"""What the trail's `key` entries name: the roots of trust, site.json and the release key; the newest of each counts."""

from tagtrail.formats import dsse
from tagtrail.formats.marks import key_mark
from tagtrail.formats.root import Root, parse_root
from tagtrail.ports import Kept, Reading

__all__ = ["CERTIFICATE", "ROOT_SUFFIX", "SITE", "current_root", "named_by_keys", "root_envelope"]

CERTIFICATE = "release-key.asc"
SITE = "site.json"
ROOT_SUFFIX = ".root.json"


def named_by_keys(trail: Reading) -> dict[str, str]:
    """name -> sha256 of the newest root, site.json and release key that `key` entries named."""
    wanted = {key_mark(name): trail.marked(key_mark(name)) for name in (SITE, CERTIFICATE, ROOT_SUFFIX[1:])}
    return {f.name: f.sha256 for mark, key in wanted.items() if key for f in key.files if key_mark(f.name) == mark}


def root_envelope(trail: Reading, kept: Kept) -> bytes | None:
    """The signed root that the trail names last, as published; None before the first release."""
    roots = {name: digest for name, digest in named_by_keys(trail).items() if name.endswith(ROOT_SUFFIX)}
    newest = max(roots, key=lambda name: int(name.removesuffix(ROOT_SUFFIX)), default=None)
    return None if newest is None else kept.read(roots[newest])


def current_root(trail: Reading, kept: Kept) -> Root | None:
    """The payload of `root_envelope`."""
    data = root_envelope(trail, kept)
    return None if data is None else parse_root(dsse.parse(data).payload)
