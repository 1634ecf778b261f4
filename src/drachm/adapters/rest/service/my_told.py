"""Is it what was told before? What a patient was told about care is kept, and held against the visit that followed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from markupsafe import Markup

from drachm.adapters.rest.service.call import Call
from drachm.adapters.rest.service.charge_views import Charge, Visit
from drachm.adapters.rest.service.page_words import Amount, said
from drachm.adapters.rest.service.speech import gettext
from drachm.adapters.rest.transport.values import write_instant
from drachm.application.records import Record

KIND: Final = "told_before"
HOLDS: Final = timedelta(days=60)
"""An estimate older than this is not what was told about a visit."""


@dataclass(frozen=True, slots=True)
class Told:
    """What was told and what it is, of the same care."""

    told: Amount
    now: Amount
    before: str
    """Where the mark of what was told stands, in percent of the axis."""
    after: str
    sentence: Markup


def keep_told(call: Call, member: str, provider: str, service: str, mine: Amount, price: Amount) -> None:
    """Remember what a patient was told about one service; the newest counts."""
    body: dict[str, Any] = {
        "at": write_instant(call.at),
        "mine": mine.micros,
        "price": price.micros,
        "currency": mine.currency,
        "provider": provider,
        "service": service,
    }
    record = Record(KIND, call.new_id("tld"), body, members=frozenset({member}), author=call.caller.subject)
    call.market.records.put([record])


def told_of(call: Call, visit: Visit) -> Told | None:
    """The estimate of a visit; None unless every part of it was told about."""
    counting = [one for one in visit.items if one.state == "standing"]
    kept = [record.body for record in _kept(call, visit.member)]
    pairs = [(one, _told(kept, one)) for one in counting]
    if not pairs or any(body is None or one.amounts is None for one, body in pairs):
        return None
    currency = visit.totals[0].currency
    told = Amount(sum(body["mine"] for _, body in pairs if body), currency)
    price = sum(body["price"] for _, body in pairs if body)
    amounts = visit.totals[0].amounts
    now, cost = Amount(amounts.patient.micros, currency), amounts.payers.micros + amounts.patient.micros
    before, after = _places(told.micros, now.micros)
    return Told(told, now, before, after, _why(told, now, cost - price))


def _kept(call: Call, member: str) -> list[Record]:
    found: list[Record] = []
    while page := call.market.records.find(KIND, members=[member], after=found[-1].id if found else ""):
        found += page
    return found


def _told(kept: Sequence[Mapping[str, Any]], charge: Charge) -> Mapping[str, Any] | None:
    service = f"{charge.service.system} {charge.service.value}" if charge.service else ""
    posted = datetime.fromisoformat(charge.posted_at)
    fitting = [
        body
        for body in kept
        if (body["service"], body["provider"]) == (service, charge.provider)
        and posted - HOLDS <= datetime.fromisoformat(body["at"]) <= posted
        and charge.amounts is not None
        and body["currency"] == charge.amounts.patient.currency
    ]
    return max(fitting, key=lambda body: str(body["at"]), default=None)


def _places(told: int, now: int) -> tuple[str, str]:
    """Both marks on an axis from nothing to a quarter more than the larger of them."""
    whole = max(told, now, 1) * 5 // 4
    return tuple(f"{1_000 * size // whole // 10}.{1_000 * size // whole % 10}%" for size in (told, now))  # type: ignore[return-value]


def _why(told: Amount, now: Amount, dearer: int) -> Markup:
    less = Amount(abs(now.micros - told.micros), now.currency)
    if now.micros == told.micros:
        return said(gettext("It is what we told you."))
    if now.micros > told.micros:
        if dearer > 0:
            return said(gettext("{amount} more: the care itself cost more than we told you."), amount=less)
        return said(gettext("{amount} more: your insurance pays less of it than it did on that day."), amount=less)
    if dearer < 0:
        return said(gettext("{amount} less: the care itself cost less than we told you."), amount=less)
    return said(gettext("{amount} less: your insurance pays more of it than it did on that day."), amount=less)
