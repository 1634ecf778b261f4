"""Under which number does a thing stand in hot rows?

Hot rows carry no words: a patient, a party, a pot and the home of a running total are the first 64 bits of a hash of
their names, the same on every machine (`ledger.stable_id`).
"""

from __future__ import annotations

import hashlib
import struct
from functools import lru_cache, partial
from typing import Final, NamedTuple

from drachm.domain.benefits.model import Key, Numbering
from drachm.domain.ledger.model import stable_id

_PAIR: Final = struct.Struct(">qQ")
_new: Final = tuple.__new__


class Place(NamedTuple):
    """Where a running total is kept: in which state row, and under which number in it."""

    row: int
    slot: int


SLOT_BITS: Final = 64
SLOT: Final = (1 << SLOT_BITS) - 1
HOMES_MAX: Final = 65_536
"""Homes and slots of totals that are kept ready."""


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
    """The state row that holds a total, which is locked for it, and the total's own number in that row."""
    return place_of(total_number(tenant, key))


def total_number(tenant: int, key: Key) -> int:
    """The number of a total wherever it is not read by people: its row's, then 64 bits of its own in that row.

    The slot depends on the scope too, so that two scopes whose rows met in one number would not meet in one total.
    """
    scope, name, period = key
    word, home, slot = numbering(tenant)
    return home(scope, word(period)) ^ slot(name, period)


def place_of(number: int) -> Place:
    """Row and slot of a total's number; only the row has a sign."""
    return _new(Place, (number >> SLOT_BITS, number & SLOT))


def number_at(row: int, slot: int) -> int:
    """The number of the total in this place."""
    return (row << SLOT_BITS) | slot


@lru_cache(maxsize=64)
def numbering(tenant: int) -> Numbering:
    """How the keys of a tenant's totals become their numbers; every part remembers what it said."""
    return Numbering(
        lru_cache(maxsize=4_096)(home),
        lru_cache(maxsize=HOMES_MAX)(partial(_home_number, tenant)),
        lru_cache(maxsize=HOMES_MAX)(_slot),
    )


def home(period: str) -> str:
    """Which periods of a scope share a row: those of a calendar year, the days of a month, one visit or admission."""
    sign = period[:1]
    if sign == "D":
        return period[:8]
    return period if sign in "VAL" else period[1:5]


def _home_number(tenant: int, scope: str, home: str) -> int:
    """The row's number, and 64 further bits into which slots are mixed."""
    row, mix = _PAIR.unpack_from(hashlib.sha256(f"{tenant}\x1ftotals\x1f{scope}\x1f{home}".encode()).digest())
    return (int(row) << SLOT_BITS) | int(mix)


def _slot(name: str, period: str) -> int:
    return stable_id(0, "total", name, period) & SLOT
