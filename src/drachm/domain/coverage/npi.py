"""Is this a well-formed National Provider Identifier?

Ten digits, the first 1 or 2, the last a check digit: that of ISO/IEC 7812 (Luhn) over the number with 80840 in front of
it, which says "health, United States" on a card (CMS, "Requirements for National Provider Identifier (NPI) and NPI
check digit", 2004; 45 CFR 162.406). Whether anybody holds the number, only the register of CMS knows.
"""

from __future__ import annotations

import re
from typing import Final

PREFIX: Final = "80840"
_SHAPE: Final = re.compile(r"[12][0-9]{9}", re.ASCII)


def is_npi(text: str) -> bool:
    """Whether the text is ten digits that an NPI may have, check digit included.

    >>> is_npi("1234567893")
    True
    """
    return _SHAPE.fullmatch(text) is not None and check_digit(text[:-1]) == text[-1]


def check_digit(nine: str) -> str:
    """The tenth digit of an NPI that begins with these nine.

    >>> check_digit("123456789")
    '3'
    """
    return str(-luhn_sum(f"{PREFIX}{nine}0") % 10)


def luhn_sum(digits: str) -> int:
    """The sum of ISO/IEC 7812-1 annex B: every second digit from the right doubled, the digits of that added up."""
    sum_ = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 else 1)
        sum_ += value - 9 if value > 9 else value
    return sum_
