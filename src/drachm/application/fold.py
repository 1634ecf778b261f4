"""What does a journal row add to the figures?

A row that posts a charge adds it; the row whose place it takes is taken out again, by what that one had added. So the
sums are those of the charges that stand, whatever was corrected, and follow from the journal alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Final, NamedTuple

import msgspec

from drachm.application.follow import Opened
from drachm.application.handed import Amounts, amounts_of
from drachm.application.ports import Books, Stored
from drachm.application.recall import Kept, Recalled
from drachm.application.shown_receipts import recalled_of
from drachm.domain.clearing.model import Status
from drachm.domain.figures.spans import at_most
from drachm.domain.funding.model import GIVEN_UP
from drachm.domain.ledger.model import EntryKind
from drachm.domain.periods import local_date

CARE: Final = "care"
REFUSAL: Final = "refusal"
FROM_CARE: Final = 1
FROM_RECEIPT: Final = 2
_FORGONE: Final = f"{GIVEN_UP}:"
"""How names of pots begin out of which providers pay what they give up."""
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
    forgone: int = 0
    """Of the patients' part, what the provider no longer asks for."""


class Told(NamedTuple):
    """What a row says of one event."""

    kind: str
    provider: str
    day: date
    started_at: datetime
    received: datetime
    fact: Fact | None
    """The charge that it posts; None for what posts none: a hold, a reversal, what waits or was refused."""


class Looked(NamedTuple):
    """A row with what it says, and with what the row says whose place it takes."""

    stored: Stored
    told: Told | None
    """None: erased, or no care."""
    target: Told | None = None
    legs: Sequence[tuple[str, str, str, int]] = ()
    """(kind, owner, currency, amount) of its entries, asked only where one of the two is gone."""
    occurred_at: datetime = datetime.min.replace(tzinfo=UTC)

    @property
    def lost(self) -> bool:
        """Whether one of the two is gone."""
        return self.told is None or (self.stored.supersedes is not None and self.target is None)


class Folded(NamedTuple):
    """What some rows add, by place."""

    days: dict[tuple[str, date, str], list[int]]
    """(provider, day, currency) -> charges, denied, billed, insurers, patients, due, forgone."""
    mix: dict[tuple[str, date, str, str, str], list[int]]
    """(provider, month, currency, `CARE` or `REFUSAL`, word) -> charges, agreed."""
    times: dict[tuple[str, date, int, int], int]
    """(provider, day, measure, at most) -> answers."""
    hours: dict[tuple[datetime, Status, int], int]
    """(half hour, status, at most) -> answers."""


def fold(rows: Iterable[Looked]) -> Folded:
    """What the rows add together; what adds up to nothing is left out."""
    folded = Folded(
        defaultdict(lambda: [0] * 7), defaultdict(lambda: [0, 0]), defaultdict(lambda: 0), defaultdict(lambda: 0)
    )
    for row in rows:
        if row.told is not None:
            _count(folded, row, row.told)
        if row.lost:
            _add_legs(folded, row)
            continue
        for sign, told in ((1, row.told), (-1, row.target)):
            if told is not None and told.fact is not None:
                _add(folded, told.fact, sign)
    return Folded(
        {place: sums for place, sums in folded.days.items() if any(sums)},
        {place: sums for place, sums in folded.mix.items() if any(sums)},
        dict(folded.times),
        dict(folded.hours),
    )


def told_of(rows: Sequence[Opened], books: Books) -> list[Told | None]:
    """What each row says; None where its content was erased or cannot be read, and for money that came in. What its
    writer has not said is decided again."""
    told = [_said(row) for row in rows]
    silent = [row for row, one in zip(rows, told, strict=True) if one is None]
    kept = [Kept(row.stored.key, row.stored.status, row.body) if row.body else None for row in silent]
    anew = iter([_told(one) if one is not None else None for one in recalled_of(kept, books)])
    return [next(anew) if one is None else one for one in told]


def _said(row: Opened) -> Told | None:
    """What its writer said; None where it said nothing, and where nothing was decided."""
    body, said = row.body, row.said
    if said is None or said.day is None or body is None or body.packed is None or body.totals is None:
        return None
    event, day = body.packed, said.day
    fact = _fact(event.billing_party, event.currency, day, said.amounts) if said.amounts is not None else None
    return Told(event.kind, event.billing_party, day, event.started_at, body.received, fact)


def _told(recalled: Recalled) -> Told | None:
    body, at = recalled.body, recalled.at
    event = body.event
    if event is None:
        return None
    day = local_date(event.started_at, at.provider.zone if at else "UTC")
    amounts = amounts_of(event, recalled.decision)
    fact = _fact(event.billing_party, event.currency, day, amounts) if amounts is not None else None
    return Told(event.kind, event.billing_party, day, event.started_at, body.received, fact)


def _fact(provider: str, currency: str, day: date, amounts: Amounts) -> Fact:
    category, reason, denied, billed, insurers, patients, due, forgone = msgspec.structs.astuple(amounts)
    return Fact(provider, day, currency, category, reason, denied, billed, insurers, patients, due, forgone)


def _add(folded: Folded, fact: Fact, sign: int) -> None:
    values = (1, fact.denied, fact.billed, fact.insurers, fact.patients, fact.due, fact.forgone)
    sums = folded.days[fact.provider, fact.day, fact.currency]
    for at, value in enumerate(values):
        sums[at] += sign * value
    month = fact.day.replace(day=1)
    words = [(CARE, fact.category)] + ([(REFUSAL, fact.reason)] if fact.denied else [])
    for what, word in words:
        cell = folded.mix[fact.provider, month, fact.currency, what, word]
        cell[0] += sign
        cell[1] += sign * (fact.insurers + fact.patients)


def _add_legs(folded: Folded, row: Looked) -> None:
    """Of a row that cannot be opened, what its entries say: all but the price asked, which is taken to be agreed.

    Rows that move money without care have nothing to open, and say nothing here.
    """
    if row.stored.kind > EntryKind.REVISION:
        return
    owed = [(owner, currency, -amount) for kind, owner, currency, amount in row.legs if kind == "provider_payable"]
    if not owed:
        return
    (provider, currency, _), agreed = owed[0], sum(amount for *_, amount in owed)
    insurers = sum(amount for kind, *_, amount in row.legs if kind == "payer_receivable")
    credited = sum(amount for kind, *_, amount in row.legs if kind == "patient_credit")
    due = sum(amount for kind, *_, amount in row.legs if kind == "patient_receivable")
    forgone = sum(amount for kind, owner, _, amount in row.legs if kind == "wallet" and owner.startswith(_FORGONE))
    paid = insurers + credited
    sums = folded.days[provider, row.occurred_at.date(), currency]
    number = _NUMBERS.get(row.stored.kind, 0)
    for at, value in enumerate((number, 0, agreed, paid, agreed - paid, due, forgone)):
        sums[at] += value


def _count(folded: Folded, row: Looked, told: Told) -> None:
    """How long the answer took: what we answer by half hour, first answers to charges by service day."""
    stored = row.stored
    waited = at_most(_milliseconds(stored.posted_at - told.received))
    began = stored.posted_at.astimezone(UTC)
    began = began.replace(minute=began.minute - began.minute % 30, second=0, microsecond=0)
    if stored.kind is not EntryKind.REVISION:
        # A due that is paid or given up later, or a payer's late word, answers nobody who waits for us.
        folded.hours[began, stored.status, waited] += 1
    first = stored.supersedes is None or (row.target is not None and row.target.kind == "hold")
    if not first or told.fact is None:
        return
    since_care = at_most(_milliseconds(stored.posted_at - told.started_at))
    folded.times[told.provider, told.day, FROM_CARE, since_care] += 1
    folded.times[told.provider, told.day, FROM_RECEIPT, waited] += 1


def _milliseconds(span: timedelta) -> int:
    """Rounded up, so that "at most" stays true."""
    return -(-span // timedelta(milliseconds=1))
