"""What happened since? A list for machines that keep up, and receipts as they are issued, as server-sent events.

A stream (HTML standard, section 9.2) sends `receipt` with a receipt as data. Its `id` is a cursor: sent back as
Last-Event-ID, or `?cursor=`, it goes on behind that receipt; the readers' index is always a whole beginning of the
journal, so nothing is lost and nothing comes twice. Without one a stream begins now. A quiet stream renews its id with
each heartbeat. `end` says why a stream ends: the process leaves, or who listens may no longer. Whether they may is
asked again before anything is sent, and every few seconds.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import msgspec
from anyio.to_thread import run_sync
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from drachm.adapters.rest.identity.decide import Reach
from drachm.adapters.rest.identity.model import Principal
from drachm.adapters.rest.identity.routes import BY_OPERATION
from drachm.adapters.rest.service.call import Call, operation
from drachm.adapters.rest.service.house import House
from drachm.adapters.rest.service.journal_reading import ANSWERED, CARE, find_row, instant, name_of, visit_name, ways_of
from drachm.adapters.rest.service.private_rows import shown_rows
from drachm.adapters.rest.service.receipt_views import ReceiptView
from drachm.adapters.rest.service.receipts import views_of
from drachm.adapters.rest.service.serving import Serving, principal_of
from drachm.adapters.rest.service.shapes import Day, Instant, View
from drachm.adapters.rest.transport.passage import Passage
from drachm.adapters.rest.transport.problems import Problem
from drachm.application.journal_index import Indexed
from drachm.domain.errors import DrachmError, IntegrityError

STREAM: Final = "text/event-stream"
PIECE: Final = 100
STREAMS_MAX: Final = 500
"""Of one process."""
STREAMS_OF_ONE: Final = 32
"""Of one caller in one process."""
_RESUME: Final = {"cursor": "Where to go on: an id that the stream gave. The header Last-Event-ID does the same."}

Again = Callable[[Request], Principal]
"""Who is listening, asked again: raises when the credential has ended, tells ties as they are now."""


class Happening(View):
    """One answer to one event, or money that came in."""

    id: str
    """`rev_...`; good for `after`, for ever."""
    what: Literal["charge", "reversal", "replacement", "hold", "stop", "top_up"]
    status: Literal["posted", "denied", "pended", "refused"]
    event: str | None
    """Null for money that came in."""
    revision: int
    receipt: str | None
    visit: str | None
    member: str
    provider: str
    day: Day
    posted_at: Instant


class Happenings(View):
    """What happened, in order."""

    data: list[Happening]
    next: str | None
    """The cursor of the piece that follows; null when there is no more now."""
    resume: str
    """The cursor to come back with later, for a day; `after` with the last id has no end."""


@operation("list_events", answer=Happenings, query={"after": "Behind the item with this id, instead of a cursor."})
def list_events(call: Call) -> Happenings:
    reach, limit = call.reach(), call.limit()
    place = call.place()
    position = int(place[0]) if place else _after(call, reach)
    rows = call.market.index.after(position, **ways_of(call, reach), limit=limit + 1)
    page = rows[:limit]
    resume = call.cursor([page[-1].position if page else position])
    return Happenings(data=[_happening(row) for row in page], next=resume if len(rows) > limit else None, resume=resume)


def _after(call: Call, reach: Reach) -> int:
    name = call.query.get("after")
    if name is None:
        return 0
    found = find_row(call.market, name, "rev", care=False)
    mine = found and (
        reach.everything or found.row.parties & reach.parties or found.row.member in (reach.members - {""})
    )
    if found is None or not mine:
        raise Problem("bad_request", "no item has this id", where="after")
    return found.row.position


def _happening(row: Indexed) -> Happening:
    care = row.kind in CARE
    return Happening(
        id=name_of(row, "rev"),
        what=row.kind,  # type: ignore[arg-type]  # the words are the same
        status=row.status,  # type: ignore[arg-type]
        event=name_of(row, "evt") if care else None,
        revision=row.revision,
        receipt=name_of(row, "rcp") if care and row.status in ANSWERED else None,
        visit=visit_name(row.visit) if care else None,
        member=row.member,
        provider=row.provider,
        day=row.day.isoformat(),
        posted_at=instant(row.posted_at),
    )


@operation("stream_party_receipts", answer=ReceiptView, query=_RESUME, media=STREAM, problems=("busy",))
def stream_party_receipts(call: Call) -> None:
    """Declared for the interface's description; `stream_routes` is what answers."""
    raise IntegrityError("this call is answered as a stream", where=call.operation)


@operation("stream_member_receipts", answer=ReceiptView, query=_RESUME, media=STREAM, problems=("busy",))
def stream_member_receipts(call: Call) -> None:
    """Likewise."""
    raise IntegrityError("this call is answered as a stream", where=call.operation)


@dataclass(frozen=True, slots=True)
class Pace:
    """How often a stream looks, in seconds."""

    look: float = 0.25
    check: float = 5.0
    """Whether the listener may still listen, when there is nothing to send."""
    beat: float = 15.0


@dataclass(slots=True)
class Hall:
    """All streams of one kind in one process."""

    serving: Serving
    leaving: asyncio.Event
    again: Again
    pace: Pace
    streams: Counter[tuple[str, str]] = field(default_factory=Counter)
    """How many each caller has."""
    tides: dict[str, tuple[float, int]] = field(default_factory=dict)
    """Per tenant, when and up to where the index was seen: asked once for all streams."""

    async def tide(self, tenant: str) -> int:
        at, position = self.tides.get(tenant, (0.0, 0))
        now = time.monotonic()
        if now - at >= self.pace.look:
            # Told before it is asked: of many streams that wake together one asks.
            self.tides[tenant] = now, position
            position = await run_sync(self.serving.house.market(tenant).index.followed, limiter=self.serving.threads)
            self.tides[tenant] = now, position
        return position


def stream_routes(
    serving: Serving, leaving: asyncio.Event, *, again: Again | None = None, pace: Pace | None = None
) -> list[Route]:
    """The two streams as Starlette routes. They end when `leaving` is set."""
    hall = Hall(serving, leaving, again or _again(serving), pace or Pace())
    return [
        Route(BY_OPERATION[name].template, _endpoint(hall, name, parameter), methods=["GET"], name=name)
        for name, parameter in (("stream_party_receipts", "party_id"), ("stream_member_receipts", "member_id"))
    ]


def _again(serving: Serving) -> Again:
    def again(request: Request) -> Principal:
        return serving.house.authenticator.principal(request.headers.get("authorization"), serving.now())

    return again


def _endpoint(hall: Hall, name: str, parameter: str) -> Callable[[Request], Any]:
    async def endpoint(request: Request) -> Response:
        listener = _Listener(hall, name, parameter, request)
        position = await run_sync(listener.begin, limiter=hall.serving.threads)
        headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
        if request.method == "HEAD":
            return Response(None, 200, headers, STREAM)
        if hall.streams.total() >= STREAMS_MAX or hall.streams[listener.who] >= STREAMS_OF_ONE:
            raise Problem("busy", retry_after=5)
        return StreamingResponse(listener.frames(position), 200, headers, STREAM)

    return endpoint


class _Listener:
    """One stream."""

    def __init__(self, hall: Hall, name: str, parameter: str, request: Request) -> None:
        self._hall, self._name, self._parameter, self._request = hall, name, parameter, request
        self._subject = request.path_params[parameter]
        caller = principal_of(request.scope)
        self.who = caller.tenant, caller.subject
        _refuse_others(request)

    def begin(self) -> int:
        """Behind which position the stream begins. Raises whatever makes the whole request a problem."""
        call = self._call(principal_of(self._request.scope))
        self._permit(call)
        given = self._request.headers.get("last-event-id") or self._request.query_params.get("cursor")
        if given is None:
            return call.market.index.followed()
        place = self._house.cursors.read(given, **self._context(call.caller))
        return int(place[0])

    async def frames(self, position: int) -> AsyncIterator[bytes]:
        """The stream's bytes."""
        hall, pace = self._hall, self._hall.pace
        hall.streams[self.who] += 1
        said = checked = time.monotonic()
        tenant = principal_of(self._request.scope).tenant
        try:
            yield b"retry: 2000\n" + self._id(position)
            while not hall.leaving.is_set():
                tide, now = await hall.tide(tenant), time.monotonic()
                if tide > position:
                    found, position = await run_sync(self._read, position, tide, limiter=hall.serving.threads)
                    checked = now
                    for place, receipt in found:
                        said = now
                        yield b"event: receipt\ndata: " + msgspec.json.encode(receipt) + b"\n" + self._id(place)
                    continue
                if now - checked >= pace.check:
                    await run_sync(self._check, limiter=hall.serving.threads)
                    checked = now
                if now - said >= pace.beat:
                    said = now
                    yield b": still here\n" + self._id(position)
                await wait(hall.leaving, pace.look)
            yield _end("draining")
        except DrachmError as error:
            yield _end(error.code)
        finally:
            hall.streams[self.who] -= 1
            if not hall.streams[self.who]:
                del hall.streams[self.who]

    @property
    def _house(self) -> House:
        return self._hall.serving.house

    def _read(self, position: int, tide: int) -> tuple[list[tuple[int, ReceiptView]], int]:
        """Receipts behind a position, each with its place, and up to where the index was looked through."""
        call, reach = self._check()
        index = call.market.index
        by_party = self._parameter == "party_id"
        rows = index.after(
            position,
            parties=[self._subject] if by_party else [],
            members=[] if by_party else [self._subject],
            limit=PIECE,
        )
        if len(rows) == PIECE:
            tide = rows[-1].position
        wanted = [row.position for row in rows if row.kind in CARE and row.status in ANSWERED and row.position <= tide]
        looked = shown_rows(call, reach, index.look(wanted))
        places = [one.row.position for one in looked]
        return list(zip(places, views_of(call, reach, looked), strict=True)), tide

    def _check(self) -> tuple[Call, Reach]:
        """Whether whoever listens still may. Raises when not."""
        call = self._call(self._hall.again(self._request))
        return call, self._permit(call)

    def _permit(self, call: Call) -> Reach:
        call.reach()  # who may hear nothing at all is told so before anything is looked up
        register, one = call.market.register, [self._subject]
        if self._parameter == "party_id":
            return call.permit(call.resource(parties=frozenset(one)) if register.parties(ids=one) else None)
        return call.permit(call.resource(members=frozenset(one)) if register.members(ids=one) else None)

    def _call(self, caller: Principal) -> Call:
        passage: Passage = self._request.scope["passage"]
        path = self._request.path_params
        return Call(self._name, caller, self._hall.serving.now(), self._house, passage.request_id, path=path)

    def _context(self, caller: Principal) -> Mapping[str, Any]:
        who = f"{caller.tenant}\0{caller.subject}"
        return {"caller": who, "route": self._name, "filters": {self._parameter: self._subject}}

    def _id(self, position: int) -> bytes:
        """The line that ends a message. Alone it is no message, yet a browser remembers the id."""
        context = self._context(principal_of(self._request.scope))
        return b"id: " + self._house.cursors.write([position], **context).encode() + b"\n\n"


def _refuse_others(request: Request) -> None:
    """What a stream does not know, or cannot give."""
    if set(request.query_params) - {"cursor"} or len(request.query_params.multi_items()) > 1:
        raise Problem("bad_request", "a query parameter is not known here", where="parameters: ['cursor']")
    accepted = request.headers.get("accept", "*/*").lower()
    if not any(word in accepted for word in (STREAM, "text/*", "*/*")):
        raise Problem("not_acceptable")


def _end(code: str) -> bytes:
    return b"event: end\ndata: " + msgspec.json.encode({"code": code}) + b"\n\n"


async def wait(event: asyncio.Event, seconds: float) -> None:
    """Until the event is set, or so long."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return
