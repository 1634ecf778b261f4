"""Conditions, amounts and accumulators of random documents.

A document declares what its rules come to need: a fact is declared when a rule first names it, an accumulator when a
limit asks for one.
"""

from __future__ import annotations

MILLION = 1_000_000
ODD = "a%|[b]#@{c}"
CATEGORIES = ["visit", "lab", "drug", "therapy", ODD]
COMPONENTS = ["deductible", "copay", "coinsurance", "extra", "self_pay_first", "base.part"]
PERIODS = ["visit", "admission", "day", "month", "quarter", "benefit_year", "policy_year", "lifetime"]

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


class WordMaker:
    """The words that steps are made of; holds what the document declares."""

    def __init__(self, rng, common, number, independent):
        self.rng, self.common, self.number, self.independent = rng, common, number, independent
        self.facts, self.bands, self.groups, self.accumulators, self.steps, self.closing = {}, {}, {}, [], [], []

    def chance(self, probability):
        return self.rng.random() < probability

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
            lambda: {self.use("emergency"): rng.choice([True, False, [True, False]])},
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
                lambda: {"member": rng.choice(["m1", ["m1", "m@2|"]])},
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
        return self.money(low, high) if not self.chance(0.01) else None

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

    def relief_counter(self, cap=None):
        """An accumulator that counts the months with relief of a monthly cap, if there is such a cap."""
        for step in [cap] if cap else self.steps + self.closing:
            if step["kind"] == "period_cap" and step["pool"]["period"] == "month":
                name = f"months-{step['id']}"
                if name not in [accumulator["id"] for accumulator in self.accumulators]:
                    counter = {"id": name, "kind": "periods_with_relief", "of": step["id"]}
                    self.accumulators.append(counter | {"window_months": self.rng.choice([2, 3, 12, 12, 1])})
                return name
        return ""

    def rate(self, low, high, depth=0):
        rng = self.rng
        form = rng.choices(["int", "cases", "fact", "part", "members", "null"], [80, 12, 6, 2, 2, 1])[0]
        if form == "cases" and depth < 2:
            cases = [{"value": self.rate(low, high, depth + 1)} | self.case_conditions()]
            if self.chance(0.8):
                cases.append({"value": self.rate(low, high, depth + 1)})
            return {"cases": cases}
        if form == "fact":
            return {"fact": self.use("rate")}
        if form == "part":
            return {"fact": self.use("rate"), "ppm": 500_000}
        if form == "members":
            self.use("family_size")
            found = {"base": low, "per_extra_member": 30_000, "members_included": 1}
            return found | ({"max": high} if self.chance(0.5) else {})
        return None if form == "null" else rng.choice([low, high, rng.randint(low, high)])

    def by(self):
        if self.chance(0.1):
            return self.rng.choice([[], ["member"], ["visit", "quantity"], ["payer_set"], ["date"]])
        names = ["network", "category", "level", "age_band", "emergency", "note", "age", "admitted"]
        return [self.use(name) for name in self.rng.sample(names, self.rng.choice([1, 1, 2]))]

    def period(self, rolling=True):
        rng = self.rng
        if rolling and self.chance(0.12):
            return {
                "rolling_days": rng.choice(
                    [1, 2, 7, 30, 30, 365 if self.chance(0.3) else 10, 1830 if self.chance(0.1) else 3]
                )
            }
        period = rng.choice([*PERIODS, "month", "benefit_year", "day", "visit"])
        if period == "policy_year":
            self.use("policy_start")
        return period

    def new_accumulator(self, feeds, period):
        rng = self.rng
        found = {"id": f"acc-{len(self.accumulators)}", "scope": rng.choice(["person", "family", "policy"])}
        found |= {"period": period, "feeds": feeds}
        if self.chance(0.2):
            found["by"] = self.by()
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
        feeds = [{"of": measure} for measure in measures] if single or not self.chance(0.01) else []
        if feeds and self.chance(0.15):
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
