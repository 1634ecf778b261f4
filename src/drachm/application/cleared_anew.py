"""What was cleared under a cover that did not hold after all: decide it anew.

Each event that a coverage decided from a day on is replaced by itself, one after the other in the order in which they
were posted: an ordinary replacement through the one posting mechanism, which posts the difference. It keeps the time at
which the event was received, so that no rule of late filing turns on us. Totals of a year stand as they do at that
moment, later events included, as with every correction.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Final, Literal

from drachm.application.clear_events import clear_batch
from drachm.application.desk import Desk
from drachm.application.first_answers import Outcome
from drachm.application.journal_index import JournalIndex
from drachm.application.ports import Stored
from drachm.application.recall import Kept, kept_of, recall
from drachm.domain.clearing.world import Waiting
from drachm.domain.events.model import ServiceEvent
from drachm.domain.transparency.leaf import event_key

MOST: Final = 500
"""Events of one call; a call made again goes on with the others."""
_PAGE: Final = 100
_ROUNDS_MAX: Final = 1_000

Why = Literal["hold", "payer_answered", "erased", "merged", "not_yet"]


@dataclass(frozen=True, slots=True)
class Left:
    """An event that was not decided anew, and why.

    `hold`: it has not happened yet; its capture meets the cover of that day. `payer_answered`: an outside payer decided
    it, and is asked. `erased`: its content is gone. `merged`: it stands under a member who was merged into another
    since, without the covers of today. `not_yet`: the call is made again.
    """

    source: str
    event_id: str
    position: int
    why: Why


@dataclass(frozen=True, slots=True)
class Anew:
    """What became of the events that a change of cover touches."""

    outcomes: list[Outcome]
    left: list[Left]


def cleared_under(
    coverage: str, members: Collection[str], since: date, desk: Desk, index: JournalIndex
) -> list[Stored]:
    """The standing row of every event that this coverage took part in, of care since a day, in order of posting."""
    for _ in range(_ROUNDS_MAX):
        if not index.follow():
            break
    keys = [key for member in members for key in _keys(member, since, index)]
    positions = sorted(places[-1] for places in index.of_keys(keys).values())
    rows = [row for position in positions if (row := desk.books.row(position)) is not None and not row.superseded]
    return [row for row in rows if not row.body or _took_part(row, coverage, desk)]


def clear_anew(rows: list[Stored], member: str, cause: str, desk: Desk) -> Anew:
    """Decide these events of a member again as the register stands now.

    `cause` names the change: made twice, it happens once.
    """
    left: list[Left] = []
    waiting: list[Waiting] = []
    for row in rows:
        kept = kept_of(row)
        event = kept.body.event if kept is not None else None
        if kept is None or event is None:
            left.append(Left("", "", row.position, "erased"))
        elif why := _why_not(event, member, kept, len(waiting)):
            left.append(Left(event.source, event.event_id, row.position, why))
        else:
            again = corrected(event, row.position, cause)
            key = event_key(desk.books.tenant, again.source, again.event_id)
            waiting.append(Waiting(again, kept.body.received, key))
    outcomes: list[Outcome] = []
    for at in range(0, len(waiting), _PAGE):
        outcomes += clear_batch(waiting[at : at + _PAGE], desk)
    return Anew(outcomes, left)


def corrected(event: ServiceEvent, position: int, cause: str) -> ServiceEvent:
    """The event as a replacement of itself, with an id that follows from its own and the cause."""
    mark = hashlib.sha256(f"{cause}\x1f{position}".encode()).hexdigest()[:12]
    return replace(event, kind="replacement", event_id=f"{event.event_id}~{mark}", replaces=event.event_id)


def _why_not(event: ServiceEvent, member: str, kept: Kept, already: int) -> Why | None:
    if event.member != member:
        return "merged"
    if event.kind == "hold":
        return "hold"
    if kept.body.answer is not None:
        return "payer_answered"
    return "not_yet" if already >= MOST else None


def _keys(member: str, since: date, index: JournalIndex) -> Iterator[bytes]:
    before = 0
    while True:
        page = index.page("events", parties=None, members=None, before=before, limit=_PAGE, member=member, since=since)
        yield from (row.key for row in page)
        if len(page) < _PAGE:
            return
        before = page[-1].first or page[-1].position


def _took_part(row: Stored, coverage: str, desk: Desk) -> bool:
    kept = kept_of(row)
    if kept is None or row.status not in ("posted", "denied"):
        return False
    at = recall([kept], desk.books)[0].at
    return at is not None and any(cover.coverage.id == coverage for cover in at.covers)
