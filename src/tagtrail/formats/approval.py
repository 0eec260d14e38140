"""The approval text, version 1: what a person signs so that exactly these bytes may be released.

    tagtrail approval v1
    origin releases.example.org/trail
    project nova
    version 33.0.0
    repo https://git.example.org/nova
    tag 4f0e6a9d...c2                             SHA-256 of the raw tag object
    settings 5ab16c01...9e                        SHA-256 of the settings that concern the project
    expires 2026-04-08T15:02:00Z                  RFC 3339, whole seconds, UTC; after it the text approves nothing
    withdraw loses data on upgrade                only of a withdrawal: its reason; a text without it releases
    target pypi                                   each target it goes to, sorted; there may be none
    target site
    file 09bd5f12...aa nova-33.0.0.tar.gz         each file, sorted by name; there is at least one

Lines stand in this order, each ends with a line feed, and one space is between the words; the rest of a line is one
value. A text therefore has one spelling, and one bit changed in anything it names makes it another text. Origin,
project and target names are those of the settings, the version is the tag's, names of files are those of an entry, and
`repo` is the entry's `tag.repo`: one line of printable characters. At most 131,072 bytes of UTF-8.

It is signed with SSH (SSHSIG, namespace `tagtrail-approval`, so that no signature on a tag is one on this) or detached
with OpenPGP. What the entry keeps of it is the key and the digest of the draft that these lines spell out.
Source: tagtrail's own; the shape is that of C2SP's line formats. Who may approve is judged elsewhere.
Reason codes: approval-size, approval-utf8, approval-form, approval-origin, approval-project, approval-version,
approval-repo, approval-withdraw, approval-digest, approval-target, approval-file, approval-order, approval-no-file;
time-form.
"""

from collections.abc import Sequence

from tagtrail.formats.encoding import hex_digest, shown
from tagtrail.formats.entry import reason_fault
from tagtrail.formats.forms import group_fault, origin_fault, project_fault
from tagtrail.formats.times import format_time, parse_time
from tagtrail.model.errors import TamperError
from tagtrail.model.frozen import frozen
from tagtrail.model.names import FORM

__all__ = ["HEADER", "MAX_SIZE", "NAMESPACE", "ApprovalText", "format_approval", "parse_approval"]

HEADER = "tagtrail approval v1"
NAMESPACE = "tagtrail-approval"
MAX_SIZE = 131_072

_ONCE = ("origin", "project", "version", "repo", "tag", "settings", "expires")


@frozen
class ApprovalText:
    """What is approved. `tag` and `settings` are SHA-256; `expires` is in Unix seconds; `withdraw` is
    why the version is taken back (empty: it is released); `files` are (name, SHA-256)."""

    origin: str
    project: str
    version: str
    repo: str
    tag: str
    settings: str
    expires: int
    withdraw: str = ""
    targets: tuple[str, ...] = ()
    files: tuple[tuple[str, str], ...]

    def __post_init__(self) -> None:
        """Raises TamperError approval-*: a text that exists can be written in one way."""
        _need(origin_fault(self.origin), "origin", self.origin)
        _need(project_fault(self.project), "project", self.project)
        _need(_name_fault(self.version), "version", self.version)
        _need(_line_fault(self.repo), "repo", self.repo)
        _need(reason_fault(self.withdraw) if self.withdraw else "", "withdraw", self.withdraw)
        _need("" if self.files else "names no file", "no-file", self.version)
        for target in self.targets:
            _need(group_fault(target), "target", target)
        for name, _ in self.files:
            _need(_name_fault(name), "file", name)
        for digest in (self.tag, self.settings, *(digest for _, digest in self.files)):
            hex_digest(digest, "approval-digest")
        _check_order("targets", self.targets)
        _check_order("files", [name for name, _ in self.files])


def format_approval(text: ApprovalText) -> bytes:
    """The bytes that are signed; `parse_approval` gives this text back. Raises TamperError approval-size."""
    once = (text.origin, text.project, text.version, text.repo, text.tag, text.settings, format_time(text.expires))
    lines = [
        HEADER,
        *(f"{keyword} {value}" for keyword, value in zip(_ONCE, once, strict=True)),
        *([f"withdraw {text.withdraw}"] * bool(text.withdraw)),
        *(f"target {target}" for target in text.targets),
        *(f"file {digest} {name}" for name, digest in text.files),
    ]
    return _sized("".join(f"{line}\n" for line in lines).encode())


def parse_approval(data: bytes) -> ApprovalText:
    """The text in signed bytes. Raises TamperError approval-*, time-form."""
    lines = _lines(_sized(data))
    head = dict(zip(_ONCE, map(_rest, lines, _ONCE), strict=False))
    rest = [line.partition(" ") for line in lines[len(_ONCE) :]]
    withdraw = next((value for keyword, _, value in rest if keyword == "withdraw"), "")
    targets = tuple(value for keyword, _, value in rest if keyword == "target")
    files = tuple(_file(value) for keyword, _, value in rest if keyword == "file")
    text = ApprovalText(
        origin=head["origin"],
        project=head["project"],
        version=head["version"],
        repo=head["repo"],
        tag=head["tag"],
        settings=head["settings"],
        expires=parse_time(head["expires"]),
        withdraw=withdraw,
        targets=targets,
        files=files,
    )
    if format_approval(text) != data:
        why = "another line, or the lines stand in another order"
        raise TamperError("not an approval text in its one form", code="approval-form", why=why)
    return text


def _sized(data: bytes) -> bytes:
    if len(data) > MAX_SIZE:
        raise TamperError(f"the approval text has {len(data)} bytes, at most {MAX_SIZE} are read", code="approval-size")
    return data


def _lines(data: bytes) -> list[str]:
    """The lines after the header, at least as many as stand there once."""
    try:
        header, *lines = data.decode("utf-8").split("\n")
    except UnicodeDecodeError as error:
        raise TamperError(f"the approval text is not UTF-8 at byte {error.start}", code="approval-utf8") from None
    if header != HEADER:
        what = f"the first line is {shown(header)} instead of {HEADER}"
        raise TamperError(what, code="approval-form", why="another version, or no approval at all")
    if len(lines) <= len(_ONCE) or lines.pop():
        raise TamperError("the approval text ends too early", code="approval-form", why="it was cut short")
    return lines


def _rest(line: str, keyword: str) -> str:
    found, _, value = line.partition(" ")
    if found != keyword:
        raise TamperError(f"{shown(line)} where the line `{keyword} ...` belongs", code="approval-form")
    return value


def _file(value: str) -> tuple[str, str]:
    digest, _, name = value.partition(" ")
    return name, digest


def _need(fault: str, what: str, value: str) -> None:
    if fault:
        raise TamperError(f"the approval's {what} {shown(value)} {fault}", code=f"approval-{what}")


def _name_fault(name: str) -> str:
    return "" if FORM.fullmatch(name) else "is not of ASCII letters, digits and ._+!~-"


def _line_fault(value: str) -> str:
    fine = value and value.isprintable() and value == value.strip() and len(value) <= 2000
    return "" if fine else "is not one line of printable characters"


def _check_order(what: str, names: Sequence[str]) -> None:
    if list(names) != sorted(set(names)):
        raise TamperError(f"the approval's {what} are not sorted, or one stands twice", code="approval-order")
