"""How do a charge and a visit look from outside?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from drachm.adapters.rest.service.journal_reading import instant, name_of, visit_name
from drachm.adapters.rest.service.shapes import Currency, Day, Instant, Money, View, money
from drachm.application.journal_index import Looked
from drachm.application.shown_receipts import Shown
from drachm.domain.funding.arrange import FundingPlan
from drachm.domain.ledger.model import EntryKind
from drachm.domain.receipts.issue import sentence
from drachm.domain.receipts.model import Receipt

State = Literal["standing", "replaced", "reversed"]


class Service(View):
    """What was done, in a code system."""

    system: str
    value: str


class PayerPart(View):
    """What one payer pays."""

    party: str
    amount: Money


class Waits(View):
    """What of an amount waits for the patient's yes: a pocket could pay it."""

    amount: Money
    because: Literal["budget", "rule", "question"]
    """A budget asks before it is passed; a rule of automatic payment; a question about this provider is open."""


class ChargeAmounts(View):
    """billed = agreed_cut + payers + patient; patient = paid + no_longer_asked + due."""

    billed: Money
    allowed: Money
    agreed_cut: Money
    """Billed, but asked of nobody: the provider bears it."""
    payers: Money
    patient: Money
    paid: Money
    """What pockets of the patient have paid."""
    no_longer_asked: Money
    """What the provider has given up of the patient's part."""
    due: Money
    """Still asked of the patient."""


class Charge(View):
    """One charge as it stands now."""

    id: str
    event: str
    receipt: str
    visit: str
    status: Literal["posted", "denied"]
    state: State
    """`standing`, or taken back as a whole (`reversed`), or another charge stands in its place (`replaced`)."""
    revision: int
    member: str
    day: Day
    posted_at: Instant
    provisional: bool
    """An outside payer has not said its last word."""
    provider: str | None
    """Null for relatives, who see amounts only; so are service and display."""
    service: Service | None
    display: str | None
    amounts: ChargeAmounts | None
    """Null when the patient's data were erased."""
    by_payer: list[PayerPart]
    waits: Waits | None
    """What of the due waits for the patient's yes; null for everybody but the patient."""


class VisitTotal(View):
    """The sums of a visit's standing charges in one currency; they add up as those of a charge do."""

    currency: Currency
    amounts: ChargeAmounts
    charges: int


class VisitSummary(View):
    """One visit: many charges, one answer to the patient."""

    id: str
    member: str
    day: Day
    """First service day."""
    until: Day
    """Last service day."""
    answer: str
    """What is asked of the patient in the end, in a sentence."""
    charges: int
    """Charges that stand."""
    totals: list[VisitTotal]
    complete: bool
    """False when the sums are not the whole: a charge was erased, a line still waits, or there are thousands."""
    provisional: bool
    """An outside payer has not said its last word about one of the charges."""
    providers: list[str] | None
    """Null for relatives."""


class Visit(VisitSummary):
    """One visit with its charges, also those that no longer stand."""

    items: list[Charge]


def charge_of(looked: Looked, shown: Shown | None, *, whole: bool, own: bool = False) -> Charge:
    """A charge; `whole`: also where it was and for what; `own`: also what waits for the patient's yes."""
    row = looked.row
    receipt = shown.receipt if shown else None
    event = shown.recalled.body.event if shown else None
    return Charge(
        id=name_of(row, "chg"),
        event=name_of(row, "evt"),
        receipt=name_of(row, "rcp"),
        visit=visit_name(row.visit),
        status="denied" if row.status == "denied" else "posted",
        state=state_of(looked),
        revision=row.revision,
        member=row.member,
        day=row.day.isoformat(),
        posted_at=instant(row.posted_at),
        provisional=receipt.provisional if receipt else False,
        provider=row.provider if whole else None,
        service=Service(system=event.code.system, value=event.code.value) if whole and event else None,
        display=receipt.display if whole and receipt else None,
        amounts=_amounts(receipt) if receipt else None,
        by_payer=_by_payer(receipt) if receipt else [],
        waits=waits_of(shown.recalled.decision.funding, shown.receipt.currency) if shown and own else None,
    )


def waits_of(funding: FundingPlan, currency: str) -> Waits | None:
    """What of a funding plan waits for the patient's yes."""
    if not funding.withheld:
        return None
    return Waits(amount=money(funding.withheld, currency), because=funding.by)  # type: ignore[arg-type]  # same words


def visit_of_charges(
    name: str, charges: Sequence[Charge], shown: Sequence[Shown | None], *, waiting: bool, whole: bool
) -> Visit:
    """A visit of its charges. `waiting`: one of its events has no answer yet."""
    pairs = [
        (charge, one.receipt if one else None)
        for charge, one in zip(charges, shown, strict=True)
        if charge.state == "standing"
    ]
    receipts = [receipt for _, receipt in pairs if receipt is not None]
    complete = not waiting and len(receipts) == len(pairs)
    days = sorted(charge.day for charge in charges)
    return Visit(
        id=name,
        member=charges[0].member,
        day=days[0],
        until=days[-1],
        answer=_answer(receipts, complete=complete),
        charges=len(pairs),
        totals=[
            _total(currency, [one for one in receipts if one.currency == currency])
            for currency in sorted({one.currency for one in receipts})
        ],
        complete=complete,
        provisional=any(charge.provisional for charge, _ in pairs),
        providers=sorted({charge.provider for charge in charges if charge.provider}) if whole else None,
        items=list(charges),
    )


def summary_of(visit: Visit) -> VisitSummary:
    """The visit without its charges."""
    return VisitSummary(
        **{name: getattr(visit, name) for name in VisitSummary.__struct_fields__},
    )


def state_of(looked: Looked) -> State:
    """Whether a charge's newest row still stands."""
    if not looked.stored.superseded:
        return "standing"
    return "reversed" if looked.by_kind is EntryKind.REVERSAL else "replaced"


def _amounts(receipt: Receipt) -> ChargeAmounts:
    currency, paid = receipt.currency, receipt.patient - receipt.due - receipt.forgone
    return ChargeAmounts(
        billed=money(receipt.billed, currency),
        allowed=money(receipt.allowed, currency),
        agreed_cut=money(receipt.provider_borne, currency),
        payers=money(receipt.payers, currency),
        patient=money(receipt.patient, currency),
        paid=money(paid, currency),
        no_longer_asked=money(receipt.forgone, currency),
        due=money(receipt.due, currency),
    )


def _by_payer(receipt: Receipt) -> list[PayerPart]:
    sums: dict[str, int] = {}
    for part in receipt.parts:
        if part.bearer == "payer":
            sums[part.who] = sums.get(part.who, 0) + part.amount
    return [PayerPart(party=party, amount=money(amount, receipt.currency)) for party, amount in sums.items()]


def _total(currency: str, receipts: Sequence[Receipt]) -> VisitTotal:
    def added(name: str) -> Money:
        return money(sum(getattr(one, name) for one in receipts), currency)

    patient, forgone, due = added("patient"), added("forgone"), added("due")
    return VisitTotal(
        currency=currency,
        charges=len(receipts),
        amounts=ChargeAmounts(
            billed=added("billed"),
            allowed=added("allowed"),
            agreed_cut=added("provider_borne"),
            payers=added("payers"),
            patient=patient,
            paid=money(patient.micros - forgone.micros - due.micros, currency),
            no_longer_asked=forgone,
            due=due,
        ),
    )


def _answer(receipts: Sequence[Receipt], *, complete: bool) -> str:
    """One sentence for all charges: that of a single receipt with their sums."""
    if not complete:
        return "This is not the whole yet. What is asked so far is below."
    if not receipts:
        return "Everything was taken back. Nothing to pay."
    patient, due = sum(each.patient for each in receipts), sum(each.due for each in receipts)
    parts = tuple([part for each in receipts for part in each.parts])
    return sentence(replace(receipts[0], patient=patient, due=due, parts=parts, reason="", status="posted"))
