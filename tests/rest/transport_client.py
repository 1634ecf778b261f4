"""A client that costs little: raw sockets, keep-alive, answers found by their Content-Length.

`run` loads a service from one process with many connections and says what it saw; `Served` runs a service of
`transport_service.py` in a process of its own on a port that the system chooses.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self, cast

HERE = Path(__file__).parent
SOURCE = HERE.parents[1] / "src"
START = """
import sys
from drachm.adapters.rest.transport.supervisor import Plan, serve
plan = Plan(sys.argv[1], workers=int(sys.argv[2]), drain_seconds=15, start_seconds=30)
sys.exit(serve(plan, ready=lambda port: print(port, file=sys.stderr, flush=True)))
"""


class Served:
    """A running service: supervisor and workers; ends with the block."""

    def __init__(self, *, workers: int = 1, factory: str = "transport_service:make", **settings: object) -> None:
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(SOURCE), str(HERE)])}
        environment.update({name: str(value) for name, value in settings.items()})
        self.process = subprocess.Popen(
            [sys.executable, "-c", START, factory, str(workers)],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self.output, self.errors = b"", b""
        assert self.process.stderr is not None
        while not (line := self.process.stderr.readline()).strip().isdigit():
            self.errors += line
            assert line, f"the service did not start: {self.errors.decode()}"
        self.port = int(line)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self, number: int = signal.SIGINT) -> int:
        if self.process.poll() is None:
            self.process.send_signal(number)
        output, errors = self.process.communicate(timeout=100)
        self.output, self.errors = self.output + output, self.errors + errors
        return self.process.returncode

    def workers(self) -> list[int]:
        listed = subprocess.run(
            ["ps", "-ww", "-o", "pid=", "--ppid", str(self.process.pid)], capture_output=True, text=True
        )
        return [int(pid) for pid in listed.stdout.split()]


@dataclass
class Seen:
    """What the load saw."""

    statuses: Counter[int] = field(default_factory=Counter)
    milliseconds: list[float] = field(default_factory=list)
    by_status: dict[int, list[float]] = field(default_factory=dict)
    broken: int = 0
    """Requests that got no whole answer."""
    refused: int = 0
    """Connections that could not be made."""
    acknowledged: list[int] = field(default_factory=list)
    seconds: float = 0

    def percentile(self, share: float, status: int | None = None) -> float:
        times = sorted(self.milliseconds if status is None else self.by_status.get(status, []))
        return times[min(len(times) - 1, int(share * len(times)))] if times else 0.0


class _Caller(asyncio.Protocol):
    def __init__(self, load: Load) -> None:
        self.load, self.buffer, self.number, self.sent = load, b"", -1, 0.0
        self.transport: asyncio.Transport | None = None
        self.ended: asyncio.Future[None] = load.loop.create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.next()

    def next(self) -> None:
        assert self.transport is not None
        if self.load.stopping:
            self.number = -1
            self.transport.close()
            return
        self.number, request = self.load.request()
        self.sent = time.perf_counter()
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        end = self.buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self.buffer[:end].lower()
        at = head.find(b"content-length: ") + 16
        size = int(head[at : (head + b"\r").find(b"\r", at)])
        if len(self.buffer) < end + 4 + size:
            return
        self.buffer = self.buffer[end + 4 + size :]
        self.load.note(int(head[9:12]), self.number, time.perf_counter() - self.sent)
        self.number = -1
        if b"connection: close" in head:
            assert self.transport is not None
            self.transport.close()
        else:
            self.next()

    def connection_lost(self, exc: Exception | None) -> None:
        if self.number >= 0:
            self.load.seen.broken += 1
        self.ended.set_result(None)


class Load:
    """Closed loop: every connection sends its next request when the last was answered."""

    def __init__(self, port: int, request: Callable[[int], bytes]) -> None:
        self.port, self._request = port, request
        self.loop = asyncio.get_running_loop()
        self.seen, self.stopping, self._number = Seen(), False, 0

    def request(self) -> tuple[int, bytes]:
        self._number += 1
        return self._number, self._request(self._number)

    def note(self, status: int, number: int, seconds: float) -> None:
        seen = self.seen
        seen.statuses[status] += 1
        seen.milliseconds.append(seconds * 1e3)
        seen.by_status.setdefault(status, []).append(seconds * 1e3)
        if status == 201:
            seen.acknowledged.append(number)

    async def run(self, connections: int, seconds: float) -> Seen:
        began = time.perf_counter()
        callers = [self.loop.create_task(self._caller()) for _ in range(connections)]
        await asyncio.sleep(seconds)
        self.stopping = True
        await asyncio.wait(callers, timeout=30)
        self.seen.seconds = time.perf_counter() - began
        return self.seen

    async def _caller(self) -> None:
        while not self.stopping:
            try:
                _, caller = await self.loop.create_connection(lambda: _Caller(self), "127.0.0.1", self.port)
            except OSError:
                self.seen.refused += 1
                await asyncio.sleep(0.01)
                continue
            await caller.ended


def post(path: str, body: bytes, *more: bytes) -> bytes:
    """One POST as bytes."""
    fields = b"".join(line + b"\r\n" for line in more)
    return (
        b"POST %b HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n%b\r\n%b"
        % (path.encode(), len(body), fields, body)
    )


def cpu_seconds(pid: int) -> float:
    """User and system time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
