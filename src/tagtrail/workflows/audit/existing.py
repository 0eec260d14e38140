"""What an index, a directory of tarballs and a repository's tags have of one project, and how they differ; pure.

A version on the index that is no tarball, or the other way round; one name with two digests; a tag without release, a
release without tag; a tag that nobody signed; a tarball without signature; a name that two places spell in two ways.
Reason codes: no-tarball, not-on-index, two-digests, no-release, no-tag, tag-unsigned, signature-missing, spelling.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from packaging.version import Version

from tagtrail.model.facts import Survey
from tagtrail.model.frozen import frozen
from tagtrail.model.names import name_key, version_key
from tagtrail.rules.filenames import beside, version_of
from tagtrail.rules.versions import PATTERNS, parse, version_in

__all__ = ["Difference", "Tag", "Told", "columns", "differences"]

SIGNATURES = (".asc", ".sig", ".sigstore", ".sigstore.json", ".minisig")


@frozen
class Tag:
    """A tag, and whether it has a signature."""

    name: str
    signed: bool


@frozen
class Told:
    """What was asked of one project; None: nobody asked. A `silent` place says nothing of any version."""

    project: str
    index: Survey | None = None
    tarballs: Survey | None = None
    tags: tuple[Tag, ...] | None = None


@frozen
class Difference:
    """A version of which the places do not agree: what each has (index, tarballs, tags, as far as they were asked),
    the reason codes, and each in words. `name` is the version, or `every version`; `digests` are (name on the index,
    SHA-256 there, SHA-256 among the tarballs) of files that are not the same."""

    name: str
    cells: tuple[str, ...]
    codes: tuple[str, ...]
    notes: tuple[str, ...] = ()
    digests: tuple[tuple[str, str, str], ...] = ()


@frozen
class _Version:
    """One version: the files on the index and among the tarballs (name to digest), and its tag."""

    index: Mapping[str, str]
    tarballs: Mapping[str, str]
    tag: Tag | None


def differences(told: Told) -> tuple[int, tuple[Difference, ...], int]:
    """How many versions there are, those that differ (newest last), and how many files in two places were not compared
    because nobody tells the digest of one."""
    versions = _versions(told)
    signed = any(_is_signature(name) for name, _ in told.tarballs.files) if told.tarballs else False
    tagged = any(tag.signed for tag in told.tags or ())
    found, untold = list[Difference](), 0
    for text, version in versions:
        codes = [*_codes(told, version, signatures=signed, tags=tagged)]
        pairs = [*_pairs(told.project, version)]
        untold += sum(not (one[1] and other[1]) for one, other in pairs)
        if codes:
            cells = tuple(_cells(told, version))
            said = tuple(note for _, note in codes if note)
            other = tuple((one[0], one[1], two[1]) for one, two in pairs if one[1] and two[1] and one[1] != two[1])
            kinds = tuple(dict.fromkeys(code for code, _ in codes))
            found.append(Difference(name=text, cells=cells, codes=kinds, notes=said, digests=other))
    return len(versions), (*found, *_everywhere(told, versions, signed=signed, tagged=tagged)), untold


def _versions(told: Told) -> list[tuple[str, _Version]]:
    """In order; the text is as the tag or a file writes it."""
    files = [_files(told.project, place) for place in (told.index, told.tarballs)]
    tags = {version_key(text): (text, tag) for tag in told.tags or () if (text := _tagged(told.project, tag.name))}
    texts = {key: text for of_place in files for key, (text, _) in of_place.items()}
    texts |= {key: text for key, (text, _) in tags.items()}
    nothing: tuple[str, dict[str, str]] = ("", {})
    made = [
        (text, _Version(
            index=files[0].get(key, nothing)[1], tarballs=files[1].get(key, nothing)[1],
            tag=tags[key][1] if key in tags else None,
        )) for key, text in texts.items()
    ]  # fmt: skip
    return sorted(made, key=lambda pair: parse(pair[0]) or Version("0"))


def _files(project: str, place: Survey | None) -> dict[str, tuple[str, dict[str, str]]]:
    """Version key to the version as a file writes it, and its files, without those that are beside one."""
    found: dict[str, tuple[str, dict[str, str]]] = {}
    for name, digest in place.files if place else ():
        if not beside(name) and (text := version_of(project, name)):
            found.setdefault(version_key(text), (text, {}))[1][name] = digest
    return found


def _tagged(project: str, tag: str) -> str:
    """The version that a tag says, by the usual patterns; those with the project's name too."""
    for pattern in (*PATTERNS, f"{project}-{{version}}", f"{project}/{{version}}"):
        text = version_in(pattern, tag)
        if text and parse(text):
            return text
    return ""


def _codes(told: Told, version: _Version, *, signatures: bool, tags: bool) -> Iterator[tuple[str, str]]:
    """(reason code, in words)."""
    yield from _missing(told, version)
    if version.tag and tags and not version.tag.signed:
        yield "tag-unsigned", ""
    for (name, here), (other, there) in _pairs(told.project, version):
        if here and there and here != there:
            yield "two-digests", f"{name}: index {here[:16]}..., tarballs {there[:16]}..."
        if name != other:
            yield "spelling", f"index {name}, tarballs {other}"
    names = {name for name, _ in told.tarballs.files} if told.tarballs else set()
    for name in sorted(version.tarballs) if signatures else ():
        if not any(f"{name}{end}" in names for end in SIGNATURES):
            yield "signature-missing", f"no signature beside {name}"


def _missing(told: Told, version: _Version) -> Iterator[tuple[str, str]]:
    """What one of those who answered has, and another one has not."""
    on_index, in_tarballs = _answers(told.index), _answers(told.tarballs)
    released = bool(version.index or version.tarballs)
    if on_index and in_tarballs and released and not version.tarballs:
        yield "no-tarball", ""
    if on_index and in_tarballs and released and not version.index:
        yield "not-on-index", ""
    if told.tags is not None and released and version.tag is None:
        yield "no-tag", ""
    if version.tag and not released and (on_index or in_tarballs):
        yield "no-release", ""


def _pairs(project: str, version: _Version) -> Iterator[tuple[tuple[str, str], tuple[str, str]]]:
    """Files that are in both places, under one `name_key`."""
    there = {name_key(project, name): (name, digest) for name, digest in version.tarballs.items()}
    for name, digest in sorted(version.index.items()):
        if found := there.get(name_key(project, name)):
            yield (name, digest), found


def _cells(told: Told, version: _Version) -> Iterator[str]:
    for place, files in ((told.index, version.index), (told.tarballs, version.tarballs)):
        if place is not None:
            yield "silent" if place.silent else str(len(files)) if files else "none"
    if told.tags is not None:
        yield "none" if version.tag is None else "signed" if version.tag.signed else "unsigned"


def _everywhere(
    told: Told, versions: Sequence[tuple[str, _Version]], *, signed: bool, tagged: bool
) -> Iterator[Difference]:
    """What is true of all versions is said once."""
    cells = ("-",) * sum(place is not None for place in (told.index, told.tarballs, told.tags))
    if not signed and any(version.tarballs for _, version in versions):
        note = f"no tarball has a signature beside it ({', '.join(SIGNATURES[:3])})"
        yield Difference(name="every version", cells=cells, codes=("signature-missing",), notes=(note,))
    if told.tags and not tagged and any(version.tag for _, version in versions):
        yield Difference(name="every version", cells=cells, codes=("tag-unsigned",), notes=("no tag is signed",))


def _answers(place: Survey | None) -> bool:
    return place is not None and not place.silent


def _is_signature(name: str) -> bool:
    return name.endswith(SIGNATURES)


def columns(told: Told) -> Iterable[str]:
    """What the cells are about."""
    asked = (("index", told.index), ("tarballs", told.tarballs), ("tags", told.tags))
    return [name for name, place in asked if place is not None]
