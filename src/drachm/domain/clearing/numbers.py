"""Under which number does a thing stand in hot rows?

Hot rows carry no words: a patient, a party, a pot and the home of a running total are the first 64 bits of a hash of
their names, the same on every machine (`ledger.stable_id`).
"""

from __future__ import annotations

import hashlib
import struct
from functools import lru_cache
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
HOMES_MAX: Final = 500_000
"""Homes and slots of totals that are kept ready: of some 200,000 people."""
_OF_ONE: Final = ("V", "A")
"""How the periods of one visit and of one admission begin."""


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
    return number_by(numbering(tenant), key)


def number_by(numbering: Numbering, key: Key) -> int:
    """The same, for somebody who has the tenant's numbering at hand."""
    scope, name, period = key
    _, home, slot = numbering
    return home(scope, period) ^ slot(name, period)


def place_of(number: int) -> Place:
    """Row and slot of a total's number; only the row has a sign."""
    return _new(Place, (number >> SLOT_BITS, number & SLOT))


def number_at(row: int, slot: int) -> int:
    """The number of the total in this place."""
    return (row << SLOT_BITS) | slot


@lru_cache(maxsize=64)
def numbering(tenant: int) -> Numbering:
    """How the keys of a tenant's totals become their numbers; every part remembers what it said."""
    known = _Known(tenant)
    return Numbering(known.homes, known.home, known.slot)


class _Known:
    """Homes and slots that were worked out before: dictionaries, because the order of a cache costs more than its
    answers."""

    __slots__ = ("_count", "_homes", "_of_one", "_slots", "_tenant")

    def __init__(self, tenant: int) -> None:
        self._tenant = tenant
        self._homes: dict[str, dict[str, int]] = {}
        """Word of a period -> scope -> home."""
        self._of_one: dict[tuple[str, str], int] = {}
        """Scope and period -> home, of periods that are one scope's own."""
        self._slots: dict[tuple[str, str], int] = {}
        self._count = 0
        """Of the homes."""

    def homes(self, period: str) -> dict[str, int]:
        """What is known of a period that many scopes share, by scope; programs hold it, so it is always the same."""
        return self._homes.setdefault(home(period), {})

    def home(self, scope: str, period: str) -> int:
        """The number of a scope's home in a period."""
        if period[:1] in _OF_ONE:
            number = self._of_one.get((scope, period))
            if number is None:
                self._make_room()
                number = self._of_one[scope, period] = _home_number(self._tenant, scope, period)
            return number
        known = self.homes(period)
        number = known.get(scope)
        if number is None:
            self._make_room()
            number = known[scope] = _home_number(self._tenant, scope, home(period))
        return number

    def slot(self, name: str, period: str) -> int:
        """The 64 bits of a total within its home."""
        number = self._slots.get((name, period))
        if number is None:
            if len(self._slots) >= HOMES_MAX:
                self._slots.clear()
            number = self._slots[name, period] = _slot(name, period)
        return number

    def _make_room(self) -> None:
        self._count += 1
        if self._count > HOMES_MAX:
            self._count = 1
            self._of_one.clear()
            for known in self._homes.values():
                known.clear()


def home(period: str) -> str:
    """Which periods of a scope share a row: those of a calendar year, the days of a month, one visit or admission."""
    sign = period[:1]
    if sign == "D":
        return period[:8]
    return period if sign == "L" or sign in _OF_ONE else period[1:5]


def _home_number(tenant: int, scope: str, home: str) -> int:
    """The row's number, and 64 further bits into which slots are mixed."""
    row, mix = _PAIR.unpack_from(hashlib.sha256(f"{tenant}\x1ftotals\x1f{scope}\x1f{home}".encode()).digest())
    return (int(row) << SLOT_BITS) | int(mix)


def _slot(name: str, period: str) -> int:
    return stable_id(0, "total", name, period) & SLOT
