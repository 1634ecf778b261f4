"""An Alipay of our own on loopback: it checks our signatures, keeps trades, signs its answers and notifications."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit
from zoneinfo import ZoneInfo

import rail_server
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from rail_server import FakeRail, Reply

from drachm.adapters.alipay.rail import content_of
from drachm.adapters.rsa import is_signed, signed

APP = "2021000000000001"
BEIJING = ZoneInfo("Asia/Shanghai")


@dataclass
class FakeAlipay(FakeRail):
    """The state."""

    ours: RSAPrivateKey
    theirs: RSAPublicKey
    trades: dict[str, dict[str, str]] = field(default_factory=dict)
    refunds: dict[str, dict[str, str]] = field(default_factory=dict)
    """By request number."""
    forge_next: int = 0
    busy_next: int = 0

    def respond(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        form = dict(parse_qsl(body.decode()))
        name = form["method"].replace(".", "_") + "_response"
        told = json.dumps(self.answer(form), ensure_ascii=False, separators=(",", ":"))
        signature = signed(told.encode(), self.ours)
        if self.forge_next:
            self.forge_next -= 1
            told = told.replace("WAIT_BUYER_PAY", "TRADE_SUCCESS")
        return Reply(200, f'{{"{name}":{told},"sign":"{signature}"}}'.encode())

    def open_page(self, link: str) -> str:
        """What a payer's browser does with our address: the trade's name, still to be paid."""
        form = dict(parse_qsl(urlsplit(link).query))
        assert is_signed(content_of(form), form["sign"], self.theirs), "our signature is wrong"
        wish = json.loads(form["biz_content"])
        return self._create(wish)["out_trade_no"]

    def pay(self, name: str, *, at: datetime, **changed: str) -> bytes:
        """The payer pays; the notification that follows."""
        trade = self.trades[name]
        trade["trade_status"] = "TRADE_SUCCESS"
        form = {
            "notify_time": at.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M:%S"),
            "notify_type": "trade_status_sync",
            "app_id": APP,
            "charset": "utf-8",
            **trade,
            **changed,
        }
        form["sign"] = signed(content_of(form), self.ours)
        return urlencode({**form, "sign_type": "RSA2"}).encode()

    def answer(self, form: dict[str, str]) -> dict[str, Any]:
        if not is_signed(content_of(form), form.get("sign", ""), self.theirs) or form.get("app_id") != APP:
            return {"code": "40002", "msg": "Invalid Arguments", "sub_code": "isv.invalid-signature"}
        if self.busy_next:
            self.busy_next -= 1
            return {"code": "20000", "msg": "Service Currently Unavailable", "sub_code": "isp.unknow-error"}
        wish = json.loads(form["biz_content"])
        if form["method"] == "alipay.trade.create":
            trade = self.trades.get(wish["out_trade_no"]) or self._create(wish)
            return {
                "code": "10000",
                "msg": "Success",
                "out_trade_no": trade["out_trade_no"],
                "trade_no": trade["trade_no"],
            }
        if "refund" in form["method"]:
            return self._refund(form["method"], wish)
        trade = self.trades.get(wish["out_trade_no"], {})
        if not trade:
            return {"code": "40004", "msg": "Business Failed", "sub_code": "ACQ.TRADE_NOT_EXIST"}
        return {"code": "10000", "msg": "Success", **trade}

    def _refund(self, method: str, wish: dict[str, str]) -> dict[str, Any]:
        here = self.refunds.get(wish["out_request_no"])
        told = {"code": "10000", "msg": "Success", "out_trade_no": wish["out_trade_no"]}
        if method.endswith("query"):
            return {**told, **here, "refund_status": "REFUND_SUCCESS"} if here else told
        if self.trades[wish["out_trade_no"]]["trade_status"] != "TRADE_SUCCESS":
            return {"code": "40004", "msg": "Business Failed", "sub_code": "ACQ.TRADE_HAS_FINISHED"}
        self.refunds[wish["out_request_no"]] = {"refund_amount": wish["refund_amount"], "trade_no": "1"}
        return {**told, "fund_change": "N" if here else "Y"}

    def _create(self, wish: dict[str, str]) -> dict[str, str]:
        name = wish["out_trade_no"]
        return self.trades.setdefault(
            name,
            {
                "out_trade_no": name,
                "trade_no": f"20260331{len(self.trades):08}",
                "trade_status": "WAIT_BUYER_PAY",
                "total_amount": wish["total_amount"],
            },
        )


def serve(fake: FakeAlipay) -> Callable[[], None]:
    """Listen on loopback; gives the function that ends it."""
    return rail_server.serve(fake, path="/gateway.do")
