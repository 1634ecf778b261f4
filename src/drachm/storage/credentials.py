"""Where are keys, machines and what hangs on them kept, for all tenants of a database?"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from typing import Any, Final, Self

import msgspec

from drachm.application.credentials import Allowance, KeptClient, KeptKey, Kind
from drachm.application.ports import ConstraintFired
from drachm.domain.errors import Conflict, DrachmError, InvalidMessage
from drachm.storage import queries
from drachm.storage.arrays import Texts, texts
from drachm.storage.session import Connection, Sessions
from drachm.storage.watched import Watched

SWEEP_SECONDS: Final = 60
TOUCHED_MAX: Final = 10_000
"""Keys whose last use waits to be written."""
WAIT_SECONDS: Final = 2.0
"""How long whoever knocks waits for a database that does not answer."""
NOBODY: Final = 0
"""No tenant has this number: row security shows nothing but the one row that is named."""

_SQL: Final = queries.load("credentials")


class PostgresCredentials:
    """`Credentials` in PostgreSQL. Safe to use from several threads; close it when done."""

    def __init__(self, url: str) -> None:
        self._sessions = Sessions(url, NOBODY, wait_seconds=WAIT_SECONDS)
        self._watched = Watched(self._versions, self._chores)
        self._touched: dict[str, datetime] = {}
        self._lock = threading.Lock()
        self._swept_at = float("-inf")

    def version(self, kind: Kind) -> int:
        return self._watched.get(kind)

    def version_at_once(self, kind: Kind) -> int | None:
        return self._watched.at_once(kind)

    def key(self, id: str) -> KeptKey | None:
        rows = self._named("find_key", id)
        return _key(rows[0]) if rows else None

    def keys(
        self,
        tenant: int,
        environment: str,
        *,
        after: str = "",
        limit: int = 100,
        parties: Collection[str] | None = None,
    ) -> list[KeptKey]:
        return [_key(row) for row in self._list("list_keys", tenant, environment, after, limit, parties)]

    def add_key(self, key: KeptKey) -> None:
        with _kept("key", key.id), self._sessions.transaction("registrar", key.tenant) as conn:
            _ask(conn, "add_key", **_of_key(key))

    def end_key(self, key: KeptKey) -> None:
        with _kept("key", key.id), self._sessions.transaction("registrar", key.tenant) as conn:
            _ask(conn, "end_key", **_of_key(key))
            version = _raise_version(conn, "api_key")
        self._watched.learned("api_key", version)

    def rotate_key(self, old: KeptKey, new: KeptKey) -> None:
        with _kept("key", old.id), self._sessions.transaction("registrar", old.tenant) as conn:
            if not _ask(conn, "shorten_key", **_of_key(old)):
                raise Conflict("this key has ended", where=old.id, next_step="Make a new key.")
            _ask(conn, "add_key", **_of_key(new))
            version = _raise_version(conn, "api_key")
        self._watched.learned("api_key", version)

    def touch_key(self, id: str, hour: datetime) -> None:
        with self._lock:
            if len(self._touched) < TOUCHED_MAX:
                self._touched[id] = max(hour, self._touched.get(id, hour))

    def client(self, id: str) -> KeptClient | None:
        rows = self._named("find_client", id)
        return _client(rows[0]) if rows else None

    def clients(
        self,
        tenant: int,
        environment: str,
        *,
        after: str = "",
        limit: int = 100,
        parties: Collection[str] | None = None,
    ) -> list[KeptClient]:
        return [_client(row) for row in self._list("list_clients", tenant, environment, after, limit, parties)]

    def add_client(self, client: KeptClient) -> None:
        with _kept("client", client.id), self._sessions.transaction("registrar", client.tenant) as conn:
            _ask(conn, "add_client", **_of_client(client))

    def change_client(self, client: KeptClient) -> None:
        with _kept("client", client.id), self._sessions.transaction("registrar", client.tenant) as conn:
            if not _ask(conn, "change_client", **_of_client(client)):
                raise Conflict(
                    "this machine was changed meanwhile",
                    where=client.id,
                    next_step="Read it again, then decide again.",
                    code="version",
                )
            version = _raise_version(conn, "client")
        self._watched.learned("client", version)

    def first_use(self, client: str, jti: str, until: datetime) -> bool:
        values = {"client": _digest(client), "jti": _digest(jti), "until": until}
        with self._sessions.transaction("registrar") as conn:
            return bool(_ask(conn, "first_use", **values))

    def link_version(self, tenant: int, receipt: str) -> int:
        with self._sessions.transaction("reader", tenant) as conn:
            rows = _ask(conn, "link_version", tenant=tenant, receipt=receipt)
        return int(rows[0][0]) if rows else 0

    def raise_link_version(self, tenant: int, receipt: str, version: int) -> None:
        with _kept("receipt", receipt), self._sessions.transaction("registrar", tenant) as conn:
            _ask(conn, "raise_link_version", tenant=tenant, receipt=receipt, version=version)

    def take_try(self, tenant: int, receipt: str, version: int, at: datetime, allowance: Allowance) -> bool:
        values = {
            "at": at,
            "since": at - timedelta(seconds=allowance.window_seconds),
            "in_window": allowance.in_window,
            "in_all": allowance.in_all,
        }
        with _kept("receipt", receipt), self._sessions.transaction("registrar", tenant) as conn:
            return bool(_ask(conn, "take_try", tenant=tenant, receipt=receipt, version=version, **values))

    def forget_tries(self, tenant: int, receipt: str, version: int) -> None:
        with self._sessions.transaction("registrar", tenant) as conn:
            _ask(conn, "forget_tries", tenant=tenant, receipt=receipt, version=version)

    def close(self) -> None:
        """Write what waits, and let go of the connections."""
        self._watched.close()
        if self._watched.is_fresh:  # A database that went away is no reason to hold up an end.
            with suppress(DrachmError):
                self._write_touched()
        self._sessions.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _named(self, query: str, id: str) -> list[Any]:
        """One row by its id, whosever it is."""
        if not id or "\0" in id or not id.isascii():
            return []
        with self._sessions.transaction("reader") as conn:
            _ask(conn, "name_credential", id=id)
            return _ask(conn, query, id=id)

    def _list(
        self, query: str, tenant: int, environment: str, after: str, limit: int, parties: Collection[str] | None
    ) -> list[Any]:
        page = {"after": after, "limit": limit, "narrowed": parties is not None, "parties": _words(parties or ())}
        with self._sessions.transaction("reader", tenant) as conn:
            return _ask(conn, query, tenant=tenant, environment=environment, **page)

    def _versions(self) -> Mapping[str, int]:
        with self._sessions.transaction("reader") as conn:
            return {kind: int(version) for kind, version in _ask(conn, "versions")}

    def _chores(self) -> None:
        self._write_touched()
        if time.monotonic() - self._swept_at > SWEEP_SECONDS:
            self._swept_at = time.monotonic()
            with self._sessions.transaction("registrar") as conn:
                _ask(conn, "sweep_statements")

    def _write_touched(self) -> None:
        with self._lock:
            touched, self._touched = self._touched, {}
        for name, hour in touched.items():
            key = self.key(name)
            if key is not None:
                with self._sessions.transaction("registrar", key.tenant) as conn:
                    _ask(conn, "touch_key", tenant=key.tenant, id=name, hour=hour)


@contextmanager
def _kept(thing: str, name: str) -> Iterator[None]:
    """Says what the database's no to a key, a machine or a receipt means."""
    try:
        yield
    except ConstraintFired as refusal:
        if refusal.where in ("api_key_pkey", "client_pkey"):
            raise Conflict(f"this {thing} id is taken", where=name) from None
        if refusal.where == "api_key_replaces_key":
            raise Conflict("this key was rotated already", where=name) from None
        raise InvalidMessage(f"the {thing} cannot be kept: {refusal.message}", where=refusal.where) from None
    except UnicodeEncodeError:
        raise InvalidMessage(f"the {thing} cannot be kept: a text holds half a character", where=thing) from None


def _ask(conn: Connection, query: str, **values: object) -> list[Any]:
    cursor = conn.execute(_SQL[query], values, binary=True)
    return cursor.fetchall() if cursor.description else []


def _raise_version(conn: Connection, kind: Kind) -> int:
    version: int = _ask(conn, "raise_version", kind=kind)[0][0]
    return version


def _digest(text: str) -> bytes:
    # Half a character, which no database takes, is still a text that was used.
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def _words(words: Collection[str]) -> Texts:
    return texts(sorted(words))


def _of_key(key: KeptKey) -> dict[str, Any]:
    values = {name: getattr(key, name) for name in KeptKey.__dataclass_fields__}
    return values | {name: _words(values[name]) for name in ("roles", "parties", "scopes")}


def _key(row: tuple[Any, ...]) -> KeptKey:
    return KeptKey(**_fields(row, tuple(KeptKey.__dataclass_fields__)))


def _of_client(client: KeptClient) -> dict[str, Any]:
    values = {name: getattr(client, name) for name in KeptClient.__dataclass_fields__}
    values |= {name: _words(values[name]) for name in ("roles", "parties", "scopes")}
    return values | {"keys": msgspec.json.encode(client.keys).decode()}


def _client(row: tuple[Any, ...]) -> KeptClient:
    return KeptClient(**_fields(row, tuple(KeptClient.__dataclass_fields__)))


def _fields(row: tuple[Any, ...], names: tuple[str, ...]) -> dict[str, Any]:
    """A row by the names of its columns, which stand in the order of the fields."""
    values = dict(zip(names, row, strict=True))
    return values | {name: frozenset(values[name]) for name in ("roles", "parties", "scopes")}
