"""Two members turned out to be one person: who is meant from now on?

A merge is a record. No journal row changes: what was posted under either stays there, and its receipts, and the totals
of a plan year that it moved. From then on an event that names the one is cleared as the other's, whose cover and
pockets both now are; a split ends that. What the register moved is written down in the merge, so that a split can move
it back.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from drachm.application.ports import Books
from drachm.application.records import Record, Records
from drachm.application.register import Register
from drachm.domain.coverage.model import Coverage
from drachm.domain.errors import Conflict

MERGE: Final = "merge"
"""Kind of record; its id is the member who is known as another."""
PROFILE: Final = "member_profile"
TURN: Final = "merge_turn"
"""One record that every merge and split rewrites: two at once cannot make a circle."""
STEPS_MAX: Final = 32


@dataclass(frozen=True, slots=True)
class Wish:
    """Treat `member` as `into` from now on."""

    member: str
    into: str
    author: str
    at: datetime


def canonical(records: Records, member: str) -> str:
    """As whom a member is known now: through every merge that holds."""
    for _ in range(STEPS_MAX):
        into = _into(records.get(MERGE, member))
        if not into:
            break
        member = into
    return member


def same_person(records: Records, member: str) -> frozenset[str]:
    """Every member id that is this person now, the given one among them."""
    found = {canonical(records, member)}
    waiting = list(found)
    while waiting and len(found) < STEPS_MAX:
        for merge in records.find(MERGE, terms=[f"into={waiting.pop()}"]):
            if merge.id not in found and _into(merge):
                found.add(merge.id)
                waiting.append(merge.id)
    return frozenset(found | {member})


def merge(wish: Wish, records: Records, register: Register, books: Books) -> Record:
    """Treat two members as one from now on. Raises Conflict when they are one already, or either is not here.

    Coverages and pots of the one become the other's, where they do not meet one of the other's under the same plan.
    """
    member, into = canonical(records, wish.member), canonical(records, wish.into)
    here = {one.id: one for one in register.members(ids=[member, into])}
    if len(here) < 2:
        message = "these two are one person already" if member == into else "there is no such member"
        raise Conflict(message, where="$.member", next_step="Name two members who are here.")
    turn = records.get(TURN, "all") or Record(TURN, "all", {})
    before = records.get(MERGE, member) or Record(MERGE, member, {})
    coverages = _moved(register.coverages(of=member), register.coverages(of=into))
    pots = register.pots(member)
    parties = _shared(records, member, into)
    body = {
        "into": into,
        "ever": sorted({*before.body.get("ever", ()), into}),
        "state": "merged",
        "merged_at": wish.at.isoformat(),
        "merged_by": wish.author,
        "coverages": [{"id": one.id, "rank": old.rank} for old, one in coverages],
        "pots": [one.id for one in pots],
        "parties": sorted(parties),
    }
    kept = replace(
        before, body=body, members=frozenset({member, into}), terms=frozenset({f"into={into}"}), author=wish.author
    )
    written = records.put([kept, replace(turn, body={"turns": turn.version + 1}, author=wish.author)])
    _share(records, into, parties, wish.author)
    if coverages or pots:
        moved = [replace(one, member=into) for _, one in coverages]
        books.enrol(coverages=moved, pots=[one._replace(member=into) for one in pots])
    return written[0]


def split(wish: Wish, records: Records, register: Register, books: Books) -> Record:
    """Undo the merge of `wish.member` into `wish.into`. Raises Conflict when there is none that holds.

    What was cleared while they were one stays where it was posted: it is corrected event by event, if at all.
    """
    before = records.get(MERGE, wish.member)
    if before is None or _into(before) != wish.into:
        raise Conflict(
            "no such merge holds", where="$.from", next_step="Read the member to see as whom it is known now."
        )
    holder = canonical(records, wish.member)
    turn = records.get(TURN, "all") or Record(TURN, "all", {})
    body = {**before.body, "state": "split", "split_at": wish.at.isoformat(), "split_by": wish.author}
    kept = replace(before, body=body, author=wish.author)
    written = records.put([kept, replace(turn, body={"turns": turn.version + 1}, author=wish.author)])
    _unshare(records, wish.into, frozenset(body["parties"]), wish.author)
    ranks = {one["id"]: one["rank"] for one in body["coverages"]}
    coverages = [
        replace(one, member=wish.member, rank=ranks[one.id])
        for one in (register.coverages(ids=list(ranks)) if ranks else ())
        if one.member == holder
    ]
    pots = [one._replace(member=wish.member) for one in register.pots(holder) if one.id in body["pots"]]
    if coverages or pots:
        books.enrol(coverages=coverages, pots=pots)
    return written[0]


def _into(merge: Record | None) -> str:
    """Into whom a merge that holds leads; empty when none does."""
    return str(merge.body["into"]) if merge is not None and merge.body.get("state") == "merged" else ""


def _moved(theirs: list[Coverage], ours: list[Coverage]) -> list[tuple[Coverage, Coverage]]:
    """Coverages to move, as they are and with the rank they get; one under the same plan on the same days stays."""
    moved: list[tuple[Coverage, Coverage]] = []
    stack = list(ours)
    for one in sorted(theirs, key=lambda each: (each.rank, each.id)):
        beside = [other for other in stack if other.period.overlaps(one.period)]
        if any(other.plan == one.plan for other in beside):
            continue
        ranks = {other.rank for other in beside}
        rank = one.rank if one.rank not in ranks else max(ranks) + 1
        moved.append((one, replace(one, rank=rank)))
        stack.append(moved[-1][1])
    return moved


def _shared(records: Records, member: str, into: str) -> frozenset[str]:
    """Parties of the one's profile that were not the other's: they have to do with the other from now on."""
    one, other = records.get(PROFILE, member), records.get(PROFILE, into)
    return (one.parties if one else frozenset()) - (other.parties if other else frozenset())


def _share(records: Records, member: str, parties: frozenset[str], author: str) -> None:
    profile = records.get(PROFILE, member) or Record(PROFILE, member, {}, members=frozenset({member}))
    if parties:
        records.put([replace(profile, parties=profile.parties | parties, author=author)])


def _unshare(records: Records, member: str, parties: frozenset[str], author: str) -> None:
    profile = records.get(PROFILE, member)
    if parties and profile is not None:
        records.put([replace(profile, parties=profile.parties - parties, author=author)])
