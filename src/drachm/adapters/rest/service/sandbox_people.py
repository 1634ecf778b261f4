"""How does a person log in to a sandbox that has no identity provider yet?

By a token that the operator of the sandbox makes on the command line. It is checked as any provider's would be: its own
issuer, signed with the sandbox's own key, for this service alone. A live service knows no such issuer.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta

from joserfc import jwt

from drachm.adapters.rest.identity.claims import ClaimMap
from drachm.adapters.rest.identity.issuer import SigningKeys
from drachm.adapters.rest.identity.jwks import KeySet
from drachm.adapters.rest.identity.model import Role, Scope
from drachm.adapters.rest.identity.tokens import Provider
from drachm.domain.errors import InvalidMessage

TENANTS = frozenset(str(number) for number in range(1, 1_000))
HOURS_MAX = 24 * 30


ISSUER = "drachm:sandbox"
"""Issuer and audience. Not an address, so that a token is good at whatever port the sandbox listens."""


def sandbox_provider(keys: SigningKeys) -> tuple[Provider, KeySet]:
    """What checks such tokens."""
    claims = ClaimMap(tenants=TENANTS, tenant=("tenant",))
    return Provider(ISSUER, ISSUER, claims), KeySet(keys.published)


def sandbox_token(
    keys: SigningKeys,
    *,
    tenant: int,
    name: str,
    roles: Iterable[Role],
    parties: Iterable[str],
    at: datetime,
    hours: int = 12,
) -> str:
    """A token for one person. Raises InvalidMessage for a life that is too long or a person without a name."""
    if not 0 < hours <= HOURS_MAX:
        raise InvalidMessage(f"a sandbox token ends within {HOURS_MAX} hours", where="hours")
    if not name.isprintable() or not 0 < len(name) <= 100:
        raise InvalidMessage("a person needs a name of at most 100 characters", where="person")
    claims = {
        "iss": ISSUER,
        "aud": ISSUER,
        "sub": name,
        "tenant": str(tenant),
        "roles": sorted(role.value for role in roles),
        "parties": sorted(parties),
        "scope": " ".join(sorted(Scope)),
        "auth_time": int(at.timestamp()),
        "iat": int(at.timestamp()),
        "exp": int((at + timedelta(hours=hours)).timestamp()),
        "jti": secrets.token_hex(16),
    }
    algorithm = keys.algorithm(keys.current)
    header = {"alg": algorithm, "kid": keys.current}
    return jwt.encode(header, claims, keys.pairs[keys.current], algorithms=[algorithm], default_type="at+jwt")
