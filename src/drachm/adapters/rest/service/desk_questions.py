"""What patients question, on a page of the desk: what waits for an answer, oldest first, and what was settled."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from drachm.adapters.rest.service.asking import trouble_of
from drachm.adapters.rest.service.call import Reply
from drachm.adapters.rest.service.desk_frame import Seat, desk
from drachm.adapters.rest.service.forms import one_line
from drachm.adapters.rest.service.journal_reading import CHARGES, name_of
from drachm.adapters.rest.service.names import position_of
from drachm.adapters.rest.service.page_frame import sent_on
from drachm.adapters.rest.service.questions import QuestionView
from drachm.adapters.rest.service.speech import N_, gettext
from drachm.adapters.rest.service.trouble_words import Trouble
from drachm.domain.errors import DrachmError

CHOICES: Final = {
    "not_received": N_("They did not get this care"),
    "amount_wrong": N_("The amount is wrong"),
    "not_agreed": N_("They did not agree to automatic payment"),
}
_SHOWN: Final = 50


@desk("open_desk_questions")
def open_desk_questions(seat: Seat) -> Reply:
    """Questions that wait, and those that were settled."""
    return _page(seat)


@desk("answer_question_at_desk", form=True)
def answer_question_at_desk(seat: Seat) -> Reply:
    """Answer one."""
    text = one_line(seat.call.form.get("answer", ""))
    question = seat.call.path["question_id"]
    if not text:
        trouble = Trouble(gettext("This was not done"), gettext("Write an answer first."), f"answer-{question}")
        return _page(seat, trouble)
    try:
        seat.ask("answer_question", {"question_id": question}, body={"answer": text})
    except DrachmError as error:
        trouble = trouble_of(error, seat.call)
        if trouble.status not in (409, 422):
            raise
        words = gettext("This was settled meanwhile. Nothing was done.")
        return _page(seat, Trouble(gettext("This was not done"), words, status=trouble.status))
    return sent_on(seat.call, "/desk/questions")


def _page(seat: Seat, trouble: Trouble | None = None) -> Reply:
    waiting = _asked(seat, "asked", "oldest")
    settled = [*_asked(seat, "answered", "newest"), *_asked(seat, "taken_back", "newest")]
    settled.sort(key=lambda one: one.settled_at or one.asked_at, reverse=True)
    more_wait, more, waiting, settled = len(waiting) > _SHOWN, len(settled) > _SHOWN, waiting[:_SHOWN], settled[:_SHOWN]
    charges = _charges(seat, waiting)
    return seat.page(
        "desk_questions.html",
        tab="questions",
        waiting=[_shown(one, charges.get(one.receipt, "")) for one in waiting],
        settled=[_shown(one) for one in settled],
        more_wait=more_wait,
        more=more,
        trouble=trouble,
        may_answer=seat.may("answer_question_at_desk"),
    )


def _asked(seat: Seat, state: str, order: str) -> list[QuestionView]:
    """One more than are shown, if there are."""
    found: list[QuestionView] = seat.ask(
        "list_questions", query={"state": state, "order": order, "limit": str(_SHOWN + 1)}
    ).data
    return found


def _charges(seat: Seat, questions: Sequence[QuestionView]) -> dict[str, str]:
    """The charges of these receipts, by receipt; who sees a question sees its receipt."""
    places = [place[0] for one in questions if (place := position_of(one.receipt, "rcp"))]
    rows = [looked.row for looked in seat.call.market.index.look(places)]
    return {name_of(row, "rcp"): name_of(row, "chg") for row in rows if row.kind in CHARGES}


def _shown(one: QuestionView, charge: str = "") -> dict[str, Any]:
    return {
        "id": one.id,
        "what": gettext(CHOICES[one.choice]),
        "asked": one.asked_at,
        "patient": one.member,
        "note": one.note,
        "answer": one.answer or "",
        "stops": one.stops,
        "charge": charge,
        "taken_back": one.state == "taken_back",
    }
