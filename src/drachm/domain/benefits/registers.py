"""What does the machine hold while it works on one line?

`Work` is the line as a whole; `Registers` is one document's turn at it. Both are mutable, live for one call of
`adjudicate` and never leave it. Everything that moves money goes through the methods here, so the trace is complete.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from drachm.domain.benefits.model import Credit, Key, Line, Step, Totals
from drachm.domain.benefits.rules import Rule
from drachm.domain.errors import Pended

if TYPE_CHECKING:
    from drachm.domain.benefits.program import Program

SELF_PAY: Final = "self_pay"


Bound: TypeAlias = tuple[int, str, int, int]
"""The limit that leaves the least room: the room, its accumulator, what was used of it, the limit."""

FREE: Final[Bound] = (0, "", 0, 0)
"""No limit bound the step."""


class Facts(dict[str, Any]):
    """Everything a document may look at on this line; None is a fact that is absent by its null default."""

    __slots__ = ("memo", "origins")

    memo: dict[int, Any]
    """What conditions said before about the same facts, by number; shared by lines on which these are equal."""
    origins: Mapping[str, str]
    """Band fact -> the declared fact it is made of: that one is missing when the band is."""

    def __missing__(self, name: str) -> Any:
        name = self.origins.get(name, name)
        raise Pended(
            "fact_missing",
            f"the plan asks for the fact {name!r}, which nobody supplied",
            where=name,
            next_step="Supply it with the event, the member or the cover; the event then clears as a new revision.",
        )


class Entry:
    """One component as one step left it."""

    __slots__ = ("amount", "component", "document", "excess", "provider", "reason", "step")

    def __init__(
        self, document: str, step: str, component: str, amount: int, reason: str, excess: bool, provider: bool
    ) -> None:
        self.document = document
        self.step = step
        self.component = component
        self.amount = amount
        self.reason = reason
        self.excess = excess
        self.provider = provider


class Payment(NamedTuple):
    document: str
    party: str
    component: str
    amount: int
    reason: str


class Work:
    """One line on its way through the stack."""

    __slots__ = ("cost", "credits", "day", "day_text", "deltas", "entries", "line", "payments", "totals", "trace")

    def __init__(self, line: Line, totals: Totals, day: date) -> None:
        self.line = line
        self.totals = totals
        self.day = day
        self.day_text = day.isoformat()
        self.cost = line.cost
        self.entries: list[Entry] = []
        """What patient and provider owe, in the order in which it was decided."""
        self.payments: list[Payment] = []
        self.credits: list[Credit] = []
        self.deltas: dict[Key, int] = {}
        self.trace: list[Step] = []

    def add(self, key: Key, amount: int) -> None:
        """Add to a running total."""
        deltas = self.deltas
        deltas[key] = deltas.get(key, 0) + amount


class Registers:
    """One document's turn: `start` is what it takes over (A), `open` what it has still to decide."""

    __slots__ = (
        *("bases", "credited", "denied", "entries", "excess", "facts", "keys", "line", "open"),
        *("own_before_caps", "paid", "payments", "program", "start", "sums", "work"),
    )

    def __init__(self, program: Program, work: Work, facts: Facts) -> None:
        self.program = program
        self.work = work
        self.line = work.line
        self.facts = facts
        self.keys: list[Key | None] = [None] * program.total_count
        """Key of each accumulator, worked out when first asked for."""
        self.entries: list[Entry] = []
        self.sums: dict[str, int] = {}
        """What the patient bears of each component."""
        self.excess = 0
        """Entries of class excess, whoever bears them."""
        self.payments: list[Payment] = []
        """What `pay` steps gave, in order."""
        self.paid: dict[str, int] = {}
        """The same by party."""
        self.start: int = 0
        self.open: int = 0
        self.bases = 0
        """Bases of the coinsurance steps so far."""
        self.credited = 0
        """Credits of the document on this line so far, signed."""
        self.own_before_caps: int | None = None
        """Share components before the first period_cap of `steps`."""
        self.denied = ""
        """Reason of the step that denied the line."""

    def take(self, rule: Rule, amount: int, why: Bound, excess: bool = False, provider: bool = False) -> None:
        """Move `amount` of `open` to the rule's component; nothing when it is not positive."""
        if amount <= 0:
            return
        self.open -= amount
        self.enter(Entry(self.program.id, rule.id, rule.component, amount, rule.reason, excess, provider))
        self.note(rule, amount, rule.component, why)

    def enter(self, entry: Entry) -> None:
        """Keep a component and count it among the sums."""
        self.entries.append(entry)
        if entry.excess:
            self.excess += entry.amount
        if not entry.provider:
            self.sums[entry.component] = self.sums.get(entry.component, 0) + entry.amount

    def give_back(self, rule: Rule, entry: Entry, amount: int, why: Bound) -> None:
        """Move `amount` of a component that the patient bears back to `open`."""
        entry.amount -= amount
        self.sums[entry.component] -= amount
        if entry.excess:
            self.excess -= amount
        self.open += amount
        self.note(rule, -amount, entry.component, why)

    def pay(self, rule: Rule, party: str, amount: int, why: Bound) -> None:
        """Have a party pay `amount` of `open`; nothing when it is not positive."""
        if amount <= 0:
            return
        self.open -= amount
        self.paid[party] = self.paid.get(party, 0) + amount
        self.payments.append(Payment(self.program.id, party, "plan_paid", amount, rule.reason))
        self.note(rule, amount, party, why)

    def deny(self, rule: Rule) -> None:
        """End the line for this document."""
        self.denied = rule.reason

    def shares(self) -> int:
        """The components of class share that this document left to the patient."""
        return sum(entry.amount for entry in self.entries if not entry.excess)

    def note(self, rule: Rule, amount: int, target: str, why: Bound) -> None:
        """Explain a movement; `own:` marks what an independent document works out for itself and nobody owes."""
        program = self.program
        self.work.trace.append(
            Step(
                program.id,
                program.version,
                rule.id,
                rule.kind,
                rule.clause,
                rule.reason,
                amount,
                f"own:{target}" if program.independent else target,
                self.open,
                why[1],
                why[2],
                why[3],
            )
        )

    def explain(self, kind: str, reason: str, amount: int, target: str) -> None:
        """Explain a movement that no step of the list made."""
        program = self.program
        self.work.trace.append(Step(program.id, program.version, kind, kind, "", reason, amount, target, self.open))
