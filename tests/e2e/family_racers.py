"""One process of several that spend one wallet, or one family's pot, at the same time.

    python family_racers.py URL wallet|family NUMBER CLIENTS ROUNDS BATCH SEED

Each client is a thread that sends batches of events, one after the other. What became of each event goes to standard
output as a pickled list, in the order of nothing: the test sorts it by position in the books.
"""

from __future__ import annotations

import pickle
import random
import secrets
import sys
import threading
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from drachm.application.clear_events import clear_events
from drachm.application.desk import Desk
from drachm.application.first_answers import Outcome
from drachm.domain.errors import DrachmError, Unavailable
from drachm.domain.events.model import Code, ServiceEvent
from drachm.domain.money import MICROS
from drachm.storage.postgres import open_books

NOON = datetime(2025, 3, 10, 16, 0, tzinfo=UTC)
CATEGORIES = ("dental", "drug", "visit")
MEMBERS = 6


class Told(NamedTuple):
    """What became of one event."""

    event_id: str
    kind: str
    replaces: str
    member: str
    category: str
    status: str
    reason: str
    position: int
    legs: tuple[tuple[str, int], ...]
    due: int


class Ids:
    random_bytes = staticmethod(secrets.token_bytes)


class Clock:
    @staticmethod
    def now() -> datetime:
        return NOON + timedelta(hours=1)


def event(name: str, kind: str, member: str, dollars: int, category: str, replaces: str = "") -> ServiceEvent:
    return ServiceEvent(
        source="ehr",
        event_id=name,
        kind=kind,  # type: ignore[arg-type]
        member=member,
        code=Code("local", "visit"),
        currency="USD",
        started_at=NOON,
        billed=dollars * MICROS,
        billing_party="clinic",
        visit=name,
        replaces=replaces,
        facts={"category": category},
    )


def of_wallet(client: str, rounds: int, batch: int, dice: random.Random) -> Any:
    """One price, one wallet: every second one asks before care."""
    for n in range(rounds):
        kinds = ["hold" if dice.random() < 0.5 else "charge" for _ in range(batch)]
        yield [event(f"{client}-{n}-{at}", kind, "spender", 3, "visit") for at, kind in enumerate(kinds)], None


def of_family(client: str, rounds: int, batch: int, dice: random.Random) -> Any:
    """Charges, requests, and now and then the end of what this client began before."""
    live: list[ServiceEvent] = []
    for n in range(rounds):
        events = []
        for at in range(batch):
            name, roll = f"{client}-{n}-{at}", dice.random()
            if roll < 0.15 and live:
                old = live.pop(dice.randrange(len(live)))
                kind = "stop" if old.kind == "hold" else "reversal"
                if old.kind == "hold" and dice.random() < 0.5:
                    kind = "replacement"
                category = str(old.facts["category"])
                events.append(event(name, kind, old.member, dice.randint(1, 4), category, old.event_id))
                continue
            kind = "hold" if roll > 0.85 else "charge"
            member = f"m{dice.randrange(MEMBERS)}"
            events.append(event(name, kind, member, dice.randint(1, 4), dice.choice(CATEGORIES)))
        yield events, live


def sent(events: list[ServiceEvent], desk: Desk) -> list[Outcome]:
    """What came of a batch. Sixteen clients of a process share its connections: on a slow machine one may be told that
    none became free. It sends the batch again, as callers do, and what had its answer gets the first one. Whatever else
    goes wrong is a fault."""
    while True:
        try:
            return clear_events(events, desk)
        except Unavailable as busy:
            if "became free" not in busy.message:
                raise


def client(desk: Desk, sort: str, name: str, rounds: int, batch: int, seed: int, found: list[Told]) -> None:
    batches = of_wallet if sort == "wallet" else of_family
    for events, live in batches(name, rounds, batch, random.Random(f"{seed} {name}")):
        outcomes = sent(events, desk)
        for one, outcome in zip(events, outcomes, strict=True):
            decision = outcome.decision
            standing = decision.standing if decision is not None else None
            legs = tuple((leg.lot, leg.amount) for leg in standing.legs) if standing is not None else ()
            if live is not None and outcome.status == "posted" and one.kind in ("charge", "hold"):
                live.append(one)
            due = standing.due if standing is not None else 0
            category = str(one.facts["category"])
            found.append(
                Told(
                    *(one.event_id, one.kind, one.replaces, one.member, category, outcome.status, outcome.reason),
                    *(outcome.position, legs, due),
                )
            )


def main(url: str, sort: str, number: str, clients: str, rounds: str, batch: str, seed: str) -> None:
    books = open_books(url, 1, master_key=bytes(32), ids=Ids())
    found: list[Told] = []
    faults: list[str] = []

    def run(at: int) -> None:
        try:
            client(Desk(books, Clock(), Ids()), sort, f"p{number}c{at}", int(rounds), int(batch), int(seed), found)
        except DrachmError as fault:
            faults.append(f"{type(fault).__name__}: {fault}")

    threads = [threading.Thread(target=run, args=(at,)) for at in range(int(clients))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    books.close()
    sys.stdout.buffer.write(pickle.dumps(([tuple(one) for one in found], faults)))


if __name__ == "__main__":
    main(*sys.argv[1:])
