"""Money of a charge that goes back: proposed by one person, agreed to by another, posted once."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from msgspec import Meta

from drachm.adapters.rest.service.call import Call, operation
from drachm.adapters.rest.service.journal_reading import charge_of_path, find_charge, word_of
from drachm.adapters.rest.service.money_shapes import ensure_currency
from drachm.adapters.rest.service.names import row_name
from drachm.adapters.rest.service.register_shapes import ORDER, legible, listed, narrowed, permitted
from drachm.adapters.rest.service.results import Moment
from drachm.adapters.rest.service.shapes import Money, Page, Shape, View, money
from drachm.adapters.rest.transport.identifiers import named_by
from drachm.adapters.rest.transport.problems import Problem
from drachm.application.giving_back import KIND, Charged, agree, charged_of, propose, refund_of, stop
from drachm.application.journal_index import Looked
from drachm.application.records import Record
from drachm.domain.errors import Conflict
from drachm.domain.payments.giving_back import GivingBack, Reason, State
from drachm.domain.transparency.leaf import event_key

_STATES = get_args(State)


class ChargeRefundOrder(Shape):
    """A refund to be agreed to by somebody else."""

    reason: Reason
    """`not_given`, `wrong_person`, `sent_twice`: the charge is taken back whole."""
    most: Money
    """The limit: no more than this goes back, to patient and payers together."""
    price: Money | None = None
    """What the line shall cost instead; left out: nothing."""
    note: Annotated[str, Meta(max_length=500)] = ""
    """For the second person. Sealed like all content about a patient."""


class ChargeRefundView(View):
    """A refund on its way, and who had a hand in it."""

    id: str
    charge: str
    state: Literal["proposed", "withdrawn", "agreed", "done", "waiting", "failed"]
    """`agreed` is being posted: agree once more if it stays so. `waiting` stands in the work queue; `failed` posted
    nothing, `why` says what was in its way."""
    reason: Reason
    note: str
    most: Money
    price: Money | None
    payers: Money
    """What goes back to the payers, as foreseen when it was proposed."""
    patient: Money
    """What goes back to the patient, or is asked of them no more, likewise."""
    proposed_by: str
    proposed_at: Moment
    agreed_by: str | None
    agreed_at: Moment | None
    withdrawn_by: str | None
    withdrawn_at: Moment | None
    event: str | None
    """The event that gave it back, `evt_...`; null until it is in the books."""
    why: str | None


_PROBLEMS = ("refund_open", "over_the_limit", "charge_changed", "invalid_refund")


@operation("propose_charge_refund", body=ChargeRefundOrder, answer=ChargeRefundView, status=201, problems=_PROBLEMS)
def propose_charge_refund(call: Call) -> ChargeRefundView:
    """Propose it: nothing moves before a second person agreed."""
    body: ChargeRefundOrder = call.body
    looked, _ = charge_of_path(call, owner=True)
    charged = _charged(call, call.path["charge_id"], looked)
    currency = charged.event.currency
    for name, amount in (("most", body.most), ("price", body.price)):
        if amount is not None:
            ensure_currency(amount, currency, f"/{name}", "the charge")
    wish = GivingBack(
        named_by("rfd", call.caller.subject, charged.charge, call.key),
        call.caller.subject,
        call.at,
        body.reason,
        currency,
        body.most.micros,
        body.price.micros if body.price is not None else None,
    )
    market = call.market
    known = market.records.get(KIND, wish.id)
    if known is not None:
        return _view(call, known)
    note = legible(body.note, "/note")
    return _view(call, propose(wish, note, charged, market.desk, market.money, market.records))


@operation(
    "list_charge_refunds",
    answer=Page[ChargeRefundView],
    query={"state": "proposed, withdrawn, agreed, done, waiting or failed.", "charge": "Of this charge only.", **ORDER},
)
def list_charge_refunds(call: Call) -> Page[ChargeRefundView]:
    """Refunds within reach, in the order in which they were named, or of time."""
    reach = call.reach()
    state, charge = call.query.get("state"), word_of(call, "charge")
    if state is not None and state not in _STATES:
        raise Problem("bad_request", f"a state is one of {', '.join(_STATES)}", where="state")
    terms = ([f"state={state}"] if state else []) + ([f"charge={charge}"] if charge else [])
    found, more = listed(call, KIND, terms, narrowed(reach))
    return Page(data=[_view(call, one) for one in found], next=more)


@operation("get_charge_refund", answer=ChargeRefundView)
def get_charge_refund(call: Call) -> ChargeRefundView:
    """One refund."""
    return _view(call, _permitted(call))


@operation("agree_to_charge_refund", answer=ChargeRefundView, problems=_PROBLEMS)
def agree_to_charge_refund(call: Call) -> ChargeRefundView:
    """Agree as the second person; the money goes back at once, and once."""
    record, market = _permitted(call), call.market
    looked = find_charge(market, record.body["charge"])
    charged = _charged(call, record.body["charge"], looked)
    done = agree(record, call.caller.subject, call.at, charged, market.desk, market.money, market.records)
    return _view(call, done)


@operation("withdraw_charge_refund", answer=ChargeRefundView)
def withdraw_charge_refund(call: Call) -> ChargeRefundView:
    """Stop a refund that nobody agreed to yet."""
    return _view(call, stop(_permitted(call), call.caller.subject, call.at, call.market.records))


def _permitted(call: Call) -> Record:
    return permitted(call, KIND, call.path["refund_id"], lambda one: refund_of(one).proposed_by)


def _charged(call: Call, name: str, looked: Looked | None) -> Charged:
    charged = charged_of(name, looked.stored, call.market.desk) if looked is not None else None
    if charged is None:
        raise Conflict("the content of this charge was erased", where="charge_id", next_step="Nothing can be done.")
    return charged


def _view(call: Call, record: Record) -> ChargeRefundView:
    wish, body = refund_of(record), record.body
    row = body.get("row") or 0
    return ChargeRefundView(
        id=record.id,
        charge=body["charge"],
        state=wish.state,
        reason=wish.reason,
        note=body["note"],
        most=money(wish.most, wish.currency),
        price=money(wish.price, wish.currency) if wish.price is not None else None,
        payers=money(body["payers"], wish.currency),
        patient=money(body["patient"], wish.currency),
        proposed_by=wish.proposed_by,
        proposed_at=wish.proposed_at,
        agreed_by=wish.agreed_by or None,
        agreed_at=wish.agreed_at,
        withdrawn_by=wish.withdrawn_by or None,
        withdrawn_at=wish.withdrawn_at,
        event=_event_name(call, wish, body["source"], row) if row else None,
        why=body.get("why") or None,
    )


def _event_name(call: Call, wish: GivingBack, source: str, row: int) -> str:
    return row_name("evt", row, event_key(call.market.desk.books.tenant, source, f"refund-{wish.id}"))
