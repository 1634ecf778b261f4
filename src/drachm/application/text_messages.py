"""Who gets a text message? When a visit is over: one for each visit, and one more only if what it said has changed.
When a payment went back, and when that is made good: one each, however much else goes back in between.

A visit is over when nothing of it came for a quarter of an hour. What is told once has a record whose id follows from
the visit, so whoever works at the same time or comes back after a crash tells nobody twice. The record is the outbox:
it is claimed before it is sent, and a claim that nobody finished is never sent again, because we cannot know. Words and
links come from outside (`Writer`), and the way out of the house does too (`Messenger`). It waits for the morning.
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any, Final, NamedTuple, Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from drachm.application.journal_index import Indexed, JournalIndex, Looked
from drachm.application.notices import NOTICE, TEXT_WAITS
from drachm.application.over_and_over import over_and_over
from drachm.application.people import PROFILE
from drachm.application.ports import Books
from drachm.application.records import Record, Records
from drachm.application.register import Register
from drachm.application.shown_receipts import shown_receipts
from drachm.domain.errors import Conflict, DrachmError
from drachm.domain.messages.hours import not_before
from drachm.domain.receipts.model import Receipt

KIND: Final = "text_message"
PLACE: Final = "text_message_place"
QUIET: Final = timedelta(minutes=15)
"""After so long without anything new a visit is over."""
OLDEST: Final = timedelta(days=3)
"""Care of longer ago was told otherwise, or comes from an import."""
MOST: Final = 2
"""Messages of one visit."""
PIECE: Final = 500
PAUSE_SECONDS: Final = 5.0
SHOWN: Final = 500
"""So many are read for one list."""
_LAST_DIGITS: Final = 3
_CODE: Final = re.compile(r"(/s/)\S+")
"""The short link of a receipt, whatever its code looks like."""
_PHONE: Final = re.compile(r"\+?[0-9]{5,15}", re.ASCII)
_CHARGES: Final = ("charge", "replacement")
_ANSWERED: Final = ("posted", "denied")
_log = logging.getLogger("drachm.text_messages")


class Ended(NamedTuple):
    """A visit that is over, as far as a message tells it. Micros."""

    member: str
    language: str
    day: date
    currency: str
    insurance: int
    patient: int
    due: int
    final: bool
    """No insurer has still to answer, and nothing waits."""
    again: bool
    """There was a message before; this one says what changed."""
    row: Indexed
    """The newest row of it: the receipt that the link opens."""

    @property
    def price(self) -> int:
        return self.insurance + self.patient


class Outgoing(NamedTuple):
    """A message as the way out takes it."""

    id: str
    """Once in all the world: a gateway may use it to send nothing twice."""
    number: str
    text: str


class Owing(NamedTuple):
    """A holder's payment went back, or that was made good. No amount: it lies on a locked screen."""

    member: str
    language: str
    what: str
    """`arrears.RETURNED` or `arrears.CURED`."""


Writer = Callable[[Ended | Owing], str | None]
"""The words of a message; None where it cannot be told in one."""


class Messenger(Protocol):
    """A way out of the house."""

    def send(self, message: Outgoing) -> None:
        """Hand it over. Raises Unavailable when it was certainly not sent; anything else leaves it unknown."""


class TextMessages:
    """Of one tenant."""

    def __init__(
        self,
        index: JournalIndex,
        books: Books,
        register: Register,
        records: Records,
        write: Writer,
        messenger: Messenger | None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._index = index
        self._books = books
        self._register = register
        self._records = records
        self._write = write
        self._messenger = messenger
        self._now = now

    def make(self) -> int:
        """Look at rows that came, and make the messages of visits that are over; how many rows were done with.

        The first time ever it begins at the end: nobody is told of what was before.
        """
        place, now = self._records.get(PLACE, "place"), self._now()
        if place is None:
            self._go_on(Record(PLACE, "place", {}), self._index.followed())
            return 0
        rows = self._index.after(int(place.body["position"]), parties=None, members=None, limit=PIECE)
        ripe: list[Indexed] = []
        for row in rows:
            if row.posted_at > now - QUIET:
                break
            ripe.append(row)
        # Care of long ago is not looked up visit by visit, as after an import: what is newer in it comes by itself.
        since = now.date() - OLDEST
        for visit in dict.fromkeys(row.visit for row in ripe if row.member and row.day >= since):
            self._tell(visit, now)
        if ripe:
            self._go_on(place, ripe[-1].position)
        return len(ripe)

    def make_of_notices(self) -> int:
        """Make the messages of notices that have one; how many notices were done with."""
        waiting, now = self._records.find(NOTICE, terms=[TEXT_WAITS], limit=PIECE), self._now()
        for notice in waiting:
            (member,) = notice.members
            contact = self._contact(member)
            number = _number(contact.get("phone", ""))
            text = self._write(Owing(member, contact.get("language", ""), notice.body["what"])) if number else None
            done = [replace(notice, terms=frozenset({"text=made"} if text else {"text=none"}))]
            if text:
                body = _body(number, text, now, self._zone(""))
                done.append(Record(KIND, _id(notice.id, 1), body, members=notice.members, terms=_terms(body)))
            try:
                self._records.put(done)
            except Conflict:
                _log.debug("another process made this message")
        return len(waiting)

    def send(self) -> int:
        """Send what may be sent now; how many were."""
        if self._messenger is None:
            return 0
        sent, after, now = 0, "", self._now()
        while page := self._records.find(KIND, terms=["state=waiting"], after=after):
            after = page[-1].id
            sent += sum(self._send(one, self._messenger) for one in page if _due(one, now))
        return sent

    def _tell(self, visit: str, now: datetime) -> None:
        rows = list(self._index.of_visit(visit, parties=None, members=None))
        if not rows or rows[-1].posted_at > now - QUIET or now.date() - rows[-1].day > OLDEST:
            return
        contact = self._contact(rows[0].member)
        number = _number(contact.get("phone", ""))
        if not number:
            return
        before = [one for nth in range(1, MOST + 1) if (one := self._records.get(KIND, _id(visit, nth)))]
        if len(before) == MOST:
            return
        ended = self._ended(rows, bool(before), contact.get("language", ""))
        if ended is None or (before and before[-1].body["told"] == _said(ended)):
            return
        text = self._write(ended)
        if text is None:
            return
        body = {**_body(number, text, now, self._zone(rows[-1].provider)), "told": _said(ended)}
        made = Record(
            KIND,
            _id(visit, len(before) + 1),
            body,
            parties=frozenset(row.provider for row in rows) - {""},
            members=frozenset({ended.member}),
            terms=_terms(body),
        )
        try:
            self._records.put([made])
        except Conflict:
            _log.debug("another process made this message")

    def _ended(self, rows: Sequence[Indexed], again: bool, language: str) -> Ended | None:
        newest = {row.key: row for row in rows}
        looked = self._index.look([row.position for row in newest.values()])
        standing = [one for one in looked if _stands(one)]
        shown = shown_receipts([one.stored for one in standing], self._books)
        receipts: list[Receipt] = [one.receipt for one in shown if one is not None]
        currencies = {receipt.currency for receipt in receipts}
        if len(currencies) > 1 or (not receipts and not again) or len(receipts) < len(standing):
            return None
        final = all(row.status != "pended" for row in newest.values()) and not any(one.provisional for one in receipts)
        last = next((row for row in reversed(rows) if row.status in _ANSWERED and row.kind in _CHARGES), None)
        if last is None:
            return None
        return Ended(
            last.member,
            language,
            last.day,
            next(iter(currencies), ""),
            sum(receipt.payers for receipt in receipts),
            sum(receipt.patient for receipt in receipts),
            sum(receipt.due for receipt in receipts),
            final,
            again,
            last,
        )

    def _send(self, record: Record, messenger: Messenger) -> bool:
        try:
            (claimed,) = self._records.put([_as(record, "sending")])
        except Conflict:
            return False
        body = record.body
        try:
            messenger.send(Outgoing(record.id, body["number"], body["text"]))
        except DrachmError as error:
            _log.warning("a text message could not be sent: %s", error.code)
            self._records.put([_as(claimed, "waiting")])
            return False
        self._records.put([_as(claimed, "sent")])
        return True

    def _contact(self, member: str) -> dict[str, Any]:
        profile = self._records.get(PROFILE, member)
        return dict(profile.body.get("contact") or {}) if profile is not None else {}

    def _zone(self, provider: str) -> tzinfo:
        found = self._register.parties(ids=[provider]) if provider else []
        try:
            return ZoneInfo(found[0].zone) if found and found[0].zone else UTC
        except (ZoneInfoNotFoundError, ValueError):
            return UTC

    def _go_on(self, place: Record, position: int) -> None:
        try:
            self._records.put([replace(place, body={"position": position})])
        except Conflict:
            _log.debug("another process went on")


class Told(NamedTuple):
    """One message as staff may see it."""

    member: str
    number: str
    """The end of the telephone number only."""
    text: str
    """Without the code of the link, which is the patient's."""
    state: str
    """`waiting`, `sending` (nobody knows whether it went out, and it is never sent again) or `sent`."""
    at: datetime
    """When it came into this state."""
    made: datetime
    not_before: datetime
    tries: int
    """How often it was handed over."""


def told_on(records: Records, day: date, parties: Collection[str] | None) -> list[Told]:
    """The messages of visits of these providers that were made on a day, newest first; None: of all."""
    return _shown(records.find(KIND, parties=parties, terms=[f"day={day.isoformat()}"], limit=SHOWN))


def told_of(records: Records, visit: str) -> list[Told]:
    """The messages about one visit, newest first."""
    return _shown([one for nth in range(1, MOST + 1) if (one := records.get(KIND, _id(visit, nth)))])


def untold(records: Records, state: str, parties: Collection[str] | None) -> list[Told]:
    """The messages in one state, of every day."""
    return _shown(records.find(KIND, parties=parties, terms=[f"state={state}"], limit=SHOWN))


def _shown(found: Sequence[Record]) -> list[Told]:
    shown = [
        Told(
            next(iter(one.members), ""),
            _masked(one.body["number"]),
            _CODE.sub(r"\1…", one.body["text"]),
            one.body["state"],
            one.at,
            datetime.fromisoformat(one.body["made"]),
            datetime.fromisoformat(one.body["not_before"]),
            # A version each for made, claimed, and what came of the claim.
            one.version // 2,
        )
        # The content of a message goes with its patient's data.
        for one in found
        if one.body and one.at is not None
    ]
    return sorted(shown, key=lambda one: (one.made, one.number), reverse=True)


def _masked(number: str) -> str:
    return "…" + number[-_LAST_DIGITS:]


def keep_texting(messages: TextMessages, stopping: threading.Event) -> None:
    """Make and send messages until `stopping` is set; what breaks is said, and tried again."""

    def look() -> float:
        wait = PAUSE_SECONDS if max(messages.make(), messages.make_of_notices()) < PIECE else 0.0
        messages.send()
        return wait

    over_and_over(look, stopping, _log, "text messages have to wait", broken=4 * PAUSE_SECONDS, first=PAUSE_SECONDS)


def _stands(looked: Looked) -> bool:
    row = looked.row
    return row.kind in _CHARGES and row.status in _ANSWERED and not looked.stored.superseded


def _body(number: str, text: str, now: datetime, zone: tzinfo) -> dict[str, Any]:
    """A message that waits, made now."""
    return {
        "number": number,
        "text": text,
        "made": now.isoformat(),
        "day": now.astimezone(zone).date().isoformat(),
        "not_before": not_before(now, zone).isoformat(),
        "state": "waiting",
    }


def _due(record: Record, now: datetime) -> bool:
    return datetime.fromisoformat(record.body["not_before"]) <= now


def _as(record: Record, state: str) -> Record:
    body = {**record.body, "state": state}
    return replace(record, body=body, terms=_terms(body))


def _terms(body: dict[str, Any]) -> frozenset[str]:
    return frozenset({f"state={body['state']}", f"day={body['day']}"})


def _said(ended: Ended) -> list[Any]:
    return [ended.currency, ended.insurance, ended.patient, ended.due, ended.final]


def _number(text: str) -> str:
    """A telephone number as gateways take it; empty for what is none."""
    plain = re.sub(r"[\s()./-]", "", text)
    return plain if _PHONE.fullmatch(plain) else ""


def _id(visit: str, number: int) -> str:
    return f"txt_{visit}_{number}"
