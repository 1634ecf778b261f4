"""Which resources belong together, and what does a reference mean among them?

A `Record` is one Bundle, or the loose resources of one file or folder. Only the resource types that money needs are
kept; clinical types are passed over, types that tell of money in a way that is not read are named, names outside FHIR
R4 are refused.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

from drachm.adapters import jsonsafe
from drachm.adapters.synthea.codes import RESOURCE_TYPES
from drachm.adapters.synthea.node import Node
from drachm.adapters.synthea.people import reference_id
from drachm.domain.errors import DrachmError, InvalidMessage

KEPT: Final = frozenset(
    {
        "Patient", "Encounter", "Claim", "ExplanationOfBenefit", "Condition", "MedicationRequest", "Medication",
        "Immunization", "Organization", "Practitioner",
    }
)  # fmt: skip
MONEY: Final = frozenset(
    {
        "Account", "ChargeItem", "ClaimResponse", "Contract", "Coverage", "CoverageEligibilityResponse",
        "EnrollmentRequest", "Invoice", "PaymentNotice", "PaymentReconciliation",
    }
)  # fmt: skip
"""Types that tell of prices, covers or payments and are not read: charges come as claims, covers by their visits."""


class Record:
    """Resources by type and id, and by the full URL they were sent under."""

    def __init__(self, source_file: str) -> None:
        self.source_file = source_file
        self.problems: list[DrachmError] = []
        self._by_id: dict[tuple[str, str], Node] = {}
        self._by_url: dict[str, Node] = {}
        self._unread: Counter[str] = Counter()

    def __bool__(self) -> bool:
        return bool(self._by_id or self.problems or self._unread)

    def unread(self) -> list[DrachmError]:
        """One problem for each type of resource that tells of money and is not read."""
        return [
            InvalidMessage(
                f"{count} of type {kind} are not read",
                where=self.source_file,
                next_step="Send care that costs money as Claim and ExplanationOfBenefit.",
                code="not_a_charge",
            )
            for kind, count in sorted(self._unread.items())
        ]

    def of_type(self, resource_type: str) -> Iterator[Node]:
        """In the order of the source."""
        return (node for (kind, _), node in self._by_id.items() if kind == resource_type)

    def find(self, reference: Node | None, resource_type: str) -> Node | None:
        """The resource a Reference element names. Naming one of another type is refused (`wrong_resource_type`)."""
        target = reference.said("reference") if reference is not None else ""
        if reference is None or not target or target.startswith("#") or "?" in target:
            return None
        found = self._by_url.get(target)
        if found is None:
            return self._by_id.get((resource_type, reference_id(target)))
        if found.value["resourceType"] != resource_type:
            raise reference.refusal(
                "wrong_resource_type", f"the reference names a {found.value['resourceType']}, not a {resource_type}"
            )
        return found

    def add(self, resource: Any, place: str, full_url: str = "", *, home: str = "") -> None:
        """Keep one resource; a faulty one becomes a problem that names its place.

        Later problems of the resource name `home` (the file or line, default the record's file), type, id and path.
        """
        try:
            self._add(Node(resource, place), full_url, home or self.source_file)
        except InvalidMessage as problem:
            self.problems.append(problem)

    def _add(self, resource: Node, full_url: str, home: str) -> None:
        kind = resource.need("resourceType").text()
        if kind not in RESOURCE_TYPES:
            raise resource.need("resourceType").refusal(
                "unknown_resource_type", f"FHIR R4 has no resource {kind[:40]!r}", "Send resources of FHIR R4 (4.0.1)."
            )
        if kind == "Bundle":
            raise resource.refusal("wrong_resource_type", "a bundle inside a bundle is not read", "Send it by itself.")
        if kind not in KEPT:
            self._unread.update([kind] if kind in MONEY else [])
            return
        name = resource.need("id").identifier()
        if (kind, name) in self._by_id or (full_url and full_url in self._by_url):
            raise resource.refusal("duplicate_id", f"{kind} {name} stands twice in this record", "Send it once.")
        node = Node(resource.value, f"{home} {kind}/{name}")
        self._by_id[kind, name] = node
        if full_url:
            self._by_url[full_url] = node


def read_document(data: bytes, where: str, loose: Record) -> Record | None:
    """The record of a Bundle; any other resource goes to `loose`. Raises `InvalidMessage` for an unreadable document.

    A Bundle with a faulty entry is read without that entry, which becomes a problem of the record.
    """
    try:
        document = jsonsafe.loads(data, where)
    except InvalidMessage as problem:
        return _read_faulty(data, where, problem)
    if not isinstance(document, dict) or document.get("resourceType") != "Bundle":
        loose.add(document, f"{where} $", home=where)
        return None
    record = Record(where)
    _add_entries(record, document.get("entry", []), where)
    return record


def _read_faulty(data: bytes, where: str, problem: InvalidMessage) -> Record:
    try:
        document, entries = jsonsafe.elements(data, where, "entry")
    except InvalidMessage:
        raise problem from None
    if not isinstance(document, dict) or document.get("resourceType") != "Bundle":
        raise problem
    record = Record(where)
    _add_entries(record, entries, where)
    return record


def _add_entries(record: Record, entries: Any, where: str) -> None:
    if not isinstance(entries, list):
        record.problems.append(Node(entries, f"{where} $.entry").refusal("wrong_type", "an array is expected here"))
        return
    for index, entry in enumerate(entries):
        place = f"{where} $.entry[{index}]"
        if isinstance(entry, InvalidMessage):
            record.problems.append(entry)
            continue
        try:
            node = Node(entry, place)
            record.add(node.need("resource").value, f"{place}.resource", node.said("fullUrl"))
        except InvalidMessage as refused:
            record.problems.append(refused)
