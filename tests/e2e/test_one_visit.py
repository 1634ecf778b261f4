"""A visit is priced, split, paid from pots, posted once, and explained to the last micro."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from drachm.application.check_books import check_books
from drachm.application.clear_events import clear_events
from drachm.application.receipts import find_receipt, receipt_of
from drachm.domain.coverage.model import Coverage
from drachm.domain.ledger.model import Account, Source
from drachm.domain.money import MICROS
from drachm.domain.periods import Period


def amounts(desk):
    return {account: balance for account, balance in desk.books.balances().items() if balance}


def test_ana_pays_her_share_from_two_pots(desk, charge) -> None:
    [outcome] = clear_events([charge()], desk)
    assert (outcome.status, outcome.duplicate, outcome.revision) == ("posted", False, 0)
    answer = outcome.decision.adjudication
    assert answer.patient_responsibility == 16 * MICROS
    assert answer.plan_paid == 24 * MICROS
    assert [(leg.lot, leg.amount) for leg in outcome.decision.funding.legs] == [
        ("ana-gift", 5 * MICROS),
        ("ana-cash", 11 * MICROS),
    ]
    assert amounts(desk) == {
        Account("cash", "cash-desk", "USD"): 100 * MICROS,
        Account("wallet", "ana-cash", "USD"): -84 * MICROS,
        Account("payer_receivable", "town-insurance", "USD"): 24 * MICROS,
        Account("provider_payable", "clinic", "USD"): -40 * MICROS,
    }
    sources = {
        entry.source: entry.amount
        for entry in outcome.decision.standing.entries
        if entry.account.kind == "provider_payable"
    }
    assert sources == {Source.PAYER: -24 * MICROS, Source.WALLET: -16 * MICROS}
    assert check_books(desk.books) == []


def test_the_deductible_of_the_morning_is_used_in_the_afternoon(desk, charge) -> None:
    outcomes = clear_events([charge("e1", 8), charge("e2", 8), charge("e3", 10)], desk)
    shares = [outcome.decision.adjudication.patient_responsibility for outcome in outcomes]
    assert shares == [8 * MICROS, 2 * MICROS + 1_200_000, 2 * MICROS]


def test_the_yearly_maximum_is_never_passed(desk, charge) -> None:
    outcomes = clear_events([charge(f"e{n}", 100) for n in range(5)], desk)
    shares = [outcome.decision.adjudication.patient_responsibility for outcome in outcomes]
    assert shares == [28 * MICROS, 20 * MICROS, 2 * MICROS, 0, 0]


def test_what_no_pocket_covers_is_due_and_never_a_refusal(desk, charge) -> None:
    [outcome] = clear_events([charge("e1", 900, member="cleo")], desk)
    assert outcome.status == "posted"
    assert outcome.decision.funding.due == 900 * MICROS
    assert amounts(desk)[Account("patient_receivable", "cleo", "USD")] == 900 * MICROS


def test_two_payers_share_one_bill(desk, charge) -> None:
    [outcome] = clear_events([charge("e1", 40, member="ben")], desk)
    shares = {(s.bearer, s.party): s.amount for s in outcome.decision.adjudication.shares}
    assert shares == {
        ("payer", "town-insurance"): 24 * MICROS,
        ("payer", "town-hall"): 8 * MICROS,
        ("patient", ""): 8 * MICROS,
    }


def test_a_denied_line_is_owed_and_says_why(desk, charge) -> None:
    [outcome] = clear_events([charge("e1", 40, facts={"category": "cosmetic"})], desk)
    assert (outcome.status, outcome.reason) == ("denied", "not_covered")
    receipt = receipt_of(outcome, desk.books)
    assert receipt.patient == 40 * MICROS


def test_the_receipt_explains_every_unit(desk, charge) -> None:
    [outcome] = clear_events([charge()], desk)
    receipt = receipt_of(outcome, desk.books)
    assert sum(part.amount for part in receipt.parts) == receipt.billed == 40 * MICROS
    assert [why.amount for why in receipt.why] == [10 * MICROS, 6 * MICROS, 24 * MICROS]
    assert [why.clause for why in receipt.why][:2] == ["3", "4"]
    assert receipt.why[0].clause_text == "You pay the first 10 dollars of a year."
    assert receipt.why[0].left == 0
    assert receipt.plans == outcome.decision.adjudication.decided_by
    assert find_receipt(receipt.number, desk.books) == receipt


def test_an_event_counts_once_for_ever(desk, charge) -> None:
    [first] = clear_events([charge()], desk)
    before = amounts(desk)
    again = clear_events([charge(), charge()], desk)
    assert [(o.position, o.duplicate, o.leaf) for o in again] == [(first.position, True, first.leaf)] * 2
    assert again[0].body == first.body
    assert amounts(desk) == before


def test_a_twin_inside_one_batch_is_a_duplicate(desk, charge) -> None:
    outcomes = clear_events([charge(), charge()], desk)
    assert [o.duplicate for o in outcomes] == [False, True]
    assert outcomes[0].position == outcomes[1].position


def test_the_same_id_with_other_content_is_a_conflict(desk, charge) -> None:
    clear_events([charge()], desk)
    before = amounts(desk)
    [outcome] = clear_events([charge("e1", 41)], desk)
    assert (outcome.status, outcome.reason) == ("conflict", "event_conflict")
    mixed = clear_events([charge("e2"), charge("e2", 7)], desk)
    assert [o.status for o in mixed] == ["posted", "conflict"]
    assert (
        amounts(desk)[Account("provider_payable", "clinic", "USD")]
        == 2 * before[Account("provider_payable", "clinic", "USD")]
    )


def test_the_first_answer_outlives_new_documents(desk, charge) -> None:
    [first] = clear_events([charge()], desk)
    desk.books.publish("plan", {**BARE_PLAN, "id": "town-plan", "payer": "town-insurance", "version": "2026.1"})
    desk.books.enrol(coverages=[Coverage("c-ana", "ana", "none", Period(date(1900, 1, 1)))])
    [again] = clear_events([charge()], desk)
    assert replace(again, duplicate=False) == first


BARE_PLAN = {
    "currency": "USD",
    "zone": "America/New_York",
    "effective": {"from": "2026-01-01"},
    "steps": [],
}
