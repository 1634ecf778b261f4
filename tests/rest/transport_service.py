"""A small service for the tests of the transport: the hot POST over a pump, a JSON echo, a stream, a slow route.

Environment: CLEAR_SECONDS (how long one commit takes), REQUEST_SECONDS, IDLE_SECONDS, HEADER_SECONDS, BODY_SECONDS,
WRITE_SECONDS, CONNECTIONS, QUEUE, ACCESS_LOG (1: to standard output), LEDGER (a file where each
commit appends its events).
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from drachm.adapters import jsonsafe
from drachm.adapters.rest.transport.app import Application, Service, add, add_hot, build
from drachm.adapters.rest.transport.framework import response_of
from drachm.adapters.rest.transport.limits import Limits
from drachm.adapters.rest.transport.logs import AccessLog
from drachm.adapters.rest.transport.media import require_acceptable, require_media
from drachm.adapters.rest.transport.metrics import Metrics
from drachm.adapters.rest.transport.passage import json_answer, send_answer
from drachm.adapters.rest.transport.pump import Pump, PumpLimits
from drachm.domain.errors import Refused

EVENTS = "/v1/service-events"


def seconds(name: str, otherwise: float) -> float:
    return float(os.environ.get(name, otherwise))


def make() -> Application:
    limits = Limits(
        request_seconds=seconds("REQUEST_SECONDS", 30),
        idle_seconds=seconds("IDLE_SECONDS", 10),
        header_seconds=seconds("HEADER_SECONDS", 10),
        body_seconds=seconds("BODY_SECONDS", 10),
        connections=int(seconds("CONNECTIONS", 2_000)),
        write_seconds=seconds("WRITE_SECONDS", 10),
    )
    metrics = Metrics()
    ledger = os.open(os.environ["LEDGER"], os.O_WRONLY | os.O_APPEND | os.O_CREAT) if "LEDGER" in os.environ else None
    pause = seconds("CLEAR_SECONDS", 0)

    def clear(batch: list[Any]) -> list[int]:
        if pause:
            time.sleep(pause)
        if ledger is not None:
            os.write(ledger, b"".join(b"%d\n" % event["n"] for event in batch))
        return [event["n"] for event in batch]

    pump: Pump[Any, int] = Pump(clear, limits=PumpLimits(queue=int(seconds("QUEUE", 4_000))), gauges=metrics)

    async def start() -> None:
        pump.start()

    async def hot(scope: Any, intake: Any, send: Any) -> None:
        pump.admit()
        fields = scope["passage"].fields
        require_media(fields)
        require_acceptable(fields)
        event = jsonsafe.loads(await intake.whole())
        number = await pump.submit(event)
        await send_answer(json_answer(201, {"id": number, "status": "posted"}), send)

    async def echo(request: Request) -> Response:
        return response_of(json_answer(200, {"bytes": len(await request.body())}))

    async def slow(request: Request) -> Response:
        await asyncio.sleep(float(request.query_params.get("seconds", "1")))
        return response_of(json_answer(200, {"slow": True}))

    async def stream(request: Request) -> Response:
        async def pieces() -> AsyncIterator[bytes]:
            while not app.leaving.is_set():
                yield b"data: tick\n\n"
                await asyncio.sleep(0.05)

        return StreamingResponse(pieces(), media_type="text/event-stream")

    async def large(request: Request) -> Response:
        async def pieces() -> AsyncIterator[bytes]:
            for _ in range(10_000):
                yield b"x" * 65_536

        return StreamingResponse(pieces())

    async def broken(request: Request) -> Response:
        raise ValueError(f"canary {await request.body()!r}")

    async def refused(request: Request) -> Response:
        raise Refused("insufficient_funds", f"no money for {await request.body()!r}", where="$.lines[2].Canary Name")

    service = Service(
        limits=limits,
        startup=[start],
        shutdown=[pump.close],
        metrics=metrics,
        access_log=AccessLog(1 if os.environ.get("ACCESS_LOG") else None),
    )
    app = build(service)
    add_hot(app, EVENTS, "POST", hot, body_bytes=8 * 1_048_576)
    add(
        app,
        [
            Route("/v1/echo", echo, methods=["POST"]),
            Route("/v1/patients/{patient}/receipts", slow),
            Route("/v1/slow", slow),
            Route("/v1/stream", stream),
            Route("/v1/large", large),
            Route("/v1/broken", broken, methods=["POST"]),
            Route("/v1/refused", refused, methods=["POST"]),
        ],
    )
    return app


def event(number: int) -> bytes:
    return msgspec.json.encode(
        {
            "n": number, "source": "ehr-1", "event_id": f"visit-{number:08}", "kind": "charge", "member": "mem-00042",
            "code": {"system": "HCPCS", "value": "99213"}, "currency": "USD", "started_at": "2026-11-21T14:02:00Z",
            "billed": {"micros": 40_000_000, "currency": "USD"}, "billing_party": "prv-0007", "place_of_service": "02",
        }
    )  # fmt: skip
