"""How does the line begin and end?

Writes step 0 of docs/reference/plan-model.md, section 4 (the residue) and the answer: what everybody owes, the deltas
of the running totals, the decision; and, as a function of its own, the shares that follow.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from drachm.domain.benefits.document import Plan
from drachm.domain.benefits.script import Owed, Script, added
from drachm.domain.benefits.turn import SELF_PAY, Turn

ROUNDING: Final = "rounding"
"""Component and reason of what is below the payable unit."""


def write_residue(script: Script, first: Plan | None) -> None:
    """Round the cost to the payable unit; the first document says who bears the difference."""
    script.write("allowed = cost = line.cost")
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


class _Share(NamedTuple):
    """One share that the answer may have, as Python."""

    test: str
    bearer: str
    party: str
    component: str
    amount: str
    document: str
    reason: str


def write_answer(script: Script, plans: Sequence[Plan], turns: Sequence[Turn]) -> None:
    """The answer in flat amounts, and in `script.telling` the shares that follow from them.

    The shares sum to the bill, or posting stops.
    """
    amounts = script.amounts()
    with script.block(f"if {added(amounts)} != cost:"):
        script.write("broken(line)")
    shares = _shares(script, plans[0] if plans else None)
    script.telling = [f"    ({', '.join([*amounts, ''])}) = amounts"] if amounts else []
    for test, *said in shares:
        said[3] = f"({said[3]})"
        named = ", ".join(part if place == 3 else repr(part) for place, part in enumerate(said))
        script.telling += [f"    if {test}:", f"        shares.append(new(Share, ({named})))"]
    owed = [owed.amount for owed in script.owed if not owed.provider]
    patient = added(owed + [f"({share.amount})" for share in shares if share[1:4] == ("patient", "", ROUNDING)])
    payers = _payers(script, [share for share in shares if share.bearer == "payer"])
    deltas = _deltas(script)
    decision, reason = _decision(script, turns)
    trace = "tuple(trace)" if script.explains else "()"
    flat = f"({', '.join([*amounts, ''])})"
    said_of = f"cost, {patient}, {payers}, credits, {deltas}, {trace}, {decision}, {reason}, {flat}"
    script.write(f"return new(Split, ({said_of}))")


def _shares(script: Script, first: Plan | None) -> list[_Share]:
    """One share for each bearer, document, component and reason, in the order of their first amounts."""
    places: dict[tuple[str, str, str, str, str], list[str]] = {}
    for owed in script.owed:
        bearer = "provider" if owed.provider else "patient"
        places.setdefault((bearer, "", owed.component, owed.document, owed.reason), []).append(owed.amount)
    for paid in script.paid:
        places.setdefault(("payer", paid.party, "plan_paid", paid.document, paid.reason), []).append(paid.amount)
    amounts = [(place, number) for place, found in places.items() for number in range(len(found))]
    order = {name: position for position, name in enumerate(script.amounts())}
    shares = []
    for place, number in sorted(amounts, key=lambda one: order[places[one[0]][one[1]]]):
        found = places[place]
        # Of several amounts of one place, the first that is not 0 stands for all.
        earlier = f" and not ({' or '.join(found[:number])})" if number else ""
        bearer, party, component, document, reason = place
        test = f"{found[number]}{earlier}"
        shares.append(_Share(test, bearer, party, component, added(found[number:]), document, reason))
    if first is not None and first.rounding.unit > 1:
        party = first.payer if first.residue == "payer" else ""
        test, left = "allowed != cost", "allowed - cost"
        shares.append(_Share(test, first.residue, party, ROUNDING, left, first.id, ROUNDING))
    word = "contractual_adjustment"
    shares.append(_Share("billed != allowed", "provider", "", word, "billed - allowed", "", word))
    return shares


def _payers(script: Script, shares: Sequence[_Share]) -> str:
    """What each payer's share comes to, in their order."""
    if len(shares) == 1:
        (share,) = shares
        return f"(({share.party!r}, {share.amount}),) if {share.test} else ()"
    if not shares:
        return "()"
    script.write("payers = []")
    for share in shares:
        script.write(f"if {share.test}: payers.append(({share.party!r}, {share.amount}))")
    return "payers"


def _deltas(script: Script) -> str:
    """What the line adds to running totals, zeros left out."""
    if not script.deltas:
        return "()"
    script.write("deltas = []")
    # As nearly sorted as can be without the line: where they are told in order, what is left to sort is cheap.
    order = script.kept()
    for key, amount in sorted(script.deltas, key=lambda delta: order.index(delta[0].removesuffix("_today"))):
        script.write(f"if {amount}: deltas.append(({key}, {amount}))")
    return "deltas"


def _decision(script: Script, turns: Sequence[Turn]) -> tuple[str, str]:
    """How the line ends; a line that every document denied has the reason of the first denying step."""
    if not turns:
        return "'self_pay'", "''"
    if not all(turn.denied for turn in turns):
        return "'covered'", "''"
    script.write(f"denied = {' and '.join(turn.denied for turn in turns)}")
    return "'denied' if denied else 'covered'", f"{turns[0].denied} if denied else ''"
