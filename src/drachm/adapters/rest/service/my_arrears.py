"""A payment of the patient's went back: what is owed, and one tap to make it good.

Until then the patient's own pots pay for nothing by themselves. The whole is paid at once, over a rail or out of a pot
that holds enough; the interface decides what it was, so a page that lay open for a day pays nothing twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from drachm.adapters.rest.service.browser_session import new_secret
from drachm.adapters.rest.service.call import Reply
from drachm.adapters.rest.service.forms import key_of
from drachm.adapters.rest.service.my_frame import PatientSeat, patient_page
from drachm.adapters.rest.service.my_wallet_view import RAILS, Pot
from drachm.adapters.rest.service.page_words import Amount, amount_of
from drachm.adapters.rest.service.speech import N_, gettext
from drachm.adapters.rest.transport.problems import Problem
from drachm.domain.errors import DrachmError
from drachm.domain.money import minor_unit


@dataclass(frozen=True, slots=True)
class Owed:
    """What is owed in one currency."""

    amount: Amount
    ways: list[tuple[str, str]]
    """What to send, and what to call it."""
    key: str


def owed_of(seat: PatientSeat, pots: list[Pot]) -> list[Owed]:
    """What the person owes for payments that went back; nothing for who looks at somebody else's wallet."""
    if not seat.whose_own(seat.member):
        return []
    found: list[Owed] = []
    for one in seat.ask("list_arrears", {"member_id": seat.member}).data:
        owed = amount_of(one.owed)
        if owed.micros > 0:
            ways = [(f"rail {name}", gettext(RAILS.get(name, N_("Pay")))) for name in RAILS if name in one.rails]
            ways += [
                (f"pot {pot.id}", pot.name) for pot in pots if pot.id in one.frozen and pot.amount.micros >= owed.micros
            ]
            found.append(Owed(owed, ways, new_secret()))
    return found


@patient_page("pay_my_arrears", form=True)
def pay_my_arrears(seat: PatientSeat) -> Reply:
    """Make good all that is owed in one currency."""
    form = seat.call.form
    key, currency = key_of(form), form.get("currency", "")
    how, _, name = form.get("way", "").partition(" ")
    try:
        owed = [one.owed for one in seat.ask("list_arrears", {"member_id": seat.member}).data]
        micros = next((amount_of(one).micros for one in owed if one.currency == currency), 0)
        if not key or how not in ("rail", "pot") or not name:
            raise Problem("bad_request")
        if micros <= 0:
            return seat.sent_on("/my/wallet")
        if asked := seat.must_prove(micros, "/my/wallet"):
            return asked
        unit = minor_unit(currency)
        size = -(-micros // unit) * unit if how == "rail" else micros
        body: dict[str, Any] = {"amount": {"micros": size, "currency": currency}}
        body["rail" if how == "rail" else "wallet"] = name
        done = seat.ask("pay_arrears", {"member_id": seat.member}, body=body, key=key)
    except DrachmError:
        return seat.page("my_arrears.html", "wallet", 422)
    return seat.sent_on(f"/my/wallet/payments/{done.payment.id}" if done.payment is not None else "/my/wallet")
