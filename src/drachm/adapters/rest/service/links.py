"""Who opens a receipt without logging in? Whoever was given a signed link, and for its services one answer besides."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Final, Literal

from msgspec import Meta

from drachm.adapters.rest.identity.links import LIFETIME_MAX
from drachm.adapters.rest.identity.second_factor import ANSWER_LENGTH_MAX, ANSWER_LENGTH_MIN
from drachm.adapters.rest.service.call import Call, Reply, operation
from drachm.adapters.rest.service.journal_reading import resource_of
from drachm.adapters.rest.service.shapes import Instant, Page, Shape, View
from drachm.adapters.rest.service.shared_receipts import SharedReceipt, member_of, shared_receipt
from drachm.adapters.rest.transport.problems import Fault, Problem
from drachm.adapters.rest.transport.values import write_instant
from drachm.application.records import Record

KIND: Final = "receipt_link"
_AT_ONCE: Final = 100
Question = Literal["birth_date", "code", "none"]


class SecondQuestion(Shape):
    """What opens the names of the services; only a keyed hash of the answer is kept."""

    question: Question = "birth_date"
    """`birth_date`: the patient's, as registered. `code`: a word or number that you tell the patient in another way
    than the link. `none`: this link never names services."""
    answer: Annotated[str, Meta(min_length=ANSWER_LENGTH_MIN, max_length=ANSWER_LENGTH_MAX)] | None = None
    """For `code` only. Spaces, separators and capitals do not matter."""


class LinkOrder(Shape):
    """A link to make."""

    hours: Annotated[int, Meta(ge=1, le=LIFETIME_MAX // timedelta(hours=1))] = 168
    """How long it opens the page; a week when nothing is said."""
    second_factor: SecondQuestion | None = None
    """None: the birth date where it is registered, else `none`. The newest link's answer counts for all of them."""
    replace: bool = False
    """Withdraw every earlier link first. Also sets the tries back after too many wrong answers."""


class ReceiptLink(View):
    """One link that still opens its receipt."""

    id: str
    receipt: str
    question: Question
    created_at: Instant
    expires_at: Instant


class NewReceiptLink(ReceiptLink):
    """The link itself: shown this once, kept nowhere. It opens the page for whoever holds it."""

    url: str


@operation("list_receipt_links", answer=Page[ReceiptLink])
def list_receipt_links(call: Call) -> Page[ReceiptLink]:
    """Links that are still good, oldest first."""
    shared = _asked(call)
    name = shared.receipt.number
    version = call.house.links.version(call.caller.tenant, name)
    good = [
        record
        for record in links_of(call, name)
        if record.body["version"] >= version and datetime.fromisoformat(record.body["expires_at"]) > call.at
    ]
    return Page(data=[_view(record) for record in good], next=None)


@operation("create_receipt_link", body=LinkOrder, answer=NewReceiptLink, status=201, problems=("invalid_body",))
def create_receipt_link(call: Call) -> Reply:
    """Make a link. Its address is in this answer and nowhere else."""
    return Reply(made_link(call, _asked(call), call.body), status=201)


def made_link(call: Call, shared: SharedReceipt, order: LinkOrder) -> NewReceiptLink:
    """A new link to a receipt of the caller's tenant, its second question agreed and kept."""
    house, tenant, name = call.house, call.caller.tenant, shared.receipt.number
    question, answer = _question(call, shared, order.second_factor)
    if order.replace:
        house.links.withdraw(tenant, name)
    if answer:
        house.second_factor.agree(tenant, name, answer, shared.receipt.member)
    token, link = house.links.create(tenant, name, timedelta(hours=order.hours), call.at)
    body = {
        "receipt": name,
        "question": question,
        "version": link.version,
        "created_at": write_instant(call.at),
        "expires_at": write_instant(link.expires_at),
    }
    record = Record(
        KIND,
        call.new_id("lnk"),
        body,
        parties=shared.row.parties if shared.row else frozenset(),
        members=frozenset({shared.receipt.member} - {""}),
        terms=frozenset({_term(name)}),
        author=call.caller.subject,
    )
    (kept,) = call.market.records.put([record])
    view = _view(kept)
    return NewReceiptLink(
        id=view.id,
        receipt=view.receipt,
        question=view.question,
        created_at=view.created_at,
        expires_at=view.expires_at,
        url=f"{house.base_url}/r/{token}",
    )


@operation("revoke_receipt_links")
def revoke_receipt_links(call: Call) -> None:
    """Every link to this receipt, and every page that one of them opened, ends now."""
    shared = _asked(call)
    call.house.links.withdraw(call.caller.tenant, shared.receipt.number)


def links_of(call: Call, receipt: str) -> list[Record]:
    """What is kept of every link to a receipt, oldest first."""
    found: list[Record] = []
    while page := call.market.records.find(
        KIND, terms=[_term(receipt)], after=found[-1].id if found else "", limit=_AT_ONCE
    ):
        found += page
        if len(page) < _AT_ONCE:
            break
    return found


def question_of(call: Call, receipt: str) -> Question:
    """What the page asks before it names services: what the newest link was made with."""
    kept = links_of(call, receipt)
    question: Question = kept[-1].body["question"] if kept else "none"
    return question


def _asked(call: Call) -> SharedReceipt:
    """The receipt in the path, if the caller may do this with it; what is not there reads like what is not theirs."""
    shared = shared_receipt(call.market, call.path["receipt_id"])
    call.permit(resource_of(call, shared.row) if shared is not None and shared.row is not None else None)
    assert shared is not None  # what is not there is never permitted
    return shared


def _question(call: Call, shared: SharedReceipt, asked: SecondQuestion | None) -> tuple[Question, str]:
    """(question, answer); the answer is empty for `none`."""
    member = member_of(call.market, shared.receipt)
    birth = member.birth_date.isoformat() if member and member.birth_date else ""
    if asked is None:
        return ("birth_date", birth) if birth else ("none", "")
    if (asked.answer is not None) != (asked.question == "code"):
        raise _misfit("/second_factor/answer", "an answer belongs to the question `code`, and to no other")
    if asked.question == "birth_date" and not birth:
        raise _misfit("/second_factor/question", "no birth date is registered for this patient")
    return asked.question, asked.answer or (birth if asked.question == "birth_date" else "")


def _misfit(pointer: str, detail: str) -> Problem:
    return Problem("invalid_body", faults=[Fault(pointer, "invalid_body", detail)])


def _view(record: Record) -> ReceiptLink:
    body = record.body
    return ReceiptLink(
        id=record.id,
        receipt=body["receipt"],
        question=body["question"],
        created_at=body["created_at"],
        expires_at=body["expires_at"],
    )


def _term(receipt: str) -> str:
    return f"receipt={receipt}"
