"""What waits at the desk, why, and what is to be done about it? And trying it again, many at once.

A reason is told in words of ours; the exact words of one event stand on its own page. Trying again charges nobody
twice: what cleared before is answered with what it was answered then, so a form that is sent twice does no harm.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from drachm.adapters.rest.service.asking import trouble_of
from drachm.adapters.rest.service.call import Reply
from drachm.adapters.rest.service.desk_frame import Seat, desk, unreadable
from drachm.adapters.rest.service.desk_today import STUCK_AFTER, Standing, names_of, waiting_groups
from drachm.adapters.rest.service.journal_reading import CHARGES, name_of
from drachm.adapters.rest.service.names import position_of
from drachm.adapters.rest.service.speech import N_, gettext, ngettext
from drachm.adapters.rest.service.trouble_words import Trouble
from drachm.application.journal_index import Waiting
from drachm.domain.errors import DrachmError
from drachm.domain.reasons import REASONS

ROWS: Final = 50
"""Lines on one page."""
PIECE: Final = 100
"""Events of one batch; the interface takes no more."""
MOST: Final = 500
"""Of one reason so many are tried at once; a button goes on with the next."""
ANSWERS: Final = 100
"""Of so many each answer is shown; of more, how many there are."""
_FORM_BYTES: Final = 16_384
_OUTCOMES: Final = {
    "posted": Standing("paid", "ok", N_("Cleared")),
    "denied": Standing("paid", "ok", N_("Cleared: insurance refused")),
    "pended": Standing("pended", "held", N_("Still waits")),
    "refused": Standing("stuck", "refused", N_("Refused for good")),
}
_UNKNOWN: Final = Standing("stuck", "refused", N_("Could not be tried"))
_FILTERS: Final = {
    "reason": "Only what waits for this reason.",
    "provider": "Only what this clinic billed.",
    "payer": "Only what this insurer would pay.",
}
_QUERY: Final = {**_FILTERS, "cursor": "Where the page begins."}


@dataclass(frozen=True, slots=True)
class Cause:
    """One reason for which events wait."""

    code: str
    words: str
    step: str
    number: int
    stuck: int
    """How many of them wait for longer than a day."""
    oldest: str


@dataclass(frozen=True, slots=True)
class Item:
    """One event that waits."""

    event: str
    who: str
    day: str
    words: str
    step: str
    age: str
    standing: Standing
    mine: bool
    """Whether the person may try it again."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What came of one event that was tried again."""

    who: str
    day: str
    standing: Standing
    words: str
    address: str
    charge: bool


@desk("open_desk_work", query=_QUERY)
def open_desk_work(seat: Seat) -> Reply:
    """The work list."""
    seat.call.reach()
    return _page(seat, _asked(seat.call.query), seat.call.query.get("cursor", ""))


@desk("retry_work_at_desk", form=True, form_bytes=_FORM_BYTES)
def retry_work_at_desk(seat: Seat) -> Reply:
    """Try the chosen ones again, or all of one reason; the answer of each stands above what still waits."""
    seat.call.reach()
    form = seat.call.form
    asked, every, rest = _asked(form), form.get("all", ""), ""
    try:
        if every:
            asked = {**asked, "reason": every}
            events, rest = _all_of(seat, asked, form.get("rest", ""))
        else:
            events = [value for name, value in form.items() if name.startswith("event-")]
        if not events and not every:
            raise unreadable(gettext("Choose at least one event, then try again."))
        results: list[Any] = []
        for first in range(0, len(events), PIECE):
            results += seat.ask("retry_work_queue", body={"events": events[first : first + PIECE]}).results
    except DrachmError as error:
        return _page(seat, asked, "", trouble=trouble_of(error, seat.call))
    return _page(seat, asked, "", events=events, results=results, rest=rest, every=every)


def age_of(since: datetime, at: datetime) -> str:
    """How long it waits, in the largest unit that is whole."""
    minutes = max(0, int((at - since).total_seconds())) // 60
    if not minutes:
        return gettext("less than a minute")
    if minutes < 60:
        return ngettext("%(num)s minute", "%(num)s minutes", minutes) % {"num": minutes}
    if minutes < 48 * 60:
        return ngettext("%(num)s hour", "%(num)s hours", minutes // 60) % {"num": minutes // 60}
    days = minutes // 1_440
    return ngettext("%(num)s day", "%(num)s days", days) % {"num": days}


def _asked(given: Mapping[str, str]) -> dict[str, str]:
    return {name: given[name] for name in _FILTERS if given.get(name)}


def _query(asked: Mapping[str, str], **more: str) -> dict[str, str]:
    """The filters in the words of the interface."""
    return {("party" if name == "payer" else name): value for name, value in {**asked, **more}.items() if value}


def _all_of(seat: Seat, asked: Mapping[str, str], cursor: str) -> tuple[list[str], str]:
    """(the next events of a reason that the person may try again, where the rest begins)."""
    found: list[str] = []
    query = _query(asked, limit=str(PIECE), cursor=cursor)
    while len(found) < MOST:
        piece = seat.ask("list_work_queue", query=query)
        found += [one.event for one in piece.data if _mine(seat, one.provider)]
        if piece.next is None:
            return found, ""
        query = {**query, "cursor": piece.next}
    return found, query["cursor"]


def _mine(seat: Seat, provider: str) -> bool:
    if not seat.may("retry_work_queue"):
        return False
    reach = seat.asking("retry_work_queue").reach()
    return reach.everything or provider in reach.parties


def _page(
    seat: Seat,
    asked: Mapping[str, str],
    cursor: str,
    *,
    trouble: Trouble | None = None,
    events: Sequence[str] = (),
    results: Sequence[Any] = (),
    rest: str = "",
    every: str = "",
) -> Reply:
    groups = waiting_groups(seat)
    piece = seat.ask("list_work_queue", query=_query(asked, limit=str(ROWS), cursor=cursor))
    names = names_of(seat, {one.member for one in piece.data})
    clinics, payers = _parties(seat, groups)
    answers = _answers(seat, events, results)
    return seat.page(
        "desk_work.html",
        tab="work",
        trouble=trouble,
        causes=_causes(seat, [one for one in groups if _fits(one, asked)]),
        items=[_item(seat, one, names) for one in piece.data],
        number=sum(one.number for one in groups),
        stuck=sum(one.long_ago for one in groups),
        reasons=sorted((code, _words(code)[0]) for code in {one.reason for one in groups}),
        clinics=clinics,
        payers=payers,
        asked={name: asked.get(name, "") for name in _FILTERS},
        next=piece.next,
        later=bool(cursor),
        tried=bool(events) or bool(every),
        cleared=sum(one.status in ("posted", "denied") for one in results),
        still=sum(one.status == "pended" for one in results),
        failed=len(events) - sum(one.status in ("posted", "denied", "pended") for one in results),
        answers=answers,
        unshown=len(events) - len(answers),
        rest=rest,
        every=every,
        most=MOST,
        can_retry=seat.may("retry_work_at_desk"),
    )


def _fits(group: Waiting, asked: Mapping[str, str]) -> bool:
    return (
        asked.get("reason", group.reason) == group.reason
        and asked.get("provider", group.provider) == group.provider
        and ("payer" not in asked or asked["payer"] in group.parties)
    )


def _words(code: str) -> tuple[str, str]:
    """(why it waits, what to do next), in words for people."""
    reason = REASONS.get(code)
    if reason is None:
        return gettext("It waits for something that we have no words for."), gettext("Open it to see more.")
    return gettext(reason.text), gettext(reason.next_step)


def _causes(seat: Seat, groups: Iterable[Waiting]) -> list[Cause]:
    """The reasons of what is asked for, the one with most events first."""
    found: dict[str, list[Waiting]] = {}
    for one in groups:
        found.setdefault(one.reason, []).append(one)
    causes = [
        Cause(
            code,
            *_words(code),
            sum(one.number for one in ones),
            sum(one.long_ago for one in ones),
            age_of(min(one.oldest for one in ones), seat.call.at),
        )
        for code, ones in found.items()
    ]
    return sorted(causes, key=lambda one: (-one.number, one.code))


def _item(seat: Seat, one: Any, names: Mapping[str, str]) -> Item:
    since = datetime.fromisoformat(one.waiting_since)
    stuck = seat.call.at - since >= STUCK_AFTER
    standing = Standing("stuck", "refused", N_("Stuck")) if stuck else Standing("pended", "held", N_("Pended"))
    words, step = _words(one.reason)
    who = names.get(one.member, one.member)
    return Item(one.event, who, one.day, words, step, age_of(since, seat.call.at), standing, _mine(seat, one.provider))


def _parties(seat: Seat, groups: Sequence[Waiting]) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """(clinics, insurers) that something waits for, each (id, name); a filter with one choice is none."""
    clinics = {one.provider for one in groups} - {""}
    others = {party for one in groups for party in one.parties} - clinics
    ids, register = clinics | others, seat.call.market.register
    known = {party.id: party for party in register.parties(ids=ids, limit=len(ids))} if ids else {}

    def named(ids: Iterable[str]) -> list[tuple[str, str]]:
        return sorted(
            ((one, known[one].name if one in known else "") for one in ids), key=lambda pair: pair[1] or pair[0]
        )

    payers = {one for one in others if one in known and "payer" in known[one].roles}
    return named(clinics) if len(clinics) > 1 else [], named(payers)


def _answers(seat: Seat, events: Sequence[str], results: Sequence[Any]) -> list[Answered]:
    """What came of each, in the order asked, with the way to its charge."""
    told = {one.id: one for one in results}
    places = [place[0] for name in events[:ANSWERS] if (place := position_of(name, "evt"))]
    rows = {name_of(one.row, "evt"): one.row for one in seat.call.market.index.look(places)}
    names = names_of(seat, {row.member for row in rows.values() if row.member})
    found = []
    for name in dict.fromkeys(events[:ANSWERS]):
        row, result = rows.get(name), told.get(name)
        if row is None:
            continue
        charge = result is not None and result.status in ("posted", "denied") and row.kind in CHARGES
        standing = _OUTCOMES.get(result.status, _UNKNOWN) if result is not None else _UNKNOWN
        address = f"/desk/charges/{name_of(row, 'chg')}" if charge else f"/desk/events/{name}"
        words = _words(result.reason)[0] if result is not None and standing.group != "paid" else ""
        found.append(Answered(names.get(row.member, row.member), row.day.isoformat(), standing, words, address, charge))
    return found
