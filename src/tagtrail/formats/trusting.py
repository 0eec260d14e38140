"""The settings that say whom an instance trusts: groups of people, who brings files, where secret keys lie.

[people.release-team]
keys = ["keys/release-team.asc", "keys/release-team.allowed_signers"]    # paths from the settings' directory
[builders.wheels]                            # brings files that are built elsewhere: by a token,
token = "env:WHEELS"
[builders.actions]                           # or by what its workflow's identity says
issuer   = "https://token.example.org"
audience = "releases.example.org"
keys     = "keys/token.jwks.json"            # a file of the settings, or an https address
claims   = { repository = "example/nova", workflow = "wheels" }
[keys]                                       # secret keys that are not in private/
log = "agent:keys/log.pub"

An issuer speaks for all its users: claims bind whom they name only with one of BINDING among them, and in their values
{tag} and {commit} stand for those of the upload. Other words in braces are refused; a UUID in braces is none.
"""

import re

from tagtrail.formats.forms import group_fault, relative_fault
from tagtrail.formats.toml import Table
from tagtrail.model.settings import Bringer, People

__all__ = ["BINDING", "bringer", "group", "secret_keys"]

BINDING = (
    "sub", "repository", "repository_id", "repository_owner", "repository_owner_id", "workflow_ref",
    "job_workflow_ref", "project_id", "project_path", "namespace_id", "namespace_path", "ci_config_ref_uri",
    "pipeline_id", "pipeline_slug", "organization_id", "organization_slug", "repositoryUuid", "workspaceUuid",
    "oidc.circleci.com/project-id", "prj_id", "org_id",
)  # fmt: skip
"""Claims by which one user of an issuer is told from all others: a workflow, its repository, or whose that is."""
_WORD = re.compile(r"\{(?!(?:tag|commit)\}|[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\})[^{}]*\}")


def group(name: str, table: Table) -> People:
    """A table `[people.NAME]`."""
    table.fault("", group_fault(name))
    people = People(name=name, keys=table.texts("keys"))
    for path in people.keys:
        table.fault("keys", relative_fault(path))
    table.close()
    return people


def bringer(name: str, table: Table) -> Bringer:
    """A table `[builders.NAME]`: a token, or an issuer with what its tokens must say; never both."""
    table.fault("", group_fault(name))
    claims = table.table("claims").rest() if "claims" in table.values else ()
    found = Bringer(
        name=name,
        token=table.text("token", ""),
        issuer=table.text("issuer", ""),
        audience=table.text("audience", ""),
        keys=table.text("keys", ""),
        claims=tuple((key, value) for key, value in claims if isinstance(value, str)),
    )
    oidc = (found.issuer, found.audience, found.keys)
    if bool(found.token) == any(oidc) or (any(oidc) and not (all(oidc) and found.claims)):
        table.problem("", "has a token, or issuer, audience, keys and the claims of its own workflow")
    if len(found.claims) != len(claims):
        table.problem("claims", "each is a text")
    for key, value in found.claims:
        if unknown := _WORD.search(value):
            table.problem("claims", f"{unknown[0]} in {key} stands for nothing: {{tag}} and {{commit}} do")
    if found.claims and not any(value and key in BINDING for key, value in found.claims):
        fault = "bind no repository and no workflow, so that every user of the issuer could upload"
        table.problem("claims", f'{fault}: add repository = "OWNER/NAME", project_path, or another of docs/settings.md')
    if found.issuer:
        table.fault("issuer", "" if found.issuer.startswith("https://") else "begins with https://")
    if found.keys and "://" not in found.keys:
        table.fault("keys", relative_fault(found.keys))
    elif found.keys and not found.keys.startswith("https://"):
        table.problem("keys", "begins with https://: whoever can change them on their way uploads what they like")
    table.close()
    return found


def secret_keys(table: Table) -> tuple[tuple[str, str], ...]:
    """The table `[keys]`: which secret keys are not in private/."""
    found = []
    for role in ("log", "root", "builder"):
        where = table.text(role, "")
        kind, _, path = where.partition(":")
        if where and kind != "agent":
            table.problem(role, f"{where!r} is no place of a key: agent:PATH, of its public half")
        elif where:
            table.fault(role, relative_fault(path))
            found.append((role, where))
    table.close()
    return tuple(found)
