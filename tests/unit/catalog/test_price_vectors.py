"""The hand-worked prices of the bundled demo books (tests/vectors/prices)."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from drachm.domain.catalog import load_price_book
from drachm.domain.errors import Pended
from drachm.domain.money import micros

ROOT = Path(__file__).parents[3]
FILES = sorted((ROOT / "tests" / "vectors" / "prices").glob("*.json"))


def cases() -> list[Any]:
    books = [(path.stem, json.loads(path.read_text(encoding="utf-8"))) for path in FILES]
    return [pytest.param(whole, case, id=f"{name}: {case['why']}") for name, whole in books for case in whole["cases"]]


@pytest.mark.parametrize(("whole", "case"), cases())
def test_a_demo_price(priced: Any, event: Any, whole: dict[str, Any], case: dict[str, Any]) -> None:
    line = event(
        case["code"],
        quantity=Decimal(case.get("quantity", "1")),
        unit=case.get("unit", "each"),
        billed=micros(case["billed"]) if "billed" in case else None,
        currency=case.get("currency", whole.get("currency", "USD")),
        facts=case.get("facts", {}),
    )
    book = sample(whole["book"])
    if "pended" in case:
        with pytest.raises(Pended) as refusal:
            priced(book, event=line, **case.get("at", {}))
        assert refusal.value.reason == case["pended"]
    else:
        result = priced(book, event=line, **case.get("at", {}))
        assert result.allowed == micros(case["allowed"])
        assert result.category == case.get("category", result.category)


def sample(name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((ROOT / "samples" / "prices" / name).read_text(encoding="utf-8"))
    return document


def test_every_sample_book_has_worked_prices_and_plain_names() -> None:
    names = {path.name for path in (ROOT / "samples" / "prices").glob("*.json")}
    assert names == {path.name for path in FILES}
    for name in names:
        book = sample(name)
        load_price_book(book)
        assert all(item["display"] and item["category"] for item in book["items"])
