"""How does a stack of documents become a straight line?

For each signature that comes up (`reading.py`) the machine writes and keeps one program: `find` builds the keys of the
running totals (`place` their numbers), `decide` splits the line, `tell` names the shares. What conditions say of the
facts is settled while it is written, so what is left to run is arithmetic on amounts and totals. The trace is a second
form of the same program, written when first asked for by the same functions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import lru_cache
from itertools import repeat
from typing import Any, Final, TypeAlias

from drachm.domain.benefits import naming
from drachm.domain.benefits.answer import write_answer, write_residue
from drachm.domain.benefits.conditions import Facts, holds
from drachm.domain.benefits.document import Plan
from drachm.domain.benefits.model import Credit, Key, Line, Numbering, Share, Split, Step
from drachm.domain.benefits.program import close, run
from drachm.domain.benefits.reading import Reading
from drachm.domain.benefits.script import Script
from drachm.domain.benefits.turn import Turn
from drachm.domain.errors import IntegrityError, Pended
from drachm.domain.events.model import UNIT
from drachm.domain.money import RoundingMode, portion, round_ratio
from drachm.domain.periods import add_months

Calendar: TypeAlias = tuple[Any, ...]
Find: TypeAlias = Callable[[Line, Calendar, tuple[Any, ...]], tuple[tuple[Key, ...], tuple[Any, ...]]]
Place: TypeAlias = Callable[..., tuple[tuple[int, ...], tuple[Any, ...]]]
Decide: TypeAlias = Callable[[Line, Calendar, tuple[Any, ...], tuple[Any, ...], Mapping[Any, int]], Split]
Tell: TypeAlias = Callable[[int, int, int, tuple[int, ...]], tuple[Share, ...]]

MOST_PROGRAMS: Final = 1024
"""Signatures kept per stack; the oldest makes room."""
_MOST_DAYS: Final = 4096
_MOST_SAID: Final = 512
"""Days for which a program keeps what they say of the numbers of its totals."""


class Program:
    """The straight line of one signature. Each of its functions is made when it is first called."""

    __slots__ = (
        *("_dated", "_has_visit", "_machine", "_views", "decide", "explain", "find", "hashes", "place", "said"),
        "tell",
    )

    find: Find
    place: Place
    """`find` with numbers in the place of keys."""
    decide: Decide
    explain: Decide
    """`decide` with the trace."""
    tell: Tell
    """The shares of a split."""
    hashes: tuple[str, ...]
    """Of the documents in stack order."""

    def __init__(self, machine: Machine, has_visit: bool, views: Sequence[Facts]) -> None:
        self._machine = machine
        self._has_visit = has_visit
        self._views = views
        script = self.script()
        self.hashes = machine.hashes
        self.said: dict[date, tuple[Any, ...]] = {}
        """Day -> what it says of the numbers of totals, the same for everybody."""
        for name in ("find", "place", "decide", "tell"):
            self._make_later(name, getattr(script, f"{name}_source")())
        self._dated = script.dated_source()

        def explain(*asked: Any) -> Split:
            made: Decide = _made(self.script(explains=True).decide_source())["decide"]
            self.explain = made
            return made(*asked)

        self.explain = explain

    def dated(self, calendar: Calendar, numbering: Numbering) -> tuple[Any, ...]:
        """What a day says of the numbers of totals, kept: parts of `place` that no line has a say in."""
        if len(self.said) >= _MOST_SAID:
            self.said.clear()
        homes, _, slot = numbering
        return self.said.setdefault(calendar[0], _made(self._dated)["dated"](calendar, homes, slot))

    def script(self, *, explains: bool = False) -> Script:
        """The program as it is written."""
        return self._machine.write(self._has_visit, self._views, explains=explains)

    def _make_later(self, name: str, source: str) -> None:
        def first(*asked: Any) -> Any:
            made = _made(source)[name]
            setattr(self, name, made)
            return made(*asked)

        setattr(self, name, first)


class Machine:
    """A stack of documents and the programs of its signatures."""

    def __init__(self, plans: Sequence[Plan]) -> None:
        self._plans = tuple(plans)
        self.hashes = tuple([plan.hash for plan in plans])
        self._reading = Reading(plans)
        self.read = self._reading.function()
        self.days: dict[date, Calendar] = {}
        """Day -> everything that keys say of it."""
        self.programs: dict[tuple[Any, ...], Program] = {}

    def calendar(self, day: date) -> Calendar:
        """Everything that keys say of a day, kept."""
        if len(self.days) >= _MOST_DAYS:
            self.days.clear()
        text = day.isoformat()
        years = [naming.benefit_year(day, *plan.benefit_year) for plan in self._plans]
        made = (day, text, f"D{text}", f"M{text[:7]}", naming.quarter(day), *years)
        return self.days.setdefault(day, made)

    def program(self, signature: tuple[Any, ...], line: Line, calendar: Calendar, values: tuple[Any, ...]) -> Program:
        """The program of a new signature, kept."""
        numbers = range(len(self._plans))
        views = [self._reading.facts(number, line, calendar[1], values) for number in numbers]
        if len(self.programs) >= MOST_PROGRAMS:
            self.programs.pop(next(iter(tuple(self.programs))), None)
        made = self.programs[signature] = Program(self, bool(line.visit), views)
        return made

    def write(self, has_visit: bool, views: Sequence[Facts], *, explains: bool) -> Script:
        """The whole line: residue, each document that applies in turn, closing steps, answer (section 4)."""
        script = Script(explains=explains, has_visit=has_visit)
        try:
            turns = self._turns(script, views)
            write_residue(script, self._plans[0] if self._plans else None)
            for turn in turns:
                run(turn)
            for turn in turns:
                close(turn)
            write_answer(script, self._plans, turns)
        except Pended as why:
            script.pend(why)
        return script

    def _turns(self, script: Script, views: Sequence[Facts]) -> list[Turn]:
        """The documents that take part in the line; `payer_set` names their payers."""
        applying = [number for number, plan in enumerate(self._plans) if holds(plan.applies, views[number])]
        payers = "+".join(self._plans[number].payer for number in applying)
        for number in applying:
            views[number]["payer_set"] = payers
        places = self._reading.places
        return [Turn(script, self._plans[number], number, views[number], places[number]) for number in applying]


@lru_cache(maxsize=1024)
def _made(source: str) -> dict[str, Any]:
    """The functions of a source. It holds our words, and a plan's words only as literals."""
    names = dict(_NAMES)
    exec(compile(source, "<a straight line>", "exec"), names)  # noqa: S102 - `Script` promises what it holds
    return names


def _times(amount: int, quantity: int, unit: int, mode: RoundingMode) -> int:
    """`amount` x quantity; only a fractional quantity makes a product that needs rounding."""
    whole, fraction = divmod(quantity, UNIT)
    return portion(amount, quantity, unit, mode) if fraction else amount * whole


@lru_cache(maxsize=4096)
def _months_after(since: str, months: int) -> date:
    try:
        return add_months(date.fromisoformat(since), months)
    except (ValueError, OverflowError):
        # The calendar ends in 9999: the wait never does.
        return date.max


def _broken(line: Line) -> None:
    raise IntegrityError("the shares do not sum to the bill", where=line.id)


_NAMES: Final[Mapping[str, Any]] = {
    "Credit": Credit,
    "Key": Key,
    "Pended": Pended,
    "Share": Share,
    "Split": Split,
    "Step": Step,
    "broken": _broken,
    "days_ending": naming.days_ending,
    "months_after": _months_after,
    "months_before": naming.months_before,
    "new": tuple.__new__,
    "policy_year": naming.policy_year,
    "repeat": repeat,
    "round_ratio": round_ratio,
    "row": naming.row,
    "times": _times,
    "written": naming.written,
}
