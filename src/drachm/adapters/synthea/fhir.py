"""Which patients, covers and events does one FHIR record hold?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from drachm.adapters.synthea.claims import ClaimEvents, patient_of, read_claim
from drachm.adapters.synthea.coverage import coverages_of, runs_of
from drachm.adapters.synthea.model import PatientBundle
from drachm.adapters.synthea.node import Node
from drachm.adapters.synthea.payors import Plans
from drachm.adapters.synthea.people import Parties, read_member
from drachm.adapters.synthea.record import Record
from drachm.domain.coverage.model import Member
from drachm.domain.errors import DrachmError, InvalidMessage


@dataclass(frozen=True, slots=True)
class Explanation:
    """What an ExplanationOfBenefit adds to its claim."""

    payor: str
    total: Node | None


def read_record(record: Record, plans: Plans) -> Iterator[PatientBundle]:
    """One bundle for each Patient of the record, then one without a member when other problems are left."""
    left = [*record.problems, *record.unread()]
    members: dict[str, Member] = {}
    problems: dict[str, list[DrachmError]] = {}
    for patient in record.of_type("Patient"):
        try:
            member, found = read_member(patient)
        except InvalidMessage as problem:
            left.append(problem)
            continue
        members[member.id], problems[member.id] = member, found
    parties = Parties()
    explanations = _explanations(record, left)
    claims: dict[str, list[ClaimEvents]] = {name: [] for name in members}
    for claim in record.of_type("Claim"):
        owner = ""
        try:
            owner = _owner(claim, record, members)
            explained = explanations.get(claim.need("id").text(), Explanation("", None))
            claims[owner].append(read_claim(claim, record, owner, explained.payor, explained.total, parties))
        except InvalidMessage as problem:
            problems.get(owner, left).append(problem)
    only = len(members) == 1
    for name, member in members.items():
        more = left if only else []
        yield _bundle(member, claims[name], plans, [*more, *problems[name]], parties, record.source_file)
    if left and not only:
        yield PatientBundle(None, (), (), (), tuple(left), record.source_file)


def _owner(claim: Node, record: Record, members: dict[str, Member]) -> str:
    record.find(claim.need("patient"), "Patient")
    owner = patient_of(claim)
    if owner not in members:
        raise claim.need("patient").refusal(
            "unknown_member", "the patient of the claim is not in this record", "Send the patient with the claim."
        )
    return owner


def _explanations(record: Record, problems: list[DrachmError]) -> dict[str, Explanation]:
    found: dict[str, Explanation] = {}
    for explanation in record.of_type("ExplanationOfBenefit"):
        try:
            claim = record.find(explanation.need("claim"), "Claim")
            if claim is None:
                raise explanation.need("claim").refusal("unknown_claim", "the claim is not in this record")
            name = claim.need("id").text()
            if name in found:
                raise explanation.need("claim").refusal(
                    "duplicate_id", "this claim is explained already", "Send one explanation of benefits a claim."
                )
            found[name] = Explanation(_payor(explanation), _submitted_total(explanation))
        except InvalidMessage as problem:
            problems.append(problem)
    return found


def _payor(explanation: Node) -> str:
    """The payor of the contained Coverage (there is no other); else what the insurance or the insurer is called."""
    for resource in explanation.all("contained"):
        if resource.said("resourceType") == "Coverage":
            return resource.said("payor", "display")
    return explanation.said("insurance", "coverage", "display") or explanation.said("insurer", "display")


def _submitted_total(explanation: Node) -> Node | None:
    for total in explanation.all("total"):
        if total.said("category", "coding", "code") == "submitted":
            return total.get("amount")
    return None


def _bundle(
    member: Member,
    claims: list[ClaimEvents],
    plans: Plans,
    problems: list[DrachmError],
    parties: Parties,
    source_file: str,
) -> PatientBundle:
    # A pharmacy claim has no explanation of benefits: the cover of the visits holds for it, its own text only when
    # there is no visit at all.
    visits = [claim for claim in claims if not claim.pharmacy] or claims
    runs = runs_of((claim.visit_started_at, claim.payor) for claim in visits)
    coverages, more = coverages_of(member.id, runs, plans, f"{source_file} Patient/{member.id}")
    ordered = sorted(
        ((claim.visit_started_at, event.visit, claim.pharmacy, index, event)
         for index, claim in enumerate(claims) for event in claim.events),
        key=lambda entry: entry[:4],
    )  # fmt: skip
    events = tuple(entry[-1] for entry in ordered)
    named = {party for event in events for party in (event.billing_party, event.rendering_party, event.site)}
    return PatientBundle(member, coverages, parties.named(named), events, (*problems, *more), source_file)
