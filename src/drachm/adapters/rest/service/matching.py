"""One person, one record: find who is meant, show who may be there twice, join and part."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Final, Literal

from msgspec import Meta, field

from drachm.adapters.rest.service.call import Call, operation
from drachm.adapters.rest.service.members import FullName, Identifier, Sex
from drachm.adapters.rest.service.register_shapes import (
    after,
    alone,
    day_of,
)
from drachm.adapters.rest.service.shapes import Day, Page, Shape, View, Word
from drachm.adapters.rest.transport.values import write_instant
from drachm.application.merges import Wish, merge, split
from drachm.application.people import duplicates, match
from drachm.application.records import Record
from drachm.domain.coverage.matching import Described, Likeness
from drachm.domain.errors import Conflict

TRIES: Final = 5


class Description(Shape):
    """What the person at the desk says, or the card shows."""

    name: FullName | None = None
    birth_date: Day | None = None
    sex: Sex = ""
    identifiers: Annotated[list[Identifier], Meta(max_length=20)] = field(default_factory=list)


class MatchView(View):
    """Who it is; nothing of the person but the member id."""

    outcome: Literal["found", "nobody", "several", "too_little"]
    """`too_little`: an identifier with a name or birth date, or both names with the birth date, are needed."""
    member: str | None
    score: int | None
    evidence: dict[str, str]
    """What was compared, and how alike it is: `equal`, `close` or `different`."""


class PairView(View):
    """Two members who may be one person."""

    member: str
    other: str
    score: int
    evidence: dict[str, str]


class MergeWish(Shape):
    """Treat `member` as `into` from now on."""

    member: Word
    into: Word
    """The record that goes on: the one under which most of the year was cleared. Covers and pockets move to it; what a
    plan has counted so far, such as a deductible met, stays with the record under which it was counted."""


class SplitWish(Shape):
    """Part the member of the path again from `from_member`."""

    from_member: Word


class MergeView(View):
    """A merge, and what it moved in the register. No row of the journal is touched."""

    member: str
    into: str
    state: Literal["merged", "split"]
    changed_at: str
    coverages: list[str]
    pots: list[str]


@operation("match_member", body=Description, answer=MatchView)
def match_member(call: Call) -> MatchView:
    """The one member who fits."""
    call.permit(call.resource())
    body: Description = call.body
    name = body.name or FullName()
    wanted = Described(
        name.family,
        name.given,
        day_of(body.birth_date, "/birth_date"),
        body.sex,
        frozenset((one.system, one.value) for one in body.identifiers),
    )
    found = match(call.market.records, wanted)
    return MatchView(
        outcome=found.outcome,
        member=found.id or None,
        score=found.likeness.score if found.likeness else None,
        evidence=_evidence(found.likeness),
    )


@operation(
    "list_duplicates", answer=Page[PairView], query={"cursor": "Where to go on.", "limit": "Profiles to look at."}
)
def list_duplicates(call: Call) -> Page[PairView]:
    """Pairs of the next profiles; a page may be empty and yet not be the last."""
    call.permit(call.resource())
    pairs, last = duplicates(call.market.records, after=after(call), limit=call.limit())
    views = [
        PairView(member=pair.member, other=pair.other, score=pair.likeness.score, evidence=_evidence(pair.likeness))
        for pair in pairs
    ]
    return Page(data=views, next=call.cursor([last]) if last else None)


@operation("merge_members", body=MergeWish, answer=MergeView)
@alone
def merge_members(call: Call) -> MergeView:
    """Treat two members as one from now on. Raises Conflict when they are one already."""
    call.permit(call.resource())
    return _view(_changed(call, merge, call.body.member, call.body.into))


@operation("split_member", body=SplitWish, answer=MergeView)
@alone
def split_member(call: Call) -> MergeView:
    """Undo a merge. Raises Conflict when none holds."""
    member = call.path["member_id"]
    found = call.market.register.members(ids=[member])
    call.permit(call.resource(member, members=frozenset({member})) if found else None)
    return _view(_changed(call, split, member, call.body.from_member))


def _changed(call: Call, change: Callable[..., Record], member: str, into: str) -> Record:
    market, wish = call.market, Wish(member, into, call.caller.subject, call.at)
    for again in range(TRIES):
        try:
            return change(wish, market.records, market.register, market.desk.books)
        except Conflict as conflict:
            # Somebody merged or split others at the same moment.
            if conflict.code != "version" or again == TRIES - 1:
                raise
    raise AssertionError


def _view(record: Record) -> MergeView:
    body = record.body
    return MergeView(
        member=record.id,
        into=body["into"],
        state=body["state"],
        changed_at=write_instant(record.at) if record.at else "",
        coverages=[one["id"] for one in body["coverages"]],
        pots=list(body["pots"]),
    )


def _evidence(alike: Likeness | None) -> dict[str, str]:
    return {what: str(grade) for what, grade in alike.evidence.items()} if alike else {}
