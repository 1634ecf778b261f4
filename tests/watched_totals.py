"""Running totals that tell which of them a decision looked at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from drachm.domain.benefits.model import Key


class Watched(Mapping[Key, int]):
    """Totals that remember which keys were asked for."""

    def __init__(self, totals: Mapping[Key, int]) -> None:
        self.totals = totals
        self.asked: set[Key] = set()

    def __getitem__(self, key: Key) -> int:
        self.asked.add(key)
        return self.totals[key]

    def __iter__(self) -> Iterator[Key]:
        return iter(self.totals)

    def __len__(self) -> int:
        return len(self.totals)
