"""A bulk that has no place is told so by its header alone: its body is neither read nor decoded."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from drachm.adapters.rest.identity.model import Environment, Kind, Principal, Role, Scope
from drachm.adapters.rest.service.posting import Counter
from drachm.adapters.rest.transport.limits import Intake
from drachm.adapters.rest.transport.passage import Passage
from drachm.adapters.rest.transport.problems import Problem
from drachm.adapters.rest.transport.pump import PumpLimits

SENDER = Principal(
    *("1", Kind.MACHINE, "sender", "key", Environment.SANDBOX),
    roles=frozenset({Role.INTEGRATOR}),
    parties=frozenset({"clinic"}),
    scopes=frozenset(Scope),
)


class Caller:
    """A call whose body comes when it is let, and that knows whether somebody asked for it."""

    def __init__(self, counter: Counter, size: int, **fields: str) -> None:
        self.asked, self.let = asyncio.Event(), asyncio.Event()
        given = {"content-type": "application/json", "content-length": str(size), **fields}
        head = {name.replace("_", "-").encode(): value.encode() for name, value in given.items()}
        scope = {"principal": SENDER, "passage": Passage("req_test", head)}
        self.task = asyncio.ensure_future(counter.answer(scope, Intake(head, self._receive, 8_000_000, 100)))

    async def _receive(self) -> dict[str, Any]:
        self.asked.set()
        await self.let.wait()
        return {"type": "http.request", "body": b"[]", "more_body": False}


async def refused(caller: Caller) -> str:
    with pytest.raises(Problem) as problem:
        await asyncio.wait_for(caller.task, 5)
    assert not caller.asked.is_set(), "the body was read"
    return problem.value.code


def test_who_comes_while_bulks_are_on_their_way_is_told_by_the_header() -> None:
    async def work() -> None:
        house: Any = None  # nothing is cleared
        counter = Counter(house, limits=PumpLimits(queue=1_500))
        first = Caller(counter, 500_000)
        await first.asked.wait()
        assert await refused(Caller(counter, 500_000)) == "busy"
        assert await refused(Caller(counter, 100_000, content_encoding="gzip")) == "busy"
        small = Caller(counter, 400)
        await asyncio.wait_for(small.asked.wait(), 5)
        for caller in (first, small):
            caller.let.set()
            assert (await caller.task).status == 200
        again = Caller(counter, 500_000)
        await asyncio.wait_for(again.asked.wait(), 5)
        again.task.cancel()
        await asyncio.gather(again.task, return_exceptions=True)
        last = Caller(counter, 500_000)
        await asyncio.wait_for(last.asked.wait(), 5)
        last.let.set()
        assert (await last.task).body == b'{"data":[]}'
        await counter.close()

    asyncio.run(work())
