"""How does a contract change from a day on, and under which name is it known?

A provider and a payer have one contract; it has terms, one after the other. Terms never overlap, and a new one never
touches the days before it: what was cleared is recalled with the register as it stood, and stays.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Final

from drachm.domain.coverage.model import Contract
from drachm.domain.errors import Conflict
from drachm.domain.periods import Period

NAME_BYTES: Final = 16


def agreement_name(tenant: int, provider: str, payer: str) -> bytes:
    """The 16 bytes by which a contract is known outside; the same on every machine, and nobody can count them."""
    words = "\x1f".join((str(tenant), "contract", provider, payer))
    return hashlib.sha256(words.encode()).digest()[:NAME_BYTES]


def ensure_apart(terms: Sequence[Contract], new: Period) -> None:
    """Raises Conflict when a term that is here holds on a day of the new one."""
    if any(term.period.overlaps(new) for term in terms):
        raise Conflict(
            "this provider and this payer have a contract on some of these days",
            where="$.starts_on",
            next_step="Change that contract from a date on.",
        )


def amended(
    terms: Sequence[Contract],
    start: date,
    *,
    price_book: str | None = None,
    network: str | None = None,
    end: date | None = None,
) -> list[Contract]:
    """The terms to write so that from `start` on the contract says what is given here, and what it said before else.

    The term that holds on `start` ends there; the new one runs as long as that one did, or until `end`. Where a later
    term follows, it stays. Raises Conflict when no term holds on `start`.
    """
    held = next((term for term in terms if start in term.period), None)
    if held is None:
        raise Conflict(
            "no term of the contract holds on that day",
            where="$.from",
            next_step="Name a day on which the contract holds.",
        )
    period = Period(start, end if end is not None else held.period.end)
    if period.end is not None and period.end <= start:
        raise Conflict("the contract would end before it begins", where="$.ends_on")
    if any(term is not held and term.period.overlaps(period) for term in terms):
        raise Conflict("a later term holds on some of these days", where="$.ends_on")
    new = replace(
        held,
        period=period,
        price_book=held.price_book if price_book is None else price_book,
        network=held.network if network is None else network,
    )
    if held.period.start == start:
        return [new]
    return [replace(held, period=Period(held.period.start, start)), new]
