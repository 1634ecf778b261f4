"""Section 4 of docs/reference/plan-model.md: the machine, its decisions, shares, trace and residue."""

from __future__ import annotations

import pytest

from drachm.domain.benefits import Share, build_stack, load_plan
from drachm.domain.errors import InvalidMessage

U = 1_000_000
ALL = {"kind": "coinsurance", "ppm": 1_000_000}
HALF = {"kind": "coinsurance", "ppm": 500_000}


def test_without_documents_the_patient_owes_the_cost(desk):
    at = desk(no_documents=True)
    answer = at.line(10.000001, billed=12)
    assert (answer.decision, answer.reason) == ("self_pay", "")
    assert answer.decided_by == ()
    assert answer.allowed == 10_000_001
    assert answer.shares == (
        Share("patient", "", "self_pay", 10_000_001, "", "self_pay"),
        Share("provider", "", "contractual_adjustment", 1_999_999, "", "contractual_adjustment"),
    )


def test_a_document_that_does_not_apply_leaves_self_pay(desk, amounts):
    at = desk({"kind": "pay"}, applies={"not": {}})
    answer = at.line(10)
    assert answer.decision == "self_pay"
    assert amounts(answer) == {"self_pay": 10}
    assert len(answer.decided_by) == 1


def test_what_no_step_moved_is_the_payers(desk, amounts):
    answer = desk().line(10)
    assert amounts(answer) == {"fund": 10}
    assert [(step.kind, step.amount, step.target, step.open_after) for step in answer.trace] == [
        ("plan_pays", 10 * U, "fund", 0)
    ]


def test_remainder_patient(desk, amounts):
    answer = desk({"kind": "pay", "amount": 4 * U}, remainder="patient").line(10)
    assert amounts(answer) == {"fund": 4, "remainder": 6}
    assert answer.decision == "covered"


def test_billed_above_and_below_cost(desk, amounts):
    assert amounts(desk().line(10, billed=15)) == {"fund": 10, "provider:contractual_adjustment": 5}
    assert amounts(desk().line(10, billed=8)) == {"fund": 10, "provider:contractual_adjustment": -2}


@pytest.mark.parametrize(
    ("residue", "mode", "cost", "expected"),
    [
        ("provider", "half_up", 10.005, {"fund": 10.01, "provider:rounding": -0.005}),
        ("provider", "down", 10.009, {"fund": 10, "provider:rounding": 0.009}),
        ("provider", "up", 10.001, {"fund": 10.01, "provider:rounding": -0.009}),
        ("provider", "half_down", 10.005, {"fund": 10, "provider:rounding": 0.005}),
        ("provider", "half_even", 10.005, {"fund": 10, "provider:rounding": 0.005}),
        ("patient", "half_up", 10.009, {"fund": 10, "rounding": 0.009}),
        ("payer", "half_up", 10.009, {"fund": 10.009}),
        ("payer", "half_up", 10.01, {"fund": 10.01}),
    ],
)
def test_residue(desk, amounts, residue, mode, cost, expected):
    at = desk(residue=residue, rounding={"unit": 10_000, "mode": mode}, accumulators=[])
    answer = at.line(cost, billed=cost)
    assert {name: round(amount, 6) for name, amount in amounts(answer).items()} == expected
    assert answer.allowed == round(cost * U)
    kinds = [step.kind for step in answer.trace]
    assert ("rounding" in kinds) is bool(answer.allowed % 10_000)


def test_the_first_document_of_the_stack_bears_the_residue_even_if_it_does_not_apply(document, desk, amounts):
    first = document(id="a", payer="one", applies={"not": {}}, residue="payer")
    second = document(id="b", payer="two")
    assert amounts(desk(first, second).line(1.009)) == pytest.approx({"one": 0.009, "two": 1})


def test_the_second_document_takes_over_shares_but_not_excess(document, desk, amounts):
    first = document({"kind": "benefit_limit", "amount": 80 * U}, HALF, id="a", payer="one")
    second = document({"kind": "copay", "amount": 5 * U}, id="b", payer="two")
    answer = desk(first, second).line(100)
    assert amounts(answer) == {"over_limit": 20, "one": 40, "copay": 5, "two": 35}
    assert {share.component: share.document for share in answer.shares if share.bearer == "patient"} == {
        "over_limit": "a",
        "copay": "b",
    }


def test_takes_over_names_components_of_any_class(document, desk, amounts):
    first = document(
        {"kind": "benefit_limit", "amount": 80 * U}, {"kind": "copay", "amount": 10 * U}, HALF, id="a", payer="one"
    )
    second = document(id="b", payer="two", takes_over=["copay", "over_limit"])
    assert amounts(desk(first, second).line(100)) == {"one": 35, "coinsurance": 35, "two": 30}
    nothing = document(HALF, id="b", payer="two", takes_over=[])
    answer = desk(first, nothing).line(100)
    assert amounts(answer) == {"one": 35, "coinsurance": 35, "copay": 10, "over_limit": 20}


def test_self_pay_is_taken_over_whatever_a_document_names(document, desk, amounts):
    first = document(id="a", payer="one", applies={"not": {}})
    second = document(HALF, id="b", payer="two", takes_over=["copay"])
    assert amounts(desk(first, second).line(10)) == {"two": 5, "coinsurance": 5}


def test_the_providers_part_is_never_taken_over(document, desk, amounts):
    first = document({"kind": "benefit_limit", "amount": 6 * U, "bearer": "provider"}, ALL, id="a", payer="one")
    second = document(id="b", payer="two", takes_over=["over_limit", "coinsurance"])
    assert amounts(desk(first, second).line(10)) == {"provider:over_limit": 4, "two": 6}


def test_denied_by_all_documents(document, desk, amounts):
    deny = {"kind": "exclude", "reason": "visit_limit"}
    first = document(deny, id="a", payer="one")
    second = document({"kind": "exclude"}, id="b", payer="two")
    answer = desk(first, second).line(10)
    assert (answer.decision, answer.reason) == ("denied", "visit_limit")
    assert amounts(answer) == {"not_covered": 10}
    assert [(step.document, step.amount) for step in answer.trace] == [("a", 10 * U), ("b", 0)]


def test_denied_by_one_document_is_covered(document, desk, amounts):
    first = document({"kind": "exclude"}, id="a", payer="one")
    second = document(id="b", payer="two", takes_over=["not_covered"])
    answer = desk(first, second).line(10)
    assert (answer.decision, answer.reason) == ("covered", "")
    assert amounts(answer) == {"two": 10}


def test_steps_after_a_denial_do_not_run(desk, amounts):
    at = desk({"kind": "copay", "amount": 2 * U}, {"kind": "exclude"}, {"kind": "pay", "when": {"missing": 1}},
              facts={"missing": "number"})  # fmt: skip
    assert amounts(at.line(10)) == {"copay": 2, "not_covered": 8}


def test_a_line_of_nothing_can_be_denied(desk):
    answer = desk({"kind": "exclude"}).line(0)
    assert answer.decision == "denied"
    assert answer.shares == ()
    assert [(step.kind, step.amount) for step in answer.trace] == [("exclude", 0)]


def test_the_trace_says_which_limit_bound_the_step(desk):
    limits = [{"accumulator": "one", "limit": 30 * U}, {"accumulator": "all", "limit": 1000 * U}]
    totals = [
        {"id": "one", "scope": "person", "period": "benefit_year", "feeds": [{"of": "deductible"}]},
        {"id": "all", "scope": "family", "period": "benefit_year", "feeds": [{"of": "deductible"}]},
    ]
    at = desk({"kind": "deductible", "limits": limits, "clause": "2.1"}, HALF, accumulators=totals)
    at.line(20)
    step, share, pays = at.line(30).trace
    assert (step.kind, step.clause, step.reason, step.amount, step.open_after) == (
        "deductible",
        "2.1",
        "deductible",
        10 * U,
        20 * U,
    )
    assert (step.accumulator, step.used, step.limit) == ("one", 20 * U, 30 * U)
    assert (share.accumulator, share.used, share.limit) == ("", 0, 0)
    assert (pays.kind, pays.amount) == ("plan_pays", 10 * U)


def test_the_same_component_of_two_steps_is_one_share(desk):
    answer = desk({"kind": "copay", "amount": U}, {"kind": "copay", "amount": 2 * U}).line(10)
    assert [share.amount for share in answer.shares if share.component == "copay"] == [3 * U]


def test_a_step_without_rule_does_nothing(desk, amounts):
    steps = [
        {"kind": "copay", "amount": None},
        {"kind": "copay", "ppm": None, "min": U},
        {"kind": "coinsurance", "ppm": None},
        {"kind": "pay", "amount": None},
        {"kind": "pay", "ppm": None},
        {"kind": "deductible"},
        {"kind": "deductible", "limits": [{"accumulator": "n", "limit": None}]},
        {"kind": "out_of_pocket_max"},
        {"kind": "out_of_pocket_max", "limits": [{"accumulator": "n", "limit": None}]},
        {"kind": "benefit_limit"},
        {"kind": "benefit_limit", "unit_limits": [{"accumulator": "n", "limit": None}]},
        {"kind": "waiting_period", "since": "start", "months": None},
        {"kind": "waiting_period", "since": "never", "months": 6},
    ]
    lines = {"id": "n", "scope": "person", "period": "lifetime", "feeds": [{"of": "lines"}]}
    facts = {"start": {"type": "date", "default": "2025-03-01"}, "never": {"type": "date", "default": None}}
    answer = desk(*steps, accumulators=[lines], facts=facts).line(10)
    assert amounts(answer) == {"fund": 10}
    assert len(answer.trace) == 1


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"currency": "EUR"}, "$[1].currency"),
        ({"zone": "Asia/Tokyo"}, "$[1].zone"),
        ({"rounding": {"unit": 1_000_000}}, "$[1].rounding.unit"),
        ({"id": "plan"}, "$[1].id"),
        ({"continues": "plan"}, "$[1].id"),
    ],
)
def test_a_stack_that_does_not_fit_together(document, change, where):
    second = document(**{"id": "second", **change})
    with pytest.raises(InvalidMessage) as caught:
        build_stack([load_plan(document()), load_plan(second)])
    assert caught.value.code == "invalid_plan"
    assert caught.value.where == where
    assert caught.value.next_step


def test_stacks_carry_the_hashes_of_all_documents(document, desk):
    first, second = document(id="a"), document(id="b", applies={"not": {}})
    at = desk(first, second)
    assert at.line(1).decided_by == (load_plan(first).hash, load_plan(second).hash)


def test_the_order_of_keys_in_an_object_changes_nothing(document):
    one = document({"kind": "copay", "amount": U, "when": {"a": True, "b": 1}}, facts={"a": "flag", "b": "number"})
    turned = dict(reversed(one.items()))
    turned["steps"] = [dict(reversed(step.items())) for step in one["steps"]]
    turned["facts"] = dict(reversed(one["facts"].items()))
    assert load_plan(turned).hash == load_plan(one).hash
