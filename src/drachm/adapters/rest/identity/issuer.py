"""Which access tokens does this service give out itself, and how does it know them again?

A machine that proved itself gets a token for a few minutes (RFC 6749 section 4.4, RFC 9068). It is signed with a key
pair of ours: ES256 or Ed25519, never a shared secret. What the machine may do is read from its record at every call,
so a disabled machine is refused at once although its token has minutes left.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey, OKPKey

from drachm.adapters.rest.identity.bounded import Proved
from drachm.adapters.rest.identity.clients import ASSERTION_TYPE, Assertions, Client, ClientStore
from drachm.adapters.rest.identity.errors import TokenRefused, Unauthenticated
from drachm.adapters.rest.identity.jose import PublicKey, Unreadable, Unverified, check_signature, public_keys, seconds
from drachm.adapters.rest.identity.model import Principal, Scope, scopes_of
from drachm.adapters.rest.identity.tokens import check_times
from drachm.domain.errors import InvalidMessage

TOKEN_SECONDS = 600
SKEW_SECONDS = 30
REMEMBERED = 4096
ALGORITHM_OF = {"P-256": "ES256", "Ed25519": "Ed25519"}


@dataclass(frozen=True, slots=True)
class SigningKeys:
    """Our key pairs by id. New tokens are signed by `current`; the others are still believed until they are removed."""

    current: str
    pairs: Mapping[str, ECKey | OKPKey] = field(repr=False)

    def __post_init__(self) -> None:
        good = all(
            pair.is_private and str(pair.as_dict(private=False).get("crv")) in ALGORITHM_OF
            for pair in self.pairs.values()
        )
        if self.current not in self.pairs or not good:
            raise InvalidMessage(
                "the signing keys must be private keys on P-256 or Ed25519, the current one among them",
                where="signing keys",
            )

    def algorithm(self, key_id: str) -> str:
        """The one algorithm this key signs with."""
        return ALGORITHM_OF[str(self.pairs[key_id].as_dict(private=False)["crv"])]

    def published(self) -> dict[str, Any]:
        """The public halves as a JWK Set, for `/.well-known/jwks.json`."""
        return {
            "keys": [
                {**pair.as_dict(private=False), "kid": name, "use": "sig", "alg": self.algorithm(name)}
                for name, pair in self.pairs.items()
            ]
        }


class TokenEndpoint:
    """Gives tokens to machines and knows them again."""

    def __init__(
        self,
        issuer: str,
        audience: str,
        keys: SigningKeys,
        clients: ClientStore,
        assertions: Assertions,
        random_bytes: Callable[[int], bytes],
        remembered: int = REMEMBERED,
    ) -> None:
        self.issuer = issuer
        self._audience = audience
        self._keys = keys
        self._public: Mapping[str, PublicKey] = public_keys(keys.published())
        self._clients = clients
        self._assertions = assertions
        self._random_bytes = random_bytes
        self._proved: Proved[str, Principal] = Proved(remembered)

    def published(self) -> dict[str, Any]:
        """Our public keys as a JWK Set."""
        return self._keys.published()

    def issue(self, form: Mapping[str, str], at: datetime) -> dict[str, Any]:
        """The answer to a token request (RFC 6749 section 5.1). Raises TokenRefused in the words of section 5.2."""
        if form.get("grant_type") != "client_credentials":
            raise TokenRefused("unsupported_grant_type", "only client_credentials is given here")
        if form.get("client_assertion_type") != ASSERTION_TYPE or not form.get("client_assertion"):
            raise TokenRefused(
                "invalid_request", f"client_assertion_type {ASSERTION_TYPE} and client_assertion are needed"
            )
        if "client_secret" in form:
            raise TokenRefused("invalid_request", "no secret is taken here: prove the client by its signature alone")
        client = self._assertions.verify(form["client_assertion"], at, form.get("client_id", ""))
        scopes = _granted(client, form.get("scope"))
        return {
            "access_token": self._sign(client, scopes, at),
            "token_type": "Bearer",
            "expires_in": TOKEN_SECONDS,
            "scope": " ".join(sorted(scopes)),
        }

    def verify(self, token: Unverified, at: datetime) -> Principal:
        """The machine behind one of our tokens, as it is known now. Raises Unauthenticated."""
        version = self._clients.version()
        principal = self._proved.get(token.text, version, at)
        if principal is not None:
            return principal
        key = self._public.get(token.key_id)
        if key is None or token.type != "at+jwt":
            raise Unauthenticated("token_untrusted")
        try:
            claims = check_signature(token, key, frozenset({self._keys.algorithm(key.id)}))
        except Unreadable as error:
            raise Unauthenticated("token_untrusted") from error
        if claims.get("iss") != self.issuer or claims.get("aud") != self._audience:
            raise Unauthenticated("token_untrusted")
        until = check_times(claims, at, SKEW_SECONDS)
        client = self._clients.find(str(claims.get("client_id")))
        if client is None or client.disabled_at is not None or claims.get("generation") != client.generation:
            raise Unauthenticated("token_revoked")
        principal = client.principal(scopes_of(str(claims.get("scope", "")).split()))
        self._proved.put(token.text, principal, version, until)
        return principal

    def _sign(self, client: Client, scopes: frozenset[Scope], at: datetime) -> str:
        key_id = self._keys.current
        algorithm = self._keys.algorithm(key_id)
        claims = {
            "iss": self.issuer,
            "aud": self._audience,
            "sub": client.id,
            "client_id": client.id,
            "generation": client.generation,
            "scope": " ".join(sorted(scopes)),
            "iat": int(seconds(at)),
            "exp": int(seconds(at + timedelta(seconds=TOKEN_SECONDS))),
            "jti": self._random_bytes(16).hex(),
        }
        header = {"alg": algorithm, "kid": key_id}
        return jwt.encode(header, claims, self._keys.pairs[key_id], algorithms=[algorithm], default_type="at+jwt")


def _granted(client: Client, asked: str | None) -> frozenset[Scope]:
    """What was asked for, or everything the machine has. More than it has, or a word that is no scope, is refused."""
    if asked is None or not asked.strip():
        return client.scopes
    words = asked.split()
    scopes = scopes_of(words)
    if len(scopes) != len(set(words)) or not scopes <= client.scopes:
        raise TokenRefused("invalid_scope", "a scope that was asked for is unknown, or not this client's")
    return scopes
