"""What do covers of the real world look like in the words of the plan model?

Illustrative documents of nine kinds of cover (`catalogue/*.json`), and coverages made of them. Amounts are round
figures, not those of any product on sale.
"""

from __future__ import annotations

import json
from pathlib import Path

MILLION = 1_000_000
DOCUMENTS = {}
for path in sorted((Path(__file__).parent / "catalogue").glob("*.json")):
    DOCUMENTS[path.stem] = json.loads(path.read_text(encoding="utf-8"))
PPO, HDHP, SUPPLEMENT = DOCUMENTS["ppo"], DOCUMENTS["hdhp"], DOCUMENTS["supplement"]


def million(**facts):
    return {name: value * MILLION for name, value in facts.items()}


def independent(name, starts_from, lowest_of):
    """The high-deductible cover as a second payer with its own rule of coordination."""
    extra = {"id": "coordination", "kind": "coordinate", "clause": "8", "lowest_of": lowest_of}
    steps = HDHP["steps"] + ([extra] if lowest_of else [])
    facts = HDHP["facts"] | {"own_allowed": {"type": "money", "default": None}}
    return HDHP | {"id": name, "starts_from": starts_from, "steps": steps, "facts": facts}


STANDARD = independent(
    "standard",
    {"greatest": ["cost"]},
    [{"greatest": ["own_benefit"]}, {"greatest": ["cost"], "less": ["earlier_paid"]}],
)
NONDUPLICATION = independent(
    "nonduplication", {"greatest": ["cost"]}, [{"greatest": ["own_benefit"], "less": ["earlier_paid"]}]
)
MAINTENANCE = independent("maintenance", {"greatest": ["own_allowed"], "less": ["earlier_paid"]}, [])
STATUTORY = independent(
    "statutory",
    {"greatest": ["own_allowed"]},
    [
        {"greatest": ["billed"], "less": ["earlier_paid"]},
        {"greatest": ["own_benefit"]},
        {"greatest": ["own_allowed"], "less": ["own_cost_share"]},
    ],
)


def american_facts(rng):
    categories = ["preventive", "primary_care", "specialist", "emergency", "therapy", "therapy", "cosmetic", "lab"]
    facts = {
        "category": rng.choice(categories),
        "network": rng.choice(["in", "in", "out"]),
        "tier": "family",
        "admitted": rng.random() < 0.3,
        "authorised": rng.random() < 0.9,
        "filing_days": rng.choice([3, 3, 3, 365, 366]),
    }
    some = million(
        usual_charge=rng.choice([40, 120]), own_allowed=rng.choice([60, 300]), outside_paid=rng.choice([0, 75])
    )
    return facts | {name: value for name, value in some.items() if rng.random() < 0.7}


def capital_facts(rng):
    facts = {"member_category": rng.choice(["employee", "retiree", "resident"]), "drug_class": rng.choice("AAABC")}
    facts["facility_level"] = rng.choice(["community", "hospital"])
    return facts | (million(account_balance=rng.choice([100, 700])) if rng.random() < 0.5 else {})


def monthly_facts(rng):
    return {
        "age": rng.choice([3, 40, 72]),
        "income_band": rng.choice("CD"),
        "setting": rng.choice(["inpatient", "outpatient"]),
        "facility": rng.choice(["h1", "h2"]),
        "subsidy": rng.choice(["none", "rehabilitation"]),
        "turning_75_month": rng.random() < 0.2,
        "subsidy_cap": rng.choice([5_000, 10_000]) * MILLION,
    }


def swiss_facts(rng):
    facts = million(franchise=rng.choice([300, 1000]))
    return facts | {
        "age": rng.choice([8, 18, 19, 50]),
        "hospital_day": rng.random() < 0.4,
        "maternity": rng.random() < 0.1,
    }


def village_facts(rng):
    return {
        "service": rng.choice(["scan", "tablet", "visit"]),
        "service_category": rng.choice(["antenatal", "general"]),
        "event_class": rng.choice(["surgery", "delivery", "consultation", "other"]),
        "setting": rng.choice(["inpatient", "outpatient"]),
        "age_class": rng.choice(["adult", "child"]),
        "sex": rng.choice(["female", "female", "male"]),
        "policy_start": rng.choice(["2025-01-15", "2024-06-30"]),
        "family_size": rng.choice([3, 6]),
    }


# (documents, facts of a line, size of a cost unit in micros)
COVERAGES = [
    ([PPO], american_facts, 10 * MILLION),
    ([HDHP], american_facts, 10 * MILLION),
    ([PPO, SUPPLEMENT], american_facts, 12 * MILLION),
    ([PPO, STANDARD], american_facts, 10 * MILLION),
    ([PPO, NONDUPLICATION], american_facts, 10 * MILLION),
    ([HDHP, MAINTENANCE], american_facts, 10 * MILLION),
    ([DOCUMENTS["outside-answer"], STATUTORY], american_facts, 10 * MILLION),
    ([DOCUMENTS["outside-answer"], PPO, SUPPLEMENT], american_facts, 10 * MILLION),
    ([DOCUMENTS["capital-outpatient"]], capital_facts, 40 * MILLION),
    ([DOCUMENTS["employee-insurance"]], monthly_facts, 4_000 * MILLION),
    ([DOCUMENTS["employee-insurance"], DOCUMENTS["rehabilitation-subsidy"]], monthly_facts, 4_000 * MILLION),
    ([DOCUMENTS["basic-cover"]], swiss_facts, 20 * MILLION),
    ([DOCUMENTS["village-product"]], village_facts, 3 * MILLION),
]


def catalogue_case(rng, history):
    """(lines, stacks) of a realistic coverage."""
    documents, facts, scale = rng.choice(COVERAGES)
    return history(rng, lambda: facts(rng), [document["id"] for document in documents], scale), [(0, documents)]
