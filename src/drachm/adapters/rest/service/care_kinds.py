"""What are kinds of care called on a page? The words that price books and plans use for them, in words of people."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from drachm.adapters.rest.service.speech import N_, gettext

KINDS: Final = {
    "primary_care": N_("Visits to your doctor"),
    "specialist": N_("Visits to a specialist"),
    "telehealth": N_("Video visits"),
    "remote_monitoring": N_("Readings from home"),
    "drug": N_("Medicine"),
    "lab": N_("Lab tests"),
    "imaging": N_("Scans and X-rays"),
    "preventive": N_("Check-ups and shots"),
    "emergency": N_("Emergency care"),
    "inpatient": N_("Days in hospital"),
    "equipment": N_("Aids and devices"),
    "antenatal": N_("Care in pregnancy"),
    "dental": N_("Teeth"),
    "mental_health": N_("Care for your mind"),
    "reproductive": N_("Birth control and pregnancy"),
    "sexual_health": N_("Sexual health"),
    "substance_use": N_("Help with drugs or alcohol"),
    "cosmetic": N_("Care for looks"),
    "other": N_("Other care"),
}
"""Others are shown as they are written."""


def kind_said(kind: str) -> str:
    """A kind of care in words."""
    return gettext(KINDS[kind]) if kind in KINDS else kind.replace("_", " ")


def kinds_to_choose(more: Collection[str] = ()) -> list[tuple[str, str]]:
    """Every kind that can be chosen, with its words; `more`: those in use besides, in this person's own wishes."""
    return [(one, kind_said(one)) for one in [*KINDS, *sorted(set(more) - set(KINDS))]]
