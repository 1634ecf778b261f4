"""Is all the money there that belongs to others?

What people have put into their pots is theirs, not the operator's. The books must say at any moment where it lies: what
is owed to them, and to providers out of their pots, equals what is at the bank, what is on its way there, and what
somebody must still make good. Care that nobody has paid yet (what payers and patients owe, and what providers are owed
for it) is no money of clients, and is left out; so an entry that pays a provider out of a pot that gave nothing shows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Final, NamedTuple

from drachm.domain.errors import ensure
from drachm.domain.ledger.model import CHART, Account, Source

BANK: Final = "bank"
"""The owner of the account `cash` for what stands on the bank account; every other rail has still to pay it there."""
_CARE: Final = frozenset({"payer_receivable", "patient_receivable", "patient_credit"})


class ClientMoney(NamedTuple):
    """Where the money of clients is, in one currency. Micros; what is owed to others stands above 0 too."""

    currency: str
    wallets: int
    """What pots hold: to be spent, or promised to requests."""
    to_providers: int
    """Drawn from pots for care, not yet paid out."""
    elsewhere: int
    """Owed to others besides: money whose payer nobody has found, and so on."""
    bank: int
    """On the bank account."""
    in_transit: int
    """With the other rails: card processors, boxes of windows."""
    to_be_made_good: int
    """What holders owe for payments that went back, what is missing in boxes, what is less than the smallest coin."""

    @property
    def owed(self) -> int:
        """Everything that belongs to others."""
        return self.wallets + self.to_providers + self.elsewhere

    @property
    def difference(self) -> int:
        """Where it is, less what is owed: 0, or the books are broken."""
        return self.bank + self.in_transit + self.to_be_made_good - self.owed


def client_money(sums: Mapping[tuple[Account, Source], int]) -> list[ClientMoney]:
    """The money of clients in each currency that has any, from every account's sum of entries by whose money it is.

    Raises `IntegrityError` for an account that the chart does not know.
    """
    found: dict[str, dict[str, int]] = defaultdict(lambda: dict.fromkeys(ClientMoney._fields[1:], 0))
    for (account, source), amount in sums.items():
        place = _place(account, source)
        if place and amount:
            owed = CHART[account.kind].side == "liability"
            found[account.currency][place] += -amount if owed else amount
    return [ClientMoney(currency, **parts) for currency, parts in sorted(found.items())]


def _place(account: Account, source: Source) -> str:
    """Which part an entry belongs to; empty: it is no money of clients."""
    kind = account.kind
    ensure(kind in CHART, "the chart of accounts does not know this kind", where=f"account {kind}/{account.owner}")
    if kind in ("wallet", "wallet_held"):
        return "wallets"
    if kind == "provider_payable":
        # What payers and patients have not sent is owed to providers, too, but not out of anybody's pot.
        return "to_providers" if source == Source.WALLET else ""
    if kind == "cash":
        return "bank" if account.owner == BANK else "in_transit"
    if kind in _CARE:
        return ""
    return "elsewhere" if CHART[kind].side == "liability" else "to_be_made_good"
