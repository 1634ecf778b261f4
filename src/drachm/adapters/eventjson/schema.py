"""What does a JSON Schema (2020-12) say of an event, as exactly as one can?

Made from the bounds of `fields`, so neither can change alone. A schema cannot compare two values; only these refusals
of `read_event` are left to the reader: a day that the month does not have, an end before the start, an amount in
another currency than the event, a pointer behind the last diagnosis, an event that refers to itself.
"""

from __future__ import annotations

from typing import Any, Final

from drachm.adapters.eventjson import fields
from drachm.adapters.eventjson.read import REFERRING, REQUIRED
from drachm.domain.events.model import KINDS
from drachm.domain.money import CURRENCIES, MAX_AMOUNT

Schema = dict[str, Any]

# The control characters that `fields.text` refuses; a lone surrogate cannot stand in UTF-8 at all.
PLAIN: Final = r"^[^\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]*$"
SYSTEM: Final = r"^[A-Za-z][A-Za-z0-9._:#/?&=%+~-]*$"
FACT_NAME: Final = "^[a-z][a-z0-9_]{0,63}$"
# Above 0 and at most 1,000,000: the zeros are excluded by what may not follow, the rest by its digits.
QUANTITY: Final = r"^(?!0+(\.0+)?$)([0-9]{1,6}(\.[0-9]{1,6})?|0[0-9]{6}(\.[0-9]{1,6})?|1000000(\.0{1,6})?)$"

# No leap second, at most microseconds, and no offset that says "not known" (RFC 3339 section 4.3).
INSTANT: Final = (
    r"^(19|2[01])[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
    r"(\.[0-9]{1,6})?(Z|(?!-00:00)[+-]([01][0-9]|2[0-3]):[0-5][0-9])$"
)

_WORDS: Final = {
    "source": "The sending system.",
    "event_id": "The sender's id of this event, unique within `source`, never used again.",
    "kind": "charge: delivered care. hold: a request that reserves money. reversal, replacement, stop: of `replaces`.",
    "member": "Member id.",
    "code": "What was done, in whose code system.",
    "currency": "ISO 4217, of every amount in the event.",
    "started_at": "RFC 3339 with offset, years 1900 to 2199, at most microseconds.",
    "ended_at": "Not before `started_at`.",
    "quantity": "A decimal in text, above 0 and at most 1,000,000.",
    "unit": "each, minute, mL, day ...",
    "billed": "The asked amount of the whole line; without it the price book says.",
    "billing_party": "The provider that is paid.",
    "rendering_party": "The practitioner.",
    "site": "The place; decides locality and facility level.",
    "place_of_service": "Two digits of the CMS code set, or empty.",
    "authorisation": "The payer's reference, empty when there is none.",
    "diagnoses": "Codes, most important first.",
    "diagnosis_pointers": "1-based positions in `diagnoses` that this line treats.",
    "replaces": "`event_id` (same source) that a reversal, replacement or stop refers to.",
    "display": "Plain words for the receipt.",
    "facts": "What else the source says: texts, whole numbers (money in micros), flags.",
}


def event_schema(currency: Schema | None = None) -> Schema:
    """The schema of one event. `currency`: a reference to use instead of the list of currencies."""
    identifier = {"type": "string", "minLength": 1, "maxLength": fields.MAX_ID, "pattern": f"^{fields.ID}$"}
    reference = {"type": "string", "maxLength": fields.MAX_ID, "pattern": f"^({fields.ID})?$"}
    money_code = currency or {"type": "string", "enum": list(CURRENCIES)}
    text = {"type": "string", "maxLength": fields.MAX_TEXT, "pattern": PLAIN}
    instant = {"type": "string", "format": "date-time", "pattern": INSTANT}
    number = {"type": "integer", "minimum": -MAX_AMOUNT, "maximum": MAX_AMOUNT}
    properties: dict[str, Schema] = {
        "source": identifier,
        "event_id": identifier,
        "kind": {"type": "string", "enum": list(KINDS)},
        "member": identifier,
        "code": _object({"system": {**identifier, "pattern": SYSTEM}, "value": identifier}),
        "currency": money_code,
        "started_at": instant,
        "ended_at": instant,
        "modifiers": _list(identifier),
        "quantity": {"type": "string", "maxLength": 14, "pattern": QUANTITY},
        "unit": {**text, "maxLength": 32},
        "billed": _object({"micros": {"type": "integer", "minimum": 0, "maximum": MAX_AMOUNT}, "currency": money_code}),
        **dict.fromkeys(("billing_party", "rendering_party", "site"), reference),
        "place_of_service": {"type": "string", "maxLength": 2, "pattern": "^([0-9]{2})?$"},
        **dict.fromkeys(("visit", "admission", "claim", "line", "authorisation"), reference),
        "tax_ppm": {"type": "integer", "minimum": 0, "maximum": 1_000_000},
        "tax_category": {**text, "maxLength": 64},
        "diagnoses": _list(identifier),
        "diagnosis_pointers": _list({"type": "integer", "minimum": 1, "maximum": fields.MAX_LIST}),
        "replaces": reference,
        "emergency": {"type": "boolean"},
        "essential": {"type": "boolean"},
        "display": text,
        "facts": {
            "type": "object",
            "maxProperties": fields.MAX_FACTS,
            "propertyNames": {"type": "string", "maxLength": 64, "pattern": FACT_NAME},
            "additionalProperties": {"anyOf": [text, number, {"type": "boolean"}]},
        },
    }
    for name, words in _WORDS.items():
        properties[name] = {**properties[name], "description": words}
    return {
        "title": "ServiceEvent",
        "description": "One moment of care as its source reports it; one event is one line.",
        **_object(properties, REQUIRED),
        # What refers to another event names it; what does not, names none.
        "if": {"required": ["kind"], "properties": {"kind": {"enum": list(REFERRING)}}},
        "then": {"required": ["replaces"], "properties": {"replaces": {"minLength": 1}}},
        "else": {"properties": {"replaces": {"maxLength": 0}}},
    }


def _object(properties: dict[str, Schema], required: tuple[str, ...] | None = None) -> Schema:
    names = list(properties if required is None else required)
    return {"type": "object", "properties": properties, "required": names, "additionalProperties": False}


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items, "maxItems": fields.MAX_LIST}
