"""Who is the patient, and who gave the care?"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from typing import Final

from drachm.adapters.synthea.codes import NPI
from drachm.adapters.synthea.node import Node, is_day, plain_words
from drachm.domain import periods
from drachm.domain.coverage.model import Member, Party
from drachm.domain.errors import DrachmError, InvalidMessage

ORGANIZATION: Final = ("provider", "site")
PRACTITIONER: Final = ("practitioner",)
"""The roles of a party do not depend on the record it was read from."""

SEXES: Final = {"male": "male", "female": "female", "other": "other", "M": "male", "F": "female"}

_LAST_STEP: Final = re.compile(r"(?:.*[/:|])?([A-Za-z0-9.-]{1,64})", re.ASCII)


def read_member(patient: Node) -> tuple[Member, list[DrachmError]]:
    """The member of a Patient resource. A birth date that cannot be read is a problem and stays unknown."""
    problems: list[DrachmError] = []
    born: date | None = None
    try:
        born = _birth_date(patient)
    except InvalidMessage as problem:
        problems.append(problem)
    return Member(patient.need("id").identifier(), born, SEXES.get(patient.said("gender"), "")), problems


def _birth_date(patient: Node) -> date | None:
    found = patient.get("birthDate")
    # A date that stops at the year or month is good FHIR; the age is then unknown.
    if found is None or re.fullmatch(r"\d{4}(-\d{2})?", found.text(), re.ASCII):
        return None
    if not is_day(found.text()):
        raise found.refusal("invalid_time", "this is not a date", "Use a form such as 1991-07-08.")
    return periods.read_day(found.text(), where=found.place)


def reference_id(reference: str) -> str:
    """The id a reference ends with: of ``urn:uuid:x``, ``Type/x``, a URL, or ``Type?identifier=system|x``."""
    match = _LAST_STEP.fullmatch(reference.partition("/_history/")[0])
    return match.group(1) if match else ""


class Parties:
    """Collects the organizations and practitioners that events name."""

    def __init__(self) -> None:
        self._found: dict[str, Party] = {}

    def add(self, reference: Node | None, roles: tuple[str, ...], resource: Node | None) -> str:
        """The party id of a reference, empty without one; the name comes from the resource or the reference."""
        if reference is None:
            return ""
        target = reference.said("reference")
        party_id = reference_id(target)
        if not party_id:
            raise reference.refusal("invalid_id", "the reference names nobody")
        name = reference.said("display")
        npi = party_id if f"{NPI}|" in target else ""
        if resource is not None:
            name = name or _name(resource)
            npi = npi or _npi(resource)
        self.put(party_id, roles, plain_words(name), npi)
        return party_id

    def put(self, party_id: str, roles: tuple[str, ...], name: str, npi: str = "") -> None:
        known = self._found.get(party_id)
        facts = {"npi": npi} if npi else dict(known.facts) if known else {}
        self._found[party_id] = Party(party_id, roles, name or (known.name if known else ""), facts=facts)

    def named(self, ids: Iterable[str]) -> tuple[Party, ...]:
        """The parties with these ids, by id."""
        return tuple(self._found[party_id] for party_id in sorted(set(ids)) if party_id in self._found)


def _name(resource: Node) -> str:
    name = resource.get("name")
    if name is None or isinstance(name.value, str):
        return name.text() if name is not None else ""
    first = name.items()[0] if name.value else None
    if first is None:
        return ""
    words = [*(part.text() for key in ("prefix", "given") for part in first.all(key)), first.said("family")]
    return " ".join(word for word in words if word)


def _npi(resource: Node) -> str:
    return next((i.said("value") for i in resource.all("identifier") if i.said("system") == NPI), "")
