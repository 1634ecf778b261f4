"""How does a person sign in to our own pages with an OIDC provider? By the code flow, and by nothing else.

Authorization code with PKCE (RFC 7636, S256), `state` and `nonce` (OpenID Connect Core 1.0 section 3.1). What comes
back is an ID token for our client: checked like every token (`tokens.py`), with the provider's own keys.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final

from drachm.adapters.rest.identity.errors import Unauthenticated
from drachm.adapters.rest.identity.jose import moment
from drachm.adapters.rest.identity.jwks import DOCUMENT_BYTES_MAX, FETCH_SECONDS, KeySet, fetch_json, safe_address
from drachm.adapters.rest.identity.memory import DirectoryInMemory
from drachm.adapters.rest.identity.model import Environment, Principal
from drachm.adapters.rest.identity.tokens import Provider, Tokens, read_token
from drachm.domain.errors import InvalidMessage, Unavailable

LOGIN_SECONDS_MAX: Final = 8 * 3600
"""Who proved themselves longer ago than this does it again: also how we learn that a human being did (`auth_time`)."""
_ID_TOKEN_TYPES: Final = frozenset({"jwt", ""})
_SCOPES: Final = "openid profile"

Post = Callable[[str, Mapping[str, str], str], object]
"""Sends a form to an address, with a Basic credential where one is given; the JSON answer. Raises Unavailable."""


@dataclass(frozen=True, slots=True)
class SignIn:
    """One provider at which people can sign in, as a client that the operator registered there."""

    provider: Provider
    keys: KeySet
    client_id: str
    name: str
    """What the button says."""
    client_secret: str = field(default="", repr=False)
    """Empty: a public client, which PKCE alone protects."""

    @property
    def issuer(self) -> str:
        return self.provider.issuer

    def address(self, *, back: str, state: str, nonce: str, verifier: str, age: int = LOGIN_SECONDS_MAX) -> str:
        """Where the browser goes; `age`: how many seconds ago a login may be that counts, 0: log in anew.

        Raises Unavailable when the provider does not say where that is.
        """
        wanted = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": back,
            "scope": _SCOPES,
            "state": state,
            "nonce": nonce,
            "max_age": str(age),
            "code_challenge": challenge(verifier),
            "code_challenge_method": "S256",
        }
        place = self._place("authorization_endpoint")
        return f"{place}{'&' if '?' in place else '?'}{urllib.parse.urlencode(wanted)}"

    def redeem(
        self,
        code: str,
        *,
        back: str,
        nonce: str,
        verifier: str,
        at: datetime,
        environment: Environment,
        post: Post | None = None,
        age: int = LOGIN_SECONDS_MAX,
    ) -> tuple[Principal, str, datetime]:
        """(who signed in, their name, when the proof ends). Raises Unauthenticated, for a login longer than `age`
        seconds ago too, and Unavailable."""
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": back, "code_verifier": verifier}
        basic = ""
        if self.client_secret:
            # RFC 6749 section 2.3.1: both are form-encoded before they are joined.
            pair = f"{urllib.parse.quote_plus(self.client_id)}:{urllib.parse.quote_plus(self.client_secret)}"
            basic = base64.b64encode(pair.encode()).decode()
        else:
            form["client_id"] = self.client_id
        answer = (post or post_form)(self._place("token_endpoint"), form, basic)
        text = answer.get("id_token") if isinstance(answer, dict) else None
        if not isinstance(text, str):
            raise Unauthenticated("token_malformed")
        return self._read(text, nonce, at, environment, age)

    def _read(
        self, text: str, nonce: str, at: datetime, environment: Environment, age: int
    ) -> tuple[Principal, str, datetime]:
        token = read_token(text)
        mine = replace(self.provider, audience=self.client_id, types=_ID_TOKEN_TYPES)
        # Ties of patients are not looked up here: the session does so at every call.
        tokens = Tokens({mine.issuer: (mine, self.keys)}, DirectoryInMemory(), environment, remembered=0)
        principal = tokens.verify(token, at)
        # From here on the claims are proved: it is the same text.
        claims = token.claims
        said, party = claims.get("nonce"), claims.get("azp", self.client_id)
        if not isinstance(said, str) or not hmac.compare_digest(said.encode(), nonce.encode()):
            raise Unauthenticated("token_untrusted")
        logged_in = moment(claims, "auth_time")
        late = logged_in is None or at.timestamp() - logged_in > age + mine.skew_seconds
        if party != self.client_id or late:
            raise Unauthenticated("token_untrusted")
        name = next((word for key in ("name", "preferred_username") if (word := claims.get(key))), claims.get("sub"))
        shown = name if isinstance(name, str) and name.isprintable() else "Signed in"
        # An ID token lives for minutes; what it proves is the login, which lasts as long as we asked for.
        ends = datetime.fromtimestamp((logged_in or 0) + LOGIN_SECONDS_MAX, UTC)
        return principal, shown[:100], ends

    def _place(self, name: str) -> str:
        described = fetch_json(self.issuer.rstrip("/") + "/.well-known/openid-configuration")
        if not isinstance(described, dict) or described.get("issuer") != self.issuer:
            raise Unavailable("the identity provider describes another issuer", where=self.issuer)
        place = described.get(name)
        if not isinstance(place, str):
            raise Unavailable("the identity provider does not say where people sign in", where=self.issuer)
        try:
            safe_address(place, name)
        except InvalidMessage as error:
            raise Unavailable("the identity provider gave no usable answer", where=self.issuer) from error
        return place


def challenge(verifier: str) -> str:
    """The S256 challenge of a verifier (RFC 7636 section 4.2)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def post_form(address: str, form: Mapping[str, str], basic: str) -> object:
    """Send a form to the provider and read its JSON. A refusal (400, 401) raises Unauthenticated."""
    fields = {"content-type": "application/x-www-form-urlencoded", "accept": "application/json"}
    if basic:
        fields["authorization"] = f"Basic {basic}"
    request = urllib.request.Request(address, urllib.parse.urlencode(form).encode(), fields, method="POST")
    try:
        with _OPENER.open(request, timeout=FETCH_SECONDS) as answer:
            data: bytes = answer.read(DOCUMENT_BYTES_MAX + 1)
        if len(data) > DOCUMENT_BYTES_MAX:
            raise ValueError("the answer is too large")
        return json.loads(data)
    except urllib.error.HTTPError as error:
        if error.code in (400, 401):
            raise Unauthenticated("token_untrusted") from None
        raise Unavailable("the identity provider gave no usable answer", where="identity provider") from None
    except (OSError, ValueError, RecursionError) as error:
        raise Unavailable("the identity provider gave no usable answer", where="identity provider") from error


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        """Do not follow: who we trust sends us nowhere else."""


_OPENER: Final = urllib.request.build_opener(_Stay)
