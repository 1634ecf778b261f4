"""How many characters does a text message take on its way, and does it fit into one?

3GPP TS 23.038: a text of the GSM 7-bit default alphabet has 160 places in one message; signs of the extension table
take two. One letter outside of both, such as an accented a, and the whole text is sent as UCS-2: 70 places, each a
UTF-16 code unit, so that a sign beyond the basic plane takes two. Longer texts are cut into parts of 153 or 67 (TS
23.040, 9.2.3.24.1), each of them paid for; we send none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Literal, NamedTuple

BASIC: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENSION: Final = frozenset("\f^{}\\[~]|€")
ONE: Final[Mapping[str, int]] = {"GSM-7": 160, "UCS-2": 70}
_PART: Final[Mapping[str, int]] = {"GSM-7": 153, "UCS-2": 67}


class Length(NamedTuple):
    """How long a message is."""

    alphabet: Literal["GSM-7", "UCS-2"]
    places: int
    parts: int

    @property
    def is_one(self) -> bool:
        """Whether it goes out as a single message."""
        return self.parts == 1


def length(text: str) -> Length:
    """The length of a text on its way."""
    if all(sign in BASIC or sign in EXTENSION for sign in text):
        return _length("GSM-7", sum(2 if sign in EXTENSION else 1 for sign in text))
    return _length("UCS-2", len(text.encode("utf-16-be", "surrogatepass")) // 2)


def fitted(forms: Sequence[str], values: Mapping[str, str]) -> str | None:
    """The first of the forms, from the fullest to the shortest, that fits into one message with these values.

    None where none does: nothing is sent in two parts.
    """
    for form in forms:
        text = form.format(**values)
        if length(text).is_one:
            return text
    return None


def _length(alphabet: Literal["GSM-7", "UCS-2"], places: int) -> Length:
    return Length(alphabet, places, 1 if places <= ONE[alphabet] else -(-places // _PART[alphabet]))
