"""Each rule's documentation: a title of one line, a bad and a good example; and each finding says what to do."""

import ast
import re
from pathlib import Path

import pytest

import tagtrail.rules
from tagtrail.rules.registry import FIRM, RULES, explain

ROOM = Path(tagtrail.rules.__file__).parent


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_page_has_a_title_a_bad_and_a_good_example(rule: object) -> None:
    about = str(getattr(rule, "about", ""))
    title, _, rest = about.partition("\n")
    assert title.endswith("."), "one sentence on one line"
    assert rest.startswith("\n")
    assert re.search(r"^    (bad|asked) ", rest, re.MULTILINE), "an example of what it speaks of"
    assert re.search(r"^    good ", rest, re.MULTILINE), "an example of what it is content with"


def test_ids_and_names_are_one_each() -> None:
    assert len(FIRM) == len({rule.name for rule in RULES}) == len(RULES)
    assert all(re.fullmatch(r"[A-Z]+[0-9]{3}", rule.id) and re.fullmatch(r"[a-z0-9-]+", rule.name) for rule in RULES)
    assert all(explain(rule.id) == explain(rule.name) for rule in RULES)


def test_every_finding_says_what_to_do() -> None:
    silent = []
    for path in sorted(ROOM.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Said":
                given = {word.arg for word in node.keywords}
                silent += [f"{path.name}:{node.lineno}"] if "fix" not in given and None not in given else []
    assert silent == []


def test_every_reason_code_is_documented_beside_its_rule() -> None:
    table: dict[str, set[str]] = {}
    for line in (Path(__file__).parents[2] / "docs/exit-codes.md").read_text().splitlines():
        if found := re.match(r"\| ((?:TAG|FILE|META|PLACE)[0-9].*?) \| (.*)", line):
            table |= {rule: set(re.findall(r"`([a-z-]+)`", found[2])) for rule in found[1].split(", ")}
    given: dict[str, set[str]] = {}
    for path in ROOM.glob("*.py"):
        for part in re.split(r"^(?=@rule\()", path.read_text(), flags=re.MULTILINE)[1:]:
            rule = re.match(r'@rule\("([A-Z0-9]+)", "([a-z0-9-]+)"', part)
            assert rule is not None
            codes = set(re.findall(r'code="([a-z-]+)"', part)) - {rule[2]}
            given |= {rule[1]: codes} if codes else {}
    assert given.keys() | {"TAG001"} == table.keys()
    assert {rule for rule, codes in given.items() if codes != table[rule]} == set()
