"""What do we ask of whoever moves outside money?

A rail speaks with somebody over a network, so nothing here is called inside a transaction or under a lock. Whatever is
asked carries the payment's id as the rail's idempotency key: asking again never pays twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from drachm.domain.payments.model import CardKept, News, Payment
from drachm.domain.payments.refund import Refund, RefundNews


class Rail(Protocol):
    """One way for money to come in."""

    @property
    def name(self) -> str:
        """The rail's word, as payments name it."""
        ...

    def ask(self, payment: Payment) -> News:
        """Ask for the payment, or learn how it stands when it was asked before.

        Raises `Unavailable` when it is not known whether the rail has it; a "no" of the rail is news, not an error.
        """

    def look(self, payment: Payment) -> News:
        """How a payment that the rail knows stands now. Raises `Unavailable`."""

    def read_callback(
        self, headers: Mapping[str, str], body: bytes, now: datetime
    ) -> Sequence[News | CardKept | RefundNews]:
        """What the rail tells by itself; header names in lower case. Nothing, for news that are not about payments.

        Raises `Forbidden` for a message that the rail did not sign, or signed too long ago, and `InvalidMessage` for
        one that it signed and nobody can read.
        """


class CardRail(Rail, Protocol):
    """A rail that keeps cards, so that a pot may be topped up without its holder at hand."""

    def keep_card(self, wish: str, currency: str) -> str:
        """Where the holder goes to leave a card; the same wish again is the same page. Raises `Unavailable`."""


class RefundingRail(Rail, Protocol):
    """A rail that sends money back to where it came from."""

    def refund(self, refund: Refund, payment: Payment) -> RefundNews:
        """Ask for the refund, or learn how it stands when it was asked before. Raises as `Rail.ask`."""

    def look_at_refund(self, refund: Refund, payment: Payment) -> RefundNews:
        """How a refund that the rail knows stands now. Raises `Unavailable`."""
