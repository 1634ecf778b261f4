"""Which of a member's pots may pay for a line of care at all?"""

from __future__ import annotations

from datetime import date

from drachm.domain.funding.model import Pot


def drawable(pots: tuple[Pot, ...], category: str, day: date, *, private: bool = False) -> tuple[Pot, ...]:
    """Those that may be drawn from, in the same order: of shared ones those whose terms allow it.

    For `private` care no shared pot pays: whoever else looks into it would see that something was paid.
    """
    return tuple([pot for pot in pots if not pot.fund or (not private and _pays(pot, category, day))])


def _pays(pot: Pot, category: str, day: date) -> bool:
    return pot.terms is None or pot.terms.pays(category, day)
