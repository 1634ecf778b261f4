"""What do covers of the real world look like in the words of the plan model?

Illustrative documents of six kinds of cover, and coverages made of them. Amounts are round figures, not those of any
product on sale.
"""

from __future__ import annotations

MILLION = 1_000_000


def million(**facts):
    return {name: value * MILLION for name, value in facts.items()}


def document(name, payer, currency, zone, **words):
    head = {"id": name, "version": "2025.1", "payer": payer, "currency": currency, "zone": zone}
    return head | {"effective": {"from": "2015-01-01"}} | words


def total(name, of, scope="person", period="benefit_year", **words):
    return {"id": name, "scope": scope, "period": period, "feeds": [{"of": of}]} | words


def limit(accumulator, *cases, otherwise=None):
    """A limit in currency units; with cases of (condition, units)."""
    last = [] if otherwise is None else [{"value": otherwise * MILLION}]
    found = [{"when": when, "value": units * MILLION} for when, units in cases]
    return {"accumulator": accumulator, "limit": {"cases": found + last}}


IN = {"network": "in"}
COPAY_CARE = {"network": "in", "category": ["preventive", "primary_care", "specialist"]}

PPO = document(
    "ppo",
    "insurer",
    "USD",
    "America/New_York",
    title="Two networks, embedded family limits",
    text={"9.1": "Cosmetic care is not covered."},
    benefit_year="01-01",
    rounding={"unit": 10_000, "mode": "half_up"},
    facts={
        "category": "text",
        "network": ["in", "out"],
        "admitted": "flag",
        "authorised": {"type": "flag", "default": True},
        "filing_days": {"type": "number", "default": 0},
        "usual_charge": {"type": "money", "default": None},
    },
    groups={"office": ["primary_care", "specialist"]},
    accumulators=[
        total("deductible", "deductible", by=["network"]),
        total("deductible_family", "deductible", "family", by=["network"]),
        total("oop", "cost_share", by=["network"]),
        total("oop_family", "cost_share", "family", by=["network"]),
        {
            "id": "therapy_visits",
            "scope": "person",
            "period": "benefit_year",
            "feeds": [{"of": "visits", "when": {"category": "therapy"}}],
        },
    ],
    steps=[
        {"id": "cosmetic", "kind": "exclude", "when": {"category": "cosmetic"}, "clause": "9.1"},
        {
            "id": "authorisation",
            "kind": "exclude",
            "when": {"authorised": False},
            "bearer": "provider",
            "reason": "no_authorisation",
            "clause": "9.2",
        },
        {
            "id": "filing",
            "kind": "exclude",
            "when": {"filing_days": {"at_least": 366}},
            "bearer": "provider",
            "reason": "timely_filing",
            "clause": "9.3",
        },
        {
            "id": "therapy",
            "kind": "benefit_limit",
            "when": {"category": "therapy"},
            "unit_limits": [{"accumulator": "therapy_visits", "limit": 3}],
            "reason": "visit_limit",
            "clause": "6.4",
        },
        {
            "id": "usual",
            "kind": "benefit_limit",
            "when": {"network": "out"},
            "amount": {"fact": "usual_charge"},
            "component": "balance_bill",
            "clause": "3.2",
        },
        {
            "id": "visit_copay",
            "kind": "copay",
            "per": "visit",
            "when": {"network": "in", "category": {"in_group": "office"}},
            "amount": {
                "cases": [{"when": {"category": "primary_care"}, "value": 35 * MILLION}, {"value": 50 * MILLION}]
            },
            "clause": "4.1",
        },
        {
            "id": "er_copay",
            "kind": "copay",
            "per": "visit",
            "when": {"category": "emergency", "admitted": False},
            "amount": 300 * MILLION,
            "clause": "4.3",
        },
        {
            "id": "deductible",
            "kind": "deductible",
            "when": {"not": COPAY_CARE},
            "limits": [
                limit("deductible", (IN, 500), otherwise=1000),
                limit("deductible_family", (IN, 1000), otherwise=2000),
            ],
            "clause": "2.1",
        },
        {
            "id": "coinsurance",
            "kind": "coinsurance",
            "when": {"not": COPAY_CARE},
            "ppm": {"cases": [{"when": IN, "value": 200_000}, {"value": 400_000}]},
            "clause": "2.2",
        },
        {
            "id": "oop_max",
            "kind": "out_of_pocket_max",
            "counts": ["deductible", "copay", "coinsurance"],
            "limits": [limit("oop", (IN, 1500), otherwise=3000), limit("oop_family", (IN, 2500), otherwise=5000)],
            "clause": "2.4",
        },
    ],
)

HDHP = document(
    "hdhp",
    "second_insurer",
    "USD",
    "America/New_York",
    title="High deductible, aggregate family",
    facts={"category": "text", "tier": ["single", "family"]},
    accumulators=[
        total("deductible_family", "deductible", "family"),
        total("oop", "cost_share"),
        total("oop_family", "cost_share", "family"),
    ],
    steps=[
        {"id": "preventive", "kind": "pay", "when": {"category": "preventive"}, "clause": "1.2"},
        {
            "id": "deductible",
            "kind": "deductible",
            "limits": [limit("deductible_family", ({"tier": "family"}, 1300), otherwise=650)],
            "clause": "2.1",
        },
        {"id": "coinsurance", "kind": "coinsurance", "ppm": 200_000, "clause": "2.2"},
        {
            "id": "oop_max",
            "kind": "out_of_pocket_max",
            "limits": [
                {"accumulator": "oop", "limit": 2300 * MILLION},
                limit("oop_family", ({"tier": "family"}, 2600), otherwise=1300),
            ],
            "clause": "2.3",
        },
    ],
)


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
SUPPLEMENT = document(
    "supplement",
    "supplement_fund",
    "USD",
    "America/New_York",
    takes_over=["deductible", "coinsurance"],
    accumulators=[total("paid_by_us", "paid")],
    steps=[{"id": "most", "kind": "pay", "clause": "1", "limits": [limit("paid_by_us", otherwise=900)]}],
    remainder="patient",
)
OUTSIDE_ANSWER = document(
    "outside-answer",
    "outside_payer",
    "USD",
    "America/New_York",
    facts={"outside_paid": {"type": "money", "default": None}},
    steps=[{"id": "answer", "kind": "pay", "amount": {"fact": "outside_paid"}, "clause": "answer"}],
    remainder="patient",
)

CAPITAL = document(
    "capital-outpatient",
    "pooled_fund",
    "CNY",
    "Asia/Shanghai",
    title="By member category and facility level; the rates change with the covered cost of the year",
    facts={
        "member_category": ["employee", "retiree", "resident"],
        "facility_level": ["community", "hospital"],
        "drug_class": {"type": ["A", "B", "C"], "default": "A"},
        "account_balance": {"type": "money", "default": None},
    },
    accumulators=[
        total("deductible", "deductible"),
        total("spend", "covered"),
        total("account", "paid:personal_account", period="lifetime"),
    ],
    steps=[
        {"id": "off_list", "kind": "exclude", "when": {"drug_class": "C"}, "reason": "not_listed", "clause": "3"},
        {
            "id": "self_pay_first",
            "kind": "coinsurance",
            "component": "self_pay_first",
            "when": {"drug_class": "B"},
            "ppm": 100_000,
            "clause": "4",
        },
        {
            "id": "account_first",
            "kind": "pay",
            "party": "personal_account",
            "when": {"member_category": ["employee", "retiree"]},
            "amount": {"fact": "account_balance"},
            "limits": [{"accumulator": "account", "limit": {"fact": "account_balance"}}],
            "clause": "2",
        },
        {
            "id": "deductible",
            "kind": "deductible",
            "limits": [
                limit(
                    "deductible",
                    ({"member_category": "employee"}, 1800),
                    ({"member_category": "retiree"}, 1300),
                    ({"facility_level": "community"}, 100),
                    otherwise=550,
                )
            ],
            "clause": "5",
        },
        {
            "id": "share",
            "kind": "coinsurance",
            "measure": "spend",
            "clause": "6",
            "bands": [
                {
                    "below": 4_000 * MILLION,
                    "ppm": {
                        "cases": [
                            {"when": {"member_category": "resident"}, "value": 450_000},
                            {"when": {"facility_level": "community"}, "value": 100_000},
                            {"when": {"member_category": "retiree"}, "value": 150_000},
                            {"value": 300_000},
                        ]
                    },
                },
                {
                    "ppm": {
                        "cases": [
                            {"when": {"member_category": "resident"}, "value": 1_000_000},
                            {"when": {"member_category": "retiree"}, "value": 200_000},
                            {"value": 400_000},
                        ]
                    }
                },
            ],
        },
    ],
)


def cap(base, over=None):
    found = {"base": base * MILLION}
    return found if over is None else found | {"over": over * MILLION, "ppm": 10_000}


MANY_MONTHS = {"capped_months": {"at_least": 3}}
BAND_CAPS = [
    {"when": {"income_band": "C"}, "when_used": MANY_MONTHS} | cap(44_400),
    {"when": {"income_band": "C"}} | cap(80_100, 267_000),
    {"when": {"income_band": "D"}, "when_used": MANY_MONTHS} | cap(44_400),
    {"when": {"income_band": "D"}} | cap(57_600),
]
HALF_MONTH = [{"when": {"turning_75_month": True}, "ppm": 500_000}]

EMPLOYEE_INSURANCE = document(
    "employee-insurance",
    "insurance",
    "JPY",
    "Asia/Tokyo",
    title="Monthly cap per bill, then per household above a floor",
    facts={
        "age": "number",
        "income_band": ["A", "B", "C", "D", "E"],
        "setting": ["inpatient", "outpatient"],
        "facility": "text",
        "subsidy": {"type": "text", "default": "none"},
        "turning_75_month": "flag",
    },
    bands=[
        {
            "fact": "age_band",
            "of": "age",
            "to": [{"below": 7, "is": "infant"}, {"below": 70, "is": "adult"}, {"is": "senior"}],
        }
    ],
    accumulators=[
        {"id": "capped_months", "kind": "periods_with_relief", "of": "household_cap", "window_months": 12},
    ],
    steps=[
        {
            "id": "share",
            "kind": "coinsurance",
            "ppm": {"cases": [{"when": {"age_band": "infant"}, "value": 200_000}, {"value": 300_000}]},
            "clause": "share",
        },
        {
            "id": "bill_cap",
            "kind": "period_cap",
            "clause": "bill",
            "pool": {"scope": "person", "period": "month", "by": ["facility", "setting", "payer_set"]},
            "scale": HALF_MONTH,
            "cap": {"cases": [{"when": {"not": {"subsidy": "none"}}} | cap(80_100, 267_000), *BAND_CAPS]},
        },
    ],
    closing_steps=[
        {
            "id": "household_cap",
            "kind": "period_cap",
            "clause": "household",
            "pool": {"scope": "family", "period": "month"},
            "qualify": {"by": ["member", "facility", "setting", "payer_set"], "floor": 21_000 * MILLION},
            "scale": HALF_MONTH,
            "cap": {"cases": BAND_CAPS},
        }
    ],
)
REHABILITATION = document(
    "rehabilitation-subsidy",
    "rehabilitation",
    "JPY",
    "Asia/Tokyo",
    facts={"subsidy": {"type": "text", "default": "none"}, "subsidy_cap": {"type": "money", "default": None}},
    applies={"subsidy": "rehabilitation"},
    steps=[
        {"id": "stays", "kind": "coinsurance", "ppm": 1_000_000, "clause": "1"},
        {
            "id": "tenth",
            "kind": "period_cap",
            "pool": {"scope": "person", "period": "month"},
            "cap": {"base": 0, "ppm": 100_000},
            "clause": "2",
        },
        {
            "id": "month",
            "kind": "period_cap",
            "pool": {"scope": "person", "period": "month"},
            "cap": {"base": {"fact": "subsidy_cap"}},
            "clause": "3",
        },
    ],
)

BASIC_COVER = document(
    "basic-cover",
    "health_insurer",
    "CHF",
    "Europe/Zurich",
    title="Franchise, retention, hospital day",
    rounding={"unit": 50_000, "mode": "half_up"},
    residue="payer",
    facts={"age": "number", "franchise": "money", "hospital_day": "flag", "maternity": "flag"},
    bands=[{"fact": "age_band", "of": "age", "to": [{"below": 19, "is": "child"}, {"is": "adult"}]}],
    accumulators=[total("franchise", "deductible"), total("retention", "coinsurance")],
    steps=[
        {"id": "maternity", "kind": "pay", "when": {"maternity": True}, "clause": "7"},
        {
            "id": "franchise",
            "kind": "deductible",
            "limits": [{"accumulator": "franchise", "limit": {"fact": "franchise"}}],
            "clause": "2a",
        },
        {
            "id": "retention",
            "kind": "coinsurance",
            "ppm": 100_000,
            "limits": [limit("retention", ({"age_band": "child"}, 350), otherwise=700)],
            "clause": "2b",
        },
        {
            "id": "hospital_day",
            "kind": "copay",
            "per": "day",
            "when": {"hospital_day": True, "age_band": "adult"},
            "amount": 15 * MILLION,
            "clause": "5",
        },
    ],
)

VILLAGE = document(
    "village-product",
    "scheme",
    "XXX",
    "UTC",
    title="Waiting, frequency, masks, a deductible per policy, ceilings",
    facts={
        "service": "text",
        "service_category": "text",
        "event_class": ["surgery", "delivery", "consultation", "other"],
        "setting": ["inpatient", "outpatient"],
        "age_class": ["adult", "child"],
        "sex": ["female", "male"],
        "policy_start": "date",
        "family_size": "number",
    },
    accumulators=[
        total("same_service", "lines", period={"rolling_days": 180}, by=["service"]),
        total("deductible", "deductible", "policy", "policy_year"),
        total("class_paid", "paid", period="policy_year", by=["event_class"]),
        total("treatment_paid", "paid", period="visit"),
        total("policy_paid", "paid", "policy", "policy_year"),
    ],
    steps=[
        {
            "id": "waiting",
            "kind": "waiting_period",
            "since": "policy_start",
            "months": {"cases": [{"when": {"age_class": "adult"}, "value": 6}, {"value": 0}]},
            "when": {"event_class": ["surgery", "delivery"]},
            "clause": "W",
        },
        {
            "id": "women_only",
            "kind": "exclude",
            "when": {"service_category": "antenatal", "not": {"sex": "female"}},
            "reason": "patient_category",
            "clause": "C",
        },
        {
            "id": "frequency",
            "kind": "benefit_limit",
            "when": {"service": ["scan"]},
            "unit_limits": [{"accumulator": "same_service", "limit": 1}],
            "reason": "frequency",
            "clause": "F",
        },
        {
            "id": "fixed_limit",
            "kind": "benefit_limit",
            "per": "unit",
            "each": {"cases": [{"when": {"service": "tablet"}, "value": 70 * MILLION}]},
            "reason": "price_limit",
            "clause": "L",
        },
        {
            "id": "deductible",
            "kind": "deductible",
            "limits": [{"accumulator": "deductible", "limit": 30 * MILLION}],
            "clause": "D",
        },
        {
            "id": "coinsurance",
            "kind": "coinsurance",
            "ppm": {"cases": [{"when": {"setting": "inpatient"}, "value": 0}, {"value": 200_000}]},
            "clause": "S",
        },
        {
            "id": "class_ceiling",
            "kind": "benefit_limit",
            "denies": False,
            "limits": [limit("class_paid", ({"event_class": "delivery"}, 55), ({"event_class": "consultation"}, 55))],
            "clause": "K",
        },
        {
            "id": "ceilings",
            "kind": "benefit_limit",
            "denies": False,
            "limits": [
                {"accumulator": "treatment_paid", "limit": 150 * MILLION},
                {
                    "accumulator": "policy_paid",
                    "limit": {
                        "base": 300 * MILLION,
                        "per_extra_member": 100 * MILLION,
                        "members_included": 4,
                        "max": 500 * MILLION,
                    },
                },
            ],
            "clause": "M",
        },
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
    ([OUTSIDE_ANSWER, STATUTORY], american_facts, 10 * MILLION),
    ([OUTSIDE_ANSWER, PPO, SUPPLEMENT], american_facts, 10 * MILLION),
    ([CAPITAL], capital_facts, 40 * MILLION),
    ([EMPLOYEE_INSURANCE], monthly_facts, 4_000 * MILLION),
    ([EMPLOYEE_INSURANCE, REHABILITATION], monthly_facts, 4_000 * MILLION),
    ([BASIC_COVER], swiss_facts, 20 * MILLION),
    ([VILLAGE], village_facts, 3 * MILLION),
]


def catalogue_case(rng, seed, history):
    documents, facts, scale = rng.choice(COVERAGES)
    lines = history(rng, lambda: facts(rng), [document["id"] for document in documents], scale)
    return {"seed": seed, "lines": lines, "stacks": [(0, documents)]}
