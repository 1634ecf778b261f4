"""Who may look at whose records, since when and until when?

A tie is a record like others: it has versions, so who allowed it and who took it back is kept, and it is sealed under
the key of its member, so erasing the member ends it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, Literal

from drachm.application.records import Record, Records

KIND: Final = "member_tie"
PAGE: Final = 100

Relation = Literal["self", "relative"]


@dataclass(frozen=True, slots=True)
class Tie:
    """Somebody who logs in is this member, or was let in by this member."""

    id: str
    subject: str
    """Stable name of the person: token issuer and subject, as `GET /v1/me` shows it."""
    member: str
    relation: Relation
    valid_from: datetime
    valid_until: datetime | None
    allowed_by: str
    revoked_at: datetime | None = None
    version: int = 0

    def has_ended(self, at: datetime) -> bool:
        """Revoked, or over."""
        return any(end is not None and end <= at for end in (self.valid_until, self.revoked_at))


def ties_of(records: Records, subject: str) -> list[Tie]:
    """Every tie of a person, ended ones too."""
    return _all(records, terms=[_term(subject)])


def ties_to(records: Records, member: str) -> list[Tie]:
    """Every tie to a member, ended ones too."""
    return _all(records, members=[member])


def find_tie(records: Records, id: str) -> Tie | None:
    """One tie by its id."""
    record = records.get(KIND, id)
    return None if record is None else _tie(record)


def allow(records: Records, tie: Tie) -> Tie:
    """Keep a new tie; it takes the place of those that the same person has to this member.

    Raises Conflict when its id is taken, or one of those was changed meanwhile.
    """
    ended = [_ended(one, tie.valid_from) for one in _holding(records, tie, tie.valid_from)]
    changes = [_record(one, tie.allowed_by, tie.valid_from) for one in [*ended, tie]]
    return _tie(records.put(changes)[-1])


def revoke(records: Records, tie: Tie, by: str, at: datetime) -> Tie:
    """End a tie now, and whatever else ties this person to the member in the same way.

    One that was revoked stays as it is. Raises Conflict when one of them was changed meanwhile.
    """
    changes = [_record(_ended(one, at), by, at) for one in _holding(records, tie, at)]
    kept = {record.id: record for record in records.put(changes)} if changes else {}
    return _tie(kept[tie.id]) if tie.id in kept else tie


def _holding(records: Records, tie: Tie, at: datetime) -> list[Tie]:
    """Ties of the same person to the same member that have not ended."""
    return [
        one
        for one in ties_of(records, tie.subject)
        if (one.member, one.relation) == (tie.member, tie.relation) and not one.has_ended(at)
    ]


def _ended(tie: Tie, at: datetime) -> Tie:
    return replace(tie, revoked_at=at)


def _record(tie: Tie, author: str, at: datetime) -> Record:
    body: dict[str, Any] = {
        "subject": tie.subject,
        "relation": tie.relation,
        "valid_from": tie.valid_from.isoformat(),
        "valid_until": tie.valid_until and tie.valid_until.isoformat(),
        "allowed_by": tie.allowed_by,
        "revoked_at": tie.revoked_at and tie.revoked_at.isoformat(),
    }
    terms = frozenset({_term(tie.subject)})
    return Record(KIND, tie.id, body, tie.version, members=frozenset({tie.member}), terms=terms, author=author, at=at)


def _all(records: Records, **wanted: Any) -> list[Tie]:
    found: list[Tie] = []
    after = ""
    while True:
        page = records.find(KIND, after=after, limit=PAGE, **wanted)
        found += [_tie(record) for record in page]
        if len(page) < PAGE:
            return found
        after = page[-1].id


def _term(subject: str) -> str:
    return f"subject={subject}"


def _tie(record: Record) -> Tie:
    said = record.body
    (member,) = record.members
    return Tie(
        record.id,
        said["subject"],
        member,
        said["relation"],
        datetime.fromisoformat(said["valid_from"]),
        _moment(said["valid_until"]),
        said["allowed_by"],
        _moment(said["revoked_at"]),
        record.version,
    )


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
