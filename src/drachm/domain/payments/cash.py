"""Who has the cash? A clerk opens a shift at a window, takes money, counts it, and the difference is named.

Between opening and closing, what should lie in the box is what was put in and taken, less what was paid back. What is
counted is never made to fit: a difference is posted, to an account of its own, and stays to be explained.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from drachm.domain.errors import Conflict, InvalidMessage
from drachm.domain.money import MAX_AMOUNT, minor_unit, plain


@dataclass(frozen=True, slots=True)
class Shift:
    """One clerk's time at one window, in one currency. Amounts are micros."""

    id: str
    window: str
    clerk: str
    currency: str
    opened_at: datetime
    laid_in: int
    """What lay in the box when the shift began."""
    party: str = ""
    """Whose window it is: a clinic's id."""
    taken: int = 0
    counted: int | None = None
    closed_at: datetime | None = None
    given: int = 0
    """What was paid back in cash."""

    @property
    def expected(self) -> int:
        """What should lie in the box."""
        return self.laid_in + self.taken - self.given

    @property
    def difference(self) -> int:
        """Counted less expected: below 0 is too little; 0 as long as nobody counted."""
        return 0 if self.counted is None else self.counted - self.expected


def opened(shift: Shift) -> Shift:
    """A new shift, if it can be. Raises `InvalidMessage`."""
    _coins(shift.laid_in, shift.currency, "laid_in")
    return shift


def taken(shift: Shift, amount: int, currency: str, clerk: str) -> Shift:
    """The shift after its clerk took money.

    Raises `InvalidMessage`, and `Conflict` (for another currency; `shift_closed`, `not_your_shift`).
    """
    _coins(amount, currency, "amount")
    _ensure_currency(shift, currency)
    _still_theirs(shift, clerk)
    return replace(shift, taken=shift.taken + amount)


def given(shift: Shift, amount: int, currency: str, clerk: str) -> Shift:
    """The shift after its clerk paid money back. Raises as `taken`, and `Conflict` (`box_short`)."""
    _coins(amount, currency, "amount")
    _ensure_currency(shift, currency)
    _still_theirs(shift, clerk)
    if amount > shift.expected:
        raise Conflict(
            f"the box holds {plain(shift.expected, shift.currency)} {shift.currency}: less than shall be handed out",
            where=f"shift {shift.id}",
            next_step="Hand it out of another box, or when there is more in this one.",
            code="box_short",
        )
    return replace(shift, given=shift.given + amount)


def closed(shift: Shift, counted: int, clerk: str, at: datetime) -> Shift:
    """The shift after its clerk counted the box. Raises as `taken`."""
    _coins(counted, shift.currency, "counted")
    _still_theirs(shift, clerk)
    return replace(shift, counted=counted, closed_at=at)


def _ensure_currency(shift: Shift, currency: str) -> None:
    if currency != shift.currency:
        raise Conflict(f"this box holds {shift.currency}", where="currency", next_step="Use a box of its own currency.")


def _still_theirs(shift: Shift, clerk: str) -> None:
    if shift.closed_at is not None:
        raise Conflict(
            "this shift was counted and closed",
            where=f"shift {shift.id}",
            next_step="Open a new shift.",
            code="shift_closed",
        )
    if clerk != shift.clerk:
        raise Conflict(
            "this is another clerk's shift",
            where=f"shift {shift.id}",
            next_step="Open a shift of your own at another window, or let them close theirs.",
            code="not_your_shift",
        )


def _coins(amount: int, currency: str, where: str) -> None:
    if not 0 <= amount <= MAX_AMOUNT or amount % minor_unit(currency):
        raise InvalidMessage(f"cash is whole minor units of {currency}", where=where, code="invalid_amount")
