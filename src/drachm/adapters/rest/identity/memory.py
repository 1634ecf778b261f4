"""Where are keys, machines, ties and tries kept when there is no database?

The same Protocols as the stores in PostgreSQL, in dictionaries: for tests, the demo and a first look.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from threading import Lock
from typing import TypeVar

from drachm.adapters.rest.identity.clients import Client
from drachm.adapters.rest.identity.keys import ApiKey
from drachm.adapters.rest.identity.model import Environment, MemberTie
from drachm.adapters.rest.identity.second_factor import TRIES_IN_WINDOW, TRIES_OF_LINK_VERSION, WINDOW
from drachm.domain.errors import Conflict

Thing = TypeVar("Thing", ApiKey, Client)


class KeysInMemory:
    """`KeyStore` in a dictionary."""

    def __init__(self) -> None:
        self._keys: dict[str, ApiKey] = {}
        self._replaced: set[str] = set()
        self._version = 0
        self._hours: dict[str, datetime] = {}
        self._lock = Lock()

    def version(self) -> int:
        return self._version

    def version_at_once(self) -> int | None:
        return self._version

    def find(self, key_id: str) -> ApiKey | None:
        return self._keys.get(key_id)

    def page(
        self, tenant: str, environment: Environment, *, after: str, limit: int, parties: Collection[str] | None
    ) -> list[ApiKey]:
        found = _page(self._keys, tenant, environment, after, limit, parties)
        return [replace(key, last_used_hour=self._hours.get(key.id)) for key in found]

    def add(self, key: ApiKey) -> None:
        with self._lock:
            if key.id in self._keys:
                raise Conflict("this key id is taken", where=key.id)
            self._keys[key.id] = key

    def replace(self, key: ApiKey) -> None:
        with self._lock:
            self._keys[key.id] = key
            self._version += 1

    def rotate(self, old: ApiKey, new: ApiKey) -> None:
        with self._lock:
            if old.id in self._replaced:
                raise Conflict("this key was rotated already", where=old.id)
            self._replaced.add(old.id)
            self._keys[old.id], self._keys[new.id] = old, new
            self._version += 1

    def touch(self, key_id: str, hour: datetime) -> None:
        with self._lock:
            self._hours[key_id] = max(hour, self._hours.get(key_id, hour))

    def last_used(self, key_id: str) -> datetime | None:
        """The hour of the last use."""
        return self._hours.get(key_id)


class ClientsInMemory:
    """`ClientStore` in a dictionary."""

    def __init__(self) -> None:
        self._clients: dict[str, Client] = {}
        self._version = 0

    def version(self) -> int:
        return self._version

    def find(self, client_id: str) -> Client | None:
        return self._clients.get(client_id)

    def page(
        self, tenant: str, environment: Environment, *, after: str, limit: int, parties: Collection[str] | None
    ) -> list[Client]:
        return _page(self._clients, tenant, environment, after, limit, parties)

    def add(self, client: Client) -> None:
        if self._clients.setdefault(client.id, client) is not client:
            raise Conflict("this client id is taken", where=client.id)

    def replace(self, client: Client) -> None:
        self._clients[client.id] = client
        self._version += 1


class StatementsInMemory:
    """`UsedStatements` in a dictionary, cleared of what has ended as it goes."""

    def __init__(self) -> None:
        self._until: dict[tuple[str, str], datetime] = {}
        self._lock = Lock()

    def first_use(self, client_id: str, jti: str, until: datetime) -> bool:
        with self._lock:
            if (client_id, jti) in self._until:
                return False
            self._until[client_id, jti] = until
            return True

    def forget(self, at: datetime) -> None:
        """Drop statements that have ended: they are refused for their end."""
        with self._lock:
            self._until = {key: until for key, until in self._until.items() if until > at}


class DirectoryInMemory:
    """`Directory` in a dictionary."""

    def __init__(self) -> None:
        self._ties: dict[tuple[str, str], tuple[MemberTie, ...]] = {}

    def ties(self, tenant: str, subject: str) -> tuple[MemberTie, ...]:
        return self._ties.get((tenant, subject), ())

    def put(self, tenant: str, subject: str, ties: Iterable[MemberTie]) -> None:
        """Replace what is known of a person."""
        self._ties[tenant, subject] = tuple(ties)


class LinkVersionsInMemory:
    """`LinkVersions` in a dictionary."""

    def __init__(self) -> None:
        self._versions: dict[tuple[str, str], int] = {}

    def current(self, tenant: str, receipt: str) -> int:
        return self._versions.get((tenant, receipt), 0)

    def raise_to(self, tenant: str, receipt: str, version: int) -> None:
        self._versions[tenant, receipt] = max(version, self.current(tenant, receipt))


class AnswersInMemory:
    """`Answers` in a dictionary."""

    def __init__(self) -> None:
        self._digests: dict[tuple[str, str], bytes] = {}

    def digest(self, tenant: str, receipt: str) -> bytes | None:
        return self._digests.get((tenant, receipt))

    def put(self, tenant: str, receipt: str, digest: bytes, member: str = "") -> None:
        self._digests[tenant, receipt] = digest


class TriesInMemory:
    """`Tries` in a dictionary."""

    def __init__(self) -> None:
        self._taken: defaultdict[tuple[str, str, int], list[datetime]] = defaultdict(list)
        self._lock = Lock()

    def take(self, tenant: str, receipt: str, version: int, at: datetime) -> bool:
        with self._lock:
            taken = self._taken[tenant, receipt, version]
            recent = sum(1 for when in taken if when > at - WINDOW)
            if len(taken) >= TRIES_OF_LINK_VERSION or recent >= TRIES_IN_WINDOW:
                return False
            taken.append(at)
            return True

    def succeeded(self, tenant: str, receipt: str, version: int) -> None:
        with self._lock:
            self._taken.pop((tenant, receipt, version), None)


def _page(
    kept: Mapping[str, Thing],
    tenant: str,
    environment: Environment,
    after: str,
    limit: int,
    parties: Collection[str] | None,
) -> list[Thing]:
    """Things of a tenant from behind an id, in order; those that act for one of the parties."""
    fit = [
        thing
        for thing in list(kept.values())
        if (thing.tenant, thing.environment) == (tenant, environment)
        and thing.id > after
        and (parties is None or not thing.parties.isdisjoint(parties))
    ]
    return sorted(fit, key=lambda thing: thing.id)[:limit]
