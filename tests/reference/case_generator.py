"""Which documents and which lives of a family try every word of the plan model?

`case(seed)` is deterministic: a stack of one to three valid documents, a history of lines, and at times a second stack
from a later line on (an amendment, or a successor that continues the first). Numbers are small, so limits are met
often; dates lie around the edges of periods; costs are odd; facts are missing or wrong now and then.
"""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, time, timedelta

from case_catalogue import catalogue_case
from case_documents import DocumentMaker
from case_words import CATEGORIES, FACTS, MILLION, ODD

MONEY = [
    ("USD", 10_000),
    ("EUR", 50_000),
    ("JPY", 1_000_000),
    ("KWD", 1_000),
    ("CHF", 100),
    ("EUR", 250_000),
    ("CLF", 100),
    ("USD", 1),
    ("EUR", 30_000),
]
ZONES = ["America/New_York", "Asia/Tokyo", "UTC", "Pacific/Apia", "Asia/Kolkata", "Europe/Zurich"]
EDGES = ["2025-01-29", "2024-12-29", "2025-03-29", "2024-02-27", "2025-06-28", "2025-10-25", "2026-02-26", "2025-04-28"]


def case(seed):
    """{"seed", "lines": [..], "stacks": [(first line number, documents), ..], "reversals": {number: earlier number}}"""
    rng = random.Random(seed)
    lines, stacks = catalogue_case(rng, history) if rng.random() < 0.1 else random_case(rng)
    reversals = {}
    if rng.random() < 0.2:
        number = rng.randrange(1, len(lines))
        reversals[number] = rng.randrange(number)
    return {"seed": seed, "lines": lines, "stacks": stacks, "reversals": reversals}


def random_case(rng):
    documents = a_stack(rng)
    lines = history(rng, lambda: plain_facts(rng), [document["id"] for document in documents] or ["none"])
    stacks = [(0, documents)]
    if documents and rng.random() < 0.12:
        stacks.append((len(lines) // 2, amended(rng, documents)))
    return lines, stacks


def a_stack(rng):
    if rng.random() < 0.005:
        return []
    currency, unit = rng.choice(MONEY)
    common = {"currency": currency, "zone": rng.choice(ZONES), "unit": unit}
    independent_pair = rng.random() < 0.35
    count = rng.choice([2, 2, 3]) if independent_pair else rng.choice([1, 1, 1, 2, 2, 3])
    place = rng.choice([0, 1, 1, 1, 1]) if independent_pair else -1
    documents = []
    for number in range(count):
        maker = DocumentMaker(rng, common, number, independent=number == place)
        documents.append(maker.document())
    return documents


def amended(rng, documents):
    """The same cover later: a new version of one document, or a successor with another id that continues it."""
    number = rng.randrange(len(documents))
    newer = dict(documents[number])
    if rng.random() < 0.5:
        newer["version"] = "2"
        newer["remainder"] = "payer"
    else:
        newer["continues"] = newer.get("continues", newer["id"])
        newer["id"] = newer["id"] + ".next"
    return [*documents[:number], newer, *documents[number + 1 :]]


def plain_facts(rng):
    """Facts of one line for `FACTS`; what may be absent is absent at times."""
    facts = {
        "category": rng.choice(CATEGORIES),
        "network": rng.choice(["in", "in", "out"]),
        "emergency": rng.random() < 0.4,
        "admitted": rng.random() < 0.25,
        "age": rng.choice([5, 18, 19, 40, 64, 65, 80]),
        "income": rng.choice([0, 50, 100, 300]) * MILLION + rng.choice([0, 0, 12_345]),
        "franchise": rng.choice([0, 3, 10, 25, 3, 10, -2]) * MILLION,
        "family_size": rng.randint(1, 5),
        "policy_start": rng.choice(["2024-02-29", "2025-01-31", "2024-12-31", "2025-03-15"]),
        "enrolled": rng.choice(["2023-08-31", "2024-08-31", "2024-12-30", "2025-01-31", "2025-03-30"]),
        "usual_charge": rng.choice([0, 5, 15, 20, 40]) * MILLION + rng.choice([0, 0, 7_777]),
        "own_allowed": rng.choice([2, 10, 30, 80]) * MILLION + rng.choice([0, 0, 5_001]),
        "level": rng.choice(["low", "high", "middle"]),
        "rate": rng.choice([0, 100_000, 333_333, 1_000_000, 1_500_000]),
        "note": rng.choice(["", "plain", ODD]),
        "undeclared": "never read",
    }
    for name in (
        "network",
        "emergency",
        "admitted",
        "age",
        "franchise",
        "usual_charge",
        "own_allowed",
        "level",
        "note",
    ):
        may_be_absent = len(FACTS[name]) == 1 or rng.random() < 0.15
        if may_be_absent and rng.random() < 0.35:
            del facts[name]
    if rng.random() < 0.2:
        facts["third_party_help"] = rng.choice([1, 2, 5, 20]) * MILLION
    return facts


WRONG = ["wrong", 3, True, "2025-02-30", "2025-W01-1"]


def spoil(rng, facts):
    """At times a fact is missing, at times it has a wrong type."""
    if facts and rng.random() < 0.03:
        del facts[rng.choice(sorted(facts))]
    if facts and rng.random() < 0.02:
        name = rng.choice(sorted(set(facts) - {"third_party_help"}))
        facts[name] = rng.choice(WRONG)
    return facts


def history(rng, facts, document_ids, scale=MILLION, count=None):
    """5 to 30 lines of up to three members of a family; ids, visits and days as lives have them."""
    members = ["m1", "m@2|", "m3"][: rng.choice([1, 1, 2, 3])]
    family, policy = rng.choice(["f1", "f1", ""]), rng.choice(["p1", "p1", ""])
    day = date.fromisoformat(rng.choice(EDGES))
    pace = rng.choice([[0, 0, 1], [0, 1, 2, 9], [0, 0, 1, 30, 31], [0, 1, 1, -1, 40], [0, 20, 31]])
    person_facts = {member: facts() for member in members}
    lines, member, visit, admission, visits = [], members[0], "", "", 0
    for number in range(count or rng.randint(5, 30)):
        if number == 0 or rng.random() < 0.55:
            member = rng.choice(members)
            day += timedelta(days=rng.choice(pace))
            visits += 1
            visit = f"v{visits}" if rng.random() < 0.8 else rng.choice(["", "", "v|1#"])
            admission = rng.choice(["", "", f"a{visits // 3}"])
        elif rng.random() < 0.15:
            member = rng.choice(members)
            day += timedelta(days=rng.choice([0, 1]))
        cost = a_cost(rng, scale)
        moment = rng.choice([time(0, 30), time(4, 30), time(12), time(15, 30), time(23, 30)])
        line = {"id": f"line-{number}", "cost": cost, "at": datetime.combine(day, moment, UTC), "member": member}
        line["billed"] = max(0, cost + rng.choice([0, 0, 5 * scale, 12_345, -scale]))
        line |= {"family": family, "policy": policy, "visit": visit, "admission": admission}
        line["quantity"] = rng.choice([MILLION] * 3 + [2 * MILLION, 3 * MILLION, 500_000, 0, 2_500_000, 333_333])
        line["facts"] = spoil(rng, facts() if rng.random() < 0.5 else dict(person_facts[member]))
        line |= {"document_facts": {}, "policies": {}}
        if rng.random() < 0.12:
            other = facts()
            names = rng.sample(sorted(other), min(3, len(other)))
            line["document_facts"] = {rng.choice(document_ids): {name: other[name] for name in names}}
        if rng.random() < 0.12:
            line["policies"] = {rng.choice(document_ids): "p9"}
        lines.append(line)
    return lines


def a_cost(rng, scale):
    form = rng.random()
    if form < 0.03:
        return 0
    if form < 0.05:
        return rng.choice([1, 999, 5_000])
    if form < 0.06:
        return rng.choice([10_000, 2_000_000]) * scale + rng.choice([0, 1, 5_000])
    cost = rng.randint(4, 60) * scale
    return cost + rng.choice([0, 0, 0, 1, 4_999, 5_000, 25_000, 33_333, 123_456, 500_000])
