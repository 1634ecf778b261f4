"""Account numbers by their check digits, and a change that two people and a day stand before."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drachm.domain.coverage.payout import (
    WAITING,
    Change,
    approved,
    electronic,
    in_force,
    is_account_number,
    is_iban,
    is_routing_number,
    masked,
    state_of,
    waiting,
    withdrawn,
)
from drachm.domain.errors import Conflict, Forbidden

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
# Examples of the register of ISO 13616.
EXAMPLES = [
    "AD1200012030200359100100",
    "BE68539007547034",
    "CH9300762011623852957",
    "DE89370400440532013000",
    "FR1420041010050500013M02606",
    "GB29NWBK60161331926819",
    "MT84MALT011000012345MTLCAST001S",
    "NO9386011117947",
    "SA0380000000608010167519",
]


@pytest.mark.parametrize("iban", EXAMPLES)
def test_ibans_of_the_register(iban: str) -> None:
    assert is_iban(iban)
    assert is_iban(electronic(" ".join(iban[at : at + 4] for at in range(0, len(iban), 4)).lower()))
    assert not is_iban(iban[:-1])
    assert not is_iban(iban + "0")
    assert not is_iban(iban.lower())


@given(st.sampled_from(EXAMPLES), st.integers(2, 33), st.sampled_from("0123456789ABCXYZ"))
def test_every_slip_of_one_character_of_an_iban_is_found(iban: str, place: int, character: str) -> None:
    place = place % len(iban)
    slipped = iban[:place] + character + iban[place + 1 :]
    if character.isdigit() == iban[place].isdigit():
        assert is_iban(slipped) == (slipped == iban)


@pytest.mark.parametrize("number", ["021000021", "011401533", "091000019", "122105155"])
def test_routing_numbers(number: str) -> None:
    assert is_routing_number(number)
    for place in range(9):
        for digit in "0123456789":
            slipped = number[:place] + digit + number[place + 1 :]
            assert is_routing_number(slipped) == (slipped == number)


@pytest.mark.parametrize("number", ["", "000000000", "02100002", "0210000210", "990000009", "02100002١"])
def test_what_is_no_routing_number(number: str) -> None:
    assert not is_routing_number(number)


def test_account_numbers_and_masks() -> None:
    assert is_account_number("0001")
    assert not is_account_number("001")
    assert not is_account_number("1" * 18)
    assert masked("1234567890") == "••••7890"


def test_nobody_agrees_alone_twice_or_too_late() -> None:
    change = Change("a", "first", NOON)
    with pytest.raises(Forbidden):
        approved(change, "first", NOON)
    with pytest.raises(Forbidden):
        approved(change, "", NOON)
    agreed = approved(change, "second", NOON)
    with pytest.raises(Conflict):
        approved(agreed, "third", NOON)
    with pytest.raises(Conflict):
        approved(withdrawn(change, "third", NOON), "second", NOON)
    with pytest.raises(Conflict):
        withdrawn(agreed, "third", NOON + WAITING)
    with pytest.raises(Conflict):
        withdrawn(withdrawn(agreed, "third", NOON), "third", NOON)


HOURS = st.integers(0, 200)


@given(
    st.lists(st.tuples(HOURS, st.none() | HOURS, st.none() | HOURS), max_size=6),
    HOURS,
)
def test_money_goes_only_where_two_agreed_a_day_before(
    told: list[tuple[int, int | None, int | None]], now: int
) -> None:
    changes = []
    for place, (proposed, agreed, stopped) in enumerate(told):
        change = Change(str(place), "first", NOON + timedelta(hours=proposed))
        if agreed is not None and agreed >= proposed:
            change = approved(change, "second", NOON + timedelta(hours=agreed))
        if stopped is not None and stopped >= proposed and not change.holds(NOON + timedelta(hours=stopped)):
            change = withdrawn(change, "third", NOON + timedelta(hours=stopped))
        changes.append(change)
    at = NOON + timedelta(hours=now)
    found = in_force(changes, at)
    if found is not None:
        assert found.approved_at is not None
        assert found.approved_at + timedelta(hours=24) <= at
        assert found.approved_by != found.proposed_by
        assert found.withdrawn_at is None
    states = [state_of(change, changes, at) for change in changes]
    assert states.count("in_force") == (found is not None)
    assert len(waiting(changes, at)) == sum(state in ("proposed", "approved") for state in states)
