"""What does each event of a batch find, when the events before it have already moved the totals?

`Registry` is what the shell read for the batch; `World` is the batch's own state: totals and pots under lock, moved
forward event by event, so that the second visit of a morning sees the deductible the first one used.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from drachm.domain.benefits.model import Key
from drachm.domain.clearing.clear import REFERRING, UNDOING, check_target, filled, unwound
from drachm.domain.clearing.documents import Documents
from drachm.domain.clearing.model import Answer, Clearing, Cover, Snapshot, Target
from drachm.domain.coverage.facts import in_force
from drachm.domain.coverage.model import NO_PLAN, Contract, Coverage, Member, Party
from drachm.domain.errors import Pended, ensure
from drachm.domain.events.model import ServiceEvent
from drachm.domain.funding.model import Pot
from drachm.domain.periods import local_date
from drachm.domain.transparency.leaf import event_key

ANY_PAYER = "*"
"""A contract with this payer holds for every payer that has none of its own."""


@dataclass(frozen=True, slots=True)
class Registry:
    """What one batch needs from the books, read once. Absent ids are simply not in the mappings."""

    tenant: int
    members: Mapping[str, Member] = field(default_factory=dict)
    coverages: Mapping[str, tuple[Coverage, ...]] = field(default_factory=dict)
    """By member."""
    parties: Mapping[str, Party] = field(default_factory=dict)
    contracts: Mapping[str, tuple[Contract, ...]] = field(default_factory=dict)
    """By provider."""
    pots: Mapping[str, tuple[Pot, ...]] = field(default_factory=dict)
    """By member; what they may spend is read under lock, not here."""
    targets: Mapping[bytes, Target] = field(default_factory=dict)
    """By event key: the newest posted row of every event that the batch refers to."""


@dataclass(frozen=True, slots=True)
class Needs:
    """What must be locked and read before the batch is decided."""

    keys: frozenset[Key]
    pots: frozenset[str]


@dataclass(frozen=True, slots=True)
class Waiting:
    """One event of the batch with what accompanies it."""

    event: ServiceEvent
    received: datetime
    key: bytes
    """`event_key` of the event."""
    content: bytes
    """The event's fingerprint."""
    answer: Answer | None = None
    own: Target | None = None
    """The event's earlier posted revision, when this is a further one."""
    revision: int = 0


class World:
    """The batch's view; `at` reads, `advance` moves it forward."""

    def __init__(self, registry: Registry, documents: Documents) -> None:
        self._registry = registry
        self._documents = documents
        self._totals: dict[Key, int] = {}
        self._avail: dict[str, int] = {}
        self._targets = dict(registry.targets)
        self._gathered: dict[bytes, Snapshot] = {}

    def knows(self, member: str) -> bool:
        """Whether this member is registered: then what is kept of an event is kept under the member's own key."""
        return member in self._registry.members

    def needs(self, batch: Iterable[Waiting]) -> Needs:
        """Every total and pot that the batch may read or write; events that cannot be decided need nothing."""
        keys: set[Key] = set()
        pots: set[str] = set()
        for waiting in batch:
            try:
                at = self._gather(waiting)
                if waiting.event.kind not in UNDOING:
                    asked = self._documents.asked(waiting.event, at)
                    keys |= self._documents.keys(asked, at)
                    at = at.asking(asked)
                if waiting.event.kind not in REFERRING:
                    # Nothing that this event finds, but totals and pots, can change before its turn.
                    self._gathered[waiting.key] = at
            except Pended:
                continue
            pots.update([pot.id for pot in at.pots])
            if at.target is not None:
                keys.update(key for key, _ in at.target.standing.deltas)
                pots.update(leg.lot for leg in at.target.standing.legs)
        return Needs(frozenset(keys), frozenset(pots))

    def load(self, totals: Mapping[Key, int], avail: Mapping[str, int]) -> None:
        """Take what was read under lock: running totals (absent: 0) and what each pot may spend."""
        self._totals = dict(totals)
        self._avail = dict(avail)

    def at(self, waiting: Waiting) -> Snapshot:
        """What this event finds now. Raises `Pended` or `Refused` when it finds too little."""
        found = self._gathered.pop(waiting.key, None) or self._gather(waiting)
        check_target(waiting.event, found.target)
        totals: Mapping[Key, int] = self._totals
        pots = tuple([filled(pot, self._avail.get(pot.id, 0)) for pot in found.pots])
        if found.target is not None:
            pots, totals = unwound(pots, self._totals, found.target.standing)
        return found.standing_at(totals, pots)

    def advance(self, waiting: Waiting, clearing: Clearing, *, position: int) -> tuple[tuple[str, int], ...]:
        """Move totals and pots by what was decided; returns each touched pot with what it may spend afterwards."""
        for key, delta in clearing.deltas:
            self._totals[key] = self._totals.get(key, 0) + delta
        after = []
        for pot, move in clearing.moves:
            self._avail[pot] = self._avail.get(pot, 0) + move
            ensure(self._avail[pot] >= 0, "a pot fell below its floor", where=f"pot {pot}")
            after.append((pot, self._avail[pot]))
        event = waiting.event
        if event.kind in REFERRING:
            target = self._targets[self._key(event, event.replaces)]
            self._targets[target.key] = replace(target, superseded=True)
        self._targets[waiting.key] = Target(
            key=waiting.key,
            revision=waiting.revision,
            position=position,
            kind=clearing.entry.kind,
            standing=clearing.standing,
            member=event.member,
            billing_party=event.billing_party,
        )
        return tuple(after)

    def _key(self, event: ServiceEvent, event_id: str) -> bytes:
        return event_key(self._registry.tenant, event.source, event_id)

    def _gather(self, waiting: Waiting) -> Snapshot:
        event = waiting.event
        registry = self._registry
        member = registry.members.get(event.member)
        if member is None:
            raise Pended("unknown_member", "no such member", where="member")
        provider = registry.parties.get(event.billing_party)
        if provider is None:
            raise Pended("unknown_provider", "no such party", where="billing_party")
        day = local_date(event.started_at, provider.zone)
        covers: tuple[Cover, ...] = ()
        contract = None
        if event.kind not in UNDOING:
            covers = self._covers(event, day)
            contract = _contract(registry.contracts.get(provider.id, ()), covers, day)
        return Snapshot(
            member=member,
            provider=provider,
            site=registry.parties.get(event.site),
            contract=contract,
            covers=covers,
            day=day,
            received=waiting.received,
            totals={},
            pots=registry.pots.get(event.member, ()),
            target=waiting.own or self._referred(event),
            answer=waiting.answer,
        )

    def _referred(self, event: ServiceEvent) -> Target | None:
        return self._targets.get(self._key(event, event.replaces)) if event.kind in REFERRING else None

    def _covers(self, event: ServiceEvent, day: date) -> tuple[Cover, ...]:
        coverages = self._registry.coverages.get(event.member, ())
        covers = []
        for coverage in in_force(coverages, day):
            if coverage.plan == NO_PLAN:
                continue
            plan = self._documents.plan(coverage.plan, event.started_at)
            if plan is None:
                raise Pended("unknown_plan", f"plan {coverage.plan} is not published for {day}", where="coverage")
            covers.append(Cover(coverage, plan.hash, plan.payer))
        return tuple(covers)


def _contract(contracts: tuple[Contract, ...], covers: tuple[Cover, ...], day: date) -> Contract:
    """The agreement that prices the line: with the primary payer, else with any payer, else the self-pay schedule."""
    wanted = [covers[0].payer, ANY_PAYER] if covers else []
    for payer in wanted:
        for contract in contracts:
            if contract.payer == payer and day in contract.period:
                return contract
    for contract in contracts:
        if contract.payer == "" and day in contract.period:
            return replace(contract, network="out") if covers else contract
    raise Pended("no_contract", "no price agreement holds on the day of service", where="billing_party")
