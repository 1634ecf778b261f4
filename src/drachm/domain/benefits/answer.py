"""How does the line begin and end?

Writes step 0 of docs/reference/plan-model.md, section 4 (the residue) and the answer: the shares of everybody, the
deltas of the running totals, the decision.
"""

from __future__ import annotations

from collections.abc import Sequence

from drachm.domain.benefits.document import Plan
from drachm.domain.benefits.script import Owed, Script, added
from drachm.domain.benefits.turn import SELF_PAY, Turn


def write_residue(script: Script, first: Plan | None) -> None:
    """Round the cost to the payable unit; the first document says who bears the difference."""
    script.write("cost = line.cost")
    if script.explains:
        script.write("trace = []")
    script.write("credits = ()")
    if first is not None and first.rounding.unit > 1:
        unit = first.rounding.unit
        mode = first.rounding.mode if first.residue == "provider" else "down"
        with script.block(f"if cost % {unit}:"):
            script.write(f"cost = round_ratio(cost, 1, {unit}, {mode!r})")
            if script.explains:
                said = (first.id, first.version, "rounding", "rounding", "", "rounding")
                target = first.payer if first.residue == "payer" else "rounding"
                script.write(f"trace.append(Step({', '.join(map(repr, said))}, line.cost - cost, {target!r}, cost))")
    script.write("self_pay = cost")
    script.owed.append(Owed("self_pay", "", "", SELF_PAY, SELF_PAY))


def write_answer(script: Script, plans: Sequence[Plan], turns: Sequence[Turn]) -> None:
    """The shares sum to the bill, or posting stops."""
    amounts = script.amounts()
    with script.block(f"if {added(amounts)} != cost:"):
        script.write("broken(line)")
    _shares(script, plans[0] if plans else None)
    deltas = _deltas(script)
    decision, reason = _decision(script, turns)
    hashes = repr(tuple(plan.hash for plan in plans))
    trace = "tuple(trace)" if script.explains else "()"
    said = f"line.billed, line.cost, tuple(shares), credits, {deltas}, {trace}, {decision}, {reason}, {hashes}"
    script.write(f"return Adjudication({said})")


def _shares(script: Script, first: Plan | None) -> None:
    """One share for each bearer, document, component and reason, in the order of their first amounts."""
    places: dict[tuple[str, str, str, str, str], list[str]] = {}
    for owed in script.owed:
        bearer = "provider" if owed.provider else "patient"
        places.setdefault((bearer, "", owed.component, owed.document, owed.reason), []).append(owed.amount)
    for paid in script.paid:
        places.setdefault(("payer", paid.party, "plan_paid", paid.document, paid.reason), []).append(paid.amount)
    amounts = [(place, number) for place, found in places.items() for number in range(len(found))]
    order = {name: position for position, name in enumerate(script.amounts())}
    script.write("shares = []")
    for place, number in sorted(amounts, key=lambda one: order[places[one[0]][one[1]]]):
        found = places[place]
        # Of several amounts of one place, the first that is not 0 stands for all.
        earlier = f" and not ({' or '.join(found[:number])})" if number else ""
        bearer, party, component, document, reason = place
        said = f"{bearer!r}, {party!r}, {component!r}, {added(found[number:])}, {document!r}, {reason!r}"
        with script.block(f"if {found[number]}{earlier}:"):
            script.write(f"shares.append(new(Share, ({said})))")
    if first is not None and first.rounding.unit > 1:
        party = first.payer if first.residue == "payer" else ""
        said = f"{first.residue!r}, {party!r}, 'rounding', line.cost - cost, {first.id!r}, 'rounding'"
        with script.block("if cost != line.cost:"):
            script.write(f"shares.append(new(Share, ({said})))")
    said = "'provider', '', 'contractual_adjustment', line.billed - line.cost, '', 'contractual_adjustment'"
    with script.block("if line.billed != line.cost:"):
        script.write(f"shares.append(new(Share, ({said})))")


def _deltas(script: Script) -> str:
    """What the line adds to running totals, sorted by key, zeros left out."""
    if not script.deltas:
        return "()"
    script.write("deltas = []")
    # As nearly sorted as can be without the line: what is left to sort is cheap.
    order = script.kept()
    for key, amount in sorted(script.deltas, key=lambda delta: order.index(delta[0].removesuffix("_today"))):
        script.write(f"if {amount}: deltas.append(({key}, {amount}))")
    if len(script.deltas) > 1:
        script.write("deltas.sort()")
    return "tuple(deltas)"


def _decision(script: Script, turns: Sequence[Turn]) -> tuple[str, str]:
    """How the line ends; a line that every document denied has the reason of the first denying step."""
    if not turns:
        return "'self_pay'", "''"
    if not all(turn.denied for turn in turns):
        return "'covered'", "''"
    script.write(f"denied = {' and '.join(turn.denied for turn in turns)}")
    return "'denied' if denied else 'covered'", f"{turns[0].denied} if denied else ''"
