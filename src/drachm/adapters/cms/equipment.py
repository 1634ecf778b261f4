"""What does Medicare pay for equipment and supplies at home?

Reads the DMEPOS fee schedule: a fee by the state of the patient's home, for some items another one in rural areas. 0.00
means that no fee is published, not that the item is free.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from drachm.adapters.cms import codes
from drachm.adapters.cms.tables import Row, millionths, rows

EQUIPMENT_FEES = "cms_dmepos_2025jan.csv"

_ORDINARY: Final = " (NR)"
_RURAL: Final = " (R)"


def read_equipment_fees(folder: Path) -> dict[str, Any]:
    """The equipment schedule as the figures of a price book document."""
    items: list[dict[str, Any]] = []
    without: set[str] = set()
    for place, row in rows(folder, EQUIPMENT_FEES, "HCPCS", "Mod", "Mod2", "JURIS", "CATG", "Description"):
        ordinary, rural = _fees(row, _ORDINARY, place), _fees(row, _RURAL, place)
        if not ordinary and not rural:
            without.add(row["HCPCS"])
            continue
        item = _item(row)
        if ordinary:
            items.append({**item, "rule": {"kind": "lookup", "by": "state", "rows": ordinary}})
        if rural:
            # States without a rural fee keep the ordinary one, so the rural item names its states.
            fits = {"rural": True, "state": sorted(rural)}
            items.append({**item, "when": fits, "rule": {"kind": "lookup", "by": "state", "rows": rural}})
    return {
        "label": "DMEPOS",
        "code_systems": codes.CODE_SYSTEMS,
        "modifiers": {"not_supported": codes.EQUIPMENT_MODIFIERS},
        "items": items,
        "not_priced": {"0.00": {"system": codes.SYSTEM, "why": codes.NO_RATE, "codes": sorted(without)}},
    }


def _fees(row: Row, ending: str, place: str) -> dict[str, int]:
    """State -> fee, for the columns of one kind that hold a fee."""
    fees = {name.removesuffix(ending): millionths(text, place) for name, text in row.items() if name.endswith(ending)}
    return {state: fee for state, fee in fees.items() if fee}


def _item(row: Row) -> dict[str, Any]:
    code = row["HCPCS"]
    item: dict[str, Any] = {
        "system": codes.SYSTEM,
        "code": code,
        "category": "equipment",
        "facts": {"equipment_category": row["CATG"]},
    }
    modifiers = [row[column] for column in ("Mod", "Mod2") if row[column]]
    if modifiers:
        item["modifiers"] = modifiers
    if code[:1].isalpha():  # numeric codes carry no public descriptor
        item["display"] = row["Description"]
    return item
