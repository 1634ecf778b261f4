"""Which services have a price, and who gives them?

Read from the price books that providers agreed on with the payers of one person, or ask of whoever pays alone. What a
service would cost that person is another question (`estimate.py`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from drachm.application.money_reading import MoneyReading, Published
from drachm.application.register import Register
from drachm.domain.clearing.register import ANY_PAYER

SELF_PAY: Final = ""
_AT_ONCE: Final = 100
_REMEMBERED: Final = 64
_read: Final[dict[str, tuple[Service, ...]]] = {}
"""By the hash of a document, which never changes."""


@dataclass(frozen=True, slots=True)
class Service:
    """One service with a price."""

    system: str
    code: str
    name: str
    currency: str

    @property
    def key(self) -> str:
        """Its code with the system, as receipts write it."""
        return f"{self.system} {self.code}"


@dataclass(frozen=True, slots=True)
class Offer:
    """A service and those who give it at an agreed price."""

    service: Service
    providers: tuple[str, ...]


def offers(register: Register, money: MoneyReading, payers: Collection[str], on: date) -> list[Offer]:
    """Every priced service by name, with the providers whose agreement holds on the day. Books that price what was
    asked, and nothing by name, offer nothing."""
    wanted = {*payers, ANY_PAYER, SELF_PAY}
    in_force = {one.id: one for one in money.published("price_book") if one.starts <= on and _holds(one, on)}
    found: dict[Service, set[str]] = {}
    for provider, book in _agreed(register, wanted, on):
        if book in in_force:
            for service in services_of(money, in_force[book]):
                found.setdefault(service, set()).add(provider)
    ordered = sorted(found, key=lambda one: (one.name.casefold(), one.key))
    return [Offer(service, tuple(sorted(found[service]))) for service in ordered]


def matching(offered: Iterable[Offer], words: str) -> list[Offer]:
    """The offers whose name or code has every one of the words."""
    asked = words.casefold().split()
    return [
        one for one in offered if all(word in f"{one.service.name} {one.service.code}".casefold() for word in asked)
    ]


def services_of(money: MoneyReading, book: Published) -> tuple[Service, ...]:
    """The services that a book names."""
    known = _read.get(book.hash)
    if known is None:
        document: Any = money.document(book.hash) or {}
        known = _services(document.get("items", []), book.currency)
        if len(_read) >= _REMEMBERED:
            _read.clear()
        _read[book.hash] = known
    return known


def _services(items: Iterable[Mapping[str, Any]], currency: str) -> tuple[Service, ...]:
    services = {
        Service(str(item["system"]), str(item["code"]), str(item["display"]), currency)
        for item in items
        # What needs a modifier is a variant of a service, not one that people ask for.
        if item.get("display") and item.get("system") and item.get("code") and not item.get("modifiers")
    }
    return tuple(sorted(services, key=lambda one: (one.name, one.key)))


def _agreed(register: Register, payers: Collection[str], on: date) -> set[tuple[str, str]]:
    """(provider, price book) of every agreement that holds."""
    found: set[tuple[str, str]] = set()
    after = ("", "")
    while True:
        terms = register.contracts(after=after, limit=_AT_ONCE)
        found |= {(one.provider, one.price_book) for one in terms if one.payer in payers and on in one.period}
        pairs = {(one.provider, one.payer) for one in terms}
        if len(pairs) < _AT_ONCE:
            return found
        after = max(pairs)


def _holds(one: Published, on: date) -> bool:
    return one.until is None or on < one.until
