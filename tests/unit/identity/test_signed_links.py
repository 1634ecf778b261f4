"""A link opens one receipt until it ends or is withdrawn; the services need a second answer that cannot be guessed."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest

from drachm.adapters.rest.identity import (
    About,
    Allow,
    Deny,
    Environment,
    Kind,
    Resource,
    Unauthenticated,
    decide,
    policy_of,
    relate,
)
from drachm.adapters.rest.identity.links import LIFETIME_MAX, OPENED_FOR, Link, LinkKeys, Links, Purpose, _encode
from drachm.adapters.rest.identity.memory import AnswersInMemory, LinkVersionsInMemory, TriesInMemory
from drachm.adapters.rest.identity.second_factor import (
    TRIES_IN_WINDOW,
    TRIES_OF_LINK_VERSION,
    WINDOW,
    KnownAnswer,
    answer_digest,
)
from drachm.domain.errors import InvalidMessage

DAY = timedelta(days=1)
SECRETS = {name: random.Random(name).randbytes(32) for name in ("k1", "k2")}


@pytest.fixture
def versions() -> LinkVersionsInMemory:
    return LinkVersionsInMemory()


@pytest.fixture
def links(versions: LinkVersionsInMemory) -> Links:
    return Links(LinkKeys("k1", SECRETS), versions, Environment.LIVE)


def refused(links: Links, text: str, at: datetime) -> str:
    with pytest.raises(Unauthenticated) as told:
        links.open(text, at)
    return told.value.code


def test_a_link_opens_its_receipt_and_nothing_else(links: Links, now: datetime) -> None:
    text, _ = links.create("alder", "rct_1", DAY, now)
    holder = links.open(text, now)
    assert (holder.tenant, holder.kind, holder.receipt, holder.second_factor) == ("alder", Kind.LINK, "rct_1", False)
    assert not holder.roles
    assert not holder.scopes
    page = policy_of("GET", "/r/{token}")
    for receipt, opens in (("rct_1", True), ("rct_2", False), ("", False)):
        about = relate(holder, Resource("alder", Environment.LIVE, id=receipt), About.ONE, now)
        assert isinstance(decide(page, holder, about), Allow) is opens
    for template in ("/v1/receipts/{receipt_id}", "/v1/receipts", "/v1/me"):
        row = policy_of("GET", template)
        about = relate(holder, Resource("alder", Environment.LIVE, id="rct_1"), row.about, now)
        assert decide(row, holder, about) == Deny("role_missing")


def test_every_changed_character_makes_a_link_worthless(links: Links, now: datetime) -> None:
    text, _ = links.create("alder", "rct_1", DAY, now)
    letters = "ABCxyz019-_."
    for place, letter in enumerate(text):
        for other in letters:
            if other != letter:
                assert refused(links, text[:place] + other + text[place + 1 :], now) == "link_invalid"
    for damaged in (text[:-1], text + "A", text + "=", "", "v1...", "x" * 5000, "v1.k9." + text.split(".", 2)[2]):
        assert refused(links, damaged, now) == "link_invalid"


def test_a_link_ends(links: Links, now: datetime) -> None:
    text, link = links.create("alder", "rct_1", DAY, now)
    assert link.expires_at == now + DAY
    assert links.open(text, now + DAY - timedelta(seconds=1))
    assert refused(links, text, now + DAY) == "link_expired"
    for lasts in (timedelta(0), -DAY, LIFETIME_MAX + DAY):
        with pytest.raises(InvalidMessage, match="ends within"):
            links.create("alder", "rct_1", lasts, now)


def test_withdrawing_ends_every_link_to_one_receipt_and_no_other(links: Links, now: datetime) -> None:
    one, two = links.create("alder", "rct_1", DAY, now)[0], links.create("alder", "rct_1", 2 * DAY, now)[0]
    other, elsewhere = links.create("alder", "rct_2", DAY, now)[0], links.create("birch", "rct_1", DAY, now)[0]
    links.withdraw("alder", "rct_1")
    assert {refused(links, text, now) for text in (one, two)} == {"link_revoked"}
    assert links.open(other, now)
    assert links.open(elsewhere, now)
    assert links.open(links.create("alder", "rct_1", DAY, now)[0], now)


def test_signing_keys_are_rotated_while_older_links_stay_good(versions: LinkVersionsInMemory, now: datetime) -> None:
    text, _ = Links(LinkKeys("k1", {"k1": SECRETS["k1"]}), versions, Environment.LIVE).create("alder", "r", DAY, now)
    both = Links(LinkKeys("k2", SECRETS), versions, Environment.LIVE)
    assert both.open(text, now)
    assert both.create("alder", "r", DAY, now)[0].startswith("v1.k2.")
    assert (
        refused(Links(LinkKeys("k2", {"k2": SECRETS["k2"]}), versions, Environment.LIVE), text, now) == "link_invalid"
    )


def test_a_link_of_the_sandbox_is_none_of_the_live_service(versions: LinkVersionsInMemory, now: datetime) -> None:
    keys = LinkKeys("k1", SECRETS)
    text, _ = Links(keys, versions, Environment.SANDBOX).create("alder", "r", DAY, now)
    assert refused(Links(keys, versions, Environment.LIVE), text, now) == "link_invalid"


def test_the_word_for_services_is_good_for_its_receipt_and_a_quarter_of_an_hour(links: Links, now: datetime) -> None:
    text, link = links.create("alder", "rct_1", DAY, now)
    opened = links.opened_services(link, now)
    assert links.open(text, now, opened).second_factor
    assert not links.open(text, now + OPENED_FOR, opened).second_factor
    another = links.create("alder", "rct_2", DAY, now)[0]
    assert not links.open(another, now, opened).second_factor
    assert not links.open(text, now, text).second_factor, "a link is not the answer to the second question"
    assert refused(links, opened, now) == "link_invalid"
    links.withdraw("alder", "rct_1")
    again = links.create("alder", "rct_1", DAY, now)[0]
    assert not links.open(again, now, opened).second_factor


def test_what_a_link_says_can_be_read_and_other_signed_words_cannot(links: Links, now: datetime) -> None:
    text, link = links.create("alder", "rct_1", DAY, now)
    assert links.read(text, now) == link
    for words in (b"\xff", b"alder", b"a\0r\0x\0y", b"a\0r\0" + b"1\0" + b"9" * 30, b"a\0r\0" + b"0\0" + b"1\0x"):
        head = f"v1.k1.{_encode(words)}"
        signed = f"{head}.{_encode(links._mac(Purpose.RECEIPT, head, SECRETS['k1']))}"
        assert refused(links, signed, now) == "link_invalid"


@pytest.mark.parametrize("secret", [b"", b"x" * 32, b"secret", b"password" * 4, SECRETS["k1"][:31]])
def test_weak_link_keys_are_refused(secret: bytes) -> None:
    with pytest.raises(InvalidMessage, match="random bytes"):
        LinkKeys("k1", {"k1": secret})
    with pytest.raises(InvalidMessage, match="current"):
        LinkKeys("k3", SECRETS)
    for name in ("k.1", "", "k" * 33):
        with pytest.raises(InvalidMessage, match="short name"):
            LinkKeys(name, {name: SECRETS["k1"]})


class Question:
    """A link, and the second question behind it, in one place."""

    def __init__(self, link: Link) -> None:
        self.link, self.answers, self.tries = link, AnswersInMemory(), TriesInMemory()
        self.check = KnownAnswer(SECRETS["k2"], self.answers, self.tries)
        self.answers.put("alder", "rct_1", answer_digest(SECRETS["k2"], "alder", "rct_1", "1954-07-21"))

    def said(self, answer: str, at: datetime) -> str:
        try:
            self.check.check(self.link, answer, at)
        except Unauthenticated as told:
            return told.code if "1954" not in str(told) else "the answer was repeated"
        return "open"


@pytest.fixture
def question(links: Links, now: datetime) -> Question:
    return Question(links.create("alder", "rct_1", 30 * DAY, now)[1])


@pytest.mark.parametrize(
    "answer", ["1954-07-21", " 1954 07 21 ", "19540721", "１９５４-０７-２１", "1954-07-21" + " " * 90]
)
def test_the_answer_is_taken_as_people_write_it(question: Question, now: datetime, answer: str) -> None:
    assert question.said(answer, now) == "open"


@pytest.mark.parametrize(
    "answer", ["", "1954-07-22", "195407210", "\0", "\ud800", "1" * 1_000_000, "1954-07-21" + " " * 91]
)
def test_other_answers_do_not_open(question: Question, now: datetime, answer: str) -> None:
    assert question.said(answer, now) == "second_factor_wrong"


def test_tries_are_counted_before_anything_is_compared(question: Question, now: datetime) -> None:
    assert [question.said("no", now) for _ in range(TRIES_IN_WINDOW)] == ["second_factor_wrong"] * TRIES_IN_WINDOW
    assert question.said("1954-07-21", now) == "second_factor_locked"
    assert question.said("1954-07-21", now + WINDOW) == "open"


def test_one_link_ends_guessing_for_good_until_it_is_made_anew(question: Question, links: Links, now: datetime) -> None:
    tried = [question.said("no", now + hour * WINDOW) for hour in range(30)]
    assert tried.count("second_factor_wrong") == TRIES_OF_LINK_VERSION
    assert question.said("1954-07-21", now + 9 * DAY) == "second_factor_locked"
    links.withdraw("alder", "rct_1")
    question.link = links.create("alder", "rct_1", DAY, now)[1]
    assert question.said("1954-07-21", now) == "open"


def test_many_tries_at_the_same_moment_are_no_more_than_the_allowance(question: Question, now: datetime) -> None:
    with ThreadPoolExecutor(16) as pool:
        said = list(pool.map(lambda _: question.said("no", now), range(200)))
    assert said.count("second_factor_wrong") == TRIES_IN_WINDOW


def test_a_receipt_without_a_question_is_like_a_wrong_answer(question: Question, links: Links, now: datetime) -> None:
    question.link = links.create("alder", "rct_9", DAY, now)[1]
    assert question.said("1954-07-21", now) == "second_factor_wrong"


def test_an_answer_of_one_receipt_is_none_of_another() -> None:
    digests = {answer_digest(SECRETS["k1"], tenant, receipt, "1") for tenant in "ab" for receipt in "xy"}
    assert len(digests) == 4
    with pytest.raises(InvalidMessage, match="random bytes"):
        KnownAnswer(b"short", AnswersInMemory(), TriesInMemory())
