"""Words that every rule of `names_rules` shares: exact amounts, rounding, the year's deductible, sums over lines."""

from __future__ import annotations

import math
from collections import defaultdict
from fractions import Fraction
from typing import Any

Case = dict[str, Any]
Values = dict[str, Any]

ZERO = Fraction(0)
UNITS = {"JPY": Fraction(1)}
CENT = Fraction(1, 100)
PARTS = ("deductible", "copay", "coinsurance", "limits")


def stated(value: Any) -> Any:
    """The case without its nulls: `null` is "no such limit", the same as a rule that is not there."""
    if isinstance(value, dict):
        return {key: stated(item) for key, item in value.items() if item is not None}
    return [stated(item) for item in value] if isinstance(value, list) else value


def money(value: str | None) -> Fraction | None:
    return None if value is None else Fraction(value)


def rate(value: str | None) -> Fraction:
    return ZERO if value is None else Fraction(value)


def allowed(line: Case) -> Fraction:
    if line.get("allowed") is not None:
        return Fraction(line["allowed"])
    return Fraction(line["unit_price"]) * line["qty"]


def unit_of(case: Case) -> Fraction:
    rounding = case["plan"].get("rounding")
    return Fraction(rounding["unit"]) if rounding else UNITS.get(case["currency"], CENT)


def half_up(amount: Fraction, unit: Fraction) -> Fraction:
    return math.floor(amount / unit + Fraction(1, 2)) * unit


def least(*amounts: Fraction | None) -> Fraction:
    return min(amount for amount in amounts if amount is not None)


def left(limit: Fraction | None, used: Fraction) -> Fraction | None:
    return None if limit is None else max(ZERO, limit - used)


class Deductible:
    """The year's deductibles of persons and family. A limit of None is no limit on what is asked: no deductible."""

    def __init__(self, case: Case, lines: list[Case]) -> None:
        plan, state = case["plan"], case.get("state_before", {})
        self.aggregate = plan.get("family_deductible") == "aggregate"
        self.individual = None if self.aggregate else money(plan.get("deductible_individual"))
        self.family = money(plan.get("deductible_family"))
        self.met = bool(state.get("deductible_met"))
        start = Fraction(state.get("deductible_used", "0"))
        self.by_person: dict[str, Fraction] = defaultdict(Fraction, {lines[0].get("member", ""): start})
        self.by_family = start

    def left(self, member: str) -> Fraction:
        rooms = [left(self.individual, self.by_person[member]), left(self.family, self.by_family)]
        known = [room for room in rooms if room is not None]
        return ZERO if self.met or not known else min(known)

    def take(self, member: str, amount: Fraction) -> None:
        self.by_person[member] += amount
        self.by_family += amount

    def rest(self, lines: list[Case]) -> Values:
        return {"deductible_remaining_after": self.names(lines)["deductible_remaining_after"]}

    def names(self, lines: list[Case]) -> Values:
        members = {line.get("member", "") for line in lines}
        own = self.family if self.aggregate else self.individual
        used = self.by_family if self.aggregate else self.by_person[lines[-1].get("member", "")]
        rest = ZERO if self.met or own is None else max(ZERO, own - used)
        family = ZERO if self.met or self.family is None else max(ZERO, self.family - self.by_family)
        return {
            "deductible_remaining_after": rest,
            "family_deductible_remaining": family,
            "family_deductible_met": family == 0,
            "member_deductible_met": {member: self.left(member) == 0 for member in members if member},
        }


def totals(rows: list[dict[str, Fraction]]) -> Values:
    """Sums and lists from one row per line: its parts, and what is `charged`."""

    def column(name: str) -> list[Fraction]:
        return [row.get(name, ZERO) for row in rows]

    patient = [sum((row.get(part, ZERO) for part in PARTS), ZERO) for row in rows]
    charged = [row["charged"] for row in rows]
    return {
        **{part: sum(column(part), ZERO) for part in PARTS},
        "patient_total": sum(patient, ZERO),
        "plan_pays": sum(charged, ZERO) - sum(patient, ZERO),
        "line_patient": patient,
        "line_plan": [whole - share for whole, share in zip(charged, patient, strict=True)],
        "line_deductible": column("deductible"),
        "line_coinsurance": column("coinsurance"),
        "deductible_derived": sum(column("deductible"), ZERO),
        "coinsurance_uncapped": sum((row.get("uncapped", row.get("coinsurance", ZERO)) for row in rows), ZERO),
    }
