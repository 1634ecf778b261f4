"""What does a patient keep from the family? One visit, or kinds of care from now on, and what that means.

The rules are the interface's (docs/decisions/0024): a private charge is paid from own pockets only, an adult's mark
always holds and a minor's where the law gives it, and a mark on a charge is for good, because what was kept from
others once would be told by its being opened.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from drachm.adapters.rest.identity.decide import Deny
from drachm.adapters.rest.identity.permit import Denied
from drachm.adapters.rest.service.asking import trouble_of
from drachm.adapters.rest.service.call import OPERATIONS, Reply
from drachm.adapters.rest.service.care_kinds import kind_said, kinds_to_choose
from drachm.adapters.rest.service.charge_views import Charge, Visit
from drachm.adapters.rest.service.my_frame import PatientSeat, patient_page
from drachm.adapters.rest.service.names import position_of
from drachm.adapters.rest.service.page_words import amount_of
from drachm.adapters.rest.service.private_rows import private_among
from drachm.adapters.rest.service.speech import N_, gettext
from drachm.adapters.rest.transport.problems import Problem
from drachm.adapters.rest.transport.versions import etag
from drachm.domain.coverage.ages import ALL_CARE
from drachm.domain.errors import DrachmError

_MOST: Final = 20
"""Charges of a visit whose mark is looked at; a larger one says it when asked."""
_FORM_BYTES: Final = 16_384
_FAILED: Final = N_("This did not go through. Some of it may be in use just now. Look again, then try once more.")
_NOT_BY_LAW: Final = N_("The law of the place does not let you keep this from your family. It was not hidden.")


@patient_page("keep_my_visit_private", form=True)
def keep_my_visit_private(seat: PatientSeat) -> Reply:
    """Keep every charge of a visit private that stands; what others paid goes back to them."""
    visit = seat.ask("get_visit", {"visit_id": seat.call.path["visit_id"]})
    if not seat.whose_own(visit.member):
        raise Denied(Deny("not_found"), seat.call.operation)
    back = f"/my/visits/{visit.id}"
    if seat.call.form.get("sure") != "yes":
        return seat.page("my_private_sure.html", "home", visit=visit)
    try:
        for charge in _standing(visit):
            seat.ask("keep_charge_private", {"charge_id": charge.id})
    except DrachmError as error:
        if trouble_of(error, seat.call).status not in (404, 409):
            raise
        return _trouble(seat, 409, gettext(_FAILED))
    if privacy_of(seat, seat.ask("get_visit", {"visit_id": visit.id})) != "all":
        return _trouble(seat, 409, gettext(_NOT_BY_LAW))
    return seat.sent_on(back)


@patient_page("open_my_private")
def open_my_private(seat: PatientSeat) -> Reply:
    """The standing wish of each shared pot."""
    shared = [one for one in seat.ask("list_wallets", query={"limit": "100"}).data if one.shared and seat.own]
    found = [(wallet, wish) for wallet in shared if (wish := _wish(seat, wallet.id)) is not None]
    pots = [_pot(wallet, *wish) for wallet, wish in found]
    return seat.page("my_private.html", "family", pots=pots)


@patient_page("set_my_private", form=True, form_bytes=_FORM_BYTES)
def set_my_private(seat: PatientSeat) -> Reply:
    """Say what a shared pot pays nothing of from now on; said again otherwise, it pays again."""
    form, wallet = seat.call.form, seat.call.path["wallet_id"]
    how = form.get("how", "")
    if how not in ("none", "some", "all"):
        raise Problem("bad_request")
    found = _wish(seat, wallet)
    if found is None:
        raise Denied(Deny("not_found"), seat.call.operation)
    kinds = [name.removeprefix("kind-") for name in form if name.startswith("kind-")]
    wished = {"none": [], "some": sorted(kinds), "all": [ALL_CARE]}[how]
    body = {"shares": found[0].shares, "private_categories": wished}
    path = {"wallet_id": wallet, "member_id": seat.member}
    asking = PatientSeat(seat.asking("set_wallet_privacy", if_match=form.get("tag", "") or '""'), seat.session)
    asking.ask("set_wallet_privacy", path, body=body)
    return seat.sent_on("/my/private")


def privacy_of(seat: PatientSeat, visit: Visit) -> str:
    """Whether the visit is kept private: `all` of it, `some`, `none`; empty where that is not this person's business,
    or there is too much to look through."""
    charges = _standing(visit)
    if seat.visit or not seat.whose_own(visit.member) or not charges or len(charges) > _MOST:
        return ""
    places = [place[0] for charge in charges if (place := position_of(charge.receipt, "rcp"))]
    looked = seat.call.market.index.look(places)
    kept = private_among(seat.call, looked)
    return "all" if len(kept) == len(looked) else "some" if kept else "none"


def _pot(wallet: Any, view: Any, tag: str) -> dict[str, Any]:
    """One shared pot with the wish about it."""
    allowed, kept = view.may_keep_private, list(view.private_categories)
    every = ALL_CARE in allowed
    named = [one for one in kept if one != ALL_CARE]
    return {
        "id": wallet.id,
        "left": amount_of(wallet.available),
        "tag": tag,
        "kinds": kinds_to_choose(named) if every else [(one, kind_said(one)) for one in sorted(allowed)],
        "every": every,
        "kept": kept,
        "how": "all" if ALL_CARE in kept else "some" if kept else "none",
    }


def _standing(visit: Visit) -> list[Charge]:
    return [one for one in visit.items if one.state == "standing" and one.amounts is not None]


def _wish(seat: PatientSeat, wallet: str) -> tuple[Any, str] | None:
    """The member's own wish about a pot, and its version; None where the pot is not theirs."""
    path: Mapping[str, str] = {"wallet_id": wallet, "member_id": seat.member}
    try:
        reply = OPERATIONS["get_wallet_privacy"].handler(seat.asking("get_wallet_privacy", path=path))
    except (Denied, Problem):
        return None
    return reply.value, etag(*reply.tag)


def _trouble(seat: PatientSeat, status: int, text: str) -> Reply:
    return seat.page("my_trouble.html", "", status, title=gettext("It was not kept private"), sentences=[text])
