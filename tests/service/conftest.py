"""A town with a service in front of it, and `ask`: one call of the interface without a socket.

One database and one house for the whole run; each test has a tenant of its own, so it begins with an enrolled town:

    def test_a_clerk_reads_a_receipt(town, ask):
        town.clear(town.event("e1"))
        answer = ask("list_receipts", town.clerk("clinic"))
        assert answer.status == 200

`town.caller(role, ...)` is anybody; `town.patient("ana")`, `town.relative("ben", of="ana")`, `town.clerk("clinic")` and
the others are shorthands. `other_town` is another tenant of the same house. The clock stands still until it is moved.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import sys
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import anyio
import psycopg
import pytest
from starlette.requests import Request

from drachm.adapters.rest.identity.model import (
    Principal,
)
from drachm.adapters.rest.identity.routes import BY_OPERATION
from drachm.adapters.rest.service import furnish as furnishing
from drachm.adapters.rest.service.call import OPERATIONS
from drachm.adapters.rest.service.gate import Signal
from drachm.adapters.rest.service.house import House, Market
from drachm.adapters.rest.service.kept_keys import KeptKeys
from drachm.adapters.rest.service.serving import Serving
from drachm.adapters.rest.transport.limits import Intake, Limits
from drachm.adapters.rest.transport.passage import Passage
from drachm.adapters.rest.transport.problems import Answer, answer_of
from drachm.application.desk import Desk
from drachm.domain.errors import Forbidden
from drachm.domain.events.model import Code
from drachm.service.together import market_of, stores_of
from drachm.storage.embedded import EmbeddedServer
from drachm.storage.migrate import migrate
from drachm.storage.postgres import open_books

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parent))

from as_published import ensure_published
from small_town import NOON, SANDBOX, CountingIds, Town, TownClock, enrol_town

MASTER_KEY = bytes(range(32))
tenants = count(1)


@dataclass(frozen=True)
class Answered:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: Any
    """Decoded JSON; None for no body; text for anything else."""
    raw: bytes = b""
    cookies: tuple[str, ...] = ()
    """Every Set-Cookie field, in order."""

    @property
    def code(self) -> str:
        """The code of a problem."""
        return str(self.body["code"])

    @property
    def etag(self) -> str:
        return self.headers["etag"]


@pytest.fixture(scope="session")
def service_database(server18: EmbeddedServer) -> Iterator[str]:
    """One database for all tests of the service in this process."""
    name = f"service_{uuid.uuid4().hex}"
    with psycopg.connect(server18.url("postgres"), autocommit=True) as conn:
        conn.execute(f"CREATE DATABASE {name} TEMPLATE template0")
        with psycopg.connect(server18.url(name)) as schema:
            migrate(schema)
        yield server18.url(name)
        conn.execute(f"DROP DATABASE {name} WITH (FORCE)")


@dataclass
class Street:
    """All tenants of the house."""

    url: str
    house: House = field(init=False)
    markets: dict[str, Market] = field(default_factory=dict)
    keys: dict[str, KeptKeys] = field(default_factory=dict)

    def market(self, tenant: str) -> Market:
        if tenant not in self.markets:
            raise Forbidden("the tenant of this credential is not here", where="tenant")
        return self.markets[tenant]

    def key_store(self, tenant: str) -> KeptKeys:
        return self.keys.setdefault(tenant, KeptKeys(lambda: self.markets[tenant].operations))


@pytest.fixture(scope="session")
def street(service_database: str) -> Iterator[Street]:
    """The house that every test's calls go to."""
    street = Street(service_database)
    stores = stores_of(service_database, street.market, Signal())
    secret = CountingIds("secrets").random_bytes
    secrets = furnishing.Secrets([secret(32)], [secret(32)], [secret(32)], [secret(32)], secret(32))
    street.house = furnishing.furnish(
        environment=SANDBOX,
        base_url="http://127.0.0.1:8000",
        secrets=secrets,
        markets=street.market,
        random_bytes=CountingIds("house").random_bytes,
        stores=stores.identity,
        now=lambda: NOON,
    )
    yield street
    stores.close()
    for market in street.markets.values():
        market.desk.books.close()  # type: ignore[attr-defined]


@pytest.fixture
def house(street: Street) -> House:
    return street.house


def open_town(street: Street) -> Town:
    tenant = next(tenants)
    clock = TownClock()
    ids = CountingIds(f"tenant {tenant}")
    books = open_books(street.url, tenant, master_key=MASTER_KEY, ids=ids)
    desk = Desk(books, clock, ids)
    enrol_town(desk)
    market = market_of(desk, books, MASTER_KEY)
    street.markets[str(tenant)] = market
    return Town(tenant, market, street.house, clock)


@pytest.fixture
def town(street: Street) -> Iterator[Town]:
    """A fresh tenant, enrolled."""
    town = open_town(street)
    yield town
    street.markets.pop(town.name).desk.books.close()  # type: ignore[attr-defined]


@pytest.fixture
def other_town(street: Street) -> Iterator[Town]:
    """Another tenant of the same house, with the same names in it."""
    town = open_town(street)
    yield town
    street.markets.pop(town.name).desk.books.close()  # type: ignore[attr-defined]


@pytest.fixture
def settled(database: str) -> Iterator[tuple[str, Town]]:
    """A database of its own with one enrolled tenant, for a service in another process: its URL and the town."""
    street = Street(database)
    books = open_books(database, 1, master_key=MASTER_KEY, ids=CountingIds("settled"))
    desk = Desk(books, TownClock(), CountingIds("desk"))
    enrol_town(desk)
    market = market_of(desk, books, MASTER_KEY)
    yield database, Town(1, market, street, desk.clock)  # type: ignore[arg-type]
    books.close()


@pytest.fixture
def lived_in(town: Town) -> Town:
    """The town after a few events: ana twice at the clinic (one visit), ben at the hospital, one that waits."""
    town.clear(
        town.event("e1", 40),
        town.event("e2", 25, code=Code("local", "test")),
        town.event("e3", 60, member="ben", billing_party="hospital", visit="v2"),
        town.event("e4", 10, member="unknown-member", visit="v3"),
    )
    return town


def read_operations() -> None:
    """Every handler module that is there."""
    from drachm.adapters.rest.service import operations

    importlib.import_module(operations.__name__)


@pytest.fixture
def ask(street: Street, request: pytest.FixtureRequest) -> Callable[..., Answered]:
    """`ask(operation, caller, path={}, query={}, body=None, key="", if_match="", ...)`: one call without HTTP.

    `body` is a value that becomes JSON, or bytes as they are. `key=None` leaves the Idempotency-Key out where one is
    needed; without the argument each call has a fresh one. `at` is the server's time, else that of the caller's town.
    """
    read_operations()

    def ask(
        name: str,
        caller: Principal,
        path: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        key: str | None = "",
        if_match: str = "",
        if_none_match: str = "",
        at: datetime | None = None,
        headers: Mapping[str, str] | None = None,
        media: str = "application/json",
    ) -> Answered:
        route = BY_OPERATION[name]
        fields: dict[bytes, bytes] = {}
        if body is not None:
            fields[b"content-type"] = media.encode()
        if route.needs_key and key is not None:
            fields[b"idempotency-key"] = (key or uuid.uuid4().hex).encode()
        if if_match:
            fields[b"if-match"] = if_match.encode()
        if if_none_match:
            fields[b"if-none-match"] = if_none_match.encode()
        fields.update({word.lower().encode(): value.encode() for word, value in (headers or {}).items()})
        data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        passage = Passage("req_test", fields)
        address = route.template
        for word, value in (path or {}).items():
            assert f"{{{word}}}" in address, f"{address} has no {word}"
            address = address.replace(f"{{{word}}}", value)
        scope = {
            "type": "http",
            "method": route.method,
            "path": address,
            "query_string": urlencode(query or {}).encode(),
            "headers": list(fields.items()),
            "path_params": dict(path or {}),
            "passage": passage,
            "principal": caller,
        }
        town_now = at or _town_time(request)

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": data, "more_body": False}

        async def answer() -> Answer:
            try:
                if name == "post_service_events":
                    return await _post(street, scope, Intake(fields, receive, Limits().body_bytes, 100), passage)
                serving = Serving(street.house, street.key_store, anyio.CapacityLimiter(4), now=lambda: town_now)
                return await serving.answer(OPERATIONS[name], Request(scope, receive))
            except Exception as error:
                if not _is_ours(error):
                    raise
                return answer_of(error, passage.request_id)

        told = _answered(asyncio.run(answer()))
        ensure_published(name, told.status, told.headers.get("content-type", ""), told.body)
        return told

    return ask


async def _post(street: Street, scope: dict[str, Any], intake: Intake, passage: Passage) -> Answer:
    from drachm.adapters.rest.service.posting import Counter

    counter = Counter(street.house)
    try:
        return await counter.answer(scope, intake)
    finally:
        await counter.close()


def _is_ours(error: Exception) -> bool:
    from drachm.domain.errors import DrachmError

    # Anything else is a defect: the test shall see it, not a problem document that hides it.
    return isinstance(error, DrachmError)


def _town_time(request: pytest.FixtureRequest) -> datetime:
    if "town" in request.fixturenames or "lived_in" in request.fixturenames:
        town: Town = request.getfixturevalue("town")
        return town.clock.now()
    return NOON


def _answered(answer: Answer) -> Answered:
    headers = {name.decode(): value.decode() for name, value in answer.headers}
    kind = headers.get("content-type", "")
    body: Any = None
    if answer.body:
        text = not kind.startswith("font/") and "content-encoding" not in headers
        body = json.loads(answer.body) if "json" in kind else answer.body.decode() if text else answer.body
    cookies = tuple(value.decode() for name, value in answer.headers if name == b"set-cookie")
    return Answered(answer.status, headers, body, answer.body, cookies)


@pytest.fixture
def visitor(street: Street, town: Town, ask: Callable[..., Answered]) -> Iterator[Any]:
    """Somebody with a browser; `visitor.signed_in(...)` is another one at the desk."""
    from desk_visitor import Visitor

    house = street.house
    yield Visitor(street, town, ask)
    street.house = house


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Debian's Chromium."""
    from browsing import launched

    yield from launched()


@pytest.fixture(scope="module")
def axe() -> str:
    """The rules of accessible pages, as a script."""
    from browsing import rules

    return rules()
