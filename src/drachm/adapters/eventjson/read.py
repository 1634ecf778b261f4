"""Which `ServiceEvent` does this JSON object say?

Unknown keys, missing keys and contradictions are refused with their path; nothing is guessed and nothing is dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, cast

from drachm.adapters import jsonsafe
from drachm.adapters.eventjson import fields
from drachm.adapters.eventjson.fields import refusal, required
from drachm.domain.errors import DrachmError, InvalidMessage
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
        "place_of_service": lambda value, where: _place_of_service(value, where),
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

_REFERRING: Final = ("reversal", "replacement", "stop")


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
        code=_code(found["code"], f"{where}.code"),
        currency=currency,
        started_at=fields.instant(found["started_at"], f"{where}.started_at"),
        **options,
    )
    _refuse_contradictions(event, where)
    return event


def read_file(path: Path) -> Iterator[ServiceEvent | DrachmError]:
    """The events of a ``.json`` file (one object or an array) or an ``.ndjson`` file, either may be gzip.

    A faulty event, line or array element is yielded as the error that names its place, and the reading goes on.
    """
    where = path.name
    try:
        with jsonsafe.opened(path, where) as stream:
            if path.name.removesuffix(".gz").endswith((".ndjson", ".jsonl")):
                for place, line in jsonsafe.lines(stream, where):
                    yield line if isinstance(line, InvalidMessage) else _from_line(line, place)
            else:
                yield from _from_document(jsonsafe.read_whole(stream, where), where)
    except InvalidMessage as problem:
        yield problem


def _from_line(line: bytes, place: str) -> ServiceEvent | DrachmError:
    try:
        return read_event(jsonsafe.loads(line, place), f"{place} $")
    except InvalidMessage as problem:
        return problem


def _from_document(data: bytes, where: str) -> Iterator[ServiceEvent | DrachmError]:
    found: list[Any]
    try:
        document = jsonsafe.loads(data, where)
        found = document if isinstance(document, list) else [document]
        places = [f"{where} $[{i}]" for i in range(len(found))] if isinstance(document, list) else [f"{where} $"]
    except InvalidMessage as problem:
        if not data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"["):
            raise
        try:
            _, found = jsonsafe.elements(data, where)
        except InvalidMessage:
            raise problem from None
        places = [f"{where} $[{i}]" for i in range(len(found))]
    for value, place in zip(found, places, strict=True):
        try:
            yield value if isinstance(value, InvalidMessage) else read_event(value, place)
        except InvalidMessage as refused:
            yield refused


def _kind(value: Any, where: str) -> Kind:
    if value not in KINDS:
        raise refusal("invalid_kind", f"the kind is not one of {', '.join(KINDS)}", where, "Use one of these words.")
    return cast(Kind, value)


def _code(value: Any, where: str) -> Code:
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


def _place_of_service(value: Any, where: str) -> str:
    found = fields.text(value, where, limit=2)
    if found and not (len(found) == 2 and found.isascii() and found.isdigit()):
        raise refusal("invalid_id", "a place of service has two digits", where, "Use the CMS code set, such as 11.")
    return found


def _refuse_contradictions(event: ServiceEvent, where: str) -> None:
    if event.kind in _REFERRING and not event.replaces:
        raise refusal(
            "missing_field", f"a {event.kind} names the event it refers to", f"{where}.replaces", "Add the event id."
        )
    if event.replaces and event.kind not in _REFERRING:
        raise refusal("invalid_event", f"a {event.kind} refers to no other event", f"{where}.replaces", "Remove it.")
    if event.replaces == event.event_id:
        raise refusal("invalid_event", "an event cannot refer to itself", f"{where}.replaces", "Name the other event.")
    if event.ended_at is not None and event.ended_at < event.started_at:
        raise refusal("invalid_event", "the end lies before the start", f"{where}.ended_at", "Correct the times.")
    for index, pointer in enumerate(event.diagnosis_pointers):
        if pointer > len(event.diagnoses):
            place = f"{where}.diagnosis_pointers[{index}]"
            raise refusal("invalid_event", "it points behind the last diagnosis", place, "Correct the position.")
