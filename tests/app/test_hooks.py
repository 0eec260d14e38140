"""Hooks: real pushes to a real repository, with git's own hook and with pre-commit; what is refused is not there."""

import os
import re
import shutil
import subprocess
import sys
import textwrap
import tomllib
from pathlib import Path

import pytest
import yaml

from tagtrail.app.pushing import Push, pushes
from tagtrail.model.errors import SetupError
from tests.app.places import PYPROJECT, TAGTRAIL, Place

ROOT = Path(__file__).parents[2]
PRE_COMMIT = Path(sys.executable).with_name("pre-commit")
STATIC = PYPROJECT.replace('dynamic = ["version"]', 'version = "1.0.0"')
A, B, NOTHING = "a" * 40, "b" * 40, "0" * 40


# --- what git says ---


@pytest.mark.parametrize(
    ("line", "push"),
    [
        (f"refs/tags/1.0 {A} refs/tags/1.0 {NOTHING}", Push(local="refs/tags/1.0", new=A, remote="refs/tags/1.0")),
        (f"refs/tags/1.0 {A} refs/tags/1.0 {B}", Push(local="refs/tags/1.0", new=A, remote="refs/tags/1.0", old=B)),
        (f"(delete) {NOTHING} refs/tags/1.0 {A}", Push(local="(delete)", new="", remote="refs/tags/1.0", old=A)),
        (f"HEAD~1 x {A} refs/heads/m {NOTHING}", Push(local="HEAD~1 x", new=A, remote="refs/heads/m")),
        (f"HEAD {'c' * 64} refs/tags/1 {'0' * 64}", Push(local="HEAD", new="c" * 64, remote="refs/tags/1")),
    ],
)
def test_what_git_says(line: str, push: Push) -> None:
    assert pushes(f"{line}\n".encode()) == (push,)


@pytest.mark.parametrize("line", ["x", f"a {A} b c", f"a {A.upper()} b {B}", f"{A} b {B}", f"a {A[1:]} b {B}", " "])
def test_what_git_does_not_say(line: str) -> None:
    with pytest.raises(SetupError) as caught:
        pushes(line.encode())
    assert (caught.value.code, bool(caught.value.hint)) == ("usage", True)


def test_the_hooks_for_pre_commit_name_stages_and_commands() -> None:
    text = (ROOT / ".pre-commit-hooks.yaml").read_text()
    assert [line.split(": ")[1] for line in text.splitlines() if "entry:" in line] == [
        "tagtrail check --declared",
        "tagtrail check --pre-push",
    ]
    known = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    assert "tagtrail" in known


# --- real pushes ---


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Place:
    made = Place(tmp_path_factory.mktemp("hooks")).make()
    made.git("init", "-q", "--bare", str(made.root / "remote.git"))
    made.git("remote", "add", "origin", "../remote.git")
    made.git("push", "-q", "origin", "main")
    hook = made.repo / ".git" / "hooks" / "pre-push"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\nexec {TAGTRAIL} check --pre-push\n")
    hook.chmod(0o755)
    return made


@pytest.fixture
def place(template: Place, tmp_path: Path) -> Place:
    return template.copy(tmp_path)


def push(place: Place, *refs: str, **environ: str) -> tuple[bool, str]:
    """Whether git pushed, and what was said."""
    argv = ["git", "push", "origin", *refs]
    done = subprocess.run(
        argv, cwd=place.repo, env=place.env | environ, capture_output=True, text=True, check=False, timeout=60
    )
    assert "Traceback" not in done.stderr
    return done.returncode == 0, done.stdout + done.stderr


def there(place: Place) -> list[str]:
    return place.git("ls-remote", "--tags", "--refs", "origin").split()[1::2]


@pytest.mark.client
def test_a_good_tag_is_pushed(place: Place) -> None:
    place.git("tag", "-s", "-m", "x", "1.0.0")
    pushed, said = push(place, "1.0.0")
    assert (pushed, there(place)) == (True, ["refs/tags/1.0.0"])
    assert "nothing against it" in said


@pytest.mark.client
def test_a_wrong_tag_is_not(place: Place) -> None:
    place.git("tag", "-s", "-m", "x", "1.0.0")
    place.git("tag", "1.1.0")
    pushed, said = push(place, "main", "1.0.0", "1.1.0")
    assert (pushed, there(place)) == (False, [])
    assert "TAG001  error   1.1.0 is a lightweight tag" in said
    assert "1.0.0 tagged" in said, "all are judged"
    assert push(place, "--no-verify", "1.1.0")[0], "whoever means it can"


@pytest.mark.client
@pytest.mark.parametrize(("tag", "rule"), [("2026.1", "TAG007"), ("1.0.1", "TAG005"), ("1!1.0", "TAG018")])
def test_what_comes_after_all_that_others_have(tag: str, rule: str, place: Place) -> None:
    for there_first in ("1.0.0", "1.0.2", "33.0.2"):
        place.git("tag", "-s", "-m", "x", there_first)
    assert push(place, "--tags")[0], "of tags that are pushed together nobody knows what came first"
    place.git("tag", "-s", "-m", "x", tag)
    pushed, said = push(place, tag)
    assert (pushed, len(there(place))) == (False, 3)
    assert f"{rule}  error" in said


@pytest.mark.client
def test_what_is_no_release_is_not_judged(place: Place) -> None:
    place.commit({"x": "1"})
    place.git("tag", "stein-eol")
    pushed, said = push(place, "main", "stein-eol")
    assert (pushed, there(place)) == (True, ["refs/tags/stein-eol"])
    assert "main was not judged: it is a branch" in said
    assert "stein-eol was not judged: it is no release" in said
    pushed, said = push(place, "--delete", "stein-eol")
    assert (pushed, there(place)) == (True, [])
    assert "stein-eol was not judged: it is removed there" in said


@pytest.mark.client
def test_a_tag_that_others_saw_does_not_move(place: Place) -> None:
    place.git("tag", "-s", "-m", "x", "1.0.0")
    assert push(place, "1.0.0")[0]
    before = place.git("ls-remote", "--tags", "origin")
    place.git("tag", "-f", "-s", "-m", "other", "1.0.0")
    pushed, said = push(place, "--force", "1.0.0")
    assert (pushed, place.git("ls-remote", "--tags", "origin")) == (False, before)
    assert "a tag that others saw does not move" in said


@pytest.mark.client
def test_another_object_under_a_tags_name(place: Place) -> None:
    place.git("tag", "-s", "-m", "x", "1.0.0")
    place.commit({"x": "1"})
    pushed, said = push(place, "HEAD:refs/tags/1.0.0")
    assert (pushed, there(place)) == (False, [])
    assert "HEAD is pushed as 1.0.0, which is" in said
    pushed, said = push(place, "HEAD:refs/tags/2.0.0")
    assert (pushed, there(place)) == (False, [])
    assert "which is no tag here" in said


@pytest.mark.client
def test_with_an_instance_the_signer_is_judged(place: Place) -> None:
    place.instance()
    assert place.add("mylib").code == 0
    place.config("user.signingkey", f"{place.new_key('stranger')}.pub")
    place.git("tag", "-s", "-m", "x", "1.0.0")
    pushed, said = push(place, "1.0.0", TAGTRAIL_HOME=str(place.home))
    assert (pushed, there(place)) == (False, [])
    assert "TAG001" in said
    assert push(place, "1.0.0")[0], "without one nobody knows"


# --- pre-commit ---

CONFIG = f"""\
repos:
  - repo: local
    hooks:
      - id: tagtrail-version
        name: version
        entry: {TAGTRAIL} check --declared
        language: system
        files: ^(pyproject\\.toml|setup\\.cfg)$
        pass_filenames: false
        stages: [pre-commit]
      - id: tagtrail-tag
        name: tag
        entry: {TAGTRAIL} check --pre-push
        language: system
        always_run: true
        pass_filenames: false
        stages: [pre-push]
"""


def install(place: Place, kind: str) -> None:
    (place.repo / ".pre-commit-config.yaml").write_text(CONFIG)
    place.git("add", "-A")
    place.git("commit", "-q", "--no-verify", "-m", "hooks")
    argv = [str(PRE_COMMIT), "install", "--hook-type", kind]
    subprocess.run(argv, cwd=place.repo, env=place.env, check=True, capture_output=True)


@pytest.mark.client
def test_pre_commit_runs_our_hook_before_its_own(place: Place) -> None:
    install(place, "pre-push")
    assert push(place, "main")[0]
    place.git("tag", "1.0.0")
    pushed, said = push(place, "1.0.0")
    assert (pushed, there(place)) == (False, [])
    assert "TAG001" in said


@pytest.mark.client
def test_pre_commit_alone_sees_a_tag_with_new_commits(place: Place) -> None:
    (place.repo / ".git" / "hooks" / "pre-push").unlink()
    install(place, "pre-push")
    place.git("tag", "1.0.0")
    pushed, said = push(place, "1.0.0")
    assert (pushed, there(place)) == (False, [])
    assert "TAG001" in said
    assert push(place, "main")[0]
    assert push(place, "1.0.0")[0], "it runs nothing where no commit is new: docs/hooks.md"


def commit(place: Place, text: str) -> tuple[bool, str]:
    (place.repo / "pyproject.toml").write_text(text)
    place.git("add", "-A")
    done = subprocess.run(
        ["git", "commit", "-m", "x"], cwd=place.repo, env=place.env, capture_output=True, text=True, check=False
    )
    return done.returncode == 0, done.stdout + done.stderr


@pytest.mark.client
def test_a_version_that_could_never_be_tagged_is_not_committed(place: Place) -> None:
    install(place, "pre-commit")
    place.git("tag", "-s", "-m", "x", "2.0.0")
    head = place.git("rev-parse", "HEAD")
    committed, said = commit(place, STATIC)
    assert (committed, place.git("rev-parse", "HEAD")) == (False, head)
    assert "1.0.0 is below 2.0.0" in said
    assert commit(place, STATIC.replace("1.0.0", "2.1.0.dev1"))[0]
    assert commit(place, STATIC.replace("1.0.0", "2.1.0"))[0]


# --- versions in files ---


@pytest.mark.client
@pytest.mark.parametrize(
    ("text", "tag", "code", "why"),
    [
        (PYPROJECT, "", 0, "none is written there"),
        (STATIC.replace("1.0.0", "1.1.0.dev3"), "", 0, "1.1.0.dev3 is a development version"),
        (STATIC, "1.0.0", 0, "1.0.0 is tagged already"),
        (STATIC, "", 0, ""),
        (STATIC, "2.0.0", 3, ""),
    ],
)
def test_declared(text: str, tag: str, code: int, why: str, place: Place) -> None:
    (place.repo / "pyproject.toml").write_text(text)
    if tag:
        place.git("tag", tag)
    ended = place.run("check", "--declared", cwd=place.repo)
    assert ended.code == code
    skips = [e["because"] for e in ended.events if e["event"] == "skip" and "in the files" in e["what"]]
    assert skips == ([why] if why else [])


def shown(heading: str) -> list[str]:
    """The blocks of a part of the page, as a person would copy them."""
    part = (ROOT / "docs" / "hooks.md").read_text().partition(f"## {heading}\n")[2].partition("\n## ")[0]
    blocks = re.findall(r"(?:^    .*\n|^\n(?=    ))+", part, re.MULTILINE)
    return [textwrap.dedent(block).strip() for block in blocks]


def install_as_shown(place: Place, cwd: Path) -> int:
    argv = ["sh", "-c", shown("git's own pre-push hook")[0]]
    return subprocess.run(argv, cwd=cwd, env=place.env, check=False, capture_output=True).returncode


@pytest.mark.client
@pytest.mark.parametrize("where", ["a checkout", "a directory in it", "a worktree", "without templates"])
def test_the_hook_is_installed_as_the_page_shows(where: str, place: Place) -> None:
    hook, cwd = place.repo / ".git" / "hooks" / "pre-push", place.repo
    hook.unlink()
    if where == "a directory in it":
        cwd = place.repo / "deep"
        cwd.mkdir()
    elif where == "a worktree":
        cwd = place.root / "worktree"
        place.git("worktree", "add", "-q", str(cwd))
    elif where == "without templates":
        shutil.rmtree(hook.parent)
    install_as_shown(place, cwd)
    assert hook.read_text() == "#!/bin/sh\nexec tagtrail check --pre-push\n"
    assert os.access(hook, os.X_OK)
    place.git("tag", "1.0.0")
    pushed, said = push(place, "1.0.0", PATH=f"{TAGTRAIL.parent}:{place.env['PATH']}")
    assert (pushed, there(place)) == (False, [])
    assert "TAG001" in said


@pytest.mark.client
def test_a_hook_that_is_there_stays(place: Place) -> None:
    hook = place.repo / ".git" / "hooks" / "pre-push"
    hook.write_text("#!/bin/sh\nexit 0\n")
    install_as_shown(place, place.repo)
    assert hook.read_text() == "#!/bin/sh\nexit 0\n"


def test_what_the_page_shows_for_ci_is_yaml_and_asks_for_what_is_there() -> None:
    blocks = [yaml.safe_load(block) for block in shown("CI, on tags")]
    github, gitlab, (job, play) = blocks
    assert github[True]["push"]["tags"] == ["[0-9]*", "v[0-9]*"]  # YAML reads `on` so
    assert github["permissions"]["security-events"] == "write"
    assert gitlab["tag"]["rules"] == [{"if": "$CI_COMMIT_TAG =~ /^v?[0-9]/"}]
    assert gitlab["tag"]["artifacts"]["reports"]["codequality"] in gitlab["tag"]["script"][-1]
    assert job["job"]["run"].endswith("tagtrail-check.yaml")
    assert "tagtrail check . {{ zuul.tag }}" in play["tasks"][1]["command"]
    (hooks,) = (yaml.safe_load(block)["repos"][0]["hooks"] for block in shown("The pre-commit framework"))
    ours = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    assert [hook["id"] for hook in hooks] == [hook["id"] for hook in ours]
    assert os.access(PRE_COMMIT, os.X_OK)
