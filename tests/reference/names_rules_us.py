"""The kinds of the United States, straight from names.md."""

from __future__ import annotations

from collections import defaultdict
from fractions import Fraction

from names_rules_words import (
    PARTS,
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
    totals,
    unit_of,
)


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
    values = totals(rows) | deductible.rest(lines)
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
        # The deductible is used by the amount that the payment is worked out on.
        own_base = {"medicare_alone": fee, "billed_minus_medicare_cost_share": billed}
        bases = [own_base[name] for name in plan["lowest_of"] if name in own_base]
        deductible.take("", min([*bases, deductible.left("")]) if bases else ZERO)
    return {
        "limbs": limbs,
        "secondary_pays": secondary,
        "plan_pays": secondary,
        "combined": primary + secondary,
        "patient_total": billed_total - primary - secondary,
    }
