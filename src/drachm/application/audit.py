"""Can everything be rebuilt from raw entries?

Streams the journal once, in order of position, and rebuilds what is derived: pots, running totals, decisions, leaves.
It trusts nothing but the rows and their bodies, and names the first row that disagrees. Memory is bounded: running
totals live in a `Tally` that spills to disk.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final, Protocol

from drachm.application.check_books import check_books
from drachm.application.ports import Books, Stored, Written
from drachm.application.recall import Kept, Recalled, kept_of, recall
from drachm.application.rows import leaf_of
from drachm.domain.clearing.journal import difference
from drachm.domain.clearing.model import EMPTY, Standing
from drachm.domain.clearing.numbers import Place, place_of
from drachm.domain.errors import IntegrityError
from drachm.domain.ledger.model import EntryKind, legs_of
from drachm.domain.transparency.leaf import NO_KEY

PAGE: Final = 500
"""Rows whose decisions are made again together."""

Found = tuple[Stored, Written]


class Tally(Protocol):
    """Running sums by text key in bounded memory."""

    def get(self, key: str) -> int: ...
    def add(self, key: str, delta: int) -> None: ...
    def count(self) -> int:
        """How many sums are not zero."""


@dataclass(frozen=True, slots=True)
class AuditReport:
    rows: int
    ok: bool
    first_difference: str
    """Where and what, empty when all is well."""
    erased: int
    """Rows whose content was erased: their entries and order are checked, their decisions cannot be."""
    rows_per_second: int


class Difference(Exception):
    """The audit found something that does not follow from the entries."""


def audit(
    books: Books, totals: Tally, pots: Tally, seconds: Callable[[], float], progress: Callable[[int], None]
) -> AuditReport:
    """Rebuild everything; `seconds` is a monotonic clock, `progress` is told the rows done so far."""
    started = seconds()
    auditor = _Auditor(books, totals, pots)
    difference = ""
    try:
        for page in _pages(books.rows()):
            for found, recalled in zip(page, auditor.recall(page), strict=True):
                auditor.check(*found, recalled)
            progress(auditor.rows)
        auditor.check_derived()
    except (Difference, IntegrityError) as problem:
        difference = str(problem)
    rate = int(auditor.rows / max(seconds() - started, 1e-9))
    return AuditReport(auditor.rows, not difference, difference, auditor.erased, rate)


def _pages(rows: Iterable[Found]) -> Iterator[list[Found]]:
    iterator = iter(rows)
    while page := list(islice(iterator, PAGE)):
        yield page


class _Auditor:
    def __init__(self, books: Books, totals: Tally, pots: Tally) -> None:
        self._books = books
        self._tally = totals
        self._pots = pots
        self.rows = 0
        self.erased = 0

    def recall(self, page: Sequence[Found]) -> list[Recalled | None]:
        """What each row's body decides again; None when it was erased."""
        kept = [self._kept(stored) for stored, _ in page]
        try:
            decided = iter(recall([one for one in kept if one is not None], self._books))
            return [next(decided) if one is not None else None for one in kept]
        except IntegrityError:
            # Which row it was: each one for itself.
            return [self._alone(stored, one) for (stored, _), one in zip(page, kept, strict=True)]

    def check(self, stored: Stored, written: Written, recalled: Recalled | None) -> None:
        """One journal row: sum, pots, leaf, decision, totals."""
        self.rows += 1
        self._must(sum(entry.amount for entry in written.entries) == 0, stored, "its entries do not sum to zero")
        if recalled is None:
            self.erased += 1
            self._check_pots(stored, written)
            return
        superseded = self._superseded(stored)
        self._leaf(stored, written, recalled, superseded)
        body, decision = recalled.body, recalled.decision
        event, old = body.event, superseded[1] if superseded else EMPTY
        self._must(decision.status == stored.status or body.top_up is not None, stored, "deciding it gives another end")
        self._must(event is None or event.started_at == written.occurred_at, stored, "its time is not its event's")
        if body.paying:
            self._check_paid(stored, recalled, superseded[0] if superseded else None)
        else:
            self._check_seen(stored, recalled, old)
        self._check_pots(stored, written)
        if event is None or stored.kind is EntryKind.NOTE:
            return
        wanted = difference(stored.kind, decision.standing.entries, old.entries).entries
        self._must(sorted(written.entries) == sorted(wanted), stored, "deciding it again gives other entries")
        for sign, standing in ((1, decision.standing), (-1, old)):
            for number, delta in standing.deltas:
                self._tally.add(_text(place_of(number)), sign * delta)

    def check_derived(self) -> None:
        """Totals and pots as their rows say, against what the journal adds up to."""
        told = 0
        for place, value in self._books.totals():
            rebuilt = self._tally.get(_text(place))
            if rebuilt == 0 and self.erased:
                continue
            told += 1
            if rebuilt != value:
                where = f"running total {place.slot} of row {place.row}"
                raise Difference(f"{where} says {value}, the journal adds up to {rebuilt}")
        if told != self._tally.count():
            raise Difference(f"{self._tally.count()} running totals follow from the journal, {told} are there")
        problems = check_books(self._books)
        if problems:
            raise Difference(problems[0])

    def _check_seen(self, stored: Stored, recalled: Recalled, old: Standing) -> None:
        """What the decision believed of pots and running totals, against the rows before it."""
        at, body = recalled.at, recalled.body
        if at is None:
            return
        for pot, seen in zip(at.pots, body.avail or (), strict=True):
            rebuilt = self._pots.get(pot.id) + sum(leg.amount for leg in old.legs if leg.lot == pot.id)
            self._must(seen == rebuilt, stored, f"it saw {seen} in a pot, the entries say {rebuilt}")
        before = dict(old.deltas)
        for number, seen in zip(at.totals, body.totals or (), strict=True):
            rebuilt = self._tally.get(_text(place_of(number))) - before.get(number, 0)
            # The totals of an erased patient cannot be rebuilt.
            agrees = seen == rebuilt or self.erased > 0
            self._must(agrees, stored, f"it saw {seen} in a running total, the rows before it say {rebuilt}")

    def _check_paid(self, stored: Stored, recalled: Recalled, before: Stored | None) -> None:
        """The row of a payment of what was due, or of one taken back, keeps the decision before it and all others."""
        kept = self._kept(before) if before is not None else None
        self._must(before is not None and recalled.body.paying == before.position, stored, "it pays for another row")
        if kept is None:
            return
        was, now = kept.body, recalled.body
        same = (was.packed, was.received, was.version, was.totals, was.avail, was.answer)
        paid = now.agreed[: len(was.agreed)] == was.agreed
        gone = {one.id for one in was.agreed} - {one.id for one in now.agreed}
        back = len(gone) == 1 and now.agreed == tuple([one for one in was.agreed if one.id not in gone])
        self._must(
            same == (now.packed, now.received, now.version, now.totals, now.avail, now.answer) and (paid or back),
            stored,
            "a payment changed more than what is due",
        )
        standing = recalled.decision.standing
        self._must(standing.agreed == now.agreed, stored, "more was paid than was due")

    def _check_pots(self, stored: Stored, written: Written) -> None:
        for entry in written.entries:
            if entry.account.kind == "wallet":
                self._pots.add(entry.account.owner, -entry.amount)
        for pot, after in written.avail:
            rebuilt = self._pots.get(pot)
            self._must(rebuilt == after, stored, f"after it a pot may spend {after}, the entries say {rebuilt}")

    def _superseded(self, stored: Stored) -> tuple[Stored, Standing] | None:
        if stored.supersedes is None:
            return None
        before = self._books.row(stored.supersedes)
        if before is None:
            raise Difference(f"position {stored.position}: the row it takes the place of is not here")
        recalled = self._alone(before, self._kept(before))
        return before, recalled.decision.standing if recalled else EMPTY

    def _leaf(
        self, stored: Stored, written: Written, recalled: Recalled, superseded: tuple[Stored, Standing] | None
    ) -> None:
        before = (superseded[0].key, superseded[0].revision) if superseded else (NO_KEY, 0)
        legs = legs_of(self._books.tenant, written.entries)
        leaf = leaf_of(
            *(self._books.tenant, stored.key, stored.revision, stored.kind, stored.status, stored.posted_at),
            *(before, written.currency, legs, recalled.body.salt, stored.body),
        )
        self._must(leaf == stored.leaf, stored, "its leaf hash does not follow from its content")

    def _alone(self, stored: Stored, kept: Kept | None) -> Recalled | None:
        try:
            return recall([kept], self._books)[0] if kept is not None else None
        except IntegrityError as problem:
            raise Difference(f"position {stored.position}: {problem}") from None

    @staticmethod
    def _kept(stored: Stored) -> Kept | None:
        try:
            return kept_of(stored)
        except IntegrityError as problem:
            raise Difference(f"position {stored.position}: {problem}") from None

    @staticmethod
    def _must(holds: bool, stored: Stored, problem: str) -> None:
        if not holds:
            raise Difference(f"position {stored.position}: {problem}")


def _text(place: Place) -> str:
    return f"{place.row}/{place.slot}"
