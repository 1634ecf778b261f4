"""What does the receipt page say, and in which words?

A receipt becomes the sentences, rows and measures of the page. Whether services may be named is decided before: a
`Teller` without them gets nothing to name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from markupsafe import Markup

from drachm.adapters.rest.service.page_bar import Bar, Measure, bar_of, measure_of
from drachm.adapters.rest.service.page_words import Amount, initials, listed, reference, said, shares_said, spelled
from drachm.adapters.rest.service.shared_receipts import SharedReceipt
from drachm.adapters.rest.service.speech import N_, gettext
from drachm.domain.reasons import REASONS, text_of
from drachm.domain.receipts.model import Part, Why

Tone = Literal["ok", "you", "held", "refused"]

_YOURS: Final = frozenset({"deductible", "copay", "coinsurance", "self_pay", "self_pay_first", "remainder"})
_CODES: Final = {reason.text: reason.code for reason in REASONS.values()}
_PLAIN: Final = {
    "deductible": N_("You pay the first part of a year’s care."),
    "coinsurance": N_("Then you pay a part of the agreed price."),
    "copay": N_("You pay a fixed amount for this kind of care."),
    "plan_pays": N_("Insurance pays this part."),
    "no_cost_share": N_("You pay nothing for this care."),
    "out_of_pocket_max": N_("You reached the most you pay in a year. Insurance pays the rest."),
    "period_cap": N_("You reached the most you pay in this time. Insurance pays the rest."),
    "not_covered": N_("Insurance does not pay for this care."),
    "over_limit": N_("This is above what insurance pays for it."),
}
"""Steps in easier words than the table of reasons has for them."""
_NOBODY: Final = N_("Nobody pays this: the agreed price is lower.")


@dataclass(frozen=True, slots=True)
class Row:
    """One line of "who paid what"."""

    kind: str
    """Whose money: `insurance`, `you`, `due`, `held`, `cut`, `price`, `cost`."""
    label: str
    amount: Amount
    note: str = ""


@dataclass(frozen=True, slots=True)
class StepView:
    """One step of "why this amount?"."""

    words: str
    amount: Amount
    tag: str
    """`you`, `insurance`, or empty."""
    clause: str
    clause_words: str
    plan: str
    measure: Measure | None = None


@dataclass(frozen=True, slots=True)
class Lead:
    """The answer: one word, one number, one pill."""

    word: str
    amount: Amount | None
    tone: Tone
    pill: str


@dataclass(frozen=True, slots=True)
class Details:
    """What only somebody sees who gave the second answer."""

    service: str
    code: str
    steps: Sequence[StepView]
    yours: Amount
    """The patient's share, paid or not."""
    insurance: Amount
    number: str
    answer: int
    leaf: str


@dataclass(frozen=True, slots=True)
class ReceiptView:
    """The page."""

    clinic: str
    day: str
    lead: Lead
    cost: Amount | None
    bar: Bar | None
    happened: Sequence[Markup]
    rows: Sequence[Row]
    now: Sequence[Markup]
    reference: str
    until: str
    superseded: bool
    details: Details | None

    @property
    def legend(self) -> Sequence[Row]:
        """The rows that the bar shows, in its order."""
        return [row for row in self.rows if row.kind in ("insurance", "you", "due", "held") and row.amount.micros > 0]


def receipt_view(shared: SharedReceipt, *, named: bool, until: datetime | None = None) -> ReceiptView:
    """The page of a receipt; `named` says that services, names and reasons may be shown."""
    return _Teller(shared, named).view(until)


class _Teller:
    """Says one receipt in words."""

    def __init__(self, shared: SharedReceipt, named: bool) -> None:
        self._shared, self._receipt, self._named = shared, shared.receipt, named
        receipt = self._receipt
        mine = [part for part in receipt.parts if part.bearer == "patient"]
        self._held = sum(part.amount for part in mine if part.label == "Held")
        self._paid = receipt.patient - self._held - receipt.due - receipt.forgone
        self._cost = receipt.payers + receipt.patient

    def view(self, until: datetime | None) -> ReceiptView:
        receipt, shared = self._receipt, self._shared
        name = shared.name_of(receipt.provider)
        rows = self._rows() if receipt.parts else []
        return ReceiptView(
            clinic=name if self._named else initials(name),
            day=spelled(receipt.day),
            lead=self._lead(),
            cost=self._amount(self._cost) if receipt.parts else None,
            bar=self._bar(),
            happened=self._happened(name if self._named else gettext("the clinic")),
            rows=rows,
            now=self._now(),
            reference=reference(receipt.number),
            until=spelled(until.date()) if until else "",
            superseded=shared.superseded,
            details=self._details() if self._named else None,
        )

    def _amount(self, micros: int) -> Amount:
        return Amount(micros, self._receipt.currency)

    def _lead(self) -> Lead:
        receipt, due = self._receipt, self._receipt.due
        if receipt.reason == "reversed":
            return Lead(gettext("Taken back in full"), None, "ok", gettext("Nothing to pay"))
        if receipt.kind == "stop":
            return Lead(gettext("No longer set aside"), None, "ok", gettext("Yours to spend again"))
        if receipt.kind == "hold":
            return Lead(gettext("Set aside"), self._amount(receipt.patient), "held", gettext("Nothing is paid yet"))
        if receipt.provisional:
            return Lead(
                gettext("Your part so far"),
                self._amount(receipt.patient),
                "held",
                gettext("Your insurer is still checking"),
            )
        if receipt.patient == 0:
            return Lead(gettext("You paid"), self._amount(0), "ok", gettext("Nothing to pay"))
        if due == 0 and receipt.forgone:
            pill = gettext("The clinic no longer asks for this")
            return Lead(gettext("Your part"), self._amount(receipt.patient), "ok", pill)
        if due == 0:
            return Lead(gettext("You paid"), self._amount(receipt.patient), "ok", gettext("Nothing more to pay"))
        if receipt.status == "denied":
            return Lead(gettext("Please pay"), self._amount(due), "refused", gettext("Insurance paid nothing"))
        if not self._paid:
            pill = gettext("Not paid yet")
        else:
            pill = gettext("{amount} is paid already").format(amount=self._amount(self._paid))
        return Lead(gettext("Please pay"), self._amount(due), "you", pill)

    def _happened(self, clinic: str) -> list[Markup]:
        receipt = self._receipt
        day = spelled(receipt.day)
        if self._named and receipt.display:
            what = receipt.display
            said_first = said(gettext("You had care at {clinic} on {day}: {what}."), clinic=clinic, day=day, what=what)
        else:
            said_first = said(gettext("You had care at {clinic} on {day}."), clinic=clinic, day=day)
        if receipt.reason == "reversed":
            return [said(gettext("The clinic took this charge back. What was paid went back to where it came from."))]
        if receipt.kind == "stop":
            return [said(gettext("Money was set aside for care. It is yours to spend again."))]
        if receipt.kind == "hold":
            return [said(gettext("The clinic asked us to set money aside for care. Nothing is paid yet."))]
        sentences = [said_first]
        if receipt.kind == "replacement":
            sentences.append(said(gettext("The clinic corrected an earlier receipt. This one takes its place.")))
        if receipt.status == "denied":
            sentences.append(said(gettext("Your insurance did not pay for it.")))
            if self._named and receipt.reason:
                sentences.append(Markup.escape(gettext(text_of(receipt.reason))))
        if receipt.provisional:
            sentences.append(
                said(gettext("Your insurer has not given its last word. If it changes, only the change is booked."))
            )
        return sentences

    def _rows(self) -> list[Row]:
        receipt = self._receipt
        rows = []
        cut = receipt.billed - self._cost
        if cut:
            rows.append(Row("price", gettext("The clinic’s price"), self._amount(receipt.billed)))
            rows += self._grouped("cut", "provider", gettext("Taken off"), -1)
        rows += self._grouped("insurance", "payer", gettext("Insurance paid"), 1)
        if receipt.forgone:
            rows.append(Row("left", gettext("The clinic no longer asks for this"), self._amount(receipt.forgone)))
        if self._paid or not receipt.patient:
            rows.append(Row("you", gettext("You paid"), self._amount(self._paid), self._pockets("Paid")))
        if self._held:
            rows.append(Row("held", gettext("Set aside for you"), self._amount(self._held), self._pockets("Held")))
        if receipt.due:
            rows.append(Row("due", gettext("You still have to pay"), self._amount(receipt.due)))
        rows.append(Row("cost", gettext("This care costs"), self._amount(self._cost)))
        return rows

    def _grouped(self, kind: str, bearer: str, label: str, sign: int) -> list[Row]:
        """One row for a bearer, or, where names may be said, one for each of its parts."""
        parts = [part for part in self._receipt.parts if part.bearer == bearer and part.amount]
        total = self._amount(sign * sum(part.amount for part in parts))
        if not self._named or not parts:
            note = gettext("You do not pay this.") if kind == "cut" else ""
            return [Row(kind, label, total, note)] if parts or kind == "insurance" else []
        return [Row(kind, label, self._amount(sign * part.amount), self._note(part)) for part in parts]

    def _note(self, part: Part) -> str:
        if part.bearer == "payer":
            return self._shared.name_of(part.who)
        return gettext(_NOBODY if part.label == text_of("contractual_adjustment") else part.label)

    def _pockets(self, label: str) -> str:
        """Which wallets it came from; only for the patient's own eyes."""
        if not self._named:
            return ""
        from_these = [p.who for p in self._receipt.parts if p.bearer == "patient" and p.label == label and p.who]
        return gettext("from {pockets}").format(pockets=listed(from_these)) if from_these else ""

    def _now(self) -> list[Markup]:
        receipt = self._receipt
        due = self._amount(receipt.due)
        if receipt.due and not receipt.provisional and receipt.kind != "hold":
            return [said(gettext("Please pay {due} to the clinic. Ask there how you can pay."), due=due)]
        if receipt.provisional or receipt.kind == "hold":
            return [said(gettext("Nothing now. The clinic tells you when this is settled."))]
        return [
            said(gettext("Nothing. You do not have to pay any more.")) if receipt.patient else said(gettext("Nothing."))
        ]

    def _bar(self) -> Bar | None:
        receipt = self._receipt
        if self._cost <= 0 or receipt.payers < 0:
            return None
        shares = [
            ("insurance", receipt.payers),
            ("you", self._paid),
            ("left", receipt.forgone),
            ("due", receipt.due),
            ("held", self._held),
        ]
        return bar_of(shares, shares_said(shares, self._cost, receipt.currency))

    def _details(self) -> Details:
        receipt = self._receipt
        return Details(
            service=receipt.display or gettext("Care"),
            code=receipt.service,
            steps=[self._step(why) for why in receipt.why],
            yours=self._amount(receipt.patient),
            insurance=self._amount(receipt.payers),
            number=receipt.number,
            answer=receipt.revision + 1,
            leaf=receipt.leaf,
        )

    def _step(self, why: Why) -> StepView:
        code = _CODES.get(why.sentence, "")
        tag = "you" if code in _YOURS else "insurance" if code == "plan_pays" else ""
        return StepView(
            words=gettext(_PLAIN.get(code, why.sentence)),
            amount=self._amount(why.amount),
            tag=tag,
            clause=why.clause,
            clause_words=why.clause_text,
            plan=why.plan,
            # Other limits may count visits or days, which are no amounts.
            measure=measure_of(why, self._receipt.currency) if tag == "you" else None,
        )
