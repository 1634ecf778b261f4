"""Who may begin? Keys for machines and, in a sandbox, tokens for people, made on the console of the service."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Final

from drachm.adapters.rest.identity.keyring import Keyring
from drachm.adapters.rest.identity.model import Environment, Kind, Principal, Role, Scope
from drachm.adapters.rest.identity.stored import StoredKeys
from drachm.adapters.rest.service.furnish import peppers_of, signing_keys
from drachm.adapters.rest.service.sandbox_people import sandbox_token
from drachm.bootstrap import SystemIds
from drachm.domain.errors import InvalidMessage
from drachm.service.own_secrets import with_secrets
from drachm.service.together import own_secrets
from drachm.settings import Settings, master_key
from drachm.storage.credentials import PostgresCredentials
from drachm.storage.postgres import open_books
from drachm.storage.register_reading import PostgresRegister

FIRST_TENANT: Final = 1
DAYS: Final = 365
OF_PARTIES: Final = frozenset({Role.CLERK, Role.FINANCE, Role.PRICE_EDITOR, Role.PAYER, Role.FUNDER, Role.INTEGRATOR})
"""Roles that reach only what is a party's."""
_SOME: Final = 10
"""As many parties are named to choose from."""
CONSOLE: Final = "console"
"""Subject of whoever has a shell on this machine: may hand out everything."""


def first_key(settings: Settings) -> str:
    """The operator's key of a sandbox whose first tenant has none; else empty. Makes the tenant where there is none."""
    if settings.environment != Environment.SANDBOX.value:
        return ""
    _make_tenant(settings, FIRST_TENANT)
    with PostgresCredentials(settings.database_url) as credentials:
        if credentials.keys(FIRST_TENANT, settings.environment, limit=1):
            return ""
    return new_key(settings, tenant=FIRST_TENANT, roles=[Role.OPERATOR.value], name="first key")


def new_key(
    settings: Settings,
    *,
    tenant: int,
    roles: Sequence[str],
    parties: Sequence[str] = (),
    name: str = "made on the console",
    days: int = DAYS,
) -> str:
    """A new API key's text. Raises InvalidMessage for a role that machines do not have or a life over 400 days."""
    settings = with_secrets(settings)
    at, environment = datetime.now(UTC), Environment(settings.environment)
    everything = frozenset(Scope)
    console = Principal(
        *(str(tenant), Kind.PERSON, CONSOLE, CONSOLE, environment), frozenset({Role.OPERATOR}), scopes=everything
    )
    rights = (roles_named(roles), frozenset(parties), everything)
    _make_tenant(settings, tenant)
    with PostgresCredentials(settings.database_url) as credentials:
        keyring = Keyring(StoredKeys(credentials), peppers_of(own_secrets(settings)), environment, secrets.token_bytes)
        minted, _ = keyring.issue(console, name, *rights, at + timedelta(days=days), at)
    return minted.text


def person_token(
    settings: Settings,
    *,
    tenant: int,
    name: str,
    roles: Sequence[str],
    parties: Sequence[str] = (),
    hours: int = 12,
) -> str:
    """A token by which a person acts in a sandbox. Raises InvalidMessage in live: there a provider knows people."""
    if settings.environment != Environment.SANDBOX.value:
        raise InvalidMessage(
            "tokens for people are made in a sandbox only",
            where="DRACHM_ENVIRONMENT",
            next_step="Connect an OIDC provider: DRACHM_OIDC_FILE.",
        )
    settings = with_secrets(settings)
    return sandbox_token(
        signing_keys(own_secrets(settings)),
        tenant=tenant,
        name=name,
        roles=roles_named(roles),
        parties=parties,
        at=datetime.now(UTC),
        hours=hours,
    )


def ensure_named(roles: Sequence[str], parties: Sequence[str]) -> None:
    """Raises InvalidMessage for roles that reach nothing without a party, where none is named."""
    named = roles_named(roles)
    if named & OF_PARTIES and not parties:
        words = ", ".join(sorted(role.value for role in named & OF_PARTIES))
        raise InvalidMessage(
            f"{words} acts for a party, and none is named",
            where="--party",
            next_step="Name whom it acts for, as it is registered: --party CLINIC.",
            code="missing_field",
        )


def ensure_registered(settings: Settings, *, tenant: int, parties: Sequence[str]) -> None:
    """Raises InvalidMessage for a party that nobody registered."""
    books = open_books(settings.database_url, tenant, master_key=master_key(settings), ids=SystemIds())
    with closing(books):
        register = PostgresRegister(books.tenant, books.sessions)
        known = {one.id for one in register.parties(ids=sorted(parties), limit=len(parties))}
        some = [one.id for one in register.parties(limit=_SOME)] if set(parties) - known else []
    for party in parties:
        if party not in known:
            choice = f"Registered are, among others: {', '.join(some)}." if some else "Nobody is registered yet."
            raise InvalidMessage(
                f"no party {party[:60]!r} is registered",
                where="--party",
                next_step=f"Register it first (POST /v1/parties with an operator's key), or choose another. {choice}",
                code="unknown_party",
            )


def roles_named(words: Sequence[str]) -> frozenset[Role]:
    """The roles of these words. Raises InvalidMessage for a word that is none."""
    try:
        return frozenset(Role(word) for word in words)
    except ValueError:
        known = ", ".join(role.value for role in Role)
        raise InvalidMessage("there is no such role", where="role", next_step=f"Choose from {known}.") from None


def _make_tenant(settings: Settings, tenant: int) -> None:
    open_books(settings.database_url, tenant, master_key=master_key(settings), ids=SystemIds()).close()
