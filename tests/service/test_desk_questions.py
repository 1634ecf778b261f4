"""Patients' questions on the desk: what waits, an answer, and nobody else's."""

from __future__ import annotations

import hashlib
import re
import sys
from dataclasses import replace
from datetime import timedelta
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


@pytest.fixture
def many(visitor: Visitor, question: dict[str, str], town: Any) -> list[str]:
    """Sixty-one questions that wait and sixty that were answered, each a minute after the one before; their notes."""
    records = town.market.records
    first = records.get("receipt_question", question["question_id"])
    notes = [f"note {number:03}!" for number in range(120)]
    made = []
    for number, note in enumerate(notes):
        at = town.clock.now() + timedelta(minutes=number)
        state = "asked" if number < 60 else "answered"
        settled = {"settled_at": at.isoformat(), "answer": "So it is."} if state == "answered" else {}
        # Ids in another order than time's, as those that are made of a key.
        name = f"qst_{hashlib.sha256(note.encode()).hexdigest()[:26]}"
        body = {**first.body, "id": name, "note": note, "asked_at": at.isoformat(), **settled}
        terms = frozenset(one for one in first.terms if not one.startswith("state=")) | {f"state={state}"}
        made.append(replace(first, id=name, body=body, version=0, terms=terms, at=at))
    records.put(made)
    return notes


def test_the_oldest_that_wait_and_the_newest_that_are_settled_and_that_there_are_more(
    visitor: Visitor, many: list[str], town: Any, ask: Any
) -> None:
    page = visitor.signed_in("Noor", [Role.CLERK], ["clinic"]).get("open_desk_questions").body
    waiting, _, settled = page.partition('id="settled"')
    assert re.findall(r"note \d{3}!", waiting) == many[:49]
    assert "More wait. These have waited longest." in waiting
    assert re.findall(r"note \d{3}!", settled) == many[119:69:-1]
    assert "These are the newest 50." in settled
    found: list[str] = []
    query = {"state": "answered", "order": "newest", "limit": "25"}
    while True:
        piece = ask("list_questions", town.clerk(), query=query).body
        found += [one["note"] for one in piece["data"]]
        if piece["next"] is None:
            break
        query["cursor"] = piece["next"]
    assert found == many[:59:-1]
    assert ask("list_questions", town.clerk(), query={**query, "order": "oldest"}).status == 400
    assert ask("list_questions", town.clerk(), query={"order": "any"}).status == 400
