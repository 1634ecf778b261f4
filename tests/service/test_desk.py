"""The clinic's desk without a browser: who sees what, and that a form of somebody else does nothing."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from desk_visitor import FORM, NOBODY, OPEN, Visitor

from drachm.adapters.rest.identity.model import Role
from drachm.adapters.rest.identity.routes import ROUTES
from drachm.domain.events.model import Code

XSS = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>{{7*7}}"


@pytest.fixture
def noor(visitor: Visitor) -> Visitor:
    return visitor.signed_in("Noor", [Role.CLERK], ["clinic"])


# --- what pages say of themselves


def test_no_page_is_kept_framed_or_scripted(noor: Visitor, lived_in: Any) -> None:
    for name, path in noor.places():
        answer = noor.get(name, path)
        assert answer.status == 200, name
        assert answer.headers["cache-control"] == "no-store"
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; style-src 'self'; font-src 'self'; form-action 'self'")
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert "script-src 'self'; connect-src 'self'" in policy
        scripts = re.findall(r"<script.*?</script>", answer.body, re.DOTALL)
        assert all(
            re.fullmatch(r'<script src="/static/[0-9a-f]{16}-[a-z]+\.js" defer></script>', one) for one in scripts
        )
        assert len(scripts) == answer.body.count("<script") <= 2
        for word in (" style=", " onclick", "javascript:"):
            assert word not in answer.body
        for form in re.findall(r"<form.*?</form>", answer.body, re.DOTALL):
            assert 'method="post"' in form
            assert f'name="csrf" value="{noor.word}"' in form
        for address in re.findall(r'(?:href|action|src)="([^"]*)"', answer.body):
            assert address.startswith(("/desk", "/static/", "#", "?lang=")), address


def test_pages_for_who_is_not_signed_in_lead_to_the_door_and_tell_nothing(visitor: Visitor, lived_in: Any) -> None:
    for route in ROUTES:
        if not route.template.startswith("/desk") or route.operation in OPEN:
            continue
        path = dict.fromkeys(route.parameters, "chg_1")
        answer = visitor.get(route.operation, path) if route.reads else visitor.post(route.operation, {}, path)
        assert (answer.status, answer.headers["location"], answer.raw) == (303, "/desk/sign-in", b"")


def test_every_form_needs_its_word_and_our_own_page(noor: Visitor, lived_in: Any) -> None:
    charge = noor.charge("e1")
    shift = noor.open_shift()
    before = len(list(noor.town.desk.books.rows())), len(noor.town.market.records.find("receipt_link"))
    forms = [
        ("search_desk", {}, {"id": charge}),
        ("hand_out_at_desk", {"charge_id": charge}, {"hours": "24"}),
        ("retry_at_desk", {"event_id": noor.event("e4")}, {}),
        ("begin_desk_shift", {}, {"party": "clinic", "window": "w2", "currency": "USD", "laid_in": "1"}),
        ("take_cash_at_desk", {"shift_id": shift}, {"wallet": "ana-cash", "amount": "5", "key": "k" * 30}),
        ("count_at_desk", {"shift_id": shift}, {"counted": "1"}),
    ]
    for name, path, form in forms:
        for word, headers in (
            ("", {}),
            ("x", {}),
            (noor.word, {"sec-fetch-site": "cross-site"}),
            (noor.word, {"sec-fetch-site": "same-site"}),
            (noor.word, {"origin": "https://evil.example"}),
        ):
            answer = noor.post(name, {**form, "csrf": word}, path, **headers)
            assert answer.status == 403, (name, word, headers)
            assert "nothing was done" in answer.body
    assert before == (len(list(noor.town.desk.books.rows())), len(noor.town.market.records.find("receipt_link")))
    assert len(noor.town.market.records.find("shift")) == 1


# --- a day


def test_today_counts_what_waits_for_whom(visitor: Visitor) -> None:
    town = visitor.town
    town.clear(
        town.event("e1", 40),
        town.event("e2", 40, member="dan", visit="v2"),
        town.event("e3", 10, member="nobody-we-know", visit="v3"),
        town.event("e5", 60, member="ben", billing_party="hospital", visit="v4"),
    )
    noor = visitor.signed_in("Noor", [Role.CLERK], ["clinic"])
    said = noor.words("open_desk")
    assert "Today 12:00, Tuesday 10 March 2026" in said
    assert "Paid 1 $40.00" in said
    assert "Waiting for patient 1 $16.00" in said
    assert "Waiting for insurer 0" in said
    assert "Pended 1 may clear by itself Stuck 0 longer than a day" in said
    assert "ben" not in said
    shown = noor.words("open_desk", query={"show": "patient"})
    assert " dan " in shown
    assert " ana " not in shown
    assert "nobody-we-know" in noor.words("open_desk", query={"show": "pended"})
    town.clock.move(hours=25)
    said = noor.again().words("open_desk", query={"show": "stuck"})
    assert "Pended 0 may clear by itself Stuck 1 longer than a day" in said
    assert "nobody-we-know" in said


def test_a_day_without_care_shows_the_latest_that_has_some_and_says_so(noor: Visitor) -> None:
    noor.town.clear(noor.town.event("e1"))
    noor.town.clock.move(days=3)
    later = noor.again()
    said = later.words("open_desk")
    assert "No care came in today yet. This is the latest day with care." in said
    assert "Tuesday 10 March 2026" in said
    assert "No charge of this day yet" in later.words("open_desk", query={"day": "2026-03-01"})
    assert later.get("open_desk", query={"day": "2026-02-30"}).status == 400


def test_a_charge_is_found_by_everything_that_names_it(noor: Visitor, lived_in: Any) -> None:
    charge = noor.ask("get_charge", noor.town.clerk(), {"charge_id": noor.charge("e1")}).body
    reference = charge["receipt"][-8:]
    for text in (
        charge["id"],
        charge["id"].upper(),
        charge["event"],
        f"  {charge['receipt']} ",
        f"{reference[:4]}-{reference[4:]}".upper(),
        "ehr/e1",
        "ehr e1",
    ):
        answer = noor.post("search_desk", {"id": text})
        assert (answer.status, answer.headers["location"]) == (303, f"/desk/charges/{charge['id']}"), text


def test_what_names_nothing_of_theirs_finds_nothing_and_is_not_repeated(noor: Visitor, lived_in: Any) -> None:
    for text in ("", "chg_", "ana", "ehr/none", "0000-0000", XSS, "\x00", "a" * 300, "e3", "ehr/e3"):
        answer = noor.post("search_desk", {"id": text})
        assert answer.status == 404, text
        assert "Nothing found" in answer.body
        assert len(text) < 9 or text not in answer.body


def test_an_event_that_waits_leads_to_its_own_page(noor: Visitor, lived_in: Any) -> None:
    answer = noor.post("search_desk", {"id": "ehr/e4"})
    assert answer.headers["location"] == f"/desk/events/{noor.event('e4')}"


# --- a charge


def test_the_whole_way_of_the_money_stands_on_one_page(noor: Visitor, lived_in: Any) -> None:
    said = noor.words("open_desk_charge", {"charge_id": noor.charge("e1")})
    for words in (
        "Video visit $40.00",
        "Event e1 of ehr",
        "Agreed price $40.00",
        "Plan town-plan, version 2026.1",
        "Insurance answered: pays $24.00",
        "You pay the first 10 dollars of a year.",
        "Rule 3 of plan town-plan 2026.1",
        "Insurer town-insurance $24.00",
        "Paid, from ana-gift $5.00",
        "Paid, from ana-cash $11.00",
        "In the books",
        "What the patient sees You paid $ 16.00",
        "Town insurance owes for it $24.00",
        "Town clinic is owed for it $24.00",
        "Total $40.00 $40.00",
        "Nobody can change this line",
    ):
        assert words in said, words


def test_what_was_replaced_says_so(noor: Visitor) -> None:
    town = noor.town
    town.clear(town.event("e1", 40))
    town.clear(town.event("e2", 30, kind="replacement", replaces="e1"))
    said = noor.words("open_desk_charge", {"charge_id": noor.charge("e1")})
    assert "Corrected" in said
    assert "By event evt_" in said


def test_a_link_is_shown_once_to_print_and_opens_the_receipt(noor: Visitor, lived_in: Any) -> None:
    answer = noor.post("hand_out_at_desk", {"hours": "24"}, {"charge_id": noor.charge("e1")})
    assert answer.status == 200
    token = re.findall(r"/r/([A-Za-z0-9._-]+)", answer.body)[0]
    assert "shown only now" in answer.body
    assert "date of birth" in answer.body
    assert "Video visit" not in answer.body
    assert noor.ask("open_receipt_page", NOBODY, {"token": token}).status == 200
    assert token not in noor.get("open_desk_charge", {"charge_id": noor.charge("e1")}).body
    again = noor.post("hand_out_at_desk", {"hours": "24", "replace": "yes"}, {"charge_id": noor.charge("e1")})
    assert again.status == 200
    assert noor.ask("open_receipt_page", NOBODY, {"token": token}).status == 410
    assert noor.post("hand_out_at_desk", {"hours": "99999"}, {"charge_id": noor.charge("e1")}).status == 400


def test_a_link_and_its_paper_speak_the_language_of_whoever_reads_them(noor: Visitor, lived_in: Any) -> None:
    charge = {"charge_id": noor.charge("e1")}
    assert 'name="language"' in noor.get("open_desk_charge", charge).body
    answer = noor.post("hand_out_at_desk", {"hours": "24", "language": "ar"}, charge)
    assert '<html lang="en"' in answer.body
    assert re.search(r'<article [^>]*lang="ar" dir="rtl"', answer.body)
    assert "Your receipt" not in answer.body
    assert "This address is shown only now" in answer.body
    token, query = re.findall(r"/r/([A-Za-z0-9._-]+)\?([a-zA-Z=-]+)", answer.body)[0]
    assert query == "lang=ar"
    # The clerk's own browser speaks English; the page is for the patient.
    page = noor.ask("open_receipt_page", NOBODY, {"token": token}, {"lang": "ar"}, headers={"cookie": noor.cookie})
    assert '<html lang="ar" dir="rtl"' in page.body
    assert noor.post("hand_out_at_desk", {"hours": "24", "language": "xx"}, charge).status == 400


def test_erased_data_are_not_on_the_page(noor: Visitor, lived_in: Any) -> None:
    charge = noor.charge("e1")
    noor.town.desk.books.erase("ana")
    answer = noor.get("open_desk_charge", {"charge_id": charge})
    assert answer.status == 200
    assert "The patient’s data were erased." in answer.body
    assert "Video visit" not in answer.body


# --- who sees what


def test_another_clinic_and_another_tenant_see_nothing_of_it(
    visitor: Visitor, lived_in: Any, other_town: Any, street: Any, ask: Any
) -> None:
    noor = visitor.signed_in("Noor", [Role.CLERK], ["clinic"])
    charge, event, shift = noor.charge("e1"), noor.event("e4"), noor.open_shift()
    strangers = [
        visitor.signed_in("Hana", [Role.CLERK], ["hospital"]),
        visitor.signed_in("Nil", [Role.CLERK], []),
        Visitor(street, other_town, ask).signed_in("Noor", [Role.OPERATOR], []),
    ]
    before = len(list(noor.town.desk.books.rows()))
    for stranger in strangers:
        assert " ana " not in stranger.words("open_desk")
        assert "clinic/w1" not in stranger.words("open_desk_window")
        looks = [
            stranger.get("open_desk_charge", {"charge_id": charge}),
            stranger.get("open_desk_event", {"event_id": event}),
            stranger.get("open_desk_shift", {"shift_id": shift}),
            stranger.post("search_desk", {"id": charge}),
            stranger.post("search_desk", {"id": "ehr/e1"}),
            stranger.post("retry_at_desk", {}, {"event_id": event}),
            stranger.post(
                "take_cash_at_desk", {"wallet": "ana-cash", "amount": "5", "key": "k" * 30}, {"shift_id": shift}
            ),
            stranger.post("count_at_desk", {"counted": "5"}, {"shift_id": shift}),
        ]
        assert [answer.status for answer in looks] == [404] * len(looks)
        # The same words as for what was never there.
        none = stranger.get("open_desk_charge", {"charge_id": "chg_00000000000060000000000000"})
        assert looks[0].body.split("<main")[1] == none.body.split("<main")[1]
        assert stranger.post("hand_out_at_desk", {"hours": "24"}, {"charge_id": charge}).status in (403, 404)
    own = strangers[0].post("begin_desk_shift", {"party": "clinic", "window": "w9", "currency": "USD", "laid_in": "1"})
    assert own.status == 403
    assert before == len(list(noor.town.desk.books.rows()))
    assert len(noor.town.market.records.find("shift")) == 1


def test_who_only_looks_finds_no_buttons_and_is_refused_without_them(visitor: Visitor, lived_in: Any) -> None:
    clerk = visitor.signed_in("Noor", [Role.CLERK], ["clinic"])
    charge, event, shift = clerk.charge("e1"), clerk.event("e4"), clerk.open_shift()
    for role, parties in ((Role.AUDITOR, []), (Role.FINANCE, ["clinic"])):
        eyes = visitor.signed_in("Eyes", [role], parties)
        for name, path in (("open_desk_charge", {"charge_id": charge}), ("open_desk_event", {"event_id": event}),
                           ("open_desk_window", {}), ("open_desk_shift", {"shift_id": shift})):  # fmt: skip
            body = eyes.get(name, path).body
            for action in ("/link", "/retry", "/cash", "/count", 'action="/desk/window"'):
                assert action not in body, (role, name)
        for name, path, form in (
            ("hand_out_at_desk", {"charge_id": charge}, {"hours": "24"}),
            ("retry_at_desk", {"event_id": event}, {}),
            ("begin_desk_shift", {}, {"party": "clinic", "window": "w2", "currency": "USD", "laid_in": "1"}),
            ("take_cash_at_desk", {"shift_id": shift}, {"wallet": "ana-cash", "amount": "5", "key": "k" * 30}),
            ("count_at_desk", {"shift_id": shift}, {"counted": "5"}),
        ):
            assert eyes.post(name, form, path).status == 403, (role, name)
    assert "Stuck" in visitor.signed_in("Aud", [Role.AUDITOR], []).get("open_desk").body
    assert "Stuck" not in visitor.signed_in("Fin", [Role.FINANCE], ["clinic"]).get("open_desk").body


# --- events that wait


def test_a_waiting_event_says_what_it_waits_for_and_clears_when_that_is_there(noor: Visitor, lived_in: Any) -> None:
    event = noor.event("e4")
    said = noor.words("open_desk_event", {"event_id": event})
    assert "This event is stuck" in said
    still = noor.post("retry_at_desk", {}, {"event_id": event})
    assert still.status == 200
    assert "It was tried again, and still waits" in still.body
    from drachm.domain.coverage.model import Member

    noor.town.desk.books.enrol(members=[Member("unknown-member")])
    done = noor.post("retry_at_desk", {}, {"event_id": event})
    assert done.status == 303
    assert done.headers["location"].startswith("/desk/charges/chg_")
    rows = len(list(noor.town.desk.books.rows()))
    assert noor.post("retry_at_desk", {}, {"event_id": event}).status == 303
    assert rows == len(list(noor.town.desk.books.rows()))


# --- the window


def test_a_shift_from_the_first_coin_to_the_difference(noor: Visitor) -> None:
    shift = noor.open_shift("w1", "50")
    form = {"wallet": "ana-cash", "amount": "12.50", "key": "k" * 30}
    for _ in range(3):
        answer = noor.post("take_cash_at_desk", form, {"shift_id": shift})
        assert answer.status == 200
        assert "$12.50" in answer.body
    said = noor.words("open_desk_shift", {"shift_id": shift})
    assert "Taken $12.50 Should be there $62.50" in said
    assert noor.post("take_cash_at_desk", {**form, "amount": "13"}, {"shift_id": shift}).status == 409
    done = noor.post("count_at_desk", {"counted": "62.00"}, {"shift_id": shift})
    assert (done.status, done.headers["location"]) == (303, f"/desk/shifts/{shift}")
    said = noor.words("open_desk_shift", {"shift_id": shift})
    assert "Too little in the box" in said
    assert "−$0.50" in said
    assert "Differs by −$0.50" in noor.words("open_desk_window")
    assert noor.post("take_cash_at_desk", {**form, "key": "j" * 30}, {"shift_id": shift}).status == 409


def test_amounts_that_could_mean_something_else_are_not_guessed_at(noor: Visitor) -> None:
    shift = noor.open_shift()
    for amount in ("", "12,50", "-5", "1e3", "0.001", "five", "\uff11\uff12", "9" * 11, "1.1234567", "1 0"):
        form = {"wallet": "ana-cash", "amount": amount, "key": "k" * 30}
        answer = noor.post("take_cash_at_desk", form, {"shift_id": shift})
        assert answer.status in (400, 422), amount
        assert "No cash was booked" in answer.body
    assert "Should be there $50.00" in noor.words("open_desk_shift", {"shift_id": shift})


def test_a_window_is_one_shift_and_a_shift_is_one_clerks(visitor: Visitor, noor: Visitor) -> None:
    shift = noor.open_shift("w1")
    again = noor.post("begin_desk_shift", {"party": "clinic", "window": "w1", "currency": "USD", "laid_in": "1"})
    assert again.status == 409
    assert "No shift was opened" in again.body
    omar = visitor.signed_in("Omar", [Role.CLERK], ["clinic"])
    assert "Another clerk’s shift" in omar.get("open_desk_shift", {"shift_id": shift}).body
    form = {"wallet": "ana-cash", "amount": "5", "key": "k" * 30}
    assert omar.post("take_cash_at_desk", form, {"shift_id": shift}).status == 409
    assert omar.post("count_at_desk", {"counted": "5"}, {"shift_id": shift}).status == 409


def test_an_unknown_wallet_takes_no_cash(noor: Visitor) -> None:
    shift = noor.open_shift()
    answer = noor.post("take_cash_at_desk", {"wallet": "none", "amount": "5", "key": "k" * 30}, {"shift_id": shift})
    assert answer.status == 422
    assert "There is no such pocket" in answer.body


# --- texts of others


def test_texts_of_others_are_texts_on_every_page(visitor: Visitor) -> None:
    town = visitor.town
    noor = visitor.signed_in(XSS[:90], [Role.CLERK], ["clinic"])
    town.clear(
        town.event(f"e1{XSS}", display=XSS, code=Code("local", XSS), visit=XSS),
        town.event("e2", 5, member=XSS, display=XSS, visit="v9"),
    )
    charge = noor.ask("list_charges", town.clerk()).body["data"][0]
    stuck = noor.ask("list_work_queue", town.clerk()).body["data"][0]
    shift = noor.open_shift()
    pages = [
        noor.get("open_desk"),
        noor.get("open_desk", query={"show": XSS}),
        noor.get("open_desk", query={"day": XSS}),
        noor.get("open_desk_charge", {"charge_id": charge["id"]}),
        noor.post("hand_out_at_desk", {"hours": "24"}, {"charge_id": charge["id"]}),
        noor.get("open_desk_event", {"event_id": stuck["event"]}),
        noor.post("retry_at_desk", {}, {"event_id": stuck["event"]}),
        noor.get("open_desk_window"),
        noor.post("begin_desk_shift", {"party": "clinic", "window": XSS, "currency": XSS, "laid_in": XSS}),
        noor.post("take_cash_at_desk", {"wallet": XSS, "amount": XSS, "key": "k" * 30}, {"shift_id": shift}),
        noor.post("count_at_desk", {"counted": XSS}, {"shift_id": shift}),
        noor.post("search_desk", {"id": XSS}),
    ]
    for page in pages:
        assert "<main" in page.body
        for raw in ("<script>", "<img", "onerror=alert(1)>"):
            assert raw not in page.body
    assert "&lt;script&gt;" in pages[0].body
    assert "&lt;script&gt;" in pages[3].body


def test_a_form_that_is_too_large_or_no_form_is_refused(noor: Visitor) -> None:
    big = urlencode({"csrf": noor.word, "id": "x" * 5_000}).encode()
    assert noor.ask("search_desk", NOBODY, body=big, media=FORM, headers={"cookie": noor.cookie}).status == 403
    assert noor.ask("search_desk", NOBODY, body={"csrf": noor.word}, headers={"cookie": noor.cookie}).status == 403
