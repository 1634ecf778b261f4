"""Do adapter and engine say what the naive rules of names.md say? Compares every name the rules give, to the micro."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from names_rules import Case, work_out

from drachm.adapters.vectors.compute import compute
from drachm.adapters.vectors.read import read_case


def disagreements(case: Case) -> list[str]:
    """Names on which both calculations differ, with both values; empty when they agree."""
    computed = compute(read_case(case, 0))
    found = []
    for name, value in work_out(case).items():
        expected, got = in_micros(value), computed.get(name)
        if name == "reject_reason":
            got = set(got) if isinstance(got, list) else {got}
        if isinstance(expected, dict) and isinstance(got, dict):
            got = {key: got.get(key) for key in expected}
        if got != expected:
            found.append(f"{name}: rules say {expected}, computed {got}")
    return found


def in_micros(value: Any) -> Any:
    """Fractions of a currency unit as micros, inside lists and objects too."""
    if isinstance(value, Fraction):
        scaled = value * 1_000_000
        return int(scaled) if scaled.denominator == 1 else value
    if isinstance(value, list):
        return [in_micros(item) for item in value]
    if isinstance(value, dict):
        return {key: in_micros(item) for key, item in value.items()}
    return value
