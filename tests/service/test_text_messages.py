"""Text messages: one for each visit, made once, one part in every language, asleep at night, without a health word."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from drachm.adapters.messengers.sandbox import FileMessenger
from drachm.adapters.rest.identity.model import Environment, anonymous
from drachm.adapters.rest.service.notices_text import told, writer
from drachm.adapters.rest.service.speech import LANGUAGES
from drachm.application.people import PROFILE
from drachm.application.records import Record
from drachm.application.text_messages import KIND, Ended, Outgoing, TextMessages
from drachm.domain.errors import Unavailable
from drachm.domain.messages.lengths import length
from drachm.domain.money import MICROS

LINK = "drm.example/s/1-7K4M2QXD9F"
PHONE = "555 0100"


class Desk:
    """A town with text messages."""

    def __init__(self, town: Any, messenger: Any = None, now: Any = None) -> None:
        self.town, self.sent = town, []
        market, desk = town.market, town.desk
        numbers = iter(range(10**6))
        write = writer(
            *(town.name, "https://drm.example", PHONE, market.records, desk.ids.random_bytes),
            lambda: f"cod_{next(numbers):06}{town.clock.now().timestamp()}",
        )
        out = self if messenger is None else messenger
        self.messages = TextMessages(
            market.index, desk.books, market.register, market.records, write, out, now or town.clock.now
        )
        self.messages.make()

    def send(self, message: Outgoing) -> None:
        self.sent.append(message)

    def turn(self, **later: float) -> list[str]:
        """Let time go by, and give the texts that went out."""
        self.town.clock.move(**(later or {"minutes": 16}))
        self.town.follow()
        before = len(self.sent)
        while self.messages.make():
            pass
        self.messages.send()
        return [one.text for one in self.sent[before:]]


@pytest.fixture
def known(town: Any) -> Any:
    """Ana and cleo have telephones; ben has none."""
    for member, language in (("ana", "en"), ("cleo", "de")):
        contact = {"phone": "+1 (555) 010-2030", "language": language}
        town.market.records.put([Record(PROFILE, member, {"contact": contact}, members=frozenset({member}))])
    town.extra["desk"] = Desk(town)
    return town


def now_event(town: Any, event_id: str, dollars: int = 40, **changes: Any) -> Any:
    return town.event(event_id, dollars, started_at=town.clock.now() - timedelta(minutes=20), **changes)


def test_one_visit_one_message_when_it_is_over(known: Any) -> None:
    desk = known.extra["desk"]
    known.clear(now_event(known, "e1"), now_event(known, "e2", 25))
    assert desk.turn(minutes=10) == []
    known.clear(now_event(known, "e3", 12))
    assert desk.turn(minutes=10) == []
    (text,) = desk.turn(minutes=10)
    assert re.fullmatch(
        r"Visit 10 Mar: price 77\.00, insurance 53\.60, you 23\.40, paid\. Nothing more to pay\. "
        rf"See why: drm\.example/s/{known.name}-[0-9A-Z]{{10}} Help 555 0100",
        text,
    ), text
    assert length(text).is_one
    assert desk.sent[0].number == "+15550102030"
    assert desk.turn() == []
    assert desk.turn(hours=3) == []


def test_the_link_of_a_message_opens_the_receipt(known: Any, ask: Any) -> None:
    desk = known.extra["desk"]
    known.clear(now_event(known, "e1", display="CANARY"))
    (text,) = desk.turn()
    code = re.findall(r"/s/(\S+)", text)[0]
    nobody = anonymous(Environment.SANDBOX)
    answer = ask("open_short_link", nobody, {"code": code})
    token = answer.headers["location"].rpartition("/")[2]
    page = ask("open_receipt_page", nobody, {"token": token})
    assert page.status == 200
    assert "CANARY" not in page.body
    assert "date of birth" in page.body


def test_what_is_owed_is_asked_for_and_in_the_members_language(known: Any) -> None:
    desk = known.extra["desk"]
    known.clear(now_event(known, "e1", 60, member="cleo"))
    (text,) = desk.turn()
    assert "60,00" in text
    assert length(text).is_one


def test_who_has_no_telephone_gets_none(known: Any) -> None:
    desk = known.extra["desk"]
    known.clear(now_event(known, "e1", member="ben", billing_party="hospital"))
    known.market.records.put([Record(PROFILE, "dan", {"contact": {"phone": "ask my son"}}, members=frozenset({"dan"}))])
    known.clear(now_event(known, "e2", member="dan", visit="v2"))
    assert desk.turn() == []


def test_a_change_is_told_once_more_and_never_a_third_time(known: Any) -> None:
    desk = known.extra["desk"]
    known.clear(now_event(known, "e1"))
    assert len(desk.turn()) == 1
    for number in (1, 2, 3):
        known.clear(now_event(known, f"n{number}", 10 * number))
        texts = desk.turn()
        assert len(texts) == (1 if number == 1 else 0)
        assert all("settled" in text for text in texts)


def test_nobody_is_told_of_what_was_before_or_is_imported(town: Any) -> None:
    contact = {"contact": {"phone": "5550102030"}}
    town.market.records.put([Record(PROFILE, "ana", contact, members=frozenset({"ana"}))])
    town.clear(now_event(town, "e1"))
    desk = Desk(town)
    assert desk.turn() == []
    town.clear(town.event("old", 40, started_at=town.clock.now() - timedelta(days=30), visit="long ago"))
    assert desk.turn() == []


def test_at_night_it_waits_for_the_morning(known: Any) -> None:
    desk = known.extra["desk"]
    # 10 March 2026, 12:00 in New York; at 22:00 the visit begins.
    known.clock.move(hours=10)
    known.clear(now_event(known, "e1"))
    assert desk.turn() == []
    assert desk.turn(hours=8) == []
    assert len(desk.turn(hours=2)) == 1


def test_many_makers_and_senders_tell_once(known: Any) -> None:
    for number in range(6):
        known.clear(now_event(known, f"e{number}", 10, visit=f"v{number}"), index=False)
    known.clock.move(minutes=16)
    now = known.clock.now()
    known.follow()
    desks = [Desk(known, now=lambda: now) for _ in range(3)]

    def work(desk: Desk) -> None:
        while desk.messages.make():
            pass
        for _ in range(3):
            desk.messages.send()

    with ThreadPoolExecutor(3) as threads:
        list(threads.map(work, desks))
    ids = [one.id for desk in desks for one in desk.sent]
    assert len(ids) == len(set(ids)) == 6


class Broken:
    """A way out that fails."""

    def __init__(self, error: Exception) -> None:
        self.error: Exception | None = error
        self.tried: list[Outgoing] = []

    def send(self, message: Outgoing) -> None:
        self.tried.append(message)
        if self.error is not None:
            raise self.error


def test_what_was_certainly_not_sent_is_tried_again_and_what_may_have_been_is_not(known: Any) -> None:
    broken = Broken(Unavailable("nobody there", where="gateway"))
    desk = Desk(known, broken)
    known.clear(now_event(known, "e1"))
    desk.turn()
    broken.error = None
    desk.turn()
    assert len(broken.tried) == 2
    known.clear(now_event(known, "e2", visit="v2"))
    broken.error = RuntimeError("the line broke in the middle")
    with pytest.raises(RuntimeError):
        desk.turn()
    broken.error = None
    desk.turn()
    assert len(broken.tried) == 3
    states = sorted(one.body["state"] for one in known.market.records.find(KIND))
    assert states == ["sending", "sent"]


def test_an_erased_patient_leaves_no_text(known: Any) -> None:
    desk = known.extra["desk"]
    known.clear(now_event(known, "e1"))
    desk.turn()
    known.desk.books.erase("ana")
    assert all("text" not in one.body for one in known.market.records.find(KIND))


def test_the_sandbox_writes_lines_that_only_its_user_reads(tmp_path: Path) -> None:
    path = tmp_path / "messages.jsonl"
    messenger = FileMessenger(path)
    for number in range(3):
        messenger.send(Outgoing(f"txt_{number}", "5550100", "Visit 10 Mar: 1.00"))
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line["id"] for line in lines] == ["txt_0", "txt_1", "txt_2"]
    assert lines[0]["places"] == 18
    assert path.stat().st_mode & 0o077 == 0
    with pytest.raises(Unavailable):
        FileMessenger(tmp_path / "nowhere" / "x").send(Outgoing("a", "b", "c"))


# --- every moment in every language

ROW: Any = None
PLAIN = Ended("ana", "en", date(2026, 11, 21), "USD", 33_600_000, 16_400_000, 0, True, False, ROW)
MOMENTS = {
    "paid": PLAIN,
    "nothing": PLAIN._replace(patient=0),
    "due": PLAIN._replace(due=16_400_000),
    "waiting": PLAIN._replace(final=False),
    "settled": PLAIN._replace(again=True),
    "settled and due": PLAIN._replace(again=True, due=6_400_000),
    "taken back": PLAIN._replace(again=True, insurance=0, patient=0, currency=""),
}
HEALTH = ("clinic ", "doctor", "diagnos", "test result", "prescription", "heart", "video", "hospital")


@pytest.mark.parametrize("language", sorted(LANGUAGES))
@pytest.mark.parametrize("moment", MOMENTS)
def test_every_moment_is_one_message_in_every_language(language: str, moment: str) -> None:
    ended = MOMENTS[moment]._replace(language=language)
    text = told(ended, LINK, PHONE)
    assert text is not None
    size = length(text)
    assert size.is_one, (size, text)
    assert LINK in text
    assert "{" not in text
    assert "$" not in text
    if ended.patient and ended.final:
        amount = text.replace("\N{ARABIC DECIMAL SEPARATOR}", ".").replace(",", ".")
        assert "33.60" in amount
        assert "16.40" in amount or "6.40" in amount
    assert not [word for word in HEALTH if word in text.lower()]
    if language in ("en", "de", "es"):
        assert size.alphabet == "GSM-7", [sign for sign in text if length(sign).alphabet != "GSM-7"]


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_large_sums_still_fit_or_are_not_sent_in_pieces(language: str) -> None:
    large = PLAIN._replace(language=language, insurance=12_345_678 * MICROS, patient=2_345_678 * MICROS)
    for link in (LINK, "a-rather-long-name-of-a-service.example.org/s/1-7K4M2QXD9F", "x" * 200):
        text = told(large, link, PHONE)
        assert text is None or length(text).is_one


def test_without_a_help_number_none_is_named() -> None:
    assert "Help" not in (told(PLAIN, LINK, "") or "")
