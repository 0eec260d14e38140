"""What rules are asked about: a tag before anything is built, and the files of a release after it."""

from dataclasses import dataclass, field
from typing import Literal

from packaging.version import Version

from tagtrail.model.errors import Error
from tagtrail.model.facts import Entry
from tagtrail.model.frozen import frozen
from tagtrail.model.names import version_key
from tagtrail.model.settings import Project
from tagtrail.rules.declared import Declared
from tagtrail.rules.versions import parse, starts_with_year, version_in

__all__ = ["After", "Before"]


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


@frozen
class After:
    """The names of a release's files, as built or brought.

    `generated` are the members of each archive that are no file of the tag, without an sdist's top directory;
    `reasons` are (pattern, reason) of those that the settings say the project's build makes. Without `python`, a
    `.tar.gz` is no sdist, and its name is read as any other.
    """

    project: str
    version: str
    files: tuple[str, ...]
    generated: tuple[tuple[str, tuple[str, ...]], ...] = ()
    reasons: tuple[tuple[str, str], ...] = ()
    python: bool = True

    def lacks(self, need: str) -> str:
        """Nothing: files are all that is asked about."""
        return ""
