"""What of some people is not settled yet: money that is theirs or owed by them, and care that still waits?

Read afresh from the books, from records, and from the readers' index, which may be a moment behind: then `moment` says
so, and whoever asks asks again. Whoever erases asks when nobody can change any of it (`Books.erase_people`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from drachm.application.collection import dues_pot
from drachm.application.desk import Desk
from drachm.application.households import WALLET, memberships
from drachm.application.journal_index import Indexed, JournalIndex
from drachm.application.money_reading import Balance, MoneyReading
from drachm.application.records import Record, Records
from drachm.application.register import Register
from drachm.domain.money import minor_unit

What = Literal[
    "wallet",
    "shared_wallet",
    "amount_due",
    "arrears",
    "residue",
    "credit",
    "payment",
    "refund",
    "charge_refund",
    "cash_refund",
    "write_off",
    "question",
    "request",
    "event",
    "moment",
]
MOST: Final = 1_000
LISTED: Final = 20
"""Of one sort, as many are named."""
_ACCOUNTS: Final[dict[str, What]] = {
    "patient_receivable": "amount_due",
    "holder_receivable": "arrears",
    "residue": "residue",
    "patient_credit": "credit",
}
_RECORDS: Final[tuple[tuple[What, str, tuple[str, ...]], ...]] = (
    ("payment", "payment", ("state=planned", "state=unknown", "state=waiting", "unapplied")),
    ("refund", "refund", ("state=planned", "state=held", "state=unknown", "state=waiting")),
    ("charge_refund", "charge_refund", ("state=proposed", "state=agreed", "state=waiting")),
    ("cash_refund", "cash_refund", ("state=proposed", "state=agreed", "state=ready")),
    ("write_off", "write_off", ("state=proposed", "state=agreed")),
    ("question", "receipt_question", ("state=asked",)),
)
"""Kinds of records, with the terms of those that wait for somebody."""


class InTheWay(NamedTuple):
    """One thing that has to be settled first."""

    what: What
    of: str = ""
    """Its id outside; empty for a row of the journal."""
    micros: int = 0
    """Of a wallet what is in it and promised, of an account its balance; elsewhere 0."""
    currency: str = ""
    row: Indexed | None = None
    """The event of a request or of care that waits."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where it is looked for."""

    desk: Desk
    records: Records
    index: JournalIndex
    money: MoneyReading
    register: Register


def in_the_way(members: Collection[str], places: Places) -> list[InTheWay]:
    """Everything of these people that is not settled; empty when they can be erased."""
    found: list[InTheWay] = []
    currencies: set[str] = set()
    for member in sorted(members):
        for what, one in _accounts(member, places.money):
            currencies.add(one.account.currency)
            if one.micros and not (what == "residue" and abs(one.micros) < minor_unit(one.account.currency)):
                found.append(InTheWay(what, "", one.micros, one.account.currency))
        found += _wallets(member, currencies, places)
        found += _shared(member, places)
        found += _waiting(member, places.records)
    found += [InTheWay("request", row=row) for row in places.index.open_holds(members, LISTED)]
    waiting = places.index.waiting(parties=None, members=members, limit=LISTED)
    found += [InTheWay("event", row=row) for row in waiting]
    if places.index.posted_behind(members):
        found.append(InTheWay("moment"))
    return found


def _accounts(member: str, money: MoneyReading) -> Iterator[tuple[What, Balance]]:
    for kind, what in _ACCOUNTS.items():
        for one in money.accounts(after=(kind, member, ""), limit=LISTED, kind=kind):
            if one.account.owner != member:
                break
            yield what, one


def _wallets(member: str, currencies: Collection[str], places: Places) -> Iterator[InTheWay]:
    for purse in places.money.purses(members=[member], limit=MOST):
        if purse.pot.avail or purse.held:
            yield InTheWay("wallet", purse.pot.id, purse.pot.avail + purse.held, purse.pot.currency)
    for currency in sorted(currencies):
        pot = dues_pot(member, currency).id
        whole = sum(places.desk.books.pots([pot]).get(pot, (0, 0)))
        if whole:
            yield InTheWay("wallet", pot, whole, currency)


def _shared(member: str, places: Places) -> Iterator[InTheWay]:
    """Shared pockets that the member holds for others, or with money."""
    funds = {pot.fund for pot in places.register.pots(member) if pot.fund}
    for fund in sorted(funds):
        record = places.records.get(WALLET, fund)
        if record is None or record.body.get("holder") != member:
            continue
        purses = places.money.purses(ids=[fund], limit=1)
        whole = sum(one.pot.avail + one.held for one in purses)
        others = [one for one in memberships(places.records, fund).values() if one.inside and one.member != member]
        if whole or others:
            yield InTheWay("shared_wallet", fund, whole, purses[0].pot.currency if purses else "")


def _waiting(member: str, records: Records) -> Iterator[InTheWay]:
    for what, kind, terms in _RECORDS:
        found: dict[str, Record] = {}
        for term in terms:
            found |= {one.id: one for one in records.find(kind, limit=LISTED, members=[member], terms=[term])}
        yield from [InTheWay(what, one) for one in sorted(found)]
