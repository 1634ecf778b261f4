"""What changed since a page was shown? A stream that says only *that* something did; the browser asks the page again.

So whoever may not see a thing on the page hears nothing of it here: a change is a change of what the page's own reader
gives this person (`watched`), by the same calls of the interface. What the stream names is a mark, a keyed hash of it,
which tells nothing. It ends when the session does, does not keep one awake, and goes on behind the last mark.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import urlencode

import msgspec
from anyio.to_thread import run_sync
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from drachm.adapters.rest.identity.permit import reach_on
from drachm.adapters.rest.identity.routes import BY_OPERATION
from drachm.adapters.rest.service import my_session
from drachm.adapters.rest.service.browser_session import Session
from drachm.adapters.rest.service.call import Call, Reply
from drachm.adapters.rest.service.forms import BY_ITSELF, browser_fields
from drachm.adapters.rest.service.my_frame import PatientSeat, patient_page
from drachm.adapters.rest.service.page_frame import page_headers, root_of
from drachm.adapters.rest.service.serving import Serving
from drachm.adapters.rest.service.static_files import address
from drachm.adapters.rest.service.streams import STREAM, STREAMS_MAX, Hall, Pace, wait
from drachm.adapters.rest.transport.passage import Passage
from drachm.adapters.rest.transport.problems import Problem
from drachm.domain.errors import DrachmError, Forbidden

OPERATION: Final = "open_my_stream"
STREAMS_OF_ONE: Final = 16
"""Pages of one person that listen at one process."""
_QUERY: Final = {"page": "`home`, `wallet` or a visit", "mark": "of what the page shows", "for": "whose page"}
_VISIT: Final = "vis_"
_CALM: Final = 1.0
"""Seconds between two looks at one page, however much happens."""

Reader = Callable[[PatientSeat], object]
"""What a page shows, as plain values. Raises what its calls raise."""
_READERS: Final[dict[str, Reader]] = {}


@dataclass(frozen=True, slots=True)
class Live:
    """What a page needs to listen."""

    path: str
    mark: str
    scripts: tuple[str, ...] = (address("htmx.js"), address("live.js"))


def watched(name: str) -> Callable[[Reader], Reader]:
    """Name the reader of a page that is kept up to date."""

    def keep(reader: Reader) -> Reader:
        _READERS[name] = reader
        return reader

    return keep


def live(seat: PatientSeat, page: str, shown: object) -> Live:
    """How a page listens: `page` is the name of its reader or a visit, `shown` what the reader gave."""
    query = {"page": page, **({"for": seat.call.query["for"]} if "for" in seat.call.query else {})}
    return Live(f"{root_of(seat.call)}/my/stream?{urlencode(query)}", mark_of(seat.session, shown))


def mark_of(session: Session, shown: object) -> str:
    """A mark of what is shown; without the session's word it cannot be computed for a guess."""
    return hashlib.blake2b(msgspec.json.encode(shown), key=session.csrf.encode(), digest_size=16).hexdigest()


@patient_page(OPERATION, link=True, query=_QUERY)
def open_my_stream(seat: PatientSeat) -> Reply:
    """Declared for the policy table; `live_routes` is what answers."""
    return Reply(None, headers=page_headers())


def live_routes(serving: Serving, leaving: asyncio.Event, *, pace: Pace | None = None) -> list[Route]:
    """The stream as a Starlette route. Every stream ends when `leaving` is set."""
    hall = Hall(serving, leaving, _nobody, pace or Pace())

    async def endpoint(request: Request) -> Response:
        listener = _Listener(hall, request)
        begun = await run_sync(listener.begin, limiter=serving.threads)
        headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
        if not begun:
            # No content: a browser that hears this does not come back by itself.
            return Response(None, 204, headers)
        if hall.streams.total() >= STREAMS_MAX or hall.streams[listener.who] >= STREAMS_OF_ONE:
            raise Problem("busy", retry_after=5)
        return StreamingResponse(listener.frames(), 200, headers, STREAM)

    return [Route(BY_OPERATION[OPERATION].template, endpoint, methods=["GET"], name=OPERATION)]


class _Listener:
    """One page that listens."""

    def __init__(self, hall: Hall, request: Request) -> None:
        self._hall, self._request = hall, request
        self._page = request.query_params.get("page", "")
        self._heard = request.headers.get("last-event-id") or request.query_params.get("mark", "")
        self._position = 0
        self._mark = ""
        self.who = "", ""

    def begin(self) -> bool:
        """Look for the first time; False where nobody is signed in. Raises for a page that is not this person's."""
        seat = self._seat()
        if seat is None:
            return False
        self.who = seat.call.caller.tenant, seat.call.caller.subject
        self._position = seat.call.market.index.followed()
        self._mark = self._look(seat)
        return True

    async def frames(self) -> AsyncIterator[bytes]:
        """The stream's bytes."""
        hall, pace = self._hall, self._hall.pace
        hall.streams[self.who] += 1
        said = checked = looked = time.monotonic()
        try:
            yield b"retry: 2000\n\n"
            if self._heard != self._mark:
                yield self._changed()
            while not hall.leaving.is_set():
                tide, now = await hall.tide(self.who[0]), time.monotonic()
                moved = tide > self._position and now - looked >= _CALM
                if moved or now - checked >= pace.check:
                    before, checked = self._mark, now
                    if not await run_sync(self._again, tide if moved else 0, limiter=hall.serving.threads):
                        yield _end("over")
                        return
                    if moved:
                        looked = now
                    if before != self._mark:
                        said = now
                        yield self._changed()
                if now - said >= pace.beat:
                    said = now
                    yield b": still here\n\n"
                await wait(hall.leaving, pace.look)
            yield _end("again")
        except DrachmError:
            yield _end("over")
        finally:
            hall.streams[self.who] -= 1
            if not hall.streams[self.who]:
                del hall.streams[self.who]

    def _again(self, tide: int) -> bool:
        """Whether whoever listens still may; with a tide, what their page shows by then."""
        seat = self._seat()
        if seat is None or (seat.call.caller.tenant, seat.call.caller.subject) != self.who:
            return False
        if not tide:
            return True
        # Pots are drawn on by others too; what else pages show, only by rows of their own members.
        mine = self._page == "wallet" or seat.call.market.index.after(
            self._position, parties=[], members=seat.members, limit=1
        )
        self._position = tide
        if mine:
            self._mark = self._look(seat)
        return True

    def _look(self, seat: PatientSeat) -> str:
        if self._page.startswith(_VISIT):
            return mark_of(seat.session, seat.ask("get_visit", {"visit_id": self._page}))
        if seat.visit or self._page not in _READERS:
            raise Problem("not_found")
        return mark_of(seat.session, _READERS[self._page](seat))

    def _seat(self) -> PatientSeat | None:
        """Who listens, asked anew; None when nobody is signed in any more. Raises Denied for who may hear nothing."""
        serving = self._hall.serving
        passage: Passage = self._request.scope["passage"]
        fields = {**browser_fields(passage.fields), BY_ITSELF: "1"}
        query = {name: value for name, value in self._request.query_params.items() if name in _QUERY}
        nobody = self._request.scope["principal"]
        call = Call(OPERATION, nobody, serving.now(), serving.house, passage.request_id, query=query, fields=fields)
        session = my_session.session_of(call)
        if session is None:
            return None
        seat = PatientSeat(replace(call, caller=session.principal), session)
        reach_on(OPERATION, seat.call.caller, seat.call.at)
        return seat

    def _changed(self) -> bytes:
        # A browser sends the last id when it comes back; then what it missed is one change.
        return b"event: changed\ndata: {}\nid: " + self._mark.encode() + b"\n\n"


def _end(why: str) -> bytes:
    return b"event: end\ndata: " + why.encode() + b"\n\n"


def _nobody(_: Request) -> Any:
    raise Forbidden("listeners of pages are known by their session")
