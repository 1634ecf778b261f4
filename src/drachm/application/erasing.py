"""How does a person's wish to be erased become done, or refused with a reason?

A request and what became of it is a record under the operator's own key: it outlives the person's data, because a
house must be able to show that it erased them, and must do it again after a backup was restored. It holds the member's
id, who did what and when. The person's own words, and the words of a refusal, are a record of their own under the
person's key: they go with it. A person has one open request at most.

Erased is in one step (`Books.erase_people`): whoever dies before it has erased nothing, whoever dies after it agrees
once more and changes nothing.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import date, datetime
from hashlib import sha256
from typing import Any, Final

import msgspec

from drachm.application.merges import same_person
from drachm.application.records import Record, Records
from drachm.application.unsettled import InTheWay, Places, in_the_way
from drachm.domain.coverage.erasure import (
    OPEN,
    Erasure,
    Ground,
    agreed,
    erased,
    refused,
    reopened,
    taken_up,
    withdrawn,
)
from drachm.domain.errors import Conflict

KIND: Final = "erasure"
WORDS: Final = "erasure_words"
"""By the id of the request: what was said, under the person's own key."""
OF_MEMBER: Final = "erasure_of"
"""A record for each person names the newest request: so there is one open at most."""
REGISTER: Final = "register of erasures"
"""Beside the member, so that the record is sealed under the operator's own key; nobody's, as no member's id holds a
blank."""


class NotSettled(Conflict):
    """Money or care of the person is still open: nothing was erased."""

    default_next_step = "Settle what is named, then agree again."

    def __init__(self, found: Collection[InTheWay]) -> None:
        words = "money or care of this person is not settled yet"
        super().__init__(words, where="erasure_id", code="not_settled")
        self.found = tuple(found)


def ask(wish: Erasure, words: str, records: Records) -> Record:
    """Keep a request; the same again gives how it stands. Raises Conflict while another of the person is open."""
    known = records.get(KIND, wish.id)
    if known is not None:
        return known
    here = records.get(OF_MEMBER, _of(wish.member))
    newest = records.get(KIND, here.body["erasure"]) if here is not None else None
    if newest is not None and erasure_of(newest).state in OPEN:
        raise _busy()
    said = Record(WORDS, wish.id, {"words": words, "note": ""}, members=frozenset({wish.member}))
    mark = Record(OF_MEMBER, _of(wish.member), {"erasure": wish.id}, here.version if here is not None else 0)
    new = [_record(wish, 0), said, mark]
    try:
        return records.put([replace(one, author=wish.asked_by, at=wish.asked_at) for one in new])[0]
    except Conflict as conflict:
        if conflict.code != "version":
            raise
        raise _busy() from None


def take_up(record: Record, by: str, at: datetime, records: Records) -> Record:
    """Propose to grant it. Raises as `taken_up`."""
    return _written(record, taken_up(erasure_of(record), by, at), by, at, records)


def refuse(
    record: Record, by: str, at: datetime, ground: Ground, until: date | None, note: str, records: Records
) -> Record:
    """Refuse it, with a word to the person. Raises as `refused`."""
    wish = refused(erasure_of(record), by, at, ground, until)
    kept = records.get(WORDS, record.id)
    said = kept or Record(WORDS, record.id, {"words": ""}, members=frozenset({wish.member}))
    said = replace(said, body={**said.body, "note": note}, author=by, at=at)
    return records.put([replace(_record(wish, record.version), author=by, at=at), said])[0]


def withdraw(record: Record, by: str, at: datetime, records: Records) -> Record:
    """Take it back. Raises as `withdrawn`."""
    return _written(record, withdrawn(erasure_of(record), by, at), by, at, records)


def agree(record: Record, by: str, at: datetime, places: Places) -> Record:
    """A second person's consent, and the erasure; once done, how it stands.

    Raises `NotSettled`, and as `agreed`. What was agreed to and not done is done by whoever agrees again.
    """
    wish, records = erasure_of(record), places.records
    if wish.state == "erased":
        return record
    members = same_person(records, wish.member)
    if wish.state != "agreed":
        after = agreed(wish, by, at)
        places.index.follow()
        _ensure_settled(members, places)
        record = _written(record, after, by, at, records)
    try:
        places.desk.books.erase_people(members, lambda: _ensure_settled(members, places))
    except NotSettled:
        # Something came in between: a second person looks once more.
        _written(record, reopened(erasure_of(record)), by, at, records)
        raise
    try:
        return _written(record, erased(erasure_of(record), at), by, at, records)
    except Conflict:
        newest = records.get(KIND, record.id)
        if newest is None or erasure_of(newest).state != "erased":
            raise
        return newest


def words_of(record: Record, records: Records) -> tuple[str, str] | None:
    """What was asked, and what was said to it; None once it was erased."""
    kept = records.get(WORDS, record.id)
    return None if kept is None else (str(kept.body["words"]), str(kept.body["note"]))


def erasure_of(record: Record) -> Erasure:
    """A record as the rules see it."""
    return msgspec.convert(dict(record.body), Erasure)


def _ensure_settled(members: Collection[str], places: Places) -> None:
    found = in_the_way(members, places)
    if found:
        raise NotSettled(found)


def _written(record: Record, wish: Erasure, by: str, at: datetime, records: Records) -> Record:
    return records.put([replace(_record(wish, record.version), author=by, at=at)])[0]


def _record(wish: Erasure, version: int) -> Record:
    body: dict[str, Any] = msgspec.to_builtins(wish)
    members = frozenset({wish.member, REGISTER})
    return Record(KIND, wish.id, body, version, members=members, terms=frozenset({f"state={wish.state}"}))


def _of(member: str) -> str:
    """Names a person, and tells nobody which."""
    return sha256(f"erasure of\0{member}".encode()).hexdigest()[:32]


def _busy() -> Conflict:
    return Conflict(
        "a request for this person is open already",
        where="member_id",
        next_step="Read it, and wait for what becomes of it.",
        code="erasure_open",
    )
