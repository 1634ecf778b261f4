"""How does one worker process serve, and how does it end without losing a request?

uvicorn brings event loop, sockets and lifespan; `wire.py` is its protocol. SIGTERM ends patiently: no new connection is
taken, each answer is the last of its connection, and an idle caller keeps its idle time, for a request may be on its
way. SIGINT (Ctrl-C) ends idle connections at once. Then the application's shutdown hooks run.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import importlib
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import Final

import uvicorn

from drachm.adapters.rest.transport import logs
from drachm.adapters.rest.transport.app import Application
from drachm.adapters.rest.transport.wire import Watch, protocol_class
from drachm.domain.errors import DrachmError, InvalidMessage

ACCEPTS: Final = 8
"""Connections taken per turn of the event loop. libuv takes one per listening descriptor: under load, when a turn lasts
tens of milliseconds, the hundredth new caller would wait for seconds. So each worker listens on several copies."""
DRAIN_SECONDS: Final = 30
SWITCH_SECONDS: Final = 0.001
"""How long the pump's thread may hold the interpreter while requests wait; Python's own 5 ms shows in the p99."""


class Worker(uvicorn.Server):
    """uvicorn's server with our connections, readiness and farewell."""

    def __init__(self, app: Application, *, drain_seconds: int = DRAIN_SECONDS) -> None:
        self.app = app
        self.watch = Watch(app.service.limits, app.service.metrics.refused)
        self.ready: Callable[[], None] = lambda: None
        """Called once, when the first request can be taken."""
        super().__init__(
            uvicorn.Config(
                app,
                http=protocol_class(self.watch),
                ws="none",
                lifespan="on",
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                backlog=2_048,
                timeout_graceful_shutdown=drain_seconds,
            )
        )

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start the application, then listen, then say so."""
        await super().startup(sockets)
        self.watch.start(asyncio.get_running_loop())
        # What was loaded by now stays: the collector need not walk through it again and again.
        gc.collect()
        gc.freeze()
        self.ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Drain, then run the hooks; whoever stays after the time limit is cut off."""
        self.app.leaving.set()
        self.watch.drain()
        await super().shutdown(sockets)
        for connection in list(self.watch.connections):
            connection.transport.abort()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """SIGTERM and SIGINT begin the farewell; SIGINT has no patience with idle connections."""
        # Not recorded as uvicorn does: it would raise the signal again and end a good farewell with an error.
        self.force_exit = self.should_exit and sig == signal.SIGINT
        self.should_exit = True
        self.watch.hurry = self.watch.hurry or sig == signal.SIGINT


def listen(host: str = "127.0.0.1", port: int = 0) -> socket.socket:
    """A listening socket for all workers; port 0 lets the system choose. Raises `InvalidMessage` when it is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise InvalidMessage(
            f"cannot listen: {error.strerror}", where=f"port {port}", next_step="Choose another port."
        ) from None
    listener.listen(2_048)
    listener.set_inheritable(True)
    return listener


def load(factory: str) -> Application:
    """Call the factory that `package.module:function` names; it makes the application of this process."""
    module, _, name = factory.partition(":")
    app = getattr(importlib.import_module(module), name)()
    if not isinstance(app, Application):
        raise TypeError(f"{factory} does not make an Application")
    return app


def main(arguments: list[str]) -> int:
    """A worker as the supervisor starts it: `--socket`, `--ready` and `--life` are inherited file descriptors."""
    parser = argparse.ArgumentParser()
    for name in ("--socket", "--ready", "--life", "--drain"):
        parser.add_argument(name, type=int, required=True)
    parser.add_argument("factory")
    chosen = parser.parse_args(arguments)
    logs.configure()
    sys.setswitchinterval(SWITCH_SECONDS)
    try:
        application = load(chosen.factory)
    except DrachmError as error:
        sys.stderr.write(f"drachm: {error}\n  code: {error.code}\n  next: {error.next_step}\n")
        return 2
    worker = Worker(application, drain_seconds=chosen.drain)
    worker.ready = lambda: _tell(chosen.ready)
    threading.Thread(target=_end_with_parent, args=(chosen.life,), daemon=True).start()
    listener = socket.socket(fileno=chosen.socket)
    with contextlib.suppress(KeyboardInterrupt):
        worker.run(sockets=[listener, *[listener.dup() for _ in range(ACCEPTS - 1)]])
    return 0 if worker.started else 1


def _tell(descriptor: int) -> None:
    os.write(descriptor, b"1")
    os.close(descriptor)


def _end_with_parent(descriptor: int) -> None:
    # The supervisor never writes: the read returns when it is gone, however it went.
    os.read(descriptor, 1)
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
