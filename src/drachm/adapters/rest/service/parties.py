"""Parties of the tenant: who gives care, who pays, who funds, who employs."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, Final, Literal

from msgspec import Meta, field

from drachm.adapters.rest.service.call import Call, Reply, operation
from drachm.adapters.rest.service.register_shapes import (
    Facts,
    after,
    alone,
    beside,
    checked_facts,
    checked_zone,
    faulty,
    keep,
    legible,
    next_of,
    owned_facts,
    records_beside,
    taken,
)
from drachm.adapters.rest.service.shapes import Name, NewId, Page, Shape, View
from drachm.adapters.rest.transport.problems import Problem
from drachm.application.records import Record
from drachm.domain.coverage.model import Party
from drachm.domain.coverage.npi import is_npi

KIND: Final = "party"
ROLES: Final = ("provider", "payer", "funder", "employer")
PartyRole = Literal["provider", "payer", "funder", "employer"]
Npi = Annotated[str, Meta(max_length=20, description="National Provider Identifier: ten digits, the last a check.")]


class Contact(Shape):
    """How a party is reached in the open."""

    phone: Annotated[str, Meta(max_length=40)] = ""
    email: Annotated[str, Meta(max_length=200)] = ""
    address: Annotated[list[Annotated[str, Meta(max_length=100)]], Meta(max_length=6)] = field(default_factory=list)


class NewParty(Shape):
    """A party to register."""

    roles: Annotated[list[PartyRole], Meta(min_length=1, max_length=4)]
    name: Name
    id: NewId | None = None
    """As events will name it; left out: one is made."""
    zone: Annotated[str, Meta(max_length=64, description="IANA time zone in which its days begin.")] = "UTC"
    npi: Npi | None = None
    facts: Facts = field(default_factory=dict)
    contact: Contact | None = None


class PartyChange(Shape):
    """What shall be said of a party from now on; what is left out stays."""

    roles: Annotated[list[PartyRole], Meta(min_length=1, max_length=4)] | None = None
    name: Name | None = None
    zone: Annotated[str, Meta(max_length=64)] | None = None
    npi: Npi | None = None
    facts: Facts | None = None
    contact: Contact | None = None


class PartyView(View):
    """A party as the directory shows it."""

    id: str
    roles: list[str]
    name: str
    zone: str
    npi: str | None
    facts: dict[str, str | int | bool]
    contact: Contact | None
    version: int


class NpiQuestion(Shape):
    npi: Annotated[str, Meta(max_length=40)]


class NpiAnswer(View):
    """Whether the number is one that may exist; whether it does, only its register knows."""

    npi: str
    well_formed: bool


@operation("list_parties", answer=Page[PartyView], query={"role": "Only parties with this role."})
def list_parties(call: Call) -> Page[PartyView]:
    """Everybody in the directory, in order of id."""
    call.reach()
    role = call.query.get("role")
    if role is not None and role not in ROLES:
        raise Problem("bad_request", f"a role is one of {', '.join(ROLES)}", where="role")
    limit, behind = call.limit(), after(call)
    found = call.market.register.parties(after=behind, limit=limit, roles=(role,) if role else ROLES)
    records = records_beside(call, KIND, [party.id for party in found], behind)
    views = [view_of(party, records[party.id]) for party in found]
    return Page(data=views, next=next_of(call, [party.id for party in found], limit))


@operation("create_party", body=NewParty, answer=PartyView, status=201, tagged=True)
@alone
def create_party(call: Call) -> Reply:
    """Register a party. Raises Conflict when the id is taken."""
    call.permit(call.resource())
    body: NewParty = call.body
    party = Party(
        body.id or call.new_id("pty"),
        tuple(sorted(set(body.roles))),
        legible(body.name, "/name", 200),
        checked_zone(body.zone, "/zone"),
        with_npi(checked_facts(body.facts, "/facts"), body.npi),
    )
    return _kept(call, enrol_new(call, party, KIND, {"contact": contact_of(body.contact)}, party.id), party)


@operation("get_party", answer=PartyView, tagged=True)
def get_party(call: Call) -> Reply:
    """One party of the directory."""
    party, record = _party(call)
    return _kept(call, record, party)


@operation("update_party", body=PartyChange, answer=PartyView, problems=("forbidden",), tagged=True)
@alone
def update_party(call: Call) -> Reply:
    """Change what the directory says; roles and facts only as the operator."""
    party, record = _party(call)
    reach = call.permit(call.resource(party.id, parties=frozenset({party.id})))
    body: PartyChange = call.body
    owned_facts(reach, body.roles is not None or body.facts is not None)
    call.require_version(party.id, record.version)
    facts = party.facts if body.facts is None else {**checked_facts(body.facts, "/facts"), **_npi_of(party)}
    changed = replace(
        party,
        roles=party.roles if body.roles is None else tuple(sorted(set(body.roles))),
        name=party.name if body.name is None else legible(body.name, "/name", 200),
        zone=party.zone if body.zone is None else checked_zone(body.zone, "/zone"),
        facts=with_npi(dict(facts), body.npi),
    )
    contact = record.body.get("contact") if body.contact is None else contact_of(body.contact)
    written = keep(call, replace(record, body={"contact": contact}, parties=frozenset({party.id})))
    call.market.desk.books.enrol(parties=[changed])
    return _kept(call, written[0], changed)


@operation("check_npi", body=NpiQuestion, answer=NpiAnswer)
def check_npi(call: Call) -> NpiAnswer:
    """The check digit of an NPI."""
    call.permit(None)
    return NpiAnswer(npi=legible(call.body.npi, "/npi", 40), well_formed=is_npi(call.body.npi))


def enrol_new(call: Call, party: Party, kind: str, body: dict[str, Any], owner: str) -> Record:
    """Write a new party, site or practitioner with what is kept beside it. Raises Conflict when the id is taken."""
    if call.market.register.parties(ids=[party.id]):
        raise taken(kind)
    record = replace(beside(call, kind, party.id), body=body, parties=frozenset({owner}))
    written = keep(call, replace(record, terms=frozenset({f"party={owner}"})))
    call.market.desk.books.enrol(parties=[party])
    return written[0]


def with_npi(facts: dict[str, Any], npi: str | None, pointer: str = "/npi") -> dict[str, Any]:
    """The facts with a checked NPI among them."""
    given = facts.get("npi") if npi is None else npi
    if given is None:
        return facts
    if not isinstance(given, str) or not is_npi(given):
        raise faulty(pointer, "an NPI has ten digits, begins with 1 or 2, and its last digit checks the others")
    return {**facts, "npi": given}


def contact_of(contact: Contact | None) -> dict[str, Any] | None:
    """A contact as it is kept."""
    if contact is None:
        return None
    lines = [legible(line, f"/contact/address/{at}", 100) for at, line in enumerate(contact.address)]
    phone, email = legible(contact.phone, "/contact/phone", 40), legible(contact.email, "/contact/email", 200)
    return {"phone": phone, "email": email, "address": lines}


def view_of(party: Party, record: Record) -> PartyView:
    """A party for an answer."""
    contact = record.body.get("contact")
    npi = party.facts.get("npi")
    return PartyView(
        id=party.id,
        roles=list(party.roles),
        name=party.name,
        zone=party.zone,
        npi=str(npi) if npi is not None else None,
        facts={name: fact for name, fact in party.facts.items() if name != "npi"},
        contact=Contact(**contact) if contact else None,
        version=record.version,
    )


def _party(call: Call) -> tuple[Party, Record]:
    """The party of the path; sites and practitioners have addresses of their own."""
    name = call.path["party_id"]
    found = call.market.register.parties(ids=[name], roles=ROLES)
    call.permit(call.resource(name, parties=frozenset({name})) if found else None)
    return found[0], beside(call, KIND, name)


def _npi_of(party: Party) -> dict[str, Any]:
    return {"npi": party.facts["npi"]} if "npi" in party.facts else {}


def _kept(call: Call, record: Record, party: Party) -> Reply:
    return Reply(view_of(party, record), tag=(party.id, record.version))
