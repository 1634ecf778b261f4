"""Who owes what, read straight from the document?

The second adjudicator: slow, direct, obvious. It walks the JSON document word by word as
`docs/reference/plan-model.md` says, for one line at a time, and shares no code with the engine: own rounding, own
calendar, own conditions. Lines, documents and totals are plain dictionaries.

    adjudicate(line, documents, totals) -> {"shares", "credits", "deltas", "decision", "reason", ..}
                                        or {"pended": reason code, "fact": name, ..}

`shares` maps (bearer, party, component) to micros, `credits` maps (party, document, step), `deltas` maps
(scope id, name, period) like `totals`. Beside them `fired` names the rules that had an effect, and `used` the steps and
accumulators that had one: for counting only.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from fractions import Fraction
from math import ceil, floor
from zoneinfo import ZoneInfo

MILLION = 1_000_000
DEFAULT_COMPONENT = {"exclude": "not_covered", "waiting_period": "not_covered", "benefit_limit": "over_limit"}
DEFAULT_REASON = {"exclude": "not_covered", "benefit_limit": "over_limit"}
COST_SHARE = ["deductible", "copay", "coinsurance"]
DECIMALS = {"JPY": 0, "KRW": 0, "CLP": 0, "KWD": 3, "BHD": 3, "TND": 3}
ESCAPES = {"%": "%25", "|": "%7C", "[": "%5B", "]": "%5D", "#": "%23", "@": "%40"}


class Pend(Exception):
    def __init__(self, reason, fact):
        super().__init__(reason, fact)
        self.reason, self.fact = reason, fact


def adjudicate(line, documents, totals):
    """The answer for one line; `totals` stand as they were before it and are not changed."""
    run = {"line": line, "documents": documents, "totals": totals, "deltas": {}, "hand": [], "paid": [], "provider": []}
    run |= {"credits": [], "earlier_paid": 0, "fired": [], "words": [], "used": []}
    try:
        decision, reason = whole_line(run)
    except Pend as pend:
        run["fired"].append(f"pended {pend.reason}")
        return {"pended": pend.reason, "fact": pend.fact, "fired": run["fired"], "used": run["used"]}
    shares, transfers = {}, {}
    for entry in run["hand"]:
        add(shares, ("patient", "", entry["component"]), entry["amount"])
    for party, component, amount in run["paid"]:
        add(shares, ("payer", party, component), amount)
    for component, amount in run["provider"]:
        add(shares, ("provider", "", component), amount)
    for credit in run["credits"]:
        add(transfers, (credit["party"], credit["document"], credit["step"]), credit["amount"])
    run["fired"].append(f"decision {decision}")
    answer = {"shares": shares, "credits": transfers, "deltas": run["deltas"], "decision": decision, "reason": reason}
    return answer | {"fired": run["fired"], "used": run["used"]}


def add(book, key, amount):
    """Add to a dictionary that holds no zeros."""
    book[key] = book.get(key, 0) + amount
    if book[key] == 0:
        del book[key]


# Section 4: the machine


def whole_line(run):
    line, documents = run["line"], run["documents"]
    for document in documents:
        refuse_wrong_facts(run, document)
    cost = line["cost"]
    if documents:
        cost = without_residue(run, documents[0])
    run["cost"] = cost
    run["provider"].append(("contractual_adjustment", line["billed"] - line["cost"]))
    run["hand"].append(an_entry("", "self_pay", "share", cost))
    applying = [document for document in documents if takes_part(run, document)]
    run["payer_set"] = "+".join(document["payer"] for document in applying)
    states = []
    for document in applying:
        state = {"document": document, "entries": [], "gave": [], "credits": [], "bases": 0, "copays": []}
        state |= {"denied": "", "stopped": False, "independent": isinstance(document.get("starts_from"), dict)}
        state |= {"shares_before_cap": None}
        states.append(state)
        one_document(run, state)
    for state in states:
        if not state["denied"]:
            run_steps(run, state, "closing_steps")
    if not states:
        return "self_pay", ""
    if all(state["denied"] for state in states):
        return "denied", states[0]["denied"]
    return "covered", ""


def without_residue(run, document):
    cost, unit = run["line"]["cost"], rounding_unit(document)
    if cost % unit == 0:
        return cost
    bearer = document.get("residue", "provider")
    kept = rounded(run, document, cost) if bearer == "provider" else cost // unit * unit
    if bearer == "provider":
        run["provider"].append(("rounding", cost - kept))
    elif bearer == "patient":
        run["hand"].append(an_entry("", "rounding", "residue", cost - kept))
    else:
        run["paid"].append((document["payer"], "rounding", cost - kept))
    run["fired"].append(f"residue {bearer}")
    return kept


def takes_part(run, document):
    holds_now = holds(run, document, document.get("applies", {}))
    if "applies" in document:
        run["fired"].append(f"applies {'true' if holds_now else 'false'}")
    return holds_now


def an_entry(document_id, component, entry_class, amount, bearer="patient", step=""):
    entry = {"document": document_id, "component": component, "class": entry_class, "amount": amount}
    return entry | {"bearer": bearer, "step": step}


def takes_over(state, entry):
    """Is this component in the patient's hands one that the document takes over?"""
    if entry["class"] == "residue":
        return False
    if entry["document"] == "":
        return True
    names = state["document"].get("takes_over")
    return entry["class"] == "share" if names is None else entry["component"] in names


def one_document(run, state):
    document = state["document"]
    mine = [entry for entry in run["hand"] if takes_over(state, entry)]
    if state["independent"]:
        state["A"] = expression(run, state, document["starts_from"])
        if state["A"]:
            run["fired"].append("starts_from expression")
    else:
        run["hand"] = [entry for entry in run["hand"] if not takes_over(state, entry)]
        state["A"] = sum(entry["amount"] for entry in mine)
        if "takes_over" in document and state["A"] and mine[0]["document"]:
            run["fired"].append("takes_over")
    state["open"] = state["A"]
    run_steps(run, state, "steps")
    if state["shares_before_cap"] is None:
        state["shares_before_cap"] = total_of_shares(state)
    if document.get("remainder") == "patient":
        if state["open"]:
            run["fired"].append("remainder patient")
        state["entries"].append(an_entry(document["id"], "remainder", "share", state["open"]))
    else:
        state["gave"].append((document["payer"], state["open"]))
    state["open"] = 0
    hand_over(run, state, mine)
    for step_entry, key in state["copays"]:
        add(run["deltas"], key, step_entry["amount"])
    feed_accumulators(run, state)


def hand_over(run, state, mine):
    """What the document leaves with the patient and the provider, and what it pays, become real."""
    if state["independent"]:
        really = []
        for party, amount in [] if state["denied"] else state["gave"]:
            cut = min(amount, sum(entry["amount"] for entry in mine))
            if cut < amount:
                run["fired"].append("independent payment cut to what is owed")
            lower(mine, cut)
            really.append((party, cut))
        state["gave"] = really
    else:
        for entry in state["entries"]:
            if entry["bearer"] == "patient":
                run["hand"].append(entry)
            else:
                run["provider"].append((entry["component"], entry["amount"]))
    for party, amount in state["gave"]:
        run["paid"].append((party, "plan_paid", amount))
        run["earlier_paid"] += amount


def lower(entries, amount):
    """Take `amount` out of the entries, last taken first; what did not fit."""
    for entry in reversed(entries):
        part = min(entry["amount"], amount)
        entry["amount"] -= part
        amount -= part
    return amount


def own(state, names=None, entry_class=None):
    """The patient's entries of this document, perhaps of some names, perhaps of one class."""
    found = [entry for entry in state["entries"] if entry["bearer"] == "patient"]
    found = [entry for entry in found if names is None or entry["component"] in names]
    return [entry for entry in found if entry_class is None or entry["class"] == entry_class]


def total(entries):
    return sum(entry["amount"] for entry in entries)


def total_of_shares(state):
    return total(own(state, entry_class="share"))


def excess_of(state):
    """Components of class excess, whoever bears them."""
    return total(entry for entry in state["entries"] if entry["class"] == "excess")


def run_steps(run, state, where):
    """The steps of one list in order until the line is stopped."""
    fired_before = ""
    for step in state["document"].get(where, []):
        if state["stopped"]:
            break
        kind = step["kind"]
        fired = False
        run["words"] = []
        if holds(run, state["document"], step.get("when", {})) and holds_used(run, state, step.get("when_used")):
            fired = STEPS[kind](run, state, step, closing=where == "closing_steps")
        if fired:
            place = "closing " if where == "closing_steps" else ""
            run["fired"] += [f"step {place}{kind}"]
            run["fired"] += [word if word.startswith(COMMON_WORDS) else f"{kind}: {word}" for word in run["words"]]
            run["used"].append(("step", state["document"]["id"], step["id"]))
            if fired_before:
                run["fired"].append(f"pair {place}{fired_before}, {kind}")
        fired_before = kind if fired else ""


COMMON_WORDS = ("condition ", "amount ", "fact ")


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
    months = amount_of(run, state, step["months"])
    since = fact(run, state["document"], step["since"])
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


def count_now(run, state, accumulator, measure):
    line = run["line"]
    if measure == "units":
        return line["quantity"]
    if measure == "visits" and line["visit"]:
        return 0 if run["totals"].get(companion(run, state, accumulator, "@first:"), 0) else 1
    return 1


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
        rate, word = amount_of(run, state, step["ppm"]), "ppm"
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


# Section 5: period_cap


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


# Section 3: accumulators


def feed_accumulators(run, state):
    document, line = state["document"], run["line"]
    for accumulator in document.get("accumulators", []):
        if "feeds" not in accumulator:
            continue
        held = [feed for feed in accumulator["feeds"] if holds(run, document, feed.get("when", {}))]
        if not held:
            continue
        amounts = lowered_by_help(run, state) if accumulator.get("third_party_help") == "excluded" else state["entries"]
        added, counts_visit = 0, False
        for feed in held:
            if feed["of"] in ("units", "lines", "visits"):
                one = 0 if state["denied"] else count_now(run, state, accumulator, feed["of"])
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
        frozen = line["visit"] and accumulator["period"] != "visit" and accumulator["id"] in looked_at(document)
        if frozen:
            add(run["deltas"], companion(run, state, accumulator, "@visit:"), added)
        if added:
            run["used"].append(("accumulator", document["id"], accumulator["id"]))
            note_accumulator(run, accumulator, amounts is not state["entries"])


MEASURES = ("cost_share", "patient", "covered", "coinsured", "paid", "units", "lines", "visits")


def note_accumulator(run, accumulator, lowered):
    period = accumulator["period"] if isinstance(accumulator["period"], str) else "rolling_days"
    if accumulator["scope"] == "policy" and run["line"]["policies"]:
        run["fired"].append("policy of a document")
    run["fired"] += [f"period {period}", f"scope {accumulator['scope']}"]
    run["fired"] += ["accumulator by"] if accumulator.get("by") else []
    run["fired"] += ["third_party_help excluded"] if lowered and run["line"]["facts"].get("third_party_help") else []
    run["fired"] += ["several feeds"] if len(accumulator["feeds"]) > 1 else []


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
    for feed in accumulator["feeds"]:
        if holds(run, state["document"], feed.get("when", {})) and feed["of"] not in ("units", "lines", "visits"):
            so_far += money_measure(state, feed["of"], state["entries"])
    return so_far


def room(run, state, step):
    rooms = []
    for entry in step.get("limits", []):
        limit = amount_of(run, state, entry["limit"])
        if limit is not None:
            accumulator = accumulator_called(state["document"], entry["accumulator"])
            so_far = used(run, state, accumulator) + contribution_of_any(run, state, accumulator)
            rooms.append(max(0, limit - so_far))
    return min(rooms, default=None)


def contribution_of_any(run, state, accumulator):
    return contribution(run, state, accumulator) if "feeds" in accumulator else 0


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
    if accumulator.get("kind") == "periods_with_relief" or not visit:
        return used(run, state, accumulator)
    if accumulator["period"] == "visit":
        return 0
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


def accumulator_called(document, name):
    return next(accumulator for accumulator in document["accumulators"] if accumulator["id"] == name)


def looked_at(form):
    """Names of the accumulators in any `when_used` of the document."""
    if isinstance(form, list):
        return {name for item in form for name in looked_at(item)}
    if not isinstance(form, dict):
        return set()
    names = set(form.get("when_used", {}))
    return names.union(*[looked_at(value) for key, value in form.items() if key not in ("when_used", "facts", "text")])


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


# Section 2: facts, conditions, amounts


def given_facts(run, document):
    return run["line"]["facts"] | run["line"]["document_facts"].get(document["id"], {})


def type_of(declared):
    return declared["type"] if isinstance(declared, dict) else declared


def refuse_wrong_facts(run, document):
    given = given_facts(run, document)
    for name in sorted(document.get("facts", {})):
        if name in given and not fits(given[name], type_of(document["facts"][name])):
            raise Pend("fact_invalid", name)


def fits(value, wanted):
    if isinstance(wanted, list):
        return isinstance(value, str) and value in wanted
    if wanted == "flag":
        return isinstance(value, bool)
    if wanted in ("number", "money"):
        return isinstance(value, int) and not isinstance(value, bool)
    if not isinstance(value, str):
        return False
    return wanted == "text" or is_day(value)


def is_day(text):
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def fact(run, document, name):
    """The value that a rule reads; None when the fact is absent with a null default."""
    line, given = run["line"], given_facts(run, document)
    if name in ("member", "visit", "quantity"):
        return line[name]
    if name == "date":
        return str(local_date(run, document))
    if name == "payer_set":
        return run["payer_set"]
    if name == "third_party_help":
        return given.get(name, 0)
    for band in document.get("bands", []):
        if band["fact"] == name:
            value = fact(run, document, band["of"])
            if value is None:
                return None
            run["words"].append("fact of a band")
            return next(entry["is"] for entry in band["to"] if "below" not in entry or value < entry["below"])
    declared = document["facts"][name]
    if name in given:
        if name in line["document_facts"].get(document["id"], {}):
            run["words"].append("fact of a document")
        return given[name]
    if isinstance(declared, dict):
        run["words"].append("fact by default")
        return declared["default"]
    if declared == "flag":
        return False
    raise Pend("fact_missing", name)


def holds(run, document, condition):
    return all(key_holds(run, document, key, condition[key]) for key in sorted(condition))


def key_holds(run, document, key, wanted):
    if key == "not":
        run["words"].append("condition not")
        return not holds(run, document, wanted)
    if key == "any":
        run["words"].append("condition any")
        return any(holds(run, document, each) for each in wanted)
    value = fact(run, document, key)
    if value is None:
        run["words"].append("condition absent fact")
        return False
    if isinstance(wanted, dict) and "in_group" in wanted:
        run["words"].append("condition in_group")
        return value in document["groups"][wanted["in_group"]]
    if isinstance(wanted, dict):
        run["words"].append("condition range")
        return in_range(value, wanted)
    run["words"].append("condition one of" if isinstance(wanted, list) else "condition equal")
    return any(same(value, each) for each in (wanted if isinstance(wanted, list) else [wanted]))


def same(value, word):
    return value == word and isinstance(value, bool) == isinstance(word, bool)


def in_range(value, bounds):
    if "at_least" in bounds and value < bounds["at_least"]:
        return False
    return "below" not in bounds or value < bounds["below"]


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


# Rounding and calendar


def rounding_unit(document):
    return document.get("rounding", {}).get("unit", 10 ** (6 - DECIMALS.get(document["currency"], 2)))


def rounded(run, document, exact):
    """To a multiple of the rounding unit; halves away from zero, to even, or never asked for."""
    unit, mode = rounding_unit(document), document.get("rounding", {}).get("mode", "half_up")
    units = Fraction(exact) / unit
    sign, size = (-1 if units < 0 else 1), abs(units)
    whole = {
        "half_up": floor(size + Fraction(1, 2)),
        "half_down": ceil(size - Fraction(1, 2)),
        "half_even": round(size),
        "up": ceil(size),
        "down": floor(size),
    }[mode]
    if whole != size:
        run["fired"].append(f"rounding {mode}")
    return sign * whole * unit


def times_quantity(run, document, amount):
    """Amount x quantity; only a fractional quantity is rounded."""
    exact = Fraction(amount * run["line"]["quantity"], MILLION)
    return int(exact) if run["line"]["quantity"] % MILLION == 0 else rounded(run, document, exact)


def local_date(run, document):
    return run["line"]["at"].astimezone(ZoneInfo(document["zone"])).date()


def day_or_last_of_month(year, month, day):
    while True:
        try:
            return date(year, month, day)
        except ValueError:
            day -= 1


def months_after(day, months):
    index = day.year * 12 + day.month - 1 + months
    return day_or_last_of_month(index // 12, index % 12 + 1, day.day)


def year_start(day, month, first):
    """The last `month`/`first` on or before the day; 29 February starts on the 28th in common years."""
    start = day_or_last_of_month(day.year, month, first)
    return start if start <= day else day_or_last_of_month(day.year - 1, month, first)


STEPS = {
    "exclude": exclude,
    "waiting_period": waiting_period,
    "benefit_limit": benefit_limit,
    "copay": copay,
    "deductible": deductible,
    "coinsurance": coinsurance,
    "pay": pay,
    "out_of_pocket_max": out_of_pocket_max,
    "period_cap": period_cap,
    "coordinate": coordinate,
}
