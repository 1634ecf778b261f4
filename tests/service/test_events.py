"""Events that came in: found by those who sent them, corrected, undone, tried again."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import Any

import psycopg
import pytest

from drachm.adapters.rest.identity.model import Kind
from drachm.domain.coverage.model import Contract, Member, Party
from drachm.domain.events.model import Code
from drachm.domain.money import MICROS
from drachm.domain.periods import Period

CORRECTION = {
    "code": {"system": "local", "value": "visit"},
    "currency": "USD",
    "started_at": "2026-03-10T14:00:00Z",
    "billed": {"micros": 30 * MICROS, "currency": "USD"},
}


@pytest.fixture
def forget(street: Any) -> Callable[[], None]:
    """Lose what is remembered of calls by their Idempotency-Keys."""

    def lose() -> None:
        with psycopg.connect(street.url, autocommit=True) as owner:
            owner.execute("DELETE FROM operation")

    return lose


def ids(answer: Any) -> list[str]:
    assert answer.status == 200, answer.body
    return [one["event_id"] for one in answer.body["data"]]


def name_of(town: Any, ask: Any, event_id: str) -> str:
    found = ask("list_service_events", town.operator(), query={"source": "ehr", "event_id": event_id})
    assert len(found.body["data"]) == 1, found.body
    return str(found.body["data"][0]["id"])


def test_a_clerk_sees_what_the_own_clinic_sent(lived_in: Any, ask: Any) -> None:
    assert ids(ask("list_service_events", lived_in.clerk("clinic"))) == ["e4", "e2", "e1"]
    assert ids(ask("list_service_events", lived_in.clerk("hospital"))) == ["e3"]
    assert ids(ask("list_service_events", lived_in.operator())) == ["e4", "e3", "e2", "e1"]
    assert ids(ask("list_service_events", lived_in.clerk("nobody"))) == []


def test_nobody_sees_another_tenants(lived_in: Any, other_town: Any, ask: Any) -> None:
    other_town.clear(other_town.event("theirs"))
    assert ids(ask("list_service_events", other_town.operator())) == ["theirs"]
    mine = name_of(lived_in, ask, "e1")
    assert ask("get_service_event", other_town.operator(), {"event_id": mine}).status == 404
    assert ask("get_service_event", lived_in.operator(), {"event_id": mine}).status == 200


def test_others_do_not_read_it(lived_in: Any, ask: Any) -> None:
    town, path = lived_in, {"event_id": name_of(lived_in, ask, "e4")}
    others = {
        401: [town.nobody()],
        403: [town.patient(), town.relative(), town.funder(), town.payer()],
        404: [town.clerk("hospital"), town.integrator("hospital")],
    }
    for operation in ("get_service_event", "list_event_revisions", "get_work_item"):
        for status, callers in others.items():
            for caller in callers:
                answer = ask(operation, caller, path)
                assert (operation, caller.subject, answer.status) == (operation, caller.subject, status)
                assert "e4" not in answer.raw.decode()


def test_a_made_up_name_leads_nowhere(lived_in: Any, ask: Any) -> None:
    names = ["evt_unknown", "evt_", "e4", "evt_" + "0" * 26, "evt_7" + "z" * 25, "chg_" + "0" * 26, "\x00", "%", "ü"]
    answers = [ask("get_service_event", lived_in.operator(), {"event_id": name}) for name in names]
    assert {one.status for one in answers} == {404}
    assert len({one.raw for one in answers}) == 1


def test_a_position_alone_makes_no_name(lived_in: Any, ask: Any) -> None:
    name = name_of(lived_in, ask, "e1")
    # The last characters come from the event's key: whoever counts positions would have to guess 64 bits.
    guessed = name[:-3] + ("222" if not name.endswith("222") else "333")
    assert ask("get_service_event", lived_in.operator(), {"event_id": guessed}).status == 404


def test_an_event_says_what_became_of_it(lived_in: Any, ask: Any) -> None:
    name = name_of(lived_in, ask, "e1")
    body = ask("get_service_event", lived_in.clerk("clinic"), {"event_id": name}).body
    assert (body["status"], body["state"], body["kind"], body["revision"]) == ("posted", "standing", "charge", 0)
    assert (body["source"], body["event_id"], body["member"], body["provider"]) == ("ehr", "e1", "ana", "clinic")
    assert body["parties"] == ["clinic", "town-insurance"]
    assert body["service"] == {"system": "local", "value": "visit"}
    assert body["started_at"] == "2026-03-10T14:00:00Z"
    micros = {part: amount["micros"] for part, amount in body["amounts"].items()}
    assert micros["billed"] == micros["allowed"] == 40 * MICROS
    assert micros["payers"] == 24 * MICROS
    assert micros["patient"] == 16 * MICROS
    assert ask("get_receipt", lived_in.clerk("clinic"), {"receipt_id": body["receipt"]}).status == 200
    assert ask("get_charge", lived_in.clerk("clinic"), {"charge_id": body["charge"]}).status == 200


def test_it_is_found_by_what_the_sender_calls_it_before_the_index_knows(town: Any, ask: Any) -> None:
    town.clear(town.event("fresh"), index=False)
    assert ids(ask("list_service_events", town.clerk("clinic"))) == []
    exact = {"source": "ehr", "event_id": "fresh"}
    assert ids(ask("list_service_events", town.clerk("clinic"), query=exact)) == ["fresh"]
    assert ids(ask("list_service_events", town.clerk("hospital"), query=exact)) == []
    assert ids(ask("list_service_events", town.clerk("clinic"), query={**exact, "event_id": "other"})) == []
    assert ask("list_service_events", town.clerk("clinic"), query={"source": "ehr"}).status == 400
    assert ask("list_service_events", town.clerk("clinic"), query={**exact, "status": "posted"}).status == 400


def test_pages_hold_every_event_once_while_others_come_in(town: Any, ask: Any) -> None:
    town.clear(*[town.event(f"e{number}") for number in range(7)])
    found: list[str] = []
    cursor: str | None = None
    for turn in range(9):
        query = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
        page = ask("list_service_events", town.clerk("clinic"), query=query)
        found += ids(page)
        town.clear(town.event(f"late{turn}"))
        cursor = page.body["next"]
        if cursor is None:
            break
    assert found == [f"e{number}" for number in range(6, -1, -1)]


def test_a_cursor_belongs_to_its_list_filter_and_caller(lived_in: Any, other_town: Any, ask: Any) -> None:
    clerk = lived_in.clerk("clinic")
    cursor = ask("list_service_events", clerk, query={"limit": "1"}).body["next"]
    assert ids(ask("list_service_events", clerk, query={"limit": "1", "cursor": cursor})) == ["e2"]
    for operation, caller, query in [
        ("list_charges", clerk, {}),
        ("list_work_queue", clerk, {}),
        ("list_service_events", clerk, {"member": "ana"}),
        ("list_service_events", lived_in.clerk("hospital"), {}),
        ("list_service_events", other_town.clerk("clinic"), {}),
    ]:
        answer = ask(operation, caller, query={**query, "cursor": cursor})
        assert (answer.status, answer.code) == (400, "invalid_cursor")


def test_a_filter_that_means_nothing_is_refused(lived_in: Any, ask: Any) -> None:
    for query in (
        {"status": "lost"},
        {"status": ""},
        {"since": "10.3.2026"},
        {"until": "2026-02-30"},
        {"since": "2026-03-11", "until": "2026-03-10"},
        {"member": ""},
        {"member": "x" * 300},
        {"limit": "0"},
        {"limit": "101"},
        {"sort": "day"},
        {"cursor": "x"},
        {"cursor": "AAAA" * 9},
    ):
        assert (query, ask("list_service_events", lived_in.operator(), query=query).status) == (query, 400)


def test_filters_narrow(lived_in: Any, ask: Any) -> None:
    town, operator = lived_in, lived_in.operator()
    town.clear(town.event("old", started_at=town.event().started_at - timedelta(days=3)))
    assert ids(ask("list_service_events", operator, query={"status": "pended"})) == ["e4"]
    assert ids(ask("list_service_events", operator, query={"member": "ben"})) == ["e3"]
    assert ids(ask("list_service_events", operator, query={"party": "hospital"})) == ["e3"]
    assert ids(ask("list_service_events", operator, query={"until": "2026-03-07"})) == ["old"]
    assert ids(ask("list_service_events", operator, query={"since": "2026-03-08", "member": "ana"})) == ["e2", "e1"]
    # A filter never widens what the caller reaches.
    assert ids(ask("list_service_events", town.clerk("clinic"), query={"party": "hospital"})) == []
    assert ids(ask("list_service_events", town.clerk("clinic"), query={"member": "ben"})) == []


def test_a_correction_takes_the_place_of_the_event(lived_in: Any, ask: Any) -> None:
    town, clerk = lived_in, lived_in.integrator("clinic")
    name = name_of(town, ask, "e1")
    answer = ask("revise_service_event", clerk, {"event_id": name}, body=CORRECTION, key="one")
    assert answer.status == 201, answer.body
    assert (answer.body["status"], answer.body["duplicate"]) == ("posted", False)
    assert answer.body["amounts"]["billed"] == {"micros": 30 * MICROS, "currency": "USD"}
    town.follow()
    before = ask("get_service_event", clerk, {"event_id": name}).body
    assert (before["state"], before["by"]) == ("replaced", answer.body["id"])
    after = ask("get_service_event", clerk, {"event_id": answer.body["id"]}).body
    assert (after["kind"], after["replaces"], after["state"]) == ("replacement", "e1", "standing")
    assert (after["member"], after["provider"], after["visit"]) == ("ana", "clinic", before["visit"])
    assert sum(town.desk.books.balances().values()) == 0


def test_a_correction_with_the_same_key_is_the_same_event(lived_in: Any, ask: Any, forget: Any) -> None:
    clerk, path = lived_in.integrator("clinic"), {"event_id": name_of(lived_in, ask, "e1")}
    first = ask("revise_service_event", clerk, path, body=CORRECTION, key="one")
    forget()  # nobody remembers the first answer any more
    again = ask("revise_service_event", clerk, path, body=CORRECTION, key="one")
    assert (first.status, again.status) == (201, 200)
    assert again.body == {**first.body, "duplicate": True}
    forget()
    other = ask("revise_service_event", clerk, path, body={**CORRECTION, "tax_ppm": 1}, key="one")
    assert (other.status, other.code) == (409, "event_conflict")
    another = ask("revise_service_event", clerk, path, body=CORRECTION, key="two")
    assert (another.status, another.body["status"], another.body["reason"]) == (201, "refused", "already_reversed")


def test_a_correction_may_not_bill_for_others(lived_in: Any, ask: Any) -> None:
    path = {"event_id": name_of(lived_in, ask, "e1")}
    moved = {**CORRECTION, "billing_party": "hospital"}
    answer = ask("revise_service_event", lived_in.clerk("clinic"), path, body=moved)
    assert (answer.status, answer.code) == (403, "not_related")
    both = lived_in.caller("integrator", parties=("clinic", "hospital"), kind=Kind.MACHINE)
    assert ask("revise_service_event", both, path, body=moved).body["status"] == "posted"


def test_an_operator_corrects_a_wrong_clinic(lived_in: Any, ask: Any) -> None:
    def owed() -> dict[str, int]:
        balances = lived_in.desk.books.balances().items()
        return {account.owner: balance for account, balance in balances if account.kind == "provider_payable"}

    before = owed()
    path = {"event_id": name_of(lived_in, ask, "e1")}
    done = ask(
        "revise_service_event",
        lived_in.operator(kind=Kind.MACHINE),
        path,
        body={**CORRECTION, "billing_party": "hospital"},
    )
    assert (done.status, done.body["status"]) == (201, "posted")
    after = owed()
    assert {party: after.get(party, 0) - before.get(party, 0) for party in ("clinic", "hospital")} == {
        "clinic": 40 * MICROS,
        "hospital": -30 * MICROS,
    }


def test_a_correction_that_waits_still_moves_the_charge(lived_in: Any, ask: Any) -> None:
    """What the new clinic lacks is supplied later; the correction is tried again and takes the charge."""
    path = {"event_id": name_of(lived_in, ask, "e1")}
    moved = {**CORRECTION, "billing_party": "new-clinic"}
    waits = ask("revise_service_event", lived_in.operator(kind=Kind.MACHINE), path, body=moved).body
    assert (waits["status"], waits["reason"]) == ("pended", "unknown_provider")
    lived_in.desk.books.enrol(
        parties=[Party("new-clinic", ("provider",), zone="America/New_York")],
        contracts=[Contract("new-clinic", "*", "as-submitted", Period(date(2000, 1, 1)))],
    )
    lived_in.follow()
    again = ask("retry_work_item", lived_in.operator(), {"event_id": waits["id"]}, body={})
    assert again.body["status"] == "posted"


def test_nonsense_is_no_correction(lived_in: Any, ask: Any) -> None:
    path = {"event_id": name_of(lived_in, ask, "e1")}
    changes: list[tuple[dict[str, Any], int]] = [
        ({"currency": "XXX"}, 400),
        ({"started_at": "yesterday"}, 400),
        ({"member": "ben"}, 422),
        ({"source": "other"}, 422),
        ({"event_id": ""}, 422),
        ({"event_id": "e1"}, 400),
        ({"billed": {"micros": -1, "currency": "USD"}}, 422),
        ({"quantity": "1e9"}, 422),
        ({"quantity": "0"}, 422),
        ({"quantity": "1000000.000001"}, 422),
        ({"modifiers": ["two words"]}, 422),
        ({"unit": "a\u202eb"}, 422),
        ({"facts": {"Not a name": 1}}, 422),
    ]
    for change, status in changes:
        answer = ask("revise_service_event", lived_in.clerk("clinic"), path, body={**CORRECTION, **change})
        assert (change, answer.status) == (change, status)
    assert ask("get_service_event", lived_in.clerk("clinic"), path).body["state"] == "standing"


def test_an_event_is_undone_whole_and_once(lived_in: Any, ask: Any, forget: Any) -> None:
    town, clerk = lived_in, lived_in.integrator("clinic")
    balances = town.desk.books.balances()
    town.clear(town.event("wrong", 33))
    path = {"event_id": name_of(town, ask, "wrong")}
    done = ask("reverse_service_event", clerk, path, body={}, key="one")
    assert (done.status, done.body["status"], done.body["reason"]) == (201, "posted", "reversed")
    forget()
    again = ask("reverse_service_event", clerk, path, body={}, key="one")
    assert (again.status, again.body) == (200, {**done.body, "duplicate": True})
    other = ask("reverse_service_event", clerk, path, body={"event_id": "mine"}, key="two")
    assert (other.body["event_id"], other.body["status"], other.body["reason"]) == (
        *("mine", "refused", "already_reversed"),
    )
    assert ask("get_service_event", clerk, path).body["state"] == "reversed"
    left = {account: amount for account, amount in town.desk.books.balances().items() if amount}
    assert left == {account: amount for account, amount in balances.items() if amount}


def test_money_that_was_set_aside_is_let_go(town: Any, ask: Any) -> None:
    town.clear(town.event("hold", kind="hold", visit=""))
    held = town.desk.books.pots()
    clerk, path = town.clerk("clinic"), {"event_id": name_of(town, ask, "hold")}
    assert ask("revise_service_event", clerk, path, body=CORRECTION).code == "invalid_event"
    done = ask("reverse_service_event", clerk, path, body={})
    assert (done.status, done.body["status"]) == (201, "posted")
    body = ask("get_service_event", clerk, path).body
    assert (body["state"], body["charge"]) == ("released", None)
    assert any(promised for _, promised in held.values())
    assert not any(promised for _, promised in town.desk.books.pots().values())


def test_who_did_not_bill_it_does_not_change_it(lived_in: Any, ask: Any) -> None:
    """A payer is a party to the charge and sees it; only who billed it takes it back."""
    town, path = lived_in, {"event_id": name_of(lived_in, ask, "e1")}
    others = [
        (town.clerk("hospital"), 404),
        (town.clerk("town-insurance"), 404),
        (town.integrator("town-insurance"), 404),
        (town.finance("clinic"), 403),
        (town.payer(), 403),
        (town.auditor(), 403),
        (town.patient(), 403),
        (town.nobody(), 401),
    ]
    for operation, body in (("revise_service_event", CORRECTION), ("reverse_service_event", {})):
        for caller, status in others:
            answer = ask(operation, caller, path, body=body)
            assert (operation, caller.subject, answer.status) == (operation, caller.subject, status)
    assert ask("get_service_event", town.operator(), path).body["state"] == "standing"


def test_without_a_key_nothing_is_changed(lived_in: Any, ask: Any) -> None:
    path = {"event_id": name_of(lived_in, ask, "e1")}
    answer = ask("reverse_service_event", lived_in.clerk("clinic"), path, body={}, key=None)
    assert (answer.status, answer.code) == (400, "idempotency_key_missing")


def test_what_waits_is_tried_again_when_what_was_missing_is_there(lived_in: Any, ask: Any) -> None:
    town, clerk = lived_in, lived_in.clerk("clinic")
    queue = ask("list_work_queue", clerk).body["data"]
    assert [(one["event_id"], one["reason"], one["where"]) for one in queue] == [("e4", "unknown_member", "member")]
    assert ask("list_work_queue", town.clerk("hospital")).body["data"] == []
    path = {"event_id": queue[0]["event"]}
    assert ask("get_work_item", clerk, path).body == queue[0]
    first = ask("retry_work_item", clerk, path, body={})
    assert (first.status, first.body["status"], first.body["id"]) == (200, "pended", queue[0]["event"])
    town.desk.books.enrol(members=[Member("unknown-member")])
    assert ask("retry_work_item", town.clerk("hospital"), path, body={}).status == 404
    second = ask("retry_work_item", clerk, path, body={})
    assert (second.body["status"], second.body["revision"], second.body["id"]) == ("posted", 1, queue[0]["event"])
    # Before the index knows it, the queue does.
    assert ask("list_work_queue", clerk).body["data"] == []
    assert ask("get_work_item", clerk, path).status == 404
    third = ask("retry_work_item", clerk, path, body={})
    assert third.body == {**second.body, "duplicate": True}
    town.follow()
    revisions = ask("list_event_revisions", clerk, path).body["data"]
    assert [(one["revision"], one["status"], one["stands"], one["by"]) for one in revisions] == [
        (0, "pended", False, queue[0]["event"]),
        (1, "posted", True, None),
    ]
    # The event keeps its name and its place.
    assert ids(ask("list_service_events", clerk)) == ["e4", "e2", "e1"]


def test_of_many_who_correct_at_once_one_does(lived_in: Any, ask: Any) -> None:
    town, clerk = lived_in, lived_in.integrator("clinic")
    path = {"event_id": name_of(town, ask, "e1")}

    def correct(number: int) -> Any:
        body = {**CORRECTION, "billed": {"micros": number * MICROS, "currency": "USD"}}
        return ask("revise_service_event", clerk, path, body=body, key=f"key-{number}")

    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(correct, (31, 32, 33, 34)))
    assert {answer.status for answer in answers} == {201}
    assert sorted(answer.body["status"] for answer in answers) == ["posted", "refused", "refused", "refused"]
    assert sum(town.desk.books.balances().values()) == 0


def test_of_many_who_try_again_one_does(lived_in: Any, ask: Any) -> None:
    town, clerk = lived_in, lived_in.clerk("clinic")
    path = {"event_id": ask("list_work_queue", clerk).body["data"][0]["event"]}
    town.desk.books.enrol(members=[Member("unknown-member")])
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda _: ask("retry_work_item", clerk, path, body={}), range(4)))
    assert {(answer.status, answer.body["status"], answer.body["revision"]) for answer in answers} == {
        (200, "posted", 1),
    }
    assert [row["status"] for row in ask("list_event_revisions", clerk, path).body["data"]] == ["pended", "posted"]


def test_what_was_erased_says_nothing_and_breaks_nothing(lived_in: Any, ask: Any) -> None:
    town, operator = lived_in, lived_in.operator()
    path = {"event_id": name_of(town, ask, "e1")}
    town.desk.books.erase("ana")
    body = ask("get_service_event", operator, path).body
    assert (body["event_id"], body["service"], body["amounts"]) == (None, None, None)
    assert (body["status"], body["provider"]) == ("posted", "clinic")
    assert len(ask("list_service_events", operator).body["data"]) == 4
    assert ask("reverse_service_event", operator, path, body={}).status == 409
    assert ask("list_event_revisions", operator, path).status == 200
    for operation in ("list_charges", "list_receipts", "list_visits", "list_events", "list_work_queue"):
        assert ask(operation, operator).status == 200
    assert town.market.index.rebuild() > 0
    assert len(ask("list_service_events", operator).body["data"]) == 4


def test_payers_who_pay_nothing_are_parties_all_the_same(town: Any, ask: Any) -> None:
    town.clear(town.event("small", 3), town.event("ours", 5, member="ben", code=Code("local", "x")))
    assert [one["event"] for one in ask("list_charges", town.payer("town-insurance")).body["data"]] != []
    assert len(ask("list_charges", town.payer("town-hall")).body["data"]) == 1
