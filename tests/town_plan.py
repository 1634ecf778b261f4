"""The plans of the small town that stories are told in: what its insurance pays, and what the town hall adds."""

from __future__ import annotations

from typing import Any

from drachm.domain.money import MICROS

PLAN: dict[str, Any] = {
    "id": "town-plan",
    "version": "2026.1",
    "payer": "town-insurance",
    "currency": "USD",
    "zone": "America/New_York",
    "effective": {"from": "2025-01-01"},
    "facts": {"category": {"type": "text", "default": "other"}},
    "accumulators": [
        {"id": "deductible", "scope": "person", "period": "benefit_year", "feeds": [{"of": "deductible"}]},
        {"id": "oop", "scope": "person", "period": "benefit_year", "feeds": [{"of": "cost_share"}]},
    ],
    "steps": [
        {"id": "free", "kind": "pay", "when": {"category": "preventive"}, "clause": "1"},
        {"id": "cosmetic", "kind": "exclude", "when": {"category": "cosmetic"}, "clause": "2"},
        {
            "id": "deductible",
            "kind": "deductible",
            "limits": [{"accumulator": "deductible", "limit": 10 * MICROS}],
            "clause": "3",
        },
        {"id": "share", "kind": "coinsurance", "ppm": 200_000, "clause": "4"},
        {
            "id": "most",
            "kind": "out_of_pocket_max",
            "limits": [{"accumulator": "oop", "limit": 50 * MICROS}],
            "clause": "5",
        },
    ],
    "text": {"3": "You pay the first 10 dollars of a year.", "4": "You pay one fifth."},
}
HELP: dict[str, Any] = {
    "id": "town-help",
    "version": "1",
    "payer": "town-hall",
    "currency": "USD",
    "zone": "America/New_York",
    "effective": {"from": "2025-01-01"},
    "steps": [{"id": "half", "kind": "pay", "ppm": 500_000, "clause": "1"}],
    "remainder": "patient",
}
