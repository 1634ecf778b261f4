"""What may a rule look at, and how much is it?

Readers of facts, bands, conditions, amounts and expressions (docs/reference/plan-model.md, sections 2 and 6). They
check that every name is declared and compared in a way that fits its type.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from drachm.domain.benefits.document import BUILT_IN, Accumulator, Band, FactKind, FactType, ReliefMonths
from drachm.domain.benefits.facts import fits
from drachm.domain.benefits.place import Place
from drachm.domain.benefits.words import (
    ALWAYS,
    Amount,
    AnyOf,
    Case,
    Cases,
    Condition,
    Expression,
    FromFact,
    Growing,
    Not,
    OneOf,
    Part,
    UsedRange,
    WhenUsed,
    Within,
)
from drachm.domain.events.model import Fact
from drachm.domain.money import MICROS

FACT_KINDS: Final[tuple[FactKind, ...]] = ("flag", "number", "money", "date", "text")
NUMERIC: Final = frozenset({"number", "money"})
AMOUNT_NAMES: Final = frozenset({"billed", "cost", "earlier_paid", "remaining", "own_allowed"})
OWN_NAMES: Final = frozenset({"own_benefit", "own_cost_share"})


@dataclass(slots=True)
class Declared:
    """The names that rules of one document may use; filled while the document is read from top to bottom."""

    facts: dict[str, FactType] = field(default_factory=dict)
    bands: dict[str, Band] = field(default_factory=dict)
    groups: dict[str, frozenset[str]] = field(default_factory=dict)
    accumulators: dict[str, Accumulator | ReliefMonths] = field(default_factory=dict)
    independent: bool = False
    frozen: set[str] = field(default_factory=set)
    """Accumulators that some `when_used` looks at."""

    def kind(self, name: str) -> FactKind | None:
        """The type of a declared, band or built-in fact; None when there is none of that name."""
        if name in self.facts:
            return self.facts[name].kind
        return "words" if name in self.bands else BUILT_IN.get(name)

    def words(self, name: str) -> frozenset[str]:
        """The words of a band fact or of a fact declared by its words."""
        return frozenset(self.bands[name].words) if name in self.bands else self.facts[name].words


def read_facts(place: Place) -> dict[str, FactType]:
    """The declared facts by name."""
    found = {}
    for name, item in place.members().items():
        _free_name(name, item)
        found[name] = _fact_type(item)
    return found


def _free_name(name: str, place: Place) -> None:
    if not name or name in ("not", "any"):
        raise place.refuse(
            f"{name!r} cannot name a fact", "Choose another name; 'not' and 'any' are words of conditions."
        )
    if name in BUILT_IN:
        raise place.refuse(f"{name!r} is built in", "Remove it: built-in facts are never declared.")


def _fact_type(place: Place) -> FactType:
    if not isinstance(place.value, Mapping):
        return FactType(*_kind_and_words(place))
    fields = place.fields(("type", "default"))
    kind, words = _kind_and_words(fields["type"])
    default = fields["default"]
    if default.value is not None and not fits(FactType(kind, words))(default.value):
        raise default.refuse("does not fit the type", "Give a default of the declared type, or null.")
    _storable(default)
    return FactType(kind, words, required=False, default=default.value)


def _storable(place: Place) -> None:
    """Texts and integers must be such that the document has a hash."""
    if isinstance(place.value, str):
        place.text(empty=True)
    elif isinstance(place.value, int) and not isinstance(place.value, bool):
        place.integer()


def _kind_and_words(place: Place) -> tuple[FactKind, frozenset[str]]:
    if isinstance(place.value, list | tuple):
        return "words", frozenset(place.texts(least=1))
    for kind in FACT_KINDS:
        if place.value == kind:
            return kind, frozenset()
    raise place.refuse("is not a type", f"Use a list of words, or one of: {', '.join(FACT_KINDS)}.")


def read_band(place: Place, declared: Declared) -> Band:
    """One band over a number or money fact that is declared already."""
    fields = place.fields(("fact", "of", "to"))
    name = fields["fact"].text()
    _free_name(name, fields["fact"])
    if name in declared.facts or name in declared.bands:
        raise fields["fact"].refuse(f"{name!r} is declared twice", "Choose another name.")
    of = fields["of"].text()
    if of not in declared.facts or declared.facts[of].kind not in NUMERIC:
        raise fields["of"].refuse("is not a declared number or money fact", "Declare it under 'facts'.")
    bounds: list[int] = []
    words: list[str] = []
    entries = fields["to"].items(least=1)
    for entry in entries:
        members = entry.fields(("is",), ("below",))
        if ("below" in members) == (entry is entries[-1]):
            raise entry.refuse("the last entry, and only it, has no 'below'", "Leave the last band open.")
        if "below" in members:
            bounds.append(members["below"].integer())
        words.append(members["is"].text())
        if len(bounds) > 1 and bounds[-1] <= bounds[-2]:
            raise entry.refuse("'below' does not ascend", "Order the entries by 'below'.")
    return Band(name, of, tuple(bounds), tuple(words))


def read_condition(place: Place | None, declared: Declared, *, before_payers: bool = False) -> Condition:
    """A condition; with `before_payers` it may not read `payer_set`, which does not exist yet."""
    if place is None:
        return ALWAYS
    parts: list[Part] = []
    for key, item in sorted(place.members().items()):
        if key == "not":
            parts.append(Not(read_condition(item, declared, before_payers=before_payers)))
        elif key == "any":
            alternatives = (read_condition(one, declared, before_payers=before_payers) for one in item.items(least=1))
            parts.append(AnyOf(tuple(alternatives)))
        else:
            if key == "payer_set" and before_payers:
                raise item.refuse("'payer_set' does not exist yet", "Ask for other facts in 'applies'.")
            parts.append(_comparison(key, item, declared))
    return Condition(tuple(parts))


def _comparison(name: str, place: Place, declared: Declared) -> Part:
    kind = declared.kind(name)
    if kind is None:
        raise place.refuse(f"the fact {name!r} is not declared", "Declare it under 'facts' or 'bands'.")
    if isinstance(place.value, Mapping):
        if "in_group" in place.value:
            return OneOf(name, _group(place, kind, declared))
        return _range(name, place, kind)
    entries = place.items(least=1) if isinstance(place.value, list | tuple) else [place]
    words = declared.words(name) if kind == "words" else frozenset()
    fitting = fits(FactType(kind, words))
    values: set[Fact] = set()
    for entry in entries:
        _storable(entry)
        if not fitting(entry.value):
            hint = f"Use one of: {', '.join(sorted(words))}." if words else f"Write a {kind}."
            raise entry.refuse(f"does not fit the fact {name!r}", hint)
        values.add(entry.value)
    return OneOf(name, frozenset(values))


def _group(place: Place, kind: FactKind, declared: Declared) -> frozenset[Fact]:
    member = place.fields(("in_group",))["in_group"]
    if kind not in ("words", "text"):
        raise place.refuse("only words and texts are in groups", "Compare it by value or range.")
    group = member.text()
    if group not in declared.groups:
        raise member.refuse(f"the group {group!r} is not defined", "Define it under 'groups'.")
    return frozenset[Fact](declared.groups[group])


def _range(name: str, place: Place, kind: FactKind) -> Within:
    fields = place.fields((), ("at_least", "below", "in_group"))
    if kind not in ("number", "money", "date"):
        raise place.refuse(f"the fact {name!r} has no order", "Ranges fit numbers, money and dates.")
    if not fields:
        raise place.refuse("names no bound", "Give 'at_least', 'below' or both.")
    bounds = {key: bound.day() if kind == "date" else bound.integer() for key, bound in fields.items()}
    return Within(name, bounds.get("at_least"), bounds.get("below"))


def read_when_used(place: Place | None, declared: Declared) -> WhenUsed:
    """Ranges of accumulators, in code-point order; these accumulators are frozen within a visit from then on."""
    if place is None:
        return ()
    ranges = []
    for name, item in sorted(place.members().items()):
        if name not in declared.accumulators:
            raise item.refuse(f"the accumulator {name!r} is not defined", "Define it under 'accumulators'.")
        declared.frozen.add(name)
        fields = item.fields((), ("at_least", "below"))
        if not fields:
            raise item.refuse("names no bound", "Give 'at_least', 'below' or both.")
        bounds = {key: bound.integer() for key, bound in fields.items()}
        ranges.append(UsedRange(name, bounds.get("at_least"), bounds.get("below")))
    return tuple(ranges)


def read_amount(place: Place | None, declared: Declared, *, most: int | None = None) -> Amount:
    """Money, a count or months; with `most` a rate in parts per million. An absent amount is no rule."""
    if place is None or place.value is None:
        return None
    if not isinstance(place.value, Mapping):
        return place.integer(0, most)
    if "cases" in place.value:
        cases = place.fields(("cases",))["cases"].items(least=1)
        return Cases(tuple(_case(case, declared, most) for case in cases))
    if "fact" in place.value:
        return _from_fact(place, declared)
    return _growing(place, declared)


def read_rate(place: Place | None, declared: Declared) -> Amount:
    """An amount of parts per million, 0..1000000."""
    return read_amount(place, declared, most=MICROS)


def _case(place: Place, declared: Declared, most: int | None) -> Case:
    fields = place.fields(("value",), ("when", "when_used"))
    return Case(
        read_condition(fields.get("when"), declared),
        read_when_used(fields.get("when_used"), declared),
        read_amount(fields["value"], declared, most=most),
    )


def _from_fact(place: Place, declared: Declared) -> FromFact:
    fields = place.fields(("fact",), ("ppm",))
    name = fields["fact"].text()
    if declared.kind(name) not in NUMERIC:
        raise fields["fact"].refuse(f"{name!r} is not a number or money fact", "Declare it as number or money.")
    return FromFact(name, fields["ppm"].integer(0, MICROS) if "ppm" in fields else None)


def _growing(place: Place, declared: Declared) -> Growing:
    fields = place.fields(("base", "per_extra_member", "members_included"), ("max",))
    size = declared.facts.get("family_size")
    if size is None or size.kind != "number":
        raise place.refuse("grows with 'family_size', which is not declared", "Declare 'family_size' as a number.")
    amounts = {key: item.integer(0) for key, item in fields.items()}
    return Growing(amounts["base"], amounts["per_extra_member"], amounts["members_included"], amounts.get("max"))


def read_expression(place: Place, declared: Declared, *, own: bool = False) -> Expression:
    """An expression of section 6; with `own` (inside `coordinate`) it may name the document's own result."""
    fields = place.fields(("greatest",), ("less",))
    greatest = fields["greatest"].items(least=1)
    less = fields["less"].items() if "less" in fields else []
    for item in (*greatest, *less):
        name = item.text()
        fact = declared.facts.get(name)
        known = name in AMOUNT_NAMES or (own and name in OWN_NAMES) or (fact is not None and fact.kind == "money")
        if not known:
            raise item.refuse(f"{name!r} is not an amount", "Use a name of section 6 or declare it as money.")
    return Expression(tuple(item.value for item in greatest), tuple(item.value for item in less))
