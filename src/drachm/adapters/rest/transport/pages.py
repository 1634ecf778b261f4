"""Which pages does the transport serve itself? Alive, ready, metrics, and the problem types."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from drachm.adapters.rest.transport import problems
from drachm.adapters.rest.transport.exchange import Receive, Scope, Send
from drachm.adapters.rest.transport.framework import response_of
from drachm.adapters.rest.transport.metrics import CONTENT_TYPE, Metrics
from drachm.adapters.rest.transport.passage import json_answer, send_answer
from drachm.adapters.rest.transport.problems import Problem

Check = Callable[[], Awaitable[bool]]
Page = Callable[[Request], Awaitable[Response]]
PROBLEMS = "/problems/"
_log = logging.getLogger("drachm.transport")


def from_this_machine(scope: Scope) -> bool:
    """True for a caller on this machine that no proxy stands before."""
    fields = scope["passage"].fields
    client = scope.get("client")
    forwarded = b"forwarded" in fields or b"x-forwarded-for" in fields
    return not forwarded and client is not None and client[0] in ("127.0.0.1", "::1")


async def healthz(scope: Scope, receive: Receive, send: Send) -> None:
    """The process answers."""
    await send_answer(json_answer(200, {"status": "alive"}), send)


def readyz(checks: Mapping[str, Check], leaving: asyncio.Event) -> Page:
    """Requests may be sent here: every check holds and the process is not about to end."""

    async def one(name: str, check: Check) -> tuple[str, bool]:
        try:
            return name, await asyncio.wait_for(check(), timeout=2)
        except Exception:  # noqa: BLE001 - a check that breaks says no
            return name, False

    async def page(request: Request) -> Response:
        if leaving.is_set():
            raise Problem("draining", retry_after=1, close=True)
        found = dict(await asyncio.gather(*[one(name, check) for name, check in checks.items()]))
        if not all(found.values()):
            failing = ", ".join(sorted(name for name, holds in found.items() if not holds))
            _log.warning("not ready: %s", failing)
            raise Problem("not_ready", retry_after=2)
        return response_of(json_answer(200, {"status": "ready", "checks": found}))

    return page


def metrics(metrics: Metrics, may_see: Callable[[Scope], bool]) -> Page:
    """The numbers for Prometheus; for others there is nothing here."""

    async def page(request: Request) -> Response:
        if not may_see(request.scope):
            raise HTTPException(404)
        return Response(metrics.page(), media_type=CONTENT_TYPE.decode())

    return page


async def every_problem(request: Request) -> Response:
    """All documented problem codes."""
    return response_of(json_answer(200, {"problems": problems.index()}))


async def one_problem(request: Request) -> Response:
    """The page that the `type` of a problem opens."""
    text = problems.page(request.path_params["code"])
    if text is None:
        raise HTTPException(404)
    return Response(text, media_type="text/html")
