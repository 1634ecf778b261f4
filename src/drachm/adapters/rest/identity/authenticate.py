"""Who sent this Authorization header?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from drachm.adapters.rest.identity.errors import Unauthenticated
from drachm.adapters.rest.identity.issuer import TokenEndpoint
from drachm.adapters.rest.identity.jose import TOKEN_LENGTH_MAX
from drachm.adapters.rest.identity.keyring import Keyring
from drachm.adapters.rest.identity.keys import looks_like_key
from drachm.adapters.rest.identity.model import Environment, Principal, anonymous
from drachm.adapters.rest.identity.tokens import Tokens, read_token


@dataclass(frozen=True, slots=True)
class Authenticator:
    """Every way a caller of this service can prove who they are, except signed links (`links.py`)."""

    environment: Environment
    keyring: Keyring
    machines: TokenEndpoint
    tokens: Tokens

    def principal(self, authorization: str | None, at: datetime) -> Principal:
        """The caller behind an Authorization header; without one, nobody.

        A credential that proves nothing is never taken for none: it raises Unauthenticated, so that a caller whose key
        has ended is told so even where nobody needs a key. Raises Unavailable when a provider's keys cannot be had.
        """
        if authorization is None or not authorization.strip():
            return anonymous(self.environment)
        scheme, _, credential = authorization.strip().partition(" ")
        credential = credential.strip()
        if scheme.lower() != "bearer" or not credential.isascii() or not 0 < len(credential) <= TOKEN_LENGTH_MAX:
            raise Unauthenticated("credential_malformed")
        if looks_like_key(credential):
            return self.keyring.verify(credential, at)
        if credential.count(".") != 2:
            raise Unauthenticated("credential_malformed")
        token = read_token(credential)
        # Who says to have made it decides only which keys it is held against.
        if token.claims.get("iss") == self.machines.issuer:
            return self.machines.verify(token, at)
        return self.tokens.verify(token, at)

    def at_once(self, authorization: str, at: datetime) -> Principal | None:
        """The caller behind a header that `principal` has taken before, from memory alone; None where it must be asked
        again. Never waits, so that the event loop may ask."""
        scheme, _, credential = authorization.strip().partition(" ")
        credential = credential.strip()
        if scheme.lower() != "bearer" or not looks_like_key(credential):
            return None
        return self.keyring.at_once(credential, at)
