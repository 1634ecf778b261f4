"""How do the values look that many calls share?

A `Shape` comes from a caller and takes nothing it does not know; a `View` goes to one. Both become the schemas of the
OpenAPI document, so what is written here is what is published.
"""

from __future__ import annotations

from typing import Annotated, Any, Generic, TypeVar

import msgspec
from msgspec import Meta

from drachm.adapters import jsonsafe
from drachm.adapters.rest.transport.problems import Fault, Problem, pointer_of
from drachm.domain.errors import InvalidMessage
from drachm.domain.money import MAX_AMOUNT, exponent

Item = TypeVar("Item")


class Shape(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Part of a request."""


class View(msgspec.Struct, kw_only=True):
    """Part of an answer."""


END = r"$(?!\n)"
"""The end of a text: Python's ``$`` alone would let a line feed follow. The OpenAPI document shows it as ``$``."""

Micros = Annotated[int, Meta(ge=-MAX_AMOUNT, le=MAX_AMOUNT, description="Millionths of the currency unit.")]
Currency = Annotated[
    str,
    Meta(pattern="^[A-Z]{3}" + END, description="ISO 4217 code.", extra_json_schema={"x-component": "Currency"}),
]
Name = Annotated[str, Meta(min_length=1, max_length=200)]
Word = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/-]*" + END)]
"""An id given by a caller: visible, without blanks."""
Day = Annotated[
    str,
    Meta(
        pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2}" + END,
        description="Calendar day, YYYY-MM-DD.",
        extra_json_schema={"x-component": "Day"},
    ),
]
Instant = Annotated[
    str,
    Meta(
        max_length=40,
        description="RFC 3339 with seconds and an offset; answers are in UTC with a Z.",
        extra_json_schema={"x-component": "Instant"},
    ),
]
"""`x-component`: what the OpenAPI document says of it more exactly, once for all (`openapi_schemas.SHARED`)."""


NewId = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]*" + END)]
"""A `Word` for a thing that is made here: it becomes part of an address, so it holds no slash."""


class Money(Shape):
    """An amount of one currency."""

    micros: Micros
    currency: Currency


class Page(View, Generic[Item]):
    """A piece of a list. `next` is the cursor of the piece that follows, null at the end."""

    data: list[Item]
    next: str | None


def money(micros: int, currency: str) -> Money:
    """An amount for an answer. Raises `OverflowError` for what a JSON reader could not keep."""
    if not -MAX_AMOUNT <= micros <= MAX_AMOUNT:
        raise OverflowError("the amount does not fit into an exact JSON number")
    return Money(micros=micros, currency=currency)


def known_currency(amount: Money, pointer: str) -> Money:
    """The amount, if ISO 4217 knows its currency; else the `invalid_money` problem."""
    try:
        exponent(amount.currency)
    except InvalidMessage:
        fault = Fault(f"{pointer}/currency", "invalid_money", "the currency is not in ISO 4217")
        raise Problem("invalid_money", faults=[fault]) from None
    return amount


def read_shape(body: bytes, shape: Any) -> Any:
    """A request body as its shape: strict JSON first (`jsonsafe`), then the schema. Raises `Problem` with pointers."""
    value = jsonsafe.loads(body, "$")
    try:
        return msgspec.convert(value, shape, strict=True)
    except msgspec.ValidationError as error:
        raise misfit(error) from None


def misfit(error: msgspec.ValidationError) -> Problem:
    """What does not fit the schema, in our words, with the place but never the value."""
    text, _, place = str(error).partition(" - at `")
    pointer = pointer_of(place.rstrip("`") or "$")
    return Problem("invalid_body", faults=[Fault(pointer, "invalid_body", text.replace("`", ""))])
