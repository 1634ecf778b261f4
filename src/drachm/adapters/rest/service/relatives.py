"""Whom does a member let look at their receipts, and how is it taken back?"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Annotated, Final, Literal

from msgspec import Meta

from drachm.adapters.rest.identity.decide import Deny, Reach
from drachm.adapters.rest.identity.permit import Denied
from drachm.adapters.rest.service.call import Call, operation
from drachm.adapters.rest.service.shapes import END, Instant, Page, Shape, View
from drachm.adapters.rest.transport.problems import Fault, Problem
from drachm.adapters.rest.transport.values import read_instant, write_instant
from drachm.application.ties import Tie, allow, find_tie, revoke, ties_to
from drachm.domain.clearing.privacy import JURISDICTION
from drachm.domain.funding.joining import of_age_on

LONGEST: Final = timedelta(days=10 * 366)

Subject = Annotated[str, Meta(min_length=1, max_length=512, pattern=r"^[^\x00-\x1f\x7f]+" + END)]


class NewRelative(Shape):
    """Somebody who may look."""

    subject: Subject
    """Their `subject`, as they read it in their own `GET /v1/me`."""
    valid_until: Instant
    """When it ends by itself; at most ten years from now, and for a minor's relative at coming of age."""
    relation: Literal["relative", "self"] = "relative"
    """`self`: this login is the member's own. Only an operator may say so."""


class RelativeView(View):
    """Somebody who may look at a member's records, until it ends or is taken back."""

    id: str
    subject: str
    relation: str
    valid_from: str
    valid_until: str | None
    allowed_by: str


@operation("list_relatives", answer=Page[RelativeView])
def list_relatives(call: Call) -> Page[RelativeView]:
    """Everybody who may look now, in order of id."""
    member, _ = _asked_member(call)
    found = [tie for tie in ties_to(call.market.records, member) if not tie.has_ended(call.at)]
    return Page(data=[_view(tie) for tie in found], next=None)


@operation("allow_relative", body=NewRelative, answer=RelativeView, status=201, problems=("version",))
def allow_relative(call: Call) -> RelativeView:
    """Let somebody look; for somebody who may already, the new end takes the place of the old one."""
    order: NewRelative = call.body
    member, reach = _asked_member(call)
    if order.relation == "self" and not reach.everything:
        raise Denied(Deny("role_missing"), call.operation)
    until = read_instant(order.valid_until, "/valid_until")
    if not call.at < until <= call.at + LONGEST:
        text = "an end lies ahead, at most ten years"
        raise Problem("invalid_body", faults=[Fault("/valid_until", "invalid_body", text)])
    if order.relation == "relative":
        until = min(until, _sight_ends(call, member) or until)
    tie = Tie(call.new_id("rel"), order.subject, member, order.relation, call.at, until, allowed_by=call.caller.subject)
    return _view(allow(call.market.records, tie))


@operation("revoke_relative", problems=("version",))
def revoke_relative(call: Call) -> None:
    """Take it back; it holds from the next call on. Taking it back again changes nothing."""
    member, _ = _asked_member(call)
    tie = find_tie(call.market.records, call.path["relative_id"])
    if tie is None or tie.member != member:
        raise Denied(Deny("not_found"), call.operation)
    revoke(call.market.records, tie, call.caller.subject, call.at)


def _asked_member(call: Call) -> tuple[str, Reach]:
    """The member of the path, if the caller may do this for them."""
    call.reach()
    member = call.path["member_id"]
    is_here = bool(call.market.register.members(ids=[member], limit=1))
    reach = call.permit(call.resource(member, members=frozenset({member})) if is_here else None)
    return member, reach


def _sight_ends(call: Call, member: str) -> datetime | None:
    """When a minor comes of age: whoever was let in before must be let in again, by the member."""
    [one] = call.market.register.members(ids=[member], limit=1)
    of_age = of_age_on(one.birth_date, str(one.facts.get(JURISDICTION, "")), call.at.date())
    return None if of_age is None else datetime.combine(of_age, time(), UTC)


def _view(tie: Tie) -> RelativeView:
    return RelativeView(
        id=tie.id,
        subject=tie.subject,
        relation=tie.relation,
        valid_from=write_instant(tie.valid_from),
        valid_until=None if tie.valid_until is None else write_instant(tie.valid_until),
        allowed_by=tie.allowed_by,
    )
