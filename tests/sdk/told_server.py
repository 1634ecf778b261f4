"""A server that does as it is told, so that every way of losing an answer can be tried."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Act = Callable[[socket.socket], None]


@dataclass
class Told:
    """A socket that plays one act for each request, the last one for ever, and keeps what it was sent."""

    acts: list[Act] = field(default_factory=list)
    requests: list[bytes] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def heads(self) -> list[dict[str, str]]:
        """The header fields of each request."""
        found = []
        for request in self.requests:
            lines = request.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")[1:]
            found.append({name.lower(): value for name, _, value in (line.partition(": ") for line in lines)})
        return found

    def bodies(self) -> list[Any]:
        return [json.loads(request.partition(b"\r\n\r\n")[2] or b"null") for request in self.requests]

    def serve(self, connection: socket.socket) -> None:
        with connection:
            request = b""
            while b"\r\n\r\n" not in request:
                piece = connection.recv(65_536)
                if not piece:
                    return
                request += piece
            head, _, body = request.partition(b"\r\n\r\n")
            length = next(
                (int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0
            )
            while len(body) < length:
                body += connection.recv(65_536)
            act = self.acts[min(len(self.requests), len(self.acts) - 1)]
            self.requests.append(head + b"\r\n\r\n" + body)
            act(connection)


def says(status: int, body: Any = None, **headers: str) -> Act:
    """An answer, then the end of the connection."""

    def act(connection: socket.socket) -> None:
        data = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        lines = [f"HTTP/1.1 {status} Said", f"content-length: {len(data)}", "connection: close"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        connection.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + data)

    return act


def dies(connection: socket.socket) -> None:
    """Takes the request and is gone."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")


def dies_in_the_answer(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 201 Created\r\ncontent-length: 500\r\ncontent-type: application/json\r\n\r\n{")


def problem(status: int, code: str, **more: Any) -> dict[str, Any]:
    return {
        "type": f"/problems/{code}", "title": "No", "status": status, "detail": "no", "code": code,
        "retryable": False, "next_step": "", "request_id": "req_1", **more,
    }  # fmt: skip
