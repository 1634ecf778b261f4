"""What does a clinic's day look like? Its charges and whom they wait for, and the events that could not be cleared."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from drachm.adapters.rest.service.call import Reply
from drachm.adapters.rest.service.charge_views import Charge
from drachm.adapters.rest.service.desk_frame import Seat, desk, unreadable
from drachm.adapters.rest.service.journal_reading import ways_of
from drachm.adapters.rest.service.page_view import ReceiptView, receipt_view
from drachm.adapters.rest.service.page_words import Amount, amount_of, said
from drachm.adapters.rest.service.register_shapes import narrowed
from drachm.adapters.rest.service.shared_receipts import shared_receipt
from drachm.adapters.rest.service.speech import N_, clock, gettext, short_day
from drachm.adapters.rest.service.staff_words import why_said
from drachm.adapters.rest.service.static_files import address
from drachm.application.journal_index import Waiting
from drachm.application.people import PROFILE
from drachm.domain.errors import DrachmError, InvalidMessage
from drachm.domain.periods import read_day

PIECES: Final = 3
"""A page counts so many hundreds of a day's charges; of a longer day it says that there are more."""
QUEUE: Final = 100
AHEAD: Final = 5
"""So many of what waits stand before the day's charges; the others are on the work list."""
ROWS: Final = 50
"""Lines on one page."""
STUCK_AFTER: Final = timedelta(days=1)
"""What waits longer than this will hardly clear by itself."""


@dataclass(frozen=True, slots=True)
class Standing:
    """For whom a charge waits."""

    group: str
    """`paid`, `insurer`, `patient`, `back`, `pended` or `stuck`."""
    tone: str
    pill: str


@dataclass(frozen=True, slots=True)
class Line:
    """One charge, or one event that waits, on the list."""

    standing: Standing
    time: str
    what: str
    who: str
    address: str
    charge: Charge | None = None
    price: Amount | None = None
    insurer: Amount | None = None
    patient: Amount | None = None


@dataclass(frozen=True, slots=True)
class Count:
    """One of the numbers on top."""

    group: str
    label: str
    number: int
    sums: Sequence[Amount]
    more: bool = False


@dataclass(frozen=True, slots=True)
class Side:
    """The charge beside the list, as its patient sees it."""

    charge: Charge
    standing: Standing
    view: ReceiptView
    who: str
    can_refund: bool


_QUERY: Final = {
    "day": "A service day, YYYY-MM-DD.",
    "show": "paid, insurer, patient, pended, stuck or back.",
    "open": "The charge beside the list.",
    "from": "How many lines to pass over.",
}


@desk("open_desk", query=_QUERY)
def open_desk(seat: Seat) -> Reply:
    """A day: today, or the latest day with care where today has none yet."""
    seat.call.reach()
    today = seat.here(seat.call.at).date()
    asked = seat.call.query.get("day")
    day = _day(asked) if asked is not None else today
    charges, more = _charges(seat, day)
    empty_today = asked is None and not charges
    if empty_today and (latest := _latest(seat)) is not None:
        day = latest
        charges, more = _charges(seat, day)
    show = seat.call.query.get("show", "")
    show = show if show in GROUPS else ""
    lines: list[Any] = list(charges)
    if show in ("", "pended", "stuck"):
        lines = [*_waiting(seat, QUEUE if show else AHEAD), *charges]
    shown = [one for one in lines if not show or _standing(seat, one).group == show]
    first = _number(seat.call.query.get("from", ""))
    page = shown[first : first + ROWS]
    names = names_of(seat, {one.member for one in page})
    rows = [line_of(seat, one, names) for one in page]
    counts = _counts(seat, charges, more)
    return seat.page(
        "desk_today.html",
        tab="today",
        htmx=address("htmx.js"),
        day=day,
        today=today,
        counts=counts,
        lines=rows,
        waits=sum(one.number for one in counts if one.group in ("pended", "stuck")),
        first=first,
        whole=len(shown),
        show=show,
        groups={group: gettext(words) for group, words in GROUPS.items()},
        more=more,
        empty_today=empty_today,
        before=day - timedelta(days=1) if day > date.min else None,
        after=day + timedelta(days=1) if day < today else None,
        side=_side(seat, rows),
        can_cash=seat.may("take_cash_at_desk"),
        can_link=seat.may("hand_out_at_desk"),
    )


def standing_of(charge: Charge) -> Standing:
    """For whom a charge waits."""
    amounts = charge.amounts
    if charge.state != "standing":
        return Standing("back", "held", gettext("Taken back") if charge.state == "reversed" else gettext("Corrected"))
    if amounts is None:
        return Standing("back", "held", gettext("Data erased"))
    if charge.provisional:
        return Standing("insurer", "insurer", gettext("Waiting for insurer"))
    if amounts.due.micros > 0:
        refused = charge.status == "denied"
        return Standing("patient", "you", gettext("Insurance refused") if refused else gettext("Waiting for patient"))
    if amounts.no_longer_asked.micros > 0:
        part = amounts.paid.micros > 0
        return Standing("paid", "ok", gettext("Rest given up") if part else gettext("Given up"))
    if charge.status == "denied":
        return Standing("paid", "ok", gettext("Refused, patient paid"))
    return Standing("paid", "ok", gettext("Paid") if amounts.patient.micros else gettext("Nothing due"))


def waiting_standing(item: Any, at: datetime) -> Standing:
    """Whether an event that waits may still clear by itself."""
    why = why_said(item.reason, item.message) or gettext("it waits")
    if at - datetime.fromisoformat(item.waiting_since) >= STUCK_AFTER:
        return Standing("stuck", "refused", said(gettext("Stuck: {why}"), why=why))
    return Standing("pended", "held", said(gettext("Pended: {why}"), why=why))


def line_of(seat: Seat, one: Any, names: dict[str, str]) -> Line:
    """A charge, or an item of the work queue, as a line."""
    who = names.get(one.member, one.member)
    if not isinstance(one, Charge):
        since = seat.here(one.waiting_since)
        standing = waiting_standing(one, seat.call.at)
        what = gettext("Care on {day}").format(day=short_day(date.fromisoformat(one.day)))
        return Line(standing, clock(since), what, who, f"/desk/events/{one.event}")
    amounts = one.amounts
    return Line(
        standing_of(one),
        clock(seat.here(one.posted_at)),
        one.display or (one.service.value if one.service else gettext("Care")),
        who,
        f"/desk/charges/{one.id}",
        one,
        Amount(amounts.payers.micros + amounts.patient.micros, amounts.billed.currency) if amounts else None,
        amount_of(amounts.payers) if amounts else None,
        amount_of(amounts.patient) if amounts else None,
    )


def names_of(seat: Seat, members: Collection[str]) -> dict[str, str]:
    """Given name and the family name's initial of those members whom the person may look up."""
    if not members or not seat.may("list_members"):
        return {}
    reach = seat.asking("list_members").reach()
    found = seat.call.market.register.members(ids=members, limit=len(members), **narrowed(reach))
    names = {}
    wanted = {member.id for member in found}
    # One question for all of them, as many as there are lines.
    profiles = seat.call.market.records.find(PROFILE, members=wanted, limit=len(wanted)) if wanted else []
    for profile in profiles:
        called = profile.body.get("name", {})
        given, family = called.get("given", ""), called.get("family", "")
        if profile.id in wanted and (given or family):
            names[profile.id] = f"{given.split()[0]} {family[:1]}." if given and family else given or family
    return names


def waiting_groups(seat: Seat) -> list[Waiting]:
    """All that waits within the person's reach, added up; nothing for who has no work queue."""
    if not seat.may("list_work_queue"):
        return []
    asking = seat.asking("list_work_queue")
    ways = ways_of(asking, asking.reach())
    return seat.call.market.index.waiting_groups(**ways, long_ago=seat.call.at - STUCK_AFTER)


GROUPS: Final = {
    "paid": N_("Paid"),
    "insurer": N_("Waiting for insurer"),
    "patient": N_("Waiting for patient"),
    "pended": N_("Pended"),
    "stuck": N_("Stuck"),
    "back": N_("Taken back or corrected"),
}


def _standing(seat: Seat, one: Any) -> Standing:
    return standing_of(one) if isinstance(one, Charge) else waiting_standing(one, seat.call.at)


def _charges(seat: Seat, day: date) -> tuple[list[Charge], bool]:
    """(charges of a day, newest first; whether there are more)."""
    found: list[Charge] = []
    query = {"since": day.isoformat(), "until": day.isoformat(), "limit": "100"}
    for _ in range(PIECES):
        piece = seat.ask("list_charges", query=query)
        found += piece.data
        if piece.next is None:
            return found, False
        query = {**query, "cursor": piece.next}
    return found, True


def _latest(seat: Seat) -> date | None:
    piece = seat.ask("list_charges", query={"limit": "1"})
    return date.fromisoformat(piece.data[0].day) if piece.data else None


def _waiting(seat: Seat, most: int) -> list[Any]:
    """The newest of what waits, of every day; nothing for who has no work queue."""
    if not seat.may("list_work_queue"):
        return []
    return list(seat.ask("list_work_queue", query={"limit": str(most)}).data)


def _counts(seat: Seat, charges: Sequence[Charge], more: bool) -> list[Count]:
    found = []
    for group in ("paid", "insurer", "patient"):
        mine = [one for one in charges if standing_of(one).group == group]
        sums: dict[str, int] = {}
        for charge in mine:
            amounts = charge.amounts
            if amounts is None:
                continue
            asked = {"insurer": amounts.payers.micros, "patient": amounts.due.micros}
            micros = asked.get(group, amounts.payers.micros + amounts.patient.micros)
            sums[amounts.due.currency] = sums.get(amounts.due.currency, 0) + micros
        totals = [Amount(micros, currency) for currency, micros in sorted(sums.items())]
        found.append(Count(group, gettext(GROUPS[group]), len(mine), totals, more))
    if seat.may("list_work_queue"):
        waiting = waiting_groups(seat)
        stuck = sum(one.long_ago for one in waiting)
        numbers = {"pended": sum(one.number for one in waiting) - stuck, "stuck": stuck}
        found += [Count(group, gettext(GROUPS[group]), number, []) for group, number in numbers.items()]
    return found


def _side(seat: Seat, rows: Sequence[Line]) -> Side | None:
    """The charge that is asked for, else the first of the list. Nothing of what the person may not see."""
    name = seat.call.query.get("open", "")
    chosen = next((row.charge for row in rows if row.charge and (not name or row.charge.id == name)), None)
    try:
        charge = seat.ask("get_charge", {"charge_id": name}) if name and chosen is None else chosen
        if charge is None:
            return None
        seat.ask("get_receipt", {"receipt_id": charge.receipt})
    except DrachmError:
        return None
    shared = shared_receipt(seat.call.market, charge.receipt)
    if shared is None:
        return None
    return Side(
        charge,
        standing_of(charge),
        receipt_view(shared, named=True, until=seat.call.at),
        names_of(seat, {charge.member}).get(charge.member, charge.member),
        can_refund(seat, charge),
    )


def can_refund(seat: Seat, charge: Charge) -> bool:
    """Whether the person may propose to give this charge's money back."""
    if charge.state != "standing" or charge.amounts is None or not seat.may("propose_refund_at_desk"):
        return False
    reach = seat.asking("propose_refund_at_desk").reach()
    return reach.everything or charge.provider in reach.parties


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 5 else 0


def _day(text: str) -> date:
    try:
        return read_day(text)
    except InvalidMessage:
        raise unreadable(gettext("A day is written as year-month-day, such as 2026-01-31.")) from None
