"""A WeChat Pay of our own on loopback: it checks our signatures, keeps orders, signs answers, seals callbacks."""

from __future__ import annotations

import base64
import json
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from drachm.adapters.rsa import is_signed, signed

MERCHANT, APP, SERIAL, KEY_ID = "1900000001", "wx0000000000000001", "OURSERIAL", "PUB_KEY_ID_1"
SECRET = b"0123456789abcdef0123456789abcdef"
_WORDS = re.compile(r'(\w+)="([^"]*)"')


@dataclass
class FakeWechat:
    """The state; `serve` puts it behind a socket."""

    ours: RSAPrivateKey
    theirs: RSAPublicKey
    orders: dict[str, dict[str, Any]] = field(default_factory=dict)
    lose_next: int = 0
    forge_next: int = 0
    busy_next: int = 0
    now: Callable[[], float] = time.time
    url: str = ""

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


def serve(fake: FakeWechat) -> Callable[[], None]:
    """Listen on loopback; gives the function that ends it."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._do()

        def do_POST(self) -> None:
            self._do()

        def _do(self) -> None:
            sent = self.rfile.read(int(self.headers.get("content-length") or 0))
            status, value = fake.answer(self.command, self.path, self.headers["authorization"], sent)
            body = json.dumps(value).encode()
            headers = fake.headers(body)
            if fake.forge_next:
                fake.forge_next -= 1
                body = body.replace(b"NOTPAY", b"SUCCESS")
            if fake.lose_next:
                fake.lose_next -= 1
                self.close_connection = True
                self.connection.close()
                return
            self.send_response(status)
            for name, word in headers.items():
                self.send_header(name, word)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    fake.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()

    def end() -> None:
        server.shutdown()
        server.server_close()
        thread.join()

    return end
