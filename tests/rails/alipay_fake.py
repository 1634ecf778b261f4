"""An Alipay of our own on loopback: it checks our signatures, keeps trades, signs its answers and notifications."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit
from zoneinfo import ZoneInfo

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

from drachm.adapters.alipay.rail import content_of
from drachm.adapters.rsa import is_signed, signed

APP = "2021000000000001"
BEIJING = ZoneInfo("Asia/Shanghai")


@dataclass
class FakeAlipay:
    """The state; `serve` puts it behind a socket."""

    ours: RSAPrivateKey
    theirs: RSAPublicKey
    trades: dict[str, dict[str, str]] = field(default_factory=dict)
    lose_next: int = 0
    forge_next: int = 0
    busy_next: int = 0
    url: str = ""

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
        trade = self.trades.get(wish["out_trade_no"], {})
        if not trade:
            return {"code": "40004", "msg": "Business Failed", "sub_code": "ACQ.TRADE_NOT_EXIST"}
        return {"code": "10000", "msg": "Success", **trade}

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

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            form = dict(parse_qsl(self.rfile.read(int(self.headers["content-length"])).decode()))
            name = form["method"].replace(".", "_") + "_response"
            told = json.dumps(fake.answer(form), ensure_ascii=False, separators=(",", ":"))
            signature = signed(told.encode(), fake.ours)
            if fake.forge_next:
                fake.forge_next -= 1
                told = told.replace("WAIT_BUYER_PAY", "TRADE_SUCCESS")
            if fake.lose_next:
                fake.lose_next -= 1
                self.close_connection = True
                self.connection.close()
                return
            body = f'{{"{name}":{told},"sign":"{signature}"}}'.encode()
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    fake.url = f"http://127.0.0.1:{server.server_port}/gateway.do"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    time.sleep(0)

    def end() -> None:
        server.shutdown()
        server.server_close()
        thread.join()

    return end
