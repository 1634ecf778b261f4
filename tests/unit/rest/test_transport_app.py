"""What the application does around a route, called as ASGI without a server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import MutableMapping, Sequence
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from drachm.adapters.rest.transport.app import Application, Service, add, add_hot, build
from drachm.adapters.rest.transport.framework import response_of
from drachm.adapters.rest.transport.limits import Limits
from drachm.adapters.rest.transport.logs import AccessLog
from drachm.adapters.rest.transport.passage import Passage, json_answer, send_answer
from drachm.adapters.rest.transport.problems import Problem
from drachm.adapters.rest.transport.rates import Rate, RateLimiter
from drachm.domain.errors import Conflict, Forbidden

CANARY = "Zofia-Canary-1941-HIV"


class Lines(AccessLog):
    def __init__(self) -> None:
        super().__init__(None)
        self.seen: list[tuple[str, str, int, str]] = []

    def line(
        self, request_id: str, method: str, route: str, status: int, seconds: float, answer_bytes: int, caller: str
    ) -> None:
        self.seen.append((method, route, status, caller))


def service(**changes: Any) -> Service:
    return Service(access_log=Lines(), **changes)


def call(
    app: Application,
    path: str,
    method: str = "GET",
    body: bytes = b"",
    fields: Sequence[tuple[bytes, bytes]] = (),
    client: str = "127.0.0.1",
) -> tuple[int, dict[str, str], Any]:
    """One request; its status, header and body."""
    sent: list[MutableMapping[str, Any]] = []

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    scope = {
        "type": "http", "method": method, "path": path, "raw_path": path.encode(), "query_string": b"", "root_path": "",
        "headers": list(fields), "client": (client, 1), "server": ("localhost", 80), "scheme": "http",
        "http_version": "1.1", "asgi": {"version": "3.0"}, "state": {},
    }  # fmt: skip
    asyncio.run(app(scope, receive, send))
    content = b"".join(message.get("body", b"") for message in sent[1:])
    header = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], header, json.loads(content) if "json" in header.get("content-type", "") else content


async def greet(request: Request) -> Response:
    return response_of(json_answer(200, {"hello": request.path_params.get("name", "you")}))


def test_the_gate_names_the_caller_and_its_rate() -> None:
    limiter = RateLimiter(Rate("default", 2, 60), lambda: 0.0)

    async def gate(scope: Any, passage: Passage) -> None:
        passage.caller = passage.fields.get(b"authorization", b"").decode()
        if not passage.caller:
            raise Problem("unauthenticated", headers=[(b"www-authenticate", b"Bearer")])
        passage.headers = limiter.take(passage.caller)

    app = build(service(gate=gate))
    add(app, [Route("/v1/greet", greet)])
    status, header, problem = call(app, "/v1/greet")
    assert (status, header["www-authenticate"], problem["code"]) == (401, "Bearer", "unauthenticated")
    assert call(app, "/nowhere")[0] == 401  # who is not known learns nothing about addresses
    key = [(b"authorization", b"key_1")]
    assert call(app, "/v1/greet", fields=key)[1]["ratelimit"] == '"default";r=1;t=30'
    assert call(app, "/nowhere", fields=key)[1]["ratelimit"] == '"default";r=0;t=60'
    status, header, problem = call(app, "/v1/greet", fields=key)
    assert (status, problem["code"], header["retry-after"]) == (429, "rate_limited", "30")
    assert header["ratelimit-policy"] == '"default";q=2;w=60'
    assert call(app, "/healthz")[0] == call(app, "/readyz")[0] == call(app, "/problems/busy")[0] == 200
    lines = app.service.access_log.seen  # type: ignore[attr-defined]
    assert ("GET", "/v1/greet", 200, "key_1") in lines
    assert ("GET", "unmatched", 401, "") in lines


def test_the_log_shows_templates_only() -> None:
    app = build(service())
    add(app, [Route("/v1/greet/{name}", greet)])
    assert call(app, f"/v1/greet/{CANARY}")[2] == {"hello": CANARY}
    call(app, f"/{CANARY}")
    assert [line[1] for line in app.service.access_log.seen] == ["/v1/greet/{name}", "unmatched"]  # type: ignore[attr-defined]
    assert CANARY.encode() not in app.service.metrics.page()


def test_a_wrong_method_is_told_every_right_one() -> None:
    async def hot(scope: Any, receive: Any, send: Any) -> None:
        await send_answer(json_answer(201, {}), send)

    app = build(service())
    add_hot(app, "/v1/things", "POST", hot)
    add(app, [Route("/v1/things", greet), Route("/v1/things/{name}", greet, methods=["DELETE"])])
    status, header, problem = call(app, "/v1/things", "PATCH")
    assert (status, header["allow"], problem["code"]) == (405, "GET, HEAD, POST", "method_not_allowed")
    assert (call(app, "/v1/things")[0], call(app, "/v1/things", "POST")[0]) == (200, 201)


@pytest.mark.parametrize("hot", [True, False])
@pytest.mark.parametrize(
    ("error", "status"),
    [(Conflict("no"), 409), (Forbidden("no"), 403), (ValueError(CANARY), 500), (Problem("precondition_failed"), 412)],
)
def test_whatever_a_route_raises_becomes_a_problem(
    error: Exception, status: int, hot: bool, caplog: pytest.LogCaptureFixture
) -> None:
    async def raw(scope: Any, receive: Any, send: Any) -> None:
        raise error

    async def handler(request: Request) -> Response:
        raise error

    app = build(service())
    if hot:
        add_hot(app, "/x", "GET", raw)
    else:
        add(app, [Route("/x", handler)])
    found, header, problem = call(app, "/x")
    assert (found, problem["status"]) == (status, status)
    assert problem["request_id"] == header["request-id"]
    assert header["cache-control"] == "no-store"
    assert CANARY not in json.dumps(problem) + caplog.text
    if status == 500:
        assert "ValueError in /x at" in caplog.text


def test_a_route_may_say_how_long_its_answer_keeps() -> None:
    async def handler(request: Request) -> Response:
        return response_of(json_answer(200, {}, [(b"cache-control", b"max-age=60")]))

    app = build(service())
    add(app, [Route("/x", handler)])
    assert call(app, "/x")[1]["cache-control"] == "max-age=60"


def test_each_route_has_its_body_limit() -> None:
    async def size(request: Request) -> Response:
        return response_of(json_answer(200, {"size": len(await request.body())}))

    app = build(service(limits=Limits(body_bytes=10)))
    add(app, [Route("/small", size, methods=["POST"])])
    add(app, [Route("/large", size, methods=["POST"])], body_bytes=100)
    assert call(app, "/small", "POST", b"x" * 10)[0] == 200
    assert call(app, "/small", "POST", b"x" * 11)[2]["code"] == "too_large"
    assert call(app, "/large", "POST", b"x" * 100)[2] == {"size": 100}
    assert call(app, "/large", "POST", b"x" * 101)[2]["code"] == "too_large"


def test_readiness_follows_the_checks_and_ends_with_the_farewell() -> None:
    answers = {"database": True, "broken": True}

    def check(name: str) -> Any:
        async def one() -> bool:
            if answers[name] is None:
                raise ValueError(CANARY)
            return bool(answers[name])

        return one

    app = build(service(checks={name: check(name) for name in answers}))
    assert call(app, "/readyz")[2] == {"status": "ready", "checks": {"database": True, "broken": True}}
    answers["database"] = False
    assert call(app, "/readyz")[2]["code"] == "not_ready"
    answers.update(database=True, broken=None)  # type: ignore[arg-type]
    assert call(app, "/readyz")[0] == 503
    answers.update(broken=True)
    app.leaving.set()
    assert call(app, "/readyz")[2]["code"] == "draining"
    assert call(app, "/healthz")[0] == 200


def test_metrics_are_for_this_machine() -> None:
    app = build(service())
    assert call(app, "/metrics")[0] == 200
    assert call(app, "/metrics", client="192.0.2.7")[0] == 404


def lifespan(app: Application) -> list[str]:
    sent: list[str] = []

    async def main() -> None:
        messages = iter(["lifespan.startup", "lifespan.shutdown"])

        async def receive() -> MutableMapping[str, Any]:
            return {"type": next(messages)}

        async def send(message: MutableMapping[str, Any]) -> None:
            sent.append(message["type"])

        await app({"type": "lifespan"}, receive, send)

    asyncio.run(main())
    return sent


def test_hooks_run_in_order_and_each_of_them_at_the_end() -> None:
    done: list[str] = []

    def hook(name: str, *, fails: bool = False) -> Any:
        async def run() -> None:
            done.append(name)
            if fails:
                raise ValueError(CANARY)

        return run

    app = build(
        service(startup=[hook("database"), hook("pump")], shutdown=[hook("pump", fails=True), hook("database")])
    )
    assert lifespan(app) == ["lifespan.startup.complete", "lifespan.shutdown.failed"]
    assert done == ["database", "pump", "pump", "database"]
    assert lifespan(build(service(startup=[hook("x", fails=True)]))) == ["lifespan.startup.failed"]
