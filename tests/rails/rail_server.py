"""The one loopback server behind the rails of our own: it loses answers, is late, and says what the rail answers."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple


class Reply(NamedTuple):
    """What a rail answers."""

    status: int
    body: bytes
    headers: Mapping[str, str] = {}
    fresh: bool = True
    """Whether work was done for it; what was answered before is never lost."""


@dataclass
class FakeRail:
    """What every rail of our own can be told to do; `serve` puts it behind a socket."""

    lose_next: int = field(default=0, kw_only=True)
    """Answers that are lost after the work was done."""
    late: float = field(default=0, kw_only=True)
    """Seconds before an answer."""
    url: str = field(default="", kw_only=True)

    def respond(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """The answer to one request; header names in lower case."""
        raise NotImplementedError


def serve(fake: FakeRail, *, path: str = "") -> Callable[[], None]:
    """Listen on loopback and tell the rail its address; gives the function that ends it."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._do()

        def do_POST(self) -> None:
            self._do()

        def _do(self) -> None:
            sent = self.rfile.read(int(self.headers.get("content-length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            reply = fake.respond(self.command, self.path, headers, sent)
            if reply.fresh and fake.lose_next:
                fake.lose_next -= 1
                self.close_connection = True
                self.connection.close()
                return
            time.sleep(fake.late)
            # Who was in a hurry has gone.
            with suppress(BrokenPipeError):
                self.send_response(reply.status)
                for name, word in reply.headers.items():
                    self.send_header(name, word)
                self.send_header("content-length", str(len(reply.body)))
                self.end_headers()
                self.wfile.write(reply.body)

        def log_message(self, format: str, *args: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    fake.url = f"http://127.0.0.1:{server.server_port}{path}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()

    def end() -> None:
        server.shutdown()
        server.server_close()
        thread.join()

    return end
