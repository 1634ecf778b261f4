"""What is due of care and what pots paid for it, for books in memory: parts of `application.money_reading.MoneyReading`
from the rows themselves."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Collection, Sequence
from datetime import datetime

from drachm.application.follow import opened_body
from drachm.application.money_reading import AHEAD, CARE, Balance, CareSum, Due
from drachm.domain.clearing.numbers import patient_number
from drachm.domain.ledger.model import Account, account_id
from drachm.storage.memory import MemoryBooks


class MemoryDues:
    """Reads every row each time."""

    def __init__(self, books: MemoryBooks) -> None:
        self._books = books

    def dues(self, member: str, currency: str) -> list[Due]:
        """What a patient owes, charge by charge, oldest first."""
        account = Account("patient_receivable", member, currency)
        rows = list(self._books.rows())
        heir = {stored.supersedes: stored for stored, _ in rows if stored.supersedes is not None}
        found: dict[int, Due] = {}
        for stored, written in rows:
            moved = sum(entry.amount for entry in written.entries if entry.account == account)
            if not moved:
                continue
            newest = stored
            while newest.position in heir:
                newest = heir[newest.position]
            before = found.get(newest.position, Due(newest.key, newest.position, 0, stored.posted_at.date()))
            found[newest.position] = before._replace(amount=before.amount + moved)
        return [due for due in found.values() if due.amount > 0]

    def care_sums(self, accounts: Collection[int], bounds: Sequence[datetime]) -> list[CareSum]:
        """What these accounts of pots paid for care, by member and by when the care began."""
        tenant, sums = self._books.tenant, dict[tuple[int, int], int]()
        for stored, written in self._books.rows():
            body = opened_body(stored)
            span = bisect(bounds, written.occurred_at) - 1
            if body is None or body.event is None or stored.kind not in CARE or not 0 <= span < len(bounds) - 1:
                continue
            moved = [entry.amount for entry in written.entries if account_id(tenant, entry.account) in accounts]
            place = patient_number(tenant, body.event.member), span
            if moved and stored.posted_at.date() >= (bounds[0] - AHEAD).date():
                sums[place] = sums.get(place, 0) + sum(moved)
        return [CareSum(*place, amount) for place, amount in sums.items() if amount]

    def accounts(
        self, *, after: tuple[str, str, str] = ("", "", ""), limit: int = 100, kind: str = ""
    ) -> list[Balance]:
        """Accounts of a kind by owner and currency, each with the sum of its entries."""
        found = sorted((account, micros) for account, micros in self._books.balances().items() if account.kind == kind)
        page = [(account, micros) for account, micros in found if tuple(account) > after][:limit]
        return [Balance(account, account_id(self._books.tenant, account), micros) for account, micros in page]
