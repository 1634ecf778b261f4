"""What is kept of a patient, in plain words, and one form: to ask that it be erased, and to see what became of that."""

from __future__ import annotations

from typing import Any, Final

from drachm.adapters.rest.identity.decide import Deny
from drachm.adapters.rest.identity.permit import Denied
from drachm.adapters.rest.service.browser_session import new_secret
from drachm.adapters.rest.service.call import Reply
from drachm.adapters.rest.service.erasure_words import GROUNDS, IN_THE_WAY
from drachm.adapters.rest.service.erasures import ErasureView
from drachm.adapters.rest.service.forms import key_of, one_line
from drachm.adapters.rest.service.my_frame import PatientSeat, patient_page
from drachm.adapters.rest.service.page_words import amount_of
from drachm.adapters.rest.service.speech import N_, gettext, spelled
from drachm.adapters.rest.service.trouble_words import Trouble, not_done
from drachm.adapters.rest.transport.problems import Problem
from drachm.domain.coverage.erasure import OPEN
from drachm.domain.errors import Conflict
from drachm.domain.periods import read_day

PLACE: Final = "/my/kept"
_STATES: Final = {
    "asked": ("held", N_("We have your wish. Nobody has looked at it yet.")),
    "proposed": ("held", N_("Somebody looks at it. A second person has to agree.")),
    "agreed": ("held", N_("We are doing it now.")),
    "refused": ("refused", N_("We cannot do it now.")),
    "withdrawn": ("held", N_("You took this back.")),
    "erased": ("ok", N_("It is done.")),
}
_OVER: Final = N_("This has changed. Look below.")
_LONG: Final = 280
"""Characters: as many as a form of ours holds in any script."""


@patient_page("open_my_kept")
def open_my_kept(seat: PatientSeat) -> Reply:
    """What is kept, and what became of the person's wishes."""
    return _page(seat)


@patient_page("ask_from_my_kept", form=True)
def ask_from_my_kept(seat: PatientSeat) -> Reply:
    """Ask, or take it back; the key of the page makes a second tap the same wish."""
    form, member = seat.call.form, _own(seat)
    try:
        if form.get("back"):
            seat.ask("withdraw_erasure", {"erasure_id": form["back"]})
        elif not key_of(form):
            raise Problem("bad_request")
        else:
            body = {"words": one_line(form.get("words", ""))[:_LONG]}
            seat.ask("ask_for_erasure", {"member_id": member}, body=body, key=key_of(form))
    except Conflict:
        return _page(seat, not_done(gettext(_OVER), status=409))
    return seat.sent_on(PLACE)


def _own(seat: PatientSeat) -> str:
    if not seat.own:
        raise Denied(Deny("not_found"), seat.call.operation)
    return seat.member


def _page(seat: PatientSeat, trouble: Trouble | None = None) -> Reply:
    member = _own(seat)
    found: list[ErasureView] = seat.ask_all("list_erasures", query={"member": member})
    wishes = sorted(found, key=lambda one: one.asked_at, reverse=True)
    waiting = next((one for one in wishes if one.state in OPEN), None)
    if waiting is not None:
        waiting = seat.ask("get_erasure", {"erasure_id": waiting.id})
    return seat.page(
        "my_kept.html",
        "",
        wishes=[_shown(one) for one in wishes],
        waiting=waiting is not None,
        first=[_way(one) for one in waiting.in_the_way] if waiting is not None else [],
        words=seat.call.form.get("words", ""),
        key=key_of(seat.call.form) or new_secret(),
        trouble=trouble,
    )


def _way(one: Any) -> dict[str, Any]:
    what, step = IN_THE_WAY[one.what]
    return {"what": gettext(what), "step": gettext(step), "amount": amount_of(one.amount) if one.amount else None}


def _shown(one: ErasureView) -> dict[str, Any]:
    tone, state = _STATES[one.state]
    return {
        "id": one.id,
        "tone": tone,
        "state": gettext(state),
        "day": spelled(one.asked_at.date()),
        "words": one.words or "",
        "open": one.state in ("asked", "proposed"),
        "refused": one.state == "refused",
        "answer_by": spelled(read_day(one.answer_by)),
        "ground": gettext(GROUNDS[one.ground]) if one.ground else "",
        "until": spelled(read_day(one.until)) if one.until else "",
        "note": one.note or "",
    }
