"""Examining a tag over a repository in memory: what is judged, what the rules are told, what comes out."""

from collections.abc import Callable
from typing import Any

import pytest

from tagtrail.model.errors import ProjectError, SetupError
from tagtrail.model.facts import Entry, TagRef
from tagtrail.model.frozen import replace
from tagtrail.model.settings import Org, Project, RuleSwitch, Settings
from tagtrail.testing.memory import Repository, Source
from tagtrail.testing.people import Person
from tagtrail.workflows.examine import Examined, Known, examined, gather, refuse
from tagtrail.workflows.release import look
from tests.workflows.world import World

NOW = 1_775_055_720
JO, STRANGER = Person(name="jo"), Person(name="stranger")
PROJECT = Project(name="mylib", kind="library", repo="/src/mylib", signers=("jo",))


class Place:
    """A repository with one commit, and `examine` over it."""

    def __init__(self) -> None:
        self.repository = Repository(name="mylib")
        self.commit = self.repository.commit(NOW - 100).id
        self.source = Source({PROJECT.repo: self.repository})

    def tag(self, name: str = "1.2.0", by: Person | None = JO, **headers: str) -> bytes:
        return self.repository.tag(name, self.commit, by.sign if by else None, **headers)

    def examine(
        self, tag: str = "1.2.0", *, project: Project = PROJECT, rules: tuple[RuleSwitch, ...] = (), **options: Any
    ) -> Examined:
        settings = Settings(
            org=Org(name="", origin=""), people=(), targets=(), kinds=(), projects=(project,), rules=rules
        )
        at = options.pop("at", None)
        usual: dict[str, Any] = {"keys": (JO.key,), "now": NOW}
        known = Known(**usual | options)
        return examined(gather(self.source, settings, project, tag, known, at=at))


@pytest.fixture
def place() -> Place:
    return Place()


def released(index: int, version: str, sha256: str = "6" * 64) -> Entry:
    tag = TagRef(repo="local:mylib", name=version, object="1" * 40, sha256=sha256, commit="2" * 40, signer="SHA256:x")
    about: dict[str, Any] = {"raw": b"", "event": "release", "project": "mylib", "time": 0, "files": ()}
    return Entry(index=index, version=version, tag=tag, **about)


def codes(examined: Examined) -> list[str]:
    return [finding.code for finding in examined.findings]


def test_a_good_tag(place: Place) -> None:
    place.tag()
    found = place.examine(history=(released(0, "1.1.0"),))
    assert codes(found) == []
    assert found.tag is not None
    assert (found.tag.version, found.tag.commit, found.tag.signer) == ("1.2.0", place.commit, JO.key.fingerprint)
    assert found.tag.repo == "local:mylib"
    assert (found.version, found.channel, found.scheme, found.follows) == ("1.2.0", "final", "ssh", "1.1.0")
    assert found.visible == "plain `pip install mylib` will pick it"
    refuse(found)


def test_the_public_address_is_what_the_trail_will_say(place: Place) -> None:
    place.tag()
    project = Project(name="mylib", kind="", repo=PROJECT.repo, signers=("jo",), public="https://git.example.org/mylib")
    found = place.examine(project=project)
    assert found.tag is not None
    assert found.tag.repo == "https://git.example.org/mylib"


def test_no_tag_yet(place: Place) -> None:
    found = place.examine()
    assert (found.tag, codes(found), found.tagged.commit) == (None, [], place.commit)


WRONG: dict[str, Callable[[Place], object]] = {
    "tag-light": lambda place: place.repository.light("1.2.0", place.commit),
    "tag-unsigned": lambda place: place.tag(by=None),
    "tag-signer-unknown": lambda place: place.tag(by=STRANGER),
    "tag-name": lambda place: place.tag(tag="1.1.0"),
    "tag-of-tag": lambda place: place.tag(type="tag"),
    "tag-malformed": lambda place: place.repository.store("1.2.0", f"object {place.commit}\nno tag".encode()),
    "tag-signature-bad": lambda place: place.repository.store(
        "1.2.0", place.tag().replace(b"mylib 1.2.0", b"mylib 1.2.1")
    ),
}


@pytest.mark.parametrize("code", WRONG)
def test_one_thing_wrong(code: str, place: Place) -> None:
    WRONG[code](place)
    found = place.examine()
    assert codes(found) == [code]
    assert found.tag is None
    with pytest.raises(ProjectError) as caught:
        refuse(found)
    assert caught.value.code == code
    assert caught.value.hint


def test_without_an_instance_only_the_signer_is_unknown(place: Place) -> None:
    place.tag(by=STRANGER)
    found = place.examine(keys=None)
    assert (found.tag, codes(found)) == (None, [])
    skipped = dict(found.verdict.skipped)
    assert skipped.pop("TAG001") == "who may sign is known to an instance only"
    assert set(skipped.values()) == {"where it goes is known to an instance only"}
    place.tag("1.3.0", by=None)
    assert codes(place.examine("1.3.0", keys=None)) == ["tag-unsigned"]


def test_nobody_may_sign_is_not_nobody_is_known(place: Place) -> None:
    place.tag()
    assert codes(place.examine(keys=())) == ["tag-signer-unknown"]


def test_at_another_commit_there_is_no_tag_to_release(place: Place) -> None:
    place.tag()
    other = place.repository.commit(NOW - 50).id
    found = place.examine(at=other)
    assert (found.tag, codes(found), found.tagged.commit) == (None, [], other)
    assert place.examine(at=place.commit).tag is not None


def test_a_version_or_a_tag(place: Place) -> None:
    place.tag("v1.2.0")
    project = Project(name="mylib", kind="", repo=PROJECT.repo, signers=("jo",), tag="v{version}")
    by_version, by_tag = place.examine("1.2.0", project=project), place.examine("v1.2.0", project=project)
    assert by_version == by_tag
    assert (by_tag.version, by_tag.tagged.name, codes(by_tag)) == ("1.2.0", "v1.2.0", [])


def test_taken(place: Place) -> None:
    place.tag()
    other = place.examine(history=(released(0, "1.2"),))
    assert codes(other) == ["version-taken"]
    assert other.taken == released(0, "1.2")
    assert other.tag is not None


def test_all_findings_are_told_and_the_first_gives_the_code(place: Place) -> None:
    place.tag("2026.1", by=None)
    found = place.examine("2026.1", history=(released(0, "1.1.0"),))
    assert codes(found) == ["tag-unsigned", "year-jump"]
    with pytest.raises(ProjectError) as caught:
        refuse(found)
    assert caught.value.code == "tag-unsigned"
    assert "TAG001" in caught.value.why
    assert "TAG007" in caught.value.why


def test_switches_of_the_instance_and_of_the_project(place: Place) -> None:
    place.tag("2026.1.0")
    history = (released(0, "1.1.0"),)
    off = RuleSwitch(rule="TAG007", level="off", because="we count years")
    error = RuleSwitch(rule="TAG007", level="error", because="not here")
    found = place.examine("2026.1.0", history=history, rules=(off,))
    assert [(o.rule, o.because) for o in found.verdict.overrides] == [("TAG007", "we count years")]
    assert found.errors == ()
    strict = Project(name="mylib", kind="", repo=PROJECT.repo, signers=("jo",), rules=(error,))
    assert codes(place.examine("2026.1.0", project=strict, history=history, rules=(off,))) == ["year-jump"]


@pytest.mark.parametrize(
    ("version", "follows", "visible"),
    [
        ("1.0.1", "1.0.0", "plain `pip install mylib` keeps 2.0.0; `~=1.0.1` or `==1.0.1` gets this one"),
        ("2.1.0rc1", "2.0.0", "plain `pip install mylib` keeps 2.0.0; `--pre` or `>=2.1.0rc1` gets this one"),
        ("2.1.0", "2.0.0", "plain `pip install mylib` will pick it"),
    ],
)
def test_what_it_follows_and_who_sees_it(version: str, follows: str, visible: str, place: Place) -> None:
    found = place.examine(version, history=(released(0, "1.0.0"), released(1, "2.0.0")))
    assert (found.follows, found.visible, codes(found)) == (follows, visible, [])


def test_what_was_withdrawn_is_yanked_for_who_sees_it(place: Place) -> None:
    gone = replace(released(1, "1.0.0"), event="withdraw", tag=None)
    found = place.examine("1.1.0rc1", history=(released(0, "1.0.0"), gone))
    assert found.visible == (
        "plain `pip install mylib` finds nothing, for yanked finals hide pre-releases, uv will pick it; "
        "`--pre` or `>=1.1.0rc1` gets this one"
    )


@pytest.mark.parametrize(("version", "name"), [("1.2.0", "'it;1.2.0'"), ("1!1.2.0", "'it;1!1.2.0'")])
def test_the_commands_for_a_tag_that_is_not_there_can_be_pasted(version: str, name: str) -> None:
    """Most who read them have tagged, and not pushed."""
    world = World()
    with pytest.raises(SetupError) as refused:
        look(world.road(), replace(world.project(), tag="it;{version}"), version)
    first, second = refused.value.hint.split("\n")
    assert (refused.value.code, first) == ("tag-missing", f"git tag -s {name} && git push origin {name}")
    assert second.startswith(f"git push origin {name}  # ")
