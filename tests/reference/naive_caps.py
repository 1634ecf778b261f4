"""What does a cap over a period give back, and what does it take back?

Section 5 of `docs/reference/plan-model.md`, for the naive adjudicator.
"""

from __future__ import annotations

from fractions import Fraction
from math import floor

from naive_entries import add, excess_of, lower, own, total, total_of_shares
from naive_totals import amount_of, by_values, family_name, holds_used, period_key, rate_of, scope_id
from naive_words import MILLION, holds, rounded


def period_cap(run, state, step, closing):
    document, deltas, totals = state["document"], run["deltas"], run["totals"]
    cap = chosen_cap(run, state, step["cap"])
    base = None if cap is None else amount_of(run, state, cap["base"])
    if base is None:
        return False
    over, ppm = amount_of(run, state, cap.get("over", 0)) or 0, rate_of(run, state, cap.get("ppm", 0)) or 0
    scale = first_scale(run, document, step.get("scale", []))
    if not closing and state["shares_before_cap"] is None:
        state["shares_before_cap"] = total_of_shares(state)

    mine = run["hand"] if closing else own(state)
    counted = [entry for entry in mine if entry["class"] == "share"]
    counted = [entry for entry in counted if "counts" not in step or entry["component"] in step["counts"]]
    given = run["credits"] if closing else state["credits"]
    s = total(counted) - total(given)
    c = state["A"] - excess_of(state) if step.get("basis") == "covered" else run["cost"]

    pool = step["pool"]
    scope, period = scope_id(run, state, pool["scope"]), period_key(run, document, pool["period"])
    name = f"{family_name(document)}/{step['id']}" + by_values(run, document, pool.get("by", []))
    before = {register: totals.get((scope, name + register, period), 0) for register in ("#S", "#C", "#R", "#N")}
    change = {"#S": s, "#C": c, "#N": 0}
    needs = step.get("qualify", {}).get("needs")
    if "qualify" in step:
        change = through_bucket(run, state, step, scope, name, period, {"#S": s, "#C": c})
    after = {register: before[register] + change[register] for register in change}

    scaled_base, scaled_over = floor(Fraction(base * scale, MILLION)), floor(Fraction(over * scale, MILLION))
    limit = scaled_base + rounded(run, document, Fraction(ppm * max(0, after["#C"] - scaled_over), MILLION))
    relief = max(0, after["#S"] - limit)
    if needs is not None and after["#N"] == 0:
        relief = 0
    if not step.get("recover", True):
        relief = max(relief, before["#R"])
    d = relief - before["#R"]
    for register in change:
        add(deltas, (scope, name + register, period), change[register])
    add(deltas, (scope, name + "#R", period), d)

    credit = d
    if d > 0 and step.get("settle", "line") == "line":
        credit = lower(counted, d)
        if credit < d and closing:
            run["paid"].append((document["payer"], "plan_paid", d - credit))
        elif credit < d:
            state["open"] += d - credit
        if credit < d:
            run["words"].append("lowered the line")
    if credit:
        entry = {"party": document["payer"], "document": document["id"], "step": step["id"], "amount": credit}
        state["credits"].append(entry)
        run["credits"].append(entry)
        run["words"].append("credit" if credit > 0 else "recovery")
    words = [word for word in ("over", "ppm") if word in cap] + [word for word in ("scale", "counts") if word in step]
    words += ["needs"] if needs is not None else []
    words += [f"{word} {step[word]}" for word in ("settle", "basis") if word in step]
    words += ["recover false"] if "recover" in step and not step["recover"] else []
    words += [f"pool {pool['scope']}", f"pool {pool['period']}"] + (["pool by"] if pool.get("by") else [])
    words += ["qualify by nothing" if not step["qualify"]["by"] else "qualify"] if "qualify" in step else []
    run["words"] += words + (["cases"] if "cases" in step["cap"] else [])
    return d != 0


def chosen_cap(run, state, form):
    if "cases" not in form:
        return form
    for case in form["cases"]:
        if holds(run, state["document"], case.get("when", {})) and holds_used(run, state, case.get("when_used")):
            return case
    return None


def first_scale(run, document, entries):
    for entry in entries:
        if holds(run, document, entry.get("when", {})):
            return entry["ppm"]
    return MILLION


def through_bucket(run, state, step, scope, name, period, change):
    """The line enters its bucket; what the pool gains or loses by that."""
    document, qualify = state["document"], step["qualify"]
    bucket = name + by_values(run, document, qualify["by"], "{}")
    added = change | {"#O": state["shares_before_cap"], "#L": 1, "#N": 0}
    if "needs" in qualify and holds(run, document, qualify["needs"]):
        added["#N"] = 1
    floor_amount = amount_of(run, state, qualify.get("floor")) or 0
    before = {register: run["totals"].get((scope, bucket + register, period), 0) for register in added}
    after = {register: before[register] + added[register] for register in added}
    for register in added:
        add(run["deltas"], (scope, bucket + register, period), added[register])
    counted = before["#L"] > 0 and before["#O"] >= floor_amount
    counts = after["#L"] > 0 and after["#O"] >= floor_amount
    if counts != counted and floor_amount:
        run["fired"].append("period_cap: bucket reached its floor" if counts else "period_cap: bucket left")
    return {
        register: (after[register] if counts else 0) - (before[register] if counted else 0)
        for register in ("#S", "#C", "#N")
    }
