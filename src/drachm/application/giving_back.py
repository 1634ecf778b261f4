"""How does the money of a charge go back? Proposed as a record, agreed to by another person, posted once.

What is posted is an event like any other: a reversal, or a replacement at a lower price. Its id follows from the
refund's, so however often somebody tries to finish it, and whoever died in between, it is in the books once. A charge
has one open refund at most: a record of its own says which.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, Literal

import msgspec

from drachm.application.clear_events import clear_events
from drachm.application.desk import Desk
from drachm.application.estimate import estimate
from drachm.application.money_reading import MoneyReading
from drachm.application.ports import Stored
from drachm.application.recall import kept_of
from drachm.application.records import Record, Records
from drachm.application.shown_receipts import shown_receipts
from drachm.domain.errors import Conflict
from drachm.domain.events.model import ServiceEvent
from drachm.domain.ledger.model import EntryKind
from drachm.domain.payments.giving_back import GivingBack, agreed, proposed, withdrawn
from drachm.domain.transparency.leaf import event_key

KIND: Final = "charge_refund"
OF_CHARGE: Final = "charge_refund_of"
"""A record for each charge names its newest refund: so there is one open at most."""


@dataclass(frozen=True, slots=True)
class Back:
    """What goes back, in micros."""

    payers: int
    patient: int

    @property
    def whole(self) -> int:
        return self.payers + self.patient


@dataclass(frozen=True, slots=True)
class Charged:
    """The charge that a refund is about, as it stands now."""

    charge: str
    """Its name outside."""
    position: int
    """Of the row that stands."""
    event: ServiceEvent
    payers: int
    patient: int


def propose(
    wish: GivingBack, note: str, charged: Charged, desk: Desk, reading: MoneyReading, records: Records
) -> Record:
    """Keep a refund to be agreed to. Raises as `proposed`, and Conflict while another refund of the charge is open."""
    back = foreseen(wish, charged, desk, reading)
    wish = proposed(wish, back.whole)
    here = records.get(OF_CHARGE, charged.charge)
    newest = records.get(KIND, here.body["refund"]) if here is not None else None
    if newest is not None and refund_of(newest).open:
        raise _busy(charged.charge)
    body = {
        "wish": msgspec.to_builtins(wish),
        "charge": charged.charge,
        "position": charged.position,
        "source": charged.event.source,
        "note": note,
        "payers": back.payers,
        "patient": back.patient,
    }
    parties = frozenset({charged.event.billing_party} - {""})
    members = frozenset({charged.event.member} - {""})
    kept = Record(KIND, wish.id, body, 0, parties, members, _terms(wish, charged.charge))
    mark = Record(OF_CHARGE, charged.charge, {"refund": wish.id}, here.version if here is not None else 0)
    by, at = wish.proposed_by, wish.proposed_at
    try:
        return records.put([replace(one, author=by, at=at) for one in (kept, mark)])[0]
    except Conflict:
        raise _busy(charged.charge) from None


def agree(
    record: Record, by: str, at: datetime, charged: Charged, desk: Desk, reading: MoneyReading, records: Records
) -> Record:
    """A second person's consent, and the posting. Raises as `agreed`, and Conflict when the charge has changed since.

    Of two who agree at once, one does. What was agreed to and not finished is finished by whoever calls again.
    """
    wish = refund_of(record)
    if wish.state != "agreed":
        if charged.position != record.body["position"]:
            raise Conflict(
                "the charge has changed since this refund was proposed",
                where="refund_id",
                next_step="Withdraw it and propose it anew.",
                code="charge_changed",
            )
        wish = agreed(wish, by, at, foreseen(wish, charged, desk, reading).whole)
        record = _written(record, wish, by, at, records)
    return finish(record, by, at, charged.event, desk, records)


def finish(record: Record, by: str, at: datetime, event: ServiceEvent, desk: Desk, records: Records) -> Record:
    """Post what was agreed to; the same again posts nothing."""
    wish = refund_of(record)
    (outcome,) = clear_events([event_of(wish, event)], desk)
    became: Literal["done", "waiting", "failed"] = "failed"
    if outcome.status in ("posted", "denied"):
        became = "done"
    elif outcome.status == "pended":
        became = "waiting"
    more = {"row": outcome.position, "why": outcome.reason}
    try:
        return _written(record, replace(wish, outcome=became), by, at, records, more)
    except Conflict:
        # Somebody else finished it at the same moment: the same event, so the same answer.
        newest = records.get(KIND, record.id)
        if newest is None or refund_of(newest).outcome != became:
            raise
        return newest


def stop(record: Record, by: str, at: datetime, records: Records) -> Record:
    """The refund, withdrawn. Raises as `withdrawn`."""
    return _written(record, withdrawn(refund_of(record), by, at), by, at, records)


def foreseen(wish: GivingBack, charged: Charged, desk: Desk, reading: MoneyReading) -> Back:
    """What would go back now, by the line that clears real events. Raises Conflict when nothing could be decided."""
    (one,) = estimate([event_of(wish, charged.event)], desk, reading).events
    if one.outcome.status not in ("posted", "denied"):
        problem = one.outcome.problem
        raise Conflict(
            problem.message if problem is not None else "this charge cannot be changed",
            where="charge_id",
            next_step=problem.next_step if problem is not None else "Read the charge again.",
            code="charge_changed",
        )
    if wish.price is None or one.receipt is None:
        return Back(charged.payers, charged.patient)
    return Back(charged.payers - one.receipt.payers, charged.patient - one.receipt.patient)


def ensure_by_two(event: ServiceEvent, desk: Desk, reading: MoneyReading) -> None:
    """Raises Conflict for an event by which one person alone would give money of a charge back, or might.

    A system sends what was decided where care is given; a person at a desk is asked for a second one (decision 0038).
    What only ends a request, takes back what never cost anything, or asks for more, one person may send. What is not
    here, or cannot be decided now, could give back anything once it clears: it needs two as well.
    """
    if event.kind not in ("reversal", "replacement"):
        return
    key = event_key(desk.books.tenant, event.source, event.replaces)
    with desk.books.work() as work:
        row = work.newest([key]).get(key)
    if row is None:
        raise _needs_two()
    if row.superseded or row.kind is EntryKind.HOLD or row.status not in ("posted", "denied"):
        return
    charged = charged_of(event.replaces, row, desk)
    if charged is None or (event.kind == "reversal" and (charged.payers or charged.patient)):
        raise _needs_two()
    if event.kind == "reversal":
        return
    (one,) = estimate([event], desk, reading).events
    if one.outcome.status not in ("posted", "denied") or one.receipt is None:
        raise _needs_two()
    now = one.receipt
    if now.patient < charged.patient or now.patient + now.payers < charged.patient + charged.payers:
        raise _needs_two()


def _needs_two() -> Conflict:
    return Conflict(
        "one person alone gives no money of a charge back",
        where="event",
        next_step="Propose it with POST /v1/charges/{charge_id}/refunds and let somebody else agree, or let the system "
        "that sent the charge correct it.",
        code="second_person_needed",
    )


def event_of(wish: GivingBack, event: ServiceEvent) -> ServiceEvent:
    """The event that gives the money back."""
    name = f"refund-{wish.id}"
    if wish.price is not None:
        return replace(event, event_id=name, kind="replacement", billed=wish.price, replaces=event.event_id)
    return ServiceEvent(
        source=event.source,
        event_id=name,
        kind="reversal",
        member=event.member,
        code=event.code,
        currency=event.currency,
        started_at=event.started_at,
        billing_party=event.billing_party,
        site=event.site,
        visit=event.visit,
        replaces=event.event_id,
    )


def refund_of(record: Record) -> GivingBack:
    """A record as the rules see it."""
    return msgspec.convert(record.body["wish"], GivingBack)


def _written(
    record: Record, wish: GivingBack, by: str, at: datetime, records: Records, more: Mapping[str, Any] | None = None
) -> Record:
    body = {**record.body, "wish": msgspec.to_builtins(wish), **(more or {})}
    terms = _terms(wish, record.body["charge"])
    return records.put([replace(record, body=body, terms=terms, author=by, at=at)])[0]


def _terms(wish: GivingBack, charge: str) -> frozenset[str]:
    return frozenset({f"charge={charge}", f"state={wish.state}"})


def _busy(charge: str) -> Conflict:
    return Conflict(
        "another refund of this charge is open",
        where=charge,
        next_step="Agree to it or withdraw it first.",
        code="refund_open",
    )


def charged_of(charge: str, row: Stored, desk: Desk) -> Charged | None:
    """The charge of a row as it stands; None when its content was erased."""
    (shown,) = shown_receipts([row], desk.books)
    kept = kept_of(row)
    event = kept.body.event if kept is not None else None
    if shown is None or event is None:
        return None
    return Charged(charge, row.position, event, shown.receipt.payers, shown.receipt.patient)
