"""The order of the road is enforced by types: what comes too early does not type-check."""

from pathlib import Path

import pytest
from mypy import api

CHAIN = """
from tagtrail.model.facts import Announced, Approved, Artifact, Blob, Built, Entry, Logged, Plan, Published, Signed, Tag
from tagtrail.model.settings import Project
from tagtrail.workflows.publish import publish
from tagtrail.workflows.release import Prepared, approve, build, log, sign
from tagtrail.workflows.road import Road

def right(road: Road, project: Project, prepared: Prepared, logged: Logged) -> None:
    log(road, project, sign(road, approve(road, build(road, prepared)), b""))
    publish(road, logged)

def wrong(road: Road, project: Project, tag: Tag, plan: Plan, built: Built, approved: Approved, signed: Signed) -> None:
"""
WRONG = {
    "build(road, plan)": "Prepared",
    "sign(road, built, b'')": "Approved",
    "log(road, project, approved)": "Signed",
    "log(road, project, built)": "Signed",
    "publish(road, signed)": "Logged",
    "publish(road, approved)": "Logged",
    "Published(logged=signed, receipts=())": "Logged",
    "Announced(published=signed, receipts=())": "Published",
    "Built(plan=tag, artifacts=(), tree='')": "Plan",
    "Approved(built=plan)": "Built",
    "Signed(approved=built, sidecars=())": "Approved",
}


@pytest.mark.slow
def test_wrong_order_does_not_type_check(tmp_path: Path) -> None:
    lines = CHAIN.lstrip("\n").splitlines()
    module = tmp_path / "chain.py"
    module.write_text("\n".join([*lines, *(f"    {call}" for call in WRONG)]) + "\n")
    said, _, _ = api.run(["--strict", "--no-error-summary", "--cache-dir", str(tmp_path / "cache"), str(module)])
    found = {}
    for line in said.splitlines():
        _, number, text = line.split(":", 2)
        found[int(number)] = text
    assert set(found) == set(range(len(lines) + 1, len(lines) + len(WRONG) + 1)), said
    for place, (call, wanted) in enumerate(WRONG.items(), len(lines) + 1):
        assert f'expected "{wanted}"' in found[place], (call, found[place])
