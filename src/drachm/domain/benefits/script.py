"""What does the straight line of one signature say, written out as Python?

A `Script` collects four functions: `find`, which builds the keys of the running totals, and `place`, which builds their
numbers without the keys; `decide`, which splits the line, and `tell`, which names the shares of a split. Every name in
them is made here from words of ours and a number; what a plan says stands in them only as its `repr`, so a plan can say
what it likes and never becomes code.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from types import TracebackType
from typing import Any, NamedTuple

from drachm.domain.errors import Pended


class Owed(NamedTuple):
    """One component as one step leaves it."""

    amount: str
    """The local that holds it; 0 where the step did not run."""
    document: str
    step: str
    component: str
    reason: str
    excess: bool = False
    provider: bool = False


class Paid(NamedTuple):
    """What one step has a party pay."""

    amount: str
    document: str
    party: str
    reason: str


class Block:
    """The lines under a head such as ``if x:``; without lines there is no head.

    A fact that is missing while they are written pends the line there.
    """

    __slots__ = ("_certain", "_mark", "_script")

    def __init__(self, script: Script, head: str, *, certain: bool = False) -> None:
        script.write(head)
        self._script = script
        self._certain = certain
        self._mark = len(script.lines)

    def __enter__(self) -> None:
        self._script.depth += 1
        self._script.doubts += not self._certain

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> bool:
        script = self._script
        if isinstance(error, Pended):
            script.pend(error)
            error = None
        elif all(line.lstrip().startswith("#") for line in script.lines[self._mark :]):
            del script.lines[self._mark - 1 :]
        script.depth -= 1
        script.doubts -= not self._certain
        return error is None


class Script:
    """The lines written so far, and what the line's money is known to be."""

    def __init__(self, *, explains: bool, has_visit: bool) -> None:
        self.explains = explains
        """Whether the trace is written too."""
        self.has_visit = has_visit
        self.lines: list[str] = []
        self.depth = 1
        self.doubts = 0
        """Tests around what is written now."""
        self.stops = False
        """Whether what is written now may be jumped over, a step before it having ended the line."""
        self.owed: list[Owed] = []
        """What the patient and the provider owe, in the order in which it was decided."""
        self.paid: list[Paid] = []
        self.credits: list[str] = []
        """Locals that hold credits, signed."""
        self.telling: list[str] = []
        """The lines of `tell`."""
        self.deltas: list[tuple[str, str]] = []
        """Locals of keys, and of what the line adds to their totals."""
        self._pended = ""
        """Raises what every line of this signature pends for, whatever the totals are."""
        self._may_pend = False
        self._count = 0
        self._zeros: list[str] = []
        self._head: list[str] = []
        self._places: dict[str, str] = {}
        self._found: dict[tuple[str, str, str], str] = {}
        self._order: list[str] = []
        self._shared: dict[str, str] = {}
        self._used: dict[str, str] = {}

    def write(self, line: str) -> None:
        self.lines.append("    " * self.depth + line)

    def block(self, head: str) -> Block:
        return Block(self, head)

    def jump(self) -> Block:
        """Lines that a step may jump out of; they are entered once."""
        return Block(self, "while True:", certain=True)

    def block_if(self, test: str) -> AbstractContextManager[Any]:
        """The lines for where a test holds; an empty one always does."""
        return Block(self, f"if {test}:") if test else nullcontext()

    def name(self, word: str) -> str:
        """A local of its own."""
        self._count += 1
        return f"{word}_{self._count}"

    def zero(self, word: str) -> str:
        """A local of its own that holds 0 until something is assigned."""
        name = self.name(word)
        self._zeros.append(name)
        return name

    def let(self, word: str, value: str) -> str:
        """A local of its own that holds `value`."""
        name = self.name(word)
        self.write(f"{name} = {value}")
        return name

    def head(self, line: str) -> None:
        """A line at the head of `decide`, once."""
        if line not in self._head:
            self._head.append(line)

    def pend(self, why: Pended) -> None:
        """The line pends here. Where nothing can lead around this place, it pends as soon as its facts are read."""
        said = f"{why.reason!r}, {why.message!r}, where={why.where!r}, next_step={why.next_step!r}"
        if not self.doubts and not self.stops and not self._may_pend:
            self._pended = f"    raise Pended({said})"
        self._may_pend = True
        self.write(f"raise Pended({said})")

    def place(self, name: str, value: str) -> str:
        """A local of `find`, such as the member or the month."""
        self._places.setdefault(name, value)
        return name

    def said(self, place: str) -> str:
        """What a local of `find` holds, where there is no such local."""
        return f"({self._places.get(place, place)})"

    def shared(self, word: str, value: str) -> str:
        """A local of `find` for a text that several keys hold."""
        if value not in self._shared:
            self._shared[value] = self.place(f"{word}_{len(self._shared)}", value)
        return self._shared[value]

    def key(self, scope: str, name: str, period: str) -> str:
        """The local of one key, built by `find`."""
        return self._keep("key", scope, name, period, f"new(Key, ({scope}, {name}, {period}))")

    def keys(self, scope: str, name: str, periods: str) -> str:
        """The local of a row of keys, one for each of `periods`."""
        return self._keep("keys", scope, name, periods, f"row({scope}, {name}, {periods})")

    def _keep(self, word: str, scope: str, name: str, period: str, value: str) -> str:
        place = (scope, name, period)
        if place not in self._found:
            self._found[place] = local = f"{word}_{len(self._found)}"
            self._places[local] = value
        return self._found[place]

    def kept(self) -> list[str]:
        """The locals of keys and rows, in an order that follows from what they name, not from how they are used."""

        def said(place: tuple[str, str, str]) -> tuple[str, str, str]:
            scope, name, period = place
            return scope, " + ".join(self._places.get(part, part) for part in name.split(" + ")), period

        if len(self._order) != len(self._found):
            self._order = [self._found[place] for place in sorted(self._found, key=said)]
        return self._order

    def used(self, key: str, reading: str = "") -> str:
        """The local of what a total held before the line, read once at the head of `decide`."""
        if key not in self._used:
            self._used[key] = local = f"used_{len(self._used)}"
            self.head(f"{local} = {reading or f'get({key}, 0)'}")
        return self._used[key]

    def add(self, key: str, amount: str) -> None:
        """The line adds `amount`, a local, to a running total."""
        self.deltas.append((key, amount))

    def amounts(self) -> list[str]:
        """Locals of what the line is split into, in the order in which it was decided."""
        return [one.amount for one in self.owed] + [one.amount for one in self.paid]

    def find_source(self) -> str:
        """The function that gives the keys of a line: all of them, and as `decide` takes them."""
        if self._pended:
            return "\n".join(["def find(line, calendar, facts):", self._pended, ""])
        lines = [f"    {name} = {value}" for name, value in self._places.items()]
        return "\n".join(["def find(line, calendar, facts):", *lines, *self._given(), ""])

    def dated_source(self) -> str:
        """The function that gives what numbers of totals owe to the day alone, as `place` takes it."""
        periods = [f"    {name} = {value}" for name, value in self._places.items() if name in self._of_the_day()]
        parts = self._dated()
        lines = [*periods, f"    return ({', '.join([*parts, ''])})" if parts else "    return ()"]
        return "\n".join(["def dated(calendar, homes, slot):", *lines, ""])

    def place_source(self) -> str:
        """As `find`, for the numbers of the totals: keys that share a home share its number, and are never made."""
        head = "def place(line, calendar, facts, said, home, slot):"
        if self._pended:
            return "\n".join([head, self._pended, ""])
        dated = {part: f"said_{number}" for number, part in enumerate(self._dated())}
        lines = [f"    {', '.join([*dated.values(), ''])}= said"] if dated else []
        named = {local: place for place, local in self._found.items()}
        homes: dict[tuple[str, str], str] = {}
        for local, value in self._places.items():
            if local not in named:
                lines.append(f"    {local} = {value}")
                continue
            scope, name, period = named[local]
            if local.startswith("keys"):
                lines.append(f"    {local} = [home({scope}, one) ^ slot({name}, one) for one in {period}]")
                continue
            if (scope, period) not in homes:
                homes[scope, period] = at = f"home_{len(homes)}"
                known = dated.get(f"homes({period})")
                lines.append(f"    {at} = {f'{known}.get({scope}) or ' if known else ''}home({scope}, {period})")
            slot = f"slot({name}, {period})"
            lines.append(f"    {local} = {homes[scope, period]} ^ {dated.get(slot, slot)}")
        return "\n".join([head, *lines, *self._given(), ""])

    def _of_the_day(self) -> set[str]:
        """The locals that say something of the calendar alone."""
        return {name for name, value in self._places.items() if value.startswith("calendar[")}

    def _dated(self) -> list[str]:
        """What a day says of the keys that are named by the documents and the calendar alone, as Python."""
        days, parts = self._of_the_day(), dict[str, None]()
        for (_, name, period), local in self._found.items():
            if period in days and local.startswith("key_"):
                parts[f"homes({period})"] = None
                if is_literal(name) and " + " not in name:
                    parts[f"slot({name}, {period})"] = None
        return list(parts)

    def _given(self) -> list[str]:
        kept = self.kept()
        every = [f"*{local}" if local.startswith("keys") else local for local in kept]
        lines = [f"    kept = ({', '.join([*kept, ''])})" if kept else "    kept = ()"]
        lines.append("    return kept, kept" if kept == every else f"    return ({', '.join([*every, ''])}), kept")
        return lines

    def decide_source(self) -> str:
        """The function that splits a line."""
        kept = self.kept()
        head = [f"{', '.join([*kept, ''])}= kept"] if kept else []
        head += ["get = totals.get"] if self._used else []
        head += self._head
        zeros = [" = ".join([*self._zeros[first : first + 8], "0"]) for first in range(0, len(self._zeros), 8)]
        lines = [f"    {line}" for line in [*head, *zeros]] + self.lines
        return "\n".join(["def decide(line, calendar, facts, kept, totals):", *lines, ""])

    def tell_source(self) -> str:
        """The function that gives the shares of a split."""
        head = ["def tell(billed, allowed, cost, amounts):", "    shares = []"]
        return "\n".join([*head, *self.telling, "    return tuple(shares)", ""])


def joined(*parts: str) -> str:
    """One text after the other; literals beside each other become one."""
    merged: list[str] = []
    for part in parts:
        if merged and is_literal(merged[-1]) and is_literal(part):
            # Literals in other quotes than the usual stay apart.
            same = merged[-1][-1] == part[0] == part[-1]
            merged[-1:] = [merged[-1][:-1] + part[1:]] if same else [merged[-1], part]
        else:
            merged.append(part)
    return " + ".join(merged)


def is_literal(text: str) -> bool:
    """Whether a text in the program is a literal, and not a local or a call."""
    return text[0] in "'\""


def added(names: Sequence[str]) -> str:
    """The sum of some locals."""
    return " + ".join(names) or "0"
