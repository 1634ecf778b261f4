"""How does the service run: as processes of its own (`drachm serve`), or for a while inside another program?"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any, Final

import psycopg

from drachm.adapters.rest.service.house import House, Visitor
from drachm.adapters.rest.service.sandbox_people import ISSUER
from drachm.adapters.rest.transport.logs import AccessLog
from drachm.adapters.rest.transport.server import Worker, listen
from drachm.adapters.rest.transport.supervisor import Plan, Supervisor
from drachm.application.records import Records
from drachm.bootstrap import DATABASE, SystemClock, ready_database
from drachm.domain.errors import Unavailable
from drachm.service.own_secrets import with_secrets
from drachm.service.people import first_key, new_key, person_token
from drachm.service.providers import read_providers, read_sign_ins
from drachm.service.rails import ensure_connectable
from drachm.service.together import Together, assemble
from drachm.settings import Settings
from drachm.storage.migrate import migrate

LOOPBACK: Final = "127.0.0.1"
START_SECONDS: Final = 60


@dataclass(frozen=True, slots=True)
class Started:
    """What is told once the service answers."""

    base_url: str
    port: int
    process: int
    """Of the supervisor: SIGHUP replaces the workers, SIGTERM ends all."""
    embedded: bool
    first_key: str = ""
    """The operator's key of a sandbox that had none; it exists nowhere else."""


def serve(settings: Settings, *, port: int, workers: int, ready: Callable[[Started], None]) -> int:
    """Run the service on loopback until it is told to end; the exit status. Call it on the main thread.

    What comes from other machines passes a proxy that speaks TLS. Raises InvalidMessage for settings that cannot be
    used and Unavailable without a database, before anything listens.
    """
    with_secrets(settings)
    read_sign_ins(settings.oidc_file, read_providers(settings.oidc_file))
    ensure_connectable(settings.rails_file, settings.base_url, SystemClock().now)
    with ready_database(settings, DATABASE) as url, listen(LOOPBACK, port) as listener:
        bound = listener.getsockname()[1]
        here = replace(
            settings, database_url=url, workers=workers, base_url=settings.base_url or f"http://{LOOPBACK}:{bound}"
        )
        # The workers read their settings from the environment, as they do after a restart.
        os.environ.update(DRACHM_DATABASE_URL=here.database_url, DRACHM_BASE_URL=here.base_url)
        key = first_key(here)

        def tell() -> None:
            ready(Started(here.base_url, bound, os.getpid(), not settings.database_url, key))

        plan = Plan("drachm.service.together:make_application", workers, "drachm.service.following:follow_all")
        return Supervisor(plan, listener, tell).run()


@dataclass(frozen=True, slots=True)
class Running:
    """A service that runs inside this program."""

    base_url: str
    house: House
    settings: Settings

    def new_key(self, roles: Sequence[str], parties: Sequence[str] = (), *, tenant: int = 1) -> str:
        """An API key for a machine; its text, which exists nowhere else."""
        return new_key(self.settings, tenant=tenant, roles=roles, parties=parties)

    def person_token(
        self, name: str, roles: Sequence[str], parties: Sequence[str] = (), *, tenant: int = 1, hours: int = 12
    ) -> str:
        """A token by which a person acts in a sandbox."""
        return person_token(self.settings, tenant=tenant, name=name, roles=roles, parties=parties, hours=hours)

    def subject_of(self, name: str) -> str:
        """How the person of such a token is called in ties to members."""
        return f"{ISSUER}|{name}"

    def records(self, tenant: int) -> Records:
        """What the service keeps of a tenant beside the books."""
        return self.house.market(str(tenant)).records

    def welcome(self, name: str, token: str, *, staff: bool = False) -> None:
        """Offer at the sign-in to be this person, to whoever opens it."""
        self.house.visitors.append(Visitor(name, token, staff))


@contextmanager
def running(settings: Settings, database_url: str, *, port: int = 0, log: bool = False) -> Iterator[Running]:
    """The service on loopback, in a thread of this program, until the block ends; the schema is brought up to date.

    For a demo or a test: one process, one thread. `log` writes access lines to standard output.
    """
    with psycopg.connect(database_url, autocommit=True) as connection:
        migrate(connection)
    with listen(LOOPBACK, port) as listener:
        address = settings.base_url or f"http://{LOOPBACK}:{listener.getsockname()[1]}"
        here = with_secrets(replace(settings, database_url=database_url, base_url=address))
        together = assemble(here, access_log=AccessLog(1 if log else None))
        worker, thread = _started(together, listener)
        try:
            yield Running(address, together.house, here)
        finally:
            worker.should_exit = True
            worker.watch.hurry = True
            thread.join(timeout=START_SECONDS)


def _started(together: Together, listener: Any) -> tuple[Worker, threading.Thread]:
    worker = Worker(together.application, drain_seconds=5)
    ready = threading.Event()
    worker.ready = ready.set

    def run() -> None:
        # A server that cannot start ends by SystemExit; the log says why.
        with suppress(SystemExit):
            asyncio.run(worker.serve(sockets=[listener]))
        ready.set()

    thread = threading.Thread(target=run, name="drachm-service", daemon=True)
    thread.start()
    if not ready.wait(START_SECONDS) or not worker.started:
        raise Unavailable("the service did not start", next_step="Run ./drachm doctor: it names what is missing.")
    return worker, thread
