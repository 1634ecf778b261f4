"""What did the charges of some months come to, and how long did it take? Sums and counts, never a single charge.

Who acts for parties sees what these billed; the operator and an auditor all of the tenant. Groups of fewer than 11
charges are put together with others until they are more (`domain/figures/hiding.py`).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from datetime import date, timedelta
from typing import Final, NamedTuple

from drachm.adapters.rest.service.call import Call, operation
from drachm.adapters.rest.service.money_shapes import Sum, sum_of, wrong
from drachm.adapters.rest.service.results import Moment
from drachm.adapters.rest.service.shapes import Currency, Day, View
from drachm.application.figures import AGES, Overview, Sums
from drachm.domain.figures.hiding import OTHER, Group, shown
from drachm.domain.figures.spans import DAY, HOUR, MINUTE, SECOND, Count, binned, within
from drachm.domain.periods import month_of

GROUPS_MAX: Final = 8
UNNAMED: Final = "uncategorised"
"""Charges to which neither the price book nor the source gave a category."""
HALF: Final = 500_000
MOST: Final = 950_000
FROM_CARE: Final = (MINUTE, 10 * MINUTE, HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 7 * DAY, 30 * DAY)
FROM_RECEIPT: Final = (5, 10, 20, 50, 100, 200, 500, SECOND, 10 * SECOND, MINUTE, HOUR, DAY)
_MONTH: Final = re.compile("(19|2[01])[0-9]{2}-(0[1-9]|1[0-2])", re.ASCII)
QUERY: Final = {
    "since": "First month of service, YYYY-MM; the latest month with charges when nothing is said.",
    "until": "Last month of service, YYYY-MM; the first one when nothing is said.",
    "party": "Only charges of this provider.",
}


class CareSums(View):
    """Standing charges in one currency. billed = agreed_cut + insurers + patients; patients = paid + due +
    no_longer_asked."""

    currency: Currency
    charges: int
    denied: int
    """Of these, those for which every payer said no."""
    billed: Sum
    agreed_cut: Sum
    insurers: Sum
    patients: Sum
    paid: Sum
    due: Sum
    no_longer_asked: Sum
    """What the clinic has given up of it: neither paid nor due."""


class SpanBin(View):
    """So many took longer than `after_ms` and at most `until_ms`; null: all that took longer."""

    after_ms: int
    until_ms: int | None
    number: int


class Spans(View):
    """How long first answers took."""

    number: int
    half_within_ms: int | None
    """Half of them took at most this; null where there is none."""
    most_within_ms: int | None
    """95 of 100 took at most this."""
    bins: list[SpanBin]


class OwedByAge(View):
    """What is owed for care that is so many days old."""

    currency: Currency
    from_days: int
    until_days: int | None
    insurers: Sum
    patients: Sum


class ChargeGroup(View):
    """Charges that are alike; `name` null: several groups too small to show, or too many."""

    currency: Currency
    name: str | None
    charges: int
    agreed: Sum


class WaitingEvents(View):
    """Events that wait for one reason."""

    reason: str
    number: int
    oldest: Moment
    under_an_hour: int
    under_a_day: int
    under_a_week: int
    longer: int


class BooksAgree(View):
    """The lines, each decided again, against the entries in the books."""

    currency: Currency
    lines: Sum
    entries: Sum
    agree: bool


class CareFigures(View):
    """Figures of the charges of some months. What is not in the books is in none of them: payouts are not built yet."""

    since: Day
    until: Day
    """The last day."""
    parties: list[str] | None
    """Whose charges; null: everybody's."""
    sums: list[CareSums]
    care_to_books: Spans
    """From the care to where it stands in the books, funded; not yet to the clinic's bank."""
    receipt_to_books: Spans
    """From when the event was here until then."""
    owed: list[OwedByAge]
    """As of now, of all months."""
    care: list[ChargeGroup]
    refusals: list[ChargeGroup]
    waiting: list[WaitingEvents]
    books: list[BooksAgree]
    rows_behind: int
    """Journal rows that these figures have not taken in yet."""


class Asked(NamedTuple):
    """What is asked for, within reach."""

    since: date
    until: date
    parties: Collection[str] | None


@operation("get_care_figures", answer=CareFigures, query=QUERY)
def get_care_figures(call: Call) -> CareFigures:
    """Figures of some months."""
    asked = asked_of(call)
    return figures_of(asked, overview_of(call, asked))


def asked_of(call: Call) -> Asked:
    """Months and providers of a call. Raises `Denied`, and `bad_request` for what is no month."""
    reach, party = call.reach(), call.query.get("party")
    parties = None if reach.everything else reach.parties
    if party is not None:
        parties = frozenset({party}) if parties is None else parties & {party}
    since, until = _month(call, "since"), _month(call, "until")
    if since is None:
        months = call.market.figures.months(parties) if until is None else []
        since = until or (months[0][0] if months else call.at.date().replace(day=1))
    until = until or since
    if until < since:
        raise wrong("until", "the last month lies before the first")
    return Asked(since, last_day(until), parties)


def overview_of(call: Call, asked: Asked) -> Overview:
    """The figures that were asked for."""
    return call.market.figures.overview(asked.parties, asked.since, asked.until, call.at.date(), call.at)


def figures_of(asked: Asked, seen: Overview) -> CareFigures:
    """Figures as the interface gives them: small groups hidden."""
    return CareFigures(
        since=asked.since.isoformat(),
        until=asked.until.isoformat(),
        parties=sorted(asked.parties) if asked.parties is not None else None,
        sums=[_sums(one) for one in seen.sums],
        care_to_books=_spans(seen.from_care, FROM_CARE),
        receipt_to_books=_spans(seen.from_receipt, FROM_RECEIPT),
        owed=[
            OwedByAge(
                currency=one.currency,
                from_days=AGES[one.step - 1] + 1 if one.step else 0,
                until_days=AGES[one.step] if one.step < len(AGES) else None,
                insurers=sum_of(one.insurers, one.currency),
                patients=sum_of(one.patients, one.currency),
            )
            for one in seen.ageing
        ],
        care=_groups(seen.care),
        refusals=_groups(seen.refusals),
        waiting=[
            WaitingEvents(
                reason=one.reason,
                number=one.number,
                oldest=one.oldest,
                under_an_hour=one.hour,
                under_a_day=one.day,
                under_a_week=one.week,
                longer=one.longer,
            )
            for one in seen.queue
        ],
        books=[
            BooksAgree(
                currency=one.currency,
                lines=sum_of(one.lines, one.currency),
                entries=sum_of(one.entries, one.currency),
                agree=one.lines == one.entries,
            )
            for one in seen.books
        ],
        rows_behind=seen.behind,
    )


def last_day(day: date) -> date:
    """The last day of a day's month."""
    end = month_of(day).end
    assert end is not None  # a month has one
    return end - timedelta(days=1)


def _sums(one: Sums) -> CareSums:
    def amount(micros: int) -> Sum:
        return sum_of(micros, one.currency)

    return CareSums(
        currency=one.currency,
        charges=one.charges,
        denied=one.denied,
        billed=amount(one.billed),
        agreed_cut=amount(one.cut),
        insurers=amount(one.insurers),
        patients=amount(one.patients),
        paid=amount(one.paid),
        due=amount(one.due),
        no_longer_asked=amount(one.forgone),
    )


def _spans(counts: Sequence[Count], edges: Sequence[int]) -> Spans:
    return Spans(
        number=sum(one.number for one in counts),
        half_within_ms=within(counts, HALF),
        most_within_ms=within(counts, MOST),
        bins=[SpanBin(after_ms=one.after, until_ms=one.until, number=one.number) for one in binned(counts, edges)],
    )


def _groups(found: Sequence[tuple[str, Group]]) -> list[ChargeGroup]:
    answer: list[ChargeGroup] = []
    for currency in sorted({currency for currency, _ in found}):
        named = [group._replace(name=group.name or UNNAMED) for mine, group in found if mine == currency]
        answer += [_group(currency, group) for group in shown(named, GROUPS_MAX)]
    return answer


def _group(currency: str, group: Group) -> ChargeGroup:
    name = None if group.name == OTHER else group.name
    return ChargeGroup(currency=currency, name=name, charges=group.number, agreed=sum_of(group.amount, currency))


def _month(call: Call, name: str) -> date | None:
    text = call.query.get(name)
    if text is None:
        return None
    if not _MONTH.fullmatch(text):
        raise wrong(name, "a month such as 2026-03 is expected")
    return date.fromisoformat(f"{text}-01")
