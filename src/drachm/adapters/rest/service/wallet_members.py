"""How much may each member of a family take from its pocket?

Its holder, a member of the family whom the funder named, and the funder itself set limits, pause and take out; each
member sees the own terms, they see all. A limit holds from the next posting on (docs/decisions/0021). An adult is asked
before the pocket pays (`wallet_joining`), and leaves at will.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, field
from msgspec.json import encode

from drachm.adapters.rest.identity.model import Resource
from drachm.adapters.rest.service.call import Call, Reply, operation
from drachm.adapters.rest.service.money_shapes import Sum, ensure_currency, faulty, sum_of
from drachm.adapters.rest.service.register_shapes import alone, require_tag
from drachm.adapters.rest.service.shapes import Day, Money, Page, Shape, View
from drachm.adapters.rest.service.wallet_joining import (
    Shared,
    admitted_as,
    ask_or_let_in,
    decided_on,
    shared_pocket,
    take_out,
)
from drachm.adapters.rest.service.wallet_records import inside, members_of
from drachm.adapters.rest.transport.problems import Problem
from drachm.application.households import helper_of, invitations, memberships
from drachm.application.records import Record
from drachm.domain.clearing.numbers import total_number
from drachm.domain.coverage.model import Member
from drachm.domain.errors import InvalidMessage
from drachm.domain.funding.quota import CATEGORIES_MAX, LIMITS_MAX, Every, Limit, Terms, checked_terms, quota_key

Zone = Annotated[str, Meta(min_length=1, max_length=64, description="IANA zone in whose calendar a period is.")]
Category = Annotated[str, Meta(min_length=1, max_length=64, description="A service category.")]


class LimitShape(Shape):
    """What one member may take in each period."""

    amount: Money
    every: Every
    """`day`, `month` and `year` of the calendar; `ever`: all time."""
    zone: Zone = "UTC"
    categories: Annotated[list[Category], Meta(max_length=CATEGORIES_MAX)] = field(default_factory=list)
    """It counts only these kinds of care; none: all."""


class TermsShape(Shape):
    """On which terms a member draws on a family's pocket. All limits hold; none: as much as there is."""

    limits: Annotated[list[LimitShape], Meta(max_length=LIMITS_MAX)] = field(default_factory=list)
    paused: bool = False


class MemberLimitView(View):
    """A limit, and what is left of it in the period that is now."""

    amount: Money
    every: Every
    zone: str
    categories: list[str]
    period: str
    """``D2025-03-14``, ``M2025-03``, ``Y2025-01-01``, or ``L`` for all time."""
    used: Sum
    """What holds have reserved included."""
    left: Sum


class WalletMember(View):
    """A member who draws on a family's pocket, or is asked to."""

    member: str
    state: Literal["inside", "asked", "outside"]
    """`asked`: an adult who has not answered yet; the pocket pays nothing until then."""
    limits: list[MemberLimitView]
    """Of who is asked: those that would hold, nothing used of them."""
    paused: bool
    of_age_on: Day | None
    """Of a minor: the day from which the pocket needs the member's own consent."""
    shares: bool
    """The member lets the payer see what the care was, and where."""


@operation("list_wallet_members", answer=Page[WalletMember])
def list_wallet_members(call: Call) -> Page[WalletMember]:
    """Who draws on a family's pocket, with limits and what is left of them."""
    shared = _seen(call)
    record, here = shared.record, inside(call, shared.record)
    reach = call.permit(_resource(call, shared))
    everybody = sees_all(reach.everything or bool(reach.parties), record, reach.members, frozenset(here))
    shown = frozenset(here) if everybody else frozenset(here) & reach.members
    return Page(data=[_view(call, shared, member) for member in sorted(shown)], next=None)


@operation("get_wallet_member", answer=WalletMember, tagged=True)
def get_wallet_member(call: Call) -> Reply:
    """One member of a family's pocket, also one who is asked, or was there once."""
    shared = decided_on(call, self_too=call.path["member_id"])
    if call.path["member_id"] not in _known(call, shared):
        raise Problem("not_found")
    return _reply(call, shared, call.path["member_id"])


@operation("set_wallet_member", body=TermsShape, answer=WalletMember, tagged=True)
@alone
def set_wallet_member(call: Call) -> Reply:
    """Give a member these terms, in the place of earlier ones; a minor who was taken out is let in again, an adult who
    is not in it is asked."""
    shared = decided_on(call)
    name = call.path["member_id"]
    if name not in _known(call, shared):
        raise Problem("not_found")
    require_tag(call, _tag(call, shared, name))
    terms = terms_of(call.body, shared.fund.currency)
    ask_or_let_in(call, shared, _member(call, name), terms)
    return _reply(call, shared, name)


@operation("remove_wallet_member")
@alone
def remove_wallet_member(call: Call) -> None:
    """Take a member out, or leave oneself; what was paid stays paid. Taking out who is out already changes nothing."""
    name = call.path["member_id"]
    shared = decided_on(call, self_too=name)
    if name not in shared.record.members:
        raise Problem("not_found")
    take_out(call, shared, name)


def terms_of(body: TermsShape, currency: str, pointer: str = "") -> Terms:
    """The terms that a body says. Raises `Problem` naming the place of a fault."""
    for at, one in enumerate(body.limits):
        ensure_currency(one.amount, currency, f"{pointer}/limits/{at}/amount", "the wallet")
    limits = tuple(Limit(one.amount.micros, one.every, one.zone, tuple(one.categories)) for one in body.limits)
    try:
        return checked_terms(Terms(limits, body.paused), where=f"{pointer}/limits")
    except InvalidMessage as error:
        raise faulty(f"{pointer}/limits", error.message) from None


def sees_all(funder: bool, record: Record, members: frozenset[str], here: frozenset[str]) -> bool:
    """Whether somebody who reaches a pocket as its funder, or as these members, sees what each member does with it.

    A holder who has left does not.
    """
    return funder or record.body.get("holder") in members & here


def _seen(call: Call) -> Shared:
    shared = shared_pocket(call, call.path["wallet_id"])
    if shared is None:
        call.permit(None)
        raise Problem("not_found")
    return shared


def _resource(call: Call, shared: Shared) -> Resource:
    members = members_of(call, shared.record) | {helper_of(shared.fund.id)}
    return call.resource(shared.fund.id, parties=shared.record.parties, members=members)


def _known(call: Call, shared: Shared) -> frozenset[str]:
    """The family, and everybody who is or was in its pocket or asked: of nobody else is told whether they are here."""
    family = {one.id for one in call.market.register.family(shared.family)} if shared.family else set()
    asked = {one.member for one in invitations(call.market.records, shared.fund.id) if one.member}
    return frozenset(family | asked | set(memberships(call.market.records, shared.fund.id)))


def _member(call: Call, name: str) -> Member:
    found = call.market.register.members(ids=[name], limit=1)
    if not found:
        raise Problem("not_found")
    return found[0]


def _reply(call: Call, shared: Shared, name: str) -> Reply:
    return Reply(_view(call, shared, name), tag=_tag(call, shared, name))


def _tag(call: Call, shared: Shared, name: str) -> tuple[object, ...]:
    """What the caller has read of a member: nothing of what the member keeps private."""
    state, terms = _standing(call, shared, name)
    return shared.fund.id, name, state, encode(terms._replace(private=())).decode()


def _standing(call: Call, shared: Shared, name: str) -> tuple[Literal["inside", "asked", "outside"], Terms]:
    pot = admitted_as(call, shared.fund.id, name) if name in members_of(call, shared.record) else None
    if pot is not None:
        return "inside", pot.terms or Terms()
    open_ = [one for one in invitations(call.market.records, shared.fund.id) if one.member == name]
    asked = [one for one in open_ if one.stands(call.at)]
    return ("asked", asked[-1].terms) if asked else ("outside", Terms())


def _view(call: Call, shared: Shared, name: str) -> WalletMember:
    (state, terms), currency = _standing(call, shared, name), shared.fund.currency
    known = memberships(call.market.records, shared.fund.id).get(name)
    keys = [quota_key(shared.fund.id, limit, name, call.at) for limit in terms.limits]
    numbers = [total_number(call.market.desk.books.tenant, key) for key in keys]
    used, _ = call.market.money.stand(numbers, ()) if state == "inside" else ({}, {})
    limits = []
    for limit, key, number in zip(terms.limits, keys, numbers, strict=True):
        spent = used.get(number, 0)
        limits.append(
            MemberLimitView(
                amount=Money(micros=limit.amount, currency=currency),
                every=limit.every,
                zone=limit.zone,
                categories=list(limit.categories),
                period=key.period,
                used=sum_of(spent, currency),
                left=sum_of(max(0, limit.amount - spent), currency),
            )
        )
    of_age = known.of_age if known is not None and known.inside else None
    return WalletMember(
        member=name,
        state=state,
        limits=limits,
        paused=terms.paused,
        of_age_on=of_age.isoformat() if of_age is not None else None,
        shares=known is not None and known.inside and known.shares,
    )
