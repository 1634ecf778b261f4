"""Which published documents are in force, ready to use?

Plans and price books are immutable and known by hash; here they stand compiled, found by id and local service date.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

from drachm.domain.benefits import Plan, Stack, build_stack, keys, load_plan
from drachm.domain.benefits.model import Key
from drachm.domain.catalog.model import PricedEvent
from drachm.domain.catalog.price import Books, PriceContext, price
from drachm.domain.errors import Pended
from drachm.domain.events.model import ServiceEvent

if TYPE_CHECKING:
    from drachm.domain.clearing.model import Answer, Snapshot


class Documents:
    """Compiled plans and price books of one tenant. Adding is idempotent by hash; nothing is ever changed."""

    def __init__(self, plans: Iterable[Plan] = (), books: Books | None = None) -> None:
        self._plans: dict[str, list[Plan]] = {}
        self._by_hash: dict[str, Plan] = {}
        self._stacks: dict[tuple[str, ...], Stack] = {}
        self.books = books or Books()
        for plan in plans:
            self.add_plan(plan)

    def add_plan(self, plan: Plan) -> None:
        if plan.hash not in self._by_hash:
            self._by_hash[plan.hash] = plan
            self._plans.setdefault(plan.id, []).append(plan)

    def plan(self, plan_id: str, day: date) -> Plan | None:
        """The version of a plan in force on a local service date."""
        for plan in self._plans.get(plan_id, ()):
            if day in plan.effective:
                return plan
        return None

    def by_hash(self, plan_hash: str) -> Plan | None:
        return self._by_hash.get(plan_hash)

    def stack(self, at: Snapshot) -> Stack:
        """The compiled stack of the covers, an outside payer's answer standing in for its own plan."""
        if at.answer is not None:
            plans = [self._by_hash[c.plan_hash] if c.payer != at.answer.payer else _answer_plan(at.answer, self._by_hash[c.plan_hash]) for c in at.covers]
            return build_stack(plans)
        hashes = tuple(cover.plan_hash for cover in at.covers)
        stack = self._stacks.get(hashes)
        if stack is None:
            stack = self._stacks[hashes] = build_stack([self._by_hash[plan_hash] for plan_hash in hashes])
        return stack

    def price(self, event: ServiceEvent, at: Snapshot) -> PricedEvent:
        raise NotImplementedError

    def keys(self, event: ServiceEvent, at: Snapshot) -> frozenset[Key]:
        raise NotImplementedError
