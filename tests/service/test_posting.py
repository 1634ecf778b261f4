"""Events come in one by one, as an array and as lines; a repeat gets its first answer, a stranger gets nothing."""

from __future__ import annotations

import json
from typing import Any

from drachm.adapters.eventjson import write_event
from drachm.adapters.eventjson.read import KEYS, REQUIRED
from drachm.adapters.rest.service.event_shape import ServiceEventShape
from drachm.application.clear_pended import clear_pended
from drachm.domain.clearing.clear import REPLACED_PARTY

POST = "post_service_events"


def said(town: Any, *args: Any, **changes: Any) -> dict[str, Any]:
    value: dict[str, Any] = write_event(town.event(*args, **changes))
    return value


def test_one_event_is_cleared_and_its_repeat_gets_the_first_answer(town: Any, ask: Any) -> None:
    first = ask(POST, town.integrator(), body=said(town))
    assert first.status == 201, first.body
    assert first.body["status"] == "posted"
    assert first.headers["location"] == f"/v1/service-events/{first.body['id']}"
    assert first.body["amounts"]["patient"] == {"micros": 16_000_000, "currency": "USD"}
    again = ask(POST, town.integrator(), body=said(town))
    assert again.status == 200
    assert again.body == {**first.body, "duplicate": True}


def test_the_same_id_with_other_content_is_a_conflict(town: Any, ask: Any) -> None:
    assert ask(POST, town.integrator(), body=said(town, "e1", 40)).status == 201
    other = ask(POST, town.integrator(), body=said(town, "e1", 41))
    assert (other.status, other.code) == (409, "event_conflict")
    assert ask(POST, town.integrator(), body=said(town, "e1", 40)).status == 200


def test_an_array_answers_each_in_its_place(town: Any, ask: Any) -> None:
    broken = {**said(town, "e2"), "member": ""}
    known = said(town, "e1")
    strange = said(town, "e3", billing_party="hospital")
    answer = ask(POST, town.integrator(), body=[known, broken, strange, known, said(town, "e1", 7), said(town, "e5")])
    assert answer.status == 200
    items = answer.body["data"]
    assert [item["status"] for item in items] == [201, 400, 403, 200, 409, 201]
    assert items[1]["problem"]["errors"][0]["pointer"] == "/1/member"
    assert items[2]["problem"]["code"] == "not_related"
    assert items[4]["problem"]["code"] == "event_conflict"
    assert items[0]["result"]["id"] == items[3]["result"]["id"]
    assert [name for name in ("result", "problem") if name in items[5]] == ["result"]


def test_lines_are_read_one_by_one(town: Any, ask: Any) -> None:
    lines = [json.dumps(said(town, "e1")), "{", "", json.dumps(said(town, "e2"))]
    answer = ask(POST, town.integrator(), body="\n".join(lines).encode(), media="application/x-ndjson")
    assert [item["status"] for item in answer.body["data"]] == [201, 400, 201]


def test_a_thousand_and_one_events_are_too_many_and_none_is_cleared(town: Any, ask: Any) -> None:
    events = [said(town, f"e{number}", 1) for number in range(1_001)]
    answer = ask(POST, town.integrator(), body=events)
    assert (answer.status, answer.code) == (413, "too_large")
    assert ask(POST, town.integrator(), body=events[0]).status == 201


def test_a_thousand_events_clear_in_one_answer(town: Any, ask: Any) -> None:
    events = [said(town, f"e{number}", 1) for number in range(1_000)]
    answer = ask(POST, town.integrator(), body=events)
    assert {item["status"] for item in answer.body["data"]} == {201}
    assert [item["result"]["event_id"] for item in answer.body["data"]] == [one["event_id"] for one in events]


def test_an_empty_array_is_answered_with_nothing(town: Any, ask: Any) -> None:
    answer = ask(POST, town.integrator(), body=[])
    assert (answer.status, answer.body) == (200, {"data": []})


def test_who_may_not_send_is_told_so_before_anything_is_read(town: Any, other_town: Any, ask: Any) -> None:
    nonsense = b"{" * 5_000
    assert ask(POST, town.nobody(), body=nonsense).status == 401
    assert ask(POST, town.patient(), body=nonsense).status == 403
    assert ask(POST, town.payer(), body=nonsense).status == 403
    assert ask(POST, town.integrator(scopes=frozenset()), body=nonsense).status == 403
    assert ask(POST, town.integrator(), body=nonsense).status == 400
    # The same words from another tenant post into that tenant alone.
    assert ask(POST, other_town.integrator(), body=said(other_town)).status == 201
    assert town.desk.books.row(4) is None


def test_a_clinic_neither_bills_for_another_nor_takes_the_place_of_its_events(town: Any, ask: Any) -> None:
    assert ask(POST, town.integrator("hospital"), body=said(town, "e1", billing_party="hospital")).status == 201
    stranger = town.integrator("clinic")
    assert ask(POST, stranger, body=said(town, "e2", billing_party="hospital")).code == "not_related"
    assert ask(POST, stranger, body=said(town, "e2", billing_party="")).code == "not_related"
    taking = said(town, "e3", 1, kind="replacement", replaces="e1")
    assert ask(POST, stranger, body=taking).code == "not_related"
    bulk = ask(POST, stranger, body=[taking, said(town, "e4")])
    assert [item["status"] for item in bulk.body["data"]] == [403, 201]
    undoing = ask(POST, stranger, body=said(town, "e5", kind="reversal", replaces="e1"))
    assert undoing.body["status"] == "refused"
    claiming = said(town, "e7", 1, kind="replacement", replaces="e1", facts={REPLACED_PARTY: "hospital"})
    assert ask(POST, stranger, body=claiming).code == "not_related"
    assert [item["status"] for item in ask(POST, stranger, body=[claiming]).body["data"]] == [403]
    own = said(town, "e6", 1, billing_party="hospital", kind="replacement", replaces="e1")
    assert ask(POST, town.integrator("hospital"), body=own).body["status"] == "posted"


def test_what_a_clinic_sent_before_anothers_charge_does_not_take_it_when_it_is_tried_again(town: Any, ask: Any) -> None:
    stranger = town.integrator("clinic")
    taking = [said(town, name, 1, kind="replacement", replaces="e1") for name in ("t1", "t2", "t3")]
    waits = [ask(POST, stranger, body=one).body for one in taking[:1]] + [
        item["result"] for item in ask(POST, stranger, body=taking[1:]).body["data"]
    ]
    assert [one["reason"] for one in waits] == ["unknown_target"] * 3
    # Nor may it say, before anything is here, that it acts for others.
    claiming = said(town, "t4", 1, kind="replacement", replaces="e1", facts={REPLACED_PARTY: "hospital"})
    assert ask(POST, stranger, body=claiming).code == "not_related"
    assert ask(POST, town.integrator("hospital"), body=said(town, "e1", billing_party="hospital")).status == 201
    town.follow()
    for one, caller in zip(waits, (town.clerk("clinic"), town.operator()), strict=False):
        tried = ask("retry_work_item", caller, {"event_id": one["id"]}, body={})
        assert (tried.status, tried.body["status"], tried.body["reason"]) == (200, "refused", "invalid_event")
    assert [one.status for one in clear_pended(town.desk)] == ["refused"]
    standing = ask("list_service_events", town.clerk("hospital"), query={"source": "ehr", "event_id": "e1"}).body[
        "data"
    ]
    assert [one["state"] for one in standing] == ["standing"]


def test_who_acts_for_both_moves_a_charge_by_saying_so(town: Any, ask: Any) -> None:
    both = town.caller("integrator", parties=("clinic", "hospital"), kind=town.integrator().kind)
    for name in ("e1", "e2"):
        assert ask(POST, both, body=said(town, name, billing_party="hospital", visit=name)).status == 201
    silent = ask(POST, both, body=said(town, "m0", 1, kind="replacement", replaces="e1")).body
    assert (silent["status"], silent["reason"]) == ("refused", "invalid_event")
    facts = {REPLACED_PARTY: "hospital"}
    moving = said(town, "m1", 1, kind="replacement", replaces="e1", facts=facts)
    assert ask(POST, both, body=moving).body["status"] == "posted"


def test_what_waits_and_what_is_refused_is_a_result(town: Any, ask: Any) -> None:
    waits = ask(POST, town.integrator(), body=said(town, "e1", member="nobody-knows"))
    assert (waits.status, waits.body["status"], waits.body["reason"]) == (201, "pended", "unknown_member")
    assert waits.body["receipt"] is None
    for name in ("e2", "e3", "e4"):
        kind = {"kind": "reversal", "replaces": "e2"} if name != "e2" else {}
        refused = ask(POST, town.integrator(), body=said(town, name, **kind))
    assert (refused.status, refused.body["status"]) == (201, "refused")


def test_a_member_who_was_merged_is_known_as_the_other(town: Any, ask: Any) -> None:
    before = ask(POST, town.integrator(), body=said(town, "known_as-1", member="cleo"))
    assert before.body["amounts"]["payers"]["micros"] == 0
    merged = ask("merge_members", town.operator(), body={"member": "cleo", "into": "dan"})
    assert merged.status == 200, merged.body
    after = ask(POST, town.integrator(), body=said(town, "known_as-2", member="cleo"))
    assert after.body["amounts"]["payers"]["micros"] == 24_000_000
    repeated = ask(POST, town.integrator(), body=said(town, "known_as-1", member="cleo"))
    assert (repeated.status, repeated.body["receipt"]) == (200, before.body["receipt"])


def test_forms_that_are_not_taken(town: Any, ask: Any) -> None:
    clerk = town.clerk()
    assert ask(POST, clerk, body=b"", media="text/csv").status == 415
    assert ask(POST, clerk, body=said(town), headers={"accept": "text/html"}).status == 406
    assert ask(POST, clerk, body=said(town), query={"dry_run": "1"}).status == 400
    for body in (b"", b"null", b"7", b'"x"', b"[null]", b"[[]]", b'{"a":1', b"\xff", b"[1,2"):
        answer = ask(POST, clerk, body=body)
        worst = max([answer.status, *[item["status"] for item in (answer.body.get("data") or ())]])
        assert 400 <= worst < 500, body


def test_the_published_shape_is_what_is_read() -> None:
    assert set(ServiceEventShape.__struct_fields__) == KEYS
    required = set(ServiceEventShape.__struct_fields__) - {
        name
        for name, default in zip(
            reversed(ServiceEventShape.__struct_fields__), reversed(ServiceEventShape.__struct_defaults__), strict=False
        )
        if repr(default) != "NODEFAULT"
    }
    assert required == set(REQUIRED)
