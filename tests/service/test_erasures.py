"""Erasing what is kept of a person: asked, taken up, agreed to by another, or refused; nothing while money is open."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from drachm.adapters.rest.service.names import row_name
from drachm.application import unsettled
from drachm.application.audit import audit
from drachm.application.check_books import check_books
from drachm.application.clear_events import clear_events
from drachm.application.merges import MERGE
from drachm.application.payments import begin
from drachm.application.records import Record
from drachm.application.ties import Tie, allow, ties_of
from drachm.domain.funding.model import Pot
from drachm.domain.money import MICROS
from drachm.domain.payments.model import Payment
from drachm.domain.transparency.leaf import event_key
from drachm.storage.postgres import open_books
from drachm.storage.tally import DiskTally

COSMETIC = {"category": "cosmetic"}
"""No cover helps: the price is the patient's share."""
KEY = bytes(range(32))


def asked(town: Any, ask: Any, member: str = "cleo", key: str = "", **body: Any) -> dict[str, str]:
    made = ask("ask_for_erasure", town.patient(member), {"member_id": member}, body=body, key=key)
    assert made.status == 201, made.body
    return {"erasure_id": made.body["id"]}


def proposed(town: Any, ask: Any, member: str = "cleo") -> dict[str, str]:
    path = asked(town, ask, member)
    assert ask("propose_erasure", town.operator(subject="olga"), path).body["state"] == "proposed"
    return path


def agree(town: Any, ask: Any, path: dict[str, str], who: str = "otto") -> Any:
    return ask("agree_to_erasure", town.operator(subject=who), path)


def ways(answer: Any) -> list[tuple[str, int]]:
    found = answer.body["in_the_way"]
    return [(one["what"], int(one["amount"]["micros"]) // MICROS if one["amount"] else 0) for one in found]


@pytest.fixture
def owing(town: Any, ask: Any) -> str:
    """Cleo has no pot: 8 dollars are due of a visit. Its receipt."""
    (outcome,) = town.clear(town.event("e1", 8, member="cleo", facts=COSMETIC))
    return row_name("rcp", outcome.position, event_key(town.tenant, "ehr", "e1"))


@pytest.fixture
def settle(town: Any, ask: Any, owing: str) -> Callable[[], None]:
    def give_up() -> None:
        charge = ask("list_charges", town.clerk(), query={"member": "cleo"}).body["data"][0]["id"]
        done = ask("write_off_due", town.clerk(), {"charge_id": charge}, body={"reason": "hardship"})
        assert done.body["state"] == "done", done.body
        town.follow()

    return give_up


def whole(town: Any) -> None:
    assert check_books(town.desk.books) == []
    with DiskTally() as totals, DiskTally() as pots:
        report = audit(town.desk.books, totals, pots, time.monotonic, lambda _: None)
    assert report.ok, report.first_difference


def test_asked_by_the_person_taken_up_by_one_agreed_by_another_and_done_once(
    town: Any, ask: Any, owing: str, settle: Any
) -> None:
    allow(town.market.records, Tie("tie_1", "idp|cleo", "cleo", "self", town.clock.now(), None, "idp|olga"))
    link = ask("create_receipt_link", town.clerk(), {"receipt_id": owing}, body={}).body["url"].rpartition("/")[2]
    kept = "k" * 24
    path = asked(town, ask, key=kept, words="Please erase all of it.")
    assert asked(town, ask, key=kept, words="Please erase all of it.") == path
    again = ask("ask_for_erasure", town.patient("cleo"), {"member_id": "cleo"}, body={})
    assert (again.status, again.code) == (409, "erasure_open")
    early = agree(town, ask, path)
    assert (early.status, early.body["detail"]) == (409, "nobody has taken this up yet")
    taken = ask("propose_erasure", town.operator(subject="olga"), path).body
    assert (taken["state"], taken["proposed_by"], taken["words"]) == ("proposed", "olga", "Please erase all of it.")
    assert agree(town, ask, path, "olga").code == "second_person_required"
    assert agree(town, ask, path, "patient cleo").code == "second_person_needed"
    # While something is due nothing is erased.
    no = agree(town, ask, path)
    assert (no.status, no.code) == (409, "not_settled")
    assert [one["code"] for one in no.body["errors"]] == ["amount_due"]
    one = ask("get_erasure", town.patient("cleo"), path)
    assert (one.body["state"], ways(one)) == ("proposed", [("amount_due", 8)])
    assert ask("get_receipt", town.clerk(), {"receipt_id": owing}).body["provider"]
    settle()
    done = agree(town, ask, path)
    assert (done.status, done.body["state"], done.body["agreed_by"]) == (200, "erased", "otto"), done.body
    assert done.body["words"] is None
    for who in ("otto", "orla"):
        repeated = agree(town, ask, path, who)
        assert (repeated.status, repeated.body) == (200, done.body)
    assert_nothing_is_left(town, ask, owing, link, kept)
    whole(town)


def assert_nothing_is_left(town: Any, ask: Any, receipt: str, link: str, kept: str) -> None:
    operator, clerk = town.operator(), town.clerk()
    assert ask("get_member", operator, {"member_id": "cleo"}).status == 404
    for who in (clerk, operator):
        shown = ask("get_receipt", who, {"receipt_id": receipt})
        assert (shown.status, shown.body["sentence"]) == (200, "What this was about has been erased.")
        assert "cleo" not in shown.raw.decode()
        for name in ("list_receipts", "list_charges", "list_visits", "list_service_events"):
            assert "cleo" not in ask(name, who).raw.decode(), name
        assert ask("list_receipts", who, query={"member": "cleo"}).body["data"] == []
    assert ask("get_receipt", town.patient("cleo"), {"receipt_id": receipt}).status == 404
    why = ask("explain_receipt", clerk, {"receipt_id": receipt})
    assert (why.status, why.body["steps"], why.body["price"]) == (200, [], None)
    assert ask("open_receipt_page", town.nobody(), {"token": link}).status == 410
    replaced = ask("get_operation_by_key", town.patient("cleo"), {"key": kept}).body
    assert (replaced["status"], replaced["body"]["code"]) == (410, "person_erased")
    assert ties_of(town.market.records, "idp|cleo") == []
    assert town.market.register.members(ids=["cleo"]) == []
    # What comes afterwards waits, and is nobody's.
    (late,) = town.clear(town.event("e2", 8, member="cleo"))
    assert (late.status, late.reason) == ("pended", "unknown_member")
    # Who comes back is registered anew, and what waited clears.
    new = ask("create_member", operator, body={"id": "cleo", "name": {"family": "Ito", "given": "Cleo"}})
    assert new.status == 201, new.body
    event = row_name("evt", late.position, event_key(town.tenant, "ehr", "e2"))
    tried = ask("retry_work_item", town.operator(kind="machine"), {"event_id": event}, body={})
    assert tried.body["status"] == "posted", tried.body
    assert ask("ask_for_erasure", town.patient("cleo"), {"member_id": "cleo"}, body={}).status == 201


def test_everything_that_is_open_is_named(town: Any, ask: Any) -> None:
    town.clear(
        town.event("e1", 40),
        town.event("h1", 30, kind="hold", visit="v3"),
        town.event("p1", 10, billing_party="clinic", currency="EUR", visit="v4"),
    )
    receipt = ask("list_receipts", town.patient(), query={"limit": "1", "status": "posted"}).body["data"][0]["id"]
    asked_of = ask("ask_question", town.patient(), {"receipt_id": receipt}, body={"choice": "amount_wrong"})
    assert asked_of.status == 201, asked_of.body
    wish = Payment("pay_1", "stripe", "ana-cash", "ana", 5 * MICROS, "USD", town.clock.now())
    begin(wish, town.market.records, author="ana")
    path = proposed(town, ask, "ana")
    found = ways(ask("get_erasure", town.operator(), path))
    assert {one for one, _ in found} == {"wallet", "payment", "question", "request", "event"}, found
    assert sum(amount for what, amount in found if what == "wallet") == sum(
        sum(town.desk.books.pots([pot])[pot]) // MICROS for pot in ("ana-gift", "ana-cash")
    )
    answer = agree(town, ask, path)
    assert answer.status == 409
    assert [one["code"] for one in answer.body["errors"]] == [one for one, _ in found]
    assert "ana" not in answer.raw.decode().replace("ana-", "").replace("members/ana", "")
    assert ask("get_erasure", town.operator(), path).body["state"] == "proposed"


def test_refused_with_a_ground_and_a_day_which_the_person_reads(town: Any, ask: Any) -> None:
    path, olga = asked(town, ask), town.operator(subject="olga")
    for wrong in (
        {"ground": "legal_retention"},
        {"ground": "legal_retention", "until": "2026-03-10"},
        {"ground": "nonsense"},
        {"ground": "legal_claims", "until": "2026-02-31"},
        {},
    ):
        assert ask("refuse_erasure", olga, path, body=wrong).status in (400, 422), wrong
    order = {"ground": "legal_retention", "until": "2036-03-10", "note": "Ten years, by the law on records."}
    no = ask("refuse_erasure", olga, path, body=order)
    assert (no.status, no.body["state"]) == (200, "refused"), no.body
    seen = ask("get_erasure", town.patient("cleo"), path).body
    assert (seen["ground"], seen["until"], seen["note"]) == tuple(order.values())
    for after in ("propose_erasure", "agree_to_erasure", "withdraw_erasure"):
        assert ask(after, town.operator(subject="otto"), path).status == 409, after
    # A new wish may be asked, and taken back.
    second = asked(town, ask)
    assert ask("withdraw_erasure", town.patient("cleo"), second).body["state"] == "withdrawn"
    states = [one["state"] for one in ask("list_erasures", town.patient("cleo")).body["data"]]
    assert sorted(states) == ["refused", "withdrawn"]


def test_strangers_relatives_clerks_and_machines_ask_and_decide_nothing(town: Any, other_town: Any, ask: Any) -> None:
    path = asked(town, ask)
    for who, status in (
        (town.patient("dan"), 404),
        (town.relative(of="cleo"), 403),
        (town.clerk(), 403),
        (town.finance(), 403),
        (town.payer(), 403),
        (town.auditor(), 403),
        (town.operator(kind="machine"), 403),
        (town.integrator(), 403),
        (town.nobody(), 401),
    ):
        assert ask("ask_for_erasure", who, {"member_id": "cleo"}, body={}).status == status, who.subject
    for name, body in (
        ("get_erasure", None),
        ("propose_erasure", None),
        ("agree_to_erasure", None),
        ("refuse_erasure", {"ground": "no_right"}),
        ("withdraw_erasure", None),
    ):
        assert ask(name, other_town.operator(subject="otto"), path, body=body).status == 404, name
        for who in (town.clerk(), town.relative(of="cleo"), town.patient("dan")):
            assert ask(name, who, path, body=body).status in (403, 404), (name, who.subject)
    for name in ("propose_erasure", "agree_to_erasure"):
        assert ask(name, town.patient("cleo"), path).status == 403
    assert ask("list_erasures", town.patient("dan")).body["data"] == []
    assert ask("list_erasures", town.patient("dan"), query={"member": "cleo"}).body["data"] == []
    assert ask("list_erasures", other_town.operator()).body["data"] == []
    assert [one["id"] for one in ask("list_erasures", town.auditor()).body["data"]] == [path["erasure_id"]]
    assert ask("list_erasures", town.auditor(), query={"state": "nonsense"}).status == 400
    assert ask("get_erasure", town.auditor(), {"erasure_id": "ers_none"}).status == 404
    assert ask("ask_for_erasure", town.operator(), {"member_id": "zed"}, body={}).status == 404


def test_the_operator_writes_it_down_for_the_person_and_another_agrees(town: Any, ask: Any) -> None:
    made = ask("ask_for_erasure", town.operator(subject="olga"), {"member_id": "cleo"}, body={"words": "By telephone."})
    assert (made.body["state"], made.body["on_behalf"]) == ("proposed", True), made.body
    path = {"erasure_id": made.body["id"]}
    assert agree(town, ask, path, "olga").status == 403
    assert agree(town, ask, path).body["state"] == "erased"


def test_of_two_who_take_it_up_at_once_one_does(town: Any, ask: Any) -> None:
    path = asked(town, ask)
    with ThreadPoolExecutor(4) as pool:
        take = lambda who: ask("propose_erasure", town.operator(subject=who), path)  # noqa: E731
        answers = list(pool.map(take, ("a", "b", "c", "d")))
    assert sorted(one.status for one in answers) == [200, 409, 409, 409]
    (taken,) = [one.body["proposed_by"] for one in answers if one.status == 200]
    assert ask("get_erasure", town.operator(), path).body["proposed_by"] == taken


def test_whoever_agrees_at_once_does_it_once(town: Any, ask: Any) -> None:
    path = proposed(town, ask)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda who: agree(town, ask, path, who), ("a", "b", "c", "d")))
    assert {one.status for one in answers} <= {200, 409}
    assert {one.body["state"] for one in answers if one.status == 200} == {"erased"}
    record = town.market.records.get("erasure", path["erasure_id"])
    assert [one.body["agreed_by"] for one in town.market.records.history("erasure", record.id)].count("") == 2


def test_what_is_begun_between_the_look_and_the_act_stops_it_and_is_looked_at_anew(
    town: Any, ask: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, looks = proposed(town, ask), []
    real = unsettled.in_the_way

    def late(members: Any, places: Any) -> Any:
        looks.append(1)
        if len(looks) == 1:
            found = real(members, places)
            town.clear(town.event("e1", 8, member="cleo", facts=COSMETIC), index=False)
            return found
        return real(members, places)

    monkeypatch.setattr("drachm.application.erasing.in_the_way", late)
    answer = agree(town, ask, path)
    assert (answer.status, answer.code) == (409, "not_settled")
    assert {one["code"] for one in answer.body["errors"]} == {"amount_due", "moment"}
    assert ask("get_erasure", town.operator(), path).body["state"] == "proposed"
    assert ask("get_member", town.operator(), {"member_id": "cleo"}).status == 200


def test_who_was_merged_is_erased_under_every_name(town: Any, ask: Any) -> None:
    town.clear(town.event("e1", 0, member="cleo", billed=0))
    merged = ask("merge_members", town.operator(), body={"member": "cleo", "into": "dan"})
    assert merged.status in (200, 201), merged.body
    path = proposed(town, ask, "dan")
    assert agree(town, ask, path).body["state"] == "erased"
    assert town.market.register.members(ids=["cleo", "dan"]) == []
    assert town.market.records.get(MERGE, "cleo") is not None
    whole(town)


@contextmanager
def second_process(town: Any, street: Any) -> Any:
    books = open_books(street.url, town.tenant, master_key=KEY, ids=town.desk.ids)
    try:
        yield replace(town.desk, books=books)
    finally:
        books.close()


def test_events_in_flight_are_posted_before_or_wait_after(town: Any, street: Any) -> None:
    """Another process posts without a pause while the person is erased."""
    outcomes: list[Any] = []
    begun = threading.Event()

    def send(desk: Any) -> None:
        for number in range(2_000):
            (outcome,) = clear_events([town.event(f"f{number}", 0, member="dan", billed=0)], desk)
            outcomes.append(outcome)
            if outcome.status == "pended":
                break
            begun.set()

    with second_process(town, street) as desk, ThreadPoolExecutor(1) as pool:
        sending = pool.submit(send, desk)
        assert begun.wait(30)
        town.desk.books.erase_people(["dan"], lambda: None)
        newest = max(stored.position for stored, _ in town.desk.books.rows())
        sending.result(60)
    (after,) = [one for one in outcomes if one.status == "pended"]
    assert after.reason == "unknown_member"
    posted = [one.position for one in outcomes if one.status != "pended"]
    assert posted
    assert max(posted) <= newest
    assert {town.desk.books.row(position).body for position in posted} == {b""}
    whole(town)


def test_nothing_is_remembered_or_written_by_another_process(town: Any, street: Any, ask: Any) -> None:
    with second_process(town, street) as desk:
        clear_events([town.event("e1", 0, member="cleo", billed=0)], desk)
        records = desk.books.records()
        mark = Record("text_message", "m1", {"text": "hello"}, members=frozenset({"cleo"}))
        (known,) = records.put([mark])
        town.follow()
        path = proposed(town, ask)
        assert agree(town, ask, path).body["state"] == "erased"
        (late,) = clear_events([town.event("e2", 8, member="cleo")], desk)
        assert (late.status, late.reason) == ("pended", "unknown_member")
        assert records.get("text_message", "m1") is None
        with pytest.raises(Exception, match="erased"):
            records.put([replace(known, body={"text": "again"})])


def test_a_pot_that_another_holds_pays_for_the_others_still(town: Any, ask: Any) -> None:
    """An admission goes; the shared pot and its money are not theirs."""
    town.desk.books.enrol(pots=[Pot("fam", "", "USD", 0, fund="", slices=1)])
    town.desk.books.enrol(pots=[Pot("in", "cleo", "USD", 0, fund="fam", slices=1)])
    path = proposed(town, ask)
    assert agree(town, ask, path).body["state"] == "erased"
    assert "fam" in town.desk.books.pots()
    whole(town)
