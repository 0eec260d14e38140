"""A checkout as it lies, or a project of an instance: which one is meant, and the case of a tag of it.

A checkout is one of the instance that `-C` or `$TAGTRAIL_HOME` names, if its settings have it; otherwise no instance is
used at all: what lies in parent directories may be anybody's.
"""

import os
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tagtrail.adapters.git import GitSource
from tagtrail.app.instance.home import find_home
from tagtrail.app.instance.reading import Instance, open_instance
from tagtrail.formats.settings import project_of
from tagtrail.model.facts import Override
from tagtrail.model.frozen import replace
from tagtrail.model.settings import Org, Project, Settings
from tagtrail.rules.declared import declared
from tagtrail.rules.versions import pattern_of, scheme_of
from tagtrail.workflows.case import Case
from tagtrail.workflows.examine import Examined, Known, examined, gather

__all__ = ["Meant", "checkout", "meant"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Meant:
    """A project to be asked about: of an instance, or a directory that no instance is known for."""

    directory: Path
    instance: Instance | None = None
    project: Project | None = None

    def case(self, tag: str, at: str | None = None) -> Case:
        """The case of a tag or version. Raises what `gather` raises."""
        return (
            self._known(self.instance, self.project, tag, at) if self.instance and self.project else self._bare(tag, at)
        )

    @staticmethod
    def _known(instance: Instance, project: Project, tag: str, at: str | None) -> Case:
        from tagtrail.app.instance.places import asking

        known = Known(
            history=instance.history(project),
            keys=instance.keys(project),
            now=int(time.time()),  # noqa: TID251  (a command is where the clock is read)
            ask=asking(instance),
        )
        return gather(Meant._source(instance), instance.settings, project, tag, known, at=at)

    def judged(self, case: Case, overrides: Sequence[Override] = ()) -> Examined:
        """The case judged; of an instance's project with what keeps its notes from being read, which no rule asks."""
        found = examined(case, overrides)
        if self.instance is None or self.project is None or not self.project.notes:
            return found
        from tagtrail.adapters.git_notes import GitNotes
        from tagtrail.workflows.notes import unwritten

        with tempfile.TemporaryDirectory(prefix="tagtrail-") as room:
            stops = unwritten(GitNotes(Path(room)), self._source(self.instance), found)
        return replace(found, verdict=replace(found.verdict, findings=(*found.findings, *stops)))

    @staticmethod
    def _source(instance: Instance) -> GitSource:
        return GitSource(instance.home / "state" / "repos")

    def _bare(self, tag: str, at: str | None) -> Case:
        source = GitSource(Path(os.devnull))  # a checkout is read where it lies: nothing is mirrored
        files = source.read(str(self.directory), tag, at)
        says = declared(files.pyproject, files.setup_cfg)
        python = says.python or source.file(str(self.directory), files.commit, "setup.py") is not None
        tags = tuple(known for known, _ in source.tags(str(self.directory)))
        project = _guessed(says.name or self.directory.name, str(self.directory), tags, tag, python=python)
        settings = Settings(org=Org(name="", origin=""), people=(), targets=(), kinds=(), projects=(project,))
        return gather(source, settings, project, tag, Known(), at=at)


def _guessed(name: str, repo: str, tags: tuple[str, ...], asked: str, *, python: bool) -> Project:
    """A project of which only its files and its tags are known; where it has none yet, the one that is asked about."""
    pattern = pattern_of(tags or (asked,), name)
    scheme = "pep440" if python else scheme_of((*tags, asked), pattern)
    build = ("sdist", "wheel") if python else ("tar.gz",)
    return Project(name=name, kind="", repo=repo, signers=(), tag=pattern, versions=scheme, build=build)


def meant(home: str | None, name: str) -> Meant:
    """What `name` means: a path (`.`, `/...`, `~...`) is a checkout, anything else a project. Raises SetupError."""
    path = Path(name) if name.startswith((".", "/", "~")) else None
    instance = _instance(home, path)
    if path is None and instance is not None:
        return Meant(directory=Path.cwd(), instance=instance, project=project_of(instance.settings, name))
    directory = checkout(path or Path.cwd())
    project = _project_at(instance, directory) if instance else None
    return Meant(directory=directory, instance=instance, project=project)


def checkout(path: Path) -> Path:
    """The top of the checkout that `path` lies in; itself where there is none."""
    start = path.expanduser().resolve()
    return next((d for d in (start, *start.parents) if (d / ".git").exists()), start)


def _instance(home: str | None, path: Path | None) -> Instance | None:
    if path is None or home or os.environ.get("TAGTRAIL_HOME"):
        return open_instance(find_home(home))
    return None


def _project_at(instance: Instance, directory: Path) -> Project | None:
    local = (p for p in instance.settings.projects if p.repo.startswith("/"))
    return next((p for p in local if Path(p.repo).resolve() == directory), None)
