"""A name that somebody typed finds their own members, in either order, and nobody else's."""

from __future__ import annotations

from typing import Any

import pytest


def enrol(town: Any, ask: Any, id: str, given: str, family: str, by: str = "clinic", born: str = "") -> None:
    body: dict[str, Any] = {"id": id, "name": {"given": given, "family": family}, "registered_by": by}
    if born:
        body["birth_date"] = born
    made = ask("create_member", town.clerk(by), body=body)
    assert made.status == 201, made.body


def found(town: Any, ask: Any, name: str, caller: Any = None) -> list[str]:
    answer = ask("search_members", caller or town.clerk(), body={"name": name})
    assert answer.status == 200, answer.body
    return [one["id"] for one in answer.body["data"]]


@pytest.fixture
def people(town: Any, ask: Any) -> None:
    enrol(town, ask, "m1", "Ana María", "Cruz Peña", born="1990-05-01")
    enrol(town, ask, "m2", "Otto", "Strauß", born="1971-02-03")
    enrol(town, ask, "m3", "Ana", "Cruz", born="1950-01-01")
    enrol(town, ask, "m4", "Anton", "Cruz", "hospital", born="1960-01-01")


def test_either_order_marks_and_case_do_not_matter(town: Any, ask: Any, people: None) -> None:
    assert found(town, ask, "ana maria cruz pena") == ["m1"]
    assert found(town, ask, "CRUZ PEÑA, Ana") == ["m1"]
    assert found(town, ask, "Cruz An") == ["m3"]
    assert found(town, ask, "Strauss") == ["m2"]
    assert found(town, ask, "otto strauß") == ["m2"]
    assert found(town, ask, "Cruz") == ["m3"]
    assert found(town, ask, "Anx Cruz") == []
    assert found(town, ask, "'; drop table --") == []


def test_everybody_finds_only_those_they_have_to_do_with(town: Any, other_town: Any, ask: Any, people: None) -> None:
    assert found(town, ask, "anton cruz") == []
    assert found(town, ask, "anton cruz", town.clerk("hospital")) == ["m4"]
    assert found(town, ask, "cruz", town.operator()) == ["m3", "m4"]
    assert found(other_town, ask, "cruz", other_town.operator()) == []
    for stranger in (town.patient("ana"), town.finance(), town.funder()):
        assert ask("search_members", stranger, body={"name": "cruz"}).status == 403
    for name in ("", "x", "a" * 101, "a\x07b"):
        assert ask("search_members", town.clerk(), body={"name": name}).status == 422
    town.desk.books.erase("m3")
    assert found(town, ask, "Cruz") == []
