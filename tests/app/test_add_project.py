"""`tagtrail add-project`: what a repository and git's configuration say; nothing is left where they say too little."""

import subprocess
from pathlib import Path

import pytest

from tagtrail.app.instance.reading import open_instance
from tagtrail.app.instance.signers import person_of_git
from tagtrail.model.settings import Project
from tests.app.places import PYPROJECT, Ended, Place

pytestmark = pytest.mark.client

CFG = "[metadata]\nname = mylib\nclassifier =\n    Environment :: No Input/Output (Daemon)\n"


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Place:
    made = Place(tmp_path_factory.mktemp("template")).make()
    made.instance()
    return made


@pytest.fixture
def place(template: Place, tmp_path: Path) -> Place:
    return template.copy(tmp_path)


def project(place: Place, name: str = "mylib") -> Project:
    (found,) = [p for p in open_instance(place.home).settings.projects if p.name == name]
    return found


def added(ended: Ended) -> tuple[str, str, str]:
    assert ended.code == 0
    (event,) = [e for e in ended.events if e["event"] == "added"]
    return event["kind"], event["backend"], event["signers"]


def test_a_library_with_an_ssh_key(place: Place) -> None:
    place.git("remote", "add", "origin", "https://jo:pw@git.example.org/mylib")
    before = (place.home / "tagtrail.toml").read_text()
    kind, backend, signers = added(place.add("mylib"))
    assert (kind, backend) == ("library", "hatchling")
    assert signers.startswith("jo-doe (ssh SHA256:")
    assert signers.endswith(", from git config)")
    text = (place.home / "tagtrail.toml").read_text()
    assert text == before + (
        '\n[people.jo-doe]\nkeys = ["keys/jo-doe.allowed_signers"]\n'
        f'\n[project.mylib]\nkind    = "library"\nrepo    = "{place.repo}"\n'
        'public  = "https://git.example.org/mylib"\nsigners = ["jo-doe"]\n'
    )
    (key,) = open_instance(place.home).keys(project(place))
    line = f"{place.key}.pub"
    assert key.material == " ".join(Path(line).read_text().split()[:2])
    assert key.namespaces == ("git", "tagtrail-approval")


def test_three_lines_for_the_second_project_of_the_same_person(place: Place) -> None:
    place.repository(place.root / "other", {"pyproject.toml": PYPROJECT.replace("mylib", "other")})
    assert place.add("mylib").code == 0
    before = (place.home / "tagtrail.toml").read_text()
    ended = place.add("other")
    assert [e["lines"] for e in ended.events if e["event"] == "added"] == [3]
    text = (place.home / "tagtrail.toml").read_text()
    assert text.removeprefix(before).count("\n") == 5
    assert project(place, "other").signers == ("jo-doe",)


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"setup.cfg": CFG}, ("server", "")),
        ({"setup.cfg": CFG, "pyproject.toml": '[build-system]\nrequires = ["pbr"]\n'}, ("server", "pbr")),
        ({"README": "no Python here"}, ("generic", "")),
        ({"setup.cfg": "[metadata]\nname = mylib\n"}, ("library", "")),
    ],
)
def test_kinds(files: dict[str, str], expected: tuple[str, str], place: Place) -> None:
    place.repository(place.root / "sub", files)
    ended = place.add("sub", "--name", "mylib")
    assert added(ended)[:2] == expected
    assert [e["text"] for e in ended.events if e["event"] == "note"] == []


def test_a_name_from_setup_cfg(place: Place) -> None:
    place.repository(place.root / "sub", {"setup.cfg": "[metadata]\nname = other-name\n"})
    assert place.add("sub").code == 0
    assert project(place, "other-name").kind == "library"


def test_tags_with_v(place: Place) -> None:
    place.git("tag", "v1.0.0")
    assert place.add("mylib").code == 0
    assert project(place).tag == "v{version}"


def test_a_url(place: Place) -> None:
    # a bare copy under the one protocol that needs no server; `file://` is a path to us
    ended = place.add("ssh://nobody@localhost:1/mylib")
    assert ended.refusal == "repo-unreachable"
    assert ended.code == 5


# --- who signs ---


def test_an_openpgp_key(place: Place) -> None:
    key = [
        "gpg",
        "--batch",
        "--quiet",
        "--passphrase",
        "",
        "--quick-gen-key",
        "Jo <jo@example.org>",
        "ed25519",
        "sign",
        "never",
    ]
    place.user.chmod(0o700)
    try:
        subprocess.run(key, env=place.env, check=True, capture_output=True)
        place.config("gpg.format", None)
        place.config("user.signingkey", None)
        _, _, signers = added(place.add("mylib"))
    finally:
        subprocess.run(["gpgconf", "--kill", "all"], env=place.env, check=True)
    assert "openpgp" in signers
    (found,) = open_instance(place.home).keys(project(place))
    assert found.scheme == "openpgp"
    assert (place.home / "keys" / "jo-doe.asc").is_file()


@pytest.mark.parametrize("form", ["{key}", "{key}.pub", "~/jo.pub", "key::{line}", "{line}"])
def test_ssh_keys_as_git_takes_them(form: str, place: Place) -> None:
    line = Path(f"{place.key}.pub").read_text().strip()
    place.config("user.signingkey", form.format(key=place.key, line=line))
    person = person_of_git(place.repo, place.env)
    assert (person.name, person.keys[0].material) == ("jo-doe", " ".join(line.split()[:2]))


def test_a_group(place: Place) -> None:
    assert place.add("mylib").code == 0
    assert added(place.add("mylib", "--name", "again", "--signer", "jo-doe"))[2] == "jo-doe"


def test_a_file(place: Place) -> None:
    other = place.new_key("ann")
    _, _, signers = added(place.add("mylib", "--signer", f"{other}.pub"))
    assert signers.startswith("ann (ssh")
    assert signers.endswith("from ann.pub)")


def test_a_name_that_is_taken_by_another_key(place: Place) -> None:
    assert place.add("mylib").code == 0
    place.config("user.signingkey", f"{place.new_key('new')}.pub")
    assert added(place.add("mylib", "--name", "again"))[2].startswith("jo-doe-2 (")


# --- one thing wrong ---


def no_key(place: Place) -> None:
    place.config("user.signingkey", None)


def lost_key(place: Place) -> None:
    place.config("user.signingkey", "/nowhere/id.pub")


def no_openpgp_key(place: Place) -> None:
    place.config("gpg.format", "openpgp")


def x509(place: Place) -> None:
    place.config("gpg.format", "x509")


def broken(place: Place) -> None:
    place.commit({"pyproject.toml": "[project"})


def added_before(place: Place) -> None:
    assert place.add("mylib", "--name", "My_Lib").code == 0


def no_library(place: Place) -> None:
    settings = place.home / "tagtrail.toml"
    settings.write_text(settings.read_text().replace("[kind.library]", "[kind.lib]"))


def key_file_there(place: Place) -> None:
    (place.home / "keys" / "jo-doe.allowed_signers").write_text("somebody's")


def bad_settings(place: Place) -> None:
    with (place.home / "tagtrail.toml").open("a") as settings:
        settings.write("[typo]\n")


def nothing(place: Place) -> None:
    pass


WRONG = {
    "no key": (no_key, ["mylib"], 2, "no-signer"),
    "lost key": (lost_key, ["mylib"], 2, "no-signer"),
    "no OpenPGP key": (no_openpgp_key, ["mylib"], 2, "no-signer"),
    "X.509": (x509, ["mylib"], 2, "signer-x509"),
    "broken pyproject": (broken, ["mylib"], 3, "pyproject-broken"),
    "there already": (added_before, ["mylib", "--name", "my-lib"], 2, "project-exists"),
    "reserved": (nothing, ["mylib", "--name", "Simple"], 2, "project-name"),
    "no name": (nothing, ["mylib", "--name", "my lib"], 2, "project-name"),
    "no repository": (nothing, ["user"], 2, "repo-missing"),
    "nothing there": (nothing, ["nowhere"], 2, "repo-missing"),
    "a command": (nothing, ["ext::sh -c true"], 2, "repo-missing"),
    "no kind": (no_library, ["mylib"], 2, "kind-unknown"),
    "unknown kind": (nothing, ["mylib", "--kind", "libary"], 2, "settings"),
    "unknown signer": (nothing, ["mylib", "--signer", "ann"], 2, "signer-file"),
    "a secret key": (nothing, ["mylib", "--signer", "user/jo"], 2, "secret-key"),
    "no key file": (nothing, ["mylib", "--signer", "mylib/pyproject.toml"], 2, "allowed-signers-line"),
    "key file there": (key_file_there, ["mylib"], 2, "key-file-exists"),
    "bad settings": (bad_settings, ["mylib"], 2, "settings"),
}


@pytest.mark.parametrize("name", WRONG)
def test_one_thing_wrong_and_nothing_left_behind(name: str, place: Place) -> None:
    prepare, words, code, reason = WRONG[name]
    prepare(place)
    before = place.files()
    ended = place.add(*words)
    assert (ended.code, ended.refusal) == (code, reason)
    assert place.files() == before


def test_no_instance(place: Place) -> None:
    assert place.run("add-project", "mylib").refusal == "no-home"
