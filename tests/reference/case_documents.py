"""Random valid documents, written so that each pair of neighbouring steps often has an effect on the same line."""

from __future__ import annotations

from case_words import COMPONENTS, FACTS, MILLION, WordMaker

MODES = ["half_up", "half_down", "half_even", "up", "down"]
MINOR_UNITS = {"USD": 10_000, "EUR": 10_000, "JPY": 1_000_000, "KWD": 1_000, "CHF": 10_000, "CLF": 100}

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


class DocumentMaker(WordMaker):
    """One random valid document."""

    def document(self):
        rng, number = self.rng, self.number
        self.write_steps()
        if self.chance(0.3):
            for _ in range(0 if self.independent else rng.choice([1, 1, 2, 2, 3])):
                self.closing.append(self.period_cap(closing=True))
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
            document["takes_over"] = names if not self.chance(0.05) else []
        if self.chance(0.13):
            document["remainder"] = "patient"
        if self.chance(0.05):
            document["continues"] = f"old-{number}"
        document |= {"facts": self.facts, "steps": self.steps, "bands": list(self.bands.values())}
        if self.chance(0.15):
            name = rng.choice(list(FACTS))
            self.facts.setdefault(name, rng.choice(FACTS[name]))
        if len(self.facts) % 4 == 0:  # changes no share; without chance, so that everything else stays as it was
            document["pockets"] = {"personal_account": ["first", "last", "never"][len(self.steps) % 3]}
        document |= {"groups": self.groups, "accumulators": self.accumulators, "closing_steps": self.closing}
        return {key: value for key, value in document.items() if value not in ([], {}) or key == "steps"}

    def write_steps(self):
        pairs = [pair for pair in PAIRS if self.allowed(pair)]
        weights = [PAIR_WEIGHTS[pair] for pair in pairs]
        kinds = []
        for pair in self.rng.choices(pairs, weights, k=self.rng.choice([2, 2, 3] if self.independent else [1, 1, 2])):
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
        months = {"fact": self.use("family_size")} if self.chance(0.1) else months
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
        measure = rng.choice(["units", "units", "units", "lines", "visits"])
        limit = rng.randint(1, 4) if measure != "units" else rng.choice([2_500_000, 4 * MILLION, 7_250_000])
        found = {"accumulator": self.counter(measure), "limit": limit}
        if self.chance(0.1):
            found["limit"] = {"cases": [{"when": self.condition(depth=1), "value": limit}]}
        return found | ({"partial": rng.choice(["by_unit"] * 3 + ["none"])} if self.chance(0.8) else {})

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
            step["limits"] = self.limits([["copay"], ["cost_share"], ["patient"], ["lines"]], 10, 60)
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
        pool |= {"by": self.by()} if self.chance(0.3) else {}
        step = self.step("period_cap", when=0.12, component=0.05, pool=pool, cap=self.cap())
        if closing:
            step["id"] = f"c{len(self.closing)}-period_cap"
        if pool["period"] == "month" and self.chance(0.4):
            often = {self.relief_counter(step): rng.choice([{"at_least": 1}, {"at_least": 2}, {"below": 2}])}
            step["cap"] = {"cases": [{"when_used": often} | self.plain_cap(), self.plain_cap()]}
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
        return self.step("coordinate", when=0.15, component=0.05, lowest_of=forms)

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
