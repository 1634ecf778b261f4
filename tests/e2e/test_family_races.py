"""Thousands of attempts at one moment: no limit is passed, nothing is overdrawn, a revoke holds from its commit on."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import threading
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
import pytest

from drachm.application.body import read_body
from drachm.application.desk import Desk
from drachm.domain.coverage.model import Member
from drachm.domain.funding.allotment import admission
from drachm.domain.funding.model import Pot
from drachm.domain.funding.quota import Limit, Terms
from drachm.domain.ledger.model import EntryKind
from drachm.domain.money import MICROS

sys.path.insert(0, str(Path(__file__).parent))

from family_racers import CATEGORIES, MEMBERS, Told
from fund_helpers import admit, audited, pay_in

RACER = Path(__file__).parent / "family_racers.py"
PROCESSES, CLIENTS = 4, 16
"""64 clients, in four processes that know nothing of each other."""


def race(url: str, sort: str, attempts: int, batch: int, meanwhile: Callable[[], None] | None = None) -> list[Told]:
    """What became of every attempt, in the order of the books; no fault may surface anywhere."""
    rounds = -(-attempts // (PROCESSES * CLIENTS * batch))
    running = [
        subprocess.Popen(
            [sys.executable, str(RACER), url, sort, str(n), str(CLIENTS), str(rounds), str(batch), "7"],
            stdout=subprocess.PIPE,
            env=os.environ,
        )
        for n in range(PROCESSES)
    ]
    told: list[Told] = []
    faults: list[str] = []
    outputs: list[bytes] = []
    hearing = [threading.Thread(target=lambda one=one: outputs.append(one.communicate()[0])) for one in running]
    for thread in hearing:
        thread.start()
    while meanwhile is not None and any(one.poll() is None for one in running):
        meanwhile()
    for thread in hearing:
        thread.join()
    for output in outputs:
        found, unexpected = pickle.loads(output)
        told += [Told(*one) for one in found]
        faults += unexpected
    assert faults == []
    assert [one.returncode for one in running] == [0] * PROCESSES
    assert len(told) == rounds * batch * PROCESSES * CLIENTS >= attempts
    return sorted(told, key=lambda one: one.position)


def spend_exactly(desk: Desk, url: str, attempts: int, times: int) -> None:
    """Exact funds for so many of the attempts: these are paid in full, all others due or refused."""
    desk.books.enrol(members=[Member("spender")], pots=[Pot("purse", "spender", "USD")])
    pay_in(desk, "purse", 3 * times)
    told = race(url, "wallet", attempts, batch=16)
    paid = [one for one in told if one.legs]
    assert len(paid) == times
    assert {one.legs for one in paid} == {(("purse", 3 * MICROS),)}
    assert {one.status for one in paid} == {"posted"}
    for one in told:
        if not one.legs:
            expected = ("posted", 3 * MICROS) if one.kind == "charge" else ("refused", 0)
            assert (one.status, one.due) == expected, one
    assert {one.reason for one in told if one.status == "refused"} == {"insufficient_funds"}
    avail, held = desk.books.pots()["purse"]
    assert (avail, held) == (0, sum(3 * MICROS for one in paid if one.kind == "hold"))
    audited(desk)


def test_sixty_four_clients_spend_exactly_what_is_in_one_wallet(database: str, town: Any) -> None:
    spend_exactly(town(database), database, 10_000, 3_000)


@pytest.mark.long
def test_sixty_four_clients_spend_exactly_what_is_in_one_wallet_a_million_times(database: str, town: Any) -> None:
    spend_exactly(town(database), database, 1_000_000, 300_000)


class Closed(NamedTuple):
    """A member to whom the pot was closed."""

    member: str
    versions: range
    """Of the register: whoever decides by one of them draws nothing."""
    since: int
    """A position reserved when it was closed: a later one belongs to locks taken later, and knows of it."""


class Family:
    """A pot for six, with a cap for each member, one for some of their care, own wallets behind, and somebody who
    pauses, takes out and lets in again all the while."""

    def __init__(self, desk: Desk, url: str, money: int) -> None:
        self.desk, self.url = desk, url
        self.fund = admit(desk, money, members=MEMBERS, slices=1, fund="home")
        self.caps = {f"m{n}": money // 12 * (n + 1) for n in range(MEMBERS)}
        self.teeth = {member: cap // 2 for member, cap in self.caps.items()}
        self.purses = {f"m{n}": money // 20 for n in range(MEMBERS)}
        self.closed: list[Closed] = []
        for member, dollars in self.purses.items():
            desk.books.enrol(pots=[Pot(f"{member}-own", member, "USD", priority=5)])
            pay_in(desk, f"{member}-own", dollars)
            self.agree(member)
        self.turn = 0

    def agree(self, member: str, **terms: bool) -> None:
        limits = (
            Limit(self.caps[member] * MICROS, "month"),
            Limit(self.teeth[member] * MICROS, "ever", "UTC", ("dental", "drug")),
        )
        terms_ = Terms(limits, **terms)
        self.desk.books.enrol(pots=[admission(self.fund, member, priority=1, terms=terms_)])

    def revoke(self) -> None:
        """Close the pot to one member for a while, in the middle of what others post."""
        member, how = f"m{3 + self.turn % 3}", ("paused", "ended")[self.turn // 3 % 2]
        self.turn += 1
        self.agree(member, **{how: True})
        first, since = self.ask("SELECT version FROM tenant"), self.ask("SELECT last_value FROM journal_position")
        threading.Event().wait(0.15)
        self.agree(member)
        self.closed.append(Closed(member, range(first, self.ask("SELECT version FROM tenant")), since))
        threading.Event().wait(0.35)

    def ask(self, what: str) -> int:
        with psycopg.connect(self.url, autocommit=True) as conn:
            found = conn.execute(what).fetchone()
        assert found is not None
        return int(found[0])

    def decided_by(self) -> dict[int, int]:
        """Which version of the register each row of the books was decided by."""
        rows = (stored for stored, _ in self.desk.books.rows() if stored.kind is not EntryKind.ALLOTMENT)
        return {one.position: read_body(one.body).version for one in rows}


def share_a_pot(desk: Desk, url: str, attempts: int) -> None:
    money = attempts // 10
    family = Family(desk, url, money)
    told = race(url, "family", attempts, batch=40, meanwhile=family.revoke)
    assert {one.status for one in told} <= {"posted", "refused"}
    assert {one.reason for one in told if one.status == "refused"} <= {"insufficient_funds", "already_reversed"}
    pot, used, teeth = money * MICROS, defaultdict(int), defaultdict(int)
    purses = {member: dollars * MICROS for member, dollars in family.purses.items()}
    live: dict[str, Told] = {}
    reached: set[str] = set()

    def move(one: Told, sign: int) -> None:
        nonlocal pot
        for lot, amount in one.legs:
            if lot == f"{one.member}-own":
                purses[one.member] -= sign * amount
                continue
            assert lot == "home/0"
            pot -= sign * amount
            used[one.member] += sign * amount
            if one.category != "visit":
                teeth[one.member] += sign * amount

    # Every moment of the books, not only their end.
    for one in told:
        if one.status != "posted":
            continue
        if one.replaces:
            move(live.pop(one.replaces), -1)
        if one.legs:
            move(one, 1)
        live[one.event_id] = one
        assert pot >= 0 <= purses[one.member]
        assert used[one.member] <= family.caps[one.member] * MICROS
        if used[one.member] == family.caps[one.member] * MICROS:
            reached.add(one.member)
        assert teeth[one.member] <= family.teeth[one.member] * MICROS
    drawing = [one for one in told if one.status == "posted" and any(lot == "home/0" for lot, _ in one.legs)]
    decided_by = family.decided_by()
    for member, versions, since in family.closed:
        for one in drawing:
            version = decided_by[one.position]
            assert one.member != member or version not in versions, one
            assert one.member != member or one.position <= since or version >= versions.start, one
    # The race was one: limits and money ran out, revokes met posting, and each gate stopped somebody.
    assert len(family.closed) > 1
    assert any(decided_by[one.position] in versions for _, versions, _ in family.closed for one in told)
    assert any(one.due for one in told)
    assert reached, "nobody came to a limit"
    states = desk.books.pots()
    assert sum(states["home/0"]) + sum(states["home"]) == pot + sum(
        amount for one in live.values() if one.kind == "hold" for lot, amount in one.legs if lot == "home/0"
    )
    assert set(CATEGORIES) == {one.category for one in told}
    audited(desk)


def test_a_family_races_for_its_pot_its_limits_and_a_revoke(database: str, town: Any) -> None:
    share_a_pot(town(database), database, 10_000)


@pytest.mark.long
def test_a_family_races_for_its_pot_a_hundred_thousand_times(database: str, town: Any) -> None:
    share_a_pot(town(database), database, 100_000)
