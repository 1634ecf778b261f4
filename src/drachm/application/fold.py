"""What does a journal row add to the figures?

A row that posts a charge adds it; the row whose place it takes is taken out again, by what that one had added. So the
sums are those of the charges that stand, whatever was corrected, and follow from the journal alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Final, NamedTuple

from drachm.application.ports import Stored
from drachm.application.shown_receipts import Shown
from drachm.domain.clearing.model import Status
from drachm.domain.figures.spans import at_most
from drachm.domain.ledger.model import EntryKind

CARE: Final = "care"
REFUSAL: Final = "refusal"
FROM_CARE: Final = 1
FROM_RECEIPT: Final = 2
_ANSWERED: Final = ("posted", "denied")
_CHARGES: Final = ("charge", "replacement")
_HALF_HOUR: Final = timedelta(minutes=30)
_NUMBERS: Final = {EntryKind.CHARGE: 1, EntryKind.CAPTURE: 1, EntryKind.REVERSAL: -1}
"""How many charges more stand after a row that says nothing but its kind."""


class Fact(NamedTuple):
    """One standing charge in figures."""

    provider: str
    day: date
    currency: str
    category: str
    """The benefit category that the price book or the source gives it."""
    reason: str
    """Why every payer said no; empty where one did not."""
    denied: int
    billed: int
    insurers: int
    patients: int
    due: int


class Opened(NamedTuple):
    """A row with its receipt, and with that of the row whose place it takes."""

    stored: Stored
    shown: Shown | None
    """None: erased, or no care."""
    target: Shown | None = None
    legs: Sequence[tuple[str, str, str, int]] = ()
    """(kind, owner, currency, amount) of its entries, asked only where one of the two receipts is gone."""
    occurred_at: datetime = datetime.min.replace(tzinfo=UTC)

    @property
    def lost(self) -> bool:
        """Whether one of the two receipts is gone."""
        return self.shown is None or (self.stored.supersedes is not None and self.target is None)


class Folded(NamedTuple):
    """What some rows add, by place."""

    days: dict[tuple[str, date, str], list[int]]
    """(provider, day, currency) -> charges, denied, billed, insurers, patients, due."""
    mix: dict[tuple[str, date, str, str, str], list[int]]
    """(provider, month, currency, `CARE` or `REFUSAL`, word) -> charges, agreed."""
    times: dict[tuple[str, date, int, int], int]
    """(provider, day, measure, at most) -> answers."""
    hours: dict[tuple[datetime, Status, int], int]
    """(half hour, status, at most) -> answers."""


def fold(rows: Iterable[Opened]) -> Folded:
    """What the rows add together; what adds up to nothing is left out."""
    folded = Folded(
        defaultdict(lambda: [0] * 6), defaultdict(lambda: [0, 0]), defaultdict(lambda: 0), defaultdict(lambda: 0)
    )
    for row in rows:
        if row.shown is not None:
            _count(folded, row, row.shown)
        if row.lost:
            _add_legs(folded, row)
            continue
        for sign, shown in ((1, row.shown), (-1, row.target)):
            fact = fact_of(shown) if shown is not None else None
            if fact is not None:
                _add(folded, fact, sign)
    return Folded(
        {place: sums for place, sums in folded.days.items() if any(sums)},
        {place: sums for place, sums in folded.mix.items() if any(sums)},
        dict(folded.times),
        dict(folded.hours),
    )


def fact_of(shown: Shown) -> Fact | None:
    """A charge in figures; None for what posts none: a hold, a reversal, what waits or was refused."""
    receipt, event = shown.receipt, shown.recalled.body.event
    if receipt.status not in _ANSWERED or receipt.kind not in _CHARGES or event is None:
        return None
    priced = shown.recalled.decision.priced
    category = (priced.category if priced else "") or event.facts.get("category", "")
    denied = receipt.status == "denied"
    return Fact(
        *(
            receipt.provider,
            receipt.day,
            receipt.currency,
            str(category),
            receipt.reason if denied else "",
            int(denied),
        ),
        *(receipt.billed, receipt.payers, receipt.patient, receipt.due),
    )


def _add(folded: Folded, fact: Fact, sign: int) -> None:
    values = (1, fact.denied, fact.billed, fact.insurers, fact.patients, fact.due)
    sums = folded.days[fact.provider, fact.day, fact.currency]
    for at, value in enumerate(values):
        sums[at] += sign * value
    month = fact.day.replace(day=1)
    words = [(CARE, fact.category)] + ([(REFUSAL, fact.reason)] if fact.denied else [])
    for what, word in words:
        cell = folded.mix[fact.provider, month, fact.currency, what, word]
        cell[0] += sign
        cell[1] += sign * (fact.insurers + fact.patients)


def _add_legs(folded: Folded, row: Opened) -> None:
    """Of a row that cannot be opened, what its entries say: all but the price asked, which is taken to be agreed."""
    owed = [(owner, currency, -amount) for kind, owner, currency, amount in row.legs if kind == "provider_payable"]
    if not owed:
        return
    (provider, currency, _), agreed = owed[0], sum(amount for *_, amount in owed)
    insurers = sum(amount for kind, *_, amount in row.legs if kind == "payer_receivable")
    credited = sum(amount for kind, *_, amount in row.legs if kind == "patient_credit")
    due = sum(amount for kind, *_, amount in row.legs if kind == "patient_receivable")
    paid = insurers + credited
    sums = folded.days[provider, row.occurred_at.date(), currency]
    number = _NUMBERS.get(row.stored.kind, 0)
    for at, value in enumerate((number, 0, agreed, paid, agreed - paid, due)):
        sums[at] += value


def _count(folded: Folded, row: Opened, shown: Shown) -> None:
    """How long the answer took: everything we answer by half hour, first answers to charges by service day."""
    stored, body, receipt = row.stored, shown.recalled.body, shown.receipt
    waited = at_most(_milliseconds(stored.posted_at - body.received))
    began = stored.posted_at.astimezone(UTC)
    began -= (began - datetime(2000, 1, 1, tzinfo=UTC)) % _HALF_HOUR
    folded.hours[began, stored.status, waited] += 1
    first = row.stored.supersedes is None or (row.target is not None and row.target.receipt.kind == "hold")
    if not first or fact_of(shown) is None or body.event is None:
        return
    place = receipt.provider, receipt.day
    folded.times[*place, FROM_CARE, at_most(_milliseconds(stored.posted_at - body.event.started_at))] += 1
    folded.times[*place, FROM_RECEIPT, waited] += 1


def _milliseconds(span: timedelta) -> int:
    """Rounded up, so that "at most" stays true."""
    return -(-span // timedelta(milliseconds=1))
