"""Receipts of a patient: the list, one, why it says what it says, and all of them as a table for a spreadsheet."""

from __future__ import annotations

import csv
import io
from typing import Any, Final

from drachm.adapters.rest.identity.decide import Deny
from drachm.adapters.rest.identity.permit import Denied
from drachm.adapters.rest.service.call import Reply
from drachm.adapters.rest.service.my_frame import PatientSeat, patient_page
from drachm.adapters.rest.service.page_frame import Entry, page_headers
from drachm.adapters.rest.service.page_view import receipt_view
from drachm.adapters.rest.service.page_words import Amount, amount_of
from drachm.adapters.rest.service.receipt_views import ReceiptView
from drachm.adapters.rest.service.shared_receipts import SharedReceipt, shared_receipt
from drachm.adapters.rest.service.speech import N_, gettext
from drachm.domain.money import plain

ON_A_PAGE: Final = 20
ROWS_MAX: Final = 2_000
"""Receipts in one table; who has more asks for them by the interface."""
_RISKY: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
"""A text that begins so is a formula to a spreadsheet."""
_COLUMNS: Final = ("day", "receipt", "provider", "care", "currency", "price", "insurance", "you", "due", "status")


@patient_page(
    "list_my_receipts",
    query={"cursor": "where the list goes on"},
    entry=Entry("receipts", N_("Receipts"), "/my/receipts", "receipt", 60),
)
def list_my_receipts(seat: PatientSeat) -> Reply:
    """Every receipt, newest first."""
    cursor = seat.call.query.get("cursor", "")
    page = _receipts(seat, cursor, ON_A_PAGE)
    names = _names(seat, page.data)
    rows = [_row(one, names) for one in page.data]
    return seat.page("my_receipts.html", "receipts", rows=rows, more=page.next or "", later=bool(cursor))


@patient_page("export_my_receipts")
def export_my_receipts(seat: PatientSeat) -> Reply:
    """All receipts as comma-separated values, the same in every language."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(_COLUMNS)
    cursor, count = "", 0
    while count < ROWS_MAX:
        page = _receipts(seat, cursor, 100)
        names = _names(seat, page.data)
        for one in page.data:
            writer.writerow(_cells(one, names))
            count += 1
        if page.next is None:
            break
        cursor = page.next
    name = (b"content-disposition", b'attachment; filename="receipts.csv"')
    # The mark at the front tells a spreadsheet that these are the letters of all scripts.
    return Reply("\ufeff" + out.getvalue(), headers=[*page_headers(), name], media="text/csv; charset=utf-8")


@patient_page("open_my_receipt", link=True)
def open_my_receipt(seat: PatientSeat) -> Reply:
    """One receipt, to read and to print."""
    receipt, shared = _asked(seat)
    named = seat.whose_own(receipt.member)
    return seat.page(
        "my_receipt.html", "receipts", view=receipt_view(shared, named=named), visit=receipt.visit, id=receipt.id
    )


@patient_page("explain_my_receipt", link=True)
def explain_my_receipt(seat: PatientSeat) -> Reply:
    """Each step of the plan in its order, and a sum that closes. Steps tell what the care was: the patient's alone."""
    receipt, shared = _asked(seat)
    if not seat.whose_own(receipt.member):
        raise Denied(Deny("not_found"), seat.call.operation)
    view = receipt_view(shared, named=True)
    details = view.details
    yours = [step.amount for step in details.steps if step.tag == "you"] if details else []
    closes = details is not None and sum(one.micros for one in yours) == details.yours.micros
    return seat.page("my_why.html", "receipts", view=view, details=details, visit=receipt.visit, id=receipt.id,
                     closes=closes, yours=yours)  # fmt: skip


def guarded(text: str) -> str:
    """A text for a cell of a table: what a spreadsheet would take for a formula is made plain."""
    return f"'{text}" if text.startswith(_RISKY) else text


def _asked(seat: PatientSeat) -> tuple[ReceiptView, SharedReceipt]:
    receipt: ReceiptView = seat.ask("get_receipt", {"receipt_id": seat.call.path["receipt_id"]})
    shared = shared_receipt(seat.call.market, receipt.id)
    if shared is None:
        raise Denied(Deny("not_found"), seat.call.operation)
    return receipt, shared


def _receipts(seat: PatientSeat, cursor: str, limit: int) -> Any:
    asked = {"limit": str(limit), "member": seat.member}
    return seat.ask("list_receipts", query={**asked, **({"cursor": cursor} if cursor else {})})


def _names(seat: PatientSeat, receipts: list[ReceiptView]) -> dict[str, str]:
    ids = {one.provider for one in receipts if one.provider}
    parties = seat.call.market.register.parties(ids=ids) if ids else []
    return {party.id: party.name or party.id for party in parties}


def _row(one: ReceiptView, names: dict[str, str]) -> dict[str, Any]:
    amounts = one.amounts
    return {
        "id": one.id,
        "day": one.day,
        "place": names.get(one.provider or "", gettext("A clinic")),
        "what": one.display or "",
        "amount": amount_of(amounts.patient) if amounts else None,
        "due": amount_of(amounts.due) if amounts and amounts.due.micros > 0 and one.current else None,
        "current": one.current,
    }


def _cells(one: ReceiptView, names: dict[str, str]) -> list[str]:
    amounts = one.amounts
    texts = [one.day, one.id, names.get(one.provider or "", ""), one.display or "", one.currency or ""]
    figures = ["", "", "", ""]
    if amounts:
        cost = Amount(amounts.payers.micros + amounts.patient.micros, amounts.patient.currency)
        sums = (cost.micros, amounts.payers.micros, amounts.patient.micros, amounts.due.micros)
        figures = [plain(size, cost.currency) for size in sums]
    return [*map(guarded, texts), *figures, one.status if one.current else "replaced"]
