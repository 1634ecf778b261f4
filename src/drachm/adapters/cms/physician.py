"""What does Medicare pay physicians?

Reads the relative value file (PPRRVU), the geographic indices (GPCI, addendum E) and the imaging caps (OPPSCAP) into
one price book document: amounts are worked out from values, indices and the conversion factor, never stored.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from drachm.adapters.cms import codes
from drachm.adapters.cms.tables import Row, exists, millionths, rows
from drachm.domain.errors import InvalidMessage

Document = dict[str, Any]

RELATIVE_VALUES = "cms_pfs_rvu_2025a.csv"
INDICES = "cms_gpci_2025.csv"
IMAGING_CAPS = "cms_oppscap_2025jan.csv"
PLAIN_WORDS = "rpm_telehealth_codes_2025.csv"

_COLUMNS = (
    "hcpcs", "mod", "status_code", "work_rvu", "nonfac_pe_rvu", "fac_pe_rvu", "mp_rvu", "nonfac_total_rvu",
    "fac_total_rvu", "conv_factor", "opps_nonfac_pe", "opps_fac_pe", "opps_mp",
)  # fmt: skip

NATIONAL = "NATIONAL"
"""A locality whose indices are all 1: the national amounts that CMS prints."""


@dataclass(frozen=True, slots=True)
class Localities:
    """The localities of the index file, and how the cap file names them."""

    table: Mapping[str, Document]
    by_contractor: Mapping[tuple[str, str], str]
    """(contractor, locality number) -> locality."""
    states: Mapping[str, frozenset[str]]
    """Contractor -> the states it serves."""

    def find(self, contractor: str, number: str) -> str | None:
        """The locality a contractor's number means; None when no state of that contractor has the number."""
        exact = self.by_contractor.get((contractor, number))
        if exact is not None:
            return exact
        names = [f"{state}-{number}" for state in sorted(self.states.get(contractor, ()))]
        return next((name for name in names if name in self.table), None)


def read_physician_fees(folder: Path) -> Document:
    """The physician fee schedule as the figures of a price book document (everything but id, version and dates)."""
    localities = read_localities(folder)
    caps = read_imaging_caps(folder, localities)
    words = _plain_words(folder)
    payable: list[tuple[str, Row]] = []
    refused: defaultdict[str, set[str]] = defaultdict(set)
    factors: set[int] = set()
    for place, row in rows(folder, RELATIVE_VALUES, *_COLUMNS):
        status = row["status_code"]
        if status not in codes.PAYABLE:
            refused[status].add(row["hcpcs"])
        elif millionths(row["nonfac_total_rvu"], place) == 0 and millionths(row["fac_total_rvu"], place) == 0:
            refused["R0"].add(row["hcpcs"])
        else:
            payable.append((place, row))
            factors.add(millionths(row["conv_factor"], place))
    if len(factors) != 1:
        raise InvalidMessage(
            f"one conversion factor is expected, {len(factors)} found", where=RELATIVE_VALUES, code="invalid_file"
        )
    return {
        "label": "PFS",
        "code_systems": codes.CODE_SYSTEMS,
        "modifiers": {"significant": list(codes.COMPONENT_MODIFIERS), "not_supported": codes.PHYSICIAN_MODIFIERS},
        "place_of_service": {"facility": codes.FACILITY_PLACES, "non_facility": codes.NON_FACILITY_PLACES},
        "localities": localities.table,
        "conversion_factor": factors.pop(),
        "items": [_item(place, row, caps, words) for place, row in payable],
        "not_priced": _not_priced(refused),
    }


def read_localities(folder: Path) -> Localities:
    """Localities named state and number (`CA-18`), also as contractor and number (`0118218`, `01182-18`).

    A number alone repeats from state to state, so it is read within the site's state; the state alone names its only
    locality.
    """
    work, practice, malpractice = "2025 PW GPCI (with 1.0 Floor)", "2025 PE GPCI", "2025 MP GPCI"
    mac, figures = "Medicare Administrative Contractor (MAC)", (work, practice, malpractice)
    table: dict[str, Document] = {}
    by_contractor: dict[tuple[str, str], str] = {}
    states: defaultdict[str, set[str]] = defaultdict(set)
    of_state: defaultdict[str, list[str]] = defaultdict(list)
    for place, row in rows(folder, INDICES, "State", "Locality Number", "Locality Name", mac, *figures):
        contractor, state, number = row[mac].zfill(5), row["State"], row["Locality Number"].zfill(2)
        name = f"{state}-{number}"
        table[name] = {
            "name": row["Locality Name"].rstrip("*"),
            "also": [f"{contractor}{number}", f"{contractor}-{number}"],
            "work": millionths(row[work], place),
            "practice_expense": millionths(row[practice], place),
            "malpractice": millionths(row[malpractice], place),
        }
        by_contractor[contractor, number] = name
        states[contractor].add(state)
        of_state[state].append(name)
    for state, names in of_state.items():
        if len(names) == 1:
            table[names[0]]["also"].append(state)
    table[NATIONAL] = {"work": 1_000_000, "practice_expense": 1_000_000, "malpractice": 1_000_000}
    return Localities(table, by_contractor, {key: frozenset(found) for key, found in states.items()})


Caps = dict[tuple[str, str], dict[str, tuple[int, int]]]
"""(code, modifier) -> locality -> capped facility and non-facility amount in micros."""


def read_imaging_caps(folder: Path, localities: Localities) -> Caps:
    """Amounts after the outpatient cap, for services with a national price.

    The technical part of imaging is paid at most what the hospital outpatient schedule pays: section 1848(b)(4) of the
    Social Security Act. Rows of contractor-priced services hold the cap alone and are left out with those services.
    """
    caps: Caps = defaultdict(dict)
    columns = ("HCPCS", "MOD", "PROCSTAT", "CARRIER", "LOCALITY", "FACILITY PRICE", "NON-FACILTY PRICE")
    for place, row in rows(folder, IMAGING_CAPS, *columns):
        if row["PROCSTAT"] not in codes.PAYABLE:
            continue
        contractor, number = row["CARRIER"].zfill(5), row["LOCALITY"].zfill(2)
        locality = localities.find(contractor, number)
        if locality is None:
            raise InvalidMessage(f"no locality {contractor}-{number}", where=place, code="invalid_file")
        amounts = millionths(row["FACILITY PRICE"], place), millionths(row["NON-FACILTY PRICE"], place)
        known = caps[row["HCPCS"], row["MOD"]].setdefault(locality, amounts)
        # California stands in the file twice, under both numbers of its contractor.
        if known != amounts:
            raise InvalidMessage(f"two caps for locality {locality}", where=place, code="invalid_file")
    return caps


def _item(place: str, row: Row, caps: Caps, words: Mapping[str, str]) -> Document:
    code, modifier = row["hcpcs"], row["mod"]
    rule: Document = {
        "kind": "relative_value",
        "work": millionths(row["work_rvu"], place),
        "facility_pe": millionths(row["fac_pe_rvu"], place),
        "non_facility_pe": millionths(row["nonfac_pe_rvu"], place),
        "malpractice": millionths(row["mp_rvu"], place),
    }
    cap = caps.get((code, modifier))
    item: Document = {"system": codes.SYSTEM, "code": code, "category": codes.physician_category(code)}
    item["rule"] = {"kind": "lesser_of", "of": [rule, _cap_rule(place, row, cap)]} if cap else rule
    if modifier:
        item["modifiers"] = [modifier]
    if code in words:
        item["display"] = words[code]
    return item


def _cap_rule(place: str, row: Row, cap: Mapping[str, tuple[int, int]]) -> Document:
    """The published caps by locality; where none is published, the cap's own relative values."""
    facility, non_facility = (
        {"kind": "lookup", "by": "locality", "rows": {name: cap[name][index] for name in sorted(cap)}}
        for index in (0, 1)
    )
    practice = {
        "facility_pe": millionths(row["opps_fac_pe"], place),
        "non_facility_pe": millionths(row["opps_nonfac_pe"], place),
    }
    if all(practice.values()):
        values = {"work": millionths(row["work_rvu"], place), "malpractice": millionths(row["opps_mp"], place)}
        facility["otherwise"] = non_facility["otherwise"] = {"kind": "relative_value", **values, **practice}
    if facility == non_facility:
        return facility
    return {"kind": "lookup", "by": "setting", "rows": {"facility": facility, "non_facility": non_facility}}


def _not_priced(refused: Mapping[str, set[str]]) -> Document:
    groups = {}
    for status, found in sorted(refused.items()):
        why = codes.NO_VALUE if status == "R0" else codes.NOT_PAYABLE.get(status, f"no payable value (status {status})")
        groups[status] = {"system": codes.SYSTEM, "why": why, "codes": sorted(found)}
    return groups


def _plain_words(folder: Path) -> dict[str, str]:
    if not exists(folder, PLAIN_WORDS):
        return {}
    named = rows(folder, PLAIN_WORDS, "hcpcs", "plain_words")
    return {row["hcpcs"]: row["plain_words"] for _, row in named if row["plain_words"]}
