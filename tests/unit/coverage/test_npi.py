"""An NPI's check digit, against the worked example of CMS and against every single slip."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drachm.domain.coverage.npi import check_digit, is_npi, luhn_sum

NINE = st.from_regex(r"[12][0-9]{8}", fullmatch=True)


def test_the_worked_example_of_cms() -> None:
    assert check_digit("123456789") == "3"
    # CMS adds the constant 24 for the prefix 80840 instead of writing it out.
    assert luhn_sum("80840" + "0" * 10) == 24
    assert is_npi("1234567893")


@pytest.mark.parametrize(
    "text", ["", "123456789", "12345678931", "0234567893", "3234567893", "123456789 ", "١٢٣٤٥٦٧٨٩٣"]
)
def test_what_is_no_npi(text: str) -> None:
    assert not is_npi(text)


@given(NINE, st.integers(0, 9), st.integers(0, 9))
def test_every_slip_of_one_digit_is_found(nine: str, place: int, digit: int) -> None:
    npi = nine + check_digit(nine)
    slipped = npi[:place] + str(digit) + npi[place + 1 :]
    assert is_npi(slipped) == (slipped == npi)


@given(NINE, st.integers(0, 8))
def test_neighbours_exchanged_are_found_but_for_0_and_9(nine: str, place: int) -> None:
    npi = nine + check_digit(nine)
    first, second = npi[place], npi[place + 1]
    swapped = npi[:place] + second + first + npi[place + 2 :]
    if first != second and {first, second} != {"0", "9"} and swapped[0] in "12":
        assert not is_npi(swapped)
