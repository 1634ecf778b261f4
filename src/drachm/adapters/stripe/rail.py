"""How is Stripe asked for money? By hand through Checkout, a page of Stripe's; automatically by a card it keeps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import stripe
from stripe import StripeClient

from drachm.adapters.stripe.amounts import to_stripe
from drachm.adapters.stripe.callbacks import Setup, intent_news, read_callback, refund_news, session_news
from drachm.domain.errors import InvalidMessage, Unavailable
from drachm.domain.payments.model import Card, CardKept, News, Payment
from drachm.domain.payments.refund import Refund, RefundNews

OPEN_FOR: Final = timedelta(hours=23)
"""How long the page of Checkout takes the payment. Stripe keeps an idempotency key for 24 hours: within this time
asking again is safe; after it the page is closed, and only what Stripe finds under our id counts."""

NOT_REFUNDED: Final = frozenset(
    {"charge_already_refunded", "charge_disputed", "charge_not_refundable", "balance_insufficient"}
)
"""Codes by which Stripe says no to a refund, rather than to the request."""


class Stripe:
    """The rail `stripe`. Safe to use from several threads."""

    name = "stripe"

    def __init__(
        self,
        client: StripeClient,
        *,
        signing_secret: str,
        return_url: str,
        now: Callable[[], datetime],
        card_of: Callable[[str], Card | None] = lambda _member: None,
    ) -> None:
        """`client` is made by `client_for`; `return_url` is where the payer comes back to; `card_of` knows the holder's
        card, if there is one."""
        self._client = client
        self._secret = signing_secret
        self._return_url = return_url
        self._now = now
        self._card_of = card_of

    def ask(self, payment: Payment) -> News:
        """`Rail.ask`: a page of Checkout to go to, or what became of a charge to the holder's card."""
        if self._now() - payment.begun_at > OPEN_FOR:
            return self._search(payment)
        if payment.automatic:
            return self._charge(payment)
        return self._checkout(payment)

    def look(self, payment: Payment) -> News:
        """`Rail.look`."""
        with_intent = payment.reference.startswith("pi_")
        thing = _said(
            lambda: (
                self._client.v1.payment_intents.retrieve(payment.reference)
                if with_intent
                else self._client.v1.checkout.sessions.retrieve(payment.reference)
            )
        )
        return intent_news(thing) if with_intent else session_news(thing)

    def refund(self, refund: Refund, payment: Payment) -> RefundNews:
        """`RefundingRail.refund`: back to the card, or whatever the payer used."""
        if self._now() - refund.begun_at > OPEN_FOR:
            return self._sent_back(refund, payment)
        wish = {
            "payment_intent": payment.reference,
            "amount": to_stripe(refund.amount, refund.currency),
            "metadata": {"refund": refund.id},
        }
        options: Any = {"idempotency_key": f"refund-{refund.id}"}
        try:
            return refund_news(_said(lambda: self._client.v1.refunds.create(wish, options), NOT_REFUNDED))  # type: ignore[arg-type]
        except stripe.InvalidRequestError as error:
            return RefundNews("declined", refund.id, reason=error.code or "declined")

    def look_at_refund(self, refund: Refund, payment: Payment) -> RefundNews:
        """`RefundingRail.look_at_refund`."""
        return refund_news(_said(lambda: self._client.v1.refunds.retrieve(refund.reference)))

    def read_callback(
        self, headers: Mapping[str, str], body: bytes, now: datetime
    ) -> list[News | CardKept | RefundNews]:
        """`Rail.read_callback`; what a holder's page of setup came to is asked of Stripe."""
        return [
            self._kept(one) if isinstance(one, Setup) else one
            for one in read_callback(headers, body, self._secret, now)
        ]

    def keep_card(self, wish: str, currency: str) -> str:
        """`CardRail.keep_card`: a page of Checkout in setup mode."""
        page = {
            "mode": "setup",
            "client_reference_id": wish,
            "currency": currency.lower(),
            "customer_creation": "always",
            "success_url": self._return_url,
            "cancel_url": self._return_url,
        }
        options: Any = {"idempotency_key": f"setup-{wish}"}
        return str(_said(lambda: self._client.v1.checkout.sessions.create(page, options))["url"])  # type: ignore[arg-type]

    def _kept(self, setup: Setup) -> CardKept:
        intent = _said(lambda: self._client.v1.setup_intents.retrieve(setup.intent))
        return CardKept(setup.wish, Card(setup.customer, str(intent["payment_method"])))

    def _checkout(self, payment: Payment) -> News:
        line = {
            "quantity": 1,
            "price_data": {
                "currency": payment.currency.lower(),
                "unit_amount": to_stripe(payment.amount, payment.currency),
                # What the card statement and Stripe's page say: nothing about care.
                "product_data": {"name": "Top-up"},
            },
        }
        wish = {
            "mode": "payment",
            "client_reference_id": payment.id,
            "line_items": [line],
            "payment_intent_data": {"metadata": {"payment": payment.id}},
            "success_url": self._return_url,
            "cancel_url": self._return_url,
            "expires_at": int((payment.begun_at + OPEN_FOR).timestamp()),
        }
        options: Any = {"idempotency_key": f"checkout-{payment.id}"}
        return session_news(_said(lambda: self._client.v1.checkout.sessions.create(wish, options)))  # type: ignore[arg-type]

    def _charge(self, payment: Payment) -> News:
        card = self._card_of(payment.member)
        if card is None:
            return News("declined", payment.id, reason="no_card")
        wish = {
            "amount": to_stripe(payment.amount, payment.currency),
            "currency": payment.currency.lower(),
            "customer": card.customer,
            "payment_method": card.method,
            "off_session": True,
            "confirm": True,
            "metadata": {"payment": payment.id, "automatic": "1"},
        }
        options: Any = {"idempotency_key": f"charge-{payment.id}"}
        try:
            return intent_news(_said(lambda: self._client.v1.payment_intents.create(wish, options)))  # type: ignore[arg-type]
        except stripe.CardError as error:
            if error.code == "authentication_required":
                # The bank wants its customer: the same payment goes on by hand.
                return self._checkout(payment)
            reference = error.error.payment_intent.id if error.error and error.error.payment_intent else ""
            return News("declined", payment.id, reference, reason=_word(error))

    def _sent_back(self, refund: Refund, payment: Payment) -> RefundNews:
        """What Stripe has under our id; nothing: it was never asked, and is not asked any more."""
        query: Any = {"payment_intent": payment.reference, "limit": 100}
        found = _said(lambda: self._client.v1.refunds.list(query))["data"]
        ours = [one for one in found if (one.get("metadata") or {}).get("refund") == refund.id]
        return refund_news(ours[0]) if ours else RefundNews("declined", refund.id, reason="expired")

    def _search(self, payment: Payment) -> News:
        query = f"metadata['payment']:'{payment.id}' AND status:'succeeded'"
        found = _said(lambda: self._client.v1.payment_intents.search({"query": query, "limit": 1}))
        if not found["data"]:
            return News("expired", payment.id)
        return News("captured", payment.id, found["data"][0]["id"])


def client_for(key: str, *, address: str = "", seconds: float = 20) -> StripeClient:
    """A client of the official library; `address` points it elsewhere than to Stripe, for tests.

    It never tries again by itself: an answer that is lost is a state of the payment, and the same key asks again.
    """
    return StripeClient(
        key,
        max_network_retries=0,
        http_client=stripe.HTTPXClient(timeout=seconds, allow_sync_methods=True),
        base_addresses={"api": address} if address else None,
    )


def _said(ask: Callable[[], Any], noes: frozenset[str] = frozenset()) -> dict[str, Any]:
    """Stripe's answer as plain values; a lost one is `Unavailable`. A declined card, and a no with one of the codes
    `noes`, pass on as they are."""
    try:
        told: dict[str, Any] = ask().to_dict()
        return told
    except stripe.CardError:
        raise
    except (stripe.APIConnectionError, stripe.RateLimitError, stripe.APIError, stripe.IdempotencyError) as error:
        raise Unavailable(f"Stripe did not answer ({type(error).__name__})", where="stripe") from None
    except stripe.StripeError as error:
        if error.code in noes:
            raise
        # Our own request is wrong, or the key is: nothing was begun.
        raise InvalidMessage(
            f"Stripe does not take this request ({error.code or type(error).__name__})",
            where="stripe",
            next_step="Check the rail's settings.",
            code="rail_refused",
        ) from None


def _word(error: stripe.CardError) -> str:
    found = error.error.decline_code if error.error and error.error.decline_code else error.code
    return found or "declined"
