"""A link is made by whoever may share a receipt, shown once, listed without its address, and withdrawn at once."""

from __future__ import annotations

import json
from typing import Any

import pytest

from drachm.adapters.rest.service.names import row_name
from drachm.domain.transparency.leaf import event_key


def receipt_of(town: Any, **changes: Any) -> str:
    """The receipt of one cleared event."""
    (outcome,) = town.clear(town.event(**changes))
    return row_name("rcp", outcome.position, event_key(town.tenant, outcome.source, outcome.event_id))


def make(ask: Any, caller: Any, receipt: str, **body: Any) -> Any:
    return ask("create_receipt_link", caller, {"receipt_id": receipt}, body=body)


def listed(ask: Any, caller: Any, receipt: str, **more: Any) -> list[dict[str, Any]]:
    answer = ask("list_receipt_links", caller, {"receipt_id": receipt}, **more)
    assert answer.status == 200, answer.body
    found: list[dict[str, Any]] = answer.body["data"]
    return found


def page(ask: Any, url: str, **more: Any) -> Any:
    from drachm.adapters.rest.identity.model import Environment, anonymous

    return ask("open_receipt_page", anonymous(Environment.SANDBOX), {"token": url.rpartition("/")[2]}, **more)


def test_a_link_is_shown_once_and_opens_its_receipt(town: Any, ask: Any) -> None:
    receipt = receipt_of(town)
    made = make(ask, town.clerk(), receipt)
    assert made.status == 201
    assert made.body["url"].startswith("http://127.0.0.1:8000/r/v1.")
    assert made.body["question"] == "birth_date"
    assert page(ask, made.body["url"]).status == 200
    (one,) = listed(ask, town.clerk(), receipt)
    assert one == {name: value for name, value in made.body.items() if name != "url"}
    kept = town.market.records.find("receipt_link")
    token = made.body["url"].rpartition("/")[2]
    assert token not in json.dumps([dict(record.body) for record in kept])


def test_links_end_by_time_and_by_being_withdrawn(town: Any, ask: Any) -> None:
    receipt, clerk = receipt_of(town), town.clerk()
    short = make(ask, clerk, receipt, hours=1).body
    long = make(ask, clerk, receipt, hours=2).body
    town.clock.move(hours=1, seconds=5)
    assert [one["id"] for one in listed(ask, clerk, receipt)] == [long["id"]]
    assert [page(ask, one["url"]).status for one in (short, long)] == [410, 200]
    assert ask("revoke_receipt_links", clerk, {"receipt_id": receipt}).status == 204
    assert listed(ask, clerk, receipt) == []
    assert page(ask, long["url"]).status == 410


def test_a_new_link_may_take_the_place_of_all_before(town: Any, ask: Any) -> None:
    receipt, clerk = receipt_of(town), town.clerk()
    old = make(ask, clerk, receipt).body
    new = make(ask, clerk, receipt, replace=True).body
    assert [one["id"] for one in listed(ask, clerk, receipt)] == [new["id"]]
    assert [page(ask, one["url"]).status for one in (old, new)] == [410, 200]


def test_every_live_link_is_listed_however_many(town: Any, ask: Any) -> None:
    receipt, clerk = receipt_of(town), town.clerk()
    for _ in range(103):
        make(ask, clerk, receipt)
    assert len(listed(ask, clerk, receipt)) == 103


@pytest.mark.parametrize("hours", [0, -1, 24 * 90 + 1, 1.5, "7", None])
def test_a_link_lives_an_hour_to_ninety_days(town: Any, ask: Any, hours: Any) -> None:
    answer = make(ask, town.clerk(), receipt_of(town), hours=hours)
    assert (answer.status, answer.code, answer.body["errors"][0]["pointer"]) == (422, "invalid_body", "/hours")


@pytest.mark.parametrize(
    ("second", "pointer"),
    [
        ({"question": "code"}, "/second_factor/answer"),
        ({"question": "birth_date", "answer": "1990-05-01"}, "/second_factor/answer"),
        ({"question": "none", "answer": "1234"}, "/second_factor/answer"),
        ({"question": "code", "answer": "123"}, "/second_factor/answer"),
        ({"question": "mother"}, "/second_factor/question"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused(town: Any, ask: Any, second: Any, pointer: str) -> None:
    answer = make(ask, town.clerk(), receipt_of(town), second_factor=second)
    assert (answer.status, answer.body["errors"][0]["pointer"]) == (422, pointer)
    assert town.market.records.find("receipt_link") == []


def test_a_code_of_separators_is_no_answer(town: Any, ask: Any) -> None:
    answer = make(ask, town.clerk(), receipt_of(town), second_factor={"question": "code", "answer": "- - 1"})
    assert answer.status in (400, 422)
    assert town.market.records.find("receipt_link") == []


def test_a_birth_date_that_nobody_registered_cannot_be_asked(town: Any, ask: Any) -> None:
    receipt = receipt_of(town, member="cleo")
    assert make(ask, town.clerk(), receipt).body["question"] == "none"
    answer = make(ask, town.clerk(), receipt, second_factor={"question": "birth_date"})
    assert answer.body["errors"][0]["pointer"] == "/second_factor/question"


def test_who_may_not_share_gets_the_answer_of_what_is_not_there(town: Any, other_town: Any, ask: Any) -> None:
    receipt = receipt_of(town)
    nobody = row_name("rcp", 10**6, bytes(16))
    guessed = row_name("rcp", 3, bytes(16))
    strangers = [
        town.clerk("hospital"),
        town.patient("ben"),
        other_town.clerk(),
        other_town.patient("ana"),
    ]
    for caller in strangers:
        answers = [make(ask, caller, name) for name in (receipt, nobody, guessed, "rcp_x", "evt_1")]
        assert {(one.status, one.code) for one in answers} == {(404, "not_found")}
        said = {json.dumps({key: value for key, value in one.body.items() if key != "request_id"}) for one in answers}
        assert len(said) == 1
    for caller in (town.relative(), town.payer(), town.finance()):
        assert make(ask, caller, receipt).status == 403
    assert listed(ask, town.clerk(), receipt) == []
    assert make(ask, town.clerk(), nobody).status == 404


def test_what_still_waits_has_no_receipt_to_share(town: Any, ask: Any) -> None:
    receipt = receipt_of(town, member="nobody-registered")
    assert make(ask, town.clerk(), receipt).status == 404


def test_the_patient_shares_and_an_operator_withdraws(town: Any, ask: Any) -> None:
    receipt = receipt_of(town)
    made = make(ask, town.patient(), receipt).body
    assert [one["id"] for one in listed(ask, town.operator(), receipt)] == [made["id"]]
    assert make(ask, town.operator(), receipt).status == 403
    assert ask("revoke_receipt_links", town.operator(), {"receipt_id": receipt}).status == 204
    assert page(ask, made["url"]).status == 410


def test_nothing_of_the_patient_stands_in_what_lists_say(town: Any, ask: Any) -> None:
    receipt = receipt_of(town, display="CANARY-service")
    made = make(ask, town.clerk(), receipt, second_factor={"question": "code", "answer": "CANARY-code"})
    said = json.dumps(made.body) + json.dumps(listed(ask, town.clerk(), receipt))
    kept = json.dumps([dict(record.body) for record in town.market.records.find("receipt_link")])
    assert "CANARY" not in said + kept


def test_a_link_does_not_outlive_erasure(town: Any, ask: Any) -> None:
    receipt = receipt_of(town)
    made = make(ask, town.clerk(), receipt).body
    town.desk.books.erase("ana")
    town.clock.move(seconds=1)
    assert page(ask, made["url"]).status == 410
