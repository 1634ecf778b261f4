"""What happened since: a list without end, and streams that lose nothing, double nothing, and end when they must."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import anyio
import pytest
from starlette.applications import Starlette

from drachm.adapters.rest.identity.errors import Unauthenticated
from drachm.adapters.rest.identity.model import Principal
from drachm.adapters.rest.service import streams
from drachm.adapters.rest.service.serving import Serving
from drachm.adapters.rest.service.streams import Pace, stream_routes
from drachm.adapters.rest.transport.passage import Passage
from drachm.adapters.rest.transport.problems import answer_of
from drachm.domain.errors import DrachmError

QUICK = Pace(look=0.01, check=0.05, beat=0.1)


@dataclass
class Heard:
    """What came through a stream."""

    status: int = 0
    kind: str = ""
    events: list[tuple[str, Any, str]] = field(default_factory=list)
    """(event, data, id); a message without an event only moves the id."""

    @property
    def receipts(self) -> list[str]:
        return [data["event_id"] for event, data, _ in self.events if event == "receipt"]

    @property
    def last_id(self) -> str:
        return [one[2] for one in self.events if one[2]][-1]

    @property
    def end(self) -> str:
        return [data["code"] for event, data, _ in self.events if event == "end"][-1]


Act = Callable[[Heard], None]


class Radio:
    """Listens to streams of one house; `then` are things to do while a stream runs, each when the one before showed."""

    def __init__(self, town: Any, street: Any) -> None:
        self._town, self._street = town, street
        self.principals: dict[str, Principal | Exception] = {}

    def listen(
        self,
        path: str,
        caller: Principal,
        *then: Act,
        until: Callable[[Heard], bool] = lambda heard: True,
        headers: dict[str, str] | None = None,
        query: str = "",
        leave: bool = False,
    ) -> Heard:
        return asyncio.run(self._listen(path, caller, then, until, headers or {}, query, leave))

    async def _listen(
        self,
        path: str,
        caller: Principal,
        then: tuple[Act, ...],
        until: Callable[[Heard], bool],
        headers: dict[str, str],
        query: str,
        leave: bool,
    ) -> Heard:
        heard, leaving, gone = Heard(), asyncio.Event(), asyncio.Event()
        self.principals["now"] = caller

        def again(request: Any) -> Principal:
            found = self.principals["now"]
            if isinstance(found, Exception):
                raise found
            return found

        serving = Serving(
            self._street.house, self._street.key_store, anyio.CapacityLimiter(4), now=self._town.clock.now
        )
        app = Starlette(routes=stream_routes(serving, leaving, again=again, pace=QUICK))
        fields = {name.encode(): value.encode() for name, value in headers.items()}
        scope = {
            "type": "http",
            "method": "GET",
            "path": path,
            "query_string": query.encode(),
            "headers": list(fields.items()),
            "principal": caller,
            "passage": Passage("req_test", fields),
            "asgi": {"version": "3.0", "spec_version": "2.3"},
        }
        buffer = b""

        async def receive() -> dict[str, Any]:
            await gone.wait()
            return {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            nonlocal buffer
            if message["type"] == "http.response.start":
                heard.status = message["status"]
                heard.kind = dict(message["headers"]).get(b"content-type", b"").decode()
                return
            buffer += message.get("body", b"")
            while b"\n\n" in buffer:
                text, _, buffer = buffer.partition(b"\n\n")
                lines = [line.partition(": ") for line in text.decode().split("\n")]
                said = {name: value for name, _, value in lines if name}
                data = json.loads(said["data"]) if "data" in said else None
                heard.events.append((said.get("event", ""), data, said.get("id", "")))

        async def run() -> None:
            try:
                await app(scope, receive, send)
            except DrachmError as error:
                heard.status = answer_of(error).status

        task = asyncio.create_task(run())
        await self._while(task, lambda: bool(heard.events))
        for act in then:
            before = len(heard.events)
            await asyncio.to_thread(act, heard)
            await self._while(task, lambda before=before: len(heard.events) > before)
        await self._while(task, lambda: until(heard))
        (leaving if leave else gone).set()
        await asyncio.wait_for(task, 100)
        return heard

    async def _while(self, task: asyncio.Task[None], shown: Callable[[], bool]) -> None:
        async with asyncio.timeout(150):
            while not task.done() and not shown():
                await asyncio.sleep(0.005)


@pytest.fixture
def radio(town: Any, street: Any) -> Iterator[Radio]:
    return Radio(town, street)


CLINIC = "/v1/parties/clinic/receipts/stream"
ANA = "/v1/members/ana/receipts/stream"


def count(wanted: int) -> Callable[[Heard], bool]:
    return lambda heard: len(heard.receipts) >= wanted


def test_receipts_come_as_they_are_issued(town: Any, radio: Radio) -> None:
    town.clear(town.event("before"))
    heard = radio.listen(
        CLINIC,
        town.clerk("clinic"),
        lambda _: town.clear(
            town.event("e1"), town.event("e2", billing_party="hospital"), town.event("e3", member="ben")
        ),
        lambda _: town.clear(town.event("waits", member="nobody"), town.event("e4")),
        until=count(3),
    )
    assert (heard.status, heard.kind) == (200, "text/event-stream; charset=utf-8")
    assert heard.receipts == ["e1", "e3", "e4"]
    assert [data["provider"] for event, data, _ in heard.events if event == "receipt"] == ["clinic"] * 3


def test_a_stream_that_is_taken_up_again_loses_and_doubles_nothing(town: Any, radio: Radio) -> None:
    clerk = town.clerk("clinic")
    found: list[str] = []
    last = radio.listen(CLINIC, clerk).last_id
    for turn in range(6):
        events = [town.event(f"e{turn}-{number}") for number in range(3)]
        town.clear(*events)  # while nobody listens
        late = town.event(f"e{turn}-late")
        # Cut off in the middle: after two receipts, whatever else was on its way.
        heard = radio.listen(
            CLINIC, clerk, lambda _, late=late: town.clear(late), until=count(2), headers={"last-event-id": last}
        )
        cut = [one for one in heard.events if one[0] == "receipt"][: 2 + turn % 2]
        found += [data["event_id"] for _, data, _ in cut]
        last = cut[-1][2]
    heard = radio.listen(CLINIC, clerk, query=f"cursor={last}", until=count(24 - len(found)))
    found += heard.receipts
    assert found == [f"e{turn}-{name}" for turn in range(6) for name in ("0", "1", "2", "late")]


def test_an_id_belongs_to_its_stream_and_listener(town: Any, other_town: Any, radio: Radio) -> None:
    last = radio.listen(CLINIC, town.clerk("clinic")).last_id
    for path, caller in [
        (CLINIC, town.clerk("clinic", subject="somebody else")),
        ("/v1/parties/hospital/receipts/stream", town.clerk("hospital", subject="clerk@clinic")),
        (ANA, town.auditor(subject="clerk@clinic")),
        (CLINIC, other_town.clerk("clinic")),
    ]:
        assert radio.listen(path, caller, headers={"last-event-id": last}).status == 400
    assert radio.listen(CLINIC, town.clerk("clinic"), headers={"last-event-id": "12"}).status == 400
    assert radio.listen(CLINIC, town.clerk("clinic"), query="since=1").status == 400
    assert radio.listen(CLINIC, town.clerk("clinic"), headers={"accept": "application/json"}).status == 406


def test_who_may_listen(town: Any, radio: Radio) -> None:
    elsewhere = "/v1/parties/elsewhere/receipts/stream"
    for path, caller, status in (
        (CLINIC, town.nobody(), 401),
        (CLINIC, town.clerk("hospital"), 404),
        (CLINIC, town.funder(), 403),
        (CLINIC, town.patient(), 403),
        (CLINIC, town.operator(), 200),
        (CLINIC, town.integrator(), 200),
        (elsewhere, town.operator(), 404),
        (elsewhere, town.clerk("elsewhere"), 404),
        (ANA, town.patient(), 200),
        (ANA, town.patient("ben"), 404),
        (ANA, town.relative(), 200),
        (ANA, town.relative(revoked=True), 404),
        (ANA, town.relative(of="ben"), 404),
        (ANA, town.clerk(), 403),
        ("/v1/members/zoe/receipts/stream", town.operator(), 404),
    ):
        assert (path, caller.subject, radio.listen(path, caller).status) == (path, caller.subject, status)


def test_a_relative_hears_amounts_only(town: Any, radio: Radio) -> None:
    heard = radio.listen(
        ANA, town.relative(), lambda _: town.clear(town.event("e1", 40)), until=lambda one: len(one.events) > 1
    )
    (receipt,) = [data for event, data, _ in heard.events if event == "receipt"]
    assert receipt["amounts"]["patient"]["micros"] == 16_000_000
    assert (receipt["provider"], receipt["display"], receipt["service"], receipt["event_id"]) == (None,) * 4
    assert "clinic" not in json.dumps(receipt)


def test_a_revoked_relative_hears_no_more(town: Any, radio: Radio) -> None:
    relative = town.relative()

    def revoke(_: Heard) -> None:
        tie = replace(relative.members[0], revoked_at=town.clock.now())
        radio.principals["now"] = replace(relative, members=(tie,))
        town.clear(town.event("secret"))

    heard = radio.listen(ANA, relative, lambda _: town.clear(town.event("e1")), revoke, until=lambda one: False)
    assert len([one for one in heard.events if one[0] == "receipt"]) == 1
    assert heard.end == "not_found"


def test_a_listener_whose_credential_ends_is_let_go_without_news(town: Any, radio: Radio) -> None:
    def ends(_: Heard) -> None:
        radio.principals["now"] = Unauthenticated("api_key_revoked")

    heard = radio.listen(CLINIC, town.clerk("clinic"), ends, until=lambda one: False)
    assert heard.end == "api_key_revoked"


def test_a_quiet_stream_shows_that_it_lives_and_moves_its_id(town: Any, radio: Radio) -> None:
    heard = radio.listen(
        CLINIC,
        town.clerk("clinic"),
        lambda _: town.clear(town.event("e1", billing_party="hospital")),
        until=lambda one: len(one.events) > 3,
    )
    assert heard.receipts == []
    again = radio.listen(CLINIC, town.clerk("clinic"), headers={"last-event-id": heard.last_id})
    assert (again.status, again.receipts) == (200, [])


@pytest.mark.parametrize("limit", ["STREAMS_OF_ONE", "STREAMS_MAX"])
def test_there_is_an_end_to_streams(town: Any, radio: Radio, monkeypatch: pytest.MonkeyPatch, limit: str) -> None:
    monkeypatch.setattr(streams, limit, 0)
    assert radio.listen(CLINIC, town.clerk("clinic")).status == 429
    monkeypatch.setattr(streams, limit, 1)
    assert radio.listen(CLINIC, town.clerk("clinic")).status == 200


def test_streams_end_when_the_process_leaves(town: Any, radio: Radio) -> None:
    heard = radio.listen(CLINIC, town.clerk("clinic"), leave=True)
    assert heard.end == "draining"


def test_machines_keep_up_with_everything_once(town: Any, ask: Any) -> None:
    machine = town.integrator("clinic")
    town.clear(town.event("e1"), town.event("e2", member="unknown"), town.event("e3", billing_party="hospital"))
    seen: list[dict[str, Any]] = []
    cursor = None
    for turn in range(8):
        page = ask("list_events", machine, query={"limit": "2"} | ({"cursor": cursor} if cursor else {})).body
        seen += page["data"]
        cursor = page["resume"]
        assert (page["next"] is None) == (len(page["data"]) < 2 or page["next"] != cursor)
        if turn < 4:
            town.clear(town.event(f"late{turn}"), town.event(f"other{turn}", billing_party="hospital"))
    assert [one["status"] for one in seen] == ["posted", "pended"] + ["posted"] * 4
    assert {one["provider"] for one in seen} == {"clinic"}
    ids = [one["id"] for one in seen]
    assert ids == sorted(ids)
    assert len(set(ids)) == 6
    behind = ask("list_events", machine, query={"after": ids[2]}).body["data"]
    assert [one["id"] for one in behind] == ids[3:]
    assert ask("list_events", town.integrator("hospital"), query={"after": ids[2]}).status == 400
    assert ask("list_events", machine, query={"after": "rev_" + "0" * 26}).status == 400
    assert ask("list_events", town.clerk("clinic")).status == 403
