"""How much may one event draw for its member: of each shared pot, and of all pots without asking?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from drachm.domain.benefits.model import Key, Numbering
from drachm.domain.clearing.numbers import number_by
from drachm.domain.events.model import ServiceEvent
from drachm.domain.funding.mandate import Budget, Mandate, Withholds, budget_key, month_of_budget, visit_key
from drachm.domain.funding.model import Leg, Pot
from drachm.domain.funding.quota import quota_key


class Leave:
    """What a member's mandate lets one event draw without asking."""

    __slots__ = ("_most", "_visit", "_withholds", "budgets", "keys", "numbers")

    def __init__(
        self,
        budgets: Sequence[tuple[int, Budget]],
        keys: Sequence[Key],
        most: int | None = None,
        withholds: Withholds = "",
        visit: int | None = None,
    ) -> None:
        self.budgets = budgets
        """Those that count the event, each with the number of the running total of its month."""
        self._most = most
        """In micros, of all that is paid by itself for the charge or the visit; None: any amount."""
        self._withholds: Withholds = withholds
        """What says so."""
        self._visit = visit
        """Number of the running total of the visit, where that counts."""
        self.keys = keys
        numbers = [number for number, _ in budgets]
        self.numbers = tuple(numbers if visit is None else [*numbers, visit])

    def allowed(self, share: int, totals: Mapping[int, int]) -> tuple[int, Withholds]:
        """How much of a share may be drawn without asking, and what withholds the rest.

        A rule gives leave for the whole share or for nothing; a budget for what is left of it.
        """
        before = totals.get(self._visit, 0) if self._visit is not None else 0
        if self._most is not None and before + share > self._most:
            return 0, self._withholds
        left = share
        for number, budget in self.budgets:
            if budget.asks:
                left = min(left, max(0, budget.amount - totals.get(number, 0)))
        return left, "budget" if left < share else ""

    def later(self, share: int, due: int, own: Mapping[int, int], totals: Mapping[int, int]) -> int:
        """How much of what is due still of a share may be drawn without asking.

        `own`: what the charge itself has added to the running totals already.
        """
        if self._most is not None:
            before = totals.get(self._visit, 0) - own.get(self._visit, 0) if self._visit is not None else 0
            if before + share > self._most:
                return 0
        room = [max(0, one.amount - totals.get(number, 0)) for number, one in self.budgets if one.asks]
        return min([due, *room])

    def used(self, drawn: int) -> tuple[tuple[int, int], ...]:
        """What an amount that was drawn without asking adds to the running totals."""
        return tuple([(number, drawn) for number in self.numbers]) if drawn else ()


class Quotas:
    """The limits that count one event, of the pots that it may draw from, and of its member's mandate."""

    __slots__ = ("_limits", "keys", "leave", "numbers")

    def __init__(
        self, limits: Sequence[tuple[str, int, int]], keys: Sequence[Key] = (), leave: Leave | None = None
    ) -> None:
        self._limits = limits
        """Pot id, number of the running total, and the limit in micros."""
        self.leave = leave
        """None where the mandate says nothing of the event."""
        numbers = [number for _, number, _ in limits]
        self.numbers = tuple(numbers if leave is None else [*numbers, *leave.numbers])
        """Of the totals that say what was used: in drawing order of the pots, then those of the mandate."""
        self.keys = keys if leave is None else [*keys, *leave.keys]
        """Their names, for whoever reads."""

    def allowed(self, share: int, totals: Mapping[int, int]) -> tuple[int, Withholds]:
        """How much of a share may be drawn without asking, and what withholds the rest."""
        return (share, "") if self.leave is None else self.leave.allowed(share, totals)

    def later(self, share: int, due: int, own: Mapping[int, int], totals: Mapping[int, int]) -> int:
        """How much of what is due still of a share may be drawn without asking."""
        return due if self.leave is None else self.leave.later(share, due, own, totals)

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
        """What these legs, drawn without asking, add to the running totals, by number."""
        drawn = {leg.lot: leg.amount for leg in legs}
        used = tuple([(number, drawn[pot]) for pot, number, _ in self._limits if pot in drawn])
        return used if self.leave is None else (*used, *self.leave.used(sum(drawn.values())))

    def counting(self, pot: str, *, by_itself: bool = False) -> list[int]:
        """The running totals that count what is paid later from a pot: its limits, and every budget; and what is paid
        by itself of a visit, where nobody is asked."""
        limits, leave = [number for one, number, _ in self._limits if one == pot], self.leave
        if leave is None:
            return limits
        return limits + (list(leave.numbers) if by_itself else [number for number, _ in leave.budgets])


def quotas_of(
    pots: Sequence[Pot], event: ServiceEvent, category: str, numbering: Numbering, mandate: Mandate | None = None
) -> Quotas | None:
    """The limits of these pots and of a mandate that count this event; None where none does."""
    limits: list[tuple[str, int, int]] = []
    keys: list[Key] = []
    for pot in pots:
        if pot.terms is None or pot.currency != event.currency:
            continue
        for limit in pot.terms.limits:
            if limit.counts(category):
                key = quota_key(pot.fund, limit, event.member, event.started_at)
                limits.append((pot.id, number_by(numbering, key), limit.amount))
                keys.append(key)
    leave = _leave_of(mandate, event, category, numbering) if mandate is not None and mandate.binds else None
    return Quotas(limits, keys, leave) if limits or leave is not None else None


def _leave_of(mandate: Mandate, event: ServiceEvent, category: str, numbering: Numbering) -> Leave | None:
    """What a mandate says of this event; None: nothing."""
    budgets: list[tuple[int, Budget]] = []
    keys: list[Key] = []
    for budget in mandate.budgets:
        if budget.counts(category, event.currency):
            key = budget_key(budget, event.member, month_of_budget(budget, event.started_at))
            budgets.append((number_by(numbering, key), budget))
            keys.append(key)
    if mandate.stopped(event.billing_party):
        return Leave(budgets, keys, 0, "question")
    rule = mandate.rule_for(event.billing_party, category, event.currency)
    if rule is None or rule.most is None:
        return Leave(budgets, keys) if budgets else None
    if rule.per == "charge" or not event.visit:
        return Leave(budgets, keys, rule.most, "rule")
    key = visit_key(event.member, event.visit)
    return Leave(budgets, [*keys, key], rule.most, "rule", number_by(numbering, key))
