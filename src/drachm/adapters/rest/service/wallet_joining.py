"""Who comes into a family's pocket, on which consent, and who goes?

An adult is asked, a minor is admitted until coming of age (docs/reference/family.md). Used by the calls about members,
invitations, families and wallets; each of them holds `alone` while it asks here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time
from hashlib import sha256
from typing import Final, NamedTuple

from drachm.adapters.rest.service.call import Call
from drachm.adapters.rest.service.wallet_records import is_shared, members_of, record_of
from drachm.adapters.rest.transport.problems import Problem
from drachm.application.households import (
    WALLET,
    Invitation,
    Membership,
    invitations,
    keep_invitation,
    keep_membership,
    memberships,
)
from drachm.application.records import Record
from drachm.domain.clearing.privacy import JURISDICTION
from drachm.domain.coverage.model import Member
from drachm.domain.funding.allotment import admission
from drachm.domain.funding.joining import ANSWER_WITHIN, GRACE, admitted, of_age_on
from drachm.domain.funding.model import Pot
from drachm.domain.funding.quota import Terms

_PAGE: Final = 100


class Shared(NamedTuple):
    """A pocket that several people draw on."""

    fund: Pot
    record: Record

    @property
    def family(self) -> str:
        """For which it was opened; empty: for a household that invites."""
        return str(self.record.body.get("family") or "")

    @property
    def holder(self) -> str:
        """The member who decides for the others; empty: only its funder does."""
        return str(self.record.body.get("holder") or "")


def shared_pocket(call: Call, wallet: str) -> Shared | None:
    """The shared pocket of this id; None for any other."""
    return shared_as(call, record_of(call, wallet))


def shared_as(call: Call, record: Record | None) -> Shared | None:
    """The pocket of a record."""
    if record is None or not is_shared(record):
        return None
    found = call.market.money.purses(ids=[record.id], limit=1)
    return Shared(found[0].pot, record) if found else None


def decided_on(call: Call, *, wallet: str | None = None, self_too: str = "") -> Shared:
    """The pocket of the path, or this one, if the caller decides who may take how much.

    That is its holder, its funder, or an operator; `self_too`: this member as well, being among those for whom it pays.
    """
    shared = shared_pocket(call, call.path["wallet_id"] if wallet is None else wallet)
    if shared is None:
        call.permit(None)
        raise Problem("not_found")
    here = members_of(call, shared.record)
    deciding = frozenset({shared.holder, self_too} & here)
    call.permit(call.resource(shared.fund.id, parties=shared.record.parties, members=deciding))
    return shared


def pockets_of(call: Call, family: str) -> Iterator[Shared]:
    """The pockets of a family."""
    after = ""
    while page := call.market.records.find(WALLET, after=after, limit=_PAGE, terms=[family_term(family)]):
        found = [shared_as(call, record) for record in page]
        yield from [shared for shared in found if shared is not None]
        after = page[-1].id


def family_term(family: str) -> str:
    """By which word the pockets of a family are found."""
    return f"family={family}"


def place_of(member: Member) -> str:
    """Under which law somebody comes of age."""
    return str(member.facts.get(JURISDICTION, ""))


def ask_or_let_in(call: Call, shared: Shared, member: Member, terms: Terms) -> Membership | Invitation:
    """A minor, and who is in already, is let in on these terms; an adult is asked, by the newest question only."""
    known = memberships(call.market.records, shared.fund.id).get(member.id)
    of_age = of_age_on(member.birth_date, place_of(member), call.at.date())
    if of_age is not None:
        return let_in(call, shared, member, terms, consented=False)
    if known is not None and known.inside:
        one = let_in(call, shared, member, terms, consented=False)
        asked_now = any(
            each.member == member.id and each.stands(call.at)
            for each in invitations(call.market.records, shared.fund.id)
        )
        if asked_now or not known.unheard(call.at.date()):
            return one
    for earlier in invitations(call.market.records, shared.fund.id):
        if earlier.member == member.id and earlier.may_stand(call.at):
            keep_invitation(call.market.records, replace(earlier, state="withdrawn"), call.caller.subject, call.at)
    asked = Invitation(
        call.new_id("inv"),
        shared.fund.id,
        "member",
        member.id,
        terms._replace(until=None, private=()),
        call.at,
        call.at + ANSWER_WITHIN,
        call.caller.subject,
    )
    return keep_invitation(call.market.records, asked, call.caller.subject, call.at)


def let_in(call: Call, shared: Shared, member: Member, terms: Terms, *, consented: bool) -> Membership:
    """Let the pocket pay for somebody from now on, or on other terms than before."""
    records, author, wallet = call.market.records, call.caller.subject, shared.fund.id
    known = memberships(records, wallet).get(member.id)
    of_age = None if consented else of_age_on(member.birth_date, place_of(member), call.at.date())
    if known is not None and known.inside and not consented:
        # Whoever came of age meanwhile stays unheard: other terms are no consent.
        of_age = known.of_age
    one = known or Membership(wallet, member.id, True, call.at, bool(shared.family) and member.family == shared.family)
    if one.version == 0 or not one.inside or one.of_age != of_age:
        of_family = bool(shared.family) and member.family == shared.family
        since = one.since if one.inside else call.at
        one = replace(one, inside=True, since=since, of_family=of_family, of_age=of_age)
        one = keep_membership(records, one, author, call.at)
    if member.id not in shared.record.members:
        changed = replace(shared.record, members=shared.record.members | {member.id}, author=author, at=call.at)
        records.put([changed])
    enrol(call, shared, one, terms)
    if of_age is not None:
        _ask_when_of_age(call, shared, member.id, of_age, terms)
    return one


def take_out(call: Call, shared: Shared, member: str) -> None:
    """Let the pocket pay for somebody no more; what it paid stays paid. Nobody needs to be in it."""
    known = memberships(call.market.records, shared.fund.id).get(member)
    if known is not None and known.inside:
        # What the member let others see ends with it.
        gone = replace(known, inside=False, shares=False)
        keep_membership(call.market.records, gone, call.caller.subject, call.at)
    pot = admitted_as(call, shared.fund.id, member)
    if pot is not None:
        call.market.desk.books.enrol(pots=[pot._replace(terms=(pot.terms or Terms())._replace(ended=True))])


def enrol(call: Call, shared: Shared, one: Membership, terms: Terms) -> None:
    """Write into the register how the pocket pays for a member."""
    priority = int(shared.record.body.get("priority", 0))
    agreed = admitted(terms, one.of_age, one.private)
    call.market.desk.books.enrol(pots=[admission(shared.fund, one.member, priority=priority, terms=agreed)])


def admitted_as(call: Call, fund: str, member: str) -> Pot | None:
    """How a member is admitted to a pocket; None for who is not, or no more."""
    pots = [pot for pot in call.market.register.pots(member) if pot.fund == fund]
    return next((pot for pot in pots if pot.terms is None or not pot.terms.ended), None)


def earlier_terms(call: Call, fund: str, member: str) -> Terms:
    """The terms on which somebody is, or was last, admitted."""
    found = [pot.terms for pot in call.market.register.pots(member) if pot.fund == fund and pot.terms]
    return found[0]._replace(ended=False) if found else Terms()


def admit_to_wallets(call: Call, family: str, member: Member) -> None:
    """Who joined a family is let in, or asked, for each of its pockets; who comes back finds the limits of then."""
    for shared in pockets_of(call, family):
        ask_or_let_in(call, shared, member, earlier_terms(call, shared.fund.id, member.id))


def take_out_of_wallets(call: Call, family: str, member: str) -> None:
    """Who left a family draws on its pockets no more."""
    for shared in pockets_of(call, family):
        take_out(call, shared, member)


def _ask_when_of_age(call: Call, shared: Shared, member: str, of_age: date, terms: Terms) -> None:
    """The question to somebody who is a minor now: it opens on the birthday, and stands as long as the pot pays on."""
    day = datetime.combine(of_age, time(), UTC)
    name = f"inv_{sha256(f'{shared.fund.id} {member}'.encode()).hexdigest()[:26]}"
    known = [one for one in invitations(call.market.records, shared.fund.id) if one.id == name]
    version = known[0].version if known else 0
    asked = Invitation(
        name,
        shared.fund.id,
        "member",
        member,
        terms._replace(until=None, private=()),
        day,
        day + GRACE,
        "",
        version=version,
    )
    if not known or replace(known[0], version=0) != replace(asked, version=0):
        keep_invitation(call.market.records, asked, call.caller.subject, call.at)
