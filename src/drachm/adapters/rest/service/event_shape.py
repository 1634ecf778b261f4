"""How does a service event look in a request?

The published shape of what `adapters/eventjson` reads (docs/reference/event-json.md); a test holds the two together.
Bodies of events are read by `eventjson` itself, which also refuses what a schema cannot say. Calls that make an event
of what they are told (a correction, a service asked about, a case of a price book) take its fields by the types here:
what fits their schema fits the reader.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType

from drachm.adapters.eventjson import schema
from drachm.adapters.eventjson.fields import ID, MAX_FACTS, MAX_ID, MAX_LIST, MAX_TEXT
from drachm.adapters.rest.service.shapes import END, Currency, Instant, Money, Shape
from drachm.domain.money import MAX_AMOUNT


def _whole(pattern: str) -> str:
    """A pattern of the event's own schema, as Python reads it: no line feed may follow."""
    return pattern.removesuffix("$") + END


_PLAIN = _whole(schema.PLAIN)
Reference = Annotated[str, Meta(min_length=1, max_length=MAX_ID, pattern=f"^{ID}{END}")]
"""An id that a caller gives, of anything."""
Named = Annotated[str, Meta(max_length=MAX_ID, pattern=f"^({ID})?{END}")]
"""The same, or empty: nothing is named."""
Code = Reference
Codes = Annotated[list[Code], Meta(max_length=MAX_LIST)]
Quantity = Annotated[
    str,
    Meta(max_length=14, pattern=_whole(schema.QUANTITY), description="A decimal in text, above 0, at most 1000000."),
]
Unit = Annotated[str, Meta(max_length=32, pattern=_PLAIN)]
Fact = (
    Annotated[str, Meta(max_length=MAX_TEXT, pattern=_PLAIN)]
    | Annotated[int, Meta(ge=-MAX_AMOUNT, le=MAX_AMOUNT)]
    | bool
)
Facts = Annotated[
    dict[Annotated[str, Meta(max_length=64, pattern=_whole(schema.FACT_NAME))], Fact], Meta(max_length=MAX_FACTS)
]
PlaceOfService = Annotated[str, Meta(max_length=2, pattern="^([0-9]{2})?" + END)]
Display = Annotated[str, Meta(max_length=MAX_TEXT, pattern=_PLAIN)]
TaxCategory = Annotated[str, Meta(max_length=64, pattern=_PLAIN)]
Pointers = Annotated[list[Annotated[int, Meta(ge=1, le=MAX_LIST)]], Meta(max_length=MAX_LIST)]


class EventCode(Shape):
    """What was done, in a code system."""

    system: Annotated[str, Meta(min_length=1, max_length=MAX_ID, pattern=_whole(schema.SYSTEM))]
    value: Code


class AskedAmount(Money):
    """An amount of 0 or more."""

    micros: Annotated[int, Meta(ge=0, le=MAX_AMOUNT)]


class ServiceEventShape(Shape):
    """One line of care that was given, or something that refers to one."""

    source: Annotated[Reference, Meta(description="The sending system.")]
    event_id: Annotated[Reference, Meta(description="The sender's id of this event, never used again.")]
    kind: Literal["charge", "reversal", "replacement", "hold", "stop"]
    member: Reference
    code: EventCode
    currency: Currency
    started_at: Instant
    ended_at: Instant | UnsetType = UNSET
    modifiers: Codes | UnsetType = UNSET
    quantity: Quantity | UnsetType = UNSET
    unit: Unit | UnsetType = UNSET
    billed: AskedAmount | UnsetType = UNSET
    billing_party: Annotated[Named, Meta(description="Who is paid: a party of the caller's.")] = ""
    rendering_party: Named = ""
    site: Named = ""
    place_of_service: PlaceOfService = ""
    visit: Named = ""
    admission: Named = ""
    claim: Named = ""
    line: Named = ""
    authorisation: Named = ""
    tax_ppm: Annotated[int, Meta(ge=0, le=1_000_000)] | UnsetType = UNSET
    tax_category: TaxCategory = ""
    diagnoses: Codes | UnsetType = UNSET
    diagnosis_pointers: Pointers | UnsetType = UNSET
    replaces: Annotated[
        Named, Meta(description="Event that a reversal, replacement or stop refers to; else empty.")
    ] = ""
    emergency: bool = False
    essential: bool = False
    display: Display = ""
    facts: Facts | UnsetType = UNSET
