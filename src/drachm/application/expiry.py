"""What becomes of money that nobody used in time?

Its end was fixed when its pot was opened, so there is nothing to decide: what is left goes back to the account of the
funder, in one journal row. What comes back to such a pot later, because care was reversed, goes the same way a day
later: a pot is swept once on each day of UTC, whoever runs and how often.
"""

from __future__ import annotations

import logging
import threading
from functools import partial
from typing import Final

import msgspec

from drachm.application.body import Body
from drachm.application.desk import Desk, tried
from drachm.application.over_and_over import over_and_over
from drachm.application.ports import Posting
from drachm.application.rows import SALT_BYTES, row_of
from drachm.domain.clearing.world import Needs
from drachm.domain.funding.model import Pot
from drachm.domain.ledger.model import Account, Entry, EntryKind, Source, journal_entry
from drachm.domain.transparency.leaf import event_key

KEYS: Final = "drachm-expiry"
"""The source in the keys of these rows. No event has it, because none has a blank."""
SWEEP_SECONDS: Final = 60.0
_PAGE: Final = 100

_log = logging.getLogger("drachm.expiry")


def sweep_expired(desk: Desk) -> int:
    """Give back what is left in every pot that has closed by now; how many were swept. Safe to run side by side."""
    count, after, now = 0, "", desk.clock.now()
    while pots := desk.books.expired(now, after=after, limit=_PAGE):
        for pot in pots:
            count += tried(partial(_give_back, pot, desk))
        after = pots[-1].id
    return count


def keep_sweeping(desk: Desk, stopping: threading.Event, *, pause: float = SWEEP_SECONDS) -> None:
    """Sweep again and again until `stopping` is set."""

    def look() -> float:
        sweep_expired(desk)
        return pause

    over_and_over(look, stopping, _log, "expired pots wait", broken=pause)


def _give_back(pot: Pot, desk: Desk) -> bool:
    purpose, now = pot.purpose, desk.clock.now()
    if purpose is None or purpose.closes is None or now < purpose.closes:
        return False
    with desk.books.work() as work:
        locked = work.lock(Needs(frozenset(), frozenset((pot.id,))), 1)
        left = locked.avail.get(pot.id, 0)
        # Asked under the lock: whoever swept this pot before has committed.
        key = event_key(work.tenant, f"{KEYS} {now.date().isoformat()}", pot.id)
        if left <= 0 or work.newest([key]):
            return False
        entries = (
            Entry(Account("wallet", pot.id, pot.currency), left, Source.WALLET),
            Entry(Account("funder_payable", purpose.funder, pot.currency), -left, Source.WALLET),
        )
        salt = desk.ids.random_bytes(SALT_BYTES)
        row = row_of(
            work.tenant,
            position=locked.first_position,
            key=key,
            entry=journal_entry(EntryKind.EXPIRY, entries),
            currency=pot.currency,
            member=pot.member,
            occurred_at=purpose.closes,
            posted_at=now,
            salt=salt,
            body=msgspec.msgpack.encode(Body(now, salt, 0)),
            after=((pot.id, 0),),
        )
        work.post(Posting([row], {}, {pot.id: -left}, {}))
        work.commit()
        return True
