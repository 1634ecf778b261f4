"""Who lives in the measured town? The same people, plans and pots for the same seed, however many ask.

Nothing is stored: a family follows from the seed and its number, so a writer of many processes knows its own families
without being told, and a town of a million families takes no memory.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Final

from drachm.bench import plans as benefit_plans
from drachm.bench.plans import Plans, Product
from drachm.bench.pockets import has_everything, with_purpose
from drachm.bench.prices import SCALE, Prices, make_prices
from drachm.domain.catalog import AS_SUBMITTED
from drachm.domain.clearing.register import ANY_PAYER
from drachm.domain.coverage.model import NO_PLAN, Contract, Coverage, Member, Party
from drachm.domain.events.model import Fact
from drachm.domain.funding.model import Pot
from drachm.domain.money import MICROS
from drachm.domain.periods import Period

YEAR: Final = Period(date(2025, 1, 1), date(2026, 1, 1))
SHARDS: Final = 64
PROVIDERS: Final = 2_000
SMALL_TOWN: Final = 5_000
"""Towns with fewer families get small generated books: they serve tests, not figures."""

SECOND_PAYER_PPM: Final = 160_000
"""Of the families with one plan, those with a second payer beside it. Together with the stacks of the published cases
two payers then pay on a fifth of the events; each report says how many it was."""
WITHOUT_COVER_PPM: Final = 20_000
OUT_OF_NETWORK_PPM: Final = 100_000
BASE_PAYERS: Final = 20
"""Payers that the base cover of a `spread` town is spread over."""

_ZONES: Final = {"USD": "America/New_York", "CNY": "Asia/Shanghai", "JPY": "Asia/Tokyo", "EUR": "Europe/Berlin",
                 "CHF": "Europe/Zurich"}  # fmt: skip
_POTS: Final = (("cash", 0), ("savings", 1), ("gift", 2))


@dataclass(frozen=True, slots=True)
class Purse:
    """One pot and what it opens with."""

    pot: Pot
    opening: int
    """Micros, more than 0."""


@dataclass(frozen=True, slots=True)
class Person:
    """A member with cover and pots."""

    member: Member
    coverages: tuple[Coverage, ...]
    purses: tuple[Purse, ...]


@dataclass(frozen=True, slots=True)
class Family:
    """People under one stack of plans, with the providers they usually see."""

    number: int
    product: Product
    people: tuple[Person, ...]
    providers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class World:
    """The whole town; small enough to be handed to each writer."""

    seed: int
    families: int
    plans: Plans
    prices: Prices
    second: Mapping[str, Product]
    """Product name -> the same with a second payer."""
    providers: Mapping[str, tuple[str, ...]]
    """Currency -> provider ids."""
    base: tuple[str, ...] = ()
    """Payers of the base cover that stands before every plan; empty: there is none."""
    fund: Pot | None = None
    """A limited fund that everybody is admitted to, and spends before pots of their own."""
    pockets: bool = False
    """Half of the families have many pockets (`pockets`), the fund the last of them; the others have no fund."""

    def family(self, number: int) -> Family:
        """The family of this number, 0 <= number < families."""
        return _family(self, number)

    def __hash__(self) -> int:
        return hash((self.seed, self.families, self.base, self.fund, self.pockets, tuple(self.providers)))

    def parties(self) -> list[Party]:
        """Providers with the facts that prices depend on, and every payer."""
        payers = {plan["payer"] for plan in self.plans.documents.values()}
        found = [Party(payer, ("payer",)) for payer in sorted(payers)]
        for currency, providers in self.providers.items():
            found.extend(_provider(self, currency, provider) for provider in providers)
        return found

    def contracts(self) -> list[Contract]:
        """Each provider's price book, for every payer and for nobody; as submitted where the plan's lines say so."""
        asked = sorted({(p.currency, p.payers[0]) for p in self.plans.products if p.as_submitted and p.payers})
        found = []
        for currency, providers in self.providers.items():
            book = self.prices.books[currency]
            payers = [payer for other, payer in asked if other == currency]
            for provider in providers:
                chance = random.Random(f"{self.seed}/contract/{provider}")
                network = "out" if chance.randrange(MICROS) < OUT_OF_NETWORK_PPM else "in"
                found.append(Contract(provider, ANY_PAYER, book, YEAR, network))
                found.append(Contract(provider, "", book, YEAR))
                found.extend(Contract(provider, payer, AS_SUBMITTED, YEAR, network) for payer in payers)
        return found

    def people(self, first: int, last: int) -> Iterator[Person]:
        """Everybody of the families `first` to before `last`."""
        for number in range(first, last):
            yield from self.family(number).people


def make_world(
    seed: int,
    families: int,
    *,
    samples: Path,
    shared: Path | None,
    currency: str = "",
    base: tuple[str, ...] = (),
    fund: Pot | None = None,
    pockets: bool = False,
) -> World:
    """The town of a seed. `currency` keeps the plans of one only; `base` puts a first payer before every plan (and
    leaves out those whose lines are priced as submitted: their agreement is with the first payer); `fund` is a limited
    fund that everybody is admitted to, or with `pockets` the families that have every kind of pocket.

    Raises `InvalidMessage` when a bundled file cannot be read.
    """
    plans = benefit_plans.read_plans(samples)
    if currency or base:
        plans = plans.only(lambda p: currency in ("", p.currency) and not (base and p.as_submitted))
    second = benefit_plans.supplemented(plans)
    more = [benefit_plans.supplement(plans, product) for product in plans.products]
    more += [benefit_plans.base_cover(plans, product, payer) for product in plans.products for payer in base]
    complete = benefit_plans.with_documents(plans, more)
    currencies = sorted({product.currency for product in plans.products})
    prices = make_prices(currencies, shared, seed, size=1.0 if families >= SMALL_TOWN else 0.05)
    world = World(seed, families, complete, prices, second, {}, base, fund, pockets)
    return replace(world, providers=_providers(plans, families))


def shard_of(number: int) -> int:
    """The shard of a family: a writer takes whole shards."""
    return number % SHARDS


def _providers(plans: Plans, families: int) -> dict[str, tuple[str, ...]]:
    """Provider ids of each currency, as many as its part of the families asks for."""
    number = min(PROVIDERS, max(20, families))
    parts: dict[str, float] = {}
    for family in plans.families:
        products = plans.of(family)
        for product in products:
            parts[product.currency] = parts.get(product.currency, 0) + 1 / len(products)
    whole = sum(parts.values())
    return {
        currency: tuple(f"{currency.lower()}-provider-{n}" for n in range(max(2, round(number * part / whole))))
        for currency, part in sorted(parts.items())
    }


def _provider(world: World, currency: str, provider: str) -> Party:
    chance = random.Random(f"{world.seed}/{provider}")
    facts: dict[str, Fact] = {"facility_level": chance.choice(("1", "2", "3"))}
    if currency == "USD":
        locality, state = chance.choice(world.prices.places)
        facts |= {"locality": locality, "state": state, "facility": chance.random() < 0.3}
    return Party(provider, ("provider",), provider, _ZONES.get(currency, "UTC"), facts)


@lru_cache(maxsize=20_000)
def _family(world: World, number: int) -> Family:
    chance = random.Random(f"{world.seed}/family/{number}")
    product = chance.choice(world.plans.of(chance.choice(world.plans.families)))
    if chance.randrange(MICROS) < SECOND_PAYER_PPM and product.name in world.second:
        product = world.second[product.name]
    if world.base:
        product = _based(world, product, world.base[number % len(world.base)])
    if chance.randrange(MICROS) < WITHOUT_COVER_PPM:
        product = replace(product, plans=(), payers=())
    size = chance.choice((1, 1, 2, 2, 3, 3, 4, 5))
    coverage_facts = chance.choice(product.coverage_facts)
    member_facts = chance.choice(product.member_facts)
    many = world.pockets and has_everything(number)
    people = tuple(_person(number, n, product, member_facts, coverage_facts, chance, many=many) for n in range(size))
    known = world.providers[product.currency]
    return Family(number, product, people, tuple(chance.choice(known) for _ in range(3)))


def _based(world: World, product: Product, payer: str) -> Product:
    base = benefit_plans.base_cover(world.plans, product, payer)
    return replace(product, plans=(base["id"], *product.plans), payers=(base["payer"], *product.payers))


def _person(
    number: int,
    n: int,
    product: Product,
    facts: Mapping[str, Fact],
    coverage_facts: Mapping[str, Fact],
    chance: random.Random,
    *,
    many: bool,
) -> Person:
    name = f"f{number}-{n}"
    born = date(1935, 1, 1) + timedelta(days=chance.randrange(32_000))
    member = Member(name, born, chance.choice(("female", "male")), f"f{number}", shard_of(number), facts)
    covers = tuple(
        Coverage(f"{name}-c{rank}", name, plan, YEAR, rank, f"f{number}-p{rank}", coverage_facts)
        for rank, plan in enumerate(product.plans or (NO_PLAN,), start=1)
    )
    scale = SCALE.get(product.currency, 1)
    kinds = _POTS[: chance.choice((2, 2, 3))]
    purses = []
    for word, priority in _POTS if many else kinds:
        pot = Pot(f"{name}-{word}", name, product.currency, 0, priority)
        opening = int(20 * 100 ** chance.random()) * scale * MICROS
        purses.append(Purse(with_purpose(word, pot) if many else pot, opening))
    return Person(member, covers, tuple(purses))
