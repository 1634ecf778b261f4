"""Pockets that care can be paid from: what is in them, what is promised, what went in and out.

A funder sees amounts and dates, never care. A pocket of a family is one shared limit that each of its members draws on.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Annotated, Final

from msgspec import Meta, field, structs

from drachm.adapters.rest.identity.decide import Reach
from drachm.adapters.rest.service.accounts import PERIOD_QUERY, AccountEntry, entries_page, entry_of
from drachm.adapters.rest.service.call import Call, operation
from drachm.adapters.rest.service.fees import FeeView, fee_of
from drachm.adapters.rest.service.money_shapes import Sum, ensure_currency, faulty, sum_of
from drachm.adapters.rest.service.names import row_name
from drachm.adapters.rest.service.register_shapes import alone
from drachm.adapters.rest.service.results import Moment
from drachm.adapters.rest.service.shapes import END, Currency, Money, Page, Shape, View, Word, known_currency
from drachm.adapters.rest.service.wallet_joining import Shared, ask_or_let_in, family_term, let_in
from drachm.adapters.rest.service.wallet_members import Category
from drachm.adapters.rest.service.wallet_records import members_of, record_of, refuse_strange_money
from drachm.adapters.rest.service.wallet_views import CareShown, seen_by
from drachm.adapters.rest.transport.problems import Problem
from drachm.application.body import TopUp
from drachm.application.households import WALLET, helper_of
from drachm.application.money_reading import Movement, Purse
from drachm.application.records import Record
from drachm.application.top_up import top_up
from drachm.domain.errors import InvalidMessage
from drachm.domain.funding.allotment import fund_of, open_fund
from drachm.domain.funding.model import Pot
from drachm.domain.funding.purpose import CATEGORIES_MAX, Purpose, checked_purpose
from drachm.domain.funding.quota import Terms
from drachm.domain.ledger.model import Account, EntryKind, account_id
from drachm.domain.money import exponent
from drachm.domain.transparency.leaf import event_key

TOP_UPS: Final = "drachm top-ups"
"""The source of top-ups. No event has it: a source holds no blank."""
FAMILY_SLICES: Final = 1
"""A family is few people: one slice serves them all."""

Pocket = Annotated[str, Meta(pattern="^[a-z][a-z0-9_]{0,31}" + END, description="Kind of pocket: `wallet`, `gift` ...")]


class WalletOrder(Shape):
    """A pocket to open, for a member or for a family."""

    currency: Currency
    member: Word | None = None
    family: Word | None = None
    funder: Word | None = None
    """Party that puts money in and sees what it was used for as amounts."""
    holder: Word | None = None
    """Of a family: the member who limits, pauses and takes out the others. Without a family: of a household, to which
    the holder invites."""
    pocket: Pocket = "wallet"
    expires_at: Moment | None = None
    """It pays for care that begins before; needs a funder."""
    returns_at: Moment | None = None
    """When what is left goes back to the funder: at `expires_at`, or later, to leave time for bills."""
    categories: Annotated[list[Category], Meta(max_length=CATEGORIES_MAX)] = field(default_factory=list)
    """It pays for these kinds of care only; none: for all."""
    expense_rules: Word | None = None
    """Id of the published rules that say which care it may pay for."""
    priority: Annotated[int, Meta(ge=0, le=1_000, description="Lower is drawn first.")] = 0


class WalletView(View):
    """A pocket."""

    id: str
    member: str | None
    """Who holds it; null when it is shared."""
    family: str | None
    funder: str | None
    pocket: str
    expires_at: Moment | None
    """It pays for care that begins before."""
    returns_at: Moment | None
    """When what is left goes back to the funder."""
    categories: list[str]
    """It pays for these kinds of care only; none: for all."""
    expense_rules: str | None
    """The rules that say which care it may pay for."""
    priority: int
    currency: Currency
    available: Sum
    """What may be spent."""
    held: Sum
    """What is promised to requests."""
    shared: bool
    """Several members draw on it."""
    frozen: bool
    """It pays for nothing by itself: its holder owes for a payment that went back (`list_arrears`)."""


class WalletEntry(AccountEntry):
    """One entry of a pocket."""

    member: str | None
    """Of a family's pocket: for whose care. Its funder and holder see everybody, each member only itself. Null too for
    who has come of age and was not heard yet."""
    care: CareShown | None
    """What it was and where, where that member lets its funder and holder see it."""


class TopUpOrder(Shape):
    """Money that has arrived."""

    amount: Money
    rail: Word = "bank"
    """By which rail it came; the account of the cash that it became."""


class TopUpView(View):
    """Money that is booked."""

    id: str
    wallet: str
    amount: Money
    rail: str
    available: Sum
    """What the wallet may spend now."""
    booked_at: Moment
    fee: FeeView | None
    """What its rail keeps of it, where that is dear for the amount."""


@operation("list_wallets", answer=Page[WalletView])
def list_wallets(call: Call) -> Page[WalletView]:
    """Pockets within reach, in order of id."""
    reach, limit = call.reach(), call.limit()
    after = str(next(iter(call.place()), ""))
    if reach.everything:
        found = call.market.money.purses(after=after, limit=limit + 1)
    else:
        named = _within(call, reach, after, limit + 1)
        found = call.market.money.purses(after=after, limit=limit + 1, ids=named, members=reach.members)
    shown = found[:limit]
    more = call.cursor([shown[-1].pot.id]) if len(found) > limit else None
    return Page(data=[_view(one, record_of(call, one.pot.id)) for one in shown], next=more)


@operation("open_wallet", body=WalletOrder, answer=WalletView, status=201)
@alone
def open_wallet(call: Call) -> WalletView:
    """Open a pocket. Raises Denied unless its funder is the caller's own party, or the caller its holder.

    Of those for whom a shared pocket is opened, minors are let in and adults are asked; who opens it has said yes.
    """
    body: WalletOrder = call.body
    named = frozenset({body.funder} if body.funder else ())
    own = frozenset({body.holder} if body.holder and not body.funder else ())
    reach = call.permit(call.resource(parties=named, members=own))
    household = body.holder is not None and body.family is None
    if sum((body.member is not None, body.family is not None, household)) != 1:
        raise faulty("", "a pocket is opened for a member, for a family or for a holder's household, one of these")
    if not (reach.everything or reach.parties) and (body.pocket != "wallet"):
        raise faulty("/pocket", "a household opens a pocket of the kind `wallet`")
    _known_currency(body.currency)
    register = call.market.register
    if body.funder and not register.parties(ids=[body.funder], limit=1):
        raise faulty("/funder", "there is no such party")
    people = (
        register.family(body.family)
        if body.family
        else register.members(ids=[body.member or body.holder or ""], limit=1)
    )
    if not people:
        where = "/family" if body.family else "/member" if body.member else "/holder"
        raise faulty(where, "nobody is registered under this id")
    if body.holder is not None and body.holder not in {one.id for one in people}:
        raise faulty("/holder", "the holder is a member of the family")
    purpose = _purpose(call, body)
    pot = Pot(call.new_id("wal"), body.member or "", body.currency, 0, body.priority, body.pocket, purpose=purpose)
    slices = 0 if body.member else FAMILY_SLICES
    said: dict[str, object] = {"family": body.family or "", "slices": slices}
    said |= {"holder": body.holder or "", "priority": body.priority} if slices else {}
    members = frozenset({helper_of(pot.id)} if slices else {body.member or ""})
    terms = frozenset({family_term(body.family)} if body.family else ())
    record = Record(WALLET, pot.id, said, parties=named, members=members, terms=terms, author=call.caller.subject)
    [kept] = call.market.records.put([record])
    if not slices:
        call.market.desk.books.enrol(pots=[pot])
        return _view(Purse(pot, 0), kept)
    fund = open_fund(pot.id, pot.currency, slices=slices, pocket=pot.pocket, purpose=purpose)
    call.market.desk.books.enrol(pots=[fund])
    for one in people:
        shared = Shared(fund, call.market.records.get(WALLET, pot.id) or kept)
        if one.id in reach.members:
            let_in(call, shared, one, Terms(), consented=True)
        else:
            ask_or_let_in(call, shared, one, Terms())
    return _view(Purse(fund._replace(priority=body.priority), 0), kept)


@operation("get_wallet", answer=WalletView)
def get_wallet(call: Call) -> WalletView:
    """One pocket."""
    purse, record = _wallet(call)
    return _view(purse, record)


@operation("list_wallet_entries", answer=Page[WalletEntry], query={**PERIOD_QUERY, "cursor": "Where to go on."})
def list_wallet_entries(call: Call) -> Page[WalletEntry]:
    """What went in and out, newest first: below 0 what came in, above 0 what went out, as the books have it.

    Of a family's pocket, a payment that was taken back whole is left out, both ways: it tells nothing of the care.
    """
    (purse, record), reach = _wallet(call), call.reach()
    pot = purse.pot
    pots = fund_of(pot).pots if pot.slices else (pot.id,)
    tenant = call.market.desk.books.tenant
    numbers = [account_id(tenant, Account("wallet", one, pot.currency)) for one in pots]
    seen = seen_by(call, reach, record, pot, numbers)

    def view(one: Movement) -> WalletEntry:
        entry = structs.asdict(entry_of(one, call.caller))
        return WalletEntry(**entry, member=seen.names(one), care=seen.care(one))

    # Money that moves inside a shared pocket neither comes nor goes.
    return entries_page(call, numbers, view, hidden=[EntryKind.ALLOTMENT], passed_over=seen.hidden)


@operation("top_up_wallet", body=TopUpOrder, answer=TopUpView, status=201)
def top_up_wallet(call: Call) -> TopUpView:
    """Book money that has arrived, once for each Idempotency-Key, however often it is sent.

    Raises Conflict for the key of another top-up.
    """
    purse, _ = _wallet(call)
    body: TopUpOrder = call.body
    pot, amount = purse.pot, known_currency(body.amount, "/amount")
    refuse_strange_money(call, pot, "")
    ensure_currency(amount, pot.currency, "/amount", "the wallet")
    if amount.micros <= 0:
        raise faulty("/amount/micros", "a top-up is more than 0", "invalid_money")
    # The key names the intention, so the same intention is the same top-up even where keys were forgotten.
    name = sha256("\0".join((call.caller.subject, pot.id, call.key)).encode()).hexdigest()
    order = TopUp(TOP_UPS, name, pot.id, pot.member, amount.micros, amount.currency, body.rail, call.at)
    position = top_up(order, call.market.desk)
    [now] = call.market.money.purses(ids=[pot.id])
    key = event_key(call.market.desk.books.tenant, order.source, order.event_id)
    return TopUpView(
        id=row_name("top", position, key),
        wallet=pot.id,
        amount=amount,
        rail=body.rail,
        available=sum_of(now.pot.avail, pot.currency),
        booked_at=call.at,
        fee=fee_of(call, body.rail, amount.micros, amount.currency),
    )


def _within(call: Call, reach: Reach, after: str, wanted: int) -> list[str]:
    """The next pockets that a record says the caller may see; who left a family does not any more."""
    found: list[str] = []
    while len(found) < wanted:
        page = call.market.records.find(WALLET, after=after, limit=wanted, parties=reach.parties, members=reach.members)
        found += [one.id for one in page if one.parties & reach.parties or _seeing(call, one) & reach.members]
        if len(page) < wanted:
            break
        after = page[-1].id
    return found


def _seeing(call: Call, record: Record | None) -> frozenset[str]:
    """Members for whom a shared pocket pays, and who helps to fill it."""
    return members_of(call, record) | {helper_of(record.id)} if record is not None else frozenset()


def reachable_wallet(call: Call) -> Purse:
    """The pocket of the path, for calls about it that stand elsewhere."""
    return _wallet(call)[0]


def _wallet(call: Call) -> tuple[Purse, Record | None]:
    """The pocket of the path, if the caller may see it."""
    name = call.path["wallet_id"]
    found = call.market.money.purses(ids=[name], limit=1)
    if not found:
        call.permit(None)
        raise Problem("not_found")
    purse, record = found[0], record_of(call, name)
    members = _seeing(call, record) | ({purse.pot.member} if purse.pot.member else frozenset())
    call.permit(call.resource(name, parties=record.parties if record else frozenset(), members=members))
    return purse, record


def _view(purse: Purse, record: Record | None) -> WalletView:
    pot, said = purse.pot, record.body if record is not None else {}
    purpose = pot.purpose or Purpose()
    return WalletView(
        id=pot.id,
        member=pot.member or None,
        family=str(said.get("family") or "") or None,
        funder=purpose.funder or (next(iter(sorted(record.parties)), None) if record is not None else None),
        pocket=pot.pocket,
        expires_at=purpose.until,
        returns_at=purpose.closes,
        categories=list(purpose.categories),
        expense_rules=purpose.expenses or None,
        priority=pot.priority,
        currency=pot.currency,
        available=sum_of(pot.avail, pot.currency),
        held=sum_of(purse.held, pot.currency),
        shared=pot.slices > 0,
        frozen=bool(pot.frozen),
    )


def _purpose(call: Call, body: WalletOrder) -> Purpose | None:
    """The conditions of the money; they are fixed from now on."""
    if body.expires_at is not None and body.expires_at <= call.at:
        raise faulty("/expires_at", "it lies in the past")
    rules = body.expense_rules or ""
    if rules and rules not in {one.id for one in call.market.money.published("expense_rules")}:
        raise faulty("/expense_rules", "no expense rules are published under this id")
    wish = Purpose(body.funder or "", body.expires_at, body.returns_at, tuple(body.categories), rules)
    if wish == Purpose():
        return None
    try:
        return checked_purpose(wish, where="")
    except InvalidMessage as error:
        raise faulty("", error.message) from None


def _known_currency(currency: str) -> None:
    try:
        exponent(currency)
    except InvalidMessage:
        raise faulty("/currency", "the currency is not in ISO 4217") from None
