"""The kinds of Japan: rules 1 to 5 of names.md."""

from __future__ import annotations

from collections import defaultdict
from fractions import Fraction
from itertools import pairwise

from names_rules_words import ZERO, Case, Values, allowed, half_up, least, left, money, rate, unit_of


def japan(case: Case, lines: list[Case]) -> Values:
    total_cost = sum((allowed(line) for line in lines), ZERO)
    if case["plan"].get("aggregation", {}).get("scope") == "household":
        values = household(case, lines)
    else:
        values = months(case, lines)
        before = [months(case, lines[:count])["patient_total"] if count else ZERO for count in range(len(lines) + 1)]
        values["line_patient"] = [after - start for start, after in pairwise(before)]
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
