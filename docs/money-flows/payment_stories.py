"""Stories of money that comes in, goes back, and goes out."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import cast

from story import Story
from town import NOON, StoppedClock, charge

from drachm.application import cash_refunds
from drachm.application.arrears import pay_from_pot
from drachm.application.bank import BankAccount, allocate, reconcile
from drachm.application.body import TopUp
from drachm.application.clear_events import clear_events
from drachm.application.collection import Policy, collect
from drachm.application.desk import Desk
from drachm.application.expiry import sweep_expired
from drachm.application.first_answers import Outcome
from drachm.application.payments import begin, carry_out, hear
from drachm.application.payouts_to_holders import pay_out
from drachm.application.refunds import begin_refund, carry_out_refund
from drachm.application.top_up import top_up
from drachm.application.transfers import take_back
from drachm.application.window import close_shift, give, open_shift, take
from drachm.application.write_offs import KIND, Asked, agree, ask_again, propose
from drachm.domain.coverage.model import Member
from drachm.domain.money import MICROS
from drachm.domain.payments.bank import BankLine
from drachm.domain.payments.cash import Shift
from drachm.domain.payments.cash_refund import CashRefund
from drachm.domain.payments.model import News, Payment
from drachm.domain.payments.refund import Refund, RefundNews
from drachm.domain.payments.write_off import WriteOff
from drachm.domain.transparency.leaf import event_key
from drachm.storage.memory import MemoryBooks
from drachm.storage.memory_dues import MemoryDues
from drachm.storage.memory_records import MemoryRecords


def _take_back(desk: Desk) -> list[Outcome]:
    order = TopUp("rail stripe", "pay-1", "ana-cash", "ana", 25 * MICROS, "USD", "stripe", NOON)
    top_up(order, desk)
    paid = clear_events([charge("e1", 40)], desk)
    take_back(order, desk)
    return paid


class Willing:
    """A card rail that says yes at once, in the words of `application.rails.RefundingRail`."""

    name = "stripe"

    def ask(self, payment: Payment) -> News:
        return News("captured", payment.id, f"ref-{payment.id}")

    def refund(self, refund: Refund, payment: Payment) -> RefundNews:
        return RefundNews("done", refund.id)


def _card_paid(desk: Desk, records: MemoryRecords, name: str, dollars: int) -> None:
    begin(Payment(name, "stripe", "ana-cash", "ana", dollars * MICROS, "USD", desk.clock.now()), records, author="ana")
    carry_out(name, {"stripe": Willing()}, desk, records)


def _refund(desk: Desk, records: MemoryRecords, dollars: int, **more: str) -> None:
    begun = desk.clock.now()
    refund = Refund("rfd-1", "pay-1", "stripe", "ana-cash", "ana", dollars * MICROS, "USD", begun, **more)
    begin_refund(refund, records, author="fay")
    carry_out_refund("rfd-1", {"stripe": Willing()}, desk, records)


def _written_off(desk: Desk) -> list[Outcome]:
    desk.books.enrol(members=[Member("zoe")])
    records = MemoryRecords(desk.clock.now)
    outcomes = clear_events([charge("e1", 30, member="zoe"), charge("e2", 8, member="zoe", visit="v2")], desk)
    for number, dollars in ((1, 30), (2, 8)):
        key = event_key(desk.books.tenant, "ehr", f"e{number}")
        asked = Asked(f"chg-{number}", key, "clinic", "zoe", dollars * MICROS)
        wish = WriteOff(f"wof-{number}", "fay", desk.clock.now(), "hardship", "USD", dollars * MICROS)
        record = propose(wish, "", asked, 20 * MICROS, desk, records)
        if not record.body["wish"]["alone"]:
            agree(record, "finn", desk.clock.now(), desk, records)
    outcomes += clear_events([charge("n1", 20, member="zoe", kind="replacement", replaces="e1")], desk)
    taken = records.get(KIND, "wof-2")
    assert taken is not None
    ask_again(taken, "fay", desk.clock.now(), desk, records)
    later = Desk(desk.books, StoppedClock(desk.clock.now() + timedelta(days=2)), desk.ids)
    sweep_expired(later)
    return outcomes


def _collection(desk: Desk) -> list[Outcome]:
    desk.books.enrol(members=[Member("zoe")])
    records, reading = MemoryRecords(desk.clock.now), MemoryDues(cast(MemoryBooks, desk.books))
    first, second, third = (
        charge(f"e{number}", 0, member="zoe", billed=billed)
        for number, billed in enumerate((16_202_500, 9_500_000, 2_004_000), start=1)
    )
    outcomes = clear_events([first, second], desk)
    policy, rails = Policy("stripe"), {"stripe": Willing()}
    collect("zoe", "USD", policy, rails, desk, records, reading)
    later = clear_events([third], desk)
    collect("zoe", "USD", policy, rails, desk, records, reading, asked=True)
    return [*outcomes, *later]


def _return_and_cure(desk: Desk) -> list[Outcome]:
    records = MemoryRecords(desk.clock.now)
    _card_paid(desk, records, "pay-1", 25)
    first = clear_events([charge("e1", 40)], desk)
    hear(News("returned", "pay-1", reason="fraudulent"), "stripe", desk, records)
    second = clear_events([charge("e2", 10)], desk)
    pay_from_pot("cure-1", "ana-cash", "ana", "USD", 9 * MICROS, desk, records)
    cure = Payment("pay-2", "stripe", "ana-cash", "ana", 16 * MICROS, "USD", desk.clock.now(), purpose="arrears")
    begin(cure, records, author="ana")
    carry_out("pay-2", {"stripe": Willing()}, desk, records)
    _card_paid(desk, records, "pay-3", 10)
    return [*first, *second, *clear_events([charge("e3", 10)], desk)]


def _dispute(desk: Desk, *, won: bool) -> list[Outcome]:
    records = MemoryRecords(desk.clock.now)
    _card_paid(desk, records, "pay-1", 25)
    hear(News("returned", "pay-1", reason="fraudulent"), "stripe", desk, records)
    if won:
        hear(News("captured", "pay-1"), "stripe", desk, records)
    return clear_events([charge("e1", 40)], desk)


def _card_refund(desk: Desk) -> list[Outcome]:
    records = MemoryRecords(desk.clock.now)
    _card_paid(desk, records, "pay-1", 25)
    _refund(desk, records, 10)
    return []


def _refund_to_wallet(desk: Desk) -> list[Outcome]:
    records = MemoryRecords(desk.clock.now)
    _card_paid(desk, records, "pay-1", 25)
    _refund(desk, records, 10, wallet="ana-gift", consent="at the window on Monday, to Cleo")
    return []


def _payout(desk: Desk) -> list[Outcome]:
    records = MemoryRecords(desk.clock.now)
    _card_paid(desk, records, "pay-1", 25)
    _card_paid(desk, records, "pay-2", 8)
    paid = clear_events([charge("e1", 40)], desk)
    pay_out("out-1", "ana-cash", "ana", 17 * MICROS, {"stripe": Willing()}, desk, records, author="ana")
    return paid


def _cash_window(desk: Desk) -> list[Outcome]:
    records = MemoryRecords(desk.clock.now)
    open_shift(Shift("morning", "window-1", "cleo", "USD", NOON, 100 * MICROS), records)
    take(Payment("pay-1", "cash", "ana-cash", "ana", 20 * MICROS, "USD", NOON), "morning", "cleo", desk, records)
    close_shift("morning", 118_500_000, "cleo", desk, records)
    return []


def _cash_refund(desk: Desk) -> list[Outcome]:
    records = MemoryRecords(desk.clock.now)
    open_shift(Shift("morning", "window-1", "cleo", "USD", NOON, 100 * MICROS, party="clinic"), records)
    take(Payment("pay-1", "cash", "ana-cash", "ana", 20 * MICROS, "USD", NOON), "morning", "cleo", desk, records)
    paid = clear_events([charge("e1", 20)], desk)
    said = "yes, at the window"
    first = CashRefund("rfd-1", "clinic", "ana-cash", "ana", "USD", 6 * MICROS, "cleo", NOON, said)
    second = replace(first, id="rfd-2", amount=2 * MICROS)
    for wish in (first, second):
        cash_refunds.propose(wish, desk, records)
        cash_refunds.agree(wish.id, "fay", NOON, desk, records)
    give("rfd-1", "morning", "cleo", desk, records)
    cash_refunds.stop("rfd-2", "cleo", NOON, desk, records)
    close_shift("morning", 114 * MICROS, "cleo", desk, records)
    return paid


def _bank_transfer(desk: Desk) -> list[Outcome]:
    records = MemoryRecords(desk.clock.now)
    account = "NL26VAYB8060476890"
    begin(Payment("pay-1", "bank", "ana-cash", "ana", 25 * MICROS, "USD", NOON), records, author="ana")
    asked = carry_out("pay-1", {"bank": BankAccount(account)}, desk, records)
    known = BankLine(account, "b-1", 25 * MICROS, "USD", NOON.date(), (asked.reference,))
    unknown = BankLine(account, "b-2", 7 * MICROS, "USD", NOON.date(), ("for my mother",))
    reconcile([known, unknown], desk, records)
    allocate(unknown.id, "ben-cash", "ben", desk, records, author="fin")
    return []


PAYMENTS = (
    Story(
        "take-back",
        "A top-up that went back",
        "Ana topped up 25.00 by card and spent 16.00 of it. Weeks later her bank takes the 25.00 back: she "
        "had called the charge a mistake. What care was paid from the pot stays paid, and the pot keeps what it "
        "has; Ana owes the 25.00. Were the dispute won after all, the opposite row would be posted.",
        _take_back,
    ),
    Story(
        "write-off",
        "A due that the clinic no longer asks for",
        "Zoe has neither cover nor pots. She cannot pay 30.00, so one person of the clinic proposes to give it up and "
        "another agrees; 8.00 more one person decides alone. Both are paid out of what is owed to the clinic. Then the "
        "clinic corrects the first charge to 20.00: a correction is a new decision, the 30.00 return to the pot they "
        "came from, and 20.00 are due. For the second it asks after all: 8.00 are due again. Two days later what lies "
        "in both pots has gone back to the clinic.",
        _written_off,
    ),
    Story(
        "collection",
        "Dues collected in one payment, and a residue",
        "Zoe has neither cover nor pots. Two visits are due, 16.2025 and 9.50; together they are worth a "
        "payment, so one is asked for, in whole cents. The quarter of a cent stands in her residue account, "
        "so that both dues are paid to the micro. Then she pays the third visit, 2.004, at once: with the "
        "residue that is 2.0065, of which 2.00 are asked for and 0.0065 go on.",
        _collection,
    ),
    Story(
        "return-and-cure",
        "A payment that went back, and how it is made good",
        "Ana topped up 25.00 by card and a visit took 16.00. Then her bank takes the 25.00 back. She owes "
        "them, and her wallets pay for nothing by themselves: of the next visit her part, 2.00, is due. She "
        "makes good 9.00 out of the frozen pot itself and 16.00 by card. Nothing is owed any more: after a "
        "new top-up the third visit is paid.",
        _return_and_cure,
    ),
    Story(
        "dispute-won",
        "A dispute that is won",
        "Ana's bank takes 25.00 back, and gives them again: the dispute is won. Two rows that cancel each "
        "other stay in the books, nothing is owed, and the visit that follows is paid from her pot.",
        lambda desk: _dispute(desk, won=True),
    ),
    Story(
        "dispute-lost",
        "A dispute that is lost",
        "Ana's bank takes 25.00 back and keeps them. Her pot still holds them and is frozen; she owes the "
        "same amount, and her part of the visit, 16.00, is due.",
        lambda desk: _dispute(desk, won=False),
    ),
    Story(
        "card-refund",
        "A refund to the card",
        "Ana topped up 25.00 by card and wants 10.00 of them back. They are held in her pot first, so that nothing "
        "else can spend them, then the card's rail is asked; it says yes, and what was held leaves the books. Had it "
        "said no, the 10.00 would be free again.",
        _card_refund,
    ),
    Story(
        "refund-to-wallet",
        "A refund to another wallet, with consent",
        "Ana agrees at the window that 10.00 of her payment go into her other wallet instead of back to her card. No "
        "rail is asked; one row moves the money, and the words by which she agreed are kept with the refund.",
        _refund_to_wallet,
    ),
    Story(
        "payout",
        "What is left is paid out the way it came in",
        "Ana paid in 25.00 and then 8.00 by card, and a visit took 16.00. She wants the 17.00 that are left: 8.00 go "
        "back by the newer payment, 9.00 by the older one, each held first.",
        _payout,
    ),
    Story(
        "cash-window",
        "Cash at the window, counted",
        "Cleo opens her shift with 100.00 in the box and takes 20.00 from Ana, which are in Ana's pot at once. At noon "
        "she counts 118.50: 1.50 are missing. The count is not made to fit; what is missing has an account of the "
        "window's own until somebody explains it.",
        _cash_window,
    ),
    Story(
        "cash-refund",
        "Cash back at the window",
        "Ana paid 20.00 in cash and a visit took a part of it. Of the rest she wants 6.00 back in cash: Cleo proposes "
        "it with Ana's consent, Fay agrees, and the 6.00 are held in Ana's pot, so that nothing else can spend them. "
        "Cleo hands them out of her box, and they leave the books, once. 2.00 more were agreed to, but Ana thinks "
        "again: what was held is free. At noon 114.00 should lie in the box, and do: 100.00 and 20.00, less 6.00.",
        _cash_refund,
    ),
    Story(
        "bank-transfer",
        "A bank transfer, and one that nobody can be found for",
        "Ana transfers 25.00 and repeats the reference she was given: they are in her pot as soon as the bank's "
        "statement is read. Another 7.00 come without a word that explains them. The bank holds them, so the books say "
        "so, in an account of their own; a day later somebody finds out that they are Ben's.",
        _bank_transfer,
    ),
)
