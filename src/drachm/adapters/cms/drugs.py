"""What does Medicare pay for drugs given by a practitioner?

Reads the payment limits by average sales price (ASP): a limit for one billing unit of the code (its dosage), in tenths
of a cent, so the line is rounded after the units are counted. The patient's part differs from drug to drug since 2023
(section 1847A(i) of the Social Security Act); it stands in the item's facts as `coinsurance_ppm`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from drachm.adapters.cms import codes
from drachm.adapters.cms.tables import exists, millionths, rows

DRUG_LIMITS = "cms_asp_drug_limits_2025q1.csv"
DESCRIPTORS = "hcpcs_level2_short_descriptors_2025a.csv"

_PERCENT = 100


def read_drug_limits(folder: Path) -> dict[str, Any]:
    """The drug limits as the figures of a price book document."""
    names = short_names(folder)
    items: list[dict[str, Any]] = []
    without: set[str] = set()
    for place, row in rows(folder, DRUG_LIMITS, "hcpcs", "dosage", "payment_limit", "coinsurance_percentage"):
        if row["payment_limit"] == "N/A":
            without.add(row["hcpcs"])
            continue
        item: dict[str, Any] = {
            "system": codes.SYSTEM,
            "code": row["hcpcs"],
            "category": "drug",
            "facts": {
                "dosage": row["dosage"],
                "coinsurance_ppm": millionths(row["coinsurance_percentage"], place) // _PERCENT,
            },
            "rule": {"kind": "per_unit", "each": millionths(row["payment_limit"], place)},
        }
        items.append({**item, "display": names[row["hcpcs"]]} if row["hcpcs"] in names else item)
    return {
        "label": "ASP",
        "code_systems": codes.CODE_SYSTEMS,
        "modifiers": {"not_supported": codes.DRUG_MODIFIERS},
        "items": items,
        "not_priced": {"N/A": {"system": codes.SYSTEM, "why": codes.NO_LIMIT, "codes": sorted(without)}},
    }


def short_names(folder: Path) -> dict[str, str]:
    """Short names of level II codes (public domain; numeric codes have none here)."""
    if not exists(folder, DESCRIPTORS):
        return {}
    return {row["hcpcs"]: row["short_descriptor"] for _, row in rows(folder, DESCRIPTORS, "hcpcs", "short_descriptor")}
