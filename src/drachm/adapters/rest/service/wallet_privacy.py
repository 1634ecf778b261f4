"""What does a member keep from those who pay, and what do they let them see?

Only the member decides, and only the member reads it: not the funder, not the holder, not a relative
(docs/decisions/0024).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from msgspec import Meta, field

from drachm.adapters.rest.service.call import Call, Reply, operation
from drachm.adapters.rest.service.charge_views import Charge, charge_of
from drachm.adapters.rest.service.journal_reading import charge_of_path, newest_of, receipts_of, sees_all
from drachm.adapters.rest.service.money_shapes import faulty
from drachm.adapters.rest.service.register_shapes import alone, require_tag
from drachm.adapters.rest.service.shapes import Shape, View
from drachm.adapters.rest.service.wallet_joining import Shared, admitted_as, enrol, place_of, shared_pocket
from drachm.adapters.rest.service.wallet_members import Category
from drachm.adapters.rest.service.wallet_records import inside
from drachm.adapters.rest.transport.problems import Problem
from drachm.application.households import Membership, keep_membership
from drachm.application.keep_private import keep_private
from drachm.domain.coverage.ages import ALL_CARE, own_secrets
from drachm.domain.coverage.model import Member
from drachm.domain.funding.quota import CATEGORIES_MAX, Terms


class PrivacyShape(Shape):
    """What a member wishes of one pocket."""

    shares: bool = False
    """Let its funder and holder see what the care was, and where. Care that is kept private is never shown."""
    private_categories: Annotated[list[Category], Meta(max_length=CATEGORIES_MAX)] = field(default_factory=list)
    """Kinds of care of which this pocket pays nothing from now on; `*`: all."""


class PrivacyView(View):
    """What a member wishes of one pocket."""

    wallet: str
    member: str
    shares: bool
    private_categories: list[str]
    may_keep_private: list[str]
    """Kinds of care that the member may keep private, by age and law; `*`: all."""


@operation("get_wallet_privacy", answer=PrivacyView, tagged=True)
def get_wallet_privacy(call: Call) -> Reply:
    """The member's own wishes."""
    _, person, one = _own(call)
    return _reply(call, person, one)


@operation("set_wallet_privacy", body=PrivacyShape, answer=PrivacyView, tagged=True)
@alone
def set_wallet_privacy(call: Call) -> Reply:
    """Change them; they hold from the next posting on, and what is shown from now on."""
    shared, person, one = _own(call)
    require_tag(call, _tag(one))
    body: PrivacyShape = call.body
    wished = tuple(dict.fromkeys(body.private_categories))
    allowed = _allowed(call, person)
    if ALL_CARE not in allowed and (beyond := set(wished) - set(allowed)):
        at = next(at for at, word in enumerate(body.private_categories) if word in beyond)
        raise faulty(f"/private_categories/{at}", "the law of the place does not give a minor this right")
    one = replace(one, shares=body.shares, private=wished)
    one = keep_membership(call.market.records, one, call.caller.subject, call.at)
    pot = admitted_as(call, shared.fund.id, person.id)
    enrol(call, shared, one, (pot.terms if pot is not None else None) or Terms())
    return _reply(call, person, one)


@operation("keep_charge_private", answer=Charge, problems=("conflict",))
def keep_charge_private(call: Call) -> Charge:
    """Keep a charge private that was posted: what others paid goes back to them, own pockets pay, the rest is due."""
    looked, reach = charge_of_path(call)
    keep_private(looked.stored, call.market.desk)
    [newest] = newest_of(call.market, [looked.row.key])
    [shown] = receipts_of(call.market, [newest])
    return charge_of(newest, shown, whole=sees_all(call, reach, newest.row))


def _own(call: Call) -> tuple[Shared, Member, Membership]:
    """The pocket and the member of the path, if the caller is that member and the pocket pays for it."""
    call.reach()
    name, shared = call.path["member_id"], shared_pocket(call, call.path["wallet_id"])
    one = inside(call, shared.record).get(name) if shared is not None else None
    call.permit(call.resource(name, members=frozenset({name})) if one is not None else None)
    found = call.market.register.members(ids=[name], limit=1)
    if shared is None or one is None or not found:
        raise Problem("not_found")
    return shared, found[0], one


def _allowed(call: Call, person: Member) -> tuple[str, ...]:
    return own_secrets(person.birth_date, place_of(person), call.at.date())


def _reply(call: Call, person: Member, one: Membership) -> Reply:
    view = PrivacyView(
        wallet=one.wallet,
        member=one.member,
        shares=one.shares,
        private_categories=list(one.private),
        may_keep_private=list(_allowed(call, person)),
    )
    return Reply(view, tag=_tag(one))


def _tag(one: Membership) -> tuple[object, ...]:
    return one.wallet, one.member, "privacy", one.version
