"""How does a person prove to a page of ours who they are? The same way at the desk and for patients.

With their own account at a provider (OpenID Connect), or, in a sandbox only, with a token made on its console.
"""

from __future__ import annotations

import hmac
from datetime import UTC, datetime
from typing import Any, Final

from drachm.adapters.rest.identity.errors import Unauthenticated
from drachm.adapters.rest.identity.model import Environment, Principal
from drachm.adapters.rest.identity.sign_in import LOGIN_SECONDS_MAX
from drachm.adapters.rest.identity.tokens import read_token
from drachm.adapters.rest.service import browser_session
from drachm.adapters.rest.service.browser_session import Place, new_secret
from drachm.adapters.rest.service.call import Call, Reply
from drachm.adapters.rest.service.forms import PAGE
from drachm.adapters.rest.service.house import Visitor
from drachm.adapters.rest.service.page_frame import page_headers
from drachm.adapters.rest.service.sandbox_people import ISSUER
from drachm.adapters.rest.transport.problems import Header
from drachm.domain.errors import Forbidden, InvalidMessage

ANSWER: Final = {
    "code": "to redeem",
    "state": "ours",
    "iss": "RFC 9207",
    "error": "why not",
    "session_state": "unused",
}
"""What a provider adds to our address when it sends a browser back."""
PROOF_SECONDS_MAX: Final = 600
"""How long ago a login may be that proves once more who is there."""
Proof = tuple[Principal, str, datetime]
"""(who it is, what they are called, when the proof ends)."""


def sandbox_person(call: Call, text: str) -> Proof:
    """Whom a token of the sandbox itself names. Raises Unauthenticated, Unavailable and ValueError.

    No API key and no provider's access token is a way in for a browser.
    """
    token = read_token(text)
    if not sandbox(call) or token.claims.get("iss") != ISSUER:
        raise Unauthenticated("token_untrusted")
    principal = call.house.authenticator.principal(f"Bearer {text}", call.at)
    return principal, principal.subject.partition("|")[2], datetime.fromtimestamp(float(token.claims["exp"]), UTC)


def to_provider(call: Call, place: Place, back: str, onward: str = "") -> Reply:
    """On to the provider with a state, a nonce and a challenge that only this browser can answer for.

    `onward`: the page that waits for a fresh proof; the provider is then asked to let its person log in anew.

    Raises InvalidMessage when there is no such provider, and Unavailable when it does not answer.
    """
    chosen, ways = call.query.get("with", "0"), call.house.sign_ins
    if not (chosen.isascii() and chosen.isdigit() and len(chosen) < 4 and int(chosen) < len(ways)):
        raise InvalidMessage("there is no such way to sign in", where="with")
    state, nonce, verifier = new_secret(), new_secret(), new_secret()
    age = 0 if onward else LOGIN_SECONDS_MAX
    way = ways[int(chosen)]
    address = way.address(back=_back(call, back), state=state, nonce=nonce, verifier=verifier, age=age)
    kept, _ = browser_session.door(call, place, chosen, state, nonce, verifier, onward)
    headers: list[Header] = [(b"location", address.encode()), (b"set-cookie", kept.encode())]
    return Reply("", 303, headers=[*page_headers(), *headers], media=PAGE)


def from_provider(call: Call, place: Place, back: str) -> Proof:
    """Whom the provider names. Raises Forbidden for a browser that we did not send there, else Unauthenticated,
    Unavailable, LookupError, ValueError."""
    kept = browser_session.door_of(call, place)
    words = kept[1] if kept is not None else []
    code, state = call.query.get("code", ""), call.query.get("state", "")
    if len(words) != 5 or not hmac.compare_digest(state.encode(), words[1].encode()):
        raise Forbidden("this browser did not begin to sign in", code="stale")
    chosen, _, nonce, verifier, onward = words
    way = call.house.sign_ins[int(chosen)]
    if call.query.get("iss", way.issuer) != way.issuer or not code:
        raise Unauthenticated("token_untrusted")
    environment, address = call.house.environment, _back(call, back)
    age = PROOF_SECONDS_MAX if onward else LOGIN_SECONDS_MAX
    return way.redeem(code, back=address, nonce=nonce, verifier=verifier, at=call.at, environment=environment, age=age)


def onward_of(call: Call, place: Place) -> str:
    """The page that waits for the proof that this browser was sent for; empty where it was sent to sign in."""
    kept = browser_session.door_of(call, place)
    return kept[1][4] if kept is not None and len(kept[1]) == 5 else ""


def ways_in(call: Call) -> list[dict[str, Any]]:
    """Providers by number and name, for buttons."""
    return [{"number": number, "name": way.name} for number, way in enumerate(call.house.sign_ins)]


def _back(call: Call, back: str) -> str:
    return f"{call.house.base_url}{back}"


def visitors(call: Call, *, staff: bool) -> list[Visitor]:
    """Whom the demo lets anyone be; nobody outside of a sandbox."""
    return [one for one in call.house.visitors if one.staff is staff] if sandbox(call) else []


def sandbox(call: Call) -> bool:
    """Whether this is play money."""
    return call.house.environment is Environment.SANDBOX
