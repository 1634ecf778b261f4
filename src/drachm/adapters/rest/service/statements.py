"""What happened on an account in a month: opening balance, entries, closing balance.

A statement is worked out of the journal each time it is asked for; nothing of it is kept. One account, one calendar
month of the days of posting in UTC. Balances come from the sums of days, so an old month costs no more than a new one.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Final

from drachm.adapters.rest.service.accounts import (
    AccountEntry,
    AccountView,
    Reached,
    entry_of,
    parties_of,
    reached,
    signed,
    view_of,
)
from drachm.adapters.rest.service.call import Call, operation
from drachm.adapters.rest.service.money_shapes import Sum, sum_of, wrong
from drachm.adapters.rest.service.results import Moment
from drachm.adapters.rest.service.shapes import Day, Page, View
from drachm.adapters.rest.transport.identifiers import decode, encode
from drachm.adapters.rest.transport.problems import Problem
from drachm.application.money_reading import Balance
from drachm.domain.periods import Period, month_of

PREFIX: Final = "stm"
_UNSIGNED: Final = 1 << 64
_MONTH: Final = re.compile("(19|2[01])[0-9]{2}-(0[1-9]|1[0-2])", re.ASCII)
_ACCOUNTS: Final = 1_000
"""Accounts that one list of statements looks at."""


class StatementLine(View, rename={"from_": "from"}):
    """A statement, as lists show it."""

    id: str
    account: AccountView
    """With its balance of today."""
    from_: Day
    until: Day
    """The first day that is not in it any more."""


class StatementView(View, rename={"from_": "from"}):
    """A statement: opening + all entries = closing."""

    id: str
    account: AccountView
    from_: Day
    until: Day
    complete: bool
    """Its last day is over: nothing will be added."""
    taken_at: Moment
    opening: Sum
    closing: Sum
    turnover: Sum
    """Closing less opening."""
    count: int
    """Entries of the month."""
    entries: Page[AccountEntry]
    """Newest first; the pages that follow repeat the balances as they stand then."""


@operation(
    "list_statements",
    answer=Page[StatementLine],
    query={"month": "Only statements of one month, YYYY-MM.", "party": "Only statements of one party."},
)
def list_statements(call: Call) -> Page[StatementLine]:
    """Statements within reach: every account in every month in which it moved, newest month first."""
    limit, wanted = call.limit(), _month(call.query.get("month"))
    accounts = _accounts(call)
    moved = [
        (month, number)
        for number, month in call.market.money.months(accounts.keys())
        if wanted is None or month == wanted
    ]
    moved.sort(key=lambda one: (-one[0].toordinal(), one[1]))
    place = call.place()
    if place:
        behind = (-int(place[0]), int(place[1]))
        moved = [one for one in moved if (-one[0].toordinal(), one[1]) > behind]
    shown = moved[:limit]
    more = call.cursor([shown[-1][0].toordinal(), shown[-1][1]]) if len(moved) > limit else None
    return Page(data=[_line(accounts[number], month) for month, number in shown], next=more)


def _accounts(call: Call) -> dict[int, Balance]:
    """The accounts whose statements are asked for, by number."""
    within, party = reached(call, call.reach()), call.query.get("party")
    if party is not None:
        mine = within.parties is None or party in within.parties
        within = Reached([party] if mine else [], [])
    elif within.parties is None:
        raise wrong("party", "there are too many statements: name the party")
    found = call.market.money.accounts(limit=_ACCOUNTS + 1, parties=within.parties, pots=within.pots)
    if len(found) > _ACCOUNTS:
        raise wrong("party", "there are too many accounts: name a party, or ask account by account")
    return {one.number: one for one in found}


@operation("get_statement", answer=StatementView, query={"cursor": "Where the entries go on."})
def get_statement(call: Call) -> StatementView:
    """One statement."""
    found = _read(call.path["statement_id"])
    one = call.market.money.account(found[0]) if found else None
    if found is None or one is None:
        call.permit(None)
        raise Problem("not_found")
    call.permit(call.resource(call.path["statement_id"], parties=parties_of(call, one)))
    month = month_of(found[1])
    until = month.end or month.start
    return _statement(call, one, month.start, until)


def _statement(call: Call, one: Balance, start: date, until: date) -> StatementView:
    limit, currency = call.limit(), one.account.currency
    place = [int(part) for part in call.place()]
    before = (date.fromordinal(place[0]), place[1], place[2]) if place else None
    said = call.market.money.statement(one.number, start, until, before=before, limit=limit + 1)
    found, opening, closing = said.movements, said.opening, said.closing
    shown = found[:limit]
    last = shown[-1] if len(found) > limit else None
    more = call.cursor([last.day.toordinal(), last.position, last.leg]) if last else None
    return StatementView(
        id=_name(one.number, start),
        account=view_of(one),
        from_=start.isoformat(),
        until=until.isoformat(),
        complete=call.at.date() >= until,
        taken_at=call.at,
        opening=sum_of(opening, currency),
        closing=sum_of(closing, currency),
        turnover=sum_of(closing - opening, currency),
        count=said.entries,
        entries=Page(data=[entry_of(entry, call.caller) for entry in shown], next=more),
    )


def _line(one: Balance, start: date) -> StatementLine:
    month: Period = month_of(start)
    return StatementLine(
        id=_name(one.number, start),
        account=view_of(one),
        from_=start.isoformat(),
        until=(month.end or start).isoformat(),
    )


def _name(number: int, start: date) -> str:
    return f"{PREFIX}_{encode((number % _UNSIGNED) << 64 | start.year * 100 + start.month)}"


def _read(name: str) -> tuple[int, date] | None:
    """(account number, first day of the month) inside a name; None when it is none."""
    number = decode(name, PREFIX)
    if number is None:
        return None
    year, month = divmod(number % _UNSIGNED, 100)
    if not (1900 <= year < 2200 and 1 <= month <= 12):
        return None
    return signed(number >> 64), date(year, month, 1)


def _month(text: str | None) -> date | None:
    if text is None:
        return None
    if not _MONTH.fullmatch(text):
        raise wrong("month", "a month such as 2026-03 is expected")
    return date.fromisoformat(f"{text}-01")
