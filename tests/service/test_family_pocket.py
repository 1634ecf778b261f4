"""A family's pocket: asked before it pays, grown up, gone, helped, and what those who pay never see."""

from __future__ import annotations

import json
import sys
import threading
from dataclasses import replace
from datetime import date, timedelta
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from drachm.adapters.rest.identity.model import MemberTie, Relation, Role
from drachm.adapters.rest.identity.routes import ROUTES
from drachm.adapters.rest.service.journal_reading import name_of, visit_name
from drachm.domain.coverage.model import Contract, Member, Party
from drachm.domain.events.model import Code
from drachm.domain.money import MICROS
from drachm.domain.periods import Period

sys.path.insert(0, str(Path(__file__).parent))

from family_helpers import put_terms, say_yes, terms, usd

ALWAYS = Period(date(2000, 1, 1))
TEEN = Member("tim", date(2010, 4, 10), "male", family="dans", facts={"jurisdiction": "US-CA"})


@pytest.fixture
def home(town: Any, ask: Any) -> dict[str, str]:
    """50 dollars of the fund's and dan's, who holds the pocket; dora is asked, tim is a minor."""
    town.desk.books.enrol(members=[Member("dora", date(1975, 1, 1), "female", family="dans"), TEEN])
    body = {"currency": "USD", "family": "dans", "funder": "town-fund", "holder": "dan"}
    wallet = {"wallet_id": ask("open_wallet", town.operator(), body=body).body["id"]}
    ask("top_up_wallet", town.funder(), path=wallet, body={"amount": usd(50)})
    say_yes(town, ask, "dan")
    return wallet


def left(town: Any, ask: Any, wallet: dict[str, str]) -> int:
    return int(ask("get_wallet", town.operator(), path=wallet).body["available"]["micros"]) // MICROS


def entries(ask: Any, caller: Any, wallet: dict[str, str]) -> list[tuple[int, str | None]]:
    found = ask("list_wallet_entries", caller, path=wallet).body["data"]
    return [(int(one["amount"]["micros"]) // MICROS, one["member"]) for one in found]


def test_nobody_pays_for_an_adult_who_was_not_asked(town, ask, home) -> None:
    town.clear(town.event("d1", 10, member="dora", visit="v1"), town.event("t1", 7, member="tim", visit="v2"))
    assert left(town, ask, home) == 43
    dora, own = {"member_id": "dora"}, town.patient("dora")
    # Nor does she see anything, or is seen.
    assert ask("get_wallet", own, path=home).status == 404
    assert [one["member"] for one in ask("list_wallet_members", town.patient("dan"), path=home).body["data"]] == [
        "dan",
        "tim",
    ]
    assert ask("get_wallet_member", town.patient("dan"), path={**home, **dora}).body["state"] == "asked"
    [asked] = ask("list_member_invitations", own, path=dora).body["data"]
    yes = {"invitation": asked["id"], "accept": True}
    for other in (town.patient("dan"), town.patient("ana"), town.funder(), town.operator(), town.relative(of="dora")):
        assert ask("answer_invitation", other, path=dora, body=yes).status in (403, 404)
    assert ask("answer_invitation", town.patient("dan"), path={"member_id": "dan"}, body=yes).status == 404
    assert ask("answer_invitation", own, path=dora, body={**yes, "invitation": "inv_none"}).status == 404
    assert ask("answer_invitation", own, path=dora, body=yes).body["state"] == "accepted"
    assert ask("answer_invitation", own, path=dora, body=yes).status == 409
    town.clear(town.event("d2", 10, member="dora", visit="v3"))
    assert left(town, ask, home) == 33
    assert entries(ask, town.patient("dan"), home) == [(10, "dora"), (7, "tim"), (-50, None)]


def test_an_invitation_is_answered_once_and_not_for_ever(town, ask, home) -> None:
    holder, ana, path = town.patient("dan"), town.patient("ana"), {"member_id": "ana"}
    invite = {"limits": terms(9)["limits"], "days": 3}
    first = ask("invite_to_wallet", holder, path=home, body=invite).body
    answer = {"invitation": first["id"], "accept": True, "code": first["code"]}
    # Somebody from another family, by a code; a wrong one opens nothing.
    for wrong in ({**answer, "code": "0" * 26}, {"invitation": first["id"], "accept": True}):
        assert ask("answer_invitation", ana, path=path, body=wrong).status == 404
    assert ask("list_wallet_invitations", holder, path=home).body["data"][-1]["code"] is None
    told: list[int] = []
    lock = threading.Lock()

    def race(who: str) -> None:
        status = ask("answer_invitation", town.patient(who), path={"member_id": who}, body=answer).status
        with lock:
            told.append(status)

    threads = [threading.Thread(target=race, args=(who,)) for who in ("ana", "ben", "cleo", "ana", "ben")]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(told) == [200, 409, 409, 409, 409]
    # Declined, withdrawn, over: none can be accepted any more.
    for number, end in enumerate(("declined", "withdrawn", "expired")):
        one = ask("invite_to_wallet", holder, path=home, body=invite).body
        again = {"invitation": one["id"], "accept": True, "code": one["code"]}
        if end == "declined":
            assert ask("answer_invitation", ana, path=path, body={**again, "accept": False}).body["state"] == end
        elif end == "withdrawn":
            gone = {"invitation_id": one["id"]}
            for stranger in (ana, town.clerk(), town.auditor()):
                assert ask("withdraw_wallet_invitation", stranger, path=gone).status in (403, 404)
            assert ask("withdraw_wallet_invitation", holder, path=gone).status == 204
            assert ask("withdraw_wallet_invitation", holder, path=gone).status == 204
        else:
            town.clock.move(days=3)
        assert ask("answer_invitation", ana, path=path, body=again).status == 409, number
        states = {each["id"]: each["state"] for each in ask("list_wallet_invitations", holder, path=home).body["data"]}
        assert states[one["id"]] == end
    assert ask("withdraw_wallet_invitation", holder, path={"invitation_id": "inv_none"}).status == 404
    for body in ({"member": "zoe"}, {"member": "nobody"}, {"asked": "helper", "limits": invite["limits"]}):
        assert ask("invite_to_wallet", holder, path=home, body=body).status == 422
    for stranger in (town.patient("tim"), ana, town.clerk(), town.relative(of="dan"), town.auditor()):
        assert ask("invite_to_wallet", stranger, path=home, body={}).status in (403, 404)


def test_a_patient_opens_a_household_and_a_grandmother_joins_it(town, ask) -> None:
    ana = town.patient("ana")
    opened = ask("open_wallet", ana, body={"currency": "USD", "holder": "ana"})
    assert (opened.status, opened.body["shared"], opened.body["family"]) == (201, True, None)
    wallet = {"wallet_id": opened.body["id"]}
    for wrong in ({"holder": "ben"}, {"member": "ana"}, {"holder": "ana", "funder": "town-fund"}, {"family": "dans"}):
        assert ask("open_wallet", ana, body={"currency": "USD", **wrong}).status in (403, 422)
    assert ask("open_wallet", ana, body={"currency": "USD", "holder": "ana", "pocket": "gift"}).status == 422
    ask("top_up_wallet", town.operator(), path=wallet, body={"amount": usd(30)})
    asked = ask("invite_to_wallet", ana, path=wallet, body={"limits": terms(20)["limits"]}).body
    answer = {"invitation": asked["id"], "accept": True, "code": asked["code"]}
    assert ask("answer_invitation", town.patient("cleo"), path={"member_id": "cleo"}, body=answer).status == 200
    town.clear(town.event("c1", 25, member="cleo"))
    assert left(town, ask, wallet) == 10
    assert entries(ask, ana, wallet) == [(20, "cleo"), (-30, None)]
    assert entries(ask, town.patient("cleo"), wallet) == [(20, "cleo"), (-30, None)]
    assert wallet["wallet_id"] in [one["id"] for one in ask("list_wallets", ana).body["data"]]


def test_a_helper_looks_at_amounts_and_is_no_member(town, ask, home) -> None:
    holder, aunt = town.patient("dan"), town.caller(Role.RELATIVE, subject="aunt")
    asked = ask("invite_to_wallet", holder, path=home, body={"asked": "helper"}).body
    wanted = {"invitation": asked["id"], "code": asked["code"]}
    assert ask("get_wallet", aunt, path=home).status == 404
    assert ask("accept_help", town.integrator(), body=wanted).status == 403
    assert ask("accept_help", aunt, body={**wanted, "code": "1" * 26}).status == 404
    assert (
        ask("answer_invitation", town.patient("ana"), path={"member_id": "ana"}, body={**wanted, "accept": True}).status
        == 404
    )
    assert ask("accept_help", aunt, body=wanted).body["state"] == "accepted"
    assert ask("accept_help", aunt, body=wanted).status == 409
    ties = town.market.records.find("member_tie")
    tie = next(one for one in ties if one.body["subject"] == "aunt")
    helping = replace(
        aunt, members=(MemberTie(*tie.members, Relation.RELATIVE, town.clock.now() - timedelta(hours=1)),)
    )
    town.clear(town.event("d1", 10, member="dan"))
    assert entries(ask, helping, home) == [(10, None), (-50, None)]
    assert [one["id"] for one in ask("list_wallets", helping).body["data"]] == [home["wallet_id"]]
    assert ask("list_wallet_members", helping, path=home).body["data"] == []
    assert ask("list_payments", helping, path=home).status == 200
    assert ask("list_charges", helping).body["data"] == []
    dan = {**home, "member_id": "dan"}
    assert ask("get_wallet_member", helping, path=dan).status in (403, 404)
    assert ask("withdraw_wallet_invitation", holder, path={"invitation_id": asked["id"]}).status == 204
    assert town.market.records.get("member_tie", tie.id).body["revoked_at"] is not None


def test_coming_of_age(town, ask, home) -> None:
    """tim is 18 on 10 April 2028: asked on that day, paid for 30 days more without a name, then no more."""
    holder, tim, path = town.patient("dan"), town.patient("tim"), {"member_id": "tim"}
    order = {"subject": "guardian", "valid_until": "2034-01-01T00:00:00Z"}
    tie = ask("allow_relative", town.operator(), path=path, body=order).body
    assert tie["valid_until"] == "2028-04-10T00:00:00Z"
    shown = {one["member"]: one["of_age_on"] for one in ask("list_wallet_members", holder, path=home).body["data"]}
    assert shown == {"dan": None, "tim": "2028-04-10"}
    assert ask("list_member_invitations", tim, path=path).body["data"] == []
    number = iter(range(9))

    def visit(days: int, dollars: int = 1) -> None:
        n = next(number)
        moment = town.clock.now()
        town.clear(town.event(f"t{n}", dollars, member="tim", visit=f"v{n}", started_at=moment))
        town.clock.move(days=days)

    town.clock.move(days=(date(2028, 4, 9) - town.clock.now().date()).days)
    visit(1)  # the day before
    visit(29)  # the birthday
    visit(1)  # the last day of grace
    visit(0)
    assert left(town, ask, home) == 47
    assert entries(ask, holder, home) == [(1, None), (1, None), (1, "tim"), (-50, None)]
    # The question stood as long as the pocket paid on; whoever holds it asks again.
    assert ask("list_member_invitations", tim, path=path).body["data"] == []
    assert put_terms(ask, holder, {**home, **path}, terms(9)).status == 200
    visit(0)
    assert left(town, ask, home) == 47
    say_yes(town, ask, "tim")
    visit(0)
    assert left(town, ask, home) == 46
    assert entries(ask, holder, home)[0] == (1, "tim")


def test_a_yes_on_the_birthday_and_a_pause_without_one(town, ask, home) -> None:
    town.clock.move(days=(date(2028, 4, 10) - town.clock.now().date()).days)
    tim = {**home, "member_id": "tim"}
    put_terms(ask, town.patient("dan"), tim, {"paused": True})
    town.clear(town.event("t0", 1, member="tim", started_at=town.clock.now()))
    assert left(town, ask, home) == 50
    put_terms(ask, town.patient("dan"), tim, {})
    say_yes(town, ask, "tim")
    town.clock.move(days=60)
    town.clear(town.event("t1", 1, member="tim", visit="v2", started_at=town.clock.now()))
    assert left(town, ask, home) == 49


def test_a_member_leaves_at_will(town, ask, home) -> None:
    say_yes(town, ask, "dora")
    dora, own, holder = {**home, "member_id": "dora"}, town.patient("dora"), town.patient("dan")
    town.clear(town.event("d1", 10, member="dora"))
    assert ask("remove_wallet_member", own, path={**home, "member_id": "dan"}).status == 404
    assert ask("remove_wallet_member", own, path=dora).status == 204
    town.clear(town.event("d2", 10, member="dora", visit="v2"))
    assert left(town, ask, home) == 40
    assert ask("get_wallet", own, path=home).status == 404
    # What was paid stays paid, and is seen by who paid.
    assert entries(ask, holder, home) == [(10, "dora"), (-50, None)]
    # Back only with a new yes.
    assert put_terms(ask, holder, dora, terms(5)).body["state"] == "asked"
    town.clear(town.event("d3", 10, member="dora", visit="v3"))
    assert left(town, ask, home) == 40
    # The holder leaves too, and decides and sees no more.
    assert ask("remove_wallet_member", holder, path={**home, "member_id": "dan"}).status == 204
    assert ask("get_wallet", holder, path=home).status == 404
    assert ask("invite_to_wallet", holder, path=home, body={}).status == 404


def test_terms_are_changed_as_they_were_read(town, ask, home) -> None:
    holder, tim = town.patient("dan"), {**home, "member_id": "tim"}
    assert ask("set_wallet_member", holder, path=tim, body=terms(5)).status == 428
    read = ask("get_wallet_member", holder, path=tim)
    assert ask("set_wallet_member", holder, path=tim, body=terms(5), if_match=read.etag).status == 200
    assert ask("set_wallet_member", holder, path=tim, body=terms(6), if_match=read.etag).status == 412
    assert ask("get_wallet_member", town.patient("tim"), path=tim).body["limits"][0]["amount"] == usd(5)
    # What a member keeps private changes nothing of what others read.
    read = ask("get_wallet_member", holder, path=tim)
    wishes = {"wallet_id": home["wallet_id"], "member_id": "tim"}
    mine = ask("get_wallet_privacy", town.patient("tim"), path=wishes)
    wish = {"private_categories": ["mental_health"]}
    told = ask("set_wallet_privacy", town.patient("tim"), path=wishes, body=wish, if_match=mine.etag)
    assert (told.status, told.body["private_categories"]) == (200, ["mental_health"])
    assert ask("get_wallet_member", holder, path=tim).etag == read.etag
    assert ask("set_wallet_member", holder, path=tim, body=terms(7), if_match=read.etag).status == 200
    event = town.event("t1", 5, member="tim", facts={"category": "mental_health"})
    town.clear(event, town.event("t2", 5, member="tim", visit="v2"))
    assert left(town, ask, home) == 45


def test_a_minor_wishes_what_the_law_gives(town, ask, home) -> None:
    path, tim = {**home, "member_id": "tim"}, town.patient("tim")
    mine = ask("get_wallet_privacy", tim, path=path)
    assert mine.body["may_keep_private"] == ["mental_health", "reproductive", "sexual_health", "substance_use"]
    for wrong in (["dental"], ["*"], ["mental_health", "drug"]):
        answer = ask("set_wallet_privacy", tim, path=path, body={"private_categories": wrong}, if_match=mine.etag)
        assert answer.status == 422
    for other in (town.patient("dan"), town.funder(), town.operator(), town.auditor(), town.relative(of="tim")):
        assert ask("get_wallet_privacy", other, path=path).status in (403, 404)
        assert ask("set_wallet_privacy", other, path=path, body={}, if_match="*").status in (403, 404)
    assert ask("set_wallet_privacy", tim, path=path, body={}).status == 428


DIRECTORY = ("list_parties", "get_party", "list_sites", "list_practitioners")
CANARIES = (
    *("Canarylaparoscopy", "canarycode", "CanaryClinic", "canarycategory", "canaryclass", "canarydiagnosis"),
    "canary-visit",
)


def look_everywhere(town: Any, ask: Any, caller: Any, wallet: str) -> dict[str, str]:
    """Every answer that a caller can get by reading, as text, by call: whatever the table of calls has."""
    rows = town.market.index.page("events", parties=None, members=["dora"])
    known: dict[str, list[str]] = {
        "wallet_id": [wallet],
        "member_id": ["dan", "dora", "tim"],
        "family_id": ["dans"],
        "party_id": ["town-fund", "canary-clinic"],
        "charge_id": [name_of(row, "chg") for row in rows],
        "receipt_id": [name_of(row, "rcp") for row in rows],
        "event_id": [name_of(row, "evt") for row in rows],
        "visit_id": [visit_name(row.visit) for row in rows],
        "account_id": [one["id"] for one in ask("list_accounts", caller).body.get("data", ())],
        "statement_id": [one["id"] for one in ask("list_statements", caller).body.get("data", ())],
    }
    answers: dict[str, str] = {}
    for route in ROUTES:
        if route.reads and route.template.startswith("/v1/") and not route.streams:
            for values in product(*[known.get(word, ["none"]) for word in route.parameters]):
                path = dict(zip(route.parameters, values, strict=True))
                answers[f"{route.operation} {path}"] = json.dumps(ask(route.operation, caller, path=path).body)
    return answers


def secret(town: Any, event_id: str, dollars: int = 10, **changes: Any) -> Any:
    """Care of which every word is a canary."""
    said = {
        "code": Code("local", "canarycode"),
        "display": "Canarylaparoscopy",
        "diagnoses": ("canarydiagnosis",),
        "facts": {"category": "canarycategory", "visit_class": "canaryclass", **changes.pop("facts", {})},
        "visit": f"canary-visit-{event_id}",
        "billing_party": "canary-clinic",
    }
    return town.event(event_id, dollars, member="dora", **{**said, **changes})


def test_who_pays_sees_amount_date_and_who_and_nothing_else(town, ask, home) -> None:
    town.desk.books.enrol(
        parties=[Party("canary-clinic", ("provider",), "CanaryClinic", "America/New_York")],
        contracts=[Contract("canary-clinic", payer, "as-submitted", ALWAYS) for payer in ("*", "")],
    )
    say_yes(town, ask, "dora")
    outcomes = town.clear(secret(town, "s1"), secret(town, "s2", 3, kind="hold"))
    assert [one.status for one in outcomes] == ["posted", "posted"]
    wallet = home["wallet_id"]
    payers = {"holder": town.patient("dan"), "funder": town.funder(), "minor": town.patient("tim")}
    for who, caller in payers.items():
        answers = look_everywhere(town, ask, caller, wallet)
        # The directory of the tenant names every clinic, whoever goes there.
        assert "CanaryClinic" in answers["list_parties {}"]
        assert "list_wallet_entries" in " ".join(answers)
        for place, text in answers.items():
            if place.split()[0] in DIRECTORY:
                continue
            assert [word for word in CANARIES if word.lower() in text.lower()] == [], (who, place)
    own = " ".join(look_everywhere(town, ask, town.patient("dora"), wallet).values())
    assert {"Canarylaparoscopy", "CanaryClinic"} <= {word for word in CANARIES if word in own}
    assert entries(ask, payers["holder"], home) == [(3, "dora"), (10, "dora"), (-50, None)]
    assert entries(ask, payers["minor"], home) == [(3, None), (10, None), (-50, None)]
    # Unless she lets them, and as long as she does.
    path, dora = {**home, "member_id": "dora"}, town.patient("dora")
    for shares, service in ((True, "Canarylaparoscopy"), (False, None)):
        tag = ask("get_wallet_privacy", dora, path=path).etag
        assert ask("set_wallet_privacy", dora, path=path, body={"shares": shares}, if_match=tag).status == 200
        for who, caller in payers.items():
            shown = ask("list_wallet_entries", caller, path=home).body["data"][0]["care"]
            expected = service if who != "minor" else None
            assert (shown and shown["service"]) == expected
            assert (shown and shown["provider"]) == ("CanaryClinic" if expected else None)


def test_private_care_is_in_no_view_of_the_family(town, ask, home) -> None:
    say_yes(town, ask, "dora")
    dora, holder, relative = town.patient("dora"), town.patient("dan"), town.relative(of="dora")
    town.clear(
        town.event("open", 4, member="dora", visit="v1"),
        town.event("kept", 6, member="dora", visit="v2", facts={"private": True}),
        town.event("later", 8, member="dora", visit="v3"),
    )
    before = entries(ask, holder, home)
    assert before == [(8, "dora"), (4, "dora"), (-50, None)]
    mine = ask("list_charges", dora).body["data"]
    assert len(mine) == 3
    later = mine[0]["id"]
    for other in (holder, relative, town.funder(), town.clerk(), town.operator(), town.patient("ana")):
        assert ask("keep_charge_private", other, path={"charge_id": later}).status in (403, 404)
    told = ask("keep_charge_private", dora, path={"charge_id": later})
    assert told.status == 200, told.body
    town.follow()
    # As if it had never been: in the list, in the balance, in what is left of a limit.
    assert entries(ask, holder, home) == entries(ask, town.funder(), home) == [(4, "dora"), (-50, None)]
    assert left(town, ask, home) == 46
    # Relatives whom she let in see the open one only; she and the clinic see all.
    assert len(ask("list_charges", relative).body["data"]) == 1
    assert len(ask("list_receipts", relative).body["data"]) == 1
    assert len(ask("list_visits", relative).body["data"]) == 1
    assert [len(ask("list_charges", one).body["data"]) for one in (dora, town.clerk())] == [3, 3]
    for one in mine:
        hidden = one["id"] != mine[2]["id"]
        assert ask("get_charge", relative, path={"charge_id": one["id"]}).status == (404 if hidden else 200)
        assert ask("get_receipt", relative, path={"receipt_id": one["receipt"]}).status == (404 if hidden else 200)
        visit = {"visit_id": one["visit"]}
        assert ask("get_visit", relative, path=visit).status == (404 if hidden else 200)
    # A correction by the clinic, and one more after it, stay private.
    town.clear(town.event("fix", 9, member="dora", visit="v3", kind="replacement", replaces="later"))
    assert entries(ask, holder, home) == [(4, "dora"), (-50, None)]
    assert len(ask("list_charges", relative).body["data"]) == 1


def test_a_minors_mark_counts_for_relatives_as_the_law_says(town, ask, home) -> None:
    town.desk.books.enrol(
        parties=[Party("west", ("provider",), "West clinic", "America/Los_Angeles", {"jurisdiction": "US-CA"})],
        contracts=[Contract("west", "", "as-submitted", ALWAYS)],
    )
    mark = {"private": True, "category": "mental_health"}
    town.clear(
        town.event("t1", 4, member="tim", visit="v1", billing_party="west", facts=mark),
        town.event("t2", 4, member="tim", visit="v2", facts=mark),  # where no row gives the right
    )
    assert entries(ask, town.patient("dan"), home) == [(4, "tim"), (-50, None)]
    assert len(ask("list_charges", town.relative(of="tim")).body["data"]) == 1
    assert len(ask("list_charges", town.patient("tim")).body["data"]) == 2


def test_a_released_request_leaves_no_line(town, ask, home) -> None:
    town.clear(town.event("h", 9, member="tim", kind="hold"))
    town.clear(town.event("s", 0, member="tim", kind="stop", replaces="h"))
    town.clear(town.event("c", 5, member="tim", visit="v2"))
    town.clear(town.event("r", 3, member="tim", visit="v2", kind="replacement", replaces="c"))
    assert entries(ask, town.patient("dan"), home) == [(-2, "tim"), (5, "tim"), (-50, None)]
