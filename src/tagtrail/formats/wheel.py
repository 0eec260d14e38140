r"""What a wheel says of itself, whoever built it: its own directory, its tags, the list of its members.

    nova-33.0.0-cp311-cp311-macosx_11_0_arm64.whl
      nova/_fast.cpython-311-darwin.so
      nova-33.0.0.dist-info/METADATA           Name and Version: tagtrail.formats.metadata
      nova-33.0.0.dist-info/WHEEL              Wheel-Version: 1.0, a Tag line for each tag of the file's name, and Build
                                               where that has a build number
      nova-33.0.0.dist-info/RECORD             PATH,sha256=BASE64URL,SIZE for each member, its own line without digest

https://packaging.python.org/en/latest/specifications/binary-distribution-format/ and .../recording-installed-packages/.
Installers believe these files, so what they say is what the file's name says, and RECORD is complete and right.
Reason codes (ProjectError): wheel-form, wheel-version, wheel-tags, wheel-record, metadata-invalid.
"""

import csv
import hashlib
import re
from base64 import urlsafe_b64encode
from collections.abc import Iterator

from tagtrail.formats.archive import Member
from tagtrail.formats.encoding import shown
from tagtrail.formats.metadata import MAX_SIZE
from tagtrail.formats.zipball import Wheel
from tagtrail.model.errors import ProjectError

__all__ = ["check_tags", "check_wheel", "metadata_in"]

_MOST = 16 << 20
"""Bytes of the largest member of a dist-info directory that is read."""
_WITH_BUILD = 6
"""Parts of a wheel's name that has a build number."""
_HASHES = ("sha256", "sha384", "sha512")


def metadata_in(wheel: Wheel, name: str) -> bytes:
    """METADATA of the wheel called `name`. Raises ProjectError `metadata-invalid`, `wheel-form`."""
    found = [m for m in wheel.members if re.fullmatch(r"[^/]+\.dist-info/METADATA", m.name)]
    if len(found) != 1 or found[0].size > MAX_SIZE:
        what = f"{name} has no METADATA that can be read"
        raise ProjectError(what, code="metadata-invalid", hint="look at the build backend")
    return _member(wheel, f"{_info(wheel, name)}/METADATA", name)


def check_wheel(wheel: Wheel, name: str) -> None:
    """The wheel is what its file name says. Raises ProjectError with the codes above, `archive-damaged`."""
    check_tags(wheel, name)
    _check_record(wheel, f"{_info(wheel, name)}/RECORD", name)


def check_tags(wheel: Wheel, name: str) -> None:
    """Its tags are those of its file name. Raises ProjectError `wheel-form`, `wheel-version`, `wheel-tags`."""
    _check_tags(_member(wheel, f"{_info(wheel, name)}/WHEEL", name), name)


def _info(wheel: Wheel, name: str) -> str:
    from packaging.utils import canonicalize_name, parse_wheel_filename
    from packaging.version import InvalidVersion, Version

    found = {m.name.partition("/")[0] for m in wheel.members if m.name.partition("/")[0].endswith(".dist-info")}
    if len(found) != 1:
        raise _bad(name, "form", f"has {len(found)} .dist-info directories, not one")
    directory = found.pop()
    project, _, version = directory.removesuffix(".dist-info").rpartition("-")
    wanted = parse_wheel_filename(name)
    try:
        same = canonicalize_name(project) == wanted[0] and Version(version) == wanted[1]
    except InvalidVersion:
        same = False
    if not same:
        raise _bad(name, "form", f"has {shown(directory)}, which is not of its own name")
    return directory


def _member(wheel: Wheel, path: str, name: str) -> bytes:
    member = next((m for m in wheel.members if m.name == path), None)
    if member is None or member.size > _MOST:
        raise _bad(name, "form", f"has no {path.rpartition('/')[2]} that can be read")
    return b"".join(wheel.content(member))


def _check_tags(text: bytes, name: str) -> None:
    from packaging.tags import parse_tag
    from packaging.utils import parse_wheel_filename

    said: dict[str, list[str]] = {}
    for line in text.decode("utf-8", "replace").splitlines():
        key, _, value = line.partition(":")
        said.setdefault(key.strip().lower(), []).append(value.strip())
    form = ", ".join(said.get("wheel-version", []))
    if not re.fullmatch(r"1\.[0-9]+", form):
        raise _bad(name, "version", f"is of Wheel-Version {shown(form)}, 1.x is understood")
    build, parts = ", ".join(said.get("build", [])), name.split("-")
    number = parts[2] if len(parts) == _WITH_BUILD else ""
    if build != number:
        raise _bad(name, "tags", f"says Build {shown(build)} within, its name says {shown(number)}")
    try:
        tags = {tag for line in said.get("tag", []) for tag in parse_tag(line)}
    except ValueError:
        raise _bad(name, "tags", "has a Tag that cannot be read") from None
    wanted = parse_wheel_filename(name)[3]
    if tags != wanted:
        there = ", ".join(sorted(map(str, tags))[:4]) or "nothing"
        raise _bad(
            name, "tags", f"says {shown(there)[1:-1]} within, its name says {', '.join(sorted(map(str, wanted)))}"
        )


def _check_record(wheel: Wheel, path: str, name: str) -> None:
    own = {path, f"{path}.jws", f"{path}.p7s"}
    try:
        rows = [*csv.reader(_member(wheel, path, name).decode("utf-8").splitlines())]
    except (UnicodeDecodeError, csv.Error):
        raise _bad(name, "record", "has a RECORD that cannot be read") from None
    listed = {row[0]: row for row in rows if len(row) == 3}
    if len(listed) != len(rows):
        raise _bad(name, "record", "has a RECORD with other lines than PATH,HASH,SIZE, each once")
    members = {member.name: member for member in wheel.members}
    for odd in sorted((members.keys() ^ listed.keys()) - own):
        where = "in the archive and not in RECORD" if odd in members else "in RECORD and not in the archive"
        raise _bad(name, "record", f"has {shown(odd)} {where}")
    for wrong in _wrong(wheel, members, listed, own):
        raise _bad(name, "record", f"has {shown(wrong)} with another digest or size than RECORD says")


def _wrong(wheel: Wheel, members: dict[str, Member], listed: dict[str, list[str]], own: set[str]) -> Iterator[str]:
    for path, (_, digest, size) in listed.items():
        if path in own:
            continue
        kind, _, value = digest.partition("=")
        if kind not in _HASHES or (size and size != str(members[path].size)):
            yield path
            continue
        hashed = hashlib.new(kind)
        for piece in wheel.content(members[path]):
            hashed.update(piece)
        if urlsafe_b64encode(hashed.digest()).decode().rstrip("=") != value.rstrip("="):
            yield path


def _bad(name: str, code: str, why: str) -> ProjectError:
    hint = "build it again; it is never re-packed here"
    return ProjectError(f"{name} {why}", code=f"wheel-{code}", hint=hint)
