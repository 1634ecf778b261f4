"""What a worker hands on spares a second opening, and never changes what the journal says."""

from __future__ import annotations

import os
import random
import socket
import threading
from array import array
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from test_figures import everything, live, overview, take_in

from drachm.application.clear_events import clear_events
from drachm.application.first_answers import Outcome
from drachm.application.handed import OPENED_ANYWAY, Handed, handed_of, pack
from drachm.domain.clearing.model import EMPTY, Decision
from drachm.service.handing import MOST, Handing, listen
from drachm.storage import lately as memory
from drachm.storage.lately import Lately
from drachm.storage.vault import Vault

INDEX = ("journal_index", "journal_party")


def index_of(street: Any, tenant: int) -> list[list[str]]:
    with psycopg.connect(street.url) as owner:
        return [
            sorted(map(str, owner.execute(f"SELECT * FROM {table} WHERE tenant = %s", [tenant]).fetchall()))
            for table in INDEX
        ]


def faces(street: Any, position: int) -> list[Any]:
    with psycopg.connect(street.url) as owner:
        return owner.execute("SELECT member, source FROM journal_index WHERE position = %s", [position]).fetchall()


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The positions of bodies that were opened."""
    found: list[int] = []
    really = Vault.open

    def look(self: Vault, patient: int, wrapped: bytes | None, place: Any, sealed: bytes) -> bytes:
        found.append(place.position)
        return really(self, patient, wrapped, place, sealed)

    monkeypatch.setattr(Vault, "open", look)
    return found


def cleared(town: Any, *events: Any) -> list[Outcome]:
    """Cleared as the pump does it: what was written is handed on, then the index follows."""
    outcomes = clear_events(events, town.desk)
    town.desk.books.lately.hear(handed_of(outcomes))
    return outcomes


@pytest.mark.parametrize("seed", range(4))
def test_index_and_figures_are_what_the_journal_alone_gives(
    town: Any, street: Any, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = random.Random(seed)
    handed: list[int] = []

    def clear(self: Any, *events: Any, index: bool = True) -> list[Outcome]:
        outcomes = clear_events(events, self.desk)
        rows = handed_of(outcomes)
        # Some are lost on their way, as a full queue loses them.
        kept = [row for row in rows if rng.random() < 0.8]
        handed.extend(row.position for row in kept)
        self.desk.books.lately.hear(kept)
        if index:
            self.follow()
        return outcomes

    monkeypatch.setattr(type(town), "clear", clear)
    live(town, rng, lambda: town.market.figures.follow(rng.randint(1, 5)))
    take_in(town, 3)
    assert len(handed) > 10
    figures, index = everything(street, town.tenant), index_of(street, town.tenant)
    town.market.figures.rebuild()
    town.market.index.rebuild()
    assert everything(street, town.tenant) == figures
    assert index_of(street, town.tenant) == index


def test_what_was_handed_on_is_not_opened_again(town: Any, opened: list[int]) -> None:
    take_in(town)
    opened.clear()
    outcomes = cleared(town, *(town.event(f"e{number}", 10 + number, visit="") for number in range(8)))
    positions = [outcome.position for outcome in outcomes]
    opened.clear()
    assert take_in(town) == 8
    assert opened == [position for position in positions if position % OPENED_ANYWAY == 0]
    assert overview(town).sums[0].charges == 8


def test_the_journals_word_counts_where_another_was_handed_on(town: Any, opened: list[int]) -> None:
    take_in(town)
    outcomes = clear_events([town.event("e1", 40), town.event("e2", 60)], town.desk)
    first, second = (Handed(one.position, one.leaf, one.body, None) for one in outcomes)
    first.leaf, second.leaf = second.leaf, first.leaf
    town.desk.books.lately.hear([first, second])
    opened.clear()
    take_in(town)
    assert opened == [one.position for one in outcomes]
    assert overview(town).sums[0].charges == 2


def test_nothing_handed_on_shows_who_was_erased_meanwhile(town: Any, street: Any) -> None:
    take_in(town)
    outcomes = clear_events([town.event("e1", 40)], town.desk)
    town.desk.books.erase("ana")
    town.desk.books.lately.hear(handed_of(outcomes))  # It was on its way when she was erased.
    town.follow()
    ((member, source),) = faces(street, outcomes[0].position)
    assert (member, source) == ("", "")
    assert not town.desk.books.lately.has_heard()


def test_repeats_conflicts_and_what_waits_are_handed_on_as_they_were_written(town: Any) -> None:
    events = [town.event("e1", 40), town.event("e1", 40), town.event("e1", 41), town.event("e2", 5, member="nobody")]
    outcomes = clear_events(events, town.desk)
    handed = handed_of(outcomes)
    written = [one for one in outcomes if one.position and not one.duplicate and one.position % OPENED_ANYWAY]
    assert [row.position for row in handed] == [one.position for one in written]
    assert [row.amounts is None for row in handed] == [one.status == "pended" for one in written]
    assert handed_of(clear_events(events[:1], town.desk)) == []


def rows(*positions: int) -> list[Handed]:
    return [Handed(position, b"leaf", b"body", None) for position in positions]


def test_what_nobody_takes_is_forgotten_in_time_and_in_number(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(memory.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(memory, "HEARD_MOST", 4)
    lately = Lately()
    lately.hear(rows(1, 2, 3))
    lately.hear(rows(5, 6))
    assert sorted(lately.heard(5)) == [2, 3, 5]
    assert lately.has_heard()
    now[0] += memory.HEARD_SECONDS + 1
    lately.hear(rows(9))
    assert sorted(lately.heard(99)) == [9]
    assert not lately.has_heard()
    lately.hear(rows(11))
    lately.forget()
    assert lately.heard(99) == {}


class Ear:
    """The process beside, as far as it listens."""

    def __init__(self, folder: Path) -> None:
        self.heard: list[tuple[int, list[int]]] = []
        self.news = threading.Semaphore(0)
        self.stopping = threading.Event()
        self.thread = listen(folder, self.hear, self.stopping)

    def hear(self, tenant: int, found: list[Handed]) -> None:
        self.heard.append((tenant, [row.position for row in found]))
        self.news.release()

    def end(self) -> None:
        self.stopping.set()
        self.thread.join(10)
        assert not self.thread.is_alive()


@pytest.fixture
def ear(tmp_path: Path) -> Iterator[Ear]:
    found = Ear(tmp_path)
    yield found
    found.end()


def outcomes(event: Any, *positions: int, body: bytes = b"body") -> list[Outcome]:
    decision = Decision("pended", "", EMPTY)
    return [Outcome(event, "pended", "", position=one, body=body, decision=decision) for one in positions]


def test_rows_of_any_size_reach_the_process_beside(town: Any, tmp_path: Path, ear: Ear) -> None:
    hand_on = Handing(tmp_path, 7)
    hand_on(outcomes(town.event(), 1, 2))
    hand_on(outcomes(town.event(), *range(65, 128), body=bytes(60_000)))
    for _ in range(2):
        assert ear.news.acquire(timeout=10)
    assert ear.heard == [(7, [1, 2]), (7, list(range(65, 128)))]


def test_nobody_waits_for_one_who_does_not_listen(town: Any, tmp_path: Path) -> None:
    hand_on = Handing(tmp_path, 7)
    hand_on(outcomes(town.event(), 1))  # Nobody is there: forgotten.
    deaf = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    deaf.bind(str(tmp_path / "written"))
    sent = iter(number for number in range(2, 10**6) if number % OPENED_ANYWAY)
    while not hand_on._waiting:
        hand_on(outcomes(town.event(), next(sent)))
    last = max(row.position for row in hand_on._waiting)
    hand_on(outcomes(town.event(), *(next(sent) for _ in range(MOST))))
    assert len(hand_on._waiting) == MOST
    deaf.close()
    ear = Ear(tmp_path)  # It was started again.
    hand_on(outcomes(town.event(), 1))
    assert ear.news.acquire(timeout=10)
    ((tenant, positions),) = ear.heard
    assert (tenant, len(positions), positions[-1]) == (7, MOST, 1)
    assert last not in positions
    ear.end()


def test_what_makes_no_sense_is_passed_over(town: Any, tmp_path: Path, ear: Ear) -> None:
    own = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    for words, content in ((b"seven", pack(rows(1))), (b"7", b"\xff\xff"), (b"7", b""), (b"7", None)):
        passing = []
        memory_of = os.memfd_create("test")
        if content is not None:
            os.write(memory_of, content)
            passing = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array("i", [memory_of]))]
        own.sendmsg([words], passing, 0, str(tmp_path / "written"))
        os.close(memory_of)
    own.close()
    Handing(tmp_path, 7)(outcomes(replace(town.event(), event_id="x"), 3))
    assert ear.news.acquire(timeout=10)
    assert ear.heard == [(7, [3])]
