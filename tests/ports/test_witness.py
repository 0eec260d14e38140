"""The suite of the port Witness, for the one in memory and for the real server over loopback."""

from collections.abc import Callable, Iterator
from itertools import count

import pytest

from tagtrail.adapters.http_witness import HttpWitness
from tagtrail.formats.note import COSIGNATURE, Signer
from tagtrail.model.errors import RemoteError
from tagtrail.ports import Behind
from tagtrail.testing.fuse import Blown, Fuse
from tagtrail.testing.memory import Witness
from tagtrail.testing.suites import witness as suite
from tests.ports.witnesses import Server, tagtrail

KEY = Signer(name="witness.example.org/w1", kind=COSIGNATURE, seed=b"\x04" * 32)
LOG = Signer(name="example.org/trail", seed=b"\x01" * 32)
TREE = suite.Tree(LOG)


@pytest.mark.parametrize("check", suite.CHECKS)
def test_memory(check: Callable[[suite.Case], None]) -> None:
    one = Witness(KEY, (LOG.verifier,), clock=count(100).__next__)
    check(suite.Case(open=lambda: one, log=LOG, verifier=KEY.verifier))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("witness") / "w") as server:
        yield server


@pytest.mark.client
@pytest.mark.parametrize("check", suite.CHECKS, ids=lambda c: c.__name__)
def test_server(check: Callable[[suite.Case], None], server: Server) -> None:
    log = Signer(name=f"example.org/{check.__name__}", seed=b"\x01" * 32)
    tagtrail("witness", "add", server.directory, log.verifier.vkey())  # while it serves
    check(suite.Case(open=lambda: HttpWitness(f"{server.url}/"), log=log, verifier=server.verifier))


def memory(fuse: Fuse | None = None) -> Witness:
    return Witness(KEY, (LOG.verifier,), clock=lambda: 100, fuse=fuse)


def test_one_that_is_down_does_nothing_and_a_lost_reply_loses_only_the_reply() -> None:
    witness = memory()
    witness.down = True
    with pytest.raises(RemoteError) as caught:
        witness.add_checkpoint(0, (), TREE.note(5))
    assert (caught.value.code, witness.seen) == ("witness-unreachable", {})
    witness.down, witness.lost = False, True
    with pytest.raises(RemoteError) as caught:
        witness.add_checkpoint(0, (), TREE.note(5))
    assert caught.value.code == "witness-unreachable"
    witness.lost = False
    with pytest.raises(Behind) as behind:
        witness.add_checkpoint(0, (), TREE.note(5))
    assert behind.value.size == 5
    assert witness.add_checkpoint(5, (), TREE.note(5))


@pytest.mark.parametrize(("at", "sizes"), [(0, []), (1, [5])])
def test_a_fuse_before_and_after(at: int, sizes: list[int]) -> None:
    witness = memory(Fuse(at))
    with pytest.raises(Blown):
        witness.add_checkpoint(0, (), TREE.note(5))
    assert [checkpoint.size for checkpoint, _ in witness.seen.values()] == sizes
