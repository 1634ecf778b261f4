"""How does a refund get from somebody's decision to the card? Written down, held, asked, heard, booked: in this order.

1. `begin_refund` writes the refund down and counts it against its payment in one step, so that two at once never send
back more than came in. 2. `carry_out_refund` holds the money in its pot, then asks the rail outside of any transaction.
3. `hear_refund` books the end - what was held leaves, or is let go - once for ever, then keeps the new state; whatever
dies in between is done again and changes nothing. 4. `work_through_refunds` takes up whatever was left lying.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final, cast

import msgspec

from drachm.application.arrears import arrears_of
from drachm.application.desk import RETRIES, Desk
from drachm.application.payments import KIND as PAYMENT
from drachm.application.payments import LOOK_AFTER, all_in, find, payment_of, record_of
from drachm.application.rails import Rail, RefundingRail
from drachm.application.records import Record, Records
from drachm.application.transfers import Transfer, move
from drachm.domain.errors import Conflict, DrachmError, InvalidMessage, Refused, Unavailable
from drachm.domain.ledger.model import Account, Entry, Source
from drachm.domain.payments.refund import (
    REFUND_OPEN,
    Refund,
    RefundNews,
    RefundState,
    refund_planned,
    refund_told,
)

KIND: Final = "refund"
SOURCE: Final = "refund"
"""Of its transfers' keys; their ids are the refund's with a step behind it."""
_HELD: Final[frozenset[RefundState]] = frozenset({"held", "unknown", "waiting"})


def begin_refund(refund: Refund, records: Records, *, author: str) -> Refund:
    """Write a refund down, to be carried out; the same refund again gives how it stands now.

    Raises as `refund_planned`, and `Conflict` for the same id with other content.
    """
    for _ in range(RETRIES):
        here = records.get(KIND, refund.id)
        if here is not None:
            known = refund_of(here)
            if _wish(known) != _wish(refund):
                raise Conflict("another refund has this id", where=f"refund {refund.id}")
            return known
        kept = records.get(PAYMENT, refund.payment)
        counted = refund_planned(refund, find(refund.payment, records))
        ensure_not_owing(refund.member, refund.currency, records)
        try:
            records.put([_kept(refund, author=author), record_of(counted, before=kept)])
        except Conflict:
            continue  # The payment changed at the same moment: what is left of it may be less now.
        return refund
    raise Unavailable("this payment changes faster than it can be refunded", where=f"payment {refund.payment}")


def carry_out_refund(id: str, rails: Mapping[str, Rail], desk: Desk, records: Records) -> Refund:
    """Hold the money, ask the rail, and hear what it says; a refund that has ended stays as it is.

    One whose pot holds too little is declined (`insufficient_funds`).
    """
    refund = find_refund(id, records)
    if refund.state not in REFUND_OPEN:
        return refund
    if refund.wallet:
        return hear_refund(RefundNews("done", id), desk, records)
    if refund.state == "planned":
        refund = hear_refund(RefundNews("held", id), desk, records)
        if refund.state not in REFUND_OPEN:
            return refund
    rail, payment = refunding(refund.rail, rails), find(refund.payment, records)
    try:
        news = rail.look_at_refund(refund, payment) if refund.state == "waiting" else rail.refund(refund, payment)
    except Unavailable:
        # It may have happened. The state says so, and the same key will tell.
        news = RefundNews("unknown", id)
    return hear_refund(news, desk, records)


def hear_refund(news: RefundNews, desk: Desk, records: Records, *, rail: str = "") -> Refund:
    """Book what the news say and keep the refund's new state; news that are old or known change nothing.

    `rail` says who told it, where it was a rail. Raises `InvalidMessage` (`unknown_refund`) when no refund of this rail
    is meant, `IntegrityError` when the rail moved another amount.
    """
    held_here = False
    for _ in range(RETRIES):
        record = _found(news.refund, records)
        before = refund_of(record)
        if rail not in ("", before.rail) or (rail and before.wallet):
            raise _nobody()
        after = refund_told(before, news, desk.clock.now())
        if after is before:
            if held_here and before.state == "declined":
                # While the money was held here, somebody else had found the pot empty.
                _release(before, desk)
            return before
        try:
            _book(before, after, desk)
        except Refused as error:
            # Only what is not held yet can find its pot empty: nothing was told to anybody.
            news = RefundNews("declined", before.id, reason=error.code)
            continue
        except Conflict:
            # Somebody booked the other end and died before it was kept: that one comes first.
            hear_refund(replace(news, state="declined" if news.state == "done" else "done"), desk, records)
            continue
        held_here = after.state == "held"
        counted = _uncounted(after, records) if after.state == "declined" else []
        try:
            records.put([_kept(after, before=record), *counted])
            return after
        except Conflict:
            continue  # Somebody else heard something at the same moment: read again.
    raise Unavailable("news of this refund come faster than they can be kept", where=f"refund {news.refund}")


def work_through_refunds(
    rails: Mapping[str, Rail], desk: Desk, records: Records, *, waiting: bool = True
) -> list[Refund]:
    """Take up refunds that nobody finished, as `payments.work_through` does payments."""
    now, done = desk.clock.now(), []
    for state in ("planned", "held", "unknown", "waiting") if waiting else ("planned", "held", "unknown"):
        for record in list(all_in(KIND, state, records)):
            refund = refund_of(record)
            if state == "waiting" and _since(refund, now) < LOOK_AFTER:
                continue
            try:
                done.append(carry_out_refund(record.id, rails, desk, records))
            except DrachmError:
                continue  # It stays as it stands, and the others must not wait for it.
    return done


def refunding(rail: str, rails: Mapping[str, Rail]) -> RefundingRail:
    """A rail that sends money back. Raises `InvalidMessage` (`rail_keeps`) for one that cannot."""
    found = rails.get(rail)
    if found is None or not hasattr(found, "refund"):
        able = sorted(name for name, one in rails.items() if hasattr(one, "refund"))
        raise InvalidMessage(
            f"money that came by {rail} cannot go back the same way",
            where="rail",
            next_step=f"Refund it to a wallet with the payer's consent. Able are: {', '.join(able) or 'none'}.",
            code="rail_keeps",
        )
    return cast(RefundingRail, found)


def find_refund(id: str, records: Records) -> Refund:
    """A refund by its id. Raises `InvalidMessage` (`unknown_refund`)."""
    return refund_of(_found(id, records))


def refund_of(record: Record) -> Refund:
    """A refund as it is kept."""
    return msgspec.convert(dict(record.body), Refund)


def ensure_not_owing(member: str, currency: str, records: Records) -> None:
    """Whoever owes for a payment that went back takes no money out. Raises `Conflict` (`arrears_open`)."""
    arrears = arrears_of(member, currency, records)
    if arrears.frozen:
        raise Conflict(
            f"its holder owes {arrears.owed} micros for a payment that went back",
            where=f"member {member}",
            next_step="Make that good first: it may be paid out of the wallet itself.",
            code="arrears_open",
        )


def _book(before: Refund, after: Refund, desk: Desk) -> None:
    """What stands in the books for each step; each is posted once, however often it is heard."""
    if after.wallet:
        if after.state == "done":
            _post(after, "end", desk, ("wallet", after.pot, 1), ("wallet", after.wallet, -1))
        return
    if after.state == "held":
        _post(after, "hold", desk, ("wallet", after.pot, 1), ("wallet_held", after.pot, -1))
    elif after.state == "done":
        _post(after, "end", desk, ("wallet_held", after.pot, 1), ("cash", after.rail, -1))
    elif after.state == "declined" and before.state in _HELD:
        _release(after, desk)
    elif after.state == "declined" and before.state == "done":
        _post(after, "back", desk, ("cash", after.rail, 1), ("wallet", after.pot, -1))


def _release(refund: Refund, desk: Desk) -> None:
    _post(refund, "end", desk, ("wallet_held", refund.pot, 1), ("wallet", refund.pot, -1))


def _post(refund: Refund, step: str, desk: Desk, *legs: tuple[str, str, int]) -> None:
    entries = tuple(
        Entry(Account(kind, owner, refund.currency), sign * refund.amount, Source.RAIL) for kind, owner, sign in legs
    )
    move(Transfer(SOURCE, f"{refund.id}/{step}", entries, refund.member), desk)


def _uncounted(refund: Refund, records: Records) -> list[Record]:
    """The payment as if this refund had never been asked for."""
    record = records.get(PAYMENT, refund.payment)
    if record is None:
        return []
    payment = payment_of(record)
    return [record_of(replace(payment, refunded=payment.refunded - refund.amount), before=record)]


def _kept(refund: Refund, *, before: Record | None = None, author: str = "") -> Record:
    body: dict[str, Any] = msgspec.to_builtins(refund)
    terms = {f"state={refund.state}", f"payment={refund.payment}", f"pot={refund.pot}"}
    return Record(
        KIND,
        refund.id,
        body,
        version=before.version if before else 0,
        members=frozenset({refund.member}),
        terms=frozenset(terms),
        author=before.author if before else author,
    )


def _found(id: str, records: Records) -> Record:
    record = records.get(KIND, id)
    if record is None:
        raise _nobody()
    return record


def _nobody() -> InvalidMessage:
    return InvalidMessage("no refund of this rail has this name", where="refund", code="unknown_refund")


def _wish(refund: Refund) -> tuple[object, ...]:
    return refund.payment, refund.pot, refund.amount, refund.currency, refund.wallet


def _since(refund: Refund, now: datetime) -> timedelta:
    return now - (refund.changed_at or refund.begun_at)
