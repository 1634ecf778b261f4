"""Section 5 of docs/reference/plan-model.md: rules over a month, settled event by event."""

from __future__ import annotations

import random

import pytest

from drachm.domain.benefits import Key

U = 1_000_000
ALL = {"kind": "coinsurance", "ppm": 1_000_000}
MONTH = {"scope": "person", "period": "month"}


def cap(base, **more):
    return {"id": "cap", "kind": "period_cap", "pool": MONTH, "cap": {"base": base}, **more}


def registers(at, scope="ana"):
    """The pool's registers of one scope in units, by letter."""
    return {key.name.partition("#")[2]: amount / U for key, amount in at.totals.items() if key.scope == scope}


def test_the_line_is_lowered_first(desk, amounts):
    at = desk(ALL, cap(30 * U))
    answers = [at.line(cost) for cost in (20, 20, 20)]
    assert [amounts(answer).get("coinsurance", 0) for answer in answers] == [20, 10, 0]
    assert [answer.credits for answer in answers] == [(), (), ()]
    assert registers(at) == {"S": 60, "C": 60, "R": 30}
    step = next(step for step in answers[1].trace if step.kind == "period_cap")
    assert (step.amount, step.target, step.open_after, step.accumulator, step.used, step.limit) == (
        -10 * U,
        "coinsurance",
        10 * U,
        "cap",
        20 * U,
        30 * U,
    )


def test_the_next_month_starts_anew(desk, amounts):
    at = desk(ALL, cap(30 * U))
    assert [amounts(at.line(40, on=on))["coinsurance"] for on in ("2025-03-31", "2025-04-01")] == [30, 30]


def test_what_exceeds_the_line_is_a_credit_for_earlier_events(desk, amounts):
    when_low = {"cases": [{"when": {"low": True}, "base": 10 * U}, {"base": 50 * U}]}
    at = desk(ALL, {**cap(0), "cap": when_low}, facts={"low": "flag"})
    at.line(40)
    answer = at.line(5, low=True)
    assert amounts(answer) == {"fund": 5}
    (credit,) = answer.credits
    assert (credit.party, credit.amount, credit.document, credit.step, credit.period) == (
        "fund",
        30 * U,
        "plan",
        "cap",
        "M2025-03",
    )
    assert answer.trace[-2].target == "credit:fund"


def test_a_recovery_and_recover_false(desk, amounts):
    when_low = {"cases": [{"when": {"low": True}, "base": 10 * U}, {"base": 50 * U}]}
    steps = (ALL, {**cap(0), "cap": when_low})
    at = desk(*steps, facts={"low": "flag"})
    at.line(40, low=True)
    answer = at.line(5)
    # 45 owed in all, the cap is 50 now: the 30 given come back.
    assert amounts(answer) == {"coinsurance": 5}
    assert [credit.amount for credit in answer.credits] == [-30 * U]
    assert registers(at) == {"S": 45, "C": 45}

    kept = desk(steps[0], {**steps[1], "recover": False}, facts={"low": "flag"})
    kept.line(40, low=True)
    assert kept.line(5).credits == ()
    assert registers(kept)["R"] == 30


def test_refund_makes_everything_a_credit(desk, amounts):
    at = desk(ALL, cap(30 * U, settle="refund"))
    answer = at.line(50)
    assert amounts(answer) == {"coinsurance": 50}
    assert [credit.amount for credit in answer.credits] == [20 * U]


def test_the_rate_above_a_threshold_and_its_rounding(desk, amounts):
    rule = {**cap(0), "cap": {"base": 80_100 * U, "over": 267_000 * U, "ppm": 10_000}}
    share = {"kind": "coinsurance", "ppm": 300_000}
    at = desk(share, rule, currency="JPY", rounding={"unit": U, "mode": "half_up"})
    assert amounts(at.line(300_050))["coinsurance"] == 80_431  # 80,100 + 330.5, the half rounded up


def test_scale_halves_base_and_threshold_but_not_the_rate(desk, amounts):
    scale = [{"when": {"half": True}, "ppm": 500_000}, {"when": {"half": True}, "ppm": 1}]
    rule = {**cap(0), "cap": {"base": 80_101, "over": 50 * U, "ppm": 100_000}, "scale": scale}
    at = desk(ALL, rule, facts={"half": "flag"}, rounding={"unit": 1})
    assert amounts(at.line(100, half=True))["coinsurance"] == 0.040050 + 7.5
    assert amounts(at.line(100, half=False, member="b"))["coinsurance"] == 0.080101 + 5


def test_no_cap_means_that_nothing_enters(desk):
    at = desk(ALL, {**cap(0), "cap": {"cases": [{"when": {"capped": True}, "base": U}]}}, facts={"capped": "flag"})
    at.line(10)
    assert at.totals == {}
    at = desk(ALL, cap(None))
    at.line(10)
    assert at.totals == {}


def test_counts_and_basis(desk, amounts):
    steps = (
        {"kind": "benefit_limit", "amount": 80 * U},
        {"kind": "copay", "amount": 10 * U},
        {"kind": "coinsurance", "ppm": 500_000},
        cap(5 * U, counts=["copay"], basis="covered"),
    )
    at = desk(*steps)
    assert amounts(at.line(100)) == {"over_limit": 20, "copay": 5, "coinsurance": 35, "fund": 40}
    assert registers(at) == {"S": 10, "C": 80, "R": 5}


def test_excess_never_enters_a_pool(desk, amounts):
    at = desk({"kind": "benefit_limit", "amount": 4 * U}, ALL, cap(U, counts=["over_limit", "coinsurance"]))
    assert amounts(at.line(10)) == {"over_limit": 6, "coinsurance": 1, "fund": 3}


def test_last_taken_first(desk, amounts):
    steps = ({"kind": "copay", "amount": 20 * U}, ALL, cap(15 * U))
    assert amounts(desk(*steps).line(100)) == {"copay": 15, "fund": 85}


def test_the_pool_is_split_by_facts(desk, amounts):
    rule = {**cap(10 * U), "pool": {**MONTH, "by": ["place"]}}
    at = desk(ALL, rule, facts={"place": "text"})
    assert [amounts(at.line(15, place=place)).get("coinsurance", 0) for place in "aba"] == [10, 10, 0]
    assert Key("ana", "plan/cap[a]#S", "M2025-03") in at.totals


def test_a_second_cap_sees_the_first_ones_credits(desk):
    low = {"cases": [{"when": {"low": True}, "base": 0}, {"base": 100 * U}]}
    first = {**cap(0), "cap": low}
    second = {**cap(100 * U), "id": "second"}
    at = desk(ALL, first, second, facts={"low": "flag"})
    at.line(40)
    answer = at.line(10, low=True)
    # The first cap takes the line's 10 and gives 40 back for before; the second counts -40.
    assert [credit.amount for credit in answer.credits] == [40 * U]
    assert at.used("plan/second#S") == 0


def test_paid_counts_the_documents_credits(desk):
    paid = {"id": "paid", "scope": "person", "period": "lifetime", "feeds": [{"of": "paid"}, {"of": "paid:fund"}]}
    at = desk(ALL, cap(30 * U, settle="refund"), accumulators=[paid])
    at.line(50)
    assert at.used("plan/paid") == 40


class TestBuckets:
    RULE = {**cap(0), "cap": {"base": 30 * U}, "pool": {"scope": "family", "period": "month"}}

    def household(self, desk, **qualify):
        rule = {**self.RULE, "qualify": {"by": ["member", "place"], **qualify}}
        return desk(ALL, closing_steps=[{**rule, "clause": "c"}], facts={"place": "text", "ill": "flag"})

    def test_a_bucket_counts_as_a_whole_once_it_reaches_the_floor(self, desk, amounts):
        at = self.household(desk, floor=20 * U)
        lines = [at.line(cost, family="f", place=place) for place, cost in (("a", 15), ("b", 25), ("a", 15))]
        assert [amounts(line).get("coinsurance", 0) for line in lines] == [15, 25, 0]
        # The third line brings all 30 of bucket a into the pool: 55 - 30 are due, 15 of them on the line itself.
        assert [credit.amount for credit in lines[2].credits] == [10 * U]
        assert at.used("plan/cap{ana|a}#O", "f") == 30
        assert at.used("plan/cap{ana|a}#L", "f") * U == 2
        assert at.used("plan/cap#S", "f") == 55

    def test_without_a_floor_every_bucket_counts(self, desk, amounts):
        at = self.household(desk, floor=None)
        assert [amounts(at.line(20, family="f", place=place)).get("coinsurance", 0) for place in "abc"] == [20, 10, 0]

    def test_needs_some_line_that_meets_the_condition(self, desk, amounts):
        at = self.household(desk, needs={"ill": True})
        first = at.line(50, family="f", place="a")
        assert amounts(first) == {"coinsurance": 50}
        second = at.line(10, family="f", place="a", ill=True)
        assert (amounts(second), [credit.amount for credit in second.credits]) == ({"fund": 10}, [20 * U])

    def test_needs_in_one_bucket(self, desk, amounts):
        rule = {**cap(10 * U), "qualify": {"by": [], "needs": {"ill": True}}}
        at = desk(ALL, rule, facts={"ill": "flag"})
        assert amounts(at.line(20)) == {"coinsurance": 20}
        assert Key("ana", "plan/cap{}#L", "M2025-03") in at.totals
        assert at.line(0, ill=True).credits[0].amount == 10 * U

    def test_the_floor_looks_at_the_own_share_before_the_first_cap(self, desk, amounts):
        bill_cap = {**cap(10 * U), "id": "bill"}
        rule = {**self.RULE, "qualify": {"by": ["member"], "floor": 20 * U}, "clause": "c"}
        at = desk(ALL, bill_cap, closing_steps=[rule])
        assert amounts(at.line(25, family="f")) == {"coinsurance": 10, "fund": 15}
        assert at.used("plan/cap{ana}#O", "f") == 25
        assert at.used("plan/cap#S", "f") == 10

    def test_the_own_share_counts_a_remainder_when_no_cap_ran(self, desk):
        rule = {**self.RULE, "qualify": {"by": ["member"]}, "clause": "c"}
        at = desk({"kind": "pay", "ppm": 500_000}, closing_steps=[rule], remainder="patient")
        at.line(20, family="f")
        assert at.used("plan/cap{ana}#O", "f") == 10


class TestClosing:
    def test_it_lowers_the_last_documents_components_first_and_its_payer_pays(self, document, desk, amounts):
        rule = {**cap(12 * U), "clause": "c"}
        copay = {"kind": "copay", "amount": 10 * U}
        first = document(copay, ALL, id="a", payer="one", closing_steps=[rule])
        second = document({"kind": "copay", "amount": 5 * U}, id="b", payer="two", takes_over=["coinsurance"])
        answer = desk(first, second).line(100)
        assert amounts(answer) == {"copay": 12, "two": 85, "one": 3}
        assert {(share.document, share.component): share.amount // U for share in answer.shares if share.amount} == {
            ("a", "copay"): 10,
            ("b", "copay"): 2,
            ("b", "plan_paid"): 85,
            ("a", "plan_paid"): 3,
        }
        assert [(step.amount // U, step.target) for step in answer.trace[-2:]] == [(-3, "b/copay"), (3, "one")]

    def test_a_document_that_denied_does_not_close(self, document, desk, amounts):
        rule = {**cap(0), "clause": "c"}
        first = document({"kind": "exclude"}, id="a", payer="one", closing_steps=[rule])
        at = desk(first, document(ALL, id="b", takes_over=["not_covered"]))
        assert amounts(at.line(10)) == {"coinsurance": 10}
        assert at.totals == {}

    def test_paid_does_not_hold_what_closing_steps_give(self, desk):
        paid = {"id": "paid", "scope": "person", "period": "lifetime", "feeds": [{"of": "paid"}]}
        at = desk(ALL, closing_steps=[{**cap(30 * U), "clause": "c"}], accumulators=[paid])
        assert at.line(50).plan_paid == 20 * U
        assert at.used("plan/paid") == 0

    def test_credits_of_every_document_count_in_closing_steps(self, document, desk):
        refund = cap(0, settle="refund")
        first = document(ALL, refund, id="a", payer="one")
        second = document(ALL, id="b", payer="two", closing_steps=[{**cap(100 * U), "clause": "c"}])
        at = desk(first, second)
        at.line(10)
        assert at.used("b/cap#S") == 0
        assert at.used("b/cap#C") == 10


def japan(document):
    """Statutory insurance with a bill cap and a household cap, and a subsidy behind it (published figures)."""
    facts = {"place": "text", "subsidised": "flag", "subsidy_cap": {"type": "money", "default": None}}
    yen = {"currency": "JPY", "zone": "Asia/Tokyo", "rounding": {"unit": U}}
    formula = {"base": 80_100 * U, "over": 267_000 * U, "ppm": 10_000}
    bill = {
        "id": "bill",
        "kind": "period_cap",
        "pool": {"scope": "person", "period": "month", "by": ["place", "payer_set"]},
        "cap": formula,
    }
    household = {
        "id": "household",
        "kind": "period_cap",
        "clause": "h",
        "pool": {"scope": "family", "period": "month"},
        "qualify": {"by": ["member", "place", "payer_set"], "floor": 21_000 * U},
        "cap": formula,
    }
    insurance = document(
        {"kind": "coinsurance", "ppm": 300_000}, bill, id="insurance", payer="insurance", closing_steps=[household],
        facts={"place": "text"}, **yen,
    )  # fmt: skip
    tenth = {"id": "tenth", "kind": "period_cap", "pool": MONTH, "cap": {"base": 0, "ppm": 100_000}}
    month = {"id": "month", "kind": "period_cap", "pool": MONTH, "cap": {"base": {"fact": "subsidy_cap"}}}
    subsidy = document(
        ALL, tenth, month, id="subsidy", payer="subsidy", applies={"subsidised": True}, facts=facts, **yen
    )
    return insurance, subsidy


@pytest.mark.parametrize("seed", range(6))
def test_the_month_does_not_depend_on_how_it_is_cut(document, desk, seed):
    """300,000 yen with the 10 % subsidy and 300,000 without: patient 83,430, insurance 466,140, subsidy 50,430."""
    rng = random.Random(seed)
    bills = [(300_000, {"place": "x", "subsidised": True, "subsidy_cap": 30_000 * U}), (300_000, {"place": "x"})]
    pieces = []
    for cost, facts in bills:
        cuts = sorted(rng.sample(range(10, cost, 10), rng.randrange(5))) if seed else []
        pieces += [(end - start, facts) for start, end in zip([0, *cuts], [*cuts, cost], strict=True)]
    rng.shuffle(pieces)
    at = desk(*japan(document))
    owed = {"patient": 0, "insurance": 0, "subsidy": 0}
    for cost, facts in pieces:
        answer = at.line(cost, **facts)
        for share in answer.shares:
            owed[share.party or "patient"] += share.amount // U
        for credit in answer.credits:
            owed[credit.party] += credit.amount // U
            owed["patient"] -= credit.amount // U
    assert owed == {"patient": 83_430, "insurance": 466_140, "subsidy": 50_430}
