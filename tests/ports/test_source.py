"""The suites of the ports Source and Notes, for every adapter there is."""

import os
import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tagtrail.adapters.git import GitSource
from tagtrail.adapters.git_notes import GitNotes
from tagtrail.model.errors import ProjectError, RemoteError
from tagtrail.testing.memory import Notes, Repository, Source
from tagtrail.testing.people import Person
from tagtrail.testing.suites import notes
from tagtrail.testing.suites import source as suite
from tagtrail.testing.suites.promise import refusal

PYPROJECTS = ('[project]\nname = "nova"\n', None, '[project]\nname = "nova"\nversion = "2.0"\n')
TIMES = (1_700_000_000, 1_700_086_400, 1_700_172_800)
TAGS = (("1.0", 0), ("1.1", 1), ("1.1-rc", 1), ("2.0", 2))


def in_memory() -> suite.Case:
    repository = Repository(name="nova")
    made = [repository.commit(time, pyproject=text or "") for time, text in zip(TIMES, PYPROJECTS, strict=True)]
    commits = (made[0].id, made[1].id, made[2].id)
    raw = {name: repository.tag(name, commits[place], Person(name="ada").sign) for name, place in TAGS}
    repository.light("light", commits[1])
    return suite.Case(
        open=lambda: Source({"nova": repository}),
        repo="nova",
        commits=commits,
        times=TIMES,
        pyprojects=(PYPROJECTS[0], "", PYPROJECTS[2]),
        raw=raw,
    )


def on_disk(root: Path, form: str) -> suite.Case:
    repo = root / "nova"
    git = partial(run, repo)
    repo.mkdir()
    git("init", "--quiet", f"--object-format={form}", "--initial-branch=main")
    for time, text in zip(TIMES, PYPROJECTS, strict=True):
        if text is None:
            (repo / "pyproject.toml").unlink()
        else:
            (repo / "pyproject.toml").write_text(text)
        git("add", "--all")
        git("commit", "--quiet", "--allow-empty", "--message", "work", time=time)
    newest, middle, oldest = git("rev-list", "HEAD").decode().split()
    commits = (oldest, middle, newest)
    for name, place in TAGS:
        git("tag", "--annotate", "--message", f"nova {name}", name, commits[place])
    git("tag", "light", middle)
    git("branch", "3.0")
    raw = {name: git("cat-file", "tag", name) for name, _ in TAGS}
    return suite.Case(
        open=partial(GitSource, root / "mirrors"),
        repo=str(repo),
        commits=commits,
        times=TIMES,
        pyprojects=PYPROJECTS,
        raw=raw,
    )


def run(repo: Path, *words: str, time: int = TIMES[2]) -> bytes:
    people = {f"GIT_{who}_{what}": "ada@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    dates = {f"GIT_{who}_DATE": f"{time} +0000" for who in ("AUTHOR", "COMMITTER")}
    environ = {"PATH": os.environ["PATH"], "HOME": str(repo), "GIT_CONFIG_NOSYSTEM": "1", **people, **dates}
    return subprocess.run(["git", *words], cwd=repo, env=environ, check=True, capture_output=True).stdout


CLIENT = pytest.mark.client


@pytest.fixture(
    scope="module", params=["memory", pytest.param("sha1", marks=CLIENT), pytest.param("sha256", marks=CLIENT)]
)
def case(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> suite.Case:
    if request.param == "memory":
        return in_memory()
    return on_disk(tmp_path_factory.mktemp(request.param), request.param)


@pytest.mark.parametrize("check", suite.CHECKS)
def test_source(check: Callable[[suite.Case], None], case: suite.Case) -> None:
    check(case)


@pytest.mark.parametrize("check", notes.CHECKS)
def test_notes(check: Callable[[notes.Case], None], case: suite.Case, tmp_path: Path) -> None:
    objects = case.open().objects(case.repo, "2.0", case.commits[2])
    adapter = partial(GitNotes, tmp_path) if objects.directory.exists() else Notes
    check(notes.Case(open=adapter, objects=objects, commits=case.commits))


def test_memory_repositories_can_be_down_or_damaged() -> None:
    repository = Repository(name="nova")
    commit = repository.commit(TIMES[0])
    repository.tag("1.0", commit.id)
    source = Source({"https://git.example.org/nova": repository})
    assert source.read("https://git.example.org/nova", "1.0").repo == "https://git.example.org/nova"
    repository.missing.add(commit.id)
    with refusal(ProjectError, "objects-missing"):
        source.read("https://git.example.org/nova", "1.0")
    source.down.add("https://git.example.org/nova")
    with refusal(RemoteError, "repo-unreachable"):
        source.tags("https://git.example.org/nova")


@pytest.mark.client
def test_a_person_signs_as_ssh_keygen_does(tmp_path: Path) -> None:
    ada = Person(name="ada")
    (tmp_path / "signature").write_bytes(ada.sign(b"a text\n", "git"))
    (tmp_path / "allowed").write_text(f'ada namespaces="git" {ada.key.material}\n')
    verify = ["ssh-keygen", "-Y", "verify", "-f", "allowed", "-I", "ada", "-s", "signature", "-n"]
    for namespace, text, good in (
        ("git", b"a text\n", True),
        ("file", b"a text\n", False),
        ("git", b"a test\n", False),
    ):
        done = subprocess.run([*verify, namespace], cwd=tmp_path, input=text, capture_output=True, check=False)
        assert (done.returncode == 0) is good, done.stderr
        assert not good or ada.key.fingerprint in done.stdout.decode()
