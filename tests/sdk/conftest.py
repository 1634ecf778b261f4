"""What the tests of the client share: a server that does as it is told."""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from told_server import Told


@pytest.fixture
def told() -> Iterator[Told]:
    told = Told()
    listening = socket.create_server(("127.0.0.1", 0))
    told.port = listening.getsockname()[1]

    def accept() -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            threading.Thread(target=told.serve, args=(connection,), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    yield told
    listening.shutdown(socket.SHUT_RDWR)
    listening.close()
    thread.join(5)
