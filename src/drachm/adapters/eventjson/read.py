"""Which `ServiceEvent` does this JSON object say?

Unknown keys, missing keys and contradictions are refused with their path; nothing is guessed and nothing is dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, cast

from drachm.adapters.eventjson import fields
from drachm.adapters.eventjson.fields import refusal, required
from drachm.domain.events.model import KINDS, Code, Kind, ServiceEvent

Reader = Callable[[Any, str], Any]

_OPTIONAL: Final[Mapping[str, Reader]] = MappingProxyType(
    {
        "ended_at": fields.instant,
        "modifiers": lambda value, where: _ids(value, where),
        "quantity": fields.quantity,
        "unit": lambda value, where: fields.text(value, where, limit=32),
        "billing_party": fields.reference,
        "rendering_party": fields.reference,
        "site": fields.reference,
        "place_of_service": lambda value, where: place_of_service(value, where),
        "visit": fields.reference,
        "admission": fields.reference,
        "claim": fields.reference,
        "line": fields.reference,
        "authorisation": fields.reference,
        "tax_ppm": lambda value, where: fields.whole(value, where, least=0, most=1_000_000),
        "tax_category": lambda value, where: fields.text(value, where, limit=64),
        "diagnoses": lambda value, where: _ids(value, where),
        "diagnosis_pointers": lambda value, where: _pointers(value, where),
        "replaces": fields.reference,
        "emergency": fields.flag,
        "essential": fields.flag,
        "display": fields.text,
        "facts": fields.facts,
    }
)
REQUIRED: Final = ("source", "event_id", "kind", "member", "code", "currency", "started_at")
KEYS: Final = frozenset((*REQUIRED, "billed", *_OPTIONAL))

REFERRING: Final = ("reversal", "replacement", "stop")


def read_event(value: Any, where: str = "event") -> ServiceEvent:
    """The event that a decoded JSON object says (see docs/reference/event-json.md).

    Raises `InvalidMessage` with the path of the first fault: `missing_field`, `unknown_field`, `wrong_type`,
    `invalid_id`, `invalid_text`, `invalid_time`, `invalid_quantity`, `out_of_range`, `too_many`, `unknown_currency`,
    `currency_mismatch`, `invalid_kind` or `invalid_event` (the fields contradict each other).
    """
    found = fields.object_of(value, where)
    fields.only(found, KEYS, where)
    for key in REQUIRED:
        required(found, key, where)
    currency = fields.currency(found["currency"], f"{where}.currency")
    options = {key: read(found[key], f"{where}.{key}") for key, read in _OPTIONAL.items() if key in found}
    if "billed" in found:
        options["billed"] = fields.amount(found["billed"], f"{where}.billed", currency)
    event = ServiceEvent(
        source=fields.identifier(found["source"], f"{where}.source"),
        event_id=fields.identifier(found["event_id"], f"{where}.event_id"),
        kind=_kind(found["kind"], f"{where}.kind"),
        member=fields.identifier(found["member"], f"{where}.member"),
        code=code_of(found["code"], f"{where}.code"),
        currency=currency,
        started_at=fields.instant(found["started_at"], f"{where}.started_at"),
        **options,
    )
    refuse_contradictions(event, where)
    return event


def _kind(value: Any, where: str) -> Kind:
    if value not in KINDS:
        raise refusal("invalid_kind", f"the kind is not one of {', '.join(KINDS)}", where, "Use one of these words.")
    return cast(Kind, value)


def code_of(value: Any, where: str) -> Code:
    """``{"system": "HCPCS", "value": "G2012"}``."""
    found = fields.object_of(value, where)
    fields.only(found, ("system", "value"), where)
    return Code(
        fields.code_system(required(found, "system", where), f"{where}.system"),
        fields.identifier(required(found, "value", where), f"{where}.value"),
    )


def _ids(value: Any, where: str) -> tuple[str, ...]:
    return tuple(fields.identifier(item, f"{where}[{i}]") for i, item in enumerate(fields.list_of(value, where)))


def _pointers(value: Any, where: str) -> tuple[int, ...]:
    found = fields.list_of(value, where)
    return tuple(fields.whole(item, f"{where}[{i}]", least=1, most=fields.MAX_LIST) for i, item in enumerate(found))


def place_of_service(value: Any, where: str) -> str:
    """A code of the CMS set, or empty text."""
    found = fields.text(value, where, limit=2)
    if found and not (len(found) == 2 and found.isascii() and found.isdigit()):
        raise refusal("invalid_id", "a place of service has two digits", where, "Use the CMS code set, such as 11.")
    return found


def refuse_contradictions(event: ServiceEvent, where: str) -> None:
    """Raise the `InvalidMessage` for fields that do not go together."""
    if event.kind in REFERRING and not event.replaces:
        raise refusal(
            "missing_field", f"a {event.kind} names the event it refers to", f"{where}.replaces", "Add the event id."
        )
    if event.replaces and event.kind not in REFERRING:
        raise refusal("invalid_event", f"a {event.kind} refers to no other event", f"{where}.replaces", "Remove it.")
    if event.replaces == event.event_id:
        raise refusal("invalid_event", "an event cannot refer to itself", f"{where}.replaces", "Name the other event.")
    if event.ended_at is not None and event.ended_at < event.started_at:
        raise refusal("invalid_event", "the end lies before the start", f"{where}.ended_at", "Correct the times.")
    for index, pointer in enumerate(event.diagnosis_pointers):
        if pointer > len(event.diagnoses):
            place = f"{where}.diagnosis_pointers[{index}]"
            raise refusal("invalid_event", "it points behind the last diagnosis", place, "Correct the position.")
