"""How does a bank transfer get from the statement to the pot? By the reference that the payer repeats.

Statements come late, twice, and overlap; a line is booked once, by its own id. What arrived is booked as it arrived: a
payer who sends another amount than was planned has sent that amount. Money that no reference explains stands in an
account of its own until somebody says whose it is; so what the bank holds is always what the books say it holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Literal

import msgspec

from drachm.application.desk import Desk
from drachm.application.payments import KIND as PAYMENT
from drachm.application.payments import begin, hear, payment_of
from drachm.application.records import Record, Records
from drachm.application.transfers import Transfer, transfer
from drachm.domain.errors import Conflict, Forbidden, InvalidMessage
from drachm.domain.ledger.model import Account, Entry, Source
from drachm.domain.payments.bank import BankLine, creditor_reference, references_in
from drachm.domain.payments.model import News, Payment

RAIL: Final = "bank"
LINE: Final = "bank_line"
End = Literal["booked", "unallocated", "returned", "unexplained"]


@dataclass(frozen=True, slots=True)
class BankAccount:
    """Where payers send money to: a rail that is not asked, but listened to."""

    account: str
    """IBAN."""
    name: str = RAIL

    def ask(self, payment: Payment) -> News:
        """`Rail.ask`: what the payer writes into the transfer."""
        reference = creditor_reference(payment.id)
        return News("waiting", payment.id, reference, link=f"{self.account} {reference}")

    def look(self, payment: Payment) -> News:
        """`Rail.look`: nobody can be asked; the statement will tell."""
        return News("waiting", payment.id, payment.reference, link=payment.link)

    def read_callback(self, headers: Mapping[str, str], body: bytes, now: datetime) -> list[News]:
        """`Rail.read_callback`: a bank sends statements, no callbacks."""
        raise Forbidden("a bank sends no callbacks", where="callback", code="callback_forged")


def reconcile(lines: Iterable[BankLine], desk: Desk, records: Records) -> list[tuple[BankLine, End]]:
    """Book what a statement says; lines that were booked before end as they did then."""
    return [(line, _reconciled(line, desk, records)) for line in lines]


def allocate(id: str, pot: str, member: str, desk: Desk, records: Records, *, author: str) -> Payment:
    """Say whose an unallocated line is: its money goes into their pot.

    Raises `InvalidMessage` for a line that is not here, `Conflict` for one that is allocated or explained already.
    """
    record = records.get(LINE, id)
    if record is None:
        raise InvalidMessage("there is no such line", where="bank line", code="unknown_bank_line")
    line, pending = line_of(record), record.body.get("pot", "")
    if record.body["end"] != "unallocated" or pending not in ("", pot):
        raise Conflict("this line is explained already", where=f"bank line {id}", code="line_explained")
    if not pending:
        # Said first, so that nobody says something else while the money moves.
        [record] = records.put([replace(record, body={**record.body, "pot": pot, "holder": member}, author=author)])
    begin(_arrived(line, pot, member, desk.clock.now()), records, author=author)
    transfer(Transfer("bank allocated", id, _parked(line, -line.amount)), desk)
    payment = hear(_captured(line), RAIL, desk, records)
    records.put([replace(_kept(line, "booked", record), author=author)])
    return payment


def _reconciled(line: BankLine, desk: Desk, records: Records) -> End:
    record = records.get(LINE, line.id)
    if record is not None:
        end: End = record.body["end"]
        return end
    end = _explained(line, desk, records)
    try:
        records.put([_kept(line, end)])
    except Conflict:
        # Another reader of the same statement was here: what it booked has the same keys.
        return _reconciled(line, desk, records)
    return end


def _explained(line: BankLine, desk: Desk, records: Records) -> End:
    meant = _meant(line, records)
    if line.amount < 0:
        if meant is not None and line.returned:
            back = News("returned", meant.id, amount=-line.amount, currency=line.currency, reason=line.returned)
            hear(back, RAIL, desk, records)
            return "returned"
        return "unexplained"
    if line.amount == 0:
        return "unexplained"
    if meant is None or meant.currency != line.currency or line.note:
        transfer(Transfer("bank line", line.id, _parked(line, line.amount)), desk)
        return "unallocated"
    if meant.amount == line.amount:
        told = News("captured", meant.id, meant.reference, line.amount, line.currency, told_by=line.id)
        # The payment says which line it was captured by: so a reader who died here, or another who reads the same
        # statement just now, finds that it was this one.
        if hear(told, RAIL, desk, records).told_by == line.id:
            return "booked"
    # Another amount than was planned, or another transfer for the same: booked as what it is, for the same pot.
    begin(_arrived(line, meant.pot, meant.member, desk.clock.now()), records, author="bank")
    hear(_captured(line), RAIL, desk, records)
    return "booked"


def _meant(line: BankLine, records: Records) -> Payment | None:
    for reference in references_in(line.words):
        for record in records.find(PAYMENT, terms=[f"reference={RAIL}/{reference}"], limit=1):
            return payment_of(record)
    return None


def _arrived(line: BankLine, pot: str, member: str, at: datetime) -> Payment:
    return Payment(line.id, RAIL, pot, member, line.amount, line.currency, at)


def _captured(line: BankLine) -> News:
    return News("captured", line.id, line.id, line.amount, line.currency)


def _parked(line: BankLine, amount: int) -> tuple[Entry, ...]:
    return (
        Entry(Account("cash", RAIL, line.currency), amount, Source.RAIL),
        Entry(Account("unallocated", line.account or RAIL, line.currency), -amount, Source.RAIL),
    )


def _kept(line: BankLine, end: End, before: Record | None = None) -> Record:
    body = {**(before.body if before else {}), **msgspec.to_builtins(line), "end": end}
    terms = frozenset({f"end={end}", f"account={line.account}"})
    return Record(LINE, line.id, body, before.version if before else 0, terms=terms)


def line_of(record: Record) -> BankLine:
    """A line as it is kept."""
    names = {name: record.body[name] for name in BankLine.__dataclass_fields__}
    return msgspec.convert(names, BankLine)
