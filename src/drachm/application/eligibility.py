"""Who covers this person on this day, and what is left of every limit?

Plans and register are read at one version, running totals as they stand. What a named service would need is not looked
up in the plan but tried: the line that clears real events is rehearsed with the payer's agreement and without it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final, Literal

from drachm.application.desk import Desk
from drachm.application.estimate import Estimated, estimate
from drachm.application.money_reading import MoneyReading
from drachm.domain.benefits import Plan
from drachm.domain.benefits.model import Key
from drachm.domain.benefits.outlook import Asked, Read
from drachm.domain.benefits.remaining import Remaining, Waiting, limits_of, takes_part, waiting_of
from drachm.domain.clearing.documents import Documents
from drachm.domain.clearing.numbers import total_number
from drachm.domain.clearing.register import ANY_PAYER, PartyRecord, Person
from drachm.domain.coverage.model import NO_PLAN, Contract, Coverage
from drachm.domain.errors import Pended, ensure
from drachm.domain.events.model import Fact, ServiceEvent
from drachm.domain.periods import Period, age_on

MOST_ROUNDS: Final = 16
"""Which totals are asked for may depend on what others hold; a plan that goes deeper than this is broken."""
AGREED: Final = "agreed-in-a-rehearsal"
"""Stands for a payer's reference while it is tried what one would change."""

Standing = Literal["active", "ended", "not_begun", "unknown_plan"]
Network = Literal["in", "out", "no_agreement"]
Need = Literal["required", "not_required", "unknown"]


@dataclass(frozen=True, slots=True)
class CoverView:
    """One coverage as of the day."""

    coverage: Coverage
    standing: Standing
    plan: Plan | None = None
    days: Period | None = None
    """On which that version of the plan holds."""
    applies: bool | None = None
    """Whether the plan takes part in a line; None: care itself decides."""
    network: Network | None = None
    """Of the named provider with this payer; None when no provider was named."""
    limits: tuple[Remaining, ...] = ()
    waiting: tuple[Waiting, ...] = ()


@dataclass(frozen=True, slots=True)
class ServiceView:
    """What one named service would come to, alone."""

    authorisation: Need
    without: Estimated
    agreed: Estimated


@dataclass(frozen=True, slots=True)
class Eligibility:
    """Everything about one person as of one day."""

    version: int
    """Of the register."""
    covers: tuple[CoverView, ...]
    """In the order in which they pay."""
    services: tuple[ServiceView, ...]

    @property
    def covered(self) -> bool:
        """Whether any plan is in force and may take part."""
        return any(one.standing == "active" and one.applies is not False for one in self.covers)


def eligibility(
    member: str,
    day: date,
    desk: Desk,
    reading: MoneyReading,
    *,
    provider: str = "",
    facts: Mapping[str, Fact] | None = None,
    services: Sequence[ServiceEvent] = (),
) -> Eligibility:
    """The cover of a member as of a day. `facts` are what is known of the care to come.

    Raises `Pended` (``unknown_member``, ``unknown_provider``) for names that are not registered.
    """
    version = reading.version()
    registry = desk.books.registry_at(version, {member}, {provider} - {""})
    person, record = registry.people.get(member), registry.parties.get(provider)
    if person is None:
        raise Pended("unknown_member", "no such member", where="$.member")
    if provider and record is None:
        raise Pended("unknown_provider", "no such party", where="$.provider")
    known = _facts(person, record, day) | dict(facts or {})
    covers = _covers(person, record, day, desk.books.documents(version), reading)
    views = _with_limits(covers, person, day, known, _Totals(desk.books.tenant, reading))
    return Eligibility(version, tuple(views), tuple([_service(event, desk, reading) for event in services]))


def _facts(person: Person, record: PartyRecord | None, day: date) -> dict[str, Fact]:
    """What is known before there is care (`coverage.facts.LineFacts`)."""
    member = person.member
    known: dict[str, Fact] = {**(record.party.facts if record else {}), **member.facts}
    if member.birth_date is not None:
        known["age"] = max(0, age_on(member.birth_date, day))
    if member.sex:
        known["sex"] = member.sex
    return known


def _covers(
    person: Person, record: PartyRecord | None, day: date, documents: Documents, reading: MoneyReading
) -> list[CoverView]:
    versions = reading.published("plan")
    views = []
    for coverage in person.coverages:
        if coverage.plan == NO_PLAN:
            continue
        if day not in coverage.period:
            views.append(CoverView(coverage, "ended" if coverage.period.start <= day else "not_begun"))
            continue
        version = next((one for one in versions if one.id == coverage.plan and one.holds(day)), None)
        plan = documents.by_hash(version.hash) if version is not None else None
        if plan is None or version is None:
            views.append(CoverView(coverage, "unknown_plan"))
            continue
        network = network_with(record.contracts, plan.payer, day) if record is not None else None
        views.append(CoverView(coverage, "active", plan, Period(version.starts, version.ends), None, network))
    return views


def network_with(contracts: Iterable[Contract], payer: str, day: date) -> Network:
    """Whether a provider is in a payer's network on a day, as the line looks for its contract (`clearing/world.py`)."""
    found = {contract.payer: contract for contract in contracts if day in contract.period}
    own = found.get(payer) or found.get(ANY_PAYER)
    if own is not None:
        return "in" if own.network == "in" else "out"
    return "out" if "" in found else "no_agreement"


def _with_limits(
    covers: Sequence[CoverView], person: Person, day: date, known: Mapping[str, Fact], totals: _Totals
) -> list[CoverView]:
    active = [one for one in covers if one.plan is not None]
    # The line's one fact is that of the agreement with the first payer.
    network = active[0].network if active else None
    facts = dict(known)
    if network is not None:
        facts["network"] = "in" if network == "in" else "out"
    while True:
        asked = [_asked(one, one.plan, person, day, facts, totals) for one in active if one.plan is not None]
        part = [takes_part(one) for one in asked]
        payers = "+".join([one.plan.payer for one, applies in zip(asked, part, strict=True) if applies is not False])
        asked = [replace(one, payers=payers) for one in asked]
        views = {
            one.coverage.id: replace(one, applies=applies, limits=tuple(limits_of(ask)), waiting=tuple(waiting_of(ask)))
            for one, ask, applies in zip(active, asked, part, strict=True)
        }
        if not totals.fetch():
            return [views.get(one.coverage.id, one) for one in covers]


def _asked(one: CoverView, plan: Plan, person: Person, day: date, facts: Mapping[str, Fact], used: _Totals) -> Asked:
    coverage, member = one.coverage, person.member
    mine = {**facts, **coverage.facts}
    read: Read = used.read
    return Asked(plan, day, member.id, member.family, coverage.policy or coverage.id, "", mine, read)


class _Totals:
    """Running totals, fetched as they are asked for: first each reads 0, then all that were asked are read together."""

    def __init__(self, tenant: int, reading: MoneyReading) -> None:
        self._tenant = tenant
        self._reading = reading
        self._values: dict[Key, int] = {}
        self._wanted: set[Key] = set()
        self._rounds = 0

    def read(self, key: Key) -> int:
        if key not in self._values:
            self._wanted.add(key)
        return self._values.get(key, 0)

    def fetch(self) -> bool:
        """Read what was asked for; whether there was anything new. All of it again: of one moment."""
        if not self._wanted:
            return False
        self._rounds += 1
        ensure(self._rounds <= MOST_ROUNDS, "totals ask for totals without end", where="eligibility")
        numbers = {key: total_number(self._tenant, key) for key in self._wanted | self._values.keys()}
        found, _ = self._reading.stand(numbers.values(), ())
        self._values = {key: found.get(number, 0) for key, number in numbers.items()}
        self._wanted = set()
        return True


def _service(event: ServiceEvent, desk: Desk, reading: MoneyReading) -> ServiceView:
    """One service with the payer's agreement and without it."""
    [without] = estimate([replace(event, authorisation="")], desk, reading).events
    [agreed] = estimate([replace(event, authorisation=AGREED)], desk, reading).events
    return ServiceView(_need(without, agreed), without, agreed)


def _need(without: Estimated, agreed: Estimated) -> Need:
    """Required when somebody is worse off without the agreement; unknown when neither could be decided."""
    first, second = without.outcome.decision, agreed.outcome.decision
    if first is None or second is None or first.adjudication is None or second.adjudication is None:
        return "unknown"
    before, after = first.adjudication, second.adjudication
    told = (before.decision, before.reason, before.plan_paid, before.patient_responsibility)
    return (
        "not_required"
        if told == (after.decision, after.reason, after.plan_paid, after.patient_responsibility)
        else "required"
    )
