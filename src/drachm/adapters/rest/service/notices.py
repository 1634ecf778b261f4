"""What was a member told about budgets?"""

from __future__ import annotations

from datetime import datetime

from drachm.adapters.rest.service.call import Call, operation
from drachm.adapters.rest.service.money_shapes import Sum, sum_of
from drachm.adapters.rest.service.register_shapes import after, member_of_path
from drachm.adapters.rest.service.results import Moment
from drachm.adapters.rest.service.shapes import Money, Page, View
from drachm.application.notices import notices_of
from drachm.application.records import Record


class NoticeView(View):
    """A step that a budget has come to."""

    id: str
    budget: str
    amount: Money
    """The budget as it was then."""
    month: str
    """YYYY-MM in the budget's own calendar."""
    percent: int
    """50, 80 or 100."""
    used: Sum
    """When it was noticed."""
    at: Moment


@operation(
    "list_notices",
    answer=Page[NoticeView],
    query={"cursor": "Where to go on.", "after": "Behind the notice with this id, instead of a cursor."},
)
def list_notices(call: Call) -> Page[NoticeView]:
    """Notices of a member, oldest first: each step of each month of a budget once. `after` the last id has no end."""
    member, limit = member_of_path(call), call.limit()
    behind = after(call) or call.query.get("after", "")
    found = notices_of(member, call.market.records, after=behind, limit=limit + 1)
    more = call.cursor([found[limit - 1].id]) if len(found) > limit else None
    return Page(data=[_view(one) for one in found[:limit]], next=more)


def _view(record: Record) -> NoticeView:
    body = record.body
    return NoticeView(
        id=record.id,
        budget=body["budget"],
        amount=Money(micros=body["amount"], currency=body["currency"]),
        month=body["month"],
        percent=body["percent"],
        used=sum_of(body["used"], body["currency"]),
        at=datetime.fromisoformat(body["at"]),
    )
