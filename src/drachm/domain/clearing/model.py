"""What does a decision need, and what does it give?

`Snapshot` is everything one event's decision reads; `Clearing` is everything it decides; `Standing` is what an event
has in the books. Every posting is the difference between a new standing and the one it takes the place of: so a
charge, a reversal, a rebill, the capture or release of a hold and a payer's late answer are one mechanism.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, NamedTuple

from drachm.domain.benefits.model import Adjudication, Key, Line, Totals
from drachm.domain.catalog.model import PricedEvent
from drachm.domain.coverage.model import Contract, Coverage, Member, Party
from drachm.domain.funding.model import UNFUNDED, FundingPlan, Leg, Pot
from drachm.domain.ledger.model import Entry, EntryKind, JournalEntry

Status = Literal["posted", "denied", "pended", "refused"]
STATUSES: tuple[Status, ...] = ("posted", "denied", "pended", "refused")


@dataclass(frozen=True, slots=True)
class Standing:
    """What one event has in the books now; empty after a reversal, a pend or a refusal."""

    entries: tuple[Entry, ...] = ()
    legs: tuple[Leg, ...] = ()
    deltas: tuple[tuple[Key, int], ...] = ()
    due: int = 0


EMPTY = Standing()


@dataclass(frozen=True, slots=True)
class Answer:
    """An outside payer's decision for one event (271, ClaimResponse; an 835 corrects it later)."""

    id: str
    payer: str
    """Party id."""
    allowed: int
    paid: int
    patient: int
    """allowed = paid + patient; micros."""
    status: Literal["final", "provisional"]


@dataclass(frozen=True, slots=True)
class Target:
    """The posted row that a reversal, replacement, stop or revision takes the place of."""

    key: bytes
    revision: int
    position: int
    kind: EntryKind
    standing: Standing
    member: str
    billing_party: str
    superseded: bool = False
    """True when another row took its place already."""


@dataclass(frozen=True, slots=True)
class Cover:
    """One coverage with the hash of the plan version in force on the day."""

    coverage: Coverage
    plan_hash: str
    payer: str


class Asked(NamedTuple):
    """An event with its price, and as the plans see it."""

    priced: PricedEvent
    line: Line


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything one decision reads, as it stands before the event."""

    member: Member
    provider: Party
    site: Party | None
    contract: Contract | None
    covers: tuple[Cover, ...]
    day: date
    """Local service date in the primary plan's zone, or the provider's without cover."""
    received: datetime
    totals: Totals
    pots: tuple[Pot, ...]
    target: Target | None = None
    answer: Answer | None = None
    asked: Asked | None = None
    """What the plans are asked, once worked out; it depends on nothing that moves within a batch."""

    def standing_at(self, totals: Totals, pots: tuple[Pot, ...]) -> Snapshot:
        """The same snapshot with the totals and pots of this moment."""
        return Snapshot(
            *(self.member, self.provider, self.site, self.contract, self.covers, self.day, self.received),
            *(totals, pots, self.target, self.answer, self.asked),
        )

    def asking(self, asked: Asked) -> Snapshot:
        """The same snapshot with the event's price and line."""
        return Snapshot(
            *(self.member, self.provider, self.site, self.contract, self.covers, self.day, self.received),
            *(self.totals, self.pots, self.target, self.answer, asked),
        )


@dataclass(frozen=True, slots=True)
class Clearing:
    """Who owes what for one event, from which pockets, and what the books say about it."""

    status: Status
    reason: str
    entry: JournalEntry
    standing: Standing
    """What the event has in the books after this row."""
    priced: PricedEvent | None = None
    adjudication: Adjudication | None = None
    funding: FundingPlan = UNFUNDED
    deltas: tuple[tuple[Key, int], ...] = ()
    """What to add to the running totals now: the new standing's less the old one's."""
    moves: tuple[tuple[str, int], ...] = ()
    """Pot id and what to add to what it may spend, sorted; negative draws."""
    covers: tuple[Cover, ...] = ()
