"""Is this API key good, and who may make, replace or revoke one?

Checking costs one HMAC and one look into a bounded memory; the store is asked for keys that were not seen lately. The
store counts its revocations: when the count has changed, nothing remembered holds any longer, so a revoked key is
refused from the next call on, in every process.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol

from drachm.adapters.rest.identity.bounded import Proved
from drachm.adapters.rest.identity.decide import Deny
from drachm.adapters.rest.identity.errors import Unauthenticated
from drachm.adapters.rest.identity.keys import ApiKey, Minted, Peppers, mint, read_key
from drachm.adapters.rest.identity.model import PERSONAL_ROLES, Environment, Principal, Role, Scope
from drachm.domain.errors import Conflict, InvalidMessage

LIFETIME_MAX = timedelta(days=400)
OVERLAP_MAX = timedelta(days=7)
REMEMBERED = 4096
REMEMBERED_FOR = timedelta(minutes=10)


class KeyStore(Protocol):
    """Where keys are kept. `version` grows with every key that is revoked or shortened, in the same transaction."""

    def version(self) -> int:
        """Cheap: asked at every call."""
        ...

    def version_at_once(self) -> int | None:
        """The same without waiting for anybody; None where that is not possible."""
        ...

    def find(self, key_id: str) -> ApiKey | None: ...

    def page(
        self, tenant: str, environment: Environment, *, after: str, limit: int, parties: Collection[str] | None
    ) -> list[ApiKey]:
        """Keys of a tenant in order of id, from behind `after`; `parties` narrows to keys that act for one of them."""
        ...

    def add(self, key: ApiKey) -> None:
        """Raises Conflict when the id is taken."""
        ...

    def replace(self, key: ApiKey) -> None:
        """Write what changed of a key and grow `version`."""
        ...

    def rotate(self, old: ApiKey, new: ApiKey) -> None:
        """Shorten the old key and add the new one, together; raises Conflict when the old one was rotated already."""
        ...

    def touch(self, key_id: str, hour: datetime) -> None:
        """Remember the hour of the last use; does not grow `version`."""
        ...


class Keyring:
    """Checks keys for one service, which serves one environment."""

    def __init__(
        self,
        store: KeyStore,
        peppers: Peppers,
        environment: Environment,
        random_bytes: Callable[[int], bytes],
        remembered: int = REMEMBERED,
    ) -> None:
        self._store = store
        self._peppers = peppers
        self._environment = environment
        self._random_bytes = random_bytes
        self._proved: Proved[bytes, ApiKey] = Proved(remembered)
        self._touched: Proved[str, datetime] = Proved(remembered)

    def verify(self, text: str, at: datetime) -> Principal:
        """Who this key stands for. Raises Unauthenticated with the reason; that a key was revoked or has expired is
        told only to whoever holds the whole key."""
        environment, key_id = read_key(text)
        if environment is not self._environment:
            raise Unauthenticated("wrong_environment")
        version = self._store.version()
        fingerprint = self._peppers.digest(text, self._peppers.current)
        key = self._proved.get(fingerprint, version, at)
        if key is None:
            key = self._prove(text, key_id)
            self._proved.put(fingerprint, key, version, at + REMEMBERED_FOR)
        if key.revoked_at is not None:
            raise Unauthenticated("api_key_revoked")
        if at >= key.expires_at:
            raise Unauthenticated("api_key_expired")
        self._touch(key_id, at)
        return key.principal

    def at_once(self, text: str, at: datetime) -> Principal | None:
        """As `verify`, from memory alone: never waits. None where memory does not say that the key is good."""
        environment, key_id = read_key(text)
        version = self._store.version_at_once()
        if environment is not self._environment or version is None:
            return None
        key = self._proved.get(self._peppers.digest(text, self._peppers.current), version, at)
        if key is None or key.revoked_at is not None or at >= key.expires_at:
            return None
        self._touch(key_id, at)
        return key.principal

    def _prove(self, text: str, key_id: str) -> ApiKey:
        key = self._store.find(key_id)
        pepper = key.pepper if key is not None and key.pepper in self._peppers.secrets else self._peppers.current
        kept = key.digest if key is not None else bytes(32)
        # The same work for an id that is not there, so that time does not tell which ids are.
        same = hmac.compare_digest(self._peppers.digest(text, pepper), kept)
        if key is None or not same or key.environment is not self._environment:
            raise Unauthenticated("api_key_unknown")
        return key

    def _touch(self, key_id: str, at: datetime) -> None:
        hour = at.replace(minute=0, second=0, microsecond=0)
        if self._touched.get(key_id, 0, at) != hour:
            self._touched.put(key_id, hour, 0, hour + timedelta(hours=1))
            self._store.touch(key_id, hour)

    def find(self, key_id: str) -> ApiKey | None:
        """What is kept of a key, of any tenant."""
        return self._store.find(key_id)

    def page(self, tenant: str, *, after: str, limit: int, parties: Collection[str] | None) -> list[ApiKey]:
        """Keys of a tenant in order of id, from behind `after`; `parties` narrows to keys that act for one of them."""
        return self._store.page(tenant, self._environment, after=after, limit=limit, parties=parties)

    def issue(
        self,
        by: Principal,
        name: str,
        roles: frozenset[Role],
        parties: frozenset[str],
        scopes: frozenset[Scope],
        expires_at: datetime,
        at: datetime,
    ) -> tuple[Minted, ApiKey]:
        """Make a key; its text is in the answer and nowhere else.

        Raises InvalidMessage for rights that `may_issue` denies and for an end that is past or too far away.
        """
        denial = may_issue(by, roles, parties, scopes)
        if denial is not None:
            raise InvalidMessage(
                "a key cannot do more than whoever makes it, and is nobody's personal login",
                where="roles, parties, scopes",
                code=denial.code,
            )
        if not at < expires_at <= at + LIFETIME_MAX:
            raise InvalidMessage(f"a key ends within {LIFETIME_MAX.days} days", where="expires_at")
        minted = mint(self._environment, self._random_bytes)
        key = self._kept(minted, by.tenant, name, (roles, parties, scopes), at, by.subject, expires_at)
        self._store.add(key)
        return minted, key

    def rotate(self, by: Principal, old: ApiKey, overlap: timedelta, at: datetime) -> tuple[Minted, ApiKey]:
        """The key that follows, with the same rights and the same length of life; the old one lasts for the overlap.

        Whoever rotates sees the new key, so they must hold its rights. Raises InvalidMessage or Conflict.
        """
        if by.credential != old.id and may_issue(by, old.roles, old.parties, old.scopes) is not None:
            raise InvalidMessage("this key can do more than you can", where=old.id, code="role_missing")
        if by.tenant != old.tenant or not timedelta(0) <= overlap <= OVERLAP_MAX:
            raise InvalidMessage(f"the overlap is between none and {OVERLAP_MAX.days} days", where="overlap")
        if old.revoked_at is not None or at >= old.expires_at:
            raise Conflict("this key has ended", where=old.id, next_step="Make a new key.")
        minted = mint(self._environment, self._random_bytes)
        end = at + min(old.expires_at - old.created_at, LIFETIME_MAX)
        rights = (old.roles, old.parties, old.scopes)
        new = replace(self._kept(minted, old.tenant, old.name, rights, at, by.subject, end), replaces=old.id)
        self._store.rotate(replace(old, expires_at=min(old.expires_at, at + overlap)), new)
        return minted, new

    def revoke(self, key: ApiKey, at: datetime) -> ApiKey:
        """End a key now; a key that was revoked stays as it is."""
        if key.revoked_at is not None:
            return key
        ended = replace(key, revoked_at=at)
        self._store.replace(ended)
        return ended

    def _kept(
        self,
        minted: Minted,
        tenant: str,
        name: str,
        rights: tuple[frozenset[Role], frozenset[str], frozenset[Scope]],
        at: datetime,
        maker: str,
        expires_at: datetime,
    ) -> ApiKey:
        pepper = self._peppers.current
        digest = self._peppers.digest(minted.text, pepper)
        roles, parties, scopes = rights
        return ApiKey(
            minted.id,
            tenant,
            self._environment,
            name,
            digest,
            pepper,
            roles,
            parties,
            scopes,
            created_at=at,
            created_by=maker,
            expires_at=expires_at,
        )


def may_issue(by: Principal, roles: frozenset[Role], parties: frozenset[str], scopes: frozenset[Scope]) -> Deny | None:
    """Whether somebody may hand out these rights to a machine: None, or why not.

    An operator may give any role of a machine in their tenant, but no scope they lack; anybody else only what they are.
    """
    if roles & PERSONAL_ROLES or not roles:
        return Deny("role_missing")
    if not scopes <= by.scopes:
        return Deny("scope_missing")
    if Role.OPERATOR in by.roles:
        return None
    if not roles <= by.roles:
        return Deny("role_missing")
    return None if parties <= by.parties else Deny("not_related")
