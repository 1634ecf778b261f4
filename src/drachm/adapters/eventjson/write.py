"""How is a `ServiceEvent` said in JSON?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any, Final

from drachm.domain.events.model import UNIT, ServiceEvent

_DEFAULTS: Final = {field.name: field.default for field in fields(ServiceEvent)}


def write_event(event: ServiceEvent) -> dict[str, Any]:
    """The JSON object of an event; `read_event` of it gives the same event. Fields at their default are left out."""
    said: dict[str, Any] = {
        "source": event.source,
        "event_id": event.event_id,
        "kind": event.kind,
        "member": event.member,
        "code": {"system": event.code.system, "value": event.code.value},
        "currency": event.currency,
        "started_at": _instant(event.started_at),
    }
    for name, default in _DEFAULTS.items():
        value = getattr(event, name)
        if name not in said and value != default and value not in ((), {}):
            said[name] = _WRITERS.get(name, _same)(value)
    if event.billed is not None:
        said["billed"] = {"micros": event.billed, "currency": event.currency}
    return said


def _same(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _instant(value: datetime) -> str:
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _quantity(millionths: int) -> str:
    whole, below = divmod(millionths, UNIT)
    return f"{whole}.{below:06d}".rstrip("0").rstrip(".")


_WRITERS: Final[dict[str, Callable[[Any], Any]]] = {"ended_at": _instant, "quantity": _quantity, "facts": dict}
