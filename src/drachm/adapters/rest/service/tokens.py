"""Tokens for machines that sign, the keys they are checked with, and who the caller is."""

from __future__ import annotations

from typing import Any

from drachm.adapters.rest.identity.errors import TokenRefused
from drachm.adapters.rest.service.call import Call, Reply, operation
from drachm.adapters.rest.service.shapes import View
from drachm.adapters.rest.transport.values import write_instant


class TokenView(View):
    """An access token (RFC 6749 section 5.1)."""

    access_token: str
    token_type: str
    expires_in: int
    """Seconds."""
    scope: str


class TokenRefusal(View):
    """No, in the words of RFC 6749 section 5.2."""

    error: str
    error_description: str


class TokenKeys(View):
    """A JWK Set (RFC 7517)."""

    keys: list[dict[str, Any]]


class TieView(View):
    """A member whose records the caller may look at now."""

    member: str
    relation: str
    valid_until: str | None


class Me(View):
    """The caller as this service knows them."""

    tenant: str
    environment: str
    kind: str
    """`person` or `machine`."""
    subject: str
    """Stable name of the caller; what members name to let somebody look at their receipts."""
    credential: str
    roles: list[str]
    scopes: list[str]
    parties: list[str]
    members: list[TieView]


@operation("issue_token", answer=TokenView, form=True, refusals=(400, 401))
def issue_token(call: Call) -> TokenView | Reply:
    """A token for a few minutes. The request is a form, as RFC 6749 section 4.4 has it."""
    call.permit(None)
    try:
        if not call.form:
            raise TokenRefused("invalid_request", "a form is expected, application/x-www-form-urlencoded")
        return TokenView(**call.house.authenticator.machines.issue(call.form, call.at))
    except TokenRefused as refusal:
        said = " ".join(part for part in (f"{refusal.message}.", refusal.next_step) if part)
        return Reply(TokenRefusal(error=refusal.code, error_description=said), status=refusal.status)


@operation("get_token_keys", answer=TokenKeys)
def get_token_keys(call: Call) -> TokenKeys:
    """Our public keys."""
    call.permit(None)
    return TokenKeys(keys=call.house.authenticator.machines.published()["keys"])


@operation("get_me", answer=Me)
def get_me(call: Call) -> Me:
    """What the credential of this call proves."""
    call.permit(None)
    caller = call.caller
    return Me(
        tenant=caller.tenant,
        environment=caller.environment.value,
        kind=caller.kind.value,
        subject=caller.subject,
        credential=caller.credential,
        roles=sorted(caller.roles),
        scopes=sorted(caller.scopes),
        parties=sorted(caller.parties),
        members=[
            TieView(
                member=tie.member,
                relation=tie.relation.value,
                valid_until=None if tie.valid_until is None else write_instant(tie.valid_until),
            )
            for tie in sorted(caller.members, key=lambda tie: (tie.member, tie.relation))
            if tie.holds(call.at)
        ],
    )
