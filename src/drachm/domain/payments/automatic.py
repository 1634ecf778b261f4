"""May a pot be topped up now, without asking its holder?

The holder said: when less than this is left, add that much, at most so much a month. Three guards stand besides: no
burst (a loop of small charges must not become a loop of card charges), a longer wait after each decline, and an end
after some: then the holder is asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from drachm.domain.errors import InvalidMessage
from drachm.domain.payments.model import OPEN, Payment
from drachm.domain.periods import local_date

BURST: Final = 3
"""Top-ups within `BURST_TIME`."""
BURST_TIME: Final = timedelta(hours=24)
PATIENCE: Final = (timedelta(hours=1), timedelta(days=1), timedelta(days=3))
"""How long to wait after the first, second and third decline in a row; after that, only the holder may try."""

Why = Literal["due", "enough", "off", "on_its_way", "month_cap", "burst", "declined", "stopped", "frozen"]


@dataclass(frozen=True, slots=True)
class AutomaticTopUp:
    """The holder's rule for one pot. All amounts are micros of the pot's currency."""

    below: int
    amount: int
    month_cap: int
    zone: str
    """IANA zone in which a month begins."""
    on: bool = True

    def __post_init__(self) -> None:
        if not 0 <= self.below <= self.amount <= self.month_cap or self.amount == 0:
            raise InvalidMessage(
                "a top-up is more than 0, at least what it stands for, and at most the month's cap",
                where="automatic top-up",
                code="invalid_amount",
            )


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether to top up now, else why not, and when to look again (None: when something changes)."""

    why: Why
    until: datetime | None = None


def verdict(rule: AutomaticTopUp, avail: int, payments: Sequence[Payment], now: datetime) -> Verdict:
    """Judge by the pot's automatic payments, newest last. Payments by hand and other pots' do not count."""
    if not rule.on:
        return Verdict("off")
    if avail >= rule.below:
        return Verdict("enough")
    if any(one.state in OPEN for one in payments):
        return Verdict("on_its_way")
    bad = _declines(payments)
    if bad:
        if len(bad) > len(PATIENCE):
            return Verdict("stopped")
        until = (bad[-1].changed_at or bad[-1].begun_at) + PATIENCE[len(bad) - 1]
        if now < until:
            return Verdict("declined", until)
    month = local_date(now, rule.zone)
    taken = [one for one in payments if one.state == "captured"]
    spent = sum(one.amount for one in taken if _same_month(one.begun_at, rule.zone, (month.year, month.month)))
    if spent + rule.amount > rule.month_cap:
        return Verdict("month_cap")
    recent = [one for one in taken if one.begun_at > now - BURST_TIME]
    if len(recent) >= BURST:
        return Verdict("burst", recent[-BURST].begun_at + BURST_TIME)
    return Verdict("due")


def _declines(payments: Sequence[Payment]) -> list[Payment]:
    """Those at the end that were declined or went back; a captured one ends the row."""
    bad: list[Payment] = []
    for one in reversed(payments):
        if one.state == "captured":
            break
        if one.state in ("declined", "returned"):
            bad.insert(0, one)
    return bad


def _same_month(instant: datetime, zone: str, month: tuple[int, int]) -> bool:
    day = local_date(instant, zone)
    return (day.year, day.month) == month
