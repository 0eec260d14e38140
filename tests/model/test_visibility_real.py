"""Who will see a version: our model against the pip and uv that are installed, on random versions and requirements.

Each case is a project of its own in an index of files, so that one run of a tool answers all that it does not refuse.
"""

import json
import random
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.version import Version

from tagtrail.model.visibility import MEASURED, picked, picked_by_uv

RELEASES = ("0.9", "1", "1.0", "1.0.1", "1.1", "1.10", "2.0", "2015.1", "1!0.5")
PRES, POSTS, DEVS = ("", "", "", "a1", "b2", "rc1"), ("", "", "", ".post1", ".post2"), ("", "", "", ".dev1")
LOCALS = ("", "", "", "+l.1", "+ubuntu")
CASES, REFUSED = 150, 8
"""How many cases there are; of those that must be refused, each a run by itself, how many are asked."""

EDGES = (
    # specifier, versions, yanked ones; what pip 26.3 and uv 0.13.9 took
    ("===1.0.0", "1.0", "", "", "1.0"),
    ("===1.0RC1", "1.0rc1 0.9", "", "1.0rc1", "1.0rc1"),
    ("===1.0-1", "1.0.post1", "", "", "1.0.post1"),
    ("===1.0+Ubuntu", "1.0+ubuntu", "", "1.0+ubuntu", "1.0+ubuntu"),
    ("==1.0-1", "1.0.post1 1.0", "", "1.0.post1", "1.0.post1"),
    ("==1.0.0.0", "1.0", "1.0", "1.0", "1.0"),
    ("==1.0,==1.0.0", "", "1.0", "1.0", ""),
    ("==1.0", "1.0+l", "1.0", "1.0+l", "1.0+l"),
    ("==1.0", "1.0", "1.0+l", "1.0", "1.0"),
    ("==1.0+l", "", "1.0+l", "1.0+l", "1.0+l"),
    ("==1!1.0.*", "1!1.0.5 1.0.5", "", "1!1.0.5", "1!1.0.5"),
    ("~=1!1.0", "1!1.5 1.5 2!1", "", "1!1.5", "1!1.5"),
    (">=1.0,!=1.0", "1.0 1.0.post1", "", "1.0.post1", "1.0.post1"),
    (">1.0", "1.0.post1 1.0+l", "", "", ""),
    (">1.0", "1.0.1.dev1", "", "1.0.1.dev1", "1.0.1.dev1"),
    ("<1.0", "1.0rc1 1.0.dev1", "", "", ""),
    ("<1.0rc1", "1.0b1 1.0.dev1 0.9", "", "1.0b1", "0.9"),
    ("<1.0.post1", "1.0 1.0rc1", "", "1.0", "1.0"),
    (">=1.0.dev1", "1.0 1.1.dev1", "", "1.1.dev1", "1.0"),
    ("!=1.0rc1", "1.0rc1 0.9 1.1rc1", "", "0.9", "0.9"),
    ("==1.0rc1,>=0", "1.0rc1 1.0", "", "1.0rc1", "1.0rc1"),
    ("~=1.0rc1", "1.0rc1 1.0 1.1a1", "", "1.1a1", "1.0"),
    ("~=1.0rc1", "1.0rc1 1.1a1", "", "1.1a1", "1.1a1"),
    ("~=1.0.dev1", "1.0 1.1.dev1", "", "1.1.dev1", "1.0"),
    ("!=1.*", "1.0 2.0a1", "", "2.0a1", "2.0a1"),
    ("!=1.*", "2.0a1 0.5", "0.5", "", "2.0a1"),
    (">=1.0rc1,<1.0", "1.0rc1 1.0rc2 0.9", "", "", ""),
    (">1", "1!0.5 2", "", "1!0.5", "1!0.5"),
    ("<1!0", "1!0.dev1 0.9 2015.1", "", "2015.1", "2015.1"),
    (">=0", "1.1.dev1", "1.0", "", "1.1.dev1"),
    ("==1.0", "1.0+l.2 1.0+l.10", "", "1.0+l.10", "1.0+l.10"),
    ("<=1.0", "1.0+l 0.9", "", "1.0+l", "1.0+l"),
    ("<1.0", "1.0+l 0.9", "", "0.9", "0.9"),
    ("===1.0,>=0", "", "1.0", "1.0", ""),
    ("===1.0.0", "", "1.0", "", "1.0"),
    ("==1.0,!=2", "", "1.0", "1.0", ""),
    ("==2026.1", "2026.1.0", "", "2026.1.0", "2026.1.0"),
    ("==2026.1.*", "2026.1.0 2026.1.0rc1 2026.10", "", "2026.1.0", "2026.1.0"),
    ("~=2026.1", "2026.1.0 2026.2 2027.1", "", "2026.2", "2026.2"),
    (">= 1.0 , < 2", "1.5 2.0a1", "", "1.5", "1.5"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A question: a project with versions, some of them yanked, and what is asked of it."""

    name: str
    specifier: str
    among: tuple[Version, ...]
    yanked: frozenset[Version]


def cases(seed: int) -> Iterator[Case]:
    pick = random.Random(seed)
    for number in range(CASES):
        among = tuple(dict.fromkeys(Version(_version(pick, local=True)) for _ in range(pick.randint(1, 7))))
        words = ",".join(_clause(pick, among) for _ in range(pick.choice((0, 1, 1, 1, 1, 2, 2))))
        yanked = frozenset(v for v in among if pick.random() < 0.3)
        yield Case(name=f"p{number:03d}", specifier=words, among=among, yanked=yanked)


def edges() -> Iterator[Case]:
    for number, (specifier, among, yanked, _, _) in enumerate(EDGES):
        there, gone = (tuple(map(Version, words.split())) for words in (among, yanked))
        yield Case(name=f"e{number:03d}", specifier=specifier, among=there + gone, yanked=frozenset(gone))


def _version(pick: random.Random, *, local: bool, releases: tuple[str, ...] = RELEASES) -> str:
    return "".join(map(pick.choice, (releases, PRES, POSTS, DEVS, LOCALS if local else ("",))))


def _clause(pick: random.Random, among: tuple[Version, ...]) -> str:
    """A clause about any version, or about one that is there."""
    if pick.random() < 0.35:
        there = pick.choice(among)
        return (
            pick.choice(("==", "===", "!=")) + str(there)
            if there.local
            else pick.choice(("<", "<=", ">=", ">", "==")) + str(there)
        )
    sign = pick.choice(("==", "===", "!=", "<", ">", "<=", ">=", "~=", "==*", "!=*"))
    if sign.endswith("*"):
        return f"{sign[:-1]}{pick.choice(RELEASES)}.*"
    long = tuple(r for r in RELEASES if "." in r)
    return sign + _version(pick, local="==" in sign or sign == "!=", releases=long if sign == "~=" else RELEASES)


def index(root: Path, asked: Iterable[Case]) -> str:
    """An index of wheels with nothing in them; its address."""
    for case in asked:
        (root / case.name).mkdir(parents=True)
        rows = []
        for one in case.among:
            name = f"{case.name}-{one}-py3-none-any.whl"
            _wheel(root / case.name / name, case.name, one)
            yanked = ' data-yanked="broken"' if one in case.yanked else ""
            rows.append(f'<a href="{name.replace("+", "%2B")}"{yanked}>{name}</a>')
        (root / case.name / "index.html").write_text("<!DOCTYPE html><html><body>" + "".join(rows) + "</body></html>")
    return root.as_uri()


def _wheel(path: Path, name: str, one: Version) -> None:
    with zipfile.ZipFile(path, "w") as wheel:
        about = f"{name}-{one}.dist-info"
        wheel.writestr(f"{about}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {one}\n")
        wheel.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{about}/RECORD", "")


def run(*argv: str, stdin: str = "") -> str | None:
    """What a tool printed; None: it refused, for want of a version and nothing else."""
    env = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent"}
    done = subprocess.run(argv, input=stdin, capture_output=True, text=True, check=False, timeout=120, env=env)
    assert done.returncode == 0 or any(
        why in done.stderr for why in ("No matching distribution", "No solution found")
    ), done.stderr
    return done.stdout if done.returncode == 0 else None


def pip(url: str, asked: Iterable[Case], *, pre: bool) -> dict[str, Version]:
    options = ("--dry-run", "--report", "-", "-q", "--ignore-installed", "--no-deps", "--no-cache-dir")
    words = [f"{case.name}{case.specifier}" for case in asked]
    argv = (sys.executable, "-m", "pip", "--isolated", "--disable-pip-version-check", "install", *options)
    said = run(*argv, "--index-url", url, *(["--pre"] if pre else []), *words)
    found = json.loads(said)["install"] if said else ()
    return {one["metadata"]["name"]: Version(one["metadata"]["version"]) for one in found}


def uv(url: str, asked: Iterable[Case], *, pre: bool) -> dict[str, Version]:
    options = ("--no-config", "--no-cache", "--no-header", "--no-annotate", "--no-deps", "--python", sys.executable)
    words = "\n".join(f"{case.name}{case.specifier}" for case in asked)
    argv = (str(Path(sys.executable).with_name("uv")), "pip", "compile", "-q", *options, "--index-url", url)
    said = run(*argv, *(["--prerelease=allow"] if pre else []), "-", stdin=words)
    pins = (line.split("==") for line in (said or "").split())
    return {name: Version(number) for name, number in pins}


@pytest.mark.parametrize("tool", MEASURED)
def test_what_is_installed_is_what_was_measured(tool: str) -> None:
    """A newer one is here: look at what it changed, then raise MEASURED and the words of docs/picks.md."""
    assert MEASURED[tool] == version(tool)


@pytest.mark.parametrize(("case", "row"), [*zip(edges(), EDGES, strict=True)], ids=[" ".join(row[:3]) for row in EDGES])
def test_the_edges(case: Case, row: tuple[str, ...]) -> None:
    found = (model(case.specifier, case.among, yanked=case.yanked) for model in (picked, picked_by_uv))
    assert tuple(str(one or "") for one in found) == row[3:]


@pytest.mark.client
@pytest.mark.parametrize("pre", [False, True])
@pytest.mark.parametrize(("tool", "model"), [(pip, picked), (uv, picked_by_uv)], ids=["pip", "uv"])
def test_the_model_is_as_the_installed_ones(
    tool: Callable[..., dict[str, Version]], model: Callable[..., Version | None], pre: bool, tmp_path: Path
) -> None:
    asked = (*edges(), *cases(seed=440))
    url = index(tmp_path, asked)
    ours = {case: model(case.specifier, case.among, yanked=case.yanked, pre=pre) for case in asked}
    taken, refused = ([case for case, one in ours.items() if (one is None) is none] for none in (False, True))
    theirs = tool(url, taken, pre=pre)
    assert {case.name: ours[case] for case in taken} == theirs
    assert [case for case in refused[:REFUSED] if tool(url, [case], pre=pre)] == []
