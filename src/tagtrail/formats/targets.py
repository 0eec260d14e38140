"""What each type of target may say in the settings: `[targets.NAME]`, read strictly, by a table.

    [targets.pypi]
    type       = "index"
    repository = "pypi"                # a name, or upload = URL and simple = URL
    token      = "env:PYPI_TOKEN"      # secrets by reference: env:NAME, file:PATH, cmd:COMMAND
    on         = ["final", "rc"]       # the channels it takes; all, if nothing is said
    by         = "ci"                  # others upload; tagtrail looks whether the bytes are ours
    together   = "day"                 # where people are told: of all releases of a day (UTC) at once

A type's options hold what was said and nothing else, so that a key that is new in tagtrail changes no settings' digest;
what holds where nothing is said is the adapter's. Types that other packages bring (entry points `tagtrail.targets`)
are taken as they are, and judged by whoever makes them. A new type is a row in `TYPES`, and one in docs/targets.md.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal

from tagtrail.formats.forms import (
    bucket_fault,
    group_fault,
    path_fault,
    plain_fault,
    relative_fault,
    secret_faults,
    url_fault,
)
from tagtrail.formats.mailbox import address_fault
from tagtrail.formats.site import DEFAULT_PATH
from tagtrail.formats.tagging import CHANNELS
from tagtrail.formats.toml import Table, meant, quoted_key
from tagtrail.model.frozen import frozen
from tagtrail.model.names import LOOPBACK
from tagtrail.model.settings import TargetSettings

__all__ = ["TYPES", "Option", "read_target"]


Form = Literal["text", "texts", "words", "number", "flag", "address", "secret", "secrets"]


@frozen
class Option:
    """One key of a type: its form, and whether it must be said.

    `text` is one line; `texts` a list of them; `words` a command line; `address` an http(s) URL with no user, no query
    and no fragment; `secret` a reference, `secrets` a table of them. `words` are all that a text may be (none: any).
    """

    form: Form = "text"
    required: bool = False
    words: tuple[str, ...] = ()


@frozen
class Type:
    """What a type may say. `others` says whether somebody else may do the work (`by = "ci"`)."""

    options: Mapping[str, Option]
    others: bool = True


TYPES: dict[str, Type] = {
    "index": Type(
        options={
            "repository": Option(),
            "upload": Option(form="address"),
            "simple": Option(form="address"),
            "token": Option(form="secret"),
            "username": Option(),
            "password": Option(form="secret"),
        }
    ),
    "github": Type(
        options={
            "repository": Option(required=True),
            "token": Option(form="secret", required=True),
            "api": Option(form="address"),
            "files": Option(form="flag"),
        }
    ),
    "launchpad": Type(
        options={
            "project": Option(),
            "series": Option(required=True),
            "credentials": Option(form="secret", required=True),
            "root": Option(),
            "files": Option(form="flag"),
        }
    ),
    "storyboard": Type(
        options={
            "api": Option(form="address", required=True),
            "token": Option(form="secret", required=True),
            "project": Option(),
            "tag": Option(),
            "branch": Option(),
            "files": Option(form="flag"),
            "story-required": Option(form="flag"),
        }
    ),
    "command": Type(
        options={
            "find": Option(form="words"),
            "apply": Option(form="words"),
            "withdraw": Option(form="words"),
            "withdrawn": Option(form="words"),
            "retry": Option(words=("keyed", "searchable", "blind")),
            "time": Option(form="number"),
            "env": Option(form="secrets"),
            "files": Option(form="flag"),
        }
    ),
    "mail": Type(
        options={
            "server": Option(required=True),
            "password": Option(form="secret"),
            "tls": Option(words=("required", "none")),
            "sender": Option(required=True),
            "to": Option(form="texts", required=True),
            "reply-to": Option(),
            "archive": Option(),
            "lag": Option(form="number"),
        },
        others=False,
    ),
    "webhook": Type(
        options={
            "url": Option(form="address", required=True),
            "secret": Option(form="secret", required=True),
            "old-secret": Option(form="secret"),
        },
        others=False,
    ),
    "mastodon": Type(
        options={
            "server": Option(form="address", required=True),
            "token": Option(form="secret", required=True),
            "limit": Option(form="number"),
            "visibility": Option(words=("public", "unlisted", "private")),
        },
        others=False,
    ),
    "x": Type(
        options={
            "consumer-key": Option(form="secret", required=True),
            "consumer-secret": Option(form="secret", required=True),
            "token": Option(form="secret", required=True),
            "token-secret": Option(form="secret", required=True),
            "search": Option(form="flag"),
        },
        others=False,
    ),
    "apprise": Type(
        options={"url": Option(form="secret", required=True), "form": Option(words=("short", "text"))}, others=False
    ),
}
"""The types but `site`, whose keys are older than this table."""

BUCKET = {
    "endpoint": Option(form="address"),
    "region": Option(),
    "access-key": Option(form="secret"),
    "secret-key": Option(form="secret"),
    "path-style": Option(form="flag"),
}
"""What a site may say beside `root = "s3://BUCKET/PREFIX"`."""

_ADDRESS = r"https?://(\[[0-9a-f:]+\]|[A-Za-z0-9]+([.-][A-Za-z0-9]+)*)(:[0-9]{1,5})?(/[A-Za-z0-9._~%+/-]*)?"
_REFERENCE = r"(env|file|cmd):\S.*"


def read_target(name: str, table: Table, plugged: Callable[[str], bool] = lambda _: False) -> TargetSettings:
    """The target of a table; what is wrong with it is said to the table.

    `plugged` knows the types that other packages bring; it is asked only about those that are not known here.
    """
    table.fault("", group_fault(name))
    kind, on, by = table.text("type"), table.texts("on", CHANNELS), table.text("by", "")
    known = ("site", *TYPES)
    others = bool(kind) and kind not in known and plugged(kind)
    if kind and kind not in known and not others:
        table.problem("type", f"there is no type of target {kind!r}{meant(kind, known)}")
    table.known("on", on, CHANNELS, "channel")
    _by(table, by, kind)
    together = table.text("together", "")
    if together and (together != "day" or kind == "site"):
        table.problem("together", 'is "day", for those who are told of releases')
    options = tuple(_options(kind, table)) if kind in ("site", *TYPES) else table.rest()
    table.close()
    return TargetSettings(name=name, type=kind, on=on, by=by, together=together, options=options)


def _by(table: Table, by: str, kind: str) -> None:
    if by and by != "ci":
        table.problem("by", f"there is no other who uploads {by!r}{meant(by, ('ci',))}")
    elif by and (kind == "site" or (kind in TYPES and not TYPES[kind].others)):
        table.problem("by", "is for places that others upload to")


def _options(kind: str, table: Table) -> Iterator[tuple[str, Any]]:
    if kind == "site":
        yield from _site(table)
        return
    for key, option in TYPES[kind].options.items():
        value = _value(key, option, table)
        if key in table.values:
            yield key, value
    for key, fault in FAULTS.get(kind, lambda _: ())(table.values):
        table.problem(key, fault)


def _value(key: str, option: Option, table: Table) -> Any:
    if option.form == "texts":
        return table.texts(key, None if option.required else ())
    if option.form == "words":
        return table.words(key, None if option.required else ())
    if option.form == "secrets":
        return tuple(_secrets(table.table(key)))
    if option.form == "number":
        return table.number(key, 0)
    if option.form == "flag":
        return table.flag(key)
    text = table.text(key, None if option.required else "")
    if text and not any(secret_faults({key: text})):  # of those the reader has spoken, and their text is not shown
        table.fault(key, _text_fault(text, option))
    return text


def _secrets(table: Table) -> Iterator[tuple[str, str]]:
    for name in table.values:
        reference = table.text(name)
        if reference and not any(secret_faults({name: reference})):
            table.fault(quoted_key(name), _text_fault(reference, Option(form="secret")))
        yield name, reference


def _text_fault(text: str, option: Option) -> str:
    if option.words and text not in option.words:
        return f"there is no {text!r}{meant(text, option.words)}"
    if option.form == "address" and not re.fullmatch(_ADDRESS, text):
        return "is an address, http or https, with no user, no query and no fragment"
    if option.form == "secret":
        return "" if re.fullmatch(_REFERENCE, text) else "is a reference: env:NAME, file:PATH or cmd:COMMAND"
    return plain_fault(text)


def _index_faults(said: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if "repository" in said and "upload" in said:
        yield "upload", "is the address itself: say it or repository, not both"
    if "repository" not in said and "upload" not in said and not ("simple" in said and said.get("by") == "ci"):
        yield "", 'has a repository, such as "pypi", or upload = URL'
    if "token" in said and ("password" in said or "username" in said):
        yield "token", "stands alone: it takes the place of username and password"
    if ("username" in said) != ("password" in said):
        yield "password", "and username come together"


def _github_faults(said: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    repository = said.get("repository")
    if isinstance(repository, str) and not re.fullmatch(r"[A-Za-z0-9-]+/([A-Za-z0-9._-]|\{project\})+", repository):
        yield "repository", 'is OWNER/NAME, such as "example/{project}"'


def _command_faults(said: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    looks, others = "find" in said, said.get("by") == "ci"
    if not others and "apply" not in said:
        yield "apply", "missing"
    if others and not looks:
        yield "find", "is needed where others upload: how else would anybody know?"
    if not looks and said.get("retry", "blind") != "blind":
        yield "retry", f"is {said['retry']!r}, but without find nobody can look: it is blind"
    if looks and ("withdraw" in said) != ("withdrawn" in said):
        yield "withdrawn", "and withdraw come together: one looks, one does"
    nameless = {"file", "signature", "name"}
    yield from _word_faults(
        said, ("find", "apply"), {*PLACEHOLDERS} - (nameless if said.get("files") is False else set())
    )
    gone = {*PLACEHOLDERS, "reason"} - nameless - {"notice", "size"}
    yield from _word_faults(said, ("withdraw", "withdrawn"), gone)


def _word_faults(said: Mapping[str, Any], keys: tuple[str, ...], known: set[str]) -> Iterator[tuple[str, str]]:
    for key in keys:
        for word in re.findall(r"\{([a-z0-9]+)\}", " ".join(filter(_is_text, _listed(said.get(key))))):
            if word not in known:
                yield key, f"there is no {{{word}}}{meant(word, known)}"


_SERVER = r"smtps?://(?P<user>[^\s:/@]+@)?(?P<host>\[[0-9a-f:]+\]|[A-Za-z0-9]+([.-][A-Za-z0-9]+)*)(:[0-9]{1,5})?/?"
_ARCHIVE = r"https?://[A-Za-z0-9][^\s{}]*(\{(hash|message-id)\}[^\s{}]*)+"


def _mail_faults(said: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    server, archive = said.get("server", ""), said.get("archive", "")
    if any(secret_faults({"server": server})):
        return  # the reader has spoken
    at = re.fullmatch(_SERVER, server) if isinstance(server, str) else None
    if at is None and server:
        yield "server", "is smtp://USER@HOST:PORT or smtps://..., with no password in it"
    elif at and bool(at["user"]) != ("password" in said):
        yield "password", "and a user in server come together"
    elif at and at["user"] and said.get("tls") == "none" and at["host"].strip("[]") not in LOOPBACK:
        yield "tls", "cannot be none where a password is sent"
    if isinstance(archive, str) and archive and not re.fullmatch(_ARCHIVE, archive):
        yield "archive", "is an address with {hash} or {message-id} in its path"
    mailboxes = [("to", one) for one in _listed(said.get("to"))]
    for key, text in [*mailboxes, *((key, said[key]) for key in ("sender", "reply-to") if key in said)]:
        if isinstance(text, str) and not plain_fault(text) and (fault := address_fault(text)):
            yield key, fault
    if said.get("to") == []:
        yield "to", "names nobody"


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


PLACEHOLDERS = (
    "file", "signature", "notice", "name", "sha256", "size", "project", "version", "tag", "url", "subject", "short",
    "event",
)  # fmt: skip
"""What stands for something in the words of `type = "command"`."""

FAULTS: dict[str, Callable[[Mapping[str, Any]], Iterator[tuple[str, str]]]] = {
    "command": _command_faults,
    "github": _github_faults,
    "index": _index_faults,
    "mail": _mail_faults,
}
"""What is wrong between the keys of one type: (key, fault)."""


def _site(table: Table) -> Iterator[tuple[str, Any]]:
    root = table.text("root", "site")
    if root and not root.startswith("/"):
        table.fault("root", bucket_fault(root) if "://" in root else relative_fault(root))
    url, path = table.text("url", ""), table.text("path", DEFAULT_PATH)
    if url:
        table.fault("url", url_fault(url))
    if path and path != DEFAULT_PATH:
        table.fault("path", path_fault(path))
    yield from (("path", path), ("root", root), ("upload", table.texts("upload", ())), ("url", url))
    yield from _bucket(table, stored="://" in root)


def _bucket(table: Table, *, stored: bool) -> Iterator[tuple[str, Any]]:
    """What is said of a bucket, and nothing else."""
    for key, option in BUCKET.items():
        value = _value(key, option, table)
        if key in table.values:
            yield key, value
            table.fault(key, "" if stored else 'is for root = "s3://BUCKET/PREFIX"')
    if stored and "upload" in table.values:
        table.problem("upload", "is for a directory: a bucket is public by itself")
    if ("access-key" in table.values) != ("secret-key" in table.values):
        table.problem("secret-key", "and access-key come together")
