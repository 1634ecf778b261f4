"""How does Stripe count money? In the smallest unit of a currency, with exceptions of its own.

Source: Stripe's documentation, "Supported currencies": zero-decimal currencies, three-decimal currencies whose last
digit must be 0, and the special cases ISK and UGX, which are written with two decimals that must be 00.
"""

from __future__ import annotations

from typing import Final

from drachm.domain.errors import InvalidMessage
from drachm.domain.money import MICROS, exponent

ZERO: Final = frozenset(
    ["BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF"]
)
THREE: Final = frozenset(["BHD", "JOD", "KWD", "OMR", "TND"])
WHOLE: Final = frozenset(["ISK", "UGX"])


def to_stripe(micros: int, currency: str) -> int:
    """An amount as Stripe writes it.

    Raises `InvalidMessage` for one that Stripe cannot move exactly.

    >>> to_stripe(25_000_000, "USD"), to_stripe(500_000_000, "JPY"), to_stripe(5_000_000, "ISK")
    (2500, 500, 500)
    """
    exponent(currency)
    unit, step = _steps(currency)
    if micros % step:
        raise InvalidMessage(
            f"Stripe moves {currency} in steps of {step} micros",
            where="amount",
            next_step="Round the amount; the rest stays in the books.",
            code="invalid_amount",
        )
    return micros // unit


def from_stripe(amount: int, currency: str) -> int:
    """Micros of an amount that Stripe told."""
    unit, _ = _steps(currency)
    return amount * unit


def _steps(currency: str) -> tuple[int, int]:
    """(micros in one of Stripe's units, micros in the smallest amount that it moves)."""
    if currency in ZERO:
        return MICROS, MICROS
    if currency in THREE:
        return MICROS // 1_000, MICROS // 100
    return MICROS // 100, MICROS if currency in WHOLE else MICROS // 100
