"""Is this access token of an OIDC provider good, and who is its bearer here?

Checked, in this order: form, issuer, algorithm and key, signature, type, audience, times, tenant. The order matters for
what is told: nothing about times or tenants before the signature holds.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from drachm.adapters.rest.identity.bounded import Proved
from drachm.adapters.rest.identity.claims import ClaimMap, principal_of
from drachm.adapters.rest.identity.errors import Unauthenticated
from drachm.adapters.rest.identity.jose import (
    Unreadable,
    Unverified,
    allowed_algorithms,
    check_signature,
    moment,
    seconds,
    take_apart,
    texts_of,
)
from drachm.adapters.rest.identity.jwks import KeySet
from drachm.adapters.rest.identity.model import PERSONAL_ROLES, Directory, Environment, Principal
from drachm.domain.errors import InvalidMessage

SKEW_SECONDS_MAX = 120
REMEMBERED = 4096
REMEMBERED_FOR = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Provider:
    """One OIDC provider that the operator has connected."""

    issuer: str
    audience: str
    """What a token must be meant for: this service."""
    claims: ClaimMap
    algorithms: frozenset[str] = frozenset({"RS256", "PS256", "ES256", "EdDSA", "Ed25519"})
    types: frozenset[str] = frozenset({"at+jwt"})
    """Values of `typ` taken, in lower case (RFC 9068 section 2.1). Some providers send `jwt`: then an ID token for the
    same audience would pass too, so an audience of our own is needed."""
    skew_seconds: int = 30
    """How far the provider's clock may be off ours."""

    def __post_init__(self) -> None:
        allowed_algorithms(self.algorithms)
        if not self.issuer or not self.audience or not self.types:
            raise InvalidMessage("issuer, audience and types are needed", where="identity provider")
        if not 0 <= self.skew_seconds <= SKEW_SECONDS_MAX:
            raise InvalidMessage(f"a skew is at most {SKEW_SECONDS_MAX} seconds", where="skew_seconds")


class Tokens:
    """Checks the tokens of all connected providers for one service."""

    def __init__(
        self,
        providers: Mapping[str, tuple[Provider, KeySet]],
        directory: Directory,
        environment: Environment,
        remembered: int = REMEMBERED,
    ) -> None:
        self._providers = {issuer: pair for issuer, pair in providers.items() if pair[0].issuer == issuer}
        if len(self._providers) != len(providers):
            raise InvalidMessage("a provider stands under another issuer's name", where="identity providers")
        self._directory = directory
        self._environment = environment
        self._proved: Proved[bytes, Principal] = Proved(remembered)

    def verify(self, token: Unverified, at: datetime) -> Principal:
        """Who this token stands for, with what our own records say of their ties to members.

        Raises Unauthenticated with the reason, Unavailable when the provider's keys cannot be had.
        """
        fingerprint = hashlib.sha256(token.text.encode("ascii")).digest()
        principal = self._proved.get(fingerprint, 0, at)
        if principal is None:
            principal, until = self._prove(token, at)
            self._proved.put(fingerprint, principal, 0, min(until, at + REMEMBERED_FOR))
        if not principal.roles & PERSONAL_ROLES:
            return principal
        return replace(principal, members=self._directory.ties(principal.tenant, principal.subject))

    def _prove(self, token: Unverified, at: datetime) -> tuple[Principal, datetime]:
        issuer = token.claims.get("iss")
        if not isinstance(issuer, str) or issuer not in self._providers:
            raise Unauthenticated("token_untrusted")
        provider, keys = self._providers[issuer]
        if token.algorithm not in provider.algorithms or token.type not in provider.types:
            raise Unauthenticated("token_untrusted")
        key = keys.find(token.key_id, token.algorithm)
        if key is None:
            raise Unauthenticated("token_untrusted")
        try:
            claims = check_signature(token, key, provider.algorithms)
        except Unreadable as error:
            raise Unauthenticated("token_untrusted") from error
        if provider.audience not in texts_of(claims.get("aud")):
            raise Unauthenticated("token_untrusted")
        until = check_times(claims, at, provider.skew_seconds)
        return principal_of(claims, provider.claims, issuer, self._environment), until


def read_token(text: str) -> Unverified:
    """A token taken apart. Raises Unauthenticated `token_malformed`."""
    try:
        return take_apart(text)
    except Unreadable as error:
        raise Unauthenticated("token_malformed") from error


def check_times(claims: Mapping[str, Any], at: datetime, skew_seconds: int) -> datetime:
    """The moment at which verified claims end. Raises Unauthenticated unless they hold now; `exp` is not optional."""
    now = seconds(at)
    try:
        ends, begins, issued = (moment(claims, name) for name in ("exp", "nbf", "iat"))
    except Unreadable as error:
        raise Unauthenticated("token_malformed") from error
    if ends is None:
        raise Unauthenticated("token_untrusted")
    if now >= ends + skew_seconds:
        raise Unauthenticated("token_expired")
    if max(begins or 0.0, issued or 0.0) > now + skew_seconds:
        raise Unauthenticated("token_not_yet_valid")
    return datetime.fromtimestamp(min(ends + skew_seconds, 2e10), UTC)
