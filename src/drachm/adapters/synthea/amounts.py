"""How does an amount of the source become payable money?

Synthea computes in binary floats: 28.104000000000003 means 28.104. The number is read as an exact decimal; rounding to
a micro removes the noise of the float (far below a micro), rounding to the currency's minor unit makes it payable. Both
round half up.
"""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

from drachm.domain import money
from drachm.domain.errors import InvalidMessage
from drachm.domain.events.model import UNIT

MAX_QUANTITY: Final = 1_000_000

_CSV_NUMBER: Final = re.compile(r"-?\d{1,20}(?:\.\d{1,30})?(?:[eE]-?\d{1,2})?", re.ASCII)


def submitted(value: Any, currency: str, where: str) -> int:
    """A submitted amount in micros, rounded to the payable unit of `currency`: 28.104000000000003 is 28.10 in USD.

    Raises `InvalidMessage`: `invalid_amount` for anything but a finite decimal from 0 up to `money.MAX_AMOUNT`,
    `unknown_currency` for a currency outside ISO 4217.
    """
    try:
        unit = money.minor_unit(currency)
    except InvalidMessage as problem:
        raise InvalidMessage(problem.message, where=where, next_step=problem.next_step, code=problem.code) from None
    found = money.micros(value, where=where, mode="half_up")
    if found < 0:
        raise InvalidMessage(
            "the amount is negative",
            where=where,
            next_step="Send a charge that is taken back as a reversal of that charge.",
            code="invalid_amount",
        )
    return money.round_ratio(found, 1, unit, "half_up")


def csv_number(text: str, where: str) -> Decimal:
    """A decimal as Synthea's CSV writes it; spaces, separators and words are refused (`invalid_amount`)."""
    if not _CSV_NUMBER.fullmatch(text):
        raise InvalidMessage(
            "this is not a decimal number",
            where=where,
            next_step="Write a plain decimal such as 77.49.",
            code="invalid_amount",
        )
    return Decimal(text)


def quantity(value: Any, where: str) -> int:
    """A quantity in millionths, rounded half up; from one millionth up to 1,000,000 (`invalid_quantity`)."""
    number = Decimal(value) if isinstance(value, Decimal | int) and not isinstance(value, bool) else Decimal(0)
    millionths = int((number * UNIT).to_integral_value(ROUND_HALF_UP)) if number < MAX_QUANTITY + 1 else 0
    if not 0 < millionths <= MAX_QUANTITY * UNIT:
        raise InvalidMessage(
            "the quantity is not a number above 0 and at most 1,000,000",
            where=where,
            next_step="Correct the quantity; split a larger one.",
            code="invalid_quantity",
        )
    return millionths
