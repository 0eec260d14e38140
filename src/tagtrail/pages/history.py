"""A project's entries as releases: what stands under one version now, and what happened to it."""

from collections.abc import Iterable
from functools import lru_cache

from packaging.version import InvalidVersion, Version

from tagtrail.formats.purl import purl_type
from tagtrail.formats.site import project_page, release_page
from tagtrail.model.facts import Entry, File
from tagtrail.model.frozen import frozen
from tagtrail.model.names import version_key
from tagtrail.model.visibility import seen_by
from tagtrail.pages.view import View

__all__ = ["PRE", "Release", "newest", "page_about", "reason", "releases", "same_version", "visible", "whole_project"]

PRE = frozenset({"rc", "beta", "alpha", "dev"})
"""Channels of pre-releases."""

_key = lru_cache(maxsize=1 << 16)(version_key)


def same_version(one: str, other: str) -> bool:
    """`1.0` and `1.0.0` are one version (PEP 440)."""
    return _key(one) == _key(other)


def reason(entry: Entry) -> str:
    """Why something was withdrawn, in the words of who did it."""
    return entry.reason


@frozen
class Release:
    """One version: its release entries (the later ones add files) and the other events about it, oldest first."""

    entries: tuple[Entry, ...]
    events: tuple[Entry, ...] = ()

    @property
    def first(self) -> Entry:
        """The entry that made it a release."""
        return self.entries[0]

    @property
    def project(self) -> str:
        """As the first entry writes it: where its page is."""
        return self.first.project

    @property
    def version(self) -> str:
        """As the first entry writes it."""
        return self.first.version

    @property
    def files(self) -> tuple[File, ...]:
        """Every file that stands under this version, as the entry says that first named it, by name."""
        files = {file.name: file for entry in reversed(self.entries) for file in entry.files}
        return tuple(files[name] for name in sorted(files))

    @property
    def sidecars(self) -> dict[str, str]:
        """Name to SHA-256 of all sidecars."""
        return {name: digest for entry in self.entries for name, digest in sorted(entry.sidecars)}

    @property
    def notes(self) -> tuple[str, str] | None:
        """Name and SHA-256 of the release notes."""
        return self._first(".notes.md")

    @property
    def runbook(self) -> tuple[str, str] | None:
        """Name and SHA-256 of the process by which it was released."""
        return self._first(".runbook.md")

    @property
    def contacts(self) -> tuple[str, str] | None:
        """Name and SHA-256 of what says where bugs go."""
        return self._first(".contacts.json")

    def _first(self, suffix: str) -> tuple[str, str] | None:
        return next(((name, digest) for name, digest in self.sidecars.items() if name.endswith(suffix)), None)

    @property
    def withdrawn(self) -> Entry | None:
        """The entry that withdrew it."""
        return next((e for e in self.events if e.event == "withdraw"), None)

    @property
    def is_pre(self) -> bool:
        """Installers do not take it unless asked, or unless nothing else fits."""
        return self.first.channel in PRE

    @property
    def is_python(self) -> bool:
        """A project of the Python package index's kind."""
        return any(purl_type(e.purl) == "pypi" for e in self.entries)

    def home(self, name: str) -> str:
        """The project's name as the entry writes it that first named a file or sidecar: where it lies."""
        named = (e for e in self.entries if name in dict(e.sidecars) or any(f.name == name for f in e.files))
        return next(named, self.first).project

    def entry_of(self, file: File) -> Entry:
        """The entry that first named a file."""
        return next(e for e in self.entries if any(f.name == file.name for f in e.files))


def releases(entries: Iterable[Entry]) -> tuple[Release, ...]:
    """The releases among a project's entries, oldest first."""
    own: dict[str, list[Entry]] = {}
    about: dict[str, list[Entry]] = {}
    for entry in entries:
        (own if entry.event == "release" else about).setdefault(_key(entry.version), []).append(entry)
    return tuple(Release(entries=tuple(found), events=tuple(about.get(key, ()))) for key, found in own.items())


def visible(entries: Iterable[Entry], release: Release) -> str:
    """Who saw a Python release when it came out, beside what was there then: a fact that stays what it was."""
    new = _version(release.version)
    if not release.is_python or new is None:
        return ""
    before = releases(e for e in entries if e.index < release.first.index)
    there = {version: r.withdrawn is not None for r in before if (version := _version(r.version)) is not None}
    return seen_by(release.project, new, there, yanked=(version for version, gone in there.items() if gone))


@lru_cache(maxsize=1 << 16)
def _version(text: str) -> Version | None:
    try:
        return Version(text)
    except InvalidVersion:
        return None


def whole_project(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """The events that belong to no release, oldest first."""
    entries = tuple(entries)
    versions = {_key(e.version) for e in entries if e.event == "release"}
    return tuple(e for e in entries if e.event != "release" and _key(e.version) not in versions)


def newest(found: Iterable[Release]) -> Release | None:
    """The release to take: the highest version (PEP 440) that is final and not withdrawn.

    Where versions are not all PEP 440, the one logged last.
    """
    fit = [r for r in found if not r.is_pre and not r.withdrawn]
    try:
        return max(fit, key=lambda r: Version(r.version), default=None)
    except InvalidVersion:
        return fit[-1]


def page_about(view: View, entry: Entry) -> str:
    """The page that tells about an entry: the release's, else the project's, else the front page."""
    if entry.event == "release":
        return release_page(entry.project, entry.version)
    found = releases(view.entries(entry.project))
    if not found:
        return "index.html"
    about = next((r for r in found if same_version(r.version, entry.version)), None)
    return release_page(about.project, about.version) if about else project_page(found[0].project)
