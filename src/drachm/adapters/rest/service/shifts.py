"""Cash at a window: a clerk opens a shift, takes money into pockets, counts the box."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from drachm.adapters.rest.service.call import Call, Reply, operation
from drachm.adapters.rest.service.money_shapes import ensure_currency, faulty
from drachm.adapters.rest.service.payments import PaymentView, payment_view
from drachm.adapters.rest.service.results import Moment
from drachm.adapters.rest.service.shapes import END, Money, Page, Shape, View, Word, known_currency, money
from drachm.adapters.rest.service.wallet_records import refuse_strange_money
from drachm.adapters.rest.transport.identifiers import named_by
from drachm.adapters.rest.transport.problems import Problem
from drachm.application.cash_refunds import RAIL
from drachm.application.records import Record
from drachm.application.window import SHIFT, close_shift, open_shift, shift_of, take
from drachm.domain.payments.cash import Shift
from drachm.domain.payments.model import Payment


class ShiftOrder(Shape):
    """A shift to begin."""

    party: Word
    """The clinic whose window it is."""
    window: Annotated[str, Meta(min_length=1, max_length=60, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*" + END)]
    laid_in: Money
    """What lies in the box, counted."""


class CashOrder(Shape):
    """Cash that a clerk holds in hand, for a pocket."""

    wallet: Word
    amount: Money


class CountOrder(Shape):
    """What lies in the box at the end."""

    counted: Money


class ShiftView(View):
    """One clerk's time at a window."""

    id: str
    party: str
    window: str
    clerk: str
    opened_at: Moment
    laid_in: Money
    taken: Money
    given: Money
    """Paid back in cash."""
    expected: Money
    """What should lie in the box."""
    counted: Money | None
    difference: Money | None
    """Counted less expected: below 0 is too little. Null until somebody counted."""
    closed_at: Moment | None


@operation("open_shift", body=ShiftOrder, answer=ShiftView, status=201, problems=("window_taken",))
def begin_shift(call: Call) -> ShiftView:
    """Open a shift in the caller's own name; one at a time at each window."""
    body: ShiftOrder = call.body
    call.permit(call.resource(parties=frozenset({body.party})))
    laid_in = known_currency(body.laid_in, "/laid_in")
    # Windows of two clinics may have the same name.
    window = f"{body.party}/{body.window}"
    shift = Shift(
        call.new_id("shf"), window, call.caller.subject, laid_in.currency, call.at, laid_in.micros, party=body.party
    )
    return _view(open_shift(shift, call.market.records))


@operation("list_shifts", answer=Page[ShiftView])
def list_shifts(call: Call) -> Page[ShiftView]:
    """Shifts within reach, newest last."""
    reach, limit = call.reach(), call.limit()
    after = str(next(iter(call.place()), ""))
    parties = None if reach.everything else reach.parties
    found = call.market.records.find(SHIFT, after=after, limit=limit + 1, parties=parties)
    more = call.cursor([found[limit - 1].id]) if len(found) > limit else None
    return Page(data=[_view(shift_of(one.id, call.market.records)) for one in found[:limit]], next=more)


@operation("get_shift", answer=ShiftView)
def get_shift(call: Call) -> ShiftView:
    """One shift."""
    return _view(shift_of(_reached(call).id, call.market.records))


@operation(
    "take_cash", body=CashOrder, answer=PaymentView, status=201, problems=("shift_closed", "not_your_shift", "conflict")
)
def take_cash(call: Call) -> Reply:
    """Take cash into a pocket, at once and once for each Idempotency-Key."""
    record = _reached(call)
    body: CashOrder = call.body
    amount = known_currency(body.amount, "/amount")
    found = call.market.money.purses(ids=[body.wallet], limit=1)
    if not found or not found[0].pot.member:
        raise faulty("/wallet", "there is no such pocket of a member")
    pot = found[0].pot
    ensure_currency(amount, pot.currency, "/amount", "the wallet")
    refuse_strange_money(call, pot, "/wallet")
    name = named_by("pay", call.caller.subject, record.id, call.key)
    wish = Payment(name, RAIL, pot.id, pot.member, amount.micros, amount.currency, call.at)
    done = take(wish, record.id, call.caller.subject, call.market.desk, call.market.records)
    return Reply(payment_view(done, call))


@operation("count_shift", body=CountOrder, answer=ShiftView, problems=("shift_closed", "not_your_shift"))
def count_shift(call: Call) -> ShiftView:
    """Count the box and end the shift; a difference is booked, never made to fit."""
    record = _reached(call)
    body: CountOrder = call.body
    counted = known_currency(body.counted, "/counted")
    ensure_currency(counted, shift_of(record.id, call.market.records).currency, "/counted", "the box")
    done = close_shift(record.id, counted.micros, call.caller.subject, call.market.desk, call.market.records)
    return _view(done)


def _reached(call: Call) -> Record:
    record = call.market.records.get(SHIFT, call.path["shift_id"])
    call.permit(call.resource(record.id, parties=record.parties) if record is not None else None)
    if record is None:
        raise Problem("not_found")
    return record


def _view(shift: Shift) -> ShiftView:
    def amount(micros: int) -> Money:
        return money(micros, shift.currency)

    return ShiftView(
        id=shift.id,
        party=shift.party,
        window=shift.window.removeprefix(f"{shift.party}/"),
        clerk=shift.clerk,
        opened_at=shift.opened_at,
        laid_in=amount(shift.laid_in),
        taken=amount(shift.taken),
        given=amount(shift.given),
        expected=amount(shift.expected),
        counted=amount(shift.counted) if shift.counted is not None else None,
        difference=amount(shift.difference) if shift.counted is not None else None,
        closed_at=shift.closed_at,
    )
