"""The settings that say what a project's tags and versions look like, and which of them may be released.

    [kind.generic]
    versions  = "semver"                         # pep440 (nothing said), semver, calver or any
    [project.tool]                               # a project may repeat each key of its kind
    tag       = "tool-v{version}"
    lifecycle = ["*-closed"]                     # tags that close a series, beside *-eol, *-em, *-eom and *-last
    ignore    = ["junit_output*", "nightly"]     # tags that mean nothing here
    channels  = ["final", "rc"]                  # what may be released at all; nothing said: all but dev
    final-is-rc = true                           # a final is the commit of its last rc
    [project.city]
    versions  = "calver"
    calver-because = "we release with the school year"     # goes into the trail where it mattered (rule TAG007)

Patterns are shell-style, over the whole name of a tag; `*` also matches `/`.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from tagtrail.formats.forms import reason_fault
from tagtrail.formats.toml import Table
from tagtrail.model.settings import Kind, Project, RuleSwitch

__all__ = ["CHANNELS", "SCHEMES", "because_of_years", "tagging", "tagging_faults"]

CHANNELS = ("final", "rc", "beta", "alpha", "dev", "post")
SCHEMES = ("pep440", "semver", "calver", "any")

_TAGS = r"[A-Za-z0-9._+/*?@=,%#!-]{1,200}"


def tagging(table: Table, above: Kind) -> dict[str, Any]:
    """What a kind or a project says of its tags and versions, else what stands in the kind `above` it."""
    said = {key: table.texts(key, getattr(above, key)) for key in ("lifecycle", "ignore", "channels")}
    versions, because = table.text("versions", above.versions), table.text("calver-because", above.calver_because)
    rc = table.flag("final-is-rc") if "final-is-rc" in table.values else above.final_is_rc
    table.known("versions", [versions], SCHEMES, "scheme of versions")
    if because:
        table.fault("calver-because", reason_fault(because))
    table.known("channels", said["channels"], CHANNELS, "channel")
    for key in ("lifecycle", "ignore"):
        for pattern in said[key] if key in table.values else ():
            if not re.fullmatch(_TAGS, pattern):
                table.problem(key, f'{pattern!r} is not a pattern of tags, such as "*-eol"')
    table.asked.add("final-is-rc")
    return {**said, "versions": versions, "calver_because": because, "final_is_rc": rc}


def because_of_years(said: Mapping[str, Any]) -> tuple[RuleSwitch, ...]:
    """Calendar versions with a reason set aside the rule against years; the project's own switch wins over it."""
    because = said["calver_because"] if said["versions"] == "calver" else ""
    return (RuleSwitch(rule="TAG007", level="off", because=because),) if because else ()


def tagging_faults(project: Project) -> Iterator[tuple[str, str]]:
    """(key, fault) of what does not go together in a project."""
    switched = any(switch.rule == "TAG007" and switch.level != "error" for switch in project.rules)
    if project.versions == "calver" and not (project.calver_because or switched):
        yield "versions", 'years are for ever: say why they are wanted, calver-because = "..."'
    if project.versions != "calver" and project.calver_because:
        yield "calver-because", f'is for versions = "calver", not for {project.versions!r}'
    if project.versions == "any" and project.is_python:
        yield "versions", "'any' is for what is no Python package: installers understand PEP 440 alone"
    if project.versions == "any" and project.final_is_rc:
        yield "final-is-rc", "'any' version is final: there is no rc"
