"""Each rule kind at its edges."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from drachm.domain.errors import Pended, Refused

CENT = 10_000


def usd(text: str) -> int:
    whole, _, cents = text.partition(".")
    return int(whole) * 1_000_000 + int(cents.ljust(6, "0") or 0)


FIXED = {"kind": "fixed", "amount": usd("12.50")}
PER_MINUTE = {"kind": "per_minute", "rate": usd("2.40"), "increment": 60, "minimum": 300}
GRADUATED = {
    "kind": "tiers",
    "mode": "graduated",
    "tiers": [{"up_to": 10_000_000, "each": 2_000_000}, {"up_to": 20_000_000, "each": 1_000_000}, {"each": 500_000}],
}
VOLUME = {**GRADUATED, "mode": "volume"}


@pytest.mark.parametrize(("quantity", "expected"), [(1, "12.50"), (3, "37.50"), (0.5, "6.25"), (0, "0.00")])
def test_fixed_is_the_price_of_one_service(allowed: Any, quantity: float, expected: str) -> None:
    assert allowed(FIXED, quantity=quantity) == usd(expected)


def test_fixed_counts_once_for_a_line_that_is_not_measured_in_services(allowed: Any) -> None:
    assert allowed(FIXED, quantity=11, unit="minute") == usd("12.50")


def test_a_fraction_of_a_unit_is_rounded_once_half_up(allowed: Any) -> None:
    rule = {"kind": "per_unit", "each": usd("0.333")}
    assert allowed(rule, quantity=0.5) == usd("0.17")  # 0.1665
    assert allowed(rule, quantity=3) == usd("1.00")  # 0.999, not 3 x 0.33


@pytest.mark.parametrize(
    ("mode", "expected"),
    [("half_up", "0.13"), ("half_down", "0.12"), ("half_even", "0.12"), ("up", "0.13"), ("down", "0.12")],
)
def test_half_a_cent_goes_where_the_book_says(allowed: Any, mode: str, expected: str) -> None:
    rule = {"kind": "per_unit", "each": usd("0.0125")}
    assert allowed(rule, quantity=10, rounding={"unit": CENT, "mode": mode}) == usd(expected)  # 0.125


def test_a_book_with_a_unit_of_one_micro_keeps_sub_cent_prices(allowed: Any) -> None:
    assert allowed({"kind": "per_unit", "each": 12_500}, rounding={"unit": 1}) == 12_500


def test_the_rounding_unit_defaults_to_the_minor_unit_of_the_currency(priced: Any, document: Any, event: Any) -> None:
    book = document({"rule": {"kind": "per_unit", "each": 1_500_000}}, currency="JPY")
    assert priced(book, event=event(currency="JPY")).allowed == 2_000_000


def test_a_price_per_unit_never_converts_another_unit(allowed: Any) -> None:
    rule = {"kind": "per_unit", "each": usd("6.42"), "unit": "mL"}
    assert allowed(rule, quantity=2.5, unit="mL") == usd("16.05")
    with pytest.raises(Pended, match="priced per mL") as refusal:
        allowed(rule, quantity=2)
    assert refusal.value.reason == "price_not_supported"


@pytest.mark.parametrize(
    ("minutes", "expected"),
    [(0, "0.00"), (0.01, "12.00"), (5, "12.00"), (5.01, "14.40"), (11, "26.40"), (11.5, "28.80"), (12, "28.80")],
)
def test_started_minutes_count_whole_above_the_minimum(allowed: Any, minutes: float, expected: str) -> None:
    assert allowed(PER_MINUTE, quantity=minutes, unit="minute") == usd(expected)


def test_minutes_follow_from_start_and_end(allowed: Any) -> None:
    start = datetime(2025, 6, 2, 14, 2, tzinfo=UTC)
    for seconds, expected in ((659, "26.40"), (660, "26.40"), (661, "28.80")):
        end = datetime.fromtimestamp(start.timestamp() + seconds, UTC)
        assert allowed(PER_MINUTE, started_at=start, ended_at=end) == usd(expected)


def test_seconds_and_hours_are_measures_of_time_too(allowed: Any) -> None:
    rule = {"kind": "per_minute", "rate": usd("0.60"), "increment": 6}
    assert allowed(rule, quantity=61, unit="second") == usd("0.66")  # eleven started steps of 0.06
    assert allowed(rule, quantity=0.5, unit="hour") == usd("18.00")


def test_a_price_per_minute_needs_a_length(allowed: Any) -> None:
    with pytest.raises(Pended, match="nor an end") as refusal:
        allowed(PER_MINUTE)
    assert (refusal.value.reason, refusal.value.where) == ("fact_missing", "ended_at")


def test_a_service_that_ends_before_it_starts_is_refused(allowed: Any) -> None:
    with pytest.raises(Refused, match="ends before it starts"):
        allowed(PER_MINUTE, ended_at=datetime(2025, 6, 2, 13, 59, tzinfo=UTC))


@pytest.mark.parametrize(
    ("quantity", "graduated", "volume"),
    [
        (0, "0.00", "0.00"),
        (10, "20.00", "20.00"),
        (11, "21.00", "11.00"),
        (20, "30.00", "20.00"),
        (21, "30.50", "10.50"),
        (10.5, "20.50", "10.50"),
    ],
)
def test_the_bound_of_a_tier_belongs_to_it(allowed: Any, quantity: float, graduated: str, volume: str) -> None:
    assert allowed(GRADUATED, quantity=quantity) == usd(graduated)
    assert allowed(VOLUME, quantity=quantity) == usd(volume)


def test_lines_of_one_period_climb_the_graduated_tiers_together(allowed: Any) -> None:
    rule = {**GRADUATED, "used": "used_this_month"}
    single = [allowed(rule, facts={"used_this_month": used * 1_000_000}) for used in range(25)]
    assert sum(single) == allowed(GRADUATED, quantity=25)
    assert allowed({**rule, "mode": "volume"}, facts={"used_this_month": 20_000_000}) == usd("0.50")


@pytest.mark.parametrize("facts", [{}, {"used_this_month": "3"}, {"used_this_month": True}, {"used_this_month": -1}])
def test_tiers_of_a_period_wait_for_what_was_used(allowed: Any, facts: dict[str, Any]) -> None:
    with pytest.raises(Pended) as refusal:
        allowed({**GRADUATED, "used": "used_this_month"}, facts=facts)
    assert (refusal.value.reason, refusal.value.where) == ("fact_missing", "facts.used_this_month")


def test_a_published_repricing_rounds_the_half_cent_up(allowed: Any) -> None:
    # X12 837I, sample 3.1.3 PPO repriced claim, line 2: 59.50 less 23 % is 45.815, printed as 45.82.
    rule = {"kind": "percent_of", "ppm": 770_000, "of": "billed"}
    assert allowed(rule, billed=usd("59.50")) == usd("45.82")


def test_a_percentage_of_what_was_asked_waits_for_the_asked_amount(allowed: Any) -> None:
    with pytest.raises(Pended) as refusal:
        allowed({"kind": "percent_of", "ppm": 770_000, "of": "billed"})
    assert (refusal.value.reason, refusal.value.where) == ("fact_missing", "billed")


def test_a_percentage_of_a_schedule_of_the_book_is_rounded_once(allowed: Any) -> None:
    list_prices = [{"system": "local", "code": "X", "rule": {"kind": "per_unit", "each": usd("0.115")}}]
    rule = {"kind": "percent_of", "ppm": 850_000, "of": {"schedule": "list"}}
    # 3 x 0.115 x 85 % = 0.29325; rounding the list price first would give 0.30.
    assert allowed(rule, quantity=3, schedules={"list": list_prices}) == usd("0.29")


def test_a_percentage_of_another_book_builds_on_its_published_amount(priced: Any, document: Any, event: Any) -> None:
    base = document({"rule": {"kind": "per_unit", "each": usd("0.335")}}, id="base")
    over = document({"rule": {"kind": "percent_of", "ppm": 1_200_000, "of": {"book": "base"}}})
    assert priced(base, over).allowed == usd("0.41")  # 0.34 published, x 1.2 = 0.408
    # The other book's cap at the asked amount is not part of its schedule; this book's own cap is.
    assert priced(base, over, event=event(billed=usd("0.30"))).allowed == usd("0.30")
    uncapped = {**over, "lesser_of_billed": False}
    assert priced(base, uncapped, event=event(billed=usd("0.30"))).allowed == usd("0.41")


def test_as_submitted_agrees_to_what_was_asked_unrounded(allowed: Any) -> None:
    assert allowed({"kind": "as_submitted"}, billed=1_234_567) == 1_234_567


@pytest.mark.parametrize(("level", "expected"), [("1", "10.00"), ("2", "20.00"), ("3", "50.00")])
def test_the_price_depends_on_the_level_of_the_facility(allowed: Any, level: str, expected: str) -> None:
    rows = {"1": usd("10.00"), "2": usd("20.00"), "3": {"kind": "fixed", "amount": usd("50.00")}}
    rule = {"kind": "lookup", "by": "facility_level", "rows": rows}
    assert allowed(rule, at={"facility_level": level}) == usd(expected)


def test_a_lookup_names_the_fact_it_lacks_and_the_row_it_lacks(allowed: Any) -> None:
    rule = {"kind": "lookup", "by": "state", "rows": {"CA": 1}}
    with pytest.raises(Pended, match="'state', which nobody supplied") as missing:
        allowed(rule)
    with pytest.raises(Pended, match="where state is 'GU'") as unknown:
        allowed(rule, at={"state": "GU"})
    assert (missing.value.reason, unknown.value.reason) == ("fact_missing", "price_not_supported")
    assert allowed({**rule, "otherwise": usd("7.00")}, at={"state": "GU"}) == usd("7.00")


def test_a_lookup_reads_facts_of_the_event(allowed: Any) -> None:
    rule = {"kind": "lookup", "by": "fact.drug_class", "rows": {"A": usd("1.00"), "B": usd("2.00")}}
    assert allowed(rule, facts={"drug_class": "B"}) == usd("2.00")


def test_lesser_of_takes_the_lowest_and_total_of_adds(allowed: Any) -> None:
    minutes = {"kind": "per_minute", "rate": usd("1.00")}
    line = {"quantity": 20, "unit": "minute"}
    assert allowed({"kind": "lesser_of", "of": [FIXED, minutes]}, **line) == usd("12.50")
    assert allowed({"kind": "lesser_of", "of": [FIXED, minutes]}, quantity=9, unit="minute") == usd("9.00")
    assert allowed({"kind": "total_of", "of": [FIXED, minutes]}, **line) == usd("32.50")


def test_a_service_the_book_does_not_price_says_why(allowed: Any) -> None:
    with pytest.raises(Pended, match="X: anaesthesia by base units") as refusal:
        allowed({"kind": "not_supported", "why": "anaesthesia by base units"})
    assert refusal.value.reason == "price_not_supported"


def test_a_price_beyond_any_amount_is_refused(allowed: Any) -> None:
    with pytest.raises(Refused, match="beyond any amount"):
        allowed({"kind": "per_unit", "each": 2**53 - 1}, quantity=2)


def test_a_negative_quantity_is_refused(allowed: Any) -> None:
    with pytest.raises(Refused, match="cannot be negative"):
        allowed(FIXED, quantity=-1)
