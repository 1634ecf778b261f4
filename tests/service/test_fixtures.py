"""Does the shared town stand, and does `ask` say what a caller of the service would be told?"""

from __future__ import annotations

from typing import Any


def test_the_town_clears_events(lived_in: Any) -> None:
    again = lived_in.clear(lived_in.event("e1", 40))
    assert [(one.status, one.duplicate) for one in again] == [("posted", True)]
    assert sum(lived_in.desk.books.balances().values()) == 0
