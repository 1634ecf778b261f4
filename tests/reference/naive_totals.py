"""Which running totals does a line read and change, and what are amounts worth?

Section 3 of `docs/reference/plan-model.md` and the amounts of section 2, for the naive adjudicator. `state` is the
dictionary of one document's run on one line.
"""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction

from naive_entries import add, excess_of, lower, total
from naive_words import MILLION, fact, holds, in_range, local_date, months_after, rounded, year_start

COST_SHARE = ["deductible", "copay", "coinsurance"]
COUNTS = ("units", "lines", "visits")
MEASURES = ("cost_share", "patient", "covered", "coinsured", "paid", *COUNTS)
ESCAPES = {"%": "%25", "|": "%7C", "[": "%5B", "]": "%5D", "#": "%23", "@": "%40"}


def feed_accumulators(run, state):
    document, line = state["document"], run["line"]
    watched = looked_at(document["steps"] + document.get("closing_steps", [])) if line["visit"] else []
    for accumulator in document.get("accumulators", []):
        if "feeds" not in accumulator:
            continue
        feeds = [feed for feed in accumulator["feeds"] if not (state["denied"] and feed["of"] in COUNTS)]
        held = [feed for feed in feeds if holds(run, document, feed.get("when", {}))]
        if not held:
            continue
        amounts = lowered_by_help(run, state) if accumulator.get("third_party_help") == "excluded" else state["entries"]
        added, counts_visit = 0, False
        for feed in held:
            if feed["of"] in COUNTS:
                one = count_now(run, state, accumulator, feed["of"])
                counts_visit |= feed["of"] == "visits" and one > 0
            else:
                one = money_measure(state, feed["of"], amounts)
            if one:
                word = "component" if feed["of"] not in MEASURES else feed["of"]
                run["fired"].append(f"measure {'paid:party' if feed['of'].startswith('paid:') else word}")
            added += one
        key = total_key(run, state, accumulator)
        add(run["deltas"], key, added)
        if counts_visit and line["visit"]:
            add(run["deltas"], companion(run, state, accumulator, "@first:"), 1)
        if line["visit"] and accumulator["period"] != "visit" and accumulator["id"] in watched:
            add(run["deltas"], companion(run, state, accumulator, "@visit:"), added)
        if added:
            run["used"].append(("accumulator", document["id"], accumulator["id"]))
            note_accumulator(run, accumulator, amounts is not state["entries"])


def note_accumulator(run, accumulator, lowered):
    period = accumulator["period"] if isinstance(accumulator["period"], str) else "rolling_days"
    if accumulator["scope"] == "policy" and run["line"]["policies"]:
        run["fired"].append("policy of a document")
    run["fired"] += [f"period {period}", f"scope {accumulator['scope']}"]
    run["fired"] += ["accumulator by"] if accumulator.get("by") else []
    run["fired"] += ["third_party_help excluded"] if lowered and run["line"]["facts"].get("third_party_help") else []
    run["fired"] += ["several feeds"] if len(accumulator["feeds"]) > 1 else []


def count_now(run, state, accumulator, measure):
    line = run["line"]
    if measure == "units":
        return line["quantity"]
    if measure == "visits" and line["visit"]:
        return 0 if run["totals"].get(companion(run, state, accumulator, "@first:"), 0) else 1
    return 1


def lowered_by_help(run, state):
    """Copies of the entries: the share components lowered by what a third party helps, first taken first."""
    entries = [dict(entry) for entry in state["entries"]]
    shares = [entry for entry in entries if entry["class"] == "share"]
    lower(list(reversed(shares)), fact(run, state["document"], "third_party_help"))
    return entries


def money_measure(state, measure, entries):
    """A measure of money at this moment; at the end of the document `open` is 0."""
    mine = [entry for entry in entries if entry["bearer"] == "patient"]
    payer = state["document"]["payer"]
    if measure == "cost_share":
        return total(entry for entry in mine if entry["component"] in COST_SHARE)
    if measure == "patient":
        return total(mine)
    if measure == "covered":
        return state["A"] - excess_of(state) - state["open"]
    if measure == "coinsured":
        return state["bases"]
    if measure == "paid" or measure.startswith("paid:"):
        party = payer if measure == "paid" else measure.removeprefix("paid:")
        paid = sum(amount for name, amount in state["gave"] if name == party)
        return paid + (total(state["credits"]) if party == payer else 0)
    return total(entry for entry in mine if entry["component"] == measure)


def contribution(run, state, accumulator):
    """What the feeds would add if the line ended now and `open` did not exist."""
    so_far = 0
    for feed in accumulator.get("feeds", []):
        if feed["of"] not in COUNTS and holds(run, state["document"], feed.get("when", {})):
            so_far += money_measure(state, feed["of"], state["entries"])
    return so_far


def room(run, state, step):
    rooms = []
    for entry in step.get("limits", []):
        limit = amount_of(run, state, entry["limit"])
        if limit is not None:
            accumulator = accumulator_called(state["document"], entry["accumulator"])
            so_far = used(run, state, accumulator) + contribution(run, state, accumulator)
            rooms.append(max(0, limit - so_far))
    return min(rooms, default=None)


def used(run, state, accumulator):
    """The total before the line."""
    if accumulator.get("kind") == "periods_with_relief":
        return months_with_relief(run, state, accumulator)
    scope, name, period = total_key(run, state, accumulator)
    if isinstance(accumulator["period"], str):
        return run["totals"].get((scope, name, period), 0)
    today = local_date(run, state["document"])
    days = [today - timedelta(days=back) for back in range(accumulator["period"]["rolling_days"])]
    return sum(run["totals"].get((scope, name, f"D{day}"), 0) for day in days)


def used_before_visit(run, state, accumulator):
    """The total as it stood before the line's visit."""
    visit = run["line"]["visit"]
    if accumulator.get("period") == "visit":
        return 0
    if accumulator.get("kind") == "periods_with_relief" or not visit:
        return used(run, state, accumulator)
    of_visit = run["totals"].get(companion(run, state, accumulator, "@visit:"), 0)
    return max(0, used(run, state, accumulator) - of_visit)


def months_with_relief(run, state, accumulator):
    document = state["document"]
    steps = document["steps"] + document.get("closing_steps", [])
    step = next(step for step in steps if step["id"] == accumulator["of"])
    scope = scope_id(run, state, step["pool"]["scope"])
    name = f"{family_name(document)}/{step['id']}" + by_values(run, document, step["pool"].get("by", [])) + "#R"
    first_of_month = local_date(run, document).replace(day=1)
    months = [months_after(first_of_month, -back) for back in range(1, accumulator["window_months"])]
    return sum(run["totals"].get((scope, name, f"M{month:%Y-%m}"), 0) > 0 for month in months)


def holds_used(run, state, bounds):
    for name in sorted(bounds or {}):
        accumulator = accumulator_called(state["document"], name)
        value = used_before_visit(run, state, accumulator)
        met = in_range(value, bounds[name])
        counter = "periods_with_relief" if "kind" in accumulator else "when_used"
        if value:
            run["fired"].append(f"{counter} {'held' if met else 'failed'}")
            if counter == "when_used" and value != used(run, state, accumulator):
                run["fired"].append("when_used frozen")
        if not met:
            return False
    return True


def amount_of(run, state, form):
    if form is None or isinstance(form, int):
        return form
    document = state["document"]
    if "cases" in form:
        run["words"].append("amount cases")
        for case in form["cases"]:
            if holds(run, document, case.get("when", {})) and holds_used(run, state, case.get("when_used")):
                return amount_of(run, state, case["value"])
        return None
    if "fact" in form:
        value = fact(run, document, form["fact"])
        run["words"].append("amount ppm of a fact" if "ppm" in form else "amount of a fact")
        if value is not None and "ppm" in form:
            value = rounded(run, document, Fraction(value * form["ppm"], MILLION))
        return None if value is None else max(0, value)
    run["words"].append("amount per_extra_member")
    members = fact(run, document, "family_size")
    if members is None:
        return None
    value = form["base"] + form["per_extra_member"] * max(0, members - form["members_included"])
    return min(value, form["max"]) if "max" in form else value


def rate_of(run, state, form):
    rate = amount_of(run, state, form)
    return None if rate is None else min(rate, MILLION)


def accumulator_called(document, name):
    return next(accumulator for accumulator in document["accumulators"] if accumulator["id"] == name)


def looked_at(form):
    """Names of the accumulators in any `when_used` of a list of steps or a part of it."""
    names = list(form.get("when_used", {})) if isinstance(form, dict) else []
    for value in form.values() if isinstance(form, dict) else form:
        if isinstance(value, (dict, list)):
            names += looked_at(value)
    return names


def family_name(document):
    return document.get("continues", document["id"])


def total_key(run, state, accumulator):
    document = state["document"]
    name = f"{family_name(document)}/{accumulator['id']}" + by_values(run, document, accumulator.get("by", []))
    return scope_id(run, state, accumulator["scope"]), name, period_key(run, document, accumulator["period"])


def companion(run, state, accumulator, word):
    """The key beside a total: `@first:` of the visit, or `@visit:` for what the visit added to this very total."""
    scope, name, period = total_key(run, state, accumulator)
    name += word + run["line"]["member"]
    if word == "@visit:" and isinstance(accumulator["period"], str):
        name += "@" + period
    return scope, name, f"V:{run['line']['visit']}"


def by_values(run, document, names, brackets="[]"):
    if not names and brackets == "[]":
        return ""
    return brackets[0] + "|".join(written(fact(run, document, name)) for name in names) + brackets[1]


def written(value):
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "".join(ESCAPES.get(letter, letter) for letter in str(value))


def scope_id(run, state, scope):
    line = run["line"]
    if scope == "family":
        return line["family"] or line["member"]
    if scope == "policy":
        return line["policies"].get(state["document"]["id"], line["policy"]) or line["member"]
    return line["member"]


def period_key(run, document, period):
    line, day = run["line"], local_date(run, document)
    if period == "admission" and line["admission"]:
        return f"A:{line['admission']}"
    if period in ("visit", "admission"):
        return f"V:{line['visit'] or line['id']}"
    if period == "month":
        return f"M{day:%Y-%m}"
    if period == "quarter":
        return f"Q{day.year}-{(day.month + 2) // 3}"
    if period == "benefit_year":
        month, first = document.get("benefit_year", "01-01").split("-")
        return f"Y{year_start(day, int(month), int(first))}"
    if period == "policy_year":
        start = date.fromisoformat(fact(run, document, "policy_start"))
        return f"P{year_start(day, start.month, start.day)}"
    if period == "lifetime":
        return "L"
    return f"D{day}"
