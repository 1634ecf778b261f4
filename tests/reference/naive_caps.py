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
    cap = chosen_cap(run, state, step["cap"])
    base = None if cap is None else amount_of(run, state, cap["base"])
    if base is None:
        return False
    if not closing and state["shares_before_cap"] is None:
        state["shares_before_cap"] = total_of_shares(state)
    counted = [entry for entry in (run["hand"] if closing else own(state)) if entry["class"] == "share"]
    counted = [entry for entry in counted if "counts" not in step or entry["component"] in step["counts"]]
    s = total(counted) - total(run["credits"] if closing else state["credits"])
    covered = state["covered"] if closing else state["A"] - excess_of(state)
    c = covered if step.get("basis") == "covered" else run["cost"]
    d = change_of_relief(run, state, step, cap, base, {"#S": s, "#C": c})
    if d:
        note_cap(run, step, cap)
        settle(run, state, step, counted, d, closing)
    return d != 0


def change_of_relief(run, state, step, cap, base, change):
    """Enter the line into the pool's registers; R' - R."""
    document, pool = state["document"], step["pool"]
    scale = first_scale(run, document, step.get("scale", []))
    over, ppm = amount_of(run, state, cap.get("over", 0)) or 0, rate_of(run, state, cap.get("ppm", 0)) or 0
    scope, period = scope_id(run, state, pool["scope"]), period_key(run, document, pool["period"])
    name = f"{family_name(document)}/{step['id']}" + by_values(run, document, pool.get("by", []))
    before = {register: run["totals"].get((scope, name + register, period), 0) for register in ("#S", "#C", "#R", "#N")}
    if "qualify" in step:
        change = through_bucket(run, state, step, scope, name, period, change)
    after = {register: before[register] + change[register] for register in change}

    scaled_base, scaled_over = floor(Fraction(base * scale, MILLION)), floor(Fraction(over * scale, MILLION))
    limit = scaled_base + rounded(run, document, Fraction(ppm * max(0, after["#C"] - scaled_over), MILLION))
    relief = max(0, after["#S"] - limit)
    if "needs" in step.get("qualify", {}) and after["#N"] == 0:
        relief = 0
    if not step.get("recover", True):
        relief = max(relief, before["#R"])
    change = change | {"#R": relief - before["#R"]}
    for register in change:
        add(run["deltas"], (scope, name + register, period), change[register])
    return change["#R"]


def settle(run, state, step, counted, d, closing):
    """Relief lowers the line's own components first; what exceeds them, and every recovery, is a credit."""
    document, credit = state["document"], d
    if d > 0 and step.get("settle", "line") == "line":
        credit = lower(counted, d)
        if closing:
            run["paid"].append((document["payer"], "plan_paid", d - credit))
        else:
            state["open"] += d - credit
        if credit < d:
            run["words"].append("lowered the line")
    if credit:
        entry = {"party": document["payer"], "document": document["id"], "step": step["id"], "amount": credit}
        state["credits"].append(entry)
        run["credits"].append(entry)
        run["words"].append("credit" if credit > 0 else "recovery")


def note_cap(run, step, cap):
    pool, qualify = step["pool"], step.get("qualify")
    words = [word for word in ("over", "ppm") if word in cap] + [word for word in ("scale", "counts") if word in step]
    words += [f"{word} {step[word]}" for word in ("settle", "basis") if word in step]
    words += [f"pool {pool['scope']}", f"pool {pool['period']}"] + (["pool by"] if pool.get("by") else [])
    words += ["recover false"] if not step.get("recover", True) else []
    words += ["cases"] if "cases" in step["cap"] else []
    words += ["needs"] if qualify and "needs" in qualify else []
    words += ["qualify" if qualify["by"] else "qualify by nothing"] if qualify else []
    run["words"] += words


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
    if counts and not counted and floor_amount:
        run["fired"].append("period_cap: bucket reached its floor")
    return {
        register: (after[register] if counts else 0) - (before[register] if counted else 0)
        for register in ("#S", "#C", "#N")
    }
