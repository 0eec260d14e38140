"""Findings as CI systems show them beside a change: GitHub's workflow commands, GitLab's Code Quality, SARIF 2.1.0.

    github   ::error title=TAG007 year-jump::2026.1 starts with a year, 33.0.2 did not%0Afix: tag 34.0.0
             one line each; in the message % CR LF are written %25 %0D %0A, in `title` also : and , as %3A %2C
             (docs.github.com, "Workflow commands for GitHub Actions"; the runner reads both output streams)
    gitlab   a JSON list: description, check_name, fingerprint, severity (major, minor), location.path and .lines.begin
             (docs.gitlab.com, "Code Quality report format")
    sarif    OASIS SARIF 2.1.0: one run, its rules with their titles, one result each

A finding is about a tag, which is no file: where a form wants one, it is the one that `path` names, its first line.
"""

import json
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from tagtrail.model.facts import Finding

__all__ = ["github", "gitlab", "sarif"]

_SARIF = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/sarif-schema-2.1.0.json"


def github(findings: Sequence[Finding]) -> str:
    """Workflow commands, a line each."""
    return "".join(
        f"::{f.level} title={_escaped(f'{f.rule} {f.name}', ':,')}::{_escaped(_told(f))}\n" for f in findings
    )


def _escaped(text: str, more: str = "") -> str:
    for char in f"%\r\n{more}":
        text = text.replace(char, f"%{ord(char):02X}")
    return text


def gitlab(findings: Sequence[Finding], *, tag: str, path: str) -> bytes:
    """A Code Quality report; `tag` tells the findings of one tag from those of another."""
    severity = {"error": "major", "warning": "minor"}
    report = [
        {
            "description": f"{f.rule} {_told(f)}",
            "check_name": f"{f.rule} {f.name}",
            "fingerprint": _fingerprint(f, tag),
            "severity": severity[f.level],
            "location": {"path": path, "lines": {"begin": 1}},
        }
        for f in findings
    ]
    return _json(report)


def sarif(
    findings: Sequence[Finding], titles: Sequence[tuple[str, str, str]], *, tag: str, path: str, version: str
) -> bytes:
    """A SARIF log. `titles` are (id, name, title) of all rules; `version` is ours."""
    place = {"physicalLocation": {"artifactLocation": {"uri": path}, "region": {"startLine": 1}}}
    rules = [{"id": number, "name": name, "shortDescription": {"text": title}} for number, name, title in titles]
    results: list[dict[str, Any]] = [
        {
            "ruleId": f.rule,
            "level": f.level,
            "message": {"text": _told(f)},
            "locations": [place],
            "partialFingerprints": {"tagtrail/v1": _fingerprint(f, tag)},
        }
        for f in findings
    ]
    driver = {"name": "tagtrail", "version": version, "rules": rules}
    return _json({"$schema": _SARIF, "version": "2.1.0", "runs": [{"tool": {"driver": driver}, "results": results}]})


def _told(finding: Finding) -> str:
    return f"{finding.text}\nfix: {finding.fix}" if finding.fix else finding.text


def _fingerprint(finding: Finding, tag: str) -> str:
    return sha256(f"{tag}\n{finding.rule}\n{finding.code}\n{finding.text}".encode()).hexdigest()


def _json(value: object) -> bytes:
    return json.dumps(value, indent=2).encode() + b"\n"
