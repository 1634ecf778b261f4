"""A payment that went back is told in the list of notices, by text message once for each state, and on the wallet page,
where it is made good."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from browsing import Site, checked, press, serving, sign_in, tab_to

from drachm.adapters.rest.service.notices_text import told_owing, writer
from drachm.adapters.rest.service.speech import LANGUAGES
from drachm.application.arrears import CURED, RETURNED, arrears_of, make_good, owe, thaw
from drachm.application.notices import NOTICE, Notices
from drachm.application.people import PROFILE
from drachm.application.records import Record
from drachm.application.text_messages import Outgoing, Owing, TextMessages
from drachm.application.told_messages import told_on
from drachm.domain.funding.mandate import Budget, Mandate
from drachm.domain.messages.lengths import length
from drachm.domain.money import MICROS

ANA = {"member_id": "ana"}
PHONE = "555 0100"


class Post:
    """What tells and what texts, of one town."""

    def __init__(self, town: Any) -> None:
        self.town, self.sent = town, []
        market, desk = town.market, town.desk
        self.notices = Notices(desk.books, market.index, market.register, market.money, market.records, town.clock.now)
        write = writer(town.name, "https://drm.example", PHONE, market.records, desk.ids.random_bytes, lambda: "cod")
        self.messages = TextMessages(
            market.index, desk.books, market.register, market.records, write, self, town.clock.now
        )
        self.messages.make()

    def send(self, message: Outgoing) -> None:
        self.sent.append(message.text)

    def turn(self) -> list[str]:
        self.notices.tell()
        before = len(self.sent)
        while self.messages.make_of_notices():
            pass
        self.messages.send()
        return self.sent[before:]

    def owe(self, name: str, dollars: int) -> None:
        owe("ana", "USD", name, dollars * MICROS, self.town.desk, self.town.market.records)

    def cure(self, name: str, dollars: int) -> None:
        make_good("ana", "USD", name, dollars * MICROS, self.town.market.records)
        thaw("ana", "USD", self.town.desk, self.town.market.records)


@pytest.fixture
def post(town: Any) -> Post:
    contact = {"phone": "+1 (555) 010-2030", "language": "en"}
    town.market.records.put([Record(PROFILE, "ana", {"contact": contact}, members=frozenset({"ana"}))])
    return Post(town)


def listed(ask: Any, town: Any, **query: str) -> list[tuple[str, int | None]]:
    found = ask("list_notices", town.patient(), path=ANA, query=query).body["data"]
    return [(one["what"], int(one["owed"]["micros"]) // MICROS if one.get("owed") else None) for one in found]


def test_each_payment_is_listed_and_each_state_texted_once(post: Post, ask: Any) -> None:
    town = post.town
    post.owe("p1", 20)
    post.owe("p1", 20)
    (text,) = post.turn()
    assert "drm.example/my/wallet" in text
    assert "20" not in text.replace(PHONE, "")
    post.owe("p2", 5)
    post.cure("c1", 10)
    assert post.turn() == []
    post.cure("c2", 15)
    thaw("ana", "USD", town.desk, town.market.records)
    (text,) = post.turn()
    assert "pays again" in text
    post.owe("p3", 1)
    assert len(post.turn()) == 1
    expected = [("payment_returned", 20), ("payment_returned", 25), ("arrears_cured", 0), ("payment_returned", 1)]
    assert listed(ask, town) == expected
    found = ask("list_notices", town.patient(), path=ANA).body["data"]
    assert [one.get("cure") for one in found][2:] == [None, "POST /v1/members/ana/arrears/payments"]
    assert listed(ask, town, after=found[1]["id"]) == expected[2:]
    assert post.turn() == []
    # Staff without a clinic of their own see them among the day's messages.
    day = town.clock.now().date()
    assert [(one.member, one.state) for one in told_on(town.market.records, day, None)] == [("ana", "sent")] * 3
    assert told_on(town.market.records, day, {"hospital"}) == []


def test_one_list_for_budgets_and_payments_in_the_order_of_telling(post: Post, ask: Any) -> None:
    town = post.town
    town.desk.books.enrol(mandates={"ana": Mandate(1, (Budget("all", 20 * MICROS, "USD", "America/New_York"),))})
    skin = {"category": "cosmetic"}
    town.clear(town.event("e1", 11, facts=skin))
    post.turn()
    post.owe("p1", 20)
    post.turn()
    last = ask("list_notices", town.patient(), path=ANA).body["data"][-1]["id"]
    town.desk.books.freeze("ana", "USD", "")
    town.clear(town.event("e2", 6, facts=skin, visit="v2"))
    post.turn()
    assert [what for what, _ in listed(ask, town)] == ["budget_step", "payment_returned", "budget_step"]
    assert listed(ask, town, after=last) == [("budget_step", None)]


def test_many_tellers_tell_once_and_who_has_no_telephone_reads_the_list(town: Any, ask: Any) -> None:
    posts = [Post(town) for _ in range(6)]
    posts[0].owe("p1", 20)
    with ThreadPoolExecutor(6) as threads:
        list(threads.map(Post.turn, posts))
    assert len(town.market.records.find(NOTICE, members=["ana"])) == 1
    assert [one.sent for one in posts] == [[]] * 6
    assert ask("list_notices", town.patient("ben"), path=ANA).status == 404


def test_many_texters_text_once(post: Post) -> None:
    post.owe("p1", 20)
    post.notices.tell()
    posts = [post, *[Post(post.town) for _ in range(5)]]
    with ThreadPoolExecutor(6) as threads:
        list(threads.map(Post.turn, posts))
    assert sum(len(one.sent) for one in posts) == 1


@pytest.mark.parametrize("what", [RETURNED, CURED])
@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_it_is_one_message_in_every_language(language: str, what: str) -> None:
    text = told_owing(Owing("ana", language, what), "drm.example/my/wallet", PHONE)
    assert text is not None
    assert length(text).is_one
    assert "drm.example/my/wallet" in text
    assert language == "en" or text != told_owing(Owing("ana", "en", what), "drm.example/my/wallet", PHONE)
    assert told_owing(Owing("ana", language, what), "x" * 200, PHONE) is None
    if language in ("en", "de", "es"):
        assert length(text).alphabet == "GSM-7"


@pytest.fixture
def site(street: Any, town: Any, tmp_path: Path) -> Iterator[Site]:
    with serving(street, town, tmp_path) as site:
        yield site


def test_the_wallet_page_says_so_and_pays_it_out_of_a_pot(site: Site, browser: Any, axe: str) -> None:
    town = site.town
    owe("ana", "USD", "p1", 20 * MICROS, town.desk, town.market.records)
    page = sign_in(site, browser, "ana")
    page.goto(f"{site.base}/my/wallet")
    checked(page, axe, "my-wallet-owed")
    assert "$20.00 is missing" in page.inner_text("main")
    tab_to(page, "Pay $20.00")
    press(page)
    assert page.url.endswith("/my/wallet")
    assert "is missing" not in page.inner_text("main")
    assert arrears_of("ana", "USD", town.market.records).owed == 0
    assert town.market.money.purses(ids=["ana-cash"])[0].pot.avail == 75 * MICROS
