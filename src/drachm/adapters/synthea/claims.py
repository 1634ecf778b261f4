"""Which events does one FHIR Claim hold?

One event per priced item and one for the base visit fee, which no item carries: the claim's total less its items. A
pharmacy claim is one event of its total. The events of a claim sum to its rounded total, or the claim is refused whole.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from drachm.adapters.synthea import amounts, codes
from drachm.adapters.synthea.model import SOURCE
from drachm.adapters.synthea.node import Node, plain_words
from drachm.adapters.synthea.people import Parties, reference_id
from drachm.adapters.synthea.record import Record
from drachm.domain import money
from drachm.domain.errors import InvalidMessage
from drachm.domain.events.model import UNIT, Code, Fact, ServiceEvent


@dataclass(slots=True)
class Priced:
    """One line of a claim before it becomes an event."""

    id: str
    line: str
    kind: str
    code: Node
    billed: int
    quantity: int = UNIT
    unit: str = "each"


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
    currency, asked = _total(claim, total)
    pharmacy = claim.get("prescription") is not None
    if pharmacy:
        lines = [_pharmacy_line(claim, name, record, asked)]
    else:
        lines = _priced_lines(claim, name, record, currency, asked)
    diagnoses = _diagnoses(claim, record)
    shared: dict[str, Any] = {
        "source": SOURCE, "kind": "charge", "member": member, "currency": currency, "visit": visit.id, "claim": name,
        "started_at": visit.started_at, "ended_at": visit.ended_at, "diagnoses": diagnoses, "site": visit.site,
        "billing_party": parties.add(claim.get("provider"), "provider", _provider(claim, record)),
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
        parties.add(site, "site", record.find(site, "Organization")),
        parties.add(practitioner, "practitioner", record.find(practitioner, "Practitioner")),
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


def _total(claim: Node, explained: Node | None) -> tuple[str, int]:
    total = claim.get("total") or explained
    if total is None:
        raise Node(None, f"{claim.place}.total").refusal("missing_field", "neither claim nor explanation has a total")
    return _money(total)


def _money(amount: Node) -> tuple[str, int]:
    currency, value = amount.need("currency"), amount.need("value")
    try:
        money.exponent(currency.text())
    except InvalidMessage as problem:
        raise currency.refusal(problem.code, problem.message, problem.next_step) from None
    return currency.text(), amounts.submitted(value.value, currency.text(), value.place)


def _pharmacy_line(claim: Node, name: str, record: Record, asked: int) -> Priced:
    prescription = claim.need("prescription")
    request = record.find(prescription, "MedicationRequest")
    if request is None:
        raise prescription.refusal("unknown_medication", "the prescription is not in this record", "Send it too.")
    drug = request.get("medicationCodeableConcept")
    if drug is None:
        reference = request.need("medicationReference")
        medication = record.find(reference, "Medication")
        if medication is None:
            raise reference.refusal("unknown_medication", "the medication is not in this record", "Send it too.")
        drug = medication.need("code")
    return Priced(name, "1", "drug", drug, asked)


def _priced_lines(claim: Node, name: str, record: Record, currency: str, asked: int) -> list[Priced]:
    lines: list[Priced] = []
    fee: Priced | None = None
    for item in claim.all("item"):
        sequence = item.need("sequence")
        if isinstance(sequence.value, bool) or not isinstance(sequence.value, int) or not 0 < sequence.value < 100_000:
            raise sequence.refusal("invalid_id", "the sequence is not a positive number", "Number the items from 1.")
        line, net, code = str(sequence.value), item.get("net"), item.need("productOrService")
        if net is not None:
            lines.append(_priced_item(item, net, code, f"{name}#{line}", line, record, currency))
        elif item.all("encounter") and fee is None:
            fee = Priced(f"{name}#base", line, "visit", code, 0)
    if len({line.id for line in lines}) < len(lines):
        raise claim.refusal("duplicate_id", "two items have the same sequence", "Number the items from 1.")
    rest = asked - sum(line.billed for line in lines)
    if fee is not None and rest >= 0:
        fee.billed = rest
        return [fee, *lines]
    return [*([fee] if fee else []), *_settle_residue(claim, lines, rest, money.minor_unit(currency))]


def _priced_item(item: Node, net: Node, code: Node, event_id: str, line: str, record: Record, currency: str) -> Priced:
    item_currency, billed = _money(net)
    if item_currency != currency:
        raise net.need("currency").refusal(
            "currency_mismatch", "the item is not in the currency of the claim", "Bill a claim in one currency."
        )
    quantity, unit = _quantity(item)
    return Priced(event_id, line, _line_kind(item, code, record), code, billed, quantity, unit)


def _settle_residue(claim: Node, lines: list[Priced], rest: int, unit: int) -> list[Priced]:
    """Let the last lines carry what rounding each item left between their sum and the total: under a unit an item."""
    if abs(rest) > unit * len(lines):
        raise Node(None, f"{claim.place}.total").refusal(
            "invalid_amount", "the total is not the sum of the items and a visit fee", "Correct the total or the items."
        )
    for line in reversed(lines):
        part = max(rest, -line.billed)
        line.billed += part
        rest -= part
    return lines


def _line_kind(item: Node, code: Node, record: Record) -> str:
    system = code.said("coding", "system")
    if item.all("procedureSequence"):
        return "procedure"
    if system in codes.SYSTEM_KINDS:
        return codes.SYSTEM_KINDS[system]
    return "visit" if item.all("encounter") else "other"


def _quantity(item: Node) -> tuple[int, str]:
    quantity = item.get("quantity")
    if quantity is None:
        return UNIT, "each"
    value = quantity.need("value")
    return amounts.quantity(value.value, value.place), plain_words(quantity.said("unit"))[:32] or "each"


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
