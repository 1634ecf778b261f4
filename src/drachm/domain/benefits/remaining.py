"""What is left of every limit that a plan sets, before anybody knows what care will come?

A plan's limits are read from its steps, whatever they are: the accumulators they name, split and scoped as the document
says (docs/reference/plan-model.md, sections 3 to 5). What only care itself would tell (its service, its category) is
not known here: a limit that depends on it is told for each of its words, or with the names of the missing facts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import date
from itertools import product
from typing import Any, Final, Literal, cast

from drachm.domain.benefits.document import Accumulator, Plan
from drachm.domain.benefits.outlook import UNKNOWN, Asked, Known, Outlook
from drachm.domain.benefits.rules import Coinsurance, PeriodCap, Rule, Scope, WaitingPeriod
from drachm.domain.benefits.totals import COUNTS
from drachm.domain.benefits.words import AnyOf, Case, Cases, Condition, FromFact, Growing, Not, OneOf, Within
from drachm.domain.money import MICROS, portion
from drachm.domain.periods import Period, add_months

MOST_CHOICES: Final = 64
"""Combinations of words that one limit is looked at under."""

Counted = Literal["money", "units", "lines", "visits"]


@dataclass(frozen=True, slots=True)
class Remaining:
    """One limit, as it stands."""

    step: str
    kind: str
    """Kind of the step: `deductible`, `out_of_pocket_max`, `benefit_limit`, `period_cap` ...; `band` for the bound of a
    coinsurance band."""
    clause: str
    accumulator: str
    counted: Counted
    scope: Scope
    period: str
    """`benefit_year`, `month`, `rolling_days`, `visit` ..."""
    dates: Period | None
    """The days that are counted together; None for a visit, an admission, a lifetime."""
    limit: int | None
    """Micros for money, millionths for units, else a count. None: a missing fact decides it."""
    used: int | None
    """None: the total is split by a fact that is missing."""
    split: tuple[tuple[str, Known], ...]
    when: tuple[Mapping[str, Known], ...]
    """The care it holds for, as facts; empty: all."""
    needs: tuple[str, ...]
    """Facts that would have to be known to say it exactly."""

    @property
    def left(self) -> int | None:
        """None where limit or use is unknown."""
        return None if self.limit is None or self.used is None else max(0, self.limit - self.used)


@dataclass(frozen=True, slots=True)
class Waiting:
    """Care that is covered only some months after a day."""

    step: str
    clause: str
    until: date | None
    """The first day on which it is covered; None: a missing fact decides it."""
    over: bool | None
    when: tuple[Mapping[str, Known], ...]
    needs: tuple[str, ...]


def takes_part(asked: Asked) -> bool | None:
    """Whether the document applies; None: care itself decides."""
    return Outlook(asked, {}).truth(asked.plan.applies)


def limits_of(asked: Asked) -> list[Remaining]:
    """Every limit of the plan that may hold on this day, in the order of its steps."""
    found: dict[tuple[Any, ...], Remaining] = {}
    for rule in (*asked.plan.steps, *asked.plan.closing_steps):
        for name, counted, source in _limited(rule):
            _gather(asked, rule, name, counted, source, found)
    return list(found.values())


def waiting_of(asked: Asked) -> list[Waiting]:
    """Every waiting period of the plan that may hold for this member."""
    found = []
    for rule in asked.plan.steps:
        if isinstance(rule, WaitingPeriod):
            found += _waiting(asked, rule)
    return found


def _limited(rule: Any) -> Iterator[tuple[str, str, Any]]:
    """(accumulator, how it is told, amount) of each limit of a step."""
    for limit in (*getattr(rule, "limits", ()), *getattr(rule, "unit_limits", ())):
        yield limit.accumulator, rule.kind, limit.limit
    if isinstance(rule, Coinsurance):
        for band in rule.bands[:-1]:
            yield rule.measure, "band", band.below
    if isinstance(rule, PeriodCap):
        yield rule.id, rule.kind, rule


def _gather(
    asked: Asked, rule: Rule, name: str, kind: str, source: Any, found: dict[tuple[Any, ...], Remaining]
) -> None:
    total = next((one for one in asked.plan.accumulators if one.id == name), None)
    looked_at = (rule.when, source, total.by if isinstance(total, Accumulator) else _pool_of(source))
    choices, hidden = _choices(asked, looked_at)
    seen: dict[tuple[Any, ...], list[Mapping[str, Known]]] = {}
    for choice in choices:
        look = Outlook(asked, choice, hidden)
        if look.truth(rule.when) is False or look.in_range(rule.when_used) is False:
            continue
        told = _told(look, rule, kind, source, total)
        if told is not None:
            place = (kind, name, told.split, told.limit, told.used, told.needs)
            found.setdefault((rule.id, *place), told)
            seen.setdefault((rule.id, *place), []).append(choice)
    for place, under in seen.items():
        if len(under) < len(choices):
            found[place] = replace(found[place], when=tuple(under))


def _told(look: Outlook, rule: Rule, kind: str, source: Any, total: Any) -> Remaining | None:
    """One limit under one choice of facts; None where there is none."""
    if isinstance(source, PeriodCap):
        return _cap(look, source)
    if not isinstance(total, Accumulator):
        return None
    limit = look.amount(source)
    if limit is None:
        return None
    split = tuple([(fact, look.plainly(fact)) for fact in total.by])
    used = look.total(f"{look.plan.totals_of}/{total.id}", total.by, total.scope, total.period, total.rolling_days)
    counts = [feed.of for feed in total.feeds if feed.of in COUNTS]
    return Remaining(
        rule.id,
        kind,
        rule.clause,
        total.id,
        cast(Counted, counts[0] if counts else "money"),
        total.scope,
        total.period,
        look.dates(total.period, total.rolling_days),
        limit if isinstance(limit, int) else None,
        used,
        split,
        (),
        tuple(sorted(look.missing)),
    )


def _cap(look: Outlook, rule: PeriodCap) -> Remaining | None:
    """The cap of a pool as it stands with what is in it (section 5)."""
    pool, mode = rule.pool, look.plan.rounding
    name = f"{look.plan.totals_of}/{rule.id}"
    case = next(
        (one for one in rule.cap if look.truth(one.when) is not False and look.in_range(one.when_used) is not False),
        None,
    )
    base = look.amount(case.base) if case else None
    if case is None or base is None:
        return None
    used = look.total(name, pool.by, pool.scope, pool.period, 0, "#S")
    cost = look.total(name, pool.by, pool.scope, pool.period, 0, "#C")
    scale = next((one.ppm for one in rule.scale if look.truth(one.when)), MICROS)
    over, ppm = look.amount(case.over) or 0, look.amount(case.ppm) or 0
    limit: int | None = None
    if isinstance(base, int) and isinstance(over, int) and isinstance(ppm, int) and cost is not None:
        above = max(0, cost - over * scale // MICROS)
        limit = base * scale // MICROS + portion(above, min(ppm, MICROS), mode.unit, mode.mode)
    return Remaining(
        rule.id,
        rule.kind,
        rule.clause,
        rule.id,
        "money",
        pool.scope,
        pool.period,
        look.dates(pool.period, 0),
        limit,
        used,
        tuple([(fact, look.plainly(fact)) for fact in pool.by]),
        (),
        tuple(sorted(look.missing)),
    )


def _waiting(asked: Asked, rule: WaitingPeriod) -> list[Waiting]:
    choices, hidden = _choices(asked, (rule.when, rule.months))
    found: dict[tuple[Any, ...], list[Mapping[str, Known]]] = {}
    for choice in choices:
        look = Outlook(asked, choice, hidden)
        if look.truth(rule.when) is False or look.in_range(rule.when_used) is False:
            continue
        since, months = look.value(rule.since), look.amount(rule.months)
        if since is None or months is None:
            continue
        until = None
        if isinstance(since, str) and isinstance(months, int):
            try:
                until = add_months(date.fromisoformat(since), months)
            except (ValueError, OverflowError):
                until = date.max
        found.setdefault((until, tuple(sorted(look.missing))), []).append(choice)
    return [
        Waiting(
            rule.id,
            rule.clause,
            until,
            None if until is None else asked.day >= until,
            tuple(under) if len(under) < len(choices) else (),
            needs,
        )
        for (until, needs), under in found.items()
    ]


def _pool_of(source: Any) -> tuple[str, ...]:
    return source.pool.by if isinstance(source, PeriodCap) else ()


def _choices(asked: Asked, looked_at: Any) -> tuple[list[Mapping[str, Known]], frozenset[str]]:
    """Every combination of the words of facts that are unknown and matter here; and the facts left unknown because
    there would be too many."""
    look = Outlook(asked, {})
    domains: dict[str, Sequence[Known]] = {}
    for fact in sorted(set(_facts_in(looked_at))):
        if look.value(fact) is UNKNOWN and (words := _words(asked.plan, fact)):
            domains[fact] = words
    hidden: set[str] = set()
    while domains and _count(domains.values()) > MOST_CHOICES:
        widest = max(domains, key=lambda fact: (len(domains[fact]), fact))
        hidden.add(widest)
        del domains[widest]
    names = list(domains)
    return [dict(zip(names, values, strict=True)) for values in product(*domains.values())], frozenset(hidden)


def _count(domains: Iterable[Sequence[Known]]) -> int:
    many = 1
    for one in domains:
        many *= len(one)
    return many


def _words(plan: Plan, fact: str) -> Sequence[Known]:
    """The values of a fact that has few; empty for numbers, days and free text."""
    for band in plan.bands:
        if band.fact == fact:
            return tuple(dict.fromkeys(band.words))
    declared = plan.facts.get(fact)
    if declared is None:
        return ()
    if declared.kind == "flag":
        return (False, True)
    return tuple(sorted(declared.words)) if declared.kind == "words" else ()


def _facts_in(node: Any) -> Iterator[str]:
    """Names of all facts that conditions and amounts somewhere below look at; a plain text is one."""
    if isinstance(node, str):
        yield node
    elif isinstance(node, tuple):
        for item in node:
            yield from _facts_in(item)
    elif isinstance(node, OneOf | Within | FromFact):
        yield node.fact
    elif isinstance(node, Condition | Not | AnyOf | Cases | Case):
        for item in fields(node):
            if item.name != "when_used":
                yield from _facts_in(getattr(node, item.name))
    elif isinstance(node, Growing):
        yield "family_size"
    elif isinstance(node, PeriodCap):
        yield from _facts_in((node.pool.by, tuple([(c.when, c.base, c.over, c.ppm) for c in node.cap])))
        yield from _facts_in(tuple([one.when for one in node.scale]))
    elif is_dataclass(node):
        for item in fields(node):
            yield from _facts_in(getattr(node, item.name))
