"""What was decided, and why? Decided again from what a row's body kept.

Same inputs, same answer, for ever: the body names the version of the register and holds the event, the running totals
and the pots as they stood; plans and price books are immutable. So a row keeps no copy of its answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from drachm.application.body import Body, read_body
from drachm.application.ports import Books, Stored
from drachm.domain.clearing.clear import UNDOING, UNDONE, decide
from drachm.domain.clearing.model import EMPTY, Decision, Snapshot, Status
from drachm.domain.clearing.world import Waiting, World
from drachm.domain.errors import DrachmError, IntegrityError


class Recalled(NamedTuple):
    """One row's decision with what it was made from."""

    body: Body
    decision: Decision
    at: Snapshot | None = None
    """None where nothing was decided: the event waits, was refused, or is a top-up."""


class Kept(NamedTuple):
    """What a row keeps of one decision, and how it ended."""

    key: bytes
    status: Status
    body: Body


def kept_of(stored: Stored) -> Kept | None:
    """What a stored row keeps; None when its content was erased."""
    if not stored.body:
        return None
    return Kept(stored.key, stored.status, read_body(stored.body, where=f"position {stored.position}"))


def recall(kept: Sequence[Kept], books: Books, *, explain: bool = False) -> list[Recalled]:
    """Each decision again, in order; `explain` adds the steps that led to it.

    Raises `IntegrityError` when what was kept no longer decides anything: register, documents or body were changed.
    """
    worlds = {version: _world(version, kept, books) for version in {one.body.version for one in kept}}
    return [_recalled(one, worlds[one.body.version], explain) for one in kept]


def _world(version: int, kept: Iterable[Kept], books: Books) -> World | None:
    """What the decisions of one version read; None where none was made."""
    decided = [one.body for one in kept if one.body.version == version and one.body.totals is not None]
    events = [event for body in decided if (event := body.event) is not None]
    if not events:
        return None
    members = {event.member for event in events}
    parties = {party for event in events for party in (event.billing_party, event.site) if party}
    return World(books.registry_at(version, members, parties), books.documents(version))


def _recalled(kept: Kept, world: World | None, explain: bool) -> Recalled:
    body, event = kept.body, kept.body.event
    if world is None or event is None or body.totals is None or body.avail is None:
        undone = event is not None and event.kind in UNDOING and kept.status == "posted"
        reason = body.problem.reason if body.problem else ""
        return Recalled(body, UNDONE if undone else Decision(kept.status, reason, EMPTY))
    waiting = Waiting(event, body.received, kept.key, body.answer)
    try:
        at = world.read(waiting)
        totals = dict(zip(at.totals, body.totals, strict=True))
        avail = dict(zip([pot.id for pot in at.pots], body.avail, strict=True))
        if body.agreed:
            at.agreed, at.exact = body.agreed, True
        return Recalled(body, decide(event, at, totals, avail, explain=explain), at)
    except (DrachmError, ValueError) as error:
        where = f"event {event.source}/{event.event_id}"
        raise IntegrityError(f"what was decided cannot be decided again: {error}", where=where) from None
