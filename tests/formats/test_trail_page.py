"""The page docs/format/trail.md says what the code does."""

import ast
import re
from pathlib import Path

import pytest

from tagtrail.formats import merkle, note, policy, proof

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "format" / "trail.md").read_text()
MODULES = "canonical checkpoint dsse ed25519 merkle mldsa note policy proof schemes tiles".split()


def block(kind: str) -> bytes:
    found = re.search(rf"^```{kind}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert found
    return found[1].encode()


def test_the_proof_on_the_page_meets_the_policy_on_the_page() -> None:
    read = proof.parse(block("tlog-proof"))
    checked = policy.check(policy.parse(block("tlog-policy")), read.checkpoint)
    head = checked.checkpoint
    assert read.extra is not None
    merkle.verify_inclusion(read.index, head.size, merkle.leaf_hash(read.extra), read.hashes, head.root)
    assert (checked.cosigned, checked.countable) == (2, 3)
    assert f"witnessed at\n{checked.witnessed_time} and fresh at {checked.fresh_time}" in PAGE
    assert note.parse(read.checkpoint).encode() in block("tlog-proof")


def codes(module: str) -> set[str]:
    """The reason codes that a module spells out, as keyword or as argument of a check."""
    tree = ast.parse((ROOT / "src" / "tagtrail" / "formats" / f"{module}.py").read_text())
    values = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    prefixes = "json key vkey skey note cosignature checkpoint index hash proof tree split consistency tile bundle"
    kinds = "|".join(f"{prefixes} mldsa policy log quorum dsse".split())
    return {value for value in values if re.fullmatch(rf"({kinds})-[a-z0-9-]+", value)}


@pytest.mark.parametrize("module", MODULES)
def test_every_reason_code_is_on_the_page(module: str) -> None:
    assert codes(module)
    assert {code for code in codes(module) if f"`{code}`" not in PAGE} == set()
