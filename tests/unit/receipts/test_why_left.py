"""What remained of a limit, as "why this amount?" tells it."""

from __future__ import annotations

import pytest

from drachm.domain.benefits.model import Step
from drachm.domain.receipts.issue import _why


@pytest.mark.parametrize(
    ("amount", "used", "left"),
    [(7, 20, 73), (80, 20, 0), (90, 20, 0), (-15, 60, 0), (0, 20, 80)],
)
def test_a_step_that_gave_back_has_reached_its_limit(amount: int, used: int, left: int) -> None:
    step = Step("plan", "1", "max", "out_of_pocket_max", "5", "plan_paid", amount, "payer", 0, "oop", used, 100)
    why = _why(step, {})
    assert (why.left, why.of_limit) == (left, 100)


def test_a_step_without_a_limit_has_nothing_left() -> None:
    step = Step("plan", "1", "share", "coinsurance", "4", "coinsurance", 5, "patient", 0)
    assert (_why(step, {}).left, _why(step, {}).of_limit) == (None, None)
