"""Who is registered, as the decisions of a batch see it?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from drachm.domain.coverage.model import Contract, Coverage, Member, Party
from drachm.domain.funding.model import Pot


class Person:
    """A member with cover and pockets, as registered."""

    __slots__ = ("coverages", "member", "number", "pots")

    def __init__(
        self, member: Member, number: int, coverages: tuple[Coverage, ...] = (), pots: tuple[Pot, ...] = ()
    ) -> None:
        self.member = member
        self.number = number
        """`numbers.patient_number`."""
        self.coverages = coverages
        """By rank, then id."""
        self.pots = pots
        """By priority, then id; what they may spend is read under lock, not here."""


class PartyRecord:
    """A party with its price agreements, as registered."""

    __slots__ = ("contracts", "number", "party")

    def __init__(self, party: Party, number: int, contracts: tuple[Contract, ...] = ()) -> None:
        self.party = party
        self.number = number
        """`numbers.party_number`."""
        self.contracts = contracts
        """By payer, then first day."""


class Registry(NamedTuple):
    """Who is registered, of those that were asked for, at one version of the register."""

    tenant: int
    version: int = 0
    """Goes up by one with every change of people, parties, agreements or documents."""
    people: Mapping[str, Person] = {}
    """By member id."""
    parties: Mapping[str, PartyRecord] = {}
    """By party id."""
