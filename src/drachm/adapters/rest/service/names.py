"""How is a journal row called outside, so that names sort by time and cannot be guessed?

A position alone could be counted up; so a name holds the position and the first half of the row's event key, which is
a hash: `rcp_`, `chg_` or `evt_` and 26 characters. They sort as the journal does.
"""

from __future__ import annotations

from typing import Final

from drachm.adapters.rest.transport.identifiers import decode, encode

_HALF: Final = 8
_POSITIONS: Final = 1 << 64


def row_name(prefix: str, position: int, key: bytes) -> str:
    """The name of the row at a position whose event has this key.

    >>> row_name("rcp", 12, bytes(16))
    'rcp_00000000000060000000000000'
    """
    return f"{prefix}_{encode(position << 64 | int.from_bytes(key[:_HALF], 'big'))}"


def position_of(name: str, prefix: str) -> tuple[int, bytes] | None:
    """(position, first half of the event key) inside a name; None when it is no name of this kind.

    The caller compares the half with the row's key: who does not know the event cannot make its name.
    """
    number = decode(name, prefix)
    if number is None:
        return None
    return number // _POSITIONS, (number % _POSITIONS).to_bytes(_HALF, "big")
