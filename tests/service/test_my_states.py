"""Which word, number, pill and sentence does the card of a visit have in each state?"""

from __future__ import annotations

from typing import Any

import pytest

from drachm.adapters.rest.service.charge_views import Charge, ChargeAmounts, Visit, VisitTotal
from drachm.adapters.rest.service.my_visit_view import visit_card, visit_parts
from drachm.adapters.rest.service.shapes import money
from drachm.adapters.rest.service.speech import LANGUAGES, speaking

MICROS = 1_000_000
PAID = {"payers": 30, "patient": 20, "due": 0}


def amounts(payers: int, patient: int, due: int, billed: int = 0, currency: str = "USD") -> ChargeAmounts:
    allowed = payers + patient
    whole = billed or allowed
    sums = (whole, allowed, whole - allowed, payers, patient, patient - due, 0, due)
    return ChargeAmounts(*[money(size * MICROS, currency) for size in sums])


def charge(state: str = "standing", *, status: str = "posted", provisional: bool = False, **sums: Any) -> Charge:
    erased = sums.pop("erased", False)
    return Charge(
        id="chg_1",
        event="evt_1",
        receipt="rcp_00000000000060000000007k4m",
        visit="vis_1",
        status=status,  # type: ignore[arg-type]
        state=state,  # type: ignore[arg-type]
        revision=0,
        member="ana",
        day="2026-11-21",
        posted_at="2026-11-21T14:00:00Z",
        provisional=provisional,
        provider="clinic",
        service=None,
        display="Video visit",
        amounts=None if erased else amounts(**{"payers": 30, "patient": 20, "due": 0, **sums}),
        by_payer=[],
        waits=None,
    )


def visit(*items: Charge, complete: bool = True, **sums: Any) -> Visit:
    standing = [one for one in items if one.state == "standing" and one.amounts]
    currencies = sums.pop("currencies", ["USD"])
    sums = sums or PAID
    totals = [
        VisitTotal(currency=one, charges=len(standing), amounts=amounts(**sums, currency=one)) for one in currencies
    ]
    return Visit(
        id="vis_1",
        member="ana",
        day="2026-11-21",
        until="2026-11-21",
        answer="",
        charges=sum(one.state == "standing" for one in items),
        totals=totals if standing else [],
        complete=complete,
        provisional=any(one.provisional for one in standing),
        providers=["clinic"],
        items=list(items),
    )


STATES: dict[str, tuple[Visit, tuple[str, str, str, str], str]] = {
    "paid": (visit(charge(), **PAID), ("You paid", "$20.00", "ok", "Nothing more to pay"), "You paid $20.00."),
    "nothing due": (
        visit(charge(), payers=50, patient=0, due=0),
        ("You paid", "$0.00", "ok", "Insurance paid all of it"),
        "The visit cost $50.00. You need to do nothing.",
    ),
    "free": (visit(charge(), payers=0, patient=0, due=0), ("You paid", "$0.00", "ok", "Nothing to pay"), "do nothing"),
    "to pay": (
        visit(charge(), payers=30, patient=20, due=20),
        ("Please pay", "$20.00", "you", "Not paid yet"),
        "Your part is $20.00.",
    ),
    "part paid": (
        visit(charge(), payers=30, patient=20, due=5),
        ("Please pay", "$5.00", "you", "$15.00 is paid already"),
        "Your part is $20.00.",
    ),
    "waiting for insurer": (
        visit(charge(provisional=True), payers=30, patient=20, due=20),
        ("Your part so far", "$20.00", "held", "Your insurer is still checking"),
        "We tell you once",
    ),
    "insurer said no": (
        visit(charge(status="denied"), payers=0, patient=50, due=50),
        ("Please pay", "$50.00", "refused", "Insurance paid nothing"),
        "Your insurance did not pay for it.",
    ),
    "own expense": (
        visit(charge(), payers=0, patient=50, due=50),
        ("Please pay", "$50.00", "you", "Not paid yet"),
        "Your part is $50.00.",
    ),
    "one part taken back": (
        visit(charge(), charge("reversed"), **PAID),
        ("You paid", "$20.00", "ok", "Nothing more to pay"),
        "1 part was taken back.",
    ),
    "void": (visit(charge("reversed")), ("Taken back in full", "", "ok", "Nothing to pay"), "took everything back"),
    "not whole": (
        visit(charge(), complete=False, **PAID),
        ("You paid", "$20.00", "held", "A part is still being worked out"),
        "This is not the whole yet.",
    ),
    "erased": (
        visit(charge(erased=True), complete=False),
        ("Erased", "", "held", "Its details are gone"),
        "The books keep the amounts",
    ),
}


@pytest.mark.parametrize("state", STATES)
def test_each_state_has_its_own_answer(state: str) -> None:
    given, (word, amount, tone, pill), sentence = STATES[state]
    card = visit_card(given, {"clinic": "City Clinic"})
    lead = card.lead
    assert (lead.word, str(lead.amount or ""), lead.tone, lead.pill) == (word, amount, tone, pill)
    assert sentence in str(card.sentence).replace('<bdi dir="ltr" class="money">', "").replace("</bdi>", "")
    assert card.place == "City Clinic"
    # What is asked for is the due amount, and only where nobody is still checking.
    asked = given.totals[0].amounts.due.micros if given.totals and not given.provisional else 0
    assert (card.due.micros if card.due else 0) == asked


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("language", [*LANGUAGES, "en-XA"])
def test_every_state_speaks_every_language(state: str, language: str) -> None:
    given = STATES[state][0]
    with speaking("en"):
        english = visit_card(given, {})
    with speaking(language):
        card = visit_card(given, {})
    assert (card.lead.word != english.lead.word) == (language != "en")
    assert (card.sentence != english.sentence) == (language != "en")


def test_shares_of_the_bar_are_the_legend_and_sum_to_the_cost() -> None:
    for given, _, _ in STATES.values():
        card = visit_card(given, {})
        if card.cost is None:
            continue
        assert sum(row.amount.micros for row in card.legend) == card.cost.micros
        if card.bar is not None:
            assert [piece.kind for piece in card.bar.pieces] == [row.kind for row in card.legend]


def test_of_several_currencies_none_is_hidden() -> None:
    card = visit_card(visit(charge(), currencies=["EUR", "USD"], **PAID), {})
    assert str(card.lead.amount) == "€20.00"
    assert [str(one) for one in card.others] == ["$20.00"]


def test_a_relative_is_told_no_name_and_no_care() -> None:
    given = visit(charge(), **PAID)
    given.providers = None
    given.items[0].display = None
    card, (part,) = visit_card(given, {"clinic": "City Clinic"}), visit_parts(given)
    assert (card.place, card.what, part.what) == ("A clinic", "", "Care")


def test_what_counts_no_more_stands_last_and_is_not_drawn() -> None:
    gone, kept, erased = visit_parts(visit(charge("replaced"), charge(erased=True), charge(), **PAID))[::-1]
    assert (kept.counts, gone.counts) == (True, False)
    assert gone.bar is None
    assert gone.state
    assert erased.amount is None
