"""What does a decision need, and what does it give?

`Snapshot` is what one event's decision reads of the register and the documents; `Decision` is the answer; `Standing` is
what an event has in the books. Every posting is the difference between a new standing and the one it takes the place
of: so a charge, a reversal, a rebill, the capture or release of a hold and a payer's late answer are one mechanism.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, NamedTuple

from drachm.domain.benefits import Prepared, Stack
from drachm.domain.benefits.model import Adjudication, Key
from drachm.domain.catalog.model import PricedEvent
from drachm.domain.coverage.model import Contract, Coverage, Member, Party
from drachm.domain.funding.model import UNFUNDED, FundingPlan, Leg, Pot
from drachm.domain.ledger.model import Entry, EntryKind, JournalEntry

Status = Literal["posted", "denied", "pended", "refused"]
STATUSES: tuple[Status, ...] = ("posted", "denied", "pended", "refused")
STATUS_NUMBERS: Mapping[Status, int] = {status: number for number, status in enumerate(STATUSES)}
"""Status numbers of journal rows and leaves."""


class Standing(NamedTuple):
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


class Target(NamedTuple):
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


class Cover(NamedTuple):
    """One coverage with the hash of the plan version in force on the day."""

    coverage: Coverage
    plan_hash: str
    payer: str


@dataclass(slots=True)
class Snapshot:
    """What one decision reads that no event of a batch can move; running totals and pots are handed in beside it."""

    member: Member
    provider: Party
    site: Party | None
    contract: Contract | None
    covers: tuple[Cover, ...]
    day: date
    """Local service date of the provider."""
    received: datetime
    pots: tuple[Pot, ...]
    """In drawing order."""
    stack: Stack
    """The compiled plans of the covers, an outside payer's answer standing in for its own plan."""
    target: Target | None = None
    answer: Answer | None = None
    priced: PricedEvent | None = None
    prepared: Prepared | None = None
    """What the plans are asked; None for an event that takes another one back."""

    @property
    def keys(self) -> tuple[Key, ...]:
        """Every running total that the decision may read or write, in an order that never changes."""
        return tuple(self.prepared.keys) if self.prepared else ()


class Decision(NamedTuple):
    """Who owes what for one event, and from which pockets."""

    status: Status
    reason: str
    standing: Standing
    """What the event has in the books from now on."""
    priced: PricedEvent | None = None
    adjudication: Adjudication | None = None
    funding: FundingPlan = UNFUNDED


class Clearing(NamedTuple):
    """A decision with what it changes in the books."""

    decision: Decision
    entry: JournalEntry
    deltas: tuple[tuple[Key, int], ...] = ()
    """What to add to the running totals now: the new standing's less the old one's."""
    moves: tuple[tuple[str, int], ...] = ()
    """Pot id and what to add to what it may spend, sorted; negative draws."""
