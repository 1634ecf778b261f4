"""The gate remembers machines for a moment, never people, and never longer than a revocation allows."""

from __future__ import annotations

import asyncio
import threading
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from drachm.adapters.rest.identity.errors import Unauthenticated
from drachm.adapters.rest.identity.model import Environment, Kind, Principal, anonymous
from drachm.adapters.rest.service.gate import Gatekeeper, Signal
from drachm.adapters.rest.transport.passage import Passage
from drachm.adapters.rest.transport.problems import Problem
from drachm.adapters.rest.transport.proxies import Proxies
from drachm.adapters.rest.transport.rates import Rate


class Door:
    """Stands in the authenticator's place: knows words, counts how often and in which thread it was asked."""

    def __init__(self) -> None:
        self.known: dict[str, Kind] = {"Bearer machine": Kind.MACHINE, "Bearer person": Kind.PERSON}
        self.asked: list[str] = []
        self.threads: set[str] = set()
        self.remembered: dict[str, Principal] = {}
        """What it knows without asking anybody."""

    def principal(self, header: str | None, at: datetime) -> Principal:
        if header is None:
            return anonymous(Environment.SANDBOX)
        self.asked.append(header)
        self.threads.add(threading.current_thread().name)
        if header not in self.known:
            raise Unauthenticated("api_key_unknown")
        return Principal("1", self.known[header], header, "credential", Environment.SANDBOX)

    def at_once(self, header: str, at: datetime) -> Principal | None:
        assert threading.current_thread() is threading.main_thread()
        return self.remembered.get(header)


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def gate(door: Door, clock: Clock, signal: Signal | None = None, quota: int = 1_000) -> Gatekeeper:
    return Gatekeeper(door, signal or Signal(), Rate("default", quota, 60), monotonic=clock)  # type: ignore[arg-type]


def knock(keeper: Gatekeeper, *headers: str, address: str = "10.0.0.1") -> list[Any]:
    """What each call became, all at the same time: its principal, or what was raised."""

    async def one(header: str) -> Any:
        scope: dict[str, Any] = {"client": (address, 1)}
        fields = {b"authorization": header.encode()} if header else {}
        try:
            await keeper(scope, Passage("req_test", fields))
        except (Unauthenticated, Problem) as error:
            return error
        return scope["principal"]

    async def all_of_them() -> list[Any]:
        return list(await asyncio.gather(*[one(header) for header in headers]))

    return asyncio.run(all_of_them())


def test_a_machine_is_looked_up_once_in_a_while_and_never_on_the_event_loop() -> None:
    door, clock = Door(), Clock()
    keeper = gate(door, clock)
    assert {one.subject for one in knock(keeper, *["Bearer machine"] * 20)} == {"Bearer machine"}
    knock(keeper, "Bearer machine")
    assert door.asked == ["Bearer machine"]
    clock.now += 0.2
    knock(keeper, "Bearer machine")
    assert len(door.asked) == 2
    assert not any("MainThread" in name for name in door.threads)


def test_what_memory_knows_is_not_looked_up_until_something_changed() -> None:
    door, clock, signal = Door(), Clock(), Signal()
    keeper = gate(door, clock, signal)
    first = knock(keeper, "Bearer machine")[0]
    again = door.remembered["Bearer machine"] = Principal("1", Kind.MACHINE, "again", "c", Environment.SANDBOX)
    assert knock(keeper, "Bearer machine")[0] is first
    clock.now += 0.2
    assert knock(keeper, "Bearer machine")[0] is again
    assert len(door.asked) == 1
    signal.change()
    assert knock(keeper, "Bearer machine")[0].subject == "Bearer machine"
    assert len(door.asked) == 2


def test_a_person_is_never_known_from_memory() -> None:
    door, clock = Door(), Clock()
    keeper = gate(door, clock)
    door.remembered["Bearer person"] = Principal("1", Kind.PERSON, "old", "c", Environment.SANDBOX)
    knock(keeper, "Bearer person", "Bearer stranger")
    assert [one.subject for one in knock(keeper, "Bearer person")] == ["Bearer person"]


def test_a_person_is_looked_up_at_every_call() -> None:
    door, clock = Door(), Clock()
    keeper = gate(door, clock)
    for _ in range(3):
        knock(keeper, "Bearer person")
    assert len(door.asked) == 3


def test_a_revocation_holds_from_the_next_call_on_in_every_process_of_the_machine(tmp_path: Path) -> None:
    door, clock = Door(), Clock()
    keeper = gate(door, clock, Signal(str(tmp_path)))
    assert knock(keeper, "Bearer machine")[0].subject == "Bearer machine"
    del door.known["Bearer machine"]
    assert knock(keeper, "Bearer machine")[0].subject == "Bearer machine"
    Signal(str(tmp_path)).change()  # as another process does
    assert isinstance(knock(keeper, "Bearer machine")[0], Unauthenticated)


def test_calls_are_counted_by_credential_and_strangers_by_address() -> None:
    door, clock = Door(), Clock()
    keeper = gate(door, clock, quota=30)
    found = knock(keeper, *["Bearer machine"] * 31)
    assert [isinstance(one, Problem) for one in found].count(True) == 1
    assert not isinstance(knock(keeper, "Bearer person")[0], Problem)
    assert [one.kind for one in knock(keeper, *[""] * 3)] == [Kind.ANONYMOUS] * 3
    assert knock(keeper, "")[0].code == "rate_limited"
    assert knock(keeper, "", address="10.0.0.2")[0].kind is Kind.ANONYMOUS


def test_guessing_is_slowed_down_without_shutting_out_those_who_are_known() -> None:
    door, clock = Door(), Clock()
    keeper = gate(door, clock, quota=50)
    knock(keeper, "Bearer machine")
    guesses = knock(keeper, *[f"Bearer guess-{number}" for number in range(10)])
    assert {type(one) for one in guesses} == {Unauthenticated, Problem}
    assert len(door.asked) <= 5
    assert knock(keeper, "Bearer machine")[0].subject == "Bearer machine"
    clock.now += 60
    with pytest.raises(Unauthenticated):
        raise knock(keeper, "Bearer guess-again")[0]


def test_behind_a_proxy_strangers_are_counted_by_the_address_that_it_adds() -> None:
    door, clock = Door(), Clock()

    def knock_from(keeper: Gatekeeper, forwarded: str) -> str:
        line = (b"x-forwarded-for", forwarded.encode())
        scope: dict[str, Any] = {"client": ("127.0.0.1", 1), "headers": [line]}
        try:
            asyncio.run(keeper(scope, Passage("req_test", dict([line]))))
        except Problem as refused:
            return refused.code
        return "let in"

    rate = Rate("default", 10, 60)
    behind = Gatekeeper(door, Signal(), rate, proxies=Proxies(1), monotonic=clock)  # type: ignore[arg-type]
    assert [knock_from(behind, "198.51.100.7") for _ in range(2)] == ["let in", "rate_limited"]
    assert knock_from(behind, "203.0.113.1, 198.51.100.7") == "rate_limited", "what it writes itself changes nothing"
    assert knock_from(behind, "198.51.100.8") == "let in"
    alone = Gatekeeper(door, Signal(), rate, monotonic=clock)  # type: ignore[arg-type]
    assert [knock_from(alone, address) for address in ("198.51.100.7", "198.51.100.8")] == ["let in", "rate_limited"]
