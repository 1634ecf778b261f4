"""Which events does one FHIR Claim hold?

The lines are priced in `claim_lines`; here they get their visit, member, payor, codes and parties. A claim with a fault
is refused whole: it gives no event.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from drachm.adapters.synthea import codes
from drachm.adapters.synthea.claim_lines import Priced, price_lines
from drachm.adapters.synthea.model import SOURCE
from drachm.adapters.synthea.node import Node, plain_words
from drachm.adapters.synthea.people import ORGANIZATION, PRACTITIONER, Parties, reference_id
from drachm.adapters.synthea.record import Record
from drachm.domain.events.model import Code, Fact, ServiceEvent


@dataclass(frozen=True, slots=True)
class Visit:
    """What the lines of a claim share."""

    id: str
    started_at: datetime
    ended_at: datetime | None
    visit_class: str
    encounter_class: str
    category: str
    site: str
    rendering_party: str


@dataclass(frozen=True, slots=True)
class ClaimEvents:
    """The events of one claim; `pharmacy` claims have no explanation of benefits."""

    claim: str
    payor: str
    pharmacy: bool
    visit_started_at: datetime
    events: tuple[ServiceEvent, ...] = field(default=())


def read_claim(
    claim: Node, record: Record, member: str, payor: str, total: Node | None, parties: Parties
) -> ClaimEvents:
    """The events of a claim in the order of its lines, base visit fee first.

    `payor` is the text of its explanation of benefits (empty: the claim's own), `total` that document's submitted
    total. Raises `InvalidMessage` naming the faulty element; then the claim gives no event.
    """
    _refuse_inactive(claim)
    name = claim.need("id").identifier()
    visit = _visit(claim, record, parties)
    payor = plain_words(payor or _own_payor(claim))
    currency, lines = price_lines(claim, name, total, record)
    pharmacy = claim.get("prescription") is not None
    diagnoses = _diagnoses(claim, record)
    shared: dict[str, Any] = {
        "source": SOURCE, "kind": "charge", "member": member, "currency": currency, "visit": visit.id, "claim": name,
        "started_at": visit.started_at, "ended_at": visit.ended_at, "diagnoses": diagnoses, "site": visit.site,
        "billing_party": parties.add(claim.get("provider"), ORGANIZATION, _provider(claim, record)),
        "rendering_party": visit.rendering_party, "emergency": visit.encounter_class == "emergency",
    }  # fmt: skip
    return ClaimEvents(
        name, payor, pharmacy, visit.started_at, tuple(_event(line, visit, payor, shared) for line in lines)
    )


def _event(line: Priced, visit: Visit, payor: str, shared: dict[str, Any]) -> ServiceEvent:
    facts: dict[str, Fact] = {
        "category": codes.line_category(line.kind, visit.category),
        "line_kind": line.kind,
        "visit_class": visit.visit_class,
        "encounter_class": visit.encounter_class,
        "payor": payor,
    }
    coding = line.code.at("coding")
    if coding is None:
        raise line.code.refusal("missing_field", "the code has no coding")
    return ServiceEvent(
        event_id=line.id,
        line=line.line,
        code=Code(coding.need("system").token(), coding.need("code").token()),
        quantity=line.quantity,
        unit=line.unit,
        billed=line.billed,
        display=plain_words(line.code.said("text") or coding.said("display")),
        facts=facts,
        **shared,
    )


def _refuse_inactive(claim: Node) -> None:
    status, use = claim.need("status"), claim.get("use")
    if status.text() != "active":
        raise status.refusal("not_active", f"the claim is {status.text()[:20]!r}", "Send it when it is active.")
    if use is not None and use.text() != "claim":
        raise use.refusal("not_a_charge", f"this is a {use.text()[:20]!r}, not a claim for delivered care")


def _visit(claim: Node, record: Record, parties: Parties) -> Visit:
    reference = next((r for item in claim.all("item") for r in item.all("encounter")), None)
    if reference is None:
        period = claim.need("billablePeriod")
        return Visit("", period.need("start").instant(), _end(period), "", "other", "other", "", "")
    encounter = record.find(reference, "Encounter")
    if encounter is None:
        raise reference.refusal("unknown_visit", "the encounter is not in this record", "Send the encounter too.")
    class_code = encounter.at("class", "code")
    visit_class = class_code.token() if class_code is not None else ""
    type_code = encounter.said("type", "coding", "code")
    word = codes.encounter_class(visit_class, type_code)
    period = encounter.need("period")
    practitioner, site = encounter.at("participant", "individual"), encounter.get("serviceProvider")
    return Visit(
        encounter.need("id").identifier(),
        period.need("start").instant(),
        _end(period),
        visit_class,
        word,
        codes.visit_category(word, type_code),
        parties.add(site, ORGANIZATION, record.find(site, "Organization")),
        parties.add(practitioner, PRACTITIONER, record.find(practitioner, "Practitioner")),
    )


def _end(period: Node) -> datetime | None:
    end = period.get("end")
    found = end.instant() if end is not None else None
    if end is not None and found is not None and found < period.need("start").instant():
        raise end.refusal("invalid_time", "the end lies before the start", "Correct the period.")
    return found


def _provider(claim: Node, record: Record) -> Node | None:
    provider = claim.get("provider")
    return record.find(provider, "Organization") if provider is not None else None


def _own_payor(claim: Node) -> str:
    insurances = claim.all("insurance")
    focal = next((i for i in insurances if (f := i.get("focal")) is not None and f.value is True), None)
    chosen = focal or (insurances[0] if insurances else None)
    return chosen.said("coverage", "display") if chosen is not None else ""


def _diagnoses(claim: Node, record: Record) -> tuple[str, ...]:
    found: list[str] = []
    for diagnosis in claim.all("diagnosis"):
        concept = diagnosis.get("diagnosisCodeableConcept")
        if concept is None:
            # A condition that was not sent along is no reason to refuse the charge.
            condition = record.find(diagnosis.get("diagnosisReference"), "Condition")
            concept = condition.get("code") if condition is not None else None
        code = concept.at("coding", "code") if concept is not None else None
        if code is not None and code.token() not in found:
            found.append(code.token())
    return tuple(found)


def patient_of(claim: Node) -> str:
    """The id of the patient a claim names."""
    return reference_id(claim.need("patient").need("reference").text())
