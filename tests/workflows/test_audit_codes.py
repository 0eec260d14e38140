"""Every reason code of an audit is documented, and every documented one is given."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "tagtrail"
SOURCES = (
    *(SOURCE / "workflows" / "audit").glob("*.py"),
    SOURCE / "verify" / "asc.py",
    *(SOURCE / "app" / f"{name}.py" for name in ("consumer/readers", "consumer/auditor", "commands/audit")),
)
CODE = re.compile(r'(?:code=|found\(|_broken\(|_untimely\(statement, |\n        \()"([a-z][a-z0-9-]+)"')
ELSEWHERE = {"kept-missing", "kept-altered", "json-type", "checkpoint-missing"}
"""Said of a page that cannot be made, or documented with the formats."""


def test_every_code_is_documented() -> None:
    given = {code for path in SOURCES for code in CODE.findall(path.read_text())} | {"unfinished"}
    page = (ROOT / "docs" / "audit.md").read_text()
    table = page[page.index("## Codes") : page.index("## How long")]
    assert given > {"asc-version", "asc-key-expired", "name-twice", "file-unknown", "rolled-back", "path-outside"}
    assert given - ELSEWHERE - set(re.findall(r"`([a-z0-9-]+)`", table)) == set()
