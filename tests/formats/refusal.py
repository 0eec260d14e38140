"""How a test names the reason of a refusal."""

from collections.abc import Callable
from typing import Any

import pytest

from tagtrail.model.errors import TamperError


def refused(call: Callable[..., object], *args: Any, **options: Any) -> str:
    """The reason code with which `call` refuses; its sentence is one line of printable ASCII or our own dashes."""
    with pytest.raises(TamperError) as caught:
        call(*args, **options)
    assert caught.value.what.isprintable()
    return caught.value.code
