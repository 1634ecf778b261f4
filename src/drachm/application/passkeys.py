"""Whose passkey is it, what does it open, and until when?

A passkey is a short way in between two sign-ins with the clinic's account: it opens what the account gave last, and no
longer than a month after it. So who leaves the clinic, or loses a role there, loses it here without anybody's doing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from drachm.application.records import Record, Records
from drachm.domain.errors import Conflict, Forbidden

KIND: Final = "passkey"
OF_PATIENTS: Final = "patient_passkey"
"""Those of patients prove who is there, and open nothing by themselves; so neither kind is ever taken for the other."""
HOLDS: Final = timedelta(days=30)
"""So long after the latest sign-in with the account."""
CHALLENGE_LIFE: Final = timedelta(minutes=30)
MOST: Final = 10
"""Passkeys of one person."""
_TRIES: Final = 4


@dataclass(frozen=True, slots=True)
class Rights:
    """What the account gave when the person signed in with it last."""

    roles: Collection[str]
    parties: Collection[str]
    scopes: Collection[str]

    def plain(self) -> dict[str, list[str]]:
        """For a record."""
        return {"roles": sorted(self.roles), "parties": sorted(self.parties), "scopes": sorted(self.scopes)}


@dataclass(frozen=True, slots=True)
class NewPasskey:
    """A passkey that a browser just made. Bytes are hexadecimal text."""

    id: str
    subject: str
    name: str
    """Of the person, as pages show it."""
    label: str
    credential: str
    public_key: str
    count: int


def add(new: NewPasskey, rights: Rights, at: datetime, records: Records, kind: str = KIND) -> Record:
    """Keep it. Raises Conflict for a passkey that is here, and when the person has too many."""
    if len(passkeys_of(new.subject, records, kind)) >= MOST:
        raise Conflict("this person has ten passkeys already", next_step="End one that is not used any more.")
    body = {
        "subject": new.subject,
        "name": new.name,
        "label": new.label,
        "credential": new.credential,
        "public_key": new.public_key,
        "count": new.count,
        "made_at": at.isoformat(),
        "renewed_at": at.isoformat(),
        "used_at": None,
        "ended_at": None,
        "spent": [],
        **rights.plain(),
    }
    return records.put([Record(kind, new.id, body, terms=_terms(new.subject), author=new.subject, at=at)])[0]


def passkeys_of(subject: str, records: Records, kind: str = KIND) -> list[Record]:
    """The person's passkeys that are not ended."""
    found = records.find(kind, terms=[*_terms(subject)])
    return [one for one in found if one.body["ended_at"] is None]


def every_passkey(records: Records, after: str = "") -> list[Record]:
    """A page of everybody's, in order of id."""
    return records.find(KIND, after=after)


def holds(record: Record, at: datetime) -> bool:
    """Whether it opens anything at that moment."""
    return record.body["ended_at"] is None and at < ends(record)


def ends(record: Record) -> datetime:
    """When it opens nothing any more unless the account is used before."""
    return datetime.fromisoformat(record.body["renewed_at"]) + HOLDS


def used(record: Record, challenge: bytes, count: int, at: datetime, records: Records) -> Record:
    """Write down that it was used for this challenge. Raises Forbidden when it does not hold, or the challenge was
    used before: of an answer that is sent twice, the second opens nothing."""
    mark = hashlib.sha256(challenge).hexdigest()
    for _ in range(_TRIES):
        spent = [one for one in record.body["spent"] if at - datetime.fromisoformat(one[1]) < 2 * CHALLENGE_LIFE]
        if not holds(record, at) or mark in [one[0] for one in spent]:
            break
        body = {**record.body, "count": count, "used_at": at.isoformat(), "spent": [*spent, [mark, at.isoformat()]]}
        try:
            return records.put([replace(record, body=body, at=at)])[0]
        except Conflict:
            newest = records.get(record.kind, record.id)
            if newest is None:
                break
            record = newest
    raise Forbidden("this passkey opens nothing here", where="passkey")


def rename(record: Record, label: str, at: datetime, records: Records) -> Record:
    """What its person calls it."""
    return _changed(record, {"label": label}, at, records)


def renew(subject: str, rights: Rights, at: datetime, records: Records, kind: str = KIND) -> None:
    """The person signed in with the account: from now on their passkeys open what it gave this time."""
    for record in passkeys_of(subject, records, kind):
        _changed(record, {**rights.plain(), "renewed_at": at.isoformat()}, at, records)


def end(record: Record, by: str, at: datetime, records: Records) -> Record:
    """It opens nothing any more, and is found only by its id."""
    return _changed(replace(record, terms=frozenset()), {"ended_at": at.isoformat(), "ended_by": by}, at, records)


def _changed(record: Record, changes: Mapping[str, Any], at: datetime, records: Records) -> Record:
    for _ in range(_TRIES):
        if record.body["ended_at"] is not None:
            return record
        try:
            return records.put([replace(record, body={**record.body, **changes}, at=at)])[0]
        except Conflict:
            newest = records.get(record.kind, record.id) or record
            record = replace(newest, terms=record.terms)
    raise Conflict("this passkey is used at the same moment", next_step="Try again.")


def _terms(subject: str) -> frozenset[str]:
    return frozenset({f"subject={subject}"})
