"""What rules are asked about: a tag before anything is built, and the files of a release after it."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Literal

from packaging.version import Version

from tagtrail.model.errors import Error
from tagtrail.model.facts import Entry, Remark, Survey
from tagtrail.model.frozen import frozen, sparse
from tagtrail.model.metadata import IndexView, Metadata
from tagtrail.model.names import version_key
from tagtrail.model.settings import Project
from tagtrail.rules.declared import Declared
from tagtrail.rules.grammar import Meaning, classify, grammar_of
from tagtrail.rules.versions import channel_of, read, spelled, starts_with_year

__all__ = ["After", "Before", "Described", "Patch"]

_key = lru_cache(maxsize=1 << 16)(version_key)


@frozen
class Patch:
    """What a patch release is held against: the version before it, and what the project's files say there and now.

    `unread` is why the files of the version before could not be read.
    """

    follows: str
    before: Declared = Declared()
    now: Declared = Declared()
    unread: str = ""

    @property
    def unknown(self) -> str:
        """Why the requirements cannot be compared; empty where they can."""
        sides = ((self.follows, self.before), ("this commit", self.now))
        unsaid = next((where for where, side in sides if side.asks is None), "")
        return self.unread or (unsaid and f"the files at {unsaid} do not say what the project needs")


@frozen
class Before:
    """What is known before a build. `tag` is the tag's name, `kind` whether it is there, `sha256` its raw object's.

    `commit` is what would be built. `refusal` is why the tag's signature does not count; it is asked only where
    `judged`. `tags` are the repository's tags; `history` the project's entries, oldest first, as they are in the trail.
    `written` is the file that `declares` names (None: there is none), `branches` those that have the commit: both are
    looked for only where the settings ask for them. `beside` are the other projects of the same repository. `surveys`
    are what the places say that the release would go to; `unsurveyed` is why none was asked. `time` is when the commit
    was made, in Unix seconds (0: not known); `candidates` are (tag, commit) of the rc tags of this version, where a
    final must be the last of them; `patch` is what a patch release follows, None for others. `unseen` are tags that
    nobody has seen yet, for they are about to be pushed.
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
    declared: Declared = Declared()
    written: bytes | None = None
    branches: tuple[str, ...] = ()
    beside: tuple[Project, ...] = ()
    surveys: tuple[Survey, ...] = ()
    unsurveyed: str = ""
    time: int = 0
    candidates: tuple[tuple[str, str], ...] = ()
    patch: Patch | None = None
    unseen: tuple[str, ...] = sparse(())

    @property
    def meaning(self) -> Meaning:
        """What the tag is in the project's grammar."""
        return classify(grammar_of(self.project), self.tag)

    @property
    def version(self) -> str:
        """What the tag says, as written; empty where it fits no pattern."""
        return self.meaning.version

    @property
    def parsed(self) -> Version | None:
        """The version with its order, where the tag says one and the project's scheme has an order."""
        return read(self.project.versions, self.version)

    @property
    def says_version(self) -> bool:
        """Whether there is something to release: a version of the project's scheme."""
        return self.meaning.kind == "release"

    @property
    def channel(self) -> str:
        """The version's channel; empty where there is no version."""
        return channel_of(self.parsed) if self.says_version else ""

    @property
    def taken(self) -> Entry | None:
        """The trail's entry of this version, in any spelling."""
        return self._taken_of(self._releases)

    @property
    def released(self) -> tuple[Version, ...]:
        """What was released before, oldest first: by the trail, or by the tags where the trail names none."""
        if not (known := self._releases):
            return self._tagged
        end = self._taken_of(known)
        texts = (e.version for e in known if end is None or e.index < end.index)
        return tuple(v for v in (read(self.project.versions, text) for text in texts) if v)

    @property
    def last(self) -> str:
        """The version that the trail released last before this one; empty where there is none."""
        end = self.taken
        before = [e.version for e in self._releases if end is None or e.index < end.index]
        return before[-1] if before else ""

    def spelling(self, version: Version | None) -> str:
        """How the trail writes a version, else how the project does; empty where there is none."""
        scheme = self.project.versions
        written = (e.version for e in self._releases if version and read(scheme, e.version) == version)
        return next(written, spelled(scheme, version) if version else "")

    @property
    def by_tags(self) -> bool:
        """Whether `released` was read from tags."""
        return not self._releases

    @property
    def mildly(self) -> Literal["warning"] | None:
        """How strongly `released` may be held against the version: tags do not say what came first once it is there,
        but for one that is about to be pushed, where others were there before."""
        return "warning" if self.by_tags and self.kind != "absent" and not self._seen else None

    @property
    def _releases(self) -> tuple[Entry, ...]:
        withdrawn = {_key(e.version) for e in self.history if e.event == "withdraw"} - {_key(self.version)}
        kept = (e for e in self.history if e.event in ("release", "import") and e.version)
        return tuple(e for e in kept if not withdrawn or _key(e.version) not in withdrawn)

    def _taken_of(self, known: Iterable[Entry]) -> Entry | None:
        own = _key(self.version) if self.version else None
        return next((e for e in known if _key(e.version) == own), None)

    @property
    def _tagged(self) -> tuple[Version, ...]:
        return self._seen or self._versions(self.tags)

    @property
    def _seen(self) -> tuple[Version, ...]:
        """What others have, where this tag is about to be pushed to them: it came before."""
        pushed = frozenset(self.unseen)
        return self._versions(tag for tag in self.tags if tag not in pushed) if self.tag in pushed else ()

    def _versions(self, tags: Iterable[str]) -> tuple[Version, ...]:
        grammar = grammar_of(self.project)
        said = (classify(grammar, tag) for tag in tags if tag != self.tag)
        versions = {read(grammar.scheme, m.version) for m in said if m.kind == "release"} - {None, self.parsed}
        return tuple(sorted(filter(None, versions), key=lambda v: (not starts_with_year(v), v)))

    def lacks(self, need: str) -> str:
        """Why a rule that needs `version`, `order`, `signature` or `requirements` cannot be asked."""
        if need in ("version", "order", "requirements") and not self.says_version:
            return f"no version in {self.tag!r}"
        if need == "order" and self.parsed is None:
            return f"versions = {self.project.versions!r}: nobody knows what comes after what"
        if need == "requirements" and self.patch:
            return self.patch.unknown
        if need == "signature" and not self.judged:
            return self.unjudged or f"there is no tag {self.tag} yet"
        return self.unsurveyed if need == "places" else ""


@frozen
class Described:
    """What files say of themselves, those that say the same together, and how that looks on a package index."""

    files: tuple[str, ...]
    says: Metadata
    view: IndexView


@frozen
class After:
    """The names of a release's files, as built or brought, and what is in them.

    `generated` are the members of each archive that are no file of the tag, without an sdist's top directory;
    `reasons` are (pattern, reason) of those that the settings say the project's build makes. Without `python`, a
    `.tar.gz` is no sdist, and its name is read as any other. `settings` are the project's (None: not known here),
    `indexed` whether they publish to a package index. `remarks` are (file, what was noticed in it). `previous` is what
    the release `follows` said of itself, where this one is a patch of it.
    """

    project: str
    version: str
    files: tuple[str, ...]
    generated: tuple[tuple[str, tuple[str, ...]], ...] = ()
    reasons: tuple[tuple[str, str], ...] = ()
    python: bool = True
    settings: Project | None = None
    indexed: bool = False
    described: tuple[Described, ...] = ()
    remarks: tuple[tuple[str, Remark], ...] = ()
    follows: str = ""
    previous: Metadata | None = None

    @property
    def mildly(self) -> Literal["warning"] | None:
        """How strongly is held against a release what a package index refuses, and nobody else."""
        return None if self.indexed else "warning"

    def lacks(self, need: str) -> str:
        """Why a rule that needs `settings`, `metadata`, `view` or `previous` cannot be asked."""
        if need == "settings" and self.settings is None:
            return "the project's settings are not known here"
        if need in ("metadata", "view") and not self.described:
            return "no file here has metadata"
        if need == "view":
            return next((d.view.unasked for d in self.described if d.view.unasked), "")
        if need == "previous" and self.previous is None:
            return "it is no patch of a release whose metadata are here"
        return ""
