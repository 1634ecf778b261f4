"""Which of a person's pots may pay for one line, and in which order?

A shared pot pays on its member's terms (`Terms`); money that was given for a purpose pays for that only (`Purpose`); a
payer orders the pots that it funds itself; a pot whose holder owes for a payment that went back is frozen, and pays for
nothing; and for care that its member keeps private no pot pays into which anybody else looks. What is decided follows
from the register, the documents and the line alone, so `recall` finds it again, with the reason why a pot was passed
over - unless that is nobody's business but the family's.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Final, NamedTuple

from drachm.domain.benefits import Line, Stack
from drachm.domain.funding.model import Pot
from drachm.domain.funding.purpose import Purpose

if TYPE_CHECKING:
    from drachm.domain.clearing.documents import Documents

_PLACES: Final = {"first": -1, "last": 1}


class Passed(NamedTuple):
    """A pot that may not pay for a line."""

    pot: Pot
    reason: str
    """A word of `domain.reasons`."""
    document: str = ""
    """Id and version of the plan or the expense rules that said so."""
    clause: str = ""
    text: str = ""
    """The clause in the document's own words."""


def chosen(
    pots: Sequence[Pot],
    line: Line,
    category: str,
    day: date,
    stack: Stack,
    documents: Documents,
    *,
    private: bool = False,
) -> tuple[tuple[Pot, ...], tuple[Passed, ...]]:
    """The pots that may pay, in drawing order, and those that may not, but for shared ones.

    `day`: the service's, where it was given. For `private` care no pot pays that is shared, or that somebody else
    funds: whoever looks into it would see that something was paid.
    """
    passed: list[Passed] = []
    kept: list[Pot] = []
    places: dict[str, int] = {}
    orders = stack.pockets
    for pot in pots:
        terms, purpose = pot.terms, pot.purpose
        if pot.fund and (private or (terms is not None and not terms.pays(category, day))):
            continue
        if pot.frozen:
            passed.append(Passed(pot, pot.frozen))
            continue
        if purpose is not None:
            funder = purpose.funder
            if private and funder:
                passed.append(Passed(pot, "pocket_private"))
                continue
            place = orders.get((funder, pot.pocket)) if orders and funder else None
            if place == "never":
                passed.append(Passed(pot, "pocket_plan", _orders(stack, funder, pot.pocket)))
                continue
            against = _against(pot, purpose, line, category, documents)
            if against is not None:
                passed.append(against)
                continue
            if place is not None:
                places[pot.id] = _PLACES[place]
        kept.append(pot)
    if places:
        # Sorting keeps the drawing order of pots with one place.
        kept.sort(key=lambda pot: places.get(pot.id, 0))
    return tuple(kept), tuple(passed)


def _against(pot: Pot, purpose: Purpose, line: Line, category: str, documents: Documents) -> Passed | None:
    """Why this pot may not pay; None when it may."""
    if purpose.until is not None and line.at >= purpose.until:
        return Passed(pot, "pocket_expired")
    if purpose.categories and category not in purpose.categories:
        return Passed(pot, "pocket_category")
    if not purpose.expenses:
        return None
    rules = documents.expenses(purpose.expenses, line.at)
    if rules is None:
        return Passed(pot, "pocket_no_rules", purpose.expenses)
    verdict = rules.verdict(line)
    if verdict.eligible:
        return None
    named, clause = f"{rules.id} {rules.version}", verdict.clause
    return Passed(pot, "pocket_expense", named, clause, rules.text.get(clause, ""))


def _orders(stack: Stack, payer: str, kind: str) -> str:
    """The plan that says where such a pot stands."""
    plans = [plan for plan in stack.plans if plan.payer == payer and kind in plan.pockets]
    return f"{plans[0].id} {plans[0].version}"
