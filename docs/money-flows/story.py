"""What is a story: events on fresh books, and the words above their page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from drachm.application.desk import Desk
from drachm.application.first_answers import Outcome

ANA = {"ana-gift": 5, "ana-cash": 95}
"""What Ana mostly has, in dollars."""


@dataclass(frozen=True, slots=True)
class Story:
    """One page."""

    name: str
    title: str
    tale: str
    run: Callable[[Desk], list[Outcome]]
    wallets: Mapping[str, int] = field(default_factory=dict)
    """What stands in the pots before the story, in dollars."""
