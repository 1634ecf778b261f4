"""Under which number does a thing stand in hot rows?

Hot rows carry no words: a patient, a party, a pot and the home of a running total are the first 64 bits of a hash of
their names, the same on every machine (`ledger.stable_id`).
"""

from __future__ import annotations

import hashlib
import struct
from functools import lru_cache
from typing import Final, NamedTuple

from drachm.domain.benefits.model import Key
from drachm.domain.ledger.model import stable_id

_PAIR: Final = struct.Struct(">qq")
_new: Final = tuple.__new__


class Place(NamedTuple):
    """Where a running total is kept: in which state row, and under which number in it."""

    row: int
    slot: int


def patient_number(tenant: int, member: str) -> int:
    """The number of a member; that of the empty name for an unknown member."""
    return stable_id(tenant, "member", member)


@lru_cache(maxsize=65_536)
def party_number(tenant: int, party: str) -> int:
    """The number of a provider."""
    return stable_id(tenant, "party", party)


def pot_number(tenant: int, pot: str) -> int:
    """The number of a pot's state row."""
    return stable_id(tenant, "pot", pot)


def total_place(tenant: int, key: Key) -> Place:
    """The state row that holds a total, which is locked for it, and the total's own number in that row.

    The slot depends on the scope too, so that two scopes whose rows met in one number would not meet in one total.
    """
    scope, name, period = key
    row, mix = _home_of(tenant, scope, home(period))
    return _new(Place, (row, mix ^ _slot(name, period)))


def home(period: str) -> str:
    """Which periods of a scope share a row: those of a calendar year, the days of a month, one visit or admission."""
    sign = period[:1]
    if sign == "D":
        return period[:8]
    return period if sign in "VAL" else period[1:5]


@lru_cache(maxsize=4_096)
def _home_of(tenant: int, scope: str, home: str) -> tuple[int, int]:
    """The row's number, and 64 further bits; the totals of one line mostly share a row."""
    digest = hashlib.sha256(f"{tenant}\x1ftotals\x1f{scope}\x1f{home}".encode()).digest()
    return _PAIR.unpack_from(digest)


@lru_cache(maxsize=65_536)
def _slot(name: str, period: str) -> int:
    return stable_id(0, "total", name, period)
