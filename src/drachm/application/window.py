"""How does cash come in at a window, and out? By a clerk in an open shift, booked at once, counted in the end.

What a clerk took or handed out is written down together with the shift that it belongs to; so a shift that is closed at
the same moment either has it or refuses it, and of two clerks who hand out the same refund one does. Then it is booked:
a payment like any other, a refund as `cash_refunds` says.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import msgspec

from drachm.application.cash_refunds import RAIL, as_record, handed_out, handed_out_in, record_by, refund_of
from drachm.application.desk import RETRIES, Desk
from drachm.application.payments import KIND, find, hear, payment_of, record_of
from drachm.application.records import Record, Records
from drachm.application.transfers import Transfer, transfer
from drachm.domain.errors import Conflict, InvalidMessage, Unavailable
from drachm.domain.ledger.model import Account, Entry, Source
from drachm.domain.payments.cash import Shift, closed, given, opened, taken
from drachm.domain.payments.cash_refund import CashRefund, paid
from drachm.domain.payments.model import News, Payment, planned

SHIFT: Final = "shift"
WINDOW: Final = "window"
"""A record for each window names its open shift: so there is one at most."""


def open_shift(shift: Shift, records: Records) -> Shift:
    """Begin a shift. Raises `InvalidMessage`, and `Conflict` (`window_taken`) while another shift is open there."""
    here = records.get(WINDOW, shift.window)
    busy = here is not None and here.body["shift"] not in ("", shift.id)
    if busy or records.get(SHIFT, shift.id) is not None:
        raise _taken(shift)
    version = here.version if here is not None else 0
    window = Record(WINDOW, shift.window, {"shift": shift.id}, version, author=shift.clerk)
    try:
        records.put([_kept(opened(shift)), window])
    except Conflict:
        raise _taken(shift) from None
    return shift


def take(payment: Payment, shift: str, clerk: str, desk: Desk, records: Records) -> Payment:
    """Money that a clerk holds in hand, into its pot; the same payment again changes nothing.

    Raises `InvalidMessage`, and `Conflict` when the shift is closed, another clerk's, or the id is another payment's.
    """
    party = shift_of(shift, records).party
    wish = replace(planned(payment), rail=RAIL, reference=shift, parties=(party,) if party else ())
    for _ in range(RETRIES):
        known = records.get(KIND, wish.id)
        if known is not None:
            if _taken_as(payment_of(known)) != _taken_as(wish):
                raise Conflict("another payment has this id", where=f"payment {wish.id}")
            return _booked(wish.id, desk, records)
        record = _record(shift, records)
        after = taken(_shift(record), wish.amount, wish.currency, clerk)
        try:
            records.put([record_of(wish, author=clerk), _kept(after, record)])
        except Conflict:
            continue
        return _booked(wish.id, desk, records)
    raise Unavailable("this shift is busier than can be", where=f"shift {shift}")


def give(id: str, shift: str, clerk: str, desk: Desk, records: Records) -> CashRefund:
    """A refund that was agreed to, in cash out of a box; the same again changes nothing.

    Raises InvalidMessage, and `Conflict`: `refund_paid` when another has handed it out, `refund_not_ready` while nobody
    agreed, `box_short` for more than the box holds, `shift_closed`, `not_your_shift`, or a box of another clinic's.
    """
    for _ in range(RETRIES):
        known, record = record_by(id, records), _record(shift, records)
        wish, box = refund_of(known), _shift(record)
        if wish.state == "paid" and (wish.shift, wish.paid_by) == (shift, clerk):
            handed_out(wish, desk)
            return wish
        at = desk.clock.now()
        done = paid(wish, shift, clerk, at)
        if box.party != wish.party:
            raise Conflict("this box is another clinic's", where="shift", next_step="Use a box of the same clinic.")
        after = given(box, wish.amount, wish.currency, clerk)
        try:
            records.put([as_record(done, known, clerk, at), _kept(after, record)])
        except Conflict:
            continue
        handed_out(done, desk)
        return done
    raise Unavailable("this shift is busier than can be", where=f"shift {shift}")


def close_shift(shift: str, counted: int, clerk: str, desk: Desk, records: Records) -> Shift:
    """Count the box and end the shift; what is too little or too much is posted. The same count again is no error."""
    for _ in range(RETRIES):
        record = _record(shift, records)
        before = _shift(record)
        if before.closed_at is not None and (before.counted, before.clerk) == (counted, clerk):
            return _settled(before, desk, records)
        after = closed(before, counted, clerk, desk.clock.now())
        window = records.get(WINDOW, after.window)
        free = [replace(window, body={"shift": ""}, author=clerk)] if window is not None else []
        try:
            records.put([_kept(after, record), *free])
        except Conflict:
            continue
        return _settled(after, desk, records)
    raise Unavailable("this shift is busier than can be", where=f"shift {shift}")


def shift_of(id: str, records: Records) -> Shift:
    """A shift by its id. Raises `InvalidMessage` (`unknown_shift`)."""
    return _shift(_record(id, records))


def _taken_as(payment: Payment) -> tuple[object, ...]:
    return payment.pot, payment.member, payment.amount, payment.currency, payment.reference


def _booked(id: str, desk: Desk, records: Records) -> Payment:
    payment = find(id, records)
    return hear(News("captured", id, payment.reference, payment.amount, payment.currency), RAIL, desk, records)


def _settled(shift: Shift, desk: Desk, records: Records) -> Shift:
    # A clerk's machine may have died between writing money down and booking it, in or out.
    for record in records.find(KIND, terms=["state=planned", f"reference={RAIL}/{shift.id}"]):
        _booked(record.id, desk, records)
    for refund in handed_out_in(shift.id, records):
        handed_out(refund, desk)
    if shift.difference:
        entries = (
            Entry(Account("cash", RAIL, shift.currency), shift.difference, Source.RAIL),
            Entry(Account("cash_difference", shift.window, shift.currency), -shift.difference, Source.RAIL),
        )
        transfer(Transfer(SHIFT, shift.id, entries), desk)
    return shift


def _record(id: str, records: Records) -> Record:
    record = records.get(SHIFT, id)
    if record is None:
        raise InvalidMessage("there is no such shift", where="shift", code="unknown_shift")
    return record


def _shift(record: Record) -> Shift:
    return msgspec.convert(dict(record.body), Shift)


def _kept(shift: Shift, before: Record | None = None) -> Record:
    body = msgspec.to_builtins(shift)
    parties = frozenset({shift.party} if shift.party else ())
    return Record(SHIFT, shift.id, body, before.version if before else 0, parties, author=shift.clerk)


def _taken(shift: Shift) -> Conflict:
    return Conflict(
        "a shift is open at this window, or this shift was opened before",
        where=f"window {shift.window}",
        next_step="Close the open shift first.",
        code="window_taken",
    )
