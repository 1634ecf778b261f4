"""What do the rules of names.md say, worked out by hand?

A second, naive calculator of every kind of plan in `samples/vectors/names.md`: its own exact arithmetic (fractions), no
plan documents, no engine. `work_out(case)` takes a case of the format and returns what the names of `expected` are worth.
Tests compare it with the adapter and the engine on published and on random cases.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

Case = dict[str, Any]
Values = dict[str, Any]

ZERO = Fraction(0)
UNITS = {"JPY": Fraction(1)}
CENT = Fraction(1, 100)


def work_out(case: Case) -> Values:
    lines = sorted(case["lines"], key=lambda line: line["seq"])
    values = KINDS[case["plan"]["kind"]](case, lines)
    values.setdefault("total_example_cost", sum((allowed(line) for line in lines), ZERO))
    return values


# Common words


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
    """Sums and lists from rows of allowed, deductible, copay, coinsurance, limits and, optionally, of what is charged."""

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


PARTS = ("deductible", "copay", "coinsurance", "limits")


# United States: deductible, copay, coinsurance, maximum


def united_states(case: Case, lines: list[Case]) -> Values:
    plan, unit = case["plan"], unit_of(case)
    deductible = Deductible(case, lines)
    family_max = money(plan.get("oop_max_family"))
    person_max = money(plan.get("oop_max_individual"))
    if deductible.aggregate and family_max is not None:
        person_max = None
    start = Fraction(case.get("state_before", {}).get("oop_used", "0"))
    person_used: dict[str, Fraction] = defaultdict(Fraction, {lines[0].get("member", ""): start})
    family_used = start
    extra_used: dict[tuple[str, str], Fraction] = defaultdict(Fraction)
    rows = []
    for line in lines:
        member, category, cost = line.get("member", ""), line.get("category"), allowed(line)
        taken: list[tuple[str, Fraction]] = []
        if category in plan.get("copay_bypasses_deductible", []) or "all" in plan.get("copay_bypasses_deductible", []):
            taken.append(("copay", min(cost, copay_of(plan, category))))
        else:
            extra = min(
                cost,
                left(money(plan.get("deductible_by_category", {}).get(category)), extra_used[member, category]) or ZERO,
            )
            general = min(cost - extra, deductible.left(member))
            taken += [("extra", extra), ("deductible", general)]
            taken += after_deductible(plan, category, cost - extra - general, unit)
        row = {"charged": cost, "uncapped": sum((a for n, a in taken if n == "coinsurance"), ZERO)}
        rooms = [left(person_max, person_used[member]), left(family_max, family_used)]
        over = max([ZERO] + [sum(a for _, a in taken) - room for room in rooms if room is not None])
        kept = []
        for name, amount in reversed(taken):
            off = min(over, amount)
            over -= off
            kept.append((name, amount - off))
        for name, amount in kept:
            part = "deductible" if name == "extra" else name
            row[part] = row.get(part, ZERO) + amount
        charge = sum((a for _, a in kept), ZERO)
        person_used[member] += charge
        family_used += charge
        extra_used[member, category] += sum((a for n, a in kept if n == "extra"), ZERO)
        deductible.take(member, sum((a for n, a in kept if n == "deductible"), ZERO))
        rows.append(row)
    values = totals(rows) | deductible.names(lines)
    values["total_example_cost"] = sum((allowed(line) for line in lines), ZERO)
    return printed(values) if plan.get("sbc_rounding") else values


def copay_of(plan: Case, category: str | None) -> Fraction:
    table = plan.get("copay_by_category", {})
    return Fraction(table.get(category, table.get("all", "0")))


def coinsurance_of(plan: Case, category: str | None) -> Fraction:
    table = plan.get("coinsurance_by_category", {})
    return rate(table.get(category, table.get("other", plan.get("coinsurance_patient"))))


def after_deductible(plan: Case, category: str | None, rest: Fraction, unit: Fraction) -> list[tuple[str, Fraction]]:
    kind = plan["kind"]
    share, fixed = coinsurance_of(plan, category), copay_of(plan, category)
    if kind == "deductible_then_copay":
        return [("copay", min(rest, fixed))]
    if kind in ("deductible_then_coinsurance", "copay_or_deductible_then_coinsurance"):
        return [("coinsurance", half_up(rest * share, unit))]
    usual = "coinsurance_after_copay" if kind == "copay_then_coinsurance" else "copay_on_top"
    if plan.get("stacking", usual) == "coinsurance_after_copay":
        copay = min(rest, fixed)
        return [("copay", copay), ("coinsurance", half_up((rest - copay) * share, unit))]
    coinsurance = half_up(rest * share, unit)
    return [("coinsurance", coinsurance), ("copay", min(rest - coinsurance, fixed))]


def printed(values: Values) -> Values:
    """The form's rounding: each part by itself, the total is the sum of the printed parts."""
    exact = {"coinsurance_exact": values["coinsurance"], "patient_total_exact": values["patient_total"]}
    parts = {part: form(values[part]) for part in PARTS}
    total = sum(parts.values(), ZERO)
    rest = {"deductible_derived": parts["deductible"], "coinsurance_uncapped": form(values["coinsurance_uncapped"])}
    return values | exact | parts | rest | {"patient_total": total, "plan_pays": values["total_example_cost"] - total}


def form(amount: Fraction) -> Fraction:
    return half_up(amount, Fraction(100 if amount >= 100 else 10))


def part_d(case: Case, lines: list[Case]) -> Values:
    """Phases on the year's cost and on what the patient has paid; rounded once a line."""
    plan, unit = case["plan"], unit_of(case)
    deductible = Deductible(case, lines)
    threshold = money(plan.get("oop_threshold"))
    initial_end = money(plan.get("initial_coverage_limit")) if plan["kind"] == "part_d_gap" else None
    paid = Fraction(case.get("state_before", {}).get("oop_used", "0"))
    cost_so_far, rows = ZERO, []
    for line in lines:
        cost = allowed(line)
        first = least(cost, deductible.left(""), left(threshold, paid))
        # What meets the threshold while the deductible runs leaves the rest of the line to the last phase.
        position, rest, share, mine = cost_so_far + first, cost - first, ZERO, paid + first
        while rest > 0:
            part, percent = rest, rate(plan.get("initial_coinsurance"))
            if threshold is not None and mine >= threshold:
                percent = rate(plan.get("catastrophic_coinsurance"))
            else:
                if initial_end is not None and position >= initial_end:
                    percent = rate(plan.get("gap_coinsurance"))
                elif initial_end is not None:
                    part = min(part, initial_end - position)
                if threshold is not None and percent > 0:
                    part = min(part, (threshold - mine) / percent)
            share, mine, position, rest = share + part * percent, mine + part * percent, position + part, rest - part
        coinsurance = half_up(share, unit)
        rows.append({"charged": cost, "deductible": first, "coinsurance": coinsurance})
        deductible.take("", first)
        paid, cost_so_far = paid + first + coinsurance, cost_so_far + cost
    values = totals(rows) | deductible.names(lines)
    del values["coinsurance_uncapped"]
    return values


def medicare_secondary(case: Case, lines: list[Case]) -> Values:
    plan, unit = case["plan"], unit_of(case)
    deductible = Deductible(case, lines)
    limbs = [ZERO] * len(plan["lowest_of"])
    secondary = primary = billed_total = ZERO
    for line in lines:
        billed = Fraction(line.get("billed", line.get("allowed")))
        fee = Fraction(line.get("medicare_allowed", line.get("allowed")))
        paid = Fraction(line.get("primary_paid", "0"))
        first_allowed = Fraction(line.get("primary_allowed", "0"))

        def cost_share(amount: Fraction) -> Fraction:
            first = min(amount, deductible.left(""))
            return first + half_up((amount - first) * rate(plan.get("coinsurance_patient")), unit)

        amounts = {
            "billed_minus_primary_paid": billed - paid,
            "medicare_alone": fee - cost_share(fee),
            "higher_allowed_minus_primary_paid": max(first_allowed, fee) - paid,
            "medicare_allowed_minus_primary_paid": fee - paid,
            "billed_minus_medicare_cost_share": billed - cost_share(billed),
        }
        own = [amounts[name] for name in plan["lowest_of"]]
        limbs = [total + amount for total, amount in zip(limbs, own, strict=True)]
        secondary += max(ZERO, min(own))
        primary += paid
        billed_total += billed
        deductible.take("", min(fee, deductible.left("")))
    return {
        "limbs": limbs,
        "secondary_pays": secondary,
        "plan_pays": secondary,
        "combined": primary + secondary,
        "patient_total": billed_total - primary - secondary,
        **deductible.names(lines),
    }


# Switzerland, China, Germany, France


def switzerland(case: Case, lines: list[Case]) -> Values:
    plan, unit = case["plan"], unit_of(case)
    deductible, cap, used, rows = Deductible(case, lines), money(plan.get("coinsurance_cap_year")), ZERO, []
    for line in lines:
        cost = allowed(line)
        first = min(cost, deductible.left(""))
        wanted = half_up((cost - first) * rate(plan.get("coinsurance_patient")), unit)
        share = least(wanted, left(cap, used))
        used += share
        deductible.take("", first)
        rows.append({"charged": cost, "deductible": first, "coinsurance": share})
    values = totals(rows) | deductible.names(lines)
    del values["coinsurance_uncapped"]
    return values


def china(case: Case, lines: list[Case]) -> Values:
    plan, unit = case["plan"], unit_of(case)
    deductible = Deductible(case, lines)
    balance = ZERO
    if plan["kind"].startswith("personal_account"):
        balance = Fraction(case.get("state_before", {}).get("personal_account_balance", "0"))
    year, rows = ZERO, []
    for line in lines:
        cost = allowed(line)
        account = min(cost, balance)
        first = min(cost - account, deductible.left(""))
        insurer = half_up(insurer_part(plan, line, year + account + first, year + cost), unit)
        rows.append({"charged": cost, "deductible": first, "coinsurance": cost - account - first - insurer})
        balance -= account
        year += cost
        deductible.take("", first)
    values = totals(rows) | deductible.names(lines)
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
    for low, high in zip(edges, edges[1:], strict=False):
        part = (end if high is None else min(end, high)) - max(start, low or ZERO)
        if part <= 0:
            continue
        fitting = [row for row in rows if Fraction(row.get("over", "0")) <= (low or ZERO)]
        fitting.sort(key=lambda row: (Fraction(row.get("over", "-1")), "member_category" in row, "facility" in row))
        best = max((len(row) for row in fitting if "over" not in row), default=0)
        if fitting and "over" in fitting[-1]:
            top = [row for row in fitting if row.get("over") == fitting[-1]["over"]]
        else:
            top = [row for row in fitting if len(row) == best]
        chosen = max(top, key=len)["rate"] if top else plan.get("insurer_rate")
        total += part * (Fraction(chosen) if chosen is not None else 1)
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
        percent = Fraction(plan["insurer_rate"]) if plan.get("insurer_rate") is not None else Fraction(1)
        refund = half_up(base * percent, unit)
        flat = min(refund, money(plan.get("flat_deduction")) or ZERO)
        rows.append({"charged": billed, "limits": billed - base, "coinsurance": base - refund, "copay": flat})
    return totals(rows)


# openIMIS


def openimis(case: Case, lines: list[Case]) -> Values:
    plan, unit = case["plan"], unit_of(case)
    percent = Fraction(plan["insurer_rate"]) if plan.get("insurer_rate") is not None else Fraction(1)
    deductible = Deductible(case, lines)
    one_deductible = "the product"
    deductible.by_person[one_deductible] = deductible.by_family
    claim = next((line["category"] for line in lines if line.get("category")), None)
    ceilings = plan.get("max_amount_by_category", {})
    paid: dict[str, Fraction] = defaultdict(Fraction)
    accepted: list[Case] = []
    answers: dict[int, tuple[int, dict[str, Fraction]]] = {}
    for line in sorted(lines, key=lambda line: line.get("line_type", "service") != "item"):
        cost = allowed(line)
        code = rejection(plan, line, accepted)
        if code:
            answers[id(line)] = code, {"charged": cost, "limits": cost}
            continue
        accepted.append(line)
        category = line.get("category", claim)
        first = min(cost, deductible.left(one_deductible))
        benefit = half_up((cost - first) * percent, unit)
        ceiling = money(ceilings.get(category))
        pays = least(benefit, left(ceiling, paid[category]))
        paid[category] += pays
        deductible.take(one_deductible, first)
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


# Japan


def japan(case: Case, lines: list[Case]) -> Values:
    total_cost = sum((allowed(line) for line in lines), ZERO)
    if case["plan"].get("aggregation", {}).get("scope") == "household":
        values = household(case, lines)
    else:
        values = months(case, lines)
        before = [months(case, lines[:count])["patient_total"] if count else ZERO for count in range(len(lines) + 1)]
        values["line_patient"] = [after - start for start, after in zip(before, before[1:], strict=False)]
    values["plan_pays"] = values["all_payers_total"] = total_cost - values["patient_total"]
    programmes = sum((p["covered_base"] - p["patient_after"] for p in values.get("secondary", {}).values()), ZERO)
    values["insurance_pays"] = values["all_payers_total"] - programmes
    return values


def own_cap(case: Case, cost: Fraction) -> Fraction | None:
    plan = case["plan"]
    half = Fraction(1, 2) if plan.get("half_cap_month_turning_75") else Fraction(1)
    fourth = money(plan.get("cap_from_4th_month"))
    base = money(plan.get("monthly_cap_base"))
    caps = []
    if "transition_relief" in plan["kind"]:
        caps.append(money(plan.get("monthly_cap_after_halving")))
    elif plan.get("fourth_or_later_capped_month") and fourth is not None:
        caps.append(fourth * half)
    elif base is not None:
        caps.append(base * half + over(case, plan, cost, half))
    disease = money(plan.get("specified_disease_cap"))
    caps.append(None if disease is None else disease * half)
    known = [cap for cap in caps if cap is not None]
    return min(known) if known else None


def over(case: Case, terms: Case, cost: Fraction, half: Fraction) -> Fraction:
    threshold = money(terms.get("cap_threshold_total_cost"))
    if threshold is None:
        return ZERO
    return half_up(max(ZERO, cost - threshold * half) * rate(terms.get("cap_rate_over_threshold")), unit_of(case))


def subsidised_cap(case: Case, line: Case, programme: str) -> Fraction | None:
    plan = case["plan"]
    terms = plan.get("cap_on_subsidised_line")
    if "transition_relief" in plan["kind"] or (terms and programme in terms.get("own_cap_for", [])):
        return own_cap(case, allowed(line))
    disease = money(plan.get("specified_disease_cap"))
    turning = plan.get("half_cap_month_turning_75")
    caps = [None if disease is None else disease / (2 if turning else 1)]
    if terms:
        half = Fraction(1, 2) if turning and terms.get("halved_in_month_turning_75") else Fraction(1)
        setting = line.get("setting", plan.get("setting"))
        name = f"assistance_{setting}" if programme == "public_assistance" else setting
        amount = money(terms.get(name))
        caps.append(None if amount is None else amount * half + over(case, terms, allowed(line), half))
    known = [cap for cap in caps if cap is not None]
    return min(known) if known else None


def months(case: Case, lines: list[Case]) -> Values:
    patient = ZERO
    secondary: Values = {
        name: {"covered_base": ZERO, "patient_after": ZERO} for name in case["plan"].get("secondary_payers", {})
    }
    for member in {line.get("member", "") for line in lines}:
        patient += person(case, [line for line in lines if line.get("member", "") == member], secondary)
    return {"patient_total": patient, "secondary": secondary, "coinsurance": patient}


def person(case: Case, lines: list[Case], secondary: Values) -> Fraction:
    """Rules 1 to 4 for the month of one person."""
    plan, unit = case["plan"], unit_of(case)
    percent = rate(plan.get("coinsurance_patient"))
    aggregation = plan.get("aggregation")
    floor = Fraction(aggregation.get("min_line_patient_amount", "0")) if aggregation else ZERO
    alone, joined, joined_cost, apart = [], ZERO, ZERO, ZERO
    used: dict[str, Fraction] = defaultdict(Fraction)
    for line in lines:
        programmes = line.get("payer_order", ["insurance"])[1:]
        if not programmes:
            alone.append(line)
            continue
        name, cost = programmes[0], allowed(line)
        terms = plan.get("secondary_payers", {}).get(name, {})
        share = half_up(cost * percent, unit)
        base = least(share, subsidised_cap(case, line, name))
        part = terms.get("patient_share_of_total_cost")
        of_cost = None if part is None else half_up(cost * Fraction(part), unit)
        after = least(base, of_cost, left(money(terms.get("monthly_cap")), used[name]))
        used[name] += after
        entry = secondary.setdefault(name, {"covered_base": ZERO, "patient_after": ZERO})
        entry["covered_base"] += base
        entry["patient_after"] += after
        if aggregation and share >= floor:
            joined, joined_cost = joined + after, joined_cost + cost
        else:
            apart += after
    if not alone:
        return joined + apart
    cost = sum((allowed(line) for line in alone), ZERO)
    shares = sum((half_up(allowed(line) * percent, unit) for line in alone), ZERO)
    third = least(shares, relief(case, cost), own_cap(case, cost))
    together = third + joined
    return (least(together, own_cap(case, cost + joined_cost)) if aggregation else together) + apart


def relief(case: Case, cost: Fraction) -> Fraction | None:
    formula = case["plan"].get("relief_formula")
    if not formula:
        return None
    if formula.get("not_with_specified_disease_cap") and case["plan"].get("specified_disease_cap") is not None:
        return None
    above = max(ZERO, cost - Fraction(formula.get("over", "0")))
    return Fraction(formula["base"]) + half_up(above * rate(formula.get("rate")), unit_of(case))


def household(case: Case, lines: list[Case]) -> Values:
    plan, unit = case["plan"], unit_of(case)
    percent = rate(plan.get("coinsurance_patient"))
    floor = Fraction(plan["aggregation"].get("min_line_patient_amount", "0"))
    shares = [half_up(allowed(line) * percent, unit) for line in lines]
    joined = [(share, allowed(line)) for share, line in zip(shares, lines, strict=True) if share >= floor]
    patient = sum((share for share, _ in joined), ZERO)
    cost = sum((amount for _, amount in joined), ZERO)
    cap = own_cap(case, cost)
    refund = ZERO if cap is None else max(ZERO, patient - cap)
    values: Values = {
        "line_patient": shares,
        "patient_total": sum(shares, ZERO),
        "coinsurance": sum(shares, ZERO),
        "aggregated_patient": patient,
        "aggregated_total_cost": cost,
        "refund": refund,
        "patient_net_total": sum(shares, ZERO) - refund,
    }
    return values if cap is None else values | {"household_cap": cap}


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
