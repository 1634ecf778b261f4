"""Which price books follow from a folder of CMS files?

One document per schedule, and one that asks them in turn, because each schedule has its own release rhythm: the drug
limits of a quarter can be replaced without touching the physicians' fees.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any, Final

from drachm.adapters.cms.drugs import read_drug_limits
from drachm.adapters.cms.equipment import read_equipment_fees
from drachm.adapters.cms.laboratory import read_laboratory_rates
from drachm.adapters.cms.physician import read_physician_fees

MEDICARE: Final = "us-medicare"
"""The book that asks all schedules: physicians, laboratory, drugs, equipment."""
PHYSICIANS: Final = f"{MEDICARE}-physicians"
LABORATORY: Final = f"{MEDICARE}-laboratory"
DRUGS: Final = f"{MEDICARE}-drugs"
EQUIPMENT: Final = f"{MEDICARE}-equipment"

_SCHEDULES: Final = (
    (PHYSICIANS, "Medicare physician fee schedule", "2025A", read_physician_fees),
    (LABORATORY, "Medicare clinical laboratory fee schedule", "2025Q1", read_laboratory_rates),
    (DRUGS, "Medicare drug payment limits", "2025Q1", read_drug_limits),
    (EQUIPMENT, "Medicare equipment and supplies fee schedule", "2025-01", read_equipment_fees),
)
_SOURCE: Final = (
    "Centers for Medicare and Medicaid Services, January 2025 release; work of the US government, public domain"
)


def read_cms_2025(folder: Path, *, until: date = date(2026, 1, 1)) -> list[dict[str, Any]]:
    """Price book documents of the CMS files in `folder`, the one that asks all others (`MEDICARE`) last.

    The January release is in force from 2025-01-01 to before `until`: the whole year, unless a later release is loaded
    too and this one is read with an earlier `until`. Raises `InvalidMessage` naming file and line.
    """
    schedules = [
        {**_head(book_id, title, version, until), **read(folder)} for book_id, title, version, read in _SCHEDULES
    ]
    everything = _head(MEDICARE, "Medicare 2025", "2025", until)
    return [*schedules, {**everything, "includes": [schedule["id"] for schedule in schedules]}]


def _head(book_id: str, title: str, version: str, until: date) -> dict[str, Any]:
    return {
        "id": book_id,
        "version": version,
        "title": title,
        "source": _SOURCE,
        "currency": "USD",
        # Schedules change at midnight of the place of care; one zone is named for callers that give no service date.
        "zone": "America/New_York",
        "effective": {"from": "2025-01-01", "until": until.isoformat()},
        "rounding": {"unit": 10_000, "mode": "half_up"},
        "lesser_of_billed": True,
    }
