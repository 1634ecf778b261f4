"""Which words of the plan schema does a document use, and which rules must every run try?

`schema_words` lists every property and every enumerated value of `plan.schema.json`; `words_of` finds those that one
part of a document uses. Both walk the schema the same way, so a word that is new in the schema is missed at once by
the run that counts them.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from case_documents import PAIRS

SCHEMA_PATH = Path(__file__).parents[2] / "src/drachm/domain/benefits/plan.schema.json"


@cache
def schema():
    return json.loads(SCHEMA_PATH.read_text(encoding="utf-8"))


def resolve(node, name):
    """The schema node behind a reference, and the name under which its words are written."""
    while "$ref" in node:
        name = node["$ref"].removeprefix("#/$defs/")
        node = schema()["$defs"][name]
    return node, name


def schema_words():
    found, seen = set(), set()

    def walk(node, name):
        node, name = resolve(node, name)
        if (id(node), name) in seen:
            return
        seen.add((id(node), name))
        found.update(f"{name} = {json.dumps(value)}" for value in node.get("enum", []))
        for key, child in node.get("properties", {}).items():
            found.add(f"{name}.{key}")
            walk(child, f"{name}.{key}")
        for child in [*node.get("oneOf", []), node.get("items"), node.get("additionalProperties")]:
            if isinstance(child, dict) and (set(child) - {"required", "not"}):
                walk(child, name)

    walk(schema(), "document")
    return found


def words_of(instance, node=None, name="document"):
    """The words of the schema that an instance uses; `node` is the schema of the instance."""
    node, name = resolve(schema() if node is None else node, name)
    found = set()
    if not isinstance(instance, (dict, list)) and instance in node.get("enum", []):
        found.add(f"{name} = {json.dumps(instance)}")
    for child in node.get("oneOf", []):
        if set(child) - {"required", "not"} and fits(instance, child):
            found |= words_of(instance, child, name)
    if isinstance(instance, list) and "items" in node:
        for item in instance:
            found |= words_of(item, node["items"], name)
    if isinstance(instance, dict):
        for key, value in instance.items():
            if key in node.get("properties", {}):
                found.add(f"{name}.{key}")
                found |= words_of(value, node["properties"][key], f"{name}.{key}")
            elif isinstance(node.get("additionalProperties"), dict):
                found |= words_of(value, node["additionalProperties"], name)
    return found


def fits(instance, node):
    """Is this the branch of a `oneOf` that an instance of a valid document takes?"""
    node, _ = resolve(node, "")
    if "const" in node:
        return instance == node["const"]
    if "enum" in node:
        return not isinstance(instance, (dict, list)) and instance in node["enum"]
    if "oneOf" in node and "properties" not in node:
        return any(fits(instance, child) for child in node["oneOf"])
    if not isinstance(instance, dict):
        kinds = {"array": list, "string": str, "integer": int, "boolean": bool, "null": type(None)}
        wanted = node.get("type", [])
        return any(
            isinstance(instance, kinds.get(kind, ())) for kind in ([wanted] if isinstance(wanted, str) else wanted)
        )
    if node.get("type") != "object" or not set(node.get("required", [])) <= set(instance):
        return False
    if node.get("additionalProperties") is False and not set(instance) <= set(node["properties"]):
        return False
    return all(fits(instance[key], child) for key, child in node.get("properties", {}).items() if key == "kind")


KINDS = sorted({kind for pair in PAIRS for kind in pair})
RULES = [
    *[f"step {kind}" for kind in KINDS],
    *[f"pair {first}, {second}" for first, second in PAIRS],
    *["step closing period_cap", "pair closing period_cap, period_cap"],
    *["decision covered", "decision denied", "decision self_pay", "pended fact_missing", "pended fact_invalid"],
    *["applies true", "applies false", "takes_over", "remainder patient", "starts_from expression"],
    *["residue provider", "residue patient", "residue payer", "independent payment cut to what is owed"],
    *[f"rounding {mode}" for mode in ("half_up", "half_down", "half_even", "up", "down")],
    *[f"condition {form}" for form in ("equal", "one of", "range", "in_group", "not", "any", "absent fact")],
    *[f"amount {form}" for form in ("cases", "of a fact", "ppm of a fact", "per_extra_member")],
    *["fact of a band", "fact of a document", "fact by default", "policy of a document"],
    *["when_used held", "when_used failed", "when_used frozen"],
    *["periods_with_relief held", "periods_with_relief failed"],
    *[f"period {period}" for period in ("visit", "admission", "day", "month", "quarter", "benefit_year")],
    *["period policy_year", "period lifetime", "period rolling_days"],
    *[f"scope {scope}" for scope in ("person", "family", "policy")],
    *["accumulator by", "several feeds", "third_party_help excluded"],
    *[f"measure {measure}" for measure in ("component", "cost_share", "patient", "covered", "coinsured", "paid")],
    *[f"measure {measure}" for measure in ("paid:party", "units", "lines", "visits")],
    *[
        f"{kind}: bearer {who}"
        for kind in ("exclude", "waiting_period", "benefit_limit")
        for who in ("patient", "provider")
    ],
    *[
        f"benefit_limit: {form}"
        for form in ("each per line", "each per unit", "amount", "limits", "denies", "denies false")
    ],
    *[f"benefit_limit: unit_limits {m} {p}" for m in ("units", "lines", "visits") for p in ("none", "by_unit")],
    "benefit_limit: unit_limits units by_unit in part",
    *[f"copay: {form}" for form in ("ppm", "min", "max", "of open", "of cost", "limits", "per line", "per unit")],
    *[f"copay: per {per}" for per in ("visit", "visit taken before", "day", "day taken before")],
    "deductible: limits",
    *[f"coinsurance: {form}" for form in ("ppm", "of open", "of cost", "limits", "bands crossed")],
    *[f"coinsurance: bands by {m}" for m in ("covered", "coinsured", "patient", "cost_share", "coinsurance", "paid")],
    *[f"pay: {form}" for form in ("amount", "ppm", "all of open", "payer", "other party", "limits")],
    *["out_of_pocket_max: counts", "out_of_pocket_max: counts by default"],
    *[f"period_cap: {form}" for form in ("over", "ppm", "scale", "counts", "cases", "settle line", "settle refund")],
    *[
        f"period_cap: {form}"
        for form in ("credit", "recovery", "recover false", "lowered the line", "basis cost", "basis covered")
    ],
    *[
        f"period_cap: {form}"
        for form in ("needs", "qualify", "qualify by nothing", "bucket reached its floor", "pool by")
    ],
    *[f"period_cap: pool {scope}" for scope in ("person", "family", "policy")],
    *[f"period_cap: pool {period}" for period in ("visit", "admission", "day", "month", "quarter", "benefit_year")],
    *["period_cap: pool policy_year", "period_cap: pool lifetime"],
]
