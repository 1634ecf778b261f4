"""Every refusal is one row of one table, and no word of a request ever stands in a problem."""

from __future__ import annotations

import importlib
import json
import pkgutil
from http import HTTPStatus
from typing import Any

import pytest

import drachm
from drachm.adapters import jsonsafe
from drachm.adapters.rest.identity import Denied, Deny, Unauthenticated
from drachm.adapters.rest.transport import problems
from drachm.adapters.rest.transport.problem_table import KINDS, OF_STATUS, kind_of
from drachm.adapters.rest.transport.problems import Fault, Problem, answer_of, pointer_of, scrubbed, status_answer
from drachm.domain.errors import (
    Conflict,
    DrachmError,
    Forbidden,
    IntegrityError,
    InvalidMessage,
    Pended,
    Refused,
    Unavailable,
)
from drachm.domain.reasons import REASONS

CANARY = "Zofia-Canary-1941-HIV"


def read(answer: problems.Answer) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(answer.body)
    return document


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (InvalidMessage("no"), 400, "invalid_message"),
        (InvalidMessage("no", code="too_deep"), 400, "too_deep"),
        (InvalidMessage("no", code="too_large"), 413, "too_large"),
        (InvalidMessage("no", code="a_word_nobody_listed"), 400, "a_word_nobody_listed"),
        (Refused("insufficient_funds", "no"), 422, "insufficient_funds"),
        (Pended("unknown_member", "no"), 422, "unknown_member"),
        (Forbidden("no"), 403, "forbidden"),
        (Conflict("no"), 409, "conflict"),
        (Conflict("no", code="event_conflict"), 409, "event_conflict"),
        (Unavailable("no"), 503, "unavailable"),
        (IntegrityError("no"), 500, "integrity"),
        (DrachmError("no"), 500, "error"),
        (ValueError("no"), 500, "internal"),
        (Problem("unauthenticated"), 401, "unauthenticated"),
        (Problem("not_found"), 404, "not_found"),
        (Problem("not_acceptable"), 406, "not_acceptable"),
        (Problem("precondition_failed"), 412, "precondition_failed"),
        (Problem("unsupported_media_type"), 415, "unsupported_media_type"),
        (Problem("busy", retry_after=3), 429, "busy"),
    ],
)
def test_each_error_has_its_status_and_code(error: Exception, status: int, code: str) -> None:
    answer = answer_of(error, "req_1")
    document = read(answer)
    assert (answer.status, document["status"], document["code"]) == (status, status, code)
    assert document["type"] == f"/problems/{code}"
    assert document["request_id"] == "req_1"
    assert {"title", "detail", "next_step", "retryable"} <= document.keys()
    assert dict(answer.headers)[b"content-type"] == b"application/problem+json"


def test_a_class_of_another_room_keeps_its_code_and_takes_the_status_of_its_nearest_listed_ancestor() -> None:
    class Unproven(DrachmError):
        code = "unauthenticated"

    kind = kind_of(Unproven("expired", code="a_new_word", next_step="Ask for a new key."))
    assert (kind.status, kind.code, kind.next_step) == (401, "a_new_word", "Ask for a new key.")


@pytest.mark.parametrize("status", sorted(OF_STATUS))
def test_a_framework_refusal_known_by_status_alone_keeps_its_status(status: int) -> None:
    assert read(status_answer(status, "req_1"))["status"] == status


def test_statuses_without_a_word_become_a_general_one() -> None:
    assert status_answer(418).status == 400
    assert status_answer(502).status == 500


def test_a_framework_refusal_keeps_allow_and_nothing_else() -> None:
    answer = status_answer(405, "", [(b"allow", b"POST"), (b"x-debug", CANARY.encode())])
    assert (b"allow", b"POST") in answer.headers
    assert b"x-debug" not in dict(answer.headers)


def test_retry_after_stands_wherever_waiting_helps() -> None:
    assert dict(answer_of(Problem("busy", retry_after=7)).headers)[b"retry-after"] == b"7"
    assert dict(answer_of(Unavailable("silent")).headers)[b"retry-after"] == b"1"
    assert b"retry-after" not in dict(answer_of(Conflict("no")).headers)


@pytest.mark.parametrize(
    "error",
    [
        ValueError(CANARY),
        KeyError(CANARY),
        Unavailable(f"connection to {CANARY} failed", where=CANARY),
        IntegrityError(f"row of {CANARY}"),
        InvalidMessage(f"unknown kind {CANARY!r}", where=f"$.lines[2].{CANARY}"),
        InvalidMessage(f'the key "{CANARY}" is there twice', where=f"body column 3 at $['{CANARY}']"),
        InvalidMessage(f"unclosed '{CANARY}", where=CANARY),
        Refused("invalid_event", f"{CANARY!r} is not «{CANARY}»", where=f"{CANARY}.x", next_step=f"Drop {CANARY!r}."),
        Problem("invalid_body", faults=[Fault("/lines/0", "invalid_body", f"got {CANARY!r}")]),
    ],
)
def test_no_word_of_a_request_leaves_in_a_problem(error: Exception) -> None:
    assert CANARY.encode() not in answer_of(error).body
    assert b"Zofia" not in answer_of(error).body


def test_the_strict_reader_s_own_refusals_show_no_key_of_the_caller() -> None:
    bodies = [
        f'{{"{CANARY}": 1, "{CANARY}": 2}}',
        f'{{"a": {{"{CANARY}": NaN}}}}',
        f'["{CANARY}", ',
        f'{{"x": "{CANARY}\\u0000"}}',
        f'{{"{CANARY}": ' + "[" * 100,
    ]
    for body in bodies:
        with pytest.raises(InvalidMessage) as caught:
            jsonsafe.loads(body.encode(), "body")
        answer = answer_of(caught.value)
        assert answer.status == 400
        assert CANARY.encode() not in answer.body, body


@pytest.mark.parametrize(
    ("where", "pointer"),
    [
        ("", ""),
        ("body", ""),
        ("$", ""),
        ("body column 7 at $.lines[3].allowed", "/lines/3/allowed"),
        ("event.billed.micros", "/billed/micros"),
        ("event", ""),
        ("lines[3].allowed", "/lines/3/allowed"),
        ("$.facts['Ana Diaz']", "/facts/*"),
        ("$.Ana Diaz.x", "/*/x"),
        ("$.a[12]", "/a/12"),
        ("Authorization", ""),
        ("port 80", ""),
    ],
)
def test_a_place_becomes_a_json_pointer(where: str, pointer: str) -> None:
    assert pointer_of(where) == pointer


def test_with_the_names_of_the_schema_any_other_name_is_hidden() -> None:
    assert pointer_of("$.lines[0].canary", frozenset({"lines"})) == "/lines/0/*"


def test_a_fault_carries_its_pointer() -> None:
    document = read(answer_of(InvalidMessage("must be whole", where="$.lines[3].allowed", code="wrong_type")))
    assert document["errors"] == [{"pointer": "/lines/3/allowed", "code": "wrong_type", "detail": "must be whole"}]


def test_what_is_hidden_reads_like_what_is_not_there() -> None:
    hidden = answer_of(Denied(Deny("not_found"), "get_receipt"))
    assert (hidden.status, hidden.body) == (404, status_answer(404).body)


def test_who_may_not_reads_why() -> None:
    assert (answer_of(Denied(Deny("not_related"), "get_receipt")).status) == 403
    assert read(answer_of(Unauthenticated("api_key_expired")))["status"] == 401


def test_scrubbing_keeps_the_sentence() -> None:
    assert scrubbed("the patient's cover isn't here") == "the patient's cover isn't here"
    assert scrubbed("member 'O'Brien' is new") == "member (not shown) is new"
    assert len(scrubbed("long " * 200)) == 300


def every_error_class() -> set[type[DrachmError]]:
    for module in pkgutil.walk_packages(drachm.__path__, "drachm."):
        if ".bench" not in module.name and not module.name.endswith("__main__"):
            importlib.import_module(module.name)

    def below(kind: type[DrachmError]) -> set[type[DrachmError]]:
        return {kind}.union(*map(below, kind.__subclasses__()))

    return {kind for kind in below(DrachmError) if kind.__module__.startswith("drachm.")}


def test_every_error_class_of_the_product_has_a_status() -> None:
    classes = every_error_class()
    assert len(classes) >= 9
    for kind in classes:
        bare = kind.__new__(kind)
        bare.code, bare.message, bare.where, bare.next_step = kind.code, "", "", ""
        assert 400 <= kind_of(bare).status <= 503


def test_the_table_is_whole_and_sound() -> None:
    assert {code for code, reason in REASONS.items() if reason.outcome in ("refused", "pended")} <= KINDS.keys()
    for code, kind in KINDS.items():
        assert code == kind.code
        assert 400 <= HTTPStatus(kind.status) < 600
        assert kind.title
        assert kind.text.endswith(".")
        assert kind.next_step.endswith(".")
        assert scrubbed(kind.next_step) == kind.next_step


def test_every_code_has_a_page_and_an_entry() -> None:
    listed = {entry["code"] for entry in problems.index()}
    assert listed == set(KINDS)
    assert all(problems.page(code) for code in KINDS)
    assert problems.page("no_such_code") is None
