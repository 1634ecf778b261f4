"""How does money go back in cash? Proposed as a record, agreed to and held, handed out of an open box, posted once.

What is agreed to is counted against the cash payments that it is made of, and held in its wallet: whoever comes for it
finds it there. The record says what became of it - of two who decide at once one holds - and the books follow: held,
then out of the box (`window.give`) or let go. Both ends share one key, so only one of them is ever posted. Whatever
dies in between is finished by whoever calls again, and at the latest when the shift is counted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any, Final, Literal

import msgspec

from drachm.application.desk import RETRIES, Desk
from drachm.application.giving_back import KIND as CHARGE_REFUND
from drachm.application.giving_back import refund_of as charge_refund_of
from drachm.application.payments import KIND as PAYMENT
from drachm.application.payments import payment_of, record_of
from drachm.application.records import Record, Records
from drachm.application.refunds import ensure_not_owing
from drachm.application.transfers import KEYS, Transfer, move
from drachm.domain.errors import Conflict, InvalidMessage, Refused, Unavailable
from drachm.domain.ledger.model import Account, Entry, Source
from drachm.domain.payments.cash_refund import CashRefund, agreed, proposed, withdrawn
from drachm.domain.payments.model import Payment
from drachm.domain.transparency.leaf import event_key

KIND: Final = "cash_refund"
OF_REFUND: Final = "cash_refund_of"
"""A record for each refund of a charge names the newest that is made of it: of two at once, one counts."""
RAIL: Final = "cash"
_SOURCE: Final = "cash refund"
_AT_ONCE: Final = 100
_MOST: Final = 1_000
"""Payments into one wallet that are looked at."""


def propose(wish: CashRefund, desk: Desk, records: Records) -> Record:
    """Keep it, to be agreed to; the same one again gives how it stands now.

    Raises as `proposed`, `Conflict` (`arrears_open`) for a holder who owes, and InvalidMessage for a refund of a charge
    that gave this wallet nothing.
    """
    here = records.get(KIND, wish.id)
    if here is not None:
        return here
    ensure_not_owing(wish.member, wish.currency, records)
    made = proposed(wish, [payment for _, payment in cash_of(wish, records)], _left(wish, desk, records))
    try:
        return records.put([as_record(made, None, made.proposed_by, made.proposed_at)])[0]
    except Conflict:
        return record_by(wish.id, records)


def agree(id: str, by: str, at: datetime, desk: Desk, records: Records) -> Record:
    """A second person's consent; the money is held. Raises as `agreed`, and as `propose`.

    One whose wallet holds too little becomes `failed`. What was agreed to and not held is finished.
    """
    for _ in range(RETRIES):
        record = record_by(id, records)
        wish = refund_of(record)
        if wish.state == "agreed":
            return _held(record, by, at, desk, records)
        ensure_not_owing(wish.member, wish.currency, records)
        # The mark is read before what it stands for: who agreed to another meanwhile has written it.
        mark, found = _mark(wish, records), cash_of(wish, records)
        after = agreed(wish, by, at, [payment for _, payment in found], _left(wish, desk, records))
        try:
            kept = records.put([as_record(after, record, by, at), *_counted(after, found), *mark])[0]
        except Conflict:
            continue  # A payment, or another refund of the same money, changed at the same moment.
        return _held(kept, by, at, desk, records)
    raise _busy(id)


def stop(id: str, by: str, at: datetime, desk: Desk, records: Records) -> Record:
    """Withdrawn before it was handed out; what was held is let go; the same again is fine. Raises as `withdrawn`."""
    for _ in range(RETRIES):
        record = record_by(id, records)
        wish = refund_of(record)
        if wish.state == "withdrawn":
            _let_go(wish, desk)
            return record
        after = withdrawn(wish, by, at)
        try:
            kept = records.put([as_record(after, record, by, at), *_uncounted(wish, records)])[0]
        except Conflict:
            continue
        _let_go(after, desk)
        return kept
    raise _busy(id)


def handed_out(wish: CashRefund, desk: Desk) -> None:
    """Book what a clerk handed out: it leaves the wallet, and the box. Called again it posts nothing."""
    move(_row(wish, "end", ("wallet_held", wish.pot), ("cash", RAIL)), desk)


def handed_out_in(shift: str, records: Records) -> Iterator[CashRefund]:
    """Every refund that was handed out in a shift."""
    after = ""
    while page := records.find(KIND, after=after, limit=_AT_ONCE, terms=[f"shift={shift}"]):
        yield from map(refund_of, page)
        after = page[-1].id


def refund_of(record: Record) -> CashRefund:
    """A record as the rules see it."""
    return msgspec.convert(record.body["wish"], CashRefund)


def as_record(wish: CashRefund, before: Record | None, by: str, at: datetime, why: str = "") -> Record:
    """A refund as it is to be written in the place of `before`."""
    body: dict[str, Any] = {"wish": msgspec.to_builtins(wish), "why": why}
    terms = {f"state={wish.state}", f"pot={wish.pot}"}
    terms |= {f"charge_refund={wish.charge_refund}"} if wish.charge_refund else set()
    terms |= {f"shift={wish.shift}"} if wish.shift else set()
    version = before.version if before is not None else 0
    members = frozenset({wish.member})
    return Record(KIND, wish.id, body, version, frozenset({wish.party}), members, frozenset(terms), author=by, at=at)


def record_by(id: str, records: Records) -> Record:
    """By its id. Raises InvalidMessage (`unknown_refund`)."""
    record = records.get(KIND, id)
    if record is None:
        raise InvalidMessage("there is no such refund", where="refund_id", code="unknown_refund")
    return record


def cash_of(wish: CashRefund, records: Records) -> list[tuple[Record, Payment]]:
    """What came into the wallet as cash at windows of the same clinic."""
    found = records.find(PAYMENT, terms=[f"pot={wish.pot}", "state=captured"], parties=[wish.party], limit=_MOST)
    paid = [(record, payment_of(record)) for record in found]
    return [(record, one) for record, one in paid if one.rail == RAIL and one.member == wish.member]


def given_back(charge_refund: Record, desk: Desk) -> dict[str, int]:
    """What a refund of a charge gave back to each pot, in micros; nothing before it is done."""
    row = int(charge_refund.body.get("row") or 0)
    if not row or charge_refund_of(charge_refund).state != "done":
        return {}
    sums: dict[str, int] = {}
    for _, written in desk.books.rows(row - 1, 1):
        for account, amount, _ in written.entries:
            if account.kind == "wallet":
                sums[account.owner] = sums.get(account.owner, 0) - amount
    return {pot: amount for pot, amount in sums.items() if amount > 0}


def _left(wish: CashRefund, desk: Desk, records: Records) -> int | None:
    """What of the refund of a charge was not handed out, or agreed to be, yet; None where none is named."""
    if not wish.charge_refund:
        return None
    record = records.get(CHARGE_REFUND, wish.charge_refund)
    back = given_back(record, desk).get(wish.pot, 0) if record is not None and wish.party in record.parties else 0
    if not back:
        raise InvalidMessage(
            "this refund of a charge gave nothing back to this wallet",
            where="charge_refund",
            next_step="Wait until it is done, and name the wallet that it gave money back to.",
            code="invalid_refund",
        )
    others = records.find(KIND, terms=[f"charge_refund={wish.charge_refund}"], limit=_MOST)
    made = [refund_of(one) for one in others]
    return max(0, back - sum(one.amount for one in made if one.counts and one.id != wish.id))


def _held(record: Record, by: str, at: datetime, desk: Desk, records: Records) -> Record:
    """Hold the money of what was agreed to, and keep whether it could be."""
    wish, why = refund_of(record), ""
    became: Literal["ready", "failed"] = "ready"
    try:
        move(_row(wish, "hold", ("wallet", wish.pot), ("wallet_held", wish.pot)), desk)
    except Refused as no:
        became, why = "failed", no.code
    uncounted = _uncounted(wish, records) if why else []
    after = replace(wish, outcome=became)
    try:
        kept = records.put([as_record(after, record, by, at, why), *uncounted])[0]
    except Conflict:
        kept = record_by(wish.id, records)
        if kept.version == record.version:
            return _held(kept, by, at, desk, records)  # Only a payment had changed meanwhile.
    if refund_of(kept).state in ("failed", "withdrawn"):
        _let_go(wish, desk)
    return kept


def _let_go(wish: CashRefund, desk: Desk) -> None:
    """What may be held is its wallet's again."""
    with desk.books.work() as work:
        key = event_key(work.tenant, f"{KEYS} {_SOURCE}", f"{wish.id}/hold")
        held = key in work.newest([key])
    if held:
        move(_row(wish, "end", ("wallet_held", wish.pot), ("wallet", wish.pot)), desk)


def _row(wish: CashRefund, step: str, *legs: tuple[str, str]) -> Transfer:
    (out, into), owned = legs, wish.currency
    entries = (
        Entry(Account(*out, owned), wish.amount, Source.RAIL),
        Entry(Account(*into, owned), -wish.amount, Source.RAIL),
    )
    return Transfer(_SOURCE, f"{wish.id}/{step}", entries, wish.member)


def _counted(wish: CashRefund, found: list[tuple[Record, Payment]]) -> list[Record]:
    """The payments that it is made of, with their parts counted."""
    parts = dict(wish.parts)
    return [
        record_of(replace(payment, refunded=payment.refunded + parts[payment.id]), before=record)
        for record, payment in found
        if payment.id in parts
    ]


def _uncounted(wish: CashRefund, records: Records) -> list[Record]:
    """The same payments, as if it had never been agreed to."""
    found = [(records.get(PAYMENT, name), part) for name, part in wish.parts]
    pairs = [(record, payment_of(record), part) for record, part in found if record is not None]
    return [record_of(replace(one, refunded=one.refunded - part), before=record) for record, one, part in pairs]


def _mark(wish: CashRefund, records: Records) -> list[Record]:
    if not wish.charge_refund:
        return []
    here = records.get(OF_REFUND, wish.charge_refund)
    return [Record(OF_REFUND, wish.charge_refund, {"refund": wish.id}, here.version if here is not None else 0)]


def _busy(id: str) -> Unavailable:
    return Unavailable("what this refund is made of changes faster than it can be kept", where=f"refund {id}")
