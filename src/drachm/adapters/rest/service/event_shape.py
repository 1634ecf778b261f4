"""How does a service event look in a request?

The published shape of what `adapters/eventjson` reads (docs/reference/event-json.md); a test holds the two together.
Bodies of events are read by `eventjson` itself, which also refuses what a schema cannot say.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType

from drachm.adapters.rest.service.shapes import END, Currency, Instant, Money, Shape
from drachm.domain.money import MAX_AMOUNT

Reference = Annotated[str, Meta(min_length=1, max_length=200)]
Code = Annotated[str, Meta(min_length=1, max_length=200)]
Quantity = Annotated[
    str, Meta(pattern=r"^[0-9]{1,7}(\.[0-9]{1,6})?" + END, description="A decimal in text, above 0, at most 1000000.")
]
Fact = Annotated[str, Meta(max_length=500)] | Annotated[int, Meta(ge=-MAX_AMOUNT, le=MAX_AMOUNT)] | bool


class EventCode(Shape):
    """What was done, in a code system."""

    system: Code
    value: Code


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
    modifiers: list[Code] | UnsetType = UNSET
    quantity: Quantity | UnsetType = UNSET
    unit: Annotated[str, Meta(max_length=32)] | UnsetType = UNSET
    billed: Money | UnsetType = UNSET
    billing_party: Annotated[str, Meta(max_length=200, description="Who is paid: a party of the caller's.")] = ""
    rendering_party: Annotated[str, Meta(max_length=200)] = ""
    site: Annotated[str, Meta(max_length=200)] = ""
    place_of_service: Annotated[str, Meta(pattern="^([0-9]{2})?" + END)] = ""
    visit: Annotated[str, Meta(max_length=200)] = ""
    admission: Annotated[str, Meta(max_length=200)] = ""
    claim: Annotated[str, Meta(max_length=200)] = ""
    line: Annotated[str, Meta(max_length=200)] = ""
    authorisation: Annotated[str, Meta(max_length=200)] = ""
    tax_ppm: Annotated[int, Meta(ge=0, le=1_000_000)] | UnsetType = UNSET
    tax_category: Annotated[str, Meta(max_length=64)] = ""
    diagnoses: list[Code] | UnsetType = UNSET
    diagnosis_pointers: list[Annotated[int, Meta(ge=1)]] | UnsetType = UNSET
    replaces: Annotated[
        str, Meta(max_length=200, description="Event that a reversal, replacement or stop refers to; else empty.")
    ] = ""
    emergency: bool = False
    essential: bool = False
    display: Annotated[str, Meta(max_length=500)] = ""
    facts: dict[str, Fact] | UnsetType = UNSET
