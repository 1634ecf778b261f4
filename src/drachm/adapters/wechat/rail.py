"""How is WeChat Pay asked for money? By a code that the payer scans, or a payment that a mini-program opens.

Source: WeChat Pay documentation, API v3, "Generate signature", "Verify signature", "Decrypt callback", "Native order",
"JSAPI order", "Query order". Written here rather than taken from a library: what can be had fetches keys over the
network when a callback names one that it does not know, so anybody could make it do so.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal

import httpx
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from drachm.adapters import jsonsafe
from drachm.adapters.rsa import is_signed, signed
from drachm.domain.errors import Forbidden, InvalidMessage, Unavailable
from drachm.domain.money import minor_unit
from drachm.domain.payments.model import News, Payment, State
from drachm.domain.payments.refund import Refund, RefundNews, RefundState

OPEN_FOR: Final = timedelta(hours=2)
"""A code to scan is good for two hours."""
TOLERANCE: Final = timedelta(minutes=5)
"""WeChat Pay asks us to refuse what was signed longer ago: it signs each repetition anew."""
_SCHEME: Final = "WECHATPAY2-SHA256-RSA2048"
_STATES: Final[Mapping[str, State]] = {
    "NOTPAY": "waiting",
    "USERPAYING": "waiting",
    "SUCCESS": "captured",
    "REFUND": "captured",
    "PAYERROR": "declined",
    "CLOSED": "expired",
    "REVOKED": "expired",
}
_REFUND_CALLBACKS: Final = frozenset({"REFUND.SUCCESS", "REFUND.ABNORMAL", "REFUND.CLOSED"})
_REFUND_STATES: Final[Mapping[str, RefundState]] = {
    "SUCCESS": "done",
    "PROCESSING": "waiting",
    # The card is closed: WeChat Pay holds the money until the merchant says where it goes.
    "ABNORMAL": "waiting",
    "CLOSED": "declined",
}
_FEN: Final = minor_unit("CNY")


@dataclass(frozen=True, slots=True)
class WechatAccount:
    """What the operator and WeChat Pay agreed on."""

    app_id: str
    merchant: str
    ours: RSAPrivateKey
    our_serial: str
    theirs: RSAPublicKey
    their_id: str
    """Name of their public key (`PUB_KEY_ID_...`)."""
    secret: bytes
    """The APIv3 key of 32 bytes, under which callbacks are sealed."""
    notify_url: str
    address: str = "https://api.mch.weixin.qq.com"


class Wechat:
    """The rail `wechat`. Safe to use from several threads."""

    name = "wechat"

    def __init__(
        self,
        account: WechatAccount,
        *,
        now: Callable[[], datetime],
        nonce: Callable[[], str],
        face: Literal["native", "mini"] = "native",
        payer_of: Callable[[str], str] = lambda _member: "",
        seconds: float = 20,
    ) -> None:
        """`nonce` gives a new random word at each call; `payer_of` knows a member's open id in the mini-program."""
        self._account, self._now, self._nonce = account, now, nonce
        self._face, self._payer_of = face, payer_of
        self._http = httpx.Client(base_url=account.address, timeout=seconds)

    def ask(self, payment: Payment) -> News:
        """`Rail.ask`. The same order, asked for again while it is unpaid, is the same order."""
        if self._now() - payment.begun_at > OPEN_FOR:
            return self.look(payment)
        account = self._account
        wish: dict[str, Any] = {
            "appid": account.app_id,
            "mchid": account.merchant,
            # What the payer's account says: nothing about care.
            "description": "Top-up",
            "out_trade_no": payment.id,
            "time_expire": (payment.begun_at + OPEN_FOR).isoformat(timespec="seconds"),
            "notify_url": account.notify_url,
            "amount": {"total": _fen(payment), "currency": "CNY"},
        }
        if self._face == "mini":
            wish["payer"] = {"openid": self._payer_of(payment.member)}
        path = "/v3/pay/transactions/" + ("jsapi" if self._face == "mini" else "native")
        told = self._call("POST", path, wish, paid="ORDERPAID")
        if told is None:
            return self.look(payment)
        link = self._opening(str(told["prepay_id"])) if self._face == "mini" else str(told["code_url"])
        return News("waiting", payment.id, link=link)

    def look(self, payment: Payment) -> News:
        """`Rail.look`. An order that WeChat Pay does not know was never made, or was dropped unpaid."""
        path = f"/v3/pay/transactions/out-trade-no/{payment.id}?mchid={self._account.merchant}"
        told = self._call("GET", path, None, absent="ORDER_NOT_EXIST")
        if told is None:
            over = self._now() - payment.begun_at > OPEN_FOR
            return News("expired" if over else "waiting", payment.id, link=payment.link)
        return _news(told)

    def refund(self, refund: Refund, payment: Payment) -> RefundNews:
        """`RefundingRail.refund`; the same number refunds once."""
        wish = {
            "out_trade_no": payment.id,
            "out_refund_no": refund.id,
            "notify_url": self._account.notify_url,
            "amount": {"refund": refund.amount // _FEN, "total": _fen(payment), "currency": "CNY"},
        }
        told = self._call("POST", "/v3/refund/domestic/refunds", wish, absent="NOT_ENOUGH")
        return RefundNews("declined", refund.id, reason="not_enough") if told is None else _refund_news(told, "status")

    def look_at_refund(self, refund: Refund, payment: Payment) -> RefundNews:
        """`RefundingRail.look_at_refund`."""
        told = self._call("GET", f"/v3/refund/domestic/refunds/{refund.id}", None, absent="RESOURCE_NOT_EXISTS")
        return RefundNews("waiting", refund.id) if told is None else _refund_news(told, "status")

    def read_callback(self, headers: Mapping[str, str], body: bytes, now: datetime) -> list[News | RefundNews]:
        """`Rail.read_callback`; the caller answers 204."""
        self._ensure_theirs(headers, body, now)
        event = jsonsafe.loads(body, "callback")
        try:
            kind = event["event_type"]
            if kind != "TRANSACTION.SUCCESS" and kind not in _REFUND_CALLBACKS:
                return []
            sealed = event["resource"]
            plain = AESGCM(self._account.secret).decrypt(
                sealed["nonce"].encode(),
                base64.b64decode(sealed["ciphertext"], validate=True),
                sealed.get("associated_data", "").encode(),
            )
            told = jsonsafe.loads(plain, "callback")
            if kind in _REFUND_CALLBACKS:
                if told["mchid"] != self._account.merchant:
                    raise Forbidden("this callback is for another merchant", where="callback", code="callback_forged")
                return [_refund_news(told, "refund_status")]
            if (told["mchid"], told["appid"]) != (self._account.merchant, self._account.app_id):
                raise Forbidden("this callback is for another merchant", where="callback", code="callback_forged")
            return [_news(told)]
        except (KeyError, TypeError, ValueError, AttributeError, InvalidTag):
            raise InvalidMessage(
                "this is not in a form that we know", where="callback", code="invalid_callback"
            ) from None

    def _opening(self, prepay: str) -> str:
        """What a mini-program hands to `wx.requestPayment`, as JSON."""
        at, nonce, package = str(int(self._now().timestamp())), self._nonce(), f"prepay_id={prepay}"
        content = f"{self._account.app_id}\n{at}\n{nonce}\n{package}\n"
        words = {"timeStamp": at, "nonceStr": nonce, "package": package, "signType": "RSA"}
        return json.dumps({**words, "paySign": signed(content.encode(), self._account.ours)})

    def _call(self, method: str, path: str, wish: Any, *, absent: str = "", paid: str = "") -> Any:
        """What WeChat Pay answers, checked; None when it says `absent` or `paid`."""
        body = b"" if wish is None else json.dumps(wish, separators=(",", ":"), sort_keys=True).encode()
        try:
            answer = self._http.request(method, path, content=body or None, headers=self._headers(method, path, body))
        except httpx.HTTPError as error:
            raise Unavailable(f"WeChat Pay did not answer ({type(error).__name__})", where="wechat") from None
        if answer.status_code >= 500 or answer.status_code == 429:
            raise Unavailable(f"WeChat Pay is not able to answer now ({answer.status_code})", where="wechat")
        try:
            self._ensure_theirs(
                {name.lower(): value for name, value in answer.headers.items()}, answer.content, self._now()
            )
        except Forbidden:
            raise Unavailable("an answer came that WeChat Pay did not sign", where="wechat") from None
        told = jsonsafe.loads(answer.content, "wechat")
        if answer.status_code < 300:
            return told
        code = told.get("code") if isinstance(told, dict) else None
        if code and code in (absent, paid):
            return None
        raise InvalidMessage(
            f"WeChat Pay does not take this request ({code or answer.status_code})",
            where="wechat",
            next_step="Check the rail's settings.",
            code="rail_refused",
        )

    def _headers(self, method: str, path: str, body: bytes) -> dict[str, str]:
        account, at, nonce = self._account, int(self._now().timestamp()), self._nonce()
        content = f"{method}\n{path}\n{at}\n{nonce}\n".encode() + body + b"\n"
        words = (
            f'mchid="{account.merchant}",nonce_str="{nonce}",signature="{signed(content, account.ours)}",'
            f'timestamp="{at}",serial_no="{account.our_serial}"'
        )
        return {
            "authorization": f"{_SCHEME} {words}",
            "accept": "application/json",
            "content-type": "application/json",
            "wechatpay-serial": account.their_id,
        }

    def _ensure_theirs(self, headers: Mapping[str, str], body: bytes, now: datetime) -> None:
        """Raises `Forbidden` unless WeChat Pay signed this for us within the last minutes."""
        at, nonce = headers.get("wechatpay-timestamp", ""), headers.get("wechatpay-nonce", "")
        content = f"{at}\n{nonce}\n".encode() + body + b"\n"
        known = headers.get("wechatpay-serial") == self._account.their_id and at.isascii() and at.isdigit()
        if not known or not is_signed(content, headers.get("wechatpay-signature", ""), self._account.theirs):
            raise Forbidden("WeChat Pay did not sign this", where="callback", code="callback_forged")
        if abs(now.timestamp() - int(at)) > TOLERANCE.total_seconds():
            raise Forbidden("this callback is old", where="callback", code="callback_stale")


def _news(told: Mapping[str, Any]) -> News:
    state = _STATES.get(told["trade_state"])
    if state is None:
        raise ValueError("unknown trade state")
    captured = state == "captured"
    return News(
        state,
        str(told["out_trade_no"]),
        str(told.get("transaction_id", "")),
        int(told["amount"]["total"]) * _FEN if captured else None,
        "CNY",
        reason="payment_failed" if state == "declined" else "",
    )


def _refund_news(told: Mapping[str, Any], status: str) -> RefundNews:
    state = _REFUND_STATES.get(told[status])
    if state is None:
        raise ValueError("unknown refund status")
    amount = int(told["amount"]["refund"]) * _FEN
    reason = "closed" if state == "declined" else ""
    return RefundNews(state, str(told["out_refund_no"]), str(told.get("refund_id", "")), amount, reason)


def _fen(payment: Payment) -> int:
    if payment.currency != "CNY":
        raise InvalidMessage(
            "this account of WeChat Pay moves CNY only",
            where="currency",
            next_step="Use another rail for other currencies.",
            code="unknown_currency",
        )
    return payment.amount // _FEN
