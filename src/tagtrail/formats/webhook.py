"""A notice as a webhook: its body, and the headers that say which message it is and prove who sent it.

    webhook-id: HEX               the same at every attempt: who has seen it may drop it
    webhook-timestamp: SECONDS    of this attempt
    webhook-signature: v1,BASE64 v1,BASE64     HMAC-SHA256 of ID.SECONDS.BODY with each live secret, newest first

    {"data": {"entries": [812], ...}, "timestamp": "2026-04-01T15:02:00Z", "type": "tagtrail.release"}

The body is canonical JSON: `data` is the notice without its HTML, `type` is `tagtrail.` and its event, `timestamp` the
newest entry's. A secret is `whsec_` and base64 of 24 to 64 bytes. Source: Standard Webhooks 1.0. Reason codes
(SetupError): webhook-secret.
"""

import base64
import binascii
import hmac
from collections.abc import Iterable
from datetime import UTC, datetime

from tagtrail.formats import canonical
from tagtrail.formats.facts import dump
from tagtrail.model.errors import SetupError
from tagtrail.model.notice import Notice

__all__ = ["webhook_body", "webhook_headers"]

_PREFIX = "whsec_"


def webhook_body(notice: Notice) -> bytes:
    """The JSON that is sent."""
    data = {key: value for key, value in dump(notice).items() if key != "html"}
    time = datetime.fromtimestamp(notice.time, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return canonical.dumps({"data": data, "timestamp": time, "type": f"tagtrail.{notice.event}"})


def webhook_headers(message: str, now: int, body: bytes, secrets: Iterable[str]) -> dict[str, str]:
    """The three headers of one attempt, at `now` (Unix seconds). Raises SetupError `webhook-secret`."""
    signed = b"%s.%d.%s" % (message.encode(), now, body)
    macs = (hmac.digest(_key(secret), signed, "sha256") for secret in secrets)
    signatures = " ".join(f"v1,{base64.b64encode(mac).decode()}" for mac in macs)
    return {"webhook-id": message, "webhook-timestamp": str(now), "webhook-signature": signatures}


def _key(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not 24 <= len(key) <= 64:
        hint = "echo whsec_$(openssl rand -base64 32)"
        what = "the secret of a webhook is whsec_ and base64 of 24 to 64 bytes"
        raise SetupError(what, code="webhook-secret", hint=hint)
    return key
