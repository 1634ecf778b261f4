"""Payout accounts and their changes as records: proposed, agreed to, stopped, and everybody told.

The rules are `domain/coverage/payout.py`. An account record holds the party and the currency; each number is a change
record of its own, sealed, so the history is the account. With every step goes a notice, written in the same transaction
as the step itself: nobody learns of a change later than it is made.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from drachm.application.records import Record, Records
from drachm.domain.coverage.payout import Change, approved, withdrawn

ACCOUNT: Final = "payout_account"
CHANGE: Final = "payout_change"
NOTICE: Final = "notice"
"""What somebody has to be told: written with what happened, delivered from here."""
_PAGE: Final = 100


@dataclass(frozen=True, slots=True)
class Hand:
    """Who does something, when, and under which ids the records go that are made by it."""

    subject: str
    at: datetime
    change_id: str
    notice_id: str


def change_of(record: Record) -> Change:
    """A change record as the rules see it."""
    body = record.body
    return Change(
        record.id,
        body["proposed_by"],
        datetime.fromisoformat(body["proposed_at"]),
        body.get("approved_by") or "",
        _moment(body.get("approved_at")),
        body.get("withdrawn_by") or "",
        _moment(body.get("withdrawn_at")),
    )


def changes_of(records: Records, account: str) -> list[Record]:
    """Every change of an account; ids sort by the time of making."""
    found: list[Record] = []
    while True:
        page = records.find(CHANGE, after=found[-1].id if found else "", limit=_PAGE, terms=[_term(account)])
        found += page
        if len(page) < _PAGE:
            return found


def proposed(account: Record, number: Mapping[str, str], hand: Hand) -> list[Record]:
    """The account with a number that somebody proposes, to be written together.

    The account is written anew each time: of two proposals at once one holds.
    """
    body = {
        "account": account.id,
        "party": account.body["party"],
        "number": dict(number),
        "proposed_by": hand.subject,
        "proposed_at": hand.at.isoformat(),
    }
    change = Record(CHANGE, hand.change_id, body, parties=account.parties, terms=frozenset({_term(account.id)}))
    return [account, change, _notice(change, "payout_change_proposed", hand)]


def agreed(record: Record, hand: Hand) -> list[Record]:
    """The change with a second person's consent, to be written together. Raises as `payout.approved`."""
    change = _rewritten(record, approved(change_of(record), hand.subject, hand.at))
    return [change, _notice(change, "payout_change_approved", hand)]


def stopped(record: Record, hand: Hand) -> list[Record]:
    """The change, withdrawn, to be written together. Raises as `payout.withdrawn`."""
    change = _rewritten(record, withdrawn(change_of(record), hand.subject, hand.at))
    return [change, _notice(change, "payout_change_withdrawn", hand)]


def _rewritten(record: Record, change: Change) -> Record:
    body = {
        **record.body,
        "approved_by": change.approved_by,
        "approved_at": change.approved_at and change.approved_at.isoformat(),
        "withdrawn_by": change.withdrawn_by,
        "withdrawn_at": change.withdrawn_at and change.withdrawn_at.isoformat(),
    }
    return replace(record, body=body)


def _notice(change: Record, what: str, hand: Hand) -> Record:
    """Tells the party, and everybody who had a hand in the change. No number stands in it."""
    said: Mapping[str, Any] = change.body
    people = {said.get("proposed_by"), said.get("approved_by"), said.get("withdrawn_by"), hand.subject}
    body = {
        "what": what,
        "about": change.id,
        "payout_account": said["account"],
        "party": said["party"],
        "by": hand.subject,
        "to": sorted(one for one in people if one),
        "at": hand.at.isoformat(),
    }
    return Record(NOTICE, hand.notice_id, body, parties=change.parties, terms=frozenset({"state=waiting"}))


def _term(account: str) -> str:
    return f"account={account}"


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
