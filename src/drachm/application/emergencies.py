"""Emergency access as records: taken, each thing that was seen, given back, looked at by somebody else.

What was seen is written down before it is shown, as records that are only added to; whoever was shown something is in
this list.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final

import msgspec

from drachm.application.records import Record, Records
from drachm.domain.coverage.emergency import Emergency, Verdict, given_back, reviewed, taken

KIND: Final = "emergency"
SIGHT: Final = "emergency_sight"


def take(wish: Emergency, name: str, parties: frozenset[str], records: Records) -> Record:
    """Keep it; from now on it holds. `parties`: for whom the person works. Raises as `taken`."""
    body = {"name": name, **msgspec.to_builtins(taken(wish))}
    return records.put(
        [Record(KIND, wish.id, body, 0, parties, terms=_terms(wish), author=wish.subject, at=wish.since)]
    )[0]


def emergency_of(record: Record) -> Emergency:
    """A record as the rules see it."""
    return msgspec.convert(dict(record.body), Emergency)


def holding(id: str, subject: str, at: datetime, records: Records) -> Emergency | None:
    """The person's emergency of this id, if it lets them look now."""
    record = records.get(KIND, id) if id else None
    one = emergency_of(record) if record is not None else None
    return one if one is not None and one.subject == subject and one.holds(at) else None


def saw(emergency: Emergency, id: str, page: str, what: Mapping[str, str], at: datetime, records: Records) -> None:
    """Write down that something is about to be shown: which page, about which ids."""
    body = {"emergency": emergency.id, "page": page, "what": dict(what)}
    terms = frozenset({f"emergency={emergency.id}"})
    records.put([Record(SIGHT, id, body, terms=terms, author=emergency.subject, at=at)])


def sights_of(id: str, records: Records) -> list[Record]:
    """Everything that was seen, in order."""
    found: list[Record] = []
    while page := records.find(SIGHT, after=found[-1].id if found else "", terms=[f"emergency={id}"]):
        found += page
    return found


def give_back(record: Record, at: datetime, records: Records) -> Record:
    """End it before its time."""
    return _written(record, given_back(emergency_of(record), at), emergency_of(record).subject, at, records)


def review(record: Record, by: str, verdict: Verdict, remark: str, at: datetime, records: Records) -> Record:
    """Keep what somebody else thinks of it. Raises as `reviewed`, and Conflict when two look at once."""
    return _written(record, reviewed(emergency_of(record), by, verdict, remark, at), by, at, records)


def unreviewed(records: Records, parties: frozenset[str] | None, after: str = "") -> list[Record]:
    """Those that nobody has looked at, oldest first; a hundred at most."""
    return records.find(KIND, after=after, parties=parties, terms=["review=waiting"])


def _written(record: Record, emergency: Emergency, by: str, at: datetime, records: Records) -> Record:
    body = {**record.body, **msgspec.to_builtins(emergency)}
    return records.put([replace(record, body=body, terms=_terms(emergency), author=by, at=at)])[0]


def _terms(emergency: Emergency) -> frozenset[str]:
    return frozenset({f"review={'done' if emergency.reviewed_at else 'waiting'}", f"subject={emergency.subject}"})
