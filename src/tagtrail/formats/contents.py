r"""Secrets and litter among the members of a release archive, looked for while the members are read anyway.

**Secrets**, by what a member of up to a MiB says:

    -----BEGIN [...] PRIVATE KEY[ BLOCK]-----   with a key behind it (PEM, OpenSSH, PGP), also as text in a program
    pypi-AgE...                                 a token of a package index (a macaroon)
    ghp_... github_pat_... glpat-...            tokens of GitHub and GitLab
    AKIA...                                     an AWS access key
    xoxb-... hooks.slack.com/services/...       Slack's tokens and hooks

and by name: `.pypirc`, `.netrc`, `.git-credentials`, `id_rsa` and its like. **Litter**, by name: what version control,
interpreters, test runners, operating systems and editors leave behind.

The forms are those that the issuers document (https://docs.github.com/en/code-security/secret-scanning; macaroons in
base64 begin with their version and location; RFC 7468, RFC 4880 6.2). A look costs 4 ms for each MB: a member is asked
for a few words first, and for a secret's whole form only where one of them is.
"""

import re
from collections.abc import Iterable, Iterator
from functools import cache

from tagtrail.model.facts import Remark

__all__ = ["MOST", "Glance", "litter_in", "missing_licenses", "noticed", "secret_in", "secret_named"]

MOST = 1 << 20
"""Bytes of the largest member that is looked into."""

_BETWEEN = rb"(?:\\[nrt]|[\s\"'+,()\\]|b(?=[\"'])){1,64}"
"""What stands between two lines of a key, in a file of its own or quoted in a program."""
_HEADERS = rb"(?:[A-Z][A-Za-z-]{2,20}: [^\n\\\"']{0,200}" + _BETWEEN + rb"){0,8}"
_KEY = rb"-----BEGIN (?:[A-Z0-9]{2,12} ){0,2}PRIVATE KEY(?: BLOCK)?-----" + _BETWEEN + _HEADERS + rb"[A-Za-z0-9+/=]{40}"

_FORMS = (
    (b"PRIVATE KEY", _KEY, "a private key"),
    (b"pypi-AgE", rb"pypi-AgE[A-Za-z0-9_-]{60}", "a token of a package index"),
    (b"ghp_", rb"\bghp_[A-Za-z0-9]{36}\b", "a GitHub token"),
    (b"github_pat_", rb"\bgithub_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}\b", "a GitHub token"),
    (b"glpat-", rb"\bglpat-[A-Za-z0-9_-]{20}", "a GitLab token"),
    (b"AKIA", rb"\bAKIA[A-Z2-7]{16}\b", "an AWS access key"),
    (b"xoxb-", rb"\bxoxb-[0-9]{10,13}-[0-9A-Za-z-]{20}", "a Slack token"),
    (
        b"hooks.slack.com/services/",
        rb"hooks\.slack\.com/services/T[A-Z0-9]{8,10}/B[A-Z0-9]{8,10}/[A-Za-z0-9]{24}",
        "a Slack hook",
    ),
)
_EXAMPLES = (b"EXAMPLE", b"example", b"XXXX", b"xxxx", b"0000", b"1234567890")
"""In what looks like a token: it is made up."""

_PRIVATE = r"(?:.*/)?(?:\.pypirc|\.netrc|_netrc|\.git-credentials|id_(?:rsa|dsa|ecdsa|ed25519)(?:_sk)?)"
_LITTER = (
    (r"(?:.*/)?(?:\.git|\.hg|\.svn|\.bzr|CVS)/.*", "version control's own"),
    (r"(?:.*/)?(?:__pycache__/.*|[^/]+\.py[co])", "an interpreter's cache"),
    (
        r"(?:.*/)?(?:\.(?:tox|nox|mypy_cache|ruff_cache|pytest_cache|hypothesis|stestr|eggs)/.*|\.coverage)",
        "a tool's own",
    ),
    (r"(?:.*/)?(?:node_modules|\.venv)/.*", "installed from elsewhere"),
    (r"(?:.*/)?(?:\.DS_Store|\._[^/]+|__MACOSX/.*|Thumbs\.db|desktop\.ini)", "an operating system's own"),
    (
        r"(?!Cargo\.toml\.orig$)(?:.*/)?(?:[^/]+\.(?:orig|rej|sw[op])|[^/]+~|#[^/]+#)",  # `cargo package` writes that
        "an editor's or a merge's copy",
    ),
)

# when the first archive is read: every `release` loads this module before it begins
_compiled = cache(re.compile)


class Glance:
    """What is noticed in one build's archives; what was read once is not looked into again."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def remarks(self, name: str, content: str, data: bytes) -> Iterator[Remark]:
        """On the member `name`, whose bytes are `data` and whose digest is `content`."""
        if content not in self._known:
            self._known[content] = secret_in(data)
        if what := secret_named(name) or self._known[content]:
            yield Remark(kind="secret", member=name, what=what)
        if what := litter_in(name):
            yield Remark(kind="litter", member=name, what=what)


def noticed(members: Iterable[tuple[str, int, Iterable[bytes]]]) -> tuple[Remark, ...]:
    """What is noticed of members (name, size, bytes), every one read to its end."""
    glance, found = Glance(), list[Remark]()
    for name, size, pieces in members:
        data = b""
        for piece in pieces:
            data += piece if size <= MOST else b""
        found += glance.remarks(name, name, data)
    return tuple(found)


def secret_in(data: bytes) -> str:
    """What kind of secret a member's bytes hold; empty where none is found, or where they are too many to look into."""
    if len(data) > MOST:
        return ""
    for word, form, what in _FORMS:
        if word in data and any(_meant(found[0]) for found in re.finditer(form, data)):
            return what
    return ""


def _meant(secret: bytes) -> bool:
    return secret.startswith(b"-----") or not any(word in secret for word in _EXAMPLES)


def secret_named(name: str) -> str:
    """What a member of this name is for; empty where it is for no secret."""
    return "credentials, by its name" if _compiled(_PRIVATE).fullmatch(name) else ""


def litter_in(name: str) -> str:
    """Whose litter a member of this name is; empty where it is nobody's."""
    return next((what for form, what in _LITTER if _compiled(form).fullmatch(name)), "")


def missing_licenses(wanted: Iterable[str], members: Iterable[str], *, wheel: bool) -> Iterator[Remark]:
    """The License-Files of the metadata (2.4 and later: PEP 639) that are not where they must be: in an sdist, by the
    members without its top directory; in a wheel in `NAME.dist-info/licenses/`."""
    there = {name.partition(".dist-info/licenses/")[2] if wheel else name for name in members}
    for path in wanted:
        if path not in there:
            yield Remark(kind="license", member=path, what="named in the metadata as License-File")
