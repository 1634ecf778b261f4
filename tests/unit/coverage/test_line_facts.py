"""What a plan may look at, found only when it is asked for."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from drachm.domain.coverage.facts import LineFacts
from drachm.domain.coverage.model import Member
from drachm.domain.events.model import Code, Fact, ServiceEvent

DAY = date(2025, 3, 10)
# In Tokyo it is the next day already.
RECEIVED = datetime(2025, 3, 12, 16, tzinfo=UTC)


def facts_of(member: Member, said: dict[str, Fact], book: dict[str, Fact], premises: dict[str, Fact]) -> LineFacts:
    code = Code("HCPCS", "99213")
    event = ServiceEvent("ehr", "1", "charge", member.id, code, "USD", RECEIVED, facts=said, authorisation="a")
    return LineFacts(event, member, premises, "in", "visit", book, DAY, RECEIVED, "Asia/Tokyo")


def test_later_sources_override_earlier_ones() -> None:
    sources: list[dict[str, Fact]] = [{}, {}, {}, {}]
    for rank, name in enumerate(("premises", "member", "said", "book")):
        for lower in ("premises", "member", "said", "book")[: rank + 1]:
            sources[rank][lower] = name
    premises, own, said, book = sources
    found = facts_of(Member("ana", facts=own), said, book, premises)
    assert [found.get(name) for name in ("premises", "member", "said", "book")] == ["book"] * 4
    found = facts_of(Member("ana", facts=own), said, {}, premises)
    assert [found.get(name) for name in ("premises", "member", "said")] == ["said"] * 3
    found = facts_of(Member("ana", facts=own), {}, {}, premises)
    assert [found.get(name) for name in ("premises", "member")] == ["member"] * 2
    found = facts_of(Member("ana"), {}, {}, premises)
    assert (found.get("premises"), found.get("member"), found.get("member", 7)) == ("premises", None, 7)


def test_the_category_is_the_books_the_events_or_the_lines_but_not_the_members() -> None:
    member = Member("ana", facts={"category": "member"})
    assert facts_of(member, {}, {}, {"category": "premises"}).get("category") == "visit"
    assert facts_of(member, {"category": "event"}, {}, {}).get("category") == "event"
    assert facts_of(member, {"category": "event"}, {"category": "book"}, {}).get("category") == "book"


def test_what_follows_from_the_line_comes_first() -> None:
    hostile: dict[str, Fact] = dict.fromkeys(
        ("service", "code_system", "network", "emergency", "authorised", "filing_days"), "said"
    ) | {"place_of_service": "said", "age": "said", "sex": "said"}
    found = facts_of(Member("ana", date(2000, 3, 11), "female"), hostile, hostile, hostile)
    told = {name: found.get(name) for name in hostile}
    assert told == {
        "service": "99213",
        "code_system": "HCPCS",
        "network": "in",
        "emergency": False,
        "authorised": True,
        "filing_days": 3,
        "place_of_service": "",
        "age": 24,
        "sex": "female",
    }
    # Nobody knows the age and sex of this member but whoever says them.
    unknown = facts_of(Member("bob"), {"age": 3}, {}, {})
    assert (unknown.get("age"), unknown.get("sex", "?")) == (3, "?")


def test_all_of_them_together_are_what_each_is_alone() -> None:
    found = facts_of(Member("ana", sex="female", facts={"tier": "a"}), {"visits": 2}, {"drug": "b"}, {"level": 0})
    together = {**found}
    assert together == {name: found.get(name) for name in together}
    assert {"tier", "visits", "drug", "level", "sex", "category", "service", "filing_days"} <= together.keys()
    assert "age" not in together
    with pytest.raises(KeyError):
        found["age"]
