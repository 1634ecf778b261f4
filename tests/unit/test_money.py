"""Rounding, splitting and reading amounts."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drachm.domain.errors import InvalidMessage
from drachm.domain.money import (
    MAX_AMOUNT,
    MICROS,
    exponent,
    micros,
    minor_unit,
    plain,
    portion,
    round_ratio,
    split,
)


@pytest.mark.parametrize(
    ("currency", "digits", "unit"),
    [
        ("USD", 2, 10_000),
        ("JPY", 0, 1_000_000),
        ("KWD", 3, 1_000),
        ("IQD", 3, 1_000),
        ("CLF", 4, 100),
        ("XXX", 2, 10_000),
    ],
)
def test_minor_units_follow_iso_4217(currency: str, digits: int, unit: int) -> None:
    assert exponent(currency) == digits
    assert minor_unit(currency) == unit


def test_an_unknown_currency_is_named() -> None:
    with pytest.raises(InvalidMessage, match="unknown currency 'usd'") as caught:
        exponent("usd")
    assert caught.value.code == "unknown_currency"


@pytest.mark.parametrize(
    ("mode", "wanted"),
    [
        ("half_up", [2, 3, 3, -2, -3, -3]),
        ("half_down", [2, 2, 3, -2, -2, -3]),
        ("half_even", [2, 2, 3, -2, -2, -3]),
        ("up", [3, 3, 3, -3, -3, -3]),
        ("down", [2, 2, 2, -2, -2, -2]),
    ],
)
def test_each_mode_around_a_half(mode, wanted) -> None:
    numerators = [24, 25, 26, -24, -25, -26]
    assert [round_ratio(n, 10, 1, mode) for n in numerators] == wanted


def test_half_even_goes_up_from_an_odd_multiple() -> None:
    assert round_ratio(35, 10, 1, "half_even") == 4
    assert round_ratio(350_000, 1, 100_000, "half_even") == 400_000


@given(st.integers(-(10**18), 10**18), st.integers(1, 10**7), st.sampled_from([1, 10_000, 50_000, MICROS]))
def test_rounding_stays_within_half_a_unit_and_on_the_grid(numerator: int, denominator: int, unit: int) -> None:
    rounded = round_ratio(numerator, denominator, unit)
    assert rounded % unit == 0
    assert abs(Fraction(numerator, denominator) - rounded) <= Fraction(unit, 2)


def test_portion_is_exact_for_large_amounts() -> None:
    assert portion(MAX_AMOUNT, 333_333, 1) == round_ratio(MAX_AMOUNT * 333_333, MICROS, 1)


@given(
    st.integers(-(10**15), 10**15),
    st.lists(st.integers(0, 10**9), min_size=1, max_size=20),
    st.sampled_from([1, 10_000]),
)
def test_a_split_never_loses_a_micro(amount: int, weights: list[int], unit: int) -> None:
    parts = split(amount, weights, unit)
    assert sum(parts) == amount
    assert len(parts) == len(weights)
    if sum(weights):
        below = abs(amount) % unit
        for part, weight in zip(parts, weights, strict=True):
            assert abs(Fraction(abs(amount) * weight, sum(weights)) - abs(part)) <= unit + below


def test_split_gives_the_largest_remainders_first() -> None:
    assert split(100, [1, 1, 1]) == [34, 33, 33]
    assert split(-100, [1, 1, 1]) == [-34, -33, -33]
    assert split(7, [0, 0]) == [7, 0]
    assert split(10_005, [1, 1], unit=10_000) == [10_005, 0]


@pytest.mark.parametrize("weights", [[], [1, -1]])
def test_split_refuses_senseless_weights(weights: list[int]) -> None:
    with pytest.raises(ValueError, match="weights"):
        split(1, weights)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("12.50", 12_500_000),
        (3, 3_000_000),
        (Decimal("0.000001"), 1),
        ("-0.5", -500_000),
        ("1e3", 1_000_000_000),
        ("0", 0),
    ],
)
def test_amounts_are_read_exactly(text, wanted: int) -> None:
    assert micros(text) == wanted


def test_finer_than_a_micro_needs_a_rounding_mode() -> None:
    with pytest.raises(InvalidMessage, match="more than six decimals"):
        micros("28.104000000000003")
    assert micros("28.104000000000003", mode="half_up") == 28_104_000


@pytest.mark.parametrize(
    "text",
    [
        "",
        "abc",
        "NaN",
        "Infinity",
        "1" * 41,
        True,
        None,
        0.5,
        "1e13",
        "9007199254.740992",
        "1e-999999",
        Decimal("1e-41"),
        Decimal("NaN"),
        "1_000",
        " 1",
        "１",
        "1e9999999",
    ],
)
def test_what_is_not_an_amount_is_refused_with_its_place(text) -> None:
    with pytest.raises(InvalidMessage) as caught:
        micros(text, where="lines[2].billed")
    assert caught.value.where == "lines[2].billed"
    assert caught.value.code == "invalid_amount"


@pytest.mark.parametrize(
    ("amount", "currency", "wanted"),
    [(12_500, "", "0.0125"), (-5_000_000, "USD", "-5.00"), (7_000_000, "JPY", "7"), (1_234_567, "KWD", "1.234567")],
)
def test_plain_shows_no_digit_too_many_and_none_too_few(amount: int, currency: str, wanted: str) -> None:
    assert plain(amount, currency) == wanted


@given(st.integers(-MAX_AMOUNT, MAX_AMOUNT))
def test_plain_reads_back(amount: int) -> None:
    assert micros(plain(amount)) == amount
