"""Run recorded care through the main job, in order of time, and say what came of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import islice
from typing import Final

from drachm.application.body import TopUp
from drachm.application.clear_events import clear_events
from drachm.application.desk import Desk
from drachm.application.first_answers import Outcome
from drachm.application.top_up import top_up
from drachm.domain.clearing.register import ANY_PAYER
from drachm.domain.coverage.model import Contract, Coverage, Member, Party
from drachm.domain.errors import DrachmError
from drachm.domain.events.model import ServiceEvent
from drachm.domain.funding.model import Pot
from drachm.domain.periods import Period
from drachm.domain.reasons import REASONS

BATCH: Final = 500
ALWAYS: Final = Period(date(1900, 1, 1))


@dataclass(frozen=True, slots=True)
class World:
    """Recorded care of some people: who they are, who treated them, what happened."""

    parties: Sequence[Party]
    members: Sequence[Member]
    coverages: Sequence[Coverage]
    events: Sequence[ServiceEvent]
    problems: Sequence[DrachmError] = ()


@dataclass(slots=True)
class ClassTotals:
    """Sums over the events of one class; micros."""

    events: int = 0
    billed: int = 0
    payers: int = 0
    patient: int = 0
    due: int = 0


@dataclass(slots=True)
class ReplayReport:
    """What a replay did. Every event is counted in exactly one of the statuses, or as a duplicate."""

    events: int = 0
    posted: int = 0
    denied: int = 0
    pended: int = 0
    refused: int = 0
    duplicates: int = 0
    conflicts: int = 0
    unexplained: int = 0
    """Refused or pended without a reason of the published table."""
    reasons: Counter[str] = field(default_factory=Counter)
    """Pended, refused and unreadable, by reason."""
    classes: dict[tuple[str, str], ClassTotals] = field(default_factory=dict)
    """By currency and class."""
    unreadable: list[DrachmError] = field(default_factory=list)
    books_ok: bool = False
    seconds: float = 0.0

    @property
    def events_per_second(self) -> int:
        return int(self.events / self.seconds) if self.seconds > 0 else 0

    @property
    def ok(self) -> bool:
        """The books balance, everything could be read, nothing is without a reason, and no id was used twice."""
        return self.books_ok and not (self.unreadable or self.unexplained or self.conflicts)


def enrol(world: World, desk: Desk, *, wallet: int, currency: str, price_book: str) -> None:
    """Register everybody of a replay, with one wallet pot each, funded once with `wallet` micros.

    Providers agree on `price_book` with every payer and for self-pay.
    """
    providers = [party for party in world.parties if "provider" in party.roles]
    contracts = [Contract(party.id, payer, price_book, ALWAYS) for party in providers for payer in (ANY_PAYER, "")]
    pots = [Pot(f"{member.id}-cash", member.id, currency, 0) for member in world.members]
    desk.books.enrol(
        parties=world.parties, members=world.members, coverages=world.coverages, contracts=contracts, pots=pots
    )
    for member in world.members if wallet else ():
        top_up(
            TopUp(
                "replay",
                f"opening-{member.id}",
                f"{member.id}-cash",
                member.id,
                wallet,
                currency,
                "cash-desk",
                desk.clock.now(),
            ),
            desk,
        )


def replay(
    world: World, desk: Desk, report: ReplayReport, told: Callable[[Outcome, ServiceEvent], None], *, batch: int = BATCH
) -> None:
    """Clear all events in order of time, `batch` at a time, counting into `report`.

    Lines that began at one instant keep the order of their source: a deductible depends on it.
    """
    report.unreadable.extend(world.problems)
    for problem in world.problems:
        report.reasons[problem.code] += 1
    for events in _batches(sorted(world.events, key=lambda event: event.started_at), batch):
        for event, outcome in zip(events, clear_events(events, desk), strict=True):
            _count(report, event, outcome)
            told(outcome, event)


def class_of(event: ServiceEvent) -> str:
    """The word the closing table sorts an event under."""
    return str(event.facts.get("visit_class") or event.facts.get("category") or "other")


def _count(report: ReplayReport, event: ServiceEvent, outcome: Outcome) -> None:
    report.events += 1
    if outcome.status == "conflict":
        report.conflicts += 1
        return
    if outcome.duplicate:
        report.duplicates += 1
        return
    setattr(report, outcome.status, getattr(report, outcome.status) + 1)
    if outcome.status in ("pended", "refused"):
        report.reasons[outcome.reason] += 1
        report.unexplained += outcome.reason not in REASONS or outcome.reason == "constraint"
    answer = outcome.decision.adjudication if outcome.decision else None
    if outcome.decision is not None and answer is not None:
        totals = report.classes.setdefault((event.currency, class_of(event)), ClassTotals())
        totals.events += 1
        totals.billed += answer.billed
        totals.payers += answer.plan_paid
        totals.patient += answer.patient_responsibility
        totals.due += outcome.decision.funding.due


def _batches(events: Iterable[ServiceEvent], size: int) -> Iterator[list[ServiceEvent]]:
    iterator = iter(events)
    while batch := list(islice(iterator, size)):
        yield batch
