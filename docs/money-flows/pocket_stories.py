"""Stories of pockets: shared, given for a purpose, kept private, held to a budget."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from story import ANA, Story
from town import ALWAYS, NOON, StoppedClock, charge, pay_in

from drachm.application.allot import return_allotments
from drachm.application.clear_events import clear_events
from drachm.application.desk import Desk
from drachm.application.expiry import sweep_expired
from drachm.application.first_answers import Outcome
from drachm.application.keep_private import keep_private
from drachm.application.late_dues import pay_by_itself
from drachm.application.pay_due import Yes, pay_due
from drachm.domain.coverage.model import Coverage, Member
from drachm.domain.events.model import Code
from drachm.domain.funding.allotment import admission, open_fund
from drachm.domain.funding.mandate import Budget, Mandate, Rule
from drachm.domain.funding.model import Pot
from drachm.domain.funding.purpose import Purpose
from drachm.domain.funding.quota import Limit, Terms
from drachm.domain.money import MICROS
from drachm.domain.transparency.leaf import event_key

SAMPLES = Path(__file__).parents[2] / "samples"
MARCH_ENDS = datetime(2025, 4, 1, 4, tzinfo=UTC)
"""In New York."""


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


def _late_money(desk: Desk) -> list[Outcome]:
    limit = Rule(20 * MICROS, "USD")
    desk.books.enrol(
        members=[Member("noor")], pots=[Pot("noor-cash", "noor", "USD")], mandates={"noor": Mandate(1, (), (limit,))}
    )
    first, dear, last = (
        charge(name, dollars, member="noor", visit=name) for name, dollars in (("e1", 15), ("e2", 30), ("e3", 10))
    )
    clear_events([first, dear, last], desk)
    pay_in(desk, "noor-cash", 18)
    for one in (first, dear, last):
        pay_by_itself(f"late-{one.event_id}", event_key(desk.books.tenant, one.source, one.event_id), desk)
    return clear_events([first, dear, last], desk)


POCKETS = (
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
    Story(
        "late-money",
        "Money that comes after the care",
        "Noor has no cover, lets up to 20.00 be paid without asking, and her pot is empty: 15.00, 30.00 and 10.00 are "
        "due. Then 18.00 come in. What her rule would have let be paid is paid by itself, oldest first, each by a "
        "posting of its own: the 15.00, and 3.00 of the 10.00. The 30.00 were withheld, and wait for her yes.",
        _late_money,
    ),
)
