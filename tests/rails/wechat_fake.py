"""A WeChat Pay of our own on loopback: it checks our signatures, keeps orders, signs answers, seals callbacks."""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from rail_server import FakeRail, Reply, serve

from drachm.adapters.rsa import is_signed, signed

__all__ = ["APP", "KEY_ID", "MERCHANT", "SECRET", "SERIAL", "FakeWechat", "serve"]
MERCHANT, APP, SERIAL, KEY_ID = "1900000001", "wx0000000000000001", "OURSERIAL", "PUB_KEY_ID_1"
SECRET = b"0123456789abcdef0123456789abcdef"
_WORDS = re.compile(r'(\w+)="([^"]*)"')


@dataclass
class FakeWechat(FakeRail):
    """The state."""

    ours: RSAPrivateKey
    theirs: RSAPublicKey
    orders: dict[str, dict[str, Any]] = field(default_factory=dict)
    refunds: dict[str, dict[str, Any]] = field(default_factory=dict)
    forge_next: int = 0
    busy_next: int = 0
    now: Callable[[], float] = time.time

    def respond(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        status, value = self.answer(method, path, headers["authorization"], body)
        told = json.dumps(value).encode()
        own = self.headers(told)
        if self.forge_next:
            self.forge_next -= 1
            told = told.replace(b"NOTPAY", b"SUCCESS")
        return Reply(status, told, own)

    def settle_refund(self, name: str, status: str) -> tuple[dict[str, str], bytes]:
        """The refund is over; header fields and bytes of the callback that follows."""
        self.refunds[name]["status"] = status
        told = {name: value for name, value in self.refunds[name].items() if name != "status"}
        return self.callback({**told, "mchid": MERCHANT, "refund_status": status}, kind=f"REFUND.{status}")

    def pay(self, name: str, **changed: Any) -> tuple[dict[str, str], bytes]:
        """The payer pays; header fields and bytes of the callback that follows."""
        order = self.orders[name]
        order.update(trade_state="SUCCESS", transaction_id=f"42000{name}")
        return self.callback({**order, **changed})

    def callback(self, told: dict[str, Any], *, kind: str = "TRANSACTION.SUCCESS") -> tuple[dict[str, str], bytes]:
        sealed = AESGCM(SECRET).encrypt(b"twelve bytes", json.dumps(told).encode(), b"transaction")
        resource = {
            "algorithm": "AEAD_AES_256_GCM",
            "nonce": "twelve bytes",
            "associated_data": "transaction",
            "ciphertext": base64.b64encode(sealed).decode(),
        }
        body = json.dumps({"id": "1", "event_type": kind, "resource_type": "encrypt-resource", "resource": resource})
        return self.headers(body.encode()), body.encode()

    def headers(self, body: bytes) -> dict[str, str]:
        at = str(int(self.now()))
        return {
            "wechatpay-timestamp": at,
            "wechatpay-nonce": "nonce",
            "wechatpay-serial": KEY_ID,
            "wechatpay-signature-type": "WECHATPAY2-SHA256-RSA2048",
            "wechatpay-signature": signed(f"{at}\nnonce\n".encode() + body + b"\n", self.ours),
        }

    def answer(self, method: str, path: str, authorization: str, body: bytes) -> tuple[int, dict[str, Any]]:
        said = dict(_WORDS.findall(authorization))
        content = f"{method}\n{path}\n{said['timestamp']}\n{said['nonce_str']}\n".encode() + body + b"\n"
        if not is_signed(content, said["signature"], self.theirs) or said["serial_no"] != SERIAL:
            return 401, {"code": "SIGN_ERROR"}
        if self.busy_next:
            self.busy_next -= 1
            return 500, {"code": "SYSTEM_ERROR"}
        if "/refund/" in path:
            return self._refund(method, path, body)
        if method == "GET":
            name = path.partition("?")[0].rpartition("/")[2]
            return (200, self.orders[name]) if name in self.orders else (404, {"code": "ORDER_NOT_EXIST"})
        wish = json.loads(body)
        name = wish["out_trade_no"]
        order = self.orders.setdefault(
            name,
            {"appid": APP, "mchid": MERCHANT, "out_trade_no": name, "trade_state": "NOTPAY", "amount": wish["amount"]},
        )
        if order["trade_state"] == "SUCCESS":
            return 400, {"code": "ORDERPAID"}
        if order["amount"] != wish["amount"]:
            return 400, {"code": "OUT_TRADE_NO_USED"}
        return 200, {"prepay_id": f"wx{name}"} if path.endswith("jsapi") else {"code_url": f"weixin://wxpay/{name}"}

    def _refund(self, method: str, path: str, body: bytes) -> tuple[int, dict[str, Any]]:
        if method == "GET":
            here = self.refunds.get(path.rpartition("/")[2])
            return (200, here) if here else (404, {"code": "RESOURCE_NOT_EXISTS"})
        wish = json.loads(body)
        name, amount = wish["out_refund_no"], wish["amount"]["refund"]
        gone = sum(one["amount"]["refund"] for one in self.refunds.values() if one["status"] != "CLOSED")
        if name not in self.refunds and gone + amount > wish["amount"]["total"]:
            return 400, {"code": "NOT_ENOUGH"}
        fresh = {"out_refund_no": name, "refund_id": f"50{name}", "status": "PROCESSING", "amount": wish["amount"]}
        return 200, self.refunds.setdefault(name, fresh)
