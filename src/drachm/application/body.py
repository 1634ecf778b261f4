"""What is kept, sealed, in a journal row?

What the decision read and could not find again: the event as it came, the version of the register, the running totals
and pots as they stood, an outside payer's answer. What was decided follows from these (`recall.py`) and is not kept
twice. The salt of the leaf's commitment lives in here too: erase the patient's key and the commitment opens to
nobody.

The bytes are a MessagePack array, fields by position; later versions may only append.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cached_property
from typing import Any, Final

import msgspec

from drachm.domain.clearing.answer import Answer
from drachm.domain.errors import IntegrityError, Refused
from drachm.domain.events.model import Code, Kind, ServiceEvent
from drachm.domain.funding.model import Agreed


class TopUp(msgspec.Struct, array_like=True, frozen=True):
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


class Problem(msgspec.Struct, array_like=True, frozen=True):
    """Why an event was pended or refused, in words."""

    reason: str
    message: str = ""
    where: str = ""
    next_step: str = ""


class _Event(msgspec.Struct, array_like=True):
    """What `ServiceEvent.flat` gives."""

    source: str
    event_id: str
    kind: Kind
    member: str
    system: str
    code: str
    currency: str
    started_at: datetime
    ended_at: datetime | None
    modifiers: tuple[str, ...]
    quantity: int
    unit: str
    billed: int | None
    billing_party: str
    rendering_party: str
    site: str
    place_of_service: str
    visit: str
    admission: str
    claim: str
    line: str
    authorisation: str
    tax_ppm: int
    tax_category: str
    diagnoses: tuple[str, ...]
    diagnosis_pointers: tuple[int, ...]
    replaces: str
    emergency: bool
    essential: bool
    display: str
    facts: dict[str, str | int | bool]


class Body(msgspec.Struct, array_like=True, dict=True):
    """What a row's body says. Exactly one of `packed` and `top_up` is set."""

    received: datetime
    salt: bytes
    version: int
    """Of the register."""
    packed: _Event | None = None
    """The event as it came, by position."""
    totals: tuple[int, ...] | None = None
    """What each running total of `Snapshot.totals` held, in that order; None when nothing was decided."""
    avail: tuple[int, ...] | None = None
    """What each of the member's pots could spend, in drawing order."""
    answer: Answer | None = None
    """The outside payer's decision that came with the event."""
    problem: Problem | None = None
    top_up: TopUp | None = None
    agreed: tuple[Agreed, ...] = ()
    """What the patient paid on purpose, as far as it stands."""
    paying: int = 0
    """Of the row of such a payment: the position whose decision it keeps, with everything it read; else 0."""

    @cached_property
    def event(self) -> ServiceEvent | None:
        """The event as it came; None for a top-up."""
        packed = self.packed
        if packed is None:
            return None
        fields = msgspec.structs.astuple(packed)
        values: tuple[Any, ...] = (*fields[:_CODE], Code(packed.system, packed.code), *fields[_CODE + 2 :])
        return ServiceEvent(*values)


_CODE: Final = _Event.__struct_fields__.index("system")
"""Where the two parts of the code stand; all other fields stand as in `ServiceEvent`."""
_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final = msgspec.msgpack.Decoder(Body)


def write_body(
    event: ServiceEvent,
    received: datetime,
    salt: bytes,
    version: int,
    *,
    totals: Sequence[int] | None = None,
    avail: Sequence[int] | None = None,
    answer: Answer | None = None,
    problem: Problem | None = None,
    agreed: Sequence[Agreed] = (),
    paying: int = 0,
) -> bytes:
    """The bytes that are committed to and then sealed.

    Raises `Refused` for an event with a number beyond 64 bits or a text that is no Unicode: no reader lets one in.
    """
    tail: tuple[Any, ...] = (totals, avail)
    if answer is not None or problem is not None:
        tail = (totals, avail, answer, problem)
    if agreed:
        tail = (totals, avail, answer, problem, None, agreed, paying)
    try:
        return _encoder.encode((received, salt, version, event.flat(), *tail))
    except (OverflowError, UnicodeEncodeError) as error:
        raise Refused("invalid_event", f"the event cannot be stored: {error}", where="event") from None


def write_top_up(order: TopUp, received: datetime, salt: bytes) -> bytes:
    """The body of a top-up."""
    return _encoder.encode(Body(received, salt, 0, top_up=order))


def read_body(data: bytes, *, where: str = "body") -> Body:
    """The body again; `IntegrityError` when the bytes are not one."""
    try:
        return _decoder.decode(data)
    except msgspec.MsgspecError as error:
        raise IntegrityError(f"a stored body cannot be read: {error}", where=where) from None
