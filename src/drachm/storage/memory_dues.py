"""What is due of care, for books in memory: `application.collection.DueReading` from the rows themselves."""

from __future__ import annotations

from drachm.application.money_reading import Balance, Due
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

    def accounts(
        self, *, after: tuple[str, str, str] = ("", "", ""), limit: int = 100, kind: str = ""
    ) -> list[Balance]:
        """Accounts of a kind by owner and currency, each with the sum of its entries."""
        found = sorted((account, micros) for account, micros in self._books.balances().items() if account.kind == kind)
        page = [(account, micros) for account, micros in found if tuple(account) > after][:limit]
        return [Balance(account, account_id(self._books.tenant, account), micros) for account, micros in page]
