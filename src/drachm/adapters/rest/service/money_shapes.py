"""How does the ledger's money look, which nothing bounds?

What one event or order says is `Money`: its micros are an exact JSON number. What the books say, an entry, a balance or
a sum over many, may pass 2^53: it is a `Sum`, whose micros are decimal digits in text, always, however small. Entries
and balances of accounts are positive for debits.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated

from msgspec import Meta

from drachm.adapters.rest.service.call import Call
from drachm.adapters.rest.service.shapes import END, Currency, Money, View
from drachm.adapters.rest.transport.problems import Fault, Problem
from drachm.domain.errors import InvalidMessage
from drachm.domain.periods import read_day

Digits = Annotated[
    str, Meta(pattern="^(0|-?[1-9][0-9]*)" + END, description="Millionths of the currency unit, as decimal digits.")
]


class Sum(View):
    """An amount of the books, or a sum of amounts, exact however large."""

    micros: Digits
    currency: Currency


def sum_of(micros: int, currency: str) -> Sum:
    """A sum for an answer."""
    return Sum(micros=str(micros), currency=currency)


def day_of(text: str, pointer: str) -> date:
    """A calendar day of a request; the `invalid_body` problem for a day that does not exist."""
    try:
        return read_day(text)
    except InvalidMessage as error:
        raise faulty(pointer, error.message) from None


def faulty(pointer: str, detail: str, code: str = "invalid_body") -> Problem:
    """The problem of one faulty place of a body."""
    return Problem(code, faults=[Fault(pointer, code, detail)])


def ensure_currency(amount: Money, currency: str, pointer: str, what: str) -> None:
    """An amount of the body, in the currency of what it is about; else the `invalid_money` problem."""
    if amount.currency != currency:
        raise faulty(f"{pointer}/currency", f"{what} is in another currency", "invalid_money")


def wrong(parameter: str, detail: str) -> Problem:
    """The problem of one faulty query parameter."""
    return Problem("bad_request", detail, where=parameter)


def query_day(call: Call, name: str) -> date | None:
    """A day among the query's parameters."""
    text = call.query.get(name)
    if text is None:
        return None
    try:
        return day_of(text, f"/{name}")
    except Problem:
        raise wrong(name, "a day such as 2026-01-31 is expected") from None
