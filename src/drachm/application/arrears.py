"""What becomes of a holder whose payment went back? The debt is listed, the pots freeze, and the holder is told.

The list is a record; the books hold the same sum as `holder_receivable`. Freezing comes before the books are touched
and thawing after, so whoever dies in between leaves a pot frozen for a moment too long, never paying a moment too long.
Whatever is done twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from hashlib import sha256
from typing import Final

import msgspec

from drachm.application.desk import RETRIES, Desk
from drachm.application.records import Record, Records
from drachm.application.transfers import settle_from_pot
from drachm.domain.errors import Conflict, Refused, Unavailable
from drachm.domain.payments.arrears import Arrears, gone_back, made_good

KIND: Final = "arrears"
NOTICE: Final = "arrears_notice"
"""What `notices` has still to tell the holder, in one list with everything else."""
RETURNED: Final = "payment_returned"
CURED: Final = "arrears_cured"


def owe(member: str, currency: str, name: str, amount: int, desk: Desk, records: Records) -> Arrears:
    """List a payment that went back under a name of its own, freeze the holder's pots, tell the holder."""
    for before, record in _tries(member, currency, records):
        after = gone_back(before, name, amount)
        if after is before:
            return _enforced(after, desk, records)
        told = _notice(after, RETURNED, name, desk.clock.now(), anew=not before.frozen)
        if _put([_kept(after, record), told], records):
            return _enforced(after, desk, records)
    raise _busy(member)


def make_good(member: str, currency: str, name: str, amount: int, records: Records) -> int:
    """List money that makes the debt good; how many micros of it do, the first answer for a repeat.

    The books follow, then `thaw` lets the pots pay again.
    """
    for before, record in _tries(member, currency, records):
        after = made_good(before, name, amount)
        if after is before or _put([_kept(after, record)], records):
            return -after.parts[name]
    raise _busy(member)


def pay_from_pot(id: str, pot: str, member: str, currency: str, amount: int, desk: Desk, records: Records) -> int:
    """The holder makes good up to `amount` micros out of a pot, frozen or not; how much it was, once for each id.

    Raises `Refused` (`insufficient_funds`) when the pot holds too little: for this id for good.
    """
    part = make_good(member, currency, f"pot {id}", amount, records)
    undone = f"undone {id}"
    if undone in arrears_of(member, currency, records).parts:
        raise Refused("insufficient_funds", "the pot held too little", where=f"pot {pot}")
    if not part:
        return 0
    try:
        settle_from_pot(id, pot, member, part, currency, desk)
    except Refused:
        for before, record in _tries(member, currency, records):
            if _put([_kept(gone_back(before, undone, part), record)], records):
                break
        raise
    thaw(member, currency, desk, records)
    return part


def thaw(member: str, currency: str, desk: Desk, records: Records) -> Arrears:
    """Let the holder's pots pay again when nothing is owed any more, and say so; freeze them when something is."""
    arrears = _enforced(arrears_of(member, currency, records), desk, records)
    if arrears.parts and not arrears.frozen:
        _put([_notice(arrears, CURED, str(len(arrears.parts)), desk.clock.now(), anew=True)], records)
    return arrears


def arrears_of(member: str, currency: str, records: Records) -> Arrears:
    """What a holder owes in a currency, with everything that made it so."""
    record = records.get(KIND, _name(member, currency))
    return Arrears(member, currency) if record is None else _read(record)


def all_arrears(member: str, records: Records) -> list[Arrears]:
    """What a holder owes, in each currency in which anything ever went back."""
    return [_read(record) for record in records.find(KIND, members={member})]


def _enforced(arrears: Arrears, desk: Desk, records: Records) -> Arrears:
    """The pots as the newest list says. Of two at once, whoever wrote by an older list looks again and is right."""
    for _ in range(RETRIES):
        desk.books.freeze(arrears.member, arrears.currency, arrears.frozen)
        now = arrears_of(arrears.member, arrears.currency, records)
        if now.frozen == arrears.frozen:
            return now
        arrears = now
    raise _busy(arrears.member)


def _tries(member: str, currency: str, records: Records) -> Iterator[tuple[Arrears, Record | None]]:
    for _ in range(4 * RETRIES):
        record = records.get(KIND, _name(member, currency))
        yield (Arrears(member, currency) if record is None else _read(record)), record


def _put(new: list[Record], records: Records) -> bool:
    try:
        records.put(new)
    except Conflict:
        return False
    return True


def _read(record: Record) -> Arrears:
    return msgspec.convert(dict(record.body), Arrears)


def _kept(arrears: Arrears, before: Record | None) -> Record:
    return Record(
        KIND,
        _name(arrears.member, arrears.currency),
        {"member": arrears.member, "currency": arrears.currency, "parts": dict(arrears.parts)},
        before.version if before else 0,
        members=frozenset({arrears.member}),
        terms=frozenset({"state=open" if arrears.frozen else "state=good"}),
    )


def _notice(arrears: Arrears, what: str, name: str, at: datetime, *, anew: bool) -> Record:
    """Tells the holder what is owed and how to make it good. It says nothing of care, nor of anybody else.

    `anew`: it freezes the pots, or thaws them; more of the same is told in the list, not by another text message.
    """
    body = {
        "what": what,
        "owed": max(0, arrears.owed),
        "currency": arrears.currency,
        "cure": f"POST /v1/members/{arrears.member}/arrears/payments" if arrears.frozen else "",
        "text": anew,
        "at": at.isoformat(),
    }
    words = "\0".join((arrears.member, arrears.currency, what, name))
    own = f"ntc_{sha256(words.encode()).hexdigest()[:32]}"
    return Record(NOTICE, own, body, members=frozenset({arrears.member}), terms=frozenset({"state=waiting"}))


def _name(member: str, currency: str) -> str:
    return f"{member}/{currency}"


def _busy(member: str) -> Unavailable:
    return Unavailable("this holder's debts change faster than they can be kept", where=f"member {member}")
