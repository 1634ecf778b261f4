"""Who owes what for one event? The heart of the product, on one screen."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from drachm.domain.benefits import adjudicate
from drachm.domain.benefits.model import Adjudication, Key
from drachm.domain.clearing.documents import Documents
from drachm.domain.clearing.journal import charge_entries, difference, hold_entries
from drachm.domain.clearing.model import EMPTY, Asked, Clearing, Snapshot, Standing, Target
from drachm.domain.errors import Pended, Refused
from drachm.domain.events.model import ServiceEvent
from drachm.domain.funding.arrange import arrange, reserve
from drachm.domain.funding.model import FundingPlan, Leg, Pot
from drachm.domain.ledger.model import EntryKind

UNDOING: Final = ("reversal", "stop")
"""Kinds that only take back: they need no price, no cover and no contract."""

REFERRING: Final = ("reversal", "replacement", "stop")
"""Kinds that take the place of the event that `replaces` names; on other kinds the field means nothing."""


def clear(event: ServiceEvent, at: Snapshot, documents: Documents) -> Clearing:
    """Decide who owes what for one event. Same inputs, same answer, for ever.

    Raises `Pended` for what cannot be decided yet and `Refused` for what can never be.
    """
    old = at.target.standing if at.target else EMPTY
    if event.kind in UNDOING:
        return _undone(at, old)
    asked = documents.asked(event, at)
    adjudication = _adjudicated(asked, at, documents)
    funding = _funded(event, adjudication, at)
    new = _standing(event, adjudication, funding, at)
    return Clearing(
        status="denied" if adjudication.decision == "denied" else "posted",
        reason=adjudication.reason,
        entry=difference(_kind(event, at.target), new.entries, old.entries),
        standing=new,
        priced=asked.priced,
        adjudication=adjudication,
        funding=funding,
        deltas=_difference_of_deltas(new, old),
        moves=_moves(new.legs, old.legs),
        covers=at.covers,
    )


def _adjudicated(asked: Asked, at: Snapshot, documents: Documents) -> Adjudication:
    currency, priced_in = documents.currency(at), asked.priced.currency
    if currency not in ("", priced_in):
        raise Pended("currency_mismatch", f"the price is in {priced_in}, the plan in {currency}", where="currency")
    adjudication = adjudicate(asked.line, documents.stack(at), at.totals)
    if at.answer is None:
        return adjudication
    return replace(adjudication, decided_by=(at.answer.id,), status=at.answer.status)


def _funded(event: ServiceEvent, adjudication: Adjudication, at: Snapshot) -> FundingPlan:
    share = adjudication.patient_responsibility
    pots = [pot for pot in at.pots if pot.currency == event.currency]
    if share > 0 and at.pots and not pots:
        raise Pended("currency_mismatch", f"no pocket of the member holds {event.currency}", where="funding")
    if event.kind == "hold":
        return reserve(share, pots, must_serve=event.emergency or event.essential)
    return arrange(share, pots)


def _standing(event: ServiceEvent, adjudication: Adjudication, funding: FundingPlan, at: Snapshot) -> Standing:
    if event.kind == "hold":
        # A request moves no accumulator: it is care that has not happened yet.
        return Standing(hold_entries(funding, currency=event.currency), funding.legs, (), 0)
    entries = charge_entries(
        adjudication, funding, provider=at.provider.id, member=event.member, currency=event.currency
    )
    return Standing(entries, funding.legs, adjudication.deltas, funding.due)


def _undone(at: Snapshot, old: Standing) -> Clearing:
    target = at.target
    if target is None:
        raise Pended("unknown_target", "the event it takes back is not here", where="replaces")
    released = target.kind is EntryKind.HOLD
    return Clearing(
        status="posted",
        reason="reversed",
        entry=difference(EntryKind.RELEASE if released else EntryKind.REVERSAL, (), old.entries),
        standing=EMPTY,
        deltas=_difference_of_deltas(EMPTY, old),
        moves=_moves((), old.legs),
        covers=at.covers,
    )


def _kind(event: ServiceEvent, target: Target | None) -> EntryKind:
    if event.kind == "hold":
        return EntryKind.HOLD
    if target is None:
        return EntryKind.CHARGE
    if event.kind == "replacement":
        return EntryKind.CAPTURE if target.kind is EntryKind.HOLD else EntryKind.REPLACEMENT
    return EntryKind.REVISION


def _difference_of_deltas(new: Standing, old: Standing) -> tuple[tuple[Key, int], ...]:
    sums = dict(new.deltas)
    for key, value in old.deltas:
        sums[key] = sums.get(key, 0) - value
    return tuple(sorted((key, value) for key, value in sums.items() if value))


def _moves(new: tuple[Leg, ...], old: tuple[Leg, ...]) -> tuple[tuple[str, int], ...]:
    sums: dict[str, int] = {}
    for legs, sign in ((new, -1), (old, 1)):
        for leg in legs:
            sums[leg.lot] = sums.get(leg.lot, 0) + sign * leg.amount
    return tuple(sorted((lot, amount) for lot, amount in sums.items() if amount))


def unwound(pots: tuple[Pot, ...], totals: dict[Key, int], old: Standing) -> tuple[tuple[Pot, ...], dict[Key, int]]:
    """Pots and totals as if `old` had never been posted: what a new decision in its place may see."""
    back: dict[str, int] = {}
    for leg in old.legs:
        back[leg.lot] = back.get(leg.lot, 0) + leg.amount
    restored = tuple([filled(pot, pot.avail + back[pot.id]) if pot.id in back else pot for pot in pots])
    without = dict(totals)
    for key, value in old.deltas:
        without[key] = without.get(key, 0) - value
    return restored, without


def filled(pot: Pot, avail: int) -> Pot:
    """The pot with what it may spend now."""
    return Pot(pot.id, pot.member, pot.currency, avail, pot.priority, pot.pocket, pot.state)


def check_target(event: ServiceEvent, target: Target | None) -> None:
    """A reversal, replacement or stop needs one live target of the same member and a fitting kind."""
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
    if event.kind == "stop" and target.kind is not EntryKind.HOLD:
        raise Refused("invalid_event", "a stop ends a hold, and the event it refers to is none", where="replaces")
    if event.kind == "reversal" and target.kind is EntryKind.HOLD:
        raise Refused("invalid_event", "a hold is released by a stop, not reversed", where="kind")
