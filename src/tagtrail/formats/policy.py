"""Trust policies for logs: which logs, which witnesses, and how many of them must have seen a checkpoint.

    # line based; items separated by spaces and tabs; a line may be a comment
    log releases.example.org/trail+0f1e2d3c+AQ...  https://releases.example.org/trail/
    witness X1 witness.example/x1+89abcdef+BA...   https://witness.example/x1/
    witness X2 witness.example/x2+01234567+BA...
    group both all X1 X2                           or `any`, or a number of them
    quorum both                                    exactly once; `none` asks for no witness

Names are defined before they are used, once, and are a member at most once, so nobody counts twice; for the same
reason no public key stands twice, whatever it is called. Log keys are of type 0x01, witness keys of a cosignature's
type (0x04, 0x06); a cosignature that states no time is checked and not counted. Names are octets: those that are not
UTF-8 are kept as surrogate escapes. Source: c2sp.org/tlog-policy; stricter than it, a log is not its own witness.

Two times follow from a quorum of which some may lie. `witnessed_time` is the earliest T such that the cosignatures of
time <= T already meet the quorum: the checkpoint existed *by* then. `fresh_time` is the latest T such that those of
time >= T still meet it: it was the largest one known *then*. In both, one honest member of the quorum carries it.
Reason codes: policy-*, log-unknown, checkpoint-origin-mismatch, cosignature-future, quorum-unmet; those of `note`.
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator

from tagtrail.formats import note
from tagtrail.formats.encoding import decimal, shown
from tagtrail.formats.note import Checkpoint, Opened, Verifier
from tagtrail.model.errors import TamperError
from tagtrail.model.frozen import frozen, replace

__all__ = [
    "MAX_LINES", "MAX_SIZE", "NONE", "Checked", "Group", "Log", "Policy", "Witness", "check", "parse", "satisfied",
]  # fmt: skip

MAX_SIZE = 1_000_000
MAX_LINES = 1000
"""Lines of a policy file."""

NONE = "none"
"""The quorum that asks for nobody."""

_NAME = re.compile(r"[^\x00-\x20\x7f]+")
_BLANK = re.compile("[ \t]+")
_CONTROL = re.compile(rb"[\x00-\x08\x0b-\x1f\x7f]")


@frozen
class Log:
    """A log that is believed; its key's name is the origin of its checkpoints."""

    verifier: Verifier
    url: str = ""


@frozen
class Witness:
    """A cosigner. `name` means something within the policy only."""

    name: str
    verifier: Verifier
    url: str = ""


@frozen
class Group:
    """Witnesses and groups of which `threshold` must agree."""

    name: str
    threshold: int
    members: tuple[str, ...]


@frozen
class Policy:
    """Groups stand after what they name, as in the file. `quorum` is a witness, a group or `none`."""

    logs: tuple[Log, ...] = ()
    witnesses: tuple[Witness, ...] = ()
    groups: tuple[Group, ...] = ()
    quorum: str = NONE

    def __post_init__(self) -> None:
        """Raises TamperError policy-*: a policy that exists counts nobody twice."""
        _check_names([*(witness.name for witness in self.witnesses), *(group.name for group in self.groups)])
        _check_keys(self)
        _check_urls([*(log.url for log in self.logs), *(witness.url for witness in self.witnesses)])
        _check_groups(self)

    def encode(self) -> bytes:
        """The file, without comments; `parse` gives this policy back."""
        lines = [
            *(("log", log.verifier.vkey(), log.url) for log in self.logs),
            *(("witness", witness.name, witness.verifier.vkey(), witness.url) for witness in self.witnesses),
            *(("group", group.name, str(group.threshold), *group.members) for group in self.groups),
            ("quorum", self.quorum),
        ]
        return "".join(" ".join(filter(None, line)) + "\n" for line in lines).encode("utf-8", "surrogateescape")


@frozen
class Checked:
    """A checkpoint that meets a policy.

    `witnesses` are those of the policy that cosigned, with their times; `cosigned` of `countable` witnesses that the
    quorum can count did. Times are Unix seconds, None where the quorum is `none`.
    """

    checkpoint: Checkpoint
    log: Verifier
    witnesses: tuple[tuple[Witness, int], ...]
    cosigned: int
    countable: int
    witnessed_time: int | None
    fresh_time: int | None


# What a policy may be


def _check_names(names: list[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name == NONE or not _NAME.fullmatch(name):
            raise TamperError(f"{shown(name)} cannot be the name of a witness or a group", code="policy-name")
        if name in seen:
            raise TamperError(f"the name {shown(name)} is defined twice", code="policy-duplicate-name")
        seen.add(name)


def _check_keys(policy: Policy) -> None:
    logs = [log.verifier for log in policy.logs]
    witnesses = [witness.verifier for witness in policy.witnesses]
    _check_type("log", logs, timed=False)
    _check_type("witness", witnesses, timed=True)
    _check_once(logs, "policy-duplicate-log")
    _check_once(witnesses, "policy-duplicate-witness")
    _check_once([*logs, *witnesses], "policy-log-is-witness")


def _check_urls(urls: list[str]) -> None:
    for url in filter(None, urls):
        if not _NAME.fullmatch(url):
            raise TamperError(f"{shown(url)} is not a URL", code="policy-url", why="no blanks, no control characters")


def _check_type(role: str, verifiers: list[Verifier], *, timed: bool) -> None:
    for verifier in verifiers:
        if verifier.scheme.timed != timed:
            what = f"{role} {shown(verifier.name)} has a key of type 0x{verifier.kind:02x}"
            raise TamperError(what, code=f"policy-{role}-type", why="a log signs, a witness cosigns and says when")


def _check_once(verifiers: list[Verifier], code: str) -> None:
    names: dict[bytes, str] = {}
    for verifier in verifiers:
        if verifier.key in names:
            what = f"{shown(names[verifier.key])} and {shown(verifier.name)} are one public key"
            raise TamperError(what, code=code, why="one key counts once, whatever it is called")
        names[verifier.key] = verifier.name


def _check_groups(policy: Policy) -> None:
    defined = {witness.name for witness in policy.witnesses}
    taken: set[str] = set()
    for group in policy.groups:
        if not 1 <= group.threshold <= len(group.members):
            what = f"group {shown(group.name)} asks for {group.threshold} of {len(group.members)} members"
            raise TamperError(what, code="policy-threshold")
        for member in group.members:
            if member in taken:
                raise TamperError(f"{shown(member)} is a member twice", code="policy-member-twice")
            _check_defined(member, defined)
            taken.add(member)
        defined.add(group.name)
    _check_defined(policy.quorum, defined | {NONE})


def _check_defined(name: str, defined: Collection[str]) -> None:
    if name not in defined:
        raise TamperError(f"{shown(name)} is used before it is defined", code="policy-undefined")


# Reading


def parse(data: bytes) -> Policy:
    """The policy in a file. The errors name the line.

    Raises TamperError policy-size, policy-crlf, policy-control, policy-no-newline, policy-line, policy-quorum,
    policy-name, policy-duplicate-name, policy-duplicate-log, policy-duplicate-witness, policy-log-is-witness,
    policy-log-type, policy-witness-type, policy-threshold, policy-member-twice, policy-undefined, vkey-*, key-*.
    """
    policy, quorums = Policy(), 0
    for number, (keyword, *items) in _lines(data):
        try:
            # Every line makes a policy of what stood above it: so its rules are also those of the order.
            policy = _reader(keyword)(policy, items)
        except TamperError as error:
            what = f"line {number} of the policy: {error.what}"
            raise TamperError(what, code=error.code, why=error.why, hint=error.hint) from None
        quorums += keyword == "quorum"
    if quorums != 1:
        raise TamperError(f"the policy has {quorums} quorum lines instead of one", code="policy-quorum")
    return policy


def _lines(data: bytes) -> Iterator[tuple[int, list[str]]]:
    if len(data) > MAX_SIZE:
        raise TamperError(f"the policy has {len(data)} bytes, at most {MAX_SIZE} are read", code="policy-size")
    if data and not data.endswith(b"\n"):
        raise TamperError("the policy does not end with a newline", code="policy-no-newline", why="it was cut short")
    if control := _CONTROL.search(data):
        code = "policy-crlf" if control[0] == b"\r" else "policy-control"
        raise TamperError(f"the policy holds control character {shown(control[0])}", code=code)
    lines = data.decode("utf-8", "surrogateescape").split("\n")
    if len(lines) > MAX_LINES:
        raise TamperError(f"the policy has {len(lines)} lines, at most {MAX_LINES} are read", code="policy-size")
    for number, line in enumerate(lines, 1):
        items = _BLANK.split(line.strip(" \t"))
        if items[0] and not items[0].startswith("#"):
            yield number, items


def _reader(keyword: str) -> Callable[[Policy, list[str]], Policy]:
    readers = {"log": _log, "witness": _witness, "group": _group, "quorum": _quorum}
    if keyword not in readers:
        raise TamperError(f"{shown(keyword)} begins no line of a policy", code="policy-line")
    return readers[keyword]


def _log(policy: Policy, items: list[str]) -> Policy:
    _check_count("log VKEY [URL]", items, 1, 2)
    log = Log(verifier=note.parse_vkey(items[0]), url="".join(items[1:]))
    return replace(policy, logs=(*policy.logs, log))


def _witness(policy: Policy, items: list[str]) -> Policy:
    _check_count("witness NAME VKEY [URL]", items, 2, 3)
    witness = Witness(name=items[0], verifier=note.parse_vkey(items[1]), url="".join(items[2:]))
    return replace(policy, witnesses=(*policy.witnesses, witness))


def _group(policy: Policy, items: list[str]) -> Policy:
    _check_count("group NAME THRESHOLD MEMBER...", items, 3, MAX_LINES)
    name, words, members = items[0], items[1], tuple(items[2:])
    threshold = {"any": 1, "all": len(members)}.get(words) or decimal(words, "policy-threshold")
    return replace(policy, groups=(*policy.groups, Group(name=name, threshold=threshold, members=members)))


def _quorum(policy: Policy, items: list[str]) -> Policy:
    _check_count("quorum NAME", items, 1, 1)
    return replace(policy, quorum=items[0])


def _check_count(form: str, items: list[str], least: int, most: int) -> None:
    if not least <= len(items) <= most:
        raise TamperError(f"{len(items)} items where `{form}` is the form", code="policy-line")


# Judging


def satisfied(policy: Policy, cosigned: Collection[bytes]) -> tuple[bool, int, int]:
    """Whether cosignatures by these public keys meet the quorum; how many of its witnesses these are, of how many."""
    met = {witness.name for witness in policy.witnesses if witness.verifier.key in cosigned}
    wanted = {policy.quorum}
    for group in policy.groups:
        if sum(member in met for member in group.members) >= group.threshold:
            met.add(group.name)
    for group in reversed(policy.groups):
        if group.name in wanted:
            wanted.update(group.members)
    counted = [witness.name for witness in policy.witnesses if witness.name in wanted]
    return policy.quorum in {*met, NONE}, sum(name in met for name in counted), len(counted)


def check(policy: Policy, data: bytes, now: int | None = None) -> Checked:
    """The checkpoint in a signed note, if one of the policy's logs signed it under its name and the quorum is met.

    `now` (Unix seconds; the caller adds what tolerance it grants) makes cosignatures from the future an error.
    Raises TamperError log-unknown, checkpoint-origin-mismatch, cosignature-future, quorum-unmet, and those of
    `note.open_note` and `note.parse_checkpoint`.
    """
    verifiers = [log.verifier for log in policy.logs] + [witness.verifier for witness in policy.witnesses]
    opened = note.open_note(data, verifiers)
    checkpoint = note.parse_checkpoint(opened.note.text)
    log = _log_of(policy, opened, checkpoint)
    witnesses = _witnesses_of(policy, opened, now)
    met, cosigned, countable = satisfied(policy, [witness.verifier.key for witness, _ in witnesses])
    if not met:
        what = f"{cosigned} of {countable} witnesses saw {checkpoint.origin} at size {checkpoint.size}"
        raise TamperError(what, code="quorum-unmet", why=f"the policy's quorum {shown(policy.quorum)} asks for more")
    return Checked(
        checkpoint=checkpoint,
        log=log,
        witnesses=witnesses,
        cosigned=cosigned,
        countable=countable,
        witnessed_time=_quorum_time(policy, sorted(witnesses, key=_time)),
        fresh_time=_quorum_time(policy, sorted(witnesses, key=_time, reverse=True)),
    )


def _log_of(policy: Policy, opened: Opened, checkpoint: Checkpoint) -> Verifier:
    logs = [log.verifier for log in policy.logs]
    signed = [verified.verifier for verified in opened.verified if verified.verifier in logs]
    if not signed:
        what = f"the checkpoint of {shown(checkpoint.origin)} is signed by none of the policy's logs"
        raise TamperError(what, code="log-unknown", why="witnesses alone make no checkpoint")
    own = [verifier for verifier in signed if verifier.name == checkpoint.origin]
    if not own:
        what = f"the checkpoint's origin is {shown(checkpoint.origin)}, it is signed by {shown(signed[0].name)}"
        raise TamperError(what, code="checkpoint-origin-mismatch", why="a log speaks for itself only")
    return own[0]


def _witnesses_of(policy: Policy, opened: Opened, now: int | None) -> tuple[tuple[Witness, int], ...]:
    known = {witness.verifier: witness for witness in policy.witnesses}
    seen = [(known[v.verifier], v.time) for v in opened.verified if v.verifier in known and v.time is not None]
    for witness, time in seen:
        if now is not None and time > now:
            what = f"the cosignature of {shown(witness.name)} is of {time}, now is {now}"
            raise TamperError(what, code="cosignature-future", why="a clock is wrong, or the witness lies")
    return tuple(seen)


def _time(seen: tuple[Witness, int]) -> int:
    return seen[1]


def _quorum_time(policy: Policy, seen: Iterable[tuple[Witness, int]]) -> int | None:
    """The time at which those seen so far first meet the quorum; None where it asks for nobody."""
    keys: list[bytes] = []
    for witness, time in seen if policy.quorum != NONE else ():
        keys.append(witness.verifier.key)
        if satisfied(policy, keys)[0]:
            return time
    return None
