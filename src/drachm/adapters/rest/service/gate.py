"""Who is at the door, and may they come in now? Asked before the body is read.

A machine that was known a moment ago is known again without looking: its credential is remembered for a tenth of a
second, and for less when a credential is revoked on this machine (`Signal`). Whoever must be looked up, and every
person, whose ties to members may have been revoked, is looked up in a thread: the event loop never waits for the
database.
"""

from __future__ import annotations

import asyncio
import mmap
import os
import time
from collections import OrderedDict
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from drachm.adapters.rest.identity.authenticate import Authenticator
from drachm.adapters.rest.identity.clients import Client
from drachm.adapters.rest.identity.keys import ApiKey
from drachm.adapters.rest.identity.model import Kind, Principal
from drachm.adapters.rest.identity.stored import StoredClients, StoredKeys
from drachm.adapters.rest.transport.exchange import Scope
from drachm.adapters.rest.transport.passage import Passage
from drachm.adapters.rest.transport.proxies import Proxies
from drachm.adapters.rest.transport.rates import Rate, RateLimiter
from drachm.application.credentials import Credentials

REMEMBERED_SECONDS: Final = 0.1
REMEMBERED: Final = 4_096
STRANGERS_PART: Final = 10
"""One address may make a tenth of a credential's calls without a credential, and as many with one that is new here:
guessing costs the guesser more than us."""


NO_PROXIES: Final = Proxies()


class Signal:
    """A word that all processes of one machine see change at once when a credential has changed."""

    def __init__(self, folder: str = "") -> None:
        self._memory = bytearray(8) if not folder else _mapped(Path(folder) / "credentials")

    def now(self) -> bytes:
        """The word as it stands."""
        return bytes(self._memory[:8])

    def change(self) -> None:
        """Make everybody look again. Random, not counted: two at the same time must not look like one."""
        self._memory[:8] = os.urandom(8)


class NotedKeys(StoredKeys):
    """The kept keys; every process of the machine is told when one has ended."""

    def __init__(self, credentials: Credentials, signal: Signal) -> None:
        super().__init__(credentials)
        self._signal = signal

    def replace(self, key: ApiKey) -> None:
        super().replace(key)
        self._signal.change()

    def rotate(self, old: ApiKey, new: ApiKey) -> None:
        super().rotate(old, new)
        self._signal.change()


class NotedClients(StoredClients):
    """The kept machines; every process of the machine is told when one has changed."""

    def __init__(self, credentials: Credentials, signal: Signal) -> None:
        super().__init__(credentials)
        self._signal = signal

    def replace(self, client: Client) -> None:
        super().replace(client)
        self._signal.change()


class Gatekeeper:
    """The gate of one process (`transport.app.Gate`)."""

    def __init__(
        self,
        authenticator: Authenticator,
        signal: Signal,
        rate: Rate,
        *,
        proxies: Proxies = NO_PROXIES,
        monotonic: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._authenticator, self._signal = authenticator, signal
        self._monotonic, self._now = monotonic, now
        self._address = proxies.address
        self._calls = RateLimiter(rate, monotonic)
        fewer = max(1, rate.quota // STRANGERS_PART)
        self._lookups = RateLimiter(Rate("new-credentials", fewer, rate.window_seconds), monotonic)
        self._strangers = RateLimiter(Rate("anonymous", fewer, rate.window_seconds), monotonic)
        self._known: OrderedDict[bytes, tuple[Principal, bytes, float]] = OrderedDict()
        """Authorization header -> (caller, the signal then, until when); a person's has ended at once."""
        self._asking: dict[bytes, asyncio.Task[Principal]] = {}

    async def __call__(self, scope: Scope, passage: Passage) -> None:
        """Name the caller and count the call. Raises Unauthenticated, Unavailable or `rate_limited`."""
        header = passage.fields.get(b"authorization")
        if header is None or not header.strip():
            principal = self._authenticator.principal(None, self._now())
            passage.headers = self._strangers.take(self._address(scope))
        else:
            principal = self._remembered(header) or await self._looked_up(header, scope)
            passage.caller = principal.credential
            passage.headers = self._calls.take(f"{principal.tenant}\0{principal.subject}")
        scope["principal"] = principal

    def _remembered(self, header: bytes) -> Principal | None:
        found = self._known.get(header)
        if found is None:
            return None
        principal, signal, until = found
        if signal != self._signal.now():
            return None
        if self._monotonic() < until:
            return principal
        if principal.kind is not Kind.MACHINE:
            return None
        # Memory often knows all that the look-up would ask: then nobody waits for a thread.
        again = self._authenticator.at_once(header.decode("latin-1"), self._now())
        if again is not None:
            self._known[header] = (again, signal, self._later())
        return again

    def _later(self) -> float:
        return self._monotonic() + REMEMBERED_SECONDS

    async def _looked_up(self, header: bytes, scope: Scope) -> Principal:
        asking = self._asking.get(header)
        if asking is None:
            if header not in self._known:
                self._lookups.take(self._address(scope))
            asking = self._asking[header] = asyncio.create_task(self._ask(header))
            asking.add_done_callback(lambda _: self._asking.pop(header, None))
        # Shielded: one of many callers who wait for the same answer may leave.
        return await asyncio.shield(asking)

    async def _ask(self, header: bytes) -> Principal:
        signal = self._signal.now()
        text = header.decode("latin-1")
        principal = await asyncio.to_thread(self._authenticator.principal, text, self._now())
        self._known[header] = (principal, signal, self._later() if principal.kind is Kind.MACHINE else 0.0)
        self._known.move_to_end(header)
        while len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        return principal


def _mapped(path: Path) -> mmap.mmap:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        os.ftruncate(descriptor, 8)
        return mmap.mmap(descriptor, 8)
    finally:
        os.close(descriptor)
