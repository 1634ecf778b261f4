"""Is this document a plan?

`load_plan` turns parsed JSON into a typed `Plan` and refuses everything the page does not allow, with the exact place
and what to do. `plan.schema.json` beside it says the same for other readers; tests hold the two together.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, Literal, cast, get_args

from drachm.domain.benefits.document import Accumulator, Feed, Plan, PocketPlace, ReliefMonths, Rounding
from drachm.domain.benefits.load_rules import Declared, read_band, read_condition, read_expression, read_facts
from drachm.domain.benefits.load_steps import PERIODS, SCOPES, needs_policy_start, read_by, read_step
from drachm.domain.benefits.place import Place
from drachm.domain.benefits.rules import PeriodCap, Rule, Scope
from drachm.domain.canonical import content_hash
from drachm.domain.errors import InvalidMessage
from drachm.domain.money import RoundingMode, minor_unit
from drachm.domain.periods import Period, read_day, zone

MAX_ROLLING_DAYS: Final = 1830
MAX_WINDOW_MONTHS: Final = 120

_REQUIRED: Final = ("id", "version", "payer", "currency", "zone", "effective", "steps")
_OPTIONAL: Final = (
    *("benefit_year", "rounding", "residue", "facts", "bands", "groups", "applies", "starts_from", "takes_over"),
    *("remainder", "accumulators", "closing_steps", "continues", "title", "text", "pockets"),
)
_MODES: Final = ("half_up", "half_down", "half_even", "up", "down")
_YEAR_DAY: Final = re.compile(r"(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])")
_POCKET: Final = re.compile(r"[a-z][a-z0-9_]{0,31}")
_MEASURE: Final = re.compile(r"[A-Za-z0-9._-]+|paid:\S.*")
_LONGEST: Final = {2: 29, 4: 30, 6: 30, 9: 30, 11: 30}


def load_plan(document: Mapping[str, Any]) -> Plan:
    """Read one plan document (parsed JSON, integers only).

    Raises `InvalidMessage` with code ``invalid_plan``, `where` a JSON path such as ``$.steps[3].limits[0].accumulator``
    and a `next_step`, for the first thing that docs/reference/plan-model.md does not allow.
    """
    root = Place(document)
    fields = root.fields(_REQUIRED, _OPTIONAL)
    declared = _declared(fields)
    steps = tuple(read_step(item, declared) for item in fields["steps"].items())
    closing = fields["closing_steps"].items() if "closing_steps" in fields else []
    closing_steps = tuple(cast(PeriodCap, read_step(item, declared, closing=True)) for item in closing)
    _different_ids([*fields["steps"].items(), *closing], (*steps, *closing_steps))
    _relief_has_pool(fields, declared, (*steps, *closing_steps))
    currency = _currency(fields["currency"])
    title = fields["title"].text(empty=True) if "title" in fields else ""
    return Plan(
        id=fields["id"].identifier(),
        version=fields["version"].text(),
        payer=fields["payer"].text(),
        currency=currency,
        zone=read_zone(fields["zone"]),
        effective=read_effective(fields["effective"]),
        rounding=_rounding(fields.get("rounding"), currency),
        benefit_year=_benefit_year(fields.get("benefit_year")),
        residue=cast(
            Literal["provider", "patient", "payer"], _choice(fields, "residue", ("provider", "patient", "payer"))
        ),
        facts=declared.facts,
        bands=tuple(declared.bands.values()),
        applies=read_condition(fields.get("applies"), declared, before_payers=True),
        starts_from=read_expression(fields["starts_from"], declared) if declared.independent else None,
        takes_over=_takes_over(fields.get("takes_over")),
        remainder=cast(Literal["payer", "patient"], _choice(fields, "remainder", ("payer", "patient"))),
        accumulators=tuple(declared.accumulators.values()),
        steps=steps,
        closing_steps=closing_steps,
        frozen=frozenset(declared.frozen),
        totals_of=fields["continues"].identifier() if "continues" in fields else fields["id"].value,
        title=title,
        text=read_text(fields.get("text")),
        pockets=_pockets(fields.get("pockets")),
        hash=content_hash(document),
    )


def _declared(fields: dict[str, Place]) -> Declared:
    """Every name that rules may use: facts, then bands of them, groups, and accumulators split by them."""
    declared = Declared(independent=_independent(fields.get("starts_from")))
    if "facts" in fields:
        declared.facts = read_facts(fields["facts"])
    for item in fields["bands"].items() if "bands" in fields else []:
        band = read_band(item, declared)
        declared.bands[band.fact] = band
    for name, item in (fields["groups"].members() if "groups" in fields else {}).items():
        if not name:
            raise item.refuse("a group needs a name", "Name the group.")
        declared.groups[name] = frozenset(item.texts())
    for item in fields["accumulators"].items() if "accumulators" in fields else []:
        accumulator = _accumulator(item, declared)
        if accumulator.id in declared.accumulators:
            raise item.refuse(f"repeats the id {accumulator.id!r}", "Give every accumulator its own id.")
        declared.accumulators[accumulator.id] = accumulator
    return declared


def _independent(place: Place | None) -> bool:
    if place is None or place.value == "remaining":
        return False
    if not isinstance(place.value, Mapping):
        raise place.refuse("is neither 'remaining' nor an expression", "Write 'remaining' or {'greatest': [..]}.")
    return True


def _accumulator(place: Place, declared: Declared) -> Accumulator | ReliefMonths:
    if "kind" in place.members():
        fields = place.fields(("id", "kind", "of", "window_months"))
        fields["kind"].choice(("periods_with_relief",))
        months = fields["window_months"].integer(1, MAX_WINDOW_MONTHS)
        return ReliefMonths(fields["id"].identifier(), fields["of"].identifier(), months)
    fields = place.fields(("id", "scope", "period", "feeds"), ("by", "third_party_help"))
    period, days = _period(fields["period"], declared)
    return Accumulator(
        id=fields["id"].identifier(),
        scope=cast(Scope, fields["scope"].choice(SCOPES)),
        period=period,
        rolling_days=days,
        by=read_by(fields.get("by"), declared),
        feeds=tuple(_feed(item, declared) for item in fields["feeds"].items()),
        help_excluded=_choice(fields, "third_party_help", ("counts", "excluded")) == "excluded",
    )


def _period(place: Place, declared: Declared) -> tuple[str, int]:
    if isinstance(place.value, Mapping):
        days = place.fields(("rolling_days",))["rolling_days"]
        return "rolling_days", days.integer(1, MAX_ROLLING_DAYS)
    period = place.choice(PERIODS)
    needs_policy_start(period, place, declared)
    return period, 0


def _feed(place: Place, declared: Declared) -> Feed:
    fields = place.fields(("of",), ("when",))
    measure = fields["of"].text()
    if not _MEASURE.fullmatch(measure):
        raise fields["of"].refuse("is not a measure", "Use a component name or a measure of section 3.")
    return Feed(measure, read_condition(fields.get("when"), declared))


def _different_ids(places: list[Place], steps: tuple[Rule, ...]) -> None:
    seen: set[str] = set()
    for place, step in zip(places, steps, strict=True):
        if step.id in seen:
            raise place.refuse(f"repeats the step id {step.id!r}", "Give every step of the document its own id.")
        seen.add(step.id)


def _relief_has_pool(fields: dict[str, Place], declared: Declared, steps: tuple[Rule, ...]) -> None:
    by_id = {step.id: step for step in steps}
    for place, accumulator in zip(
        fields["accumulators"].items() if "accumulators" in fields else [], declared.accumulators.values(), strict=True
    ):
        if isinstance(accumulator, ReliefMonths):
            step = by_id.get(accumulator.of)
            if not isinstance(step, PeriodCap) or step.pool.period != "month":
                of = place.members()["of"]
                raise of.refuse("is no period_cap with a pool of period month", "Name such a step of this document.")


def _choice(fields: dict[str, Place], key: str, words: tuple[str, ...]) -> str:
    """The word under `key`; the first of `words` is the default."""
    return fields[key].choice(words) if key in fields else words[0]


def _currency(place: Place) -> str:
    code = place.text()
    try:
        minor_unit(code)
    except InvalidMessage as error:
        raise place.refuse(error.message, error.next_step) from None
    return code


def read_zone(place: Place) -> str:
    """An IANA zone."""
    name = place.text()
    try:
        zone(name)
    except InvalidMessage as error:
        raise place.refuse(error.message, error.next_step) from None
    return name


def read_effective(place: Place) -> Period:
    """From and, where it is said, until when a document holds."""
    fields = place.fields(("from",), ("until",))
    start = read_day(fields["from"].day())
    if "until" not in fields:
        return Period(start)
    end = read_day(fields["until"].day())
    if end <= start:
        raise fields["until"].refuse(
            "does not lie after 'from'", "The period is half-open: until is the day after the last."
        )
    return Period(start, end)


def _rounding(place: Place | None, currency: str) -> Rounding:
    fields = place.fields((), ("unit", "mode")) if place else {}
    unit = fields["unit"].integer(1) if "unit" in fields else minor_unit(currency)
    return Rounding(unit, cast(RoundingMode, _choice(fields, "mode", _MODES)))


def _benefit_year(place: Place | None) -> tuple[int, int]:
    if place is None:
        return (1, 1)
    found = _YEAR_DAY.fullmatch(place.text())
    if not found or int(found[2]) > _LONGEST.get(int(found[1]), 31):
        raise place.refuse("is not a day of the year", "Write MM-DD, such as 07-01.")
    return int(found[1]), int(found[2])


def _takes_over(place: Place | None) -> frozenset[str] | None:
    if place is None:
        return None
    for item in place.items():
        if item.value == "self_pay":
            raise item.refuse("the first document takes self_pay by itself", "Remove it.")
    return frozenset(place.identifiers())


def _pockets(place: Place | None) -> dict[str, PocketPlace]:
    places = get_args(PocketPlace)
    members = place.members() if place else {}
    for kind, item in members.items():
        if not _POCKET.fullmatch(kind):
            raise item.refuse(f"{kind[:40]!r} is no kind of pocket", "Use lower-case letters, digits and '_'.")
    return {kind: cast(PocketPlace, item.choice(places)) for kind, item in members.items()}


def read_text(place: Place | None) -> dict[str, str]:
    """Clause -> sentence."""
    return {clause: words.text(empty=True) for clause, words in place.members().items()} if place else {}
