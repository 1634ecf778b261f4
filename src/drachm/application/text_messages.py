"""Who gets a text message? When a visit is over: one for each visit, and one more only if what it said has changed.
When a payment went back, and when that is made good: one each, however much else goes back in between. When money came
after the care and paid for it by itself: one for all that it paid at once.

A visit is over when nothing of it came for a quarter of an hour. What is told once has a record whose id follows from
the visit, so whoever works at the same time or comes back after a crash tells nobody twice. The record is the outbox:
it is claimed before it is sent, and a claim that nobody finished is never sent again, because we cannot know. Words and
links come from outside (`Writer`), and the way out of the house does too (`Messenger`). It waits for the morning.
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any, Final, NamedTuple, Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from drachm.application.journal_index import Indexed, JournalIndex, Looked
from drachm.application.late_notices import PAID_LATE
from drachm.application.notices import MARK, NOTICE, TEXT_WAITS, late_mark
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
_PHONE: Final = re.compile(r"\+?[0-9]{5,15}", re.ASCII)
_CHARGES: Final = ("charge", "replacement")
_ANSWERED: Final = ("posted", "denied")
_TOLD: Final = ("currency", "insurance", "patient", "due", "final")
"""What of a visit is told anew when it has changed."""
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


class Late(NamedTuple):
    """Something of a visit, or of several, was paid by itself after it was over. Micros."""

    member: str
    language: str
    currency: str
    amount: int
    due: int
    """What is still due of it."""
    day: date | None
    """None: several visits."""
    row: Indexed | None
    """The receipt that the link opens; None: the link leads to all visits."""


Writer = Callable[[Ended | Owing | Late], str | None]
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
        waiting = self._records.find(NOTICE, terms=[TEXT_WAITS], limit=PIECE)
        together: dict[tuple[str, ...], list[Record]] = {}
        for notice in waiting:
            (member,) = notice.members
            is_late = notice.body["what"] == PAID_LATE
            together.setdefault((member, notice.body["currency"]) if is_late else (notice.id,), []).append(notice)
        for notices in together.values():
            self._tell_notices(notices)
        return len(waiting)

    def _tell_notices(self, notices: Sequence[Record]) -> None:
        """Make one message of notices to one person, or none where nothing is left to say or nobody to say it to."""
        now, members = self._now(), notices[0].members
        (member,) = members
        number, language = self._reached(member)
        kind = notices[0].body["what"]
        said: Owing | Late | None = None
        if number:
            said = self._late(member, notices, language) if kind == PAID_LATE else Owing(member, language, kind)
        text = self._write(said) if said is not None else None
        done = [replace(one, terms=frozenset({"text=made"} if text else {"text=none"})) for one in notices]
        if text:
            # Staff of a clinic see what is told of it alone: a sum over several is nobody's but the patient's.
            providers = {str(one.body.get("provider", "")) for one in notices}
            parties = frozenset(providers - {""} if len(providers) == 1 else ())
            body = _body(number, text, now, self._zone(*parties))
            done.append(
                Record(KIND, message_id(notices[0].id, 1), body, parties=parties, members=members, terms=_terms(body))
            )
        try:
            self._records.put(done)
        except Conflict:
            _log.debug("another process made this message")

    def _late(self, member: str, notices: Sequence[Record], language: str) -> Late | None:
        """What several payments by themselves come to; None where the messages of their visits tell it."""
        told = [one.body for one in notices if not self._is_awaited(one.body)]
        if not told:
            return None
        currency, amount = told[0]["currency"], sum(one["amount"] for one in told)
        visits = {one["visit"] for one in told}
        rows = list(self._index.of_visit(*visits, parties=None, members=None)) if len(visits) == 1 else []
        ended = self._ended(rows, True, language) if rows else None
        if ended is None:
            return Late(member, language, currency, amount, 0, None, None)
        return Late(member, language, currency, amount, ended.due, ended.day, ended.row)

    def _is_awaited(self, late: Mapping[str, Any]) -> bool:
        """Whether the first message of its visit is still to come."""
        is_new = self._now().date() - date.fromisoformat(late["day"]) <= OLDEST
        return is_new and self._records.get(KIND, message_id(late["visit"], 1)) is None

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
        number, language = self._reached(rows[0].member)
        if not number:
            return
        before = [one for nth in range(1, MOST + 1) if (one := self._records.get(KIND, message_id(visit, nth)))]
        if len(before) == MOST:
            return
        ended = self._ended(rows, bool(before), language)
        if ended is None or (before and self._is_known(before[-1].body["told"], ended, rows[-1])):
            return
        text = self._write(ended)
        if text is None:
            return
        body = {**_body(number, text, now, self._zone(rows[-1].provider)), "told": _said(ended)}
        made = Record(
            KIND,
            message_id(visit, len(before) + 1),
            body,
            parties=frozenset(row.provider for row in rows) - {""},
            members=frozenset({ended.member}),
            terms=_terms(body),
        )
        try:
            self._records.put([made])
        except Conflict:
            _log.debug("another process made this message")

    def _is_known(self, told: Sequence[Any], ended: Ended, last: Indexed) -> bool:
        """Whether a message said this already: the one before, or a notice of what was paid late."""
        said = _said(ended)
        if told == said:
            return True
        apart = [name for name, one, other in zip(_TOLD, told, said, strict=True) if one != other]
        return apart == ["due"] and self._records.get(MARK, late_mark(last.position)) is not None

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
        # Whoever has said since that they want none gets none, also of what waited for the morning.
        wanted = all(self._reached(member)[0] for member in record.members)
        try:
            (claimed,) = self._records.put([_as(record, "sending" if wanted else "unwanted")])
        except Conflict:
            return False
        body = record.body
        if not wanted:
            return False
        try:
            messenger.send(Outgoing(record.id, body["number"], body["text"]))
        except DrachmError as error:
            _log.warning("a text message could not be sent: %s", error.code)
            self._records.put([_as(claimed, "waiting")])
            return False
        self._records.put([_as(claimed, "sent")])
        return True

    def _reached(self, member: str) -> tuple[str, str]:
        """(telephone number, language) of somebody; no number where there is none, or no messages are wanted."""
        profile = self._records.get(PROFILE, member)
        contact = (profile.body.get("contact") if profile is not None else None) or {}
        wanted = contact.get("text_messages", True)
        return _number(contact.get("phone", "")) if wanted else "", contact.get("language", "")

    def _zone(self, provider: str = "") -> tzinfo:
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
    return replace(record, body=body, terms=_terms(body), at=None)


def _terms(body: dict[str, Any]) -> frozenset[str]:
    return frozenset({f"state={body['state']}", f"day={body['day']}"})


def _said(ended: Ended) -> list[Any]:
    return [getattr(ended, name) for name in _TOLD]


def _number(text: str) -> str:
    """A telephone number as gateways take it; empty for what is none."""
    plain = re.sub(r"[\s()./-]", "", text)
    return plain if _PHONE.fullmatch(plain) else ""


def message_id(visit: str, number: int) -> str:
    """Of the message of a visit, or of a notice."""
    return f"txt_{visit}_{number}"
