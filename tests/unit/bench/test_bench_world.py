"""The measured town is the same for the same seed, and holds what the figures are promised for."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import pytest

from drachm.bench.plans import base_cover, read_plans, supplemented
from drachm.bench.prices import make_prices
from drachm.bench.world import SHARDS, make_world
from drachm.domain.benefits import build_stack, load_plan
from drachm.domain.catalog import AS_SUBMITTED
from drachm.domain.coverage.model import NO_PLAN

SAMPLES = Path(__file__).parents[3] / "samples"


def test_every_family_of_published_cases_that_can_be_computed_has_plans() -> None:
    cases = json.loads((SAMPLES / "vectors" / "adjudication.json").read_text())["cases"]
    computed = {case["family"] for case in cases if case["check"] == "compute"}
    assert len(computed) > 10
    assert set(read_plans(SAMPLES).families) == computed | {"samples"}


def test_every_stack_of_plans_compiles_with_a_second_payer_and_a_base_payer() -> None:
    plans = read_plans(SAMPLES)
    compiled = {name: load_plan(document) for name, document in plans.documents.items()}
    second = supplemented(plans)
    for product in plans.products:
        stack = [compiled[plan] for plan in product.plans]
        build_stack([load_plan(base_cover(plans, product, "base")), *stack])
        assert (product.name in second) == (len(stack) == 1)


def test_a_renamed_case_document_keeps_every_rule() -> None:
    plans = read_plans(SAMPLES)
    [swiss] = plans.of("ch_franchise")
    steps = [step["kind"] for step in plans.documents[swiss.plans[0]]["steps"]]
    assert (steps, swiss.currency) == (["deductible", "coinsurance"], "CHF")


def test_the_same_seed_gives_the_same_town_in_another_process(town) -> None:
    again = pickle.loads(pickle.dumps(make_world(7, 200, samples=SAMPLES, shared=None)))
    assert again.parties() == town.parties()
    assert again.contracts() == town.contracts()
    assert [again.family(n) for n in range(200)] == [town.family(n) for n in range(200)]
    other = make_world(8, 200, samples=SAMPLES, shared=None)
    assert [other.family(n) for n in range(200)] != [town.family(n) for n in range(200)]


def test_people_have_covers_and_several_pots_in_the_currency_of_their_plan(town) -> None:
    people = list(town.people(0, 200))
    assert len({person.member.id for person in people}) == len(people)
    for family in (town.family(n) for n in range(200)):
        for person in family.people:
            assert {purse.pot.currency for purse in person.purses} == {family.product.currency}
            assert 2 <= len({purse.pot.id for purse in person.purses}) <= 3
            assert all(purse.opening > 0 for purse in person.purses)
            assert person.member.shard == family.number % SHARDS
            covers = [coverage.plan for coverage in person.coverages]
            assert covers == list(family.product.plans or [NO_PLAN])


def test_some_families_have_two_payers_and_some_no_cover(town) -> None:
    covers = [len(town.family(n).product.plans) for n in range(200)]
    assert 20 < sum(count >= 2 for count in covers) < 100
    assert 0 < covers.count(0) < 20


def test_every_provider_has_a_price_book_for_insured_and_for_others(town) -> None:
    contracts = town.contracts()
    providers = {provider for group in town.providers.values() for provider in group}
    assert {one.provider for one in contracts if one.payer == "*"} == providers
    assert {one.provider for one in contracts if one.payer == ""} == providers
    assert {one.price_book for one in contracts} - {AS_SUBMITTED} == set(town.prices.books.values())


def test_a_base_payer_stands_before_every_plan_of_one_currency() -> None:
    hot = make_world(7, 100, samples=SAMPLES, shared=None, currency="USD", base=("base",))
    products = [hot.family(n).product for n in range(100)]
    assert {product.currency for product in products} == {"USD"}
    assert {product.payers[0] for product in products if product.payers} == {"base-usd"}
    assert {plan for product in products for plan in product.plans} <= hot.plans.documents.keys()


def test_a_generated_book_has_the_size_of_the_medicare_files() -> None:
    prices = make_prices(["USD"], None, 1)
    items = [len(document.get("items", ())) for document in prices.documents]
    assert sum(items) > 16_000
    assert len(prices.documents[0]["localities"]) == 109
    assert len(prices.services["USD"]) == sum(items)


def test_the_real_schedules_are_taken_where_they_are_at_hand() -> None:
    shared = Path(__file__).parents[4] / "shared"
    if not (shared / "data" / "prices").is_dir():
        pytest.skip("the larger data sets are not here")
    prices = make_prices(["USD"], shared, 1)
    assert prices.source == "cms-2025"
    assert len(prices.services["USD"]) > 10_000
