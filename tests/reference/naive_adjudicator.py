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

import naive_steps
from naive_caps import period_cap
from naive_entries import add, an_entry, excess_of, lower, takes_over, total_of_shares
from naive_totals import feed_accumulators, holds_used
from naive_words import Pend, holds, refuse_wrong_facts, rounded, rounding_unit

KINDS = ["exclude", "waiting_period", "benefit_limit", "copay", "deductible", "coinsurance", "pay"]
KINDS += ["out_of_pocket_max", "coordinate"]
STEPS = {kind: getattr(naive_steps, kind) for kind in KINDS} | {"period_cap": period_cap}
COMMON_WORDS = ("condition ", "amount ", "fact ")


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


def one_document(run, state):
    document = state["document"]
    mine = [entry for entry in run["hand"] if takes_over(state, entry)]
    if state["independent"]:
        state["A"] = naive_steps.expression(run, state, document["starts_from"])
        if state["A"]:
            run["fired"].append("starts_from expression")
    else:
        run["hand"] = [entry for entry in run["hand"] if not takes_over(state, entry)]
        state["A"] = sum(entry["amount"] for entry in mine)
        if "takes_over" in document and state["A"] and mine[0]["document"]:
            run["fired"].append("takes_over")
    state["open"] = state["A"]
    run_steps(run, state, "steps")
    if document.get("remainder") == "patient":
        if state["open"]:
            run["fired"].append("remainder patient")
        state["entries"].append(an_entry(document["id"], "remainder", "share", state["open"]))
    else:
        state["gave"].append((document["payer"], state["open"]))
    state["open"] = 0
    if state["shares_before_cap"] is None:
        state["shares_before_cap"] = total_of_shares(state)
    state["covered"] = state["A"] - excess_of(state)
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
