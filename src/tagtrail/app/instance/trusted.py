"""Trusted publishing: a CI's identity (OpenID Connect) is exchanged for a token of the index that lives for minutes.

The index says for whom the identity is to be made (`/_/oidc/audience`), the CI makes it, and the index gives a token
for it (`/_/oidc/mint-token`). Two CIs: GitHub Actions (ACTIONS_ID_TOKEN_REQUEST_URL and _TOKEN, which a job with the
permission `id-token: write` has) and GitLab (the variable AUDIENCE_ID_TOKEN, PYPI_ID_TOKEN for the main index).
Identities and tokens go over TLS or to this machine alone, and are never shown.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from tagtrail.io import http
from tagtrail.model.errors import RemoteError, SetupError
from tagtrail.model.names import LOOPBACK
from tagtrail.ports import Clock

__all__ = ["Trusted"]

FRESH = 600
"""Seconds for which a token is used; the main index's lives for 900."""
_LIMIT = 1 << 16


@dataclass(slots=True, kw_only=True)
class Trusted:
    """The identity of the CI that runs us, if one does, at the index whose form is at `upload`."""

    upload: str
    environ: Mapping[str, str]
    clock: Clock
    _made: int = 0
    _token: str = ""

    def token(self) -> str:
        """A token of the index; empty where no CI offers an identity, or the index knows no trusted publishing.

        Raises RemoteError `oidc-refused`, `oidc-reply` and what `io.http.ask` raises; SetupError `oidc-plain`.
        """
        if not self._offered():
            return ""
        if not self._token or self.clock() - self._made > FRESH:
            audience = self._audience()
            self._token = self._minted(self._identity(audience)) if audience else ""
            self._made = self.clock()
        return self._token

    def _offered(self) -> bool:
        github = {"ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"} <= self.environ.keys()
        return github or ("GITLAB_CI" in self.environ and any(key.endswith("_ID_TOKEN") for key in self.environ))

    def _at(self, path: str) -> str:
        parts = urlsplit(self.upload)
        return f"{parts.scheme}://{parts.netloc}/_/oidc/{path}"

    def _audience(self) -> str:
        reply = http.ask("GET", _safe(self._at("audience")), limit=_LIMIT)
        return "" if reply.status != 200 else _field(reply, "audience", "the index")

    def _identity(self, audience: str) -> str:
        name = re.sub(r"[^A-Z0-9_]", "_", audience.upper()) + "_ID_TOKEN"
        if given := self.environ.get(name, ""):
            return given
        url = self.environ.get("ACTIONS_ID_TOKEN_REQUEST_URL", "")
        if not url:
            hint = f"id_tokens: {{ {name}: {{ aud: {audience} }} }} in the job"
            raise SetupError(f"the CI gives no {name}", code="oidc-missing", hint=hint)
        headers = {"Authorization": f"Bearer {self.environ['ACTIONS_ID_TOKEN_REQUEST_TOKEN']}"}
        asked = f"{_safe(url)}{'&' if '?' in url else '?'}audience={quote(audience, safe='')}"
        reply = http.ask("GET", asked, headers=headers, limit=_LIMIT)
        if reply.status != 200:
            raise RemoteError(f"the CI answers {reply.status} instead of an identity", code="oidc-refused")
        return _field(reply, "value", "the CI")

    def _minted(self, identity: str) -> str:
        body = json.dumps({"token": identity}).encode()
        url, headers = _safe(self._at("mint-token")), {"Content-Type": "application/json"}
        reply = http.ask("POST", url, headers=headers, body=body, limit=_LIMIT)
        if reply.status != 200:
            what = f"the index gives this workflow no token: it answers {reply.status}"
            hint = "name the workflow as a trusted publisher in the project's settings on the index"
            raise RemoteError(what, code="oidc-refused", why=", ".join(_codes(reply)), hint=hint)
        return _field(reply, "token", "the index")


def _safe(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme != "https" and parts.hostname not in LOOPBACK:
        what = f"an identity goes to {parts.netloc} over TLS alone"
        raise SetupError(what, code="oidc-plain", hint="upload = https://..., or a token in the settings")
    return url


def _object(reply: http.Reply) -> dict[str, Any]:
    try:
        value = json.loads(reply.body)
    except (ValueError, RecursionError):
        value = None
    return value if isinstance(value, dict) else {}


def _field(reply: http.Reply, name: str, whose: str) -> str:
    value = _object(reply).get(name)
    if not isinstance(value, str) or not value or not value.isascii() or not value.isprintable():
        raise RemoteError(f"{whose} answers without {name!r}", code="oidc-reply")
    return value


def _codes(reply: http.Reply) -> list[str]:
    """The reasons by their codes; descriptions may repeat what was sent."""
    errors = _object(reply).get("errors")
    found = [one.get("code") for one in errors if isinstance(one, dict)] if isinstance(errors, list) else []
    return [code for code in found if isinstance(code, str) and re.fullmatch(r"[a-z0-9-]{1,60}", code)]
