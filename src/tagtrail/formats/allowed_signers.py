r"""`allowed_signers`: SSH keys, whose they are, for what and when, as `ssh-keygen -Y verify` and git read them.

    # principals  [options]  type  base64  [comment]
    jo@example.org namespaces="git",valid-after="20240101Z",valid-before="20270630Z" ssh-ed25519 AAAAC3Nz... jo
    * ssh-ed25519 AAAAC3Nz...

Principals are patterns, separated by commas; who may sign what is decided elsewhere, so they are for people's eyes.
Options stand between commas without spaces: `namespaces="A,B"`, `valid-after="TIME"`, `valid-before="TIME"`. A key is
valid from `valid-after` to `valid-before`, both included. A TIME is YYYYMMDD[HHMM[SS]]Z. OpenSSH reads a TIME without
`Z` in the reader's own time zone: one file would mean two things, so it is refused. So are `cert-authority` (whoever it
certifies would be allowed, and this file would not say who) and patterns within namespaces.
Source: ssh-keygen(1), section ALLOWED SIGNERS.
Reason codes (SetupError): allowed-signers-utf8, allowed-signers-line, allowed-signers-option,
allowed-signers-authority, allowed-signers-time, allowed-signers-zone, allowed-signers-namespace; ssh-key-*.
"""

import re
import time
from calendar import timegm
from collections.abc import Iterator

from tagtrail.formats.encoding import shown
from tagtrail.formats.sshsig import KEY_TYPES, SshKey, parse_key_line
from tagtrail.model.errors import SetupError, TamperError
from tagtrail.model.frozen import frozen

__all__ = ["AllowedSigner", "format_allowed_signers", "parse_allowed_signers"]

_LINE = 'jo@example.org namespaces="git" ssh-ed25519 AAAA...'
_FORMS = {8: "%Y%m%d", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}
_PRINCIPALS = re.compile(r'("[^"]*"|[^\s"]+)[ \t]+')
_OPTION = re.compile(r'([A-Za-z-]+)(?:="([^"]*)")?(,|[ \t]+)')
_NAMESPACE = re.compile(r"[A-Za-z0-9@._+-]+")


@frozen
class AllowedSigner:
    """One line. Times are Unix seconds; no namespaces means any."""

    principals: str
    key: SshKey
    namespaces: tuple[str, ...] = ()
    valid_after: int | None = None
    valid_before: int | None = None


def parse_allowed_signers(data: bytes) -> tuple[AllowedSigner, ...]:
    """The lines that are not comments, in order. Raises SetupError with the line's number."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        what = f"allowed_signers is not UTF-8 at byte {error.start}"
        raise SetupError(
            what, code="allowed-signers-utf8", hint="write it in UTF-8 (ssh-keygen reads bytes, people read names)"
        ) from None
    return tuple(_lines(text))


def format_allowed_signers(signers: tuple[AllowedSigner, ...]) -> bytes:
    """The file; `parse_allowed_signers` gives these signers back."""
    return "".join(f"{_line(signer)}\n" for signer in signers).encode()


def _lines(text: str) -> Iterator[AllowedSigner]:
    for number, line in enumerate(text.split("\n"), 1):
        content = line.strip(" \t\r")
        if content and not content.startswith("#"):
            try:
                yield _signer(content)
            except (SetupError, TamperError) as error:
                what = f"line {number}: {error.what}"
                raise SetupError(what, code=error.code, why=error.why, hint=error.hint) from None


def _signer(line: str) -> AllowedSigner:
    principals = _PRINCIPALS.match(line)
    if not principals:
        raise _no_line(line)
    rest, options = _options(line[principals.end() :])
    after, before = options.get("valid-after"), options.get("valid-before")
    return AllowedSigner(
        principals=principals[1].strip('"'),
        key=parse_key_line(rest),
        namespaces=_namespaces(options["namespaces"]) if "namespaces" in options else (),
        valid_after=None if after is None else _time(after),
        valid_before=None if before is None else _time(before),
    )


def _options(rest: str) -> tuple[str, dict[str, str]]:
    """The key line behind the options, and the options."""
    options: dict[str, str] = {}
    more = not _is_key(rest)
    while more:
        found = _OPTION.match(rest)
        if not found:
            raise _no_line(rest)
        name, value, end = found.groups()
        options |= _option(name.lower(), value, options)
        rest, more = rest[found.end() :], end == ","
    return rest, options


def _is_key(text: str) -> bool:
    return text.split(" ", 1)[0].split("\t", 1)[0] in KEY_TYPES


def _no_line(text: str) -> SetupError:
    why = f"it is principals, options, key; understood key types are {', '.join(KEY_TYPES)}"
    return SetupError(
        f"{shown(text)} is not a line of allowed_signers", code="allowed-signers-line", why=why, hint=_LINE
    )


def _option(name: str, value: str | None, seen: dict[str, str]) -> dict[str, str]:
    if name == "cert-authority":
        why = "whoever the authority certifies would be allowed to sign, and no file here says who that is"
        hint = "list the people's own keys"
        raise SetupError("cert-authority is not supported", code="allowed-signers-authority", why=why, hint=hint)
    if name not in ("namespaces", "valid-after", "valid-before") or value is None or name in seen:
        why = 'namespaces="...", valid-after="..." and valid-before="..." are read, each once'
        raise SetupError(
            f"option {shown(name)} is not understood here", code="allowed-signers-option", why=why, hint="take it out"
        )
    return {name: value}


def _namespaces(value: str) -> tuple[str, ...]:
    names = tuple(value.split(","))
    for name in names:
        if not _NAMESPACE.fullmatch(name):
            why = "patterns are not read: write each namespace out"
            raise SetupError(
                f"{shown(name)} is not a namespace", code="allowed-signers-namespace", why=why, hint='namespaces="git"'
            )
    return names


def _time(value: str) -> int:
    digits = value.removesuffix("Z")
    form = _FORMS.get(len(digits))
    try:
        seconds = timegm(time.strptime(digits, form)) if form and digits.isascii() and digits.isdigit() else None
    except ValueError:
        seconds = None
    if seconds is None:
        what = f"{shown(value)} is not a time"
        raise SetupError(what, code="allowed-signers-time", hint="write it as YYYYMMDDZ or YYYYMMDDHHMMSSZ")
    if digits == value:
        why = "without Z it means the reader's own time zone, another moment for everybody"
        hint = f"write {value}Z"
        raise SetupError(f"{shown(value)} has no time zone", code="allowed-signers-zone", why=why, hint=hint)
    return seconds


def _line(signer: AllowedSigner) -> str:
    options = [f'namespaces="{",".join(signer.namespaces)}"'] if signer.namespaces else []
    for name, moment in (("valid-after", signer.valid_after), ("valid-before", signer.valid_before)):
        if moment is not None:
            # not strftime, whose %Y has fewer than four digits for early years
            year, *rest = time.gmtime(moment)[:6]
            options.append(f'{name}="{year:04}{"".join(f"{part:02}" for part in rest)}Z"')
    principals = f'"{signer.principals}"' if " " in signer.principals else signer.principals
    return " ".join(filter(None, (principals, ",".join(options), signer.key.line)))
