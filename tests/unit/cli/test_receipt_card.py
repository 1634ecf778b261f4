"""What the console shows of a receipt."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

from rich.console import Console

from drachm.cli.render import receipt_card
from drachm.domain.receipts.model import Receipt

WAITING = Receipt(
    number="rcp_1",
    kind="charge",
    status="pended",
    reason="no_contract",
    next_step="Supply what is missing.",
    event_id="visit-1",
    source="ehr",
    revision=0,
    member="ana",
    provider="clinic-a",
    visit="visit-1",
    display="Visit",
    service="local visit",
    day=date(2026, 1, 31),
    posted_at=datetime(2026, 1, 31, tzinfo=UTC),
    currency="USD",
)


def shown(receipt: Receipt) -> str:
    console = Console(width=120)
    with console.capture() as text:
        receipt_card(console, receipt, why=True)
    return text.get()


def test_an_event_that_was_not_decided_has_no_amount_to_explain() -> None:
    text = shown(WAITING)
    assert "Supply what is missing." in text
    assert "Why this amount?" not in text
    assert "0.00" not in text


def test_what_was_decided_is_explained_whatever_it_came_to() -> None:
    text = shown(replace(WAITING, status="posted", plans=("f" * 64,)))
    assert "Why this amount?" in text
    assert "asked price" in text
