"""What happens in the measured town? Events of a seed, made before the clock starts.

One `Load` belongs to one writer and tells its events in order of time. The mix, in parts of ten thousand, is `MIX`;
what it comes to (posted, denied, pended, refused) depends on the plans and stands in every report.
"""

from __future__ import annotations

import random
from bisect import bisect
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from typing import Any, Final

from drachm.bench.plans import Product, Template
from drachm.bench.prices import Service
from drachm.bench.world import SHARDS, Family, World
from drachm.domain.events.model import UNIT, Code, Kind, ServiceEvent
from drachm.domain.money import MICROS

MIX: Final[Mapping[str, int]] = {
    "charge": 9_350,
    "hold": 150,
    "hold_beyond_means": 100,
    "capture": 50,
    "stop": 50,
    "reversal": 150,
    "unknown_code": 100,
    "unknown_member": 25,
    "sent_again": 25,
}
"""Beyond means: a request nobody's pots can pay, so it is refused and journalled. Sent again: the same event once more,
which gets its first answer."""
_WORDS: Final = tuple(MIX)
_BOUNDS: Final = tuple(accumulate(MIX.values()))
_REFERRING: Final[Mapping[str, Kind]] = {"reversal": "reversal", "capture": "replacement", "stop": "stop"}

USUAL_SERVICES: Final = 300
USUAL_PPM: Final = 800_000
"""How often a line is one of the first `USUAL_SERVICES` of its book."""
RECENT: Final = 5_000
FIRST_DAY: Final = datetime(2025, 1, 2, 0, 0, tzinfo=UTC)
DAYS: Final = 355
EVENTS_A_DAY_PER_FAMILY: Final = 2
_DIAGNOSES: Final = ("E11.9", "I10", "J06.9", "M54.5", "F41.1", "Z00.00", "N39.0", "K21.9")


@dataclass(frozen=True, slots=True)
class Shape:
    """How events fall on families."""

    name: str
    heavy: tuple[float, ...] = ()
    """Parts of all events that fall on the writer's first families, one each."""


SPREAD: Final = Shape("spread")
SKEWED: Final = Shape("skewed", (0.40, 0.25, 0.15))
"""Four fifths of all events on three families of each writer: at 4,000 a batch, up to 1,600 on one of them."""


class Load:
    """The events of one writer, which owns whole shards of families."""

    def __init__(self, world: World, *, writer: int = 0, writers: int = 1) -> None:
        self._world = world
        self._chance = random.Random(f"{world.seed}/load/{writer}/{writers}")
        shards = [shard for shard in range(SHARDS) if shard * writers // SHARDS == writer]
        self._shards = [shard for shard in shards if shard < world.families]
        self._step = timedelta(days=1) / max(200, world.families * EVENTS_A_DAY_PER_FAMILY // writers)
        self._told = 0
        self._recent: dict[str, deque[ServiceEvent]] = {kind: deque(maxlen=RECENT) for kind in ("charge", "hold")}
        self._again: deque[ServiceEvent] = deque(maxlen=RECENT)

    def events(self, count: int, shape: Shape = SPREAD) -> list[ServiceEvent]:
        """The next `count` events."""
        return [self._next(shape) for _ in range(count)]

    def _next(self, shape: Shape) -> ServiceEvent:
        self._told += 1
        word = _WORDS[bisect(_BOUNDS, self._chance.randrange(_BOUNDS[-1]))]
        if word == "sent_again" and self._again:
            return self._chance.choice(self._again)
        event = self._referring(word) or self._new(word, self._family(shape))
        self._again.append(event)
        return event

    def _referring(self, word: str) -> ServiceEvent | None:
        """An event about an earlier one; each is referred to once. None when there is none left."""
        recent = self._recent["charge" if word == "reversal" else "hold"]
        if word not in _REFERRING or len(recent) < 2:
            return None
        recent.rotate(self._chance.randrange(len(recent)))
        target = recent.popleft()
        kind: Kind = _REFERRING[word]
        return replace(target, event_id=self._id(), kind=kind, replaces=target.event_id, started_at=self._now())

    def _family(self, shape: Shape) -> Family:
        if shape.heavy:
            place = bisect(tuple(accumulate(shape.heavy)), self._chance.random())
            if place < min(len(shape.heavy), len(self._shards)):
                return self._world.family(self._shards[place])
        shard = self._chance.choice(self._shards)
        rows = (self._world.families - shard + SHARDS - 1) // SHARDS
        return self._world.family(shard + SHARDS * self._chance.randrange(rows))

    def _new(self, word: str, family: Family) -> ServiceEvent:
        chance, product = self._chance, family.product
        member = chance.choice(family.people).member.id
        known = chance.random() < 0.9
        provider = chance.choice(family.providers if known else self._world.providers[product.currency])
        now = self._now()
        event = ServiceEvent(
            source="bench",
            event_id=self._id(),
            kind="hold" if word.startswith("hold") else "charge",
            member=f"{member}-stranger" if word == "unknown_member" else member,
            currency=product.currency,
            started_at=now,
            billing_party=provider,
            site=provider if chance.random() < 0.5 else "",
            place_of_service=chance.choice(("11", "11", "22")),
            visit=f"{member}-{now.month}-{now.day}-{provider}",
            diagnoses=(chance.choice(_DIAGNOSES), chance.choice(_DIAGNOSES)),
            diagnosis_pointers=(1,),
            display="Care in the measured town",
            **self._line(word, product, chance.choice(product.templates)),
        )
        if word in self._recent:
            self._recent[word].append(event)
        return event

    def _line(self, word: str, product: Product, template: Template) -> dict[str, Any]:
        """What was done, how much of it, what was asked, and what the plan may look at."""
        if product.as_submitted:
            line = self._as_submitted(product.money_facts, template)
        else:
            line = self._by_the_book(self._world.prices.services[product.currency], template)
        if word == "unknown_code" and product.plans and not product.as_submitted:
            return {**line, "code": Code("local", "NO-SUCH-CODE")}
        if word == "hold_beyond_means":
            # A thousand times as much.
            count = 1_000 if line.get("unit", "each") == "each" else 1
            asked = line["billed"] and line["billed"] * 1_000
            return {**line, "quantity": line["quantity"] * count, "billed": asked}
        return line

    def _by_the_book(self, services: Sequence[Service], template: Template) -> dict[str, Any]:
        chance = self._chance
        usual = chance.randrange(MICROS) < USUAL_PPM
        service = services[chance.randrange(min(len(services), USUAL_SERVICES) if usual else len(services))]
        count = chance.randrange(5, 46) if service.unit == "minute" else chance.choice((1, 1, 1, 2, 3))
        # Mostly more is asked than was agreed, sometimes less, sometimes nothing.
        asked = None if chance.random() < 0.1 else service.amount * count * chance.randrange(95, 220) // 100
        return {
            "code": service.code,
            "modifiers": service.modifiers,
            "unit": service.unit,
            "quantity": count * UNIT,
            "billed": asked,
            "facts": template.facts,
        }

    def _as_submitted(self, money: frozenset[str], template: Template) -> dict[str, Any]:
        """The published line, smaller or larger: what it says in money grows with it."""
        percent = self._chance.randrange(10, 300)
        scaled = {name: int(template.facts[name]) * percent // 100 for name in money if name in template.facts}
        return {
            "code": Code("local", "VISIT"),
            "billed": template.cost * percent // 100,
            "quantity": template.quantity,
            "facts": {**template.facts, **scaled},
        }

    def _now(self) -> datetime:
        return FIRST_DAY + (self._step * self._told) % timedelta(days=DAYS)

    def _id(self) -> str:
        """As random as a UUID of version 4: the worst case for an index."""
        return f"{self._chance.getrandbits(128):032x}"
