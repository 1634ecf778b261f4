"""What does each who looks into a pocket learn of the care it paid for?

Amount and date, and who: each member of a family sees itself, its holder and funder see everybody, a helper nobody.
Never what the care was, nor where, unless that member lets them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from drachm.adapters.rest.identity.decide import Reach
from drachm.adapters.rest.identity.model import Relation
from drachm.adapters.rest.service.accounts import WITH_RECEIPT
from drachm.adapters.rest.service.call import Call
from drachm.adapters.rest.service.private_rows import private_among
from drachm.adapters.rest.service.shapes import View
from drachm.adapters.rest.service.wallet_members import sees_all
from drachm.adapters.rest.service.wallet_records import inside, is_shared
from drachm.application.households import Membership, memberships
from drachm.application.money_reading import Movement
from drachm.application.recall import kept_of
from drachm.application.records import Record
from drachm.domain.clearing.numbers import patient_number
from drachm.domain.funding.model import Pot


class CareShown(View):
    """What a member lets the payer see."""

    service: str
    """In plain words, or the code where there are none."""
    provider: str
    """Name of who gave it."""


@dataclass(frozen=True, slots=True)
class Seen:
    """How one caller sees the entries of one pocket."""

    call: Call
    reach: Reach
    accounts: Collection[int]
    shared: bool
    people: Mapping[int, Membership] = field(default_factory=dict)
    """By number, those whose names this caller is told."""
    whole: bool = False
    """The caller sees what everybody does with it."""

    def names(self, one: Movement) -> str | None:
        """For whose care an entry is."""
        known = self.people.get(one.patient)
        if known is None or one.kind not in WITH_RECEIPT:
            return None
        return known.member if not self.whole or not known.unheard(one.occurred_at.date()) else None

    def care(self, one: Movement) -> CareShown | None:
        """What the care was and where, if its member shares that."""
        known = self.people.get(one.patient)
        if not self.whole or known is None or not known.shares or self.names(one) is None:
            return None
        stored = self.call.market.money.newest([one.key]).get(one.key)
        kept = kept_of(stored) if stored is not None else None
        event = kept.body.event if kept is not None else None
        if event is None:
            return None
        found = self.call.market.register.parties(ids=[event.billing_party])
        return CareShown(
            service=event.display or f"{event.code.system} {event.code.value}",
            provider=found[0].name if found else event.billing_party,
        )

    def hidden(self, found: Sequence[Movement]) -> Collection[int]:
        """Positions of entries that are left out."""
        of_care = {one.position for one in found if one.kind in WITH_RECEIPT}
        if self.reach.everything or not of_care:
            return ()
        if self.shared:
            return self.call.market.money.undone(of_care, self.accounts)
        if self.reach.members & self.call.caller.tied_to(Relation.SELF, self.call.at):
            return ()
        # Relatives, and whoever funds one member's own pocket.
        return private_among(self.call, self.call.market.index.look(sorted(of_care)))


def seen_by(call: Call, reach: Reach, record: Record | None, pot: Pot, accounts: Collection[int]) -> Seen:
    """How this caller sees the entries of this pocket."""
    if record is None or not is_shared(record):
        return Seen(call, reach, accounts, shared=False)
    known = memberships(call.market.records, record.id)
    funder = reach.everything or bool(record.parties & reach.parties)
    whole = sees_all(funder, record, reach.members, frozenset(inside(call, record)))
    told = known if whole else {name: one for name, one in known.items() if name in reach.members}
    tenant = call.market.desk.books.tenant
    people = {patient_number(tenant, name): one for name, one in told.items()}
    return Seen(call, reach, accounts, shared=True, people=people, whole=whole)
