"""Section 6 of docs/reference/plan-model.md: independent documents and the coordinations said with them."""

from __future__ import annotations

import pytest

U = 1_000_000
HALF = {"kind": "coinsurance", "ppm": 500_000}
COST = {"greatest": ["cost"]}


def total(of, name):
    return {"id": name, "scope": "person", "period": "lifetime", "feeds": [{"of": of}]}


@pytest.fixture
def primary(document):
    """Pays 80 of every 100 and leaves 20 as coinsurance."""
    return document({"kind": "coinsurance", "ppm": 200_000}, id="first", payer="one")


@pytest.fixture
def second(document):
    """An independent document of another payer with the given steps."""

    def build(*steps, starts_from=COST, **top):
        return document(*steps, id="second", payer="two", starts_from=starts_from, **top)

    return build


def lowest(*expressions):
    return {"kind": "coordinate", "lowest_of": [{"greatest": greatest, "less": less} for greatest, less in expressions]}


class TestCoordinations:
    """One row of the page's table each; the second payer alone would pay 90 of 100."""

    TENTH = {"kind": "coinsurance", "ppm": 100_000}

    def test_standard(self, primary, second, desk, amounts):
        rule = lowest((["own_benefit"], []), (["cost"], ["earlier_paid"]))
        assert amounts(desk(primary, second(self.TENTH, rule)).line(100)) == {"one": 80, "two": 20}

    def test_nonduplication(self, primary, second, desk, amounts):
        rule = lowest((["own_benefit"], ["earlier_paid"]))
        answer = desk(primary, second(self.TENTH, rule)).line(100)
        assert amounts(answer) == {"one": 80, "two": 10, "coinsurance": 10}

    def test_maintenance_of_benefits(self, primary, second, desk, amounts):
        start = {"greatest": ["own_allowed"], "less": ["earlier_paid"]}
        declared = second(self.TENTH, starts_from=start, facts={"own_allowed": "money"})
        assert amounts(desk(primary, declared).line(100, own_allowed=90 * U)) == {
            "one": 80,
            "two": 9,
            "coinsurance": 11,
        }
        assert amounts(desk(primary, declared).line(100)) == {"one": 80, "two": 18, "coinsurance": 2}
        undeclared = second(self.TENTH, starts_from=start)
        assert amounts(desk(primary, undeclared).line(100, own_allowed=90 * U))["two"] == 18

    def test_statutory_secondary_payer(self, primary, second, desk, amounts):
        # The lowest of: billed less what the first paid; the own benefit; the higher allowed amount less what the
        # first paid; the own allowed amount less the own cost share.
        rule = lowest(
            (["billed"], ["earlier_paid"]),
            (["own_benefit"], []),
            (["primary_allowed", "own_allowed"], ["earlier_paid"]),
            (["own_allowed"], ["own_cost_share"]),
        )
        facts = {"primary_allowed": "money", "own_allowed": "money"}
        document = second(
            {"kind": "copay", "amount": 25 * U}, HALF, rule, starts_from={"greatest": ["own_allowed"]}, facts=facts
        )
        answer = desk(primary, document).line(100, billed=130, primary_allowed=100 * U, own_allowed=95 * U)
        # Billed less 80 = 50; own benefit 35; 100 - 80 = 20; 95 - 60 = 35.
        assert amounts(answer) == {"one": 80, "two": 20, "provider:contractual_adjustment": 30}

    def test_service_carved_out(self, document, desk, amounts):
        facts = {"service": "text"}
        one = document(id="a", payer="one", facts=facts, applies={"not": {"service": "drug"}})
        two = document(id="b", payer="two", facts=facts, applies={"service": "drug"})
        assert amounts(desk(one, two).line(10, service="drug")) == {"two": 10}
        assert amounts(desk(one, two).line(10, service="visit")) == {"one": 10}

    def test_outside_payers_answer(self, document, desk, amounts):
        answer = document({"kind": "pay", "amount": {"fact": "paid"}}, facts={"paid": "money"}, remainder="patient")
        assert amounts(desk(answer).line(10, paid=7 * U)) == {"fund": 7, "remainder": 3}
        assert amounts(desk(answer).line(10, paid=17 * U)) == {"fund": 10}


def test_it_pays_at_most_what_the_patient_still_owes(primary, second, desk, amounts):
    answer = desk(primary, second()).line(100)
    assert amounts(answer) == {"one": 80, "two": 20}
    assert [step.amount // U for step in answer.trace if step.document == "second"] == [-20, 20]


def test_its_own_components_are_nobodys(primary, second, desk, amounts):
    at = desk(primary, second({"kind": "copay", "amount": 95 * U}))
    answer = at.line(100)
    assert amounts(answer) == {"one": 80, "coinsurance": 15, "two": 5}
    own = [step for step in answer.trace if step.target.startswith("own:")]
    assert [(step.amount // U, step.target, step.open_after // U) for step in own] == [(95, "own:copay", 5)]


def test_it_lowers_later_documents_and_later_components_first(document, desk, amounts):
    one = document({"kind": "copay", "amount": 10 * U}, HALF, id="a", payer="one")
    two = document({"kind": "copay", "amount": 20 * U}, id="b", payer="two", takes_over=["coinsurance"])
    three = document({"kind": "pay", "amount": 25 * U}, id="c", payer="three", starts_from=COST, remainder="patient")
    answer = desk(one, two, three).line(100)
    assert {(share.document, share.component): share.amount // U for share in answer.shares} == {
        ("a", "copay"): 5,
        ("a", "plan_paid"): 45,
        ("b", "plan_paid"): 25,
        ("c", "plan_paid"): 25,
    }


def test_it_lowers_only_what_it_takes_over(document, desk, amounts):
    one = document({"kind": "copay", "amount": 10 * U}, HALF, id="a", payer="one")
    two = document(id="b", payer="two", starts_from=COST, takes_over=["copay"])
    assert amounts(desk(one, two).line(100)) == {"one": 45, "coinsurance": 45, "two": 10}


def test_as_the_first_document_it_pays_from_self_pay(second, document, desk, amounts):
    only = second(HALF, takes_over=[])
    answer = desk(only).line(100)
    assert amounts(answer) == {"two": 50, "self_pay": 50}
    assert answer.decision == "covered"
    behind = document(id="third", payer="three")
    assert amounts(desk(only, behind).line(100)) == {"two": 50, "three": 50}
    choosy = document(id="third", payer="three", takes_over=["copay"])
    assert amounts(desk(only, choosy).line(100)) == {"two": 50, "three": 50}


def test_parties_are_paid_in_order_and_cut(primary, second, desk, amounts):
    steps = ({"kind": "pay", "party": "x", "amount": 15 * U}, {"kind": "pay", "party": "y", "amount": 15 * U})
    assert amounts(desk(primary, second(*steps)).line(100)) == {"one": 80, "x": 15, "y": 5}


def test_coordinate_looks_at_what_pay_steps_gave(primary, second, desk, amounts):
    steps = ({"kind": "pay", "party": "x", "amount": 5 * U}, lowest((["limit"], [])))
    at = desk(primary, second(*steps, facts={"limit": "money"}))
    assert amounts(at.line(100, limit=12 * U)) == {"one": 80, "x": 5, "two": 7, "coinsurance": 8}
    assert amounts(at.line(100, limit=3 * U)) == {"one": 80, "x": 5, "coinsurance": 15}


def test_coordinate_never_raises_open(second, desk, amounts):
    answer = desk(second(HALF, lowest((["cost"], [])))).line(100)
    assert amounts(answer) == {"two": 50, "self_pay": 50}


def test_remainder_patient_is_nobodys_money_but_a_component_of_its_own(primary, second, desk, amounts):
    totals = [total("remainder", "left"), total("patient", "patient")]
    at = desk(primary, second(remainder="patient", accumulators=totals))
    assert amounts(at.line(100)) == {"one": 80, "coinsurance": 20}
    assert (at.used("second/left"), at.used("second/patient")) == (100, 100)


def test_an_absent_amount_is_left_out_of_an_expression(primary, second, desk, amounts):
    facts = {"mine": {"type": "money", "default": None}}
    capped = second(lowest((["mine", "cost"], ["earlier_paid", "mine"])), facts=facts)
    assert amounts(desk(primary, capped).line(100))["two"] == 20
    nothing = second(starts_from={"greatest": ["mine"]}, facts=facts)
    assert amounts(desk(primary, nothing).line(100)) == {"one": 80, "coinsurance": 20}


def test_denied_it_pays_nothing(primary, second, desk, amounts):
    at = desk(primary, second({"kind": "pay", "amount": 5 * U}, {"kind": "exclude"}))
    answer = at.line(100)
    assert amounts(answer) == {"one": 80, "coinsurance": 20}
    assert answer.decision == "covered"
    alone = desk(second({"kind": "exclude"})).line(100)
    assert (alone.decision, amounts(alone)) == ("denied", {"self_pay": 100})


def test_measures_are_of_the_scratch_registers_except_paid(primary, second, desk):
    totals = [
        total(of, of.replace(":", "-")) for of in ("coinsurance", "covered", "patient", "paid", "paid:x", "lines")
    ]
    steps = ({"kind": "benefit_limit", "amount": 90 * U}, HALF, {"kind": "pay", "party": "x", "amount": 5 * U})
    at = desk(primary, second(*steps, accumulators=totals))
    at.line(100)
    used = {of: at.used(f"second/{of}") for of in ("coinsurance", "covered", "patient", "paid", "paid-x")}
    assert used == {"coinsurance": 45, "covered": 90, "patient": 55, "paid": 15, "paid-x": 5}


def test_expressions_never_go_below_zero(primary, second, desk, amounts):
    document = second(starts_from={"greatest": ["remaining", "nothing"], "less": ["cost", "billed"]},
                      facts={"nothing": {"type": "money", "default": None}})  # fmt: skip
    assert amounts(desk(primary, document).line(100)) == {"one": 80, "coinsurance": 20}


def test_remaining_is_what_it_takes_over(document, second, desk, amounts):
    one = document({"kind": "copay", "amount": 10 * U}, HALF, id="a", payer="one")
    two = second(HALF, starts_from={"greatest": ["remaining"]}, takes_over=["copay"])
    assert amounts(desk(one, two).line(100)) == {"one": 45, "coinsurance": 45, "copay": 5, "two": 5}


def test_credits_are_not_paid_earlier(document, second, desk, amounts):
    cap = {"kind": "period_cap", "pool": {"scope": "person", "period": "month"}, "cap": {"base": 0}, "settle": "refund"}
    one = document({"kind": "coinsurance", "ppm": 200_000}, cap, id="a", payer="one")
    two = second(starts_from={"greatest": ["earlier_paid"]}, takes_over=["coinsurance"])
    answer = desk(one, two).line(10)
    assert amounts(answer) == {"one": 8, "two": 2}
    assert [credit.amount for credit in answer.credits] == [2 * U]


def test_what_another_document_pays_later_does_not_change_what_a_closing_cap_covers(desk, document):
    cap = {"id": "cap", "clause": "c", "kind": "period_cap", "pool": {"scope": "person", "period": "month"}}
    first = document(
        {"kind": "benefit_limit", "amount": 8 * U, "denies": False},
        {"kind": "coinsurance", "ppm": 500_000},
        closing_steps=[{**cap, "cap": {"base": 100 * U}, "basis": "covered"}],
    )
    second = document(
        {"kind": "pay"}, id="second", payer="other", starts_from={"greatest": ["cost"]}, takes_over=["over_limit"]
    )
    at = desk(first, second)
    at.line(12)
    assert at.used("plan/cap#C") == 8
    assert at.used("plan/cap#S") == 4
