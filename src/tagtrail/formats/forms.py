"""The fields of the settings that have a form of their own; each function says what is wrong, or an empty string.

origin      releases.example.org/trail    no scheme, no slash at the end, ASCII, no `+` (a key name of C2SP signed-note)
url         https://releases.example.org/    http or https, ends with a slash, no user, no query
repository  https://git.example.org/nova, ssh://..., git@host:nova, or an absolute path
pattern     {version}, v{version}, nova-{version}    one {version} within the name of a git tag
project     oslo.config    PEP 508, and not a name that the site needs
path        {project}/{file}    where artifacts lie: the file's name last, beside no page
relative    keys/jo.asc    within the settings' directory
bucket      s3://BUCKET/PREFIX    a bucket of object storage, and a path within it
files       *macosx*arm64.whl    shell-style: * and ? stand for characters of a file's name
secret      env:NAME, file:PATH, cmd:COMMAND    never the secret itself
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from tagtrail.model.names import RESERVED, fold, project_key

__all__ = [
    "bucket_fault", "file_pattern_fault", "group_fault", "origin_fault", "path_fault", "pattern_fault", "plain_fault",
    "project_fault", "reason_fault", "relative_fault", "repo_fault", "secret_faults", "url_fault",
]  # fmt: skip

# Compiled when first used: `verify` loads this module, and asks for none of them.
_GROUP = r"[A-Za-z0-9]+([._-][A-Za-z0-9]+)*"
_PROJECT = r"[A-Za-z0-9]+([._-]+[A-Za-z0-9]+)*"
_HOST = r"[A-Za-z0-9]+([.-][A-Za-z0-9]+)*(:[0-9]{1,5})?"
_ORIGIN = rf"{_HOST}(/[A-Za-z0-9][A-Za-z0-9._~-]*)*"
_URL = rf"https?://{_HOST}(/[A-Za-z0-9_~%][A-Za-z0-9._~%-]*)*/"
_REPO = r"(https?|ssh|git)://[^\s-]\S*|[A-Za-z0-9._-]+@[A-Za-z0-9][A-Za-z0-9.-]*:[^\s-]\S*|/[^\x00-\x1f]*"
_PATTERN = r"([A-Za-z0-9][A-Za-z0-9._+/-]*)?\{version\}[A-Za-z0-9._+/-]*"
_PATH = r"([A-Za-z0-9._~-]|\{project\}|/)+/\{file\}"
_BUCKET = r"s3://[A-Za-z0-9][A-Za-z0-9._-]{0,254}(/[A-Za-z0-9._~-]+)*"
_CREDENTIAL = r"token|passw|passphrase|secret|credential|api[-_]?key|private[-_]?key"
_REFERENCE = r"(env|file|cmd):\S.*"
_USERINFO = r"[a-z][a-z0-9+.-]*://[^/\s@]*:[^/\s@]*@|https?://[^/\s@]+@"


def group_fault(name: str) -> str:
    """Of the name of a group, a target or a kind."""
    return "" if re.fullmatch(_GROUP, name) else "a name is of letters, digits and single ._- within"


def project_fault(name: str) -> str:
    """Of a project's name."""
    if not re.fullmatch(_PROJECT, name):
        return "a project's name is of ASCII letters and digits, with ._- within"
    if RESERVED & {fold(name), project_key(name)}:
        return "the site needs this name for itself"
    return ""


def origin_fault(origin: str) -> str:
    """Of a trail's name."""
    if "://" in origin:
        return f"has no scheme: {origin.partition('://')[2].strip('/')!r}"
    if origin.endswith("/"):
        return f"does not end with a slash: {origin.rstrip('/')!r}"
    if not re.fullmatch(_ORIGIN, origin) or len(origin) > 200:
        return "is a host and a path of ASCII letters, digits and ._~-, such as releases.example.org/trail"
    return ""


def url_fault(url: str) -> str:
    """Of the address at which people see the site."""
    if not url.endswith("/"):
        return f"ends with a slash: {url + '/'!r}"
    return "" if re.fullmatch(_URL, url) else "is http or https, a host and a path, with no user and no query"


def repo_fault(repo: str) -> str:
    """Of where a repository is. git's other transports run commands of the address's choosing."""
    if re.fullmatch(_REPO, repo):
        return ""
    return "is an absolute path, or an address that begins with https://, ssh://, git:// or user@host:"


def pattern_fault(pattern: str) -> str:
    """Of how a project's tags look."""
    broken = ".." in pattern or "//" in pattern or pattern.endswith((".", "/", ".lock"))
    if pattern.count("{version}") == 1 and re.fullmatch(_PATTERN, pattern) and not broken:
        return ""
    return 'has one {version} in the name of a git tag, such as "v{version}"'


def path_fault(path: str) -> str:
    """Of where artifacts lie on the site."""
    parts = path.split("/")
    if not re.fullmatch(_PATH, path) or "{project}" not in path or {"", ".", ".."} & set(parts):
        return "places {project} and, at the end, {file}: '{project}/{file}'"
    return f"begins with {parts[0]!r}, which the site needs for itself" if fold(parts[0]) in RESERVED else ""


def relative_fault(path: str) -> str:
    """Of a path within a directory."""
    parts = path.split("/")
    if not path.isprintable() or "\\" in path or {"", ".", ".."} & set(parts):
        return f"{path!r} is not a path within this directory"
    return ""


def bucket_fault(root: str) -> str:
    """Of a site's root in object storage."""
    fine = re.fullmatch(_BUCKET, root) and not {".", ".."} & set(root.split("/"))
    return "" if fine else "is a directory, or s3://BUCKET/PREFIX of letters, digits and ._~-, with no slash at the end"


def file_pattern_fault(pattern: str) -> str:
    """Of which file names a release waits for."""
    if re.fullmatch(r"[A-Za-z0-9._+!~*?-]{1,200}", pattern):
        return ""
    return f'{pattern!r} is not a pattern of a file name, such as "*macosx*arm64.whl"'


def plain_fault(text: str) -> str:
    """Of a line that is shown to people."""
    if not text.isprintable() or len(text) > 200 or text != text.strip():
        return "is one line of at most 200 characters, with no space around it"
    return ""


def reason_fault(text: str) -> str:
    """Of a reason that is written into an entry: it is public, and for ever."""
    if re.search(r"\S@\S", text):
        return "names no address: the entry is public, and for ever"
    return plain_fault(text)


def secret_faults(values: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """(path, fault) of every secret that stands in clear in a TOML value: only references may."""
    if isinstance(values, Mapping):
        for key, value in values.items():
            yield from secret_faults(value, f"{path}.{key}" if path else key)
    elif isinstance(values, list):
        for value in values:
            yield from secret_faults(value, path)
    elif isinstance(values, str):
        if re.search(_USERINFO, values, re.IGNORECASE):
            yield path, "has a user or a password in its address; git and curl read them from elsewhere"
        elif re.search(_CREDENTIAL, path.rpartition(".")[2], re.IGNORECASE) and not re.fullmatch(_REFERENCE, values):
            yield path, "is a secret in clear: write env:NAME, file:PATH or cmd:COMMAND"
