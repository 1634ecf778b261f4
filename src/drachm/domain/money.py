"""How much, exactly?

Money is an `int` of micro-units: 10^-6 of one unit of its currency (1 USD = 1_000_000). Rates are parts per million.
This is the only module that rounds. Nothing here accepts or returns a float.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Final, Literal

from drachm.domain.errors import InvalidMessage

MICROS: Final = 1_000_000
"""Micro-units in one currency unit, and parts per million in a whole."""

MAX_AMOUNT: Final = 2**53 - 1
"""Largest amount of one event, in micros: the largest integer every JSON reader keeps exactly (RFC 8259 section 6)."""

RoundingMode = Literal["half_up", "half_down", "half_even", "up", "down"]

# ISO 4217 list one: minor-unit exponents other than 2. CLDR's cash habits differ (IQD 0 there, 3 here), so Babel is
# never asked for this.
_EXPONENTS: Final = {
    "BHD": 3, "BIF": 0, "CLF": 4, "CLP": 0, "DJF": 0, "GNF": 0, "IQD": 3, "ISK": 0, "JOD": 3, "JPY": 0, "KMF": 0,
    "KRW": 0, "KWD": 3, "LYD": 3, "OMR": 3, "PYG": 0, "RWF": 0, "TND": 3, "UGX": 0, "UYI": 0, "UYW": 4, "VND": 0,
    "VUV": 0, "XAF": 0, "XOF": 0, "XPF": 0,
}  # fmt: skip
_TWO_DECIMALS: Final = frozenset([
    "AED", "AFN", "ALL", "AMD", "AOA", "ARS", "AUD", "AWG", "AZN", "BAM", "BBD", "BDT", "BMD", "BND", "BOB", "BOV",
    "BRL", "BSD", "BTN", "BWP", "BYN", "BZD", "CAD", "CDF", "CHE", "CHF", "CHW", "CNY", "COP", "COU", "CRC", "CUP",
    "CVE", "CZK", "DKK", "DOP", "DZD", "EGP", "ERN", "ETB", "EUR", "FJD", "FKP", "GBP", "GEL", "GHS", "GIP", "GMD",
    "GTQ", "GYD", "HKD", "HNL", "HTG", "HUF", "IDR", "ILS", "INR", "IRR", "JMD", "KES", "KGS", "KHR", "KPW", "KYD",
    "KZT", "LAK", "LBP", "LKR", "LRD", "LSL", "MAD", "MDL", "MGA", "MKD", "MMK", "MNT", "MOP", "MRU", "MUR", "MVR",
    "MWK", "MXN", "MXV", "MYR", "MZN", "NAD", "NGN", "NIO", "NOK", "NPR", "NZD", "PAB", "PEN", "PGK", "PHP", "PKR",
    "PLN", "QAR", "RON", "RSD", "RUB", "SAR", "SBD", "SCR", "SDG", "SEK", "SGD", "SHP", "SLE", "SOS", "SRD", "SSP",
    "STN", "SVC", "SYP", "SZL", "THB", "TJS", "TMT", "TOP", "TRY", "TTD", "TWD", "TZS", "UAH", "USD", "USN", "UYU",
    "UZS", "VED", "VES", "WST", "XCD", "XCG", "YER", "ZAR", "ZMW", "ZWG", "XXX", "XTS",
])  # fmt: skip

CURRENCIES: Final = tuple(sorted({*_EXPONENTS, *_TWO_DECIMALS}))
"""Every code that `exponent` knows."""


# The JSON number grammar (RFC 8259 section 6) with an optional plus: no spaces, underscores or other scripts' digits.
_DECIMAL: Final = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,6})?")


def exponent(currency: str) -> int:
    """Decimals of the currency's minor unit by ISO 4217; `InvalidMessage` for an unknown code."""
    if currency in _TWO_DECIMALS:
        return 2
    try:
        return _EXPONENTS[currency]
    except KeyError:
        raise InvalidMessage(
            f"unknown currency {currency[:12]!r}",
            where="currency",
            next_step="Use an ISO 4217 code in capitals, such as USD.",
            code="unknown_currency",
        ) from None


def minor_unit(currency: str) -> int:
    """Micros in the smallest payable unit of a currency: USD 10_000, JPY 1_000_000, KWD 1_000."""
    return int(10 ** (6 - exponent(currency)))


def round_ratio(numerator: int, denominator: int, unit: int, mode: RoundingMode = "half_up") -> int:
    """`numerator / denominator` rounded to a multiple of `unit`; the one place where money is rounded.

    `half_up` rounds halves away from zero, `half_down` toward it, `half_even` to the even multiple; `up` rounds
    everything away from zero, `down` toward it.
    `denominator` and `unit` are positive.
    """
    sign = -1 if numerator < 0 else 1
    step = denominator * unit
    whole, rest = divmod(abs(numerator), step)
    if mode == "half_up":
        whole += 2 * rest >= step
    elif mode == "half_down":
        whole += 2 * rest > step
    elif mode == "up":
        whole += rest > 0
    elif mode == "half_even":
        whole += 2 * rest > step or (2 * rest == step and whole % 2 == 1)
    return sign * whole * unit


def portion(base: int, ppm: int, unit: int, mode: RoundingMode = "half_up") -> int:
    """`ppm` parts per million of `base`, rounded to a multiple of `unit` micros."""
    return round_ratio(base * ppm, MICROS, unit, mode)


def split(amount: int, weights: Sequence[int], unit: int = 1) -> list[int]:
    """Split `amount` in proportion to `weights` without losing a micro (largest remainder; ties to the first).

    Parts are multiples of `unit` except that the first receives what `amount` has below one unit. All-zero or empty
    weights give everything to the first part. Negative weights are refused by `ValueError`.

    >>> split(100, [1, 1, 1])
    [34, 33, 33]
    """
    if not weights or min(weights) < 0:
        raise ValueError("weights must be non-negative and at least one")
    sign = -1 if amount < 0 else 1
    units, below = divmod(abs(amount), unit)
    total = sum(weights)
    if total == 0:
        return [amount] + [0] * (len(weights) - 1)
    parts = [units * weight // total for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda i: (-(units * weights[i] % total), i))
    for i in by_remainder[: units - sum(parts)]:
        parts[i] += 1
    micros = [sign * part * unit for part in parts]
    micros[0] += sign * below
    return micros


def micros(text: str | int | Decimal, *, where: str = "amount", mode: RoundingMode | None = None) -> int:
    """Read a decimal amount as micros. Finer than a micro: refused, unless `mode` says how to round.

    Raises `InvalidMessage` (`invalid_amount`) for anything that is not a finite decimal of at most 40 characters or
    whose size passes `MAX_AMOUNT`; a float is refused by type.
    """
    if isinstance(text, bool) or not isinstance(text, (str, int, Decimal)):
        raise _bad_amount("is not a decimal", where)
    if isinstance(text, str):
        if len(text) > 40:
            raise _bad_amount("has more than 40 characters", where)
        if not _DECIMAL.fullmatch(text):
            raise _bad_amount("is not a decimal", where)
    value = Decimal(text)
    if not value.is_finite():
        raise _bad_amount("is not finite", where)
    exponent_of_last_digit = value.as_tuple().exponent
    if isinstance(exponent_of_last_digit, int) and exponent_of_last_digit < -40:
        raise _bad_amount("has more than forty decimals", where)
    if value and value.adjusted() > 12:
        raise _bad_amount("is beyond 9,007,199,254.740991", where)
    numerator, denominator = value.as_integer_ratio()
    whole, rest = divmod(numerator * MICROS, denominator)
    if rest:
        if mode is None:
            raise _bad_amount("has more than six decimals", where)
        whole = round_ratio(numerator * MICROS, denominator, 1, mode)
    if abs(whole) > MAX_AMOUNT:
        raise _bad_amount("is beyond 9,007,199,254.740991", where)
    return whole


def plain(amount: int, currency: str = "") -> str:
    """Micros as a plain decimal with at least the currency's decimals and no more than needed: 12_500 -> ``0.0125``."""
    digits = exponent(currency) if currency else 2
    whole, below = divmod(abs(amount), MICROS)
    fraction = f"{below:06d}".rstrip("0").ljust(digits, "0")
    sign = "-" if amount < 0 else ""
    return f"{sign}{whole}.{fraction}" if fraction else f"{sign}{whole}"


def _bad_amount(problem: str, where: str) -> InvalidMessage:
    return InvalidMessage(
        f"the amount {problem}",
        where=where,
        next_step="Send a decimal such as 12.50, at most six decimals, no exponent beyond twelve digits.",
        code="invalid_amount",
    )
