"""What does my cover pay, and how far are its limits used up? As the eligibility call says it today."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from drachm.adapters.rest.service.call import Reply
from drachm.adapters.rest.service.my_frame import PatientSeat, patient_page
from drachm.adapters.rest.service.page_bar import Bar, bar_of
from drachm.adapters.rest.service.page_frame import Entry
from drachm.adapters.rest.service.page_words import Amount
from drachm.adapters.rest.service.speech import N_, counted, gettext, short_day

_LIMITS: Final = {
    "deductible": N_("The first part of your care, which you pay yourself"),
    "out_of_pocket_max": N_("The most you pay"),
    "benefit_limit": N_("The most that insurance pays"),
    "period_cap": N_("The most you pay in this time"),
}
_OTHER: Final = N_("A limit of your plan")
_STANDINGS: Final = {
    "active": ("ok", N_("In force")),
    "ended": ("held", N_("Ended")),
    "not_begun": ("held", N_("Not begun yet")),
    "unknown_plan": ("refused", N_("Your plan is not known here. Ask your insurer.")),
}


@dataclass(frozen=True, slots=True)
class LimitRow:
    """One limit with its measure."""

    name: str
    bar: Bar
    words: str
    days: str
    family: bool
    clause: str


@patient_page("open_my_cover", entry=Entry("cover", N_("Cover"), "/my/cover", "cover", 20))
def open_my_cover(seat: PatientSeat) -> Reply:
    """Every cover in its order, with the progress of each limit."""
    if not seat.member:
        return seat.page("my_nobody.html", "cover", subject=seat.call.caller.subject)
    answer = seat.ask("check_eligibility", body={"member": seat.member})
    payers = {cover.payer for cover in answer.coverages if cover.payer}
    parties = seat.call.market.register.parties(ids=payers) if payers else []
    names = {party.id: party.name or party.id for party in parties}
    covers = [_cover(cover, names) for cover in answer.coverages]
    return seat.page("my_cover.html", "cover", covers=covers, several=len(covers) > 1)


def _cover(cover: Any, names: dict[str, str]) -> dict[str, Any]:
    tone, words = _STANDINGS[cover.status]
    limits = [row for limit in cover.limits if (row := _limit(limit)) is not None]
    return {
        "payer": names.get(cover.payer, cover.payer),
        "title": cover.plan.title if cover.plan and cover.plan.title else cover.plan_id,
        "tone": tone,
        "standing": gettext(words),
        "since": short_day(date.fromisoformat(cover.from_)),
        "until": short_day(_last(cover.until)) if cover.until else "",
        "limits": limits,
        "waiting": [one for one in cover.waiting_periods if one.over is False],
        "rank": cover.rank,
    }


def _limit(limit: Any) -> LimitRow | None:
    """A limit whose size and use are known; others depend on care that nobody named yet."""
    if limit.limit_amount is not None and limit.used_amount is not None:
        currency = limit.limit_amount.currency
        whole, used = int(limit.limit_amount.micros), int(limit.used_amount.micros)
        said, left = Amount(used, currency), Amount(max(0, whole - used), currency)
        words = gettext("{used} of {limit} so far, {left} left").format(
            used=said, limit=Amount(whole, currency), left=left
        )
    elif limit.limit_count is not None and limit.used_count is not None and limit.counted != "units":
        whole, used = limit.limit_count, limit.used_count
        words = gettext("{used} of {limit} so far, {left} left").format(
            used=counted(used), limit=counted(whole), left=counted(max(0, whole - used))
        )
    else:
        return None
    if whole <= 0:
        return None
    used = min(max(used, 0), whole)
    if used == whole:
        words = gettext("All of it is used up in this time.")
    return LimitRow(
        name=gettext(_LIMITS.get(limit.kind, _OTHER)),
        bar=bar_of([("you", used), ("left", whole - used)], words),
        words=words,
        days=_days(limit),
        family=limit.scope == "family",
        clause=limit.clause_text,
    )


def _days(limit: Any) -> str:
    if not limit.from_ or not limit.until:
        return ""
    first, last = date.fromisoformat(limit.from_), _last(limit.until)
    return gettext("From {first} to {last}").format(first=short_day(first), last=short_day(last))


def _last(behind: str) -> date:
    """The last day of days that end before this one."""
    return date.fromordinal(date.fromisoformat(behind).toordinal() - 1)
