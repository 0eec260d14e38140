"""The rules that are asked before anything is built: what a tag and its version may be."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Literal

from packaging.version import Version

from tagtrail.model.errors import Error
from tagtrail.model.facts import Entry
from tagtrail.model.names import project_key, version_key
from tagtrail.model.settings import Project
from tagtrail.rules.book import Rule, Said, rule
from tagtrail.rules.declared import Declared
from tagtrail.rules.versions import LIFECYCLE, comparable, latest, overtaken_by, parse, starts_with_year, version_in
from tagtrail.rules.written import written

__all__ = ["BEFORE", "Before"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """What is known before a build. `tag` is the tag's name, `kind` whether it is there, `sha256` its raw object's.

    `commit` is what would be built. `refusal` is why the tag's signature does not count; it is asked only where
    `judged`. `tags` are the repository's tags; `history` the project's entries, oldest first, as they are in the trail.
    `written` is the file that `declares` names (None: there is none), `branches` those that have the commit: both are
    looked for only where the settings ask for them. `beside` are the other projects of the same repository.
    """

    project: Project
    tag: str
    kind: str
    commit: str
    sha256: str = ""
    judged: bool = False
    refusal: Error | None = None
    unjudged: str = ""
    tags: tuple[str, ...] = ()
    history: tuple[Entry, ...] = ()
    declared: Declared = field(default_factory=Declared)
    written: bytes | None = None
    branches: tuple[str, ...] = ()
    beside: tuple[Project, ...] = ()

    @property
    def version(self) -> str:
        """What the tag says, as written; empty where it fits no pattern."""
        return version_in(self.project.tag, self.tag) or ""

    @property
    def parsed(self) -> Version | None:
        """The version, where the tag says one."""
        return parse(self.version)

    @property
    def taken(self) -> Entry | None:
        """The trail's entry of this version, in any spelling."""
        wanted = version_key(self.version) if self.version else None
        return next((e for e in self._releases if version_key(e.version) == wanted), None)

    @property
    def released(self) -> tuple[Version, ...]:
        """What was released before, oldest first: by the trail, or by the tags where the trail names none."""
        taken = self.taken
        before = [e.version for e in self._releases if taken is None or e.index < taken.index]
        if self._releases:
            return tuple(v for v in map(parse, before) if v)
        return self._tagged

    @property
    def by_tags(self) -> bool:
        """Whether `released` was read from tags."""
        return not self._releases

    @property
    def mildly(self) -> Literal["warning"] | None:
        """How strongly `released` may be held against the version: tags do not say what came first once it is there."""
        return "warning" if self.by_tags and self.kind != "absent" else None

    @property
    def _releases(self) -> tuple[Entry, ...]:
        withdrawn = {version_key(e.version) for e in self.history if e.event == "withdraw"}
        own = version_key(self.version) if self.version else ""
        kept = (e for e in self.history if e.event in ("release", "import") and e.version)
        return tuple(e for e in kept if version_key(e.version) == own or version_key(e.version) not in withdrawn)

    @property
    def _tagged(self) -> tuple[Version, ...]:
        texts = (version_in(self.project.tag, tag) for tag in self.tags if tag != self.tag)
        versions = {v for v in (parse(text or "") for text in texts) if v and v != self.parsed}
        return tuple(sorted(versions, key=lambda v: (not starts_with_year(v), v)))

    def lacks(self, need: str) -> str:
        """Why a rule that needs `version` or `signature` cannot be asked."""
        if need == "version" and self.parsed is None:
            return f"no version in {self.tag!r}"
        if need == "signature" and not self.judged:
            return self.unjudged or f"there is no tag {self.tag} yet"
        return ""


@rule("TAG001", "signed-by-allowed", needs=("signature",), firm=True)
def signed_by_allowed(facts: Before) -> Iterator[Said]:
    """The tag is signed by a person whom the settings allow for this project.

    What counts is the signature over the tag object itself: OpenPGP or SSH, by a key of `signers`, over the name that
    was asked for, on a commit. A lightweight tag carries no signature. A good tag under another name, a tag of a tag,
    an unknown, revoked or expired key, a SHA-1 signature: each is refused with a reason of its own.

        bad   git tag 1.2.0
        good  git tag -s 1.2.0
    """
    if facts.refusal is not None:
        text = f"{facts.refusal.what}{': ' + facts.refusal.why if facts.refusal.why else ''}"
        yield Said(text=text, fix=facts.refusal.hint or _sign_again(facts), code=facts.refusal.code)


def _sign_again(facts: Before) -> str:
    return f"git tag -f -s {facts.tag} {facts.commit[:12]} && git push -f origin {facts.tag}"


@rule("TAG002", "tag-pattern", firm=True)
def tag_pattern(facts: Before) -> Iterator[Said]:
    """The tag's name fits the project's pattern.

    The pattern is `tag = "{version}"` unless the project sets another prefix or suffix. Tags that close a series
    (`-eol`, `-em`, `-eom`, `-last`) are no versions and never released.

        bad   1.2.0           (where the project says tag = "v{version}")
        bad   stein-eol
        good  v1.2.0
    """
    if LIFECYCLE.fullmatch(facts.tag):
        text = f"{facts.tag} closes a series and is no version: there is nothing to release"
        yield Said(text=text, fix="nothing: such tags are left alone", code="tag-lifecycle")
    elif not facts.version:
        text = f"{facts.tag} does not fit this project's tags, which look like {facts.project.tag!r}"
        yield Said(text=text, fix=f'tag it so, or set tag = "..." for {facts.project.name}')


@rule("TAG003", "pep440", firm=True)
def pep440(facts: Before) -> Iterator[Said]:
    """The version is one that installers understand (PEP 440).

    What they do not understand they sort somewhere, or pass over: nobody could say who will get it.

        bad   1.2.0-final2
        good  1.2.0, 33.0.0.0rc1, 1.2.0.post1, 1.2.0.dev3
    """
    if facts.version and not LIFECYCLE.fullmatch(facts.tag) and facts.parsed is None:
        text = f"{facts.version} is no version that installers understand"
        fix = "numbers with dots, then a1, b1, rc1, .post1 or .dev1 where it is not final: 1.2.0, 1.2.0rc1"
        yield Said(text=text, fix=fix)


@rule("TAG004", "canonical-version", needs=("version",), firm=True)
def canonical_version(facts: Before) -> Iterator[Said]:
    """The version is written the one way that PEP 440 calls normal, so that the tag, the files and the index agree.

    A local version (`+something`) is for somebody else's patched copy and is never published.

        bad   v1.2.0, 1.2.0-rc1, 1.2.0+ours
        good  1.2.0, 1.2.0rc1
    """
    version = facts.parsed
    if version is None:
        return
    if version.local:
        yield Said(
            text=f"{facts.version} is a local version, which no index takes",
            fix=f"tag {facts.project.tag.replace('{version}', version.public)}",
            code="version-local",
        )
    elif str(version) != facts.version:
        prefix = facts.version[: -len(str(version))] if facts.version.endswith(str(version)) else ""
        other = f', or set tag = "{facts.project.tag.replace("{version}", prefix + "{version}")}"' if prefix else ""
        good = facts.project.tag.replace("{version}", str(version))
        yield Said(text=f"{facts.version} is written {version} (PEP 440)", fix=f"git tag -s {good}{other}")


@rule("TAG005", "not-lower", needs=("version",))
def not_lower(facts: Before) -> Iterator[Said]:
    """The version is not lower than the last release.

    A final release is held against final (and post) releases, a pre-release against all. Above all of these it may
    come. Below, a pre-release never may: nobody would see it. A final may if it is the highest of a released series,
    that is if it shares more leading numbers with the nearest release below it than with the nearest above: 33.0.3
    after 34.0.0 is the normal patch of a stable branch whose last release was 33.0.2. Withdrawn versions do not
    count. Versions that start with a year do not count once the project has left them. Where the trail has nothing of
    the project, its tags stand in; they do not say what came first, so for a tag that is there already this is a
    warning.

        bad   31.0.0.0b2      (31.0.0 is released)
        bad   33.0.2          (33.0.3 is released)
        bad   32.0.0          (31.0.0 and 33.0.0 are released, nothing of 32)
        good  33.0.3          (33.0.2 and 34.0.0 are released)
    """
    new = facts.parsed
    if new is None:
        return
    released = comparable(new, facts.released)
    over = overtaken_by(new, released)
    if over is not None:
        top = latest(released)
        by = "tagged" if facts.by_tags else "released"
        patch = "" if new.is_prerelease else ", or the next patch of a released series"
        yield Said(
            text=f"{facts.version} is below {over}, which is {by}",
            fix=f"tag a version above {top}{patch}",
            code="version-lower",
            level=facts.mildly,
        )


@rule("TAG006", "one-tag-per-version", needs=("version",))
def one_tag_per_version(facts: Before) -> Iterator[Said]:
    """No other tag of the repository says the same version.

    `1.0` and `1.0.0` are one version, and so are `2.0` and `v2.0` under the pattern `{version}`: installers see no
    difference, and only one can be released.

        bad   1.0.0           (the tag 1.0 is there)
        good  1.0.1
    """
    own = version_key(facts.version)
    others = [tag for tag in facts.tags if tag != facts.tag and _says(facts.project.tag, tag) == own]
    if others:
        text = f"{facts.tag} and {', '.join(others[:3])} say the same version"
        yield Said(
            text=text, fix=f"release one of them: delete {others[0]} if it was never released, or tag the next version"
        )


def _says(pattern: str, tag: str) -> str | None:
    text = version_in(pattern, tag)
    return version_key(text) if text and parse(text) else None


@rule("TAG007", "year-jump", needs=("version",))
def year_jump(facts: Before) -> Iterator[Said]:
    """The version does not jump to the numbers of years.

    2026.1 sorts above 34.0.0 and above every later plain version, for ever; only an epoch heals it. What is refused
    is the jump from plain numbers (1980 is where years begin here); a project that always used years goes on. A first
    release that starts with a year is asked about. A project that means it says so once, with the reason:
    `[project.X.rules] TAG007 = { level = "off", because = "..." }`, and then tags three numbers, 2026.1.0, because
    some backends (pbr) know no two-part versions.

        bad   2026.1          (33.0.2 is released)
        good  34.0.0          (with series = "2026.1 Gazpacho", which is shown on pages)
        good  2026.1.0        (2025.2.0 is released)
    """
    new = facts.parsed
    last = latest(facts.released)
    if new is None or not starts_with_year(new):
        return
    if last is None:
        text = f"the first release starts with a year, {facts.version}: no plain version can ever follow it"
        yield Said(
            text=text, fix="start with 1.0.0; or go on, if years are what you want", code="year-first", level="warning"
        )
    elif not starts_with_year(last) and last.epoch == new.epoch:
        yield Said(
            text=f"{facts.version} starts with a year, {last} did not: "
            "it sorts above every later plain version, for ever",
            fix=f'tag {last.release[0] + 1}.0.0 and set series = "{facts.version}" (shown on pages); '
            f"or switch TAG007 off with the reason, then tag {_three_parts(new)}",
            level=facts.mildly,
        )


def _three_parts(version: Version) -> str:
    return str(version) if len(version.release) > 2 else f"{version.base_version}.0"


@rule("TAG008", "version-free", needs=("version",), firm=True)
def version_free(facts: Before) -> Iterator[Said]:
    """The version is not in the trail with another tag.

    A released version means its bytes for ever, in any spelling (1.0 is 1.0.0), also after it was withdrawn.

        bad   1.2.0           (1.2.0 is released from another tag object)
        good  1.2.1
    """
    taken = facts.taken
    if taken is None:
        return
    if facts.kind == "absent":
        text = f"{taken.project} {taken.version} is released (entry {taken.index})"
    elif taken.tag is None or taken.tag.sha256 != facts.sha256:
        text = (
            f"{taken.project} {taken.version} is released (entry {taken.index}) from another tag object than this one"
        )
    else:
        return
    yield Said(text=text, fix="tag the next version: released bytes never change", code="version-taken")


@rule("TAG009", "name-declared")
def name_declared(facts: Before) -> Iterator[Said]:
    """The project's own files say the name that the settings say.

    Read from pyproject.toml, else setup.cfg, at the commit to be built; after the build the produced files are held
    to the same (FILE001). A project in a subdirectory is left to that.

        bad   name = "mylib2"       (where the settings say [project.mylib])
        good  name = "My.Lib"       (for [project.my-lib]: one name, PEP 503)
    """
    if facts.project.subdirectory:
        return
    if facts.declared.broken:
        yield Said(text=facts.declared.broken, fix="mend pyproject.toml at this commit", code="pyproject-broken")
    elif facts.declared.name and project_key(facts.declared.name) != project_key(facts.project.name):
        text = f"the project calls itself {facts.declared.name}, the settings call it {facts.project.name}"
        yield Said(
            text=text, fix=f"change one of them: [project.{facts.declared.name}] or name = {facts.project.name!r}"
        )


@rule("TAG010", "version-declared", needs=("version",))
def version_declared(facts: Before) -> Iterator[Said]:
    """A version written in the project's own files is the tag's.

    A version that the backend takes from the tag is not written anywhere, and nothing is asked. setup.cfg of pbr
    projects is not asked: there it means "at least".

        bad   version = "1.1.0"     (under the tag 1.2.0)
        good  version = "1.2.0"     or dynamic = ["version"]
    """
    own = facts.declared.version
    if own and not facts.project.subdirectory and version_key(own) != version_key(facts.version):
        fix = f'set version = "{facts.version}" and commit it before tagging'
        yield Said(text=f"the project's files say version {own}, the tag says {facts.version}", fix=fix)


@rule("TAG011", "first-prerelease", "warning", needs=("version",))
def first_prerelease(facts: Before) -> Iterator[Said]:
    """A first pre-release of a new project reaches everybody.

    While a project has no final release, plain `pip install` takes a pre-release. What is not Python is not asked.

        asked 1.0.0rc1        (nothing is released yet)
        good  1.0.0
    """
    new = facts.parsed if facts.project.is_python else None
    if new is not None and new.is_prerelease and all(v.is_prerelease for v in facts.released):
        install = f"plain `pip install {facts.project.name}`"
        text = f"no final release yet: {install} takes the pre-release {facts.version}"
        yield Said(text=text, fix="release a final version first; or go on, if everybody may have it")


@rule("TAG012", "own-settings")
def own_settings(facts: Before) -> Iterator[Said]:
    """A project does not say where or how it is published.

    `[tool.tagtrail]` in pyproject.toml may one day say how a project is built; everything else belongs to the
    operator's settings, because whoever may change the code may not thereby change where it goes. No key is known
    yet.

        bad   [tool.tagtrail]
              publish = ["elsewhere"]
    """
    if facts.declared.own:
        keys = ", ".join(facts.declared.own[:5])
        text = f"[tool.tagtrail] in pyproject.toml says {keys}, which is for the settings to say"
        yield Said(text=text, fix="remove it from pyproject.toml; ask the operator to set it in tagtrail.toml")


@rule("TAG013", "version-in-file", needs=("version",))
def version_in_file(facts: Before) -> Iterator[Said]:
    """The file that the settings name says the tag's version.

    `declares = "metadata.json:version"` names a file of the project and a key in it: JSON, TOML, setup.cfg's form, one
    key at the top of a YAML file, or a file that holds nothing but the version. 1.2.0-rc.1 is 1.2.0rc1, as everywhere.

        bad   "version": "1.1.0"     (in metadata.json, under the tag 1.2.0)
        bad   no metadata.json, or none with a version
        good  "version": "1.2.0"
    """
    place = facts.project.declares
    if not place:
        return
    path, _, key = place.partition(":")
    found = written(place, facts.written) if facts.written is not None else None
    if facts.written is None:
        fix = f"add it at this commit, or correct declares for {facts.project.name}"
        yield Said(text=f"there is no file {path} that says the version", fix=fix, code="declares-missing")
    elif found is None:
        where = f"no text at {key}" if key else "no text"
        fix = f"write the version there, or correct declares for {facts.project.name}"
        yield Said(text=f"{path} has {where} that could be read", fix=fix, code="declares-unreadable")
    elif version_key(found) != version_key(facts.version):
        fix = f'set it to "{facts.version}" and commit that before tagging'
        yield Said(text=f"{place} says {found[:40]!a}, the tag says {facts.version}", fix=fix)


@rule("TAG014", "tag-of-one-project", needs=("version",))
def tag_of_one_project(facts: Before) -> Iterator[Said]:
    """No other project reads a version out of the same tag.

    Where one repository holds several projects, each has tags of its own: `tag = "client-{version}"`. Two projects of
    one directory and one tag would be the same release under two names. Projects of two directories may be tagged
    together, and that is only asked about.

        bad   1.2.0         (of two projects of one repository and one subdirectory)
        asked 1.2.0         (both with tag = "{version}", in two subdirectories)
        good  client-1.2.0  (one with tag = "client-{version}", one with tag = "server-{version}")
    """
    for other in facts.beside:
        if parse(version_in(other.tag, facts.tag) or ""):
            level: Literal["warning"] | None = "warning" if other.subdirectory != facts.project.subdirectory else None
            text = f"{facts.tag} is a tag of {other.name} too, which has the same repository"
            fix = f'tell their tags apart: tag = "{facts.project.name}-{{version}}" for {facts.project.name}'
            yield Said(text=text, fix=fix, level=level)


@rule("TAG015", "on-a-branch")
def on_a_branch(facts: Before) -> Iterator[Said]:
    """The tag's commit is on a branch that releases are made from, where the settings name such branches.

    `branches = ["main", "stable/*"]`: who may sign tags cannot thereby release what nobody merged.

        bad   a commit on feature/x alone
        good  a commit that main has
    """
    wanted = facts.project.branches
    if wanted and not any(fnmatchcase(branch, pattern) for branch in facts.branches for pattern in wanted):
        on = f"on {', '.join(facts.branches[:3])}" if facts.branches else "on no branch"
        text = f"{facts.commit[:12]} is {on}, and not on {' or '.join(wanted)}"
        yield Said(text=text, fix=f"merge it, and tag what {wanted[0]} has then")


BEFORE: tuple[Rule[Before], ...] = (
    signed_by_allowed, tag_pattern, pep440, canonical_version, not_lower, one_tag_per_version, year_jump, version_free,
    name_declared, version_declared, first_prerelease, own_settings, version_in_file, tag_of_one_project, on_a_branch,
)  # fmt: skip
