"""Who may see a pocket besides the member who holds it?

The register knows a pocket's member; who funds it, for which family it was opened and who belongs to it stands in
records of their own (`application/households.py`).
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from drachm.adapters.rest.service.call import Call
from drachm.adapters.rest.service.money_shapes import faulty
from drachm.application.households import WALLET, Membership, memberships
from drachm.application.records import Record
from drachm.domain.funding.model import Pot

PREFIX: Final = "wal_"
"""Pockets that were opened here; others were enrolled and have no record."""
_AT_ONCE: Final = 100
_MOST: Final = 10_000


def record_of(call: Call, pot: str) -> Record | None:
    """The record of a pocket; None for one that has none."""
    return call.market.records.get(WALLET, pot) if pot.startswith(PREFIX) else None


def parties_of_pot(call: Call, pot: str) -> frozenset[str]:
    """Who funds a pocket, or the fund that it is a slice of."""
    record = record_of(call, pot.partition("/")[0])
    return record.parties if record is not None else frozenset()


def is_shared(record: Record | None) -> bool:
    """Whether a pocket was opened for several people."""
    return record is not None and bool(record.body.get("slices"))


def members_of(call: Call, record: Record | None) -> frozenset[str]:
    """Members for whom a shared pocket pays now; of the family for whom it was opened, as long as they belong to it."""
    return frozenset(inside(call, record)) if record is not None and is_shared(record) else frozenset()


def inside(call: Call, record: Record) -> dict[str, Membership]:
    """The same with what is known of each."""
    found = {name: one for name, one in memberships(call.market.records, record.id).items() if one.inside}
    family = str(record.body.get("family") or "")
    if any(one.of_family for one in found.values()):
        now = {member.id for member in call.market.register.family(family)} if family else set()
        found = {name: one for name, one in found.items() if not one.of_family or name in now}
    return found


def holder_of(call: Call, pot: str) -> str:
    """Who decides for the others of a shared pocket, and stands for what is paid into it; empty: nobody."""
    record = record_of(call, pot)
    holder = str(record.body.get("holder") or "") if record is not None else ""
    return holder if holder in members_of(call, record) else ""


def refuse_strange_money(call: Call, pot: Pot, pointer: str) -> None:
    """Only the funder adds to a pocket that somebody funds: what is left in it goes back to the funder.

    Raises `invalid_body` at the pointer, also for a pocket whose time is over.
    """
    purpose = pot.purpose
    if purpose is None or not purpose.funder:
        return
    reach = call.reach()
    if not reach.everything and purpose.funder not in reach.parties:
        raise faulty(pointer, "only its funder adds to this pocket; put other money into one of the member's own")
    if purpose.until is not None and call.at >= purpose.until:
        raise faulty(pointer, "the time of this pocket is over; open another one")


def funded_pots(call: Call, parties: Collection[str]) -> list[str]:
    """Pockets that these parties fund; of a shared one its slices too."""
    found: list[str] = []
    after = ""
    while parties and len(found) < _MOST:
        page = call.market.records.find(WALLET, after=after, limit=_AT_ONCE, parties=parties)
        for record in page:
            found.append(record.id)
            found += [f"{record.id}/{number}" for number in range(int(record.body.get("slices", 0)))]
        if len(page) < _AT_ONCE:
            break
        after = page[-1].id
    return found
