"""Figures of many charges: they are sums of the journal, in whatever steps it was taken in, and name nobody's care."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
import pytest

from drachm.application.clear_pended import clear_pended
from drachm.application.figures import Sums
from drachm.domain.coverage.model import Contract, Member, Party
from drachm.domain.events.model import Code
from drachm.domain.figures.spans import HOUR, number_within
from drachm.domain.money import MICROS
from drachm.domain.periods import Period

ALWAYS = Period(date(2000, 1, 1))
TABLES = ("figure_day", "figure_mix", "figure_time", "figure_hour", "figure_books")
EVER = date(1, 1, 1), date(9999, 12, 31)
EVER_SINCE = datetime(2026, 1, 1, tzinfo=UTC)


def take_in(town: Any, limit: int = 1000) -> int:
    town.follow()
    done = 0
    while count := town.market.figures.follow(limit):
        done += count
    return done


def everything(street: Any, tenant: int) -> list[list[str]]:
    """What is kept, cells that came to nothing left out: a rebuild never makes them."""
    with psycopg.connect(street.url) as owner:
        return [
            sorted(
                str(row)
                for row in owner.execute(f"SELECT * FROM {table} WHERE tenant = %s", [tenant]).fetchall()
                if any(value != 0 for value in row if not isinstance(value, str | bytes | date | datetime | memoryview))
                and any(row[NUMBERS[table] :])
            )
            for table in TABLES
        ]


NUMBERS = {"figure_day": 4, "figure_mix": 6, "figure_time": 5, "figure_hour": 4, "figure_books": 3}


def overview(town: Any, parties: Any = None, since: date = EVER[0], until: date = EVER[1]) -> Any:
    now = town.clock.now()
    return town.market.figures.overview(parties, since, until, now.date(), now)


def live(town: Any, rng: random.Random, each: Any = lambda: None) -> None:
    """Charges, corrections, reversals, holds, captures, refusals, what waits and clears later."""
    standing: list[Any] = []
    for turn in range(12):
        events = [
            town.event(
                f"e{turn}-{number}",
                rng.randint(1, 90),
                member=rng.choice(["ana", "ben", "cleo", "later"]),
                billing_party=rng.choice(["clinic", "hospital", "later-clinic"]),
                kind=rng.choice(["charge", "charge", "charge", "hold"]),
                started_at=town.clock.now() - timedelta(hours=rng.randint(0, 2000)),
                facts=rng.choice([{}, {"category": "lab"}, {"category": "cosmetic"}, {"category": "preventive"}]),
            )
            for number in range(rng.randint(1, 4))
        ]
        if standing and rng.random() < 0.8:
            target = standing.pop(rng.randrange(len(standing)))
            kind = "replacement" if rng.random() < 0.5 else "stop" if target.kind == "hold" else "reversal"
            events.append(replace(target, event_id=f"r{turn}", kind=kind, replaces=target.event_id))
        standing += [
            outcome.event
            for outcome in town.clear(*events, index=rng.random() < 0.5)
            if outcome.status in ("posted", "denied") and outcome.event.kind in ("charge", "hold", "replacement")
        ]
        if turn == 8:
            town.desk.books.enrol(
                members=[Member("later")],
                parties=[Party("later-clinic", ("provider",))],
                contracts=[Contract("later-clinic", payer, "as-submitted", ALWAYS) for payer in ("*", "")],
            )
            clear_pended(town.desk)
        town.clock.move(hours=rng.randint(0, 30))
        each()


@pytest.mark.parametrize("seed", range(3))
def test_taken_in_by_pieces_they_are_what_a_fresh_sum_gives(town: Any, street: Any, seed: int) -> None:
    rng = random.Random(seed)
    live(town, rng, lambda: town.market.figures.follow(rng.randint(1, 5)))
    take_in(town, 3)
    kept = everything(street, town.tenant)
    assert all(kept)
    assert town.market.figures.rebuild() > 20
    assert everything(street, town.tenant) == kept


@pytest.mark.parametrize("seed", range(3))
def test_lines_added_up_are_what_the_ledger_owes_each_provider(town: Any, seed: int) -> None:
    live(town, random.Random(seed))
    take_in(town)
    owed = {
        (account.owner, account.currency): -balance
        for account, balance in town.desk.books.balances().items()
        if account.kind == "provider_payable"
    }
    assert any(owed.values())
    for provider in ("clinic", "hospital", "later-clinic"):
        (sums,) = overview(town, [provider]).sums or [Sums("USD", 0, 0, 0, 0, 0, 0)]
        assert sums.agreed == owed.get((provider, "USD"), 0)
        for one in overview(town, [provider]).books:
            assert one.lines == one.entries == owed[provider, one.currency]
    due = sum(-b for a, b in town.desk.books.balances().items() if a.kind == "patient_receivable")
    assert sum(one.due for one in overview(town).sums) == -due
    assert sum(one.patients for one in overview(town).ageing) == -due


@pytest.mark.parametrize("seed", range(2))
def test_sums_are_those_of_the_charges_that_the_interface_lists(town: Any, ask: Any, seed: int) -> None:
    live(town, random.Random(seed))
    take_in(town)
    listed = ask("list_charges", town.auditor(), query={"limit": "100"}).body["data"]
    standing = [one for one in listed if one["state"] == "standing"]
    (sums,) = overview(town).sums
    assert sums.charges == len(standing) > 5
    assert sums.denied == sum(one["status"] == "denied" for one in standing)
    for name, part in (("billed", "billed"), ("insurers", "payers"), ("patients", "patient"), ("due", "due")):
        assert getattr(sums, name) == sum(one["amounts"][part]["micros"] for one in standing)
    assert sums.cut == sum(one["amounts"]["agreed_cut"]["micros"] for one in standing)
    assert sum(group.number for _, group in overview(town).care) == sums.charges
    assert sum(group.number for _, group in overview(town).refusals) == sums.denied


def test_one_morning_in_figures(town: Any) -> None:
    town.clear(
        town.event("e1", 40),
        town.event("e2", 25, facts={"category": "lab"}),
        town.event("e3", 60, facts={"category": "cosmetic"}),
        town.event("e4", 10, member="unknown-member"),
    )
    assert take_in(town) >= 4
    seen = overview(town, ["clinic"])
    (sums,) = seen.sums
    assert (sums.charges, sums.denied, sums.billed) == (3, 1, 125 * MICROS)
    # 40 dollars: 10 deductible and a fifth of 30; 25: a fifth; 60: all of it.
    assert (sums.insurers, sums.patients) == (44 * MICROS, 81 * MICROS)
    assert {group.name: group.number for _, group in seen.care} == {"": 1, "lab": 1, "cosmetic": 1}
    assert [(group.name, group.number) for _, group in seen.refusals] == [("not_covered", 1)]
    assert number_within(seen.from_care, HOUR) == 0
    assert number_within(seen.from_care, 3 * HOUR) == 3
    assert number_within(seen.from_receipt, HOUR) == 3
    assert [(one.reason, one.number) for one in seen.queue] == [("unknown_member", 1)]
    assert town.market.figures.months(["clinic"]) == [(date(2026, 3, 1), 3)]
    assert overview(town, ["hospital"]).sums == []
    assert overview(town, ["clinic"], date(2026, 4, 1), date(2026, 4, 30)).sums == []


def test_what_is_owed_grows_old(town: Any) -> None:
    town.clear(town.event("e1", 40, member="cleo"))
    take_in(town)
    for days, step in ((0, 0), (1, 0), (2, 1), (7, 1), (8, 2), (30, 2), (31, 3), (60, 3), (61, 4), (90, 4), (91, 5)):
        day = date(2026, 3, 10) + timedelta(days=days)
        (age,) = town.market.figures.overview(None, *EVER, day, town.clock.now()).ageing
        assert (age.step, age.patients, age.insurers) == (step, 40 * MICROS, 0), days


def test_half_hours_count_every_answer(town: Any) -> None:
    town.clear(town.event("e1", 40), town.event("e4", 10, member="unknown-member"))
    town.clock.move(hours=3)
    town.clear(town.event("e5", 40))
    take_in(town)
    found = town.market.figures.half_hours(datetime(2026, 1, 1, tzinfo=UTC))
    counted = [(one.began.hour, one.status, sum(count.number for count in one.counts)) for one in found]
    assert counted == [(16, "posted", 1), (16, "pended", 1), (19, "posted", 1)]


def test_numbers_stand_beside_no_word_of_care(town: Any, street: Any) -> None:
    town.clear(
        town.event("e1", 40, code=Code("local", "fertility"), facts={"category": "fertility"}, display="Fertility"),
        town.event("e2", 60, facts={"category": "cosmetic"}),
    )
    take_in(town)
    assert {group.name for _, group in overview(town).care} == {"fertility", "cosmetic"}
    with psycopg.connect(street.url) as owner:
        for table in (*TABLES, "figure_word", "figure_followed"):
            rows = owner.execute(f"SELECT * FROM {table} WHERE tenant = %s", [town.tenant]).fetchall()
            assert rows, table
            assert not any(word in repr(rows) for word in ("fertility", "Fertility", "cosmetic", "not_covered", "ana"))


def test_an_erased_patient_stays_in_the_sums_and_in_rebuilt_ones(town: Any) -> None:
    town.clear(town.event("e1", 40), town.event("e2", 60, facts={"category": "cosmetic"}))
    town.clear(town.event("e3", 30, member="ben", billing_party="hospital"))
    take_in(town)
    before = overview(town)
    town.desk.books.erase("ana")
    assert overview(town).sums == before.sums
    town.market.figures.rebuild()
    after = overview(town)
    assert after.sums[0].charges == before.sums[0].charges
    for name in ("billed", "insurers", "patients", "due"):
        assert getattr(after.sums[0], name) == getattr(before.sums[0], name), name
    assert all(one.lines == one.entries for one in after.books)
    assert sum(group.number for _, group in after.care) == 1


def test_another_tenant_is_not_in_the_figures(town: Any, other_town: Any) -> None:
    town.clear(town.event("e1", 40))
    take_in(town)
    take_in(other_town)
    assert overview(other_town).sums == []
    assert other_town.market.figures.months(None) == []
    assert other_town.market.figures.half_hours(datetime(2000, 1, 1, tzinfo=UTC)) == []


def test_two_who_take_in_at_once_take_each_row_once(town: Any) -> None:
    town.clear(*(town.event(f"e{number}", 10, member="cleo", visit="") for number in range(60)))
    town.follow()
    with ThreadPoolExecutor(3) as threads:
        taken = [threads.submit(lambda: sum(town.market.figures.follow(3) for _ in range(60))) for _ in range(3)]
        first = sum(one.result() for one in taken)
    # 60 charges and the three pockets that were filled when the town was enrolled.
    assert first + take_in(town) == 63
    (sums,) = overview(town).sums
    assert (sums.charges, sums.billed) == (60, 600 * MICROS)
    assert overview(town).behind == 0


def test_a_word_that_was_changed_is_named(town: Any, street: Any) -> None:
    from drachm.domain.errors import IntegrityError

    town.clear(town.event("e1", 40, facts={"category": "lab"}))
    take_in(town)
    with psycopg.connect(street.url) as owner:
        owner.execute("UPDATE figure_word SET sealed = sealed || '\\x00' WHERE tenant = %s", [town.tenant])
    with pytest.raises(IntegrityError):
        overview(town)


def test_what_a_clinic_gave_up_is_neither_paid_nor_due(town: Any, ask: Any, street: Any) -> None:
    """Zoe has no pot. Of 30 dollars 8 are given up alone, then asked for after all; of 12 all are given up."""
    town.desk.books.enrol(members=[Member("zoe")])
    town.clear(*(town.event(f"z{n}", dollars, member="zoe", visit=f"z{n}") for n, dollars in enumerate((30, 12))))
    take_in(town)
    (before,) = overview(town).sums
    assert (before.patients, before.due, before.forgone, before.paid) == (42 * MICROS, 42 * MICROS, 0, 0)
    hours, times = town.market.figures.half_hours(EVER_SINCE), overview(town).from_care
    town.clock.move(days=3)

    def give_up(event_id: str, dollars: int) -> Any:
        found = ask("list_service_events", town.operator(), query={"source": "ehr", "event_id": event_id}).body
        body = {"reason": "hardship", "amount": {"micros": dollars * MICROS, "currency": "USD"}}
        return ask("write_off_due", town.clerk(), {"charge_id": found["data"][0]["charge"]}, body=body).body

    first, second = give_up("z0", 8), give_up("z1", 12)
    assert (first["state"], second["state"]) == ("done", "done")
    take_in(town)
    (after,) = overview(town).sums
    assert (after.patients, after.due, after.forgone, after.paid) == (42 * MICROS, 22 * MICROS, 20 * MICROS, 0)
    assert (after.charges, after.billed, after.agreed) == (before.charges, before.billed, before.agreed)
    assert sum(one.patients for one in overview(town).ageing) == 22 * MICROS
    assert all(one.lines == one.entries for one in overview(town).books)
    # No money came, and nobody was answered: neither figure of time has moved.
    assert overview(town).from_care == times
    assert town.market.figures.half_hours(EVER_SINCE) == hours
    kept = everything(street, town.tenant)
    town.market.figures.rebuild()
    assert everything(street, town.tenant) == kept
    assert ask("end_write_off", town.clerk(), {"write_off_id": first["id"]}).body["state"] == "taken_back"
    take_in(town)
    (again,) = overview(town).sums
    assert (again.due, again.forgone, again.paid) == (30 * MICROS, 12 * MICROS, 0)
    figures = ask("get_care_figures", town.finance(), query={"since": "2026-01", "until": "2026-12"}).body["sums"][0]
    assert int(figures["no_longer_asked"]["micros"]) == 12 * MICROS
    assert int(figures["paid"]["micros"]) == 0
    town.desk.books.erase("zoe")
    town.market.figures.rebuild()
    (erased,) = overview(town).sums
    assert (erased.patients, erased.due, erased.forgone) == (42 * MICROS, 30 * MICROS, 12 * MICROS)
