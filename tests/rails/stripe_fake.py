"""A Stripe of our own on loopback: sessions, intents, cards on file, idempotency keys, disputes, signed callbacks.

It keeps state and behaves as Stripe's documentation says where our adapter leans on it: a key repeated with the same
parameters gets the first answer, with others an error; an answer can be lost after the work was done, or be late.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

from rail_server import FakeRail, Reply, serve

__all__ = ["KEY", "SECRET", "FakeStripe", "event", "nested", "serve", "signed"]

SECRET = "whsec_of_the_fake"
KEY = "sk_test_of_the_fake"


@dataclass
class FakeStripe(FakeRail):
    """The state."""

    sessions: dict[str, dict[str, Any]] = field(default_factory=dict)
    intents: dict[str, dict[str, Any]] = field(default_factory=dict)
    setups: dict[str, str] = field(default_factory=dict)
    keys: dict[str, tuple[str, int, bytes]] = field(default_factory=dict)
    calls: list[tuple[str, str]] = field(default_factory=list)
    refunds: dict[str, dict[str, Any]] = field(default_factory=dict)
    slow_refunds: bool = False
    """Refunds stay pending until `settle_refund`."""
    fail_next: int = 0
    """Requests that end in 500 before any work."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    # --- what a payer, a bank, or time does

    def pay(self, session_id: str) -> bytes:
        """The payer pays on the page; the callback that follows."""
        session = self.sessions[session_id]
        assert session["status"] == "open"
        intent = self._intent(session["amount_total"], session["currency"], session["_metadata"])
        intent.update(status="succeeded", amount_received=session["amount_total"])
        session.update(status="complete", payment_status="paid", payment_intent=intent["id"], url=None)
        return event("checkout.session.completed", session)

    def leave_card(self, session_id: str, method: str) -> bytes:
        """The holder leaves a card on a page of setup."""
        intent = f"seti_{len(self.setups) + 1}"
        self.setups[intent] = method
        self.sessions[session_id].update(status="complete", customer="cus_1", setup_intent=intent, url=None)
        return event("checkout.session.completed", self.sessions[session_id])

    def expire(self, session_id: str) -> bytes:
        """Nobody paid in time."""
        self.sessions[session_id].update(status="expired", url=None)
        return event("checkout.session.expired", self.sessions[session_id])

    def dispute(self, intent_id: str, *, kind: str = "funds_withdrawn", amount: int | None = None) -> bytes:
        """The payer's bank takes the money back, or gives it again."""
        intent = self.intents[intent_id]
        thing = {
            "id": f"dp_{intent_id}",
            "payment_intent": intent_id,
            "amount": intent["amount"] if amount is None else amount,
            "currency": intent["currency"],
            "reason": "fraudulent",
        }
        return event(f"charge.dispute.{kind}", thing)

    def settle_refund(self, name: str, status: str) -> bytes:
        """The card's bank took the refund, or sent it back."""
        self.refunds[name]["status"] = status
        if status == "failed":
            self.refunds[name]["failure_reason"] = "lost_or_stolen_card"
        return event("refund.failed" if status == "failed" else "refund.updated", self.refunds[name])

    # --- what we ask

    def respond(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        place = urlsplit(path)
        self.calls.append((method, place.path))
        if headers["authorization"] != f"Bearer {KEY}":
            return _said(401, fault("invalid_request_error", "api_key_invalid"))
        if self.fail_next:
            self.fail_next -= 1
            return _said(500, fault("api_error", "api_error"))
        key, what = headers.get("idempotency-key"), f"{path} {body.decode()}"
        with self._lock:
            known = self.keys.get(key) if key else None
            if known and known[0] != what:
                return _said(400, fault("idempotency_error", "idempotency_key_in_use"))
            if known:
                return Reply(known[1], known[2], JSON, fresh=False)
            query = {name: values[0] for name, values in parse_qs(place.query).items()}
            status, value = self.answer(method, place.path, query, nested(body.decode()))
            told = json.dumps(value).encode()
            if key:
                self.keys[key] = (what, status, told)
        return Reply(status, told, JSON)

    def answer(self, method: str, path: str, query: dict[str, str], form: dict[str, Any]) -> tuple[int, Any]:
        parts = path.strip("/").split("/")[1:]
        if parts[:2] == ["checkout", "sessions"]:
            return self._sessions(method, parts[2:], form)
        if parts[:1] == ["setup_intents"]:
            return 200, {"id": parts[1], "object": "setup_intent", "payment_method": self.setups[parts[1]]}
        if parts[:1] == ["payment_intents"]:
            return self._intents(method, parts[1:], query, form)
        if parts[:1] == ["refunds"]:
            return self._refunds(method, parts[1:], query, form)
        return 404, fault("invalid_request_error", "resource_missing")

    def _sessions(self, method: str, rest: list[str], form: dict[str, Any]) -> tuple[int, Any]:
        if method == "GET":
            return 200, self.sessions[rest[0]]
        name = f"cs_test_{len(self.sessions) + 1}"
        if form["mode"] == "setup":
            self.sessions[name] = {
                "id": name,
                "object": "checkout.session",
                "mode": "setup",
                "client_reference_id": form["client_reference_id"],
                "status": "open",
                "url": f"https://checkout.example/{name}",
            }
            return 200, self.sessions[name]
        price = form["line_items"]["0"]["price_data"]
        if int(form["expires_at"]) < time.time() - 86_400 * 3650:
            return 400, fault("invalid_request_error", "parameter_invalid_integer")
        self.sessions[name] = {
            "id": name,
            "object": "checkout.session",
            "mode": form["mode"],
            "client_reference_id": form["client_reference_id"],
            "amount_total": int(price["unit_amount"]),
            "currency": price["currency"],
            "status": "open",
            "payment_status": "unpaid",
            "payment_intent": None,
            "url": f"https://checkout.example/{name}",
            "_metadata": form["payment_intent_data"]["metadata"],
        }
        return 200, self.sessions[name]

    def _intents(self, method: str, rest: list[str], query: dict[str, str], form: dict[str, Any]) -> tuple[int, Any]:
        if rest == ["search"]:
            wanted = query["query"].split("'")[3]
            found = [
                one
                for one in self.intents.values()
                if one["metadata"].get("payment") == wanted and one["status"] == "succeeded"
            ]
            return 200, {
                "object": "search_result",
                "data": found[:1],
                "has_more": False,
                "url": "/v1/payment_intents/search",
            }
        if method == "GET":
            return 200, self.intents[rest[0]]
        intent = self._intent(int(form["amount"]), form["currency"], form["metadata"])
        method_id = form["payment_method"]
        if method_id == "pm_declined":
            intent["status"] = "requires_payment_method"
            intent["last_payment_error"] = {
                "type": "card_error",
                "code": "card_declined",
                "decline_code": "insufficient_funds",
            }
            return 402, fault("card_error", "card_declined", decline_code="insufficient_funds", payment_intent=intent)
        if method_id == "pm_bank_asks":
            intent["status"] = "requires_payment_method"
            return 402, fault("card_error", "authentication_required", payment_intent=intent)
        intent.update(status="succeeded", amount_received=intent["amount"])
        return 200, intent

    def _refunds(self, method: str, rest: list[str], query: dict[str, str], form: dict[str, Any]) -> tuple[int, Any]:
        if method == "GET" and rest:
            return 200, self.refunds[rest[0]]
        if method == "GET":
            found = [one for one in self.refunds.values() if one["payment_intent"] == query["payment_intent"]]
            return 200, {"object": "list", "data": found, "has_more": False, "url": "/v1/refunds"}
        intent, amount = self.intents[form["payment_intent"]], int(form["amount"])
        gone = sum(
            one["amount"]
            for one in self.refunds.values()
            if one["payment_intent"] == intent["id"] and one["status"] not in ("failed", "canceled")
        )
        if amount + gone > intent["amount_received"]:
            return 400, fault("invalid_request_error", "charge_already_refunded")
        name = f"re_test_{len(self.refunds) + 1}"
        self.refunds[name] = {
            "id": name,
            "object": "refund",
            "payment_intent": intent["id"],
            "amount": amount,
            "currency": intent["currency"],
            "status": "pending" if self.slow_refunds else "succeeded",
            "metadata": dict(form["metadata"]),
        }
        return 200, self.refunds[name]

    def _intent(self, amount: int, currency: str, metadata: dict[str, str]) -> dict[str, Any]:
        name = f"pi_test_{len(self.intents) + 1}"
        self.intents[name] = {
            "id": name,
            "object": "payment_intent",
            "amount": amount,
            "amount_received": 0,
            "currency": currency,
            "status": "requires_confirmation",
            "metadata": dict(metadata),
            "last_payment_error": None,
        }
        return self.intents[name]


def event(kind: str, thing: dict[str, Any]) -> bytes:
    """The bytes of a callback."""
    shown = {name: value for name, value in thing.items() if not name.startswith("_")}
    return json.dumps({"id": "evt_1", "object": "event", "type": kind, "data": {"object": shown}}).encode()


def signed(body: bytes, at: float, secret: str = SECRET) -> dict[str, str]:
    """The header fields that Stripe sends with a callback."""
    stamp = int(at)
    mac = hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    return {"stripe-signature": f"t={stamp},v1={mac}"}


def fault(kind: str, code: str, **more: Any) -> dict[str, Any]:
    return {"error": {"type": kind, "code": code, "message": code, **more}}


JSON = {"content-type": "application/json"}


def _said(status: int, value: Any) -> Reply:
    return Reply(status, json.dumps(value).encode(), JSON, fresh=False)


def nested(body: str) -> dict[str, Any]:
    """``a[b][0]=c`` as dictionaries."""
    form: dict[str, Any] = {}
    for name, value in parse_qsl(body):
        *path, last = name.replace("]", "").split("[")
        here = form
        for part in path:
            here = here.setdefault(part, {})
        here[last] = value
    return form
