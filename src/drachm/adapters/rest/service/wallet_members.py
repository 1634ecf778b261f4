"""How much may each member of a family take from its pocket?

Its holder, a member of the family whom the funder named, and the funder itself set limits, pause and take out; each
member sees the own terms, they see all. A limit holds from the next posting on (docs/decisions/0021).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated, Final, NamedTuple

from msgspec import Meta, field

from drachm.adapters.rest.service.call import Call, operation
from drachm.adapters.rest.service.money_shapes import Sum, faulty, sum_of
from drachm.adapters.rest.service.register_shapes import alone
from drachm.adapters.rest.service.shapes import Money, Page, Shape, View
from drachm.adapters.rest.service.wallet_records import KIND, members_of, record_of
from drachm.adapters.rest.transport.problems import Problem
from drachm.application.records import Record
from drachm.domain.clearing.numbers import total_number
from drachm.domain.errors import InvalidMessage
from drachm.domain.funding.allotment import admission
from drachm.domain.funding.model import Pot
from drachm.domain.funding.quota import CATEGORIES_MAX, LIMITS_MAX, Every, Limit, Terms, checked_terms, quota_key

_PAGE: Final = 100

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
    """A member who draws on a family's pocket."""

    member: str
    limits: list[MemberLimitView]
    paused: bool


class Shared(NamedTuple):
    """A family's pocket."""

    fund: Pot
    record: Record

    @property
    def family(self) -> str:
        return str(self.record.body["family"])


@operation("list_wallet_members", answer=Page[WalletMember])
def list_wallet_members(call: Call) -> Page[WalletMember]:
    """Who draws on a family's pocket, with limits and what is left of them."""
    shared = _shared(call)
    if shared is None:
        call.permit(None)
        raise Problem("not_found")
    fund, record = shared
    members = members_of(call, record)
    reach = call.permit(call.resource(fund.id, parties=record.parties, members=members))
    shown = members if sees_all(reach.everything or bool(reach.parties), record, reach.members) else reach.members
    admitted = [pot for member in sorted(members & shown) for pot in [admitted_as(call, fund.id, member)] if pot]
    return Page(data=[_view(call, pot) for pot in admitted], next=None)


@operation("set_wallet_member", body=TermsShape, answer=WalletMember)
@alone
def set_wallet_member(call: Call) -> WalletMember:
    """Give a member of the family these terms, in the place of earlier ones; who was taken out is let in again."""
    shared = _decided_on(call)
    fund, member = shared.fund, call.path["member_id"]
    if member not in {one.id for one in call.market.register.family(shared.family)}:
        raise Problem("not_found")
    body: TermsShape = call.body
    for at, one in enumerate(body.limits):
        if one.amount.currency != fund.currency:
            raise faulty(f"/limits/{at}/amount/currency", "the wallet is in another currency", "invalid_money")
    limits = tuple(Limit(one.amount.micros, one.every, one.zone, tuple(one.categories)) for one in body.limits)
    try:
        terms = checked_terms(Terms(limits, body.paused), where="/limits")
    except InvalidMessage as error:
        raise faulty("/limits", error.message) from None
    _let_in(call, shared, member, terms)
    return _view(call, _admission(shared, member, terms))


@operation("remove_wallet_member")
@alone
def remove_wallet_member(call: Call) -> None:
    """Take a member out; what was paid for them stays paid. Taking out who is out already changes nothing."""
    shared, member = _decided_on(call), call.path["member_id"]
    if member not in shared.record.members:
        raise Problem("not_found")
    _take_out(call, shared.fund.id, member)


def admit_to_wallets(call: Call, family: str, member: str) -> None:
    """Who joined a family draws on its pockets from now on; who comes back finds the limits of then."""
    for shared in _pockets_of(call, family):
        earlier = [pot.terms for pot in call.market.register.pots(member) if pot.fund == shared.fund.id and pot.terms]
        _let_in(call, shared, member, earlier[0]._replace(ended=False) if earlier else Terms())


def take_out_of_wallets(call: Call, family: str, member: str) -> None:
    """Who left a family draws on its pockets no more."""
    for shared in _pockets_of(call, family):
        _take_out(call, shared.fund.id, member)


def sees_all(funder: bool, record: Record, members: frozenset[str]) -> bool:
    """Whether somebody who reaches a pocket as its funder, or as these members, sees what each member does with it."""
    return funder or record.body.get("holder") in members


def admitted_as(call: Call, fund: str, member: str) -> Pot | None:
    """How a member is admitted to a pocket; None for who is not, or no more."""
    pots = [pot for pot in call.market.register.pots(member) if pot.fund == fund]
    return next((pot for pot in pots if pot.terms is None or not pot.terms.ended), None)


def _shared(call: Call) -> Shared | None:
    return _shared_as(call, record_of(call, call.path["wallet_id"]))


def _shared_as(call: Call, record: Record | None) -> Shared | None:
    if record is None or not record.body.get("family"):
        return None
    found = call.market.money.purses(ids=[record.id], limit=1)
    return Shared(found[0].pot, record) if found else None


def _decided_on(call: Call) -> Shared:
    """The pocket of the path, if the caller decides who may take how much."""
    shared = _shared(call)
    if shared is None:
        call.permit(None)
        raise Problem("not_found")
    fund, record = shared
    holder = frozenset({str(record.body.get("holder") or "")}) & members_of(call, record)
    call.permit(call.resource(fund.id, parties=record.parties, members=holder))
    return shared


def _pockets_of(call: Call, family: str) -> Iterator[Shared]:
    after = ""
    while page := call.market.records.find(KIND, after=after, limit=_PAGE, terms=[family_term(family)]):
        found = [_shared_as(call, record) for record in page]
        yield from [shared for shared in found if shared is not None]
        after = page[-1].id


def family_term(family: str) -> str:
    """By which word the pockets of a family are found."""
    return f"family={family}"


def _admission(shared: Shared, member: str, terms: Terms) -> Pot:
    return admission(shared.fund, member, priority=int(shared.record.body.get("priority", 0)), terms=terms)


def _let_in(call: Call, shared: Shared, member: str, terms: Terms) -> None:
    record = shared.record
    if member not in record.members:
        call.market.records.put([replace(record, members=record.members | {member}, author=call.caller.subject)])
    call.market.desk.books.enrol(pots=[_admission(shared, member, terms)])


def _take_out(call: Call, fund: str, member: str) -> None:
    pot = admitted_as(call, fund, member)
    if pot is not None:
        call.market.desk.books.enrol(pots=[pot._replace(terms=(pot.terms or Terms())._replace(ended=True))])


def _view(call: Call, pot: Pot) -> WalletMember:
    terms, tenant = pot.terms or Terms(), call.market.desk.books.tenant
    keys = [quota_key(pot.fund, limit, pot.member, call.at) for limit in terms.limits]
    numbers = [total_number(tenant, key) for key in keys]
    used, _ = call.market.money.stand(numbers, ())
    limits = []
    for limit, key, number in zip(terms.limits, keys, numbers, strict=True):
        spent = used.get(number, 0)
        limits.append(
            MemberLimitView(
                amount=Money(micros=limit.amount, currency=pot.currency),
                every=limit.every,
                zone=limit.zone,
                categories=list(limit.categories),
                period=key.period,
                used=sum_of(spent, pot.currency),
                left=sum_of(max(0, limit.amount - spent), pot.currency),
            )
        )
    return WalletMember(member=pot.member, limits=limits, paused=terms.paused)
