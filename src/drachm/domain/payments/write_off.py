"""Who may say that a due is no longer asked for, and up to which amount alone?

A provider gives up what a patient owes it, with a reason. Small amounts one person decides; more than that, and small
ones that add up to more, a second person agrees to. It is the provider's money: payers and pots are not touched.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Literal, NamedTuple

from drachm.domain.errors import Conflict, Forbidden, InvalidMessage

Reason = Literal["hardship", "small_balance", "goodwill", "not_collectable", "own_error"]
State = Literal["proposed", "withdrawn", "agreed", "done", "failed", "taken_back"]
WITHIN: Final = timedelta(days=365)
"""What one person alone gave up for one patient within this time counts together."""


@dataclass(frozen=True, slots=True)
class WriteOff:
    """A due of one charge that is no longer asked for. The amount is micros of `currency`."""

    id: str
    proposed_by: str
    proposed_at: datetime
    reason: Reason
    currency: str
    amount: int
    alone: bool = False
    """No second person was needed."""
    agreed_by: str = ""
    agreed_at: datetime | None = None
    withdrawn_by: str = ""
    withdrawn_at: datetime | None = None
    outcome: Literal["", "done", "failed", "taken_back"] = ""

    @property
    def state(self) -> State:
        if self.withdrawn_at is not None:
            return "withdrawn"
        if self.agreed_at is None:
            return "proposed"
        return self.outcome or "agreed"


class Alone(NamedTuple):
    """What one person alone gave up before."""

    at: datetime
    amount: int


def proposed(wish: WriteOff, due: int, before: Sequence[Alone], limit: int) -> WriteOff:
    """The wish, if it can be one; agreed to already where no second person is needed.

    `due`: what is due of the charge; `before`: what was given up alone for this patient; `limit`: up to how many micros
    one person decides. Raises InvalidMessage for no amount, Conflict for more than is due.
    """
    if wish.amount <= 0:
        raise InvalidMessage("an amount that is given up is more than 0", where="amount", code="invalid_amount")
    if wish.amount > due:
        raise Conflict(
            "less is due of this charge",
            where="amount",
            next_step="Read the charge again and give up at most what is due.",
            code="less_due" if due > 0 else "nothing_due",
        )
    counted = sum(one.amount for one in before if wish.proposed_at - one.at < WITHIN)
    if counted + wish.amount > limit:
        return wish
    return replace(wish, alone=True, agreed_by=wish.proposed_by, agreed_at=wish.proposed_at)


def agreed(wish: WriteOff, by: str, at: datetime) -> WriteOff:
    """With a second person's consent. Raises Forbidden for who proposed it, Conflict when it is too late."""
    _ensure_open(wish)
    if not by or by == wish.proposed_by:
        raise Forbidden("whoever proposed it does not agree to it", where="write_off_id")
    return replace(wish, agreed_by=by, agreed_at=at)


def withdrawn(wish: WriteOff, by: str, at: datetime) -> WriteOff:
    """Stopped; one person is enough. Raises Conflict once somebody agreed."""
    _ensure_open(wish)
    return replace(wish, withdrawn_by=by, withdrawn_at=at)


def _ensure_open(wish: WriteOff) -> None:
    if wish.state != "proposed":
        raise Conflict(f"this is {wish.state.replace('_', ' ')} already", where="write_off_id", next_step="Read it.")
