"""Which plan document does a payor text mean?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from pathlib import Path

from drachm.adapters import jsonsafe
from drachm.domain.coverage.model import NO_PLAN
from drachm.domain.errors import InvalidMessage, Pended

MAPPING_FILE = "payor-plans.json"

UNKNOWN = "unknown:"
"""Prefix of the plan id of a payor that the mapping does not know; the event then pends with `unknown_plan`."""

Plans = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class PayorPlans:
    """Payor text -> plan document ids in payment order, apart for the two exports."""

    fhir: Plans
    csv: Plans

    @staticmethod
    def read(path: Path) -> PayorPlans:
        """The mapping in a file of the form of ``payor-plans.json``; `InvalidMessage` when it is not of that form."""
        return _from_bytes(path.read_bytes(), path.name)

    @staticmethod
    def default() -> PayorPlans:
        """The mapping that comes with this package."""
        return _default()


def plans_of(payor: str, plans: Plans, where: str) -> tuple[tuple[str, ...], Pended | None]:
    """The plan ids of a payor text; an unknown one gives a plan id that no plan has, and the problem to report."""
    found = plans.get(payor)
    if found is not None:
        return found, None
    return (f"{UNKNOWN}{payor[:80]}",), Pended(
        "unknown_plan",
        f"no plan document is mapped to the payor {payor[:80]!r}",
        where=where,
        next_step="Add the payor to the mapping file (payor-plans.json) and read again.",
    )


@lru_cache(maxsize=1)
def _default() -> PayorPlans:
    data = resources.files("drachm.adapters.synthea").joinpath(MAPPING_FILE).read_bytes()
    return _from_bytes(data, MAPPING_FILE)


def _from_bytes(data: bytes, where: str) -> PayorPlans:
    document = jsonsafe.loads(data, where)
    if not isinstance(document, dict) or set(document) != {"fhir", "csv"}:
        raise _bad_mapping("the document needs exactly the keys fhir and csv", where)
    return PayorPlans(_plans(document["fhir"], f"{where} $.fhir"), _plans(document["csv"], f"{where} $.csv"))


def _plans(section: object, where: str) -> Plans:
    if not isinstance(section, dict):
        raise _bad_mapping("this is not an object", where)
    for payor, ids in section.items():
        if not isinstance(ids, list) or not ids or not all(isinstance(plan, str) and plan for plan in ids):
            raise _bad_mapping("this is not a list of plan ids", f"{where}.{payor[:80]}")
        if NO_PLAN in ids and len(ids) > 1:
            raise _bad_mapping(f"{NO_PLAN!r} stands beside a plan", f"{where}.{payor[:80]}")
    return {payor: tuple(ids) for payor, ids in section.items()}


def _bad_mapping(problem: str, where: str) -> InvalidMessage:
    return InvalidMessage(
        problem, where=where, next_step='Write {"fhir": {"payor text": ["plan-id"]}, "csv": {...}}.', code="bad_mapping"
    )
