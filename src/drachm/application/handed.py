"""What does a worker hand on of the rows it has just written, to whoever follows the journal?

To open such a row again, look up whom it named and decide it once more costs as much as clearing it did. The worker has
all of that in hand. What it hands on is a hint: it counts for a row with the same leaf only, whose patient's key is
still there, and nobody misses one that was lost, because the journal says the same.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from typing import Final

import msgspec

from drachm.application.first_answers import Outcome
from drachm.domain.clearing.model import Decision
from drachm.domain.events.model import ServiceEvent
from drachm.domain.funding.model import GIVEN_UP

OPENED_ANYWAY: Final = 64
"""One row of so many is never handed on: what readers see keeps coming from the journal, too."""
_ANSWERED: Final = ("posted", "denied")
_CHARGES: Final = ("charge", "replacement")


class Amounts(msgspec.Struct, array_like=True, gc=False):
    """A standing charge in figures, without what its event says itself. Micros."""

    category: str
    """The benefit category that the price book or the source gives it."""
    reason: str
    """Why every payer said no; empty where one did not."""
    denied: int
    billed: int
    insurers: int
    patients: int
    due: int
    forgone: int
    """Of the patients' part, what the provider no longer asks for."""


class Handed(msgspec.Struct, array_like=True, gc=False):
    """What is handed on of one row."""

    position: int
    leaf: bytes
    body: bytes
    """As it was before it was sealed."""
    amounts: Amounts | None
    """Of the charge that it posts; None where it posts none."""
    day: date | None = None
    """The day of the care where it was given, as far as somebody has worked it out."""


def handed_of(outcomes: Sequence[Outcome]) -> list[Handed]:
    """What is handed on of some answers: of those that were written just now."""
    return [
        Handed(outcome.position, outcome.leaf, outcome.body, amounts_of(outcome.event, outcome.decision))
        for outcome in outcomes
        if outcome.decision is not None and outcome.position % OPENED_ANYWAY and outcome.body and not outcome.duplicate
    ]


def amounts_of(event: ServiceEvent, decision: Decision) -> Amounts | None:
    """The charge that a decision posts; None for what posts none: a hold, a reversal, what waits or was refused."""
    if decision.status not in _ANSWERED or event.kind not in _CHARGES:
        return None
    priced, borne = decision.priced, decision.borne
    denied = decision.status == "denied"
    category = (priced.category if priced else "") or event.facts.get("category", "")
    billed, due = (priced.billed, decision.funding.due) if priced and borne else (0, 0)
    insurers, patients = borne or (0, 0)
    forgone = sum([leg.amount for leg in decision.funding.legs if leg.pocket == GIVEN_UP])
    return Amounts(
        str(category), decision.reason if denied else "", int(denied), billed, insurers, patients, due, forgone
    )


_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final = msgspec.msgpack.Decoder(list[Handed])


def pack(rows: Collection[Handed]) -> bytes:
    """As another process of this machine reads it."""
    return _encoder.encode(list(rows))


def unpack(data: bytes) -> list[Handed]:
    """The rows again. Raises msgspec.MsgspecError for what is none."""
    return _decoder.decode(data)
