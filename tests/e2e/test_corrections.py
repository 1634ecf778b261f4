"""Corrections are new entries: reverse and rebill, a late answer, holds, and pended care that clears later."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from drachm.application.check_books import check_books
from drachm.application.clear_events import clear_events
from drachm.application.clear_pended import clear_pended
from drachm.application.complete_answer import complete_answer
from drachm.domain.clearing.answer import Answer
from drachm.domain.clearing.clear import REPLACED_PARTY
from drachm.domain.coverage.model import Member, Party
from drachm.domain.errors import Conflict
from drachm.domain.ledger.model import Account, EntryKind
from drachm.domain.money import MICROS


def balances(desk):
    return {account: balance for account, balance in desk.books.balances().items() if balance}


def totals(desk):
    return dict(desk.books.totals())


def rows(desk):
    return [stored for stored, _ in desk.books.rows()]


def last_entries(desk):
    return list(desk.books.rows())[-1][1].entries


def test_reverse_and_rebill(desk, charge) -> None:
    before, totals_before = balances(desk), totals(desk)
    [charged] = clear_events([charge()], desk)
    [reversed_] = clear_events([charge("r1", 0, kind="reversal", replaces="e1")], desk)
    assert (reversed_.status, reversed_.reason) == ("posted", "reversed")
    assert balances(desk) == before
    assert totals(desk) == totals_before
    assert desk.books.pots() == {"ana-gift": (5 * MICROS, 0), "ana-cash": (95 * MICROS, 0)}
    assert [row.supersedes for row in rows(desk)][-1] == charged.position
    [rebilled] = clear_events([charge("e2", 30)], desk)
    assert rebilled.decision.adjudication.patient_responsibility == 14 * MICROS
    assert check_books(desk.books) == []


def test_a_replacement_posts_the_difference_in_one_row(desk, charge) -> None:
    clear_events([charge("e1", 40)], desk)
    [outcome] = clear_events([charge("e2", 30, kind="replacement", replaces="e1")], desk)
    posted = {(e.account.kind, e.account.owner, e.source.name): e.amount for e in last_entries(desk)}
    assert posted == {
        ("payer_receivable", "town-insurance", "PAYER"): -8 * MICROS,
        ("provider_payable", "clinic", "PAYER"): 8 * MICROS,
        ("wallet", "ana-cash", "WALLET"): -2 * MICROS,
        ("provider_payable", "clinic", "WALLET"): 2 * MICROS,
    }
    assert outcome.decision.adjudication.patient_responsibility == 14 * MICROS
    assert sorted(totals(desk).values()) == [10 * MICROS, 14 * MICROS]
    assert check_books(desk.books) == []


def test_nothing_is_taken_back_twice(desk, charge) -> None:
    clear_events([charge()], desk)
    clear_events([charge("r1", 0, kind="reversal", replaces="e1")], desk)
    [again] = clear_events([charge("r2", 0, kind="reversal", replaces="e1")], desk)
    assert (again.status, again.reason) == ("refused", "already_reversed")
    both = clear_events(
        [
            charge("e5"),
            charge("r5", 0, kind="reversal", replaces="e5"),
            charge("r6", 0, kind="reversal", replaces="e5"),
        ],
        desk,
    )
    assert [o.status for o in both] == ["posted", "posted", "refused"]
    assert check_books(desk.books) == []


def test_a_reversal_may_come_before_its_charge(desk, charge) -> None:
    [early] = clear_events([charge("r1", 0, kind="reversal", replaces="e1")], desk)
    assert (early.status, early.reason) == ("pended", "unknown_target")
    clear_events([charge()], desk)
    [late] = clear_pended(desk)
    assert (late.status, late.reason, late.revision) == ("posted", "reversed", 1)
    assert desk.books.pots()["ana-gift"] == (5 * MICROS, 0)
    assert clear_pended(desk) == []


def test_a_reversal_of_somebody_elses_charge_is_refused(desk, charge) -> None:
    clear_events([charge()], desk)
    [outcome] = clear_events([charge("r1", 0, kind="reversal", replaces="e1", member="ben")], desk)
    assert (outcome.status, outcome.reason) == ("refused", "invalid_event")


def test_a_provisional_answer_becomes_final_with_a_difference(desk, charge) -> None:
    provisional = Answer("271-1", "town-insurance", 40 * MICROS, 30 * MICROS, 10 * MICROS, "provisional")
    [first] = clear_events([charge()], desk, {"e1": provisional})
    assert first.decision.adjudication.status == "provisional"
    assert first.decision.adjudication.decided_by == ("271-1",)
    assert desk.books.pots() == {"ana-gift": (0, 0), "ana-cash": (90 * MICROS, 0)}
    final = Answer("835-1", "town-insurance", 38 * MICROS, 35 * MICROS, 3 * MICROS, "final")
    second = complete_answer("ehr", "e1", final, desk)
    assert (second.status, second.revision) == ("posted", 1)
    posted = {(e.account.kind, e.account.owner, e.source.name): e.amount for e in last_entries(desk)}
    assert posted == {
        ("payer_receivable", "town-insurance", "PAYER"): 5 * MICROS,
        ("provider_payable", "clinic", "PAYER"): -5 * MICROS,
        ("wallet", "ana-gift", "WALLET"): -2 * MICROS,
        ("wallet", "ana-cash", "WALLET"): -5 * MICROS,
        ("provider_payable", "clinic", "WALLET"): 7 * MICROS,
    }
    assert rows(desk)[-1].supersedes == first.position
    assert second.decision.adjudication.provider_borne == 2 * MICROS
    again = complete_answer("ehr", "e1", final, desk)
    assert again.duplicate
    with pytest.raises(Conflict, match="final already"):
        complete_answer("ehr", "e1", Answer("835-2", "town-insurance", 1, 1, 0, "final"), desk)
    assert check_books(desk.books) == []


def test_an_answer_for_an_unknown_event_is_a_conflict(desk) -> None:
    with pytest.raises(Conflict, match="no such event"):
        complete_answer("ehr", "nowhere", Answer("1", "town-insurance", 1, 1, 0, "final"), desk)


def test_hold_then_capture_for_less(desk, charge) -> None:
    [held] = clear_events([charge("h1", 40, kind="hold")], desk)
    assert rows(desk)[-1].kind is EntryKind.HOLD
    assert desk.books.pots() == {"ana-gift": (0, 5 * MICROS), "ana-cash": (84 * MICROS, 11 * MICROS)}
    assert totals(desk) == {}
    [captured] = clear_events([charge("e1", 20, kind="replacement", replaces="h1")], desk)
    assert rows(desk)[-1].kind is EntryKind.CAPTURE
    assert rows(desk)[-1].supersedes == held.position
    assert captured.decision.adjudication.patient_responsibility == 12 * MICROS
    assert desk.books.pots() == {"ana-gift": (0, 0), "ana-cash": (88 * MICROS, 0)}
    assert check_books(desk.books) == []


def test_hold_then_release(desk, charge) -> None:
    before = balances(desk)
    clear_events([charge("h1", 40, kind="hold")], desk)
    [released] = clear_events([charge("s1", 0, kind="stop", replaces="h1")], desk)
    assert released.status == "posted"
    assert rows(desk)[-1].kind is EntryKind.RELEASE
    assert balances(desk) == before
    assert desk.books.pots() == {"ana-gift": (5 * MICROS, 0), "ana-cash": (95 * MICROS, 0)}


def test_a_hold_counts_against_the_wallet_at_once(desk, charge) -> None:
    first, second = clear_events([charge("h1", 400, kind="hold"), charge("h2", 400, kind="hold")], desk)
    assert first.decision.funding.drawn == 50 * MICROS
    assert second.decision.funding.drawn == 50 * MICROS
    [third] = clear_events([charge("h3", 40, kind="hold")], desk)
    assert (third.status, third.reason) == ("refused", "insufficient_funds")
    [emergency] = clear_events([charge("h4", 40, kind="hold", emergency=True)], desk)
    assert emergency.status == "posted"


@pytest.mark.parametrize(("kind", "reason"), [("stop", "invalid_event"), ("reversal", "invalid_event")])
def test_stops_end_holds_and_reversals_end_charges(desk, charge, kind: str, reason: str) -> None:
    clear_events([charge("e1", 10), charge("h1", 10, kind="hold")], desk)
    target = "e1" if kind == "stop" else "h1"
    [outcome] = clear_events([charge("x", 0, kind=kind, replaces=target)], desk)
    assert (outcome.status, outcome.reason) == ("refused", reason)


def test_pended_care_clears_later_under_the_same_key(desk, charge) -> None:
    [waiting] = clear_events([charge("e1", 40, member="dan")], desk)
    assert (waiting.status, waiting.reason) == ("pended", "unknown_member")
    assert [o.status for o in clear_pended(desk)] == ["pended"]
    count = len(rows(desk))
    desk.books.enrol(members=[Member("dan")])
    [cleared] = clear_pended(desk)
    assert (cleared.status, cleared.revision) == ("posted", 1)
    assert len(rows(desk)) == count + 1
    [again] = clear_events([charge("e1", 40, member="dan")], desk)
    assert (again.duplicate, again.status, again.revision) == (True, "posted", 1)
    assert balances(desk)[Account("patient_receivable", "dan", "USD")] == 40 * MICROS


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"billing_party": "nobody"}, "unknown_provider"),
        ({"billing_party": "town-insurance"}, "no_contract"),
        ({"currency": "EUR"}, "currency_mismatch"),
        ({"member": "dan"}, "unknown_member"),
        ({"started_at": datetime(2031, 1, 1, tzinfo=UTC)}, "unknown_plan"),
    ],
)
def test_what_cannot_be_decided_waits_with_its_reason(desk, charge, changes, reason: str) -> None:
    good, bad = clear_events([charge("e1"), charge("e2", **changes)], desk)
    assert good.status == "posted"
    assert (bad.status, bad.reason) == ("pended", reason)
    assert bad.problem.next_step
    assert [entry[2] for entry in desk.books.queue()] == [reason]


def test_a_pended_event_is_not_stuck_behind_another(desk, charge) -> None:
    clear_events([charge("e1", 40, billing_party="late"), charge("e2", 40, member="dan")], desk)
    desk.books.enrol(parties=[Party("late", ("provider",), "Late clinic", "America/New_York")])
    outcomes = {o.event_id: o.reason for o in clear_pended(desk)}
    assert outcomes == {"e1": "no_contract", "e2": "unknown_member"}


def test_another_clinic_cannot_take_a_charge_back(desk, charge) -> None:
    clear_events([charge()], desk)
    [outcome] = clear_events([charge("r1", 0, kind="reversal", replaces="e1", billing_party="hospital")], desk)
    assert (outcome.status, outcome.reason) == ("refused", "invalid_event")


def moved(charge, event_id: str = "e2", **changes):
    """The hospital wants to take the place of the clinic's charge."""
    return charge(event_id, 30, kind="replacement", replaces="e1", billing_party="hospital", **changes)


def test_another_clinic_cannot_take_the_place_of_a_charge(desk, charge) -> None:
    clear_events([charge()], desk)
    stood = balances(desk)
    [outcome] = clear_events([moved(charge)], desk)
    assert (outcome.status, outcome.reason) == ("refused", "invalid_event")
    # Naming somebody else than who billed it is no better, nor is a fact that is no name.
    for number, named in enumerate(("hospital", "town-hall", "", 1, True)):
        [outcome] = clear_events([moved(charge, f"n{number}", facts={REPLACED_PARTY: named})], desk)
        assert outcome.status == "refused", named
    assert balances(desk) == stood
    assert rows(desk)[-1].supersedes is None
    # In one batch with the charge, too.
    taking = charge("e8", 1, kind="replacement", replaces="e9", billing_party="hospital")
    assert [one.status for one in clear_events([charge("e9"), taking], desk)] == ["posted", "refused"]
    assert check_books(desk.books) == []


def test_what_waited_for_another_clinics_charge_does_not_take_it(desk, charge) -> None:
    [early] = clear_events([moved(charge)], desk)
    assert (early.status, early.reason) == ("pended", "unknown_target")
    [mine] = clear_events([charge()], desk)
    stood = balances(desk)
    [late] = clear_pended(desk)
    assert (late.status, late.reason) == ("refused", "invalid_event")
    assert balances(desk) == stood
    # The clinic itself still corrects its charge.
    [own] = clear_events([charge("e3", 30, kind="replacement", replaces="e1")], desk)
    assert (mine.status, own.status) == ("posted", "posted")
    assert check_books(desk.books) == []


def test_whoever_acts_for_both_says_whose_charge_it_was(desk, charge) -> None:
    said = {REPLACED_PARTY: "clinic"}
    [early] = clear_events([moved(charge, facts=said)], desk)
    assert early.reason == "unknown_target"
    clear_events([charge()], desk)
    # What it says stays with it while it waits.
    [late] = clear_pended(desk)
    assert late.status == "posted"
    owed = {account.owner: balance for account, balance in balances(desk).items() if account.kind == "provider_payable"}
    assert owed == {"hospital": -30 * MICROS}
    # Corrected again by who bills it now.
    [again] = clear_events([charge("e4", 20, kind="replacement", replaces="e2", billing_party="hospital")], desk)
    assert again.status == "posted"
    assert check_books(desk.books) == []


def test_a_hold_is_captured_by_who_asked_for_it(desk, charge) -> None:
    clear_events([charge("e1", 40, kind="hold")], desk)
    held = desk.books.pots()
    [outcome] = clear_events([moved(charge)], desk)
    assert outcome.status == "refused"
    assert desk.books.pots() == held
    [captured] = clear_events([moved(charge, "e3", facts={REPLACED_PARTY: "clinic"})], desk)
    assert captured.status == "posted"
