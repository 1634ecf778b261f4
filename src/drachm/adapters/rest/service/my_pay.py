"""How does a patient pay what is due of a visit? One page to choose the wallet, one to check, and then the answer.

Nothing moves before the second page's button. Its key is made with the page, so a double tap pays once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from markupsafe import Markup

from drachm.adapters.rest.identity.decide import Deny
from drachm.adapters.rest.identity.permit import Denied
from drachm.adapters.rest.service.call import Reply
from drachm.adapters.rest.service.care_kinds import kind_said
from drachm.adapters.rest.service.charge_views import Charge, Visit
from drachm.adapters.rest.service.journal_reading import find_charge
from drachm.adapters.rest.service.my_frame import PatientSeat, patient_page
from drachm.adapters.rest.service.my_home import names_of
from drachm.adapters.rest.service.my_visit_view import visit_card
from drachm.adapters.rest.service.my_wallet import shown_pot
from drachm.adapters.rest.service.my_wallet_view import Pot
from drachm.adapters.rest.service.page_words import Amount, listed, said
from drachm.adapters.rest.service.speech import gettext
from drachm.adapters.rest.service.wallets import WalletView
from drachm.application.pay_due import may_pay
from drachm.domain.clearing.pockets import Passed
from drachm.domain.reasons import text_of

_CHOICE: Final = {"visit": "of which visit", "wallet": "from which wallet; left out: in the patient's order"}
_WALLETS: Final = "100"


@dataclass(frozen=True, slots=True)
class Pocket:
    """A wallet of the patient."""

    id: str
    name: str
    held: Amount
    """What this person may surely take from it."""
    why_not: Markup | str = ""
    """Why it may not pay for this care; empty when it may."""


@dataclass(frozen=True, slots=True)
class Bill:
    """What is due of a visit, in one currency."""

    visit: Visit
    charges: Sequence[Charge]
    currency: str
    wallets: Sequence[Pocket]
    """Of this currency, in the patient's order, empty ones too: a second tap finds the one that paid."""
    may: Mapping[str, frozenset[str]]
    """By charge, the wallets that may pay it."""

    @property
    def pockets(self) -> list[Pocket]:
        """Those that hold something and may pay."""
        return [one for one in self.wallets if one.held.micros > 0 and not one.why_not]

    @property
    def closed(self) -> list[Pocket]:
        """Those that hold something and may not."""
        return [one for one in self.wallets if one.held.micros > 0 and one.why_not]

    @property
    def due(self) -> Amount:
        return Amount(sum(_due(charge) for charge in self.charges), self.currency)

    def pocket(self, wallet: str) -> Pocket | None:
        return next((one for one in self.wallets if one.id == wallet), None)

    def parts(self, wallet: str) -> list[tuple[Charge, int]]:
        """What of each charge the chosen wallet can pay, or all of them together in their order."""
        left = {one.id: one.held.micros for one in self.pockets if wallet in ("", one.id)}
        found = []
        for charge in self.charges:
            rest = _due(charge)
            for name in left:
                if name in self.may[charge.id]:
                    taken = min(rest, left[name])
                    left[name] -= taken
                    rest -= taken
            found.append((charge, _due(charge) - rest))
        return found

    def payable(self, wallet: str) -> Amount:
        """How much of it the chosen wallet can pay, or all of them together."""
        return Amount(sum(size for _, size in self.parts(wallet)), self.currency)

    def partly(self, wallet: str) -> bool:
        """Whether the wallet pays for some of the care only, whatever it holds."""
        return any(wallet not in self.may[charge.id] for charge in self.charges)


@patient_page("open_my_pay", query=_CHOICE)
def open_my_pay(seat: PatientSeat) -> Reply:
    """What is due, and from which wallet it is paid."""
    bill = _bill(seat, seat.call.query.get("visit", ""))
    return seat.page("my_pay.html", "home", bill=bill, card=_card(seat, bill))


@patient_page("check_my_pay", query=_CHOICE)
def check_my_pay(seat: PatientSeat) -> Reply:
    """Once more, before anything moves."""
    bill, wallet = _bill(seat, seat.call.query.get("visit", "")), seat.call.query.get("wallet", "")
    return _checked(seat, bill, wallet)


@patient_page("make_my_payment", form=True)
def make_my_payment(seat: PatientSeat) -> Reply:
    """Pay it, and show the visit as it stands since."""
    form = seat.call.form
    bill, wallet, key = _bill(seat, form.get("visit", "")), form.get("wallet", ""), form.get("key", "")
    shown = int(form["amount"]) if form.get("amount", "").isascii() and form.get("amount", "").isdigit() else 0
    rest = min(shown, bill.due.micros)
    if not key or (wallet and bill.pocket(wallet) is None):
        raise Denied(Deny("not_found"), seat.call.operation)
    chosen = urlencode({"visit": bill.visit.id, "wallet": wallet})
    if proof := seat.must_prove(rest, f"/my/pay/check?{chosen}"):
        return proof
    for charge, most in bill.parts(wallet):
        amount = min(rest, most)
        if amount:
            body: dict[str, Any] = {"amount": {"micros": amount, "currency": bill.currency}}
            body["wallets"] = [wallet] if wallet else []
            seat.ask("pay_charge", {"charge_id": charge.id}, body=body, key=f"{key}-{charge.id}")
            rest -= amount
    return seat.sent_on(f"/my/pay/done?{urlencode({'visit': bill.visit.id})}")


@patient_page("open_my_paid", query={"visit": "of which visit"})
def open_my_paid(seat: PatientSeat) -> Reply:
    """The visit after a payment."""
    bill = _bill(seat, seat.call.query.get("visit", ""))
    return seat.page("my_pay_done.html", "home", bill=bill, card=_card(seat, bill))


def wallets_of(seat: PatientSeat) -> list[WalletView]:
    """The person's wallets, in the order in which they are drawn."""
    found: list[WalletView] = seat.ask("list_wallets", query={"limit": _WALLETS}).data
    order = list(seat.ask("get_automatic_payments", {"member_id": seat.member}).order)
    places = {wallet: place for place, wallet in enumerate(order)}
    return sorted(found, key=lambda one: (places.get(one.id, len(order)), one.priority, one.id))


def _bill(seat: PatientSeat, name: str) -> Bill:
    visit: Visit = seat.ask("get_visit", {"visit_id": name})
    if not seat.whose_own(visit.member):
        raise Denied(Deny("not_found"), seat.call.operation)
    open_ = [one for one in visit.items if one.state == "standing" and not one.provisional and _due(one) > 0]
    currency = open_[0].amounts.due.currency if open_ and open_[0].amounts else ""
    charges = [one for one in open_ if one.amounts and one.amounts.due.currency == currency]
    shown = [shown_pot(seat, one, surely=True) for one in wallets_of(seat) if one.currency == currency or not currency]
    may, reasons = _openness(seat, charges)
    wallets = [_pocket(one, may, reasons) for one in shown]
    return Bill(visit, charges, currency, wallets, may)


def _openness(
    seat: PatientSeat, charges: Sequence[Charge]
) -> tuple[dict[str, frozenset[str]], dict[str, Markup | str]]:
    """(by charge the wallets that may pay it, by wallet why one may not pay some of it)."""
    may: dict[str, frozenset[str]] = {}
    reasons: dict[str, Markup | str] = {}
    for charge in charges:
        looked = find_charge(seat.call.market, charge.id)
        assert looked is not None  # it was shown a moment ago
        pots, passed = may_pay(looked.row.key, seat.call.market.desk)
        may[charge.id] = frozenset(pot.fund or pot.id for pot in pots)
        reasons.update({one.pot.fund or one.pot.id: _why_not(one) for one in passed})
    return may, reasons


def _pocket(pot: Pot, may: Mapping[str, frozenset[str]], reasons: Mapping[str, Markup | str]) -> Pocket:
    if not may or any(pot.id in names for names in may.values()):
        return Pocket(pot.id, pot.name, pot.amount)
    return Pocket(pot.id, pot.name, pot.amount, reasons.get(pot.id) or gettext("It does not pay for this care."))


def _why_not(passed: Passed) -> Markup | str:
    """Why a pot may not pay, in words; a published rule also in its own."""
    purpose = passed.pot.purpose
    if passed.reason == "pocket_category" and purpose is not None:
        return said(gettext("It is only for: {kinds}."), kinds=listed([kind_said(one) for one in purpose.categories]))
    if passed.text:
        return said(gettext("Its rules do not allow it: {rule}"), rule=passed.text)
    return gettext(text_of(passed.reason))


def _checked(seat: PatientSeat, bill: Bill, wallet: str) -> Reply:
    pocket = bill.pocket(wallet)
    if wallet and pocket is None:
        raise Denied(Deny("not_found"), seat.call.operation)
    payable = bill.payable(wallet)
    left = Amount(bill.due.micros - payable.micros, bill.currency)
    return seat.page(
        "my_pay_check.html",
        "home",
        bill=bill,
        card=_card(seat, bill),
        pocket=pocket,
        payable=payable,
        left=left,
        key=seat.call.new_id("key"),
    )


def _card(seat: PatientSeat, bill: Bill) -> Any:
    return visit_card(bill.visit, names_of(seat, [bill.visit]))


def _due(charge: Charge) -> int:
    return charge.amounts.due.micros if charge.amounts is not None else 0
