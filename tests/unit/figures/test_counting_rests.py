"""Figures follow the journal beside those who post, and leave them most of the time."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from drachm.application import figures
from drachm.application.follow import QUIET_SECONDS, REST
from drachm.domain.errors import Unavailable


def test_it_rests_twice_as_long_as_it_worked(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, waits = [0.0], list[float]()
    # What each look takes, and what it finds; the last time the database is silent.
    looks = iter([(3.0, 1_000), (0.001, 2), (0.0, 0), (0.0, None)])

    class Stopping(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            waits.append(timeout or 0.0)
            return len(waits) > 4

    class Slow:
        def follow(self) -> int:
            took, found = next(looks)
            clock[0] += took
            if found is None:
                raise Unavailable("silent")
            return found

    monkeypatch.setattr(figures.time, "monotonic", lambda: clock[0])
    slow: Any = Slow()
    figures.keep_counting(slow, Stopping())
    assert waits == [0.0, REST * 3.0, QUIET_SECONDS, figures.PAUSE_SECONDS, figures.BROKEN_SECONDS]
