"""Where a provider gives care, and who gives it. Both are parties, because events name them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Annotated, Any, Final

from msgspec import Meta, field

from drachm.adapters.rest.service.call import Call, Reply, operation
from drachm.adapters.rest.service.parties import Contact, Npi, contact_of, enrol_new, with_npi
from drachm.adapters.rest.service.register_shapes import (
    Facts,
    after,
    alone,
    beside,
    checked_facts,
    checked_zone,
    day_of,
    faulty,
    keep,
    legible,
    next_of,
    owned_facts,
)
from drachm.adapters.rest.service.shapes import Day, Name, NewId, Page, Shape, View
from drachm.application.records import Record
from drachm.domain.coverage.model import Party

SITE: Final = "site"
PRACTITIONER: Final = "practitioner"


class NewSite(Shape):
    """A place where care is given."""

    name: Name
    id: NewId | None = None
    zone: Annotated[str, Meta(max_length=64)] | None = None
    """Left out: the provider's."""
    contact: Contact | None = None
    starts_on: Day | None = None
    ends_on: Day | None = None
    """The first day on which it is closed."""
    facts: Facts = field(default_factory=dict)
    """What prices depend on, such as `locality` or `facility_level`; set by the operator."""


class SiteChange(Shape):
    """What is left out stays."""

    name: Name | None = None
    zone: Annotated[str, Meta(max_length=64)] | None = None
    contact: Contact | None = None
    starts_on: Day | None = None
    ends_on: Day | None = None
    facts: Facts | None = None


class SiteView(View):
    """A place where a provider gives care."""

    id: str
    party: str
    name: str
    zone: str
    contact: Contact | None
    starts_on: str | None
    ends_on: str | None
    facts: dict[str, str | int | bool]
    version: int


class NewPractitioner(Shape):
    """Somebody who gives care."""

    name: Name
    id: NewId | None = None
    npi: Npi | None = None
    specialty: Annotated[str, Meta(max_length=200)] = ""
    starts_on: Day | None = None
    ends_on: Day | None = None
    """The first day after the engagement."""


class PractitionerChange(Shape):
    """What is left out stays."""

    name: Name | None = None
    npi: Npi | None = None
    specialty: Annotated[str, Meta(max_length=200)] | None = None
    starts_on: Day | None = None
    ends_on: Day | None = None


class PractitionerView(View):
    """Who gives care for a provider."""

    id: str
    party: str
    name: str
    npi: str | None
    specialty: str
    starts_on: str | None
    ends_on: str | None
    version: int


@operation(
    "list_sites", answer=Page[SiteView], query={"cursor": "Where the page begins.", "limit": "How many, 1 to 100."}
)
def list_sites(call: Call) -> Page[SiteView]:
    """A provider's sites, in order of id."""
    parties, records, following = _page(call, SITE)
    return Page(data=[_site(parties[one.id], one) for one in records if one.id in parties], next=following)


@operation("create_site", body=NewSite, answer=SiteView, status=201, problems=("forbidden",), tagged=True)
@alone
def create_site(call: Call) -> Reply:
    """Add a site; facts only as the operator."""
    owner = _owner(call)
    body: NewSite = call.body
    owned_facts(call.permit(call.resource(owner.id, parties=frozenset({owner.id}))), body.facts)
    site = Party(
        body.id or call.new_id("ste"),
        (SITE,),
        legible(body.name, "/name", 200),
        owner.zone if body.zone is None else checked_zone(body.zone, "/zone"),
        checked_facts(body.facts, "/facts"),
    )
    kept = {"party": owner.id, "contact": contact_of(body.contact), **_days(body.starts_on, body.ends_on)}
    record = enrol_new(call, site, SITE, kept, owner.id)
    return Reply(_site(site, record), tag=(site.id, record.version))


@operation("update_site", body=SiteChange, answer=SiteView, problems=("forbidden",), tagged=True)
@alone
def update_site(call: Call) -> Reply:
    """Change a site, or end it at a date."""
    site, record = _one(call, SITE, call.path["site_id"])
    body: SiteChange = call.body
    owned_facts(call.permit(_resource(call, record)), body.facts is not None)
    call.require_version(site.id, record.version)
    changed = replace(
        site,
        name=site.name if body.name is None else legible(body.name, "/name", 200),
        zone=site.zone if body.zone is None else checked_zone(body.zone, "/zone"),
        facts=site.facts if body.facts is None else checked_facts(body.facts, "/facts"),
    )
    kept = dict(record.body)
    if body.contact is not None:
        kept["contact"] = contact_of(body.contact)
    written = _written(call, record, kept, body.starts_on, body.ends_on, changed)
    return Reply(_site(changed, written), tag=(site.id, written.version))


@operation(
    "list_practitioners",
    answer=Page[PractitionerView],
    query={"cursor": "Where the page begins.", "limit": "How many, 1 to 100."},
)
def list_practitioners(call: Call) -> Page[PractitionerView]:
    """Who gives care for a provider, in order of id."""
    parties, records, following = _page(call, PRACTITIONER)
    return Page(data=[_practitioner(parties[one.id], one) for one in records if one.id in parties], next=following)


@operation("create_practitioner", body=NewPractitioner, answer=PractitionerView, status=201, tagged=True)
@alone
def create_practitioner(call: Call) -> Reply:
    """Add a practitioner; the NPI is checked."""
    owner = _owner(call)
    body: NewPractitioner = call.body
    facts = with_npi({}, body.npi)
    name = legible(body.name, "/name", 200)
    person = Party(body.id or call.new_id("prc"), (PRACTITIONER,), name, owner.zone, facts)
    kept = {
        "party": owner.id,
        "specialty": legible(body.specialty, "/specialty", 200),
        **_days(body.starts_on, body.ends_on),
    }
    record = enrol_new(call, person, PRACTITIONER, kept, owner.id)
    return Reply(_practitioner(person, record), tag=(person.id, record.version))


@operation("update_practitioner", body=PractitionerChange, answer=PractitionerView, tagged=True)
@alone
def update_practitioner(call: Call) -> Reply:
    """Change a practitioner, or end the engagement at a date."""
    person, record = _one(call, PRACTITIONER, call.path["practitioner_id"])
    body: PractitionerChange = call.body
    call.require_version(person.id, record.version)
    changed = replace(
        person,
        name=person.name if body.name is None else legible(body.name, "/name", 200),
        facts=with_npi(dict(person.facts), body.npi),
    )
    kept = dict(record.body)
    if body.specialty is not None:
        kept["specialty"] = legible(body.specialty, "/specialty", 200)
    written = _written(call, record, kept, body.starts_on, body.ends_on, changed)
    return Reply(_practitioner(changed, written), tag=(person.id, written.version))


def _owner(call: Call) -> Party:
    """The provider of the path, checked."""
    name = call.path["party_id"]
    found = call.market.register.parties(ids=[name])
    call.permit(call.resource(name, parties=frozenset({name})) if found else None)
    return found[0]


def _page(call: Call, kind: str) -> tuple[dict[str, Party], list[Record], str | None]:
    owner, limit = _owner(call), call.limit()
    records = call.market.records.find(kind, after=after(call), limit=limit, terms=[f"party={owner.id}"])
    ids = [one.id for one in records]
    parties = {party.id: party for party in call.market.register.parties(ids=ids, limit=limit)}
    return parties, records, next_of(call, ids, limit)


def _one(call: Call, kind: str, id: str) -> tuple[Party, Record]:
    record = beside(call, kind, id)
    found = call.market.register.parties(ids=[id], roles=(kind,)) if record.version else []
    call.permit(_resource(call, record) if found else None)
    return found[0], record


def _resource(call: Call, record: Record) -> Any:
    return call.resource(record.id, parties=frozenset({str(record.body.get("party", ""))}))


def _written(
    call: Call, record: Record, kept: dict[str, Any], starts_on: str | None, ends_on: str | None, changed: Party
) -> Record:
    days = _days(starts_on or kept.get("starts_on"), ends_on or kept.get("ends_on"))
    written = keep(call, replace(record, body={**kept, **days}))
    call.market.desk.books.enrol(parties=[changed])
    return written[0]


def _days(starts_on: str | None, ends_on: str | None) -> dict[str, str | None]:
    first, end = day_of(starts_on, "/starts_on"), day_of(ends_on, "/ends_on")
    if (first or date.min) >= (end or date.max):
        raise faulty("/ends_on", "it would end before it begins: the end is the first day after")
    return {"starts_on": starts_on, "ends_on": ends_on}


def _site(party: Party, record: Record) -> SiteView:
    body = record.body
    return SiteView(
        id=party.id,
        party=body["party"],
        name=party.name,
        zone=party.zone,
        contact=Contact(**body["contact"]) if body.get("contact") else None,
        starts_on=body.get("starts_on"),
        ends_on=body.get("ends_on"),
        facts=dict(party.facts),
        version=record.version,
    )


def _practitioner(party: Party, record: Record) -> PractitionerView:
    body = record.body
    npi = party.facts.get("npi")
    return PractitionerView(
        id=party.id,
        party=body["party"],
        name=party.name,
        npi=str(npi) if npi is not None else None,
        specialty=body.get("specialty", ""),
        starts_on=body.get("starts_on"),
        ends_on=body.get("ends_on"),
        version=record.version,
    )
