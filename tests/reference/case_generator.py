"""Which documents and which lives of a family try every word of the plan model?

`case(seed)` is deterministic: a stack of one to three valid documents, a history of lines, and at times a second stack
from a later line on (an amendment, or a successor that continues the first). Numbers are small, so limits are met
often; dates lie around the edges of periods; costs are odd; facts are missing or wrong now and then.
"""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, time, timedelta

from case_catalogue import catalogue_case

MILLION = 1_000_000
ODD = "a%|[b]#@{c}"
CATEGORIES = ["visit", "lab", "drug", "therapy", ODD]
COMPONENTS = ["deductible", "copay", "coinsurance", "extra", "self_pay_first", "base.part"]
PERIODS = ["visit", "admission", "day", "month", "quarter", "benefit_year", "policy_year", "lifetime"]
MODES = ["half_up", "half_down", "half_even", "up", "down"]
MONEY = [("USD", 10_000), ("EUR", 50_000), ("JPY", 1_000_000), ("KWD", 1_000), ("CHF", 100), ("EUR", 250_000)]
MINOR_UNITS = {"USD": 10_000, "EUR": 10_000, "JPY": 1_000_000, "KWD": 1_000, "CHF": 10_000}
ZONES = ["America/New_York", "Asia/Tokyo", "UTC", "Pacific/Apia", "Asia/Kolkata", "Europe/Zurich"]
EDGES = ["2025-01-29", "2024-12-29", "2025-03-29", "2024-02-27", "2025-06-28", "2025-10-25", "2026-02-26", "2025-04-28"]

FACTS = {
    "category": ["text"],
    "network": [["in", "out"], {"type": ["in", "out"], "default": "in"}],
    "emergency": ["flag", {"type": "flag", "default": True}, {"type": "flag", "default": None}],
    "admitted": ["flag"],
    "age": ["number", {"type": "number", "default": None}, {"type": "number", "default": 30}],
    "income": ["money"],
    "franchise": ["money", {"type": "money", "default": None}],
    "family_size": ["number"],
    "policy_start": ["date", {"type": "date", "default": "2024-02-29"}],
    "enrolled": ["date", {"type": "date", "default": None}],
    "usual_charge": ["money", {"type": "money", "default": None}],
    "own_allowed": ["money", {"type": "money", "default": None}],
    "level": [{"type": ["low", "high", "middle"], "default": "low"}],
    "rate": ["number", {"type": "number", "default": 150_000}],
    "note": ["text", {"type": "text", "default": None}],
}

FIRST = ["benefit_limit", "copay", "deductible", "coinsurance", "pay", "out_of_pocket_max", "period_cap", "coordinate"]
SECOND = ["exclude", "waiting_period", *FIRST]
# How often a pair of neighbours is written: the more seldom both have an effect on one line, the more often. After
# `exclude` and `waiting_period` nothing runs, so they only stand second.
WEIGHTS = {
    "benefit_limit": [26, 13, 15, 5, 8, 5, 6, 22, 36, 30],
    "copay": [8, 5, 3, 2, 2, 2, 2, 4, 3, 5],
    "deductible": [16, 14, 5, 2, 2, 2, 4, 4, 3, 19],
    "coinsurance": [10, 6, 3, 2, 2, 2, 2, 4, 3, 5],
    "pay": [7, 10, 6, 2, 2, 2, 4, 10, 13, 8],
    "out_of_pocket_max": [20, 13, 6, 6, 6, 4, 5, 32, 32, 14],
    "period_cap": [22, 15, 10, 3, 10, 5, 8, 19, 13, 0],
    "coordinate": [33, 28, 24, 7, 19, 14, 10, 37, 0, 13],
}
PAIR_WEIGHTS = {(a, b): weight for a in FIRST for b, weight in zip(SECOND, WEIGHTS[a], strict=True) if weight}
PAIRS = list(PAIR_WEIGHTS)


def case(seed):
    """{"seed", "lines": [..], "stacks": [(first line number, documents), ..]}"""
    rng = random.Random(seed)
    if rng.random() < 0.1:
        return catalogue_case(rng, seed, history)
    documents = a_stack(rng)
    lines = history(rng, lambda: plain_facts(rng), [document["id"] for document in documents])
    stacks = [(0, documents)]
    if rng.random() < 0.12:
        stacks.append((len(lines) // 2, amended(rng, documents)))
    return {"seed": seed, "lines": lines, "stacks": stacks}


def a_stack(rng):
    currency, unit = rng.choice(MONEY)
    common = {"currency": currency, "zone": rng.choice(ZONES), "unit": unit}
    independent_pair = rng.random() < 0.3
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


class DocumentMaker:
    """One random valid document; facts and accumulators are declared as rules come to need them."""

    def __init__(self, rng, common, number, independent):
        self.rng, self.common, self.number, self.independent = rng, common, number, independent
        self.facts, self.bands, self.groups, self.accumulators, self.steps, self.closing = {}, {}, {}, [], [], []

    def chance(self, probability):
        return self.rng.random() < probability

    def document(self):
        rng, number = self.rng, self.number
        self.write_steps()
        if self.chance(0.3):
            self.closing = [self.period_cap(closing=True) for _ in range(rng.choice([1, 1, 2, 2, 3]))]
            if self.independent:
                self.closing = []
        document = {"id": f"doc-{number}", "version": "1", "payer": rng.choice(["alpha", "beta", "gamma"])}
        document |= {"currency": self.common["currency"], "zone": self.common["zone"]}
        document["effective"] = rng.choice([{"from": "2000-01-01"}, {"from": "2001-01-01", "until": "2090-01-01"}])
        mode = rng.choice(MODES)
        if self.common["unit"] != MINOR_UNITS[self.common["currency"]]:
            document["rounding"] = {"unit": self.common["unit"], "mode": mode}
        elif self.chance(0.7):
            document["rounding"] = rng.choice([{"mode": mode}, {"unit": self.common["unit"], "mode": mode}])
        if self.chance(0.4):
            document["benefit_year"] = rng.choice(["01-01", "02-29", "07-01", "04-01", "12-31"])
        if self.chance(0.6):
            document["residue"] = rng.choice(["provider", "patient", "payer"])
        if self.independent:
            document["starts_from"] = self.expression(coordinating=False)
        elif self.chance(0.05):
            document["starts_from"] = "remaining"
        if self.chance(0.15):
            document["applies"] = self.condition(built_in=False)
        if self.chance(0.2 if number else 0.05):
            names = rng.sample(COMPONENTS, rng.randint(2, 5)) + rng.sample(
                ["not_covered", "over_limit", "remainder"], 1
            )
            document["takes_over"] = names
        if self.chance(0.13):
            document["remainder"] = "patient"
        if self.chance(0.05):
            document["continues"] = f"old-{number}"
        document |= {"facts": self.facts, "steps": self.steps, "bands": list(self.bands.values())}
        if self.chance(0.15):
            name = rng.choice(list(FACTS))
            self.facts.setdefault(name, rng.choice(FACTS[name]))
        document |= {"groups": self.groups, "accumulators": self.accumulators, "closing_steps": self.closing}
        return {key: value for key, value in document.items() if value not in ([], {}) or key == "steps"}

    def write_steps(self):
        pairs = [pair for pair in PAIRS if self.allowed(pair)]
        weights = [PAIR_WEIGHTS[pair] for pair in pairs]
        kinds = []
        for pair in self.rng.choices(pairs, weights, k=self.rng.choice([1, 1, 2])):
            kinds += self.prelude(pair) + list(pair)
        if self.chance(0.3):
            kinds.insert(
                self.rng.randint(0, len(kinds)), self.rng.choice(["copay", "coinsurance", "deductible", "pay"])
            )
        for kind in kinds:
            self.steps.append(getattr(self, kind)())

    def allowed(self, pair):
        if self.independent:
            return "period_cap" not in pair and ("coordinate" in pair or self.chance(0.2))
        return "coordinate" not in pair

    def prelude(self, pair):
        """Something to give back, for a pair that gives back."""
        if pair[0] in ("out_of_pocket_max", "period_cap") or pair[1] in ("out_of_pocket_max", "period_cap"):
            return self.rng.choices(["coinsurance", "copay", "deductible"], k=self.rng.choice([1, 2, 2]))
        return []

    # Words

    def use(self, name):
        """The name, after seeing to it that the document declares it."""
        if name == "age_band" and name not in self.bands:
            to = [{"below": 19, "is": "child"}, {"below": 65, "is": "adult"}, {"is": "senior"}]
            self.bands[name] = {"fact": name, "of": self.use("age"), "to": to}
        elif name == "charge_band" and name not in self.bands:
            to = [{"below": 20 * MILLION, "is": "small"}, {"is": "great"}]
            self.bands[name] = {"fact": name, "of": self.use("usual_charge"), "to": to}
        elif name in FACTS and name not in self.facts:
            self.facts[name] = self.rng.choice(FACTS[name])
        return name

    def group(self):
        name = self.rng.choice(["therapy", "other"])
        self.groups.setdefault(name, self.rng.sample(CATEGORIES, 3))
        return name

    def condition(self, depth=0, built_in=True):
        """A condition that holds more often than not."""
        rng = self.rng
        if depth == 0 and self.chance(0.03):
            return {}
        found = self.leaf(built_in)
        if self.chance(0.15):
            found |= self.leaf(built_in)
        if depth < 2 and self.chance(0.15):
            found["not"] = self.rare(built_in) if self.chance(0.7) else self.condition(depth + 1, built_in)
        if depth < 2 and self.chance(0.15):
            found["any"] = [self.condition(depth + 1, built_in) for _ in range(rng.randint(1, 3))]
        return found

    def leaf(self, built_in):
        rng = self.rng
        leaves = [
            lambda: {self.use("network"): rng.choice(["in", "in", ["in", "out"], ["in"]])},
            lambda: {self.use("category"): rng.choice([rng.sample(CATEGORIES, 3), {"in_group": self.group()}])},
            lambda: {self.use("emergency"): rng.choice([True, False])},
            lambda: {self.use("admitted"): False},
            lambda: {self.use("age"): rng.choice([{"at_least": 18}, {"below": 65}, {"at_least": 5, "below": 70}])},
            lambda: {self.use("age_band"): rng.choice([["adult", "senior"], ["child", "adult"], "adult"])},
            lambda: {self.use("charge_band"): rng.choice(["great", ["small", "great"]])},
            lambda: {self.use("level"): rng.choice(["low", ["low", "middle"], ["high", "low"]])},
            lambda: {self.use("income"): {"at_least": rng.choice([0, 10 * MILLION])}},
            lambda: {self.use("family_size"): rng.choice([[1, 2, 3, 4], 3, {"below": 5}])},
            lambda: {self.use("enrolled"): {"below": rng.choice(["2025-06-01", "2026-01-01"])}},
        ]
        if built_in:
            leaves += [
                lambda: {"member": rng.choice(["m1", ["m1", "m2"]])},
                lambda: {"payer_set": rng.choice([["alpha", "alpha+beta", "beta", "beta+alpha"], "alpha"])},
                lambda: {"quantity": rng.choice([{"at_least": MILLION}, MILLION, {"below": 3 * MILLION}])},
                lambda: {"date": rng.choice([{"at_least": "2025-01-01"}, {"below": "2025-07-01"}])},
                lambda: {"visit": rng.choice(["", ["", "v1", "v2"]])},
                lambda: {"third_party_help": rng.choice([0, {"below": 5 * MILLION}])},
            ]
        return rng.choice(leaves)()

    def rare(self, built_in=True):
        """A condition that holds on one line in four or so."""
        rng = self.rng
        leaves = [
            lambda: {self.use("network"): "out"},
            lambda: {self.use("category"): rng.choice(["drug", "lab", ["drug", "lab"]])},
            lambda: {self.use("admitted"): True},
            lambda: {self.use("level"): ["high"]},
            lambda: {self.use("age"): {"at_least": 65}},
        ]
        if built_in:
            leaves.append(lambda: {"quantity": {"below": MILLION}})
        return rng.choice(leaves)()

    def money(self, low, high):
        amount = self.rng.randint(low, high) * MILLION
        if self.chance(0.2):
            amount += self.rng.choice([1, 5_000, 25_000, 333_333, 500_000, 999_999])
        return amount

    def amount(self, low, high, depth=0):
        """Money of `low` to `high` currency units in one of the forms of an amount."""
        rng = self.rng
        form = rng.choices(["int", "cases", "fact", "ppm", "members"], [70, 9, 6, 6, 6])[0]
        if form == "cases" and depth < 2:
            count = rng.randint(1, 2)
            cases = [{"value": self.amount(low, high, depth + 1)} | self.case_conditions() for _ in range(count)]
            if self.chance(0.8):
                cases.append({"value": self.amount(low, high, depth + 1)})
            elif self.chance(0.3):
                cases.append({"value": None})
            return {"cases": cases}
        if form == "fact":
            return {"fact": self.use(rng.choice(["franchise", "usual_charge"]))}
        if form == "ppm":
            return {"fact": self.use("income"), "ppm": rng.choice([20_000, 333_333, 150_000])}
        if form == "members":
            self.use("family_size")
            found = {"base": self.money(low, high), "per_extra_member": self.money(0, 3)}
            found["members_included"] = rng.randint(0, 3)
            return found | ({"max": self.money(high, high + 4)} if self.chance(0.5) else {})
        return self.money(low, high)

    def case_conditions(self):
        found = {}
        if self.chance(0.8):
            found["when"] = self.condition(depth=1)
        if self.chance(0.4) or not found:
            found["when_used"] = self.when_used()
        return found

    def when_used(self):
        rng = self.rng
        if self.chance(0.35) and self.relief_counter():
            return {self.relief_counter(): rng.choice([{"at_least": 1}, {"below": 2}, {"below": 3}])}
        if self.chance(0.6):
            name = self.counter(rng.choice(["visits", "lines"]), periods=[*PERIODS[1:], "rolling"])
            return {name: rng.choice([{"at_least": 1}, {"at_least": 2}, {"below": 3}, {"at_least": 1, "below": 4}])}
        name = self.accumulator(rng.choice([["cost_share"], ["covered"], ["patient"], ["paid"]]))
        return {name: rng.choice([{"at_least": 5 * MILLION}, {"below": 60 * MILLION}, {"at_least": MILLION}])}

    def relief_counter(self):
        """An accumulator that counts the months with relief of a monthly cap, if there is such a cap."""
        for step in self.steps + self.closing:
            if step["kind"] == "period_cap" and step["pool"]["period"] == "month":
                name = f"months-{step['id']}"
                if name not in [accumulator["id"] for accumulator in self.accumulators]:
                    window = self.rng.choice([2, 3, 12])
                    counter = {"id": name, "kind": "periods_with_relief", "of": step["id"], "window_months": window}
                    self.accumulators.append(counter)
                return name
        return ""

    def rate(self, low, high, depth=0):
        rng = self.rng
        form = rng.choices(["int", "cases", "fact", "null"], [80, 12, 6, 1])[0]
        if form == "cases" and depth < 2:
            cases = [{"value": self.rate(low, high, depth + 1)} | self.case_conditions()]
            if self.chance(0.8):
                cases.append({"value": self.rate(low, high, depth + 1)})
            return {"cases": cases}
        if form == "fact":
            return {"fact": self.use("rate")}
        return None if form == "null" else rng.choice([low, high, rng.randint(low, high)])

    # Accumulators

    def by(self, probability):
        if not self.chance(probability):
            return []
        names = ["network", "category", "level", "age_band", "emergency", "note", "age", "admitted"]
        return [self.use(name) for name in self.rng.sample(names, self.rng.choice([1, 1, 2]))]

    def period(self, rolling=True):
        rng = self.rng
        if rolling and self.chance(0.12):
            return {"rolling_days": rng.choice([1, 2, 7, 30, 30, 365 if self.chance(0.3) else 10])}
        period = rng.choice([*PERIODS, "month", "benefit_year", "day", "visit"])
        if period == "policy_year":
            self.use("policy_start")
        return period

    def new_accumulator(self, feeds, period):
        rng = self.rng
        found = {"id": f"acc-{len(self.accumulators)}", "scope": rng.choice(["person", "family", "policy"])}
        found |= {"period": period, "feeds": feeds}
        by = self.by(0.2)
        if by:
            found["by"] = by
        if self.chance(0.12):
            found["third_party_help"] = rng.choice(["excluded", "excluded", "excluded", "counts"])
        self.accumulators.append(found)
        return found["id"]

    def accumulator(self, measures, single=False, fresh=0.5):
        """The id of an accumulator fed by the measures: one of those that exist, or a new one."""
        for found in self.accumulators:
            fed = [feed["of"] for feed in found.get("feeds", [])]
            if fed == measures and not self.chance(fresh):
                return found["id"]
        feeds = [{"of": measure} for measure in measures]
        if self.chance(0.15):
            feeds[0]["when"] = self.condition(depth=1)
        if not single and self.chance(0.12):
            other = self.rng.choice(["copay", "extra", "deductible", "self_pay_first", "coinsurance"])
            feeds.append({"of": other, "when": self.condition(depth=1)})
        return self.new_accumulator(feeds, self.period())

    def counter(self, measure, periods=None):
        for found in self.accumulators:
            if [feed["of"] for feed in found.get("feeds", [])] == [measure] and not self.chance(0.4):
                return found["id"]
        feed = {"of": measure}
        if self.chance(0.2):
            feed["when"] = self.condition(depth=1)
        period = self.rng.choice(periods) if periods else self.period()
        if period == "rolling":
            period = {"rolling_days": self.rng.choice([3, 30, 90])}
        if period == "policy_year":
            self.use("policy_start")
        return self.new_accumulator([feed], period)

    def limits(self, measures, low, high):
        entries = []
        for _ in range(self.rng.choice([1, 1, 2])):
            limit = self.amount(low, high) if not self.chance(0.03) else None
            entries.append({"accumulator": self.accumulator(self.rng.choice(measures)), "limit": limit})
        return entries

    # Steps

    def step(self, kind, when=0.25, component=0.15, **words):
        found = {"id": f"s{len(self.steps)}-{kind}", "kind": kind, "clause": f"{len(self.steps) + 1}"}
        if self.chance(when):
            found["when"] = self.condition()
        if self.chance(0.08):
            found["when_used"] = self.when_used()
        if self.chance(component):
            names = ["charge", "not_covered"] if kind in ("exclude", "waiting_period", "benefit_limit") else COMPONENTS
            found["component"] = self.rng.choice(names)
        if self.chance(0.2):
            found["reason"] = self.rng.choice(["because", "frequency", "coordination"])
        return found | words

    def exclude(self):
        step = self.step("exclude", when=0)
        step["when"] = self.rare() if self.chance(0.85) else {"not": self.condition()}
        return step | ({"bearer": self.rng.choice(["provider", "patient"])} if self.chance(0.4) else {})

    def waiting_period(self):
        months = self.rng.choice([1, 3, 6, 12, 24, {"cases": [{"when": self.rare(), "value": 12}, {"value": 6}]}])
        step = self.step("waiting_period", since=self.use(self.rng.choice(["enrolled", "policy_start"])), months=months)
        return step | ({"bearer": self.rng.choice(["provider", "patient"])} if self.chance(0.4) else {})

    def benefit_limit(self):
        rng, step = self.rng, self.step("benefit_limit", when=0.15)
        forms = rng.sample(["each", "amount", "limits", "unit_limits"], rng.choice([1, 1, 2]))
        if "each" in forms:
            per = rng.choice(["line", "unit", "unit"])
            step["each"] = self.amount(4, 30)
            step |= {"per": per} if per == "unit" or self.chance(0.5) else {}
        if "amount" in forms:
            usual = {"fact": self.use("usual_charge")}
            step["amount"] = usual if self.chance(0.4) else self.amount(4, 35)
        if "limits" in forms:
            step["limits"] = self.limits([["paid"], ["covered"], ["paid"], ["patient"], ["paid:fund"]], 10, 90)
        if "unit_limits" in forms:
            step["unit_limits"] = [self.unit_limit() for _ in range(rng.choice([1, 1, 2]))]
        if self.chance(0.6):
            step["denies"] = self.chance(0.2)
        return step | ({"bearer": rng.choice(["provider", "patient"])} if self.chance(0.4) else {})

    def unit_limit(self):
        rng = self.rng
        measure = rng.choice(["units", "units", "lines", "visits"])
        limit = rng.randint(1, 4) if measure != "units" else rng.choice([2_500_000, 4 * MILLION, 7_250_000])
        found = {"accumulator": self.counter(measure), "limit": limit}
        if self.chance(0.1):
            found["limit"] = {"cases": [{"when": self.condition(depth=1), "value": limit}]}
        return found | ({"partial": rng.choice(["by_unit", "by_unit", "none"])} if self.chance(0.7) else {})

    def copay(self):
        rng, step = self.rng, self.step("copay")
        if self.chance(0.35):
            step["ppm"] = self.rate(50_000, 500_000)
            step |= {"min": self.amount(2, 6)} if self.chance(0.6) else {}
            step |= {"max": self.amount(4, 12)} if self.chance(0.6) else {}
            step |= {"of": rng.choice(["open", "cost"])} if self.chance(0.6) else {}
        else:
            step["amount"] = self.amount(1, 14)
            per = rng.choice(["line", "unit", "visit", "day", ""])
            step |= {"per": per} if per else {}
        if self.chance(0.2):
            step["limits"] = self.limits([["copay"], ["cost_share"], ["patient"]], 10, 60)
        return step

    def deductible(self):
        step = self.step("deductible")
        measures = [["deductible"], ["deductible"], ["cost_share"], ["covered"], ["patient"], ["deductible", "copay"]]
        if not self.chance(0.02):
            step["limits"] = self.limits(measures, 3, 60)
        return step

    def coinsurance(self):
        rng, step = self.rng, self.step("coinsurance")
        if self.chance(0.3):
            measure = rng.choice(["covered", "coinsured", "patient", "cost_share", "coinsurance", "paid"])
            step["measure"] = self.accumulator([measure], single=True)
            bounds = sorted(rng.sample(range(2, 90), rng.randint(1, 3)))
            step["bands"] = [{"below": bound * MILLION, "ppm": self.rate(0, 600_000)} for bound in bounds]
            if self.chance(0.15):
                step["bands"][0]["below"] = {"cases": [{"when": self.condition(), "value": bounds[0] * MILLION}]}
            step["bands"].append({"ppm": self.rate(50_000, MILLION)})
        else:
            step["ppm"] = self.rate(100_000, 700_000) if not self.chance(0.06) else MILLION
        if self.chance(0.3):
            step["of"] = rng.choice(["open", "cost", "cost"])
        if self.chance(0.2):
            step["limits"] = self.limits([["coinsurance"], ["cost_share"], ["coinsured"]], 10, 70)
        return step

    def pay(self):
        rng, step = self.rng, self.step("pay")
        if self.chance(0.5):
            step["party"] = rng.choice(["personal_account", "fund", "alpha", "fund"])
        form = rng.choice(["amount", "amount", "ppm", "ppm", "all"])
        if form == "amount":
            step["amount"] = self.amount(1, 20)
        if form == "ppm":
            step["ppm"] = self.rate(50_000, 700_000)
        if self.chance(0.3) or form == "all":
            step["limits"] = self.limits([["paid"], ["paid:fund"], ["paid:personal_account"]], 5, 50)
        if form == "all" and self.chance(0.4):
            step["when"] = self.rare()
        return step

    def out_of_pocket_max(self):
        step = self.step("out_of_pocket_max", when=0.12)
        measures = [["cost_share"], ["cost_share"], ["patient"], ["coinsurance", "copay"], ["copay"], ["coinsurance"]]
        if not self.chance(0.02):
            step["limits"] = self.limits(measures, 0, 30)
        if self.chance(0.35):
            step["counts"] = self.rng.sample(COMPONENTS, self.rng.randint(1, 5))
        return step

    def period_cap(self, closing=False):
        rng = self.rng
        pool = {"scope": rng.choice(["person", "person", "family", "policy"]), "period": self.period(rolling=False)}
        by = self.by(0.25) or (["payer_set"] if self.chance(0.1) else [])
        pool |= {"by": by} if by else {}
        step = self.step("period_cap", when=0.12, component=0, pool=pool, cap=self.cap())
        if closing:
            step["id"] = f"c{len(self.accumulators)}-{rng.randint(0, 10**9)}-period_cap"
        if self.chance(0.3):
            step["scale"] = [{"when": self.condition(), "ppm": rng.choice([500_000, 333_333])}]
            step["scale"] += [{"ppm": 750_000}] if self.chance(0.3) else []
        if self.chance(0.3):
            step["qualify"] = self.qualify()
        if self.chance(0.4):
            step["settle"] = rng.choice(["line", "refund", "refund"])
        if self.chance(0.3):
            step["recover"] = self.chance(0.3)
        if self.chance(0.25):
            step["counts"] = rng.sample([*COMPONENTS, "remainder"], rng.randint(2, 6))
        if self.chance(0.35):
            step["basis"] = rng.choice(["cost", "covered"])
        return step

    def cap(self):
        if not self.chance(0.2):
            return self.plain_cap()
        cases = [self.plain_cap() | self.case_conditions() for _ in range(self.rng.randint(1, 2))]
        return {"cases": cases + ([self.plain_cap()] if self.chance(0.8) else [])}

    def plain_cap(self):
        form = self.rng.choice(["base", "share", "over", "over"])
        if form == "share":
            return {"base": 0, "ppm": self.rate(50_000, 200_000)}
        cap = {"base": self.amount(1, 30) if not self.chance(0.03) else None}
        if form == "over":
            cap |= {"over": self.amount(5, 50), "ppm": self.rate(10_000, 300_000)}
        return cap

    def qualify(self):
        names = ["member", "network", "category", "payer_set", "level"]
        by = self.rng.sample(names, self.rng.choice([0, 1, 1, 2]))
        found = {"by": [self.use(name) for name in by]}
        if self.chance(0.7):
            found["floor"] = self.amount(2, 20) if not self.chance(0.04) else None
        if self.chance(0.4):
            found["needs"] = self.condition()
        return found

    def coordinate(self):
        forms = [self.expression(coordinating=True) for _ in range(self.rng.choice([1, 2, 2, 3]))]
        return self.step("coordinate", when=0.15, component=0, lowest_of=forms)

    def expression(self, coordinating):
        rng = self.rng
        if not coordinating:
            usual = [
                {"greatest": ["cost"]},
                {"greatest": ["own_allowed"]},
                {"greatest": ["own_allowed", "remaining"]},
                {"greatest": ["own_allowed"], "less": ["earlier_paid"]},
                {"greatest": ["billed", self.use("usual_charge")]},
                {"greatest": ["remaining"], "less": []},
            ]
        else:
            usual = [
                {"greatest": ["own_benefit"], "less": ["earlier_paid"]},
                {"greatest": ["cost"], "less": ["earlier_paid"]},
                {"greatest": ["own_benefit"], "less": [self.use("franchise")]},
                {"greatest": ["own_cost_share", self.use("usual_charge")]},
                {"greatest": ["billed"], "less": ["earlier_paid", "own_cost_share"]},
                {"greatest": ["remaining", "own_benefit"], "less": ["own_cost_share", self.use("franchise")]},
            ]
        found = rng.choice(usual)
        if "own_allowed" in found["greatest"] and self.chance(0.7):
            self.use("own_allowed")
        return found


# Lines


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
        if may_be_absent and rng.random() < 0.2:
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
    members = ["m1", "m2", "m3"][: rng.choice([1, 1, 2, 3])]
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
            visit = f"v{visits}" if rng.random() < 0.8 else ""
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
