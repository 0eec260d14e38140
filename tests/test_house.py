"""The rules of the house that no linter knows: what tracked files may say, how modules look, what --help imports."""

import ast
import io
import json
import re
import subprocess
import sys
import tokenize
import tomllib
from functools import cache, lru_cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "tagtrail"
MODULES = sorted(SOURCE.rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
HEAVY = ("cryptography", "httpx", "jinja2", "pysequoia", "rich", "sqlite3")


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


@lru_cache(maxsize=1)
def parsed(text: str) -> ast.Module:
    return ast.parse(text)


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False).stdout
    names = [name for name in listed.decode().split("\0") if name]
    return [ROOT / name for name in names if (ROOT / name).is_file()]


# The address of a registry or a mirror, or a path of one machine, ties the project to where it was written.
ELSEWHERE = re.compile(
    rb"pypi[.]org|pythonhosted[.]org|npmjs[.]org|[.]debian[.]org/debian|golang[.]org/dl|crates[.]io"
    rb"|(?:(?<![\w./-])|file://)/(?:work|root|opt)/"
)


def test_no_tracked_file_names_a_registry_or_a_path_of_one_machine() -> None:
    files = tracked()
    if not files:
        pytest.skip("not a git checkout")
    found = {name_of(path): m.group() for path in files if (m := ELSEWHERE.search(path.read_bytes()))}
    assert found == {}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (b"--index-url https://" + b"pypi." + b"org/simple", True),
        (b"find-links = file://" + b"/opt" + b"/pypi", True),
        (b"see " + b"/work" + b"/main/x", True),
        (b"https://example.org/root/v1", False),
        (b"below work/ or root/", False),
    ],
)
def test_addresses_and_paths_are_told_from_other_words(*, text: bytes, found: bool) -> None:
    assert bool(ELSEWHERE.search(text)) is found


LOCKED = re.compile(r"[a-z0-9][a-z0-9._-]*==[0-9][A-Za-z0-9.+!]* (; [a-z_ '<>=!.0-9A-Z()-]+ )?\\")
HASH = re.compile(r"    --hash=sha256:[0-9a-f]{64}( \\)?")


@pytest.mark.parametrize("path", LOCKS, ids=name_of)
def test_lock_files_carry_names_versions_and_hashes_only(path: Path) -> None:
    lines = path.read_text().splitlines()
    assert lines
    assert [line for line in lines if not LOCKED.fullmatch(line) and not HASH.fullmatch(line)] == []


def test_lock_files_agree_on_versions() -> None:
    pins: dict[str, set[str]] = {}
    for path in (path for path in LOCKS if path.stem != "servers"):  # these have an environment of their own
        for name, version in re.findall(r"^([a-z0-9._-]+)==(\S+)", path.read_text(), re.MULTILINE):
            pins.setdefault(name, set()).add(version)
    assert {name: versions for name, versions in pins.items() if len(versions) > 1} == {}


def test_architecture_names_every_room() -> None:
    page = (ROOT / "ARCHITECTURE.md").read_text()
    rooms = [p for p in SOURCE.iterdir() if (p / "__init__.py").is_file() or (p.suffix == ".py" and p.stem[0] != "_")]
    assert [room.name for room in rooms if f"`{room.name}" not in page] == []


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_module_says_what_it_is_and_stays_short(path: Path) -> None:
    text = path.read_text()
    assert re.match(r'r?"""[^\n]{10,}', text), f"{name_of(path)} does not open with a sentence that says what it is"
    assert text.count("\n") <= 400 or code_lines(text) <= 400  # few lines carry few lines of code: most need no count


def code_lines(text: str) -> int:
    """Lines that carry code: no blank lines, comments or docstrings."""
    docstrings = {
        line
        for node in ast.walk(parsed(text))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)
    }
    silent = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
    tokens = [t for t in tokenize.generate_tokens(io.StringIO(text).readline) if t.type not in silent]
    return len({line for t in tokens for line in range(t.start[0], t.end[0] + 1)} - docstrings)


def test_code_lines_counts_code_alone() -> None:
    assert (
        code_lines('"""What.\n\nMore.\n"""\n\n# why\nx = (\n    1,\n)\n\n\ndef f():\n    """Doc."""\n    return x\n')
        == 5
    )


@pytest.mark.parametrize("path", TESTS, ids=name_of)
def test_tests_patch_nothing(path: Path) -> None:
    text = path.read_text()
    if not {"monkeypatch", "mocker"} & {*re.findall(r"\w+", text)}:  # to parse them all takes a second
        return
    functions = [n for n in ast.walk(parsed(text)) if isinstance(n, ast.FunctionDef)]
    arguments = {a.arg for f in functions for a in f.args.args}
    assert not arguments & {"monkeypatch", "mocker"}


@cache
def imports(path: Path) -> set[str]:
    """The top-level packages that a module imports, at its head or inside its functions; none where all are our own or
    the standard library's, which a look at its lines tells (one import a line, says the linter): to parse takes long.
    """
    text = path.read_text()
    if {*re.findall(r"^\s*(?:from|import)\s+(\w+)", text, re.MULTILINE)} <= sys.stdlib_module_names | {"tagtrail"}:
        return set()
    found = set()
    for node in ast.walk(parsed(text)):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
    return found - {"tagtrail"}


CALLED = {
    "yaml": "pyyaml",
    "cyclonedx": "cyclonedx-python-lib",
    "httplib2": "launchpadlib",
    "jwt": "pyjwt",
    "lazr": "launchpadlib",
    "packageurl": "cyclonedx-python-lib",
}
"""Packages whose import has another name than their project, or that it brings along: packageurl is CycloneDX's form of
a purl, httplib2 and lazr raise launchpadlib's errors."""


def dependencies() -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project.get("optional-dependencies", {}).values()
    return {re.split(r"[^a-z0-9-]", name)[0] for names in (project["dependencies"], *extras) for name in names}


def test_every_third_party_import_is_a_declared_dependency() -> None:
    foreign = set().union(*(imports(path) for path in MODULES)) - sys.stdlib_module_names
    names = {CALLED.get(name, name.replace("_", "-")) for name in foreign}
    assert names - dependencies() - {"pytest", "hypothesis"} == set()


def test_the_model_imports_the_standard_library_and_packaging_only() -> None:
    foreign = set().union(*(imports(path) for path in (SOURCE / "model").glob("*.py"))) - sys.stdlib_module_names
    assert foreign <= {"packaging"}


def test_the_decision_on_dependencies_names_each_one() -> None:
    page = (ROOT / "docs" / "adr" / "0004-dependencies.md").read_text()
    assert {name for name in dependencies() if f"`{name}`" not in page} == set()


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
def test_make_commands_in_documents_exist(page: str) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"\bmake ([a-z]+)", (ROOT / page).read_text()))
    assert named
    assert named <= targets


@pytest.mark.parametrize("path", sorted(ROOT.glob("*.md")) + sorted((ROOT / "docs").rglob("*.md")), ids=name_of)
def test_links_between_documents_lead_somewhere(path: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", path.read_text())
    assert [link for link in links if not (path.parent / link).exists()] == []


def test_whoever_set_something_up_wrong_is_told_what_to_do() -> None:
    """`SetupError` is what the person before the terminal can put right; the other errors have their documents."""
    found = []
    for path in (p for p in MODULES if "testing" not in p.parts):
        calls = [node for node in ast.walk(parsed(path.read_text())) if isinstance(node, ast.Call)]
        raised = [c for c in calls if isinstance(c.func, ast.Name) and c.func.id == "SetupError"]
        found += [(name_of(path), c.lineno) for c in raised if not {"hint", None} & {k.arg for k in c.keywords}]
    assert found == []


def test_help_imports_nothing_heavy() -> None:
    script = (
        "import json, sys\n"
        "sys.argv = ['tagtrail', '--help']\n"
        "sys.stdout = open('/dev/null', 'w')\n"
        "from tagtrail.app.main import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        f"print(json.dumps([name for name in {HEAVY!r} if name in sys.modules]), file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert json.loads(done.stderr.splitlines()[-1]) == []
