"""Contracts: what a provider and a payer agreed, from a day on. Provider and payer have one; it has terms."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Annotated, Any, Final, Literal

from msgspec import Meta

from drachm.adapters.rest.service.call import Call, Reply, operation
from drachm.adapters.rest.service.register_shapes import (
    Note,
    Rate,
    alone,
    beside,
    day,
    day_of,
    faulty,
    keep,
    known_party,
    legible,
)
from drachm.adapters.rest.service.shapes import END, Day, Page, Shape, View, Word
from drachm.adapters.rest.transport.identifiers import decode, encode
from drachm.application.records import Record
from drachm.domain.coverage.agreements import NAME_BYTES, agreement_name, amended, ensure_apart
from drachm.domain.coverage.model import Contract
from drachm.domain.periods import Period

KIND: Final = "contract"
PREFIX: Final = "con"
AS_SUBMITTED: Final = "as-submitted"
ANY_PAYER: Final = "*"

Network = Literal["in", "out"]
BookName = Annotated[str, Meta(min_length=1, max_length=200)]
PayerName = Annotated[
    str,
    Meta(
        pattern=r"^(\*|[A-Za-z0-9][A-Za-z0-9._:/-]{0,63})?" + END,
        description="A payer; `*` for every payer without a contract of its own; empty for those who pay themselves.",
    ),
]


class NewContract(Shape):
    """What was agreed."""

    provider: Word
    payer: PayerName
    price_book: BookName
    """Id of a published price book, or `as-submitted`."""
    starts_on: Day
    ends_on: Day | None = None
    """The first day on which it does not hold any more."""
    network: Network = "in"
    fee: Rate = 0
    """What the market keeps of each payout under this contract, in parts per million."""
    rounding: Note = ""
    """How the parties round what they settle, in their words; the plan rounds what is cleared."""


class ContractChange(Shape):
    """What holds from a day on; what is left out stays as it was agreed."""

    from_day: Day
    price_book: BookName | None = None
    network: Network | None = None
    ends_on: Day | None = None
    fee: Rate | None = None
    rounding: Note | None = None


class Term(View):
    """What holds on the days of one term."""

    starts_on: str
    ends_on: str | None
    price_book: str
    network: str
    fee: int
    rounding: str


class ContractView(View):
    """A contract with all its terms, the first first."""

    id: str
    provider: str
    payer: str
    terms: list[Term]
    version: int


@operation("list_contracts", answer=Page[ContractView])
def list_contracts(call: Call) -> Page[ContractView]:
    """Contracts in order of provider and payer."""
    reach, limit = call.reach(), call.limit()
    place = [str(one) for one in call.place()] or ["", ""]
    parties = None if reach.everything else reach.parties
    found = call.market.register.contracts(after=(place[0], place[1]), limit=limit, parties=parties)
    grouped: dict[tuple[str, str], list[Contract]] = {}
    for term in found:
        grouped.setdefault((term.provider, term.payer), []).append(term)
    views = [_view(call, terms, beside(call, KIND, _name(call, *names))) for names, terms in grouped.items()]
    return Page(data=views, next=call.cursor(list(list(grouped)[-1])) if len(grouped) == limit else None)


@operation("create_contract", body=NewContract, answer=ContractView, status=201, tagged=True)
@alone
def create_contract(call: Call) -> Reply:
    """Record what was agreed. Raises Conflict when the two have a contract on some of these days."""
    body: NewContract = call.body
    payer = frozenset() if body.payer in ("", ANY_PAYER) else frozenset({body.payer})
    call.permit(call.resource(parties=frozenset({body.provider}) | payer))
    known_party(call, body.provider, "/provider", ["provider"])
    if payer:
        known_party(call, body.payer, "/payer", ["payer"])
    first, end = day(body.starts_on, "/starts_on"), day_of(body.ends_on, "/ends_on")
    if end is not None and end <= first:
        raise faulty("/ends_on", "it would end before it begins: the end is the first day after")
    _known_book(call, body.price_book)
    name = _name(call, body.provider, body.payer)
    terms = _terms(call, name)
    record = beside(call, KIND, name)
    term = Contract(body.provider, body.payer, body.price_book, Period(first, end), body.network)
    ensure_apart(terms, term.period)
    said = {"fee": body.fee, "rounding": legible(body.rounding, "/rounding")}
    written = _kept(call, record, {first: said}, [term])
    return Reply(_view(call, _terms(call, name), written), tag=(name, written.version))


@operation("get_contract", answer=ContractView, tagged=True)
def get_contract(call: Call) -> Reply:
    """One contract."""
    terms, record = _contract(call)
    return Reply(_view(call, terms, record), tag=(record.id, record.version))


@operation("update_contract", body=ContractChange, answer=ContractView, tagged=True)
@alone
def update_contract(call: Call) -> Reply:
    """Change a contract from a date on. Raises Conflict when it does not hold on that day."""
    terms, record = _contract(call)
    call.require_version(record.id, record.version)
    body: ContractChange = call.body
    first = day(body.from_day, "/from_day")
    if body.price_book is not None:
        _known_book(call, body.price_book)
    changed = amended(
        terms, first, price_book=body.price_book, network=body.network, end=day_of(body.ends_on, "/ends_on")
    )
    before = _said(record, next(term.period.start for term in terms if first in term.period))
    said = {
        "fee": before["fee"] if body.fee is None else body.fee,
        "rounding": before["rounding"] if body.rounding is None else legible(body.rounding, "/rounding"),
    }
    written = _kept(call, record, {first: said}, changed)
    return Reply(_view(call, _terms(call, record.id), written), tag=(record.id, written.version))


def _contract(call: Call) -> tuple[list[Contract], Record]:
    """The contract of the path, checked."""
    name = call.path["contract_id"]
    terms = _terms(call, name)
    parties = frozenset({terms[0].provider, terms[0].payer} - {"", ANY_PAYER}) if terms else frozenset()
    call.permit(call.resource(name, parties=parties) if terms else None)
    return terms, beside(call, KIND, name)


def _name(call: Call, provider: str, payer: str) -> str:
    found = agreement_name(call.market.desk.books.tenant, provider, payer)
    return f"{PREFIX}_{encode(int.from_bytes(found, 'big'))}"


def _terms(call: Call, name: str) -> list[Contract]:
    number = decode(name, PREFIX)
    return [] if number is None else call.market.register.contracts(id=number.to_bytes(NAME_BYTES, "big"))


def _known_book(call: Call, book: str) -> None:
    if book != AS_SUBMITTED and book not in call.market.register.price_books():
        raise faulty("/price_book", "there is no such published price book")


def _kept(call: Call, record: Record, said: dict[date, dict[str, Any]], terms: list[Contract]) -> Record:
    """Write terms, and beside them what the clearing line does not read."""
    words = {**record.body.get("terms", {}), **{first.isoformat(): one for first, one in said.items()}}
    parties = frozenset({terms[0].provider, terms[0].payer} - {"", ANY_PAYER})
    written = keep(call, replace(record, body={"terms": words}, parties=parties))
    call.market.desk.books.enrol(contracts=terms)
    return written[0]


def _said(record: Record, first: date) -> dict[str, Any]:
    nothing: dict[str, Any] = {"fee": 0, "rounding": ""}
    return {**nothing, **record.body.get("terms", {}).get(first.isoformat(), {})}


def _view(call: Call, terms: list[Contract], record: Record) -> ContractView:
    return ContractView(
        id=_name(call, terms[0].provider, terms[0].payer),
        provider=terms[0].provider,
        payer=terms[0].payer,
        terms=[
            Term(
                starts_on=term.period.start.isoformat(),
                ends_on=term.period.end.isoformat() if term.period.end else None,
                price_book=term.price_book,
                network=term.network,
                **_said(record, term.period.start),
            )
            for term in terms
        ],
        version=record.version,
    )
