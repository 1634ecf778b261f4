"""What does a patient see first? The latest visits, each as one answer, and of one visit all that is known."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from drachm.adapters.rest.service.call import OPERATIONS, Reply
from drachm.adapters.rest.service.charge_views import VisitSummary
from drachm.adapters.rest.service.my_frame import PatientSeat, patient_page
from drachm.adapters.rest.service.my_live import live, watched
from drachm.adapters.rest.service.my_paid_from import paid_from
from drachm.adapters.rest.service.my_private import privacy_of
from drachm.adapters.rest.service.my_told import told_of
from drachm.adapters.rest.service.my_visit_view import visit_card, visit_parts
from drachm.adapters.rest.service.page_frame import Entry
from drachm.adapters.rest.service.page_words import reference
from drachm.adapters.rest.service.speech import N_

LATEST = 5
PAY = "/my/pay"


@patient_page(
    "open_my_home", query={"cursor": "where the list goes on"}, entry=Entry("home", N_("Visits"), "/my", "home", 10)
)
def open_my_home(seat: PatientSeat) -> Reply:
    """The latest visits, newest first."""
    if not seat.member:
        return seat.page("my_nobody.html", "home", subject=seat.call.caller.subject)
    cursor = seat.call.query.get("cursor", "")
    page = _visits(seat, cursor)
    names = names_of(seat, page.data)
    cards = [visit_card(visit, names) for visit in page.data]
    others = sorted(seat.members - {seat.member})
    values: dict[str, Any] = {
        "cards": cards,
        "more": page.next or "",
        "later": bool(cursor),
        "pay": pay_path(seat),
        "others": others,
        "live": None if cursor else live(seat, "home", page.data),
    }
    return seat.page("my_home.html", "home", **values)


@patient_page("open_my_visit", link=True)
def open_my_visit(seat: PatientSeat) -> Reply:
    """One visit: one number, one sentence, and the ways to its parts and reasons."""
    visit = seat.ask("get_visit", {"visit_id": seat.call.path["visit_id"]})
    card, parts = visit_card(visit, names_of(seat, [visit])), visit_parts(visit)
    counting = [part for part in parts if part.counts]
    return seat.page(
        "my_visit.html",
        "home",
        card=card,
        parts=parts,
        why=counting[0].receipt if len(counting) == 1 and seat.whose_own(visit.member) else "",
        reference=reference(visit.items[-1].receipt),
        pay=pay_path(seat),
        named=seat.whose_own(visit.member),
        pots=paid_from(seat, visit),
        private=privacy_of(seat, visit),
        live=live(seat, visit.id, visit),
    )


@patient_page("open_my_parts", link=True)
def open_my_parts(seat: PatientSeat) -> Reply:
    """What a visit was for: its charges, and what was told before against what it is now."""
    visit = seat.ask("get_visit", {"visit_id": seat.call.path["visit_id"]})
    card = visit_card(visit, names_of(seat, [visit]))
    return seat.page(
        "my_parts.html",
        "home",
        card=card,
        parts=visit_parts(visit),
        told=told_of(seat.call, visit) if seat.whose_own(visit.member) else None,
        named=seat.whose_own(visit.member),
    )


def _visits(seat: PatientSeat, cursor: str = "") -> Any:
    asked = {"limit": str(LATEST), "member": seat.member}
    return seat.ask("list_visits", query={**asked, **({"cursor": cursor} if cursor else {})})


@watched("home")
def _latest(seat: PatientSeat) -> object:
    return _visits(seat).data if seat.member else []


def names_of(seat: PatientSeat, visits: Iterable[VisitSummary]) -> dict[str, str]:
    """What the providers of visits are called."""
    ids = {party for visit in visits for party in visit.providers or []}
    parties = seat.call.market.register.parties(ids=ids) if ids else []
    return {party.id: party.name or party.id for party in parties}


def pay_path(seat: PatientSeat) -> str:
    """Where something due is paid, if these pages can take money and this person may pay."""
    routes = {one.route.template: name for name, one in OPERATIONS.items() if one.route.method == "GET"}
    name = routes.get(PAY, "")
    return PAY if name and not seat.visit and seat.may(name) else ""
