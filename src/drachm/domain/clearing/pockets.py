"""Which of a person's pots may pay for one line, and in which order?

Money that was given for a purpose pays for that only (`Purpose`), and a payer orders the pots that it funds itself.
What is decided follows from the register, the documents and the line alone, so `recall` finds it again, with the
reason why a pot was passed over. A pot whose holder owes for a payment that went back is frozen, and pays for nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter
from typing import TYPE_CHECKING, Final, NamedTuple

from drachm.domain.benefits import Line, Stack
from drachm.domain.funding.model import Pot
from drachm.domain.funding.purpose import Purpose

if TYPE_CHECKING:
    from drachm.domain.clearing.documents import Documents

_PLACES: Final = {"first": -1, "last": 1}
_FIRST_OF_TWO: Final = itemgetter(0)


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
    pots: Sequence[Pot], line: Line, category: str, stack: Stack, documents: Documents, *, private: bool = False
) -> tuple[tuple[Pot, ...], tuple[Passed, ...]]:
    """The pots that may pay, in drawing order, and those that may not.

    For `private` care no pot pays that somebody else funds: the funder would see that something was paid.
    """
    passed: list[Passed] = []
    places: list[tuple[int, Pot]] = []
    for pot in pots:
        purpose = pot.purpose
        if pot.frozen:
            passed.append(Passed(pot, pot.frozen))
            continue
        if purpose is None:
            places.append((0, pot))
            continue
        if private and purpose.funder:
            passed.append(Passed(pot, "pocket_private"))
            continue
        place = stack.pockets.get((purpose.funder, pot.pocket)) if purpose.funder and stack.pockets else None
        if place == "never":
            passed.append(Passed(pot, "pocket_plan", _orders(stack, purpose.funder, pot.pocket)))
            continue
        against = _against(pot, purpose, line, category, documents)
        if against is not None:
            passed.append(against)
        else:
            places.append((_PLACES.get(place or "", 0), pot))
    # Sorting keeps the drawing order of pots with one place.
    places.sort(key=_FIRST_OF_TWO)
    return tuple([pot for _, pot in places]), tuple(passed)


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
