"""What the bank says, set against the books."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from drachm.adapters.iso20022.camt import read_camt
from drachm.adapters.nacha.returns import read_returns
from drachm.adapters.rest.service.call import Call, operation
from drachm.adapters.rest.service.money_shapes import faulty
from drachm.adapters.rest.service.payments import PaymentView, payment_view
from drachm.adapters.rest.service.shapes import Day, Money, Page, Shape, View, Word, money
from drachm.adapters.rest.service.wallet_records import refuse_strange_money
from drachm.adapters.rest.transport.problems import Problem
from drachm.application.ach import hear_returns
from drachm.application.bank import LINE, allocate, line_of, reconcile
from drachm.application.records import Record

End = Literal["booked", "unallocated", "returned", "unexplained"]


class StatementShape(Shape):
    """A message of the bank."""

    camt: Annotated[str, Meta(min_length=1, max_length=900_000, description="camt.053 or camt.054, the XML as text.")]


class BankLineView(View):
    """Money that the bank has booked."""

    id: str
    account: str
    reference: str
    day: Day
    amount: Money
    """Below 0 it went out."""
    end: End
    """What became of it: in a pocket, apart until somebody says whose it is, owed by its payer, or none of ours."""
    note: str


class ReconciledView(View):
    """What became of each line of a message, in its order."""

    lines: list[BankLineView]
    passed_over: list[str]
    """Entries that the bank has not booked, each with its place and status: nothing is booked of them here either."""


class ReturnsShape(Shape):
    """A file of returned debits."""

    nacha: Annotated[str, Meta(min_length=1, max_length=900_000, description="The ACH return file as text.")]


class AchReturnView(View):
    """A debit that the payer's bank sent back."""

    id: str
    original: str
    """Trace number of the debit."""
    code: str
    """R01 to R85."""
    reason: str
    day: Day
    amount: Money
    end: Literal["returned", "declined", "unexplained"]
    """Owed by its payer, never came in, or none of ours."""


class ReturnsView(View):
    """What became of each return of a file, in its order."""

    returns: list[AchReturnView]
    passed_over: list[str]
    """Entries that are no returns, each with its place and what it is; a notification of change wants an answer."""


class AllocationOrder(Shape):
    """Whose money it is."""

    wallet: Word


@operation("read_bank_statement", body=StatementShape, answer=ReconciledView, problems=("malformed_xml", "wrong_file"))
def read_bank_statement(call: Call) -> ReconciledView:
    """Book a statement or a notification; lines that were booked before stay as they are."""
    call.permit(call.resource())
    body: StatementShape = call.body
    statement = read_camt(body.camt, "$.camt")
    ids = [line.id for line, _ in reconcile(statement.lines, call.market.desk, call.market.records)]
    return ReconciledView(
        lines=[_view(record) for one in ids if (record := call.market.records.get(LINE, one))],
        passed_over=statement.passed_over,
    )


@operation("read_ach_returns", body=ReturnsShape, answer=ReturnsView, problems=("wrong_file", "out_of_balance"))
def read_ach_returns(call: Call) -> ReturnsView:
    """Hear which debits came back; a return that was heard before stays as it is."""
    call.permit(call.resource())
    body: ReturnsShape = call.body
    told = read_returns(body.nacha.encode(), "$.nacha")
    heard = hear_returns(told.found, call.market.desk, call.market.records)
    return ReturnsView(
        returns=[
            AchReturnView(
                id=one.id,
                original=one.original,
                code=one.code,
                reason=one.reason,
                day=one.day.isoformat(),
                amount=money(one.amount, "USD"),
                end=end,
            )
            for one, end in heard
        ],
        passed_over=told.passed_over,
    )


@operation("list_bank_lines", answer=Page[BankLineView], query={"end": "Only lines that ended so."})
def list_bank_lines(call: Call) -> Page[BankLineView]:
    """Lines of statements, in order of id."""
    call.permit(call.resource())
    limit, after, end = call.limit(), str(next(iter(call.place()), "")), call.query.get("end", "")
    terms = [f"end={end}"] if end else []
    found = call.market.records.find(LINE, after=after, limit=limit + 1, terms=terms)
    more = call.cursor([found[limit - 1].id]) if len(found) > limit else None
    return Page(data=[_view(one) for one in found[:limit]], next=more)


@operation("allocate_bank_line", body=AllocationOrder, answer=PaymentView, problems=("line_explained",))
def allocate_bank_line(call: Call) -> PaymentView:
    """Put money that stood apart into the pocket whose it is."""
    record = call.market.records.get(LINE, call.path["line_id"])
    call.permit(call.resource(record.id) if record is not None else None)
    if record is None:
        raise Problem("not_found")
    body: AllocationOrder = call.body
    found = call.market.money.purses(ids=[body.wallet], limit=1)
    if not found or not found[0].pot.member or found[0].pot.currency != line_of(record).currency:
        raise faulty("/wallet", "there is no such pocket of a member in the line's currency")
    pot = found[0].pot
    refuse_strange_money(call, pot, "/wallet")
    done = allocate(record.id, pot.id, pot.member, call.market.desk, call.market.records, author=call.caller.subject)
    return payment_view(done, call)


def _view(record: Record) -> BankLineView:
    line = line_of(record)
    return BankLineView(
        id=record.id,
        account=line.account,
        reference=line.reference,
        day=line.day.isoformat(),
        amount=money(line.amount, line.currency),
        end=record.body["end"],
        note=line.note,
    )
