"""Members: people with cover or pockets, enrolled, found, and joined when two records are one person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any, Final, Literal

from msgspec import Meta, field

from drachm.adapters.rest.identity.decide import Reach
from drachm.adapters.rest.identity.model import Resource
from drachm.adapters.rest.service.call import Call, Reply, operation
from drachm.adapters.rest.service.register_shapes import (
    Facts,
    after,
    alone,
    beside,
    checked_facts,
    day_of,
    keep,
    known_party,
    legible,
    narrowed,
    next_of,
    records_beside,
    require_tag,
    taken,
)
from drachm.adapters.rest.service.shapes import Day, NewId, Page, Shape, View, Word
from drachm.adapters.rest.transport.problems import Problem
from drachm.application.merges import MERGE
from drachm.application.people import PROFILE, described, named, profile_terms, resembling
from drachm.application.records import Record
from drachm.domain.clearing.numbers import patient_number
from drachm.domain.coverage.model import Member
from drachm.domain.errors import Forbidden
from drachm.domain.funding.allotment import MAX_SLICES

Sex = Literal["female", "male", "other", ""]
FOUND_MAX: Final = 50
PersonName = Annotated[str, Meta(max_length=100)]


class FullName(Shape):
    """As it stands on a card; each part may have several words."""

    family: PersonName = ""
    given: PersonName = ""


class Identifier(Shape):
    """A number by which somebody knows the person."""

    system: Annotated[str, Meta(min_length=1, max_length=100, pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/-]*$(?!\n)")]
    """Whose number it is: a URI, an OID or a word such as `ssn`."""
    value: Annotated[str, Meta(min_length=1, max_length=100)]


class PersonContact(Shape):
    """How the person is reached."""

    phone: Annotated[str, Meta(max_length=40)] = ""
    email: Annotated[str, Meta(max_length=200)] = ""
    address: Annotated[list[Annotated[str, Meta(max_length=100)]], Meta(max_length=6)] = field(default_factory=list)
    language: Annotated[str, Meta(max_length=35)] = ""
    """Of text messages and slips, as in HTML (BCP 47); English where it is none of ours."""
    text_messages: bool = True
    """False: this person wants none."""


class NewMember(Shape):
    """A person to enrol."""

    id: NewId | None = None
    """As events will name the person; left out: one is made."""
    registered_by: Word | None = None
    """The clinic or payer that enrols the person; the operator may leave it out."""
    name: FullName | None = None
    birth_date: Day | None = None
    sex: Sex = ""
    identifiers: Annotated[list[Identifier], Meta(max_length=20)] = field(default_factory=list)
    contact: PersonContact | None = None
    facts: Facts = field(default_factory=dict)
    """What plans may ask, such as `income_band`: set by payers and the operator."""
    distinct_from: Annotated[list[Word], Meta(max_length=20)] = field(default_factory=list)
    """Members who look alike and are somebody else: somebody has asked."""


class MemberChange(Shape):
    """What is known better now; what is left out stays, lists are replaced whole."""

    name: FullName | None = None
    birth_date: Day | None = None
    sex: Sex | None = None
    identifiers: Annotated[list[Identifier], Meta(max_length=20)] | None = None
    contact: PersonContact | None = None
    facts: Facts | None = None


class NameWish(Shape):
    """A name as somebody typed it."""

    name: Annotated[str, Meta(min_length=2, max_length=100)]


class MemberView(View):
    """One member, as far as the caller has to do with them. Other clinics and payers are not told."""

    id: str
    name: FullName
    birth_date: str | None
    sex: str
    identifiers: list[Identifier]
    contact: PersonContact | None
    family: str | None
    facts: dict[str, str | int | bool]
    merged_into: str | None
    """As whom the person is known now, when this record was merged into another."""
    version: int


class FoundMembers(View):
    """Who fits a name; fifty at most."""

    data: list[MemberView]


@operation("list_members", answer=Page[MemberView])
def list_members(call: Call) -> Page[MemberView]:
    """Members in order of id."""
    reach, limit, behind = call.reach(), call.limit(), after(call)
    found = call.market.register.members(after=behind, limit=limit, **narrowed(reach))
    ids = [member.id for member in found]
    profiles, merges = records_beside(call, PROFILE, ids, behind), records_beside(call, MERGE, ids, behind)
    views = [view_of(member, profiles[member.id], merges[member.id]) for member in found]
    return Page(data=views, next=next_of(call, ids, limit))


@operation("search_members", body=NameWish, answer=FoundMembers)
def search_members(call: Call) -> FoundMembers:
    """The first fifty who fit. A body, not an address: names do not belong into logs."""
    body: NameWish = call.body
    reach = call.reach()
    ids = named(call.market.records, legible(body.name, "/name", 100))
    found = call.market.register.members(ids=ids, limit=FOUND_MAX, **narrowed(reach)) if ids else []
    return FoundMembers(
        data=[view_of(one, beside(call, PROFILE, one.id), beside(call, MERGE, one.id)) for one in found]
    )


@operation(
    "create_member",
    body=NewMember,
    answer=MemberView,
    status=201,
    problems=("likely_duplicate", "forbidden"),
    tagged=True,
)
@alone
def create_member(call: Call) -> Reply:
    """Enrol a person. Raises Conflict when the id is taken, or when the person seems to be here already."""
    body: NewMember = call.body
    parties = frozenset({body.registered_by} if body.registered_by else ())
    reach = call.permit(call.resource(parties=parties))
    roles = [role for one in parties for role in known_party(call, one, "/registered_by").roles]
    if body.facts and not (reach.everything or "payer" in roles):
        raise Forbidden("facts that plans ask are set by payers and the operator", where="$.facts")
    profile = _profile(body, {})
    if body.id is not None and call.market.register.members(ids=[body.id]):
        raise taken("member")
    alike = resembling(call.market.records, described(profile), but=frozenset(body.distinct_from))
    if alike:
        raise duplicate(alike[0].other)
    name = body.id or call.new_id("mem")
    member = Member(
        name,
        day_of(body.birth_date, "/birth_date"),
        body.sex,
        # Evenly over the slices of whatever fund the person is admitted to.
        shard=patient_number(call.market.desk.books.tenant, name) % MAX_SLICES,
        facts=checked_facts(body.facts, "/facts"),
    )
    kept = {**profile, "distinct": sorted(set(body.distinct_from))}
    record = replace(
        beside(call, PROFILE, member.id),
        body=kept,
        parties=parties,
        members=frozenset({member.id}),
        terms=profile_terms(kept),
    )
    keep(call, record)
    call.market.desk.books.enrol(members=[member])
    return _shown(call, member)


@operation("get_member", answer=MemberView, tagged=True)
def get_member(call: Call) -> Reply:
    """One member."""
    member, _ = permitted(call, call.path["member_id"])
    return _shown(call, member)


@operation("update_member", body=MemberChange, answer=MemberView, tagged=True)
@alone
def update_member(call: Call) -> Reply:
    """Correct what is known of a member."""
    member, _ = permitted(call, call.path["member_id"])
    record = beside(call, PROFILE, member.id)
    require_tag(call, _tag(member, record, beside(call, MERGE, member.id)))
    body: MemberChange = call.body
    kept = {**record.body, **_profile(body, {"sex": member.sex, **record.body})}
    born = day_of(body.birth_date, "/birth_date")
    changed = replace(
        member,
        birth_date=born or member.birth_date,
        sex=member.sex if body.sex is None else body.sex,
        facts=member.facts if body.facts is None else checked_facts(body.facts, "/facts"),
    )
    if changed.birth_date is not None:
        kept["birth_date"] = changed.birth_date.isoformat()
    keep(call, replace(record, body=kept, members=frozenset({member.id}), terms=profile_terms(kept)))
    if changed != member:
        call.market.desk.books.enrol(members=[changed])
    return _shown(call, changed)


def permitted(call: Call, id: str) -> tuple[Member, Reach]:
    """The member, when the caller may do this to them."""
    found = call.market.register.members(ids=[id])
    reach = call.permit(member_resource(call, id) if found else None)
    return found[0], reach


def member_resource(call: Call, id: str) -> Resource:
    """A member for `permit`."""
    # One question for all of the caller's parties: any that has to do with the member will do.
    parties = call.caller.parties
    related = parties and call.market.register.members(ids=[id], parties=parties)
    return call.resource(id, parties=parties if related else frozenset(), members=frozenset({id}))


def duplicate(other: str) -> Problem:
    """The person seems to be here already. The answer names the member's id, nothing else of them."""
    message = f"this may be member {other}: use that id, or name it in distinct_from when it is somebody else"
    location = (b"location", f"/v1/members/{other}".encode())
    return Problem("likely_duplicate", message, headers=[location])


def view_of(member: Member, profile: Record, merge: Record | None = None) -> MemberView:
    """A member for an answer."""
    body = profile.body
    merged = merge is not None and merge.body.get("state") == "merged"
    return MemberView(
        id=member.id,
        name=FullName(**body.get("name", {})),
        birth_date=member.birth_date.isoformat() if member.birth_date else None,
        sex=member.sex,
        identifiers=[Identifier(**one) for one in body.get("identifiers", ())],
        contact=PersonContact(**body["contact"]) if body.get("contact") else None,
        family=member.family or None,
        facts=dict(member.facts),
        merged_into=str(merge.body["into"]) if merge is not None and merged else None,
        version=profile.version,
    )


def _shown(call: Call, member: Member) -> Reply:
    profile, merge = beside(call, PROFILE, member.id), beside(call, MERGE, member.id)
    return Reply(view_of(member, profile, merge), tag=_tag(member, profile, merge))


def _tag(member: Member, profile: Record, merge: Record) -> tuple[object, ...]:
    """Everything that shows in the answer belongs to its version."""
    return member.id, profile.version, merge.version, member.family


def _profile(body: NewMember | MemberChange, before: Mapping[str, Any]) -> dict[str, Any]:
    """What is kept of a person, checked; of a change only what it says, and what searching needs."""
    kept: dict[str, Any] = {"sex": before.get("sex", "") if body.sex is None else body.sex}
    if body.name is not None:
        family, given = legible(body.name.family, "/name/family", 100), legible(body.name.given, "/name/given", 100)
        kept["name"] = {"family": family, "given": given}
    if body.birth_date is not None:
        day_of(body.birth_date, "/birth_date")
        kept["birth_date"] = body.birth_date
    if body.identifiers is not None:
        for at, one in enumerate(body.identifiers):
            legible(one.value, f"/identifiers/{at}/value", 100)
        kept["identifiers"] = [{"system": one.system, "value": one.value} for one in body.identifiers]
    if body.contact is not None:
        contact = body.contact
        lines = [legible(line, f"/contact/address/{at}", 100) for at, line in enumerate(contact.address)]
        phone, email = legible(contact.phone, "/contact/phone", 40), legible(contact.email, "/contact/email", 200)
        language = legible(contact.language, "/contact/language", 35)
        reached = {"phone": phone, "email": email, "address": lines, "language": language}
        kept["contact"] = {**reached, "text_messages": contact.text_messages}
    return kept
