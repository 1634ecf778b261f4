"""Asking somebody into a household's pocket, and the answer.

An invitation names a member, or has a code that its holder hands on by whatever way; who is here and who is not is
never told. A *helper*, such as an aunt from another household, may look at amounts and pay in, and is no member.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from hmac import compare_digest
from typing import Annotated, Final, Literal

from msgspec import Meta, field

from drachm.adapters.rest.identity.decide import Deny
from drachm.adapters.rest.identity.model import Kind
from drachm.adapters.rest.identity.permit import Denied
from drachm.adapters.rest.service.call import Call, operation
from drachm.adapters.rest.service.money_shapes import faulty
from drachm.adapters.rest.service.register_shapes import alone, member_of_path
from drachm.adapters.rest.service.shapes import END, Instant, Page, Shape, View, Word
from drachm.adapters.rest.service.wallet_joining import Shared, decided_on, let_in, place_of, shared_pocket
from drachm.adapters.rest.service.wallet_members import LimitShape, TermsShape, terms_of
from drachm.adapters.rest.service.wallet_records import record_of
from drachm.adapters.rest.transport.identifiers import encode
from drachm.adapters.rest.transport.problems import Problem
from drachm.adapters.rest.transport.values import write_instant
from drachm.application.households import (
    Answer,
    Asked,
    Invitation,
    answered,
    find_invitation,
    helper_of,
    invitations,
    invitations_of,
    keep_invitation,
)
from drachm.application.ties import Tie, allow, find_tie, revoke
from drachm.domain.errors import Conflict, InvalidMessage
from drachm.domain.funding.joining import ANSWER_AT_MOST, ANSWER_WITHIN, of_age_on
from drachm.domain.funding.quota import LIMITS_MAX

HELPS_FOR: Final = timedelta(days=366)
"""How long a helper may help, unless taken back before."""
_OPEN_MAX: Final = 50
"""Invitations of one pocket that stand at once."""
_CODE_BYTES: Final = 16

Code = Annotated[str, Meta(min_length=1, max_length=64, pattern="^[0-9A-Za-z]+" + END)]
Days = Annotated[int, Meta(ge=1, le=ANSWER_AT_MOST.days, description="How long the invitation stands.")]


class NewInvitation(Shape):
    """Whom to ask, and on which terms."""

    asked: Asked = "member"
    member: Word | None = None
    """One of the family for whom the pocket was opened, or who was in it before; nobody: whoever brings the code."""
    limits: Annotated[list[LimitShape], Meta(max_length=LIMITS_MAX)] = field(default_factory=list)
    """Of a member: what it may take."""
    days: Days = ANSWER_WITHIN.days


class InvitationView(View):
    """An invitation."""

    id: str
    wallet: str
    asked: Asked
    member: str | None
    """Whom it names."""
    holder: str | None
    """Who decides for the others of the pocket, and will see amount, date and name."""
    funder: str | None
    """Whose party puts money in, and will see the same."""
    limits: int
    """How many limits would hold."""
    state: Literal["open", "accepted", "declined", "withdrawn", "expired"]
    opens_at: Instant
    """From when on it can be answered: for a minor, from coming of age on."""
    expires_at: Instant
    code: str | None
    """Shown once, to whoever asked; single-use."""


class InvitationAnswer(Shape):
    """Yes or no."""

    invitation: Word
    accept: bool
    """With yes the member agrees that the pocket pays, and that its funder and holder see amount, date and name."""
    code: Code | None = None
    """Of an invitation that names nobody."""


class HelperAnswer(Shape):
    """A helper's yes."""

    invitation: Word
    code: Code


@operation("list_wallet_invitations", answer=Page[InvitationView])
def list_wallet_invitations(call: Call) -> Page[InvitationView]:
    """Whoever was asked, and what they answered."""
    shared = decided_on(call)
    found = invitations(call.market.records, shared.fund.id)
    return Page(data=[_view(call, one) for one in found], next=None)


@operation("invite_to_wallet", body=NewInvitation, answer=InvitationView, status=201)
@alone
def invite_to_wallet(call: Call) -> InvitationView:
    """Ask somebody. Raises Conflict when too many invitations of the pocket stand."""
    shared = decided_on(call)
    body: NewInvitation = call.body
    wallet, records = shared.fund.id, call.market.records
    standing = [one for one in invitations(records, wallet) if one.stands(call.at)]
    if len(standing) >= _OPEN_MAX:
        raise Conflict("too many invitations stand", next_step="Withdraw one that nobody answered.")
    if body.asked == "helper" and (body.member is not None or body.limits):
        raise faulty("/member", "a helper is asked by a code, and draws on nothing")
    if body.member is not None and body.member not in _near(call, shared):
        raise faulty("/member", "the pocket's family has no such member: leave it out, and hand on the code")
    terms = terms_of(TermsShape(limits=body.limits), shared.fund.currency)
    code = "" if body.member is not None else _new_code(call)
    asked = Invitation(
        call.new_id("inv"),
        wallet,
        body.asked,
        body.member or "",
        terms,
        call.at,
        call.at + timedelta(days=body.days),
        call.caller.subject,
        _digest(code) if code else "",
    )
    return _view(call, keep_invitation(records, asked, call.caller.subject, call.at), code)


@operation("withdraw_wallet_invitation", problems=("conflict",))
@alone
def withdraw_wallet_invitation(call: Call) -> None:
    """Take an invitation back; of a helper who has accepted, the help ends."""
    one = _found(call, call.path["invitation_id"])
    decided_on(call, wallet=one.wallet if one is not None else "")
    assert one is not None  # of what is not there nobody decides
    if one.asked == "helper" and one.state == "accepted":
        tie = find_tie(call.market.records, _tie_of(one))
        if tie is not None:
            revoke(call.market.records, tie, call.caller.subject, call.at)
        gone = replace(one, state="withdrawn")
        keep_invitation(call.market.records, gone, call.caller.subject, call.at)
    elif one.state != "withdrawn":
        answered(call.market.records, one, "withdrawn", call.caller.subject, call.at)


@operation("list_member_invitations", answer=Page[InvitationView])
def list_member_invitations(call: Call) -> Page[InvitationView]:
    """The invitations that name a member and stand now."""
    member = member_of_path(call)
    found = [one for one in invitations_of(call.market.records, member) if one.stands(call.at)]
    return Page(data=[_view(call, one) for one in found], next=None)


@operation("answer_invitation", body=InvitationAnswer, answer=InvitationView, problems=("conflict",))
@alone
def answer_invitation(call: Call) -> InvitationView:
    """Say yes or no, once. Yes holds from the next posting on."""
    member, body = member_of_path(call), call.body
    one = _found(call, call.body.invitation)
    if one is None or one.asked != "member" or not _meant(one, member, body.code):
        raise Problem("not_found")
    state: Answer = "accepted" if body.accept else "declined"
    said = answered(call.market.records, one, state, call.caller.subject, call.at)
    shared = shared_pocket(call, one.wallet)
    if body.accept and shared is not None:
        [person] = call.market.register.members(ids=[member], limit=1)
        # Of a minor who brings a code the guardian was not asked: it is let in as one who was not heard.
        of_age = of_age_on(person.birth_date, place_of(person), call.at.date()) is None
        let_in(call, shared, person, one.terms, consented=of_age)
    return _view(call, said)


@operation(
    "accept_help",
    body=HelperAnswer,
    answer=InvitationView,
    problems=("conflict", "not_found", "person_required"),
)
@alone
def accept_help(call: Call) -> InvitationView:
    """Become a helper: look at a pocket's amounts, and pay in."""
    call.permit(None)
    if call.caller.kind is not Kind.PERSON:
        raise Denied(Deny("person_required"), call.operation)
    one = _found(call, call.body.invitation)
    if one is None or one.asked != "helper" or not _meant(one, "", call.body.code):
        raise Problem("not_found")
    said = answered(call.market.records, one, "accepted", call.caller.subject, call.at)
    until = call.at + HELPS_FOR
    allow(
        call.market.records,
        Tie(_tie_of(one), call.caller.subject, helper_of(one.wallet), "relative", call.at, until, one.asked_by),
    )
    return _view(call, said)


def _found(call: Call, id: str) -> Invitation | None:
    """An invitation of this id; None as well for an id that nothing could have."""
    try:
        return find_invitation(call.market.records, id)
    except InvalidMessage:
        return None


def _near(call: Call, shared: Shared) -> frozenset[str]:
    family = {one.id for one in call.market.register.family(shared.family)} if shared.family else set()
    return frozenset(family) | shared.record.members


def _meant(one: Invitation, member: str, code: str | None) -> bool:
    """Whether it asks this member: by name, or because the code is right."""
    if one.member:
        return one.member == member
    return bool(one.digest) and code is not None and compare_digest(one.digest, _digest(code))


def _new_code(call: Call) -> str:
    return encode(int.from_bytes(call.market.desk.ids.random_bytes(_CODE_BYTES), "big"))


def _digest(code: str) -> str:
    return sha256(f"drachm invitation {code}".encode()).hexdigest()


def _tie_of(one: Invitation) -> str:
    return f"rel_{one.id.removeprefix('inv_')}"


def _view(call: Call, one: Invitation, code: str = "") -> InvitationView:
    over = one.state == "open" and not one.may_stand(call.at)
    record = record_of(call, one.wallet)
    return InvitationView(
        id=one.id,
        wallet=one.wallet,
        asked=one.asked,
        member=one.member or None,
        holder=str(record.body.get("holder") or "") or None if record is not None else None,
        funder=next(iter(sorted(record.parties)), None) if record is not None else None,
        limits=len(one.terms.limits),
        state="expired" if over else one.state,
        opens_at=write_instant(one.opens_at),
        expires_at=write_instant(one.expires_at),
        code=code or None,
    )
