"""Which care may money for a purpose pay for?

Expense rules are a published document of their own: what the law or the giver says about a kind of pot, such as 26
U.S.C. 213(d) and 223(d)(2) about a health savings account. The first rule that fits a line decides. The words of
conditions are those of a plan (docs/reference/plan-model.md, section 2); docs/reference/expense-rules.md is the manual.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from drachm.domain.benefits.conditions import Facts, holds
from drachm.domain.benefits.document import FactType
from drachm.domain.benefits.facts import Fits, fits, fits_integer
from drachm.domain.benefits.load import read_effective, read_text, read_zone
from drachm.domain.benefits.load_rules import Declared, read_condition, read_facts
from drachm.domain.benefits.model import Line
from drachm.domain.benefits.place import Place
from drachm.domain.benefits.words import AnyOf, Condition, Not
from drachm.domain.canonical import content_hash
from drachm.domain.errors import InvalidMessage
from drachm.domain.periods import Period, local_date

_REQUIRED: Final = ("id", "version", "zone", "effective", "rules", "otherwise")
_OPTIONAL: Final = ("title", "source", "facts", "groups", "text")


class Verdict(NamedTuple):
    """Whether a line may be paid from such a pot."""

    eligible: bool
    clause: str
    """Of the rule that said so; empty: none fitted."""


@dataclass(frozen=True, slots=True)
class ExpenseRule:
    when: Condition
    eligible: bool
    clause: str


@dataclass(frozen=True, slots=True)
class ExpenseRules:
    """One version of the rules of one kind of money, checked."""

    id: str
    version: str
    title: str
    source: str
    """Statute or letter they are taken from."""
    zone: str
    effective: Period
    """Half-open, on the local day of service in `zone`."""
    hash: str
    facts: Mapping[str, FactType]
    rules: tuple[ExpenseRule, ...]
    otherwise: bool
    """What holds for a line that no rule fits."""
    text: Mapping[str, str]
    """Clause -> sentence."""
    _fits: Mapping[str, Fits] = field(repr=False, compare=False, default_factory=dict)
    _asked: tuple[str, ...] = field(repr=False, compare=False, default=())
    """What the rules look at; nothing else of a line is read."""

    def verdict(self, line: Line) -> Verdict:
        """Whether the line is eligible. A fact that nobody supplied, or that does not fit, is absent: nothing pends."""
        values: dict[str, Any] = {}
        for name in self._asked:
            fact = self.facts.get(name)
            if fact is None:
                values[name] = _of_line(line, name, self.zone)
                continue
            value = line.facts.get(name, False if fact.kind == "flag" and fact.default is None else fact.default)
            values[name] = value if self._fits[name](value) else None
        facts = Facts(values, {})
        for rule in self.rules:
            if holds(rule.when, facts):
                return Verdict(rule.eligible, rule.clause)
        return Verdict(self.otherwise, "")


def _of_line(line: Line, name: str, zone: str) -> Any:
    """What every line says of itself, without a declaration."""
    if name == "date":
        return local_date(line.at, zone).isoformat()
    if name == "third_party_help":
        helped = line.facts.get(name, 0)
        return helped if fits_integer(helped) else 0
    return {"member": line.member, "visit": line.visit, "quantity": line.quantity}[name]


def load_expense_rules(document: Mapping[str, Any]) -> ExpenseRules:
    """Read one document of expense rules (parsed JSON, integers only).

    Raises `InvalidMessage` (``invalid_document``) naming the JSON path.
    """
    try:
        return _loaded(document)
    except InvalidMessage as error:
        # The reader of plans speaks of plans.
        raise InvalidMessage(
            error.message, where=error.where, next_step=error.next_step, code="invalid_document"
        ) from None


def _loaded(document: Mapping[str, Any]) -> ExpenseRules:
    fields = Place(document).fields(_REQUIRED, _OPTIONAL)
    declared = Declared(facts=read_facts(fields["facts"])) if "facts" in fields else Declared()
    for name, item in (fields["groups"].members() if "groups" in fields else {}).items():
        declared.groups[name] = frozenset(item.texts())
    rules = tuple(_rule(item, declared) for item in fields["rules"].items())
    return ExpenseRules(
        id=fields["id"].identifier(),
        version=fields["version"].text(),
        title=fields["title"].text(empty=True) if "title" in fields else "",
        source=fields["source"].text(empty=True) if "source" in fields else "",
        zone=read_zone(fields["zone"]),
        effective=read_effective(fields["effective"]),
        hash=content_hash(document),
        facts=declared.facts,
        rules=rules,
        otherwise=fields["otherwise"].flag(),
        text=read_text(fields.get("text")),
        _fits={name: fits(fact) for name, fact in declared.facts.items()},
        _asked=tuple(sorted({name for rule in rules for name in _facts_of(rule.when)})),
    )


def _facts_of(condition: Condition) -> Iterator[str]:
    for part in condition.parts:
        if isinstance(part, Not):
            yield from _facts_of(part.condition)
        elif isinstance(part, AnyOf):
            for one in part.conditions:
                yield from _facts_of(one)
        else:
            yield part.fact


def _rule(place: Place, declared: Declared) -> ExpenseRule:
    fields = place.fields(("when", "eligible", "clause"))
    when = read_condition(fields["when"], declared, before_payers=True)
    return ExpenseRule(when, fields["eligible"].flag(), fields["clause"].text())
