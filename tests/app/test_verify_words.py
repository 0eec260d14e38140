"""What people read of proofs, pins, locks and checkpoints; and that programs read the same, as the schema says."""

import argparse
import io
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tagtrail.app.commands import lock, trust, verify
from tagtrail.app.terminal.console import Console
from tagtrail.formats import note
from tests.app.desk import lay, lay_root, said
from tests.app.shelf import DIGEST, alone, lay_log, lay_site, pin, row
from tests.app.test_events import SCHEMA, fits
from tests.verify.workshop import NAME, NOW, ORIGIN, YEAR, Workshop, envelope, witness_key

OWN = note.Signer(name="releases.example.org/w", kind=note.COSIGNATURE, seed=b"o" * 32)
SHOP = Workshop(witnesses=(witness_key("w1"), OWN), needed=1, root_fields={"expires": NOW + 50 * YEAR})
JO = SHOP.jo.key.fingerprint


@pytest.fixture(autouse=True)
def desk(tmp_path):
    with alone(tmp_path):
        pin(tmp_path / "config", lay_site(tmp_path / "site", SHOP), SHOP)
        yield


def read(command: ModuleType, root: Path, *words: object) -> list[str]:
    """The lines that people read, with `root` as ~; every event fits its schema."""
    for event in said(command, *words).events:
        assert fits(SCHEMA["$defs"][event["event"]], event), event
    parser = argparse.ArgumentParser()
    parser.add_argument("-C", dest="home")
    command.arguments(parser)
    out = io.StringIO()
    with Console(out, out) as console:
        command.run(parser.parse_args([str(word) for word in words]), console)
    return out.getvalue().replace(str(root), "~").splitlines()


SEEN = f"{OWN.name}, witness.example/w1; {OWN.name} is the operator's own"
PROVEN = [
    f"tag 1.0.0 on cccccccc, signed by {JO} (allowed for nova since entry 3)",
    f"entry 7 of {ORIGIN}, witnessed 2 of 2 at 2026-04-01T15:02:05Z: {SEEN}",
]
NOT_PROVEN = [
    "not proven: the build (the operator says that it was made from the tag)",
    "not proven: that it was not withdrawn since (`tagtrail audit` of its site tells)",
]


def test_a_file_with_fetched_evidence(tmp_path):
    file = lay(tmp_path / "d", SHOP)
    for name in (f"{NAME}.tlog-proof", "nova-1.0.0.tag"):
        (tmp_path / "d" / name).unlink()
    assert read(verify, tmp_path, file, "--fetch") == [
        f"~/d/{NAME}  ok",
        *(f"  {text}" for text in [*PROVEN, *NOT_PROVEN]),
        f"  fetched {NAME}.tlog-proof and nova-1.0.0.tag from ~/site/nova/",
    ]


def test_requirements(tmp_path):
    (tmp_path / "r.txt").write_text(
        f"nova==1.0.0 --hash=sha256:{DIGEST} --hash=sha256:{'0' * 64}\nevil==1 --hash=sha256:{'1' * 64}\n"
    )
    assert read(verify, tmp_path, "--requirements", tmp_path / "r.txt") == [
        "nova==1.0.0  hash-unproven",
        f"  {DIGEST[:4]} {DIGEST[4:8]}   {NAME}",
        f"  0000 0000   hash-unproven: sha256:{'0' * 64} is no file of nova that ~/site has a proof of",
        "  why    pip would install it; nobody vouches for it",
        *(f"  {text}" for text in [*PROVEN, *NOT_PROVEN]),
        "evil==1  unknown: no pinned trail names it",
        "refused  2 requirements: 0 proven, 1 refused, 1 known to no pinned trail   (exit 7)",
    ]


def test_what_is_locked_is_a_requirements_file(tmp_path):
    assert read(lock, tmp_path, "nova") == [
        "# nova 1.0.0, from ~/site",
        *(f"#   {text}" for text in [*PROVEN, *NOT_PROVEN]),
        "#   not proven: that ~/site shows all versions, and which of them are withdrawn",
        "nova==1.0.0 \\",
        f"    --hash=sha256:{DIGEST}",
    ]
    assert row()["hashes"] == {"sha256": DIGEST}


def test_a_checkpoint(tmp_path):
    at = lay_log(tmp_path / "log", SHOP)
    root = SHOP.checkpoint().root.hex()
    assert read(verify, tmp_path, "--checkpoint", at) == [
        f"{ORIGIN}  ok  tree 13, {root[:4]} {root[4:8]}, the newest as of 2026-04-01T15:02:05Z",
        f"  cosigned by {OWN.name}, witness.example/w1; {OWN.name} is the operator's own",
    ]
    grown = Workshop(witnesses=SHOP.witnesses, needed=1, size=20)
    lines = read(verify, tmp_path, "--checkpoint", lay_log(tmp_path / "log", grown))
    assert len(lines) == 2
    assert said(verify, "--checkpoint", at).events[0]["contains"] == [20]


def test_a_root_says_which_witnesses_are_the_operators_own(tmp_path):
    (tmp_path / "site" / "trail" / "root.json").write_bytes(envelope(SHOP.root))
    lines = read(trust, tmp_path, tmp_path / "site", "--yes")
    assert f"  witnesses    2 known, quorum quorum; {OWN.name} is the operator's own" in lines
    assert said(trust, tmp_path / "site", "--yes").of("root")[0]["own_witnesses"] == [OWN.verifier.vkey()]


@pytest.mark.client
def test_the_plain_case_loads_nothing_of_the_others(tmp_path):
    file, root = lay(tmp_path / "d"), lay_root(tmp_path / "root.json")
    names = [f"tagtrail.app.{name}" for name in "places sources online heads newest pins requirements lying".split()]
    script = (
        "import sys\nfrom tagtrail.app.main import main\ncode = main(sys.argv[1:])\n"
        f"print([name for name in {['httpx', 'packaging', 'tagtrail.io.http', *names]!r} if name in sys.modules])\n"
    )
    argv = [sys.executable, "-c", script, "verify", str(file), "--root", str(root)]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
