"""What would past care have cost under a draft? Sums only.

Charges of a period are decided again with the draft in the place of the document it is the next version of. Each
running total begins as it stood when the first of these charges was decided, and from then on moves as the draft says.
At most so many rows are looked at; the answer says how many, and whether there were more.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from drachm.application.draft_checks import ALWAYS, books_with
from drachm.application.journal_index import JournalIndex, Looked
from drachm.application.money_reading import MoneyReading
from drachm.application.ports import Books
from drachm.application.recall import Kept, Recalled, kept_of, recall
from drachm.domain.benefits import Plan, load_plan
from drachm.domain.benefits.adjudicate import told as answer_of
from drachm.domain.benefits.model import Adjudication
from drachm.domain.catalog import load_price_book
from drachm.domain.catalog.model import PricedEvent
from drachm.domain.clearing.documents import Documents
from drachm.domain.clearing.model import Snapshot
from drachm.domain.clearing.premises import Premises
from drachm.domain.clearing.world import Waiting, World
from drachm.domain.errors import Pended, Refused
from drachm.domain.events.model import ServiceEvent

MOST_ROWS: Final = 2_000
PEOPLE_LEAST: Final = 5
"""Sums over fewer people might tell of one of them, and are withheld."""
_PAGE: Final = 100


@dataclass(slots=True)
class Sums:
    """What charges came to, in one currency; micros."""

    billed: int = 0
    allowed: int = 0
    payers: int = 0
    patient: int = 0
    provider: int = 0
    denied: int = 0
    """Charges that every plan denied."""

    def add(self, answer: Adjudication) -> None:
        self.billed += answer.billed
        self.allowed += answer.allowed
        self.payers += answer.plan_paid
        self.patient += answer.patient_responsibility
        self.provider += answer.provider_borne
        self.denied += answer.decision == "denied"


@dataclass(slots=True)
class Preview:
    """Sums over past charges, as they were and as they would have been."""

    looked_at: int = 0
    """Charges of the period that were looked at."""
    more: bool = False
    """There were more in the period than may be looked at."""
    erased: int = 0
    """Of those, charges whose content was erased."""
    decided: int = 0
    """Charges that the draft has to do with, and could decide."""
    changed: int = 0
    undecided: Counter[str] = field(default_factory=Counter)
    """Charges that the draft has to do with and cannot decide, by reason."""
    people: int = 0
    before: dict[str, Sums] = field(default_factory=dict)
    after: dict[str, Sums] = field(default_factory=dict)

    @property
    def withheld(self) -> bool:
        """Whether the sums would tell of too few people."""
        return self.people < PEOPLE_LEAST


class Foreseen(Documents):
    """The published plans, a draft among them; prices of elsewhere."""

    def __init__(self, plans: list[Plan], priced: Callable[[ServiceEvent, Snapshot, Premises], PricedEvent]) -> None:
        super().__init__(plans)
        self._priced = priced

    def price(self, event: ServiceEvent, at: Snapshot, premises: Premises) -> PricedEvent:
        """As those say who know the price books."""
        return self._priced(event, at, premises)


def preview(
    kind: str,
    document: Mapping[str, Any],
    since: date,
    until: date,
    books: Books,
    reading: MoneyReading,
    index: JournalIndex,
    *,
    party: str,
    most: int = MOST_ROWS,
) -> Preview:
    """Decide charges of [since, until) again under the draft `document`. `party` narrows to what concerns it.

    Raises `InvalidMessage` for a draft that is no plan or price book.
    """
    published = books.documents()
    plans = [plan for one in reading.published("plan") if (plan := published.by_hash(one.hash)) is not None]
    if kind == "plan":
        draft = load_plan({**document, "effective": ALWAYS})
        name = draft.id
        documents: Documents = Foreseen([draft, *(plan for plan in plans if plan.id != name)], published.price)
    else:
        book = load_price_book({**document, "effective": ALWAYS})
        name = book.id
        documents = Documents(plans, books_with(book, reading))
    told, totals, people = Preview(), dict[int, int](), set[str]()
    for kept in _charges(index, since, until, party, most, told):
        [before] = recall([kept], books)
        if before.at is None or before.decision.adjudication is None or not _concerns(kind, name, before.at, books):
            continue
        event = before.body.event
        if event is None:
            continue
        people.add(event.member)
        try:
            after = _decided(kept, event, before, documents, totals, books)
        except (Pended, Refused) as reason:
            told.undecided[reason.reason] += 1
            continue
        told.decided += 1
        told.changed += _amounts(after) != _amounts(before.decision.adjudication)
        told.before.setdefault(event.currency, Sums()).add(before.decision.adjudication)
        told.after.setdefault(event.currency, Sums()).add(after)
    told.people = len(people)
    return told


def _charges(index: JournalIndex, since: date, until: date, party: str, most: int, told: Preview) -> Iterator[Kept]:
    """The charges of the period, oldest first; of more than `most`, the newest."""
    found: list[int] = []
    before = 0
    while len(found) <= most:
        page = index.page(
            "charges",
            parties=None,
            members=None,
            before=before,
            limit=_PAGE,
            party=party,
            since=since,
            until=_last(until),
        )
        found += [one.position for one in page]
        if len(page) < _PAGE:
            break
        before = page[-1].first or page[-1].position
    told.more = len(found) > most
    found = found[:most]
    for first in range(0, len(found), _PAGE):
        # From the oldest on.
        part = found[::-1][first : first + _PAGE]
        looked: list[Looked] = index.look(part)
        for one in looked:
            told.looked_at += 1
            kept = kept_of(one.stored)
            if kept is None:
                told.erased += 1
            else:
                yield kept


def _last(until: date) -> date:
    return date.fromordinal(until.toordinal() - 1)


def _concerns(kind: str, name: str, at: Snapshot, books: Books) -> bool:
    """Whether the charge was decided under the plan, or priced under an agreement that names the book."""
    if kind == "plan":
        return any(plan.id == name for plan in at.stack.plans)
    return at.contract is not None and at.contract.price_book == name


def _decided(
    kept: Kept, event: ServiceEvent, before: Recalled, documents: Documents, totals: dict[int, int], books: Books
) -> Adjudication:
    """One charge under the draft; moves the totals."""
    body = kept.body
    parties = {party for party in (event.billing_party, event.site) if party}
    registry = books.registry_at(body.version, {event.member}, parties)
    at = World(registry, documents).read(Waiting(event, body.received, kept.key, body.answer))
    if at.prepared is None or at.priced is None:
        raise Pended("no_contract", "the event was not priced", where="billing_party")
    stood = dict(zip(before.at.totals if before.at else (), body.totals or (), strict=False))
    for number in at.totals:
        totals.setdefault(number, stood.get(number, 0))
    split = at.prepared.split(totals)
    for number, delta in split.deltas:
        totals[number] = totals.get(number, 0) + delta
    return answer_of(at.prepared.program, at.priced.billed, at.priced.allowed, split)


def _amounts(answer: Adjudication) -> tuple[Any, ...]:
    return answer.decision, answer.allowed, answer.plan_paid, answer.patient_responsibility, answer.provider_borne
