"""What do we tell people?

A receipt answers three questions in plain words - what happened, who paid what, what must you do now - and carries
every number needed to check them: steps with the plan's clause, documents by hash, its place in the books.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

FORGONE: Final = "No longer asked for"
"""The label of what the provider has given up of a patient's part."""


@dataclass(frozen=True, slots=True)
class Part:
    """One amount of the receipt with its bearer and the pocket or payer that carries it."""

    bearer: str
    """`patient`, `payer` or `provider`."""
    who: str
    """Payer party id, pot id, or empty."""
    label: str
    amount: int


@dataclass(frozen=True, slots=True)
class Why:
    """One step of "why this amount?"."""

    sentence: str
    amount: int
    """Micros moved by the step; negative when it gave back."""
    clause: str
    clause_text: str
    plan: str
    """Plan id and version."""
    left: int | None = None
    """What remained of the named limit after this line; None when no limit was involved."""
    of_limit: int | None = None
    limit_name: str = ""
    pocket: str = ""
    """Pot id, where the step says why that pot was passed over; `plan` is then the document that said so."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """One outcome, explained. All amounts are micros of `currency`; billed = agreed cut + payers + patient."""

    number: str
    """`rcp_` and the journal position."""
    kind: str
    """The event's kind: charge, reversal, replacement, hold or stop."""
    status: str
    reason: str
    next_step: str
    event_id: str
    source: str
    revision: int
    member: str
    provider: str
    visit: str
    display: str
    service: str
    """Code system and code, shown behind "medical code"."""
    day: date
    posted_at: datetime
    currency: str
    billed: int = 0
    allowed: int = 0
    patient: int = 0
    payers: int = 0
    provider_borne: int = 0
    due: int = 0
    parts: tuple[Part, ...] = ()
    credits: tuple[Part, ...] = ()
    """What payers give (negative: take back) for earlier events, beside this charge."""
    why: tuple[Why, ...] = ()
    price_rule: str = ""
    price_book: str = ""
    plans: tuple[str, ...] = ()
    """Plan hashes (or an outside payer's answer id), in stack order."""
    provisional: bool = False
    leaf: str = ""
    """Leaf hash, hexadecimal: its place in the log."""

    @property
    def forgone(self) -> int:
        """What the provider no longer asks for of the patient's part; neither paid nor due."""
        return sum([part.amount for part in self.parts if part.label == FORGONE])
