"""Which receipt does a link open, whom does it concern, and what are they called?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from drachm.adapters.rest.service.house import Market
from drachm.adapters.rest.service.journal_reading import ANSWERED, find_row, receipts_of
from drachm.application.journal_index import Indexed
from drachm.domain.coverage.model import Member, Party
from drachm.domain.receipts.model import Receipt


@dataclass(frozen=True, slots=True)
class SharedReceipt:
    """A receipt as whoever shares it, or was given it, needs it."""

    receipt: Receipt
    """`number` is its public name."""
    parties: Mapping[str, Party]
    """Provider and payers as registered now, as far as they are."""
    superseded: bool = False
    """A later answer took its place."""
    row: Indexed | None = None
    """Its journal row: whom it concerns."""

    def name_of(self, party: str) -> str:
        """What a party is called; its id where it has no name."""
        found = self.parties.get(party)
        return (found.name if found else "") or party


def shared_receipt(market: Market, name: str) -> SharedReceipt | None:
    """The receipt called `rcp_...`; None when there is none in this tenant, or its content was erased."""
    looked = find_row(market, name, "rcp")
    if looked is None or looked.row.status not in ANSWERED:
        return None
    shown = receipts_of(market, [looked], explain=True)[0]
    if shown is None:
        return None
    receipt = shown.receipt
    ids = {receipt.provider, *(part.who for part in receipt.parts if part.bearer == "payer")} - {""}
    parties = {party.id: party for party in market.register.parties(ids=ids)} if ids else {}
    return SharedReceipt(replace(receipt, number=name), parties, looked.stored.superseded, looked.row)


def member_of(market: Market, receipt: Receipt) -> Member | None:
    """The patient as registered now."""
    return next(iter(market.register.members(ids=[receipt.member])), None)
