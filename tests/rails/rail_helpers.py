"""A clock that is set, randomness that repeats, and a payment to begin with."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from itertools import count

from drachm.application.desk import Desk
from drachm.domain.money import MICROS
from drachm.domain.payments.model import Payment


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.at = datetime.now(UTC).replace(microsecond=0)

    def now(self) -> datetime:
        return self.at

    def sleep(self, **parts: float) -> None:
        self.at += timedelta(**parts)


class Ids:
    def __init__(self) -> None:
        self._count = count()

    def random_bytes(self, size: int) -> bytes:
        return hashlib.sha256(b"%d" % next(self._count)).digest()[:size]


def payment(clock: Clock, id: str = "pay_1", **more: object) -> Payment:
    return Payment(
        **{  # type: ignore[arg-type]
            "id": id, "rail": "stripe", "pot": "ana-cash", "member": "ana", "amount": 25 * MICROS,
            "currency": "USD", "begun_at": clock.now(), **more,
        }
    )  # fmt: skip


def yuan_left(desk: Desk) -> int:
    """What the pot of the fixture `yuan` holds."""
    return desk.books.pots(["ana-yuan"])["ana-yuan"][0]
