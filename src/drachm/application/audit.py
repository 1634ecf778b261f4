"""Can everything be rebuilt from raw entries?

Streams the journal once, in order of position, and rebuilds what is derived: pots, running totals, decisions, leaves.
It trusts nothing but the rows and their bodies, and names the first row that disagrees. Memory is bounded: running
totals live in a `Tally` that spills to disk.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from drachm.application.body import Body, read_body
from drachm.application.check_books import check_books
from drachm.application.clear_events import OUTCOMES
from drachm.application.ports import Books, Row, Stored
from drachm.domain.benefits.model import Key
from drachm.domain.clearing.clear import clear, unwound
from drachm.domain.clearing.documents import Documents
from drachm.domain.clearing.journal import difference
from drachm.domain.clearing.model import EMPTY, Snapshot, Standing, Target
from drachm.domain.errors import DrachmError, IntegrityError
from drachm.domain.events.model import fingerprint
from drachm.domain.ledger.model import EntryKind, account_id
from drachm.domain.periods import local_date
from drachm.domain.transparency.leaf import NO_KEY, Leaf, commitment, leaf_hash


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
        for row, stored in books.rows():
            auditor.check(row, stored)
            if auditor.rows % 1000 == 0:
                progress(auditor.rows)
        auditor.check_derived()
    except (Difference, IntegrityError) as found:
        difference = str(found)
    rate = int(auditor.rows / max(seconds() - started, 1e-9))
    return AuditReport(auditor.rows, not difference, difference, auditor.erased, rate)


class _Auditor:
    def __init__(self, books: Books, totals: Tally, pots: Tally) -> None:
        self._books = books
        self._tally = totals
        self._pots = pots
        self._documents: Documents = books.documents()
        self.rows = 0
        self.erased = 0

    def check(self, row: Row, stored: Stored) -> None:
        """One journal row: sum, pots, leaf, decision, totals."""
        self.rows += 1
        self._must(sum(entry.amount for entry in row.entries) == 0, row, "its entries do not sum to zero")
        if not stored.body:
            self.erased += 1
            self._check_pots(row)
            return
        try:
            body = read_body(stored.body)
        except DrachmError as error:
            raise Difference(f"position {row.position}: {error}") from None
        superseded = self._superseded(row)
        self._leaf(row, body, stored.body, superseded)
        self._must(body.status == row.status, row, "its status is not the one its body tells")
        if body.event is not None:
            self._must(fingerprint(body.event) == row.content, row, "its content hash is another event's")
            self._must(body.event.started_at == row.occurred_at, row, "its time is not its event's")
        old = superseded[1] if superseded else EMPTY
        self._check_seen(row, body, old)
        self._check_pots(row)
        if body.event is None or row.kind is EntryKind.NOTE:
            return
        wanted = difference(row.kind, body.standing.entries, old.entries).entries
        self._must(sorted(row.entries) == sorted(wanted), row, "its entries are not the difference of its standings")
        if body.adjudication is not None:
            self._decision(row, body, old)
        for key, delta in body.standing.deltas:
            self._tally.add(_text(key), delta)
        for key, delta in old.deltas:
            self._tally.add(_text(key), -delta)

    def check_derived(self) -> None:
        """Totals and pots as their rows say, against what the journal adds up to."""
        told = 0
        for key, value in self._books.totals():
            rebuilt = self._tally.get(_text(key))
            if rebuilt == 0 and self.erased:
                continue
            told += 1
            if rebuilt != value:
                raise Difference(
                    f"running total {key.name} {key.period} says {value}, the journal adds up to {rebuilt}"
                )
        if told != self._tally.count():
            raise Difference(f"{self._tally.count()} running totals follow from the journal, {told} are there")
        problems = check_books(self._books)
        if problems:
            raise Difference(problems[0])

    def _check_seen(self, row: Row, body: Body, old: Standing) -> None:
        """What the decision believed the pots could spend, against the entries so far."""
        for pot in body.context.pots if body.context and row.kind is not EntryKind.NOTE else ():
            back = sum(leg.amount for leg in old.legs if leg.lot == pot.id)
            rebuilt = self._pots.get(pot.id) + back
            self._must(pot.avail == rebuilt, row, f"it saw {pot.avail} in a pot, the entries say {rebuilt}")

    def _check_pots(self, row: Row) -> None:
        for entry in row.entries:
            if entry.account.kind == "wallet":
                self._pots.add(entry.account.owner, -entry.amount)
        for pot, after in row.avail:
            rebuilt = self._pots.get(pot)
            self._must(rebuilt == after, row, f"after it a pot may spend {after}, the entries say {rebuilt}")

    def _superseded(self, row: Row) -> tuple[Stored, Standing] | None:
        if row.supersedes is None:
            return None
        stored = self._books.row(row.supersedes)
        if stored is None:
            raise Difference(f"position {row.position}: the row it takes the place of is not here")
        return stored, read_body(stored.body).standing if stored.body else EMPTY

    def _leaf(self, row: Row, body: Body, data: bytes, superseded: tuple[Stored, Standing] | None) -> None:
        posted_at = row.posted_at
        leaf = Leaf(
            tenant=self._books.tenant,
            key=row.key,
            revision=row.revision,
            kind=row.kind,
            outcome=OUTCOMES[row.status],
            posted_at=int(posted_at.timestamp()) * 1_000_000 + posted_at.microsecond,
            superseded_key=superseded[0].key if superseded else NO_KEY,
            superseded_revision=superseded[0].revision if superseded else 0,
            currency=row.currency,
            entries=[(account_id(self._books.tenant, e.account), e.amount, e.source) for e in row.entries],
            commitment=commitment(body.salt, data),
        )
        self._must(leaf_hash(leaf) == row.leaf, row, "its leaf hash does not follow from its content")

    def _decision(self, row: Row, body: Body, old: Standing) -> None:
        """Decide again from what was read then and from the totals as rebuilt up to here."""
        event, context = body.event, body.context
        if event is None or context is None:
            return
        target = None
        if row.supersedes is not None:
            stored = self._books.row(row.supersedes)
            if stored is not None:
                target = Target(stored.key, stored.revision, stored.position, stored.kind, old, event.member, "")
        snapshot = Snapshot(
            member=context.member,
            provider=context.provider,
            site=context.site,
            contract=context.contract,
            covers=context.covers,
            day=local_date(event.started_at, context.provider.zone),
            received=body.received,
            totals={},
            pots=context.pots,
            target=target,
            answer=body.answer,
        )
        try:
            snapshot = snapshot.asking(self._documents.asked(event, snapshot))
            wanted = self._documents.keys(self._documents.asked(event, snapshot), snapshot)
            _, totals = unwound((), {key: self._tally.get(_text(key)) for key in wanted}, old)
            again = clear(event, replace(snapshot, totals=totals), self._documents)
        except DrachmError as error:
            raise Difference(f"position {row.position}: deciding it again fails: {error}") from None
        same = again.priced == body.priced and again.adjudication == body.adjudication
        self._must(same and again.standing == body.standing, row, "deciding it again gives another answer")

    @staticmethod
    def _must(holds: bool, row: Row, problem: str) -> None:
        if not holds:
            raise Difference(f"position {row.position}: {problem}")


def _text(key: Key) -> str:
    return "\x1f".join(key)
