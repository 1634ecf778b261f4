"""Who is registered, as the decisions of a batch see it?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from drachm.domain.clearing.covering import Covering
from drachm.domain.clearing.premises import Premises
from drachm.domain.coverage.model import Contract, Coverage, Member, Party
from drachm.domain.funding.mandate import Mandate
from drachm.domain.funding.model import Pot

PREMISES_MAX: Final = 256
"""Sites of one party that are kept ready."""


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

    __slots__ = ("_premises", "contracts", "number", "party")

    def __init__(self, party: Party, number: int, contracts: tuple[Contract, ...] = ()) -> None:
        self.party = party
        self.number = number
        """`numbers.party_number`."""
        self.contracts = contracts
        """By payer, then first day."""
        self._premises: dict[str, Premises] = {}

    def at(self, site: Party | None) -> Premises:
        """The party at one of its sites, remembered."""
        name = site.id if site is not None else ""
        found = self._premises.get(name)
        if found is None or found.site is not site:
            if len(self._premises) >= PREMISES_MAX:
                self._premises.clear()
            found = self._premises[name] = Premises(self.party, site)
        return found


class Registry(NamedTuple):
    """Who is registered, of those that were asked for, at one version of the register."""

    tenant: int
    version: int = 0
    """Goes up by one with every change of people, parties, agreements or documents."""
    people: Mapping[str, Person] = {}
    """By member id."""
    parties: Mapping[str, PartyRecord] = {}
    """By party id."""
