"""What may be paid without asking the person who pays?

Everything, unless the person says otherwise. A mandate says otherwise: a budget of a month that asks before it is
passed, rules up to which amount something is paid by itself, parties that are paid nothing by themselves for now, and
the order of pockets. What a mandate withholds of delivered care waits as an amount due; nobody is refused care for it
(docs/decisions/0026).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Final, Literal, NamedTuple, TypeAlias

from drachm.domain.benefits.model import Key
from drachm.domain.errors import InvalidMessage
from drachm.domain.funding.quota import CATEGORIES_MAX
from drachm.domain.money import MAX_AMOUNT, exponent
from drachm.domain.periods import local_date, zone

BUDGETS_MAX: Final = 16
RULES_MAX: Final = 50
ORDER_MAX: Final = 100
STOPS_MAX: Final = 100
VISIT_TOTAL: Final = "automatic"
"""Name of the running total of what was paid by itself for one visit."""

Per: TypeAlias = Literal["charge", "visit"]
Withholds: TypeAlias = Literal["", "budget", "rule", "question"]
"""What keeps a part of a share from being paid by itself."""

_ID: Final = re.compile("[a-z0-9][a-z0-9_-]{0,31}")


class Budget(NamedTuple):
    """How much a person means to spend on care in each month of a calendar."""

    id: str
    amount: int
    """Micros."""
    currency: str
    zone: str = "UTC"
    """IANA zone of the calendar; the service's own start decides the month."""
    categories: tuple[str, ...] = ()
    """It counts only lines of these service categories; none: every line."""
    asks: bool = True
    """Nothing beyond it is paid by itself; False: it only counts and tells."""

    def counts(self, category: str, currency: str) -> bool:
        """Whether a line of this category in this currency uses it up."""
        return currency == self.currency and (not self.categories or category in self.categories)

    @property
    def name(self) -> str:
        """What it counts, in words; the amount is none of it, so when that changes, what was used stays used."""
        return f"budget/{self.currency}/{self.zone}/{'|'.join(sorted(self.categories))}"


class Rule(NamedTuple):
    """Up to which amount care is paid by itself; the first rule that fits a line decides."""

    most: int | None = None
    """Micros of a person's share; None: any amount; 0: nothing is paid by itself."""
    currency: str = ""
    """Of `most`, and then of the lines it fits; empty where an amount has no meaning."""
    provider: str = ""
    """Party; empty: every one."""
    categories: tuple[str, ...] = ()
    """None: every one."""
    per: Per = "charge"
    """`visit`: the shares of one visit that were paid by themselves count together."""

    def fits(self, provider: str, category: str, currency: str) -> bool:
        """Whether it decides a line."""
        return (
            self.provider in ("", provider)
            and self.currency in ("", currency)
            and (not self.categories or category in self.categories)
        )


class Stop(NamedTuple):
    """A party is paid nothing by itself until a question is answered."""

    provider: str
    question: str


class Mandate(NamedTuple):
    """What a person lets be paid without asking, and from where first."""

    version: int = 0
    """Goes up by one with each change."""
    budgets: tuple[Budget, ...] = ()
    rules: tuple[Rule, ...] = ()
    """None that fits: it is paid by itself."""
    order: tuple[str, ...] = ()
    """Pots, or shared funds, from which to draw first; those not named follow in their own order."""
    stops: tuple[Stop, ...] = ()

    @property
    def binds(self) -> bool:
        """Whether a charge has to ask it."""
        return bool(self.budgets or self.rules or self.stops)

    def rule_for(self, provider: str, category: str, currency: str) -> Rule | None:
        """The rule that decides a line; None: paid by itself, whatever it costs."""
        return next((rule for rule in self.rules if rule.fits(provider, category, currency)), None)

    def stopped(self, provider: str) -> bool:
        """Whether a question keeps a party from being paid by itself."""
        return any(stop.provider == provider for stop in self.stops)

    def place(self, *names: str) -> int:
        """Where something known by these names stands in the order of pockets; behind all that are named otherwise."""
        return next((at for at, one in enumerate(self.order) if one in names), len(self.order))


NO_MANDATE: Final = Mandate()


def month_of_budget(budget: Budget, at: datetime) -> str:
    """The month of a budget's calendar that contains an instant, in the words of running totals.

    >>> from datetime import UTC
    >>> month_of_budget(Budget("all", 5, "JPY", "Asia/Tokyo"), datetime(2025, 1, 31, 15, tzinfo=UTC))
    'M2025-02'
    """
    return f"M{local_date(at, budget.zone).isoformat()[:7]}"


def budget_key(budget: Budget, member: str, month: str) -> Key:
    """The running total of what a person spent of a budget in a month."""
    return Key(member, budget.name, month)


def visit_key(member: str, visit: str) -> Key:
    """The running total of what was paid by itself for one visit."""
    return Key(member, VISIT_TOTAL, f"V:{visit}")


def checked_mandate(mandate: Mandate, *, where: str = "mandate") -> Mandate:
    """The same mandate. Raises `InvalidMessage` for one that cannot stand."""
    _few(mandate.budgets, BUDGETS_MAX, f"{where}.budgets")
    _few(mandate.rules, RULES_MAX, f"{where}.rules")
    _few(mandate.order, ORDER_MAX, f"{where}.order")
    _few(mandate.stops, STOPS_MAX, f"{where}.stops")
    for at, budget in enumerate(mandate.budgets):
        _check_budget(budget, f"{where}.budgets[{at}]")
    for at, rule in enumerate(mandate.rules):
        _check_rule(rule, f"{where}.rules[{at}]")
    if _repeats(budget.id for budget in mandate.budgets):
        raise InvalidMessage("two budgets have one id", where=f"{where}.budgets")
    if _repeats(budget.name for budget in mandate.budgets):
        raise InvalidMessage(
            "two budgets count the same thing", where=f"{where}.budgets", next_step="Keep one of them."
        )
    if _repeats(mandate.order) or not all(mandate.order):
        raise InvalidMessage("the order names each pocket once", where=f"{where}.order")
    return mandate


def _check_budget(budget: Budget, where: str) -> None:
    if not _ID.fullmatch(budget.id):
        raise InvalidMessage("a budget's id is a word of small letters, digits, - and _", where=f"{where}.id")
    if not 0 <= budget.amount <= MAX_AMOUNT:
        raise InvalidMessage("a budget is an amount, 0 or more", where=f"{where}.amount", code="invalid_amount")
    exponent(budget.currency)
    zone(budget.zone)
    _check_categories(budget.categories, where)


def _check_rule(rule: Rule, where: str) -> None:
    if rule.most is not None and not 0 <= rule.most <= MAX_AMOUNT:
        raise InvalidMessage("up to an amount, 0 or more", where=f"{where}.most", code="invalid_amount")
    if bool(rule.most) != bool(rule.currency):
        raise InvalidMessage("an amount above 0 has a currency, and nothing else has one", where=f"{where}.currency")
    if rule.currency:
        exponent(rule.currency)
    if rule.per not in ("charge", "visit"):
        raise InvalidMessage("an amount is per charge or per visit", where=f"{where}.per")
    _check_categories(rule.categories, where)


def _check_categories(categories: Collection[str], where: str) -> None:
    if len(categories) > CATEGORIES_MAX or not all(categories) or any("|" in one or "/" in one for one in categories):
        raise InvalidMessage(f"up to {CATEGORIES_MAX} words name categories", where=f"{where}.categories")


def _few(found: Sequence[object], most: int, where: str) -> None:
    if len(found) > most:
        raise InvalidMessage(f"more than {most}", where=where)


def _repeats(words: Iterable[str]) -> bool:
    found = list(words)
    return len(set(found)) < len(found)
