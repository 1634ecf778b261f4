"""A member keeps care private that was posted before: what others paid for it goes back, and is taken from own pockets.

It is a further revision of the same event, so the one posting mechanism posts the difference, the event keeps its key,
and whatever its sender posts later about it still finds it (docs/decisions/0024).
"""

from __future__ import annotations

from dataclasses import replace

from drachm.application.body import read_body
from drachm.application.clear_events import clear_batch
from drachm.application.desk import Desk
from drachm.application.first_answers import Outcome, waiting_of
from drachm.application.ports import Stored
from drachm.domain.clearing.clear import UNDOING
from drachm.domain.clearing.privacy import is_marked, marked
from drachm.domain.errors import Conflict


def keep_private(stored: Stored, desk: Desk) -> Outcome:
    """Post the newest row of an event again as a private one; done already, it changes nothing.

    Raises `Conflict` for what cannot be kept private any more: a request in flight, what was taken back or replaced.
    """
    waiting = next(iter(waiting_of([stored])), None)
    if (
        waiting is None
        or stored.superseded
        or waiting.event.kind in UNDOING
        or stored.status not in ("posted", "denied")
    ):
        raise Conflict("nothing stands in the books that could be kept private", where="charge")
    if waiting.event.kind == "hold":
        raise Conflict(
            "a request is not kept private while it is in flight",
            where="charge",
            next_step="Ask who sent it to stop it, and to ask again as private.",
        )
    outcome = clear_batch([replace(waiting, event=marked(waiting.event))], desk, revise=True)[0]
    if not _is_kept(outcome):
        # Its sender replaced it, or took it back, at the same moment.
        raise Conflict("this charge has just changed", where="charge", next_step="Look at it again, then decide.")
    if outcome.status not in ("posted", "denied"):
        raise Conflict(
            "this charge cannot be decided anew at the moment",
            where="charge",
            next_step="Try again; nothing was changed.",
        )
    return outcome


def _is_kept(outcome: Outcome) -> bool:
    if not outcome.duplicate:
        return True
    event = read_body(outcome.body, where="charge").event if outcome.body else None
    return event is not None and is_marked(event)
