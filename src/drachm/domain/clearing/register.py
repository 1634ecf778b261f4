"""Who is registered, as the decisions of a batch see it?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Final, NamedTuple

from drachm.domain.clearing.covering import Covering
from drachm.domain.clearing.premises import Premises
from drachm.domain.coverage.model import Contract, Coverage, Member, Party
from drachm.domain.errors import Pended
from drachm.domain.funding.mandate import Mandate
from drachm.domain.funding.model import Pot

PREMISES_MAX: Final = 256
"""Sites of one party that are kept ready."""
PAYERS_MAX: Final = 1_024
"""Payers for which a party's agreement is kept ready."""

ANY_PAYER: Final = "*"
"""A contract with this payer holds for every payer that has none of its own."""


class Person:
    """A member with cover and pockets, as registered."""

    __slots__ = ("coverages", "covering", "given", "limited", "mandate", "member", "number", "pots", "shares")

    def __init__(
        self,
        member: Member,
        number: int,
        coverages: tuple[Coverage, ...] = (),
        pots: tuple[Pot, ...] = (),
        mandate: Mandate | None = None,
    ) -> None:
        self.member = member
        self.number = number
        """`numbers.patient_number`."""
        self.coverages = coverages
        """By rank, then id."""
        self.pots = pots
        """In drawing order; what they may spend is read under lock, not here."""
        self.mandate = mandate
        """What may be paid without asking; None: everything."""
        self.limited = any(pot.terms is not None for pot in pots) or (mandate is not None and mandate.binds)
        """Whether any pot is drawn on terms, or the mandate has to be asked."""
        self.shares = any(pot.fund for pot in pots)
        """Whether any pot is shared with others."""
        self.given = any(pot.purpose is not None or pot.frozen for pot in pots)
        """Whether any pot may be passed over: its money was given for a purpose, or it is frozen."""
        self.covering: Covering | None = None
        """As it was last found; it says itself whether it still holds."""


class PartyRecord:
    """A party with its price agreements, as registered."""

    __slots__ = ("_agreed", "_premises", "contracts", "number", "party")

    def __init__(self, party: Party, number: int, contracts: tuple[Contract, ...] = ()) -> None:
        self.party = party
        self.number = number
        """`numbers.party_number`."""
        self.contracts = contracts
        """By payer, then first day."""
        self._premises: dict[str, Premises] = {}
        self._agreed: dict[str | None, tuple[date, Contract]] = {}
        """By primary payer, what was last found, and for which day."""

    def at(self, site: Party | None) -> Premises:
        """The party at one of its sites, remembered."""
        name = site.id if site is not None else ""
        found = self._premises.get(name)
        if found is None or found.site is not site:
            if len(self._premises) >= PREMISES_MAX:
                self._premises.clear()
            found = self._premises[name] = Premises(self.party, site)
        return found

    def agreement(self, payer: str | None, day: date) -> Contract:
        """What prices a line of this day: with its primary payer, else with any payer, else the self-pay schedule.

        `payer` is None for a person without cover. Raises `Pended` where nothing holds.
        """
        known = self._agreed.get(payer)
        if known is not None and known[0] == day:
            return known[1]
        if len(self._agreed) >= PAYERS_MAX:
            self._agreed.clear()
        found = _agreement(self.contracts, payer, day)
        self._agreed[payer] = day, found
        return found


def _agreement(contracts: tuple[Contract, ...], payer: str | None, day: date) -> Contract:
    for wanted in () if payer is None else (payer, ANY_PAYER):
        for contract in contracts:
            if contract.payer == wanted and day in contract.period:
                return contract
    for contract in contracts:
        if contract.payer == "" and day in contract.period:
            return contract if payer is None else replace(contract, network="out")
    raise Pended("no_contract", "no price agreement holds on the day of service", where="billing_party")


class Registry(NamedTuple):
    """Who is registered, of those that were asked for, at one version of the register."""

    tenant: int
    version: int = 0
    """Goes up by one with every change of people, parties, agreements or documents."""
    people: Mapping[str, Person] = {}
    """By member id."""
    parties: Mapping[str, PartyRecord] = {}
    """By party id."""

    def same(self, other: Registry) -> bool:
        """Whether nobody of those asked for was registered anew between the two.

        Whoever remembers people hands out one object until they change, so comparing is cheap; two that only look alike
        count as changed.
        """
        return self.people == other.people and self.parties == other.parties
