"""A case file: the facts that a release was judged by, so that anybody can judge them again, years later, offline.

Canonical JSON (`canonical`), one object:

    {"_type":"tagtrail-case","case":{...},"schema":1,"tools":{"packaging":"26.0","tagtrail":"0.1.0"},
     "verdict":{...}}

    _type     what the file is
    schema    the form of `case` and `verdict`, counted upwards; a higher one than ours is not read
    tools     the versions of what judged: tagtrail, and the libraries and lists that rules lean on
    case      the facts (`facts.dump`), with what set rules aside; fields that are missing have their defaults
    verdict   what the rules said then

It is written by whoever made it, so it proves nothing: judging it again shows whether its facts give its verdict.
Reason codes: case-type, case-schema, case-form, and those of canonical JSON.
"""

from typing import Any

from tagtrail.formats import canonical
from tagtrail.formats.encoding import shown
from tagtrail.model.errors import TamperError
from tagtrail.model.frozen import frozen

__all__ = ["MAX_SIZE", "MEDIA", "SCHEMA", "CaseFile", "format_case", "parse_case"]

CASE_TYPE = "tagtrail-case"
MEDIA = "application/vnd.tagtrail.case+json"
SCHEMA = 1
MAX_SIZE = 32 * 1024 * 1024
"""Bytes: ten times what a project with a thousand releases has."""


@frozen
class CaseFile:
    """A case file taken apart: `tools` are (name, version); `case` and `verdict` are JSON values."""

    tools: tuple[tuple[str, str], ...]
    case: Any
    verdict: Any


def format_case(file: CaseFile) -> bytes:
    """The bytes of a case file. Raises TamperError json-* where a value has no form in JSON."""
    return canonical.dumps(
        {
            "_type": CASE_TYPE,
            "schema": SCHEMA,
            "tools": dict(file.tools),
            "case": file.case,
            "verdict": file.verdict,
        }
    )


def parse_case(data: bytes) -> CaseFile:
    """A case file from its bytes. Raises TamperError."""
    value = canonical.loads(data, MAX_SIZE)
    if not isinstance(value, dict) or value.get("_type") != CASE_TYPE:
        raise TamperError("this is no case file", code="case-type", why=f"its _type is not {CASE_TYPE}")
    tools = value.get("tools")
    if not isinstance(tools, dict) or not all(isinstance(version, str) for version in tools.values()):
        raise TamperError("a case file names the tools that judged it", code="case-form", why="tools: {name: version}")
    schema = value.get("schema")
    if type(schema) is not int or not 1 <= schema <= SCHEMA:
        by = shown(tools.get("tagtrail", "somebody"))
        what = f"a case file of schema {shown(str(schema))}, this tagtrail reads up to {SCHEMA}"
        raise TamperError(what, code="case-schema", why=f"tagtrail {by} wrote it", hint="take that version, or a newer")
    if set(value) != {"_type", "schema", "tools", "case", "verdict"}:
        odd = ", ".join(sorted({"case", "verdict"} - set(value))) or "a field that nobody knows"
        raise TamperError(f"a case file has case and verdict, and nothing else: {odd}", code="case-form")
    return CaseFile(tools=tuple(sorted(tools.items())), case=value["case"], verdict=value["verdict"])
