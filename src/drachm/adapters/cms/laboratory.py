"""What does Medicare pay for clinical laboratory tests?

Reads the clinical laboratory fee schedule (CLFS): one national rate a test, no coinsurance and no deductible for the
patient (section 1833(a)(1)(D) of the Social Security Act), which plans see by the category `lab`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from drachm.adapters.cms import codes
from drachm.adapters.cms.tables import millionths, rows

LABORATORY_RATES = "cms_clfs_2025q1.csv"


def read_laboratory_rates(folder: Path) -> dict[str, Any]:
    """The laboratory schedule as the figures of a price book document."""
    items: list[dict[str, Any]] = []
    local: set[str] = set()
    for place, row in rows(folder, LABORATORY_RATES, "hcpcs", "mod", "indicator", "rate"):
        rate = millionths(row["rate"], place)
        if rate == 0:
            local.add(row["hcpcs"])
            continue
        item = {
            "system": codes.SYSTEM,
            "code": row["hcpcs"],
            "category": "lab",
            "rule": {"kind": "fixed", "amount": rate},
        }
        items.append({**item, "modifiers": [row["mod"]]} if row["mod"] else item)
    return {
        "label": "CLFS",
        "code_systems": codes.CODE_SYSTEMS,
        "modifiers": {"not_supported": codes.LABORATORY_MODIFIERS},
        "items": items,
        "not_priced": {"L": {"system": codes.SYSTEM, "why": codes.LOCAL_LABORATORY, "codes": sorted(local)}},
    }
