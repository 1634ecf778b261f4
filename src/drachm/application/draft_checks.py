"""May this draft become a plan, or a price book? Every check that publishing makes, and the draft's own cases.

A case of a plan is a story: lines adjudicated in order from empty totals. A case of a price book is one line and what
is agreed for it. Money is micros of the document's currency.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from drachm.application.money_reading import MoneyReading, Published
from drachm.domain.benefits import Plan, adjudicate, apply, build_stack, load_plan
from drachm.domain.benefits.model import Adjudication, Key, Line
from drachm.domain.catalog import Books, PriceBook, PriceContext, load_price_book, price
from drachm.domain.errors import InvalidMessage, Pended, Refused
from drachm.domain.events.model import ServiceEvent
from drachm.domain.succession import clash, late

ALWAYS: Final = {"from": "1900-01-01"}
_COMPILED_MAX: Final = 64
_compiled: dict[str, PriceBook] = {}
"""Published price books by hash: they never change."""


@dataclass(frozen=True, slots=True)
class DraftFault:
    """What keeps a draft from being published."""

    where: str
    """JSON path inside the document, such as ``$.steps[3].limits[0]``."""
    code: str
    message: str
    next_step: str


@dataclass(frozen=True, slots=True)
class Wish:
    """What a case expects; None: whatever comes."""

    patient: int | None = None
    payers: int | None = None
    provider: int | None = None
    allowed: int | None = None
    decision: str | None = None
    reason: str | None = None
    """Of a denial, or for which the line waits or is refused."""
    components: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CaseResult:
    """How one line of a case came out."""

    case: str
    line: int
    """From 0."""
    differences: tuple[tuple[str, str, str], ...]
    """(what, expected, found); empty: as expected."""


def faults_of(
    kind: str, document: Mapping[str, Any], published: Iterable[Published], reading: MoneyReading
) -> list[DraftFault]:
    """What keeps a document from being published: its own faults, or what is published already."""
    try:
        if kind == "plan":
            build_stack([load_plan(document)])
        else:
            book = load_price_book(document)
            Books([*_others(book.id, reading), book])
    except InvalidMessage as error:
        return [DraftFault(error.where or "$", error.code, error.message, error.next_step)]
    compiled: Plan | PriceBook = load_plan(document) if kind == "plan" else book
    return [*_illegible(document, "$", "\n" if kind == "plan" else ""), *_crowded(compiled, published)]


def _illegible(part: Any, where: str, allowed: str) -> Iterator[DraftFault]:
    """Texts that say on paper or a screen something else than they hold: signs that control it, or turn its direction.

    Asked of drafts alone: what was published once is read for ever.
    """
    if isinstance(part, Mapping):
        for name, value in part.items():
            yield from _illegible(value, f"{where}.{name}", allowed)
    elif isinstance(part, str):
        if not all(sign.isprintable() or sign in allowed for sign in part):
            next_step = "Write it with letters, digits and signs alone."
            yield DraftFault(where, "invalid_document", "the text holds a control character", next_step)
    elif isinstance(part, Sequence):
        for at, value in enumerate(part):
            yield from _illegible(value, f"{where}[{at}]", allowed)


def _crowded(compiled: Plan | PriceBook, published: Iterable[Published]) -> Iterable[DraftFault]:
    others = [other for other in published if other.id == compiled.id and other.hash != compiled.hash]
    for other in others:
        if other.version == compiled.version:
            yield DraftFault(
                "$.version",
                "version_published",
                "this version is published with other content",
                "Give it a new version.",
            )
    found = late(compiled, others) or clash(compiled, others)
    if found is not None:
        yield DraftFault("$.effective", "days_overlap", found.message, found.next_step)


def plan_cases(plan: Plan, cases: Iterable[tuple[str, Sequence[tuple[Line, Wish]]]]) -> list[CaseResult]:
    """Adjudicate every story of a plan's draft from empty totals and compare."""
    stack = build_stack([plan])
    results = []
    for name, lines in cases:
        totals: dict[Key, int] = {}
        for number, (line, wish) in enumerate(lines):
            try:
                answer = adjudicate(line, stack, totals)
            except (Pended, InvalidMessage) as waiting:
                results.append(CaseResult(name, number, _waiting(wish, waiting.code)))
                continue
            totals = apply(totals, answer.deltas)
            results.append(CaseResult(name, number, _compared(wish, answer)))
    return results


def one_line(document: Mapping[str, Any], line: Line) -> Adjudication:
    """What a plan document would answer to one line, first of its year. Raises Pended and InvalidMessage."""
    return adjudicate(line, build_stack([load_plan({**document, "effective": ALWAYS})]), {})


def price_cases(
    document: Mapping[str, Any], cases: Iterable[tuple[str, ServiceEvent, PriceContext, Wish]], reading: MoneyReading
) -> list[CaseResult]:
    """Price every service that a price book's draft must price, as if it were in force on every day."""
    book = load_price_book({**document, "effective": ALWAYS})
    books = Books([*_others(book.id, reading), book])
    results = []
    for name, event, at, wish in cases:
        try:
            priced = price(event, books, replace(at, book=book.id))
        except (Pended, Refused) as reason:
            results.append(CaseResult(name, 0, _waiting(wish, reason.reason)))
            continue
        found = {"allowed": (wish.allowed, priced.allowed), "reason": (wish.reason, "")}
        results.append(CaseResult(name, 0, _differences(found)))
    return results


def books_with(book: PriceBook, reading: MoneyReading) -> Books:
    """All published price books, this one in the place of its own versions."""
    return Books([*_others(book.id, reading), book])


def _others(book_id: str, reading: MoneyReading) -> list[PriceBook]:
    found = []
    for one in reading.published("price_book"):
        if one.id == book_id:
            continue
        if one.hash not in _compiled:
            document = reading.document(one.hash)
            if document is None:
                continue
            while len(_compiled) >= _COMPILED_MAX:
                _compiled.pop(next(iter(_compiled)))
            _compiled[one.hash] = load_price_book(document)
        found.append(_compiled[one.hash])
    return found


def _waiting(wish: Wish, reason: str) -> tuple[tuple[str, str, str], ...]:
    wanted = "" if wish.reason is None else wish.reason
    return () if wanted == reason else (("reason", wanted, reason),)


def _compared(wish: Wish, answer: Adjudication) -> tuple[tuple[str, str, str], ...]:
    components: dict[str, int] = {}
    for share in answer.shares:
        components[share.component] = components.get(share.component, 0) + share.amount
    found: dict[str, tuple[Any, Any]] = {
        "patient": (wish.patient, answer.patient_responsibility),
        "payers": (wish.payers, answer.plan_paid),
        "provider": (wish.provider, answer.provider_borne),
        "decision": (wish.decision, answer.decision),
        "reason": (wish.reason, answer.reason),
    }
    found |= {name: (amount, components.get(name, 0)) for name, amount in wish.components.items()}
    return _differences(found)


def _differences(found: Mapping[str, tuple[Any, Any]]) -> tuple[tuple[str, str, str], ...]:
    return tuple([(name, str(want), str(got)) for name, (want, got) in found.items() if want not in (None, got)])
