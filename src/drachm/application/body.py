"""What is kept, encrypted, beside a journal row?

Everything the decision read and decided: so a receipt can be issued again, and the decision recomputed, from the row
alone. The salt of the leaf's commitment lives in here too: erase the patient's key and the commitment opens to nobody.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import msgspec

from drachm.domain.benefits.model import Adjudication
from drachm.domain.catalog.model import PricedEvent
from drachm.domain.clearing.model import EMPTY, Answer, Cover, Standing, Status
from drachm.domain.coverage.model import Contract, Member, Party
from drachm.domain.errors import IntegrityError
from drachm.domain.events.model import ServiceEvent
from drachm.domain.funding.model import UNFUNDED, FundingPlan, Pot


@dataclass(frozen=True, slots=True)
class Context:
    """The part of a `Snapshot` that is not a running total: enough to decide again."""

    member: Member
    provider: Party
    site: Party | None
    contract: Contract | None
    covers: tuple[Cover, ...]
    pots: tuple[Pot, ...]
    """With what each could spend when the event arrived."""


@dataclass(frozen=True, slots=True)
class TopUp:
    """Money that came in through a rail for one pot; (source, id) is its key, like an event's."""

    source: str
    event_id: str
    pot: str
    member: str
    amount: int
    """Micros, more than 0."""
    currency: str
    rail: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Body:
    """Exactly one of `event` and `top_up` is set."""

    received: datetime
    salt: bytes
    status: Status
    reason: str
    event: ServiceEvent | None = None
    top_up: TopUp | None = None
    answer: Answer | None = None
    """The outside payer's decision that came with the event."""
    message: str = ""
    where: str = ""
    next_step: str = ""
    standing: Standing = EMPTY
    context: Context | None = None
    priced: PricedEvent | None = None
    adjudication: Adjudication | None = None
    funding: FundingPlan = UNFUNDED


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Body)


def write_body(body: Body) -> bytes:
    """The bytes that are committed to and then encrypted."""
    return _encoder.encode(body)


def read_body(data: bytes, *, where: str = "body") -> Body:
    """The body again; `IntegrityError` when the bytes are not one."""
    try:
        return _decoder.decode(data)
    except msgspec.MsgspecError as error:
        raise IntegrityError(f"a stored body cannot be read: {error}", where=where) from None
