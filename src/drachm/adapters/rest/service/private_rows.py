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
from drachm.application.recall import kept_of, recall
from drachm.domain.clearing.line import category_of
from drachm.domain.clearing.privacy import is_marked, is_private

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
        private |= {start for start, one in ahead.items() if _is_private(call, one)}
        waiting = {start: one.by_position for start, one in ahead.items() if start not in private and one.by_position}
        if not waiting:
            break
        found = {one.row.position: one for one in call.market.index.look(list(waiting.values()))}
        ahead = {start: found[position] for start, position in waiting.items() if position in found}
    return frozenset(private)


def _is_private(call: Call, one: Looked) -> bool:
    """Whether a row bears the mark, and the mark holds: a minor's does as far as the law of the place says so."""
    kept = kept_of(one.stored)
    event = kept.body.event if kept is not None else None
    if kept is None or event is None or not is_marked(event):
        return False
    at = recall([kept], call.market.desk.books)[0].at
    if at is None or at.priced is None:
        # It takes back what was marked, or waits.
        return True
    facts = {**at.provider.facts, **(at.site.facts if at.site is not None else {})}
    return is_private(event, at.person.member, category_of(event, at.priced), facts, at.day)
