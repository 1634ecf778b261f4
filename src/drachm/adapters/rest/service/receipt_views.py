"""How does a receipt look from outside, with and without why?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final, Literal

from msgspec import Meta

from drachm.adapters.rest.service.charge_views import Service
from drachm.adapters.rest.service.journal_reading import instant, name_of, visit_name
from drachm.adapters.rest.service.shapes import Currency, Day, Instant, Money, View, money
from drachm.application.journal_index import Looked
from drachm.application.shown_receipts import Shown
from drachm.domain.reasons import text_of
from drachm.domain.receipts.issue import sentence
from drachm.domain.receipts.model import FORGONE, Part, Receipt, Why

_TELLS_NOTHING: Final = frozenset(
    text_of(word)
    for word in (
        *("deductible", "copay", "coinsurance", "plan_pays", "plan_paid", "no_cost_share", "out_of_pocket_max"),
        *("period_cap", "contractual_adjustment", "coordination", "self_pay", "self_pay_first", "rounding"),
        *(
            "remainder",
            "over_limit",
            "not_covered",
            "pocket_expired",
            "pocket_no_rules",
            "pocket_plan",
            "pocket_frozen",
        ),
    )
) | {"Held", "Paid", "Still to pay", "Credit for earlier care", FORGONE}
"""Words of a receipt that say nothing of what the care was."""
_SOMETHING: Final = "A rule of the cover."


class ReceiptPart(View):
    """One amount with whoever bears it."""

    bearer: Literal["patient", "payer", "provider"]
    who: str
    """The payer, or the patient's pocket; empty for what nobody pays and for what is still to pay."""
    label: str
    amount: Money


class ReceiptAmounts(View):
    """billed = provider + payers + patient; the parts sum to billed."""

    billed: Money
    allowed: Money
    provider: Money
    """Billed, but asked of nobody."""
    payers: Money
    patient: Money
    due: Money


class ReceiptView(View):
    """One answer to one event, and who bears what."""

    id: str
    event: str
    charge: str | None
    """Null for what is no charge: a reversal, a hold, its end."""
    visit: str
    kind: Literal["charge", "reversal", "replacement", "hold", "stop"]
    status: Literal["posted", "denied"]
    current: bool
    """False when a later answer took its place."""
    next_receipt: str | None
    """The receipt that took its place, where it is the caller's to see."""
    revision: int
    sentence: str
    """What it comes to, in words a relative understands."""
    reason: str
    next_step: str
    member: str
    day: Day
    posted_at: Instant
    currency: Currency | None
    """Null, as the amounts, when the patient's data were erased."""
    amounts: ReceiptAmounts | None
    parts: list[ReceiptPart]
    credits: list[ReceiptPart]
    """What payers give (negative: take back) for earlier care, beside this charge."""
    provisional: bool
    leaf: str
    """Leaf hash, hexadecimal: its place in the log."""
    source: str | None
    """Null for relatives, who see amounts only; so are the four below."""
    event_id: str | None
    provider: str | None
    service: Service | None
    display: str | None


class WhyStep(View):
    """One rule that was used, in order."""

    sentence: str
    amount: Money
    """What the rule moved; negative where it gave back."""
    clause: str | None
    """Clause of the plan; null for relatives, whom its words could tell what the care was. So is all below."""
    clause_text: str | None
    plan: str | None
    """Plan id and version."""
    limit_name: str | None
    of_limit: Annotated[int, Meta(description="The limit that was looked at: micros for money, else a count.")] | None
    left: Annotated[int, Meta(description="What remained of it after this line.")] | None
    wallet: str | None
    """A pocket that could not pay; the step says why."""


class PlanUsed(View):
    """A plan that decided, exactly."""

    id: str
    version: str
    hash: str


class PriceUsed(View):
    """What the agreed price follows from."""

    price_book: str
    """Id of the book; `as-submitted` when the asked price is the agreed one."""
    version: str
    hash: str
    rule: str


class ReceiptWhy(View):
    """Why a receipt says what it says."""

    id: str
    status: Literal["posted", "denied"]
    sentence: str
    steps: list[WhyStep]
    price: PriceUsed | None
    """Null for relatives, where nothing was priced, and when the patient's data were erased."""
    plans: list[PlanUsed]
    """In the order in which they were asked; empty for relatives."""
    decided_by: list[str]
    """Plan hashes, or the number of an outside payer's answer; empty for relatives."""
    provisional: bool


def receipt_of(looked: Looked, shown: Shown | None, *, whole: bool, following: str | None) -> ReceiptView:
    """A receipt; `whole`: also where it was and for what."""
    row, receipt = looked.row, shown.receipt if shown else None
    event = shown.recalled.body.event if shown else None
    return ReceiptView(
        id=name_of(row, "rcp"),
        event=name_of(row, "evt"),
        charge=name_of(row, "chg") if row.kind in ("charge", "replacement") else None,
        visit=visit_name(row.visit),
        kind=row.kind,  # type: ignore[arg-type]  # care only
        status="denied" if row.status == "denied" else "posted",
        current=not looked.stored.superseded,
        next_receipt=following,
        revision=row.revision,
        sentence=sentence(receipt) if receipt else "What this was about has been erased.",
        reason=_reason(receipt, whole),
        next_step=receipt.next_step if receipt and whole else "",
        member=row.member,
        day=row.day.isoformat(),
        posted_at=instant(row.posted_at),
        currency=receipt.currency if receipt else None,
        amounts=_amounts(receipt) if receipt else None,
        parts=[_part(part, receipt.currency, whole) for part in receipt.parts] if receipt else [],
        credits=[_part(part, receipt.currency, whole) for part in receipt.credits] if receipt else [],
        provisional=receipt.provisional if receipt else False,
        leaf=looked.stored.leaf.hex(),
        source=receipt.source if whole and receipt else None,
        event_id=receipt.event_id if whole and receipt else None,
        provider=row.provider if whole else None,
        service=Service(system=event.code.system, value=event.code.value) if whole and event else None,
        display=receipt.display if whole and receipt else None,
    )


def why_of(looked: Looked, shown: Shown | None, names: Mapping[str, tuple[str, str]], *, whole: bool) -> ReceiptWhy:
    """Why; `names` says what the documents are called."""
    receipt = shown.receipt if shown else None
    at = shown.recalled.at if shown else None
    price = None
    if whole and receipt and receipt.price_rule and at is not None and at.contract is not None:
        named, version = names.get(receipt.price_book, (at.contract.price_book, ""))
        price = PriceUsed(price_book=named, version=version, hash=receipt.price_book, rule=receipt.price_rule)
    hashes = [cover.plan_hash for cover in at.covers] if whole and at else []
    return ReceiptWhy(
        id=name_of(looked.row, "rcp"),
        status="denied" if looked.row.status == "denied" else "posted",
        sentence=sentence(receipt) if receipt else "What this was about has been erased.",
        steps=[_step(why, receipt.currency, whole) for why in receipt.why] if receipt else [],
        price=price,
        plans=[PlanUsed(id=names[one][0], version=names[one][1], hash=one) for one in hashes if one in names],
        decided_by=list(receipt.plans) if whole and receipt else [],
        provisional=receipt.provisional if receipt else False,
    )


def _amounts(receipt: Receipt) -> ReceiptAmounts:
    currency = receipt.currency
    return ReceiptAmounts(
        billed=money(receipt.billed, currency),
        allowed=money(receipt.allowed, currency),
        provider=money(receipt.provider_borne, currency),
        payers=money(receipt.payers, currency),
        patient=money(receipt.patient, currency),
        due=money(receipt.due, currency),
    )


def _reason(receipt: Receipt | None, whole: bool) -> str:
    """Some reasons say what the care was, or whom it is meant for."""
    if receipt is None:
        return ""
    return receipt.reason if whole or text_of(receipt.reason) in _TELLS_NOTHING or receipt.reason == "reversed" else ""


def _part(part: Part, currency: str, whole: bool) -> ReceiptPart:
    label = part.label if whole or part.label in _TELLS_NOTHING else _SOMETHING
    bearer: Literal["patient", "payer", "provider"] = "provider"
    if part.bearer in ("patient", "payer"):
        bearer = "patient" if part.bearer == "patient" else "payer"
    return ReceiptPart(bearer=bearer, who=part.who, label=label, amount=money(part.amount, currency))


def _step(why: Why, currency: str, whole: bool) -> WhyStep:
    return WhyStep(
        sentence=why.sentence if whole or why.sentence in _TELLS_NOTHING else _SOMETHING,
        amount=money(why.amount, currency),
        clause=why.clause if whole else None,
        clause_text=why.clause_text if whole else None,
        plan=why.plan if whole else None,
        limit_name=why.limit_name if whole else None,
        of_limit=why.of_limit if whole else None,
        left=why.left if whole else None,
        wallet=why.pocket or None,
    )
