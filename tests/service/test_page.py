"""The page behind a link: amounts for whoever holds it, services after the second answer, and nothing for others."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlencode

import pytest

from drachm.adapters.rest.identity.model import Environment, anonymous
from drachm.adapters.rest.service.names import row_name
from drachm.adapters.rest.service.static_files import address
from drachm.domain.transparency.leaf import event_key

SERVICE = "CANARY-service"
NOBODY = anonymous(Environment.SANDBOX)
BIRTH = {"day": "1", "month": "5", "year": "1990"}
VOID = {"meta", "link", "input", "hr", "br", "use", "rect", "line", "path", "circle"}


class Nesting(HTMLParser):
    """What stands on a page: its tags as they nest, its text, its ids and the addresses it names."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.faults: list[str] = []
        self.ids: list[str] = []
        self.addresses: list[tuple[str, str]] = []
        self.attributes: set[str] = set()
        self.heads: list[str] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)
        if re.fullmatch("h[1-6]", tag):
            self.heads.append(tag)
        for name, value in attrs:
            self.attributes.add(name)
            if name == "id":
                self.ids.append(value or "")
            if name in ("href", "src", "action", "formaction", "srcset", "data", "poster", "cite"):
                self.addresses.append((tag, value or ""))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.faults.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def shared(town: Any, ask: Any, body: dict[str, Any] | None = None, **changes: Any) -> str:
    """The token of a link to one cleared event's receipt."""
    (outcome,) = town.clear(town.event(**{"display": SERVICE, **changes}))
    name = row_name("rcp", outcome.position, event_key(town.tenant, outcome.source, outcome.event_id))
    clerk = town.clerk(changes.get("billing_party", "clinic"))
    made = ask("create_receipt_link", clerk, {"receipt_id": name}, body=body or {})
    assert made.status == 201, made.body
    return str(made.body["url"].rpartition("/")[2])


def opened(ask: Any, token: str, operation: str = "open_receipt_page", **more: Any) -> Any:
    return ask(operation, NOBODY, {"token": token}, **more)


def answered(ask: Any, token: str, form: dict[str, str] | bytes, **headers: str) -> Any:
    body = form if isinstance(form, bytes) else urlencode(form).encode()
    return ask(
        "give_second_factor",
        NOBODY,
        {"token": token},
        body=body,
        media="application/x-www-form-urlencoded",
        headers=headers,
    )


def cookie_of(answer: Any) -> str:
    return str(answer.headers["set-cookie"].partition(";")[0])


def words_of(html: str) -> str:
    text = Nesting(html.partition("</title>")[2]).text
    return " ".join(text.split())


# --- what stands there


def test_the_link_alone_shows_initials_day_and_amounts_and_no_service(town: Any, ask: Any) -> None:
    token = shared(town, ask)
    answer = opened(ask, token)
    said = words_of(answer.body)
    assert answer.status == 200
    for words in ("T. C.", "Tuesday 10 March 2026", "You paid $16.00", "Nothing more to pay", "This care costs $40.00"):
        assert words in said
    for words in ("Insurance paid $24.00", "What happened", "Who paid what", "What you do now", "Nothing."):
        assert words in said
    for hidden in (
        SERVICE,
        "Town clinic",
        "Town insurance",
        "ana-cash",
        "local visit",
        "first 10 dollars",
        "town-plan",
    ):
        assert hidden not in answer.body
    assert "rcp_" not in answer.body


def test_after_the_second_answer_the_services_and_every_step_stand_there(town: Any, ask: Any) -> None:
    token = shared(town, ask)
    yes = answered(ask, token, BIRTH)
    assert (yes.status, yes.headers["location"]) == (303, "services")
    answer = opened(ask, token, "open_receipt_services", headers={"cookie": cookie_of(yes)})
    said = words_of(answer.body)
    assert answer.status == 200
    for words in (SERVICE, "Town clinic", "Town insurance", "from ana-gift and ana-cash", "local visit"):
        assert words in said
    for words in (
        "You pay the first part of a year’s care. you $10.00",
        "All of $10.00 is used up.",
        "Your plan says: You pay the first 10 dollars of a year.",
        "Then you pay a part of the agreed price. you $6.00",
        "Insurance pays this part. insurance $24.00",
        "You $16.00 and insurance $24.00 make $40.00.",
    ):
        assert words in said
    # The browser that gave the answer sees the same behind the link itself.
    assert SERVICE in opened(ask, token, headers={"cookie": cookie_of(yes)}).body


def test_services_without_the_answer_are_the_question(town: Any, ask: Any) -> None:
    token = shared(town, ask)
    answer = opened(ask, token, "open_receipt_services")
    assert answer.status == 403
    assert SERVICE not in answer.body
    assert 'action="second-factor"' in answer.body


def test_what_is_due_is_said_as_a_request_and_what_is_not_paid_by_insurance_with_its_reason(
    town: Any, ask: Any
) -> None:
    due = words_of(opened(ask, shared(town, ask, event_id="due", dollars=600, member="dan")).body)
    assert re.search(r"Please pay \$\d+\.\d\d", due)
    assert re.search(r"Please pay \$[\d.]+ to the clinic", due)
    token = shared(town, ask, event_id="no", facts={"category": "cosmetic"})
    assert "does not include" not in opened(ask, token).body
    cookie = cookie_of(answered(ask, token, BIRTH))
    assert "Your cover does not include this care." in words_of(opened(ask, token, headers={"cookie": cookie}).body)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"kind": "hold"}, ("Set aside $16.00", "Nothing is paid yet", "Nothing now.")),
        ({"facts": {"category": "preventive"}}, ("You paid $0.00", "Nothing to pay")),
        ({"member": "cleo", "dollars": 12}, ("Please pay $12.00", "Not paid yet", "You still have to pay $12.00")),
    ],
)
def test_each_outcome_has_its_own_words(town: Any, ask: Any, changes: dict[str, Any], words: tuple[str, ...]) -> None:
    said = words_of(opened(ask, shared(town, ask, **changes)).body)
    for one in words:
        assert one in said, said


def test_a_receipt_that_was_taken_back_says_so_on_the_old_link_and_on_the_new(town: Any, ask: Any) -> None:
    old = shared(town, ask)
    new = shared(town, ask, event_id="back", kind="reversal", replaces="e1", billed=None)
    assert "There is a newer receipt" in words_of(opened(ask, old).body)
    assert "Taken back in full" in words_of(opened(ask, new).body)
    assert "There is a newer receipt" not in words_of(opened(ask, new).body)


def test_the_shares_of_the_page_sum_to_the_price_to_the_minor_unit(town: Any, ask: Any) -> None:
    for number, dollars in enumerate((1, 7, 33, 99, 250, 1_234)):
        html = opened(ask, shared(town, ask, event_id=f"s{number}", dollars=dollars)).body
        rows = re.findall(r'<div class="(\w+)"><dt>.*?</dt><dd><bdi[^>]*>(−?)\$([\d,.]+)</bdi>', html)
        values = [
            (kind, int(amount.replace(",", "").replace(".", "")) * (-1 if sign else 1)) for kind, sign, amount in rows
        ]
        (cost,) = [value for kind, value in values if kind == "cost"]
        assert cost == dollars * 100
        assert sum(value for kind, value in values if kind != "cost") == cost


# --- how it is kept


def test_every_answer_of_a_page_is_sealed_against_scripts_frames_caches_and_referrers(town: Any, ask: Any) -> None:
    token = shared(town, ask)
    for answer in (opened(ask, token), opened(ask, "v1.x"), answered(ask, token, {}), answered(ask, token, BIRTH)):
        head = answer.headers
        assert head["cache-control"] == "no-store"
        assert head["referrer-policy"] == "no-referrer"
        policy = dict(part.strip().split(" ", 1) for part in head["content-security-policy"].split(";"))
        assert policy == {
            "default-src": "'none'",
            "style-src": "'self'",
            "font-src": "'self'",
            "form-action": "'self'",
            "base-uri": "'none'",
            "frame-ancestors": "'none'",
        }
        assert "noindex" in head["x-robots-tag"]
        assert head["content-type"] == "text/html; charset=utf-8"


def test_a_page_is_well_formed_names_nothing_foreign_and_has_no_script(town: Any, ask: Any) -> None:
    token = shared(town, ask)
    cookie = {"cookie": cookie_of(answered(ask, token, BIRTH))}
    pages = [
        opened(ask, token),
        opened(ask, token, query={"size": "large"}),
        opened(ask, token, headers=cookie),
        opened(ask, token, "open_receipt_services"),
        answered(ask, token, {"day": "x"}),
        opened(ask, "v1.x"),
    ]
    for answer in pages:
        page = Nesting(answer.body)
        assert (page.faults, page.open) == ([], [])
        assert len(set(page.ids)) == len(page.ids)
        assert page.heads[0] in ("h1", "h2")
        assert page.heads.count("h1") == 1
        assert not any(name.startswith("on") or name == "style" for name in page.attributes)
        assert "<script" not in answer.body
        assert re.match(r'<!doctype html>\s*<html lang="en" dir="ltr"( data-size="elder")?>', answer.body)
        assert "user-scalable" not in answer.body
        assert "maximum-scale" not in answer.body
        for tag, place in page.addresses:
            assert not re.match(r"[a-z]+:|//|/(?!static/[0-9a-f]{16}-)", place), (tag, place)
            assert tag == "form" or token not in place, (tag, place)
            assert {part for part in re.findall(r"[^/?]*", place) if part.startswith("v1.")} <= {token}


def test_what_people_wrote_stays_text(town: Any, ask: Any) -> None:
    evil = "<script>alert(1)</script>\"'{{7*7}}&amp;"
    token = shared(town, ask, display=evil)
    cookie = cookie_of(answered(ask, token, BIRTH))
    html = opened(ask, token, headers={"cookie": cookie}).body
    assert "<script>alert" not in html
    assert evil in Nesting(html).text
    assert Nesting(html).faults == []


def test_the_cookie_belongs_to_this_page_alone(town: Any, ask: Any) -> None:
    token = shared(town, ask)
    other = shared(town, ask, event_id="e2")
    yes = answered(ask, token, BIRTH)
    attributes = [part.strip() for part in yes.headers["set-cookie"].split(";")[1:]]
    assert f"Path=/r/{token}" in attributes
    assert {"HttpOnly", "SameSite=Strict", "Max-Age=900"} <= set(attributes)
    assert opened(ask, other, "open_receipt_services", headers={"cookie": cookie_of(yes)}).status == 403
    for broken in ("drachm_opened=v1.a.b.c", "drachm_opened=", "=;=;", f"drachm_opened={token}", "x" * 5000):
        assert opened(ask, token, "open_receipt_services", headers={"cookie": broken}).status == 403


def test_the_answer_opens_for_a_quarter_of_an_hour_only(town: Any, ask: Any) -> None:
    token = shared(town, ask)
    cookie = {"cookie": cookie_of(answered(ask, token, BIRTH))}
    town.clock.move(minutes=14)
    assert opened(ask, token, "open_receipt_services", headers=cookie).status == 200
    town.clock.move(minutes=2)
    assert opened(ask, token, "open_receipt_services", headers=cookie).status == 403


# --- links that do not open


def test_a_link_that_was_never_good_is_the_same_page_whatever_it_names(town: Any, other_town: Any, ask: Any) -> None:
    token = shared(town, ask)
    head, _, mac = token.rpartition(".")
    forged = [
        head + "." + "A" * 43,
        head + "." + mac[:-1] + ("A" if mac[-1] != "A" else "B"),
        "v1.x",
        "x",
        "é" * 9,
        "v1",
    ]
    answers = [opened(ask, text) for text in forged]
    assert {answer.status for answer in answers} == {404}
    assert len({answer.raw for answer in answers}) == 1
    for operation in ("open_receipt_services", "give_second_factor"):
        assert ask(operation, NOBODY, {"token": forged[0]}).status == 404


def test_expired_and_withdrawn_links_are_one_page(town: Any, ask: Any) -> None:
    token = shared(town, ask, {"hours": 1})
    other = shared(town, ask, {"hours": 2}, event_id="e2")
    cookie = {"cookie": cookie_of(answered(ask, other, BIRTH))}
    town.clock.move(hours=1, minutes=1)
    expired = opened(ask, token)
    records = town.market.records.find("receipt_link")
    town.house.links.withdraw(town.name, records[-1].body["receipt"])
    withdrawn = opened(ask, other, headers=cookie)
    assert (expired.status, withdrawn.status) == (410, 410)
    assert expired.raw == withdrawn.raw
    assert SERVICE not in withdrawn.body
    assert answered(ask, token, BIRTH).status == 410


# --- the question


@pytest.mark.parametrize(
    "form", [{"day": "01", "month": "05", "year": "1990"}, {"day": "１", "month": "５", "year": "１９９０"}]
)
def test_a_birth_date_may_be_written_in_any_digits(town: Any, ask: Any, form: dict[str, str]) -> None:
    assert answered(ask, shared(town, ask), form).status == 303


@pytest.mark.parametrize(
    "form",
    [{}, {"day": "1"}, {"day": "31", "month": "2", "year": "1990"}, {"day": "one", "month": "5", "year": "1990"},
     {"day": "1", "month": "5", "year": "0"}, {"day": "²", "month": "5", "year": "1990"}, {"answer": "1990-05-01"},
     b"\xff\xfe=%%%", b"day=1&" * 500, b"day=%ff&month=5&year=1990"],
)  # fmt: skip
def test_no_answer_counts_as_no_try(town: Any, ask: Any, form: Any) -> None:
    token = shared(town, ask)
    for _ in range(12):
        answer = answered(ask, token, form)
        assert answer.status == 422
    assert "Write the day, the month and the year in digits." in words_of(answer.body)
    assert answered(ask, token, BIRTH).status == 303


def test_wrong_answers_are_told_and_then_locked_with_what_to_do_next(town: Any, ask: Any) -> None:
    token, wrong = shared(town, ask), {**BIRTH, "year": "1991"}
    for _ in range(5):
        answer = answered(ask, token, wrong)
        assert answer.status == 403
        assert "This answer does not open it" in words_of(answer.body)
    locked = answered(ask, token, BIRTH)
    assert (locked.status, locked.headers["retry-after"]) == (429, "900")
    said = words_of(locked.body)
    assert "Wait 15 minutes and open the link again." in said
    assert "ask the clinic for a new link" in said
    assert "$40.00" in said
    assert "set-cookie" not in locked.headers
    town.clock.move(minutes=16)
    assert answered(ask, token, BIRTH).status == 303


def test_guesses_at_the_same_moment_are_no_more_than_one_after_another(town: Any, ask: Any) -> None:
    token = shared(town, ask)
    years = [{**BIRTH, "year": str(year)} for year in range(1960, 1984)]
    with ThreadPoolExecutor(8) as many:
        statuses = list(many.map(lambda form: answered(ask, token, form).status, years))
    assert sorted(statuses) == [403] * 5 + [429] * 19


def test_a_new_link_opens_again_after_the_old_one_was_locked_for_good(town: Any, ask: Any) -> None:
    token, wrong = shared(town, ask), {**BIRTH, "year": "1991"}
    for _ in range(3):
        for _ in range(5):
            answered(ask, token, wrong)
        town.clock.move(minutes=16)
    assert answered(ask, token, BIRTH).status == 429
    (record,) = town.market.records.find("receipt_link")
    path = {"receipt_id": record.body["receipt"]}
    made = ask("create_receipt_link", town.clerk(), path, body={"replace": True}).body
    assert answered(ask, made["url"].rpartition("/")[2], BIRTH).status == 303


def test_a_code_opens_whatever_its_spaces_and_capitals(town: Any, ask: Any) -> None:
    token = shared(town, ask, {"second_factor": {"question": "code", "answer": "Blue-42 Moon"}})
    assert "The code that the clinic gave you" in words_of(opened(ask, token).body)
    assert answered(ask, token, BIRTH).status == 422
    assert answered(ask, token, {"answer": "red 42 moon"}).status == 403
    assert answered(ask, token, {"answer": " BLUE42moon "}).status == 303


def test_without_a_question_no_answer_opens(town: Any, ask: Any) -> None:
    token = shared(town, ask, {"second_factor": {"question": "none"}})
    assert "<form" not in opened(ask, token).body
    assert answered(ask, token, {**BIRTH, "answer": "1990-05-01"}).status in (403, 422)
    assert opened(ask, token, "open_receipt_services").status == 403


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"sec-fetch-site": "same-origin", "origin": "null"}, 303),
        ({"origin": "null"}, 303),
        ({"origin": "http://127.0.0.1:8000"}, 303),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"origin": "https://evil.example"}, 403),
        ({"sec-fetch-site": "cross-site", "origin": "http://127.0.0.1:8000"}, 403),
    ],
)
def test_a_form_of_another_page_is_not_taken_and_counts_nothing(
    town: Any, ask: Any, headers: dict[str, str], status: int
) -> None:
    token = shared(town, ask)
    answer = answered(ask, token, BIRTH, **headers)
    assert answer.status == status
    assert ("set-cookie" in answer.headers) == (status == 303)


def test_a_link_may_carry_words_that_others_added(town: Any, ask: Any) -> None:
    token = shared(town, ask)
    assert opened(ask, token, query={"utm_source": "sms", "size": "large"}).status == 200


def test_the_style_is_ours_and_may_be_kept(ask: Any) -> None:
    name = address("patient.css").removeprefix("/static/")
    answer = ask("get_static_file", NOBODY, {"file": name})
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/css")
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert "@import" not in answer.body
    loaded = set(re.findall(r"url\(\"?([^\")#]+)", answer.body))
    assert loaded
    for font in loaded:
        assert ask("get_static_file", NOBODY, {"file": font}).headers["content-type"] == "font/woff2"
    for none in ("patient.css", "../desk.css", f"x{name}", "0000000000000000-patient.css"):
        assert ask("get_static_file", NOBODY, {"file": none}).status == 404
