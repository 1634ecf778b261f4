"""What does a line say of itself, as far as its plans can tell?

For a stack of documents one function is written that reads the facts of all of them, refuses those that do not fit, and
gives the line's signature with the values that rules use (docs/reference/plan-model.md, section 2).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeAlias

from drachm.domain.benefits.conditions import MISSING, Facts, Looks
from drachm.domain.benefits.document import BUILT_IN, FactKind, FactType, Plan
from drachm.domain.benefits.facts import fits, fits_day, fits_integer
from drachm.domain.benefits.model import Line
from drachm.domain.benefits.turn import LINE_FACTS
from drachm.domain.errors import Pended

Read: TypeAlias = Callable[[Line, tuple[Any, ...]], tuple[tuple[Any, ...], tuple[Any, ...]]]

_CLASSES: Final[dict[FactKind, str]] = {
    "words": "str", "text": "str", "date": "str", "flag": "bool", "number": "int", "money": "int",
}  # fmt: skip


class Reading:
    """Writes the reading of a stack; knows afterwards which value stands where."""

    def __init__(self, plans: Sequence[Plan]) -> None:
        self.places: list[dict[str, int]] = []
        """For each document: fact -> its place among the values."""
        self._plans = plans
        self._lines: list[str] = []
        self._values: list[str] = []
        self._signature: list[str] = ["not line.visit"]
        self._asked: dict[tuple[str, str], str] = {}
        """Fact and default -> the local that holds what the line says of it."""
        self._names: dict[str, Any] = {
            "MISSING": MISSING,
            "bisect": bisect_right,
            "fits_day": fits_day,
            "fitting": self._fitting,
            "nothing": {},
        }
        for number, plan in enumerate(plans):
            self._document(number, plan)
        self.source = "\n".join(
            [
                "def read(line, calendar):",
                "    given, overriding = line.facts.get, line.document_facts",
                *[f"    {line}" for line in self._lines],
                f"    return ({', '.join(self._signature)},), ({', '.join([*self._values, ''])})",
                "",
            ]
        ).replace("(, ", "(")

    def function(self) -> Read:
        """The function: a line and its day to the signature and the values. It raises `Pended` (``fact_invalid``)."""
        exec(compile(self.source, "<the facts of a stack>", "exec"), self._names)  # noqa: S102 - our own lines
        read: Read = self._names["read"]
        return read

    def facts(self, number: int, line: Line, day: str, values: tuple[Any, ...], payers: str = "") -> Facts:
        """What conditions of one document may look at on a line."""
        plan = self._plans[number]
        found = {fact: values[place] for fact, place in self.places[number].items()}
        found |= {"member": line.member, "date": day, "visit": line.visit, "quantity": line.quantity}
        for band in plan.bands:
            value = found.get(band.of, MISSING)
            absent = value is None or value is MISSING
            found[band.fact] = value if absent else band.words[bisect_right(band.bounds, value)]
        return Facts({**found, "payer_set": payers}, {band.fact: band.of for band in plan.bands})

    def _document(self, number: int, plan: Plan) -> None:
        looks = Looks(plan)
        self.places.append({})
        self._lines.append(f"mine = overriding.get({plan.id!r}) or nothing")
        for position, (name, fact) in enumerate(plan.facts.items()):
            local = f"fact_{number}_{position}"
            self._declared(number, name, fact, local)
            self._keep(number, name, fact.kind, local, looks, optional=_optional(fact))
        given = f"help_{number}"
        self._lines.append(f"{given} = {self._said('third_party_help', '0')}")
        check = f"{given} = fitting({given}, {number}, 'third_party_help')"
        self._lines.append(f"if {given}.__class__ is not int: {check}")
        for name, value in LINE_FACTS.items():
            self._keep(number, name, BUILT_IN[name], value, looks, optional=False)
        self._keep(number, "third_party_help", "money", f"max(0, {given})", looks, optional=False)

    def _declared(self, number: int, name: str, fact: FactType, local: str) -> None:
        """Read one declared fact, and see that it fits."""
        wrong = f"{local}.__class__ is not {_CLASSES[fact.kind]}"
        if fact.kind == "date":
            wrong += f" or not fits_day({local})"
        elif fact.kind == "words":
            self._names[f"words_{local}"] = fact.words
            wrong += f" or {local} not in words_{local}"
        check = f"if {wrong}: {local} = fitting({local}, {number}, {name!r})"
        if _optional(fact):
            self._lines.append(f"{local} = {self._said(name, 'MISSING')}")
            if fact.required:
                check = check.replace(f"if {wrong}:", f"if {local} is not MISSING and ({wrong}):")
            else:
                self._lines.append(f"if {local} is MISSING: {local} = None")
                check = f"el{check}"
            self._lines.append(check)
        else:
            default = False if fact.required else fact.default
            self._lines += [f"{local} = {self._said(name, repr(default))}", check]

    def _said(self, name: str, default: str) -> str:
        """A fact as the document's own facts have it, else as the line has it; that is asked once for all."""
        asked = (name, default)
        if asked not in self._asked:
            self._asked[asked] = f"given_{len(self._asked)}"
            self._lines.append(f"{self._asked[asked]} = given({name!r}, {default})")
        return f"mine.get({name!r}, {self._asked[asked]}) if mine else {self._asked[asked]}"

    def _keep(self, number: int, name: str, kind: FactKind, local: str, looks: Looks, *, optional: bool) -> None:
        """Give the value to the rules that use it, and to the signature what conditions can tell of it."""
        looked_at = name in looks.lists or name in looks.bounds
        if (looked_at or name in looks.read) and (name in self._plans[number].facts or name == "third_party_help"):
            self.places[number][name] = len(self._values)
            self._values.append(local)
        if not looked_at:
            if name in looks.read and optional:
                self._signature.append(f"{local} if {local} is None or {local} is MISSING else 0")
        elif kind == "flag":
            self._signature.append(local)
        elif kind in ("text", "words"):
            classes = looks.classes(name)
            self._names[f"class_{len(self._signature)}"] = {**classes, MISSING: -1}.get
            self._signature.append(f"class_{len(self._signature)}({local}, 0)")
        else:
            self._names[f"cuts_{len(self._signature)}"] = tuple(looks.cuts(name))
            part = f"bisect(cuts_{len(self._signature)}, {local})"
            guarded = f"{local} if {local} is None or {local} is MISSING else {part}"
            self._signature.append(guarded if optional else part)

    def _fitting(self, value: Any, number: int, name: str) -> Any:
        """A value of a subclass of its type; what does not fit pends the line, read by a rule or not."""
        plan = self._plans[number]
        fact = plan.facts.get(name)
        if fits(fact)(value) if fact else fits_integer(value):
            return value
        raise Pended(
            "fact_invalid",
            f"the fact {name!r} does not fit what plan {plan.id} declares",
            where=name,
            next_step="Correct the fact at its source; the event then clears as a new revision.",
        )


def _optional(fact: FactType) -> bool:
    """Whether the fact may be missing, or absent by a null default."""
    return fact.kind != "flag" if fact.required else fact.default is None
