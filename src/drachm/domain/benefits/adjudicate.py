"""Who owes what for this line?

The straight line of docs/reference/plan-model.md, section 4, in two parts: `prepare` reads the facts and says which
running totals are wanted, `Prepared.decide` splits the line. For a batch, `prepare_placed` and `Placed.split` are the
same by numbers instead of names, and flat. Pure: same line, same documents, same totals, same answer, for ever.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from drachm.domain.benefits.document import Plan, PocketPlace
from drachm.domain.benefits.machine import Calendar, Machine, Program
from drachm.domain.benefits.model import Adjudication, Key, Line, Numbering, Split, Totals
from drachm.domain.benefits.place import invalid
from drachm.domain.errors import Pended
from drachm.domain.local_day import local_date


@dataclass(frozen=True, slots=True)
class Stack:
    """A coverage's documents, primary first, compiled as lines come up; cache it by `hashes`."""

    plans: tuple[Plan, ...]
    hashes: tuple[str, ...]
    zone: str
    """Whose calendar days count; UTC for an empty stack."""
    machine: Machine = field(repr=False, compare=False)
    pockets: Mapping[tuple[str, str], PocketPlace] = field(default_factory=dict)
    """(payer, kind of pocket) -> its place among a person's pockets, as the first document says that names it."""


class Asked:
    """A line whose facts were read: what is left to know are the running totals."""

    __slots__ = ("calendar", "facts", "line", "program")

    def __init__(self, line: Line, calendar: Calendar, facts: tuple[object, ...], program: Program) -> None:
        self.line = line
        self.calendar = calendar
        self.facts = facts
        self.program = program


def told(program: Program, billed: int, allowed: int, split: Split) -> Adjudication:
    """The whole answer of a split, but for its deltas: those name totals as the split was asked for them."""
    shares = program.tell(billed, allowed, split.cost, split.amounts)
    return Adjudication(
        *(billed, allowed, shares, split.credits, (), split.trace, split.decision, split.reason, program.hashes)
    )


class Prepared(Asked):
    """A line that was read, with the keys of its totals."""

    __slots__ = ("_kept", "keys")

    keys: tuple[Key, ...]
    """Every running total that deciding may read or write, each once."""

    def __init__(self, line: Line, calendar: Calendar, facts: tuple[object, ...], program: Program) -> None:
        super().__init__(line, calendar, facts, program)
        self.keys, self._kept = program.find(line, calendar, facts)

    def decide(self, totals: Totals, explain: bool = False) -> Adjudication:
        """Split the line among patient, payers and provider, to the micro.

        `totals` are the running totals before the line. The trace is empty unless asked to `explain`. Raises `Pended`
        with ``fact_missing`` when the totals lead to a rule that asks for a fact that is not there.
        """
        program, line = self.program, self.line
        decide = program.explain if explain else program.decide
        split = decide(line, self.calendar, self.facts, self._kept, totals)
        answer = told(program, line.billed, line.cost, split)
        answer.deltas = tuple(sorted(split.deltas))
        return answer


class Placed(Asked):
    """A line that was read, with the numbers of its totals: what clearing asks. Its answer stays flat until somebody
    looks (`told`)."""

    __slots__ = ("_kept", "numbers")

    numbers: tuple[int, ...]
    """Every running total that deciding may read or write, each once, in the order of `Prepared.keys`."""

    def __init__(
        self, line: Line, calendar: Calendar, facts: tuple[object, ...], program: Program, numbering: Numbering
    ) -> None:
        super().__init__(line, calendar, facts, program)
        said = program.said.get(calendar[0])
        if said is None:
            said = program.dated(calendar, numbering)
        _, home, slot = numbering
        self.numbers, self._kept = program.place(line, calendar, facts, said, home, slot)

    def keys(self) -> tuple[Key, ...]:
        """The names of the same totals, for people."""
        return self.program.find(self.line, self.calendar, self.facts)[0]

    def split(self, totals: Mapping[int, int], explain: bool = False) -> Split:
        """As `Prepared.decide`, flat."""
        decide = self.program.explain if explain else self.program.decide
        return decide(self.line, self.calendar, self.facts, self._kept, totals)


def build_stack(plans: Sequence[Plan]) -> Stack:
    """Compile the documents of one coverage. An empty stack is a person without cover.

    Raises `InvalidMessage` (``invalid_plan``) unless all share currency, zone and rounding unit and have distinct ids;
    totals are named after ids, so a document and the one it continues cannot stand together either.
    """
    for index, plan in enumerate(plans):
        first, where = plans[0], f"$[{index}]"
        for name, mine, shared in (
            ("currency", plan.currency, first.currency),
            ("zone", plan.zone, first.zone),
            ("rounding.unit", plan.rounding.unit, first.rounding.unit),
        ):
            if mine != shared:
                problem = f"is {mine} where {first.id} has {shared}"
                raise invalid(problem, f"{where}.{name}", "Stack documents of one currency, zone and rounding unit.")
        if any(plan.id == other.id or plan.totals_of == other.totals_of for other in plans[:index]):
            raise invalid(f"{plan.id} stands twice in the stack", f"{where}.id", "Stack each document once.")
    hashes = tuple(plan.hash for plan in plans)
    zone = plans[0].zone if plans else "UTC"
    pockets: dict[tuple[str, str], PocketPlace] = {}
    for plan in plans:
        for kind, place in plan.pockets.items():
            pockets.setdefault((plan.payer, kind), place)
    return Stack(tuple(plans), hashes, zone, Machine(plans), pockets)


def prepare(line: Line, stack: Stack) -> Prepared:
    """Read the facts of one line, once.

    Raises `Pended` with ``fact_missing`` or ``fact_invalid`` when no totals could lead to an answer.
    """
    calendar, facts, program = _read(line, stack, None)
    return Prepared(line, calendar, facts, program)


def prepare_placed(line: Line, stack: Stack, numbering: Numbering, day: date | None = None, zone: str = "") -> Placed:
    """The same, for somebody who knows running totals by their numbers, and may know the line's `day` in a `zone`."""
    calendar, facts, program = _read(line, stack, day if zone == stack.zone else None)
    return Placed(line, calendar, facts, program, numbering)


def _read(line: Line, stack: Stack, day: date | None) -> tuple[Calendar, tuple[object, ...], Program]:
    machine = stack.machine
    if day is None:
        day = local_date(line.at, stack.zone)
    calendar = machine.days.get(day) or machine.calendar(day)
    signature, facts = machine.read(line, calendar)
    program = machine.programs.get(signature) or machine.program(signature, line, calendar, facts)
    return calendar, facts, program


def adjudicate(line: Line, stack: Stack, totals: Totals) -> Adjudication:
    """Split one line among patient, payers and provider, with the trace.

    `totals` are the running totals before the line. Raises `Pended` with ``fact_missing`` or ``fact_invalid`` when a
    document cannot be read on this line.
    """
    return prepare(line, stack).decide(totals, explain=True)


def keys(line: Line, stack: Stack) -> frozenset[Key]:
    """Every key that adjudicating the line may read or write; none when it pends."""
    try:
        return frozenset(prepare(line, stack).keys)
    except Pended:
        return frozenset()


def reverse_deltas(adjudication: Adjudication) -> tuple[tuple[Key, int], ...]:
    """What takes the line out of the running totals again; exact when no later line read those keys."""
    return tuple((key, -amount) for key, amount in adjudication.deltas)


def apply(totals: Mapping[Key, int], deltas: Sequence[tuple[Key, int]]) -> dict[Key, int]:
    """The running totals after `deltas`; zero totals vanish."""
    after = dict(totals)
    for key, amount in deltas:
        after[key] = after.get(key, 0) + amount
        if not after[key]:
            del after[key]
    return after
