"""The clinic's desk without a browser: who gets in, who sees what, and that a form of somebody else does nothing."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from desk_visitor import FORM, NOBODY, Visitor, form_word, names, sandboxed, token_for

from drachm.adapters.rest.identity.model import Environment, Kind, Role
from drachm.adapters.rest.identity.routes import ROUTES
from drachm.adapters.rest.service import browser_session, desk_session
from drachm.adapters.rest.service.call import Call
from drachm.domain.errors import Forbidden
from drachm.domain.events.model import Code

XSS = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>{{7*7}}"


@pytest.fixture
def noor(visitor: Visitor) -> Visitor:
    return visitor.signed_in("Noor", [Role.CLERK], ["clinic"])


# --- signing in


def test_a_token_of_the_sandbox_opens_the_desk_and_the_cookie_is_as_tight_as_it_can_be(visitor: Visitor) -> None:
    page = visitor.get("open_desk_sign_in")
    assert "for the sandbox" in page.body or "Sandbox: use a token" in page.body
    answer = visitor.sign_in(token_for(visitor, "Noor", [Role.CLERK], ["clinic"]))
    assert (answer.status, answer.headers["location"]) == (303, "/desk")
    (said,) = [one for one in visitor.set_cookies if one.startswith("drachm_desk=")]
    assert "; HttpOnly" in said
    assert "; SameSite=Lax" in said
    assert "; Path=/desk" in said
    age = int(re.findall(r"Max-Age=([0-9]+)", said)[0])
    assert 0 < age <= 8 * 3600
    body = visitor.get("open_desk").body
    assert "Noor" in body
    assert "Town clinic" in body


def test_on_https_the_cookie_is_of_this_host_alone(visitor: Visitor) -> None:
    house = replace(visitor.street.house, base_url="https://drachm.example")
    said = browser_session.set_cookie(house, desk_session.DESK, "drachm_desk", "word", 60)
    assert said.startswith("__Host-drachm_desk=word; Path=/; ")
    assert said.endswith("; Secure")


def test_nothing_else_opens_it(visitor: Visitor) -> None:
    town, boss = visitor.town, visitor.town.operator()
    now = town.clock.now()
    rights = (frozenset({Role.OPERATOR}), frozenset[str](), boss.scopes)
    minted, _ = visitor.street.house.keyring.issue(boss, "a key", *rights, now + timedelta(days=1), now)
    whole = token_for(visitor, "Noor", [Role.CLERK], ["clinic"])
    refused = ["", "a.b.c", "nonsense", minted.text, whole.rsplit(".", 1)[0] + ".AAAA", f"{whole}x", "é" * 40]
    refused += [token_for(visitor, "Ana", [role], ["clinic"]) for role in Role if role not in desk_session.STAFF]
    refused.append(token_for(visitor, "Noor", [Role.CLERK], ["clinic"], at=now - timedelta(hours=20)))
    for text in refused:
        answer = visitor.sign_in(text)
        assert answer.status in (401, 403), text
        assert not [one for one in visitor.set_cookies if one.startswith("drachm_desk=")]
        assert visitor.get("open_desk").status == 303
        assert not text or text not in answer.body


def test_in_live_no_token_is_taken_and_none_is_asked_for(visitor: Visitor) -> None:
    token = token_for(visitor, "Noor", [Role.CLERK], ["clinic"])
    visitor.get("open_desk_sign_in")
    visitor.street.house = replace(visitor.street.house, environment=Environment.LIVE)
    page = visitor.get("open_desk_sign_in")
    assert "token" not in page.body.lower()
    secret = visitor.street.house.cursors.read(
        visitor.cookies["drachm_desk_door"], caller="drachm_desk_door", route="session", filters={}
    )[0]
    form = {"token": token, "csrf": browser_session.form_word(str(secret))}
    assert visitor.post("sign_in_at_desk", form).status == 401


def test_a_sign_in_form_of_another_page_does_nothing(visitor: Visitor) -> None:
    token = token_for(visitor, "Noor", [Role.CLERK], ["clinic"])
    visitor.get("open_desk_sign_in")
    word = visitor.word
    for form, headers in (
        ({"token": token, "csrf": ""}, {}),
        ({"token": token, "csrf": "0" * 64}, {}),
        ({"token": token, "csrf": word}, {"sec-fetch-site": "cross-site"}),
        ({"token": token, "csrf": word}, {"origin": "https://evil.example"}),
    ):
        assert visitor.post("sign_in_at_desk", form, **headers).status == 403
    visitor.cookies.clear()
    assert visitor.post("sign_in_at_desk", {"token": token, "csrf": word}).status == 403


def test_signing_in_gives_a_new_word_and_ends_the_old_session(visitor: Visitor) -> None:
    token = token_for(visitor, "Noor", [Role.CLERK], ["clinic"])
    visitor.sign_in(token)
    first = visitor.cookies["drachm_desk"]
    visitor.sign_in(token)
    second = visitor.cookies["drachm_desk"]
    assert first != second
    visitor.cookies["drachm_desk"] = first
    assert visitor.get("open_desk").status == 303
    visitor.cookies["drachm_desk"] = second
    assert visitor.get("open_desk").status == 200


def test_a_word_that_somebody_planted_is_never_taken_over(visitor: Visitor) -> None:
    for planted in ("chosen", "1.chosen", "A" * 200, "é", "\x00", visitor.street.house.cursors.write(
            [visitor.town.name, "chosen"], caller="drachm_desk", route="session", filters={})):  # fmt: skip
        visitor.cookies["drachm_desk"] = planted
        assert visitor.get("open_desk").status == 303
    visitor.sign_in(token_for(visitor, "Noor", [Role.CLERK], ["clinic"]))
    assert visitor.cookies["drachm_desk"] != planted


# --- how a session ends


def test_it_ends_after_half_an_hour_without_a_page_and_after_its_longest(noor: Visitor) -> None:
    for _ in range(4):
        noor.town.clock.move(minutes=29)
        assert noor.get("open_desk").status == 200
    noor.town.clock.move(minutes=31)
    answer = noor.get("open_desk")
    assert (answer.status, answer.headers["location"]) == (303, "/desk/sign-in")
    assert "Max-Age=0" in answer.headers["set-cookie"]


def test_it_ends_after_eight_hours_however_busy_and_with_its_token(visitor: Visitor) -> None:
    for hours, most in ((24, 8 * 60), (1, 60)):
        noor = visitor.signed_in("Noor", [Role.CLERK], ["clinic"], hours=hours)
        minutes = 0
        while noor.get("open_desk_window").status == 200:
            noor.town.clock.move(minutes=20)
            minutes += 20
            assert minutes <= most
        assert minutes == most


def test_sign_out_ends_it_and_the_cookie_opens_nothing_any_more(noor: Visitor) -> None:
    word, kept = noor.word, dict(noor.cookies)
    assert noor.post("sign_out_of_desk", {"csrf": "wrong"}).status == 403
    assert noor.get("open_desk").status == 200
    assert noor.post("sign_out_of_desk", {"csrf": word}, **{"sec-fetch-site": "cross-site"}).status == 403
    answer = noor.post("sign_out_of_desk", {"csrf": word})
    assert (answer.status, answer.headers["location"]) == (303, "/desk/sign-in")
    assert answer.headers["clear-site-data"] == '"cache"'
    noor.cookies.update(kept)
    assert noor.get("open_desk").status == 303


def test_one_sign_out_can_end_every_session_of_a_person_and_nobody_elses(visitor: Visitor) -> None:
    here = visitor.signed_in("Noor", [Role.CLERK], ["clinic"])
    phone = visitor.signed_in("Noor", [Role.CLERK], ["clinic"])
    omar = visitor.signed_in("Omar", [Role.CLERK], ["clinic"])
    here.get("open_desk")
    here.post("sign_out_of_desk", {"csrf": here.word, "everywhere": "yes"})
    assert (here.get("open_desk").status, phone.get("open_desk").status, omar.get("open_desk").status) == (
        303,
        303,
        200,
    )


def test_what_is_kept_names_no_word_of_a_cookie(noor: Visitor) -> None:
    secret = noor.street.house.cursors.read(
        noor.cookies["drachm_desk"], caller="drachm_desk", route="session", filters={}
    )[1]
    (record,) = noor.town.market.records.find("session")
    assert secret not in repr(record)
    assert record.body["roles"] == ["clerk"]


def test_pages_seen_at_the_same_moment_do_not_end_a_session(noor: Visitor) -> None:
    noor.town.clock.move(minutes=5)
    record = noor.town.market.records.find("session")[0]
    noor.town.market.records.put([replace(record, body={**record.body, "seen": record.body["until"]})])
    assert noor.get("open_desk").status == 200


def test_a_machine_gets_no_session_whatever_it_proved(visitor: Visitor) -> None:
    call = Call("open_desk", NOBODY, visitor.town.clock.now(), visitor.street.house, "req")
    for changes in ({"kind": Kind.MACHINE}, {"roles": frozenset({Role.PATIENT})}, {"roles": frozenset({Role.PAYER})}):
        with pytest.raises(Forbidden):
            desk_session.opened(call, replace(visitor.town.clerk(), **changes), "x", call.at + timedelta(hours=1))


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
        if not route.template.startswith("/desk") or route.operation in names("open"):
            continue
        path = dict.fromkeys(route.parameters, "chg_1")
        answer = visitor.get(route.operation, path) if route.reads else visitor.post(route.operation, {}, path)
        assert (answer.status, answer.headers["location"], answer.raw) == (303, "/desk/sign-in", b"")


def test_a_credential_of_the_interface_is_no_session(visitor: Visitor) -> None:
    assert visitor.ask("open_desk", visitor.town.clerk()).status == 303
    assert visitor.ask("open_desk", visitor.town.operator()).status == 303


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
    assert "there is no such pocket" in answer.body


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
        for raw in ("<script>", "<img", "onerror=alert(1)>", "49"[:0] or "<svg onload"):
            assert raw not in page.body
    assert "&lt;script&gt;" in pages[0].body
    assert "&lt;script&gt;" in pages[3].body


def test_a_form_that_is_too_large_or_no_form_is_refused(noor: Visitor) -> None:
    big = urlencode({"csrf": noor.word, "id": "x" * 5_000}).encode()
    assert noor.ask("search_desk", NOBODY, body=big, media=FORM, headers={"cookie": noor.cookie}).status == 403
    assert noor.ask("search_desk", NOBODY, body={"csrf": noor.word}, headers={"cookie": noor.cookie}).status == 403


def test_the_word_of_a_form_is_not_the_word_of_the_cookie(noor: Visitor) -> None:
    assert form_word(noor.get("open_desk").body) not in noor.cookie
    assert sandboxed(noor.street)
