"""Emergency access at the desk: taken for a reason and a while, everything that is opened written down, and reviewed.

It widens looking, and nothing else: pages of single charges and events of the whole tenant open, whatever changes or
lists something stays as it was.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from drachm.adapters.rest.service.asking import trouble_of
from drachm.adapters.rest.service.call import Reply
from drachm.adapters.rest.service.desk_frame import Seat, desk, named, unreadable
from drachm.adapters.rest.service.forms import one_line
from drachm.adapters.rest.service.page_frame import sent_on
from drachm.adapters.rest.service.speech import N_, gettext
from drachm.adapters.rest.service.trouble_words import Trouble
from drachm.adapters.rest.transport.problems import Problem
from drachm.application.emergencies import (
    KIND,
    emergency_of,
    give_back,
    review,
    sights_of,
    take,
    unreviewed,
)
from drachm.application.records import Record
from drachm.domain.coverage.emergency import Emergency
from drachm.domain.errors import DrachmError

REASONS: Final = {
    "patient_here": N_("The patient is here and needs care now"),
    "other_clinic_asks": N_("Another clinic treats our patient and asks"),
    "patient_asks": N_("The patient asks for help with it"),
    "safety": N_("Somebody may come to harm"),
}
MINUTES: Final = ("15", "30", "60")
VERDICTS: Final = {"right": N_("It was right"), "not_right": N_("It was not right")}
_REVIEWED: Final = 20


@desk("open_desk_emergency")
def open_desk_emergency(seat: Seat) -> Reply:
    """Where emergency access is taken."""
    return _page(seat)


@desk("take_desk_emergency", form=True)
def take_desk_emergency(seat: Seat) -> Reply:
    """Take it; from the next page on it holds."""
    call, form = seat.call, seat.call.form
    call.reach()
    reason, minutes = form.get("reason", ""), form.get("minutes", "")
    try:
        if reason not in REASONS or minutes not in MINUTES:
            raise unreadable(gettext("Choose a reason and a time."), "minutes" if reason in REASONS else "reason")
        words = one_line(form.get("words", ""))
        if len(words) > 500:
            raise unreadable(gettext("Write at most 500 letters."), "words")
        wish = Emergency(
            call.new_id("brk"),
            call.caller.subject,
            reason,  # type: ignore[arg-type]
            words,
            call.at,
            call.at + timedelta(minutes=int(minutes)),
        )
        records, session = call.market.records, seat.session.record
        taken = take(wish, str(session.body["name"]), call.caller.parties, records)
        records.put([replace(session, body={**session.body, "emergency": taken.id})])
    except DrachmError as error:
        return _page(seat, trouble_of(error, call, "reason", "minutes", "words"))
    return sent_on(call, "/desk/emergency")


@desk("end_desk_emergency", form=True)
def end_desk_emergency(seat: Seat) -> Reply:
    """End it before its time."""
    seat.call.reach()
    if seat.emergency is not None:
        record = seat.call.market.records.get(KIND, seat.emergency.id)
        if record is not None:
            give_back(record, seat.call.at, seat.call.market.records)
    return sent_on(seat.call, "/desk/emergency")


@desk("open_desk_reviews")
def open_desk_reviews(seat: Seat) -> Reply:
    """Emergency access that nobody has looked at, oldest first, and the latest that somebody has."""
    reach = seat.call.reach()
    parties = None if reach.everything else reach.parties
    records = seat.call.market.records
    done = records.by_time(KIND, newest=True, parties=parties, terms=["review=done"], limit=_REVIEWED)
    waiting = [_shown(seat, one) for one in unreviewed(records, parties)]
    return seat.page("desk_reviews.html", tab="reviews", waiting=waiting, done=[_shown(seat, one) for one in done])


@desk("open_desk_review")
def open_desk_review(seat: Seat) -> Reply:
    """One person's emergency access, and everything that was opened by it."""
    return _review_page(seat)


@desk("review_emergency", form=True)
def review_emergency(seat: Seat) -> Reply:
    """Keep what somebody else thinks of it."""
    call, form = seat.call, seat.call.form
    record = _record(seat)
    try:
        verdict, remark = form.get("verdict", ""), one_line(form.get("remark", ""))
        if verdict not in VERDICTS:
            raise unreadable(gettext("Say whether it was right."), "verdict")
        if len(remark) > 500 or (verdict == "not_right" and not remark):
            raise unreadable(gettext("Say in a few words why it was not right."), "remark")
        review(record, call.caller.subject, verdict, remark, call.at, call.market.records)  # type: ignore[arg-type]
    except DrachmError as error:
        return _review_page(seat, trouble_of(error, call, "verdict", "remark"))
    return sent_on(call, "/desk/reviews")


def _record(seat: Seat) -> Record:
    call, name = seat.call, seat.call.path["emergency_id"]
    record = call.market.records.get(KIND, name) if name.startswith("brk_") else None
    maker = emergency_of(record).subject if record is not None else ""
    call.permit(call.resource(name, parties=record.parties, maker=maker) if record is not None else None)
    if record is None:
        raise Problem("not_found")
    return record


def _page(seat: Seat, trouble: Trouble | None = None) -> Reply:
    seat.call.reach()
    form = seat.call.form
    return seat.page(
        "desk_emergency.html",
        tab="",
        reasons={code: gettext(words) for code, words in REASONS.items()},
        minutes=MINUTES,
        form={name: form.get(name, "") for name in ("reason", "minutes", "words")},
        trouble=trouble,
    )


def _review_page(seat: Seat, trouble: Trouble | None = None) -> Reply:
    record = _record(seat)
    sights = [
        {"at": seat.here(one.at), "page": one.body["page"], "what": list(one.body["what"].values())}
        for one in sights_of(record.id, seat.call.market.records)
        if one.at is not None
    ]
    shown = _shown(seat, record)
    mine = shown["one"].subject == seat.call.caller.subject
    over = not shown["one"].holds(seat.call.at) and shown["one"].reviewed_at is None
    return seat.page(
        "desk_review.html",
        tab="reviews",
        sights=sights,
        mine=mine,
        can_review=over and not mine and seat.may("review_emergency"),
        verdicts={code: gettext(words) for code, words in VERDICTS.items()},
        remark=seat.call.form.get("remark", ""),
        trouble=trouble,
        **shown,
    )


def _shown(seat: Seat, record: Record) -> dict[str, Any]:
    one = emergency_of(record)
    return {
        "id": record.id,
        "one": one,
        "who": record.body["name"],
        "reason": gettext(REASONS[one.reason]),
        "since": seat.here(one.since),
        "until": seat.here(min(one.until, one.ended_at or one.until)),
        "holds": one.holds(seat.call.at),
        "verdict": gettext(VERDICTS.get(one.verdict, "")),
        "reviewer": named(one.reviewed_by),
    }
