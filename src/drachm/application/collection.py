"""How is what patients owe of care collected over a rail? Rarely, in one payment for many dues, and to the micro.

Amounts due add up in the books; a rail is touched when they are worth it (`domain.payments.tariff.Collecting`). One
payment asks for whole coins of all of them; what is less than one stays owed in the patient's residue account and is
paid with the next one. The money comes into a pot of its own, which pays the dues it was asked for, oldest first, each
by the one posting mechanism; a due that was paid elsewhere meanwhile leaves money there, which pays the next due or
goes back. Every step has a key of its own: whoever dies, is late or comes twice changes nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Final, NamedTuple, Protocol

import msgspec

from drachm.application.arrears import arrears_of
from drachm.application.cards import card_of
from drachm.application.desk import Desk
from drachm.application.money_reading import Balance, Due
from drachm.application.pay_due import Yes, pay_due
from drachm.application.payments import KIND as PAYMENT
from drachm.application.payments import begin, carry_out, payment_of, record_of
from drachm.application.rails import Rail
from drachm.application.recall import kept_of
from drachm.application.records import Record, Records
from drachm.domain.errors import Conflict, DrachmError, Refused
from drachm.domain.funding.model import Pot
from drachm.domain.payments.automatic import PATIENCE
from drachm.domain.payments.model import OPEN, Payment
from drachm.domain.payments.tariff import Collecting, collectable, due_for_collection

CONSENT: Final = "collection_consent"
POCKET: Final = "dues"
PAYMENTS_MAX: Final = 1_000
PAGE: Final = 500


class Policy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When and by which rail dues of one currency are collected."""

    rail: str
    when: Collecting = Collecting()


class DueReading(Protocol):
    """What is due, as `MoneyReading` says it."""

    def dues(self, member: str, currency: str) -> list[Due]: ...

    def accounts(self, *, after: tuple[str, str, str] = ..., limit: int = ..., kind: str = ...) -> list[Balance]: ...


class Owed(NamedTuple):
    """What one patient owes of care in one currency. Micros."""

    dues: tuple[Due, ...]
    residue: int
    """Carried over from collections."""
    payments: tuple[Payment, ...]
    """The collections so far, oldest first."""

    @property
    def amount(self) -> int:
        return sum(due.amount for due in self.dues) + self.residue

    @property
    def open(self) -> Payment | None:
        """A collection that is on its way, or whose money has not reached its dues."""
        return next((one for one in self.payments if one.state in OPEN or _unapplied(one)), None)


def owed_of(member: str, currency: str, records: Records, reading: DueReading) -> Owed:
    """What a patient owes of care, with the collections so far."""
    found = records.find(PAYMENT, terms=[f"pot={dues_pot(member, currency).id}"], limit=PAYMENTS_MAX)
    payments = sorted((payment_of(one) for one in found), key=lambda one: (one.begun_at, one.id))
    residue = sum(one.residue for one in payments if one.state in ("captured", "returned"))
    return Owed(tuple(reading.dues(member, currency)), residue, tuple(payments))


def collect(
    member: str,
    currency: str,
    policy: Policy,
    rails: Mapping[str, Rail],
    desk: Desk,
    records: Records,
    reading: DueReading,
    *,
    asked: bool = False,
) -> Payment | None:
    """Collect what a patient owes if it is time, or (`asked`) because the patient wants to pay it; None: it is not.

    A collection that is open is given as it stands. By a card on file only with the patient's consent, else by a link.
    """
    apply_dues(member, currency, desk, records, reading)
    owed, now = owed_of(member, currency, records, reading), desk.clock.now()
    if owed.open is not None or not owed.dues:
        return owed.open
    if not asked and not _is_time(owed, member, currency, policy.when, now, records):
        return None
    # What lies in the pot and could not be applied just now is not asked for again.
    there = desk.books.pots([dues_pot(member, currency).id]).get(dues_pot(member, currency).id, (0, 0))[0]
    amount, left = collectable(max(0, owed.amount - there), currency)
    if amount <= 0:
        return None
    by_card = not asked and consented(member, records) and card_of(policy.rail, member, records) is not None
    pot = _opened(dues_pot(member, currency), desk)
    number = hashlib.sha256(f"{pot.id}\0{len(owed.payments)}".encode()).hexdigest()[:24]
    wish = Payment(
        f"pay_{number}",
        policy.rail,
        pot.id,
        member,
        amount,
        currency,
        now,
        automatic=by_card,
        parties=_providers(owed.dues, desk),
        purpose="dues",
        residue=left - owed.residue,
    )
    try:
        begin(wish, records, author=CONSENT if by_card else member)
    except Conflict:
        # Somebody else began this very collection, of what was due a moment earlier.
        return owed_of(member, currency, records, reading).open
    payment = carry_out(wish.id, rails, desk, records)
    apply_dues(member, currency, desk, records, reading)
    return payment


def apply_dues(member: str, currency: str, desk: Desk, records: Records, reading: DueReading) -> int:
    """Pay dues with what was collected, oldest first, as far as it reaches; how many micros of them were paid."""
    pot = dues_pot(member, currency)
    left, paid = desk.books.pots([pot.id]).get(pot.id, (0, 0))[0], 0
    for due in reading.dues(member, currency) if left else ():
        amount = min(due.amount, left)
        try:
            # The row that stands makes the id: whoever looks at the same moment pays the same due once.
            done = pay_due(Yes(f"collected-{due.position}", due.key, amount, outside=pot), desk)
        except Conflict:
            continue  # It was paid, or taken back, at the same moment.
        except Refused:
            break  # Somebody else spent it on these dues.
        if not done.again:
            left, paid = left - done.amount, paid + done.amount
        if left <= 0:
            break
    for record in records.find(PAYMENT, terms=[f"pot={pot.id}", "unapplied"]):
        try:
            records.put([record_of(replace(payment_of(record), applied=True), before=record)])
        except Conflict:
            continue  # Something is heard of it just now: at the next look.
    return paid


def apply_collected(desk: Desk, records: Records, reading: DueReading) -> int:
    """The same for everybody whose collection has come in; how many micros of dues were paid."""
    return sum(
        apply_dues(payment.member, payment.currency, desk, records, reading)
        for payment in [payment_of(one) for one in records.find(PAYMENT, terms=["unapplied"], limit=PAGE)]
    )


def keep_collecting(
    policies: Mapping[str, Policy], rails: Mapping[str, Rail], desk: Desk, records: Records, reading: DueReading
) -> list[Payment]:
    """Collect from everybody of whom it is time; what became of each. One that fails does not hold up the others."""
    done = []
    for member, currency in list(_debtors(reading)):
        policy = policies.get(currency)
        if policy is None or policy.rail not in rails:
            continue
        try:
            payment = collect(member, currency, policy, rails, desk, records, reading)
        except DrachmError:
            continue  # Its payment says how it stands, and is taken up again.
        if payment is not None:
            done.append(payment)
    return done


def consented(member: str, records: Records) -> bool:
    """Whether the patient lets what is due be taken from the card on file."""
    record = records.get(CONSENT, member)
    return record is not None and bool(record.body["by_card"])


def set_consent(member: str, by_card: bool, records: Records, *, author: str, version: int = 0) -> Record:
    """Keep the patient's word in the place of `version`. Raises `Conflict` (`version`)."""
    body = {"by_card": by_card}
    [record] = records.put([Record(CONSENT, member, body, version, members=frozenset({member}), author=author)])
    return record


def dues_pot(member: str, currency: str) -> Pot:
    """The pot into which a patient's collections come. It is nobody's pocket: no new care is paid from it."""
    return Pot(f"due:{member}:{currency}", "", currency, pocket=POCKET)


def _is_time(owed: Owed, member: str, currency: str, when: Collecting, now: datetime, records: Records) -> bool:
    bad = _failed(owed.payments)
    if bad:
        if len(bad) > len(PATIENCE):
            return False  # Only the patient may try now.
        if now < (bad[-1].changed_at or bad[-1].begun_at) + PATIENCE[len(bad) - 1]:
            return False
    promised = max(0, arrears_of(member, currency, records).owed)
    return bool(due_for_collection(owed.amount, _oldest(owed.dues), promised, now.date(), when))


def _failed(payments: Sequence[Payment]) -> list[Payment]:
    """Those at the end that were declined, or that nobody paid in time."""
    bad: list[Payment] = []
    for one in reversed(payments):
        if one.state not in ("declined", "expired"):
            break
        bad.insert(0, one)
    return bad


def _oldest(dues: Sequence[Due]) -> date:
    return min(due.day for due in dues)


def _unapplied(payment: Payment) -> bool:
    return payment.state == "captured" and not payment.applied


def _opened(pot: Pot, desk: Desk) -> Pot:
    if pot.id not in desk.books.pots([pot.id]):
        desk.books.enrol(pots=[pot])
    return pot


def _providers(dues: Sequence[Due], desk: Desk) -> tuple[str, ...]:
    with desk.books.work() as work:
        found = [kept_of(stored) for stored in work.newest([due.key for due in dues]).values()]
    events = [kept.body.packed for kept in found if kept is not None]
    return tuple(sorted({event.billing_party for event in events if event is not None}))


def _debtors(reading: DueReading) -> Iterator[tuple[str, str]]:
    after = ("", "", "")
    while page := reading.accounts(after=after, limit=PAGE, kind="patient_receivable"):
        yield from [(one.account.owner, one.account.currency) for one in page if one.micros > 0]
        last = page[-1].account
        after = last.kind, last.owner, last.currency
