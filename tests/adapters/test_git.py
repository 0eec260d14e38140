import os
import shutil
import socket
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tagtrail.adapters.git import GitSource, public_name
from tagtrail.formats.gitobject import object_id, tag_name_fault
from tagtrail.io.git import Git
from tagtrail.io.objects import reader
from tagtrail.model.errors import Error, ProjectError, RemoteError, SetupError, TamperError
from tests.adapters.gitdaemon import git_daemon
from tests.adapters.projects import TIME, Repo, repository, tiny

client = pytest.mark.client


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    return tiny(tmp_path_factory.mktemp("first") / "tiny")


@pytest.fixture
def repo(first: Repo, tmp_path: Path) -> Repo:
    shutil.copytree(first.path, tmp_path / "tiny")
    return Repo(tmp_path / "tiny")


@pytest.fixture
def source(tmp_path: Path) -> GitSource:
    return GitSource(tmp_path / "mirrors", {"PATH": os.environ["PATH"], "HOME": str(tmp_path)})


def refused(kind: type[Error], call: Callable[..., object], *args: object) -> str:
    with pytest.raises(kind) as caught:
        call(*args)
    assert caught.value.what.isprintable()
    return caught.value.code


# What is read


@client
@pytest.mark.parametrize("form", ["sha1", "sha256"])
def test_an_annotated_tag(tmp_path: Path, source: GitSource, form: str) -> None:
    repo = tiny(tmp_path / "tiny", form, **{"setup.cfg": "[metadata]\n"})
    found = source.read(str(repo.path), "1.0")
    assert (found.repo, found.name, found.kind) == ("local:tiny", "1.0", "annotated")
    assert found.raw is not None
    assert found.raw.decode().startswith(f"object {found.commit}\ntype commit\ntag 1.0\n")
    assert found.object == repo.git("rev-parse", "1.0") == object_id("tag", found.raw, len(found.commit))
    assert (found.commit, found.time) == (repo.git("rev-parse", "HEAD"), TIME)
    assert found.pyproject == (repo.path / "pyproject.toml").read_text()
    assert found.setup_cfg == "[metadata]\n"


@client
def test_a_tag_that_is_not_there_yet(repo: Repo, source: GitSource) -> None:
    found = source.read(str(repo.path), "2.0")
    assert (found.kind, found.raw, found.object) == ("absent", None, None)
    assert found.commit == repo.git("rev-parse", "HEAD")


@client
def test_only_the_full_name_counts(repo: Repo, source: GitSource) -> None:
    # git itself would find each of these when asked for refs/tags/2.0, .../3.0, .../4.0
    for name in ("refs/heads/refs/tags/2.0", "refs/tags/refs/tags/3.0", "refs/refs/tags/4.0"):
        repo.git("update-ref", name, repo.git("rev-parse", "1.0^{}" if "heads" in name else "1.0"))
    for name in ("2.0", "3.0", "4.0"):
        repo.git("rev-parse", f"refs/tags/{name}")
        assert source.read(str(repo.path), name).kind == "absent"


@client
def test_a_good_tag_under_another_name_is_given_to_the_judge_as_it_is(repo: Repo, source: GitSource) -> None:
    repo.git("update-ref", "refs/tags/9.9", repo.git("rev-parse", "1.0"))
    found = source.read(str(repo.path), "9.9")
    assert found.kind == "annotated"
    assert b"\ntag 1.0\n" in (found.raw or b"")


@client
def test_a_tag_of_a_tag_is_given_to_the_judge_with_its_own_header(repo: Repo, source: GitSource) -> None:
    repo.tag("outer", "1.0")
    found = source.read(str(repo.path), "outer")
    assert b"\ntype tag\n" in (found.raw or b"")
    assert found.commit == repo.git("rev-parse", "HEAD")


@client
@pytest.mark.parametrize("what", ["HEAD:tiny.py", "HEAD^{tree}"])
@pytest.mark.parametrize("annotated", [True, False])
def test_a_tag_that_leads_to_no_commit(repo: Repo, source: GitSource, what: str, annotated: bool) -> None:
    if annotated:
        repo.tag("odd", what)
    else:
        repo.git("tag", "odd", what)
    assert refused(ProjectError, source.read, str(repo.path), "odd") == "tag-not-commit"


@client
@pytest.mark.parametrize("path", ["pyproject.toml", "setup.cfg"])
def test_a_file_that_says_too_much_is_not_passed_over(repo: Repo, source: GitSource, path: str) -> None:
    repo.commit({path: "#" * (1 << 20)})
    repo.tag("1.1")
    assert source.read(str(repo.path), "1.1").commit == repo.git("rev-parse", "1.1^{commit}")
    for size in ((1 << 20) + 1, (1 << 23) + 1):
        repo.commit({path: "#" * size})
        assert refused(ProjectError, source.read, str(repo.path), "1.1", "HEAD") == "declaration-size"


@client
@pytest.mark.parametrize("at", ["nothing", "0" * 40, "HEAD:tiny.py", "HEAD^5", "HEAD..HEAD", "^HEAD"])
def test_a_commit_that_is_not_there(repo: Repo, source: GitSource, at: str) -> None:
    assert refused(ProjectError, source.read, str(repo.path), "1.0", at) == "commit-missing"


@client
def test_a_repository_without_commits(tmp_path: Path, source: GitSource) -> None:
    repo = repository(tmp_path / "empty")
    assert refused(ProjectError, source.read, str(repo.path), "1.0") == "commit-missing"
    assert source.tags(str(repo.path)) == ()


@client
@pytest.mark.parametrize("at", ["", "-x", "--all", "a b", "HEAD\nHEAD"])
def test_a_commits_name_that_git_could_take_for_something_else(repo: Repo, source: GitSource, at: str) -> None:
    assert refused(SetupError, source.read, str(repo.path), "1.0", at) == "commit-name"


@client
def test_every_way_to_write_a_path(repo: Repo, source: GitSource, tmp_path: Path) -> None:
    bare, linked = tmp_path / "bare.git", tmp_path / "linked"
    repo.git("clone", "--quiet", "--bare", str(repo.path), str(bare))
    repo.git("worktree", "add", "--quiet", "--detach", str(linked))
    (tmp_path / "link").symlink_to(repo.path)
    wanted = source.read(str(repo.path), "1.0").object
    for path in (f"file://{repo.path}", f"{repo.path}/", f"{repo.path}/.git", bare, linked, tmp_path / "link"):
        assert source.read(str(path), "1.0").object == wanted
    assert source.objects(str(linked), "1.0", "HEAD").directory == repo.path / ".git" / "objects"


@client
def test_no_repository(repo: Repo, source: GitSource, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (repo.path / "below").mkdir()
    (tmp_path / "empty" / ".git").mkdir(parents=True)
    for path in (tmp_path / "nowhere", tmp_path / "file", tmp_path, repo.path / "below", tmp_path / "empty"):
        assert refused(SetupError, source.read, str(path), "1.0") == "repo-missing"
        assert refused(SetupError, source.objects, str(path), "1.0", "HEAD") == "repo-missing"
        assert refused(SetupError, source.tags, str(path)) == "repo-missing"
    for text in ("-x", "--upload-pack=touch /tmp/x", "a\nb", ""):
        assert refused(SetupError, source.read, text, "1.0") == "repo-missing"


@client
def test_the_callers_environment_and_replacements_do_not_matter(repo: Repo, tmp_path: Path) -> None:
    other = tiny(tmp_path / "other", **{"tiny.py": "a = 2\n"})
    first, second = repo.git("rev-parse", "HEAD"), repo.commit({"tiny.py": "a = 3\n"})
    repo.git("replace", first, second)
    script = (
        "import sys\nfrom pathlib import Path\nfrom tagtrail.adapters.git import GitSource\n"
        "found = GitSource(Path('/nonexistent')).read(sys.argv[1], '1.0')\n"
        "print(found.commit, found.time)\n"
    )
    hostile = {"GIT_DIR": str(other.path / ".git"), "GIT_OBJECT_DIRECTORY": str(other.path / ".git" / "objects")}
    env = {**os.environ, **hostile, "GIT_WORK_TREE": "/", "GIT_NAMESPACE": "x", "GIT_CONFIG_COUNT": "nonsense"}
    done = subprocess.run(
        [sys.executable, "-c", script, repo.path], env=env, capture_output=True, text=True, check=True
    )
    assert done.stdout == f"{first} {TIME}\n"


@client
def test_a_repository_whose_settings_run_programs_runs_none(repo: Repo, source: GitSource, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\ntouch {mark}\n")
    program.chmod(0o755)
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    for name in ("post-checkout", "reference-transaction", "post-index-change"):
        shutil.copy(program, hooks / name)
    for key in ("core.fsmonitor", "core.pager", "core.sshCommand", "gpg.program", "gpg.ssh.program", "core.editor"):
        repo.git("config", key, str(program))
    for key, value in (
        ("core.hooksPath", str(hooks)),
        ("log.showSignature", "true"),
        ("filter.x.smudge", str(program)),
    ):
        repo.git("config", key, value)
    mark.unlink(missing_ok=True)
    found = source.read(str(repo.path), "1.0")
    source.objects(str(repo.path), "1.0", found.commit)
    source.tags(str(repo.path))
    assert not mark.exists()


# What is asked again


@client
def test_read_looks_anew_and_the_others_tell_of_that_look(repo: Repo, source: GitSource) -> None:
    at = str(repo.path)
    first = source.read(at, "1.0")
    assert [name for name, _ in source.tags(at)] == ["1.0"]
    other = repo.commit({"tiny.py": "a = 2\n"})
    repo.git("tag", "--annotate", "--force", "--message", "moved", "1.0")
    repo.tag("1.1")
    assert [name for name, _ in source.tags(at)] == ["1.0"]
    assert [name for name, _ in source.listed(at)] == ["1.0", "1.1"], "who only looks sees what is there"
    moved = source.read(at, "1.0")
    assert (moved.commit, moved.object) == (other, repo.git("rev-parse", "1.0"))
    assert moved.object != first.object
    assert [name for name, _ in source.peeled(at)] == ["1.0", "1.1"]
    assert source.read(at, "1.0", at=first.commit).commit == first.commit
    repo.git("tag", "--delete", "1.0")
    assert source.read(at, "1.0").kind == "absent"


@client
def test_another_tag_that_is_broken_is_no_matter_of_this_one(repo: Repo, source: GitSource) -> None:
    (repo.path / ".git/refs/tags/9.9").write_text("1" * 40 + "\n")
    assert source.read(str(repo.path), "1.0").kind == "annotated"


COUNTED = """
import sys
from pathlib import Path
from tagtrail.adapters.git import GitSource
from tagtrail.adapters.git_notes import GitNotes
from tagtrail.ports import NotesOrder

repo, room = sys.argv[1], Path(sys.argv[2])
source = GitSource(room / "mirrors")
found = source.read(repo, "1.1")
since = dict(source.peeled(repo))["1.0"]
for _ in range(2):
    source.tags(repo)
    objects = source.objects(repo, "1.1", found.commit)
    for commit in (since, found.commit):
        for name in ("pyproject.toml", "setup.cfg", "requirements.txt"):
            source.file(repo, commit, name)
looked = (room / "asked").read_text().count("\\n")
order = NotesOrder(version="1.1", commit=found.commit, follows="1.0", since=since)
assert GitNotes(room / "scratch").read(objects, order).source == "changelog"
noted = (room / "asked").read_text().count("\\n")
assert source.read(repo, "1.1") == found
print(looked, noted - looked, (room / "asked").read_text().count("\\n") - noted)
"""


@client
def test_how_often_git_is_asked(repo: Repo, tmp_path: Path) -> None:
    repo.commit({"docs/CHANGES.md": "# Changes\n\n## 1.1\n\n- a road\n", "setup.cfg": "[metadata]\n"})
    repo.tag("1.1")
    shim = tmp_path / "shim" / "git"
    shim.parent.mkdir()
    shim.write_text(f'#!/bin/sh\necho "$*" >> {tmp_path}/asked\nexec {shutil.which("git")} "$@"\n')
    shim.chmod(0o755)
    env = os.environ | {"PATH": f"{shim.parent}:{os.environ['PATH']}"}
    argv = [sys.executable, "-c", COUNTED, str(repo.path), str(tmp_path)]
    done = subprocess.run(argv, env=env, capture_output=True, text=True, check=False)
    # where it lies, all tags, objects, whether all are there, peeled, those below the commit, files of the one before;
    # then commits and files; at last where the tag is now
    assert done.stdout.split() == ["7", "2", "1"], done.stderr


@client
def test_objects_that_are_too_large_are_left_out_and_the_others_follow(repo: Repo) -> None:
    sizes = [10, 9 << 20, 20, 1 << 20, 30]
    ids = [repo.git("hash-object", "-w", "--stdin", stdin=b"x" * size) for size in sizes]
    with reader(Git(directory=repo.path)) as opened:
        found = opened.items([*ids, "0" * 40, *ids * 20], lambda size: size < 1000)
        assert opened.item("HEAD").kind == "commit"
    kinds = [bool(item.kind) for item in found]
    assert kinds == [True, False, True, False, True, False, *[True, False, True, False, True] * 20]
    assert [len(item.content) for item in found if item.kind] == [10, 20, 30] * 21


# What is missing or damaged


def loose(repo: Repo, name: str) -> Path:
    oid = repo.git("rev-parse", name)
    return repo.path / ".git" / "objects" / oid[:2] / oid[2:]


@client
@pytest.mark.parametrize("name", ["1.0", "1.0^{commit}", "1.0^{tree}", "1.0:tiny.py", "1.0:below"])
def test_a_repository_that_lacks_an_object(tmp_path: Path, source: GitSource, name: str) -> None:
    repo = tiny(tmp_path / "tiny", **{"below/file": "x"})
    GitSource(tmp_path / "others").read(str(repo.path), "1.0")
    loose(repo, name).unlink()
    assert refused(ProjectError, source.read, str(repo.path), "1.0") == "objects-missing"


@client
def test_a_partial_clone_is_not_filled_up(tmp_path: Path, repo: Repo, source: GitSource) -> None:
    repo.git("config", "uploadpack.allowFilter", "true")
    partial = tmp_path / "partial"
    clone = ("clone", "--quiet", "--no-checkout", "--filter=blob:none", f"file://{repo.path}", str(partial))
    repo.git(*clone)
    assert refused(ProjectError, source.read, str(partial), "1.0") == "objects-missing"


@client
def test_a_shallow_clone_can_be_checked_but_not_built(tmp_path: Path, repo: Repo, source: GitSource) -> None:
    repo.commit({"tiny.py": "a = 2\n"})
    repo.tag("1.1")
    shallow = tmp_path / "shallow"
    repo.git("clone", "--quiet", "--depth=1", f"file://{repo.path}", str(shallow))
    found = source.read(str(shallow), "1.1")
    assert found.kind == "annotated"
    with pytest.raises(ProjectError) as caught:
        source.objects(str(shallow), "1.1", found.commit)
    assert caught.value.code == "objects-missing"
    assert "--unshallow" in caught.value.hint


@client
def test_a_history_with_a_hole_cannot_be_built(repo: Repo, source: GitSource) -> None:
    lost = repo.commit({"tiny.py": "a = 2\n"})
    commit = repo.commit({"tiny.py": "a = 3\n"})
    repo.tag("1.1")
    path = loose(repo, lost)
    assert GitSource(repo.path.parent / "others").objects(str(repo.path), "1.1", commit).refs
    path.unlink()
    assert refused(ProjectError, source.objects, str(repo.path), "1.1", commit) == "objects-missing"


@client
@pytest.mark.parametrize(
    ("name", "kind", "code"),
    [("1.0", TamperError, "object-altered"), ("1.0^{commit}", ProjectError, "objects-missing")],
)
def test_an_object_with_other_bytes(repo: Repo, source: GitSource, name: str, kind: type[Error], code: str) -> None:
    path = loose(repo, name)
    content = zlib.decompress(path.read_bytes()).replace(b"ada@", b"eve@")
    path.chmod(0o644)
    path.write_bytes(zlib.compress(content))
    assert refused(kind, source.read, str(repo.path), "1.0") == code


@client
@pytest.mark.skipif(os.geteuid() != 0, reason="needs to give a directory to another user")
def test_a_repository_of_another_user(repo: Repo, source: GitSource, tmp_path: Path) -> None:
    for path in (repo.path, repo.path / ".git"):
        os.chown(path, 65534, 65534)
    with pytest.raises(SetupError) as caught:
        source.read(str(repo.path), "1.0")
    assert caught.value.code == "repo-ownership"
    assert caught.value.hint == f"git config --global --add safe.directory {repo.path}"
    (tmp_path / ".gitconfig").write_text(f"[safe]\n\tdirectory = {repo.path}-not\n")
    assert refused(SetupError, source.read, str(repo.path), "1.0") == "repo-ownership"
    (tmp_path / ".gitconfig").write_text(f"[safe]\n\tdirectory = /elsewhere\n\tdirectory = {repo.path}\n")
    assert source.read(str(repo.path), "1.0").kind == "annotated"


# Names


@pytest.mark.parametrize(
    "name",
    [
        "", " ", "-1.0", "--list", "a b", "a\nb", "a\x7f", "a~1", "a^", "a:b", "a?", "a*", "a[b", "a\\b", "a..b",
        "a@{0}", "@", "/a", "a/", "a//b", ".a", "a/.b", "a.", "a./b", "a.lock", "a.lock/b", "refs/tags/1.0", "\udcff",
    ],
)  # fmt: skip
def test_names_that_no_tag_can_have(name: str, tmp_path: Path) -> None:
    assert tag_name_fault(name)
    source = GitSource(tmp_path)
    assert refused(SetupError, source.read, "nowhere", name) == "tag-name"
    assert refused(SetupError, source.objects, "nowhere", name, "HEAD") == "tag-name"


GOOD_NAMES = (
    "1.0",
    "v1.0",
    "nova/1.0",
    "1.0-rc1",
    "a.b",
    "a@b",
    "a{b}",
    "\u00e4",
    "a-",
    "lock",
    "a.locked",
    "x/refs/y",
)


@pytest.mark.parametrize("name", GOOD_NAMES)
def test_names_that_a_tag_can_have(name: str) -> None:
    assert tag_name_fault(name) == ""


@client
@pytest.mark.parametrize(
    "name", [*GOOD_NAMES, "a..b", "a.lock", ".a", "a/.b", "a~1", "@", "a@{0}", "a//b", "a.", "a\x7f"]
)
def test_git_is_of_the_same_opinion(name: str) -> None:
    done = subprocess.run(["git", "check-ref-format", f"refs/tags/{name}"], check=False)
    # git takes `@` below refs/tags; as a short name it means HEAD
    assert (done.returncode == 0) == (not tag_name_fault(name) or name == "@")


@client
def test_names_that_are_not_utf8_are_left_alone(repo: Repo, source: GitSource) -> None:
    name = b"refs/tags/\xff"
    subprocess.run([b"git", b"update-ref", name, b"HEAD"], cwd=repo.path, check=True)
    assert [n for n, _ in source.tags(str(repo.path))] == ["1.0"]
    assert source.read(str(repo.path), "1.0").kind == "annotated"


@pytest.mark.parametrize(
    ("repo", "name"),
    [
        ("https://git.example.org/nova", "https://git.example.org/nova"),
        ("https://jo:s3cret@git.example.org/nova", "https://git.example.org/nova"),
        ("https://s3cret@git.example.org:8443/nova.git", "https://git.example.org:8443/nova.git"),
        ("https://a@b:c@git.example.org/x@y", "https://git.example.org/x@y"),
        ("https://git.example.org/nova?private_token=s3cret#x", "https://git.example.org/nova"),
        ("https://git.example.org", "https://git.example.org"),
        ("ssh://git@git.example.org:22/nova", "ssh://git.example.org:22/nova"),
        ("git@git.example.org:org/nova.git", "git.example.org:org/nova.git"),
        ("git.example.org:nova", "git.example.org:nova"),
        ("/srv/git/nova.git", "local:nova.git"),
        ("/srv/git/nova/.git", "local:nova"),
        ("file:///srv/git/nova/", "local:nova"),
        ("./a:b/nova", "local:nova"),
    ],
)
def test_what_the_public_sees_of_an_address(repo: str, name: str) -> None:
    assert public_name(repo) == name


@pytest.mark.parametrize("repo", ["ext::sh -c touch% /tmp/x", "fd::3", "transport::address", "ftp://x/y", "ext://x"])
def test_protocols_that_run_programs_are_not_spoken(repo: str, tmp_path: Path) -> None:
    assert refused(SetupError, GitSource(tmp_path).read, repo, "1.0") == "repo-protocol"


# Over the network


@pytest.fixture
def served(tmp_path: Path) -> Iterator[str]:
    """The address under which git itself serves the repositories in tmp_path."""
    with git_daemon(tmp_path) as address:
        yield address


@client
def test_a_url_is_read_through_a_mirror(tmp_path: Path, repo: Repo, served: str, source: GitSource) -> None:
    url = f"{served}/tiny"
    found = source.read(url, "1.0")
    assert (found.repo, found.kind, found.commit) == (url, "annotated", repo.git("rev-parse", "HEAD"))
    objects = source.objects(url, "1.0", found.commit)
    assert objects.refs == (("refs/tags/1.0", found.object),)
    assert objects.directory.is_relative_to(tmp_path / "mirrors")
    # the next look sees what has changed since: a moved tag, a deleted one, a new HEAD
    repo.tag("gone")
    assert [n for n, _ in GitSource(tmp_path / "mirrors").tags(url)] == ["1.0", "gone"]
    moved = repo.commit({"tiny.py": "a = 2\n"})
    repo.git("tag", "--delete", "gone")
    repo.git("tag", "--force", "--annotate", "--message", "moved", "1.0")
    assert source.read(url, "1.0").commit == moved
    assert source.read(url, "gone").kind == "absent"
    assert source.read(url, "gone").commit == moved
    assert [n for n, _ in source.tags(url)] == ["1.0"]


@client
def test_a_url_of_a_repository_with_sha256(tmp_path: Path, served: str, source: GitSource) -> None:
    tiny(tmp_path / "new", "sha256")
    found = source.read(f"{served}/new", "1.0")
    assert len(found.commit) == 64
    assert source.objects(f"{served}/new", "1.0", found.commit).object_format == "sha256"


@client
def test_a_remote_head_that_leads_nowhere(repo: Repo, served: str, source: GitSource) -> None:
    repo.git("symbolic-ref", "HEAD", "refs/heads/nowhere")
    assert source.read(f"{served}/tiny", "1.0").kind == "annotated"
    assert refused(ProjectError, source.read, f"{served}/tiny", "2.0") == "commit-missing"


@client
def test_a_remote_that_is_not_there(served: str, source: GitSource) -> None:
    assert refused(RemoteError, source.read, f"{served}/nowhere", "1.0") == "repo-unreachable"
    with pytest.raises(RemoteError) as caught:
        source.read("https://jo:s3cret@127.0.0.1:9/nova", "1.0")
    assert caught.value.code == "repo-unreachable"
    assert "s3cret" not in f"{caught.value.what} {caught.value.why} {caught.value.hint}"
    assert "jo" not in caught.value.what
    assert caught.value.why


@client
def test_a_remote_that_hangs(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"git://127.0.0.1:{silent.getsockname()[1]}/x"
        with pytest.raises(RemoteError) as caught:
            GitSource(tmp_path, limit=0.3).read(url, "1.0")
    assert caught.value.why == "no answer within 0.3 s"


@client
def test_a_remote_that_comes_back_is_read_again(tmp_path: Path, repo: Repo, served: str, source: GitSource) -> None:
    repo.path.rename(tmp_path / "away")
    assert refused(RemoteError, source.read, f"{served}/tiny", "1.0") == "repo-unreachable"
    (tmp_path / "away").rename(repo.path)
    assert source.read(f"{served}/tiny", "1.0").kind == "annotated"
