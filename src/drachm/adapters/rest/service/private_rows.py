"""Which rows of care does a member keep from the relatives who may look?

The mark stands in the sealed body of the row, or of the row that took its place; nothing else tells
(docs/decisions/0024).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from drachm.adapters.rest.identity.decide import Deny, Reach
from drachm.adapters.rest.identity.model import Relation
from drachm.adapters.rest.identity.permit import Denied
from drachm.adapters.rest.service.call import Call
from drachm.application.journal_index import Looked
from drachm.application.recall import kept_of
from drachm.domain.clearing.privacy import is_marked

_STEPS: Final = 100
"""How many times one charge may have been replaced and still be looked through."""


def shown_rows(call: Call, reach: Reach, rows: Sequence[Looked]) -> list[Looked]:
    """The same rows without what their member keeps from this caller."""
    if reach.everything or not reach.members:
        return list(rows)
    others = reach.members - call.caller.tied_to(Relation.SELF, call.at)
    kept = [one for one in rows if one.row.member in others and one.row.parties.isdisjoint(reach.parties)]
    hidden = private_among(call, kept) if kept else frozenset()
    return [one for one in rows if one.row.position not in hidden]


def hide_private(call: Call, reach: Reach, row: Looked) -> None:
    """Raises `Denied`, as for what is not there, for a row that its member keeps from this caller."""
    if not shown_rows(call, reach, [row]):
        raise Denied(Deny("not_found"), call.operation)


def private_among(call: Call, rows: Sequence[Looked]) -> frozenset[int]:
    """Positions of the rows that are private, or have become so."""
    private: set[int] = set()
    ahead = {one.row.position: one for one in rows}
    for _ in range(_STEPS):
        private |= {start for start, one in ahead.items() if _is_marked(one)}
        waiting = {start: one.by_position for start, one in ahead.items() if start not in private and one.by_position}
        if not waiting:
            break
        found = {one.row.position: one for one in call.market.index.look(list(waiting.values()))}
        ahead = {start: found[position] for start, position in waiting.items() if position in found}
    return frozenset(private)


def _is_marked(one: Looked) -> bool:
    kept = kept_of(one.stored)
    return kept is not None and kept.body.event is not None and is_marked(kept.body.event)
