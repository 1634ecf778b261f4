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
import hashlib
import importlib
import json
import sys
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import anyio
import psycopg
import pytest
from starlette.requests import Request

from drachm.adapters.rest.identity import stored
from drachm.adapters.rest.identity.model import (
    Environment,
    Kind,
    MemberTie,
    Principal,
    Relation,
    Role,
    Scope,
    anonymous,
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
from drachm.application.body import TopUp
from drachm.application.clear_events import clear_events
from drachm.application.desk import Desk
from drachm.application.first_answers import Outcome
from drachm.application.records import Records
from drachm.application.top_up import top_up
from drachm.domain.coverage.model import Contract, Coverage, Member, Party
from drachm.domain.errors import Forbidden
from drachm.domain.events.model import Code, ServiceEvent
from drachm.domain.funding.model import Pot
from drachm.domain.money import MICROS
from drachm.domain.periods import Period
from drachm.service.together import market_of, stores_of
from drachm.storage.credentials import PostgresCredentials
from drachm.storage.embedded import EmbeddedServer
from drachm.storage.migrate import migrate
from drachm.storage.postgres import open_books

sys.path.insert(0, str(Path(__file__).parent))

MASTER_KEY = bytes(range(32))
NOON = datetime(2026, 3, 10, 16, 0, tzinfo=UTC)
ALWAYS = Period(date(2000, 1, 1))
SANDBOX = Environment.SANDBOX
EVERY_SCOPE = frozenset(Scope)
tenants = count(1)

PLAN: dict[str, Any] = {
    "id": "town-plan",
    "version": "2026.1",
    "payer": "town-insurance",
    "currency": "USD",
    "zone": "America/New_York",
    "effective": {"from": "2025-01-01"},
    "facts": {"category": {"type": "text", "default": "other"}},
    "accumulators": [
        {"id": "deductible", "scope": "person", "period": "benefit_year", "feeds": [{"of": "deductible"}]},
        {"id": "oop", "scope": "person", "period": "benefit_year", "feeds": [{"of": "cost_share"}]},
    ],
    "steps": [
        {"id": "free", "kind": "pay", "when": {"category": "preventive"}, "clause": "1"},
        {"id": "cosmetic", "kind": "exclude", "when": {"category": "cosmetic"}, "clause": "2"},
        {
            "id": "deductible",
            "kind": "deductible",
            "limits": [{"accumulator": "deductible", "limit": 10 * MICROS}],
            "clause": "3",
        },
        {"id": "share", "kind": "coinsurance", "ppm": 200_000, "clause": "4"},
        {
            "id": "most",
            "kind": "out_of_pocket_max",
            "limits": [{"accumulator": "oop", "limit": 50 * MICROS}],
            "clause": "5",
        },
    ],
    "text": {"3": "You pay the first 10 dollars of a year.", "4": "You pay one fifth."},
}
HELP: dict[str, Any] = {
    "id": "town-help",
    "version": "1",
    "payer": "town-hall",
    "currency": "USD",
    "zone": "America/New_York",
    "effective": {"from": "2025-01-01"},
    "steps": [{"id": "half", "kind": "pay", "ppm": 500_000, "clause": "1"}],
    "remainder": "patient",
}


class TownClock:
    """Stands still until a test moves it; whatever is posted differs by a millisecond, so that order can be seen."""

    def __init__(self) -> None:
        self._now = NOON
        self._ticks = count()

    def now(self) -> datetime:
        return self._now + timedelta(milliseconds=next(self._ticks))

    def move(self, **by: float) -> None:
        """`clock.move(days=1)`."""
        self._now += timedelta(**by)


class CountingIds:
    """Bytes that never repeat."""

    def __init__(self, seed: str) -> None:
        self._seed, self._numbers, self._lock = seed, count(1), threading.Lock()

    def random_bytes(self, length: int) -> bytes:
        with self._lock:
            return hashlib.shake_256(f"{self._seed} {next(self._numbers)}".encode()).digest(length)


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


@dataclass
class Town:
    """One tenant, enrolled: clinic and hospital, two payers, ana (20 % above 10 dollars, two wallets), ben (two plans),
    cleo (no cover), dan (his own family, nobody's relative)."""

    tenant: int
    market: Market
    house: House
    clock: TownClock
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The tenant as credentials name it."""
        return str(self.tenant)

    @property
    def desk(self) -> Desk:
        return self.market.desk

    def event(self, event_id: str = "e1", dollars: int = 40, **changes: Any) -> ServiceEvent:
        """A visit of ana's at the clinic; keyword arguments change any field."""
        event = ServiceEvent(
            source="ehr",
            event_id=event_id,
            kind="charge",
            member="ana",
            code=Code("local", "visit"),
            currency="USD",
            started_at=NOON - timedelta(hours=2),
            billed=dollars * MICROS,
            billing_party="clinic",
            visit="v1",
            display="Video visit",
        )
        return replace(event, **changes)

    def clear(self, *events: ServiceEvent, index: bool = True) -> list[Outcome]:
        """Clear events and let the index follow."""
        outcomes = clear_events(events, self.desk)
        if index:
            self.follow()
        return outcomes

    def follow(self) -> None:
        """Bring the readers' index up to date."""
        while self.market.index.follow():
            pass

    def caller(
        self,
        *roles: Role | str,
        parties: tuple[str, ...] = (),
        members: tuple[MemberTie, ...] = (),
        kind: Kind = Kind.PERSON,
        scopes: frozenset[Scope] = EVERY_SCOPE,
        subject: str = "",
        **changes: Any,
    ) -> Principal:
        """Somebody of this tenant."""
        words = "+".join(str(role) for role in roles)
        name = subject or f"{words}@{','.join(parties)}"
        return replace(
            Principal(
                self.name,
                kind,
                name,
                "idp.example" if kind is Kind.PERSON else name,
                SANDBOX,
                frozenset(Role(role) for role in roles),
                frozenset(parties),
                members,
                scopes,
            ),
            **changes,
        )

    def patient(self, member: str = "ana") -> Principal:
        tie = MemberTie(member, Relation.SELF, NOON - timedelta(days=900))
        return self.caller(Role.PATIENT, members=(tie,), subject=f"patient {member}")

    def relative(
        self, name: str = "rita", of: str = "ana", *, revoked: bool = False, until: datetime | None = None
    ) -> Principal:
        end = NOON - timedelta(days=1) if revoked else None
        tie = MemberTie(of, Relation.RELATIVE, NOON - timedelta(days=90), until, end)
        return self.caller(Role.RELATIVE, members=(tie,), subject=f"relative {name}")

    def clerk(self, party: str = "clinic", **changes: Any) -> Principal:
        return self.caller(Role.CLERK, parties=(party,), **changes)

    def finance(self, party: str = "clinic", **changes: Any) -> Principal:
        return self.caller(Role.FINANCE, parties=(party,), **changes)

    def price_editor(self, party: str = "town-insurance", **changes: Any) -> Principal:
        return self.caller(Role.PRICE_EDITOR, parties=(party,), **changes)

    def payer(self, party: str = "town-insurance", **changes: Any) -> Principal:
        return self.caller(Role.PAYER, parties=(party,), **changes)

    def funder(self, party: str = "town-fund", **changes: Any) -> Principal:
        return self.caller(Role.FUNDER, parties=(party,), **changes)

    def auditor(self, **changes: Any) -> Principal:
        return self.caller(Role.AUDITOR, **changes)

    def operator(self, **changes: Any) -> Principal:
        return self.caller(Role.OPERATOR, **changes)

    def integrator(self, party: str = "clinic", **changes: Any) -> Principal:
        """A machine of a clinic: an EHR."""
        return self.caller(Role.INTEGRATOR, parties=(party,), kind=Kind.MACHINE, **changes)

    def nobody(self) -> Principal:
        return anonymous(SANDBOX)


def enrol_town(desk: Desk) -> None:
    books = desk.books
    books.publish("plan", PLAN)
    books.publish("plan", HELP)
    books.enrol(
        parties=[
            Party("clinic", ("provider",), "Town clinic", "America/New_York"),
            Party("hospital", ("provider",), "Town hospital", "America/New_York"),
            Party("town-insurance", ("payer",), "Town insurance"),
            Party("town-hall", ("payer",), "Town hall"),
            Party("town-fund", ("funder",), "Town fund"),
        ],
        members=[
            Member("ana", date(1990, 5, 1), "female"),
            Member("ben", date(1980, 1, 1), "male"),
            Member("cleo"),
            Member("dan", date(1970, 7, 7), "male", family="dans"),
        ],
        coverages=[
            Coverage("c-ana", "ana", "town-plan", ALWAYS),
            Coverage("c-ben-1", "ben", "town-plan", ALWAYS),
            Coverage("c-ben-2", "ben", "town-help", ALWAYS, rank=2),
            Coverage("c-dan", "dan", "town-plan", ALWAYS),
        ],
        contracts=[
            Contract(provider, payer, "as-submitted", ALWAYS)
            for provider in ("clinic", "hospital")
            for payer in ("*", "")
        ],
        pots=[
            Pot("ana-gift", "ana", "USD", 0, priority=1),
            Pot("ana-cash", "ana", "USD", 0, priority=2),
            Pot("ben-cash", "ben", "USD", 0, priority=1),
        ],
    )
    for pot, member, amount in (("ana-gift", "ana", 5), ("ana-cash", "ana", 95), ("ben-cash", "ben", 50)):
        order = TopUp("window", f"first-{pot}", pot, member, amount * MICROS, "USD", "cash-desk", NOON)
        top_up(order, desk)


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


def stores_over(street: Street, credentials: PostgresCredentials) -> furnishing.Stores:
    """Identity as the service keeps it: in the database."""

    def records_of(tenant: str) -> Records:
        return street.markets[tenant].records

    return furnishing.Stores(
        stored.StoredKeys(credentials),
        stored.StoredClients(credentials),
        stored.StoredStatements(credentials),
        stored.StoredDirectory(records_of),
        stored.StoredLinkVersions(credentials),
        stored.StoredAnswers(records_of),
        stored.StoredTries(credentials),
    )


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

        return _answered(asyncio.run(answer()))

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
