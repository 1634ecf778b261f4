"""A provider no longer asks for a due: proposed as a record, agreed to where it is much, posted, and asked for again.

Two rows post it. The provider pays the amount out of what is owed to it into a pot that is there for this alone, and
the due is paid from that pot as from any other (`pay_due`): a new standing of the charge. A reversal gives it back to
the pot, and so does a correction, or a payer's late answer: that is a new decision, of which the whole is due until the
provider says otherwise. The pot's funder is the provider and it closes after a day: what lies in it then is swept to
the provider, as out of every closed pot. Whatever is done twice happens once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Final, NamedTuple

import msgspec

from drachm.application.desk import Desk
from drachm.application.pay_due import Yes, pay_due, take_payment_back
from drachm.application.records import Record, Records
from drachm.application.transfers import Transfer, move
from drachm.domain.errors import Conflict, Refused
from drachm.domain.funding.model import GIVEN_UP, Pot
from drachm.domain.funding.purpose import Purpose
from drachm.domain.ledger.model import Account, Entry, Source
from drachm.domain.payments.write_off import Alone, WriteOff, agreed, proposed, withdrawn

KIND: Final = "write_off"
ALONE: Final = "write_off_alone"
"""A record for each patient of a provider says what was given up by one person alone: of two at once, one counts."""
LASTS: Final = timedelta(days=1)
"""How long there is for finishing; after that whatever lies in its pot is swept."""


class Asked(NamedTuple):
    """A charge of which something is due."""

    charge: str
    """Its name outside."""
    key: bytes
    provider: str
    member: str
    due: int


def propose(wish: WriteOff, note: str, asked: Asked, limit: int, desk: Desk, records: Records) -> Record:
    """Keep it, and post it where one person is enough. Raises as `proposed`, and Conflict when others were faster."""
    here = records.get(ALONE, _of(asked))
    before = _before(here)
    wish = proposed(wish, asked.due, before, limit)
    body = {
        "wish": msgspec.to_builtins(wish),
        "charge": asked.charge,
        "key": asked.key.hex(),
        "provider": asked.provider,
        "member": asked.member,
        "note": note,
    }
    parties, members = frozenset({asked.provider} - {""}), frozenset({asked.member} - {""})
    new = [Record(KIND, wish.id, body, 0, parties, members, _terms(wish, asked.charge))]
    if wish.alone:
        told = [[one.at.isoformat(), one.amount] for one in (*before, Alone(wish.proposed_at, wish.amount))]
        new.append(Record(ALONE, _of(asked), {"told": told}, here.version if here is not None else 0, parties, members))
    by, at = wish.proposed_by, wish.proposed_at
    try:
        record = records.put([replace(one, author=by, at=at) for one in new])[0]
    except Conflict:
        raise Conflict(
            "somebody gives up what this patient owes at the same moment",
            where="charge_id",
            next_step="Look what is due, then try again.",
        ) from None
    return finish(record, by, at, desk, records) if wish.alone else record


def agree(record: Record, by: str, at: datetime, desk: Desk, records: Records) -> Record:
    """A second person's consent, and the posting; what was agreed to and not done is finished. Raises as `agreed`."""
    wish = write_off_of(record)
    if wish.state != "agreed":
        record = _written(record, agreed(wish, by, at), by, at, records)
    return finish(record, by, at, desk, records)


def finish(record: Record, by: str, at: datetime, desk: Desk, records: Records) -> Record:
    """Post what was agreed to; the same again posts nothing."""
    wish, said = write_off_of(record), record.body
    pot = _opened(wish, said["provider"], desk)
    why = ""
    try:
        move(_given(wish, pot, said["provider"], said["member"]), desk)
        pay_due(Yes(wish.id, bytes.fromhex(said["key"]), wish.amount, outside=pot), desk)
    except (Conflict, Refused) as no:
        # It was paid, or taken back, at the same moment: what lies in the pot goes back to the provider.
        why = no.code
    became = replace(wish, outcome="failed" if why else "done")
    try:
        return _written(record, became, by, at, records, {"why": why})
    except Conflict:
        newest = records.get(KIND, record.id)
        if newest is None or write_off_of(newest).outcome != became.outcome:
            raise
        return newest


def ask_again(record: Record, by: str, at: datetime, desk: Desk, records: Records) -> Record:
    """The amount is due again, as far as the charge still stands. Raises Conflict for one that is not in the books."""
    wish = write_off_of(record)
    if wish.state == "taken_back":
        return record
    if wish.state != "done":
        raise Conflict("nothing was given up by this", where="write_off_id", next_step="Withdraw it.")
    take_payment_back(wish.id, bytes.fromhex(record.body["key"]), desk)
    return _written(record, replace(wish, outcome="taken_back"), by, at, records)


def stop(record: Record, by: str, at: datetime, records: Records) -> Record:
    """Withdrawn before anybody agreed. Raises as `withdrawn`."""
    return _written(record, withdrawn(write_off_of(record), by, at), by, at, records)


def write_off_of(record: Record) -> WriteOff:
    """A record as the rules see it."""
    return msgspec.convert(record.body["wish"], WriteOff)


def _given(wish: WriteOff, pot: Pot, provider: str, member: str) -> Transfer:
    entries = (
        Entry(Account("provider_payable", provider, wish.currency), wish.amount, Source.WALLET),
        Entry(Account("wallet", pot.id, wish.currency), -wish.amount, Source.WALLET),
    )
    return Transfer("given up", wish.id, entries, member)


def _opened(wish: WriteOff, provider: str, desk: Desk) -> Pot:
    ends = wish.proposed_at + LASTS
    pot = Pot(f"{GIVEN_UP}:{wish.id}", "", wish.currency, pocket=GIVEN_UP, purpose=Purpose(provider, ends, ends))
    if pot.id not in desk.books.pots([pot.id]):
        desk.books.enrol(pots=[pot])
    return pot


def _before(record: Record | None) -> list[Alone]:
    told = record.body["told"] if record is not None else []
    return [Alone(datetime.fromisoformat(at), amount) for at, amount in told]


def _of(asked: Asked) -> str:
    """Names a patient of a provider, and tells neither."""
    return sha256(f"{asked.provider}\0{asked.member}".encode()).hexdigest()[:32]


def _written(
    record: Record, wish: WriteOff, by: str, at: datetime, records: Records, more: Mapping[str, Any] | None = None
) -> Record:
    body = {**record.body, "wish": msgspec.to_builtins(wish), **(more or {})}
    return records.put([replace(record, body=body, terms=_terms(wish, record.body["charge"]), author=by, at=at)])[0]


def _terms(wish: WriteOff, charge: str) -> frozenset[str]:
    return frozenset({f"charge={charge}", f"state={wish.state}"})
