"""Who may knock, for all tenants: keys, machines, statements that were used, versions of links, tries at an answer.

Roles, scopes and environments are words here; what they mean is the interface's business. A key or a machine is looked
up by its id before anybody knows which tenant it belongs to; everything else names the tenant.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol

Kind = Literal["api_key", "client"]


@dataclass(frozen=True, slots=True)
class KeptKey:
    """What is kept of an API key: everything but the key."""

    id: str
    tenant: int
    environment: str
    name: str
    digest: bytes = field(repr=False)
    """Keyed hash of the whole key."""
    pepper: str
    """Name of the secret it was hashed with."""
    roles: frozenset[str]
    parties: frozenset[str]
    scopes: frozenset[str]
    created_at: datetime
    created_by: str
    expires_at: datetime
    revoked_at: datetime | None = None
    replaces: str = ""
    """Id of the key whose rotation made this one."""
    last_used_hour: datetime | None = None


@dataclass(frozen=True, slots=True)
class KeptClient:
    """A machine that signs."""

    id: str
    tenant: int
    environment: str
    name: str
    roles: frozenset[str]
    parties: frozenset[str]
    scopes: frozenset[str]
    keys: Mapping[str, Any] = field(repr=False)
    """Its public keys, a JWK Set."""
    created_at: datetime
    created_by: str
    generation: int = 1
    """Grows with every change."""
    disabled_at: datetime | None = None


class Credentials(Protocol):
    """One store for all processes of the service."""

    def version(self, kind: Kind) -> int:
        """Grows with every key or machine of any tenant that is revoked, shortened or changed. Costs nothing: it is
        followed in the background, and what it says is at most a second old. Raises Unavailable when it would be older.
        """

    def version_at_once(self, kind: Kind) -> int | None:
        """The same, and never waits: None when it would have to ask."""

    def key(self, id: str) -> KeptKey | None:
        """A key of any tenant."""

    def keys(
        self,
        tenant: int,
        environment: str,
        *,
        after: str = "",
        limit: int = 100,
        parties: Collection[str] | None = None,
    ) -> list[KeptKey]:
        """Keys of a tenant in order of id, from behind `after`; `parties` narrows to keys that act for one of them."""

    def add_key(self, key: KeptKey) -> None:
        """Raises Conflict when the id is taken."""

    def end_key(self, key: KeptKey) -> None:
        """Write when the key ends; an end only ever comes nearer."""

    def rotate_key(self, old: KeptKey, new: KeptKey) -> None:
        """Shorten `old` and add `new`, together. Raises Conflict when `old` was rotated already, or was revoked."""

    def touch_key(self, id: str, hour: datetime) -> None:
        """Remember the hour of the last use, some time soon; may be lost with the process."""

    def client(self, id: str) -> KeptClient | None:
        """A machine of any tenant."""

    def clients(
        self,
        tenant: int,
        environment: str,
        *,
        after: str = "",
        limit: int = 100,
        parties: Collection[str] | None = None,
    ) -> list[KeptClient]:
        """Machines of a tenant, as `keys`."""

    def add_client(self, client: KeptClient) -> None:
        """Raises Conflict when the id is taken."""

    def change_client(self, client: KeptClient) -> None:
        """Write the machine's next generation; one that is disabled stays so. Raises Conflict (code `version`) when its
        generation is not the one behind the newest, unless it is disabled thereby: that always succeeds."""

    def first_use(self, client: str, jti: str, until: datetime) -> bool:
        """Remember a machine's statement until it has ended; False when it was used before. Of two calls at the same
        moment only one gets True."""

    def link_version(self, tenant: int, receipt: str) -> int:
        """The version that links to a receipt must have; 0 at first."""

    def raise_link_version(self, tenant: int, receipt: str, version: int) -> None:
        """Never lowers."""

    def take_try(self, tenant: int, receipt: str, version: int, at: datetime, allowance: Allowance) -> bool:
        """Count one try at the second question and say whether it was allowed; of many at the same moment no more than
        the allowance are."""

    def forget_tries(self, tenant: int, receipt: str, version: int) -> None:
        """Begin anew."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """How often somebody may try."""

    in_window: int
    window_seconds: float
    in_all: int
    """At most 10."""
