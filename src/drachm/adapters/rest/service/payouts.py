"""Payout accounts: where parties are paid. Two people and a day stand before every number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import Meta

from drachm.adapters.rest.service.call import Call, Reply, operation
from drachm.adapters.rest.service.register_shapes import (
    after,
    alone,
    faulty,
    keep,
    known_party,
    legible,
    narrowed,
    next_of,
    permitted,
)
from drachm.adapters.rest.service.shapes import Currency, Money, Name, Page, Shape, View, Word, known_currency
from drachm.adapters.rest.transport.values import write_instant
from drachm.application.payouts import ACCOUNT, CHANGE, Hand, agreed, change_of, changes_of, proposed, stopped
from drachm.application.records import Record
from drachm.domain.coverage.payout import (
    electronic,
    in_force,
    is_account_number,
    is_iban,
    is_routing_number,
    masked,
    state_of,
    waiting,
)
from drachm.domain.errors import Conflict

Number = Annotated[str, Meta(min_length=4, max_length=42)]


class AccountNumber(Shape):
    """An IBAN, or a routing number with an account number. It is never shown again."""

    holder: Name
    """In whose name the bank keeps the account."""
    iban: Number | None = None
    routing_number: Number | None = None
    account_number: Number | None = None


class NewPayoutAccount(Shape):
    """An account to be paid to."""

    party: Word
    currency: Currency
    number: AccountNumber


class NumberChange(Shape):
    """Another number for an account."""

    number: AccountNumber


class MaskedNumber(View):
    """What may be shown of a number."""

    holder: str
    scheme: Literal["iban", "aba"]
    shown: str
    """The last four characters."""


class PayoutChangeView(View):
    """A proposed number on its way, and who had a hand in it."""

    id: str
    payout_account: str
    number: MaskedNumber
    state: Literal["proposed", "approved", "in_force", "replaced", "withdrawn"]
    """`approved` waits for its day; `in_force` is where money goes."""
    proposed_by: str
    proposed_at: str
    approved_by: str | None
    approved_at: str | None
    holds_from: str | None
    withdrawn_by: str | None
    withdrawn_at: str | None


class PayoutAccountView(View):
    """Where a party is paid. `number` is null as long as no number is in force: nothing is paid there."""

    id: str
    party: str
    currency: str
    number: MaskedNumber | None
    waiting: list[PayoutChangeView]
    version: int


@operation("list_payout_accounts", answer=Page[PayoutAccountView])
def list_payout_accounts(call: Call) -> Page[PayoutAccountView]:
    """Payout accounts in order of id."""
    reach, limit = call.reach(), call.limit()
    found = call.market.records.find(ACCOUNT, after=after(call), limit=limit, **narrowed(reach))
    views = [_account_view(call, one) for one in found]
    return Page(data=views, next=next_of(call, [one.id for one in found], limit))


@operation("propose_payout_account", body=NewPayoutAccount, answer=PayoutAccountView, status=201, tagged=True)
def propose_payout_account(call: Call) -> Reply:
    """Propose an account: nothing is paid there before a second person agreed and a day has passed."""
    body: NewPayoutAccount = call.body
    parties = frozenset({body.party})
    call.permit(call.resource(parties=parties))
    known_party(call, body.party, "/party")
    known_currency(Money(micros=0, currency=body.currency), "")
    account = Record(ACCOUNT, call.new_id("pay"), {"party": body.party, "currency": body.currency}, parties=parties)
    written = keep(call, *proposed(account, _number(body.number), _hand(call)))
    return _account_reply(call, written[0])


@operation("get_payout_account", answer=PayoutAccountView, tagged=True)
def get_payout_account(call: Call) -> Reply:
    """One payout account."""
    return _account_reply(call, _account(call))


@operation(
    "list_payout_changes",
    answer=Page[PayoutChangeView],
    query={"cursor": "Where the page begins.", "limit": "How many, 1 to 100."},
)
def list_payout_changes(call: Call) -> Page[PayoutChangeView]:
    """Every change of one account, oldest first."""
    account, limit = _account(call), call.limit()
    records, behind = changes_of(call.market.records, account.id), after(call)
    page = [one for one in records if one.id > behind][:limit]
    views = [_change_view(one, records, call.at) for one in page]
    return Page(data=views, next=next_of(call, [one.id for one in page], limit))


@operation("propose_payout_change", body=NumberChange, answer=PayoutChangeView, status=201)
@alone
def propose_payout_change(call: Call) -> PayoutChangeView:
    """Propose another number. Raises Conflict while another change is on its way."""
    account = _account(call)
    records = changes_of(call.market.records, account.id)
    if waiting([change_of(one) for one in records], call.at):
        raise Conflict("another change of this account is on its way", next_step="Wait until it holds, or withdraw it.")
    written = keep(call, *proposed(account, _number(call.body.number), _hand(call)))
    return _change_view(written[1], [*records, written[1]], call.at)


@operation("approve_payout_change", answer=PayoutChangeView)
@alone
def approve_payout_change(call: Call) -> PayoutChangeView:
    """A second person agrees. Raises Conflict when the change was agreed to or withdrawn before."""
    return _moved(call, agreed(_change_record(call), _hand(call)))


@operation("withdraw_payout_change", answer=PayoutChangeView)
@alone
def withdraw_payout_change(call: Call) -> PayoutChangeView:
    """Stop a change. Raises Conflict when it holds already."""
    return _moved(call, stopped(_change_record(call), _hand(call)))


def _account(call: Call) -> Record:
    return permitted(call, ACCOUNT, call.path["payout_account_id"])


def _change_record(call: Call) -> Record:
    return permitted(call, CHANGE, call.path["change_id"], lambda one: str(one.body["proposed_by"]))


def _hand(call: Call) -> Hand:
    return Hand(call.caller.subject, call.at, call.new_id("pch"), call.new_id("ntc"))


def _moved(call: Call, records: list[Record]) -> PayoutChangeView:
    written = keep(call, *records)
    return _change_view(written[0], changes_of(call.market.records, written[0].body["account"]), call.at)


def _number(number: AccountNumber) -> dict[str, str]:
    """The number, checked. No answer repeats what was sent."""
    holder = legible(number.holder, "/number/holder", 200)
    if number.iban is not None:
        if number.routing_number is not None or number.account_number is not None:
            raise faulty("/number", "an IBAN, or a routing number with an account number: not both")
        iban = electronic(number.iban)
        if not is_iban(iban):
            raise faulty("/number/iban", "this is no IBAN: its length or its check digits do not fit")
        return {"holder": holder, "scheme": "iban", "number": iban}
    if number.routing_number is None or number.account_number is None:
        raise faulty("/number", "an IBAN, or a routing number with an account number, is needed")
    routing, account = electronic(number.routing_number), electronic(number.account_number)
    if not is_routing_number(routing):
        raise faulty("/number/routing_number", "this is no routing number: nine digits, the last checks the others")
    if not is_account_number(account):
        raise faulty("/number/account_number", "an account number has 4 to 17 digits")
    return {"holder": holder, "scheme": "aba", "number": account, "routing": routing}


def _said(instant: datetime | None) -> str | None:
    return write_instant(instant) if instant else None


def _masked(number: Mapping[str, Any]) -> MaskedNumber:
    return MaskedNumber(holder=number["holder"], scheme=number["scheme"], shown=masked(number["number"]))


def _change_view(record: Record, records: Sequence[Record], at: datetime) -> PayoutChangeView:
    change = change_of(record)
    newest = [change_of(one) for one in records if one.id != record.id]
    return PayoutChangeView(
        id=record.id,
        payout_account=record.body["account"],
        number=_masked(record.body["number"]),
        state=state_of(change, [*newest, change], at),
        proposed_by=change.proposed_by,
        proposed_at=write_instant(change.proposed_at),
        approved_by=change.approved_by or None,
        approved_at=_said(change.approved_at),
        holds_from=_said(change.holds_from),
        withdrawn_by=change.withdrawn_by or None,
        withdrawn_at=_said(change.withdrawn_at),
    )


def _account_reply(call: Call, account: Record) -> Reply:
    view = _account_view(call, account)
    # What is in force changes with the hour, without a new version.
    states = [(one.id, one.state) for one in view.waiting]
    return Reply(view, tag=(account.id, account.version, view.number and view.number.shown, states))


def _account_view(call: Call, account: Record) -> PayoutAccountView:
    records = {one.id: one for one in changes_of(call.market.records, account.id)}
    changes = [change_of(one) for one in records.values()]
    newest = in_force(changes, call.at)
    return PayoutAccountView(
        id=account.id,
        party=account.body["party"],
        currency=account.body["currency"],
        number=_masked(records[newest.id].body["number"]) if newest else None,
        waiting=[_change_view(records[one.id], list(records.values()), call.at) for one in waiting(changes, call.at)],
        version=account.version,
    )
