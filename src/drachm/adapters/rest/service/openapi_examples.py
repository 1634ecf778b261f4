"""What would a request or an answer look like? One valid example for every schema, made from it.

The words come from a small town that the documents use everywhere; where a schema has a pattern that no word fits, the
making stops, so an example is never wrong without anybody seeing it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from drachm.adapters.rest.service.openapi_schemas import PREFIX
from drachm.domain.errors import ensure

Schema = dict[str, Any]

EVENT: Final = {
    "source": "clinic-a",
    "event_id": "visit-4711-1",
    "kind": "charge",
    "member": "ana",
    "code": {"system": "local", "value": "visit"},
    "currency": "USD",
    "started_at": "2026-01-31T14:02:00Z",
    "billed": {"micros": 40_000_000, "currency": "USD"},
    "billing_party": "clinic",
    "visit": "visit-4711",
    "display": "Video visit",
}

_WHOLE: Final[dict[str, Any]] = {
    "ServiceEvent": EVENT,
    "Money": {"micros": 3_200_000, "currency": "USD"},
    "Currency": "USD",
    "Day": "2026-01-31",
    "Instant": "2026-01-31T14:02:00Z",
}
"""Components with an example of their own."""

_NAMED: Final[dict[str, Any]] = {
    "member": "ana",
    "member_id": "ana",
    "members": ["ana"],
    "provider": "clinic",
    "billing_party": "clinic",
    "party": "clinic",
    "parties": ["clinic"],
    "payer": "town-insurance",
    "funder": "town-fund",
    "plan": "town-plan",
    "family": "family-1",
    "npi": "1234567893",
    "currency": "USD",
    "zone": "America/New_York",
    "time_zone": "America/New_York",
    "country": "US",
    "name": "Town clinic",
    "display": "Video visit",
    "status": "posted",
    "next": None,
    "reason": "",
    "message": "",
    "next_step": "",
    "receipt": "rcp_00000000000060000000000000",
    "source": "clinic-a",
    "event_id": "visit-4711-1",
}
"""Words for fields of these names, where they fit."""
_WORDS: Final = (
    "clinic", "visit-4711", "visit", "a", "2026-01-31", "2026-01-31T14:02:00Z", "10", "12", "USD", "US", "each",
    "1234567893", "021000021", "US12345678", "GB82WEST12345698765432", "DEUTDEFF", "ana@example.org", "+15555550100",
    "America/New_York", "a" * 16, "a" * 32, "0" * 64, "/v1/me", "rcp_00000000000060000000000000", "+00:00", "TOWN-1",
)  # fmt: skip


def example_of(schema: Schema, components: Mapping[str, Schema], name: str = "") -> Any:
    """One value that fits the schema; the same for the same schema, always."""
    if "$ref" in schema:
        component = schema["$ref"].removeprefix(PREFIX)
        return _WHOLE[component] if component in _WHOLE else example_of(components[component], components, name)
    for key in ("examples", "enum"):
        if key in schema:
            return _NAMED[name] if name in _NAMED and _NAMED[name] in schema[key] else schema[key][0]
    if "const" in schema:
        return schema["const"]
    for key in ("anyOf", "oneOf"):
        if key in schema:
            return _of_many(schema[key], components, name)
    return _of_kind(schema, components, name)


def _of_many(choices: list[Schema], components: Mapping[str, Schema], name: str) -> Any:
    plain = [choice for choice in choices if choice.get("type") != "null"]
    return None if name == "next" else example_of(plain[0], components, name)


def _of_kind(schema: Schema, components: Mapping[str, Schema], name: str) -> Any:
    kind = schema.get("type")
    if kind == "object":
        return _object(schema, components)
    if kind == "array":
        return _array(schema, components, name)
    if kind == "integer":
        return max(schema.get("minimum", 1), min(1, schema.get("maximum", 1)))
    if kind == "number":
        return schema.get("minimum", 0.5)
    if kind == "boolean":
        return bool(schema.get("default", False))
    if kind == "null":
        return None
    return _text(schema, name) if kind == "string" else {}


def _object(schema: Schema, components: Mapping[str, Schema]) -> Any:
    required = set(schema.get("required", ()))
    properties = schema.get("properties", {})
    # An optional field may be there by choice of the caller: an example shows what is needed.
    found = {
        name: example_of(part, components, name)
        for name, part in properties.items()
        if name in required or (name in _NAMED and name != "members")
    }
    if not properties and schema.get("minProperties"):
        found["a"] = example_of(schema.get("additionalProperties") or {"type": "string"}, components, "a")
    return found


def _array(schema: Schema, components: Mapping[str, Schema], name: str) -> list[Any]:
    if "prefixItems" in schema:
        return [example_of(part, components, name) for part in schema["prefixItems"]]
    items = schema.get("items")
    if not items or schema.get("maxItems") == 0:
        return []
    return [example_of(items, components, name.removesuffix("s"))] * max(1, schema.get("minItems", 1))


def _text(schema: Schema, name: str) -> str:
    by_format = {"date": "2026-01-31", "date-time": "2026-01-31T14:02:00Z", "uri": "https://town.example/"}
    wished = _NAMED.get(name)
    words = [*([wished] if isinstance(wished, str) else []), *_WORDS]
    if schema.get("format") in by_format:
        return by_format[schema["format"]]
    for word in words:
        if _fits(word, schema):
            return word
    ensure(False, "no example fits the pattern; give the field one", where=f"{name} {schema.get('pattern')}")
    return ""


def _fits(word: str, schema: Schema) -> bool:
    # Patterns are ECMA 262 that Python reads alike, as the words end in no line feed.
    long_enough = schema.get("minLength", 0) <= len(word) <= schema.get("maxLength", len(word))
    return long_enough and re.search(schema.get("pattern", ""), word) is not None
