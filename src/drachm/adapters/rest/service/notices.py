"""What was a member told: about budgets, payments that went back, and what was paid by itself after the care?"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from drachm.adapters.rest.service.call import Call, operation
from drachm.adapters.rest.service.money_shapes import Sum, sum_of
from drachm.adapters.rest.service.names import row_name
from drachm.adapters.rest.service.register_shapes import ORDER, after, listed, member_of_path
from drachm.adapters.rest.service.results import Moment
from drachm.adapters.rest.service.shapes import Money, Page, View
from drachm.application.late_notices import PAID_LATE
from drachm.application.notices import BUDGET, NOTICE, notices_of
from drachm.application.records import Record


class NoticeView(View):
    """Something a member was told."""

    id: str
    what: Literal["budget_step", "payment_returned", "arrears_cured", "paid_late"]
    """A budget came to a step; a payment went back, and wallets pay for nothing by themselves until it is made good; it
    is made good; money came, and something due of earlier care was paid by itself."""
    at: Moment
    budget: str | None = None
    """Of a step: which budget."""
    amount: Money | None = None
    """Of a step: the budget as it was then."""
    month: str | None = None
    """Of a step: YYYY-MM in the budget's own calendar."""
    percent: int | None = None
    """Of a step: 50, 80 or 100."""
    member: str | None = None
    """Of a step of the budget that a holder keeps for one member of a shared pot: that member."""
    used: Sum | None = None
    """Of a step: when it was noticed."""
    owed: Sum | None = None
    """Of a payment that went back: all that was owed then."""
    cure: str | None = None
    """Of a payment that went back: the call that makes it good."""
    paid: Money | None = None
    """Of care that was paid late: how much."""
    due: Sum | None = None
    """Of care that was paid late: what was due of the charge still."""
    day: str | None = None
    """Of care that was paid late: the day of the care, YYYY-MM-DD."""
    receipt: str | None = None
    """Of care that was paid late: the charge's receipt, which says by what."""


@operation(
    "list_notices",
    answer=Page[NoticeView],
    query={"cursor": "Where to go on.", "after": "Behind the notice with this id, instead of a cursor.", **ORDER},
)
def list_notices(call: Call) -> Page[NoticeView]:
    """Notices of a member, oldest first: each step of each month of a budget once, each payment that went back, when
    all of that was made good, and each payment by itself of earlier care. `after` the last id has no end."""
    member, limit = member_of_path(call), call.limit()
    if "order" in call.query:
        ordered, rest = listed(call, NOTICE, [], {"parties": None, "members": frozenset({member})})
        return Page(data=[_view(one) for one in ordered], next=rest)
    behind = after(call) or call.query.get("after", "")
    found = notices_of(member, call.market.records, after=behind, limit=limit + 1)
    more = call.cursor([found[limit - 1].id]) if len(found) > limit else None
    return Page(data=[_view(one) for one in found[:limit]], next=more)


def _view(record: Record) -> NoticeView:
    body, at = record.body, datetime.fromisoformat(record.body["at"])
    what, currency = body.get("what", BUDGET), body["currency"]
    if what == PAID_LATE:
        return NoticeView(
            id=record.id,
            what=what,
            at=at,
            paid=Money(micros=body["amount"], currency=currency),
            due=sum_of(body["due"], currency),
            day=body["day"],
            receipt=row_name("rcp", body["position"], bytes.fromhex(body["key"])),
        )
    if what != BUDGET:
        return NoticeView(
            id=record.id, what=what, at=at, owed=sum_of(body["owed"], currency), cure=body["cure"] or None
        )
    return NoticeView(
        id=record.id,
        what=what,
        at=at,
        budget=body["budget"],
        amount=Money(micros=body["amount"], currency=currency),
        month=body["month"],
        percent=body["percent"],
        member=body.get("member"),
        used=sum_of(body["used"], currency),
    )
