"""How do several workers share one socket, and how are they replaced while requests keep coming?

The supervisor holds the listening socket and serves nothing. SIGHUP starts a fresh worker, waits until it is ready,
ends the old one patiently, and goes on with the next: connections wait in the socket's queue, none is refused. A new
worker that does not become ready leaves the old one in place. SIGTERM and SIGINT end all. A worker that dies is started
again. When the supervisor itself is killed, its workers see the end of the pipe `life` and drain. Beside the workers
there may be one more process (`beside.py`), for work that no request waits for: it is replaced and ended with them.
"""

from __future__ import annotations

import logging
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType
from typing import Final

from prometheus_client.multiprocess import mark_process_dead

from drachm.adapters.rest.transport.server import DRAIN_SECONDS, listen

START_SECONDS: Final = 60
RESTART_PAUSE: Final = 1.0
"""Seconds between two attempts to start a worker that dies at once."""
_log = logging.getLogger("drachm.supervisor")


@dataclass(frozen=True, slots=True)
class Plan:
    """What the supervisor keeps running."""

    factory: str
    """`package.module:function` that makes the `Application` of one worker."""
    workers: int = 1
    beside: str = ""
    """`package.module:function` of the process beside the workers (`beside.Work`); empty: there is none."""
    drain_seconds: int = DRAIN_SECONDS
    start_seconds: float = START_SECONDS


class Supervisor:
    """Keeps the workers of one socket alive."""

    def __init__(self, plan: Plan, listener: socket.socket, ready: Callable[[], None] = lambda: None) -> None:
        self._plan, self._listener, self._ready = plan, listener, ready
        self._workers: list[subprocess.Popen[bytes]] = []
        self._beside: subprocess.Popen[bytes] | None = None
        self._beside_at = 0.0
        """When it was last started."""
        self._asked: list[int] = []
        """Signals that wait for an answer."""
        self._life_read, self._life_write = os.pipe()
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_read, False)
        os.set_blocking(self._wake_write, False)

    def run(self) -> int:
        """Serve until SIGTERM or SIGINT; 0 when all workers ended in time. Call it on the main thread."""
        signal.set_wakeup_fd(self._wake_write, warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD):
            signal.signal(number, self._note)
        with tempfile.TemporaryDirectory(prefix="drachm-metrics-") as folder:
            os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
            try:
                for _ in range(self._plan.workers):
                    worker = self._start()
                    if worker is None:
                        return self._end_all(signal.SIGTERM) or 1
                    self._workers.append(worker)
                self._start_beside()
                self._ready()
                return self._watch()
            finally:
                os.environ.pop("PROMETHEUS_MULTIPROC_DIR", None)
                signal.set_wakeup_fd(-1)

    def _watch(self) -> int:
        while True:
            self._sleep(60 if self._beside is None or self._beside.poll() is None else RESTART_PAUSE)
            if signal.SIGTERM in self._asked or signal.SIGINT in self._asked:
                return self._end_all(signal.SIGINT if signal.SIGINT in self._asked else signal.SIGTERM)
            if signal.SIGHUP in self._asked:
                self._asked.clear()
                self._replace_all()
            self._asked[:] = [number for number in self._asked if number != signal.SIGCHLD]
            self._revive()

    def _start(self) -> subprocess.Popen[bytes] | None:
        """A worker that has said it is ready; None when it ended, took too long, or we are asked to stop."""
        ready_read, ready_write = os.pipe()
        inherited = (self._listener.fileno(), ready_write, self._life_read)
        command = [sys.executable, "-P", "-m", "drachm.adapters.rest.transport.server", self._plan.factory]
        for name, value in zip(("socket", "ready", "life"), inherited, strict=True):
            command += [f"--{name}", str(value)]
        command += ["--drain", str(self._plan.drain_seconds)]
        # A process group of its own: Ctrl-C reaches the supervisor only, which ends the workers in order.
        worker = subprocess.Popen(command, pass_fds=inherited, process_group=0)
        os.close(ready_write)
        try:
            if self._wait_for(ready_read):
                return worker
        finally:
            os.close(ready_read)
        _log.error("a worker did not become ready")
        self._end([worker], signal.SIGTERM)
        return None

    def _start_beside(self) -> None:
        """Start what runs beside the workers, or start it again; not at once when it has only just begun."""
        now = time.monotonic()
        if not self._plan.beside or now - self._beside_at < RESTART_PAUSE:
            return
        command = [sys.executable, "-P", "-m", "drachm.adapters.rest.transport.beside", self._plan.beside]
        command += ["--life", str(self._life_read)]
        self._beside = subprocess.Popen(command, pass_fds=(self._life_read,), process_group=0)
        self._beside_at = now

    def _wait_for(self, descriptor: int) -> bool:
        until = time.monotonic() + self._plan.start_seconds
        while (left := until - time.monotonic()) > 0 and not self._stopping():
            found, _, _ = select.select([descriptor, self._wake_read], [], [], left)
            self._drain_wakes()
            if descriptor in found:
                return os.read(descriptor, 1) == b"1"
        return False

    def _replace_all(self) -> None:
        for old in list(self._workers):
            fresh = self._start()
            if fresh is None:
                _log.error("the replacement is stopped; the old workers go on")
                return
            self._workers[self._workers.index(old)] = fresh
            self._end([old], signal.SIGTERM)
        if self._beside is not None:
            self._end([self._beside], signal.SIGTERM)
            self._start_beside()

    def _revive(self) -> None:
        if self._beside is not None and self._beside.poll() is not None:
            _log.error("the process beside the workers ended with %s", self._beside.returncode)
            self._start_beside()
        for dead in [worker for worker in self._workers if worker.poll() is not None]:
            _log.error("worker %d ended with %s and is started again", dead.pid, dead.returncode)
            mark_process_dead(dead.pid)  # type: ignore[no-untyped-call]
            fresh = self._start()
            if fresh is not None:
                self._workers[self._workers.index(dead)] = fresh
            elif not self._stopping():
                self._sleep(RESTART_PAUSE)
                self._asked.append(signal.SIGCHLD)

    def _end_all(self, number: signal.Signals) -> int:
        return self._end([*self._workers, *filter(None, (self._beside,))], number)

    def _end(self, workers: list[subprocess.Popen[bytes]], number: signal.Signals) -> int:
        """Ask workers to end, wait as long as they may drain, then end them; 0 when none had to be."""
        for worker in workers:
            if worker.poll() is None:
                worker.send_signal(number)
        until = time.monotonic() + self._plan.drain_seconds + 5
        cut = 0
        for worker in workers:
            try:
                worker.wait(timeout=max(0.1, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                worker.kill()
                worker.wait()
                cut = 1
            mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]
        return cut

    def _note(self, number: int, frame: FrameType | None) -> None:
        self._asked.append(number)

    def _stopping(self) -> bool:
        return signal.SIGTERM in self._asked or signal.SIGINT in self._asked

    def _sleep(self, seconds: float) -> None:
        if not self._asked:
            select.select([self._wake_read], [], [], seconds)
        self._drain_wakes()

    def _drain_wakes(self) -> None:
        try:
            while os.read(self._wake_read, 512):
                pass
        except BlockingIOError:
            return


def serve(
    plan: Plan, *, host: str = "127.0.0.1", port: int = 0, ready: Callable[[int], None] = lambda port: None
) -> int:
    """Run the service until it is told to end; `ready` hears the port once every worker answers. Returns the exit code.

    Listens on loopback unless told otherwise: what comes from outside passes a proxy that speaks TLS.
    """
    with listen(host, port) as listener:
        return Supervisor(plan, listener, lambda: ready(listener.getsockname()[1])).run()
