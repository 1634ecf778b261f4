"""A later version takes over from its first day; decisions stay, and a late event finds the version of its day."""

from __future__ import annotations

import copy
import time
from datetime import UTC, datetime

import pytest

from drachm.application.audit import audit
from drachm.application.check_books import check_books
from drachm.application.clear_events import clear_events
from drachm.application.desk import Desk
from drachm.application.recall import kept_of, recall
from drachm.domain.coverage.model import Contract, Coverage, Party
from drachm.domain.money import MICROS
from drachm.domain.periods import Period, read_day
from drachm.storage.tally import DiskTally

ALWAYS = Period(read_day("1900-01-01"))
MAY, JULY = datetime(2025, 5, 5, 16, tzinfo=UTC), datetime(2025, 7, 1, 16, tzinfo=UTC)
LAST_NIGHT, FIRST_MORNING = datetime(2025, 7, 1, 3, 59, tzinfo=UTC), datetime(2025, 7, 1, 4, tzinfo=UTC)

OPEN = {
    "id": "open-plan",
    "version": "1",
    "payer": "town-insurance",
    "currency": "USD",
    "zone": "America/New_York",
    "effective": {"from": "2025-01-01"},
    "accumulators": [
        {"id": "deductible", "scope": "person", "period": "benefit_year", "feeds": [{"of": "deductible"}]}
    ],
    "steps": [
        {"id": "deductible", "kind": "deductible", "clause": "1",
         "limits": [{"accumulator": "deductible", "limit": 30 * MICROS}]},
        {"id": "share", "kind": "coinsurance", "ppm": 500_000, "clause": "2"},
    ],
}  # fmt: skip
BOOK = {
    "id": "open-book",
    "version": "1",
    "currency": "USD",
    "zone": "America/New_York",
    "effective": {"from": "2025-01-01"},
    "lesser_of_billed": False,
    "items": [{"system": "local", "code": "visit", "rule": {"kind": "fixed", "amount": 20 * MICROS}}],
}


def second(document, first_day="2025-07-01", **changes):
    return {**copy.deepcopy(document), "version": "2", "effective": {"from": first_day}, **changes}


@pytest.fixture
def settled(desk: Desk) -> Desk:
    """Cleo is covered by a plan without an end; the surgery's prices have none either."""
    desk.books.publish("plan", OPEN)
    desk.books.publish("price_book", BOOK)
    desk.books.enrol(
        parties=[Party("surgery", ("provider",), zone="America/New_York")],
        coverages=[Coverage("c-cleo", "cleo", "open-plan", ALWAYS)],
        contracts=[Contract("surgery", payer, "open-book", ALWAYS) for payer in ("*", "")],
    )
    return desk


@pytest.fixture
def send(settled: Desk, charge):
    """A visit of Cleo's at the surgery: who owes what of it, in dollars, and which versions said so."""

    def one(event_id: str, at: datetime, **changes):
        event = charge(event_id, 0, member="cleo", billing_party="surgery", started_at=at, visit=event_id, **changes)
        [outcome] = clear_events([event], settled)
        assert outcome.status == "posted", outcome
        answer = outcome.decision.adjudication
        documents = settled.books.documents()
        versions = [documents.by_hash(one).version for one in answer.decided_by]
        return answer.allowed // MICROS, answer.patient_responsibility // MICROS, *versions

    return one


def succeed(desk: Desk) -> None:
    steps = copy.deepcopy(OPEN["steps"])
    steps[1]["ppm"] = 100_000
    desk.books.publish("plan", second(OPEN, steps=steps))
    dearer = copy.deepcopy(BOOK["items"])
    dearer[0]["rule"]["amount"] = 40 * MICROS
    desk.books.publish("price_book", second(BOOK, items=dearer))


def audited(desk: Desk):
    with DiskTally(cached=2) as totals, DiskTally(cached=2) as pots:
        return audit(desk.books, totals, pots, time.monotonic, lambda _: None)


def recalled(desk: Desk):
    kept = [one for stored, _ in desk.books.rows() if (one := kept_of(stored)) is not None]
    return [one.decision for one in recall(kept, desk.books)]


def test_decided_stays_and_late_care_finds_the_version_of_its_day(settled: Desk, send) -> None:
    assert send("e1", MAY) == (20, 20, "1")
    # Care of a day that the next version will have, decided before anybody published it.
    assert send("e2", JULY) == (20, 15, "1")
    decided = recalled(settled)
    assert check_books(settled.books) == []
    succeed(settled)
    assert recalled(settled) == decided
    # Running totals go on: the deductible of the year is used up, under both versions.
    assert send("e3", JULY) == (40, 4, "2")
    assert send("e4", MAY) == (20, 10, "1")
    assert send("e5", LAST_NIGHT) == (20, 10, "1")
    assert send("e6", FIRST_MORNING) == (40, 4, "2")
    # A correction is care of its day, too.
    assert send("e7", MAY, kind="replacement", replaces="e4") == (20, 10, "1")
    assert recalled(settled)[: len(decided)] == decided
    assert check_books(settled.books) == []
    report = audited(settled)
    assert (report.first_difference, report.ok) == ("", True)


def test_totals_go_on_when_a_plan_with_another_id_continues(settled: Desk, send) -> None:
    assert send("e1", MAY) == (20, 20, "1")
    settled.books.publish("plan", second({**OPEN, "id": "new-plan"}, continues="open-plan"))
    until = Period(ALWAYS.start, JULY.date())
    settled.books.enrol(
        coverages=[
            Coverage("c-cleo", "cleo", "open-plan", until),
            Coverage("c-2", "cleo", "new-plan", Period(JULY.date())),
        ]
    )
    assert send("e2", JULY) == (20, 15, "2")
    assert send("e3", MAY) == (20, 10, "1")
    assert check_books(settled.books) == []


def test_one_batch_finds_each_version_on_its_days(settled: Desk, charge) -> None:
    succeed(settled)
    days = (MAY, JULY, LAST_NIGHT, FIRST_MORNING, MAY)
    outcomes = clear_events(
        [
            charge(f"e{n}", 0, member="cleo", billing_party="surgery", started_at=at, visit=f"v{n}")
            for n, at in enumerate(days)
        ],
        settled,
    )
    assert [one.decision.priced.allowed // MICROS for one in outcomes] == [20, 40, 20, 40, 20]
    documents = settled.books.documents()
    decided_by = [documents.by_hash(one.decision.adjudication.decided_by[0]) for one in outcomes]
    assert [plan.version if plan else "" for plan in decided_by] == ["1", "2", "1", "2", "1"]
    assert check_books(settled.books) == []
