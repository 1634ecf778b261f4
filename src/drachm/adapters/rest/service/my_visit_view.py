"""What does one visit say? One number, one pill, one sentence, whoever many charges it has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from markupsafe import Markup

from drachm.adapters.rest.service.charge_views import Charge, ChargeAmounts, Visit, VisitSummary
from drachm.adapters.rest.service.page_bar import Bar, bar_of
from drachm.adapters.rest.service.page_view import Lead, Row
from drachm.adapters.rest.service.page_words import Amount, amount_of, listed, said, shares_said, spelled
from drachm.adapters.rest.service.speech import gettext, ngettext


@dataclass(frozen=True, slots=True)
class VisitCard:
    """The answer card of a visit."""

    id: str
    place: str
    what: str
    """What the care was; empty for a relative, and where there were several kinds."""
    day: str
    lead: Lead
    cost: Amount | None
    bar: Bar | None
    legend: Sequence[Row]
    sentence: Markup
    others: Sequence[Amount]
    """What is asked in other currencies, beside the first."""
    due: Amount | None
    """What can be paid now."""
    parts: int

    @property
    def news(self) -> str:
        """What is said aloud when the card has changed while somebody looks at the page."""
        lead = self.lead
        if lead.amount is None:
            return gettext("Updated. {place}: {word}.").format(place=self.place, word=lead.word)
        text = gettext("Updated. {place}: {word} {amount}. {more}.")
        return text.format(place=self.place, word=lead.word, amount=lead.amount, more=lead.pill)


@dataclass(frozen=True, slots=True)
class VisitPart:
    """One charge inside a visit."""

    what: str
    receipt: str
    amount: Amount | None
    """The patient's part; None where the data were erased."""
    price: Amount | None
    insurance: Amount | None
    bar: Bar | None
    state: str
    """Why it does not count any more, or is not sure; empty for most."""
    counts: bool


def visit_card(visit: VisitSummary, names: Mapping[str, str]) -> VisitCard:
    """The card; `names` says what the providers are called."""
    total = visit.totals[0] if visit.totals else None
    amounts = total.amounts if total else None
    places = [names.get(one, one) for one in visit.providers or []]
    return VisitCard(
        id=visit.id,
        place=listed(places) if places else gettext("A clinic"),
        what=_what(visit) if isinstance(visit, Visit) else "",
        day=spelled(date.fromisoformat(visit.day)),
        lead=_lead(visit, amounts),
        cost=_cost(amounts) if amounts else None,
        bar=_bar(visit, amounts) if amounts else None,
        legend=_legend(visit, amounts) if amounts else [],
        sentence=_sentence(visit, amounts),
        others=[amount_of(one.amounts.patient) for one in visit.totals[1:]],
        due=amount_of(amounts.due) if amounts and amounts.due.micros > 0 and not visit.provisional else None,
        parts=visit.charges,
    )


def visit_parts(visit: Visit) -> list[VisitPart]:
    """The charges of a visit, those that count first."""
    return sorted((_part(charge) for charge in visit.items), key=lambda part: not part.counts)


def _cost(amounts: ChargeAmounts) -> Amount:
    return Amount(amounts.payers.micros + amounts.patient.micros, amounts.patient.currency)


def _lead(visit: VisitSummary, amounts: ChargeAmounts | None) -> Lead:
    if visit.charges == 0:
        return Lead(gettext("Taken back in full"), None, "ok", gettext("Nothing to pay"))
    if amounts is None:
        return Lead(gettext("Erased"), None, "held", gettext("Its details are gone"))
    mine, due, paid = amount_of(amounts.patient), amount_of(amounts.due), amount_of(amounts.paid)
    if visit.provisional:
        return Lead(gettext("Your part so far"), mine, "held", gettext("Your insurer is still checking"))
    if mine.micros == 0:
        insured = amounts.payers.micros > 0
        pill = gettext("Insurance paid all of it") if insured else gettext("Nothing to pay")
        return Lead(gettext("You paid"), mine, "ok", pill)
    if due.micros <= 0 and amounts.no_longer_asked.micros > 0:
        return Lead(gettext("Your part"), mine, "ok", gettext("The clinic no longer asks for this"))
    if due.micros <= 0:
        pill = gettext("Nothing more to pay") if visit.complete else gettext("A part is still being worked out")
        return Lead(gettext("You paid"), mine, "ok" if visit.complete else "held", pill)
    if paid.micros > 0:
        return Lead(gettext("Please pay"), due, "you", gettext("{amount} is paid already").format(amount=paid))
    if amounts.payers.micros == 0 and _denied(visit):
        return Lead(gettext("Please pay"), due, "refused", gettext("Insurance paid nothing"))
    return Lead(gettext("Please pay"), due, "you", gettext("Not paid yet"))


def _denied(visit: VisitSummary) -> bool:
    items = visit.items if isinstance(visit, Visit) else []
    return any(charge.status == "denied" for charge in items if charge.state == "standing")


def _sentence(visit: VisitSummary, amounts: ChargeAmounts | None) -> Markup:
    if visit.charges and amounts is None:
        return said(gettext("The books keep the amounts, without saying whose."))
    if not visit.complete:
        return said(gettext("This is not the whole yet. More may come, and then you see it here."))
    if visit.charges == 0 or amounts is None:
        return said(gettext("The clinic took everything back. What was paid went back to where it came from."))
    back = sum(1 for one in visit.items if one.state == "reversed") if isinstance(visit, Visit) else 0
    if back:
        text = ngettext(
            "{number} part was taken back. You pay nothing for it.",
            "{number} parts were taken back. You pay nothing for them.",
            back,
        )
        return said(text, number=back)
    if visit.provisional:
        return said(gettext("You need to do nothing. We tell you once when it is settled."))
    if amounts.due.micros > 0 and amounts.payers.micros == 0 and _denied(visit):
        return said(gettext("Your insurance did not pay for it. Open “Why this amount?” for the reason."))
    insurance, yours = amount_of(amounts.payers), amount_of(amounts.patient)
    if amounts.due.micros > 0:
        return said(gettext("Insurance paid {insurance}. Your part is {yours}."), insurance=insurance, yours=yours)
    if amounts.patient.micros == 0:
        return said(gettext("The visit cost {cost}. You need to do nothing."), cost=_cost(amounts))
    if amounts.no_longer_asked.micros > 0:
        given_up = amount_of(amounts.no_longer_asked)
        return said(gettext("The clinic no longer asks for {amount} of your part."), amount=given_up)
    return said(gettext("Insurance paid {insurance}. You paid {yours}."), insurance=insurance, yours=yours)


def _shares(visit: VisitSummary, amounts: ChargeAmounts) -> list[tuple[str, int]]:
    waiting = "waiting" if visit.provisional else "insurance"
    return [
        (waiting, amounts.payers.micros),
        ("you", amounts.paid.micros),
        ("left", amounts.no_longer_asked.micros),
        ("due", amounts.due.micros),
    ]


def _bar(visit: VisitSummary, amounts: ChargeAmounts) -> Bar | None:
    cost, shares = _cost(amounts), _shares(visit, amounts)
    if cost.micros <= 0 or any(size < 0 for _, size in shares):
        return None
    return bar_of(shares, shares_said(shares, cost.micros, cost.currency))


def _legend(visit: VisitSummary, amounts: ChargeAmounts) -> list[Row]:
    words = {
        "insurance": gettext("Insurance paid"),
        "waiting": gettext("Insurance is asked"),
        "you": gettext("You paid"),
        "left": gettext("The clinic no longer asks for this"),
        "due": gettext("You still have to pay"),
    }
    currency = amounts.patient.currency
    return [Row(kind, words[kind], Amount(size, currency)) for kind, size in _shares(visit, amounts) if size > 0]


def _what(visit: Visit) -> str:
    names = list(dict.fromkeys(one.display for one in visit.items if one.display and one.state == "standing"))
    return names[0] if len(names) == 1 else ""


def _part(charge: Charge) -> VisitPart:
    amounts = charge.amounts
    states = {
        "reversed": gettext("Taken back. You pay nothing for it."),
        "replaced": gettext("Another line took its place."),
    }
    state = states.get(charge.state, gettext("Your insurer is still checking") if charge.provisional else "")
    if amounts is None:
        return VisitPart(gettext("Erased"), charge.receipt, None, None, None, None, state, charge.state == "standing")
    shares = [
        ("insurance", amounts.payers.micros),
        ("you", amounts.paid.micros),
        ("left", amounts.no_longer_asked.micros),
        ("due", amounts.due.micros),
    ]
    cost = _cost(amounts)
    counts = charge.state == "standing"
    drawn = counts and cost.micros > 0 and all(size >= 0 for _, size in shares)
    return VisitPart(
        what=charge.display or gettext("Care"),
        receipt=charge.receipt,
        amount=amount_of(amounts.patient),
        price=cost,
        insurance=amount_of(amounts.payers),
        bar=bar_of(shares, shares_said(shares, cost.micros, cost.currency)) if drawn else None,
        state=state,
        counts=counts,
    )
