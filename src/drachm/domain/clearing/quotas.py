"""How much of each shared pot may one event draw for its member?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from drachm.domain.benefits.model import Key, Numbering
from drachm.domain.events.model import ServiceEvent
from drachm.domain.funding.model import Leg, Pot
from drachm.domain.funding.quota import quota_key


class Quotas:
    """The limits that count one event, of the pots that it may draw from."""

    __slots__ = ("_limits", "keys", "numbers")

    def __init__(self, limits: Sequence[tuple[str, int, int]], keys: Sequence[Key] = ()) -> None:
        self._limits = limits
        """Pot id, number of the running total, and the limit in micros."""
        self.numbers = tuple([number for _, number, _ in limits])
        """Of the totals that say what was used, in drawing order of the pots."""
        self.keys = keys
        """Their names, for whoever reads."""

    def room(self, totals: Mapping[int, int], legs: Sequence[Leg] = ()) -> dict[str, int]:
        """What the member may still take from each limited pot, these legs taken already; micros, never negative."""
        left: dict[str, int] = {}
        for pot, number, limit in self._limits:
            free = max(0, limit - totals.get(number, 0))
            left[pot] = min(left.get(pot, free), free)
        for leg in legs:
            if leg.lot in left:
                left[leg.lot] -= leg.amount
        return left

    def narrowed(self, pockets: Sequence[tuple[Pot, int]], totals: Mapping[int, int]) -> list[tuple[Pot, int]]:
        """The same pockets with no more than the member may take from each."""
        room = self.room(totals)
        return [(pot, min(avail, room.get(pot.id, avail))) for pot, avail in pockets]

    def used(self, legs: Sequence[Leg]) -> tuple[tuple[int, int], ...]:
        """What these legs add to the running totals, by number."""
        drawn = {leg.lot: leg.amount for leg in legs}
        return tuple([(number, drawn[pot]) for pot, number, _ in self._limits if pot in drawn])


def quotas_of(pots: Sequence[Pot], event: ServiceEvent, category: str, numbering: Numbering) -> Quotas | None:
    """The limits of these pots that count this event; None where none does."""
    limits: list[tuple[str, int, int]] = []
    keys: list[Key] = []
    for pot in pots:
        if pot.terms is None or pot.currency != event.currency:
            continue
        for limit in pot.terms.limits:
            if limit.counts(category):
                key = quota_key(pot.fund, limit, event.member, event.started_at)
                home = numbering.home(key.scope, numbering.word(key.period))
                limits.append((pot.id, home ^ numbering.slot(key.name, key.period), limit.amount))
                keys.append(key)
    return Quotas(limits, keys) if limits else None
