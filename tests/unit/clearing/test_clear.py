"""The corners of clearing that no ordinary story reaches."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from drachm.domain.benefits.model import Credit, Key, Split
from drachm.domain.clearing.clear import clear
from drachm.domain.clearing.documents import Documents
from drachm.domain.clearing.journal import charge_entries
from drachm.domain.clearing.numbers import place_of, total_number, total_place
from drachm.domain.clearing.register import PartyRecord, Person, Registry
from drachm.domain.clearing.world import Turn, Waiting, World
from drachm.domain.coverage.model import Contract, Member, Party
from drachm.domain.errors import Pended
from drachm.domain.events.model import Code, ServiceEvent
from drachm.domain.funding.arrange import FundingPlan
from drachm.domain.funding.model import Pot
from drachm.domain.ledger.model import Account
from drachm.domain.periods import Period

NOON = datetime(2025, 3, 10, 12, tzinfo=UTC)
EVENT = ServiceEvent(
    source="ehr",
    event_id="e1",
    kind="charge",
    member="ana",
    code=Code("local", "visit"),
    currency="USD",
    started_at=NOON,
    billed=5_000_000,
    billing_party="clinic",
)
CLINIC = Party("clinic", ("provider",))
SELF_PAY = Contract("clinic", "", "as-submitted", Period(date(2025, 1, 1)))


def world(*pots: Pot, contracts: tuple[Contract, ...] = (SELF_PAY,)) -> World:
    registry = Registry(
        1, 1, {"ana": Person(Member("ana"), 7, (), pots)}, {"clinic": PartyRecord(CLINIC, 8, contracts)}
    )
    return World(registry, Documents())


def turn(event: ServiceEvent, here: World) -> Turn:
    return here.turn(Waiting(event, NOON, bytes(16)))


def test_a_pocket_of_another_currency_pends_what_is_owed() -> None:
    here = world(Pot("ana-yuan", "ana", "CNY"))
    with pytest.raises(Pended, match="no pocket of the member holds USD") as caught:
        clear(EVENT, *turn(EVENT, here))
    assert caught.value.reason == "currency_mismatch"
    free = replace(EVENT, billed=0)
    assert clear(free, *turn(free, here)).entry.entries == ()


def test_a_charge_without_a_price_is_not_decided() -> None:
    found = turn(EVENT, world())
    found.at.priced = None
    with pytest.raises(Pended, match="not priced"):
        clear(EVENT, *found)


def test_the_number_of_a_total_says_its_row_and_its_place_in_it() -> None:
    keys = [Key("ana", "plan/visits", period) for period in ("Y2025-01-01", "M2025-03", "D2025-03-09", "V:one", "L")]
    places = [total_place(1, key) for key in keys]
    assert [place_of(total_number(1, key)) for key in keys] == places
    assert places[0].row == places[1].row
    assert len({place.row for place in places}) == 4
    assert len({place.slot for place in places}) == 5
    assert total_number(2, keys[0]) != total_number(1, keys[0])


def test_taking_back_needs_something_to_take_back() -> None:
    back = replace(EVENT, kind="reversal", replaces="e0")
    with pytest.raises(Pended, match="not here"):
        clear(back, *turn(back, world()))


def test_credits_to_earlier_events_are_posted_beside_the_charge() -> None:
    split = Split(
        cost=100,
        patient=0,
        payers=(("fund", 100),),
        credits=(Credit("fund", 30, "plan", "cap", "M2025-03"), Credit("fund", -10, "plan", "other", "M2025-03")),
        deltas=(),
        trace=(),
        decision="covered",
        reason="",
        amounts=(100,),
    )
    entries = charge_entries(split, FundingPlan(), provider="clinic", member="ana", currency="JPY")
    assert {entry.account: entry.amount for entry in entries} == {
        Account("payer_receivable", "fund", "JPY"): 120,
        Account("provider_payable", "clinic", "JPY"): -100,
        Account("patient_credit", "ana", "JPY"): -20,
    }


def test_a_contract_that_has_ended_prices_nothing() -> None:
    ended = replace(SELF_PAY, period=Period(date(2024, 1, 1), date(2025, 1, 1)))
    other = replace(SELF_PAY, payer="somebody")
    with pytest.raises(Pended, match="no price agreement") as caught:
        turn(EVENT, world(contracts=(ended, other)))
    assert caught.value.reason == "no_contract"


def test_only_referring_kinds_look_at_what_they_name() -> None:
    assert turn(replace(EVENT, replaces="e0"), world()).at.target is None
