"""How is the service put together? Stores, tenants, gate, routes: the application of one worker process."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

import anyio
import psycopg

from drachm import settings as configuration
from drachm.adapters.rest.identity.issuer import SigningKeys
from drachm.adapters.rest.identity.model import Environment
from drachm.adapters.rest.identity.stored import (
    StoredAnswers,
    StoredDirectory,
    StoredLinkVersions,
    StoredStatements,
    StoredTries,
)
from drachm.adapters.rest.service.callbacks import callback_routes
from drachm.adapters.rest.service.furnish import Secrets, Stores, furnish, signing_keys
from drachm.adapters.rest.service.gate import Gatekeeper, NotedClients, NotedKeys, Signal
from drachm.adapters.rest.service.house import House, Market
from drachm.adapters.rest.service.kept_keys import KeptKeys
from drachm.adapters.rest.service.my_live import live_routes
from drachm.adapters.rest.service.operations import every_operation
from drachm.adapters.rest.service.posting import BODY_BYTES, PATH, Counter
from drachm.adapters.rest.service.sandbox_people import sandbox_provider
from drachm.adapters.rest.service.serving import THREADS, Serving
from drachm.adapters.rest.service.streams import stream_routes
from drachm.adapters.rest.transport.app import Application, Service, add, add_hot, build
from drachm.adapters.rest.transport.idempotency import KeyStore
from drachm.adapters.rest.transport.limits import Limits
from drachm.adapters.rest.transport.logs import AccessLog
from drachm.adapters.rest.transport.metrics import Metrics
from drachm.adapters.rest.transport.proxies import Proxies
from drachm.adapters.rest.transport.pump import PumpLimits
from drachm.adapters.rest.transport.rates import Rate
from drachm.application.desk import Desk
from drachm.application.handed import handed_of
from drachm.application.notices import Notices
from drachm.application.paying import Payer, keep_paying
from drachm.application.records import Records
from drachm.bootstrap import SystemClock, SystemIds, read_settings, spare_the_collector
from drachm.domain.errors import Forbidden
from drachm.domain.money import MICROS
from drachm.service.following import FOLDER, announce, follow, text_messages
from drachm.service.own_secrets import with_secrets
from drachm.service.providers import read_providers, read_sign_ins
from drachm.service.rails import RailsForm, connect, read_rails
from drachm.settings import Settings
from drachm.storage.credentials import PostgresCredentials
from drachm.storage.figures import open_figures
from drachm.storage.journal_index import open_index
from drachm.storage.money_reading import PostgresMoney
from drachm.storage.postgres import PostgresBooks, open_books
from drachm.storage.register_reading import PostgresRegister

TENANTS_AT_START: Final = 4
"""So many tenants are opened before the first request; others at their first call."""
PROBE_SECONDS: Final = 2
PUMP_LIMITS: Final = PumpLimits(queue=6_000, wait_seconds=4.0)
"""Several bulks of a thousand may wait their turn, also on a slow machine; nobody waits longer than a caller would."""
LINGER_BYTES: Final = 2 * 1_048_576
LINGER_SECONDS: Final = 5
"""A refused bulk of a thousand events is swallowed whole, so that its sender reads why instead of losing the line."""
_APART: Final = frozenset(
    {"post_service_events", "hear_callback", "get_health", "get_readiness", "get_metrics", "get_problem"}
)
"""Answered by `Counter`, by `callback_routes`, and by the transport itself."""
_log = logging.getLogger("drachm.service")


class Tenants:
    """The tenants of one database by their name in credentials; each is opened at its first call."""

    def __init__(
        self, settings: Settings, master_key: bytes, rails: Mapping[str, RailsForm], *, beside: bool = False
    ) -> None:
        self._settings, self._url, self._master_key = settings, settings.database_url, master_key
        self._beside = beside
        """Whether a process beside this one follows the journals."""
        self._rails, self._base_url = rails, settings.base_url
        self._markets: dict[str, Market] = {}
        self._books: list[PostgresBooks] = []
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._followers: list[threading.Thread] = []

    def __call__(self, tenant: str) -> Market:
        """Everything of one tenant. Raises Forbidden for one that is not here: a credential makes no tenants."""
        market = self._markets.get(tenant)
        if market is None:
            with self._lock:
                market = self._markets.get(tenant) or self._open(tenant)
        return market

    def open_some(self) -> None:
        """Open the first tenants, so that the first requests need not wait."""
        with psycopg.connect(self._url, autocommit=True) as conn:
            rows = conn.execute("SELECT id FROM tenant ORDER BY id LIMIT %s", [TENANTS_AT_START]).fetchall()
        for (tenant,) in rows:
            self(str(tenant))

    def close(self) -> None:
        """Stop following the journals and let go of the database."""
        self._stopping.set()
        for follower in self._followers:
            follower.join(timeout=10)
        for books in self._books:
            books.close()

    def _open(self, tenant: str) -> Market:
        if not (tenant.isascii() and tenant.isdigit() and len(tenant) < 10 and self._is_here(int(tenant))):
            raise Forbidden("the tenant of this credential is not here", where="tenant")
        books = open_books(self._url, int(tenant), master_key=self._master_key, ids=SystemIds())
        market = market_of(Desk(books, SystemClock(), SystemIds()), books, self._master_key)
        if tenant in self._rails:
            connected = connect(self._rails[tenant], tenant, self._base_url, market.records, market.desk.clock.now)
            market = replace(market, rails=connected.rails, tariffs=connected.tariffs, collecting=connected.collecting)
            if not self._beside:
                payer = Payer(market.rails, market.desk, market.records, market.money, market.collecting)
                self._run(keep_paying, payer, self._stopping)
        if self._beside:
            market = replace(market, hand_on=announce(books.tenant))
        else:
            market = replace(market, hand_on=lambda written: books.lately.hear(handed_of(written)))
            notices = Notices(books, market.index, market.register, market.money, market.records)
            self._followers += follow(
                *(market.index, market.money, market.figures, notices, market.desk),
                text_messages(self._settings, market.index, market.register, market.records, market.desk),
                market.records,
                self._stopping,
            )
        self._books.append(books)
        self._markets[tenant] = market
        return market

    def _run(self, work: Callable[..., None], *given: object) -> None:
        thread = threading.Thread(target=work, args=given, name=f"drachm-{len(self._followers)}", daemon=True)
        thread.start()
        self._followers.append(thread)

    def _is_here(self, tenant: int) -> bool:
        with psycopg.connect(self._url, autocommit=True) as conn:
            return conn.execute("SELECT 1 FROM tenant WHERE id = %s", [tenant]).fetchone() is not None


def market_of(desk: Desk, books: PostgresBooks, master_key: bytes) -> Market:
    """One tenant's desk with everything that is kept beside its books."""
    return Market(
        desk,
        books.records(desk.clock.now),
        open_index(books, master_key),
        PostgresRegister(books.tenant, books.sessions),
        PostgresMoney.of(books),
        books.operations(SystemIds()),
        open_figures(books, master_key, SystemIds()),
    )


@dataclass(frozen=True, slots=True)
class Kept:
    """Where identity and repeated calls are kept."""

    identity: Stores
    calls: Callable[[str], KeyStore]
    close: Callable[[], None]


def stores_of(url: str, tenants: Callable[[str], Market], signal: Signal) -> Kept:
    """The stores of identity in the database."""
    credentials = PostgresCredentials(url)

    def records_of(tenant: str) -> Records:
        return tenants(tenant).records

    identity = Stores(
        keys=NotedKeys(credentials, signal),
        clients=NotedClients(credentials, signal),
        statements=StoredStatements(credentials),
        directory=StoredDirectory(records_of),
        link_versions=StoredLinkVersions(credentials),
        answers=StoredAnswers(records_of),
        tries=StoredTries(credentials),
    )
    calls: dict[str, KeptKeys] = {}

    def calls_of(tenant: str) -> KeptKeys:
        return calls.setdefault(tenant, KeptKeys(lambda: tenants(tenant).operations))

    return Kept(identity, calls_of, credentials.close)


@dataclass(frozen=True, slots=True)
class Together:
    """One process's service."""

    application: Application
    house: House
    signing: SigningKeys


def assemble(settings: Settings, *, access_log: AccessLog | None = None, beside: bool = False) -> Together:
    """Put the service together on `settings.database_url`, whose schema is up to date.

    `beside`: a process beside this one follows the journals (`following.follow_all`); else threads of this one do.
    Raises InvalidMessage for settings that cannot be used. Nothing is asked of the database before the start.
    """
    settings = with_secrets(settings)
    environment = Environment(settings.environment)
    master_key = configuration.master_key(settings)
    rails = read_rails(settings.rails_file)
    tenants = Tenants(settings, master_key, rails, beside=beside)
    signal = Signal(os.environ.get(FOLDER, ""))
    stores = stores_of(settings.database_url, tenants, signal)
    own = own_secrets(settings)
    signing = signing_keys(own)
    providers = read_providers(settings.oidc_file)
    sign_ins = read_sign_ins(settings.oidc_file, providers)
    if environment is Environment.SANDBOX:
        provider, keys = sandbox_provider(signing)
        providers[provider.issuer] = provider, keys
    house = furnish(
        environment=environment,
        base_url=settings.base_url,
        secrets=own,
        markets=tenants,
        random_bytes=secrets.token_bytes,
        stores=stores.identity,
        providers=providers,
        sign_ins=sign_ins,
        help_phone=settings.help_phone,
        step_up_micros=settings.step_up * MICROS,
        write_off_micros=settings.write_off_alone * MICROS,
    )
    metrics = Metrics()
    counter = Counter(house, limits=PUMP_LIMITS, gauges=metrics)
    rate = Rate("default", settings.calls_per_minute, 60)

    async def start() -> None:
        await asyncio.to_thread(tenants.open_some)

    async def end() -> None:
        await asyncio.to_thread(tenants.close)
        stores.close()

    application = build(
        Service(
            limits=Limits(linger_bytes=LINGER_BYTES, linger_seconds=LINGER_SECONDS),
            gate=Gatekeeper(house.authenticator, signal, rate, proxies=Proxies(settings.proxies, settings.proxy_field)),
            checks={"database": lambda: asyncio.to_thread(_answers, settings.database_url)},
            startup=[start],
            shutdown=[counter.close, end],
            metrics=metrics,
            access_log=access_log or AccessLog(),
        )
    )
    add_hot(application, PATH, "POST", counter, body_bytes=BODY_BYTES)
    serving = Serving(house, stores.calls, anyio.CapacityLimiter(THREADS))
    served = [one for name, one in every_operation().items() if name not in _APART]
    add(application, stream_routes(serving, application.leaving))
    add(application, live_routes(serving, application.leaving))
    add(application, callback_routes(serving))
    add(application, serving.routes([one for one in served if not one.route.streams]))
    return Together(application, house, signing)


def own_secrets(settings: Settings) -> Secrets:
    """The secrets of settings that have them all (`with_secrets`)."""
    return Secrets(
        settings.key_pepper,
        settings.link_secret,
        settings.cursor_secret,
        settings.token_secret,
        settings.answer_secret[0],
    )


def make_application() -> Application:
    """The application of one worker of `drachm serve`; the settings come from its environment."""
    spare_the_collector()
    return assemble(read_settings(), beside=bool(os.environ.get(FOLDER))).application


def _answers(url: str) -> bool:
    with psycopg.connect(url, connect_timeout=PROBE_SECONDS, autocommit=True) as conn:
        return conn.execute("SELECT 1").fetchone() == (1,)
