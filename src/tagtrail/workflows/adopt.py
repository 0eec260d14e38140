"""First contact with a project that has history: what was released before the trail is marked as known, nobody is told.

What the repository's tags and the places show now becomes one `import` entry for each version: names, digests, the
tag's commit. Nothing is fetched to be kept, nothing is signed, published or announced. Where two places show two
digests under one name nobody here can say which is the original: that version is left out until a person has looked.
"""

from collections.abc import Iterable, Mapping, Sequence

from tagtrail.formats.drafts import import_draft
from tagtrail.formats.entry import NAME, named_files
from tagtrail.model.facts import Draft, Entry, Survey
from tagtrail.model.frozen import frozen, replace
from tagtrail.model.names import name_key, version_key
from tagtrail.model.settings import Project
from tagtrail.rules.filenames import beside, version_of
from tagtrail.rules.grammar import classify, grammar_of
from tagtrail.rules.versions import channel_of, read
from tagtrail.trail.show import show
from tagtrail.workflows.enter import enter_all
from tagtrail.workflows.render import render
from tagtrail.workflows.road import Road

__all__ = ["Adoption", "Old", "Trouble", "adopt", "adoption"]

_CLAIMS = ("release", "import")
_LEFT_OUT = {"no-version": "says no version of {0}", "file-name": "has a name that the trail cannot hold"}
_AT_ONCE = 200
"""Files in one entry: what a leaf holds even with the longest names."""


@frozen
class Old:
    """A version that was released before the trail: its files (name, SHA-256) and its tag's commit, if there is one."""

    version: str
    channel: str
    files: tuple[tuple[str, str], ...]
    commit: str = ""


@frozen
class Trouble:
    """What keeps a version, or a file, out: a reason code, what it is about, what is there. An `alarm` is for a person
    to look at before anything is released; all else is left out lawfully."""

    code: str
    name: str
    text: str
    alarm: bool = False


@frozen
class Adoption:
    """What would be imported, oldest version first; how many versions the trail knows already; what is left out."""

    new: tuple[Old, ...]
    known: int
    troubles: tuple[Trouble, ...] = ()


# --- what is there --------------------------------------------------------------------------------------------------


@frozen
class _Tag:
    """A tag that says a version."""

    name: str
    commit: str
    version: str


@frozen
class _Seen:
    """A file under one `name_key`: as the first place spells it and its version, with every digest and who shows it."""

    name: str
    version: str
    digests: Mapping[str, tuple[str, ...]]


def adoption(
    project: Project,
    history: Iterable[Entry],
    tags: Sequence[tuple[str, str]],
    places: Sequence[Survey],
    *,
    tags_alone: bool = False,
) -> Adoption:
    """What is known of a project before the trail; pure.

    `tags` are (short name, commit's id). With `tags_alone`, a tag of which no place has a file is history too: without
    it, it may as well be one that is still to be released.
    """
    history = tuple(e for e in history if e.event in _CLAIMS)
    released = {version_key(e.version) for e in history if e.event == "release"}
    imported = {version_key(e.version) for e in history if e.event == "import"}
    commits, troubles = _commits(project, tags)
    files, strays = _files(project, places)
    trail = {name_key(project.name, f.name): f.sha256 for e in history for f in named_files(e)}
    found, known = [], 0
    for key in sorted({*files, *commits} - released, key=lambda key: _order(project, _version(key, commits, files))):
        version, seen = _version(key, commits, files), files.get(key, {})
        wrong = _troubles(version, seen, trail)
        troubles += wrong
        new = _new(seen, trail)
        if any(trouble.alarm for trouble in wrong) or (key in imported and not new):
            known += key in imported
        elif new or (tags_alone and not seen):
            channel = channel_of(read(project.versions, version))
            commit = commits[key].commit if key in commits and key not in imported else ""
            found.append(Old(version=version, channel=channel, files=new, commit=commit))
        elif not seen:
            text = f"the tag {commits[key].name} has no file at any place: it may be still to be released"
            troubles.append(Trouble(code="tag-alone", name=version, text=text))
    known += len(released & {*files, *commits})
    return Adoption(new=tuple(found), known=known, troubles=(*troubles, *strays))


def _commits(project: Project, tags: Sequence[tuple[str, str]]) -> tuple[dict[str, _Tag], list[Trouble]]:
    """By version key; two commits for one version are none."""
    grammar, found, twice = grammar_of(project), dict[str, _Tag](), list[Trouble]()
    for tag, commit in tags:
        meaning = classify(grammar, tag)
        if meaning.kind != "release":
            continue
        new = _Tag(name=tag, commit=commit, version=meaning.version)
        first = found.setdefault(version_key(meaning.version), new)
        if first.commit != commit:
            text = f"the tags {first.name} and {tag} are two commits, {first.commit[:12] or 'others'} and {commit[:12]}"
            twice.append(Trouble(code="tag-twice", name=new.version, text=f"{text}: no commit is imported"))
            found[version_key(meaning.version)] = replace(first, commit="")
    return found, twice


def _files(project: Project, places: Sequence[Survey]) -> tuple[dict[str, dict[str, _Seen]], list[Trouble]]:
    """By version key the files of it, by their `name_key`; what is of no version is left out."""
    found: dict[str, dict[str, _Seen]] = {}
    strays: dict[tuple[str, str], str] = {}
    for place in places:
        for name, digest in place.files:
            if beside(name):
                continue
            version = version_of(project.name, name, project.versions)
            if not version or not NAME.fullmatch(name):
                strays.setdefault((name, "file-name" if version else "no-version"), place.target)
                continue
            of_version = found.setdefault(version_key(version), {})
            key = name_key(project.name, name)
            before = of_version.get(key) or _Seen(name=name, version=version, digests={})
            where = (*before.digests.get(digest, ()), place.target)
            of_version[key] = replace(before, digests={**before.digests, digest: where})
    troubles = [
        Trouble(code=code, name=name, text=f"{name!r} at {place} {_LEFT_OUT[code].format(project.name)}")
        for (name, code), place in sorted(strays.items())
    ]
    return found, troubles


def _version(key: str, commits: Mapping[str, _Tag], files: Mapping[str, Mapping[str, _Seen]]) -> str:
    """As the tag writes it, else as a file does."""
    return commits[key].version if key in commits else next(iter(files[key].values())).version


def _troubles(version: str, seen: Mapping[str, _Seen], trail: Mapping[str, str]) -> list[Trouble]:
    troubles = []
    for key, file in sorted(seen.items()):
        told = {digest: where for digest, where in file.digests.items() if digest}
        if key in trail and {*told} - {trail[key]}:
            told[trail[key]] = (*told.get(trail[key], ()), "the trail")
        if len(told) > 1:
            text = "; ".join(f"{digest[:16]}... at {', '.join(where)}" for digest, where in sorted(told.items()))
            text = f"{file.name} is {text}"
            troubles.append(Trouble(code="two-digests", name=version, text=text, alarm=True))
        elif not told and key not in trail:
            where = ", ".join(file.digests[""])
            text = f"{file.name} is at {where}, and nobody tells its digest"
            troubles.append(Trouble(code="digest-untold", name=version, text=text))
    return troubles


def _new(seen: Mapping[str, _Seen], trail: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """The files of a version that the trail does not know, of which somebody tells the digest."""
    told = ((file.name, next(filter(None, file.digests), "")) for key, file in seen.items() if key not in trail)
    return tuple(sorted((name, digest) for name, digest in told if digest))


def _order(project: Project, version: str) -> tuple[bool, object]:
    parsed = read(project.versions, version)
    return (parsed is not None, parsed or version)


# --- into the trail -------------------------------------------------------------------------------------------------


def adopt(road: Road, project: Project, found: Adoption) -> tuple[Entry, ...]:
    """Enter all of it at once, and show it; returns the entries. Run it again to go on where it broke off.

    Raises ProjectError `file-name`; what `enter` raises; RemoteError `upload-failed`.
    """
    drafts = tuple(draft for old in found.new for draft in _drafts(project, old))
    entered = enter_all(road, lambda _: drafts) if drafts else ()
    show(road.ledger, road.store, road.journal)
    pages = road.lease("pages")
    render(road.ledger, road.store, road.kept, road.journal, tell=road.tell, clock=road.clock, lock=pages)
    return entered


def _drafts(project: Project, old: Old) -> Iterable[Draft]:
    """One, or several where a leaf would not hold all files."""
    for start in range(0, len(old.files) or 1, _AT_ONCE):
        files = old.files[start : start + _AT_ONCE]
        yield import_draft(project.name, old.version, old.channel, files, old.commit)
