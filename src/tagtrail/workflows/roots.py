"""The root of trust kept up with the settings: who may sign which project, from which trail index on.

With a 1-of-1 root the release road does this by itself, in one `key` entry before the release, and says so. What the
root's own keys must agree on (other keys, a longer life, proofs issued again) is `tagtrail keys`: workflows/keys.py.
"""

from hashlib import sha256

from tagtrail.formats import drafts, dsse, policy
from tagtrail.formats.note import Verifier
from tagtrail.formats.root import PAYLOAD_TYPE, Allowed, Root, format_root
from tagtrail.formats.site import format_site, media
from tagtrail.formats.times import format_time
from tagtrail.model.errors import ProjectError, TamperError
from tagtrail.model.facts import Draft, Key
from tagtrail.model.frozen import replace
from tagtrail.ports import Reading
from tagtrail.trail.keys import CERTIFICATE, ROOT_SUFFIX, SITE, current_root, named_by_keys
from tagtrail.verify.keys import merge
from tagtrail.verify.roots import policy_of
from tagtrail.workflows.road import Road

__all__ = [
    "VALID",
    "beside",
    "certificate_file",
    "fits",
    "key_draft",
    "log_keys",
    "outdated",
    "root_draft",
    "signed",
    "wanted",
]

VALID = 10 * 365 * 86400
"""Seconds that a new root is valid: it is renewed with every change."""

_RENEW = "tagtrail keys renew"


def root_draft(road: Road) -> Draft | None:
    """The `key` entry that brings root, site.json and release key up to the settings; None if nothing changed.

    Its files are kept when this returns. Raises what `outdated` raises.
    """
    changed = outdated(road)
    return key_draft(road, changed) if changed else None


def key_draft(road: Road, files: dict[str, bytes]) -> Draft:
    """The `key` entry that names these files, which are kept when this returns."""
    road.kept.put_all(([data], media(name)) for name, data in files.items())
    return drafts.event_draft("key", "", [(name, sha256(data).hexdigest()) for name, data in files.items()])


def outdated(road: Road) -> dict[str, bytes]:
    """name -> new bytes of what the settings have left behind: the next root, site.json, the release key.

    Raises ProjectError `root-expired`, `key-not-in-root` (a secret key here that the root does not name), `root-keys`
    (others must sign the next root too), `proofs-unfit` (under it, older proofs would not count).
    """
    old = current_root(road.ledger, road.kept)
    if old is not None:
        _check_current(road, old)
        _check_named(road, old)
    new = wanted(road, old)
    if old is not None and replace(new, version=old.version, expires=old.expires) == old:
        return beside(road, old)
    _check_may_sign(road, old)
    if old is not None and new.policy != old.policy and not fits(road.ledger, new):
        what = f"under root {new.version}, proofs that were issued before would not count"
        why = "the settings ask for other witnesses than those who saw them"
        raise ProjectError(what, code="proofs-unfit", why=why, hint="tagtrail keys reprove")
    envelope = signed(road, old, new).encode()
    return beside(road, new) | {f"{new.version}{ROOT_SUFFIX}": envelope}


def signed(road: Road, old: Root | None, new: Root) -> dsse.Envelope:
    """The next root with the signature of this instance's root key, if either root takes it, else with none."""
    takes = {*new.keys, *(old.keys if old else ())}
    own = [road.root] if road.root is not None and road.root.verifier.vkey() in takes else []
    return dsse.sign(PAYLOAD_TYPE, format_root(new), own)


def wanted(road: Road, old: Root | None) -> Root:
    """The next root as the settings ask for it; what only people with root keys decide is as in the old one."""
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
        threshold=old.threshold if old else 1,
        keys=old.keys if old else tuple(key.verifier.vkey() for key in (road.root,) if key),
        policy=_policy(road, old),
        release=_release(road, old),
        people=tuple(known[fingerprint] for fingerprint in sorted(used)),
        builders=(old and old.builders) or (road.builder_key.verifier.vkey(),),
        until=old.until if old else (),
        signers=signers,
        freezes=old.freezes if old else (),
    )


def certificate_file(root: Root) -> bytes:
    """`release-key.asc`: the certificates that people import, the newest first; none that was stolen."""
    stolen = dict(root.until)
    certificates = [key.material for key in root.release if key.fingerprint not in stolen]
    if len(certificates) == 1:
        return certificates[0].encode()
    return "".join(material.rstrip("\n") + "\n" for material in certificates).encode()


def log_keys(root: Root) -> tuple[Verifier, ...]:
    """The log keys that a root believes, the newest last."""
    return tuple(log.verifier for log in policy_of(root).logs)


def fits(trail: Reading, root: Root) -> bool:
    """Whether every proof stands on a checkpoint that `root` believes: its log, its witnesses, its freezes."""
    believed, index = policy_of(root), 0
    while met := trail.cosigned(covering=index):
        covering = {(freeze.size, freeze.root) for freeze in root.freezes if index < freeze.size}
        if covering and (met.size, met.root) not in covering:
            return False
        try:
            policy.check(believed, met.note.encode())
        except TamperError:
            return False
        index = met.size
    return True


def beside(road: Road, root: Root) -> dict[str, bytes]:
    """site.json and the release key, where the trail names others."""
    named = named_by_keys(road.ledger)
    files = {SITE: format_site(road.site), CERTIFICATE: certificate_file(root)}
    return {name: data for name, data in files.items() if named.get(name) != sha256(data).hexdigest()}


def _check_current(road: Road, old: Root) -> None:
    if old.expires <= road.clock():
        what = f"root {old.version} of {old.origin} expired at {format_time(old.expires)}"
        raise ProjectError(what, code="root-expired", why="an expired root takes no new entries", hint=_RENEW)


def _check_named(road: Road, old: Root) -> None:
    """The keys that sign here are those that consumers believe."""
    stolen = dict(old.until)
    release = tuple(key.fingerprint for key in old.release if key.fingerprint not in stolen)
    builders = tuple(key for key in old.builders if key not in stolen)
    rows = [("log", road.log.verifier.vkey(), tuple(key.vkey() for key in log_keys(old)))]
    rows += [("release", road.signer.fingerprint, release)]
    rows += [("builder", road.builder_key.verifier.vkey(), builders)] if old.builders else []
    for role, key, named in rows:
        if key not in named:
            what = f"the {role} key here, {key}, is not in root {old.version}"
            why = "nobody would believe what it signs"
            hint = f"tagtrail keys rotate {role}, with --stolen if the old one was"
            raise ProjectError(what, code="key-not-in-root", why=why, hint=hint)


def _check_may_sign(road: Road, old: Root | None) -> None:
    own = () if road.root is None else (road.root.verifier.vkey(),)
    if old is None and not own:
        raise ProjectError("there is no root key here to make the first root", code="root-keys", hint=_RENEW)
    if old is not None and (old.threshold, old.keys) != (1, own):
        raise ProjectError(
            f"root {old.version} takes {old.threshold} of {len(old.keys)} keys, and the settings ask for a new root",
            code="root-keys",
            why="people, witnesses or names have changed since; only the root's own keys can say so",
            hint=_RENEW,
        )


def _policy(road: Road, old: Root | None) -> str:
    """What we ask of our own checkpoints; the old root's log keys stay, for what they signed."""
    mine = {log.verifier: log for log in road.trust.logs}
    logs = tuple(mine.get(log.verifier, log) for log in policy_of(old).logs) if old else road.trust.logs
    return replace(road.trust, logs=logs).encode().decode()


def _release(road: Road, old: Root | None) -> tuple[Key, ...]:
    own = Key(fingerprint=road.signer.fingerprint, scheme="openpgp", material=road.signer.certificate)
    return tuple(own if key.fingerprint == own.fingerprint else key for key in old.release) if old else (own,)


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
