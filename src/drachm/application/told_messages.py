"""Which text messages were sent, as staff may see it? The end of the number, and words without the patient's code."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Final, NamedTuple

from drachm.application.records import Record, Records
from drachm.application.text_messages import KIND, MOST, message_id

SHOWN: Final = 500
"""So many are read for one list."""
_LAST_DIGITS: Final = 3
_CODE: Final = re.compile(r"(/s/)\S+")
"""The short link of a receipt, whatever its code looks like."""


class Told(NamedTuple):
    """One message as staff may see it."""

    member: str
    number: str
    """The end of the telephone number only."""
    text: str
    """Without the code of the link, which is the patient's."""
    state: str
    """`waiting`, `sending` (nobody knows whether it went out, and it is never sent again), `sent`, or `unwanted`: the
    patient said so before it went."""
    at: datetime
    """When it came into this state."""
    made: datetime
    not_before: datetime
    tries: int
    """How often it was handed over."""


def told_on(records: Records, day: date, parties: Collection[str] | None) -> list[Told]:
    """The messages of visits of these providers that were made on a day, newest first: the newest `SHOWN` of them.
    None: of all."""
    return _shown(_newest(records, f"day={day.isoformat()}", parties))


def told_of(records: Records, visit: str) -> list[Told]:
    """The messages about one visit, newest first."""
    return _shown([one for nth in range(1, MOST + 1) if (one := records.get(KIND, message_id(visit, nth)))])


def untold(records: Records, state: str, parties: Collection[str] | None) -> list[Told]:
    """The messages in one state, of every day; the newest `SHOWN` of them."""
    return _shown(_newest(records, f"state={state}", parties))


def _newest(records: Records, term: str, parties: Collection[str] | None) -> list[Record]:
    return records.by_time(KIND, newest=True, parties=parties, terms=[term], limit=SHOWN)


def _shown(found: Sequence[Record]) -> list[Told]:
    shown = [
        Told(
            next(iter(one.members), ""),
            _masked(one.body["number"]),
            _CODE.sub(r"\1…", one.body["text"]),
            one.body["state"],
            one.at,
            datetime.fromisoformat(one.body["made"]),
            datetime.fromisoformat(one.body["not_before"]),
            # A version each for made, claimed, and what came of the claim.
            one.version // 2,
        )
        # The content of a message goes with its patient's data.
        for one in found
        if one.body and one.at is not None
    ]
    return sorted(shown, key=lambda one: (one.made, one.number), reverse=True)


def _masked(number: str) -> str:
    return "…" + number[-_LAST_DIGITS:]
