"""docs/reference/price-book.md: every example loads, every worked line comes out, every key and rule kind is told."""

from __future__ import annotations

import itertools
import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from drachm.domain.catalog import load, load_price_book
from drachm.domain.catalog.facts import FACTS
from drachm.domain.catalog.rules import KINDS
from drachm.domain.errors import Pended
from drachm.domain.money import micros

MANUAL = (Path(__file__).parents[3] / "docs" / "reference" / "price-book.md").read_text(encoding="utf-8")
EXAMPLES: list[dict[str, Any]] = [json.loads(text) for text in re.findall(r"```json\n(.*?)```", MANUAL, re.DOTALL)]
ITEMS = [example for example in EXAMPLES if "rule" in example]
WORKED = [(item, line) for item, line in itertools.pairwise(EXAMPLES) if "rule" in item and "line" in line]


def test_every_example_is_a_book_an_item_or_a_worked_line(document: Any) -> None:
    for example in EXAMPLES:
        if "id" in example:
            load_price_book(example)
        elif "rule" in example:
            load_price_book(document(example))
        else:
            assert "line" in example
    assert len(WORKED) == len(ITEMS)


@pytest.mark.parametrize(("item", "worked"), WORKED)
def test_every_worked_line_comes_out(document: Any, event: Any, priced: Any, item: Any, worked: Any) -> None:
    line = dict(worked["line"])
    quantity = Decimal(line.pop("quantity", "1"))
    if "billed" in line:
        line["billed"] = micros(line["billed"])
    asked = event(item["code"], quantity=quantity, **line)
    if "pended" in worked:
        with pytest.raises(Pended) as refusal:
            priced(document(item), event=asked)
        assert refusal.value.reason == worked["pended"]
    else:
        assert priced(document(item), event=asked, **worked.get("at", {})).allowed == micros(worked["allowed"])


def test_every_rule_kind_has_a_heading_and_an_example() -> None:
    shown = json.dumps(EXAMPLES)
    for kind in KINDS:
        assert re.search(rf"^### .*`{kind}`", MANUAL, re.MULTILINE), kind
        assert f'"kind": "{kind}"' in shown, kind


def test_every_key_and_fact_is_told() -> None:
    keys = f"{load._REQUIRED} {load._OPTIONAL} {load._ITEM_KEYS}".split()
    for word in (*keys, *FACTS):
        assert f"`{word}`" in MANUAL, word


def test_the_relative_value_example_follows_the_formula(event: Any, priced: Any) -> None:
    book = next(example for example in EXAMPLES if "conversion_factor" in example)
    line = event("99213", system="HCPCS", place_of_service="22")
    result = priced(book, event=line, locality="0710213")
    # (1.30 + 0.57 x 0.86 + 0.10 x 0.518) x 32.3465 = 59.58...
    assert result.allowed == 59_580_000
    assert result.rule == "PFS 99213 locality AR-13 facility"
