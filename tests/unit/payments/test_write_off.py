"""Who gives up a due alone, and who needs a second person."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from drachm.domain.errors import Conflict, Forbidden, InvalidMessage
from drachm.domain.payments.write_off import Alone, WriteOff, agreed, proposed, withdrawn

NOW = datetime(2026, 3, 10, tzinfo=UTC)


def wish(amount: int = 10) -> WriteOff:
    return WriteOff("w", "fay", NOW, "hardship", "USD", amount)


def test_up_to_the_limit_one_person_is_enough() -> None:
    done = proposed(wish(10), 10, (), 10)
    assert (done.alone, done.agreed_by, done.agreed_at, done.state) == (True, "fay", NOW, "agreed")
    assert proposed(wish(10), 10, (), 9).state == "proposed"


def test_small_ones_add_up_within_a_year() -> None:
    before = [Alone(NOW - timedelta(days=365), 90), Alone(NOW - timedelta(days=364), 5)]
    assert proposed(wish(5), 10, before, 10).alone
    assert not proposed(wish(6), 10, before, 10).alone


@pytest.mark.parametrize(("amount", "due", "code"), [(11, 10, "less_due"), (1, 0, "nothing_due")])
def test_no_more_than_is_due(amount: int, due: int, code: str) -> None:
    with pytest.raises(Conflict) as no:
        proposed(wish(amount), due, (), 100)
    assert no.value.code == code


@pytest.mark.parametrize("amount", [0, -1])
def test_nothing_is_no_amount(amount: int) -> None:
    with pytest.raises(InvalidMessage):
        proposed(wish(amount), 10, (), 100)


@pytest.mark.parametrize("by", ["", "fay"])
def test_the_second_person_is_another_one(by: str) -> None:
    with pytest.raises(Forbidden):
        agreed(wish(), by, NOW)
    assert agreed(wish(), "finn", NOW).state == "agreed"


def test_what_was_decided_is_decided_once() -> None:
    for over in (withdrawn(wish(), "fay", NOW), agreed(wish(), "finn", NOW)):
        with pytest.raises(Conflict):
            agreed(over, "finn", NOW)
        with pytest.raises(Conflict):
            withdrawn(over, "finn", NOW)
    assert withdrawn(wish(), "fay", NOW).state == "withdrawn"
