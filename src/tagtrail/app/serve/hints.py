"""Webhooks in: a forge says that something was pushed, and `watch` looks sooner. Nothing else follows from it.

    POST /hint/PROJECT      of a project
    POST /hint              of whichever projects have one of the payload's addresses as their repository

    X-Hub-Signature-256: sha256=HEX             GitHub, and what follows it (Gitea, Forgejo)
    X-Gitea-Signature: HEX                      Gitea; X-Forgejo-Signature likewise
    webhook-id, -timestamp, -signature          Standard Webhooks: v1,BASE64 over ID.TIMESTAMP.BODY, within 5 minutes
    X-Gitlab-Token: SECRET                      GitLab, which signs nothing

Signatures are HMAC-SHA256 over the bytes as they came, compared in constant time with each live secret; where none is
configured, all is refused. The size is judged before anything is read. Addresses in a payload are compared with those
of the settings and never fetched: what is true is what the repository says. Reason codes: hint-off, hint-size,
hint-signature, hint-form, hint-project.
"""

import hmac
import json
import re
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any, BinaryIO

from tagtrail.app.serve.identity import Denied
from tagtrail.model.errors import ProjectError, SetupError
from tagtrail.model.names import project_key
from tagtrail.model.settings import Project
from tagtrail.workflows.hints import hint
from tagtrail.workflows.road import Road

__all__ = ["LARGEST", "OnHints", "authentic", "check_secrets", "receive_hint", "said"]

LARGEST = 1 << 20
"""Bytes of a payload: forges send every commit of a push with it."""
TOLERANCE = 300
"""Seconds by which the time of a Standard Webhook may be off."""
_KEYS = ("clone_url", "html_url", "ssh_url", "git_url", "git_http_url", "git_ssh_url", "web_url", "url", "http_url")
_REF = re.compile(r"refs/[!-~]{1,500}")
_OBJECT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


class OnHints(ProjectError):  # noqa: N818  (an answer, as 413 is)
    """A hint that is too large or cannot be read."""


def receive_hint(
    road: Road, secrets: Sequence[str], headers: Mapping[str, str], stream: BinaryIO, named: Project | None = None
) -> tuple[str, ...]:
    """The projects that `watch` will look at: the one that the address `named`, else those that the payload means.

    `headers` are by their names in lower case.

    Raises Denied `hint-off`, `hint-signature`; OnHints `hint-size`, `hint-form`, `hint-project`.
    """
    if not secrets:
        raise Denied("no secret for hints is configured", code="hint-off", hint='[watch] secret = ["env:NAME"]')
    body = _body(headers.get("content-length", ""), stream)
    if not authentic(body, headers, secrets, road.clock()):
        raise Denied("no live secret made this signature", code="hint-signature")
    payload = _payload(body)
    names = (named.name,) if named else tuple(p.name for p in road.settings.projects if _is_meant(p, payload))
    if not names:
        raise OnHints("no project has a repository of these addresses", code="hint-project", hint="POST /hint/PROJECT")
    for name in names:
        hint(road.journal, name, said(payload, body), road.clock())
    return names


def _body(length: str, stream: BinaryIO) -> bytes:
    if not (length.isascii() and length.isdigit()) or len(length) > 9 or int(length) > LARGEST:
        raise OnHints(f"a hint says its length, of at most {LARGEST} bytes", code="hint-size")
    body = stream.read(int(length))
    if len(body) != int(length):
        raise OnHints("the hint ends before its length", code="hint-size")
    return body


def authentic(body: bytes, headers: Mapping[str, str], secrets: Sequence[str], now: int) -> bool:
    """Whether one of the secrets made a signature that stands in the headers."""
    good = [_by(secret, body, headers, now) for secret in secrets if secret]  # all, so that time tells nothing
    return any(good)


def _by(secret: str, body: bytes, headers: Mapping[str, str], now: int) -> bool:
    made = hmac.new(secret.encode(), body, sha256).hexdigest()
    hub = headers.get("x-hub-signature-256", "").removeprefix("sha256=")
    shown = (hub, headers.get("x-gitea-signature", ""), headers.get("x-forgejo-signature", ""))
    known = [_same(one, made) for one in shown] + [_same(headers.get("x-gitlab-token", ""), secret)]
    return any(known) or _standard(secret, body, headers, now)


def _standard(secret: str, body: bytes, headers: Mapping[str, str], now: int) -> bool:
    """standardwebhooks.com, symmetric: the key is the base64 after `whsec_`."""
    name, stamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    fresh = stamp.isascii() and stamp.isdigit() and len(stamp) < 12 and abs(int(stamp) - now) <= TOLERANCE
    if not name or not fresh:
        return False
    try:
        key = b64decode(secret.removeprefix("whsec_"), validate=True)
    except ValueError:
        key = secret.encode()
    made = b64encode(hmac.new(key, b".".join((name.encode(), stamp.encode(), body)), sha256).digest()).decode()
    good = [_same(one, f"v1,{made}") for one in headers.get("webhook-signature", "").split(" ")[:10]]
    return any(good)


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode("utf-8", "replace"), other.encode("utf-8", "replace"))


def _payload(body: bytes) -> dict[str, Any]:
    try:
        payload = json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError):
        payload = None
    if not isinstance(payload, dict):
        raise OnHints("the hint is no JSON object in UTF-8", code="hint-form", hint="content type application/json")
    return payload


def said(payload: Mapping[str, Any], body: bytes) -> str:
    """What makes a hint another than the last: the ref and the object that it names, else its bytes."""
    ref, oid = payload.get("ref"), payload.get("after") or payload.get("sha") or payload.get("checkout_sha")
    if isinstance(ref, str) and isinstance(oid, str) and _REF.fullmatch(ref) and _OBJECT.fullmatch(oid):
        return f"{ref}/{oid}"
    return sha256(body).hexdigest()


def _is_meant(project: Project, payload: Mapping[str, Any]) -> bool:
    """Whether it names this project (generic: `{"project": NAME}`), or an address of its repository."""
    name = payload.get("project")
    if isinstance(name, str) and project_key(name) == project_key(project.name):
        return True
    ours = {_plain(address) for address in (project.repo, project.public) if address}
    return any(_plain(address) in ours for address in _addresses(payload))


def _addresses(payload: Mapping[str, Any]) -> Iterator[str]:
    places = (payload.get("repository"), payload.get("project"))
    for place in places:
        if isinstance(place, dict):
            yield from (place[key] for key in _KEYS if isinstance(place.get(key), str) and len(place[key]) < 2000)


def _plain(address: str) -> str:
    """Host and path, however the address is written: `https://h/p.git`, `git@h:p`, `ssh://git@h/p`."""
    rest = address.partition("://")[2] or address.replace(":", "/", 1)
    return rest.rpartition("@")[2].rstrip("/").removesuffix(".git").casefold()


def check_secrets(values: Sequence[str]) -> tuple[str, ...]:
    """Secrets that may be used. Raises SetupError `hint-secret`: a short one can be guessed."""
    if any(len(value) < 16 for value in values):
        raise SetupError(
            "a secret of hints has fewer than 16 characters", code="hint-secret", hint="openssl rand -hex 32"
        )
    return tuple(values)
