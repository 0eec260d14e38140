"""Trackers and commands as the settings ask for them: their options, and what holds where nothing is said."""

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tagtrail.app.instance.home import Home
from tagtrail.app.instance.targets import Context
from tagtrail.formats.carried import address
from tagtrail.model.errors import SetupError
from tagtrail.model.facts import Entry
from tagtrail.model.settings import TargetSettings
from tagtrail.ports import Target

__all__ = ["command", "github", "launchpad", "page", "storyboard"]

GITHUB = "https://api.github.com"
TIME = 600
"""Seconds that a command may take, unless the settings say otherwise."""


def github(target: TargetSettings, context: Context) -> Target:
    """A target of type `github`. Raises SetupError `site-url`."""
    from tagtrail.adapters.github.target import GitHub
    from tagtrail.io.api import Api

    headers = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28", "User-Agent": "tagtrail"}
    token = context.secrets.later(str(target.option("token")))
    return GitHub(
        name=target.name,
        api=Api(base=str(target.option("api", GITHUB)), authorization=_bearer(token), headers=headers),
        repository=str(target.option("repository")),
        files=bool(target.option("files", True)),  # noqa: FBT003  (a default)
        **_public(target, context),
        kept=context.kept,
    )


def launchpad(target: TargetSettings, context: Context) -> Target:
    """A target of type `launchpad`. Raises SetupError `site-url`."""
    from functools import cache

    from tagtrail.adapters.launchpad.service import connect
    from tagtrail.adapters.launchpad.target import Launchpad
    from tagtrail.io.api import Api

    credentials = context.secrets.later(str(target.option("credentials")))
    root = str(target.option("root", "production"))
    return Launchpad(
        name=target.name,
        root=cache(lambda: connect(root, credentials())),
        digest=Api(base="").digest,
        project=str(target.option("project", "{project}")),
        series=str(target.option("series")),
        files=bool(target.option("files", True)),  # noqa: FBT003
        **_public(target, context),
        kept=context.kept,
    )


def storyboard(target: TargetSettings, context: Context) -> Target:
    """A target of type `storyboard`. Raises SetupError `site-url`."""
    from tagtrail.adapters.storyboard import StoryBoard
    from tagtrail.io.api import Api

    token = context.secrets.later(str(target.option("token")))
    return StoryBoard(
        name=target.name,
        api=Api(base=str(target.option("api")), authorization=_bearer(token)),
        project=str(target.option("project", "{project}")),
        tag=str(target.option("tag", "{project}-{version}")),
        branch=str(target.option("branch", "")),
        files=bool(target.option("files", False)),  # noqa: FBT003
        required=bool(target.option("story-required", False)),  # noqa: FBT003
        **_public(target, context),
    )


def command(target: TargetSettings, context: Context) -> Target:
    """A target of type `command`. Raises SetupError `site-url` where {url} is asked for."""
    from tagtrail.adapters.command import Command

    find, apply = tuple(target.option("find", ())), tuple(target.option("apply", ()))
    files = bool(target.option("files", True))  # noqa: FBT003
    withdraw, withdrawn = tuple(target.option("withdraw", ())), tuple(target.option("withdrawn", ()))
    if not files or any("{url}" in word for word in (*find, *apply, *withdraw, *withdrawn)):
        _public(target, context)
    return Command(
        name=target.name,
        retry=target.option("retry", "searchable" if find else "blind"),
        finding=find,
        applying=apply,
        limit=int(target.option("time", TIME)),
        env=_environment(target, context),
        home=context.home,
        rooms=Home(path=context.home).state("scratch"),
        site=context.site,
        kept=context.kept,
        entry=context.entry,
        files=files,
        withdrawing=withdraw,
        withdrawn=withdrawn,
    )


def page(context: Context, entry: Entry) -> str:
    """The address of an entry's release page. Raises SetupError `site-url`."""
    if not context.site.url:
        hint = 'add url = "https://HOST/" to the target of type "site"'
        raise SetupError("the site has no url, so its pages have no address", code="site-url", hint=hint)
    return address(context.site, entry)


def _public(target: TargetSettings, context: Context) -> dict[str, Any]:
    """What a tracker needs beside its own options: a public site to point at."""
    if not context.site.url:
        what = f"targets.{target.name} shows people the release page, and the site has no url"
        hint = 'add url = "https://HOST/" to the target of type "site"'
        raise SetupError(what, code="site-url", hint=hint)
    return {"site": context.site, "entry": context.entry}


def _bearer(token: Callable[[], str]) -> Callable[[], str]:
    return lambda: f"Bearer {token()}"


def _environment(target: TargetSettings, context: Context) -> Callable[[], tuple[Mapping[str, str], Sequence[str]]]:
    """What a command finds in its environment: where programs are, whose it is, and the secrets that are named."""

    def env() -> tuple[Mapping[str, str], Sequence[str]]:
        secrets = {name: context.secrets.value(ref) for name, ref in target.option("env", ())}
        plain = {name: context.secrets.environ[name] for name in ("PATH", "HOME") if name in context.secrets.environ}
        return {"PATH": os.defpath, "LC_ALL": "C.UTF-8", **plain, **secrets}, tuple(secrets.values())

    return env
