"""Whom does a journal row concern?

`faces_of` looks at opened bodies and says of each row what lists need: member, provider, payers, visit, day.
`figures.keep_near` keeps them near the journal; of all processes one follows at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Final, NamedTuple

from drachm.application.body import Body, read_body
from drachm.application.handed import Handed
from drachm.application.ports import Books, Stored
from drachm.domain.clearing.register import PartyRecord, Person, Registry
from drachm.domain.coverage.model import NO_PLAN
from drachm.domain.errors import IntegrityError
from drachm.domain.ledger.model import EntryKind
from drachm.domain.periods import local_date

_KIND_OF_ENTRY: Final[Mapping[EntryKind, str]] = {
    EntryKind.CHARGE: "charge",
    EntryKind.REVERSAL: "reversal",
    EntryKind.REPLACEMENT: "replacement",
    EntryKind.HOLD: "hold",
    EntryKind.CAPTURE: "replacement",
    EntryKind.RELEASE: "stop",
    EntryKind.REVISION: "charge",
    EntryKind.TOP_UP: "top_up",
    EntryKind.TRANSFER: "top_up",
    EntryKind.EXPIRY: "top_up",
    EntryKind.NOTE: "charge",
}
"""What an erased row's event most likely was: the row itself says only what it did in the books."""


class Opened(NamedTuple):
    """A row with what stands in the open beside its body."""

    stored: Stored
    body: Body | None
    """None when it was erased, or cannot be read: a list must go on, the audit names such a row."""
    occurred_at: datetime
    owners: Sequence[tuple[str, str]] = ()
    """(kind, owner) of the accounts that it touches; asked only of a row whose body was erased."""
    said: Handed | None = None
    """What the worker that wrote it said of it, where it came from there."""


class Face(NamedTuple):
    """What lists need to know of one row."""

    kind: str
    member: str
    provider: str
    parties: frozenset[str]
    visit: tuple[str, ...]
    """What makes the visit: member and the source's word for it; or the event's own key, where it names none."""
    source: str
    day: date


def faces_of(
    rows: Sequence[Opened], books: Books, before: Callable[[Sequence[int]], Mapping[int, Opened]]
) -> list[Face | None]:
    """The face of each row; None for rows that concern nobody: money moved within a shared fund.

    `before` finds rows by position: what takes the place of another row belongs to its visit and concerns its parties.
    """
    bodies = [row.body for row in rows]
    registries = {version: _registry(version, bodies, books) for version in {one.version for one in bodies if one}}
    faces: list[Face | None] = []
    for row, body in zip(rows, bodies, strict=True):
        if body is None:
            face = _bare(row)
        else:
            face = _face(row.stored, body, registries[body.version], books)
        faces.append(face)
    wanted = sorted(
        {row.stored.supersedes for row, face in zip(rows, faces, strict=True) if face and row.stored.supersedes}
    )
    if not wanted:
        return faces
    # Positions only go down from here, so this ends.
    found = before(wanted)
    targets = dict(zip(found, faces_of(list(found.values()), books, before), strict=True))
    return [_joined(row.stored, face, targets) for row, face in zip(rows, faces, strict=True)]


def opened_body(stored: Stored) -> Body | None:
    """What the row keeps, as `Opened` has it."""
    if not stored.body:
        return None
    try:
        return read_body(stored.body, where=f"position {stored.position}")
    except IntegrityError:
        return None


def _registry(version: int, bodies: Iterable[Body | None], books: Books) -> Registry:
    events = [body.packed for body in bodies if body is not None and body.version == version and body.packed]
    members = {event.member for event in events if event.member}
    parties = {event.billing_party for event in events if event.billing_party}
    if not members and not parties:
        return Registry(books.tenant)
    return books.registry_at(version, members, parties)


def _face(stored: Stored, body: Body, registry: Registry, books: Books) -> Face | None:
    order, event = body.top_up, body.packed
    if order is not None:
        visit = "", stored.key.hex()
        return Face("top_up", order.member, "", frozenset(), visit, order.source, order.at.date())
    if event is None:
        return None
    person, record = registry.people.get(event.member), registry.parties.get(event.billing_party)
    day = local_date(event.started_at, record.party.zone if record else "UTC")
    parties = {event.billing_party, event.site, *_payers(event.started_at, day, person, record, body, books)}
    parties.discard("")
    visit = (event.member, event.visit) if event.visit else ("", stored.key.hex())
    return Face(event.kind, event.member, event.billing_party, frozenset(parties), visit, event.source, day)


def _payers(
    at: datetime, day: date, person: Person | None, record: PartyRecord | None, body: Body, books: Books
) -> set[str]:
    """Every payer that was asked, whether it pays something or not, and whoever answered instead."""
    payers = {body.answer.payer} if body.answer else set()
    if person is None or record is None:
        return payers
    documents = books.documents(body.version)
    for coverage in person.coverages:
        if coverage.plan != NO_PLAN and day in coverage.period:
            plan = documents.plan(coverage.plan, at)
            if plan is not None:
                payers.add(plan.payer)
    return payers


def _bare(row: Opened) -> Face | None:
    """What an erased row still says: dates, and whose accounts it touches."""
    stored = row.stored
    kind = _KIND_OF_ENTRY.get(stored.kind)
    if kind is None:
        return None
    providers = sorted({owner for name, owner in row.owners if name == "provider_payable"})
    payers = {owner for name, owner in row.owners if name == "payer_receivable"}
    parties = frozenset({*providers, *payers})
    return Face(
        kind, "", providers[0] if providers else "", parties, ("", stored.key.hex()), "", row.occurred_at.date()
    )


def _joined(stored: Stored, face: Face | None, targets: Mapping[int, Face | None]) -> Face | None:
    target = targets.get(stored.supersedes) if stored.supersedes else None
    if face is None or target is None:
        return face
    own = face.visit[0] != ""
    # Another provider's charge that took its place is none of the first one's business.
    parties = face.parties | target.parties if face.provider == target.provider else face.parties
    return face._replace(parties=parties, visit=face.visit if own else target.visit)
