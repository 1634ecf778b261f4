"""What happens to every request before and after its route?

`Application` is the ASGI application that `server.py` runs. It gives a request its id, its limits and its deadline,
asks the gate who is calling, finds the route, turns whatever is raised into a problem, and counts and logs the answer.
Routes are added by others through `add` and `add_hot`; the one hot POST skips Starlette's layers.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect
from starlette.routing import BaseRoute, Route

from drachm.adapters.rest.transport import pages
from drachm.adapters.rest.transport.exchange import AT_ONCE, ASGIApp, Receive, Scope, Send
from drachm.adapters.rest.transport.framework import answer_in_problems
from drachm.adapters.rest.transport.identifiers import Identifiers, pooled
from drachm.adapters.rest.transport.limits import Deadlines, Intake, Limits
from drachm.adapters.rest.transport.logs import AccessLog, where_raised
from drachm.adapters.rest.transport.metrics import Metrics
from drachm.adapters.rest.transport.pages import Check
from drachm.adapters.rest.transport.passage import UNMATCHED, Passage, Reply, send_answer
from drachm.adapters.rest.transport.problems import Problem, answer_of
from drachm.domain.errors import DrachmError

_log = logging.getLogger("drachm.transport")


Gate = Callable[[Scope, Passage], Awaitable[None]]
"""Called before the body is read; names the caller, counts the call, or raises."""
Hook = Callable[[], Awaitable[None]]


async def _open_gate(scope: Scope, passage: Passage) -> None:
    """Let everybody in, unnamed."""


@dataclass(frozen=True, slots=True)
class Service:
    """Everything the application is handed; the defaults make a whole service without routes."""

    limits: Limits = field(default_factory=Limits)
    gate: Gate = _open_gate
    checks: Mapping[str, Check] = field(default_factory=dict)
    """What must be true before requests are sent here, by the name that `/readyz` shows."""
    startup: Sequence[Hook] = ()
    shutdown: Sequence[Hook] = ()
    """Run after the last answer, in this order: close the pump before the database."""
    metrics: Metrics = field(default_factory=Metrics)
    may_see_metrics: Callable[[Scope], bool] = pages.from_this_machine
    access_log: AccessLog = field(default_factory=AccessLog)
    fields: frozenset[str] | None = None
    """Names of API fields that may stand in a problem's pointer; None: any name in the form of a field."""


class Application:
    """The ASGI application around the routes."""

    def __init__(self, service: Service, inner: Starlette | None = None) -> None:
        self.service = service
        self.inner = inner or Starlette()
        self.hot: dict[str, dict[str, ASGIApp]] = {}
        self.body_limits: dict[str, int] = {}
        self.ungated: set[str] = set()
        self.leaving = asyncio.Event()
        """Set when the process is to end: streams finish, `/readyz` says no."""
        self.deadlines = Deadlines(service.limits.request_seconds)
        self._identifiers = Identifiers(lambda: time.time_ns() // 1_000_000, pooled(os.urandom))
        self.inner.router.redirect_slashes = False
        answer_in_problems(self.inner, service.fields)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._request(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        else:
            await send({"type": "websocket.close", "code": 1003})

    async def _request(self, scope: Scope, receive: Receive, send: Send) -> None:
        began = time.perf_counter()
        fields = dict(scope["headers"])
        passage = Passage(self._identifiers.new("req"), fields)
        scope["passage"] = passage
        # Taken out: it leads back to the exchange, and a circle would wait for the collector.
        extensions = scope.pop("extensions", None)
        reply = Reply(send, passage, self.deadlines, extensions.get(AT_ONCE) if extensions else None)
        self.deadlines.running[reply.task] = asyncio.get_running_loop().time()
        path = scope["path"]
        try:
            limits = self.service.limits
            intake = Intake(fields, receive, self.body_limits.get(path, limits.body_bytes), limits.gzip_ratio)
            if path not in self.ungated and not path.startswith(pages.PROBLEMS):
                await self.service.gate(scope, passage)
            hot = self.hot.get(path)
            app = hot.get(scope["method"]) if hot else None
            if app is not None:
                passage.route = path
                await app(scope, intake, reply)
            else:
                await self.inner(scope, intake, reply.send)
        except asyncio.CancelledError:
            if not self.deadlines.overdue(reply.task):
                raise
            await self._refuse(Problem("timed_out", retry_after=1), scope, reply)
        except Exception as error:  # noqa: BLE001 - every refusal and every fault becomes a problem here
            await self._refuse(error, scope, reply)
        finally:
            self.deadlines.running.pop(reply.task, None)
            seconds = time.perf_counter() - began
            method, status = scope["method"], passage.status
            self.service.metrics.answered(passage.route, method, status, seconds)
            self.service.access_log.line(
                passage.request_id, method, passage.route, status, seconds, passage.bytes_sent, passage.caller
            )

    async def _refuse(self, error: Exception, scope: Scope, reply: Reply) -> None:
        if isinstance(error, ClientDisconnect):
            error = Problem("incomplete_body", close=True)
        if not isinstance(error, DrachmError):
            _log.error("%s in %s at %s", type(error).__name__, scope["passage"].route, where_raised(error))
        if not reply.started:
            await send_answer(answer_of(error, scope["passage"].request_id, fields=self.service.fields), reply)
        elif not reply.ended:
            raise error  # Half an answer is out: only the end of the connection can tell the caller.

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            for hook in self.service.startup:
                await hook()
        except Exception as error:  # noqa: BLE001 - said to the server, which ends the process
            _log.error("start failed: %s at %s", type(error).__name__, where_raised(error))
            await send({"type": "lifespan.startup.failed", "message": type(error).__name__})
            return
        self.deadlines.start(asyncio.get_running_loop())
        self.service.access_log.start()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        failed = ""
        for hook in self.service.shutdown:
            try:
                await hook()
            except Exception as error:  # noqa: BLE001 - the next hook must run all the same
                failed = type(error).__name__
                _log.error("end failed: %s at %s", failed, where_raised(error))
        self.deadlines.stop()
        self.service.access_log.stop()
        await send({"type": "lifespan.shutdown.failed" if failed else "lifespan.shutdown.complete", "message": failed})


def build(service: Service, inner: Starlette | None = None) -> Application:
    """The application with its own pages: `/healthz`, `/readyz`, `/metrics`, `/problems`."""
    app = Application(service, inner)
    add_hot(app, "/healthz", "GET", pages.healthz)
    own = [
        Route("/readyz", pages.readyz(service.checks, app.leaving)),
        Route("/metrics", pages.metrics(service.metrics, service.may_see_metrics)),
        Route("/problems", pages.every_problem),
        Route(pages.PROBLEMS + "{code}", pages.one_problem),
    ]
    add(app, own)
    app.ungated.update(("/healthz", *(route.path for route in own)))
    return app


def add(app: Application, routes: Sequence[BaseRoute], *, body_bytes: int | None = None) -> None:
    """Add routes. `body_bytes` raises or lowers the body limit of those without parameters in their path."""
    for route in routes:
        template = getattr(route, "path", UNMATCHED)
        if hasattr(route, "app"):
            route.app = _labelled(route.app, template)
        if body_bytes is not None:
            app.body_limits[template] = body_bytes
        app.inner.router.routes.append(route)


def add_hot(app: Application, path: str, method: str, handler: ASGIApp, *, body_bytes: int | None = None) -> None:
    """Add a plain ASGI handler for one method of one fixed path; nothing of Starlette runs for it."""
    app.hot.setdefault(path, {})[method] = handler
    if method == "GET":
        app.hot[path]["HEAD"] = handler
    # Listed with the others, so that another method gets a 405 that names this one.
    add(app, [Route(path, _AsClass(handler), methods=[method])], body_bytes=body_bytes)


class _AsClass:
    """Starlette takes a function for `handler(request)`; an instance of a class is called as ASGI."""

    def __init__(self, handler: ASGIApp) -> None:
        self._handler = handler

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._handler(scope, receive, send)


def _labelled(app: Any, template: str) -> ASGIApp:
    async def labelled(scope: Scope, receive: Receive, send: Send) -> None:
        scope["passage"].route = template
        await app(scope, receive, send)

    return labelled
