"""What may a log line say? Never what a caller sent.

An access line names the route's template, never the path or the query: both may hold a patient's id or name. A logged
exception shows its type and where it was raised, never its message. Lines are JSON, one each; the event loop only
appends, a thread writes, so a reader that stops reading costs lines and not the service.
"""

from __future__ import annotations

import atexit
import logging
import os
import threading
import time
import traceback
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

import msgspec

LINES_MAX: Final = 100_000
"""Lines that may wait for the writer; more are dropped and counted."""
FLUSH_SECONDS: Final = 0.2
_TRUSTED: Final = ("drachm", "uvicorn")
"""Loggers whose messages are ours or hold nothing of a request."""


class LineWriter:
    """Lines on their way to a file descriptor; adding one never waits for the reader at the other end."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._lines: list[str] = []
        self._dropped = 0
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None

    def add(self, line: str) -> None:
        """Queue one line."""
        if len(self._lines) < LINES_MAX:
            self._lines.append(line)
        else:
            self._dropped += 1

    def start(self) -> None:
        """Begin writing."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._write, name="drachm-log", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Write what is left and end; a reader that does not read is not waited for."""
        self._ending.set()
        if self._thread is not None:
            self._thread.join(timeout=2)

    def _write(self) -> None:
        while not self._ending.wait(FLUSH_SECONDS):
            self._flush()
        self._flush()

    def _flush(self) -> None:
        # Copy, then cut: the event loop may append between the two, to the same list.
        lines = self._lines[:]
        del self._lines[: len(lines)]
        if self._dropped:
            lines.append(f'{{"event":"log_lines_dropped","count":{self._dropped}}}\n')
            self._dropped = 0
        data = "".join(lines).encode()
        try:
            while data:
                data = data[os.write(self._descriptor, data) :]
        except OSError:
            return  # The reader is gone; the service goes on.


class AccessLog:
    """One JSON line per answered request."""

    def __init__(self, descriptor: int | None = 1) -> None:
        self._writer = None if descriptor is None else LineWriter(descriptor)
        """None: no access log."""
        self._second, self._text = 0, ""

    def start(self) -> None:
        """Begin writing."""
        if self._writer is not None:
            self._writer.start()

    def stop(self) -> None:
        """Write what is left and end."""
        if self._writer is not None:
            self._writer.stop()

    def line(
        self, request_id: str, method: str, route: str, status: int, seconds: float, answer_bytes: int, caller: str
    ) -> None:
        """Note one answer. `route` is a template, `caller` the id of a key or client, never a person's."""
        if self._writer is None:
            return
        now = time.time()
        if int(now) != self._second:
            self._second = int(now)
            self._text = datetime.fromtimestamp(self._second, UTC).isoformat()[:19]
        self._writer.add(
            f'{{"time":"{self._text}.{int(now * 1e3) % 1_000:03}Z","event":"request","request_id":"{request_id}",'
            f'"method":"{method}","route":{_quoted(route)},"status":{status},"ms":{seconds * 1e3:.2f},'
            f'"bytes":{answer_bytes},"caller":{_quoted(caller)}}}\n'
        )


@lru_cache(maxsize=4_096)
def _quoted(text: str) -> str:
    return msgspec.json.encode(text).decode()


class SafeFormatter(logging.Formatter):
    """A log record as one JSON line without anything a caller may have sent."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")[:23] + "Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": self._event(record),
        }
        if record.exc_info and record.exc_info[1] is not None:
            line["error"] = type(record.exc_info[1]).__name__
            line["at"] = where_raised(record.exc_info[1])
        return msgspec.json.encode(line).decode()

    def _event(self, record: logging.LogRecord) -> str:
        if record.name.partition(".")[0] in _TRUSTED:
            return record.getMessage()
        if record.name == "asyncio":
            return str(record.msg).partition("\n")[0][:80]
        return "message withheld"


def where_raised(error: BaseException) -> list[str]:
    """The frames of an exception, innermost last: file, line and function, no values."""
    frames = traceback.extract_tb(error.__traceback__)[-12:]
    return [f"{os.path.basename(frame.filename)}:{frame.lineno} {frame.name}" for frame in frames]


class WriterHandler(logging.Handler):
    """Hands log records to a `LineWriter`."""

    def __init__(self, writer: LineWriter) -> None:
        super().__init__()
        self._writer = writer
        self.setFormatter(SafeFormatter())

    def emit(self, record: logging.LogRecord) -> None:
        """Queue the record as a line."""
        self._writer.add(self.format(record) + "\n")


def configure(level: int = logging.INFO) -> None:
    """Send every logger of the process through `SafeFormatter` to standard error."""
    writer = LineWriter(2)
    writer.start()
    atexit.register(writer.stop)
    logging.basicConfig(level=level, handlers=[WriterHandler(writer)], force=True)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
