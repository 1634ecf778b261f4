"""How do delivered services come in? `POST /v1/service-events`: one event, a JSON array, or NDJSON.

    one event      201 with its result; 200 when it was here before; 409 `event_conflict` for other content
    array, lines   200 with a result for each, in order: unreadable ones say why in their place, the others clear

Plain ASGI, nothing of Starlette. Each tenant has a pump: events that arrive while a commit runs share the next one, an
answer leaves only after its commit is durable, and what cannot be answered soon is refused before its body is read.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, NamedTuple, cast

import msgspec
from anyio import CapacityLimiter
from anyio.to_thread import run_sync

from drachm.adapters.eventjson import read_event_bytes, read_events_bytes, read_lines_bytes
from drachm.adapters.rest.identity.decide import Deny, Reach
from drachm.adapters.rest.identity.model import Kind, Principal
from drachm.adapters.rest.identity.permit import Denied, reach_on
from drachm.adapters.rest.service.call import Call, operation
from drachm.adapters.rest.service.event_shape import ServiceEventShape
from drachm.adapters.rest.service.house import House, Market
from drachm.adapters.rest.service.results import EventResult, results_of
from drachm.adapters.rest.service.serving import principal_of
from drachm.adapters.rest.service.shapes import View
from drachm.adapters.rest.transport.exchange import Receive, Scope, Send
from drachm.adapters.rest.transport.limits import Intake
from drachm.adapters.rest.transport.media import JSON, NDJSON, require_acceptable, require_media
from drachm.adapters.rest.transport.passage import Passage, json_answer, send_answer
from drachm.adapters.rest.transport.problems import Answer, Header, Problem, answer_of
from drachm.adapters.rest.transport.pump import BATCH_MAX, Gauges, Pump, PumpLimits, Silent
from drachm.application.as_one import Aliases, clear_as_one
from drachm.application.first_answers import Outcome
from drachm.application.giving_back import ensure_by_two
from drachm.application.taken_over import taken_over
from drachm.domain.clearing.clear import REPLACED_PARTY
from drachm.domain.errors import DrachmError, IntegrityError, Refused
from drachm.domain.events.model import ServiceEvent

PATH: Final = "/v1/service-events"
BODY_BYTES: Final = 8 * 1_048_576
_INLINE_BYTES: Final = 65_536
"""Larger bodies are read in a thread: a thousand events take as long as the p99 of everybody else."""
_EVENT_BYTES: Final = 500
"""About as much as a short event has."""
_PACKED: Final = 8
"""About so many times shorter is a packed body."""
_REMEMBERED: Final = 1_024
_OPERATION: Final = "post_service_events"


class BulkItem(View, omit_defaults=True):
    """What became of one item of a bulk: `status` as a call of its own would have answered."""

    status: int
    result: EventResult | None = None
    problem: msgspec.Raw | None = None
    """The problem document of an item that was not cleared."""


class BulkResult(View):
    """One item for each that was sent, in the same order."""

    data: list[BulkItem]


@operation(
    _OPERATION,
    body=ServiceEventShape | list[ServiceEventShape],
    answer=EventResult | BulkResult,
    status=201,
    problems=("event_conflict", "busy", "too_large", "not_related", "second_person_needed"),
)
def _declared(call: Call) -> None:
    """Declared for the interface's description; `Counter` is what answers."""
    raise IntegrityError("this call is answered before handlers are asked", where=call.operation)


class _Sent(NamedTuple):
    """An event and what its sender may touch."""

    event: ServiceEvent
    reach: Reach
    person: bool
    """Not a machine: then nothing goes back by it alone."""


Cleared = EventResult | DrachmError


class Counter:
    """Where events are handed in, for one process."""

    def __init__(
        self,
        house: House,
        *,
        limits: PumpLimits | None = None,
        gauges: Gauges | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._house, self._limits, self._now = house, limits, now
        self._gauges = gauges or Silent()
        self._pumps: dict[str, Pump[_Sent, Cleared]] = {}
        self._aliases: dict[str, Aliases] = {}
        self._written: dict[str, list[Outcome]] = {}
        """By tenant, what its pump's last batch came to, until it was handed on."""
        self._reaches: dict[int, tuple[Principal, Reach]] = {}
        """By identity; the value is kept with its caller, so that no other can come to stand at its address."""
        self._reading = CapacityLimiter(1)
        """Of the threads that read and answer bulks."""
        self._closing = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # The application hands every route its `Intake`.
        await send_answer(await self.answer(scope, cast(Intake, receive)), send)

    async def answer(self, scope: Scope, intake: Intake) -> Answer:
        """Clear what the request brings. Raises whatever makes the whole request a problem."""
        caller, passage = principal_of(scope), scope["passage"]
        reach = self._reach_of(caller)
        if scope.get("query_string"):
            raise Problem("bad_request", "a query parameter is not known here", where="parameters: none")
        require_acceptable(passage.fields)
        media = require_media(passage.fields, (JSON, NDJSON))
        pump = self._pump(caller.tenant)
        count = _expected(passage.fields)
        if count > 1:
            with pump.place(count):
                body = await intake.whole()
        else:
            pump.admit()
            body = await intake.whole()
        if media == JSON and not _is_array(body):
            return await self._one(pump, read_event_bytes(body, "body"), caller, reach)
        return await self._many(pump, body, media, caller, reach, passage)

    async def close(self) -> None:
        """Take no more, answer everything that waits."""
        self._closing = True
        await asyncio.gather(*[pump.close() for pump in self._pumps.values()])

    async def _one(self, pump: Pump[_Sent, Cleared], event: ServiceEvent, caller: Principal, reach: Reach) -> Answer:
        if not _may_send(event, reach):
            raise _stranger()
        result = await pump.submit(_Sent(event, reach, caller.kind is Kind.PERSON))
        if isinstance(result, DrachmError):
            raise result
        status = _status(result)
        if status >= 400:
            raise _refusal(result)
        location: list[Header] = [(b"location", f"{PATH}/{result.id}".encode())] if result.id else []
        return json_answer(status, result, location)

    async def _many(
        self,
        pump: Pump[_Sent, Cleared],
        body: bytes,
        media: bytes,
        caller: Principal,
        reach: Reach,
        passage: Passage,
    ) -> Answer:
        read = _read_array if media == JSON else _read_lines
        if len(body) <= _INLINE_BYTES:
            found = read(body)
        else:
            # One at a time: threads that read would take the interpreter from the loop, which says no to the others.
            with pump.place(_events_in(len(body))):
                found = await run_sync(read, body, limiter=self._reading)
        if len(found) > BATCH_MAX:
            raise Problem("too_large", f"At most {BATCH_MAX} events at once.")
        checked = [_stranger() if isinstance(one, ServiceEvent) and not _may_send(one, reach) else one for one in found]
        person = caller.kind is Kind.PERSON
        sent = [_Sent(one, reach, person) for one in checked if isinstance(one, ServiceEvent)]
        results = iter(await pump.submit_all(sent))

        def told() -> Answer:
            return json_answer(
                200,
                BulkResult(
                    data=[
                        _item(next(results) if isinstance(one, ServiceEvent) else one, passage.request_id)
                        for one in checked
                    ]
                ),
            )

        return told() if len(body) <= _INLINE_BYTES else await run_sync(told, limiter=self._reading)

    def _pump(self, tenant: str) -> Pump[_Sent, Cleared]:
        pump = self._pumps.get(tenant)
        if pump is None:
            if self._closing:
                raise Problem("draining", retry_after=1, close=True)
            pump = Pump(
                lambda sent: self._clear(tenant, sent),
                limits=self._limits,
                gauges=self._gauges,
                afterwards=lambda: self._hand_on(tenant),
            )
            pump.start()
            self._pumps[tenant] = pump
        return pump

    def _clear(self, tenant: str, sent: list[_Sent]) -> list[Cleared]:
        """One batch of one tenant, in the pump's thread."""
        market = self._house.market(tenant)
        limited = [one.event for one in sent if not one.reach.everything]
        owners = taken_over(limited, market.desk) if limited else {}
        against = [_against(one, owners, market) for one in sent]
        events = [one.event for one, no in zip(sent, against, strict=True) if no is None]
        outcomes = clear_as_one(events, market.desk, self._aliases_of(tenant, market))
        self._written[tenant] = outcomes
        results = iter(results_of(outcomes, market.desk.books.tenant, market.index))
        return [next(results) if no is None else no for no in against]

    def _hand_on(self, tenant: str) -> None:
        written = self._written.pop(tenant, None)
        if written:
            self._house.market(tenant).hand_on(written)

    def _reach_of(self, caller: Principal) -> Reach:
        """What the caller may send. A machine that the gate remembers is the same value: its rights stay what they
        were. Raises Denied."""
        known = self._reaches.get(id(caller))
        if known is not None and known[0] is caller:
            return known[1]
        reach = reach_on(_OPERATION, caller, self._now())
        # Ties to members begin and end by the clock; without any, nothing of it depends on time.
        if not caller.members:
            if len(self._reaches) >= _REMEMBERED:
                self._reaches.clear()
            self._reaches[id(caller)] = caller, reach
        return reach

    def _aliases_of(self, tenant: str, market: Market) -> Aliases:
        found = self._aliases.get(tenant)
        if found is None:
            found = self._aliases[tenant] = Aliases(market.records, time.monotonic)
        return found


def _may_send(event: ServiceEvent, reach: Reach) -> bool:
    """Whether the sender acts for who bills, and for whose charge a replacement says it takes."""
    if reach.everything:
        return True
    if event.kind == "replacement" and event.facts.get(REPLACED_PARTY, event.billing_party) not in reach.parties:
        return False
    return reach.covers(frozenset((event.billing_party,)), frozenset())


def _against(one: _Sent, owners: dict[tuple[str, str], str], market: Market) -> DrachmError | None:
    """Why an event is not even decided, as far as that takes a look into the books."""
    if not _may_replace(one, owners):
        return _stranger()
    if not one.person:
        return None
    try:
        ensure_by_two(one.event, market.desk, market.money)
    except DrachmError as no:
        return no
    return None


def _may_replace(one: _Sent, owners: dict[tuple[str, str], str]) -> bool:
    """Whether the event that it takes the place of, if any, was billed by somebody the sender acts for."""
    owner = owners.get((one.event.source, one.event.replaces)) if owners else None
    return owner is None or one.reach.everything or owner in one.reach.parties


def _expected(fields: Mapping[bytes, bytes]) -> int:
    """About how many events a request brings, as far as its header tells; 1 where it is small or does not say."""
    size = int(fields.get(b"content-length", b"0"))
    if size <= _INLINE_BYTES:
        return 1
    return _events_in(size * (_PACKED if b"content-encoding" in fields else 1))


def _events_in(size: int) -> int:
    return min(BATCH_MAX, max(1, size // _EVENT_BYTES))


def _is_array(body: bytes) -> bool:
    return body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"["


def _read_array(body: bytes) -> Sequence[ServiceEvent | DrachmError]:
    return read_events_bytes(body, "body")


def _read_lines(body: bytes) -> Sequence[ServiceEvent | DrachmError]:
    return read_lines_bytes(body, "body")


def _stranger() -> Denied:
    return Denied(Deny("not_related"), _OPERATION)


def _status(result: EventResult) -> int:
    if result.status == "conflict":
        return 409
    if result.id is None and not result.duplicate:
        return 422
    return 200 if result.duplicate else 201


def _refusal(result: EventResult) -> DrachmError:
    """Why an event was not even written down."""
    if result.status == "conflict":
        return Problem("event_conflict")
    return Refused(result.reason, result.message, where="$", next_step=result.next_step)


def _item(found: ServiceEvent | Cleared, request_id: str) -> BulkItem:
    if isinstance(found, EventResult):
        status = _status(found)
        if status < 400:
            return BulkItem(status=status, result=found)
        found = _refusal(found)
    if not isinstance(found, DrachmError):
        raise IntegrityError("an item of a bulk was not answered")
    answer = answer_of(found, request_id)
    return BulkItem(status=answer.status, problem=msgspec.Raw(answer.body))
