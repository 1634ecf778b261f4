"""What does each line of one FHIR Claim cost?

One line per priced item and one for the base visit fee, which no item carries: the claim's total less its items. A
pharmacy claim is one line of its total. The lines sum to the rounded total, or the claim is refused.
"""

from __future__ import annotations

from dataclasses import dataclass

from drachm.adapters.synthea import amounts, codes
from drachm.adapters.synthea.node import Node, plain_words
from drachm.adapters.synthea.record import Record
from drachm.domain import money
from drachm.domain.errors import InvalidMessage
from drachm.domain.events.model import UNIT


@dataclass(slots=True)
class Priced:
    """One line of a claim before it becomes an event."""

    id: str
    line: str
    kind: str
    code: Node
    billed: int
    quantity: int = UNIT
    unit: str = "each"


def price_lines(claim: Node, name: str, explained: Node | None, record: Record) -> tuple[str, list[Priced]]:
    """The currency and the lines of the claim called `name`, the base visit fee first.

    `explained` is the submitted total of the explanation of benefits; it counts where the claim has none.
    """
    currency, asked = _total(claim, explained)
    if claim.get("prescription") is not None:
        return currency, [_pharmacy_line(claim, name, record, asked)]
    return currency, _item_lines(claim, name, currency, asked)


def _total(claim: Node, explained: Node | None) -> tuple[str, int]:
    total = claim.get("total") or explained
    if total is None:
        raise Node(None, f"{claim.place}.total").refusal("missing_field", "neither claim nor explanation has a total")
    return _money(total)


def _money(amount: Node) -> tuple[str, int]:
    currency, value = amount.need("currency"), amount.need("value")
    try:
        money.exponent(currency.text())
    except InvalidMessage as problem:
        raise currency.refusal(problem.code, problem.message, problem.next_step) from None
    return currency.text(), amounts.submitted(value.value, currency.text(), value.place)


def _pharmacy_line(claim: Node, name: str, record: Record, asked: int) -> Priced:
    prescription = claim.need("prescription")
    request = record.find(prescription, "MedicationRequest")
    if request is None:
        raise prescription.refusal("unknown_medication", "the prescription is not in this record", "Send it too.")
    drug = request.get("medicationCodeableConcept")
    if drug is None:
        reference = request.need("medicationReference")
        medication = record.find(reference, "Medication")
        if medication is None:
            raise reference.refusal("unknown_medication", "the medication is not in this record", "Send it too.")
        drug = medication.need("code")
    return Priced(name, "1", "drug", drug, asked)


def _item_lines(claim: Node, name: str, currency: str, asked: int) -> list[Priced]:
    lines: list[Priced] = []
    fee: Priced | None = None
    for item in claim.all("item"):
        sequence = item.need("sequence")
        if isinstance(sequence.value, bool) or not isinstance(sequence.value, int) or not 0 < sequence.value < 100_000:
            raise sequence.refusal("invalid_id", "the sequence is not a positive number", "Number the items from 1.")
        line, net, code = str(sequence.value), item.get("net"), item.need("productOrService")
        if net is not None:
            lines.append(_item_line(item, net, code, f"{name}#{line}", line, currency))
        elif item.all("encounter") and fee is None:
            fee = Priced(f"{name}#base", line, "visit", code, 0)
    if len({line.id for line in lines}) < len(lines):
        raise claim.refusal("duplicate_id", "two items have the same sequence", "Number the items from 1.")
    rest = asked - sum(line.billed for line in lines)
    if fee is not None and rest >= 0:
        fee.billed = rest
        return [fee, *lines]
    return [*([fee] if fee else []), *_settle_residue(claim, lines, rest, money.minor_unit(currency))]


def _item_line(item: Node, net: Node, code: Node, event_id: str, line: str, currency: str) -> Priced:
    item_currency, billed = _money(net)
    if item_currency != currency:
        raise net.need("currency").refusal(
            "currency_mismatch", "the item is not in the currency of the claim", "Bill a claim in one currency."
        )
    quantity, unit = _quantity(item)
    return Priced(event_id, line, _line_kind(item, code), code, billed, quantity, unit)


def _settle_residue(claim: Node, lines: list[Priced], rest: int, unit: int) -> list[Priced]:
    """Let the last lines carry what rounding each item left between their sum and the total: under a unit an item."""
    if abs(rest) > unit * len(lines):
        raise Node(None, f"{claim.place}.total").refusal(
            "invalid_amount", "the total is not the sum of the items and a visit fee", "Correct the total or the items."
        )
    for line in reversed(lines):
        part = max(rest, -line.billed)
        line.billed += part
        rest -= part
    return lines


def _line_kind(item: Node, code: Node) -> str:
    system = code.said("coding", "system")
    if item.all("procedureSequence"):
        return "procedure"
    if system in codes.SYSTEM_KINDS:
        return codes.SYSTEM_KINDS[system]
    return "visit" if item.all("encounter") else "other"


def _quantity(item: Node) -> tuple[int, str]:
    quantity = item.get("quantity")
    if quantity is None:
        return UNIT, "each"
    value = quantity.need("value")
    return amounts.quantity(value.value, value.place), plain_words(quantity.said("unit"))[:32] or "each"
