"""The loader and the published schema say the same about a document, and every refusal names its place."""

# A table is read row by row.
# ruff: noqa: E501

from __future__ import annotations

import copy
import json
import random
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from drachm.domain.benefits import load_plan
from drachm.domain.errors import InvalidMessage

SCHEMA = json.loads(resources.files("drachm.domain.benefits").joinpath("plan.schema.json").read_text())
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
SAMPLES = Path(__file__).parents[3] / "samples" / "plans"

FULL: dict[str, Any] = {
    "id": "full-plan.1",
    "version": "2025.1",
    "payer": "fund",
    "currency": "USD",
    "zone": "America/New_York",
    "effective": {"from": "2025-01-01", "until": "2026-01-01"},
    "benefit_year": "07-01",
    "rounding": {"unit": 10_000, "mode": "half_even"},
    "residue": "patient",
    "facts": {
        "network": ["in", "out"],
        "category": {"type": "text", "default": "other"},
        "urgent": "flag",
        "age": {"type": "number", "default": None},
        "income": "money",
        "policy_start": "date",
        "family_size": "number",
    },
    "bands": [{"fact": "age_band", "of": "age", "to": [{"below": 19, "is": "child"}, {"is": "adult"}]}],
    "groups": {"therapy": ["97110", "97140"]},
    "applies": {"not": {"category": "cosmetic"}},
    "takes_over": ["copay"],
    "remainder": "patient",
    "accumulators": [
        {"id": "deductible", "scope": "person", "period": "benefit_year", "by": ["network"], "feeds": [{"of": "deductible"}]},
        {"id": "visits", "scope": "family", "period": {"rolling_days": 30}, "feeds": [{"of": "visits", "when": {"urgent": False}}]},
        {"id": "spend", "scope": "policy", "period": "policy_year", "feeds": [{"of": "covered"}], "third_party_help": "excluded"},
        {"id": "account", "scope": "person", "period": "lifetime", "feeds": [{"of": "paid:account"}]},
        {"id": "capped", "kind": "periods_with_relief", "of": "cap", "window_months": 12},
    ],
    "steps": [
        {"id": "no", "kind": "exclude", "clause": "1", "when": {"category": {"in_group": "therapy"}}, "bearer": "provider"},
        {"id": "wait", "kind": "waiting_period", "clause": "1", "since": "policy_start", "months": 6, "reason": "too_early"},
        {"id": "limit", "kind": "benefit_limit", "clause": "1", "each": 5, "per": "unit", "amount": {"fact": "income", "ppm": 5},
         "limits": [{"accumulator": "spend", "limit": {"base": 1, "per_extra_member": 2, "members_included": 3, "max": 9}}],
         "unit_limits": [{"accumulator": "visits", "limit": 3, "partial": "by_unit"}], "denies": False},
        {"id": "copay", "kind": "copay", "clause": "1", "amount": {"cases": [{"when": {"age_band": "child"}, "value": 1}, {"value": None}]}, "per": "visit"},
        {"id": "rated", "kind": "copay", "clause": "1", "ppm": 100000, "min": 1, "max": None, "of": "cost", "limits": []},
        {"id": "deductible", "kind": "deductible", "clause": "1", "limits": [{"accumulator": "deductible", "limit": 5}],
         "when_used": {"visits": {"below": 3}}},
        {"id": "flat", "kind": "coinsurance", "clause": "1", "component": "own", "ppm": {"cases": [{"when_used": {"capped": {"at_least": 3}}, "value": 0}]}},
        {"id": "banded", "kind": "coinsurance", "clause": "1", "measure": "spend", "of": "open",
         "bands": [{"below": 5, "ppm": 0}, {"below": None, "ppm": None}, {"below": 9, "ppm": 1}, {"ppm": 1000000}]},
        {"id": "pay", "kind": "pay", "clause": "1", "party": "account", "ppm": 5, "when": {"any": [{"urgent": True}, {"age": {"at_least": 2, "below": 9}}]}},
        {"id": "oop", "kind": "out_of_pocket_max", "clause": "1", "limits": [{"accumulator": "spend", "limit": None}], "counts": ["copay"]},
    ],
    "closing_steps": [
        {"id": "cap", "kind": "period_cap", "clause": "1", "pool": {"scope": "family", "period": "month", "by": ["member"]},
         "cap": {"cases": [{"when": {"date": {"at_least": "2025-01-01"}}, "base": 1, "over": 2, "ppm": 3}, {"base": None}]},
         "scale": [{"when": {"urgent": True}, "ppm": 500000}, {"ppm": 1000000}],
         "qualify": {"by": [], "floor": 5, "needs": {"payer_set": "fund"}}, "settle": "refund", "recover": False,
         "counts": ["coinsurance"], "basis": "covered"},
    ],
    "continues": "older",
    "title": "A plan",
    "text": {"1": "Words."},
}  # fmt: skip

SMALL: dict[str, Any] = {key: FULL[key] for key in ("id", "version", "payer", "currency", "zone", "effective")} | {
    "steps": []
}

INDEPENDENT: dict[str, Any] = SMALL | {
    "starts_from": {"greatest": ["own_allowed", "income"], "less": ["earlier_paid"]},
    "facts": {"income": "money"},
    "steps": [{"id": "c", "kind": "coordinate", "clause": "1", "lowest_of": [{"greatest": ["own_benefit"], "less": ["own_cost_share"]}]}],
}  # fmt: skip

GONE = object()


def changed(base: dict[str, Any], path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    """A copy of `base` with the value at `path` replaced, added or removed."""
    document = copy.deepcopy(base)
    target: Any = document
    for part in path[:-1]:
        target = target[part]
    if value is GONE:
        del target[path[-1]]
    elif isinstance(target, list) and path[-1] == len(target):
        target.append(value)
    else:
        target[path[-1]] = value
    return document


def at_path(path: tuple[Any, ...]) -> str:
    return "$" + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)


VALID: dict[str, dict[str, Any]] = {
    "full": FULL,
    "small": SMALL,
    "independent": INDEPENDENT,
    "starts_from remaining": SMALL | {"starts_from": "remaining"},
    "open effective": changed(FULL, ("effective", "until"), GONE),
    "leap day benefit year": FULL | {"benefit_year": "02-29"},
    "empty lists": SMALL | {"facts": {}, "bands": [], "groups": {}, "accumulators": [], "closing_steps": []},
    "empty group": changed(FULL, ("groups", "therapy"), []),
    "empty condition": changed(FULL, ("applies",), {}),
    "takes nothing over": FULL | {"takes_over": []},
    "rounding unit only": FULL | {"rounding": {"unit": 1}},
    "rounding mode only": FULL | {"rounding": {"mode": "down"}},
    "rounding half down": FULL | {"rounding": {"mode": "half_down"}},
    "yen": FULL | {"currency": "JPY"},
    "flag list": changed(FULL, ("steps", 0, "when"), {"urgent": [True, False]}),
    "number equality": changed(FULL, ("steps", 0, "when"), {"age": [1, -2]}),
    "date range": changed(FULL, ("steps", 0, "when"), {"policy_start": {"below": "2025-01-01"}}),
    "text in list": changed(FULL, ("steps", 0, "when"), {"category": ["a", ""]}),
    "text is empty": changed(FULL, ("steps", 0, "when"), {"category": ""}),
    "built-in facts": changed(FULL, ("steps", 0, "when"), {"member": "x", "visit": "", "quantity": 5, "third_party_help": {"below": 1}}),
    "date is built in": changed(FULL, ("steps", 0, "when"), {"date": "2025-01-01"}),
    "no feeds": changed(FULL, ("accumulators", 0, "feeds"), []),
    "last band below null": changed(FULL, ("steps", 7, "bands", 3, "below"), None),
    "one band": changed(FULL, ("steps", 7, "bands"), [{"ppm": 5}]),
    "pay all": changed(FULL, ("steps", 8, "ppm"), GONE),
    "pay amount": changed(changed(FULL, ("steps", 8, "ppm"), GONE), ("steps", 8, "amount"), 5),
    "copay with of": changed(FULL, ("steps", 3, "of"), "cost"),
    "every zone word": FULL | {"zone": "UTC"},
    "cap without cases": changed(FULL, ("closing_steps", 0, "cap"), {"base": {"fact": "income"}, "ppm": None}),
    "words default": changed(FULL, ("facts", "network"), {"type": ["in", "out"], "default": "in"}),
    "date default": changed(FULL, ("facts", "policy_start"), {"type": "date", "default": "2025-01-01"}),
    "flag default": changed(FULL, ("facts", "urgent"), {"type": "flag", "default": True}),
    "negative band bound": changed(FULL, ("bands", 0, "to", 0, "below"), -5),
    "same id for step and accumulator": changed(FULL, ("steps", 0, "id"), "visits"),
}  # fmt: skip

# (base, path to change, new value, path of the refusal, whether the schema alone already refuses it)
INVALID: dict[str, tuple[dict[str, Any], tuple[Any, ...], Any, tuple[Any, ...], bool]] = {
    "unknown key": (FULL, ("color",), 1, ("color",), True),
    "no id": (FULL, ("id",), GONE, (), True),
    "no steps": (FULL, ("steps",), GONE, (), True),
    "id with a slash": (FULL, ("id",), "a/b", ("id",), True),
    "empty id": (FULL, ("id",), "", ("id",), True),
    "empty version": (FULL, ("version",), "", ("version",), True),
    "payer is a number": (FULL, ("payer",), 5, ("payer",), True),
    "payer cannot be stored": (FULL, ("payer",), "a\x00b", ("payer",), False),
    "lone surrogate": (FULL, ("title",), "\ud800", ("title",), False),
    "small currency": (FULL, ("currency",), "usd", ("currency",), True),
    "unknown currency": (FULL, ("currency",), "QQQ", ("currency",), False),
    "unknown zone": (FULL, ("zone",), "Mars/Olympus", ("zone",), False),
    "no effective from": (FULL, ("effective", "from"), GONE, ("effective",), True),
    "impossible day": (FULL, ("effective", "from"), "2025-02-30", ("effective", "from"), False),
    "week day": (FULL, ("effective", "from"), "2025-W01-1", ("effective", "from"), True),
    "until before from": (FULL, ("effective", "until"), "2025-01-01", ("effective", "until"), False),
    "benefit year day": (FULL, ("benefit_year",), "02-30", ("benefit_year",), True),
    "rounding unit zero": (FULL, ("rounding", "unit"), 0, ("rounding", "unit"), True),
    "rounding unit float": (FULL, ("rounding", "unit"), 0.5, ("rounding", "unit"), True),
    "rounding mode": (FULL, ("rounding", "mode"), "nearest", ("rounding", "mode"), True),
    "residue": (FULL, ("residue",), "nobody", ("residue",), True),
    "remainder": (FULL, ("remainder",), "provider", ("remainder",), True),
    "starts_from word": (FULL, ("starts_from",), "cost", ("starts_from",), True),
    "fact named not": (FULL, ("facts", "not"), "flag", ("facts", "not"), True),
    "fact built in": (FULL, ("facts", "member"), "text", ("facts", "member"), True),
    "fact type": (FULL, ("facts", "age"), "integer", ("facts", "age"), True),
    "fact without words": (FULL, ("facts", "network"), [], ("facts", "network"), True),
    "fact words repeat": (FULL, ("facts", "network"), ["in", "in"], ("facts", "network", 1), True),
    "fact without default": (FULL, ("facts", "age"), {"type": "number"}, ("facts", "age"), True),
    "default of another type": (FULL, ("facts", "age", "default"), "5", ("facts", "age", "default"), False),
    "default is no word": (FULL, ("facts", "network"), {"type": ["in"], "default": "out"}, ("facts", "network", "default"), False),
    "band of a text": (FULL, ("bands", 0, "of"), "category", ("bands", 0, "of"), False),
    "band twice": (FULL, ("bands", 0, "fact"), "age", ("bands", 0, "fact"), False),
    "band closed": (FULL, ("bands", 0, "to", 1, "below"), 30, ("bands", 0, "to", 1), False),
    "band open early": (FULL, ("bands", 0, "to", 0, "below"), GONE, ("bands", 0, "to", 0), False),
    "band bounds fall": (FULL, ("bands", 0, "to"), [{"below": 5, "is": "a"}, {"below": 5, "is": "b"}, {"is": "c"}], ("bands", 0, "to", 1), False),
    "group without name": (FULL, ("groups", ""), ["x"], ("groups", ""), True),
    "group of numbers": (FULL, ("groups", "therapy"), [5], ("groups", "therapy", 0), True),
    "undeclared fact": (FULL, ("applies",), {"nobody": 1}, ("applies", "nobody"), False),
    "applies reads payer_set": (FULL, ("applies",), {"any": [{"not": {"payer_set": "x"}}]}, ("applies", "any", 0, "not", "payer_set"), False),
    "word that cannot be": (FULL, ("applies",), {"network": "near"}, ("applies", "network"), False),
    "word that cannot be in a list": (FULL, ("applies",), {"network": ["in", "near"]}, ("applies", "network", 1), False),
    "band word that cannot be": (FULL, ("applies",), {"age_band": "old"}, ("applies", "age_band"), False),
    "flag as number": (FULL, ("applies",), {"urgent": 1}, ("applies", "urgent"), False),
    "number as flag": (FULL, ("applies",), {"age": True}, ("applies", "age"), False),
    "float": (FULL, ("applies",), {"age": 1.5}, ("applies", "age"), True),
    "null": (FULL, ("applies",), {"age": None}, ("applies", "age"), True),
    "empty list": (FULL, ("applies",), {"network": []}, ("applies", "network"), True),
    "empty any": (FULL, ("applies",), {"any": []}, ("applies", "any"), True),
    "any is no list": (FULL, ("applies",), {"any": {}}, ("applies", "any"), True),
    "range of a text": (FULL, ("applies",), {"category": {"below": 5}}, ("applies", "category"), False),
    "range without bound": (FULL, ("applies",), {"age": {}}, ("applies", "age"), True),
    "range with another key": (FULL, ("applies",), {"age": {"above": 5}}, ("applies", "age", "above"), True),
    "day bound for a number": (FULL, ("applies",), {"age": {"below": "2025-01-01"}}, ("applies", "age", "below"), False),
    "number bound for a day": (FULL, ("applies",), {"policy_start": {"below": 5}}, ("applies", "policy_start", "below"), False),
    "unknown group": (FULL, ("applies",), {"category": {"in_group": "x"}}, ("applies", "category", "in_group"), False),
    "group of a number": (FULL, ("applies",), {"age": {"in_group": "therapy"}}, ("applies", "age"), False),
    "group and range": (FULL, ("applies",), {"category": {"in_group": "therapy", "below": 1}}, ("applies", "category", "below"), True),
    "takes over self_pay": (FULL, ("takes_over",), ["self_pay"], ("takes_over", 0), True),
    "takes over twice": (FULL, ("takes_over",), ["copay", "copay"], ("takes_over", 1), True),
    "accumulator twice": (FULL, ("accumulators", 1, "id"), "deductible", ("accumulators", 1), False),
    "accumulator scope": (FULL, ("accumulators", 0, "scope"), "household", ("accumulators", 0, "scope"), True),
    "accumulator period": (FULL, ("accumulators", 0, "period"), "year", ("accumulators", 0, "period"), True),
    "rolling days": (FULL, ("accumulators", 1, "period", "rolling_days"), 1831, ("accumulators", 1, "period", "rolling_days"), True),
    "split by nothing known": (FULL, ("accumulators", 0, "by"), ["where"], ("accumulators", 0, "by", 0), False),
    "split twice": (FULL, ("accumulators", 0, "by"), ["age", "age"], ("accumulators", 0, "by", 1), True),
    "no feeds key": (FULL, ("accumulators", 0, "feeds"), GONE, ("accumulators", 0), True),
    "feed measure": (FULL, ("accumulators", 0, "feeds", 0, "of"), "paid:", ("accumulators", 0, "feeds", 0, "of"), True),
    "third party help": (FULL, ("accumulators", 0, "third_party_help"), "some", ("accumulators", 0, "third_party_help"), True),
    "policy year without start": (FULL, ("facts", "policy_start"), "number", ("accumulators", 2, "period"), False),
    "relief of nothing": (FULL, ("accumulators", 4, "of"), "copay", ("accumulators", 4, "of"), False),
    "relief of a yearly pool": (FULL, ("closing_steps", 0, "pool", "period"), "quarter", ("accumulators", 4, "of"), False),
    "relief of no month": (FULL, ("accumulators", 4, "window_months"), 0, ("accumulators", 4, "window_months"), True),
    "kind of accumulator": (FULL, ("accumulators", 4, "kind"), "total", ("accumulators", 4, "kind"), True),
    "step twice": (FULL, ("steps", 1, "id"), "no", ("steps", 1), False),
    "closing step twice": (changed(FULL, ("accumulators", 4, "of"), "no"), ("closing_steps", 0, "id"), "no", ("closing_steps", 0), False),
    "step without kind": (FULL, ("steps", 0, "kind"), GONE, ("steps", 0), True),
    "step kind": (FULL, ("steps", 0, "kind"), "tax", ("steps", 0, "kind"), True),
    "step without clause": (FULL, ("steps", 0, "clause"), GONE, ("steps", 0), True),
    "step key of another kind": (FULL, ("steps", 0, "amount"), 5, ("steps", 0, "amount"), True),
    "step is a list": (FULL, ("steps", 0), [], ("steps", 0), True),
    "component with a space": (FULL, ("steps", 3, "component"), "own part", ("steps", 3, "component"), True),
    "empty reason": (FULL, ("steps", 3, "reason"), "", ("steps", 3, "reason"), True),
    "bearer": (FULL, ("steps", 0, "bearer"), "payer", ("steps", 0, "bearer"), True),
    "bearer of a copay": (FULL, ("steps", 3, "bearer"), "provider", ("steps", 3, "bearer"), True),
    "since is no date": (FULL, ("steps", 1, "since"), "age", ("steps", 1, "since"), False),
    "months negative": (FULL, ("steps", 1, "months"), -1, ("steps", 1, "months"), True),
    "amount negative": (FULL, ("steps", 3, "amount"), -1, ("steps", 3, "amount"), True),
    "amount beyond exact JSON": (FULL, ("steps", 3, "amount"), 2**53, ("steps", 3, "amount"), True),
    "bound beyond exact JSON": (FULL, ("applies",), {"age": {"at_least": -(2**53)}}, ("applies", "age", "at_least"), True),
    "value beyond exact JSON": (FULL, ("applies",), {"age": 2**53}, ("applies", "age"), True),
    "default beyond exact JSON": (FULL, ("facts", "age", "default"), 10**20, ("facts", "age", "default"), True),
    "amount is a flag": (FULL, ("steps", 3, "amount"), True, ("steps", 3, "amount"), True),
    "amount is text": (FULL, ("steps", 3, "amount"), "5", ("steps", 3, "amount"), True),
    "amount without value": (FULL, ("steps", 3, "amount", "cases", 1, "value"), GONE, ("steps", 3, "amount", "cases", 1), True),
    "amount without cases": (FULL, ("steps", 3, "amount", "cases"), [], ("steps", 3, "amount", "cases"), True),
    "amount of a text": (FULL, ("steps", 3, "amount"), {"fact": "category"}, ("steps", 3, "amount", "fact"), False),
    "amount of nothing known": (FULL, ("steps", 3, "amount"), {"fact": "gold"}, ("steps", 3, "amount", "fact"), False),
    "part above the whole": (FULL, ("steps", 2, "amount", "ppm"), 1_000_001, ("steps", 2, "amount", "ppm"), True),
    "grows without family": (FULL, ("facts", "family_size"), "text", ("steps", 2, "limits", 0, "limit"), False),
    "grows by nothing": (FULL, ("steps", 2, "limits", 0, "limit", "members_included"), GONE, ("steps", 2, "limits", 0, "limit"), True),
    "rate above one": (FULL, ("steps", 4, "ppm"), 1_000_001, ("steps", 4, "ppm"), True),
    "rate above one in a case": (FULL, ("steps", 6, "ppm", "cases", 0, "value"), 1_000_001, ("steps", 6, "ppm", "cases", 0, "value"), True),
    "scale above one": (FULL, ("closing_steps", 0, "scale", 0, "ppm"), 2_000_000, ("closing_steps", 0, "scale", 0, "ppm"), True),
    "limit of nothing known": (FULL, ("steps", 5, "limits", 0, "accumulator"), "gold", ("steps", 5, "limits", 0, "accumulator"), False),
    "limit of a count of months": (FULL, ("steps", 5, "limits", 0, "accumulator"), "capped", ("steps", 5, "limits", 0, "accumulator"), False),
    "limit without limit": (FULL, ("steps", 5, "limits", 0, "limit"), GONE, ("steps", 5, "limits", 0), True),
    "unit limit of money": (FULL, ("steps", 2, "unit_limits", 0, "accumulator"), "spend", ("steps", 2, "unit_limits", 0, "accumulator"), False),
    "unit limit of two feeds": (FULL, ("accumulators", 1, "feeds", 1), {"of": "lines"}, ("steps", 2, "unit_limits", 0, "accumulator"), False),
    "unit limit partial": (FULL, ("steps", 2, "unit_limits", 0, "partial"), "half", ("steps", 2, "unit_limits", 0, "partial"), True),
    "each per what": (FULL, ("steps", 2, "per"), "visit", ("steps", 2, "per"), True),
    "denies what": (FULL, ("steps", 2, "denies"), "yes", ("steps", 2, "denies"), True),
    "when_used of nothing known": (FULL, ("steps", 5, "when_used"), {"gold": {"below": 1}}, ("steps", 5, "when_used", "gold"), False),
    "when_used without bound": (FULL, ("steps", 5, "when_used", "visits"), {}, ("steps", 5, "when_used", "visits"), True),
    "when_used by day": (FULL, ("steps", 5, "when_used", "visits"), {"below": "2025-01-01"}, ("steps", 5, "when_used", "visits", "below"), True),
    "copay of both kinds": (FULL, ("steps", 3, "ppm"), 5, ("steps", 3), True),
    "copay of neither": (FULL, ("steps", 3, "amount"), GONE, ("steps", 3), True),
    "fixed copay with min": (FULL, ("steps", 3, "min"), 5, ("steps", 3), True),
    "rated copay per visit": (FULL, ("steps", 4, "per"), "visit", ("steps", 4), True),
    "coinsurance of both kinds": (FULL, ("steps", 7, "ppm"), 5, ("steps", 7), True),
    "bands without measure": (FULL, ("steps", 7, "measure"), GONE, ("steps", 7), True),
    "measure without bands": (FULL, ("steps", 6, "measure"), "spend", ("steps", 6), True),
    "measure of a count": (FULL, ("steps", 7, "measure"), "visits", ("steps", 7, "measure"), False),
    "measure of a party": (FULL, ("steps", 7, "measure"), "account", ("steps", 7, "measure"), False),
    "bands fall": (FULL, ("steps", 7, "bands", 2, "below"), 5, ("steps", 7, "bands", 2, "below"), False),
    "last band closed": (FULL, ("steps", 7, "bands", 3, "below"), 50, ("steps", 7, "bands", 3, "below"), False),
    "early band open": (FULL, ("steps", 7, "bands", 0, "below"), GONE, ("steps", 7, "bands", 0), False),
    "band without rate": (FULL, ("steps", 7, "bands", 0, "ppm"), GONE, ("steps", 7, "bands", 0), True),
    "no bands": (FULL, ("steps", 7, "bands"), [], ("steps", 7, "bands"), True),
    "of what": (FULL, ("steps", 7, "of"), "billed", ("steps", 7, "of"), True),
    "pay amount and rate": (FULL, ("steps", 8, "amount"), 5, ("steps", 8), True),
    "cap rolling": (FULL, ("closing_steps", 0, "pool", "period"), {"rolling_days": 5}, ("closing_steps", 0, "pool", "period"), True),
    "cap without base": (FULL, ("closing_steps", 0, "cap"), {"over": 5}, ("closing_steps", 0, "cap"), True),
    "cap case without base": (FULL, ("closing_steps", 0, "cap", "cases", 1), {"ppm": 5}, ("closing_steps", 0, "cap", "cases", 1), True),
    "cap with when": (FULL, ("closing_steps", 0, "cap"), {"base": 5, "when": {}}, ("closing_steps", 0, "cap", "when"), True),
    "qualify without by": (FULL, ("closing_steps", 0, "qualify", "by"), GONE, ("closing_steps", 0, "qualify"), True),
    "settle": (FULL, ("closing_steps", 0, "settle"), "later", ("closing_steps", 0, "settle"), True),
    "closing copay": (FULL, ("closing_steps", 0), FULL["steps"][3] | {"id": "last"}, ("closing_steps", 0, "kind"), True),
    "coordinate without independence": (FULL, ("steps", 0), INDEPENDENT["steps"][0], ("steps", 0, "kind"), False),
    "cap in an independent document": (INDEPENDENT, ("closing_steps",), [FULL["closing_steps"][0] | {"cap": {"base": 5}}], ("closing_steps", 0, "kind"), False),
    "expression of nothing": (INDEPENDENT, ("starts_from", "greatest"), [], ("starts_from", "greatest"), True),
    "expression of an unknown name": (INDEPENDENT, ("starts_from", "greatest", 0), "gold", ("starts_from", "greatest", 0), False),
    "own benefit at the start": (INDEPENDENT, ("starts_from", "less", 0), "own_benefit", ("starts_from", "less", 0), False),
    "expression of a number": (INDEPENDENT, ("facts", "income"), "number", ("starts_from", "greatest", 1), False),
    "text is no object": (FULL, ("text",), ["Words."], ("text",), True),
    "sentence is a number": (FULL, ("text", "1"), 5, ("text", "1"), True),
    "facts is a list": (FULL, ("facts",), [], ("facts",), True),
    "steps is an object": (FULL, ("steps",), {}, ("steps",), True),
}  # fmt: skip


@pytest.mark.parametrize("document", VALID.values(), ids=VALID)
def test_schema_and_loader_accept(document):
    VALIDATOR.validate(document)
    assert load_plan(document).id == document["id"]


@pytest.mark.parametrize(("base", "path", "value", "where", "by_schema"), INVALID.values(), ids=INVALID)
def test_the_loader_refuses_with_place_and_next_step(base, path, value, where, by_schema):
    document = changed(base, path, value)
    assert VALIDATOR.is_valid(document) is not by_schema
    with pytest.raises(InvalidMessage) as caught:
        load_plan(document)
    assert caught.value.code == "invalid_plan"
    assert caught.value.where == at_path(where)
    assert caught.value.message
    assert caught.value.next_step


def test_the_table_is_large():
    assert len(VALID) + len(INVALID) >= 60


@pytest.mark.parametrize("document", [None, [], "plan", 5])
def test_something_else_than_an_object_is_refused(document):
    with pytest.raises(InvalidMessage) as caught:
        load_plan(document)
    assert (caught.value.code, caught.value.where) == ("invalid_plan", "$")


def test_bottomless_conditions_are_refused():
    condition: dict[str, Any] = {}
    for _ in range(5000):
        condition = {"not": condition}
    with pytest.raises(InvalidMessage, match="nested deeper"):
        load_plan(SMALL | {"applies": condition})


def test_whatever_the_loader_accepts_the_schema_accepts():
    """Random damage to good documents: the two never disagree in the direction that would let a bad plan in."""
    rng = random.Random(20250310)
    junk = [None, True, -1, 1.5, "", "x", [], {}, [None], {"x": 1}, "2025-02-30", 2_000_000]
    refused = 0
    for _ in range(600):
        document = copy.deepcopy(rng.choice((FULL, INDEPENDENT)))
        holder, key = rng.choice(list(places(document)))
        if rng.random() < 0.3:
            del holder[key]
        else:
            holder[key] = rng.choice(junk)
        code = refusal(document)
        if code:
            refused += code == "invalid_plan"
        else:
            VALIDATOR.validate(document)
    assert refused > 300


def refusal(document: dict[str, Any]) -> str:
    """The code of the loader's refusal; empty when it accepts."""
    try:
        load_plan(document)
    except InvalidMessage as error:
        return error.code
    return ""


def places(value: Any):
    """Every place of a document: the object or list that holds it and its key there."""
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in entries:
        yield value, key
        yield from places(item)


def test_the_identity_is_the_hash_of_the_canonical_json():
    from drachm.domain.canonical import content_hash

    plan = load_plan(FULL)
    assert plan.hash == content_hash(json.loads(json.dumps(FULL)))
    assert load_plan(FULL | {"title": "Another"}).hash != plan.hash


def test_a_plan_says_its_sentences():
    plan = load_plan(FULL)
    assert plan.sentence("1") == "Words."
    assert plan.sentence("2") == ""
    assert (plan.title, plan.version, plan.totals_of) == ("A plan", "2025.1", "older")
    assert str(plan.effective.start) == "2025-01-01"
    assert plan.rounding.unit == 10_000


def test_the_rounding_unit_defaults_to_the_minor_unit():
    assert [load_plan(SMALL | {"currency": code}).rounding.unit for code in ("USD", "JPY", "KWD")] == [
        10_000,
        1_000_000,
        1_000,
    ]
