"""How does a payment get from the holder's wish to the pot? Written down, asked, heard, booked: in this order.

1. `begin` writes the payment down. 2. `carry_out` asks the rail, outside of any transaction; a lost answer leaves it
`unknown`. 3. News - an answer, a callback, a look - are heard by `hear`: money is booked first, once per payment for
ever, then the payment's state is kept, so whatever dies in between is done again and changes nothing. 4. `work_through`
takes up whatever was left lying, by the same keys.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from drachm.application.arrears import make_good, owe, thaw
from drachm.application.body import TopUp
from drachm.application.desk import RETRIES, Desk
from drachm.application.rails import Rail
from drachm.application.records import Record, Records
from drachm.application.top_up import top_up
from drachm.application.transfers import collected, settle_debt, take_back
from drachm.domain.errors import Conflict, DrachmError, InvalidMessage, Unavailable
from drachm.domain.payments.ach import identification
from drachm.domain.payments.model import OPEN, News, Payment, planned, told

KIND: Final = "payment"
LOOK_AFTER: Final = timedelta(minutes=10)
"""A payment that waits for its payer is looked at again after this, in case the callback was lost."""


def begin(payment: Payment, records: Records, *, author: str) -> Payment:
    """Write a payment down, to be carried out; the same payment again gives how it stands now.

    Raises `InvalidMessage` for an amount that no rail can pay, `Conflict` for the same id with other content.
    """
    record = records.get(KIND, planned(payment).id)
    if record is None:
        try:
            records.put([record_of(payment, author=author)])
            return payment
        except Conflict:
            record = records.get(KIND, payment.id)
    here = payment_of(record) if record is not None else payment
    if _wish(here) != _wish(payment):
        raise Conflict("another payment has this id", where=f"payment {payment.id}")
    return here


def carry_out(id: str, rails: Mapping[str, Rail], desk: Desk, records: Records) -> Payment:
    """Ask the rail for a payment that is written down, and hear what it says; one that is settled stays as it is."""
    payment = find(id, records)
    if payment.state not in OPEN:
        return payment
    rail = _rail(payment, rails)
    try:
        news = rail.look(payment) if payment.state == "waiting" else rail.ask(payment)
    except Unavailable:
        # It may have happened. The state says so, and the same key will tell.
        return hear(News("unknown", payment.id), payment.rail, desk, records)
    return hear(news, payment.rail, desk, records)


def hear(news: News, rail: str, desk: Desk, records: Records) -> Payment:
    """Book what the news say and keep the payment's new state; news that are old or known change nothing.

    Raises `InvalidMessage` (`unknown_payment`) when no payment of this rail is meant, `IntegrityError` when the rail
    moved another amount than was asked for.
    """
    for _ in range(RETRIES):
        record = _found(news, rail, records)
        payment = payment_of(record)
        after = told(payment, replace(news, payment=payment.id), desk.clock.now())
        if after is payment:
            return payment
        _book(payment, after, desk, records)
        try:
            records.put([record_of(after, before=record)])
            return after
        except Conflict:
            continue  # Somebody else heard something at the same moment: read again.
    raise Unavailable("news of this payment come faster than they can be kept", where=f"payment {payment.id}")


def work_through(rails: Mapping[str, Rail], desk: Desk, records: Records, *, waiting: bool = True) -> list[Payment]:
    """Take up payments that nobody finished: planned, unknown and (`waiting`) those that wait for their payer for long.

    Gives what became of each. To be called with `waiting` every `LOOK_AFTER` only: each is a question to its rail.
    """
    now = desk.clock.now()
    done = []
    for state in ("planned", "unknown", "waiting") if waiting else ("planned", "unknown"):
        # All of them are found before the first is carried out, and so leaves the list.
        for record in list(all_in(KIND, state, records)):
            if state == "waiting" and _since(record, now) < LOOK_AFTER:
                continue
            try:
                done.append(carry_out(record.id, rails, desk, records))
            except DrachmError:
                continue  # It stays as it stands, and the others must not wait for it.
    return done


def find(id: str, records: Records) -> Payment:
    """A payment by its id. Raises `InvalidMessage` (`unknown_payment`)."""
    record = records.get(KIND, id)
    if record is None:
        raise _nobody()
    return payment_of(record)


def payment_of(record: Record) -> Payment:
    """A payment as it is kept."""
    return msgspec.convert(dict(record.body), Payment)


def record_of(payment: Payment, *, before: Record | None = None, author: str = "") -> Record:
    """A payment as it is to be kept, in the place of `before`."""
    body: dict[str, Any] = msgspec.to_builtins(payment)
    terms = {_state(payment.state), f"pot={payment.pot}"}
    if payment.automatic:
        terms.add("automatic")
    if payment.purpose == "dues" and payment.state == "captured" and not payment.applied:
        terms.add("unapplied")
    if payment.rail == "bank":
        # The bank may also take it from the payer's account: what comes back names it so.
        terms.add(f"ach={identification(payment.id)}")
    if payment.reference:
        terms.add(_reference(payment.rail, payment.reference))
    return Record(
        KIND,
        payment.id,
        body,
        version=before.version if before else 0,
        parties=frozenset(payment.parties),
        members=frozenset({payment.member}),
        terms=frozenset(terms),
        author=before.author if before else author,
    )


def _book(before: Payment, after: Payment, desk: Desk, records: Records) -> None:
    at = after.changed_at or before.begun_at
    amount = after.gone or before.gone or after.amount
    name = f"{after.id}/{after.returns}" if after.returns else after.id
    order = TopUp(f"rail {after.rail}", name, after.pot, after.member, amount, after.currency, after.rail, at)
    if after.state == "returned":
        owe(after.member, after.currency, f"lost {name}", amount, desk, records)
        take_back(order, desk)
    elif after.state == "captured" and before.state == "returned":
        part = make_good(after.member, after.currency, f"won {name}", amount, records)
        settle_debt(order, part, desk, won=True)
        thaw(after.member, after.currency, desk, records)
    elif after.state == "captured" and after.purpose == "arrears":
        part = make_good(after.member, after.currency, f"paid {name}", amount, records)
        settle_debt(order, part, desk)
        thaw(after.member, after.currency, desk, records)
    elif after.state == "captured" and after.purpose == "dues":
        collected(order, after.residue, desk)
    elif after.state == "captured":
        top_up(order, desk)


def _found(news: News, rail: str, records: Records) -> Record:
    if news.payment:
        record = records.get(KIND, news.payment)
        found = [record] if record is not None else []
    else:
        found = records.find(KIND, terms=[_reference(rail, news.reference)], limit=1) if news.reference else []
    if not found or payment_of(found[0]).rail != rail:
        raise _nobody()
    return found[0]


def _wish(payment: Payment) -> tuple[object, ...]:
    asked = payment.rail, payment.pot, payment.member, payment.amount, payment.currency
    return *asked, payment.automatic, payment.purpose, payment.residue


def _rail(payment: Payment, rails: Mapping[str, Rail]) -> Rail:
    rail = rails.get(payment.rail)
    if rail is None:
        raise InvalidMessage(
            f"no rail {payment.rail!r} is connected",
            where=f"payment {payment.id}",
            next_step=f"Use one of: {_words(rails)}.",
            code="unknown_rail",
        )
    return rail


def _words(names: Collection[str]) -> str:
    return ", ".join(sorted(names)) or "none"


def all_in(kind: str, state: str, records: Records) -> Iterator[Record]:
    """Every record of a kind that is in this state, page by page."""
    after = ""
    while page := records.find(kind, after=after, terms=[_state(state)]):
        yield from page
        after = page[-1].id


def _since(record: Record, now: datetime) -> timedelta:
    payment = payment_of(record)
    return now - (payment.changed_at or payment.begun_at)


def _state(state: str) -> str:
    return f"state={state}"


def _reference(rail: str, reference: str) -> str:
    return f"reference={rail}/{reference}"


def _nobody() -> InvalidMessage:
    return InvalidMessage("no payment of this rail has this name", where="payment", code="unknown_payment")
