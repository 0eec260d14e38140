"""The suite of the port Signer, for every adapter there is."""

from collections.abc import Callable

import pytest

from tagtrail.adapters.openpgp import OpenPGP, generate
from tagtrail.ports import Signer
from tagtrail.testing.memory import Signer as MemorySigner
from tagtrail.testing.suites import signer as suite


@pytest.fixture(scope="module")
def secret() -> bytes:
    return generate("Example releases").encode()


@pytest.fixture(params=["memory", "openpgp"])
def opening(request: pytest.FixtureRequest, secret: bytes) -> Callable[[], Signer]:
    return MemorySigner if request.param == "memory" else lambda: OpenPGP(secret)


@pytest.mark.parametrize("check", suite.CHECKS)
def test_signer(check: Callable[[suite.Case], None], opening: suite.Case) -> None:
    check(opening)
