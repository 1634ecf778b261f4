"""Three months of a clinic, for tests of its office: enough care that groups can be shown, one kind too rare to."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

KINDS = ("primary_care", "lab", "drug", "monitor", "cosmetic")
WEIGHTS = (40, 30, 25, 20, 40)


def furnish_office(town: Any, charges: int = 240, seed: int = 7) -> None:
    """Care of ninety days at the clinic and the hospital, some refused, some that wait; then the figures follow."""
    rng = random.Random(seed)
    events = []
    for number in range(charges):
        ago = timedelta(
            minutes=rng.choice([7, 50, 200, 900, 1500]) + rng.randint(0, 120),
            days=rng.randint(0, 80) * (number % 4 > 0),
        )
        events.append(
            town.event(
                f"o{number}",
                rng.randint(5, 240),
                member=rng.choice(["ana", "ben", "cleo", "dan"]),
                visit=f"o{number}",
                billing_party=rng.choice(["clinic", "clinic", "hospital"]),
                started_at=town.clock.now() - ago,
                facts={"category": rng.choices(KINDS, WEIGHTS)[0]},
            )
        )
    rare = [town.event(f"rare{n}", 30, facts={"category": "fertility"}, visit=f"rare{n}") for n in range(4)]
    lost = [town.event(f"lost{n}", 30, member="nobody-here", visit=f"lost{n}") for n in range(6)]
    town.clear(*events, *rare, *lost)
    while town.market.figures.follow():
        pass
