"""Which events show each recipe of the journal? Each story is run on fresh books; the words above it are printed."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

from town import ALWAYS, NOON, StoppedClock, charge, pay_in

from drachm.application.allot import return_allotments
from drachm.application.arrears import pay_from_pot
from drachm.application.bank import BankAccount, allocate, reconcile
from drachm.application.body import TopUp
from drachm.application.clear_events import clear_events
from drachm.application.collection import Policy, collect
from drachm.application.complete_answer import complete_answer
from drachm.application.desk import Desk
from drachm.application.expiry import sweep_expired
from drachm.application.first_answers import Outcome
from drachm.application.keep_private import keep_private
from drachm.application.pay_due import Yes, pay_due
from drachm.application.payments import begin, carry_out, hear
from drachm.application.payouts_to_holders import pay_out
from drachm.application.refunds import begin_refund, carry_out_refund
from drachm.application.top_up import top_up
from drachm.application.transfers import take_back
from drachm.application.window import close_shift, open_shift, take
from drachm.domain.clearing.model import Answer
from drachm.domain.coverage.model import Coverage, Member
from drachm.domain.events.model import Code
from drachm.domain.funding.allotment import admission, open_fund
from drachm.domain.funding.mandate import Budget, Mandate
from drachm.domain.funding.model import Pot
from drachm.domain.funding.purpose import Purpose
from drachm.domain.funding.quota import Limit, Terms
from drachm.domain.money import MICROS
from drachm.domain.payments.bank import BankLine
from drachm.domain.payments.cash import Shift
from drachm.domain.payments.model import News, Payment
from drachm.domain.payments.refund import Refund, RefundNews
from drachm.domain.transparency.leaf import event_key
from drachm.storage.memory import MemoryBooks
from drachm.storage.memory_dues import MemoryDues
from drachm.storage.memory_records import MemoryRecords

SAMPLES = Path(__file__).parents[2] / "samples"
MARCH_ENDS = datetime(2025, 4, 1, 4, tzinfo=UTC)
"""In New York."""


@dataclass(frozen=True, slots=True)
class Story:
    """One page."""

    name: str
    title: str
    tale: str
    run: Callable[[Desk], list[Outcome]]
    wallets: Mapping[str, int] = field(default_factory=dict)
    """What stands in the pots before the story, in dollars."""


def _top_up(desk: Desk) -> list[Outcome]:
    pay_in(desk, "ana-gift", 5)
    pay_in(desk, "ana-cash", 95)
    return []


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


def _charge(desk: Desk) -> list[Outcome]:
    return clear_events([charge("e1", 40)], desk)


def _two_payers(desk: Desk) -> list[Outcome]:
    return clear_events([charge("e1", 40, member="ben")], desk)


def _hold_and_capture(desk: Desk) -> list[Outcome]:
    held = clear_events([charge("h1", 40, kind="hold")], desk)
    return held + clear_events([charge("e1", 20, kind="replacement", replaces="h1")], desk)


def _hold_and_release(desk: Desk) -> list[Outcome]:
    held = clear_events([charge("h1", 40, kind="hold")], desk)
    return held + clear_events([charge("s1", 0, kind="stop", replaces="h1")], desk)


def _reversal(desk: Desk) -> list[Outcome]:
    charged = clear_events([charge("e1", 40)], desk)
    return charged + clear_events([charge("r1", 0, kind="reversal", replaces="e1")], desk)


def _replacement(desk: Desk) -> list[Outcome]:
    charged = clear_events([charge("e1", 40)], desk)
    return charged + clear_events([charge("e2", 30, kind="replacement", replaces="e1")], desk)


def _provisional(desk: Desk) -> list[Outcome]:
    first = Answer("271-1", "town-insurance", 40 * MICROS, 30 * MICROS, 10 * MICROS, "provisional")
    last = Answer("835-1", "town-insurance", 40 * MICROS, 28 * MICROS, 12 * MICROS, "final")
    outcomes = clear_events([charge("e1", 40)], desk, {"e1": first})
    return [*outcomes, complete_answer("ehr", "e1", last, desk)]


def _monthly_cap(desk: Desk) -> list[Outcome]:
    days = [charge(f"e{n}", 40, member="mei", visit=f"v{n}") for n in (1, 2)]
    return clear_events(days, desk)


def _borne_by_provider(desk: Desk) -> list[Outcome]:
    return clear_events([charge("e1", 40, code=Code("local", "scan"), display="Scan")], desk)


def _shared_fund(desk: Desk) -> list[Outcome]:
    fund = open_fund("winter-fund", "USD", slices=4)
    desk.books.enrol(pots=[fund])
    desk.books.enrol(pots=[admission(fund, "ana", priority=9), admission(fund, "ben", priority=9)])
    pay_in(desk, fund.id, 100)
    outcomes = clear_events([charge("e1", 40)], desk)
    outcomes += clear_events([charge("e2", 40, member="ben", visit="v2")], desk)
    return_allotments(fund, desk)
    return outcomes


def _grandmother(desk: Desk) -> list[Outcome]:
    fund = open_fund("family", "USD", slices=1, pocket="family")
    terms = Terms((Limit(30 * MICROS, "month", "America/New_York"),))
    desk.books.enrol(
        members=[Member("rosa")],
        coverages=[Coverage("c-rosa", "rosa", "town-plan", ALWAYS)],
        pots=[fund, Pot("rosa-cash", "rosa", "USD", priority=2)],
    )
    desk.books.enrol(pots=[admission(fund, "rosa", priority=1, terms=terms)])
    pay_in(desk, fund.id, 100)
    pay_in(desk, "rosa-cash", 5)
    refill = {"member": "rosa", "code": Code("local", "refill"), "display": "Refill"}
    outcomes = []
    for number in (1, 2, 3):
        outcomes += clear_events([charge(f"e{number}", 40, visit=f"v{number}", **refill)], desk)
    april = {"started_at": NOON + timedelta(days=31), "visit": "v4"}
    outcomes += clear_events([charge("e4", 40, **april, **refill)], desk)
    return outcomes + clear_events([charge("r1", 0, kind="reversal", replaces="e1", member="rosa")], desk)


def _household(desk: Desk, terms: Terms) -> Pot:
    """A family's pot of 100 dollars, admitted to it on these terms Rosa, who has 20 of her own behind it."""
    fund = open_fund("family", "USD", slices=1, pocket="family")
    desk.books.enrol(members=[Member("rosa")], pots=[fund, Pot("rosa-cash", "rosa", "USD", priority=2)])
    desk.books.enrol(pots=[admission(fund, "rosa", priority=1, terms=terms)])
    pay_in(desk, fund.id, 100)
    pay_in(desk, "rosa-cash", 20)
    return fund


def _category_limit(desk: Desk) -> list[Outcome]:
    teeth = Limit(25 * MICROS, "month", "America/New_York", ("dental",))
    _household(desk, Terms((teeth, Limit(60 * MICROS, "month", "America/New_York"))))
    kinds = (("dental", 20), ("dental", 20), ("visit", 40))
    return [
        outcome
        for number, (kind, dollars) in enumerate(kinds, start=1)
        for outcome in clear_events(
            [charge(f"e{number}", dollars, member="rosa", visit=f"v{number}", facts={"category": kind})], desk
        )
    ]


def _private_care(desk: Desk) -> list[Outcome]:
    _household(desk, Terms())
    kept = charge("e1", 12, member="rosa", facts={"category": "mental_health", "private": True})
    later = charge("e2", 15, member="rosa", visit="v2")
    outcomes = clear_events([kept, later], desk)
    key = event_key(desk.books.tenant, later.source, later.event_id)
    with desk.books.work() as work:
        stored = work.newest([key])[key]
    return [*outcomes, keep_private(stored, desk)]


def _revoke_in_flight(desk: Desk) -> list[Outcome]:
    fund = _household(desk, Terms())
    outcomes = clear_events([charge("h1", 30, kind="hold", member="rosa")], desk)
    desk.books.enrol(pots=[admission(fund, "rosa", priority=1, terms=Terms(ended=True))])
    return outcomes + clear_events([charge("e1", 30, kind="replacement", replaces="h1", member="rosa")], desk)


def _later(desk: Desk, days: int) -> Desk:
    return replace(desk, clock=StoppedClock(NOON + timedelta(days=days)))


def _gift_expiry(desk: Desk) -> list[Outcome]:
    bonus = Purpose("acme", until=MARCH_ENDS)
    desk.books.enrol(pots=[Pot("ana-bonus", "ana", "USD", priority=1, pocket="gift", purpose=bonus)])
    pay_in(desk, "ana-bonus", 50)
    outcomes = clear_events([charge("e1", 40)], desk)
    april = _later(desk, 30)
    for _ in range(2):
        sweep_expired(april)
    outcomes += clear_events([charge("r1", 0, kind="reversal", replaces="e1", started_at=april.clock.now())], april)
    sweep_expired(_later(desk, 31))
    return outcomes


def _refund_by_lots(desk: Desk) -> list[Outcome]:
    ends = (MARCH_ENDS + timedelta(days=270), MARCH_ENDS)
    for name, until in zip(("ana-year", "ana-spring"), ends, strict=True):
        purpose = Purpose("acme", until=until)
        desk.books.enrol(pots=[Pot(name, "ana", "USD", priority=1, pocket="gift", purpose=purpose)])
        pay_in(desk, name, 6)
    outcomes = clear_events([charge("e1", 40)], desk)
    outcomes += clear_events([charge("e2", 10, kind="replacement", replaces="e1")], desk)
    return outcomes + clear_events([charge("r1", 0, kind="reversal", replaces="e2")], desk)


def _eligible_expenses(desk: Desk) -> list[Outcome]:
    desk.books.publish("expense_rules", json.loads((SAMPLES / "expenses/us-hsa.json").read_text("utf-8")))
    savings = Purpose(expenses="us-hsa")
    desk.books.enrol(pots=[Pot("ana-hsa", "ana", "USD", priority=0, pocket="health_savings", purpose=savings)])
    pay_in(desk, "ana-hsa", 100)
    peel = {"visit": "v2", "code": Code("local", "peel"), "display": "Skin peel", "facts": {"category": "cosmetic"}}
    return clear_events([charge("e1", 40), charge("e2", 40, **peel)], desk)


def _budget(desk: Desk) -> list[Outcome]:
    budget = Budget("all", 10 * MICROS, "USD", "America/New_York")
    desk.books.enrol(mandates={"ana": Mandate(budgets=(budget,))})
    visit = charge("e1", 40)
    outcomes = clear_events([visit], desk)
    pay_due(Yes("yes-1", event_key(desk.books.tenant, visit.source, visit.event_id), 4 * MICROS, ("ana-cash",)), desk)
    outcomes += clear_events([visit], desk)
    return outcomes + clear_events([charge("r1", 0, kind="reversal", replaces="e1")], desk)


ANA = {"ana-gift": 5, "ana-cash": 95}

STORIES = (
    Story(
        "top-up",
        "Top-up",
        "Ana brings 100.00 to the cash desk: 5.00 that she was given for medicine, 95.00 of her own. Each "
        "goes into a pot of its own. The money is there (cash) and it is hers (wallet).",
        _top_up,
    ),
    Story(
        "charge",
        "Charge: payer, wallet and a rest that is due",
        "A visit of 40.00. Ana pays the first 10.00 of a year and a fifth of the rest, 16.00 in all; the "
        "insurer pays 24.00. Her pots hold 5.00 and 6.00, so 5.00 stay due. Care that was delivered is "
        "never refused for money. The clinic is owed 40.00, in three credits: what the insurer owes, what "
        "was in the wallet, what Ana owes.",
        _charge,
        {"ana-gift": 5, "ana-cash": 6},
    ),
    Story(
        "two-payers",
        "Two payers, one bill",
        "Ben has the same insurance and behind it the town's help, which pays half of what the insurance "
        "leaves. His part is 16.00 after the first and 8.00 after the second. One event, one row, one "
        "receipt.",
        _two_payers,
        {"ben-cash": 50},
    ),
    Story(
        "hold-and-capture",
        "Hold, then capture for less",
        "A visit expected to cost 40.00 reserves Ana's part of it, 16.00, before it begins: the money "
        "leaves what her pots may spend and waits. It counts toward nothing, for no care has happened. The "
        "visit turns out to cost 20.00 and replaces the hold: Ana's part is 12.00 and the rest is free "
        "again. The second row is the difference.",
        _hold_and_capture,
        ANA,
    ),
    Story(
        "hold-and-release",
        "Hold, then release",
        "The visit does not take place. A stop lets the money go.",
        _hold_and_release,
        ANA,
    ),
    Story(
        "reversal",
        "Reversal",
        "The visit was charged by mistake. The reversal posts every entry of it the other way round and "
        "takes back what it added to the running totals. Both rows stay.",
        _reversal,
        ANA,
    ),
    Story(
        "replacement",
        "Replacement",
        "The visit should have been billed at 30.00. The replacement is decided as if the first had never "
        "been, and one row posts the difference: the insurer owes 8.00 less, and 2.00 go back into the pot "
        "they were drawn from last.",
        _replacement,
        ANA,
    ),
    Story(
        "provisional-answer",
        "A provisional answer made final",
        "The insurer is asked itself. At once it answers, provisionally, that it will pay 30.00 of the "
        "40.00; later, for good, that it pays 28.00. The second answer is a new revision of the same event "
        "and posts 2.00.",
        _provisional,
        ANA,
    ),
    Story(
        "monthly-cap",
        "A monthly cap that gives back for earlier events",
        "Mei pays three tenths, 12.00 of each visit of 40.00. Her fund's rule: what she pays at one place "
        "in a month counts once it reaches 15.00, and then all of it; of what counts she pays at most "
        "10.00. The first visit does not count yet. With the second, 24.00 count at once: the fund takes "
        "over the 12.00 of this visit, and owes her 2.00 for the earlier one. That is a credit: it changes "
        "no earlier row.",
        _monthly_cap,
        {"mei-cash": 50},
    ),
    Story(
        "borne-by-provider",
        "A denied line that the provider bears",
        "A scan needs the insurer's agreement beforehand, and nobody asked for it. The plan says that this "
        "falls on the provider. The line is denied, Ana owes nothing, and the row has no entries: nobody "
        "owes anybody anything.",
        _borne_by_provider,
        ANA,
    ),
    Story(
        "take-back",
        "A top-up that went back",
        "Ana topped up 25.00 by card and spent 16.00 of it. Weeks later her bank takes the 25.00 back: she "
        "had called the charge a mistake. What care was paid from the pot stays paid, and the pot keeps what it "
        "has; Ana owes the 25.00. Were the dispute won after all, the opposite row would be posted.",
        _take_back,
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
        "bank-transfer",
        "A bank transfer, and one that nobody can be found for",
        "Ana transfers 25.00 and repeats the reference she was given: they are in her pot as soon as the bank's "
        "statement is read. Another 7.00 come without a word that explains them. The bank holds them, so the books say "
        "so, in an account of their own; a day later somebody finds out that they are Ben's.",
        _bank_transfer,
    ),
    Story(
        "shared-fund",
        "A fund shared by many",
        "The town's winter fund has 100.00 for everybody it admits, drawn in four slices; Ana and Ben draw "
        "from the first, after their own money. The slice is empty when Ana's 16.00 come, so 16.00 are "
        "allotted to it, and the visit is paid. For Ben's 8.00 it receives an eighth of the rest, 10.50. In "
        "the evening the 2.50 that nobody used go back. Slices and rest are the fund at every row.",
        _shared_fund,
    ),
    Story(
        "family-limit",
        "A family's pot, and a limit for one of them",
        "Rosa's children pay her refills from the family's pot of 100.00, up to 30.00 in a month of New York. Her "
        "part of the first refill is 16.00, of each further one 8.00. The third finds 6.00 of March left, and 2.00 "
        "come from her own pot; the refill of April is the family's again. Then the first refill is taken back: its "
        "16.00 return to the family, and to what Rosa may take in March. What she used stands among her running "
        "totals, under `quota/`.",
        _grandmother,
    ),
    Story(
        "family-category-limit",
        "A family's pot, and a limit for some care",
        "The family's pot pays for Rosa up to 60.00 in a month of New York, of which 25.00 for her teeth. Two fillings "
        "of 20.00 find 25.00: 15.00 of the second come from her own pot. A visit of 40.00 finds what is left of the "
        "60.00, which the teeth used too: 35.00, and 5.00 of her own.",
        _category_limit,
    ),
    Story(
        "family-private-care",
        "Care that the family does not see",
        "Rosa keeps her first visit private: its 12.00 come from her own pot, though the family's is asked first "
        "otherwise. The second, 15.00, is paid by the family. Then she keeps that private too: one further revision "
        "gives the 15.00 back to the family's pot and takes what is left of her own, 8.00; 7.00 are due. In the list "
        "of the family's pot neither the payment nor its return is shown.",
        _private_care,
    ),
    Story(
        "family-revoke",
        "A revoke that meets a request in flight",
        "A request of 30.00 for Rosa is promised by the family's pot. Before the care is given, the holder takes her "
        "out. The capture is decided as things stand then: the 30.00 go back to the family's pot whole, 20.00 come "
        "from Rosa's own, and 10.00 are due. The clinic is owed what it was owed before.",
        _revoke_in_flight,
    ),
    Story(
        "gift-expiry",
        "A gift that expires",
        "Ana's employer gives her 50.00 for care in March of New York. It is drawn first, because it expires "
        "first, and pays the 16.00 of her visit. On 9 April the 34.00 that nobody used go back to the employer's "
        "account; when they would go was fixed when the pot was opened. The sweep runs twice and moves nothing "
        "twice. Then the visit is taken back: the 16.00 return to the pot that paid them, whose time is over, and "
        "go the same way a day later.",
        _gift_expiry,
    ),
    Story(
        "refund-by-lots",
        "A refund, lot by lot",
        "Ana has two gifts of 6.00: one for March, one for the year. A pot is a lot: what is given under other "
        "conditions is another pot. Her part of a visit of 40.00 is 16.00: 6.00 of March, 6.00 of the year, 4.00 "
        "of her own. It should have cost 10.00, all of it hers: what was drawn last goes back first, 4.00 and 2.00. At "
        "last the visit is taken back, and each pot has what it gave.",
        _refund_by_lots,
        {"ana-cash": 95},
    ),
    Story(
        "eligible-expenses",
        "A savings account that may not pay for everything",
        "Ana has 100.00 in a health savings account, under rules that are published as a document. It pays her part of "
        "a visit. A skin peel is no medical care for the law, so her own money pays her part of that; the receipt says "
        "which clause kept the account from it.",
        _eligible_expenses,
        {"ana-cash": 95},
    ),
    Story(
        "budget",
        "A budget that asks, and what is paid on purpose",
        "Ana means to spend 10.00 on care in a month, and wants to be asked before more is paid. Her part of the "
        "visit is 16.00: 10.00 are paid by themselves, the gift first, and 6.00 wait for her yes. She says yes to "
        "4.00 from her cash: the visit's next row, the difference between what stood and what stands now; 2.00 stay "
        "due. When the visit is taken back, everything returns to the pot that paid it. What she used stands among "
        "her running totals.",
        _budget,
        ANA,
    ),
)
