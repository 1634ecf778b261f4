"""What is kept with a person or a party is what would be found anew, on every day and after every change."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from drachm.domain.benefits import Plan, load_plan
from drachm.domain.clearing import register
from drachm.domain.clearing.covering import Covering
from drachm.domain.clearing.documents import Documents
from drachm.domain.clearing.model import EMPTY, Decision
from drachm.domain.clearing.register import PartyRecord, Person
from drachm.domain.coverage.model import NO_PLAN, Contract, Coverage, Member, Party
from drachm.domain.errors import Pended
from drachm.domain.ledger import model as ledger
from drachm.domain.ledger.model import Account, account_id
from drachm.domain.periods import Period, local_date

TOKYO, NEW_YORK = "Asia/Tokyo", "America/New_York"
START = datetime(2024, 12, 30, tzinfo=UTC)


def plan(name: str, version: str, zone: str, start: str, end: str | None = None) -> Plan:
    effective: dict[str, Any] = {"from": start} | ({"until": end} if end else {})
    words = {"id": name, "version": version, "payer": name, "currency": "USD", "zone": zone, "steps": []}
    return load_plan({**words, "effective": effective})


PLANS = [
    plan("a", "1", TOKYO, "2025-01-01", "2025-02-10"),
    plan("a", "2", TOKYO, "2025-02-11"),
    plan("b", "1", TOKYO, "2025-01-20"),
    plan("followed", "1", TOKYO, "2025-01-01"),
    plan("followed", "2", TOKYO, "2025-02-10"),
    plan("followed", "3", TOKYO, "2025-02-12"),
    plan("moved", "1", TOKYO, "2025-01-01", "2025-02-10"),
    plan("moved", "2", NEW_YORK, "2025-02-11"),
]
COVERAGES = (
    Coverage("none", "ana", NO_PLAN, Period(date(2025, 1, 1))),
    Coverage("one", "ana", "a", Period(date(2025, 1, 5), date(2025, 3, 1)), 1, "", {"tier": "gold"}),
    Coverage("two", "ana", "b", Period(date(2025, 2, 1), date(2025, 2, 20)), 2, "p"),
)


def one_of(name: str) -> tuple[Coverage, ...]:
    return (replace(COVERAGES[1], plan=name),)


def found(coverages: tuple[Coverage, ...], documents: Documents, at: datetime, zone: str) -> tuple[object, ...]:
    try:
        made = Covering(coverages, documents, at, local_date(at, zone), zone)
    except Pended as reason:
        return (reason.message,)
    return made.covers, made.stack, made.facts, made.policies, made.policy


@pytest.mark.parametrize("zone", [TOKYO, NEW_YORK, "UTC"])
@pytest.mark.parametrize("coverages", [COVERAGES, COVERAGES[:1], *(one_of(name) for name in ("moved", "followed"))])
def test_while_it_holds_nothing_else_would_be_found(coverages: tuple[Coverage, ...], zone: str) -> None:
    documents = Documents(PLANS)
    known: Covering | None = None
    kept = 0
    for step in range(300):
        at = START + timedelta(hours=7 * step)
        day = local_date(at, zone)
        now = found(coverages, documents, at, zone)
        if known is not None and known.holds(documents, at, day, zone):
            kept += 1
            assert (known.covers, known.stack, known.facts, known.policies, known.policy) == now
            assert not known.holds(Documents(PLANS), at, day, zone)
        else:
            known = Covering(coverages, documents, at, day, zone) if len(now) > 1 else None
    # Versions in two calendars do not simply follow one another: they are looked up each time.
    two_calendars = coverages[0].plan == "moved"
    assert (kept < 150) if two_calendars else (kept > 280)


def test_plans_that_count_days_in_two_zones_are_looked_up_each_time() -> None:
    plans = [plan("east", "1", TOKYO, "2025-01-01"), plan("west", "1", NEW_YORK, "2025-01-01")]
    documents, at = Documents(plans), datetime(2025, 2, 3, 12, tzinfo=UTC)
    coverages = tuple(replace(COVERAGES[1], id=one.id, plan=one.id) for one in plans)
    for zone in (TOKYO, NEW_YORK):
        made = Covering(coverages, documents, at, at.date(), zone)
        assert len(made.covers) == 2
        assert not made.holds(documents, at, at.date(), zone)
        alone = Covering(coverages[:1], documents, at, at.date(), zone)
        assert alone.holds(documents, at, at.date(), zone)


def test_a_party_is_remembered_at_its_sites(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(register, "PREMISES_MAX", 2)
    record = PartyRecord(Party("clinic", ("provider",), facts={"state": "AR", "rural": True}), 8)
    east = Party("east", ("site",), facts={"state": "TX"})
    assert record.at(None) is record.at(None)
    first = record.at(east)
    assert first is record.at(east)
    assert (first.facts, record.at(None).facts) == ({"state": "TX", "rural": True}, {"state": "AR", "rural": True})
    moved = replace(east, facts={"state": "OK"})
    assert record.at(moved).facts["state"] == "OK"
    context = record.at(moved).context(None, date(2025, 1, 1), self_pay=True)
    assert (context.book, context.state, context.network, context.rural) == ("as-submitted", "OK", "out", True)


def test_what_a_price_is_looked_up_with_is_kept_for_its_day_and_agreement_only() -> None:
    premises = PartyRecord(Party("clinic", ("provider",)), 8).at(None)
    agreed = Contract("clinic", "payer", "book", Period(date(2025, 1, 1)))
    days = [date(2025, 1, 1), date(2025, 1, 2)]
    asked = [(contract, day, own) for contract in (agreed, None) for day in days for own in (True, False)]
    told = [premises.context(contract, day, self_pay=own) for contract, day, own in asked]
    said = [(one.book, one.service_date, one.network, one.self_pay) for one in told]
    assert said == [
        ("book" if contract else "as-submitted", day, "in" if contract else "out", own) for contract, day, own in asked
    ]
    assert premises.context(None, days[1], self_pay=False) is told[-1]


def test_an_agreement_is_remembered_for_a_day_and_a_payer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(register, "PAYERS_MAX", 2)
    ends = date(2025, 2, 1)
    contracts = (
        Contract("clinic", "", "own", Period(date(2025, 1, 1))),
        Contract("clinic", register.ANY_PAYER, "any", Period(date(2025, 1, 1), ends)),
        Contract("clinic", "payer", "agreed", Period(date(2025, 1, 1), ends)),
    )
    record = PartyRecord(Party("clinic", ("provider",)), 8, contracts)
    day = date(2025, 1, 31)
    for _ in range(2):
        found = {payer: record.agreement(payer, day) for payer in (None, "payer", "other")}
        assert {payer: one.price_book for payer, one in found.items()} == {
            None: "own",
            "payer": "agreed",
            "other": "any",
        }
    assert record.agreement("payer", day) is record.agreement("payer", day)
    later = record.agreement("payer", ends)
    assert (later.price_book, later.network) == ("own", "out")
    with pytest.raises(Pended, match="no price agreement"):
        record.agreement("payer", date(2024, 12, 31))
    with pytest.raises(Pended, match="no price agreement"):
        record.agreement(None, date(2024, 12, 31))


def test_account_ids_are_the_same_when_they_were_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "KNOWN_MAX", 3)
    accounts = [Account("wallet", f"pot {number}", "USD") for number in range(5)]
    assert [account_id(77, one) for one in accounts] == [account_id(77, one) for one in accounts]
    assert len({account_id(77, one) for one in accounts}) == 5


def test_decisions_are_compared_by_what_they_say() -> None:
    one = Decision("posted", "", EMPTY)
    assert one == Decision("posted", "", EMPTY)
    assert one != Decision("denied", "", EMPTY)
    assert one != "posted"
    assert one.adjudication is None
    assert Person(Member("ana"), 7).covering is None
