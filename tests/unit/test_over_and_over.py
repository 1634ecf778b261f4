"""Does a thread beside the workers go on, whatever one look breaks on?"""

from __future__ import annotations

import logging
import threading

import pytest

from drachm.application.over_and_over import over_and_over
from drachm.domain.errors import Unavailable


def test_what_breaks_is_said_without_names_and_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    waits: list[float] = []
    looks = iter([KeyError("ana"), 3.0, Unavailable("silent"), 0.0])

    class Stopping(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            waits.append(timeout or 0.0)
            return len(waits) > 4

    def look() -> float:
        found = next(looks)
        if isinstance(found, Exception):
            raise found
        return found

    with caplog.at_level(logging.ERROR):
        over_and_over(look, Stopping(), logging.getLogger("test"), "it waits", broken=5.0, first=1.0)
    assert waits == [1.0, 5.0, 3.0, 5.0, 0.0]
    assert caplog.messages == ["it waits: KeyError", "it waits: unavailable"]
