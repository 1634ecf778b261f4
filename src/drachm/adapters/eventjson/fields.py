"""What may stand in one field of an event, and what is said when it does not fit?

Each reader takes the value and its place and returns the domain value, or raises `InvalidMessage` naming that place.
"""

from __future__ import annotations

import re
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from drachm.domain import money, periods
from drachm.domain.errors import InvalidMessage
from drachm.domain.events.model import UNIT, Fact

MAX_ID: Final = 200
MAX_TEXT: Final = 500
MAX_LIST: Final = 50
MAX_FACTS: Final = 100
MAX_QUANTITY: Final = 1_000_000 * UNIT

ID: Final = r"[A-Za-z0-9][A-Za-z0-9._:#/|@+=~*^-]*"
INSTANT: Final = re.compile(
    r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,6})?(?:Z|(?!-00:00)[+-]\d{2}:\d{2})", re.ASCII
)

_ID: Final = re.compile(ID, re.ASCII)
_SYSTEM: Final = re.compile(r"[A-Za-z][A-Za-z0-9._:#/?&=%+~-]*", re.ASCII)
_FACT_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,63}", re.ASCII)
_CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Besides controls: what turns the direction of the words beside it (explicit formatting of Unicode Annex 9)."""
_QUANTITY: Final = re.compile(r"\d{1,7}(?:\.\d{1,6})?", re.ASCII)


def refusal(code: str, message: str, where: str, next_step: str = "") -> InvalidMessage:
    return InvalidMessage(message, where=where, next_step=next_step, code=code)


def object_of(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _wrong_type(value, "an object", where)
    return value


def list_of(value: Any, where: str) -> list[Any]:
    if not isinstance(value, list):
        raise _wrong_type(value, "an array", where)
    if len(value) > MAX_LIST:
        raise refusal("too_many", f"there are more than {MAX_LIST} entries", where)
    return value


def text(value: Any, where: str, *, limit: int = MAX_TEXT) -> str:
    """Plain words without control characters, those of the writing direction among them; may be empty."""
    if not isinstance(value, str):
        raise _wrong_type(value, "text", where)
    if len(value) > limit:
        raise refusal("invalid_text", f"the text has more than {limit} characters", where, "Shorten the text.")
    if _CONTROL.search(value):
        raise refusal("invalid_text", "the text holds a control character", where, "Remove the character.")
    return value


def identifier(value: Any, where: str) -> str:
    """An id of ASCII letters, digits and ``. _ : # / | @ + = ~ * ^ -``, the first a letter or digit; not empty."""
    found = text(value, where, limit=MAX_ID)
    if not _ID.fullmatch(found):
        raise refusal(
            "invalid_id", "the id is empty or holds a character that ids may not hold", where,
            "Use ASCII letters, digits and . _ : # / | @ + = ~ * ^ - without spaces.",
        )  # fmt: skip
    return found


def reference(value: Any, where: str) -> str:
    """An id, or empty text for "none"."""
    return "" if value == "" else identifier(value, where)


def code_system(value: Any, where: str) -> str:
    """A name or URI of a code system: ``HCPCS``, ``http://snomed.info/sct``, ``local``."""
    found = text(value, where, limit=MAX_ID)
    if not _SYSTEM.fullmatch(found):
        raise refusal("invalid_id", "this is not the name of a code system", where, "Use a word or a URI.")
    return found


def flag(value: Any, where: str) -> bool:
    if not isinstance(value, bool):
        raise _wrong_type(value, "true or false", where)
    return value


def whole(value: Any, where: str, *, least: int, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise _wrong_type(value, "a whole number", where)
    if not least <= value <= most:
        raise refusal("out_of_range", f"the number lies outside {least} to {most}", where, "Correct the number.")
    return value


def instant(value: Any, where: str) -> datetime:
    """An RFC 3339 instant with offset, at most microseconds, years 1900 to 2199; returned in UTC."""
    if not isinstance(value, str):
        raise _wrong_type(value, "text", where)
    if value.endswith("-00:00"):
        # RFC 3339 section 4.3. The rest of the interface refuses it too.
        raise refusal("invalid_time", "the offset -00:00 says that the offset is not known", where, "Write Z for UTC.")
    if not INSTANT.fullmatch(value):
        raise refusal("invalid_time", "this is not an RFC 3339 time", where, "Use a form such as 2025-01-31T14:02:00Z.")
    return periods.read_instant(value, where=where)


def currency(value: Any, where: str) -> str:
    """An ISO 4217 code that `money` knows."""
    if not isinstance(value, str):
        raise _wrong_type(value, "text", where)
    try:
        money.exponent(value)
    except InvalidMessage as problem:
        raise refusal(problem.code, problem.message, where, problem.next_step) from None
    return value


def amount(value: Any, where: str, expected_currency: str) -> int:
    """``{"micros": n, "currency": "USD"}`` with 0 <= n <= 2^53 - 1 in the event's own currency."""
    found = object_of(value, where)
    only(found, ("micros", "currency"), where)
    micros = whole(required(found, "micros", where), f"{where}.micros", least=0, most=money.MAX_AMOUNT)
    if currency(required(found, "currency", where), f"{where}.currency") != expected_currency:
        raise refusal(
            "currency_mismatch", "the amount is not in the event's currency", f"{where}.currency",
            "Write every amount of an event in its currency.",
        )  # fmt: skip
    return micros


def quantity(value: Any, where: str) -> int:
    """A decimal in text, above 0 and up to 1,000,000, at most six decimals; returned in millionths."""
    if not isinstance(value, str):
        raise _wrong_type(value, "a decimal in text", where, 'Write it as text, such as "1.5".')
    if not _QUANTITY.fullmatch(value):
        raise refusal(
            "invalid_quantity", "the quantity is not a plain decimal", where,
            'Write at most seven digits before and six after the point, such as "1.5".',
        )  # fmt: skip
    millionths = int(Decimal(value) * UNIT)
    if not 0 < millionths <= MAX_QUANTITY:
        raise refusal(
            "invalid_quantity", "the quantity is not above 0 and at most 1,000,000", where, "Correct the quantity."
        )
    return millionths


def facts(value: Any, where: str) -> dict[str, Fact]:
    """Names in lower case with texts, whole numbers (money in micros) and flags."""
    found = object_of(value, where)
    if len(found) > MAX_FACTS:
        raise refusal("too_many", f"there are more than {MAX_FACTS} facts", where)
    return {fact_name(name, where): _fact(item, f"{where}.{name[:64]}") for name, item in found.items()}


def required(holder: dict[str, Any], key: str, where: str) -> Any:
    if key not in holder:
        raise refusal("missing_field", "this field is required", f"{where}.{key}", "Add the field.")
    return holder[key]


def only(holder: dict[str, Any], keys: tuple[str, ...] | frozenset[str], where: str) -> None:
    """Refuse a key that nobody would read: silence would lose what the sender meant."""
    for key in holder:
        if key not in keys:
            raise refusal("unknown_field", "this field is not known", f"{where}.{key[:64]}", "Remove or rename it.")


def fact_name(name: str, where: str) -> str:
    if not _FACT_NAME.fullmatch(name):
        raise refusal(
            "invalid_id", "a fact's name is not lower-case letters, digits and _", f"{where}.{name[:64]}", "Rename it."
        )
    return name


def _fact(value: Any, where: str) -> Fact:
    if isinstance(value, str):
        return text(value, where)
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return whole(value, where, least=-money.MAX_AMOUNT, most=money.MAX_AMOUNT)
    raise _wrong_type(value, "text, a whole number or a flag", where)


def _wrong_type(value: Any, wanted: str, where: str, next_step: str = "") -> InvalidMessage:
    found = {
        dict: "an object",
        list: "an array",
        str: "text",
        bool: "a flag",
        int: "a whole number",
        Decimal: "a decimal",
    }
    message = f"{wanted} is expected here, not {found.get(type(value), 'null')}"
    return refusal("wrong_type", message, where, next_step or f"Write {wanted}.")
