"""Who is a person, to the one who also seals what is kept of them?"""

from __future__ import annotations

from drachm.domain.clearing.register import Person
from drachm.domain.coverage.model import Coverage, Member
from drachm.domain.funding.mandate import Mandate
from drachm.domain.funding.model import Pot
from drachm.storage.vault import DataKey


class Registered(Person):
    """A person from the register, with the data key as far as it was here. Shared between batches."""

    __slots__ = ("key",)

    def __init__(
        self,
        member: Member,
        number: int,
        coverages: tuple[Coverage, ...],
        pots: tuple[Pot, ...],
        key: DataKey | None,
        mandate: Mandate | None = None,
    ) -> None:
        super().__init__(member, number, coverages, pots, mandate)
        self.key = key
