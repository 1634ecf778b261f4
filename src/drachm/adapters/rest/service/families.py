"""Families: members who share what a plan shares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Annotated, Any, Final

from msgspec import Meta, field

from drachm.adapters.rest.service.call import Call, Reply, operation
from drachm.adapters.rest.service.register_shapes import (
    after,
    alone,
    beside,
    day,
    faulty,
    keep,
    narrowed,
    next_of,
    taken,
)
from drachm.adapters.rest.service.shapes import Day, NewId, Page, Shape, View, Word
from drachm.adapters.rest.service.wallet_joining import admit_to_wallets, take_out_of_wallets
from drachm.adapters.rest.transport.problems import Problem
from drachm.application.records import Record
from drachm.domain.coverage.model import Member
from drachm.domain.errors import Conflict, InvalidMessage
from drachm.domain.periods import read_day

KIND: Final = "family"


class Joining(Shape):
    """Somebody who belongs to the family from a day on."""

    member: Word
    from_day: Day
    """Today or earlier; what was cleared since stays as it is."""


class NewFamily(Shape):
    """A family to found."""

    party: Word | None = None
    """The payer that founds it; the operator may leave it out."""
    id: NewId | None = None
    members: Annotated[list[Joining], Meta(max_length=50)] = field(default_factory=list)


class Belonging(View):
    """When somebody belonged to the family; half-open. `from_day` is null when nobody wrote it down."""

    member: str
    from_day: str | None
    until: str | None


class FamilyView(View):
    """A family and who belongs to it, when."""

    id: str
    members: list[Belonging]
    version: int


@operation("list_families", answer=Page[FamilyView])
def list_families(call: Call) -> Page[FamilyView]:
    """Families to which somebody belongs now, in order of id."""
    reach, limit = call.reach(), call.limit()
    found = call.market.register.families(after=after(call), limit=limit, **narrowed(reach))
    return Page(data=[_view(call, beside(call, KIND, one)) for one in found], next=next_of(call, found, limit))


@operation("create_family", body=NewFamily, answer=FamilyView, status=201, tagged=True)
@alone
def create_family(call: Call) -> Reply:
    """Found a family."""
    body: NewFamily = call.body
    parties = frozenset({body.party} if body.party else ())
    named = frozenset(one.member for one in body.members)
    reach = call.permit(call.resource(parties=parties, members=named))
    name = body.id or call.new_id("fam")
    record = beside(call, KIND, name)
    if record.version or call.market.register.family(name):
        raise taken("family")
    if len(named) != len(body.members):
        raise faulty("/members", "somebody is named twice")
    people = _members(call, named, None if reach.everything else reach.parties, "/members")
    joined = [_joined(call, one, f"/members/{at}") for at, one in enumerate(body.members)]
    for member in people:
        if member.family:
            raise _elsewhere()
    written = _kept(call, replace(record, parties=parties), joined, [replace(one, family=name) for one in people])
    return _shown(call, written)


@operation("get_family", answer=FamilyView, tagged=True)
def get_family(call: Call) -> Reply:
    """One family."""
    return _shown(call, _family(call))


@operation("join_family", body=Joining, answer=FamilyView, tagged=True)
@alone
def join_family(call: Call) -> Reply:
    """Add a member from a date on."""
    record = _family(call)
    body: Joining = call.body
    everything = call.permit(_resource(call, record)).everything
    (member,) = _members(call, frozenset({body.member}), None if everything else call.caller.parties, "/member")
    joined = _joined(call, body, "")
    if member.family == record.id:
        return _shown(call, record)
    if member.family:
        raise _elsewhere()
    belongings = [*_belongings(call, record), joined]
    written = _kept(call, record, belongings, [replace(member, family=record.id)])
    admit_to_wallets(call, record.id, replace(member, family=record.id))
    return _shown(call, written)


@operation("leave_family", answer=FamilyView, query={"until": "The first day outside; today when left out."})
@alone
def leave_family(call: Call) -> Reply:
    """End a member's time in a family."""
    record, name = _family(call), call.path["member_id"]
    here = {one.id: one for one in call.market.register.family(record.id)}
    if name not in here:
        # Nobody is told more of who is not in the family than that.
        raise Conflict("this member does not belong to the family now", where="member_id")
    until = call.query.get("until")
    last = _until(until) if until is not None else call.at.date()
    if last > call.at.date():
        raise Problem("bad_request", "a family changes on the day: send it then", where="until")
    belongings = [
        {**one, "until": last.isoformat()} if one["member"] == name and one.get("until") is None else one
        for one in _belongings(call, record)
    ]
    ended = next(one for one in belongings if one["member"] == name and one["until"] == last.isoformat())
    if ended["from_day"] is not None and last <= date.fromisoformat(ended["from_day"]):
        raise Problem("bad_request", "it would end before it begins", where="until")
    # First the money: who is out of the pockets and still of the family can be taken out again.
    take_out_of_wallets(call, record.id, name)
    return _shown(call, _kept(call, record, belongings, [replace(here[name], family="")]))


def _until(text: str) -> date:
    try:
        return read_day(text)
    except InvalidMessage:
        raise Problem("bad_request", "a day such as 2026-01-31 is expected", where="until") from None


def _family(call: Call) -> Record:
    """The family of the path, checked."""
    name = call.path["family_id"]
    record = beside(call, KIND, name)
    there = record.version or call.market.register.family(name)
    call.permit(_resource(call, record) if there else None)
    return record


def _resource(call: Call, record: Record) -> Any:
    """Its members, whoever founded it, and those of the caller's parties that cover somebody in it."""
    register = call.market.register
    people = frozenset(one.id for one in register.family(record.id))
    parties = call.caller.parties
    covering = parties if parties and people and register.members(ids=people, parties=parties) else frozenset()
    return call.resource(record.id, parties=record.parties | covering, members=people)


def _members(call: Call, ids: frozenset[str], parties: frozenset[str] | None, pointer: str) -> list[Member]:
    """These members, whom one of the parties has to do with. Raises the same for others as for those not there."""
    if not ids:
        return []
    reach: Mapping[str, Any] = {} if parties is None else {"parties": parties, "members": ()}
    found = call.market.register.members(ids=ids, limit=len(ids), **reach)
    if len(found) != len(ids):
        raise faulty(pointer, "there is no such member whom you cover")
    return found


def _joined(call: Call, joining: Joining, pointer: str) -> dict[str, str | None]:
    first = day(joining.from_day, f"{pointer}/from_day")
    if first > call.at.date():
        raise faulty(f"{pointer}/from_day", "a family changes on the day: send it then")
    return {"member": joining.member, "from_day": first.isoformat(), "until": None}


def _belongings(call: Call, record: Record) -> list[dict[str, Any]]:
    """What is written down, and those who are registered in the family without it."""
    written = [dict(one) for one in record.body.get("members", ())]
    known = {one["member"] for one in written if one.get("until") is None}
    others = [one.id for one in call.market.register.family(record.id) if one.id not in known]
    return [*written, *({"member": one, "from_day": None, "until": None} for one in others)]


def _kept(call: Call, record: Record, belongings: Sequence[Mapping[str, Any]], changed: Sequence[Member]) -> Record:
    members = frozenset(str(one["member"]) for one in belongings)
    written = keep(call, replace(record, body={"members": [dict(one) for one in belongings]}, members=members))
    if changed:
        call.market.desk.books.enrol(members=changed)
    return written[0]


def _shown(call: Call, record: Record) -> Reply:
    return Reply(_view(call, record), tag=(record.id, record.version))


def _view(call: Call, record: Record) -> FamilyView:
    belongings = [Belonging(**one) for one in _belongings(call, record)]
    return FamilyView(id=record.id, members=belongings, version=record.version)


def _elsewhere() -> Conflict:
    return Conflict(
        "this member belongs to another family", where="$.member", next_step="End the time in that family first."
    )
