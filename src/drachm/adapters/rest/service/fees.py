"""Is a top-up too small for what its rail keeps of it?

Whoever pays is told before they do, with the part of the amount that is lost: 2.9 % and 30 cents of half a dollar are
62.9 % of it. It is a warning, never a refusal.
"""

from __future__ import annotations

from typing import Final

from drachm.adapters.rest.service.call import Call
from drachm.adapters.rest.service.shapes import Money, View, money
from drachm.domain.payments.tariff import percent_of

DEAR_PPM: Final = 50_000
"""A fee above this part of the amount is worth a word before the payer pays it."""


class FeeView(View):
    """What the rail is expected to keep, for the operator to bear."""

    amount: Money
    share_ppm: int
    """Of the payment, in parts per million."""
    worthwhile_from: Money | None
    """The smallest amount of which the fee takes no more than a twentieth; null when there is none."""
    warning: str
    """The same in words."""


def fee_of(call: Call, rail: str, amount: int, currency: str) -> FeeView | None:
    """What a rail keeps of an amount (micros), where that is dear; None where it is not, or nobody knows."""
    tariff = call.market.tariffs.get(rail)
    if tariff is None or tariff.currency != currency or amount <= 0:
        return None
    share = tariff.share_ppm(amount)
    if share <= DEAR_PPM:
        return None
    floor = tariff.floor(DEAR_PPM)
    return FeeView(
        amount=money(tariff.fee(amount), currency),
        share_ppm=share,
        worthwhile_from=money(floor, currency) if floor is not None else None,
        warning=f"The fee takes {percent_of(share)} of this payment.",
    )
