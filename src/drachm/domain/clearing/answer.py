"""What did an outside payer decide?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Answer:
    """An outside payer's decision for one event (271, ClaimResponse; an 835 corrects it later)."""

    id: str
    payer: str
    """Party id."""
    allowed: int
    paid: int
    patient: int
    """allowed = paid + patient; micros."""
    status: Literal["final", "provisional"]
