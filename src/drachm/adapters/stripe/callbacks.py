"""What does a callback of Stripe say, if Stripe said it?

Source: Stripe's documentation, "Verify webhook signatures": `Stripe-Signature: t=<seconds>,v1=<HMAC-SHA256>`, over the
time and the bytes as received. Old ones are refused, so that a recorded callback cannot be played again later; one
played again at once finds a payment that has heard it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

import stripe

from drachm.adapters import jsonsafe
from drachm.adapters.stripe.amounts import from_stripe
from drachm.domain.errors import Forbidden, InvalidMessage
from drachm.domain.payments.model import News, State
from drachm.domain.payments.refund import RefundNews, RefundState

TOLERANCE_SECONDS: Final = 300

Thing = Mapping[str, Any]


class Setup(NamedTuple):
    """A page of setup that its holder finished."""

    wish: str
    customer: str
    intent: str


def read_callback(
    headers: Mapping[str, str], body: bytes, secret: str, now: datetime
) -> list[News | Setup | RefundNews]:
    """The news in a callback; none for what is not about payments of ours.

    Raises `Forbidden` for one that Stripe did not sign with our secret, or not within five minutes of `now`, and
    `InvalidMessage` for a signed one that cannot be read.
    """
    header = headers.get("stripe-signature", "")
    try:
        stripe.WebhookSignature.verify_header(body.decode(), header, secret, None)
    except (stripe.SignatureVerificationError, UnicodeDecodeError):
        raise Forbidden(
            "this callback is not signed by Stripe for us", where="callback", code="callback_forged"
        ) from None
    if abs(now.timestamp() - _signed_at(header)) > TOLERANCE_SECONDS:
        raise Forbidden("this callback is old", where="callback", code="callback_stale")
    event = jsonsafe.loads(body, "callback")
    try:
        read = READERS.get(event["type"])
        return read(event["data"]["object"]) if read is not None else []
    except (KeyError, TypeError, AttributeError) as error:
        words = f"this callback is not in a form that we know ({type(error).__name__})"
        raise InvalidMessage(words, where="callback", code="invalid_callback") from None


def session_news(session: Thing) -> News:
    """How a Checkout session stands. Once it is paid, the payment intent is what Stripe calls the payment."""
    if session["payment_status"] == "paid":
        state: State = "captured"
    else:
        state = "expired" if session["status"] == "expired" else "waiting"
    currency = session["currency"].upper()
    return News(
        state,
        payment=session.get("client_reference_id") or "",
        reference=(session.get("payment_intent") or "") if state == "captured" else session["id"],
        amount=from_stripe(session["amount_total"], currency) if state == "captured" else None,
        currency=currency,
        link=session.get("url") or "",
    )


def intent_news(intent: Thing) -> News:
    """How a payment intent stands that we confirmed by a card on file."""
    state: State = {"succeeded": "captured", "processing": "waiting"}.get(intent["status"], "declined")  # type: ignore[assignment]
    currency = intent["currency"].upper()
    fault = intent.get("last_payment_error") or {}
    return News(
        state,
        payment=(intent.get("metadata") or {}).get("payment", ""),
        reference=intent["id"],
        amount=from_stripe(intent["amount_received"], currency) if state == "captured" else None,
        currency=currency,
        reason=(fault.get("decline_code") or fault.get("code") or "declined") if state == "declined" else "",
    )


def refund_news(refund: Thing) -> RefundNews:
    """How a refund stands that we asked for."""
    found: Mapping[str, RefundState] = {"succeeded": "done", "failed": "declined", "canceled": "declined"}
    state = found.get(refund["status"], "waiting")
    currency = refund["currency"].upper()
    return RefundNews(
        state,
        (refund.get("metadata") or {}).get("refund", ""),
        refund["id"],
        from_stripe(refund["amount"], currency),
        reason=(refund.get("failure_reason") or refund["status"]) if state == "declined" else "",
    )


def _session(thing: Thing) -> list[News | Setup | RefundNews]:
    if thing["mode"] == "setup" and thing["status"] == "complete":
        return [Setup(thing["client_reference_id"], thing["customer"], thing["setup_intent"])]
    return [session_news(thing)] if thing["mode"] == "payment" else []


def _session_failed(thing: Thing) -> list[News | Setup | RefundNews]:
    return [News("declined", payment=thing.get("client_reference_id") or "", reason="payment_failed")]


def _intent(thing: Thing) -> list[News | Setup | RefundNews]:
    # Of a Checkout session only its own callbacks count: a payer whose first card is declined may try another.
    return [intent_news(thing)] if (thing.get("metadata") or {}).get("automatic") else []


def _refund(thing: Thing) -> list[News | Setup | RefundNews]:
    news = refund_news(thing)
    # Others than ours are made at Stripe's own desk.
    return [news] if news.refund else []


def _dispute(state: State) -> Callable[[Thing], list[News | Setup | RefundNews]]:
    def read(thing: Thing) -> list[News | Setup | RefundNews]:
        currency = thing["currency"].upper()
        amount = from_stripe(thing["amount"], currency)
        return [News(state, "", thing["payment_intent"], amount, currency, reason=thing.get("reason") or "disputed")]

    return read


READERS: Final[Mapping[str, Callable[[Thing], list[News | Setup | RefundNews]]]] = {
    "checkout.session.completed": _session,
    "checkout.session.async_payment_succeeded": _session,
    "checkout.session.async_payment_failed": _session_failed,
    "checkout.session.expired": _session,
    "payment_intent.succeeded": _intent,
    "payment_intent.payment_failed": _intent,
    "refund.updated": _refund,
    "refund.failed": _refund,
    "charge.dispute.funds_withdrawn": _dispute("returned"),
    "charge.dispute.funds_reinstated": _dispute("captured"),
}


def _signed_at(header: str) -> float:
    parts = dict(part.split("=", 1) for part in header.split(",") if "=" in part)
    return float(parts["t"])
