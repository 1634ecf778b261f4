"""How is one figure made of many rounds? Ours and pgbench in turn, bad moments repeated, medians with their spread.

Each round of ours stands between two runs of pgbench; its ratio is our rate over the mean of the two. A round beside a
pgbench run below half of the best of the whole run says more about the machine than about us: it is repeated.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from drachm.application.check_books import check_books
from drachm.application.ports import Books
from drachm.bench.crew import Crew, seconds_of
from drachm.bench.measure import Cost, Probe
from drachm.bench.open_loop import Served
from drachm.bench.pgbench import Pgbench
from drachm.bench.writer import Done, Task

Tell = Callable[[str], None]

WORST: Final = 2
"""A round counts when pgbench beside it reached at least the best divided by this."""
TRIES: Final = 2
"""At most this many times the wanted rounds are run."""


@dataclass(frozen=True, slots=True)
class Arm:
    """One kind of traffic that takes its turn."""

    name: str
    crew: Crew
    probe: Probe
    books: Books
    """To check after every round."""
    task: Task


@dataclass(frozen=True, slots=True)
class Round:
    """One round of one arm."""

    arm: str
    events: int
    seconds: float
    cost: Cost
    batch_seconds: tuple[float, ...]
    statuses: Counter[str]
    duplicates: int
    rows: int
    """Journal rows when it began."""
    problems: tuple[str, ...] = ()
    """What the books check found."""
    pgbench: tuple[float, ...] = ()
    """Transactions per second just before and just after."""
    served: tuple[Served, ...] = field(default=(), repr=False)

    @property
    def rate(self) -> float:
        """Events per second."""
        return self.events / self.seconds

    @property
    def reference(self) -> float:
        return sum(self.pgbench) / len(self.pgbench) if self.pgbench else 0.0

    @property
    def ratio(self) -> float:
        """Our rate over that of pgbench; 0 when pgbench did not run."""
        return self.rate / self.reference if self.pgbench else 0.0


@dataclass(frozen=True, slots=True)
class Rounds:
    """All rounds of a run."""

    all: tuple[Round, ...]
    kept: tuple[Round, ...]
    """Those that count."""

    def of(self, arm: str) -> tuple[Round, ...]:
        """The rounds of one arm that count."""
        return tuple(one for one in self.kept if one.arm == arm)

    @property
    def repeated(self) -> int:
        return len(self.all) - len(self.kept)


def alternate(arms: Sequence[Arm], rounds: int, pgbench: Pgbench | None, tell: Tell) -> Rounds:
    """`rounds` rounds of each arm that count, in turn, pgbench before and after each."""
    run: list[Round] = []
    before = pgbench.run() if pgbench else 0.0
    for attempt in range(rounds * TRIES):
        short = [arm for arm in arms if len([r for r in kept_of(run) if r.arm == arm.name]) < rounds]
        if not short:
            break
        for arm in short:
            one = run_round(arm)
            if pgbench:
                after = pgbench.run()
                one = replace(one, pgbench=(before, after))
                before = after
            run.append(one)
            tell(_words(one, attempt + 1))
    kept = kept_of(run)
    return Rounds(tuple(run), tuple(kept))


def kept_of(run: Sequence[Round]) -> list[Round]:
    """The rounds beside which pgbench was not slowed down by others."""
    best = max((rate for one in run for rate in one.pgbench), default=0.0)
    return [one for one in run if all(rate * WORST >= best for rate in one.pgbench)]


def run_round(arm: Arm) -> Round:
    """One round: events made beforehand, counters read, the signal, counters read again, then the books checked."""
    arm.crew.make_ready(arm.task)
    before = arm.probe.read(arm.crew.processes)
    done = arm.crew.run()
    after = arm.probe.read(arm.crew.processes)
    cost = arm.probe.cost(before, after)
    statuses = sum((one.statuses for one in done), Counter[str]())
    return Round(
        arm=arm.name,
        events=statuses.total() + sum(one.duplicates for one in done),
        seconds=seconds_of(done),
        cost=cost,
        batch_seconds=tuple(seconds for one in done for seconds in one.batch_seconds),
        statuses=statuses,
        duplicates=sum(one.duplicates for one in done),
        rows=before.rows,
        problems=(*_uncounted(statuses, cost), *check_books(arm.books)),
        served=tuple(one.served for one in done if one.served is not None),
    )


def warm_up(arm: Arm) -> list[Done]:
    """A short round nobody counts: connections, prepared statements, compiled documents."""
    few = max(1, min(arm.task.events // 5, 2 * arm.task.batch)) * len(arm.crew.processes)
    arm.crew.make_ready(replace(arm.task, events=few, offer=None, path="live"))
    return arm.crew.run()


def _uncounted(statuses: Counter[str], cost: Cost) -> list[str]:
    """Whatever was answered as written must be in the journal, once."""
    if statuses.total() == cost.rows:
        return []
    return [f"{statuses.total()} outcomes were answered as written, {cost.rows} rows were"]


def _words(one: Round, number: int) -> str:
    beside = f", pgbench {one.reference:,.0f}/s, ratio {one.ratio:.2f}" if one.pgbench else ""
    each = (one.cost.python / one.events, one.cost.postgres / one.events)
    books = "" if not one.problems else f", BOOKS DISAGREE: {one.problems[0]}"
    return (
        f"{one.arm} {number}: {one.rate:,.0f} events/s, {each[0]:.0f} us Python + {each[1]:.0f} us PostgreSQL{beside}"
        f"{books}"
    )
