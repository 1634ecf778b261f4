"""The readers' index of a lived-in town: what it says follows from the journal, in whatever steps it was read."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date
from typing import Any

import psycopg
import pytest

from drachm.application.clear_pended import clear_pended
from drachm.domain.coverage.model import Contract, Member, Party
from drachm.domain.periods import Period
from drachm.domain.transparency.leaf import event_key

ALWAYS = Period(date(2000, 1, 1))
TABLES = ("journal_index", "journal_party")


def everything(street: Any, tenant: int) -> list[list[str]]:
    with psycopg.connect(street.url) as owner:
        return [
            sorted(map(str, owner.execute(f"SELECT * FROM {table} WHERE tenant = %s", [tenant]).fetchall()))
            for table in TABLES
        ]


def live(town: Any, rng: random.Random) -> None:
    """Charges, corrections, reversals, holds, captures, what waits and clears later; some without a visit."""
    standing: list[Any] = []
    for turn in range(12):
        events = []
        for number in range(rng.randint(1, 4)):
            event = town.event(
                f"e{turn}-{number}",
                rng.randint(1, 90),
                member=rng.choice(["ana", "ben", "cleo", "later"]),
                billing_party=rng.choice(["clinic", "hospital", "later-clinic"]),
                visit=rng.choice(["", "v1", "v2"]),
                kind=rng.choice(["charge", "charge", "charge", "hold"]),
            )
            events.append(event)
        if standing and rng.random() < 0.8:
            target = standing.pop(rng.randrange(len(standing)))
            kind = "replacement" if rng.random() < 0.5 else "stop" if target.kind == "hold" else "reversal"
            visit = rng.choice(["", target.visit])
            events.append(replace(target, event_id=f"r{turn}", kind=kind, replaces=target.event_id, visit=visit))
        standing += [
            outcome.event
            for outcome in town.clear(*events, index=rng.random() < 0.5)
            if outcome.status == "posted" and outcome.event.kind in ("charge", "hold", "replacement")
        ]
        if turn == 8:
            town.desk.books.enrol(
                members=[Member("later")],
                parties=[Party("later-clinic", ("provider",))],
                contracts=[Contract("later-clinic", payer, "as-submitted", ALWAYS) for payer in ("*", "")],
            )
            clear_pended(town.desk)
        if rng.random() < 0.4:
            town.market.index.follow(limit=rng.randint(1, 5))


@pytest.mark.parametrize("seed", range(3))
def test_rebuilt_it_is_what_was_followed(town: Any, street: Any, seed: int) -> None:
    live(town, random.Random(seed))
    town.follow()
    followed = everything(street, town.tenant)
    assert len(followed[0]) > 20
    assert town.market.index.rebuild() == len(followed[0])
    assert everything(street, town.tenant) == followed


@pytest.mark.parametrize("seed", range(3))
def test_looked_up_it_is_what_was_followed(town: Any, seed: int) -> None:
    """A row read afresh from the journal says what the index says of it."""
    live(town, random.Random(seed))
    town.follow()
    index = town.market.index
    rows = index.after(0, parties=None, members=None, limit=1000)
    newest = index.page("events", parties=None, members=None, limit=1000)
    later = {row.first: row for row in newest if row.revision}
    assert later
    for row, looked in zip(rows, index.look([row.position for row in rows]), strict=True):
        if row.position not in later:
            assert looked.row == row
        else:
            # An event's first row is listed for the parties of its later answer, too, and in their visit.
            assert row.parties == looked.row.parties | later[row.position].parties
            assert row._replace(parties=looked.row.parties) == looked.row
    assert {row.key: row.position for row in newest} == {
        key: places[-1] for key, places in index.of_keys([row.key for row in newest]).items()
    }
    assert len({row.key for row in rows if row.kind != "top_up"}) == len(newest)


def test_what_takes_back_a_charge_belongs_to_its_visit_and_parties(town: Any) -> None:
    town.clear(town.event("e1", visit=""), town.event("e2", visit=""))
    town.clear(town.event("r1", kind="reversal", replaces="e1", visit=""))
    town.clear(
        town.event(
            "n2",
            kind="replacement",
            replaces="e2",
            visit="",
            billing_party="hospital",
            facts={"replaced_party": "clinic"},
        )
    )
    index, tenant = town.market.index, town.tenant
    rows = {name: index.look(index.of_key(event_key(tenant, "ehr", name)))[-1].row for name in ("e1", "e2", "r1", "n2")}
    assert rows["e1"].visit == rows["r1"].visit != rows["e2"].visit == rows["n2"].visit
    assert rows["r1"].parties == rows["e1"].parties == {"clinic", "town-insurance"}
    # What the hospital bills now is none of the clinic's business, though it took the place of the clinic's charge.
    assert rows["n2"].parties == {"hospital", "town-insurance"}


def test_a_visit_cannot_be_told_from_its_hash(town: Any, other_town: Any, street: Any) -> None:
    for one in (town, other_town):
        one.clear(one.event("e1", visit="v-secret"))
    texts = everything(street, town.tenant)
    assert "v-secret" not in str(texts)
    assert "Video" not in str(texts)
    (mine,) = town.market.index.page("charges", parties=None, members=None)
    (theirs,) = other_town.market.index.page("charges", parties=None, members=None)
    assert mine.visit != theirs.visit
    assert town.market.index.of_visit(theirs.visit, parties=None, members=None) == []


def test_a_tenant_indexes_its_own_rows_only(town: Any, other_town: Any) -> None:
    other_town.clear(other_town.event("theirs"), index=False)
    before = len(town.market.index.after(0, parties=None, members=None))
    town.follow()
    assert len(town.market.index.after(0, parties=None, members=None)) == before + 3  # its own top-ups
    assert town.market.index.lag() == 0
    assert other_town.market.index.lag() > 0
