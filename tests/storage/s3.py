"""A request signed as S3 asks (Signature Version 4), without a client of S3: it makes the tests' buckets."""

import hashlib
import hmac
from datetime import UTC, datetime
from urllib.parse import urlsplit

import httpx

EMPTY = hashlib.sha256(b"").hexdigest()


def ask(method: str, url: str, key: str, secret: str, region: str = "us-east-1", **headers: str) -> httpx.Response:
    """The answer to a signed request without a body."""
    at, now = urlsplit(url), datetime.now(UTC)  # noqa: TID251  (a peer's clock is the machine's)
    stamp = now.strftime("%Y%m%dT%H%M%SZ")
    fields = {"host": at.netloc, "x-amz-content-sha256": EMPTY, "x-amz-date": stamp}
    fields |= {name.replace("_", "-"): value for name, value in headers.items()}
    names = ";".join(sorted(fields))
    canonical = [method, at.path, at.query, *(f"{n}:{fields[n]}" for n in sorted(fields)), "", names, EMPTY]
    scope = f"{stamp[:8]}/{region}/s3/aws4_request"
    digest = hashlib.sha256("\n".join(canonical).encode()).hexdigest()
    signed = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{digest}".encode()
    step = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        step = hmac.digest(step, part.encode(), "sha256")
    signature = hmac.new(step, signed, "sha256").hexdigest()
    said = f"AWS4-HMAC-SHA256 Credential={key}/{scope}, SignedHeaders={names}, Signature={signature}"
    return httpx.request(method, url, headers=fields | {"authorization": said})
