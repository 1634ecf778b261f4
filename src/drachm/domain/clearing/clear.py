"""Who owes what for this event?

The heart of the product on one screen: price, adjudicate, fund, journal - as the difference to what the event takes
the place of.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from drachm.domain.benefits import Placed, Stack
from drachm.domain.benefits.model import Split
from drachm.domain.catalog.model import PricedEvent
from drachm.domain.clearing.journal import charge_entries, difference, hold_entries
from drachm.domain.clearing.model import EMPTY, Clearing, Decision, Snapshot, Standing, Target
from drachm.domain.clearing.numbers import number_at, place_of
from drachm.domain.errors import Pended, Refused
from drachm.domain.events.model import ServiceEvent
from drachm.domain.funding.arrange import (
    UNFUNDED,
    AsksFirst,
    FundingPlan,
    Pockets,
    affordable,
    arrange,
    reserve,
    settle,
    withhold,
)
from drachm.domain.funding.model import Agreed, Leg
from drachm.domain.ledger.model import EntryKind

UNDOING: Final = ("reversal", "stop")
"""Kinds that only take back what another event posted; they need neither price nor cover nor contract."""

REFERRING: Final = ("reversal", "replacement", "stop")
"""Kinds that take the place of the event that `replaces` names; on other kinds the field means nothing."""

REPLACED_PARTY: Final = "replaced_party"
"""The fact by which a replacement says that another party billed the event it refers to: that party's id."""

UNDONE: Final = Decision("posted", "reversed", EMPTY)


def clear(event: ServiceEvent, at: Snapshot, totals: Mapping[int, int], avail: Mapping[str, int]) -> Clearing:
    """Decide who owes what for one event, and what that changes in the books. Same inputs, same answer, for ever.

    `totals` and `avail` (what each pot may spend) are as if the event's target had never been posted. Raises `Pended`
    for what cannot be decided yet and `Refused` for what can never be.
    """
    target = at.target
    check_target(event, target)
    decision = decide(event, at, totals, avail)
    new = decision.standing
    if target is None:
        entry = difference(_kind(event, None), new.entries, ())
        return Clearing(decision, entry, new.deltas, _moves(new.legs, ()))
    old = target.standing
    return Clearing(
        decision,
        difference(_kind(event, target), new.entries, old.entries),
        _difference_of_deltas(new, old),
        _moves(new.legs, old.legs),
    )


def decide(
    event: ServiceEvent, at: Snapshot, totals: Mapping[int, int], avail: Mapping[str, int], *, explain: bool = False
) -> Decision:
    """The decision alone, whatever it takes the place of; `explain` adds the steps that led to it."""
    if event.kind in UNDOING:
        return UNDONE
    priced, prepared = at.priced, at.prepared
    if priced is None or prepared is None:
        raise Pended("no_contract", "the event was not priced", where="billing_party")
    split = _split(priced, prepared, at.stack, totals, explain)
    funding = _funded(event, split.patient, at, totals, avail)
    agreed: tuple[Agreed, ...] = ()
    drawn = funding.legs
    if at.agreed and funding.due > 0 and event.kind != "hold":
        kept = at.agreed if at.exact else _still_agreed(event, funding, at, totals, avail)
        funding, agreed = settle(funding, kept)
    return Decision(
        "denied" if split.decision == "denied" else "posted",
        split.reason,
        _standing(event, split, funding, at, drawn, agreed),
        priced,
        funding,
        split,
        prepared.program,
        at.answer,
    )


def _split(priced: PricedEvent, prepared: Placed, stack: Stack, totals: Mapping[int, int], explain: bool) -> Split:
    plans = stack.plans
    if plans and plans[0].currency != priced.currency:
        message = f"the price is in {priced.currency}, the plan in {plans[0].currency}"
        raise Pended("currency_mismatch", message, where="currency")
    return prepared.split(totals, explain)


def _funded(
    event: ServiceEvent, share: int, at: Snapshot, totals: Mapping[int, int], avail: Mapping[str, int]
) -> FundingPlan:
    if share <= 0:
        return UNFUNDED
    pots: Pockets = [(pot, avail.get(pot.id, 0)) for pot in at.pots if pot.currency == event.currency]
    if at.pots and not pots and not at.closed:
        raise Pended("currency_mismatch", f"no pocket of the member holds {event.currency}", where="funding")
    quotas = at.quotas
    if quotas is None:
        return _drawn(event, share, pots)
    allowed, by = quotas.allowed(share, totals)
    pots = quotas.narrowed(pots, totals)
    if allowed == share:
        return _drawn(event, share, pots)
    if event.kind == "hold" and not (event.emergency or event.essential):
        raise AsksFirst(share - allowed, by)
    return withhold(_drawn(event, allowed, pots), share - allowed, by)


def _drawn(event: ServiceEvent, share: int, pots: Pockets) -> FundingPlan:
    if event.kind == "hold":
        return reserve(share, pots, must_serve=event.emergency or event.essential)
    return arrange(share, pots)


def _still_agreed(
    event: ServiceEvent, funding: FundingPlan, at: Snapshot, totals: Mapping[int, int], avail: Mapping[str, int]
) -> list[Agreed]:
    """What was agreed on of the event whose place this one takes, as far as pockets and limits allow it now. To what
    was paid by itself nobody agreed: the pockets have it again, and the plan has drawn on them anew."""
    pots: Pockets = [(pot, avail.get(pot.id, 0)) for pot in at.pots if pot.currency == event.currency]
    if at.quotas is not None:
        pots = at.quotas.narrowed(pots, totals)
    return [
        one._replace(counted=tuple([place_of(number) for number in at.quotas.counting(one.pot)]) if at.quotas else ())
        for one in affordable([one for one in at.agreed if not one.by_itself], funding, pots)
    ]


def _standing(
    event: ServiceEvent,
    split: Split,
    funding: FundingPlan,
    at: Snapshot,
    drawn: tuple[Leg, ...],
    agreed: tuple[Agreed, ...],
) -> Standing:
    """`drawn`: the legs that nobody agreed to one by one."""
    used = () if at.quotas is None else at.quotas.used(drawn)
    if event.kind == "hold":
        # A request moves no accumulator of a plan: it is care that has not happened yet. It reserves the member's limit
        # in a shared pot as it reserves the money, so that its capture finds both.
        return Standing(hold_entries(funding, currency=event.currency), funding.legs, used, 0)
    entries = charge_entries(split, funding, provider=event.billing_party, member=event.member, currency=event.currency)
    deltas = (*split.deltas, *used) if used else split.deltas
    if agreed:
        deltas = _added(deltas, agreed)
    return Standing(entries, funding.legs, deltas, funding.due, agreed)


def _added(deltas: Sequence[tuple[int, int]], agreed: Sequence[Agreed]) -> tuple[tuple[int, int], ...]:
    sums = dict(deltas)
    for one in agreed:
        for row, slot in one.counted:
            number = number_at(row, slot)
            sums[number] = sums.get(number, 0) + one.amount
    return tuple(sums.items())


def _kind(event: ServiceEvent, target: Target | None) -> EntryKind:
    if event.kind == "hold":
        return EntryKind.HOLD
    if target is None:
        return EntryKind.CHARGE
    held = target.kind is EntryKind.HOLD
    if event.kind in UNDOING:
        return EntryKind.RELEASE if held else EntryKind.REVERSAL
    if event.kind == "replacement":
        return EntryKind.CAPTURE if held else EntryKind.REPLACEMENT
    return EntryKind.REVISION


def _difference_of_deltas(new: Standing, old: Standing) -> tuple[tuple[int, int], ...]:
    sums = dict(new.deltas)
    for key, value in old.deltas:
        sums[key] = sums.get(key, 0) - value
    return tuple(sorted((key, value) for key, value in sums.items() if value))


def _moves(new: tuple[Leg, ...], old: tuple[Leg, ...]) -> tuple[tuple[str, int], ...]:
    if not old:
        # A pot gives at most one leg.
        return tuple(sorted([(lot, -amount) for _, lot, amount, _ in new]))
    sums: dict[str, int] = {}
    for legs, sign in ((new, -1), (old, 1)):
        for leg in legs:
            sums[leg.lot] = sums.get(leg.lot, 0) + sign * leg.amount
    return tuple(sorted([(lot, amount) for lot, amount in sums.items() if amount]))


def unwound(
    at: Snapshot, totals: Mapping[int, int], avail: Mapping[str, int], old: Standing
) -> tuple[dict[int, int], dict[str, int]]:
    """The totals and pots of one decision as if `old` had never been posted."""
    without = {key: totals.get(key, 0) for key in at.totals}
    for key, value in old.deltas:
        if key in without:
            without[key] -= value
    back = {pot.id: avail.get(pot.id, 0) for pot in at.pots}
    for leg in old.legs:
        if leg.lot in back:
            back[leg.lot] += leg.amount
    return without, back


def check_target(event: ServiceEvent, target: Target | None) -> None:
    """A reversal, replacement or stop needs one live target of the same member and billing party, and a fitting kind.

    A replacement may bill for another party when it says whose charge it takes (`REPLACED_PARTY`): what an event says
    is all that is left of its sender's rights when it is decided later. Who hands events in asks, before taking one,
    whether the sender acts for both.
    """
    if event.kind not in REFERRING:
        return
    if target is None:
        raise Pended("unknown_target", "the event it refers to is not here", where="replaces")
    if target.superseded or (not target.standing.entries and target.kind in (EntryKind.REVERSAL, EntryKind.RELEASE)):
        raise Refused("already_reversed", "the event it refers to was taken back or replaced before", where="replaces")
    if target.member != event.member:
        raise Refused("invalid_event", "the event it refers to is another member's", where="member")
    if event.kind in UNDOING and target.billing_party != event.billing_party:
        raise Refused("invalid_event", "the event it refers to is another provider's", where="billing_party")
    if event.kind == "replacement" and not _may_take(event, target):
        raise Refused(
            "invalid_event",
            "the event it refers to was billed by another provider",
            where="billing_party",
            next_step=f"Whoever acts for both says so: the fact `{REPLACED_PARTY}` names who billed it first.",
        )
    if event.kind == "stop" and target.kind is not EntryKind.HOLD:
        raise Refused("invalid_event", "a stop ends a hold, and the event it refers to is none", where="replaces")
    if event.kind == "reversal" and target.kind is EntryKind.HOLD:
        raise Refused("invalid_event", "a hold is released by a stop, not reversed", where="kind")


def _may_take(event: ServiceEvent, target: Target) -> bool:
    return target.billing_party in (event.billing_party, event.facts.get(REPLACED_PARTY))
