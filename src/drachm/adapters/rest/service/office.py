"""What did these months come to? The pages of a clinic's finance people, of the operator and of auditors."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final
from urllib.parse import urlencode

from drachm.adapters.plots.sheets import sheet
from drachm.adapters.rest.service.call import Call, Reply
from drachm.adapters.rest.service.care_figures import (
    Asked,
    CareFigures,
    asked_of,
    figures_of,
    last_day,
    overview_of,
)
from drachm.adapters.rest.service.desk_frame import Seat, desk
from drachm.adapters.rest.service.office_view import (
    Panel,
    asked_of_patients,
    care_panel,
    engine_panel,
    owed_panel,
    price_panel,
    refusal_panel,
    span_panel,
    waiting_panel,
)
from drachm.adapters.rest.service.office_words import months_said, of_hundred, span_said
from drachm.adapters.rest.service.page_frame import page_headers
from drachm.adapters.rest.service.page_words import Amount
from drachm.adapters.rest.service.speech import N_, gettext
from drachm.adapters.rest.service.staff_words import account_said
from drachm.adapters.rest.service.static_files import address
from drachm.adapters.rest.transport.problems import Problem
from drachm.domain.periods import add_months

QUERY: Final = {
    "since": "First month, YYYY-MM.",
    "until": "Last month, YYYY-MM.",
    "party": "Only charges of this provider.",
    "currency": "Amounts of this currency; else of the one with most charges.",
}
MONTHS_MAX: Final = 24
"""Months to choose from."""
CSV: Final = "text/csv; charset=utf-8"
_CARE: Final = N_("How long until care stands in the books")
Choice = tuple[str, str, str, bool]
"""Words, first month, last month, and whether it is shown."""
_RECEIPT: Final = N_("How fast an event is answered")
_NOT_YET: Final = N_(
    "From the care to where it is booked and funded. When the clinic has the money at its bank is not known here yet: "
    "payouts are not built."
)


@desk("open_office", query=QUERY)
def open_office(seat: Seat) -> Reply:
    """The figures of some months."""
    call = seat.call
    asked = asked_of(call)
    figures = figures_of(asked, overview_of(call, asked))
    currency = _currency(call, figures)
    sums = next((one for one in figures.sums if one.currency == currency), None)
    months = [month for month, _ in call.market.figures.months(asked.parties)]
    return seat.page(
        "office.html",
        tab="office",
        style=address("office.css"),
        period=months_said(asked.since, asked.until),
        figures=figures,
        sums=sums,
        agreed=Amount(int(sums.insurers.micros) + asked_of_patients(sums), currency) if sums else None,
        patients=Amount(asked_of_patients(sums), currency) if sums else None,
        share=of_hundred(asked_of_patients(sums), int(sums.insurers.micros) + int(sums.patients.micros))
        if sums
        else "",
        half=span_said(figures.care_to_books.half_within_ms),
        most=span_said(figures.care_to_books.most_within_ms),
        agree=all(one.agree for one in figures.books),
        panels=_panels(seat, figures, currency),
        months=[_choice(months_said(one, one), one, one, asked) for one in months[:MONTHS_MAX]],
        near=_near(months, asked),
        since=f"{asked.since:%Y-%m}",
        until=f"{asked.until:%Y-%m}",
        party=call.query.get("party", ""),
        currency=currency,
        others=[one.currency for one in figures.sums if one.currency != currency],
        sees_books=seat.may("open_office_books"),
        trail=_trail(call, f"{asked.since:%Y-%m}", f"{asked.until:%Y-%m}", currency),
    )


@desk("download_office_csv", query={**QUERY, "plot": "Which plot, by the last word of its link."})
def download_office_csv(seat: Seat) -> Reply:
    """The numbers of one plot, for a spreadsheet."""
    call = seat.call
    asked = asked_of(call)
    figures = figures_of(asked, overview_of(call, asked))
    name = call.query.get("plot", "")
    found = next((one for one in _panels(seat, figures, _currency(call, figures)) if one.name == name), None)
    if found is None:
        raise Problem("not_found")
    body = sheet(found.columns or found.head, found.cells)
    file = f"{found.name}-{asked.since:%Y-%m}-{asked.until:%Y-%m}.csv"
    fields = [*page_headers(), (b"content-disposition", f'attachment; filename="{file}"'.encode())]
    return Reply(body, headers=fields, media=CSV)


@desk("open_office_books")
def open_office_books(seat: Seat) -> Reply:
    """Whether the books are whole."""
    seat.call.permit(seat.call.resource())
    balance = seat.ask("get_trial_balance")
    return seat.page(
        "office_books.html",
        tab="office",
        style=address("office.css"),
        balance=balance,
        amount=_amount,
        account_said=account_said,
    )


def _panels(seat: Seat, figures: CareFigures, currency: str) -> list[Panel]:
    call = seat.call
    sums = next((one for one in figures.sums if one.currency == currency), None)
    panels = [
        price_panel(sums, currency),
        span_panel("care_to_books", gettext(_CARE), figures.care_to_books, "provider", gettext(_NOT_YET)),
        owed_panel(figures.owed, currency),
        refusal_panel(figures.refusals, currency),
        care_panel(figures.care, currency),
        span_panel("receipt_to_books", gettext(_RECEIPT), figures.receipt_to_books, "price"),
        waiting_panel(figures, call.at),
    ]
    if call.reach().everything:
        found = call.market.figures.half_hours(call.at - timedelta(days=1))
        panels.append(engine_panel(found, call.at, seat.here(call.at)))
    return panels


def _currency(call: Call, figures: CareFigures) -> str:
    known = [one.currency for one in figures.sums] or [one.currency for one in figures.owed]
    asked = call.query.get("currency", "")
    return asked if asked in known else next(iter(known), "USD")


def _near(months: Sequence[date], asked: Asked) -> list[Choice]:
    """What is asked for most often."""
    if not months:
        return []
    stretches = [(gettext("Last 3 months"), 2), (gettext("Last 12 months"), 11)]
    found = [_choice(words, add_months(months[0], -back), months[0], asked) for words, back in stretches]
    return [_choice(months_said(one, one), one, one, asked) for one in months[:3]] + found


def _choice(words: str, first: date, last: date, asked: Asked) -> Choice:
    here = (first, last_day(last)) == (asked.since, asked.until)
    return words, f"{first:%Y-%m}", f"{last:%Y-%m}", here


def _trail(call: Call, since: str, until: str, currency: str) -> str:
    """What links to the files of the same figures carry."""
    words = {"since": since, "until": until, "currency": currency}
    if call.query.get("party"):
        words["party"] = call.query["party"]
    return urlencode(words)


def _amount(sums: object) -> Amount:
    return Amount(int(sums.micros), sums.currency)  # type: ignore[attr-defined]
