"""What may care cost a patient in a month, and what is paid without asking? Bars, the end of the month, two forms."""

from __future__ import annotations

import hashlib
from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import msgspec
from babel.dates import format_date

from drachm.adapters.rest.service.call import OPERATIONS, Reply
from drachm.adapters.rest.service.care_kinds import kind_said, kinds_to_choose
from drachm.adapters.rest.service.mandates import AutomaticPaymentsView, BudgetsView, BudgetView
from drachm.adapters.rest.service.my_family import name_at_home
from drachm.adapters.rest.service.my_frame import PatientSeat, patient_page
from drachm.adapters.rest.service.my_pay import wallets_of
from drachm.adapters.rest.service.page_bar import Bar, bar_of
from drachm.adapters.rest.service.page_frame import Entry
from drachm.adapters.rest.service.page_words import Amount, amount_of, said, typed
from drachm.adapters.rest.service.pot_budgets import PotBudgetView, tag_of
from drachm.adapters.rest.service.speech import N_, gettext, spoken
from drachm.adapters.rest.service.trouble_words import Trouble, not_done
from drachm.adapters.rest.service.wallet_records import PREFIX
from drachm.adapters.rest.transport.problems import Problem
from drachm.adapters.rest.transport.versions import etag
from drachm.application.pot_budgets import holder_now, pot_budget
from drachm.domain.money import MICROS
from drachm.domain.periods import local_date

OWN: Final = "all"
"""The id of the budget that the page's form writes: for all care."""
TOLD: Final = 5
_CALLS: Final = (
    ("get_wallet_budget", "set_wallet_budget"),
    ("get_wallet_member_budget", "set_wallet_member_budget"),
)
"""Of everybody, and of one member."""
_NO_AMOUNT: Final = N_("This is no amount. Write it like 60 or 60.50.")


@dataclass(frozen=True, slots=True)
class Card:
    """One budget of this month."""

    month: str
    used: Amount
    amount: Amount
    bar: Bar
    days: int
    asks: bool
    kinds: str
    """Of which care; empty for all."""
    id: str
    forecast: tuple[Amount, Amount, Amount] | None
    """Low, likely, high."""
    passed: bool


@patient_page("open_my_budget", entry=Entry("budget", N_("Budget"), "/my/budget", "limit", 45))
def open_my_budget(seat: PatientSeat) -> Reply:
    """Budgets, what was told, and what is paid without asking."""
    return _shown(seat)


@patient_page("set_my_budget", form=True)
def set_my_budget(seat: PatientSeat) -> Reply:
    """Give, change or take away a budget: for all care, or for one kind of it."""
    form, (now, _) = seat.call.form, _budgets(seat)
    kind = form.get("kind", "")
    name = form.get("budget", "") or (_id_of(kind) if kind else OWN)
    kinds = [kind] if kind else []
    others = [_said(one) for one in now.budgets if one.id != name and (one.categories != kinds or not kinds)]
    if form.get("take") == "yes":
        _write(seat, "set_budgets", {"budgets": others})
        return seat.sent_on("/my/budget")
    currency, zone = _money_of(seat, now)
    micros = typed(form.get("amount", ""), currency)
    if micros is None:
        return _shown(seat, not_done(gettext(_NO_AMOUNT), "amount-kind" if kind else "amount"), chosen=kind)
    own = {
        "id": name,
        "amount": {"micros": micros, "currency": currency},
        "zone": zone,
        "categories": kinds,
        "asks": form.get("asks") == "yes",
    }
    _write(seat, "set_budgets", {"budgets": [own, *others]})
    return seat.sent_on("/my/budget")


@patient_page("set_my_pot_budget", form=True)
def set_my_pot_budget(seat: PatientSeat) -> Reply:
    """Give, change or take away the budget of a shared pot that this person holds, or of one member there."""
    form, wallet = seat.call.form, seat.call.path["wallet_id"]
    member = form.get("member", "")
    path = {"wallet_id": wallet, **({"member_id": member} if member else {})}
    read, write = _CALLS[bool(member)]
    reply = OPERATIONS[read].handler(seat.asking(read, path=path))
    now = reply.value
    currency = now.used.currency
    zone = now.zone if now.amount is not None else _money_of(seat, _budgets(seat)[0])[1]
    micros = None if form.get("take") == "yes" else typed(form.get("amount", ""), currency)
    if micros is None and form.get("take") != "yes":
        field = _field(wallet, member, new=bool(member) and now.amount is None)
        return _shown(seat, not_done(gettext(_NO_AMOUNT), field), chosen=member)
    amount = {"micros": micros, "currency": currency} if micros is not None else None
    shape = msgspec.convert({"amount": amount, "zone": zone}, OPERATIONS[write].body)
    # Somebody is chosen from a list of those who have none: no version of theirs was read.
    new = member and now.amount is None
    tag = etag(*reply.tag) if new else form.get("version", "") or '""'
    OPERATIONS[write].handler(seat.asking(write, path=path, body=shape, if_match=tag))
    return seat.sent_on("/my/budget")


@patient_page("set_my_automatic", form=True)
def set_my_automatic(seat: PatientSeat) -> Reply:
    """What is paid without asking: everything, up to an amount for a visit, or nothing. Narrower rules stay."""
    form, (now, _) = seat.call.form, _automatic(seat)
    narrow = [_rule(one) for one in now.rules if one.provider or one.categories]
    how = form.get("how", "")
    if how not in ("all", "some", "none"):
        raise Problem("invalid_body")
    rule: list[dict[str, Any]] = []
    if how != "all":
        currency, _ = _money_of(seat, _budgets(seat)[0])
        micros = 0 if how == "none" else typed(form.get("most", ""), currency)
        if micros is None:
            return _shown(seat, not_done(gettext(_NO_AMOUNT), "most"))
        rule = [{"most": {"micros": micros, "currency": currency}, "per": "visit"}]
    _write(seat, "set_automatic_payments", {"rules": [*narrow, *rule], "order": list(now.order)})
    return seat.sent_on("/my/budget")


def _id_of(kind: str) -> str:
    """The id of the budget for a kind of care: the page has one for each."""
    return f"k{hashlib.sha256(kind.encode()).hexdigest()[:16]}"


def _shown(seat: PatientSeat, trouble: Trouble | None = None, chosen: str = "") -> Reply:
    (budgets, tag), (automatic, _) = _budgets(seat), _automatic(seat)
    currency, _ = _money_of(seat, budgets)
    member = {"member_id": seat.member}
    newest = seat.ask("list_notices", member, {"order": "newest", "limit": "100"}).data
    steps = [one for one in newest if one.what == "budget_step"][:TOLD][::-1]
    own = next((one for one in budgets.budgets if one.id == OWN), None)
    rule = next((one for one in automatic.rules if not one.provider and not one.categories), None)
    how = "all" if rule is None or rule.most is None else ("some" if rule.most.micros else "none")
    most = _plain(rule.most.micros) if rule and rule.most and rule.most.micros else ""
    if trouble and trouble.field == "most":
        how, most = seat.call.form["how"], seat.call.form.get("most", "")
    parties = seat.call.market.register.parties(ids=[one.provider for one in automatic.stops])
    return seat.page(
        "my_budget.html",
        "budget",
        cards=[_card(seat, one) for one in budgets.budgets],
        pots=_pots(seat),
        own=own,
        amount=_plain(own.amount.micros) if own else "",
        currency=currency,
        how=how,
        most=most,
        stops=[party.name or party.id for party in parties],
        told=[
            (
                f"{one.percent}",
                _month(one.month),
                amount_of(one.amount),
                one.budget.startswith(PREFIX),
                name_at_home(seat, one.member) if one.member else "",
            )
            for one in steps
        ],
        version=tag,
        trouble=trouble,
        chosen=chosen,
        kinds=kinds_to_choose([word for one in budgets.budgets for word in one.categories]),
        typed=seat.call.form.get("amount", ""),
    )


@dataclass(frozen=True, slots=True)
class Budgeted:
    """A shared pot that this person holds, or one member there."""

    id: str
    name: str
    """Of the member."""
    version: str
    typed: str
    """The budget, as a person would type it."""
    field: str
    """Id of the field for it."""
    card: Card | None


@dataclass(frozen=True, slots=True)
class SharedPot:
    """A shared pot that this person holds."""

    currency: str
    whole: Budgeted
    people: list[Budgeted]
    """Members who have a budget."""
    others: list[tuple[str, str]]
    """(id, name) of members who have none."""
    field: str
    """Id of the field for the budget of one of them."""


def _pots(seat: PatientSeat) -> list[SharedPot]:
    records = seat.call.market.records
    held = [one for one in wallets_of(seat) if one.shared and holder_now(one.id, records) == seat.member]
    return [_pot(seat, one.id, one.currency) for one in held]


def _pot(seat: PatientSeat, wallet: str, currency: str) -> SharedPot:
    path, records = {"wallet_id": wallet}, seat.call.market.records
    budgets = {one.member or "": one for one in seat.ask("list_wallet_budgets", path).data}
    inside = {one.member: name_at_home(seat, one.member) for one in seat.ask("list_wallet_members", path).data}

    def shown(member: str) -> Budgeted:
        one, tag = budgets.get(member), tag_of(wallet, member, pot_budget(wallet, records, member)[1])
        card, text = (_card(seat, one), _plain(one.amount.micros)) if one is not None else (None, "")
        return Budgeted(member or wallet, inside.get(member, ""), etag(*tag), text, _field(wallet, member), card)

    # Who is alone in a pot has its own budget for that.
    others = [(member, name) for member, name in inside.items() if member not in budgets and len(inside) > 1]
    people = [shown(member) for member in sorted(budgets) if member]
    return SharedPot(currency, shown(""), people, others, _field(wallet, "", new=True))


def _field(wallet: str, member: str, new: bool = False) -> str:
    """Id of a field on the page: of a pot's budget, of a member's, or of the one for a member who has none yet."""
    whose = "new" if new else hashlib.sha256(member.encode()).hexdigest()[:16] if member else "all"
    return f"amount-{wallet}-{whose}"


def _card(seat: PatientSeat, one: BudgetView | PotBudgetView) -> Card:
    assert one.amount is not None  # asked by the caller
    used, amount = amount_of(one.used), amount_of(one.amount)
    own = one if isinstance(one, BudgetView) else None
    words = str(said(gettext("{used} of {amount} is used."), used=str(used), amount=str(amount)))
    left = max(0, amount.micros - used.micros)
    shares = [("you", min(used.micros, max(amount.micros, 1))), ("left", left)]
    today = local_date(seat.call.at, one.zone)
    ahead = one.forecast
    return Card(
        month=_month(one.month),
        used=used,
        amount=amount,
        bar=bar_of(shares if used.micros or left else [("left", 1)], words),
        days=monthrange(today.year, today.month)[1] - today.day,
        asks=own is not None and own.asks,
        kinds=", ".join(map(kind_said, own.categories)) if own is not None else "",
        id=own.id if own is not None else "",
        forecast=(amount_of(ahead.low), amount_of(ahead.likely), amount_of(ahead.high)) if ahead else None,
        passed=used.micros >= amount.micros,
    )


def _budgets(seat: PatientSeat) -> tuple[BudgetsView, str]:
    return _read(seat, "get_budgets")


def _automatic(seat: PatientSeat) -> tuple[AutomaticPaymentsView, str]:
    return _read(seat, "get_automatic_payments")


def _read(seat: PatientSeat, name: str) -> tuple[Any, str]:
    """What the interface says, with its tag."""
    reply = OPERATIONS[name].handler(seat.asking(name, path={"member_id": seat.member}))
    return reply.value, etag(*reply.tag)


def _write(seat: PatientSeat, name: str, body: Mapping[str, Any]) -> None:
    """Write it in the version that the form was made from."""
    shape = msgspec.convert(body, OPERATIONS[name].body)
    member, tag = {"member_id": seat.member}, seat.call.form.get("version", "") or '""'
    OPERATIONS[name].handler(seat.asking(name, path=member, body=shape, if_match=tag))


def _money_of(seat: PatientSeat, budgets: BudgetsView) -> tuple[str, str]:
    """Currency and calendar of a person's budget: as they are, else of the first wallet and of the newest visit."""
    for one in budgets.budgets:
        return one.amount.currency, one.zone
    wallets = wallets_of(seat)
    visits = seat.ask("list_visits", query={"limit": "1", "member": seat.member}).data
    parties = seat.call.market.register.parties(ids=visits[0].providers or []) if visits else []
    currency = (
        wallets[0].currency if wallets else (visits[0].totals[0].currency if visits and visits[0].totals else "USD")
    )
    return currency, parties[0].zone if parties else "UTC"


def _said(one: BudgetView) -> dict[str, Any]:
    amount = {"micros": one.amount.micros, "currency": one.amount.currency}
    return {"id": one.id, "amount": amount, "zone": one.zone, "categories": one.categories, "asks": one.asks}


def _rule(one: Any) -> dict[str, Any]:
    return dict(msgspec.to_builtins(one))


def _month(text: str) -> str:
    """A month's name and year."""
    year, month = text.split("-")
    return format_date(date(int(year), int(month), 1), "LLLL y", spoken().locale)


def _plain(micros: int) -> str:
    """An amount as a person would type it."""
    whole, part = divmod(micros, MICROS)
    return f"{whole}.{part:06d}".rstrip("0").rstrip(".") if part else str(whole)
