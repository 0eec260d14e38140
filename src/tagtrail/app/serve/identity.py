"""Who uploads: a builder's token, or the token of a CI workflow (OpenID Connect), both as the password of Basic auth.

A workflow's token is a JSON Web Token, signed by the issuer whose keys the settings name, made for our audience, valid
now, and it says of the workflow what the settings ask for. In `claims`, `{tag}` and `{commit}` stand for those of the
upload: `claims = { repository = "example/nova", ref = "refs/tags/{tag}" }` takes wheels of this tag only.
"""

import hmac
import json
import re
from base64 import b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from tagtrail.app.instance.secrets import Secrets
from tagtrail.model.errors import ProjectError, SetupError
from tagtrail.model.settings import Bringer

__all__ = ["Denied", "Desk", "desk", "password"]

_ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA")
_LEEWAY = 60
_LIFETIME = 24 * 3600
_FRESH = 600
"""Seconds for which an issuer's keys are used before they are read again."""
_KEYS = "correct keys of this builder in tagtrail.toml: an https address, or a file of the instance, with a JWK set"
_MAX_KEYS = 1 << 20
_MAX_TOKEN = 16 * 1024
_MAIL = re.compile(r"[^\s/@]+@[A-Za-z0-9-]+\.[A-Za-z]")


class Denied(ProjectError):  # noqa: N818  (an answer, as 403 is)
    """The upload's token is not good for this project and tag."""


def password(header: str) -> str:
    """What an Authorization header (Basic or Bearer) gives as the token; empty where it gives none."""
    kind, _, value = header.partition(" ")
    if kind.lower() == "bearer":
        return value.strip()
    if kind.lower() != "basic" or len(value) > _MAX_TOKEN * 2:
        return ""
    try:
        return b64decode(value, validate=True).decode("utf-8").partition(":")[2]
    except ValueError:
        return ""


@dataclass(slots=True)
class Desk:
    """Judges tokens. `fetch` reads an address (`io.http.fetch`), `clock` is now in Unix seconds.

    Keys of issuers are remembered for ten minutes.
    """

    home: Path
    fetch: Callable[[str, int], bytes | None]
    clock: Callable[[], int]
    secrets: Secrets
    known: dict[str, tuple[int, dict[str, Any]]]

    def judge(self, token: str, builders: tuple[Bringer, ...], names: Mapping[str, str] | None) -> str:
        """Who brings, as the entry will say. `names` gives `tag` and `commit` (None: not known yet, not compared).

        Raises Denied `token-missing`, `token-unknown`, `token-...`.
        """
        if not token or len(token) > _MAX_TOKEN:
            raise Denied(
                "no token came with it", code="token-missing", hint="user __token__, and the token as password"
            )
        for builder in builders:
            if builder.token and _same(token, self._secret(builder.token)):
                return f"builder:{builder.name}"
        if token.count(".") == 2:
            return self._workflow(token, [b for b in builders if b.issuer], names)
        hint = "its builders are in [builders] of the instance's settings"
        raise Denied("the token is not one of this project's builders", code="token-unknown", hint=hint)

    def _secret(self, reference: str) -> str:
        """A secret that is not there is nobody's."""
        try:
            return self.secrets.value(reference)
        except SetupError as error:
            if error.code == "secret-missing":
                return ""
            raise

    def _workflow(self, token: str, builders: list[Bringer], names: Mapping[str, str] | None) -> str:
        import jwt

        last = Denied("no builder of this project has an issuer", code="token-unknown")
        try:
            issuer = jwt.decode(token, options={"verify_signature": False}).get("iss")
        except jwt.InvalidTokenError as error:
            raise Denied("the token cannot be read", code="token-form", why=str(error)) from None
        for builder in (b for b in builders if b.issuer == issuer):
            try:
                claims = self._claims(token, builder)
                _check_claims(claims, builder, names)
                return _identity(builder, str(claims["sub"]))
            except Denied as denied:
                last = denied
        raise last

    def _claims(self, token: str, builder: Bringer) -> dict[str, Any]:
        import jwt

        try:
            header = jwt.get_unverified_header(token)
            if header.get("alg") not in _ALGORITHMS:
                raise Denied(f"the token's algorithm {header.get('alg')} is not accepted", code="token-algorithm")
            claims: dict[str, Any] = jwt.decode(
                token,
                key=self._key(builder, str(header.get("kid", ""))),
                algorithms=[*_ALGORITHMS],
                audience=builder.audience,
                issuer=builder.issuer,
                leeway=_LEEWAY,
                options={"require": ["exp", "iat", "iss", "aud", "sub"], "verify_exp": False, "verify_iat": False,
                         "verify_nbf": False},
            )  # fmt: skip
        except jwt.InvalidSignatureError:
            raise Denied("the token's signature is not good", code="token-signature") from None
        except jwt.InvalidAudienceError:
            raise Denied(
                "the token is for somebody else", code="token-audience", why=f"ours is {builder.audience}"
            ) from None
        except jwt.PyJWTError as error:
            raise Denied("the token is not good", code="token-form", why=str(error)) from None
        self._check_times(claims)
        return claims

    def _check_times(self, claims: Mapping[str, Any]) -> None:
        """By our clock, which tests can move."""
        now, made, ends = self.clock(), claims["iat"], claims["exp"]
        begins = claims.get("nbf", made)
        if not all(type(moment) is int for moment in (made, ends, begins)):
            raise Denied("the token's times are no whole seconds", code="token-form")
        if ends + _LEEWAY <= now:
            raise Denied("the token has expired", code="token-expired")
        if max(made, begins) > now + _LEEWAY or ends - made > _LIFETIME:
            raise Denied("the token is of another time", code="token-time", why="from the future, or for too long")

    def _key(self, builder: Bringer, kid: str) -> Any:
        import jwt

        keys = self._keys(builder, kid)
        chosen = [k for k in keys.get("keys", []) if not kid or k.get("kid") == kid]
        if len(chosen) != 1:
            raise Denied("the token names a key that its issuer does not have", code="token-key")
        try:
            return jwt.PyJWK.from_dict(chosen[0])
        except jwt.PyJWTError as error:
            raise SetupError(
                f"a key of {builder.issuer} cannot be read", code="issuer-keys", why=str(error), hint=_KEYS
            ) from None

    def _keys(self, builder: Bringer, kid: str) -> dict[str, Any]:
        """The issuer's keys; read again when they are old, or do not have the one that is asked for."""
        read, keys = self.known.get(builder.keys, (0, {}))
        has = any(key.get("kid") == kid for key in keys.get("keys", []))
        age = self.clock() - read
        if keys and age < _FRESH and (has or not kid or age < _LEEWAY):
            return keys
        keys = _parsed(self._read(builder.keys), builder)
        self.known[builder.keys] = (self.clock(), keys)
        return keys

    def _read(self, where: str) -> bytes:
        if "://" in where:
            return self.fetch(where, _MAX_KEYS) or b""
        try:
            return (self.home / where).read_bytes()
        except OSError as error:
            what = f"{where} cannot be read: {error.strerror}"
            raise SetupError(what, code="issuer-keys", hint=_KEYS) from error


def desk(home: Path, clock: Callable[[], int]) -> Desk:
    """The desk of an instance."""
    from tagtrail.io.http import fetch

    return Desk(home=home, fetch=fetch, clock=clock, secrets=Secrets(home=home), known={})


def _parsed(data: bytes, builder: Bringer) -> dict[str, Any]:
    try:
        keys = json.loads(data)
    except (ValueError, RecursionError):
        keys = None
    listed = keys.get("keys") if isinstance(keys, dict) else None
    if not isinstance(listed, list) or not all(isinstance(key, dict) for key in listed):
        raise SetupError(f"{builder.keys} holds no JWKS", code="issuer-keys", hint="the issuer's jwks_uri")
    return {"keys": listed}


def _same(one: str, other: str) -> bool:
    """In constant time; an empty secret is nobody's."""
    return bool(other) and hmac.compare_digest(sha256(one.encode()).digest(), sha256(other.encode()).digest())


def _check_claims(claims: Mapping[str, Any], builder: Bringer, names: Mapping[str, str] | None) -> None:
    for name, wanted in builder.claims:
        if names is None and "{" in wanted:
            continue
        for word, value in (names or {}).items():
            wanted = wanted.replace(f"{{{word}}}", value)  # noqa: PLW2901  (each name in its place)
        said = claims.get(name)
        if not isinstance(said, str) or said != wanted:
            what = f"the token says {name} = {str(said)[:100]!r}, {wanted!r} is asked for"
            raise Denied(what, code="token-claim")


def _identity(builder: Bringer, subject: str) -> str:
    """What everybody will read in the entry."""
    if _MAIL.search(subject) or not subject.isprintable() or not subject.isascii() or len(subject) > 300:
        what = "the token's subject is a person's, or cannot be shown"
        raise Denied(what, code="token-subject", why="entries are for ever and public: a workflow belongs there")
    return f"{builder.issuer} {subject}"
