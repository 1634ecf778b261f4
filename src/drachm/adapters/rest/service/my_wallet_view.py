"""What does a patient read of a pot? Its name, what is in it, and in a sentence each what it is for and until when."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from markupsafe import Markup

from drachm.adapters.rest.service.page_words import Amount, amount_of, said
from drachm.adapters.rest.service.speech import N_, gettext, short_day

_KINDS: Final = {
    "wallet": (N_("Cash"), "wallet"),
    "cash": (N_("Cash"), "wallet"),
    "gift": (N_("Gift"), "gift"),
    "assistance": (N_("Help fund"), "gift"),
    "health_only": (N_("For health only"), "gift"),
    "family": (N_("Family pot"), "family"),
    "health_savings": (N_("Health savings"), "bank"),
    "flexible_spending": (N_("Flexible spending"), "bank"),
    "personal_account": (N_("Insurer savings"), "bank"),
}
_OTHER: Final = (N_("Pot"), "wallet")
_ENTRIES: Final = {
    "top_up": N_("Money in"),
    "charge": N_("Care"),
    "reversal": N_("Care taken back"),
    "replacement": N_("Care corrected"),
    "revision": N_("Care"),
    "hold": N_("Set aside for care"),
    "capture": N_("Care, from what was set aside"),
    "release": N_("Free again"),
    "expiry": N_("Went back to whoever gave it"),
    "transfer": N_("Paid out"),
}


@dataclass(frozen=True, slots=True)
class Pot:
    """A pot on a page."""

    id: str
    name: str
    icon: str
    amount: Amount
    """What may be spent of it."""
    rules: Sequence[str | Markup]
    own: bool
    """The holder's own money, for any care: it may be topped up here."""


@dataclass(frozen=True, slots=True)
class Line:
    """One entry on a page."""

    day: str
    words: str
    amount: Amount


def kind_words(wallet: Any) -> str:
    """What a wallet is called by its kind."""
    return gettext(_kind(wallet)[0])


def _kind(wallet: Any) -> tuple[str, str]:
    return _KINDS.get("family" if wallet.shared and wallet.family else wallet.pocket, _OTHER)


def pot_of(wallet: Any, at: datetime, funder: Callable[[str], str], left: int | None = None) -> Pot:
    """A wallet as the interface tells it; `left`: what this member may still take of a shared one, in micros."""
    label, icon = _kind(wallet)
    currency, there = wallet.currency, int(wallet.available.micros)
    amount = Amount(there if left is None else min(there, left), currency)
    given = bool(wallet.funder) and not wallet.shared
    plain = not (given or wallet.shared or wallet.categories or wallet.expense_rules)
    return Pot(wallet.id, gettext(label), icon, amount, list(_rules(wallet, at, funder, left)), plain)


def usable(pots: Sequence[Pot]) -> list[Amount]:
    """What may be spent on any care, by currency, the largest first: own pots only."""
    sums: dict[str, int] = {}
    for pot in pots:
        if pot.own:
            sums[pot.amount.currency] = sums.get(pot.amount.currency, 0) + pot.amount.micros
    found = [Amount(micros, currency) for currency, micros in sums.items()]
    return sorted(found, key=lambda one: (-one.micros, one.currency))


def line_of(entry: Any) -> Line:
    """An entry; what comes in stands above 0 here, as people read it."""
    words = gettext(_ENTRIES.get(entry.kind, _ENTRIES["charge"]))
    amount = Amount(-int(entry.amount.micros), entry.amount.currency)
    return Line(short_day(entry.posted_at.date()), words, amount)


def _rules(wallet: Any, at: datetime, funder: Callable[[str], str], left: int | None) -> list[str | Markup]:
    found: list[str | Markup] = []
    if wallet.expires_at is not None and at >= wallet.expires_at:
        found.append(gettext("Its time is over."))
    elif wallet.categories:
        kinds = ", ".join(one.replace("_", " ") for one in wallet.categories)
        found.append(said(gettext("Only for: {kinds}."), kinds=kinds))
    elif wallet.expense_rules:
        found.append(gettext("Only for care that its rules allow."))
    else:
        found.append(gettext("Any care."))
    if wallet.expires_at is not None and at < wallet.expires_at:
        found.append(said(gettext("For care before {day}."), day=short_day(wallet.expires_at.date())))
    if wallet.returns_at is not None and wallet.funder:
        name = funder(wallet.funder)
        day = short_day(wallet.returns_at.date())
        found.append(said(gettext("What is left on {day} goes back to {name}."), day=day, name=name))
    elif wallet.funder:
        found.append(said(gettext("From {name}."), name=funder(wallet.funder)))
    if wallet.shared:
        shared = (
            gettext("You share it. This is what you may still take.") if left is not None else gettext("You share it.")
        )
        found.append(shared)
    if int(wallet.held.micros):
        held = amount_of(wallet.held)
        found.append(said(gettext("{amount} more is set aside for care."), amount=held))
    return found


def least_left(limits: Sequence[Any], *, surely: bool = False) -> int | None:
    """What the narrowest limit leaves, in micros; None where there is none. Limits of some categories are left out,
    unless it is asked what may `surely` be taken, whatever the care is."""
    left = [int(one.left.micros) for one in limits if surely or not one.categories]
    return min(left) if left else None


RAILS: Final[Mapping[str, str]] = {
    "stripe": N_("Card"),
    "alipay": N_("Alipay"),
    "wechat": N_("WeChat Pay"),
    "bank": N_("Bank transfer"),
}
