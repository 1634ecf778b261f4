"""Where are keys, machines, ties and tries kept when there is a database?

The same Protocols as in `memory.py`, over the ports of the application: `Credentials` for what is asked before the
tenant is known or at every call, records of the tenant for what belongs to a member and goes when the member is erased.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import fields
from datetime import datetime
from typing import Any, Final

from drachm.adapters.rest.identity.clients import Client
from drachm.adapters.rest.identity.keys import ApiKey
from drachm.adapters.rest.identity.model import Environment, MemberTie, Relation, Role, Scope
from drachm.adapters.rest.identity.second_factor import TRIES_IN_WINDOW, TRIES_OF_LINK_VERSION, WINDOW
from drachm.application.credentials import Allowance, Credentials, KeptClient, KeptKey
from drachm.application.merges import same_person
from drachm.application.records import Record, Records
from drachm.application.ties import ties_of
from drachm.domain.errors import Conflict, InvalidMessage

ANSWER: Final = "second_answer"
"""Kind of the records that keep what a second question's answer hashes to."""
TRIES: Final = 5
_ALLOWANCE: Final = Allowance(TRIES_IN_WINDOW, WINDOW.total_seconds(), TRIES_OF_LINK_VERSION)

RecordsOf = Callable[[str], Records]
"""The records of a tenant, by its name in credentials."""


class StoredKeys:
    """`KeyStore` over `Credentials`."""

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials

    def version(self) -> int:
        return self._credentials.version("api_key")

    def version_at_once(self) -> int | None:
        return self._credentials.version_at_once("api_key")

    def find(self, key_id: str) -> ApiKey | None:
        kept = self._credentials.key(key_id)
        return None if kept is None else _key(kept)

    def page(
        self, tenant: str, environment: Environment, *, after: str, limit: int, parties: Collection[str] | None
    ) -> list[ApiKey]:
        found = self._credentials.keys(number(tenant), environment.value, after=after, limit=limit, parties=parties)
        return [_key(kept) for kept in found]

    def add(self, key: ApiKey) -> None:
        self._credentials.add_key(_kept_key(key))

    def replace(self, key: ApiKey) -> None:
        self._credentials.end_key(_kept_key(key))

    def rotate(self, old: ApiKey, new: ApiKey) -> None:
        self._credentials.rotate_key(_kept_key(old), _kept_key(new))

    def touch(self, key_id: str, hour: datetime) -> None:
        self._credentials.touch_key(key_id, hour)


class StoredClients:
    """`ClientStore` over `Credentials`."""

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials

    def version(self) -> int:
        return self._credentials.version("client")

    def find(self, client_id: str) -> Client | None:
        kept = self._credentials.client(client_id)
        return None if kept is None else _client(kept)

    def page(
        self, tenant: str, environment: Environment, *, after: str, limit: int, parties: Collection[str] | None
    ) -> list[Client]:
        found = self._credentials.clients(number(tenant), environment.value, after=after, limit=limit, parties=parties)
        return [_client(kept) for kept in found]

    def add(self, client: Client) -> None:
        self._credentials.add_client(_kept_client(client))

    def replace(self, client: Client) -> None:
        self._credentials.change_client(_kept_client(client))


class StoredStatements:
    """`UsedStatements` over `Credentials`."""

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials

    def first_use(self, client_id: str, jti: str, until: datetime) -> bool:
        return self._credentials.first_use(client_id, jti, until)


class StoredDirectory:
    """`Directory` over the records of each tenant, read anew at every question."""

    def __init__(self, records: RecordsOf) -> None:
        self._records = records

    def ties(self, tenant: str, subject: str) -> tuple[MemberTie, ...]:
        records = self._records(tenant)
        return tuple(
            MemberTie(member, Relation(tie.relation), tie.valid_from, tie.valid_until, tie.revoked_at)
            for tie in ties_of(records, subject)
            # Members who were merged are one person: who may see the one sees both, until they are split.
            for member in sorted(same_person(records, tie.member))
        )


class StoredLinkVersions:
    """`LinkVersions` over `Credentials`."""

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials

    def current(self, tenant: str, receipt: str) -> int:
        return self._credentials.link_version(number(tenant), receipt)

    def raise_to(self, tenant: str, receipt: str, version: int) -> None:
        self._credentials.raise_link_version(number(tenant), receipt, version)


class StoredAnswers:
    """`Answers` over the records of each tenant: an erased member's answers go with them."""

    def __init__(self, records: RecordsOf) -> None:
        self._records = records

    def digest(self, tenant: str, receipt: str) -> bytes | None:
        record = self._records(tenant).get(ANSWER, receipt)
        return None if record is None else bytes.fromhex(record.body["digest"])

    def put(self, tenant: str, receipt: str, digest: bytes, member: str = "") -> None:
        records = self._records(tenant)
        members = frozenset({member} if member else ())
        for again in range(TRIES):
            before = records.get(ANSWER, receipt)
            version = before.version if before is not None else 0
            try:
                records.put([Record(ANSWER, receipt, {"digest": digest.hex()}, version, members=members)])
                return
            except Conflict:  # Somebody kept one at the same moment; the later one counts.
                if again == TRIES - 1:
                    raise


class StoredTries:
    """`Tries` over `Credentials`."""

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials

    def take(self, tenant: str, receipt: str, version: int, at: datetime) -> bool:
        return self._credentials.take_try(number(tenant), receipt, version, at, _ALLOWANCE)

    def succeeded(self, tenant: str, receipt: str, version: int) -> None:
        self._credentials.forget_tries(number(tenant), receipt, version)


def number(tenant: str) -> int:
    """The tenant's number behind its name in credentials. Raises InvalidMessage for a name that is none."""
    if not tenant.isascii() or not tenant.isdigit() or not 0 < int(tenant) < 2**31:
        raise InvalidMessage("a tenant is named by its number", where="tenant")
    return int(tenant)


def _kept_key(key: ApiKey) -> KeptKey:
    return KeptKey(**_plain(key))


def _key(kept: KeptKey) -> ApiKey:
    return ApiKey(**_known(kept))


def _kept_client(client: Client) -> KeptClient:
    return KeptClient(**_plain(client))


def _client(kept: KeptClient) -> Client:
    return Client(**_known(kept))


def _plain(thing: ApiKey | Client) -> dict[str, Any]:
    """The same fields with words where identity has enumerations."""
    values = {field.name: getattr(thing, field.name) for field in fields(thing)}
    return values | {
        "tenant": number(thing.tenant),
        "environment": thing.environment.value,
        "roles": frozenset(role.value for role in thing.roles),
        "scopes": frozenset(scope.value for scope in thing.scopes),
    }


def _known(kept: KeptKey | KeptClient) -> dict[str, Any]:
    """And back. A word that is no role or scope any more opens nothing."""
    values = {field.name: getattr(kept, field.name) for field in fields(kept)}
    return values | {
        "tenant": str(kept.tenant),
        "environment": Environment(kept.environment),
        "roles": frozenset(role for role in Role if role.value in kept.roles),
        "scopes": frozenset(scope for scope in Scope if scope.value in kept.scopes),
    }
