"""Which patients, covers and events does a Synthea CSV export hold?

The events are the CHARGE rows of claims_transactions; the other tables say what was charged, when, where and who was
insured with whom. Tables are held in memory, so one folder is one unit of work.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Final

from drachm.adapters.synthea import codes
from drachm.adapters.synthea.amounts import csv_number, quantity, submitted
from drachm.adapters.synthea.csv_coverage import NO_INSURANCE, Transition, coverages_of
from drachm.adapters.synthea.csv_tables import Row, rows, table_path
from drachm.adapters.synthea.model import SOURCE, PatientBundle
from drachm.adapters.synthea.node import instant, plain_words
from drachm.adapters.synthea.payors import Plans
from drachm.adapters.synthea.people import ORGANIZATION, PRACTITIONER, SEXES, Parties
from drachm.domain import periods
from drachm.domain.coverage.model import Member
from drachm.domain.errors import DrachmError, InvalidMessage
from drachm.domain.events.model import Code, ServiceEvent

CURRENCY: Final = "USD"
"""The export names no currency; Synthea's price tables are in US dollars."""

_ESSENTIAL: Final = ("patients", "claims_transactions")
_ENCOUNTER_COLUMNS: Final = ("ID", "START", "STOP", "PATIENT", "ORGANIZATION", "PROVIDER", "ENCOUNTERCLASS", "CODE")
_TRANSITION_COLUMNS: Final = ("PATIENT", "MEMBERID", "START_YEAR", "END_YEAR", "PAYER", "SECONDARY_PAYER")
_PAYMENTS: Final = frozenset({"PAYMENT", "TRANSFERIN", "TRANSFEROUT"})
"""What Synthea says became of a charge: our own plans and pots decide that."""
_INSURANCE: Final = "PRIMARYPATIENTINSURANCEID"
_NOBODY: Final = ("", "0")
"""What Synthea writes where nobody insures."""
_KINDS: Final = {"medications": "drug", "procedures": "procedure", "immunizations": "immunization"}
_DIAGNOSES: Final = tuple(f"DIAGNOSIS{number}" for number in range(1, 9))
_POINTERS: Final = tuple(f"DIAGNOSISREF{number}" for number in range(1, 5))


@dataclass(slots=True)
class Tables:
    """The tables by the ids that join them."""

    payers: dict[str, str] = field(default_factory=dict)
    encounters: dict[str, Row] = field(default_factory=dict)
    claims: dict[str, Row] = field(default_factory=dict)
    kinds: dict[tuple[str, str], str] = field(default_factory=dict)
    charges: dict[str, list[Row]] = field(default_factory=dict)
    transitions: dict[str, list[Transition]] = field(default_factory=dict)
    parties: Parties = field(default_factory=Parties)


def is_csv_folder(folder: Path) -> bool:
    """Whether this folder itself holds a CSV export with payments."""
    return all(table_path(folder, table) is not None for table in _ESSENTIAL)


def is_part_of_csv(folder: Path) -> bool:
    """Whether this folder itself holds tables of such an export."""
    return any(table_path(folder, table) is not None for table in (*_ESSENTIAL, "claims", "encounters"))


def read_csv_folder(folder: Path, plans: Plans) -> Iterator[PatientBundle]:
    """One bundle for each row of patients.csv, then one without member for the problems that belong to no patient."""
    problems: list[DrachmError] = []
    members: dict[str, Member] = {}
    columns = ("ID", "BIRTHDATE", "GENDER")
    for row in rows(folder, "patients", columns, problems):
        try:
            name = row.identifier("ID")
            if name in members:
                raise row.refusal("ID", "duplicate_id", "this patient stands twice", "Send it once.")
            members[name] = Member(name, None, SEXES.get(row["GENDER"], ""))
            if row["BIRTHDATE"]:
                born = periods.read_day(row["BIRTHDATE"], where=row.where("BIRTHDATE"))
                members[name] = replace(members[name], birth_date=born)
        except InvalidMessage as problem:
            problems.append(problem)
    tables = _read_tables(folder, set(members), problems)
    for name, member in members.items():
        yield _bundle(member, tables, plans, folder.name, tables.charges.get(name, []))
    if problems:
        yield PatientBundle(None, (), (), (), tuple(problems), folder.name)


def _read_tables(folder: Path, members: set[str], problems: list[DrachmError]) -> Tables:
    tables = Tables()
    for row in rows(folder, "payers", ("ID", "NAME"), problems):
        tables.payers[row["ID"]] = plain_words(row["NAME"])
    _index(folder, "encounters", _ENCOUNTER_COLUMNS, tables.encounters, problems)
    _index(folder, "claims", ("ID", "PATIENTID", _INSURANCE, *_DIAGNOSES), tables.claims, problems)
    problems += [
        claim.refusal(_INSURANCE, "unknown_payer", "the payer is not in payers.csv", "Add the payer.")
        for claim in tables.claims.values()
        if claim[_INSURANCE] not in _NOBODY and claim[_INSURANCE] not in tables.payers
    ]
    for table, kind in _KINDS.items():
        for row in rows(folder, table, ("ENCOUNTER", "CODE"), problems):
            tables.kinds.setdefault((row["ENCOUNTER"], row["CODE"]), kind)
    _read_charges(folder, members, tables, problems)
    for row in rows(folder, "payer_transitions", _TRANSITION_COLUMNS, problems):
        try:
            transition = Transition.of(row, tables.payers)
            tables.transitions.setdefault(row["PATIENT"], []).append(transition)
        except InvalidMessage as problem:
            problems.append(problem)
    for table, roles in (("organizations", ORGANIZATION), ("providers", PRACTITIONER)):
        if table_path(folder, table) is not None:
            for row in rows(folder, table, ("ID", "NAME"), problems):
                tables.parties.put(row["ID"], roles, plain_words(row["NAME"]))
    return tables


def _index(
    folder: Path, table: str, columns: tuple[str, ...], found: dict[str, Row], problems: list[DrachmError]
) -> None:
    for row in rows(folder, table, columns, problems):
        try:
            if row.identifier("ID") in found:
                raise row.refusal("ID", "duplicate_id", "this id stands twice in the table", "Send it once.")
            found[row["ID"]] = row
        except InvalidMessage as problem:
            problems.append(problem)


def _read_charges(folder: Path, members: set[str], tables: Tables, problems: list[DrachmError]) -> None:
    columns = (
        "CLAIMID", "CHARGEID", "PATIENTID", "TYPE", "AMOUNT", "PROCEDURECODE", "MODIFIER1", "MODIFIER2",
        *_POINTERS, "UNITS", "NOTES", "APPOINTMENTID",
    )  # fmt: skip
    for row in rows(folder, "claims_transactions", columns, problems):
        kind = row["TYPE"]
        if kind in _PAYMENTS:
            continue
        if kind != "CHARGE":
            words = f"CHARGE, {', '.join(sorted(_PAYMENTS))}"
            problems.append(row.refusal("TYPE", "not_a_charge", f"{kind[:20]!r} is not read", f"Use one of {words}."))
        elif row["PATIENTID"] in members:
            tables.charges.setdefault(row["PATIENTID"], []).append(row)
        else:
            problems.append(
                row.refusal("PATIENTID", "unknown_member", "the patient is not in patients.csv", "Add the patient.")
            )


def _bundle(member: Member, tables: Tables, plans: Plans, source_file: str, charges: list[Row]) -> PatientBundle:
    problems: list[DrachmError] = []
    found: list[tuple[datetime, int, ServiceEvent]] = []
    seen: set[str] = set()
    for row in charges:
        try:
            event = _event(row, member.id, tables, problems)
            if event.event_id in seen:
                raise row.refusal("CHARGEID", "duplicate_id", "this charge stands twice", "Send it once.")
            seen.add(event.event_id)
            found.append((event.started_at, int(row["CHARGEID"]), event))
        except InvalidMessage as problem:
            problems.append(problem)
    # CHARGEID counts the patient's transactions in the order in which Synthea made them.
    found.sort(key=lambda entry: entry[:2])
    events = tuple(event for _, _, event in found)
    visits = [(event.started_at, str(event.facts["payor"])) for event in events]
    where = f"{source_file} patient {member.id}"
    coverages, more = coverages_of(member.id, tables.transitions.get(member.id, []), visits, plans, where)
    named = {party for event in events for party in (event.billing_party, event.rendering_party, event.site)}
    return PatientBundle(member, coverages, tables.parties.named(named), events, (*problems, *more), source_file)


def _event(row: Row, member: str, tables: Tables, problems: list[DrachmError]) -> ServiceEvent:
    claim = _joined(row, "CLAIMID", tables.claims, "unknown_claim")
    encounter = _joined(row, "APPOINTMENTID", tables.encounters, "unknown_visit")
    for other, column in ((claim, "PATIENTID"), (encounter, "PATIENT")):
        if other[column] != member:
            raise row.refusal("PATIENTID", "unknown_member", "claim, visit and charge name different patients")
    if not row["CHARGEID"].isascii() or not row["CHARGEID"].isdigit() or len(row["CHARGEID"]) > 18:
        raise row.refusal("CHARGEID", "invalid_id", "the charge has no number", "Number the charges of a claim.")
    visit_class = encounter.token("ENCOUNTERCLASS")
    word = codes.encounter_class(visit_class, encounter["CODE"])
    kind = "visit" if row["PROCEDURECODE"] == encounter["CODE"] else tables.kinds.get(
        (encounter["ID"], row["PROCEDURECODE"]), "other"
    )  # fmt: skip
    start, stop = _times(encounter)
    diagnoses = tuple(code for column in _DIAGNOSES if (code := claim.token(column)))
    return ServiceEvent(
        source=SOURCE,
        event_id=f"{row['CLAIMID']}#{row['CHARGEID']}",
        kind="charge",
        member=member,
        code=Code(codes.KIND_SYSTEMS[kind], row.identifier("PROCEDURECODE")),
        currency=CURRENCY,
        started_at=start,
        ended_at=stop,
        modifiers=tuple(code for column in ("MODIFIER1", "MODIFIER2") if (code := row.token(column))),
        quantity=_quantity(row),
        billed=submitted(csv_number(row["AMOUNT"], row.where("AMOUNT")), CURRENCY, row.where("AMOUNT")),
        billing_party=encounter.token("ORGANIZATION"),
        rendering_party=encounter.token("PROVIDER"),
        site=encounter.token("ORGANIZATION"),
        visit=encounter["ID"],
        claim=row["CLAIMID"],
        line=row["CHARGEID"],
        diagnoses=diagnoses,
        diagnosis_pointers=_pointers(row, len(diagnoses), problems),
        emergency=word == "emergency",
        display=plain_words(row["NOTES"]),
        facts={
            "category": codes.line_category(kind, codes.visit_category(word, encounter["CODE"])),
            "line_kind": kind,
            "visit_class": visit_class,
            "encounter_class": word,
            "payor": _payor(claim[_INSURANCE], tables),
        },
    )


def _payor(name: str, tables: Tables) -> str:
    """Empty where the payer is not in its table: the claim's row says so already."""
    return NO_INSURANCE if name in _NOBODY else tables.payers.get(name, "")


def _joined(row: Row, column: str, table: dict[str, Row], code: str) -> Row:
    found = table.get(row[column])
    if found is None:
        raise row.refusal(column, code, "the row it names is not in its table", "Send the tables of one export.")
    return found


def _times(encounter: Row) -> tuple[datetime, datetime | None]:
    start = instant(encounter["START"], encounter.where("START"))
    stop = instant(encounter["STOP"], encounter.where("STOP")) if encounter["STOP"] else None
    if stop is not None and stop < start:
        raise encounter.refusal("STOP", "invalid_time", "the end lies before the start", "Correct the times.")
    return start, stop


def _quantity(row: Row) -> int:
    return quantity(csv_number(row["UNITS"], row.where("UNITS")), row.where("UNITS"))


def _pointers(row: Row, diagnoses: int, problems: list[DrachmError]) -> tuple[int, ...]:
    """Which of the claim's diagnoses the charge treats; one that is not there is named, and the charge goes on."""
    known = {str(number): number for number in range(1, diagnoses + 1)}
    for column in _POINTERS:
        if row[column] and row[column] not in known:
            words = f"the claim has {diagnoses} diagnoses, and none is number {row[column][:20]!r}"
            problems.append(row.refusal(column, "out_of_range", words, "Point to a diagnosis of the claim."))
    return tuple(known[row[column]] for column in _POINTERS if row[column] in known)
