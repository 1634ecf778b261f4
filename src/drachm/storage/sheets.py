"""How does everything about one person, or one party, stand in one value?

A sheet is the msgpack of the register's own classes. A field that one of them gains later needs a default, and stands
last in a tuple: then the sheets of today are still read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple, TypeVar

import msgspec

from drachm.domain.clearing import numbers
from drachm.domain.clearing.register import PartyRecord
from drachm.domain.coverage.model import Contract, Coverage, Member, Party
from drachm.domain.errors import IntegrityError, ensure
from drachm.domain.funding.allotment import slice_for
from drachm.domain.funding.mandate import NO_MANDATE, Mandate, checked_mandate
from drachm.domain.funding.model import Pot, drawing_order
from drachm.domain.funding.purpose import Purpose
from drachm.domain.funding.quota import Terms
from drachm.storage.registered import Registered
from drachm.storage.vault import DataKey

PERSON: Final = 1
PARTY: Final = 2
"""`sheet.kind`"""
NOBODY: Final = b""
"""The sheet of a person who was erased."""

T = TypeVar("T")


class PersonSheet(NamedTuple):
    """What a person's sheet holds; `Pot.avail` is 0."""

    member: Member
    coverages: tuple[Coverage, ...]
    pots: tuple[Pot, ...]
    mandate: Mandate | None = None


class PartySheet(NamedTuple):
    """What a party's sheet holds."""

    party: Party
    contracts: tuple[Contract, ...]


pack: Final = msgspec.msgpack.Encoder().encode
_person: Final = msgspec.msgpack.Decoder(PersonSheet).decode
_party: Final = msgspec.msgpack.Decoder(PartySheet).decode


def open_person(tenant: int, number: int, packed: bytes, key: DataKey | None) -> Registered:
    """The person of a stored sheet. Raises IntegrityError when it cannot be read or stands under another number."""
    try:
        sheet = _person(packed)
    except msgspec.MsgspecError as error:
        raise _unreadable(number, error) from None
    right = numbers.patient_number(tenant, sheet.member.id) == number
    ensure(right, "a sheet stands under another person's number", where=f"sheet {number}")
    return Registered(sheet.member, number, sheet.coverages, sheet.pots, key, sheet.mandate)


def open_party(tenant: int, number: int, packed: bytes) -> PartyRecord:
    """The party of a stored sheet. Raises as `open_person`."""
    try:
        sheet = _party(packed)
    except msgspec.MsgspecError as error:
        raise _unreadable(number, error) from None
    right = numbers.party_number(tenant, sheet.party.id) == number
    ensure(right, "a sheet stands under another party's number", where=f"sheet {number}")
    return PartyRecord(sheet.party, number, sheet.contracts)


def people_of(
    members: Iterable[Member],
    coverages: Iterable[Coverage],
    pots: Iterable[Pot],
    tenant: int = 0,
    mandates: Mapping[str, Mandate] | None = None,
) -> list[PersonSheet]:
    """The members with coverages by rank and pots in drawing order: one order everywhere.

    In the place of an admission to a shared fund stands the slice of the member's shard.
    """
    said = mandates or {}
    covers = _grouped((one.member, one) for one in sorted(coverages, key=lambda one: (one.rank, one.id)))
    pockets = _grouped((one.member, one) for one in sorted(pots, key=drawing_order))
    return [
        PersonSheet(
            one,
            tuple(covers.get(one.id, ())),
            _drawn_from(pockets.get(one.id, ()), one.shard, tenant, said.get(one.id, NO_MANDATE)),
            said.get(one.id),
        )
        for one in members
    ]


def _drawn_from(pots: Iterable[Pot], shard: int, tenant: int, mandate: Mandate) -> tuple[Pot, ...]:
    found: dict[str, Pot] = {}
    for pot in pots:
        if pot.terms is not None and pot.terms.ended:
            continue
        if pot.fund:
            pot = slice_for(pot, shard)
            pot = pot._replace(state=numbers.pot_number(tenant, pot.id))
        # Admitted twice to one fund (as after a merge), a member draws from it once, on the first terms.
        found.setdefault(pot.id, pot)
    return tuple(sorted(found.values(), key=lambda one: (mandate.place(one.fund or one.id), *drawing_order(one))))


def mandate_of(said: Any) -> Mandate:
    """A mandate from its JSON."""
    return msgspec.convert(said, Mandate)


def mandates_of(mandates: Mapping[str, Mandate] | None) -> dict[str, Mandate]:
    """The same mandates. Raises `InvalidMessage` for one that cannot stand."""
    return {member: checked_mandate(one, where=f"mandate of {member}") for member, one in (mandates or {}).items()}


def pot_of(*values: Any) -> Pot:
    """A pot from its row: its fields in order, its terms and its purpose as JSON."""
    *fields, terms, purpose, frozen = values
    return Pot(*fields)._replace(
        terms=None if terms is None else msgspec.convert(terms, Terms),
        purpose=None if purpose is None else msgspec.convert(purpose, Purpose),
        frozen=frozen,
    )


def parties_of(parties: Iterable[Party], contracts: Iterable[Contract]) -> list[PartySheet]:
    """The parties with contracts by payer and first day."""
    agreed = _grouped((one.provider, one) for one in sorted(contracts, key=lambda one: (one.payer, one.period.start)))
    return [PartySheet(one, tuple(agreed.get(one.id, ()))) for one in parties]


def _grouped(pairs: Iterable[tuple[str, T]]) -> Mapping[str, list[T]]:
    groups: dict[str, list[T]] = {}
    for name, one in pairs:
        groups.setdefault(name, []).append(one)
    return groups


def _unreadable(number: int, error: Exception) -> IntegrityError:
    return IntegrityError(f"a sheet of the register cannot be read: {error}", where=f"sheet {number}")
