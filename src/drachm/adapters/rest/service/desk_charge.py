"""What happened to the money of one charge? And one event that waits, and the patient's link, made at the desk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from markupsafe import Markup

from drachm.adapters.rest.service.call import Reply
from drachm.adapters.rest.service.desk_frame import Seat, desk
from drachm.adapters.rest.service.desk_today import can_refund, names_of, standing_of
from drachm.adapters.rest.service.desk_write_off import can_write_off
from drachm.adapters.rest.service.journal_reading import find_charge, receipts_of
from drachm.adapters.rest.service.look import in_language
from drachm.adapters.rest.service.page_frame import page_templates, sent_on
from drachm.adapters.rest.service.page_view import ReceiptView, receipt_view
from drachm.adapters.rest.service.page_words import Amount, amount_of, spelled
from drachm.adapters.rest.service.shared_receipts import SharedReceipt, shared_receipt
from drachm.adapters.rest.service.speech import LANGUAGES, N_, gettext, speaking, spoken
from drachm.adapters.rest.service.staff_words import account_said
from drachm.adapters.rest.transport.problems import Problem
from drachm.application.told_messages import told_of
from drachm.domain.ledger.model import Entry
from drachm.domain.receipts.model import Receipt

_ACCOUNTS: Final = {
    "payer_receivable": ("insurance", N_("owes for it")),
    "patient_receivable": ("due", N_("the patient still owes")),
    "wallet": ("you", N_("from the patient’s pocket")),
    "wallet_held": ("held", N_("from what was set aside")),
    "patient_credit": ("you", N_("credit for the patient")),
    "provider_payable": ("cut", N_("is owed for it")),
}
"""Account kinds in plain words, each with whose colour it has."""
NONE: Final = Amount(0, "XXX")
_SOON_MS: Final = 60_000
"""What is booked later than this waited for something; then the day says more than milliseconds."""
_LINK_HOURS: Final = {"24": 24, "168": 168, "720": 720}


@dataclass(frozen=True, slots=True)
class Stop:
    """One stop on the way of the money, on the line above everything."""

    words: str
    at: datetime | None
    """None: still to come."""
    after: int | None = None
    """Milliseconds since we had the event; None where that says nothing."""


@dataclass(frozen=True, slots=True)
class Leg:
    """One entry of the charge in the books."""

    kind: str
    owner: str
    words: str
    debit: Amount | None
    credit: Amount | None


@desk("open_desk_charge")
def open_desk_charge(seat: Seat) -> Reply:
    """One charge, from the event to the books."""
    return _charge_page(seat)


@desk("hand_out_at_desk", form=True)
def hand_out_at_desk(seat: Seat) -> Reply:
    """A new link to the charge's receipt, shown on this one page."""
    charge = _charge(seat)
    chosen = seat.call.form.get("hours", "168")
    if chosen not in _LINK_HOURS:
        raise Problem("bad_request", "a link opens for a day, a week or a month")
    body = {"hours": _LINK_HOURS[chosen], "replace": seat.call.form.get("replace") == "yes"}
    language = seat.call.form.get("language") or (spoken().code if spoken().code in LANGUAGES else "en")
    if language not in LANGUAGES:
        raise Problem("bad_request", "a receipt is in one of our languages")
    link = seat.ask("create_receipt_link", {"receipt_id": charge.receipt}, body=body)
    shared = _shared(seat, charge.receipt)
    # What is printed, and the page that the link opens, speak the language of whoever reads them.
    with speaking(language) as read_in:
        paper = (
            page_templates()
            .get_template("desk_link_paper.html")
            .render(
                language=read_in,
                link=link,
                address=in_language(link.url, language),
                until=spelled(seat.here(link.expires_at).date()),
                clinic=shared.name_of(shared.receipt.provider),
                view=receipt_view(shared, named=False, until=datetime.fromisoformat(link.expires_at)),
            )
        )
    return seat.page("desk_link.html", tab="today", charge=charge, paper=Markup(paper))


@desk("open_desk_event")
def open_desk_event(seat: Seat) -> Reply:
    """One event: what it waits for, or what became of it."""
    return _event_page(seat)


@desk("retry_at_desk", form=True)
def retry_at_desk(seat: Seat) -> Reply:
    """Try a waiting event again; on to its charge when it cleared."""
    event = _event(seat)
    result = seat.ask("retry_work_item", {"event_id": event.id}, body={})
    after = seat.ask("get_service_event", {"event_id": event.id})
    if after.charge:
        return sent_on(seat.call, f"/desk/charges/{after.charge}")
    return _event_page(seat, tried=result)


def _charge(seat: Seat) -> Any:
    charge = seat.ask("get_charge", {"charge_id": seat.call.path["charge_id"]})
    parties = frozenset({charge.provider} - {None})
    # The page's own row of the policy besides that of the interface's call.
    looked = find_charge(seat.call.market, charge.id)
    seat.call.permit(seat.call.resource(parties=parties | (looked.row.parties if looked else frozenset())))
    return charge


def _event(seat: Seat) -> Any:
    event = seat.ask("get_service_event", {"event_id": seat.call.path["event_id"]})
    owner = {event.provider} if seat.call.operation == "retry_at_desk" else set(event.parties)
    seat.call.permit(seat.call.resource(parties=frozenset(owner - {""})))
    return event


def _shared(seat: Seat, receipt: str) -> SharedReceipt:
    seat.ask("get_receipt", {"receipt_id": receipt})
    shared = shared_receipt(seat.call.market, receipt)
    if shared is None:
        raise Problem("not_found")
    return shared


def _charge_page(seat: Seat) -> Reply:
    charge = _charge(seat)
    event = seat.ask("get_service_event", {"event_id": charge.event})
    why = seat.ask("explain_receipt", {"receipt_id": charge.receipt})
    revisions = seat.ask("list_event_revisions", {"event_id": charge.event}).data
    view, receipt, legs, price = _from_the_books(seat, charge)
    return seat.page(
        "desk_charge.html",
        tab="today",
        charge=charge,
        event=event,
        why=why,
        standing=standing_of(charge),
        title=charge.display or gettext("Care"),
        price=price,
        received=seat.here(event.received_at) if event.received_at else None,
        started=seat.here(event.started_at) if event.started_at else None,
        posted=seat.here(charge.posted_at),
        view=view,
        receipt=receipt,
        stops=_stops(seat, charge, event),
        legs=legs,
        total=Amount(sum(leg.debit.micros for leg in legs if leg.debit), receipt.currency) if receipt else None,
        pockets=[(part.who, Amount(part.amount, receipt.currency), part.label)
                 for part in receipt.parts if part.bearer == "patient" and part.amount] if receipt else [],
        insurers=[(part.party, amount_of(part.amount)) for part in charge.by_payer],
        revisions=[(one, seat.here(one.posted_at)) for one in revisions],
        balanced=sum((leg.debit or NONE).micros - (leg.credit or NONE).micros for leg in legs) == 0,
        can_link=seat.may("hand_out_at_desk") and charge.provider in seat.session.principal.parties,
        can_refund=can_refund(seat, charge),
        can_write_off=can_write_off(seat, charge),
        given_up=bool(charge.amounts and charge.amounts.no_longer_asked.micros) and seat.may("open_desk_write_offs"),
        who_for=names_of(seat, {charge.member}).get(charge.member, charge.member),
        languages=list(LANGUAGES.values()),
        amount=lambda micros: Amount(micros, receipt.currency if receipt else ""),
    )  # fmt: skip


def _stops(seat: Seat, charge: Any, event: Any) -> list[Stop]:
    """From the care to the message: what has happened, and what is still to come."""
    posted = seat.here(charge.posted_at)
    stops = [Stop(gettext("care"), seat.here(event.started_at))] if event.started_at else []
    after = None
    if event.received_at:
        received = seat.here(event.received_at)
        stops.append(Stop(gettext("event"), received))
        after = max(0, int((posted - received) / timedelta(milliseconds=1)))
    stops.append(Stop(gettext("in the books"), posted, after if after is not None and after < _SOON_MS else None))
    looked = find_charge(seat.call.market, charge.id)
    told = told_of(seat.call.market.records, looked.row.visit) if looked is not None and looked.row.visit else []
    if told:
        sent = told[0].state == "sent"
        stops.append(
            Stop(gettext("patient told") if sent else gettext("message waits"), seat.here(told[0].at) if sent else None)
        )
    return stops


def _from_the_books(seat: Seat, charge: Any) -> tuple[ReceiptView | None, Receipt | None, Sequence[Leg], Amount | None]:
    """(what the patient sees, the receipt, the entries, the agreed price) of the charge as it stands now."""
    looked = find_charge(seat.call.market, charge.id)
    shown = receipts_of(seat.call.market, [looked])[0] if looked is not None else None
    shared = shared_receipt(seat.call.market, charge.receipt)
    if shown is None or shared is None:
        return None, None, [], None
    view = receipt_view(shared, named=True, until=seat.call.at)
    legs = [_leg(shared, entry) for entry in shown.recalled.decision.standing.entries if entry.amount]
    receipt = shared.receipt
    return view, receipt, legs, Amount(receipt.payers + receipt.patient, receipt.currency)


def _leg(shared: SharedReceipt, entry: Entry) -> Leg:
    account, amount, _ = entry
    kind, words = _ACCOUNTS.get(account.kind, ("cut", ""))
    size = Amount(abs(amount), account.currency)
    owner = shared.name_of(account.owner) if account.kind in ("payer_receivable", "provider_payable") else account.owner
    return Leg(
        kind,
        owner,
        gettext(words) or account_said(account.kind),
        size if amount > 0 else None,
        size if amount < 0 else None,
    )


def _event_page(seat: Seat, tried: Any = None) -> Reply:
    event = _event(seat)
    waits = event.status == "pended" and seat.may("get_work_item")
    item = seat.ask("get_work_item", {"event_id": event.id}) if waits else None
    revisions = seat.ask("list_event_revisions", {"event_id": event.id}).data
    return seat.page(
        "desk_event.html",
        tab="today",
        event=event,
        item=item,
        tried=tried,
        since=seat.here(item.waiting_since) if item else None,
        started=seat.here(event.started_at) if event.started_at else None,
        revisions=[(one, seat.here(one.posted_at)) for one in revisions],
        can_retry=item is not None and seat.may("retry_at_desk"),
    )
