"""Erasing what is kept of a person: asked for, taken up by one, agreed to by another, or refused with a ground."""

from __future__ import annotations

from typing import Annotated, get_args

from msgspec import Meta

from drachm.adapters.rest.service import browser_session
from drachm.adapters.rest.service.call import Call, operation
from drachm.adapters.rest.service.erasure_words import IN_THE_WAY
from drachm.adapters.rest.service.journal_reading import name_of, own_members
from drachm.adapters.rest.service.kept_keys import gone
from drachm.adapters.rest.service.money_shapes import Sum, sum_of
from drachm.adapters.rest.service.register_shapes import (
    after,
    alone,
    day_of,
    legible,
    member_of_path,
    narrowed,
    next_of,
    permitted,
)
from drachm.adapters.rest.service.results import Moment
from drachm.adapters.rest.service.shapes import Day, Page, Shape, View
from drachm.adapters.rest.transport.identifiers import named_by
from drachm.adapters.rest.transport.problems import Fault, Problem
from drachm.application import passkeys
from drachm.application.erasing import (
    KIND,
    NotSettled,
    agree,
    ask,
    erasure_of,
    refuse,
    take_up,
    withdraw,
    words_of,
)
from drachm.application.merges import same_person
from drachm.application.records import Record
from drachm.application.ties import ties_of, ties_to
from drachm.application.unsettled import InTheWay, Places, What, in_the_way
from drachm.domain.coverage.erasure import OPEN, Erasure, Ground, State

_STATES = get_args(State)
WORDS_MAX = 1_000


class ErasureOrder(Shape):
    """A wish to be erased."""

    words: Annotated[str, Meta(max_length=WORDS_MAX)] = ""
    """As the person said it. Sealed under the person's own key: erased with everything else."""


class RefusalOrder(Shape):
    """Why it is not done."""

    ground: Ground
    """Article 17(3)(b), (c) or (e) of the GDPR; `not_identified` is its article 12(6)."""
    until: Day | None = None
    """The first day on which the ground holds no more; needed where the law has it kept."""
    note: Annotated[str, Meta(max_length=WORDS_MAX)] = ""
    """To the person: which law, and what they can do."""


class InTheWayView(View):
    """Something that has to be settled first."""

    what: What
    of: str | None
    """Its id: of a wallet, payment, refund, question, or event."""
    amount: Sum | None
    next_step: str


class ErasureView(View):
    """A request to erase what is kept of a person."""

    id: str
    member: str
    state: State
    """`asked` waits for somebody to take it up, `proposed` for a second person. `agreed` is being done: agree once more
    if it stays so."""
    asked_by: str
    asked_at: Moment
    on_behalf: bool
    """Staff wrote down what the person said elsewhere."""
    words: str | None
    """Null once it is erased."""
    answer_by: Day
    """The last day of the month within which the person is answered."""
    proposed_by: str | None
    proposed_at: Moment | None
    agreed_by: str | None
    agreed_at: Moment | None
    erased_at: Moment | None
    refused_by: str | None
    refused_at: Moment | None
    ground: Ground | None
    until: Day | None
    note: str | None
    """Of the refusal."""
    withdrawn_by: str | None
    withdrawn_at: Moment | None
    in_the_way: list[InTheWayView]
    """What has to be settled first, while it waits; of one request only, lists leave it empty."""


@operation("ask_for_erasure", body=ErasureOrder, answer=ErasureView, status=201, problems=("erasure_open",))
def ask_for_erasure(call: Call) -> ErasureView:
    """Ask it. By the operator it counts as taken up: somebody else agrees."""
    member = member_of_path(call)
    by, at = call.caller.subject, call.at
    wish = Erasure(named_by("ers", by, member, call.key), member, by, at)
    if member not in own_members(call):
        wish = Erasure(wish.id, member, by, at, True, by, at)
    return _view(call, ask(wish, legible(call.body.words, "/words", WORDS_MAX), call.market.records))


@operation("list_erasures", answer=Page[ErasureView], query={"state": "One state only.", "member": "Of one member."})
def list_erasures(call: Call) -> Page[ErasureView]:
    """Within reach, in the order in which they were named."""
    reach, limit = call.reach(), call.limit()
    state, member = call.query.get("state"), call.query.get("member")
    if state is not None and state not in _STATES:
        raise Problem("bad_request", f"a state is one of {', '.join(_STATES)}", where="state")
    terms = [f"state={state}"] if state else []
    reached = narrowed(reach)
    if member is not None:
        hidden = reached["members"] is not None and member not in reached["members"]
        reached = {"parties": None, "members": frozenset() if hidden else frozenset({member})}
    found = call.market.records.find(KIND, after=after(call), limit=limit, terms=terms, **reached)
    return Page(data=[_view(call, one) for one in found], next=next_of(call, [one.id for one in found], limit))


@operation("get_erasure", answer=ErasureView)
def get_erasure(call: Call) -> ErasureView:
    """One of them."""
    record = _permitted(call)
    wish, market = erasure_of(record), call.market
    found: list[InTheWay] = []
    if wish.state in OPEN:
        found = in_the_way(same_person(market.records, wish.member), _places(call))
    return _view(call, record, found)


@operation("propose_erasure", answer=ErasureView, problems=("second_person_needed",))
def propose_erasure(call: Call) -> ErasureView:
    """Propose that it be granted."""
    return _view(call, take_up(_permitted(call), call.caller.subject, call.at, call.market.records))


@operation("agree_to_erasure", answer=ErasureView, problems=("not_settled", "second_person_needed"))
@alone
def agree_to_erasure(call: Call) -> ErasureView:
    """Agree as the second person: everything that can be erased is, at once. While money or care of the person is open
    it is refused with what is in the way, and nothing is erased."""
    record, records = _permitted(call), call.market.records
    if erasure_of(record).state == "erased":
        return _view(call, record)
    members = same_person(records, erasure_of(record).member)
    subjects = {tie.subject for one in members for tie in ties_to(records, one) if tie.relation == "self"}
    try:
        record = agree(record, call.caller.subject, call.at, _places(call))
    except NotSettled as error:
        raise _not_settled(error) from None
    call.market.operations.replace([f'"{one}"'.encode() for one in sorted(members)], gone())
    for subject in sorted(subjects):
        _leave(call, subject)
    return _view(call, record)


@operation("refuse_erasure", body=RefusalOrder, answer=ErasureView, problems=("invalid_refusal",))
def refuse_erasure(call: Call) -> ErasureView:
    """Refuse it; one person is enough."""
    record, body = _permitted(call), call.body
    note, until = legible(body.note, "/note", WORDS_MAX), day_of(body.until, "/until")
    by, records = call.caller.subject, call.market.records
    return _view(call, refuse(record, by, call.at, body.ground, until, note, records))


@operation("withdraw_erasure", answer=ErasureView)
def withdraw_erasure(call: Call) -> ErasureView:
    """Take it back."""
    return _view(call, withdraw(_permitted(call), call.caller.subject, call.at, call.market.records))


def _permitted(call: Call) -> Record:
    return permitted(call, KIND, call.path["erasure_id"], lambda one: erasure_of(one).proposed_by or one.author)


def _places(call: Call) -> Places:
    market = call.market
    return Places(market.desk, market.records, market.index, market.money, market.register)


def _leave(call: Call, subject: str) -> None:
    """Whoever was this person and nobody else is signed out, and proves nothing by a passkey any more."""
    records = call.market.records
    if any(not tie.has_ended(call.at) for tie in ties_of(records, subject)):
        return
    browser_session.end_all(records, subject)
    for one in passkeys.passkeys_of(subject, records, passkeys.OF_PATIENTS):
        passkeys.end(one, call.caller.subject, call.at, records)


def _not_settled(error: NotSettled) -> Problem:
    faults = [Fault(f"/in_the_way/{at}", one.what, IN_THE_WAY[one.what][0]) for at, one in enumerate(error.found)]
    return Problem("not_settled", error.message, faults=faults)


def _view(call: Call, record: Record, found: list[InTheWay] | None = None) -> ErasureView:
    wish = erasure_of(record)
    said = words_of(record, call.market.records)
    return ErasureView(
        id=record.id,
        member=wish.member,
        state=wish.state,
        asked_by=wish.asked_by,
        asked_at=wish.asked_at,
        on_behalf=wish.on_behalf,
        words=said[0] if said is not None else None,
        answer_by=wish.answer_by.isoformat(),
        proposed_by=wish.proposed_by or None,
        proposed_at=wish.proposed_at,
        agreed_by=wish.agreed_by or None,
        agreed_at=wish.agreed_at,
        erased_at=wish.erased_at,
        refused_by=wish.refused_by or None,
        refused_at=wish.refused_at,
        ground=wish.ground or None,
        until=wish.until.isoformat() if wish.until else None,
        note=said[1] or None if said is not None else None,
        withdrawn_by=wish.withdrawn_by or None,
        withdrawn_at=wish.withdrawn_at,
        in_the_way=[_way(one) for one in found or ()],
    )


def _way(one: InTheWay) -> InTheWayView:
    return InTheWayView(
        what=one.what,
        of=name_of(one.row, "evt") if one.row is not None else one.of or None,
        amount=sum_of(one.micros, one.currency) if one.currency and one.row is None else None,
        next_step=IN_THE_WAY[one.what][1],
    )
