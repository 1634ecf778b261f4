"""What do the accounts of the books say?

Balances and entries come from an index beside the journal and what the journal holds behind it, so they are never late
and cost what they show, not the length of the journal. Entries are positive for debits: a receivable normally stands
above 0, what is payable, and a wallet, below.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import date
from typing import Any, Final, Literal, NamedTuple, TypeVar

from drachm.adapters.rest.identity.decide import Reach
from drachm.adapters.rest.identity.model import Principal, Role
from drachm.adapters.rest.service.call import Call, operation
from drachm.adapters.rest.service.money_shapes import Sum, query_day, sum_of, wrong
from drachm.adapters.rest.service.names import row_name
from drachm.adapters.rest.service.results import Moment
from drachm.adapters.rest.service.shapes import Currency, Page, View
from drachm.adapters.rest.service.wallet_records import funded_pots, parties_of_pot
from drachm.adapters.rest.transport.identifiers import decode, encode
from drachm.adapters.rest.transport.problems import Problem
from drachm.application.money_reading import Balance, MoneyReading, Movement
from drachm.domain.ledger.client_money import ClientMoney, client_money
from drachm.domain.ledger.model import CHART, EntryKind

OF_PARTIES: Final = ("payer_receivable", "provider_payable", "funder_payable")
OF_POTS: Final = ("wallet", "wallet_held")
SEES_CARE: Final = frozenset({Role.FINANCE, Role.PAYER, Role.AUDITOR, Role.OPERATOR})
"""Who may be led from an entry to the receipt of care; a funder never is."""
WITH_RECEIPT: Final = frozenset(
    {
        EntryKind.CHARGE,
        EntryKind.REVERSAL,
        EntryKind.REPLACEMENT,
        EntryKind.HOLD,
        EntryKind.CAPTURE,
        EntryKind.RELEASE,
        EntryKind.REVISION,
    }
)
"""Rows of care."""

_CHANGES: Final = frozenset({EntryKind.REVERSAL, EntryKind.REPLACEMENT, EntryKind.REVISION})
_UNSIGNED: Final = 1 << 64

EntrySource = Literal["none", "payer", "wallet", "due", "rail"]
_SOURCES: Final[tuple[EntrySource, ...]] = ("none", "payer", "wallet", "due", "rail")


class AccountView(View):
    """One account and its balance."""

    id: str
    kind: str
    """A word of the chart of accounts."""
    side: Literal["asset", "liability"]
    """An asset normally stands above 0, a liability below."""
    meaning: str
    owner: str
    """Id of the party, member, wallet or rail it is kept for."""
    currency: Currency
    balance: Sum


class AccountEntry(View):
    """One entry of an account."""

    posted_at: Moment
    occurred_at: Moment
    """When the care was given or the money came."""
    kind: str
    """What the journal row does: `charge`, `reversal`, `top_up` ..."""
    amount: Sum
    """Positive for debits."""
    source: EntrySource
    """Whose money it stands for."""
    receipt: str | None
    """The receipt of the care, for those who may see it."""


Entry = TypeVar("Entry", bound=AccountEntry)


class TrialLine(View):
    """All accounts of one kind in one currency."""

    kind: str
    side: Literal["asset", "liability"]
    currency: Currency
    accounts: int
    debits: Sum
    """The sum of all balances above 0."""
    credits: Sum
    """The sum of all balances below 0, as a figure below 0."""


class TrialSum(View):
    """Everything in one currency."""

    currency: Currency
    debits: Sum
    credits: Sum
    sum: Sum
    """0, or the books are broken."""


class ClientMoneyView(View):
    """Where the money is that belongs to others, in one currency: what is owed equals where it lies."""

    currency: Currency
    wallets: Sum
    """What pockets hold, promised sums with them."""
    to_providers: Sum
    """Drawn from pockets for care, not yet paid out."""
    elsewhere: Sum
    """Owed to others besides, such as money whose payer nobody has found."""
    bank: Sum
    in_transit: Sum
    """With card processors, in boxes of windows: on its way to the bank."""
    to_be_made_good: Sum
    """Owed by holders for payments that went back, missing in boxes, or less than the smallest coin."""
    difference: Sum
    """Where it lies less what is owed: 0, or the books are broken."""


class TrialBalance(View):
    """Every account of the tenant, added up by kind and currency; single accounts are listed by `GET /v1/accounts`."""

    taken_at: Moment
    balanced: bool
    """Whether each currency sums to 0, and the money of clients is where the books say."""
    totals: list[TrialSum]
    lines: list[TrialLine]
    client_money: list[ClientMoneyView]


@operation("list_accounts", answer=Page[AccountView], query={"kind": "Only accounts of one kind of the chart."})
def list_accounts(call: Call) -> Page[AccountView]:
    """Accounts within reach, by kind, owner and currency."""
    reach, limit = call.reach(), call.limit()
    kind = call.query.get("kind", "")
    if kind and kind not in CHART:
        raise wrong("kind", f"a kind is one of {', '.join(sorted(CHART))}")
    behind: Any = tuple(call.place()) or ("", "", "")
    within = reached(call, reach)
    found = call.market.money.accounts(
        after=behind, limit=limit + 1, kind=kind, parties=within.parties, pots=within.pots
    )
    shown = found[:limit]
    more = call.cursor(list(shown[-1].account)) if len(found) > limit else None
    return Page(data=[view_of(one) for one in shown], next=more)


@operation("get_account", answer=AccountView)
def get_account(call: Call) -> AccountView:
    """One account."""
    return view_of(_account(call))


PERIOD_QUERY: Final = {
    "from": "Only entries posted on this day or later (UTC).",
    "until": "Only entries posted before this day (UTC).",
}


@operation("list_account_entries", answer=Page[AccountEntry], query={**PERIOD_QUERY, "cursor": "Where to go on."})
def list_account_entries(call: Call) -> Page[AccountEntry]:
    """The entries of an account, newest first."""
    one = _account(call)
    return entries_page(call, [one.number], lambda entry: entry_of(entry, call.caller))


@operation("get_trial_balance", answer=TrialBalance)
def get_trial_balance(call: Call) -> TrialBalance:
    """The sums of all accounts. Costs a look at every account's sums of days."""
    call.permit(call.resource())
    sides = call.market.money.trial()
    lines = [
        TrialLine(
            kind=one.kind,
            side=CHART[one.kind].side,
            currency=one.currency,
            accounts=one.accounts,
            debits=sum_of(one.debits, one.currency),
            credits=sum_of(one.credits, one.currency),
        )
        for one in sides
    ]
    totals = []
    for currency in sorted({one.currency for one in sides}):
        above = sum(one.debits for one in sides if one.currency == currency)
        below = sum(one.credits for one in sides if one.currency == currency)
        parts = {"debits": above, "credits": below, "sum": above + below}
        totals.append(TrialSum(currency=currency, **{name: sum_of(part, currency) for name, part in parts.items()}))
    clients = [_client_money(one) for one in client_money(call.market.money.sources())]
    balanced = all(one.sum.micros == "0" for one in totals) and all(one.difference.micros == "0" for one in clients)
    return TrialBalance(taken_at=call.at, balanced=balanced, totals=totals, lines=lines, client_money=clients)


class Reached(NamedTuple):
    """What a caller's reach is in accounts; both None: the whole tenant."""

    parties: Collection[str] | None = None
    pots: Collection[str] | None = None
    """Wallets that the parties fund."""


def reached(call: Call, reach: Reach) -> Reached:
    """The accounts within reach."""
    return Reached() if reach.everything else Reached(reach.parties, funded_pots(call, reach.parties))


def parties_of(call: Call, one: Balance) -> frozenset[str]:
    """Who may see an account besides those who see the whole tenant."""
    kind, owner, _ = one.account
    if kind in OF_PARTIES:
        return frozenset({owner})
    return parties_of_pot(call, owner) if kind in OF_POTS else frozenset()


def entries_page(
    call: Call,
    accounts: Collection[int],
    view: Callable[[Movement], Entry],
    *,
    hidden: Collection[EntryKind] = (),
    passed_over: Callable[[Sequence[Movement]], Collection[int]] | None = None,
) -> Page[Entry]:
    """A page of entries of accounts, as the query asks for it; `hidden` kinds are left out, and the rows at positions
    that `passed_over` names."""
    since, until = query_day(call, "from"), query_day(call, "until")
    limit, place = call.limit(), call.place()
    before: tuple[date, int, int] | None = None
    if place:
        ordinal, position, leg = (int(part) for part in place)
        before = date.fromordinal(ordinal), position, leg
    shown = _some(call.market.money, accounts, before, limit + 1, since, until, hidden, passed_over)
    page = shown[:limit]
    more = None
    if len(shown) > limit:
        last = page[-1]
        more = call.cursor([last.day.toordinal(), last.position, last.leg])
    return Page(data=[view(one) for one in page], next=more)


def _some(
    money: MoneyReading,
    accounts: Collection[int],
    before: tuple[date, int, int] | None,
    wanted: int,
    since: date | None,
    until: date | None,
    hidden: Collection[EntryKind],
    passed_over: Callable[[Sequence[Movement]], Collection[int]] | None,
) -> list[Movement]:
    """As many entries as are wanted, those that are hidden passed over."""
    shown: list[Movement] = []
    while len(shown) < wanted:
        found = money.movements(accounts, before=before, limit=wanted, since=since, until=until)
        left_out = passed_over(found) if passed_over is not None else ()
        shown += [one for one in found if one.kind not in hidden and one.position not in left_out]
        if len(found) < wanted:
            break
        before = found[-1].day, found[-1].position, found[-1].leg
    return shown[:wanted]


def entry_of(one: Movement, caller: Principal) -> AccountEntry:
    """An entry for an answer."""
    leads = one.kind in WITH_RECEIPT and one.account.kind not in OF_POTS and caller.roles & SEES_CARE
    return AccountEntry(
        posted_at=one.posted_at,
        occurred_at=one.occurred_at,
        kind=_kind_of(one, caller).name.lower(),
        amount=sum_of(one.amount, one.account.currency),
        source=_SOURCES[one.source],
        receipt=row_name("rcp", one.position, one.key) if leads else None,
    )


def _kind_of(one: Movement, caller: Principal) -> EntryKind:
    """What a row did; who only pays is not told why a payment changed: nothing hints at what was kept private."""
    if one.account.kind not in OF_POTS or one.kind not in _CHANGES or caller.roles & SEES_CARE:
        return one.kind
    return EntryKind.REVERSAL if one.amount < 0 else EntryKind.CHARGE


def view_of(one: Balance) -> AccountView:
    """An account for an answer."""
    chart = CHART[one.account.kind]
    return AccountView(
        id=name_of(one.number),
        kind=chart.name,
        side=chart.side,
        meaning=chart.meaning,
        owner=one.account.owner,
        currency=one.account.currency,
        balance=sum_of(one.micros, one.account.currency),
    )


def name_of(number: int) -> str:
    """What an account is called outside."""
    return f"acc_{encode(number % _UNSIGNED)}"


def signed(number: int) -> int:
    """The account number of 64 unsigned bits."""
    return number - _UNSIGNED if number >= _UNSIGNED // 2 else number


def _client_money(one: ClientMoney) -> ClientMoneyView:
    parts = {name: sum_of(getattr(one, name), one.currency) for name in (*one._fields[1:], "difference")}
    return ClientMoneyView(currency=one.currency, **parts)


def _account(call: Call) -> Balance:
    number = decode(call.path["account_id"], "acc")
    one = call.market.money.account(signed(number)) if number is not None and number < _UNSIGNED else None
    if one is None:
        call.permit(None)
        raise Problem("not_found")
    call.permit(call.resource(call.path["account_id"], parties=parties_of(call, one)))
    return one
