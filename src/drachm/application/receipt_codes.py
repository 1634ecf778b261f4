"""Which receipt does a short code stand for?

A slip has a code of eight signs for people without a telephone: typed at a kiosk, or read out to a clerk, always
together with a second answer. A text message has one of ten signs that opens the amounts alone, as a link does. Codes
are found by a keyed hash; the record goes with its member. Withdrawing a receipt's links ends its codes too.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final, NamedTuple

from drachm.application.records import Record, Records
from drachm.domain.messages.codes import LETTERS, code_of

KIND: Final = "receipt_code"
LINK_LETTERS: Final = 10


class Coded(NamedTuple):
    """What a code stands for."""

    receipt: str
    member: str
    version: int
    """Of the receipt's links when it was made; a higher one has ended it."""
    until: datetime
    question: str
    """What is asked beside it: `birth_date`, `code` or `none`."""


def make_code(
    records: Records,
    id: str,
    coded: Coded,
    parties: frozenset[str],
    random: Callable[[int], bytes],
    by: str,
    letters: int = LETTERS,
) -> str:
    """A new code. It is kept as a keyed hash only: this answer is the one place where it stands."""
    code = code_of(random(letters), letters)
    body = {
        "receipt": coded.receipt,
        "member": coded.member,
        "version": coded.version,
        "until": coded.until.isoformat(),
        "question": coded.question,
    }
    members = frozenset({coded.member} - {""})
    records.put([Record(KIND, id, body, parties=parties, members=members, terms=frozenset({_term(code)}), author=by)])
    return code


def find_code(records: Records, code: str, at: datetime) -> Coded | None:
    """What a code stands for; None for one that is not here, has ended, or stands for two things."""
    found = [_coded(record) for record in records.find(KIND, terms=[_term(code)], limit=2)] if code else []
    good = [one for one in found if at < one.until]
    return good[0] if len(good) == 1 else None


def _coded(record: Record) -> Coded:
    body = record.body
    until = datetime.fromisoformat(body["until"])
    return Coded(body["receipt"], body["member"], body["version"], until, body["question"])


def _term(code: str) -> str:
    return f"code={code}"
