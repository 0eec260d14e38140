"""The root of trust kept up with the settings: who may sign which project, from which trail index on.

With a 1-of-1 root the release road does this by itself, in one `key` entry before the release, and says so.
"""

from dataclasses import replace
from hashlib import sha256

from tagtrail.formats import dsse, entry, policy
from tagtrail.formats.root import PAYLOAD_TYPE, Allowed, Root, format_root
from tagtrail.formats.site import format_site, media
from tagtrail.model.errors import TamperError
from tagtrail.model.facts import Draft, Key
from tagtrail.trail.keys import CERTIFICATE, ROOT_SUFFIX, SITE, current_root, named_by_keys
from tagtrail.verify.keys import merge
from tagtrail.workflows.road import Road

__all__ = ["outdated", "root_draft"]

VALID = 10 * 365 * 86400
"""Seconds that a new root is valid: it is renewed with every change."""


def root_draft(road: Road) -> Draft | None:
    """The `key` entry that brings root, site.json and release key up to the settings; None if nothing changed.

    Its files are kept when this returns. Raises what `outdated` raises.
    """
    changed = outdated(road)
    for name, data in changed.items():
        road.kept.put([data], media(name))
    files = [(name, sha256(data).hexdigest()) for name, data in changed.items()]
    return entry.event_draft("key", "", files) if files else None


def outdated(road: Road) -> dict[str, bytes]:
    """name -> new bytes of what the settings have left behind: the next root, site.json, the release key.

    Raises TamperError `root-keys` where this instance cannot sign the root.
    """
    named = named_by_keys(road.ledger)
    wanted = {SITE: format_site(road.site), CERTIFICATE: road.signer.certificate.encode()}
    changed = {name: data for name, data in wanted.items() if named.get(name) != sha256(data).hexdigest()}
    return changed | _new_root(road)


def _new_root(road: Road) -> dict[str, bytes]:
    old = current_root(road.ledger, road.kept)
    vkey = road.root.verifier.vkey()
    if old is not None and (old.threshold, old.keys) != (1, (vkey,)):
        raise TamperError(
            f"root {old.version} takes {old.threshold} of {len(old.keys)} keys, this instance holds another",
            code="root-keys",
            why="only the root's own keys can change who may sign",
        )
    new = _wanted(road, old)
    if old is not None and replace(new, version=old.version, expires=old.expires) == old:
        return {}
    envelope = dsse.sign(PAYLOAD_TYPE, format_root(new), [road.root])
    return {f"{new.version}{ROOT_SUFFIX}": envelope.encode()}


def _wanted(road: Road, old: Root | None) -> Root:
    signers = _signers(road, old)
    used = {allowed.key for _, keys in signers for allowed in keys}
    known = {key.fingerprint: key for key in old.people} if old else {}
    for key in (_bare(key) for keys in road.people.values() for key in keys):
        # what an older certificate says stays: signatures made under it must go on to verify
        known[key.fingerprint] = merge(known[key.fingerprint], key) if key.fingerprint in known else key
    return Root(
        origin=road.site.origin,
        version=old.version + 1 if old else 1,
        expires=road.clock() + VALID,
        threshold=1,
        keys=(road.root.verifier.vkey(),),
        policy=_policy(road, old),
        release=(Key(fingerprint=road.signer.fingerprint, scheme="openpgp", material=road.signer.certificate),),
        people=tuple(known[fingerprint] for fingerprint in sorted(used)),
        builders=_builders(road, old.builders if old else ()),
        signers=signers,
        freezes=old.freezes if old else (),
    )


def _builders(road: Road, known: tuple[str, ...]) -> tuple[str, ...]:
    """Ours beside the old ones, whose word of what they built still counts."""
    ours = road.builder_key.verifier.vkey()
    return known if ours in known else (*known, ours)


def _policy(road: Road, old: Root | None) -> str:
    """What we ask of our own checkpoints; the old root's other log keys stay, for what they signed."""
    logs = policy.parse(old.policy.encode()).logs if old else ()
    known = tuple(log for log in logs if log.verifier != road.log.verifier)
    return replace(road.trust, logs=(*known, *road.trust.logs)).encode().decode()


def _signers(road: Road, old: Root | None) -> tuple[tuple[str, tuple[Allowed, ...]], ...]:
    """Old validities stay; who is new is valid from the next index on, who is gone until it."""
    head = road.ledger.committed()
    index = head.size if head else 0
    signers = dict(old.signers) if old else {}
    for project in road.settings.projects:
        now = {key.fingerprint for key in road.signers(project) if not key.namespaces or "git" in key.namespaces}
        was = signers.get(project.name, ())
        kept = tuple(a if a.until is not None or a.key in now else replace(a, until=index) for a in was)
        valid = {a.key for a in kept if a.until is None}
        signers[project.name] = kept + tuple(Allowed(key=key, start=index) for key in sorted(now - valid))
    gone = set(signers) - {project.name for project in road.settings.projects}
    for name in gone:
        signers[name] = tuple(a if a.until is not None else replace(a, until=index) for a in signers[name])
    return tuple(sorted(signers.items()))


def _bare(key: Key) -> Key:
    """The key without what concerns this machine only."""
    return replace(key, person="", namespaces=())
