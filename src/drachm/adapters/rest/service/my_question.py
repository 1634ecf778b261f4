"""How does a patient say that something is wrong with a receipt? Three choices, what was answered, and a way back."""

from __future__ import annotations

from typing import Any, Final

from drachm.adapters.rest.identity.decide import Deny
from drachm.adapters.rest.identity.permit import Denied
from drachm.adapters.rest.service.call import Reply
from drachm.adapters.rest.service.forms import one_line
from drachm.adapters.rest.service.my_frame import PatientSeat, patient_page
from drachm.adapters.rest.service.page_view import receipt_view
from drachm.adapters.rest.service.questions import QuestionView
from drachm.adapters.rest.service.receipt_views import ReceiptView
from drachm.adapters.rest.service.shared_receipts import shared_receipt
from drachm.adapters.rest.service.speech import N_, gettext, spelled
from drachm.adapters.rest.service.trouble_words import Trouble, not_done
from drachm.domain.errors import Conflict

CHOICES: Final = {
    "not_received": N_("I did not get this care"),
    "amount_wrong": N_("The amount is wrong"),
    "not_agreed": N_("I did not agree that it is paid by itself"),
}
_STATES: Final = {
    "asked": N_("Asked on %(day)s. The clinic answers here."),
    "answered": N_("Answered on %(day)s."),
    "taken_back": N_("You took this back on %(day)s."),
}
_CHOOSE: Final = N_("Choose what is wrong.")
_ASKED: Final = N_("You asked this already. Wait for the answer, or take it back.")
_OVER: Final = N_("This is settled already.")
_LONG: Final = 280
"""Characters of a note: as many as a form of ours holds in any script."""


@patient_page("open_my_question")
def open_my_question(seat: PatientSeat) -> Reply:
    """What can be asked about a receipt, and what became of what was asked."""
    return _page(seat, _receipt(seat))


@patient_page("ask_my_question", form=True)
def ask_my_question(seat: PatientSeat) -> Reply:
    """Ask, or take a question back; the key of the page makes a second tap the same question."""
    form, receipt = seat.call.form, _receipt(seat)
    try:
        if form.get("back"):
            if form["back"] in {one.id for one in _asked(seat, receipt)}:
                seat.ask("take_back_question", {"question_id": form["back"]})
        elif form.get("choice", "") not in CHOICES or not form.get("key"):
            return _page(seat, receipt, not_done(gettext(_CHOOSE), "choice"))
        else:
            body = {
                "choice": form["choice"],
                "note": one_line(form.get("note", ""))[:_LONG],
                "stop": form.get("stop") == "yes",
            }
            seat.ask("ask_question", {"receipt_id": receipt.id}, body=body, key=form.get("key", ""))
    except Conflict as error:
        settled = error.code == "question_settled"
        return _page(seat, receipt, not_done(gettext(_OVER) if settled else gettext(_ASKED), status=409))
    return seat.sent_on(f"/my/receipts/{receipt.id}/question")


def _page(seat: PatientSeat, receipt: ReceiptView, trouble: Trouble | None = None) -> Reply:
    shared, form = shared_receipt(seat.call.market, receipt.id), seat.call.form
    return seat.page(
        "my_question.html",
        "receipts",
        receipt=receipt,
        view=receipt_view(shared, named=True) if shared is not None else None,
        questions=[_shown(one) for one in _asked(seat, receipt)],
        choices={word: gettext(text) for word, text in CHOICES.items()},
        chosen=form.get("choice", ""),
        note=form.get("note", ""),
        stop=form.get("stop") == "yes",
        trouble=trouble,
        key=seat.call.new_id("key"),
    )


def _shown(one: QuestionView) -> dict[str, Any]:
    day = spelled((one.settled_at or one.asked_at).date())
    return {
        "id": one.id,
        "open": one.state == "asked",
        "what": gettext(CHOICES[one.choice]),
        "state": gettext(_STATES[one.state]) % {"day": day},
        "note": one.note,
        "answer": one.answer or "",
        "stops": one.stops,
    }


def _asked(seat: PatientSeat, receipt: ReceiptView) -> list[QuestionView]:
    found: list[QuestionView] = seat.ask("list_questions", query={"receipt": receipt.id, "limit": "100"}).data
    return sorted(found, key=lambda one: one.asked_at, reverse=True)


def _receipt(seat: PatientSeat) -> ReceiptView:
    receipt: ReceiptView = seat.ask("get_receipt", {"receipt_id": seat.call.path["receipt_id"]})
    if not seat.whose_own(receipt.member):
        raise Denied(Deny("not_found"), seat.call.operation)
    return receipt
