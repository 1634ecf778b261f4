"""The patient's money: what can be spent now, the pots in their order, and more money in.

A top-up is asked of its rail only after the page has said what a dear fee takes; the payer then goes to the rail by a
link of ours, because no page of ours takes a card.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from drachm.adapters.rest.service.asking import trouble_of
from drachm.adapters.rest.service.browser_session import new_secret
from drachm.adapters.rest.service.call import OPERATIONS, Reply
from drachm.adapters.rest.service.engine_words import in_words
from drachm.adapters.rest.service.fees import FeeView, fee_of
from drachm.adapters.rest.service.forms import key_of
from drachm.adapters.rest.service.my_arrears import owed_of
from drachm.adapters.rest.service.my_frame import PatientSeat, patient_page
from drachm.adapters.rest.service.my_live import live, watched
from drachm.adapters.rest.service.my_wallet_view import RAILS, Pot, least_left, line_of, pot_of, usable
from drachm.adapters.rest.service.page_frame import Entry
from drachm.adapters.rest.service.page_words import Amount, amount_of, said, typed
from drachm.adapters.rest.service.shapes import money
from drachm.adapters.rest.service.speech import N_, gettext, short_day, spoken
from drachm.adapters.rest.service.trouble_words import Trouble, not_done
from drachm.adapters.rest.transport.problems import Problem
from drachm.adapters.rest.transport.versions import etag
from drachm.application.money_reading import Purse
from drachm.domain.errors import DrachmError, InvalidMessage
from drachm.domain.funding.model import drawing_order
from drachm.domain.payments.tariff import percent_of

_RULE: Final = {"below": "below", "amount": "each", "month_cap": "most"}
"""The amounts of a rule, each with the id of its field."""
_NEWEST: Final = {"order": "newest", "limit": "100"}
LATE: Final = 5
"""Payments by themselves that the page lists."""
_WALLETS_MAX: Final = "100"
_STATES: Final = {
    "planned": (N_("We are asking for it"), N_("Look again in a minute. You will not pay twice.")),
    "unknown": (N_("We are asking for it"), N_("Look again in a minute. You will not pay twice.")),
    "waiting": (N_("Now it is your turn"), N_("Nothing is paid yet.")),
    "captured": (N_("The money is in your wallet"), N_("You can use it now.")),
    "declined": (N_("This was not paid"), N_("No money was taken. You can try another way.")),
    "expired": (N_("The time for this is over"), N_("No money was taken. You can begin again.")),
    "returned": (N_("This payment went back"), N_("Ask us for help: something has to be put right.")),
}


@patient_page("open_my_wallet", entry=Entry("wallet", N_("Wallet"), "/my/wallet", "wallet", 40))
def open_my_wallet(seat: PatientSeat) -> Reply:
    """What can be spent now, and the pots in the order in which care is paid from them."""
    pots = _pots(seat)
    own = next((pot for pot in pots if pot.own), None)
    sums = usable(pots)
    return seat.page(
        "my_wallet.html",
        "wallet",
        pots=pots,
        sums=sums,
        own=own,
        debts=owed_of(seat, pots),
        late=_paid_late(seat),
        can_pay=bool(_rails(seat)),
        live=live(seat, "wallet", _sizes(pots)),
        news=gettext("Updated. You can use {amount} now.").format(amount=sums[0]) if sums else "",
    )


@patient_page("open_my_pot")
def open_my_pot(seat: PatientSeat) -> Reply:
    """One pot: its rules, what went in and out, and more money in."""
    return _pot_page(seat)


@patient_page("top_up_my_pot", form=True)
def top_up_my_pot(seat: PatientSeat) -> Reply:
    """Ask a rail for money, after a word about a dear fee. The page's own key makes two taps one payment."""
    form, wallet = seat.call.form, _wallet(seat)
    rail, key = form.get("rail", ""), key_of(form)
    try:
        if not key or rail not in _rails(seat):
            raise Problem("bad_request")
        size = _size(form, "amount", wallet.currency)
        fee = fee_of(seat.call, rail, size, wallet.currency)
        if fee is not None and form.get("sure") != str(size):
            return _pot_page(seat, fee=fee, size=size)
        body = {"amount": {"micros": size, "currency": wallet.currency}, "rail": rail}
        paid = seat.ask("begin_payment", {"wallet_id": wallet.id}, body=body, key=key)
    except DrachmError as error:
        return _pot_page(seat, trouble=_told(error, seat, {"amount": "amount"}), at="top-up")
    return seat.sent_on(f"/my/wallet/payments/{paid.id}")


@patient_page("pay_out_my_pot", form=True)
def pay_out_my_pot(seat: PatientSeat) -> Reply:
    """Send what is left back the way it came in. A large amount asks once more who is there."""
    form, wallet = seat.call.form, _wallet(seat)
    key = key_of(form)
    try:
        if not key:
            raise Problem("bad_request")
        size = _size(form, "amount", wallet.currency)
        asked = seat.must_prove(size, f"/my/wallet/pots/{wallet.id}")
        if asked is not None:
            return asked
        body = {"amount": {"micros": size, "currency": wallet.currency}}
        done = seat.ask("begin_payout", {"wallet_id": wallet.id}, body=body, key=key)
    except DrachmError as error:
        return _pot_page(seat, trouble=_told(error, seat, {"amount": "out"}), at="pay-out")
    return _pot_page(seat, sent=(Amount(size - int(done.rest.micros), wallet.currency), amount_of(done.rest)))


@patient_page("open_my_payment")
def open_my_payment(seat: PatientSeat) -> Reply:
    """How a payment stands, and where its payer goes."""
    paid = seat.ask("get_payment", {"payment_id": seat.call.path["payment_id"]})
    title, text = _STATES[paid.state]
    link = paid.link or ""
    waits = paid.state == "waiting"
    account, _, reference = link.partition(" ")
    return seat.page(
        "my_wallet_payment.html",
        "wallet",
        paid=paid,
        title=gettext(title),
        text=gettext(text),
        amount=amount_of(paid.amount),
        rail=gettext(RAILS.get(paid.rail, N_("Pay"))),
        link=link if waits and link.startswith("https://") else "",
        transfer=(account, reference) if waits and paid.rail == "bank" else None,
        asking=paid.state in ("planned", "unknown"),
    )


@patient_page("set_my_top_up_rule", form=True)
def set_my_top_up_rule(seat: PatientSeat) -> Reply:
    """Give, change or switch off the rule by which a pot tops itself up."""
    form, wallet = seat.call.form, _wallet(seat)
    rule = _rule(seat, wallet.id)
    before, version = (rule.value, str(rule.tag[1])) if rule is not None and rule.tag else (None, "")
    try:
        if form.get("do") == "off" and before is not None:
            amounts = {name: getattr(before, name) for name in _RULE}
            rail, on = before.rail, False
        else:
            amounts = {name: money(_size(form, name, wallet.currency), wallet.currency) for name in _RULE}
            rail, on = form.get("rail", ""), True
        body = {name: {"micros": one.micros, "currency": one.currency} for name, one in amounts.items()}
        order = {**body, "rail": rail, "zone": before.zone if before is not None else "UTC", "on": on}
        read = form.get("version", "")
        path = {"wallet_id": wallet.id}
        _put_rule(seat, path, order, etag(wallet.id, read) if version else None)
    except DrachmError as error:
        return _pot_page(seat, trouble=_told(error, seat, _RULE), at="rule")
    return seat.sent_on(f"/my/wallet/pots/{wallet.id}")


def _pot_page(
    seat: PatientSeat,
    *,
    trouble: Trouble | None = None,
    at: str = "",
    fee: FeeView | None = None,
    size: int = 0,
    sent: tuple[Amount, Amount] | None = None,
) -> Reply:
    wallet = _wallet(seat)
    pot = shown_pot(seat, wallet)
    entries = seat.ask("list_wallet_entries", {"wallet_id": wallet.id}, query={"limit": "20"}).data
    rails = [(name, gettext(RAILS.get(name, N_("Pay")))) for name in _rails(seat)] if pot.own else []
    holder = seat.whose_own(wallet.member or "")
    rule = _rule(seat, wallet.id) if pot.own and holder else None
    form = seat.call.form
    said_before = {name: form.get(name, "") for name in ("rail", "below", "month_cap")}
    typed_at = {"amount": at == "top-up" or fee, "out": at == "pay-out", "each": at == "rule"}
    said_before |= {field: form.get("amount", "") if here else "" for field, here in typed_at.items()}
    return seat.page(
        "my_wallet_pot.html",
        "wallet",
        pot=pot,
        lines=[line_of(one) for one in entries],
        rails=rails,
        fee=_fee_words(fee),
        size=size,
        paying=Amount(size, wallet.currency) if fee is not None else None,
        rule=rule.value if rule is not None else None,
        version=rule.tag[1] if rule is not None and rule.tag else "",
        rule_amounts={name: amount_of(getattr(rule.value, name)) for name in _RULE} if rule is not None else {},
        can_pay_out=pot.own and holder and pot.amount.micros > 0,
        sent=sent,
        can_rule=pot.own and holder and bool(rails),
        currency=wallet.currency,
        key=key_of(seat.call.form) or new_secret() if at == "top-up" or fee else new_secret(),
        key_out=key_of(seat.call.form) or new_secret() if at == "pay-out" else new_secret(),
        form=said_before,
        trouble=trouble,
        at=at,
    )


@watched("wallet")
def _amounts(seat: PatientSeat) -> object:
    return _sizes(_pots(seat))


def _sizes(pots: list[Pot]) -> list[tuple[str, int, str]]:
    return [(pot.id, pot.amount.micros, pot.amount.currency) for pot in pots]


def _pots(seat: PatientSeat) -> list[Pot]:
    """The member's pots, in the order in which they are drawn."""
    if not seat.member:
        return []
    mandate = seat.call.market.register.mandate(seat.member)
    found = seat.ask("list_wallets", query={"limit": _WALLETS_MAX}).data
    here = {purse.pot.id: purse for purse in seat.call.market.money.purses(ids=[one.id for one in found])}
    mine = [one for one in found if one.id in here and (one.member == seat.member or _draws_on(seat, one))]
    mine.sort(key=lambda one: (mandate.place(one.id), *_drawn(here[one.id])))
    return [shown_pot(seat, one) for one in mine]


@dataclass(frozen=True, slots=True)
class PaidLate:
    """Something of a visit that was paid by itself when money came."""

    amount: Amount
    day: str
    receipt: str


def _paid_late(seat: PatientSeat) -> list[PaidLate]:
    """The last payments by themselves of the person's own care, the newest first; nothing for who looks for another."""
    if not seat.whose_own(seat.member):
        return []
    told = [
        one for one in seat.ask("list_notices", {"member_id": seat.member}, _NEWEST).data if one.what == "paid_late"
    ]
    days = [short_day(date.fromisoformat(one.day)) for one in told]
    found = [PaidLate(amount_of(one.paid), day, one.receipt) for one, day in zip(told, days, strict=True)]
    return found[:LATE]


def _drawn(purse: Purse) -> tuple[Any, ...]:
    return drawing_order(purse.pot)


def _draws_on(seat: PatientSeat, wallet: Any) -> bool:
    return bool(wallet.shared) and any(one.member == seat.member for one in _members(seat, wallet))


def _members(seat: PatientSeat, wallet: Any) -> list[Any]:
    try:
        return list(seat.ask("list_wallet_members", {"wallet_id": wallet.id}).data)
    except DrachmError:
        return []


def shown_pot(seat: PatientSeat, wallet: Any, *, surely: bool = False) -> Pot:
    """A wallet as this person may use it; `surely`: what it holds for any care at all."""
    left = None
    if wallet.shared:
        mine = [one for one in _members(seat, wallet) if one.member == seat.member]
        left = least_left(mine[0].limits, surely=surely) if mine else None
        left = 0 if mine and mine[0].paused else left
    return pot_of(wallet, seat.call.at, lambda party: _name(seat, party), left)


def _name(seat: PatientSeat, party: str) -> str:
    try:
        return str(seat.ask("get_party", {"party_id": party}).name) or party
    except DrachmError:
        return party


def _wallet(seat: PatientSeat) -> Any:
    return seat.ask("get_wallet", {"wallet_id": seat.call.path["wallet_id"]})


def _rails(seat: PatientSeat) -> list[str]:
    """Rails by which somebody can pay from here, in a fixed order."""
    return [name for name in RAILS if name in seat.call.market.rails]


def _rule(seat: PatientSeat, wallet: str) -> Reply | None:
    """The rule with its version; None where there is none."""
    asking = seat.asking("get_automatic_top_up", path={"wallet_id": wallet})
    try:
        found = OPERATIONS["get_automatic_top_up"].handler(asking)
    except Problem as error:
        if error.code != "not_found":
            raise
        return None
    return found if isinstance(found, Reply) else None


def _put_rule(seat: PatientSeat, path: dict[str, str], order: dict[str, Any], if_match: str | None) -> None:
    seated = PatientSeat(seat.asking("set_automatic_top_up", if_match=if_match), seat.session)
    seated.ask("set_automatic_top_up", path, body=order)


def _size(form: Mapping[str, str], name: str, currency: str) -> int:
    """An amount that somebody typed, in micros: more than nothing."""
    size = typed(form.get(name, ""), currency)
    if not size:
        raise InvalidMessage(gettext("Write an amount in digits, such as 25."), where=name)
    return size


def _fee_words(fee: FeeView | None) -> dict[str, Any] | None:
    if fee is None:
        return None
    part = percent_of(fee.share_ppm)
    takes = said(gettext("The fee takes {part} of this payment: {fee}."), part=part, fee=amount_of(fee.amount))
    worth = fee.worthwhile_from
    better = said(gettext("From {amount} on, it takes at most a twentieth."), amount=amount_of(worth)) if worth else ""
    return {"takes": takes, "better": better}


def _told(error: DrachmError, seat: PatientSeat, fields: Mapping[str, str]) -> Trouble:
    """Why not, in words for the page; what only programs understand stays out. `fields`: name -> id on the page."""
    if isinstance(error, InvalidMessage) and error.where in fields:
        told = error.message if spoken().code == "en" else in_words(error.message)
        if told is not None:
            return not_done(told, fields[error.where])
    status = trouble_of(error, seat.call).status
    if status == 503:
        return not_done(gettext("This way to pay does not work just now. Try another one, or later."))
    if status == 412:
        return not_done(gettext("The rule was changed meanwhile. Look at it, then send it again."))
    return not_done(gettext("This did not go through, and no money was taken. Look at what you wrote."))
