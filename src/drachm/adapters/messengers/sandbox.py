"""Messages that reach nobody: a line of JSON each, for whoever tries the sandbox out."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import msgspec

from drachm.application.text_messages import Outgoing
from drachm.domain.errors import Unavailable
from drachm.domain.messages.lengths import length


class FileMessenger:
    """Appends to one file, which only this user reads."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()

    def send(self, message: Outgoing) -> None:
        """Write one line. Raises Unavailable where nothing was written."""
        try:
            with self._lock:
                descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
                try:
                    os.write(descriptor, line_of(message))
                finally:
                    os.close(descriptor)
        except OSError as error:
            raise Unavailable(f"the file of messages cannot be written: {error.strerror}", where="messages") from None


def line_of(message: Outgoing) -> bytes:
    """A message as a line, with its length as the network counts it."""
    size = length(message.text)
    told = {**message._asdict(), "alphabet": size.alphabet, "places": size.places, "parts": size.parts}
    return msgspec.json.encode(told) + b"\n"
