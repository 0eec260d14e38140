"""Every kind from tag to site: one path after the build, and nothing that is not Python where installers look."""

import gzip
import hashlib
import lzma
from pathlib import Path

import pytest

from tests.app.world import World

pytestmark = pytest.mark.client

TOOL = """
build   = []
prepare = [["sh", "-ec", "mkdir -p cache; echo {version} > cache/word"]]
run     = [["sh", "-ec", "mkdir dist; cp cache/word dist/toy-{version}-linux; tar -czf dist/toy-{version}.tgz toy.py"]]
files   = ["dist/toy-{version}*"]
"""


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path).make()


def say(world: World, kind: str, text: str = "") -> None:
    """The project is of another kind, and says more of itself."""
    settings = world.home / "tagtrail.toml"
    before = settings.read_text()
    assert '[project.toy]\nkind = "library"\n' in before
    settings.write_text(before.replace('[project.toy]\nkind = "library"\n', f'[project.toy]\nkind = "{kind}"\n') + text)


def released(world: World, *names: str, project: str = "toy", tag: str = "1.0.0") -> dict[str, bytes]:
    done = world.tell("release", project, tag)
    assert done.code == 0, done.out + done.err
    found = {name: (world.site / project / name).read_bytes() for name in names}
    listed = {path.name for path in (world.site / project).iterdir() if path.is_file()}
    sums = (world.site / project / f"{project}-1.0.0.SHA256SUMS").read_text()
    assert {line.split("  ")[1] for line in sums.splitlines()} == set(names)
    assert {f"{name}.asc" for name in names} | {f"{project}-1.0.0.intoto.jsonl"} <= listed
    for name in names:
        assert world.tell("verify", str(world.site / project / name)).code == 0
    assert world.tell("render", "--check").code == 0
    assert world.tell("audit", str(world.site)).code == 0
    return found


def test_a_server_has_its_sdist_twice(world: World) -> None:
    say(world, "server")
    world.tag("1.0.0")
    made = released(world, "toy-1.0.0.tar.gz", "toy-1.0.0.tar.xz", "toy-1.0.0-py3-none-any.whl")
    assert gzip.decompress(made["toy-1.0.0.tar.gz"]) == lzma.decompress(made["toy-1.0.0.tar.xz"])
    files = world.leaves()[-1]["predicate"]["tagtrail"]["files"]
    assert files["toy-1.0.0.tar.gz"]["tar"] == files["toy-1.0.0.tar.xz"]["tar"]
    index = (world.site / "simple" / "toy" / "index.html").read_text()
    assert ("toy-1.0.0.tar.gz" in index, "toy-1.0.0.tar.xz" in index) == (True, False)


def test_a_tree_is_released_and_no_installer_sees_it(world: World) -> None:
    say(world, "generic", 'declares = "VERSION"\nbranches = ["main"]\n')
    (world.repo / "VERSION").write_text("1.0.0\n")
    world.commit("the version")
    world.tag("1.0.0")
    plan = world.tell("plan", "toy", "1.0.0").event("plan")
    assert (plan["build"], plan["visible"]) == (["tar.gz", "tar.xz"], "")
    made = released(world, "toy-1.0.0.tar.gz", "toy-1.0.0.tar.xz")
    predicate = world.leaves()[-1]["predicate"]
    assert predicate["purl"] == "pkg:generic/toy@1.0.0"
    assert hashlib.sha256(gzip.decompress(made["toy-1.0.0.tar.gz"])).hexdigest() == predicate["tagtrail"]["tree"]
    assert not (world.site / "simple" / "toy").exists()
    assert "toy" not in (world.site / "simple" / "index.html").read_text().partition("<body")[2]


def test_what_commands_make_is_released(world: World) -> None:
    say(world, "generic", TOOL)
    world.tag("1.0.0")
    assert world.tell("plan", "toy", "1.0.0").event("plan")["build"] == ["dist/toy-{version}*"]
    made = released(world, "toy-1.0.0-linux", "toy-1.0.0.tgz")
    assert made["toy-1.0.0-linux"] == b"1.0.0\n"
    predicate = world.leaves()[-1]["predicate"]
    assert predicate["purl"] == "pkg:generic/toy@1.0.0"
    files = predicate["tagtrail"]["files"]
    assert {name: file["origin"] for name, file in files.items()} == {name: {"how": "built"} for name in made}
    assert files["toy-1.0.0.tgz"]["tar"] == hashlib.sha256(gzip.decompress(made["toy-1.0.0.tgz"])).hexdigest()
    assert "generated" not in files["toy-1.0.0.tgz"]
    again = world.tell("release", "toy", "1.0.0")
    assert again.event("already")["what"] == "logged"


def test_what_is_tagged_while_a_release_waits_changes_nothing(world: World) -> None:
    """The files are the same bytes, and the plan says which tags they were built with."""
    say(
        world, "generic", TOOL.replace("toy.py]", "toy.py; git tag > dist/toy-{version}.tags]") + 'expect = ["*.exe"]\n'
    )
    world.commit("another one")
    world.tag("1.0.0")
    first = [event for event in world.tell("release", "toy", "1.0.0").events if event["event"] == "built"]
    world.git("tag", "0.9-eol", "HEAD~1")
    plan = world.tell("plan", "toy", "1.0.0").event("plan")
    assert (plan["refs"], plan["changed"]) == (1, ["0.9-eol"])
    assert (
        "what became of 0.9-eol since changes nothing" in world.run("-C", str(world.home), "plan", "toy", "1.0.0").out
    )
    again = [event for event in world.tell("release", "toy", "1.0.0").events if event["event"] == "built"]
    assert again == first != []


CLOSED = r"""
build   = []
run     = [
    ["sh", "-ec", "mkdir dist; echo evil > evil.sh; tar --mtime=@0 -czf dist/toy-{version}.crate toy.py evil.sh"],
    ["sh", "-ec", "printf '7z\\274\\257\\047\\034' > dist/toy-{version}.bin"],
]
files   = ["dist/toy-{version}*"]
"""


def test_archives_are_known_by_their_bytes_all_the_way(world: World) -> None:
    say(world, "generic", CLOSED)
    world.tag("1.0.0")
    ended = world.tell("release", "toy", "1.0.0")
    assert (ended.code, ended.event("refused")["code"]) == (3, "member-unexpected")
    found = {e["rule"]: (e["level"], e["text"]) for e in ended.events if e["event"] == "finding"}
    assert found["FILE004"] == ("error", "toy-1.0.0.crate has evil.sh, which the tag does not have there")
    assert found["FILE010"] == ("warning", "toy-1.0.0.bin is a 7z archive: nobody looked into it")
    with (world.home / "tagtrail.toml").open("a") as settings:
        settings.write('generated = { "evil.sh" = "made to be found" }\n')
    released(world, "toy-1.0.0.crate", "toy-1.0.0.bin")
    files = world.leaves()[-1]["predicate"]["tagtrail"]["files"]
    assert files["toy-1.0.0.crate"]["generated"] == ["evil.sh"]
    assert files["toy-1.0.0.bin"].keys() == {"size", "origin"}
    page = (world.site / "toy" / "1.0.0" / "index.html").read_text()
    assert "Made by the build, not in the tag: evil.sh; every other member is the tag" in page
    assert "Made by the build; the trail says nothing of what is in it." in page
    assert world.tell("reproduce", "toy", "1.0.0").code == 0


@pytest.mark.parametrize("words", [("plan", "toy", "1.0.0"), ("release", "toy", "1.0.0", "--dry-run")])
def test_a_plan_names_what_is_awaited(world: World, words: tuple[str, ...]) -> None:
    say(world, "library", 'expect = ["*.tar.gz", "*win*.whl", "*macosx*.whl"]\n')
    world.tag("1.0.0")
    told = world.tell(*words)
    assert (told.code, told.event("waiting")["for"]) == (0, "files")
    assert told.event("waiting")["what"] == "toy 1.0.0 has no file yet for *win*.whl, *macosx*.whl"
    assert world.tell("release", "toy", "1.0.0").code == 4
    assert [e["what"] for e in world.tell(*words).events if e["event"] == "waiting"] == [
        "toy 1.0.0 waits for *win*.whl, *macosx*.whl"
    ]


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("toy-{version}-linux", "toy-{version}.svg", "file-name-free"),
        ("toy-{version}-linux", "toy-{version}.tgz.asc", "file-name-free"),
        ("toy-{version}-linux", "toy-{version}.reproduced-1832b1dd.jsonl", "file-name-free"),
        ("toy-{version}-linux", "toy-{version}.1", "file-version-agrees"),
        ("dist/toy-{version}-linux", "dist/toy-{version}.tar.gz", "archive-damaged"),
        ('dist/toy-{version}*"]', 'dist/*", "toy.py"]', "file-version-agrees"),
        ('dist/toy-{version}*"]', 'dist/none"]', "files-missing"),
        ("toy.py", "toy.py cache", "member-unexpected"),
    ],
)
def test_a_name_that_a_release_may_not_have(world: World, old: str, new: str, code: str) -> None:
    assert old in TOOL
    say(world, "generic", TOOL.replace(old, new, 1))
    world.tag("1.0.0")
    done = world.tell("release", "toy", "1.0.0")
    assert (done.code, done.event("refused")["code"]) == (3, code), done.out
    assert world.leaves() == []


def test_a_subdirectory_that_the_tag_has_not_is_said_before_a_build(world: World) -> None:
    (world.repo / "below").mkdir()
    (world.repo / "below" / "text").write_text("text\n")
    world.commit("a directory")
    say(world, "generic", 'subdirectory = "below"\n')
    world.tag("1.0.0")
    assert world.tell("check", "toy", "1.0.0").code == 0
    settings = world.home / "tagtrail.toml"
    for wrong in ("nowhere", "below/text", "toy.py"):
        settings.write_text(settings.read_text().replace('subdirectory = "below"', f'subdirectory = "{wrong}"'))
        for command in ("check", "plan"):
            done = world.tell(command, "toy", "1.0.0")
            assert (done.code, done.event("refused")["code"]) == (2, "subdirectory"), done.out
        settings.write_text(settings.read_text().replace(f'subdirectory = "{wrong}"', 'subdirectory = "below"'))


def test_two_projects_of_one_repository(world: World) -> None:
    for name in ("one", "two"):
        (world.repo / name).mkdir()
        (world.repo / name / "text").write_text(f"{name}\n")
    world.commit("two projects")
    settings = world.home / "tagtrail.toml"
    text = settings.read_text().partition("[project.toy]")[0]
    for name in ("one", "two"):
        text += (
            f'[project.{name}]\nkind = "generic"\nrepo = "{world.repo}"\nsigners = ["jo"]\nsubdirectory = "{name}"\n'
        )
        text += f'tag = "{name}-{{version}}"\nbuild = ["tar.gz"]\n'
    settings.write_text(text)
    for name in ("one", "two"):
        world.tag(f"{name}-1.0.0")
        made = released(world, f"{name}-1.0.0.tar.gz", project=name)
        assert f"{name}\n".encode() in gzip.decompress(made[f"{name}-1.0.0.tar.gz"])
    refused = world.tell("release", "two", "one-1.0.0")
    assert (refused.code, refused.event("refused")["code"]) == (3, "tag-pattern")
    settings.write_text(text.replace('"one-{version}"', '"{version}"').replace('"two-{version}"', '"{version}"'))
    world.tag("2.0.0")
    shared = world.tell("check", "one", "2.0.0")
    assert (shared.code, shared.event("finding")["rule"]) == (0, "TAG014")
