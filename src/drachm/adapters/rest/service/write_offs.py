"""A due that the clinic no longer asks for: by one person up to a limit, by two above it, and taken back."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from msgspec import Meta

from drachm.adapters.rest.service.call import Call, operation
from drachm.adapters.rest.service.journal_reading import charge_of_path, receipts_of, word_of
from drachm.adapters.rest.service.money_shapes import ensure_currency
from drachm.adapters.rest.service.register_shapes import ORDER, legible, listed, narrowed, permitted
from drachm.adapters.rest.service.results import Moment
from drachm.adapters.rest.service.shapes import Money, Page, Shape, View, money
from drachm.adapters.rest.transport.identifiers import named_by
from drachm.adapters.rest.transport.problems import Problem
from drachm.application.records import Record
from drachm.application.write_offs import KIND, Asked, agree, ask_again, propose, stop, write_off_of
from drachm.domain.payments.write_off import Reason, State, WriteOff

_STATES = get_args(State)


class WriteOffOrder(Shape):
    """A due to be given up."""

    reason: Reason
    amount: Money | None = None
    """Left out: all that is due of the charge."""
    note: Annotated[str, Meta(max_length=500)] = ""
    """For the second person. Sealed like all content about a patient."""


class WriteOffView(View):
    """A due that is no longer asked for, and who decided it."""

    id: str
    charge: str
    state: Literal["proposed", "withdrawn", "agreed", "done", "failed", "taken_back"]
    """`proposed` waits for a second person. `agreed` is being posted: agree once more if it stays so. `failed` posted
    nothing, `why` says what was in its way. After `taken_back` the amount is due again."""
    reason: Reason
    note: str
    amount: Money
    proposed_by: str
    proposed_at: Moment
    alone: bool
    """No second person was needed."""
    agreed_by: str | None
    agreed_at: Moment | None
    withdrawn_by: str | None
    withdrawn_at: Moment | None
    why: str | None


@operation(
    "write_off_due",
    body=WriteOffOrder,
    answer=WriteOffView,
    status=201,
    problems=("nothing_due", "less_due", "conflict"),
)
def write_off_due(call: Call) -> WriteOffView:
    """Give up what is due of a charge. Up to the operator's limit, counted for each patient over a year, it is done at
    once; above it a second person agrees first."""
    body: WriteOffOrder = call.body
    looked, _ = charge_of_path(call, owner=True)
    market, house = call.market, call.house
    name = named_by("wof", call.caller.subject, call.path["charge_id"], call.key)
    known = market.records.get(KIND, name)
    if known is not None:
        return _view(known)
    (shown,) = receipts_of(market, [looked])
    if shown is None or shown.receipt.provisional or looked.stored.superseded or shown.receipt.due <= 0:
        raise Problem("nothing_due")
    receipt, due = shown.receipt, shown.receipt.due
    if body.amount is not None:
        ensure_currency(body.amount, receipt.currency, "/amount", "the charge")
    wish = WriteOff(
        name,
        call.caller.subject,
        call.at,
        body.reason,
        receipt.currency,
        body.amount.micros if body.amount is not None else due,
    )
    asked = Asked(call.path["charge_id"], looked.row.key, looked.row.provider, looked.row.member, due)
    note = legible(body.note, "/note")
    return _view(propose(wish, note, asked, house.write_off_micros, market.desk, market.records))


@operation(
    "list_write_offs",
    answer=Page[WriteOffView],
    query={"state": "One state only.", "charge": "Of this charge only.", **ORDER},
)
def list_write_offs(call: Call) -> Page[WriteOffView]:
    """Within reach, in the order in which they were named, or of time."""
    reach = call.reach()
    state, charge = call.query.get("state"), word_of(call, "charge")
    if state is not None and state not in _STATES:
        raise Problem("bad_request", f"a state is one of {', '.join(_STATES)}", where="state")
    terms = ([f"state={state}"] if state else []) + ([f"charge={charge}"] if charge else [])
    found, more = listed(call, KIND, terms, narrowed(reach))
    return Page(data=[_view(one) for one in found], next=more)


@operation("get_write_off", answer=WriteOffView)
def get_write_off(call: Call) -> WriteOffView:
    """One of them."""
    return _view(_permitted(call))


@operation("agree_to_write_off", answer=WriteOffView)
def agree_to_write_off(call: Call) -> WriteOffView:
    """Agree as the second person; the patient is asked for it no more."""
    return _view(agree(_permitted(call), call.caller.subject, call.at, call.market.desk, call.market.records))


@operation("end_write_off", answer=WriteOffView)
def end_write_off(call: Call) -> WriteOffView:
    """Withdraw it before anybody agreed; after that, take it back: the amount is due again."""
    record, market = _permitted(call), call.market
    by, at = call.caller.subject, call.at
    if write_off_of(record).state == "proposed":
        return _view(stop(record, by, at, market.records))
    return _view(ask_again(record, by, at, market.desk, market.records))


def _permitted(call: Call) -> Record:
    return permitted(call, KIND, call.path["write_off_id"], lambda one: write_off_of(one).proposed_by)


def _view(record: Record) -> WriteOffView:
    wish, body = write_off_of(record), record.body
    return WriteOffView(
        id=record.id,
        charge=body["charge"],
        state=wish.state,
        reason=wish.reason,
        note=body["note"],
        amount=money(wish.amount, wish.currency),
        proposed_by=wish.proposed_by,
        proposed_at=wish.proposed_at,
        alone=wish.alone,
        agreed_by=wish.agreed_by or None,
        agreed_at=wish.agreed_at,
        withdrawn_by=wish.withdrawn_by or None,
        withdrawn_at=wish.withdrawn_at,
        why=body.get("why") or None,
    )
