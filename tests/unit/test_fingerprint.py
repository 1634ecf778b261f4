"""Every field of an event counts for its content hash."""

from dataclasses import fields, replace
from datetime import UTC, datetime

import pytest

from drachm.domain.events.model import Code, ServiceEvent, fingerprint

NOON = datetime(2025, 3, 10, 12, tzinfo=UTC)
EVENT = ServiceEvent(
    source="ehr", event_id="e1", kind="charge", member="ana", code=Code("local", "x"), currency="USD", started_at=NOON
)
CHANGED = {
    "source": "lab",
    "event_id": "e2",
    "kind": "hold",
    "member": "ben",
    "code": Code("local", "y"),
    "currency": "EUR",
    "started_at": NOON.replace(hour=13),
    "ended_at": NOON,
    "quantity": 2,
    "billed": 0,
    "tax_ppm": 1,
    "emergency": True,
    "essential": True,
    "modifiers": ("26",),
    "diagnoses": ("E11",),
    "diagnosis_pointers": (1,),
    "facts": {"category": "lab"},
}


@pytest.mark.parametrize("name", [field.name for field in fields(ServiceEvent)])
def test_every_field_counts(name: str) -> None:
    assert fingerprint(replace(EVENT, **{name: CHANGED.get(name, "other")})) != fingerprint(EVENT)


def test_the_order_of_facts_does_not_count() -> None:
    one = replace(EVENT, facts={"a": 1, "b": "x"})
    assert fingerprint(one) == fingerprint(replace(EVENT, facts={"b": "x", "a": 1}))
    assert fingerprint(one) != fingerprint(replace(EVENT, facts={"a": "1", "b": "x"}))
    assert len(fingerprint(one)) == 32
