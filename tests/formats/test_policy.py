from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagtrail.formats import note, policy
from tagtrail.formats.note import COSIGNATURE, Checkpoint, Signer, Verifier
from tagtrail.formats.policy import Group, Log, Policy, Witness
from tagtrail.model.errors import TamperError
from tests.formats.laws import sparing
from tests.formats.refusal import refused

LOG = Signer(name="example.com/log", seed=b"\x01" * 32)
TWIN = Signer(name="example.com/other", seed=b"\x02" * 32)
WITNESSES = [Signer(name=f"witness{n}.example", kind=COSIGNATURE, seed=bytes([16 + n]) * 32) for n in range(6)]
VERIFIERS = [witness.verifier for witness in WITNESSES]
LOG_VERIFIER = LOG.verifier
LOG_KEY = LOG_VERIFIER.vkey()
KEYS = [verifier.vkey() for verifier in VERIFIERS]
TEXT = Checkpoint(origin=LOG.name, size=42, root=bytes(range(32))).text()

# The example of c2sp.org/tlog-policy, with keys.
EXAMPLE = f"""log {LOG_KEY}

witness X1 {KEYS[0]}
witness X2 {KEYS[1]}
witness X3 {KEYS[2]}
group X-witnesses 2 X1 X2 X3

witness Y1 {KEYS[3]}
witness Y2 {KEYS[4]}
witness Y3 {KEYS[5]}
group Y-witnesses any Y1 Y2 Y3

group X-and-Y all X-witnesses Y-witnesses
quorum X-and-Y
"""


def key(number: int) -> bytes:
    return VERIFIERS[number].key


def parse(text: str) -> Policy:
    return policy.parse(text.encode("utf-8", "surrogateescape"))


def test_the_example_of_the_specification() -> None:
    read = parse(EXAMPLE)
    assert [log.verifier for log in read.logs] == [LOG.verifier]
    assert [witness.name for witness in read.witnesses] == ["X1", "X2", "X3", "Y1", "Y2", "Y3"]
    assert read.groups == (
        Group(name="X-witnesses", threshold=2, members=("X1", "X2", "X3")),
        Group(name="Y-witnesses", threshold=1, members=("Y1", "Y2", "Y3")),
        Group(name="X-and-Y", threshold=2, members=("X-witnesses", "Y-witnesses")),
    )
    assert read.quorum == "X-and-Y"
    assert policy.parse(read.encode()) == read


@pytest.mark.parametrize(
    ("cosigned", "met"),
    [
        ([], False),
        ([0, 1], False),
        ([3, 4, 5], False),
        ([0, 3], False),
        ([0, 2, 4], True),
        ([0, 0, 3], False),
        ([0, 1, 2, 3, 4, 5], True),
    ],
)
def test_its_quorum(cosigned: list[int], met: bool) -> None:
    count = len(set(cosigned))
    assert policy.satisfied(parse(EXAMPLE), [key(n) for n in cosigned]) == (met, count, 6)


def test_who_is_not_in_the_quorum_is_not_counted() -> None:
    read = parse(f"log {LOG_KEY}\nwitness a {KEYS[0]}\nwitness b {KEYS[1]}\ngroup g any b\nquorum a\n")
    assert policy.satisfied(read, [key(1)]) == (False, 0, 1)
    assert policy.satisfied(read, [key(0), key(1), bytes(32)]) == (True, 1, 1)


def test_quorum_none() -> None:
    read = parse(f"witness a {KEYS[0]}\nquorum none\n")
    assert policy.satisfied(read, []) == (True, 0, 0)
    assert parse("quorum none\n") == Policy()


def test_blanks_comments_and_urls() -> None:
    read = parse(f"\n# comment\n\t # another\n\twitness \t w1  {KEYS[0]}   https://w1.example/  \n\n  quorum\tw1\n")
    assert read.witnesses == (Witness(name="w1", verifier=VERIFIERS[0], url="https://w1.example/"),)
    assert parse(f"log {LOG_KEY} https://log.example/\nquorum none\n").logs[0].url == "https://log.example/"


def test_names_are_octets() -> None:
    witnesses = f"witness K {KEYS[0]}\nwitness \u212a {KEYS[1]}\nwitness w\udc80 {KEYS[2]}\n"
    read = parse(witnesses + "group # all K \u212a w\udc80\nquorum #\n")
    assert [witness.name for witness in read.witnesses] == ["K", "\u212a", "w\udc80"]
    assert policy.parse(read.encode()) == read
    assert b"witness w\x80 " in read.encode()


def test_keywords_are_names_too() -> None:
    read = parse(f"witness all {KEYS[0]}\nwitness any {KEYS[1]}\ngroup group 2 all any\nquorum group\n")
    assert policy.satisfied(read, [key(0), key(1)]) == (True, 2, 2)


W1 = f"witness w1 {KEYS[0]}\n"
W2 = f"witness w2 {KEYS[1]}\n"
IMPOSTOR = Verifier(name="impostor.example", kind=COSIGNATURE, key=key(0)).vkey()
OWN_WITNESS = Verifier(name=LOG.name, kind=COSIGNATURE, key=LOG.verifier.key).vkey()
RENAMED_LOG = Verifier(name="renamed.example", key=LOG.verifier.key).vkey()
SMALL = note.key_id("small", 4, (1).to_bytes(32, "little")).hex()
SMALL_KEY = f"small+{SMALL}+BAEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("quorum none", "policy-no-newline"),
        ("quorum none\n\x01", "policy-no-newline"),
        ("\x01quorum none\n", "policy-control"),
        ("quorum none\x7f\n", "policy-control"),
        ("quorum none\x00\n", "policy-control"),
        ("quorum none\r\n", "policy-crlf"),
        ("quibble w1\nquorum none\n", "policy-line"),
        ("Quorum none\n", "policy-line"),
        (f"{W1[:-1]} https://w1.example/ # comment\nquorum w1\n", "policy-line"),
        ("log\nquorum none\n", "policy-line"),
        (f"log {LOG_KEY} https://a/ https://b/\nquorum none\n", "policy-line"),
        ("witness w1\nquorum none\n", "policy-line"),
        (f"{W1}group g1 1\nquorum w1\n", "policy-line"),
        ("quorum\n", "policy-line"),
        (f"{W1}quorum w1 w1\n", "policy-line"),
        ("log garbage\nquorum none\n", "vkey-syntax"),
        (f"witness w1 {SMALL_KEY}\nquorum w1\n", "key-small-order"),
        (f"witness w1 w\udc80{KEYS[0]}\nquorum w1\n", "vkey-name"),
        (f"log {KEYS[0]}\nquorum none\n", "policy-log-type"),
        (f"witness w1 {LOG_KEY}\nquorum w1\n", "policy-witness-type"),
        (f"log {LOG_KEY}\nlog {LOG_KEY} https://log.example/\nquorum none\n", "policy-duplicate-log"),
        (f"log {LOG_KEY}\nlog {RENAMED_LOG}\nquorum none\n", "policy-duplicate-log"),
        (f"{W1}witness w2 {KEYS[0]}\nquorum w1\n", "policy-duplicate-witness"),
        (f"{W1}witness w2 {IMPOSTOR}\nquorum w1\n", "policy-duplicate-witness"),
        (f"log {LOG_KEY}\nwitness w1 {OWN_WITNESS}\nquorum w1\n", "policy-log-is-witness"),
        (f"witness none {KEYS[0]}\nquorum none\n", "policy-name"),
        (f"{W1}group none any w1\nquorum none\n", "policy-name"),
        (f"{W1}witness w1 {KEYS[1]}\nquorum w1\n", "policy-duplicate-name"),
        (f"{W1}group w1 any w1\nquorum w1\n", "policy-duplicate-name"),
        (f"{W1}group g1 0 w1\nquorum g1\n", "policy-threshold"),
        (f"{W1}group g1 2 w1\nquorum g1\n", "policy-threshold"),
        (f"{W1}group g1 -1 w1\nquorum g1\n", "policy-threshold"),
        (f"{W1}group g1 01 w1\nquorum g1\n", "policy-threshold"),
        (f"{W1}group g1 most w1\nquorum g1\n", "policy-threshold"),
        (f"{W1}group g1 any w2\nquorum g1\n", "policy-undefined"),
        (f"group g1 any w1\n{W1}quorum g1\n", "policy-undefined"),
        (f"{W1}group g1 any g1\nquorum g1\n", "policy-undefined"),
        (f"{W1}group g1 any none w1\nquorum g1\n", "policy-undefined"),
        ("quorum unknown\n", "policy-undefined"),
        (f"quorum w1\n{W1}", "policy-undefined"),
        (f"{W1}group g1 all w1 w1\nquorum g1\n", "policy-member-twice"),
        (f"{W1}{W2}group g1 any w1 w2\ngroup g2 any w1\nquorum g1\n", "policy-member-twice"),
        ("", "policy-quorum"),
        (W1, "policy-quorum"),
        (f"{W1}quorum w1\nquorum w1\n", "policy-quorum"),
        ("quorum none\n" + "#\n" * policy.MAX_LINES, "policy-size"),
        ("quorum none\n#" + "#" * policy.MAX_SIZE + "\n", "policy-size"),
    ],
)
def test_malformed_policies(text: str, code: str) -> None:
    assert refused(parse, text) == code


def test_the_limits_themselves_are_read() -> None:
    most = "quorum none\n" + "#\n" * (policy.MAX_LINES - 2)
    assert parse(most) == Policy()
    longest = "quorum none\n".ljust(policy.MAX_SIZE - 1, "#") + "\n"
    assert parse(longest) == Policy()


def test_the_refusal_names_the_line() -> None:
    with pytest.raises(TamperError, match=r"^line 3 of the policy: "):
        parse(f"# one\n{W1}{W1}quorum w1\n")


def test_a_policy_made_by_hand_is_held_to_the_same_rules() -> None:
    witness = Witness(name="w1", verifier=VERIFIERS[0])
    again = Witness(name="w2", verifier=VERIFIERS[0])
    assert refused(Policy, witnesses=(witness, again), quorum="w1") == "policy-duplicate-witness"
    assert refused(Policy, quorum="w1") == "policy-undefined"
    assert refused(Policy, logs=(Log(verifier=LOG.verifier, url="https://a b/"),)) == "policy-url"
    assert refused(Policy, witnesses=(Witness(name="a b", verifier=VERIFIERS[0]),)) == "policy-name"
    assert refused(Policy, witnesses=(Witness(name="", verifier=VERIFIERS[0]),)) == "policy-name"


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    count = draw(st.integers(0, 6))
    names = [f"w{number}" for number in range(count)]
    witnesses = tuple(
        Witness(name=name, verifier=verifier, url=draw(st.sampled_from(["", "https://w.example/"])))
        for name, verifier in zip(names, VERIFIERS, strict=False)
    )
    groups, free = [], list(names)
    for number in range(draw(st.integers(0, 3))):
        members = draw(st.lists(st.sampled_from(free), min_size=1, unique=True)) if free else []
        if members:
            groups.append(
                Group(name=f"g{number}", threshold=draw(st.integers(1, len(members))), members=tuple(members))
            )
            free = [name for name in free if name not in members] + [f"g{number}"]
    quorum = draw(st.sampled_from(["none", *names, *(group.name for group in groups)]))
    logs = draw(st.sampled_from([(), (Log(verifier=LOG_VERIFIER),)]))
    return Policy(logs=logs, witnesses=witnesses, groups=tuple(groups), quorum=quorum)


@sparing
@given(policies())
def test_policies_come_back(value: Policy) -> None:
    assert policy.parse(value.encode()) == value


@sparing
@given(policies(), st.lists(st.integers(0, 5), unique=True), st.integers(0, 5))
def test_one_more_cosignature_never_breaks_a_quorum(value: Policy, cosigned: list[int], more: int) -> None:
    met, count, of = policy.satisfied(value, [key(n) for n in cosigned])
    after, counted, _ = policy.satisfied(value, [*(key(n) for n in cosigned), key(more)])
    assert after >= met
    assert count <= counted <= of


# Judging

TWO_OF_THREE = parse(
    f"log {LOG_KEY}\nlog {TWIN.verifier.vkey()}\n"
    + "".join(f"witness w{n} {KEYS[n]}\n" for n in range(4))
    + "group g 2 w0 w1 w2\nquorum g\n"
)


def cosigned(*times: tuple[int, int], text: str = TEXT, log: Signer | None = LOG) -> bytes:
    """A checkpoint with cosignatures (witness, time)."""
    signed = note.sign(text, [log] if log else [])
    for number, time in times:
        signed = note.sign(text, [WITNESSES[number]], time=time, others=signed.signatures)
    return signed.encode()


def test_a_checkpoint_that_meets_the_policy() -> None:
    checked = policy.check(TWO_OF_THREE, cosigned((0, 300), (1, 100), (2, 200)))
    assert checked.checkpoint == note.parse_checkpoint(TEXT)
    assert checked.log == LOG.verifier
    assert [(witness.name, time) for witness, time in checked.witnesses] == [("w0", 300), ("w1", 100), ("w2", 200)]
    assert (checked.cosigned, checked.countable) == (3, 3)


@pytest.mark.parametrize(
    ("times", "witnessed", "fresh"),
    [
        ([(0, 100), (1, 200)], 200, 100),
        ([(0, 200), (1, 100)], 200, 100),
        ([(0, 100), (1, 200), (2, 300)], 200, 200),
        # one liar of two of three can neither backdate nor freshen
        ([(0, 1), (1, 200), (2, 300)], 200, 200),
        ([(0, 100), (1, 200), (2, 9999)], 200, 200),
        # who does not count moves nothing
        ([(0, 100), (1, 200), (3, 1)], 200, 100),
        ([(0, 100), (1, 200), (3, 9999)], 200, 100),
        ([(0, 100), (1, 100)], 100, 100),
    ],
)
def test_the_times_of_a_quorum(times: list[tuple[int, int]], witnessed: int, fresh: int) -> None:
    checked = policy.check(TWO_OF_THREE, cosigned(*times))
    assert (checked.witnessed_time, checked.fresh_time) == (witnessed, fresh)


def test_no_quorum_no_time() -> None:
    open_policy = parse(f"log {LOG_KEY}\n{W1}quorum none\n")
    checked = policy.check(open_policy, cosigned((0, 100)))
    assert (checked.witnessed_time, checked.fresh_time) == (None, None)
    assert (checked.cosigned, checked.countable) == (0, 0)
    assert [time for _, time in checked.witnesses] == [100]


def test_the_quorum_is_not_met() -> None:
    assert refused(policy.check, TWO_OF_THREE, cosigned()) == "quorum-unmet"
    assert refused(policy.check, TWO_OF_THREE, cosigned((0, 100))) == "quorum-unmet"
    assert refused(policy.check, TWO_OF_THREE, cosigned((0, 100), (3, 100))) == "quorum-unmet"
    assert refused(policy.check, TWO_OF_THREE, cosigned((0, 100), (4, 100), (5, 100))) == "quorum-unmet"


def test_one_witness_twice_is_refused() -> None:
    twice = cosigned((0, 100), (0, 200))
    assert refused(policy.check, TWO_OF_THREE, twice) == "note-duplicate-signature"


def test_one_key_under_two_names_counts_once() -> None:
    stuffed = Signer(name="sock.puppet", kind=COSIGNATURE, seed=WITNESSES[0].seed)
    signed = note.sign(TEXT, [LOG, WITNESSES[0], stuffed], time=100)
    assert refused(policy.check, TWO_OF_THREE, signed.encode()) == "quorum-unmet"


def test_a_cosignature_from_the_future() -> None:
    data = cosigned((0, 100), (1, 200))
    policy.check(TWO_OF_THREE, data, now=200)
    assert refused(policy.check, TWO_OF_THREE, data, now=199) == "cosignature-future"
    assert refused(policy.check, TWO_OF_THREE, cosigned((0, 1), (1, 1), (3, 2)), now=1) == "cosignature-future"


def test_a_bad_cosignature_of_a_known_witness() -> None:
    good = note.parse(cosigned((0, 100), (1, 200), (2, 300)))
    last = good.signatures[-1]
    forged = note.Signature(name=last.name, key_id=last.key_id, value=last.value[:-1] + bytes([last.value[-1] ^ 1]))
    data = note.Note(text=good.text, signatures=(*good.signatures[:-1], forged)).encode()
    assert refused(policy.check, TWO_OF_THREE, data) == "note-bad-signature"


def test_witnesses_without_the_log() -> None:
    data = cosigned((0, 100), (1, 200), log=None)
    assert refused(policy.check, TWO_OF_THREE, data) == "log-unknown"
    stranger = Signer(name=LOG.name, seed=b"\x09" * 32)
    assert refused(policy.check, TWO_OF_THREE, cosigned((0, 100), (1, 200), log=stranger)) == "log-unknown"
    assert refused(policy.check, TWO_OF_THREE, cosigned(log=stranger)) == "note-no-known-key"


def test_the_right_key_under_a_wrong_origin() -> None:
    text = TEXT.replace("example.com/log", "example.com/lob")
    assert refused(policy.check, TWO_OF_THREE, cosigned((0, 1), (1, 1), text=text)) == "checkpoint-origin-mismatch"
    text = TEXT.replace("example.com/log", TWIN.name)
    assert refused(policy.check, TWO_OF_THREE, cosigned((0, 1), (1, 1), text=text)) == "checkpoint-origin-mismatch"


def test_a_log_speaks_for_itself_whoever_else_signs() -> None:
    signed = note.sign(TEXT, [TWIN, LOG, *WITNESSES[:2]], time=100)
    assert policy.check(TWO_OF_THREE, signed.encode()).log == LOG.verifier


def test_a_signed_text_that_is_no_checkpoint() -> None:
    assert refused(policy.check, TWO_OF_THREE, cosigned((0, 1), (1, 1), text="hello\n")) == "checkpoint-lines"


def test_a_policy_for_a_public_log() -> None:
    data = (Path(__file__).parent / "vectors" / "arche2025h1.checkpoint").read_bytes()
    text = (
        "log arche2025h1.staging.ct.transparency.dev+ba2f06c0+AU0vHmlGCS/PdN8b2OaGmKprLI8HKM+dJ472xgFYh15f\n"
        "witness remora remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2\n"
        "quorum remora\n"
    )
    checked = policy.check(parse(text), data)
    assert (checked.witnessed_time, checked.cosigned, checked.countable) == (1779573024, 1, 1)
