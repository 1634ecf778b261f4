"""How does a machine prove who it is at our token endpoint?

It signs a short statement with its own private key (private_key_jwt: RFC 7523 section 3, OpenID Connect Core 9); we
hold only public keys. Each statement works once: its `jti` is remembered until the statement has ended.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from drachm.adapters.rest.identity.errors import TokenRefused
from drachm.adapters.rest.identity.jose import (
    PublicKey,
    Unreadable,
    Unverified,
    check_signature,
    moment,
    public_keys,
    seconds,
    take_apart,
    texts_of,
)
from drachm.adapters.rest.identity.keyring import may_issue
from drachm.adapters.rest.identity.model import Environment, Kind, Principal, Role, Scope
from drachm.domain.errors import InvalidMessage

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ASSERTION_SECONDS_MAX = 300
SKEW_SECONDS = 30
JTI_LENGTH_MAX = 200
KEYS_MAX = 10
# ES384 and RS384 are what SMART backend services sign with.
ASSERTION_ALGORITHMS = frozenset({"ES256", "ES384", "PS256", "RS256", "RS384", "EdDSA", "Ed25519"})
CLIENT_ID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
ASSERTION_TYPES = frozenset({"", "jwt", "client-authentication+jwt"})


@dataclass(frozen=True, slots=True)
class Client:
    """A machine that signs; what it may do stands here, not in its statements."""

    id: str
    tenant: str
    environment: Environment
    name: str
    roles: frozenset[Role]
    parties: frozenset[str]
    scopes: frozenset[Scope]
    keys: Mapping[str, Any] = field(repr=False)
    """Its public keys as a JWK Set."""
    created_at: datetime
    created_by: str
    generation: int = 1
    """Grows when keys or rights change: tokens of an earlier generation end at once."""
    disabled_at: datetime | None = None

    def principal(self, scopes: frozenset[Scope]) -> Principal:
        """The machine, limited to what its token was given."""
        return Principal(
            tenant=self.tenant,
            kind=Kind.MACHINE,
            subject=f"client:{self.id}",
            credential=self.id,
            environment=self.environment,
            roles=self.roles,
            parties=self.parties,
            scopes=scopes & self.scopes,
        )


class ClientStore(Protocol):
    """Where machines are kept. `version` grows with every change of one, in the same transaction."""

    def version(self) -> int: ...

    def find(self, client_id: str) -> Client | None: ...

    def page(
        self, tenant: str, environment: Environment, *, after: str, limit: int, parties: Collection[str] | None
    ) -> list[Client]:
        """Machines of a tenant in order of id, from behind `after`; `parties` narrows to those that act for one."""
        ...

    def add(self, client: Client) -> None: ...

    def replace(self, client: Client) -> None: ...


class UsedStatements(Protocol):
    """Which statements were used already, shared by all processes of the service."""

    def first_use(self, client_id: str, jti: str, until: datetime) -> bool:
        """Remember a statement until it has ended; False when it was used before. One step: two calls at the same
        moment never both get True."""
        ...


def registered_keys(document: object) -> dict[str, PublicKey]:
    """The keys of a JWK Set that a machine's owner registers. Raises InvalidMessage unless every one can be used: here,
    unlike with a provider, somebody is there to correct it."""
    entries = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(entries, list) or not 1 <= len(entries) <= KEYS_MAX:
        raise InvalidMessage(f"a JWK Set with 1 to {KEYS_MAX} keys is needed", where="keys")
    for index, entry in enumerate(entries):
        if not isinstance(entry, dict) or not isinstance(entry.get("kid"), str) or not entry["kid"]:
            raise InvalidMessage("a key needs an id", where=f"keys[{index}].kid")
        if {"d", "p", "q", "dp", "dq", "qi", "oth", "k"} & entry.keys():
            raise InvalidMessage(
                "this is a private key",
                where=f"keys[{index}]",
                next_step="Make a new key pair, as this one was shown; register its public half only.",
            )
    keys = public_keys(document)
    if len(keys) != len(entries):
        raise InvalidMessage("a key cannot be used, or two have the same id", where="keys")
    return keys


def register(store: ClientStore, by: Principal, client: Client) -> Client:
    """Add a machine. Raises InvalidMessage for keys that cannot be used and for rights that `may_issue` denies."""
    denial = may_issue(by, client.roles, client.parties, client.scopes)
    if denial is not None or (client.tenant, client.environment) != (by.tenant, by.environment):
        raise InvalidMessage(
            "a machine cannot do more than whoever registers it, and is nobody's personal login",
            where="roles, parties, scopes",
            code=denial.code if denial is not None else "not_related",
        )
    registered_keys(client.keys)
    store.add(client)
    return client


def changed_keys(store: ClientStore, by: Principal, client: Client, keys: Mapping[str, Any]) -> Client:
    """Replace a machine's public keys; its tokens end at once.

    Whoever holds the private half can act as the machine, so they must hold its rights. Raises InvalidMessage.
    """
    if by.credential != client.id and may_issue(by, client.roles, client.parties, client.scopes) is not None:
        raise InvalidMessage("this machine can do more than you can", where=client.id, code="role_missing")
    registered_keys(keys)
    changed = replace(client, keys=keys, generation=client.generation + 1)
    store.replace(changed)
    return changed


def disabled(store: ClientStore, client: Client, at: datetime) -> Client:
    """End a machine now; its tokens end with it."""
    ended = replace(client, disabled_at=client.disabled_at or at, generation=client.generation + 1)
    store.replace(ended)
    return ended


class Assertions:
    """Checks the statements of machines for one token endpoint."""

    def __init__(
        self, store: ClientStore, used: UsedStatements, audiences: frozenset[str], environment: Environment
    ) -> None:
        self._store = store
        self._used = used
        self._audiences = audiences
        self._environment = environment

    def verify(self, text: str, at: datetime, client_id: str = "") -> Client:
        """The machine that made this statement, once. Raises TokenRefused `invalid_client`, the same for every reason
        that depends on which machines there are."""
        try:
            token = take_apart(text)
            name = token.claims.get("sub")
            client = self._store.find(name) if isinstance(name, str) and CLIENT_ID.fullmatch(name) else None
            if client is None or client.disabled_at is not None or client.environment is not self._environment:
                raise Unreadable("unknown client")
            until = self._check(token, client, at, client_id)
        except Unreadable as error:
            raise _refused() from error
        if not self._used.first_use(client.id, str(token.claims["jti"]), until):
            raise _refused()
        return client

    def _check(self, token: Unverified, client: Client, at: datetime, client_id: str) -> datetime:
        key = public_keys(client.keys).get(token.key_id)
        if key is None or token.type not in ASSERTION_TYPES:
            raise Unreadable("unknown key")
        claims = check_signature(token, key, ASSERTION_ALGORITHMS)
        if claims.get("iss") != client.id or client_id not in ("", client.id):
            raise Unreadable("issuer and subject are the client")
        # One audience, and it is us: a statement that is also good elsewhere could be carried here from there.
        audience = texts_of(claims.get("aud"))
        if len(audience) != 1 or audience[0] not in self._audiences:
            raise Unreadable("meant for somebody else")
        jti = claims.get("jti")
        if not isinstance(jti, str) or not 1 <= len(jti) <= JTI_LENGTH_MAX:
            raise Unreadable("no id of its own")
        return _until(claims, at)


def _until(claims: Mapping[str, Any], at: datetime) -> datetime:
    now = seconds(at)
    ends, begins, issued = (moment(claims, name) for name in ("exp", "nbf", "iat"))
    if ends is None or not now - SKEW_SECONDS < ends <= now + ASSERTION_SECONDS_MAX + SKEW_SECONDS:
        raise Unreadable("ended, or too long")
    if max(begins or 0.0, issued or 0.0) > now + SKEW_SECONDS:
        raise Unreadable("not yet valid")
    return datetime.fromtimestamp(ends, UTC) + timedelta(seconds=SKEW_SECONDS)


def _refused() -> TokenRefused:
    return TokenRefused(
        "invalid_client",
        "the client assertion does not prove a client of this service",
        next_step=(
            "Sign a new statement with a registered key: iss and sub the client id, aud this endpoint, a fresh jti, "
            f"exp within {ASSERTION_SECONDS_MAX} seconds."
        ),
    )
