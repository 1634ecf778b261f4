"""What do the claims of another's token mean here?

Every provider names roles and tenants in its own way. A `ClaimMap` of the settings says where they stand and which
words of theirs are which of ours. A provider vouches only for the tenants it was connected to, whatever its tokens say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from drachm.adapters.rest.identity.errors import Unauthenticated
from drachm.adapters.rest.identity.jose import words_of
from drachm.adapters.rest.identity.model import (
    PERSONAL_ROLES,
    Environment,
    Kind,
    Principal,
    Role,
    Scope,
    roles_of,
    scopes_of,
)
from drachm.domain.errors import InvalidMessage

Path = tuple[str, ...]
"""Names to follow into the claims: ("realm_access", "roles")."""

NAME_LENGTH_MAX = 255


@dataclass(frozen=True, slots=True)
class ClaimMap:
    """Where a provider's tokens say what we need to know."""

    tenants: frozenset[str]
    """Tenants this provider may vouch for."""
    tenant: Path = ()
    """Where the tenant stands; empty: the provider has one tenant, and that is it."""
    roles: Path = ("roles",)
    role_words: Mapping[str, Role] = field(default_factory=lambda: {role.value: role for role in Role})
    """Which words are which roles; others mean nothing here."""
    parties: Path = ("parties",)
    scopes: Path | None = ("scope",)
    """Where scopes stand; None: the provider does not know ours, and roles alone limit what its people may do."""
    person_signs: tuple[str, ...] = ("auth_time", "amr", "acr", "sid")
    """Claims that only a login of a human being brings. Without any of them the caller counts as a machine: a machine
    taken for a person could agree to a payout, a person taken for a machine is only refused."""

    def __post_init__(self) -> None:
        if not self.tenants or (not self.tenant and len(self.tenants) != 1):
            raise InvalidMessage(
                "which tenant this provider speaks for is not said",
                where="tenants",
                next_step="Name its tenants and the claim that holds them, or exactly one tenant.",
            )


def principal_of(claims: Mapping[str, Any], by: ClaimMap, issuer: str, environment: Environment) -> Principal:
    """Who these verified claims are about. Raises Unauthenticated `token_untrusted` without a subject or a tenant of
    this provider. Ties to members are not in the token: they are read from our own records, where they can be revoked.
    """
    subject = claims.get("sub")
    tenant = _at(claims, by.tenant) if by.tenant else next(iter(by.tenants))
    if not _plain(subject) or not isinstance(tenant, str) or tenant not in by.tenants:
        raise Unauthenticated("token_untrusted")
    person = any(claims.get(sign) for sign in by.person_signs) and subject not in (
        claims.get("client_id"),
        claims.get("azp"),
    )
    roles = roles_of(by.role_words[word] for word in words_of(_at(claims, by.roles)) if word in by.role_words)
    return Principal(
        tenant=tenant,
        kind=Kind.PERSON if person else Kind.MACHINE,
        subject=f"{issuer}|{subject}",
        credential=issuer,
        environment=environment,
        roles=roles if person else roles - PERSONAL_ROLES,
        parties=frozenset(filter(_plain, words_of(_at(claims, by.parties)))),
        scopes=frozenset(Scope) if by.scopes is None else scopes_of(words_of(_at(claims, by.scopes))),
    )


def _plain(word: object) -> bool:
    """True for a name that a database can look for: no control characters, no lone surrogates, of sensible length."""
    return isinstance(word, str) and 0 < len(word) <= NAME_LENGTH_MAX and word.isprintable()


def _at(claims: Mapping[str, Any], path: Path) -> object:
    found: object = claims
    for name in path:
        found = found.get(name) if isinstance(found, Mapping) else None
    return found
