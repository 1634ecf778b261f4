"""What does each kind of step do?

Sections 4 and 6 of `docs/reference/plan-model.md` but for `period_cap`, for the naive adjudicator. A step returns
whether it had an effect: moved money, denied, capped or lowered.
"""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from math import ceil

from naive_entries import an_entry, lower, own, takes_over, total, total_of_shares
from naive_totals import (
    COST_SHARE,
    accumulator_called,
    amount_of,
    contribution,
    count_now,
    family_name,
    rate_of,
    room,
    used,
)
from naive_words import MILLION, fact, given_facts, holds, local_date, months_after, rounded, times_quantity

DEFAULT_COMPONENT = {"exclude": "not_covered", "waiting_period": "not_covered", "benefit_limit": "over_limit"}
DEFAULT_REASON = {"exclude": "not_covered", "benefit_limit": "over_limit"}


def take(state, step, amount, entry_class="share"):
    """Move an amount from `open` to the step's component."""
    name = step.get("component", DEFAULT_COMPONENT.get(step["kind"], step["kind"]))
    entry = an_entry(state["document"]["id"], name, entry_class, amount, step.get("bearer", "patient"), step["id"])
    state["entries"].append(entry)
    state["open"] -= amount
    return entry


def deny(state, step):
    state["denied"] = step.get("reason", DEFAULT_REASON.get(step["kind"], step["kind"]))
    state["stopped"] = True


def exclude(run, state, step, closing):
    run["words"].append(f"bearer {step.get('bearer', 'patient')}")
    take(state, step, state["open"], "excess")
    deny(state, step)
    return True


def waiting_period(run, state, step, closing):
    since = fact(run, state["document"], step["since"])
    months = amount_of(run, state, step["months"])
    if months is None or since is None:
        return False
    if local_date(run, state["document"]) >= months_after(date.fromisoformat(since), months):
        return False
    return exclude(run, state, step, closing)


def benefit_limit(run, state, step, closing):
    document, bounds, exhausted = state["document"], [], False
    each = amount_of(run, state, step.get("each"))
    if each is not None:
        per = step.get("per", "line")
        bounds.append((each if per == "line" else times_quantity(run, document, each), f"each per {per}"))
    bound = amount_of(run, state, step.get("amount"))
    if bound is not None:
        bounds.append((bound, "amount"))
    bound = room(run, state, step)
    if bound is not None:
        bounds.append((bound, "limits"))
    for entry in step.get("unit_limits", []):
        limit = amount_of(run, state, entry["limit"])
        if limit is None:
            continue
        accumulator = accumulator_called(document, entry["accumulator"])
        partial, before = entry.get("partial", "none"), used(run, state, accumulator)
        would_add, measure = unit_measure_now(run, state, accumulator)
        if before + would_add > limit:
            left = max(0, limit - before)
            if partial == "none" or left == 0:
                exhausted = True
                bounds.append((0, f"unit_limits {measure} {partial}"))
            else:
                part = rounded(run, document, Fraction(state["open"] * left, would_add))
                bounds.append((part, f"unit_limits {measure} by_unit in part"))
    if not bounds:
        return False
    bound, word = min(bounds)
    moved = max(0, state["open"] - bound)
    run["words"] += [word, f"bearer {step.get('bearer', 'patient')}"]
    take(state, step, moved, "excess")
    if exhausted or (moved > 0 and state["open"] == 0):
        run["words"].append("denies" if step.get("denies", True) else "denies false")
        if step.get("denies", True):
            deny(state, step)
    return moved > 0 or state["stopped"]


def unit_measure_now(run, state, accumulator):
    """What the line would add to a counter of units, lines or visits if it were not denied; and the measure."""
    measure, would_add = "", 0
    for feed in accumulator["feeds"]:
        measure = feed["of"]
        if holds(run, state["document"], feed.get("when", {})):
            would_add += count_now(run, state, accumulator, measure)
    return would_add, measure


def copay(run, state, step, closing):
    document, line = state["document"], run["line"]
    if "ppm" in step:
        rate = rate_of(run, state, step["ppm"])
        if rate is None:
            return False
        x = rounded(run, document, Fraction(base_of(run, state, step) * rate, MILLION))
        least, most = amount_of(run, state, step.get("min")), amount_of(run, state, step.get("max"))
        run["words"] += ["ppm", f"of {step.get('of', 'open')}"]
        if least is not None and least > x:
            x = least
            run["words"].append("min")
        if most is not None and most < x:
            x = most
            run["words"].append("max")
        key = None
    else:
        x, per, key = amount_of(run, state, step["amount"]), step.get("per", "line"), None
        if x is None:
            return False
        run["words"].append(f"per {per}")
        if per == "unit":
            x = times_quantity(run, document, x)
        if (per == "visit" and line["visit"]) or per == "day":
            period = f"V:{line['visit']}" if per == "visit" else f"D{local_date(run, document)}"
            key = (line["member"], f"{family_name(document)}/{step['id']}#taken", period)
            taken = run["totals"].get(key, 0)
            if taken:
                run["words"].append(f"per {per} taken before")
            x = max(0, x - taken)
    entry = take(state, step, within(run, state, step, x))
    if key:
        state["copays"].append((entry, key))
    return entry["amount"] > 0 or f"per {step.get('per')} taken before" in run["words"]


def deductible(run, state, step, closing):
    bound = room(run, state, step)
    if bound is None:
        return False
    run["words"].append("limits")
    return take(state, step, min(state["open"], bound))["amount"] > 0


def coinsurance(run, state, step, closing):
    document, base = state["document"], base_of(run, state, step)
    if "ppm" in step:
        rate = rate_of(run, state, step["ppm"])
        if rate is None:
            return False
        run["words"].append("ppm")
        exact = Fraction(base * rate, MILLION)
    else:
        exact = through_bands(run, state, step, base)
    run["words"].append(f"of {step.get('of', 'open')}")
    amount = within(run, state, step, rounded(run, document, exact))
    state["bases"] += base
    return take(state, step, amount)["amount"] > 0


def through_bands(run, state, step, base):
    accumulator = accumulator_called(state["document"], step["measure"])
    measure = accumulator["feeds"][0]["of"]
    p = used(run, state, accumulator) + contribution(run, state, accumulator)
    rest, result, bands_used = base, 0, 0
    for number, band in enumerate(step["bands"]):
        if rest <= 0:
            break
        last = number == len(step["bands"]) - 1
        below = None if last else amount_of(run, state, band["below"])
        if not last and (below is None or below <= p):
            continue
        ppm = rate_of(run, state, band["ppm"]) or 0
        growth = {"covered": MILLION, "coinsured": MILLION, "paid": MILLION - ppm}.get(measure, ppm)
        part = rest if last or growth == 0 else min(rest, ceil(Fraction((below - p) * MILLION, growth)))
        if part < rest:
            p = below
        result += part * ppm
        rest -= part
        bands_used += 1
    run["words"].append(f"bands by {measure}")
    if bands_used > 1:
        run["words"].append("bands crossed")
    return Fraction(result, MILLION)


def pay(run, state, step, closing):
    document = state["document"]
    x, word = state["open"], "all of open"
    if "amount" in step:
        x, word = amount_of(run, state, step["amount"]), "amount"
    if "ppm" in step:
        rate, word = rate_of(run, state, step["ppm"]), "ppm"
        x = None if rate is None else rounded(run, document, Fraction(state["open"] * rate, MILLION))
    if x is None:
        return False
    amount = within(run, state, step, x)
    run["words"] += [word, "other party" if step.get("party", document["payer"]) != document["payer"] else "payer"]
    state["gave"].append((step.get("party", document["payer"]), amount))
    state["open"] -= amount
    return amount > 0


def out_of_pocket_max(run, state, step, closing):
    """The room is that of the counted components, so they are no part of the contribution that lessens it."""
    counted = own(state, step.get("counts", COST_SHARE))
    held = [entry["amount"] for entry in counted]
    for entry in counted:
        entry["amount"] = 0
    bound = room(run, state, step)
    for entry, amount in zip(counted, held, strict=True):
        entry["amount"] = amount
    if bound is None:
        return False
    back = max(0, total(counted) - bound)
    lower(counted, back)
    state["open"] += back
    run["words"].append("counts" if "counts" in step else "counts by default")
    return back > 0


def coordinate(run, state, step, closing):
    gave = sum(amount for _, amount in state["gave"])
    least = min(expression(run, state, form) for form in step["lowest_of"])
    lowered = max(0, state["open"] - max(0, least - gave))
    state["open"] -= lowered
    return lowered > 0


def within(run, state, step, x):
    """min(open, room, x)"""
    bound = room(run, state, step)
    if bound is not None and bound < min(x, state["open"]):
        run["words"].append("limits")
        x = bound
    return min(x, state["open"])


def base_of(run, state, step):
    return run["cost"] if step.get("of", "open") == "cost" else state["open"]


def expression(run, state, form):
    def values(names):
        return [value for value in (named(run, state, name) for name in names) if value is not None]

    return max(0, max(values(form["greatest"]), default=0) - sum(values(form.get("less", []))))


def named(run, state, name):
    if name == "billed":
        return run["line"]["billed"]
    if name == "cost":
        return run["cost"]
    if name == "earlier_paid":
        return run["earlier_paid"]
    if name == "remaining":
        return total(entry for entry in run["hand"] if takes_over(state, entry))
    if name == "own_benefit":
        return state["open"] + sum(amount for _, amount in state["gave"])
    if name == "own_cost_share":
        return total_of_shares(state)
    if name == "own_allowed":
        given = given_facts(run, state["document"])
        declared = state["document"].get("facts", {}).get(name)
        value = given.get(name, declared.get("default") if isinstance(declared, dict) else None)
        return run["cost"] if declared is None or value is None else value
    return fact(run, state["document"], name)
