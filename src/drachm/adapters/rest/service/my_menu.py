"""What would care cost me, and where? Services with a price, the own share of each, and who gives it for how much.

What somebody looks for is health data: it travels in forms, never in an address. What a page said is kept, so that the
visit that follows can be held against it (`my_told.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from drachm.adapters.rest.service.call import Reply
from drachm.adapters.rest.service.my_frame import PatientSeat, patient_page
from drachm.adapters.rest.service.my_told import keep_told
from drachm.adapters.rest.service.page_bar import Bar, bar_of
from drachm.adapters.rest.service.page_frame import Entry
from drachm.adapters.rest.service.page_words import Amount, shares_said
from drachm.adapters.rest.service.speech import N_, gettext
from drachm.adapters.rest.service.trouble_words import Trouble, not_done
from drachm.adapters.rest.transport.values import write_instant
from drachm.application.menu import Offer, matching, offers

SHOWN: Final = 8
"""Services on one page: each is estimated as the line that clears real events would decide it."""
COMPARED: Final = 8


@dataclass(frozen=True, slots=True)
class Quote:
    """One service at one provider."""

    name: str
    """Of the service, or of the provider where one service is compared."""
    key: str
    providers: int
    mine: Amount | None
    """None: nobody can say yet, for `why` it names."""
    price: Amount | None
    bar: Bar | None
    why: str


@patient_page("open_my_menu", entry=Entry("menu", N_("Before you go"), "/my/menu", "menu", 30))
def open_my_menu(seat: PatientSeat) -> Reply:
    """The first services by name, and a form to look for others."""
    return _menu(seat, "")


@patient_page("search_my_menu", form=True)
def search_my_menu(seat: PatientSeat) -> Reply:
    """Services by words of their name."""
    return _menu(seat, seat.call.form.get("words", "").strip()[:100])


@patient_page("open_my_estimate", form=True)
def open_my_estimate(seat: PatientSeat) -> Reply:
    """One service: who gives it, at which price, and the own share of it."""
    asked = seat.call.form.get("service", "")
    offer = next((one for one in _offers(seat) if one.service.key == asked), None)
    if offer is None:
        return _menu(seat, "", not_done(gettext("This service has no price here any more.")))
    chosen = offer.providers[:COMPARED]
    names = {party.id: party.name or party.id for party in seat.call.market.register.parties(ids=chosen)}
    answers = _estimates(seat, [(offer, provider) for provider in chosen])
    dearest = max((_price(answer) for answer in answers), default=0)
    quotes = [
        _quote(answer, names.get(provider, provider), offer, dearest)
        for provider, answer in zip(chosen, answers, strict=True)
    ]
    for provider, quote in zip(chosen, quotes, strict=True):
        if quote.mine is not None and quote.price is not None:
            keep_told(seat.call, seat.member, provider, offer.service.key, quote.mine, quote.price)
    known = sorted(quotes, key=lambda one: (one.mine is None, one.mine.micros if one.mine else 0))
    return seat.page(
        "my_estimate.html", "menu", service=offer.service.name, quotes=known, more=len(offer.providers) - len(chosen)
    )


def _menu(seat: PatientSeat, words: str, trouble: Trouble | None = None) -> Reply:
    found = matching(_offers(seat), words)
    shown = found[:SHOWN]
    answers = _estimates(seat, [(one, one.providers[0]) for one in shown])
    quotes = [_quote(answer, one.service.name, one, 0) for one, answer in zip(shown, answers, strict=True)]
    return seat.page("my_menu.html", "menu", quotes=quotes, words=words, more=len(found) - len(shown), trouble=trouble)


def _offers(seat: PatientSeat) -> list[Offer]:
    market, day = seat.call.market, seat.call.at.date()
    covers = market.register.coverages(of=seat.member)
    by_plan = market.register.payers()
    payers = {payer for cover in covers for payer in by_plan.get(cover.plan, ())}
    return offers(market.register, market.money, payers, day) if seat.own else []


def _estimates(seat: PatientSeat, asked: Sequence[tuple[Offer, str]]) -> list[Any]:
    """What the line that clears real events would answer; nothing is posted."""
    if not asked:
        return []
    events = [
        {
            "source": "menu",
            "event_id": str(number),
            "kind": "charge",
            "member": seat.member,
            "code": {"system": offer.service.system, "value": offer.service.code},
            "currency": offer.service.currency,
            "started_at": write_instant(seat.call.at),
            "billing_party": provider,
            # Each alone: one service does not use up the limits of the next.
            "visit": f"menu-{number}",
        }
        for number, (offer, provider) in enumerate(asked)
    ]
    return [seat.ask("create_estimate", body={"events": [event]}).events[0] for event in events]


def _price(answer: Any) -> int:
    return answer.amounts.payers.micros + answer.amounts.patient.micros if answer.amounts else 0


def _quote(answer: Any, name: str, offer: Offer, dearest: int) -> Quote:
    if answer.amounts is None:
        why = gettext("Its price is not known yet. Ask there.")
        return Quote(name, offer.service.key, len(offer.providers), None, None, None, why)
    amounts, currency = answer.amounts, answer.amounts.patient.currency
    price = _price(answer)
    shares = [("insurance", amounts.payers.micros), ("you", amounts.patient.micros), ("left", max(0, dearest - price))]
    drawn = dearest > 0 and all(size >= 0 for _, size in shares)
    bar = bar_of(shares, shares_said(shares[:2], price, currency)) if drawn else None
    mine = Amount(amounts.patient.micros, currency)
    return Quote(name, offer.service.key, len(offer.providers), mine, Amount(price, currency), bar, "")
