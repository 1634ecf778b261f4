"""Who owes what for this line?

The straight line of docs/reference/plan-model.md, section 4: residue, each document in turn, closing steps, answer.
Pure: same line, same documents, same totals, same answer, for ever.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from drachm.domain.benefits.document import Plan
from drachm.domain.benefits.model import Adjudication, Bearer, Key, Line, Share, Step, Totals
from drachm.domain.benefits.place import invalid
from drachm.domain.benefits.program import Program
from drachm.domain.benefits.registers import SELF_PAY, Entry, Registers, Work
from drachm.domain.errors import Pended, ensure
from drachm.domain.money import round_ratio
from drachm.domain.periods import local_date


@dataclass(frozen=True, slots=True)
class Stack:
    """A coverage's documents, primary first, compiled; cache it by `hashes`."""

    plans: tuple[Plan, ...]
    hashes: tuple[str, ...]
    zone: str
    """Whose calendar days count; UTC for an empty stack."""
    programs: tuple[Program, ...] = field(repr=False, compare=False, default=())


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
    return Stack(tuple(plans), hashes, zone, tuple(Program(plan) for plan in plans))


def adjudicate(line: Line, stack: Stack, totals: Totals) -> Adjudication:
    """Split one line among patient, payers and provider, to the micro.

    `totals` are the running totals before the line. Raises `Pended` with ``fact_missing`` or ``fact_invalid`` when a
    document cannot be read on this line.
    """
    work = Work(line, totals, local_date(line.at, stack.zone))
    residue = _residue(work, stack)
    work.entries.append(Entry("", "", SELF_PAY, work.cost, SELF_PAY, False, False))
    applying = _applying(work, stack)
    for registers in applying:
        registers.program.run(registers)
    for registers in applying:
        if not registers.denied:
            registers.program.close(registers)
    return _answer(work, stack, residue, applying)


def keys(line: Line, stack: Stack) -> frozenset[Key]:
    """Every key that adjudicating the line may read or write, found without reading totals.

    A key that cannot be worked out because a fact is missing or invalid is left out: the adjudication pends before it
    could touch it.
    """
    work = Work(line, {}, local_date(line.at, stack.zone))
    found: set[Key] = set()
    try:
        applying = _applying(work, stack)
    except Pended:
        return frozenset()
    for registers in applying:
        found |= registers.program.names(registers)
    return frozenset(found)


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


def _residue(work: Work, stack: Stack) -> Share | None:
    """Step 0: round the cost to the payable unit; the first document says who bears the difference."""
    if not stack.plans:
        return None
    plan, cost = stack.plans[0], work.line.cost
    if cost % plan.rounding.unit == 0:
        return None
    mode = plan.rounding.mode if plan.residue == "provider" else "down"
    work.cost = round_ratio(cost, 1, plan.rounding.unit, mode)
    difference = cost - work.cost
    party = plan.payer if plan.residue == "payer" else ""
    target = party or "rounding"
    work.trace.append(
        Step(plan.id, plan.version, "rounding", "rounding", "", "rounding", difference, target, work.cost)
    )
    return Share(plan.residue, party, "rounding", difference, plan.id, "rounding")


def _applying(work: Work, stack: Stack) -> list[Registers]:
    """The documents that take part in the line, each with its facts; `payer_set` names their payers."""
    # The facts of every document are read first: one that does not fit pends the line, read by a rule or not.
    turns = [Registers(program, work, program.facts(work)) for program in stack.programs]
    applying = [turn for turn in turns if turn.program.applies is None or turn.program.applies(turn.facts)]
    payers = "+".join([registers.program.payer for registers in applying])
    for registers in applying:
        registers.facts["payer_set"] = payers
        registers.program.recall(registers.facts)
    return applying


def _answer(work: Work, stack: Stack, residue: Share | None, applying: list[Registers]) -> Adjudication:
    line = work.line
    shares = _shares(work, residue)
    ensure(sum([share.amount for share in shares]) == line.billed, "the shares do not sum to the bill", where=line.id)
    decision, reason = _decision(applying)
    return Adjudication(
        billed=line.billed,
        allowed=line.cost,
        shares=shares,
        credits=tuple(work.credits),
        deltas=tuple(sorted([delta for delta in work.deltas.items() if delta[1]])),
        trace=tuple(work.trace),
        decision=decision,
        reason=reason,
        decided_by=stack.hashes,
    )


def _decision(applying: list[Registers]) -> tuple[Literal["covered", "denied", "self_pay"], str]:
    """How the line ends; a line that every document denied has the reason of the first denying step."""
    if not applying:
        return "self_pay", ""
    for registers in applying:
        if not registers.denied:
            return "covered", ""
    return "denied", applying[0].denied


def _shares(work: Work, residue: Share | None) -> tuple[Share, ...]:
    """One share for each bearer, document, component and reason; zero shares are left out."""
    sums: dict[tuple[Bearer, str, str, str, str], int] = {}
    for entry in work.entries:
        if entry.amount:
            bearer: Bearer = "provider" if entry.provider else "patient"
            place = (bearer, "", entry.component, entry.document, entry.reason)
            sums[place] = sums.get(place, 0) + entry.amount
    for payment in work.payments:
        place = ("payer", payment.party, payment.component, payment.document, payment.reason)
        sums[place] = sums.get(place, 0) + payment.amount
    shares = [
        Share(bearer, party, component, amount, document, reason)
        for (bearer, party, component, document, reason), amount in sums.items()
        if amount
    ]
    if residue is not None:
        shares.append(residue)
    adjustment = work.line.billed - work.line.cost
    if adjustment:
        shares.append(Share("provider", "", "contractual_adjustment", adjustment, "", "contractual_adjustment"))
    return tuple(shares)
