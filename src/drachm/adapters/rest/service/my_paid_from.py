"""From which pots was a visit paid? What its receipts say, by pot, in the words of the wallet's page."""

from __future__ import annotations

from typing import Final

from drachm.adapters.rest.service.charge_views import Visit
from drachm.adapters.rest.service.my_frame import PatientSeat
from drachm.adapters.rest.service.my_wallet_view import kind_words
from drachm.adapters.rest.service.page_words import Amount
from drachm.adapters.rest.service.speech import gettext

_LOOKED_AT: Final = 20
"""Receipts; a visit of more says it on each."""


def paid_from(seat: PatientSeat, visit: Visit) -> list[tuple[str, Amount]]:
    """(what a pot is called, what it paid), largest first; empty where nothing was paid from a pot, for who came by a
    link, and where there are too many receipts to look through."""
    standing = [one for one in visit.items if one.state == "standing" and one.amounts is not None]
    paid = [one for one in standing if one.amounts is not None and one.amounts.paid.micros > 0]
    if seat.visit or not seat.whose_own(visit.member) or not paid or len(paid) > _LOOKED_AT:
        return []
    if not seat.may("list_wallets"):
        return []
    names = {one.id: kind_words(one) for one in seat.ask("list_wallets", query={"limit": "100"}).data}
    sums: dict[tuple[str, str], int] = {}
    for charge in paid:
        for part in seat.ask("get_receipt", {"receipt_id": charge.receipt}).parts:
            if part.bearer == "patient" and part.label == "Paid" and part.who:
                key = (names.get(part.who) or gettext("Another pot"), part.amount.currency)
                sums[key] = sums.get(key, 0) + part.amount.micros
    ordered = sorted(sums.items(), key=lambda pair: -pair[1])
    return [(name, Amount(micros, currency)) for (name, currency), micros in ordered]
