"""What does care cost in the measured town? The Medicare schedules where they are at hand, generated books elsewhere.

A generated book has the size and the mix of rule kinds of the January 2025 Medicare files: about 9,100 physician items
(values x 109 localities), 2,000 laboratory tests, 900 drugs, 4,500 pieces of equipment with a fee by state.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

from drachm.adapters.cms import MEDICARE, read_cms_2025
from drachm.domain.catalog import Books, PriceContext, load_price_book, price
from drachm.domain.errors import Pended
from drachm.domain.events.model import UNIT, Code, ServiceEvent
from drachm.domain.money import MICROS, minor_unit

Document = dict[str, Any]

SCALE: Final = {"USD": 1, "EUR": 1, "CHF": 1, "CNY": 7, "JPY": 150, "XXX": 1}
"""How many units of a currency a service of one dollar costs here: the town's own, nobody's exchange rate."""
DAY: Final = date(2025, 3, 3)
NOON: Final = datetime(2025, 3, 3, 12, tzinfo=UTC)
PHYSICIAN_ITEMS, LABORATORY_ITEMS, DRUG_ITEMS, EQUIPMENT_ITEMS = 9_135, 2_042, 876, 4_516
LOCALITIES: Final = 109
STATES: Final = 53
_CATEGORIES: Final = ("office_visit", "procedure", "imaging", "medicine", "pathology", "remote_monitoring")


@dataclass(frozen=True, slots=True)
class Service:
    """Something that is done and has a price."""

    code: Code
    modifiers: tuple[str, ...]
    unit: str
    amount: int
    """Its usual price in micros, for one."""


@dataclass(frozen=True, slots=True)
class Prices:
    """The published books of each currency, and what they price."""

    documents: tuple[Document, ...]
    """In order of publication: included books first."""
    books: Mapping[str, str]
    """Currency -> the book that contracts name."""
    services: Mapping[str, tuple[Service, ...]]
    """By currency, the usual ones first."""
    places: tuple[tuple[str, str], ...]
    """Localities of the dollar book with their states."""
    source: str
    """Where the dollar book comes from: `cms-2025` or `generated`."""


def make_prices(currencies: Sequence[str], shared: Path | None, seed: int, *, size: float = 1.0) -> Prices:
    """The books of these currencies; `size` below 1 makes generated ones smaller, for small towns."""
    documents: list[Document] = []
    books: dict[str, str] = {}
    places: tuple[tuple[str, str], ...] = (("NATIONAL", "CA"),)
    folder = shared / "data" / "prices" if shared else None
    source = "generated"
    if "USD" in currencies:
        if folder is not None and size >= 1 and folder.is_dir():
            documents, source = read_cms_2025(folder), "cms-2025"
        else:
            documents = list(_generated_medicare(random.Random(f"{seed}/medicare"), size))
        books["USD"] = MEDICARE
        places = _places(documents[0])
    for currency in sorted(set(currencies) - {"USD"}):
        documents.append(_generated_book(currency, random.Random(f"{seed}/{currency}"), size))
        books[currency] = f"town-{currency.lower()}"
    compiled = Books([load_price_book(document) for document in documents])
    services = {
        currency: _services(documents, currency, book, compiled, places, random.Random(f"{seed}/services"))
        for currency, book in books.items()
    }
    return Prices(tuple(documents), books, services, places, source)


def _places(physicians: Document) -> tuple[tuple[str, str], ...]:
    names = sorted(name for name in physicians["localities"] if "-" in name)
    return tuple((name, name.partition("-")[0]) for name in names)


def _services(
    documents: Sequence[Document],
    currency: str,
    book: str,
    books: Books,
    places: Sequence[tuple[str, str]],
    chance: random.Random,
) -> tuple[Service, ...]:
    """What the books price without further facts, in an order of the seed."""
    locality, state = places[0]
    at = PriceContext(book=book, service_date=DAY, locality=locality, state=state, facility_level="2")
    items = [item for document in documents if document["currency"] == currency for item in document.get("items", ())]
    items = [item for item in items if "when" not in item]
    chance.shuffle(items)
    found = [service for item in items if (service := _service(item, currency, books, at)) is not None]
    # Usual care is neither very cheap nor very dear.
    usual = SCALE.get(currency, 1) * MICROS
    found.sort(key=lambda service: not 2 * usual <= service.amount <= 500 * usual)
    return tuple(found)


def _service(item: Document, currency: str, books: Books, at: PriceContext) -> Service | None:
    code = Code(item["system"], item["code"])
    unit = "minute" if item["rule"]["kind"] == "per_minute" else "each"
    modifiers = tuple(item.get("modifiers", ()))
    line = ServiceEvent("", "", "charge", "", code, currency, NOON, modifiers=modifiers, unit=unit, quantity=UNIT)
    try:
        allowed = price(line, books, at).allowed
    except Pended:
        return None
    return Service(code, modifiers, unit, allowed) if allowed > 0 else None


def _head(book: str, currency: str) -> Document:
    return {
        "id": book,
        "version": "1",
        "title": "Generated for measurements; nobody's real prices",
        "currency": currency,
        "zone": "UTC",
        "effective": {"from": "2025-01-01", "until": "2026-01-01"},
        "rounding": {"unit": minor_unit(currency), "mode": "half_up"},
        "lesser_of_billed": True,
    }


def _generated_medicare(chance: random.Random, size: float) -> Iterator[Document]:
    """Five books like those of the Medicare files, the one that asks all others last."""
    states = [f"{first}{second}" for first in "ABCDEFGH" for second in "AEIOUXZ"][:STATES]
    localities = {f"{states[n % STATES]}-{n:02d}": _indices(chance) for n in range(LOCALITIES)}
    parts: dict[str, Document] = {
        "physicians": {
            "conversion_factor": 32_346_500,
            "localities": localities,
            "place_of_service": {"facility": ["21", "22", "23"], "non_facility": ["02", "11", "12"]},
            "items": [_physician(n, chance) for n in range(int(PHYSICIAN_ITEMS * size))],
        },
        "laboratory": {"items": [_fixed("L", n, "lab", chance) for n in range(int(LABORATORY_ITEMS * size))]},
        "drugs": {"items": [_drug(n, chance) for n in range(int(DRUG_ITEMS * size))]},
        "equipment": {"items": [_equipment(n, states, chance) for n in range(int(EQUIPMENT_ITEMS * size))]},
    }
    for name, part in parts.items():
        yield {**_head(f"{MEDICARE}-{name}", "USD"), "label": name, **part}
    yield {**_head(MEDICARE, "USD"), "includes": [f"{MEDICARE}-{name}" for name in parts]}


def _indices(chance: random.Random) -> Document:
    return {key: chance.randrange(800_000, 1_400_000) for key in ("work", "practice_expense", "malpractice")}


def _amount(chance: random.Random, scale: int = 1, *, most: float = 3.7) -> int:
    """From 1 to 10^most units, each power of ten as likely as the next."""
    return int(10 ** chance.uniform(0, most)) * scale * MICROS


def _physician(number: int, chance: random.Random) -> Document:
    rule = {
        "kind": "relative_value",
        "work": chance.randrange(0, 4_000_000, 10_000),
        "facility_pe": chance.randrange(10_000, 3_000_000, 10_000),
        "non_facility_pe": chance.randrange(10_000, 6_000_000, 10_000),
        "malpractice": chance.randrange(10_000, 500_000, 10_000),
    }
    return {"system": "HCPCS", "code": f"P{number:05d}", "category": chance.choice(_CATEGORIES), "rule": rule}


def _fixed(letter: str, number: int, category: str, chance: random.Random, scale: int = 1) -> Document:
    rule = {"kind": "fixed", "amount": _amount(chance, scale)}
    return {"system": "HCPCS", "code": f"{letter}{number:05d}", "category": category, "rule": rule}


def _drug(number: int, chance: random.Random) -> Document:
    rule = {"kind": "per_unit", "each": _amount(chance, most=2.5)}
    return {"system": "HCPCS", "code": f"J{number:05d}", "category": "drug", "rule": rule}


def _equipment(number: int, states: Sequence[str], chance: random.Random) -> Document:
    usual = _amount(chance, most=2.5)
    rows = {state: usual + chance.randrange(0, 20_000_000, 10_000) for state in states}
    rule = {"kind": "lookup", "by": "state", "rows": rows}
    return {"system": "HCPCS", "code": f"E{number:05d}", "category": "equipment", "rule": rule}


def _generated_book(currency: str, chance: random.Random, size: float) -> Document:
    """A book of every simple rule kind, for a market whose prices are not published as data."""
    scale = SCALE.get(currency, 1)
    items = []
    for number in range(int(1_500 * size)):
        each = _amount(chance, scale)
        rule: Document = (
            {"kind": "fixed", "amount": each},
            {"kind": "per_unit", "each": each},
            {"kind": "per_minute", "rate": each // 20 or 1, "increment": 60, "minimum": 300},
            {"kind": "lookup", "by": "facility_level", "rows": {str(level): each * level for level in (1, 2, 3)}},
            {"kind": "tiers", "mode": "graduated", "tiers": [{"up_to": UNIT, "each": each}, {"each": each * 4 // 5}]},
        )[number % 5]
        items.append(
            {"system": "local", "code": f"S{number:05d}", "category": chance.choice(_CATEGORIES), "rule": rule}
        )
    return {**_head(f"town-{currency.lower()}", currency), "items": items}
