"""How does a case become ordinary plan documents, lines and starting totals?

The pieces that every kind is put together from. Nothing here works out a benefit: a kind states its parameters as a
document, the engine computes, and `answers` of a kind reads names off what the engine answered.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from drachm.adapters.vectors.read import Case, Unsupported
from drachm.domain.benefits import Adjudication, Key, Line, adjudicate, apply, build_stack, load_plan
from drachm.domain.events.model import UNIT, Fact
from drachm.domain.money import RoundingMode, minor_unit, round_ratio

Document = dict[str, Any]
Names = dict[str, Any]
"""Computed names of `expected`: micros, words, flags, lists and objects of them."""

YEAR: Final = 2025
"""Benefit year of a case that names none; a common year."""
LAST_DAY: Final = 36_500
"""Days after the beginning of cover: a century is enough for any life."""
MEMBER: Final = "member"
"""Person of a line that names none."""
FAMILY: Final = "family"
POLICY: Final = "policy"
CATEGORY: Final = {"category": {"type": "text", "default": None}}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the engine answered for the lines of a case, in order of `seq`, and the totals after the last one."""

    lines: tuple[Line, ...]
    answers: tuple[Adjudication, ...]
    totals: Mapping[Key, int]


def no_names(outcome: Outcome, names: Names) -> Names:
    """A kind whose names all follow from the shares."""
    return {}


@dataclass(frozen=True, slots=True)
class Setup:
    """One case as the engine wants it."""

    documents: tuple[Document, ...]
    """The stack, in order."""
    lines: tuple[Line, ...]
    """In order of `seq`."""
    totals: Mapping[Key, int] = field(default_factory=dict)
    """State before the first line."""
    order: tuple[int, ...] = ()
    """Positions of `lines` in the order of adjudication; empty: as they stand."""
    answers: Callable[[Outcome, Names], Names] = no_names
    """Names that this kind adds to, or puts in the place of, those that follow from the shares."""


def run(setup: Setup) -> Outcome:
    """Ask the engine, line by line."""
    stack = build_stack([load_plan(made) for made in setup.documents])
    totals: Mapping[Key, int] = {key: amount for key, amount in setup.totals.items() if amount}
    answers: dict[int, Adjudication] = {}
    for position in setup.order or range(len(setup.lines)):
        answers[position] = adjudicate(setup.lines[position], stack, totals)
        totals = apply(totals, answers[position].deltas)
    return Outcome(setup.lines, tuple(answers[position] for position in range(len(setup.lines))), totals)


def document(case: Case, steps: Sequence[Document], *, payer: str = "plan", **more: Any) -> Document:
    """A plan document of the case's currency, year and rounding; the payer's name is also its id."""
    return {
        "id": payer,
        "version": "1",
        "payer": payer,
        "currency": case.currency,
        "zone": "UTC",
        "effective": {"from": f"{year_of(case)}-01-01"},
        "rounding": rounding(case),
        # What a price holds below the payable unit is the plan's: patient and plan together are the allowed amount.
        "residue": "payer",
        "steps": list(steps),
        **{name: value for name, value in more.items() if value},
    }


def step(name: str, kind: str, **more: Any) -> Document:
    """One step; its clause is its name. Parameters that are None are left out."""
    return {
        "id": name,
        "kind": kind,
        "clause": name,
        **{key: value for key, value in more.items() if value is not None},
    }


def total(
    name: str, of: str, *, scope: str = "person", period: str | Document = "benefit_year", **more: Any
) -> Document:
    """An accumulator fed by one measure."""
    return {"id": name, "scope": scope, "period": period, "feeds": [{"of": of}], **more}


def limit(name: str, amount: Any) -> list[Document]:
    """The one entry of `limits`, or none where the amount is no rule."""
    return [] if amount is None else [{"accumulator": name, "limit": amount}]


def limited(name: str, kind: str, limits: list[Document], **more: Any) -> list[Document]:
    """A step that lives by its limits, or none where there are no limits."""
    return [step(name, kind, limits=limits, **more)] if limits else []


def rounding(case: Case, mode: RoundingMode = "half_up") -> Document:
    unit = case.plan.get("rounding", {}).get("unit", minor_unit(case.currency))
    if unit <= 0:
        raise Unsupported("plan.rounding.unit (not positive)")
    return {"unit": unit, "mode": mode}


def insurer_rounding(case: Case) -> Document:
    """Where the plan states the insurer's rate it is the insurer's part that is rounded half up, so the patient's is
    rounded half down."""
    states_insurer = {"insurer_rate", "insurer_rates"} & case.plan.keys()
    return rounding(case, "half_down" if states_insurer else "half_up")


def patient_rate(case: Case) -> int:
    """The patient's ppm from the insurer's rate, or as stated; without either the insurer pays all."""
    if "insurer_rate" in case.plan:
        return 1_000_000 - int(case.plan["insurer_rate"])
    return int(case.plan.get("coinsurance_patient", 0))


def year_of(case: Case) -> int:
    year = int(case.plan.get("year", YEAR))
    if not 1900 <= year < 2100:
        raise Unsupported(f"plan.year = {year}")
    return year


def year_key(case: Case, name: str, *, scope: str = MEMBER, payer: str = "plan") -> Key:
    """Key of a total of the benefit year."""
    return Key(scope, f"{payer}/{name}", f"Y{year_of(case)}-01-01")


def member_of(raw: Mapping[str, Any]) -> str:
    return str(raw.get("member") or MEMBER)


def allowed(case: Case, index: int) -> int:
    """The eligible amount of a line: stated, or quantity times price."""
    raw = case.lines[index]
    if "allowed" in raw:
        return int(raw["allowed"])
    if "qty" in raw and "unit_price" in raw:
        return int(raw["qty"]) * int(raw["unit_price"])
    raise Unsupported(f"lines[{index}].allowed (missing)")


def lines_of(
    case: Case, facts: Callable[[int], Mapping[str, Fact]], *, cost: Callable[[Case, int], int] = allowed
) -> tuple[Line, ...]:
    """The engine's lines; `facts` gives what the documents look at on the line at a position."""
    begin = datetime(year_of(case), 1, 1, 12, tzinfo=UTC)
    made = []
    for index, raw in enumerate(case.lines):
        amount, day = cost(case, index), int(raw.get("day", 0))
        if day > LAST_DAY:
            raise Unsupported(f"lines[{index}].day = {day}")
        made.append(
            Line(
                id=f"line-{index + 1}",
                billed=amount,
                cost=amount,
                at=begin + timedelta(days=day),
                member=member_of(raw),
                family=FAMILY,
                policy=POLICY,
                quantity=int(raw.get("qty", 1)) * UNIT,
                facts=facts(index),
            )
        )
    return tuple(made)


def deductible_before(case: Case, scope: str = MEMBER, *, payer: str = "plan") -> dict[Key, int]:
    """State of a plan with one deductible of one person (or of the policy)."""
    met = case.state.get("deductible_met")
    used = case.plan.get("deductible_individual", 0) if met else case.state.get("deductible_used", 0)
    return {year_key(case, "deductible", scope=scope, payer=payer): int(used)}


def deductible_after(case: Case, outcome: Outcome, scope: str = MEMBER, *, payer: str = "plan") -> int:
    """What is left of that one deductible."""
    used = outcome.totals.get(year_key(case, "deductible", scope=scope, payer=payer), 0)
    return max(0, int(case.plan.get("deductible_individual", 0)) - used)


def category_facts(case: Case) -> Callable[[int], Mapping[str, Fact]]:
    """The benefit category of each line, where it has one."""

    def facts(index: int) -> Mapping[str, Fact]:
        raw = case.lines[index]
        return {"category": raw["category"]} if "category" in raw else {}

    return facts


def paid_by(answer: Adjudication, party: str) -> int:
    """What one party pays on the line, its credits to earlier lines included."""
    shares = sum(share.amount for share in answer.shares if share.bearer == "payer" and share.party == party)
    return shares + sum(credit.amount for credit in answer.credits if credit.party == party)


def printed(amount: int) -> int:
    """The form's rounding of the Summary of Benefits and Coverage: from 100 up to hundreds, below to tens."""
    unit = 100_000_000 if amount >= 100_000_000 else 10_000_000
    return round_ratio(amount, 1, unit)
