"""What do the rules of names.md say, worked out by hand?

A second, naive calculator of every kind of plan in `samples/vectors/names.md`: its own exact arithmetic (fractions), no
plan documents, no engine. `work_out(case)` takes a case of the format and returns what the names of `expected` are
worth. Tests compare it with the adapter and the engine on published and on random cases. Its parts stand in
`names_rules_words`, `names_rules_us` and `names_rules_japan`; this folder has to be on the import path.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from datetime import date, timedelta
from fractions import Fraction
from itertools import pairwise

from names_rules_japan import japan
from names_rules_us import medicare_secondary, part_d, united_states
from names_rules_words import (
    ZERO,
    Case,
    Deductible,
    Values,
    allowed,
    half_up,
    least,
    left,
    money,
    rate,
    stated,
    totals,
    unit_of,
)


def work_out(case: Case) -> Values:
    """The names that follow from plan, state and lines; money as fractions of the currency unit."""
    case = stated(case)
    lines = sorted(case["lines"], key=lambda line: line["seq"])
    values = KINDS[case["plan"]["kind"]](case, lines)
    values.setdefault("total_example_cost", sum((allowed(line) for line in lines), ZERO))
    return values


# Switzerland, China, Germany, France


def insurer_rate(plan: Case) -> Fraction:
    """As stated, or what the patient's rate leaves; without either the insurer pays all."""
    if plan.get("insurer_rate") is not None:
        return Fraction(plan["insurer_rate"])
    return 1 - rate(plan.get("coinsurance_patient"))


def insurer_amount(plan: Case, amount: Fraction, unit: Fraction) -> Fraction:
    """The side whose rate is stated is the side that is rounded half up."""
    if plan.get("insurer_rate") is not None:
        return half_up(amount * insurer_rate(plan), unit)
    return amount - half_up(amount * rate(plan.get("coinsurance_patient")), unit)


def switzerland(case: Case, lines: list[Case]) -> Values:
    plan, unit = case["plan"], unit_of(case)
    deductible, cap, rows = Deductible(case, lines), money(plan.get("coinsurance_cap_year")), []
    used: dict[str, Fraction] = defaultdict(Fraction)
    for line in lines:
        cost, member = allowed(line), line.get("member", "")
        first = min(cost, deductible.left(member))
        wanted = half_up((cost - first) * rate(plan.get("coinsurance_patient")), unit)
        share = least(wanted, left(cap, used[member]))
        used[member] += share
        deductible.take(member, first)
        rows.append({"charged": cost, "deductible": first, "coinsurance": share})
    values = totals(rows) | deductible.rest(lines)
    del values["coinsurance_uncapped"]
    return values


def china(case: Case, lines: list[Case]) -> Values:
    plan, unit = case["plan"], unit_of(case)
    deductible = Deductible(case, lines)
    account_paid: dict[str, Fraction] = defaultdict(Fraction)
    balance = ZERO
    if plan["kind"].startswith("personal_account"):
        balance = Fraction(case.get("state_before", {}).get("personal_account_balance", "0"))
    years: dict[str, Fraction] = defaultdict(Fraction)
    rows = []
    for line in lines:
        cost, member = allowed(line), line.get("member", "")
        year = years[member]
        account = least(cost, left(balance, account_paid[member]))
        first = min(cost - account, deductible.left(member))
        rest = cost - account - first
        if plan.get("insurer_rates"):
            insurer = half_up(insurer_part(plan, line, year + account + first, year + cost), unit)
        else:
            insurer = insurer_amount(plan, rest, unit)
        rows.append({"charged": cost, "deductible": first, "coinsurance": rest - insurer})
        account_paid[member] += account
        years[member] += cost
        deductible.take(member, first)
    values = totals(rows) | deductible.rest(lines)
    del values["coinsurance_uncapped"]
    return values


def insurer_part(plan: Case, line: Case, start: Fraction, end: Fraction) -> Fraction:
    """The insurer's rate of the part of the year's amount between start and end."""
    rows = [
        row
        for row in plan.get("insurer_rates", [])
        if row.get("member_category", plan.get("member_category")) == plan.get("member_category")
        and row.get("facility", line.get("facility")) == line.get("facility")
    ]
    steps = sorted({Fraction(row["over"]) for row in rows if "over" in row})
    edges = [ZERO, *steps, None]
    total = ZERO
    for low, high in pairwise(edges):
        part = (end if high is None else min(end, high)) - max(start, low or ZERO)
        if part <= 0:
            continue
        # Rows that count from `low` on: the highest `over` wins, then the row with most conditions, then the first.
        fitting = [row for row in rows if Fraction(row.get("over", "0")) <= (low or ZERO)]
        highest = max((Fraction(row.get("over", "-1")) for row in fitting), default=None)
        best = [row for row in fitting if Fraction(row.get("over", "-1")) == highest]
        chosen = Fraction(max(best, key=len)["rate"]) if best else insurer_rate(plan)
        total += part * chosen
    return total


def germany(case: Case, lines: list[Case]) -> Values:
    plan, unit, rows = case["plan"], unit_of(case), []
    for line in lines:
        price = allowed(line)
        copay = half_up(price * rate(plan.get("coinsurance_patient")), unit)
        copay = max(copay, money(plan.get("copay_minimum")) or ZERO)
        copay = least(copay, money(plan.get("copay_maximum")), price)
        rows.append({"charged": price, "copay": copay})
    return totals(rows)


def france(case: Case, lines: list[Case]) -> Values:
    plan, unit, rows = case["plan"], unit_of(case), []
    for line in lines:
        billed = Fraction(line.get("billed") or allowed(line))
        base = least(allowed(line), money(plan.get("reimbursement_base")))
        refund = insurer_amount(plan, base, unit)
        flat = min(refund, money(plan.get("flat_deduction")) or ZERO)
        rows.append({"charged": billed, "limits": billed - base, "coinsurance": base - refund, "copay": flat})
    return totals(rows)


# openIMIS


def openimis(case: Case, lines: list[Case]) -> Values:
    plan, unit = case["plan"], unit_of(case)
    # One deductible of the product, whoever comes; deductible and ceilings are those of a year from 1 January.
    deductible = money(plan.get("deductible_individual")) or ZERO
    state = case.get("state_before", {})
    used: dict[int, Fraction] = defaultdict(Fraction, {0: Fraction(state.get("deductible_used", "0"))})
    if state.get("deductible_met"):
        used[0] = deductible
    claim = next((line["category"] for line in lines if line.get("category")), None)
    ceilings = plan.get("max_amount_by_category", {})
    paid: dict[tuple[str, int], Fraction] = defaultdict(Fraction)
    accepted: list[Case] = []
    answers: dict[int, tuple[int, dict[str, Fraction]]] = {}
    for line in sorted(lines, key=lambda line: line.get("line_type", "service") != "item"):
        cost = allowed(line)
        code = rejection(plan, line, accepted)
        if code:
            answers[id(line)] = code, {"charged": cost, "limits": cost}
            continue
        accepted.append(line)
        category, year = line.get("category", claim), line.get("day", 0) // 365
        first = min(cost, max(ZERO, deductible - used[year]))
        benefit = insurer_amount(plan, cost - first, unit)
        pays = least(benefit, left(money(ceilings.get(category)), paid[category, year]))
        paid[category, year] += pays
        used[year] += first
        row = {"charged": cost, "deductible": first, "coinsurance": cost - first - benefit, "limits": benefit - pays}
        answers[id(line)] = 0, row
    in_order = [answers[id(line)] for line in lines]
    codes = {code for code, _ in in_order if code}
    values = totals([row for _, row in in_order])
    del values["coinsurance_uncapped"]
    values |= {
        "line_decision": ["reject" if code else "accept" for code, _ in in_order],
        "ceiling_exceeded": sum((row["limits"] for code, row in in_order if not code), ZERO),
    }
    if codes:
        values["reject_reason"] = codes
    values |= {"status": "valuated"} if accepted else {"claim_reject_reason": 1}
    return values


def rejection(plan: Case, line: Case, accepted: list[Case]) -> int:
    """The first check that fails: 4 category, 17 waiting, 5 frequency, 16 quantity; 0 is none."""
    patient, mask = plan.get("patient_category", 0), plan.get("service_patient_category")
    if mask is not None and patient & ~mask:
        return 4
    child = line.get("member", "child" if patient & 8 and not patient & 4 else "adult") == "child"
    months = plan.get("waiting_period_child_months" if child else "waiting_period_adult_months") or 0
    day = line.get("day", 0)
    begins = date(2025 + months // 12, 1 + months % 12, 1)
    if months and date(2025, 1, 1) + timedelta(days=day) < begins:
        return 17
    person = line.get("member", "")
    mine = [other for other in accepted if other.get("member", "") == person]
    frequency = plan.get("frequency_days")
    same = [other for other in mine if other["service"] == line["service"]]
    if frequency and any(0 <= day - other.get("day", 0) < frequency for other in same):
        return 5
    limit = plan.get("limit_no_adult")
    if limit is not None and not child and sum(other.get("qty", 1) for other in mine) + line.get("qty", 1) > limit:
        return 16
    return 0


KINDS: dict[str, Callable[[Case, list[Case]], Values]] = {
    "deductible_then_coinsurance": united_states,
    "deductible_then_copay": united_states,
    "copay_or_deductible_then_coinsurance": united_states,
    "copay_then_coinsurance": united_states,
    "deductible_then_coinsurance_plus_copay": united_states,
    "deductible_then_coinsurance_with_coinsurance_cap": switzerland,
    "deductible_then_coinsurance_by_facility_level": china,
    "personal_account_then_deductible_then_coinsurance": china,
    "percent_copay_with_bounds": germany,
    "base_rate_reimbursement": france,
    "coinsurance_with_monthly_income_cap": japan,
    "coinsurance_with_monthly_cap_and_transition_relief": japan,
    "medicare_secondary": medicare_secondary,
    "part_d_gap": part_d,
    "part_d_2025": part_d,
    "openimis_product": openimis,
}
