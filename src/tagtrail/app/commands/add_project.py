"""`tagtrail add-project PATH|URL`: read what a project says about itself, and write its lines into the settings.

Whole or not at all: the new settings are read back before they take the place of the old ones.
"""

import argparse
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tagtrail.adapters.git import GitSource, public_name
from tagtrail.app.instance.home import find_home, spoken
from tagtrail.app.instance.reading import Instance, open_instance, read_files
from tagtrail.app.instance.signers import Person, git_config, person_of_file, person_of_git
from tagtrail.app.terminal.console import Console
from tagtrail.app.terminal.phrases import signer
from tagtrail.formats.forms import project_fault, repo_fault
from tagtrail.formats.settings import parse_settings, project_of
from tagtrail.formats.settings_text import people_lines, project_lines
from tagtrail.formats.toml import meant
from tagtrail.io import durable
from tagtrail.io.scratch import locked
from tagtrail.model.errors import ProjectError, SetupError
from tagtrail.model.names import project_key
from tagtrail.model.settings import FILE, PYTHON, Settings
from tagtrail.rules.declared import Declared, declared
from tagtrail.rules.registry import FIRM
from tagtrail.rules.versions import PATTERNS, pattern_of, scheme_of

__all__ = ["arguments", "run"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """What a repository says about itself."""

    repo: str
    stem: str
    directory: Path
    public: str
    tag: str
    versions: str
    says: Declared


@dataclass(frozen=True, slots=True, kw_only=True)
class _Signers:
    """A group that may sign; `person` is new to the settings."""

    group: str
    words: str
    person: Person | None = None


def arguments(parser: argparse.ArgumentParser) -> None:
    """PATH|URL [--name N] [--kind K] [--signer FILE|GROUP]."""
    parser.add_argument("repo", metavar="PATH|URL", help="the project's repository")
    parser.add_argument("--name", metavar="NAME", help="its name (else what its files say)")
    parser.add_argument("--kind", metavar="KIND", help="a kind of the settings (else by its classifiers)")
    parser.add_argument(
        "--signer", metavar="FILE|GROUP", help="who signs its tags (else whom git's configuration says)"
    )


def run(args: argparse.Namespace, console: Console) -> int:
    """Add the project. Raises SetupError and ProjectError; then nothing was changed."""
    home = find_home(args.home)
    with locked(home / "state" / "settings.lock"):
        instance = open_instance(home)
        found = _look(args.repo)
        name = _name(args.name or found.says.name or found.stem, instance.settings)
        kind = args.kind or _kind(found.says, instance.settings)
        signers = _signers(args.signer, instance, found)
        text = _lines(found, name, kind, _versions(found, kind, instance.settings), signers)
        settings = _write(instance, text, signers)
    count = sum(1 for line in text.split("\n") if "=" in line)
    about = {"project": name, "kind": kind, "backend": found.says.backend, "signers": signers.words}
    console.tell("added", about | {"lines": count, "file": spoken(home / FILE)})
    _tell_later(settings, name, console)
    following = f"tagtrail check {name} {found.tag.replace('{version}', 'VERSION')}"
    console.tell("outcome", {"exit": 0, "state": "", "text": f"{name} is known here", "next": following})
    return 0


def _look(repo: str) -> _Found:
    """Read the repository at HEAD; a URL is fetched into a directory that does not stay."""
    path = Path(repo).expanduser()
    local = "://" not in repo and path.exists()
    where = str(path.resolve()) if local else repo
    if fault := repo_fault(where):
        what = f"{repo!r} is no repository: it {fault}"
        raise SetupError(what, code="repo-missing", hint="tagtrail add-project PATH, or URL")
    with tempfile.TemporaryDirectory(prefix="tagtrail-") as mirrors:
        source = GitSource(Path(mirrors))
        tagged = source.read(where, "HEAD")
        tags = tuple(name for name, _ in source.tags(where))
    says = declared(tagged.pyproject, tagged.setup_cfg)
    if says.broken:
        raise ProjectError(says.broken, code="pyproject-broken", hint="mend pyproject.toml and commit it")
    pattern = pattern_of(tags, says.name)
    return _Found(
        repo=where,
        stem=where.rstrip("/").rpartition("/")[2].removesuffix(".git"),
        directory=Path(where) if local else Path.cwd(),
        public=_public(Path(where)) if local else "",
        tag=pattern,
        versions="pep440" if says.python else scheme_of(tags, pattern),
        says=says,
    )


def _public(repository: Path) -> str:
    """The address of `origin`, where others can read it without a key."""
    remote = git_config(repository, "remote.origin.url")
    return public_name(remote) if remote.startswith("https://") else ""


def _name(name: str, settings: Settings) -> str:
    if fault := project_fault(name):
        what = f"{name!r} cannot be a project's name: {fault}"
        raise SetupError(what, code="project-name", hint="tagtrail add-project ... --name NAME")
    taken = next((p for p in settings.projects if project_key(p.name) == project_key(name)), None)
    if taken:
        what = f"{name} is a project here already{'' if taken.name == name else f', as {taken.name}'}"
        hint = f"change [project.{taken.name}] in {FILE}, or give another --name"
        raise SetupError(what, code="project-exists", why=f"its repository is {taken.repo}", hint=hint)
    return name


def _kind(says: Declared, settings: Settings) -> str:
    """The kind whose classifiers the project has; else a library, or generic where nothing is Python."""
    marked = (k.name for k in settings.kinds if k.classifiers and set(k.classifiers) <= set(says.classifiers))
    usual = "library" if says.python else "generic"
    kind = next(marked, usual)
    if kind not in {k.name for k in settings.kinds}:
        known = ", ".join(k.name for k in settings.kinds)
        what = f"it is not clear which kind of project this is: there is no [kind.{kind}]"
        raise SetupError(
            what, code="kind-unknown", why=f"there are {known}", hint="tagtrail add-project ... --kind KIND"
        )
    return kind


def _versions(found: _Found, kind: str, settings: Settings) -> str:
    """The scheme that its tags show, where its kind leaves that open; empty where there is nothing to say."""
    loose = any(k.name == kind and k.versions == "pep440" and not PYTHON & set(k.build) for k in settings.kinds)
    return "semver" if loose and found.versions == "semver" else ""


def _signers(given: str | None, instance: Instance, found: _Found) -> _Signers:
    groups = {group.name: group for group in instance.settings.people}
    if given in groups:
        return _Signers(group=groups[given].name, words=groups[given].name)
    file = Path(given).expanduser() if given else None
    if given and file and not file.exists():
        what = f"--signer {given}: there is neither a group nor a file of this name"
        raise SetupError(what, code="signer-file", why=meant(given, groups).lstrip(", "), hint="ls keys/*.asc")
    person = person_of_file(file) if file else person_of_git(found.directory)
    key = person.keys[0]
    words = f"{signer(key.scheme, key.fingerprint)}, {person.source}"
    for group in groups.values():
        if {k.fingerprint for k in instance.group(group)} == {k.fingerprint for k in person.keys}:
            return _Signers(group=group.name, words=f"{group.name} ({words})")
    free = next(n for n in (person.name, *(f"{person.name}-{i}" for i in range(2, 10_000))) if n not in groups)
    return _Signers(group=free, words=f"{free} ({words})", person=person)


def _lines(found: _Found, name: str, kind: str, versions: str, signers: _Signers) -> str:
    people = people_lines(signers.group, (_key_file(signers),)) if signers.person else ""
    tag = "" if found.tag == PATTERNS[0] else found.tag
    about = {"public": found.public, "tag": tag, "versions": versions}
    return people + project_lines(name, kind=kind, repo=found.repo, signers=(signers.group,), **about)


def _key_file(signers: _Signers) -> str:
    return f"keys/{signers.group}{signers.person.suffix if signers.person else ''}"


def _write(instance: Instance, text: str, signers: _Signers) -> Settings:
    """The new key file, then the new settings; neither where anything fails."""
    files = read_files(instance.home)
    whole = files[FILE].rstrip(b"\n") + b"\n" + text.encode()
    settings = parse_settings(files | {FILE: whole}, lambda: FIRM)
    path = (instance.home / FILE).resolve()
    key_file = instance.home / _key_file(signers)
    if signers.person is None:
        durable.write(path, whole, mode=path.stat().st_mode & 0o777)
        return settings
    if key_file.exists():
        what = f"{key_file} is there already, and no group uses it"
        raise SetupError(what, code="key-file-exists", hint=f"remove it, or --signer {spoken(key_file)}")
    try:
        durable.write(key_file, signers.person.file, mode=0o644)
        durable.write(path, whole, mode=path.stat().st_mode & 0o777)
    except BaseException:
        key_file.unlink(missing_ok=True)
        raise
    return settings


def _tell_later(settings: Settings, name: str, console: Console) -> None:
    """What this version cannot do yet for the project is said now, not at its first release."""
    try:
        project_of(settings, name)
    except SetupError as error:
        console.line("\n".join(filter(None, (f"note   {error.what}:", error.why, error.hint))))
