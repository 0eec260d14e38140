"""Every file of the trail at every place where it belongs, and what lies there that the trail does not know; pure.

    same       there, with the trail's SHA-256        there     there, the place does not tell its digest
    waiting    on its way                             unsent    nothing was ever sent: the place is new in the settings
    dropped    a person decided that it stays away    gone      withdrawn, and not there any more
    yanked     withdrawn, and marked so               unasked   the place tells no names (a deep audit asks it)
    silent     the place did not answer               -         it does not belong there

and what is wrong: `missing` (it was seen there), `other` (other bytes), `extra` (unknown to the trail), `shown`
(withdrawn, and not marked so), `unsaid` (marked as withdrawn, and the trail does not say it).
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from tagtrail.formats.entry import named_files
from tagtrail.formats.site import media
from tagtrail.model.facts import Blob, Effect, Entry, File, Logged, Row, Sidecar, Survey
from tagtrail.model.frozen import frozen, replace
from tagtrail.model.names import name_key, version_key
from tagtrail.ports import Target

__all__ = [
    "BAD",
    "WAITS",
    "Belonging",
    "Cell",
    "Line",
    "absent",
    "belongings",
    "by_name",
    "compared",
    "exit_code",
    "marked",
    "marks",
    "unasked",
    "untold",
]

BAD = frozenset({"missing", "other", "extra", "shown", "unsaid"})
WAITS = frozenset({"waiting", "unsent"})
_STANDS = {"seen": "missing", "dropped": "dropped"}
_THERE = frozenset({"same", "there", "shown", "yanked"})
_UNLISTED = {"": "unasked", "seen": "unasked", "conflict": "other"}
"""What the journal knows of a file at a place that tells no names, where it is neither on its way nor dropped."""
_COPIES = _THERE | {"unsaid"}
_NONE = Blob(sha256="", size=0, media="")


@frozen
class Belonging:
    """A file that belongs at a place, the effect that brings it there, and the state of its row (empty: no row)."""

    place: str
    name: str
    effect: Effect
    state: str = ""


@frozen
class Cell:
    """What became of a file at a place; `sha256` is the digest there, where the place tells another one; `measured`:
    digests were compared."""

    place: str
    state: str
    sha256: str = ""
    measured: bool = False


@frozen
class Line:
    """A file at all places. `sha256` is the trail's; empty: the trail does not know it. No name: what places that show
    no file of a withdrawn version say of it. `gone`: its version was withdrawn."""

    name: str
    version: str
    sha256: str
    cells: tuple[Cell, ...]
    gone: bool = False


def belongings(entry: Entry, targets: Mapping[str, Target], rows: Iterable[Row]) -> tuple[Belonging, ...]:
    """Which files of a release belong at which of these places, as the targets themselves plan it."""
    known = {(row.effect.target, row.effect.key): row.state for row in rows}
    whole = Logged(entry=entry, proof=_NONE, blobs=tuple(_blobs(entry)))
    names = {file.name for file in entry.files}
    found = []
    for place, target in targets.items():
        for effect in target.plan(whole, None):
            name = effect.path.rpartition("/")[2] if isinstance(effect, Effect) else ""
            if isinstance(effect, Effect) and name in names:
                state = known.get((place, effect.key), "")
                found.append(Belonging(place=place, name=name, effect=effect, state=state))
    return tuple(found)


def absent(state: str) -> str:
    """What it means that nothing is there, by the state of the row."""
    return _STANDS.get(state, "waiting") if state else "unsent"


def marks(entry: Entry, targets: Mapping[str, Target], rows: Iterable[Row]) -> tuple[Belonging, ...]:
    """The places that can mark what a withdrawal takes back, each by its version; nobody can look at a blind one."""
    known = {(row.effect.target, row.effect.key): row.state for row in rows}
    bare = Logged(entry=entry, proof=_NONE, blobs=())
    return tuple(
        Belonging(place=place, name=entry.version, effect=item, state=known.get((place, item.key), ""))
        for place, target in targets.items()
        if target.retry != "blind"
        for item in target.plan(bare, None)
        if isinstance(item, Effect)
    )


def untold(wanted: Iterable[Belonging], lines: Iterable[Line], surveys: Iterable[Survey]) -> tuple[Belonging, ...]:
    """The marks that no survey told of: these are looked at one by one."""
    silent = {survey.target for survey in surveys if survey.silent}
    told: dict[tuple[str, str], set[str]] = {}
    for line in lines:
        for cell in line.cells:
            told.setdefault((cell.place, line.version), set()).add(cell.state)
    return tuple(
        one for one in wanted
        if one.place not in silent and told.get((one.place, one.name), set()) & _THERE != {"yanked"}
    )  # fmt: skip


def marked(lines: Iterable[Line], seen: Mapping[tuple[str, str], str]) -> tuple[Line, ...]:
    """The lines with what was found of marks, by (place, version); one more for each version that a place marks, and
    shows no file of."""
    lines = tuple(lines)
    shown = {(cell.place, line.version) for line in lines for cell in line.cells if cell.state in _THERE}
    alone = {(place, version): state for (place, version), state in seen.items() if (place, version) not in shown}
    columns = tuple(dict.fromkeys(place for place, _ in seen)) if not lines else [c.place for c in lines[0].cells]
    told = (replace(line, cells=tuple(_marked(cell, line, seen) for cell in line.cells)) for line in lines)
    return (*told, *(
        Line(name="", version=version, sha256="", cells=tuple(
            Cell(place=place, state=alone.get((place, version), "-")) for place in columns
        ))
        for version in dict.fromkeys(version for _, version in alone)
    ))  # fmt: skip


def _marked(cell: Cell, line: Line, seen: Mapping[tuple[str, str], str]) -> Cell:
    """What was found counts, unless nobody answered and the survey had said that there is no mark."""
    state = seen.get((cell.place, line.version)) if cell.state in _THERE else None
    return replace(cell, state=state) if state and (cell.state, state) != ("shown", "silent") else cell


def compared(
    entries: Iterable[Entry],
    belong: Iterable[Belonging],
    surveys: Sequence[Survey],
    *,
    known: Collection[str] = (),
    own: Collection[str] = (),
) -> tuple[Line, ...]:
    """One line for each file of a project that belongs somewhere or is somewhere.

    `known` are names of other projects' files, which may share a place; of the places in `own` only names of the trail
    are judged: what else lies there is for the audit of the site.
    """
    entries = tuple(entries)
    files = {f.name: (f, e) for e in reversed(entries) if e.event in ("release", "import") for f in named_files(e)}
    withdrawn = {version_key(e.version) for e in entries if e.event == "withdraw"}
    wanted = {(one.place, one.name): one for one in belong}
    places = tuple(_Place(entries[-1].project, survey) for survey in surveys) if entries else ()
    lines = []
    for name, (file, entry) in sorted(files.items()):
        gone = version_key(entry.version) in withdrawn
        cells = tuple(_cell(place, file, wanted.get((place.name, name)), gone=gone) for place in places)
        if any(cell.state != "-" for cell in cells):
            lines.append(Line(name=name, version=entry.version, sha256=file.sha256, cells=cells, gone=gone))
    judged = tuple(place for place in places if place.name not in own)
    sidecars = {name: digest for e in entries for name, digest in e.sidecars}
    strays = _strays({name: f.sha256 for name, (f, _) in files.items()}, judged, sidecars, known)
    return (*lines, *(_stray(name, where, places, sidecars.get(name, "")) for name, where in sorted(strays.items())))


def by_name(lines: Iterable[Line]) -> int:
    """How many copies of files are known to be there by their names alone."""
    cells = (cell for line in lines if line.name for cell in line.cells)
    return sum(cell.state in _COPIES and not cell.measured for cell in cells)


def unasked(lines: Iterable[Line]) -> int:
    """How many copies nobody looked for."""
    return sum(cell.state == "unasked" for line in lines for cell in line.cells)


def exit_code(lines: Iterable[Line]) -> int:
    """7: a place disagrees; 5: one did not answer; 4: something is on its way; 0."""
    states = {cell.state for line in lines for cell in line.cells}
    return 7 if states & BAD else 5 if "silent" in states else 4 if states & WAITS else 0


def _blobs(entry: Entry) -> Iterator[Sidecar]:
    for file in entry.files:
        yield Sidecar(name=file.name, blob=Blob(sha256=file.sha256, size=file.size, media=media(file.name)))
        if file.metadata:
            yield Sidecar(name=f"{file.name}.metadata", blob=Blob(sha256=file.metadata, size=0, media="text/plain"))
    for name, digest in entry.sidecars:
        yield Sidecar(name=name, blob=Blob(sha256=digest, size=0, media=media(name)))


class _Place:
    """A survey with what it tells by name, and by what names mean."""

    def __init__(self, project: str, survey: Survey) -> None:
        self.name = survey.target
        self.survey = survey
        self.told = dict(survey.files)
        self.key_of = {name: name_key(project, name) for name in self.told}
        self.keys = {key: name for name, key in self.key_of.items()}
        self.project = project

    def has(self, name: str) -> str | None:
        """How it writes the name: as it is, or in another spelling; None: it does not have it."""
        return name if name in self.told else self.keys.get(name_key(self.project, name))


def _cell(place: _Place, file: File, belongs: Belonging | None, *, gone: bool) -> Cell:
    name, yanked = place.has(file.name), place.survey.yanked
    if place.survey.silent:
        return Cell(place=place.name, state="silent" if belongs else "-")
    if name is None:
        return Cell(place=place.name, state=_absent(place.survey, belongs, gone=gone))
    digest = place.told[name]
    if digest and digest != file.sha256:
        return Cell(place=place.name, state="other", sha256=digest, measured=True)
    state = "same" if digest else "there"
    if yanked is not None and gone != (name in yanked):
        state = "shown" if gone else "unsaid"
    elif gone and yanked is not None:
        state = "yanked"
    return Cell(place=place.name, state=state, measured=bool(digest))


def _absent(place: Survey, belongs: Belonging | None, *, gone: bool) -> str:
    if belongs is None:
        return "-"
    if place.unlisted:
        return "unasked" if gone else _UNLISTED.get(belongs.state, absent(belongs.state))
    return "gone" if gone else absent(belongs.state)


def _strays(
    files: Mapping[str, str], places: Sequence[_Place], sidecars: Mapping[str, str], known: Collection[str]
) -> dict[str, dict[str, str]]:
    """What no entry accounts for, under any spelling: name to place to the digest there.

    Of a known name in another spelling, beside the known one, the bytes count.
    """
    beside = {f"{name}{end}" for name in files for end in (".tlog-proof", ".metadata")} | {*known, *files}
    strays: dict[str, dict[str, str]] = {}
    for place in places:
        trail = {name_key(place.project, name): (name, digest) for name, digest in files.items()}
        for name, digest in place.survey.files:
            first, ours = trail.get(place.key_of[name], ("", sidecars.get(name, "")))
            as_known = bool(ours) and (digest in ("", ours) or (first and first not in place.told))
            if not as_known and name not in beside:
                strays.setdefault(name, {})[place.name] = digest
    return strays


def _stray(name: str, where: Mapping[str, str], places: Sequence[_Place], ours: str) -> Line:
    state = "other" if ours else "extra"
    return Line(name=name, version="", sha256=ours, cells=tuple(
        Cell(place=place.name, state=state, sha256=where[place.name]) if place.name in where
        else Cell(place=place.name, state="-") for place in places
    ))  # fmt: skip
