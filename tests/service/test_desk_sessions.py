"""Who gets in at the clinic's desk, how a session begins and ends, and what its cookie is worth. Without a browser."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from desk_visitor import NOBODY, Visitor, form_word, token_for

from drachm.adapters.rest.identity.model import Environment, Kind, Role
from drachm.adapters.rest.service import browser_session, desk_session
from drachm.adapters.rest.service.call import Call
from drachm.domain.errors import Forbidden


@pytest.fixture
def noor(visitor: Visitor) -> Visitor:
    return visitor.signed_in("Noor", [Role.CLERK], ["clinic"])


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


def test_a_credential_of_the_interface_is_no_session(visitor: Visitor) -> None:
    assert visitor.ask("open_desk", visitor.town.clerk()).status == 303
    assert visitor.ask("open_desk", visitor.town.operator()).status == 303


def test_the_word_of_a_form_is_not_the_word_of_the_cookie(noor: Visitor) -> None:
    assert form_word(noor.get("open_desk").body) not in noor.cookie
