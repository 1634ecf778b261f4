"""Which events does a change of cover touch, and which of them were not decided anew?"""

from __future__ import annotations

from typing import Literal

from drachm.adapters.rest.service.call import Call
from drachm.adapters.rest.service.names import row_name
from drachm.adapters.rest.service.shapes import View
from drachm.application.cleared_anew import Left
from drachm.application.ports import Stored
from drachm.application.recall import kept_of


class NamedEvent(View):
    """An event that a change of cover touches."""

    id: str
    source: str
    event_id: str


class LeftEvent(View):
    """An event that was not decided anew."""

    id: str | None
    source: str
    event_id: str
    why: Literal["hold", "payer_answered", "erased", "merged", "not_yet"]
    """`hold`: not delivered yet. `payer_answered`: an outside payer decided it: ask there. `erased`: its content is
    gone. `merged`: it stands under a member merged into this one since. `not_yet`: make the call again."""


def touched_event(call: Call, row: Stored) -> NamedEvent | None:
    """An event by the row that stands for it; None when its content was erased."""
    kept = kept_of(row)
    event = kept.body.event if kept is not None else None
    if event is None:
        return None
    return NamedEvent(id=_name(call, row), source=event.source, event_id=event.event_id)


def left_event(call: Call, left: Left) -> LeftEvent:
    """An event that was not decided anew, under its name."""
    row = call.market.desk.books.row(left.position)
    name = _name(call, row) if row is not None else None
    return LeftEvent(id=name, source=left.source, event_id=left.event_id, why=left.why)


def _name(call: Call, row: Stored) -> str:
    return row_name("evt", call.market.index.of_key(row.key)[0], row.key)
