"""What does one step of a plan say?

One reader per kind of step (docs/reference/plan-model.md, sections 4 and 5), named in the table `READERS`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Literal, cast

from drachm.domain.benefits.document import Accumulator
from drachm.domain.benefits.load_rules import (
    Declared,
    read_amount,
    read_condition,
    read_expression,
    read_rate,
    read_when_used,
)
from drachm.domain.benefits.place import Place
from drachm.domain.benefits.rules import (
    COST_SHARE,
    BenefitLimit,
    CapCase,
    Coinsurance,
    Coordinate,
    Copay,
    Deductible,
    Exclude,
    Limit,
    OutOfPocketMax,
    Pay,
    PeriodCap,
    Pool,
    Qualify,
    RateBand,
    Rule,
    Scale,
    Scope,
    UnitLimit,
    WaitingPeriod,
)
from drachm.domain.money import MICROS

SCOPES: Final = ("person", "family", "policy")
PERIODS: Final = ("visit", "admission", "day", "month", "quarter", "benefit_year", "policy_year", "lifetime")
COUNTED: Final = frozenset({"units", "lines", "visits"})
MEASURED: Final = frozenset({"covered", "coinsured", "patient", "cost_share", "coinsurance", "paid"})
"""Measures that can say in which band of a coinsurance a line stands."""

_HEAD: Final = ("id", "kind", "clause")
_COMMON: Final = ("when", "when_used", "component", "reason")
_COMPONENT: Final = {"exclude": "not_covered", "waiting_period": "not_covered", "benefit_limit": "over_limit"}
_REASON: Final = {
    "exclude": "not_covered",
    "benefit_limit": "over_limit",
    "pay": "plan_pays",
    "coordinate": "coordination",
}


def read_step(place: Place, declared: Declared, *, closing: bool = False) -> Rule:
    """One step. `closing` steps are `period_cap` only; an independent document has none of those."""
    kind_place = place.members().get("kind")
    if kind_place is None:
        raise place.refuse("lacks 'kind'", f"Name the kind: {', '.join(READERS)}.")
    kind = kind_place.choice(READERS)
    if closing and kind != "period_cap":
        raise kind_place.refuse("cannot close a line", "Only period_cap may stand in closing_steps.")
    if kind == "period_cap" and declared.independent:
        raise kind_place.refuse("cannot stand in an independent document", "Remove it or 'starts_from'.")
    if kind == "coordinate" and not declared.independent:
        raise kind_place.refuse("needs an independent document", "Give 'starts_from' an expression.")
    return READERS[kind](place, declared)


def _open(place: Place, declared: Declared, *own: str, needs: tuple[str, ...] = ()) -> tuple[dict[str, Place], Any]:
    """The fields of a step and what all steps share, as keyword arguments."""
    fields = place.fields((*_HEAD, *needs), (*_COMMON, *own))
    kind = fields["kind"].value
    fields["clause"].text()
    head = {
        "id": fields["id"].identifier(),
        "kind": kind,
        "clause": fields["clause"].value,
        "when": read_condition(fields.get("when"), declared),
        "when_used": read_when_used(fields.get("when_used"), declared),
        "component": fields["component"].identifier() if "component" in fields else _COMPONENT.get(kind, kind),
        "reason": fields["reason"].text() if "reason" in fields else _REASON.get(kind, kind),
    }
    return fields, head


def _exclude(place: Place, declared: Declared) -> Rule:
    fields, head = _open(place, declared, "bearer")
    return Exclude(**head, by_provider=_by_provider(fields))


def _waiting_period(place: Place, declared: Declared) -> Rule:
    fields, head = _open(place, declared, "bearer", needs=("since", "months"))
    since = fields["since"].text()
    if since not in declared.facts or declared.facts[since].kind != "date":
        raise fields["since"].refuse(f"{since!r} is not a declared date fact", "Declare it under 'facts' as date.")
    months = read_amount(fields["months"], declared)
    return WaitingPeriod(**head, since=since, months=months, by_provider=_by_provider(fields))


def _benefit_limit(place: Place, declared: Declared) -> Rule:
    own = ("each", "per", "amount", "limits", "unit_limits", "denies", "bearer")
    fields, head = _open(place, declared, *own)
    unit_limits = fields["unit_limits"].items() if "unit_limits" in fields else []
    return BenefitLimit(
        **head,
        each=read_amount(fields.get("each"), declared),
        per_unit="per" in fields and fields["per"].choice(("line", "unit")) == "unit",
        amount=read_amount(fields.get("amount"), declared),
        limits=_limits(fields.get("limits"), declared),
        unit_limits=tuple(_unit_limit(item, declared) for item in unit_limits),
        denies=fields["denies"].flag() if "denies" in fields else True,
        by_provider=_by_provider(fields),
    )


def _copay(place: Place, declared: Declared) -> Rule:
    fields, head = _open(place, declared, "amount", "per", "ppm", "min", "max", "of", "limits")
    other = {"ppm", "min", "max"} if "amount" in fields else {"amount", "per"}
    if not ({"amount", "ppm"} & fields.keys()) or other & fields.keys():
        raise place.refuse("mixes a fixed copay with a rate", "Give 'amount' and 'per', or 'ppm', 'min' and 'max'.")
    per = fields["per"].choice(("line", "unit", "visit", "day")) if "per" in fields else "line"
    return Copay(
        **head,
        amount=read_amount(fields.get("amount"), declared),
        per=cast(Literal["line", "unit", "visit", "day"], per),
        ppm=read_rate(fields.get("ppm"), declared),
        minimum=read_amount(fields.get("min"), declared),
        maximum=read_amount(fields.get("max"), declared),
        of_cost=_of_cost(fields),
        limits=_limits(fields.get("limits"), declared),
    )


def _deductible(place: Place, declared: Declared) -> Rule:
    fields, head = _open(place, declared, "limits")
    return Deductible(**head, limits=_limits(fields.get("limits"), declared))


def _coinsurance(place: Place, declared: Declared) -> Rule:
    fields, head = _open(place, declared, "ppm", "bands", "measure", "of", "limits")
    if ("ppm" in fields) == ("bands" in fields) or ("bands" in fields) != ("measure" in fields):
        raise place.refuse("has no clear rate", "Give 'ppm' alone, or 'bands' with 'measure'.")
    measure = ""
    if "measure" in fields:
        measure = _fed_once(fields["measure"], declared, MEASURED)
    return Coinsurance(
        **head,
        ppm=read_rate(fields.get("ppm"), declared),
        bands=_rate_bands(fields["bands"], declared) if "bands" in fields else (),
        measure=measure,
        of_cost=_of_cost(fields),
        limits=_limits(fields.get("limits"), declared),
    )


def _pay(place: Place, declared: Declared) -> Rule:
    fields, head = _open(place, declared, "party", "amount", "ppm", "limits")
    if "amount" in fields and "ppm" in fields:
        raise place.refuse("has both 'amount' and 'ppm'", "Keep one of them.")
    return Pay(
        **head,
        party=fields["party"].text() if "party" in fields else "",
        everything="amount" not in fields and "ppm" not in fields,
        amount=read_amount(fields.get("amount"), declared),
        ppm=read_rate(fields.get("ppm"), declared),
        limits=_limits(fields.get("limits"), declared),
    )


def _out_of_pocket_max(place: Place, declared: Declared) -> Rule:
    fields, head = _open(place, declared, "limits", "counts")
    counts = frozenset(fields["counts"].identifiers()) if "counts" in fields else COST_SHARE
    return OutOfPocketMax(**head, limits=_limits(fields.get("limits"), declared), counts=counts)


def _period_cap(place: Place, declared: Declared) -> Rule:
    own = ("scale", "qualify", "settle", "recover", "counts", "basis")
    fields, head = _open(place, declared, *own, needs=("pool", "cap"))
    return PeriodCap(
        **head,
        pool=_pool(fields["pool"], declared),
        cap=_cap(fields["cap"], declared),
        scale=tuple(_scale(item, declared) for item in fields["scale"].items()) if "scale" in fields else (),
        qualify=_qualify(fields["qualify"], declared) if "qualify" in fields else None,
        refund="settle" in fields and fields["settle"].choice(("line", "refund")) == "refund",
        recover=fields["recover"].flag() if "recover" in fields else True,
        counts=frozenset(fields["counts"].identifiers()) if "counts" in fields else None,
        of_covered="basis" in fields and fields["basis"].choice(("cost", "covered")) == "covered",
    )


def _coordinate(place: Place, declared: Declared) -> Rule:
    fields, head = _open(place, declared, needs=("lowest_of",))
    expressions = fields["lowest_of"].items(least=1)
    return Coordinate(**head, lowest_of=tuple(read_expression(item, declared, own=True) for item in expressions))


READERS: Final[dict[str, Callable[[Place, Declared], Rule]]] = {
    "exclude": _exclude,
    "waiting_period": _waiting_period,
    "benefit_limit": _benefit_limit,
    "copay": _copay,
    "deductible": _deductible,
    "coinsurance": _coinsurance,
    "pay": _pay,
    "out_of_pocket_max": _out_of_pocket_max,
    "period_cap": _period_cap,
    "coordinate": _coordinate,
}


def _by_provider(fields: dict[str, Place]) -> bool:
    return "bearer" in fields and fields["bearer"].choice(("patient", "provider")) == "provider"


def _of_cost(fields: dict[str, Place]) -> bool:
    return "of" in fields and fields["of"].choice(("open", "cost")) == "cost"


def _limits(place: Place | None, declared: Declared) -> tuple[Limit, ...]:
    return tuple(_limit(item, declared) for item in place.items()) if place else ()


def _limit(place: Place, declared: Declared) -> Limit:
    fields = place.fields(("accumulator", "limit"))
    return Limit(_accumulator(fields["accumulator"], declared).id, read_amount(fields["limit"], declared))


def _unit_limit(place: Place, declared: Declared) -> UnitLimit:
    fields = place.fields(("accumulator", "limit"), ("partial",))
    accumulator = _fed_once(fields["accumulator"], declared, COUNTED)
    by_unit = "partial" in fields and fields["partial"].choice(("none", "by_unit")) == "by_unit"
    return UnitLimit(accumulator, read_amount(fields["limit"], declared), by_unit)


def _accumulator(place: Place, declared: Declared) -> Accumulator:
    found = declared.accumulators.get(place.identifier())
    if not isinstance(found, Accumulator):
        raise place.refuse("is not a running total of this document", "Name an entry of 'accumulators' that is fed.")
    return found


def _fed_once(place: Place, declared: Declared, measures: frozenset[str]) -> str:
    accumulator = _accumulator(place, declared)
    if len(accumulator.feeds) != 1 or accumulator.feeds[0].of not in measures:
        problem = "must have exactly one feed, of " + ", ".join(sorted(measures))
        raise place.refuse(problem, "Give it an accumulator of its own with one such feed.")
    return accumulator.id


def _rate_bands(place: Place, declared: Declared) -> tuple[RateBand, ...]:
    entries = place.items(least=1)
    bands: list[RateBand] = []
    highest = -1
    for entry in entries:
        fields = entry.fields(("ppm",), ("below",))
        below = read_amount(fields.get("below"), declared)
        if entry is entries[-1]:
            if below is not None:
                raise fields["below"].refuse("the last band must be open", "Leave 'below' out of the last band.")
        elif "below" not in fields:
            raise entry.refuse("only the last band is open", "Give 'below', or end the list here.")
        if isinstance(below, int):
            if below <= highest:
                raise fields["below"].refuse("'below' does not ascend", "Order the bands by 'below'.")
            highest = below
        bands.append(RateBand(below, read_rate(fields["ppm"], declared)))
    return tuple(bands)


def _pool(place: Place, declared: Declared) -> Pool:
    fields = place.fields(("scope", "period"), ("by",))
    period = fields["period"].choice(PERIODS)
    needs_policy_start(period, fields["period"], declared)
    return Pool(cast(Scope, fields["scope"].choice(SCOPES)), period, read_by(fields.get("by"), declared))


def needs_policy_start(period: str, place: Place, declared: Declared) -> None:
    """A `policy_year` runs from the date fact `policy_start`, which must be declared."""
    start = declared.facts.get("policy_start")
    if period == "policy_year" and (start is None or start.kind != "date"):
        raise place.refuse("runs from 'policy_start', which is not declared", "Declare 'policy_start' as a date.")


def read_by(place: Place | None, declared: Declared) -> tuple[str, ...]:
    """Names of facts that split a total or a pool."""
    if place is None:
        return ()
    names = place.texts()
    for item in place.items():
        if declared.kind(item.value) is None:
            raise item.refuse(f"the fact {item.value!r} is not declared", "Declare it under 'facts' or 'bands'.")
    return names


def _cap(place: Place, declared: Declared) -> tuple[CapCase, ...]:
    if "cases" in place.members():
        return tuple(_cap_case(item, declared) for item in place.fields(("cases",))["cases"].items(least=1))
    place.fields(("base",), ("over", "ppm"))
    return (_cap_case(place, declared),)


def _cap_case(place: Place, declared: Declared) -> CapCase:
    fields = place.fields(("base",), ("over", "ppm", "when", "when_used"))
    return CapCase(
        read_condition(fields.get("when"), declared),
        read_when_used(fields.get("when_used"), declared),
        read_amount(fields["base"], declared),
        read_amount(fields.get("over"), declared),
        read_rate(fields.get("ppm"), declared),
    )


def _scale(place: Place, declared: Declared) -> Scale:
    fields = place.fields(("ppm",), ("when",))
    return Scale(read_condition(fields.get("when"), declared), fields["ppm"].integer(0, MICROS))


def _qualify(place: Place, declared: Declared) -> Qualify:
    fields = place.fields(("by",), ("floor", "needs"))
    return Qualify(
        read_by(fields["by"], declared),
        read_amount(fields.get("floor"), declared),
        read_condition(fields["needs"], declared) if "needs" in fields else None,
    )
