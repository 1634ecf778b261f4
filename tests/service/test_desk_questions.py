"""Patients' questions on the desk: what waits, an answer, and nobody else's."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from desk_visitor import Visitor

from drachm.adapters.rest.identity.model import Role

WRONG = {"choice": "amount_wrong", "note": "<b>twice</b> the price", "stop": True}


@pytest.fixture
def question(lived_in: Any, ask: Any) -> dict[str, str]:
    [receipt] = [one for one in ask("list_receipts", lived_in.patient("ana")).body["data"] if one["kind"] == "charge"][
        :1
    ]
    asked = ask("ask_question", lived_in.patient("ana"), path={"receipt_id": receipt["id"]}, body=WRONG)
    assert asked.status == 201, asked.body
    return {"question_id": asked.body["id"], "charge": receipt["charge"]}


def test_a_clinic_reads_and_answers(visitor: Visitor, question: dict[str, str], town: Any, ask: Any) -> None:
    noor = visitor.signed_in("Noor", [Role.CLERK], ["clinic"])
    page = noor.get("open_desk_questions").body
    assert "&lt;b&gt;twice&lt;/b&gt; the price" in page
    assert f"/desk/charges/{question['charge']}" in page
    path = {"question_id": question["question_id"]}
    assert noor.post("answer_question_at_desk", {"answer": " \n "}, path).status == 422
    assert noor.post("answer_question_at_desk", {"answer": "It was\r\nsent once."}, path).status == 303
    said = noor.words("open_desk_questions")
    assert "No question waits." in said
    assert "It was sent once." in said
    assert noor.post("answer_question_at_desk", {"answer": "Again."}, path).status == 409
    [known] = ask("list_questions", town.patient("ana"), query={"state": "answered"}).body["data"]
    assert (known["answer"], known["stops"]) == ("It was sent once.", False)


def test_another_clinic_finds_nothing(visitor: Visitor, question: dict[str, str]) -> None:
    stranger = visitor.signed_in("Sid", [Role.CLERK], ["hospital"])
    assert "twice" not in stranger.get("open_desk_questions").body
    path = {"question_id": question["question_id"]}
    assert stranger.post("answer_question_at_desk", {"answer": "Yes."}, path).status == 404
