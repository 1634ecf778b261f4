"""A small price book and a small event, to be bent by each test."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from drachm.domain.catalog import Books, PriceContext, PricedEvent, load_price_book, price
from drachm.domain.events.model import UNIT, Code, ServiceEvent

Maker = Callable[..., Any]


def make_document(*items: dict[str, Any], **head: Any) -> dict[str, Any]:
    filled = [{"system": "local", "code": "X", **item} for item in items]
    return {
        "id": "book",
        "version": "1",
        "currency": "USD",
        "zone": "America/New_York",
        "effective": {"from": "2025-01-01", "until": "2026-01-01"},
        "items": filled,
        **head,
    }


def make_event(
    code: str = "X", *, system: str = "local", quantity: Fraction | Decimal | float = 1, **fields: Any
) -> ServiceEvent:
    return ServiceEvent(
        source="test",
        event_id="1",
        kind="charge",
        member="ana",
        code=Code(system, code),
        currency=fields.pop("currency", "USD"),
        started_at=fields.pop("started_at", datetime(2025, 6, 2, 14, 0, tzinfo=UTC)),
        quantity=round(quantity * UNIT),
        **fields,
    )


def make_priced(*documents: dict[str, Any], event: ServiceEvent | None = None, **at: Any) -> PricedEvent:
    """Price `event` by the last document, the others being there to lean on."""
    books = Books([load_price_book(document) for document in documents])
    context = {"book": documents[-1]["id"], "service_date": date(2025, 6, 2), **at}
    return price(event or make_event(), books, PriceContext(**context))


@pytest.fixture(scope="session")
def document() -> Maker:
    return make_document


@pytest.fixture(scope="session")
def event() -> Maker:
    return make_event


@pytest.fixture(scope="session")
def priced() -> Maker:
    return make_priced


@pytest.fixture(scope="session")
def allowed() -> Maker:
    """What one rule allows for the event that the remaining words describe, in micros."""

    def allowed_by(rule: dict[str, Any], *, at: dict[str, Any] | None = None, **fields: Any) -> int:
        head = {key: fields.pop(key) for key in ("rounding", "schedules", "localities") if key in fields}
        return make_priced(make_document({"rule": rule}, **head), event=make_event(**fields), **(at or {})).allowed

    return allowed_by
