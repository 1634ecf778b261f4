"""A record is compared by value, copied by `replace`, and assigned to by nobody."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

import drachm
from drachm.domain.catalog import PriceContext, PricedEvent
from drachm.domain.events.model import Code, ServiceEvent

SOURCES = sorted(Path(str(drachm.__file__)).parent.rglob("*.py"))
FIELDS = {field.name for kind in (ServiceEvent, PriceContext) for field in fields(kind)}
FIELDS |= {name.lstrip("_") for name in PricedEvent.__slots__}
RECORDS = {"event", "priced", "at", "context"}
EVENT = ServiceEvent("ehr", "e1", "charge", "ana", Code("local", "x"), "USD", datetime(2025, 3, 10, 12, tzinfo=UTC))


def test_records_are_compared_by_value() -> None:
    again = replace(EVENT, code=Code("local", "x"), facts={})
    assert again == EVENT
    assert again is not EVENT
    assert replace(EVENT, quantity=2) != EVENT
    assert PriceContext("book") == PriceContext(book="book") != PriceContext("other")


def test_a_record_has_no_room_for_more() -> None:
    with pytest.raises(AttributeError):
        EVENT.colour = "blue"  # type: ignore[attr-defined]
    with pytest.raises(TypeError):
        replace(EVENT, colour="blue")  # type: ignore[call-arg]


def assigned(source: str) -> Iterator[str]:
    """What a text assigns to or deletes of something that is called an event, a price or a price's context."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Load) and node.attr in FIELDS:
            holder = node.value
            name = holder.attr if isinstance(holder, ast.Attribute) else getattr(holder, "id", "")
            if name in RECORDS:
                yield f"{name}.{node.attr}"


def test_the_search_finds_every_kind_of_assignment() -> None:
    source = (
        "event.member = 1; a.event.line += 1; del priced.rule; (at.book, x), y = z; self.line = event.line; o.unit = 1"
    )
    assert set(assigned(source)) == {"event.member", "event.line", "priced.rule", "at.book"}


def test_nobody_assigns_to_a_field_of_a_record() -> None:
    found = {str(path): set(assigned(path.read_text(encoding="utf-8"))) for path in SOURCES}
    assert {path: names for path, names in found.items() if names} == {}
