"""Questions about a receipt: asked by the patient, answered by whoever billed, taken back again."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, Final, get_args

from msgspec import Meta

from drachm.adapters.rest.service.call import Call, operation
from drachm.adapters.rest.service.journal_reading import ANSWERED, find_row, resource_of, word_of
from drachm.adapters.rest.service.mandates import write_mandate
from drachm.adapters.rest.service.register_shapes import ORDER, alone, legible, listed, narrowed, permitted
from drachm.adapters.rest.service.results import Moment
from drachm.adapters.rest.service.shapes import Page, Shape, View
from drachm.adapters.rest.transport.identifiers import named_by
from drachm.adapters.rest.transport.problems import Problem
from drachm.application.records import Record
from drachm.domain.errors import Conflict
from drachm.domain.funding.mandate import Stop
from drachm.domain.receipts.question import Choice, Question, State, answered, taken_back

KIND: Final = "receipt_question"
_STATES: Final = get_args(State)
_TEXT: Final = 1_000


class QuestionOrder(Shape):
    """What is not right about it."""

    choice: Choice
    """`not_received`: I did not get this care; `amount_wrong`; `not_agreed`: I did not agree to automatic payment."""
    note: Annotated[str, Meta(max_length=_TEXT)] = ""
    """For whoever billed. Sealed like all content about a patient."""
    stop: bool = False
    """Pay this provider nothing without asking me until it is settled."""


class AnswerOrder(Shape):
    """What whoever billed says to it."""

    answer: Annotated[str, Meta(min_length=1, max_length=_TEXT)]


class QuestionView(View):
    """A question and what became of it."""

    id: str
    receipt: str
    member: str
    provider: str
    choice: Choice
    note: str
    stops: bool
    """Nothing is paid to the provider without asking, until it is settled."""
    state: State
    asked_at: Moment
    answer: str | None
    settled_at: Moment | None


@operation("ask_question", body=QuestionOrder, answer=QuestionView, status=201, problems=("question_open",))
@alone
def ask_question(call: Call) -> QuestionView:
    """Ask it; a receipt has one open question of each choice."""
    body: QuestionOrder = call.body
    call.reach()
    looked = find_row(call.market, call.path["receipt_id"], "rcp")
    there = looked is not None and looked.row.status in ANSWERED
    call.permit(resource_of(call, looked.row) if looked is not None and there else None)
    if looked is None:
        raise Problem("not_found")
    row, receipt = looked.row, call.path["receipt_id"]
    name = named_by("qst", call.caller.subject, receipt, call.key)
    known = call.market.records.get(KIND, name)
    if known is not None:
        return _view(known)
    terms = [f"receipt={receipt}", "state=asked", f"choice={body.choice}"]
    if call.market.records.find(KIND, limit=1, terms=terms):
        raise Conflict("this was asked already", where=receipt, next_step="Wait for its answer.", code="question_open")
    note = legible(body.note, "/note", _TEXT)
    question = Question(name, receipt, row.member, row.provider, body.choice, call.at, note, body.stop)
    if question.stops:
        _stop(call, question, on=True)
    return _view(_keep(call, question, None))


@operation(
    "list_questions",
    answer=Page[QuestionView],
    query={"state": "asked, answered or taken_back.", "receipt": "About this receipt only.", **ORDER},
)
def list_questions(call: Call) -> Page[QuestionView]:
    """Questions within reach, in the order in which they were named, or of time."""
    reach = call.reach()
    state, receipt = call.query.get("state"), word_of(call, "receipt")
    if state is not None and state not in _STATES:
        raise Problem("bad_request", f"a state is one of {', '.join(_STATES)}", where="state")
    terms = ([f"state={state}"] if state else []) + ([f"receipt={receipt}"] if receipt else [])
    found, more = listed(call, KIND, terms, narrowed(reach))
    return Page(data=[_view(one) for one in found], next=more)


@operation("answer_question", body=AnswerOrder, answer=QuestionView, problems=("question_settled",))
@alone
def answer_question(call: Call) -> QuestionView:
    """Answer it. It moves no money by itself: give money back, or correct the charge, where that is the answer."""
    body: AnswerOrder = call.body
    record = _permitted(call)
    question = answered(question_of(record), legible(body.answer, "/answer", _TEXT), call.at)
    return _view(_settle(call, question, record))


@operation("take_back_question", problems=("question_settled",))
@alone
def take_back_question(call: Call) -> None:
    """Take it back."""
    record = _permitted(call)
    _settle(call, taken_back(question_of(record), call.at), record)


def question_of(record: Record) -> Question:
    """A record as the rules see it."""
    said: dict[str, Any] = dict(record.body)
    settled = said["settled_at"]
    said["asked_at"] = datetime.fromisoformat(said["asked_at"])
    said["settled_at"] = datetime.fromisoformat(settled) if settled else None
    return Question(**said)


def _settle(call: Call, question: Question, record: Record) -> Record:
    if question.stops:
        # First: whoever is interrupted here can settle it once more, and no stop outlives its question.
        _stop(call, question, on=False)
    return _keep(call, question, record)


def _stop(call: Call, question: Question, *, on: bool) -> None:
    mandate = call.market.register.mandate(question.member)
    stops = tuple([one for one in mandate.stops if one.question != question.id])
    if on:
        stops = (*stops, Stop(question.provider, question.id))
    write_mandate(call, mandate._replace(stops=stops), "/stop", question.member)


def _permitted(call: Call) -> Record:
    return permitted(call, KIND, call.path["question_id"])


def _keep(call: Call, question: Question, before: Record | None) -> Record:
    body = asdict(question)
    body["asked_at"] = question.asked_at.isoformat()
    body["settled_at"] = question.settled_at.isoformat() if question.settled_at else None
    terms = frozenset({f"receipt={question.receipt}", f"state={question.state}", f"choice={question.choice}"})
    record = Record(
        KIND,
        question.id,
        body,
        before.version if before is not None else 0,
        frozenset({question.provider} - {""}),
        frozenset({question.member} - {""}),
        terms,
        call.caller.subject,
        call.at,
    )
    return call.market.records.put([record])[0]


def _view(record: Record) -> QuestionView:
    one = question_of(record)
    return QuestionView(
        id=one.id,
        receipt=one.receipt,
        member=one.member,
        provider=one.provider,
        choice=one.choice,
        note=one.note,
        stops=one.stops and one.open,
        state=one.state,
        asked_at=one.asked_at,
        answer=one.answer or None,
        settled_at=one.settled_at,
    )
