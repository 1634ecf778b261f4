"""What do the codes of the CMS files mean for a price?

Tables only. Sources: Medicare Claims Processing Manual (MCPM, publication 100-04) chapters 12, 13, 20, 23 and 26, and
the record layout that CMS publishes with the relative value files (RVU25A).
"""

from __future__ import annotations

from typing import Final

SYSTEM: Final = "HCPCS"
"""Level I numbers and level II codes stand in one table at CMS, so in one system here."""

CODE_SYSTEMS: Final = {
    SYSTEM: [
        "CPT",
        "http://www.ama-assn.org/go/cpt",
        "http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets",
        "https://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets",
        "https://bluebutton.cms.gov/resources/codesystem/hcpcs",
        "urn:oid:2.16.840.1.113883.6.12",
        "urn:oid:2.16.840.1.113883.6.285",
    ]
}

PAYABLE: Final = frozenset("ART")
"""Active, restricted coverage, injections: the only status codes with a payable value (MCPM 23 section 30.2.2)."""

NOT_PAYABLE: Final = {
    "B": "bundled: its payment is part of the services it belongs to (status B)",
    "C": "priced by each Medicare contractor; no national price is published (status C)",
    "E": "excluded from the physician fee schedule by regulation (status E)",
    "I": "not valid for Medicare, which uses another code for it (status I)",
    "J": "anaesthesia is priced by base units and time, which this price book does not hold (status J)",
    "M": "a measurement code without payment (status M)",
    "N": "not covered by Medicare (status N)",
    "P": "bundled or excluded: no payment of its own (status P)",
    "X": "outside the physician fee schedule by law (status X)",
}
NO_VALUE: Final = "restricted coverage without a published value: each Medicare contractor prices it (status R)"
"""MCPM 23 section 30.2.2: a restricted service without relative values is priced by the contractor; it is not free."""

_FACILITY: Final = "02 19 21 22 23 24 26 31 34 41 42 51 52 53 56 61"
_NON_FACILITY: Final = "01 03 04 09 10 11 12 13 14 15 16 17 18 20 25 27 32 33 49 50 54 55 57 58 60 62 65 66 71 72 81 99"
FACILITY_PLACES: Final = _FACILITY.split()
"""Paid at the facility rate: MCPM 12 section 20.4.2 and 26 section 10.5; 02 is telehealth outside the home."""
NON_FACILITY_PLACES: Final = _NON_FACILITY.split()
"""Paid at the non-facility rate: the same sections; 10 is telehealth at home. 05 to 08 (tribal) are not adjudicated."""

COMPONENT_MODIFIERS: Final = ("26", "TC", "53")
"""Professional part, technical part, broken off: rows of their own in the relative value file."""

_ANAESTHESIA: Final = "the share of an anaesthesia service among practitioners is not supported"
PHYSICIAN_MODIFIERS: Final = {
    "22": "an increased procedure is priced by hand",
    "50": "the bilateral adjustment is not supported",
    "51": "the multiple-procedure reduction is not supported",
    "52": "a reduced service is priced by hand",
    "54": "surgical care without the rest of the global package is not supported",
    "55": "postoperative care alone is not supported",
    "56": "preoperative care alone is not supported",
    "62": "the split between two surgeons is not supported",
    "66": "team surgery is priced by hand",
    "73": "a procedure broken off before anaesthesia is not supported",
    "74": "a procedure broken off after anaesthesia is not supported",
    "78": "the intraoperative part of a return to the operating room is not supported",
    "80": "the assistant surgeon's percentage is not supported",
    "81": "the minimum assistant's percentage is not supported",
    "82": "the assistant surgeon's percentage is not supported",
    "AS": "the assistant's percentage is not supported",
    "AA": _ANAESTHESIA,
    "AD": _ANAESTHESIA,
    "QK": _ANAESTHESIA,
    "QX": _ANAESTHESIA,
    "QY": _ANAESTHESIA,
    "QZ": _ANAESTHESIA,
    "CO": "the reduction for an occupational therapy assistant is not supported",
    "CQ": "the reduction for a physical therapist assistant is not supported",
    "CT": "the reduction for older computed tomography equipment is not supported",
    "FX": "the reduction for X-rays on film is not supported",
    "FY": "the reduction for X-rays by computed radiography is not supported",
}
"""Modifiers that change a payment in a way the relative value file does not price: MCPM 12 section 40 ff."""

LABORATORY_MODIFIERS: Final = {
    "26": "a laboratory rate has no professional part",
    "TC": "a laboratory rate has no technical part",
}
DRUG_MODIFIERS: Final = {
    "26": "a drug limit has no professional part",
    "TC": "a drug limit has no technical part",
}
EQUIPMENT_MODIFIERS: Final = {
    "KJ": "the reduced rent from the fourth month on is not supported",
    "KL": "mail-order supplies have national rates that the file by state does not hold",
    "MS": "the six-monthly maintenance fee is not supported",
    "QA": "the oxygen flow adjustment is not supported",
    "QE": "the oxygen flow adjustment is not supported",
    "QG": "the oxygen flow adjustment is not supported",
    "QR": "the oxygen flow adjustment is not supported",
}
"""MCPM chapter 20: fees that follow from others by rules the file does not state."""

LOCAL_LABORATORY: Final = "priced by each Medicare contractor; no national rate is published (indicator L)"
NO_LIMIT: Final = "no limit by average sales price is published; each Medicare contractor prices it (N/A)"
NO_RATE: Final = "no rate is published for any state"

_REMOTE: Final = "98975 98976 98977 98978 98980 98981 99091 99453 99454 99457 99458 99473 99474"
_REMOTE_MONITORING: Final = frozenset(_REMOTE.split())
_RANGES: Final = (
    ("00100", "01999", "anaesthesia"),
    ("10004", "69990", "procedure"),
    ("70010", "79999", "imaging"),
    ("80047", "89398", "pathology"),
    ("90281", "99199", "medicine"),
    ("99202", "99215", "office_visit"),
    ("99217", "99380", "visit"),
    ("99381", "99397", "preventive"),
    ("99398", "99499", "visit"),
    ("99500", "99607", "medicine"),
)
"""The sections of the numeric codes. A word of the book, not of Medicare: plans say what they make of it."""


def physician_category(code: str) -> str:
    """The benefit category of a physician service; `physician` for codes outside the numeric sections."""
    if code in _REMOTE_MONITORING:
        return "remote_monitoring"
    if code.isdigit():
        return next((word for first, last, word in _RANGES if first <= code <= last), "physician")
    return "physician"
