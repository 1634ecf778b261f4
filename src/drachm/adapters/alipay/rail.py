"""How is Alipay asked for money? By a signed address that the payer opens, or a trade that a mini-program pays."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal
from urllib.parse import parse_qsl, urlencode
from zoneinfo import ZoneInfo

import httpx
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

from drachm.adapters import jsonsafe
from drachm.adapters.rsa import is_signed, signed
from drachm.domain.errors import Forbidden, InvalidMessage, Unavailable
from drachm.domain.money import MICROS, minor_unit, plain
from drachm.domain.payments.model import News, Payment, State
from drachm.domain.payments.refund import Refund, RefundNews

OPEN_FOR: Final = timedelta(hours=23)
STALE_AFTER: Final = timedelta(hours=26)
"""Alipay repeats a notification for 24 hours and 22 minutes until it hears "success"."""
HEARD: Final = b"success"
"""What a callback is answered with; anything else makes Alipay repeat it."""
_BEIJING: Final = ZoneInfo("Asia/Shanghai")
_YUAN: Final = re.compile(r"([0-9]{1,9})\.([0-9]{2})")
_TIME: Final = "%Y-%m-%d %H:%M:%S"
_STATES: Final[Mapping[str, State]] = {
    "WAIT_BUYER_PAY": "waiting",
    "TRADE_SUCCESS": "captured",
    "TRADE_FINISHED": "captured",
    "TRADE_CLOSED": "expired",
}


@dataclass(frozen=True, slots=True)
class AlipayAccount:
    """What the operator and Alipay agreed on."""

    app_id: str
    ours: RSAPrivateKey
    theirs: RSAPublicKey
    notify_url: str
    return_url: str
    gateway: str = "https://openapi.alipay.com/gateway.do"


def content_of(parameters: Mapping[str, str], *, without: frozenset[str] = frozenset({"sign"})) -> bytes:
    """What is signed of some parameters: those not empty, sorted by name, joined as ``name=value`` with ``&``.

    Source: Alipay Open Platform, "Signing" (RSA2) and "Asynchronous notification".
    """
    named = sorted((name, value) for name, value in parameters.items() if value and name not in without)
    return "&".join([f"{name}={value}" for name, value in named]).encode()


class Alipay:
    """The rail `alipay`. Safe to use from several threads."""

    name = "alipay"

    def __init__(
        self,
        account: AlipayAccount,
        *,
        now: Callable[[], datetime],
        face: Literal["page", "wap", "mini"] = "wap",
        buyer_of: Callable[[str], str] = lambda _member: "",
        seconds: float = 20,
    ) -> None:
        """`face` is where the payer is: at a computer, on a phone, or in a mini-program, whose user `buyer_of` knows by
        the open id that Alipay gave."""
        self._account = account
        self._now = now
        self._face = face
        self._buyer_of = buyer_of
        self._http = httpx.Client(timeout=seconds)

    def ask(self, payment: Payment) -> News:
        """`Rail.ask`. A page asks nobody: its address is made here, and says the same each time."""
        if self._now() - payment.begun_at > OPEN_FOR:
            return self.look(payment)
        wish = {
            "out_trade_no": payment.id,
            "total_amount": _yuan(payment.amount, payment.currency),
            # What the payer's account statement says: nothing about care.
            "subject": "Top-up",
            "time_expire": _beijing(payment.begun_at + OPEN_FOR),
        }
        if self._face == "mini":
            wish |= {"product_code": "JSAPI_PAY", "buyer_open_id": self._buyer_of(payment.member)}
            return News("waiting", payment.id, link=str(self._call("alipay.trade.create", wish)["trade_no"]))
        product = "FAST_INSTANT_TRADE_PAY" if self._face == "page" else "QUICK_WAP_WAY"
        parameters = self._signed(f"alipay.trade.{self._face}.pay", {**wish, "product_code": product}, payment.begun_at)
        return News("waiting", payment.id, link=f"{self._account.gateway}?{urlencode(parameters)}")

    def look(self, payment: Payment) -> News:
        """`Rail.look`. A trade that Alipay does not know was never begun by its payer."""
        told = self._call("alipay.trade.query", {"out_trade_no": payment.id}, absent="ACQ.TRADE_NOT_EXIST")
        if told is None:
            over = self._now() - payment.begun_at > OPEN_FOR
            return News("expired" if over else "waiting", payment.id, link=payment.link)
        return _news(told, payment.currency)

    def refund(self, refund: Refund, payment: Payment) -> RefundNews:
        """`RefundingRail.refund`; the same request number refunds once, and says so again."""
        wish = {
            "out_trade_no": payment.id,
            "refund_amount": _yuan(refund.amount, refund.currency),
            "out_request_no": refund.id,
            "refund_reason": "Refund",
        }
        told = self._call("alipay.trade.refund", wish, absent="ACQ.TRADE_HAS_FINISHED")
        if told is None:
            return RefundNews("declined", refund.id, reason="trade_finished")
        # `fund_change` is N too for a request that was carried out before: the query knows.
        return RefundNews("done", refund.id) if told.get("fund_change") == "Y" else self.look_at_refund(refund, payment)

    def look_at_refund(self, refund: Refund, payment: Payment) -> RefundNews:
        """`RefundingRail.look_at_refund`; an answer without a status is a refund that has not happened."""
        wish = {"out_trade_no": payment.id, "out_request_no": refund.id}
        told = self._call("alipay.trade.fastpay.refund.query", wish)
        if told.get("refund_status") != "REFUND_SUCCESS":
            return RefundNews("waiting", refund.id)
        return RefundNews("done", refund.id, str(told.get("trade_no", "")), _micros(told["refund_amount"]))

    def read_callback(self, headers: Mapping[str, str], body: bytes, now: datetime) -> list[News]:
        """`Rail.read_callback`; the caller answers with `HEARD`."""
        try:
            pairs = parse_qsl(body.decode(), strict_parsing=True, keep_blank_values=True)
        except ValueError:
            raise Forbidden("this callback is no form of Alipay's", where="callback", code="callback_forged") from None
        form = dict(pairs)
        content = content_of(form, without=frozenset({"sign", "sign_type"}))
        if len(form) != len(pairs) or not is_signed(content, form.get("sign", ""), self._account.theirs):
            raise Forbidden("Alipay did not sign this callback", where="callback", code="callback_forged")
        if form.get("app_id") != self._account.app_id:
            raise Forbidden("this callback is for another app", where="callback", code="callback_forged")
        try:
            at = datetime.strptime(form["notify_time"], _TIME).replace(tzinfo=_BEIJING)
            if abs(now - at) > STALE_AFTER:
                raise Forbidden("this callback is old", where="callback", code="callback_stale")
            # A refund is told of the same trade; what went back stands in a field of its own.
            return [] if form.get("refund_fee") else [_news(form, "CNY")]
        except (KeyError, ValueError):
            raise _unreadable("callback") from None

    def _call(self, method: str, wish: Mapping[str, str], *, absent: str = "") -> Any:
        """The response object of a call, checked; None when Alipay says `absent`."""
        try:
            answer = self._http.post(self._account.gateway, data=dict(self._signed(method, wish, self._now())))
            answer.raise_for_status()
        except httpx.HTTPError as error:
            raise Unavailable(f"Alipay did not answer ({type(error).__name__})", where="alipay") from None
        name = method.replace(".", "_") + "_response"
        whole = jsonsafe.loads(answer.content, "alipay")
        if not isinstance(whole, dict) or not isinstance(whole.get(name), dict):
            raise _unreadable("alipay")
        told = whole[name]
        if not is_signed(_bytes_of(answer.content, name), str(whole.get("sign", "")), self._account.theirs):
            raise Unavailable("an answer came that Alipay did not sign", where="alipay")
        if absent and told.get("sub_code") == absent:
            return None
        if told.get("code") == "20000":
            raise Unavailable("Alipay is not able to answer now", where="alipay")
        if told.get("code") != "10000":
            raise InvalidMessage(
                f"Alipay does not take this request ({told.get('sub_code') or told.get('code')})",
                where="alipay",
                next_step="Check the rail's settings.",
                code="rail_refused",
            )
        return told

    def _signed(self, method: str, wish: Mapping[str, str], at: datetime) -> dict[str, str]:
        account = self._account
        parameters = {
            "app_id": account.app_id,
            "method": method,
            "format": "JSON",
            "charset": "utf-8",
            "sign_type": "RSA2",
            "timestamp": _beijing(at),
            "version": "1.0",
            "notify_url": account.notify_url,
            "return_url": account.return_url,
            "biz_content": json.dumps(wish, separators=(",", ":"), sort_keys=True),
        }
        return {**parameters, "sign": signed(content_of(parameters), account.ours)}


def _news(told: Mapping[str, Any], currency: str) -> News:
    state = _STATES.get(told["trade_status"])
    if state is None:
        raise ValueError("unknown trade status")
    return News(
        state,
        str(told["out_trade_no"]),
        str(told.get("trade_no", "")),
        _micros(told["total_amount"]) if state == "captured" else None,
        currency,
    )


def _yuan(micros: int, currency: str) -> str:
    if currency != "CNY":
        raise InvalidMessage(
            "this account of Alipay moves CNY only",
            where="currency",
            next_step="Use another rail for other currencies.",
            code="unknown_currency",
        )
    return plain(micros, currency)


def _micros(text: object) -> int:
    """Yuan as Alipay writes them, exactly."""
    found = _YUAN.fullmatch(str(text))
    if found is None:
        raise ValueError("not an amount")
    return int(found[1]) * MICROS + int(found[2]) * minor_unit("CNY")


def _beijing(at: datetime) -> str:
    return at.astimezone(_BEIJING).strftime(_TIME)


def _bytes_of(content: bytes, name: str) -> bytes:
    """The bytes of the response object inside an answer: what Alipay signed, before anybody parsed it."""
    text = content.decode()
    start = text.index("{", text.index(f'"{name}"'))
    _, end = json.JSONDecoder().raw_decode(text, start)
    return text[start:end].encode()


def _unreadable(where: str) -> InvalidMessage:
    return InvalidMessage("this is not in a form that we know", where=where, code="invalid_callback")
