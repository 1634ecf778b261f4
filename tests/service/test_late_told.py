"""What is paid by itself after the care is told to its patient: a notice each, one text message for all of them."""

from __future__ import annotations

import re
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from desk_visitor import Visitor, token_for

from drachm.adapters.rest.identity.model import Role
from drachm.adapters.rest.service.notices_text import told_late, writer
from drachm.adapters.rest.service.sandbox_people import ISSUER
from drachm.adapters.rest.service.speech import LANGUAGES
from drachm.application.body import read_body
from drachm.application.late_dues import pay_late
from drachm.application.notices import NOTICE, Notices
from drachm.application.pay_due import take_payment_back
from drachm.application.people import PROFILE
from drachm.application.records import Record
from drachm.application.text_messages import Late, Outgoing, TextMessages
from drachm.application.ties import Tie, allow
from drachm.application.told_messages import told_on
from drachm.domain.coverage.model import Member
from drachm.domain.funding.model import Pot
from drachm.domain.messages.lengths import length
from drachm.domain.money import MICROS

PHONE = "555 0100"
NOOR = {"member_id": "noor"}


class Post:
    """What tells and what texts, of one process."""

    def __init__(self, town: Any) -> None:
        self.town, self.sent = town, []
        market, desk = town.market, town.desk
        self.notices = Notices(desk.books, market.index, market.register, market.money, market.records, town.clock.now)
        numbers = iter(range(10**6))
        write = writer(
            *(town.name, "https://drm.example", PHONE, market.records, desk.ids.random_bytes),
            lambda: f"cod_{id(self)}{next(numbers):06}",
        )
        self.messages = TextMessages(
            market.index, desk.books, market.register, market.records, write, self, town.clock.now
        )
        self.messages.make()

    def send(self, message: Outgoing) -> None:
        self.sent.append(message.text)

    def turn(self) -> list[str]:
        self.town.follow()
        while self.notices.tell() >= 500:
            pass
        before = len(self.sent)
        while self.messages.make():
            pass
        while self.messages.make_of_notices():
            pass
        self.messages.send()
        return self.sent[before:]


@pytest.fixture
def post(town: Any) -> Post:
    """Noor has a telephone, no cover, and an empty wallet."""
    town.desk.books.enrol(members=[Member("noor")], pots=[Pot("noor-cash", "noor", "USD")])
    reach(town, "noor")
    return Post(town)


def reach(town: Any, member: str, **changes: Any) -> None:
    contact = {"phone": "+1 (555) 010-2030", "language": "en", **changes}
    before = town.market.records.get(PROFILE, member)
    version = before.version if before is not None else 0
    body = {"contact": contact}
    town.market.records.put([Record(PROFILE, member, body, version, members=frozenset({member}))])


def visit(town: Any, name: str, dollars: int, *, days: int = 0, **changes: Any) -> None:
    at = town.clock.now() - timedelta(minutes=20, days=days)
    town.clear(town.event(name, dollars, member="noor", visit=name, started_at=at, **changes))


def come_in(town: Any, ask: Any, dollars: int) -> list[int]:
    body = {"amount": {"micros": dollars * MICROS, "currency": "USD"}}
    assert ask("top_up_wallet", town.operator(), path={"wallet_id": "noor-cash"}, body=body).status == 201
    paid = pay_late("noor", "USD", town.desk, town.market.records, town.market.money)
    return [one.amount // MICROS for one in paid]


def listed(ask: Any, town: Any) -> list[dict[str, Any]]:
    found = ask("list_notices", town.patient("noor"), path=NOOR).body["data"]
    return [one for one in found if one["what"] == "paid_late"]


def test_it_is_told_once_whoever_looks_and_how_often(post: Post, ask: Any) -> None:
    town = post.town
    visit(town, "n1", 30)
    town.clock.move(minutes=16)
    (text,) = post.turn()
    assert "Please pay 30.00" in text
    town.clock.move(days=1)
    assert come_in(town, ask, 12) == [12]
    (text,) = post.turn()
    assert re.fullmatch(
        rf"Visit 10 Mar: 12\.00 is paid now, by itself\. Still to pay: 18\.00\. "
        rf"See why: drm\.example/s/{town.name}-[0-9A-Z]{{10}} Help 555 0100",
        text,
    ), text
    # Again, by a process that remembers nothing; and when the visit is quiet, its own message does not say it again.
    assert (post.turn(), Post(town).turn()) == ([], [])
    town.clock.move(minutes=16)
    assert post.turn() == []
    (one,) = listed(ask, town)
    assert (one["paid"], one["day"]) == ({"micros": 12 * MICROS, "currency": "USD"}, "2026-03-10")
    assert int(one["due"]["micros"]) == 18 * MICROS
    assert ask("get_receipt", town.patient("noor"), path={"receipt_id": one["receipt"]}).status == 200
    assert "clinic" not in str(one).lower()
    assert "video" not in str(one).lower()
    # Nobody else is told, and staff of another clinic do not see the message.
    for caller in (town.relative("rita", of="noor"), town.patient("ana"), town.clerk("clinic")):
        assert ask("list_notices", caller, path=NOOR).status in (403, 404)
    day = town.clock.now().date()
    assert len(told_on(town.market.records, day, {"clinic"})) == 1
    assert told_on(town.market.records, day, {"hospital"}) == []
    assert come_in(town, ask, 18) == [18]
    (text,) = post.turn()
    assert "Visit 10 Mar: 18.00 that was still to pay is paid now, by itself." in text
    assert [each["paid"]["micros"] for each in listed(ask, town)] == [12 * MICROS, 18 * MICROS]


def test_several_visits_at_once_are_one_text_and_a_notice_each(post: Post, ask: Any) -> None:
    town = post.town
    visit(town, "n1", 12, days=10)
    visit(town, "n2", 8, days=9, billing_party="hospital")
    assert post.turn() == []
    assert come_in(town, ask, 20) == [12, 8]
    (text,) = post.turn()
    assert text == (
        "20.00 of earlier visits that was still to pay is paid now, by itself. See: drm.example/my Help 555 0100"
    )
    assert len(listed(ask, town)) == 2
    # What the two clinics got together is no business of either.
    day = town.clock.now().date()
    assert [told_on(town.market.records, day, {party}) for party in ("clinic", "hospital")] == [[], []]


def test_what_the_visits_own_message_will_say_is_no_further_text(post: Post, ask: Any) -> None:
    town = post.town
    visit(town, "n1", 12)
    assert come_in(town, ask, 12) == [12]
    assert post.turn() == []
    town.clock.move(minutes=16)
    (text,) = post.turn()
    assert "you 12.00, paid. Nothing more to pay." in text
    assert len(listed(ask, town)) == 1
    assert post.turn() == []


def test_what_is_paid_on_purpose_taken_back_or_long_ago_is_not_told_as_late(post: Post, ask: Any) -> None:
    town = post.town
    visit(town, "n1", 30, days=10)
    assert come_in(town, ask, 5) == [5]
    post.turn()
    (charge,) = ask("list_charges", town.patient("noor")).body["data"]
    body = {"amount": {"micros": 30 * MICROS, "currency": "USD"}}
    assert ask("top_up_wallet", town.operator(), path={"wallet_id": "noor-cash"}, body=body).status == 201
    some = {"amount": {"micros": 7 * MICROS, "currency": "USD"}}
    paid = ask("pay_charge", town.patient("noor"), path={"charge_id": charge["id"]}, body=some, key="p1")
    assert paid.status == 201
    town.follow()
    looked = town.market.index.look([town.market.index.followed()])[0]
    (by_hand,) = {part.id for part in agreed(looked) if not part.by_itself}
    assert take_payment_back(by_hand, looked.row.key, town.desk) == 7 * MICROS
    assert post.turn() == []
    assert len(listed(ask, town)) == 1
    # A house that looks at its journal for the first time lists what was, and texts nobody about last week.
    visit(town, "n2", 9, days=10)
    assert come_in(town, ask, 1) == [22]
    town.clock.move(days=4)
    assert post.turn() == []
    assert [one["paid"]["micros"] // MICROS for one in listed(ask, town)] == [5, 22]


def agreed(looked: Any) -> Any:
    return read_body(looked.stored.body).agreed


def test_who_wants_no_messages_reads_the_list(post: Post, ask: Any) -> None:
    town = post.town
    changed = {"contact": {"phone": "+1 555 010 2030", "language": "de", "text_messages": False}}
    tag = ask("get_member", town.operator(), path=NOOR).etag
    done = ask("update_member", town.operator(), path=NOOR, body=changed, if_match=tag)
    assert (done.status, done.body["contact"]["text_messages"]) == (200, False), done.body
    visit(town, "n1", 12)
    town.clock.move(minutes=16)
    assert post.turn() == []
    town.clock.move(days=1)
    assert come_in(town, ask, 12) == [12]
    assert post.turn() == []
    assert len(listed(ask, town)) == 1
    # What waits for the morning is not sent either once it is not wanted any more.
    reach(town, "noor")
    town.clock.move(hours=12)
    visit(town, "n9", 3, days=5)
    assert come_in(town, ask, 3) == [3]
    assert post.turn() == []
    reach(town, "noor", text_messages=False)
    town.clock.move(hours=12)
    assert post.turn() == []
    told = told_on(town.market.records, (town.clock.now() - timedelta(hours=12)).date(), None)
    assert {one.state for one in told} == {"unwanted"}
    assert all(one.at - one.made > timedelta(hours=11) for one in told), "the time is that of the state"
    reach(town, "noor", language="de")
    visit(town, "n2", 6, days=5)
    assert come_in(town, ask, 6) == [6]
    (text,) = post.turn()
    assert "von selbst bezahlt" in text


def test_many_processes_tell_once(post: Post, ask: Any) -> None:
    town = post.town
    visit(town, "n1", 12, days=10)
    posts = [post, *[Post(town) for _ in range(3)]]
    assert come_in(town, ask, 12) == [12]
    town.follow()
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(Post.turn, posts))
    assert len(town.market.records.find(NOTICE, members=["noor"])) == 1
    assert sum(len(one.sent) for one in posts) == 1


def test_what_an_erased_patient_was_told_is_gone_and_nobody_stumbles(post: Post, ask: Any) -> None:
    town = post.town
    visit(town, "n1", 12, days=10)
    assert come_in(town, ask, 12) == [12]
    town.follow()
    town.desk.books.erase("noor")
    assert post.turn() == []
    assert town.market.records.find(NOTICE, members=["noor"]) == []


def test_the_wallet_page_lists_the_last_ones(post: Post, ask: Any, street: Any) -> None:
    town, house = post.town, street.house
    for number in range(7):
        visit(town, f"n{number}", 10 + number, days=20 - number)
    come_in(town, ask, 91)
    post.turn()
    visitor, at = Visitor(street, town, ask), town.clock.now()
    mine = Tie("rel_noor", f"{ISSUER}|Noor", "noor", "self", at, at + timedelta(days=30), allowed_by="t")
    allow(town.market.records, mine)
    visitor.get("open_my_sign_in")
    visitor.post("sign_in_to_my", {"token": token_for(visitor, "Noor", [Role.PATIENT], [])})
    page = visitor.get("open_my_wallet").body
    street.house = house
    assert "Paid by itself when money came" in page
    amounts = re.findall(r"\$(\d+\.\d\d)</bdi> of your visit on", page)
    assert amounts == ["16.00", "15.00", "14.00", "13.00", "12.00"]


@pytest.mark.parametrize("language", sorted(LANGUAGES))
@pytest.mark.parametrize("kind", ["whole", "part", "many"])
def test_it_is_one_message_in_every_language(language: str, kind: str) -> None:
    day = None if kind == "many" else date(2026, 3, 10)
    late = Late("noor", language, "USD", 1_234_500_000, 99_990_000 if kind == "part" else 0, day, None)
    text = told_late(late, "drm.example/s/1-7K4M2QXD9F", PHONE)
    assert text is not None
    assert length(text).is_one, text
    assert told_late(late, "x" * 200, PHONE) is None
    english = told_late(late._replace(language="en"), "drm.example/s/1-7K4M2QXD9F", PHONE)
    assert language == "en" or text != english
    if language in ("en", "de", "es"):
        assert length(text).alphabet == "GSM-7", text
