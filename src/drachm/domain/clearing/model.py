"""What does a decision need, and what does it give?

`Snapshot` is what one event's decision reads of the register and the documents; `Decision` is the answer; `Standing` is
what an event has in the books. Every posting is the difference between a new standing and the one it takes the place
of: so a charge, a reversal, a rebill, the capture or release of a hold and a payer's late answer are one mechanism.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Literal, NamedTuple

from drachm.domain.benefits import Placed, Stack, told
from drachm.domain.benefits.machine import Program
from drachm.domain.benefits.model import Adjudication, Split
from drachm.domain.catalog.model import PricedEvent
from drachm.domain.clearing.answer import Answer
from drachm.domain.clearing.pockets import Passed
from drachm.domain.clearing.quotas import Quotas
from drachm.domain.coverage.model import Contract, Coverage, Party
from drachm.domain.funding.arrange import UNFUNDED, FundingPlan
from drachm.domain.funding.model import Agreed, Leg
from drachm.domain.ledger.model import Entry, EntryKind, JournalEntry

if TYPE_CHECKING:
    from drachm.domain.clearing.register import PartyRecord, Person

Status = Literal["posted", "denied", "pended", "refused"]
STATUSES: tuple[Status, ...] = ("posted", "denied", "pended", "refused")
STATUS_NUMBERS: Mapping[Status, int] = {status: number for number, status in enumerate(STATUSES)}
"""Status numbers of journal rows and leaves."""


@dataclass(slots=True, init=False)
class Standing:
    """What one event has in the books now; empty after a reversal, a pend or a refusal. Nobody changes it."""

    entries: tuple[Entry, ...]
    legs: tuple[Leg, ...]
    deltas: Sequence[tuple[int, int]]
    """Number of a running total (`numbers.total_number`), and what the event added to it."""
    due: int
    agreed: tuple[Agreed, ...]
    """What of the legs the patient paid on purpose."""

    # Written out because the one that is made takes four times as long.
    def __init__(
        self,
        entries: tuple[Entry, ...] = (),
        legs: tuple[Leg, ...] = (),
        deltas: Sequence[tuple[int, int]] = (),
        due: int = 0,
        agreed: tuple[Agreed, ...] = (),
    ) -> None:
        self.entries = entries
        self.legs = legs
        self.deltas = deltas
        self.due = due
        self.agreed = agreed


EMPTY = Standing()


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


class Snapshot:
    """What one decision reads that no event of a batch can move; running totals and pots are handed in beside it."""

    __slots__ = (
        *("agreed", "answer", "closed", "contract", "covers", "day", "exact", "passed", "person", "pots", "prepared"),
        *("priced", "quotas", "received", "record", "shares", "site", "stack", "target"),
    )

    def __init__(
        self,
        person: Person,
        record: PartyRecord,
        site: Party | None,
        contract: Contract | None,
        covers: tuple[Cover, ...],
        day: date,
        received: datetime,
        stack: Stack,
        answer: Answer | None,
    ) -> None:
        self.person = person
        self.record = record
        """Of the provider."""
        self.site = site
        self.contract = contract
        self.covers = covers
        self.day = day
        """Local service date of the provider."""
        self.received = received
        self.pots = person.pots
        """Those that may pay, in drawing order."""
        self.stack = stack
        """The compiled plans of the covers, an outside payer's answer standing in for its own plan."""
        self.answer = answer
        self.target: Target | None = None
        self.priced: PricedEvent | None = None
        self.prepared: Placed | None = None
        """What the plans are asked; None for an event that takes another one back."""
        self.shares = False
        """Whether any of the member's pots is shared with others."""
        self.closed = False
        """Whether a pot of the member may not pay for this event: then what no other covers is due."""
        self.quotas: Quotas | None = None
        """The member's limits in shared pots and the member's mandate, where any counts this event."""
        self.passed: tuple[Passed, ...] = ()
        """Pots that may not pay for this event, each with the reason."""
        self.agreed: tuple[Agreed, ...] = ()
        """What the patient paid on purpose of the event, or of the one whose place it takes."""
        self.exact = False
        """True where `agreed` is known to the micro: from the row of a decision that is made again."""

    @property
    def provider(self) -> Party:
        """Who is paid."""
        return self.record.party

    @property
    def totals(self) -> tuple[int, ...]:
        """Number of every running total that the decision may read or write, in an order that never changes."""
        if self.prepared is None:
            return ()
        numbers = self.prepared.numbers
        return numbers if self.quotas is None else (*numbers, *self.quotas.numbers)


class Decision:
    """Who owes what for one event, and from which pockets. The plans' whole answer is made when somebody looks."""

    __slots__ = ("_answer", "_made", "_program", "_split", "funding", "priced", "reason", "standing", "status")

    def __init__(
        self,
        status: Status,
        reason: str,
        standing: Standing,
        priced: PricedEvent | None = None,
        funding: FundingPlan = UNFUNDED,
        split: Split | None = None,
        program: Program | None = None,
        answer: Answer | None = None,
    ) -> None:
        self.status = status
        self.reason = reason
        self.standing = standing
        """What the event has in the books from now on."""
        self.priced = priced
        self.funding = funding
        self._split = split
        self._program = program
        self._answer = answer
        self._made: Adjudication | None = None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Decision) and self._said() == other._said()

    __hash__ = None  # type: ignore[assignment]

    def _said(self) -> tuple[object, ...]:
        return self.status, self.reason, self.standing, self.priced, self.funding, self.adjudication

    @property
    def borne(self) -> tuple[int, int] | None:
        """What all payers bear and what the patient bears, micros, without making the whole answer; None as there."""
        if self.priced is None or self._split is None:
            return None
        return sum([amount for _, amount in self._split.payers]), self._split.patient

    @property
    def adjudication(self) -> Adjudication | None:
        """What the plans said; its deltas are the standing's. None where none was asked."""
        if self._made is None and self.priced is not None and self._split is not None and self._program is not None:
            made = told(self._program, self.priced.billed, self.priced.allowed, self._split)
            if self._answer is not None:
                made.decided_by, made.status = (self._answer.id,), self._answer.status
            self._made = made
        return self._made


class Clearing:
    """A decision with what it changes in the books."""

    __slots__ = ("decision", "deltas", "entry", "moves")

    def __init__(
        self,
        decision: Decision,
        entry: JournalEntry,
        deltas: Sequence[tuple[int, int]] = (),
        moves: tuple[tuple[str, int], ...] = (),
    ) -> None:
        self.decision = decision
        self.entry = entry
        self.deltas = deltas
        """What to add to the running totals now, by number: the new standing's less the old one's."""
        self.moves = moves
        """Pot id and what to add to what it may spend, sorted; negative draws."""
