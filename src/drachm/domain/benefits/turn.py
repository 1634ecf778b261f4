"""What is known of one document's turn while its lines are written?

A `Turn` follows the money of one document by the names of locals: which hold its components, its payments, its bases.
`open_` is what the document has still to decide. Steps move money through the methods here alone, so that the trace,
where it is asked for, is complete.
"""

from __future__ import annotations

from collections.abc import Collection
from contextlib import nullcontext
from typing import Any, Final

from drachm.domain.benefits.conditions import Facts, holds
from drachm.domain.benefits.document import Plan
from drachm.domain.benefits.naming import written
from drachm.domain.benefits.rules import Rule, Scope
from drachm.domain.benefits.script import Owed, Paid, Script, is_literal, joined
from drachm.domain.benefits.words import Condition
from drachm.domain.errors import Pended

FREE: Final = "('', 0, 0)"
"""No limit bound the step. Else: the accumulator, what was used of it, the limit."""

SELF_PAY: Final = "self_pay"
VISIT: Final = "f'V:{line.visit or line.id}'"

LINE_FACTS: Final = {
    "member": "line.member",
    "visit": "line.visit",
    "date": "calendar[1]",
    "quantity": "line.quantity",
}
"""Built-in facts that every line says of itself."""

_PERIODS: Final = {"day": ("day", 2), "rolling_days": ("day", 2), "month": ("month", 3), "quarter": ("quarter", 4)}
BENEFIT_YEARS: Final = 5
"""Where the benefit years of the documents begin in the calendar of a day; before them: the day itself, as text, as a
period, its month, its quarter."""


class Turn:
    """One document at work on the lines of one signature."""

    def __init__(self, script: Script, plan: Plan, number: int, facts: Facts, places: dict[str, int]) -> None:
        self.script = script
        self.plan = plan
        self.number = number
        self.facts = facts
        """For conditions alone: other lines of the signature have other values."""
        self.start = script.name("start")
        """What the document takes over (A)."""
        self.owed: list[Owed] = []
        self.paid: list[Paid] = []
        """What its `pay` steps give, in order; at the end what it really pays."""
        self.bases: list[str] = []
        """Bases of its coinsurance steps."""
        self.credits: list[str] = []
        self.denied = ""
        """The local of the reason for which it denied the line, where it may."""
        self.covered = ""
        """A less excess when its turn is over, where its closing steps ask for it."""
        self.ended = False
        """Whether it denied every line of the signature: no step behind is reached."""
        self.before_caps = ""
        """The local of its share components before the first period_cap; None while there was none."""
        self.keys: dict[str, str] = {}
        """Accumulator -> its key."""
        self.left = "open_"
        """What is open, as the trace tells it; nothing once the document has settled."""
        self._places = places

    def holds(self, condition: Condition) -> bool:
        return holds(condition, self.facts)

    def value(self, fact: str, *, in_find: bool = False) -> str | None:
        """A fact's value on the line, as Python; None where it is absent. Raises `Pended` where it is missing."""
        known: Any = self.facts[fact]
        if known is None:
            return None
        if fact in self._places:
            place = f"facts[{self._places[fact]}]"
            if in_find:
                return place
            self.script.head(f"fact_{self._places[fact]} = {place}")
            return f"fact_{self._places[fact]}"
        # What is neither declared nor the line's own, a band or `payer_set`, follows from the signature.
        return LINE_FACTS.get(fact) or repr(known)

    def takes_over(self) -> list[Owed]:
        """The patient's components of earlier documents that this one takes over."""
        names = self.plan.takes_over
        return [
            owed
            for owed in self.script.owed
            if not owed.provider
            and (
                (not owed.excess if names is None else owed.component in names)
                or (owed.component == SELF_PAY and not owed.document)
            )
        ]

    def scope(self, scope: Scope) -> str:
        """Whose total it is; a line without family or policy counts as its member's own."""
        place = self.script.place
        member = place("member", "line.member")
        if scope == "family":
            return place("family", "line.family or line.member")
        if scope == "policy":
            policy = f"line.policies.get({self.plan.id!r}) or line.policy or line.member"
            return place(f"policy_{self.number}", policy)
        return member

    def total_name(self, stem: str, by: tuple[str, ...], brackets: str = "[]") -> str:
        """`stem`, and behind it the values of the facts that split the total: ``plan/visits[in|G34B]``."""
        if not by and brackets == "[]":
            return repr(stem)
        parts = [repr(stem + brackets[0])]
        for fact in by:
            value = self.value(fact, in_find=True)
            follows = value is None or (fact not in self._places and fact not in LINE_FACTS)
            parts += [repr(written(self.facts[fact])) if follows else f"written({value})", "'|'"]
        name = joined(*(parts[:-1] if by else parts), repr(brackets[1]))
        return name if is_literal(name) and " + " not in name else self.script.shared("name", name)

    def period(self, period: str) -> str:
        """In which period of the total the line lies; a rolling total is written under the day."""
        place = self.script.place
        if period in _PERIODS:
            word, index = _PERIODS[period]
            return place(word, f"calendar[{index}]")
        if period == "benefit_year":
            return place(f"year_{self.number}", f"calendar[{BENEFIT_YEARS + self.number}]")
        if period == "policy_year":
            start = self.value("policy_start", in_find=True)
            if start is None:
                why = "a policy year needs the day on which the policy started"
                raise Pended("fact_missing", why, where="policy_start")
            return place(f"policy_year_{self.number}", f"policy_year(calendar[0], {start})")
        if period == "lifetime":
            return "'L'"
        if period == "admission":
            # It leans on no other place: a credit says it without the keys.
            return place("admission", f"f'A:{{line.admission}}' if line.admission else {VISIT}")
        return place("visit", VISIT)

    def take(self, rule: Rule, moved: str, why: str, *, excess: bool = False, provider: bool = False) -> None:
        """Move `moved`, a local, from `open_` to the rule's component; nothing when it is not positive."""
        script = self.script
        amount = script.zero(rule.kind)
        with script.block(f"if {moved} > 0:"):
            script.write(f"{amount} = {moved}")
            script.write(f"open_ -= {amount}")
            self.note(rule, amount, rule.component, why)
        self.owed.append(Owed(amount, self.plan.id, rule.id, rule.component, rule.reason, excess, provider))

    def give_back(self, rule: Rule, owed: Owed, due: str, why: str) -> None:
        """Move what is due of a component, at most all of it, back to `open_`; `due` is lowered by it."""
        script = self.script
        with script.block(f"if {owed.amount} > 0 < {due}:"):
            back = script.let("back", f"{owed.amount} if {owed.amount} < {due} else {due}")
            script.write(f"{owed.amount} -= {back}")
            script.write(f"{due} -= {back}")
            script.write(f"open_ += {back}")
            self.note(rule, f"-{back}", owed.component, why)

    def pay(self, rule: Rule, party: str, moved: str, why: str) -> None:
        """Have a party pay `moved`, a local, of `open_`; nothing when it is not positive."""
        script = self.script
        amount = script.zero("pay")
        with script.block(f"if {moved} > 0:"):
            script.write(f"{amount} = {moved}")
            script.write(f"open_ -= {amount}")
            self.note(rule, amount, party, why)
        self.paid.append(Paid(amount, self.plan.id, party, rule.reason))

    def deny(self, rule: Rule) -> None:
        """End the line for this document; `denied` is there because the step may deny."""
        script = self.script
        script.write(f"{self.denied} = {rule.reason!r}")
        script.write("break")
        script.stops = True
        self.ended = not script.doubts

    def shares(self) -> list[str]:
        """The components of class share that the document left to the patient."""
        return [owed.amount for owed in self.owed if not owed.excess]

    def excess(self) -> list[str]:
        """The components of class excess, whoever bears them."""
        return [owed.amount for owed in self.owed if owed.excess]

    def components(self, names: Collection[str] | None = None, without: Collection[str] = ()) -> list[str]:
        """What the patient bears of the components of these names; None: of all."""
        return [
            owed.amount
            for owed in self.owed
            if not owed.provider and (names is None or owed.component in names) and owed.component not in without
        ]

    def unless_denied(self) -> Any:
        """A block for lines that do not concern a denied line."""
        return self.script.block(f"if not {self.denied}:") if self.denied else nullcontext()

    def note(self, rule: Rule, amount: str, target: str, why: str) -> None:
        """Explain a movement; `own:` marks what an independent document works out for itself and nobody owes."""
        if self.plan.starts_from is not None:
            target = f"own:{target}"
        if self.script.explains:
            said = (self.plan.id, self.plan.version, rule.id, rule.kind, rule.clause, rule.reason)
            step = f"{', '.join(map(repr, said))}, {amount}, {target!r}, {self.left}, *{why}"
            self.script.write(f"trace.append(Step({step}))")

    def explain(self, kind: str, reason: str, amount: str, target: str) -> None:
        """Explain a movement that no step of the list made; nothing is open then."""
        if self.script.explains:
            said = (self.plan.id, self.plan.version, kind, kind, "", reason)
            self.script.write(f"trace.append(Step({', '.join(map(repr, said))}, {amount}, {target!r}, 0))")
