"""Section 4 of docs/reference/plan-model.md: what each kind of step does, and the room of its limits."""

from __future__ import annotations

import pytest

from drachm.domain.benefits import Key

U = 1_000_000
ALL = {"kind": "coinsurance", "ppm": 1_000_000}
HALF = {"kind": "coinsurance", "ppm": 500_000}


def total(of, name="n", scope="person", period="benefit_year", **more):
    return {"id": name, "scope": scope, "period": period, "feeds": [{"of": of}], **more}


def limits(*pairs):
    return [{"accumulator": name, "limit": limit} for name, limit in pairs]


class TestWaitingPeriod:
    @pytest.mark.parametrize(
        ("since", "months", "on", "waits"),
        [
            ("2024-08-31", 6, "2025-02-27", True),
            ("2024-08-31", 6, "2025-02-28", False),
            ("2025-03-10", 0, "2025-03-10", False),
            ("2025-03-11", 0, "2025-03-10", True),
            ("2025-01-01", 12, "2025-12-31", True),
            ("2025-01-01", 12, "2026-01-01", False),
            ("2025-01-01", 1_000_000, "2025-01-01", True),
        ],
    )
    def test_it_waits_whole_months_from_a_day(self, desk, amounts, since, months, on, waits):
        step = {"kind": "waiting_period", "since": "start", "months": months}
        answer = desk(step, facts={"start": "date"}).line(10, on=on, start=since)
        assert answer.decision == ("denied" if waits else "covered")
        assert answer.reason == ("waiting_period" if waits else "")
        assert amounts(answer) == ({"not_covered": 10} if waits else {"fund": 10})


class TestExclude:
    def test_the_provider_may_bear_it(self, desk, amounts):
        step = {"kind": "exclude", "bearer": "provider", "reason": "timely_filing", "component": "late"}
        answer = desk(step).line(10, billed=12)
        assert amounts(answer) == {"provider:late": 10, "provider:contractual_adjustment": 2}
        assert (answer.decision, answer.reason, answer.provider_borne) == ("denied", "timely_filing", 12 * U)


class TestBenefitLimit:
    @pytest.mark.parametrize(
        ("step", "cost", "quantity", "over"),
        [
            ({"each": 4 * U}, 10, 3, 6),
            ({"each": 4 * U, "per": "line"}, 10, 3, 6),
            ({"each": 3 * U, "per": "unit"}, 10, 3, 1),
            ({"each": 3 * U, "per": "unit"}, 10, 4, 0),
            ({"each": 1_111_111, "per": "unit"}, 10, 0.5, 9.44),  # 0.5555555 rounds to 0.56
            ({"each": 1_111_111, "per": "unit"}, 10, 2, 7.777778),  # whole quantities are not rounded
            ({"amount": 7 * U}, 10, 1, 3),
            ({"amount": 12 * U}, 10, 1, 0),
            ({"amount": 7 * U, "each": 6 * U}, 10, 1, 4),
            ({"amount": None, "each": 6 * U}, 10, 1, 4),
        ],
    )
    def test_open_above_the_bound_is_over_the_limit(self, desk, amounts, step, cost, quantity, over):
        answer = desk({"kind": "benefit_limit", **step}).line(cost, quantity=quantity)
        assert amounts(answer).get("over_limit", 0) == pytest.approx(over)
        assert answer.decision == "covered"

    def test_it_denies_when_it_moved_everything(self, desk, amounts):
        step = {"kind": "benefit_limit", "amount": 0, "reason": "visit_limit"}
        answer = desk(step, {"kind": "copay", "amount": U}).line(10)
        assert (answer.decision, answer.reason) == ("denied", "visit_limit")
        assert amounts(answer) == {"over_limit": 10}

    def test_it_does_not_deny_a_line_of_nothing(self, desk):
        assert desk({"kind": "benefit_limit", "amount": 0}).line(0).decision == "covered"

    def test_denies_false_goes_on(self, desk, amounts):
        at = desk({"kind": "benefit_limit", "amount": 0, "denies": False}, accumulators=[total("lines")])
        answer = at.line(10)
        assert answer.decision == "covered"
        assert amounts(answer) == {"over_limit": 10}
        assert at.used("plan/n") * U == 1

    def test_before_the_deductible_a_limit_bounds_charges_behind_it_payments(self, desk, amounts):
        ded = {"kind": "deductible", "limits": limits(("d", 30 * U))}
        cap = {"kind": "benefit_limit", "limits": limits(("c", 50 * U))}
        totals = [total("deductible", "d"), total("covered", "c"), total("paid", "p")]
        charges = desk(cap, ded, accumulators=totals)
        assert amounts(charges.line(80)) == {"over_limit": 30, "deductible": 30, "fund": 20}
        assert charges.line(10).decision == "denied"
        payments = desk(ded, {**cap, "limits": limits(("p", 50 * U))}, accumulators=totals)
        assert amounts(payments.line(100)) == {"over_limit": 20, "deductible": 30, "fund": 50}
        assert payments.line(10).decision == "denied"

    def test_units_are_all_or_nothing(self, desk, amounts):
        step = {"kind": "benefit_limit", "unit_limits": [{"accumulator": "n", "limit": 3 * U}]}
        at = desk(step, accumulators=[total("units")])
        assert amounts(at.line(10, quantity=2)) == {"fund": 10}
        assert amounts(at.line(10, quantity=2)) == {"over_limit": 10}
        assert amounts(at.line(10, quantity=1)) == {"fund": 10}
        assert at.line(0, quantity=0.5).decision == "denied"

    def test_units_may_count_in_part(self, desk, amounts):
        unit_limits = [{"accumulator": "n", "limit": 3 * U, "partial": "by_unit"}]
        at = desk({"kind": "benefit_limit", "unit_limits": unit_limits}, HALF, accumulators=[total("units")])
        assert amounts(at.line(10, quantity=2)) == {"coinsurance": 5, "fund": 5}
        # One of three units is left: a third of 10, rounded.
        answer = at.line(10, quantity=3)
        assert amounts(answer) == {"over_limit": 6.67, "coinsurance": 1.67, "fund": 1.66}
        assert answer.decision == "covered"
        # The line counted all its units, so none are left.
        assert at.line(10, quantity=1).decision == "denied"

    @pytest.mark.parametrize("partial", ["none", "by_unit"])
    def test_lines(self, desk, partial):
        unit_limits = [{"accumulator": "n", "limit": 2, "partial": partial}]
        at = desk({"kind": "benefit_limit", "unit_limits": unit_limits}, accumulators=[total("lines")])
        assert [at.line(10).decision for _ in range(4)] == ["covered", "covered", "denied", "denied"]
        assert at.used("plan/n") * U == 2

    def test_a_visit_that_is_counted_already_adds_nothing(self, desk):
        step = {"kind": "benefit_limit", "unit_limits": [{"accumulator": "n", "limit": 1}]}
        at = desk(step, accumulators=[total("visits")])
        decisions = [at.line(10, visit=visit).decision for visit in ("v", "v", "w", "v")]
        assert decisions == ["covered", "covered", "denied", "covered"]

    def test_a_feed_that_does_not_look_at_the_line_adds_nothing(self, desk):
        accumulator = {**total("lines"), "feeds": [{"of": "lines", "when": {"counts": True}}]}
        step = {"kind": "benefit_limit", "unit_limits": [{"accumulator": "n", "limit": 1}]}
        at = desk(step, accumulators=[accumulator], facts={"counts": "flag"})
        decisions = [at.line(10, counts=counts).decision for counts in (True, False, True)]
        assert decisions == ["covered", "covered", "denied"]

    def test_exhausted_denies_even_when_nothing_is_open(self, desk):
        step = {"kind": "benefit_limit", "unit_limits": [{"accumulator": "n", "limit": 0}]}
        answer = desk({"kind": "pay"}, step, accumulators=[total("lines")]).line(10)
        assert answer.decision == "denied"
        assert answer.plan_paid == 10 * U


class TestCopay:
    @pytest.mark.parametrize(
        ("step", "cost", "quantity", "taken"),
        [
            ({"amount": 3 * U}, 10, 1, 3),
            ({"amount": 30 * U}, 10, 1, 10),
            ({"amount": 3 * U, "per": "unit"}, 10, 2, 6),
            ({"amount": 3 * U, "per": "unit"}, 10, 0.333333, 1),
            ({"ppm": 100_000}, 33.33, 1, 3.33),
            ({"ppm": 100_000, "min": 5 * U}, 33.33, 1, 5),
            ({"ppm": 100_000, "max": 2 * U}, 33.33, 1, 2),
            ({"ppm": 100_000, "min": 5 * U, "max": 2 * U}, 33.33, 1, 2),
            ({"ppm": 100_000, "min": 5 * U}, 4, 1, 4),
            ({"ppm": 0, "min": None, "max": None}, 4, 1, 0),
        ],
    )
    def test_what_it_takes(self, desk, amounts, step, cost, quantity, taken):
        assert amounts(desk({"kind": "copay", **step}).line(cost, quantity=quantity)).get("copay", 0) == taken

    def test_a_rate_of_the_cost_or_of_what_is_open(self, desk, amounts):
        pay = {"kind": "pay", "amount": 6 * U}
        rate = {"kind": "copay", "ppm": 100_000}
        assert amounts(desk(pay, rate).line(10))["copay"] == 0.4
        assert amounts(desk(pay, {**rate, "of": "cost"}).line(10))["copay"] == 1

    def test_per_visit(self, desk, amounts):
        at = desk({"kind": "copay", "amount": 5 * U, "per": "visit"})
        taken = [amounts(at.line(cost, visit=visit)).get("copay", 0) for visit, cost in (("v", 3), ("v", 9), ("v", 9))]
        assert taken == [3, 2, 0]
        assert at.totals == {Key("ana", "plan/s0#taken", "V:v"): 5 * U}
        assert amounts(at.line(9, visit="v", member="ben"))["copay"] == 5

    def test_per_visit_without_visit_is_per_line(self, desk, amounts):
        at = desk({"kind": "copay", "amount": 5 * U, "per": "visit"})
        assert [amounts(at.line(9))["copay"] for _ in range(2)] == [5, 5]
        assert at.totals == {}

    def test_per_day(self, desk, amounts):
        at = desk({"kind": "copay", "amount": 5 * U, "per": "day"}, continues="old")
        days = ("2025-03-10", "2025-03-10", "2025-03-11")
        assert [amounts(at.line(3, on=day)).get("copay", 0) for day in days] == [3, 2, 3]
        assert Key("ana", "old/s0#taken", "D2025-03-10") in at.totals

    def test_a_copay_that_was_given_back_may_be_taken_again(self, desk, amounts):
        step = {"kind": "copay", "amount": 5 * U, "per": "visit"}
        cap = {"kind": "out_of_pocket_max", "limits": limits(("n", 2 * U)), "when": {"capped": True}}
        at = desk(step, cap, accumulators=[total("copay", period="month")], facts={"capped": "flag"})
        assert amounts(at.line(9, visit="v", capped=True))["copay"] == 2
        assert amounts(at.line(9, visit="v"))["copay"] == 3

    def test_a_limit_of_days_a_year(self, desk, amounts):
        step = {"kind": "copay", "amount": 10 * U, "per": "day", "limits": limits(("n", 25 * U))}
        at = desk(step, accumulators=[total("copay")])
        taken = [amounts(at.line(50, on=f"2025-03-1{day}")).get("copay", 0) for day in range(4)]
        assert taken == [10, 10, 5, 0]


class TestDeductibleAndCoinsurance:
    def test_the_least_of_several_limits(self, desk, amounts):
        step = {"kind": "deductible", "limits": limits(("p", 100 * U), ("f", 150 * U), ("p", None))}
        totals = [total("deductible", "p"), total("deductible", "f", "family")]
        at = desk(step, accumulators=totals)
        taken = [amounts(at.line(80, member=member, family="f")).get("deductible", 0) for member in ("a", "a", "b")]
        assert taken == [80, 20, 50]

    def test_the_room_counts_what_earlier_steps_of_the_line_took(self, desk, amounts):
        steps = ({"kind": "copay", "amount": 5 * U}, {"kind": "deductible", "limits": limits(("n", 20 * U))})
        at = desk(*steps, accumulators=[total("cost_share")])
        assert amounts(at.line(100)) == {"copay": 5, "deductible": 15, "fund": 80}

    def test_the_room_looks_at_the_feeds_condition(self, desk, amounts):
        feeds = [{"of": "copay", "when": {"counts": True}}, {"of": "deductible"}]
        steps = ({"kind": "copay", "amount": 5 * U}, {"kind": "deductible", "limits": limits(("n", 20 * U))})
        at = desk(*steps, accumulators=[{**total("copay"), "feeds": feeds}], facts={"counts": "flag"})
        assert amounts(at.line(100, counts=False))["deductible"] == 20

    def test_a_used_up_limit_leaves_no_room(self, desk, amounts):
        step = {"kind": "deductible", "limits": limits(("n", {"fact": "franchise"}))}
        at = desk(step, accumulators=[total("deductible")], facts={"franchise": "money"})
        at.line(50, franchise=50 * U)
        assert amounts(at.line(50, franchise=30 * U)) == {"fund": 50}

    def test_a_cap_on_coinsurance_only(self, desk, amounts):
        at = desk({**HALF, "limits": limits(("n", 30 * U))}, accumulators=[total("coinsurance")])
        assert [amounts(at.line(40)).get("coinsurance", 0) for _ in range(3)] == [20, 10, 0]

    def test_of_cost(self, desk, amounts):
        at = desk({"kind": "pay", "amount": 60 * U}, {**HALF, "of": "cost"})
        assert amounts(at.line(100)) == {"fund": 60, "coinsurance": 40}

    @pytest.mark.parametrize(
        ("mode", "expected"),
        [("half_up", 0.02), ("half_down", 0.01), ("half_even", 0.02), ("up", 0.02), ("down", 0.01)],
    )
    def test_only_the_product_is_rounded_once(self, desk, amounts, mode, expected):
        at = desk(HALF, rounding={"unit": 10_000, "mode": mode})
        assert amounts(at.line(0.03))["coinsurance"] == expected

    def test_swiss_franchise_and_retention(self, desk, amounts):
        steps = (
            {"kind": "deductible", "limits": limits(("franchise", 1000 * U))},
            {"kind": "coinsurance", "ppm": 100_000, "limits": limits(("retention", 700 * U))},
        )
        at = desk(*steps, accumulators=[total("deductible", "franchise"), total("coinsurance", "retention")])
        assert [at.line(cost).patient_responsibility // U for cost in (5000, 4000)] == [1400, 300]


class TestPay:
    def test_it_pays_a_party_first(self, desk, amounts):
        account = {"kind": "pay", "party": "account", "limits": limits(("spent", {"fact": "balance"}))}
        at = desk(account, HALF, accumulators=[total("paid:account", "spent")], facts={"balance": "money"})
        assert amounts(at.line(10, balance=6 * U)) == {"account": 6, "coinsurance": 2, "fund": 2}
        assert amounts(at.line(10, balance=6 * U)) == {"coinsurance": 5, "fund": 5}

    def test_a_rate_of_what_is_open(self, desk, amounts):
        steps = ({"kind": "copay", "amount": 4 * U}, {"kind": "pay", "party": "x", "ppm": 333_333})
        assert amounts(desk(*steps).line(10)) == {"copay": 4, "x": 2, "fund": 4}

    def test_the_payer_named_as_party_is_the_payer(self, desk, amounts):
        at = desk({"kind": "pay", "party": "fund", "amount": 3 * U}, accumulators=[total("paid")])
        assert amounts(at.line(10)) == {"fund": 10}
        assert at.used("plan/n") == 10

    def test_preventive_care_is_free(self, desk):
        answer = desk({"kind": "pay", "reason": "no_cost_share"}, HALF).line(10)
        assert [(share.bearer, share.reason) for share in answer.shares] == [("payer", "no_cost_share")]


class TestOutOfPocketMax:
    def test_what_is_above_goes_back_last_taken_first(self, desk, amounts):
        steps = (
            {"kind": "deductible", "limits": limits(("d", 50 * U))},
            HALF,
            {"kind": "out_of_pocket_max", "limits": limits(("n", 60 * U))},
        )
        at = desk(*steps, accumulators=[total("deductible", "d"), total("cost_share")])
        answer = at.line(150)
        assert amounts(answer) == {"deductible": 50, "coinsurance": 10, "fund": 90}
        back = next(step for step in answer.trace if step.kind == "out_of_pocket_max")
        assert (back.amount, back.target, back.open_after, back.accumulator, back.used, back.limit) == (
            -40 * U,
            "coinsurance",
            90 * U,
            "n",
            0,
            60 * U,
        )
        assert amounts(at.line(100)) == {"fund": 100}
        assert at.used("plan/n") == 60

    def test_it_may_empty_several_components(self, desk, amounts):
        steps = (
            {"kind": "copay", "amount": 20 * U},
            {"kind": "copay", "amount": 10 * U, "component": "fee"},
            HALF,
            {"kind": "out_of_pocket_max", "limits": limits(("n", 5 * U))},
        )
        answer = desk(*steps, accumulators=[total("cost_share")]).line(100)
        # The fee is not counted: 35 of coinsurance and 15 of the copay go back.
        assert amounts(answer) == {"copay": 5, "fee": 10, "fund": 85}

    def test_counts_and_uncounted_components_that_feed_the_total(self, desk, amounts):
        steps = (
            {"kind": "copay", "amount": 30 * U},
            HALF,
            {"kind": "out_of_pocket_max", "limits": limits(("n", 50 * U)), "counts": ["coinsurance"]},
        )
        answer = desk(*steps, accumulators=[total("cost_share")]).line(130)
        assert amounts(answer) == {"copay": 30, "coinsurance": 20, "fund": 80}

    def test_embedded_person_and_family(self, desk, amounts):
        step = {"kind": "out_of_pocket_max", "limits": limits(("p", 50 * U), ("f", 80 * U))}
        at = desk(ALL, step, accumulators=[total("cost_share", "p"), total("cost_share", "f", "family")])
        owed = [amounts(at.line(60, member=member, family="x")).get("coinsurance", 0) for member in ("a", "b", "c")]
        assert owed == [50, 30, 0]

    def test_later_steps_may_take_what_came_back(self, desk, amounts):
        cap = {"kind": "out_of_pocket_max", "limits": limits(("n", 5 * U))}
        at = desk(ALL, cap, {"kind": "copay", "amount": 2 * U, "component": "fee"}, accumulators=[total("cost_share")])
        assert amounts(at.line(10)) == {"coinsurance": 5, "fee": 2, "fund": 3}

    def test_the_providers_part_is_not_counted(self, desk, amounts):
        limit = {"kind": "benefit_limit", "amount": 6 * U, "bearer": "provider", "component": "copay"}
        cap = {"kind": "out_of_pocket_max", "limits": limits(("n", 0))}
        at = desk(limit, cap, accumulators=[total("cost_share")])
        assert amounts(at.line(10)) == {"provider:copay": 4, "fund": 6}


class TestBands:
    BANDS = ({"below": 100 * U, "ppm": 300_000}, {"below": 200 * U, "ppm": 100_000}, {"ppm": 400_000})

    def banded(self, desk, measure, before=(), bands=BANDS, **step):
        share = {"kind": "coinsurance", "measure": "n", "bands": list(bands), **step}
        return desk(*before, share, accumulators=[total(measure), total("deductible", "d")])

    @pytest.mark.parametrize(
        ("measure", "costs", "owed"),
        [
            ("covered", [100, 100, 100], [30, 10, 40]),
            ("covered", [300], [80]),
            ("covered", [99.99, 0.02], [30, 0]),  # 0.003 and 0.001 are added, then rounded once
            ("coinsured", [150, 150], [35, 45]),
            # After 60, 133.33 (rounded up to the micro) reach 100 at 30 %; the other 66.67 cost 10 %.
            ("coinsurance", [200, 200], [60, 46.67]),
            ("cost_share", [333.33, 1000, 10], [100, 100, 4]),
            ("patient", [333.34, 1000.01], [100, 100]),
            # 70 are paid: 30 / 0.7 = 42.857143 reach 100 at 30 %, the other 57.142857 cost 10 %.
            ("paid", [100, 100], [30, 18.57]),
        ],
    )
    def test_a_line_walks_the_bands(self, desk, measure, costs, owed, amounts):
        at = self.banded(desk, measure)
        assert [amounts(at.line(cost)).get("coinsurance", 0) for cost in costs] == owed

    def test_the_position_includes_what_the_line_contributed(self, desk, amounts):
        deductible = {"kind": "deductible", "limits": limits(("d", 90 * U))}
        at = self.banded(desk, "covered", before=(deductible,))
        # The deductible counts as covered, so 10 are left of the first band.
        assert amounts(at.line(190))["coinsurance"] == 3 + 9

    def test_payments_do_not_include_the_deductible(self, desk, amounts):
        deductible = {"kind": "deductible", "limits": limits(("d", 90 * U))}
        at = self.banded(desk, "paid", before=(deductible,))
        assert amounts(at.line(190))["coinsurance"] == 30

    def test_a_rate_of_zero_never_moves_a_share(self, desk, amounts):
        bands = ({"below": 10 * U, "ppm": 0}, {"ppm": 500_000})
        at = self.banded(desk, "coinsurance", bands=bands)
        assert amounts(at.line(1000)) == {"fund": 1000}

    def test_a_rate_of_everything_never_moves_payments(self, desk, amounts):
        bands = ({"below": 10 * U, "ppm": 1_000_000}, {"ppm": 0})
        assert amounts(self.banded(desk, "paid", bands=bands).line(1000)) == {"coinsurance": 1000}

    def test_absent_bounds_and_rates(self, desk, amounts):
        bands = ({"below": None, "ppm": 1_000_000}, {"below": 10 * U, "ppm": None}, {"below": None, "ppm": 200_000})
        assert amounts(self.banded(desk, "covered", bands=bands).line(20)) == {"coinsurance": 2, "fund": 18}

    def test_a_used_position_stays_in_its_band_at_the_bound(self, desk, amounts):
        at = self.banded(desk, "covered")
        at.line(100)
        assert amounts(at.line(10))["coinsurance"] == 1

    def test_of_cost_and_limits(self, desk, amounts):
        at = self.banded(
            desk, "covered", of="cost", limits=limits(("d", None)), before=({"kind": "pay", "ppm": 500_000},)
        )
        answer = at.line(100)
        # Half is paid already and counts as covered: 50 of the base at 30 %, 50 at 10 %.
        assert amounts(answer) == {"fund": 80, "coinsurance": 20}

    def test_a_feed_that_does_not_look_leaves_the_position_alone(self, desk, amounts):
        accumulator = {**total("covered"), "feeds": [{"of": "covered", "when": {"counts": True}}]}
        share = {"kind": "coinsurance", "measure": "n", "bands": list(self.BANDS)}
        at = desk({"kind": "pay", "amount": 90 * U}, share, accumulators=[accumulator], facts={"counts": "flag"})
        assert amounts(at.line(110, counts=False))["coinsurance"] == 6
        assert amounts(at.line(110, counts=True))["coinsurance"] == 4

    def test_the_trace_names_the_position(self, desk):
        at = self.banded(desk, "covered")
        at.line(40)
        step = at.line(10).trace[0]
        assert (step.accumulator, step.used, step.limit) == ("n", 40 * U, 100 * U)


def test_a_fund_product_with_a_deductible_per_policy(desk):
    steps = (
        {"kind": "deductible", "limits": limits(("d", 30 * U))},
        {"kind": "coinsurance", "ppm": 200_000},
    )
    totals = [total("deductible", "d", "policy", "policy_year")]
    at = desk(*steps, accumulators=totals, facts={"policy_start": "date"})
    assert [at.line(100, policy_start="2025-01-01").plan_paid // U for _ in range(2)] == [56, 80]
