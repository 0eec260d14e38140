"""A mail address in the settings: `announce@lists.example.org`, or with a name, `Releases <releases@example.org>`.

The address is ASCII, its left a dot-atom (RFC 5322, 3.2.3), its right a host; the name is printable, with no
quotes, brackets, backslashes or @. This module loads nothing, for every command reads settings.
"""

import re

__all__ = ["address_fault", "split"]

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_ADDRESS = rf"{_ATOM}(\.{_ATOM})*@[A-Za-z0-9]+([.-][A-Za-z0-9]+)*"


def split(text: str) -> tuple[str, str]:
    """The name (empty: none) and the address."""
    named = re.fullmatch(r"(.*\S) <([^<>]*)>", text)
    return (named[1], named[2]) if named else ("", text)


def address_fault(text: str) -> str:
    """What is wrong with one address; empty: nothing."""
    name, address = split(text)
    good = re.fullmatch(_ADDRESS, address) and len(address) <= 254 and len(address.partition("@")[0]) <= 64
    if good and name.isprintable() and not set(name) & set('<>"\\@') and len(name) <= 100:
        return ""
    return "is a mail address in ASCII, such as announce@lists.example.org or Releases <releases@example.org>"
